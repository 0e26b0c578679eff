//! Parquet columns as plain numbers (列读取): only the columns wanted, decoded row group by row group straight into slices.
//!
//! Flags are 0 and 1, days are counted from the common era, everything else is the number itself. Guarantees: a null is an
//! absent cell. Deliberately absent: lists and texts; the flat files of the peers have none.

use anyhow::{Context, bail, ensure};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use policy::States;
use policy::table::{ABSENT, EPOCH, KNOWN};
use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// A Parquet file whose columns are known by name (文件).
pub(crate) struct Columns {
    reader: SerializedFileReader<File>,
    names: Vec<String>,
}

impl Columns {
    pub(crate) fn open(folder: &Path, file: &str) -> anyhow::Result<Self> {
        let path = folder.join(file);
        let opened = File::open(&path).with_context(|| path.display().to_string())?;
        let reader = SerializedFileReader::new(opened)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let names = schema
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        Ok(Self { reader, names })
    }

    pub(crate) fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    pub(crate) fn rows(&self) -> anyhow::Result<usize> {
        Ok(usize::try_from(
            self.reader.metadata().file_metadata().num_rows(),
        )?)
    }

    /// Where a column stands; `None` when the file does not have it.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Reads some columns of a row group into cells, in the order of `wanted`; a column that is not there stays empty.
    pub(crate) fn read(
        &self,
        group: usize,
        wanted: &[Option<usize>],
        into: &mut [Cells],
        scratch: &mut Scratch,
    ) -> anyhow::Result<usize> {
        let reader = self.reader.get_row_group(group)?;
        let rows = usize::try_from(reader.metadata().num_rows())?;
        for (column, cells) in wanted.iter().zip(into) {
            cells.clear();
            if let Some(column) = column {
                read_column(reader.as_ref(), *column, rows, cells, scratch)?;
            }
        }
        Ok(rows)
    }
}

/// Memory that is used again from column to column (暂存).
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    flags: Vec<bool>,
    small: Vec<i32>,
    levels: Vec<i16>,
}

/// A column's values and, where some are unknown, their states (单元格).
#[derive(Debug, Default, Clone)]
pub(crate) struct Cells {
    pub(crate) values: Vec<i64>,
    /// Empty when all are known.
    pub(crate) states: Vec<u8>,
}

impl Cells {
    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.states.clear();
    }

    /// A part of it as a column of a table.
    pub(crate) fn column(&self, range: Range<usize>) -> policy::Column<'_> {
        if self.values.is_empty() {
            return policy::Column::ABSENT;
        }
        let states = if self.states.is_empty() {
            States::AllKnown
        } else {
            States::Each(Cow::Borrowed(&self.states[range.clone()]))
        };
        policy::Column {
            values: Cow::Borrowed(&self.values[range]),
            states,
            denominators: None,
        }
    }

    /// Puts a part of another behind this.
    pub(crate) fn extend(&mut self, other: &Self, range: Range<usize>) {
        if other.values.is_empty() {
            return;
        }
        if !other.states.is_empty() || !self.states.is_empty() {
            self.states.resize(self.values.len(), KNOWN);
            match other.states.get(range.clone()) {
                Some(states) => self.states.extend_from_slice(states),
                None => self.states.resize(self.values.len() + range.len(), KNOWN),
            }
        }
        self.values.extend_from_slice(&other.values[range]);
    }
}

fn read_column(
    group: &dyn RowGroupReader,
    column: usize,
    rows: usize,
    cells: &mut Cells,
    scratch: &mut Scratch,
) -> anyhow::Result<()> {
    let described = group.metadata().column(column);
    let descriptor = described.column_descr();
    ensure!(
        descriptor.max_rep_level() == 0,
        "{} 是列表 (a list)",
        descriptor.name()
    );
    let days = descriptor.converted_type() == parquet::basic::ConvertedType::DATE;
    let optional = descriptor.max_def_level() > 0;
    let levels = &mut scratch.levels;
    levels.clear();
    match group.get_column_reader(column)? {
        ColumnReader::BoolColumnReader(mut reader) => {
            scratch.flags.clear();
            read_all(&mut reader, rows, optional, levels, &mut scratch.flags)?;
            cells
                .values
                .extend(scratch.flags.iter().map(|flag| i64::from(*flag)));
        }
        ColumnReader::Int32ColumnReader(mut reader) => {
            scratch.small.clear();
            read_all(&mut reader, rows, optional, levels, &mut scratch.small)?;
            let shift = if days { EPOCH } else { 0 };
            cells
                .values
                .extend(scratch.small.iter().map(|value| i64::from(*value) + shift));
        }
        ColumnReader::Int64ColumnReader(mut reader) => {
            read_all(&mut reader, rows, optional, levels, &mut cells.values)?;
        }
        _ => bail!(
            "{} 的类型读不了 (a type this program does not read)",
            descriptor.name()
        ),
    }
    if cells.values.len() < rows {
        spread(cells, levels, rows);
    }
    Ok(())
}

fn read_all<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
    levels: &mut Vec<i16>,
    values: &mut Vec<T::T>,
) -> anyhow::Result<()> {
    values.reserve(rows);
    let mut read = 0;
    while read < rows {
        let levels = optional.then_some(&mut *levels);
        let (records, _, _) = reader.read_records(rows - read, levels, None, values)?;
        ensure!(records > 0, "文件比它自己说的短 (the file ends too early)");
        read += records;
    }
    Ok(())
}

/// Known values stand one after the other; puts them where they belong.
fn spread(cells: &mut Cells, levels: &[i16], rows: usize) {
    let known = std::mem::replace(&mut cells.values, Vec::with_capacity(rows));
    let mut known = known.into_iter();
    for level in levels.iter().take(rows) {
        let value = if *level > 0 { known.next() } else { None };
        cells.values.push(value.unwrap_or(0));
        cells
            .states
            .push(if value.is_some() { KNOWN } else { ABSENT });
    }
}
