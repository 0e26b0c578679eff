//! Re-checking everybody in payment as a job (在发对象持续核对任务): after each delivery with what it says, every night with all.
//!
//! Guarantees: one at a time, claimed by one machine; cancelled, nothing was written and the next run begins anew. Deliberately
//! absent: what is compared; that is `verify::alert`.

use crate::job::{EVERY, Told, beating, report};
use crate::sweep::workers;
use access::{Purpose, Scope};
use casework::Desk;
use casework::rulebook::Shelf;
use chrono::Duration;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, NewJob, queue};
use verify::AtHand;
use verify::alert::run::{JOB, KEY, outstanding};
use verify::alert::{Asking, Ran, run};

/// How long the job may be silent before another machine may take it over.
const LEASE: Duration = Duration::minutes(2);

/// Puts the job into the queue, unless one is waiting; with `only`, for these sources.
pub(crate) async fn ask(db: &Db, only: Option<&BTreeSet<String>>) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.enqueue(NewJob::new(JOB, json!({ "only": only })).unique(KEY))
        .await?;
    tx.commit().await
}

/// Does the waiting job, if there is one; `None` when there is none, or it was cancelled.
pub(crate) async fn once(
    db: &Db,
    desk: &Desk,
    at_hand: &AtHand,
    worker: &str,
) -> anyhow::Result<Option<Ran>> {
    let Some(mut lease) = queue::claim(db, worker, &[JOB], LEASE).await? else {
        return Ok(None);
    };
    let scope = Scope {
        purpose: Purpose::Review,
        ..Scope::system(desk.book.place().division)
    };
    let only: Option<BTreeSet<String>> =
        serde_json::from_value(lease.job.payload["only"].clone()).unwrap_or_default();
    let (told, stop) = (Told::default(), AtomicBool::new(false));
    let tell = |done: u64, total: u64| told.at(done, total);
    let asking = Asking {
        db,
        scope: &scope,
        book: &desk.book,
        calendar: &desk.calendar,
        at_hand,
        workers: workers(None),
    };
    let work = run(&asking, only.as_ref(), &stop, &tell);
    let Some(outcome) = beating(db, &mut lease, &told, work).await? else {
        tracing::info!("the re-check was cancelled");
        return Ok(None);
    };
    let failed = outcome
        .is_err()
        .then_some("核对失败，原因见日志 (see the log)");
    report(db, &lease, failed).await?;
    outcome
}

/// Looks for deliveries nobody has compared, and for the job, for as long as the server runs.
pub(crate) async fn watch(db: Db, shelf: Arc<Shelf>, at_hand: Arc<AtHand>) {
    loop {
        let desk = Arc::clone(&shelf.now().desk);
        match look(&db, &desk, &at_hand).await {
            Ok(Some(ran)) => tracing::info!(
                people = ran.people,
                new = ran.held.new,
                settled = ran.settled,
                "everybody in payment was compared"
            ),
            Ok(None) => {}
            Err(fault) => tracing::error!("comparing those in payment failed: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(db: &Db, desk: &Desk, at_hand: &Arc<AtHand>) -> anyhow::Result<Option<Ran>> {
    let new = outstanding(db, &desk.book, at_hand).await?;
    if !new.is_empty() {
        ask(db, Some(&new)).await?;
    }
    once(db, desk, at_hand, "huimin serve").await
}
