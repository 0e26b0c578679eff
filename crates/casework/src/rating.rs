//! Good and bad ratings (好差评): whoever was served says how it was, without signing in, by the code of the receipt.
//!
//! Guarantees: five grades and no other; one rating a handling, and one more after a bad one was mended; until a bad rating is taken
//! up nobody at the desk sees whose it is, and whoever is rated cannot take it up; each bad one is due in working days. Deliberately
//! absent: figures of one officer; what is counted is an office and a programme.
//!
//! Reading order: [`terms`] (what packs say), [`give`] (the public's side), [`mend`] (the desk's), [`list`] (reading and counting).

pub mod give;
pub mod list;
pub mod mend;
pub mod terms;

pub use give::{Handling, NewRating, Standing, handlings, rate};
pub use list::{
    Cell, RatingFilter, RatingRow, RatingSort, after, counts, figures, list, open_count, view,
};
pub use mend::{mend, take_up};
pub use terms::{Indicator, Side, Terms, terms_of};

/// A grade (评价等次): the five of the national standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// 非常不满意
    VeryPoor,
    /// 不满意
    Poor,
    /// 基本满意
    Fair,
    /// 满意
    Good,
    /// 非常满意
    VeryGood,
}

impl Grade {
    /// All, the best first (全部).
    pub const ALL: [Self; 5] = [
        Self::VeryGood,
        Self::Good,
        Self::Fair,
        Self::Poor,
        Self::VeryPoor,
    ];

    /// Its number, five the best (分值).
    pub const fn number(self) -> i64 {
        match self {
            Self::VeryGood => 5,
            Self::Good => 4,
            Self::Fair => 3,
            Self::Poor => 2,
            Self::VeryPoor => 1,
        }
    }

    /// From its number (读分值).
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.number() == number)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::VeryGood => ("非常满意", "very satisfied"),
            Self::Good => ("满意", "satisfied"),
            Self::Fair => ("基本满意", "fairly satisfied"),
            Self::Poor => ("不满意", "dissatisfied"),
            Self::VeryPoor => ("非常不满意", "very dissatisfied"),
        }
    }

    /// Whether it must be mended (是否差评).
    pub const fn is_poor(self) -> bool {
        matches!(self, Self::Poor | Self::VeryPoor)
    }
}

/// Where a rating stands (评价状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// 差评待认领
    Open,
    /// 回访整改中
    Taken,
    /// 已整改
    Mended,
    /// 不需整改
    Kept,
}

impl State {
    /// All, what is to be done first (全部).
    pub const ALL: [Self; 4] = [Self::Open, Self::Taken, Self::Mended, Self::Kept];

    /// Its word in tables and addresses (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Taken => "taken",
            Self::Mended => "mended",
            Self::Kept => "kept",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("差评待认领", "bad, to be taken up"),
            Self::Taken => ("回访整改中", "being mended"),
            Self::Mended => ("已整改", "mended"),
            Self::Kept => ("不需整改", "nothing to mend"),
        }
    }
}

/// Why it was not done (不能办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such application, case or handling.
    #[error("没有查到这次办理，请核对回执编号")]
    NotThere,
    /// No grade.
    #[error("请选择满意程度")]
    NoGrade,
    /// An indicator that is none of this side's.
    #[error("没有这项评价指标，请刷新页面重新选择")]
    NoIndicator,
    /// Too long.
    #[error("文字不能超过 500 字")]
    TooLong,
    /// Rated already.
    #[error("这次办理已经评价过了，一次办理评价一次")]
    Already,
    /// Not in the scope.
    #[error("在您的管辖范围内没有这条评价")]
    NotFound,
    /// The officer may not.
    #[error("您的岗位不办理差评回访")]
    Denied,
    /// It is about the officer.
    #[error("这条评价针对的是您经办的事，请由其他人回访")]
    Own,
    /// It is not there any more, or nothing is to be done.
    #[error("这条评价已经由别人办理，请刷新列表")]
    Changed,
    /// The person was not called.
    #[error("差评要全部回访，请先联系评价人再登记")]
    NotCalled,
    /// Nothing was written.
    #[error("请写明回访和整改情况，例如“已致电说明，补发了告知单”")]
    NoResult,
}
