//! From one night to the next (逐夜比对): only households of which something changed, or for whom a day came that matters.
//!
//! Beside its findings a part keeps, for every row, the next day on which time alone may change its outcome. On a later
//! night the rows that were replaced since and those whose day came are decided twice: as they were, to take back what was
//! counted of them, and as they are. Guarantees: findings and counts are those of a run over everybody. Deliberately
//! absent: a change of rules; then everybody is decided again.

use crate::chunk::{self, Chunk, Rows};
use crate::decide::Deciders;
use crate::encode::to_parquet;
use crate::finding::{self, Finding};
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::Part;
use crate::part::{PartDone, PartSweep, PartWork};
use crate::sweep::{Doubts, Record, Sweep};
use crate::tally::Tally;
use anyhow::{Context, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use chrono::{Datelike, NaiveDate};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use policy::Unit;
use policy::clocks::Clocks;
use policy::table::KNOWN;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// No day will change the row.
pub(crate) const NEVER: i32 = i32::MAX;
/// The row counts no longer: a later part replaced it.
pub(crate) const GONE: i32 = i32::MIN;

/// The file of a part's days.
pub(crate) fn file(part: &Part) -> String {
    format!("nights-{}.parquet", part.number())
}

/// The bytes of a file of days: households in the order of the part, days counted from the common era.
pub(crate) fn to_file(times: &[(i64, i32)]) -> anyhow::Result<Vec<u8>> {
    let schema = Schema::new(vec![
        Field::new("household", DataType::Int64, false),
        Field::new("next", DataType::Int32, false),
    ]);
    let households: Vec<i64> = times.iter().map(|(household, _)| *household).collect();
    let next: Vec<i32> = times.iter().map(|(_, next)| *next).collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(households)),
        Arc::new(Int32Array::from(next)),
    ];
    to_parquet(&RecordBatch::try_new(Arc::new(schema), arrays)?)
}

/// For each date in a column the next day on which it may change an outcome (下一个敏感日), looked up: the dates of a million
/// people are those of a century.
#[derive(Debug)]
pub(crate) struct Nexts {
    clocks: Arc<Clocks>,
    after: NaiveDate,
    /// From which date on days are looked up.
    since: i64,
    /// By column; `UNASKED` where nobody asked yet.
    known: BTreeMap<usize, Vec<AtomicI32>>,
}

/// Of a date nobody asked about.
const UNASKED: i32 = i32::MIN;
/// How many days before the day asked are looked up: rather more than a life.
const LIFE: i64 = 45_000;

impl Nexts {
    pub(crate) fn new(clocks: Arc<Clocks>, after: NaiveDate) -> Self {
        let blank = || (0..=LIFE).map(|_| AtomicI32::new(UNASKED)).collect();
        Self {
            since: i64::from(after.num_days_from_ce()) - LIFE,
            known: clocks
                .columns()
                .into_iter()
                .map(|at| (at, blank()))
                .collect(),
            clocks,
            after,
        }
    }

    fn next(&self, column: usize, known: &[AtomicI32], date: i64) -> i32 {
        let find = || {
            let next = self.clocks.next(column, date, self.after);
            next.map_or(NEVER, |day| day.num_days_from_ce())
        };
        let kept = usize::try_from(date - self.since).ok();
        let Some(kept) = kept.and_then(|at| known.get(at)) else {
            return find();
        };
        // Two who ask at once find the same, so it does not matter who writes last.
        match kept.load(Ordering::Relaxed) {
            UNASKED => {
                let found = find();
                kept.store(found, Ordering::Relaxed);
                found
            }
            found => found,
        }
    }
}

/// Appends, for each row, the next day on which time alone may change its outcome.
pub(crate) fn times(nexts: &Nexts, rows: &Rows<'_>, sweep: &Sweep, times: &mut Vec<i32>) {
    let first = times.len();
    times.resize(first + rows.households.len(), NEVER);
    let times = &mut times[first..];
    for (at, known) in &nexts.known {
        let at = *at;
        let column = &rows.table.columns[at];
        if column.values.is_empty() {
            continue;
        }
        let by_person = sweep.book.columns()[at].of == Unit::Person;
        for (row, time) in times.iter_mut().enumerate() {
            let cells = if by_person {
                rows.table.members_of(row)
            } else {
                row..row + 1
            };
            for cell in cells {
                if column.state(cell) != KNOWN {
                    continue;
                }
                *time = (*time).min(nexts.next(at, known, column.values[cell]));
            }
        }
    }
}

/// What an earlier night left of a part (前一夜).
pub(crate) struct Night {
    pub(crate) before: Record,
    times: Vec<(i64, i32)>,
    findings: Vec<Finding>,
}

impl Night {
    /// Reads what an earlier night left; `None` if it is not all there.
    pub(crate) async fn read(
        folder: &Folder,
        part: &Part,
        before: Record,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(times), Some(findings)) = (
            folder.read(&file(part)).await?,
            folder.read(&part.findings()).await?,
        ) else {
            return Ok(None);
        };
        let mut rows = Vec::new();
        for batch in ParquetRecordBatchReaderBuilder::try_new(times)?.build()? {
            let batch = batch?;
            let wrong = "逐夜文件不对；请删去后重新比对";
            let column = |name: &str| batch.column_by_name(name).context(wrong);
            let household = column("household")?
                .as_primitive_opt::<Int64Type>()
                .context(wrong)?;
            let next = column("next")?
                .as_primitive_opt::<Int32Type>()
                .context(wrong)?;
            rows.extend(
                household
                    .values()
                    .iter()
                    .copied()
                    .zip(next.values().iter().copied()),
            );
        }
        if u64::try_from(rows.len())? != part.rows {
            return Ok(None);
        }
        Ok(Some(Self {
            before,
            times: rows,
            findings: finding::read(findings)?,
        }))
    }

    fn is_due(&self, row: usize, later: &Later, at: usize, on: NaiveDate) -> bool {
        let (household, next) = self.times[row];
        next != GONE && (next <= on.num_days_from_ce() || !later.counts(at, household))
    }

    /// Whether no row has to be decided again.
    pub(crate) fn is_quiet(&self, later: &Later, at: usize, on: NaiveDate) -> bool {
        (0..self.times.len()).all(|row| !self.is_due(row, later, at, on))
    }

    /// Decides again what has to be, and takes over the rest.
    pub(crate) fn renew(mut self, work: &PartWork, blank: Record) -> anyhow::Result<PartDone> {
        let sweep = &work.sweep;
        let due: Vec<usize> = (0..self.times.len())
            .filter(|row| self.is_due(*row, &work.later, work.at, sweep.as_of))
            .collect();
        let earlier = Sweep {
            as_of: self.before.as_of,
            // What was counted is taken back; which facts were missing does not matter for that.
            doubts: Doubts::Paid,
            ..sweep.clone()
        };
        let (then, now) = (earlier.ask(), sweep.ask());
        let mut then = Deciders::new(&earlier.book, &then);
        let mut now = Deciders::new(&sweep.book, &now);
        let chunks = read_rows(work, &due, self.times.len(), now.reads())?;
        let old = decided(work, &earlier, &mut then, &chunks, false)?;
        let new = decided(work, sweep, &mut now, &chunks, true)?;
        ensure!(
            old.households == u64::try_from(due.len())?,
            "快照与上次比对时不同；请删去发现文件后重新比对 (the part has changed)"
        );
        let again: BTreeSet<i64> = due.iter().map(|row| self.times[*row].0).collect();
        self.findings
            .retain(|found| !again.contains(&found.household));
        self.findings.extend(new.findings.iter().cloned());
        self.findings.sort();
        let mut tally = Tally {
            squares: Vec::new(),
            outcomes: self.before.tally.outcomes.clone(),
        };
        for (programme, counted) in &old.tally.outcomes {
            let known = tally.outcomes.entry(programme.clone()).or_default();
            known.take_back(*counted);
        }
        for (programme, counted) in &new.tally.outcomes {
            tally.outcomes(programme, *counted);
        }
        for found in &self.findings {
            tally.finding(found);
        }
        let mut next = new.times.iter().copied();
        for row in &due {
            let (household, time) = &mut self.times[*row];
            *time = match work.later.counts(work.at, *household) {
                true => next.next().unwrap_or(NEVER),
                false => GONE,
            };
        }
        let households = self.before.households - old.households + new.households;
        let people = self.before.people - old.people + new.people;
        Ok(PartDone {
            record: Record {
                households,
                people,
                tally,
                ..blank
            },
            findings: self.findings,
            times: self.times,
            kept: households - new.households,
        })
    }
}

/// Reads some rows of a part.
fn read_rows(
    work: &PartWork,
    due: &[usize],
    rows: usize,
    reads: &[bool],
) -> anyhow::Result<Vec<Chunk>> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ranges = due.iter().map(|row| *row..*row + 1);
    let selection = RowSelection::from_consecutive_ranges(ranges, rows);
    let households = work.households.clone();
    chunk::open(
        households,
        work.sweep.book.columns(),
        reads,
        Some(selection),
    )?
    .map(|batch| Ok(Chunk::new(batch?)))
    .collect()
}

/// Decides rows that were read: those that still count, or all of them as they once counted.
fn decided<'s>(
    work: &PartWork,
    sweep: &'s Sweep,
    deciders: &mut Deciders<'_>,
    chunks: &[Chunk],
    current: bool,
) -> anyhow::Result<PartSweep<'s>> {
    let mut part = PartSweep::new(sweep, work.payments.clone())?;
    let chunks = chunks.iter().filter_map(|chunk| match current {
        true => work.later.current(chunk.clone(), work.at).transpose(),
        false => Some(Ok(chunk.clone())),
    });
    // When time matters to rows as they were, nobody asks any more.
    part.decide(chunks, deciders, current.then_some(&*work.nexts))?;
    Ok(part)
}
