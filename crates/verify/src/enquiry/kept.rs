//! A kept enquiry (已保存的核对), opened again: for its page, for its paper, and to make its report once more.
//!
//! Guarantees: a report is opened in the scope only, and journalled; what was kept is what was answered, byte for byte.
//! Deliberately absent: asking anew; that is a new enquiry with consents of its own.

use super::list::{EnquiryRow, row_of};
use crate::remote::again;
use crate::report::Answer;
use crate::tables::{enquiry as table, enquiry_person};
use crate::{Asked, Figure, Landed, Report, Sources};
use access::Scope;
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use registry::consent::Tie;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use store::{Db, Event, Keys, inside};
use uuid::Uuid;
use vocab::ids::PersonId;

/// A delivery that answered, as an enquiry names it (所用的数据).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name; none where nothing was landed.
    pub delivery: Option<String>,
    /// The day it is of.
    pub delivered: Option<NaiveDate>,
    /// The hash of the delivered file.
    pub sm3: Option<String>,
}

/// What is sealed of an enquiry (封存内容). Its `Debug` shows no number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What was answered.
    pub report: Report,
    /// With which numbers and names was asked.
    pub asked: Asked,
    /// The figures of each source, in the order of the report.
    pub figures: BTreeMap<String, Vec<String>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({})", self.report.household)
    }
}

/// An enquiry with its report (核对及其报告).
#[derive(Debug, Clone)]
pub struct Enquiry {
    /// The line of lists.
    pub row: EnquiryRow,
    /// Who was asked about, in the order of the report.
    pub people: Vec<PersonId>,
    /// By which consent each was asked about, and what each was to the household then; in the same order.
    pub consents: Vec<(Uuid, Tie)>,
    /// The deliveries that answered.
    pub deliveries: BTreeMap<String, Named>,
    /// What was answered.
    pub report: Report,
    /// The figures of each source, in the order of the report.
    pub figures: BTreeMap<String, Vec<String>>,
}

/// Whether a report could be made again (重现结果).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reproduced {
    /// The same bytes.
    Same,
    /// These sources answer otherwise, or their delivery is no longer there.
    Otherwise(Vec<String>),
}

/// Under which purpose a report is sealed.
pub(super) fn sealed_for(id: Uuid) -> Vec<u8> {
    format!("verify.enquiry:{id}").into_bytes()
}

/// By what a report is recognised without being readable.
pub(super) fn blind(keys: &Keys, bytes: &[u8]) -> String {
    keys.blind_bytes("verify.report", bytes)
}

fn open(keys: &Keys, row: &table::Model) -> anyhow::Result<Kept> {
    let bytes = keys
        .unseal_bytes(&row.report_sealed, &sealed_for(row.id))
        .context("opening a report")?;
    ensure!(
        blind(keys, &bytes) == row.report_blind,
        "a kept report is not the one that was recorded"
    );
    serde_json::from_slice(&bytes).context("reading a report")
}

async fn row(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<table::Model>> {
    table::Entity::find_by_id(id)
        .filter(inside(table::Column::Region, scope.region))
        .one(db.conn())
        .await
        .context("reading an enquiry")
}

/// An enquiry with its report (查看核对报告); `None` outside the scope. The look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn enquiry(db: &Db, scope: &Scope, id: Uuid) -> anyhow::Result<Option<Enquiry>> {
    let Some(row) = row(db, scope, id).await? else {
        return Ok(None);
    };
    let kept = open(db.keys(), &row)?;
    let people = enquiry_person::Entity::find()
        .filter(enquiry_person::Column::EnquiryId.eq(id))
        .order_by_asc(enquiry_person::Column::PlaceInOrder)
        .all(db.conn())
        .await
        .context("reading who was asked about")?;
    note(db, scope, &row, "verify.read_report").await?;
    let consents = people.iter().map(|one| {
        let tie = Tie::from_word(&one.tie).context("a stored tie to a household is not known")?;
        anyhow::Ok((one.consent_id, tie))
    });
    Ok(Some(Enquiry {
        consents: consents.collect::<anyhow::Result<_>>()?,
        people: people.iter().map(|one| PersonId(one.person_id)).collect(),
        deliveries: serde_json::from_str(&row.deliveries).context("reading deliveries")?,
        row: row_of(row)?,
        report: kept.report,
        figures: kept.figures,
    }))
}

async fn note(db: &Db, scope: &Scope, row: &table::Model, act: &str) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.subject_id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "enquiry": row.number }),
    });
    tx.commit().await
}

/// Makes a report once more from the deliveries that answered it (重现报告), journalled; `None` outside the scope.
///
/// Nobody is asked about anew: it is the same question to the same deliveries and the same answers, to prove the answer. Sources
/// and figures that came since are left out.
///
/// # Errors
/// Faults of the database, or when what was landed cannot be read.
pub async fn reproduce(
    db: &Db,
    scope: &Scope,
    landed: &Landed,
    id: Uuid,
) -> anyhow::Result<Option<Reproduced>> {
    let Some(row) = row(db, scope, id).await? else {
        return Ok(None);
    };
    let kept = open(db.keys(), &row)?;
    let named: BTreeMap<String, Named> =
        serde_json::from_str(&row.deliveries).context("reading deliveries")?;
    note(db, scope, &row, "verify.reproduce").await?;
    let (asked, as_of, landed) = (kept.asked.clone(), row.as_of, landed.clone());
    let asking = move || {
        let landed = again(&landed, &id.to_string())?;
        let report = landed.ask(&asked, as_of, Some(&named), &AtomicBool::new(false))?;
        anyhow::Ok((report, landed))
    };
    let (report, landed) = tokio::task::spawn_blocking(asking)
        .await
        .context("asking once more")??;
    let again = as_kept(report, &kept, landed.sources());
    let bytes = |report: &Report| serde_json::to_vec(report).context("writing a report down");
    if bytes(&again)? == bytes(&kept.report)? {
        return Ok(Some(Reproduced::Same));
    }
    let otherwise = kept
        .report
        .answers
        .iter()
        .filter(|answer| !again.answers.contains(answer))
        .map(|answer| answer.source.clone());
    Ok(Some(Reproduced::Otherwise(otherwise.collect())))
}

/// What was asked then of what is asked today: its sources, and of each its figures in their order.
fn as_kept(mut report: Report, kept: &Kept, sources: &Sources) -> Report {
    let then = |answer: &Answer| {
        let mut all = kept.report.answers.iter();
        all.any(|one| one.source == answer.source)
    };
    report.answers.retain(then);
    for answer in &mut report.answers {
        let ids = kept.figures.get(&answer.source);
        let (Some(ids), Some(source)) = (ids, sources.get(&answer.source)) else {
            continue;
        };
        let place = |id: &String| source.figures.iter().position(|def| def.id == *id);
        // One that is gone cannot be told again, and what is told is another report.
        let Some(places) = ids.iter().map(place).collect::<Option<Vec<usize>>>() else {
            continue;
        };
        let pick = |all: &[Figure]| {
            let of_then = places.iter().filter_map(|at| all.get(*at));
            of_then.cloned().collect::<Vec<Figure>>()
        };
        answer.household = pick(&answer.household);
        answer.members = answer.members.iter().map(|all| pick(all)).collect();
    }
    report
}
