//! Moving house as a whole (全家迁居): the household and those who live with it go to another community.
//!
//! Guarantees: both communities lie in the scope, or nothing happens; a member who lives elsewhere stays there.
//! Deliberately absent: what the move means for anybody's cases and money; the crates above take them along.

use super::membership::open_household;
use crate::people::{ChangeRefused, move_home};
use crate::tables::{consent, household, membership, person};
use access::Scope;
use anyhow::Context;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// Why a household was not moved (不予迁居原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelocateRefused {
    /// No such household in the scope, or it is dissolved.
    #[error("在您的管辖范围内查不到这一户，或该户已撤销")]
    NotFound,
    /// The new community lies outside the scope.
    #[error("迁入的社区不在您的管辖范围内，请由迁入地或上级办理")]
    OutsideScope,
    /// It is there already.
    #[error("这一户已经在该社区，请核对迁入地")]
    SamePlace,
    /// The new address is missing.
    #[error("请填写新的住址")]
    AddressMissing,
}

/// Moves a household with those who live in it (全家迁居); answers where it came from.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn relocate(
    tx: &mut Tx,
    scope: &Scope,
    id: HouseholdId,
    to: Region,
    address: &str,
) -> anyhow::Result<Result<Region, RelocateRefused>> {
    let Some(row) = open_household(tx, scope, id).await? else {
        return Ok(Err(RelocateRefused::NotFound));
    };
    if !scope.holds(to) {
        return Ok(Err(RelocateRefused::OutsideScope));
    }
    let from = crate::stored::region(&row.region)?;
    if from == to {
        return Ok(Err(RelocateRefused::SamePlace));
    }
    if address.trim().is_empty() {
        return Ok(Err(RelocateRefused::AddressMissing));
    }
    let members: Vec<Uuid> = membership::Entity::find()
        .select_only()
        .column(membership::Column::PersonId)
        .filter(membership::Column::HouseholdId.eq(id.0))
        .filter(membership::Column::Until.is_null())
        .into_tuple()
        .all(tx.conn())
        .await
        .context("reading who moves along")?;
    let along: Vec<Uuid> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::Column::Id.is_in(members))
        .filter(inside(person::Column::LivesIn, from))
        .into_tuple()
        .all(tx.conn())
        .await
        .context("reading who lives there")?;
    for person in along {
        match move_home(tx, scope, PersonId(person), to, address).await? {
            Ok(()) => {}
            Err(ChangeRefused::OutsideScope) => return Ok(Err(RelocateRefused::OutsideScope)),
            Err(_) => return Ok(Err(RelocateRefused::NotFound)),
        }
    }
    let moved = household::ActiveModel {
        id: Unchanged(id.0),
        region: Set(to.to_string()),
        address: Set(address.trim().to_owned()),
        version: Set(row.version + 1),
        ..Default::default()
    };
    moved
        .update(tx.conn())
        .await
        .context("moving a household")?;
    consent::Entity::update_many()
        .col_expr(consent::Column::Region, Expr::value(to.to_string()))
        .filter(consent::Column::HouseholdId.eq(id.0))
        .exec(tx.conn())
        .await
        .context("moving what was consented to")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "household.relocate".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: id.to_string(),
        region: Some(from),
        detail: json!({ "from": from.to_string(), "to": to.to_string() }),
    });
    Ok(Ok(from))
}
