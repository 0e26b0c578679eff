//! Findings become leads (发现线索), and what is no longer found is settled.
//!
//! Guarantees: found again, an open lead is brought up to date; one that was closed keeps its place for as long as the same
//! is found, so that nobody is sent twice; another kind of finding, or a new event, is a new lead. Deliberately absent:
//! deciding what is found; the sweep and the life events do.

use super::list::in_scope;
use super::{Kind, LeadState};
use crate::life_event::first_whole_month;
use crate::rows::insert_all;
use crate::tables::lead::{ActiveModel, Column, Entity, Model};
use access::{Scope, mask_name};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Event, Tx};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Money, Region};

/// Rows written in one transaction: a long one would keep the desk waiting.
const ROWS: usize = 500;

/// Who found it (线索来源).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// 全人口比对。
    Sweep,
    /// 生活事件。
    Event(Uuid),
}

/// What is found about one household and programme (一条发现).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The household.
    pub household: HouseholdId,
    /// Where it is.
    pub region: Region,
    /// The person, for a person's benefit.
    pub person: Option<PersonId>,
    /// The programme.
    pub programme: String,
    /// What.
    pub kind: Kind,
    /// What is due; none while that cannot be said.
    pub due: Option<Money>,
    /// What is paid a month.
    pub paid: Money,
    /// The facts that would settle it, in the order to ask for them.
    pub missing: Vec<String>,
}

impl Finding {
    /// What makes two findings the same lead.
    fn key(&self) -> String {
        let person = self.person.map(|person| person.to_string());
        let (home, programme) = (self.household, &self.programme);
        format!("{home} {programme} {}", person.unwrap_or_default())
    }
}

/// What became of findings (并入结果).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filed {
    /// The leads, in the order of the findings.
    pub leads: Vec<Uuid>,
    /// How many are new.
    pub new: u64,
}

/// Files findings as leads (并入线索): new ones, and those found again.
///
/// # Errors
/// Faults of the database.
pub async fn find(
    tx: &mut Tx,
    scope: &Scope,
    found: &[Finding],
    source: Source,
    on: NaiveDate,
) -> anyhow::Result<Filed> {
    let held = held(tx, found).await?;
    let names = names(tx, scope, found).await?;
    let mut filed = Filed::default();
    let mut new = Vec::new();
    let mut made: BTreeMap<String, Uuid> = BTreeMap::new();
    for one in found {
        let key = one.key();
        if let Some(id) = made.get(&key) {
            filed.leads.push(*id);
            continue;
        }
        if let Some(row) = held.get(&key) {
            if again(tx, row, one, source, on).await? {
                filed.leads.push(row.id);
                continue;
            }
            let_go(tx, &[row.id]).await?;
        }
        let row = fresh(tx, scope, one, &names, source, on, &key);
        made.insert(key, row.id);
        filed.leads.push(row.id);
        new.push(row);
    }
    filed.new = u64::try_from(new.len())?;
    insert_all::<Entity>(tx, new).await?;
    let (new, count) = (filed.new, found.len());
    note(
        tx,
        scope,
        "casework.leads",
        json!({ "new": new, "found": count }),
    );
    Ok(filed)
}

fn fresh(
    tx: &Tx,
    scope: &Scope,
    one: &Finding,
    names: &Names,
    source: Source,
    on: NaiveDate,
    key: &str,
) -> Model {
    Model {
        id: tx.new_id(),
        region: one.region.to_string(),
        household_id: one.household.0,
        person_id: one.person.map(|person| person.0),
        subject_masked: names.of(one),
        programme: one.programme.clone(),
        kind: one.kind.word().to_owned(),
        due: one.due.map(|due| due.fen()),
        paid: one.paid.fen(),
        missing: one.missing.join(" "),
        source: match source {
            Source::Sweep => "sweep",
            Source::Event(_) => "event",
        }
        .to_owned(),
        event_id: match source {
            Source::Sweep => None,
            Source::Event(event) => Some(event),
        },
        found_on: on,
        seen_on: on,
        state: LeadState::Found.word().to_owned(),
        state_at: tx.now(),
        state_by: scope.actor.name.clone(),
        visited_on: None,
        visits: String::new(),
        reason: String::new(),
        note: String::new(),
        case_id: None,
        held_key: Some(key.to_owned()),
    }
}

async fn held(tx: &Tx, found: &[Finding]) -> anyhow::Result<BTreeMap<String, Model>> {
    let mut held = BTreeMap::new();
    for some in found.chunks(ROWS) {
        let keys = some.iter().map(Finding::key);
        for row in Entity::find()
            .filter(Column::HeldKey.is_in(keys))
            .all(tx.conn())
            .await
            .context("finding the leads that are held")?
        {
            if let Some(key) = row.held_key.clone() {
                held.insert(key, row);
            }
        }
    }
    Ok(held)
}

/// Masked names of people and of heads of households.
struct Names {
    people: BTreeMap<PersonId, String>,
    heads: BTreeMap<HouseholdId, String>,
}

impl Names {
    fn of(&self, one: &Finding) -> String {
        one.person
            .and_then(|person| self.people.get(&person))
            .or_else(|| self.heads.get(&one.household))
            .cloned()
            .unwrap_or_default()
    }
}

async fn names(tx: &Tx, scope: &Scope, found: &[Finding]) -> anyhow::Result<Names> {
    let people: BTreeSet<PersonId> = found.iter().filter_map(|one| one.person).collect();
    let people: Vec<PersonId> = people.into_iter().collect();
    // Whose household lies in the scope is named, also where the person lives elsewhere.
    let wide = Scope::system(Region::NATION);
    let people = registry::people::rows(tx, &wide, &people).await?;
    let homes: BTreeSet<HouseholdId> = found.iter().map(|one| one.household).collect();
    let homes: Vec<HouseholdId> = homes.into_iter().collect();
    let heads = registry::households::heads_of(tx, scope, &homes).await?;
    Ok(Names {
        people: people
            .into_iter()
            .map(|row| (row.id, mask_name(&row.name)))
            .collect(),
        heads: heads
            .into_iter()
            .map(|(home, name)| (home, mask_name(&name)))
            .collect(),
    })
}

/// Brings a lead that is held up to date; `false` when what is found now is another matter than what was closed.
async fn again(
    tx: &Tx,
    row: &Model,
    found: &Finding,
    source: Source,
    on: NaiveDate,
) -> anyhow::Result<bool> {
    let is_open = LeadState::read(&row.state)?.is_open();
    let is_same = row.kind == found.kind.word() && source == Source::Sweep;
    if !is_open && !is_same {
        return Ok(false);
    }
    let mut changed = row.clone().into_active_model();
    changed.seen_on = Set(on);
    if is_open {
        changed.kind = Set(found.kind.word().to_owned());
        changed.due = Set(found.due.map(|due| due.fen()));
        changed.paid = Set(found.paid.fen());
        changed.missing = Set(found.missing.join(" "));
        changed.region = Set(found.region.to_string());
        if let Source::Event(event) = source {
            changed.event_id = Set(Some(event));
        }
    }
    Entity::update(changed)
        .exec_without_returning(tx.conn())
        .await
        .context("bringing a lead up to date")?;
    Ok(true)
}

/// Closed leads that are found no more give their place free.
async fn let_go(tx: &Tx, leads: &[Uuid]) -> anyhow::Result<()> {
    if leads.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .set(ActiveModel {
            held_key: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.is_in(leads.iter().copied()))
        .exec(tx.conn())
        .await
        .context("letting go of closed leads")?;
    Ok(())
}

/// Settles what a sweep of these kinds no longer finds (消除线索): `seen` are the leads it found. Returns how many.
///
/// What an event found for the first whole month after it stays until that month has come.
///
/// # Errors
/// Faults of the database.
pub async fn settle(
    db: &Db,
    scope: &Scope,
    kinds: &[Kind],
    seen: &BTreeSet<Uuid>,
    on: NaiveDate,
) -> anyhow::Result<u64> {
    let held: Vec<Model> = Entity::find()
        .filter(in_scope(scope))
        .filter(Column::HeldKey.is_not_null())
        .filter(Column::Kind.is_in(kinds.iter().map(|kind| kind.word())))
        .all(db.conn())
        .await
        .context("reading the leads that are held")?;
    let over: Vec<Model> = held
        .into_iter()
        .filter(|row| !seen.contains(&row.id))
        .filter(|row| row.event_id.is_none() || first_whole_month(row.seen_on).first_day() <= on)
        .collect();
    let mut settled = 0;
    for some in over.chunks(ROWS) {
        let mut tx = db.begin().await?;
        let (open, closed): (Vec<&Model>, Vec<&Model>) = some
            .iter()
            .partition(|row| LeadState::read(&row.state).is_ok_and(LeadState::is_open));
        let ids: Vec<Uuid> = closed.iter().map(|row| row.id).collect();
        let_go(&tx, &ids).await?;
        settled += u64::try_from(open.len())?;
        Entity::update_many()
            .set(ActiveModel {
                state: Set(LeadState::Settled.word().to_owned()),
                state_at: Set(tx.now()),
                state_by: Set(scope.actor.name.clone()),
                held_key: Set(None),
                ..Default::default()
            })
            .filter(Column::Id.is_in(open.iter().map(|row| row.id)))
            .exec(tx.conn())
            .await
            .context("settling leads")?;
        let count = open.len();
        note(
            &mut tx,
            scope,
            "casework.leads.settle",
            json!({ "leads": count }),
        );
        tx.commit().await?;
    }
    Ok(settled)
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, detail: serde_json::Value) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail,
    });
}
