//! The rows of many cases taken over (批量写入), gathered and written together.
//!
//! When the old system last looked at them nobody knows, so the next periodic review counts from today.

use super::{Prepared, TakeOver};
use crate::case::to_word;
use crate::desk::Desk;
use crate::procedure::{Channel, MayApply};
use crate::review::schedule;
use crate::rows::insert_all;
use crate::sheet::certificate;
use crate::{receipt, tables};
use access::{Scope, mask_name};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use store::Tx;
use vocab::ids::{ApplicationId, CaseId, EntitlementId};

/// Rows of many cases, written together.
#[derive(Default)]
pub(super) struct Batch {
    applications: Vec<tables::application::Model>,
    cases: Vec<tables::case::Model>,
    determinations: Vec<tables::determination::Model>,
    decisions: Vec<tables::decision::Model>,
    events: Vec<tables::event::Model>,
    reviews: Vec<tables::review::Model>,
}

impl Batch {
    #[expect(
        clippy::too_many_arguments,
        reason = "one recipient's whole circumstances, used once"
    )]
    pub(super) fn add(
        &mut self,
        tx: &Tx,
        scope: &Scope,
        desk: &Desk,
        one: &TakeOver,
        prepared: Prepared,
        right: EntitlementId,
        number: String,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> anyhow::Result<CaseId> {
        let procedure = desk
            .procedure(&one.programme)
            .context("a programme without a procedure was let through")?;
        let state = procedure
            .in_force()
            .context("a procedure without a state in force was let through")?;
        let application = ApplicationId(tx.new_id());
        let case = CaseId(tx.new_id());
        let region = prepared.region.to_string();
        let receipt_code = receipt::code(tx.keys(), application);
        self.applications.push(tables::application::Model {
            id: application.0,
            household_id: one.household.0,
            region: region.clone(),
            applicant_id: one.applicant.0,
            applied_by: to_word(MayApply::Member),
            agent_id: None,
            agent_relation: None,
            channel: to_word(Channel::Referral),
            receipt_key: receipt::key(tx.keys(), &receipt_code),
            answers: "{}".to_owned(),
            submitted_at: now,
            submitted_on: one.decided_on,
            officer_id: scope.actor.officer.0,
        });
        let determination = match &prepared.answer {
            Some(answer) => {
                let row = certificate(tx, case.0, answer, "taken_over")?;
                let id = row.id;
                self.determinations.push(row);
                Some(id)
            }
            None => None,
        };
        let outcome = prepared
            .answer
            .as_ref()
            .map(|answer| answer.determination.outcome.word().to_owned());
        let decision = prepared.right.decision;
        self.decisions.push(tables::decision::Model {
            id: decision.0,
            case_id: case.0,
            kind: "taken_over".to_owned(),
            determination_id: determination,
            decided_on: one.decided_on,
            from_month: Some(one.from.to_string()),
            amount: Some(one.amount.fen()),
            grounds: "[]".to_owned(),
            opinion: String::new(),
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            foreign_number: Some(one.old_number.trim().to_owned()),
            at: now,
        });
        self.events.push(tables::event::Model {
            id: tx.new_id(),
            case_id: case.0,
            seq: 1,
            act: "take_over".to_owned(),
            at: now,
            on_day: today,
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            from_state: String::new(),
            to_state: state.id.clone(),
            opinion: String::new(),
            input: "{}".to_owned(),
            determination_id: determination,
            decision_id: Some(decision.0),
        });
        let row = tables::case::Model {
            id: case.0,
            number,
            application_id: application.0,
            programme: one.programme.clone(),
            household_id: one.household.0,
            member_id: one.member.map(|member| member.0),
            applicant_id: one.applicant.0,
            applicant_masked: mask_name(&prepared.applicant),
            subject_masked: mask_name(&prepared.subject),
            member_count: i64::try_from(prepared.members).context("counting members")?,
            region,
            state: state.id.clone(),
            kind: state.kind.word().to_owned(),
            queue: String::new(),
            version: 1,
            applied_on: one.decided_on,
            accepted_on: Some(one.decided_on),
            decided_on: Some(one.decided_on),
            outcome,
            amount: Some(one.amount.fen()),
            determination_id: determination,
            decision_id: Some(decision.0),
            entitlement_id: Some(right.0),
            sampled: false,
            taken_over: true,
            due_on: None,
            warn_on: None,
            provisional: false,
            paused: false,
            last_officer_id: Some(scope.actor.officer.0),
            last_officer: scope.actor.name.clone(),
            updated_at: now,
        };
        if let Some(rule) = &procedure.review {
            // Nobody told the class yet, so the strictest period holds.
            self.reviews
                .push(schedule::row_of(tx, desk, &row, rule, None, today)?);
        }
        self.cases.push(row);
        Ok(case)
    }

    pub(super) async fn write(self, tx: &Tx) -> anyhow::Result<()> {
        insert_all::<tables::application::Entity>(tx, self.applications).await?;
        insert_all::<tables::case::Entity>(tx, self.cases).await?;
        insert_all::<tables::determination::Entity>(tx, self.determinations).await?;
        insert_all::<tables::decision::Entity>(tx, self.decisions).await?;
        insert_all::<tables::event::Entity>(tx, self.events).await?;
        insert_all::<tables::review::Entity>(tx, self.reviews).await
    }
}
