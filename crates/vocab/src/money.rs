//! Money (金额): whole fen, checked arithmetic, rounding by name. No floats anywhere near it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of money (金额) in fen (分); may be negative (a recovery).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Money(i64);

/// Why an amount could not be computed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// The result does not fit in 64 bits of fen.
    #[error("金额超出可表示的范围")]
    Overflow,
    /// The text is not an amount in yuan with at most two decimals.
    #[error("“{0}”不是金额；请写成元，最多两位小数，例如 1250.00")]
    NotAnAmount(String),
}

impl Money {
    /// Nothing (零元).
    pub const ZERO: Self = Self(0);

    /// From whole fen.
    pub const fn from_fen(fen: i64) -> Self {
        Self(fen)
    }

    /// From whole yuan; `None` on overflow.
    pub const fn from_yuan(yuan: i64) -> Option<Self> {
        match yuan.checked_mul(100) {
            Some(fen) => Some(Self(fen)),
            None => None,
        }
    }

    /// Whole fen.
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// Sum, refusing overflow.
    ///
    /// # Errors
    /// [`MoneyFault::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyFault> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MoneyFault::Overflow)
    }

    /// Difference, refusing overflow.
    ///
    /// # Errors
    /// [`MoneyFault::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyFault> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(MoneyFault::Overflow)
    }

    /// Multiple, refusing overflow.
    ///
    /// # Errors
    /// [`MoneyFault::Overflow`].
    pub fn times(self, factor: i64) -> Result<Self, MoneyFault> {
        self.0
            .checked_mul(factor)
            .map(Self)
            .ok_or(MoneyFault::Overflow)
    }

    /// The sum of many amounts, refusing overflow.
    ///
    /// # Errors
    /// [`MoneyFault::Overflow`].
    pub fn total<I: IntoIterator<Item = Self>>(amounts: I) -> Result<Self, MoneyFault> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// Reads yuan as people write it: `1250`, `1,250.00`, `0.5`, `-3.20`; at most two decimals.
    ///
    /// # Errors
    /// [`MoneyFault::NotAnAmount`] naming the text, [`MoneyFault::Overflow`].
    pub fn from_yuan_text(text: &str) -> Result<Self, MoneyFault> {
        let refuse = || MoneyFault::NotAnAmount(text.to_owned());
        let cleaned: String = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, ',' | '，'))
            .collect();
        let cleaned = cleaned.strip_suffix('元').unwrap_or(&cleaned).trim();
        let (negative, digits) = match cleaned.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, cleaned),
        };
        let (yuan, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if yuan.is_empty()
            || decimals.len() > 2
            || !yuan
                .chars()
                .chain(decimals.chars())
                .all(|c| c.is_ascii_digit())
        {
            return Err(refuse());
        }
        let whole: i64 = yuan.parse().map_err(|_| MoneyFault::Overflow)?;
        let part: i64 = format!("{decimals:0<2}").parse().map_err(|_| refuse())?;
        let fen = whole
            .checked_mul(100)
            .and_then(|fen| fen.checked_add(part))
            .ok_or(MoneyFault::Overflow)?;
        Ok(Self(if negative { -fen } else { fen }))
    }

    /// Plain yuan with two decimals and no separators, for files read by other programs: `1250.00`.
    pub fn yuan_plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// Yuan with thousands separators and two decimals, without the unit: `1,250.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.yuan_plain();
        let (sign, digits) = plain
            .strip_prefix('-')
            .map_or(("", plain.as_str()), |rest| ("-", rest));
        let (yuan, decimals) = digits.split_once('.').unwrap_or((digits, "00"));
        let mut grouped = String::with_capacity(yuan.len() * 2);
        for (index, digit) in yuan.chars().enumerate() {
            if index > 0 && (yuan.len() - index) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&format!("{sign}{grouped}.{decimals}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_with_separators_and_two_decimals() {
        assert_eq!(Money::from_fen(125_000).to_string(), "1,250.00");
        assert_eq!(Money::from_fen(-5).to_string(), "-0.05");
        assert_eq!(
            Money::from_fen(10_000_000_000).to_string(),
            "100,000,000.00"
        );
        assert_eq!(
            Money::from_fen(i64::MIN).yuan_plain(),
            "-92233720368547758.08"
        );
    }

    #[test]
    fn yuan_is_read_as_people_write_it_and_nothing_else() {
        assert_eq!(
            Money::from_yuan_text("1,250.5"),
            Ok(Money::from_fen(125_050))
        );
        assert_eq!(
            Money::from_yuan_text(" 800 元"),
            Ok(Money::from_fen(80_000))
        );
        assert_eq!(Money::from_yuan_text("-0.05"), Ok(Money::from_fen(-5)));
        for wrong in ["", ".", "1.234", "1e3", "一千", "1.2.3", "NaN"] {
            assert!(
                matches!(
                    Money::from_yuan_text(wrong),
                    Err(MoneyFault::NotAnAmount(_))
                ),
                "{wrong}"
            );
        }
        assert_eq!(
            Money::from_yuan_text("99999999999999999999"),
            Err(MoneyFault::Overflow)
        );
    }

    #[test]
    fn sums_refuse_to_overflow() {
        assert_eq!(
            Money::from_fen(i64::MAX).plus(Money::from_fen(1)),
            Err(MoneyFault::Overflow)
        );
        assert_eq!(
            Money::total([1, 2, 3].map(Money::from_fen)),
            Ok(Money::from_fen(6))
        );
    }
}
