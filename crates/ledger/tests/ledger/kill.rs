//! A release killed at random moments (随机强杀放款): each payee is posted exactly once, whatever happened.
//!
//! The parent proposes a month for three thousand payees, starts this very test program again as the worker that releases
//! it, kills it after a seeded random time, looks, and starts it again, two hundred times on each database. How long it may
//! live follows how far the last one came, so that a fast machine is killed as often as a slow one. What is checked after
//! each kill: a line is untouched or wholly posted. After each finished month: the whole audit.

use crate::town::{Town, finance, grant, month, nobody_blocked, yuan};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sea_orm::{ConnectionTrait, Statement};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use store::{Db, Keys, Open};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use vocab::ids::PayRunId;

const SEED: u64 = 20_260_601;
const PAYEES: u128 = 3_000;
const KILLS: u32 = 200;
const TASK: &str = "HUIMIN_LEDGER_TEST_RELEASE";

/// The worker's part; an ordinary test run has no task for it and it is done at once.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent says what to do and waits for a word"
)]
fn the_worker_releases_what_it_is_told() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let (run, rest) = task.split_once(' ').unwrap();
    let (folder, url) = rest.split_once(' ').unwrap();
    let run: PayRunId = run.parse().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = open(url, Path::new(folder)).await;
        println!("\nready");
        ledger::release(
            &db,
            &finance(2, crate::town::DISTRICT),
            run,
            "key",
            &nobody_blocked(),
        )
        .await
        .unwrap()
        .unwrap();
        db.close().await.unwrap();
    });
}

async fn open(url: &str, folder: &Path) -> Db {
    let open = Open {
        url: url.to_owned(),
        keys: Keys::for_tests(),
        clock: fixtures::clock(),
        // Several processes share the database: seeded identifiers would meet.
        seed: None,
        files: folder.join("files"),
    };
    Db::open(open).await.unwrap()
}

/// Starts a worker and lets it live for a while; answers whether it came to its end by itself.
async fn worker(run: PayRunId, url: &str, folder: &Path, lives: Option<Duration>) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::the_worker_releases_what_it_is_told",
            "--nocapture",
        ])
        .env(TASK, format!("{run} {} {url}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut words = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(word) = words.next_line().await.unwrap() {
        if word == "ready" {
            break;
        }
    }
    let Some(lives) = lives else {
        return child.wait().await.unwrap().success();
    };
    match tokio::time::timeout(lives, child.wait()).await {
        Ok(ended) => ended.unwrap().success(),
        Err(_) => {
            child.kill().await.unwrap();
            false
        }
    }
}

/// A line is untouched or wholly posted: so many lines, so many claims, so many transfers, and the sums agree.
///
/// One statement sees one moment: a server may still be committing for a worker that is dead already. Answers how many
/// lines are posted.
async fn half_done_is_whole(db: &Db, run: PayRunId) -> i64 {
    let hex = run.0.simple();
    let this = match db.engine() {
        store::Engine::Sqlite => format!("l.run_id = x'{hex}'"),
        store::Engine::Postgres => format!("l.run_id = '{run}'"),
    };
    let of = |rows| {
        format!(
            "(SELECT COUNT(*) FROM {rows} r JOIN ledger_pay_line l ON l.id = r.line_id WHERE {this})"
        )
    };
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM ledger_pay_line l WHERE {this} AND l.state = 'posted') AS lines,
           {} AS claims, {} AS transfers,
           (SELECT CAST(COALESCE(SUM(debits - credits), 0) AS BIGINT) FROM ledger_account) AS sum",
        of("ledger_claim"),
        of("ledger_transfer"),
    );
    let statement = Statement::from_string(db.conn().get_database_backend(), sql);
    let row = db.conn().query_one_raw(statement).await.unwrap().unwrap();
    let number = |name| row.try_get::<i64>("", name).unwrap();
    assert_eq!(
        (number("claims"), number("transfers")),
        (number("lines"), number("lines"))
    );
    assert_eq!(number("sum"), 0);
    number("lines")
}

async fn two_hundred_kills(db: Db, folder: &Path, url: &str) {
    let mut rng = StdRng::seed_from_u64(SEED);
    let town = Town::new(db);
    let grants: Vec<_> = (0..PAYEES)
        .map(|number| grant(number, "old_age", 200, "2025-01"))
        .collect();
    let mut tx = town.db.begin().await.unwrap();
    for answer in ledger::entitle_many(&mut tx, &town.first, &grants)
        .await
        .unwrap()
    {
        answer.unwrap();
    }
    tx.commit().await.unwrap();

    let (mut kills, mut runs, mut at) = (0, 0, month("2025-01"));
    let mut life = Duration::from_millis(150);
    while kills < KILLS {
        let mut extra = ledger::NewEntitlement {
            from: at,
            until: Some(at.next()),
            ..grants[0].clone()
        };
        extra.programme = format!("extra {runs}");
        town.entitle(&extra).await;
        let run = town.propose(&at.to_string(), &nobody_blocked()).await;
        let mut posted = 0;
        loop {
            let lives = (kills < KILLS).then(|| life.mul_f64(rng.random_range(0.0..2.0)));
            let ended = worker(run.id, url, folder, lives).await;
            let now = half_done_is_whole(&town.db, run.id).await;
            if ended {
                break;
            }
            kills += 1;
            // About every third life gets something done: killed often, and still coming to an end.
            life = life.mul_f64(if now > posted { 0.6 } else { 1.25 });
            posted = now;
        }
        let released = town.release(&run).await;
        assert_eq!(
            (u128::from(released.posted), released.blocked),
            (PAYEES + 1, 0)
        );
        assert_eq!(
            released.net,
            yuan(200 * (i64::try_from(PAYEES).unwrap() + 1))
        );
        town.assert_clean().await;
        runs += 1;
        at = at.next();
        // A month takes some thirty kills; the months of the town's calendar are more than enough.
        assert!(
            at <= month("2026-07"),
            "the worker was killed only {kills} times"
        );
    }
    report(town.db.engine(), kills, runs);
}

#[expect(
    clippy::print_stderr,
    reason = "the seed must be seen to be used again"
)]
fn report(engine: store::Engine, kills: u32, runs: u32) {
    eprintln!(
        "seed {SEED}: {kills} kills over {runs} runs of {PAYEES} payees on {engine:?}, each posted once"
    );
}

#[test]
fn killed_two_hundred_times_each_payee_is_posted_once_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("kill.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = open(&url, folder.path()).await;
        db.migrate(&ledger::migrations()).await.unwrap();
        two_hundred_kills(db, folder.path(), &url).await;
    });
}

#[test]
fn killed_two_hundred_times_each_payee_is_posted_once_on_postgres() {
    let Some(admin) = fixtures::admin_url() else {
        eprintln!("skipped: TEST_POSTGRES not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let fresh = fixtures::fresh(&admin).await.unwrap();
        let db = open(&fresh.url, folder.path()).await;
        db.migrate(&ledger::migrations()).await.unwrap();
        let (url, place) = (fresh.url.clone(), folder.path().to_owned());
        let ended = tokio::spawn(async move { two_hundred_kills(db, &place, &url).await }).await;
        fixtures::remove(&admin, &fresh.name).await.unwrap();
        ended.unwrap();
    });
}
