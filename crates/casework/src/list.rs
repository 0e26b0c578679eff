//! The case list (办件列表): filtered, sorted and cut into pages by the database, within the scope.
//!
//! Guarantees: a count and its list ask the same question; the order is total, so pages neither repeat nor skip a row.
//! Deliberately absent: anything of a person but the masked name.

use crate::case::{Case, CaseRow};
use crate::clock::Light;
use crate::desk::Desk;
use crate::procedure::StateKind;
use crate::tables;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use policy::Outcome;
use sea_orm::sea_query::{Expr, ExprTrait, NullOrdering, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Db, Page, inside};
use vocab::Region;
use vocab::ids::{CaseId, HouseholdId, PersonId};

/// What to look for (办件筛选); everything left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFilter {
    /// A case number or the beginning or end of one; or a name, pinyin, number tail as the register searches.
    pub text: String,
    /// The programme.
    pub programme: Option<String>,
    /// The state's word.
    pub state: Option<String>,
    /// What the state means.
    pub kind: Option<StateKind>,
    /// The light.
    pub light: Option<Light>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// A place inside the scope.
    pub region: Option<Region>,
    /// Of one household.
    pub household: Option<HouseholdId>,
    /// Where this person applied or is meant.
    pub person: Option<PersonId>,
    /// Applied from this day on.
    pub applied_from: Option<NaiveDate>,
    /// Applied before this day.
    pub applied_before: Option<NaiveDate>,
    /// Decided last from this day on.
    pub decided_from: Option<NaiveDate>,
    /// Decided last before this day.
    pub decided_before: Option<NaiveDate>,
    /// About at least so many people.
    pub members_from: Option<i64>,
    /// About at most so many people.
    pub members_to: Option<i64>,
    /// Only those not ended.
    pub open_only: bool,
    /// Only those drawn for checking.
    pub sampled_only: bool,
    /// Only those whose last act was the caller's.
    pub mine_only: bool,
}

/// By what to sort (排序).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// What is due first; without a date last.
    #[default]
    Due,
    /// The number.
    Number,
    /// The day of application.
    Applied,
    /// The last change.
    Updated,
    /// The amount.
    Amount,
}

/// How to sort (排序方式).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSort {
    /// By what.
    pub by: SortBy,
    /// The other way round.
    pub descending: bool,
}

/// The light of a due date as a condition of SQL, the same as [`Light::of`].
pub(crate) fn light_is<C: ColumnTrait>(
    light: Light,
    due: C,
    warn: C,
    paused: SimpleExpr,
    today: NaiveDate,
) -> Condition {
    let running = Condition::all().add(paused.clone().not());
    match light {
        Light::Paused => Condition::all().add(paused),
        Light::None => running.add(due.is_null()),
        Light::Red => running.add(due.is_not_null()).add(due.lt(today)),
        Light::Yellow => running
            .add(due.gte(today))
            .add(warn.is_not_null())
            .add(warn.lte(today)),
        Light::Green => running
            .add(due.gte(today))
            .add(Condition::any().add(warn.is_null()).add(warn.gt(today))),
    }
}

/// The case list (办件列表).
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &CaseFilter,
    sort: CaseSort,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<CaseRow>> {
    use tables::case::Column as C;
    let today = db.today();
    let Some(condition) = condition(db, scope, filter, today).await? else {
        return Ok(Page::empty(limit));
    };
    let query = tables::case::Entity::find().filter(condition);
    let order = if sort.descending {
        Order::Desc
    } else {
        Order::Asc
    };
    let by = match sort.by {
        SortBy::Due => C::DueOn,
        SortBy::Number => C::Number,
        SortBy::Applied => C::AppliedOn,
        SortBy::Updated => C::UpdatedAt,
        SortBy::Amount => C::Amount,
    };
    // The two databases put NULL at different ends unless told.
    let query = query
        .order_by_with_nulls(by, order, NullOrdering::Last)
        .order_by_asc(C::Number);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing cases")?
        .try_map(|row| shown(desk, Case::read(&row)?, today))
}

/// The cases of a filter after one number (此后的办件), in the order of numbers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &CaseFilter,
    last: Option<&str>,
    limit: u64,
) -> anyhow::Result<Vec<CaseRow>> {
    let today = db.today();
    let Some(condition) = condition(db, scope, filter, today).await? else {
        return Ok(Vec::new());
    };
    let query = tables::case::Entity::find().filter(condition);
    store::page::after(db.conn(), query, tables::case::Column::Number, last, limit)
        .await
        .context("going through cases")?
        .into_iter()
        .map(|row| shown(desk, Case::read(&row)?, today))
        .collect()
}

/// Which of these cases something was done on after the moment beside each (之后有进展的办件); those outside the scope are left out.
///
/// # Errors
/// Faults of the database.
pub async fn moved_since(
    db: &Db,
    scope: &Scope,
    since: &[(CaseId, DateTime<Utc>)],
) -> anyhow::Result<BTreeSet<(CaseId, DateTime<Utc>)>> {
    let visible = Query::select()
        .column(tables::case::Column::Id)
        .from(tables::case::Entity)
        .and_where(inside(tables::case::Column::Region, scope.region))
        .to_owned();
    let last: Vec<(uuid::Uuid, DateTime<Utc>)> = tables::event::Entity::find()
        .select_only()
        .column(tables::event::Column::CaseId)
        .expr_as(Expr::col(tables::event::Column::At).max(), "last")
        .filter(tables::event::Column::CaseId.is_in(since.iter().map(|(case, _)| case.0)))
        .filter(tables::event::Column::CaseId.in_subquery(visible))
        .group_by(tables::event::Column::CaseId)
        .into_tuple()
        .all(db.conn())
        .await
        .context("looking when cases moved last")?;
    let moved = |(case, at): &&(CaseId, DateTime<Utc>)| {
        last.iter().any(|(id, last)| *id == case.0 && last > at)
    };
    Ok(since.iter().filter(moved).copied().collect())
}

/// How many cases a filter finds (办件数量).
///
/// # Errors
/// Faults of the database.
pub async fn count(db: &Db, scope: &Scope, filter: &CaseFilter) -> anyhow::Result<u64> {
    match condition(db, scope, filter, db.today()).await? {
        Some(condition) => tables::case::Entity::find()
            .filter(condition)
            .count(db.conn())
            .await
            .context("counting cases"),
        None => Ok(0),
    }
}

/// `None`: nothing can be found.
async fn condition(
    db: &Db,
    scope: &Scope,
    filter: &CaseFilter,
    today: NaiveDate,
) -> anyhow::Result<Option<Condition>> {
    use tables::case::Column as C;
    let region = match filter.region {
        None => scope.region,
        Some(place) if scope.region.holds(place) => place,
        Some(place) if place.holds(scope.region) => scope.region,
        Some(_) => return Ok(None),
    };
    let mut all = Condition::all().add(inside(C::Region, region));
    if let Some(programme) = &filter.programme {
        all = all.add(C::Programme.eq(programme));
    }
    if let Some(state) = &filter.state {
        all = all.add(C::State.eq(state));
    }
    if let Some(kind) = filter.kind {
        all = all.add(C::Kind.eq(kind.word()));
    }
    if filter.open_only {
        all = all.add(C::Kind.ne(StateKind::Final.word()));
    }
    if let Some(outcome) = filter.outcome {
        all = all.add(C::Outcome.eq(outcome.word()));
    }
    if let Some(household) = filter.household {
        all = all.add(C::HouseholdId.eq(household.0));
    }
    if let Some(person) = filter.person {
        all = all.add(
            Condition::any()
                .add(C::ApplicantId.eq(person.0))
                .add(C::MemberId.eq(person.0)),
        );
    }
    if let Some(from) = filter.applied_from {
        all = all.add(C::AppliedOn.gte(from));
    }
    if let Some(before) = filter.applied_before {
        all = all.add(C::AppliedOn.lt(before));
    }
    all = all
        .add_option(filter.decided_from.map(|day| C::DecidedOn.gte(day)))
        .add_option(filter.decided_before.map(|day| C::DecidedOn.lt(day)))
        .add_option(filter.members_from.map(|count| C::MemberCount.gte(count)))
        .add_option(filter.members_to.map(|count| C::MemberCount.lte(count)));
    if filter.sampled_only {
        all = all.add(C::Sampled.eq(true));
    }
    if filter.mine_only {
        all = all.add(C::LastOfficerId.eq(scope.actor.officer.0));
    }
    if let Some(light) = filter.light {
        all = all.add(light_is(
            light,
            C::DueOn,
            C::WarnOn,
            C::Paused.eq(true),
            today,
        ));
    }
    let text = filter.text.trim();
    if !text.is_empty() {
        let mut any = Condition::any();
        let upper = text.to_ascii_uppercase();
        if upper
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        {
            any = any
                .add(Expr::col(C::Number).like(format!("{upper}%")))
                .add(Expr::col(C::Number).like(format!("%{upper}")));
        }
        let people = people_named(db, scope, text).await?;
        if !people.is_empty() {
            any = any
                .add(C::ApplicantId.is_in(people.clone()))
                .add(C::MemberId.is_in(people));
        }
        if any.is_empty() {
            return Ok(None);
        }
        all = all.add(any);
    }
    Ok(Some(all))
}

async fn people_named(db: &Db, scope: &Scope, text: &str) -> anyhow::Result<Vec<uuid::Uuid>> {
    // A name common to more people than this is narrowed by typing more of it.
    const MOST: u64 = 200;
    let query = registry::people::Query {
        text: text.to_owned(),
        region: None,
    };
    let found = registry::search(db, scope, &query, 0, MOST).await?;
    Ok(found.rows.into_iter().map(|row| row.id.0).collect())
}

/// A case as a line of a list.
pub(crate) fn shown(desk: &Desk, case: Case, today: NaiveDate) -> anyhow::Result<CaseRow> {
    let (programme_zh, programme_en) = desk.title(&case.programme);
    let state = desk
        .procedure(&case.programme)
        .and_then(|procedure| procedure.state(&case.state));
    Ok(CaseRow {
        light: Light::of(case.due_on, case.warn_on, case.paused, today),
        days_left: case
            .due_on
            .filter(|_| !case.paused)
            .map(|due| days_left(desk, today, due)),
        programme_zh,
        programme_en,
        state_zh: state.map_or_else(|| case.state.clone(), |state| state.zh.clone()),
        state_en: state.map_or_else(|| case.state.clone(), |state| state.en.clone()),
        case,
    })
}

/// Working days from today to a due date; negative once it is past.
pub(crate) fn days_left(desk: &Desk, today: NaiveDate, due: NaiveDate) -> i64 {
    if due >= today {
        desk.calendar.working_days_between(today, due).days
    } else {
        // One day late is one day late, even on a Sunday.
        let late = desk.calendar.working_days_between(due, today).days;
        -Ord::max(late, 1)
    }
}
