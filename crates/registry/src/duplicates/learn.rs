//! Learning from the whole register (学习): weights, and at once all pairs of a register that was loaded in bulk.
//!
//! Names, numbers and phones are decrypted in this job's memory only, under its scope and purpose, and the journal says how many.
//! Guarantees: the same register gives the same model. Deliberately absent: learning from a handful; below a thousand people the
//! shipped model stays.

use super::PairState;
use super::blocks::{Clear, is_resident};
use super::nightly::write_missing;
use super::queue::{Found, put_pair};
use crate::tables::duplicates::{match_model, match_state};
use crate::tables::person;
use access::Scope;
use anyhow::Context;
use linkage::{Outcome, Register, Settings};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use store::inside;
use store::{Db, Event};
use uuid::Uuid;

/// A register below this teaches nothing.
const ENOUGH: usize = 1_000;

/// What was learned (学习结果).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Learned {
    /// People read.
    pub people: u64,
    /// Pairs compared.
    pub compared: u64,
    /// Pairs nobody had found before.
    pub found: u64,
}

/// Learns the weights of a scope's register and finds its pairs (学习并全量比对). Blocks that are missing are written first.
///
/// # Errors
/// Faults of the database, or keys that cannot be read.
pub async fn learn(
    db: &Db,
    scope: &Scope,
    threads: usize,
    tell: &(dyn Fn(usize, usize) + Sync),
) -> anyhow::Result<Learned> {
    write_missing(db, scope).await?;
    // Whoever is registered from here on may be read or not, and is compared by the next night.
    let begun = db.now();
    let (register, people) = read_all(db, scope).await?;
    if people.len() < ENOUGH {
        return Ok(Learned {
            people: u64::try_from(people.len())?,
            ..Learned::default()
        });
    }
    let linked = linkage::link(&register, &Settings::usual(threads)?, tell);
    let mut found = 0;
    for some in linked.links.chunks(2_000) {
        let tx = db.begin().await?;
        for link in some {
            let of = |record: u32| {
                let row = usize::try_from(record).ok().and_then(|at| people.get(at));
                row.cloned().context("a link to nobody")
            };
            let pair = Found {
                a: of(link.a)?,
                b: of(link.b)?,
                millionths: i64::from(linkage::millionths(link.probability)),
                levels: link.levels,
                // As the single comparison says it: what speaks against it is told even where it is not sure.
                outcome: match link.outcome {
                    Outcome::Doubtful if linkage::needs_a_person(link.levels) => Outcome::Numbers,
                    outcome => outcome,
                },
            };
            found += u64::from(put_pair(&tx, &pair, PairState::Open, "", Uuid::nil()).await?);
        }
        tx.commit().await?;
    }
    let mut tx = db.begin().await?;
    let kept = match_model::Model {
        id: tx.new_id(),
        learned_at: tx.now(),
        people: i64::try_from(people.len())?,
        pairs: i64::try_from(linked.links.len())?,
        numbers: json!(linked.model.numbers()),
    };
    match_model::Entity::insert(kept.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("keeping the model")?;
    match_state::Entity::update_many()
        .col_expr(
            match_state::Column::ComparedVersion,
            Expr::col(match_state::Column::Version),
        )
        .filter(
            match_state::Column::PersonId.in_subquery(
                Query::select()
                    .column(person::Column::Id)
                    .from(person::Entity)
                    .cond_where(inside(person::Column::LivesIn, scope.region))
                    .and_where(person::Column::RegisteredAt.lte(begun))
                    .to_owned(),
            ),
        )
        .exec(tx.conn())
        .await
        .context("noting who was compared")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "duplicate.learn".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "people": people.len(), "found": found }),
    });
    tx.commit().await?;
    Ok(Learned {
        people: u64::try_from(people.len())?,
        compared: linked.compared,
        found,
    })
}

async fn read_all(db: &Db, scope: &Scope) -> anyhow::Result<(Register, Vec<(Uuid, String)>)> {
    let mut register = Register::new();
    let mut people = Vec::new();
    let mut after = Uuid::nil();
    loop {
        let rows = person::Entity::find()
            .filter(inside(person::Column::LivesIn, scope.region))
            .filter(person::Column::MergedInto.is_null())
            .filter(person::Column::Id.gt(after))
            .order_by_asc(person::Column::Id)
            .limit(10_000)
            .all(db.conn())
            .await
            .context("reading the register to learn from it")?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for row in rows {
            let clear = Clear::of(&row, db.keys())?;
            // Numbers of passports and the like are no identity numbers; two of them say nothing about each other here.
            let beside = if is_resident(&clear.kind) {
                clear.kind.as_str()
            } else {
                "resident_id"
            };
            register.push(&clear.person(beside));
            people.push((row.id, row.lives_in));
        }
    }
    register.finish();
    Ok((register, people))
}
