//! Rows that go back to the department (退回行): each with its row number, every column that is wrong, and why.
//!
//! They hold identity numbers as written, so they lie sealed beside the delivery until somebody exports them.
//! Guarantees: every bad row is there with all its reasons. Deliberately absent: who may export.

use crate::checked::{Reason, Wrong};
use crate::raw::RawBatch;
use crate::source::Source;
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use sheets::{Column, Encoding, Field, Kind, Table};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;
use store::Keys;

/// The file beside the parts.
pub(crate) const FILE: &str = "returned.sealed";
/// Bytes sealed together.
const TOGETHER: usize = 1 << 20;

/// A row that was not taken (退回行).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Returned {
    /// Its row in the file.
    pub row: u64,
    /// The columns wrong and why, by id and word.
    pub wrong: Vec<(String, String)>,
    /// Its cells, in the order of the source's columns.
    pub cells: Vec<String>,
}

/// The bad rows of a batch.
pub(crate) fn of(source: &Source, raw: &RawBatch, wrong: &[Wrong]) -> Vec<Returned> {
    let mut wrong = wrong.to_vec();
    wrong.sort_unstable();
    wrong
        .chunk_by(|one, next| one.at == next.at)
        .map(|these| {
            let at = these[0].at as usize;
            Returned {
                row: raw.row(at),
                wrong: these
                    .iter()
                    .map(|one| {
                        let column = source.columns.get(one.column as usize);
                        let id = column.map_or(String::new(), |column| column.id.clone());
                        (id, one.reason.word().to_owned())
                    })
                    .collect(),
                cells: raw
                    .columns
                    .iter()
                    .map(|column| column.at(at).shown())
                    .collect(),
            }
        })
        .collect()
}

/// Takes in bad rows of all workers.
pub(crate) struct Bin<'a> {
    inside: Mutex<(File, Vec<u8>)>,
    keys: &'a Keys,
    purpose: String,
}

impl<'a> Bin<'a> {
    pub(crate) fn new(file: &Path, keys: &'a Keys, source: &str) -> anyhow::Result<Self> {
        let made = File::create_new(file)
            .with_context(|| format!("无法写入 {} (returned rows)", file.display()))?;
        Ok(Self {
            inside: Mutex::new((made, Vec::new())),
            keys,
            purpose: purpose(source),
        })
    }

    pub(crate) fn put(&self, rows: &[Returned]) -> anyhow::Result<()> {
        let mut text = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut text, row)?;
            text.push(b'\n');
        }
        let mut inside = self
            .inside
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        inside.1.append(&mut text);
        if inside.1.len() >= TOGETHER {
            self.flush(&mut inside)?;
        }
        Ok(())
    }

    fn flush(&self, (file, buffer): &mut (File, Vec<u8>)) -> anyhow::Result<()> {
        let small = zstd::bulk::compress(buffer, 1)?;
        let sealed = self.keys.seal_bytes(&small, self.purpose.as_bytes());
        file.write_all(&u64::try_from(sealed.len())?.to_le_bytes())?;
        file.write_all(&u64::try_from(buffer.len())?.to_le_bytes())?;
        file.write_all(&sealed)
            .context("写退回行失败，请检查磁盘空间")?;
        buffer.clear();
        Ok(())
    }

    pub(crate) fn close(self) -> anyhow::Result<()> {
        let mut inside = self
            .inside
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !inside.1.is_empty() {
            self.flush(&mut inside)?;
        }
        inside.0.sync_all()?;
        Ok(())
    }
}

fn purpose(source: &str) -> String {
    format!("verify.returned.{source}")
}

/// The bad rows of a delivery (读取退回行), by row.
///
/// # Errors
/// When the file is missing or was sealed with other keys.
pub fn read(folder: &Path, source: &Source, keys: &Keys) -> anyhow::Result<Vec<Returned>> {
    let file = folder.join(FILE);
    let mut bytes = Vec::new();
    File::open(&file)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .with_context(|| format!("读不到 {}", file.display()))?;
    let mut rows: Vec<Returned> = Vec::new();
    let mut rest = &bytes[..];
    while let Some((head, tail)) = rest.split_at_checked(16) {
        let number = |from: usize| -> anyhow::Result<usize> {
            Ok(usize::try_from(u64::from_le_bytes(
                head[from..from + 8].try_into()?,
            ))?)
        };
        let (sealed, clear) = (number(0)?, number(8)?);
        ensure!(clear < 1 << 30, "a block is too large");
        let (block, tail) = tail.split_at_checked(sealed).context("a block is cut")?;
        let small = keys.unseal_bytes(block, purpose(&source.id).as_bytes())?;
        let text = zstd::bulk::decompress(&small, clear)?;
        for line in text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            rows.push(serde_json::from_slice(line)?);
        }
        rest = tail;
    }
    rows.sort();
    Ok(rows)
}

/// The bad rows as a table for the department (退回表): row, cells as delivered, reasons in words.
///
/// # Errors
/// When it is larger than a sheet; a csv takes more than a workbook.
pub fn table(source: &Source, rows: &[Returned], workbook: bool) -> anyhow::Result<Vec<u8>> {
    let mut columns = vec![Column::new("行号", Kind::Text, 8)];
    for column in &source.columns {
        columns.push(Column::new(column.headings[0].clone(), Kind::Text, 20));
    }
    columns.push(Column::new("退回原因", Kind::Text, 60));
    let lines = rows
        .iter()
        .map(|row| {
            let mut fields = vec![Field::Text(row.row.to_string())];
            for at in 0..source.columns.len() {
                fields.push(Field::Text(row.cells.get(at).cloned().unwrap_or_default()));
            }
            fields.push(Field::Text(said(source, row)));
            fields
        })
        .collect();
    let table = Table {
        name: "退回".to_owned(),
        notes: Vec::new(),
        columns,
        rows: lines,
        open_rows: 0,
    };
    let made = if workbook {
        sheets::xlsx(std::slice::from_ref(&table))
    } else {
        sheets::csv(&table, Encoding::Utf8Bom)
    };
    made.map_err(|fault| anyhow::anyhow!("{fault}"))
}

/// The reasons of a row in words (退回说明).
pub fn said(source: &Source, row: &Returned) -> String {
    let each = row.wrong.iter().map(|(column, word)| -> String {
        let heading = source.column(column).map_or(column.as_str(), |at| {
            source.columns[at].headings[0].as_str()
        });
        let reason = Reason::ALL.into_iter().find(|reason| reason.word() == word);
        let why = reason.map_or(word.as_str(), |reason| reason.zh());
        format!("{heading}：{why}")
    });
    each.collect::<Vec<_>>().join("；")
}
