//! Undoing a merge (撤销合并): both records as they were, and what came since where the officer says.
//!
//! Facts are rows that never change, so what was recorded of the surviving record since the merge either stays with it or is said
//! anew of the other and withdrawn from the first. An account entered since stays with the record it was entered for.

use super::carry_out::{Before, Said, end, note, save};
use super::prepare::{both, records};
use super::{Refused, Side, drop_names, put_names, same};
use crate::duplicates::{PairState, is_reason, settle_pair};
use crate::facts::settled;
use crate::tables::duplicates::merge;
use crate::tables::{fact, membership, person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use std::collections::BTreeSet;
use store::Tx;
use store::inside;
use uuid::Uuid;

/// Undoes a merge (撤销合并), with a reason; `since` says whose is what came since.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn undo(
    tx: &mut Tx,
    scope: &Scope,
    id: Uuid,
    why: &str,
    since: Side,
) -> anyhow::Result<Result<(), Refused>> {
    if !is_reason(why) {
        return Ok(Err(Refused::ReasonMissing));
    }
    let found = merge::Entity::find_by_id(id)
        .filter(inside(merge::Column::SurvivorRegion, scope.region))
        .filter(inside(merge::Column::MergedRegion, scope.region))
        .filter(merge::Column::DoneAt.is_not_null())
        .filter(merge::Column::EndedAt.is_null())
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a merge to be undone")?;
    let Some(row) = found else {
        return Ok(Err(Refused::NotOpen));
    };
    let Some(both) = both(tx, scope, row.survivor_id, row.merged_id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if both.survivor.merged_into.is_some() {
        return Ok(Err(Refused::MergedOnward));
    }
    let (Some(before), Some(done_at)) = (row.before.clone(), row.done_at) else {
        return Ok(Err(Refused::NotOpen));
    };
    let before: Before =
        serde_json::from_value(before).context("what a merge changed is damaged")?;
    drop_names(tx, &both.survivor, &both.survivors).await?;
    end(tx, scope, row.id, why).await?;
    let (mine, theirs) = apart(&before, since, &both.survivor, &both.merged);
    save(tx, &mine).await?;
    save(tx, &theirs).await?;
    for holder in [&mine, &theirs] {
        let of = same(tx, [holder.id], None).await?.all(holder.id);
        put_names(tx, holder, &records(tx, &of).await?).await?;
    }
    move_back(tx, &before).await?;
    if since == Side::Merged {
        facts_since(tx, scope, (mine.id, theirs.id), done_at).await?;
    }
    settle_pair(tx, scope, (&mine, &theirs), PairState::Different, why).await?;
    note(tx, scope, &row, "person.unmerge")?;
    Ok(Ok(()))
}

/// The two records from now on. A value the merge set goes back; one that was changed since stays, or goes to the other.
fn apart(
    before: &Before,
    since: Side,
    survivor: &person::Model,
    merged: &person::Model,
) -> (person::Model, person::Model) {
    let now = Said::of(survivor);
    let mut mine = now.clone();
    let mut theirs = Said::of(merged);
    if now.name == before.says.name {
        mine.name.clone_from(&before.said.name);
    } else if since == Side::Merged {
        (mine.name, theirs.name) = (before.said.name.clone(), now.name);
    }
    if now.phone == before.says.phone {
        mine.phone.clone_from(&before.said.phone);
    } else if since == Side::Merged {
        (mine.phone, theirs.phone) = (before.said.phone.clone(), now.phone);
    }
    if now.home == before.says.home {
        mine.home.clone_from(&before.said.home);
    } else if since == Side::Merged {
        (mine.home, theirs.home) = (before.said.home.clone(), now.home);
    }
    let theirs = person::Model {
        merged_into: None,
        ..theirs.onto(merged)
    };
    (mine.onto(survivor), theirs)
}

/// The membership that began by the merge holds for no day; those that ended by it go on, up to where the person left since.
async fn move_back(tx: &Tx, before: &Before) -> anyhow::Result<()> {
    let opened = match before.opened {
        Some(id) => membership::Entity::find_by_id(id)
            .one(tx.conn())
            .await
            .context("reading the membership that began by a merge")?,
        None => None,
    };
    let mut left = (None, None, None);
    if let Some(opened) = opened {
        if opened.until.is_some() {
            left = (opened.until, opened.until_known_since, opened.why.clone());
        }
        let gone = membership::ActiveModel {
            until: Set(Some(opened.since)),
            until_known_since: Set(Some(tx.now())),
            ..Default::default()
        };
        update(tx, gone, &[opened.id]).await?;
    }
    let (until, until_known_since, why) = left;
    let again = membership::ActiveModel {
        until: Set(until),
        until_known_since: Set(until_known_since),
        why: Set(why),
        ..Default::default()
    };
    update(tx, again, &before.ended).await
}

async fn update(tx: &Tx, to: membership::ActiveModel, ids: &[Uuid]) -> anyhow::Result<()> {
    membership::Entity::update_many()
        .set(to)
        .filter(membership::Column::Id.is_in(ids.iter().copied()))
        .exec(tx.conn())
        .await
        .context("putting memberships back")?;
    Ok(())
}

/// Facts recorded of the surviving record since the merge are said of the other, and taken back from the first, whose own
/// earlier words hold again.
async fn facts_since(
    tx: &Tx,
    scope: &Scope,
    (mine, theirs): (Uuid, Uuid),
    done_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let rows = fact::Entity::find()
        .filter(fact::Column::SubjectId.eq(mine))
        .order_by_asc(fact::Column::KnownSince)
        .order_by_asc(fact::Column::Id)
        .all(tx.conn())
        .await
        .context("reading the facts since a merge")?;
    let (since, earlier): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.known_since > done_at);
    let by = scope.actor.officer.0;
    let fresh = |subject: Uuid, row: &fact::Model| fact::Model {
        id: tx.new_id(),
        subject_id: subject,
        known_since: tx.now(),
        recorded_by: by,
        ..row.clone()
    };
    let mut new = Vec::new();
    for row in &since {
        new.push(fresh(theirs, row));
        new.push(fact::Model {
            value: serde_json::Value::Null,
            evidence: None,
            ..fresh(mine, row)
        });
    }
    let touched: BTreeSet<(&str, &str)> = since
        .iter()
        .map(|row| (row.fact.as_str(), row.source.as_str()))
        .collect();
    let own: Vec<fact::Model> = earlier
        .iter()
        .filter(|row| touched.contains(&(row.fact.as_str(), row.source.as_str())))
        .cloned()
        .collect();
    for (fact, values) in settled(&own, None)? {
        for value in values {
            let row = crate::facts::row_of(
                tx.new_id(),
                scope,
                crate::Subject::Person(mine.into()),
                &fact,
                &value,
                tx.now(),
            )?;
            new.push(row);
        }
    }
    for row in new {
        fact::Entity::insert(row.into_active_model())
            .exec_without_returning(tx.conn())
            .await
            .context("moving a fact to the other record")?;
    }
    Ok(())
}
