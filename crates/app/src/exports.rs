//! Making the files officers asked for (制作导出文件) for as long as the server runs.
//!
//! Guarantees: each is made by one machine at a time; a machine that was killed is followed by another, or by itself after its
//! next start, within half a minute, and nothing half is handed out. Deliberately absent: what stands in the files; that is
//! `web::exports`.

use crate::job::{self, EVERY};
use access::export::JOB;
use anyhow::Context;
use chrono::Duration;
use uuid::Uuid;
use web::App;

/// How long a machine may be silent: somebody is waiting for the file.
const LEASE: Duration = Duration::seconds(20);

/// Makes the file that has waited longest, if there is one; `None` when there is none, or it was cancelled.
pub(crate) async fn once(app: &App, worker: &str) -> anyhow::Result<Option<()>> {
    let note = (JOB, "生成失败，原因见日志 (see the log)");
    job::once_within(&app.db, worker, note, LEASE, async |job, told| {
        let id: Uuid = serde_json::from_value(job.payload["export"].clone())
            .context("what a job of exports is for")?;
        let tell = |done: u64, total: u64| told.at(done, total);
        web::exports::make(app, id, job.attempts, &tell).await?;
        Ok(Some(()))
    })
    .await
}

/// Looks for files to be made, one after another.
pub(crate) async fn watch(app: App) {
    loop {
        match once(&app, "huimin serve").await {
            // The next one may be waiting.
            Ok(Some(())) => continue,
            Ok(None) => {}
            Err(fault) => tracing::error!("making an export failed: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
