//! Deciding a batch of rows (批量认定): the rule book bound once for every place that has values of its own.
//!
//! Guarantees: a household is decided with the parameters of its own community, as its case would be. Deliberately
//! absent: programmes for organisations; nobody lives in them.

use crate::chunk::{Chunk, Rows};
use anyhow::Context;
use policy::machine::{Machine, Outcomes};
use policy::{Ask, Book, Every, Unit};
use std::collections::BTreeMap;
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

/// Whether what is due can be compared with what is paid each month.
pub(crate) fn monthly(every: Every) -> bool {
    every == Every::Month
}

/// A book bound to a day, once for each place with values of its own (绑定后的规则库).
pub(crate) struct Deciders<'b> {
    book: &'b Book,
    ask: Ask,
    places: Vec<Region>,
    machines: BTreeMap<Region, Machine<'b>>,
    reads: Vec<bool>,
}

impl<'b> Deciders<'b> {
    pub(crate) fn new(book: &'b Book, ask: &Ask) -> Self {
        let mut places = book.places_with_own_values();
        // The narrowest place speaks, so it is looked for first.
        places.sort_by_key(|place| std::cmp::Reverse(place.level()));
        let everywhere = book.machine(ask);
        Self {
            reads: everywhere.reads().to_vec(),
            book,
            ask: ask.clone(),
            places,
            machines: BTreeMap::from([(book.place().division, everywhere)]),
        }
    }

    /// Which columns it wants.
    pub(crate) fn reads(&self) -> &[bool] {
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
            .unwrap_or(self.book.place().division))
    }

    /// Decides all rows of a chunk, a run of rows with the same values at a time, each with the question as it was asked.
    pub(crate) fn decide(
        &mut self,
        chunk: &Chunk,
        mut found: impl FnMut(&Ask, &Rows<'_>, Outcomes<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        Self::decide_each(
            std::slice::from_mut(self),
            chunk,
            |_, ask, rows, outcomes| found(ask, rows, outcomes),
        )
    }

    /// The same by several books with the same facts; the rows are read once. Which book decided is said first.
    pub(crate) fn decide_each(
        all: &mut [Self],
        chunk: &Chunk,
        mut found: impl FnMut(usize, &Ask, &Rows<'_>, Outcomes<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let regions = chunk.regions()?;
        let speaking = |all: &[Self], community: i64| -> anyhow::Result<Vec<Region>> {
            all.iter().map(|one| one.speaking(community)).collect()
        };
        let mut begin = 0;
        while begin < regions.len() {
            let places = speaking(all, regions[begin])?;
            let mut end = begin + 1;
            let mut last = regions[begin];
            while end < regions.len() {
                if regions[end] != last {
                    if speaking(all, regions[end])? != places {
                        break;
                    }
                    last = regions[end];
                }
                end += 1;
            }
            let cut = chunk.cut(begin..end);
            let Some(columns) = all.first().map(|one| one.book.columns()) else {
                return Ok(());
            };
            let rows = cut.rows(columns)?;
            for (at, (one, place)) in all.iter_mut().zip(places).enumerate() {
                let ask = one.ask_at(place);
                let book = one.book;
                let machine = one
                    .machines
                    .entry(place)
                    .or_insert_with(|| book.machine(&ask));
                found(at, &ask, &rows, machine.decide(&rows.table))?;
            }
            begin = end;
        }
        Ok(())
    }
}
