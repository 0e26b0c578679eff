//! Leads as officers see them (线索列表): cut, sorted and counted by the database; and one lead with its reasons as of today.
//!
//! Guarantees: only what lies in the scope, in lists, counts and exports alike; the counts are those of the lists behind
//! them; every look is journalled with its purpose; names are masked. Deliberately absent: changing anything.

use super::{Kind, Lead, LeadState};
use crate::desk::Desk;
use crate::sheet::{self, Answer};
use crate::tables::case;
use crate::tables::lead::{Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use policy::Determination;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{CaseId, PersonId};

/// Which leads (线索筛选); an empty filter means all of the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Only this place and those under it.
    pub region: Option<Region>,
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only these states; empty means all.
    pub states: Vec<LeadState>,
}

/// By what a list is sorted (排序).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LeadSort {
    /// By community, then age.
    #[default]
    Place,
    /// By the day it was found.
    Found,
    /// By what is due a month.
    Due,
    /// By what is paid a month.
    Paid,
}

impl LeadSort {
    /// From its word in an address (读代码).
    pub fn from_word(word: &str) -> Self {
        match word {
            "found" => Self::Found,
            "due" => Self::Due,
            "paid" => Self::Paid,
            _ => Self::Place,
        }
    }
}

pub(super) fn in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(Column::Region, scope.region))
}

pub(super) fn within(scope: &Scope, filter: &LeadFilter) -> Select<Entity> {
    let mut all = in_scope(scope);
    if let Some(region) = filter.region {
        all = all.add(inside(Column::Region, region));
    }
    if let Some(programme) = &filter.programme {
        all = all.add(Column::Programme.eq(programme.as_str()));
    }
    if let Some(kind) = filter.kind {
        all = all.add(Column::Kind.eq(kind.word()));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    Entity::find().filter(all)
}

/// Leads (线索列表); the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
    (sort, falls): (LeadSort, bool),
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Lead>> {
    let order = if falls { Order::Desc } else { Order::Asc };
    let wanted = within(scope, filter);
    let wanted = match sort {
        LeadSort::Place => wanted.order_by(Column::Region, order),
        LeadSort::Found => wanted.order_by(Column::FoundOn, order),
        // Unknown comes last either way, on both databases.
        LeadSort::Due => wanted
            .order_by_asc(Expr::cust("case when due is null then 1 else 0 end"))
            .order_by(Column::Due, order),
        LeadSort::Paid => wanted.order_by(Column::Paid, order),
    };
    let found = store::page::cut(db.conn(), wanted.order_by_asc(Column::Id), offset, limit)
        .await
        .context("listing leads")?
        .try_map(Lead::read)?;
    looked(
        db,
        scope,
        ("region", scope.region.to_string()),
        scope.region,
        json!({ "leads": found.rows.len(), "of": found.total }),
    )
    .await?;
    Ok(found)
}

/// The leads of a filter after one (此后的线索), in the order of identifiers: for a file of all of them. The caller journals it.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<Lead>> {
    store::page::after(db.conn(), within(scope, filter), Column::Id, last, limit)
        .await
        .context("going through leads")?
        .into_iter()
        .map(Lead::read)
        .collect()
}

/// How many leads a filter finds (线索数量).
///
/// # Errors
/// Faults of the database.
pub async fn count(db: &Db, scope: &Scope, filter: &LeadFilter) -> anyhow::Result<u64> {
    within(scope, filter)
        .count(db.conn())
        .await
        .context("counting the leads of a filter")
}

/// How many leads stand where (线索漏斗), whatever states the filter names; each is the count of the list of that state.
///
/// # Errors
/// Faults of the database.
pub async fn funnel(
    db: &Db,
    scope: &Scope,
    filter: &LeadFilter,
) -> anyhow::Result<BTreeMap<LeadState, u64>> {
    let filter = LeadFilter {
        states: Vec::new(),
        ..filter.clone()
    };
    let counted = store::page::by_word(db.conn(), within(scope, &filter), Column::State)
        .await
        .context("counting leads")?;
    let mut counts: BTreeMap<LeadState, u64> =
        LeadState::ALL.into_iter().map(|state| (state, 0)).collect();
    for (state, count) in counted {
        counts.insert(LeadState::read(&state)?, count);
    }
    Ok(counts)
}

/// How many leads wait for somebody (待走访线索数).
///
/// # Errors
/// Faults of the database.
pub async fn open_count(db: &Db, scope: &Scope) -> anyhow::Result<u64> {
    let open = LeadFilter {
        states: vec![LeadState::Found, LeadState::Visited],
        ..LeadFilter::default()
    };
    within(scope, &open)
        .count(db.conn())
        .await
        .context("counting the leads that are open")
}

/// One lead as it is now (线索详情).
#[derive(Debug, Clone)]
pub struct LeadView {
    /// The lead.
    pub lead: Lead,
    /// What the rules say today, with reasons; none when the household is gone.
    pub now: Option<Determination>,
    /// The masked names of the household's members, in the order the determination counts them.
    pub names: Vec<String>,
    /// The case of this programme that is not closed, with its number and whether it is in payment.
    pub case: Option<(CaseId, String, bool)>,
}

/// One lead (一条线索), if it lies in the scope; the look is journalled. What the rules say is asked anew.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn view(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
) -> anyhow::Result<Option<LeadView>> {
    let row = within(scope, &LeadFilter::default())
        .filter(Column::Id.eq(id))
        .one(db.conn())
        .await
        .context("reading a lead")?;
    let Some(row) = row else { return Ok(None) };
    let lead = Lead::read(row)?;
    looked(
        db,
        scope,
        ("household", lead.household.to_string()),
        lead.region,
        json!({ "lead": id }),
    )
    .await?;
    let (today, now) = (db.today(), db.now());
    let sheet = sheet::sheet(db, scope, desk, lead.household, now, today).await?;
    let answer = sheet.and_then(|sheet| {
        let ask = sheet::ask(lead.region, &lead.programme, now, today);
        let answers = desk.book.evaluate(&sheet, &ask);
        Answer::pick(desk, &sheet, answers, &lead.programme, lead.person)
    });
    let home = registry::households::household_view(db, scope, lead.household, today).await?;
    let names = answer.as_ref().map_or_else(Vec::new, |answer| {
        let name = |id: &PersonId| {
            home.iter()
                .flat_map(|home| &home.members)
                .find(|member| member.person.id == *id)
                .map_or_else(String::new, |member| access::mask_name(&member.person.name))
        };
        answer.members.iter().map(name).collect()
    });
    let case = case_of(db, scope, &lead).await?;
    Ok(Some(LeadView {
        now: answer.map(|answer| answer.determination),
        names,
        case,
        lead,
    }))
}

async fn case_of(
    db: &Db,
    scope: &Scope,
    lead: &Lead,
) -> anyhow::Result<Option<(CaseId, String, bool)>> {
    let rows = cases(db, scope, lead).await?;
    let paid = rows.iter().find(|row| row.is_in_payment());
    Ok(paid
        .or_else(|| rows.last())
        .map(|row| (CaseId(row.id), row.number.clone(), row.is_in_payment())))
}

/// The cases of a lead's household, programme and person that are not closed, oldest first.
pub(super) async fn cases(
    source: &impl registry::Reading,
    scope: &Scope,
    lead: &Lead,
) -> anyhow::Result<Vec<case::Model>> {
    let member = match lead.person {
        Some(person) => case::Column::MemberId.eq(person.0),
        None => case::Column::MemberId.is_null(),
    };
    case::Entity::find()
        .filter(case::Column::HouseholdId.eq(lead.household.0))
        .filter(case::Column::Programme.eq(lead.programme.as_str()))
        .filter(member)
        .filter(case::Column::Kind.ne("final"))
        .filter(inside(case::Column::Region, scope.region))
        .order_by_asc(case::Column::Id)
        .all(source.connection())
        .await
        .context("reading the cases of a lead")
}

/// The lead's row, for change.
pub(super) async fn held_row(
    tx: &store::Tx,
    scope: &Scope,
    id: Uuid,
) -> anyhow::Result<Option<Model>> {
    within(scope, &LeadFilter::default())
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a lead for change")
}

async fn looked(
    db: &Db,
    scope: &Scope,
    (kind, id): (&str, String),
    region: Region,
    detail: serde_json::Value,
) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.lead.read".to_owned(),
        subject_kind: kind.to_owned(),
        subject_id: id,
        region: Some(region),
        detail,
    });
    tx.commit().await
}
