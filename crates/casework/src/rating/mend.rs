//! Mending a bad rating (差评整改): an officer who is not rated takes it up, calls the person back, and writes down what was mended.
//!
//! Guarantees: who is rated does neither; nothing is mended without calling back. Deliberately absent: changing or removing a rating.

use super::{Refused, State, Terms};
use crate::rows::save;
use crate::tables::rating::{self, Column, Entity};
use access::{Role, Scope};
use anyhow::Context;
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use store::{Event, Tx, inside};
use uuid::Uuid;
use vocab::Region;

async fn for_change(
    tx: &Tx,
    scope: &Scope,
    terms: &Terms,
    id: Uuid,
) -> anyhow::Result<Result<rating::Model, Refused>> {
    let row = Entity::find_by_id(id)
        .filter(inside(Column::Region, scope.region))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a rating for change")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    let region: Region = row.region.parse().context("a rating's place")?;
    let may = [terms.mends, Role::DistrictApprover]
        .into_iter()
        .any(|role| scope.actor.has_role(role, region));
    if !may {
        return Ok(Err(Refused::Denied));
    }
    if row.rated_officer == scope.actor.officer.0 {
        return Ok(Err(Refused::Own));
    }
    Ok(Ok(row))
}

/// Takes a bad rating up (认领差评): from here on it is seen whose it is.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn take_up(
    tx: &mut Tx,
    scope: &Scope,
    terms: &Terms,
    id: Uuid,
) -> anyhow::Result<Result<(), Refused>> {
    let mut row = match for_change(tx, scope, terms, id).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    if row.state != State::Open.word() {
        return Ok(Err(Refused::Changed));
    }
    row.state = State::Taken.word().to_owned();
    row.taken_by = Some(scope.actor.officer.0);
    row.taker.clone_from(&scope.actor.name);
    row.taken_on = Some(tx.today());
    note(tx, scope, "casework.rating.take_up", &row);
    save::<Entity>(tx, row).await?;
    Ok(Ok(()))
}

/// Writes down what was mended (登记整改): the person was called back, and may rate once more.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn mend(
    tx: &mut Tx,
    scope: &Scope,
    terms: &Terms,
    id: Uuid,
    (called_back, result): (bool, &str),
) -> anyhow::Result<Result<(), Refused>> {
    let mut row = match for_change(tx, scope, terms, id).await? {
        Ok(row) => row,
        Err(refused) => return Ok(Err(refused)),
    };
    if row.state != State::Taken.word() {
        return Ok(Err(Refused::Changed));
    }
    if !called_back {
        return Ok(Err(Refused::NotCalled));
    }
    let result = result.trim();
    if result.chars().count() < 4 {
        return Ok(Err(Refused::NoResult));
    }
    row.state = State::Mended.word().to_owned();
    row.result = Some(tx.keys().seal(result));
    row.mended_on = Some(tx.today());
    row.mender.clone_from(&scope.actor.name);
    note(tx, scope, "casework.rating.mend", &row);
    save::<Entity>(tx, row).await?;
    Ok(Ok(()))
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, row: &rating::Model) {
    let event = Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.case_id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "rating": row.id, "round": row.round }),
    };
    tx.note(event);
}
