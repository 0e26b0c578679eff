//! Facts that end (到期的事实): values whose last day has passed, found by an index on that day.
//!
//! Deliberately absent: whether a newer value has taken their place; whoever asks decides the household again and sees.

use super::Subject;
use crate::merging::same;
use crate::reading::Reading;
use crate::tables::duplicates::merge;
use crate::tables::{fact, household, membership};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use store::inside;
use uuid::Uuid;
use vocab::ids::{FactRowId, PersonId};

/// A value that holds no longer (一条到期的事实).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its row, to go on after.
    pub row: FactRowId,
    /// Whose; of somebody with several records, the one that survives.
    pub subject: Subject,
    /// Which fact.
    pub fact: String,
    /// The first day it holds no longer.
    pub on: NaiveDate,
}

/// The values of households of the scope and of their members whose first day no longer is this one (某日到期的事实), by
/// row, after one of them; of a member, those of every record of theirs. Nothing comes only after the last one.
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
    let mut after = after;
    loop {
        let rows = some_ended(source, scope, day, after, limit).await?;
        let Some(last) = rows.last() else {
            return Ok(Vec::new());
        };
        after = Some(last.row);
        let kept = without_strangers(source, scope, rows).await?;
        if !kept.is_empty() {
            return Ok(kept);
        }
    }
}

async fn some_ended(
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
        .filter(of_scope(scope).add(of_several_records()));
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

/// Leaves out people of several records none of which belongs or belonged to a household of the scope. Who has one record was
/// looked at where the rows were read.
async fn without_strangers(
    source: &impl Reading,
    scope: &Scope,
    rows: Vec<Ended>,
) -> anyhow::Result<Vec<Ended>> {
    let people = rows.iter().filter_map(|row| match row.subject {
        Subject::Person(person) => Some(person.0),
        Subject::Household(_) => None,
    });
    let same = same(source, people, None).await?;
    let several = |id: Uuid| Some(same.all(id)).filter(|all| all.len() > 1);
    let records: BTreeSet<Uuid> = rows
        .iter()
        .filter_map(|row| match row.subject {
            Subject::Person(person) => several(person.0),
            Subject::Household(_) => None,
        })
        .flatten()
        .collect();
    let mut members: BTreeSet<Uuid> = BTreeSet::new();
    let records: Vec<Uuid> = records.into_iter().collect();
    for some in records.chunks(500) {
        let found: Vec<Uuid> = membership::Entity::find()
            .select_only()
            .column(membership::Column::PersonId)
            .filter(membership::Column::PersonId.is_in(some.iter().copied()))
            .filter(membership::Column::HouseholdId.in_subquery(households(scope)))
            .into_tuple()
            .all(source.connection())
            .await
            .context("looking which records belong to a household")?;
        members.extend(found);
    }
    let stays = |row: &Ended| match row.subject {
        Subject::Household(_) => true,
        Subject::Person(person) => {
            several(person.0).is_none_or(|all| all.iter().any(|one| members.contains(one)))
        }
    };
    let as_one = |row: Ended| match row.subject {
        Subject::Person(person) => Ended {
            subject: Subject::Person(PersonId(same.survivor(person.0))),
            ..row
        },
        Subject::Household(_) => row,
    };
    Ok(rows.into_iter().filter(stays).map(as_one).collect())
}

fn households(scope: &Scope) -> SelectStatement {
    Query::select()
        .column(household::Column::Id)
        .from(household::Entity)
        .and_where(inside(household::Column::Region, scope.region))
        .to_owned()
}

/// A fact of a household that lies in the scope, or of a record that belongs or belonged to one.
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

/// A fact of a record that was merged, or into which one was: it may never have stood in a household itself.
fn of_several_records() -> SimpleExpr {
    let subject = Expr::col((fact::Entity, fact::Column::SubjectId));
    let merged = Query::select()
        .expr(Expr::val(1))
        .from(merge::Entity)
        .cond_where(
            Condition::any()
                .add(Expr::col((merge::Entity, merge::Column::MergedId)).eq(subject.clone()))
                .add(Expr::col((merge::Entity, merge::Column::SurvivorId)).eq(subject)),
        )
        .and_where(merge::Column::DoneAt.is_not_null())
        .and_where(merge::Column::EndedAt.is_null())
        .to_owned();
    Expr::exists(merged)
}
