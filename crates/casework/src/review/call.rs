//! A review called for before its day (提前核查): something from outside speaks against what is paid, so the case is looked at now.
//!
//! Guarantees: it is the same review the calendar asks for, so whoever looks closes both, is compared with what is paid, and is
//! followed by the next; one case has one review task, however many call for it; the grounds stand in the case's timeline, the
//! task names the occasion only. Deliberately absent: comparing now; nobody has looked yet.

use super::compare::{Turn, reviewer};
use super::follow::{ahead, put_task};
use crate::desk::Desk;
use crate::procedure::TaskKind;
use crate::rows::{self, NewEvent, insert_event, save};
use crate::tables::{review, task};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::EntityTrait;
use serde_json::json;
use store::{Event, Tx};
use vocab::ids::{CaseId, TaskId};

/// The event of the timeline.
pub(crate) const ACT: &str = "review_called";

/// Who calls for a review, and why (提前核查的缘由).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What brought it up, in a word; never a name or a number: `预警（死亡后仍在发）`.
    pub occasion: String,
    /// What was found out so far, in the officer's words.
    pub grounds: String,
    /// Until when somebody should have looked.
    pub due_on: NaiveDate,
}

/// Calls for a review of a case in payment (转办件复核); `None` where the scope holds no such case or nothing is paid by it.
///
/// # Errors
/// Faults of the database.
pub async fn call(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    call: &Call,
) -> anyhow::Result<Option<TaskId>> {
    let row = rows::case_row_for_change(tx, scope, id.0).await?;
    let Some(row) = row.filter(|row| row.is_in_payment()) else {
        return Ok(None);
    };
    let Some(procedure) = desk.procedure(&row.programme) else {
        return Ok(None);
    };
    let turn = Turn {
        kind: TaskKind::Review,
        role: reviewer(procedure),
        say: "请核实",
    };
    let detail = format!("{}，{}", call.occasion, turn.say);
    let id = put_task(tx, &row, turn, &detail).await?;
    let mut open = task::Entity::find_by_id(id)
        .one(tx.conn())
        .await
        .context("reading the task of a review")?
        .context("a task vanished while its case was locked")?;
    // A task that stood before keeps its day if it is the earlier one.
    let is_new = open.detail == detail;
    if is_new || open.due_on.is_none_or(|due| call.due_on < due) {
        open.due_on = Some(call.due_on);
        save::<task::Entity>(tx, open).await?;
    }
    if let Some(mut ahead) = ahead(tx, row.id).await?
        && ahead.task_id.is_none()
    {
        ahead.task_id = Some(id);
        save::<review::Entity>(tx, ahead).await?;
    }
    let step = NewEvent {
        act: ACT.to_owned(),
        opinion: format!("{}：{}", call.occasion, call.grounds.trim()),
        ..NewEvent::default()
    };
    insert_event(tx, scope, &row, step).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.review.call".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "number": row.number, "occasion": call.occasion }),
    });
    Ok(Some(TaskId(id)))
}
