//! Stopping (停发) and undoing a stop (撤销停发), e.g. after an appeal.
//!
//! Guarantees: nothing is paid from the month on; what was paid for later months becomes an overpayment with a recovery.
//! A stop that is undone pays the months again, first against what is still to be recovered, unless somebody covered
//! received something that excludes it meanwhile. Deliberately absent: the hearing before it, which casework holds.

use crate::adjust::{Amended, Amendment, amend, held, made_before};
use crate::entitle::{covering, overlaps};
use crate::entitlement::{ChangeKind, Entitlement};
use crate::tables::entitlement as table;
use crate::transfer::month;
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use store::Tx;
use vocab::ids::{DecisionId, EntitlementId};
use vocab::{Money, Month};

/// An end (停发).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Of which entitlement.
    pub entitlement: EntitlementId,
    /// First month no longer paid.
    pub from: Month,
    /// Under which decision.
    pub decision: DecisionId,
    /// What is held back a month from the payee's other lines of the programme; `None` until a plan is agreed.
    pub monthly: Option<Money>,
}

/// An end undone (撤销停发).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reinstatement {
    /// Of which entitlement.
    pub entitlement: EntitlementId,
    /// First month paid again.
    pub from: Month,
    /// Under which decision.
    pub decision: DecisionId,
}

/// Why it was not stopped, or the stop not undone (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such entitlement in the scope.
    #[error("没有找到这项待遇，请核对后重试")]
    NotFound,
    /// The month lies before the entitlement begins.
    #[error("该待遇自{0}起发放，月份不能早于此")]
    BeforeStart(Month),
    /// It has ended by then already.
    #[error("该待遇自{0}起已停发，无需再停")]
    Ended(Month),
    /// It was not stopped by then, so there is nothing to undo.
    #[error("该待遇在这个月没有停发，无需撤销")]
    NotStopped,
    /// The first decision's own end has come.
    #[error("原决定的期限到{0}为止，请重新申请")]
    PlannedEnd(Month),
    /// Somebody covered has something else now.
    #[error("其中一人已享受“{programme}”，不能同时恢复，请先停发该项")]
    Excluded {
        /// The other programme.
        programme: String,
        /// By which entitlement.
        entitlement: EntitlementId,
    },
    /// The same decision made a change with another content.
    #[error("同一决定已办理过内容不同的变更，请核对决定")]
    DecisionUsed,
    /// The instalment is nothing or less.
    #[error("每月抵扣额应大于零；尚未约定请留空")]
    NoInstalment,
}

/// Stops an entitlement (停发).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn stop(
    tx: &mut Tx,
    scope: &Scope,
    stop: &Stop,
) -> anyhow::Result<Result<Amended, Refused>> {
    let Some(before) = held(tx, scope, stop.entitlement).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let amendment = Amendment {
        kind: ChangeKind::Stop,
        from: stop.from,
        amount: None,
        decision: stop.decision,
        monthly: stop.monthly,
    };
    if let Some(earlier) = made_before(tx, &before, &amendment).await? {
        return Ok(earlier.map_err(|()| Refused::DecisionUsed));
    }
    if stop.monthly.is_some_and(|monthly| monthly <= Money::ZERO) {
        return Ok(Err(Refused::NoInstalment));
    }
    if stop.from < before.from {
        return Ok(Err(Refused::BeforeStart(before.from)));
    }
    if let Some(until) = before.until.filter(|until| *until <= stop.from) {
        return Ok(Err(Refused::Ended(until)));
    }
    Ok(Ok(amend(tx, scope, &before, &amendment).await?))
}

/// Undoes a stop (撤销停发).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn reinstate(
    tx: &mut Tx,
    scope: &Scope,
    again: &Reinstatement,
) -> anyhow::Result<Result<Amended, Refused>> {
    let Some(before) = held(tx, scope, again.entitlement).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let amendment = Amendment {
        kind: ChangeKind::Reinstate,
        from: again.from,
        amount: None,
        decision: again.decision,
        monthly: None,
    };
    if let Some(earlier) = made_before(tx, &before, &amendment).await? {
        return Ok(earlier.map_err(|()| Refused::DecisionUsed));
    }
    let planned = planned_until(tx, before.id).await?;
    let others = covering(tx.conn(), &before.covered.iter().copied().collect()).await?;
    if let Err(refused) = permitted(&before, again.from, planned, &others) {
        return Ok(Err(refused));
    }
    Ok(Ok(amend(tx, scope, &before, &amendment).await?))
}

fn permitted(
    before: &Entitlement,
    from: Month,
    planned: Option<Month>,
    others: &[Entitlement],
) -> Result<(), Refused> {
    if from < before.from {
        return Err(Refused::BeforeStart(before.from));
    }
    if let Some(planned) = planned.filter(|planned| *planned <= from) {
        return Err(Refused::PlannedEnd(planned));
    }
    if before.until.is_none_or(|until| until > from) {
        return Err(Refused::NotStopped);
    }
    let clash = others.iter().find(|other| {
        other.id != before.id
            && overlaps((from, planned), (other.from, other.until))
            && ((other.programme == before.programme && other.part == before.part)
                || other.excludes.contains(&before.programme)
                || before.excludes.contains(&other.programme))
    });
    match clash {
        Some(other) => Err(Refused::Excluded {
            programme: other.programme.clone(),
            entitlement: other.id,
        }),
        None => Ok(()),
    }
}

async fn planned_until(tx: &Tx, id: EntitlementId) -> anyhow::Result<Option<Month>> {
    table::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("reading an entitlement's planned end")?
        .and_then(|row| row.planned_until)
        .as_deref()
        .map(month)
        .transpose()
}
