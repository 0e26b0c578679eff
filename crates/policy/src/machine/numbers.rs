//! Binding arithmetic (绑定算术): fractions by what is known of their denominators, ages by days.
//!
//! A number is whole, or has one denominator for everybody, or a column of them. Comparing with something a day decides
//! (an age, full months, a date moved by months) becomes comparing the day: such functions never turn, so the day where
//! the answer changes is found once, with the reference's own arithmetic. Deliberately absent: rounding nobody asked for.

use super::bind::{Binder, Binding, Bound};
use super::graph::{Id, NoForm, Op, Per};
use crate::cell::{Cell, added_months, between, on_day};
use crate::program::{Comparison, Op as Node, Reg};
use crate::table::{ABSENT, BROKEN, KNOWN};
use vocab::Month;

/// Days a machine takes: from the common era on, some eleven thousand years. Others go to the reference.
pub(super) const LAST_DAY: i64 = (1 << 22) - 1;

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i64::try_from(a).unwrap_or(1).max(1)
}

impl Binder<'_> {
    pub(super) fn whole(&mut self, number: i64) -> Id {
        self.graph.put(Op::Constant(number, KNOWN))
    }

    pub(super) fn number(&mut self, reg: Reg) -> Result<(Id, Per), NoForm> {
        let bound = self.bind(reg)?;
        self.as_number(reg, bound)
    }

    pub(super) fn as_number(&mut self, reg: Reg, bound: Bound) -> Result<(Id, Per), NoForm> {
        let (number, state, per) = match bound {
            Bound::Number(id, per) => return Ok((id, per)),
            Bound::Same(Cell::Whole(number)) => (number, KNOWN, 1),
            Bound::Same(Cell::Absent) => (0, ABSENT, 1),
            Bound::Same(Cell::Broken) => (0, BROKEN, 1),
            Bound::Same(Cell::Exact(ratio)) => {
                match (i64::try_from(ratio.num()), i64::try_from(ratio.den())) {
                    (Ok(num), Ok(den)) => (num, KNOWN, den),
                    _ => return Err(NoForm(reg, "常数太大")),
                }
            }
            _ => return Err(NoForm(reg, "不是数")),
        };
        Ok((self.graph.put(Op::Constant(number, state)), Per::Fixed(per)))
    }

    fn constant(&self, id: Id) -> Option<i64> {
        match self.graph.ops[id as usize] {
            Op::Constant(number, KNOWN) => Some(number),
            _ => None,
        }
    }

    fn times(&mut self, a: Id, b: Id) -> Id {
        for (x, y) in [(a, b), (b, a)] {
            if self.constant(x) == Some(1) {
                return y;
            }
        }
        if let (Some(x), Some(y)) = (self.constant(a), self.constant(b))
            && let Some(product) = x.checked_mul(y)
        {
            return self.whole(product);
        }
        self.graph.put(Op::Times(a, b))
    }

    fn scaled(&mut self, id: Id, factor: i64) -> Id {
        let factor = self.whole(factor);
        self.times(id, factor)
    }

    fn per_column(&mut self, per: Per) -> Id {
        match per {
            Per::Fixed(per) => self.whole(per),
            Per::By(id) => id,
        }
    }

    /// Two numbers over the same denominator.
    pub(super) fn alike(
        &mut self,
        reg: Reg,
        (a, per_a): (Id, Per),
        (b, per_b): (Id, Per),
    ) -> Result<(Id, Id, Per), NoForm> {
        if per_a == per_b {
            return Ok((a, b, per_a));
        }
        if let (Per::Fixed(x), Per::Fixed(y)) = (per_a, per_b) {
            let shared = gcd(x, y);
            let per = (x / shared).checked_mul(y).ok_or(NoForm(reg, "分母太大"))?;
            let (a, b) = (self.scaled(a, y / shared), self.scaled(b, x / shared));
            return Ok((a, b, Per::Fixed(per)));
        }
        let (x, y) = (self.per_column(per_a), self.per_column(per_b));
        let (a, b, per) = (self.times(a, y), self.times(b, x), self.times(x, y));
        Ok((a, b, Per::By(per)))
    }

    pub(super) fn arithmetic(&mut self, reg: Reg, op: &Node) -> Binding {
        let whole = |id: Id| Ok(Bound::Number(id, Per::Fixed(1)));
        match op {
            Node::Plus(a, b) | Node::Minus(a, b) => {
                let (a, b) = (self.number(*a)?, self.number(*b)?);
                let (a, b, per) = self.alike(reg, a, b)?;
                let op = match op {
                    Node::Plus(..) => Op::Plus(a, b),
                    _ => Op::Minus(a, b),
                };
                Ok(Bound::Number(self.graph.put(op), per))
            }
            Node::Times(a, b) => {
                let (a, b) = (self.number(*a)?, self.number(*b)?);
                self.product(reg, a, b)
            }
            Node::Over(a, b) => {
                let (a, b) = (self.number(*a)?, self.number(*b)?);
                self.quotient(reg, a, b)
            }
            Node::Negative(a) => {
                let (a, per) = self.number(*a)?;
                let zero = self.whole(0);
                Ok(Bound::Number(self.graph.put(Op::Minus(zero, a)), per))
            }
            Node::Abs(a) => {
                let (a, per) = self.number(*a)?;
                Ok(Bound::Number(self.graph.put(Op::Abs(a)), per))
            }
            Node::Greatest(of) | Node::Least(of) => {
                let mut best: Option<(Id, Per)> = None;
                for one in of {
                    let one = self.number(*one)?;
                    best = Some(match best {
                        None => one,
                        Some(best) => {
                            let (a, b, per) = self.alike(reg, best, one)?;
                            let op = match op {
                                Node::Greatest(_) => Op::Greatest(a, b),
                                _ => Op::Least(a, b),
                            };
                            (self.graph.put(op), per)
                        }
                    });
                }
                match best {
                    Some((id, per)) => Ok(Bound::Number(id, per)),
                    None => Ok(Bound::Same(Cell::Absent)),
                }
            }
            Node::Round(of, rounding) => {
                let (direction, step) = rounding.parts();
                let step = i64::try_from(step).map_err(|_| NoForm(reg, "舍入单位太大"))?;
                match self.number(*of)? {
                    (id, Per::Fixed(1)) if step == 1 => whole(id),
                    (id, per) => whole(self.graph.put(Op::Round(id, per, direction, step))),
                }
            }
            Node::YearsBetween(a, b) | Node::MonthsBetween(a, b) => {
                let (a, b) = (self.day(reg, *a)?, self.day(reg, *b)?);
                let months = match op {
                    Node::YearsBetween(..) => 12,
                    _ => 1,
                };
                whole(self.graph.put(Op::Between(a, b, months)))
            }
            Node::AddMonths(day, count, factor) => {
                let (day, count) = (self.day(reg, *day)?, self.number(*count)?);
                let (count, Per::Fixed(1)) = count else {
                    return Err(NoForm(reg, "月数是分数"));
                };
                whole(self.graph.put(Op::Shift(day, count, *factor)))
            }
            Node::StartOfMonth(day) => {
                let day = self.day(reg, *day)?;
                whole(self.graph.put(Op::MonthStart(day)))
            }
            Node::EndOfMonth(day) => {
                let day = self.day(reg, *day)?;
                whole(self.graph.put(Op::MonthEnd(day)))
            }
            _ => Err(NoForm(reg, "没有列式")),
        }
    }

    fn day(&mut self, at: Reg, reg: Reg) -> Result<Id, NoForm> {
        match self.number(reg)? {
            (day, Per::Fixed(1)) => Ok(day),
            _ => Err(NoForm(at, "日期是分数")),
        }
    }

    fn product(&mut self, reg: Reg, (a, per_a): (Id, Per), (b, per_b): (Id, Per)) -> Binding {
        if let (Per::Fixed(x), Per::Fixed(y)) = (per_a, per_b) {
            let mut per = x.checked_mul(y).ok_or(NoForm(reg, "分母太大"))?;
            let (mut a, mut b) = (a, b);
            for id in [&mut a, &mut b] {
                if let Some(number) = self.constant(*id) {
                    let shared = gcd(number, per);
                    per /= shared;
                    *id = self.whole(number / shared);
                }
            }
            return Ok(Bound::Number(self.times(a, b), Per::Fixed(per)));
        }
        let (x, y) = (self.per_column(per_a), self.per_column(per_b));
        let (number, per) = (self.times(a, b), self.times(x, y));
        Ok(Bound::Number(number, Per::By(per)))
    }

    fn quotient(&mut self, reg: Reg, a: (Id, Per), (b, per_b): (Id, Per)) -> Binding {
        if let (Some(number), Per::Fixed(per)) = (self.constant(b), per_b) {
            if number == 0 {
                return Ok(Bound::Same(Cell::Broken));
            }
            let turned = if number < 0 { -per } else { per };
            let inverse = self.whole(turned);
            let per = number.checked_abs().ok_or(NoForm(reg, "分母太大"))?;
            return self.product(reg, a, (inverse, Per::Fixed(per)));
        }
        // a/x over b/y is a·y over b·x.
        let (a, per_a) = a;
        let (mut x, mut y) = (per_a, per_b);
        if let (Per::Fixed(from), Per::Fixed(to)) = (x, y) {
            let shared = gcd(from, to);
            (x, y) = (Per::Fixed(from / shared), Per::Fixed(to / shared));
        }
        let (x, y) = (self.per_column(x), self.per_column(y));
        let over = self.times(a, y);
        let number = self.graph.put(Op::Signed(over, b));
        let size = self.graph.put(Op::Magnitude(b));
        let per = self.times(size, x);
        Ok(Bound::Number(number, Per::By(per)))
    }

    /// Compares two whole numbers, by the day behind one of them if there is one.
    pub(super) fn compared(&mut self, comparison: Comparison, a: Id, b: Id) -> Id {
        let turned = match comparison {
            Comparison::Lt => Comparison::Gt,
            Comparison::Le => Comparison::Ge,
            Comparison::Gt => Comparison::Lt,
            Comparison::Ge => Comparison::Le,
            other => other,
        };
        for (x, y, comparison) in [(a, b, comparison), (b, a, turned)] {
            if let Some(limit) = self.constant(y)
                && let Some(day) = self.day_behind(x)
                && day != x
                && let Some(flag) = self.by_day(comparison, x, day, limit)
            {
                return flag;
            }
        }
        self.graph.put(Op::Compare(comparison, a, b))
    }

    fn by_day(&mut self, comparison: Comparison, of: Id, day: Id, limit: i64) -> Option<Id> {
        match comparison {
            Comparison::Eq | Comparison::Ne => {
                let low = self.by_day(Comparison::Ge, of, day, limit)?;
                let high = self.by_day(Comparison::Le, of, day, limit)?;
                let same = self.and(low, high);
                return Some(match comparison {
                    Comparison::Eq => same,
                    _ => self.negated(same),
                });
            }
            _ => {}
        }
        let holds = |value: i64| match comparison {
            Comparison::Lt => value < limit,
            Comparison::Le => value <= limit,
            Comparison::Gt => value > limit,
            _ => value >= limit,
        };
        let (first, change) = self.turning(of, day, holds)?;
        let change = self.whole(change);
        // From the first day on it is `first`; from the day of change it is the other.
        let how = if first {
            Comparison::Lt
        } else {
            Comparison::Ge
        };
        Some(self.graph.put(Op::Compare(how, day, change)))
    }

    /// A band read by something a day decides is read by the day.
    pub(super) fn stepped(&mut self, key: Id, steps: Vec<(i64, i64)>) -> Id {
        if let Some(day) = self.day_behind(key)
            && day != key
            && let Some((by_day, falling)) = self.steps_by_day(key, day, &steps)
        {
            return self.graph.put(Op::Steps(day, by_day, falling));
        }
        self.graph.put(Op::Steps(key, steps, false))
    }

    fn steps_by_day(
        &self,
        key: Id,
        day: Id,
        steps: &[(i64, i64)],
    ) -> Option<(Vec<(i64, i64)>, bool)> {
        let mut by_day = Vec::with_capacity(steps.len());
        let rises = self.by_hand(key, day, 0)? <= self.by_hand(key, day, LAST_DAY)?;
        for (bound, value) in steps {
            let (first, change) = self.turning(key, day, |key| key >= *bound)?;
            // Where the bound is reached by all or by nobody, the limit lies outside the days there are.
            let limit = match (rises, first) {
                (true, true) => i64::MIN,
                (true, false) => change,
                (false, true) => change - 1,
                (false, false) => i64::MIN,
            };
            by_day.push((limit, *value));
        }
        Some((by_day, !rises))
    }

    /// Whether a test of a day's function holds on the first day, and the first day on which that changes.
    fn turning(&self, of: Id, day: Id, holds: impl Fn(i64) -> bool) -> Option<(bool, i64)> {
        let first = holds(self.by_hand(of, day, 0)?);
        if holds(self.by_hand(of, day, LAST_DAY)?) == first {
            return Some((first, LAST_DAY + 1));
        }
        let (mut same, mut other) = (0, LAST_DAY);
        while other - same > 1 {
            let middle = i64::midpoint(same, other);
            if holds(self.by_hand(of, day, middle)?) == first {
                same = middle;
            } else {
                other = middle;
            }
        }
        Some((first, other))
    }

    /// The column of days a number is a function of, all else in it being the same for everybody.
    fn day_behind(&self, id: Id) -> Option<Id> {
        let op = &self.graph.ops[id as usize];
        match op {
            Op::Days(_) => Some(id),
            Op::Spread(of) if matches!(self.graph.ops[*of as usize], Op::Days(_)) => Some(id),
            Op::Between(a, b, _) | Op::Minus(a, b) => {
                match (self.constant(*a), self.constant(*b)) {
                    (None, Some(_)) => self.day_behind(*a),
                    (Some(_), None) => self.day_behind(*b),
                    _ => None,
                }
            }
            Op::Shift(day, count, _) => self.constant(*count).and_then(|_| self.day_behind(*day)),
            Op::MonthStart(day) | Op::MonthEnd(day) => self.day_behind(*day),
            _ => None,
        }
    }

    /// That function on one day, by the reference's arithmetic.
    fn by_hand(&self, id: Id, day: Id, value: i64) -> Option<i64> {
        if id == day {
            return Some(value);
        }
        let part = |id: Id| self.constant(id).or_else(|| self.by_hand(id, day, value));
        let cell = |id: Id| part(id).map(Cell::Whole);
        let found = match self.graph.ops[id as usize] {
            Op::Minus(a, b) => return part(a)?.checked_sub(part(b)?),
            Op::Between(a, b, months) => between(cell(a)?, cell(b)?, months),
            Op::Shift(a, b, factor) => added_months(cell(a)?, cell(b)?, factor),
            Op::MonthStart(a) => on_day(cell(a)?, |day| Some(Month::of(day).first_day())),
            Op::MonthEnd(a) => on_day(cell(a)?, |day| Some(Month::of(day).last_day())),
            _ => return None,
        };
        match found {
            Ok(Cell::Whole(value)) => Some(value),
            _ => None,
        }
    }
}
