//! Findings in a case (办件中的核对发现): what was declared beside what was found, what a finding would change, and taking
//! and withdrawing one.
//!
//! Guarantees: only facts the case's programme reads, about the people the case is about; taking and withdrawing lock the
//! case, stand in its timeline, and raise its version, so that nobody decides from a page that did not show them.
//! Deliberately absent: the enquiry itself.

use super::{NewFinding, Refused, record_finding};
use crate::case::{Case, Recorded};
use crate::desk::Desk;
use crate::draft::DECLARED;
use crate::rows;
use crate::{sheet, tables};
use access::Scope;
use chrono::{DateTime, NaiveDate, Utc};
use policy::{Determination, FactDef, Unit};
use registry::Subject;
use registry::facts::FROM_THE_REGISTER;
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Tx};
use vocab::ids::{CaseId, PersonId};
use vocab::{DatedFact, FactSheet, Period, Record, Value};

/// The event of a finding taken, and of one withdrawn, as the timeline names them.
pub(crate) const FOUND: &str = "found";
pub(crate) const WITHDRAWN: &str = "found_withdrawn";

/// One fact of a case with all that is said of it (一项事实的各方说法).
#[derive(Debug, Clone)]
pub struct Compared {
    /// About whom.
    pub subject: Subject,
    /// The fact.
    pub fact: String,
    /// What each source says, the applicant first.
    pub said: Vec<DatedFact>,
    /// Whether what was declared and what was found differ for the same days.
    pub differs: bool,
}

/// What a finding would change (记入前后的测算).
#[derive(Debug, Clone)]
pub struct Effect {
    /// The rule book's answer today, without it.
    pub before: Determination,
    /// And with it.
    pub after: Determination,
}

/// A finding taken back (撤回发现).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// About whom.
    pub subject: Subject,
    /// The fact.
    pub fact: String,
    /// Which department said it.
    pub department: String,
    /// For which days.
    pub period: Period,
    /// Why it was wrong.
    pub reason: String,
}

/// Whether other departments are asked about a fact (是否属于核对范围): not what the register itself keeps, nor what is paid.
fn asked(desk: &Desk, programme: &str, fact: &str) -> bool {
    !FROM_THE_REGISTER.contains(&fact)
        && desk.book.fact(fact).is_some()
        && desk
            .programme(programme)
            .is_some_and(|found| found.facts.iter().any(|read| read == fact))
}

/// The facts of a case's programme that can be found out about a subject (可核对的事实), in the order of the rule book.
pub fn facts_of<'a>(desk: &'a Desk, case: &Case, subject: Subject) -> Vec<&'a FactDef> {
    let of = match subject {
        Subject::Person(_) => Unit::Person,
        Subject::Household(_) => Unit::Household,
    };
    desk.book
        .facts()
        .filter(|def| def.of == of && asked(desk, &case.programme, &def.id))
        .collect()
}

fn record_of<'a>(
    case: &Case,
    sheet: &'a mut FactSheet,
    subject: Subject,
) -> Option<&'a mut Record> {
    match subject {
        Subject::Household(household) => {
            (household == case.household).then_some(&mut sheet.household)
        }
        Subject::Person(person) => {
            let key = person.to_string();
            let place = sheet.member_keys.iter().position(|known| *known == key)?;
            sheet.members.get_mut(place)
        }
    }
}

/// What is declared and what was found, fact by fact (申报与核对对照); `None` outside the scope. The case's page journals the
/// look.
///
/// # Errors
/// Faults of the database.
pub async fn compared(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
) -> anyhow::Result<Option<Vec<Compared>>> {
    let Some(row) = rows::case_row(db, scope, id.0).await? else {
        return Ok(None);
    };
    let case = Case::read(&row)?;
    let today = db.today();
    let Some(mut sheet) = sheet::sheet(db, scope, desk, case.household, db.now(), today).await?
    else {
        return Ok(None);
    };
    let people: Vec<PersonId> = sheet
        .member_keys
        .iter()
        .filter_map(|key| key.parse().ok())
        .collect();
    let mut found = Vec::new();
    for subject in [Subject::Household(case.household)]
        .into_iter()
        .chain(people.into_iter().map(Subject::Person))
    {
        let Some(record) = record_of(&case, &mut sheet, subject) else {
            continue;
        };
        for def in facts_of(desk, &case, subject) {
            let mut said = record.remove(&def.id).unwrap_or_default();
            said.sort_by_key(|one| (one.source != DECLARED, one.source.clone(), one.period.from));
            let differs = differs(&said, today);
            found.push(Compared {
                subject,
                fact: def.id.clone(),
                said,
                differs,
            });
        }
    }
    Ok(Some(found))
}

/// Whether two sources say different things of today, or, if none speaks of today, of the same days.
fn differs(said: &[DatedFact], today: NaiveDate) -> bool {
    let shared = |one: &DatedFact, other: &DatedFact| {
        one.period.holds(today) && other.period.holds(today) || one.period == other.period
    };
    said.iter().enumerate().any(|(at, one)| {
        said.iter().skip(at + 1).any(|other| {
            one.source != other.source && one.value != other.value && shared(one, other)
        })
    })
}

/// What the rule book would say with these findings (试算记入后的结果), nothing written; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn effect(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    findings: &[NewFinding],
) -> anyhow::Result<Option<Effect>> {
    Ok(effects(db, scope, desk, id, &[findings])
        .await?
        .pop()
        .flatten())
}

/// What the rule book would say with each of these sets of findings (逐项试算), the case read once; a set about somebody else has
/// no effect, and outside the scope there is none.
///
/// # Errors
/// Faults of the database.
pub async fn effects(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    sets: &[&[NewFinding]],
) -> anyhow::Result<Vec<Option<Effect>>> {
    let none = || sets.iter().map(|_| None).collect();
    let Some(row) = rows::case_row(db, scope, id.0).await? else {
        return Ok(none());
    };
    let case = Case::read(&row)?;
    let (now, today) = (db.now(), db.today());
    let Some(sheet) = sheet::sheet(db, scope, desk, case.household, now, today).await? else {
        return Ok(none());
    };
    let Some(before) = evaluated(desk, &case, &sheet, now, today) else {
        return Ok(none());
    };
    let with = |findings: &&[NewFinding]| {
        let sheet = with_findings(&case, sheet.clone(), findings, now)?;
        let after = evaluated(desk, &case, &sheet, now, today)?;
        Some(Effect {
            before: before.clone(),
            after,
        })
    };
    Ok(sets.iter().map(with).collect())
}

/// The facts with these findings in their place; `None` where one is about somebody else.
fn with_findings(
    case: &Case,
    mut sheet: FactSheet,
    findings: &[NewFinding],
    now: DateTime<Utc>,
) -> Option<FactSheet> {
    for new in findings {
        let record = record_of(case, &mut sheet, new.subject)?;
        let department = new.department.trim();
        let said = record.entry(new.fact.clone()).or_default();
        said.retain(|earlier| earlier.source != department || earlier.period != new.period);
        said.push(DatedFact {
            value: new.value.clone(),
            period: new.period,
            known_since: Some(now),
            source: department.to_owned(),
            evidence: None,
        });
    }
    Some(sheet)
}

fn evaluated(
    desk: &Desk,
    case: &Case,
    sheet: &FactSheet,
    now: DateTime<Utc>,
    today: NaiveDate,
) -> Option<Determination> {
    let ask = sheet::ask(case.region, &case.programme, now, today);
    let answers = desk.book.evaluate(sheet, &ask);
    sheet::Answer::pick(desk, sheet, answers, &case.programme, case.member)
        .map(|answer| answer.determination)
}

/// Takes a finding into a case (记入核对发现).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn take(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    new: NewFinding,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(row) = rows::case_row_for_change(tx, scope, id.0).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let case = Case::read(&row)?;
    if !is_of(tx, scope, desk, &case, new.subject, &new.fact).await? {
        return Ok(Err(Refused::NotOfTheCase));
    }
    if new.department.trim() == DECLARED {
        return Ok(Err(Refused::Declared));
    }
    let told = Told {
        act: FOUND,
        subject: new.subject,
        fact: new.fact.clone(),
        value: Some(new.value.clone()),
        department: new.department.trim().to_owned(),
        opinion: String::new(),
    };
    if let Err(refused) = record_finding(tx, scope, desk, new).await? {
        return Ok(Err(refused));
    }
    tell(tx, scope, row, told).await?;
    Ok(Ok(()))
}

/// Takes a wrong finding back (撤回核对发现): from now on that department says nothing for these days.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn withdraw(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    wrong: Withdrawal,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(row) = rows::case_row_for_change(tx, scope, id.0).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let case = Case::read(&row)?;
    if wrong.reason.trim().is_empty() {
        return Ok(Err(Refused::ReasonMissing));
    }
    if wrong.department == DECLARED {
        return Ok(Err(Refused::Declared));
    }
    if !is_of(tx, scope, desk, &case, wrong.subject, &wrong.fact).await? {
        return Ok(Err(Refused::NotOfTheCase));
    }
    let (now, today) = (tx.now(), tx.today());
    let sheet = sheet::sheet(tx, scope, desk, case.household, now, today).await?;
    let said = sheet.and_then(|mut sheet| {
        let record = record_of(&case, &mut sheet, wrong.subject)?;
        record.remove(&wrong.fact)
    });
    let stands = said
        .unwrap_or_default()
        .into_iter()
        .find(|one| one.source == wrong.department && one.period == wrong.period);
    let Some(stands) = stands else {
        return Ok(Err(Refused::NothingFound));
    };
    let (subject, fact, department) = (wrong.subject, &wrong.fact, &wrong.department);
    if let Err(refused) =
        registry::facts::withdraw_fact(tx, scope, subject, fact, department, wrong.period).await?
    {
        return Ok(Err(Refused::Register(refused)));
    }
    let told = Told {
        act: WITHDRAWN,
        subject,
        fact: wrong.fact.clone(),
        value: Some(stands.value),
        department: wrong.department.clone(),
        opinion: wrong.reason.trim().to_owned(),
    };
    tell(tx, scope, row, told).await?;
    Ok(Ok(()))
}

/// Whether a fact of a subject belongs to the case.
async fn is_of(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    case: &Case,
    subject: Subject,
    fact: &str,
) -> anyhow::Result<bool> {
    if !facts_of(desk, case, subject)
        .iter()
        .any(|def| def.id == fact)
    {
        return Ok(false);
    }
    let today = tx.today();
    Ok(match subject {
        Subject::Household(household) => household == case.household,
        Subject::Person(person) => {
            registry::households::household_view(tx, scope, case.household, today)
                .await?
                .is_some_and(|home| home.members.iter().any(|one| one.person.id == person))
        }
    })
}

/// What the timeline is told.
pub(super) struct Told {
    pub(super) act: &'static str,
    pub(super) subject: Subject,
    pub(super) fact: String,
    pub(super) value: Option<Value>,
    pub(super) department: String,
    pub(super) opinion: String,
}

/// Writes it into the timeline and the journal, and raises the case's version.
pub(super) async fn tell(
    tx: &mut Tx,
    scope: &Scope,
    mut row: tables::case::Model,
    told: Told,
) -> anyhow::Result<()> {
    let read_at = row.version;
    let region = row.region.parse().ok();
    let name = match told.subject {
        Subject::Household(_) => None,
        Subject::Person(person) => registry::people::rows(tx, scope, &[person])
            .await?
            .pop()
            .map(|person| access::mask_name(&person.name)),
    };
    let recorded = Recorded {
        fields: told
            .value
            .map(|value| BTreeMap::from([(told.fact.clone(), value)]))
            .unwrap_or_default(),
        items: name.into_iter().chain([told.department.clone()]).collect(),
        version: read_at,
        ..Recorded::default()
    };
    let step = rows::NewEvent {
        act: told.act.to_owned(),
        opinion: told.opinion,
        recorded,
        ..rows::NewEvent::default()
    };
    rows::insert_event(tx, scope, &row, step).await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: format!("casework.{}", told.act),
        subject_kind: "case".to_owned(),
        subject_id: row.id.to_string(),
        region,
        // The value stays out: the journal is read by more people than the record.
        detail: json!({ "number": row.number, "fact": told.fact, "department": told.department }),
    });
    row.version += 1;
    row.last_officer_id = Some(scope.actor.officer.0);
    row.last_officer = scope.actor.name.clone();
    row.updated_at = tx.now();
    anyhow::ensure!(
        rows::save_case(tx, row, read_at).await?,
        "a case changed while it was locked"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_two_sources_say_of_the_same_days_differs() {
        let today: NaiveDate = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap_or_default();
        let said = |source: &str, value, from: Option<&str>, until: Option<&str>| DatedFact {
            source: source.to_owned(),
            period: Period {
                from: from.and_then(|day| day.parse().ok()),
                until: until.and_then(|day| day.parse().ok()),
            },
            ..DatedFact::plain(Value::Int(value))
        };
        let table = [
            (
                "agreeing",
                vec![said(DECLARED, 1, None, None), said("银行", 1, None, None)],
                false,
            ),
            (
                "differing",
                vec![said(DECLARED, 1, None, None), said("银行", 2, None, None)],
                true,
            ),
            (
                "one source at two times",
                vec![
                    said("社保", 1, None, Some("2026-05-01")),
                    said("社保", 2, Some("2026-05-01"), None),
                ],
                false,
            ),
            (
                "of days gone by",
                vec![
                    said(DECLARED, 1, None, None),
                    said("社保", 2, None, Some("2026-01-01")),
                ],
                false,
            ),
        ];
        for (name, said, expected) in table {
            assert_eq!(differs(&said, today), expected, "{name}");
        }
    }
}
