//! The simulation (试算): the same households under other values of parameters, or other rules, and whom that would touch.
//!
//! The baseline, every reform and every candidate edition are decided by the rule books themselves, only for the programmes
//! that rest on what is changed. Guarantees: a reform without a difference touches nobody; what it would cost is the sum of the very amounts
//! decided, to the fen. Deliberately absent: how people would behave; nobody applies, moves or earns differently here.

use crate::chunk::{self, Chunk, Rows};
use crate::cluster::{Answer, Far, Place, Question};
use crate::decide::{Bindings, Deciders, for_people, region_of};
use crate::effect::{AGES, Amounts, Counting, Effect, Households};
use crate::folder::Folder;
use crate::held::Held;
use crate::later::Later;
use crate::layout::{Manifest, Part};
use anyhow::{Context, bail, ensure};
use chrono::{Datelike, NaiveDate};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use policy::Change;
use policy::differing::differing;
use policy::machine::{MET, NOT_MET, Outcomes};
use policy::table::KNOWN;
use policy::{Ask, Book, ColumnDef, Setting, Unit};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vocab::Region;

/// Who is how old is read from this fact, which the register itself keeps.
const BORN: &str = "birth_date";

/// A reform (情景): a name and what it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What stands beside it: the reforms as they were asked, then candidate editions.
    others: Vec<(String, Arc<Book>)>,
    /// The reforms as they were asked, from which the first of those books were made.
    asked: Vec<Reform>,
    /// How many parts are decided at once.
    pub workers: usize,
    /// Only households of this place are counted.
    pub region: Option<Region>,
    /// Where rows are held from one simulation to the next.
    pub held: Option<Arc<Held>>,
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
            others: books,
            asked: reforms.to_vec(),
            workers: 2,
            region: None,
            held: None,
        })
    }

    /// Tries candidate editions of the rules beside them (加入候选规则): other conditions and formulas, not only other values.
    /// What a candidate reads and the snapshot does not have is unknown.
    #[must_use]
    pub fn beside(mut self, candidates: Vec<(String, Arc<Book>)>) -> Self {
        let known: BTreeSet<&String> = self.programmes.iter().collect();
        let mut more = BTreeSet::new();
        for (_, book) in &candidates {
            let people: BTreeSet<String> = for_people(&self.base)
                .into_iter()
                .chain(for_people(book))
                .collect();
            let touched = differing(&self.base, book).into_iter();
            more.extend(touched.filter(|one| people.contains(one) && !known.contains(one)));
        }
        self.programmes.extend(more);
        self.others.extend(candidates);
        self
    }

    fn ask(&self) -> Ask {
        Ask {
            programmes: Some(self.programmes.clone()),
            ..Ask::on(self.as_of)
        }
    }

    /// What an executor must be told to decide the same (提问); the rules are named beside it, how many at once is ours.
    fn question(&self) -> Question {
        let Self {
            as_of,
            // All three follow from the rules and from what was asked; candidates are refused before.
            programmes: _,
            base: _,
            others: _,
            asked,
            workers: _,
            region,
            held: _,
        } = self;
        Question::Simulate {
            as_of: *as_of,
            reforms: asked.clone(),
            region: *region,
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
        progress: impl FnMut(u64, u64) + Send,
    ) -> anyhow::Result<Simulated> {
        self.run_at(&Place::Here, folder, stop, progress).await
    }

    /// Decides everybody at a place (在指定处试算); the effects are the same wherever that is.
    ///
    /// # Errors
    /// As [`Self::run`]; and when a cluster refuses or does not answer.
    pub async fn run_at(
        &self,
        place: &Place,
        folder: &Folder,
        stop: &AtomicBool,
        mut progress: impl FnMut(u64, u64) + Send,
    ) -> anyhow::Result<Simulated> {
        ensure!(
            matches!(place, Place::Here) || self.others.len() == self.asked.len(),
            "集群各机只有在用的规则；候选规则请不带 --cluster 试算 (candidate rules are tried here only)"
        );
        let far = place.put(&self.base, folder, self.question()).await?;
        let manifest = Manifest::read(folder).await?;
        let later = Arc::new(Later::of(folder, &manifest).await?);
        let bindings = Arc::new(self.bindings()?);
        let reads = Arc::new(self.reads(&bindings));
        let mut effects: Vec<Effect> = self.others.iter().map(|_| Effect::default()).collect();
        let mut work: Vec<BoxFuture<'_, PartAnswer>> = Vec::new();
        for (at, part) in manifest.parts.iter().enumerate() {
            let (later, reads) = (Arc::clone(&later), Arc::clone(&reads));
            let bindings = Arc::clone(&bindings);
            let far = far.as_ref().filter(|_| part.rows > 0);
            work.push(Box::pin(async move {
                if stop.load(Ordering::Relaxed) {
                    bail!("试算已停止，没有结果 (stopped)");
                }
                match far {
                    Some(far) => decided_far(far, part, at, self.others.len()).await,
                    None => self.part(folder, (part, at), later, bindings, reads).await,
                }
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
        for effect in &mut effects {
            effect.close();
        }
        let names = self.others.iter().map(|(name, _)| name.clone());
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
        (part, at): (&Part, usize),
        later: Arc<Later>,
        bindings: Arc<Bindings>,
        reads: Arc<Vec<ColumnDef>>,
    ) -> anyhow::Result<(Vec<Effect>, u64)> {
        if part.rows == 0 {
            return Ok((self.others.iter().map(|_| Effect::default()).collect(), 0));
        }
        let held = self
            .held
            .as_ref()
            .and_then(|held| held.rows(folder.shown(), part, &reads));
        let this = self.clone();
        if let Some(chunks) = held {
            let decide = move || this.decide(chunks.into_iter().map(Ok), &bindings, &later, at);
            return beside_the_runtime(part, decide).await;
        }
        let bytes = folder.need(&part.file).await?;
        let (source, name) = (part.clone(), folder.shown().to_owned());
        let decide = move || {
            let mut kept = Vec::new();
            let read = chunk::open(bytes, &reads)?;
            let chunks = read.map(|batch| {
                let chunk = Chunk::new(batch?);
                if this.held.is_some() {
                    kept.push(chunk.clone());
                }
                Ok(chunk)
            });
            let answer = this.decide(chunks, &bindings, &later, at)?;
            if let Some(held) = &this.held {
                held.keep(&name, &source, &reads, kept);
            }
            Ok(answer)
        };
        beside_the_runtime(part, decide).await
    }

    /// The fact that says how old somebody is.
    fn born(&self) -> Option<usize> {
        let mut columns = self.base.columns().iter();
        columns.position(|column| column.name == BORN && column.of == Unit::Person)
    }

    /// The baseline and what stands beside it, bound together.
    pub(crate) fn bindings(&self) -> anyhow::Result<Bindings> {
        let others: Vec<Arc<Book>> = self
            .others
            .iter()
            .map(|(_, book)| Arc::clone(book))
            .collect();
        Bindings::of(&self.base, &others, &self.ask())
    }

    /// The baseline and what stands beside it, each with the place of its programmes among those asked about.
    fn sides(&self) -> Vec<Side<'_>> {
        let others = self.others.iter().map(|(_, book)| &**book);
        std::iter::once(&*self.base)
            .chain(others)
            .map(|book| Side {
                book,
                places: book
                    .programmes()
                    .iter()
                    .map(|one| self.programmes.iter().position(|asked| *asked == one.id))
                    .map(Option::unwrap_or_default)
                    .collect(),
            })
            .collect()
    }

    /// Which columns are read.
    fn reads(&self, bindings: &Bindings) -> Vec<ColumnDef> {
        let mut reads = bindings.reads().to_vec();
        let born = self.born().map(|at| &self.base.columns()[at]);
        reads.extend(born.filter(|born| !reads.contains(born)).cloned());
        reads
    }

    /// Decides a part that was read.
    #[cfg(feature = "cluster")]
    pub(crate) fn decide_bytes(
        &self,
        bytes: bytes::Bytes,
        bindings: &Bindings,
        later: &Later,
        at: usize,
    ) -> anyhow::Result<(Vec<Effect>, u64)> {
        let chunks = chunk::open(bytes, &self.reads(bindings))?;
        let chunks = chunks.map(|batch| Ok(Chunk::new(batch?)));
        self.decide(chunks, bindings, later, at)
    }

    fn decide(
        &self,
        chunks: impl Iterator<Item = anyhow::Result<Chunk>>,
        bindings: &Bindings,
        later: &Later,
        at: usize,
    ) -> anyhow::Result<(Vec<Effect>, u64)> {
        let mut deciders = Deciders::new(bindings);
        let mut counting: Vec<Counting> = self.others.iter().map(|_| Counting::default()).collect();
        let sides = self.sides();
        let born = self.born();
        let ages = Ages::on(self.as_of);
        let (mut before, mut after) = (Amounts::default(), Amounts::default());
        let mut bands: Vec<u8> = Vec::new();
        let mut places: BTreeMap<i64, bool> = BTreeMap::new();
        let mut within = |community: i64| match self.region {
            None => true,
            Some(region) => *places
                .entry(community)
                .or_insert_with(|| region_of(community).is_ok_and(|place| region.holds(place))),
        };
        let mut households = 0;
        for chunk in chunks {
            let Some(chunk) = later.current(chunk?, at)? else {
                continue;
            };
            households += u64::try_from(chunk.households()?.len())?;
            deciders.decide(&chunk, |book, _, rows, outcomes| {
                let Some(reform) = book.checked_sub(1) else {
                    ages.bands(born, rows, &mut bands);
                    sides[book].amounts(rows, &outcomes, &mut before);
                    return Ok(());
                };
                sides[book].amounts(rows, &outcomes, &mut after);
                let who = Households {
                    regions: rows.regions,
                    offsets: &rows.table.offsets,
                    bands: &bands,
                };
                counting[reform].note(&who, &before, &after, &mut within);
                Ok(())
            })?;
        }
        let effects = counting.into_iter().map(Counting::effect).collect();
        Ok((effects, households))
    }
}

/// One side of the comparison (一方): its book, and for each of its programmes the place among those asked about.
struct Side<'b> {
    book: &'b Book,
    places: Vec<usize>,
}

impl Side<'_> {
    /// What every household of a batch gets.
    fn amounts(&self, rows: &Rows<'_>, outcomes: &Outcomes<'_>, all: &mut Amounts) {
        let households = rows.households.len();
        all.clear(households, rows.persons.len());
        for (at, programme) in outcomes.programmes().iter().copied().enumerate() {
            let benefit = &self.book.programmes()[programme];
            let place = self.places[programme];
            let every = benefit.benefit.every;
            let (states, amounts) = (outcomes.outcome(at), outcomes.amount(at));
            // A programme most often meets nobody of so many.
            if states.iter().all(|state| *state == NOT_MET) {
                continue;
            }
            let by_person = benefit.to == Unit::Person;
            for row in 0..households {
                let members = rows.table.members_of(row);
                let cells = match by_person {
                    true => members.clone(),
                    false => row..row + 1,
                };
                for cell in cells {
                    let whom = || match by_person {
                        true => cell..cell + 1,
                        false => members.clone(),
                    };
                    match states[cell] {
                        MET => all.pay(every, amounts[cell], row, whom()),
                        NOT_MET => {}
                        _ => all.doubt(place, row, whom(), !by_person),
                    }
                }
            }
        }
    }
}

/// A part decided elsewhere.
async fn decided_far(far: &Far, part: &Part, at: usize, reforms: usize) -> PartAnswer {
    let answer = far
        .ask(at)
        .await
        .with_context(|| format!("试算 {}", part.file))?;
    match answer {
        Answer::Simulated {
            effects,
            households,
        } if effects.len() == reforms => Ok((effects, households)),
        _ => bail!("集群答的不是所问 (an answer to another question)"),
    }
}

/// Decides a part on a thread that may be busy for long.
async fn beside_the_runtime(
    part: &Part,
    decide: impl FnOnce() -> PartAnswer + Send + 'static,
) -> PartAnswer {
    tokio::task::spawn_blocking(decide)
        .await?
        .with_context(|| format!("试算 {}", part.file))
}

/// From which birthday on somebody is in which age band (年龄段界日).
struct Ages {
    /// The last birthday of each band, in days; the bands are ever older.
    until: [i64; AGES.len()],
}

impl Ages {
    fn on(day: NaiveDate) -> Self {
        let (month, of_month) = (day.month(), day.day());
        let birthday = |years: i32| {
            let year = day.year() - years;
            // Asked on the 29th of February: in other years those born until the 28th are as old.
            NaiveDate::from_ymd_opt(year, month, of_month)
                .or_else(|| NaiveDate::from_ymd_opt(year, month, of_month - 1))
                .map_or(i64::MIN, |day| i64::from(day.num_days_from_ce()))
        };
        Self {
            until: AGES.map(birthday),
        }
    }

    /// The band of each member, `AGES.len()` if the birth date is not known.
    fn bands(&self, born: Option<usize>, rows: &Rows<'_>, into: &mut Vec<u8>) {
        let unknown = u8::try_from(AGES.len()).unwrap_or(u8::MAX);
        into.clear();
        into.resize(rows.persons.len(), unknown);
        let Some(column) = born.map(|at| &rows.table.columns[at]) else {
            return;
        };
        for (member, band) in into.iter_mut().enumerate() {
            if column.state(member) != KNOWN {
                continue;
            }
            if let Some(day) = column.values.get(member) {
                let found = self.until.iter().rposition(|until| day <= until);
                *band = found
                    .and_then(|at| u8::try_from(at).ok())
                    .unwrap_or(unknown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_full_years_also_of_those_born_on_the_29th_of_february() {
        let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
        let days = |text: &str| i64::from(day(text).num_days_from_ce());
        // Bands begin with 0, 6, 18, 35, 60, 70 and 80 full years.
        for (on, born, band) in [
            ("2026-06-01", "2026-06-02", None),
            ("2026-06-01", "2026-06-01", Some(0)),
            ("2026-06-01", "2020-06-01", Some(1)),
            ("2026-06-01", "2020-06-02", Some(0)),
            ("2022-02-28", "2004-02-29", Some(1)),
            ("2022-03-01", "2004-02-29", Some(2)),
            ("2024-02-29", "2006-02-28", Some(2)),
            ("2024-02-29", "2006-03-01", Some(1)),
            ("2026-06-01", "1946-06-01", Some(6)),
        ] {
            let ages = Ages::on(day(on));
            let found = ages.until.iter().rposition(|until| days(born) <= *until);
            assert_eq!(found, band, "{on} {born}");
        }
    }
}
