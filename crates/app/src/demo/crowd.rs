//! Those in payment (演示中的在发人员), from whom victims are chosen.
//!
//! Guarantees: chosen in the order of the rights' identifiers, each person once. Deliberately absent: what is done to them.

use crate::demo::accounts::Places;
use access::Scope;
use anyhow::Context;
use casework::Desk;
use ledger::Entitlement;
use registry::identities::{Ground, Identity};
use std::collections::{BTreeMap, BTreeSet};
use store::Db;
use synth::departments::Resident;
use vocab::ids::PersonId;
use vocab::{Money, Month, Value};

/// Entitlements read at a time.
const PORTION: u64 = 1_000;

/// Somebody in payment.
pub(super) struct Paid {
    pub(super) right: Entitlement,
    pub(super) people: Vec<Identity>,
}

/// Those in payment from whom victims are chosen.
pub(super) struct Crowd<'a> {
    pub(super) desk: &'a Desk,
    pub(super) places: Places,
    pub(super) paid: Vec<Paid>,
    /// By identity number.
    residents: BTreeMap<&'a str, &'a Resident>,
    pub(super) used: BTreeSet<PersonId>,
}

impl<'a> Crowd<'a> {
    pub(super) async fn of(
        db: &Db,
        desk: &'a Desk,
        places: &Places,
        month: Month,
        residents: &'a [Resident],
        left_alone: &str,
    ) -> anyhow::Result<Self> {
        let scope = Scope::system(places.district);
        let mut rights: Vec<Entitlement> = Vec::new();
        loop {
            let after = rights.last().map(|right| right.id);
            let some = ledger::running(db.conn(), &scope, month, after, PORTION).await?;
            if some.is_empty() {
                break;
            }
            rights.extend(some);
        }
        rights.retain(|right| right.due(month) > Money::ZERO);
        let people: BTreeSet<PersonId> = rights.iter().flat_map(Entitlement::persons).collect();
        let people: Vec<PersonId> = people.into_iter().collect();
        let mut tx = db.begin().await?;
        let known =
            registry::identities::identities(&mut tx, &scope, &people, Ground::Resident, "演示")
                .await?;
        tx.commit().await?;
        let named = |right: Entitlement| Paid {
            people: right
                .persons()
                .iter()
                .filter_map(|id| known.get(id).cloned())
                .collect(),
            right,
        };
        let paid = rights.into_iter().map(named).collect();
        let used = known.values().filter(|one| one.name == left_alone);
        Ok(Self {
            desk,
            places: *places,
            used: used.map(|one| one.id).collect(),
            paid,
            residents: residents
                .iter()
                .map(|one| (one.id_no.as_str(), one))
                .collect(),
        })
    }

    /// The first so many of whom something holds, and of whom nobody was chosen before.
    pub(super) fn take(&mut self, count: usize, fits: impl Fn(&Self, &Paid) -> bool) -> Vec<usize> {
        let mut chosen = Vec::new();
        // From the second third on, so that what is planted does not stand together on the first page.
        let from = self.paid.len() / 3;
        for at in (from..self.paid.len()).chain(0..from) {
            let one = &self.paid[at];
            let free = one
                .people
                .iter()
                .all(|person| !self.used.contains(&person.id));
            if chosen.len() < count && free && !one.people.is_empty() && fits(self, one) {
                self.used.extend(one.people.iter().map(|person| person.id));
                chosen.push(at);
            }
        }
        chosen
    }

    pub(super) fn payee(&self, at: usize) -> anyhow::Result<&Identity> {
        let one = &self.paid[at];
        let payee = one
            .people
            .iter()
            .find(|person| person.id == one.right.payee);
        payee.context("a payee outside the district")
    }

    pub(super) fn resident(&self, one: &Identity) -> Option<&Resident> {
        self.residents.get(one.number.as_str()).copied()
    }

    pub(super) fn reads(&self, one: &Paid, fact: &str) -> bool {
        let programme = self.desk.programme(&one.right.programme);
        programme.is_some_and(|programme| programme.facts.iter().any(|read| read == fact))
    }

    pub(super) fn local(&self, one: &Identity) -> bool {
        one.hukou
            .is_some_and(|hukou| self.places.district.holds(hukou))
    }

    /// Whether a fact of the person is a number, and which.
    pub(super) fn number(&self, one: &Identity, fact: &str) -> Option<i64> {
        match self.resident(one)?.facts.get(fact)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}
