//! What a snapshot folder holds (快照文件夹): the manifest and the names of its parts.
//!
//! ```text
//! manifest.json               place, day, knowledge, rule book, parts
//! households-NNNNN.parquet    one row a household, sorted by region and household
//! payments-NNNNN.parquet      what is in payment to the households of that part
//! findings-NNNNN.parquet      what a sweep found there; sweep.json says for which day and book
//! nights-, shares-, soon-, changes-…    what the next night needs to decide only what changed
//! ```
//!
//! A later part replaces the households it holds, and those its entry names as gone. Guarantees: a folder whose
//! manifest cannot be read whole is not read at all. Deliberately absent: names, numbers and addresses of people.

use crate::folder::Folder;
use anyhow::{Context, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use policy::Book;
use serde::{Deserialize, Serialize};

/// The version of this layout (格式版本).
pub const LAYOUT: u32 = 1;
pub(crate) const MANIFEST: &str = "manifest.json";

/// What a snapshot folder holds (快照清单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the layout.
    pub layout: u32,
    /// The pack it was made with.
    pub place: String,
    /// The day it shows.
    pub as_of: NaiveDate,
    /// As known at this moment; `None` means everything known when it was made.
    #[serde(default)]
    pub known_at: Option<DateTime<Utc>>,
    /// The last journal entry taken in; 0 for an invented population.
    #[serde(default)]
    pub journal: i64,
    /// The version of the rule book its columns were chosen by.
    pub pack_version: String,
    /// Its fingerprint.
    pub pack_hash: String,
    /// How many people.
    pub people: u64,
    /// How many households.
    pub households: u64,
    /// The parts, oldest first.
    pub parts: Vec<Part>,
}

/// One part (分块).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file with the households: `households-00000.parquet`.
    pub file: String,
    /// Its households.
    pub rows: u64,
    /// Their members.
    pub people: u64,
    /// Its SM3; empty where the maker did not say.
    #[serde(default)]
    pub sm3: String,
    /// The file with their payments, if any is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payments: Option<String>,
    /// Whether it holds later rows of households that stand in earlier parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delta: bool,
    /// Households of earlier parts that are no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<i64>,
}

impl Part {
    /// The number in its name.
    pub fn number(&self) -> &str {
        self.file
            .trim_start_matches("households-")
            .trim_end_matches(".parquet")
    }

    /// The file a sweep writes for it.
    pub fn findings(&self) -> String {
        format!("findings-{}.parquet", self.number())
    }
}

/// The name of a part's file (分块文件名).
pub fn households_file(number: usize) -> String {
    format!("households-{number:05}.parquet")
}

/// The name of a part's payments (发放文件名).
pub fn payments_file(number: usize) -> String {
    format!("payments-{number:05}.parquet")
}

impl Manifest {
    /// Of a folder that holds nothing yet (空清单).
    pub fn empty(book: &Book, as_of: NaiveDate) -> Self {
        Self {
            layout: LAYOUT,
            place: book.place().id.clone(),
            as_of,
            known_at: None,
            journal: 0,
            pack_version: book.version().to_owned(),
            pack_hash: book.hash().to_owned(),
            people: 0,
            households: 0,
            parts: Vec::new(),
        }
    }

    /// Reads a folder's manifest (读取清单).
    ///
    /// # Errors
    /// When there is none, or it is of another layout.
    pub async fn read(folder: &Folder) -> anyhow::Result<Self> {
        Ok(Self::read_with_bytes(folder).await?.0)
    }

    /// Reads a folder's manifest, and the very bytes it was read from.
    pub(crate) async fn read_with_bytes(folder: &Folder) -> anyhow::Result<(Self, bytes::Bytes)> {
        let bytes = folder.read(MANIFEST).await?.with_context(|| {
            format!(
                "{} 不是快照文件夹：没有 {MANIFEST} (no manifest)",
                folder.shown()
            )
        })?;
        let manifest: Self = serde_json::from_slice(&bytes).with_context(|| {
            format!(
                "{} 的 {MANIFEST} 读不懂 (reading the manifest)",
                folder.shown()
            )
        })?;
        ensure!(
            manifest.layout == LAYOUT,
            "{} 的格式是第 {} 版，本程序读第 {LAYOUT} 版；请重新生成快照 (another layout)",
            folder.shown(),
            manifest.layout
        );
        Ok((manifest, bytes))
    }

    /// Writes it (写入清单): after this, what it lists counts.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub async fn write(&self, folder: &Folder) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        folder.write(MANIFEST, text).await
    }
}
