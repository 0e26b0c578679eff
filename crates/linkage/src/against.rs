//! New records against a register that is kept (增量链接): a delivery is linked with the register, not everything with everything.
//!
//! The keys of the new records are few; the register is walked through once, and whoever has one of them is compared. That needs
//! no index beside the register, and is quicker than keeping one. Guarantees: the model is the register's own, not learned anew from
//! a handful. Deliberately absent: links among the new records themselves, see [`link`](crate::link()).

use crate::candidates::Capped;
use crate::compare::compare;
use crate::identity::{Code, Kind};
use crate::link::{Link, Linked, Outcome, Settings};
use crate::model::{Model, needs_a_person};
use crate::register::{Register, place_of};
use crate::sort::{by_key, halves};
use crate::work::each;
use std::collections::BTreeMap;

/// Bits of the sieve of a key: at ten thousand new records one old record in twenty-six passes by chance.
const SIEVE: usize = 1 << 18;
/// Records walked through in one piece.
const PIECE: usize = 1 << 16;

/// What a delivery brought (增量结果).
#[derive(Debug, Default)]
pub struct Arrived {
    /// Pairs of an old record (`a`) and a new one (`b`), in the order of the new ones, the most probable first.
    pub links: Vec<Link>,
    /// Pairs compared.
    pub compared: u64,
    /// Keys of new records shared by too many old ones.
    pub capped: Vec<Capped>,
}

/// Links the records from `from` on with those before (链接新到记录). The register was finished before they were added.
pub fn against(
    register: &mut Register,
    from: usize,
    model: &Model,
    settings: &Settings,
) -> Arrived {
    register.settle(from);
    let register = &*register;
    let sieves: Vec<Sieve> = settings
        .keys
        .iter()
        .map(|key| {
            let mut held = Vec::new();
            for (number, entry) in (from as u64..).zip(&register.entries[from..]) {
                for hash in key.of(register, entry) {
                    if hash != 0 {
                        held.push(u64::from(hash) << 32 | number);
                    }
                }
            }
            Sieve::new(held)
        })
        .collect();
    let pieces = from.div_ceil(PIECE);
    let met = each(pieces, settings.threads, |piece| {
        let (start, end) = (piece * PIECE, ((piece + 1) * PIECE).min(from));
        let mut met: Vec<Vec<u64>> = vec![Vec::new(); sieves.len()];
        for (number, entry) in (start as u64..).zip(&register.entries[start..end]) {
            for ((key, sieve), met) in settings.keys.iter().zip(&sieves).zip(&mut met) {
                for hash in key.of(register, entry) {
                    sieve.meet(hash, number, met);
                }
            }
        }
        met
    });
    let mut arrived = Arrived::default();
    let mut pairs: Vec<u64> = Vec::new();
    for (at, (key, sieve)) in settings.keys.iter().zip(&sieves).enumerate() {
        let all = met.iter().flat_map(|met| &met[at]).copied();
        arrived.take(sieve, all.collect(), key.cap(), key.text(), &mut pairs);
    }
    pairs.sort_unstable();
    pairs.dedup();
    arrived.compared = pairs.len() as u64;
    let judged = each(pairs.len().div_ceil(PIECE), settings.threads, |piece| {
        let end = ((piece + 1) * PIECE).min(pairs.len());
        let these = pairs[piece * PIECE..end].iter();
        these
            .filter_map(|pair| judged(register, model, settings, *pair))
            .collect::<Vec<Link>>()
    });
    arrived.links = judged.into_iter().flatten().collect();
    arrived.links.sort_by(|x, y| {
        let by_record = x.b.cmp(&y.b);
        by_record
            .then(y.probability.total_cmp(&x.probability))
            .then(x.a.cmp(&y.a))
    });
    arrived
}

impl Arrived {
    /// Gives each new record the person of its best link that is sure (并入名册), beside what the register was linked to before. A sure
    /// link to yet another person is left for somebody to look at, and so is one to a person who has another valid number by
    /// another record, be it an old one or one that came in the same delivery.
    pub fn joined(self, mut old: Linked, from: usize, register: &Register) -> Linked {
        old.links = self.links;
        old.person.truncate(from);
        let all = u32::try_from(register.len()).unwrap_or(u32::MAX);
        let first = u32::try_from(from).unwrap_or(u32::MAX);
        old.person.extend(first..all);
        let valid = |record: u32| {
            let code = register.entry(record).code();
            (code.kind == Kind::Valid).then_some(code)
        };
        let met = old.links.iter().map(|link| old.person[place_of(link.a)]);
        let mut holds: BTreeMap<u32, Option<Code>> = met.map(|person| (person, None)).collect();
        for (record, person) in (0..first).zip(&old.person) {
            if let Some(held) = holds.get_mut(person) {
                *held = held.or_else(|| valid(record));
            }
        }
        // The most probable link of a record comes first.
        for link in &mut old.links {
            if link.outcome != Outcome::Same {
                continue;
            }
            let person = old.person[place_of(link.a)];
            let so_far = &mut old.person[place_of(link.b)];
            if *so_far == link.b {
                let held = holds.entry(person).or_default();
                let own = valid(link.b);
                if own.is_some() && held.is_some() && own != *held {
                    link.outcome = Outcome::Numbers;
                    continue;
                }
                *held = held.or(own);
                *so_far = person;
            } else if *so_far != person {
                link.outcome = Outcome::Chain;
            }
        }
        old.capped = self.capped;
        old.compared = self.compared;
        old
    }
}

/// The keys of the new records.
struct Sieve {
    bits: Vec<u64>,
    /// Key and new record, sorted.
    held: Vec<u64>,
}

impl Sieve {
    fn new(mut held: Vec<u64>) -> Self {
        by_key(&mut held, &mut Vec::new());
        let mut bits = vec![0_u64; SIEVE / 64];
        for number in &held {
            let place = place_of(halves(*number).0) % SIEVE;
            bits[place / 64] |= 1 << (place % 64);
        }
        Self { bits, held }
    }

    /// Notes an old record under the first place of its key among the new ones.
    fn meet(&self, hash: u32, number: u64, met: &mut Vec<u64>) {
        let place = place_of(hash) % SIEVE;
        if hash == 0 || self.bits[place / 64] >> (place % 64) & 1 == 0 {
            return;
        }
        let first = self
            .held
            .partition_point(|held| held >> 32 < u64::from(hash));
        if self
            .held
            .get(first)
            .is_some_and(|held| held >> 32 == u64::from(hash))
        {
            met.push((first as u64) << 32 | number);
        }
    }
}

impl Arrived {
    /// Pairs of every key that is not shared by too many.
    fn take(
        &mut self,
        sieve: &Sieve,
        mut met: Vec<u64>,
        cap: usize,
        key: &str,
        pairs: &mut Vec<u64>,
    ) {
        met.sort_unstable();
        let mut capped = Capped {
            key: key.to_owned(),
            blocks: 0,
            records: 0,
        };
        for block in met.chunk_by(|a, b| a >> 32 == b >> 32) {
            let first = place_of(halves(block[0]).0);
            let hash = sieve.held[first] >> 32;
            let new = sieve.held[first..]
                .iter()
                .take_while(|held| *held >> 32 == hash);
            if block.len() > cap {
                capped.blocks += 1;
                capped.records += new.count();
                continue;
            }
            for held in new {
                let new = u64::from(halves(*held).1);
                pairs.extend(
                    block
                        .iter()
                        .map(|old| new << 32 | u64::from(halves(*old).1)),
                );
            }
        }
        if capped.blocks > 0 {
            self.capped.push(capped);
        }
    }
}

fn judged(register: &Register, model: &Model, settings: &Settings, pair: u64) -> Option<Link> {
    let (new, old) = halves(pair);
    let compared = compare(register, old, new);
    let probability = model.probability(&compared);
    let outcome = match (
        probability >= settings.same,
        needs_a_person(compared.levels),
    ) {
        (true, false) => Outcome::Same,
        (true, true) => Outcome::Numbers,
        (false, _) => Outcome::Doubtful,
    };
    (probability >= settings.person).then_some(Link {
        a: old,
        b: new,
        levels: compared.levels,
        rarity: compared.rarity,
        probability,
        outcome,
    })
}
