//! Life events and leads as officers see them (生活事件列表、可能新符合): counted and cut by the database.
//!
//! Guarantees: only what lies in the scope; looking at one event stands in the journal; names are masked. Deliberately
//! absent: applying for a lead; that is an application like any other.

use super::{Kind, Refused};
use crate::desk::Desk;
use crate::review::Differs;
use crate::rows::save;
use crate::tables::{case, life_event as table, life_event_line as line};
use access::{Permission, Scope};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use serde_json::json;
use store::{Db, Event, Page, Tx};
use uuid::Uuid;
use vocab::ids::{CaseId, HouseholdId, PersonId};
use vocab::{Money, Month, Region};

/// One event (一件生活事件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeEvent {
    /// Its id.
    pub id: Uuid,
    /// What.
    pub kind: Kind,
    /// In which household.
    pub household: HouseholdId,
    /// About whom, if about one person.
    pub person: Option<PersonId>,
    /// Their masked name.
    pub subject: String,
    /// Where.
    pub region: Region,
    /// On which day.
    pub on: NaiveDate,
    /// The age, the fact or the place, as the kind says.
    pub detail: String,
    /// Who says so.
    pub source: String,
    /// The name of the proof, if there is one.
    pub evidence: String,
    /// How many programmes were asked.
    pub looked_at: i64,
    /// Who recorded it.
    pub recorder: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

/// What an event means for one programme (涉及的事项).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its id.
    pub id: Uuid,
    /// Of which event.
    pub event: Uuid,
    /// The programme.
    pub programme: String,
    /// The household.
    pub household: HouseholdId,
    /// For whom, if for one person.
    pub member: Option<PersonId>,
    /// Their masked name.
    pub subject: String,
    /// Where.
    pub region: Region,
    /// The case and its number; none for a lead.
    pub case: Option<(CaseId, String)>,
    /// What differs.
    pub differs: Differs,
    /// A month so far.
    pub before: Option<Money>,
    /// A month from then on.
    pub after: Option<Money>,
    /// The first month of it.
    pub from: Option<Month>,
    /// Months already paid: positive to be paid, negative paid too much.
    pub back: Money,
    /// Why, or what is missing.
    pub said: String,
    /// Done on.
    pub closed_on: Option<NaiveDate>,
    /// By whom.
    pub closed_by: String,
    /// How.
    pub result: String,
}

/// What is looked for (生活事件筛选).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this place.
    pub region: Option<Region>,
}

/// Which leads (可能新符合筛选).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this place.
    pub region: Option<Region>,
    /// Those closed, instead of those open.
    pub closed: bool,
}

/// What became of a lead (线索办理结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadResult {
    /// 已协助申请。
    Applied,
    /// 已告知，本人不申请。
    NotWanted,
    /// 经核实不符合。
    NotEntitled,
}

impl LeadResult {
    /// All results, in the order a form shows them.
    pub const ALL: [Self; 3] = [Self::Applied, Self::NotWanted, Self::NotEntitled];

    /// Its word in forms.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::NotWanted => "not_wanted",
            Self::NotEntitled => "not_entitled",
        }
    }

    /// What a word means.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Applied => ("已协助申请", "applied for with our help"),
            Self::NotWanted => ("已告知，本人不申请", "told, and does not want it"),
            Self::NotEntitled => ("经核实不符合", "checked: not entitled"),
        }
    }
}

impl LifeEvent {
    fn read(row: table::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            kind: Kind::read(&row.kind)?,
            household: HouseholdId(row.household_id),
            person: row.person_id.map(PersonId),
            subject: row.subject_masked,
            region: row.region.parse().context("the region of a life event")?,
            on: row.on_day,
            detail: row.detail,
            source: row.source,
            evidence: row.evidence_name,
            looked_at: row.looked_at,
            recorder: row.recorder,
            recorded_at: row.recorded_at,
        })
    }
}

impl Line {
    fn read(row: line::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            event: row.event_id,
            programme: row.programme,
            household: HouseholdId(row.household_id),
            member: row.member_id.map(PersonId),
            subject: row.subject_masked,
            region: row.region.parse().context("the region of a line")?,
            case: row.case_id.map(|id| (CaseId(id), row.number)),
            differs: Differs::from_word(&row.effect).context("a stored effect is not known")?,
            before: row.amount_before.map(Money::from_fen),
            after: row.amount_after.map(Money::from_fen),
            from: row
                .from_month
                .as_deref()
                .map(str::parse)
                .transpose()
                .context("the month of a line")?,
            back: Money::from_fen(row.back),
            said: row.said,
            closed_on: row.closed_on,
            closed_by: row.closed_by,
            result: row.result,
        })
    }
}

fn in_scope(scope: &Scope) -> Condition {
    let (first, beyond) = scope.code_range();
    Condition::all()
        .add(table::Column::Region.gte(first))
        .add(table::Column::Region.lt(beyond))
}

/// The events of the scope (生活事件列表), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &EventFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<LifeEvent>> {
    let mut wanted = in_scope(scope);
    if let Some(kind) = filter.kind {
        wanted = wanted.add(table::Column::Kind.eq(kind.word()));
    }
    if let Some(place) = filter.region {
        let (first, beyond) = place.code_range();
        wanted = wanted
            .add(table::Column::Region.gte(first))
            .add(table::Column::Region.lt(beyond));
    }
    let query = table::Entity::find()
        .filter(wanted)
        .order_by_desc(table::Column::RecordedAt)
        .order_by_asc(table::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing life events")?
        .try_map(LifeEvent::read)
}

/// The events of one household (一户的生活事件), newest first, those of the scope.
///
/// # Errors
/// Faults of the database.
pub async fn of_household(
    db: &Db,
    scope: &Scope,
    household: HouseholdId,
) -> anyhow::Result<Vec<LifeEvent>> {
    table::Entity::find()
        .filter(in_scope(scope))
        .filter(table::Column::HouseholdId.eq(household.0))
        .order_by_desc(table::Column::OnDay)
        .order_by_asc(table::Column::Id)
        .limit(50)
        .all(db.conn())
        .await
        .context("reading the life events of a household")?
        .into_iter()
        .map(LifeEvent::read)
        .collect()
}

/// One event (一件生活事件), if it lies in the scope; the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn view(
    db: &Db,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<(LifeEvent, Vec<Line>)>> {
    let row = table::Entity::find_by_id(id)
        .filter(in_scope(scope))
        .one(db.conn())
        .await
        .context("reading a life event")?;
    let Some(row) = row else { return Ok(None) };
    let event = LifeEvent::read(row)?;
    let lines = lines_of(db, scope, id).await?;
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.life_event.read".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: event.household.to_string(),
        region: Some(event.region),
        detail: json!({ "event": id }),
    });
    tx.commit().await?;
    Ok(Some((event, lines)))
}

/// What an event means, line by line (涉及的事项), inside the transaction that recorded it: for a preview.
///
/// # Errors
/// Faults of the database.
pub async fn lines(tx: &Tx, scope: &Scope, event: Uuid) -> anyhow::Result<Vec<Line>> {
    lines_of(tx, scope, event).await
}

async fn lines_of(
    source: &impl registry::Reading,
    scope: &Scope,
    event: Uuid,
) -> anyhow::Result<Vec<Line>> {
    let (first, beyond) = scope.code_range();
    line::Entity::find()
        .filter(line::Column::EventId.eq(event))
        .filter(line::Column::Region.gte(first))
        .filter(line::Column::Region.lt(beyond))
        .order_by_asc(line::Column::Programme)
        .order_by_asc(line::Column::Id)
        .all(source.connection())
        .await
        .context("reading what an event means")?
        .into_iter()
        .map(Line::read)
        .collect()
}

/// The first month the open events of a case ask for (办件待决定的起始月份), the earliest.
///
/// # Errors
/// Faults of the database.
pub async fn month_asked(db: &Db, scope: &Scope, id: CaseId) -> anyhow::Result<Option<Month>> {
    let (first, beyond) = scope.code_range();
    // The case speaks for the place: a line keeps the community it was written in, also after a move.
    let seen = case::Entity::find_by_id(id.0)
        .select_only()
        .column(case::Column::Id)
        .filter(case::Column::Region.gte(first))
        .filter(case::Column::Region.lt(beyond))
        .into_query();
    let months: Vec<Option<String>> = line::Entity::find()
        .select_only()
        .column(line::Column::FromMonth)
        .filter(line::Column::CaseId.in_subquery(seen))
        .filter(line::Column::ClosedOn.is_null())
        .into_tuple()
        .all(db.conn())
        .await
        .context("reading which month events ask for")?;
    Ok(months
        .into_iter()
        .flatten()
        .filter_map(|month| month.parse().ok())
        .min())
}

fn lead_condition(scope: &Scope, filter: &LeadFilter) -> Condition {
    use line::Column as L;
    let (first, beyond) = scope.code_range();
    let mut all = Condition::all()
        .add(L::Effect.eq(Differs::Lead.word()))
        .add(L::Region.gte(first))
        .add(L::Region.lt(beyond))
        .add(if filter.closed {
            L::ClosedOn.is_not_null()
        } else {
            L::ClosedOn.is_null()
        });
    if let Some(programme) = &filter.programme {
        all = all.add(L::Programme.eq(programme));
    }
    if let Some(place) = filter.region {
        let (first, beyond) = place.code_range();
        all = all.add(L::Region.gte(first)).add(L::Region.lt(beyond));
    }
    all
}

/// Who may now be entitled and has not applied (可能新符合), oldest first.
///
/// # Errors
/// Faults of the database.
pub async fn leads(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Line>> {
    let query = line::Entity::find()
        .filter(lead_condition(scope, filter))
        .order_by_asc(line::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing leads")?
        .try_map(Line::read)
}

/// How many leads are open (可能新符合数量).
///
/// # Errors
/// Faults of the database.
pub async fn leads_open(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    line::Entity::find()
        .filter(lead_condition(scope, &LeadFilter::default()))
        .count(db.conn())
        .await
        .context("counting leads")
}

/// Closes a lead with what became of it (办结线索).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn close_lead(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
    result: LeadResult,
    note: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = line::Entity::find_by_id(id)
        .filter(lead_condition(scope, &LeadFilter::default()))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a lead")?;
    let Some(mut row) = row else {
        return Ok(Err(Refused::NotThere));
    };
    let region: Region = row.region.parse().context("the region of a lead")?;
    if let Err(denied) = scope.may(Permission::ActOnCases, region) {
        return Ok(Err(denied.into()));
    }
    if note.trim().is_empty() {
        return Ok(Err(Refused::NoteMissing));
    }
    row.closed_on = Some(tx.today());
    row.closed_by = scope.actor.name.clone();
    row.result = format!("{}：{}", result.wording().0, note.trim());
    let (household, programme) = (row.household_id, row.programme.clone());
    save::<line::Entity>(tx, row).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.lead.close".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: household.to_string(),
        region: Some(region),
        detail: json!({ "lead": id, "programme": desk.title(&programme).0, "result": result.word() }),
    });
    Ok(Ok(()))
}
