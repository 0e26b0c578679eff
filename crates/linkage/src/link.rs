//! Linking a register with itself (去重): from records to people, with a probability and the reasons for every pair.
//!
//! Three outcomes: the same person, different people, and pairs that somebody must look at. Guarantees: the same records, keys and
//! seed give the same outcome, whatever the number of threads; two different valid numbers are never joined without a person.
//! Deliberately absent: writing anything down; merging records is the register's own act.

use crate::candidates::{Candidates, Capped, Pair, candidates, thinned_weight};
use crate::cluster::{Groups, Refused};
use crate::compare::Levels;
use crate::keys::{KEYS, Key, KeyFault, keys};
use crate::model::{Model, needs_a_person};
use crate::register::Register;
use crate::table::mix;
use crate::train::{Sample, beforehand, learn, strangers};
use crate::work::count;

/// Pairs to learn from; of more, some are drawn.
const LEARNED: usize = 600_000;

/// How to link (链接设置).
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The blocking keys.
    pub keys: Vec<Key>,
    /// From this probability on, records are joined without anybody looking.
    pub same: f64,
    /// Below this one nobody needs to look.
    pub person: f64,
    /// The seed of what is drawn at random.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

impl Settings {
    /// What the house uses (默认设置).
    ///
    /// # Errors
    /// When the keys of the house cannot be read, which a test excludes.
    pub fn usual(threads: usize) -> Result<Self, KeyFault> {
        Ok(Self {
            keys: keys(KEYS)?,
            same: 0.95,
            person: 0.3,
            seed: 7,
            threads,
        })
    }
}

/// What is to be done with a pair (结论).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// One person (同一人).
    Same,
    /// Somebody must look: the probability is middling (请人工核对).
    Doubtful,
    /// Somebody must look: two valid identity numbers, or one number on two people (号码冲突，请人工核对).
    Numbers,
    /// Somebody must look: the pair alone looks like one person, its groups do not (成链，请人工核对).
    Chain,
}

/// A pair worth telling (链接结果中的一对).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The earlier record.
    pub a: u32,
    /// The later one.
    pub b: u32,
    /// The levels of all fields.
    pub levels: Levels,
    /// The logarithm of how rare the shared values are.
    pub rarity: f32,
    /// The probability that they are of one person.
    pub probability: f64,
    /// What is to be done.
    pub outcome: Outcome,
}

/// What came out (链接结果).
#[derive(Debug)]
pub struct Linked {
    /// For each record the first record of its person.
    pub person: Vec<u32>,
    /// Pairs from the lower bound of the probability on, in the order of their records.
    pub links: Vec<Link>,
    /// What was learned.
    pub model: Model,
    /// Comparisons made, those of pairs that several keys brought together counted each time.
    pub compared: u64,
    /// Blocks that were too large to be compared.
    pub capped: Vec<Capped>,
}

/// Links a finished register with itself (去重). `tell` hears the step, of so many.
pub fn link(
    register: &Register,
    settings: &Settings,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> Linked {
    let stranger = strangers(register, settings.seed, settings.threads);
    let believed = beforehand(stranger, register.len());
    let found = candidates(register, &settings.keys, &believed, settings.threads, tell);
    let records = count(register.len());
    let model = trained(believed, &found, records * (records - 1.0) / 2.0, settings);
    settled(register, model, found, settings)
}

/// Learns from what was found.
fn trained(believed: Model, found: &Candidates, pairs: f64, settings: &Settings) -> Model {
    let all = found.pairs.len() + found.thinned.len();
    let every = u64::try_from(all / LEARNED + 1).unwrap_or(1);
    let weight = f32::from(u16::try_from(every).unwrap_or(u16::MAX));
    let is_drawn = |number: u64| every == 1 || mix(number ^ settings.seed).is_multiple_of(every);
    let mut samples: Vec<Sample> = Vec::with_capacity(all.min(2 * LEARNED));
    for pair in &found.pairs {
        if is_drawn(u64::from(pair.a) << 32 | u64::from(pair.b)) {
            samples.push(Sample {
                compared: pair.compared,
                weight,
            });
        }
    }
    for (number, compared) in (0..).zip(&found.thinned) {
        if is_drawn(number) {
            samples.push(Sample {
                compared: *compared,
                weight: weight * thinned_weight(),
            });
        }
    }
    learn(believed, &samples, pairs, settings.threads)
}

/// Joins what is sure and says what is not.
fn settled(register: &Register, model: Model, found: Candidates, settings: &Settings) -> Linked {
    let judged = |pair: &Pair| {
        let probability = model.probability(&pair.compared);
        let needs = needs_a_person(pair.compared.levels);
        (probability >= settings.person).then_some(Link {
            a: pair.a,
            b: pair.b,
            levels: pair.compared.levels,
            rarity: pair.compared.rarity,
            probability,
            outcome: match (probability >= settings.same, needs) {
                (true, false) => Outcome::Same,
                (true, true) => Outcome::Numbers,
                (false, _) => Outcome::Doubtful,
            },
        })
    };
    let mut links: Vec<Link> = found.pairs.iter().filter_map(judged).collect();
    drop(found.pairs);
    let mut order: Vec<usize> = (0..links.len())
        .filter(|place| links[*place].outcome == Outcome::Same)
        .collect();
    // The surest first; among equals the earlier records, so that nothing depends on chance.
    order.sort_by(|x, y| {
        let (x, y) = (&links[*x], &links[*y]);
        y.probability
            .total_cmp(&x.probability)
            .then((x.a, x.b).cmp(&(y.a, y.b)))
    });
    let mut groups = Groups::new(register);
    for place in order {
        let link = &mut links[place];
        match groups.join(register, &model, link.a, link.b) {
            Ok(()) => {}
            Err(Refused::Numbers) => link.outcome = Outcome::Numbers,
            Err(Refused::Chain) => link.outcome = Outcome::Chain,
        }
    }
    // What was refused or doubtful may have come together by another way.
    for link in &mut links {
        if groups.root(link.a) == groups.root(link.b) {
            link.outcome = Outcome::Same;
        }
    }
    let records = u32::try_from(register.len()).unwrap_or(u32::MAX);
    Linked {
        person: (0..records).map(|record| groups.root(record)).collect(),
        links,
        model,
        compared: found.compared,
        capped: found.capped,
    }
}
