//! Asking (查询): households go in, reports come out; one and fifty thousand on the same way.
//!
//! For each source the delivery is chosen that was the newest on the day asked about, the people's numbers are blinded as
//! the source's were, and each part is read where they may stand. Guarantees: a report is a function of the household, the
//! day and the deliveries it names; nobody's answer depends on who else is asked about. Deliberately absent: permission
//! to ask, which whoever calls this must have seen.

use crate::checked::ABSENT;
use crate::id_key::{IdKey, pack};
use crate::land::{id_blinder, name_blinder, purpose};
use crate::manifest::{self, Manifest, part_file};
use crate::part::{Evidence, Part};
use crate::report::{Answer, Figure, FigureColumn, Report, Row, Sum, Unknown, of_household};
use crate::source::{ColumnKind, Source, Sources};
use anyhow::Context;
use arrow_array::Array;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use store::Keys;

/// A person asked about (被核对人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The identity number, as it stands in the register.
    #[serde(default)]
    pub id_no: String,
    /// The name.
    #[serde(default)]
    pub name: String,
}

/// A household asked about (被核对家庭).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How it is called in the report.
    pub household: String,
    /// Its members, and others who consented.
    pub members: Vec<Person>,
}

/// The people of all households, one after another.
pub(crate) struct People<'a> {
    persons: Vec<&'a Person>,
    /// The key, or why there is none.
    pub(crate) keys: Vec<Result<IdKey, Unknown>>,
    households: Vec<Range<usize>>,
    household_of: Vec<u32>,
}

impl<'a> People<'a> {
    pub(crate) fn new(asked: &'a [Asked], as_of: NaiveDate) -> Self {
        let mut people = Self {
            persons: Vec::new(),
            keys: Vec::new(),
            households: Vec::new(),
            household_of: Vec::new(),
        };
        for (number, household) in asked.iter().enumerate() {
            let from = people.persons.len();
            for person in &household.members {
                let key = pack(&person.id_no, as_of)
                    .map(|packed| packed.key)
                    .map_err(|_| Unknown::NoValidId);
                let again = key.is_ok() && people.keys[from..].contains(&key);
                people.keys.push(if again {
                    Err(Unknown::WrittenTwice)
                } else {
                    key
                });
                people.persons.push(person);
                people
                    .household_of
                    .push(u32::try_from(number).unwrap_or(u32::MAX));
            }
            people.households.push(from..people.persons.len());
        }
        people
    }

    fn household(&self, person: usize) -> Range<usize> {
        self.households[self.household_of[person] as usize].clone()
    }
}

/// The people as one source knows them.
pub(crate) struct Known {
    /// Sorted: blinded key and person.
    pub(crate) sorted: Vec<(u64, u32)>,
    /// Each key once, sorted.
    pub(crate) keys: Vec<u64>,
    /// Where in `sorted` the persons of each key begin.
    begins: Vec<u32>,
    /// By person; 0 without a key.
    of_person: Vec<u64>,
    /// The mark of the name by person; [`ABSENT`] without one.
    names: Vec<i64>,
}

impl Known {
    pub(crate) fn new(
        people: &People<'_>,
        blind: impl Fn(IdKey) -> u64,
        name: Option<impl Fn(&str) -> u64>,
    ) -> Self {
        let of_person: Vec<u64> = people
            .keys
            .iter()
            .map(|key| key.as_ref().map_or(0, |key| blind(*key)))
            .collect();
        let mut sorted: Vec<(u64, u32)> = of_person
            .iter()
            .enumerate()
            .filter(|(at, _)| people.keys[*at].is_ok())
            .map(|(at, key)| (*key, u32::try_from(at).unwrap_or(u32::MAX)))
            .collect();
        sorted.sort_unstable();
        let mut keys = Vec::new();
        let mut begins = Vec::new();
        for (at, (key, _)) in sorted.iter().enumerate() {
            if keys.last() != Some(key) {
                keys.push(*key);
                begins.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
        }
        begins.push(u32::try_from(sorted.len()).unwrap_or(u32::MAX));
        let names = match name {
            None => Vec::new(),
            Some(mark) => people
                .persons
                .iter()
                .map(|person| match person.name.trim() {
                    "" => ABSENT,
                    name => i64::try_from(mark(name) & (u64::MAX >> 1)).unwrap_or(ABSENT),
                })
                .collect(),
        };
        Self {
            sorted,
            keys,
            begins,
            of_person,
            names,
        }
    }

    /// The persons of the key at a place of `keys`.
    pub(crate) fn persons(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.begins[at] as usize..self.begins[at + 1] as usize;
        self.sorted[range]
            .iter()
            .map(|(_, person)| *person as usize)
    }
}

/// What rows of a source come to, person by person.
pub(crate) struct Tally {
    figures: usize,
    sums: Vec<Sum>,
    /// Things that count once: person, figure, thing, value.
    things: Vec<(u32, u32, i64, i64)>,
}

impl Tally {
    pub(crate) fn new(source: &Source, people: &People<'_>) -> Self {
        Self {
            figures: source.figures.len(),
            sums: vec![Sum::default(); source.figures.len() * people.keys.len()],
            things: Vec::new(),
        }
    }

    /// Adds a row of a person. `other` is the other person's key, 0 where unknown.
    pub(crate) fn row(
        &mut self,
        (source, people, known): (&Source, &People<'_>, &Known),
        as_of: NaiveDate,
        person: usize,
        number: &dyn Fn(usize) -> i64,
        name: Option<usize>,
        other: u64,
    ) {
        let own = known.names.get(person).copied().unwrap_or(ABSENT);
        let theirs = name.map_or(ABSENT, number);
        let row = Row {
            number,
            same_name: (own != ABSENT && theirs != ABSENT).then_some(own == theirs),
            named: own != ABSENT,
            other_outside: other != 0
                && !people
                    .household(person)
                    .any(|one| known.of_person[one] == other),
        };
        for (at, def) in source.figures.iter().enumerate() {
            let sum = &mut self.sums[person * self.figures + at];
            if let Some((thing, value)) = sum.row(def, as_of, &row) {
                let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
                self.things.push((narrow(person), narrow(at), thing, value));
            }
        }
    }

    pub(crate) fn merge(&mut self, source: &Source, other: Self) {
        for (at, sum) in other.sums.iter().enumerate() {
            self.sums[at].merge(&source.figures[at % self.figures], sum);
        }
        self.things.extend(other.things);
    }

    /// Makes ready for reading.
    pub(crate) fn settle(&mut self) {
        self.things.sort_unstable();
    }

    /// The things of some persons that count once for a figure.
    fn things(&self, range: Range<usize>, figure: usize) -> Vec<(i64, i64)> {
        let person = |at: usize| self.things.partition_point(|thing| (thing.0 as usize) < at);
        self.things[person(range.start)..person(range.end)]
            .iter()
            .filter(|thing| thing.1 as usize == figure)
            .map(|thing| (thing.2, thing.3))
            .collect()
    }

    fn of_member(&self, source: &Source, people: &People<'_>, person: usize, at: usize) -> Figure {
        let def = &source.figures[at];
        match &people.keys[person] {
            Err(why) => Figure::unknown(why.clone()),
            Ok(_) if def.distinct.is_some() => {
                let things = self.things(person..person + 1, at);
                self.sums[person * self.figures + at].figure(source, def, &things)
            }
            Ok(_) => self.sums[person * self.figures + at].figure(source, def, &[]),
        }
    }

    fn of_all(
        &self,
        source: &Source,
        range: &Range<usize>,
        at: usize,
        members: &[Figure],
    ) -> Figure {
        let def = &source.figures[at];
        let things = match def.distinct {
            Some(_) => self.things(range.clone(), at),
            None => Vec::new(),
        };
        of_household(def, source, members, &things)
    }

    /// The answers of a source, household by household.
    fn answers(&self, source: &Source, people: &People<'_>, from: &Named) -> Vec<Answer> {
        let figures = 0..source.figures.len();
        people
            .households
            .iter()
            .map(|range| {
                let by_figure: Vec<Vec<Figure>> = figures
                    .clone()
                    .map(|at| {
                        let members = range.clone();
                        members
                            .map(|person| self.of_member(source, people, person, at))
                            .collect()
                    })
                    .collect();
                let household = figures
                    .clone()
                    .map(|at| self.of_all(source, range, at, &by_figure[at]))
                    .collect();
                let members = (0..range.len())
                    .map(|member| by_figure.iter().map(|one| one[member].clone()).collect())
                    .collect();
                Answer {
                    source: source.id.clone(),
                    delivery: from.0.clone(),
                    delivered: from.1,
                    members,
                    household,
                }
            })
            .collect()
    }

    /// The households' figures of a source, figure by figure.
    pub(crate) fn columns(&self, source: &Source, people: &People<'_>) -> Vec<FigureColumn> {
        let mut members = Vec::new();
        (0..source.figures.len())
            .map(|at| {
                let mut column = empty_column(source, at, people.households.len());
                for (number, range) in people.households.iter().enumerate() {
                    members.clear();
                    members.extend(
                        range
                            .clone()
                            .map(|person| self.of_member(source, people, person, at)),
                    );
                    let figure = self.of_all(source, range, at, &members);
                    column.values.push(figure.value);
                    if let Some(why) = figure.unknown.into_iter().next() {
                        column.unknown.push((number, why));
                    }
                }
                column
            })
            .collect()
    }
}

/// The delivery that answered, by its name and day.
type Named = (Option<String>, Option<NaiveDate>);

fn empty_column(source: &Source, at: usize, households: usize) -> FigureColumn {
    FigureColumn {
        source: source.id.clone(),
        figure: source.figures[at].id.clone(),
        values: Vec::with_capacity(households),
        unknown: Vec::new(),
    }
}

/// The answers of a source that cannot answer.
pub(crate) fn silent(
    source: &Source,
    people: &People<'_>,
    why: &Unknown,
    from: &Named,
) -> Vec<Answer> {
    let figures = || vec![Figure::unknown(why.clone()); source.figures.len()];
    people
        .households
        .iter()
        .map(|range| Answer {
            source: source.id.clone(),
            delivery: from.0.clone(),
            delivered: from.1,
            members: range.clone().map(|_| figures()).collect(),
            household: figures(),
        })
        .collect()
}

/// One landed delivery, its parts opened when first asked.
#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    manifest: Manifest,
    parts: Vec<OnceLock<Arc<Part>>>,
}

impl Opened {
    fn part(&self, number: usize) -> anyhow::Result<Arc<Part>> {
        if let Some(part) = self.parts[number].get() {
            return Ok(Arc::clone(part));
        }
        let part = Arc::new(Part::open(&self.folder.join(part_file(number)))?);
        Ok(Arc::clone(self.parts[number].get_or_init(|| part)))
    }
}

/// All landed deliveries (已落地的数据).
#[derive(Debug)]
pub struct Landed {
    sources: Sources,
    keys: Keys,
    deliveries: BTreeMap<String, Vec<Opened>>,
}

impl Landed {
    /// Opens a store for the sources of a place (打开).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn open(store: &Path, sources: Sources, keys: Keys) -> anyhow::Result<Self> {
        let mut deliveries = BTreeMap::new();
        for id in sources.0.keys() {
            let found = manifest::deliveries(store, id)?
                .into_iter()
                .map(|(folder, manifest)| Opened {
                    parts: manifest.parts.iter().map(|_| OnceLock::new()).collect(),
                    folder,
                    manifest,
                })
                .collect();
            deliveries.insert(id.clone(), found);
        }
        Ok(Self {
            sources,
            keys,
            deliveries,
        })
    }

    /// Its sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The landed deliveries of a source, oldest first (交换记录).
    pub fn deliveries(&self, source: &str) -> impl Iterator<Item = &Manifest> {
        self.deliveries
            .get(source)
            .into_iter()
            .flatten()
            .map(|opened| &opened.manifest)
    }

    /// The delivery that answers on a day, or why none does.
    fn choose(
        &self,
        source: &Source,
        as_of: NaiveDate,
    ) -> Result<&Opened, (Unknown, Option<&Opened>)> {
        let all = self
            .deliveries
            .get(&source.id)
            .map_or(&[][..], Vec::as_slice);
        let newest = all.iter().rfind(|one| one.manifest.delivered <= as_of);
        let Some(newest) = newest else {
            return Err((Unknown::NotLanded, None));
        };
        let manifest = &newest.manifest;
        let age = (as_of - manifest.delivered).num_days();
        if age > i64::from(source.max_age_days) {
            return Err((Unknown::Stale(manifest.delivered), Some(newest)));
        }
        let same =
            manifest.definition == source.fingerprint() && manifest.keys == self.keys.fingerprint();
        if same {
            Ok(newest)
        } else {
            Err((Unknown::LandedOtherwise, Some(newest)))
        }
    }

    /// Asks all sources about households on a day (查询), with so many workers.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn ask(
        &self,
        asked: &[Asked],
        as_of: NaiveDate,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Report>> {
        let people = People::new(asked, as_of);
        let columns = self
            .tallied(&people, as_of, workers, stop)?
            .into_iter()
            .map(|(source, tally, from)| match tally {
                Ok(tally) => tally.answers(source, &people, &from),
                Err(why) => silent(source, &people, &why, &from),
            })
            .collect();
        Ok(reports(asked, as_of, columns))
    }

    /// As [`Landed::ask`], the households' figures only (批量查询).
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn ask_many(
        &self,
        asked: &[Asked],
        as_of: NaiveDate,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<FigureColumn>> {
        let people = People::new(asked, as_of);
        let tallied = self.tallied(&people, as_of, workers, stop)?;
        let columns = in_parallel(workers, tallied.len(), |at| {
            let (source, tally, _) = &tallied[at];
            match tally {
                Ok(tally) => tally.columns(source, &people),
                Err(why) => (0..source.figures.len())
                    .map(|at| {
                        let mut column = empty_column(source, at, people.households.len());
                        column.values = vec![None; people.households.len()];
                        let all = 0..people.households.len();
                        column.unknown = all.map(|number| (number, why.clone())).collect();
                        column
                    })
                    .collect(),
            }
        })?;
        Ok(columns.into_iter().flatten().collect())
    }

    /// What the rows of each source come to, or why it says nothing.
    fn tallied(
        &self,
        people: &People<'_>,
        as_of: NaiveDate,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<(&Source, Result<Tally, Unknown>, Named)>> {
        let sources: Vec<&Source> = self.sources.0.values().collect();
        let chosen: Vec<_> = sources
            .iter()
            .map(|source| self.choose(source, as_of))
            .collect();
        let each = in_parallel(workers.min(sources.len()), sources.len(), |at| {
            chosen[at].is_ok().then(|| self.known(sources[at], people))
        })?;
        // The parts in which somebody may stand.
        let mut work: Vec<(usize, usize, Range<usize>)> = Vec::new();
        for (at, known) in each.iter().enumerate() {
            let (Some(known), Ok(opened)) = (known, &chosen[at]) else {
                continue;
            };
            let mut from = 0;
            while let Some(key) = known.keys.get(from) {
                let part = opened.manifest.part_of(*key);
                let same = |key: &u64| opened.manifest.part_of(*key) == part;
                let to = from + known.keys[from..].partition_point(same);
                if opened
                    .manifest
                    .parts
                    .get(part)
                    .is_some_and(|rows| *rows > 0)
                {
                    work.push((at, part, from..to));
                }
                from = to;
            }
        }
        let next = AtomicUsize::new(0);
        let one = || -> anyhow::Result<BTreeMap<usize, Tally>> {
            let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((at, part, range)) = work.get(number) else {
                    return Ok(tallies);
                };
                anyhow::ensure!(!stop.load(Ordering::Relaxed), "已停止 (stopped)");
                let (Some(known), Ok(opened)) = (&each[*at], &chosen[*at]) else {
                    continue;
                };
                let tally = tallies
                    .entry(*at)
                    .or_insert_with(|| Tally::new(sources[*at], people));
                let all = (sources[*at], people, known);
                read_part(&*opened.part(*part)?, all, as_of, range.clone(), tally)?;
            }
        };
        let found = in_parallel_all(workers.min(work.len()).max(1), one)?;
        let mut tallies: BTreeMap<usize, Tally> = BTreeMap::new();
        for (at, tally) in found.into_iter().flatten() {
            match tallies.entry(at) {
                Entry::Vacant(free) => {
                    free.insert(tally);
                }
                Entry::Occupied(mut there) => there.get_mut().merge(sources[at], tally),
            }
        }
        let named = |opened: &Opened| {
            (
                Some(opened.manifest.delivery.clone()),
                Some(opened.manifest.delivered),
            )
        };
        let all = sources.iter().zip(chosen).enumerate();
        Ok(all
            .map(|(at, (source, chosen))| match chosen {
                Ok(opened) => {
                    let found = tallies.remove(&at);
                    let mut tally = found.unwrap_or_else(|| Tally::new(source, people));
                    tally.settle();
                    (*source, Ok(tally), named(opened))
                }
                Err((why, opened)) => (*source, Err(why), opened.map_or((None, None), named)),
            })
            .collect())
    }

    fn known(&self, source: &Source, people: &People<'_>) -> Known {
        let ids = id_blinder(&self.keys, &source.id);
        let names = source
            .figures
            .iter()
            .any(|def| def.name_differs.is_some())
            .then(|| {
                let names = name_blinder(&self.keys, &source.id);
                move |name: &str| names.text(name)
            });
        Known::new(people, |key| ids.number(key), names)
    }

    /// What was delivered about one person, in words (调阅原始记录): for the page of somebody who may see it.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn evidence(
        &self,
        source: &str,
        person: &Person,
        as_of: NaiveDate,
    ) -> anyhow::Result<Vec<Evidence>> {
        let source = self
            .sources
            .get(source)
            .context("没有这个数据源 (no such source)")?;
        let (Ok(opened), Ok(packed)) = (self.choose(source, as_of), pack(&person.id_no, as_of))
        else {
            return Ok(Vec::new());
        };
        let key = id_blinder(&self.keys, &source.id).number(packed.key);
        let number = opened.manifest.part_of(key);
        let part = opened.part(number)?;
        let mut rows = Vec::new();
        part.find(&[key], &[], |hits, place| {
            let from = hits.keys.partition_point(|one| *one < key);
            let to = hits.keys.partition_point(|one| *one <= key);
            rows.extend((from..to).map(place));
        })?;
        let sealed_for = purpose(&source.id, &opened.manifest.delivery, number);
        part.evidence(source, &sealed_for, &self.keys, &rows)
    }
}

/// Reads the rows of the asked people in one part.
fn read_part(
    part: &Part,
    (source, people, known): (&Source, &People<'_>, &Known),
    as_of: NaiveDate,
    range: Range<usize>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let needed = needed(source);
    let names: Vec<&str> = needed
        .iter()
        .map(|at| source.columns[*at].id.as_str())
        .collect();
    // For each column its place among those read.
    let mut places = vec![usize::MAX; source.columns.len()];
    for (place, column) in needed.iter().enumerate() {
        places[*column] = place;
    }
    let name = source
        .of_kind(&ColumnKind::Name)
        .filter(|column| needed.contains(column));
    let mut at = range.start;
    part.find(&known.keys[range.clone()], &names, |hits, _| {
        let mut row = 0;
        while at < range.end {
            let key = known.keys[at];
            row = gallop(hits.keys, row, key);
            let Some(found) = hits.keys.get(row) else {
                // The person's rows may go on in the next batch, or begin there.
                return;
            };
            if *found != key {
                at += 1;
                continue;
            }
            while hits.keys.get(row) == Some(&key) {
                let other = hits
                    .others
                    .filter(|others| others.is_valid(row))
                    .map_or(0, |others| others.value(row));
                let number = |column: usize| hits.numbers[places[column]].at(row);
                for person in known.persons(at) {
                    tally.row((source, people, known), as_of, person, &number, name, other);
                }
                row += 1;
            }
            if row < hits.keys.len() {
                at += 1;
            }
        }
    })
}

/// The first place from `from` on whose key is not smaller.
fn gallop(keys: &[u64], from: usize, key: u64) -> usize {
    let mut step = 1;
    let mut low = from;
    while low + step < keys.len() && keys[low + step] < key {
        low += step;
        step *= 2;
    }
    let high = (low + step + 1).min(keys.len());
    let low = low.min(high);
    low + keys[low..high].partition_point(|one| *one < key)
}

/// The columns the figures of a source read, by place.
pub(crate) fn needed(source: &Source) -> Vec<usize> {
    let mut needed: Vec<usize> = Vec::new();
    for def in &source.figures {
        needed.extend(def.take.columns());
        needed.extend(def.filters.iter().map(|(column, _)| *column));
        needed.extend(def.distinct);
        if def.name_differs.is_some() {
            needed.extend(source.of_kind(&ColumnKind::Name));
        }
    }
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Reports out of the answers of each source.
pub(crate) fn reports(asked: &[Asked], as_of: NaiveDate, columns: Vec<Vec<Answer>>) -> Vec<Report> {
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    asked
        .iter()
        .map(|household| Report {
            household: household.household.clone(),
            as_of,
            answers: columns.iter_mut().filter_map(Iterator::next).collect(),
        })
        .collect()
}

/// Does numbered pieces of work with several workers; the results in order.
fn in_parallel<T: Send>(
    workers: usize,
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let one = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= pieces {
                return Ok(done);
            }
            done.push((number, work(number)));
        }
    };
    let mut all: Vec<(usize, T)> = in_parallel_all(workers.max(1), one)?
        .into_iter()
        .flatten()
        .collect();
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, done)| done).collect())
}

/// Runs the same work in several threads; one is done here.
pub(crate) fn in_parallel_all<T: Send>(
    workers: usize,
    work: impl Fn() -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(&work)).collect();
        let mut all = vec![work()?];
        for other in others {
            let done = other
                .join()
                .map_err(|_| anyhow::anyhow!("a worker broke"))?;
            all.push(done?);
        }
        Ok(all)
    })
}
