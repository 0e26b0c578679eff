//! The whole rule about handing in (能否提交), without a database: who may apply for what, for whom, how, and whether
//! every question that must be answered is.

use super::{Refused, SubmitApplication};
use crate::desk::Desk;
use crate::form;
use crate::procedure::{Applies, MayApply};
use registry::households::Household;
use registry::people::PersonRow;
use std::collections::{BTreeMap, BTreeSet};
use vocab::FactSheet;
use vocab::ids::PersonId;

/// The whole rule, without a database.
pub(super) fn permitted(
    desk: &Desk,
    new: &SubmitApplication,
    home: &Household,
    people: &BTreeMap<PersonId, PersonRow>,
    declared: &FactSheet,
    today: chrono::NaiveDate,
) -> Result<(), Refused> {
    if new.choices.is_empty() {
        return Err(Refused::NothingChosen);
    }
    let is_member = |person: PersonId| home.members.iter().any(|member| member.person.id == person);
    let mut once = BTreeSet::new();
    for choice in &new.choices {
        let title = desk.title(&choice.programme).0;
        let Some(procedure) = desk.procedure(&choice.programme) else {
            return Err(Refused::UnknownProgramme(title));
        };
        if !once.insert(choice) {
            return Err(Refused::ChosenTwice(title));
        }
        match (procedure.applies, choice.member) {
            (Applies::Person, None) => return Err(Refused::MemberMissing(title)),
            (Applies::Household, Some(_)) => return Err(Refused::MemberNotWanted(title)),
            (Applies::Person, Some(member)) if !is_member(member) => {
                return Err(Refused::NotAMember);
            }
            _ => {}
        }
        if !procedure.may_apply.contains(&new.applied_by) {
            return Err(Refused::MayNotApply(title));
        }
        if !procedure.channels.contains(&new.channel) {
            return Err(Refused::ChannelClosed(title));
        }
    }
    if !people.contains_key(&new.applicant)
        || new
            .agent
            .as_ref()
            .is_some_and(|agent| !people.contains_key(&agent.person))
    {
        return Err(Refused::PersonUnknown);
    }
    // The agent acts for the applicant, who still must be one who may apply: a member of the household.
    if matches!(new.applied_by, MayApply::Member | MayApply::Agent) && !is_member(new.applicant) {
        return Err(Refused::ApplicantNotAMember);
    }
    match &new.agent {
        Some(agent) if agent.person == new.applicant => return Err(Refused::AgentIsApplicant),
        Some(agent) if agent.relation.trim().is_empty() => return Err(Refused::AgentMissing),
        None if new.applied_by == MayApply::Agent => return Err(Refused::AgentMissing),
        _ => {}
    }
    unanswered(desk, new, declared, today)
}

fn unanswered(
    desk: &Desk,
    new: &SubmitApplication,
    declared: &FactSheet,
    today: chrono::NaiveDate,
) -> Result<(), Refused> {
    let programmes: Vec<String> = new
        .choices
        .iter()
        .map(|choice| choice.programme.clone())
        .collect();
    let has = |record: &vocab::Record, fact: &str, is: Option<&[vocab::Value]>| {
        record.get(fact).is_some_and(|said| {
            said.iter().any(|fact| {
                fact.period.holds(today) && is.is_none_or(|is| is.contains(&fact.value))
            })
        })
    };
    for question in form::union(desk, &programmes)
        .iter()
        .flat_map(|page| &page.questions)
    {
        if !question.required {
            continue;
        }
        let whose = required_of(desk, new, &question.fact);
        let asked = |record: &vocab::Record| {
            question.when.as_ref().is_none_or(|when| {
                has(record, &when.fact, Some(&when.is))
                    || has(&declared.household, &when.fact, Some(&when.is))
            })
        };
        let open = match question.of {
            policy::Unit::Household => {
                asked(&declared.household) && !has(&declared.household, &question.fact, None)
            }
            policy::Unit::Organisation => false,
            policy::Unit::Person => declared.members.iter().enumerate().any(|(place, record)| {
                let meant = whose.as_ref().is_none_or(|chosen| {
                    let key = declared.member_keys.get(place);
                    key.is_none_or(|key| chosen.contains(key))
                });
                let born = record
                    .get("birth_date")
                    .and_then(|said| said.first())
                    .and_then(|fact| match fact.value {
                        vocab::Value::Date(day) => Some(day),
                        _ => None,
                    });
                meant
                    && question.asks_member(born, today)
                    && asked(record)
                    && !has(record, &question.fact, None)
            }),
        };
        if open {
            return Err(Refused::Unanswered(question.label_zh.clone()));
        }
    }
    Ok(())
}

/// Of whom a person's fact is required: where only programmes for single persons require it, of the persons chosen; `None`
/// means of everybody.
fn required_of(desk: &Desk, new: &SubmitApplication, fact: &str) -> Option<BTreeSet<String>> {
    let requires = |programme: &str| {
        desk.form(programme).is_some_and(|form| {
            let mut asks = form.pages.iter().flat_map(|page| &page.asks);
            asks.any(|ask| ask.required && ask.fact == fact)
        })
    };
    new.choices
        .iter()
        .filter(|choice| requires(&choice.programme))
        .map(|choice| choice.member.map(|member| member.to_string()))
        .collect()
}
