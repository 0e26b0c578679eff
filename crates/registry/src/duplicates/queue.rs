//! The queue of pairs (核对清单): cut, counted and judged by the database.
//!
//! Guarantees: a pair exists only for a scope that holds both records; a pair judged to be two people stays so whatever is found
//! again; a pair of which one record was merged elsewhere waits outside the list. Deliberately absent: what the two are paid; the
//! page above joins that.

use super::compare::{Scored, model};
use super::{Band, PairState, Reason, is_reason, outcome_word, reasons_of};
use crate::people::{Person, PersonRow};
use crate::reading::Reading;
use crate::tables::duplicates::match_pair::{self, Column, Entity, Model};
use crate::tables::duplicates::merge;
use crate::tables::{membership, person};
use access::Scope;
use anyhow::{Context, anyhow};
use chrono::{DateTime, NaiveDate, Utc};
use linkage::{Levels, Outcome};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::inside;
use store::{Event, Page, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{OfficerId, PersonId};

/// Notes that a list of pairs was looked at (查看留痕): how many, and of which region.
pub fn note_list(tx: &mut Tx, scope: &Scope, pairs: u64) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "duplicate.list".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "pairs": pairs }),
    });
}

/// Which pairs (筛选).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairFilter {
    /// Only these states; empty means all.
    pub states: Vec<PairState>,
    /// Only this band.
    pub band: Option<Band>,
    /// Only pairs of which a record lives here.
    pub region: Option<Region>,
}

/// A pair of records (一对记录).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairRow {
    /// The identifier.
    pub id: Uuid,
    /// One record, the older, masked.
    pub a: PersonRow,
    /// The other.
    pub b: PersonRow,
    /// How sure, in millionths.
    pub millionths: i64,
    /// How sure.
    pub band: Band,
    /// Why, field by field.
    pub reasons: Vec<Reason>,
    /// Whether two valid numbers or one number on two people stand against it.
    pub numbers_conflict: bool,
    /// Whether the two belong to two households now: one person counted in both.
    pub two_households: bool,
    /// Where it stands.
    pub state: PairState,
    /// When it was found.
    pub found_at: DateTime<Utc>,
    /// Since when it stands so.
    pub state_at: DateTime<Utc>,
    /// Who put it there; the system if nobody did.
    pub state_by: OfficerId,
    /// What was said.
    pub reason: String,
    /// When it is asked about again.
    pub again_on: Option<NaiveDate>,
}

/// Why a pair was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DifferentRefused {
    /// No such pair in the scope.
    #[error("在您的管辖范围内查不到这一对记录")]
    NotFound,
    /// Merged, or about to be.
    #[error("这一对记录已合并或正等待复核；如不是同一人，请退回合并或撤销合并")]
    Closed,
    /// No reason.
    #[error("请写明理由，至少四个字，例如“双胞胎，已看双方身份证”")]
    ReasonMissing,
    /// A day that is not after today, or further than a year.
    #[error("再次提醒的日期应在明天到一年之内，请重新填写")]
    DayImpossible,
}

/// Two records found to be alike (找到的一对).
pub(crate) struct Found {
    pub(crate) a: (Uuid, String),
    pub(crate) b: (Uuid, String),
    pub(crate) millionths: i64,
    pub(crate) levels: Levels,
    pub(crate) outcome: Outcome,
}

impl Found {
    /// A record and one that was found to be like it.
    pub(super) fn of(one: &person::Model, like: &Scored) -> Self {
        Self {
            a: (one.id, one.lives_in.clone()),
            b: (like.row.id, like.row.lives_in.clone()),
            millionths: like.millionths,
            levels: like.levels,
            outcome: like.outcome,
        }
    }
}

/// Writes a pair, or what is now known of it; whatever an officer said stays. `true` if it is new.
pub(crate) async fn put_pair(
    tx: &Tx,
    found: &Found,
    state: PairState,
    reason: &str,
    by: Uuid,
) -> anyhow::Result<bool> {
    let (a, b) = if found.a.0 < found.b.0 {
        (&found.a, &found.b)
    } else {
        (&found.b, &found.a)
    };
    let known = Entity::find()
        .filter(Column::A.eq(a.0))
        .filter(Column::B.eq(b.0))
        .one(tx.conn())
        .await
        .context("looking for a pair")?;
    if let Some(known) = known {
        let changed = match_pair::ActiveModel {
            id: Unchanged(known.id),
            region_a: Set(a.1.clone()),
            region_b: Set(b.1.clone()),
            probability: Set(found.millionths),
            levels: Set(i64::from(found.levels.packed())),
            outcome: Set(outcome_word(found.outcome).to_owned()),
            ..Default::default()
        };
        changed.update(tx.conn()).await.context("renewing a pair")?;
        return Ok(false);
    }
    let row = Model {
        id: tx.new_id(),
        a: a.0,
        b: b.0,
        region_a: a.1.clone(),
        region_b: b.1.clone(),
        probability: found.millionths,
        levels: i64::from(found.levels.packed()),
        outcome: outcome_word(found.outcome).to_owned(),
        state: state.word().to_owned(),
        found_at: tx.now(),
        state_at: tx.now(),
        state_by: by,
        reason: reason.trim().to_owned(),
        again_on: None,
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("writing a pair")?;
    Ok(true)
}

fn selected(scope: &Scope, filter: &PairFilter) -> Select<Entity> {
    let gone = || {
        Query::select()
            .column(person::Column::Id)
            .from(person::Entity)
            .and_where(person::Column::MergedInto.is_not_null())
            .to_owned()
    };
    // A merged record is looked at through the one it was merged into.
    let whole = Condition::any()
        .add(Column::State.eq(PairState::Merged.word()))
        .add(
            Condition::all()
                .add(Column::A.not_in_subquery(gone()))
                .add(Column::B.not_in_subquery(gone())),
        );
    let mut all = Condition::all()
        .add(inside(Column::RegionA, scope.region))
        .add(inside(Column::RegionB, scope.region))
        .add(whole);
    if let Some(region) = filter.region {
        all = all.add(inside(Column::RegionA, region).or(inside(Column::RegionB, region)));
    }
    if let Some((low, high)) = filter.band.map(Band::bounds) {
        all = all
            .add(Column::Probability.gte(low))
            .add(Column::Probability.lt(high));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    Entity::find().filter(all)
}

/// Pairs of a scope (核对清单), the surest first; the caller journals the look.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    source: &impl Reading,
    scope: &Scope,
    filter: &PairFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PairRow>> {
    let wanted = selected(scope, filter)
        .order_by_desc(Column::Probability)
        .order_by_asc(Column::Id);
    let page = store::page::cut(source.connection(), wanted, offset, limit)
        .await
        .context("listing pairs")?;
    let rows = read(source, page.rows).await?;
    Ok(Page {
        rows,
        total: page.total,
        offset,
        limit,
    })
}

/// The pairs of a filter after one (此后的记录对), in the order of identifiers: for a file of all of them; the caller journals it.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    source: &impl Reading,
    scope: &Scope,
    filter: &PairFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<PairRow>> {
    let wanted = selected(scope, filter);
    let rows = store::page::after(source.connection(), wanted, Column::Id, last, limit)
        .await
        .context("going through pairs")?;
    read(source, rows).await
}

/// How many pairs stand where (各状态数), whatever states the filter names; each is the count of the list of that state.
///
/// # Errors
/// Faults of the database.
pub async fn counts(
    source: &impl Reading,
    scope: &Scope,
    filter: &PairFilter,
) -> anyhow::Result<BTreeMap<PairState, u64>> {
    let filter = PairFilter {
        states: Vec::new(),
        ..filter.clone()
    };
    let counted =
        store::page::by_word(source.connection(), selected(scope, &filter), Column::State)
            .await
            .context("counting pairs")?;
    let mut counts: BTreeMap<PairState, u64> =
        PairState::ALL.into_iter().map(|state| (state, 0)).collect();
    for (state, count) in counted {
        counts.insert(state_of(&state)?, count);
    }
    Ok(counts)
}

/// How many pairs wait for somebody (待办数): to be looked at, or for the second officer.
///
/// # Errors
/// Faults of the database.
pub async fn open_count(source: &impl Reading, scope: &Scope) -> anyhow::Result<u64> {
    let open = PairFilter {
        states: vec![PairState::Open, PairState::Prepared],
        ..PairFilter::default()
    };
    selected(scope, &open)
        .count(source.connection())
        .await
        .context("counting open pairs")
}

/// One pair (一对记录), if the scope holds both records; the caller journals the look.
///
/// # Errors
/// Faults of the database.
pub async fn pair(
    source: &impl Reading,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<PairRow>> {
    let row = one(source, scope, id).await?;
    Ok(read(source, row.into_iter().collect()).await?.pop())
}

/// The pair of two records (两条记录的一对), if there is one and the scope holds both.
///
/// # Errors
/// Faults of the database.
pub async fn pair_of(
    source: &impl Reading,
    scope: &Scope,
    one: PersonId,
    other: PersonId,
) -> anyhow::Result<Option<PairRow>> {
    let row = Entity::find()
        .filter(Column::A.eq(std::cmp::min(one.0, other.0)))
        .filter(Column::B.eq(std::cmp::max(one.0, other.0)))
        .filter(inside(Column::RegionA, scope.region))
        .filter(inside(Column::RegionB, scope.region))
        .one(source.connection())
        .await
        .context("looking for the pair of two records")?;
    Ok(read(source, row.into_iter().collect()).await?.pop())
}

async fn one(source: &impl Reading, scope: &Scope, id: Uuid) -> anyhow::Result<Option<Model>> {
    Entity::find_by_id(id)
        .filter(inside(Column::RegionA, scope.region))
        .filter(inside(Column::RegionB, scope.region))
        .one(source.connection())
        .await
        .context("reading a pair")
}

async fn read(source: &impl Reading, rows: Vec<Model>) -> anyhow::Result<Vec<PairRow>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let in_force = model(source).await?;
    let ids = rows.iter().flat_map(|row| [row.a, row.b]);
    let people = person::Entity::find()
        .filter(person::Column::Id.is_in(ids))
        .all(source.connection())
        .await
        .context("reading the records of pairs")?;
    let mut known: BTreeMap<Uuid, PersonRow> = BTreeMap::new();
    for row in people {
        known.insert(row.id, Person::of(row, source.sealing_keys())?.into());
    }
    let homes = homes_of(source, known.keys().copied()).await?;
    rows.into_iter()
        .map(|row| {
            let of = |id: &Uuid| {
                let found = known.get(id).cloned();
                found.context("a pair without its record")
            };
            let levels = Levels::of_packed(u32::try_from(row.levels)?);
            Ok(PairRow {
                id: row.id,
                a: of(&row.a)?,
                b: of(&row.b)?,
                millionths: row.probability,
                band: Band::of(row.probability),
                reasons: reasons_of(&in_force.model, levels),
                numbers_conflict: row.outcome == outcome_word(Outcome::Numbers),
                two_households: match (homes.get(&row.a), homes.get(&row.b)) {
                    (Some(one), Some(other)) => one != other,
                    _ => false,
                },
                state: state_of(&row.state)?,
                found_at: row.found_at,
                state_at: row.state_at,
                state_by: OfficerId(row.state_by),
                reason: row.reason,
                again_on: row.again_on,
            })
        })
        .collect()
}

/// The household each of some people belongs to now.
async fn homes_of(
    source: &impl Reading,
    people: impl Iterator<Item = Uuid>,
) -> anyhow::Result<BTreeMap<Uuid, Uuid>> {
    let found: Vec<(Uuid, Uuid)> = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .column(membership::Column::HouseholdId)
        .filter(membership::Column::PersonId.is_in(people))
        .filter(membership::Column::Until.is_null())
        .into_tuple()
        .all(source.connection())
        .await
        .context("reading the households of pairs")?;
    Ok(found.into_iter().collect())
}

fn state_of(word: &str) -> anyhow::Result<PairState> {
    PairState::from_word(word)
        .ok_or_else(|| anyhow!("the stored state of a pair {word} is unknown"))
}

/// Judges a pair to be two people (认定不是同一人), with a reason; it is not asked about again.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn decide_different(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    reason: &str,
) -> anyhow::Result<Result<(), DifferentRefused>> {
    step(tx, scope, id, PairState::Different, reason, None).await
}

/// Puts a pair off until a day (以后再看), with a reason.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn decide_later(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    reason: &str,
    until: NaiveDate,
) -> anyhow::Result<Result<(), DifferentRefused>> {
    let today = tx.today();
    if until <= today || until > today + chrono::Days::new(366) {
        return Ok(Err(DifferentRefused::DayImpossible));
    }
    step(tx, scope, id, PairState::Later, reason, Some(until)).await
}

async fn step(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    state: PairState,
    reason: &str,
    again_on: Option<NaiveDate>,
) -> anyhow::Result<Result<(), DifferentRefused>> {
    if !is_reason(reason) {
        return Ok(Err(DifferentRefused::ReasonMissing));
    }
    let Some(row) = one(tx, scope, id).await? else {
        return Ok(Err(DifferentRefused::NotFound));
    };
    if matches!(
        state_of(&row.state)?,
        PairState::Merged | PairState::Prepared
    ) {
        return Ok(Err(DifferentRefused::Closed));
    }
    moved(tx, scope, &row, state, reason, again_on).await?;
    Ok(Ok(()))
}

async fn moved(
    tx: &mut Tx,
    scope: &Scope,
    row: &Model,
    state: PairState,
    reason: &str,
    again_on: Option<NaiveDate>,
) -> anyhow::Result<()> {
    let changed = match_pair::ActiveModel {
        id: Unchanged(row.id),
        state: Set(state.word().to_owned()),
        state_at: Set(tx.now()),
        state_by: Set(scope.actor.officer.0),
        reason: Set(reason.trim().to_owned()),
        again_on: Set(again_on),
        ..Default::default()
    };
    changed
        .update(tx.conn())
        .await
        .context("moving a pair on")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: format!("duplicate.{}", state.word()),
        subject_kind: "duplicate".to_owned(),
        subject_id: row.id.to_string(),
        region: Some(crate::stored::region(&row.region_a)?),
        detail: json!({ "people": [row.a, row.b] }),
    });
    Ok(())
}

/// The pairs and merges of somebody who moved go along (随人迁移): who may see them follows from where both live now.
pub(crate) async fn moved_home(tx: &Tx, person: Uuid, to: &str) -> anyhow::Result<()> {
    for (whose, region) in [(Column::A, Column::RegionA), (Column::B, Column::RegionB)] {
        Entity::update_many()
            .col_expr(region, Expr::value(to))
            .filter(whose.eq(person))
            .exec(tx.conn())
            .await
            .context("moving the pairs of a person")?;
    }
    for (whose, region) in [
        (merge::Column::SurvivorId, merge::Column::SurvivorRegion),
        (merge::Column::MergedId, merge::Column::MergedRegion),
    ] {
        merge::Entity::update_many()
            .col_expr(region, Expr::value(to))
            .filter(whose.eq(person))
            .exec(tx.conn())
            .await
            .context("moving the merges of a person")?;
    }
    Ok(())
}

/// Moves the pair of two records to where their merge stands; makes one if nobody found it before.
pub(crate) async fn settle_pair(
    tx: &mut Tx,
    scope: &Scope,
    (one, other): (&person::Model, &person::Model),
    state: PairState,
    reason: &str,
) -> anyhow::Result<()> {
    let known = Entity::find()
        .filter(Column::A.eq(std::cmp::min(one.id, other.id)))
        .filter(Column::B.eq(std::cmp::max(one.id, other.id)))
        .one(tx.conn())
        .await
        .context("looking for the pair of a merge")?;
    if let Some(known) = known {
        return moved(tx, scope, &known, state, reason, None).await;
    }
    let found = Found {
        a: (one.id, one.lives_in.clone()),
        b: (other.id, other.lives_in.clone()),
        millionths: 1_000_000,
        levels: Levels::default(),
        outcome: Outcome::Doubtful,
    };
    put_pair(tx, &found, state, reason, scope.actor.officer.0)
        .await
        .map(drop)
}
