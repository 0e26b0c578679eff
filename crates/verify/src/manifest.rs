//! What a landed delivery says of itself (落地清单), and where deliveries lie.
//!
//! ```text
//! <store>/<source>/<day>-<number>-<hash>/manifest.json   part-000.parquet …   returned.sealed
//! ```
//!
//! Guarantees: a delivery is there exactly if its folder has its final name, which it gets last. Deliberately absent: a
//! pointer to the newest; which delivery answers depends on the day asked about.

use anyhow::{Context, ensure};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The version of this layout (格式版本).
pub const LAYOUT: u32 = 1;
/// The name of the file.
pub(crate) const FILE: &str = "manifest.json";
/// What a folder in the making begins with.
pub(crate) const MAKING: &str = ".landing";

/// What a landed delivery says of itself (落地清单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the layout.
    pub layout: u32,
    /// The source.
    pub source: String,
    /// The name of its folder, by which reports name it.
    pub delivery: String,
    /// The day the data are of.
    pub delivered: NaiveDate,
    /// The SM3 of the delivered file.
    pub sm3: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The definition it was read by: see [`crate::Source::fingerprint`].
    pub definition: String,
    /// The keys it was blinded with.
    pub keys: String,
    /// Rows of the file.
    pub rows: u64,
    /// Rows that could not be taken.
    pub bad: u64,
    /// Why, each reason of each row counted.
    pub reasons: BTreeMap<String, u64>,
    /// What was taken although the other person of the row could not be read.
    #[serde(default)]
    pub notes: BTreeMap<String, u64>,
    /// Entries by person: a row of two persons is two.
    pub entries: u64,
    /// What was out of the usual and accepted by somebody.
    #[serde(default)]
    pub drift: Vec<String>,
    /// Headings nobody asked for.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// How many first bits of a key choose its part.
    pub bits: u32,
    /// The rows of each part.
    pub parts: Vec<u64>,
}

/// The file of a part (分块文件名).
pub fn part_file(number: usize) -> String {
    format!("part-{number:04}.parquet")
}

impl Manifest {
    /// Reads a delivery's (读取清单).
    ///
    /// # Errors
    /// When there is none, or it is of another layout.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(FILE);
        let bytes = std::fs::read(&file)
            .with_context(|| format!("读不到 {} (no manifest)", file.display()))?;
        let manifest: Self = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} 读不懂 (reading the manifest)", file.display()))?;
        ensure!(
            manifest.layout == LAYOUT,
            "{} 的格式是第 {} 版，本程序读第 {LAYOUT} 版；请重新落地 (another layout)",
            file.display(),
            manifest.layout
        );
        Ok(manifest)
    }

    /// Which part a blinded key stands in.
    pub fn part_of(&self, key: u64) -> usize {
        part_of(key, self.bits)
    }
}

/// Which part a blinded key stands in.
pub(crate) fn part_of(key: u64, bits: u32) -> usize {
    if bits == 0 {
        return 0;
    }
    usize::try_from(key >> (64 - bits)).unwrap_or(0)
}

/// The landed deliveries of a source (已落地的交换), oldest first.
///
/// # Errors
/// When the folder cannot be read.
pub fn deliveries(store: &Path, source: &str) -> anyhow::Result<Vec<(PathBuf, Manifest)>> {
    let folder = store.join(source);
    let mut names: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(fault) => return Err(fault).with_context(|| format!("{}", folder.display())),
    };
    names.retain(|path| {
        path.is_dir()
            && path
                .file_name()
                .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
    });
    names.sort();
    names
        .into_iter()
        .map(|path| Manifest::read(&path).map(|manifest| (path, manifest)))
        .collect()
}
