//! Cancelling a proposed run (作废批次): it was wrong, or is to be proposed afresh.
//!
//! Guarantees: only a run of which nothing is released; its lines stay to be read. Deliberately absent: taking back
//! released money, which is what a stop or a correction does.

use super::{LineState, RunState, run_in_scope, run_of};
use crate::post::note;
use crate::tables::{pay_line, pay_run};
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use serde_json::Value;
use store::Tx;
use vocab::ids::PayRunId;

/// Why a run was not cancelled (不予作废原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such run in the scope.
    #[error("没有找到这一批次，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Money has moved.
    #[error("该批次已开始放款，不能作废；多发的请办理变更或停发")]
    Released,
}

/// Cancels a run (作废批次); again changes nothing.
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn cancel(
    tx: &mut Tx,
    scope: &Scope,
    id: PayRunId,
) -> anyhow::Result<Result<(), Refused>> {
    let row = pay_run::Entity::find_by_id(id.0)
        .filter(run_in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a run to cancel")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    if let Err(denied) = scope.may(Permission::ProposePayRun, run_of(row.clone())?.region) {
        return Ok(Err(denied.into()));
    }
    match row.state {
        RunState::Cancelled => return Ok(Ok(())),
        RunState::Proposed => {}
        RunState::Releasing | RunState::Released | RunState::Sent => {
            return Ok(Err(Refused::Released));
        }
    }
    let mut row = row.into_active_model();
    row.state = Set(RunState::Cancelled);
    row.update(tx.conn()).await.context("cancelling a run")?;
    pay_line::Entity::update_many()
        .set(pay_line::ActiveModel {
            state: Set(LineState::Cancelled),
            changed_at: Set(tx.now()),
            ..Default::default()
        })
        .filter(pay_line::Column::RunId.eq(id.0))
        .exec(tx.conn())
        .await
        .context("cancelling the lines of a run")?;
    note(tx, scope, "ledger.cancel", "pay_run", id.0, Value::Null);
    Ok(Ok(()))
}
