//! The kinds of to-do (待办种类). A closed list, because each is opened by something only code can notice.

use serde::{Deserialize, Serialize};

/// The kinds of to-do (待办种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// The case's own next step (办理).
    Turn,
    /// The case waits for the applicant (等待补正).
    Waiting,
    /// The notice is up, or over (公示).
    Publicity,
    /// A case drawn for checking (抽查).
    Sample,
    /// An open objection (异议).
    Objection,
    /// The person's objection to a finding (对核对结果的异议).
    FindingObjection,
    /// An open appeal (申诉).
    Appeal,
    /// A periodic review (定期核查).
    Review,
    /// What a review or a life event changed, to be decided anew (重新决定).
    Redecide,
    /// A payment the bank returned (银行退回).
    ReturnedPayment,
}

impl TaskKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::Turn,
        Self::Waiting,
        Self::Publicity,
        Self::Sample,
        Self::Objection,
        Self::FindingObjection,
        Self::Appeal,
        Self::Review,
        Self::Redecide,
        Self::ReturnedPayment,
    ];

    /// Its word in data and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Waiting => "waiting",
            Self::Publicity => "publicity",
            Self::Sample => "sample",
            Self::Objection => "objection",
            Self::FindingObjection => "finding_objection",
            Self::Appeal => "appeal",
            Self::Review => "review",
            Self::Redecide => "redecide",
            Self::ReturnedPayment => "returned_payment",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Turn => ("待办理", "To do"),
            Self::Waiting => ("等待申请人补正", "Waiting for the applicant"),
            Self::Publicity => ("公示", "Public notice"),
            Self::Sample => ("抽查", "Sample check"),
            Self::Objection => ("异议待处理", "Objection to settle"),
            Self::FindingObjection => ("核对异议待答复", "Objection to a finding to answer"),
            Self::Appeal => ("申诉待答复", "Appeal to answer"),
            Self::Review => ("定期核查", "Periodic review"),
            Self::Redecide => ("情况变化，重新决定", "Changed: decide anew"),
            Self::ReturnedPayment => ("银行退回待处理", "Payment returned by the bank"),
        }
    }
}
