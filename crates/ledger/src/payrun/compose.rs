//! What one entitlement is to be paid in a run (编制明细): the pure part of proposing, asked again at the release.
//!
//! Guarantees: a month appears only when it is due and nobody covered was claimed for; arrears and adjustments are what
//! is open; instalments are held back from plans only and never leave less than nothing. Deliberately absent: writing.

use super::{Blocked, ItemKind, Obstacles, PayItem};
use crate::entitlement::{Entitlement, load};
use crate::tables::{adjustment, claim, covered, entitlement as table, recovery};
use crate::transfer::month;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{QueryOrder, QuerySelect, QueryTrait};
use std::collections::BTreeMap;
use vocab::ids::{DecisionId, EntitlementId, PersonId};
use vocab::{Money, Month};

/// A claim as the composing needs it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claimed {
    pub(crate) person: PersonId,
    pub(crate) programme: String,
    pub(crate) month: Month,
    pub(crate) part: String,
}

/// Everything that bears on some entitlements, read in a handful of queries.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    pub(crate) entitlements: BTreeMap<EntitlementId, Entitlement>,
    /// Other entitlements that cover one of the same persons.
    others: Vec<Entitlement>,
    /// By whom each claim was made.
    pub(crate) claims: BTreeMap<Claimed, EntitlementId>,
    pending: BTreeMap<EntitlementId, Vec<adjustment::Model>>,
    recoveries: BTreeMap<(PersonId, String), Vec<recovery::Model>>,
}

/// What a line would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Composed {
    pub(crate) items: Vec<PayItem>,
    pub(crate) blocked: Option<Blocked>,
}

/// The part under which an item is claimed: each adjustment and each month's instalment once, too.
pub(crate) fn claim_part(part: &str, item: &PayItem) -> String {
    let source = item.source.map(|id| id.to_string()).unwrap_or_default();
    match item.kind {
        ItemKind::Regular | ItemKind::Arrears => part.to_owned(),
        ItemKind::Adjustment => format!("{part}+{source}"),
        ItemKind::Recovery => format!("-{source}"),
        ItemKind::Reissue => format!("={source}"),
    }
}

impl Ground {
    /// Reads what bears on these entitlements; inside the release the persons are held already.
    pub(crate) async fn load(
        conn: &impl ConnectionTrait,
        entitlements: BTreeMap<EntitlementId, Entitlement>,
        run_month: Month,
        obstacles: &Obstacles,
    ) -> anyhow::Result<Self> {
        let persons = obstacles.every(entitlements.values().flat_map(Entitlement::persons));
        let earliest = entitlements
            .values()
            .map(|one| one.paid_to)
            .min()
            .unwrap_or(run_month)
            .min(run_month);
        let ids: Vec<Uuid> = entitlements.keys().map(|id| id.0).collect();
        let mut ground = Self {
            entitlements,
            ..Self::default()
        };
        let persons: Vec<Uuid> = persons.into_iter().map(|person| person.0).collect();
        for some in persons.chunks(5_000) {
            ground.load_claims(conn, some, earliest).await?;
            ground.load_others(conn, some).await?;
            ground.load_recoveries(conn, some).await?;
        }
        for some in ids.chunks(5_000) {
            ground.load_pending(conn, some).await?;
        }
        Ok(ground)
    }

    /// What the entitlement is to be paid in the run's month; `None` when there is nothing.
    ///
    /// `recoveries` says which plans may hold back here: all but those used already when proposing, exactly those
    /// proposed when releasing.
    pub(crate) fn compose(
        &self,
        entitlement: &Entitlement,
        run_month: Month,
        obstacles: &Obstacles,
        recoveries: impl Fn(Uuid) -> bool,
    ) -> anyhow::Result<Option<Composed>> {
        let mut items = Vec::new();
        let mut reason = None;
        let mut month = entitlement.paid_to;
        while month <= run_month {
            let due = entitlement.due(month);
            match self.claimant(entitlement, month, obstacles) {
                _ if due == Money::ZERO => {}
                Some((_, by)) if by == entitlement.id => {}
                Some((person, _)) => {
                    reason = reason.or(Some(Blocked::DuplicateClaim { person, month }));
                    items.push(regular_or_arrears(month, run_month, due));
                }
                None => items.push(regular_or_arrears(month, run_month, due)),
            }
            month = month.next();
        }
        for pending in self.pending.get(&entitlement.id).into_iter().flatten() {
            items.push(PayItem {
                kind: ItemKind::Adjustment,
                month: crate::transfer::month(&pending.month)?,
                amount: Money::from_fen(pending.amount - pending.set_off),
                source: Some(pending.id),
            });
        }
        if items.is_empty() {
            return Ok(None);
        }
        let reason = said_by_caller(entitlement, &items, &obstacles.blocked)
            .or(reason)
            .or_else(|| self.excluded(entitlement, &items, obstacles));
        self.hold_back(entitlement, run_month, recoveries, &mut items)?;
        Ok(Some(Composed {
            items,
            blocked: reason,
        }))
    }

    /// The decision from which an adjustment followed.
    pub(crate) fn decision_of_adjustment(
        &self,
        entitlement: EntitlementId,
        id: Uuid,
    ) -> Option<DecisionId> {
        let pending = self.pending.get(&entitlement)?;
        pending
            .iter()
            .find(|row| row.id == id)
            .map(|row| DecisionId(row.decision_id))
    }

    /// Who of the covered was claimed for in a month, under whichever identifier, and under which entitlement.
    fn claimant(
        &self,
        entitlement: &Entitlement,
        month: Month,
        obstacles: &Obstacles,
    ) -> Option<(PersonId, EntitlementId)> {
        let claimed = |person: PersonId| {
            let key = Claimed {
                person,
                programme: entitlement.programme.clone(),
                month,
                part: entitlement.part.clone(),
            };
            self.claims.get(&key).map(|by| (person, *by))
        };
        entitlement.covered.iter().find_map(|person| {
            let others = obstacles.also(*person).iter().copied();
            claimed(*person).or_else(|| {
                let mut others = others.filter(|other| !entitlement.covered.contains(other));
                others.find_map(claimed)
            })
        })
    }

    fn excluded(
        &self,
        entitlement: &Entitlement,
        items: &[PayItem],
        obstacles: &Obstacles,
    ) -> Option<Blocked> {
        let own = obstacles.every(entitlement.covered.iter().copied());
        let excluding = |other: &&Entitlement| {
            other.id != entitlement.id
                && (entitlement.excludes.contains(&other.programme)
                    || other.excludes.contains(&entitlement.programme))
                && other.covered.iter().any(|person| own.contains(person))
        };
        let both_due = |other: &&Entitlement| {
            items.iter().any(|item| {
                matches!(item.kind, ItemKind::Regular | ItemKind::Arrears)
                    && other.due(item.month) > Money::ZERO
            })
        };
        self.others
            .iter()
            .chain(self.entitlements.values())
            .filter(excluding)
            .find(both_due)
            .map(|other| Blocked::Excluded {
                programme: other.programme.clone(),
            })
    }

    fn hold_back(
        &self,
        entitlement: &Entitlement,
        run_month: Month,
        allowed: impl Fn(Uuid) -> bool,
        items: &mut Vec<PayItem>,
    ) -> anyhow::Result<()> {
        let mut left = Money::total(items.iter().map(|item| item.amount))?;
        let key = (entitlement.payee, entitlement.programme.clone());
        for plan in self.recoveries.get(&key).into_iter().flatten() {
            let Some(monthly) = plan.monthly else {
                continue;
            };
            let item = PayItem {
                kind: ItemKind::Recovery,
                month: run_month,
                amount: left.min(Money::from_fen(Ord::min(monthly, plan.remaining))),
                source: Some(plan.id),
            };
            let claim = Claimed {
                person: entitlement.payee,
                programme: entitlement.programme.clone(),
                month: run_month,
                part: claim_part(&entitlement.part, &item),
            };
            if item.amount > Money::ZERO && allowed(plan.id) && !self.claims.contains_key(&claim) {
                left = left.minus(item.amount)?;
                items.push(item);
            }
        }
        Ok(())
    }

    async fn load_claims(
        &mut self,
        conn: &impl ConnectionTrait,
        persons: &[Uuid],
        earliest: Month,
    ) -> anyhow::Result<()> {
        let rows = claim::Entity::find()
            .filter(claim::Column::PersonId.is_in(persons.iter().copied()))
            .filter(claim::Column::Month.gte(earliest.to_string()))
            .all(conn)
            .await
            .context("reading claims")?;
        for row in rows {
            let claimed = Claimed {
                person: PersonId(row.person_id),
                programme: row.programme,
                month: month(&row.month)?,
                part: row.part,
            };
            self.claims
                .insert(claimed, EntitlementId(row.entitlement_id));
        }
        Ok(())
    }

    async fn load_others(
        &mut self,
        conn: &impl ConnectionTrait,
        persons: &[Uuid],
    ) -> anyhow::Result<()> {
        let query = table::Entity::find().filter(
            table::Column::Id.in_subquery(
                covered::Entity::find()
                    .select_only()
                    .column(covered::Column::EntitlementId)
                    .filter(covered::Column::PersonId.is_in(persons.iter().copied()))
                    .into_query(),
            ),
        );
        let found = load(conn, query).await?;
        self.others.extend(
            found
                .into_values()
                .filter(|other| !self.entitlements.contains_key(&other.id)),
        );
        Ok(())
    }

    async fn load_recoveries(
        &mut self,
        conn: &impl ConnectionTrait,
        persons: &[Uuid],
    ) -> anyhow::Result<()> {
        let rows = recovery::Entity::find()
            .filter(recovery::Column::PayeeId.is_in(persons.iter().copied()))
            .filter(recovery::Column::Remaining.gt(0))
            .filter(recovery::Column::Monthly.is_not_null())
            .order_by_asc(recovery::Column::MadeAt)
            .order_by_asc(recovery::Column::Id)
            .all(conn)
            .await
            .context("reading recoveries")?;
        for row in rows {
            self.recoveries
                .entry((PersonId(row.payee_id), row.programme.clone()))
                .or_default()
                .push(row);
        }
        Ok(())
    }

    async fn load_pending(
        &mut self,
        conn: &impl ConnectionTrait,
        ids: &[Uuid],
    ) -> anyhow::Result<()> {
        let rows = adjustment::Entity::find()
            .filter(adjustment::Column::EntitlementId.is_in(ids.iter().copied()))
            .filter(open_arrears())
            .order_by_asc(adjustment::Column::Month)
            .order_by_asc(adjustment::Column::Id)
            .all(conn)
            .await
            .context("reading open arrears")?;
        for row in rows {
            self.pending
                .entry(EntitlementId(row.entitlement_id))
                .or_default()
                .push(row);
        }
        Ok(())
    }
}

/// Arrears nobody has paid and nothing was set against.
pub(crate) fn open_arrears() -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(adjustment::Column::LineId.is_null())
        .add(Expr::col(adjustment::Column::Amount).gt(Expr::col(adjustment::Column::SetOff)))
}

fn regular_or_arrears(month: Month, run_month: Month, amount: Money) -> PayItem {
    let kind = if month == run_month {
        ItemKind::Regular
    } else {
        ItemKind::Arrears
    };
    PayItem {
        kind,
        month,
        amount,
        source: None,
    }
}

/// What the caller knows: a missing account concerns the payee, a death everybody covered, but only for later months.
pub(crate) fn said_by_caller(
    entitlement: &Entitlement,
    items: &[PayItem],
    blocked: &BTreeMap<PersonId, Blocked>,
) -> Option<Blocked> {
    let concerned = entitlement
        .covered
        .iter()
        .filter(|person| **person != entitlement.payee);
    [&entitlement.payee]
        .into_iter()
        .chain(concerned)
        .find_map(|person| match blocked.get(person)? {
            Blocked::Died { on } => {
                let after = items.iter().any(|item| item.month.first_day() > *on);
                after.then_some(Blocked::Died { on: *on })
            }
            other => (*person == entitlement.payee).then(|| other.clone()),
        })
}
