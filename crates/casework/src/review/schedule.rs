//! When a case is looked at again (安排定期核查), and the task that makes of it.
//!
//! The row is written with the grant, with each review done, and by [`tick`] for cases that have none (taken over, or
//! granted by an older program). Guarantees: one open row a case, by a unique key; the task is opened once, in the
//! transaction that notes it on the row. Deliberately absent: a clock of its own; somebody calls [`tick`] every day.

use super::UNKNOWN_CLASS;
use crate::act::clocks::due_in;
use crate::case::Case;
use crate::desk::Desk;
use crate::procedure::{Limit, ReviewRule, TaskKind};
use crate::rows::{insert_all, save};
use crate::tables::{case, review, task as task_table};
use crate::{sheet, task};
use access::Scope;
use anyhow::Context;
use chrono::{Days, NaiveDate};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use store::{Db, Event, Tx, inside};
use uuid::Uuid;
use vocab::{DatedFact, Value};

/// A month ahead is early enough to show it.
const AHEAD: u64 = 30;
/// Cases of one transaction.
const PORTION: u64 = 100;

/// What a day's work on reviews did (本日核查安排).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Cases that had no review ahead and got one.
    pub scheduled: u64,
    /// Reviews that became tasks.
    pub opened: u64,
}

/// The row of the next review of a case, counted from a day.
pub(crate) async fn next_row(
    tx: &Tx,
    desk: &Desk,
    row: &case::Model,
    rule: &ReviewRule,
    from: NaiveDate,
) -> anyhow::Result<review::Model> {
    let class = class_of(tx, desk, row, rule, tx.today()).await?;
    row_of(tx, desk, row, rule, class, from)
}

/// As [`next_row`], the class being known.
pub(crate) fn row_of(
    tx: &Tx,
    desk: &Desk,
    row: &case::Model,
    rule: &ReviewRule,
    class: Option<String>,
    from: NaiveDate,
) -> anyhow::Result<review::Model> {
    let limit: Limit = rule.limit_of(class.as_deref());
    let due = due_in(&desk.calendar, from, limit)?;
    let on = due.on.context("a review without a due day")?;
    let provisional = crate::clock::due(&desk.calendar, from, limit)
        .missing_year()
        .is_some();
    Ok(review::Model {
        id: tx.new_id(),
        case_id: row.id,
        programme: row.programme.clone(),
        region: row.region.clone(),
        class: match (&rule.by, class) {
            (None, _) => String::new(),
            (Some(_), Some(class)) => class,
            (Some(_), None) => UNKNOWN_CLASS.to_owned(),
        },
        counted_from: from,
        due_on: on,
        warn_on: due.warn_on,
        shows_from: on.checked_sub_days(Days::new(AHEAD)).unwrap_or(from),
        provisional,
        task_id: None,
        done_on: None,
        done_by: String::new(),
        outcome: None,
        said: String::new(),
        determination_id: None,
    })
}

/// Writes the next review of a case down; a case that has one keeps it.
pub(crate) async fn schedule(
    tx: &Tx,
    desk: &Desk,
    row: &case::Model,
    rule: &ReviewRule,
    from: NaiveDate,
) -> anyhow::Result<bool> {
    let next = next_row(tx, desk, row, rule, from).await?;
    put(tx, next).await
}

async fn put(tx: &Tx, row: review::Model) -> anyhow::Result<bool> {
    let inserted = review::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await
        .context("scheduling a review")?;
    Ok(inserted > 0)
}

/// The class of a case (分类), as the fact or variable of the rule tells it; nobody knows: `None`.
async fn class_of(
    tx: &Tx,
    desk: &Desk,
    row: &case::Model,
    rule: &ReviewRule,
    on: NaiveDate,
) -> anyhow::Result<Option<String>> {
    let Some(by) = &rule.by else { return Ok(None) };
    let scope = Scope::system(row.region.parse().context("the region of a case")?);
    let case = Case::read(row)?;
    let Some(sheet) = sheet::sheet(tx, &scope, desk, case.household, tx.now(), on).await? else {
        return Ok(None);
    };
    let member = case.member.and_then(|member| {
        let key = member.to_string();
        sheet.member_keys.iter().position(|known| *known == key)
    });
    if desk.book.fact(by).is_some() {
        let own = member.and_then(|at| sheet.members.get(at));
        let values = own
            .and_then(|record| record.get(by))
            .or_else(|| sheet.household.get(by));
        return Ok(values.and_then(|values| settled(values, on)));
    }
    let ask = sheet::ask(case.region, &case.programme, tx.now(), on);
    let answers = desk.book.evaluate(&sheet, &ask);
    let answer = sheet::Answer::pick(desk, &sheet, answers, &case.programme, case.member);
    Ok(answer.and_then(|answer| {
        let found = &answer.determination;
        let value = found
            .variables
            .iter()
            .find(|one| *one.id == **by && (one.member.is_none() || one.member == member))?
            .value
            .clone()?;
        word(&value)
    }))
}

/// The one value that holds on a day; two that differ are nobody's.
fn settled(values: &[DatedFact], on: NaiveDate) -> Option<String> {
    let mut holding = values
        .iter()
        .filter(|value| value.period.holds(on))
        .map(|value| word(&value.value));
    let first = holding.next()?;
    holding.all(|other| other == first).then_some(first)?
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(yes) => Some(if *yes { "true" } else { "false" }.to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Date(_) => None,
    }
}

/// The day's work on reviews (每日核查安排): cases without a review ahead get one, and what has come near becomes a task.
///
/// After days without a call everything missed is made up for; called twice, or by two machines, nothing doubles.
///
/// # Errors
/// Faults of the database; calling again goes on.
pub async fn tick(db: &Db, desk: &Desk, scope: &Scope) -> anyhow::Result<Ticked> {
    let mut ticked = Ticked::default();
    let mut after: Option<Uuid> = None;
    loop {
        let mut tx = db.begin().await?;
        let some = without_review(&tx, desk, scope, after).await?;
        let Some(last) = some.last() else {
            tx.rollback().await?;
            break;
        };
        after = Some(last.id);
        let mut made = 0;
        for row in &some {
            made += u64::from(adopt_or_schedule(&tx, desk, row).await?);
        }
        note(&mut tx, scope, "casework.review.schedule", made);
        tx.commit().await?;
        ticked.scheduled += made;
    }
    loop {
        let mut tx = db.begin().await?;
        let opened = open_near(&tx, desk, scope).await?;
        if opened == 0 {
            tx.rollback().await?;
            break;
        }
        note(&mut tx, scope, "casework.review.open", opened);
        tx.commit().await?;
        ticked.opened += opened;
    }
    Ok(ticked)
}

fn note(tx: &mut Tx, scope: &Scope, act: &str, cases: u64) {
    if cases == 0 {
        return;
    }
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "reviews".to_owned(),
        subject_id: tx.today().to_string(),
        region: Some(scope.region),
        detail: serde_json::json!({ "cases": cases }),
    });
}

/// Cases in force of reviewed programmes that have no review ahead, by id.
async fn without_review(
    tx: &Tx,
    desk: &Desk,
    scope: &Scope,
    after: Option<Uuid>,
) -> anyhow::Result<Vec<case::Model>> {
    let reviewed: Vec<&str> = desk
        .procedures()
        .filter(|procedure| procedure.review.is_some())
        .map(|procedure| procedure.programme.as_str())
        .collect();
    let ahead = Query::select()
        .expr(Expr::val(1))
        .from(review::Entity)
        .and_where(
            Expr::col((review::Entity, review::Column::CaseId))
                .equals((case::Entity, case::Column::Id)),
        )
        .and_where(Expr::col((review::Entity, review::Column::DoneOn)).is_null())
        .to_owned();
    let mut query = case::Entity::find()
        .filter(inside(case::Column::Region, scope.region))
        .filter(case::Column::Kind.eq("in_force"))
        .filter(case::Column::Programme.is_in(reviewed))
        .filter(Expr::exists(ahead).not());
    if let Some(after) = after {
        query = query.filter(case::Column::Id.gt(after));
    }
    query
        .order_by_asc(case::Column::Id)
        .limit(PORTION)
        .all(tx.conn())
        .await
        .context("looking for cases without a review ahead")
}

/// A case of an older program may have its task already: that one is taken over; else the review counts from the decision.
async fn adopt_or_schedule(tx: &Tx, desk: &Desk, row: &case::Model) -> anyhow::Result<bool> {
    let Some(rule) = desk
        .procedure(&row.programme)
        .and_then(|procedure| procedure.review.as_ref())
    else {
        return Ok(false);
    };
    let last: Option<Option<NaiveDate>> = review::Entity::find()
        .select_only()
        .column_as(review::Column::DoneOn.max(), "last")
        .filter(review::Column::CaseId.eq(row.id))
        .into_tuple()
        .one(tx.conn())
        .await
        .context("reading the last review of a case")?;
    let from = last
        .flatten()
        .or(row.decided_on)
        .unwrap_or_else(|| tx.today());
    let mut next = next_row(tx, desk, row, rule, from).await?;
    let standing = task_table::Entity::find()
        .filter(task_table::Column::CaseId.eq(row.id))
        .filter(task_table::Column::Kind.eq(TaskKind::Review.word()))
        .filter(task_table::Column::Detail.eq(""))
        .filter(task_table::Column::ClosedAt.is_null())
        .one(tx.conn())
        .await
        .context("looking for a review task")?;
    if let Some(standing) = standing {
        next.task_id = Some(standing.id);
        next.due_on = standing.due_on.unwrap_or(next.due_on);
        next.warn_on = standing.warn_on;
        next.shows_from = standing.shows_from.unwrap_or(next.shows_from);
    }
    put(tx, next).await
}

/// Opens the tasks of reviews that have come near; answers how many.
async fn open_near(tx: &Tx, desk: &Desk, scope: &Scope) -> anyhow::Result<u64> {
    let in_force = Query::select()
        .column(case::Column::Id)
        .from(case::Entity)
        .and_where(Expr::col(case::Column::Kind).eq("in_force"))
        .to_owned();
    let rows = review::Entity::find()
        .filter(review::Column::DoneOn.is_null())
        .filter(review::Column::TaskId.is_null())
        .filter(review::Column::ShowsFrom.lte(tx.today()))
        .filter(inside(review::Column::Region, scope.region))
        .filter(review::Column::CaseId.in_subquery(in_force))
        .order_by_asc(review::Column::ShowsFrom)
        .limit(PORTION)
        .lock_exclusive()
        .all(tx.conn())
        .await
        .context("reading reviews that have come near")?;
    let mut tasks = Vec::with_capacity(rows.len());
    for mut row in rows {
        let role = desk
            .procedure(&row.programme)
            .and_then(super::compare::reviewer);
        let due = task::Due {
            on: Some(row.due_on),
            warn_on: row.warn_on,
            shows_from: Some(row.shows_from),
        };
        let made = task::row(
            tx,
            row.case_id,
            &row.region,
            TaskKind::Review,
            role,
            due,
            "",
        );
        row.task_id = Some(made.id);
        save::<review::Entity>(tx, row).await?;
        tasks.push(made);
    }
    let opened = u64::try_from(tasks.len())?;
    insert_all::<task_table::Entity>(tx, tasks).await?;
    Ok(opened)
}
