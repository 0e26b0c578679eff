//! What an act on a case does to its reviews (办理之后的核查安排): the first is scheduled with the grant; one that was done
//! is compared with what is paid, closed, and followed by the next; what differs goes to whoever hears or decides.
//!
//! Everything happens in the transaction of the act. Guarantees: a look that left something unknown is not a review done;
//! its task stays, and says what is missing. Deliberately absent: changing any amount.

use super::compare::{self, Differs, Found, Turn, compare};
use super::schedule;
use crate::case::Case;
use crate::desk::Desk;
use crate::procedure::{Act, Effect, Procedure, TaskKind};
use crate::rows::{open_tasks, save};
use crate::sheet::{self, Answer};
use crate::tables::{case, review, task as task_table};
use crate::{lead, life_event, task};
use access::{Role, Scope};
use anyhow::Context;
use chrono::Days;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::Tx;
use uuid::Uuid;
use vocab::Month;
use vocab::ids::EntitlementId;

/// What a review or a life event asks for is due in so many days; the procedures give no limit of their own for it.
pub(crate) const WITHIN: u64 = 30;

/// What was done to a case (刚办的行为).
pub(crate) struct Acted<'a> {
    /// The case as it is now.
    pub(crate) row: &'a case::Model,
    /// Its procedure.
    pub(crate) procedure: &'a Procedure,
    /// The act.
    pub(crate) act: &'a Act,
    /// The rule book's answer, if the act asked.
    pub(crate) answer: Option<&'a Answer>,
    /// The determination stored.
    pub(crate) determination: Option<Uuid>,
}

/// Keeps the reviews of a case in step with an act.
pub(crate) async fn after_act(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    done: &Acted<'_>,
) -> anyhow::Result<()> {
    let Acted {
        row,
        procedure,
        act,
        ..
    } = *done;
    if row.kind == "final" {
        life_event::settle(tx, scope, row.id, &act.zh).await?;
        lead::handled(tx, scope, row).await?;
        return end(tx, scope, row.id).await;
    }
    match act.effect {
        Effect::Grant => {
            if let Some(rule) = &procedure.review {
                schedule::schedule(tx, desk, row, rule, tx.today()).await?;
            }
            lead::enrolled(tx, scope, row).await
        }
        Effect::Hear => pass_on(tx, procedure, row.id).await,
        Effect::Change | Effect::Suspend | Effect::Resume | Effect::Stop | Effect::Overturn => {
            // What runs again after its end has no review ahead any more; one that has keeps it.
            if let Some(rule) = &procedure.review
                && act.effect == Effect::Overturn
                && row.kind == "in_force"
            {
                schedule::schedule(tx, desk, row, rule, tx.today()).await?;
            }
            task::close(tx, row.id, scope.actor.officer, |kind| {
                kind == TaskKind::Redecide
            })
            .await?;
            life_event::settle(tx, scope, row.id, &act.zh).await?;
            lead::handled(tx, scope, row).await
        }
        _ if act.closes.contains(&TaskKind::Review) => looked_again(tx, scope, desk, done).await,
        _ => Ok(()),
    }
}

/// The review ahead of a case, if any.
pub(crate) async fn ahead(tx: &Tx, case: Uuid) -> anyhow::Result<Option<review::Model>> {
    review::Entity::find()
        .filter(review::Column::CaseId.eq(case))
        .filter(review::Column::DoneOn.is_null())
        .one(tx.conn())
        .await
        .context("reading the review ahead")
}

async fn end(tx: &Tx, scope: &Scope, case: Uuid) -> anyhow::Result<()> {
    if let Some(mut row) = ahead(tx, case).await? {
        row.done_on = Some(tx.today());
        row.done_by = scope.actor.name.clone();
        row.outcome = Some(Differs::Ended.word().to_owned());
        save::<review::Entity>(tx, row).await?;
    }
    Ok(())
}

/// The hearing is over: what waited for it now waits for the decision.
async fn pass_on(tx: &Tx, procedure: &Procedure, case: Uuid) -> anyhow::Result<()> {
    for mut open in open_tasks(tx, case).await? {
        if open.kind == TaskKind::Redecide.word() {
            let role = compare::decider(procedure, Differs::Less);
            open.role = role.map(Role::code).unwrap_or_default().to_owned();
            open.detail = format!("{}；已听取意见，请作决定", open.detail);
            save::<task_table::Entity>(tx, open).await?;
        }
    }
    Ok(())
}

/// A review was done: compared, closed, followed by the next one.
async fn looked_again(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    done: &Acted<'_>,
) -> anyhow::Result<()> {
    let Acted { row, procedure, .. } = *done;
    let case = Case::read(row)?;
    let asked;
    let answer = match done.answer {
        Some(answer) => Some(answer),
        None => {
            asked = sheet::answer(tx, scope, desk, &case, tx.now(), tx.today()).await?;
            asked.as_ref()
        }
    };
    let standing = match row.entitlement_id {
        Some(id) => ledger::entitlement(tx.conn(), scope, EntitlementId(id)).await?,
        None => None,
    };
    let month = Month::of(tx.today()).next();
    let found = compare(desk, answer, standing.as_ref(), month);
    let ahead = ahead(tx, row.id).await?;
    let turn = compare::turn(procedure, &found, false);
    if found.differs == Differs::ToVerify {
        return stays_open(tx, row, ahead, &found, turn).await;
    }
    if let Some(mut ahead) = ahead {
        ahead.done_on = Some(tx.today());
        ahead.done_by = scope.actor.name.clone();
        ahead.outcome = Some(found.differs.word().to_owned());
        ahead.said = found.said.clone();
        ahead.determination_id = done.determination.or(row.determination_id);
        save::<review::Entity>(tx, ahead).await?;
    }
    if let Some(rule) = &procedure.review {
        schedule::schedule(tx, desk, row, rule, tx.today()).await?;
    }
    if let Some(turn) = turn {
        let detail = format!("核查发现{}：{}", said_of(&found), turn.say);
        put_task(tx, row, turn, &detail).await?;
    } else {
        life_event::settle(tx, scope, row.id, "核查不变").await?;
    }
    Ok(())
}

/// Something is unknown: the task comes back and names it, with the day it had.
async fn stays_open(
    tx: &Tx,
    row: &case::Model,
    ahead: Option<review::Model>,
    found: &Found,
    turn: Option<Turn>,
) -> anyhow::Result<()> {
    let Some(turn) = turn else { return Ok(()) };
    let due = match &ahead {
        Some(ahead) => task::Due {
            on: Some(ahead.due_on),
            warn_on: ahead.warn_on,
            shows_from: None,
        },
        None => within(tx),
    };
    let detail = format!("待核实，{}", found.said);
    let id = task::open(tx, row, turn.kind, turn.role, due, &detail).await?;
    if let Some(mut ahead) = ahead {
        ahead.task_id = Some(id);
        ahead.said = found.said.clone();
        save::<review::Entity>(tx, ahead).await?;
    }
    Ok(())
}

/// What was found, for the detail of a task.
pub(crate) fn said_of(found: &Found) -> String {
    let (word, _) = found.differs.wording();
    match (found.before, found.after) {
        (Some(before), Some(after)) if before != after => {
            format!("{word}（每月 {before} 元 → {after} 元）")
        }
        _ if found.said.is_empty() => word.to_owned(),
        _ => format!("{word}（{}）", found.said),
    }
}

fn within(tx: &Tx) -> task::Due {
    task::Due {
        on: tx.today().checked_add_days(Days::new(WITHIN)),
        ..task::Due::default()
    }
}

/// Opens a task, or gives the open one of its kind the newer word: one case has one thing to decide.
pub(crate) async fn put_task(
    tx: &Tx,
    row: &case::Model,
    turn: Turn,
    detail: &str,
) -> anyhow::Result<Uuid> {
    let standing = open_tasks(tx, row.id)
        .await?
        .into_iter()
        .find(|open| open.kind == turn.kind.word());
    match standing {
        Some(mut open) => {
            let id = open.id;
            open.detail = if open.detail.is_empty() {
                detail.to_owned()
            } else {
                format!("{}；{detail}", open.detail)
            };
            open.role = turn.role.map(Role::code).unwrap_or_default().to_owned();
            open.shows_from = None;
            save::<task_table::Entity>(tx, open).await?;
            Ok(id)
        }
        None => task::open(tx, row, turn.kind, turn.role, within(tx), detail).await,
    }
}
