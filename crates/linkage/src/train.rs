//! Learning the weights from the register itself (训练), without anybody having said which records belong together.
//!
//! How often strangers agree comes from random pairs, which are strangers but for one in millions, and, where the level means that
//! a value is shared, from that value's own frequency. How often records of one person agree is found by expectation and
//! maximisation (Dempster, Laird and Rubin 1977; for linkage Winkler 1988) over the candidates. Candidates were chosen because they
//! agree on something; that does no harm, for the chance of a stranger is that of all pairs, not of candidates. Guarantees: the
//! same register and seed give the same numbers to the last bit, whatever the number of threads. Deliberately absent: labels.

use crate::compare::{Compared, FIELDS, compare, is_by_rarity};
use crate::model::{KIN, KINDS, LEVELS, Model, NAMESAKES, SAME, TWINS, Weights, logarithms};
use crate::register::Register;
use crate::table::mix;
use crate::work::{chunks, count};

/// Random pairs looked at, in a large register; in a small one fifty times its records.
const RANDOM: u64 = 400_000;
/// Pairs that expectation and maximisation go over in one piece; sums are added in the order of the pieces.
const PIECE: usize = 16_384;
/// So many pairs does what was known beforehand weigh.
const BEFOREHAND: f64 = 40.0;
/// Levels of identity numbers near one another without being valid, which no random pair shows (相近号码的偶然概率).
const NEAR_IDS: [(usize, f64); 4] = [(1, 1e-9), (2, 1e-8), (3, 1e-8), (4, 1e-7)];

/// How often strangers have each level (陌生人各档的概率), from random pairs.
pub(crate) fn strangers(register: &Register, seed: u64, threads: usize) -> Weights {
    let records = register.entries.len() as u64;
    let mut counts = [[0.0_f64; LEVELS]; FIELDS.len()];
    if records >= 2 {
        let draws: Vec<u64> = (0..RANDOM.min(records * 50)).collect();
        let pieces = chunks(&draws, PIECE, threads, |piece| {
            let mut counts = [[0_u32; LEVELS]; FIELDS.len()];
            for draw in piece {
                let first = mix(seed ^ draw << 1) % records;
                let second = (first + 1 + mix(seed ^ (draw << 1 | 1)) % (records - 1)) % records;
                let narrow = |record: u64| u32::try_from(record).unwrap_or(0);
                let compared = compare(register, narrow(first), narrow(second));
                for (field, level) in compared.levels.all().into_iter().enumerate() {
                    counts[field][level] += 1;
                }
            }
            counts
        });
        for (field, level, found) in every(&pieces) {
            counts[field][level] += f64::from(found);
        }
    }
    let mut shares = KIN;
    for (field, levels) in counts.iter().enumerate() {
        let said: f64 = levels[1..].iter().sum();
        for level in 1..LEVELS {
            shares[field][level] = if is_by_rarity(field, level) {
                // Another order of the same characters is rarer than the same order.
                if (field, level) == (0, 2) { 0.02 } else { 1.0 }
            } else {
                (levels[level] + 0.5) / (said + 5.0)
            };
        }
    }
    for (level, share) in NEAR_IDS {
        shares[1][level] = share;
    }
    shares[1][5] = shares[1][5].min(1e-5);
    shares[4][2] = shares[4][2].min(1e-7);
    logarithms(&shares)
}

fn every(pieces: &[[[u32; LEVELS]; FIELDS.len()]]) -> impl Iterator<Item = (usize, usize, u32)> {
    pieces.iter().flat_map(|piece| {
        piece.iter().enumerate().flat_map(|(field, levels)| {
            levels
                .iter()
                .enumerate()
                .map(move |(level, found)| (field, level, *found))
        })
    })
}

/// What is believed before anything was learned (未训练的模型).
pub(crate) fn beforehand(stranger: Weights, records: usize) -> Model {
    let records = count(records).max(2.0);
    // One record in ten has a second, one in ten somebody of its household, one in a thousand a twin, and one in a thousand a
    // namesake born the same day: of about n²/2 pairs.
    let priors = [0.2, 0.2, 0.002, 0.002].map(|share: f64| (share / records).ln());
    Model {
        kinds: [SAME, KIN, TWINS, NAMESAKES].map(|kind| logarithms(&kind)),
        stranger,
        priors,
    }
}

/// A pair to learn from, and how many of its kind it stands for (训练用的一对).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) compared: Compared,
    pub(crate) weight: f32,
}

/// Learns until nothing moves any more (期望最大化). `pairs` is the number of all pairs of the register.
pub(crate) fn learn(mut model: Model, samples: &[Sample], pairs: f64, threads: usize) -> Model {
    for _ in 0..40 {
        let pieces = chunks(samples, PIECE, threads, |piece| Sums::of(&model, piece));
        let mut sums = Sums::default();
        for piece in &pieces {
            sums.add(piece);
        }
        let next = sums.maximised(&model, pairs);
        let moved = next.moved(&model);
        model = next;
        if moved < 1e-3 {
            break;
        }
    }
    model
}

/// What is expected, summed up.
#[derive(Default)]
struct Sums {
    kinds: [f64; KINDS],
    /// Levels of pairs of the same person.
    levels: Weights,
}

impl Sums {
    fn of(model: &Model, samples: &[Sample]) -> Self {
        let mut sums = Self::default();
        for sample in samples {
            let shares = model.shares(&sample.compared);
            let weight = f64::from(sample.weight);
            for (sum, share) in sums.kinds.iter_mut().zip(shares) {
                *sum += share * weight;
            }
            for (field, level) in sample.compared.levels.all().into_iter().enumerate() {
                sums.levels[field][level] += shares[0] * weight;
            }
        }
        sums
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.kinds.iter_mut().zip(other.kinds) {
            *mine += theirs;
        }
        for (mine, theirs) in self.levels.iter_mut().zip(&other.levels) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += theirs;
            }
        }
    }

    fn maximised(&self, model: &Model, pairs: f64) -> Model {
        let mut shares = SAME;
        for (field, levels) in shares.iter_mut().enumerate() {
            let said: f64 = self.levels[field][1..].iter().sum();
            for (level, share) in levels.iter_mut().enumerate().skip(1) {
                let found = self.levels[field][level] + *share * BEFOREHAND;
                *share = found / (said + BEFOREHAND);
            }
        }
        let mut kinds = model.kinds;
        kinds[0] = logarithms(&shares);
        // Namesakes write their names and birth dates like anybody.
        kinds[3][0] = kinds[0][0];
        kinds[3][2] = kinds[0][2];
        Model {
            kinds,
            stranger: model.stranger,
            priors: self.kinds.map(|sum| (sum.max(0.1) / pairs).ln()),
        }
    }
}

impl Model {
    /// The largest change of a probability that is not tiny.
    fn moved(&self, before: &Self) -> f64 {
        let levels = self.kinds[0].iter().flatten();
        let levels = levels.zip(before.kinds[0].iter().flatten());
        let of_levels = levels.map(|(now, then)| (now.exp() - then.exp()).abs());
        let of_prior = (self.priors[0] - before.priors[0]).abs();
        of_levels.fold(of_prior, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Levels;

    /// Pairs of known kinds with levels drawn from known probabilities; strangers share nothing by rarity here.
    fn drawn(
        same: &Weights,
        stranger: &Weights,
        of_same: usize,
        of_strangers: usize,
    ) -> Vec<Sample> {
        let mut state = 11_u64;
        let mut draw = |shares: &[f64; LEVELS]| {
            state = mix(state.wrapping_add(0x9E37_79B9));
            let mut left = f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31);
            let level = shares.iter().position(|share| {
                left -= share;
                left < 0.0
            });
            u8::try_from(level.unwrap_or(1)).unwrap()
        };
        let kinds =
            std::iter::repeat_n(same, of_same).chain(std::iter::repeat_n(stranger, of_strangers));
        kinds
            .map(|kind| {
                let mut all = [0; 6];
                for (place, shares) in all.iter_mut().zip(kind) {
                    *place = draw(shares);
                }
                Sample {
                    compared: Compared {
                        levels: Levels::of_all(all),
                        rarity: 0.0,
                    },
                    weight: 1.0,
                }
            })
            .collect()
    }

    fn strange() -> Weights {
        [
            [0.0, 0.01, 0.01, 0.02, 0.02, 0.04, 0.02, 0.08, 0.80, 0.0],
            [0.0, 0.001, 0.001, 0.003, 0.005, 0.01, 0.90, 0.08, 0.0, 0.0],
            [0.0, 0.02, 0.01, 0.01, 0.01, 0.01, 0.02, 0.02, 0.05, 0.85],
            [0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.01, 0.01, 0.98, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.01, 0.02, 0.02, 0.05, 0.10, 0.20, 0.60, 0.0, 0.0],
        ]
    }

    #[test]
    fn learning_finds_the_probabilities_that_made_the_pairs() {
        // Far from what is believed beforehand: phones change more often, numbers are worse.
        let mut true_same = SAME;
        true_same[1] = [0.0, 0.60, 0.02, 0.20, 0.06, 0.02, 0.04, 0.06, 0.0, 0.0];
        true_same[4] = [0.0, 0.30, 0.10, 0.60, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let samples = drawn(&true_same, &strange(), 6_000, 30_000);
        let mut start = beforehand(logarithms(&strange()), 36_000);
        start.priors = [0.05, 1e-9, 1e-9, 1e-9].map(f64::ln);
        let model = learn(start, &samples, 36_000.0, 2);
        // One in six pairs is of one person; six thousand draws of 0.3 are right to within 0.02 (three times √(0.21/6000)).
        assert!((model.priors[0].exp() - 1.0 / 6.0).abs() < 0.01);
        for (field, level, expected) in [
            (1, 1, 0.60),
            (1, 3, 0.20),
            (4, 1, 0.30),
            (4, 3, 0.60),
            (0, 1, 0.80),
        ] {
            let found = model.kinds[0][field][level].exp();
            assert!((found - expected).abs() < 0.03, "{field} {level} {found}");
        }
    }

    #[test]
    fn threads_do_not_change_a_bit_of_what_is_learned() {
        let samples = drawn(&SAME, &strange(), 3_000, 40_000);
        let start = beforehand(logarithms(&strange()), 43_000);
        let one = learn(start.clone(), &samples, 1e8, 1);
        assert_eq!(one, learn(start, &samples, 1e8, 3));
    }
}
