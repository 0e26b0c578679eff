//! Deciding a batch of rows (批量认定): the rule book bound once for every place that has values of its own.
//!
//! Guarantees: a household is decided with the parameters of its own community, as its case would be. Deliberately
//! absent: programmes for organisations; nobody lives in them.

use crate::chunk::{Chunk, Rows};
use anyhow::Context;
use policy::machine::{Binding, Cost, Machine, Outcomes};
use policy::{Ask, Book, ColumnDef, Every, Unit};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
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

/// Books that were written alike, to be bound as one.
#[derive(Debug)]
struct Alike {
    /// The book and reforms of it, with their numbers among all books.
    books: Vec<Arc<Book>>,
    numbers: Vec<usize>,
    /// Bound for each place with values of its own when somebody asks, the last one being everywhere else.
    bound: Vec<OnceLock<Binding>>,
}

/// A book bound to a day, others beside it (绑定后的规则库): once for all parts and threads, and for every place that has values of
/// its own.
#[derive(Debug)]
pub(crate) struct Bindings {
    ask: Ask,
    place: Region,
    /// Places with values of their own; the narrowest speaks, so it is looked for first.
    places: Vec<Region>,
    alike: Vec<Alike>,
    reads: Vec<ColumnDef>,
}

impl Bindings {
    /// The book and others, which are decided together; reforms of it share what they have in common with it.
    pub(crate) fn of(book: &Arc<Book>, others: &[Arc<Book>], ask: &Ask) -> anyhow::Result<Self> {
        let books = || std::iter::once(book).chain(others);
        let places: BTreeSet<Region> = books()
            .flat_map(|book| book.places_with_own_values())
            .collect();
        let mut places: Vec<Region> = places.into_iter().collect();
        places.sort_by_key(|place| std::cmp::Reverse(place.level()));
        let mut alike: Vec<Alike> = Vec::new();
        for (number, book) in books().enumerate() {
            let known = alike
                .iter_mut()
                .find(|known| known.books[0].is_written_as(book));
            match known {
                Some(known) => {
                    known.books.push(Arc::clone(book));
                    known.numbers.push(number);
                }
                None => alike.push(Alike {
                    books: vec![Arc::clone(book)],
                    numbers: vec![number],
                    bound: (0..=places.len()).map(|_| OnceLock::new()).collect(),
                }),
            }
        }
        let mut bindings = Self {
            ask: ask.clone(),
            place: book.place().division,
            places,
            alike,
            reads: Vec::new(),
        };
        let mut reads: Vec<ColumnDef> = Vec::new();
        for (at, alike) in bindings.alike.iter().enumerate() {
            let everywhere = bindings.bound(at, bindings.places.len())?;
            let wanted = alike.books[0].columns().iter().zip(everywhere.reads());
            for (column, _) in wanted.filter(|(_, wanted)| **wanted) {
                if !reads.contains(column) {
                    reads.push(column.clone());
                }
            }
        }
        bindings.reads = reads;
        Ok(bindings)
    }

    /// Which columns they want.
    pub(crate) fn reads(&self) -> &[ColumnDef] {
        &self.reads
    }

    /// The question as it is asked for a place, by its number.
    fn ask_at(&self, place: usize) -> Ask {
        Ask {
            region: Some(self.places.get(place).copied().unwrap_or(self.place)),
            ..self.ask.clone()
        }
    }

    /// Books written alike, bound for a place. Two who ask at once may both bind; what they get is the same.
    fn bound(&self, alike: usize, place: usize) -> anyhow::Result<&Binding> {
        let alike = &self.alike[alike];
        let cell = &alike.bound[place];
        if let Some(bound) = cell.get() {
            return Ok(bound);
        }
        let bound = Binding::of(alike.books.clone(), &self.ask_at(place))
            .context("要比较的不是同一套规则的改动 (not a reform of this book)")?;
        Ok(cell.get_or_init(|| bound))
    }

    /// The number of the place whose values hold in a community.
    fn speaking(&self, community: i64) -> anyhow::Result<usize> {
        let community = region_of(community)?;
        let mut places = self.places.iter();
        let found = places.position(|place| place.holds(community));
        Ok(found.unwrap_or(self.places.len()))
    }
}

/// What one thread decides with (认定): machines over what was bound, each made when it is first needed.
pub(crate) struct Deciders<'b> {
    bindings: &'b Bindings,
    machines: BTreeMap<(usize, usize), Machine<'b>>,
    clock: Option<fn() -> u64>,
}

impl<'b> Deciders<'b> {
    pub(crate) fn new(bindings: &'b Bindings) -> Self {
        Self {
            bindings,
            machines: BTreeMap::new(),
            clock: None,
        }
    }

    /// The same, timing what it decides (计时).
    pub(crate) fn timed(bindings: &'b Bindings, clock: fn() -> u64) -> Self {
        Self {
            clock: Some(clock),
            ..Self::new(bindings)
        }
    }

    /// What each variable cost, over all places (各变量耗时); the parts of one variable stand apart.
    pub(crate) fn costs(&self) -> impl Iterator<Item = Cost> {
        self.machines.values().flat_map(Machine::costs)
    }

    /// Decides all rows of a chunk, a run of rows with the same values at a time, each with the question as it was asked. Then
    /// each book's outcomes are handed on: first 0, the book itself, then the others.
    pub(crate) fn decide(
        &mut self,
        chunk: &Chunk,
        mut found: impl FnMut(usize, &Ask, &Rows<'_>, Outcomes<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let bindings = self.bindings;
        let regions = chunk.regions()?;
        let mut begin = 0;
        while begin < regions.len() {
            let place = bindings.speaking(regions[begin])?;
            let mut end = begin + 1;
            let mut last = regions[begin];
            while end < regions.len() {
                if regions[end] != last {
                    if bindings.speaking(regions[end])? != place {
                        break;
                    }
                    last = regions[end];
                }
                end += 1;
            }
            let cut = chunk.cut(begin..end);
            let ask = bindings.ask_at(place);
            for (at, alike) in bindings.alike.iter().enumerate() {
                let rows = cut.rows(alike.books[0].columns())?;
                let machine = match self.machines.entry((at, place)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let machine = new.insert(bindings.bound(at, place)?.machine());
                        if let Some(clock) = self.clock {
                            machine.time(clock);
                        }
                        machine
                    }
                };
                machine.decide(&rows.table);
                for (book, number) in alike.numbers.iter().enumerate() {
                    found(*number, &ask, &rows, machine.outcomes(book))?;
                }
            }
            begin = end;
        }
        Ok(())
    }
}
