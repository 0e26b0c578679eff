//! Landing (落地): a delivered file becomes parts that answer fast, whole or not at all.
//!
//! Two passes: workers read batches, check them and sort the rows out by the first bits of the blinded key; then each part
//! is sorted and written. Everything is made in a folder nobody looks at and renamed at the end. Guarantees: an earlier
//! delivery is never touched; a run that was killed leaves nothing that counts, and the next one clears it away; memory
//! does not grow with the file; the same file lands to the same answers, whichever worker was faster. Deliberately absent:
//! deciding that a delivery out of the usual is all right; it is refused unless somebody says so.

use crate::checked::{ABSENT, Checked, Checker};
use crate::delivery::{Delivery, Unreadable};
use crate::manifest::{self, LAYOUT, MAKING, Manifest, part_file, part_of};
use crate::part;
use crate::raw::RawBatch;
use crate::returned::{self, Bin};
use crate::source::{ColumnKind, Source};
use crate::spill::{Rows, Spill};
use anyhow::Context;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use store::Keys;
use store::keys::Blinder;

/// About so many rows make a part.
const PART: u64 = 1 << 18;
/// No more parts than these, however large the file.
const MOST_PARTS: u32 = 9;

/// What to land (落地).
pub struct Landing<'a> {
    /// As what.
    pub source: &'a Source,
    /// The file.
    pub file: &'a Path,
    /// Where landed deliveries lie.
    pub store: &'a Path,
    /// The day the data are of.
    pub delivered: NaiveDate,
    /// Today.
    pub today: NaiveDate,
    /// The keys of the house.
    pub keys: &'a Keys,
    /// How many workers.
    pub workers: usize,
    /// Whether a delivery out of the usual is taken all the same.
    pub accept_drift: bool,
    /// Set when it shall stop.
    pub stop: &'a AtomicBool,
    /// Is told the progress.
    pub told: &'a (dyn Fn(Progress) + Sync),
}

impl std::fmt::Debug for Landing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Landing({} of {})", self.source.id, self.delivered)
    }
}

/// How far it is (进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub read: u64,
    /// Rows about to be read.
    pub about: u64,
    /// Parts written.
    pub parts: usize,
    /// Parts to write.
    pub of_parts: usize,
}

/// Why a delivery was not landed (未落地原因).
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// Of a day to come.
    #[error("数据日期 {0} 晚于今天；请核对")]
    InTheFuture(NaiveDate),
    /// Landed before.
    #[error("这个文件已经落地过：{0}；不再重复落地")]
    LandedBefore(String),
    /// Out of the usual.
    #[error("与往常差别太大，没有落地：{}；请先向部门核实，确认无误再加 --accept-drift", .0.join("；"))]
    Drift(Vec<String>, BTreeMap<String, u64>),
    /// No row could be taken.
    #[error("没有一行可以落地；请核对列名、编码和单位")]
    NothingTaken(BTreeMap<String, u64>),
    /// Another run.
    #[error("另一个程序正在落地这个数据源；请等它结束")]
    Busy,
    /// Told to stop.
    #[error("已停止，没有落地；以前的数据不受影响")]
    Stopped,
}

#[derive(Default)]
struct Counted {
    rows: u64,
    bad: u64,
    entries: u64,
    reasons: BTreeMap<String, u64>,
    notes: BTreeMap<String, u64>,
}

impl Counted {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.bad += other.bad;
        self.entries += other.entries;
        for (into, from) in [
            (&mut self.reasons, other.reasons),
            (&mut self.notes, other.notes),
        ] {
            for (word, count) in from {
                *into.entry(word).or_default() += count;
            }
        }
    }
}

/// Faults of the machine and refusals on one way out of a worker.
enum Halt {
    Refused(Refused),
    Fault(anyhow::Error),
}

impl From<anyhow::Error> for Halt {
    fn from(fault: anyhow::Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unreadable> for Halt {
    fn from(fault: Unreadable) -> Self {
        Self::Refused(fault.into())
    }
}

/// The blinder of a source's identity numbers (身份证号盲索引).
pub(crate) fn id_blinder(keys: &Keys, source: &str) -> Blinder {
    keys.blinder(&format!("verify.{source}.id"))
}

/// The blinder of a source's names and numbers.
pub(crate) fn name_blinder(keys: &Keys, source: &str) -> Blinder {
    keys.blinder(&format!("verify.{source}.name"))
}

/// What the texts of a part are sealed for.
pub(crate) fn purpose(source: &str, delivery: &str, part: usize) -> String {
    format!("verify.{source}/{delivery}/{part}")
}

impl Landing<'_> {
    /// Lands it (落地).
    ///
    /// # Errors
    /// Faults of the disk; refusals are values.
    pub fn run(&self) -> anyhow::Result<Result<Manifest, Refused>> {
        if self.delivered > self.today {
            return Ok(Err(Refused::InTheFuture(self.delivered)));
        }
        let folder = self.store.join(&self.source.id);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("无法创建文件夹 {} (the store)", folder.display()))?;
        let lock = File::create(folder.join(".lock"))?;
        if lock.try_lock().is_err() {
            return Ok(Err(Refused::Busy));
        }
        clear_away(&folder)?;
        let before = manifest::deliveries(self.store, &self.source.id)?;
        let delivery = match Delivery::open(self.source, self.file) {
            Ok(delivery) => delivery,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let making = folder.join(format!("{MAKING}-{}", self.delivered));
        std::fs::create_dir(&making)?;
        let done = self.make(&delivery, &making, &before);
        match done {
            Ok(manifest) => {
                let name = folder.join(&manifest.delivery);
                std::fs::rename(&making, &name).with_context(|| {
                    format!("无法改名为 {} (finishing a delivery)", name.display())
                })?;
                File::open(&folder)?.sync_all()?;
                Ok(Ok(manifest))
            }
            Err(halt) => {
                std::fs::remove_dir_all(&making)?;
                match halt {
                    Halt::Refused(refused) => Ok(Err(refused)),
                    Halt::Fault(fault) => Err(fault),
                }
            }
        }
    }

    fn make(
        &self,
        delivery: &Delivery,
        making: &Path,
        before: &[(PathBuf, Manifest)],
    ) -> Result<Manifest, Halt> {
        let two = u64::from(self.source.of_kind(&ColumnKind::OtherId).is_some()) + 1;
        let wanted = (delivery.rows_about * two).div_ceil(PART).max(1);
        let bits = wanted.next_power_of_two().trailing_zeros().min(MOST_PARTS);
        let parts = 1_usize << bits;
        let bin = Bin::new(&making.join(returned::FILE), self.keys, &self.source.id)?;
        let at = Tellers {
            read: AtomicU64::new(0),
            parts: AtomicUsize::new(0),
            about: delivery.rows_about,
            of_parts: parts,
        };
        let sorting = |number: usize| self.sort_out(number, delivery, making, bits, &bin, &at);
        let (sm3, sorted) = std::thread::scope(|scope| {
            let hash = scope.spawn(|| sm3_of(self.file));
            let workers: Vec<_> = (0..self.workers.max(1))
                .map(|number| scope.spawn(move || sorting(number)))
                .collect();
            let sorted: Vec<Result<(Spill, Counted), Halt>> = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|_| Err(damaged())))
                .collect();
            (
                hash.join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("hashing failed"))),
                sorted,
            )
        });
        let sm3 = sm3?;
        let mut counted = Counted::default();
        let mut spills = Vec::new();
        for one in sorted {
            let (spill, count) = one?;
            counted.add(count);
            spills.push(Mutex::new(spill));
        }
        bin.close()?;
        let last = before.last().map(|(_, manifest)| manifest);
        if let Some((_, same)) = before.iter().find(|(_, one)| {
            one.sm3 == sm3
                && one.definition == self.source.fingerprint()
                && one.delivered == self.delivered
        }) {
            return Err(Halt::Refused(Refused::LandedBefore(same.delivery.clone())));
        }
        // A file without a row is a mistake, unless somebody says that it is not.
        let empty = counted.rows == 0 && self.accept_drift;
        if counted.rows == counted.bad && !empty {
            return Err(Halt::Refused(Refused::NothingTaken(counted.reasons)));
        }
        let drift = self.drift(&counted, last);
        if !drift.is_empty() && !self.accept_drift {
            return Err(Halt::Refused(Refused::Drift(drift, counted.reasons)));
        }
        let number = before
            .iter()
            .filter(|(_, one)| one.delivered == self.delivered)
            .count()
            + 1;
        let name = format!("{}-{number:02}-{}", self.delivered, &sm3[..8]);
        let rows = self.write_parts(&spills, making, &name, parts, &at)?;
        drop(spills);
        for worker in 0..self.workers.max(1) {
            std::fs::remove_file(spill_file(making, worker)).context("removing the spill")?;
        }
        let manifest = Manifest {
            layout: LAYOUT,
            source: self.source.id.clone(),
            delivery: name,
            delivered: self.delivered,
            sm3,
            bytes: delivery.bytes,
            definition: self.source.fingerprint(),
            keys: self.keys.fingerprint(),
            rows: counted.rows,
            bad: counted.bad,
            reasons: counted.reasons,
            notes: counted.notes,
            entries: counted.entries,
            drift,
            ignored: delivery.ignored.clone(),
            bits,
            parts: rows,
        };
        let mut text = serde_json::to_vec_pretty(&manifest).context("writing the manifest")?;
        text.push(b'\n');
        let file = making.join(manifest::FILE);
        std::fs::write(&file, text)
            .and_then(|()| File::open(&file)?.sync_all())
            .context("writing the manifest")?;
        Ok(manifest)
    }

    /// One worker of the first pass.
    fn sort_out(
        &self,
        number: usize,
        delivery: &Delivery,
        making: &Path,
        bits: u32,
        bin: &Bin<'_>,
        at: &Tellers,
    ) -> Result<(Spill, Counted), Halt> {
        let two = self.source.of_kind(&ColumnKind::OtherId).is_some();
        let numbers = part::figured(self.source).len();
        let mut spill = Spill::new(&spill_file(making, number), 1 << bits, numbers, two)?;
        let mut counted = Counted::default();
        let names = name_blinder(self.keys, &self.source.id);
        let checker = Checker::new(self.source, names, self.today, true);
        let mut sorter = Sorter {
            blinder: id_blinder(self.keys, &self.source.id),
            bits,
            two,
            name: part::figured(self.source)
                .iter()
                .position(|at| self.source.columns[*at].kind == ColumnKind::Name),
        };
        let mut worker = delivery.worker();
        while let Some(raw) = worker.batch()? {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Halt::Refused(Refused::Stopped));
            }
            let checked = checker.check(&raw);
            count(&mut counted, &checked);
            if !checked.wrong.is_empty() {
                bin.put(&returned::of(self.source, &raw, &checked.wrong))?;
            }
            counted.entries += sorter.put(&raw, &checked, &mut spill)?;
            let rows = u64::try_from(raw.rows).unwrap_or(0);
            at.read.fetch_add(rows, Ordering::Relaxed);
            (self.told)(at.now());
        }
        Ok((spill, counted))
    }

    /// The second pass.
    fn write_parts(
        &self,
        spills: &[Mutex<Spill>],
        making: &Path,
        delivery: &str,
        parts: usize,
        at: &Tellers,
    ) -> Result<Vec<u64>, Halt> {
        let two = self.source.of_kind(&ColumnKind::OtherId).is_some();
        let numbers = part::figured(self.source).len();
        let next = AtomicUsize::new(0);
        let written: Mutex<BTreeMap<usize, u64>> = Mutex::default();
        let work = || -> Result<(), Halt> {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return Ok(());
                }
                if self.stop.load(Ordering::Relaxed) {
                    return Err(Halt::Refused(Refused::Stopped));
                }
                let mut rows = Rows::new(numbers);
                for spill in spills {
                    let mut spill = spill
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    spill.take(part, &mut rows)?;
                }
                if !two {
                    rows.others.clear();
                }
                let sealed_for = purpose(&self.source.id, delivery, part);
                let file = making.join(part_file(part));
                part::write(&file, self.source, &sealed_for, self.keys, &rows)?;
                let count = u64::try_from(rows.keys.len()).unwrap_or(0);
                written
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .insert(part, count);
                at.parts.fetch_add(1, Ordering::Relaxed);
                (self.told)(at.now());
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers.max(1))
                .map(|_| scope.spawn(work))
                .collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(damaged())))
        })?;
        let written = written
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(written.into_values().collect())
    }

    /// What is out of the usual.
    fn drift(&self, counted: &Counted, last: Option<&Manifest>) -> Vec<String> {
        let mut found = Vec::new();
        let limits = self.source.drift;
        if counted.bad * 1000 > limits.bad_rows * counted.rows {
            found.push(format!(
                "{} 行中有 {} 行不合格，超过千分之 {}",
                counted.rows, counted.bad, limits.bad_rows
            ));
        }
        if let Some(last) = last {
            if counted.rows * 1000 < last.rows * 1000_u64.saturating_sub(limits.fewer_rows) {
                found.push(format!(
                    "上次 {} 行，这次只有 {} 行",
                    last.rows, counted.rows
                ));
            }
            if counted.rows * 1000 > last.rows * (1000 + limits.more_rows) {
                found.push(format!("上次 {} 行，这次有 {} 行", last.rows, counted.rows));
            }
        }
        found
    }
}

fn count(counted: &mut Counted, checked: &Checked) {
    counted.rows += u64::try_from(checked.bad.len()).unwrap_or(0);
    let bad = checked.bad.iter().filter(|bad| **bad).count();
    counted.bad += u64::try_from(bad).unwrap_or(0);
    for (into, from) in [
        (&mut counted.reasons, &checked.wrong),
        (&mut counted.notes, &checked.notes),
    ] {
        for one in from {
            *into.entry(one.reason.word().to_owned()).or_default() += 1;
        }
    }
}

struct Tellers {
    read: AtomicU64,
    parts: AtomicUsize,
    about: u64,
    of_parts: usize,
}

impl Tellers {
    fn now(&self) -> Progress {
        Progress {
            read: self.read.load(Ordering::Relaxed),
            about: self.about,
            parts: self.parts.load(Ordering::Relaxed),
            of_parts: self.of_parts,
        }
    }
}

struct Sorter {
    blinder: Blinder,
    bits: u32,
    two: bool,
    /// Which number is the mark of the name.
    name: Option<usize>,
}

impl Sorter {
    /// Puts the good rows of a batch where they belong; how many entries they make.
    fn put(&mut self, raw: &RawBatch, checked: &Checked, spill: &mut Spill) -> anyhow::Result<u64> {
        let mut entries = 0;
        for at in 0..raw.rows {
            if checked.bad[at] {
                continue;
            }
            let own = self.blinder.number(checked.keys[at]);
            let other = match checked.others.get(at) {
                Some(key) if *key != 0 => self.blinder.number(*key),
                _ => 0,
            };
            self.one(raw, checked, spill, at, (own, other), true)?;
            entries += 1;
            if self.two && other != 0 {
                self.one(raw, checked, spill, at, (other, own), false)?;
                entries += 1;
            }
        }
        Ok(entries)
    }

    fn one(
        &self,
        raw: &RawBatch,
        checked: &Checked,
        spill: &mut Spill,
        at: usize,
        (key, other): (u64, u64),
        own: bool,
    ) -> anyhow::Result<()> {
        let part = part_of(key, self.bits);
        let rows = spill.part(part);
        rows.keys.push(key);
        if self.two {
            rows.others.push(other);
        }
        rows.rows.push(raw.row(at));
        for (slot, (into, from)) in rows.numbers.iter_mut().zip(&checked.numbers).enumerate() {
            // The name is that of the row's own person.
            let foreign = !own && self.name == Some(slot);
            into.push(if foreign { ABSENT } else { from[at] });
        }
        let from = if at == 0 { 0 } else { checked.ends[at - 1] };
        let text = &checked.evidence[from as usize..checked.ends[at] as usize];
        rows.evidence.extend_from_slice(text);
        rows.lengths.push(u32::try_from(text.len())?);
        spill.settle(part)
    }
}

fn spill_file(making: &Path, worker: usize) -> PathBuf {
    making.join(format!("spill-{worker}"))
}

fn damaged() -> Halt {
    Unreadable::Damaged("读取时出错".to_owned()).into()
}

/// Removes what runs that were killed left behind.
fn clear_away(folder: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            std::fs::remove_dir_all(entry.path())
                .with_context(|| format!("清理 {} (clearing away)", entry.path().display()))?;
        }
    }
    Ok(())
}

fn sm3_of(path: &Path) -> anyhow::Result<String> {
    use sm3::{Digest, Sm3};
    let mut file = File::open(path)?;
    let mut digest = Sm3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(&buffer[..read]),
        }
    }
}
