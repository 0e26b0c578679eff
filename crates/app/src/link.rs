//! `huimin link` (同一人识别): which records of a file are of one person or one organisation, with the probability and the reasons, without a database.
//!
//! Reads csv (UTF-8 or GB18030), Parquet, xlsx and xls; writes csv or Parquet. Guarantees: the same file gives the same answer; a file
//! that is refused is refused with row, column and reason; what is written stands whole under its name or not at all. Deliberately
//! absent: merging people in the register.

use crate::sweep::workers;
use crate::terminal::{complain, say};
use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use linkage::file::{self, Loader, Records};
use linkage::{Capped, Linked, Outcome, Settings};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What the records are of (记录的种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// People (自然人).
    People,
    /// Organisations, from csv (组织).
    Organisations,
}

/// What to link (链接什么).
#[derive(Debug, Args)]
pub(crate) struct LinkFile {
    /// The records; columns are found by their header, e.g. 姓名 or name (输入文件).
    #[arg(long = "in")]
    input: PathBuf,
    /// Where each record's person goes; Parquet if the name ends so, else csv (输出文件).
    #[arg(long)]
    out: PathBuf,
    /// What the records are of (记录的种类).
    #[arg(long, value_enum, default_value = "people")]
    kind: Of,
    /// From this probability on, records are one person without anybody looking (直接归并的概率).
    #[arg(long, default_value_t = 0.95)]
    threshold: f64,
    /// A register these records are new to; only links between the two are looked for (已有名册).
    #[arg(long)]
    against: Option<PathBuf>,
    /// The blocking keys, if not those of the house (分块键文件).
    #[arg(long)]
    keys: Option<PathBuf>,
    /// How many threads; all cores if not given (线程数).
    #[arg(long)]
    threads: Option<usize>,
}

impl LinkFile {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if self.kind == Of::Organisations {
            return self.organisations();
        }
        ensure!(
            (0.5..=1.0).contains(&self.threshold),
            "--threshold 应在 0.5 与 1 之间，例如 0.95 (between 0.5 and 1)"
        );
        let mut settings = Settings::usual(workers(self.threads))?;
        settings.same = self.threshold;
        if let Some(keys) = &self.keys {
            let text = std::fs::read_to_string(keys)
                .with_context(|| format!("无法读取分块键文件 {} (keys)", keys.display()))?;
            settings.keys = linkage::keys::keys(&text)?;
        }
        let began = Instant::now();
        let (records, linked, from) = match &self.against {
            None => self.alone(&settings)?,
            Some(register) => self.beside(register, &settings)?,
        };
        file::write(&self.out, &records.ids, &linked, from)?;
        report(&linked, from, began.elapsed(), &self.out);
        Ok(())
    }

    fn organisations(&self) -> anyhow::Result<()> {
        ensure!(
            self.against.is_none() && self.keys.is_none(),
            "组织名单只与自身比对，请去掉 --against 和 --keys (organisations are linked among themselves)"
        );
        let (ids, list) = file::read_organisations(&self.input)?;
        let together = linkage::organisation::together(&list);
        file::write_organisations(&self.out, &ids, &together)?;
        let alone = together.organisation.iter().enumerate();
        let different = alone.filter(|(place, first)| place == *first).count();
        let doubtful = together
            .pairs
            .iter()
            .filter(|pair| pair.outcome != Outcome::Same);
        say(&format!(
            "{} 条记录，{different} 个组织；须人工核对 {} 对；在 {} (entries, organisations, pairs to look at)",
            list.len(),
            doubtful.count(),
            self.out.display()
        ));
        if !together.capped.is_empty() {
            complain(&format!(
                "有 {} 块过大，未在块内比对 (blocks over the cap)",
                together.capped.len()
            ));
        }
        Ok(())
    }

    fn alone(&self, settings: &Settings) -> anyhow::Result<(Records, Linked, usize)> {
        let mut records = read(&self.input, Records::default())?;
        unique(&records, 0)?;
        records.register.finish();
        let linked = linkage::link(&records.register, settings, &told());
        Ok((records, linked, 0))
    }

    fn beside(
        &self,
        register: &Path,
        settings: &Settings,
    ) -> anyhow::Result<(Records, Linked, usize)> {
        let mut records = read(register, Records::default())?;
        records.register.finish();
        let from = records.register.len();
        let old = linkage::link(&records.register, settings, &told());
        let mut records = read(&self.input, records)?;
        unique(&records, from)?;
        let arrived = linkage::against(&mut records.register, from, &old.model, settings);
        let linked = arrived.joined(old, from, &records.register);
        Ok((records, linked, from))
    }
}

/// Reads a file of any kind, after records that are there.
fn read(path: &Path, records: Records) -> anyhow::Result<Records> {
    let mut said = Instant::now();
    let mut tell = |rows: usize| {
        if said.elapsed() >= Duration::from_secs(1) {
            said = Instant::now();
            complain(&format!("已读 {rows} 条 (records read)"));
        }
    };
    if !is_workbook(path)? {
        return Ok(file::read(path, records, &mut tell)?);
    }
    let bytes = std::fs::read(path)
        .with_context(|| format!("无法读取文件 {} (cannot read)", path.display()))?;
    let sheets = sheets::read(&bytes, sheets::Limits::default())?;
    let sheet = sheets
        .into_iter()
        .find(|sheet| !sheet.rows.is_empty())
        .context("工作簿里没有数据，请检查是否选错了文件 (an empty workbook)")?;
    let mut rows = sheet.rows.iter().enumerate();
    let header: Vec<String> = match rows.next() {
        Some((_, cells)) => cells.iter().map(sheets::Cell::text).collect(),
        None => Vec::new(),
    };
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut loader = Loader::new(&names, records)?;
    for (row, cells) in rows {
        let mut texts = Vec::with_capacity(cells.len());
        for (column, cell) in cells.iter().enumerate() {
            // A number that the workbook has rounded is no identity number any more.
            let text = match cell {
                sheets::Cell::Text(_) => Ok(cell.text()),
                _ => cell.code(),
            };
            texts.push(text.with_context(|| {
                let column = header.get(column).map_or("", String::as_str);
                format!("第 {} 行“{column}”列 (row and column)", row + 1)
            })?);
        }
        loader.row(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    }
    Ok(loader.records())
}

fn is_workbook(path: &Path) -> anyhow::Result<bool> {
    use std::io::Read;
    let mut head = [0_u8; 4];
    let mut file = std::fs::File::open(path)
        .with_context(|| format!("无法读取文件 {} (cannot read)", path.display()))?;
    let got = file.read(&mut head)?;
    Ok(got == 4 && (head == *b"PK\x03\x04" || head == [0xD0, 0xCF, 0x11, 0xE0]))
}

/// The answer goes by the record's id, so it must lead to one record.
fn unique(records: &Records, from: usize) -> anyhow::Result<()> {
    if let Some((first, second)) = records.ids.repeated()
        && second >= from
    {
        anyhow::bail!(
            "编号“{}”出现了两次：第 {} 条和第 {} 条；请让每条记录有自己的编号 (an id twice)",
            records.ids.text(first),
            first + 1,
            second + 1
        );
    }
    Ok(())
}

/// Says how far it is.
fn told() -> impl Fn(usize, usize) + Sync {
    |step, of| complain(&format!("分块比对 {step} / {of} (keys)"))
}

fn report(linked: &Linked, from: usize, took: Duration, out: &Path) {
    let new = linked.person.len() - from;
    let alone = (from..linked.person.len()).filter(|record| {
        let person = usize::try_from(linked.person[*record]).unwrap_or(0);
        person == *record
    });
    let doubtful = linked
        .links
        .iter()
        .filter(|link| link.outcome != Outcome::Same);
    say(&format!(
        "{new} 条记录，{} 人；须人工核对 {} 对；用时 {}.{} 秒，在 {} (records, people, pairs to look at)",
        alone.count(),
        doubtful.count(),
        took.as_secs(),
        took.subsec_millis() / 100,
        out.display()
    ));
    for Capped {
        key,
        blocks,
        records,
    } in &linked.capped
    {
        complain(&format!(
            "分块键 {key} 有 {blocks} 块过大，未用它比对其中 {records} 条；它们仍按其他键比对 (blocks over the cap)"
        ));
    }
}
