//! Merges as they stand (合并记录): of a person, or one by itself.

use super::{Choices, same};
use crate::reading::Reading;
use crate::tables::duplicates::merge::{Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use store::inside;
use uuid::Uuid;
use vocab::ids::{OfficerId, PersonId};

/// A merge (一次合并).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRow {
    /// The identifier.
    pub id: Uuid,
    /// The record that stays.
    pub survivor: PersonId,
    /// The record that leads to it.
    pub merged: PersonId,
    /// What the surviving record says where the two differ.
    pub choices: Choices,
    /// Why it is one person.
    pub reason: String,
    /// Whether whoever prepared it cannot decide it.
    pub two_people: bool,
    /// Who prepared it, and when.
    pub prepared: (OfficerId, DateTime<Utc>),
    /// Who decided it, and when.
    pub done: Option<(OfficerId, DateTime<Utc>)>,
    /// Who turned it down or undid it, when and why.
    pub ended: Option<(OfficerId, DateTime<Utc>, String)>,
}

impl MergeRow {
    /// Whether it waits for its decision (待复核).
    pub fn is_waiting(&self) -> bool {
        self.done.is_none() && self.ended.is_none()
    }

    /// Whether it holds now (有效).
    pub fn is_in_force(&self) -> bool {
        self.done.is_some() && self.ended.is_none()
    }

    fn of(row: Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            survivor: PersonId(row.survivor_id),
            merged: PersonId(row.merged_id),
            choices: serde_json::from_value(row.choices)
                .context("the stored choices of a merge are damaged")?,
            reason: row.reason,
            two_people: row.two_people,
            prepared: (OfficerId(row.prepared_by), row.prepared_at),
            done: row.done_by.map(OfficerId).zip(row.done_at),
            ended: row
                .ended_by
                .map(OfficerId)
                .zip(row.ended_at)
                .map(|(by, at)| (by, at, row.ended_why.unwrap_or_default())),
        })
    }
}

/// One merge (一次合并), if the scope holds both records' places.
///
/// # Errors
/// Faults of the database.
pub async fn merge(
    source: &impl Reading,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<MergeRow>> {
    Entity::find_by_id(id)
        .filter(inside(Column::SurvivorRegion, scope.region))
        .filter(inside(Column::MergedRegion, scope.region))
        .one(source.connection())
        .await
        .context("reading a merge")?
        .map(MergeRow::of)
        .transpose()
}

/// The merges of a person (某人的合并记录), whichever of his records is asked about, the latest first.
///
/// # Errors
/// Faults of the database.
pub async fn merges_of(
    source: &impl Reading,
    scope: &Scope,
    id: PersonId,
) -> anyhow::Result<Vec<MergeRow>> {
    let ids = same(source, [id.0], None).await?.all(id.0);
    listed(
        source,
        scope,
        Condition::any()
            .add(Column::SurvivorId.is_in(ids.iter().copied()))
            .add(Column::MergedId.is_in(ids.iter().copied())),
    )
    .await
}

/// The merges between two records (两条记录之间的合并), either way, the latest first.
///
/// # Errors
/// Faults of the database.
pub async fn merge_between(
    source: &impl Reading,
    scope: &Scope,
    one: PersonId,
    other: PersonId,
) -> anyhow::Result<Vec<MergeRow>> {
    let ids = [one.0, other.0];
    listed(
        source,
        scope,
        Condition::all()
            .add(Column::SurvivorId.is_in(ids))
            .add(Column::MergedId.is_in(ids)),
    )
    .await
}

async fn listed(
    source: &impl Reading,
    scope: &Scope,
    which: Condition,
) -> anyhow::Result<Vec<MergeRow>> {
    Entity::find()
        .filter(which)
        .filter(inside(Column::SurvivorRegion, scope.region))
        .filter(inside(Column::MergedRegion, scope.region))
        .order_by_desc(Column::PreparedAt)
        .order_by_desc(Column::Id)
        .all(source.connection())
        .await
        .context("reading merges")?
        .into_iter()
        .map(MergeRow::of)
        .collect()
}
