//! Reading `source.toml` (读取数据源): the nation's file first, then what the place writes over it, key by key.
//!
//! Columns and figures are replaced by their ids. Guarantees: reading goes on after a mistake, so that all are told.
//! Deliberately absent: what holds between columns, figures and facts; see `check`.

use super::check::finish;
use super::{Arrival, Column, ColumnKind, Drift, Sources};
use policy::toml_file::{Cell, Reading, Said, Source as File, Table};
use policy::{Book, Fault, Faults, Spot};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file of a source.
const FILE: &str = "source.toml";
/// Ways to arrive.
const WAYS: [&str; 5] = ["csv", "xlsx", "parquet", "fixed", "api"];
/// How sure the columns are.
const TAGS: [&str; 3] = ["verified", "local", "general"];

pub(super) fn all(
    folders: &[PathBuf],
    base: &Path,
    book: Option<&Book>,
) -> Result<Sources, Vec<Fault>> {
    let faults = Faults::default();
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let file = entry.path().join(FILE);
            if file.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                files.entry(name).or_default().push(file);
            }
        }
    }
    let mut sources = Sources::default();
    for (id, layers) in files {
        let mut draft = Draft::default();
        for path in &layers {
            if let Some(file) = File::read(path, base, &faults) {
                read_layer(&file, &faults, &mut draft);
            }
        }
        if let Some(source) = finish(&id, draft, book, &faults) {
            sources.0.insert(id, source);
        }
    }
    let found = faults.into_sorted();
    if found.is_empty() {
        Ok(sources)
    } else {
        Err(found)
    }
}

/// What the layers said so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) spot: Option<Spot>,
    pub(super) texts: BTreeMap<&'static str, Said>,
    pub(super) whole: Option<bool>,
    pub(super) max_age_days: Option<u32>,
    pub(super) arrival: Arrival,
    pub(super) drift: Drift,
    pub(super) columns: Vec<(Spot, Column)>,
    pub(super) figures: Vec<RawFigure>,
}

/// A figure before its columns are looked up.
pub(super) struct RawFigure {
    pub(super) spot: Spot,
    pub(super) id: Said,
    pub(super) zh: Option<Said>,
    pub(super) en: Option<Said>,
    pub(super) take: Option<Said>,
    pub(super) column: Option<Said>,
    pub(super) filters: Vec<(Said, Vec<Said>)>,
    pub(super) name: Option<Said>,
    pub(super) other: Option<Said>,
    pub(super) distinct: Option<Said>,
    pub(super) months: Option<u32>,
    pub(super) by: Option<Said>,
    pub(super) fact: Option<Said>,
    pub(super) codes: Vec<(Said, Said)>,
}

fn read_layer(file: &File, faults: &Faults, draft: &mut Draft) {
    let reading = Reading {
        source: file,
        faults,
    };
    draft.spot = Some(Spot::start_of(&file.file));
    let Some(parsed) = reading.parse(&file.text) else {
        return;
    };
    let top = Table::new(reading, parsed.get_ref(), 0..0);
    if let Some(head) = top.get("source").and_then(|cell| cell.table()) {
        draft.spot = Some(head.spot());
        for key in ["zh", "en", "department", "basis", "tag"] {
            if let Some(said) = head.text(key) {
                if key == "tag" {
                    one_of(&said, &TAGS, faults);
                }
                draft.texts.insert(key, said);
            }
        }
        draft.whole = head
            .get("whole")
            .and_then(|cell| cell.flag())
            .or(draft.whole);
        draft.max_age_days = number(&head, "max_age_days").or(draft.max_age_days);
        head.no_other_keys("zh en department basis whole max_age_days tag");
    }
    if let Some(table) = top.get("arrival").and_then(|cell| cell.table()) {
        read_arrival(&table, &mut draft.arrival);
    }
    if let Some(table) = top.get("drift").and_then(|cell| cell.table()) {
        let drift = &mut draft.drift;
        for (key, place) in [
            ("fewer_rows", &mut drift.fewer_rows),
            ("more_rows", &mut drift.more_rows),
            ("bad_rows", &mut drift.bad_rows),
        ] {
            if let Some(read) = number(&table, key) {
                *place = u64::from(read);
            }
        }
        table.no_other_keys("fewer_rows more_rows bad_rows");
    }
    for table in top.tables("column") {
        if let Some((spot, column)) = read_column(&table) {
            match draft
                .columns
                .iter_mut()
                .find(|(_, old)| old.id == column.id)
            {
                Some(old) if old.0.file == spot.file => {
                    faults.note(&spot, format!("列“{}”写了两次", column.id));
                }
                Some(old) => *old = (spot, column),
                None => draft.columns.push((spot, column)),
            }
        }
    }
    for table in top.tables("figure") {
        if let Some(figure) = read_figure(&table) {
            match draft.figures.iter_mut().find(|old| *old.id == *figure.id) {
                Some(old) if old.spot.file == figure.spot.file => {
                    faults.note(&figure.spot, format!("指标“{}”写了两次", &*figure.id));
                }
                Some(old) => *old = figure,
                None => draft.figures.push(figure),
            }
        }
    }
    top.no_other_keys("[source] [arrival] [drift] [[column]] [[figure]]");
}

fn read_arrival(table: &Table<'_>, arrival: &mut Arrival) {
    let faults = table.reading.faults;
    if let Some(cell) = table.get("by") {
        let ways = cell.texts();
        for way in &ways {
            one_of(way, &WAYS, faults);
        }
        arrival.by = ways.into_iter().map(|said| said.text).collect();
    }
    if let Some(said) = table.text("encoding") {
        one_of(&said, &["gb18030", "utf-8"], faults);
        arrival.gb18030 = said.text == "gb18030";
    }
    if let Some(row) = number(table, "heading_row") {
        arrival.heading_row = usize::try_from(row).unwrap_or(usize::MAX);
    }
    if let Some(days) = number(table, "every_days") {
        arrival.every_days = days;
    }
    if let Some(said) = table.text("api") {
        arrival.api = said.text;
    }
    table.no_other_keys("by encoding heading_row every_days api");
}

fn read_column(table: &Table<'_>) -> Option<(Spot, Column)> {
    let faults = table.reading.faults;
    let id = table.need_text("id");
    let headings: Vec<String> = table
        .need("headings")
        .map(|cell| cell.texts())
        .unwrap_or_default()
        .into_iter()
        .map(|said| said.text)
        .collect();
    let kind = table.need_text("kind");
    let unit = table.text("unit");
    let codes = table.get("codes").and_then(|cell| cell.table());
    let needed = table.get("needed").and_then(|cell| cell.flag());
    let width = number(table, "width").and_then(|width| usize::try_from(width).ok());
    let codes: Vec<(String, String)> = codes
        .iter()
        .flat_map(|codes| pairs(codes))
        .map(|(code, meaning)| (code.text, meaning.text))
        .collect();
    table.no_other_keys("id headings kind unit codes needed width");
    let (id, said) = (id?, kind?);
    if headings.is_empty() {
        faults.note(&table.spot(), "headings 至少写一个列名");
    }
    let in_units = |units: &[(&str, i64)]| match &unit {
        None => {
            faults.note(&table.spot(), "缺少“unit”");
            None
        }
        Some(unit) => {
            let words: Vec<&str> = units.iter().map(|(word, _)| *word).collect();
            one_of(unit, &words, faults);
            units
                .iter()
                .find(|(word, _)| *word == &**unit)
                .map(|(_, n)| *n)
        }
    };
    let kind = match &*said {
        "id" => ColumnKind::Id,
        "other_id" => ColumnKind::OtherId,
        "name" => ColumnKind::Name,
        "money" => ColumnKind::Money(in_units(&[("fen", 1), ("yuan", 100), ("wan", 1_000_000)])?),
        "area" => ColumnKind::Area(in_units(&[("cm2", 1), ("m2", 10_000)])?),
        "count" => ColumnKind::Count,
        "date" => ColumnKind::Date,
        "month" => ColumnKind::Month,
        "number" => ColumnKind::Number,
        "text" => ColumnKind::Text,
        "code" => {
            if codes.is_empty() {
                faults.note(
                    &table.spot(),
                    "kind = \"code\" 要写 codes = { 代码 = \"含义\" }",
                );
                return None;
            }
            ColumnKind::Code(codes.clone())
        }
        _ => {
            faults.note(
                &said.spot,
                "kind 可以写 id other_id name money count area date month code number text",
            );
            return None;
        }
    };
    let has_unit = matches!(kind, ColumnKind::Money(_) | ColumnKind::Area(_));
    if let Some(unit) = unit.filter(|_| !has_unit) {
        faults.note(&unit.spot, "只有 money 和 area 写 unit");
    }
    if !codes.is_empty() && !matches!(kind, ColumnKind::Code(_)) {
        faults.note(&table.spot(), "只有 kind = \"code\" 写 codes");
    }
    Some((
        table.spot(),
        Column {
            needed: needed.unwrap_or(kind == ColumnKind::Id),
            id: id.text,
            headings,
            kind,
            width,
        },
    ))
}

fn read_figure(table: &Table<'_>) -> Option<RawFigure> {
    let id = table.need_text("id");
    let mut filters = Vec::new();
    if let Some(conditions) = table.get("where").and_then(|cell| cell.table()) {
        for (column, cell) in conditions.cells() {
            filters.push((column, cell.texts()));
        }
    }
    let codes = table.get("as").and_then(|cell| cell.table());
    let figure = RawFigure {
        spot: table.spot(),
        zh: table.need_text("zh"),
        en: table.need_text("en"),
        take: table.need_text("take"),
        column: table.text("column"),
        filters,
        name: table.text("name"),
        other: table.text("other"),
        distinct: table.text("distinct"),
        months: number(table, "months"),
        by: table.text("by"),
        fact: table.text("fact"),
        codes: codes.iter().flat_map(|codes| pairs(codes)).collect(),
        id: id?,
    };
    table.no_other_keys("id zh en take column where name other distinct months by fact as");
    Some(figure)
}

fn pairs(table: &Table<'_>) -> Vec<(Said, Said)> {
    let text = |cell: Cell<'_>| cell.text();
    table
        .cells()
        .filter_map(|(key, cell)| Some((key, text(cell)?)))
        .collect()
}

fn number(table: &Table<'_>, key: &str) -> Option<u32> {
    let cell = table.get(key)?;
    let read = cell.whole()?;
    let number = u32::try_from(read).ok();
    if number.is_none() {
        table
            .reading
            .faults
            .note(&cell.spot(), format!("“{key}”应当是不小于零的整数"));
    }
    number
}

fn one_of(said: &Said, words: &[&str], faults: &Faults) {
    if !words.contains(&&**said) {
        faults.note(&said.spot, format!("这里可以写：{}", words.join(" ")));
    }
}
