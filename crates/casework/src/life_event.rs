//! Life events (生活事件): a death, a move, an age reached, a fact that ended, and exactly what they touch.
//!
//! Reading order: [`record`](fn@record) (an officer reports one), [`touch`] (which programmes and cases it touches, and what
//! becomes of them), [`take_along`] (a move takes cases and money along), [`daily`] (birthdays and ends of facts, found by
//! index), [`list`](mod@list) (what officers see).
//!
//! Guarantees: one event is recorded once, by a unique key; it is asked of the programmes that read the touched facts and
//! of no others, in the touched household and in no other; every case in payment that comes out otherwise becomes a task
//! with before, after, difference and first month, and nothing is reduced or stopped by itself. A raised standard is not
//! here; it is an act over many households ([`crate::adjustment`]).
//! Deliberately absent: any age and any programme by name; ages are read from the rules ([`policy::touches`]).

pub mod daily;
pub mod list;
mod record;
mod take_along;
pub(crate) mod touch;

pub use daily::{Day, tick};
pub use list::{EventFilter, LifeEvent, Line, after, lines, list, of_household, view};
pub use record::record;
pub(crate) use touch::{first_whole_month, settle};

use crate::case::{from_word, to_word};
use access::Denied;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use store::files::NewFile;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Kinship, Region};

/// The act's word on a case's timeline.
pub(crate) const ACT: &str = "life_event";

/// What kind of event (生活事件种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 死亡。
    Death,
    /// 户籍迁移。
    Hukou,
    /// 全家迁居。
    House,
    /// 成员迁出。
    Left,
    /// 成员迁入。
    Joined,
    /// 满龄。
    Age,
    /// 事实到期。
    FactEnded,
}

impl Kind {
    /// All kinds, in the order lists show them.
    pub const ALL: [Self; 7] = [
        Self::Death,
        Self::Hukou,
        Self::House,
        Self::Left,
        Self::Joined,
        Self::Age,
        Self::FactEnded,
    ];

    /// Its word in data and addresses.
    pub fn word(self) -> String {
        to_word(self)
    }

    pub(crate) fn read(word: &str) -> anyhow::Result<Self> {
        from_word(word)
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        from_word(word).ok()
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Death => ("死亡", "Death"),
            Self::Hukou => ("户籍迁移", "Household registration moved"),
            Self::House => ("全家迁居", "Household moved house"),
            Self::Left => ("成员迁出", "Member moved out"),
            Self::Joined => ("成员迁入", "Member moved in"),
            Self::Age => ("满龄", "Age reached"),
            Self::FactEnded => ("事实到期", "A fact ended"),
        }
    }
}

/// What happened (发生了什么).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Somebody died.
    Death {
        /// Who.
        person: PersonId,
    },
    /// Somebody's household registration moved.
    Hukou {
        /// Whose.
        person: PersonId,
        /// Where to.
        to: Region,
    },
    /// The whole household moved to another community.
    House {
        /// Where to.
        to: Region,
        /// The new address.
        address: String,
    },
    /// Somebody left the household.
    Left {
        /// Who.
        person: PersonId,
    },
    /// Somebody joined the household.
    Joined {
        /// Who.
        person: PersonId,
        /// In which relation to the head.
        kinship: Kinship,
    },
}

impl Happened {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Death { .. } => Kind::Death,
            Self::Hukou { .. } => Kind::Hukou,
            Self::House { .. } => Kind::House,
            Self::Left { .. } => Kind::Left,
            Self::Joined { .. } => Kind::Joined,
        }
    }

    /// The person it is about, if one.
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::Death { person }
            | Self::Hukou { person, .. }
            | Self::Left { person }
            | Self::Joined { person, .. } => Some(*person),
            Self::House { .. } => None,
        }
    }
}

/// An event as an officer reports it (登记生活事件).
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// In which household.
    pub household: HouseholdId,
    /// What.
    pub happened: Happened,
    /// On which day; for a move the first day as it then is.
    pub on: NaiveDate,
    /// Who says so.
    pub source: String,
    /// The proof, if there is a file.
    pub evidence: Option<NewFile>,
}

/// Why an event was not recorded (不予登记原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这一户，请核对后重试")]
    NotThere,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The person is not in this household.
    #[error("此人不在这一户中，请刷新页面后重试")]
    NotAMember,
    /// The day lies ahead.
    #[error("日期不能晚于今天，请核对")]
    DayAhead,
    /// No source was named.
    #[error("请写明信息来源，例如 公安、殡仪馆、本人申报")]
    SourceMissing,
    /// The same event stands already.
    #[error("这件事已经登记过了，请到生活事件里查看")]
    AlreadyRecorded,
    /// The register does not take it.
    #[error("{0}")]
    Register(String),
    /// The money cannot move along.
    #[error("{0}")]
    Ledger(String),
    /// The file is refused.
    #[error("{0}")]
    File(String),
}
