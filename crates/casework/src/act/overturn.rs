//! Setting a decision aside on appeal (改变原决定): what it took away is due again, from its own first month.
//!
//! The last stop, suspension or change of the case is the decision appealed against. Each month from its first one on is
//! asked of the rule book by what is known today; the first must be met. The right then runs again from that month, and
//! what paid months lack becomes arrears in the ledger. Guarantees: a month is never paid twice (the ledger's claims see
//! to that); nothing is lowered here, because nobody was heard about it: a later month that is no longer met, or is worth
//! less, goes the ordinary way. A refusal set aside is decided anew, and starts as if granted on the day it was refused.
//! Deliberately absent: paying; who may do it ([`super::permitted`]).

use super::Refused;
use super::effect::Done;
use super::money::{Renewal, begin_anew};
use super::situation::Situation;
use crate::desk::Desk;
use crate::procedure::Effect;
use crate::same_person;
use crate::sheet::{self, Answer};
use crate::tables;
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use ledger::{Entitlement, NewAmount, Reinstatement, Resumption, Standing};
use policy::Outcome;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::BTreeSet;
use store::Tx;
use uuid::Uuid;
use vocab::ids::{DecisionId, EntitlementId, PersonId};
use vocab::{Money, Month};

/// What takes away, and what gives it back: of these the last decision counts.
const KINDS: [Effect; 4] = [
    Effect::Stop,
    Effect::Suspend,
    Effect::Change,
    Effect::Overturn,
];

/// The first month of the decision appealed against; `None` if there is nothing to set aside.
async fn appealed(tx: &Tx, case: Uuid) -> anyhow::Result<Option<Month>> {
    let last = tables::decision::Entity::find()
        .filter(tables::decision::Column::CaseId.eq(case))
        .filter(tables::decision::Column::Kind.is_in(KINDS.map(Effect::word)))
        .order_by_desc(tables::decision::Column::At)
        .order_by_desc(tables::decision::Column::Id)
        .one(tx.conn())
        .await
        .context("reading the decision appealed against")?
        .filter(|row| row.kind != Effect::Overturn.word());
    last.and_then(|row| row.from_month)
        .map(|month| month.parse().context("the first month of a decision"))
        .transpose()
}

/// The day the case was refused, if it was: a case that is granted after that was refused wrongly.
pub(crate) async fn refused_on(tx: &Tx, case: Uuid) -> anyhow::Result<Option<NaiveDate>> {
    Ok(tables::decision::Entity::find()
        .filter(tables::decision::Column::CaseId.eq(case))
        .filter(tables::decision::Column::Kind.eq(Effect::Refuse.word()))
        .order_by_asc(tables::decision::Column::At)
        .one(tx.conn())
        .await
        .context("looking for an earlier refusal")?
        .map(|row| row.decided_on))
}

pub(crate) async fn overturn(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    row: &mut tables::case::Model,
    situation: &Situation<'_>,
    decision: DecisionId,
    done: &mut Done,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(from) = appealed(tx, row.id).await? else {
        return Ok(Err(Refused::NothingToOverturn));
    };
    let answers = month_by_month(tx, scope, desk, situation, from).await?;
    let first = match answers.first() {
        Some((_, Some(answer))) if answer.determination.outcome == Outcome::Met => answer,
        other => {
            let found = other.and_then(|(_, answer)| answer.as_ref());
            return Ok(Err(Refused::NotDueThen {
                month: from,
                found: found.map(|answer| answer.determination.outcome),
            }));
        }
    };
    let kept = sheet::keep(tx, row.id, first).await?;
    done.determination = Some(kept);
    done.from = Some(from);
    row.determination_id = Some(kept);
    row.outcome = Some(first.determination.outcome.word().to_owned());
    let Some(id) = row.entitlement_id.map(EntitlementId) else {
        // A standing without money is simply held again.
        return Ok(Ok(()));
    };
    let id = match run_again(tx, scope, row, id, first, decision, from).await? {
        Ok(id) => id,
        Err(refused) => return Ok(Err(refused)),
    };
    row.entitlement_id = Some(id.0);
    for (month, amount) in amounts(&answers) {
        let right = read(tx, scope, id).await?;
        if amount <= right.due(month) {
            continue;
        }
        let order = NewAmount {
            entitlement: id,
            amount,
            from: month,
            decision,
            monthly: None,
        };
        if let Err(refused) = ledger::change(tx, scope, &order).await? {
            return Ok(Err(Refused::Ledger(refused.to_string())));
        }
    }
    let now = Month::of(tx.today()).max(from);
    row.amount = Some(read(tx, scope, id).await?.due(now).fen());
    Ok(Ok(()))
}

/// What the rule book says of each month from the first one taken away to the present one, by what is known today.
async fn month_by_month(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    situation: &Situation<'_>,
    from: Month,
) -> anyhow::Result<Vec<(Month, Option<Answer>)>> {
    let today = tx.today();
    let mut answers = Vec::new();
    let mut month = from;
    loop {
        // A month to come is judged as of today: nobody knows more.
        let on = month.first_day().min(today);
        let answer = sheet::answer(tx, scope, desk, &situation.case, tx.now(), on).await?;
        answers.push((month, answer));
        month = month.next();
        if month > Month::of(today) {
            return Ok(answers);
        }
    }
}

/// The months that are met, with their amounts.
fn amounts(answers: &[(Month, Option<Answer>)]) -> Vec<(Month, Money)> {
    answers
        .iter()
        .filter_map(|(month, answer)| {
            let found = &answer.as_ref()?.determination;
            let amount = found
                .amount
                .filter(|_| found.outcome == Outcome::Met && found.every.pays())?;
            Some((*month, amount))
        })
        .collect()
}

/// Lets the right run again from the month; for other people than before a new one begins.
async fn run_again(
    tx: &mut Tx,
    scope: &Scope,
    row: &tables::case::Model,
    id: EntitlementId,
    first: &Answer,
    decision: DecisionId,
    from: Month,
) -> anyhow::Result<Result<EntitlementId, Refused>> {
    let before = read(tx, scope, id).await?;
    let standing = before.standing(from);
    let covered: BTreeSet<PersonId> = first.covered().into_iter().collect();
    let same = covered.is_empty() || covered == before.covered.iter().copied().collect();
    if !same {
        let Some(amount) = first.determination.amount else {
            return Ok(Err(Refused::NoAmount));
        };
        let renewed = Renewal {
            ends: (standing != Standing::Ended).then_some(id),
            answer: first,
            amount,
            from,
            decision,
        };
        return begin_anew(tx, scope, row, &renewed).await;
    }
    if matches!(standing, Standing::Ended | Standing::Suspended)
        && let Some(refused) = same_person::against_again(tx, &before, from).await?
    {
        return Ok(Err(Refused::Ledger(refused.to_string())));
    }
    let refused = match standing {
        Standing::Ended => {
            let order = Reinstatement {
                entitlement: id,
                from,
                decision,
            };
            ledger::reinstate(tx, scope, &order)
                .await?
                .err()
                .map(|refused| refused.to_string())
        }
        Standing::Suspended => {
            let order = Resumption {
                entitlement: id,
                from,
                decision,
            };
            ledger::resume(tx, scope, &order)
                .await?
                .err()
                .map(|refused| refused.to_string())
        }
        Standing::Running(_) | Standing::NotYet => None,
    };
    Ok(match refused {
        Some(sentence) => Err(Refused::Ledger(sentence)),
        None => Ok(id),
    })
}

async fn read(tx: &Tx, scope: &Scope, id: EntitlementId) -> anyhow::Result<Entitlement> {
    ledger::entitlement(tx.conn(), scope, id)
        .await?
        .context("a case names an entitlement that is not in its place")
}
