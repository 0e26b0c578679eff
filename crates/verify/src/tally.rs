//! Adding up rows by person and household (归集): the people asked about, their keys as one source has them, and what
//! its rows come to.
//!
//! Guarantees: rows may come in any order and from several workers. Deliberately absent: where rows come from.

use crate::ask::{Asked, Person};
use crate::checked::ABSENT;
use crate::id_key::{IdKey, pack};
use crate::report::{Answer, Figure, FigureColumn, Packed, Row, Sum, Unknown, of_household};
use crate::source::Source;
use anyhow::Context;
use chrono::NaiveDate;
use std::ops::Range;

/// Which of the people live together: households one after another.
#[derive(Default)]
pub(crate) struct Homes {
    pub(crate) households: Vec<Range<usize>>,
    household_of: Vec<u32>,
}

impl Homes {
    /// One more household of so many, after the others.
    pub(crate) fn add(&mut self, members: usize) {
        let number = u32::try_from(self.households.len()).unwrap_or(u32::MAX);
        let from = self.household_of.len();
        self.household_of.resize(from + members, number);
        self.households.push(from..from + members);
    }

    /// How many people.
    pub(crate) fn people(&self) -> usize {
        self.household_of.len()
    }

    /// Those of a person's household.
    pub(crate) fn of(&self, person: usize) -> Range<usize> {
        self.households[self.household_of[person] as usize].clone()
    }
}

/// The people of all households, one after another.
pub(crate) struct People<'a> {
    persons: Vec<&'a Person>,
    /// The key, or why there is none.
    pub(crate) keys: Vec<Result<IdKey, Unknown>>,
    pub(crate) homes: Homes,
}

impl<'a> People<'a> {
    pub(crate) fn new(asked: &'a [Asked], as_of: NaiveDate) -> Self {
        let mut people = Self {
            persons: Vec::new(),
            keys: Vec::new(),
            homes: Homes::default(),
        };
        for household in asked {
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
            }
            people.homes.add(household.members.len());
        }
        people
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
    pub(crate) of_person: Vec<u64>,
    /// The mark of the name by person; [`ABSENT`] without one. None at all where no figure needs names.
    pub(crate) names: Vec<i64>,
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
        Self::of(of_person, names, |at, _| people.keys[at].is_ok())
    }

    /// Of people whose numbers and names are blinded already; asked about are those of whom `is_asked` says so.
    pub(crate) fn of(
        of_person: Vec<u64>,
        names: Vec<i64>,
        is_asked: impl Fn(usize, u64) -> bool,
    ) -> Self {
        let mut sorted: Vec<(u64, u32)> = of_person
            .iter()
            .enumerate()
            .filter(|(at, key)| is_asked(*at, **key))
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
        Self {
            sorted,
            keys,
            begins,
            of_person,
            names,
        }
    }

    /// The persons of the keys at some places of `keys`.
    pub(crate) fn persons_of(&self, places: Range<usize>) -> impl Iterator<Item = u32> + '_ {
        let range = self.begins[places.start] as usize..self.begins[places.end] as usize;
        self.sorted[range].iter().map(|(_, person)| *person)
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
    things: Vec<Thing>,
}

/// A thing that counts once: person, figure, thing, value.
pub(crate) type Thing = (u32, u32, i64, i64);

impl Tally {
    pub(crate) fn new(source: &Source, homes: &Homes) -> Self {
        Self {
            figures: source.figures.len(),
            sums: vec![Sum::default(); source.figures.len() * homes.people()],
            things: Vec::new(),
        }
    }

    /// Adds a row of a person. `other` is the other person's key, 0 where unknown.
    pub(crate) fn row(
        &mut self,
        (source, homes, known): (&Source, &Homes, &Known),
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
            other_outside: other != 0 && !homes.of(person).any(|one| known.of_person[one] == other),
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

    /// What was found, for the way: of each figure of a person that rows said something about, and what counts once.
    pub(crate) fn found(&self) -> (Vec<(u32, Packed)>, &[Thing]) {
        let said = self.sums.iter().enumerate();
        let said = said.filter_map(|(at, sum)| {
            let packed = sum.packed()?;
            Some((u32::try_from(at).unwrap_or(u32::MAX), packed))
        });
        (said.collect(), &self.things)
    }

    /// Adds what was found elsewhere of people who have other places here.
    ///
    /// # Errors
    /// When it speaks of somebody or something that was not asked about.
    pub(crate) fn add(
        &mut self,
        source: &Source,
        here: &[u32],
        (sums, things): (&[(u32, Packed)], &[Thing]),
    ) -> anyhow::Result<()> {
        let place = |person: usize| here.get(person).context("an answer about somebody else");
        for (at, packed) in sums {
            let (at, each) = (*at as usize, self.figures.max(1));
            let person = *place(at / each)? as usize;
            let def = source.figures.get(at % each);
            let def = def.context("an answer about another figure")?;
            self.sums[person * each + at % each].merge(def, &Sum::unpacked(*packed));
        }
        for (person, figure, thing, value) in things {
            let counts_once = source.figures.get(*figure as usize);
            anyhow::ensure!(
                counts_once.is_some_and(|def| def.distinct.is_some()),
                "an answer about another figure"
            );
            let person = *place(*person as usize)?;
            self.things.push((person, *figure, *thing, *value));
        }
        Ok(())
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
    pub(crate) fn answers(
        &self,
        source: &Source,
        people: &People<'_>,
        from: &Named,
    ) -> Vec<Answer> {
        let figures = 0..source.figures.len();
        people
            .homes
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
                let mut column = empty_column(source, at, people.homes.households.len());
                for (number, range) in people.homes.households.iter().enumerate() {
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
pub(crate) type Named = (Option<String>, Option<NaiveDate>);

pub(crate) fn empty_column(source: &Source, at: usize, households: usize) -> FigureColumn {
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
        .homes
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
