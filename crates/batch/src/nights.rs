//! From one night to the next (逐夜比对): only households of which something changed, or for whom a day came that matters.
//!
//! Beside its findings a part keeps, for every row ([`night_rows`](crate::night_rows)), the next day on which time alone may change
//! its outcome and the kind of its share in what was counted; and, as a small file of their own, the rows whose day comes soon. On a later night what was
//! counted of replaced rows is taken back, and those whose day came are decided again. Guarantees: findings and counts are
//! those of a run over everybody. Deliberately absent: a change of rules; then everybody is decided again.

use crate::chunk::{self, Chunk, Rows};
use crate::decide::{Bindings, Deciders, asked};
use crate::finding;
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::Part;
use crate::night_rows::{Night, Nights};
use crate::part::{PartAnswer, PartDone, PartFiles, PartSweep, PartWork};
use crate::shares::Shares;
use crate::sweep::{Record, Sweep};
use crate::tally::Tally;
use anyhow::{Context, ensure};
use bytes::Bytes;
use chrono::{Datelike, Days, NaiveDate};
use policy::Unit;
use policy::clocks::Clocks;
use policy::table::{ColumnDef, KNOWN};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI32, Ordering};

/// No day will change the row.
pub(crate) const NEVER: i32 = i32::MAX;
/// The row counts no longer: a later part replaced it.
pub(crate) const GONE: i32 = i32::MIN;
/// How many files a part has that was decided.
pub(crate) const FILES: usize = 5;
/// How many days ahead rows are laid ready, and over how many more the parts are spread: gathering them means reading a part.
const AHEAD: (u64, u64) = (14, 7);

/// The files of a part that was decided: what was found; days and kinds, what the kinds are, the rows whose day comes soon, and
/// what later nights changed of days and kinds.
pub(crate) fn files(part: &Part) -> [String; FILES] {
    let number = part.number();
    [
        part.findings(),
        format!("nights-{number}.rows"),
        format!("shares-{number}.rows"),
        format!("soon-{number}.parquet"),
        format!("changes-{number}.rows"),
    ]
}

/// Until when rows are laid ready that are gathered on a day.
pub(crate) fn soon_until(day: NaiveDate, part: usize) -> NaiveDate {
    let spread = u64::try_from(part).unwrap_or(0) % AHEAD.1;
    day.checked_add_days(Days::new(AHEAD.0 + spread))
        .unwrap_or(day)
}

/// The bytes of the rows whose day comes soon, with the day of each, in the order of these days, so that a night reads only
/// the rows around its own; none where there are none.
pub(crate) fn soon_file(soon: &[Chunk], days: &[i32]) -> anyhow::Result<Vec<u8>> {
    Chunk::joined(soon)?.map_or_else(|| Ok(Vec::new()), |chunk| chunk.to_file_by(days))
}

/// What all parts of one run share (一轮比对): the rules bound, and what time alone changes.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) bindings: Bindings,
    pub(crate) nexts: Nexts,
}

impl Round {
    pub(crate) fn of(sweep: &Sweep) -> anyhow::Result<Self> {
        let ask = sweep.ask();
        Ok(Self {
            bindings: Bindings::of(&sweep.book, &[], &ask)?,
            nexts: Nexts::new(sweep.book.clocks(&ask), sweep.as_of),
        })
    }
}

/// For each date in a column the next day on which it may change an outcome (下一个敏感日), looked up: the dates of a million
/// people are those of a century.
#[derive(Debug)]
pub(crate) struct Nexts {
    pub(crate) clocks: Clocks,
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
    fn new(clocks: Clocks, after: NaiveDate) -> Self {
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

/// What an earlier night left of a part (前一夜): files as they were read.
pub(crate) struct Before {
    pub(crate) record: Record,
    nights: Nights,
    shares: Bytes,
    /// Kinds of share that came later.
    more: Bytes,
    soon: Bytes,
    findings: Bytes,
}

impl Before {
    /// Reads what an earlier night left; `None` if it is not all there.
    pub(crate) async fn read(
        folder: &Folder,
        part: &Part,
        record: Record,
    ) -> anyhow::Result<Option<Self>> {
        let [findings, nights, shares, soon, changes] = files(part);
        let (Some(nights), Some(shares), Some(soon), Some(changes), Some(findings)) = (
            folder.read(&nights).await?,
            folder.read(&shares).await?,
            folder.read(&soon).await?,
            folder.read(&changes).await?,
            folder.read(&findings).await?,
        ) else {
            return Ok(None);
        };
        let mut nights = Nights::read(nights)?;
        if u64::try_from(nights.len())? != part.rows {
            return Ok(None);
        }
        let more = nights.change(&changes)?;
        Ok(Some(Self {
            record,
            nights,
            shares,
            more,
            soon,
            findings,
        }))
    }

    /// Which rows have to be decided again or taken back.
    fn due(&self, later: &Later, at: usize, on: NaiveDate) -> Vec<usize> {
        let on = on.num_days_from_ce();
        let is_due = |night: &Night| {
            night.next != GONE && (night.next <= on || !later.counts(at, night.household))
        };
        let nights = self.nights.iter().enumerate();
        nights
            .filter(|(_, night)| is_due(night))
            .map(|(row, _)| row)
            .collect()
    }

    /// Whether the rows whose day came lie ready.
    pub(crate) fn is_ready(&self, on: NaiveDate) -> bool {
        on <= self.record.soon_until
    }

    /// Decides again the rows that are due, and takes over the rest: the record, the files that changed, and how many
    /// households were taken over.
    pub(crate) fn renew(self, work: &PartWork, blank: Record) -> anyhow::Result<PartAnswer> {
        let due = self.due(&work.later, work.at, work.sweep.as_of);
        if due.is_empty() {
            let record = Record {
                as_of: blank.as_of,
                replaced: blank.replaced,
                ..self.record
            };
            let kept = record.households;
            return Ok((record, PartFiles::default(), kept));
        }
        self.decided(&due, work, blank)?.into_files()
    }

    fn decided(
        mut self,
        due: &[usize],
        work: &PartWork,
        blank: Record,
    ) -> anyhow::Result<PartDone> {
        let sweep = &work.sweep;
        let shares = Shares::read(std::mem::take(&mut self.shares), &self.more)?;
        let mut findings = finding::read(std::mem::take(&mut self.findings))?;
        // Those that count are decided again; of the others only what they counted for is taken back.
        let again: BTreeSet<i64> = due
            .iter()
            .map(|row| self.nights.get(*row).household)
            .filter(|household| work.later.counts(work.at, *household))
            .collect();
        let ask = sweep.ask();
        let kinds = due.iter().map(|row| self.nights.get(*row).kind);
        let (programmes, by_person): (Vec<&str>, Vec<bool>) =
            asked(&sweep.book, &ask).into_iter().unzip();
        let old = shares.taken(kinds, &by_person)?;
        let Round { bindings, nexts } = &*work.round;
        let mut deciders = Deciders::new(bindings);
        let is_ready = self.is_ready(sweep.as_of);
        let ready = match is_ready {
            true => self.ready(bindings.reads(), &again)?,
            false => self.gathered(work, bindings.reads(), blank.soon_until)?,
        };
        let mut part = PartSweep::new(sweep, work.payments.clone(), shares)?;
        for chunk in &ready {
            if let Some(chunk) = chunk.among(&again)? {
                part.decide(&chunk, &mut deciders, nexts)?;
            }
        }
        ensure!(
            part.households == u64::try_from(again.len())?,
            "快照与上次比对时不同；请删去发现文件后重新比对 (the part has changed)"
        );
        let mut decided = part.nexts.iter().copied().zip(part.kinds.iter().copied());
        let mut gone = BTreeSet::new();
        for row in due {
            let household = self.nights.get(*row).household;
            let (next, kind) = match again.contains(&household) {
                true => decided.next().context("少了一户的结果")?,
                false => (GONE, 0),
            };
            let night = Night {
                household,
                next,
                kind,
            };
            self.nights.set(*row, night)?;
            gone.insert(household);
        }
        findings.retain(|found| !gone.contains(&found.household));
        findings.append(&mut part.findings);
        findings.sort();
        let mut tally = Tally {
            squares: Vec::new(),
            outcomes: self.record.tally.outcomes.clone(),
        };
        for (programme, counted) in programmes.into_iter().zip(old.counted) {
            let known = tally.outcomes.entry(programme.to_owned()).or_default();
            known.take_back(counted);
        }
        for (programme, counted) in &part.tally.outcomes {
            tally.outcomes(programme, *counted);
        }
        for found in &findings {
            tally.finding(found);
        }
        let soon = match is_ready {
            true => None,
            false => Some(still_soon(&ready, &self.nights, blank.soon_until)?),
        };
        let households = self.record.households - old.households + part.households;
        Ok(PartDone {
            record: Record {
                households,
                people: self.record.people - old.people + part.people,
                tally,
                soon_until: match is_ready {
                    true => self.record.soon_until,
                    false => blank.soon_until,
                },
                ..blank
            },
            findings,
            nights: self.nights,
            soon,
            kept: households - part.households,
            shares: part.shares,
        })
    }

    /// The rows that were laid ready, where one of these households is among them or near.
    fn ready(&self, reads: &[ColumnDef], wanted: &BTreeSet<i64>) -> anyhow::Result<Vec<Chunk>> {
        if self.soon.is_empty() {
            return Ok(Vec::new());
        }
        chunk::open_some(self.soon.clone(), reads, wanted)?
            .map(|batch| Ok(Chunk::new(batch?)))
            .collect()
    }

    /// The rows whose day comes until then, out of the whole part.
    fn gathered(
        &self,
        work: &PartWork,
        reads: &[ColumnDef],
        until: NaiveDate,
    ) -> anyhow::Result<Vec<Chunk>> {
        let until = until.num_days_from_ce();
        let mut nights = self.nights.iter();
        let mut found = Vec::new();
        for chunk in work.chunks(reads)? {
            let chunk = chunk?;
            let keep: Vec<bool> = nights
                .by_ref()
                .take(chunk.households()?.len())
                .map(|night| {
                    let counts = work.later.counts(work.at, night.household);
                    night.next != GONE && night.next <= until && counts
                })
                .collect();
            found.extend(chunk.some(&keep)?);
        }
        Ok(found)
    }
}

/// Of rows that were gathered, those whose day still comes until then.
fn still_soon(gathered: &[Chunk], nights: &Nights, until: NaiveDate) -> anyhow::Result<Vec<u8>> {
    let until = until.num_days_from_ce();
    let coming: BTreeMap<i64, i32> = nights
        .iter()
        .filter(|night| night.next != GONE && night.next <= until)
        .map(|night| (night.household, night.next))
        .collect();
    let (mut left, mut days) = (Vec::new(), Vec::new());
    for chunk in gathered {
        let here = chunk.households()?.iter();
        let comes: Vec<Option<&i32>> = here.map(|household| coming.get(household)).collect();
        let keep: Vec<bool> = comes.iter().map(Option::is_some).collect();
        left.extend(chunk.some(&keep)?);
        days.extend(comes.into_iter().flatten());
    }
    soon_file(&left, &days)
}
