//! The fact sheet (事实表): everything known of a household on a day, as far as it was known at a moment.
//!
//! The members are those of that day; what is known of each is the register's own basics and the recorded facts. A
//! basic that was changed in the register is found among the facts with its old value, so a past moment sees the past.

use super::settled;
use crate::merging::{Same, same};
use crate::people::CIVIL_REGISTER;
use crate::reading::Reading;
use crate::tables::{fact, household, membership, person};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use uuid::Uuid;
use vocab::ids::HouseholdId;
use vocab::{DatedFact, FactSheet, Period, Record, Value};

/// The fact sheet of a household (一户的事实表) on a day, as known at a moment (`None`: now); `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn fact_sheet(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
    known_at: Option<DateTime<Utc>>,
    on: NaiveDate,
) -> anyhow::Result<Option<FactSheet>> {
    let mut sheets = fact_sheets(source, scope, &[household], known_at, on).await?;
    Ok(sheets.pop().map(|(_, sheet)| sheet))
}

/// The fact sheets of many households (批量事实表), in the given order; those outside the scope are left out.
///
/// # Errors
/// Faults of the database.
pub async fn fact_sheets(
    source: &impl Reading,
    scope: &Scope,
    households: &[HouseholdId],
    known_at: Option<DateTime<Utc>>,
    on: NaiveDate,
) -> anyhow::Result<Vec<(HouseholdId, FactSheet)>> {
    let mut all = Vec::with_capacity(households.len());
    for some in households.chunks(300) {
        all.extend(sheets_of(source, scope, some, known_at, on).await?);
    }
    Ok(all)
}

async fn sheets_of(
    source: &impl Reading,
    scope: &Scope,
    households: &[HouseholdId],
    known_at: Option<DateTime<Utc>>,
    on: NaiveDate,
) -> anyhow::Result<Vec<(HouseholdId, FactSheet)>> {
    let conn = source.connection();
    let visible: BTreeSet<Uuid> = household::Entity::find()
        .filter(household::Column::Id.is_in(households.iter().map(|id| id.0)))
        .filter(inside(household::Column::Region, scope.region))
        .all(conn)
        .await
        .context("reading households for their fact sheets")?
        .into_iter()
        .map(|row| row.id)
        .collect();
    let mut members: BTreeMap<Uuid, Vec<membership::Model>> = BTreeMap::new();
    for row in membership::Entity::find()
        .filter(membership::Column::HouseholdId.is_in(visible.iter().copied()))
        .all(conn)
        .await
        .context("reading members for their fact sheets")?
    {
        if was_member(&row, known_at, on) {
            members.entry(row.household_id).or_default().push(row);
        }
    }
    let of = members.values().flatten().map(|row| row.person_id);
    let same = same(source, of, known_at).await?;
    once(&mut members, &same);
    let present: Vec<Uuid> = members
        .values()
        .flatten()
        .map(|row| row.person_id)
        .collect();
    let people: Vec<Uuid> = same.every(present).into_iter().collect();
    let mut rows: BTreeMap<Uuid, person::Model> = BTreeMap::new();
    for some in people.chunks(900) {
        let found = person::Entity::find()
            .filter(person::Column::Id.is_in(some.iter().copied()))
            .all(conn)
            .await
            .context("reading people for their fact sheets")?;
        rows.extend(found.into_iter().map(|row| (row.id, row)));
    }
    let mut facts: BTreeMap<Uuid, Vec<fact::Model>> = BTreeMap::new();
    let subjects: Vec<Uuid> = visible.iter().copied().chain(people).collect();
    for some in subjects.chunks(900) {
        let found = fact::Entity::find()
            .filter(fact::Column::SubjectId.is_in(some.iter().copied()))
            .all(conn)
            .await
            .context("reading facts for their sheets")?;
        for row in found {
            facts.entry(row.subject_id).or_default().push(row);
        }
    }
    let nothing = Vec::new();
    let mut sheets = Vec::with_capacity(households.len());
    for id in households.iter().filter(|id| visible.contains(&id.0)) {
        let mut sheet = FactSheet {
            household: settled(facts.get(&id.0).unwrap_or(&nothing), known_at)?,
            ..FactSheet::default()
        };
        let mut present = members.remove(&id.0).unwrap_or_default();
        present.sort_by_key(|row| (row.place_in_order, row.id));
        for member in present {
            let of = member.person_id;
            let person = rows.get(&of).context("a member without a person row")?;
            let all: Vec<fact::Model>;
            let recorded = match same.all(of).as_slice() {
                [_] => facts.get(&of).unwrap_or(&nothing),
                // Whoever has several records is known by what any of them says.
                several => {
                    let rows = several.iter().filter_map(|id| facts.get(id));
                    all = rows.flatten().cloned().collect();
                    &all
                }
            };
            let mut record = settled(recorded, known_at)?;
            add_basics(&mut record, person, &member, recorded);
            sheet.members.push(record);
            sheet.member_keys.push(of.to_string());
        }
        sheets.push((*id, sheet));
    }
    Ok(sheets)
}

/// Members by the records that survive, each person once in a household: as the head where one of his records is,
/// else by his own.
pub(crate) fn once(members: &mut BTreeMap<Uuid, Vec<membership::Model>>, same: &Same) {
    for rows in members.values_mut() {
        rows.sort_by_key(|row| {
            let is_head = matches!(row.kinship.as_str(), "01" | "02");
            let is_other = same.survivor(row.person_id) != row.person_id;
            (!is_head, is_other, row.place_in_order, row.id)
        });
        let mut seen = BTreeSet::new();
        rows.retain_mut(|row| {
            row.person_id = same.survivor(row.person_id);
            seen.insert(row.person_id)
        });
    }
}

/// Whether somebody belonged to the household on a day, as far as was known at a moment.
pub(crate) fn was_member(
    row: &membership::Model,
    known_at: Option<DateTime<Utc>>,
    on: NaiveDate,
) -> bool {
    let known = |moment: DateTime<Utc>| known_at.is_none_or(|at| moment <= at);
    let left = match (row.until, row.until_known_since) {
        (Some(until), Some(since)) if known(since) => until <= on,
        (Some(until), None) => until <= on,
        _ => false,
    };
    known(row.known_since) && row.since <= on && !left
}

/// What the person row and the membership say themselves.
fn add_basics(
    record: &mut Record,
    person: &person::Model,
    member: &membership::Model,
    recorded: &[fact::Model],
) {
    let known_since = Some(person.registered_at);
    let mut basic = |fact_id: &str, value: Option<Value>, period: Period, known_since| {
        // A basic that ever changed is told by its fact rows alone, the original value included.
        let told_by_facts = recorded.iter().any(|row| row.fact == fact_id);
        if let Some(value) = value
            && !told_by_facts
        {
            record.insert(
                fact_id.to_owned(),
                vec![DatedFact {
                    value,
                    period,
                    known_since,
                    source: CIVIL_REGISTER.to_owned(),
                    evidence: None,
                }],
            );
        }
    };
    basic(
        "birth_date",
        person.birth_date.map(Value::Date),
        Period::ALWAYS,
        known_since,
    );
    let sex = matches!(person.sex.as_str(), "1" | "2").then(|| Value::Text(person.sex.clone()));
    basic("sex", sex, Period::ALWAYS, known_since);
    basic(
        "hukou",
        person.hukou.clone().map(Value::Text),
        Period::ALWAYS,
        known_since,
    );
    basic(
        "died_on",
        person.died_on.map(Value::Date),
        Period::ALWAYS,
        known_since,
    );
    let relation = Some(Value::Text(member.kinship.clone()));
    basic(
        "relation",
        relation,
        Period::since(member.since),
        Some(member.known_since),
    );
}
