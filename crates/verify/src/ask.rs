//! Asking (查询): households go in, reports come out; one and fifty thousand on the same way.
//!
//! For each source the delivery is chosen that was the newest on the day asked about, the people's numbers are blinded as
//! the source's were, and each part is read where they may stand. Guarantees: a report is a function of the household, the
//! day and the deliveries it names; nobody's answer depends on who else is asked about. Deliberately absent: permission
//! to ask, see [`crate::enquiry`].

mod piece;

pub use piece::{Found, InPieces, Piece, answer};

use crate::enquiry::Named;
use crate::id_key::pack;
use crate::land::{id_blinder, name_blinder, purpose};
use crate::manifest::{self, Manifest, part_file};
use crate::parallel::{in_parallel, in_parallel_all};
use crate::part::{Evidence, Part};
use crate::report::{Answer, FigureColumn, Report, Unknown};
use crate::source::{ColumnKind, Source, Sources};
use crate::tally::{Homes, Known, Named as Told, People, Tally, empty_column, silent};
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

/// A source, what its rows come to or why it says nothing, and the delivery that answered.
type Said<'a> = (&'a Source, Result<Tally, Unknown>, Told);

/// The delivery that answers, or why none does and which one would have.
type Chosen<'a> = Result<&'a Opened, (Unknown, Option<&'a Opened>)>;

/// Of which day is asked, and by which deliveries: the newest of that day, or those named.
#[derive(Clone, Copy)]
struct When<'a> {
    as_of: NaiveDate,
    named: Option<&'a BTreeMap<String, Named>>,
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

/// All landed deliveries (已落地的数据). Cheap to share: what was opened is opened once.
#[derive(Debug, Clone)]
pub struct Landed {
    store: PathBuf,
    sources: Sources,
    keys: Keys,
    deliveries: BTreeMap<String, Arc<Vec<Opened>>>,
    /// Sources that were asked and said nothing.
    silent: BTreeMap<String, Unknown>,
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
            deliveries.insert(id.clone(), Arc::new(found));
        }
        Ok(Self {
            store: store.to_owned(),
            sources,
            keys,
            deliveries,
            silent: BTreeMap::new(),
        })
    }

    /// The same with another's deliveries in place of its own, where the other has any (替换).
    pub(crate) fn over(mut self, other: Self) -> Self {
        let there = other.deliveries.into_iter();
        self.deliveries
            .extend(there.filter(|(_, all)| !all.is_empty()));
        self
    }

    /// One source alone (单个数据源): a comparison of one delivery reads no other.
    pub(crate) fn only(&self, source: &Source) -> Self {
        let own = |(id, all): (&String, &Arc<Vec<Opened>>)| {
            (*id == source.id).then(|| (id.clone(), Arc::clone(all)))
        };
        Self {
            store: self.store.clone(),
            sources: Sources(BTreeMap::from([(source.id.clone(), source.clone())])),
            keys: self.keys.clone(),
            deliveries: self.deliveries.iter().filter_map(own).collect(),
            silent: self.silent.clone(),
        }
    }

    /// The same with a source that says nothing, and why (不作答).
    pub(crate) fn silenced(mut self, source: &str, why: Unknown) -> Self {
        self.silent.insert(source.to_owned(), why);
        self
    }

    /// The folder of landed deliveries.
    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// The keys it was opened with.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Its sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The delivery that answers for a day (当日所用的数据), or why none does: as everywhere where something is asked.
    ///
    /// # Errors
    /// [`Unknown`].
    pub fn newest(&self, source: &Source, on: NaiveDate) -> Result<&Manifest, Unknown> {
        let when = When {
            as_of: on,
            named: None,
        };
        match self.choose(source, when) {
            Ok(opened) => Ok(&opened.manifest),
            Err((why, _)) => Err(why),
        }
    }

    /// The landed deliveries of a source, oldest first (交换记录).
    pub fn deliveries(&self, source: &str) -> impl Iterator<Item = &Manifest> {
        self.deliveries
            .get(source)
            .into_iter()
            .flat_map(|all| all.iter())
            .map(|opened| &opened.manifest)
    }

    /// The delivery that answers, or why none does.
    fn choose(&self, source: &Source, when: When<'_>) -> Chosen<'_> {
        let as_of = when.as_of;
        if let Some(why) = self.silent.get(&source.id) {
            return Err((why.clone(), None));
        }
        let all = self
            .deliveries
            .get(&source.id)
            .map_or(&[][..], |all| all.as_slice());
        let newest = match when.named {
            None => all.iter().rfind(|one| one.manifest.delivered <= as_of),
            Some(named) => {
                let named = named.get(&source.id).and_then(|one| one.delivery.as_ref());
                all.iter().find(|one| Some(&one.manifest.delivery) == named)
            }
        };
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

    /// Asks without a consent being looked at (不经授权检查的查询): for invented people, for tests, and for whoever holds the
    /// key file at the console and answers for the lawfulness of what is asked. A page never comes here.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn ask_outside_a_case(
        &self,
        asked: &[Asked],
        as_of: NaiveDate,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Report>> {
        self.ask_when(asked, When { as_of, named: None }, workers, stop)
    }

    /// Asks about one household (查询一户), the newest deliveries of a day or exactly those named. A desk comes here through
    /// [`crate::enquiry::permit`] alone.
    pub(crate) fn ask(
        &self,
        asked: &Asked,
        as_of: NaiveDate,
        named: Option<&BTreeMap<String, Named>>,
        stop: &AtomicBool,
    ) -> anyhow::Result<Report> {
        let when = When { as_of, named };
        self.ask_when(std::slice::from_ref(asked), when, 1, stop)?
            .pop()
            .context("a question without an answer")
    }

    /// Asks about people in payment whose consent holds (在发人员比对): whoever calls has looked at the consents.
    pub(crate) fn ask_consenting(
        &self,
        asked: &[Asked],
        as_of: NaiveDate,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Report>> {
        self.ask_when(asked, When { as_of, named: None }, workers, stop)
    }

    /// All sources about households, with so many workers.
    fn ask_when(
        &self,
        asked: &[Asked],
        when: When<'_>,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Report>> {
        let as_of = when.as_of;
        let people = People::new(asked, as_of);
        let columns = self
            .tallied(&people, when, workers, stop)?
            .into_iter()
            .map(|(source, tally, from)| match tally {
                Ok(tally) => tally.answers(source, &people, &from),
                Err(why) => silent(source, &people, &why, &from),
            })
            .collect();
        Ok(reports(asked, as_of, columns))
    }

    /// As [`Landed::ask_outside_a_case`], the households' figures only (批量查询): for what the law lets be compared in bulk,
    /// those in payment under the consent they gave, and for measuring.
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
        let when = When { as_of, named: None };
        let tallied = self.tallied(&people, when, workers, stop)?;
        columns(&people, &tallied, workers)
    }

    /// What the rows of each source come to, or why it says nothing.
    fn tallied(
        &self,
        people: &People<'_>,
        when: When<'_>,
        workers: usize,
        stop: &AtomicBool,
    ) -> anyhow::Result<Vec<Said<'_>>> {
        let as_of = when.as_of;
        let sources: Vec<&Source> = self.sources.0.values().collect();
        let chosen: Vec<_> = sources
            .iter()
            .map(|source| self.choose(source, when))
            .collect();
        let each = self.all_known(&sources, &chosen, people, workers)?;
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
                    .or_insert_with(|| Tally::new(sources[*at], &people.homes));
                let all = (sources[*at], &people.homes, known);
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
        Ok(settled(&people.homes, &sources, chosen, tallies))
    }

    /// The people as each source that answers knows them.
    fn all_known(
        &self,
        sources: &[&Source],
        chosen: &[Chosen<'_>],
        people: &People<'_>,
        workers: usize,
    ) -> anyhow::Result<Vec<Option<Known>>> {
        in_parallel(workers.min(sources.len()), sources.len(), |at| {
            chosen[at].is_ok().then(|| self.known(sources[at], people))
        })
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

    /// The records a source can show as of a day (可调阅的记录), or why it can show none: asked before anybody's number is opened.
    ///
    /// # Errors
    /// [`Unknown`], also for a source the rules do not know.
    pub fn records(&self, source: &str, as_of: NaiveDate) -> Result<Records<'_>, Unknown> {
        let source = self.sources.get(source).ok_or(Unknown::NotLanded)?;
        let when = When { as_of, named: None };
        let opened = self.choose(source, when).map_err(|(why, _)| why)?;
        Ok(Records {
            landed: self,
            source,
            opened,
            as_of,
        })
    }
}

/// What a source delivered, to be looked up person by person (一次送数的原始记录).
#[derive(Debug)]
pub struct Records<'a> {
    landed: &'a Landed,
    source: &'a Source,
    opened: &'a Opened,
    as_of: NaiveDate,
}

impl Records<'_> {
    /// What was delivered about one person, in words (调阅原始记录): for the page of somebody who may see it. Of somebody without
    /// a number that can be looked up nothing is known, which is not the same as no record.
    ///
    /// # Errors
    /// When a part cannot be read.
    pub fn of(&self, person: &Person) -> anyhow::Result<Result<Vec<Evidence>, Unknown>> {
        let Self { source, opened, .. } = *self;
        let Ok(packed) = pack(&person.id_no, self.as_of) else {
            return Ok(Err(Unknown::NoValidId));
        };
        let keys = &self.landed.keys;
        let key = id_blinder(keys, &source.id).number(packed.key);
        let number = opened.manifest.part_of(key);
        let part = opened.part(number)?;
        let mut rows = Vec::new();
        part.find(&[key], &[], |hits, place| {
            let from = hits.keys.partition_point(|one| *one < key);
            let to = hits.keys.partition_point(|one| *one <= key);
            rows.extend((from..to).map(place));
        })?;
        let sealed_for = purpose(&source.id, &opened.manifest.delivery, number);
        part.evidence(source, &sealed_for, keys, &rows).map(Ok)
    }
}

/// What each source says, once all its rows are added up.
fn settled<'a>(
    homes: &Homes,
    sources: &[&'a Source],
    chosen: Vec<Chosen<'_>>,
    mut tallies: BTreeMap<usize, Tally>,
) -> Vec<Said<'a>> {
    let named = |opened: &Opened| {
        (
            Some(opened.manifest.delivery.clone()),
            Some(opened.manifest.delivered),
        )
    };
    let all = sources.iter().zip(chosen).enumerate();
    all.map(|(at, (source, chosen))| match chosen {
        Ok(opened) => {
            let found = tallies.remove(&at);
            let mut tally = found.unwrap_or_else(|| Tally::new(source, homes));
            tally.settle();
            (*source, Ok(tally), named(opened))
        }
        Err((why, opened)) => (*source, Err(why), opened.map_or((None, None), named)),
    })
    .collect()
}

/// The households' figures of all sources.
fn columns(
    people: &People<'_>,
    said: &[Said<'_>],
    workers: usize,
) -> anyhow::Result<Vec<FigureColumn>> {
    let households = people.homes.households.len();
    let columns = in_parallel(workers, said.len(), |at| {
        let (source, tally, _) = &said[at];
        match tally {
            Ok(tally) => tally.columns(source, people),
            Err(why) => (0..source.figures.len())
                .map(|at| {
                    let mut column = empty_column(source, at, households);
                    column.values = vec![None; households];
                    column.unknown = (0..households).map(|at| (at, why.clone())).collect();
                    column
                })
                .collect(),
        }
    })?;
    Ok(columns.into_iter().flatten().collect())
}

/// Reads the rows of the asked people in one part.
fn read_part(
    part: &Part,
    (source, homes, known): (&Source, &Homes, &Known),
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
                    tally.row((source, homes, known), as_of, person, &number, name, other);
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
