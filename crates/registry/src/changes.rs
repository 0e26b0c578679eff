//! What changed since (变动): the households of which something new is known, or for which a day began that matters.
//!
//! Guarantees: a household whose fact sheet differs between two moments and days is among those named; some are named
//! that do not differ. Deliberately absent: what changed. Whoever asks reads the sheets again.

use crate::reading::Reading;
use crate::tables::duplicates::merge;
use crate::tables::{fact, household, membership, person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use store::inside;
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};

/// Between which moments and days (起止).
#[derive(Debug, Clone)]
pub struct Between {
    /// Everything learned from this moment on.
    pub learned: DateTime<Utc>,
    /// Days after this one …
    pub after: NaiveDate,
    /// … up to this one.
    pub until: NaiveDate,
    /// Facts of which earlier months count too, if the month has turned.
    pub looked_back: Vec<String>,
}

/// The households of a scope touched (有变动的家庭): learned of, or with a fact or membership that begins or ends in those days.
///
/// # Errors
/// Faults of the database.
pub async fn households_touched(
    source: &impl Reading,
    scope: &Scope,
    between: &Between,
) -> anyhow::Result<BTreeSet<HouseholdId>> {
    let conn = source.connection();
    let in_days = |first: fact::Column| first.gt(between.after).and(first.lte(between.until));
    let mut touched = BTreeSet::new();
    let mut people: BTreeSet<Uuid> = BTreeSet::new();
    let mut facts = Condition::any()
        .add(fact::Column::KnownSince.gte(between.learned))
        .add(in_days(fact::Column::ValidFrom))
        .add(in_days(fact::Column::ValidUntil));
    if !between.looked_back.is_empty() {
        facts = facts.add(fact::Column::Fact.is_in(between.looked_back.iter().map(String::as_str)));
    }
    let subjects: Vec<(String, Uuid)> = fact::Entity::find()
        .select_only()
        .column(fact::Column::SubjectKind)
        .column(fact::Column::SubjectId)
        .distinct()
        .filter(facts)
        .into_tuple()
        .all(conn)
        .await
        .context("finding new facts")?;
    for (kind, id) in subjects {
        match kind.as_str() {
            "household" => {
                touched.insert(HouseholdId(id));
            }
            _ => {
                people.insert(id);
            }
        }
    }
    let in_days =
        |column: membership::Column| column.gt(between.after).and(column.lte(between.until));
    let moved: Vec<Uuid> = membership::Entity::find()
        .select_only()
        .column(membership::Column::HouseholdId)
        .filter(
            Condition::any()
                .add(membership::Column::KnownSince.gte(between.learned))
                .add(membership::Column::UntilKnownSince.gte(between.learned))
                .add(in_days(membership::Column::Since))
                .add(in_days(membership::Column::Until)),
        )
        .into_tuple()
        .all(conn)
        .await
        .context("finding who came and went")?;
    touched.extend(moved.into_iter().map(HouseholdId));
    let in_days =
        |column: household::Column| column.gt(between.after).and(column.lte(between.until));
    let formed: Vec<Uuid> = household::Entity::find()
        .select_only()
        .column(household::Column::Id)
        .filter(
            Condition::any()
                .add(household::Column::RecordedAt.gte(between.learned))
                .add(in_days(household::Column::FormedOn))
                .add(in_days(household::Column::DissolvedOn)),
        )
        .into_tuple()
        .all(conn)
        .await
        .context("finding new households")?;
    touched.extend(formed.into_iter().map(HouseholdId));
    let registered: Vec<Uuid> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::Column::RegisteredAt.gte(between.learned))
        .into_tuple()
        .all(conn)
        .await
        .context("finding new people")?;
    people.extend(registered);
    let merged: Vec<(Uuid, Uuid)> = merge::Entity::find()
        .select_only()
        .column(merge::Column::SurvivorId)
        .column(merge::Column::MergedId)
        .filter(
            Condition::any()
                .add(merge::Column::DoneAt.gte(between.learned))
                .add(merge::Column::EndedAt.gte(between.learned)),
        )
        .into_tuple()
        .all(conn)
        .await
        .context("finding who was merged")?;
    people.extend(merged.into_iter().flat_map(|(one, other)| [one, other]));
    // What is known of one record is known of the person, and so of every household any of the records was in.
    let same = crate::merging::same(source, people.iter().copied(), None).await?;
    let people: Vec<PersonId> = same.every(people).into_iter().map(PersonId).collect();
    touched.extend(households_of_all(source, scope, &people).await?);
    within(source, scope, touched).await
}

/// Those of some households that lie in a scope.
async fn within(
    source: &impl Reading,
    scope: &Scope,
    households: BTreeSet<HouseholdId>,
) -> anyhow::Result<BTreeSet<HouseholdId>> {
    let ids: Vec<Uuid> = households.into_iter().map(|id| id.0).collect();
    let mut found = BTreeSet::new();
    for some in ids.chunks(900) {
        let there: Vec<Uuid> = household::Entity::find()
            .select_only()
            .column(household::Column::Id)
            .filter(household::Column::Id.is_in(some.iter().copied()))
            .filter(inside(household::Column::Region, scope.region))
            .into_tuple()
            .all(source.connection())
            .await
            .context("finding the households of a place")?;
        found.extend(there.into_iter().map(HouseholdId));
    }
    Ok(found)
}

/// The households of a scope that people ever belonged to (这些人所在和曾在的家庭).
///
/// # Errors
/// Faults of the database.
pub async fn households_of_all(
    source: &impl Reading,
    scope: &Scope,
    people: &[PersonId],
) -> anyhow::Result<BTreeSet<HouseholdId>> {
    let mut found = BTreeSet::new();
    for some in people.chunks(900) {
        let of: Vec<Uuid> = membership::Entity::find()
            .select_only()
            .column(membership::Column::HouseholdId)
            .filter(membership::Column::PersonId.is_in(some.iter().map(|id| id.0)))
            .into_tuple()
            .all(source.connection())
            .await
            .context("finding the households of people")?;
        found.extend(of.into_iter().map(HouseholdId));
    }
    within(source, scope, found).await
}

/// Who belongs or ever belonged to some households of a scope (这些家庭现在和曾经的成员).
///
/// # Errors
/// Faults of the database.
pub async fn people_of_all(
    source: &impl Reading,
    scope: &Scope,
    households: &[HouseholdId],
) -> anyhow::Result<BTreeSet<PersonId>> {
    let there = within(source, scope, households.iter().copied().collect()).await?;
    let there: Vec<HouseholdId> = there.into_iter().collect();
    let mut found = BTreeSet::new();
    for some in there.chunks(900) {
        let of: Vec<Uuid> = membership::Entity::find()
            .select_only()
            .column(membership::Column::PersonId)
            .filter(membership::Column::HouseholdId.is_in(some.iter().map(|id| id.0)))
            .into_tuple()
            .all(source.connection())
            .await
            .context("finding the people of households")?;
        found.extend(of.into_iter().map(PersonId));
    }
    Ok(found)
}
