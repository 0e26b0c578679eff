//! `huimin synth` (虚构人口): a district of any size as a snapshot folder, without a database.
//!
//! Guarantees: the same seed, size, place and day give the same files; nobody in them has a name or a number; memory does not
//! grow with the size. Deliberately absent: who is entitled to what, which `huimin sweep` says.

use crate::settings::{demonstration, load_book, place_of_folder};
use crate::terminal::{complain, say};
use anyhow::{Context, ensure};
use batch::folder::Folder;
use batch::layout::{Manifest, Part};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use synth::Population;
use synth::parts::{self, Packing};
use vocab::Region;

/// What people to invent (虚构哪些人).
#[derive(Debug, Args)]
pub(crate) struct Synth {
    /// How many people (人口数).
    #[arg(long)]
    people: u64,
    /// The seed: the same seed makes the same people (随机种子).
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The folder to fill; it must be new or empty (输出文件夹).
    #[arg(long)]
    out: PathBuf,
    /// The folder of the place's pack, whose communities they live in; if not given, the pack for demonstration (规则包).
    #[arg(long)]
    pack: Option<PathBuf>,
    /// The day the facts are of (基准日).
    #[arg(long, default_value = "2026-06-01")]
    as_of: NaiveDate,
    /// How the files are packed (压缩方式).
    #[arg(long, default_value = "snappy")]
    packing: Wish,
    /// How many people a file holds at least; a cluster gives whole files away (每个分块至少多少人).
    #[arg(long, default_value_t = parts::PART)]
    part: u64,
    /// How many threads; all cores if not given (线程数).
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wish {
    /// Quick to read.
    Snappy,
    /// Smaller.
    Zstd,
}

impl Synth {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (packs, place) = match &self.pack {
            Some(pack) => place_of_folder(pack)?,
            None => {
                let packs = PathBuf::from("packs");
                let place = demonstration(&packs)?;
                (packs, place)
            }
        };
        let book = load_book(&packs, &place)?;
        let communities = communities(&book);
        ensure!(
            !communities.is_empty(),
            "规则包 {place} 没有社区，请在 regions.toml 里写上 (the pack has no communities)"
        );
        let folder = Folder::on_disk(&self.out)?;
        ensure!(
            folder.list().await?.is_empty(),
            "{} 不是空文件夹，请换一个或先清空 (the folder is not empty)",
            self.out.display()
        );
        let population = Population::new(self.seed, self.people, &communities, self.as_of);
        let packing = match self.packing {
            Wish::Snappy => Packing::Snappy,
            Wish::Zstd => Packing::Zstd,
        };
        let threads = self
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let progress = Progress::new(population.people());
        let written = parts::write(
            &population,
            &self.out,
            packing,
            self.part,
            threads,
            &|people| progress.more(people),
        )
        .context("没有写完，请清空文件夹后重来 (not finished)")?;
        let people = written.iter().map(|part| part.people).sum();
        let households = written.iter().map(|part| part.households).sum();
        let manifest = Manifest {
            people,
            households,
            parts: written.into_iter().map(part).collect(),
            ..Manifest::empty(&book, self.as_of)
        };
        manifest.write(&folder).await?;
        say(&format!(
            "{people} 人、{households} 户，用时 {} 秒，在 {} (written)",
            progress.began.elapsed().as_secs(),
            self.out.display()
        ));
        Ok(())
    }
}

fn part(written: parts::Part) -> Part {
    Part {
        file: written.file,
        rows: written.households,
        people: written.people,
        sm3: written.sm3,
        payments: None,
        delta: false,
        gone: Vec::new(),
    }
}

/// Places of the pack that no other place lies in.
fn communities(book: &policy::Book) -> Vec<Region> {
    let regions = &book.place().regions;
    let has_children = |code: Region| {
        regions
            .iter()
            .any(|other| other.code != code && other.code.parent() == Some(code))
    };
    regions
        .iter()
        .map(|region| region.code)
        .filter(|code| !has_children(*code))
        .collect()
}

/// Says on standard error, at most once a second, how far it is and how long it will take.
struct Progress {
    whole: u64,
    began: Instant,
    state: Mutex<(u64, Duration)>,
}

impl Progress {
    fn new(whole: u64) -> Self {
        Self {
            whole,
            began: Instant::now(),
            state: Mutex::new((0, Duration::ZERO)),
        }
    }

    fn more(&self, people: u64) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let (done, said) = &mut *state;
        *done += people;
        let passed = self.began.elapsed();
        if passed < *said + Duration::from_secs(1) {
            return;
        }
        *said = passed;
        let left = u128::from(self.whole - (*done).min(self.whole));
        let seconds = passed.as_millis() * left / u128::from((*done).max(1)) / 1_000;
        complain(&format!(
            "{done} / {} 人，大约还要 {seconds} 秒 (about so many seconds more)",
            self.whole
        ));
    }
}
