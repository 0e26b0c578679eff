//! Columns on disk (列的往返): what is written is read back to the cell, and decided as if it had never been on disk.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "crowd/people.rs"]
mod crowd;

use batch::sweep::Doubts;
use batch::{Finding, FindingKind, Folder, Sweep};
use chrono::NaiveDate;
use crowd::{packs, written};
use policy::{Ask, Book, Outcome, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use vocab::FactSheet;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
}

/// All worked cases about people of a place, as one population.
fn population(book: &Book) -> Vec<FactSheet> {
    book.programmes()
        .iter()
        .filter(|programme| programme.to != Unit::Organisation)
        .flat_map(|programme| book.cases(&programme.id))
        .map(|case| case.sheet.clone())
        .collect()
}

fn sweep(book: &Arc<Book>, doubts: Doubts) -> Sweep {
    Sweep {
        book: Arc::clone(book),
        as_of: day(),
        programmes: None,
        doubts,
        workers: 2,
    }
}

async fn findings(folder: &Folder) -> Vec<Finding> {
    let mut all = Vec::new();
    for file in folder.list().await.unwrap() {
        if file.starts_with("findings-") && file.ends_with(".parquet") {
            all.extend(batch::finding::read(folder.need(&file).await.unwrap()).unwrap());
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn what_was_written_is_decided_as_the_sheets_are() {
    let book = Arc::new(Book::load(packs(), "baoan").unwrap());
    let sheets = population(&book);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::on_disk(place.path()).unwrap();
    written(&book, &sheets, day(), &folder, 100).await;
    let swept = sweep(&book, Doubts::Paid)
        .run(&folder, &AtomicBool::new(false), |_| {})
        .await
        .unwrap();
    assert!(swept.whole && swept.households == u64::try_from(sheets.len()).unwrap());
    let names: Vec<String> = book
        .programmes()
        .iter()
        .filter(|programme| programme.to != Unit::Organisation)
        .map(|programme| programme.id.clone())
        .collect();
    let ask = Ask {
        programmes: Some(names),
        ..Ask::on(day())
    };
    let mut expected: std::collections::BTreeMap<String, batch::tally::Counted> =
        Default::default();
    for brief in book.outcomes(&sheets, &ask).into_iter().flatten() {
        let counted = expected
            .entry(book.programmes()[brief.programme].id.clone())
            .or_default();
        match brief.outcome {
            Outcome::Met => {
                counted.met += 1;
                counted.fen += brief.amount.map_or(0, |amount| amount.fen());
            }
            Outcome::NotMet => counted.not_met += 1,
            Outcome::ToVerify => counted.to_verify += 1,
        }
    }
    for (programme, counted) in &swept.tally.outcomes {
        assert_eq!(
            Some(counted),
            expected.get(programme).or(Some(&Default::default())),
            "{programme}"
        );
    }
}

#[tokio::test]
async fn parts_workers_and_interruptions_do_not_change_what_is_found() {
    let book = Arc::new(Book::load(packs(), "baoan").unwrap());
    let sheets = population(&book);
    let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, many) = (
        Folder::on_disk(one.path()).unwrap(),
        Folder::on_disk(many.path()).unwrap(),
    );
    written(&book, &sheets, day(), &one, usize::MAX).await;
    written(&book, &sheets, day(), &many, 50).await;
    let go = AtomicBool::new(false);
    let whole = sweep(&book, Doubts::One)
        .run(&one, &go, |_| {})
        .await
        .unwrap();
    // Told to stop at once: nothing is done, nothing is lost; then half is done, then the rest.
    let stopped = AtomicBool::new(true);
    let nothing = sweep(&book, Doubts::One)
        .run(&many, &stopped, |_| {})
        .await
        .unwrap();
    assert!(!nothing.whole && nothing.households == 0);
    let mut calls = 0;
    let stop = AtomicBool::new(false);
    let half = sweep(&book, Doubts::One)
        .run(&many, &stop, |_| {
            calls += 1;
            if calls == 3 {
                stop.store(true, Ordering::Relaxed);
            }
        })
        .await
        .unwrap();
    assert!(!half.whole && half.households > 0 && half.households < whole.households);
    let mut kept = 0;
    let rest = sweep(&book, Doubts::One)
        .run(&many, &go, |at| kept = at.kept)
        .await
        .unwrap();
    assert!(rest.whole);
    assert_eq!(kept, half.households);
    assert_eq!(rest.tally, whole.tally);
    let found = findings(&many).await;
    assert!(found == findings(&one).await, "the findings differ");
    assert!(found.iter().any(|one| one.kind == FindingKind::Due));
    assert!(
        found
            .iter()
            .all(|one| one.kind != FindingKind::ToVerify || one.missing.len() == 1)
    );
}

/// A clock that goes on by one with every look, so that what is said of time can be counted by hand.
fn looks() -> u64 {
    static LOOKS: AtomicU64 = AtomicU64::new(0);
    LOOKS.fetch_add(1, Ordering::Relaxed)
}

#[tokio::test]
async fn a_profile_names_every_programme_and_counts_no_time_twice() {
    let book = Arc::new(Book::load(packs(), "baoan").unwrap());
    let sheets = population(&book);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::on_disk(place.path()).unwrap();
    written(&book, &sheets, day(), &folder, 100).await;
    let found = batch::profile::profile(&folder, &book, Some(day()), looks)
        .await
        .unwrap();
    assert_eq!(found.households, sheets.len() as u64);
    // A column made is looked at twice, before and after; whatever it is made of is looked at inside and belongs to those.
    let named: u64 = found.costs.iter().map(|cost| cost.spent).sum();
    assert!(
        0 < named && named <= found.deciding,
        "{named} of {}",
        found.deciding
    );
    assert!(found.costs.is_sorted_by(|a, b| a.spent >= b.spent));
    for programme in book
        .programmes()
        .iter()
        .filter(|one| one.to != Unit::Organisation)
    {
        let own = |step: &str| step.split('.').next() == Some(&programme.id);
        let cost: u64 = found
            .costs
            .iter()
            .filter(|cost| own(&cost.step))
            .map(|cost| cost.spent)
            .sum();
        assert!(cost > 0, "{}", programme.id);
    }
}
