//! What stands in the way of a payment (发放障碍): no account, a death, or another record of the same person.
//!
//! The ledger asks nobody; whoever proposes or releases a run looks here first and tells it. Guarantees: answers for
//! everyone asked, wherever the person lives now – whoever moved away is still paid, and whoever died there is not.
//! Deliberately absent: whether the account works, which only the bank knows.

use access::Scope;
use ledger::{Blocked, Obstacles};
use std::collections::{BTreeMap, BTreeSet};
use store::Db;
use vocab::Region;
use vocab::ids::PersonId;

/// Who of these people cannot be paid, and why (发放障碍), and who of them has several identifiers. A death says more than a
/// missing account.
///
/// # Errors
/// Faults of the database.
pub async fn blocked(
    db: &Db,
    scope: &Scope,
    people: &BTreeSet<PersonId>,
) -> anyhow::Result<Obstacles> {
    let everywhere = everywhere(scope);
    let people: Vec<PersonId> = people.iter().copied().collect();
    let with_account = registry::accounts::with_account(db, &people).await?;
    let mut found: BTreeMap<PersonId, Blocked> = people
        .iter()
        .filter(|person| !with_account.contains(person))
        .map(|person| (*person, Blocked::NoAccount))
        .collect();
    let also = registry::merging::others(db, &people).await?;
    for some in people.chunks(500) {
        for row in registry::people::rows(db, &everywhere, some).await? {
            if let Some(on) = row.died_on {
                found.insert(row.id, Blocked::Died { on });
            }
        }
    }
    Ok(Obstacles {
        blocked: found,
        also,
    })
}

/// The same officer and purpose without the border: a payment belongs to the place of its entitlement, and the person
/// may have moved. What is read this way is a yes or no, or goes into the sealed file.
pub(crate) fn everywhere(scope: &Scope) -> Scope {
    Scope {
        actor: scope.actor.clone(),
        region: Region::NATION,
        purpose: scope.purpose.clone(),
    }
}
