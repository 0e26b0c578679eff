//! Everybody in payment (全部在发): entitlements a page at a time, and what the ledger believes was paid.
//!
//! Guarantees: only what lies in the scope, in the order of identifiers, so that a walk through them goes on where it
//! stopped. Deliberately absent: names, and whether the money should have been paid.

use crate::entitlement::{Entitlement, in_scope, load};
use crate::payrun::{LineState, line_in_scope};
use crate::tables::{entitlement as table, pay_line};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect};
use std::collections::BTreeMap;
use vocab::ids::{EntitlementId, PersonId};
use vocab::{Money, Month};

/// Entitlements begun and not ended in a month (在发待遇), after a given one, so many; some may be suspended.
///
/// # Errors
/// When the database fails.
pub async fn running(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    at: Month,
    after: Option<EntitlementId>,
    limit: u64,
) -> anyhow::Result<Vec<Entitlement>> {
    let query = open(scope, at)
        .filter(Condition::all().add_option(after.map(|id| table::Column::Id.gt(id.0))))
        .order_by_asc(table::Column::Id)
        .limit(limit);
    Ok(load(conn, query).await?.into_values().collect())
}

/// How many entitlements [`running`] walks through (在发待遇数).
///
/// # Errors
/// When the database fails.
pub async fn running_count(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    at: Month,
) -> anyhow::Result<u64> {
    let counted = open(scope, at).count(conn).await;
    counted.context("counting entitlements that run")
}

fn open(scope: &Scope, at: Month) -> Select<table::Entity> {
    let open = Condition::any()
        .add(table::Column::UntilMonth.is_null())
        .add(table::Column::UntilMonth.gt(at.to_string()));
    table::Entity::find()
        .filter(in_scope(scope))
        .filter(table::Column::FromMonth.lte(at.to_string()))
        .filter(open)
}

/// What the ledger holds for settled in runs of a month (账上已到账), by payee, among these.
///
/// # Errors
/// When the database fails.
pub async fn settled_in(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    month: Month,
    payees: &[PersonId],
) -> anyhow::Result<BTreeMap<PersonId, Money>> {
    let mut paid: BTreeMap<PersonId, i64> = BTreeMap::new();
    for some in payees.chunks(900) {
        let rows: Vec<(Uuid, i64)> = pay_line::Entity::find()
            .select_only()
            .column(pay_line::Column::PayeeId)
            .column(pay_line::Column::Net)
            .filter(line_in_scope(scope))
            .filter(pay_line::Column::Month.eq(month.to_string()))
            .filter(pay_line::Column::State.eq(LineState::Settled))
            .filter(pay_line::Column::PayeeId.is_in(some.iter().map(|id| id.0)))
            .into_tuple()
            .all(conn)
            .await
            .context("reading what was settled")?;
        for (payee, net) in rows {
            let sum = paid.entry(PersonId(payee)).or_default();
            *sum = sum
                .checked_add(net)
                .context("a sum of payments is too large")?;
        }
    }
    Ok(paid
        .into_iter()
        .map(|(payee, fen)| (payee, Money::from_fen(fen)))
        .collect())
}
