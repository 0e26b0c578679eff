//! Decisions (决定) and what follows from them in the ledger: grant, change, suspend, resume, stop, refuse; setting one
//! aside on appeal is in [`super::overturn`].
//!
//! Guarantees: an entitlement is created in the same transaction as the decision it quotes; the decision quotes the
//! determination stored with the act. Deliberately absent: paying; a pay run proposes and a second officer releases.

use super::effect::Done;
use super::situation::Situation;
use super::{ActInput, Refused, overturn};
use crate::desk::Desk;
use crate::procedure::{Act, Effect};
use crate::rows::insert;
use crate::same_person;
use crate::sheet::Answer;
use crate::tables;
use access::Scope;
use anyhow::Context;
use ledger::NewEntitlement;
use policy::Every;
use std::collections::BTreeSet;
use store::Tx;
use vocab::ids::{DecisionId, EntitlementId, PersonId};
use vocab::{Money, Month};

#[expect(
    clippy::too_many_arguments,
    reason = "one act's whole circumstances; a struct would only be unpacked again"
)]
pub(crate) async fn decide(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    row: &mut tables::case::Model,
    situation: &Situation<'_>,
    act: &Act,
    input: &ActInput,
    done: &mut Done,
) -> anyhow::Result<Result<(), Refused>> {
    let today = tx.today();
    let decision = DecisionId(tx.new_id());
    let next_month = Month::of(today).next();
    let from = match (act.effect, &situation.answer) {
        (Effect::Grant, Some(answer)) => Some(answer.determination.start_month(
            overturn::refused_on(tx, row.id).await?.unwrap_or(today),
            situation.case.applied_on,
        )),
        (Effect::Change | Effect::Suspend | Effect::Resume | Effect::Stop, _) => {
            Some(input.from.unwrap_or(next_month))
        }
        _ => None,
    };
    done.decision = Some(decision);
    done.from = from;
    let outcome = match (act.effect, from) {
        (Effect::Grant, _) => grant(tx, scope, row, situation, decision, from).await?,
        (Effect::Change, Some(from)) => change(tx, scope, row, situation, decision, from).await?,
        (Effect::Suspend, Some(from)) => {
            let Some(entitlement) = row.entitlement_id.map(EntitlementId) else {
                return Ok(Err(Refused::NothingInPayment));
            };
            let order = ledger::Suspension {
                entitlement,
                from,
                decision,
            };
            ledger::suspend(tx, scope, &order)
                .await?
                .map(drop)
                .map_err(|refused| Refused::Ledger(refused.to_string()))
        }
        (Effect::Resume, Some(from)) => resume(tx, scope, row, decision, from).await?,
        (Effect::Stop, Some(from)) => stop(tx, scope, row, decision, from).await?,
        (Effect::Overturn, _) => {
            overturn::overturn(tx, scope, desk, row, situation, decision, done).await?
        }
        _ => Ok(()),
    };
    if let Err(refused) = outcome {
        return Ok(Err(refused));
    }
    if act.effect.is_decision() {
        row.decided_on = Some(today);
    }
    row.decision_id = Some(decision.0);
    insert::<tables::decision::Entity>(
        tx,
        tables::decision::Model {
            id: decision.0,
            case_id: row.id,
            kind: act.effect.word().to_owned(),
            determination_id: done.determination.or(row.determination_id),
            decided_on: today,
            from_month: done.from.map(|month| month.to_string()),
            amount: match act.effect {
                Effect::Grant | Effect::Change | Effect::Resume | Effect::Overturn => row.amount,
                _ => None,
            },
            grounds: serde_json::to_string(&input.grounds)?,
            opinion: input.opinion.trim().to_owned(),
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            foreign_number: None,
            at: tx.now(),
        },
    )
    .await?;
    Ok(Ok(()))
}

/// What the ledger is told of a grant.
pub(crate) fn entitlement(
    row: &tables::case::Model,
    answer: &Answer,
    decision: DecisionId,
    amount: Money,
    from: Month,
) -> anyhow::Result<NewEntitlement> {
    let covered = answer.covered();
    let applicant = PersonId(row.applicant_id);
    // A guardian from outside the household applies, but is not paid for it: then the first one covered is.
    let payee = match row.member_id {
        Some(member) => PersonId(member),
        None if answer.members.contains(&applicant) => applicant,
        None => covered.first().copied().unwrap_or(applicant),
    };
    Ok(NewEntitlement {
        decision,
        programme: row.programme.clone(),
        payee,
        household: row
            .member_id
            .is_none()
            .then_some(vocab::ids::HouseholdId(row.household_id)),
        region: row.region.parse().context("the region of a case")?,
        amount,
        covered,
        from,
        until: matches!(answer.determination.every, Every::Year | Every::Once).then(|| from.next()),
        excludes: answer.determination.excludes.clone(),
        part: String::new(),
    })
}

async fn grant(
    tx: &mut Tx,
    scope: &Scope,
    row: &mut tables::case::Model,
    situation: &Situation<'_>,
    decision: DecisionId,
    from: Option<Month>,
) -> anyhow::Result<Result<(), Refused>> {
    let (Some(answer), Some(from)) = (&situation.answer, from) else {
        return Ok(Ok(()));
    };
    if !answer.determination.every.pays() {
        return Ok(Ok(()));
    }
    let Some(amount) = answer.determination.amount else {
        return Ok(Err(Refused::NoAmount));
    };
    let new = entitlement(row, answer, decision, amount, from)?;
    let yearly = answer.determination.every == Every::Year;
    let against = if yearly {
        same_person::against_for_year(tx, &new).await?
    } else {
        same_person::against(tx, &new).await?
    };
    if let Some(refused) = against {
        return Ok(Err(Refused::Ledger(refused.to_string())));
    }
    let entitled = if yearly {
        ledger::entitle_for_year(tx, scope, &new).await?
    } else {
        ledger::entitle(tx, scope, &new).await?
    };
    match entitled {
        Ok(id) => {
            row.entitlement_id = Some(id.0);
            row.amount = Some(amount.fen());
            Ok(Ok(()))
        }
        Err(refused) => Ok(Err(Refused::Ledger(refused.to_string()))),
    }
}

/// A right for other people than before.
pub(super) struct Renewal<'a> {
    /// The right that ends with it, if it still runs.
    pub(super) ends: Option<EntitlementId>,
    pub(super) answer: &'a Answer,
    pub(super) amount: Money,
    pub(super) from: Month,
    pub(super) decision: DecisionId,
}

/// Ends the old right and begins the new one.
pub(super) async fn begin_anew(
    tx: &mut Tx,
    scope: &Scope,
    row: &tables::case::Model,
    new: &Renewal<'_>,
) -> anyhow::Result<Result<EntitlementId, Refused>> {
    if let Some(id) = new.ends {
        let end = ledger::Stop {
            entitlement: id,
            from: new.from,
            decision: new.decision,
            monthly: None,
        };
        if let Err(refused) = ledger::stop(tx, scope, &end).await? {
            return Ok(Err(Refused::Ledger(refused.to_string())));
        }
    }
    let begun = entitlement(row, new.answer, new.decision, new.amount, new.from)?;
    if let Some(refused) = same_person::against(tx, &begun).await? {
        return Ok(Err(Refused::Ledger(refused.to_string())));
    }
    Ok(ledger::entitle(tx, scope, &begun)
        .await?
        .map_err(|refused| Refused::Ledger(refused.to_string())))
}

/// A new amount for the same people is a change; for other people the old right ends and a new one begins.
async fn change(
    tx: &mut Tx,
    scope: &Scope,
    row: &mut tables::case::Model,
    situation: &Situation<'_>,
    decision: DecisionId,
    from: Month,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(id) = row.entitlement_id.map(EntitlementId) else {
        return Ok(Err(Refused::NothingInPayment));
    };
    let (Some(answer), Some(standing)) = (
        &situation.answer,
        ledger::entitlement(tx.conn(), scope, id).await?,
    ) else {
        return Ok(Err(Refused::NothingInPayment));
    };
    let Some(amount) = answer.determination.amount else {
        return Ok(Err(Refused::NoAmount));
    };
    let covered: BTreeSet<PersonId> = answer.covered().into_iter().collect();
    let before: BTreeSet<PersonId> = standing.covered.iter().copied().collect();
    if covered == before {
        let order = ledger::NewAmount {
            entitlement: id,
            amount,
            from,
            decision,
            monthly: None,
        };
        if let Err(refused) = ledger::change(tx, scope, &order).await? {
            return Ok(Err(Refused::Ledger(refused.to_string())));
        }
    } else {
        let renewed = Renewal {
            ends: Some(id),
            answer,
            amount,
            from,
            decision,
        };
        match begin_anew(tx, scope, row, &renewed).await? {
            Ok(id) => row.entitlement_id = Some(id.0),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    row.amount = Some(amount.fen());
    Ok(Ok(()))
}

/// A right runs again, unless the same person has it meanwhile under another identifier.
async fn resume(
    tx: &mut Tx,
    scope: &Scope,
    row: &tables::case::Model,
    decision: DecisionId,
    from: Month,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(entitlement) = row.entitlement_id.map(EntitlementId) else {
        return Ok(Err(Refused::NothingInPayment));
    };
    if let Some(right) = ledger::entitlement(tx.conn(), scope, entitlement).await?
        && let Some(refused) = same_person::against_again(tx, &right, from).await?
    {
        return Ok(Err(Refused::Ledger(refused.to_string())));
    }
    let order = ledger::Resumption {
        entitlement,
        from,
        decision,
    };
    Ok(ledger::resume(tx, scope, &order)
        .await?
        .map(drop)
        .map_err(|refused| Refused::Ledger(refused.to_string())))
}

async fn stop(
    tx: &mut Tx,
    scope: &Scope,
    row: &tables::case::Model,
    decision: DecisionId,
    from: Month,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(entitlement) = row.entitlement_id.map(EntitlementId) else {
        return Ok(Ok(()));
    };
    let order = ledger::Stop {
        entitlement,
        from,
        decision,
        monthly: None,
    };
    Ok(ledger::stop(tx, scope, &order)
        .await?
        .map(drop)
        .map_err(|refused| Refused::Ledger(refused.to_string())))
}
