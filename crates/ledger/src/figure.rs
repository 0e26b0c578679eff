//! Pay lines as figures (发放统计数): what a released line adds to the statistics, without saying who is paid.
//!
//! Guarantees: only lines that were released and pay something new count, so that returned money sent again is not
//! counted twice; what was released once counts for ever. Deliberately absent: adding up; whoever keeps totals does.

use crate::payrun::list::LineFilter;
use crate::payrun::{Difference, LineKind, LineState, line_in_scope, sum_of};
use crate::tables::{covered, pay_line};
use crate::transfer::{month, region};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{Condition, FromQueryResult, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::ids::{PayLineId, PayRunId};
use vocab::{Money, Month, Region};

/// A released line as a figure (发放统计数).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFigure {
    /// The run's month.
    pub month: Month,
    /// The place.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// Against the month before.
    pub difference: Difference,
    /// How many persons the entitlement covers.
    pub persons: i64,
    /// What went to the bank.
    pub net: Money,
}

/// Lines added up (明细合计).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineTotals {
    /// How many lines.
    pub lines: u64,
    /// How many persons their entitlements cover.
    pub persons: u64,
    /// What goes to the bank.
    pub net: Money,
}

/// Lines that were released and pay something new (已放款).
pub(crate) fn is_released() -> Condition {
    Condition::all()
        .add(pay_line::Column::Kind.eq(LineKind::Pay))
        .add(pay_line::Column::State.is_in(LineState::RELEASED))
}

/// The released lines of a scope as figures (发放统计数), of one run or of all, after a given one, in the order of
/// identifiers.
///
/// # Errors
/// When the database fails.
pub async fn line_figures(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    run: Option<PayRunId>,
    after: Option<PayLineId>,
    limit: u64,
) -> anyhow::Result<Vec<(PayLineId, LineFigure)>> {
    let rows = pay_line::Entity::find()
        .filter(line_in_scope(scope))
        .filter(is_released())
        .filter(
            Condition::all()
                .add_option(run.map(|run| pay_line::Column::RunId.eq(run.0)))
                .add_option(after.map(|after| pay_line::Column::Id.gt(after.0))),
        )
        .order_by_asc(pay_line::Column::Id)
        .limit(limit)
        .all(conn)
        .await
        .context("reading released lines")?;
    let mut persons = BTreeMap::new();
    for some in rows.chunks(900) {
        let counted: Vec<(Uuid, i64)> = covered::Entity::find()
            .select_only()
            .column(covered::Column::EntitlementId)
            .column_as(covered::Column::PersonId.count(), "persons")
            .filter(covered::Column::EntitlementId.is_in(some.iter().map(|row| row.entitlement_id)))
            .group_by(covered::Column::EntitlementId)
            .into_tuple()
            .all(conn)
            .await
            .context("counting who is covered")?;
        persons.extend(counted);
    }
    rows.into_iter()
        .map(|row| {
            let figure = LineFigure {
                month: month(&row.month)?,
                region: region(&row.region)?,
                persons: persons.get(&row.entitlement_id).copied().unwrap_or(0),
                programme: row.programme,
                difference: row.difference,
                net: Money::from_fen(row.net),
            };
            Ok((PayLineId(row.id), figure))
        })
        .collect()
}

/// The lines of a filter added up (明细合计): the list's own numbers.
///
/// # Errors
/// When the database fails.
pub async fn line_totals(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    filter: &LineFilter,
) -> anyhow::Result<LineTotals> {
    #[derive(FromQueryResult)]
    struct Sum {
        lines: i64,
        net: Option<i64>,
    }
    let sum = pay_line::Entity::find()
        .select_only()
        .column_as(pay_line::Column::Id.count(), "lines")
        .column_as(sum_of(pay_line::Column::Net), "net")
        .filter(line_in_scope(scope))
        .filter(filter.condition())
        .into_model::<Sum>()
        .one(conn)
        .await
        .context("adding up pay lines")?;
    // Each line counts its own persons: an entitlement paid for two months counts them twice.
    let persons = Query::select()
        .expr_as(
            Expr::col((covered::Entity, covered::Column::PersonId)).count(),
            "persons",
        )
        .from(pay_line::Entity)
        .inner_join(
            covered::Entity,
            Expr::col((covered::Entity, covered::Column::EntitlementId))
                .equals((pay_line::Entity, pay_line::Column::EntitlementId)),
        )
        .cond_where(line_in_scope(scope))
        .cond_where(filter.condition())
        .to_owned();
    let persons: i64 = conn
        .query_one(&persons)
        .await
        .context("counting who is covered by pay lines")?
        .map_or(Ok(0), |row| row.try_get("", "persons"))?;
    let sum = sum.unwrap_or(Sum {
        lines: 0,
        net: None,
    });
    Ok(LineTotals {
        lines: u64::try_from(sum.lines)?,
        persons: u64::try_from(persons)?,
        // SQL adds up nothing to nothing.
        net: Money::from_fen(sum.net.unwrap_or(0)),
    })
}
