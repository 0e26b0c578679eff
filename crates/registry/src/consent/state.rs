//! What stands today (授权状态): whose consent is in force, who refused, who has not been asked; and opening the identity
//! numbers of those who agreed.
//!
//! Guarantees: of several words of one person the last counts; a refusal is told apart from silence; [`opened`] gives
//! all numbers asked for or none. Deliberately absent: telling one purpose for another; they are equal word for word.

use super::{Consent, Tie, Way, is_child};
use crate::households::household_view;
use crate::merging::{Same, same};
use crate::reading::Reading;
use crate::tables::{consent as table, person};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// People asked for in one query.
const AT_ONCE: usize = 500;

/// Where one person's consent stands (授权状态).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It allows looking.
    InForce(Consent),
    /// The person said no.
    Refused(Consent),
    /// The person took it back.
    Withdrawn(Consent),
    /// It ran out.
    Ended(Consent),
    /// Nobody asked the person, for this purpose.
    Silent,
}

impl State {
    /// The consent in force.
    pub fn in_force(&self) -> Option<&Consent> {
        match self {
            Self::InForce(consent) => Some(consent),
            _ => None,
        }
    }
}

/// One person with what they are to the household and where their consent stands (一人的授权).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who.
    pub person: PersonId,
    /// What they are to the household.
    pub tie: Tie,
    /// Whether a guardian signs.
    pub child: bool,
    /// Where their consent stands.
    pub state: State,
}

/// Somebody whose numbers may not leave the register (缺授权的人).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// Who.
    pub person: PersonId,
    /// Why.
    pub state: State,
}

/// The identity of somebody who agreed (已授权人的身份). Its `Debug` shows no number.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Who.
    pub person: PersonId,
    /// What they are to the household.
    pub tie: Tie,
    /// By which consent.
    pub consent: Uuid,
    /// The name.
    pub name: String,
    /// The document number; empty without one.
    pub document_number: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.person)
    }
}

/// Everything said for a household's applications (授权记录), newest first, withdrawn and refused included.
///
/// # Errors
/// Faults of the database.
pub async fn of_household(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
) -> anyhow::Result<Vec<Consent>> {
    table::Entity::find()
        .filter(table::Column::HouseholdId.eq(household.0))
        .filter(inside(table::Column::Region, scope.region))
        .order_by_desc(table::Column::Id)
        .all(source.connection())
        .await
        .context("reading consents")?
        .into_iter()
        .map(Consent::read)
        .collect()
}

/// Whether the scan of some consent inside the scope is this file (扫描件可否查看).
///
/// # Errors
/// Faults of the database.
pub async fn scan_visible(
    source: &impl Reading,
    scope: &Scope,
    file: &str,
) -> anyhow::Result<bool> {
    let found = table::Entity::find()
        .filter(table::Column::FileId.eq(file))
        .filter(inside(table::Column::Region, scope.region))
        .count(source.connection())
        .await
        .context("looking for the consents of a scan")?;
    Ok(found > 0)
}

/// The state out of what one person said for one purpose, newest first, without a database.
fn state_of(said: &[&Consent], on: NaiveDate) -> State {
    let mut words: Vec<&Consent> = said
        .iter()
        .copied()
        .filter(|one| one.signed_on <= on)
        .collect();
    words.sort_by_key(|one| std::cmp::Reverse((one.signed_on, one.id)));
    for one in &words {
        return match (one.way, one.withdrawn_on) {
            // A refusal taken back leaves what was said before it.
            (Way::Refused, Some(_)) => continue,
            (Way::Refused, None) => State::Refused((*one).clone()),
            // Whoever takes back what was said last does not fall back on an older yes.
            (_, Some(_)) => State::Withdrawn((*one).clone()),
            (_, None) if one.allows(on) => State::InForce((*one).clone()),
            (_, None) => State::Ended((*one).clone()),
        };
    }
    match words.first() {
        None => State::Silent,
        Some(last) => State::Withdrawn((*last).clone()),
    }
}

/// What one person said for one purpose, under whichever of their identifiers.
fn words<'a>(
    all: &'a [Consent],
    same: &Same,
    person: PersonId,
    household: HouseholdId,
    purpose: &str,
) -> Vec<&'a Consent> {
    let who = same.survivor(person.0);
    all.iter()
        .filter(|one| same.survivor(one.person.0) == who)
        .filter(|one| one.household == household && one.purpose == purpose)
        .collect()
}

/// Whether a person said yes to anything, for any household, that holds on a day.
fn agrees(all: &[Consent], same: &Same, person: PersonId, on: NaiveDate) -> bool {
    let who = same.survivor(person.0);
    let own = all
        .iter()
        .filter(|one| same.survivor(one.person.0) == who)
        .map(|one| (one.household, one.purpose.as_str()));
    let kinds: BTreeSet<(HouseholdId, &str)> = own.collect();
    kinds.into_iter().any(|(household, purpose)| {
        let said = words(all, same, person, household, purpose);
        state_of(&said, on).in_force().is_some()
    })
}

/// Where the consent of everybody an enquiry about a household may concern stands for a purpose (各人的授权状态): its
/// members, who died included, and whoever outside it ever said something; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn said(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
    purpose: &str,
    on: NaiveDate,
) -> anyhow::Result<Option<Vec<Said>>> {
    let Some(home) = household_view(source, scope, household, on).await? else {
        return Ok(None);
    };
    let all = of_household(source, scope, household).await?;
    let ids = all.iter().map(|one| one.person.0);
    let ids = ids.chain(home.members.iter().map(|one| one.person.id.0));
    let same = same(source, ids, None).await?;
    let of = |person: PersonId| words(&all, &same, person, household, purpose.trim());
    let mut found = Vec::new();
    for member in &home.members {
        let tie = match member.person.died_on {
            Some(_) => Tie::Late,
            None => Tie::Member,
        };
        found.push(Said {
            person: member.person.id,
            tie,
            child: is_child(member.person.birth_date, on),
            state: state_of(&of(member.person.id), on),
        });
    }
    let inside: BTreeSet<PersonId> = found.iter().map(|one| one.person).collect();
    let mut outside: Vec<(PersonId, Tie)> = Vec::new();
    for one in all.iter().rev() {
        let who = PersonId(same.survivor(one.person.0));
        let known = inside.contains(&who) || outside.iter().any(|(id, _)| *id == who);
        // A member who left takes no consent along: as a member of another household they are asked anew.
        if !known && one.tie != Tie::Member && one.purpose == purpose.trim() {
            outside.push((who, one.tie));
        }
    }
    found.extend(outside.into_iter().map(|(person, tie)| Said {
        person,
        tie,
        child: false,
        state: state_of(&of(person), on),
    }));
    Ok(Some(found))
}

/// Whether a person's consent to anything holds on a day (授权是否有效).
///
/// # Errors
/// Faults of the database.
pub async fn holds(source: &impl Reading, person: PersonId, on: NaiveDate) -> anyhow::Result<bool> {
    Ok(in_force(source, &[person], on).await?.contains(&person))
}

/// Those of many people whose consent to anything is in force on a day (批量判断授权): for comparing who is in payment with what
/// departments deliver.
///
/// # Errors
/// Faults of the database.
pub async fn in_force(
    source: &impl Reading,
    people: &[PersonId],
    on: NaiveDate,
) -> anyhow::Result<BTreeSet<PersonId>> {
    let same = same(source, people.iter().map(|person| person.0), None).await?;
    let every: Vec<Uuid> = same
        .every(people.iter().map(|person| person.0))
        .into_iter()
        .collect();
    let mut said: BTreeMap<Uuid, Vec<Consent>> = BTreeMap::new();
    for some in every.chunks(AT_ONCE) {
        let rows = table::Entity::find()
            .filter(table::Column::PersonId.is_in(some.iter().copied()))
            .all(source.connection())
            .await
            .context("reading the consents of many")?;
        for row in rows {
            let one = Consent::read(row)?;
            let who = same.survivor(one.person.0);
            said.entry(who).or_default().push(one);
        }
    }
    let agreed = |person: &&PersonId| {
        let own = said.get(&same.survivor(person.0));
        own.is_some_and(|own| agrees(own, &same, **person, on))
    };
    Ok(people.iter().filter(agreed).copied().collect())
}

/// The adult members without a consent to anything on a day (尚未授权的成年人); nobody knows the birth date means adult.
///
/// # Errors
/// Faults of the database.
pub async fn missing(
    source: &impl Reading,
    scope: &Scope,
    household: HouseholdId,
    on: NaiveDate,
) -> anyhow::Result<Vec<PersonId>> {
    let Some(home) = household_view(source, scope, household, on).await? else {
        return Ok(Vec::new());
    };
    let all = of_household(source, scope, household).await?;
    let ids = all.iter().map(|one| one.person.0);
    let ids = ids.chain(home.members.iter().map(|one| one.person.id.0));
    let same = same(source, ids, None).await?;
    Ok(home
        .members
        .iter()
        .filter(|member| member.person.died_on.is_none())
        .filter(|member| !is_child(member.person.birth_date, on))
        .map(|member| member.person.id)
        .filter(|person| !agrees(&all, &same, *person, on))
        .collect())
}

/// Opens the identity of these people for an enquiry (按授权取出身份): of all of them, each by a consent in force for the
/// purpose, or of nobody. Journalled for each.
///
/// # Errors
/// Faults of the database; who lacks a consent is a value, as is a household outside the scope (nobody lacks one then).
pub async fn opened(
    tx: &mut Tx,
    scope: &Scope,
    household: HouseholdId,
    people: &[PersonId],
    purpose: &str,
) -> anyhow::Result<Result<Vec<Opened>, Vec<Lacking>>> {
    let today = tx.today();
    let Some(said) = said(tx, scope, household, purpose, today).await? else {
        return Ok(Err(Vec::new()));
    };
    let mut lacking = Vec::new();
    let mut found = Vec::new();
    for person in people {
        let state = said
            .iter()
            .find(|one| one.person == *person)
            .map_or(State::Silent, |one| one.state.clone());
        match state {
            State::InForce(consent) => found.push((*person, consent)),
            state => lacking.push(Lacking {
                person: *person,
                state,
            }),
        }
    }
    if !lacking.is_empty() {
        return Ok(Err(lacking));
    }
    let rows: Vec<person::Model> = person::Entity::find()
        .filter(person::Column::Id.is_in(people.iter().map(|person| person.0)))
        .all(tx.conn())
        .await
        .context("reading who agreed")?;
    let mut opened = Vec::new();
    for (person, consent) in found {
        // Whoever agreed under another identifier has the number of the record that survives.
        let row = rows
            .iter()
            .find(|row| row.id == person.0)
            .context("a consent of somebody who is not registered")?;
        let document_number = row
            .document_sealed
            .as_ref()
            .map(|sealed| tx.keys().unseal(sealed))
            .transpose()?
            .unwrap_or_default();
        let region: Option<Region> = row.lives_in.parse().ok();
        tx.note(Event {
            by: scope.actor.officer,
            purpose: purpose.to_owned(),
            act: "consent.open".to_owned(),
            subject_kind: "person".to_owned(),
            subject_id: person.to_string(),
            region,
            detail: json!({ "consent": consent.id }),
        });
        opened.push(Opened {
            person,
            tie: consent.tie,
            consent: consent.id,
            name: row.name.clone(),
            document_number,
        });
    }
    Ok(Ok(opened))
}

/// Whether these consents still stand (授权是否仍然有效): nobody withdrew one, none ran out, and nobody said no since.
///
/// Rows are locked until the transaction ends: who withdraws now waits, and the enquiry says so afterwards.
///
/// # Errors
/// Faults of the database.
pub async fn still_holds(
    tx: &Tx,
    household: HouseholdId,
    consents: &[(PersonId, Uuid)],
) -> anyhow::Result<Vec<PersonId>> {
    let today = tx.today();
    let all: Vec<Consent> = table::Entity::find()
        .filter(table::Column::HouseholdId.eq(household.0))
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("reading consents once more")?
        .into_iter()
        .map(Consent::read)
        .collect::<anyhow::Result<_>>()?;
    let ids = all.iter().map(|one| one.person.0);
    let ids = ids.chain(consents.iter().map(|(person, _)| person.0));
    let same = same(tx, ids, None).await?;
    let stands = |person: PersonId, id: Uuid| {
        all.iter().find(|one| one.id == id).is_some_and(|used| {
            let said = words(&all, &same, person, household, &used.purpose);
            used.allows(today) && state_of(&said, today).in_force().is_some()
        })
    };
    Ok(consents
        .iter()
        .filter(|(person, id)| !stands(*person, *id))
        .map(|(person, _)| *person)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn word(number: u128, way: Way, signed: &str, until: Option<&str>, gone: bool) -> Consent {
        Consent {
            id: Uuid::from_u128(number),
            person: PersonId(Uuid::from_u128(1)),
            household: HouseholdId(Uuid::from_u128(2)),
            tie: Tie::Member,
            purpose: "核对".to_owned(),
            way,
            signed_on: day(signed),
            until: until.map(day),
            file: None,
            signed_by: None,
            reason: String::new(),
            withdrawn_on: gone.then(|| day(signed)),
        }
    }

    #[test]
    fn the_last_word_counts_and_silence_is_not_a_refusal() {
        use Way::{Refused as No, Screen as Yes};
        let table: [(&str, Vec<Consent>, &str); 10] = [
            ("nothing said", vec![], "silent"),
            (
                "said later",
                vec![word(1, Yes, "2026-06-02", None, false)],
                "silent",
            ),
            (
                "yes",
                vec![word(1, Yes, "2026-05-01", None, false)],
                "in force",
            ),
            (
                "run out on its last day, which no longer counts",
                vec![word(1, Yes, "2026-05-01", Some("2026-06-01"), false)],
                "ended",
            ),
            (
                "yes, then no",
                vec![
                    word(1, Yes, "2026-05-01", None, false),
                    word(2, No, "2026-05-20", None, false),
                ],
                "refused",
            ),
            (
                "no, then yes",
                vec![
                    word(1, No, "2026-05-01", None, false),
                    word(2, Yes, "2026-05-01", None, false),
                ],
                "in force",
            ),
            (
                "taken back",
                vec![word(1, Yes, "2026-05-01", None, true)],
                "withdrawn",
            ),
            (
                "yes twice, the second taken back",
                vec![
                    word(1, Yes, "2026-05-01", None, false),
                    word(2, Yes, "2026-05-20", None, true),
                ],
                "withdrawn",
            ),
            (
                "yes without an end, then yes for a week that is over",
                vec![
                    word(1, Yes, "2026-05-01", None, false),
                    word(2, Yes, "2026-05-20", Some("2026-05-27"), false),
                ],
                "ended",
            ),
            (
                "yes, then a no that was taken back",
                vec![
                    word(1, Yes, "2026-05-01", None, false),
                    word(2, No, "2026-05-20", None, true),
                ],
                "in force",
            ),
        ];
        for (name, said, expected) in table {
            let said: Vec<&Consent> = said.iter().collect();
            let found = match state_of(&said, day("2026-06-01")) {
                State::InForce(_) => "in force",
                State::Refused(_) => "refused",
                State::Withdrawn(_) => "withdrawn",
                State::Ended(_) => "ended",
                State::Silent => "silent",
            };
            assert_eq!(found, expected, "{name}");
        }
    }
}
