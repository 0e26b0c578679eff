//! Posting (记账): transfers go into the ledger, their accounts' sums move, and the journal keeps a seal of the batch.
//!
//! Guarantees: a transfer whose id is known already is not posted again, and if it says something else the whole act
//! fails; amounts are positive and both accounts differ; the batch's SM3 is chained into the journal, so a transfer
//! altered later is found by [`crate::audit`](mod@crate::audit). Deliberately absent: any decision about what to post.

use crate::account::Account;
use crate::tables::{account, transfer as table};
use crate::transfer::Transfer;
use access::Scope;
use anyhow::{Context, bail, ensure};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait, OnConflict};
use serde_json::json;
use sm3::{Digest, Sm3};
use std::collections::BTreeMap;
use store::{Event, Tx};
use vocab::Money;

/// Rows of one insert: eighteen values each, far below both databases' limits.
const ROWS: usize = 1_000;

/// Posts transfers (记账); answers how many were new.
pub(crate) async fn post(
    tx: &mut Tx,
    scope: &Scope,
    transfers: &[Transfer],
) -> anyhow::Result<usize> {
    let mut fresh: BTreeMap<Uuid, &Transfer> = BTreeMap::new();
    for transfer in transfers {
        ensure!(
            transfer.amount > Money::ZERO,
            "transfer {} moves nothing",
            transfer.id
        );
        ensure!(
            transfer.debit != transfer.credit,
            "transfer {} goes nowhere",
            transfer.id
        );
        ensure!(
            fresh.insert(transfer.id.0, transfer).is_none(),
            "transfer {} is asked for twice at once",
            transfer.id
        );
    }
    drop_known(tx, &mut fresh).await?;
    if fresh.is_empty() {
        return Ok(0);
    }
    for some in in_turns(sums(&fresh)?, ROWS) {
        move_sums(tx, some).await?;
    }
    let batch = tx.new_id();
    let mut seal = Seal::default();
    let mut rows = Vec::with_capacity(fresh.len());
    for transfer in fresh.values() {
        let row = row_of(tx, scope, batch, transfer);
        seal.add(&row)?;
        rows.push(table::ActiveModel::from(row));
    }
    let count = rows.len();
    for some in in_turns(rows, ROWS) {
        table::Entity::insert_many(some)
            .exec_without_returning(tx.conn())
            .await
            .context("writing transfers")?;
    }
    note(
        tx,
        scope,
        "ledger.post",
        "ledger_batch",
        batch,
        seal.detail(),
    );
    Ok(count)
}

/// Writes an event of this room (记录事件).
pub(crate) fn note(
    tx: &mut Tx,
    scope: &Scope,
    act: &str,
    subject_kind: &str,
    subject: Uuid,
    detail: serde_json::Value,
) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: subject_kind.to_owned(),
        subject_id: subject.to_string(),
        region: Some(scope.region),
        detail,
    });
}

/// Takes out what is in the ledger already, after making sure that it says the same.
async fn drop_known(tx: &Tx, fresh: &mut BTreeMap<Uuid, &Transfer>) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = fresh.keys().copied().collect();
    for some in ids.chunks(ROWS) {
        let known = table::Entity::find()
            .filter(table::Column::Id.is_in(some.iter().copied()))
            .all(tx.conn())
            .await
            .context("looking for transfers posted before")?;
        for row in known {
            let Some(asked) = fresh.remove(&row.id) else {
                continue;
            };
            let same = row.debit_id == asked.debit.id().0
                && row.credit_id == asked.credit.id().0
                && row.amount == asked.amount.fen()
                && row.code == asked.code;
            if !same {
                bail!(
                    "transfer {} is in the ledger with another content",
                    asked.id
                );
            }
        }
    }
    Ok(())
}

/// Rows cut into turns that fit into one statement.
pub(crate) fn in_turns<T>(rows: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut turns: Vec<Vec<T>> = Vec::new();
    for row in rows {
        match turns.last_mut() {
            Some(turn) if turn.len() < size => turn.push(row),
            _ => turns.push(vec![row]),
        }
    }
    turns
}

/// What the transfers add to their accounts, in the order of the accounts' ids, so that two batches meet the accounts in
/// the same order and wait instead of deadlocking.
fn sums(transfers: &BTreeMap<Uuid, &Transfer>) -> anyhow::Result<Vec<account::ActiveModel>> {
    let mut moved: BTreeMap<Uuid, (&Account, Money, Money)> = BTreeMap::new();
    for transfer in transfers.values() {
        let debit = moved.entry(transfer.debit.id().0).or_insert((
            &transfer.debit,
            Money::ZERO,
            Money::ZERO,
        ));
        debit.1 = debit.1.plus(transfer.amount)?;
        let credit = moved.entry(transfer.credit.id().0).or_insert((
            &transfer.credit,
            Money::ZERO,
            Money::ZERO,
        ));
        credit.2 = credit.2.plus(transfer.amount)?;
    }
    Ok(moved
        .into_iter()
        .map(|(id, (account, debits, credits))| account::ActiveModel {
            id: Set(id),
            kind: Set(account.kind),
            programme: Set(account.programme.clone()),
            person_id: Set(account.person.map(Uuid::from)),
            debits: Set(debits.fen()),
            credits: Set(credits.fen()),
        })
        .collect())
}

/// Adds to the accounts' running sums; accounts that do not exist yet begin here.
async fn move_sums(tx: &Tx, rows: Vec<account::ActiveModel>) -> anyhow::Result<()> {
    let add = |column: account::Column| {
        Expr::col((account::Entity, column)).add(Expr::col((Alias::new("excluded"), column)))
    };
    let conflict = OnConflict::column(account::Column::Id)
        .value(account::Column::Debits, add(account::Column::Debits))
        .value(account::Column::Credits, add(account::Column::Credits))
        .to_owned();
    account::Entity::insert_many(rows)
        .on_conflict(conflict)
        .exec_without_returning(tx.conn())
        .await
        .context("moving the accounts' sums")?;
    Ok(())
}

fn row_of(tx: &Tx, scope: &Scope, batch: Uuid, transfer: &Transfer) -> table::Model {
    let about = &transfer.about;
    table::Model {
        id: transfer.id.0,
        batch,
        debit_id: transfer.debit.id().0,
        credit_id: transfer.credit.id().0,
        amount: transfer.amount.fen(),
        code: transfer.code,
        decision_id: about.decision.0,
        entitlement_id: about.entitlement.0,
        payee_id: about.payee.0,
        programme: about.programme.clone(),
        region: about.region.to_string(),
        month: about.month.to_string(),
        line_id: about.line.map(Uuid::from),
        source_id: about.source,
        reverses: transfer.reverses.map(Uuid::from),
        reference: about.reference.clone(),
        posted_at: tx.now(),
        posted_by: scope.actor.officer.0,
    }
}

/// The SM3 over a batch's transfers in the order of their ids (批次封印); kept in the journal, recomputed by the audit.
#[derive(Default)]
pub(crate) struct Seal {
    hash: Sm3,
    count: u64,
    total: Money,
}

impl Seal {
    /// Adds a transfer; they must come in the order of their ids.
    pub(crate) fn add(&mut self, row: &table::Model) -> anyhow::Result<()> {
        let line = row.line_id.map(|id| id.to_string()).unwrap_or_default();
        let reverses = row.reverses.map(|id| id.to_string()).unwrap_or_default();
        let text = format!(
            "{}|{}|{}|{}|{}|{}|{}|{}|{line}|{reverses}\n",
            row.id,
            row.debit_id,
            row.credit_id,
            row.amount,
            row.code.code(),
            row.decision_id,
            row.payee_id,
            row.month
        );
        self.hash.update(text.as_bytes());
        self.count += 1;
        self.total = self.total.plus(Money::from_fen(row.amount))?;
        Ok(())
    }

    /// What the journal keeps of the batch.
    pub(crate) fn detail(self) -> serde_json::Value {
        json!({
            "transfers": self.count,
            "fen": self.total,
            "sm3": hex::encode(self.hash.finalize()),
        })
    }
}
