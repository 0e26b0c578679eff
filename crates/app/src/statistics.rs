//! `huimin statistics` (统计): follows the journal to its end; counts everything anew; compares the two.
//!
//! A server follows by itself, every few seconds; the command is for looking after the numbers. Guarantees: comparing
//! changes nothing but what following changes, says where they differ, and ends with 1 if they do. Deliberately absent:
//! showing the numbers; the page does.

use crate::settings::Data;
use crate::terminal::say;
use anyhow::bail;
use batch::statistics;
use clap::Args;
use store::Db;

/// How often a server follows the journal.
const EVERY: std::time::Duration = std::time::Duration::from_secs(10);
/// So many differences are printed.
const PRINTED: usize = 20;

/// What to do with the numbers (统计).
#[derive(Debug, Args)]
pub(crate) struct Statistics {
    #[command(flatten)]
    data: Data,
    /// Forget the numbers and count everything anew (全部重算).
    #[arg(long, conflicts_with = "check")]
    rebuild: bool,
    /// Compare with a full recount (与全部重算核对).
    #[arg(long)]
    check: bool,
}

impl Statistics {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        if self.rebuild {
            statistics::rebuild(&db).await?;
            say("已全部重算 (counted anew)");
        }
        let kept = statistics::keep_up(&db).await?;
        say(&format!(
            "统计到日志第 {} 条，这次跟进 {} 条 (followed up to entry {})",
            kept.seq, kept.entries, kept.seq
        ));
        let odd = if self.check {
            statistics::check(&db).await?
        } else {
            Vec::new()
        };
        for one in odd.iter().take(PRINTED) {
            let cell = &one.cell;
            say(&format!(
                "  ✗ {} {} {} {} {}{}：累计 {} 件 {} 人 {} 分，重算 {} 件 {} 人 {} 分",
                cell.measure.word(),
                cell.month,
                cell.region,
                cell.programme,
                cell.grouping.word(),
                cell.value,
                one.kept.count,
                one.kept.persons,
                one.kept.fen,
                one.counted.count,
                one.counted.persons,
                one.counted.fen,
            ));
        }
        db.close().await?;
        if !odd.is_empty() {
            bail!(
                "{} 个统计数与重算不一致，可用 --rebuild 重算 (numbers differ from the recount)",
                odd.len()
            );
        }
        if self.check {
            say("统计数与重算一致 (all agree)");
        }
        Ok(())
    }
}

/// Follows the journal every few seconds, for as long as the server runs.
pub(crate) async fn follow(db: Db) {
    loop {
        match statistics::keep_up(&db).await {
            Ok(kept) if kept.anew => tracing::info!("the statistics were counted anew"),
            Ok(_) => {}
            Err(fault) => tracing::error!("the statistics could not follow the journal: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
