//! What a level is worth (权重): Fellegi and Sunter's model with three kinds of pairs instead of two.
//!
//! A pair is of the *same* person, of *kin* (people of one household: they share phone, address and often the family name, and are
//! sometimes born the same day), or of *strangers*. With strangers alone on the other side, everything two brothers share would
//! speak for one person. Fields are taken to be independent within a kind. Guarantees: a missing field says nothing; a probability
//! is that of the same person among the three. Deliberately absent: how the numbers come about, see `train`.

use crate::compare::{Compared, FIELDS, Levels};

/// The most levels a field has.
pub(crate) const LEVELS: usize = 10;

/// A number for each level of each field (各项各档的值).
pub type Weights = [[f64; LEVELS]; FIELDS.len()];

/// How probable each level is among records of one person, before anything was learned (同一人各档的先验).
pub(crate) const SAME: Weights = [
    [0.0, 0.80, 0.01, 0.05, 0.05, 0.04, 0.02, 0.015, 0.015, 0.0],
    [0.0, 0.82, 0.01, 0.08, 0.02, 0.01, 0.02, 0.04, 0.0, 0.0],
    [0.0, 0.90, 0.01, 0.015, 0.01, 0.01, 0.025, 0.015, 0.005, 0.01],
    [0.0, 0.985, 0.015, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.60, 0.03, 0.37, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.55, 0.04, 0.06, 0.04, 0.11, 0.08, 0.12, 0.0, 0.0],
];

/// The same among people of one household (一户人各档的先验). These stay: a household is what it is in every register.
pub(crate) const KIN: Weights = [
    [0.0, 0.002, 0.002, 0.008, 0.02, 0.12, 0.01, 0.40, 0.438, 0.0],
    [0.0, 0.002, 0.01, 0.001, 0.002, 0.01, 0.875, 0.10, 0.0, 0.0],
    [0.0, 0.03, 0.001, 0.006, 0.001, 0.002, 0.005, 0.02, 0.03, 0.905],
    [0.0, 0.45, 0.55, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.45, 0.01, 0.54, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.70, 0.04, 0.06, 0.04, 0.08, 0.04, 0.04, 0.0, 0.0],
];

/// What was learned of a register (模型): natural logarithms throughout.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) same: Weights,
    pub(crate) kin: Weights,
    pub(crate) stranger: Weights,
    /// How many of all pairs are of one person, and of kin.
    pub(crate) prior_same: f64,
    pub(crate) prior_kin: f64,
}

impl Model {
    /// The probability that two records are of one person (概率).
    pub fn probability(&self, compared: &Compared) -> f64 {
        let [same, kin, stranger] = self.logarithms(compared);
        1.0 / (1.0 + (kin - same).exp() + (stranger - same).exp())
    }

    /// The probabilities of the same person and of kin.
    pub(crate) fn both(&self, compared: &Compared) -> (f64, f64) {
        let [same, kin, stranger] = self.logarithms(compared);
        let best = same.max(kin).max(stranger);
        let (same, kin, stranger) = (
            (same - best).exp(),
            (kin - best).exp(),
            (stranger - best).exp(),
        );
        let sum = same + kin + stranger;
        (same / sum, kin / sum)
    }

    /// Same, kin, stranger; what is shared is as rare for the first two as it is for anybody, so only strangers pay for it.
    fn logarithms(&self, compared: &Compared) -> [f64; 3] {
        let (mut same, mut kin) = (self.prior_same, self.prior_kin);
        let mut stranger = f64::from(compared.rarity);
        for (field, level) in compared.levels.all().into_iter().enumerate() {
            same += self.same[field][level];
            kin += self.kin[field][level];
            stranger += self.stranger[field][level];
        }
        [same, kin, stranger]
    }

    /// The logarithm of the odds of the same person.
    pub(crate) fn odds(&self, compared: &Compared) -> f64 {
        let [same, kin, stranger] = self.logarithms(compared);
        let (high, low) = if kin > stranger {
            (kin, stranger)
        } else {
            (stranger, kin)
        };
        same - high - (low - high).exp().ln_1p()
    }

    /// What a level of a field speaks for the same person against a stranger, in bits (权重，比特). Without the rarity of the value.
    pub fn bits(&self, field: usize, level: usize) -> f64 {
        (self.same[field][level] - self.stranger[field][level]) / std::f64::consts::LN_2
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
pub(crate) fn needs_a_person(levels: Levels) -> bool {
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

impl Model {
    /// Whether the odds of the same person are above a bound, against strangers alone; quick.
    pub(crate) fn hopes(&self, compared: &Compared, bound: f64) -> bool {
        let [same, _, stranger] = self.logarithms(compared);
        same - stranger > bound
    }
}
