//! Binding logic (绑定逻辑): comparisons, and, or, not, lists of codes.
//!
//! A list of codes about one column is one look-up, however it was written. Deliberately absent: numbers; see `numbers`.

use super::bind::{Binder, Binding, Bound};
use super::graph::{Id, NoForm, Op};
use crate::cell::Cell;
use crate::program::{Comparison, Reg, Words};
use crate::table;

impl Binder<'_> {
    pub(super) fn comparison(
        &mut self,
        reg: Reg,
        comparison: Comparison,
        a: Reg,
        b: Reg,
    ) -> Binding {
        let (x, y) = (self.bind(a)?, self.bind(b)?);
        let flag = match (x, y) {
            (Bound::Outcome(id), Bound::Same(cell)) | (Bound::Same(cell), Bound::Outcome(id)) => {
                self.outcome_is(reg, comparison, id, cell)?
            }
            (Bound::Word(word), Bound::Same(Cell::Whole(text)))
            | (Bound::Same(Cell::Whole(text)), Bound::Word(word)) => {
                self.graph
                    .put(Op::IsOneOf(word, vec![text], comparison == Comparison::Ne))
            }
            (Bound::Word(x), Bound::Word(y)) => self.graph.put(Op::Compare(comparison, x, y)),
            (Bound::Flag(_), _) | (_, Bound::Flag(_)) => {
                let (x, y) = (self.as_flag(reg, x)?, self.as_flag(reg, y)?);
                let same = self.graph.put(Op::Same(x, y));
                if comparison == Comparison::Ne {
                    self.negated(same)
                } else {
                    same
                }
            }
            (Bound::Word(_), _)
            | (_, Bound::Word(_))
            | (Bound::Outcome(_), _)
            | (_, Bound::Outcome(_)) => {
                return Err(NoForm(reg, "文字与别的东西比较"));
            }
            _ => {
                let (x, y) = (self.as_number(reg, x)?, self.as_number(reg, y)?);
                let (x, y, _) = self.alike(reg, x, y)?;
                self.compared(comparison, x, y)
            }
        };
        Ok(Bound::Flag(flag))
    }

    fn outcome_is(
        &mut self,
        reg: Reg,
        comparison: Comparison,
        id: Id,
        cell: Cell,
    ) -> Result<Id, NoForm> {
        let Cell::Whole(word) = cell else {
            return Err(NoForm(reg, "结论与不知道的东西比较"));
        };
        let same = match self.program.words.text(word) {
            Some(Words::MET) => id,
            Some(Words::NOT_MET) => self.negated(id),
            // Neither: no, as soon as the outcome is known.
            _ => {
                let not = self.negated(id);
                self.and(id, not)
            }
        };
        Ok(if comparison == Comparison::Ne {
            self.negated(same)
        } else {
            same
        })
    }

    pub(super) fn and(&mut self, a: Id, b: Id) -> Id {
        for (x, y) in [(a, b), (b, a)] {
            match self.graph.ops[x as usize] {
                Op::Truth(0) => return x,
                Op::Truth(3) => return y,
                _ => {}
            }
        }
        self.graph.put(Op::And(a, b))
    }

    pub(super) fn or(&mut self, a: Id, b: Id) -> Id {
        for (x, y) in [(a, b), (b, a)] {
            match self.graph.ops[x as usize] {
                Op::Truth(3) => return x,
                Op::Truth(0) => return y,
                _ => {}
            }
        }
        // A list of codes is one look-up.
        let merged = match (&self.graph.ops[a as usize], &self.graph.ops[b as usize]) {
            (Op::IsOneOf(x, these, false), Op::IsOneOf(y, those, false)) if x == y => {
                let mut all: Vec<i64> = these.iter().chain(those).copied().collect();
                all.sort_unstable();
                all.dedup();
                Some(Op::IsOneOf(*x, all, false))
            }
            (Op::InRegions(x, these), Op::InRegions(y, those)) if x == y => {
                let mut all: Vec<_> = these.iter().chain(those).copied().collect();
                all.sort_unstable();
                all.dedup();
                Some(Op::InRegions(*x, all))
            }
            _ => None,
        };
        self.graph.put(merged.unwrap_or(Op::Or(a, b)))
    }

    pub(super) fn negated(&mut self, id: Id) -> Id {
        let op = match &self.graph.ops[id as usize] {
            Op::Not(of) => return *of,
            Op::Truth(truth @ (0 | 3)) => Op::Truth(3 - truth),
            Op::IsOneOf(word, these, negated) => Op::IsOneOf(*word, these.clone(), !negated),
            _ => Op::Not(id),
        };
        self.graph.put(op)
    }

    pub(super) fn flag(&mut self, reg: Reg) -> Result<Id, NoForm> {
        let bound = self.bind(reg)?;
        self.as_flag(reg, bound)
    }

    pub(super) fn as_flag(&mut self, reg: Reg, bound: Bound) -> Result<Id, NoForm> {
        match bound {
            Bound::Flag(id) => Ok(id),
            Bound::Same(cell) => Ok(self.graph.put(Op::Truth(match cell {
                Cell::Whole(0) => 0,
                Cell::Broken => 1,
                Cell::Absent => 2,
                _ => 3,
            }))),
            _ => Err(NoForm(reg, "不是是否")),
        }
    }

    pub(super) fn as_word(&mut self, reg: Reg, bound: Bound) -> Result<Id, NoForm> {
        match bound {
            Bound::Word(id) => Ok(id),
            Bound::Same(Cell::Whole(word)) => {
                if !self.graph.words.contains(&word) {
                    self.graph.words.push(word);
                }
                Ok(self.graph.put(Op::WordConstant(word)))
            }
            Bound::Same(Cell::Absent) => Ok(self.graph.put(Op::Constant(0, table::ABSENT))),
            Bound::Same(Cell::Broken) => Ok(self.graph.put(Op::Constant(0, table::BROKEN))),
            _ => Err(NoForm(reg, "不是文字")),
        }
    }
}
