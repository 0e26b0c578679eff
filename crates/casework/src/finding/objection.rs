//! Objecting to a finding (对核对结果的异议): the person says it is wrong, an officer who did not take it answers.
//!
//! It is not the objection to a public notice, which anybody may raise: this one is the person's own, is about one finding, and
//! ends in the register. Guarantees: whoever took the finding does not answer; upheld, the finding is withdrawn with the reason
//! and what is right stands in its place with its source, in one transaction; both steps stand in the timeline, and nobody decides
//! from a page that did not show them; until it is answered nothing that it may change is decided ([`crate::act::permitted`]). Deliberately absent: pages.

use super::in_case::{self, Told, Withdrawal, tell};
use super::{NewFinding, Refused as FindingRefused};
use crate::desk::Desk;
use crate::procedure::TaskKind;
use crate::rows::{self, insert, save};
use crate::tables;
use crate::task;
use access::{Role, Scope};
use anyhow::Context;
use chrono::NaiveDate;
use registry::Subject;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{Db, Tx};
use uuid::Uuid;
use vocab::ids::{CaseId, HouseholdId, OfficerId, PersonId};
use vocab::{DatedFact, Period, Value};

/// The events of the timeline.
pub(crate) const OBJECTED: &str = "finding_objected";
pub(crate) const UPHELD: &str = "finding_objection_upheld";
pub(crate) const NOT_UPHELD: &str = "finding_objection_refused";

/// An objection to be recorded (新异议).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObjection {
    /// About whom the finding is.
    pub subject: Subject,
    /// Its fact.
    pub fact: String,
    /// The department that said it.
    pub department: String,
    /// For which days.
    pub period: Period,
    /// Who objects: a member of the household.
    pub by: PersonId,
    /// What is wrong, and why.
    pub said: String,
    /// The paper that shows it: a stored file, or its number.
    pub papers: String,
    /// In how many working days it is answered.
    pub within_working_days: u16,
}

/// What is right (更正内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The value.
    pub value: Value,
    /// Who says so now.
    pub department: String,
    /// By which paper.
    pub evidence: String,
}

/// An answer (异议答复).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether the person is right.
    pub upheld: bool,
    /// Why.
    pub reason: String,
    /// What is right, where something else is: nothing means the department says nothing any more.
    pub correction: Option<Correction>,
}

/// An objection with its answer (异议及答复).
#[derive(Debug, Clone)]
pub struct FindingObjection {
    /// Its id.
    pub id: Uuid,
    /// About whom the finding is.
    pub subject: Subject,
    /// Its fact.
    pub fact: String,
    /// The department.
    pub department: String,
    /// For which days.
    pub period: Period,
    /// What the department said.
    pub value: Value,
    /// Who objects.
    pub by: PersonId,
    /// What they say.
    pub said: String,
    /// The paper.
    pub papers: String,
    /// When.
    pub on: NaiveDate,
    /// Until when it is answered.
    pub due_on: NaiveDate,
    /// Who took the finding, and does not answer.
    pub taken_by: OfficerId,
    /// When, by whom, and how it was answered.
    pub answered: Option<Answered>,
}

/// How an objection was answered (异议的答复).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When.
    pub on: NaiveDate,
    /// By whom.
    pub officer: String,
    /// Whether the person was right.
    pub upheld: bool,
    /// Why.
    pub reason: String,
}

/// Why an objection was not recorded or answered (异议未办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这个办件或者这件异议")]
    NotThere,
    /// That department said nothing of the kind.
    #[error("没有这一条核对结果，可能已经撤回，请刷新页面")]
    NothingFound,
    /// Nothing said.
    #[error("请写明哪里不对、为什么")]
    NothingSaid,
    /// Not of the household.
    #[error("异议由本人、家庭成员或者监护人提出，请从列表中选择")]
    NotOfTheHousehold,
    /// Open already.
    #[error("对这一条的异议正在复查，请等待答复")]
    Open,
    /// Answered already.
    #[error("这件异议已经答复")]
    Answered,
    /// The same officer.
    #[error("这一条是您采信的，请由另一位工作人员复查答复")]
    TookIt,
    /// No reason.
    #[error("请写明答复的理由")]
    ReasonMissing,
    /// What is right could not be taken.
    #[error("{0}")]
    Finding(FindingRefused),
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => "This case or objection is not found in your area".into(),
            Self::NothingFound => {
                "There is no such finding; perhaps it was withdrawn, reload the page".into()
            }
            Self::NothingSaid => "Say what is wrong, and why".into(),
            Self::NotOfTheHousehold => {
                "A member of the household objects; choose one of the list".into()
            }
            Self::Open => {
                "An objection to this finding is being looked into; wait for the answer".into()
            }
            Self::Answered => "This objection was answered before".into(),
            Self::TookIt => "You took this finding; another officer answers".into(),
            Self::ReasonMissing => "Give the reason of the answer".into(),
            Self::Finding(refused) => refused.en(),
        }
    }
}

fn parts_of(subject: Subject) -> (&'static str, Uuid) {
    match subject {
        Subject::Person(person) => ("person", person.0),
        Subject::Household(household) => ("household", household.0),
    }
}

/// Records an objection (登记异议), and who has to answer until when.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn object(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    new: NewObjection,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let Some(row) = rows::case_row_for_change(tx, scope, id.0).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if new.said.trim().is_empty() {
        return Ok(Err(Refused::NothingSaid));
    }
    let today = tx.today();
    let home = HouseholdId(row.household_id);
    let members = registry::households::household_view(tx, scope, home, today).await?;
    let objects =
        members.is_some_and(|home| home.members.iter().any(|one| one.person.id == new.by));
    if !objects {
        return Ok(Err(Refused::NotOfTheHousehold));
    }
    let Some((stands, taken_by)) = standing(tx, scope, &new).await? else {
        return Ok(Err(Refused::NothingFound));
    };
    let (kind, subject) = parts_of(new.subject);
    if is_open(tx, id, subject, &new).await? {
        return Ok(Err(Refused::Open));
    }
    let due = desk
        .calendar
        .add_working_days(today, new.within_working_days);
    let objection = tables::finding_objection::Model {
        id: tx.new_id(),
        case_id: id.0,
        subject_kind: kind.to_owned(),
        subject_id: subject,
        fact: new.fact.clone(),
        department: new.department.clone(),
        valid_from: new.period.from,
        valid_until: new.period.until,
        value: serde_json::to_string(&stands.value).context("writing a value down")?,
        by_id: new.by.0,
        said: tx.keys().seal(new.said.trim()),
        papers: new.papers.trim().to_owned(),
        at: tx.now(),
        on_day: today,
        due_on: due.date(),
        officer_id: scope.actor.officer.0,
        taken_by: taken_by.0,
        answered_on: None,
        answered_by: None,
        answerer: String::new(),
        upheld: None,
        reason: String::new(),
    };
    let objection_id = objection.id;
    insert::<tables::finding_objection::Entity>(tx, objection).await?;
    let when = task::Due {
        on: Some(due.date()),
        ..task::Due::default()
    };
    let role = Some(Role::StreetReviewer);
    task::open(tx, &row, TaskKind::FindingObjection, role, when, "").await?;
    let told = Told {
        act: OBJECTED,
        subject: new.subject,
        fact: new.fact,
        value: Some(stands.value),
        department: new.department,
        opinion: String::new(),
    };
    tell(tx, scope, row, told).await?;
    Ok(Ok(objection_id))
}

/// Whether this finding is being looked into already.
async fn is_open(tx: &Tx, case: CaseId, subject: Uuid, new: &NewObjection) -> anyhow::Result<bool> {
    let open = tables::finding_objection::Entity::find()
        .filter(tables::finding_objection::Column::CaseId.eq(case.0))
        .filter(tables::finding_objection::Column::SubjectId.eq(subject))
        .filter(tables::finding_objection::Column::Fact.eq(&new.fact))
        .filter(tables::finding_objection::Column::Department.eq(&new.department))
        .filter(tables::finding_objection::Column::AnsweredOn.is_null())
        .count(tx.conn())
        .await
        .context("looking for an open objection")?;
    Ok(open > 0)
}

/// What the department says now, and who recorded it.
async fn standing(
    tx: &Tx,
    scope: &Scope,
    new: &NewObjection,
) -> anyhow::Result<Option<(DatedFact, OfficerId)>> {
    let rows = registry::facts::history(tx, scope, new.subject).await?;
    let last = rows.unwrap_or_default().into_iter().find(|row| {
        row.fact == new.fact && row.source == new.department && row.period == new.period
    });
    Ok(last.and_then(|row| {
        let fact = DatedFact {
            value: row.value?,
            period: row.period,
            known_since: Some(row.known_since),
            source: row.source,
            evidence: row.evidence,
        };
        Some((fact, row.recorded_by))
    }))
}

/// Answers an objection (答复异议); upheld, the finding goes and what is right comes.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn answer(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    objection: Uuid,
    answer: Answer,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(mut row) = tables::finding_objection::Entity::find_by_id(objection)
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading an objection")?
    else {
        return Ok(Err(Refused::NotThere));
    };
    let case = CaseId(row.case_id);
    if rows::case_row_for_change(tx, scope, case.0)
        .await?
        .is_none()
    {
        return Ok(Err(Refused::NotThere));
    }
    if row.answered_on.is_some() {
        return Ok(Err(Refused::Answered));
    }
    if row.taken_by == scope.actor.officer.0 {
        return Ok(Err(Refused::TookIt));
    }
    let reason = answer.reason.trim().to_owned();
    if reason.is_empty() {
        return Ok(Err(Refused::ReasonMissing));
    }
    let seen = read(&row, tx.keys())?;
    if answer.upheld {
        let right = answer.correction;
        if let Err(refused) = put_right(tx, scope, desk, case, &seen, &reason, right).await? {
            return Ok(Err(Refused::Finding(refused)));
        }
    }
    row.answered_on = Some(tx.today());
    row.answered_by = Some(scope.actor.officer.0);
    row.answerer.clone_from(&scope.actor.name);
    row.upheld = Some(answer.upheld);
    row.reason.clone_from(&reason);
    save::<tables::finding_objection::Entity>(tx, row).await?;
    if open_of(tx, case).await? == 0 {
        let by = scope.actor.officer;
        task::close(tx, case.0, by, |kind| kind == TaskKind::FindingObjection).await?;
    }
    let now = rows::case_row_for_change(tx, scope, case.0)
        .await?
        .context("a case vanished while it was locked")?;
    let told = Told {
        act: if answer.upheld { UPHELD } else { NOT_UPHELD },
        subject: seen.subject,
        fact: seen.fact,
        value: None,
        department: seen.department,
        opinion: reason,
    };
    tell(tx, scope, now, told).await?;
    Ok(Ok(()))
}

/// The finding goes, and what is right comes.
async fn put_right(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    case: CaseId,
    seen: &FindingObjection,
    reason: &str,
    correction: Option<Correction>,
) -> anyhow::Result<Result<(), FindingRefused>> {
    let wrong = Withdrawal {
        subject: seen.subject,
        fact: seen.fact.clone(),
        department: seen.department.clone(),
        period: seen.period,
        reason: reason.to_owned(),
    };
    if let Err(refused) = in_case::withdraw(tx, scope, desk, case, wrong).await? {
        return Ok(Err(refused));
    }
    let Some(right) = correction else {
        return Ok(Ok(()));
    };
    let found = NewFinding {
        subject: seen.subject,
        fact: seen.fact.clone(),
        value: right.value,
        period: seen.period,
        department: right.department,
        evidence: right.evidence,
    };
    in_case::take(tx, scope, desk, case, found).await
}

async fn open_of(tx: &Tx, case: CaseId) -> anyhow::Result<u64> {
    tables::finding_objection::Entity::find()
        .filter(tables::finding_objection::Column::CaseId.eq(case.0))
        .filter(tables::finding_objection::Column::AnsweredOn.is_null())
        .count(tx.conn())
        .await
        .context("counting open objections to findings")
}

/// The objections to findings of a case (异议列表), oldest first; none outside the scope. The case's page journals the look.
///
/// # Errors
/// Faults of the database.
pub async fn of_case(db: &Db, scope: &Scope, id: CaseId) -> anyhow::Result<Vec<FindingObjection>> {
    if rows::case_row(db, scope, id.0).await?.is_none() {
        return Ok(Vec::new());
    }
    tables::finding_objection::Entity::find()
        .filter(tables::finding_objection::Column::CaseId.eq(id.0))
        .order_by_asc(tables::finding_objection::Column::Id)
        .all(db.conn())
        .await
        .context("reading objections to findings")?
        .iter()
        .map(|row| read(row, db.keys()))
        .collect()
}

/// Whether some objection of a case inside the scope names this file as its proof (证明材料可否查看).
///
/// # Errors
/// Faults of the database.
pub async fn papers_visible(db: &Db, scope: &Scope, papers: &str) -> anyhow::Result<bool> {
    let rows = tables::finding_objection::Entity::find()
        .filter(tables::finding_objection::Column::Papers.eq(papers))
        .all(db.conn())
        .await
        .context("looking for the objections of a paper")?;
    for row in rows {
        if rows::case_row(db, scope, row.case_id).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read(
    row: &tables::finding_objection::Model,
    keys: &store::Keys,
) -> anyhow::Result<FindingObjection> {
    let subject = match row.subject_kind.as_str() {
        "household" => Subject::Household(HouseholdId(row.subject_id)),
        _ => Subject::Person(PersonId(row.subject_id)),
    };
    Ok(FindingObjection {
        id: row.id,
        subject,
        fact: row.fact.clone(),
        department: row.department.clone(),
        period: Period {
            from: row.valid_from,
            until: row.valid_until,
        },
        value: serde_json::from_str(&row.value).context("reading a value")?,
        by: PersonId(row.by_id),
        said: keys.unseal(&row.said)?,
        papers: row.papers.clone(),
        on: row.on_day,
        due_on: row.due_on,
        taken_by: OfficerId(row.taken_by),
        answered: row.answered_on.map(|on| Answered {
            on,
            officer: row.answerer.clone(),
            upheld: row.upheld == Some(true),
            reason: row.reason.clone(),
        }),
    })
}
