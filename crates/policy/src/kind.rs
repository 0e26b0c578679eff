//! Kinds of values (值的类型): what may be added to, compared with and divided by what.
//!
//! Money by the month and money by the year are different kinds, so nobody adds them by mistake. Deliberately absent:
//! conversion behind anyone's back; a rule says `per_month(…)` or `over_months(…, 12)`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a fact, variable or formula (类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// 是否
    #[serde(rename = "bool")]
    Bool,
    /// 个数（整数）
    #[serde(rename = "count")]
    Count,
    /// 比例（精确分数）
    #[serde(rename = "ratio")]
    Ratio,
    /// 金额
    #[serde(rename = "money")]
    Money,
    /// 每月金额
    #[serde(rename = "money/month")]
    MoneyPerMonth,
    /// 每年金额
    #[serde(rename = "money/year")]
    MoneyPerYear,
    /// 日期
    #[serde(rename = "date")]
    Date,
    /// 代码
    #[serde(rename = "code")]
    Code,
    /// 文字
    #[serde(rename = "text")]
    Text,
}

impl Kind {
    /// All kinds, as packs write them.
    pub const ALL: [Self; 9] = [
        Self::Bool,
        Self::Count,
        Self::Ratio,
        Self::Money,
        Self::MoneyPerMonth,
        Self::MoneyPerYear,
        Self::Date,
        Self::Code,
        Self::Text,
    ];

    /// As packs write it: `money/month`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Count => "count",
            Self::Ratio => "ratio",
            Self::Money => "money",
            Self::MoneyPerMonth => "money/month",
            Self::MoneyPerYear => "money/year",
            Self::Date => "date",
            Self::Code => "code",
            Self::Text => "text",
        }
    }

    /// As an officer says it: 每月金额.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Bool => "是否",
            Self::Count => "个数",
            Self::Ratio => "比例",
            Self::Money => "金额",
            Self::MoneyPerMonth => "每月金额",
            Self::MoneyPerYear => "每年金额",
            Self::Date => "日期",
            Self::Code => "代码",
            Self::Text => "文字",
        }
    }

    /// Reads the word of a pack.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is an amount of money, of whatever period.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Money | Self::MoneyPerMonth | Self::MoneyPerYear)
    }

    /// Whether one can calculate with it.
    pub fn is_number(self) -> bool {
        self.is_money() || matches!(self, Self::Count | Self::Ratio)
    }

    /// Whether it is a plain number without money in it.
    pub fn is_plain(self) -> bool {
        matches!(self, Self::Count | Self::Ratio)
    }

    /// Whether it is written as characters.
    pub fn is_word(self) -> bool {
        matches!(self, Self::Code | Self::Text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}（{}）", self.zh(), self.word())
    }
}
