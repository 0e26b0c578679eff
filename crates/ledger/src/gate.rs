//! The gate (关口): whoever decides a person's money holds that person until the transaction ends.
//!
//! "Is there a claim already?" is only worth asking while nobody else can be answering it. On PostgreSQL the gate is 64
//! rows, each standing for every 64th person, locked in order; on SQLite a writing transaction is alone anyway.
//! Guarantees: two transactions that concern the same person follow one another; locking in order never deadlocks with
//! another gate. The unique key of claims stands behind it as the wall. Deliberately absent: locks kept between
//! transactions.

use crate::tables::gate;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use store::Tx;
use vocab::ids::PersonId;

const SHARDS: u128 = 64;

/// Holds these persons until the transaction ends (占用关口). Read what depends on them only afterwards.
pub(crate) async fn hold(tx: &Tx, persons: &BTreeSet<PersonId>) -> anyhow::Result<()> {
    let shards: BTreeSet<i64> = persons.iter().copied().map(shard).collect();
    if shards.is_empty() {
        return Ok(());
    }
    let held = gate::Entity::find()
        .filter(gate::Column::Shard.is_in(shards.iter().copied()))
        .order_by_asc(gate::Column::Shard)
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("waiting at the ledger's gate")?;
    anyhow::ensure!(held.len() == shards.len(), "the ledger's gate lacks rows");
    Ok(())
}

fn shard(person: PersonId) -> i64 {
    i64::try_from(person.0.as_u128() % SHARDS).unwrap_or_default()
}
