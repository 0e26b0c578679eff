//! Proposing an adjustment (拟定调整): every case in force is decided anew for the first month, and what differs is kept.

use super::{Difference, NewAdjustment, Refused, State};
use crate::case::{from_word, to_word};
use crate::desk::Desk;
use crate::rows::{insert, insert_all, save};
use crate::sheet::{self, Answer};
use crate::tables::{adjustment, adjustment_line, case};
use access::{Permission, Scope, may};
use anyhow::Context;
use ledger::Entitlement;
use policy::{Ask, Determination, Every, Outcome};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Event, Tx, inside};
use uuid::Uuid;
use vocab::ids::{AdjustmentId, EntitlementId, HouseholdId, PersonId};
use vocab::{FactSheet, Money, Month, Region};

/// How many cases are looked at at a time.
const PORTION: u64 = 500;

/// Proposes an adjustment (拟定标准调整): nothing changes but the list of what would.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn propose(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: &NewAdjustment,
) -> anyhow::Result<Result<AdjustmentId, Refused>> {
    if let Err(refused) = permitted(tx, scope, desk, new).await? {
        return Ok(Err(refused));
    }
    let id = tx.new_id();
    let (mut lines, mut looked_at) = (Vec::new(), 0_i64);
    let mut after: Option<Uuid> = None;
    loop {
        let some = in_force(tx, scope, &new.programmes, after, PORTION).await?;
        let Some(last) = some.last() else { break };
        after = Some(last.id);
        looked_at += i64::try_from(some.len())?;
        for judged in judge(tx, scope, desk, new.from, some).await? {
            lines.extend(line(tx, id, &judged)?);
        }
    }
    let row = adjustment::Model {
        id,
        region: scope.region.to_string(),
        programmes: serde_json::to_string(&new.programmes)?,
        from_month: new.from.to_string(),
        basis: new.basis.trim().to_owned(),
        reverses: None,
        state: to_word(State::Proposed),
        pack_version: desk.book.version().to_owned(),
        pack_hash: desk.book.hash().to_owned(),
        looked_at,
        proposed_by: scope.actor.officer.0,
        proposer: scope.actor.name.clone(),
        proposed_at: tx.now(),
        approved_by: None,
        approver: None,
        approved_at: None,
    };
    let touched = lines.len();
    insert::<adjustment::Entity>(tx, row).await?;
    insert_all::<adjustment_line::Entity>(tx, lines).await?;
    note(
        tx,
        scope,
        "casework.adjustment.propose",
        id,
        json!({ "programmes": new.programmes, "from": new.from.to_string(), "looked_at": looked_at, "touched": touched }),
    );
    Ok(Ok(AdjustmentId(id)))
}

async fn permitted(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    new: &NewAdjustment,
) -> anyhow::Result<Result<(), Refused>> {
    if let Err(denied) = may(&scope.actor, Permission::ProposeAdjustment, scope.region) {
        return Ok(Err(denied.into()));
    }
    if new.programmes.is_empty() {
        return Ok(Err(Refused::NothingChosen));
    }
    if new.basis.trim().is_empty() {
        return Ok(Err(Refused::BasisMissing));
    }
    let pays_monthly = |id: &String| {
        desk.programme(id)
            .is_some_and(|programme| programme.benefit.every == Every::Month)
    };
    if let Some(id) = new.programmes.iter().find(|id| !pays_monthly(id)) {
        return Ok(Err(Refused::NotMonthly(desk.title(id).0)));
    }
    let open = adjustment::Entity::find()
        .filter(adjustment::Column::State.is_in([State::Proposed, State::Running].map(to_word)))
        .all(tx.conn())
        .await
        .context("looking for open adjustments")?;
    for row in open {
        let theirs: Region = row.region.parse().context("the region of an adjustment")?;
        let programmes: BTreeSet<String> = serde_json::from_str(&row.programmes)?;
        if (theirs.holds(scope.region) || scope.region.holds(theirs))
            && let Some(id) = new.programmes.iter().find(|id| programmes.contains(*id))
        {
            return Ok(Err(Refused::AlreadyOpen(desk.title(id).0)));
        }
    }
    Ok(Ok(()))
}

/// Cases in force with money behind them, by id.
async fn in_force(
    tx: &Tx,
    scope: &Scope,
    programmes: &[String],
    after: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<case::Model>> {
    let mut query = case::Entity::find()
        .filter(inside(case::Column::Region, scope.region))
        .filter(case::Column::Kind.eq("in_force"))
        .filter(case::Column::EntitlementId.is_not_null())
        .filter(case::Column::Programme.is_in(programmes.iter().map(String::as_str)));
    if let Some(after) = after {
        query = query.filter(case::Column::Id.gt(after));
    }
    query
        .order_by_asc(case::Column::Id)
        .limit(limit)
        .all(tx.conn())
        .await
        .context("reading the cases an adjustment may touch")
}

/// A case, what is paid for it, and what the rule book says of the first month.
pub(super) struct Judged {
    pub(super) row: case::Model,
    pub(super) standing: Entitlement,
    pub(super) answer: Option<Answer>,
    pub(super) before: Money,
}

impl Judged {
    /// What differs; `None` if nothing does.
    pub(super) fn difference(&self) -> Option<(Difference, Option<Money>)> {
        let found = self.answer.as_ref().map(|answer| &answer.determination);
        let Some(found) = found else {
            return Some((Difference::ToVerify, None));
        };
        match (found.outcome, found.amount) {
            (Outcome::NotMet, _) => Some((Difference::NotMet, None)),
            (Outcome::Met, Some(after)) => self.compared(after),
            (Outcome::Met | Outcome::ToVerify, _) => Some((Difference::ToVerify, None)),
        }
    }

    fn compared(&self, after: Money) -> Option<(Difference, Option<Money>)> {
        let now: BTreeSet<PersonId> = self.answer.iter().flat_map(Answer::covered).collect();
        let before: BTreeSet<PersonId> = self.standing.covered.iter().copied().collect();
        let difference = if now != before {
            Difference::People
        } else if after > self.before {
            Difference::More
        } else if after < self.before {
            Difference::Less
        } else {
            return None;
        };
        Some((difference, Some(after)))
    }

    /// Why it is not simply carried out: the reasons the rule book gives.
    fn said(&self) -> String {
        let found: Option<&Determination> =
            self.answer.as_ref().map(|answer| &answer.determination);
        found.map_or_else(
            || "查不到这一户，请核对户籍和管辖".to_owned(),
            |found| match found.outcome {
                Outcome::Met => String::new(),
                outcome => outcome.word().to_owned(),
            },
        )
    }
}

/// Decides cases anew for the first day of a month; those whose entitlement has not begun by then are left out.
pub(super) async fn judge(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    from: Month,
    rows: Vec<case::Model>,
) -> anyhow::Result<Vec<Judged>> {
    let on = from.first_day();
    let ids: Vec<EntitlementId> = rows
        .iter()
        .filter_map(|row| row.entitlement_id.map(EntitlementId))
        .collect();
    let mut standing = ledger::entitlements(tx.conn(), scope, &ids).await?;
    let households: Vec<HouseholdId> = rows
        .iter()
        .map(|row| HouseholdId(row.household_id))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let sheets: BTreeMap<HouseholdId, FactSheet> =
        sheet::sheets(tx, scope, desk, &households, tx.now(), on)
            .await?
            .into_iter()
            .collect();
    let mut judged = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(entitlement) = row
            .entitlement_id
            .and_then(|id| standing.remove(&EntitlementId(id)))
        else {
            continue;
        };
        let before = entitlement.due(from);
        if before == Money::ZERO {
            continue;
        }
        let ask = Ask {
            as_of: on,
            known_at: Some(tx.now()),
            region: Some(row.region.parse().context("the region of a case")?),
            programmes: Some(vec![row.programme.clone()]),
        };
        let member = row.member_id.map(PersonId);
        let answer = sheets
            .get(&HouseholdId(row.household_id))
            .and_then(|sheet| {
                Answer::pick(
                    desk,
                    sheet,
                    desk.book.evaluate(sheet, &ask),
                    &row.programme,
                    member,
                )
            });
        judged.push(Judged {
            row,
            standing: entitlement,
            answer,
            before,
        });
    }
    Ok(judged)
}

fn line(
    tx: &Tx,
    adjustment: Uuid,
    judged: &Judged,
) -> anyhow::Result<Option<adjustment_line::Model>> {
    let Some((difference, after)) = judged.difference() else {
        return Ok(None);
    };
    let row = &judged.row;
    Ok(Some(adjustment_line::Model {
        id: tx.new_id(),
        adjustment_id: adjustment,
        case_id: row.id,
        number: row.number.clone(),
        programme: row.programme.clone(),
        region: row.region.clone(),
        subject_masked: row.subject_masked.clone(),
        amount_before: judged.before.fen(),
        amount_after: after.map(|after| after.fen()),
        difference: difference.word(),
        result: None,
        said: judged.said(),
        determination_id: None,
        decision_id: None,
    }))
}

/// Proposes the way back (拟定回退): every case that was changed gets its former amount, as a new act by two officers.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn roll_back(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: AdjustmentId,
    basis: &str,
) -> anyhow::Result<Result<AdjustmentId, Refused>> {
    if let Err(denied) = may(&scope.actor, Permission::ProposeAdjustment, scope.region) {
        return Ok(Err(denied.into()));
    }
    if basis.trim().is_empty() {
        return Ok(Err(Refused::BasisMissing));
    }
    let Some(before) = super::list::row(tx.conn(), scope, id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let state: State = from_word(&before.state)?;
    if state != State::Done {
        return Ok(Err(Refused::WrongState(state)));
    }
    let again = adjustment::Entity::find()
        .filter(adjustment::Column::Reverses.eq(id.0))
        .filter(adjustment::Column::State.ne(to_word(State::Withdrawn)))
        .count(tx.conn())
        .await
        .context("looking for an earlier way back")?;
    if again > 0 {
        return Ok(Err(Refused::NothingToTakeBack));
    }
    let changed = adjustment_line::Entity::find()
        .filter(adjustment_line::Column::AdjustmentId.eq(id.0))
        .filter(adjustment_line::Column::DecisionId.is_not_null())
        .all(tx.conn())
        .await
        .context("reading what an adjustment changed")?;
    if changed.is_empty() {
        return Ok(Err(Refused::NothingToTakeBack));
    }
    let back = tx.new_id();
    let lines: Vec<adjustment_line::Model> = changed
        .into_iter()
        .filter_map(|line| {
            let after = line.amount_after?;
            Some(adjustment_line::Model {
                id: tx.new_id(),
                adjustment_id: back,
                amount_before: after,
                amount_after: Some(line.amount_before),
                difference: Difference::Less.word(),
                result: None,
                said: String::new(),
                determination_id: None,
                decision_id: None,
                ..line
            })
        })
        .collect();
    let count = lines.len();
    insert::<adjustment::Entity>(
        tx,
        adjustment::Model {
            id: back,
            basis: basis.trim().to_owned(),
            reverses: Some(id.0),
            state: to_word(State::Proposed),
            looked_at: i64::try_from(count)?,
            pack_version: desk.book.version().to_owned(),
            pack_hash: desk.book.hash().to_owned(),
            proposed_by: scope.actor.officer.0,
            proposer: scope.actor.name.clone(),
            proposed_at: tx.now(),
            approved_by: None,
            approver: None,
            approved_at: None,
            ..before
        },
    )
    .await?;
    insert_all::<adjustment_line::Entity>(tx, lines).await?;
    note(
        tx,
        scope,
        "casework.adjustment.roll_back",
        back,
        json!({ "reverses": id.to_string(), "cases": count }),
    );
    Ok(Ok(AdjustmentId(back)))
}

/// Withdraws a proposal nobody has approved yet (撤回拟定).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn withdraw(
    tx: &mut Tx,
    scope: &Scope,
    id: AdjustmentId,
) -> anyhow::Result<Result<(), Refused>> {
    if let Err(denied) = may(&scope.actor, Permission::ProposeAdjustment, scope.region) {
        return Ok(Err(denied.into()));
    }
    let Some(mut row) = super::list::row(tx.conn(), scope, id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let state: State = from_word(&row.state)?;
    if state != State::Proposed {
        return Ok(Err(Refused::WrongState(state)));
    }
    row.state = to_word(State::Withdrawn);
    save::<adjustment::Entity>(tx, row).await?;
    note(tx, scope, "casework.adjustment.withdraw", id.0, json!({}));
    Ok(Ok(()))
}

pub(super) fn note(tx: &mut Tx, scope: &Scope, act: &str, id: Uuid, detail: serde_json::Value) {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "adjustment".to_owned(),
        subject_id: id.to_string(),
        region: Some(scope.region),
        detail,
    });
}
