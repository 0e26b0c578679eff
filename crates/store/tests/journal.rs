//! The journal's chain on both databases: what it records, and every way of tampering with it.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it stands"
)]

use sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use store::journal::{self, ChainFault, Filter};
use store::{Db, Engine, Event, TestClock};
use vocab::ids::OfficerId;

async fn write(db: &Db, count: usize) {
    for number in 0..count {
        let mut tx = db.begin().await.unwrap();
        tx.note(event(number));
        tx.commit().await.unwrap();
    }
}

fn event(number: usize) -> Event {
    Event {
        by: OfficerId(uuid::Uuid::from_u128(1)),
        purpose: "application".to_owned(),
        act: "casework.accept".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: number.to_string(),
        region: Some("440306001".parse().unwrap()),
        detail: serde_json::json!({ "number": number, "状态": "受理" }),
    }
}

/// As the owner of the database can: the triggers are taken off first.
async fn tamper(db: &Db, statements: &[&str]) {
    let tx = db.begin().await.unwrap();
    let off: &[&str] = match db.engine() {
        Engine::Sqlite => &[
            "drop trigger store_journal_no_update",
            "drop trigger store_journal_no_delete",
        ],
        Engine::Postgres => &["alter table store_journal disable trigger user"],
    };
    for statement in off.iter().chain(statements) {
        tx.conn().execute_unprepared(statement).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn faults(db: &Db) -> Vec<ChainFault> {
    journal::verify(db).await.unwrap().faults
}

fixtures::db_tests! {
    migrations = store::migrations();

    async fn an_untouched_chain_is_intact(db: Db) {
        assert!(journal::verify(&db).await.unwrap().is_intact());
        write(&db, 3).await;
        let verdict = journal::verify(&db).await.unwrap();
        assert!(verdict.is_intact());
        assert_eq!(verdict.entries, 3);
        assert_eq!(verdict.head, journal::head(&db).await.unwrap());
    }

    async fn many_events_of_one_transaction_are_chained_in_order(db: Db) {
        let mut tx = db.begin().await.unwrap();
        for number in 0..2_500 {
            tx.note(event(number));
        }
        tx.commit().await.unwrap();
        let verdict = journal::verify(&db).await.unwrap();
        assert!(verdict.is_intact() && verdict.entries == 2_500);
        let entry = journal::entry(&db, 2_500).await.unwrap().unwrap();
        assert_eq!(entry.event, event(2_499));
    }

    async fn the_database_refuses_to_change_the_journal(db: Db) {
        write(&db, 1).await;
        for attempt in ["update store_journal set act = 'x'", "delete from store_journal"] {
            let tx = db.begin().await.unwrap();
            assert!(tx.conn().execute_unprepared(attempt).await.is_err(), "{attempt}");
        }
        if db.engine() == Engine::Postgres {
            let tx = db.begin().await.unwrap();
            assert!(tx.conn().execute_unprepared("truncate store_journal").await.is_err());
        }
    }

    async fn an_altered_entry_is_found(db: Db) {
        write(&db, 5).await;
        tamper(&db, &["update store_journal set subject_id = '8' where seq = 3"]).await;
        assert_eq!(faults(&db).await, [ChainFault::Altered { seq: 3 }]);
    }

    async fn every_field_of_an_entry_is_covered(db: Db) {
        write(&db, 1).await;
        let at = if db.engine() == Engine::Sqlite { "'2026-06-01T01:00:00.000001+00:00'" } else { "at + interval '1 microsecond'" };
        let nobody = if db.engine() == Engine::Sqlite { "zeroblob(16)" } else { "'00000000-0000-0000-0000-000000000000'" };
        tamper(&db, &[]).await;
        let changes = [
            ("at", at), ("officer", nobody), ("purpose", "'x'"), ("act", "'x'"), ("subject_kind", "'x'"),
            ("region", "null"), ("detail", "'null'"), ("previous", "'x'"), ("hash", "'x'"),
        ];
        for (column, value) in changes {
            let tx = db.begin().await.unwrap();
            tx.conn().execute_unprepared("create table kept as select * from store_journal").await.unwrap();
            tx.conn().execute_unprepared(&format!("update store_journal set {column} = {value}")).await.unwrap();
            tx.commit().await.unwrap();
            assert!(!faults(&db).await.is_empty(), "{column}");
            let tx = db.begin().await.unwrap();
            for statement in ["delete from store_journal", "insert into store_journal select * from kept", "drop table kept"] {
                tx.conn().execute_unprepared(statement).await.unwrap();
            }
            tx.commit().await.unwrap();
            assert_eq!(faults(&db).await, []);
        }
    }

    async fn a_removed_entry_is_found(db: Db) {
        write(&db, 5).await;
        tamper(&db, &["delete from store_journal where seq = 2"]).await;
        assert_eq!(
            faults(&db).await,
            [ChainFault::Missing { from: 2, to: 2 }, ChainFault::Broken { seq: 3 }]
        );
    }

    async fn an_inserted_entry_is_found(db: Db) {
        write(&db, 3).await;
        tamper(&db, &["insert into store_journal select 4, at, officer, purpose, act, subject_kind, subject_id, region, detail, previous, hash from store_journal where seq = 3"]).await;
        let found = faults(&db).await;
        assert!(found.contains(&ChainFault::Altered { seq: 4 }) && found.contains(&ChainFault::Broken { seq: 4 }), "{found:?}");
        let end = ChainFault::End { last: 4, head: 3 };
        assert!(found.contains(&end), "{found:?}");
    }

    async fn exchanged_entries_are_found(db: Db) {
        write(&db, 4).await;
        tamper(&db, &[
            "update store_journal set seq = 99 where seq = 2",
            "update store_journal set seq = 2 where seq = 3",
            "update store_journal set seq = 3 where seq = 99",
        ]).await;
        let found = faults(&db).await;
        for seq in [2, 3] {
            assert!(found.contains(&ChainFault::Altered { seq }), "{found:?}");
        }
    }

    async fn a_cut_tail_shows_against_the_exported_head(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        let heads = folder.join("heads");
        assert_eq!(journal::export_head(&db, &heads).await.unwrap(), None);
        write(&db, 3).await;
        journal::export_head(&db, &heads).await.unwrap();
        write(&db, 3).await;
        let exported = journal::export_head(&db, &heads).await.unwrap().unwrap();
        assert_eq!(exported.seq, 6);
        let verdict = journal::verify_against(&db, &heads).await.unwrap();
        assert!(verdict.is_intact() && verdict.heads_compared == 2);
        // The whole tail goes, and the head is put back as a careful forger would.
        tamper(&db, &[
            "delete from store_journal where seq > 4",
            "update store_journal_head set seq = 4, hash = (select hash from store_journal where seq = 4)",
        ]).await;
        assert_eq!(faults(&db).await, []);
        let verdict = journal::verify_against(&db, &heads).await.unwrap();
        assert_eq!(verdict.faults, [ChainFault::Cut { exported: 6, last: 4 }]);
        // And the forged journal goes on.
        write(&db, 3).await;
        let verdict = journal::verify_against(&db, &heads).await.unwrap();
        assert_eq!(verdict.faults, [ChainFault::Rewritten { seq: 6 }]);
    }

    async fn an_altered_heads_file_is_found_and_not_written_on(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        let heads = folder.join("heads");
        for _ in 0..3 {
            write(&db, 1).await;
            journal::export_head(&db, &heads).await.unwrap();
        }
        let text = std::fs::read_to_string(&heads).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (forged, line) in [
            (format!("{}\n{}\n", lines[0], lines[2]), 2),
            (text.replacen("3 ", "4 ", 1), 1),
            (format!("{}\n{}\n{}\n", lines[1], lines[0], lines[2]), 1),
        ] {
            if forged == text {
                continue;
            }
            std::fs::write(&heads, &forged).unwrap();
            let verdict = journal::verify_against(&db, &heads).await.unwrap();
            assert!(matches!(verdict.faults[..], [ChainFault::HeadsFile { line: found }] if found >= line), "{:?}", verdict.faults);
            assert!(journal::export_head(&db, &heads).await.is_err());
        }
    }

    async fn concurrent_writers_lose_no_commit_and_keep_the_chain(db: Db) {
        let mut tasks = Vec::new();
        for task in 0..8_usize {
            let db = db.clone();
            tasks.push(tokio::spawn(async move {
                for round in 0..50 {
                    let mut tx = db.begin().await.unwrap();
                    tx.note(event(task * 100 + round));
                    tx.commit().await.unwrap();
                }
            }));
        }
        // Readers go on meanwhile.
        for _ in 0..20 {
            assert!(journal::verify(&db).await.unwrap().is_intact());
        }
        for task in tasks {
            task.await.unwrap();
        }
        let verdict = journal::verify(&db).await.unwrap();
        assert!(verdict.is_intact(), "{:?}", verdict.faults);
        assert_eq!(verdict.entries, 400);
        let page = journal::page(&db, &Filter::default(), 0, 1_000).await.unwrap();
        let written: BTreeSet<String> = page.rows.into_iter().map(|entry| entry.event.subject_id).collect();
        assert_eq!(written.len(), 400);
    }

    async fn the_auditors_page_is_filtered_and_newest_first(db: Db, clock: Arc<TestClock>) {
        write(&db, 30).await;
        clock.advance(chrono::Duration::hours(1));
        let mut tx = db.begin().await.unwrap();
        tx.note(Event::by_system("ledger.release", "payrun", "7"));
        tx.note(Event { act: "casework.decide".to_owned(), region: Some("440306002".parse().unwrap()), ..event(1) });
        tx.commit().await.unwrap();
        let seqs = async |filter: Filter| -> (Vec<i64>, u64) {
            let page = journal::page(&db, &filter, 0, 3).await.unwrap();
            (page.rows.iter().map(|entry| entry.seq).collect(), page.total)
        };
        assert_eq!(seqs(Filter::default()).await, (vec![32, 31, 30], 32));
        let by = |act: &str| Filter { act: Some(act.to_owned()), ..Filter::default() };
        assert_eq!(seqs(by("casework.")).await, (vec![32, 30, 29], 31));
        assert_eq!(seqs(by("casework.decide")).await, (vec![32], 1));
        assert_eq!(seqs(by("case")).await, (vec![], 0));
        assert_eq!(seqs(Filter { from: Some(db.now()), ..Filter::default() }).await, (vec![32, 31], 2));
        assert_eq!(seqs(Filter { until: Some(db.now()), ..Filter::default() }).await.1, 30);
        assert_eq!(seqs(Filter { region: Some("440306".parse().unwrap()), ..Filter::default() }).await.1, 31);
        assert_eq!(seqs(Filter { region: Some("440306002".parse().unwrap()), ..Filter::default() }).await.0, [32]);
        assert_eq!(seqs(Filter { by: Some(OfficerId(uuid::Uuid::nil())), ..Filter::default() }).await.0, [31]);
        let subject = Filter { subject_kind: Some("case".to_owned()), subject_id: Some("1".to_owned()), ..Filter::default() };
        assert_eq!(seqs(subject).await.0, [32, 2]);
    }

    async fn a_transaction_without_events_leaves_the_journal_alone(db: Db) {
        let tx = db.begin().await.unwrap();
        tx.conn()
            .execute_raw(Statement::from_string(tx.conn().get_database_backend(), "insert into store_setting (name, value) values ('a', 'b')"))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(journal::head(&db).await.unwrap(), None);
    }
}
