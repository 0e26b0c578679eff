//! Opening a case (立办件): its row, first clocks, first event, first task and the receipt letter.

use super::{Choice, SubmitApplication};
use crate::act::clocks::{self, Clocks};
use crate::desk::Desk;
use crate::letter::{self, Contents};
use crate::procedure::Procedure;
use crate::rows::insert;
use crate::{tables, task};
use access::{Scope, mask_name};
use anyhow::Context;
use registry::households::Household;
use registry::people::PersonRow;
use std::collections::BTreeMap;
use store::Tx;
use vocab::ids::{ApplicationId, CaseId, PersonId};

/// What a new case is made of.
pub(super) struct Opening<'a> {
    pub(super) application: ApplicationId,
    pub(super) choice: &'a Choice,
    pub(super) number: &'a str,
    pub(super) home: &'a Household,
    pub(super) people: &'a BTreeMap<PersonId, PersonRow>,
    pub(super) new: &'a SubmitApplication,
}

pub(super) async fn open(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    procedure: &Procedure,
    opening: &Opening<'_>,
    receipt_code: &str,
) -> anyhow::Result<CaseId> {
    let today = tx.today();
    let name = |person: PersonId| {
        opening
            .people
            .get(&person)
            .map(|row| row.name.clone())
            .unwrap_or_default()
    };
    let applicant = name(opening.new.applicant);
    let subject = opening
        .choice
        .member
        .map_or_else(|| applicant.clone(), name);
    let state = procedure
        .state(&procedure.start)
        .context("the start of a procedure is not one of its states")?;
    let mut case = tables::case::Model {
        id: tx.new_id(),
        number: opening.number.to_owned(),
        application_id: opening.application.0,
        programme: opening.choice.programme.clone(),
        household_id: opening.home.id.0,
        member_id: opening.choice.member.map(|member| member.0),
        applicant_id: opening.new.applicant.0,
        applicant_masked: mask_name(&applicant),
        subject_masked: mask_name(&subject),
        member_count: i64::try_from(opening.home.members.len()).context("counting members")?,
        region: opening.home.region.to_string(),
        state: state.id.clone(),
        kind: state.kind.word().to_owned(),
        queue: state
            .desk
            .map(access::Role::code)
            .unwrap_or_default()
            .to_owned(),
        version: 1,
        applied_on: today,
        accepted_on: None,
        decided_on: None,
        outcome: None,
        amount: None,
        determination_id: None,
        decision_id: None,
        entitlement_id: None,
        sampled: false,
        taken_over: false,
        due_on: None,
        warn_on: None,
        provisional: false,
        paused: false,
        last_officer_id: Some(scope.actor.officer.0),
        last_officer: scope.actor.name.clone(),
        updated_at: tx.now(),
    };
    let mut running = Clocks::none(&desk.calendar, today);
    running.after(procedure, "submit", &state.id, None);
    clocks::show(&running, &mut case);
    insert::<tables::case::Entity>(tx, case.clone()).await?;
    running.write(tx, case.id).await?;
    insert::<tables::event::Entity>(
        tx,
        tables::event::Model {
            id: tx.new_id(),
            case_id: case.id,
            seq: 1,
            act: "submit".to_owned(),
            at: tx.now(),
            on_day: today,
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            from_state: String::new(),
            to_state: state.id.clone(),
            opinion: String::new(),
            input: "{}".to_owned(),
            determination_id: None,
            decision_id: None,
        },
    )
    .await?;
    task::follow(tx, procedure, &case, scope.actor.officer, None).await?;
    if let Some(word) = &procedure.receipt {
        let contents = Contents {
            kind: word.clone(),
            programme: case.programme.clone(),
            case_no: case.number.clone(),
            date: today,
            applicant_id_masked: opening
                .people
                .get(&opening.new.applicant)
                .map(|row| row.document_masked.clone())
                .unwrap_or_default(),
            agent: opening
                .new
                .agent
                .as_ref()
                .map(|agent| (name(agent.person), agent.relation.clone())),
            applicant,
            subject,
            member_names: opening
                .home
                .members
                .iter()
                .map(|member| member.person.name.clone())
                .collect(),
            region: opening.home.region,
            address: opening.home.address.clone(),
            determination: None,
            amount: None,
            previous_amount: None,
            starts: None,
            grounds: Vec::new(),
            items: Vec::new(),
            supply_by: None,
            opinion: String::new(),
            act: (
                "submit".to_owned(),
                "提交申请".to_owned(),
                "Application received".to_owned(),
                Some(procedure.article.clone()),
            ),
            fields: Vec::new(),
            participants: Vec::new(),
            decision: None,
            remedies: false,
            receipt_code: receipt_code.to_owned(),
            publicity: None,
        };
        letter::write(tx, desk, case.id, 1, &contents).await?;
    }
    Ok(CaseId(case.id))
}
