//! Asking delivered Parquet files that were not landed (不落地直接查询): for one look, or to check what was landed.
//!
//! The few rows whose number matches are understood exactly as landing would; all others are passed over after their
//! seventeen digits were read. Guarantees: the same figures as after landing. Deliberately absent: drift, returned rows, and
//! files other than Parquet, which are landed.

use crate::ask::{Asked, needed};
use crate::checked::Checker;
use crate::delivery::{Columnar, Plan, Unreadable};
use crate::id_key::{IdKey, pack, sift};
use crate::parallel::in_parallel_all;
use crate::raw::{RawBatch, RawColumn};
use crate::report::FigureColumn;
use crate::source::{ColumnKind, Source, Sources};
use crate::tally::{Known, People, Tally};
use anyhow::Context;
use arrow_array::{Array, RecordBatch, UInt32Array};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use store::Keys;

/// Asks delivered files about households (直接查询).
///
/// # Errors
/// When a file cannot be read.
pub fn ask_files(
    sources: &Sources,
    files: &BTreeMap<String, PathBuf>,
    asked: &[Asked],
    as_of: NaiveDate,
    workers: usize,
) -> anyhow::Result<Vec<FigureColumn>> {
    let people = People::new(asked, as_of);
    // Marks are compared within this call only.
    let names = Keys::generate()?.blinder("verify.straight");
    let known = Known::new(&people, |key| key, Some(|name: &str| names.text(name)));
    let index = Index::new(&known.keys);
    let mut columns = Vec::new();
    for source in sources.0.values() {
        let file = files
            .get(&source.id)
            .with_context(|| format!("没有数据源 {} 的文件 (no file)", source.id))?;
        let read = needed(source);
        let wanted = |at: usize| {
            let kind = &source.columns[at].kind;
            source.columns[at].needed
                || matches!(kind, ColumnKind::Id | ColumnKind::OtherId)
                || read.contains(&at)
        };
        let plan = Plan::of(source, file, wanted)?;
        let next = AtomicUsize::new(0);
        let checker = Checker::new(source, names.clone(), as_of, false);
        let found = in_parallel_all(workers, || {
            let mut tally = Tally::new(source, &people.homes);
            let mut reader = Columnar::new(&plan, file, &next);
            let look = Look {
                source,
                people: &people,
                known: &known,
                index: &index,
                checker: &checker,
                as_of,
            };
            while let Some((_, batch)) = reader.records()? {
                look.batch(&reader, &batch, &mut tally)?;
            }
            Ok(tally)
        })?;
        let mut all = found.into_iter();
        let mut tally = all.next().context("no worker")?;
        for other in all {
            tally.merge(source, other);
        }
        tally.settle();
        columns.extend(tally.columns(source, &people));
    }
    Ok(columns)
}

struct Look<'a> {
    source: &'a Source,
    people: &'a People<'a>,
    known: &'a Known,
    index: &'a Index,
    checker: &'a Checker<'a>,
    as_of: NaiveDate,
}

impl Look<'_> {
    fn batch(
        &self,
        reader: &Columnar<'_>,
        batch: &RecordBatch,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let column = |kind: &ColumnKind| {
            let place = self.source.of_kind(kind).and_then(|at| reader.place(at));
            place.map(|place| batch.column(place))
        };
        let mut rows: Vec<u32> = Vec::new();
        for ids in [column(&ColumnKind::Id), column(&ColumnKind::OtherId)]
            .into_iter()
            .flatten()
        {
            match RawColumn::of_arrow(ids) {
                Some(RawColumn::Views(views)) => {
                    for at in 0..views.len() {
                        if views.is_valid(at) {
                            self.maybe(views.value(at), at, &mut rows);
                        }
                    }
                }
                Some(other) => {
                    for at in 0..ids.len() {
                        self.maybe(&other.at(at).shown(), at, &mut rows);
                    }
                }
                None => {
                    let kind = ids.data_type().to_string();
                    return Err(Unreadable::ColumnType("id".to_owned(), kind).into());
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        rows.sort_unstable();
        rows.dedup();
        let count = rows.len();
        let few = arrow_select::take::take_record_batch(batch, &UInt32Array::from(rows))?;
        let raw = RawBatch {
            first_row: 0,
            lines: Vec::new(),
            rows: count,
            columns: reader.columns(&few)?,
            ragged: Vec::new(),
        };
        let checked = self.checker.check(&raw);
        let slots: Vec<usize> = crate::part::figured(self.source);
        let name = self.source.of_kind(&ColumnKind::Name);
        for at in (0..count).filter(|at| !checked.bad[*at]) {
            let other = checked.others.get(at).copied().unwrap_or(0);
            for (key, theirs, own) in [
                (checked.keys[at], other, true),
                (other, checked.keys[at], false),
            ] {
                let Some(place) = self.index.find(key) else {
                    continue;
                };
                let number = |column: usize| {
                    // The name is that of the row's own person.
                    if !own && Some(column) == name {
                        return crate::checked::ABSENT;
                    }
                    let slot = slots.binary_search(&column).unwrap_or(usize::MAX);
                    checked
                        .numbers
                        .get(slot)
                        .map_or(crate::checked::ABSENT, |numbers| numbers[at])
                };
                let all = (self.source, &self.people.homes, self.known);
                for person in self.known.persons(place) {
                    tally.row(all, self.as_of, person, &number, name, theirs);
                }
            }
        }
        Ok(())
    }

    /// Notes a row whose number may be somebody's.
    #[inline]
    fn maybe(&self, text: &str, at: usize, rows: &mut Vec<u32>) {
        let key =
            sift(text.as_bytes()).or_else(|| pack(text, self.as_of).ok().map(|packed| packed.key));
        if key.is_some_and(|key| self.index.find(key).is_some()) {
            rows.push(u32::try_from(at).unwrap_or(u32::MAX));
        }
    }
}

/// Where a key stands among the sorted ones, found at once.
struct Index {
    shift: u32,
    /// Key and place; no key is zero.
    slots: Vec<(IdKey, u32)>,
}

impl Index {
    fn new(keys: &[IdKey]) -> Self {
        let size = (keys.len() * 4).next_power_of_two().max(16);
        let mut index = Self {
            shift: 64 - size.trailing_zeros(),
            slots: vec![(0, 0); size],
        };
        for (place, key) in keys.iter().enumerate() {
            let mut at = index.home(*key);
            while index.slots[at].0 != 0 {
                at = (at + 1) % size;
            }
            index.slots[at] = (*key, u32::try_from(place).unwrap_or(u32::MAX));
        }
        index
    }

    #[inline]
    fn home(&self, key: IdKey) -> usize {
        // The golden ratio spreads neighbouring numbers.
        usize::try_from(key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift).unwrap_or(0)
    }

    #[inline]
    fn find(&self, key: IdKey) -> Option<usize> {
        if key == 0 {
            return None;
        }
        let mut at = self.home(key);
        loop {
            let (found, place) = self.slots[at];
            if found == key {
                return Some(place as usize);
            }
            if found == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}
