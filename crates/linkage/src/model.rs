//! What a level is worth (权重): Fellegi and Sunter's model with five kinds of pairs instead of two.
//!
//! A pair is of the *same* person, of *kin* (people of one household: they share phone, address and often the family name), of
//! *twins*, of *namesakes* born the same day, or of *strangers*. With strangers alone on the other side, everything that two brothers
//! share would speak for one person. Fields are taken to be independent within a kind. Guarantees: a missing field says nothing; a
//! probability is that of the same person among the five. Deliberately absent: how the numbers come about, see `train`.

use crate::compare::{Compared, FIELDS, Levels};

/// The most levels a field has.
pub(crate) const LEVELS: usize = 10;

/// A number for each level of each field (各项各档的值).
pub type Weights = [[f64; LEVELS]; FIELDS.len()];

/// How probable each level is among records of one person, before anything was learned (同一人各档的先验).
pub(crate) const SAME: Weights = [
    [0.0, 0.80, 0.01, 0.05, 0.05, 0.04, 0.02, 0.015, 0.015, 0.0],
    [0.0, 0.82, 0.01, 0.08, 0.02, 0.01, 0.02, 0.04, 0.0, 0.0],
    [
        0.0, 0.90, 0.01, 0.015, 0.01, 0.01, 0.025, 0.015, 0.005, 0.01,
    ],
    [0.0, 0.985, 0.015, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.60, 0.03, 0.37, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.55, 0.04, 0.06, 0.04, 0.11, 0.08, 0.12, 0.0, 0.0],
];

/// The same among people of one household (一户人各档的先验). These stay: a household is what it is in every register.
pub(crate) const KIN: Weights = [
    [0.0, 0.002, 0.002, 0.008, 0.02, 0.12, 0.01, 0.40, 0.438, 0.0],
    [0.0, 0.002, 0.01, 0.001, 0.002, 0.01, 0.875, 0.10, 0.0, 0.0],
    [
        0.0, 0.03, 0.001, 0.006, 0.001, 0.002, 0.005, 0.02, 0.03, 0.905,
    ],
    [0.0, 0.45, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.45, 0.01, 0.54, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.70, 0.04, 0.06, 0.04, 0.08, 0.04, 0.04, 0.0, 0.0],
];

/// The same among twins (双胞胎各档的先验): one day, one home, numbers that follow one another.
pub(crate) const TWINS: Weights = [
    [0.0, 0.002, 0.002, 0.02, 0.06, 0.55, 0.01, 0.30, 0.056, 0.0],
    [0.0, 0.002, 0.001, 0.02, 0.03, 0.05, 0.777, 0.12, 0.0, 0.0],
    [
        0.0, 0.90, 0.01, 0.015, 0.01, 0.01, 0.025, 0.015, 0.005, 0.01,
    ],
    [0.0, 0.65, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.30, 0.01, 0.69, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.60, 0.04, 0.06, 0.04, 0.11, 0.06, 0.09, 0.0, 0.0],
];

/// The same among namesakes born the same day (同名同日生者的先验), who share nothing else. How their names and birth dates are
/// written is as among records of one person, and taken from there.
pub(crate) const NAMESAKES: Weights = [
    SAME[0],
    [0.0, 1e-8, 1e-8, 1e-7, 1e-6, 1e-5, 0.87, 0.13, 0.0, 0.0],
    SAME[2],
    [0.0, 0.95, 0.05, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1e-6, 1e-6, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1e-5, 1e-4, 1e-4, 1e-3, 0.02, 0.08, 0.90, 0.0, 0.0],
];

/// The kinds of pairs before strangers (各类记录对): the same person, kin, twins, namesakes.
pub(crate) const KINDS: usize = 4;

/// What was learned of a register (模型): natural logarithms throughout.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Of the same person, kin, twins and namesakes.
    pub(crate) kinds: [Weights; KINDS],
    pub(crate) stranger: Weights,
    /// How many of all pairs are of each kind.
    pub(crate) priors: [f64; KINDS],
}

impl Model {
    /// The probability that two records are of one person (概率).
    pub fn probability(&self, compared: &Compared) -> f64 {
        self.shares(compared)[0]
    }

    /// The probability of each kind; what is left are strangers.
    pub(crate) fn shares(&self, compared: &Compared) -> [f64; KINDS] {
        let (mut kinds, stranger) = self.logarithms(compared);
        let best = kinds.iter().copied().fold(stranger, f64::max);
        let mut sum = (stranger - best).exp();
        for kind in &mut kinds {
            *kind = (*kind - best).exp();
            sum += *kind;
        }
        kinds.map(|kind| kind / sum)
    }

    /// Each kind, and strangers; what is shared is as rare for people who belong together as it is for anybody, so only strangers
    /// pay for it.
    fn logarithms(&self, compared: &Compared) -> ([f64; KINDS], f64) {
        let mut kinds = self.priors;
        let mut stranger = f64::from(compared.rarity);
        for (field, level) in compared.levels.all().into_iter().enumerate() {
            for (sum, weights) in kinds.iter_mut().zip(&self.kinds) {
                *sum += weights[field][level];
            }
            stranger += self.stranger[field][level];
        }
        (kinds, stranger)
    }

    /// The logarithm of the odds of the same person.
    pub(crate) fn odds(&self, compared: &Compared) -> f64 {
        let (kinds, stranger) = self.logarithms(compared);
        let best = kinds[1..].iter().copied().fold(stranger, f64::max);
        let rest = kinds[1..].iter().map(|kind| (kind - best).exp());
        kinds[0] - best - (rest.sum::<f64>() + (stranger - best).exp()).ln()
    }

    /// What a level of a field speaks for the same person against a stranger, in bits (权重，比特). Without the rarity of the value.
    pub fn bits(&self, field: usize, level: usize) -> f64 {
        (self.kinds[0][field][level] - self.stranger[field][level]) / std::f64::consts::LN_2
    }

    /// Whether the odds of the same person are above a bound, against strangers alone; quick.
    pub(crate) fn hopes(&self, compared: &Compared, bound: f64) -> bool {
        let mut odds = self.priors[0] - f64::from(compared.rarity);
        for (field, level) in compared.levels.all().into_iter().enumerate() {
            odds += self.kinds[0][field][level] - self.stranger[field][level];
        }
        odds > bound
    }
}

/// How often strangers have each level in a register that is too small to show it (陌生人各档，出厂值). Levels judged by the rarity of the
/// shared value stand as 1; the others are set by hand and not measured: a register of a thousand people and more learns its own.
const STRANGERS: Weights = [
    [0.0, 1.0, 0.02, 1.0, 0.002, 0.003, 0.002, 0.06, 0.93, 0.0],
    [0.0, 1e-9, 1e-8, 1e-8, 1e-7, 1e-5, 0.97, 0.03, 0.0, 0.0],
    [0.0, 1.0, 1e-4, 2e-4, 1e-4, 3e-4, 0.003, 0.012, 0.03, 0.95],
    [0.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 1e-7, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.003, 0.003, 0.01, 0.88, 0.05, 0.05, 0.0, 0.0],
];

/// A probability in millionths (百万分之几), to be kept and compared as a whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held between nought and a million"
)]
pub fn millionths(probability: f64) -> u32 {
    (probability.clamp(0.0, 1.0) * 1_000_000.0).round() as u32
}

/// Numbers of a model that is written down.
const NUMBERS: usize = (KINDS + 1) * FIELDS.len() * LEVELS + KINDS;

impl Model {
    /// The model for a register of so many records from which nothing was learned yet (出厂模型).
    pub fn shipped(records: usize) -> Self {
        crate::train::beforehand(logarithms(&STRANGERS), records)
    }

    /// All its numbers, to be kept (写出).
    pub fn numbers(&self) -> Vec<f64> {
        let kinds = self.kinds.iter().chain([&self.stranger]);
        let weights = kinds.flatten().flatten().copied();
        weights.chain(self.priors).collect()
    }

    /// The model of such numbers (读回); `None` if they are none of a model.
    pub fn of_numbers(numbers: &[f64]) -> Option<Self> {
        if numbers.len() != NUMBERS || numbers.iter().any(|number| !number.is_finite()) {
            return None;
        }
        let mut numbers = numbers.iter().copied();
        let mut weights = || {
            let mut weights = Weights::default();
            for (place, number) in weights.iter_mut().flatten().zip(&mut numbers) {
                *place = number;
            }
            weights
        };
        let kinds = [weights(), weights(), weights(), weights()];
        let stranger = weights();
        let mut priors = [0.0; KINDS];
        for (place, number) in priors.iter_mut().zip(numbers) {
            *place = number;
        }
        Some(Self {
            kinds,
            stranger,
            priors,
        })
    }
}

/// Logarithms of probabilities; nothing for the level that means missing.
pub(crate) fn logarithms(of: &Weights) -> Weights {
    let mut all = *of;
    for field in &mut all {
        for level in &mut field[1..] {
            *level = level.max(1e-12).ln();
        }
        field[0] = 0.0;
    }
    all
}

/// Levels of which no probability can say that the records are of one person without somebody looking: the same number on two
/// people who have neither name nor birth date in common, or two valid numbers (须人工).
pub fn needs_a_person(levels: Levels) -> bool {
    use crate::{birth, identity, name};
    let (name, id, birth) = (levels.of(0), levels.of(1), levels.of(2));
    match id {
        identity::OTHER => true,
        identity::EQUAL | identity::CONTRADICTED => {
            name >= name::SURNAME && (birth >= birth::YEAR || birth == birth::MISSING)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_written_down_is_read_back_to_the_last_bit() {
        let model = Model::shipped(20_000);
        assert_eq!(Model::of_numbers(&model.numbers()), Some(model.clone()));
        assert_eq!(Model::of_numbers(&model.numbers()[1..]), None);
        assert_eq!(Model::of_numbers(&vec![f64::NAN; NUMBERS]), None);
    }
}
