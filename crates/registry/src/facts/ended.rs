//! Facts that end (到期的事实): values whose last day has passed, found by an index on that day.
//!
//! Deliberately absent: whether a newer value has taken their place; whoever asks decides the household again and sees.

use super::Subject;
use crate::reading::Reading;
use crate::tables::{fact, household, membership};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::inside;
use uuid::Uuid;
use vocab::ids::FactRowId;

/// A value that holds no longer (一条到期的事实).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its row, to go on after.
    pub row: FactRowId,
    /// Whose.
    pub subject: Subject,
    /// Which fact.
    pub fact: String,
    /// The first day it holds no longer.
    pub on: NaiveDate,
}

/// The values of households of the scope and of their members whose first day no longer is this one (某日到期的事实), by
/// row, after one of them.
///
/// # Errors
/// Faults of the database.
pub async fn ended_on(
    source: &impl Reading,
    scope: &Scope,
    day: NaiveDate,
    after: Option<FactRowId>,
    limit: u64,
) -> anyhow::Result<Vec<Ended>> {
    let mut query = fact::Entity::find()
        .select_only()
        .column(fact::Column::Id)
        .column(fact::Column::SubjectKind)
        .column(fact::Column::SubjectId)
        .column(fact::Column::Fact)
        .filter(fact::Column::ValidUntil.eq(day))
        .filter(of_scope(scope));
    if let Some(after) = after {
        query = query.filter(fact::Column::Id.gt(after.0));
    }
    let rows: Vec<(Uuid, String, Uuid, String)> = query
        .order_by_asc(fact::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(source.connection())
        .await
        .context("looking for facts that end")?;
    Ok(rows
        .into_iter()
        .map(|(id, kind, subject, fact)| Ended {
            row: FactRowId(id),
            subject: Subject::stored(&kind, subject),
            fact,
            on: day,
        })
        .collect())
}

/// A fact of a household that lies in the scope, or of somebody who belongs or belonged to one.
fn of_scope(scope: &Scope) -> Condition {
    let subject = Expr::col((fact::Entity, fact::Column::SubjectId));
    let own = Query::select()
        .expr(Expr::val(1))
        .from(household::Entity)
        .and_where(Expr::col((household::Entity, household::Column::Id)).eq(subject.clone()))
        .and_where(inside(household::Column::Region, scope.region))
        .to_owned();
    let of_member = Query::select()
        .expr(Expr::val(1))
        .from(membership::Entity)
        .inner_join(
            household::Entity,
            Expr::col((household::Entity, household::Column::Id)).eq(Expr::col((
                membership::Entity,
                membership::Column::HouseholdId,
            ))),
        )
        .and_where(Expr::col((membership::Entity, membership::Column::PersonId)).eq(subject))
        .and_where(inside(household::Column::Region, scope.region))
        .to_owned();
    Condition::any()
        .add(Expr::exists(own))
        .add(Expr::exists(of_member))
}
