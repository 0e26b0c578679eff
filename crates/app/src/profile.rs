//! `huimin profile` (耗时剖析): what each variable of the rule book costs when a population is decided, as a page in Markdown.
//!
//! Guarantees: one thread, the machine of sweep and simulation. Deliberately absent: people; the page names rules only.

use crate::settings::load_book;
use crate::terminal::say;
use batch::profile::{Profile, profile};
use batch::{Folder, Manifest};
use chrono::NaiveDate;
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

/// What to decide (剖析什么).
#[derive(Debug, Args)]
pub(crate) struct ProfileRules {
    /// The snapshot: a folder, or `s3://bucket/prefix` (快照文件夹).
    folder: String,
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    packs: PathBuf,
    /// The day; the snapshot's if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
    /// Where to write the page; on the screen if not given (写到哪里).
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Nanoseconds since the first look.
fn nanoseconds() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl ProfileRules {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::open(&self.folder)?;
        let manifest = Manifest::read(&folder).await?;
        let book = Arc::new(load_book(&self.packs, &manifest.place)?);
        let found = profile(&folder, &book, self.as_of, nanoseconds).await?;
        let page = page(&found, book.version());
        match self.out {
            Some(file) => std::fs::write(file, page)?,
            None => say(&page),
        }
        Ok(())
    }
}

/// `12.3` of tenths.
fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

fn page(found: &Profile, version: &str) -> String {
    let households = found.households.max(1);
    let each = |spent: u64| tenths(spent * 10 / households);
    let share = |spent: u64| tenths(spent * 1000 / found.deciding.max(1));
    let named: u64 = found.costs.iter().map(|cost| cost.spent).sum();
    let mut programmes: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for cost in &found.costs {
        let programme = cost.step.split('.').next().unwrap_or_default();
        let sum = programmes.entry(programme).or_default();
        *sum = (sum.0 + cost.operations, sum.1 + cost.spent);
    }
    let mut programmes: Vec<_> = programmes.into_iter().collect();
    programmes.sort_by_key(|(_, (_, spent))| std::cmp::Reverse(*spent));
    let mut page = format!(
        "# What the rule book costs, variable by variable\n\nWritten by `huimin profile`: {} households decided by the rules {version} on one thread, \
         every programme and condition.\nDeciding {} ns a household, reading the snapshot {} ns. {} % of deciding stands below by name; the rest \
         is\nwriting answers down, rare households that went through the reference, and looking at the clock. What\nseveral share \
         counts with the first that wants it.\n",
        found.households,
        each(found.deciding),
        each(found.reading),
        share(named),
    );
    let name = |step: &str| match step {
        "" => "(reading columns)".to_owned(),
        step => format!("`{step}`"),
    };
    let mut table = |title: &str,
                     what: &str,
                     rows: &mut dyn Iterator<Item = (&str, usize, u64)>| {
        let _infallible = write!(
            page,
            "\n## {title}\n\n| {what} | operations | ns a household | % of deciding |\n|---|--:|--:|--:|\n"
        );
        for (step, operations, spent) in rows {
            let _infallible = writeln!(
                page,
                "| {} | {operations} | {} | {} |",
                name(step),
                each(spent),
                share(spent)
            );
        }
    };
    let sums = programmes
        .iter()
        .map(|(step, (operations, spent))| (*step, *operations, *spent));
    table("By programme", "programme", &mut { sums });
    let costs = found.costs.iter();
    let costs = costs.map(|cost| (cost.step.as_str(), cost.operations, cost.spent));
    table("By variable", "variable, condition or benefit", &mut {
        costs
    });
    page
}
