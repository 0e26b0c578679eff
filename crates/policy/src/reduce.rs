//! Sums over the members of a household (按户汇总): sum, count, min, max, any, all.
//!
//! Strict, unlike SQL: a member whose value is unknown makes the result unknown. Deliberately absent: averages; a rule
//! writes sum over count and says how it rounds.

use crate::cell::{Cell, Trouble, and, not, or, unknown};
use crate::evaluate::Run;
use crate::program::{Aggregate, Level, Reg};
use crate::ratio::Ratio;
use std::cmp::Ordering;

impl Run<'_> {
    /// Strict over the members that count. Where it is unknown whether a member counts, the result is unknown unless
    /// that member could not change it.
    pub(crate) fn aggregate(
        &self,
        what: Aggregate,
        of: Option<Reg>,
        filter: Option<Reg>,
        row: usize,
    ) -> Result<Cell, Trouble> {
        let mut sum = Ratio::whole(0);
        let mut whole: Option<i64> = Some(0);
        let mut count: i64 = 0;
        let mut best: Option<Ratio> = None;
        let mut doubtful: Vec<Ratio> = Vec::new();
        let mut truth = Cell::flag(what == Aggregate::All);
        let mut missing: Option<Cell> = None;
        let mut miss = |cell: Cell| missing = Some(unknown(cell, missing.unwrap_or(Cell::Absent)));
        for member in self.offsets[row]..self.offsets[row + 1] {
            let counts = filter.map_or(Cell::flag(true), |filter| {
                self.seen(filter, Level::Person, member)
            });
            if counts == Cell::Whole(0) {
                continue;
            }
            let value = of.map_or(Cell::flag(true), |of| self.seen(of, Level::Person, member));
            match what {
                Aggregate::Any => truth = or(truth, and(counts, value)),
                Aggregate::All => truth = and(truth, or(not(counts), value)),
                Aggregate::Count => {
                    if counts.is_known() {
                        count += 1;
                    } else {
                        miss(counts);
                    }
                }
                Aggregate::Sum => match (counts.is_known(), value) {
                    // Adding nothing cannot matter, whether the member counts or not.
                    (_, Cell::Whole(0)) => {}
                    (true, Cell::Whole(number)) if whole.is_some() => {
                        let total = whole.unwrap_or(0);
                        whole = total.checked_add(number);
                        if whole.is_none() {
                            sum = Ratio::whole(total)
                                .plus(Ratio::whole(number))
                                .ok_or(Trouble::Overflow)?;
                        }
                    }
                    (true, Cell::Whole(_) | Cell::Exact(_)) => {
                        if let Some(total) = whole.take() {
                            sum = Ratio::whole(total);
                        }
                        let ratio = value.ratio().ok_or(Trouble::Overflow)?;
                        sum = sum.plus(ratio).ok_or(Trouble::Overflow)?;
                    }
                    (true, value) => miss(value),
                    (false, value) => miss(unknown(counts, value)),
                },
                Aggregate::Min | Aggregate::Max => match (counts.is_known(), value.ratio()) {
                    (true, Some(ratio)) => {
                        let wanted = if what == Aggregate::Min {
                            Ordering::Less
                        } else {
                            Ordering::Greater
                        };
                        let better = match best {
                            None => true,
                            Some(best) => ratio.compared(best).ok_or(Trouble::Overflow)? == wanted,
                        };
                        if better {
                            best = Some(ratio);
                        }
                    }
                    (false, Some(ratio)) => doubtful.push(ratio),
                    (_, None) => miss(unknown(counts, value)),
                },
            }
        }
        if matches!(what, Aggregate::Any | Aggregate::All) {
            return Ok(truth);
        }
        for ratio in doubtful {
            let wanted = if what == Aggregate::Min {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            let matters = match best {
                None => true,
                Some(best) => ratio.compared(best).ok_or(Trouble::Overflow)? == wanted,
            };
            if matters {
                miss(Cell::Absent);
            }
        }
        if let Some(missing) = missing {
            return Ok(missing);
        }
        match what {
            Aggregate::Count => Ok(Cell::Whole(count)),
            Aggregate::Sum => Ok(whole.map_or_else(|| Cell::of(sum), Cell::Whole)),
            _ => best.map(Cell::of).ok_or(Trouble::Nobody),
        }
    }
}
