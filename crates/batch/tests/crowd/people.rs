//! A crowd of sheets as a snapshot (成册): for tests that decide the same households one by one and in a folder.

use batch::encode::Gathering;
use batch::layout::{Part, households_file};
use batch::{Folder, Manifest, region_number};
use chrono::NaiveDate;
use policy::{Ask, Book};
use std::path::Path;
use vocab::{FactSheet, Region};

/// The packs this repository ships.
pub fn packs() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"))
}

/// A community of a book's place.
pub fn community(book: &Book) -> Region {
    batch::region_of(region_number(book.place().division) + 1_001).unwrap()
}

/// The number of a household, by its place in the crowd.
pub fn home(at: usize) -> i64 {
    i64::try_from(at).unwrap() + 1
}

/// The number of a member.
pub fn person(home: usize, member: usize) -> i64 {
    i64::try_from(home * 100 + member).unwrap()
}

/// Writes a crowd of one community, so many households a part, gathered a few at a time.
pub async fn written(
    book: &Book,
    sheets: &[FactSheet],
    day: NaiveDate,
    folder: &Folder,
    a_part: usize,
) -> Manifest {
    let mut manifest = Manifest::empty(book, day);
    let community = region_number(community(book));
    let mut homes = 0..;
    for (number, some) in sheets.chunks(a_part).enumerate() {
        let mut gathering = Gathering::new(book.columns());
        for page in some.chunks(7) {
            let here: Vec<usize> = homes.by_ref().take(page.len()).collect();
            let households: Vec<i64> = here.iter().map(|at| home(*at)).collect();
            let persons: Vec<i64> = here
                .iter()
                .zip(page)
                .flat_map(|(at, sheet)| (0..sheet.members.len()).map(|one| person(*at, one)))
                .collect();
            let table = book.tabulate(page, &Ask::on(day));
            let regions = vec![community; page.len()];
            gathering
                .add(&table, &households, &regions, &persons)
                .unwrap();
        }
        let rows = u64::try_from(gathering.households()).unwrap();
        let people = u64::try_from(gathering.people()).unwrap();
        manifest.households += rows;
        manifest.people += people;
        let file = households_file(number);
        folder
            .write(&file, gathering.finish().unwrap())
            .await
            .unwrap();
        manifest.parts.push(Part {
            file,
            rows,
            people,
            sm3: String::new(),
            payments: None,
            delta: false,
            gone: Vec::new(),
        });
    }
    manifest.write(folder).await.unwrap();
    manifest
}
