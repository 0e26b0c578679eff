//! Where a machine puts what came out (结果缓冲): one buffer a programme, kept from call to call.
//!
//! Deliberately absent: deciding; the reference and the vector loops both write here.

use super::{MET, NOT_MET, TO_VERIFY};
use crate::cell::Cell;
use crate::determination::Unit;
use crate::evaluate::Run;
use crate::program::{BenefitPlan, Level, Words};

/// The answers of one programme (一个事项的结果).
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) level: Level,
    pub(super) outcome: Vec<u8>,
    pub(super) amount: Vec<i64>,
    /// How many conditions it has.
    count: usize,
    pub(super) conditions: Vec<Vec<u8>>,
    pub(super) covered: Option<Vec<u8>>,
}

impl Answer {
    pub(super) fn of(plan: &BenefitPlan) -> Self {
        Self {
            level: plan.to.into(),
            outcome: Vec::new(),
            amount: Vec::new(),
            count: plan.conditions.len(),
            conditions: Vec::new(),
            covered: (plan.to == Unit::Household && plan.covers.is_some()).then(Vec::new),
        }
    }

    /// Makes room; what stood there may stay, every cell is written.
    pub(super) fn resize(&mut self, households: usize, members: usize, keeps: bool) {
        let height = match self.level {
            Level::Person => members,
            _ => households,
        };
        self.outcome.resize(height, TO_VERIFY);
        self.amount.resize(height, 0);
        if keeps {
            self.conditions.resize_with(self.count, Vec::new);
            for condition in &mut self.conditions {
                condition.resize(height, 1);
            }
        }
        if let Some(covered) = &mut self.covered {
            covered.resize(members, 0);
        }
    }

    /// Takes over what a run of the reference found; `row` and `child` say where its first household and member lie.
    pub(super) fn copy_from(&mut self, run: &Run<'_>, benefit: usize, row: usize, child: usize) {
        let plan = run.plan(benefit);
        let met = run.program.words.find(Words::MET);
        let height = run.cells[self.level as usize].height;
        let first = match self.level {
            Level::Person => child,
            _ => row,
        };
        for index in 0..height {
            let outcome = match run.own(plan.outcome, index) {
                Cell::Whole(word) if Some(word) == met => MET,
                Cell::Whole(_) => NOT_MET,
                _ => TO_VERIFY,
            };
            self.outcome[first + index] = outcome;
            self.amount[first + index] = match (outcome, run.own(plan.paid, index)) {
                (MET, Cell::Whole(fen)) => fen,
                _ => 0,
            };
            for (kept, condition) in self.conditions.iter_mut().zip(&plan.conditions) {
                kept[first + index] = match run.seen(*condition, self.level, index) {
                    Cell::Whole(0) => 0,
                    cell if cell.is_known() => 2,
                    _ => 1,
                };
            }
        }
        let Some((covered, covers)) = self.covered.as_mut().zip(plan.covers) else {
            return;
        };
        for member in 0..run.parents.len() {
            let met = self.outcome[row + run.parents[member]] == MET;
            let counts = run.seen(covers, Level::Person, member) == Cell::Whole(1);
            covered[child + member] = u8::from(met && counts);
        }
    }
}
