//! Recovering what was paid too much (追回): a plan of monthly instalments, or money paid back.
//!
//! Nothing is held back before an officer has agreed a plan. Instalments are taken by pay runs from the payee's lines of
//! the same programme, never below nothing, once a month. Guarantees: what remains falls only with a transfer; the same
//! repayment told twice counts once. Deliberately absent: taking from other programmes' money, which no rule allows.

use crate::account::Account;
use crate::gate::hold;
use crate::post::{note, post};
use crate::tables::recovery as table;
use crate::transfer::{About, Code, Transfer, derived, region};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Db, Page, Tx, inside};
use vocab::ids::{DecisionId, EntitlementId, PersonId, TransferId};
use vocab::{Money, Month, Region};

/// A recovery (追回).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its id.
    pub id: Uuid,
    /// The entitlement that was overpaid.
    pub entitlement: EntitlementId,
    /// Who was paid too much.
    pub payee: PersonId,
    /// Under which programme.
    pub programme: String,
    /// Where.
    pub region: Region,
    /// The decision that showed it.
    pub decision: DecisionId,
    /// How much in all.
    pub total: Money,
    /// How much is still open.
    pub remaining: Money,
    /// What is held back a month, once agreed.
    pub monthly: Option<Money>,
    /// Since when.
    pub made_at: DateTime<Utc>,
}

/// Money paid back (退缴).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repayment {
    /// On which recovery.
    pub recovery: Uuid,
    /// Made by the caller and kept for a retry, e.g. the number of the receipt.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// The receipt's number, for the reader.
    pub reference: String,
}

/// Why a plan or a repayment was not taken (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such recovery in the scope.
    #[error("没有找到这笔追回，请核对后重试")]
    NotFound,
    /// The amount is nothing or less.
    #[error("金额应大于零")]
    NotPositive,
    /// More than is open.
    #[error("金额超过尚未追回的 {0} 元，请核对")]
    TooMuch(Money),
}

/// Sets or takes away the monthly instalment (约定每月抵扣额).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn plan_recovery(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    monthly: Option<Money>,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(row) = held(tx, scope, id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if monthly.is_some_and(|monthly| monthly <= Money::ZERO) {
        return Ok(Err(Refused::NotPositive));
    }
    let before = row.monthly;
    let mut row = row.into_active_model();
    row.monthly = Set(monthly.map(Money::fen));
    row.update(tx.conn()).await.context("planning a recovery")?;
    note(
        tx,
        scope,
        "ledger.plan_recovery",
        "recovery",
        id,
        json!({ "before": before, "monthly": monthly }),
    );
    Ok(Ok(()))
}

/// Takes in money paid back (登记退缴).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn record_repayment(
    tx: &mut Tx,
    scope: &Scope,
    paid: &Repayment,
) -> anyhow::Result<Result<TransferId, Refused>> {
    let Some(row) = held(tx, scope, paid.recovery).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if paid.amount <= Money::ZERO {
        return Ok(Err(Refused::NotPositive));
    }
    let id = TransferId(derived(&[
        Code::Repay.code(),
        &paid.recovery.to_string(),
        &paid.key,
    ]));
    let payee = PersonId(row.payee_id);
    let transfer = Transfer {
        id,
        debit: Account::cash(&row.programme),
        credit: Account::receivable(&row.programme, payee),
        amount: paid.amount,
        code: Code::Repay,
        about: About {
            decision: DecisionId(row.decision_id),
            entitlement: EntitlementId(row.entitlement_id),
            payee,
            programme: row.programme.clone(),
            region: region(&row.region)?,
            month: Month::of(tx.today()),
            line: None,
            source: Some(row.id),
            reference: paid.reference.clone(),
        },
        reverses: None,
    };
    // A retry must be answered before "too much" is asked: the first time may have closed the recovery.
    let known = crate::tables::transfer::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await?
        .is_some();
    let remaining = Money::from_fen(row.remaining);
    if !known && paid.amount > remaining {
        return Ok(Err(Refused::TooMuch(remaining)));
    }
    if post(tx, scope, &[transfer]).await? == 1 {
        let mut row = row.into_active_model();
        row.remaining = Set(remaining.minus(paid.amount)?.fen());
        row.update(tx.conn()).await.context("lowering a recovery")?;
        note(
            tx,
            scope,
            "ledger.repay",
            "recovery",
            paid.recovery,
            json!({ "fen": paid.amount, "transfer": id }),
        );
    }
    Ok(Ok(id))
}

/// The recoveries of a payee (某人的追回), in the scope.
///
/// # Errors
/// When the database fails.
pub async fn recoveries_of(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    payee: PersonId,
) -> anyhow::Result<Vec<Recovery>> {
    table::Entity::find()
        .filter(in_scope(scope))
        .filter(table::Column::PayeeId.eq(payee.0))
        .order_by_asc(table::Column::MadeAt)
        .order_by_asc(table::Column::Id)
        .all(conn)
        .await
        .context("reading a payee's recoveries")?
        .into_iter()
        .map(recovery_of)
        .collect()
}

/// Open recoveries of the scope (未结追回列表); only those without a plan if asked.
///
/// # Errors
/// When the database fails.
pub async fn open_recoveries(
    db: &Db,
    scope: &Scope,
    without_plan: bool,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Recovery>> {
    let mut query = table::Entity::find()
        .filter(in_scope(scope))
        .filter(table::Column::Remaining.gt(0));
    if without_plan {
        query = query.filter(table::Column::Monthly.is_null());
    }
    let query = query
        .order_by_asc(table::Column::Region)
        .order_by_asc(table::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("reading recoveries")?
        .try_map(recovery_of)
}

async fn held(tx: &Tx, scope: &Scope, id: Uuid) -> anyhow::Result<Option<table::Model>> {
    let Some(row) = read(tx, scope, id).await? else {
        return Ok(None);
    };
    hold(tx, &[PersonId(row.payee_id)].into()).await?;
    read(tx, scope, id).await
}

async fn read(tx: &Tx, scope: &Scope, id: Uuid) -> anyhow::Result<Option<table::Model>> {
    let query = table::Entity::find_by_id(id).filter(in_scope(scope));
    query.one(tx.conn()).await.context("reading a recovery")
}

fn in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(table::Column::Region, scope.region))
}

fn recovery_of(row: table::Model) -> anyhow::Result<Recovery> {
    Ok(Recovery {
        id: row.id,
        entitlement: EntitlementId(row.entitlement_id),
        payee: PersonId(row.payee_id),
        programme: row.programme,
        region: region(&row.region)?,
        decision: DecisionId(row.decision_id),
        total: Money::from_fen(row.total),
        remaining: Money::from_fen(row.remaining),
        monthly: row.monthly.map(Money::from_fen),
        made_at: row.made_at,
    })
}
