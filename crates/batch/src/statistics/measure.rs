//! Measures (统计指标): what a case, a released pay line or a right adds to which numbers.
//!
//! A flow (流量) is what happened in a month. A stock (存量) is what stands in a month: a right adds itself where a span of its
//! months begins and takes itself away where the span ends, and the number of a month is the sum up to it.
//!
//! Guarantees: pure; a thing counts once in a measure and once under each grouping of it. Deliberately absent: any
//! programme or place by name; both come from the thing itself.

use casework::figure::CaseFigure;
use ledger::{LineFigure, RightFigure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::{Month, Region};

/// The edition of what is counted: whoever changes [`shares`] raises it, and everything is counted anew.
pub(crate) const EDITION: i64 = 2;
/// So many people and more are one group.
const MANY: i64 = 5;

/// What is counted (统计指标).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Cases handed in, in the month they were (申请).
    Applied,
    /// Cases decided, in the month of their last decision (决定).
    Decided,
    /// Pay lines released, in the month of their run, and their money (发放).
    Paid,
    /// Rights in payment in the month, whom they cover and what they come to (在发): a stock.
    InPayment,
}

impl Measure {
    /// All measures (全部指标), in the order shown.
    pub const ALL: [Self; 4] = [Self::Applied, Self::Decided, Self::Paid, Self::InPayment];

    /// Its word in tables and addresses (指标代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Decided => "decided",
            Self::Paid => "paid",
            Self::InPayment => "in_payment",
        }
    }

    /// The measure of a word (代码对应的指标).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Under what it can be divided (可分组).
    pub const fn grouping(self) -> Grouping {
        match self {
            Self::Applied => Grouping::Members,
            Self::Decided => Grouping::Outcome,
            Self::Paid => Grouping::Difference,
            Self::InPayment => Grouping::Whole,
        }
    }

    /// Whether it says what stands in a month, not what happened in it (是否存量).
    pub const fn is_stock(self) -> bool {
        matches!(self, Self::InPayment)
    }
}

/// By what a measure is divided (分组).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Not at all.
    Whole,
    /// By how many people the case is about; five and more are one group.
    Members,
    /// By the outcome of the determination.
    Outcome,
    /// By the difference against the month before.
    Difference,
}

impl Grouping {
    /// Its word in the table (分组代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Members => "members",
            Self::Outcome => "outcome",
            Self::Difference => "difference",
        }
    }
}

/// Where a number stands (统计格).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// What is counted.
    pub measure: Measure,
    /// In which month.
    pub month: Month,
    /// In which community.
    pub region: Region,
    /// Of which programme.
    pub programme: String,
    /// By what divided.
    pub grouping: Grouping,
    /// Which group; empty for the whole.
    pub value: String,
}

/// A number of things with the people in it and its money (统计数).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// How many things: cases, lines.
    pub count: i64,
    /// How many people they are about.
    pub persons: i64,
    /// How much money, in fen.
    pub fen: i64,
}

impl Numbers {
    /// Adds (相加); what would overflow stays at the end of what can be counted.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            persons: self.persons.saturating_add(other.persons),
            fen: self.fen.saturating_add(other.fen),
        }
    }

    /// The opposite (相反数).
    #[must_use]
    pub fn taken_away(self) -> Self {
        Self {
            count: self.count.saturating_neg(),
            persons: self.persons.saturating_neg(),
            fen: self.fen.saturating_neg(),
        }
    }

    /// Whether there is nothing (是否为零).
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// Something that is counted (被统计的事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Thing {
    Case(CaseFigure),
    Line(LineFigure),
    Right(RightFigure),
}

impl Thing {
    pub(crate) const CASE: &'static str = "case";
    pub(crate) const LINE: &'static str = "line";
    pub(crate) const RIGHT: &'static str = "right";

    /// The word its share is kept under.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Case(_) => Self::CASE,
            Self::Line(_) => Self::LINE,
            Self::Right(_) => Self::RIGHT,
        }
    }
}

/// What a thing adds to which numbers (份额).
pub(crate) fn shares(thing: &Thing) -> Vec<(Cell, Numbers)> {
    match thing {
        Thing::Case(case) => {
            let numbers = Numbers {
                count: 1,
                persons: case.members,
                fen: 0,
            };
            let at = |measure, day| Cell {
                measure,
                month: Month::of(day),
                region: case.region,
                programme: case.programme.clone(),
                grouping: Grouping::Whole,
                value: String::new(),
            };
            let mut shares = Vec::new();
            let applied = at(Measure::Applied, case.applied_on);
            both(&mut shares, applied, Some(members(case.members)), numbers);
            if let Some(day) = case.decided_on {
                let group = case.outcome.map(|outcome| outcome.word().to_owned());
                both(&mut shares, at(Measure::Decided, day), group, numbers);
            }
            shares
        }
        Thing::Line(line) => {
            let numbers = Numbers {
                count: 1,
                persons: line.persons,
                fen: line.net.fen(),
            };
            let cell = Cell {
                measure: Measure::Paid,
                month: line.month,
                region: line.region,
                programme: line.programme.clone(),
                grouping: Grouping::Whole,
                value: String::new(),
            };
            let mut shares = Vec::new();
            both(&mut shares, cell, Some(line.difference.word()), numbers);
            shares
        }
        Thing::Right(right) => {
            let at = |month| Cell {
                measure: Measure::InPayment,
                month,
                region: right.region,
                programme: right.programme.clone(),
                grouping: Grouping::Whole,
                value: String::new(),
            };
            let mut shares = Vec::new();
            for (from, until, amount) in &right.running {
                let numbers = Numbers {
                    count: 1,
                    persons: right.persons,
                    fen: amount.fen(),
                };
                shares.push((at(*from), numbers));
                shares.extend(until.map(|until| (at(until), numbers.taken_away())));
            }
            shares
        }
    }
}

/// The whole, and the group where there is one.
fn both(shares: &mut Vec<(Cell, Numbers)>, whole: Cell, group: Option<String>, numbers: Numbers) {
    if let Some(value) = group {
        let grouped = Cell {
            grouping: whole.measure.grouping(),
            value,
            ..whole.clone()
        };
        shares.push((grouped, numbers));
    }
    shares.push((whole, numbers));
}

/// The group of a number of people: `1` … `4`, `5+`.
fn members(count: i64) -> String {
    if count >= MANY {
        format!("{MANY}+")
    } else {
        count.to_string()
    }
}

/// Adds shares to sums (累加).
pub(crate) fn add(
    sums: &mut BTreeMap<Cell, Numbers>,
    shares: impl IntoIterator<Item = (Cell, Numbers)>,
) {
    for (cell, numbers) in shares {
        let sum = sums.entry(cell).or_default();
        *sum = sum.plus(numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use policy::Outcome;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_right_adds_itself_where_it_begins_and_takes_itself_away_where_it_ends() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        let amount = vocab::Money::from_fen;
        let right = RightFigure {
            region: "990101001001".parse().unwrap(),
            programme: "one".into(),
            persons: 3,
            running: vec![
                (month("2026-01"), Some(month("2026-04")), amount(800)),
                (month("2026-04"), None, amount(900)),
            ],
        };
        let mut sums = BTreeMap::new();
        add(&mut sums, shares(&Thing::Right(right)));
        let said: Vec<_> = sums
            .into_iter()
            .map(|(cell, one)| (cell.month.to_string(), one.count, one.persons, one.fen))
            .collect();
        // In April one right goes over into another amount: nobody comes or goes, and 100 fen are added.
        assert_eq!(
            said,
            [("2026-01".into(), 1, 3, 800), ("2026-04".into(), 0, 0, 100)]
        );
    }

    #[test]
    fn a_case_counts_in_the_month_it_was_handed_in_and_in_the_month_it_was_decided() {
        let case = CaseFigure {
            region: "990101001001".parse().unwrap(),
            programme: "one".into(),
            applied_on: day("2026-03-31"),
            decided_on: Some(day("2026-05-04")),
            outcome: Some(Outcome::Met),
            members: 6,
        };
        let said: Vec<(&str, String, &str, String, i64)> = shares(&Thing::Case(case))
            .into_iter()
            .map(|(cell, numbers)| {
                assert_eq!((numbers.count, numbers.fen), (1, 0));
                let month = cell.month.to_string();
                (
                    cell.measure.word(),
                    month,
                    cell.grouping.word(),
                    cell.value,
                    numbers.persons,
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("applied", "2026-03".into(), "members", "5+".into(), 6),
                ("applied", "2026-03".into(), "", String::new(), 6),
                ("decided", "2026-05".into(), "outcome", "met".into(), 6),
                ("decided", "2026-05".into(), "", String::new(), 6),
            ]
        );
    }
}
