//! One case with everything an officer decides from (办件详情): one screen, nothing hidden behind a tab.
//!
//! Guarantees: the look is journalled; every act of the state is shown, each with what stands against it; the stored
//! determination and today's stand beside each other. Deliberately absent: names in clear; the register reveals them.

use crate::act::permitted;
use crate::act::refused::Refused;
use crate::act::situation::Situation;
use crate::case::{
    Application, Case, CaseRow, ClockShown, Decision, Evidence, LetterRow, Notice, Objection, Step,
    from_word,
};
use crate::desk::Desk;
use crate::finding::{in_case, objection};
use crate::procedure::{Act, LimitUnit, TaskKind};
use crate::{evidence, list, notices, receipt, rows, sheet, tables};
use access::Scope;
use anyhow::Context;
use policy::Determination;
use registry::consent;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use store::{Db, Event, inside};
use vocab::Money;
use vocab::ids::{ApplicationId, CaseId, DecisionId, HouseholdId, OfficerId, PersonId};

/// An act on offer (可办行为), with what stands against it.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The act.
    pub act: Act,
    /// What stands against it now; empty: it can be done.
    pub hindrances: Vec<Refused>,
}

/// One case with everything (办件详情).
#[derive(Debug, Clone)]
pub struct CaseView {
    /// The case as a line, with light and wording.
    pub row: CaseRow,
    /// The application behind it.
    pub application: Application,
    /// The acts of its state, in the order of the procedure.
    pub acts: Vec<Offer>,
    /// What happened, oldest first.
    pub timeline: Vec<Step>,
    /// The clocks.
    pub clocks: Vec<ClockShown>,
    /// The stored determination (认定书), with its id.
    pub stored: Option<Determination>,
    /// What the rule book says today (复算).
    pub now: Option<Determination>,
    /// The members in the order the determinations count them.
    pub members: Vec<PersonId>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// Adults who have not authorised.
    pub unauthorised: Vec<PersonId>,
    /// Notices, oldest first.
    pub notices: Vec<Notice>,
    /// Objections, oldest first.
    pub objections: Vec<Objection>,
    /// Decisions, oldest first.
    pub decisions: Vec<Decision>,
    /// Letters, oldest first.
    pub letters: Vec<LetterRow>,
    /// Open tasks.
    pub tasks: Vec<TaskKind>,
}

/// One case (查看办件); `None` outside the scope. The look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn case(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: CaseId,
) -> anyhow::Result<Option<CaseView>> {
    let Some(view) = read(db, scope, desk, id).await? else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.read".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: id.to_string(),
        region: Some(view.row.case.region),
        detail: json!({ "number": view.row.case.number }),
    });
    tx.commit().await?;
    Ok(Some(view))
}

async fn read(db: &Db, scope: &Scope, desk: &Desk, id: CaseId) -> anyhow::Result<Option<CaseView>> {
    let Some(row) = rows::case_row(db, scope, id.0).await? else {
        return Ok(None);
    };
    let case = Case::read(&row)?;
    let (now, today) = (db.now(), db.today());
    let application = read_application(db, case.application).await?;
    let answer = sheet::answer(db, scope, desk, &case, now, today).await?;
    let stored = match case.determination {
        Some(id) => sheet::kept(db, id).await?,
        None => None,
    };
    let unauthorised = consent::missing(db, scope, case.household, today).await?;
    let (mut acts, mut clocks) = (Vec::new(), Vec::new());
    let timeline = timeline(db, desk, &case).await?;
    if let Some(procedure) = desk.procedure(&case.programme) {
        let situation = Situation::load(db, scope, desk, procedure, case.clone()).await?;
        acts = procedure
            .acts_from(&case.state)
            .map(|act| Offer {
                hindrances: permitted::hindrances(&situation, act, &scope.actor),
                act: act.clone(),
            })
            .collect();
        clocks = situation
            .clocks
            .runs()
            .filter_map(|(word, run)| {
                let rule = procedure.clock(word)?;
                Some(ClockShown {
                    id: word.to_owned(),
                    zh: rule.zh.clone(),
                    en: rule.en.clone(),
                    article: desk.article_title(&rule.article),
                    total: run.total,
                    unit: match run.unit {
                        LimitUnit::WorkingDays => "wd",
                        LimitUnit::Days => "d",
                        LimitUnit::Months => "m",
                    }
                    .to_owned(),
                    started_on: run.started_on,
                    due_on: run.due.map(vocab::working_days::Due::date),
                    left: run.left(&desk.calendar, today),
                    missing_year: run.due.and_then(vocab::working_days::Due::missing_year),
                    paused_from: run.paused_from,
                    extended: run.extended,
                    stopped_on: run.stopped_on,
                    light: run.light(today),
                })
            })
            .collect();
    }
    let decisions = tables::decision::Entity::find()
        .filter(tables::decision::Column::CaseId.eq(id.0))
        .order_by_asc(tables::decision::Column::Id)
        .all(db.conn())
        .await
        .context("reading decisions")?
        .into_iter()
        .map(|row| Decision {
            id: DecisionId(row.id),
            kind: row.kind,
            determination: row.determination_id,
            decided_on: row.decided_on,
            from_month: row.from_month,
            amount: row.amount.map(Money::from_fen),
            opinion: row.opinion,
            officer: row.officer,
            foreign_number: row.foreign_number,
        })
        .collect();
    let letters = tables::letter::Entity::find()
        .filter(tables::letter::Column::CaseId.eq(id.0))
        .order_by_asc(tables::letter::Column::Id)
        .all(db.conn())
        .await
        .context("reading letters")?
        .into_iter()
        .map(|row| LetterRow {
            id: row.id,
            kind: row.kind,
            issued_on: row.issued_on,
        })
        .collect();
    let objections = rows::objections(db, id.0)
        .await?
        .into_iter()
        .map(|row| {
            Ok(Objection {
                id: row.id,
                channel: row.channel,
                said: db.keys().unseal(&row.said)?,
                contact: row
                    .contact
                    .as_deref()
                    .map(|sealed| db.keys().unseal(sealed))
                    .transpose()?,
                at: row.at,
                settled_on: row.settled_on,
                settlement: row.settlement,
            })
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Some(CaseView {
        application,
        acts,
        timeline,
        clocks,
        stored,
        members: answer
            .as_ref()
            .map(|answer| answer.members.clone())
            .unwrap_or_default(),
        now: answer.map(|answer| answer.determination),
        evidence: rows::evidence(db, id.0)
            .await?
            .into_iter()
            .map(|row| evidence::shown(desk, &case, row))
            .collect(),
        unauthorised,
        notices: rows::notices(db, id.0)
            .await?
            .iter()
            .map(|row| notices::shown(desk, row))
            .collect::<anyhow::Result<_>>()?,
        objections,
        decisions,
        letters,
        tasks: rows::open_tasks(db, id.0)
            .await?
            .iter()
            .filter_map(|row| TaskKind::from_word(&row.kind))
            .collect(),
        row: list::shown(desk, case, today)?,
    }))
}

/// One application with all its cases (申请及其办件), for the receipt page; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn application(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: ApplicationId,
) -> anyhow::Result<Option<(Application, Vec<CaseRow>)>> {
    let rows = tables::case::Entity::find()
        .filter(tables::case::Column::ApplicationId.eq(id.0))
        .filter(inside(tables::case::Column::Region, scope.region))
        .order_by_asc(tables::case::Column::Number)
        .all(db.conn())
        .await
        .context("reading the cases of an application")?;
    if rows.is_empty() {
        return Ok(None);
    }
    let today = db.today();
    let cases = rows
        .iter()
        .map(|row| list::shown(desk, Case::read(row)?, today))
        .collect::<anyhow::Result<_>>()?;
    Ok(Some((read_application(db, id).await?, cases)))
}

async fn read_application(db: &Db, id: ApplicationId) -> anyhow::Result<Application> {
    let row = tables::application::Entity::find_by_id(id.0)
        .one(db.conn())
        .await
        .context("reading an application")?
        .context("a case without its application")?;
    Ok(Application {
        id,
        household: HouseholdId(row.household_id),
        applicant: PersonId(row.applicant_id),
        applied_by: from_word(&row.applied_by)?,
        agent: row.agent_id.map(PersonId),
        agent_relation: row.agent_relation,
        channel: from_word(&row.channel)?,
        submitted_on: row.submitted_on,
        receipt_code: receipt::code(db.keys(), id),
    })
}

/// The wording of an event: an act of the procedure, or one of the two ways a case begins.
pub(crate) fn act_wording(desk: &Desk, programme: &str, act: &str) -> (String, String) {
    match act {
        "submit" => ("提交申请".to_owned(), "Application handed in".to_owned()),
        "take_over" => (
            "存量接收".to_owned(),
            "Taken over from the old system".to_owned(),
        ),
        "adjust" => ("标准调整".to_owned(), "Standard adjustment".to_owned()),
        crate::life_event::ACT => ("生活事件".to_owned(), "Life event".to_owned()),
        crate::lead::step::ACT => ("政策找人".to_owned(), "Found by the sweep".to_owned()),
        crate::review::call::ACT => ("转来复核".to_owned(), "Sent to be reviewed".to_owned()),
        in_case::FOUND => (
            "记入核对发现".to_owned(),
            "Finding of another department recorded".to_owned(),
        ),
        in_case::WITHDRAWN => (
            "撤回核对发现".to_owned(),
            "Finding of another department withdrawn".to_owned(),
        ),
        objection::OBJECTED => (
            "本人对核对结果有异议".to_owned(),
            "The person objects to a finding".to_owned(),
        ),
        objection::UPHELD => (
            "异议成立，核对结果已更正".to_owned(),
            "Objection upheld, finding corrected".to_owned(),
        ),
        objection::NOT_UPHELD => (
            "异议不成立，维持核对结果".to_owned(),
            "Objection not upheld, finding stands".to_owned(),
        ),
        _ => desk
            .procedure(programme)
            .and_then(|procedure| procedure.act(act))
            .map_or_else(
                || (act.to_owned(), act.to_owned()),
                |act| (act.zh.clone(), act.en.clone()),
            ),
    }
}

async fn timeline(db: &Db, desk: &Desk, case: &Case) -> anyhow::Result<Vec<Step>> {
    rows::events(db, case.id.0)
        .await?
        .into_iter()
        .map(|row| {
            let (zh, en) = act_wording(desk, &case.programme, &row.act);
            Ok(Step {
                seq: row.seq,
                zh,
                en,
                act: row.act,
                at: row.at,
                officer: row.officer,
                officer_id: OfficerId(row.officer_id),
                from_state: row.from_state,
                to_state: row.to_state,
                opinion: row.opinion,
                input: serde_json::from_str(&row.input).context("reading what an act recorded")?,
            })
        })
        .collect()
}

/// The case of a number (按办件号查), if it lies in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn by_number(db: &Db, scope: &Scope, number: &str) -> anyhow::Result<Option<CaseId>> {
    Ok(tables::case::Entity::find()
        .filter(tables::case::Column::Number.eq(number.trim().to_ascii_uppercase()))
        .filter(inside(tables::case::Column::Region, scope.region))
        .one(db.conn())
        .await
        .context("finding a case by number")?
        .map(|row| CaseId(row.id)))
}

/// The case a decision belongs to (决定所属办件), for what the bank returned; `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn by_decision(
    source: &impl registry::Reading,
    scope: &Scope,
    decision: DecisionId,
) -> anyhow::Result<Option<CaseId>> {
    let found = tables::decision::Entity::find_by_id(decision.0)
        .one(source.connection())
        .await
        .context("finding a decision")?;
    let Some(found) = found else { return Ok(None) };
    Ok(rows::case_row(source, scope, found.case_id)
        .await?
        .map(|row| CaseId(row.id)))
}
