//! `huimin audit` (核对一年的账): does the money of a year add up, and does each fen quote its decision?
//!
//! Guarantees: reads only; every check is printed with its count, also the ones that pass.
//! Deliberately absent: mending. Corrections are new transfers, made by officers.

use crate::settings::Data;
use crate::terminal::say;
use access::Scope;
use anyhow::bail;
use clap::Args;
use vocab::Region;

/// Which year (哪一年).
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    data: Data,
    /// The year, e.g. 2026 (年份).
    year: i32,
    /// Only this place; the whole database if not given (地区).
    #[arg(long, default_value = "000000")]
    region: Region,
}

impl Audit {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        let report = ledger::audit(&db, &Scope::system(self.region), self.year).await?;
        say(&format!("{} 年", report.year));
        for (what, count) in [
            ("发放批次 runs", report.runs),
            ("发放明细 lines", report.lines),
            ("领取登记 claims", report.claims),
            ("记账分录 transfers", report.transfers),
            ("日志条目 journal entries", report.journal_entries),
        ] {
            say(&format!("  {what}: {count}"));
        }
        for (what, amount) in [
            ("放款 released", report.released),
            ("多发 overpaid", report.overpaid),
            ("已追回 recovered", report.recovered),
        ] {
            say(&format!("  {what}: {amount} 元"));
        }
        for finding in &report.findings {
            say(&format!(
                "  ✗ {}：{} 处 {}",
                finding.check.name_zh(),
                finding.count,
                finding.examples.join(" ")
            ));
        }
        db.close().await?;
        if report.is_clean() {
            say("合计为零，每笔都有决定，没有重复领取，日志链完整 (sound)");
            return Ok(());
        }
        bail!(
            "{} 年的账有问题，见上 (the year does not add up, see above)",
            self.year
        )
    }
}
