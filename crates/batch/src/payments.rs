//! What is in payment (在发金额), beside the households of a part: one row a household or person and programme.
//!
//! Deliberately absent: accounts, runs and the people who decided; only who gets how much of what in which month.

use crate::encode::{months_array, to_parquet, words_array};
use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::sync::Arc;
use vocab::Month;

/// What is in payment in a month (在发).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payment {
    /// The household.
    pub household: i64,
    /// The person, for a person's benefit.
    pub person: Option<i64>,
    /// The programme.
    pub programme: String,
    /// The month.
    pub month: Month,
    /// How much, in fen.
    pub fen: i64,
}

/// A month as the column writes it: 202606.
fn month_number(month: Month) -> i32 {
    let (year, month) = month.year_month();
    year * 100 + i32::try_from(month).unwrap_or(0)
}

/// The bytes of a payments file (写成文件), in the order given.
///
/// # Errors
/// When the columns cannot be written.
pub fn to_file(payments: &[Payment]) -> anyhow::Result<Vec<u8>> {
    let programme = words_array(payments.iter().map(|one| Some(one.programme.as_str())));
    let state = words_array(payments.iter().map(|_| Some("running")));
    let household: Vec<i64> = payments.iter().map(|one| one.household).collect();
    let person: Vec<Option<i64>> = payments.iter().map(|one| one.person).collect();
    let fen: Vec<i64> = payments.iter().map(|one| one.fen).collect();
    let schema = Schema::new(vec![
        Field::new("household", DataType::Int64, false),
        Field::new("person", DataType::Int64, true),
        Field::new("programme", programme.data_type().clone(), false),
        Field::new("month", DataType::Int32, false),
        Field::new("fen", DataType::Int64, false),
        Field::new("state", state.data_type().clone(), false),
    ]);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(household)),
        Arc::new(Int64Array::from(person)),
        programme,
        months_array(payments.iter().map(|one| month_number(one.month))),
        Arc::new(Int64Array::from(fen)),
        state,
    ];
    to_parquet(&RecordBatch::try_new(Arc::new(schema), arrays)?)
}

/// What is paid, by household, person and programme (在发索引).
pub(crate) type Paid = BTreeMap<(i64, Option<i64>, usize), i64>;

/// Reads the payments of a month (读取在发), programmes counted as in `programmes`; unknown ones are left out.
pub(crate) fn read(bytes: Bytes, month: Month, programmes: &[String]) -> anyhow::Result<Paid> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .context("发放文件不是 Parquet 文件")?
        .build()?;
    let month = month_number(month);
    let mut paid = Paid::new();
    for batch in reader {
        let batch = batch?;
        let wrong =
            |name: &'static str| move || format!("发放文件的列 {name} 不对；请重新生成快照");
        let column = |name: &'static str| batch.column_by_name(name).with_context(wrong(name));
        let number = |name: &'static str| {
            column(name)?
                .as_primitive_opt::<Int64Type>()
                .with_context(wrong(name))
        };
        let (household, person, fen) = (number("household")?, number("person")?, number("fen")?);
        let months = column("month")?
            .as_primitive_opt::<Int32Type>()
            .with_context(wrong("month"))?;
        let programme = texts(column("programme")?).with_context(wrong("programme"))?;
        for (row, id) in programme.iter().enumerate() {
            if months.value(row) != month {
                continue;
            }
            let Some(at) = programmes.iter().position(|known| known == id) else {
                continue;
            };
            let person = person.is_valid(row).then(|| person.value(row));
            *paid.entry((household.value(row), person, at)).or_default() += fen.value(row);
        }
    }
    Ok(paid)
}

/// A column of texts, however it is encoded.
pub(crate) fn texts(array: &ArrayRef) -> Option<Vec<String>> {
    if let Some(plain) = array.as_string_opt::<i32>() {
        return Some(
            (0..plain.len())
                .map(|at| plain.value(at).to_owned())
                .collect(),
        );
    }
    let said = array.as_dictionary_opt::<Int32Type>()?;
    let words = said.values().as_string_opt::<i32>()?;
    let keys = said.keys().values().iter();
    Some(
        keys.map(|key| {
            usize::try_from(*key)
                .ok()
                .filter(|key| *key < words.len())
                .map_or_else(String::new, |key| words.value(key).to_owned())
        })
        .collect(),
    )
}
