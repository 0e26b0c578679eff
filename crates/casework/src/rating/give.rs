//! Giving a rating (评价): what may be rated by a receipt's code, and writing one down.
//!
//! Guarantees: the code alone opens nothing but the days and steps that may be rated: no name, no programme, no amount; the database
//! itself refuses a second rating of the same handling. Deliberately absent: the limit on tries, which the public door keeps.

use super::terms::{Side, Terms};
use super::{Grade, Refused, State};
use crate::case::to_word;
use crate::desk::Desk;
use crate::procedure::Channel;
use crate::rows::insert;
use crate::tables::{application, case, event, rating};
use crate::view::act_wording;
use crate::{receipt, rows};
use access::Actor;
use anyhow::Context;
use chrono::NaiveDate;
use registry::Reading;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Event, Tx};
use uuid::Uuid;

/// The longest text.
const LONGEST: usize = 500;

/// What may be rated, or was (一次办理).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handling {
    /// The case's number.
    pub number: String,
    /// Which step of it.
    pub seq: i64,
    /// When.
    pub on_day: NaiveDate,
    /// What was done.
    pub zh: String,
    /// What was done, English.
    pub en: String,
    /// At a counter or not.
    pub side: Side,
    /// Where its rating stands.
    pub standing: Standing,
}

/// Where the rating of a handling stands (评价情况).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has rated it; once more after it was mended, which is the second round.
    May {
        /// One, or two.
        round: i64,
    },
    /// Rated, and there is nothing to mend, or not yet.
    Rated {
        /// How.
        grade: Grade,
        /// Where it stands.
        state: State,
    },
}

/// A rating (新评价).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewRating {
    /// The case's number.
    pub number: String,
    /// Which step of it.
    pub seq: i64,
    /// The grade.
    pub grade: Option<Grade>,
    /// What it is about.
    pub indicators: Vec<String>,
    /// What is said.
    pub said: String,
}

/// A handling with what is stored of it.
struct Found {
    case: case::Model,
    event: event::Model,
    handling: Handling,
}

async fn found(
    source: &impl Reading,
    desk: &Desk,
    terms: &Terms,
    typed_code: &str,
) -> anyhow::Result<Option<Vec<Found>>> {
    let Some(code) = receipt::normalise(typed_code) else {
        return Ok(None);
    };
    let application = application::Entity::find()
        .filter(application::Column::ReceiptKey.eq(receipt::key(source.sealing_keys(), &code)))
        .one(source.connection())
        .await
        .context("finding an application by its receipt")?;
    let Some(application) = application else {
        return Ok(None);
    };
    let side = if application.channel == to_word(Channel::Online) {
        Side::Online
    } else {
        Side::Window
    };
    let cases = case::Entity::find()
        .filter(case::Column::ApplicationId.eq(application.id))
        .order_by_asc(case::Column::Number)
        .all(source.connection())
        .await
        .context("reading the cases of an application")?;
    let mut all = Vec::new();
    for case in cases {
        let mut given: BTreeMap<i64, rating::Model> = BTreeMap::new();
        let rows = rating::Entity::find()
            .filter(rating::Column::CaseId.eq(case.id))
            .order_by_asc(rating::Column::Round)
            .all(source.connection())
            .await
            .context("reading the ratings of a case")?;
        for row in rows {
            given.insert(row.event_seq, row);
        }
        let procedure = desk.procedure(&case.programme);
        for event in rows::events(source, case.id).await? {
            let effect = procedure
                .and_then(|procedure| procedure.act(&event.act))
                .map(|act| act.effect.word());
            let word = if event.seq == 1 {
                "submit"
            } else {
                effect.unwrap_or("")
            };
            if !terms.after.iter().any(|one| one == word) {
                continue;
            }
            let standing = match given.get(&event.seq) {
                None => Standing::May { round: 1 },
                Some(row) => standing(row)?,
            };
            let (zh, en) = act_wording(desk, &case.programme, &event.act);
            let handling = Handling {
                number: case.number.clone(),
                seq: event.seq,
                on_day: event.on_day,
                zh,
                en,
                side,
                standing,
            };
            all.push(Found {
                case: case.clone(),
                event,
                handling,
            });
        }
    }
    Ok(Some(all))
}

fn standing(row: &rating::Model) -> anyhow::Result<Standing> {
    let state = State::from_word(&row.state).context("a rating's state")?;
    Ok(if row.round == 1 && state == State::Mended {
        Standing::May { round: 2 }
    } else {
        Standing::Rated {
            grade: Grade::from_number(row.grade).context("a rating's grade")?,
            state,
        }
    })
}

/// What may be rated by a receipt's code (可评价的办理); `None` for a wrong code.
///
/// # Errors
/// Faults of the database.
pub async fn handlings(
    source: &impl Reading,
    desk: &Desk,
    terms: &Terms,
    typed_code: &str,
) -> anyhow::Result<Option<Vec<Handling>>> {
    let found = found(source, desk, terms, typed_code).await?;
    Ok(found.map(|all| all.into_iter().map(|one| one.handling).collect()))
}

/// Writes a rating down (提交评价). On a refusal drop the transaction.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn rate(
    tx: &mut Tx,
    desk: &Desk,
    terms: &Terms,
    typed_code: &str,
    new: &NewRating,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let Some(all) = found(tx, desk, terms, typed_code).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let one = all
        .into_iter()
        .find(|one| one.handling.number == new.number && one.handling.seq == new.seq);
    let Some(one) = one else {
        return Ok(Err(Refused::NotThere));
    };
    // The case is locked, so that two answers to one question come one after the other.
    case::Entity::find_by_id(one.case.id)
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("locking a case for its rating")?;
    let last = rating::Entity::find()
        .filter(rating::Column::CaseId.eq(one.case.id))
        .filter(rating::Column::EventSeq.eq(new.seq))
        .order_by_desc(rating::Column::Round)
        .one(tx.conn())
        .await
        .context("looking for an earlier rating")?;
    let standing = match &last {
        None => Standing::May { round: 1 },
        Some(row) => standing(row)?,
    };
    let Standing::May { round } = standing else {
        return Ok(Err(Refused::Already));
    };
    let Some(grade) = new.grade else {
        return Ok(Err(Refused::NoGrade));
    };
    let side = one.handling.side;
    let known = |id: &String| terms.of_side(side).any(|one| one.id == *id);
    if !new.indicators.iter().all(known) {
        return Ok(Err(Refused::NoIndicator));
    }
    let said = new.said.trim();
    if said.chars().count() > LONGEST {
        return Ok(Err(Refused::TooLong));
    }
    let today = tx.today();
    let due = desk
        .calendar
        .add_working_days(today, terms.mend_working_days)
        .date();
    let id = tx.new_id();
    let row = rating::Model {
        id,
        case_id: one.case.id,
        event_seq: new.seq,
        round,
        region: one.case.region.clone(),
        programme: one.case.programme.clone(),
        side: side.word().to_owned(),
        grade: grade.number(),
        indicators: serde_json::to_string(&new.indicators)?,
        said: (!said.is_empty()).then(|| tx.keys().seal(said)),
        rated_officer: one.event.officer_id,
        at: tx.now(),
        on_day: today,
        state: if grade.is_poor() {
            State::Open
        } else {
            State::Kept
        }
        .word()
        .to_owned(),
        due_on: grade.is_poor().then_some(due),
        taken_by: None,
        taker: String::new(),
        taken_on: None,
        result: None,
        mended_on: None,
        mender: String::new(),
    };
    insert::<rating::Entity>(tx, row).await?;
    let public = Actor::public();
    tx.note(Event {
        by: public.officer,
        purpose: "好差评".to_owned(),
        act: "casework.rate".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: one.case.id.to_string(),
        region: one.case.region.parse().ok(),
        detail: json!({ "rating": id, "poor": grade.is_poor(), "round": round }),
    });
    Ok(Ok(id))
}
