//! A population as a folder of Parquet files (分块写出): `households-NNNNN.parquet`, ordered by community and household.
//!
//! Guarantees: the bytes of every file depend on seed, size, places, day and compression alone, not on threads; a file
//! appears under its name only when it is whole; memory holds a block and a row group a thread, whatever the size.
//! Deliberately absent: the manifest. Whoever calls knows the rule book and writes it.

use crate::columns::schema;
use crate::given::{Form, What};
use crate::population::{Block, Population};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A row group ends when it holds so many people, some 64 000 households.
const ROW_GROUP: u64 = 8 << 14;
/// A part ends when it holds so many people, if nothing else is wished (每块人数).
pub const PART: u64 = 2 * ROW_GROUP;

/// How pages are packed (压缩方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Quick to read.
    Snappy,
    /// Smaller.
    Zstd,
}

/// A file written (一个分块).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// `households-00000.parquet`
    pub file: String,
    /// Its households.
    pub households: u64,
    /// Their members.
    pub people: u64,
    /// SM3 of its bytes, in hexadecimal digits.
    pub sm3: String,
}

/// Why a population could not be written (写出失败).
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// The folder.
    #[error("无法写入 {file}：{fault} (writing the population)")]
    File {
        /// Which file.
        file: String,
        /// What the system said.
        fault: std::io::Error,
    },
    /// The columns.
    #[error("无法编码 {file}：{fault} (encoding the population)")]
    Columns {
        /// Which file.
        file: String,
        /// What the writer said.
        fault: parquet::errors::ParquetError,
    },
}

/// Writes a population into a folder that exists (写出人口): a part ends with the block that brings it to so many people;
/// with so many threads; tells `progress` the people written since the last time.
///
/// # Errors
/// When a file cannot be written. Files already whole stay.
pub fn write(
    population: &Population,
    folder: &Path,
    packing: Packing,
    people_a_part: u64,
    threads: usize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Part>, Unwritten> {
    let parts = parts(population.blocks(), people_a_part);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done = Mutex::new(vec![None; parts.len()]);
    let fault = Mutex::new(None);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(blocks) = parts.get(number) else {
                return;
            };
            match write_part(population, blocks, folder, number, packing, progress) {
                Ok(part) => {
                    if let Ok(mut done) = done.lock() {
                        done[number] = Some(part);
                    }
                }
                Err(met) => {
                    stop.store(true, Ordering::Relaxed);
                    if let Ok(mut fault) = fault.lock() {
                        fault.get_or_insert(met);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, parts.len().max(1)) {
            scope.spawn(work);
        }
    });
    if let Ok(Some(fault)) = fault.into_inner() {
        return Err(fault);
    }
    let done = done.into_inner().unwrap_or_default();
    Ok(done.into_iter().flatten().collect())
}

/// Blocks that go into one file.
fn parts(blocks: &[Block], people_a_part: u64) -> Vec<&[Block]> {
    let mut parts = Vec::new();
    let (mut from, mut people) = (0, 0);
    for (at, block) in blocks.iter().enumerate() {
        people += block.people;
        if people >= people_a_part {
            parts.push(&blocks[from..=at]);
            (from, people) = (at + 1, 0);
        }
    }
    if from < blocks.len() {
        parts.push(&blocks[from..]);
    }
    parts
}

fn write_part(
    population: &Population,
    blocks: &[Block],
    folder: &Path,
    number: usize,
    packing: Packing,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Part, Unwritten> {
    let file = format!("households-{number:05}.parquet");
    let unfinished = folder.join(format!("{file}.part"));
    let in_file = |fault| Unwritten::File {
        file: file.clone(),
        fault,
    };
    let in_columns = |fault| Unwritten::Columns {
        file: file.clone(),
        fault,
    };
    let out = Summed::new(File::create(&unfinished).map_err(in_file)?);
    let schema = schema();
    let mut writer =
        ArrowWriter::try_new(out, schema.clone(), Some(properties(packing))).map_err(in_columns)?;
    let (mut households, mut people, mut in_group) = (0, 0, 0);
    for block in blocks {
        let batch = population.draw(*block).batch(&schema);
        let batch = batch.map_err(|fault| in_columns(fault.into()))?;
        writer.write(&batch).map_err(in_columns)?;
        households += batch.num_rows() as u64;
        people += block.people;
        in_group += block.people;
        if in_group >= ROW_GROUP {
            writer.flush().map_err(in_columns)?;
            in_group = 0;
        }
        progress(block.people);
    }
    let sm3 = writer
        .into_inner()
        .map_err(in_columns)?
        .finish()
        .map_err(in_file)?;
    std::fs::rename(&unfinished, folder.join(&file)).map_err(in_file)?;
    Ok(Part {
        file,
        households,
        people,
        sm3,
    })
}

/// Numbers that differ from row to row are written plain, the rest by their place in a dictionary; only what parts are sorted
/// by has statistics.
fn properties(packing: Packing) -> WriterProperties {
    let compression = match packing {
        Packing::Snappy => Compression::SNAPPY,
        Packing::Zstd => Compression::ZSTD(ZstdLevel::default()),
    };
    let mut properties = WriterProperties::builder()
        .set_compression(compression)
        .set_created_by("huimin synth".to_owned())
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::None);
    let rising = ["household", "region", "members.list.item.person"];
    for column in rising {
        let path = ColumnPath::from(parts_of(column));
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path, EnabledStatistics::Chunk);
    }
    let many = |what: &&What| {
        what.form() == Form::Number
            && !matches!(
                what,
                What::Vehicles
                    | What::ChildrenEver
                    | What::Houses
                    | What::SameKindCare
                    | What::SameKindLiving
            )
    };
    for what in What::ALL.iter().filter(many) {
        let name = if what.of_household() {
            what.id().to_owned()
        } else {
            format!("members.list.item.{}", what.id())
        };
        let path = ColumnPath::from(parts_of(&name));
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    properties.build()
}

fn parts_of(column: &str) -> Vec<String> {
    column.split('.').map(str::to_owned).collect()
}

/// A file whose bytes are summed up as they are written.
struct Summed {
    out: BufWriter<File>,
    sum: sm3::Sm3,
}

impl Summed {
    fn new(file: File) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 20, file),
            sum: sm3::Digest::new(),
        }
    }

    fn finish(mut self) -> std::io::Result<String> {
        self.out.flush()?;
        Ok(hex::encode(sm3::Digest::finalize(self.sum)))
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        sm3::Digest::update(&mut self.sum, &bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
