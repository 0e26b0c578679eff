//! The simulation (试算): the same households under other values of parameters, and whom that would touch.
//!
//! The baseline and every reform are decided by the rule book itself, only for the programmes that rest on what is
//! changed. Guarantees: a reform without a difference touches nobody; what it would cost is the sum of the very amounts
//! decided, to the fen. Deliberately absent: how people would behave; nobody applies, moves or earns differently here.

use crate::chunk::{self, Chunk};
use crate::decide::{Deciders, for_people};
use crate::effect::{AGES, Effect, HouseholdChange};
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::{Manifest, Part};
use anyhow::{Context, bail};
use bytes::Bytes;
use chrono::{Datelike, NaiveDate};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use policy::Change;
use policy::machine::{MET, NOT_MET, Outcomes};
use policy::table::{Column, KNOWN};
use policy::{Ask, Book, Every, Setting, Unit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who is how old is read from this fact, which the register itself keeps.
const BORN: &str = "birth_date";

/// A reform (情景): a name and what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reform {
    /// Its name.
    pub name: String,
    /// What it changes.
    pub changes: Vec<Change>,
}

/// What to simulate (试算什么).
#[derive(Debug, Clone)]
pub struct Simulation {
    as_of: NaiveDate,
    programmes: Vec<String>,
    base: Arc<Book>,
    reforms: Vec<(String, Arc<Book>)>,
    /// How many parts are decided at once.
    pub workers: usize,
}

/// What came out (试算结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// The day.
    pub as_of: NaiveDate,
    /// The rule book compared with.
    pub pack_version: String,
    /// The programmes that rest on what is changed.
    pub programmes: Vec<String>,
    /// One a reform, in the order given.
    pub effects: Vec<(String, Effect)>,
}

/// Reads `参数=值` (读取一项改动): a number in the parameter's own unit, or steps `70:20000;80:30000`.
///
/// # Errors
/// When it is written otherwise.
pub fn change(text: &str, from: NaiveDate) -> anyhow::Result<Change> {
    let wrong = || {
        format!("“{text}”读不懂；请写 参数=数值，分档的写 参数=70:20000;80:30000（金额以分为单位）")
    };
    let (parameter, value) = text.split_once('=').with_context(wrong)?;
    let value = if value.contains(':') {
        let mut by = BTreeMap::new();
        for step in value.split(';') {
            let (at, number) = step.split_once(':').with_context(wrong)?;
            let number: i64 = number.trim().parse().ok().with_context(wrong)?;
            by.insert(at.trim().to_owned(), number);
        }
        let bounds: Option<BTreeMap<i64, i64>> = by
            .iter()
            .map(|(at, number)| Some((at.parse().ok()?, *number)))
            .collect();
        bounds.map_or(Setting::Codes(by), Setting::Steps)
    } else {
        Setting::Single(value.trim().parse().ok().with_context(wrong)?)
    };
    Ok(Change {
        parameter: parameter.trim().to_owned(),
        value,
        from,
    })
}

/// The effects on a part, one a reform, and how many households it has.
type PartAnswer = anyhow::Result<(Vec<Effect>, u64)>;

impl Simulation {
    /// Binds reforms to a book and a day (准备试算).
    ///
    /// # Errors
    /// Every change that cannot be made, in words.
    pub fn new(book: Arc<Book>, as_of: NaiveDate, reforms: &[Reform]) -> anyhow::Result<Self> {
        let mut wrong = Vec::new();
        let mut books = Vec::new();
        let mut touched: Vec<&str> = Vec::new();
        for reform in reforms {
            touched.extend(
                reform
                    .changes
                    .iter()
                    .map(|change| change.parameter.as_str()),
            );
            match book.reformed(&reform.changes) {
                Ok(changed) => books.push((reform.name.clone(), Arc::new(changed))),
                Err(faults) => wrong.extend(faults),
            }
        }
        if !wrong.is_empty() {
            bail!("试算不了：\n{}", wrong.join("\n"));
        }
        let people: BTreeSet<String> = for_people(&book).into_iter().collect();
        let programmes = book
            .programmes_resting_on(&touched)
            .into_iter()
            .filter(|programme| people.contains(programme))
            .collect();
        Ok(Self {
            as_of,
            programmes,
            base: book,
            reforms: books,
            workers: 2,
        })
    }

    fn ask(&self) -> Ask {
        Ask {
            programmes: Some(self.programmes.clone()),
            ..Ask::on(self.as_of)
        }
    }

    /// Decides everybody under the baseline and every reform (试算).
    ///
    /// # Errors
    /// When the folder holds no snapshot or cannot be read; when told to stop.
    pub async fn run(
        &self,
        folder: &Folder,
        stop: &AtomicBool,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> anyhow::Result<Simulated> {
        let manifest = Manifest::read(folder).await?;
        let later = Arc::new(Later::of(folder, &manifest).await?);
        let mut effects: Vec<Effect> = self.reforms.iter().map(|_| Effect::default()).collect();
        let mut work: Vec<BoxFuture<'_, PartAnswer>> = Vec::new();
        for (at, part) in manifest.parts.iter().enumerate() {
            let later = Arc::clone(&later);
            work.push(Box::pin(async move {
                if stop.load(Ordering::Relaxed) {
                    bail!("试算已停止，没有结果 (stopped)");
                }
                self.part(folder, part, at, later).await
            }));
        }
        let mut done = futures_util::stream::iter(work).buffer_unordered(self.workers.max(1));
        let mut counted = 0;
        while let Some(one) = done.next().await {
            let (found, households) = one?;
            counted += households;
            progress(counted, manifest.households);
            for (effect, more) in effects.iter_mut().zip(&found) {
                effect.add(more);
            }
        }
        let names = self.reforms.iter().map(|(name, _)| name.clone());
        Ok(Simulated {
            as_of: self.as_of,
            pack_version: self.base.version().to_owned(),
            programmes: self.programmes.clone(),
            effects: names.zip(effects).collect(),
        })
    }

    async fn part(
        &self,
        folder: &Folder,
        part: &Part,
        at: usize,
        later: Arc<Later>,
    ) -> anyhow::Result<(Vec<Effect>, u64)> {
        if part.rows == 0 {
            return Ok((self.reforms.iter().map(|_| Effect::default()).collect(), 0));
        }
        let bytes = folder.need(&part.file).await?;
        let this = self.clone();
        let shown = part.file.clone();
        tokio::task::spawn_blocking(move || this.decide(bytes, &later, at))
            .await?
            .with_context(|| format!("试算 {shown}"))
    }

    fn decide(&self, bytes: Bytes, later: &Later, at: usize) -> anyhow::Result<(Vec<Effect>, u64)> {
        let ask = self.ask();
        let mut base = Deciders::new(&self.base, &ask);
        let mut changed: Vec<Deciders<'_>> = self
            .reforms
            .iter()
            .map(|(_, book)| Deciders::new(book, &ask))
            .collect();
        let mut effects: Vec<Effect> = self.reforms.iter().map(|_| Effect::default()).collect();
        let mut reads = base.reads().to_vec();
        for other in &changed {
            for (one, other) in reads.iter_mut().zip(other.reads()) {
                *one |= other;
            }
        }
        let columns = self.base.columns();
        let born = columns
            .iter()
            .position(|column| column.name == BORN && column.of == Unit::Person);
        if let Some(born) = born {
            reads[born] = true;
        }
        let mut households = 0;
        for batch in chunk::open(bytes, columns, &reads, None)? {
            let Some(chunk) = later.current(Chunk::new(batch?), at)? else {
                continue;
            };
            households += u64::try_from(chunk.households()?.len())?;
            let before = self.amounts(&mut base, &chunk, born)?;
            for (deciders, effect) in changed.iter_mut().zip(&mut effects) {
                let after = self.amounts(deciders, &chunk, born)?;
                for (was, is) in before.iter().zip(&after) {
                    effect.note(was, is);
                }
            }
        }
        Ok((effects, households))
    }

    /// What every household of a chunk gets.
    fn amounts(
        &self,
        deciders: &mut Deciders<'_>,
        chunk: &Chunk,
        born: Option<usize>,
    ) -> anyhow::Result<Vec<HouseholdChange>> {
        let mut all = Vec::new();
        deciders.decide(chunk, |_, rows, outcomes| {
            let first = all.len();
            for row in 0..rows.households.len() {
                let members = rows.table.members_of(row);
                let ages = members
                    .clone()
                    .map(|member| {
                        born.and_then(|at| age_band(&rows.table.columns[at], member, self.as_of))
                    })
                    .collect();
                all.push(HouseholdChange::empty(rows.regions[row], ages));
            }
            let all = &mut all[first..];
            for (at, programme) in outcomes.programmes().iter().copied().enumerate() {
                let benefit = &self.base.programmes()[programme];
                for (row, household) in all.iter_mut().enumerate() {
                    let members = rows.table.members_of(row);
                    pay(
                        household,
                        benefit.to,
                        benefit.benefit.every,
                        &outcomes,
                        at,
                        row,
                        members,
                    );
                }
            }
            Ok(())
        })?;
        Ok(all)
    }
}

/// Adds what one programme gives a household.
fn pay(
    household: &mut HouseholdChange,
    to: Unit,
    every: Every,
    outcomes: &Outcomes<'_>,
    at: usize,
    row: usize,
    members: std::ops::Range<usize>,
) {
    let (states, amounts) = (outcomes.outcome(at), outcomes.amount(at));
    let mut one = |cell: usize, whom: std::ops::Range<usize>| {
        match states[cell] {
            MET => household.pay(every, amounts[cell], whom),
            NOT_MET => {}
            _ => household.to_verify = true,
        };
    };
    match to {
        Unit::Person => {
            for (place, cell) in members.enumerate() {
                one(cell, place..place + 1);
            }
        }
        _ => one(row, 0..members.len()),
    }
}

/// Which age band a member is in, if the birth date is known.
fn age_band(column: &Column<'_>, member: usize, on: NaiveDate) -> Option<usize> {
    if column.state(member) != KNOWN {
        return None;
    }
    let day = i32::try_from(*column.values.get(member)?).ok()?;
    let born = NaiveDate::from_num_days_from_ce_opt(day)?;
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    let age = on.year() - born.year() - i32::from(!had_birthday);
    AGES.iter().rposition(|from| *from <= age)
}
