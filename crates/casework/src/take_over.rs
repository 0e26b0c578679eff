//! Taking over existing recipients (存量接收): who was granted by the old system goes on being paid, with a case.
//!
//! Each becomes a case in force with a decision that names the old one, and with the rule book's answer of today stored
//! beside it, whether it agrees or not: whoever differs is for the next review, not for a silent change. Guarantees: many
//! at once in one transaction; one that cannot be taken over stops none of the others and leaves nothing behind.
//! Deliberately absent: judging the old decision.

mod batch;

use crate::desk::Desk;
use crate::procedure::Applies;
use crate::sheet::Answer;
use crate::{number, same_person, sheet, tables};
use access::Scope;
use anyhow::Context;
use batch::Batch;
use chrono::NaiveDate;
use ledger::NewEntitlement;
use policy::{Ask, Determination, Every};
use registry::people::PersonRow;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Event, Tx};
use vocab::ids::{CaseId, DecisionId, HouseholdId, PersonId};
use vocab::{FactSheet, Money, Month, Region};

/// How many households are read and decided at a time.
const CHUNK: usize = 500;

/// One recipient of the old system (存量对象).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeOver {
    /// The household.
    pub household: HouseholdId,
    /// The person, where the programme is about one.
    pub member: Option<PersonId>,
    /// The programme.
    pub programme: String,
    /// Who applied then, and is paid for a household.
    pub applicant: PersonId,
    /// When the old system decided.
    pub decided_on: NaiveDate,
    /// The old decision's number.
    pub old_number: String,
    /// The amount it granted a month.
    pub amount: Money,
    /// The first month this house pays.
    pub from: Month,
    /// Whom it covers; empty: whom the rule book covers today, else the person or the whole household.
    pub covered: Vec<PersonId>,
}

/// Why one was not taken over (未接收原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not in the scope.
    #[error("在您的管辖范围内查不到这一户")]
    NotThere,
    /// No such programme or no state in force.
    #[error("事项“{0}”没有可接收的办理程序")]
    UnknownProgramme(String),
    /// Person or household, but not what the programme is about.
    #[error("“{0}”的对象不符：个人事项要写个人，家庭事项不写个人")]
    WrongSubject(String),
    /// Not of the household.
    #[error("此人不是这一户的成员")]
    NotAMember,
    /// There is a case already.
    #[error("已有办件，不必接收")]
    AlreadyOpen,
    /// No number.
    #[error("请填写原决定文号")]
    NumberMissing,
    /// The ledger refused.
    #[error("{0}")]
    Ledger(ledger::entitle::Refused),
}

/// Takes over many recipients (存量接收), each answer in the place of its request.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn take_over(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    many: &[TakeOver],
) -> anyhow::Result<Vec<Result<CaseId, Refused>>> {
    let mut answers = Vec::with_capacity(many.len());
    for some in many.chunks(CHUNK) {
        answers.extend(take_some(tx, scope, desk, some).await?);
    }
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.take_over".to_owned(),
        subject_kind: "region".to_owned(),
        subject_id: scope.region.to_string(),
        region: Some(scope.region),
        detail: json!({ "asked": many.len(), "taken": taken }),
    });
    Ok(answers)
}

/// What one household is known by.
struct Home {
    region: Region,
    sheet: FactSheet,
    answers: Vec<Determination>,
}

async fn take_some(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    some: &[TakeOver],
) -> anyhow::Result<Vec<Result<CaseId, Refused>>> {
    let (now, today) = (tx.now(), tx.today());
    let households: Vec<HouseholdId> = some
        .iter()
        .map(|one| one.household)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let homes = homes(tx, scope, desk, &households).await?;
    let people: Vec<PersonId> = some
        .iter()
        .flat_map(|one| [Some(one.applicant), one.member])
        .flatten()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    let people: BTreeMap<PersonId, PersonRow> = registry::people::rows(tx, &wide, &people)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let mut open = open_cases(tx, &households).await?;

    let mut ready: Vec<(usize, Prepared)> = Vec::new();
    let mut answers: Vec<Option<Result<CaseId, Refused>>> = some.iter().map(|_| None).collect();
    for (place, one) in some.iter().enumerate() {
        match prepare(tx, desk, one, homes.get(&one.household), &people, &open) {
            Ok(prepared) => {
                open.insert((one.programme.clone(), one.household, one.member));
                ready.push((place, prepared));
            }
            Err(refused) => answers[place] = Some(Err(refused)),
        }
    }
    let rights: Vec<NewEntitlement> = ready
        .iter()
        .map(|(_, prepared)| prepared.right.clone())
        .collect();
    let against = same_person::against_many(tx, &rights).await?;
    let (mut ready, mut rights) = (ready, rights);
    for (at, refused) in against.into_iter().enumerate().rev() {
        if let Some(refused) = refused {
            let (place, _) = ready.remove(at);
            rights.remove(at);
            answers[place] = Some(Err(Refused::Ledger(refused)));
        }
    }
    let entitled = ledger::entitle::entitle_many(tx, scope, &rights).await?;
    let mut taken = Vec::new();
    for ((place, prepared), right) in ready.into_iter().zip(entitled) {
        match right {
            Ok(right) => taken.push((place, prepared, right)),
            Err(refused) => answers[place] = Some(Err(Refused::Ledger(refused))),
        }
    }
    let numbers = number::next_numbers(tx, &desk.case_prefix, taken.len()).await?;
    let mut batch = Batch::default();
    for ((place, prepared, right), number) in taken.into_iter().zip(numbers) {
        let case = batch.add(
            tx,
            scope,
            desk,
            &some[place],
            prepared,
            right,
            number,
            today,
            now,
        )?;
        answers[place] = Some(Ok(case));
    }
    batch.write(tx).await?;
    answers
        .into_iter()
        .map(|answer| answer.context("a recipient was neither taken nor refused"))
        .collect()
}

async fn homes(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    households: &[HouseholdId],
) -> anyhow::Result<BTreeMap<HouseholdId, Home>> {
    let (now, today) = (tx.now(), tx.today());
    let found = sheet::sheets(tx, scope, desk, households, now, today).await?;
    let mut regions = BTreeMap::new();
    for (id, _) in &found {
        if let Some(home) = registry::households::household_view(tx, scope, *id, today).await? {
            regions.insert(*id, home.region);
        }
    }
    // Households of one community are asked in one batch: the region is part of the question.
    let mut by_region: BTreeMap<Region, Vec<(HouseholdId, FactSheet)>> = BTreeMap::new();
    for (id, sheet) in found {
        if let Some(region) = regions.get(&id) {
            by_region.entry(*region).or_default().push((id, sheet));
        }
    }
    let mut homes = BTreeMap::new();
    for (region, some) in by_region {
        let (ids, sheets): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let ask = Ask {
            as_of: today,
            known_at: Some(now),
            region: Some(region),
            programmes: None,
        };
        let answers = desk.book.evaluate_many(&sheets, &ask);
        for ((id, sheet), answers) in ids.into_iter().zip(sheets).zip(answers) {
            homes.insert(
                id,
                Home {
                    region,
                    sheet,
                    answers,
                },
            );
        }
    }
    Ok(homes)
}

type Subject = (String, HouseholdId, Option<PersonId>);

async fn open_cases(tx: &Tx, households: &[HouseholdId]) -> anyhow::Result<BTreeSet<Subject>> {
    Ok(tables::case::Entity::find()
        .filter(tables::case::Column::HouseholdId.is_in(households.iter().map(|id| id.0)))
        .filter(tables::case::Column::Kind.ne("final"))
        .all(tx.conn())
        .await
        .context("looking for open cases")?
        .into_iter()
        .map(|row| {
            (
                row.programme,
                HouseholdId(row.household_id),
                row.member_id.map(PersonId),
            )
        })
        .collect())
}

/// One recipient, checked.
struct Prepared {
    region: Region,
    answer: Option<Answer>,
    right: NewEntitlement,
    applicant: String,
    subject: String,
    members: usize,
}

/// The whole rule, without a database.
fn prepare(
    tx: &Tx,
    desk: &Desk,
    one: &TakeOver,
    home: Option<&Home>,
    people: &BTreeMap<PersonId, PersonRow>,
    open: &BTreeSet<Subject>,
) -> Result<Prepared, Refused> {
    let title = || desk.title(&one.programme).0;
    let procedure = desk
        .procedure(&one.programme)
        .filter(|procedure| procedure.in_force().is_some());
    let (Some(procedure), Some(programme)) = (procedure, desk.programme(&one.programme)) else {
        return Err(Refused::UnknownProgramme(title()));
    };
    let Some(home) = home else {
        return Err(Refused::NotThere);
    };
    if (procedure.applies == Applies::Person) != one.member.is_some() {
        return Err(Refused::WrongSubject(title()));
    }
    let members: Vec<PersonId> = home
        .sheet
        .member_keys
        .iter()
        .filter_map(|key| key.parse().ok())
        .collect();
    let subject = one.member.unwrap_or(one.applicant);
    if !members.contains(&subject) || one.covered.iter().any(|person| !members.contains(person)) {
        return Err(Refused::NotAMember);
    }
    if open.contains(&(one.programme.clone(), one.household, one.member)) {
        return Err(Refused::AlreadyOpen);
    }
    if one.old_number.trim().is_empty() {
        return Err(Refused::NumberMissing);
    }
    // A recipient the rule book no longer knows how to judge is taken over all the same.
    let answer = Answer::pick(
        desk,
        &home.sheet,
        home.answers.clone(),
        &one.programme,
        one.member,
    );
    let mut covered = one.covered.clone();
    if covered.is_empty() {
        covered = answer.as_ref().map(Answer::covered).unwrap_or_default();
    }
    if covered.is_empty() {
        covered = one
            .member
            .map_or_else(|| members.clone(), |member| vec![member]);
    }
    let name = |person: PersonId| {
        people
            .get(&person)
            .map(|row| row.name.clone())
            .unwrap_or_default()
    };
    Ok(Prepared {
        region: home.region,
        right: NewEntitlement {
            decision: DecisionId(tx.new_id()),
            programme: one.programme.clone(),
            payee: subject,
            household: one.member.is_none().then_some(one.household),
            region: home.region,
            amount: one.amount,
            covered,
            from: one.from,
            until: matches!(programme.benefit.every, Every::Year | Every::Once)
                .then(|| one.from.next()),
            excludes: programme.benefit.excludes.clone(),
            part: String::new(),
        },
        applicant: name(one.applicant),
        subject: name(subject),
        members: members.len(),
        answer,
    })
}
