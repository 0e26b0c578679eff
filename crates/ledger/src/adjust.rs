//! What a late fact does to paid months (补差与多发): the past stays, the difference becomes arrears or an overpayment.
//!
//! For every claimed month from the change on: *due now* − *recognised so far* (the claim and earlier adjustments).
//! For example 800.00 claimed for January to March; in March the amount turns out to be 700.00 from February: two
//! overpayments of 100.00, one recovery of 200.00. If later it is put right, the arrears are first set against what is
//! still to be recovered, and an overpayment first against arrears not yet paid, so nobody pays and chases one money.
//!
//! Guarantees: claims and transfers of the past are untouched; after every change *recognised* equals *due* for each
//! claimed month. Deliberately absent: how fast a recovery is paid back ([`crate::recover`]).

use crate::account::Account;
use crate::entitlement::{Change, ChangeKind, Entitlement, entitlement};
use crate::gate::hold;
use crate::payrun::ItemKind;
use crate::post::{note, post};
use crate::tables::{adjustment, change, claim, entitlement as table, recovery};
use crate::transfer::{About, Code, Transfer, derived, month};
use access::Scope;
use anyhow::{Context, ensure};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::Tx;
use vocab::ids::{DecisionId, EntitlementId, OfficerId, TransferId};
use vocab::{Money, Month};

/// What a change did (变更结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// By how much each claimed month turned out different: positive is due, negative was too much.
    pub differences: Vec<(Month, Money)>,
    /// All that is due in addition (补发合计).
    pub arrears: Money,
    /// All that was too much (多发合计).
    pub overpaid: Money,
    /// The recovery that was opened for it, if something has to come back.
    pub recovery: Option<Uuid>,
}

/// A change about to be made.
pub(crate) struct Amendment {
    pub(crate) kind: ChangeKind,
    pub(crate) from: Month,
    pub(crate) amount: Option<Money>,
    pub(crate) decision: DecisionId,
    pub(crate) monthly: Option<Money>,
}

/// An entitlement in the scope, read while its persons are held.
pub(crate) async fn held(
    tx: &Tx,
    scope: &Scope,
    id: EntitlementId,
) -> anyhow::Result<Option<Entitlement>> {
    let Some(before) = entitlement(tx.conn(), scope, id).await? else {
        return Ok(None);
    };
    hold(tx, &before.persons()).await?;
    entitlement(tx.conn(), scope, id).await
}

/// The same change made before, if any (重复提交): `Err` when it said something else.
pub(crate) async fn made_before(
    tx: &Tx,
    entitlement: &Entitlement,
    amendment: &Amendment,
) -> anyhow::Result<Option<Result<Amended, ()>>> {
    let id = change_id(entitlement.id, amendment);
    let Some(row) = change::Entity::find_by_id(id)
        .one(tx.conn())
        .await
        .context("looking for the same change")?
    else {
        return Ok(None);
    };
    if row.amount != amendment.amount.map(Money::fen) {
        return Ok(Some(Err(())));
    }
    let rows = adjustment::Entity::find()
        .filter(adjustment::Column::ChangeId.eq(id))
        .order_by_asc(adjustment::Column::Month)
        .all(tx.conn())
        .await
        .context("reading what the same change did")?;
    let mut differences = Vec::new();
    for row in &rows {
        differences.push((month(&row.month)?, Money::from_fen(row.amount)));
    }
    let recovery = rows.iter().find_map(|row| row.recovery_id);
    Ok(Some(Ok(answer(differences, recovery)?)))
}

/// Writes a change and settles the months it touches that are claimed already.
pub(crate) async fn amend(
    tx: &mut Tx,
    scope: &Scope,
    before: &Entitlement,
    amendment: &Amendment,
) -> anyhow::Result<Amended> {
    let change = change_id(before.id, amendment);
    change::Entity::insert(change::ActiveModel {
        id: Set(change),
        entitlement_id: Set(before.id.0),
        seq: Set(i64::try_from(before.changes.len())?),
        kind: Set(amendment.kind),
        from_month: Set(amendment.from.to_string()),
        amount: Set(amendment.amount.map(Money::fen)),
        decision_id: Set(amendment.decision.0),
        made_at: Set(tx.now()),
        made_by: Set(scope.actor.officer.0),
    })
    .exec_without_returning(tx.conn())
    .await
    .context("writing a change of an entitlement")?;
    let after = follow(tx, scope, before, amendment).await?;

    let deltas = deltas(tx, &after, amendment.from).await?;
    let mut settling = Settling::load(tx, &after, amendment, change).await?;
    // What is due first, so that what was too much in one month can be set against what was too little in another.
    let (due, too_much): (Vec<_>, Vec<_>) =
        deltas.iter().partition(|(_, delta)| *delta > Money::ZERO);
    for (month, delta) in due.into_iter().chain(too_much) {
        settling.add(month, delta)?;
    }
    let recovery = settling.write(tx, scope).await?;
    let amended = answer(deltas, recovery)?;
    note(
        tx,
        scope,
        &format!("ledger.{}", amendment.kind.code()),
        "entitlement",
        before.id.0,
        json!({
            "decision": amendment.decision,
            "from": amendment.from,
            "fen": amendment.amount,
            "arrears": amended.arrears,
            "overpaid": amended.overpaid,
            "recovery": amended.recovery,
        }),
    );
    Ok(amended)
}

/// Brings the entitlement's end and bookmark after the change.
async fn follow(
    tx: &Tx,
    scope: &Scope,
    before: &Entitlement,
    amendment: &Amendment,
) -> anyhow::Result<Entitlement> {
    let row = table::Entity::find_by_id(before.id.0)
        .one(tx.conn())
        .await
        .context("reading an entitlement to change")?
        .context("an entitlement vanished while it was held")?;
    let from = amendment.from.to_string();
    let until = match amendment.kind {
        ChangeKind::Stop => Some(
            row.until_month
                .clone()
                .map_or(from.clone(), |until| until.min(from.clone())),
        ),
        ChangeKind::Reinstate => row.planned_until.clone(),
        ChangeKind::Amount | ChangeKind::Suspend | ChangeKind::Resume => row.until_month.clone(),
    };
    let paid_to = row.paid_to.clone().min(from);
    let mut row = row.into_active_model();
    row.until_month = Set(until.clone());
    row.paid_to = Set(paid_to.clone());
    row.update(tx.conn())
        .await
        .context("moving an entitlement's end")?;
    let mut after = before.clone();
    after.until = until.as_deref().map(month).transpose()?;
    after.paid_to = month(&paid_to)?;
    after.changes.push(Change {
        kind: amendment.kind,
        from: amendment.from,
        amount: amendment.amount,
        decision: amendment.decision,
        made_at: tx.now(),
        made_by: OfficerId(scope.actor.officer.0),
    });
    Ok(after)
}

/// By how much each claimed month from `from` on differs from what is recognised for it.
async fn deltas(tx: &Tx, after: &Entitlement, from: Month) -> anyhow::Result<Vec<(Month, Money)>> {
    let mut recognised: BTreeMap<Month, Money> = BTreeMap::new();
    let claims = claim::Entity::find()
        .filter(claim::Column::EntitlementId.eq(after.id.0))
        .filter(claim::Column::Month.gte(from.to_string()))
        .filter(claim::Column::Kind.is_in([ItemKind::Regular, ItemKind::Arrears]))
        .filter(claim::Column::Amount.gt(0))
        .all(tx.conn())
        .await
        .context("reading the claimed months of an entitlement")?;
    for row in claims {
        let sum = recognised.entry(month(&row.month)?).or_default();
        *sum = sum.plus(Money::from_fen(row.amount))?;
    }
    let adjustments = adjustment::Entity::find()
        .filter(adjustment::Column::EntitlementId.eq(after.id.0))
        .filter(adjustment::Column::Month.gte(from.to_string()))
        .all(tx.conn())
        .await
        .context("reading the adjustments of an entitlement")?;
    for row in adjustments {
        let sum = recognised.get_mut(&month(&row.month)?).with_context(|| {
            format!(
                "adjustment {} is for a month that was never claimed",
                row.id
            )
        })?;
        *sum = sum.plus(Money::from_fen(row.amount))?;
    }
    let mut deltas = Vec::new();
    for (month, recognised) in recognised {
        let delta = after.due(month).minus(recognised)?;
        if delta != Money::ZERO {
            deltas.push((month, delta));
        }
    }
    Ok(deltas)
}

fn answer(differences: Vec<(Month, Money)>, recovery: Option<Uuid>) -> anyhow::Result<Amended> {
    let arrears = Money::total(
        differences
            .iter()
            .map(|(_, delta)| *delta)
            .filter(|delta| *delta > Money::ZERO),
    )?;
    let overpaid = Money::total(
        differences
            .iter()
            .map(|(_, delta)| *delta)
            .filter(|delta| *delta < Money::ZERO),
    )?;
    Ok(Amended {
        differences,
        arrears,
        overpaid: Money::ZERO.minus(overpaid)?,
        recovery,
    })
}

fn change_id(entitlement: EntitlementId, amendment: &Amendment) -> Uuid {
    derived(&[
        "change",
        &entitlement.to_string(),
        &amendment.decision.to_string(),
        amendment.kind.code(),
        &amendment.from.to_string(),
    ])
}

/// Turns differences into adjustments, set-offs and a recovery; in memory first, then written at once.
struct Settling<'a> {
    entitlement: &'a Entitlement,
    amendment: &'a Amendment,
    change: Uuid,
    now: DateTimeUtc,
    unpaid: Vec<adjustment::Model>,
    recoveries: Vec<recovery::Model>,
    made: Vec<adjustment::Model>,
    transfers: Vec<Transfer>,
    to_recover: Money,
}

impl<'a> Settling<'a> {
    async fn load(
        tx: &Tx,
        entitlement: &'a Entitlement,
        amendment: &'a Amendment,
        change: Uuid,
    ) -> anyhow::Result<Self> {
        let unpaid = adjustment::Entity::find()
            .filter(adjustment::Column::EntitlementId.eq(entitlement.id.0))
            .filter(adjustment::Column::Amount.gt(0))
            .filter(adjustment::Column::LineId.is_null())
            .order_by_asc(adjustment::Column::Month)
            .all(tx.conn())
            .await
            .context("reading arrears not yet paid")?;
        let recoveries = recovery::Entity::find()
            .filter(recovery::Column::EntitlementId.eq(entitlement.id.0))
            .filter(recovery::Column::Remaining.gt(0))
            .order_by_asc(recovery::Column::Id)
            .all(tx.conn())
            .await
            .context("reading open recoveries")?;
        Ok(Self {
            entitlement,
            amendment,
            change,
            now: tx.now(),
            unpaid,
            recoveries,
            made: Vec::new(),
            transfers: Vec::new(),
            to_recover: Money::ZERO,
        })
    }

    fn add(&mut self, month: Month, delta: Money) -> anyhow::Result<()> {
        let id = derived(&["adjustment", &self.change.to_string(), &month.to_string()]);
        let mut made = adjustment::Model {
            id,
            change_id: self.change,
            entitlement_id: self.entitlement.id.0,
            region: self.entitlement.region.to_string(),
            month: month.to_string(),
            amount: delta.fen(),
            set_off: 0,
            decision_id: self.amendment.decision.0,
            line_id: None,
            recovery_id: None,
            made_at: self.now,
        };
        if delta > Money::ZERO {
            self.set_against_recoveries(&mut made, month)?;
        } else {
            self.set_against_unpaid(&mut made)?;
            let rest = -made.amount - made.set_off;
            if rest > 0 {
                made.recovery_id = Some(self.recovery_id());
                let amount = Money::from_fen(rest);
                self.to_recover = self.to_recover.plus(amount)?;
                self.transfers.push(self.transfer(
                    Code::Overpaid,
                    &[&id.to_string()],
                    amount,
                    month,
                    id,
                ));
            }
        }
        self.made.push(made);
        Ok(())
    }

    fn set_against_recoveries(
        &mut self,
        made: &mut adjustment::Model,
        month: Month,
    ) -> anyhow::Result<()> {
        for index in 0..self.recoveries.len() {
            let taken = self.recoveries[index]
                .remaining
                .min(made.amount - made.set_off);
            if taken <= 0 {
                continue;
            }
            self.recoveries[index].remaining -= taken;
            made.set_off += taken;
            let recovery = self.recoveries[index].id;
            let parts = [&*made.id.to_string(), &*recovery.to_string()];
            self.transfers.push(self.transfer(
                Code::Offset,
                &parts,
                Money::from_fen(taken),
                month,
                recovery,
            ));
        }
        ensure!(
            made.set_off <= made.amount,
            "more was set off than there is"
        );
        Ok(())
    }

    /// No transfer: arrears that are not released yet are in no account.
    fn set_against_unpaid(&mut self, made: &mut adjustment::Model) -> anyhow::Result<()> {
        let just_made = self.made.iter_mut().filter(|earlier| earlier.amount > 0);
        for unpaid in self.unpaid.iter_mut().chain(just_made) {
            let taken = (unpaid.amount - unpaid.set_off).min(-made.amount - made.set_off);
            if taken > 0 {
                unpaid.set_off += taken;
                made.set_off += taken;
            }
        }
        ensure!(
            made.set_off <= -made.amount,
            "more was set off than there is"
        );
        Ok(())
    }

    fn recovery_id(&self) -> Uuid {
        derived(&["recovery", &self.change.to_string()])
    }

    fn transfer(
        &self,
        code: Code,
        parts: &[&str],
        amount: Money,
        month: Month,
        source: Uuid,
    ) -> Transfer {
        let entitlement = self.entitlement;
        let receivable = Account::receivable(&entitlement.programme, entitlement.payee);
        let expense = Account::expense(&entitlement.programme);
        let (debit, credit) = if code == Code::Overpaid {
            (receivable, expense)
        } else {
            (expense, receivable)
        };
        let id = TransferId(derived(&[&[code.code()], parts].concat()));
        Transfer {
            id,
            debit,
            credit,
            amount,
            code,
            about: About {
                decision: self.amendment.decision,
                entitlement: entitlement.id,
                payee: entitlement.payee,
                programme: entitlement.programme.clone(),
                region: entitlement.region,
                month,
                line: None,
                source: Some(source),
                reference: code.name_zh().to_owned(),
            },
            reverses: None,
        }
    }

    async fn write(self, tx: &mut Tx, scope: &Scope) -> anyhow::Result<Option<Uuid>> {
        let opened = (self.to_recover > Money::ZERO).then(|| self.recovery_id());
        for unpaid in self.unpaid {
            let mut row = unpaid.clone().into_active_model();
            row.set_off = Set(unpaid.set_off);
            row.update(tx.conn()).await.context("setting off arrears")?;
        }
        for recovery in self.recoveries {
            let mut row = recovery.clone().into_active_model();
            row.remaining = Set(recovery.remaining);
            row.update(tx.conn())
                .await
                .context("setting off a recovery")?;
        }
        if let Some(id) = opened {
            recovery::Entity::insert(
                recovery::Model {
                    id,
                    change_id: self.change,
                    entitlement_id: self.entitlement.id.0,
                    payee_id: self.entitlement.payee.0,
                    programme: self.entitlement.programme.clone(),
                    region: self.entitlement.region.to_string(),
                    decision_id: self.amendment.decision.0,
                    total: self.to_recover.fen(),
                    remaining: self.to_recover.fen(),
                    monthly: self.amendment.monthly.map(Money::fen),
                    made_at: self.now,
                }
                .into_active_model(),
            )
            .exec_without_returning(tx.conn())
            .await
            .context("opening a recovery")?;
        }
        if !self.made.is_empty() {
            adjustment::Entity::insert_many(
                self.made
                    .into_iter()
                    .map(IntoActiveModel::into_active_model),
            )
            .exec_without_returning(tx.conn())
            .await
            .context("writing adjustments")?;
        }
        post(tx, scope, &self.transfers).await?;
        Ok(opened)
    }
}
