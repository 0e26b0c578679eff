//! Carrying an adjustment out (办理调整): by another officer, a few cases a transaction, each case once.

use super::propose::{Judged, judge, note};
use super::{Difference, LineResult, Refused, State};
use crate::case::{Recorded, from_word, to_word};
use crate::desk::Desk;
use crate::procedure::TaskKind;
use crate::rows::{NewEvent, insert, insert_event, save, save_case};
use crate::tables::{adjustment, adjustment_line, case, decision};
use crate::{sheet, task};
use access::{Permission, Role, Scope, another_officer, may};
use anyhow::Context;
use chrono::Days;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Tx};
use uuid::Uuid;
use vocab::ids::{AdjustmentId, DecisionId, EntitlementId};
use vocab::{Money, Month};

/// Cases of one transaction: others get their turn in between.
const CHUNK: u64 = 100;
/// A review asked for by an adjustment is due in so many days; the procedures give no limit of their own for it.
const REVIEW_WITHIN: u64 = 30;

/// How far carrying out has come (办理进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Cases done.
    pub done: u64,
    /// Cases altogether.
    pub of: u64,
}

enum Step {
    More,
    Done,
}

/// Approves an adjustment and carries it out (复核并办理), or goes on with one that was interrupted.
///
/// # Errors
/// Faults of the database; calling again is safe. Refusals are values.
pub async fn approve(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: AdjustmentId,
) -> anyhow::Result<Result<Progress, Refused>> {
    loop {
        let mut tx = db.begin().await?;
        match chunk(&mut tx, scope, desk, id).await? {
            Ok(step) => {
                tx.commit().await?;
                if matches!(step, Step::Done) {
                    return Ok(Ok(progress(db, id).await?));
                }
            }
            Err(refused) => {
                tx.rollback().await?;
                return Ok(Err(refused));
            }
        }
    }
}

async fn progress(db: &Db, id: AdjustmentId) -> anyhow::Result<Progress> {
    let all =
        adjustment_line::Entity::find().filter(adjustment_line::Column::AdjustmentId.eq(id.0));
    let done = all
        .clone()
        .filter(adjustment_line::Column::Result.is_not_null());
    Ok(Progress {
        done: done
            .count(db.conn())
            .await
            .context("counting what is done")?,
        of: all.count(db.conn()).await.context("counting cases")?,
    })
}

async fn chunk(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: AdjustmentId,
) -> anyhow::Result<Result<Step, Refused>> {
    let Some(mut row) = super::list::row_for_change(tx, scope, id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if let Err(denied) = may(&scope.actor, Permission::ApproveAdjustment, scope.region) {
        return Ok(Err(denied.into()));
    }
    if let Err(same) = another_officer(vocab::ids::OfficerId(row.proposed_by), &scope.actor) {
        return Ok(Err(same.into()));
    }
    let state: State = from_word(&row.state)?;
    match state {
        State::Proposed => {
            // What the second officer saw must be what the rules say now.
            if row.reverses.is_none() && row.pack_hash != desk.book.hash() {
                return Ok(Err(Refused::RuleBookChanged));
            }
            row.state = to_word(State::Running);
            row.approved_by = Some(scope.actor.officer.0);
            row.approver = Some(scope.actor.name.clone());
            row.approved_at = Some(tx.now());
            save::<adjustment::Entity>(tx, row.clone()).await?;
            let detail = json!({ "from": row.from_month, "reverses": row.reverses });
            note(tx, scope, "casework.adjustment.approve", id.0, detail);
        }
        State::Running => {}
        State::Done | State::Withdrawn => return Ok(Err(Refused::WrongState(state))),
    }
    let lines = adjustment_line::Entity::find()
        .filter(adjustment_line::Column::AdjustmentId.eq(id.0))
        .filter(adjustment_line::Column::Result.is_null())
        .order_by_asc(adjustment_line::Column::Number)
        .limit(CHUNK)
        .all(tx.conn())
        .await
        .context("reading what is left of an adjustment")?;
    if lines.is_empty() {
        row.state = to_word(State::Done);
        save::<adjustment::Entity>(tx, row).await?;
        note(tx, scope, "casework.adjustment.done", id.0, json!({}));
        return Ok(Ok(Step::Done));
    }
    some(tx, scope, desk, &row, lines).await?;
    Ok(Ok(Step::More))
}

/// Carries a few cases out, each on its own: one that has changed meanwhile is a review and stops no other.
async fn some(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    of: &adjustment::Model,
    lines: Vec<adjustment_line::Model>,
) -> anyhow::Result<()> {
    let from: Month = of
        .from_month
        .parse()
        .context("the first month of an adjustment")?;
    let cases = case::Entity::find()
        .filter(case::Column::Id.is_in(lines.iter().map(|line| line.case_id)))
        .filter(case::Column::Kind.eq("in_force"))
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("reading the cases of an adjustment")?;
    let mut judged: BTreeMap<Uuid, Judged> = judge(tx, scope, desk, from, cases)
        .await?
        .into_iter()
        .map(|judged| (judged.row.id, judged))
        .collect();
    for line in lines {
        let judged = judged.remove(&line.case_id);
        match judged.filter(|judged| as_shown(of, &line, judged)) {
            Some(judged) => change(tx, scope, of, from, line, judged).await?,
            None => review(tx, of, line).await?,
        }
    }
    Ok(())
}

/// Whether the case is still what the second officer saw, and may be changed without asking the person.
fn as_shown(of: &adjustment::Model, line: &adjustment_line::Model, judged: &Judged) -> bool {
    if judged.before.fen() != line.amount_before {
        return false;
    }
    // The way back returns to what was paid before; the rule book may say otherwise by now.
    if of.reverses.is_some() {
        return true;
    }
    judged.difference().is_some_and(|(difference, after)| {
        difference.is_carried_out() && after.map(|after| after.fen()) == line.amount_after
    })
}

async fn change(
    tx: &mut Tx,
    scope: &Scope,
    of: &adjustment::Model,
    from: Month,
    mut line: adjustment_line::Model,
    judged: Judged,
) -> anyhow::Result<()> {
    let amount = line.amount_after.context("a rise without an amount")?;
    let decided = DecisionId(tx.new_id());
    let mut row = judged.row;
    let order = ledger::NewAmount {
        entitlement: EntitlementId(row.entitlement_id.context("a case without a right")?),
        amount: Money::from_fen(amount),
        from,
        decision: decided,
        monthly: None,
    };
    if let Err(refused) = ledger::change(tx, scope, &order).await? {
        line.said = refused.to_string();
        return review(tx, of, line).await;
    }
    let determination = match (&judged.answer, of.reverses) {
        (Some(answer), None) => Some(sheet::keep(tx, row.id, answer).await?),
        _ => None,
    };
    insert::<decision::Entity>(
        tx,
        decision::Model {
            id: decided.0,
            case_id: row.id,
            kind: "adjust".to_owned(),
            determination_id: determination.or(row.determination_id),
            decided_on: tx.today(),
            from_month: Some(from.to_string()),
            amount: Some(amount),
            grounds: "[]".to_owned(),
            opinion: of.basis.clone(),
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            foreign_number: None,
            at: tx.now(),
        },
    )
    .await?;
    let read_at = row.version;
    let recorded = Recorded {
        version: read_at,
        ..Recorded::default()
    };
    let said = NewEvent {
        act: "adjust".to_owned(),
        opinion: of.basis.clone(),
        recorded,
        determination,
        decision: Some(decided.0),
    };
    insert_event(tx, scope, &row, said).await?;
    row.amount = Some(amount);
    row.determination_id = determination.or(row.determination_id);
    row.decision_id = Some(decided.0);
    row.version += 1;
    row.last_officer_id = Some(scope.actor.officer.0);
    row.last_officer = scope.actor.name.clone();
    row.updated_at = tx.now();
    let saved = save_case(tx, row, read_at).await?;
    anyhow::ensure!(saved, "a case held for change was changed by somebody else");
    line.result = Some(to_word(LineResult::Changed));
    line.determination_id = determination;
    line.decision_id = Some(decided.0);
    save::<adjustment_line::Entity>(tx, line).await
}

/// The street looks at it: a task of kind review, with what the rules say in a word.
async fn review(
    tx: &Tx,
    of: &adjustment::Model,
    mut line: adjustment_line::Model,
) -> anyhow::Result<()> {
    let row = case::Entity::find_by_id(line.case_id)
        .one(tx.conn())
        .await
        .context("reading a case to be reviewed")?
        .context("a case of an adjustment vanished")?;
    let due = task::Due {
        on: tx.today().checked_add_days(Days::new(REVIEW_WITHIN)),
        ..task::Due::default()
    };
    let difference = Difference::read(&line.difference)?;
    let why = match difference {
        Difference::More => "金额在拟定以后有变化",
        Difference::Less => "按新标准金额减少，须先听取意见",
        Difference::People => "保障人员有变化",
        Difference::NotMet => "按新标准不再符合",
        Difference::ToVerify => "有事实待核实",
    };
    let detail = format!("标准调整（{}）：{why}", of.basis);
    if row.kind == "in_force" {
        task::open(
            tx,
            &row,
            TaskKind::Review,
            Some(Role::StreetReviewer),
            due,
            &detail,
        )
        .await?;
    }
    line.result = Some(to_word(LineResult::Review));
    save::<adjustment_line::Entity>(tx, line).await
}
