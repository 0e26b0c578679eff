//! Evidence files, backup and restore on both databases.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it stands"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::backup::{self, Refused};
use store::files::{NewFile, SIZE_MAX};
use store::{Db, Engine, Event, Keys, NewJob, Open, TestClock, journal};
use vocab::ids::FileId;

fn a_file(bytes: &[u8]) -> NewFile {
    NewFile {
        media_type: "image/jpeg".to_owned(),
        name: Some("入户照片.jpg".to_owned()),
        bytes: bytes.to_vec(),
    }
}

async fn put(db: &Db, bytes: &[u8]) -> FileId {
    let tx = db.begin().await.unwrap();
    let kept = db.files().put(&tx, a_file(bytes)).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    kept.id
}

fn on_disk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(on_disk(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

async fn fill(db: &Db) -> FileId {
    let file = put(db, b"evidence").await;
    for number in 0..5 {
        let mut tx = db.begin().await.unwrap();
        tx.note(Event::by_system(
            "store.test",
            "sample",
            &number.to_string(),
        ));
        tx.enqueue(NewJob::new("kind", serde_json::json!({ "n": number })))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    file
}

/// An empty place of the same kind: its address, and the name of the server's database if there is one.
async fn elsewhere(db: &Db, folder: &Path) -> (Open, Option<String>) {
    let (url, name) = match db.engine() {
        Engine::Sqlite => (
            format!("sqlite://{}", folder.join("restored.db").display()),
            None,
        ),
        Engine::Postgres => {
            let fresh = fixtures::fresh(&fixtures::admin_url().unwrap())
                .await
                .unwrap();
            (fresh.url, Some(fresh.name))
        }
    };
    let open = Open {
        url,
        keys: db.keys().clone(),
        clock: db.clock().clone(),
        seed: Some(2),
        files: folder.join("restored-files"),
    };
    (open, name)
}

async fn leave(db: Option<Db>, name: Option<String>) {
    if let Some(db) = db {
        db.close().await.unwrap();
    }
    if let Some(name) = name {
        fixtures::remove(&fixtures::admin_url().unwrap(), &name)
            .await
            .unwrap();
    }
}

fn again(open: &Open) -> Open {
    Open {
        url: open.url.clone(),
        keys: open.keys.clone(),
        clock: open.clock.clone(),
        seed: open.seed,
        files: open.files.clone(),
    }
}

fixtures::db_tests! {
    migrations = store::migrations();

    async fn a_file_comes_back_and_lies_encrypted(db: Db) {
        let id = put(&db, b"a photograph").await;
        let (about, bytes) = db.files().get(db.conn(), id).await.unwrap().unwrap();
        assert_eq!(bytes, b"a photograph");
        assert_eq!((about.size, about.name.as_deref()), (12, Some("入户照片.jpg")));
        assert_eq!(about.sm3, store::keys::sm3_hex(b"a photograph"));
        let paths = on_disk(db.files().root());
        assert_eq!(paths.len(), 1);
        let raw = std::fs::read(&paths[0]).unwrap();
        assert!(!String::from_utf8_lossy(&raw).contains("photograph"));
        assert!(!paths[0].to_string_lossy().contains(&about.sm3[2..]));
        assert_eq!(db.files().about(db.conn(), FileId(db.new_id())).await.unwrap(), None);
    }

    async fn a_file_is_staged_before_the_transaction_that_keeps_it(db: Db) {
        let staged = db.files().stage(a_file(b"large")).await.unwrap().unwrap();
        let tx = db.begin().await.unwrap();
        let kept = db.files().keep(&tx, staged).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(db.files().get(db.conn(), kept.id).await.unwrap().unwrap().1, b"large");
    }

    async fn equal_files_lie_on_disk_once(db: Db) {
        assert_ne!(put(&db, b"same").await, put(&db, b"same").await);
        assert_eq!(on_disk(db.files().root()).len(), 1);
    }

    async fn empty_and_oversized_files_are_refused(db: Db) {
        let tx = db.begin().await.unwrap();
        let refused = async |bytes: &[u8]| db.files().put(&tx, a_file(bytes)).await.unwrap().unwrap_err();
        assert_eq!(refused(b"").await, store::files::Refused::Empty);
        assert_eq!(refused(&vec![0; SIZE_MAX + 1]).await, store::files::Refused::TooLarge);
    }

    async fn an_altered_or_missing_file_is_found(db: Db) {
        let (first, second) = (put(&db, b"first").await, put(&db, b"second").await);
        assert_eq!(db.files().verify(&db).await.unwrap(), []);
        for path in on_disk(db.files().root()) {
            flip(&path);
        }
        assert!(db.files().get(db.conn(), first).await.is_err());
        std::fs::remove_file(&on_disk(db.files().root())[0]).unwrap();
        let mut found: Vec<FileId> = db.files().verify(&db).await.unwrap().into_iter().map(|fault| fault.id).collect();
        found.sort();
        assert_eq!(found, [first, second]);
    }

    async fn what_a_rollback_left_is_swept_after_a_day(db: Db) {
        let kept = put(&db, b"kept").await;
        let tx = db.begin().await.unwrap();
        db.files().put(&tx, a_file(b"left behind")).await.unwrap().unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(db.files().sweep(&db).await.unwrap(), 0);
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        for path in on_disk(db.files().root()) {
            std::fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
        }
        assert_eq!(db.files().sweep(&db).await.unwrap(), 1);
        assert!(db.files().get(db.conn(), kept).await.unwrap().is_some());
    }

    async fn a_backup_comes_back_equal(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        let file = fill(&db).await;
        let to = folder.join("backup");
        let manifest = backup::backup(&db, &to).await.unwrap();
        assert_eq!(manifest.journal_head, journal::head(&db).await.unwrap());
        // What happens after the backup is not in it.
        fill(&db).await;
        let (open, name) = elsewhere(&db, &folder).await;
        let restored = backup::restore(&to, again(&open)).await.unwrap().unwrap();
        let verdict = journal::verify(&restored).await.unwrap();
        assert!(verdict.is_intact() && verdict.entries == 5 && verdict.head == manifest.journal_head);
        let page = async |db: &Db, offset| journal::page(db, &journal::Filter::default(), offset, 5).await.unwrap().rows;
        assert_eq!(page(&restored, 0).await, page(&db, 5).await);
        let jobs = store::queue::list(&restored, &store::queue::Filter::default(), 0, 10).await.unwrap();
        assert_eq!(jobs.total, 5);
        let (about, bytes) = restored.files().get(restored.conn(), file).await.unwrap().unwrap();
        assert_eq!((bytes.as_slice(), about.created_at), (&b"evidence"[..], db.now()));
        // It can be worked with: migrations are known, the chain goes on, the triggers hold.
        restored.migrate(&store::migrations()).await.unwrap();
        fill(&restored).await;
        assert!(journal::verify(&restored).await.unwrap().is_intact());
        let tx = restored.begin().await.unwrap();
        assert!(sea_orm::ConnectionTrait::execute_unprepared(tx.conn(), "delete from store_journal").await.is_err());
        tx.rollback().await.unwrap();
        // A second restore into the same place is refused.
        restored.close().await.unwrap();
        let refusal = backup::restore(&to, open).await.unwrap().unwrap_err();
        assert_eq!(refusal, Refused::NotEmpty);
        leave(None, name).await;
    }

    async fn a_flipped_bit_anywhere_in_a_backup_is_refused(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        fill(&db).await;
        let to = folder.join("backup");
        backup::backup(&db, &to).await.unwrap();
        assert!(backup::check(&to, db.keys()).unwrap().is_ok());
        let (open, name) = elsewhere(&db, &folder).await;
        for path in on_disk(&to) {
            let whole = std::fs::read(&path).unwrap();
            flip(&path);
            assert!(backup::restore(&to, again(&open)).await.unwrap().is_err(), "{}", path.display());
            std::fs::remove_file(&path).unwrap();
            assert!(backup::restore(&to, again(&open)).await.unwrap().is_err(), "{}", path.display());
            std::fs::write(&path, whole).unwrap();
        }
        let restored = backup::restore(&to, open).await.unwrap().unwrap();
        leave(Some(restored), name).await;
    }

    async fn a_backup_is_unreadable_without_the_keys(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        fill(&db).await;
        let to = folder.join("backup");
        backup::backup(&db, &to).await.unwrap();
        assert_eq!(backup::check(&to, &Keys::generate().unwrap()).unwrap(), Err(Refused::NotOurs));
        for path in on_disk(&to) {
            let raw = std::fs::read(&path).unwrap();
            assert!(!String::from_utf8_lossy(&raw).contains("SQLite format"), "{}", path.display());
        }
        assert!(backup::backup(&db, &to).await.is_err());
        assert_eq!(backup::check(&folder, db.keys()).unwrap(), Err(Refused::NoManifest));
    }
}
