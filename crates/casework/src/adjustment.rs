//! Standard adjustment (标准调整): a new dated value (自然增长、物价联动) carried through every case in force as one act.
//!
//! Reading order: [`propose`] looks at every case in force of the programmes, on the first day of the month, and keeps what
//! differs; [`approve`](fn@approve) lets another officer carry it out, a few cases a transaction; [`roll_back`] proposes
//! the way back, a new act with a second officer of its own.
//!
//! Guarantees: only a rise for the same people is carried out by itself. Less money, other people, not met or unknown goes to
//! the street as a review, because nobody is reduced or stopped unheard (社会救助法 art. 47 and the procedures). What a case
//! is worth is decided again at the moment it is carried out; if that is no longer what was shown, it is a review too.
//! Months already paid become arrears in the ledger. Killed in the middle, a case is untouched or done; calling again goes on.
//! Deliberately absent: the new value itself. It stands in the rule book, with its source, before anybody comes here.

mod carry_out;
mod list;
mod propose;

pub use carry_out::{Progress, approve};
pub use list::{Adjustment, Line, Summed, lines, list, summed, view};
pub use propose::{propose, roll_back, withdraw};

use crate::case::{from_word, to_word};
use access::{Denied, SamePerson};
use serde::{Deserialize, Serialize};
use vocab::Month;

/// What is to be carried through (拟调整内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdjustment {
    /// The programmes whose cases are looked at.
    pub programmes: Vec<String>,
    /// The first month of the new amounts.
    pub from: Month,
    /// The document that sets the new value (依据文件和文号).
    pub basis: String,
}

/// How far an adjustment has come (调整进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 待复核。
    Proposed,
    /// 已同意，正在逐件办理。
    Running,
    /// 已办完。
    Done,
    /// 已撤回。
    Withdrawn,
}

/// What a new standard means for one case (差异).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// 增加。
    More,
    /// 减少：须先听取意见，转复核。
    Less,
    /// 保障人员有变化，转复核。
    People,
    /// 不再符合，转复核。
    NotMet,
    /// 待核实，转复核。
    ToVerify,
}

impl Difference {
    /// All of them, in the order lists show them.
    pub const ALL: [Self; 5] = [
        Self::More,
        Self::Less,
        Self::People,
        Self::NotMet,
        Self::ToVerify,
    ];

    /// Whether it is carried out without asking the person (可直接调整).
    pub fn is_carried_out(self) -> bool {
        self == Self::More
    }

    pub(crate) fn word(self) -> String {
        to_word(self)
    }

    pub(crate) fn read(word: &str) -> anyhow::Result<Self> {
        from_word(word)
    }
}

/// What became of one case (办理结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineResult {
    /// 已调整。
    Changed,
    /// 已转街道复核。
    Review,
}

/// Why an adjustment was not made (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("没有找到这次调整，请核对后重试")]
    NotThere,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The officer who proposed it.
    #[error(transparent)]
    SamePerson(#[from] SamePerson),
    /// No programme was chosen.
    #[error("请选择要调整的事项")]
    NothingChosen,
    /// No such programme, or it pays nothing by the month.
    #[error("事项“{0}”没有按月发放的金额，不能在这里调整")]
    NotMonthly(String),
    /// No document is named.
    #[error("请填写调整依据的文件名称和文号")]
    BasisMissing,
    /// Another one is on its way.
    #[error("事项“{0}”已有一次调整尚未办完，请先办完或者撤回")]
    AlreadyOpen(String),
    /// It is not in the state this needs.
    #[error("这次调整现在是“{}”，不能这样办理；请刷新后再看", state_zh(.0))]
    WrongState(State),
    /// The rule book changed since the preview.
    #[error("拟定以后规则又有变化，预览已经不准；请撤回后重新拟定")]
    RuleBookChanged,
    /// Nothing was changed, so there is nothing to take back.
    #[error("这次调整没有改变任何金额，不需要回退")]
    NothingToTakeBack,
}

/// A state in words.
pub fn state_zh(state: &State) -> &'static str {
    match state {
        State::Proposed => "待复核",
        State::Running => "正在办理",
        State::Done => "已办完",
        State::Withdrawn => "已撤回",
    }
}
