//! What is in payment (在发待遇): the rights that run in a month as a list, and each right's months as figures.
//!
//! Guarantees: the list asks in SQL what [`Entitlement::standing`] answers of one right, so a page and its count are the
//! database's; a figure's months are the very months [`Entitlement::standing`] calls running. Deliberately absent: names, and
//! people counted once over several rights; whoever is covered by two is covered twice.

use crate::entitlement::{ChangeKind, Entitlement, Standing, in_scope, load};
use crate::tables::{change, covered, entitlement as table};
use access::Scope;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait, Order, Query, SelectStatement, SimpleExpr};
use sea_orm::{Condition, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Page, inside};
use vocab::ids::EntitlementId;
use vocab::{Money, Month, Region};

/// Which rights (在发筛选): those that run in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightFilter {
    /// In this month.
    pub month: Month,
    /// Of this programme.
    pub programme: Option<String>,
    /// In this place.
    pub region: Option<Region>,
}

/// Rights added up (在发合计).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RightTotals {
    /// How many rights.
    pub rights: u64,
    /// How many persons they cover; whoever is covered by two counts twice.
    pub persons: u64,
    /// What they come to in the month.
    pub amount: Money,
}

/// Months in which a right runs with one amount (在发期间): from, first month no longer, amount.
pub type Running = (Month, Option<Month>, Money);

/// A right as a figure (在发统计数): when it runs and how many it covers, without saying whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightFigure {
    /// The place.
    pub region: Region,
    /// The programme.
    pub programme: String,
    /// How many persons it covers.
    pub persons: i64,
    /// When it runs, and with what.
    pub running: Vec<Running>,
}

impl Entitlement {
    /// The months in which it runs (在发期间), each span with its amount, in order; what follows on with the same amount is
    /// one span.
    pub fn running(&self) -> Vec<Running> {
        // Nothing changes between these months.
        let turns: BTreeSet<Month> = self
            .changes
            .iter()
            .map(|change| change.from)
            .chain(self.until)
            .filter(|month| *month > self.from)
            .chain([self.from])
            .collect();
        let mut spans: Vec<Running> = Vec::new();
        for month in turns {
            let now = match self.standing(month) {
                Standing::Running(amount) => Some(amount),
                Standing::NotYet | Standing::Suspended | Standing::Ended => None,
            };
            let open = spans.last_mut().filter(|(_, until, _)| until.is_none());
            if let Some((_, until, amount)) = open {
                if now == Some(*amount) {
                    continue;
                }
                *until = Some(month);
            }
            if let Some(amount) = now {
                spans.push((month, None, amount));
            }
        }
        spans
    }
}

/// The rights in payment in a month (在发待遇清单), a page at a time, in the order of place and identifier.
///
/// # Errors
/// When the database fails.
pub async fn rights_in_payment(
    db: &Db,
    scope: &Scope,
    filter: &RightFilter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Entitlement>> {
    let query = selected(scope, filter)
        .select_only()
        .column(table::Column::Id)
        .order_by_asc(table::Column::Region)
        .order_by_asc(table::Column::Id);
    let total = selected(scope, filter)
        .count(db.conn())
        .await
        .context("counting rights in payment")?;
    let ids: Vec<Uuid> = query
        .offset(offset)
        .limit(limit)
        .into_tuple()
        .all(db.conn())
        .await
        .context("reading rights in payment")?;
    Ok(Page {
        rows: in_this_order(db, scope, ids).await?,
        total,
        offset,
        limit,
    })
}

/// The rights of a filter after one (此后的待遇), in the order of identifiers: for a file of all of them.
///
/// # Errors
/// When the database fails.
pub async fn rights_in_payment_after(
    db: &Db,
    scope: &Scope,
    filter: &RightFilter,
    last: Option<EntitlementId>,
    limit: u64,
) -> anyhow::Result<Vec<Entitlement>> {
    let last = last.map(|last| last.0);
    let rows = store::page::after(
        db.conn(),
        selected(scope, filter),
        table::Column::Id,
        last,
        limit,
    )
    .await
    .context("going through rights in payment")?;
    in_this_order(db, scope, rows.into_iter().map(|row| row.id).collect()).await
}

async fn in_this_order(db: &Db, scope: &Scope, ids: Vec<Uuid>) -> anyhow::Result<Vec<Entitlement>> {
    let these = table::Entity::find()
        .filter(in_scope(scope))
        .filter(table::Column::Id.is_in(ids.iter().copied()));
    let mut found = load(db.conn(), these).await?;
    Ok(ids
        .into_iter()
        .filter_map(|id| found.remove(&EntitlementId(id)))
        .collect())
}

/// The rights of a filter added up (在发合计): the list's own numbers.
///
/// # Errors
/// When the database fails.
pub async fn right_totals(
    db: &Db,
    scope: &Scope,
    filter: &RightFilter,
) -> anyhow::Result<RightTotals> {
    let sums: Option<(i64, Option<i64>)> = selected(scope, filter)
        .select_only()
        .column_as(table::Column::Id.count(), "rights")
        .column_as(
            SimpleExpr::from(amount_in(filter.month))
                .sum()
                .cast_as("BIGINT"),
            "amount",
        )
        .into_tuple()
        .one(db.conn())
        .await
        .context("adding up rights in payment")?;
    let (rights, amount) = sums.unwrap_or((0, None));
    let persons = Query::select()
        .expr_as(
            Expr::col((covered::Entity, covered::Column::PersonId)).count(),
            "persons",
        )
        .from(table::Entity)
        .inner_join(
            covered::Entity,
            Expr::col((covered::Entity, covered::Column::EntitlementId))
                .equals((table::Entity, table::Column::Id)),
        )
        .cond_where(in_scope(scope))
        .cond_where(filter.condition())
        .to_owned();
    let persons: i64 = db
        .conn()
        .query_one(&persons)
        .await
        .context("counting who is covered by rights in payment")?
        .map_or(Ok(0), |row| row.try_get("", "persons"))?;
    Ok(RightTotals {
        rights: u64::try_from(rights)?,
        persons: u64::try_from(persons)?,
        // SQL adds up nothing to nothing.
        amount: Money::from_fen(amount.unwrap_or(0)),
    })
}

/// The rights of a scope as figures (在发统计数), these or all, after a given one, in the order of identifiers.
///
/// # Errors
/// When the database fails.
pub async fn right_figures(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    these: Option<&[EntitlementId]>,
    after: Option<EntitlementId>,
    limit: u64,
) -> anyhow::Result<Vec<(EntitlementId, RightFigure)>> {
    let ids = these.map(|ids| table::Column::Id.is_in(ids.iter().map(|id| id.0)));
    let query = table::Entity::find()
        .filter(in_scope(scope))
        .filter(
            Condition::all()
                .add_option(ids)
                .add_option(after.map(|after| table::Column::Id.gt(after.0))),
        )
        .order_by_asc(table::Column::Id)
        .limit(limit);
    let found: BTreeMap<EntitlementId, Entitlement> = load(conn, query).await?;
    found
        .into_iter()
        .map(|(id, right)| {
            let figure = RightFigure {
                persons: i64::try_from(right.covered.len())?,
                running: right.running(),
                region: right.region,
                programme: right.programme,
            };
            Ok((id, figure))
        })
        .collect()
}

fn selected(scope: &Scope, filter: &RightFilter) -> Select<table::Entity> {
    table::Entity::find()
        .filter(in_scope(scope))
        .filter(filter.condition())
}

impl RightFilter {
    /// What [`Entitlement::standing`] calls running, as the database asks it.
    fn condition(&self) -> Condition {
        let month = self.month.to_string();
        let open = Condition::any()
            .add(table::Column::UntilMonth.is_null())
            .add(table::Column::UntilMonth.gt(month.as_str()));
        Condition::all()
            .add(table::Column::FromMonth.lte(month.as_str()))
            .add(open)
            .add(stands(&month, ChangeKind::Stop, ChangeKind::Reinstate).not())
            .add(stands(&month, ChangeKind::Suspend, ChangeKind::Resume).not())
            .add_option(
                self.programme
                    .as_ref()
                    .map(|id| table::Column::Programme.eq(id.as_str())),
            )
            .add_option(
                self.region
                    .map(|region| inside(table::Column::Region, region)),
            )
    }
}

/// The amount of a right in a month: that of its last change made for the month or before it.
fn amount_in(month: Month) -> SelectStatement {
    Query::select()
        .column((change::Entity, change::Column::Amount))
        .from(change::Entity)
        .and_where(
            Expr::col((change::Entity, change::Column::EntitlementId))
                .equals((table::Entity, table::Column::Id)),
        )
        .and_where(change::Column::Kind.eq(ChangeKind::Amount))
        .and_where(change::Column::FromMonth.lte(month.to_string()))
        .order_by((change::Entity, change::Column::Seq), Order::Desc)
        .limit(1)
        .to_owned()
}

/// Whether a change is in force in a month: made for it or before it, and not undone by a later one.
fn stands(month: &str, done: ChangeKind, undone: ChangeKind) -> SimpleExpr {
    let (one, other) = (Alias::new("done"), Alias::new("undone"));
    let of = |name: &Alias, column| Expr::col((name.clone(), column));
    let up_to = |name: &Alias, kind: ChangeKind| {
        Condition::all()
            .add(of(name, change::Column::Kind).eq(kind.code()))
            .add(of(name, change::Column::FromMonth).lte(month))
    };
    let later = Query::select()
        .expr(Expr::val(1))
        .from_as(change::Entity, other.clone())
        .cond_where(
            up_to(&other, undone)
                .add(
                    of(&other, change::Column::EntitlementId)
                        .eq(of(&one, change::Column::EntitlementId)),
                )
                .add(of(&other, change::Column::Seq).gt(of(&one, change::Column::Seq))),
        )
        .to_owned();
    let made = Query::select()
        .expr(Expr::val(1))
        .from_as(change::Entity, one.clone())
        .cond_where(
            up_to(&one, done)
                .add(
                    of(&one, change::Column::EntitlementId)
                        .eq(Expr::col((table::Entity, table::Column::Id))),
                )
                .add(Expr::exists(later).not()),
        )
        .to_owned();
    Expr::exists(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entitlement::Change;
    use vocab::ids::{DecisionId, OfficerId, PersonId};

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn right(until: Option<&str>, changes: &[(ChangeKind, &str, Option<i64>)]) -> Entitlement {
        let person = PersonId(Uuid::from_u128(1));
        Entitlement {
            id: EntitlementId(Uuid::from_u128(2)),
            programme: "one".into(),
            part: String::new(),
            payee: person,
            household: None,
            region: "990101001001".parse().unwrap(),
            decision: DecisionId(Uuid::from_u128(3)),
            excludes: Vec::new(),
            covered: vec![person],
            from: month("2026-01"),
            until: until.map(month),
            paid_to: month("2026-01"),
            changes: changes
                .iter()
                .map(|(kind, from, fen)| Change {
                    kind: *kind,
                    from: month(from),
                    amount: fen.map(Money::from_fen),
                    decision: DecisionId(Uuid::from_u128(3)),
                    made_at: DateTimeUtc::UNIX_EPOCH,
                    made_by: OfficerId(Uuid::from_u128(4)),
                })
                .collect(),
        }
    }

    fn said(right: &Entitlement) -> Vec<(String, String, i64)> {
        let end = |until: Option<Month>| until.map_or("…".to_owned(), |until| until.to_string());
        right
            .running()
            .into_iter()
            .map(|(from, until, amount)| (from.to_string(), end(until), amount.fen()))
            .collect()
    }

    fn span(from: &str, until: &str, fen: i64) -> (String, String, i64) {
        (from.to_owned(), until.to_owned(), fen)
    }

    #[test]
    fn a_right_runs_in_the_spans_its_changes_leave_and_equal_neighbours_are_one() {
        use ChangeKind::{Amount, Reinstate, Resume, Stop, Suspend};
        let begun = (Amount, "2026-01", Some(800));
        assert_eq!(said(&right(None, &[begun])), [span("2026-01", "…", 800)]);
        assert_eq!(
            said(&right(Some("2027-01"), &[begun])),
            [span("2026-01", "2027-01", 800)]
        );
        // 900 from April; suspended in March and again running in May; the same amount said twice is no new span.
        let changes = [
            begun,
            (Amount, "2026-04", Some(900)),
            (Suspend, "2026-03", None),
            (Resume, "2026-05", None),
            (Amount, "2026-07", Some(900)),
        ];
        assert_eq!(
            said(&right(None, &changes)),
            [span("2026-01", "2026-03", 800), span("2026-05", "…", 900)]
        );
        // Stopped from June and set right from August; stopped before its first month it never ran.
        let changes = [begun, (Stop, "2026-06", None), (Reinstate, "2026-08", None)];
        assert_eq!(
            said(&right(None, &changes)),
            [span("2026-01", "2026-06", 800), span("2026-08", "…", 800)]
        );
        assert_eq!(
            said(&right(Some("2026-01"), &[begun, (Stop, "2025-11", None)])),
            []
        );
    }

    #[test]
    fn a_span_is_exactly_the_months_that_stand_as_running() {
        use ChangeKind::{Amount, Reinstate, Resume, Stop, Suspend};
        let kinds = [Amount, Stop, Reinstate, Suspend, Resume];
        let mut chance: u64 = 7;
        let mut below = |most: u64| {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (chance >> 33) % most
        };
        for _ in 0..500 {
            let mut changes = vec![(Amount, "2026-01".to_owned(), Some(800))];
            for _ in 0..below(6) {
                let kind = kinds[usize::try_from(below(5)).unwrap()];
                let fen = (kind == Amount).then(|| i64::try_from(below(3)).unwrap() * 100);
                changes.push((kind, format!("2026-{:02}", 1 + below(12)), fen));
            }
            let until = (below(3) == 0).then(|| format!("2026-{:02}", 1 + below(12)));
            let changes: Vec<_> = changes
                .iter()
                .map(|(kind, from, fen)| (*kind, from.as_str(), *fen))
                .collect();
            let right = right(until.as_deref(), &changes);
            for step in -2..16 {
                let at = month("2026-01").plus(step);
                let within = right
                    .running()
                    .into_iter()
                    .find(|(from, until, _)| *from <= at && until.is_none_or(|until| at < until));
                let said = within.map_or(Money::ZERO, |(_, _, amount)| amount);
                assert_eq!(said, right.due(at), "{at} of {right:?}");
            }
        }
    }
}
