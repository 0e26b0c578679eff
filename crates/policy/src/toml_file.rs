//! A TOML file with positions (带位置的 TOML 文件): every key and value knows its line and column.
//!
//! Reading goes table by table: each key is asked for, and what nobody asked for is a mistake. All mistakes are noted
//! and reading goes on. Deliberately absent: what the keys mean.

use crate::Book;
use crate::fault::{Faults, Spot};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_spanned::Spanned;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A text and where it stands (带位置的文字).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub spot: Spot,
}

impl std::ops::Deref for Said {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

/// The source of a file (源文件), to turn byte offsets into lines and columns.
#[derive(Debug, Clone)]
pub struct Source {
    /// As faults name it.
    pub file: Arc<str>,
    /// What it says.
    pub text: Arc<str>,
    /// Where each line begins.
    lines: Arc<[usize]>,
}

impl Source {
    /// The files of a name at the top of a place's pack folders (各层文件), the nation's first; what cannot be read is a mistake.
    pub fn layers(book: &Book, name: &str, faults: &Faults) -> Vec<Self> {
        let folders = book.place().folders.iter();
        folders
            .map(|folder| folder.join(name))
            .filter(|path| path.is_file())
            .filter_map(|path| Self::read(&path, book.packs(), faults))
            .collect()
    }

    /// A file, named by its way from the packs (读取文件); one that cannot be read is a mistake.
    pub fn read(path: &Path, packs: &Path, faults: &Faults) -> Option<Self> {
        let shown = path.strip_prefix(packs).unwrap_or(path);
        let shown = shown.to_string_lossy().replace('\\', "/");
        match std::fs::read_to_string(path) {
            Ok(text) => Some(Self::new(&shown, text)),
            Err(fault) => {
                faults.note(&Spot::start_of(&shown), format!("读不到这个文件：{fault}"));
                None
            }
        }
    }

    /// A file by the name faults will give it.
    pub fn new(file: &str, text: String) -> Self {
        Self {
            file: file.into(),
            lines: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            text: text.into(),
        }
    }

    /// Line and column of a byte offset; the column counts characters, as editors do.
    pub fn spot(&self, offset: usize) -> Spot {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.lines.partition_point(|begin| *begin <= at);
        let begin = self.lines[line - 1];
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Spot {
            file: self.file.clone(),
            line: count(line),
            column: count(self.text[begin..at].chars().count() + 1),
        }
    }

    /// Where the inside of a string literal begins: after the quotes, and after the line break that `"""` swallows.
    pub fn inside_of_string(&self, span: &Range<usize>) -> Spot {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
            3
        } else {
            1
        };
        let after = &raw[quotes.min(raw.len())..];
        let newline = if quotes == 1 {
            0
        } else if after.starts_with("\r\n") {
            2
        } else {
            usize::from(after.starts_with('\n'))
        };
        self.spot(span.start + quotes + newline)
    }
}

/// What every reader of one file shares (读取上下文).
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The file.
    pub source: &'a Source,
    /// Where mistakes are noted.
    pub faults: &'a Faults,
}

impl Reading<'_> {
    /// Parses the whole file; syntax mistakes are noted and give `None`.
    pub fn parse<'t>(&self, text: &'t str) -> Option<Spanned<DeTable<'t>>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let spot = self.source.spot(error.span().map_or(0, |span| span.start));
            self.faults.note(
                &spot,
                format!(
                    "不是正确的 TOML：{}。请检查引号、括号、逗号和重复的键",
                    error.message()
                ),
            );
        }
        errors.is_empty().then_some(table)
    }
}

/// A value with its place (带位置的值).
#[derive(Clone, Copy)]
pub struct Cell<'a> {
    /// What it is read with.
    pub reading: Reading<'a>,
    /// The key it stands under.
    pub key: &'a str,
    /// The value.
    pub value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Cell<'a> {
    /// Where it stands.
    pub fn spot(&self) -> Spot {
        self.reading.source.spot(self.value.span().start)
    }

    fn refuse(&self, wanted: &str) {
        self.reading
            .faults
            .note(&self.spot(), format!("“{}”应当是{wanted}", self.key));
    }

    /// A text; anything else is a mistake.
    pub fn text(&self) -> Option<Said> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(Said {
                text: text.to_string(),
                spot: self.spot(),
            }),
            _ => {
                self.refuse("带引号的文字");
                None
            }
        }
    }

    /// A whole number; anything else is a mistake.
    pub fn whole(&self) -> Option<i64> {
        let read = match self.value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        if read.is_none() {
            self.refuse("整数（金额以分为单位，不写小数）");
        }
        read
    }

    /// Yes or no; anything else is a mistake.
    pub fn flag(&self) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.refuse("true 或 false");
                None
            }
        }
    }

    /// A calendar day, or `None` without noting anything if it is something else.
    pub fn as_date(&self) -> Option<NaiveDate> {
        match self.value.get_ref() {
            DeValue::Datetime(when) if when.time.is_none() && when.offset.is_none() => {
                let date = when.date?;
                NaiveDate::from_ymd_opt(
                    i32::from(date.year),
                    u32::from(date.month),
                    u32::from(date.day),
                )
            }
            _ => None,
        }
    }

    /// A calendar day; anything else is a mistake.
    pub fn date(&self) -> Option<NaiveDate> {
        let read = self.as_date();
        if read.is_none() {
            self.refuse("日期，例如 2026-07-01，不加引号");
        }
        read
    }

    /// An instant: `2026-07-01T08:00:00Z`, or a day, meaning its beginning in UTC.
    pub fn instant(&self) -> Option<DateTime<Utc>> {
        let read = match self.value.get_ref() {
            DeValue::Datetime(when) => DateTime::parse_from_rfc3339(&when.to_string())
                .ok()
                .map(|instant| instant.with_timezone(&Utc))
                .or_else(|| {
                    self.as_date()
                        .map(|day| day.and_time(NaiveTime::MIN).and_utc())
                }),
            _ => None,
        };
        if read.is_none() {
            self.refuse("时刻，例如 2026-07-01T08:00:00Z");
        }
        read
    }

    /// A list; anything else is a mistake.
    pub fn list(&self) -> Option<Vec<Cell<'a>>> {
        match self.value.get_ref() {
            DeValue::Array(items) => Some(
                items
                    .iter()
                    .map(|value| Cell {
                        reading: self.reading,
                        key: self.key,
                        value,
                    })
                    .collect(),
            ),
            _ => {
                self.refuse("列表 [ … ]");
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&self) -> Vec<Said> {
        self.list()
            .unwrap_or_default()
            .iter()
            .filter_map(Cell::text)
            .collect()
    }

    /// A table; anything else is a mistake.
    pub fn table(&self) -> Option<Table<'a>> {
        match self.value.get_ref() {
            DeValue::Table(table) => Some(Table::new(self.reading, table, self.value.span())),
            _ => {
                self.refuse("一组键值 { … }");
                None
            }
        }
    }
}

/// A table whose keys are asked for one by one (键值表).
pub struct Table<'a> {
    /// What it is read with.
    pub reading: Reading<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    asked: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Table<'a> {
    /// A table at a place of its file.
    pub fn new(reading: Reading<'a>, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self {
            reading,
            table,
            span,
            asked: RefCell::default(),
        }
    }

    /// Where the table begins; for `[[x]]` the header.
    pub fn spot(&self) -> Spot {
        self.reading.source.spot(self.span.start)
    }

    /// All its keys and values, in the order of the file; all count as asked for.
    pub fn cells(&self) -> impl Iterator<Item = (Said, Cell<'a>)> + use<'_, 'a> {
        // The map is sorted by key; people expect the order of the file.
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries.into_iter().map(|(key, value)| {
            let name: &'a str = key.get_ref().as_ref();
            self.asked.borrow_mut().insert(name);
            let said = Said {
                text: name.to_owned(),
                spot: self.reading.source.spot(key.span().start),
            };
            let cell = Cell {
                reading: self.reading,
                key: name,
                value,
            };
            (said, cell)
        })
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<Cell<'a>> {
        let (name, value) = self.table.get_key_value(key)?;
        let name: &'a str = name.get_ref().as_ref();
        self.asked.borrow_mut().insert(name);
        Some(Cell {
            reading: self.reading,
            key: name,
            value,
        })
    }

    /// Like [`Table::get`], noting a mistake if the key is missing.
    pub fn need(&self, key: &str) -> Option<Cell<'a>> {
        let found = self.get(key);
        if found.is_none() {
            self.reading
                .faults
                .note(&self.spot(), format!("缺少“{key}”"));
        }
        found
    }

    /// A text that must be there.
    pub fn need_text(&self, key: &str) -> Option<Said> {
        self.need(key)?.text()
    }

    /// A text, if the key is there.
    pub fn text(&self, key: &str) -> Option<Said> {
        self.get(key)?.text()
    }

    /// The tables under `[[key]]`.
    pub fn tables(&self, key: &str) -> Vec<Table<'a>> {
        self.get(key)
            .and_then(|cell| cell.list())
            .unwrap_or_default()
            .iter()
            .filter_map(Cell::table)
            .collect()
    }

    /// Notes every key that nobody asked for.
    pub fn no_other_keys(&self, known: &str) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            let name: &str = key.get_ref().as_ref();
            if !asked.contains(name) {
                self.reading.faults.note(
                    &self.reading.source.spot(key.span().start),
                    format!("不认识的键“{name}”；这里可以写：{known}"),
                );
            }
        }
    }
}
