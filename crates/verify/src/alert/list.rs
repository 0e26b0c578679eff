//! Alerts as officers see them (预警列表): cut, sorted and counted by the database; and one with what happened to it.
//!
//! Guarantees: only what lies in the scope, in lists, counts and exports alike; every look is journalled with its purpose;
//! names are masked. Deliberately absent: changing anything.

use super::rules::Severity;
use super::table::{alert, event};
use super::{Alert, State};
use access::Scope;
use alert::{Column, Entity};
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Page, inside};
use uuid::Uuid;
use vocab::Region;

/// Which alerts (预警筛选); an empty filter means all of the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only this place and those under it.
    pub region: Option<Region>,
    /// Only this rule's.
    pub rule: Option<String>,
    /// Only as grave as this.
    pub severity: Option<Severity>,
    /// Only these states; empty means all.
    pub states: Vec<State>,
}

/// By what a list is sorted (排序).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AlertSort {
    /// The gravest first, then the most urgent.
    #[default]
    Urgency,
    /// By the day it is due.
    Due,
    /// By the day it was found.
    Found,
    /// By community.
    Place,
}

impl AlertSort {
    /// From its word in an address (读代码).
    pub fn from_word(word: &str) -> Self {
        match word {
            "due" => Self::Due,
            "found" => Self::Found,
            "place" => Self::Place,
            _ => Self::Urgency,
        }
    }
}

pub(super) fn within(scope: &Scope, filter: &AlertFilter) -> Select<Entity> {
    let mut all = Condition::all().add(inside(Column::Region, scope.region));
    if let Some(region) = filter.region {
        all = all.add(inside(Column::Region, region));
    }
    if let Some(rule) = &filter.rule {
        all = all.add(Column::Rule.eq(rule.as_str()));
    }
    if let Some(severity) = filter.severity {
        all = all.add(Column::Severity.eq(severity.rank()));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    Entity::find().filter(all)
}

/// Alerts (预警列表); the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &AlertFilter,
    (sort, falls): (AlertSort, bool),
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Alert>> {
    let order = if falls { Order::Desc } else { Order::Asc };
    let wanted = within(scope, filter);
    let wanted = match sort {
        AlertSort::Urgency => wanted
            .order_by_desc(Column::Severity)
            .order_by_asc(Column::DueOn),
        AlertSort::Due => wanted.order_by(Column::DueOn, order),
        AlertSort::Found => wanted.order_by(Column::FoundOn, order),
        AlertSort::Place => wanted.order_by(Column::Region, order),
    };
    let found = store::page::cut(db.conn(), wanted.order_by_asc(Column::Id), offset, limit)
        .await
        .context("listing alerts")?
        .try_map(Alert::read)?;
    let detail = json!({ "alerts": found.rows.len(), "of": found.total });
    let subject = ("region", scope.region.to_string());
    looked(db, scope, subject, scope.region, detail).await?;
    Ok(found)
}

/// The alerts of a filter after one (此后的预警), in the order of identifiers: for a file of all of them. The caller journals it.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &AlertFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<Alert>> {
    store::page::after(db.conn(), within(scope, filter), Column::Id, last, limit)
        .await
        .context("going through alerts")?
        .into_iter()
        .map(Alert::read)
        .collect()
}

/// How many alerts a filter finds (预警数量).
///
/// # Errors
/// Faults of the database.
pub async fn count(db: &Db, scope: &Scope, filter: &AlertFilter) -> anyhow::Result<u64> {
    within(scope, filter)
        .count(db.conn())
        .await
        .context("counting the alerts of a filter")
}

/// How many alerts stand where (预警计数), whatever states the filter names; each is the count of the list of that state.
///
/// # Errors
/// Faults of the database.
pub async fn counts(
    db: &Db,
    scope: &Scope,
    filter: &AlertFilter,
) -> anyhow::Result<BTreeMap<State, u64>> {
    let filter = AlertFilter {
        states: Vec::new(),
        ..filter.clone()
    };
    let counted = store::page::by_word(db.conn(), within(scope, &filter), Column::State)
        .await
        .context("counting alerts")?;
    let mut counts: BTreeMap<State, u64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    for (state, count) in counted {
        counts.insert(State::from_word(&state).context("an alert's state")?, count);
    }
    Ok(counts)
}

/// How many alerts nobody has looked into (待核实预警数).
///
/// # Errors
/// Faults of the database.
pub async fn open_count(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    let open = AlertFilter {
        states: vec![State::Open],
        ..AlertFilter::default()
    };
    within(scope, &open)
        .count(db.conn())
        .await
        .context("counting the alerts that are open")
}

/// What happened to an alert (预警经过).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: DateTime<Utc>,
    /// What: found, or the state it came to.
    pub act: String,
    /// By whom.
    pub by: String,
    /// What was written.
    pub note: String,
}

/// One alert (一条预警) with what happened to it, if it lies in the scope; the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn view(
    db: &Db,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<(Alert, Vec<Happened>)>> {
    let row = within(scope, &AlertFilter::default())
        .filter(Column::Id.eq(id))
        .one(db.conn())
        .await
        .context("reading an alert")?;
    let Some(row) = row else { return Ok(None) };
    let alert = Alert::read(row)?;
    let subject = ("person", alert.person.to_string());
    looked(db, scope, subject, alert.region, json!({ "alert": id })).await?;
    let events = event::Entity::find()
        .filter(event::Column::AlertId.eq(id))
        .order_by_asc(event::Column::At)
        .order_by_asc(event::Column::Id)
        .all(db.conn())
        .await
        .context("reading what happened to an alert")?;
    let events = events.into_iter().map(|row| Happened {
        at: row.at,
        act: row.act,
        by: row.by_name,
        note: row.note,
    });
    Ok(Some((alert, events.collect())))
}

async fn looked(
    db: &Db,
    scope: &Scope,
    (kind, id): (&str, String),
    region: Region,
    detail: serde_json::Value,
) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "verify.alert.read".to_owned(),
        subject_kind: kind.to_owned(),
        subject_id: id,
        region: Some(region),
        detail,
    });
    tx.commit().await
}
