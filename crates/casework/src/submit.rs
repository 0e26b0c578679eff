//! Handing in an application (提交申请): one form becomes facts and a case for each programme chosen.
//!
//! Guarantees: the same key and content twice is one application with one answer, however often and from however many
//! windows at once; the same key with another content is refused; what was declared is recorded with its source before
//! anything rests on it; an agent's application names both people. Deliberately absent: judging the answers.

mod open;
mod permitted;
pub mod refused;

pub use refused::Refused;

use crate::desk::Desk;
use crate::draft::{self, Answers};
use crate::procedure::{Channel, MayApply, StateKind};
use crate::rows::insert;
use crate::{case::to_word, number, receipt, sheet, tables};
use access::Scope;
use anyhow::Context;
use open::{Opening, open};
use permitted::permitted;
use registry::households::Household;
use registry::people::PersonRow;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::keys::sm3_hex;
use store::{Event, Tx};
use uuid::Uuid;
use vocab::FactSheet;
use vocab::ids::{ApplicationId, CaseId, PersonId};

/// One programme asked for (申请事项).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Choice {
    /// The programme.
    pub programme: String,
    /// For whom, where the programme is about one person.
    pub member: Option<PersonId>,
}

/// Who hands it in for the applicant (代办人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Who.
    pub person: PersonId,
    /// How they stand to the applicant.
    pub relation: String,
}

/// An application to be handed in (提交内容).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitApplication {
    /// The key that makes it one, drawn when the page was shown.
    pub key: String,
    /// The draft.
    pub draft: Uuid,
    /// What is asked for.
    pub choices: Vec<Choice>,
    /// Who applies.
    pub applicant: PersonId,
    /// In which capacity.
    pub applied_by: MayApply,
    /// Who hands it in for the applicant.
    pub agent: Option<Agent>,
    /// How it arrived.
    pub channel: Channel,
}

/// What was handed in (提交结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The application.
    pub application: ApplicationId,
    /// Its cases with their numbers.
    pub cases: Vec<(CaseId, String)>,
    /// The receipt code.
    pub receipt_code: String,
}

/// Hands in an application (提交申请). On a refusal drop the transaction.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn submit(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: SubmitApplication,
) -> anyhow::Result<Result<Submitted, Refused>> {
    if new.key.trim().is_empty() {
        return Ok(Err(Refused::KeyMissing));
    }
    let key = format!("{}:{}", scope.actor.officer, new.key.trim());
    if let Some(answer) = claim_key(tx, &key, &new).await? {
        return Ok(answer);
    }
    let answer = take(tx, scope, desk, &new).await?;
    match &answer {
        Ok(submitted) => {
            tables::submission::Entity::update_many()
                .col_expr(
                    tables::submission::Column::Answer,
                    Expr::value(serde_json::to_string(submitted)?),
                )
                .filter(tables::submission::Column::Key.eq(key))
                .exec(tx.conn())
                .await
                .context("keeping the answer of a submission")?;
        }
        Err(_) => {
            // Whoever mends what was wrong may submit again under the same key.
            tables::submission::Entity::delete_by_id(key)
                .exec(tx.conn())
                .await
                .context("giving a key back")?;
        }
    }
    Ok(answer)
}

/// Takes the key, waiting for anybody who holds it; the earlier answer if it was used.
async fn claim_key(
    tx: &Tx,
    key: &str,
    new: &SubmitApplication,
) -> anyhow::Result<Option<Result<Submitted, Refused>>> {
    let body_sm3 = sm3_hex(serde_json::to_string(new)?.as_bytes());
    let row = tables::submission::Model {
        key: key.to_owned(),
        body_sm3: body_sm3.clone(),
        answer: None,
        at: tx.now(),
    };
    let claimed = tables::submission::Entity::insert(row.into_active_model())
        .on_conflict(
            OnConflict::column(tables::submission::Column::Key)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await;
    match claimed {
        Ok(1) => return Ok(None),
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
        Err(fault) => return Err(fault).context("taking the key of a submission"),
    }
    let earlier = tables::submission::Entity::find_by_id(key)
        .one(tx.conn())
        .await
        .context("reading an earlier submission")?
        .context("a submission's key was taken and given back at the same moment; try again")?;
    if earlier.body_sm3 != body_sm3 {
        return Ok(Some(Err(Refused::KeyReused)));
    }
    let answer = earlier
        .answer
        .context("an earlier submission has no answer")?;
    Ok(Some(Ok(
        serde_json::from_str(&answer).context("reading the answer of an earlier submission")?
    )))
}

async fn take(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: &SubmitApplication,
) -> anyhow::Result<Result<Submitted, Refused>> {
    let today = tx.today();
    let Some(row) = draft::row(tx, scope, new.draft).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if row.submitted_at.is_some() {
        return Ok(Err(Refused::AlreadySubmitted));
    }
    let draft = draft::read(row)?;
    let Some(home) =
        registry::households::household_view(tx, scope, draft.household, today).await?
    else {
        return Ok(Err(Refused::NotThere));
    };
    let mut wanted = vec![new.applicant];
    wanted.extend(new.agent.as_ref().map(|agent| agent.person));
    let mut people: BTreeMap<PersonId, PersonRow> = home
        .members
        .iter()
        .map(|member| (member.person.id, member.person.clone()))
        .collect();
    // A guardian, an agent or an organisation's clerk may live anywhere in the place.
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    people.extend(
        registry::people::rows(tx, &wide, &wanted)
            .await?
            .into_iter()
            .map(|row| (row.id, row)),
    );
    let Some(known) = sheet::sheet(tx, scope, desk, home.id, tx.now(), today).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let mut declared = known.clone();
    draft::lay_over(&mut declared, &draft.answers);
    if let Err(refused) = permitted(desk, new, &home, &people, &declared, today) {
        return Ok(Err(refused));
    }
    for choice in &new.choices {
        if let Some(number) = open_case(tx, choice, home.id.0).await? {
            return Ok(Err(Refused::AlreadyOpen {
                programme: desk.title(&choice.programme).0,
                number,
            }));
        }
    }
    // Two windows handing in one draft: one of them finds it handed in.
    let closed = tables::draft::Entity::update_many()
        .col_expr(tables::draft::Column::SubmittedAt, Expr::value(tx.now()))
        .filter(tables::draft::Column::Id.eq(new.draft))
        .filter(tables::draft::Column::SubmittedAt.is_null())
        .exec(tx.conn())
        .await
        .context("closing a draft")?;
    if closed.rows_affected == 0 {
        return Ok(Err(Refused::AlreadySubmitted));
    }
    draft::merge::forget(tx, new.draft).await?;
    if let Err(refused) = record_answers(tx, scope, desk, &home, &known, &draft.answers).await? {
        return Ok(Err(refused));
    }
    let application = ApplicationId(tx.new_id());
    let receipt_code = receipt::code(tx.keys(), application);
    insert::<tables::application::Entity>(
        tx,
        tables::application::Model {
            id: application.0,
            household_id: home.id.0,
            region: home.region.to_string(),
            applicant_id: new.applicant.0,
            applied_by: to_word(new.applied_by),
            agent_id: new.agent.as_ref().map(|agent| agent.person.0),
            agent_relation: new
                .agent
                .as_ref()
                .map(|agent| agent.relation.trim().to_owned()),
            channel: to_word(new.channel),
            receipt_key: receipt::key(tx.keys(), &receipt_code),
            answers: serde_json::to_string(&draft.answers)?,
            submitted_at: tx.now(),
            submitted_on: today,
            officer_id: scope.actor.officer.0,
        },
    )
    .await?;
    let numbers = number::next_numbers(tx, &desk.case_prefix, new.choices.len()).await?;
    let mut cases = Vec::with_capacity(new.choices.len());
    for (choice, number) in new.choices.iter().zip(numbers) {
        let procedure = desk
            .procedure(&choice.programme)
            .context("a programme without a procedure was let through")?;
        let opening = Opening {
            application,
            choice,
            number: &number,
            home: &home,
            people: &people,
            new,
        };
        let case = open(tx, scope, desk, procedure, &opening, &receipt_code).await?;
        cases.push((case, number));
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.submit".to_owned(),
        subject_kind: "application".to_owned(),
        subject_id: application.to_string(),
        region: Some(home.region),
        detail: json!({
            "cases": cases.iter().map(|(id, number)| json!({ "id": id, "number": number })).collect::<Vec<_>>(),
            "programmes": new.choices.iter().map(|choice| &choice.programme).collect::<Vec<_>>(),
            "by_agent": new.agent.is_some(),
        }),
    });
    Ok(Ok(Submitted {
        application,
        cases,
        receipt_code,
    }))
}

/// The number of a case of the same programme and subject that has not ended.
async fn open_case(tx: &Tx, choice: &Choice, household: Uuid) -> anyhow::Result<Option<String>> {
    let mut query = tables::case::Entity::find()
        .filter(tables::case::Column::Programme.eq(&choice.programme))
        .filter(tables::case::Column::Kind.ne(StateKind::Final.word()));
    query = match choice.member {
        Some(member) => query.filter(tables::case::Column::MemberId.eq(member.0)),
        None => query
            .filter(tables::case::Column::HouseholdId.eq(household))
            .filter(tables::case::Column::MemberId.is_null()),
    };
    Ok(query
        .one(tx.conn())
        .await
        .context("looking for an open case")?
        .map(|row| row.number))
}

/// Records what was declared and not known so before.
async fn record_answers(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    home: &Household,
    known: &FactSheet,
    answers: &Answers,
) -> anyhow::Result<Result<(), Refused>> {
    let nothing = vocab::Record::new();
    let mut new = Vec::new();
    let is_new = |record: &vocab::Record, fact: &str, answer: &draft::Answer| {
        // What the register keeps itself is asked to be looked at, not to be said again.
        let kept = registry::facts::FROM_THE_REGISTER.contains(&fact);
        !record.get(fact).is_some_and(|said| {
            said.iter().any(|fact| {
                let same_source =
                    fact.source == answer.source() && fact.period == answer.fact().period;
                fact.value == answer.value && (kept || same_source)
            })
        })
    };
    for (fact, answer) in &answers.household {
        if is_new(&known.household, fact, answer) {
            new.push((registry::Subject::Household(home.id), fact, answer));
        }
    }
    for (person, answered) in &answers.members {
        let record = known
            .member_keys
            .iter()
            .position(|key| *key == person.to_string())
            .and_then(|place| known.members.get(place))
            .unwrap_or(&nothing);
        if !home
            .members
            .iter()
            .any(|member| member.person.id == *person)
        {
            return Ok(Err(Refused::NotAMember));
        }
        for (fact, answer) in answered {
            if is_new(record, fact, answer) {
                new.push((registry::Subject::Person(*person), fact, answer));
            }
        }
    }
    for (subject, fact, answer) in new {
        if let Err(refused) = registry::record_fact(tx, scope, subject, fact, answer.fact()).await?
        {
            let fact = desk
                .book
                .fact(fact)
                .map_or_else(|| fact.clone(), |found| found.label_zh.clone());
            return Ok(Err(Refused::NotRecorded {
                fact,
                sentence: refused.to_string(),
            }));
        }
    }
    Ok(Ok(()))
}
