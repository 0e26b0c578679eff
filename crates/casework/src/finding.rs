//! Findings of other departments (核对发现), entered by an officer until enquiries run by themselves.
//!
//! Guarantees: a finding is a fact with its department as source and with evidence; it is only taken while the person's
//! authorisation holds, for a household while every adult's does. What was declared stays beside it; a later word of the
//! same department for the same days takes the place of its earlier one, and a wrong one is withdrawn with a reason: the
//! earlier answer stays known as of then. In a case ([`in_case`]) a finding is an event of its timeline. Deliberately
//! absent: believing one over the other; the rule book says *to verify* where they differ.

pub mod in_case;
pub mod objection;

use crate::desk::Desk;
use access::Scope;
use registry::{Subject, consent};
use store::Tx;
use vocab::ids::FactRowId;
use vocab::{DatedFact, Period, Value};

/// A finding (核对发现).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// About whom.
    pub subject: Subject,
    /// The fact.
    pub fact: String,
    /// What was found.
    pub value: Value,
    /// When it is so.
    pub period: Period,
    /// The department: `社保`, `公安`, `银行`.
    pub department: String,
    /// The answer's file or number.
    pub evidence: String,
}

/// Why a finding was not taken (未记入原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such fact.
    #[error("没有“{0}”这一事实，请从列表中选择")]
    UnknownFact(String),
    /// No department.
    #[error("请填写信息来源部门")]
    DepartmentMissing,
    /// No evidence.
    #[error("请填写部门回复的文号或上传材料")]
    EvidenceMissing,
    /// No authorisation in force.
    #[error("没有有效的核对授权，不能记入其他部门的信息；请先签署授权")]
    NotAuthorised,
    /// The value does not fit the fact.
    #[error("填写的内容与“{0}”的类型不符，请核对")]
    WrongKind(String),
    /// Not a case of the scope.
    #[error("在您的管辖范围内查不到这个办件")]
    NotThere,
    /// Not about this case's people, or not read by its programme.
    #[error("这一项不是本办件要核对的事实，请从列表中选择")]
    NotOfTheCase,
    /// What the applicant says is declared, not found.
    #[error("本人申报的内容不是核对发现；请填写提供信息的部门")]
    Declared,
    /// That department said nothing of the kind.
    #[error("没有这个部门的这一项信息，可能已经撤回，请刷新页面")]
    NothingFound,
    /// No reason for withdrawing.
    #[error("请写明撤回的理由")]
    ReasonMissing,
    /// The register refused.
    #[error("{0}")]
    Register(registry::facts::Refused),
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::UnknownFact(fact) => format!("There is no fact “{fact}”"),
            Self::DepartmentMissing => "Name the department".into(),
            Self::EvidenceMissing => {
                "Give the number of the department's answer or upload it".into()
            }
            Self::NotAuthorised => {
                "There is no authorisation in force; have it signed first".into()
            }
            Self::WrongKind(fact) => format!("This does not fit “{fact}”"),
            Self::NotThere => "This case is not found in your area".into(),
            Self::NotOfTheCase => "This is not a fact of this case; choose one of the list".into(),
            Self::Declared => {
                "What the applicant declares is not a finding; name the department".into()
            }
            Self::NothingFound => {
                "That department says nothing of the kind; perhaps it was withdrawn, reload the page"
                    .into()
            }
            Self::ReasonMissing => "Give the reason for withdrawing it".into(),
            Self::Register(refused) => refused.to_string(),
        }
    }
}

/// Records a finding of another department (记入核对发现).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn record_finding(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: NewFinding,
) -> anyhow::Result<Result<FactRowId, Refused>> {
    let Some(fact) = desk.book.fact(&new.fact) else {
        return Ok(Err(Refused::UnknownFact(new.fact)));
    };
    if new.department.trim().is_empty() {
        return Ok(Err(Refused::DepartmentMissing));
    }
    if new.evidence.trim().is_empty() {
        return Ok(Err(Refused::EvidenceMissing));
    }
    let fits = match &new.value {
        Value::Bool(_) => fact.kind == policy::Kind::Bool,
        Value::Int(_) => fact.kind.is_number(),
        Value::Date(_) => fact.kind == policy::Kind::Date,
        Value::Text(code) => {
            fact.kind.is_word()
                && (fact.codes.is_empty() || fact.codes.iter().any(|one| one.code == *code))
        }
    };
    if !fits {
        return Ok(Err(Refused::WrongKind(fact.label_zh.clone())));
    }
    let today = tx.today();
    let authorised = match new.subject {
        Subject::Person(person) => consent::holds(tx, person, today).await?,
        Subject::Household(household) => consent::missing(tx, scope, household, today)
            .await?
            .is_empty(),
    };
    if !authorised {
        return Ok(Err(Refused::NotAuthorised));
    }
    let given = DatedFact {
        value: new.value,
        period: new.period,
        known_since: None,
        source: new.department.trim().to_owned(),
        evidence: Some(new.evidence.trim().to_owned()),
    };
    Ok(
        registry::record_fact(tx, scope, new.subject, &new.fact, given)
            .await?
            .map_err(Refused::Register),
    )
}
