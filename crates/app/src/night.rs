//! The nightly sweep as a job (夜间比对任务): asked for at the desk, or by the day's work; done by whoever serves.
//!
//! Guarantees: one at a time, claimed by one machine; its progress stands in the queue; cancelled, it stops within seconds,
//! and the next run goes on from there. Deliberately absent: what the work is; that is [`batch::night`].

use crate::job::{self, EVERY};
use crate::sweep::workers;
use batch::night::{JOB, KEY, Ran};
use casework::Desk;
use casework::rulebook::Shelf;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, NewJob};

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
    let note = (JOB, "比对失败，原因见日志 (see the log)");
    job::once(db, worker, note, async |_, told| {
        let never = AtomicBool::new(false);
        let tell = |done: u64, total: u64| told.at(done, total);
        batch::night::run(db, desk, base, (workers(None), &never), &tell).await
    })
    .await
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
