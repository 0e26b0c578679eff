//! Findings become alerts (归入预警), and what is no longer found is settled.
//!
//! Guarantees: found again, an open alert is brought up to date; one that an officer closed keeps its place and what it said for
//! as long as the same is found, so that nobody is asked twice; something else found of the same person is a new alert. Deliberately
//! absent: deciding what is found.

use super::rules::Rule;
use super::table::{alert, event};
use super::{Sides, State};
use access::{Scope, mask_name};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Event, Tx, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{EntitlementId, HouseholdId, PersonId};

/// Rows written in one transaction: a long one would keep the desk waiting.
const ROWS: usize = 500;

/// What was found (一条发现).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What makes it the same as another day's.
    pub key: String,
    /// The rule.
    pub rule: String,
    /// Where it is.
    pub region: Region,
    /// Whom it is about first.
    pub person: PersonId,
    /// Their name, not yet masked.
    pub name: String,
    /// The household, for a household's benefit.
    pub household: Option<HouseholdId>,
    /// The right concerned.
    pub entitlement: EntitlementId,
    /// Both sides.
    pub sides: Sides,
}

impl Finding {
    /// What makes it something else than before: what the other side says, and of whom.
    fn mark(&self) -> String {
        let sides = &self.sides;
        let people: Vec<String> = sides.people.iter().map(ToString::to_string).collect();
        let text = format!("{:?} {:?} {}", sides.said, sides.settled, people.join(" "));
        let mut mark = store::keys::sm3_hex(text.as_bytes());
        mark.truncate(16);
        mark
    }
}

/// What became of findings (归入结果).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// New alerts.
    pub new: u64,
    /// Found again.
    pub again: u64,
}

/// Files findings of a rule book (归入预警); `due` says until when a rule is to be answered.
///
/// # Errors
/// Faults of the database.
pub async fn file(
    tx: &mut Tx,
    scope: &Scope,
    found: &[Finding],
    rules: &BTreeMap<&str, (&Rule, NaiveDate)>,
    on: NaiveDate,
) -> anyhow::Result<Held> {
    let mut held = Held::default();
    let mut rows: BTreeMap<String, alert::Model> = BTreeMap::new();
    for some in found.chunks(ROWS) {
        let keys = some.iter().map(|one| one.key.as_str());
        for row in alert::Entity::find()
            .filter(alert::Column::HeldKey.is_in(keys))
            .all(tx.conn())
            .await
            .context("finding the alerts that are held")?
        {
            if let Some(key) = row.held_key.clone() {
                rows.insert(key, row);
            }
        }
    }
    let mut once: BTreeSet<&str> = BTreeSet::new();
    for one in found {
        let Some((rule, due)) = rules.get(one.rule.as_str()) else {
            continue;
        };
        if !once.insert(&one.key) {
            continue;
        }
        let mark = one.mark();
        match rows.remove(&one.key) {
            // An open one says what is so today; a closed one keeps what the officer saw, and stays closed while it is the same.
            Some(row) if row.mark == mark || is_open(&row) => {
                held.again += 1;
                let now = if is_open(&row) {
                    today(&row, one, mark, on)?
                } else {
                    alert::Model {
                        seen_on: on,
                        ..row.clone()
                    }
                };
                if now != row {
                    save(tx, now).await?;
                }
            }
            other => {
                if let Some(mut row) = other {
                    row.held_key = None;
                    save(tx, row).await?;
                }
                held.new += 1;
                let row = fresh(tx, scope, one, (rule, *due), mark, on)?;
                let id = row.id;
                alert::Entity::insert(row.into_active_model())
                    .exec_without_returning(tx.conn())
                    .await
                    .context("inserting an alert")?;
                note(tx, scope, id, "found", "").await?;
            }
        }
    }
    if held.new > 0 {
        tx.note(Event {
            by: scope.actor.officer,
            purpose: scope.purpose.text(),
            act: "verify.alerts".to_owned(),
            subject_kind: "region".to_owned(),
            subject_id: scope.region.to_string(),
            region: Some(scope.region),
            detail: json!({ "new": held.new, "again": held.again }),
        });
    }
    Ok(held)
}

fn is_open(row: &alert::Model) -> bool {
    State::from_word(&row.state).is_some_and(State::is_open)
}

/// An open alert as it was found today.
fn today(
    row: &alert::Model,
    one: &Finding,
    mark: String,
    on: NaiveDate,
) -> anyhow::Result<alert::Model> {
    Ok(alert::Model {
        region: one.region.to_string(),
        subject_masked: mask_name(&one.name),
        household_id: one.household.map(|home| home.0),
        entitlement_id: one.entitlement.0,
        sides: serde_json::to_value(&one.sides)?,
        mark,
        seen_on: on,
        ..row.clone()
    })
}

fn fresh(
    tx: &Tx,
    scope: &Scope,
    one: &Finding,
    (rule, due): (&Rule, NaiveDate),
    mark: String,
    on: NaiveDate,
) -> anyhow::Result<alert::Model> {
    Ok(alert::Model {
        id: tx.new_id(),
        rule: rule.id.clone(),
        severity: rule.severity.rank(),
        region: one.region.to_string(),
        person_id: one.person.0,
        subject_masked: mask_name(&one.name),
        household_id: one.household.map(|home| home.0),
        entitlement_id: one.entitlement.0,
        sides: serde_json::to_value(&one.sides)?,
        mark,
        found_on: on,
        seen_on: on,
        due_on: due,
        state: State::Open.word().to_owned(),
        state_at: tx.now(),
        state_by: scope.actor.name.clone(),
        note: String::new(),
        case_id: None,
        held_key: Some(one.key.clone()),
    })
}

/// Settles what these rules found before and find no more (消除): open ones are closed by themselves, closed ones give their
/// place free.
///
/// # Errors
/// Faults of the database.
pub async fn settle(
    db: &Db,
    scope: &Scope,
    rules: &[String],
    seen: &BTreeSet<String>,
) -> anyhow::Result<u64> {
    let mut settled = 0;
    let mut after: Option<Uuid> = None;
    loop {
        let mut tx = db.begin().await?;
        let mut query = alert::Entity::find()
            .filter(alert::Column::HeldKey.is_not_null())
            .filter(alert::Column::Rule.is_in(rules.iter().map(String::as_str)))
            .filter(inside(alert::Column::Region, scope.region));
        if let Some(after) = after {
            query = query.filter(alert::Column::Id.gt(after));
        }
        let some = sea_orm::QuerySelect::limit(
            query.order_by_asc(alert::Column::Id),
            u64::try_from(ROWS)?,
        )
        .all(tx.conn())
        .await
        .context("reading the alerts that are held")?;
        let Some(last) = some.last() else {
            tx.rollback().await?;
            return Ok(settled);
        };
        after = Some(last.id);
        for mut row in some {
            if row.held_key.as_ref().is_some_and(|key| seen.contains(key)) {
                continue;
            }
            row.held_key = None;
            let id = row.id;
            if is_open(&row) {
                settled += 1;
                row.state = State::Settled.word().to_owned();
                row.state_at = tx.now();
                row.state_by.clone_from(&scope.actor.name);
                note(&mut tx, scope, id, "settled", "再次比对已不存在").await?;
            }
            save(&tx, row).await?;
        }
        tx.commit().await?;
    }
}

/// Writes what happened to an alert.
pub(crate) async fn note(
    tx: &mut Tx,
    scope: &Scope,
    alert: Uuid,
    act: &str,
    note: &str,
) -> anyhow::Result<()> {
    let row = event::Model {
        id: tx.new_id(),
        alert_id: alert,
        at: tx.now(),
        act: act.to_owned(),
        by_id: scope.actor.officer.0,
        by_name: scope.actor.name.clone(),
        note: note.to_owned(),
    };
    event::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("noting what happened to an alert")?;
    Ok(())
}

/// Writes a row over itself.
pub(crate) async fn save(tx: &Tx, row: alert::Model) -> anyhow::Result<()> {
    row.into_active_model()
        .reset_all()
        .update(tx.conn())
        .await
        .context("saving an alert")?;
    Ok(())
}
