//! Reading runs and lines (批次与明细查询): pages, one of each, and sums.
//!
//! Guarantees: every query carries the scope's region and is cut and added up in SQL. Deliberately absent: names.

use super::{
    Difference, LineState, PayLine, PayRun, item_of, line_in_scope, line_of, run_in_scope, run_of,
    sum_of,
};
use crate::tables::{pay_item, pay_line, pay_run};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use store::{Db, Page};
use vocab::ids::{PayLineId, PayRunId, PersonId};
use vocab::{Money, Month, Region};

/// Which lines to show (明细筛选); everything absent means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFilter {
    /// Of this run.
    pub run: Option<PayRunId>,
    /// For this payee.
    pub payee: Option<PersonId>,
    /// Of this programme.
    pub programme: Option<String>,
    /// In this place.
    pub region: Option<Region>,
    /// Of runs of this month.
    pub month: Option<Month>,
    /// Of runs of this month and later ones.
    pub month_from: Option<Month>,
    /// Of runs of this month and earlier ones.
    pub month_to: Option<Month>,
    /// Only what was released and pays something new.
    pub released: bool,
    /// That differ so.
    pub difference: Option<Difference>,
    /// That have come so far.
    pub state: Option<LineState>,
    /// With arrears.
    pub with_arrears: bool,
    /// With an instalment held back.
    pub with_recovery: bool,
}

/// One group of a run's lines (批次汇总).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryRow {
    /// The programme.
    pub programme: String,
    /// Against the month before.
    pub difference: Difference,
    /// How far these lines have come.
    pub state: LineState,
    /// How many.
    pub lines: u64,
    /// For the month itself.
    pub regular: Money,
    /// For months before.
    pub arrears: Money,
    /// Held back.
    pub recovery: Money,
    /// To the bank.
    pub net: Money,
}

/// The runs of a scope (批次列表), newest month first.
///
/// # Errors
/// When the database fails.
pub async fn runs(
    db: &Db,
    scope: &Scope,
    month: Option<Month>,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PayRun>> {
    let mut query = pay_run::Entity::find().filter(run_in_scope(scope));
    if let Some(month) = month {
        query = query.filter(pay_run::Column::Month.eq(month.to_string()));
    }
    let query = query
        .order_by_desc(pay_run::Column::Month)
        .order_by_desc(pay_run::Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("reading pay runs")?
        .try_map(run_of)
}

/// A run by its id (按标识取批次), if it lies in the scope.
///
/// # Errors
/// When the database fails.
pub async fn run(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    id: PayRunId,
) -> anyhow::Result<Option<PayRun>> {
    pay_run::Entity::find_by_id(id.0)
        .filter(run_in_scope(scope))
        .one(conn)
        .await
        .with_context(|| format!("reading pay run {id}"))?
        .map(run_of)
        .transpose()
}

/// Lines, a page at a time (明细列表), in the order of run and number.
///
/// # Errors
/// When the database fails.
pub async fn lines(
    db: &Db,
    scope: &Scope,
    filter: &LineFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PayLine>> {
    let query = pay_line::Entity::find()
        .filter(line_in_scope(scope))
        .filter(filter.condition());
    let query = query
        .order_by_desc(pay_line::Column::Month)
        .order_by_asc(pay_line::Column::RunId)
        .order_by_asc(pay_line::Column::Seq);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("reading pay lines")?
        .try_map(line_of)
}

/// The lines of a filter after one (此后的明细), in the order of run and number: for a file of all of them.
///
/// # Errors
/// When the database fails.
pub async fn lines_after(
    db: &Db,
    scope: &Scope,
    filter: &LineFilter,
    last: Option<(PayRunId, i64)>,
    limit: u64,
) -> anyhow::Result<Vec<PayLine>> {
    let query = pay_line::Entity::find()
        .filter(line_in_scope(scope))
        .filter(filter.condition());
    let key = (pay_line::Column::RunId, pay_line::Column::Seq);
    let last = last.map(|(run, number)| (run.0, number));
    store::page::after(db.conn(), query, key, last, limit)
        .await
        .context("going through pay lines")?
        .into_iter()
        .map(line_of)
        .collect()
}

/// A line with what it is made of (按标识取明细), if it lies in the scope.
///
/// # Errors
/// When the database fails.
pub async fn line(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    id: PayLineId,
) -> anyhow::Result<Option<PayLine>> {
    let row = pay_line::Entity::find_by_id(id.0)
        .filter(line_in_scope(scope))
        .one(conn)
        .await
        .with_context(|| format!("reading pay line {id}"))?;
    let Some(row) = row else { return Ok(None) };
    let mut line = line_of(row)?;
    line.items = pay_item::Entity::find()
        .filter(pay_item::Column::LineId.eq(id.0))
        .order_by_asc(pay_item::Column::Seq)
        .all(conn)
        .await
        .with_context(|| format!("reading the items of pay line {id}"))?
        .into_iter()
        .map(item_of)
        .collect::<anyhow::Result<_>>()?;
    Ok(Some(line))
}

/// A run's lines by programme, difference and state (批次汇总).
///
/// # Errors
/// When the database fails.
pub async fn summary(db: &Db, scope: &Scope, id: PayRunId) -> anyhow::Result<Vec<SummaryRow>> {
    #[derive(FromQueryResult)]
    struct Row {
        programme: String,
        difference: Difference,
        state: LineState,
        lines: i64,
        regular: i64,
        arrears: i64,
        recovery: i64,
        net: i64,
    }
    let rows = pay_line::Entity::find()
        .select_only()
        .column(pay_line::Column::Programme)
        .column(pay_line::Column::Difference)
        .column(pay_line::Column::State)
        .column_as(pay_line::Column::Id.count(), "lines")
        .column_as(sum_of(pay_line::Column::Regular), "regular")
        .column_as(sum_of(pay_line::Column::Arrears), "arrears")
        .column_as(sum_of(pay_line::Column::Recovery), "recovery")
        .column_as(sum_of(pay_line::Column::Net), "net")
        .filter(line_in_scope(scope))
        .filter(pay_line::Column::RunId.eq(id.0))
        .group_by(pay_line::Column::Programme)
        .group_by(pay_line::Column::Difference)
        .group_by(pay_line::Column::State)
        .order_by_asc(pay_line::Column::Programme)
        .order_by_asc(pay_line::Column::Difference)
        .order_by_asc(pay_line::Column::State)
        .into_model::<Row>()
        .all(db.conn())
        .await
        .with_context(|| format!("adding up pay run {id}"))?;
    rows.into_iter()
        .map(|row| {
            Ok(SummaryRow {
                programme: row.programme,
                difference: row.difference,
                state: row.state,
                lines: u64::try_from(row.lines)?,
                regular: Money::from_fen(row.regular),
                arrears: Money::from_fen(row.arrears),
                recovery: Money::from_fen(row.recovery),
                net: Money::from_fen(row.net),
            })
        })
        .collect()
}

impl LineFilter {
    pub(crate) fn condition(&self) -> Condition {
        let region = self.region.map(Region::code_range);
        Condition::all()
            .add_option(self.run.map(|run| pay_line::Column::RunId.eq(run.0)))
            .add_option(
                self.payee
                    .map(|payee| pay_line::Column::PayeeId.eq(payee.0)),
            )
            .add_option(
                self.programme
                    .as_ref()
                    .map(|id| pay_line::Column::Programme.eq(id.as_str())),
            )
            .add_option(
                region
                    .as_ref()
                    .map(|(first, _)| pay_line::Column::Region.gte(first.as_str())),
            )
            .add_option(
                region
                    .as_ref()
                    .map(|(_, beyond)| pay_line::Column::Region.lt(beyond.as_str())),
            )
            .add_option(
                self.month
                    .map(|month| pay_line::Column::Month.eq(month.to_string())),
            )
            .add_option(
                self.month_from
                    .map(|month| pay_line::Column::Month.gte(month.to_string())),
            )
            .add_option(
                self.month_to
                    .map(|month| pay_line::Column::Month.lte(month.to_string())),
            )
            .add_option(self.released.then(crate::figure::is_released))
            .add_option(
                self.difference
                    .map(|difference| pay_line::Column::Difference.eq(difference)),
            )
            .add_option(self.state.map(|state| pay_line::Column::State.eq(state)))
            .add_option(self.with_arrears.then(|| pay_line::Column::Arrears.gt(0)))
            .add_option(self.with_recovery.then(|| pay_line::Column::Recovery.gt(0)))
    }
}
