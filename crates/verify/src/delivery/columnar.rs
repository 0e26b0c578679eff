//! Parquet files (列式文件): each worker takes the next row group nobody has.

use super::{BATCH, Unreadable, places};
use crate::raw::{RawBatch, RawColumn};
use crate::source::Source;
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::serialized_reader::SerializedPageReader;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is read of a file (读取计划).
#[derive(Debug)]
pub(crate) struct Plan {
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    /// For each column of the source its place among those read.
    places: Vec<Option<usize>>,
    /// The row each row group begins with.
    starts: Vec<u64>,
    pub(crate) rows: u64,
    pub(crate) ignored: Vec<String>,
}

impl Plan {
    pub(crate) fn open(source: &Source, path: &Path) -> Result<Self, Unreadable> {
        Self::of(source, path, |_| true)
    }

    /// As [`Plan::open`], for some columns only.
    pub(crate) fn of(
        source: &Source,
        path: &Path,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Self, Unreadable> {
        let file =
            File::open(path).map_err(|fault| Unreadable::NotThere(path.to_owned(), fault))?;
        // What a program noted of its own types beside the columns is not needed, and when it is damaged its reader panics.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let plain = ArrowReaderMetadata::load(&file, options).map_err(damaged)?;
        // Texts are read as views: nothing is copied until it is looked at.
        let fields: Vec<_> = plain
            .schema()
            .fields()
            .iter()
            .map(|field| match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 => Arc::new(Field::new(
                    field.name(),
                    DataType::Utf8View,
                    field.is_nullable(),
                )),
                _ => Arc::clone(field),
            })
            .collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(damaged)?;
        let headings: Vec<String> = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let (found, ignored) = places(source, &headings)?;
        let mut roots: Vec<usize> = found
            .iter()
            .enumerate()
            .filter(|(at, _)| wanted(*at))
            .filter_map(|(_, place)| *place)
            .collect();
        roots.sort_unstable();
        let places = found
            .iter()
            .map(|place| place.and_then(|place| roots.iter().position(|root| *root == place)))
            .collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        let mut starts = Vec::new();
        let mut rows = 0_u64;
        for group in metadata.metadata().row_groups() {
            starts.push(rows + 1);
            rows += u64::try_from(group.num_rows()).unwrap_or(0);
        }
        for root in roots {
            let field = metadata.schema().field(root);
            let exact = matches!(
                field.data_type(),
                DataType::Utf8View
                    | DataType::Date32
                    | DataType::Int8
                    | DataType::Int16
                    | DataType::Int32
                    | DataType::Int64
                    | DataType::UInt8
                    | DataType::UInt16
                    | DataType::UInt32
            );
            if !exact {
                return Err(Unreadable::ColumnType(
                    field.name().clone(),
                    field.data_type().to_string(),
                ));
            }
        }
        Ok(Self {
            metadata,
            mask,
            places,
            starts,
            rows,
            ignored,
        })
    }

    /// The reader makes room for as many values as a dictionary says it has, before it looks: two milliards of them in a page of ten
    /// bytes, and the program is gone. A value takes a byte at least.
    fn dictionaries_hold(&self, file: &Arc<File>, group: usize) -> Result<(), Unreadable> {
        let group = self.metadata.metadata().row_group(group);
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let wanted = |(leaf, _): &(usize, _)| self.mask.leaf_included(*leaf);
        for (_, column) in group.columns().iter().enumerate().filter(wanted) {
            let mut pages =
                SerializedPageReader::new(Arc::clone(file), column, rows, None).map_err(damaged)?;
            while let Some(page) = pages.peek_next_page().map_err(damaged)? {
                if !page.is_dict {
                    pages.skip_next_page().map_err(damaged)?;
                    continue;
                }
                if let Some(Page::DictionaryPage {
                    buf, num_values, ..
                }) = pages.get_next_page().map_err(damaged)?
                    && usize::try_from(num_values).map_or(true, |values| values > buf.len())
                {
                    return Err(Unreadable::Damaged("字典页自相矛盾".to_owned()));
                }
            }
        }
        Ok(())
    }
}

/// Reads row groups (列式读取者).
pub struct Columnar<'a> {
    plan: &'a Plan,
    path: &'a Path,
    next: &'a AtomicUsize,
    reader: Option<ParquetRecordBatchReader>,
    at: u64,
}

impl<'a> Columnar<'a> {
    pub(crate) fn new(plan: &'a Plan, path: &'a Path, next: &'a AtomicUsize) -> Self {
        Self {
            plan,
            path,
            next,
            reader: None,
            at: 0,
        }
    }

    /// The next record batch and the row it begins with.
    pub(crate) fn records(&mut self) -> Result<Option<(u64, RecordBatch)>, Unreadable> {
        loop {
            if let Some(reader) = &mut self.reader {
                if let Some(batch) = reader.next() {
                    let batch = batch.map_err(|fault| Unreadable::Damaged(fault.to_string()))?;
                    let first = self.at;
                    self.at += u64::try_from(batch.num_rows()).unwrap_or(0);
                    return Ok(Some((first, batch)));
                }
                self.reader = None;
            }
            let group = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(start) = self.plan.starts.get(group) else {
                return Ok(None);
            };
            self.at = *start;
            let file = File::open(self.path)
                .map_err(|fault| Unreadable::NotThere(self.path.to_owned(), fault))?;
            let file = Arc::new(file);
            self.plan.dictionaries_hold(&file, group)?;
            let file = file
                .try_clone()
                .map_err(ParquetError::from)
                .map_err(damaged)?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
                file,
                self.plan.metadata.clone(),
            );
            let reader = builder
                .with_projection(self.plan.mask.clone())
                .with_row_groups(vec![group])
                .with_batch_size(BATCH)
                .build()
                .map_err(damaged)?;
            self.reader = Some(reader);
        }
    }

    /// The columns of the source out of a record batch.
    pub(crate) fn columns(&self, batch: &RecordBatch) -> Result<Vec<RawColumn>, Unreadable> {
        self.plan
            .places
            .iter()
            .map(|place| match place {
                None => Ok(RawColumn::Absent),
                Some(place) => RawColumn::of_arrow(batch.column(*place)).ok_or_else(|| {
                    let schema = batch.schema();
                    let field = schema.field(*place);
                    Unreadable::ColumnType(field.name().clone(), field.data_type().to_string())
                }),
            })
            .collect()
    }

    pub(crate) fn batch(&mut self) -> Result<Option<RawBatch>, Unreadable> {
        let Some((first_row, batch)) = self.records()? else {
            return Ok(None);
        };
        Ok(Some(RawBatch {
            first_row,
            lines: Vec::new(),
            rows: batch.num_rows(),
            columns: self.columns(&batch)?,
            ragged: Vec::new(),
        }))
    }

    /// Where a column of the source stands among those read.
    pub(crate) fn place(&self, column: usize) -> Option<usize> {
        self.plan.places.get(column).copied().flatten()
    }
}

fn damaged(fault: ParquetError) -> Unreadable {
    Unreadable::Damaged(fault.to_string())
}
