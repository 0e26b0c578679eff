//! Findings (比对发现): what the rule book says against what is paid, one row a household or person and programme.
//!
//! Guarantees: the same part, day and book give the same bytes. Deliberately absent: names; whoever may see them looks
//! them up by the household's number inside the desk.

use crate::encode::{to_parquet, words_array};
use crate::payments::texts;
use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::sync::Arc;

/// What was found (发现种类), as the desk calls it.
pub use casework::lead::Kind as FindingKind;

/// A finding (发现).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The community.
    pub region: i64,
    /// The household.
    pub household: i64,
    /// The programme.
    pub programme: String,
    /// The person, for a person's benefit.
    pub person: Option<i64>,
    /// What was found.
    pub kind: FindingKind,
    /// What is due a month, in fen.
    pub due: i64,
    /// What is paid a month, in fen.
    pub paid: i64,
    /// The facts that would settle it, in the order to ask for them.
    pub missing: Vec<String>,
}

/// The bytes of a findings file (写成文件), in order.
pub(crate) fn to_file(findings: &[Finding]) -> anyhow::Result<Vec<u8>> {
    let number = |take: fn(&Finding) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from(
            findings.iter().map(take).collect::<Vec<_>>(),
        ))
    };
    let person: Vec<Option<i64>> = findings.iter().map(|one| one.person).collect();
    let programme = words_array(findings.iter().map(|one| Some(one.programme.as_str())));
    let kind = words_array(findings.iter().map(|one| Some(one.kind.word())));
    let joined: Vec<String> = findings.iter().map(|one| one.missing.join(" ")).collect();
    let missing = words_array(joined.iter().map(|one| Some(one.as_str())));
    let schema = Schema::new(vec![
        Field::new("household", DataType::Int64, false),
        Field::new("region", DataType::Int64, false),
        Field::new("person", DataType::Int64, true),
        Field::new("programme", programme.data_type().clone(), false),
        Field::new("kind", kind.data_type().clone(), false),
        Field::new("due", DataType::Int64, false),
        Field::new("paid", DataType::Int64, false),
        Field::new("missing", missing.data_type().clone(), false),
    ]);
    let arrays = vec![
        number(|one| one.household),
        number(|one| one.region),
        Arc::new(Int64Array::from(person)) as ArrayRef,
        programme,
        kind,
        number(|one| one.due),
        number(|one| one.paid),
        missing,
    ];
    to_parquet(&RecordBatch::try_new(Arc::new(schema), arrays)?)
}

/// Reads a findings file (读取发现).
///
/// # Errors
/// When the bytes are no findings.
pub fn read(bytes: Bytes) -> anyhow::Result<Vec<Finding>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .context("发现文件不是 Parquet 文件")?
        .build()?;
    let mut findings = Vec::new();
    for batch in reader {
        let batch = batch?;
        let column = |name: &'static str| {
            batch
                .column_by_name(name)
                .with_context(|| format!("发现文件缺少列 {name}"))
        };
        let number = |name: &'static str| {
            column(name)?
                .as_primitive_opt::<Int64Type>()
                .with_context(|| format!("列 {name} 应当是整数"))
        };
        let text = |name: &'static str| {
            texts(column(name)?).with_context(|| format!("列 {name} 应当是文字"))
        };
        let (household, region, person) =
            (number("household")?, number("region")?, number("person")?);
        let (due, paid) = (number("due")?, number("paid")?);
        let (programme, kind, missing) = (text("programme")?, text("kind")?, text("missing")?);
        for row in 0..batch.num_rows() {
            findings.push(Finding {
                region: region.value(row),
                household: household.value(row),
                programme: programme[row].clone(),
                person: person.is_valid(row).then(|| person.value(row)),
                kind: FindingKind::from_word(&kind[row])
                    .with_context(|| format!("不认识的种类 {}", kind[row]))?,
                due: due.value(row),
                paid: paid.value(row),
                missing: missing[row].split_whitespace().map(str::to_owned).collect(),
            });
        }
    }
    Ok(findings)
}
