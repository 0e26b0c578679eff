//! One person, one payment (同一人不重复享受): what joins the merging of records to what is paid.
//!
//! Entitlements keep the identifiers they were decided for. Guarantees: two records that both have a right to the same part of one
//! programme, or to two that exclude each other, are not merged before one of the two ends; who was merged gets no second
//! entitlement under another of his identifiers, and none that was suspended or stopped runs again beside it; a suspended right
//! counts as one that runs; a merge of somebody with a right is decided by another officer than prepared it. Deliberately absent:
//! ending an entitlement; that is a decision in its case.

use crate::desk::Desk;
use access::Scope;
use ledger::rights::{Span, year_of};
use ledger::{Entitlement, InPayment, NewEntitlement};
use registry::Reading;
use registry::merging::{self, NewMerge};
use std::collections::BTreeSet;
use store::Tx;
use uuid::Uuid;
use vocab::Month;
use vocab::ids::{EntitlementId, PersonId};

/// Why two records were not merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The register refuses.
    Register(merging::Refused),
    /// Both have a right to the same: the programme's title, Chinese and English.
    PaidTwice(String, String),
    /// One has a right that excludes one of the other's: both titles, Chinese, then both in English.
    Excluding([String; 2], [String; 2]),
}

impl Refused {
    /// In Chinese (说法).
    pub fn zh(&self) -> String {
        match self {
            Self::Register(refused) => refused.to_string(),
            Self::PaidTwice(zh, _) => {
                format!(
                    "两条记录都有“{zh}”的待遇（暂停的也算），请先在其中一个办件里停发，多发的依法追回，再合并"
                )
            }
            Self::Excluding([one, other], _) => format!(
                "一条记录有“{one}”的待遇，另一条有“{other}”的待遇（暂停的也算），两项不能同时享受；请先停发其中一项，再合并"
            ),
        }
    }

    /// In English, of what is not the register's own (英文说法).
    pub fn en(&self) -> Option<String> {
        match self {
            Self::Register(_) => None,
            Self::PaidTwice(_, en) => Some(format!(
                "Both records have a right to \"{en}\", perhaps a suspended one; first stop it in one of the two cases and recover what was overpaid, then merge"
            )),
            Self::Excluding(_, [one, other]) => Some(format!(
                "One record has a right to \"{one}\", the other to \"{other}\", perhaps a suspended one, and nobody may have both; first stop one of them, then merge"
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
    let in_payment = match standing(tx, desk, new.survivor, new.merged).await? {
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
    let in_payment = match standing(tx, desk, merge.survivor, merge.merged).await? {
        Ok(in_payment) => in_payment,
        Err(refused) => return Ok(Err(refused)),
    };
    Ok(merging::decide(tx, scope, id, in_payment)
        .await?
        .map_err(Refused::Register))
}

/// Whether either has a right from this month on; refused where both have one to the same by two entitlements, or to what
/// excludes it. A right that is suspended, or begins later, is as good as paid: nothing would ask again before the money flows.
async fn standing(
    tx: &Tx,
    desk: &Desk,
    survivor: PersonId,
    merged: PersonId,
) -> anyhow::Result<Result<bool, Refused>> {
    let mine: BTreeSet<PersonId> = people_of(tx, survivor).await?;
    let theirs: BTreeSet<PersonId> = people_of(tx, merged).await?;
    let span = (Month::of(tx.today()), None);
    let one = ledger::rights_within(tx.conn(), &mine, span).await?;
    let other = ledger::rights_within(tx.conn(), &theirs, span).await?;
    for right in &one {
        for also in other.iter().filter(|also| also.id != right.id) {
            if !ledger::entitle::overlaps((right.from, right.until), (also.from, also.until)) {
                continue;
            }
            let (zh, en) = desk.title(&right.programme);
            if (&also.programme, &also.part) == (&right.programme, &right.part) {
                return Ok(Err(Refused::PaidTwice(zh, en)));
            }
            if also.excludes.contains(&right.programme) || right.excludes.contains(&also.programme)
            {
                let (other_zh, other_en) = desk.title(&also.programme);
                return Ok(Err(Refused::Excluding([zh, other_zh], [en, other_en])));
            }
        }
    }
    Ok(Ok(!(one.is_empty() && other.is_empty())))
}

async fn people_of(tx: &Tx, person: PersonId) -> anyhow::Result<BTreeSet<PersonId>> {
    let all = registry::same_person(tx, person).await?;
    Ok(all.into_iter().collect())
}

/// What stands against many new entitlements (批量核对换编号的重复享受), each answer in the place of its request; whoever has one record
/// costs nothing more than being asked for.
pub(crate) async fn against_many(
    tx: &Tx,
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
            true => against(tx, new).await?,
            false => None,
        });
    }
    Ok(answers)
}

/// A right that is to run, and may not beside another of the same person.
struct Wanted<'a> {
    /// Whom it covers.
    people: &'a [PersonId],
    programme: &'a str,
    part: &'a str,
    excludes: &'a [String],
    /// In which months it runs.
    months: Span,
    /// In which months nobody may have the same a second time.
    once_in: Span,
    /// The right itself, where it exists already.
    own: Option<EntitlementId>,
}

/// What stands against a new entitlement under another identifier of somebody it covers (换了编号的重复享受).
pub(crate) async fn against(
    tx: &Tx,
    new: &NewEntitlement,
) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    against_in(tx, new, (new.from, new.until)).await
}

/// As [`against`], for a right paid once a calendar year (按年发放的).
pub(crate) async fn against_for_year(
    tx: &Tx,
    new: &NewEntitlement,
) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    against_in(tx, new, year_of(new.from)).await
}

async fn against_in(
    tx: &Tx,
    new: &NewEntitlement,
    once_in: Span,
) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    let payee = [new.payee];
    let wanted = Wanted {
        people: if new.covered.is_empty() {
            &payee
        } else {
            &new.covered
        },
        programme: &new.programme,
        part: &new.part,
        excludes: &new.excludes,
        months: (new.from, new.until),
        once_in,
        own: None,
    };
    clash(tx, &wanted).await
}

/// What stands against a right running again from a month on (恢复发放前的核对): while it was suspended or stopped, nothing kept its
/// person from getting the same under another identifier, or from being merged with somebody who had it.
pub(crate) async fn against_again(
    tx: &Tx,
    right: &Entitlement,
    from: Month,
) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    // An end that lies before was a stop, which is being undone.
    let months = (from, right.until.filter(|until| *until > from));
    let wanted = Wanted {
        people: &right.covered,
        programme: &right.programme,
        part: &right.part,
        excludes: &right.excludes,
        months,
        once_in: months,
        own: Some(right.id),
    };
    clash(tx, &wanted).await
}

async fn clash(tx: &Tx, wanted: &Wanted<'_>) -> anyhow::Result<Option<ledger::entitle::Refused>> {
    let several = merging::others(tx, wanted.people).await?;
    let others: BTreeSet<PersonId> = wanted
        .people
        .iter()
        .filter_map(|person| several.get(person))
        .flatten()
        .copied()
        .filter(|other| !wanted.people.contains(other))
        .collect();
    if others.is_empty() {
        return Ok(None);
    }
    for right in ledger::rights_within(tx.conn(), &others, wanted.once_in).await? {
        let Some(person) = right
            .covered
            .iter()
            .copied()
            .find(|one| others.contains(one))
        else {
            continue;
        };
        if wanted.own == Some(right.id) {
            continue;
        }
        let (programme, entitlement) = (right.programme, right.id);
        if programme == wanted.programme && right.part == wanted.part {
            return Ok(Some(ledger::entitle::Refused::AlreadyEntitled {
                programme,
                person,
                entitlement,
            }));
        }
        let excluded = wanted.excludes.contains(&programme)
            || right.excludes.iter().any(|one| one == wanted.programme);
        if excluded && ledger::entitle::overlaps(wanted.months, (right.from, right.until)) {
            return Ok(Some(ledger::entitle::Refused::Excluded {
                programme,
                person,
                entitlement,
            }));
        }
    }
    Ok(None)
}
