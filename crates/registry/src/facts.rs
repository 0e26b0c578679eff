//! Facts (事实): values with their days, their source, their evidence and the moment we learned them.
//!
//! A row is never changed. A source that learns better says so in a new row, and what it says later replaces what it
//! said earlier for the same days: asked as of an earlier moment, the earlier answer comes back. A source may also
//! withdraw what it said. Two sources that contradict each other stay beside each other; which to believe is for an
//! officer and the rule book, not for this crate.

mod ended;
mod sheet;
mod timeline;

pub use ended::{Ended, ended_on};
pub use sheet::{fact_sheet, fact_sheets};
pub(crate) use sheet::{once, was_member};
pub(crate) use timeline::settled;
pub use timeline::{HistoryRow, evidence_visible, history};

use crate::reading::Reading;
use crate::tables::{fact, household, person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde_json::json;
use std::collections::BTreeSet;
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::{FactRowId, HouseholdId, PersonId};
use vocab::{DatedFact, Period, Region, Value};

/// Whom a fact is about (事实的主体).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A person (自然人).
    Person(PersonId),
    /// A household (家庭).
    Household(HouseholdId),
}

impl Subject {
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Household(_) => "household",
        }
    }

    pub(crate) fn stored(kind: &str, id: Uuid) -> Self {
        match kind {
            "household" => Self::Household(HouseholdId(id)),
            _ => Self::Person(PersonId(id)),
        }
    }

    pub(crate) fn id(self) -> Uuid {
        match self {
            Self::Person(id) => id.0,
            Self::Household(id) => id.0,
        }
    }
}

/// Why a fact was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody and no household of this identifier in the scope.
    #[error("在您的管辖范围内查不到该人员或家庭")]
    NotFound,
    /// No name of a fact.
    #[error("缺少事实名称")]
    NameMissing,
    /// No source.
    #[error("请写明信息来源，例如 本人申报、公安、社保")]
    SourceMissing,
    /// The period ends before it begins.
    #[error("结束日期应晚于开始日期，请核对")]
    PeriodReversed,
    /// What the person row itself says is changed by the register's own acts.
    #[error("出生日期、性别、户籍地、死亡和与户主关系请在人员或家庭信息中变更")]
    KeptByTheRegister,
}

/// The facts the register itself supplies from the person and the membership (登记自带的事实).
pub const FROM_THE_REGISTER: [&str; 5] = ["birth_date", "sex", "hukou", "relation", "died_on"];

/// Records a fact (记录事实). It is known from this moment on, whatever the given `known_since` says: nobody can make the
/// register have known something earlier.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn record_fact(
    tx: &mut Tx,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    given: DatedFact,
) -> anyhow::Result<Result<FactRowId, Refused>> {
    if let Err(refused) = checked(fact_id, &given) {
        return Ok(Err(refused));
    }
    let Some(region) = region_of(tx, scope, subject).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let now = tx.now();
    let id = insert_row(tx, scope, subject, fact_id, &given, now).await?;
    note(
        tx,
        scope,
        subject,
        region,
        "fact.record",
        fact_id,
        &given.source,
    );
    Ok(Ok(id))
}

/// Withdraws what a source said of a fact for a period (撤回事实): from now on it says nothing for these days.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn withdraw_fact(
    tx: &mut Tx,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    source: &str,
    period: Period,
) -> anyhow::Result<Result<FactRowId, Refused>> {
    let given = DatedFact {
        period,
        source: source.to_owned(),
        ..DatedFact::plain(Value::Bool(false))
    };
    if let Err(refused) = checked(fact_id, &given) {
        return Ok(Err(refused));
    }
    let Some(region) = region_of(tx, scope, subject).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let row = withdrawal(tx, scope, subject, fact_id, source, period);
    let id = FactRowId(row.id);
    insert(tx, row).await?;
    note(tx, scope, subject, region, "fact.withdraw", fact_id, source);
    Ok(Ok(id))
}

fn checked(fact_id: &str, given: &DatedFact) -> Result<(), Refused> {
    if fact_id.trim().is_empty() {
        return Err(Refused::NameMissing);
    }
    if FROM_THE_REGISTER.contains(&fact_id) {
        return Err(Refused::KeptByTheRegister);
    }
    if given.source.trim().is_empty() {
        return Err(Refused::SourceMissing);
    }
    match (given.period.from, given.period.until) {
        (Some(from), Some(until)) if until <= from => Err(Refused::PeriodReversed),
        _ => Ok(()),
    }
}

fn note(
    tx: &mut Tx,
    scope: &Scope,
    subject: Subject,
    region: Region,
    act: &str,
    fact_id: &str,
    source: &str,
) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: subject.kind().to_owned(),
        subject_id: subject.id().to_string(),
        region: Some(region),
        // The value stays out: the journal is read by more people than the record.
        detail: json!({ "fact": fact_id, "source": source }),
    });
}

/// The identifiers under which facts of a subject stand: of a person all his records'.
pub(crate) async fn identifiers(
    source: &impl Reading,
    subject: Subject,
) -> anyhow::Result<Vec<Uuid>> {
    match subject {
        Subject::Household(id) => Ok(vec![id.0]),
        Subject::Person(id) => {
            let same = crate::merging::same(source, [id.0], None).await?;
            Ok(same.all(id.0))
        }
    }
}

/// Where the subject lives, if it lies in the scope.
pub(crate) async fn region_of(
    source: &impl Reading,
    scope: &Scope,
    subject: Subject,
) -> anyhow::Result<Option<Region>> {
    let code: Option<String> = match subject {
        Subject::Person(id) => {
            person::Entity::find_by_id(id.0)
                .filter(inside(person::Column::LivesIn, scope.region))
                .select_only()
                .column(person::Column::LivesIn)
                .into_tuple()
                .one(source.connection())
                .await
        }
        Subject::Household(id) => {
            household::Entity::find_by_id(id.0)
                .filter(inside(household::Column::Region, scope.region))
                .select_only()
                .column(household::Column::Region)
                .into_tuple()
                .one(source.connection())
                .await
        }
    }
    .context("finding the subject of a fact")?;
    code.as_deref().map(crate::stored::region).transpose()
}

pub(crate) async fn insert_row(
    tx: &Tx,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    given: &DatedFact,
    known_since: DateTime<Utc>,
) -> anyhow::Result<FactRowId> {
    let row = row_of(tx.new_id(), scope, subject, fact_id, given, known_since)?;
    let id = FactRowId(row.id);
    insert(tx, row).await?;
    Ok(id)
}

async fn insert(tx: &Tx, row: fact::Model) -> anyhow::Result<()> {
    fact::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("inserting a fact")?;
    Ok(())
}

pub(crate) fn row_of(
    id: Uuid,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    given: &DatedFact,
    known_since: DateTime<Utc>,
) -> anyhow::Result<fact::Model> {
    Ok(fact::Model {
        id,
        subject_kind: subject.kind().to_owned(),
        subject_id: subject.id(),
        fact: fact_id.to_owned(),
        value: serde_json::to_value(&given.value).context("writing the value of a fact")?,
        valid_from: given.period.from,
        valid_until: given.period.until,
        known_since,
        source: given.source.trim().to_owned(),
        evidence: given.evidence.clone(),
        recorded_by: scope.actor.officer.0,
    })
}

/// The row by which a source withdraws: a value of nothing.
fn withdrawal(
    tx: &Tx,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    source: &str,
    period: Period,
) -> fact::Model {
    fact::Model {
        id: tx.new_id(),
        subject_kind: subject.kind().to_owned(),
        subject_id: subject.id(),
        fact: fact_id.to_owned(),
        value: serde_json::Value::Null,
        valid_from: period.from,
        valid_until: period.until,
        known_since: tx.now(),
        source: source.trim().to_owned(),
        evidence: None,
        recorded_by: scope.actor.officer.0,
    }
}

/// Withdraws what every source said of a fact for a period.
pub(crate) async fn withdraw_rows(
    tx: &Tx,
    scope: &Scope,
    subject: Subject,
    fact_id: &str,
    period: Period,
) -> anyhow::Result<()> {
    let sources: Vec<String> = fact::Entity::find()
        .select_only()
        .column(fact::Column::Source)
        .filter(fact::Column::SubjectId.is_in(identifiers(tx, subject).await?))
        .filter(fact::Column::Fact.eq(fact_id))
        .into_tuple()
        .all(tx.conn())
        .await
        .context("reading who said something")?;
    for source in BTreeSet::from_iter(sources) {
        insert(tx, withdrawal(tx, scope, subject, fact_id, &source, period)).await?;
    }
    Ok(())
}
