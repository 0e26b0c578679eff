//! What a fact is (事实定义): of whom, of which kind, from where, how sensitive, and how it is called.
//!
//! A fact id has one meaning in all packs, for ever. Deliberately absent: values; those are on the fact sheet.

use crate::determination::Unit;
use crate::fault::Spot;
use crate::kind::Kind;
use crate::toml_file::{Said, Table};
use serde::{Deserialize, Serialize};

/// How carefully a fact is shown (敏感级别).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// 一般
    Ordinary,
    /// 个人信息
    Personal,
    /// 敏感个人信息
    Sensitive,
}

/// One code a fact can have (代码项).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeDef {
    /// The code.
    pub code: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its name in English.
    pub en: String,
}

/// What a fact is (事实定义).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactDef {
    /// Its id.
    pub id: String,
    /// Of whom.
    pub of: Unit,
    /// Of which kind.
    pub kind: Kind,
    /// The codes it can have, in declared order; empty unless `kind` is code.
    pub codes: Vec<CodeDef>,
    /// Where it usually comes from, in words.
    pub source: String,
    /// How carefully it is shown.
    pub sensitivity: Sensitivity,
    /// Its name in Chinese.
    pub label_zh: String,
    /// Its name in English.
    pub label_en: String,
    /// A hint for who fills it in, in Chinese.
    pub hint_zh: Option<String>,
    /// A hint for who fills it in, in English.
    pub hint_en: Option<String>,
    /// The folder that declares it.
    pub folder: String,
    /// Where it is declared.
    pub spot: Spot,
}

/// A fact as its file declares it, before wording is joined (事实声明).
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) id: Said,
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    pub(crate) codes: Vec<String>,
    pub(crate) source: String,
    pub(crate) sensitivity: Sensitivity,
}

/// Reads the unit of a fact or rule: `household`, `person` or `organisation`.
pub(crate) fn unit(said: &Said, table: &Table<'_>) -> Option<Unit> {
    match said.text.as_str() {
        "household" => Some(Unit::Household),
        "person" => Some(Unit::Person),
        "organisation" => Some(Unit::Organisation),
        _ => {
            table.reading.faults.note(
                &said.spot,
                "这里只能写 \"household\"（家庭）、\"person\"（个人）或 \"organisation\"（机构）",
            );
            None
        }
    }
}

/// Whether an id may be used in formulas: lower-case letters, digits, underscores.
pub(crate) fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Names that formulas use for something else.
pub(crate) const RESERVED: [&str; 14] = [
    "members",
    "household",
    "organisation",
    "in_payment",
    "as_of",
    "month_start",
    "month_end",
    "case",
    "when",
    "and",
    "or",
    "not",
    "true",
    "false",
];

/// Reads a `facts.toml`.
pub(crate) fn read(top: &Table<'_>) -> Vec<Declared> {
    let mut declared = Vec::new();
    let faults = top.reading.faults;
    for table in top.tables("fact") {
        let id = table.need_text("id");
        let of = table.need_text("of").and_then(|said| unit(&said, &table));
        let kind = table.need_text("type").and_then(|said| {
            let kind = Kind::from_word(&said).filter(|kind| *kind != Kind::Ratio);
            if kind.is_none() {
                faults.note(
                    &said.spot,
                    format!("不认识的类型“{}”；可以写 bool count money money/month money/year date code text", said.text),
                );
            }
            kind
        });
        let codes: Vec<Said> = table
            .get("codes")
            .map(|cell| cell.texts())
            .unwrap_or_default();
        match kind {
            Some(Kind::Code) if codes.is_empty() => {
                faults.note(&table.spot(), "代码类事实要写 codes = [ … ]")
            }
            Some(Kind::Code) | None => {}
            Some(_) if codes.is_empty() => {}
            Some(_) => faults.note(&codes[0].spot, "只有 type = \"code\" 才写 codes"),
        }
        for (index, code) in codes.iter().enumerate() {
            if codes[..index].iter().any(|other| other.text == code.text) {
                faults.note(&code.spot, format!("代码“{}”写了两次", code.text));
            }
        }
        let source = table.need_text("source");
        let sensitivity = match table.text("sensitivity") {
            None => Some(Sensitivity::Personal),
            Some(said) => match said.text.as_str() {
                "ordinary" => Some(Sensitivity::Ordinary),
                "personal" => Some(Sensitivity::Personal),
                "sensitive" => Some(Sensitivity::Sensitive),
                _ => {
                    faults.note(
                        &said.spot,
                        "sensitivity 只能写 ordinary、personal、sensitive",
                    );
                    None
                }
            },
        };
        table.no_other_keys("id of type codes source sensitivity");
        if let Some(id) = &id
            && (!is_id(id) || RESERVED.contains(&id.text.as_str()))
        {
            faults.note(
                &id.spot,
                format!(
                    "“{}”不能作名字；只用小写字母、数字和下划线，且不与保留字相同",
                    id.text
                ),
            );
            continue;
        }
        if let (Some(id), Some(of), Some(kind), Some(source), Some(sensitivity)) =
            (id, of, kind, source, sensitivity)
        {
            declared.push(Declared {
                id,
                of,
                kind,
                codes: codes.into_iter().map(|code| code.text).collect(),
                source: source.text,
                sensitivity,
            });
        }
    }
    top.no_other_keys("[[fact]]");
    declared
}
