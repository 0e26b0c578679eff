//! Coming and going (入户、退户、变更户主): memberships begin and end on a day and are never erased.

use super::form::{first_elsewhere, membership_row};
use crate::merging::same;
use crate::people::rows;
use crate::tables::{household, membership};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::inside;
use store::{Event, Tx};
use vocab::Kinship;
use vocab::ids::{HouseholdId, PersonId};

/// Why nobody joined, left or became head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveRefused {
    /// No such household in the scope, or it is dissolved.
    #[error("在您的管辖范围内查不到这一户，或该户已撤销")]
    HouseholdNotFound,
    /// No such person in the scope.
    #[error("在您的管辖范围内查不到此人，请先登记")]
    PersonNotFound,
    /// The person is in a household already.
    #[error("“{0}”目前在另一户中，请先办理退出原户，再加入本户")]
    InAnotherHousehold(String),
    /// The person is not in this household.
    #[error("此人不在这一户中，请刷新页面后重试")]
    NotAMember,
    /// The relation of head is not free.
    #[error("这一户已有户主；如要更换，请办理变更户主")]
    HeadIsTaken,
    /// The head cannot leave while others stay.
    #[error("户主退出前，请先办理变更户主")]
    HeadMustBeReplaced,
    /// The new head or a member's new relation is missing.
    #[error("变更户主时，请为每位成员填写与新户主的关系")]
    RelationsMissing,
    /// A day before the membership began, or after today.
    #[error("日期应在入户日期之后且不晚于今天，请核对")]
    DateImpossible,
}

type Outcome = anyhow::Result<Result<(), MoveRefused>>;

/// Adds a member (入户) from a day on.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn join(
    tx: &mut Tx,
    scope: &Scope,
    id: HouseholdId,
    person: PersonId,
    kinship: Kinship,
    since: NaiveDate,
) -> Outcome {
    let Some(row) = open_household(tx, scope, id).await? else {
        return Ok(Err(MoveRefused::HouseholdNotFound));
    };
    // Whoever was merged since the page was opened joins as the person he is.
    let person = PersonId(same(tx, [person.0], None).await?.survivor(person.0));
    let Some(found) = rows(tx, scope, &[person]).await?.pop() else {
        return Ok(Err(MoveRefused::PersonNotFound));
    };
    if kinship.is_head() {
        return Ok(Err(MoveRefused::HeadIsTaken));
    }
    if since > tx.today() || since < row.formed_on {
        return Ok(Err(MoveRefused::DateImpossible));
    }
    let names = BTreeMap::from([(person, found.name)]);
    if let Some(name) = first_elsewhere(tx, &names, since).await? {
        return Ok(Err(MoveRefused::InAnotherHousehold(name)));
    }
    let order = present(tx, id)
        .await?
        .last()
        .map_or(0, |last| last.place_in_order)
        + 1;
    insert(tx, id, person, kinship, order, since).await?;
    changed(tx, scope, &row, "household.join", person).await
}

/// Ends a membership (退户): `on` is the first day no longer in the household. The last to leave dissolves it.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn leave(
    tx: &mut Tx,
    scope: &Scope,
    id: HouseholdId,
    person: PersonId,
    on: NaiveDate,
    why: &str,
) -> Outcome {
    let Some(row) = open_household(tx, scope, id).await? else {
        return Ok(Err(MoveRefused::HouseholdNotFound));
    };
    let members = present(tx, id).await?;
    let Some(member) = members.iter().find(|m| m.person_id == person.0) else {
        return Ok(Err(MoveRefused::NotAMember));
    };
    if on > tx.today() || on < member.since {
        return Ok(Err(MoveRefused::DateImpossible));
    }
    if crate::stored::kinship(&member.kinship)?.is_head() && members.len() > 1 {
        return Ok(Err(MoveRefused::HeadMustBeReplaced));
    }
    end(tx, member, on, why).await?;
    if members.len() == 1 {
        let dissolved = household::ActiveModel {
            id: Unchanged(id.0),
            dissolved_on: Set(Some(on)),
            ..Default::default()
        };
        dissolved
            .update(tx.conn())
            .await
            .context("dissolving a household")?;
    }
    changed(tx, scope, &row, "household.leave", person).await
}

/// Makes another member the head (变更户主) from a day on, with everyone's relation to the new head.
///
/// `relations` names every member other than the new head. Who is left out would stay with a relation to a head who is
/// none any more, so that is refused.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn change_head(
    tx: &mut Tx,
    scope: &Scope,
    id: HouseholdId,
    head: PersonId,
    relations: &[(PersonId, Kinship)],
    since: NaiveDate,
) -> Outcome {
    let Some(row) = open_household(tx, scope, id).await? else {
        return Ok(Err(MoveRefused::HouseholdNotFound));
    };
    let members = present(tx, id).await?;
    if !members.iter().any(|member| member.person_id == head.0) {
        return Ok(Err(MoveRefused::NotAMember));
    }
    if since > tx.today() || members.iter().any(|member| since < member.since) {
        return Ok(Err(MoveRefused::DateImpossible));
    }
    let relations: BTreeMap<PersonId, Kinship> = relations.iter().copied().collect();
    let mut next = vec![(head, Kinship::head())];
    for member in members.iter().filter(|member| member.person_id != head.0) {
        let id = PersonId(member.person_id);
        match relations.get(&id) {
            Some(kin) if !kin.is_head() => next.push((id, *kin)),
            _ => return Ok(Err(MoveRefused::RelationsMissing)),
        }
    }
    for member in &members {
        end(tx, member, since, "变更户主").await?;
    }
    for (order, (person, kin)) in (0..).zip(next) {
        insert(tx, id, person, kin, order, since).await?;
    }
    changed(tx, scope, &row, "household.change_head", head).await
}

/// A household that still exists, held for change.
pub(super) async fn open_household(
    tx: &Tx,
    scope: &Scope,
    id: HouseholdId,
) -> anyhow::Result<Option<household::Model>> {
    household::Entity::find_by_id(id.0)
        .filter(inside(household::Column::Region, scope.region))
        .filter(household::Column::DissolvedOn.is_null())
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a household for change")
}

/// The members without an end, in order.
async fn present(tx: &Tx, id: HouseholdId) -> anyhow::Result<Vec<membership::Model>> {
    membership::Entity::find()
        .filter(membership::Column::HouseholdId.eq(id.0))
        .filter(membership::Column::Until.is_null())
        .order_by_asc(membership::Column::PlaceInOrder)
        .all(tx.conn())
        .await
        .context("reading the members of a household")
}

async fn insert(
    tx: &Tx,
    id: HouseholdId,
    person: PersonId,
    kinship: Kinship,
    order: i64,
    since: NaiveDate,
) -> anyhow::Result<()> {
    let row = membership_row(tx.new_id(), id.0, person, kinship, order, since, tx.now());
    membership::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("inserting a membership")?;
    Ok(())
}

async fn end(tx: &Tx, member: &membership::Model, on: NaiveDate, why: &str) -> anyhow::Result<()> {
    let ended = membership::ActiveModel {
        id: Unchanged(member.id),
        until: Set(Some(on)),
        until_known_since: Set(Some(tx.now())),
        why: Set(Some(why.trim().to_owned())),
        ..Default::default()
    };
    ended
        .update(tx.conn())
        .await
        .context("ending a membership")?;
    Ok(())
}

async fn changed(
    tx: &mut Tx,
    scope: &Scope,
    row: &household::Model,
    act: &str,
    person: PersonId,
) -> Outcome {
    let bumped = household::ActiveModel {
        id: Unchanged(row.id),
        version: Set(row.version + 1),
        ..Default::default()
    };
    bumped
        .update(tx.conn())
        .await
        .context("numbering the change of a household")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: row.id.to_string(),
        region: Some(crate::stored::region(&row.region)?),
        detail: json!({ "person": person.to_string() }),
    });
    Ok(Ok(()))
}
