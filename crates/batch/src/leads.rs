//! Leads (线索): findings as worklists inside the desk, from found to visited to enrolled.
//!
//! A finding becomes a lead of its household; found again it is brought up to date, no longer found it is settled.
//! Guarantees: taking the same findings in twice changes nothing; for a household, person and programme at most one lead is
//! open, and what an officer dismissed is not found again for as long as it is the same; who is outside the scope sees none; every step an officer takes is in the journal. Deliberately absent: opening
//! the case, which is casework's.

use crate::finding::{self, Finding, FindingKind};
use crate::folder::Folder;
use crate::layout::Manifest;
use crate::tables::lead::{ActiveModel, Column, Entity, Model};
use access::Scope;
use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use registry::leaving::pseudonym;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Event, Page, Tx};
use uuid::Uuid;
use vocab::ids::{HouseholdId, OfficerId, PersonId};
use vocab::{Money, Region};

/// Rows written in one transaction: a long one would keep the desk waiting.
const ROWS: usize = 500;

/// Where a lead stands (线索状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadState {
    /// 已发现
    Found,
    /// 已走访
    Visited,
    /// 已纳入
    Enrolled,
    /// 已排除
    Dismissed,
    /// 情况已消除
    Settled,
}

impl LeadState {
    /// All states in the order in which they follow (全部状态).
    pub const ALL: [Self; 5] = [
        Self::Found,
        Self::Visited,
        Self::Enrolled,
        Self::Dismissed,
        Self::Settled,
    ];

    /// As the table writes it (代码).
    pub fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Visited => "visited",
            Self::Enrolled => "enrolled",
            Self::Dismissed => "dismissed",
            Self::Settled => "settled",
        }
    }

    /// Whether something is still to be done (是否待办).
    pub fn is_open(self) -> bool {
        matches!(self, Self::Found | Self::Visited)
    }

    fn read(word: &str) -> anyhow::Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.word() == word)
            .with_context(|| format!("a lead's state is “{word}”"))
    }
}

/// A lead (线索).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Its id.
    pub id: Uuid,
    /// The community.
    pub region: Region,
    /// The household.
    pub household: HouseholdId,
    /// The person, for a person's benefit.
    pub person: Option<PersonId>,
    /// The programme.
    pub programme: String,
    /// What was found.
    pub kind: FindingKind,
    /// What is due a month.
    pub due: Money,
    /// What is paid a month.
    pub paid: Money,
    /// The facts that would settle it.
    pub missing: Vec<String>,
    /// Since which day it is found.
    pub found_on: NaiveDate,
    /// On which day it was found last.
    pub seen_on: NaiveDate,
    /// Where it stands.
    pub state: LeadState,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// By whom.
    pub state_by: OfficerId,
    /// Why, as the officer wrote it.
    pub reason: Option<String>,
}

/// Which leads (筛选条件); an empty filter means all of the scope.
#[derive(Debug, Clone, Default)]
pub struct LeadFilter {
    /// Only this place and those under it.
    pub region: Option<Region>,
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this kind.
    pub kind: Option<FindingKind>,
    /// Only these states; empty means all.
    pub states: Vec<LeadState>,
}

/// Why a lead was left as it is (不予办理原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing of that number in the scope.
    #[error("在您的管辖范围内没有这条线索")]
    NotFound,
    /// Closed already.
    #[error("这条线索已经办结，不能再改；请刷新列表")]
    Closed,
    /// Dismissed without a word.
    #[error("请写明排除的原因")]
    ReasonMissing,
}

/// What became of findings taken in (并入结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Taken {
    /// New leads.
    pub new: u64,
    /// Leads found again.
    pub again: u64,
    /// Open leads no longer found.
    pub settled: u64,
    /// Findings of households that are no longer there.
    pub lost: u64,
}

/// Takes the findings of a sweep in as leads (并入线索), of the kinds given. Dropped half-way it leaves whole portions; the
/// next time goes on from them.
///
/// # Errors
/// Faults of the database and of the folder; a folder that was not swept whole.
pub async fn take_in(
    db: &Db,
    scope: &Scope,
    folder: &Folder,
    kinds: &[FindingKind],
    mut progress: impl FnMut(u64, u64) + Send,
) -> anyhow::Result<Taken> {
    let manifest = Manifest::read(folder).await?;
    let swept: crate::sweep::Swept = serde_json::from_slice(&folder.need("sweep.json").await?)
        .context("sweep.json 读不懂；请重新比对")?;
    ensure!(
        swept.as_of == manifest.as_of,
        "发现不是这个快照当天的；请先比对 (sweep the snapshot first)"
    );
    let people = People::of(db, scope, manifest.as_of).await?;
    let mut taken = Taken::default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let total = u64::try_from(manifest.parts.len())?;
    for (part, done) in manifest.parts.iter().zip(1..) {
        if part.rows == 0 {
            continue;
        }
        let found = finding::read(folder.need(&part.findings()).await?)?;
        let wanted: Vec<Finding> = found
            .into_iter()
            .filter(|one| kinds.contains(&one.kind))
            .collect();
        for some in wanted.chunks(ROWS) {
            write(db, scope, &people, some, swept.as_of, &mut seen, &mut taken).await?;
        }
        progress(done, total);
    }
    taken.settled = settle(db, scope, &seen, swept.as_of).await?;
    Ok(taken)
}

/// From the numbers of a snapshot back to the register.
struct People {
    households: BTreeMap<i64, (HouseholdId, Region)>,
}

impl People {
    async fn of(db: &Db, scope: &Scope, on: NaiveDate) -> anyhow::Result<Self> {
        let mut households = BTreeMap::new();
        let mut after = None;
        loop {
            let some = registry::households::ids_on(db, scope, on, after, 20_000).await?;
            let Some((last, region)) = some.last().copied() else {
                break;
            };
            after = Some((region, last));
            for (id, region) in some {
                households.insert(pseudonym(db.keys(), id.0), (id, region));
            }
        }
        Ok(Self { households })
    }
}

async fn write(
    db: &Db,
    scope: &Scope,
    people: &People,
    found: &[Finding],
    on: NaiveDate,
    seen: &mut BTreeSet<String>,
    taken: &mut Taken,
) -> anyhow::Result<()> {
    let there: Vec<(&Finding, HouseholdId, Region)> = found
        .iter()
        .filter_map(|one| {
            let (id, region) = people.households.get(&one.household)?;
            Some((one, *id, *region))
        })
        .collect();
    taken.lost += u64::try_from(found.len() - there.len())?;
    let ids: Vec<HouseholdId> = there.iter().map(|(_, id, _)| *id).collect();
    let members = registry::changes::people_of_all(db, scope, &ids).await?;
    let numbers: BTreeMap<i64, PersonId> = members
        .into_iter()
        .map(|person| (pseudonym(db.keys(), person.0), person))
        .collect();
    let mut tx = db.begin().await?;
    let mut open: BTreeMap<String, Model> = BTreeMap::new();
    let keyed: Vec<(String, &Finding, HouseholdId, Region, Option<PersonId>)> = there
        .into_iter()
        .map(|(one, id, region)| {
            let person = one.person.and_then(|number| numbers.get(&number).copied());
            let of = person.map_or_else(
                || {
                    one.person
                        .map(|number| number.to_string())
                        .unwrap_or_default()
                },
                |person| person.to_string(),
            );
            (
                format!("{id} {} {of}", one.programme),
                one,
                id,
                region,
                person,
            )
        })
        .collect();
    let keys = keyed.iter().map(|(key, ..)| key.as_str());
    for row in Entity::find()
        .filter(Column::HeldKey.is_in(keys))
        .all(tx.conn())
        .await
        .context("finding open leads")?
    {
        if let Some(key) = &row.held_key {
            open.insert(key.clone(), row.clone());
        }
    }
    let mut new = Vec::new();
    for (key, one, household, region, person) in keyed {
        seen.insert(key.clone());
        if let Some(row) = open.get(&key) {
            taken.again += 1;
            refresh(&tx, row, one, region, on).await?;
            continue;
        }
        taken.new += 1;
        new.push(
            Model {
                id: tx.new_id(),
                region: region.to_string(),
                household_id: household.0,
                person_id: person.map(|person| person.0),
                programme: one.programme.clone(),
                kind: one.kind.word().to_owned(),
                due: one.due,
                paid: one.paid,
                missing: one.missing.join(" "),
                found_on: on,
                found_at: tx.now(),
                seen_on: on,
                state: LeadState::Found.word().to_owned(),
                state_at: tx.now(),
                state_by: scope.actor.officer.0,
                reason: None,
                held_key: Some(key),
            }
            .into_active_model(),
        );
    }
    let count = new.len();
    if !new.is_empty() {
        Entity::insert_many(new)
            .exec_without_returning(tx.conn())
            .await
            .context("inserting leads")?;
    }
    note(
        &mut tx,
        scope,
        "batch.leads",
        ("region", &scope.region.to_string()),
        scope.region,
        json!({ "new": count, "found": found.len() }),
    );
    tx.commit().await
}

/// Brings a lead found again up to date; what an officer closed stays as it is for as long as the same is found.
async fn refresh(
    tx: &Tx,
    row: &Model,
    found: &Finding,
    region: Region,
    on: NaiveDate,
) -> anyhow::Result<()> {
    let mut changed = row.clone().into_active_model();
    changed.seen_on = Set(on);
    if LeadState::read(&row.state)?.is_open() {
        changed.kind = Set(found.kind.word().to_owned());
        changed.due = Set(found.due);
        changed.paid = Set(found.paid);
        changed.missing = Set(found.missing.join(" "));
        changed.region = Set(region.to_string());
    }
    Entity::update(changed)
        .exec_without_returning(tx.conn())
        .await
        .context("bringing a lead up to date")?;
    Ok(())
}

/// Settles the leads of the scope that are no longer found; those an officer closed may then be found anew.
async fn settle(
    db: &Db,
    scope: &Scope,
    seen: &BTreeSet<String>,
    on: NaiveDate,
) -> anyhow::Result<u64> {
    let open: Vec<Model> = within(scope, &LeadFilter::default())
        .filter(Column::HeldKey.is_not_null())
        .all(db.conn())
        .await
        .context("reading open leads")?;
    let over: Vec<Model> = open
        .into_iter()
        .filter(|row| row.held_key.as_ref().is_some_and(|key| !seen.contains(key)))
        .collect();
    let mut settled = 0;
    for some in over.chunks(ROWS) {
        let mut tx = db.begin().await?;
        let (open, closed): (Vec<&Model>, Vec<&Model>) = some
            .iter()
            .partition(|row| LeadState::read(&row.state).is_ok_and(LeadState::is_open));
        settled += u64::try_from(open.len())?;
        Entity::update_many()
            .set(ActiveModel {
                held_key: Set(None),
                ..Default::default()
            })
            .filter(Column::Id.is_in(closed.iter().map(|row| row.id)))
            .exec(tx.conn())
            .await
            .context("letting go of closed leads")?;
        Entity::update_many()
            .set(ActiveModel {
                state: Set(LeadState::Settled.word().to_owned()),
                state_at: Set(tx.now()),
                state_by: Set(scope.actor.officer.0),
                seen_on: Set(on),
                held_key: Set(None),
                ..Default::default()
            })
            .filter(Column::Id.is_in(open.iter().map(|row| row.id)))
            .exec(tx.conn())
            .await
            .context("settling leads")?;
        note(
            &mut tx,
            scope,
            "batch.settle",
            ("region", &scope.region.to_string()),
            scope.region,
            json!({ "leads": open.len() }),
        );
        tx.commit().await?;
    }
    Ok(settled)
}

fn within(scope: &Scope, filter: &LeadFilter) -> Select<Entity> {
    let inside = |place: Region| {
        let (first, beyond) = place.code_range();
        Column::Region.gte(first).and(Column::Region.lt(beyond))
    };
    let mut all = Condition::all().add(inside(scope.region));
    if let Some(region) = filter.region {
        all = all.add(inside(region));
    }
    if let Some(programme) = &filter.programme {
        all = all.add(Column::Programme.eq(programme.as_str()));
    }
    if let Some(kind) = filter.kind {
        all = all.add(Column::Kind.eq(kind.word()));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    Entity::find().filter(all)
}

/// Leads (线索列表), by community, newest last.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Lead>> {
    let wanted = within(scope, filter)
        .order_by_asc(Column::Region)
        .order_by_asc(Column::Id);
    store::page::cut(db.conn(), wanted, offset, limit)
        .await?
        .try_map(read)
}

/// How many leads stand where (线索漏斗); the counts are those of the lists.
///
/// # Errors
/// Faults of the database.
pub async fn funnel(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
) -> anyhow::Result<BTreeMap<LeadState, u64>> {
    let mut counts = BTreeMap::new();
    for state in LeadState::ALL {
        let filter = LeadFilter {
            states: vec![state],
            ..filter.clone()
        };
        let count = within(scope, &filter)
            .count(db.conn())
            .await
            .context("counting leads")?;
        counts.insert(state, count);
    }
    Ok(counts)
}

/// One lead (一条线索); `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn lead(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<Lead>> {
    within(scope, &LeadFilter::default())
        .filter(Column::Id.eq(id))
        .one(db.conn())
        .await
        .context("reading a lead")?
        .map(read)
        .transpose()
}

/// Notes what an officer did about a lead (办理线索): visited, enrolled, dismissed with a reason.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn act(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    state: LeadState,
    reason: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = within(scope, &LeadFilter::default())
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a lead")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    if !LeadState::read(&row.state)?.is_open() {
        return Ok(Err(Refused::Closed));
    }
    let reason = reason.trim();
    if state == LeadState::Dismissed && reason.is_empty() {
        return Ok(Err(Refused::ReasonMissing));
    }
    let region: Region = row.region.parse()?;
    let mut changed = row.into_active_model();
    changed.state = Set(state.word().to_owned());
    changed.state_at = Set(tx.now());
    changed.state_by = Set(scope.actor.officer.0);
    changed.reason = Set((!reason.is_empty()).then(|| reason.to_owned()));
    Entity::update(changed)
        .exec_without_returning(tx.conn())
        .await
        .context("changing a lead")?;
    note(
        tx,
        scope,
        "batch.lead",
        ("lead", &id.to_string()),
        region,
        json!({ "state": state.word() }),
    );
    Ok(Ok(()))
}

fn note(
    tx: &mut Tx,
    scope: &Scope,
    act: &str,
    subject: (&str, &str),
    region: Region,
    detail: serde_json::Value,
) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: subject.0.to_owned(),
        subject_id: subject.1.to_owned(),
        region: Some(region),
        detail,
    });
}

fn read(row: Model) -> anyhow::Result<Lead> {
    Ok(Lead {
        id: row.id,
        region: row.region.parse()?,
        household: HouseholdId(row.household_id),
        person: row.person_id.map(PersonId),
        kind: FindingKind::from_word(&row.kind)
            .with_context(|| format!("a lead's kind is “{}”", row.kind))?,
        programme: row.programme,
        due: Money::from_fen(row.due),
        paid: Money::from_fen(row.paid),
        missing: row.missing.split_whitespace().map(str::to_owned).collect(),
        found_on: row.found_on,
        seen_on: row.seen_on,
        state: LeadState::read(&row.state)?,
        state_at: row.state_at,
        state_by: OfficerId(row.state_by),
        reason: row.reason,
    })
}
