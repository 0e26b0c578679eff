//! Payments against each other (在发之间的比对): two that exclude each other, one person under two records, strangers' money to
//! one account.
//!
//! Guarantees: the ledger already refuses the same person, programme and month twice; this finds what it cannot see, where one
//! person is two records or the rules changed since. Deliberately absent: who is right.

use super::file::Finding;
use super::rules::{Among, Rule};
use super::{Asking, Sides};
use anyhow::Context;
use ledger::InPayment;
use registry::identities::Identity;
use std::collections::{BTreeMap, BTreeSet};
use vocab::Month;
use vocab::ids::PersonId;

/// Finds what payments should not have in common (在发之间的比对).
///
/// # Errors
/// Faults of the database.
pub(crate) async fn find(
    asking: &Asking<'_>,
    rules: &[(&Rule, Among)],
    paid: &BTreeSet<PersonId>,
) -> anyhow::Result<Vec<Finding>> {
    let (db, scope) = (asking.db, asking.scope);
    let mut groups: Vec<(Among, Vec<PersonId>)> = Vec::new();
    if rules
        .iter()
        .any(|(_, among)| *among == Among::SharedAccount)
    {
        for group in registry::identities::shared_accounts(db, scope).await? {
            let group: Vec<PersonId> = group.into_iter().filter(|id| paid.contains(id)).collect();
            groups.push((Among::SharedAccount, group));
        }
    }
    if rules
        .iter()
        .any(|(_, among)| *among != Among::SharedAccount)
    {
        for group in registry::identities::look_alikes(db, scope).await? {
            let group: Vec<PersonId> = group.into_iter().filter(|id| paid.contains(id)).collect();
            groups.push((Among::SamePerson, group.clone()));
            groups.push((Among::Excluded, group));
        }
    }
    groups.retain(|(_, group)| group.len() > 1);
    // A record of a look-alike shares the account with itself: that is said once, as one person.
    let twins: BTreeSet<Vec<PersonId>> = groups
        .iter()
        .filter(|(among, _)| *among == Among::SamePerson)
        .map(|(_, group)| group.clone())
        .collect();
    groups.retain(|(among, group)| *among != Among::SharedAccount || !twins.contains(group));
    let mut found = Vec::new();
    for (among, group) in groups {
        for (rule, _) in rules.iter().filter(|(_, wanted)| *wanted == among) {
            found.extend(one(asking, rule, among, &group).await?);
        }
    }
    if let Some((rule, _)) = rules.iter().find(|(_, among)| *among == Among::Excluded) {
        let people: Vec<PersonId> = paid.iter().copied().collect();
        for some in people.chunks(1_000) {
            found.extend(excluded(asking, rule, some).await?);
        }
    }
    Ok(found)
}

/// One group, if the finding holds for it.
async fn one(
    asking: &Asking<'_>,
    rule: &Rule,
    among: Among,
    group: &[PersonId],
) -> anyhow::Result<Option<Finding>> {
    let (db, scope) = (asking.db, asking.scope);
    let rows = ledger::in_payment(db.conn(), scope, group, Month::of(db.today())).await?;
    let rows: Vec<InPayment> = rows
        .into_iter()
        .filter(|row| rule.applies(asking.book, &row.programme))
        .collect();
    let holds = match among {
        // Their money goes there: payees only, and not of one household.
        Among::SharedAccount => {
            let payees: BTreeSet<PersonId> = rows.iter().map(|row| row.payee).collect();
            let payees: Vec<PersonId> =
                payees.into_iter().filter(|id| group.contains(id)).collect();
            if payees.len() < 2 {
                return Ok(None);
            }
            let mut homes = BTreeSet::new();
            for payee in &payees {
                homes.insert(
                    registry::households::household_of(db, scope, *payee, db.today()).await?,
                );
            }
            homes.len() > 1
        }
        Among::SamePerson => distinct(&rows, |row| row.person) > 1,
        Among::Excluded => distinct(&rows, |row| row.person) > 1 && pair(asking, &rows).is_some(),
    };
    if !holds {
        return Ok(None);
    }
    finding(asking, rule, group, &rows).await
}

fn distinct<T: Ord>(rows: &[InPayment], of: impl Fn(&InPayment) -> T) -> usize {
    rows.iter().map(of).collect::<BTreeSet<_>>().len()
}

/// Two rows whose programmes exclude each other.
fn pair(asking: &Asking<'_>, rows: &[InPayment]) -> Option<(InPayment, InPayment)> {
    let excludes = |one: &str, other: &str| {
        let programme = asking.book.programme(one);
        programme.is_some_and(|one| one.benefit.excludes.iter().any(|id| id == other))
    };
    rows.iter().enumerate().find_map(|(at, one)| {
        let other = rows[at + 1..].iter().find(|other| {
            excludes(&one.programme, &other.programme) || excludes(&other.programme, &one.programme)
        })?;
        Some((one.clone(), other.clone()))
    })
}

/// Persons covered by two payments that exclude each other under the rules of today.
async fn excluded(
    asking: &Asking<'_>,
    rule: &Rule,
    people: &[PersonId],
) -> anyhow::Result<Vec<Finding>> {
    let month = Month::of(asking.db.today());
    let rows = ledger::in_payment(asking.db.conn(), asking.scope, people, month).await?;
    let mut found = Vec::new();
    for own in rows.chunk_by(|one, next| one.person == next.person) {
        if let Some((one, other)) = pair(asking, own) {
            let both = [one.clone(), other];
            found.extend(finding(asking, rule, &[one.person], &both).await?);
        }
    }
    Ok(found)
}

async fn finding(
    asking: &Asking<'_>,
    rule: &Rule,
    group: &[PersonId],
    rows: &[InPayment],
) -> anyhow::Result<Option<Finding>> {
    let (db, scope) = (asking.db, asking.scope);
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    let known = registry::identities::identities(&mut tx, scope, group, &rule.id).await?;
    tx.commit().await?;
    let right = ledger::entitlement(db.conn(), scope, first.entitlement)
        .await?
        .context("a payment without its right")?;
    let lead = group.first().copied().context("a group without people")?;
    let programmes: BTreeSet<&str> = rows.iter().map(|row| row.programme.as_str()).collect();
    let rights: BTreeMap<_, i64> = rows
        .iter()
        .map(|row| (row.entitlement, row.amount.fen()))
        .collect();
    let places: BTreeSet<String> = known
        .values()
        .map(|one: &Identity| one.lives_in.to_string())
        .collect();
    Ok(Some(Finding {
        key: format!("{} {lead}", rule.id),
        rule: rule.id.clone(),
        region: right.region,
        person: lead,
        name: known
            .get(&lead)
            .map_or_else(String::new, |one| one.name.clone()),
        household: first.household,
        entitlement: first.entitlement,
        sides: Sides {
            programmes: programmes.into_iter().map(str::to_owned).collect(),
            paid: rights.values().sum(),
            from: right.from.to_string(),
            known: Some(places.into_iter().collect::<Vec<_>>().join(" ")),
            people: group.to_vec(),
            ..Sides::default()
        },
    }))
}
