//! Drafts (申请草稿): an application being filled in, kept on the server as one types.
//!
//! Guarantees: an unanswered question is absent, never zero or no; two windows typing into one draft do not silently
//! overwrite each other ([`merge`]); the live hint is the same evaluation as the decision's. Deliberately absent: facts; what is
//! typed becomes facts only when the application is handed in.

pub mod merge;

use crate::desk::Desk;
use crate::rows::insert;
use crate::{sheet, tables};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use policy::{Ask, Determination};
use registry::Reading;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Page, Tx, inside};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{DatedFact, FactId, FactSheet, Period, Value};

/// The source of what the applicant declares (本人申报).
pub const DECLARED: &str = "本人申报";

/// One answer (一项回答).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was answered.
    pub value: Value,
    /// Who says so; empty means the applicant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Since when it is so; `None` means as far as anybody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// A document that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl Answer {
    /// What the applicant says, as far as anybody asks.
    pub fn declared(value: Value) -> Self {
        Self {
            value,
            source: String::new(),
            from: None,
            evidence: None,
        }
    }

    pub(crate) fn source(&self) -> &str {
        if self.source.trim().is_empty() {
            DECLARED
        } else {
            self.source.trim()
        }
    }

    pub(crate) fn fact(&self) -> DatedFact {
        DatedFact {
            value: self.value.clone(),
            period: self.from.map_or(Period::ALWAYS, Period::since),
            known_since: None,
            source: self.source().to_owned(),
            evidence: self.evidence.clone(),
        }
    }
}

/// All answers of a form (全部回答): a question without an entry is unanswered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// About the household.
    #[serde(default)]
    pub household: BTreeMap<FactId, Answer>,
    /// About each member.
    #[serde(default)]
    pub members: BTreeMap<PersonId, BTreeMap<FactId, Answer>>,
}

/// A draft (申请草稿).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    /// Its id.
    pub id: Uuid,
    /// The household.
    pub household: HouseholdId,
    /// The programmes it is for.
    pub programmes: Vec<String>,
    /// The answers so far.
    pub answers: Answers,
    /// Counts the savings.
    pub version: i64,
    /// Last saved.
    pub saved_at: DateTime<Utc>,
    /// Handed in.
    pub submitted_at: Option<DateTime<Utc>>,
}

/// Why a draft was not started or saved (草稿未保存原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such household or draft in the scope.
    #[error("在您的管辖范围内查不到，请从家庭页面重新开始")]
    NotThere,
    /// A programme nobody can apply for.
    #[error("事项“{0}”不能在这里申请，请取消勾选")]
    UnknownProgramme(String),
    /// It was handed in meanwhile.
    #[error("这份申请已经提交，请到办件中查看")]
    AlreadySubmitted,
    /// Somebody saved it meanwhile.
    #[error("这份草稿刚被保存过（第{now}次），请按“保存草稿”逐项核对，您填的内容还在")]
    Changed {
        /// The version now.
        now: i64,
    },
    /// An answer to a question nobody asks.
    #[error("没有“{0}”这个问题，请刷新页面")]
    UnknownFact(String),
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => {
                "Not found in your area; start again from the household's page".to_owned()
            }
            Self::UnknownProgramme(id) => format!("“{id}” cannot be applied for here; untick it"),
            Self::AlreadySubmitted => {
                "This application was handed in already; see the cases".to_owned()
            }
            Self::Changed { .. } => {
                "This draft was saved meanwhile; press Save draft to compare, what you typed is kept"
                    .to_owned()
            }
            Self::UnknownFact(id) => format!("There is no question “{id}”; reload the page"),
        }
    }
}

/// Starts a draft for a household (开始申请).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn start_draft(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    household: HouseholdId,
    programmes: Vec<String>,
) -> anyhow::Result<Result<Uuid, Refused>> {
    if let Err(refused) = known(desk, &programmes) {
        return Ok(Err(refused));
    }
    let today = tx.today();
    let Some(home) = registry::households::household_view(tx, scope, household, today).await?
    else {
        return Ok(Err(Refused::NotThere));
    };
    let row = tables::draft::Model {
        id: tx.new_id(),
        household_id: household.0,
        region: home.region.to_string(),
        officer_id: scope.actor.officer.0,
        programmes: serde_json::to_string(&programmes)?,
        answers: serde_json::to_string(&Answers::default())?,
        version: 1,
        started_at: tx.now(),
        saved_at: tx.now(),
        submitted_at: None,
    };
    let id = row.id;
    insert::<tables::draft::Entity>(tx, row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.start_draft".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: household.to_string(),
        region: Some(home.region),
        detail: json!({ "draft": id, "programmes": programmes }),
    });
    Ok(Ok(id))
}

/// Saves a draft over the version it was read at (保存草稿); answers the new version.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn save_draft(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
    expected_version: i64,
    programmes: Vec<String>,
    answers: &Answers,
) -> anyhow::Result<Result<i64, Refused>> {
    let facts = answers
        .household
        .keys()
        .chain(answers.members.values().flat_map(BTreeMap::keys));
    if let Err(refused) = known(desk, &programmes).and_then(|()| {
        facts
            .into_iter()
            .find(|fact| desk.book.fact(fact).is_none())
            .map_or(Ok(()), |fact| Err(Refused::UnknownFact(fact.clone())))
    }) {
        return Ok(Err(refused));
    }
    let Some(before) = row(tx, scope, id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if before.submitted_at.is_some() {
        return Ok(Err(Refused::AlreadySubmitted));
    }
    let version = expected_version + 1;
    let saved = tables::draft::Entity::update_many()
        .col_expr(
            tables::draft::Column::Programmes,
            Expr::value(serde_json::to_string(&programmes)?),
        )
        .col_expr(
            tables::draft::Column::Answers,
            Expr::value(serde_json::to_string(answers)?),
        )
        .col_expr(tables::draft::Column::Version, Expr::value(version))
        .col_expr(tables::draft::Column::SavedAt, Expr::value(tx.now()))
        .filter(tables::draft::Column::Id.eq(id))
        .filter(tables::draft::Column::Version.eq(expected_version))
        .exec(tx.conn())
        .await
        .context("saving a draft")?;
    if saved.rows_affected == 0 {
        return Ok(Err(Refused::Changed {
            now: before.version,
        }));
    }
    let before = read(before)?;
    merge::note(
        tx,
        scope,
        id,
        version,
        (&before.answers, &before.programmes),
        (answers, &programmes),
    )
    .await?;
    Ok(Ok(version))
}

fn known(desk: &Desk, programmes: &[String]) -> Result<(), Refused> {
    match programmes
        .iter()
        .find(|programme| desk.procedure(programme).is_none())
    {
        Some(unknown) => Err(Refused::UnknownProgramme(unknown.clone())),
        None => Ok(()),
    }
}

pub(crate) async fn row(
    source: &impl Reading,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<tables::draft::Model>> {
    tables::draft::Entity::find_by_id(id)
        .filter(inside(tables::draft::Column::Region, scope.region))
        .one(source.connection())
        .await
        .context("reading a draft")
}

pub(crate) fn read(row: tables::draft::Model) -> anyhow::Result<Draft> {
    Ok(Draft {
        id: row.id,
        household: HouseholdId(row.household_id),
        programmes: serde_json::from_str(&row.programmes)
            .context("reading a draft's programmes")?,
        answers: serde_json::from_str(&row.answers).context("reading a draft's answers")?,
        version: row.version,
        saved_at: row.saved_at,
        submitted_at: row.submitted_at,
    })
}

/// A draft (查看草稿); `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn draft(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<Draft>> {
    row(db, scope, id).await?.map(read).transpose()
}

/// The drafts of the scope not handed in yet (草稿列表), last saved first.
///
/// # Errors
/// Faults of the database.
pub async fn drafts(
    db: &Db,
    scope: &Scope,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Draft>> {
    let query = tables::draft::Entity::find()
        .filter(inside(tables::draft::Column::Region, scope.region))
        .filter(tables::draft::Column::SubmittedAt.is_null());
    let query = query
        .order_by_desc(tables::draft::Column::SavedAt)
        .order_by_desc(tables::draft::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing drafts")?
        .try_map(read)
}

/// What the register and the ledger know of a household today (已知事实), for prefilling; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn prefill(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    household: HouseholdId,
) -> anyhow::Result<Option<FactSheet>> {
    sheet::sheet(db, scope, desk, household, db.now(), db.today()).await
}

/// What every programme says so far (现在看来可以享受): the register's facts with the draft's answers laid over them.
///
/// # Errors
/// Faults of the database.
pub async fn preview(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
) -> anyhow::Result<Option<Vec<Determination>>> {
    let Some(row) = row(db, scope, id).await? else {
        return Ok(None);
    };
    let region = row.region.parse().context("the region of a draft")?;
    let draft = read(row)?;
    let (now, today) = (db.now(), db.today());
    let Some(mut sheet) = sheet::sheet(db, scope, desk, draft.household, now, today).await? else {
        return Ok(None);
    };
    lay_over(&mut sheet, &draft.answers);
    let ask = Ask {
        as_of: today,
        known_at: Some(now),
        region: Some(region),
        programmes: None,
    };
    Ok(Some(desk.book.evaluate(&sheet, &ask)))
}

/// Lays answers over a sheet: what the same source said before of the fact gives way, other sources stay beside it.
pub(crate) fn lay_over(sheet: &mut FactSheet, answers: &Answers) {
    let put = |record: &mut vocab::Record, fact: &FactId, answer: &Answer| {
        let said = record.entry(fact.clone()).or_default();
        said.retain(|earlier| earlier.source != answer.source());
        said.push(answer.fact());
    };
    for (fact, answer) in &answers.household {
        put(&mut sheet.household, fact, answer);
    }
    for (place, key) in sheet.member_keys.iter().enumerate() {
        let Some(answered) = key
            .parse()
            .ok()
            .and_then(|person: PersonId| answers.members.get(&person))
        else {
            continue;
        };
        if let Some(record) = sheet.members.get_mut(place) {
            for (fact, answer) in answered {
                put(record, fact, answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_replaces_what_its_source_said_and_leaves_other_sources_beside_it() {
        let person = PersonId(Uuid::from_u128(7));
        let said = |source: &str, fen| DatedFact {
            source: source.to_owned(),
            ..DatedFact::plain(Value::Int(fen))
        };
        let mut sheet = FactSheet {
            members: vec![BTreeMap::from([(
                "wage".to_owned(),
                vec![said(DECLARED, 1), said("社保", 2)],
            )])],
            member_keys: vec![person.to_string()],
            ..FactSheet::default()
        };
        let mut answers = Answers::default();
        answers
            .members
            .entry(person)
            .or_default()
            .insert("wage".to_owned(), Answer::declared(Value::Int(3)));
        lay_over(&mut sheet, &answers);
        let values: Vec<&Value> = sheet.members[0]["wage"]
            .iter()
            .map(|fact| &fact.value)
            .collect();
        assert_eq!(values, [&Value::Int(2), &Value::Int(3)]);
    }
}
