//! Proposing a pay run (拟定发放): who would be paid what, and how that differs from last month. Nothing moves.
//!
//! Guarantees: every entitlement of the place with something open gets one line, a line that cannot be paid says why, and
//! whoever was paid for last month and is not now is listed too. Deliberately absent: who has no account and who died;
//! the caller asks [`concerned`] whom to look up and says so in its [`Obstacles`].

use super::compose::{Claimed, Ground, claim_part, open_arrears};
use super::{
    Blocked, Difference, ItemKind, LineKind, LineState, Obstacles, PayItem, PayRun, RunState,
    run_of,
};
use crate::entitlement::{Entitlement, load};
use crate::post::{in_turns, note};
use crate::tables::{adjustment, claim, entitlement as table, pay_item, pay_line, pay_run};
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{Condition, IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::{Db, Tx, inside};
use vocab::ids::{DecisionId, EntitlementId, PayRunId, PersonId};
use vocab::{Money, Month, Region};

/// Entitlements of one turn.
const PAGE: u64 = 500;

/// A run to be proposed (新批次).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPayRun {
    /// The month it pays.
    pub month: Month,
    /// The place it pays in.
    pub region: Region,
    /// Only these programmes; `None` means all.
    pub programmes: Option<Vec<String>>,
}

/// Why a run was not proposed (不予拟定原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The month lies too far ahead.
    #[error("只能拟定到下个月（{0}）为止的批次，请核对月份")]
    TooEarly(Month),
    /// The same run is open already.
    #[error("该地区该月已有一批待复核，请先复核或作废")]
    AlreadyProposed(PayRunId),
}

/// Everybody a run would concern (相关人员): payees and covered persons with something open, and payees of returned lines.
///
/// # Errors
/// When the database fails.
pub async fn concerned(
    db: &Db,
    scope: &Scope,
    new: &NewPayRun,
) -> anyhow::Result<BTreeSet<PersonId>> {
    let mut persons = BTreeSet::new();
    let mut after = None;
    loop {
        let some = page(db.conn(), scope, new, after.take()).await?;
        let Some(last) = some.last() else { break };
        after = Some((last.region.to_string(), last.id));
        persons.extend(
            some.iter()
                .flat_map(|one| one.covered.iter().copied().chain([one.payee])),
        );
    }
    let returned = pay_line::Entity::find()
        .select_only()
        .column(pay_line::Column::PayeeId)
        .distinct()
        .filter(place(scope, new))
        .filter(pay_line::Column::State.eq(LineState::Reissuing))
        .into_tuple::<Uuid>()
        .all(db.conn())
        .await
        .context("reading payees of returned lines")?;
    persons.extend(returned.into_iter().map(PersonId));
    Ok(persons)
}

/// Proposes a run (拟定发放).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn propose(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewPayRun,
    obstacles: &Obstacles,
) -> anyhow::Result<Result<PayRun, Refused>> {
    if let Err(denied) = scope.may(Permission::ProposePayRun, new.region) {
        return Ok(Err(denied.into()));
    }
    let latest = Month::of(tx.today()).next();
    if new.month > latest {
        return Ok(Err(Refused::TooEarly(latest)));
    }
    if let Some(open) = open_run(tx, new).await? {
        return Ok(Err(Refused::AlreadyProposed(open)));
    }
    let run = pay_run::Model {
        id: tx.new_id(),
        month: new.month.to_string(),
        region: new.region.to_string(),
        programmes: new.programmes.as_ref().map(|ids| json!(ids)),
        state: RunState::Proposed,
        proposed_by: scope.actor.officer.0,
        proposed_at: tx.now(),
        released_by: None,
        released_at: None,
        release_key: None,
        sent_at: None,
        sent_file: None,
    };
    pay_run::Entity::insert(run.clone().into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("writing a pay run")?;

    let mut draft = Draft {
        new,
        run: run.id,
        obstacles,
        seq: 0,
        used: BTreeSet::new(),
        promised: BTreeMap::new(),
        net: Money::ZERO,
    };
    let mut after = None;
    loop {
        let some = page(tx.conn(), scope, new, after.take()).await?;
        let Some(last) = some.last() else { break };
        after = Some((last.region.to_string(), last.id));
        draft.pay(tx, some).await?;
    }
    draft.reissue(tx, scope).await?;
    draft.list_stopped(tx, scope).await?;
    let detail = json!({ "month": new.month, "programmes": new.programmes, "lines": draft.seq, "fen": draft.net });
    note(tx, scope, "ledger.propose", "pay_run", run.id, detail);
    Ok(Ok(run_of(run)?))
}

async fn open_run(tx: &Tx, new: &NewPayRun) -> anyhow::Result<Option<PayRunId>> {
    let open = pay_run::Entity::find()
        .filter(pay_run::Column::Month.eq(new.month.to_string()))
        .filter(pay_run::Column::Region.eq(new.region.to_string()))
        .filter(pay_run::Column::State.is_in([RunState::Proposed, RunState::Releasing]))
        .all(tx.conn())
        .await
        .context("looking for an open pay run")?;
    let wanted = new.programmes.as_ref().map(|ids| json!(ids));
    Ok(open
        .into_iter()
        .find(|run| run.programmes == wanted)
        .map(|run| PayRunId(run.id)))
}

/// The next entitlements with something open, in the order of place and id, so that a long run needs little memory.
async fn page(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    new: &NewPayRun,
    after: Option<(String, EntitlementId)>,
) -> anyhow::Result<Vec<Entitlement>> {
    let month = new.month.to_string();
    let unclaimed = Condition::all()
        .add(table::Column::FromMonth.lte(month.as_str()))
        .add(table::Column::PaidTo.lte(month.as_str()))
        .add(
            Condition::any()
                .add(table::Column::UntilMonth.is_null())
                .add(Expr::col(table::Column::UntilMonth).gt(Expr::col(table::Column::PaidTo))),
        );
    let in_arrears = table::Column::Id.in_subquery(
        Query::select()
            .column(adjustment::Column::EntitlementId)
            .from(adjustment::Entity)
            .cond_where(open_arrears())
            .to_owned(),
    );
    let mut query = table::Entity::find()
        .filter(crate::entitlement::in_scope(scope))
        .filter(inside(table::Column::Region, new.region))
        .filter(Condition::any().add(unclaimed).add(in_arrears))
        .order_by_asc(table::Column::Region)
        .order_by_asc(table::Column::Id)
        .limit(PAGE);
    if let Some(ids) = &new.programmes {
        query = query.filter(table::Column::Programme.is_in(ids));
    }
    if let Some((region, id)) = after {
        let same_place = table::Column::Region
            .eq(region.as_str())
            .and(table::Column::Id.gt(id.0));
        query = query.filter(
            Condition::any()
                .add(table::Column::Region.gt(region))
                .add(same_place),
        );
    }
    let mut found: Vec<_> = load(conn, query).await?.into_values().collect();
    found.sort_by_key(|one| (one.region, one.id));
    Ok(found)
}

/// The condition every query of lines carries here: the scope and the run's place and programmes.
fn place(scope: &Scope, new: &NewPayRun) -> Condition {
    super::line_in_scope(scope)
        .add(inside(pay_line::Column::Region, new.region))
        .add_option(
            new.programmes
                .as_ref()
                .map(|ids| pay_line::Column::Programme.is_in(ids)),
        )
}

/// A run being written, page after page.
struct Draft<'a> {
    new: &'a NewPayRun,
    run: Uuid,
    obstacles: &'a Obstacles,
    seq: i64,
    /// Recoveries that have their instalment of this run.
    used: BTreeSet<Uuid>,
    /// What the lines so far would claim for people with several identifiers.
    promised: BTreeMap<Claimed, EntitlementId>,
    net: Money,
}

/// What goes into one line.
struct NewLine {
    kind: LineKind,
    entitlement: Entitlement,
    items: Vec<PayItem>,
    blocked: Option<Blocked>,
    previous: Option<Money>,
    decision: DecisionId,
    reissues: Option<Uuid>,
}

impl Draft<'_> {
    async fn pay(&mut self, tx: &Tx, some: Vec<Entitlement>) -> anyhow::Result<()> {
        let order: Vec<EntitlementId> = some.iter().map(|one| one.id).collect();
        let previous = self.claimed_last_month(tx, &order).await?;
        let all = some.into_iter().map(|one| (one.id, one)).collect();
        let mut ground = Ground::load(tx.conn(), all, self.new.month, self.obstacles).await?;
        ground.claims.extend(self.promised.clone());
        let mut lines = Vec::new();
        for id in &order {
            let Some(entitlement) = ground.entitlements.get(id).cloned() else {
                continue;
            };
            let used = &self.used;
            let composed =
                ground.compose(&entitlement, self.new.month, self.obstacles, |recovery| {
                    !used.contains(&recovery)
                })?;
            let Some(composed) = composed else { continue };
            if composed.blocked.is_none() {
                let taken = composed
                    .items
                    .iter()
                    .filter(|item| item.kind == ItemKind::Recovery);
                self.used.extend(taken.filter_map(|item| item.source));
                let promised = self.promised_by(&entitlement, &composed.items);
                ground.claims.extend(promised.clone());
                self.promised.extend(promised);
            }
            lines.push(NewLine {
                kind: LineKind::Pay,
                decision: composed.items.first().map_or(entitlement.decision, |item| {
                    entitlement.decision_of(item.month)
                }),
                items: composed.items,
                blocked: composed.blocked,
                previous: previous.get(id).copied(),
                reissues: None,
                entitlement,
            });
        }
        self.write(tx, lines).await
    }

    /// What a line would claim for people with several identifiers: the same under another one finds it claimed.
    fn promised_by(
        &self,
        entitlement: &Entitlement,
        items: &[PayItem],
    ) -> Vec<(Claimed, EntitlementId)> {
        let several = |person: &&PersonId| !self.obstacles.also(**person).is_empty();
        let people = entitlement.covered.iter().filter(several);
        let claims = people.flat_map(|person| {
            items.iter().map(|item| Claimed {
                person: *person,
                programme: entitlement.programme.clone(),
                month: item.month,
                part: claim_part(&entitlement.part, item),
            })
        });
        claims.map(|claimed| (claimed, entitlement.id)).collect()
    }

    /// Returned lines whose account was put right go out again, with the amount they had.
    async fn reissue(&mut self, tx: &Tx, scope: &Scope) -> anyhow::Result<()> {
        let rows = pay_line::Entity::find()
            .filter(place(scope, self.new))
            .filter(pay_line::Column::State.eq(LineState::Reissuing))
            .order_by_asc(pay_line::Column::Region)
            .order_by_asc(pay_line::Column::Id)
            .all(tx.conn())
            .await
            .context("reading lines to be sent again")?;
        for some in rows.chunks(usize::try_from(PAGE)?) {
            let query = table::Entity::find()
                .filter(table::Column::Id.is_in(some.iter().map(|row| row.entitlement_id)));
            let entitlements = load(tx.conn(), query).await?;
            let mut lines = Vec::new();
            for row in some {
                let entitlement = entitlements
                    .get(&EntitlementId(row.entitlement_id))
                    .context("a returned line names no entitlement")?
                    .clone();
                let items = vec![PayItem {
                    kind: ItemKind::Reissue,
                    month: crate::transfer::month(&row.month)?,
                    amount: Money::from_fen(row.net),
                    source: Some(row.id),
                }];
                lines.push(NewLine {
                    kind: LineKind::Reissue,
                    entitlement,
                    blocked: self.obstacles.blocked.get(&PersonId(row.payee_id)).cloned(),
                    items,
                    previous: None,
                    decision: DecisionId(row.decision_id),
                    reissues: Some(row.id),
                });
            }
            self.write(tx, lines).await?;
        }
        Ok(())
    }

    /// Whoever was claimed for last month and has no line now, because nothing is due any more.
    async fn list_stopped(&mut self, tx: &Tx, scope: &Scope) -> anyhow::Result<()> {
        let mut after: Option<Uuid> = None;
        loop {
            let with_line = Query::select()
                .column(pay_line::Column::EntitlementId)
                .from(pay_line::Entity)
                .and_where(pay_line::Column::RunId.eq(self.run))
                .and_where(pay_line::Column::Kind.eq(LineKind::Pay))
                .to_owned();
            let mut query = table::Entity::find()
                .filter(inside(table::Column::Region, self.new.region))
                .filter(inside(table::Column::Region, scope.region))
                .filter(
                    table::Column::Id.in_subquery(
                        Query::select()
                            .column(claim::Column::EntitlementId)
                            .from(claim::Entity)
                            .and_where(
                                claim::Column::Month.eq(self.new.month.previous().to_string()),
                            )
                            .and_where(
                                claim::Column::Kind.is_in([ItemKind::Regular, ItemKind::Arrears]),
                            )
                            .to_owned(),
                    ),
                )
                .filter(table::Column::Id.not_in_subquery(with_line))
                .order_by_asc(table::Column::Id)
                .limit(PAGE);
            if let Some(ids) = &self.new.programmes {
                query = query.filter(table::Column::Programme.is_in(ids));
            }
            if let Some(after) = after {
                query = query.filter(table::Column::Id.gt(after));
            }
            let some = load(tx.conn(), query).await?;
            let Some(last) = some.keys().next_back() else {
                return Ok(());
            };
            after = Some(last.0);
            let order: Vec<EntitlementId> = some.keys().copied().collect();
            let previous = self.claimed_last_month(tx, &order).await?;
            let lines = some
                .into_values()
                .filter(|one| one.due(self.new.month) == Money::ZERO)
                .map(|one| NewLine {
                    kind: LineKind::Pay,
                    items: Vec::new(),
                    blocked: None,
                    previous: previous.get(&one.id).copied(),
                    decision: one
                        .changes
                        .last()
                        .map_or(one.decision, |change| change.decision),
                    reissues: None,
                    entitlement: one,
                })
                .collect();
            self.write(tx, lines).await?;
        }
    }

    async fn claimed_last_month(
        &self,
        tx: &Tx,
        ids: &[EntitlementId],
    ) -> anyhow::Result<BTreeMap<EntitlementId, Money>> {
        let rows = claim::Entity::find()
            .filter(claim::Column::EntitlementId.is_in(ids.iter().map(|id| id.0)))
            .filter(claim::Column::Month.eq(self.new.month.previous().to_string()))
            .filter(claim::Column::Kind.is_in([
                ItemKind::Regular,
                ItemKind::Arrears,
                ItemKind::Adjustment,
            ]))
            .filter(claim::Column::Amount.gt(0))
            .all(tx.conn())
            .await
            .context("reading last month's claims")?;
        let mut sums: BTreeMap<EntitlementId, Money> = BTreeMap::new();
        for row in rows {
            let sum = sums.entry(EntitlementId(row.entitlement_id)).or_default();
            *sum = sum.plus(Money::from_fen(row.amount))?;
        }
        Ok(sums)
    }

    async fn write(&mut self, tx: &Tx, lines: Vec<NewLine>) -> anyhow::Result<()> {
        let mut rows = Vec::with_capacity(lines.len());
        let mut items = Vec::with_capacity(lines.len());
        for line in lines {
            let id = tx.new_id();
            rows.push(self.row(tx, id, &line)?.into_active_model());
            for (seq, item) in line.items.iter().enumerate() {
                items.push(
                    pay_item::Model {
                        line_id: id,
                        seq: i64::try_from(seq)?,
                        kind: item.kind,
                        month: item.month.to_string(),
                        amount: item.amount.fen(),
                        source_id: item.source,
                    }
                    .into_active_model(),
                );
            }
        }
        if !rows.is_empty() {
            pay_line::Entity::insert_many(rows)
                .exec_without_returning(tx.conn())
                .await
                .context("writing pay lines")?;
        }
        for some in in_turns(items, 2_000) {
            pay_item::Entity::insert_many(some)
                .exec_without_returning(tx.conn())
                .await
                .context("writing what pay lines are made of")?;
        }
        Ok(())
    }

    fn row(&mut self, tx: &Tx, id: Uuid, line: &NewLine) -> anyhow::Result<pay_line::Model> {
        let sum = |kinds: &[ItemKind]| {
            Money::total(
                line.items
                    .iter()
                    .filter(|item| kinds.contains(&item.kind))
                    .map(|item| item.amount),
            )
        };
        let regular = sum(&[ItemKind::Regular])?;
        let arrears = sum(&[ItemKind::Arrears, ItemKind::Adjustment, ItemKind::Reissue])?;
        let recovery = sum(&[ItemKind::Recovery])?;
        let net = regular.plus(arrears)?.minus(recovery)?;
        let difference = match (line.kind, line.previous, regular) {
            (LineKind::Reissue, ..) => Difference::Reissue,
            (LineKind::Pay, None, Money::ZERO) => Difference::Extra,
            (LineKind::Pay, None, _) => Difference::New,
            (LineKind::Pay, Some(_), Money::ZERO) => Difference::Stopped,
            (LineKind::Pay, Some(previous), now) if previous == now => Difference::Same,
            (LineKind::Pay, Some(_), _) => Difference::Changed,
        };
        let state = match (&line.blocked, line.items.is_empty()) {
            (_, true) => LineState::NotPaid,
            (Some(_), false) => LineState::Blocked,
            (None, false) => LineState::Proposed,
        };
        if state == LineState::Proposed {
            self.net = self.net.plus(net)?;
        }
        self.seq += 1;
        let (year, month) = self.new.month.year_month();
        let tail = self.run.simple().to_string();
        Ok(pay_line::Model {
            id,
            run_id: self.run,
            seq: self.seq,
            // The run's last twelve digits are its random ones.
            instruction: format!("{year:04}{month:02}{}{:07}", &tail[20..], self.seq),
            kind: line.kind,
            entitlement_id: line.entitlement.id.0,
            payee_id: line.entitlement.payee.0,
            programme: line.entitlement.programme.clone(),
            part: line.entitlement.part.clone(),
            region: line.entitlement.region.to_string(),
            decision_id: line.decision.0,
            month: self.new.month.to_string(),
            regular: regular.fen(),
            arrears: arrears.fen(),
            recovery: recovery.fen(),
            net: net.fen(),
            previous: line.previous.map(Money::fen),
            difference,
            state,
            blocked: line
                .blocked
                .as_ref()
                .map(serde_json::to_value)
                .transpose()?,
            reissues: line.reissues,
            bank_code: None,
            bank_reason: None,
            changed_at: tx.now(),
        })
    }
}
