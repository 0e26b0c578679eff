//! Deciding a merge (复核合并): from this moment on one identifier means the other.
//!
//! What is changed of the surviving record, and which memberships end and begin, is written down beside the merge, so that it can be
//! taken back to the letter.

use super::prepare::{Both, both, judged_different};
use super::{Choices, Refused, Side, drop_names, put_names};
use crate::duplicates::{PairState, is_reason, settle_pair};
use crate::tables::duplicates::merge;
use crate::tables::{membership, person};
use access::{Scope, another_officer};
use anyhow::Context;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;

/// What a record says that a merge may change (可取舍的内容).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) name: String,
    pub(super) phone: (Option<Vec<u8>>, Option<String>),
    pub(super) home: (String, String),
}

impl Said {
    pub(super) fn of(row: &person::Model) -> Self {
        Self {
            name: row.name.clone(),
            phone: (row.phone_sealed.clone(), row.phone_blind.clone()),
            home: (row.lives_in.clone(), row.address.clone()),
        }
    }

    pub(super) fn onto(self, row: &person::Model) -> person::Model {
        person::Model {
            name: self.name,
            phone_sealed: self.phone.0,
            phone_blind: self.phone.1,
            lives_in: self.home.0,
            address: self.home.1,
            version: row.version + 1,
            ..row.clone()
        }
    }
}

/// What a merge changed (合并改动).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    /// What the surviving record said before, and says since.
    pub(super) said: Said,
    pub(super) says: Said,
    /// Memberships that ended by the merge.
    pub(super) ended: Vec<Uuid>,
    /// The membership that began by it.
    pub(super) opened: Option<Uuid>,
}

/// Decides a merge that was prepared (复核合并), and carries it out.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn decide(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    in_payment: bool,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(row) = waiting(tx, scope, id).await? else {
        return Ok(Err(Refused::NotOpen));
    };
    let Some(both) = both(tx, scope, row.survivor_id, row.merged_id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    // Things may have changed since it was prepared.
    if (row.two_people || in_payment || both.has_two_numbers())
        && let Err(same) = another_officer(row.prepared_by.into(), &scope.actor)
    {
        return Ok(Err(same.into()));
    }
    if let Err(refused) = both.checked() {
        return Ok(Err(refused));
    }
    if judged_different(tx, &both).await? {
        return Ok(Err(Refused::JudgedDifferent));
    }
    let choices: Choices = serde_json::from_value(row.choices.clone())
        .context("the stored choices of a merge are damaged")?;
    let says = chosen(choices, &both);
    let (ended, opened) = move_house(tx, &both).await?;
    let survivor = says.clone().onto(&both.survivor);
    let merged = person::Model {
        merged_into: Some(both.survivor.id),
        version: both.merged.version + 1,
        ..both.merged.clone()
    };
    drop_names(tx, &both.survivor, &both.survivors).await?;
    drop_names(tx, &both.merged, &both.mergeds).await?;
    let mut all = vec![survivor.clone()];
    all.extend(both.survivors.iter().skip(1).cloned());
    all.extend(both.mergeds.iter().cloned());
    put_names(tx, &survivor, &all).await?;
    save(tx, &survivor).await?;
    save(tx, &merged).await?;
    let before = Before {
        said: Said::of(&both.survivor),
        says,
        ended,
        opened,
    };
    let done = merge::ActiveModel {
        id: Unchanged(row.id),
        done_at: Set(Some(tx.now())),
        done_by: Set(Some(scope.actor.officer.0)),
        before: Set(Some(serde_json::to_value(&before)?)),
        ..Default::default()
    };
    done.update(tx.conn()).await.context("deciding a merge")?;
    let records = (&both.survivor, &both.merged);
    settle_pair(tx, scope, records, PairState::Merged, &row.reason).await?;
    note(tx, scope, &row, "person.merge")?;
    Ok(Ok(()))
}

/// Turns a merge that was prepared down (退回合并), with a reason; the pair waits again.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn reject(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    why: &str,
) -> anyhow::Result<Result<(), Refused>> {
    if !is_reason(why) {
        return Ok(Err(Refused::ReasonMissing));
    }
    let Some(row) = waiting(tx, scope, id).await? else {
        return Ok(Err(Refused::NotOpen));
    };
    let Some(both) = both(tx, scope, row.survivor_id, row.merged_id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    end(tx, scope, row.id, why).await?;
    let records = (&both.survivor, &both.merged);
    settle_pair(tx, scope, records, PairState::Open, why).await?;
    note(tx, scope, &row, "person.merge_reject")?;
    Ok(Ok(()))
}

async fn waiting(tx: &Tx, scope: &Scope, id: Uuid) -> anyhow::Result<Option<merge::Model>> {
    merge::Entity::find_by_id(id)
        .filter(inside(merge::Column::SurvivorRegion, scope.region))
        .filter(inside(merge::Column::MergedRegion, scope.region))
        .filter(merge::Column::DoneAt.is_null())
        .filter(merge::Column::EndedAt.is_null())
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a merge that waits")
}

pub(super) async fn end(tx: &Tx, scope: &Scope, id: Uuid, why: &str) -> anyhow::Result<()> {
    let ended = merge::ActiveModel {
        id: Unchanged(id),
        ended_at: Set(Some(tx.now())),
        ended_by: Set(Some(scope.actor.officer.0)),
        ended_why: Set(Some(why.trim().to_owned())),
        ..Default::default()
    };
    ended.update(tx.conn()).await.context("ending a merge")?;
    Ok(())
}

pub(super) fn note(
    tx: &mut Tx,
    scope: &Scope,
    row: &merge::Model,
    act: &str,
) -> anyhow::Result<()> {
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: row.survivor_id.to_string(),
        region: Some(crate::stored::region(&row.survivor_region)?),
        detail: json!({ "merge": row.id, "merged": row.merged_id }),
    });
    Ok(())
}

pub(super) async fn save(tx: &Tx, row: &person::Model) -> anyhow::Result<()> {
    crate::duplicates::moved_home(tx, row.id, &row.lives_in).await?;
    let changed = person::ActiveModel {
        id: Unchanged(row.id),
        name: Set(row.name.clone()),
        phone_sealed: Set(row.phone_sealed.clone()),
        phone_blind: Set(row.phone_blind.clone()),
        lives_in: Set(row.lives_in.clone()),
        address: Set(row.address.clone()),
        merged_into: Set(row.merged_into),
        version: Set(row.version),
        ..Default::default()
    };
    changed
        .update(tx.conn())
        .await
        .context("saving a record of a merge")?;
    Ok(())
}

/// What the surviving record says from now on.
fn chosen(choices: Choices, both: &Both) -> Said {
    let (mine, theirs) = (Said::of(&both.survivor), Said::of(&both.merged));
    Said {
        name: if choices.name == Side::Merged {
            theirs.name
        } else {
            mine.name
        },
        phone: if choices.phone == Side::Merged {
            theirs.phone
        } else {
            mine.phone
        },
        home: if choices.home == Side::Merged {
            theirs.home
        } else {
            mine.home
        },
    }
}

/// One person lives once: the other record's membership ends, and where it was the only one, or the head's, the surviving
/// record takes its place from today on.
async fn move_house(tx: &Tx, both: &Both) -> anyhow::Result<(Vec<Uuid>, Option<Uuid>)> {
    let (mine, theirs) = &both.homes;
    let Some(theirs) = theirs else {
        return Ok((Vec::new(), None));
    };
    let is_head = crate::stored::kinship(&theirs.kinship)?.is_head();
    let mut ended = vec![theirs.id];
    match mine {
        Some(mine) if is_head => ended.push(mine.id),
        Some(_) => {
            leave(tx, &ended).await?;
            return Ok((ended, None));
        }
        None => {}
    }
    leave(tx, &ended).await?;
    let opened = membership::Model {
        id: tx.new_id(),
        person_id: both.survivor.id,
        since: tx.today(),
        until: None,
        known_since: tx.now(),
        until_known_since: None,
        why: Some(BY_MERGE.to_owned()),
        ..theirs.clone()
    };
    let id = opened.id;
    membership::Entity::insert(opened.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("taking a place in a household over")?;
    Ok((ended, Some(id)))
}

/// Why a membership ended or began.
const BY_MERGE: &str = "合并重复登记";

async fn leave(tx: &Tx, ids: &[Uuid]) -> anyhow::Result<()> {
    membership::Entity::update_many()
        .set(membership::ActiveModel {
            until: Set(Some(tx.today())),
            until_known_since: Set(Some(tx.now())),
            why: Set(Some(BY_MERGE.to_owned())),
            ..Default::default()
        })
        .filter(membership::Column::Id.is_in(ids.iter().copied()))
        .exec(tx.conn())
        .await
        .context("ending the memberships of a merged record")?;
    Ok(())
}
