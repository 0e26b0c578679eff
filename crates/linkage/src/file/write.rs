//! People into a file (写出结果): one row a record with its person, the probability and the reasons.
//!
//! Guarantees: written beside the name and renamed when it is whole; Parquet if the name ends so, else csv in UTF-8 with the mark that
//! spreadsheet programs need. Deliberately absent: the records' own columns; the id leads back to them.

use super::Ids;
use crate::explain::line;
use crate::link::{Link, Linked, Outcome};
use crate::register::place_of;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a file was not written; what was there before is untouched (未写出的原因).
#[derive(Debug, thiserror::Error)]
#[error("无法写出文件 {file}：{fault}；请检查磁盘空间和权限")]
pub struct Unwritten {
    pub(super) file: String,
    pub(super) fault: String,
}

const ROWS: usize = 65_536;
const COLUMNS: [&str; 6] = [
    "record_id",
    "cluster",
    "outcome",
    "probability",
    "other",
    "why",
];

/// Writes for each record its person (写出): the id of the person's first record, the outcome, the probability of its best link, the
/// record at the other end of that link, and why. Records from `from` on; those before are the register they were linked against.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, ids: &Ids, linked: &Linked, from: usize) -> Result<(), Unwritten> {
    let unwritten = |fault: String| Unwritten {
        file: path.display().to_string(),
        fault,
    };
    let beside = beside(path);
    let best = best_links(linked);
    let rows = Rows {
        ids,
        linked,
        best: &best,
    };
    let is_parquet = path.extension().is_some_and(|ending| ending == "parquet");
    let done = if is_parquet {
        parquet(&beside, &rows, from)
    } else {
        csv(&beside, &rows, from)
    };
    let named = done.and_then(|()| std::fs::rename(&beside, path).map_err(|f| f.to_string()));
    named.map_err(|fault| {
        let _gone = std::fs::remove_file(&beside);
        unwritten(fault)
    })
}

pub(super) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// For each record the place of its best link, those within a person first; the number of links if it has none.
fn best_links(linked: &Linked) -> Vec<u32> {
    let none = u32::MAX;
    let mut best = vec![none; linked.person.len()];
    let rank = |link: &Link| (link.outcome == Outcome::Same, link.probability);
    for (number, link) in (0_u32..).zip(&linked.links) {
        for record in [link.a, link.b] {
            let so_far = &mut best[place_of(record)];
            let is_better = linked
                .links
                .get(place_of(*so_far))
                .is_none_or(|other| rank(link) > rank(other));
            if is_better {
                *so_far = number;
            }
        }
    }
    best
}

struct Rows<'l> {
    ids: &'l Ids,
    linked: &'l Linked,
    best: &'l [u32],
}

impl Rows<'_> {
    fn link(&self, record: usize) -> Option<&Link> {
        self.linked.links.get(place_of(self.best[record]))
    }

    fn person(&self, record: usize) -> usize {
        place_of(self.linked.person[record])
    }

    fn why(&self, link: &Link) -> String {
        line(&self.linked.model, link.levels, link.rarity)
    }
}

/// The record at the other end.
fn other(link: &Link, record: usize) -> usize {
    let a = place_of(link.a);
    if a == record { place_of(link.b) } else { a }
}

/// An outcome as it is written (结论的写法).
fn word(link: Option<&Link>) -> &'static str {
    match link.map(|link| link.outcome) {
        None => "无相近记录",
        Some(Outcome::Same) => "同一人",
        Some(Outcome::Doubtful) => "请人工核对：把握不足",
        Some(Outcome::Numbers) => "请人工核对：号码冲突",
        Some(Outcome::Chain) => "请人工核对：成链",
    }
}

fn csv(path: &Path, rows: &Rows<'_>, from: usize) -> Result<(), String> {
    let told = |fault: &dyn std::fmt::Display| fault.to_string();
    let mut out = BufWriter::new(File::create(path).map_err(|f| told(&f))?);
    out.write_all(b"\xEF\xBB\xBF").map_err(|f| told(&f))?;
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(COLUMNS).map_err(|f| told(&f))?;
    for record in from..rows.linked.person.len() {
        let link = rows.link(record);
        writer
            .write_record([
                rows.ids.text(record),
                rows.ids.text(rows.person(record)),
                word(link).to_owned(),
                link.map(|link| format!("{:.6}", link.probability))
                    .unwrap_or_default(),
                link.map(|link| rows.ids.text(other(link, record)))
                    .unwrap_or_default(),
                link.map(|link| rows.why(link)).unwrap_or_default(),
            ])
            .map_err(|f| told(&f))?;
    }
    let out = writer.into_inner().map_err(|f| told(&f))?;
    let file = out.into_inner().map_err(|f| told(&f))?;
    file.sync_all().map_err(|f| told(&f))
}

fn parquet(path: &Path, rows: &Rows<'_>, from: usize) -> Result<(), String> {
    let told = |fault: &dyn std::fmt::Display| fault.to_string();
    let id = match rows.ids {
        Ids::Whole(_) => DataType::Int64,
        Ids::Text(..) => DataType::Utf8,
    };
    let types = [
        id.clone(),
        id.clone(),
        DataType::Utf8,
        DataType::Float64,
        id,
        DataType::Utf8,
    ];
    let fields = COLUMNS.iter().zip(types).enumerate();
    let fields: Vec<Field> = fields
        .map(|(place, (name, kind))| Field::new(*name, kind, place > 2))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let settings = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let out = File::create(path).map_err(|f| told(&f))?;
    let mut writer =
        ArrowWriter::try_new(out, schema.clone(), Some(settings)).map_err(|f| told(&f))?;
    let records = rows.linked.person.len();
    for start in (from..records).step_by(ROWS) {
        let these = start..(start + ROWS).min(records);
        let links: Vec<Option<&Link>> = these.clone().map(|record| rows.link(record)).collect();
        let others = these.clone().zip(&links);
        let others = others.map(|(record, link)| link.map(|link| other(link, record)));
        let whys = links.iter().map(|link| link.map(|link| rows.why(link)));
        let columns: Vec<ArrayRef> = vec![
            ids(rows.ids, these.clone().map(Some)),
            ids(rows.ids, these.map(|record| Some(rows.person(record)))),
            Arc::new(
                links
                    .iter()
                    .map(|link| Some(word(*link)))
                    .collect::<StringArray>(),
            ),
            Arc::new(
                links
                    .iter()
                    .map(|link| link.map(|link| link.probability))
                    .collect::<Float64Array>(),
            ),
            ids(rows.ids, others),
            Arc::new(whys.collect::<StringArray>()),
        ];
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(|f| told(&f))?;
        writer.write(&batch).map_err(|f| told(&f))?;
    }
    let out = writer.into_inner().map_err(|f| told(&f))?;
    out.sync_all().map_err(|f| told(&f))
}

fn ids(all: &Ids, records: impl Iterator<Item = Option<usize>>) -> ArrayRef {
    match all {
        Ids::Whole(whole) => {
            let of = records.map(|record| whole.get(record?).copied());
            Arc::new(of.collect::<Int64Array>())
        }
        Ids::Text(..) => {
            let of = records.map(|record| Some(all.text(record?)));
            Arc::new(of.collect::<StringArray>())
        }
    }
}
