//! Adjustments as they are shown (标准调整列表): counts and pages made by the database.

use super::{Difference, LineResult, State};
use crate::case::from_word;
use crate::tables::{adjustment, adjustment_line};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use store::{Db, Page, Tx, inside};
use vocab::ids::{AdjustmentId, CaseId};
use vocab::{Money, Month, Region};

/// One adjustment (一次标准调整).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// Where.
    pub region: Region,
    /// The programmes.
    pub programmes: Vec<String>,
    /// The first month of the new amounts.
    pub from: Month,
    /// The document it rests on.
    pub basis: String,
    /// The adjustment it takes back.
    pub reverses: Option<AdjustmentId>,
    /// How far it has come.
    pub state: State,
    /// The rules it was made with.
    pub pack_version: String,
    /// How many cases were looked at.
    pub looked_at: i64,
    /// Who proposed it.
    pub proposer: String,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Who approved it.
    pub approver: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
}

/// What it means for one case (调整明细).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub number: String,
    /// The programme.
    pub programme: String,
    /// Where.
    pub region: Region,
    /// About whom, masked.
    pub subject: String,
    /// A month so far.
    pub before: Money,
    /// A month from then on.
    pub after: Option<Money>,
    /// What differs.
    pub difference: Difference,
    /// What became of it.
    pub result: Option<LineResult>,
    /// Why it was not carried out, if the ledger said so.
    pub said: String,
}

/// The lines of one kind, added up (分类合计).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summed {
    /// What differs.
    pub difference: Difference,
    /// What became of them.
    pub result: Option<LineResult>,
    /// How many.
    pub cases: u64,
    /// What they are paid a month so far.
    pub before: Money,
    /// What they are paid a month from then on.
    pub after: Money,
}

impl Adjustment {
    fn read(row: adjustment::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: AdjustmentId(row.id),
            region: row.region.parse().context("the region of an adjustment")?,
            programmes: serde_json::from_str(&row.programmes)
                .context("the programmes of an adjustment")?,
            from: row
                .from_month
                .parse()
                .context("the month of an adjustment")?,
            basis: row.basis,
            reverses: row.reverses.map(AdjustmentId),
            state: from_word(&row.state)?,
            pack_version: row.pack_version,
            looked_at: row.looked_at,
            proposer: row.proposer,
            proposed_at: row.proposed_at,
            approver: row.approver,
            approved_at: row.approved_at,
        })
    }
}

impl Line {
    fn read(row: adjustment_line::Model) -> anyhow::Result<Self> {
        Ok(Self {
            case: CaseId(row.case_id),
            number: row.number,
            programme: row.programme,
            region: row.region.parse().context("the region of a case")?,
            subject: row.subject_masked,
            before: Money::from_fen(row.amount_before),
            after: row.amount_after.map(Money::from_fen),
            difference: Difference::read(&row.difference)?,
            result: row.result.as_deref().map(from_word).transpose()?,
            said: row.said,
        })
    }
}

fn in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(adjustment::Column::Region, scope.region))
}

pub(super) async fn row(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    id: AdjustmentId,
) -> anyhow::Result<Option<adjustment::Model>> {
    adjustment::Entity::find_by_id(id.0)
        .filter(in_scope(scope))
        .one(conn)
        .await
        .context("reading an adjustment")
}

pub(super) async fn row_for_change(
    tx: &Tx,
    scope: &Scope,
    id: AdjustmentId,
) -> anyhow::Result<Option<adjustment::Model>> {
    adjustment::Entity::find_by_id(id.0)
        .filter(in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading an adjustment to change it")
}

/// The adjustments of the scope (标准调整列表), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Adjustment>> {
    let query = adjustment::Entity::find().filter(in_scope(scope));
    let query = query
        .order_by_desc(adjustment::Column::ProposedAt)
        .order_by_asc(adjustment::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing adjustments")?
        .try_map(Adjustment::read)
}

/// One adjustment (一次标准调整), if it lies in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn view(db: &Db, scope: &Scope, id: AdjustmentId) -> anyhow::Result<Option<Adjustment>> {
    row(db.conn(), scope, id)
        .await?
        .map(Adjustment::read)
        .transpose()
}

/// The lines of an adjustment of the scope; the cases of a line lie in its region.
fn of(
    scope: &Scope,
    id: AdjustmentId,
    difference: Option<Difference>,
) -> Select<adjustment_line::Entity> {
    let query = adjustment_line::Entity::find()
        .filter(adjustment_line::Column::AdjustmentId.eq(id.0))
        .filter(inside(adjustment_line::Column::Region, scope.region));
    match difference {
        Some(difference) => query.filter(adjustment_line::Column::Difference.eq(difference.word())),
        None => query,
    }
}

/// What it means case by case (调整明细), by case number.
///
/// # Errors
/// Faults of the database.
pub async fn lines(
    db: &Db,
    scope: &Scope,
    id: AdjustmentId,
    difference: Option<Difference>,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Line>> {
    let query = of(scope, id, difference);
    let query = query.order_by_asc(adjustment_line::Column::Number);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing the lines of an adjustment")?
        .try_map(Line::read)
}

/// Difference, result, cases, sum before, sum after.
type SumRow = (String, Option<String>, i64, Option<i64>, Option<i64>);

/// The lines added up by kind and result (分类合计).
///
/// # Errors
/// Faults of the database.
pub async fn summed(db: &Db, scope: &Scope, id: AdjustmentId) -> anyhow::Result<Vec<Summed>> {
    use adjustment_line::Column as C;
    // PostgreSQL adds integers up to a decimal.
    let sum = |column: C| Expr::col(column).sum().cast_as("BIGINT");
    let rows: Vec<SumRow> = of(scope, id, None)
        .select_only()
        .column(C::Difference)
        .column(C::Result)
        .column_as(C::Id.count(), "cases")
        .column_as(sum(C::AmountBefore), "sum_before")
        .column_as(sum(C::AmountAfter), "sum_after")
        .group_by(C::Difference)
        .group_by(C::Result)
        .into_tuple()
        .all(db.conn())
        .await
        .context("adding up an adjustment")?;
    let mut summed = rows
        .into_iter()
        .map(|(difference, result, cases, before, after)| {
            Ok(Summed {
                difference: Difference::read(&difference)?,
                result: result.as_deref().map(from_word).transpose()?,
                cases: u64::try_from(cases)?,
                before: Money::from_fen(before.unwrap_or_default()),
                after: Money::from_fen(after.unwrap_or_default()),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    summed.sort_by_key(|one| (one.difference, one.result));
    Ok(summed)
}
