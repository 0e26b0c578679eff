//! Posting a chunk of a run (批次记账): each line looked at once more, then claims, transfers and states together.
//!
//! Guarantees: [`Posting::decide`] writes nothing and sees everything, its persons being held; what it accepts is what
//! was proposed and is still due, what it refuses has a reason. Deliberately absent: transactions – the release has them.

use super::compose::{Claimed, Ground, claim_part};
use super::release::set_state;
use super::{Blocked, ItemKind, LineKind, LineState, Obstacles, PayItem, PayRun, item_of};
use crate::account::Account;
use crate::entitlement::{Entitlement, load};
use crate::gate::hold;
use crate::post::{in_turns, post};
use crate::tables::{adjustment, claim, entitlement as table, pay_item, pay_line, recovery};
use crate::transfer::{About, Code, Transfer, derived, region};
use access::Scope;
use anyhow::{Context, ensure};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::BTreeMap;
use store::Tx;
use vocab::Money;
use vocab::ids::{DecisionId, EntitlementId, PayLineId, PersonId, TransferId};

/// A chunk of lines on its way into the ledger.
pub(super) struct Posting<'a> {
    run: &'a PayRun,
    obstacles: &'a Obstacles,
    lines: Vec<(pay_line::Model, Vec<PayItem>)>,
    ground: Ground,
    /// Returned lines, by id, whose money goes out again.
    returned: BTreeMap<Uuid, pay_line::Model>,
    posted: Vec<Uuid>,
    /// Paid wholly by an instalment: there is nothing for the bank.
    offset: Vec<Uuid>,
    refused: Vec<(pay_line::Model, Blocked)>,
    claims: Vec<claim::Model>,
    transfers: Vec<Transfer>,
    /// Entitlements all of whose months up to the run's are claimed now.
    complete: Vec<Uuid>,
    adjusted: Vec<(Uuid, Uuid)>,
    held_back: BTreeMap<Uuid, Money>,
    reissued: Vec<Uuid>,
    net: Money,
}

impl<'a> Posting<'a> {
    pub(super) async fn begin(
        tx: &Tx,
        run: &'a PayRun,
        lines: Vec<pay_line::Model>,
        obstacles: &'a Obstacles,
    ) -> anyhow::Result<Self> {
        let mut items: BTreeMap<Uuid, Vec<PayItem>> = BTreeMap::new();
        let rows = pay_item::Entity::find()
            .filter(pay_item::Column::LineId.is_in(lines.iter().map(|line| line.id)))
            .order_by_asc(pay_item::Column::LineId)
            .order_by_asc(pay_item::Column::Seq)
            .all(tx.conn())
            .await
            .context("reading what lines are made of")?;
        for row in rows {
            items.entry(row.line_id).or_default().push(item_of(row)?);
        }
        // Who is covered never changes, so it may be read before holding; everything else only afterwards.
        let ids = lines.iter().map(|line| line.entitlement_id);
        let query = table::Entity::find().filter(table::Column::Id.is_in(ids));
        let before = load(tx.conn(), query.clone()).await?;
        hold(
            tx,
            &obstacles.every(before.values().flat_map(Entitlement::persons)),
        )
        .await?;
        let ground = Ground::load(
            tx.conn(),
            load(tx.conn(), query).await?,
            run.month,
            obstacles,
        )
        .await?;
        let returned = pay_line::Entity::find()
            .filter(pay_line::Column::Id.is_in(lines.iter().filter_map(|line| line.reissues)))
            .lock_exclusive()
            .all(tx.conn())
            .await
            .context("reading returned lines")?;
        let lines = lines
            .into_iter()
            .map(|line| {
                let items = items.remove(&line.id).unwrap_or_default();
                (line, items)
            })
            .collect();
        Ok(Self {
            run,
            obstacles,
            lines,
            ground,
            returned: returned.into_iter().map(|line| (line.id, line)).collect(),
            posted: Vec::new(),
            offset: Vec::new(),
            refused: Vec::new(),
            claims: Vec::new(),
            transfers: Vec::new(),
            complete: Vec::new(),
            adjusted: Vec::new(),
            held_back: BTreeMap::new(),
            reissued: Vec::new(),
            net: Money::ZERO,
        })
    }

    /// Looks at every line once more and turns it into claims and transfers, or into a reason; writes nothing.
    pub(super) fn decide(&mut self) -> anyhow::Result<()> {
        for (line, items) in std::mem::take(&mut self.lines) {
            let entitlement = self
                .ground
                .entitlements
                .get(&EntitlementId(line.entitlement_id))
                .with_context(|| format!("pay line {} names no entitlement", line.id))?
                .clone();
            let check = match line.kind {
                LineKind::Pay => self.check_pay(&entitlement, &items)?,
                LineKind::Reissue => self.check_reissue(&line),
            };
            match check {
                Ok(complete) => self.accept(&entitlement, line, &items, complete)?,
                Err(reason) => self.refused.push((line, reason)),
            }
        }
        Ok(())
    }

    /// Whether each proposed item is still due; answers whether nothing else is open up to the run's month.
    fn check_pay(
        &self,
        entitlement: &Entitlement,
        items: &[PayItem],
    ) -> anyhow::Result<Result<bool, Blocked>> {
        let plans: Vec<Uuid> = items
            .iter()
            .filter(|item| item.kind == ItemKind::Recovery)
            .filter_map(|item| item.source)
            .collect();
        let now = self
            .ground
            .compose(entitlement, self.run.month, self.obstacles, |plan| {
                plans.contains(&plan)
            })?;
        let Some(now) = now else {
            return Ok(Err(Blocked::ChangedSinceProposal));
        };
        if let Some(reason) = now.blocked {
            return Ok(Err(reason));
        }
        if !items.iter().all(|item| now.items.contains(item)) {
            return Ok(Err(self.why_changed(entitlement, items)));
        }
        // A month that became due after the proposal waits for the next run.
        let monthly = |item: &&PayItem| matches!(item.kind, ItemKind::Regular | ItemKind::Arrears);
        Ok(Ok(now
            .items
            .iter()
            .filter(monthly)
            .all(|item| items.contains(item))))
    }

    fn why_changed(&self, entitlement: &Entitlement, items: &[PayItem]) -> Blocked {
        let duplicate = items.iter().find_map(|item| {
            if !matches!(item.kind, ItemKind::Regular | ItemKind::Arrears) {
                return None;
            }
            let person = entitlement.covered.iter().find(|person| {
                self.ground
                    .claims
                    .contains_key(&claimed(entitlement, **person, item))
            })?;
            Some(Blocked::DuplicateClaim {
                person: *person,
                month: item.month,
            })
        });
        duplicate.unwrap_or(Blocked::ChangedSinceProposal)
    }

    fn check_reissue(&self, line: &pay_line::Model) -> Result<bool, Blocked> {
        let waiting = line
            .reissues
            .and_then(|id| self.returned.get(&id))
            .is_some_and(|returned| {
                returned.state == LineState::Reissuing && returned.net == line.net
            });
        match self.obstacles.blocked.get(&PersonId(line.payee_id)) {
            Some(reason) => Err(reason.clone()),
            None if !waiting => Err(Blocked::ChangedSinceProposal),
            None => Ok(false),
        }
    }

    fn accept(
        &mut self,
        entitlement: &Entitlement,
        line: pay_line::Model,
        items: &[PayItem],
        complete: bool,
    ) -> anyhow::Result<()> {
        for (seq, item) in items.iter().enumerate() {
            self.claim(entitlement, &line, item)?;
            self.transfer(entitlement, &line, seq, item)?;
            match (item.kind, item.source) {
                (ItemKind::Adjustment, Some(adjustment)) => {
                    self.adjusted.push((adjustment, line.id))
                }
                (ItemKind::Recovery, Some(plan)) => {
                    let sum = self.held_back.entry(plan).or_default();
                    *sum = sum.plus(item.amount)?;
                }
                (ItemKind::Reissue, Some(returned)) => {
                    self.reissued.push(returned);
                    // A second line for the same returned one, later in this chunk, must not find it waiting.
                    self.returned.remove(&returned);
                }
                _ => {}
            }
        }
        if complete {
            self.complete.push(entitlement.id.0);
        }
        self.net = self.net.plus(Money::from_fen(line.net))?;
        if line.net == 0 {
            self.offset.push(line.id)
        } else {
            self.posted.push(line.id)
        }
        Ok(())
    }

    fn claim(
        &mut self,
        entitlement: &Entitlement,
        line: &pay_line::Model,
        item: &PayItem,
    ) -> anyhow::Result<()> {
        let monthly = matches!(item.kind, ItemKind::Regular | ItemKind::Arrears);
        let payee_only = [entitlement.payee];
        let persons: &[PersonId] = if monthly {
            &entitlement.covered
        } else {
            &payee_only
        };
        for (index, person) in persons.iter().enumerate() {
            let claimed = claimed(entitlement, *person, item);
            let amount = if index > 0 || item.kind == ItemKind::Reissue {
                Money::ZERO
            } else {
                item.amount
            };
            self.claims.push(claim::Model {
                id: derived(&[
                    "claim",
                    &person.to_string(),
                    &claimed.programme,
                    &claimed.month.to_string(),
                    &claimed.part,
                ]),
                person_id: person.0,
                programme: claimed.programme.clone(),
                month: claimed.month.to_string(),
                part: claimed.part.clone(),
                kind: item.kind,
                region: entitlement.region.to_string(),
                entitlement_id: entitlement.id.0,
                line_id: line.id,
                amount: amount.fen(),
            });
            let known = self.ground.claims.insert(claimed, entitlement.id);
            ensure!(
                known.is_none(),
                "pay line {} claims what is claimed",
                line.id
            );
        }
        Ok(())
    }

    fn transfer(
        &mut self,
        entitlement: &Entitlement,
        line: &pay_line::Model,
        seq: usize,
        item: &PayItem,
    ) -> anyhow::Result<()> {
        let payable = Account::payable(&entitlement.programme, entitlement.payee);
        let (code, debit, credit) = match item.kind {
            ItemKind::Regular | ItemKind::Arrears | ItemKind::Adjustment => (
                Code::Accrue,
                Account::expense(&entitlement.programme),
                payable,
            ),
            ItemKind::Recovery => (
                Code::Recover,
                payable,
                Account::receivable(&entitlement.programme, entitlement.payee),
            ),
            // What came back from the bank is still owed: it stands in the payable account since the first release.
            ItemKind::Reissue => return Ok(()),
        };
        let adjusted = |source| self.ground.decision_of_adjustment(entitlement.id, source);
        let decision = match (item.kind, item.source) {
            (ItemKind::Regular | ItemKind::Arrears, _) => entitlement.decision_of(item.month),
            (ItemKind::Adjustment, Some(source)) => {
                adjusted(source).context("an adjustment vanished")?
            }
            _ => DecisionId(line.decision_id),
        };
        self.transfers.push(Transfer {
            id: TransferId(derived(&[
                code.code(),
                &line.id.to_string(),
                &seq.to_string(),
            ])),
            debit,
            credit,
            amount: item.amount,
            code,
            about: About {
                decision,
                entitlement: entitlement.id,
                payee: entitlement.payee,
                programme: entitlement.programme.clone(),
                region: region(&line.region)?,
                month: item.month,
                line: Some(PayLineId(line.id)),
                source: item.source,
                reference: line.instruction.clone(),
            },
            reverses: None,
        });
        Ok(())
    }

    pub(super) async fn write(
        mut self,
        tx: &mut Tx,
        scope: &Scope,
    ) -> anyhow::Result<serde_json::Value> {
        let counts = json!({
            "posted": self.posted.len() + self.offset.len(),
            "blocked": self.refused.len(),
            "fen": self.net,
        });
        // Everyone inserts claims in the same order, so that two runs wait for each other instead of deadlocking.
        self.claims.sort_by_key(|claim| claim.id);
        for some in in_turns(std::mem::take(&mut self.claims), 2_000) {
            claim::Entity::insert_many(some.into_iter().map(IntoActiveModel::into_active_model))
                .exec_without_returning(tx.conn())
                .await
                .context("writing claims")?;
        }
        post(tx, scope, &self.transfers).await?;
        set_state(tx, &self.posted, LineState::Proposed, LineState::Posted).await?;
        set_state(tx, &self.offset, LineState::Proposed, LineState::Settled).await?;
        set_state(
            tx,
            &self.reissued,
            LineState::Reissuing,
            LineState::Reissued,
        )
        .await?;
        self.write_consequences(tx).await?;
        Ok(counts)
    }

    async fn write_consequences(&self, tx: &Tx) -> anyhow::Result<()> {
        for (line, reason) in &self.refused {
            let mut row = line.clone().into_active_model();
            row.state = Set(LineState::Blocked);
            row.blocked = Set(Some(serde_json::to_value(reason)?));
            row.changed_at = Set(tx.now());
            row.update(tx.conn()).await.context("blocking a line")?;
        }
        let next = self.run.month.next().to_string();
        if !self.complete.is_empty() {
            table::Entity::update_many()
                .col_expr(table::Column::PaidTo, Expr::value(next.as_str()))
                .filter(table::Column::Id.is_in(self.complete.iter().copied()))
                .filter(table::Column::PaidTo.lt(next.as_str()))
                .exec(tx.conn())
                .await
                .context("moving the bookmarks of entitlements")?;
        }
        for (id, line) in &self.adjusted {
            let paid = adjustment::Entity::update_many()
                .col_expr(adjustment::Column::LineId, Expr::value(*line))
                .filter(adjustment::Column::Id.eq(*id))
                .filter(adjustment::Column::LineId.is_null())
                .exec(tx.conn())
                .await
                .context("marking arrears as paid")?;
            ensure!(paid.rows_affected == 1, "adjustment {id} was paid before");
        }
        for (id, sum) in &self.held_back {
            let lowered = recovery::Entity::update_many()
                .col_expr(
                    recovery::Column::Remaining,
                    Expr::col(recovery::Column::Remaining).sub(sum.fen()),
                )
                .filter(recovery::Column::Id.eq(*id))
                .filter(recovery::Column::Remaining.gte(sum.fen()))
                .exec(tx.conn())
                .await
                .context("lowering a recovery")?;
            ensure!(
                lowered.rows_affected == 1,
                "recovery {id} has less left than was held back"
            );
        }
        Ok(())
    }
}

/// The claim an item makes for a person.
fn claimed(entitlement: &Entitlement, person: PersonId, item: &PayItem) -> Claimed {
    Claimed {
        person,
        programme: entitlement.programme.clone(),
        month: item.month,
        part: claim_part(&entitlement.part, item),
    }
}
