//! Counting what was found (计数): findings by community, programme and kind; outcomes by programme.
//!
//! Guarantees: two tallies of different households add up to that of both. Deliberately absent: anything about one
//! household.

use crate::finding::{Finding, FindingKind};
use policy::machine::{MET, NOT_MET};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How outcomes of a programme are spread (结论分布).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Met.
    pub met: u64,
    /// Not met.
    pub not_met: u64,
    /// To verify.
    pub to_verify: u64,
    /// The amounts of those met, in fen.
    pub fen: i64,
}

impl Counted {
    /// Counts a column of outcomes and the amounts beside it.
    pub(crate) fn of(outcomes: &[u8], amounts: &[i64]) -> Self {
        let many = |wanted: u8| outcomes.iter().filter(|one| **one == wanted).count() as u64;
        let (met, not_met) = (many(MET), many(NOT_MET));
        let mut fen = 0_i64;
        if met > 0 {
            for (outcome, amount) in outcomes.iter().zip(amounts) {
                if *outcome == MET {
                    fen = fen.saturating_add(*amount);
                }
            }
        }
        Self {
            met,
            not_met,
            to_verify: outcomes.len() as u64 - met - not_met,
            fen,
        }
    }

    /// Takes back what was counted of some.
    pub(crate) fn take_back(&mut self, other: Self) {
        self.met = self.met.saturating_sub(other.met);
        self.not_met = self.not_met.saturating_sub(other.not_met);
        self.to_verify = self.to_verify.saturating_sub(other.to_verify);
        self.fen = self.fen.saturating_sub(other.fen);
    }
}

/// Findings of one community, programme and kind (一格).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Square {
    /// The community.
    pub region: i64,
    /// The programme.
    pub programme: String,
    /// The kind.
    pub kind: FindingKind,
    /// How many.
    pub count: u64,
    /// What is due in all, in fen a month.
    pub due: i64,
    /// What is paid in all, in fen a month.
    pub paid: i64,
}

/// What was counted (计数).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// In the order of community, programme and kind.
    pub squares: Vec<Square>,
    /// Outcomes by programme.
    pub outcomes: BTreeMap<String, Counted>,
}

impl Tally {
    pub(crate) fn outcomes(&mut self, programme: &str, counted: Counted) {
        let known = self.outcomes.entry(programme.to_owned()).or_default();
        known.met += counted.met;
        known.not_met += counted.not_met;
        known.to_verify += counted.to_verify;
        known.fen = known.fen.saturating_add(counted.fen);
    }

    pub(crate) fn finding(&mut self, found: &Finding) {
        self.square(
            found.region,
            &found.programme,
            found.kind,
            1,
            found.due,
            found.paid,
        );
    }

    fn square(
        &mut self,
        region: i64,
        programme: &str,
        kind: FindingKind,
        count: u64,
        due: i64,
        paid: i64,
    ) {
        let place = self.squares.binary_search_by(|square| {
            (square.region, square.programme.as_str(), square.kind).cmp(&(region, programme, kind))
        });
        match place {
            Ok(at) => {
                let square = &mut self.squares[at];
                square.count += count;
                square.due = square.due.saturating_add(due);
                square.paid = square.paid.saturating_add(paid);
            }
            Err(at) => self.squares.insert(
                at,
                Square {
                    region,
                    programme: programme.to_owned(),
                    kind,
                    count,
                    due,
                    paid,
                },
            ),
        }
    }

    /// Adds what was counted of other households (相加).
    pub fn add(&mut self, other: &Self) {
        for square in &other.squares {
            self.square(
                square.region,
                &square.programme,
                square.kind,
                square.count,
                square.due,
                square.paid,
            );
        }
        for (programme, counted) in &other.outcomes {
            self.outcomes(programme, *counted);
        }
    }

    /// How many findings of a kind, and their sums of what is due and paid (按种类合计).
    pub fn of_kind(&self, kind: FindingKind) -> (u64, i64, i64) {
        self.squares
            .iter()
            .filter(|square| square.kind == kind)
            .fold((0, 0_i64, 0_i64), |(count, due, paid), square| {
                (
                    count + square.count,
                    due.saturating_add(square.due),
                    paid.saturating_add(square.paid),
                )
            })
    }
}
