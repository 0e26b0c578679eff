//! `huimin journal-verify` (核对日志链): does every entry still carry the one before it?
//!
//! Guarantees: reads only; with heads kept elsewhere it also finds a cut tail and a rewritten journal.
//! Deliberately absent: repair. A broken chain is evidence and is left as it is.

use crate::settings::Data;
use crate::terminal::say;
use anyhow::bail;
use clap::Args;
use std::path::PathBuf;
use store::Db;

/// Verify the journal (核对日志).
#[derive(Debug, Args)]
pub(crate) struct JournalVerify {
    #[command(flatten)]
    data: Data,
    /// A file of exported heads, kept where the database's owner cannot write (链头存证文件).
    #[arg(long)]
    heads: Option<PathBuf>,
    /// If the chain is whole, add its present head to the heads file (追加链头).
    #[arg(long, requires = "heads")]
    export: bool,
}

impl JournalVerify {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        verify(&db, self.heads.as_ref()).await?;
        if let (true, Some(heads)) = (self.export, &self.heads)
            && let Some(head) = store::journal::export_head(&db, heads).await?
        {
            say(&format!(
                "链头已写入 {}：第 {} 条 {} (exported)",
                heads.display(),
                head.seq,
                head.hash
            ));
        }
        db.close().await
    }
}

/// Verify and print; a broken chain ends the command.
pub(crate) async fn verify(db: &Db, heads: Option<&PathBuf>) -> anyhow::Result<()> {
    let verdict = match heads {
        Some(heads) => store::journal::verify_against(db, heads).await?,
        None => store::journal::verify(db).await?,
    };
    say(&format!(
        "日志 {} 条，比对链头 {} 个 (entries, heads compared)",
        verdict.entries, verdict.heads_compared
    ));
    if verdict.is_intact() {
        say("日志链完整 (the chain is whole)");
        return Ok(());
    }
    for fault in &verdict.faults {
        say(&fault.to_string());
    }
    bail!(
        "日志链不完整：请保留现场，与外部保存的链头核对 (the chain is broken: keep everything as it is)"
    )
}
