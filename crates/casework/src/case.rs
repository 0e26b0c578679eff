//! A case (办件): one programme asked for by one household or person, and what the desk shows of it.
//!
//! Guarantees: what is here carries masked names only. Deliberately absent: the decisions about what may happen next;
//! those stand in [`crate::act`].

use crate::clock::Light;
use crate::procedure::{Applies, Channel, MayApply, StateKind, TaskKind};
use crate::tables;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use policy::Outcome;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use vocab::ids::{
    ApplicationId, CaseId, DecisionId, EntitlementId, HouseholdId, NoticeId, OfficerId, PersonId,
    TaskId,
};
use vocab::{Money, Region, Value};

/// A case (办件).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The number people use: `BA2026-000318`.
    pub number: String,
    /// The application it came with.
    pub application: ApplicationId,
    /// The programme.
    pub programme: String,
    /// The household.
    pub household: HouseholdId,
    /// The person it is about; `None` for a whole household.
    pub member: Option<PersonId>,
    /// Who applied.
    pub applicant: PersonId,
    /// The applicant's masked name.
    pub applicant_masked: String,
    /// The masked name of the person it is about (the applicant for a household).
    pub subject_masked: String,
    /// How many people the household counts.
    pub member_count: i64,
    /// The community.
    pub region: Region,
    /// The state's word.
    pub state: String,
    /// What the state means.
    pub kind: StateKind,
    /// Counts the acts; an act must name the version it saw.
    pub version: i64,
    /// Handed in on.
    pub applied_on: NaiveDate,
    /// Accepted on.
    pub accepted_on: Option<NaiveDate>,
    /// Decided on.
    pub decided_on: Option<NaiveDate>,
    /// The outcome of the stored determination.
    pub outcome: Option<Outcome>,
    /// The amount determined, later granted.
    pub amount: Option<Money>,
    /// The stored determination.
    pub determination: Option<Uuid>,
    /// The last decision.
    pub decision: Option<DecisionId>,
    /// The entitlement it created.
    pub entitlement: Option<EntitlementId>,
    /// Whether it was drawn for checking (抽查).
    pub sampled: bool,
    /// Whether it was taken over from the old system (存量接收).
    pub taken_over: bool,
    /// The earliest due date of its running clocks.
    pub due_on: Option<NaiveDate>,
    /// From when that date counts as near.
    pub warn_on: Option<NaiveDate>,
    /// Whether that date rests on a calendar year not published yet (暂定).
    pub provisional: bool,
    /// Whether its clocks stand still (不计时).
    pub paused: bool,
    /// Who did the last act.
    pub last_officer: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The state of a case after an act (办件状态): what a page needs to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseState {
    /// The case.
    pub id: CaseId,
    /// Its state's word.
    pub state: String,
    /// Its version now.
    pub version: i64,
    /// The decision just taken.
    pub decision: Option<DecisionId>,
    /// The letter just issued.
    pub letter: Option<Uuid>,
    /// The notice just posted.
    pub notice: Option<NoticeId>,
}

/// A line of the case list (办件列表行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseRow {
    /// The case.
    pub case: Case,
    /// Its light.
    pub light: Light,
    /// Working days left until it is due; negative once overdue.
    pub days_left: Option<i64>,
    /// The programme's title.
    pub programme_zh: String,
    /// The programme's title, English.
    pub programme_en: String,
    /// The state's wording.
    pub state_zh: String,
    /// The state's wording, English.
    pub state_en: String,
}

/// A line of the to-do list (待办行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskRow {
    /// The task.
    pub task: TaskId,
    /// What kind.
    pub kind: TaskKind,
    /// What more there is to say (for instance why the bank returned a payment).
    pub detail: String,
    /// Due on.
    pub due_on: Option<NaiveDate>,
    /// Its light.
    pub light: Light,
    /// Working days left; negative once overdue.
    pub days_left: Option<i64>,
    /// Since when it is open.
    pub opened_at: DateTime<Utc>,
    /// Its case.
    pub row: CaseRow,
}

/// One line of the timeline (时间线).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its place, from 1.
    pub seq: i64,
    /// The act's word; `submit` and `take_over` for the beginning.
    pub act: String,
    /// The act's wording.
    pub zh: String,
    /// The act's wording, English.
    pub en: String,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub officer: String,
    /// The officer's id.
    pub officer_id: OfficerId,
    /// The state before.
    pub from_state: String,
    /// The state after.
    pub to_state: String,
    /// The opinion.
    pub opinion: String,
    /// What was filled in.
    pub input: Recorded,
}

/// What an act recorded besides the opinion (行为记录的内容).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Who took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// The fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    /// The grounds chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<String>,
    /// Everything asked for (一次性告知).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<String>,
    /// The version of the case before the act.
    #[serde(default)]
    pub version: i64,
}

/// A person who took part in an act (参与人): an officer or somebody else named in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Participant {
    /// The name.
    pub name: String,
    /// The officer, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<OfficerId>,
}

/// An evidence file (材料).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Its id.
    pub id: Uuid,
    /// Its kind's word.
    pub kind: String,
    /// Its kind's wording.
    pub zh: String,
    /// Its kind's wording, English.
    pub en: String,
    /// The file's name.
    pub name: String,
    /// The media type.
    pub media: String,
    /// Bytes.
    pub size: i64,
    /// A note.
    pub note: String,
    /// Added by.
    pub officer: String,
    /// Added at.
    pub at: DateTime<Utc>,
}

/// A clock of a case as shown (时限).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockShown {
    /// The clock's word.
    pub id: String,
    /// Its name.
    pub zh: String,
    /// Its name, English.
    pub en: String,
    /// The article, as people say it.
    pub article: String,
    /// Its length in its unit, with extension.
    pub total: i64,
    /// The unit's word: `wd`, `d` or `m`.
    pub unit: String,
    /// Started on.
    pub started_on: NaiveDate,
    /// Due on; `None` while it stands still without a known end.
    pub due_on: Option<NaiveDate>,
    /// What is left in its unit; negative once overdue.
    pub left: Option<i64>,
    /// The calendar year that is not published yet, if the date rests on it (暂定).
    pub missing_year: Option<i32>,
    /// Standing still since.
    pub paused_from: Option<NaiveDate>,
    /// Extended.
    pub extended: bool,
    /// Stopped on.
    pub stopped_on: Option<NaiveDate>,
    /// Its light.
    pub light: Light,
}

/// A public notice (公示) as anyone may see it: nothing but what the law allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// The programme's title.
    pub programme_zh: String,
    /// The programme's title, English.
    pub programme_en: String,
    /// The place's name.
    pub place_zh: String,
    /// The place.
    pub region: Region,
    /// The applicant's name, if the notice shows it; a child's never.
    pub name: Option<String>,
    /// How many members, if shown.
    pub member_count: Option<i64>,
    /// The amount, if shown.
    pub amount: Option<Money>,
    /// The article, as people say it.
    pub article: String,
    /// Posted on.
    pub posted_on: NaiveDate,
    /// Its last full day.
    pub ends_on: NaiveDate,
}

/// An objection (异议) as an officer sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// Its id.
    pub id: Uuid,
    /// `officer` or `public`.
    pub channel: String,
    /// What was said.
    pub said: String,
    /// How to reach who said it.
    pub contact: Option<String>,
    /// Registered at.
    pub at: DateTime<Utc>,
    /// Settled on.
    pub settled_on: Option<NaiveDate>,
    /// How.
    pub settlement: Option<String>,
}

/// A decision (决定).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What was decided: `grant`, `change`, `refuse`, `suspend`, `resume`, `stop`, `taken_over`.
    pub kind: String,
    /// The determination it quotes.
    pub determination: Option<Uuid>,
    /// Decided on.
    pub decided_on: NaiveDate,
    /// First month.
    pub from_month: Option<String>,
    /// The amount.
    pub amount: Option<Money>,
    /// The opinion.
    pub opinion: String,
    /// By.
    pub officer: String,
    /// The old system's number, for what was taken over.
    pub foreign_number: Option<String>,
}

/// A letter that was issued (已出具的文书).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetterRow {
    /// Its id.
    pub id: Uuid,
    /// Its kind: the template's word.
    pub kind: String,
    /// Issued on.
    pub issued_on: NaiveDate,
}

/// The application behind a case (申请).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The household.
    pub household: HouseholdId,
    /// Who applied.
    pub applicant: PersonId,
    /// In which capacity.
    pub applied_by: MayApply,
    /// Who handed it in for the applicant (代办).
    pub agent: Option<PersonId>,
    /// How the agent stands to the applicant.
    pub agent_relation: Option<String>,
    /// How it arrived.
    pub channel: Channel,
    /// Handed in on.
    pub submitted_on: NaiveDate,
    /// The receipt code (回执码).
    pub receipt_code: String,
}

/// Whom a case about a household or a person is recorded for in the register.
pub(crate) fn subject(case: &Case, applies: Applies) -> registry::Subject {
    match (applies, case.member) {
        (Applies::Person, Some(member)) => registry::Subject::Person(member),
        _ => registry::Subject::Household(case.household),
    }
}

/// A word of one of our closed lists as it stands in a table.
pub(crate) fn to_word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A word read back from a table.
pub(crate) fn from_word<T: serde::de::DeserializeOwned>(word: &str) -> anyhow::Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .with_context(|| format!("the stored word “{word}” is not known"))
}

impl Case {
    pub(crate) fn read(row: &tables::case::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: CaseId(row.id),
            number: row.number.clone(),
            application: ApplicationId(row.application_id),
            programme: row.programme.clone(),
            household: HouseholdId(row.household_id),
            member: row.member_id.map(PersonId),
            applicant: PersonId(row.applicant_id),
            applicant_masked: row.applicant_masked.clone(),
            subject_masked: row.subject_masked.clone(),
            member_count: row.member_count,
            region: row.region.parse().context("the region of a case")?,
            state: row.state.clone(),
            kind: from_word(&row.kind)?,
            version: row.version,
            applied_on: row.applied_on,
            accepted_on: row.accepted_on,
            decided_on: row.decided_on,
            outcome: row.outcome.as_deref().and_then(Outcome::from_word),
            amount: row.amount.map(Money::from_fen),
            determination: row.determination_id,
            decision: row.decision_id.map(DecisionId),
            entitlement: row.entitlement_id.map(EntitlementId),
            sampled: row.sampled,
            taken_over: row.taken_over,
            due_on: row.due_on,
            warn_on: row.warn_on,
            provisional: row.provisional,
            paused: row.paused,
            last_officer: row.last_officer.clone(),
            updated_at: row.updated_at,
        })
    }
}
