//! The nightly sweep as a job (夜间比对任务): asked for at the desk, or by the day's work; done by whoever serves.
//!
//! Guarantees: one at a time, claimed by one machine; its progress stands in the queue; cancelled, it stops within seconds,
//! and the next run goes on from there. Deliberately absent: what the work is; that is [`batch::night`].

use crate::sweep::workers;
use batch::night::{JOB, KEY, Ran};
use casework::Desk;
use casework::rulebook::Shelf;
use chrono::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{Db, NewJob, queue};

/// How long the job may be silent before another machine may take it over.
const LEASE: Duration = Duration::minutes(2);
/// How often progress is written, and how often a server looks for work.
const EVERY: std::time::Duration = std::time::Duration::from_secs(2);

/// Puts the job into the queue, unless one is waiting.
pub(crate) async fn ask(db: &Db) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.enqueue(NewJob::new(JOB, serde_json::json!({})).unique(KEY))
        .await?;
    tx.commit().await
}

/// Does the waiting job, if there is one; `None` when there is none, or it was cancelled.
pub(crate) async fn once(
    db: &Db,
    desk: &Desk,
    base: &Path,
    worker: &str,
) -> anyhow::Result<Option<Ran>> {
    let Some(mut lease) = queue::claim(db, worker, &[JOB], LEASE).await? else {
        return Ok(None);
    };
    let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    let told = |at: u64, of: u64| {
        done.store(at, Ordering::Relaxed);
        total.store(of, Ordering::Relaxed);
    };
    let work = batch::night::run(db, desk, base, (workers(None), &stop), &told);
    let heartbeat = async {
        loop {
            tokio::time::sleep(EVERY).await;
            let (done, total) = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
            let told = queue::progress(db, &mut lease, done, total).await?;
            if told.is_err() {
                return Ok::<(), anyhow::Error>(());
            }
        }
    };
    // Cancelled in the middle: the portion in hand is rolled back, what was written stays and is taken over.
    let outcome = tokio::select! {
        outcome = work => outcome,
        ended = heartbeat => {
            ended?;
            tracing::info!("the sweep was cancelled");
            return Ok(None);
        }
    };
    let tx = db.begin().await?;
    let kept = match &outcome {
        Ok(_) => queue::done(&tx, &lease).await?,
        Err(_) => queue::failed(&tx, &lease, "比对失败，原因见日志 (see the log)")
            .await?
            .map(drop),
    };
    if kept.is_ok() {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    outcome
}

/// Looks for the job for as long as the server runs.
pub(crate) async fn watch(db: Db, shelf: Arc<Shelf>, base: PathBuf) {
    loop {
        let desk = Arc::clone(&shelf.now().desk);
        match once(&db, &desk, &base, "huimin serve").await {
            Ok(Some(ran)) => tracing::info!(
                households = ran.manifest.households,
                new = ran.taken.new,
                settled = ran.taken.settled,
                "everybody was swept"
            ),
            Ok(None) => {}
            Err(fault) => tracing::error!("the sweep failed: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
