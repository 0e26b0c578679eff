//! A person's statement (个人发放明细): what was paid for which month, in which run, and what is open.
//!
//! Guarantees: only released lines of the scope's region; one person's lines are few enough to be read whole. Deliberately
//! absent: lines of other payees that covered this person – the entitlement names its payee.

use crate::account::Account;
use crate::payrun::{ItemKind, LineState, PayLine, item_of, line_in_scope, line_of};
use crate::tables::{pay_item, pay_line, transfer};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Db, inside};
use vocab::ids::{PayLineId, PersonId};
use vocab::{Money, Month};

/// One amount for one month (明细一行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRow {
    /// The programme.
    pub programme: String,
    /// Of which kind.
    pub kind: ItemKind,
    /// How much; instalments held back are negative.
    pub amount: Money,
    /// Month of the run that paid it.
    pub run_month: Month,
    /// The line.
    pub line: PayLineId,
    /// The number the bank saw.
    pub instruction: String,
    /// How far the line has come.
    pub state: LineState,
}

/// A person's statement (个人发放明细).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose.
    pub person: PersonId,
    /// By the month the money is for, oldest first.
    pub months: BTreeMap<Month, Vec<StatementRow>>,
    /// Released and not yet arrived.
    pub payable: Money,
    /// Paid too much and not yet recovered.
    pub receivable: Money,
}

/// A person's statement for the months `[from, until)` (个人发放明细).
///
/// # Errors
/// When the database fails.
pub async fn statement(
    db: &Db,
    scope: &Scope,
    person: PersonId,
    from: Month,
    until: Month,
) -> anyhow::Result<Statement> {
    let lines = released_lines(db, scope, person).await?;
    let items = pay_item::Entity::find()
        .filter(pay_item::Column::LineId.is_in(lines.keys().copied()))
        .order_by_asc(pay_item::Column::LineId)
        .order_by_asc(pay_item::Column::Seq)
        .all(db.conn())
        .await
        .context("reading what a person's lines are made of")?;
    let mut months: BTreeMap<Month, Vec<StatementRow>> = BTreeMap::new();
    for row in items {
        let Some(line) = lines.get(&row.line_id) else {
            continue;
        };
        let item = item_of(row)?;
        if item.month < from || item.month >= until {
            continue;
        }
        let amount = if item.kind == ItemKind::Recovery {
            Money::ZERO.minus(item.amount)?
        } else {
            item.amount
        };
        months.entry(item.month).or_default().push(StatementRow {
            programme: line.programme.clone(),
            kind: item.kind,
            amount,
            run_month: line.month,
            line: line.id,
            instruction: line.instruction.clone(),
            state: line.state,
        });
    }
    for rows in months.values_mut() {
        rows.sort_by(|a, b| {
            (a.run_month, &a.instruction, a.kind).cmp(&(b.run_month, &b.instruction, b.kind))
        });
    }
    let (payable, receivable) = open(db, scope, person).await?;
    Ok(Statement {
        person,
        months,
        payable,
        receivable,
    })
}

async fn released_lines(
    db: &Db,
    scope: &Scope,
    person: PersonId,
) -> anyhow::Result<BTreeMap<Uuid, PayLine>> {
    let unreleased = [
        LineState::Proposed,
        LineState::Blocked,
        LineState::NotPaid,
        LineState::Cancelled,
    ];
    pay_line::Entity::find()
        .filter(line_in_scope(scope))
        .filter(pay_line::Column::PayeeId.eq(person.0))
        .filter(pay_line::Column::State.is_not_in(unreleased))
        .all(db.conn())
        .await
        .context("reading a person's lines")?
        .into_iter()
        .map(|row| Ok((row.id, line_of(row)?)))
        .collect()
}

/// What is owed to the person and by the person, added up from the transfers of the scope.
async fn open(db: &Db, scope: &Scope, person: PersonId) -> anyhow::Result<(Money, Money)> {
    let here = Condition::all().add(inside(transfer::Column::Region, scope.region));
    let rows = transfer::Entity::find()
        .filter(here)
        .filter(transfer::Column::PayeeId.eq(person.0))
        .all(db.conn())
        .await
        .context("reading a person's transfers")?;
    let (mut payable, mut receivable) = (Money::ZERO, Money::ZERO);
    for row in rows {
        let amount = Money::from_fen(row.amount);
        for (account, amount) in [
            (row.debit_id, amount),
            (row.credit_id, Money::ZERO.minus(amount)?),
        ] {
            if account == Account::payable(&row.programme, person).id().0 {
                payable = payable.minus(amount)?;
            } else if account == Account::receivable(&row.programme, person).id().0 {
                receivable = receivable.plus(amount)?;
            }
        }
    }
    Ok((payable, receivable))
}
