//! The fact sheet of a case (办件事实表) and the rule book's answer over it.
//!
//! The register's facts as known at a moment, and what the ledger pays in that month (`in_payment.<programme>`), which
//! nobody else knows. Guarantees: the same moment gives the same sheet; what was read is kept beside the answer.
//! Deliberately absent: judging the answer.

use crate::case::Case;
use crate::desk::Desk;
use crate::rows::insert;
use crate::tables;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use policy::{Ask, Determination, Unit};
use registry::Reading;
use sea_orm::EntityTrait;
use std::collections::{BTreeMap, BTreeSet};
use store::Tx;
use store::keys::sm3_hex;
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{DatedFact, FactSheet, Month, Region, Value};

/// Who says what is in payment.
const LEDGER: &str = "发放台账";

/// The fact sheets of households (家庭事实表), in the given order; those outside the scope are left out. What is in
/// payment stands on them as a fact.
///
/// # Errors
/// Faults of the database.
pub async fn sheets(
    source: &impl Reading,
    scope: &Scope,
    desk: &Desk,
    households: &[HouseholdId],
    known_at: DateTime<Utc>,
    on: NaiveDate,
) -> anyhow::Result<Vec<(HouseholdId, FactSheet)>> {
    let mut sheets =
        registry::facts::fact_sheets(source, scope, households, Some(known_at), on).await?;
    let people: Vec<PersonId> = sheets
        .iter()
        .flat_map(|(_, sheet)| &sheet.member_keys)
        .filter_map(|key| key.parse().ok())
        .collect();
    // Whoever asks: a payment in another street excludes as much as one in this.
    let everywhere = Scope::system(Region::NATION);
    let mut paid: BTreeMap<PersonId, BTreeSet<String>> = BTreeMap::new();
    for row in ledger::in_payment(source.connection(), &everywhere, &people, Month::of(on)).await? {
        paid.entry(row.person).or_default().insert(row.programme);
    }
    for (_, sheet) in &mut sheets {
        add_payments(desk, sheet, &paid);
    }
    Ok(sheets)
}

fn add_payments(desk: &Desk, sheet: &mut FactSheet, paid: &BTreeMap<PersonId, BTreeSet<String>>) {
    let members: Vec<BTreeSet<String>> = sheet
        .member_keys
        .iter()
        .map(|key| {
            key.parse()
                .ok()
                .and_then(|person: PersonId| paid.get(&person))
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    let said = |yes: bool| {
        vec![DatedFact {
            source: LEDGER.to_owned(),
            ..DatedFact::plain(Value::Bool(yes))
        }]
    };
    for programme in desk.book.programmes() {
        let name = format!("in_payment.{}", programme.id);
        match programme.to {
            Unit::Household => {
                let yes = members.iter().any(|paid| paid.contains(&programme.id));
                sheet.household.insert(name, said(yes));
            }
            // Nothing is paid to organisations here.
            Unit::Organisation => {}
            Unit::Person => {
                for (record, paid) in sheet.members.iter_mut().zip(&members) {
                    record.insert(name.clone(), said(paid.contains(&programme.id)));
                }
            }
        }
    }
}

/// One household's sheet; `None` outside the scope.
pub(crate) async fn sheet(
    source: &impl Reading,
    scope: &Scope,
    desk: &Desk,
    household: HouseholdId,
    known_at: DateTime<Utc>,
    on: NaiveDate,
) -> anyhow::Result<Option<FactSheet>> {
    Ok(sheets(source, scope, desk, &[household], known_at, on)
        .await?
        .pop()
        .map(|(_, sheet)| sheet))
}

/// The rule book's answer with the part of the sheet it read (认定结果及所据事实).
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The answer.
    pub(crate) determination: Determination,
    /// What it read.
    pub(crate) excerpt: FactSheet,
    /// Who the members are, in the order the answer counts them.
    pub(crate) members: Vec<PersonId>,
}

impl Answer {
    /// The answer for one household or person out of all answers over a sheet.
    pub(crate) fn pick(
        desk: &Desk,
        sheet: &FactSheet,
        answers: Vec<Determination>,
        programme: &str,
        member: Option<PersonId>,
    ) -> Option<Self> {
        let key = member.map(|member| member.to_string());
        let determination = answers.into_iter().find(|found| {
            found.programme == programme
                && (found.unit == Unit::Household || found.member_key == key && key.is_some())
        })?;
        Some(Self {
            excerpt: desk.book.excerpt(programme, sheet),
            members: sheet
                .member_keys
                .iter()
                .filter_map(|key| key.parse().ok())
                .collect(),
            determination,
        })
    }

    /// The members it is paid for.
    pub(crate) fn covered(&self) -> Vec<PersonId> {
        self.determination
            .covered
            .iter()
            .filter_map(|place| self.members.get(*place))
            .copied()
            .collect()
    }
}

/// The question a case asks.
pub(crate) fn ask(
    case_region: Region,
    programme: &str,
    known_at: DateTime<Utc>,
    on: NaiveDate,
) -> Ask {
    Ask {
        as_of: on,
        known_at: Some(known_at),
        region: Some(case_region),
        programmes: Some(vec![programme.to_owned()]),
    }
}

/// Asks the rule book about a case (测算) as known at a moment; `None` when the household is gone from the scope.
pub(crate) async fn answer(
    source: &impl Reading,
    scope: &Scope,
    desk: &Desk,
    case: &Case,
    known_at: DateTime<Utc>,
    on: NaiveDate,
) -> anyhow::Result<Option<Answer>> {
    let Some(sheet) = sheet(source, scope, desk, case.household, known_at, on).await? else {
        return Ok(None);
    };
    let answers = desk
        .book
        .evaluate(&sheet, &ask(case.region, &case.programme, known_at, on));
    Ok(Answer::pick(
        desk,
        &sheet,
        answers,
        &case.programme,
        case.member,
    ))
}

/// The row that keeps an answer as certificate (认定书).
pub(crate) fn certificate(
    tx: &Tx,
    case: Uuid,
    answer: &Answer,
    origin: &str,
) -> anyhow::Result<tables::determination::Model> {
    let found = &answer.determination;
    let canonical = found.to_canonical_json();
    Ok(tables::determination::Model {
        id: tx.new_id(),
        case_id: case,
        programme: found.programme.clone(),
        origin: origin.to_owned(),
        outcome: found.outcome.word().to_owned(),
        amount: found.amount.map(|amount| amount.fen()),
        as_of: found.as_of,
        known_at: found.known_at.unwrap_or_else(|| tx.now()),
        pack_version: found.pack_version.clone(),
        pack_hash: found.pack_hash.clone(),
        sm3: sm3_hex(canonical.as_bytes()),
        canonical,
        excerpt: serde_json::to_string(&answer.excerpt)
            .context("writing the facts behind a determination")?,
        at: tx.now(),
    })
}

/// Stores an answer with its case (存入认定书).
pub(crate) async fn keep(tx: &Tx, case: Uuid, answer: &Answer) -> anyhow::Result<Uuid> {
    let row = certificate(tx, case, answer, "computed")?;
    let id = row.id;
    insert::<tables::determination::Entity>(tx, row).await?;
    Ok(id)
}

/// A stored answer read back.
pub(crate) async fn kept(source: &impl Reading, id: Uuid) -> anyhow::Result<Option<Determination>> {
    let row = tables::determination::Entity::find_by_id(id)
        .one(source.connection())
        .await
        .context("reading a determination")?;
    row.map(|row| serde_json::from_str(&row.canonical).context("reading a stored determination"))
        .transpose()
}
