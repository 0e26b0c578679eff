//! The job queue and the outbox on both databases: leases, fencing, retries.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it stands"
)]

use chrono::Duration;
use std::sync::Arc;
use store::outbox::{self, NewMessage};
use store::queue::{self, AfterFailure, Filter, Lease, LostLease, State};
use store::{Db, NewJob, TestClock};

async fn enqueue(db: &Db, job: NewJob) -> vocab::ids::JobId {
    let mut tx = db.begin().await.unwrap();
    let id = tx.enqueue(job).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn a_job() -> NewJob {
    NewJob::new("ledger.propose", serde_json::json!({ "month": "2026-06" }))
}

async fn claim(db: &Db, worker: &str) -> Option<Lease> {
    queue::claim(db, worker, &["ledger.propose"], Duration::minutes(1))
        .await
        .unwrap()
}

async fn finish(db: &Db, lease: &Lease) -> Result<(), LostLease> {
    let tx = db.begin().await.unwrap();
    let outcome = queue::done(&tx, lease).await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

async fn fail(db: &Db, lease: &Lease) -> Result<AfterFailure, LostLease> {
    let tx = db.begin().await.unwrap();
    let outcome = queue::failed(&tx, lease, "银行接口无响应").await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

fixtures::db_tests! {
    migrations = store::migrations();

    async fn a_job_is_claimed_once_and_finished(db: Db) {
        let id = enqueue(&db, a_job()).await;
        let lease = claim(&db, "one").await.unwrap();
        assert_eq!((lease.job.id, &lease.job.payload), (id, &a_job().payload));
        assert_eq!(claim(&db, "two").await, None);
        finish(&db, &lease).await.unwrap();
        let job = queue::job(&db, id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (State::Done, 1));
        assert_eq!(claim(&db, "two").await, None);
    }

    async fn a_job_of_a_transaction_that_was_rolled_back_never_existed(db: Db) {
        let mut tx = db.begin().await.unwrap();
        tx.enqueue(a_job()).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(claim(&db, "one").await, None);
    }

    async fn other_kinds_and_later_jobs_are_left_alone(db: Db, clock: Arc<TestClock>) {
        enqueue(&db, NewJob::new("batch.sweep", serde_json::Value::Null)).await;
        enqueue(&db, a_job().after(db.now() + Duration::hours(1))).await;
        assert_eq!(claim(&db, "one").await, None);
        clock.advance(Duration::hours(1));
        assert!(claim(&db, "one").await.is_some());
    }

    async fn a_worker_that_was_paused_past_its_lease_is_refused(db: Db, clock: Arc<TestClock>) {
        let id = enqueue(&db, a_job()).await;
        let mut paused = claim(&db, "paused").await.unwrap();
        clock.advance(Duration::minutes(1));
        let quick = claim(&db, "quick").await.unwrap();
        assert_eq!(quick.job.id, id);
        assert!(quick.fence > paused.fence);
        // The paused worker wakes up: nothing it tries may take effect.
        assert_eq!(queue::progress(&db, &mut paused, 1, 2).await.unwrap(), Err(LostLease));
        let tx = db.begin().await.unwrap();
        assert_eq!(queue::guard(&tx, &paused).await.unwrap(), Err(LostLease));
        tx.rollback().await.unwrap();
        assert_eq!(fail(&db, &paused).await, Err(LostLease));
        assert_eq!(finish(&db, &paused).await, Err(LostLease));
        assert_eq!(finish(&db, &quick).await, Ok(()));
        assert_eq!(finish(&db, &quick).await, Err(LostLease));
    }

    async fn progress_keeps_the_lease_alive_and_tells_the_rest(db: Db, clock: Arc<TestClock>) {
        enqueue(&db, a_job()).await;
        let mut lease = claim(&db, "one").await.unwrap();
        clock.advance(Duration::seconds(40));
        queue::progress(&db, &mut lease, 1, 4).await.unwrap().unwrap();
        let job = queue::job(&db, lease.job.id).await.unwrap().unwrap();
        assert_eq!((job.done, job.total), (1, Some(4)));
        assert_eq!(job.remaining(db.now()), Some(Duration::seconds(120)));
        clock.advance(Duration::seconds(40));
        assert_eq!(claim(&db, "two").await, None);
        finish(&db, &lease).await.unwrap();
    }

    async fn failures_wait_longer_each_time_and_end_with_a_dead_job(db: Db, clock: Arc<TestClock>) {
        let id = enqueue(&db, NewJob { attempts_max: 3, ..a_job() }).await;
        let mut waits = Vec::new();
        let last = loop {
            let lease = claim(&db, "one").await.unwrap();
            match fail(&db, &lease).await.unwrap() {
                AfterFailure::Again(at) => {
                    waits.push((at - db.now()).num_seconds());
                    clock.set(at - Duration::seconds(1));
                    assert_eq!(claim(&db, "one").await, None);
                    clock.set(at);
                }
                AfterFailure::Dead => break queue::job(&db, id).await.unwrap().unwrap(),
            }
        };
        assert_eq!(waits, [15, 30]);
        assert_eq!((last.state, last.note.as_deref()), (State::Dead, Some("银行接口无响应")));
        clock.advance(Duration::days(1));
        assert_eq!(claim(&db, "one").await, None);
        let tx = db.begin().await.unwrap();
        assert!(queue::retry(&tx, id).await.unwrap());
        tx.commit().await.unwrap();
        let again = claim(&db, "one").await.unwrap();
        assert_eq!((again.job.attempts, again.fence), (1, 4));
    }

    async fn a_job_that_kills_its_workers_becomes_dead(db: Db, clock: Arc<TestClock>) {
        let id = enqueue(&db, NewJob { attempts_max: 2, ..a_job() }).await;
        for _ in 0..2 {
            assert!(claim(&db, "doomed").await.is_some());
            clock.advance(Duration::minutes(2));
        }
        assert_eq!(claim(&db, "doomed").await, None);
        assert_eq!(queue::job(&db, id).await.unwrap().unwrap().state, State::Dead);
    }

    async fn a_unique_key_allows_one_unfinished_job(db: Db) {
        let first = enqueue(&db, a_job().unique("2026-06")).await;
        assert_eq!(enqueue(&db, a_job().unique("2026-06")).await, first);
        let lease = claim(&db, "one").await.unwrap();
        assert_eq!(enqueue(&db, a_job().unique("2026-06")).await, first);
        finish(&db, &lease).await.unwrap();
        assert_ne!(enqueue(&db, a_job().unique("2026-06")).await, first);
        assert_ne!(enqueue(&db, a_job().unique("2026-07")).await, first);
    }

    async fn a_cancelled_job_stops_its_worker(db: Db) {
        let id = enqueue(&db, a_job()).await;
        let lease = claim(&db, "one").await.unwrap();
        let tx = db.begin().await.unwrap();
        assert!(queue::cancel(&tx, id).await.unwrap());
        assert!(!queue::cancel(&tx, id).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(finish(&db, &lease).await, Err(LostLease));
    }

    async fn many_workers_never_share_a_job(db: Db) {
        for _ in 0..40 {
            enqueue(&db, a_job()).await;
        }
        let workers: Vec<_> = (0..6)
            .map(|number| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while let Some(lease) = claim(&db, &number.to_string()).await {
                        taken.push(lease.job.id);
                        finish(&db, &lease).await.unwrap();
                    }
                    taken
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        let claims = all.len();
        all.sort();
        all.dedup();
        assert_eq!((claims, all.len()), (40, 40));
        let filter = Filter { states: vec![State::Done], kinds: vec!["ledger.propose".to_owned()] };
        assert_eq!(queue::list(&db, &filter, 30, 20).await.unwrap().rows.len(), 10);
    }

    async fn a_message_is_sealed_and_delivered_through_the_queue(db: Db) {
        use sea_orm::{ConnectionTrait, Statement};
        let mut tx = db.begin().await.unwrap();
        let id = outbox::post(&mut tx, NewMessage {
            channel: "sms".to_owned(),
            recipient: "13800000000".to_owned(),
            body: serde_json::json!({ "template": "accepted" }),
            subject_kind: "case".to_owned(),
            subject_id: "1".to_owned(),
            not_before: None,
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let row = db
            .conn()
            .query_one_raw(Statement::from_string(db.conn().get_database_backend(), "select recipient from store_message"))
            .await
            .unwrap()
            .unwrap();
        let stored: Vec<u8> = row.try_get("", "recipient").unwrap();
        assert!(!String::from_utf8_lossy(&stored).contains("138"));
        let lease = queue::claim(&db, "sender", &[&outbox::job_kind("sms")], Duration::minutes(1)).await.unwrap().unwrap();
        let message = outbox::message_of(&db, &lease).await.unwrap();
        assert_eq!((message.id, message.recipient.as_str()), (id, "13800000000"));
        let tx = db.begin().await.unwrap();
        outbox::sent(&tx, &lease, "200").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let listed = outbox::list(&db, Some(("case", "1")), 0, 10).await.unwrap();
        assert!(listed.rows[0].sent && listed.total == 1);
    }

    async fn a_message_put_off_waits_for_its_hour_and_loses_no_attempt(db: Db, clock: Arc<TestClock>) {
        let morning = db.now() + Duration::hours(11);
        let mut tx = db.begin().await.unwrap();
        outbox::post(&mut tx, NewMessage {
            channel: "sms".to_owned(),
            recipient: "1".to_owned(),
            body: serde_json::Value::Null,
            subject_kind: "case".to_owned(),
            subject_id: "1".to_owned(),
            not_before: Some(db.now() + Duration::hours(1)),
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let kind = outbox::job_kind("sms");
        let take = || async { queue::claim(&db, "sender", &[&kind], Duration::minutes(1)).await.unwrap() };
        assert_eq!(take().await, None, "not before its hour");
        clock.advance(Duration::hours(1));
        let lease = take().await.unwrap();
        assert_eq!((lease.job.attempts, lease.job.attempts_max), (1, 10));
        let tx = db.begin().await.unwrap();
        queue::put_off(&tx, &lease, morning).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        clock.advance(Duration::hours(9));
        assert_eq!(take().await, None, "put off until the morning");
        clock.advance(Duration::hours(1));
        let again = take().await.unwrap();
        assert_eq!(again.job.attempts, 1, "waiting is no attempt");
        let tx = db.begin().await.unwrap();
        assert_eq!(queue::put_off(&tx, &lease, morning).await.unwrap(), Err(LostLease), "the older lease writes nothing");
        outbox::given_up(&tx, &again, "空号").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let listed = outbox::list(&db, Some(("case", "1")), 0, 10).await.unwrap();
        assert!(!listed.rows[0].sent);
        assert_eq!(listed.rows[0].note.as_deref(), Some("空号"));
    }
}
