//! What an act writes besides moving the case (行为的效果), one arm an effect.
//!
//! Everything here happens in the transaction of the act: a refusal of the ledger takes the whole act back.

use super::situation::Situation;
use super::{ActInput, Refused, clocks, money, permitted};
use crate::desk::Desk;
use crate::letter::{self, Contents, Filled};
use crate::procedure::{Act, Doer, Effect, FieldType, NoticeField, Procedure, TaskKind};
use crate::rows::{insert, save};
use crate::{form, receipt, rows, sample, sheet, tables, task};
use access::{Role, Scope};
use anyhow::Context;
use chrono::NaiveDate;
use policy::{Determination, Outcome};
use registry::people::PersonRow;
use sea_orm::EntityTrait;
use std::collections::BTreeMap;
use store::Tx;
use uuid::Uuid;
use vocab::ids::{ApplicationId, CaseId, DecisionId, NoticeId, PersonId};
use vocab::{Month, Value};

/// What an act brought about.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The determination stored.
    pub(crate) determination: Option<Uuid>,
    /// The decision taken.
    pub(crate) decision: Option<DecisionId>,
    /// The first month it speaks about.
    pub(crate) from: Option<Month>,
    /// The notice posted.
    pub(crate) notice: Option<NoticeId>,
    /// Its last full day.
    pub(crate) notice_ends: Option<NaiveDate>,
}

/// Under eighteen on a day; nobody knows means no.
pub(crate) fn is_minor(person: &PersonRow, on: NaiveDate) -> bool {
    person
        .birth_date
        .is_some_and(|born| form::full_years(born, on) < 18)
}

#[expect(
    clippy::too_many_arguments,
    reason = "one act's whole circumstances; a struct would only be unpacked again"
)]
pub(crate) async fn apply(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    row: &mut tables::case::Model,
    situation: &Situation<'_>,
    act: &Act,
    input: &ActInput,
    done: &mut Done,
) -> anyhow::Result<Result<(), Refused>> {
    let today = tx.today();
    if permitted::keeps_answer(act)
        && let Some(answer) = &situation.answer
    {
        let id = sheet::keep(tx, row.id, answer).await?;
        done.determination = Some(id);
        row.determination_id = Some(id);
        row.outcome = Some(answer.determination.outcome.word().to_owned());
        // Until it is in force, the case shows what it would be; afterwards only a decision changes the amount.
        if row.entitlement_id.is_none() {
            row.amount = answer.determination.amount.map(|amount| amount.fen());
        }
    }
    match act.effect {
        Effect::Accept => row.accepted_on = Some(today),
        Effect::StartPublicity => start_publicity(tx, scope, desk, row, situation, done).await?,
        Effect::EndPublicity => take_down(tx, row.id).await?,
        Effect::Object => object(tx, row, situation, input, "officer").await?,
        Effect::SettleObjection => settle(tx, scope, row.id, input).await?,
        Effect::Appeal => {
            let role = desk_of(situation.procedure, Effect::AnswerAppeal);
            task::open(tx, row, TaskKind::Appeal, role, task::Due::default(), "").await?;
        }
        Effect::Grant
        | Effect::Change
        | Effect::Refuse
        | Effect::Stop
        | Effect::Suspend
        | Effect::Resume
        | Effect::Overturn => {
            return money::decide(tx, scope, desk, row, situation, act, input, done).await;
        }
        Effect::None
        | Effect::RequestSupplement
        | Effect::Supply
        | Effect::Determine
        | Effect::Hear
        | Effect::Withdraw
        | Effect::Terminate
        | Effect::AnswerAppeal
        | Effect::Extend => {}
    }
    Ok(Ok(()))
}

/// The officers' role that can do an effect, for the task that asks for it.
fn desk_of(procedure: &Procedure, effect: Effect) -> Option<Role> {
    procedure
        .acts
        .iter()
        .filter(|act| act.effect == effect)
        .flat_map(|act| &act.roles)
        .find_map(|doer| match doer {
            Doer::Officer(role) => Some(*role),
            Doer::Public => None,
        })
}

async fn start_publicity(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    row: &tables::case::Model,
    situation: &Situation<'_>,
    done: &mut Done,
) -> anyhow::Result<()> {
    let rule = situation
        .procedure
        .publicity
        .as_ref()
        .context("a procedure without a publicity rule was let through")?;
    let today = tx.today();
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    let applicant = registry::people::rows(tx, &wide, &[situation.case.applicant])
        .await?
        .pop();
    // S-57 art. 24: name, number of members, amount; a child's name is never shown.
    let name = applicant
        .filter(|person| rule.fields.contains(&NoticeField::Name) && !is_minor(person, today))
        .map(|person| person.name)
        .unwrap_or_default();
    let ends_on = desk.calendar.add_days_rolled(today, rule.days).date();
    let notice = tables::notice::Model {
        id: tx.new_id(),
        case_id: row.id,
        programme: row.programme.clone(),
        region: row.region.clone(),
        place: crate::case::to_word(rule.place),
        fields: serde_json::to_string(&rule.fields)?,
        name,
        member_count: row.member_count,
        amount: situation
            .answer
            .as_ref()
            .and_then(|answer| answer.determination.amount)
            .map(|amount| amount.fen()),
        article: rule.article.to_string(),
        posted_on: today,
        ends_on,
        taken_down_on: None,
    };
    done.notice = Some(NoticeId(notice.id));
    done.notice_ends = Some(ends_on);
    insert::<tables::notice::Entity>(tx, notice).await
}

/// Takes every notice of a case down (撤下公示).
pub(crate) async fn take_down(tx: &Tx, case: Uuid) -> anyhow::Result<()> {
    for mut notice in rows::notices(tx, case).await? {
        if notice.taken_down_on.is_none() {
            notice.taken_down_on = Some(tx.today());
            save::<tables::notice::Entity>(tx, notice).await?;
        }
    }
    Ok(())
}

/// Registers an objection (登记异议) and opens the task to settle it.
pub(crate) async fn object(
    tx: &Tx,
    row: &tables::case::Model,
    situation: &Situation<'_>,
    input: &ActInput,
    channel: &str,
) -> anyhow::Result<()> {
    let said = if input.said.trim().is_empty() {
        &input.opinion
    } else {
        &input.said
    };
    let notice = rows::notices(tx, row.id).await?.pop();
    insert::<tables::objection::Entity>(
        tx,
        tables::objection::Model {
            id: tx.new_id(),
            case_id: row.id,
            notice_id: notice.map(|notice| notice.id),
            channel: channel.to_owned(),
            said: tx.keys().seal(said.trim()),
            contact: input
                .contact
                .as_deref()
                .map(str::trim)
                .filter(|contact| !contact.is_empty())
                .map(|contact| tx.keys().seal(contact)),
            at: tx.now(),
            on_day: tx.today(),
            settled_on: None,
            settlement: None,
        },
    )
    .await?;
    let role = desk_of(situation.procedure, Effect::SettleObjection);
    task::open(tx, row, TaskKind::Objection, role, task::Due::default(), "").await?;
    Ok(())
}

async fn settle(tx: &Tx, scope: &Scope, case: Uuid, input: &ActInput) -> anyhow::Result<()> {
    for mut objection in rows::objections(tx, case).await? {
        if objection.settled_on.is_none() {
            objection.settled_on = Some(tx.today());
            objection.settlement = Some(input.opinion.trim().to_owned());
            save::<tables::objection::Entity>(tx, objection).await?;
        }
    }
    task::close(tx, case, scope.actor.officer, |kind| {
        kind == TaskKind::Objection
    })
    .await
}

/// What follows the act for others: the draw for checking.
pub(crate) async fn after(
    tx: &Tx,
    desk: &Desk,
    row: &mut tables::case::Model,
    procedure: &Procedure,
    act: &Act,
    today: NaiveDate,
) -> anyhow::Result<()> {
    if let Some(rule) = &procedure.sampling
        && rule.on == act.id
        && sample::is_drawn(CaseId(row.id), rule.rate_percent)
    {
        let due = match rule.within {
            Some(within) => clocks::due_in(&desk.calendar, today, within)?,
            None => task::Due::default(),
        };
        task::open(tx, row, TaskKind::Sample, Some(rule.desk), due, "").await?;
        row.sampled = true;
        save::<tables::case::Entity>(tx, row.clone()).await?;
    }
    Ok(())
}

/// Writes the letter of an act down (出具文书).
#[expect(
    clippy::too_many_arguments,
    reason = "one act's whole circumstances; a struct would only be unpacked again"
)]
pub(crate) async fn letter(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    row: &tables::case::Model,
    situation: &Situation<'_>,
    act: &Act,
    input: &ActInput,
    word: &str,
    seq: i64,
    done: &Done,
) -> anyhow::Result<Uuid> {
    let case = &situation.case;
    let today = tx.today();
    let application = tables::application::Entity::find_by_id(case.application.0)
        .one(tx.conn())
        .await
        .context("reading an application")?
        .context("a case without its application")?;
    let home = registry::households::household_view(tx, scope, case.household, today).await?;
    let wide = Scope {
        region: desk.book.place().division,
        ..scope.clone()
    };
    let mut wanted = vec![case.applicant];
    wanted.extend(case.member);
    wanted.extend(application.agent_id.map(PersonId));
    let members = situation
        .answer
        .as_ref()
        .map(|answer| answer.members.clone())
        .unwrap_or_default();
    wanted.extend(&members);
    let people: BTreeMap<PersonId, PersonRow> = registry::people::rows(tx, &wide, &wanted)
        .await?
        .into_iter()
        .map(|person| (person.id, person))
        .collect();
    let name = |person: PersonId| {
        people
            .get(&person)
            .map(|row| row.name.clone())
            .unwrap_or_default()
    };
    let determination: Option<Determination> = match &situation.answer {
        Some(answer) => Some(answer.determination.clone()),
        None => match row.determination_id {
            Some(id) => sheet::kept(tx, id).await?,
            None => None,
        },
    };
    let member_names = if members.is_empty() {
        home.iter()
            .flat_map(|home| &home.members)
            .map(|member| member.person.name.clone())
            .collect()
    } else {
        members.iter().map(|member| name(*member)).collect()
    };
    // A refusal or stop on a chosen ground still shows what the rules said, but not as an amount to be paid.
    let met = determination
        .as_ref()
        .is_some_and(|found| found.outcome == Outcome::Met);
    let amount = row.amount.map(vocab::Money::from_fen).filter(|_| met);
    let notice = rows::notices(tx, row.id).await?.pop();
    let contents = Contents {
        kind: word.to_owned(),
        programme: case.programme.clone(),
        case_no: case.number.clone(),
        date: today,
        applicant: name(case.applicant),
        applicant_id_masked: people
            .get(&case.applicant)
            .map(|row| row.document_masked.clone())
            .unwrap_or_default(),
        agent: application.agent_id.map(|agent| {
            (
                name(PersonId(agent)),
                application.agent_relation.clone().unwrap_or_default(),
            )
        }),
        subject: name(case.member.unwrap_or(case.applicant)),
        member_names,
        region: case.region,
        address: home.map(|home| home.address).unwrap_or_default(),
        amount,
        previous_amount: case.amount.filter(|_| case.entitlement.is_some()),
        starts: done.from,
        grounds: act
            .grounds
            .iter()
            .filter(|ground| input.grounds.contains(&ground.id))
            .map(|ground| (ground.zh.clone(), ground.en.clone(), ground.article.clone()))
            .collect(),
        items: input
            .items
            .iter()
            .map(|item| item.trim().to_owned())
            .filter(|item| !item.is_empty())
            .collect(),
        supply_by: row
            .due_on
            .filter(|_| act.effect == Effect::RequestSupplement),
        opinion: input.opinion.trim().to_owned(),
        act: (
            act.id.clone(),
            act.zh.clone(),
            act.en.clone(),
            act.article.clone(),
        ),
        fields: filled(act, input),
        participants: input
            .participants
            .iter()
            .map(|one| one.name.clone())
            .collect(),
        decision: done.decision.map(|_| {
            (
                format!("{}-{seq}", case.number),
                act.effect.word().to_owned(),
            )
        }),
        remedies: done.decision.is_some() || act.effect.answers_appeal(),
        receipt_code: receipt::code(tx.keys(), ApplicationId(application.id)),
        publicity: notice.map(|notice| (notice.posted_on, notice.ends_on)),
        determination,
    };
    letter::write(tx, desk, row.id, seq, &contents).await
}

fn filled(act: &Act, input: &ActInput) -> Vec<Filled> {
    act.fields
        .iter()
        .filter_map(|field| {
            let value = input.fields.get(&field.id)?;
            let both = |text: String| (text.clone(), text);
            let (shown_zh, shown_en) = match (field.kind, value) {
                (_, Value::Bool(true)) => ("是".to_owned(), "yes".to_owned()),
                (_, Value::Bool(false)) => ("否".to_owned(), "no".to_owned()),
                (FieldType::Money, Value::Int(fen)) => {
                    both(vocab::Money::from_fen(*fen).to_string())
                }
                (FieldType::Code, Value::Text(code)) => {
                    field.codes.iter().find(|one| one.id == *code).map_or_else(
                        || both(code.clone()),
                        |one| (one.zh.clone(), one.en.clone()),
                    )
                }
                (_, Value::Int(number)) => both(number.to_string()),
                (_, Value::Date(day)) => both(day.to_string()),
                (_, Value::Text(text)) => both(text.clone()),
            };
            Some(Filled {
                zh: field.zh.clone(),
                en: field.en.clone(),
                shown_zh,
                shown_en,
            })
        })
        .collect()
}
