//! From Parquet to the rule book's columns (列读取): a batch of rows as a [`Table`] that borrows the batch's memory.
//!
//! Guarantees: only the columns asked for are read; a column of another type than its fact's is refused by name; nulls
//! are absent, never zero. Deliberately absent: joining; rows come whole, a household with its members.

use crate::encode::to_parquet_in_groups;
use anyhow::{Context, bail, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use policy::table::{ABSENT, BROKEN, Column, ColumnDef, EPOCH, KNOWN, States, Table, Words};
use policy::{Kind, Unit};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

/// How many households are decided together.
pub(crate) const ROWS: usize = 8_192;

/// How many households lie in a group of a file of which a night wants a few.
const GROUP: usize = 256;

/// Opens a part for the columns wanted (打开分块), `region` and the ids always among them.
///
/// # Errors
/// When the bytes are no Parquet file.
pub(crate) fn open(bytes: Bytes, wanted: &[ColumnDef]) -> anyhow::Result<ParquetRecordBatchReader> {
    let builder = Builder::try_new(bytes).context("不是 Parquet 文件")?;
    projected(builder, wanted)
}

/// Opens a part as [`open`] does, but only those of its row groups in which one of the households is.
///
/// # Errors
/// When the bytes are no Parquet file.
pub(crate) fn open_some(
    bytes: Bytes,
    wanted: &[ColumnDef],
    households: &BTreeSet<i64>,
) -> anyhow::Result<ParquetRecordBatchReader> {
    let metadata = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::default());
    let metadata = metadata.context("不是 Parquet 文件")?;
    let builder = Builder::new_with_metadata(bytes.clone(), metadata.clone());
    let mut groups: Vec<usize> = (0..builder.metadata().num_row_groups()).collect();
    let ends: Vec<usize> = builder
        .metadata()
        .row_groups()
        .iter()
        .scan(0, |end, group| {
            *end += usize::try_from(group.num_rows()).unwrap_or(0);
            Some(*end)
        })
        .collect();
    let mut leaves = builder.parquet_schema().columns().iter();
    let ids = leaves.position(|leaf| leaf.path().string() == "household");
    let ids = ProjectionMask::leaves(builder.parquet_schema(), ids);
    let mut here = vec![false; groups.len()];
    let (mut row, mut group) = (0, 0);
    let named = Builder::new_with_metadata(bytes, metadata).with_projection(ids);
    for batch in named.build()? {
        for household in Chunk::new(batch?).households()? {
            while ends[group] <= row {
                group += 1;
            }
            here[group] |= households.contains(household);
            row += 1;
        }
    }
    groups.retain(|group| here[*group]);
    projected(builder.with_row_groups(groups), wanted)
}

type Builder = ParquetRecordBatchReaderBuilder<Bytes>;

fn projected(builder: Builder, wanted: &[ColumnDef]) -> anyhow::Result<ParquetRecordBatchReader> {
    let mut names: [Vec<&str>; 2] = [vec!["household", "region"], vec!["person"]];
    for def in wanted {
        names[usize::from(def.of == Unit::Person)].push(&def.name);
    }
    let beside = |leaf: &str, name: &str| {
        leaf.strip_prefix(name)
            .is_some_and(|rest| matches!(rest, "" | ".per" | ".broken"))
    };
    let schema = builder.parquet_schema();
    let leaves: Vec<usize> = schema
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, leaf)| {
            let parts = leaf.path().parts();
            let of_members = parts.first().is_some_and(|first| first == "members");
            let leaf = parts.last().map_or("", String::as_str);
            names[usize::from(of_members)]
                .iter()
                .any(|name| beside(leaf, name))
        })
        .map(|(at, _)| at)
        .collect();
    let mask = ProjectionMask::leaves(schema, leaves);
    Ok(builder
        .with_projection(mask)
        .with_batch_size(ROWS)
        .build()?)
}

/// A batch of rows (一批户). Cheap to clone: clones share the memory.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    batch: RecordBatch,
}

/// A batch as the rule book reads it (规则库读取的一批).
pub(crate) struct Rows<'a> {
    pub(crate) households: &'a [i64],
    pub(crate) regions: &'a [i64],
    pub(crate) persons: &'a [i64],
    pub(crate) table: Table<'a>,
}

impl Chunk {
    pub(crate) fn new(batch: RecordBatch) -> Self {
        Self { batch }
    }

    pub(crate) fn households(&self) -> anyhow::Result<&[i64]> {
        whole(&self.batch, "household")
    }

    pub(crate) fn regions(&self) -> anyhow::Result<&[i64]> {
        whole(&self.batch, "region")
    }

    /// Part of the rows, sharing their memory.
    pub(crate) fn cut(&self, rows: Range<usize>) -> Self {
        Self {
            batch: self.batch.slice(rows.start, rows.len()),
        }
    }

    /// Only the rows for which the flag is set; `None` when there is none.
    pub(crate) fn some(&self, keep: &[bool]) -> anyhow::Result<Option<Self>> {
        if keep.iter().all(|keep| *keep) {
            return Ok(Some(self.clone()).filter(|_| !keep.is_empty()));
        }
        if !keep.contains(&true) {
            return Ok(None);
        }
        let keep = arrow_array::BooleanArray::from(keep.to_vec());
        Ok(Some(Self {
            batch: arrow_select::filter::filter_record_batch(&self.batch, &keep)?,
        }))
    }

    /// Only the rows of some households; `None` when none is here.
    pub(crate) fn among(&self, households: &BTreeSet<i64>) -> anyhow::Result<Option<Self>> {
        let here = self.households()?.iter();
        let keep: Vec<bool> = here.map(|one| households.contains(one)).collect();
        self.some(&keep)
    }

    /// How much memory it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.batch.get_array_memory_size()
    }

    /// Chunks of one part, one after the other.
    pub(crate) fn joined(chunks: &[Self]) -> anyhow::Result<Option<Self>> {
        let Some(first) = chunks.first() else {
            return Ok(None);
        };
        let batches = chunks.iter().map(|chunk| &chunk.batch);
        let batch = arrow_select::concat::concat_batches(&first.batch.schema(), batches)?;
        Ok(Some(Self { batch }))
    }

    /// The bytes of a file with these rows in the order of a number each, to be read by [`open`] and [`open_some`]: rows
    /// with near numbers lie together, a few hundred in a group.
    pub(crate) fn to_file_by(&self, numbers: &[i32]) -> anyhow::Result<Vec<u8>> {
        ensure!(numbers.len() == self.batch.num_rows(), "每行要有一个数");
        let mut order: Vec<u32> = (0..u32::try_from(numbers.len())?).collect();
        order.sort_by_key(|row| numbers[*row as usize]);
        let order = UInt32Array::from(order);
        let sorted = arrow_select::take::take_record_batch(&self.batch, &order)?;
        to_parquet_in_groups(&sorted, GROUP)
    }

    /// The rows as the book's columns.
    pub(crate) fn rows(&self, defs: &[ColumnDef]) -> anyhow::Result<Rows<'_>> {
        let members = self
            .batch
            .column_by_name("members")
            .context("这个分块没有 members 列")?;
        let members = members
            .as_list_opt::<i32>()
            .context("members 列应当是列表")?;
        let ends = members.value_offsets();
        let first = ends.first().copied().unwrap_or(0);
        let offsets: Vec<u32> = ends
            .iter()
            .map(|end| u32::try_from(end - first))
            .collect::<Result<_, _>>()?;
        let range = usize::try_from(first)?..usize::try_from(ends.last().copied().unwrap_or(0))?;
        let people = members
            .values()
            .as_struct_opt()
            .context("members 应当是结构的列表")?;
        let mut words = Words::default();
        let mut columns = Vec::with_capacity(defs.len());
        for def in defs {
            let name = def.name.as_str();
            let column = match def.of {
                Unit::Person => {
                    let one = |name: &str| people.column_by_name(name);
                    read(def, one(name), &one, range.clone(), &mut words)
                }
                _ => {
                    let one = |name: &str| self.batch.column_by_name(name);
                    read(def, one(name), &one, 0..self.batch.num_rows(), &mut words)
                }
            };
            columns.push(column.with_context(|| format!("读取列 {name}"))?);
        }
        let persons = people
            .column_by_name("person")
            .and_then(|array| array.as_primitive_opt::<Int64Type>())
            .context("members 里缺少整数列 person")?;
        Ok(Rows {
            households: self.households()?,
            regions: self.regions()?,
            persons: &persons.values()[range],
            table: Table {
                offsets: offsets.into(),
                columns,
                words: words.into_texts().into(),
            },
        })
    }
}

fn whole<'a>(batch: &'a RecordBatch, name: &str) -> anyhow::Result<&'a [i64]> {
    let array = batch
        .column_by_name(name)
        .and_then(|array| array.as_primitive_opt::<Int64Type>())
        .with_context(|| format!("这个分块缺少整数列 {name}"))?;
    Ok(array.values())
}

fn read<'a>(
    def: &ColumnDef,
    array: Option<&'a ArrayRef>,
    beside: &impl Fn(&str) -> Option<&'a ArrayRef>,
    range: Range<usize>,
    words: &mut Words,
) -> anyhow::Result<Column<'a>> {
    let Some(array) = array else {
        return Ok(Column::ABSENT);
    };
    let broken = beside(&format!("{}.broken", def.name));
    let states = states(array.nulls(), broken, &range)?;
    if matches!(states, States::AllAbsent) {
        return Ok(Column::ABSENT);
    }
    let values = values(def, array, range.clone(), words)?;
    let denominators = match beside(&format!("{}.per", def.name)) {
        None => None,
        Some(per) => {
            let per = per
                .as_primitive_opt::<Int64Type>()
                .context("分母应当是整数")?;
            Some(Cow::Borrowed(&per.values()[range]))
        }
    };
    Ok(Column {
        values,
        states,
        denominators,
    })
}

fn states(
    nulls: Option<&NullBuffer>,
    broken: Option<&ArrayRef>,
    range: &Range<usize>,
) -> anyhow::Result<States<'static>> {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
        return Ok(States::AllKnown);
    };
    let nulls = nulls.slice(range.start, range.len());
    let broken = match broken {
        None => None,
        Some(array) => Some(array.as_boolean_opt().context(".broken 应当是布尔列")?),
    };
    if nulls.null_count() == 0 {
        return Ok(States::AllKnown);
    }
    if nulls.null_count() == range.len() && broken.is_none() {
        return Ok(States::AllAbsent);
    }
    let mut each: Vec<u8> = nulls
        .iter()
        .map(|known| if known { KNOWN } else { ABSENT })
        .collect();
    if let Some(broken) = broken {
        for (state, at) in each.iter_mut().zip(range.clone()) {
            if broken.value(at) {
                *state = BROKEN;
            }
        }
    }
    Ok(States::Each(each.into()))
}

fn values<'a>(
    def: &ColumnDef,
    array: &'a ArrayRef,
    range: Range<usize>,
    words: &mut Words,
) -> anyhow::Result<Cow<'a, [i64]>> {
    Ok(match (def.kind, array.data_type()) {
        (Kind::Bool, DataType::Boolean) => {
            let flags = array.as_boolean().values().slice(range.start, range.len());
            flags.iter().map(i64::from).collect::<Vec<_>>().into()
        }
        (Kind::Date, DataType::Date32) => {
            let days = &array.as_primitive::<Date32Type>().values()[range];
            days.iter()
                .map(|day| i64::from(*day) + EPOCH)
                .collect::<Vec<_>>()
                .into()
        }
        (Kind::Code | Kind::Text, DataType::Dictionary(_, _)) => {
            let said = array
                .as_dictionary_opt::<Int32Type>()
                .context("代码列的字典应当以 32 位整数编号")?;
            let texts = said
                .values()
                .as_string_opt::<i32>()
                .context("字典应当是文字")?;
            let numbers: Vec<i64> = (0..texts.len())
                .map(|at| words.number(texts.value(at)))
                .collect();
            said.keys().values()[range]
                .iter()
                .map(|key| {
                    usize::try_from(*key)
                        .ok()
                        .and_then(|key| numbers.get(key))
                        .copied()
                        .unwrap_or(0)
                })
                .collect::<Vec<_>>()
                .into()
        }
        (Kind::Code | Kind::Text, DataType::Utf8) => {
            let texts = array.as_string::<i32>();
            let mut last: Option<(&str, i64)> = None;
            let mut numbers = Vec::with_capacity(range.len());
            for at in range {
                if texts.is_null(at) {
                    numbers.push(0);
                    continue;
                }
                let text = texts.value(at);
                let number = match last {
                    Some((same, number)) if same == text => number,
                    _ => words.number(text),
                };
                last = Some((text, number));
                numbers.push(number);
            }
            numbers.into()
        }
        (Kind::Count | Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear, DataType::Int64) => {
            Cow::Borrowed(&array.as_primitive::<Int64Type>().values()[range])
        }
        (kind, found) => bail!("类型应当是 {kind}，文件里是 {found}；请重新生成快照"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int64Array;
    use arrow_schema::{Field, Schema};
    use std::sync::Arc;

    #[test]
    fn only_groups_with_a_wanted_household_are_read() {
        let ids: Vec<i64> = (0..1_000).collect();
        let field = |name: &str| Field::new(name, DataType::Int64, false);
        let schema = Schema::new(vec![field("household"), field("region")]);
        let column = || Arc::new(Int64Array::from(ids.clone())) as ArrayRef;
        let batch = RecordBatch::try_new(Arc::new(schema), vec![column(), column()]).unwrap();
        // Household 0 comes last, 999 first.
        let numbers: Vec<i32> = (0..1_000).rev().collect();
        let file: Bytes = Chunk::new(batch).to_file_by(&numbers).unwrap().into();
        let read = |wanted: &[i64]| -> Vec<i64> {
            let wanted = wanted.iter().copied().collect();
            let read = open_some(file.clone(), &[], &wanted).unwrap();
            let chunks = read.map(|batch| Chunk::new(batch.unwrap()));
            chunks
                .flat_map(|chunk| chunk.households().unwrap().to_vec())
                .collect()
        };
        // Groups of 256: 999 to 744, 743 to 488, 487 to 232, 231 to 0.
        let backwards = |from: i64, to: i64| (to..=from).rev();
        assert_eq!(read(&[744]), backwards(999, 744).collect::<Vec<_>>());
        let both: Vec<i64> = backwards(743, 488).chain(backwards(231, 0)).collect();
        assert_eq!(read(&[743, 0, 5_000]), both);
        assert!(read(&[5_000]).is_empty());
        assert!(
            Chunk::new(RecordBatch::new_empty(Arc::new(Schema::empty())))
                .to_file_by(&[1])
                .is_err()
        );
    }
}
