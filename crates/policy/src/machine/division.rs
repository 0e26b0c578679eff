//! Whole division by something known beforehand (除法与舍入): a multiplication and a shift instead of a division.
//!
//! Guarantees: exact for every dividend below 2^63 (Granlund and Montgomery's bound: the multiplier's error times the
//! dividend stays under the shift). Deliberately absent: signs; see `rounded`.

use super::graph::Per;
use super::lanes::{Numbers, Rare, bounds};
use crate::ratio::Direction;

/// A divisor made ready (除数).
#[derive(Debug, Clone, Copy)]
struct Divisor {
    times: u64,
    shift: u32,
}

impl Divisor {
    fn of(divisor: u64) -> Self {
        // The least power of two that is not smaller.
        let bits = 64 - divisor.saturating_sub(1).leading_zeros();
        let shift = 63 + bits;
        let whole = (1_u128 << shift).div_ceil(u128::from(divisor.max(1)));
        Self {
            times: u64::try_from(whole).unwrap_or(u64::MAX),
            shift,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a quotient is not larger than its dividend"
    )]
    #[inline]
    fn divides(self, number: u64) -> u64 {
        ((u128::from(number) * u128::from(self.times)) >> self.shift) as u64
    }
}

/// The number without its sign, and its sign as all ones or none.
fn parted(number: i64) -> (u64, i64) {
    (number.unsigned_abs(), number >> 63)
}

fn signed(number: u64, sign: i64) -> i64 {
    (number.cast_signed() ^ sign).wrapping_sub(sign)
}

/// One number, rounded: over a divisor that includes the step.
#[inline]
fn one(
    direction: Direction,
    number: i64,
    divisor: i64,
    divide: impl Fn(u64) -> u64,
    twice: impl Fn(u64) -> u64,
) -> i64 {
    let (size, sign) = parted(number);
    match direction {
        // Towards minus infinity: the complement of a negative number is divided and complemented again.
        Direction::Floor => divide((number ^ sign).cast_unsigned()).cast_signed() ^ sign,
        Direction::Ceil => {
            let turned = number.wrapping_neg();
            let sign = turned >> 63;
            (divide((turned ^ sign).cast_unsigned()).cast_signed() ^ sign).wrapping_neg()
        }
        Direction::HalfUp => signed(twice(2 * size + divisor.unsigned_abs()), sign),
        Direction::HalfEven => {
            let below = divide(size);
            let rest = size - below * divisor.unsigned_abs();
            let half = (2 * rest).cmp(&divisor.unsigned_abs());
            let up = half.is_gt() || (half.is_eq() && below & 1 == 1);
            signed(below + u64::from(up), sign)
        }
    }
}

/// Rounds a column: `number / per`, to whole multiples of the step.
pub(super) fn rounded(
    number: &Numbers,
    per: Option<&Numbers>,
    fixed: Per,
    (direction, step): (Direction, i64),
    out: &mut Numbers,
) -> Result<(), Rare> {
    let widest = number
        .low
        .checked_abs()
        .ok_or(Rare)?
        .max(number.high.checked_abs().ok_or(Rare)?);
    match (per, fixed) {
        (Some(per), _) => {
            let most = per.high.checked_mul(step).ok_or(Rare)?;
            // Half up needs twice the number and the divisor.
            bounds(
                Some(0),
                widest
                    .checked_mul(2)
                    .and_then(|twice| twice.checked_add(most)),
            )?;
            let high = widest.checked_add(step).ok_or(Rare)?;
            out.pairwise(number, per, (-high, high), |number, per| {
                let by = (per * step).cast_unsigned().max(1);
                let whole = one(
                    direction,
                    number,
                    per * step,
                    |size| size / by,
                    |size| size / (2 * by),
                );
                whole * step
            });
            Ok(())
        }
        (None, Per::Fixed(per)) => {
            let by = per.checked_mul(step).ok_or(Rare)?;
            bounds(
                Some(0),
                widest
                    .checked_mul(2)
                    .and_then(|twice| twice.checked_add(by)),
            )?;
            let (once, twice) = (
                Divisor::of(by.unsigned_abs()),
                Divisor::of(2 * by.unsigned_abs()),
            );
            let to = |number: i64| {
                one(
                    direction,
                    number,
                    by,
                    |size| once.divides(size),
                    |size| twice.divides(size),
                ) * step
            };
            // Rounding never turns numbers around, so the bounds are rounded too.
            let ends = (to(number.low), to(number.high));
            match direction {
                Direction::Floor => out.each(number, ends, |number| {
                    one(
                        Direction::Floor,
                        number,
                        by,
                        |size| once.divides(size),
                        |size| size,
                    ) * step
                }),
                Direction::HalfUp => out.each(number, ends, |number| {
                    one(
                        Direction::HalfUp,
                        number,
                        by,
                        |size| size,
                        |size| twice.divides(size),
                    ) * step
                }),
                _ => out.each(number, ends, to),
            }
            Ok(())
        }
        (None, Per::By(_)) => Err(Rare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplying_divides_exactly() {
        for divisor in [
            1,
            2,
            3,
            5,
            7,
            10,
            100,
            365,
            1000,
            4096,
            10_000,
            20_000,
            999_983,
            1 << 40,
        ] {
            let by = Divisor::of(divisor);
            for number in [
                0,
                1,
                divisor - 1,
                divisor,
                divisor + 1,
                1 << 31,
                (1 << 62) - 1,
                (1 << 63) - 1,
            ] {
                assert_eq!(by.divides(number), number / divisor, "{number} / {divisor}");
            }
            for times in 1..2000_u64 {
                let edge = divisor.saturating_mul(times).min(1 << 62);
                assert_eq!(by.divides(edge - 1), (edge - 1) / divisor);
            }
        }
    }

    #[test]
    fn rounding_is_that_of_the_reference() {
        use crate::ratio::{Ratio, Rounding};
        for word in [
            "floor_fen",
            "ceil_fen",
            "half_up_fen",
            "half_even_fen",
            "half_up_yuan",
            "ceil_jiao",
            "half_even_ten_yuan",
        ] {
            let rounding = Rounding::from_word(word).unwrap();
            let (direction, step) = rounding.parts();
            let step = i64::try_from(step).unwrap();
            for per in [1, 2, 3, 7, 10_000] {
                for number in -3005..3005_i64 {
                    let mut of = Numbers::default();
                    of.set_one(number, crate::table::KNOWN);
                    let mut by = Numbers::default();
                    by.set_one(per, crate::table::KNOWN);
                    let (mut a, mut b) = (Numbers::default(), Numbers::default());
                    rounded(&of, None, Per::Fixed(per), (direction, step), &mut a).unwrap();
                    rounded(&of, Some(&by), Per::Fixed(1), (direction, step), &mut b).unwrap();
                    let right =
                        rounding.apply(Ratio::new(i128::from(number), i128::from(per)).unwrap());
                    let right = right.unwrap().as_whole().unwrap();
                    assert_eq!(
                        (a.values[0], b.values[0]),
                        (right, right),
                        "{word} {number}/{per}"
                    );
                }
            }
        }
    }
}
