//! Night after night (逐夜比对): only what changed is decided again, and nothing else comes out than for everybody.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use batch::encode::Gathering;
use batch::layout::{Part, households_file};
use batch::sweep::{Doubts, Swept};
use batch::{Finding, Folder, Manifest, Sweep};
use chrono::{Days, NaiveDate};
use policy::{Ask, Book, Unit};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vocab::FactSheet;

/// A small repeatable source of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

struct Town {
    book: Arc<Book>,
    sheets: Vec<FactSheet>,
    manifest: Manifest,
    streets: Vec<i64>,
}

impl Town {
    fn new() -> Self {
        let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
        let book = Arc::new(Book::load(packs, "baoan").unwrap());
        let sheets: Vec<FactSheet> = book
            .programmes()
            .iter()
            .filter(|programme| programme.to != Unit::Organisation)
            .flat_map(|programme| book.cases(&programme.id))
            .map(|case| case.sheet.clone())
            .collect();
        let as_of = NaiveDate::from_ymd_opt(2024, 5, 20).unwrap();
        let manifest = Manifest::empty(&book, as_of);
        // Two streets with parameters of their own until the middle of 2024, and one without.
        let mut streets: Vec<i64> = book
            .places_with_own_values()
            .into_iter()
            .map(|place| batch::region_number(place) + 1)
            .collect();
        streets.push(batch::region_number(book.place().division) + 1_001);
        streets.sort_unstable();
        Self {
            book,
            sheets,
            manifest,
            streets,
        }
    }

    /// Writes households as a part; each is some worked case, whichever the dice say.
    async fn add(&mut self, folder: &Folder, ids: &[i64], gone: Vec<i64>, dice: &mut Dice) {
        let mut rows: Vec<(i64, i64)> = ids
            .iter()
            .map(|id| {
                (
                    self.streets[usize::try_from(*id).unwrap() % self.streets.len()],
                    *id,
                )
            })
            .collect();
        rows.sort_unstable();
        let chosen: Vec<FactSheet> = rows
            .iter()
            .map(|_| self.sheets[dice.below(self.sheets.len())].clone())
            .collect();
        let table = self.book.tabulate(&chosen, &Ask::on(self.manifest.as_of));
        let mut gathering = Gathering::new(self.book.columns());
        let households: Vec<i64> = rows.iter().map(|(_, id)| *id).collect();
        let regions: Vec<i64> = rows.iter().map(|(region, _)| *region).collect();
        let persons: Vec<i64> = (1..).take(table.members()).collect();
        gathering
            .add(&table, &households, &regions, &persons)
            .unwrap();
        let file = households_file(self.manifest.parts.len());
        let people = u64::try_from(gathering.people()).unwrap();
        let bytes = gathering.finish().unwrap();
        self.manifest.parts.push(Part {
            sm3: store::keys::sm3_hex(&bytes),
            file: file.clone(),
            rows: u64::try_from(ids.len()).unwrap(),
            people,
            payments: None,
            delta: self.manifest.parts.len() > 1,
            gone,
        });
        folder.write(&file, bytes).await.unwrap();
        self.manifest.write(folder).await.unwrap();
    }

    async fn sweep(&self, folder: &Folder) -> (Swept, Vec<Finding>, u64) {
        let sweep = Sweep {
            book: Arc::clone(&self.book),
            as_of: self.manifest.as_of,
            programmes: None,
            doubts: Doubts::One,
            workers: 2,
        };
        let mut kept = 0;
        let swept = sweep
            .run(folder, &AtomicBool::new(false), |at| kept = at.kept)
            .await
            .unwrap();
        let mut found = Vec::new();
        for part in self.manifest.parts.iter().filter(|part| part.rows > 0) {
            found.extend(
                batch::finding::read(folder.need(&part.findings()).await.unwrap()).unwrap(),
            );
        }
        found.sort();
        (swept, found, kept)
    }
}

#[tokio::test]
async fn only_what_changed_is_decided_and_the_same_comes_out() {
    let mut dice = Dice(7);
    let mut town = Town::new();
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::on_disk(place.path()).unwrap();
    let ids: Vec<i64> = (1..=400).collect();
    town.add(&folder, &ids[..200], Vec::new(), &mut dice).await;
    town.add(&folder, &ids[200..], Vec::new(), &mut dice).await;
    town.sweep(&folder).await;
    let mut taken_over = 0;
    for night in 0..8 {
        let days = if night < 6 {
            dice.below(9)
        } else {
            20 + dice.below(20)
        };
        town.manifest.as_of = town.manifest.as_of + Days::new(u64::try_from(days).unwrap());
        let mut changed: Vec<i64> = (0..5).map(|_| ids[dice.below(ids.len())]).collect();
        changed.sort_unstable();
        changed.dedup();
        let gone = if night == 3 {
            changed.split_off(changed.len() - 1)
        } else {
            Vec::new()
        };
        town.add(&folder, &changed, gone, &mut dice).await;
        let (swept, found, kept) = town.sweep(&folder).await;
        taken_over += kept;
        // The same snapshot in a folder where nothing was swept before.
        let other = tempfile::tempdir().unwrap();
        let fresh = Folder::on_disk(other.path()).unwrap();
        for part in &town.manifest.parts {
            fresh
                .write(&part.file, folder.need(&part.file).await.unwrap())
                .await
                .unwrap();
        }
        town.manifest.write(&fresh).await.unwrap();
        let (whole, all, none) = town.sweep(&fresh).await;
        assert_eq!(none, 0);
        assert_eq!(
            swept.tally.outcomes, whole.tally.outcomes,
            "night {night}, {}",
            town.manifest.as_of
        );
        let first = found.iter().zip(&all).find(|(one, other)| one != other);
        assert!(
            found == all,
            "night {night}, {}: {first:?}",
            town.manifest.as_of
        );
        assert_eq!(
            (swept.households, swept.people),
            (whole.households, whole.people)
        );
        assert_eq!(swept.tally, whole.tally);
    }
    assert!(
        taken_over > 400,
        "only {taken_over} households were taken over"
    );
}
