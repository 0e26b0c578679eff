//! `huimin snapshot` (生成快照): the register on a day, without names, as a folder that sweeps and simulations read.
//!
//! Guarantees: reads the database only; an interrupted run leaves no manifest that would count. Deliberately absent: what
//! is written, which is `batch`'s, and what may leave the register, which is `registry`'s.

use crate::settings::{Data, Rules};
use crate::terminal::say;
use batch::{Folder, Snapshot};
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;

/// What to take a snapshot of (快照范围).
#[derive(Debug, Args)]
pub(crate) struct TakeSnapshot {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    rules: Rules,
    /// Where to write it: a folder, or `s3://bucket/prefix` (写到哪里).
    #[arg(long)]
    out: String,
    /// The day it shows; today if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
    /// As known at this moment, e.g. 2026-06-01T00:00:00Z; everything known now if not given (截至何时所知).
    #[arg(long)]
    known_at: Option<DateTime<Utc>>,
    /// Only add what changed since the snapshot already there (增量).
    #[arg(long, conflicts_with = "known_at")]
    since: bool,
}

impl TakeSnapshot {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        let shelf = self.rules.look(&self.data, &db).await?;
        let edition = shelf.now();
        let folder = Folder::open(&self.out)?;
        let snapshot = Snapshot {
            desk: &edition.desk,
            as_of: self.as_of.unwrap_or_else(|| db.today()),
            known_at: self.known_at,
            part: None,
        };
        let mut told = |households: u64| tracing::info!(households, "written");
        let manifest = if self.since {
            snapshot.later(&db, &folder, &mut told).await?
        } else {
            snapshot.whole(&db, &folder, &mut told).await?
        };
        say(&format!(
            "{} {} 户 {} 人，{} 块，日志到第 {} 条 (households, people, parts, journal)",
            manifest.as_of,
            manifest.households,
            manifest.people,
            manifest.parts.len(),
            manifest.journal
        ));
        db.close().await
    }
}
