//! The to-do list (待办): what waits for this officer's roles in this officer's places, most urgent first.
//!
//! Guarantees: a task is seen by who holds its role over its place, and by nobody else; the figures above the list count
//! the same rows the list shows. Deliberately absent: assigning a task to one officer by name.

use crate::case::{Case, TaskRow};
use crate::clock::Light;
use crate::desk::Desk;
use crate::list::{days_left, light_is, shown};
use crate::procedure::TaskKind;
use crate::tables;
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, NullOrdering};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Db, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::TaskId;

/// What to look for (待办筛选); everything left out means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoFilter {
    /// Only these kinds.
    pub kinds: Vec<TaskKind>,
    /// Only this light.
    pub light: Option<Light>,
    /// Only due today.
    pub due_today: bool,
    /// Only this programme.
    pub programme: Option<String>,
    /// Only this place.
    pub region: Option<Region>,
    /// Only cases whose last act was the caller's.
    pub mine_only: bool,
    /// Also what cannot be done yet (等待补正、公示未满).
    pub with_waiting: bool,
}

/// The figures above the list (待办数量).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TodoCounts {
    /// All that can be done now.
    pub total: u64,
    /// Overdue (已超期).
    pub overdue: u64,
    /// Due today (今天到期).
    pub due_today: u64,
    /// Near (即将到期).
    pub soon: u64,
    /// Payments returned (退回).
    pub returned: u64,
    /// Notices that are over (公示期满).
    pub publicity_over: u64,
    /// Objections open (异议).
    pub objections: u64,
    /// Drawn for checking (抽查).
    pub samples: u64,
    /// Waiting for applicants, not yet to be done (等待补正).
    pub waiting: u64,
}

/// The to-do list (待办列表).
///
/// # Errors
/// Faults of the database.
pub async fn todo(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    filter: &TodoFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<TaskRow>> {
    use tables::task::Column as T;
    let today = db.today();
    let query = tables::task::Entity::find().filter(condition(scope, filter, today));
    let total = query
        .clone()
        .count(db.conn())
        .await
        .context("counting tasks")?;
    let tasks = query
        .order_by_with_nulls(T::DueOn, Order::Asc, NullOrdering::Last)
        .order_by_asc(T::OpenedAt)
        .order_by_asc(T::Id)
        .offset(offset)
        .limit(limit)
        .all(db.conn())
        .await
        .context("listing tasks")?;
    let cases: BTreeMap<Uuid, tables::case::Model> = tables::case::Entity::find()
        .filter(tables::case::Column::Id.is_in(tasks.iter().map(|task| task.case_id)))
        .all(db.conn())
        .await
        .context("reading the cases of tasks")?
        .into_iter()
        .map(|case| (case.id, case))
        .collect();
    let rows = tasks
        .into_iter()
        .map(|task| {
            let case = cases
                .get(&task.case_id)
                .context("a task without its case")?;
            Ok(TaskRow {
                task: TaskId(task.id),
                kind: TaskKind::from_word(&task.kind)
                    .context("a stored kind of task is not known")?,
                detail: task.detail,
                due_on: task.due_on,
                light: Light::of(task.due_on, task.warn_on, false, today),
                days_left: task.due_on.map(|due| days_left(desk, today, due)),
                opened_at: task.opened_at,
                row: shown(desk, Case::read(case)?, today)?,
            })
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Page {
        rows,
        total,
        offset,
        limit,
    })
}

/// How many tasks a filter finds (待办数量).
///
/// # Errors
/// Faults of the database.
pub async fn count(db: &Db, scope: &Scope, filter: &TodoFilter) -> anyhow::Result<u64> {
    tables::task::Entity::find()
        .filter(condition(scope, filter, db.today()))
        .count(db.conn())
        .await
        .context("counting tasks")
}

/// The figures above the list (待办数量).
///
/// # Errors
/// Faults of the database.
pub async fn counts(db: &Db, scope: &Scope) -> anyhow::Result<TodoCounts> {
    let of = |filter: TodoFilter| async move { count(db, scope, &filter).await };
    let light = |light| TodoFilter {
        light: Some(light),
        ..TodoFilter::default()
    };
    let kind = |kind| TodoFilter {
        kinds: vec![kind],
        ..TodoFilter::default()
    };
    let waiting = TodoFilter {
        kinds: vec![TaskKind::Waiting],
        with_waiting: true,
        ..TodoFilter::default()
    };
    Ok(TodoCounts {
        total: of(TodoFilter::default()).await?,
        overdue: of(light(Light::Red)).await?,
        due_today: of(TodoFilter {
            due_today: true,
            ..TodoFilter::default()
        })
        .await?,
        soon: of(light(Light::Yellow)).await?,
        returned: of(kind(TaskKind::ReturnedPayment)).await?,
        publicity_over: of(kind(TaskKind::Publicity)).await?,
        objections: of(TodoFilter::objections()).await?,
        samples: of(kind(TaskKind::Sample)).await?,
        waiting: of(waiting).await?,
    })
}

impl TodoFilter {
    /// Objections of both kinds (异议): to a public notice, and to a finding.
    pub fn objections() -> Self {
        Self {
            kinds: vec![TaskKind::Objection, TaskKind::FindingObjection],
            ..Self::default()
        }
    }
}

fn condition(scope: &Scope, filter: &TodoFilter, today: NaiveDate) -> Condition {
    use tables::task::Column as T;
    // Each role counts in its own places only: a reviewer of one street is nobody in the next.
    let mut mine = Condition::any();
    for (role, region) in &scope.actor.roles {
        let place = if region.holds(scope.region) {
            scope.region
        } else if scope.region.holds(*region) {
            *region
        } else {
            continue;
        };
        mine = mine.add(
            Condition::all()
                .add(T::Role.eq(role.code()))
                .add(inside(T::Region, place)),
        );
    }
    if mine.is_empty() {
        mine = mine.add(Expr::value(false));
    }
    let mut all = Condition::all()
        .add(T::ClosedAt.is_null())
        .add(mine)
        .add(inside(T::Region, scope.region));
    if let Some(place) = filter.region {
        all = all.add(inside(T::Region, place));
    }
    if !filter.with_waiting {
        all = all.add(
            Condition::any()
                .add(T::ShowsFrom.is_null())
                .add(T::ShowsFrom.lte(today)),
        );
    }
    if !filter.kinds.is_empty() {
        all = all.add(T::Kind.is_in(filter.kinds.iter().map(|kind| kind.word())));
    }
    if filter.due_today {
        all = all.add(T::DueOn.eq(today));
    }
    if let Some(light) = filter.light {
        all = all.add(light_is(
            light,
            T::DueOn,
            T::WarnOn,
            Expr::value(false),
            today,
        ));
    }
    if filter.programme.is_some() || filter.mine_only {
        use sea_orm::QueryTrait;
        use tables::case::Column as C;
        let mut cases = tables::case::Entity::find().select_only().column(C::Id);
        if let Some(programme) = &filter.programme {
            cases = cases.filter(C::Programme.eq(programme));
        }
        if filter.mine_only {
            cases = cases.filter(C::LastOfficerId.eq(scope.actor.officer.0));
        }
        all = all.add(T::CaseId.in_subquery(cases.into_query()));
    }
    all
}
