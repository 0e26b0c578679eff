//! A place in the division tree (区划): the 12-digit statistical code of province, city, district, street, community.
//!
//! Codes change; a case keeps the code and its date. Scope checks work on the significant digits alone, so
//! "everything under this street" is one range of codes and needs no tree walk.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A division code (区划代码), twelve digits, e.g. `440306001000` for a street of Bao'an.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region {
    code: u64,
}

/// The level of a division (区划层级).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 全国
    Nation,
    /// 省级
    Province,
    /// 地级
    Prefecture,
    /// 县级
    District,
    /// 街道、镇、乡
    Street,
    /// 社区、村
    Community,
}

/// Why a text is not a division code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}”不是区划代码；应为 2、4、6、9 或 12 位数字")]
pub struct NotARegion(pub String);

impl Region {
    /// The whole nation.
    pub const NATION: Self = Self { code: 0 };

    /// Its level, told by the trailing zeros.
    pub fn level(self) -> Level {
        let steps = [
            (1_000_000_000_000, Level::Nation),
            (10_000_000_000, Level::Province),
            (100_000_000, Level::Prefecture),
            (1_000_000, Level::District),
            (1_000, Level::Street),
        ];
        steps
            .into_iter()
            .find(|(step, _)| self.code.is_multiple_of(*step))
            .map_or(Level::Community, |(_, level)| level)
    }

    fn span(self) -> u64 {
        match self.level() {
            Level::Nation => 1_000_000_000_000,
            Level::Province => 10_000_000_000,
            Level::Prefecture => 100_000_000,
            Level::District => 1_000_000,
            Level::Street => 1_000,
            Level::Community => 1,
        }
    }

    /// Whether `other` is this place or lies inside it.
    pub fn holds(self, other: Self) -> bool {
        other.code >= self.code && other.code < self.code + self.span()
    }

    /// The codes of this place and all under it, as the half-open range of 12-digit texts `[first, beyond)`.
    ///
    /// The text order of equal-length digits is their numeric order, so the range works in SQL on both databases.
    pub fn code_range(self) -> (String, String) {
        let beyond = self.code + self.span();
        let beyond = if beyond >= 1_000_000_000_000 {
            "9".repeat(12) + "~"
        } else {
            format!("{beyond:012}")
        };
        (self.to_string(), beyond)
    }

    /// The place directly above; `None` for the nation.
    pub fn parent(self) -> Option<Self> {
        let step = match self.level() {
            Level::Nation => return None,
            Level::Province => 1_000_000_000_000,
            Level::Prefecture => 10_000_000_000,
            Level::District => 100_000_000,
            Level::Street => 1_000_000,
            Level::Community => 1_000,
        };
        Some(Self {
            code: self.code / step * step,
        })
    }

    /// This place and every place above it, nearest first, without the nation.
    pub fn with_ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |place| place.parent())
            .filter(|place| *place != Self::NATION)
    }
}

impl FromStr for Region {
    type Err = NotARegion;
    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let refuse = || NotARegion(text.to_owned());
        if !matches!(text.len(), 2 | 4 | 6 | 9 | 12) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refuse());
        }
        format!("{text:0<12}")
            .parse()
            .map(|code| Self { code })
            .map_err(|_| refuse())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.code)
    }
}

impl TryFrom<String> for Region {
    type Error = NotARegion;
    fn try_from(text: String) -> Result<Self, NotARegion> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        code.parse().unwrap()
    }

    #[test]
    fn parents_follow_the_trailing_zeros() {
        let community = region("440306001001");
        let codes: Vec<String> = community
            .with_ancestors()
            .map(|place| place.to_string())
            .collect();
        assert_eq!(
            codes,
            [
                "440306001001",
                "440306001000",
                "440306000000",
                "440300000000",
                "440000000000"
            ]
        );
        assert_eq!(region("440306").level(), Level::District);
        assert_eq!(Region::NATION.parent(), None);
    }

    #[test]
    fn a_street_holds_its_communities_and_not_its_neighbours() {
        let street = region("440306001");
        assert!(street.holds(region("440306001999")) && street.holds(street));
        assert!(!street.holds(region("440306002001")) && !street.holds(region("440306")));
        assert_eq!(
            street.code_range(),
            ("440306001000".to_owned(), "440306002000".to_owned())
        );
        assert!(Region::NATION.holds(street));
    }
}
