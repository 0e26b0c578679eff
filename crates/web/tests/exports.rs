//! Files made in the background (导出任务): asked for, made, fetched by who asked, removed after seven days; a worker that dies in
//! the middle spoils nothing; a million rows take no more memory than a thousand.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::{Purpose, Role, Scope};
use axum::http::StatusCode;
use chrono::Duration;
use house::{Browser, HERE, House, THERE, id_number, migrations, region};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::journal::Filter;
use store::queue::{self, Lease};
use store::{Db, Event, TestClock};
use tokio::sync::Notify;
use uuid::Uuid;
use vocab::Region;
use web::WebConfig;

/// How long the worker's lease is here.
const LEASE: Duration = Duration::seconds(20);

fn config(at_once: u64, most: u64) -> WebConfig {
    WebConfig {
        export_rows: at_once,
        export_rows_most: most,
        ..WebConfig::default()
    }
}

/// Seven households, and officers who may take lists out; at most three rows are written while one waits.
async fn seven(db: Db) -> House {
    let house = House::with(db, config(3, 1_000)).await;
    for (login, role, place) in [
        ("qushen", Role::DistrictApprover, "990101"),
        ("shenji", Role::Auditor, "990101"),
    ] {
        house.officer(login, &[(role, place)]).await;
    }
    for order in 1..=7 {
        let at = if order <= 5 { HERE } else { THERE };
        let number = id_number("19360101", order);
        let person = house.person("陈阿婆", &number, at).await;
        house.household(person, &[], at).await;
    }
    house
}

/// So many entries of one act about this district, in one transaction.
async fn entries(db: &Db, count: usize) {
    let mut tx = db.begin().await.unwrap();
    for at in 0..count {
        tx.note(Event {
            by: vocab::ids::OfficerId(Uuid::nil()),
            purpose: "系统任务".to_owned(),
            act: "web.sweep".to_owned(),
            subject_kind: "job".to_owned(),
            subject_id: at.to_string(),
            region: Some(region(HERE)),
            detail: json!({}),
        });
    }
    tx.commit().await.unwrap();
}

/// Asks for a list's file, as the button does.
async fn ask(browser: &mut Browser, list: &str, query: &str) -> Uuid {
    let asked = [("list", list), ("query", query)];
    let answer = browser.post("/exports", &asked).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let to = answer.location();
    to.strip_prefix("/exports/").unwrap().parse().unwrap()
}

async fn claimed(db: &Db) -> Lease {
    let lease = queue::claim(db, "test", &[access::export::JOB], LEASE).await;
    lease.unwrap().expect("an export waits")
}

/// What the server's worker does with the export that has waited longest.
async fn work(house: &House, tell: &(dyn Fn(u64, u64) + Send + Sync)) {
    let db = &house.app.db;
    let lease = claimed(db).await;
    let id: Uuid = serde_json::from_value(lease.job.payload["export"].clone()).unwrap();
    web::exports::make(&house.app, id, lease.job.attempts, tell)
        .await
        .unwrap();
    let tx = db.begin().await.unwrap();
    queue::done(&tx, &lease).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

/// The rows of a file: the note, the heading, then what is listed.
fn rows(file: &[u8]) -> Vec<Vec<String>> {
    let sheet = sheets::read(file, sheets::Limits::default())
        .unwrap()
        .remove(0);
    sheet
        .rows
        .iter()
        .map(|row| row.iter().map(sheets::Cell::text).collect())
        .collect()
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    found
        .map(|one| one.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

async fn journalled(db: &Db, act: &str) -> Vec<serde_json::Value> {
    let only = Filter {
        act: Some(act.to_owned()),
        ..Filter::default()
    };
    let found = store::journal::page(db, &only, 0, 50).await.unwrap();
    let details = found.rows.into_iter().map(|entry| entry.event.detail);
    details.collect()
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_long_list_is_made_in_the_background_and_is_its_askers_alone_for_seven_days(
        db: Db, clock: Arc<TestClock>, folder: PathBuf
    ) {
        let house = seven(db.clone()).await;
        let mut auditor = house.signed_in("shenji").await;
        let offered = auditor.get("/households/export?columns=number,members").await;
        assert!(offered.holds("一共 7 条") && offered.holds("action=\"/exports\""), "{}", offered.text());
        assert!(offered.holds("value=\"columns=number%2Cmembers\""), "{}", offered.text());
        let id = ask(&mut auditor, "households", "columns=number%2Cmembers").await;
        let here = format!("/exports/{id}");
        // It waits; nothing can be fetched, and to others it does not exist.
        let page = auditor.get(&here).await;
        assert!(page.holds("已排队") && page.holds("<progress value=\"0\" max=\"7\"") && page.holds("every 1s"), "{}", page.text());
        assert_eq!(auditor.get(&format!("{here}/file")).await.status, StatusCode::NOT_FOUND);
        let mut other = house.signed_in("qushen").await;
        let told = AtomicU64::new(0);
        work(&house, &|done, total| told.store(done * 100 + total, Ordering::Relaxed)).await;
        assert_eq!(told.load(Ordering::Relaxed), 707, "7 of 7");
        for path in [here.clone(), format!("{here}/file")] {
            assert_eq!(other.get(&path).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(other.post(&format!("{here}/cancel"), &[]).await.status, StatusCode::NOT_FOUND);
        // It is there, and asks no more whether it is.
        let page = auditor.get(&here).await;
        assert!(page.holds("可以下载") && page.holds("7 条") && !page.holds("every 1s"), "{}", page.text());
        assert!(auditor.get("/exports").await.holds(&here));
        assert!(!other.get("/exports").await.holds(&here));
        let file = auditor.get(&format!("{here}/file")).await;
        let listed = rows(&file.body);
        assert!(["官员shenji", "事由", "共 7 条"].iter().all(|part| listed[0][0].contains(part)), "{:?}", listed[0]);
        assert_eq!(listed[1], ["户编号", "人数"]);
        assert_eq!(listed.len(), 2 + 7);
        let numbers: Vec<&String> = listed[2..].iter().map(|row| &row[0]).collect();
        assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 7);
        // On disk it is sealed: neither a workbook nor a household's number.
        let exports = folder.join("exports");
        let on_disk = std::fs::read(exports.join(id.to_string())).unwrap();
        assert!(!on_disk.starts_with(b"PK") && files_below(&exports).len() == 1);
        // Every step is in the journal, with how many rows left.
        assert_eq!(journalled(&db, "access.export_ask").await, [json!({"list": "households", "rows": 7})]);
        assert_eq!(journalled(&db, "web.export_households").await, [json!({"rows": 7})]);
        assert_eq!(journalled(&db, "access.export_fetch").await, [json!({"list": "households", "rows": 7})]);
        // One that is there cannot be cancelled.
        auditor.post(&format!("{here}/cancel"), &[]).await;
        assert!(auditor.get(&here).await.holds("可以下载"));
        // Seven days it is kept, and not a second longer than the next day's work.
        clock.advance(Duration::days(7));
        assert_eq!(web::exports::tidy(&db).await.unwrap(), 0);
        clock.advance(Duration::seconds(1));
        assert_eq!(web::exports::tidy(&db).await.unwrap(), 1);
        assert!(files_below(&exports).is_empty());
        let mut auditor = house.signed_in("shenji").await;
        assert!(auditor.get(&here).await.holds("已清理"));
        assert_eq!(auditor.get(&format!("{here}/file")).await.status, StatusCode::NOT_FOUND);
    }

    async fn a_file_is_capped_and_made_only_for_whom_it_may_still_be_made(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let house = seven(db.clone()).await;
        let strict = House::with(db.clone(), config(3, 6)).await;
        let mut auditor = strict.signed_in("shenji").await;
        let refused = auditor.get("/households/export").await;
        assert!(refused.status == StatusCode::CONFLICT && refused.holds("一次最多导出 6 条"), "{}", refused.text());
        let asked = [("list", "households"), ("query", "")];
        assert_eq!(auditor.post("/exports", &asked).await.status, StatusCode::CONFLICT);
        assert_eq!(auditor.post("/exports", &[("list", "secrets"), ("query", "")]).await.status, StatusCode::NOT_FOUND);
        house.officer("chuangkou", &[(Role::WindowOfficer, HERE)]).await;
        let mut window = house.signed_in("chuangkou").await;
        assert_eq!(window.post("/exports", &asked).await.status, StatusCode::FORBIDDEN);
        // Who loses the role between asking and making gets nothing.
        let mut auditor = house.signed_in("shenji").await;
        let id = ask(&mut auditor, "households", "").await;
        let scope = Scope::system(Region::NATION);
        let who = access::officer::by_login(&db, "shenji").await.unwrap().unwrap();
        let mut tx = db.begin().await.unwrap();
        access::officer::revoke_role(&mut tx, &scope, who.id, Role::Auditor, region("990101")).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        work(&house, &|_, _| {}).await;
        assert!(files_below(&folder.join("exports")).is_empty());
        assert!(auditor.get(&format!("/exports/{id}")).await.holds("没有生成成功"));
        // What was never made goes after seven days too, and says so once.
        clock.advance(Duration::days(8));
        assert_eq!(web::exports::tidy(&db).await.unwrap(), 0);
    }

    async fn a_worker_that_dies_in_the_middle_is_followed_by_another_and_the_file_is_whole(
        db: Db, clock: Arc<TestClock>, folder: PathBuf
    ) {
        let house = House::with(db.clone(), config(100, 100_000)).await;
        house.officer("shenji", &[(Role::Auditor, "990101")]).await;
        entries(&db, 12_000).await;
        let mut auditor = house.signed_in("shenji").await;
        let id = ask(&mut auditor, "journal", "act=web.sweep&columns=seq%2Csubject").await;
        let lease = claimed(&db).await;
        let middle = Arc::new(Notify::new());
        let (app, reached) = (house.app.clone(), Arc::clone(&middle));
        let first = tokio::spawn(async move {
            let tell = move |done: u64, _: u64| if done >= 5_000 { reached.notify_one() };
            web::exports::make(&app, id, lease.job.attempts, &tell).await
        });
        middle.notified().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let exports = folder.join("exports");
        assert!(!exports.join(id.to_string()).exists());
        // What one leaves behind that is killed outright.
        std::fs::write(exports.join("making/1").join(id.to_string()), b"half").unwrap();
        assert!(queue::claim(&db, "test", &[access::export::JOB], LEASE).await.unwrap().is_none());
        clock.advance(LEASE + Duration::seconds(1));
        work(&house, &|_, _| {}).await;
        assert_eq!(queue::list(&db, &queue::Filter::default(), 0, 1).await.unwrap().rows[0].attempts, 2);
        let left: Vec<PathBuf> = files_below(&exports);
        assert_eq!(left, [exports.join(id.to_string())]);
        let file = auditor.get(&format!("/exports/{id}/file")).await;
        let listed = rows(&file.body);
        let subjects: Vec<usize> = listed[2..].iter().map(|row| row[1].parse().unwrap()).collect();
        assert_eq!(subjects, (0..12_000).collect::<Vec<_>>());
    }

    async fn a_cancelled_export_is_never_ready_and_leaves_no_file(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let house = seven(db.clone()).await;
        let mut auditor = house.signed_in("shenji").await;
        let id = ask(&mut auditor, "households", "").await;
        let lease = claimed(&db).await;
        let before = access::export::any(&db, id).await.unwrap().unwrap();
        auditor.post(&format!("/exports/{id}/cancel"), &[]).await;
        assert!(auditor.get(&format!("/exports/{id}")).await.holds("已取消"));
        assert_eq!(journalled(&db, "access.export_cancel").await.len(), 1);
        // The worker, still at it, comes too late in every order.
        web::exports::make(&house.app, id, lease.job.attempts, &|_, _| {}).await.unwrap();
        let who = access::officer::still(&db, before.officer).await.unwrap().unwrap();
        let scope = Scope::of(&who, access::Permission::ExportCases, Purpose::Review).unwrap();
        let mut tx = db.begin().await.unwrap();
        assert!(!access::export::ready(&mut tx, &scope, &before, "web.export_households", (7, 1)).await.unwrap());
        tx.rollback().await.unwrap();
        let tx = db.begin().await.unwrap();
        assert!(queue::done(&tx, &lease).await.unwrap().is_err());
        tx.rollback().await.unwrap();
        assert!(files_below(&folder.join("exports")).is_empty());
        clock.advance(Duration::seconds(60));
        assert!(queue::claim(&db, "test", &[access::export::JOB], LEASE).await.unwrap().is_none());
    }
}

/// A million rows of the journal through worker, writer and seal: prints seconds and the peak of memory. By hand, built as
/// released: `cargo nextest run --workspace --release --run-ignored only -E 'test(a_million_rows)' --no-capture`.
#[test]
#[ignore = "a measurement"]
fn a_million_rows() {
    fixtures::run_on_sqlite(migrations(), a_million);
    fixtures::run_on_postgres(migrations(), a_million);
}

#[expect(clippy::print_stdout, reason = "a measurement is printed")]
async fn a_million(bench: fixtures::Bench) {
    let db = &bench.db;
    let house = House::with(db.clone(), config(100, 2_000_000)).await;
    house.officer("shenji", &[(Role::Auditor, "990101")]).await;
    // In portions: what a transaction will write down it holds.
    for _ in 0..100 {
        entries(db, 10_000).await;
    }
    let mut auditor = house.signed_in("shenji").await;
    let id = ask(&mut auditor, "journal", "act=web.sweep").await;
    let (began, before) = (std::time::Instant::now(), peak());
    work(&house, &|_, _| {}).await;
    let one = access::export::any(db, id).await.unwrap().unwrap();
    println!(
        "{:?}: {} rows, {} bytes in {:?}; {before} before, {} after",
        db.engine(),
        one.rows.unwrap(),
        one.size.unwrap(),
        began.elapsed(),
        peak()
    );
    assert_eq!(one.rows, Some(1_000_000));
}

/// The most memory this process ever had, as the system says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("VmHWM: unknown").to_owned()
}
