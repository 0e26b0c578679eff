//! From the rule book's columns to Parquet (列写入): households gathered until a part is full, then written as one file.
//!
//! Guarantees: what is read back is the same table to the cell, look-backs and contradictions included; the same rows
//! give the same bytes. A column nobody said anything about is left out of the file. Deliberately absent: choosing what
//! may leave the register; the register does that before anything comes here.

use anyhow::{Context, ensure};
use arrow_array::builder::{Int32Builder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int64Array, ListArray, RecordBatch, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use policy::table::{ABSENT, BROKEN, ColumnDef, EPOCH, KNOWN, States, Table, Words};
use policy::{Kind, Unit};
use std::sync::Arc;

/// Rows decided together when read back: their columns fit the processor's cache.
const ROW_GROUP: usize = 16_384;

/// A column being gathered; nothing is kept while it is absent throughout.
#[derive(Debug, Default)]
struct Gathered {
    length: usize,
    values: Vec<i64>,
    states: Vec<u8>,
    per: Option<Vec<i64>>,
}

impl Gathered {
    fn pad(&mut self) {
        self.values.resize(self.length, 0);
        self.states.resize(self.length, ABSENT);
        if let Some(per) = &mut self.per {
            per.resize(self.length, 1);
        }
    }

    fn is_absent(&self) -> bool {
        self.states.iter().all(|state| *state == ABSENT)
    }
}

/// Households on their way into a part (待写入的分块).
#[derive(Debug)]
pub struct Gathering {
    defs: Vec<ColumnDef>,
    households: Vec<i64>,
    regions: Vec<i64>,
    persons: Vec<i64>,
    offsets: Vec<i32>,
    columns: Vec<Gathered>,
    words: Words,
}

impl Gathering {
    /// For the columns of a book.
    pub fn new(defs: &[ColumnDef]) -> Self {
        Self {
            columns: defs.iter().map(|_| Gathered::default()).collect(),
            defs: defs.to_vec(),
            households: Vec::new(),
            regions: Vec::new(),
            persons: Vec::new(),
            offsets: vec![0],
            words: Words::default(),
        }
    }

    /// How many households were gathered.
    pub fn households(&self) -> usize {
        self.households.len()
    }

    /// How many members they have.
    pub fn people(&self) -> usize {
        self.persons.len()
    }

    /// The households gathered, in order.
    pub fn ids(&self) -> &[i64] {
        &self.households
    }

    /// Takes in a table with the ids of its rows and members (并入).
    ///
    /// # Errors
    /// When ids and table do not match.
    pub fn add(
        &mut self,
        table: &Table<'_>,
        households: &[i64],
        regions: &[i64],
        persons: &[i64],
    ) -> anyhow::Result<()> {
        ensure!(
            households.len() == table.households()
                && regions.len() == households.len()
                && persons.len() == table.members()
                && table.columns.len() == self.defs.len(),
            "the ids of a table do not match its rows"
        );
        let base = *self.offsets.last().unwrap_or(&0);
        for end in &table.offsets[1..] {
            self.offsets.push(base + i32::try_from(*end)?);
        }
        self.households.extend_from_slice(households);
        self.regions.extend_from_slice(regions);
        self.persons.extend_from_slice(persons);
        let numbers = table.words.iter().map(|word| self.words.number(word));
        let renumbered: Vec<i64> = numbers.collect();
        for ((column, def), gathered) in table.columns.iter().zip(&self.defs).zip(&mut self.columns)
        {
            let height = match def.of {
                Unit::Person => table.members(),
                _ => table.households(),
            };
            if matches!(column.states, States::AllAbsent) {
                gathered.length += height;
                if !gathered.values.is_empty() {
                    gathered.pad();
                }
                continue;
            }
            gathered.pad();
            gathered.length += height;
            for at in 0..height {
                let state = column.state(at);
                let value = column.values.get(at).copied().unwrap_or(0);
                let value = match (state, def.kind.is_word()) {
                    (KNOWN, true) => usize::try_from(value)
                        .ok()
                        .and_then(|place| renumbered.get(place))
                        .copied()
                        .context("a word stands in no list")?,
                    (KNOWN, false) => value,
                    _ => 0,
                };
                gathered.values.push(value);
                gathered.states.push(state);
            }
            if let Some(per) = &column.denominators {
                let filled = gathered.length - height;
                let kept = gathered.per.get_or_insert_with(Vec::new);
                kept.resize(filled, 1);
                kept.extend_from_slice(per);
            }
            if let Some(per) = &mut gathered.per {
                per.resize(gathered.length, 1);
            }
        }
        Ok(())
    }

    /// The part's bytes (成文件): a Parquet file of all gathered households; the gathering is empty again.
    ///
    /// # Errors
    /// When a value does not fit its column.
    pub fn finish(&mut self) -> anyhow::Result<Vec<u8>> {
        let empty = Self::new(&self.defs);
        let full = std::mem::replace(self, empty);
        to_parquet(&full.into_batch()?)
    }

    fn into_batch(self) -> anyhow::Result<RecordBatch> {
        let mut fields = vec![
            Field::new("household", DataType::Int64, false),
            Field::new("region", DataType::Int64, false),
        ];
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(self.households)),
            Arc::new(Int64Array::from(self.regions)),
        ];
        let mut member_fields = vec![Field::new("person", DataType::Int64, false)];
        let mut member_arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.persons))];
        for (def, mut column) in self.defs.iter().zip(self.columns) {
            if column.is_absent() || def.of == Unit::Organisation {
                continue;
            }
            column.pad();
            let (fields, arrays) = match def.of {
                Unit::Person => (&mut member_fields, &mut member_arrays),
                _ => (&mut fields, &mut arrays),
            };
            push_column(def, column, self.words.texts(), fields, arrays)?;
        }
        let member_fields = Fields::from(member_fields);
        let structs = StructArray::try_new(member_fields.clone(), member_arrays, None)?;
        let item = Arc::new(Field::new("item", DataType::Struct(member_fields), false));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let members = ListArray::try_new(Arc::clone(&item), offsets, Arc::new(structs), None)?;
        fields.push(Field::new("members", DataType::List(item), false));
        arrays.push(Arc::new(members));
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }
}

/// Appends a column with what stands beside it: denominators and contradictions, only if there are any.
fn push_column(
    def: &ColumnDef,
    column: Gathered,
    words: &[String],
    fields: &mut Vec<Field>,
    arrays: &mut Vec<ArrayRef>,
) -> anyhow::Result<()> {
    let nulls = NullBuffer::from_iter(column.states.iter().map(|state| *state == KNOWN));
    let broken = column.states.contains(&BROKEN);
    let array: ArrayRef = match def.kind {
        Kind::Bool => {
            let flags = column.values.iter().map(|value| *value == 1).collect();
            Arc::new(BooleanArray::new(flags, Some(nulls)))
        }
        Kind::Date => {
            let days: Vec<i32> = column
                .values
                .iter()
                .zip(&column.states)
                .map(|(day, state)| match *state {
                    KNOWN => i32::try_from(day - EPOCH),
                    _ => Ok(0),
                })
                .collect::<Result<_, _>>()
                .with_context(|| format!("a day of {} lies outside the calendar", def.name))?;
            Arc::new(Date32Array::new(days.into(), Some(nulls)))
        }
        Kind::Code | Kind::Text => {
            let mut said: StringDictionaryBuilder<Int32Type> = StringDictionaryBuilder::new();
            for (value, state) in column.values.iter().zip(&column.states) {
                match usize::try_from(*value).ok().and_then(|at| words.get(at)) {
                    Some(word) if *state == KNOWN => said.append_value(word),
                    _ => said.append_null(),
                }
            }
            Arc::new(said.finish())
        }
        _ => Arc::new(Int64Array::new(column.values.into(), Some(nulls))),
    };
    fields.push(Field::new(&def.name, array.data_type().clone(), true));
    arrays.push(array);
    if let Some(per) = column.per {
        let name = format!("{}.per", def.name);
        fields.push(Field::new(name, DataType::Int64, false));
        arrays.push(Arc::new(Int64Array::from(per)));
    }
    if broken {
        let name = format!("{}.broken", def.name);
        fields.push(Field::new(name, DataType::Boolean, false));
        let flags: Vec<bool> = column.states.iter().map(|state| *state == BROKEN).collect();
        arrays.push(Arc::new(BooleanArray::from(flags)));
    }
    Ok(())
}

/// A batch as the bytes of a Parquet file (写成 Parquet), without a date or a name of the machine in it.
pub(crate) fn to_parquet(batch: &RecordBatch) -> anyhow::Result<Vec<u8>> {
    to_parquet_in_groups(batch, ROW_GROUP)
}

/// A batch as the bytes of a Parquet file with so many rows in a group.
pub(crate) fn to_parquet_in_groups(batch: &RecordBatch, rows: usize) -> anyhow::Result<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(rows))
        .set_created_by("huimin".to_owned())
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(bytes)
}

/// Texts as a column of few distinct words (代码列).
pub(crate) fn words_array<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut said: StringDictionaryBuilder<Int32Type> = StringDictionaryBuilder::new();
    for text in texts {
        said.append_option(text);
    }
    Arc::new(said.finish())
}

/// Months as a column (月份列).
pub(crate) fn months_array(months: impl Iterator<Item = i32>) -> ArrayRef {
    let mut said = Int32Builder::new();
    for month in months {
        said.append_value(month);
    }
    Arc::new(said.finish())
}
