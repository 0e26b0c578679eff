//! Who lives together (家庭结构): single workers, couples, parents with children, old people alone, grandparents with
//! the children of those who work elsewhere.

use crate::profile::Profile;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vocab::{Kinship, Sex};

/// A member to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kinship: Kinship,
    pub(crate) sex: Sex,
    pub(crate) age: u32,
    pub(crate) same_surname: bool,
}

/// How people live together (家庭结构).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A bed in a factory's dormitory.
    Dormitory,
    Alone,
    Couple,
    Parents,
    OneParent,
    ThreeGenerations,
    OldAlone,
    OldCouple,
    Grandparents,
    WithSibling,
}

fn sex(rng: &mut ChaCha8Rng) -> Sex {
    if rng.random_range(0..100) < 51 {
        Sex::Male
    } else {
        Sex::Female
    }
}

fn other(sex: Sex) -> Sex {
    if sex == Sex::Male {
        Sex::Female
    } else {
        Sex::Male
    }
}

fn kin(code: &str) -> Kinship {
    Kinship::read(code).unwrap_or_else(|_| Kinship::head())
}

/// Who lives in one home, the head first; `members` is emptied before.
pub(crate) fn plans(
    rng: &mut ChaCha8Rng,
    profile: &Profile,
    is_local: bool,
    members: &mut Vec<Plan>,
) -> Shape {
    let mut at = rng.random_range(0..10_000);
    let mut shape = Shape::Alone;
    for (candidate, local, other) in profile.shapes {
        let weight = if is_local { *local } else { *other };
        if at < weight {
            shape = *candidate;
            break;
        }
        at -= weight;
    }
    let mut home = Home::new(rng, profile, shape, members);
    match shape {
        Shape::Dormitory | Shape::Alone | Shape::OldAlone => {}
        Shape::Couple | Shape::OldCouple => home.spouse(rng),
        Shape::Parents => {
            home.spouse(rng);
            home.children(rng);
        }
        Shape::OneParent => home.children(rng),
        Shape::ThreeGenerations => {
            home.spouse(rng);
            home.children(rng);
            home.parents(rng);
        }
        Shape::Grandparents => {
            home.spouse(rng);
            home.grandchildren(rng);
        }
        Shape::WithSibling => home.sibling(rng),
    }
    shape
}

struct Home<'a> {
    head_age: u32,
    head_sex: Sex,
    members: &'a mut Vec<Plan>,
}

impl<'a> Home<'a> {
    fn new(
        rng: &mut ChaCha8Rng,
        profile: &Profile,
        shape: Shape,
        members: &'a mut Vec<Plan>,
    ) -> Self {
        let head_age = match shape {
            Shape::Dormitory => profile.between(rng, 17, 46),
            Shape::Alone => profile.between(rng, 19, 58),
            Shape::Couple => profile.between(rng, 23, 60),
            Shape::Parents | Shape::OneParent => profile.between(rng, 25, 52),
            Shape::ThreeGenerations => profile.between(rng, 30, 55),
            Shape::OldAlone | Shape::OldCouple => old(rng),
            Shape::Grandparents => profile.between(rng, 55, 78),
            Shape::WithSibling => profile.between(rng, 20, 50),
        };
        let head_sex = sex(rng);
        let head = Plan {
            kinship: Kinship::head(),
            sex: head_sex,
            age: head_age,
            same_surname: true,
        };
        members.clear();
        members.push(head);
        Self {
            head_age,
            head_sex,
            members,
        }
    }

    fn add(&mut self, code: &str, sex: Sex, age: u32, same_surname: bool) {
        self.members.push(Plan {
            kinship: kin(code),
            sex,
            age,
            same_surname,
        });
    }

    fn spouse(&mut self, rng: &mut ChaCha8Rng) {
        let sex = other(self.head_sex);
        let age = (self.head_age + rng.random_range(0..7))
            .saturating_sub(3)
            .max(20);
        let code = if sex == Sex::Male { "11" } else { "12" };
        self.add(code, sex, age, false);
    }

    fn children(&mut self, rng: &mut ChaCha8Rng) {
        let oldest = self.head_age.saturating_sub(22).min(26);
        let count = match rng.random_range(0..100) {
            0..48 => 1,
            48..90 => 2,
            _ => 3,
        };
        let mut ages = [0; 3];
        for age in &mut ages[..count] {
            *age = rng.random_range(0..=oldest);
        }
        ages[..count].sort_unstable_by(|a, b| b.cmp(a));
        let (mut sons, mut daughters) = (0, 0);
        for age in ages.into_iter().take(count) {
            let sex = sex(rng);
            let code = if sex == Sex::Male {
                sons += 1;
                ["22", "23", "24"][sons - 1]
            } else {
                daughters += 1;
                ["32", "33", "34"][daughters - 1]
            };
            // Children are named after the father.
            self.add(
                code,
                sex,
                age,
                self.head_sex == Sex::Male || rng.random_range(0..10) == 0,
            );
        }
    }

    fn parents(&mut self, rng: &mut ChaCha8Rng) {
        let age = self.head_age + rng.random_range(22..33);
        let both = rng.random_range(0..100) < 55;
        let father = both || rng.random_range(0..100) < 35;
        if father {
            self.add("51", Sex::Male, age + 1, true);
        }
        if both || !father {
            self.add("52", Sex::Female, age, false);
        }
    }

    fn grandchildren(&mut self, rng: &mut ChaCha8Rng) {
        for _ in 0..rng.random_range(1..=2) {
            let sex = sex(rng);
            let code = if sex == Sex::Male { "41" } else { "42" };
            let age = rng.random_range(1..16);
            self.add(code, sex, age, self.head_sex == Sex::Male);
        }
    }

    fn sibling(&mut self, rng: &mut ChaCha8Rng) {
        let sex = sex(rng);
        let age = (self.head_age + rng.random_range(0..8))
            .saturating_sub(4)
            .max(18);
        let code = if sex == Sex::Male { "73" } else { "77" };
        self.add(code, sex, age, true);
    }
}

/// Ages from sixty on, fewer with every decade.
fn old(rng: &mut ChaCha8Rng) -> u32 {
    match rng.random_range(0..100) {
        0..45 => rng.random_range(60..70),
        45..78 => rng.random_range(70..80),
        78..96 => rng.random_range(80..90),
        96..99 => rng.random_range(90..100),
        _ => rng.random_range(100..104),
    }
}
