//! One operation on one cell (单元格运算): what a node is worth, from the values of its parts.
//!
//! There are two ways: whole numbers all known, which is nearly always so and quick, and everything else. Guarantees: where the
//! quick way gives a value, the other gives the same. Deliberately absent: where cells lie; see `evaluate`.

use crate::cell::{
    Cell, Trouble, added_months, and, between, both, compared, divided, not, on_day, one, or,
    unknown,
};
use crate::evaluate::Run;
use crate::lean::is_given;
use crate::parameter::Setting;
use crate::program::{Aggregate, Level, Op, Reg};
use crate::ratio::Ratio;
use std::cmp::Ordering;
use vocab::{Month, Region};

impl Run<'_> {
    /// The value of an operation if all its parts that matter are whole numbers and so is what comes out.
    pub(crate) fn all_whole(&self, op: &Op, level: Level, index: usize) -> Option<i64> {
        let whole = |reg: &Reg| self.whole_seen(*reg, level, index);
        let flag = |reg: &Reg| whole(reg).map(|value| value != 0);
        match op {
            Op::AbsentIsZero(of) => whole(of),
            Op::Plus(a, b) => whole(a)?.checked_add(whole(b)?),
            Op::Minus(a, b) => whole(a)?.checked_sub(whole(b)?),
            Op::Times(a, b) => whole(a)?.checked_mul(whole(b)?),
            Op::Over(a, b) => {
                let (a, b) = (whole(a)?, whole(b)?);
                (a.checked_rem(b)? == 0).then(|| a.checked_div(b))?
            }
            Op::Negative(of) => whole(of)?.checked_neg(),
            Op::Abs(of) => whole(of)?.checked_abs(),
            Op::Compare(comparison, a, b) => {
                Some(comparison.holds(whole(a)?.cmp(&whole(b)?)).into())
            }
            Op::And(a, b) => Some((flag(a)? & flag(b)?).into()),
            Op::Or(a, b) => Some((flag(a)? | flag(b)?).into()),
            Op::Not(of) => Some((!flag(of)?).into()),
            Op::Case(whens, otherwise) => {
                for (test, value) in whens {
                    if flag(test)? {
                        return whole(value);
                    }
                }
                whole(otherwise)
            }
            Op::Greatest(of) => of
                .iter()
                .map(whole)
                .try_fold(i64::MIN, |best, value| value.map(|value| best.max(value))),
            Op::Least(of) => of
                .iter()
                .map(whole)
                .try_fold(i64::MAX, |best, value| value.map(|value| best.min(value))),
            Op::Known(of) => whole(of).map(|_| 1),
            Op::Round(of, rounding) => rounding.apply_whole(whole(of)?),
            Op::Aggregate { what, of, filter } => {
                self.all_whole_members(*what, *of, *filter, index)
            }
            _ => None,
        }
    }

    /// An aggregate of members about whom everything is known in whole numbers.
    fn all_whole_members(
        &self,
        what: Aggregate,
        of: Option<Reg>,
        filter: Option<Reg>,
        row: usize,
    ) -> Option<i64> {
        let mut found = match what {
            Aggregate::All => 1,
            Aggregate::Min => i64::MAX,
            Aggregate::Max => i64::MIN,
            Aggregate::Sum | Aggregate::Count | Aggregate::Any => 0,
        };
        let mut counted = false;
        for member in self.offsets[row]..self.offsets[row + 1] {
            let whole = |reg: Reg| self.whole_seen(reg, Level::Person, member);
            if let Some(filter) = filter
                && whole(filter)? == 0
            {
                continue;
            }
            counted = true;
            let value = match (what, of) {
                (Aggregate::Count, _) | (_, None) => 1,
                (_, Some(of)) => whole(of)?,
            };
            found = match what {
                Aggregate::Sum | Aggregate::Count => found.checked_add(value)?,
                Aggregate::Min => found.min(value),
                Aggregate::Max => found.max(value),
                Aggregate::Any => found | i64::from(value != 0),
                Aggregate::All => found & i64::from(value != 0),
            };
        }
        // The smallest of nobody is not a number.
        (counted || !matches!(what, Aggregate::Min | Aggregate::Max)).then_some(found)
    }

    /// The value of an operation, whatever its parts are.
    pub(crate) fn by_parts(&self, op: &Op, level: Level, index: usize) -> Result<Cell, Trouble> {
        let seen = |reg: &Reg| self.seen(*reg, level, index);
        match op {
            Op::AbsentIsZero(of) => Ok(match seen(of) {
                Cell::Absent => Cell::Whole(0),
                cell => cell,
            }),
            Op::Plus(a, b) => both(seen(a), seen(b), i64::checked_add, Ratio::plus),
            Op::Minus(a, b) => both(seen(a), seen(b), i64::checked_sub, Ratio::minus),
            Op::Times(a, b) => both(seen(a), seen(b), i64::checked_mul, Ratio::times),
            Op::Over(a, b) => divided(seen(a), seen(b)),
            Op::Negative(of) => one(seen(of), Ratio::negated),
            Op::Abs(of) => one(seen(of), |ratio| {
                if ratio.num() < 0 {
                    ratio.negated()
                } else {
                    Some(ratio)
                }
            }),
            Op::Compare(comparison, a, b) => compared(*comparison, seen(a), seen(b)),
            Op::And(a, b) => Ok(and(seen(a), seen(b))),
            Op::Or(a, b) => Ok(or(seen(a), seen(b))),
            Op::Not(of) => Ok(not(seen(of))),
            Op::Case(whens, otherwise) => Ok(self.case(whens, *otherwise, level, index)),
            Op::Greatest(of) => self.extreme(of, Ordering::Greater, level, index),
            Op::Least(of) => self.extreme(of, Ordering::Less, level, index),
            Op::Known(of) => Ok(match seen(of) {
                Cell::Absent => Cell::flag(false),
                Cell::Broken => Cell::Broken,
                _ => Cell::flag(true),
            }),
            Op::YearsBetween(a, b) => between(seen(a), seen(b), 12),
            Op::MonthsBetween(a, b) => between(seen(a), seen(b), 1),
            Op::AddMonths(day, count, factor) => added_months(seen(day), seen(count), *factor),
            Op::StartOfMonth(day) => on_day(seen(day), |day| Some(Month::of(day).first_day())),
            Op::EndOfMonth(day) => on_day(seen(day), |day| Some(Month::of(day).last_day())),
            Op::InRegion(of, region) => self.in_region(*of, *region, level, index),
            Op::Band(param, key) => {
                let by_code = self.program.nodes[*key as usize].kind.is_word();
                self.band(*param, by_code, seen(key))
            }
            Op::Aggregate { what, of, filter } => self.aggregate(*what, *of, *filter, index),
            Op::Round(of, rounding) => one(seen(of), |ratio| rounding.apply(ratio)),
            given => {
                debug_assert!(is_given(given), "an operation without a way to work it out");
                Ok(Cell::Absent)
            }
        }
    }

    /// An unknown test leaves the value unknown, unless it cannot matter because both ways give the same.
    fn case(&self, whens: &[(Reg, Reg)], otherwise: Reg, level: Level, index: usize) -> Cell {
        let mut result = self.seen(otherwise, level, index);
        for (test, value) in whens.iter().rev() {
            let value = self.seen(*value, level, index);
            result = match self.seen(*test, level, index) {
                Cell::Whole(0) => result,
                test if test.is_known() => value,
                _ if value.is_known() && value == result => value,
                test => unknown(test, unknown(value, result)),
            };
        }
        result
    }

    /// Strict: one unknown makes the largest and the smallest unknown.
    fn extreme(
        &self,
        of: &[Reg],
        wanted: Ordering,
        level: Level,
        index: usize,
    ) -> Result<Cell, Trouble> {
        let mut best: Option<Ratio> = None;
        let mut missing: Option<Cell> = None;
        for reg in of {
            let cell = self.seen(*reg, level, index);
            match cell.ratio() {
                None => missing = Some(unknown(cell, missing.unwrap_or(Cell::Absent))),
                Some(ratio) => {
                    let better = match best {
                        None => true,
                        Some(best) => ratio.compared(best).ok_or(Trouble::Overflow)? == wanted,
                    };
                    if better {
                        best = Some(ratio);
                    }
                }
            }
        }
        Ok(match (missing, best) {
            (Some(missing), _) => missing,
            (None, Some(best)) => Cell::of(best),
            (None, None) => Cell::Absent,
        })
    }

    fn in_region(
        &self,
        of: Reg,
        region: Region,
        level: Level,
        index: usize,
    ) -> Result<Cell, Trouble> {
        let Cell::Whole(word) = self.seen(of, level, index) else {
            return Ok(self.seen(of, level, index));
        };
        let text = self.word_text(word).unwrap_or_default();
        match text.parse() {
            Ok(place) => Ok(Cell::flag(region.holds(place))),
            Err(_) => Err(Trouble::NotARegion(text.into())),
        }
    }

    pub(crate) fn band(&self, param: u32, by_code: bool, key: Cell) -> Result<Cell, Trouble> {
        let Some(key) = key.ratio() else {
            return Ok(key);
        };
        let parameter = &self.program.params[param as usize];
        let number = match self.setting(param)? {
            // Codes written in digits look like lower bounds; each stands for itself alone.
            Setting::Steps(steps) if by_code => key
                .as_whole()
                .and_then(|word| self.word_text(word)?.parse().ok())
                .and_then(|code: i64| steps.get(&code))
                .copied()
                .ok_or(Trouble::NoSuchCode(param))?,
            Setting::Steps(steps) => {
                let whole = i64::try_from(key.floor()).map_err(|_| Trouble::Overflow)?;
                steps
                    .range(..=whole)
                    .next_back()
                    .map(|(_, value)| *value)
                    .ok_or(Trouble::BelowBand(param))?
            }
            Setting::Codes(codes) => key
                .as_whole()
                .and_then(|word| self.word_text(word))
                .and_then(|word| codes.get(word))
                .copied()
                .ok_or(Trouble::NoSuchCode(param))?,
            Setting::Single(number) => *number,
        };
        Ok(Cell::of(parameter.scaled(number)))
    }
}
