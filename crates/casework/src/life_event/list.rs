//! Life events as officers see them (生活事件列表): counted and cut by the database.
//!
//! Guarantees: only what lies in the scope; looking at one event stands in the journal; names are masked. Deliberately
//! absent: what is done about a lead; see [`crate::lead`].

use super::Kind;
use crate::review::Differs;
use crate::tables::{case, life_event as table, life_event_line as line};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;
use store::{Db, Event, Page, Tx, inside};
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
    /// The lead that came of it.
    pub lead: Option<Uuid>,
}

/// What is looked for (生活事件筛选).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this place.
    pub region: Option<Region>,
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
            lead: row.lead_id,
        })
    }
}

fn in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(table::Column::Region, scope.region))
}

fn selected(scope: &Scope, filter: &EventFilter) -> sea_orm::Select<table::Entity> {
    let mut wanted = in_scope(scope);
    if let Some(kind) = filter.kind {
        wanted = wanted.add(table::Column::Kind.eq(kind.word()));
    }
    if let Some(place) = filter.region {
        wanted = wanted.add(inside(table::Column::Region, place));
    }
    table::Entity::find().filter(wanted)
}

/// The events of a filter after one (此后的生活事件), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &EventFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<LifeEvent>> {
    store::page::after(
        db.conn(),
        selected(scope, filter),
        table::Column::Id,
        last,
        limit,
    )
    .await
    .context("going through life events")?
    .into_iter()
    .map(LifeEvent::read)
    .collect()
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
    let query = selected(scope, filter)
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
    line::Entity::find()
        .filter(line::Column::EventId.eq(event))
        .filter(inside(line::Column::Region, scope.region))
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
    // The case speaks for the place: a line keeps the community it was written in, also after a move.
    let seen = case::Entity::find_by_id(id.0)
        .select_only()
        .column(case::Column::Id)
        .filter(inside(case::Column::Region, scope.region))
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
