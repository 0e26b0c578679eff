//! Suspending (暂停) and resuming (恢复发放).
//!
//! A suspended month is not due. A resumption says from which month on money flows again: give the first suspended month
//! to pay them all, the present one to pay none of them. Guarantees: as for every change, paid months stay and their
//! difference is settled. Deliberately absent: reasons, which stand in the decision.

use crate::adjust::{Amended, Amendment, amend, held, made_before};
use crate::entitlement::{ChangeKind, Standing};
use access::Scope;
use serde::{Deserialize, Serialize};
use store::Tx;
use vocab::Month;
use vocab::ids::{DecisionId, EntitlementId};

/// A suspension (暂停).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Of which entitlement.
    pub entitlement: EntitlementId,
    /// First month not paid.
    pub from: Month,
    /// Under which decision.
    pub decision: DecisionId,
}

/// A resumption (恢复发放).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// Of which entitlement.
    pub entitlement: EntitlementId,
    /// First month paid again.
    pub from: Month,
    /// Under which decision.
    pub decision: DecisionId,
}

/// Why it was not suspended or resumed (不予办理原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such entitlement in the scope.
    #[error("没有找到这项待遇，请核对后重试")]
    NotFound,
    /// The month lies before the entitlement begins.
    #[error("该待遇自{0}起发放，月份不能早于此")]
    BeforeStart(Month),
    /// It has ended by then.
    #[error("该待遇在这个月已停发；如需恢复请办理撤销停发")]
    Ended,
    /// It is suspended in that month already.
    #[error("该待遇在这个月已经暂停")]
    AlreadySuspended,
    /// It is not suspended in that month.
    #[error("该待遇在这个月没有暂停，无需恢复")]
    NotSuspended,
}

/// Suspends (暂停发放).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn suspend(
    tx: &mut Tx,
    scope: &Scope,
    new: &Suspension,
) -> anyhow::Result<Result<Amended, Refused>> {
    turn(
        tx,
        scope,
        new.entitlement,
        ChangeKind::Suspend,
        new.from,
        new.decision,
    )
    .await
}

/// Resumes (恢复发放).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn resume(
    tx: &mut Tx,
    scope: &Scope,
    new: &Resumption,
) -> anyhow::Result<Result<Amended, Refused>> {
    turn(
        tx,
        scope,
        new.entitlement,
        ChangeKind::Resume,
        new.from,
        new.decision,
    )
    .await
}

async fn turn(
    tx: &mut Tx,
    scope: &Scope,
    id: EntitlementId,
    kind: ChangeKind,
    from: Month,
    decision: DecisionId,
) -> anyhow::Result<Result<Amended, Refused>> {
    let Some(before) = held(tx, scope, id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    let amendment = Amendment {
        kind,
        from,
        amount: None,
        decision,
        monthly: None,
    };
    if let Some(Ok(earlier)) = made_before(tx, &before, &amendment).await? {
        return Ok(Ok(earlier));
    }
    let refused = match (before.standing(from), kind) {
        (Standing::NotYet, _) => Some(Refused::BeforeStart(before.from)),
        (Standing::Ended, _) => Some(Refused::Ended),
        (Standing::Suspended, ChangeKind::Suspend) => Some(Refused::AlreadySuspended),
        (Standing::Running(_), ChangeKind::Resume) => Some(Refused::NotSuspended),
        (Standing::Suspended | Standing::Running(_), _) => None,
    };
    match refused {
        Some(refused) => Ok(Err(refused)),
        None => Ok(Ok(amend(tx, scope, &before, &amendment).await?)),
    }
}
