//! Merging (合并): two records of one person become one, and, if that was wrong, two again.
//!
//! Nothing is moved and nothing removed. A merge is a row that says from when to when one identifier means another; whatever is
//! read of a person is read through all identifiers he has, as they were known at the moment asked about. Guarantees: undone, both
//! records read as before, and what came since goes where the officer says; two people prepare and decide where the merge is
//! marked so; a chain of merges never joins records that somebody judged to be two people. Deliberately absent: what is paid;
//! entitlements keep the identifiers they were decided for, and whoever pays asks [`others`].

mod carry_out;
mod differ;
mod list;
mod names;
mod prepare;
mod same;
mod undo;

pub use carry_out::{decide, reject};
pub use differ::{Differing, differing};
pub use list::{MergeRow, merge, merge_between, merges_of};
pub(crate) use names::{drop_names, put_names};
pub use prepare::{NewMerge, prepare};
pub(crate) use same::{Same, same};
pub use same::{others, same_person, survivors};
pub use undo::undo;

use serde::{Deserialize, Serialize};

/// One of the two records (哪一条).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The record that stays (留下的一条).
    #[default]
    Survivor,
    /// The record that leads to it from now on (并入的一条).
    Merged,
}

impl Side {
    /// From its word in a form (读代码).
    pub fn from_word(word: &str) -> Self {
        match word {
            "merged" => Self::Merged,
            _ => Self::Survivor,
        }
    }
}

/// What the surviving record says where the two differ (逐项取舍). Its document stays: of two, the one with the right document survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The name (姓名).
    pub name: Side,
    /// The phone (手机).
    pub phone: Side,
    /// Community and address (居住社区和住址).
    pub home: Side,
}

/// Why two records were not merged, or not set apart again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// One of them is not in the scope.
    #[error("在您的管辖范围内查不到这两条记录；有一条在别处的，请由两地共同的上级办理")]
    NotFound,
    /// The same record twice.
    #[error("这是同一条记录，请选择另一条")]
    Itself,
    /// One of them is merged already.
    #[error("其中一条已并入别的记录，请打开它并入的那一条再办理")]
    AlreadyMerged,
    /// Another merge of one of them waits.
    #[error("其中一条正等待另一次合并的复核，请先办完那一次")]
    Waiting,
    /// No reason.
    #[error("请写明合并的依据，至少四个字，例如“本人持两证到场”")]
    ReasonMissing,
    /// One is dead, the other not, or on another day.
    #[error("两条记录的死亡登记不一致，请先核实并更正死亡登记，再合并")]
    DeathDiffers,
    /// They are in two households.
    #[error("两条记录目前在两个家庭里，请先为其中一条办理退出，再合并")]
    TwoHouseholds,
    /// Somebody judged two of the records behind them to be two people.
    #[error("其中有两条记录已认定不是同一人；如认定有误，请先核对那一对")]
    JudgedDifferent,
    /// More than two records, and their numbers differ.
    #[error("合并后会有三条以上记录，而证件号码不一致；请逐一核对，先撤销原来的合并")]
    NumbersInGroup,
    /// Whoever prepared it cannot decide.
    #[error(transparent)]
    SamePerson(#[from] access::SamePerson),
    /// It is not waiting, or not done, any more.
    #[error("这次合并已办结或已撤销，请刷新页面后查看")]
    NotOpen,
    /// Another merge was made on top of it.
    #[error("这条记录后来又并入了别的记录，请先撤销后一次合并")]
    MergedOnward,
}
