//! Entitlements moving to another place (待遇随迁): who sees them and in whose pay run they stand from now on.
//!
//! Guarantees: the right itself, its amount and its months stay as they were; what is still to be paid or recovered goes
//! along; lines, claims and transfers of the past stay where they were made. Deliberately absent: why somebody moved.

use crate::adjust::held;
use crate::tables::{adjustment, entitlement as table, recovery};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use serde_json::json;
use store::{Event, Tx};
use vocab::Region;
use vocab::ids::EntitlementId;

/// Why an entitlement did not move (不予随迁原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such entitlement in the scope.
    #[error("没有找到这项待遇，请核对后重试")]
    NotFound,
    /// The new place lies outside the scope.
    #[error("迁入地不在您的管辖范围内，请由上级办理")]
    OutsideScope,
}

/// Moves an entitlement with what is open of it (待遇随迁) to another place of the scope.
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn relocate(
    tx: &mut Tx,
    scope: &Scope,
    id: EntitlementId,
    to: Region,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(before) = held(tx, scope, id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if !scope.holds(to) {
        return Ok(Err(Refused::OutsideScope));
    }
    let place = to.to_string();
    table::Entity::update_many()
        .col_expr(table::Column::Region, Expr::value(place.clone()))
        .filter(table::Column::Id.eq(id.0))
        .exec(tx.conn())
        .await
        .context("moving an entitlement")?;
    adjustment::Entity::update_many()
        .col_expr(adjustment::Column::Region, Expr::value(place.clone()))
        .filter(adjustment::Column::EntitlementId.eq(id.0))
        .filter(adjustment::Column::LineId.is_null())
        .exec(tx.conn())
        .await
        .context("moving what is still to be paid")?;
    recovery::Entity::update_many()
        .col_expr(recovery::Column::Region, Expr::value(place.clone()))
        .filter(recovery::Column::EntitlementId.eq(id.0))
        .filter(recovery::Column::Remaining.gt(0))
        .exec(tx.conn())
        .await
        .context("moving what is still to be recovered")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "ledger.relocate".to_owned(),
        subject_kind: "entitlement".to_owned(),
        subject_id: id.to_string(),
        region: Some(before.region),
        detail: json!({ "to": place }),
    });
    Ok(Ok(()))
}
