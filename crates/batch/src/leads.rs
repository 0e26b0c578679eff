//! Findings become leads of the desk (并入线索): from a snapshot's numbers back to the register's households and people.
//!
//! Guarantees: taking the same findings in twice changes nothing; dropped half-way it leaves whole portions, and the next
//! time goes on from them; what is no longer found is settled, among the kinds looked for. Deliberately absent: what a
//! lead is and what is done about it; see [`casework::lead`].

use crate::finding::{self, Finding, FindingKind};
use crate::folder::Folder;
use crate::layout::Manifest;
use access::Scope;
use anyhow::{Context, ensure};
use casework::lead::{self, Source};
use chrono::NaiveDate;
use registry::leaving::pseudonym;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::Db;
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Money, Region};

/// Rows written in one transaction: a long one would keep the desk waiting.
const ROWS: usize = 500;

/// The kinds that become leads every night (每晚并入的种类); doubts about people who are not paid come from life events.
pub const NIGHTLY: [FindingKind; 4] = [
    FindingKind::Due,
    FindingKind::NotDue,
    FindingKind::Differs,
    FindingKind::PaidToVerify,
];

/// What became of findings taken in (并入结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Taken {
    /// New leads.
    pub new: u64,
    /// Leads found again.
    pub again: u64,
    /// Open leads no longer found.
    pub settled: u64,
    /// Findings of households that are no longer there.
    pub lost: u64,
}

/// Takes the findings of a sweep in as leads (并入线索), of the kinds given; `progress` is told the parts done and in all.
///
/// # Errors
/// Faults of the database and of the folder; a folder that was not swept whole.
pub async fn take_in(
    db: &Db,
    scope: &Scope,
    folder: &Folder,
    kinds: &[FindingKind],
    mut progress: impl FnMut(u64, u64) + Send,
) -> anyhow::Result<Taken> {
    let manifest = Manifest::read(folder).await?;
    let swept: crate::sweep::Swept = serde_json::from_slice(&folder.need("sweep.json").await?)
        .context("sweep.json 读不懂；请重新比对")?;
    ensure!(
        swept.as_of == manifest.as_of,
        "发现不是这个快照当天的；请先比对 (sweep the snapshot first)"
    );
    let mut night = Night {
        db,
        scope,
        on: swept.as_of,
        homes: homes(db, scope, manifest.as_of).await?,
        seen: BTreeSet::new(),
        taken: Taken::default(),
    };
    let total = u64::try_from(manifest.parts.len())?;
    for (part, done) in manifest.parts.iter().zip(1..) {
        if part.rows == 0 {
            continue;
        }
        let found = finding::read(folder.need(&part.findings()).await?)?;
        let wanted: Vec<Finding> = found
            .into_iter()
            .filter(|one| kinds.contains(&one.kind))
            .collect();
        for some in wanted.chunks(ROWS) {
            night.write(some).await?;
        }
        progress(done, total);
    }
    night.taken.settled = lead::settle(db, scope, kinds, &night.seen, night.on).await?;
    Ok(night.taken)
}

/// From the numbers of a snapshot back to the register.
async fn homes(
    db: &Db,
    scope: &Scope,
    on: NaiveDate,
) -> anyhow::Result<BTreeMap<i64, (HouseholdId, Region)>> {
    let mut households = BTreeMap::new();
    let mut after = None;
    loop {
        let some = registry::households::ids_on(db, scope, on, after, 20_000).await?;
        let Some((last, region)) = some.last().copied() else {
            return Ok(households);
        };
        after = Some((region, last));
        for (id, region) in some {
            households.insert(pseudonym(db.keys(), id.0), (id, region));
        }
    }
}

/// One taking in.
struct Night<'a> {
    db: &'a Db,
    scope: &'a Scope,
    on: NaiveDate,
    homes: BTreeMap<i64, (HouseholdId, Region)>,
    /// The leads found.
    seen: BTreeSet<Uuid>,
    taken: Taken,
}

impl Night<'_> {
    async fn write(&mut self, found: &[Finding]) -> anyhow::Result<()> {
        let ids: Vec<HouseholdId> = found
            .iter()
            .filter_map(|one| self.homes.get(&one.household).map(|(id, _)| *id))
            .collect();
        let members = registry::changes::people_of_all(self.db, self.scope, &ids).await?;
        let people: BTreeMap<i64, PersonId> = members
            .into_iter()
            .map(|person| (pseudonym(self.db.keys(), person.0), person))
            .collect();
        let there: Vec<lead::Finding> = found
            .iter()
            .filter_map(|one| self.named(one, &people))
            .collect();
        let mut tx = self.db.begin().await?;
        let filed = lead::find(&mut tx, self.scope, &there, Source::Sweep, self.on).await?;
        tx.commit().await?;
        let known = u64::try_from(there.len())?;
        self.taken.new += filed.new;
        self.taken.again += known - filed.new;
        self.taken.lost += u64::try_from(found.len())? - known;
        self.seen.extend(filed.leads);
        Ok(())
    }

    /// The finding with the register's identifiers; `None` when its household or person is no longer there.
    fn named(&self, one: &Finding, people: &BTreeMap<i64, PersonId>) -> Option<lead::Finding> {
        let (household, region) = *self.homes.get(&one.household)?;
        let person = match one.person {
            Some(number) => Some(*people.get(&number)?),
            None => None,
        };
        let is_known = !matches!(one.kind, FindingKind::PaidToVerify | FindingKind::ToVerify);
        Some(lead::Finding {
            household,
            region,
            person,
            programme: one.programme.clone(),
            kind: one.kind,
            due: is_known.then(|| Money::from_fen(one.due)),
            paid: Money::from_fen(one.paid),
            missing: one.missing.clone(),
        })
    }
}
