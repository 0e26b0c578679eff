//! Whose birthday it is (某日出生的人): found by an index on the birth date, never by walking the people.
//!
//! The dead are left out: their age matters no more. Deliberately absent: which birthdays matter; the rule book says that.

use crate::reading::Reading;
use crate::tables::person;
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::inside;
use uuid::Uuid;
use vocab::ids::PersonId;

/// The living people of the scope born on one of these days (按出生日期找人), by identifier, after one of them.
///
/// # Errors
/// Faults of the database.
pub async fn born_on(
    source: &impl Reading,
    scope: &Scope,
    days: &[NaiveDate],
    after: Option<PersonId>,
    limit: u64,
) -> anyhow::Result<Vec<(PersonId, NaiveDate)>> {
    let mut query = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .column(person::Column::BirthDate)
        .filter(person::Column::BirthDate.is_in(days.iter().copied()))
        .filter(person::Column::DiedOn.is_null())
        .filter(person::Column::MergedInto.is_null())
        .filter(inside(person::Column::LivesIn, scope.region));
    if let Some(after) = after {
        query = query.filter(person::Column::Id.gt(after.0));
    }
    let rows: Vec<(Uuid, Option<NaiveDate>)> = query
        .order_by_asc(person::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(source.connection())
        .await
        .context("looking for people by birth date")?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, born)| Some((PersonId(id), born?)))
        .collect())
}
