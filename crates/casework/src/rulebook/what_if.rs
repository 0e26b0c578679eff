//! What a draft would mean (影响测算): every household of the scope decided by both texts, and only counts told.
//!
//! Guarantees: nothing is stored, no household is named. Deliberately absent: carrying it out, which is a standard
//! adjustment after publication.

use super::check::Stage;
use super::draft::{Opened, opened, over};
use super::list::concerns;
use super::shelf::Shelf;
use super::{Refused, State};
use crate::case::from_word;
use crate::desk::Desk;
use crate::sheet;
use access::Scope;
use chrono::NaiveDate;
use policy::{Ask, Outcome};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use store::Db;
use vocab::ids::{HouseholdId, RuleDraftId};
use vocab::{FactSheet, Money, Region};

/// How many households are decided at a time.
const PORTION: u64 = 500;

/// What a draft would mean (影响测算).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// For which day.
    pub on: NaiveDate,
    /// How many households were looked at.
    pub looked_at: u64,
    /// What moves, by programme.
    pub moved: Vec<(String, Moved)>,
}

/// What moves in one programme, in households or persons (变化数).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Newly met.
    pub met: u64,
    /// No longer met.
    pub not_met: u64,
    /// To verify one way and not the other.
    pub to_verify: u64,
    /// A higher amount.
    pub more: u64,
    /// A lower amount.
    pub less: u64,
    /// What all amounts together change by, in fen.
    pub fen: i64,
}

impl Moved {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn take(&mut self, before: (Outcome, Option<Money>), after: (Outcome, Option<Money>)) {
        let fen = |amount: Option<Money>| amount.map_or(0, |amount| amount.fen());
        if before == after {
            return;
        }
        self.fen = self
            .fen
            .saturating_add(fen(after.1).saturating_sub(fen(before.1)));
        if before.0 != after.0 {
            match (before.0, after.0) {
                (_, Outcome::ToVerify) | (Outcome::ToVerify, Outcome::NotMet) => {
                    self.to_verify += 1
                }
                (_, Outcome::Met) => self.met += 1,
                (_, Outcome::NotMet) => self.not_met += 1,
            }
        } else if fen(after.1) > fen(before.1) {
            self.more += 1;
        } else {
            self.less += 1;
        }
    }
}

/// The rules as they would be with a draft in them (候选规则).
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The folder the draft changes.
    pub programme: String,
    /// The whole rules.
    pub desk: Arc<Desk>,
}

/// Loads the rules in force with an open draft laid over them (候选规则), to be tried.
///
/// # Errors
/// Faults of the database and of the disk; refusals are values.
pub async fn candidate(
    db: &Db,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
) -> anyhow::Result<Result<Candidate, Refused>> {
    shelf.catch_up(db).await?;
    let now = shelf.now();
    let Some(root) = shelf.root() else {
        return Ok(Err(Refused::ReadOnly));
    };
    let Some(Opened { row, files }) = opened(db.conn(), id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let open = matches!(from_word(&row.state)?, State::Draft | State::Proposed);
    if !open || !concerns(scope, &row.region)? {
        return Ok(Err(Refused::NotThere));
    }
    let texts = over(&now, &files, false);
    let fingerprint = texts.fingerprint();
    let tried = || shelf.tried.lock().unwrap_or_else(PoisonError::into_inner);
    let known = tried().clone().filter(|(known, _)| *known == fingerprint);
    if let Some((_, desk)) = known {
        return Ok(Ok(Candidate {
            programme: row.programme,
            desk,
        }));
    }
    let (root, place) = (root.to_owned(), shelf.place().to_owned());
    let laid_out = tokio::task::spawn_blocking(move || {
        anyhow::Ok(
            Stage::of(&root, &place, &texts)?
                .desk()
                .map_err(|faults| faults.len()),
        )
    });
    Ok(match laid_out.await?? {
        Ok(desk) => {
            *tried() = Some((fingerprint, Arc::clone(&desk)));
            Ok(Candidate {
                programme: row.programme,
                desk,
            })
        }
        Err(faults) => Err(Refused::NotSound {
            faults,
            failures: 0,
        }),
    })
}

/// Decides every household of the scope by the rules in force and by the draft (影响测算).
///
/// # Errors
/// Faults of the database and of the disk; refusals are values.
pub async fn what_if(
    db: &Db,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
    on: NaiveDate,
) -> anyhow::Result<Result<WhatIf, Refused>> {
    let drafted = match candidate(db, shelf, scope, id).await? {
        Ok(candidate) => candidate.desk,
        Err(refused) => return Ok(Err(refused)),
    };
    let now = shelf.now();
    let mut moved: BTreeMap<String, Moved> = BTreeMap::new();
    let (mut looked_at, mut after) = (0_u64, None);
    loop {
        let some = registry::households::list_ids(db, scope, after, PORTION).await?;
        let Some((last, _)) = some.last() else { break };
        after = Some(*last);
        looked_at += some.len() as u64;
        let ids: Vec<HouseholdId> = some.iter().map(|(id, _)| *id).collect();
        let regions: BTreeMap<HouseholdId, Region> = some.into_iter().collect();
        let mut by_region: BTreeMap<Region, Vec<FactSheet>> = BTreeMap::new();
        for (id, sheet) in sheet::sheets(db, scope, &now.desk, &ids, db.now(), on).await? {
            if let Some(region) = regions.get(&id) {
                by_region.entry(*region).or_default().push(sheet);
            }
        }
        let (old, new, known_at) = (Arc::clone(&now.desk), Arc::clone(&drafted), db.now());
        let counted = tokio::task::spawn_blocking(move || {
            let mut counted: BTreeMap<String, Moved> = BTreeMap::new();
            for (region, sheets) in by_region {
                let ask = Ask {
                    as_of: on,
                    known_at: Some(known_at),
                    region: Some(region),
                    programmes: None,
                };
                count(&old, &new, &sheets, &ask, &mut counted);
            }
            counted
        })
        .await?;
        for (programme, one) in counted {
            let all = moved.entry(programme).or_default();
            all.met += one.met;
            all.not_met += one.not_met;
            all.to_verify += one.to_verify;
            all.more += one.more;
            all.less += one.less;
            all.fen = all.fen.saturating_add(one.fen);
        }
    }
    Ok(Ok(WhatIf {
        on,
        looked_at,
        moved: moved
            .into_iter()
            .filter(|(_, one)| !one.is_nothing())
            .collect(),
    }))
}

fn count(
    old: &Desk,
    new: &Desk,
    sheets: &[FactSheet],
    ask: &Ask,
    counted: &mut BTreeMap<String, Moved>,
) {
    let before = old.book.outcomes(sheets, ask);
    let after = new.book.outcomes(sheets, ask);
    for (before, after) in before.iter().zip(&after) {
        let known: BTreeMap<(&str, Option<usize>), _> = before
            .iter()
            .map(|one| {
                let id = old.book.programmes()[one.programme].id.as_str();
                ((id, one.member), (one.outcome, one.amount))
            })
            .collect();
        for one in after {
            let id = new.book.programmes()[one.programme].id.as_str();
            if let Some(was) = known.get(&(id, one.member)) {
                let all = counted.entry(id.to_owned()).or_default();
                all.take(*was, (one.outcome, one.amount));
            }
        }
    }
}
