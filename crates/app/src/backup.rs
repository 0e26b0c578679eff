//! `huimin backup` and `huimin restore` (备份与恢复).
//!
//! Guarantees: a backup is a consistent moment, proved whole before it is used; a restore goes only into an empty
//! database. Deliberately absent: the key file. It is copied by hand, to another place than the data.

use crate::settings::Data;
use crate::terminal::say;
use anyhow::bail;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use store::SystemClock;

/// Copy everything (备份).
#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    data: Data,
    /// A folder that does not exist yet (备份文件夹).
    to: PathBuf,
}

/// Bring a copy back (恢复).
#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    data: Data,
    /// The folder a backup was made in.
    from: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        let manifest = store::backup::backup(&db, &self.to).await?;
        db.close().await?;
        say(&format!(
            "已备份到 {}：{} 个分卷，日志到第 {} 条 (made). 密钥文件 {} 请另行保存 (keep the key file elsewhere)",
            self.to.display(),
            manifest.parts.len(),
            manifest.journal_head.map_or(0, |head| head.seq),
            self.data.keys.display()
        ));
        Ok(())
    }
}

impl Restore {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let into = self.data.how_to_open(Arc::new(SystemClock), None)?;
        let db = match store::backup::restore(&self.from, into).await? {
            Ok(db) => db,
            Err(refused) => bail!("{refused}"),
        };
        // A copy that does not verify is found out now, not on the day it is needed.
        crate::journal::verify(&db, None).await?;
        db.close().await?;
        say(&format!("已恢复到 {} (restored)", self.data.shown()));
        Ok(())
    }
}
