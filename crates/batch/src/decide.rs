//! Deciding a batch of rows (批量认定): the rule book bound once for every place that has values of its own.
//!
//! Guarantees: a household is decided with the parameters of its own community, as its case would be. Deliberately
//! absent: programmes for organisations; nobody lives in them.

use crate::chunk::{Chunk, Rows};
use anyhow::Context;
use policy::machine::{Machine, Outcomes};
use policy::{Ask, Book, ColumnDef, Every, Unit};
use std::collections::{BTreeMap, BTreeSet};
use vocab::Region;

/// A place as the columns write it (区划代码数).
pub fn region_number(region: Region) -> i64 {
    region.to_string().parse().unwrap_or(0)
}

/// A place from its number (区划).
///
/// # Errors
/// When the number is no division code.
pub fn region_of(number: i64) -> anyhow::Result<Region> {
    format!("{number:012}")
        .parse()
        .with_context(|| format!("{number} 不是区划代码"))
}

/// The programmes people live on (面向人和家庭的事项), counted in [`Book::programmes`].
pub(crate) fn for_people(book: &Book) -> Vec<String> {
    book.programmes()
        .iter()
        .filter(|programme| programme.to != Unit::Organisation)
        .map(|programme| programme.id.clone())
        .collect()
}

/// The programmes asked for, in the order of their outcomes, and whether each is decided for each member.
pub(crate) fn asked<'b>(book: &'b Book, ask: &Ask) -> Vec<(&'b str, bool)> {
    let wanted = |id: &String| ask.programmes.as_ref().is_none_or(|all| all.contains(id));
    book.programmes()
        .iter()
        .filter(|programme| wanted(&programme.id))
        .map(|programme| (programme.id.as_str(), programme.to == Unit::Person))
        .collect()
}

/// Whether what is due can be compared with what is paid each month.
pub(crate) fn monthly(every: Every) -> bool {
    every == Every::Month
}

/// Books that were written alike, bound as one, once for each place with values of its own.
struct Bound<'b> {
    /// The book and reforms of it, with their numbers among all books.
    books: Vec<&'b Book>,
    numbers: Vec<usize>,
    machines: BTreeMap<Region, Machine<'b>>,
}

impl<'b> Bound<'b> {
    fn machine(&self, ask: &Ask) -> anyhow::Result<Machine<'b>> {
        self.books[0]
            .machine_beside(&self.books[1..], ask)
            .context("要比较的不是同一套规则的改动 (not a reform of this book)")
    }
}

/// A book bound to a day (绑定后的规则库); others stand beside it.
pub(crate) struct Deciders<'b> {
    place: Region,
    bound: Vec<Bound<'b>>,
    ask: Ask,
    places: Vec<Region>,
    reads: Vec<ColumnDef>,
}

impl<'b> Deciders<'b> {
    pub(crate) fn new(book: &'b Book, ask: &Ask) -> anyhow::Result<Self> {
        Self::beside(book, Vec::new(), ask)
    }

    /// The book and others, which are decided together; reforms of it share what they have in common with it.
    pub(crate) fn beside(book: &'b Book, others: Vec<&'b Book>, ask: &Ask) -> anyhow::Result<Self> {
        let books = || std::iter::once(book).chain(others.iter().copied());
        let places: BTreeSet<Region> = books().flat_map(Book::places_with_own_values).collect();
        let mut places: Vec<Region> = places.into_iter().collect();
        // The narrowest place speaks, so it is looked for first.
        places.sort_by_key(|place| std::cmp::Reverse(place.level()));
        let mut bound: Vec<Bound<'b>> = Vec::new();
        for (number, book) in books().enumerate() {
            match bound
                .iter_mut()
                .find(|bound| bound.books[0].is_written_as(book))
            {
                Some(bound) => {
                    bound.books.push(book);
                    bound.numbers.push(number);
                }
                None => bound.push(Bound {
                    books: vec![book],
                    numbers: vec![number],
                    machines: BTreeMap::new(),
                }),
            }
        }
        let place = book.place().division;
        let mut reads: Vec<ColumnDef> = Vec::new();
        for bound in &mut bound {
            let everywhere = bound.machine(ask)?;
            let wanted = bound.books[0].columns().iter().zip(everywhere.reads());
            for (column, _) in wanted.filter(|(_, wanted)| **wanted) {
                if !reads.contains(column) {
                    reads.push(column.clone());
                }
            }
            bound.machines.insert(place, everywhere);
        }
        Ok(Self {
            place,
            bound,
            ask: ask.clone(),
            places,
            reads,
        })
    }

    /// Which columns they want.
    pub(crate) fn reads(&self) -> &[ColumnDef] {
        &self.reads
    }

    /// The question as it is asked for a place.
    pub(crate) fn ask_at(&self, place: Region) -> Ask {
        Ask {
            region: Some(place),
            ..self.ask.clone()
        }
    }

    /// The place whose values hold in a community.
    fn speaking(&self, community: i64) -> anyhow::Result<Region> {
        let community = region_of(community)?;
        Ok(self
            .places
            .iter()
            .copied()
            .find(|place| place.holds(community))
            .unwrap_or(self.place))
    }

    /// Decides all rows of a chunk, a run of rows with the same values at a time, each with the question as it was asked. Then
    /// each book's outcomes are handed on: first 0, the book itself, then the others.
    pub(crate) fn decide(
        &mut self,
        chunk: &Chunk,
        mut found: impl FnMut(usize, &Ask, &Rows<'_>, Outcomes<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let regions = chunk.regions()?;
        let mut begin = 0;
        while begin < regions.len() {
            let place = self.speaking(regions[begin])?;
            let mut end = begin + 1;
            let mut last = regions[begin];
            while end < regions.len() {
                if regions[end] != last {
                    if self.speaking(regions[end])? != place {
                        break;
                    }
                    last = regions[end];
                }
                end += 1;
            }
            let cut = chunk.cut(begin..end);
            let ask = self.ask_at(place);
            for bound in &mut self.bound {
                let rows = cut.rows(bound.books[0].columns())?;
                if !bound.machines.contains_key(&place) {
                    let machine = bound.machine(&ask)?;
                    bound.machines.insert(place, machine);
                }
                if let Some(machine) = bound.machines.get_mut(&place) {
                    machine.decide(&rows.table);
                    for (book, number) in bound.numbers.iter().enumerate() {
                        found(*number, &ask, &rows, machine.outcomes(book))?;
                    }
                }
            }
            begin = end;
        }
        Ok(())
    }
}
