//! Totals (汇总): what was released, held back, returned and still under way, by month, programme and place.
//!
//! Guarantees: added up in SQL from the lines of the scope's region; returned money sent again is not counted twice.
//! Deliberately absent: persons.

use crate::payrun::{LineKind, LineState, line_in_scope, sum_of};
use crate::tables::pay_line;
use crate::transfer::{month, region};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Db;
use vocab::{Money, Month, Region};

/// One month of one programme in one place (汇总一行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalRow {
    /// Month of the run.
    pub month: Month,
    /// The programme.
    pub programme: String,
    /// The place; `None` when places are added up.
    pub region: Option<Region>,
    /// Lines released.
    pub lines: u64,
    /// For the months themselves.
    pub regular: Money,
    /// For months before.
    pub arrears: Money,
    /// Held back.
    pub recovery: Money,
    /// To the bank.
    pub net: Money,
    /// Arrived, first time or sent again.
    pub settled: Money,
    /// Returned and not sent again yet.
    pub returned: Money,
}

#[derive(FromQueryResult)]
struct Sum {
    month: String,
    programme: String,
    region: String,
    kind: LineKind,
    state: LineState,
    lines: i64,
    regular: i64,
    arrears: i64,
    recovery: i64,
    net: i64,
}

/// Totals of the months `[from, until)` (汇总), by place too if asked.
///
/// # Errors
/// When the database fails.
pub async fn totals(
    db: &Db,
    scope: &Scope,
    from: Month,
    until: Month,
    by_region: bool,
) -> anyhow::Result<Vec<TotalRow>> {
    let unreleased = [
        LineState::Proposed,
        LineState::Blocked,
        LineState::NotPaid,
        LineState::Cancelled,
    ];
    let sums = pay_line::Entity::find()
        .select_only()
        .column(pay_line::Column::Month)
        .column(pay_line::Column::Programme)
        .column(pay_line::Column::Region)
        .column(pay_line::Column::Kind)
        .column(pay_line::Column::State)
        .column_as(pay_line::Column::Id.count(), "lines")
        .column_as(sum_of(pay_line::Column::Regular), "regular")
        .column_as(sum_of(pay_line::Column::Arrears), "arrears")
        .column_as(sum_of(pay_line::Column::Recovery), "recovery")
        .column_as(sum_of(pay_line::Column::Net), "net")
        .filter(line_in_scope(scope))
        .filter(pay_line::Column::Month.gte(from.to_string()))
        .filter(pay_line::Column::Month.lt(until.to_string()))
        .filter(pay_line::Column::State.is_not_in(unreleased))
        .group_by(pay_line::Column::Month)
        .group_by(pay_line::Column::Programme)
        .group_by(pay_line::Column::Region)
        .group_by(pay_line::Column::Kind)
        .group_by(pay_line::Column::State)
        .order_by_asc(pay_line::Column::Month)
        .into_model::<Sum>()
        .all(db.conn())
        .await
        .context("adding up pay lines")?;
    let mut rows: BTreeMap<(Month, String, Option<Region>), TotalRow> = BTreeMap::new();
    for sum in sums {
        let month = month(&sum.month)?;
        let place = if by_region {
            Some(region(&sum.region)?)
        } else {
            None
        };
        let row = rows
            .entry((month, sum.programme.clone(), place))
            .or_insert_with(|| TotalRow {
                month,
                programme: sum.programme.clone(),
                region: place,
                lines: 0,
                regular: Money::ZERO,
                arrears: Money::ZERO,
                recovery: Money::ZERO,
                net: Money::ZERO,
                settled: Money::ZERO,
                returned: Money::ZERO,
            });
        row.add(&sum)?;
    }
    Ok(rows.into_values().collect())
}

impl TotalRow {
    fn add(&mut self, sum: &Sum) -> anyhow::Result<()> {
        let net = Money::from_fen(sum.net);
        if sum.kind == LineKind::Pay {
            self.lines += u64::try_from(sum.lines)?;
            self.regular = self.regular.plus(Money::from_fen(sum.regular))?;
            self.arrears = self.arrears.plus(Money::from_fen(sum.arrears))?;
            self.recovery = self.recovery.plus(Money::from_fen(sum.recovery))?;
            self.net = self.net.plus(net)?;
        }
        match sum.state {
            LineState::Settled => self.settled = self.settled.plus(net)?,
            LineState::Returned | LineState::Reissuing => {
                self.returned = self.returned.plus(net)?
            }
            _ => {}
        }
        Ok(())
    }
}
