//! Progress for the applicant (进度查询): by receipt code and the last digits of the phone, with no personal data.
//!
//! Guarantees: a wrong code and a wrong phone are answered alike; the answer names programmes, steps and dates, and the
//! applicant's masked name, nothing else. Deliberately absent: the limit on tries, which the public door keeps.

use crate::case::Case;
use crate::desk::Desk;
use crate::procedure::{Effect, StateKind};
use crate::view::act_wording;
use crate::{receipt, rows, tables};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use store::Db;
use vocab::ids::PersonId;

/// How far an application is (进度).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The applicant's masked name.
    pub applicant_masked: String,
    /// Handed in on.
    pub submitted_on: NaiveDate,
    /// Each case of it.
    pub cases: Vec<CaseProgress>,
}

/// How far one case is (办件进度).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseProgress {
    /// Its number.
    pub number: String,
    /// The programme's title.
    pub programme_zh: String,
    /// The programme's title, English.
    pub programme_en: String,
    /// The state, as the applicant reads it.
    pub state_zh: String,
    /// The state, English.
    pub state_en: String,
    /// What the state means.
    pub kind: StateKind,
    /// What was done and when, oldest first: day, zh, en.
    pub steps: Vec<(NaiveDate, String, String)>,
    /// Until when the office, or the applicant, has to act.
    pub due_on: Option<NaiveDate>,
    /// Whether that date rests on a calendar year not published yet (暂定).
    pub provisional: bool,
    /// Whether time stands still (不计时).
    pub paused: bool,
    /// What the applicant was asked to supply (一次性告知), if the case waits for it.
    pub items: Vec<String>,
}

/// How far an application is (进度查询); `None` for a wrong code or phone.
///
/// # Errors
/// Faults of the database.
pub async fn progress(
    db: &Db,
    desk: &Desk,
    typed_code: &str,
    phone_tail: &str,
) -> anyhow::Result<Option<Progress>> {
    let tail = phone_tail.trim();
    let is_tail = tail.len() == 4 && tail.bytes().all(|digit| digit.is_ascii_digit());
    let Some(code) = receipt::normalise(typed_code).filter(|_| is_tail) else {
        return Ok(None);
    };
    let application = tables::application::Entity::find()
        .filter(tables::application::Column::ReceiptKey.eq(receipt::key(db.keys(), &code)))
        .one(db.conn())
        .await
        .context("finding an application by its receipt")?;
    let Some(application) = application else {
        return Ok(None);
    };
    let mut known =
        registry::people::phone_tail_is(db, PersonId(application.applicant_id), tail).await?;
    if let Some(agent) = application.agent_id {
        known |= registry::people::phone_tail_is(db, PersonId(agent), tail).await?;
    }
    if !known {
        return Ok(None);
    }
    let cases = tables::case::Entity::find()
        .filter(tables::case::Column::ApplicationId.eq(application.id))
        .order_by_asc(tables::case::Column::Number)
        .all(db.conn())
        .await
        .context("reading the cases of an application")?;
    let mut shown = Vec::with_capacity(cases.len());
    let mut applicant_masked = String::new();
    for row in &cases {
        let case = Case::read(row)?;
        applicant_masked.clone_from(&case.applicant_masked);
        shown.push(of_case(db, desk, &case).await?);
    }
    Ok(Some(Progress {
        applicant_masked,
        submitted_on: application.submitted_on,
        cases: shown,
    }))
}

async fn of_case(db: &Db, desk: &Desk, case: &Case) -> anyhow::Result<CaseProgress> {
    let (programme_zh, programme_en) = desk.title(&case.programme);
    let procedure = desk.procedure(&case.programme);
    let state = procedure.and_then(|procedure| procedure.state(&case.state));
    let events = rows::events(db, case.id.0).await?;
    let mut items = Vec::new();
    let mut steps = Vec::new();
    let mut before = String::new();
    for event in &events {
        let effect = procedure
            .and_then(|procedure| procedure.act(&event.act))
            .map(|act| act.effect);
        if effect == Some(Effect::RequestSupplement) && case.kind == StateKind::Waiting {
            let recorded: crate::case::Recorded =
                serde_json::from_str(&event.input).context("reading what an act recorded")?;
            items = recorded.items;
        }
        // Only what moved the case is the applicant's business: no visits, opinions, objections.
        if event.to_state != before {
            let (zh, en) = act_wording(desk, &case.programme, &event.act);
            steps.push((event.on_day, zh, en));
            before.clone_from(&event.to_state);
        }
    }
    Ok(CaseProgress {
        number: case.number.clone(),
        programme_zh,
        programme_en,
        state_zh: state.map_or_else(|| case.state.clone(), |state| state.public_zh.clone()),
        state_en: state.map_or_else(|| case.state.clone(), |state| state.public_en.clone()),
        kind: case.kind,
        steps,
        due_on: case.due_on.filter(|_| !case.paused),
        provisional: case.provisional,
        paused: case.paused,
        items,
    })
}
