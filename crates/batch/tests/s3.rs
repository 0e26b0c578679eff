//! A snapshot in an object store (对象存储里的快照): the same bytes and the same findings as in a folder on disk.
//!
//! Runs against a real S3 server program. `TEST_S3` names a bucket in which tests may write (`s3://bucket`), the usual
//! `AWS_*` variables say where it is; `cargo xtask test` starts one. Without it the test says that it was skipped.

#![cfg(feature = "s3")]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use access::Scope;
use batch::sweep::Doubts;
use batch::{Folder, Manifest, Snapshot, Sweep, Swept};
use casework::Desk;
use chrono::NaiveDate;
use registry::bulk::{BulkHousehold, BulkMember};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, TestClock};
use vocab::{Document, DocumentKind, Kinship, Region, Sex};

/// The bucket, if there is one.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "whoever runs the tests says where a store is, and is told when there is none"
)]
fn bucket() -> Option<String> {
    let bucket = std::env::var("TEST_S3")
        .ok()
        .filter(|name| !name.is_empty());
    if bucket.is_none() {
        eprintln!("skipped: TEST_S3 not set");
    }
    bucket
}

fn desk() -> Desk {
    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    Desk::load(packs, "baoan").unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Eleven people living alone in a community, every other one 82 years old.
async fn load(db: &Db, desk: &Desk) {
    let places = desk.book.place();
    let community: Region = places
        .regions
        .iter()
        .map(|place| place.code)
        .find(|code| code.level() == vocab::region::Level::Community)
        .unwrap();
    let households = (1..=11).map(|number: u32| {
        let born = day(["1944-03-15", "1990-06-20"][usize::from(number % 2 == 1)]);
        let body = format!("990101{}{number:03}", born.format("%Y%m%d"));
        let check = vocab::id_number::check_digit(&body).unwrap();
        let number = format!("{body}{check}");
        BulkHousehold {
            roster_number: None,
            region: community,
            address: "海裕社区 3 栋 401".to_owned(),
            since: day("2020-01-01"),
            members: vec![BulkMember {
                name: "张三".to_owned(),
                document: Document::read(DocumentKind::ResidentId, &number, day("2026-06-01"))
                    .unwrap(),
                sex: Sex::Female,
                birth_date: Some(born),
                phone: None,
                hukou: Some(community),
                kinship: Kinship::head(),
                account: None,
                facts: Vec::new(),
            }],
            facts: Vec::new(),
        }
    });
    let scope = Scope::system(places.division);
    registry::bulk::load(db, &scope, households, |_| {})
        .await
        .unwrap();
}

fn sweep(desk: &Desk, manifest: &Manifest) -> Sweep {
    Sweep {
        book: Arc::clone(&desk.book),
        as_of: manifest.as_of,
        programmes: None,
        doubts: Doubts::One,
        workers: 2,
    }
}

async fn taken_and_swept(db: &Db, desk: &Desk, folder: &Folder) -> (Manifest, Swept) {
    let snapshot = Snapshot {
        desk,
        as_of: day("2026-06-01"),
        known_at: None,
        part: Some(4),
    };
    let manifest = snapshot.whole(db, folder, &mut |_| {}).await.unwrap();
    let swept = sweep(desk, &manifest)
        .run(folder, &AtomicBool::new(false), |_| {})
        .await
        .unwrap();
    (manifest, swept)
}

fixtures::db_tests! {
    migrations = batch::migrations();

    async fn a_store_holds_what_a_folder_holds_byte_for_byte(db: Db, _clock: Arc<TestClock>, at: PathBuf) {
        let Some(bucket) = bucket() else { return };
        let desk = desk();
        load(&db, &desk).await;
        let disk = Folder::on_disk(&at.join("disk")).unwrap();
        // A prefix of its own, two levels deep, because the tests on the two databases run at the same time.
        let own = at.file_name().unwrap().to_str().unwrap().to_owned();
        let store = Folder::open(&format!("{bucket}/snapshots/{own}-{}", std::process::id())).unwrap();
        for left in store.list().await.unwrap() {
            store.remove(&left).await.unwrap();
        }
        assert!(Manifest::read(&store).await.is_err(), "nothing lies there yet");
        let (on_disk, found_on_disk) = taken_and_swept(&db, &desk, &disk).await;
        let (in_store, found_in_store) = taken_and_swept(&db, &desk, &store).await;
        assert_eq!(on_disk, in_store);
        // 11 households in parts of 4: 4, 4 and 3.
        assert_eq!((in_store.households, in_store.parts.len()), (11, 3));
        assert_eq!(found_on_disk, found_in_store);
        let files = disk.list().await.unwrap();
        assert_eq!(files, store.list().await.unwrap());
        assert!(files.iter().any(|file| file.starts_with("findings-")));
        for file in &files {
            assert_eq!(disk.need(file).await.unwrap(), store.need(file).await.unwrap(), "{file}");
        }
        // Swept once more, everything is taken over from what lies there.
        let mut kept = 0;
        sweep(&desk, &in_store).run(&store, &AtomicBool::new(false), |now| kept = now.kept).await.unwrap();
        assert_eq!(kept, 11);
        for file in &files {
            store.remove(file).await.unwrap();
        }
        assert_eq!(store.list().await.unwrap(), Vec::<String>::new());
        assert_eq!(store.read("manifest.json").await.unwrap(), None);
    }
}
