//! Loops that are more than one expression (列循环): arithmetic with its bounds, bands, days, what can be paid.
//!
//! Guarantees: bounds are worked out before a loop runs, and a loop that could leave them is not run. Deliberately absent:
//! which loop runs when; see `batch`.

use super::graph::{Id, Op, Per};
use super::lanes::{Flags, Numbers, Rare, bounds};
use crate::cell::{Cell, Trouble};
use crate::table::{ABSENT, BROKEN, KNOWN};

/// Numbers made of two.
pub(super) fn pairs<'n>(
    op: &Op,
    number: impl Fn(Id) -> &'n Numbers,
    out: &mut Numbers,
) -> Result<(), Rare> {
    match op {
        Op::Plus(a, b) => {
            let (a, b) = (number(*a), number(*b));
            let ends = bounds(a.low.checked_add(b.low), a.high.checked_add(b.high))?;
            out.pairwise(a, b, ends, i64::wrapping_add);
        }
        Op::Minus(a, b) => {
            let (a, b) = (number(*a), number(*b));
            let ends = bounds(a.low.checked_sub(b.high), a.high.checked_sub(b.low))?;
            out.pairwise(a, b, ends, i64::wrapping_sub);
        }
        Op::Times(a, b) => {
            let (a, b) = (number(*a), number(*b));
            let mut corners = [
                (a.low, b.low),
                (a.low, b.high),
                (a.high, b.low),
                (a.high, b.high),
            ]
            .map(|(a, b)| i128::from(a) * i128::from(b));
            corners.sort_unstable();
            let ends = bounds(
                i64::try_from(corners[0]).ok(),
                i64::try_from(corners[3]).ok(),
            )?;
            out.pairwise(a, b, ends, i64::wrapping_mul);
        }
        Op::Least(a, b) => {
            let (a, b) = (number(*a), number(*b));
            out.pairwise(a, b, (a.low.min(b.low), a.high.min(b.high)), i64::min);
        }
        Op::Greatest(a, b) => {
            let (a, b) = (number(*a), number(*b));
            out.pairwise(a, b, (a.low.max(b.low), a.high.max(b.high)), i64::max);
        }
        Op::Share(common, per) => {
            let (common, per) = (number(*common), number(*per));
            out.pairwise(common, per, (0, common.high), |common, per| {
                common.checked_div(per).unwrap_or(0)
            });
        }
        Op::Signed(a, b) => {
            let (a, b) = (number(*a), number(*b));
            let most = a
                .low
                .checked_abs()
                .ok_or(Rare)?
                .max(a.high.checked_abs().ok_or(Rare)?);
            let ends = if b.low >= 0 {
                (a.low, a.high)
            } else {
                (-most, most)
            };
            out.pairwise(a, b, ends, |a, b| {
                let sign = b >> 63;
                (a ^ sign).wrapping_sub(sign)
            });
            if b.low <= 0 && b.high >= 0 && !out.is_broken() {
                no_divisor(b, out);
            }
        }
        // The others are made where their parts are asked for.
        _ => return Err(Rare),
    }
    Ok(())
}

/// Nothing can be divided by zero.
fn no_divisor(by: &Numbers, out: &mut Numbers) {
    let zero = by
        .values
        .iter()
        .fold(0, |any, value| any | u8::from(*value == 0));
    if zero == 0 {
        return;
    }
    if by.one && by.known {
        out.set_one(0, BROKEN);
        return;
    }
    if out.known {
        out.states.resize(out.values.len(), KNOWN);
    }
    for (at, state) in out.states.iter_mut().enumerate() {
        if by.state(at) == KNOWN && by.value(at) == 0 {
            *state = BROKEN;
        }
    }
    out.settle();
}

pub(super) fn spread(of: &Numbers, parents: &[u32], out: &mut Numbers) {
    if of.one {
        out.set_one(of.values[0], of.state(0));
        return;
    }
    out.clear();
    out.values
        .extend(parents.iter().map(|row| of.values[*row as usize]));
    if !of.known {
        out.states
            .extend(parents.iter().map(|row| of.states[*row as usize]));
        out.settle();
    }
    (out.low, out.high) = (of.low, of.high);
}

pub(super) fn zeroed(of: &Numbers, out: &mut Numbers) {
    out.clear();
    out.one = of.one;
    (out.low, out.high) = (of.low.min(0), of.high.max(0));
    if of.known {
        out.values.extend_from_slice(&of.values);
        return;
    }
    let cells = of.values.iter().zip(&of.states);
    out.values
        .extend(cells.map(|(value, state)| value & -i64::from(*state == KNOWN)));
    let states = of.states.iter();
    out.states
        .extend(states.map(|state| if *state == ABSENT { KNOWN } else { *state }));
    out.settle();
}

/// The value of the highest bound reached; below all bounds there is none.
pub(super) fn stepped(key: &Numbers, steps: &[(i64, i64)], falling: bool, out: &mut Numbers) {
    out.clear();
    let reached = |key: i64, bound: i64| if falling { key <= bound } else { key >= bound };
    out.values.resize(key.values.len(), 0);
    for (bound, value) in steps {
        let cells = out.values.iter_mut().zip(&key.values);
        if falling {
            cells.for_each(|(to, key)| *to = if key <= bound { *value } else { *to });
        } else {
            cells.for_each(|(to, key)| *to = if key >= bound { *value } else { *to });
        }
    }
    out.states.extend_from_slice(&key.states);
    (out.known, out.one) = (key.known, key.one);
    (out.low, out.high) = steps
        .iter()
        .fold((0, 0), |(low, high): (i64, i64), (_, value)| {
            (low.min(*value), high.max(*value))
        });
    let lowest = steps.first().map(|(bound, _)| *bound);
    let all = lowest.is_some_and(|bound| reached(key.low, bound) && reached(key.high, bound));
    if all {
        return;
    }
    if out.known {
        out.states.resize(out.values.len(), KNOWN);
    }
    for (state, key) in out.states.iter_mut().zip(&key.values) {
        let below = !lowest.is_some_and(|bound| reached(*key, bound));
        if *state == KNOWN && below {
            *state = BROKEN;
        }
    }
    out.settle();
}

/// Functions of days, one cell at a time.
pub(super) fn on_days(
    a: &Numbers,
    b: &Numbers,
    out: &mut Numbers,
    f: impl Fn(Cell, Cell) -> Result<Cell, Trouble>,
) {
    out.clear();
    out.one = a.one && b.one;
    let height = a.values.len().max(b.values.len());
    for at in 0..if out.one { 1 } else { height } {
        let state = a.state(at).min(b.state(at));
        let (value, state) = match state {
            KNOWN => match f(Cell::Whole(a.value(at)), Cell::Whole(b.value(at))) {
                Ok(Cell::Whole(value)) => (value, KNOWN),
                _ => (0, BROKEN),
            },
            state => (0, state),
        };
        out.values.push(value);
        out.states.push(state);
    }
    out.low = out.values.iter().copied().min().unwrap_or(0);
    out.high = out.values.iter().copied().max().unwrap_or(0);
    out.settle();
}

/// Whether an amount can be paid; an amount that is known but cannot is a gap in the rules.
pub(super) fn payable(of: &Numbers, per: Option<&Numbers>, fixed: Per, out: &mut Flags) {
    let truth = |fits: bool| if fits { 3 } else { 1 };
    out.clear();
    match (per, fixed) {
        (None, Per::Fixed(1)) => out
            .cells
            .extend(of.values.iter().map(|value| truth(*value > 0))),
        (None, Per::Fixed(per)) => out.cells.extend(
            of.values
                .iter()
                .map(|value| truth(*value > 0 && value.checked_rem(per) == Some(0))),
        ),
        (Some(per), _) if !(of.one && per.one) => {
            for at in 0..of.values.len().max(per.values.len()) {
                let whole = of.value(at).checked_rem(per.value(at)) == Some(0);
                out.cells.push(truth(of.value(at) > 0 && whole));
            }
        }
        (Some(per), _) => {
            let whole = of.values[0].checked_rem(per.values[0]) == Some(0);
            out.cells.push(truth(of.values[0] > 0 && whole));
        }
        (None, Per::By(_)) => out.cells.push(1),
    }
    out.one = out.cells.len() == 1;
    // Nothing known is nothing wrong.
    if !of.known {
        for (at, cell) in out.cells.iter_mut().enumerate() {
            if of.state(at) != KNOWN {
                *cell = 2;
            }
        }
    }
    out.settle();
}

/// Writes a column of flags out.
pub(super) fn say(flags: &Flags, to: &mut [u8], f: impl Fn(u8) -> u8) {
    match flags.only() {
        Some(cell) => to.fill(f(cell)),
        None => to
            .iter_mut()
            .zip(&flags.cells)
            .for_each(|(to, cell)| *to = f(*cell)),
    }
}
