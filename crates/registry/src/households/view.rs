//! Reading one household (查一户): with its members on a day; the read is journalled.

use super::{Household, Member};
use crate::facts::{once, was_member};
use crate::merging::same;
use crate::people::Person;
use crate::reading::Reading;
use crate::tables::{household as table, membership, person};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::BTreeMap;
use store::inside;
use store::{Db, Event};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};

/// A household today (查一户), if it lies in the scope; the read is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn household(
    db: &Db,
    scope: &Scope,
    id: HouseholdId,
) -> anyhow::Result<Option<Household>> {
    let Some(found) = household_view(db, scope, id, db.today()).await? else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "household.read".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: id.to_string(),
        region: Some(found.region),
        detail: json!({ "members": found.members.len() }),
    });
    tx.commit().await?;
    Ok(Some(found))
}

/// As [`household`], on any day and without a journal entry: for commands, which journal what they do.
///
/// # Errors
/// Faults of the database.
pub async fn household_view(
    source: &impl Reading,
    scope: &Scope,
    id: HouseholdId,
    on: NaiveDate,
) -> anyhow::Result<Option<Household>> {
    let conn = source.connection();
    let row = table::Entity::find_by_id(id.0)
        .filter(inside(table::Column::Region, scope.region))
        .one(conn)
        .await
        .context("reading a household")?;
    let Some(row) = row else { return Ok(None) };
    let present: Vec<membership::Model> = membership::Entity::find()
        .filter(membership::Column::HouseholdId.eq(id.0))
        .all(conn)
        .await
        .context("reading the members of a household")?
        .into_iter()
        .filter(|member| was_member(member, None, on))
        .collect();
    let same = same(source, present.iter().map(|member| member.person_id), None).await?;
    let mut by_household = BTreeMap::from([(id.0, present)]);
    once(&mut by_household, &same);
    let mut present = by_household.remove(&id.0).unwrap_or_default();
    present.sort_by_key(|member| (member.place_in_order, member.id));
    // A member belongs to the household's record even where they live elsewhere.
    let mut people: BTreeMap<Uuid, person::Model> = person::Entity::find()
        .filter(person::Column::Id.is_in(present.iter().map(|member| member.person_id)))
        .all(conn)
        .await
        .context("reading the people of a household")?
        .into_iter()
        .map(|person| (person.id, person))
        .collect();
    let mut members = Vec::with_capacity(present.len());
    for member in present {
        let person = people
            .remove(&member.person_id)
            .context("a member without a person row")?;
        members.push(Member {
            person: Person::of(person, source.sealing_keys())?.into(),
            kinship: crate::stored::kinship(&member.kinship)?,
            since: member.since,
            until: member.until,
        });
    }
    Ok(Some(Household {
        id,
        number: row.number,
        roster_number: row.roster_number,
        region: crate::stored::region(&row.region)?,
        address: row.address,
        head: members
            .iter()
            .find(|member| member.kinship.is_head())
            .map(|member| member.person.id),
        members,
        formed_on: row.formed_on,
        dissolved_on: row.dissolved_on,
        version: row.version,
    }))
}

/// The household a person belongs to on a day (某人所在的家庭), if it lies in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn household_of(
    source: &impl Reading,
    scope: &Scope,
    person: PersonId,
    on: NaiveDate,
) -> anyhow::Result<Option<HouseholdId>> {
    let conn = source.connection();
    let records = same(source, [person.0], None).await?.all(person.0);
    let of: Option<Uuid> = membership::Entity::find()
        .filter(membership::Column::PersonId.is_in(records))
        .all(conn)
        .await
        .context("reading memberships")?
        .into_iter()
        .filter(|member| was_member(member, None, on))
        .max_by_key(|member| (member.since, member.id))
        .map(|member| member.household_id);
    let Some(of) = of else { return Ok(None) };
    let visible = table::Entity::find_by_id(of)
        .filter(inside(table::Column::Region, scope.region))
        .one(conn)
        .await
        .context("reading a household")?;
    Ok(visible.map(|row| HouseholdId(row.id)))
}
