//! Payments against each other (在发之间的比对): two that exclude each other, one person under two records, strangers' money to
//! one account.
//!
//! Guarantees: the ledger already refuses the same person, programme and month twice; this finds what it cannot see, where one
//! person is two records or the rules changed since. Records that were merged are one person, records that somebody judged to be
//! of two people are two. Deliberately absent: who is right.

use super::file::Finding;
use super::rules::{Among, Rule};
use super::run::Found;
use super::{Asking, Sides};
use anyhow::Context;
use ledger::InPayment;
use registry::duplicates::{self, Band, PairFilter, PairState};
use registry::identities::{Ground, Identity, identities};
use std::collections::{BTreeMap, BTreeSet};
use vocab::ids::PersonId;
use vocab::{Money, Month};

/// Pairs read at a time.
const PAIRS: u64 = 500;

/// People who should not have something in common.
struct Group {
    among: Among,
    /// What makes it the same as another day's.
    key: String,
    people: Vec<PersonId>,
}

/// Finds what payments should not have in common (在发之间的比对).
///
/// # Errors
/// Faults of the database.
pub(super) async fn find(
    asking: &Asking<'_>,
    rules: &[(&Rule, Among)],
    all: &Found<'_>,
) -> anyhow::Result<Vec<Finding>> {
    let wanted = |among| rules.iter().any(|(_, one)| *one == among);
    let shared = shared_accounts(asking, all).await?;
    let mut groups = Vec::new();
    let mut twins = BTreeSet::new();
    if wanted(Among::SamePerson) || wanted(Among::Excluded) {
        for pair in pairs(asking, all, &shared).await? {
            let key = format!("{} {}", pair[0], pair[1]);
            for among in [Among::SamePerson, Among::Excluded] {
                groups.push(Group {
                    among,
                    key: key.clone(),
                    people: pair.to_vec(),
                });
            }
            twins.insert(pair.to_vec());
        }
    }
    if wanted(Among::SharedAccount) {
        // Of a pair that may be one person it is said once that they share something.
        let strangers = shared.into_iter().filter(|group| !twins.contains(group));
        groups.extend(strangers.map(|people| Group {
            among: Among::SharedAccount,
            key: people[0].to_string(),
            people,
        }));
    }
    let mut found = Vec::new();
    for group in groups {
        for (rule, _) in rules.iter().filter(|(_, wanted)| *wanted == group.among) {
            found.extend(one(asking, rule, &group, all).await?);
        }
    }
    if let Some((rule, _)) = rules.iter().find(|(_, among)| *among == Among::Excluded) {
        let clash = |programmes: &BTreeSet<&str>| {
            let mut all = programmes.iter();
            all.any(|one| programmes.iter().any(|other| excludes(asking, one, other)))
        };
        let both = all.paid.iter().filter(|(_, programmes)| clash(programmes));
        let people: Vec<PersonId> = both.map(|(person, _)| *person).collect();
        for some in people.chunks(1_000) {
            found.extend(excluded(asking, rule, some, all).await?);
        }
    }
    Ok(found)
}

/// Pairs in payment that may be one person, as long as nobody judged that they are two: what the register found by their data,
/// and namesakes of one sex and birth date whose money goes to one account, which the register does not look at. Journalled.
async fn pairs(
    asking: &Asking<'_>,
    all: &Found<'_>,
    shared: &[Vec<PersonId>],
) -> anyhow::Result<BTreeSet<[PersonId; 2]>> {
    let (db, scope) = (asking.db, asking.scope);
    let filter = PairFilter {
        states: vec![PairState::Open, PairState::Later, PairState::Prepared],
        band: Some(Band::Likely),
        region: None,
    };
    let (mut found, mut looked) = (BTreeSet::new(), 0);
    loop {
        let page = duplicates::list(db, scope, &filter, looked, PAIRS).await?;
        if page.rows.is_empty() {
            break;
        }
        looked += u64::try_from(page.rows.len())?;
        let ids = page.rows.iter().map(|pair| [pair.a.id, pair.b.id]);
        found.extend(ids.filter(|pair| pair.iter().all(|id| all.paid.contains_key(id))));
    }
    let mut tx = db.begin().await?;
    duplicates::note_list(&mut tx, scope, looked);
    let people: Vec<PersonId> = shared.iter().flatten().copied().collect();
    let known = identities(&mut tx, scope, &people, Ground::Paid, "共用账户").await?;
    tx.commit().await?;
    for group in shared {
        for (at, one) in group.iter().enumerate() {
            for other in &group[at + 1..] {
                let alike = match (known.get(one), known.get(other)) {
                    (Some(one), Some(other)) => namesakes(one, other),
                    _ => false,
                };
                if alike && !judged_two(asking, *one, *other).await? {
                    found.insert([*one, *other]);
                }
            }
        }
    }
    Ok(found)
}

/// Whether two have name, sex and birth date in common.
fn namesakes(one: &Identity, other: &Identity) -> bool {
    let of = |one: &Identity| (one.name.clone(), one.sex, one.born);
    one.born.is_some() && of(one) == of(other)
}

/// Whether somebody judged two records to be two people.
async fn judged_two(asking: &Asking<'_>, one: PersonId, other: PersonId) -> anyhow::Result<bool> {
    let pair = duplicates::pair_of(asking.db, asking.scope, one, other).await?;
    Ok(pair.is_some_and(|pair| pair.state == PairState::Different))
}

/// Several in payment with one account.
async fn shared_accounts(
    asking: &Asking<'_>,
    all: &Found<'_>,
) -> anyhow::Result<Vec<Vec<PersonId>>> {
    let mut groups =
        registry::identities::shared_accounts(asking.db, asking.scope, Ground::Paid).await?;
    for group in &mut groups {
        group.retain(|person| all.paid.contains_key(person));
    }
    groups.retain(|group| group.len() > 1);
    Ok(groups)
}

/// What some people are paid this month, whichever of their records it rests on, by person.
async fn in_payment(
    asking: &Asking<'_>,
    people: &[PersonId],
    all: &Found<'_>,
) -> anyhow::Result<Vec<InPayment>> {
    let mut whose: BTreeMap<PersonId, PersonId> = BTreeMap::new();
    for person in people {
        whose.insert(*person, *person);
        let records = all.records.get(person).into_iter().flatten();
        whose.extend(records.map(|record| (*record, *person)));
    }
    let records: Vec<PersonId> = whose.keys().copied().collect();
    let month = Month::of(asking.db.today());
    let mut rows = ledger::in_payment(asking.db.conn(), asking.scope, &records, month).await?;
    for row in &mut rows {
        let person = |record: &PersonId| whose.get(record).copied();
        row.person = person(&row.person).unwrap_or(row.person);
        row.payee = person(&row.payee).unwrap_or(row.payee);
    }
    rows.sort();
    rows.dedup();
    Ok(rows)
}

/// One group, if the finding holds for it.
async fn one(
    asking: &Asking<'_>,
    rule: &Rule,
    group: &Group,
    all: &Found<'_>,
) -> anyhow::Result<Option<Finding>> {
    let db = asking.db;
    let mut people = group.people.clone();
    if group.among == Among::SharedAccount {
        // Whoever collects for others is not covered; what they collect is.
        let others = group.people.iter().filter_map(|payee| all.pays.get(payee));
        people.extend(others.flatten());
    }
    let rows = in_payment(asking, &people, all).await?;
    let rows: Vec<InPayment> = rows
        .into_iter()
        .filter(|row| rule.applies(asking.book, &row.programme))
        .collect();
    let holds = match group.among {
        // Their money goes there: payees only, and not of one household.
        Among::SharedAccount => {
            let payees: BTreeSet<PersonId> = rows
                .iter()
                .map(|row| row.payee)
                .filter(|payee| group.people.contains(payee))
                .collect();
            let mut homes = BTreeSet::new();
            for payee in payees {
                let home =
                    registry::households::household_of(db, asking.scope, payee, db.today()).await?;
                // Whoever belongs to no household lives with none of the others.
                homes.insert((home, home.is_none().then_some(payee)));
            }
            homes.len() > 1
        }
        Among::SamePerson => distinct(&rows, |row| row.person) > 1,
        Among::Excluded => distinct(&rows, |row| row.person) > 1 && pair(asking, &rows).is_some(),
    };
    if !holds {
        return Ok(None);
    }
    finding(asking, rule, (&group.key, &group.people), &rows).await
}

fn distinct<T: Ord>(rows: &[InPayment], of: impl Fn(&InPayment) -> T) -> usize {
    rows.iter().map(of).collect::<BTreeSet<_>>().len()
}

/// Whether one of two programmes excludes the other.
fn excludes(asking: &Asking<'_>, one: &str, other: &str) -> bool {
    let says = |one: &str, other: &str| {
        let programme = asking.book.programme(one);
        programme.is_some_and(|one| one.benefit.excludes.iter().any(|id| id == other))
    };
    says(one, other) || says(other, one)
}

/// Two rows whose programmes exclude each other.
fn pair(asking: &Asking<'_>, rows: &[InPayment]) -> Option<(InPayment, InPayment)> {
    rows.iter().enumerate().find_map(|(at, one)| {
        let mut others = rows[at + 1..].iter();
        let other = others.find(|other| excludes(asking, &one.programme, &other.programme))?;
        Some((one.clone(), other.clone()))
    })
}

/// Persons covered by two payments that exclude each other under the rules of today.
async fn excluded(
    asking: &Asking<'_>,
    rule: &Rule,
    people: &[PersonId],
    all: &Found<'_>,
) -> anyhow::Result<Vec<Finding>> {
    let rows = in_payment(asking, people, all).await?;
    let mut found = Vec::new();
    for own in rows.chunk_by(|one, next| one.person == next.person) {
        if let Some((one, other)) = pair(asking, own) {
            let (person, both) = (one.person, [one, other]);
            found.extend(finding(asking, rule, (&person.to_string(), &[person]), &both).await?);
        }
    }
    Ok(found)
}

async fn finding(
    asking: &Asking<'_>,
    rule: &Rule,
    (key, group): (&str, &[PersonId]),
    rows: &[InPayment],
) -> anyhow::Result<Option<Finding>> {
    let (db, scope) = (asking.db, asking.scope);
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    let known = identities(&mut tx, scope, group, Ground::Paid, &rule.id).await?;
    tx.commit().await?;
    let right = ledger::entitlement(db.conn(), scope, first.entitlement)
        .await?
        .context("a payment without its right")?;
    let lead = group.first().copied().context("a group without people")?;
    let programmes: BTreeSet<&str> = rows.iter().map(|row| row.programme.as_str()).collect();
    let rights: BTreeMap<_, Money> = rows
        .iter()
        .map(|row| (row.entitlement, row.amount))
        .collect();
    let places: BTreeSet<String> = known
        .values()
        .map(|one: &Identity| one.lives_in.to_string())
        .collect();
    Ok(Some(Finding {
        key: format!("{} {key}", rule.id),
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
            paid: Money::total(rights.into_values())?,
            from: right.from.to_string(),
            known: Some(places.into_iter().collect::<Vec<_>>().join(" ")),
            people: group.to_vec(),
            ..Sides::default()
        },
    }))
}
