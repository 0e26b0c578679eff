//! Where deciding a population spends its time (耗时剖析): every variable, condition and benefit of the rule book, on one thread.
//!
//! Guarantees: decides by the very machine of sweep and simulation; what is shared between variables counts once, with the
//! first that wants it. Deliberately absent: what changed since the snapshot, comparing with payments, and the clock.

use crate::chunk::{self, Chunk};
use crate::decide::{Bindings, Deciders, for_people};
use crate::{Folder, Manifest};
use chrono::NaiveDate;
use policy::machine::Cost;
use policy::{Ask, Book};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What deciding cost (耗时剖析). Times are in the unit of the clock handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Households decided.
    pub households: u64,
    /// Deciding as a whole, without reading the snapshot.
    pub deciding: u64,
    /// Reading and unpacking the snapshot.
    pub reading: u64,
    /// Every variable, the dearest first; what remains of `deciding` is writing answers down, and rare households that went
    /// through the reference.
    pub costs: Vec<Cost>,
}

/// Decides everybody in a snapshot once and says what each variable cost (剖析).
///
/// # Errors
/// When the folder holds no snapshot or cannot be read.
pub async fn profile(
    folder: &Folder,
    book: &Arc<Book>,
    as_of: Option<NaiveDate>,
    clock: fn() -> u64,
) -> anyhow::Result<Profile> {
    let manifest = Manifest::read(folder).await?;
    let ask = Ask {
        programmes: Some(for_people(book)),
        ..Ask::on(as_of.unwrap_or(manifest.as_of))
    };
    let bindings = Bindings::of(book, &[], &ask)?;
    let mut deciders = Deciders::timed(&bindings, clock);
    let (mut households, mut deciding) = (0, 0);
    let begun = clock();
    for part in manifest.parts.iter().filter(|part| part.rows > 0) {
        let bytes = folder.need(&part.file).await?;
        for batch in chunk::open(bytes, bindings.reads())? {
            let chunk = Chunk::new(batch?);
            let begun = clock();
            deciders.decide(&chunk, |_, _, _, _| Ok(()))?;
            deciding += clock().saturating_sub(begun);
            households += u64::try_from(chunk.households()?.len())?;
        }
    }
    let mut sums: BTreeMap<String, Cost> = BTreeMap::new();
    for cost in deciders.costs() {
        let sum = sums.entry(cost.step.clone()).or_insert(Cost {
            spent: 0,
            ..cost.clone()
        });
        sum.spent += cost.spent;
    }
    let mut costs: Vec<Cost> = sums.into_values().collect();
    costs.sort_by(|a, b| b.spent.cmp(&a.spent).then_with(|| a.step.cmp(&b.step)));
    let reading = clock().saturating_sub(begun).saturating_sub(deciding);
    Ok(Profile {
        households,
        deciding,
        reading,
        costs,
    })
}
