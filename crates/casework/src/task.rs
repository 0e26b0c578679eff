//! Tasks (待办): who has to do what, opened and closed with the acts.
//!
//! Guarantees: a case has at most one task for its own next step; a case that ended leaves only what still must be
//! answered (appeals, payments that came back). Deliberately absent: lists; see [`crate::todo`].

use crate::procedure::{Procedure, State, StateKind, TaskKind};
use crate::rows::{insert, open_tasks, save};
use crate::tables;
use access::{Role, Scope};
use anyhow::Context;
use chrono::{Days, NaiveDate};
use serde_json::json;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::{CaseId, OfficerId, TaskId};

/// A task to be opened from outside (新待办), for instance when the bank returned a payment.
#[derive(Debug, Clone)]
pub struct NewTask {
    /// The case.
    pub case: CaseId,
    /// What kind.
    pub kind: TaskKind,
    /// Whose.
    pub role: Role,
    /// Due on.
    pub due_on: Option<NaiveDate>,
    /// What more there is to say; never a name or number.
    pub detail: String,
}

/// Opens a task (登记待办); `None` when the case is not in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn open_task(tx: &mut Tx, scope: &Scope, new: NewTask) -> anyhow::Result<Option<TaskId>> {
    let Some(case) = crate::rows::case_row(tx, scope, new.case.0).await? else {
        return Ok(None);
    };
    let id = open(
        tx,
        &case,
        new.kind,
        Some(new.role),
        Due {
            on: new.due_on,
            ..Due::default()
        },
        &new.detail,
    )
    .await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.open_task".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: new.case.to_string(),
        region: case.region.parse().ok(),
        detail: json!({ "kind": new.kind.word() }),
    });
    Ok(Some(TaskId(id)))
}

/// When a task is due and from when it is shown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Due {
    /// Due.
    pub(crate) on: Option<NaiveDate>,
    /// Near from.
    pub(crate) warn_on: Option<NaiveDate>,
    /// Hidden before.
    pub(crate) shows_from: Option<NaiveDate>,
}

pub(crate) async fn open(
    tx: &Tx,
    case: &tables::case::Model,
    kind: TaskKind,
    role: Option<Role>,
    due: Due,
    detail: &str,
) -> anyhow::Result<Uuid> {
    let row = row(tx, case.id, &case.region, kind, role, due, detail);
    let id = row.id;
    insert::<tables::task::Entity>(tx, row).await?;
    Ok(id)
}

/// The row of a task about to be opened.
pub(crate) fn row(
    tx: &Tx,
    case: Uuid,
    region: &str,
    kind: TaskKind,
    role: Option<Role>,
    due: Due,
    detail: &str,
) -> tables::task::Model {
    tables::task::Model {
        id: tx.new_id(),
        case_id: case,
        kind: kind.word().to_owned(),
        role: role.map(Role::code).unwrap_or_default().to_owned(),
        region: region.to_owned(),
        shows_from: due.shows_from,
        due_on: due.on,
        warn_on: due.warn_on,
        detail: detail.to_owned(),
        opened_at: tx.now(),
        closed_at: None,
        closed_by: None,
    }
}

/// Closes the open tasks of these kinds (办结待办).
pub(crate) async fn close(
    tx: &Tx,
    case: Uuid,
    by: OfficerId,
    closes: impl Fn(TaskKind) -> bool,
) -> anyhow::Result<()> {
    for mut task in open_tasks(tx, case).await? {
        let kind = TaskKind::from_word(&task.kind).context("a stored kind of task is not known")?;
        if closes(kind) {
            task.closed_at = Some(tx.now());
            task.closed_by = Some(by.0);
            save::<tables::task::Entity>(tx, task).await?;
        }
    }
    Ok(())
}

/// What task a state's own next step is, if any.
pub(crate) fn step_of(
    state: &State,
    case: &tables::case::Model,
    notice_ends: Option<NaiveDate>,
) -> Option<(TaskKind, Due)> {
    state.desk?;
    let day_after = |day: NaiveDate| day + Days::new(1);
    let due = Due {
        on: case.due_on,
        warn_on: case.warn_on,
        shows_from: None,
    };
    match state.kind {
        StateKind::Working | StateKind::Suspended => Some((TaskKind::Turn, due)),
        // Nobody at the desk can do anything until the applicant does, or lets the time pass.
        StateKind::Waiting => Some((
            TaskKind::Waiting,
            Due {
                shows_from: Some(case.due_on.map_or(never(), day_after)),
                ..due
            },
        )),
        StateKind::Publicity => Some((
            TaskKind::Publicity,
            Due {
                shows_from: notice_ends.map(day_after),
                ..due
            },
        )),
        // Decided, but something is still owed in time: a refusal to be delivered, say.
        StateKind::InForce | StateKind::Final => case.due_on.map(|_| (TaskKind::Turn, due)),
    }
}

/// A day no list reaches; both databases can hold it.
fn never() -> NaiveDate {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default()
}

/// Puts the task of the case's own next step right after an act.
pub(crate) async fn follow(
    tx: &Tx,
    procedure: &Procedure,
    case: &tables::case::Model,
    by: OfficerId,
    notice_ends: Option<NaiveDate>,
) -> anyhow::Result<()> {
    let own = |kind| {
        matches!(
            kind,
            TaskKind::Turn | TaskKind::Waiting | TaskKind::Publicity
        )
    };
    let state = procedure
        .state(&case.state)
        .context("the state of a case is not in its procedure")?;
    if state.kind == StateKind::Final {
        let answered_anyway = |kind| {
            matches!(
                kind,
                TaskKind::Appeal | TaskKind::FindingObjection | TaskKind::ReturnedPayment
            )
        };
        let outlives = |kind| own(kind) || answered_anyway(kind);
        close(tx, case.id, by, |kind| !outlives(kind)).await?;
    }
    let wanted = step_of(state, case, notice_ends);
    let role = state.desk.map(Role::code).unwrap_or_default();
    let mut standing = false;
    for mut task in open_tasks(tx, case.id).await? {
        let Some(kind) = TaskKind::from_word(&task.kind).filter(|kind| own(*kind)) else {
            continue;
        };
        match wanted {
            Some((same, due)) if same == kind && task.role == role && !standing => {
                standing = true;
                task.due_on = due.on;
                task.warn_on = due.warn_on;
                task.shows_from = due.shows_from;
            }
            _ => {
                task.closed_at = Some(tx.now());
                task.closed_by = Some(by.0);
            }
        }
        save::<tables::task::Entity>(tx, task).await?;
    }
    if let Some((kind, due)) = wanted
        && !standing
    {
        open(tx, case, kind, state.desk, due, "").await?;
    }
    Ok(())
}
