//! Changing an amount (调整金额): another amount a month, from a month on.
//!
//! Guarantees: months not yet paid follow at once; months already paid keep what was paid, and the difference becomes
//! arrears or an overpayment. The same decision asked again changes nothing. Deliberately absent: changes of the covered
//! persons; those end one right and begin another.

use crate::adjust::{Amended, Amendment, amend, held, made_before};
use crate::entitlement::{ChangeKind, Entitlement};
use access::Scope;
use serde::{Deserialize, Serialize};
use store::Tx;
use vocab::ids::{DecisionId, EntitlementId};
use vocab::{Money, Month};

/// A new amount (新金额).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAmount {
    /// Of which entitlement.
    pub entitlement: EntitlementId,
    /// How much a month.
    pub amount: Money,
    /// From which month on.
    pub from: Month,
    /// Under which decision.
    pub decision: DecisionId,
    /// What is held back a month should something have to come back; `None` until a plan is agreed.
    pub monthly: Option<Money>,
}

/// Why the amount was not changed (不予变更原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such entitlement in the scope.
    #[error("没有找到这项待遇，请核对后重试")]
    NotFound,
    /// The amount is nothing or less.
    #[error("月发放额应大于零；不再发放请办理停发")]
    NotPositive,
    /// The month lies before the entitlement begins.
    #[error("该待遇自{0}起发放，变更月份不能早于此")]
    BeforeStart(Month),
    /// The entitlement has ended by then.
    #[error("该待遇自{0}起已停发，不能再变更")]
    Ended(Month),
    /// The same decision made a change with another content.
    #[error("同一决定已办理过内容不同的变更，请核对决定")]
    DecisionUsed,
    /// The instalment is nothing or less.
    #[error("每月抵扣额应大于零；尚未约定请留空")]
    NoInstalment,
}

/// Changes the amount (调整金额).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn change(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewAmount,
) -> anyhow::Result<Result<Amended, Refused>> {
    let Some(before) = held(tx, scope, new.entitlement).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let amendment = Amendment {
        kind: ChangeKind::Amount,
        from: new.from,
        amount: Some(new.amount),
        decision: new.decision,
        monthly: new.monthly,
    };
    if let Some(earlier) = made_before(tx, &before, &amendment).await? {
        return Ok(earlier.map_err(|()| Refused::DecisionUsed));
    }
    if let Err(refused) = permitted(&before, new) {
        return Ok(Err(refused));
    }
    Ok(Ok(amend(tx, scope, &before, &amendment).await?))
}

fn permitted(before: &Entitlement, new: &NewAmount) -> Result<(), Refused> {
    if new.amount <= Money::ZERO {
        return Err(Refused::NotPositive);
    }
    if new.monthly.is_some_and(|monthly| monthly <= Money::ZERO) {
        return Err(Refused::NoInstalment);
    }
    if new.from < before.from {
        return Err(Refused::BeforeStart(before.from));
    }
    match before.until {
        Some(until) if until <= new.from => Err(Refused::Ended(until)),
        _ => Ok(()),
    }
}
