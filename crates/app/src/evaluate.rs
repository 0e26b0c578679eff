//! `huimin evaluate` (计算一户): the rule book on one household in a file, without a database.
//!
//! Guarantees: the same file, pack and date give the same bytes. Deliberately absent: storing anything.

use crate::settings::{load_book, place_of_folder};
use crate::terminal::say;
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use policy::Ask;
use std::path::PathBuf;
use vocab::Region;

/// What to evaluate (计算什么).
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// The folder of the place's pack, e.g. `packs/sample` (规则包).
    #[arg(long)]
    pack: PathBuf,
    /// The day decided about (基准日).
    #[arg(long)]
    as_of: NaiveDate,
    /// Only what was known by then, e.g. `2026-06-01T00:00:00Z` (当时已知).
    #[arg(long)]
    known_at: Option<DateTime<Utc>>,
    /// Where the household is served; the pack's own division if not given (区划).
    #[arg(long)]
    region: Option<Region>,
    /// Only these programmes.
    #[arg(long)]
    programme: Vec<String>,
    /// A file with `{"household": {…}, "members": [{…}]}`; `-` reads standard input.
    file: PathBuf,
}

impl Evaluate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let text = if self.file.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
                .context("读取标准输入 (reading standard input)")?
        } else {
            std::fs::read_to_string(&self.file)
                .with_context(|| format!("读取 {} (reading the household)", self.file.display()))?
        };
        let (packs, place) = place_of_folder(&self.pack)?;
        let book = load_book(&packs, &place)?;
        let json = serde_json::from_str(&text)
            .with_context(|| format!("{} 不是 JSON (not JSON)", self.file.display()))?;
        let sheet = match policy::sheet::from_json(&json) {
            Ok(sheet) => sheet,
            Err(faults) => bail!("{}", faults.join("\n")),
        };
        if let Some(unknown) = self
            .programme
            .iter()
            .find(|id| book.programme(id).is_none())
        {
            bail!("{place} 没有事项 {unknown} (no such programme)");
        }
        let ask = Ask {
            as_of: self.as_of,
            known_at: self.known_at,
            region: self.region,
            programmes: (!self.programme.is_empty()).then_some(self.programme),
        };
        let lines: Vec<String> = book
            .evaluate(&sheet, &ask)
            .iter()
            .map(policy::Determination::to_canonical_json)
            .collect();
        // A list with one determination a line: valid JSON, and a difference shows which programme changed.
        say(&format!(
            "{{\"determinations\":[\n{}\n]}}",
            lines.join(",\n")
        ));
        Ok(())
    }
}
