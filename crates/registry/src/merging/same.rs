//! Who is whom (同一人的全部编号), now or as it was known at a moment.
//!
//! Says nothing but identifiers, so it takes no scope; whoever reads with them narrows as always.

use crate::reading::Reading;
use crate::tables::duplicates::merge;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use vocab::ids::PersonId;

/// Which identifiers mean one person (同一人).
#[derive(Debug, Default)]
pub(crate) struct Same {
    into: BTreeMap<Uuid, Uuid>,
}

impl Same {
    /// Whom an identifier means.
    pub(crate) fn survivor(&self, id: Uuid) -> Uuid {
        let mut at = id;
        // A merge into oneself by a long way round is refused when it is prepared; the bound is for a damaged table.
        for _ in 0..=self.into.len() {
            match self.into.get(&at) {
                Some(next) => at = *next,
                None => break,
            }
        }
        at
    }

    /// All identifiers of a person, the survivor's first.
    pub(crate) fn all(&self, id: Uuid) -> Vec<Uuid> {
        let survivor = self.survivor(id);
        let mut all = vec![survivor];
        all.extend(
            self.into
                .keys()
                .filter(|other| self.survivor(**other) == survivor),
        );
        all
    }

    /// All identifiers of all these people.
    pub(crate) fn every(&self, ids: impl IntoIterator<Item = Uuid>) -> BTreeSet<Uuid> {
        let mut every: BTreeSet<Uuid> = ids.into_iter().collect();
        if !self.into.is_empty() {
            let of: Vec<Uuid> = every.iter().flat_map(|id| self.all(*id)).collect();
            every.extend(of);
        }
        every
    }
}

/// The merges around some people, as known at a moment (`None`: now).
pub(crate) async fn same(
    source: &impl Reading,
    ids: impl IntoIterator<Item = Uuid>,
    known_at: Option<DateTime<Utc>>,
) -> anyhow::Result<Same> {
    let stands = match known_at {
        None => Condition::all()
            .add(merge::Column::DoneAt.is_not_null())
            .add(merge::Column::EndedAt.is_null()),
        Some(at) => Condition::all().add(merge::Column::DoneAt.lte(at)).add(
            Condition::any()
                .add(merge::Column::EndedAt.is_null())
                .add(merge::Column::EndedAt.gt(at)),
        ),
    };
    let mut same = Same::default();
    let mut seen: BTreeSet<Uuid> = BTreeSet::new();
    let mut new: Vec<Uuid> = ids.into_iter().collect();
    while !new.is_empty() {
        let mut next = BTreeSet::new();
        for some in new.chunks(450) {
            let around = Condition::any()
                .add(merge::Column::MergedId.is_in(some.iter().copied()))
                .add(merge::Column::SurvivorId.is_in(some.iter().copied()));
            let found: Vec<(Uuid, Uuid)> = merge::Entity::find()
                .select_only()
                .column(merge::Column::MergedId)
                .column(merge::Column::SurvivorId)
                .filter(stands.clone())
                .filter(around)
                .into_tuple()
                .all(source.connection())
                .await
                .context("reading who is whom")?;
            for (merged, survivor) in found {
                same.into.insert(merged, survivor);
                next.extend([merged, survivor]);
            }
        }
        seen.extend(new);
        new = next.difference(&seen).copied().collect();
    }
    Ok(same)
}

/// All identifiers of a person (同一人的全部编号), the surviving record's first: for whoever keeps identifiers of people, such as
/// cases and entitlements, and must not take one person for two.
///
/// # Errors
/// Faults of the database.
pub async fn same_person(source: &impl Reading, id: PersonId) -> anyhow::Result<Vec<PersonId>> {
    let same = same(source, [id.0], None).await?;
    Ok(same.all(id.0).into_iter().map(PersonId).collect())
}

/// Whom each of some identifiers means (各编号现在指谁).
///
/// # Errors
/// Faults of the database.
pub async fn survivors(
    source: &impl Reading,
    ids: &[PersonId],
) -> anyhow::Result<BTreeMap<PersonId, PersonId>> {
    let same = same(source, ids.iter().map(|id| id.0), None).await?;
    Ok(ids
        .iter()
        .map(|id| (*id, PersonId(same.survivor(id.0))))
        .collect())
}

/// The other identifiers of those of some people who have several (其他编号), each identifier of such a person with all others: for
/// whoever pays many people at once.
///
/// # Errors
/// Faults of the database.
pub async fn others(
    source: &impl Reading,
    people: &[PersonId],
) -> anyhow::Result<BTreeMap<PersonId, Vec<PersonId>>> {
    let same = same(source, people.iter().map(|id| id.0), None).await?;
    let known: BTreeSet<Uuid> = same.into.iter().flat_map(|(a, b)| [*a, *b]).collect();
    Ok(known
        .into_iter()
        .map(|id| {
            let others = same.all(id).into_iter().filter(|other| *other != id);
            (PersonId(id), others.map(PersonId).collect())
        })
        .collect())
}
