//! What is measured (测量): settings, phases and the line that is printed.
//!
//! Guarantees: no floating point; microseconds are printed as decimal seconds. Deliberately absent: medians over processes,
//! the caller takes them.

use anyhow::{Context, bail};
use chrono::NaiveDate;
use policy::Ask;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

/// Where the people come from (数据来源).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Read first, then decided; only deciding is `compute_s`.
    Memory,
    /// Decided while being read.
    Parquet,
}

/// What to measure (测什么).
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) pack: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) source: Source,
    pub(crate) threads: usize,
    /// How often the same is done in this process; the first counts as `compute_s`.
    pub(crate) passes: usize,
    /// Households decided at a time.
    pub(crate) block: usize,
    /// Where the benefits of each person are written, to be compared row by row.
    pub(crate) out: Option<PathBuf>,
    pub(crate) programmes: Option<Vec<String>>,
    pub(crate) conditions: bool,
    pub(crate) days: Vec<NaiveDate>,
}

impl Settings {
    pub(crate) fn read(words: &[String]) -> anyhow::Result<Self> {
        let mut settings = Self {
            pack: PathBuf::from("bench/peers/pack/minzheng"),
            data: PathBuf::new(),
            source: Source::Memory,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            passes: 1,
            block: 4096,
            out: None,
            programmes: None,
            conditions: false,
            days: Vec::new(),
        };
        let mut month = "2026-03".to_owned();
        let mut year = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut next = || {
                words
                    .next()
                    .with_context(|| format!("{word} 后面缺少值 (a value is missing)"))
            };
            match word.as_str() {
                "--pack" => settings.pack = next()?.into(),
                "--data" => settings.data = next()?.into(),
                "--month" => month.clone_from(next()?),
                "--year" => year = Some(next()?.clone()),
                "--source" => {
                    settings.source = match next()?.as_str() {
                        "memory" => Source::Memory,
                        "parquet" => Source::Parquet,
                        other => bail!("不认识的来源 {other}；请写 memory 或 parquet"),
                    }
                }
                "--threads" => settings.threads = next()?.parse()?,
                "--passes" => settings.passes = next()?.parse()?,
                "--block" => settings.block = next()?.parse()?,
                "--out" => settings.out = Some(next()?.into()),
                "--programme" => settings
                    .programmes
                    .get_or_insert_default()
                    .push(next()?.clone()),
                "--conditions" => settings.conditions = true,
                other => bail!("不认识的参数 {other} (unknown argument)"),
            }
        }
        let months = match year {
            Some(year) => (1..=12).map(|month| format!("{year}-{month:02}")).collect(),
            None => vec![month],
        };
        for month in months {
            settings.days.push(format!("{month}-01").parse()?);
        }
        Ok(settings)
    }

    pub(crate) fn ask(&self, day: NaiveDate) -> Ask {
        Ask {
            programmes: self.programmes.clone(),
            ..Ask::on(day)
        }
    }
}

/// What came of it (结果).
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) checksum: i64,
    pub(crate) people: usize,
    pub(crate) households: usize,
    /// Outcomes not met, to verify, met.
    pub(crate) outcomes: [u64; 3],
}

/// Phases of this process and how long they took (各阶段耗时).
#[derive(Debug, Default)]
pub(crate) struct Clock {
    phases: Vec<(&'static str, u128)>,
    passes: Vec<u128>,
}

impl Clock {
    pub(crate) fn phase<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.note(name, began);
        done
    }

    fn note(&mut self, name: &'static str, began: Instant) {
        let took = began.elapsed().as_micros();
        match self.phases.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += took,
            None => self.phases.push((name, took)),
        }
    }

    /// One more time the same; the first is what a fresh process sees.
    pub(crate) fn took(&mut self, time: std::time::Duration) {
        self.passes.push(time.as_micros());
    }

    pub(crate) fn line(mut self, settings: &Settings, done: &Done) -> String {
        let mut line = String::from("{");
        for (name, took) in &self.phases {
            let _ = write!(line, "\"{name}\": {}, ", seconds(*took));
        }
        if let Some(first) = self.passes.first() {
            let _ = write!(line, "\"compute_s\": {}, ", seconds(*first));
        }
        if self.passes.len() > 1 {
            self.passes.sort_unstable();
            let middle = self.passes[self.passes.len() / 2];
            let _ = write!(line, "\"compute_median_s\": {}, ", seconds(middle));
            let _ = write!(line, "\"compute_best_s\": {}, ", seconds(self.passes[0]));
        }
        let [no, verify, met] = done.outcomes;
        let _ = write!(
            line,
            "\"months\": {}, \"people\": {}, \"households\": {}, \"not_met\": {no}, \"to_verify\": {verify}, \"met\": {met}, \"checksum_fen\": {}}}",
            settings.days.len(),
            done.people,
            done.households,
            done.checksum
        );
        line
    }
}

fn seconds(micros: u128) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
