//! Correcting (冲正): an earlier transfer the other way round, and what follows from it.
//!
//! What the bank first called arrived and later took back becomes a returned line again; a repayment entered by mistake
//! is open again. Guarantees: the first transfer stays; it can be reversed once. What was released cannot be reversed
//! here: the amounts of a month are put right by a change or a stop, which leaves arrears or a recovery.

use crate::account::Account;
use crate::gate::hold;
use crate::payrun::LineState;
use crate::payrun::release::set_state;
use crate::post::{note, post};
use crate::tables::{account, pay_line, recovery, transfer as table};
use crate::transfer::{About, Code, Transfer, derived, month, region};
use access::Scope;
use anyhow::{Context, ensure};
use sea_orm::Condition;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use serde_json::json;
use store::{Tx, inside};
use vocab::Money;
use vocab::ids::{DecisionId, EntitlementId, PayLineId, PersonId, TransferId};

/// Why a transfer was not reversed (不予冲正原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such transfer in the scope.
    #[error("没有找到这笔分录，请核对后重试")]
    NotFound,
    /// Transfers of this kind are not reversed.
    #[error("“{}”不能直接冲正；月份金额有误请办理变更或停发", .0.name_zh())]
    NotReversible(Code),
    /// Its line has gone on meanwhile.
    #[error("这笔发放的状态已变化，请刷新后核对")]
    MovedOn,
}

/// Reverses a transfer (冲正); again gives the same reversal.
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn correct(
    tx: &mut Tx,
    scope: &Scope,
    id: TransferId,
    reason: &str,
) -> anyhow::Result<Result<TransferId, Refused>> {
    let here = Condition::all().add(inside(table::Column::Region, scope.region));
    let query = table::Entity::find_by_id(id.0).filter(here);
    let Some(row) = query.one(tx.conn()).await.context("reading a transfer")? else {
        return Ok(Err(Refused::NotFound));
    };
    hold(tx, &[PersonId(row.payee_id)].into()).await?;
    let reversal = TransferId(derived(&[Code::Reverse.code(), &id.to_string()]));
    let known = table::Entity::find_by_id(reversal.0)
        .one(tx.conn())
        .await
        .context("looking for the reversal")?;
    if known.is_some() {
        return Ok(Ok(reversal));
    }
    match (row.code, row.line_id, row.source_id) {
        (Code::Settle, Some(line), _) => {
            if !take_back(tx, line, reason).await? {
                return Ok(Err(Refused::MovedOn));
            }
        }
        (Code::Repay, _, Some(recovery)) => open_again(tx, recovery, row.amount).await?,
        (code, ..) => return Ok(Err(Refused::NotReversible(code))),
    }
    let transfer = Transfer {
        id: reversal,
        debit: account_of(tx, row.credit_id).await?,
        credit: account_of(tx, row.debit_id).await?,
        amount: Money::from_fen(row.amount),
        code: Code::Reverse,
        about: About {
            decision: DecisionId(row.decision_id),
            entitlement: EntitlementId(row.entitlement_id),
            payee: PersonId(row.payee_id),
            programme: row.programme,
            region: region(&row.region)?,
            month: month(&row.month)?,
            line: row.line_id.map(PayLineId),
            source: row.source_id,
            reference: reason.to_owned(),
        },
        reverses: Some(id),
    };
    post(tx, scope, &[transfer]).await?;
    note(
        tx,
        scope,
        "ledger.correct",
        "transfer",
        id.0,
        json!({ "reversal": reversal, "code": row.code.code() }),
    );
    Ok(Ok(reversal))
}

async fn take_back(tx: &Tx, line: Uuid, reason: &str) -> anyhow::Result<bool> {
    let state = pay_line::Entity::find_by_id(line)
        .one(tx.conn())
        .await
        .context("reading a settled line")?;
    if state.is_none_or(|line| line.state != LineState::Settled) {
        return Ok(false);
    }
    set_state(tx, &[line], LineState::Settled, LineState::Returned).await?;
    pay_line::Entity::update_many()
        .col_expr(pay_line::Column::BankReason, Expr::value(reason))
        .filter(pay_line::Column::Id.eq(line))
        .exec(tx.conn())
        .await
        .context("saying why a line came back")?;
    Ok(true)
}

async fn open_again(tx: &Tx, id: Uuid, fen: i64) -> anyhow::Result<()> {
    let raised = recovery::Entity::update_many()
        .col_expr(
            recovery::Column::Remaining,
            Expr::col(recovery::Column::Remaining).add(fen),
        )
        .filter(recovery::Column::Id.eq(id))
        .exec(tx.conn())
        .await
        .context("opening a recovery again")?;
    ensure!(
        raised.rows_affected == 1,
        "the recovery of a repayment vanished"
    );
    Ok(())
}

async fn account_of(tx: &Tx, id: Uuid) -> anyhow::Result<Account> {
    let row = account::Entity::find_by_id(id)
        .one(tx.conn())
        .await
        .context("reading an account")?
        .context("a transfer names an account that does not exist")?;
    Ok(Account {
        kind: row.kind,
        programme: row.programme,
        person: row.person_id.map(PersonId),
    })
}
