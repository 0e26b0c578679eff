//! A part of a landed delivery (落地分块): one Parquet file, sorted by the blinded key of the person.
//!
//! ```text
//! key      unsigned 64, sorted        other    unsigned 64, null where unknown
//! <id>     each column that is figured with: money in fen, area in cm², days, places of codes, marks of names and numbers
//! sealed   binary: in every 512th row the texts of these 512 rows, compressed and sealed; else null
//! ```
//!
//! Guarantees: no identity number, name, account or address can be read in it without the key file; the pages a few
//! people stand in are found by the page index, so one household costs a few pages of each source. Deliberately
//! absent: which delivery is meant.

use crate::checked::{ABSENT, take_text};
use crate::source::{ColumnKind, Source};
use crate::spill::Rows;
use anyhow::{Context, ensure};
use arrow_array::builder::BinaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Keys;

/// Rows whose texts are sealed together.
pub(crate) const SEALED: usize = 512;
/// Rows of a page: what is read for one person.
const PAGE: usize = 4_096;
/// Rows read together.
const TOGETHER: usize = 65_536;

/// Which column of a source is which number.
pub(crate) fn figured(source: &Source) -> Vec<usize> {
    (0..source.columns.len())
        .filter(|at| source.columns[*at].kind.is_figured())
        .collect()
}

fn is_small(kind: &ColumnKind) -> bool {
    matches!(
        kind,
        ColumnKind::Date | ColumnKind::Month | ColumnKind::Code(_)
    )
}

/// Writes a part (写分块), sorted here.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    file: &Path,
    source: &Source,
    purpose: &str,
    keys: &Keys,
    rows: &Rows,
) -> anyhow::Result<()> {
    let mut order: Vec<(u64, u64, u32)> = rows
        .keys
        .iter()
        .zip(&rows.rows)
        .enumerate()
        .map(|(at, (key, row))| (*key, *row, u32::try_from(at).unwrap_or(u32::MAX)))
        .collect();
    order.sort_unstable();
    let mut fields = vec![Field::new("key", DataType::UInt64, false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from_iter_values(
        order.iter().map(|(key, ..)| *key),
    ))];
    if source.of_kind(&ColumnKind::OtherId).is_some() {
        fields.push(Field::new("other", DataType::UInt64, true));
        columns.push(Arc::new(UInt64Array::from_iter(order.iter().map(
            |(.., at)| Some(rows.others[*at as usize]).filter(|other| *other != 0),
        ))));
    }
    for (numbers, column) in rows.numbers.iter().zip(figured(source)) {
        let column = &source.columns[column];
        let known = |at: u32| Some(numbers[at as usize]).filter(|number| *number != ABSENT);
        let blank = numbers.contains(&ABSENT);
        let (kind, array): (DataType, ArrayRef) = if is_small(&column.kind) {
            let small = |at: u32| known(at).and_then(|number| i32::try_from(number).ok());
            (
                DataType::Int32,
                Arc::new(Int32Array::from_iter(
                    order.iter().map(|(.., at)| small(*at)),
                )),
            )
        } else if blank {
            (
                DataType::Int64,
                Arc::new(Int64Array::from_iter(
                    order.iter().map(|(.., at)| known(*at)),
                )),
            )
        } else {
            let all = order.iter().map(|(.., at)| numbers[*at as usize]);
            (DataType::Int64, Arc::new(Int64Array::from_iter_values(all)))
        };
        // Without blanks the column is written as one that has none: its levels need not be read.
        fields.push(Field::new(&column.id, kind, blank));
        columns.push(array);
    }
    fields.push(Field::new("sealed", DataType::Binary, true));
    columns.push(Arc::new(sealed(purpose, keys, rows, &order)?));
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from("key"), EnabledStatistics::Page)
        .set_data_page_row_count_limit(PAGE)
        .set_write_batch_size(PAGE / 4)
        .set_max_row_group_row_count(Some(usize::MAX))
        .set_created_by("huimin verify".to_owned());
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        properties = match field.data_type() {
            DataType::Int32 => properties.set_column_dictionary_enabled(path, true),
            _ => properties.set_column_encoding(path, Encoding::PLAIN),
        };
    }
    let out = File::create_new(file)
        .with_context(|| format!("无法写入 {} (writing a part)", file.display()))?;
    let mut writer = ArrowWriter::try_new(out, schema, Some(properties.build()))?;
    writer.write(&batch)?;
    writer.into_inner()?.sync_all()?;
    Ok(())
}

fn sealed(
    purpose: &str,
    keys: &Keys,
    rows: &Rows,
    order: &[(u64, u64, u32)],
) -> anyhow::Result<arrow_array::BinaryArray> {
    let mut starts = Vec::with_capacity(rows.lengths.len());
    let mut at = 0_usize;
    for length in &rows.lengths {
        starts.push(at);
        at += *length as usize;
    }
    let mut out = BinaryBuilder::with_capacity(order.len(), rows.evidence.len() / 2);
    let mut block = Vec::new();
    for (number, part) in order.chunks(SEALED).enumerate() {
        block.clear();
        for (_, row, at) in part {
            let from = starts[*at as usize];
            let text = &rows.evidence[from..from + rows.lengths[*at as usize] as usize];
            block.extend_from_slice(&row.to_le_bytes());
            block.extend_from_slice(&u32::try_from(text.len())?.to_le_bytes());
            block.extend_from_slice(text);
        }
        let small = zstd::bulk::compress(&block, 1).context("compressing a block")?;
        out.append_value(keys.seal_bytes(&small, format!("{purpose}/{number}").as_bytes()));
        out.append_nulls(part.len() - 1);
    }
    Ok(out.finish())
}

/// A part, opened for asking (打开的分块).
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// The first and last key of each page, and the row it begins with.
    pages: Vec<(u64, u64, usize)>,
    rows: usize,
}

/// Rows of a part that belong to people asked for (命中批次).
pub struct Hits<'a> {
    /// The keys of the rows read.
    pub keys: &'a [u64],
    /// The keys of the other persons.
    pub others: Option<&'a UInt64Array>,
    /// The numbers asked for.
    pub numbers: Vec<Numbers<'a>>,
}

/// A column of numbers as it lies in a part (数字列).
pub enum Numbers<'a> {
    /// Sixty-four bits.
    Wide(&'a Int64Array),
    /// Thirty-two.
    Small(&'a Int32Array),
}

impl Numbers<'_> {
    /// A number, or [`ABSENT`].
    #[inline]
    pub fn at(&self, row: usize) -> i64 {
        match self {
            Self::Wide(array) if array.is_valid(row) => array.value(row),
            Self::Small(array) if array.is_valid(row) => i64::from(array.value(row)),
            _ => ABSENT,
        }
    }
}

/// What was delivered about somebody, in words (原始记录).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The row of the delivery.
    pub row: u64,
    /// The identity number as written, where it was written otherwise.
    pub written: Option<String>,
    /// The other person's.
    pub other_written: Option<String>,
    /// The texts shown, by column id.
    pub texts: Vec<(String, String)>,
}

impl Part {
    /// Opens a part.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let at = || {
            format!(
                "{} 已损坏或缺失；请重新落地这次交换的数据 (a part)",
                path.display()
            )
        };
        let file = File::open(path).with_context(at)?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = ArrowReaderMetadata::load(&file, options).with_context(at)?;
        let inside = metadata.metadata();
        ensure!(inside.num_row_groups() == 1, "a part has one row group");
        let rows = usize::try_from(inside.row_group(0).num_rows())?;
        let key = inside
            .column_index()
            .and_then(|index| index.first()?.first())
            .with_context(at)?;
        let offsets = inside
            .offset_index()
            .and_then(|index| index.first()?.first())
            .with_context(at)?;
        let ColumnIndexMetaData::INT64(index) = key else {
            anyhow::bail!("the key has no page index");
        };
        let bits = |number: &i64| u64::from_le_bytes(number.to_le_bytes());
        let mut pages = Vec::new();
        for (number, page) in offsets.page_locations().iter().enumerate() {
            let (Some(first), Some(last)) = (index.min_value(number), index.max_value(number))
            else {
                anyhow::bail!("a page has no smallest and largest key");
            };
            pages.push((
                bits(first),
                bits(last),
                usize::try_from(page.first_row_index)?,
            ));
        }
        Ok(Self {
            path: path.to_owned(),
            metadata,
            pages,
            rows,
        })
    }

    /// The rows of the pages in which one of the keys may stand.
    fn near(&self, asked: &[u64]) -> Vec<Range<usize>> {
        let mut near: Vec<Range<usize>> = Vec::new();
        let mut rest = asked;
        for (number, (first, last, from)) in self.pages.iter().enumerate() {
            rest = &rest[rest.partition_point(|key| key < first)..];
            if rest.first().is_some_and(|key| key <= last) {
                let to = self.pages.get(number + 1).map_or(self.rows, |next| next.2);
                match near.last_mut() {
                    Some(before) if before.end == *from => before.end = to,
                    _ => near.push(*from..to),
                }
            }
        }
        near
    }

    /// Reads the rows near the keys (查找), which are sorted, with some of the columns; `each` gets them with the row of the first
    /// one of each run: batches come run by run.
    ///
    /// # Errors
    /// When the part cannot be read.
    pub fn find(
        &self,
        asked: &[u64],
        columns: &[&str],
        mut each: impl FnMut(&Hits<'_>, &dyn Fn(usize) -> usize),
    ) -> anyhow::Result<()> {
        let near = self.near(asked);
        if near.is_empty() {
            return Ok(());
        }
        let schema = self.metadata.schema();
        let mut wanted: Vec<usize> = Vec::new();
        for name in ["key", "other"].iter().chain(columns) {
            if let Ok(at) = schema.index_of(name) {
                wanted.push(at);
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), wanted);
        let selected: usize = near.iter().map(Range::len).sum();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            File::open(&self.path)?,
            self.metadata.clone(),
        )
        .with_projection(mask)
        .with_batch_size(TOGETHER.min(selected));
        if selected < self.rows {
            let chosen = RowSelection::from_consecutive_ranges(near.iter().cloned(), self.rows);
            builder = builder.with_row_selection(chosen);
        }
        let mut read = 0;
        for batch in builder.build()? {
            let batch = batch.with_context(|| format!("reading {}", self.path.display()))?;
            let column = |name: &str| batch.column_by_name(name);
            let hits = Hits {
                keys: column("key")
                    .context("no key")?
                    .as_primitive::<UInt64Type>()
                    .values(),
                others: column("other").map(AsArray::as_primitive::<UInt64Type>),
                numbers: columns
                    .iter()
                    .map(|name| {
                        let array = column(name).with_context(|| format!("no column {name}"))?;
                        Ok(match array.data_type() {
                            DataType::Int32 => Numbers::Small(array.as_primitive::<Int32Type>()),
                            _ => Numbers::Wide(array.as_primitive::<Int64Type>()),
                        })
                    })
                    .collect::<anyhow::Result<_>>()?,
            };
            let before = read;
            each(&hits, &|row| {
                let mut left = before + row;
                for range in &near {
                    if left < range.len() {
                        return range.start + left;
                    }
                    left -= range.len();
                }
                self.rows
            });
            read += batch.num_rows();
        }
        Ok(())
    }

    /// What was delivered in some rows (调阅原始记录), sorted.
    ///
    /// # Errors
    /// When the part cannot be read, or was sealed with other keys.
    pub fn evidence(
        &self,
        source: &Source,
        purpose: &str,
        keys: &Keys,
        rows: &[usize],
    ) -> anyhow::Result<Vec<Evidence>> {
        let mut blocks: Vec<usize> = rows.iter().map(|row| row / SEALED).collect();
        blocks.dedup();
        if blocks.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.metadata.schema();
        let mask =
            ProjectionMask::roots(self.metadata.parquet_schema(), [schema.index_of("sealed")?]);
        let ranges = blocks
            .iter()
            .map(|block| block * SEALED..block * SEALED + 1);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(
            File::open(&self.path)?,
            self.metadata.clone(),
        )
        .with_projection(mask)
        .with_row_selection(RowSelection::from_consecutive_ranges(ranges, self.rows))
        .build()?;
        let mut found = Vec::new();
        let mut rows = rows.iter().peekable();
        let mut number = 0;
        for batch in reader {
            let batch = batch?;
            for sealed in batch.column(0).as_binary::<i32>() {
                let block = *blocks.get(number).context("a block too many")?;
                number += 1;
                let small = keys.unseal_bytes(
                    sealed.context("a block is missing")?,
                    format!("{purpose}/{block}").as_bytes(),
                )?;
                let clear =
                    zstd::bulk::decompress(&small, 8 << 20).context("a block is damaged")?;
                let mut rest = &clear[..];
                for at in block * SEALED.. {
                    let Some((head, tail)) = rest.split_at_checked(12) else {
                        break;
                    };
                    let length = u32::from_le_bytes(head[8..].try_into()?) as usize;
                    let (text, tail) = tail.split_at_checked(length).context("a block is cut")?;
                    if rows.next_if(|row| **row == at).is_some() {
                        let row = u64::from_le_bytes(head[..8].try_into()?);
                        found.push(read_evidence(source, row, text).context("a row is damaged")?);
                    }
                    rest = tail;
                }
            }
        }
        Ok(found)
    }
}

fn read_evidence(source: &Source, row: u64, bytes: &[u8]) -> Option<Evidence> {
    let (written, rest) = take_text(bytes)?;
    let (other, mut rest) = take_text(rest)?;
    let mut texts = Vec::new();
    for column in source
        .columns
        .iter()
        .filter(|column| column.kind.is_shown())
    {
        let (text, after) = take_text(rest)?;
        rest = after;
        if !text.is_empty() {
            texts.push((column.id.clone(), text.to_owned()));
        }
    }
    let kept = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Some(Evidence {
        row,
        written: kept(written),
        other_written: kept(other),
        texts,
    })
}
