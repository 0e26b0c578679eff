//! Every night (每晚比对): whoever is new or changed is compared with the register, in portions.
//!
//! Guarantees: stopped in the middle, the next night goes on; done twice, it adds nothing; a pair put off comes back on its day.
//! Deliberately absent: comparing everybody with everybody; that is [`super::learn`], for a register loaded in bulk.

use super::PairState;
use super::blocks::{Clear, blocks_by, new_marker, replace};
use super::compare::{like, model};
use super::queue::{Found, put_pair};
use crate::tables::duplicates::{match_pair, match_state};
use crate::tables::person;
use access::Scope;
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::BTreeSet;
use store::inside;
use store::{Db, Event};
use uuid::Uuid;

/// People a transaction.
const PORTION: u64 = 500;

/// What a night did (一晚的结果).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Night {
    /// People whose blocks were written.
    pub written: u64,
    /// People compared.
    pub compared: u64,
    /// Pairs nobody had found before.
    pub found: u64,
}

/// Compares whoever is new or changed in a scope (每晚比对). `tell` hears how many were compared, of so many.
///
/// # Errors
/// Faults of the database.
pub async fn nightly(
    db: &Db,
    scope: &Scope,
    tell: &(dyn Fn(u64, u64) + Sync),
) -> anyhow::Result<Night> {
    let mut night = Night {
        written: write_missing(db, scope).await?,
        ..Night::default()
    };
    bring_back(db).await?;
    let in_force = model(db).await?;
    let waiting = not_compared(db, scope).await?;
    let total = u64::try_from(waiting.len())?;
    let mut marker = new_marker()?;
    for some in waiting.chunks(usize::try_from(PORTION)?) {
        let mut tx = db.begin().await?;
        let rows = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .order_by_asc(person::Column::Id)
            .all(tx.conn())
            .await
            .context("reading whoever is new or changed")?;
        let mut found = 0;
        for row in &rows {
            let clear = Clear::of(row, tx.keys())?;
            let blocks = blocks_by(&mut marker, tx.keys(), &clear);
            for one in like(&tx, &in_force, &clear, &blocks, &BTreeSet::from([row.id])).await? {
                let pair = Found::of(row, &one);
                found += u64::from(put_pair(&tx, &pair, PairState::Open, "", Uuid::nil()).await?);
            }
        }
        note_compared(&tx, &rows).await?;
        let detail = json!({ "compared": rows.len(), "found": found });
        tx.note(Event {
            by: scope.actor.officer,
            purpose: scope.purpose.text(),
            act: "duplicate.compare".to_owned(),
            subject_kind: "region".to_owned(),
            subject_id: scope.region.to_string(),
            region: Some(scope.region),
            detail,
        });
        tx.commit().await?;
        night.compared += u64::try_from(rows.len())?;
        night.found += found;
        tell(night.compared, total);
    }
    Ok(night)
}

/// How many people of a scope were not compared as they are now (未比对人数): after a load in bulk they are too many to be taken one
/// by one, and [`super::learn`] is the better way.
///
/// # Errors
/// Faults of the database.
pub async fn behind(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    let compared = as_now(match_state::Column::ComparedVersion);
    person::Entity::find()
        .filter(inside(person::Column::LivesIn, scope.region))
        .filter(person::Column::MergedInto.is_null())
        .filter(Expr::exists(compared).not())
        .count(db.conn())
        .await
        .context("counting who was not compared yet")
}

/// For a query of people: that a version kept beside the blocks is the one they have now.
fn as_now(version: match_state::Column) -> SelectStatement {
    Query::select()
        .expr(Expr::val(1))
        .from(match_state::Entity)
        .and_where(
            Expr::col((match_state::Entity, match_state::Column::PersonId))
                .eq(Expr::col((person::Entity, person::Column::Id))),
        )
        .and_where(
            Expr::col((match_state::Entity, version))
                .eq(Expr::col((person::Entity, person::Column::Version))),
        )
        .to_owned()
}

/// Writes the blocks of everybody who has none or changed since.
pub(crate) async fn write_missing(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    let mut marker = new_marker()?;
    let mut written = 0;
    let mut after: Option<Uuid> = None;
    loop {
        let stands = as_now(match_state::Column::Version);
        let mut wanted = person::Entity::find()
            .filter(inside(person::Column::LivesIn, scope.region))
            .filter(Expr::exists(stands).not());
        if let Some(after) = after {
            wanted = wanted.filter(person::Column::Id.gt(after));
        }
        let rows = wanted
            .order_by_asc(person::Column::Id)
            .limit(4 * PORTION)
            .all(db.conn())
            .await
            .context("looking for people without blocks")?;
        let Some(last) = rows.last() else {
            return Ok(written);
        };
        after = Some(last.id);
        let mut blocks = Vec::with_capacity(rows.len());
        for row in &rows {
            let clear = Clear::of(row, db.keys())?;
            let all = blocks_by(&mut marker, db.keys(), &clear).all();
            blocks.push((row.id, row.version, all));
        }
        written += u64::try_from(rows.len())?;
        let tx = db.begin().await?;
        replace(&tx, blocks).await?;
        tx.commit().await?;
    }
}

/// Whoever changed since he was compared; merged records do not change, and who is like one is led to its person.
async fn not_compared(db: &Db, scope: &Scope) -> anyhow::Result<Vec<Uuid>> {
    let behind = Query::select()
        .column(match_state::Column::PersonId)
        .from(match_state::Entity)
        .and_where(
            Expr::col(match_state::Column::ComparedVersion)
                .ne(Expr::col(match_state::Column::Version)),
        )
        .to_owned();
    person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::Column::Id.in_subquery(behind))
        .filter(person::Column::MergedInto.is_null())
        .filter(inside(person::Column::LivesIn, scope.region))
        .order_by_asc(person::Column::Id)
        .into_tuple()
        .all(db.conn())
        .await
        .context("looking for people not compared yet")
}

async fn note_compared(tx: &store::Tx, rows: &[person::Model]) -> anyhow::Result<()> {
    match_state::Entity::update_many()
        .col_expr(
            match_state::Column::ComparedVersion,
            Expr::col(match_state::Column::Version),
        )
        .filter(match_state::Column::PersonId.is_in(rows.iter().map(|row| row.id)))
        .exec(tx.conn())
        .await
        .context("noting who was compared")?;
    Ok(())
}

/// Pairs put off until today are asked about again.
async fn bring_back(db: &Db) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    match_pair::Entity::update_many()
        .set(match_pair::ActiveModel {
            state: Set(PairState::Open.word().to_owned()),
            again_on: Set(None),
            ..Default::default()
        })
        .filter(match_pair::Column::State.eq(PairState::Later.word()))
        .filter(match_pair::Column::AgainOn.lte(tx.today()))
        .exec(tx.conn())
        .await
        .context("bringing back pairs that were put off")?;
    tx.commit().await
}
