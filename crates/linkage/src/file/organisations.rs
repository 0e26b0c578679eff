//! Organisations out of a csv file, and back with who belongs together (组织名单的读写).
//!
//! Guarantees: as for people: refused with row and reason, written whole or not at all. Deliberately absent: Parquet and workbooks;
//! such lists are short and come as csv.

use super::csv::{decoded, fault};
use super::write::{Unwritten, beside};
use super::{Ids, Unread};
use crate::link::Outcome;
use crate::organisation::{Alike, Organisation, Together};
use std::path::Path;

/// What a column means, with the headers it goes by.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("编号", &["id", "record_id", "编号", "序号"]),
    (
        "名称",
        &[
            "name",
            "名称",
            "单位名称",
            "机构名称",
            "企业名称",
            "组织名称",
        ],
    ),
    (
        "统一社会信用代码",
        &[
            "code",
            "uscc",
            "统一社会信用代码",
            "信用代码",
            "社会信用代码",
        ],
    ),
    (
        "法定代表人",
        &["representative", "法定代表人", "法人", "负责人", "法人代表"],
    ),
    ("电话", &["phone", "tel", "电话", "联系电话", "手机"]),
    ("住所", &["address", "住所", "地址", "注册地址", "经营场所"]),
];

/// Reads a list of organisations (读取组织名单), UTF-8 or GB18030. Without ids the rows are counted from one.
///
/// # Errors
/// [`Unread`], with the row.
pub fn read_organisations(path: &Path) -> Result<(Ids, Vec<Organisation>), Unread> {
    let bytes = std::fs::read(path).map_err(|fault| Unread::File {
        file: path.display().to_string(),
        fault,
    })?;
    let text = decoded(&bytes)?;
    let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(fault)?.clone();
    let places = COLUMNS.map(|(_, known)| {
        header
            .iter()
            .position(|name| known.contains(&name.trim().to_lowercase().as_str()))
    });
    if places[1].is_none() && places[2].is_none() {
        let all: Vec<&str> = header.iter().collect();
        return Err(Unread::NoOrganisations(all.join("、")));
    }
    let mut ids = Ids::default();
    let mut list = Vec::new();
    let mut row = ::csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(fault)? {
        let cell = |which: usize| -> String {
            let place = places.get(which).copied().flatten();
            let text = place.and_then(|place| row.get(place));
            text.unwrap_or_default().trim().to_owned()
        };
        let id = cell(0);
        if id.is_empty() {
            ids.push(&(list.len() + 1).to_string());
        } else {
            ids.push(&id);
        }
        list.push(Organisation {
            name: cell(1),
            code: cell(2),
            representative: cell(3),
            phone: cell(4),
            address: cell(5),
        });
    }
    Ok((ids, list))
}

/// Writes for each entry its organisation (写出): the id of its first entry, what is to be done, with which other, and why.
///
/// # Errors
/// When the file cannot be written.
pub fn write_organisations(path: &Path, ids: &Ids, together: &Together) -> Result<(), Unwritten> {
    let beside = beside(path);
    let done = rows(&beside, ids, together)
        .and_then(|()| std::fs::rename(&beside, path).map_err(|fault| fault.to_string()));
    done.map_err(|fault| {
        let _gone = std::fs::remove_file(&beside);
        Unwritten {
            file: path.display().to_string(),
            fault,
        }
    })
}

fn rows(path: &Path, ids: &Ids, together: &Together) -> Result<(), String> {
    use std::io::Write;
    let told = |fault: &dyn std::fmt::Display| fault.to_string();
    let mut out = std::fs::File::create(path).map_err(|f| told(&f))?;
    out.write_all(b"\xEF\xBB\xBF").map_err(|f| told(&f))?;
    let mut writer = ::csv::Writer::from_writer(out);
    let header = ["record_id", "cluster", "outcome", "other", "why"];
    writer.write_record(header).map_err(|f| told(&f))?;
    for (place, first) in together.organisation.iter().enumerate() {
        let mine = together
            .pairs
            .iter()
            .filter(|pair| pair.a == place || pair.b == place);
        let best = mine.max_by_key(|pair| (pair.outcome == Outcome::Same, pair.bits));
        let other = best.map_or_else(String::new, |pair| {
            ids.text(if pair.a == place { pair.b } else { pair.a })
        });
        let word = match best.map(|pair| pair.outcome) {
            None => "无相近记录",
            Some(Outcome::Same) => "同一组织",
            Some(Outcome::Numbers) => "请人工核对：代码冲突",
            Some(_) => "请人工核对：把握不足",
        };
        let why = best.map(why).unwrap_or_default();
        let row = [
            ids.text(place),
            ids.text(*first),
            word.to_owned(),
            other,
            why,
        ];
        writer.write_record(row).map_err(|f| told(&f))?;
    }
    writer.flush().map_err(|f| told(&f))
}

fn why(pair: &Alike) -> String {
    let parts: Vec<String> = pair
        .agreements
        .iter()
        .map(|one| format!("{}{} {:+}", one.field, one.level, one.bits))
        .collect();
    parts.join("；")
}
