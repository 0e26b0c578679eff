//! Marking a run as sent (标记已送银行): its file has left, and which file it was.
//!
//! Guarantees: one file a run – the same file marked again changes nothing, another one is refused; lines posted are then
//! lines sent. Deliberately absent: the file itself, which the exchange keeps, so that sending again sends the same bytes.

use super::{LineState, RunState, run_in_scope, run_of};
use crate::post::note;
use crate::tables::{pay_line, pay_run};
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QuerySelect};
use serde_json::json;
use store::Tx;
use vocab::ids::PayRunId;

/// Why a run was not marked (不予标记原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such run in the scope.
    #[error("没有找到这一批次，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not released yet.
    #[error("该批次尚未放款，请先复核放款")]
    NotReleased,
    /// Another file of it was sent.
    #[error("该批次已送出另一份文件，请核对后重发原文件")]
    OtherFile,
}

/// Marks a released run as sent (标记已送银行).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn mark_sent(
    tx: &mut Tx,
    scope: &Scope,
    id: PayRunId,
    file_sm3: &str,
) -> anyhow::Result<Result<(), Refused>> {
    let row = pay_run::Entity::find_by_id(id.0)
        .filter(run_in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a run to mark as sent")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    if let Err(denied) = scope.may(Permission::BankFiles, run_of(row.clone())?.region) {
        return Ok(Err(denied.into()));
    }
    match row.state {
        RunState::Released => {}
        RunState::Sent if row.sent_file.as_deref() == Some(file_sm3) => return Ok(Ok(())),
        RunState::Sent => return Ok(Err(Refused::OtherFile)),
        RunState::Proposed | RunState::Releasing | RunState::Cancelled => {
            return Ok(Err(Refused::NotReleased));
        }
    }
    let mut row = row.into_active_model();
    row.state = Set(RunState::Sent);
    row.sent_at = Set(Some(tx.now()));
    row.sent_file = Set(Some(file_sm3.to_owned()));
    row.update(tx.conn())
        .await
        .context("marking a run as sent")?;
    let lines = pay_line::Entity::update_many()
        .set(pay_line::ActiveModel {
            state: Set(LineState::Sent),
            changed_at: Set(tx.now()),
            ..Default::default()
        })
        .filter(pay_line::Column::RunId.eq(id.0))
        .filter(pay_line::Column::State.eq(LineState::Posted))
        .exec(tx.conn())
        .await
        .context("marking the lines of a run as sent")?;
    note(
        tx,
        scope,
        "ledger.send",
        "pay_run",
        id.0,
        json!({ "sm3": file_sm3, "lines": lines.rows_affected }),
    );
    Ok(Ok(()))
}
