//! Duplicate records (重复登记): who may stand in the register twice, found at registration and every night, and what was said of it.
//!
//! [`blocks`](self) of every person are kept blinded in the database, so one person is compared with the few who share one, not with
//! everybody. Guarantees: a pair that somebody judged is not asked about again; a pair is shown only to an officer whose scope holds
//! both records; of records outside the scope nothing is told but that there may be one; what is compared is decrypted in memory
//! only and never logged. Deliberately absent: joining two records by itself; that is an officer's act, see [`crate::merging`].

mod alike;
mod blocks;
mod compare;
mod homes;
mod learn;
mod nightly;
mod queue;

pub use alike::{Alike, Candidate, Said, alike, keep_said};
pub(crate) use blocks::{is_resident, write_blocks};
pub use homes::{Home, HomePair, HomesRefused, homes, homes_count, homes_different, pairs_between};
pub use learn::{Learned, learn};
pub use nightly::{Night, behind, nightly};
pub use queue::{
    DifferentRefused, PairFilter, PairRow, after, counts, decide_different, decide_later, list,
    note_list, open_count, pair, pair_of,
};
pub(crate) use queue::{moved_home, settle_pair};

use linkage::{Levels, Outcome};
use serde::{Deserialize, Serialize};

/// How sure it is (把握).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 很可能是同一人.
    Likely,
    /// 可能是同一人.
    Possible,
    /// 略有可能.
    Faint,
}

impl Band {
    /// All of them (全部).
    pub const ALL: [Self; 3] = [Self::Likely, Self::Possible, Self::Faint];

    /// The band of a probability in millionths (归档).
    pub fn of(millionths: i64) -> Self {
        match millionths {
            950_000.. => Self::Likely,
            700_000.. => Self::Possible,
            _ => Self::Faint,
        }
    }

    /// The lowest probability of the band and the first above it (上下限).
    pub(crate) fn bounds(self) -> (i64, i64) {
        match self {
            Self::Likely => (950_000, 1_000_001),
            Self::Possible => (700_000, 950_000),
            Self::Faint => (0, 700_000),
        }
    }

    /// In Chinese and English (说法).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Likely => ("很可能是同一人", "Very likely one person"),
            Self::Possible => ("可能是同一人", "Possibly one person"),
            Self::Faint => ("略有可能", "A faint possibility"),
        }
    }

    /// Its word in addresses (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
            Self::Possible => "possible",
            Self::Faint => "faint",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|band| band.word() == word)
    }
}

/// Where a pair stands (状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    /// 待核对.
    Open,
    /// 以后再看.
    Later,
    /// 合并待复核.
    Prepared,
    /// 不是同一人.
    Different,
    /// 已合并.
    Merged,
}

impl PairState {
    /// All of them (全部).
    pub const ALL: [Self; 5] = [
        Self::Open,
        Self::Later,
        Self::Prepared,
        Self::Different,
        Self::Merged,
    ];

    /// In Chinese and English (说法).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("待核对", "To be looked at"),
            Self::Later => ("以后再看", "Put off"),
            Self::Prepared => ("合并待复核", "Merge awaits a second officer"),
            Self::Different => ("不是同一人", "Two people"),
            Self::Merged => ("已合并", "Merged"),
        }
    }

    /// Its word in the database and in addresses (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Later => "later",
            Self::Prepared => "prepared",
            Self::Different => "different",
            Self::Merged => "merged",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A reason in words (理由): the field, how the two agree on it, and whether that speaks for one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The field (比对项).
    pub field: String,
    /// How the two agree (档).
    pub level: String,
    /// Whether it speaks for one person.
    pub speaks_for: bool,
}

/// Whether a text says enough to stand as the reason of a judgement (理由是否写明): four characters, as in 双胞胎也.
pub fn is_reason(text: &str) -> bool {
    text.trim().chars().count() >= 4
}

pub(crate) fn reasons_of(model: &linkage::Model, levels: Levels) -> Vec<Reason> {
    linkage::explain::reasons(model, levels)
        .into_iter()
        .map(|reason| Reason {
            // The register knows other documents than identity cards, too.
            field: reason.field.replace("身份证号", "证件号码"),
            level: reason.level.to_owned(),
            speaks_for: reason.shares || reason.bits > 0.0,
        })
        .collect()
}

pub(crate) fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Same => "same",
        Outcome::Doubtful => "doubtful",
        Outcome::Numbers => "numbers",
        Outcome::Chain => "chain",
    }
}
