//! Work of the queue (任务执行): a claimed job with its heartbeat, and what is reported at its end.
//!
//! Guarantees: progress is written every two seconds, which keeps the lease; a job that was cancelled or taken over stops
//! at its next await. Deliberately absent: what the work is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::Db;
use store::queue::{self, Job, Lease};

/// How long a job may be silent before another machine may take it over.
const LEASE: chrono::Duration = chrono::Duration::minutes(2);
/// How often progress is written.
pub(crate) const EVERY: Duration = Duration::from_secs(2);

/// How far the work is (进度), told by the work and read by the heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Told {
    done: AtomicU64,
    total: AtomicU64,
}

impl Told {
    /// So much is done of so much.
    pub(crate) fn at(&self, done: u64, total: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }
}

/// Works while the heart beats; `None` when the job was cancelled or taken over: the portion in hand is rolled back, what was
/// written before stays.
pub(crate) async fn beating<T>(
    db: &Db,
    lease: &mut Lease,
    told: &Told,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<Option<anyhow::Result<T>>> {
    let heartbeat = async {
        loop {
            tokio::time::sleep(EVERY).await;
            let done = told.done.load(Ordering::Relaxed);
            let total = told.total.load(Ordering::Relaxed);
            if queue::progress(db, lease, done, total).await?.is_err() {
                return Ok::<(), anyhow::Error>(());
            }
        }
    };
    tokio::select! {
        outcome = work => Ok(Some(outcome)),
        ended = heartbeat => ended.map(|()| None),
    }
}

/// Does the waiting job of a kind (办理等待的任务), if there is one; `None` when there is none, or it was cancelled. `note` is what
/// the queue says of one that failed.
pub(crate) async fn once<T>(
    db: &Db,
    worker: &str,
    (kind, note): (&str, &str),
    work: impl AsyncFnOnce(Job, Arc<Told>) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    once_within(db, worker, (kind, note), LEASE, work).await
}

/// The same with a lease of its own (自定租约): how long a machine may be silent before another takes over.
pub(crate) async fn once_within<T>(
    db: &Db,
    worker: &str,
    (kind, note): (&str, &str),
    lease: chrono::Duration,
    work: impl AsyncFnOnce(Job, Arc<Told>) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let Some(mut lease) = queue::claim(db, worker, &[kind], lease).await? else {
        return Ok(None);
    };
    let told = Arc::new(Told::default());
    let work = work(lease.job.clone(), Arc::clone(&told));
    let Some(outcome) = beating(db, &mut lease, &told, work).await? else {
        tracing::info!(kind, "a job was cancelled");
        return Ok(None);
    };
    let failed = outcome.is_err().then_some(note);
    report(db, &lease, failed).await?;
    outcome
}

/// Reports the end of the work, with a note if it failed.
pub(crate) async fn report(db: &Db, lease: &Lease, failed: Option<&str>) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    let kept = match failed {
        None => queue::done(&tx, lease).await?,
        Some(note) => queue::failed(&tx, lease, note).await?.map(drop),
    };
    // Somebody else took over meanwhile and reports for himself; what was done is done, and does not double.
    match kept {
        Ok(()) => tx.commit().await,
        Err(_) => tx.rollback().await,
    }
}
