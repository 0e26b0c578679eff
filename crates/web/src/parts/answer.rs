//! Values of facts (事实的值): how each kind is shown and asked, the same in the one form and on the fact page.
//!
//! An unanswered question stays unanswered: there is no preset choice and no preset zero.

use crate::locale::Lang;
use crate::parts::form::{FieldError, field};
use crate::parts::format;
use crate::visit::Visit;
use maud::{Markup, html};
use policy::{FactDef, Kind};
use vocab::{Money, Region, Value};

/// What is asked (所问事实), as a form or the rule book describes it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The label.
    pub label: String,
    /// A hint.
    pub hint: Option<String>,
    /// The kind of answer.
    pub kind: Kind,
    /// The choices of a code: value and label.
    pub options: Vec<(String, String)>,
}

impl Asked {
    /// As the rule book describes a fact.
    pub fn of(lang: Lang, def: &FactDef) -> Self {
        let hint = match lang {
            Lang::Zh => def.hint_zh.clone(),
            Lang::En => def.hint_en.clone(),
        };
        Self {
            label: lang.pick(&def.label_zh, &def.label_en).to_owned(),
            hint,
            kind: def.kind,
            options: def
                .codes
                .iter()
                .map(|code| (code.code.clone(), lang.pick(&code.zh, &code.en).to_owned()))
                .collect(),
        }
    }
}

/// The unit of a kind of money.
fn unit(lang: Lang, kind: Kind) -> &'static str {
    match kind {
        Kind::MoneyPerMonth => lang.t("元/月"),
        Kind::MoneyPerYear => lang.t("元/年"),
        _ => lang.t("元"),
    }
}

/// A value as people read it (显示值): `2,000.00 元/月`, `是`, `2026-06-01`, the name of a code.
pub fn shown(lang: Lang, asked: &Asked, value: &Value) -> String {
    match (asked.kind, value) {
        (_, Value::Bool(true)) => lang.t("是").to_owned(),
        (_, Value::Bool(false)) => lang.t("否").to_owned(),
        (Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear, Value::Int(fen)) => {
            format!("{} {}", Money::from_fen(*fen), unit(lang, asked.kind))
        }
        (_, Value::Int(count)) => count.to_string(),
        (_, Value::Date(day)) => format::date(*day),
        (_, Value::Text(text)) => asked
            .options
            .iter()
            .find(|(code, _)| code == text)
            .map_or_else(|| text.clone(), |(_, label)| label.clone()),
    }
}

/// A value as people read it, with places by name (显示值，区划显示地名).
pub fn shown_at(visit: &Visit, asked: &Asked, value: &Value) -> String {
    let place = match (asked.kind, value) {
        (Kind::Text | Kind::Code, Value::Text(code)) if code.len() == 12 => code.parse().ok(),
        _ => None,
    };
    match place {
        Some(region) => {
            let name = visit.place(region);
            if name == region.to_string() {
                region_in_words(visit.lang, region)
            } else {
                name
            }
        }
        None => shown(visit.lang, asked, value),
    }
}

/// A place the packs of this district do not name: its code, without the zeros that say nothing.
fn region_in_words(lang: Lang, region: Region) -> String {
    let code = region.to_string();
    let short = code
        .get(..6)
        .filter(|_| code.ends_with("000000"))
        .unwrap_or(&code);
    lang.f("外地（区划代码 {code}）", &[("code", &short)])
}

/// A value as it stands in a field (字段中的值), read back by `casework::form::read_answer`.
pub fn typed(kind: Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::Bool(true)) => "true".to_owned(),
        (_, Value::Bool(false)) => "false".to_owned(),
        (Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear, Value::Int(fen)) => {
            Money::from_fen(*fen).yuan_plain()
        }
        (_, Value::Int(count)) => count.to_string(),
        (_, Value::Date(day)) => format::date(*day),
        (_, Value::Text(text)) => text.clone(),
    }
}

/// The field that asks for a value (提问字段). `below` stands under it: where the known value comes from.
pub fn ask(
    lang: Lang,
    name: &str,
    asked: &Asked,
    value: &str,
    errors: &[FieldError],
    below: &Markup,
) -> Markup {
    let mut asking = field(lang, name, &asked.label).value(value).errors(errors);
    if let Some(hint) = &asked.hint {
        asking = asking.hint(html! { (hint) });
    }
    let asking = match asked.kind {
        Kind::Bool => asking.radios(&[
            ("true".to_owned(), lang.t("是").to_owned()),
            ("false".to_owned(), lang.t("否").to_owned()),
        ]),
        Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear => {
            asking.money(unit(lang, asked.kind))
        }
        Kind::Count | Kind::Ratio => asking.count(),
        Kind::Date => asking.date(),
        Kind::Code if asked.options.len() <= 5 => asking.radios(&asked.options),
        Kind::Code => asking.width("middle").select(&asked.options),
        Kind::Text => asking.width("middle").text(),
    };
    html! { div.asked { (asking) (below) } }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Kind, Lang, Value, shown, typed};

    #[test]
    fn a_value_reads_well_and_goes_back_into_its_field() {
        let asked = |kind| Asked {
            label: String::new(),
            hint: None,
            kind,
            options: vec![("1".into(), "一级".into())],
        };
        for (kind, value, reads, stands) in [
            (
                Kind::MoneyPerMonth,
                Value::Int(200_000),
                "2,000.00 元/月",
                "2000.00",
            ),
            (Kind::Count, Value::Int(3), "3", "3"),
            (Kind::Bool, Value::Bool(false), "否", "false"),
            (Kind::Code, Value::Text("1".into()), "一级", "1"),
        ] {
            assert_eq!(shown(Lang::Zh, &asked(kind), &value), reads);
            assert_eq!(typed(kind, &value), stands);
        }
    }
}
