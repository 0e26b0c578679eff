//! Adding up rows by person and household (归集): the people asked about, their keys as one source has them, and what
//! its rows come to.
//!
//! Guarantees: rows may come in any order and from several workers. Deliberately absent: where rows come from.

use crate::ask::{Asked, Person};
use crate::checked::ABSENT;
use crate::id_key::{IdKey, pack};
use crate::report::{Answer, Figure, FigureColumn, Row, Sum, Unknown, of_household};
use crate::source::Source;
use chrono::NaiveDate;
use std::ops::Range;

/// The people of all households, one after another.
pub(crate) struct People<'a> {
    persons: Vec<&'a Person>,
    /// The key, or why there is none.
    pub(crate) keys: Vec<Result<IdKey, Unknown>>,
    pub(crate) households: Vec<Range<usize>>,
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
    pub(crate) fn answers(
        &self,
        source: &Source,
        people: &People<'_>,
        from: &Named,
    ) -> Vec<Answer> {
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
