//! What a district is like (人口特征): who came to live there, and how much is known of them.
//!
//! Guarantees: nothing here is drawn, only weights. Deliberately absent: any number taken from a real person's record;
//! shares of a published plan are said with their source.

use crate::shape::Shape;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What a district is like (人口特征).
#[derive(Debug)]
pub(crate) struct Profile {
    /// Weights of ten thousand, for local and other households.
    pub(crate) shapes: &'static [(Shape, u32, u32)],
    /// The young are more, small incomes are more, and amounts are not round.
    pub(crate) is_skewed: bool,
    /// Registers of care, service, employment and kin are given too, not only what dibao asks.
    pub(crate) is_full: bool,
    /// Of ten thousand local and other households that have little.
    pub(crate) poor: (u32, u32),
    /// Of ten thousand local and other households that are not poor, how many have made complete statements.
    pub(crate) stated: (u32, u32),
}

impl Profile {
    /// An age from these, the second excluded.
    pub(crate) fn between(&self, rng: &mut ChaCha8Rng, from: u32, to: u32) -> u32 {
        let age = rng.random_range(from..to);
        if self.is_skewed {
            // The younger of two draws: a city of workers is young.
            age.min(rng.random_range(from..to))
        } else {
            age
        }
    }

    /// An amount in fen from these, given in yuan.
    pub(crate) fn amount(&self, rng: &mut ChaCha8Rng, from_yuan: i64, to_yuan: i64) -> i64 {
        if self.is_skewed {
            // The product of two draws: small amounts are more, large ones go far.
            let (one, other) = (
                rng.random_range(0..=1_000_i64),
                rng.random_range(0..=1_000_i64),
            );
            from_yuan * 100 + (to_yuan - from_yuan) * one * other / 10_000
        } else {
            // Whole hundreds of yuan.
            rng.random_range(from_yuan / 100..=to_yuan / 100) * 10_000
        }
    }
}

/// A small county for demonstration: many old, many poor, so that every desk has work.
pub(crate) const COUNTY: Profile = Profile {
    shapes: &[
        (Shape::Alone, 1_300, 3_200),
        (Shape::Couple, 1_300, 1_800),
        (Shape::Parents, 3_200, 3_300),
        (Shape::OneParent, 700, 400),
        (Shape::ThreeGenerations, 1_500, 800),
        (Shape::OldAlone, 600, 50),
        (Shape::OldCouple, 900, 100),
        (Shape::Grandparents, 300, 100),
        (Shape::WithSibling, 200, 250),
    ],
    is_skewed: false,
    is_full: false,
    poor: (900, 200),
    stated: (0, 0),
};

/// A city of those who came to work (务工人口为主的城区): factory dormitories, rented rooms, young families.
///
/// Shares aim at the plan of Bao'an for 2021 to 2025: 5 531 000 people, 766 700 (13.86 %) of local registration,
/// 237 000 of 60 years or more, 39 500 of them local. How incomes, shapes and ailments spread is invented.
pub(crate) const CITY: Profile = Profile {
    shapes: &[
        (Shape::Dormitory, 0, 3_280),
        (Shape::Alone, 2_000, 2_700),
        (Shape::Couple, 1_620, 1_250),
        (Shape::Parents, 4_400, 1_830),
        (Shape::OneParent, 600, 200),
        (Shape::ThreeGenerations, 690, 390),
        (Shape::OldAlone, 150, 50),
        (Shape::OldCouple, 140, 70),
        (Shape::Grandparents, 100, 60),
        (Shape::WithSibling, 300, 170),
    ],
    is_skewed: true,
    is_full: true,
    poor: (400, 100),
    stated: (7_000, 4_000),
};

/// Of ten thousand households of [`CITY`] that are local, so that 13.86 % of its people are.
pub(crate) const CITY_LOCAL_HOUSEHOLDS: u32 = 961;
