//! One person, one payment (同一人不重复享受): what joins the merging of records to what is paid.
//!
//! Entitlements keep the identifiers they were decided for. Guarantees: two records that are both paid the same part of one programme
//! are not merged before one of the two ends; who was merged gets no second entitlement under another of his identifiers; a merge
//! of somebody in payment is decided by another officer than prepared it. Deliberately absent: ending an entitlement; that is a
//! decision in its case.

use crate::desk::Desk;
use access::Scope;
use ledger::{InPayment, NewEntitlement};
use registry::Reading;
use registry::merging::{self, NewMerge};
use store::Tx;
use uuid::Uuid;
use vocab::ids::PersonId;
use vocab::{Month, Region};

/// Why two records were not merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The register refuses.
    Register(merging::Refused),
    /// Both are paid the same: the programme's title, Chinese and English.
    PaidTwice(String, String),
}

impl Refused {
    /// In Chinese (说法).
    pub fn zh(&self) -> String {
        match self {
            Self::Register(refused) => refused.to_string(),
            Self::PaidTwice(zh, _) => {
                format!("两条记录都在领“{zh}”，请先在其中一个办件里停发，多发的依法追回，再合并")
            }
        }
    }

    /// In English, of what is not the register's own (英文说法).
    pub fn en(&self) -> Option<String> {
        match self {
            Self::Register(_) => None,
            Self::PaidTwice(_, en) => Some(format!(
                "Both records are paid \"{en}\"; first stop it in one of the two cases and recover what was overpaid, then merge"
            )),
        }
    }
}

/// What some records are paid this month (在发待遇), in the scope.
///
/// # Errors
/// Faults of the database.
pub async fn paid(
    source: &impl Reading,
    scope: &Scope,
    records: &[PersonId],
    at: Month,
) -> anyhow::Result<Vec<InPayment>> {
    ledger::in_payment(source.connection(), scope, records, at).await
}

/// Prepares a merge (拟定合并), marked for a second officer where either record is in payment.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn prepare(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: NewMerge,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let in_payment = match standing(tx, scope, desk, new.survivor, new.merged).await? {
        Ok(in_payment) => in_payment,
        Err(refused) => return Ok(Err(refused)),
    };
    let new = NewMerge { in_payment, ..new };
    Ok(merging::prepare(tx, scope, new)
        .await?
        .map_err(Refused::Register))
}

/// Decides a merge (复核合并); what is paid is looked at once more.
///
/// # Errors
/// Faults of the database; refusals are the inner value.
pub async fn decide(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
) -> anyhow::Result<Result<(), Refused>> {
    let Some(merge) = merging::merge(tx, scope, id).await? else {
        return Ok(Err(Refused::Register(merging::Refused::NotOpen)));
    };
    let in_payment = match standing(tx, scope, desk, merge.survivor, merge.merged).await? {
        Ok(in_payment) => in_payment,
        Err(refused) => return Ok(Err(refused)),
    };
    Ok(merging::decide(tx, scope, id, in_payment)
        .await?
        .map_err(Refused::Register))
}

/// Whether either is in payment; refused where both are paid the same by two entitlements.
async fn standing(
    tx: &Tx,
    scope: &Scope,
    desk: &Desk,
    survivor: PersonId,
    merged: PersonId,
) -> anyhow::Result<Result<bool, Refused>> {
    let mine = registry::same_person(tx, survivor).await?;
    let theirs = registry::same_person(tx, merged).await?;
    let at = Month::of(tx.today());
    let all: Vec<PersonId> = mine.iter().chain(&theirs).copied().collect();
    // What begins next month is as good as paid.
    let everywhere = everywhere(scope);
    let mut rows = paid(tx, &everywhere, &all, at).await?;
    rows.extend(paid(tx, &everywhere, &all, at.next()).await?);
    let (one, other): (Vec<_>, Vec<_>) = rows.iter().partition(|row| mine.contains(&row.person));
    let twice = one.iter().find(|row| {
        other.iter().any(|also| {
            (&also.programme, &also.part) == (&row.programme, &row.part)
                && also.entitlement != row.entitlement
        })
    });
    Ok(match twice {
        Some(row) => {
            let (zh, en) = desk.title(&row.programme);
            Err(Refused::PaidTwice(zh, en))
        }
        None => Ok(!rows.is_empty()),
    })
}

/// The same officer and purpose without the border: one person is paid once, wherever the other record is paid. What is read
/// this way is a yes or no.
fn everywhere(scope: &Scope) -> Scope {
    Scope {
        region: Region::NATION,
        ..scope.clone()
    }
}

/// What stands against many new entitlements (批量核对换编号的重复享受), each answer in the place of its request; whoever has one record
/// costs nothing more than being asked for.
pub(crate) async fn against_many(
    tx: &Tx,
    scope: &Scope,
    many: &[NewEntitlement],
) -> anyhow::Result<Vec<Option<ledger::entitle::Refused>>> {
    let people = many
        .iter()
        .flat_map(|new| new.covered.iter().copied().chain([new.payee]))
        .collect::<Vec<_>>();
    let several = merging::others(tx, &people).await?;
    let mut answers = Vec::with_capacity(many.len());
    for new in many {
        let mut people = new.covered.iter().chain([&new.payee]);
        let known_otherwise = people.any(|one| several.contains_key(one));
        answers.push(match known_otherwise {
            true => against(tx, scope, new).await?,
            false => None,
        });
    }
    Ok(answers)
}

/// What stands against a new entitlement under another identifier of somebody it covers (换了编号的重复享受).
pub(crate) async fn against(
    tx: &Tx,
    scope: &Scope,
    new: &NewEntitlement,
) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    let own: Vec<PersonId> = if new.covered.is_empty() {
        vec![new.payee]
    } else {
        new.covered.clone()
    };
    let mut others = Vec::new();
    for person in &own {
        let all = registry::same_person(tx, *person).await?;
        others.extend(all.into_iter().filter(|id| !own.contains(id)));
    }
    if others.is_empty() {
        return Ok(None);
    }
    let rows = ledger::in_payment(tx.conn(), &everywhere(scope), &others, new.from).await?;
    Ok(rows.into_iter().find_map(|row| {
        let same = row.programme == new.programme && row.part == new.part;
        let (programme, person, entitlement) = (row.programme, row.person, row.entitlement);
        if same {
            Some(ledger::entitle::Refused::AlreadyEntitled {
                programme,
                person,
                entitlement,
            })
        } else if new.excludes.contains(&programme) {
            Some(ledger::entitle::Refused::Excluded {
                programme,
                person,
                entitlement,
            })
        } else {
            None
        }
    }))
}
