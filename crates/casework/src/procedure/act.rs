//! An act of a procedure (办理行为): who may do it, in which states, what it needs and what it effects.
//!
//! The effects are a closed list: packs choose from it, the code behind each is written once. Deliberately absent:
//! doing anything; see [`crate::act`].

use super::{Named, TaskKind};
use access::Role;
use policy::{FactDef, Kind};
use serde::{Deserialize, Serialize};
use vocab::Citation;

/// What an act does besides moving the case (行为的效果). A closed list: packs choose, code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing else.
    None,
    /// Acceptance (受理).
    Accept,
    /// One request for everything missing (一次性告知).
    RequestSupplement,
    /// The applicant supplied it (补正).
    Supply,
    /// Ask the rule book and store its answer (测算).
    Determine,
    /// Put up the notice (公示).
    StartPublicity,
    /// Take down the notice (公示期满).
    EndPublicity,
    /// Register an objection (异议).
    Object,
    /// Settle an objection (异议处理).
    SettleObjection,
    /// Grant (确认给予).
    Grant,
    /// Change the amount (调整).
    Change,
    /// Refuse (不予确认).
    Refuse,
    /// Suspend (暂停).
    Suspend,
    /// Resume (恢复).
    Resume,
    /// Hear (听取意见).
    Hear,
    /// Stop (停止).
    Stop,
    /// Withdraw (撤回申请).
    Withdraw,
    /// Terminate (终止程序).
    Terminate,
    /// Register an appeal (申诉).
    Appeal,
    /// Answer an appeal: the decision stands (申诉答复：维持).
    AnswerAppeal,
    /// Answer an appeal: the decision is set aside from its first month (申诉答复：改变).
    Overturn,
    /// Extend a clock (延长时限).
    Extend,
}

impl Effect {
    /// All of them.
    pub const ALL: &'static [Self] = EFFECTS;

    /// Its word in `procedure.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Accept => "accept",
            Self::RequestSupplement => "request_supplement",
            Self::Supply => "supply",
            Self::Determine => "determine",
            Self::StartPublicity => "start_publicity",
            Self::EndPublicity => "end_publicity",
            Self::Object => "object",
            Self::SettleObjection => "settle_objection",
            Self::Grant => "grant",
            Self::Change => "change",
            Self::Refuse => "refuse",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Hear => "hear",
            Self::Stop => "stop",
            Self::Withdraw => "withdraw",
            Self::Terminate => "terminate",
            Self::Appeal => "appeal",
            Self::AnswerAppeal => "answer_appeal",
            Self::Overturn => "overturn",
            Self::Extend => "extend",
        }
    }

    /// Whether a second person must take it: it gives, changes, refuses or takes away a right.
    pub const fn is_decision(self) -> bool {
        matches!(
            self,
            Self::Grant | Self::Change | Self::Refuse | Self::Stop | Self::Overturn
        )
    }

    /// Whether it answers an appeal, which whoever decided cannot do (申诉答复由他人办理).
    pub const fn answers_appeal(self) -> bool {
        matches!(self, Self::AnswerAppeal | Self::Overturn)
    }
}

/// All effects, for reading their words.
pub(super) const EFFECTS: &[Effect] = &[
    Effect::None,
    Effect::Accept,
    Effect::RequestSupplement,
    Effect::Supply,
    Effect::Determine,
    Effect::StartPublicity,
    Effect::EndPublicity,
    Effect::Object,
    Effect::SettleObjection,
    Effect::Grant,
    Effect::Change,
    Effect::Refuse,
    Effect::Suspend,
    Effect::Resume,
    Effect::Hear,
    Effect::Stop,
    Effect::Withdraw,
    Effect::Terminate,
    Effect::Appeal,
    Effect::AnswerAppeal,
    Effect::Overturn,
    Effect::Extend,
];

/// Who may do an act (可为此行为者): an officer's role, or the public through the public door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doer {
    /// Officers with this role.
    Officer(Role),
    /// The public (公众).
    Public,
}

/// One act (办理行为).
#[derive(Debug, Clone)]
pub struct Act {
    /// Its word in the data.
    pub id: String,
    /// The button's word.
    pub zh: String,
    /// The button's word, English.
    pub en: String,
    /// Who may do it.
    pub roles: Vec<Doer>,
    /// In which states.
    pub from: Vec<String>,
    /// The state after, `None`: unchanged.
    pub to: Option<String>,
    /// What else it does.
    pub effect: Effect,
    /// Acts whose actors may not do this one.
    pub other_than: Vec<String>,
    /// Kinds of tasks it settles.
    pub closes: Vec<TaskKind>,
    /// The letter issued with it.
    pub letter: Option<String>,
    /// The clock an `extend` extends.
    pub clock: Option<String>,
    /// The article it rests on.
    pub article: Option<Citation>,
    /// A sentence shown before it is done.
    pub confirm_zh: Option<String>,
    /// The same, English.
    pub confirm_en: Option<String>,
    /// What must be there.
    pub needs: Needs,
    /// What the officer fills in.
    pub fields: Vec<Field>,
    /// Reasons the officer may choose from.
    pub grounds: Vec<Ground>,
}

/// What an act needs (行为的前提).
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// A written opinion.
    pub opinion: bool,
    /// So many different people.
    pub participants: usize,
    /// Evidence kinds.
    pub evidence: Vec<String>,
    /// Outcomes of the rule book that allow it; empty: not asked.
    pub determination: Vec<policy::Outcome>,
    /// Every adult has authorised the enquiry.
    pub authorised: bool,
    /// The notice is over and unobjected.
    pub publicity_over: bool,
    /// A hearing record.
    pub hearing: Option<HearingNeed>,
    /// A ground or a condition not met.
    pub ground: bool,
    /// An open task of this kind.
    pub task: Option<TaskKind>,
    /// Acts already done since acceptance.
    pub acts: Vec<String>,
}

/// When a hearing (听取意见) must have taken place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HearingNeed {
    /// Always.
    Always,
    /// Only if the amount falls.
    IfLess,
}

/// The type of a field (栏目类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Words.
    Text,
    /// Yes or no.
    Bool,
    /// A whole number.
    Count,
    /// An amount in fen.
    Money,
    /// A day.
    Date,
    /// One of a list.
    Code,
}

impl FieldType {
    /// Whether an answer of this type can be recorded as that fact.
    pub fn agrees_with(self, fact: &FactDef) -> bool {
        match self {
            Self::Text => fact.kind == Kind::Text,
            Self::Bool => fact.kind == Kind::Bool,
            Self::Count => fact.kind == Kind::Count,
            Self::Money => fact.kind.is_money(),
            Self::Date => fact.kind == Kind::Date,
            Self::Code => matches!(fact.kind, Kind::Code | Kind::Text),
        }
    }
}

/// One field of an act (行为的栏目).
#[derive(Debug, Clone)]
pub struct Field {
    /// Its word in the data.
    pub id: String,
    /// Its label.
    pub zh: String,
    /// Its label, English.
    pub en: String,
    /// Its type.
    pub kind: FieldType,
    /// The choices of a code.
    pub codes: Vec<Named>,
    /// Whether it must be filled in.
    pub required: bool,
    /// The fact the answer is recorded as.
    pub fact: Option<String>,
}

/// A reason an officer may choose (法定事由).
#[derive(Debug, Clone)]
pub struct Ground {
    /// Its word in the data.
    pub id: String,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// The article.
    pub article: Citation,
}
