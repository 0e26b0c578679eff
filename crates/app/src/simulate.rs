//! `huimin simulate` (试算): what other values of parameters would mean for the people of a snapshot.
//!
//! Guarantees: writes nothing but the spreadsheet asked for. Deliberately absent: putting anything in force; that is an
//! act of two officers at the desk.

use crate::place::DecidedAt;
use crate::settings::load_book;
use crate::sweep::stopped_by_ctrl_c;
use crate::terminal::say;
use anyhow::{Context, ensure};
use batch::layout::Manifest;
use batch::simulate::{Reform, Simulated, Simulation, change};
use batch::{Folder, report};
use chrono::NaiveDate;
use clap::Args;
use policy::Book;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use vocab::Money;

/// What to simulate (试算什么).
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The snapshot: a folder, or `s3://bucket/prefix` (快照文件夹).
    folder: String,
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    packs: PathBuf,
    /// A change: `dibao_standard=130000`, in steps `allowance=70:20000;80:30000` (一项改动).
    #[arg(long = "set")]
    set: Vec<String>,
    /// A further reform beside it: `NAME:PARAMETER=VALUE,PARAMETER=VALUE` (另一个情景).
    #[arg(long = "reform")]
    reforms: Vec<String>,
    /// Rules to try beside those in force: `NAME:FOLDER` with all packs (候选规则).
    #[arg(long = "candidate")]
    candidates: Vec<String>,
    /// The day; the snapshot's if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
    /// Write the tables here (写成电子表格).
    #[arg(long)]
    xlsx: Option<PathBuf>,
    /// Hold small cells back, as for those who may not see persons (隐去小数).
    #[arg(long)]
    hide_small: bool,
    /// How many parts at once (并行数).
    #[arg(long)]
    workers: Option<usize>,
    #[command(flatten)]
    at: DecidedAt,
}

impl Simulate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::open(&self.folder)?;
        let manifest = Manifest::read(&folder).await?;
        let as_of = self.as_of.unwrap_or(manifest.as_of);
        let reforms = self.reforms(as_of)?;
        ensure!(
            !reforms.is_empty() || !self.candidates.is_empty(),
            "请用 --set 写明改什么，或用 --candidate 写明候选规则 (say what to change with --set or --candidate)"
        );
        let book = Arc::new(load_book(&self.packs, &manifest.place)?);
        let mut simulation = Simulation::new(Arc::clone(&book), as_of, &reforms)?
            .beside(self.candidates(&manifest.place)?);
        simulation.workers = self.at.in_hand(self.workers);
        let place = self.at.open()?;
        let stop = stopped_by_ctrl_c();
        let begun = Instant::now();
        let mut simulated = simulation.run_at(&place, &folder, &stop, |_, _| {}).await?;
        if self.hide_small {
            for (_, effect) in &mut simulated.effects {
                effect.hide_small();
            }
        }
        print(&simulated);
        say(&format!("{} 毫秒 (ms)", begun.elapsed().as_millis()));
        if let Some(file) = &self.xlsx {
            let bytes = sheets::xlsx(&report::tables(&book, &simulated))?;
            std::fs::write(file, bytes)
                .with_context(|| format!("无法写入 {} (writing)", file.display()))?;
            say(&format!("已写入 {} (written)", file.display()));
        }
        Ok(())
    }

    fn candidates(&self, place: &str) -> anyhow::Result<Vec<(String, Arc<Book>)>> {
        let read = |text: &String| {
            let (name, folder) = text.split_once(':').with_context(|| {
                format!("“{text}”读不懂；请写 名称:规则包文件夹 (name and folder)")
            })?;
            let book = load_book(Path::new(folder), place)?;
            Ok((name.to_owned(), Arc::new(book)))
        };
        self.candidates.iter().map(read).collect()
    }

    fn reforms(&self, from: NaiveDate) -> anyhow::Result<Vec<Reform>> {
        let read = |changes: &mut dyn Iterator<Item = &str>| {
            changes
                .map(|text| change(text, from))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let mut reforms = Vec::new();
        if !self.set.is_empty() {
            reforms.push(Reform {
                name: "情景".to_owned(),
                changes: read(&mut self.set.iter().map(String::as_str))?,
            });
        }
        for text in &self.reforms {
            let (name, changes) = text.split_once(':').with_context(|| {
                format!("“{text}”读不懂；请写 情景名:参数=值,参数=值 (a reform)")
            })?;
            reforms.push(Reform {
                name: name.to_owned(),
                changes: read(&mut changes.split(','))?,
            });
        }
        Ok(reforms)
    }
}

fn print(simulated: &Simulated) {
    say(&format!(
        "{} 受影响的事项 (programmes): {}",
        simulated.as_of,
        simulated.programmes.join(" ")
    ));
    for (name, effect) in &simulated.effects {
        let all = &effect.all;
        say(&format!(
            "{name}：{} 户 {} 人中，多得 {} 户 {} 人，少得 {} 户 {} 人，新进 {} 户，退出 {} 户；每月 {} → {} 元（{}），每年 {} 元",
            all.all.households,
            all.all.persons,
            all.gain.households,
            all.gain.persons,
            all.lose.households,
            all.lose.persons,
            all.enter.households,
            all.leave.households,
            Money::from_fen(all.before),
            Money::from_fen(all.after),
            Money::from_fen(all.more()),
            Money::from_fen(all.more_a_year())
        ));
        say(&format!(
            "    变为待核实 {} 户 {} 人（现在每月 {} 元，核实后才知道），由待核实变为可判断 {} 户 (become to verify; can be judged now)",
            all.unsettled.households,
            all.unsettled.persons,
            Money::from_fen(all.in_doubt),
            all.settled.households
        ));
    }
}
