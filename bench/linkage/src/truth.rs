//! How good a linkage is (质量): pairs of records that are of one person, found, missed and wrong.
//!
//! Guarantees: pairs are counted by groups, never listed. Deliberately absent: anything about time.

use anyhow::{Context, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use linkage::{Link, Linked, Outcome};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::Path;

/// The true person of each record.
pub(crate) fn read(path: &Path) -> Result<Vec<u64>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path)?)?;
    let schema = builder.parquet_schema();
    let mask = ProjectionMask::columns(schema, ["person_id"]);
    let mut all = Vec::new();
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        let column = batch
            .column_by_name("person_id")
            .context("person_id is missing")?;
        if let Some(values) = column.as_primitive_opt::<Int32Type>() {
            all.extend(
                values
                    .values()
                    .iter()
                    .map(|value| u64::from(value.unsigned_abs())),
            );
        } else {
            let values = column.as_primitive::<Int64Type>();
            all.extend(values.values().iter().map(|value| value.unsigned_abs()));
        }
    }
    Ok(all)
}

/// Pairs within groups of equal numbers.
fn pairs_within<K: Ord>(mut keys: Vec<K>) -> f64 {
    keys.sort_unstable();
    keys.chunk_by(|a, b| a == b)
        .map(|group| number(group.len()) * (number(group.len()) - 1.0) / 2.0)
        .sum()
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Precision, recall, F1 and pairs.
pub(crate) struct Score {
    pub(crate) pairs: f64,
    pub(crate) precision: f64,
    pub(crate) recall: f64,
}

impl Score {
    pub(crate) fn json(&self) -> String {
        let both = self.precision + self.recall;
        let f1 = if both > 0.0 {
            2.0 * self.precision * self.recall / both
        } else {
            0.0
        };
        format!(
            "{{\"pairs\": {:.0}, \"precision\": {:.5}, \"recall\": {:.5}, \"f1\": {f1:.5}}}",
            self.pairs, self.precision, self.recall
        )
    }
}

/// Groups against the truth; all pairs within a group count.
pub(crate) fn of_groups(groups: &[u32], truth: &[u64]) -> Score {
    let found = pairs_within(groups.to_vec());
    let right = pairs_within(groups.iter().copied().zip(truth.iter().copied()).collect());
    let all = pairs_within(truth.to_vec());
    Score {
        pairs: found,
        precision: if found > 0.0 { right / found } else { 0.0 },
        recall: if all > 0.0 { right / all } else { 0.0 },
    }
}

fn is_right(link: &Link, truth: &[u64]) -> bool {
    let of = |record: u32| truth.get(usize::try_from(record).unwrap_or(usize::MAX));
    of(link.a) == of(link.b)
}

/// Pairs of at least a probability, each by itself.
pub(crate) fn of_links(linked: &Linked, truth: &[u64], from: f64) -> Score {
    let taken = || linked.links.iter().filter(|link| link.probability >= from);
    let found = number(taken().count());
    let right = number(taken().filter(|link| is_right(link, truth)).count());
    Score {
        pairs: found,
        precision: if found > 0.0 { right / found } else { 0.0 },
        recall: right / pairs_within(truth.to_vec()).max(1.0),
    }
}

/// Of pairs said to be so probable, how many are right: bounds, pairs, share.
pub(crate) fn calibration(linked: &Linked, truth: &[u64]) -> String {
    let bounds = [
        0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.95, 0.99, 0.999, 1.0001,
    ];
    let rows = bounds.windows(2).map(|bound| {
        let within = || {
            linked
                .links
                .iter()
                .filter(|link| (bound[0]..bound[1]).contains(&link.probability))
        };
        let all = number(within().count());
        let said: f64 = within().map(|link| link.probability).sum::<f64>() / all.max(1.0);
        let right = number(within().filter(|link| is_right(link, truth)).count());
        format!(
            "{{\"from\": {}, \"pairs\": {all:.0}, \"said\": {said:.3}, \"right\": {:.3}}}",
            bound[0],
            right / all.max(1.0)
        )
    });
    format!("[{}]", rows.collect::<Vec<_>>().join(", "))
}

/// Links by outcome: how many, how many right.
pub(crate) fn outcomes(linked: &Linked, truth: &[u64]) -> String {
    let all = [
        ("same", Outcome::Same),
        ("doubtful", Outcome::Doubtful),
        ("numbers", Outcome::Numbers),
        ("chain", Outcome::Chain),
    ];
    let rows = all.map(|(name, outcome)| {
        let of = || linked.links.iter().filter(|link| link.outcome == outcome);
        let right = of().filter(|link| is_right(link, truth)).count();
        format!("\"{name}\": [{}, {right}]", of().count())
    });
    format!("{{{}}}", rows.join(", "))
}

/// The patterns of levels in which most pairs of at least a probability are wrong: how many, how many wrong, in words.
pub(crate) fn worst(linked: &Linked, truth: &[u64], from: f64) -> Vec<String> {
    let mut patterns = std::collections::BTreeMap::new();
    for link in linked.links.iter().filter(|link| link.probability >= from) {
        let (all, wrong, said, one) = patterns.entry(link.levels).or_insert((0, 0, 0.0, link));
        *all += 1;
        *wrong += usize::from(!is_right(link, truth));
        *said += link.probability;
        *one = link;
    }
    let mut rows: Vec<_> = patterns.into_values().collect();
    rows.sort_by_key(|(_, wrong, ..)| std::cmp::Reverse(*wrong));
    rows.truncate(25);
    let model = &linked.model;
    rows.into_iter()
        .map(|(all, wrong, said, one)| {
            let why = linkage::explain::line(model, one.levels, one.rarity);
            format!(
                "{all} pairs, {wrong} wrong, said {:.3}: {why}",
                said / number(all)
            )
        })
        .collect()
}

/// Links of new records with old ones from one half on, those that are right, and how many there are in truth.
pub(crate) fn of_arrivals(links: &[Link], truth: &[u64], from: usize) -> (usize, usize, usize) {
    let taken = || links.iter().filter(|link| link.probability >= 0.5);
    let (old, new) = truth.split_at(from.min(truth.len()));
    let mut known: Vec<u64> = old.to_vec();
    known.sort_unstable();
    let of = |person: &u64| {
        known.partition_point(|other| other <= person)
            - known.partition_point(|other| other < person)
    };
    let right = taken().filter(|link| is_right(link, truth)).count();
    (taken().count(), right, new.iter().map(of).sum())
}
