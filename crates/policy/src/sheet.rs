//! Fact sheets as people write them (事实表的写法): the short forms of worked cases and of the JSON interface.
//!
//! A fact is a bare value, a table `{ value, from, until, known_since, source, evidence }`, a list of those, or
//! `{ monthly = [ … ] }`: the last value is the month before `as_of`. Deliberately absent: defaults.

use crate::determination::Unit;
use crate::fact_def::FactDef;
use crate::kind::Kind;
use crate::names::{Meaning, Names};
use crate::toml_file::{Cell, Said, Table};
use chrono::NaiveDate;
use toml::de::DeValue;
use vocab::{DatedFact, FactSheet, Month, Period, Record, Value};

/// Reads `{ "household": {…}, "members": [{…}], "member_keys": […] }` from JSON (读取 JSON 事实表).
///
/// An organisation is written `{ "organisation": {…}, "members": […] }`; its facts stand where a household's would.
///
/// # Errors
/// Everything that is not of that shape, each with its path.
pub fn from_json(json: &serde_json::Value) -> Result<FactSheet, Vec<String>> {
    let mut wrong = Vec::new();
    let mut sheet = FactSheet::default();
    let Some(top) = json.as_object() else {
        return Err(vec![
            "应当是 {\"household\": {…}, \"members\": [{…}]}".to_owned(),
        ]);
    };
    for (key, value) in top {
        match key.as_str() {
            "household" | "organisation" => {
                sheet.household.extend(json_record(value, key, &mut wrong));
            }
            "members" => match value.as_array() {
                Some(members) => {
                    for (index, member) in members.iter().enumerate() {
                        sheet.members.push(json_record(
                            member,
                            &format!("members[{index}]"),
                            &mut wrong,
                        ));
                    }
                }
                None => wrong.push("members 应当是列表".to_owned()),
            },
            "member_keys" => match serde_json::from_value(value.clone()) {
                Ok(keys) => sheet.member_keys = keys,
                Err(_) => wrong.push("member_keys 应当是文字的列表".to_owned()),
            },
            _ => wrong.push(format!(
                "不认识的键“{key}”；可以写 household（或 organisation）members member_keys"
            )),
        }
    }
    if top.contains_key("household") && top.contains_key("organisation") {
        wrong.push(
            "household 和 organisation 只写一个：一张事实表要么是一户，要么是一个机构".to_owned(),
        );
    }
    if !sheet.member_keys.is_empty() && sheet.member_keys.len() != sheet.members.len() {
        wrong.push("member_keys 要么不写，要么与 members 一样多".to_owned());
    }
    if wrong.is_empty() {
        Ok(sheet)
    } else {
        Err(wrong)
    }
}

fn json_record(json: &serde_json::Value, path: &str, wrong: &mut Vec<String>) -> Record {
    let mut record = Record::new();
    let Some(facts) = json.as_object() else {
        wrong.push(format!("{path} 应当是 {{事实: 值}}"));
        return record;
    };
    for (fact, value) in facts {
        let path = format!("{path}.{fact}");
        if fact == "in_payment" {
            for (programme, rows) in json_record(value, &path, wrong) {
                record.insert(format!("in_payment.{programme}"), rows);
            }
            continue;
        }
        let rows: Vec<DatedFact> = match value {
            serde_json::Value::Array(items) => items
                .iter()
                .filter_map(|item| json_fact(item, &path, wrong))
                .collect(),
            other => json_fact(other, &path, wrong).into_iter().collect(),
        };
        record.insert(fact.clone(), rows);
    }
    record
}

fn json_fact(json: &serde_json::Value, path: &str, wrong: &mut Vec<String>) -> Option<DatedFact> {
    let parsed = match json {
        serde_json::Value::Object(fields) => {
            let mut flat = fields.clone();
            let mut period = serde_json::Map::new();
            for key in ["from", "until"] {
                if let Some(day) = flat.remove(key) {
                    period.insert(key.to_owned(), day);
                }
            }
            if !period.is_empty() {
                flat.insert("period".to_owned(), serde_json::Value::Object(period));
            }
            for key in flat.keys() {
                if !["value", "period", "known_since", "source", "evidence"].contains(&key.as_str())
                {
                    wrong.push(format!("{path} 里有不认识的键“{key}”"));
                }
            }
            serde_json::from_value::<DatedFact>(serde_json::Value::Object(flat)).ok()
        }
        plain => serde_json::from_value::<Value>(plain.clone())
            .ok()
            .map(DatedFact::plain),
    };
    if parsed.is_none() {
        wrong.push(format!(
            "{path} 不是值，也不是 {{value, from, until, known_since, source}}"
        ));
    }
    parsed
}

/// What a fact of a case must be.
struct Wanted<'a> {
    id: String,
    kind: Kind,
    codes: Vec<&'a str>,
}

/// Reads the facts of one household or member of a case.
pub(crate) fn from_table(table: &Table<'_>, unit: Unit, as_of: NaiveDate, names: &Names) -> Record {
    let faults = table.reading.faults;
    let mut record = Record::new();
    for (key, cell) in table.cells() {
        if key.text == "in_payment" {
            let Some(inner) = cell.table() else { continue };
            for (programme, cell) in inner.cells() {
                match names.meaning("", &["in_payment", &programme.text]) {
                    Some(Meaning::InPayment(of)) if of == unit => {
                        let wanted = Wanted {
                            id: format!("in_payment.{}", programme.text),
                            kind: Kind::Bool,
                            codes: Vec::new(),
                        };
                        record.insert(wanted.id.clone(), rows(&cell, &wanted, as_of));
                    }
                    Some(meaning) => {
                        let whose = place(meaning.unit().unwrap_or(unit));
                        faults.note(
                            &programme.spot,
                            format!(
                                "“{}”是{whose}的事项，in_payment 要写在{whose}里",
                                programme.text
                            ),
                        );
                    }
                    None => {
                        faults.note(&programme.spot, format!("没有叫“{}”的事项", programme.text))
                    }
                }
            }
            continue;
        }
        match names.facts.get(&key.text) {
            Some(fact) if fact.of == unit => {
                record.insert(key.text.clone(), rows(&cell, &wanted(fact), as_of));
            }
            Some(fact) => {
                let whose = place(fact.of);
                faults.note(
                    &key.spot,
                    format!("事实“{}”是{whose}的，要写在{whose}里", key.text),
                );
            }
            None => faults.note(&key.spot, unknown(&key, names)),
        }
    }
    record
}

fn unknown(key: &Said, names: &Names) -> String {
    let hint = names
        .nearest("", &key.text)
        .filter(|known| names.facts.contains_key(*known))
        .map_or_else(String::new, |known| format!("；是不是想写 {known}？"));
    format!("没有叫“{}”的事实{hint}", key.text)
}

fn place(unit: Unit) -> &'static str {
    match unit {
        Unit::Person => "成员（members）",
        Unit::Household => "家庭（household）",
        Unit::Organisation => "机构（organisation）",
    }
}

fn wanted(fact: &FactDef) -> Wanted<'_> {
    Wanted {
        id: fact.id.clone(),
        kind: fact.kind,
        codes: fact.codes.iter().map(|code| code.code.as_str()).collect(),
    }
}

fn rows(cell: &Cell<'_>, wanted: &Wanted<'_>, as_of: NaiveDate) -> Vec<DatedFact> {
    match cell.value.get_ref() {
        DeValue::Array(_) => cell
            .list()
            .unwrap_or_default()
            .iter()
            .flat_map(|item| rows(item, wanted, as_of))
            .collect(),
        DeValue::Table(_) => {
            let Some(table) = cell.table() else {
                return Vec::new();
            };
            if let Some(monthly) = table.get("monthly") {
                let source = table
                    .text("source")
                    .map(|said| said.text)
                    .unwrap_or_default();
                table.no_other_keys("monthly source");
                let values = monthly.list().unwrap_or_default();
                let count = i32::try_from(values.len()).unwrap_or(0);
                return values
                    .iter()
                    .zip(-count..0)
                    .filter_map(|(cell, back)| {
                        Some(DatedFact {
                            period: Period::of_month(Month::of(as_of).plus(back)),
                            source: source.clone(),
                            ..DatedFact::plain(value(cell, wanted)?)
                        })
                    })
                    .collect();
            }
            let value = table.need("value").and_then(|cell| value(&cell, wanted));
            let from = table.get("from").and_then(|cell| cell.date());
            let until = table.get("until").and_then(|cell| cell.date());
            let known_since = table.get("known_since").and_then(|cell| cell.instant());
            let source = table
                .text("source")
                .map(|said| said.text)
                .unwrap_or_default();
            let evidence = table.text("evidence").map(|said| said.text);
            table.no_other_keys("value from until known_since source evidence；或 monthly source");
            value
                .map(|value| DatedFact {
                    value,
                    period: Period { from, until },
                    known_since,
                    source,
                    evidence,
                })
                .into_iter()
                .collect()
        }
        _ => value(cell, wanted)
            .map(DatedFact::plain)
            .into_iter()
            .collect(),
    }
}

fn value(cell: &Cell<'_>, wanted: &Wanted<'_>) -> Option<Value> {
    let fits = match (wanted.kind, cell.value.get_ref()) {
        (Kind::Bool, DeValue::Boolean(flag)) => Some(Value::Bool(*flag)),
        (
            Kind::Count | Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear,
            DeValue::Integer(_),
        ) => cell.whole().map(Value::Int),
        (Kind::Date, DeValue::Datetime(_)) => cell.as_date().map(Value::Date),
        (Kind::Text, DeValue::String(text)) => Some(Value::Text(text.to_string())),
        (Kind::Code, DeValue::String(text)) => {
            if !wanted.codes.contains(&text.as_ref()) {
                cell.reading.faults.note(
                    &cell.spot(),
                    format!(
                        "“{text}”不是事实“{}”的代码；可用的有 {}",
                        wanted.id,
                        wanted.codes.join("、")
                    ),
                );
                return None;
            }
            Some(Value::Text(text.to_string()))
        }
        _ => None,
    };
    if fits.is_none() {
        cell.reading.faults.note(
            &cell.spot(),
            format!(
                "事实“{}”的值应当是{}{}",
                wanted.id,
                wanted.kind,
                if wanted.kind.is_money() {
                    "，以分为单位的整数"
                } else {
                    ""
                }
            ),
        );
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_sheets_take_short_and_long_forms() {
        let json = serde_json::json!({
            "household": { "rooms": 2, "in_payment": { "dibao": true } },
            "members": [{ "wage": [{ "value": 100, "from": "2026-01-01", "source": "社保" }, 200], "birth_date": "1990-05-01" }],
        });
        let sheet = from_json(&json).unwrap();
        assert_eq!(
            sheet.household["in_payment.dibao"][0].value,
            Value::Bool(true)
        );
        assert_eq!(sheet.members[0]["wage"].len(), 2);
        assert_eq!(
            sheet.members[0]["wage"][0].period.from,
            NaiveDate::from_ymd_opt(2026, 1, 1)
        );
        let wrong =
            from_json(&serde_json::json!({ "member": [], "household": { "x": { "valeu": 1 } } }))
                .unwrap_err();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
