//! One cell of a column (单元格): a value or the absence of one, and the arithmetic on it.
//!
//! Guarantees: unknown in, unknown out, except where logic says that it cannot matter; whole numbers take the fast way and
//! everything else stays an exact fraction. Deliberately absent: where cells lie; see `evaluate`.

use crate::program::Comparison;
use crate::ratio::Ratio;
use chrono::{Datelike, NaiveDate};

/// The value of a cell (单元格的值).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Not known, because nobody said.
    Absent,
    /// Not known, because what was said or computed cannot be used.
    Broken,
    /// A whole number; flags are 0 and 1, days are counted, words are numbered.
    Whole(i64),
    /// A fraction, or a whole number beyond 64 bits.
    Exact(Ratio),
}

impl Cell {
    pub(crate) fn is_known(self) -> bool {
        matches!(self, Self::Whole(_) | Self::Exact(_))
    }

    pub(crate) fn ratio(self) -> Option<Ratio> {
        match self {
            Self::Whole(number) => Some(Ratio::whole(number)),
            Self::Exact(ratio) => Some(ratio),
            Self::Absent | Self::Broken => None,
        }
    }

    pub(crate) fn of(ratio: Ratio) -> Self {
        ratio.as_whole().map_or(Self::Exact(ratio), Self::Whole)
    }

    pub(crate) fn flag(flag: bool) -> Self {
        Self::Whole(i64::from(flag))
    }
}

/// Unknown from two unknown or known cells: broken wins, so that nobody mistakes it for silence.
pub(crate) fn unknown(a: Cell, b: Cell) -> Cell {
    if a == Cell::Broken || b == Cell::Broken {
        Cell::Broken
    } else {
        Cell::Absent
    }
}

/// Why a cell is broken (算不出来的原因).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    DivideByZero,
    Overflow,
    NotYet(u32, NaiveDate),
    Lapsed(u32, NaiveDate),
    Unpublished(u32),
    BelowBand(u32),
    NoSuchCode(u32),
    NoVersion,
    Nobody,
    OutOfCalendar,
    /// Two values known since the same moment: what is said where.
    Conflict(u32, Box<str>),
    WrongValue(u32, Box<str>),
    NotARegion(Box<str>),
    NotWholeFen,
    NotPositive,
}

pub(crate) fn and(a: Cell, b: Cell) -> Cell {
    match (a, b) {
        (Cell::Whole(0), _) | (_, Cell::Whole(0)) => Cell::flag(false),
        _ if a.is_known() && b.is_known() => Cell::flag(true),
        _ => unknown(a, b),
    }
}

pub(crate) fn not(a: Cell) -> Cell {
    match a {
        Cell::Whole(0) => Cell::flag(true),
        _ if a.is_known() => Cell::flag(false),
        _ => a,
    }
}

pub(crate) fn or(a: Cell, b: Cell) -> Cell {
    not(and(not(a), not(b)))
}

pub(crate) fn both(
    a: Cell,
    b: Cell,
    fast: impl Fn(i64, i64) -> Option<i64>,
    exact: impl Fn(Ratio, Ratio) -> Option<Ratio>,
) -> Result<Cell, Trouble> {
    if let (Cell::Whole(x), Cell::Whole(y)) = (a, b)
        && let Some(result) = fast(x, y)
    {
        return Ok(Cell::Whole(result));
    }
    match (a.ratio(), b.ratio()) {
        (Some(x), Some(y)) => exact(x, y).map(Cell::of).ok_or(Trouble::Overflow),
        _ => Ok(unknown(a, b)),
    }
}

pub(crate) fn one(a: Cell, exact: impl Fn(Ratio) -> Option<Ratio>) -> Result<Cell, Trouble> {
    match a.ratio() {
        Some(ratio) => exact(ratio).map(Cell::of).ok_or(Trouble::Overflow),
        None => Ok(a),
    }
}

pub(crate) fn divided(a: Cell, b: Cell) -> Result<Cell, Trouble> {
    if b.ratio().is_some_and(Ratio::is_zero) {
        return Err(Trouble::DivideByZero);
    }
    if let (Cell::Whole(x), Cell::Whole(y)) = (a, b)
        && x.checked_rem(y) == Some(0)
        && let Some(result) = x.checked_div(y)
    {
        return Ok(Cell::Whole(result));
    }
    both(a, b, |_, _| None, Ratio::over)
}

pub(crate) fn compared(comparison: Comparison, a: Cell, b: Cell) -> Result<Cell, Trouble> {
    let order = match (a, b) {
        (Cell::Whole(x), Cell::Whole(y)) => x.cmp(&y),
        _ => match (a.ratio(), b.ratio()) {
            (Some(x), Some(y)) => x.compared(y).ok_or(Trouble::Overflow)?,
            _ => return Ok(unknown(a, b)),
        },
    };
    Ok(Cell::flag(comparison.holds(order)))
}

pub(crate) fn as_day(cell: Cell) -> Option<NaiveDate> {
    match cell {
        Cell::Whole(days) => NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?),
        _ => None,
    }
}

pub(crate) fn on_day(
    cell: Cell,
    change: impl Fn(NaiveDate) -> Option<NaiveDate>,
) -> Result<Cell, Trouble> {
    if !cell.is_known() {
        return Ok(cell);
    }
    as_day(cell)
        .and_then(change)
        .map(|day| Cell::Whole(i64::from(day.num_days_from_ce())))
        .ok_or(Trouble::OutOfCalendar)
}

/// Full periods of so many months from one day to another; negative if the second lies before.
pub(crate) fn between(a: Cell, b: Cell, months: i64) -> Result<Cell, Trouble> {
    if !a.is_known() || !b.is_known() {
        return Ok(unknown(a, b));
    }
    let (Some(from), Some(to)) = (as_day(a), as_day(b)) else {
        return Err(Trouble::OutOfCalendar);
    };
    let full = |from: NaiveDate, to: NaiveDate| {
        let whole = i64::from(to.year() - from.year()) * 12 + i64::from(to.month())
            - i64::from(from.month());
        // Born on the 29th of February: the year is full on the 1st of March.
        (whole - i64::from(to.day() < from.day())).div_euclid(months)
    };
    Ok(Cell::Whole(if to < from {
        -full(to, from)
    } else {
        full(from, to)
    }))
}

pub(crate) fn added_months(day: Cell, count: Cell, factor: i64) -> Result<Cell, Trouble> {
    if !day.is_known() || !count.is_known() {
        return Ok(unknown(day, count));
    }
    let Cell::Whole(count) = count else {
        return Err(Trouble::OutOfCalendar);
    };
    on_day(day, |day| {
        let months = i32::try_from(count.checked_mul(factor)?).ok()?;
        let size = chrono::Months::new(months.unsigned_abs());
        if months < 0 {
            day.checked_sub_months(size)
        } else {
            day.checked_add_months(size)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Cell {
        let day: NaiveDate = text.parse().unwrap();
        Cell::Whole(i64::from(day.num_days_from_ce()))
    }

    #[test]
    fn full_years_are_counted_on_the_birthday() {
        for (from, to, years) in [
            ("1950-06-15", "2020-06-14", 69),
            ("1950-06-15", "2020-06-15", 70),
            ("2004-02-29", "2022-02-28", 17),
            ("2004-02-29", "2022-03-01", 18),
            ("2020-01-31", "2019-01-31", -1),
        ] {
            assert_eq!(
                between(day(from), day(to), 12),
                Ok(Cell::Whole(years)),
                "{from} {to}"
            );
        }
        assert_eq!(
            between(day("2026-01-31"), day("2026-03-30"), 1),
            Ok(Cell::Whole(1))
        );
    }

    #[test]
    fn three_valued_logic_follows_its_table() {
        use crate::determination::Tri;
        let cell = |tri: Tri| match tri {
            Tri::Yes => Cell::Whole(1),
            Tri::No => Cell::Whole(0),
            Tri::Unknown => Cell::Absent,
        };
        let all = [Tri::Yes, Tri::No, Tri::Unknown];
        for a in all {
            assert_eq!(not(cell(a)), cell(a.negate()));
            for b in all {
                assert_eq!(and(cell(a), cell(b)), cell(a.and(b)), "{a:?} and {b:?}");
                assert_eq!(or(cell(a), cell(b)), cell(a.or(b)), "{a:?} or {b:?}");
            }
        }
        assert_eq!(and(Cell::Broken, cell(Tri::Yes)), Cell::Broken);
        assert_eq!(or(Cell::Broken, cell(Tri::Yes)), cell(Tri::Yes));
    }
}
