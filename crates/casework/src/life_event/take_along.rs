//! A household's cases move with it (办件随迁): who sees them, whose task they are, in whose pay run they stand.
//!
//! Guarantees: both places lie in the scope; what was decided, noticed and paid stays as it was. Deliberately absent:
//! people and address; the register moves those.

use super::Refused;
use crate::tables::{case, draft, lead, life_event_line, review, task};
use access::Scope;
use anyhow::Context;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::Tx;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{EntitlementId, HouseholdId};

/// Takes the cases of a household along to another place.
pub(super) async fn take_along(
    tx: &mut Tx,
    scope: &Scope,
    household: HouseholdId,
    to: Region,
) -> anyhow::Result<Result<Region, Refused>> {
    let place = || Expr::value(to.to_string());
    let cases = case::Entity::find()
        .filter(case::Column::HouseholdId.eq(household.0))
        .all(tx.conn())
        .await
        .context("reading the cases of a household that moves")?;
    let ids: Vec<Uuid> = cases.iter().map(|row| row.id).collect();
    case::Entity::update_many()
        .col_expr(case::Column::Region, place())
        .filter(case::Column::Id.is_in(ids.iter().copied()))
        .exec(tx.conn())
        .await
        .context("moving cases")?;
    task::Entity::update_many()
        .col_expr(task::Column::Region, place())
        .filter(task::Column::CaseId.is_in(ids.iter().copied()))
        .filter(task::Column::ClosedAt.is_null())
        .exec(tx.conn())
        .await
        .context("moving tasks")?;
    review::Entity::update_many()
        .col_expr(review::Column::Region, place())
        .filter(review::Column::CaseId.is_in(ids))
        .exec(tx.conn())
        .await
        .context("moving reviews")?;
    draft::Entity::update_many()
        .col_expr(draft::Column::Region, place())
        .filter(draft::Column::HouseholdId.eq(household.0))
        .filter(draft::Column::SubmittedAt.is_null())
        .exec(tx.conn())
        .await
        .context("moving drafts")?;
    life_event_line::Entity::update_many()
        .col_expr(life_event_line::Column::Region, place())
        .filter(life_event_line::Column::HouseholdId.eq(household.0))
        .filter(life_event_line::Column::ClosedOn.is_null())
        .exec(tx.conn())
        .await
        .context("moving what events asked")?;
    lead::Entity::update_many()
        .col_expr(lead::Column::Region, place())
        .filter(lead::Column::HouseholdId.eq(household.0))
        .filter(lead::Column::HeldKey.is_not_null())
        .exec(tx.conn())
        .await
        .context("moving leads")?;
    for right in cases.iter().filter_map(|row| row.entitlement_id) {
        if let Err(refused) = ledger::relocate(tx, scope, EntitlementId(right), to).await? {
            return Ok(Err(Refused::Ledger(refused.to_string())));
        }
    }
    Ok(Ok(to))
}
