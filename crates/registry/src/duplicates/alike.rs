//! At registration (登记时提示): who may be registered already, and what the officer said to it.
//!
//! Guarantees: details only of whoever lives in the scope; of others only that there may be a record elsewhere, and that only when it
//! is sure; a look that shows somebody stands in the journal with its count, so that trying out names shows. What the officer said is kept with the
//! new record and not asked again.

use super::blocks::{Clear, blocks_of};
use super::compare::{like, model};
use super::queue::{Found, put_pair};
use super::{Band, PairState, Reason, reasons_of};
use crate::people::{NewPerson, Person, PersonRow, checked, person_row};
use crate::reading::Reading;
use crate::tables::person;
use access::Scope;
use anyhow::Context;
use linkage::Outcome;
use sea_orm::EntityTrait;
use serde_json::json;
use std::collections::BTreeSet;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::PersonId;

/// Candidates shown at most.
const SHOWN: usize = 5;

/// Somebody of the scope who may be the one to be registered (可能已登记的人).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The record, masked.
    pub person: PersonRow,
    /// Its address (住址).
    pub address: String,
    /// How sure it is.
    pub band: Band,
    /// Why, field by field.
    pub reasons: Vec<Reason>,
}

/// Who may be registered already (可能已登记).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alike {
    /// In the scope, the most probable first.
    pub here: Vec<Candidate>,
    /// Whether there is surely a record outside the scope.
    pub elsewhere: bool,
}

/// What an officer says to a candidate (认定).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// 不是同一人，理由.
    Different(String),
    /// 暂不能确定，先登记，留待核对.
    Unsure(String),
}

/// Looks who may be registered already (登记前比对); the look is journalled.
///
/// # Errors
/// Faults of the database.
pub async fn alike(tx: &mut Tx, scope: &Scope, new: &NewPerson) -> anyhow::Result<Alike> {
    // Whoever cannot be registered as typed is not looked for.
    let Ok(new) = checked(new.clone(), scope, tx.today()) else {
        return Ok(Alike::default());
    };
    let new = &new;
    // The row is made for comparing only and not written.
    let id = Uuid::nil();
    let (row, _) = person_row(tx.keys(), id, new, tx.now(), scope.actor.officer.0);
    let scored = scored(tx, &row).await?;
    let in_force = model(tx).await?;
    let mut alike = Alike::default();
    for one in scored {
        let place = crate::stored::region(&one.row.lives_in)?;
        if !scope.holds(place) {
            alike.elsewhere |= one.outcome == Outcome::Same;
            continue;
        }
        if alike.here.len() < SHOWN {
            alike.here.push(Candidate {
                address: one.row.address.clone(),
                person: Person::of(one.row, tx.keys())?.into(),
                band: Band::of(one.millionths),
                reasons: reasons_of(&in_force.model, one.levels),
            });
        }
    }
    if !alike.here.is_empty() || alike.elsewhere {
        tx.note(Event {
            by: scope.actor.officer,
            purpose: scope.purpose.text(),
            act: "person.alike".to_owned(),
            subject_kind: "region".to_owned(),
            subject_id: new.lives_in.to_string(),
            region: Some(new.lives_in),
            detail: json!({ "shown": alike.here.len(), "elsewhere": alike.elsewhere }),
        });
    }
    Ok(alike)
}

async fn scored(
    source: &impl Reading,
    row: &person::Model,
) -> anyhow::Result<Vec<super::compare::Scored>> {
    let clear = Clear::of(row, source.sealing_keys())?;
    let blocks = blocks_of(source.sealing_keys(), &clear)?;
    let in_force = model(source).await?;
    like(
        source,
        &in_force,
        &clear,
        &blocks,
        &BTreeSet::from([row.id]),
    )
    .await
}

/// Keeps what was said to the candidates of somebody just registered (记下认定). Whoever was not asked about, here or elsewhere, waits
/// in the queue for an officer whose scope holds both.
///
/// # Errors
/// Faults of the database.
pub async fn keep_said(
    tx: &mut Tx,
    scope: &Scope,
    id: PersonId,
    said: &[(PersonId, Said)],
) -> anyhow::Result<()> {
    let row = person::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("reading whoever was registered")?
        .context("whoever was registered is not there")?;
    for one in scored(tx, &row).await? {
        let words = said.iter().find(|(who, _)| who.0 == one.row.id);
        let (state, reason) = match words {
            Some((_, Said::Different(why))) => (PairState::Different, why.as_str()),
            Some((_, Said::Unsure(why))) => (PairState::Open, why.as_str()),
            None => (PairState::Open, ""),
        };
        let found = Found::of(&row, &one);
        put_pair(tx, &found, state, reason, scope.actor.officer.0).await?;
    }
    if !said.is_empty() {
        let different = said
            .iter()
            .filter(|(_, said)| matches!(said, Said::Different(_)));
        tx.note(Event {
            by: scope.actor.officer,
            purpose: scope.purpose.text(),
            act: "duplicate.said_at_registration".to_owned(),
            subject_kind: "person".to_owned(),
            subject_id: id.to_string(),
            region: Some(crate::stored::region(&row.lives_in)?),
            detail: json!({ "different": different.count(), "of": said.len() }),
        });
    }
    Ok(())
}
