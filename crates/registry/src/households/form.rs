//! Forming a household (建户): a head, the members and their relation to the head, from a day on.

use crate::merging::same;
use crate::people::rows;
use crate::tables::{household, membership};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Event, Tx};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Kinship, Region};

/// A household to be formed (待建家庭).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHousehold {
    /// The community (所属社区).
    pub region: Region,
    /// The address (详细住址).
    pub address: String,
    /// The head (户主).
    pub head: PersonId,
    /// The members and their relation to the head; the head may be among them or not.
    pub members: Vec<(PersonId, Kinship)>,
    /// First day; `None` is today.
    pub since: Option<NaiveDate>,
    /// The number in the roster it comes from, if any.
    pub roster_number: Option<String>,
}

/// Why a household was not formed or somebody did not join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The community lies outside the scope.
    #[error("所属社区不在您的管辖范围内，请由该社区或上级办理")]
    OutsideScope,
    /// Somebody is not found in the scope.
    #[error("有成员在您的管辖范围内查不到，请先登记或由上级办理")]
    MemberNotFound,
    /// The same person twice.
    #[error("“{0}”出现了两次，请删去一行")]
    MemberTwice(String),
    /// Somebody else than the head has the relation of head.
    #[error("一户只能有一名户主，请核对“{0}”的与户主关系")]
    SecondHead(String),
    /// Somebody is in another household.
    #[error("“{0}”目前在另一户中，请先办理退出原户，再加入本户")]
    InAnotherHousehold(String),
    /// The day lies in the future.
    #[error("建户日期不能晚于今天")]
    InTheFuture,
}

/// Forms a household (建户).
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn form_household(
    tx: &mut Tx,
    scope: &Scope,
    new: NewHousehold,
) -> anyhow::Result<Result<HouseholdId, Refused>> {
    let since = new.since.unwrap_or(tx.today());
    if !scope.holds(new.region) {
        return Ok(Err(Refused::OutsideScope));
    }
    if since > tx.today() {
        return Ok(Err(Refused::InTheFuture));
    }
    let mut members = vec![(new.head, Kinship::head())];
    members.extend(
        new.members
            .iter()
            .filter(|(id, kin)| *id != new.head || !kin.is_head()),
    );
    // Whoever was merged since the page was opened is the person he is.
    let same = same(tx, members.iter().map(|(id, _)| id.0), None).await?;
    for (id, _) in &mut members {
        *id = PersonId(same.survivor(id.0));
    }
    let names = match names_of(tx, scope, &members).await? {
        Ok(names) => names,
        Err(refused) => return Ok(Err(refused)),
    };
    if let Err(refused) = shape(&members, &names) {
        return Ok(Err(refused));
    }
    if let Some(name) = first_elsewhere(tx, &names, since).await? {
        return Ok(Err(Refused::InAnotherHousehold(name)));
    }
    let id = tx.new_id();
    let row = household_row(id, &new, since, tx.now(), scope.actor.officer.0);
    household::Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("inserting a household")?;
    let now = tx.now();
    let rows: Vec<_> = (0..)
        .zip(&members)
        .map(|(order, (person, kin))| {
            membership_row(tx.new_id(), id, *person, *kin, order, since, now)
        })
        .collect();
    membership::Entity::insert_many(rows.into_iter().map(IntoActiveModel::into_active_model))
        .exec_without_returning(tx.conn())
        .await
        .context("inserting the members of a household")?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "household.form".to_owned(),
        subject_kind: "household".to_owned(),
        subject_id: id.to_string(),
        region: Some(new.region),
        detail: json!({ "members": members.len() }),
    });
    Ok(Ok(HouseholdId(id)))
}

/// The names of the members, all of whom must be found in the scope.
async fn names_of(
    tx: &Tx,
    scope: &Scope,
    members: &[(PersonId, Kinship)],
) -> anyhow::Result<Result<BTreeMap<PersonId, String>, Refused>> {
    let ids: BTreeSet<PersonId> = members.iter().map(|(id, _)| *id).collect();
    let found = rows(tx, scope, &Vec::from_iter(ids.iter().copied())).await?;
    if found.len() != ids.len() {
        return Ok(Err(Refused::MemberNotFound));
    }
    Ok(Ok(found
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect()))
}

/// One head, nobody twice.
fn shape(
    members: &[(PersonId, Kinship)],
    names: &BTreeMap<PersonId, String>,
) -> Result<(), Refused> {
    let name = |id: &PersonId| names.get(id).cloned().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, (id, kin)) in members.iter().enumerate() {
        if !seen.insert(*id) {
            return Err(Refused::MemberTwice(name(id)));
        }
        if index > 0 && kin.is_head() {
            return Err(Refused::SecondHead(name(id)));
        }
    }
    Ok(())
}

/// The name of the first of these people who is in some household on or after a day.
pub(crate) async fn first_elsewhere(
    tx: &Tx,
    names: &BTreeMap<PersonId, String>,
    since: NaiveDate,
) -> anyhow::Result<Option<String>> {
    let still = Condition::any()
        .add(membership::Column::Until.is_null())
        .add(membership::Column::Until.gt(since));
    let taken = membership::Entity::find()
        .filter(membership::Column::PersonId.is_in(names.keys().map(|id| id.0)))
        .filter(still)
        .one(tx.conn())
        .await
        .context("looking for memberships elsewhere")?;
    Ok(taken.and_then(|row| names.get(&PersonId(row.person_id)).cloned()))
}

pub(crate) fn household_row(
    id: Uuid,
    new: &NewHousehold,
    since: NaiveDate,
    now: DateTime<Utc>,
    by: Uuid,
) -> household::Model {
    household::Model {
        id,
        number: household_number(id),
        roster_number: new.roster_number.clone(),
        region: new.region.to_string(),
        address: new.address.trim().to_owned(),
        formed_on: since,
        dissolved_on: None,
        recorded_at: now,
        recorded_by: by,
        version: 1,
    }
}

pub(crate) fn membership_row(
    id: Uuid,
    household: Uuid,
    person: PersonId,
    kinship: Kinship,
    order: i64,
    since: NaiveDate,
    now: DateTime<Utc>,
) -> membership::Model {
    membership::Model {
        id,
        household_id: household,
        person_id: person.0,
        kinship: kinship.code().to_owned(),
        place_in_order: order,
        since,
        until: None,
        known_since: now,
        until_known_since: None,
        why: None,
    }
}

/// The number people use for a household: twelve digits of its identifier and two check digits (modulo 97).
pub(crate) fn household_number(id: Uuid) -> String {
    // The last 62 bits of a version 7 identifier are random.
    let digits = id.as_u128() % 1_000_000_000_000;
    let check = 98 - digits * 100 % 97;
    format!("{digits:012}{check:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kin(code: &str) -> Kinship {
        Kinship::read(code).unwrap()
    }

    #[test]
    fn a_household_has_one_head_and_nobody_twice() {
        let id = |n| PersonId(Uuid::from_u128(n));
        let names = BTreeMap::from([(id(1), "甲".to_owned()), (id(2), "乙".to_owned())]);
        assert_eq!(
            shape(&[(id(1), kin("02")), (id(2), kin("12"))], &names),
            Ok(())
        );
        assert_eq!(
            shape(&[(id(1), kin("02")), (id(2), kin("02"))], &names),
            Err(Refused::SecondHead("乙".to_owned()))
        );
        assert_eq!(
            shape(&[(id(1), kin("02")), (id(1), kin("12"))], &names),
            Err(Refused::MemberTwice("甲".to_owned()))
        );
    }

    #[test]
    fn a_household_number_carries_a_check_against_mistyping() {
        let number = household_number(Uuid::from_u128(0x0192_0000_0000_7000_8000_0123_4567_89ab));
        assert_eq!(number.len(), 14);
        let whole: u128 = number.parse().unwrap();
        assert_eq!(whole % 97, 1);
    }
}
