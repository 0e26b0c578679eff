//! What is planted in the demo is found, and nothing else (演示中埋入的问题全部查出): the program itself, on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use store::{Db, Keys, Open, SystemClock};
use verify::alert::{self, AlertFilter, AlertSort};

const PEOPLE: &str = "8000";

type Named = BTreeMap<String, BTreeSet<BTreeSet<String>>>;

/// Makes a demo; what was planted, and what stands in its alerts.
fn planted_and_found(folder: &Path, database: Option<&str>) -> (Named, Named) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_huimin"));
    demo.args([
        "demo",
        "--no-serve",
        "--people",
        PEOPLE,
        "--today",
        "2026-11-22",
    ])
    .arg("--data")
    .arg(folder)
    .current_dir(root);
    if let Some(database) = database {
        demo.args(["--database", database]);
    }
    assert!(demo.status().unwrap().success());
    let text = std::fs::read_to_string(folder.join("demo-planted.json")).unwrap();
    let planted: Named = serde_json::from_str(&text).unwrap();
    let file = || format!("sqlite:{}", folder.join("huimin.sqlite").display());
    let open = Open {
        url: database.map_or_else(file, str::to_owned),
        keys: Keys::load(&folder.join("huimin.keys")).unwrap(),
        clock: Arc::new(SystemClock),
        seed: None,
        files: folder.join("files"),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let found = runtime.block_on(async {
        let db = Db::open(open).await.unwrap();
        let scope = access::Scope::system(vocab::Region::NATION);
        let all = AlertFilter::default();
        let sort = (AlertSort::Urgency, false);
        let page = alert::list(&db, &scope, &all, sort, 0, 1_000)
            .await
            .unwrap();
        let mut found = Named::new();
        for one in page.rows {
            let people = one.sides.people.iter().map(ToString::to_string).collect();
            found.entry(one.rule).or_default().insert(people);
        }
        db.close().await.unwrap();
        found
    });
    (planted, found)
}

/// The kinds the demo plants: the five frauds first.
const KINDS: [&str; 14] = [
    "no_trace",
    "two_records",
    "paid_after_death",
    "skimmed",
    "not_credited",
    "paid_after_cremation",
    "shared_account",
    "excluded",
    "new_vehicle",
    "new_company",
    "more_deposits",
    "in_custody",
    "married_since",
    "moved_away",
];

fn compare(planted: &Named, found: &Named) {
    for kind in KINDS {
        assert!(
            planted.contains_key(kind),
            "nothing of the kind {kind} was planted"
        );
        assert_eq!(planted.get(kind), found.get(kind), "{kind}");
    }
    let kinds: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(kinds, KINDS.into());
}

#[test]
fn everything_planted_is_found_and_nothing_else_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (planted, found) = planted_and_found(&folder.path().join("demo"), None);
    compare(&planted, &found);
}

#[test]
fn everything_planted_is_found_and_nothing_else_on_postgres() {
    let Some(admin) = fixtures::admin_url() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fresh = runtime.block_on(fixtures::fresh(&admin)).unwrap();
    let (planted, found) = planted_and_found(&folder.path().join("demo"), Some(&fresh.url));
    runtime
        .block_on(fixtures::remove(&admin, &fresh.name))
        .unwrap();
    compare(&planted, &found);
}
