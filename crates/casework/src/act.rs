//! Doing an act on a case (办理): what the procedure allows, by whom, with what it needs; then what it does.
//!
//! One door for every act, because acts are data: accept, ask for papers, visit, propose, publish, object, confirm,
//! refuse, suspend, resume, hear, change, stop, appeal. Reading order: [`refused`] (why not), [`situation`] (what the
//! decision sees), [`permitted`] (the whole rule, without a database), [`clocks`], [`effect`](self) (what it writes).
//!
//! Guarantees: an act names the version of the case it saw and is refused if somebody was faster; who may not do it,
//! cannot, by another role or region either; nothing is written when it is refused. On a refusal the caller drops the
//! transaction. Deliberately absent: what a benefit is; amounts and outcomes come from the rule book.

pub mod clocks;
mod effect;
mod money;
mod overturn;
pub mod permitted;
pub mod refused;
pub mod situation;

pub(crate) use effect::object;
pub use refused::Refused;

use crate::case::{Case, CaseState, Participant, Recorded};
use crate::desk::Desk;
use crate::procedure::{Effect, StateKind};
use crate::rows::{case_row_for_change, insert, save_case};
use crate::{review, sheet, tables, task};
use access::Scope;
use anyhow::Context;
use effect::Done;
use serde_json::json;
use situation::Situation;
use std::collections::BTreeMap;
use store::{Event, Tx};
use vocab::ids::CaseId;
use vocab::{DatedFact, Month, Period, Value};

/// What is filled in with an act (办理内容).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActInput {
    /// The version of the case the officer saw.
    pub expected_version: i64,
    /// The opinion.
    pub opinion: String,
    /// Who took part.
    pub participants: Vec<Participant>,
    /// The act's fields.
    pub fields: BTreeMap<String, Value>,
    /// The grounds chosen.
    pub grounds: Vec<String>,
    /// Everything the applicant is asked for (一次性告知).
    pub items: Vec<String>,
    /// What an objection or appeal says.
    pub said: String,
    /// How to reach who said it.
    pub contact: Option<String>,
    /// The first month, where the act says one (suspend, resume, change, stop); `None`: next month.
    pub from: Option<Month>,
}

/// Does an act on a case (办理). On a refusal drop the transaction.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn act(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
    act_id: &str,
    input: ActInput,
) -> anyhow::Result<Result<CaseState, Refused>> {
    let Some(row) = case_row_for_change(tx, scope, id.0).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let case = Case::read(&row)?;
    if case.version != input.expected_version {
        return Ok(Err(Refused::Changed {
            now: case.version,
            by: case.last_officer.clone(),
        }));
    }
    let Some(procedure) = desk.procedure(&case.programme) else {
        return Ok(Err(Refused::NoProcedure));
    };
    let Some(chosen) = procedure.act(act_id) else {
        return Ok(Err(Refused::UnknownAct(act_id.to_owned())));
    };

    let mut situation = Situation::load(tx, scope, desk, procedure, case).await?;
    if let Some(first) = permitted::hindrances(&situation, chosen, &scope.actor)
        .into_iter()
        .next()
    {
        return Ok(Err(first));
    }
    if let Some(first) = permitted::incomplete(chosen, &input).into_iter().next() {
        return Ok(Err(first));
    }
    // What the act finds out is known before the rule book is asked.
    if let Err(refused) = record_fields(tx, scope, &situation, chosen, &input).await? {
        return Ok(Err(refused));
    }
    if permitted::asks_rule_book(chosen) {
        let today = tx.today();
        situation.answer = sheet::answer(tx, scope, desk, &situation.case, tx.now(), today).await?;
    }
    if let Some(first) = permitted::unfounded(&situation, chosen, &input)
        .into_iter()
        .next()
    {
        return Ok(Err(first));
    }
    carry_out(tx, scope, desk, row, &situation, chosen, input).await
}

async fn record_fields(
    tx: &mut Tx,
    scope: &Scope,
    situation: &Situation<'_>,
    chosen: &crate::procedure::Act,
    input: &ActInput,
) -> anyhow::Result<Result<(), Refused>> {
    for field in &chosen.fields {
        let (Some(fact), Some(value)) = (&field.fact, input.fields.get(&field.id)) else {
            continue;
        };
        let subject = crate::case::subject(&situation.case, situation.procedure.applies);
        let given = DatedFact {
            value: value.clone(),
            period: Period::ALWAYS,
            known_since: None,
            source: chosen.zh.clone(),
            evidence: Some(situation.case.number.clone()),
        };
        if let Err(refused) = registry::record_fact(tx, scope, subject, fact, given).await? {
            return Ok(Err(Refused::NotRecorded {
                field: field.zh.clone(),
                sentence: refused.to_string(),
            }));
        }
    }
    Ok(Ok(()))
}

async fn carry_out(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    mut row: tables::case::Model,
    situation: &Situation<'_>,
    chosen: &crate::procedure::Act,
    input: ActInput,
) -> anyhow::Result<Result<CaseState, Refused>> {
    let read_at = row.version;
    let today = tx.today();
    let procedure = situation.procedure;
    let from_state = row.state.clone();
    let to_state = chosen.to.clone().unwrap_or_else(|| from_state.clone());
    let state = procedure
        .state(&to_state)
        .context("an act leads to a state its procedure does not have")?;
    let seq = situation.next_seq();

    row.state = to_state.clone();
    row.kind = state.kind.word().to_owned();
    row.queue = state
        .desk
        .map(access::Role::code)
        .unwrap_or_default()
        .to_owned();
    row.version += 1;
    row.last_officer_id = Some(scope.actor.officer.0);
    row.last_officer = scope.actor.name.clone();
    row.updated_at = tx.now();

    let mut done = Done::default();
    if let Err(refused) = effect::apply(
        tx, scope, desk, &mut row, situation, chosen, &input, &mut done,
    )
    .await?
    {
        return Ok(Err(refused));
    }
    if situation.kind() == StateKind::Publicity && state.kind != StateKind::Publicity {
        effect::take_down(tx, row.id).await?;
    }
    let mut running = situation.clocks.clone();
    if chosen.effect == Effect::Extend {
        running.extend(procedure, chosen.clock.as_deref());
    }
    running.after(procedure, &chosen.id, &to_state, done.notice_ends);
    clocks::show(&running, &mut row);
    running.write(tx, row.id).await?;

    if !save_case(tx, row.clone(), read_at).await? {
        return Ok(Err(Refused::Changed {
            now: read_at + 1,
            by: String::new(),
        }));
    }
    let opinion = match chosen.effect {
        // What somebody says against a decision is kept where it can be read by who answers it.
        Effect::Appeal => [&*input.said, &*input.opinion]
            .map(str::trim)
            .into_iter()
            .filter(|said| !said.is_empty())
            .collect::<Vec<_>>()
            .join("\n"),
        _ => input.opinion.trim().to_owned(),
    };
    let recorded = Recorded {
        participants: input.participants.clone(),
        fields: input.fields.clone(),
        grounds: input.grounds.clone(),
        items: input.items.clone(),
        version: read_at,
    };
    insert::<tables::event::Entity>(
        tx,
        tables::event::Model {
            id: tx.new_id(),
            case_id: row.id,
            seq,
            act: chosen.id.clone(),
            at: tx.now(),
            on_day: today,
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            from_state: from_state.clone(),
            to_state: to_state.clone(),
            opinion,
            input: serde_json::to_string(&recorded)?,
            determination_id: done.determination,
            decision_id: done.decision.map(|decision| decision.0),
        },
    )
    .await?;
    if !chosen.closes.is_empty() {
        task::close(tx, row.id, scope.actor.officer, |kind| {
            chosen.closes.contains(&kind)
        })
        .await?;
    }
    task::follow(
        tx,
        procedure,
        &row,
        scope.actor.officer,
        done.notice_ends.or(situation.notice_ends()),
    )
    .await?;
    effect::after(tx, desk, &mut row, procedure, chosen, today).await?;
    let acted = review::follow::Acted {
        row: &row,
        procedure,
        act: chosen,
        answer: situation.answer.as_ref(),
        determination: done.determination,
    };
    review::follow::after_act(tx, scope, desk, &acted).await?;
    let letter = match &chosen.letter {
        Some(word) => Some(
            effect::letter(
                tx, scope, desk, &row, situation, chosen, &input, word, seq, &done,
            )
            .await?,
        ),
        None => None,
    };
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: format!("casework.{}", chosen.effect.word()),
        subject_kind: "case".to_owned(),
        subject_id: row.id.to_string(),
        region: Some(situation.case.region),
        detail: json!({
            "number": row.number,
            "act": chosen.id,
            "from": from_state,
            "to": to_state,
            "version": row.version,
            "determination": done.determination,
            "decision": done.decision,
            "participants": input.participants.len(),
        }),
    });
    Ok(Ok(CaseState {
        id: CaseId(row.id),
        state: to_state,
        version: row.version,
        decision: done.decision,
        letter,
        notice: done.notice,
    }))
}
