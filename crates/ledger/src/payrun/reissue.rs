//! Sending returned money again (重发退回款): the account was put right, the next run of the place takes the line in.
//!
//! Guarantees: nothing is owed twice – the money stands in the payable account since the first release, and the returned
//! line can be followed by one line only. Deliberately absent: the account itself, which the registry keeps.

use super::{LineState, line_in_scope};
use crate::post::note;
use crate::tables::pay_line;
use crate::transfer::region;
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use serde_json::Value;
use store::Tx;
use vocab::ids::PayLineId;

/// Why a line was not taken for sending again (不予重发原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such line in the scope.
    #[error("没有找到这笔发放，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The bank did not return it.
    #[error("银行没有退回这笔发放，不能重发")]
    NotReturned,
    /// A later run has sent it already.
    #[error("这笔退回款已在以后的批次重发")]
    AlreadyReissued,
}

/// Takes a returned line for the next run (重发退回款); again changes nothing.
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn reissue(
    tx: &mut Tx,
    scope: &Scope,
    id: PayLineId,
) -> anyhow::Result<Result<(), Refused>> {
    let row = pay_line::Entity::find_by_id(id.0)
        .filter(line_in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a returned line")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    if let Err(denied) = scope.may(Permission::ProposePayRun, region(&row.region)?) {
        return Ok(Err(denied.into()));
    }
    match row.state {
        LineState::Returned => {}
        LineState::Reissuing => return Ok(Ok(())),
        LineState::Reissued => return Ok(Err(Refused::AlreadyReissued)),
        _ => return Ok(Err(Refused::NotReturned)),
    }
    let mut row = row.into_active_model();
    row.state = Set(LineState::Reissuing);
    row.changed_at = Set(tx.now());
    row.update(tx.conn())
        .await
        .context("taking a returned line for sending again")?;
    note(tx, scope, "ledger.reissue", "pay_line", id.0, Value::Null);
    Ok(Ok(()))
}
