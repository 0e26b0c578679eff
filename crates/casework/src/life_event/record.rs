//! Reporting an event (登记生活事件): the register learns it and the cases it touches learn it, in one transaction.
//!
//! A preview is the same act in a transaction that is not committed: what is shown is what will be done. Guarantees: the
//! proof of a death is laid into every case it ends. Deliberately absent: events nobody reports; see [`super::daily`].

use super::take_along::take_along;
use super::touch::{Kept, Noted, note_event};
use super::{Happened, Kind, NewEvent, Refused};
use crate::desk::Desk;
use crate::evidence::{self, NewEvidence};
use crate::procedure::Effect;
use crate::rows::save;
use crate::tables::life_event;
use access::{Permission, Scope};
use anyhow::Context;
use policy::touches;
use std::collections::BTreeSet;
use store::Tx;
use store::files::NewFile;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{CaseId, PersonId};

/// The facts of the register an event is about, as the rules name them.
const DIED_ON: &str = "died_on";
const HUKOU: &str = "hukou";
const RELATION: &str = "relation";

/// Records an event (登记生活事件) and answers its id. On a refusal drop the transaction.
///
/// # Errors
/// Faults of the database or the disk; refusals are values.
pub async fn record(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    new: NewEvent,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let today = tx.today();
    let home = registry::households::household_view(tx, scope, new.household, today).await?;
    let Some(home) = home else {
        return Ok(Err(Refused::NotThere));
    };
    let needed = match new.happened {
        Happened::Left { .. } | Happened::Joined { .. } | Happened::House { .. } => {
            Permission::RegisterPeople
        }
        Happened::Death { .. } | Happened::Hukou { .. } => Permission::RecordFacts,
    };
    if let Err(denied) = scope.may(needed, home.region) {
        return Ok(Err(denied.into()));
    }
    if new.source.trim().is_empty() {
        return Ok(Err(Refused::SourceMissing));
    }
    if new.on > today {
        return Ok(Err(Refused::DayAhead));
    }
    let is_member = |person: PersonId| home.members.iter().any(|member| member.person.id == person);
    if let Happened::Death { person } | Happened::Hukou { person, .. } | Happened::Left { person } =
        &new.happened
        && !is_member(*person)
    {
        return Ok(Err(Refused::NotAMember));
    }
    let region = match told(tx, scope, &new, home.region).await? {
        Ok(region) => region,
        Err(refused) => return Ok(Err(refused)),
    };
    let noted = Noted {
        kind: new.happened.kind(),
        household: new.household,
        person: new.happened.person(),
        region,
        region_before: home.region,
        on: new.on,
        detail: detail(&new.happened),
        source: new.source.trim().to_owned(),
        programmes: programmes(desk, &new.happened),
        always: true,
    };
    let Some(kept) = note_event(tx, scope, desk, noted).await? else {
        return Ok(Err(Refused::AlreadyRecorded));
    };
    let id = kept.event.id;
    if let Some(file) = new.evidence
        && let Err(refused) = keep_proof(tx, scope, desk, kept, file).await?
    {
        return Ok(Err(refused));
    }
    Ok(Ok(id))
}

/// What tells two events of one kind on one day apart.
fn detail(happened: &Happened) -> String {
    match happened {
        Happened::Hukou { to, .. } | Happened::House { to, .. } => to.to_string(),
        Happened::Death { .. } | Happened::Left { .. } | Happened::Joined { .. } => String::new(),
    }
}

/// The programmes that read what the event changes.
fn programmes(desk: &Desk, happened: &Happened) -> BTreeSet<String> {
    match happened {
        Happened::Death { .. } => reading(desk, DIED_ON),
        Happened::Hukou { .. } => reading(desk, HUKOU),
        Happened::House { .. } => touches::of_place(&desk.book),
        Happened::Left { .. } | Happened::Joined { .. } => {
            let mut all = touches::of_members(&desk.book);
            all.extend(reading(desk, RELATION));
            all
        }
    }
}

/// The programmes that rest on a fact (读取某事实的事项).
pub(super) fn reading(desk: &Desk, fact: &str) -> BTreeSet<String> {
    desk.book
        .programmes()
        .iter()
        .filter(|programme| programme.facts.iter().any(|read| read == fact))
        .map(|programme| programme.id.clone())
        .collect()
}

/// The register learns it; answers where the household then is.
async fn told(
    tx: &mut Tx,
    scope: &Scope,
    new: &NewEvent,
    here: Region,
) -> anyhow::Result<Result<Region, Refused>> {
    let register = |refused: &dyn std::fmt::Display| Refused::Register(refused.to_string());
    let told = match &new.happened {
        Happened::Death { person } => {
            registry::people::record_death(tx, scope, *person, new.on, &new.source)
                .await?
                .map_err(|refused| register(&refused))
        }
        Happened::Hukou { person, to } => {
            registry::people::move_hukou(tx, scope, *person, *to, new.on, &new.source)
                .await?
                .map_err(|refused| register(&refused))
        }
        Happened::House { to, address } => {
            match registry::households::relocate(tx, scope, new.household, *to, address).await? {
                Ok(_) => return take_along(tx, scope, new.household, *to).await,
                Err(refused) => Err(register(&refused)),
            }
        }
        Happened::Left { person } => registry::households::leave(
            tx,
            scope,
            new.household,
            *person,
            new.on,
            new.source.trim(),
        )
        .await?
        .map_err(|refused| register(&refused)),
        Happened::Joined { person, kinship } => {
            registry::households::join(tx, scope, new.household, *person, *kinship, new.on)
                .await?
                .map_err(|refused| register(&refused))
        }
    };
    Ok(told.map(|()| here))
}

/// Keeps the file with the event, and lays the proof of a death into the cases it ends, under the kind their procedure
/// asks for.
async fn keep_proof(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    kept: Kept,
    file: NewFile,
) -> anyhow::Result<Result<(), Refused>> {
    let Kept {
        mut event,
        ended_by_death,
    } = kept;
    let files = tx.files().clone();
    let stored = match files.put(tx, file.clone()).await? {
        Ok(stored) => stored,
        Err(refused) => return Ok(Err(Refused::File(refused.to_string()))),
    };
    event.evidence_file = Some(stored.id.to_string());
    event.evidence_name = file.name.clone().unwrap_or_default();
    let is_death = Kind::read(&event.kind)? == Kind::Death;
    save::<life_event::Entity>(tx, event).await?;
    if !is_death {
        return Ok(Ok(()));
    }
    for (case, programme) in ended_by_death {
        let kinds: BTreeSet<&String> = desk
            .procedure(&programme)
            .context("a case of a programme without a procedure")?
            .acts
            .iter()
            .filter(|act| act.effect == Effect::Stop && act.needs.hearing.is_none())
            .flat_map(|act| &act.needs.evidence)
            .collect();
        for kind in kinds {
            let new = NewEvidence {
                kind: kind.clone(),
                name: file.name.clone().unwrap_or_default(),
                media: file.media_type.clone(),
                bytes: file.bytes.clone(),
                note: String::new(),
            };
            if let Err(refused) = evidence::attach(tx, scope, desk, CaseId(case), new).await? {
                return Ok(Err(Refused::File(refused.to_string())));
            }
        }
    }
    Ok(Ok(()))
}
