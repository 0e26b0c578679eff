//! Reviews as officers see them (定期核查列表): due, near and done, by programme, place and month.
//!
//! Guarantees: counted and cut by the database; only cases of the scope. Deliberately absent: doing them; that is an act
//! on the case.

use super::compare::Differs;
use crate::case::{Case, CaseRow};
use crate::clock::Light;
use crate::desk::Desk;
use crate::list::{days_left, light_is, shown};
use crate::tables::{case, review};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use std::collections::BTreeMap;
use store::{Db, Page, inside};
use uuid::Uuid;
use vocab::{Month, Region};

/// What is looked for (核查筛选); everything left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewFilter {
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this place.
    pub region: Option<Region>,
    /// Only due in this month.
    pub month: Option<Month>,
    /// Only with this light.
    pub light: Option<Light>,
    /// Those done, instead of those ahead.
    pub done: bool,
}

/// One review (一次核查).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRow {
    /// The identifier.
    pub id: Uuid,
    /// The class, in the word of the rules; empty without classes.
    pub class: String,
    /// Counted from.
    pub counted_from: NaiveDate,
    /// Due on.
    pub due_on: NaiveDate,
    /// Whether that rests on a calendar not published yet (暂定).
    pub provisional: bool,
    /// Its light.
    pub light: Light,
    /// Working days left; negative once overdue.
    pub days_left: i64,
    /// Whether it stands in the to-do list.
    pub opened: bool,
    /// Done on.
    pub done_on: Option<NaiveDate>,
    /// By whom.
    pub done_by: String,
    /// What it found.
    pub found: Option<Differs>,
    /// Why, or what is missing.
    pub said: String,
    /// Its case.
    pub row: CaseRow,
}

/// The figures above the list (核查数量).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReviewCounts {
    /// Ahead altogether.
    pub ahead: u64,
    /// Overdue (已超期).
    pub overdue: u64,
    /// Near (将到期).
    pub soon: u64,
    /// Done.
    pub done: u64,
}

/// The reviews of the scope (定期核查列表), the most urgent first; those done newest first.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &ReviewFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<ReviewRow>> {
    use review::Column as R;
    let today = db.today();
    let query = review::Entity::find().filter(condition(scope, filter, today));
    let query = if filter.done {
        query.order_by_desc(R::DoneOn)
    } else {
        query.order_by_asc(R::DueOn)
    };
    let page = store::page::cut(db.conn(), query.order_by_asc(R::Id), offset, limit)
        .await
        .context("listing reviews")?;
    Ok(Page {
        rows: read(db, desk, page.rows, today).await?,
        total: page.total,
        offset,
        limit,
    })
}

/// The reviews of a filter after one (此后的核查), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &ReviewFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<ReviewRow>> {
    let today = db.today();
    let query = review::Entity::find().filter(condition(scope, filter, today));
    let rows = store::page::after(db.conn(), query, review::Column::Id, last, limit)
        .await
        .context("going through reviews")?;
    read(db, desk, rows, today).await
}

/// Reviews with their cases.
async fn read(
    db: &Db,
    desk: &Desk,
    rows: Vec<review::Model>,
    today: NaiveDate,
) -> anyhow::Result<Vec<ReviewRow>> {
    let cases: BTreeMap<Uuid, case::Model> = case::Entity::find()
        .filter(case::Column::Id.is_in(rows.iter().map(|row| row.case_id)))
        .all(db.conn())
        .await
        .context("reading the cases of reviews")?
        .into_iter()
        .map(|case| (case.id, case))
        .collect();
    let shown_with = |row: review::Model| {
        let of = cases
            .get(&row.case_id)
            .context("a review without its case")?;
        Ok(ReviewRow {
            id: row.id,
            light: if row.done_on.is_some() {
                Light::None
            } else {
                Light::of(Some(row.due_on), row.warn_on, false, today)
            },
            days_left: days_left(desk, today, row.due_on),
            class: row.class,
            counted_from: row.counted_from,
            due_on: row.due_on,
            provisional: row.provisional,
            opened: row.task_id.is_some(),
            done_on: row.done_on,
            done_by: row.done_by,
            found: row.outcome.as_deref().and_then(Differs::from_word),
            said: row.said,
            row: shown(desk, Case::read(of)?, today)?,
        })
    };
    rows.into_iter().map(shown_with).collect()
}

/// The figures above the list (核查数量), each the number of rows its list shows.
///
/// # Errors
/// Faults of the database.
pub async fn counts(db: &Db, scope: &Scope, filter: &ReviewFilter) -> anyhow::Result<ReviewCounts> {
    let today = db.today();
    let of = |light, done| {
        let filter = ReviewFilter {
            light,
            done,
            ..filter.clone()
        };
        let condition = condition(scope, &filter, today);
        async move {
            review::Entity::find()
                .filter(condition)
                .count(db.conn())
                .await
                .context("counting reviews")
        }
    };
    Ok(ReviewCounts {
        ahead: of(None, false).await?,
        overdue: of(Some(Light::Red), false).await?,
        soon: of(Some(Light::Yellow), false).await?,
        done: of(None, true).await?,
    })
}

fn condition(scope: &Scope, filter: &ReviewFilter, today: NaiveDate) -> Condition {
    use review::Column as R;
    let mut all = Condition::all()
        .add(inside(R::Region, scope.region))
        .add(if filter.done {
            R::DoneOn.is_not_null()
        } else {
            R::DoneOn.is_null()
        });
    if let Some(place) = filter.region {
        all = all.add(inside(R::Region, place));
    }
    if let Some(programme) = &filter.programme {
        all = all.add(R::Programme.eq(programme));
    }
    if let Some(month) = filter.month {
        all = all
            .add(R::DueOn.gte(month.first_day()))
            .add(R::DueOn.lt(month.next().first_day()));
    }
    if let Some(light) = filter.light.filter(|_| !filter.done) {
        all = all.add(light_is(
            light,
            R::DueOn,
            R::WarnOn,
            Expr::value(false),
            today,
        ));
    }
    all
}
