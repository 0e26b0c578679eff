//! Why an act was not done (不能办理原因): one variant a reason, each saying what to do next.

use super::situation::Objected;
use crate::procedure::TaskKind;
use access::Role;
use chrono::NaiveDate;
use policy::Outcome;
use vocab::{Money, Month};

/// Why an act was not done (不能办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such case in the scope.
    #[error("在您的管辖范围内查不到这个办件")]
    NotThere,
    /// Somebody was faster.
    #[error("这个办件刚由{by}办理过，请刷新后再办", by = if .by.is_empty() { "同事" } else { .by.as_str() })]
    Changed {
        /// The version now.
        now: i64,
        /// By whom.
        by: String,
    },
    /// The packs no longer have the programme's procedure.
    #[error("规则包中没有这个事项的办理程序，请联系政策规则人员")]
    NoProcedure,
    /// Not an act of this procedure.
    #[error("办理程序中没有“{0}”这一步，请刷新页面")]
    UnknownAct(String),
    /// Not in this state.
    #[error("现在是“{state}”，不能办理“{act}”")]
    NotNow {
        /// The act.
        act: String,
        /// The state.
        state: String,
    },
    /// The actor holds none of the act's roles here.
    #[error("“{act}”由{}办理，请转交", .roles.iter().map(|role| role.name_zh()).collect::<Vec<_>>().join("或"))]
    NotYourRole {
        /// The act.
        act: String,
        /// Whose it is.
        roles: Vec<Role>,
    },
    /// The actor did or took part in an act whose actor may not do this one.
    #[error("“{before}”由您办理或参与，“{act}”须由另一位同事办理")]
    SamePerson {
        /// The act before.
        before: String,
        /// This act.
        act: String,
    },
    /// An act before it is missing.
    #[error("请先办理“{0}”")]
    ActMissing(String),
    /// No opinion.
    #[error("请填写意见")]
    OpinionMissing,
    /// Too few people.
    #[error("须有至少 {need} 人参加，现在填写了 {have} 人")]
    TooFewParticipants {
        /// How many.
        need: usize,
        /// How many are named.
        have: usize,
    },
    /// One person named twice.
    #[error("参加人“{0}”填写了两次，请填写不同的人")]
    ParticipantTwice(String),
    /// A participant without a name.
    #[error("请填写参加人姓名")]
    ParticipantUnnamed,
    /// No evidence of a kind.
    #[error("缺少材料“{0}”，请先上传")]
    EvidenceMissing(String),
    /// A field not filled in.
    #[error("请填写“{0}”")]
    FieldMissing(String),
    /// A field filled in wrongly.
    #[error("“{0}”填写有误，请核对")]
    FieldWrong(String),
    /// A field this act does not have.
    #[error("这一步没有“{0}”这一栏，请刷新页面")]
    FieldUnknown(String),
    /// The register refused what was found.
    #[error("“{field}”没有记入：{sentence}")]
    NotRecorded {
        /// The field.
        field: String,
        /// Why.
        sentence: String,
    },
    /// Adults who have not authorised the enquiry.
    #[error("还有 {0} 位成年家庭成员没有签署核对授权，请先签署")]
    NotAuthorised(usize),
    /// The rule book does not say what the act needs.
    #[error("规则测算为“{}”，此步需要“{}”{}", .found.map_or("无法测算", Outcome::zh), .needed.iter().map(|one| one.zh()).collect::<Vec<_>>().join("或"), if *.missing > 0 { format!("；还有 {missing} 项事实待核实") } else { String::new() })]
    Determination {
        /// What it says.
        found: Option<Outcome>,
        /// What would do.
        needed: Vec<Outcome>,
        /// How many facts would settle it.
        missing: usize,
    },
    /// There is no notice.
    #[error("尚未公示，请先公示")]
    NoNotice,
    /// A notice is up already.
    #[error("公示正在进行，不必重复公示")]
    NoticeUp,
    /// The notice is not over.
    #[error("公示到 {0} 届满，届满后再办")]
    PublicityNotOver(NaiveDate),
    /// Objections are open.
    #[error("还有 {0} 条异议没有处理，请先处理")]
    ObjectionsOpen(usize),
    /// Somebody of the household objected to a finding, and nobody has answered.
    #[error("{by}对核对结果“{fact}”提出了异议，答复以前不能作出决定；请没有采信这一条的同事在本办件的“核对”页复查答复，期限 {due}", by = if .0.by.is_empty() { "本人" } else { .0.by.as_str() }, fact = .0.fact.0, due = .0.due_on)]
    Unanswered(Objected),
    /// Nothing to settle.
    #[error("没有待处理的异议")]
    NoObjection,
    /// Nothing was said.
    #[error("请填写异议或申诉的内容")]
    NothingSaid,
    /// The person was not heard.
    #[error("减少或停止待遇前须听取本人意见，请先登记听取意见")]
    HearFirst,
    /// Neither a ground nor a condition not met.
    #[error("请选择法定事由；规则测算中没有不符合的条件")]
    GroundMissing,
    /// A ground this act does not have.
    #[error("“{0}”不是这一步的法定事由，请重新选择")]
    GroundUnknown(String),
    /// No open task of a kind.
    #[error("没有待办的“{}”", .0.wording().0)]
    TaskMissing(TaskKind),
    /// The applicant was asked before.
    #[error("已经一次性告知过，不能再次要求补正；请受理或作出决定")]
    AskedBefore,
    /// Asked for nothing.
    #[error("请写明需要补正的全部材料")]
    NothingAsked,
    /// The amount is not what the notice showed.
    #[error("测算金额 {now} 元与公示的 {shown} 元不一致，请退回重新公示")]
    NotAsPublished {
        /// What the notice showed.
        shown: Money,
        /// What the rule book says now.
        now: Money,
    },
    /// A money benefit without an amount.
    #[error("规则没有给出大于零的金额，不能确认发放")]
    NoAmount,
    /// Nobody is covered.
    #[error("规则没有给出享受待遇的人，不能确认发放")]
    NobodyCovered,
    /// There is nothing in payment.
    #[error("这个办件没有在发的待遇")]
    NothingInPayment,
    /// The amount stays the same.
    #[error("测算金额与现在发放的金额相同，无需调整")]
    NothingChanges,
    /// No stop, suspension or change that could be set aside.
    #[error("没有可以改变的停发、暂停或者调整决定；请先核对本人不服的是哪一个决定")]
    NothingToOverturn,
    /// The rule book does not say that anything was due then.
    #[error("按现在掌握的事实，{month} 的规则测算为“{}”，不能恢复；请先记入更正的事实，或者维持原决定", .found.map_or("无法测算", Outcome::zh))]
    NotDueThen {
        /// The first month the decision took away.
        month: Month,
        /// What the rules say of it.
        found: Option<Outcome>,
    },
    /// The clock does not run.
    #[error("这个时限没有在计时，不能延长")]
    ClockNotRunning,
    /// The clock was extended before.
    #[error("这个时限已经延长过")]
    ExtendedBefore,
    /// The ledger refused.
    #[error("{0}")]
    Ledger(String),
}

impl Refused {
    /// A word for the reason, for programs (原因代码).
    pub fn code(&self) -> String {
        let debug = format!("{self:?}");
        let name: String = debug
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let mut code = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !code.is_empty() {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        code
    }

    /// The sentence in English.
    pub fn en(&self) -> String {
        let outcomes = |all: &[Outcome]| {
            all.iter()
                .map(|one| one.en())
                .collect::<Vec<_>>()
                .join(" or ")
        };
        match self {
            Self::NotThere => "This case is not found in your area".into(),
            Self::Changed { by, .. } => {
                format!(
                    "This case was just handled by {}; reload and try again",
                    if by.is_empty() { "a colleague" } else { by }
                )
            }
            Self::NoProcedure => {
                "The packs have no procedure for this programme; tell the rule officers".into()
            }
            Self::UnknownAct(act) => format!("The procedure has no step “{act}”; reload the page"),
            Self::NotNow { act, state } => format!("“{act}” cannot be done in the state “{state}”"),
            Self::NotYourRole { act, roles } => format!(
                "“{act}” is done by: {}",
                roles
                    .iter()
                    .map(|role| role.name_en())
                    .collect::<Vec<_>>()
                    .join(" or ")
            ),
            Self::SamePerson { before, act } => {
                format!("You did or took part in “{before}”; another colleague must do “{act}”")
            }
            Self::ActMissing(act) => format!("Do “{act}” first"),
            Self::OpinionMissing => "Write your opinion".into(),
            Self::TooFewParticipants { need, have } => {
                format!("At least {need} people must take part; {have} are named")
            }
            Self::ParticipantTwice(name) => {
                format!("“{name}” is named twice; name different people")
            }
            Self::ParticipantUnnamed => "Name the people who took part".into(),
            Self::EvidenceMissing(kind) => {
                format!("The evidence “{kind}” is missing; upload it first")
            }
            Self::FieldMissing(field) => format!("Fill in “{field}”"),
            Self::FieldWrong(field) => format!("Check “{field}”"),
            Self::FieldUnknown(field) => {
                format!("This step has no field “{field}”; reload the page")
            }
            Self::NotRecorded { field, sentence } => {
                format!("“{field}” was not recorded: {sentence}")
            }
            Self::NotAuthorised(count) => {
                format!("{count} adult members have not signed the authorisation")
            }
            Self::Determination {
                found,
                needed,
                missing,
            } => format!(
                "The rules say “{}”; this step needs “{}”; {missing} facts to verify",
                found.map_or("not determinable", Outcome::en),
                outcomes(needed)
            ),
            Self::NoNotice => "There was no public notice yet; post it first".into(),
            Self::NoticeUp => "A notice is up already".into(),
            Self::PublicityNotOver(until) => {
                format!("The notice stands until {until}; come back afterwards")
            }
            Self::ObjectionsOpen(count) => {
                format!("{count} objections are open; settle them first")
            }
            Self::Unanswered(objected) => format!(
                "{} objected to the finding “{}”; nothing is decided before it is answered. A colleague who did not take it answers on this case's page “Means verification”, by {}",
                if objected.by.is_empty() { "The person" } else { &objected.by },
                objected.fact.1,
                objected.due_on
            ),
            Self::NoObjection => "There is no open objection".into(),
            Self::NothingSaid => "Write what the objection or appeal says".into(),
            Self::HearFirst => "Hear the person before reducing or stopping, and record it".into(),
            Self::GroundMissing => "Choose a ground; the rules find no condition not met".into(),
            Self::GroundUnknown(ground) => format!("“{ground}” is not a ground of this step"),
            Self::TaskMissing(kind) => format!("There is no open task “{}”", kind.wording().1),
            Self::AskedBefore => "The applicant was asked once already; accept or decide".into(),
            Self::NothingAsked => "Write down everything that is missing".into(),
            Self::NotAsPublished { shown, now } => {
                format!(
                    "The amount {now} is not the {shown} of the notice; send it back and publish again"
                )
            }
            Self::NoAmount => "The rules give no amount above zero".into(),
            Self::NobodyCovered => "The rules cover nobody".into(),
            Self::NothingInPayment => "Nothing is in payment for this case".into(),
            Self::NothingChanges => "The amount stays the same".into(),
            Self::NothingToOverturn => {
                "There is no stop, suspension or change to set aside; see which decision the appeal is about".into()
            }
            Self::NotDueThen { month, found } => format!(
                "By the facts known now the rules say “{}” for {month}; record the corrected facts first, or let the decision stand",
                found.map_or("not determinable", Outcome::en)
            ),
            Self::ClockNotRunning => "This clock is not running".into(),
            Self::ExtendedBefore => "This clock was extended before".into(),
            Self::Ledger(sentence) => sentence.clone(),
        }
    }
}
