//! Adding a dated value (新增带日期的值): one entry more in the list of a parameter, everything else as it was written.
//!
//! Guarantees: comments and layout of the file stay; the entries of a region come in order of their days. Deliberately
//! absent: changing or removing an entry; judging the value, which the loader does.

use super::Refused;
use chrono::NaiveDate;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

/// A dated value as an officer types it (新值).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewValue {
    /// The parameter.
    pub parameter: String,
    /// The first day.
    pub from: NaiveDate,
    /// Only in this region, by its code; empty means everywhere in the pack.
    pub region: String,
    /// The value as the file writes it: `65000`, `true`, `{ 80 = 10000, 90 = 20000 }`.
    pub value: String,
    /// Where it is published.
    pub source: String,
}

/// The parameters of a file and what they are (参数清单); empty for a text that cannot be read.
pub fn parameters_in(text: &str) -> Vec<(String, String)> {
    let Ok(table) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    table
        .iter()
        .filter(|(_, entry)| entry.get("values").is_some() || entry.get("bands").is_some())
        .map(|(id, entry)| {
            let what = entry.get("what").and_then(|what| what.as_str());
            (id.clone(), what.unwrap_or_default().to_owned())
        })
        .collect()
}

/// The file with the value added (加值后的文本).
///
/// # Errors
/// [`Refused::Value`] with a sentence for the officer.
pub fn with_value(text: &str, new: &NewValue) -> Result<String, Refused> {
    let refuse = |sentence: String| Refused::Value(sentence);
    let mut document: DocumentMut = text
        .parse()
        .map_err(|_| refuse("文件本身有错误，请先改正再加新值".to_owned()))?;
    if new.source.trim().is_empty() {
        return Err(refuse("请填写来源：公布文件的名称、文号或网址".to_owned()));
    }
    let value: Value = new
        .value
        .trim()
        .parse()
        .map_err(|_| refuse(format!("“{}”不是可用的值；金额按分写整数", new.value)))?;
    let day = new
        .from
        .to_string()
        .parse()
        .map_err(|_| refuse(format!("“{}”不是日期", new.from)))?;
    let mut entry = InlineTable::new();
    entry.insert("from", Value::Datetime(toml_edit::Formatted::new(day)));
    if !new.region.trim().is_empty() {
        entry.insert("region", new.region.trim().into());
    }
    entry.insert("value", value.decorated(" ", ""));
    entry.insert("source", new.source.trim().into());
    let table = document
        .get_mut(&new.parameter)
        .and_then(Item::as_table_mut)
        .ok_or_else(|| refuse(format!("这个文件里没有参数“{}”", new.parameter)))?;
    let list = list_of(table)
        .ok_or_else(|| refuse(format!("参数“{}”没有 values 或 bands", new.parameter)))?;
    put(list, entry, new);
    Ok(document.to_string())
}

fn list_of(table: &mut Table) -> Option<&mut Array> {
    let key = ["values", "bands"]
        .into_iter()
        .find(|key| table.contains_key(key))?;
    table.get_mut(key)?.as_array_mut()
}

/// Puts the entry after the last one of its region, on a line of its own like its neighbours.
fn put(list: &mut Array, entry: InlineTable, new: &NewValue) {
    let same_region = |value: &Value| {
        let region = value
            .as_inline_table()
            .and_then(|table| table.get("region"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        region == new.region.trim()
    };
    let day = new.from.to_string();
    let earlier = |value: &Value| {
        value
            .as_inline_table()
            .and_then(|table| table.get("from"))
            .is_none_or(|from| from.to_string().trim() < day.as_str())
    };
    let mut at = list.len();
    let mine: Vec<usize> = (0..list.len())
        .filter(|place| list.get(*place).is_some_and(same_region))
        .collect();
    if let Some(last) = mine
        .iter()
        .rev()
        .find(|place| list.get(**place).is_some_and(earlier))
    {
        at = last + 1;
    } else if let Some(first) = mine.first() {
        at = *first;
    }
    // A list written in one line becomes one entry a line: the next reader compares them at a glance.
    for value in list.iter_mut() {
        let before = value
            .decor()
            .prefix()
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        if !before.contains('\n') {
            value.decor_mut().set_prefix("\n  ");
        }
        value.decor_mut().set_suffix("");
    }
    let mut entry = Value::InlineTable(entry);
    entry.decor_mut().set_prefix("\n  ");
    list.insert_formatted(at, entry);
    list.set_trailing("\n");
    list.set_trailing_comma(true);
}

#[cfg(test)]
mod tests {
    use super::{NewValue, with_value};

    const FILE: &str = "# 参数\n\n[standard]\nwhat = \"标准\" # 每人\nunit = \"fen/person/month\"\nvalues = [{ from = 2020-01-01, value = 60000, source = \"甲\" }]\n\n[rates]\nbands = [\n  # 老的\n  { from = 2020-01-01, value = { 80 = 1 }, source = \"乙\" },\n  { from = 2020-01-01, region = \"990101002\", value = { 80 = 2 }, source = \"乙\" },\n]\n";

    fn new(parameter: &str, region: &str, value: &str) -> NewValue {
        NewValue {
            parameter: parameter.to_owned(),
            from: "2026-07-01".parse().unwrap(),
            region: region.to_owned(),
            value: value.to_owned(),
            source: "民发〔2026〕1号".to_owned(),
        }
    }

    #[test]
    fn an_entry_is_added_and_nothing_else_changes() {
        let text = with_value(FILE, &new("standard", "", "65000")).unwrap();
        assert!(text.contains("what = \"标准\" # 每人\n"), "{text}");
        assert!(
            text.contains("values = [\n  { from = 2020-01-01, value = 60000, source = \"甲\" },\n  { from = 2026-07-01, value = 65000, source = \"民发〔2026〕1号\" },\n]"),
            "{text}"
        );
        let text = with_value(FILE, &new("rates", "", "{ 80 = 3 }")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let at = lines
            .iter()
            .position(|line| line.contains("80 = 3"))
            .unwrap();
        assert!(lines[at - 1].contains("80 = 1"), "{text}");
        assert!(lines[at + 1].contains("80 = 2"), "{text}");
        assert!(text.contains("  # 老的\n"), "{text}");
    }

    #[test]
    fn what_cannot_be_added_is_said() {
        assert!(with_value(FILE, &new("nothing", "", "1")).is_err());
        assert!(with_value(FILE, &new("standard", "", "六百五")).is_err());
        let mut unsourced = new("standard", "", "65000");
        unsourced.source = " ".to_owned();
        assert!(with_value(FILE, &unsourced).is_err());
    }
}
