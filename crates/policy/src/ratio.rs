//! Exact fractions (精确分数): what formulas calculate with, so that nothing is rounded before a rule says so.
//!
//! Guarantees: always in lowest terms with a positive denominator; every operation either is exact or says that it
//! overflowed. Deliberately absent: floating point, and rounding that nobody asked for.

use std::cmp::Ordering;
use std::fmt;

/// An exact fraction (精确分数) in lowest terms; the denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    num: i128,
    den: i128,
}

fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    // Only |i128::MIN| does not fit; callers never build it because `new` refuses it.
    i128::try_from(a).unwrap_or(i128::MAX)
}

impl Ratio {
    /// A whole number.
    pub const fn whole(number: i64) -> Self {
        Self {
            num: number as i128,
            den: 1,
        }
    }

    /// A fraction in lowest terms; `None` if the denominator is zero or a part does not fit.
    pub fn new(num: i128, den: i128) -> Option<Self> {
        if den == 0 || num == i128::MIN || den == i128::MIN {
            return None;
        }
        let divisor = gcd(num, den);
        let sign = if den < 0 { -1 } else { 1 };
        Some(Self {
            num: num / divisor * sign,
            den: den / divisor * sign,
        })
    }

    /// Numerator.
    pub fn num(self) -> i128 {
        self.num
    }

    /// Denominator, positive.
    pub fn den(self) -> i128 {
        self.den
    }

    /// The whole number it is, if it is one and fits.
    pub fn as_whole(self) -> Option<i64> {
        if self.den == 1 {
            i64::try_from(self.num).ok()
        } else {
            None
        }
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.num == 0
    }

    /// Sum; `None` on overflow.
    pub fn plus(self, other: Self) -> Option<Self> {
        let common = gcd(self.den, other.den);
        let left = self.num.checked_mul(other.den / common)?;
        let right = other.num.checked_mul(self.den / common)?;
        Self::new(
            left.checked_add(right)?,
            self.den.checked_mul(other.den / common)?,
        )
    }

    /// Difference; `None` on overflow.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated()?)
    }

    /// The number on the other side of zero; `None` on overflow.
    pub fn negated(self) -> Option<Self> {
        Some(Self {
            num: self.num.checked_neg()?,
            den: self.den,
        })
    }

    /// Product; `None` on overflow.
    pub fn times(self, other: Self) -> Option<Self> {
        // Cancelling crosswise first keeps the parts small.
        let first = gcd(self.num, other.den).max(1);
        let second = gcd(other.num, self.den).max(1);
        Self::new(
            (self.num / first).checked_mul(other.num / second)?,
            (self.den / second).checked_mul(other.den / first)?,
        )
    }

    /// Quotient; `None` on overflow or when dividing by zero (ask [`Ratio::is_zero`] first).
    pub fn over(self, other: Self) -> Option<Self> {
        self.times(Self::new(other.den, other.num)?)
    }

    /// Which is larger; `None` on overflow.
    pub fn compared(self, other: Self) -> Option<Ordering> {
        if self.den == other.den {
            return Some(self.num.cmp(&other.num));
        }
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Some(left.cmp(&right))
    }

    /// The largest whole number not above it.
    pub fn floor(self) -> i128 {
        self.num.div_euclid(self.den)
    }
}

/// As `7` or `7/3`.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 {
            write!(f, "{}", self.num)
        } else {
            write!(f, "{}/{}", self.num, self.den)
        }
    }
}

impl std::str::FromStr for Ratio {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let (num, den) = text.split_once('/').unwrap_or((text, "1"));
        let num = num.trim().parse().map_err(|_| ())?;
        let den = den.trim().parse().map_err(|_| ())?;
        Self::new(num, den).ok_or(())
    }
}

/// In which direction a rule rounds (舍入方向).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    Floor,
    Ceil,
    /// 四舍五入: exactly half goes away from zero.
    HalfUp,
    /// 四舍六入五成双
    HalfEven,
}

/// How a rule rounds (舍入方式): a direction and a step of so many fen (or whole ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    direction: Direction,
    step: i128,
    money: bool,
}

impl Rounding {
    /// The words packs may write.
    pub const WORDS: &'static str = "floor_fen ceil_fen half_up_fen half_even_fen（或 _jiao _yuan _ten_yuan）；个数和比例用 floor ceil half_up half_even";

    /// Reads `floor_fen`, `half_up_yuan`, `ceil` …
    pub fn from_word(word: &str) -> Option<Self> {
        let (direction, rest) = [
            ("floor", Direction::Floor),
            ("ceil", Direction::Ceil),
            ("half_up", Direction::HalfUp),
            ("half_even", Direction::HalfEven),
        ]
        .into_iter()
        .find_map(|(name, direction)| word.strip_prefix(name).map(|rest| (direction, rest)))?;
        let (step, money) = match rest {
            "" => (1, false),
            "_fen" => (1, true),
            "_jiao" => (10, true),
            "_yuan" => (100, true),
            "_ten_yuan" => (1000, true),
            _ => return None,
        };
        Some(Self {
            direction,
            step,
            money,
        })
    }

    /// The neighbouring ways of rounding by the same step, with their words (相邻的舍入方式).
    pub(crate) fn neighbours(self) -> Vec<(Self, String)> {
        let others = match self.direction {
            Direction::Floor => [Direction::Ceil, Direction::HalfUp],
            Direction::Ceil => [Direction::Floor, Direction::HalfUp],
            Direction::HalfUp | Direction::HalfEven => [Direction::Floor, Direction::Ceil],
        };
        let to = |direction| {
            let other = Self { direction, ..self };
            (other, other.word())
        };
        others.into_iter().map(to).collect()
    }

    /// As packs write it.
    pub(crate) fn word(self) -> String {
        let direction = match self.direction {
            Direction::Floor => "floor",
            Direction::Ceil => "ceil",
            Direction::HalfUp => "half_up",
            Direction::HalfEven => "half_even",
        };
        let step = match (self.money, self.step) {
            (false, _) => "",
            (true, 1) => "_fen",
            (true, 10) => "_jiao",
            (true, 100) => "_yuan",
            (true, _) => "_ten_yuan",
        };
        format!("{direction}{step}")
    }

    /// In which direction and by which step.
    pub(crate) fn parts(self) -> (Direction, i128) {
        (self.direction, self.step)
    }

    /// Whether it is meant for money rather than for plain numbers.
    pub fn is_for_money(self) -> bool {
        self.money
    }

    /// Rounds a whole number; `None` on overflow.
    pub(crate) fn apply_whole(self, value: i64) -> Option<i64> {
        let step = i64::try_from(self.step).ok()?;
        let (below, rest) = (
            value.checked_div_euclid(step)?,
            value.checked_rem_euclid(step)?,
        );
        let half = rest.checked_mul(2)?.cmp(&step);
        let up = match self.direction {
            Direction::Floor => false,
            Direction::Ceil => rest != 0,
            Direction::HalfUp => {
                half == Ordering::Greater || (half == Ordering::Equal && below >= 0)
            }
            Direction::HalfEven => {
                half == Ordering::Greater || (half == Ordering::Equal && below % 2 != 0)
            }
        };
        (below + i64::from(up)).checked_mul(step)
    }

    /// Rounds; `None` on overflow.
    pub fn apply(self, value: Ratio) -> Option<Ratio> {
        let steps = value.over(Ratio::new(self.step, 1)?)?;
        let below = steps.floor();
        let rest = steps.minus(Ratio::new(below, 1)?)?;
        let half = rest.compared(Ratio::new(1, 2)?)?;
        let up = match self.direction {
            Direction::Floor => false,
            Direction::Ceil => !rest.is_zero(),
            // Half away from zero: for a negative number the lower neighbour is the farther one.
            Direction::HalfUp => {
                half == Ordering::Greater || (half == Ordering::Equal && below >= 0)
            }
            Direction::HalfEven => {
                half == Ordering::Greater || (half == Ordering::Equal && below % 2 != 0)
            }
        };
        let whole = if up { below.checked_add(1)? } else { below };
        Ratio::new(whole.checked_mul(self.step)?, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    #[test]
    fn fractions_stay_in_lowest_terms() {
        assert_eq!(ratio("4/-6").to_string(), "-2/3");
        assert_eq!(ratio("1/3").plus(ratio("1/6")).unwrap(), ratio("1/2"));
        assert_eq!(
            ratio("2/3").times(ratio("3/2")).unwrap().as_whole(),
            Some(1)
        );
        assert_eq!(ratio("1/3").compared(ratio("2/6")), Some(Ordering::Equal));
        assert_eq!(ratio("5").over(ratio("0")), None);
    }

    #[test]
    fn rounding_does_what_its_word_says_also_below_zero() {
        for (word, value, expected) in [
            ("floor_fen", "63519/10", "6351"),
            ("half_up_fen", "127/2", "64"),
            ("half_up_fen", "-127/2", "-64"),
            ("half_even_fen", "125/2", "62"),
            ("half_even_fen", "127/2", "64"),
            ("half_even_fen", "-125/2", "-62"),
            ("half_up_jiao", "63519", "63520"),
            ("ceil_yuan", "63519", "63600"),
            ("ceil_yuan", "-63519", "-63500"),
            ("floor_ten_yuan", "-1", "-1000"),
            ("ceil", "7/2", "4"),
        ] {
            let rounding = Rounding::from_word(word).unwrap();
            assert_eq!(
                rounding.apply(ratio(value)),
                Some(ratio(expected)),
                "{word} {value}"
            );
        }
        assert_eq!(Rounding::from_word("round_fen"), None);
    }

    #[test]
    fn whole_numbers_round_by_the_short_way_as_by_the_long_one() {
        for word in [
            "floor",
            "ceil_jiao",
            "half_up_yuan",
            "half_even_jiao",
            "half_up_fen",
            "half_even_ten_yuan",
        ] {
            let rounding = Rounding::from_word(word).unwrap();
            for value in (-1_060..=1_060).chain([i64::MAX / 2, i64::MIN / 2]) {
                let long = rounding
                    .apply(Ratio::whole(value))
                    .and_then(Ratio::as_whole);
                assert_eq!(rounding.apply_whole(value), long, "{word} {value}");
            }
        }
    }
}
