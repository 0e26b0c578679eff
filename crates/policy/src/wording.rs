//! Wording (用语): names, questions, conditions and refusals as people read them, in Chinese and English.
//!
//! Guarantees, checked by the loader: nothing a person may read lacks a language. Placeholders stand in braces.
//! Deliberately absent: letters and forms, which have files of their own.

use crate::fault::Spot;
use crate::toml_file::{Said, Table};
use std::collections::BTreeMap;

/// The same in two languages (双语文字).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// A hint in Chinese.
    pub hint_zh: Option<String>,
    /// A hint in English.
    pub hint_en: Option<String>,
    /// Where the Chinese text is written.
    pub(crate) zh_spot: Spot,
    /// Where the English text is written.
    pub(crate) en_spot: Spot,
}

/// All wording of one folder (用语表); a place's wording replaces the nation's entry by entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wordings {
    pub(crate) programme: Option<Wording>,
    pub(crate) summary: Option<Wording>,
    pub(crate) facts: BTreeMap<String, Wording>,
    pub(crate) codes: BTreeMap<(String, String), Wording>,
    pub(crate) variables: BTreeMap<String, Wording>,
    pub(crate) conditions: BTreeMap<String, Wording>,
    pub(crate) refusals: BTreeMap<String, Wording>,
    /// Every entry's key, to find entries that name nothing.
    pub(crate) keys: Vec<(&'static str, Said)>,
}

fn entry(name: &str, spot: &Spot, table: &Table<'_>, hints: bool) -> Option<Wording> {
    let faults = table.reading.faults;
    let zh = table.text("zh");
    let en = table.text("en");
    for (text, key) in [(&zh, "zh"), (&en, "en")] {
        if text.as_ref().is_none_or(|text| text.trim().is_empty()) {
            faults.note(
                spot,
                format!(
                    "“{name}”缺少{}文字（{key}）",
                    if key == "zh" { "中文" } else { "英文" }
                ),
            );
        }
    }
    let hint_zh = hints.then(|| table.text("hint_zh")).flatten();
    let hint_en = hints.then(|| table.text("hint_en")).flatten();
    let (zh, en) = (zh?, en?);
    Some(Wording {
        zh: zh.text,
        en: en.text,
        hint_zh: hint_zh.map(|said| said.text),
        hint_en: hint_en.map(|said| said.text),
        zh_spot: zh.spot,
        en_spot: en.spot,
    })
}

impl Wordings {
    /// Reads a `wording.toml` over what is already known.
    pub(crate) fn read(&mut self, top: &Table<'_>) {
        if let Some(table) = top.get("programme").and_then(|cell| cell.table()) {
            self.programme =
                entry("programme", &table.spot(), &table, false).or(self.programme.take());
            if let Some(summary) = table.get("summary").and_then(|cell| cell.table()) {
                self.summary = entry("programme.summary", &summary.spot(), &summary, false);
                summary.no_other_keys("zh en");
            }
            table.no_other_keys("zh en summary");
        }
        for (section, hints) in [
            ("fact", true),
            ("variable", true),
            ("condition", false),
            ("refusal", false),
        ] {
            let Some(table) = top.get(section).and_then(|cell| cell.table()) else {
                continue;
            };
            for (key, cell) in table.cells() {
                let Some(inner) = cell.table() else { continue };
                let read = entry(&format!("{section}.{}", key.text), &key.spot, &inner, hints);
                inner.no_other_keys(if hints {
                    "zh en hint_zh hint_en"
                } else {
                    "zh en"
                });
                let Some(wording) = read else { continue };
                let map = match section {
                    "fact" => &mut self.facts,
                    "variable" => &mut self.variables,
                    "condition" => &mut self.conditions,
                    _ => &mut self.refusals,
                };
                map.insert(key.text.clone(), wording);
                self.keys.push((section, key));
            }
        }
        if let Some(table) = top.get("code").and_then(|cell| cell.table()) {
            for (fact, cell) in table.cells() {
                let Some(codes) = cell.table() else { continue };
                for (code, cell) in codes.cells() {
                    let Some(inner) = cell.table() else { continue };
                    let name = format!("code.{}.{}", fact.text, code.text);
                    if let Some(wording) = entry(&name, &code.spot, &inner, false) {
                        self.codes
                            .insert((fact.text.clone(), code.text.clone()), wording);
                    }
                    inner.no_other_keys("zh en");
                }
                self.keys.push(("code", fact));
            }
        }
        top.no_other_keys("[programme] [fact.*] [code.*.*] [variable.*] [condition.*] [refusal.*]");
    }
}

/// A sentence cut at its placeholders (带占位的句子).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Words(String),
    /// The name, and at which character of the sentence its brace stands.
    Name(String, u32),
}

/// Cuts a sentence at `{name}`; an open brace without end is plain text.
pub(crate) fn pieces(sentence: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = sentence;
    let mut at = 0;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|n| open + n) else {
            break;
        };
        if open > 0 {
            found.push(Piece::Words(rest[..open].to_owned()));
        }
        let before = u32::try_from(rest[..open].chars().count()).unwrap_or(0);
        let name = rest[open + 1..close].trim().to_owned();
        found.push(Piece::Name(name, at + before));
        at += u32::try_from(rest[..=close].chars().count()).unwrap_or(0);
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        found.push(Piece::Words(rest.to_owned()));
    }
    found
}
