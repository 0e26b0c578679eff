//! Granting (给予待遇): from conditions and amount to outcome and payment.
//!
//! Guarantees: nothing is granted while it is unclear how much or for whom; an amount that cannot be paid is a gap in the
//! rules and goes to a person. Deliberately absent: sentences; see `answer`.

use crate::cell::{Cell, Trouble, and};
use crate::evaluate::Run;
use crate::program::{Level, Words};

impl Run<'_> {
    pub(crate) fn benefit(&mut self, number: usize) {
        for reg in self.plan(number).nodes.clone() {
            self.node(reg);
        }
        self.grant(number);
    }

    /// The outcome and what is paid, once the conditions and the amount are worked out.
    pub(crate) fn grant(&mut self, number: usize) {
        let program = self.program;
        let plan = self.plan(number);
        let level = Level::from(plan.to);
        let met = program
            .words
            .find(Words::MET)
            .map_or(Cell::Absent, Cell::Whole);
        let not_met = program
            .words
            .find(Words::NOT_MET)
            .map_or(Cell::Absent, Cell::Whole);
        for index in 0..self.cells[level as usize].height {
            let mut all = Cell::flag(true);
            for condition in &plan.conditions {
                all = and(all, self.seen(*condition, level, index));
            }
            let (outcome, paid) = match all {
                Cell::Whole(0) => (not_met, Ok(Cell::Whole(0))),
                Cell::Whole(_) => self.granted(plan, met, level, index),
                _ => (Cell::Absent, Ok(Cell::Absent)),
            };
            self.put(plan.outcome, index, outcome);
            self.settle(plan.paid, index, paid);
        }
    }

    /// All conditions are met; now the amount must be there, whole and positive, and it must be clear for whom.
    fn granted(
        &self,
        plan: &crate::program::BenefitPlan,
        met: Cell,
        level: Level,
        index: usize,
    ) -> (Cell, Result<Cell, Trouble>) {
        let unclear = (Cell::Absent, Ok(Cell::Absent));
        if let Some(covers) = plan.covers
            && (self.offsets[index]..self.offsets[index + 1])
                .any(|member| !self.seen(covers, Level::Person, member).is_known())
        {
            return unclear;
        }
        let Some(amount) = plan.amount else {
            return (met, Ok(Cell::Whole(0)));
        };
        match self.seen(amount, level, index) {
            Cell::Whole(fen) if fen > 0 => (met, Ok(Cell::Whole(fen))),
            Cell::Whole(_) => (Cell::Absent, Err(Trouble::NotPositive)),
            Cell::Exact(ratio) if ratio.den() == 1 => (Cell::Absent, Err(Trouble::Overflow)),
            Cell::Exact(_) => (Cell::Absent, Err(Trouble::NotWholeFen)),
            Cell::Absent | Cell::Broken => unclear,
        }
    }
}
