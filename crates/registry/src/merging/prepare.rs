//! Preparing a merge (拟定合并): which record stays, what it says where the two differ, and why.

use super::{Choices, Refused, same};
use crate::duplicates::{PairState, is_reason, settle_pair};
use crate::tables::duplicates::{match_pair, merge};
use crate::tables::{membership, person};
use access::Scope;
use anyhow::Context;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
};
use serde_json::json;
use std::collections::BTreeSet;
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::PersonId;

/// A merge to be prepared (拟定的合并).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMerge {
    /// The record that stays.
    pub survivor: PersonId,
    /// The record that leads to it.
    pub merged: PersonId,
    /// What the surviving record says where the two differ.
    pub choices: Choices,
    /// Why it is one person.
    pub reason: String,
    /// Whether either is in payment, which only the page above knows; then another officer decides.
    pub in_payment: bool,
}

/// The two records of a merge, and those merged into them before.
pub(super) struct Both {
    pub(super) survivor: person::Model,
    pub(super) merged: person::Model,
    /// Records of the survivor, itself first.
    pub(super) survivors: Vec<person::Model>,
    /// Records of the other, itself first.
    pub(super) mergeds: Vec<person::Model>,
    /// Open memberships.
    pub(super) homes: (Option<membership::Model>, Option<membership::Model>),
}

impl Both {
    /// Whether a second officer must decide whatever is paid: two valid numbers are two people until somebody else has looked.
    pub(super) fn has_two_numbers(&self) -> bool {
        let numbers = |rows: &[person::Model]| -> BTreeSet<String> {
            let is_resident =
                |row: &&person::Model| crate::duplicates::is_resident(&row.document_kind);
            let residents = rows.iter().filter(is_resident);
            residents
                .filter_map(|row| row.document_blind.clone())
                .collect()
        };
        let (one, other) = (numbers(&self.survivors), numbers(&self.mergeds));
        !one.is_empty() && !other.is_empty()
    }

    /// What stands against the merge, without a database.
    pub(super) fn checked(&self) -> Result<(), Refused> {
        if self.survivor.merged_into.is_some() || self.merged.merged_into.is_some() {
            return Err(Refused::AlreadyMerged);
        }
        if self.survivor.died_on != self.merged.died_on {
            return Err(Refused::DeathDiffers);
        }
        if let (Some(one), Some(other)) = &self.homes
            && one.household_id != other.household_id
        {
            return Err(Refused::TwoHouseholds);
        }
        if self.survivors.len() + self.mergeds.len() > 2 && self.has_two_numbers() {
            return Err(Refused::NumbersInGroup);
        }
        Ok(())
    }
}

/// Prepares a merge (拟定合并). It changes nothing until it is decided.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn prepare(
    tx: &mut Tx,
    scope: &Scope,
    new: NewMerge,
) -> anyhow::Result<Result<Uuid, Refused>> {
    if new.survivor == new.merged {
        return Ok(Err(Refused::Itself));
    }
    if !is_reason(&new.reason) {
        return Ok(Err(Refused::ReasonMissing));
    }
    let Some(both) = both(tx, scope, new.survivor.0, new.merged.0).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if let Err(refused) = both.checked() {
        return Ok(Err(refused));
    }
    if waits(tx, &[new.survivor.0, new.merged.0]).await? {
        return Ok(Err(Refused::Waiting));
    }
    if judged_different(tx, &both).await? {
        return Ok(Err(Refused::JudgedDifferent));
    }
    let two_people = new.in_payment || both.has_two_numbers();
    let row = merge::Model {
        id: tx.new_id(),
        survivor_id: new.survivor.0,
        merged_id: new.merged.0,
        survivor_region: both.survivor.lives_in.clone(),
        merged_region: both.merged.lives_in.clone(),
        choices: serde_json::to_value(new.choices)?,
        reason: new.reason.trim().to_owned(),
        two_people,
        prepared_at: tx.now(),
        prepared_by: scope.actor.officer.0,
        done_at: None,
        done_by: None,
        before: None,
        ended_at: None,
        ended_by: None,
        ended_why: None,
    };
    let id = row.id;
    merge::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("preparing a merge")?;
    let records = (&both.survivor, &both.merged);
    settle_pair(tx, scope, records, PairState::Prepared, &new.reason).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "person.merge_prepare".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: new.survivor.to_string(),
        region: Some(crate::stored::region(&both.survivor.lives_in)?),
        detail: json!({ "merge": id, "merged": new.merged, "two_people": two_people }),
    });
    Ok(Ok(id))
}

/// Both records, held for change, if the scope holds both.
pub(super) async fn both(
    tx: &Tx,
    scope: &Scope,
    survivor: Uuid,
    merged: Uuid,
) -> anyhow::Result<Option<Both>> {
    let mut rows = person::Entity::find()
        .filter(person::Column::Id.is_in([survivor, merged]))
        .filter(inside(person::Column::LivesIn, scope.region))
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("reading the records of a merge")?;
    rows.sort_by_key(|row| row.id != survivor);
    let Ok([survivor, merged]) = <[person::Model; 2]>::try_from(rows) else {
        return Ok(None);
    };
    let known = same(tx, [survivor.id, merged.id], None).await?;
    Ok(Some(Both {
        survivors: records(tx, &known.all(survivor.id)).await?,
        mergeds: records(tx, &known.all(merged.id)).await?,
        homes: (
            open_membership(tx, survivor.id).await?,
            open_membership(tx, merged.id).await?,
        ),
        survivor,
        merged,
    }))
}

/// Records by identifier, in the given order.
pub(super) async fn records(tx: &Tx, ids: &[Uuid]) -> anyhow::Result<Vec<person::Model>> {
    let mut rows = person::Entity::find()
        .filter(person::Column::Id.is_in(ids.iter().copied()))
        .all(tx.conn())
        .await
        .context("reading the records of a person")?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

async fn open_membership(tx: &Tx, person: Uuid) -> anyhow::Result<Option<membership::Model>> {
    membership::Entity::find()
        .filter(membership::Column::PersonId.eq(person))
        .filter(membership::Column::Until.is_null())
        .one(tx.conn())
        .await
        .context("reading where a record lives")
}

/// Whether another merge of one of them waits for its decision.
async fn waits(tx: &Tx, ids: &[Uuid]) -> anyhow::Result<bool> {
    let any = Condition::any()
        .add(merge::Column::SurvivorId.is_in(ids.iter().copied()))
        .add(merge::Column::MergedId.is_in(ids.iter().copied()));
    let waiting = merge::Entity::find()
        .filter(any)
        .filter(merge::Column::DoneAt.is_null())
        .filter(merge::Column::EndedAt.is_null())
        .count(tx.conn())
        .await
        .context("looking for merges that wait")?;
    Ok(waiting > 0)
}

/// Whether somebody judged a record of the one and a record of the other to be two people. The very two may be merged all the
/// same: whoever prepares that has the judgement before his eyes.
pub(super) async fn judged_different(tx: &Tx, both: &Both) -> anyhow::Result<bool> {
    let ids = |rows: &[person::Model]| -> Vec<Uuid> { rows.iter().map(|row| row.id).collect() };
    let (one, other) = (ids(&both.survivors), ids(&both.mergeds));
    let across = |a: &[Uuid], b: &[Uuid]| {
        Condition::all()
            .add(match_pair::Column::A.is_in(a.iter().copied()))
            .add(match_pair::Column::B.is_in(b.iter().copied()))
    };
    let judged = match_pair::Entity::find()
        .filter(
            Condition::any()
                .add(across(&one, &other))
                .add(across(&other, &one)),
        )
        .filter(match_pair::Column::State.eq(PairState::Different.word()))
        .all(tx.conn())
        .await
        .context("looking for judgements against a merge")?;
    let own = [both.survivor.id, both.merged.id];
    Ok(judged
        .iter()
        .any(|pair| !(own.contains(&pair.a) && own.contains(&pair.b))))
}
