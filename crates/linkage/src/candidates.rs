//! Candidates (候选对): every pair that some key brings together, compared once and kept if there is any hope.
//!
//! Guarantees: pairs come out sorted, each once, whatever the number of threads; what a cap held back is counted. Deliberately
//! absent: looking a pair up among the keys before; comparing twice is cheaper than finding that out.

use crate::compare::{Compared, compare};
use crate::keys::Key;
use crate::model::Model;
use crate::register::{Register, place_of};
use crate::sort::{by_key, halves};
use crate::table::mix;
use crate::work::each;

/// Records whose keys are computed in one piece.
const PIECE: usize = 1 << 17;
/// Records a part of a key's blocks should have: what is sorted at a time.
const PART: usize = 2 << 20;
/// Keys whose blocks are made in one pass over the register.
const TOGETHER: usize = 4;
/// Of hopeless pairs that share a phone or an address, one in so many is kept to learn what kin are like.
const THINNED: u64 = 16;
/// Hopeless: odds of one to three thousand, by what is believed beforehand.
const HOPE: f64 = -8.0;

/// Two records that were compared (一对).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) compared: Compared,
}

/// Blocks of a key that were too large (过大的块): how many, and how many records are in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped {
    /// The key.
    pub key: String,
    /// Blocks over the cap.
    pub blocks: usize,
    /// Records in them.
    pub records: usize,
}

/// What the keys brought together (候选对).
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) pairs: Vec<Pair>,
    /// Hopeless ones to learn from, each for [`THINNED`].
    pub(crate) thinned: Vec<Compared>,
    pub(crate) compared: u64,
    pub(crate) capped: Vec<Capped>,
}

/// How much a thinned pair weighs.
pub(crate) fn thinned_weight() -> f32 {
    f32::from(u8::try_from(THINNED).unwrap_or(1))
}

/// Compares whatever the keys bring together (生成候选对).
pub(crate) fn candidates(
    register: &Register,
    keys: &[Key],
    believed: &Model,
    threads: usize,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> Candidates {
    let mut all = Candidates::default();
    for (turn, some) in keys.chunks(TOGETHER).enumerate() {
        tell(turn * TOGETHER, keys.len());
        let parts = register.len().div_ceil(PART).max(threads).max(1);
        let found = of_keys(register, some, believed, parts, threads);
        for (key, found) in some.iter().zip(found.chunks(parts)) {
            let capped = Capped {
                key: key.text().to_owned(),
                blocks: found.iter().map(|part| part.blocks).sum(),
                records: found.iter().map(|part| part.records).sum(),
            };
            if capped.blocks > 0 {
                all.capped.push(capped);
            }
        }
        for part in found {
            all.pairs.extend(part.pairs);
            all.thinned.extend(part.thinned);
            all.compared += part.compared;
        }
    }
    all.pairs.sort_unstable_by_key(|pair| (pair.a, pair.b));
    all.pairs.dedup_by_key(|pair| (pair.a, pair.b));
    all
}

#[derive(Default)]
struct Found {
    pairs: Vec<Pair>,
    thinned: Vec<Compared>,
    compared: u64,
    blocks: usize,
    records: usize,
}

/// What some keys bring together, key by key, part by part.
fn of_keys(
    register: &Register,
    keys: &[Key],
    believed: &Model,
    parts: usize,
    threads: usize,
) -> Vec<Found> {
    let pieces = register.len().div_ceil(PIECE);
    let scattered = each(pieces, threads, |piece| {
        let from = piece * PIECE;
        let to = (from + PIECE).min(register.len());
        let room = (to - from) / parts * 9 / 8;
        let mut buckets: Vec<Vec<u64>> = Vec::new();
        buckets.resize_with(keys.len() * parts, || Vec::with_capacity(room));
        for (number, entry) in (from as u64..).zip(&register.entries[from..to]) {
            for (key, buckets) in keys.iter().zip(buckets.chunks_mut(parts)) {
                for hash in key.of(register, entry) {
                    if hash != 0 {
                        buckets[place_of(hash) % parts].push(u64::from(hash) << 32 | number);
                    }
                }
            }
        }
        buckets
    });
    each(keys.len() * parts, threads, |task| {
        let held = scattered.iter().map(|buckets| buckets[task].len()).sum();
        let mut keyed: Vec<u64> = Vec::with_capacity(held);
        for buckets in &scattered {
            keyed.extend(&buckets[task]);
        }
        by_key(&mut keyed, &mut Vec::new());
        let cap = keys[task / parts].cap();
        let mut found = Found::default();
        for block in keyed.chunk_by(|a, b| a >> 32 == b >> 32) {
            if block.len() > cap {
                found.blocks += 1;
                found.records += block.len();
            } else if block.len() > 1 {
                found.compare_all(register, believed, block);
            }
        }
        found
    })
}

impl Found {
    fn compare_all(&mut self, register: &Register, believed: &Model, block: &[u64]) {
        for (place, first) in block.iter().enumerate() {
            for second in &block[place + 1..] {
                let (a, b) = (halves(*first).1, halves(*second).1);
                if a != b {
                    self.compare(register, believed, a.min(b), a.max(b));
                }
            }
        }
    }

    fn compare(&mut self, register: &Register, believed: &Model, a: u32, b: u32) {
        self.compared += 1;
        let compared = compare(register, a, b);
        if believed.hopes(&compared, HOPE) {
            self.pairs.push(Pair { a, b, compared });
            return;
        }
        let shares_home = compared.levels.of(4) == 1 || compared.levels.of(5) == 1;
        if shares_home && mix(u64::from(a) << 32 | u64::from(b)).is_multiple_of(THINNED) {
            self.thinned.push(compared);
        }
    }
}
