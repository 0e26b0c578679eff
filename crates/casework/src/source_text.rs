//! TOML texts read with their positions (带位置的 TOML 文本): every mistake is kept with line and column, none stops the reading.
//!
//! Guarantees: a getter that finds something wrong notes a fault and answers `None`; keys nobody asked for are faults
//! too; where several files were merged into one table, a fault names the file its key stands in. Deliberately absent:
//! any knowledge of what the keys mean.

use policy::Fault;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// One file of a [`SourceText`]; its bytes are counted from `start`, so that a position names its file too.
#[derive(Debug)]
struct File {
    name: String,
    start: usize,
    text: String,
}

/// The texts read together, the file that matters most first, and the faults found in them so far (文件及已发现的错误).
#[derive(Debug)]
pub(crate) struct SourceText {
    files: Vec<File>,
    faults: RefCell<Vec<(usize, Fault)>>,
}

impl SourceText {
    /// Texts with the names of their files; the later ones are those the first one builds on.
    pub(crate) fn new(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files = Vec::new();
        let mut start = 0;
        for (name, text) in texts {
            let next = start + text.len() + 1;
            files.push(File { name, start, text });
            start = next;
        }
        Self {
            files,
            faults: RefCell::new(Vec::new()),
        }
    }

    /// Which file a byte position stands in.
    fn place(&self, at: usize) -> usize {
        self.files
            .iter()
            .rposition(|file| file.start <= at)
            .unwrap_or(0)
    }

    /// Whether two places stand in one file.
    pub(crate) fn together(&self, one: &Range<usize>, other: &Range<usize>) -> bool {
        self.place(one.start) == self.place(other.start)
    }

    /// Notes a fault at a byte position; in a file that was built on, it says for whom.
    pub(crate) fn fault(&self, at: &Range<usize>, sentence_zh: impl Into<String>) {
        let place = self.place(at.start);
        let Some(file) = self.files.get(place) else {
            return;
        };
        let before = file
            .text
            .get(..at.start.saturating_sub(file.start))
            .unwrap_or(&file.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |last| last.chars().count())
            + 1;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let mut sentence_zh = sentence_zh.into();
        if let (1.., Some(own)) = (place, self.files.first()) {
            sentence_zh = format!("{sentence_zh}（{} 沿用了这里）", own.name);
        }
        let fault = Fault {
            file: file.name.clone(),
            line: number(line),
            column: number(column),
            sentence_zh,
        };
        self.faults.borrow_mut().push((at.start, fault));
    }

    /// The top table of each text; syntax errors become faults and what could be read is still read.
    pub(crate) fn parse(&self) -> Vec<DeTable<'_>> {
        self.files
            .iter()
            .map(|file| {
                let (table, errors) = DeTable::parse_recoverable(&file.text);
                for error in errors {
                    let span = error.span().unwrap_or(0..0);
                    self.fault(
                        &(span.start + file.start..span.end + file.start),
                        format!("TOML 语法有误：{}", error.message()),
                    );
                }
                moved_table(table.into_inner(), file.start)
            })
            .collect()
    }

    /// All faults, in the order of the texts, each once.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults.into_iter().map(|(_, fault)| fault).collect()
    }
}

/// The same table with all its positions counted from `by`.
fn moved_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    if by == 0 {
        return table;
    }
    table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            let key = Spanned::new(span.start + by..span.end + by, key.into_inner());
            (key, moved(value, by))
        })
        .collect()
}

fn moved(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span();
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved_table(table, by)),
        DeValue::Array(items) => DeValue::Array(
            items
                .into_iter()
                .map(|item| moved(item, by))
                .collect::<DeArray<'_>>(),
        ),
        plain => plain,
    };
    Spanned::new(span.start + by..span.end + by, inner)
}

/// A value together with where it stands (带位置的值).
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    /// The value.
    pub(crate) value: T,
    /// Its bytes in the text.
    pub(crate) span: Range<usize>,
}

/// One table of the text (一张表).
#[derive(Debug)]
pub(crate) struct Node<'a> {
    source: &'a SourceText,
    table: &'a DeTable<'a>,
    /// Where the table stands.
    pub(crate) span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Node<'a> {
    /// The top of a text.
    pub(crate) fn top(source: &'a SourceText, table: &'a DeTable<'a>) -> Self {
        Self {
            source,
            table,
            span: 0..0,
            asked: RefCell::new(BTreeSet::new()),
        }
    }

    fn of(source: &'a SourceText, value: &'a Spanned<DeValue<'a>>, what: &str) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self {
                source,
                table,
                span: value.span(),
                asked: RefCell::new(BTreeSet::new()),
            }),
            _ => {
                source.fault(&value.span(), format!("{what} 应是一张表"));
                None
            }
        }
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key);
        self.table
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    /// Whether the key is written at all.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Notes a fault at this table.
    pub(crate) fn fault(&self, sentence_zh: impl Into<String>) {
        self.source.fault(&self.span, sentence_zh);
    }

    /// A text, if written.
    pub(crate) fn maybe_text(&self, key: &'static str) -> Option<At<String>> {
        let value = self.value(key)?;
        if let Some(text) = value.get_ref().as_str() {
            Some(At {
                value: text.to_owned(),
                span: value.span(),
            })
        } else {
            self.source
                .fault(&value.span(), format!("{key} 应是加引号的文字"));
            None
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        if !self.has(key) {
            self.fault(format!("缺少 {key}"));
            return None;
        }
        let found = self.maybe_text(key)?;
        if found.value.trim().is_empty() {
            self.source.fault(&found.span, format!("{key} 不能为空"));
            return None;
        }
        Some(found)
    }

    /// A list of texts; left out: empty.
    pub(crate) fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.source.fault(
                &value.span(),
                format!("{key} 应是文字的列表，例如 [\"甲\", \"乙\"]"),
            );
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            if let Some(text) = item.get_ref().as_str() {
                texts.push(At {
                    value: text.to_owned(),
                    span: item.span(),
                });
            } else {
                self.source
                    .fault(&item.span(), format!("{key} 中的每一项应是加引号的文字"));
            }
        }
        texts
    }

    /// A yes or no; left out: `default`.
    pub(crate) fn bool(&self, key: &'static str, default: bool) -> bool {
        let Some(value) = self.value(key) else {
            return default;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.source
                .fault(&value.span(), format!("{key} 应是 true 或 false"));
            default
        })
    }

    /// A whole number inside a range, if written.
    pub(crate) fn maybe_number(&self, key: &'static str, within: Range<u32>) -> Option<At<u32>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok())
            .filter(|number| within.contains(number));
        if number.is_none() {
            self.source.fault(
                &value.span(),
                format!(
                    "{key} 应是 {} 到 {} 之间的整数",
                    within.start,
                    within.end.saturating_sub(1)
                ),
            );
        }
        number.map(|number| At {
            value: number,
            span: value.span(),
        })
    }

    /// A whole number that must be there.
    pub(crate) fn number(&self, key: &'static str, within: Range<u32>) -> Option<At<u32>> {
        if !self.has(key) {
            self.fault(format!("缺少 {key}"));
            return None;
        }
        self.maybe_number(key, within)
    }

    /// A table below, if written.
    pub(crate) fn maybe_table(&self, key: &'static str) -> Option<Node<'a>> {
        let value = self.value(key)?;
        Node::of(self.source, value, key)
    }

    /// The tables of a list; left out: none.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Node<'a>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .filter_map(|item| Node::of(self.source, item, key))
                .collect(),
            _ => {
                self.source
                    .fault(&value.span(), format!("{key} 应写作 [[{key}]]"));
                Vec::new()
            }
        }
    }

    /// A plain value of whatever type as a fact's value, if written: text, whole number or yes/no.
    pub(crate) fn maybe_fact_value(&self, key: &'static str) -> Option<vocab::Value> {
        let value = self.value(key)?;
        let read = fact_value(value.get_ref());
        if read.is_none() {
            self.source
                .fault(&value.span(), format!("{key} 应是文字、整数或 true/false"));
        }
        read
    }

    /// A list of plain values; left out: empty.
    pub(crate) fn fact_values(&self, key: &'static str) -> Vec<vocab::Value> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let read = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| fact_value(item.get_ref()))
                .collect(),
            _ => None,
        };
        read.unwrap_or_else(|| {
            self.source.fault(
                &value.span(),
                format!("{key} 应是文字、整数或 true/false 的列表"),
            );
            Vec::new()
        })
    }

    /// Both wordings; a missing one is a fault.
    pub(crate) fn wording(&self) -> Option<(String, String)> {
        let zh = self.text("zh");
        let en = self.text("en");
        Some((zh?.value, en?.value))
    }

    /// Ends the reading of this table: keys that nothing asked for are faults.
    pub(crate) fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !asked.iter().any(|asked| *asked == name) {
                self.source
                    .fault(&key.span(), format!("不认识的栏目 {name}"));
            }
        }
    }

    /// The text this table stands in.
    pub(crate) fn source(&self) -> &'a SourceText {
        self.source
    }
}

fn fact_value(value: &DeValue<'_>) -> Option<vocab::Value> {
    match value {
        DeValue::String(text) => Some(vocab::Value::Text(text.clone().into_owned())),
        DeValue::Boolean(yes) => Some(vocab::Value::Bool(*yes)),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .map(vocab::Value::Int),
        _ => None,
    }
}
