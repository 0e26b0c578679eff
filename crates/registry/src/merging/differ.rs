//! In what two records differ that a merge has to choose between (合并须取舍的内容).
//!
//! Guarantees: what is compared is what is registered, not what a mask leaves of it: two numbers may look alike and differ.
//! Deliberately absent: the values; pages show them masked.

use super::carry_out::Said;
use crate::reading::Reading;
use crate::tables::person;
use access::Scope;
use anyhow::Context;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::inside;
use vocab::ids::PersonId;

/// In what two records differ (须取舍的内容).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differing {
    /// The name (姓名).
    pub name: bool,
    /// The phone (手机).
    pub phone: bool,
    /// Community and address (居住社区和住址).
    pub home: bool,
}

/// In what two records differ (比较两条记录); `None` unless the scope holds both.
///
/// # Errors
/// Faults of the database.
pub async fn differing(
    source: &impl Reading,
    scope: &Scope,
    one: PersonId,
    other: PersonId,
) -> anyhow::Result<Option<Differing>> {
    let rows = person::Entity::find()
        .filter(person::Column::Id.is_in([one.0, other.0]))
        .filter(inside(person::Column::LivesIn, scope.region))
        .all(source.connection())
        .await
        .context("reading two records to compare them")?;
    let [one, other] = rows.as_slice() else {
        return Ok(None);
    };
    let (one, other) = (Said::of(one), Said::of(other));
    Ok(Some(Differing {
        name: one.name != other.name,
        // Sealed twice, a number reads differently; its blind index does not.
        phone: one.phone.1 != other.phone.1,
        home: one.home != other.home,
    }))
}
