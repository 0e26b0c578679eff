//! Parameters (参数): standards, rates and limits the law sets, dated, by region, each value with its source.
//!
//! A day before the first value has no value; the nearest one is never taken. Values of one region follow each other
//! without gap or overlap. Deliberately absent: values without a source.

use crate::fault::Spot;
use crate::kind::Kind;
use crate::ratio::Ratio;
use crate::toml_file::{Cell, Said, Table};
use crate::unit;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocab::Region;

/// One value and its time (参数值).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterValue {
    /// From which day.
    pub from: NaiveDate,
    /// Until which day it no longer holds, if it ends without successor.
    pub until: Option<NaiveDate>,
    /// Where; `None` means everywhere in the pack.
    pub region: Option<Region>,
    /// What it is.
    pub value: Setting,
    /// Where it is published.
    pub source: String,
    /// A remark for the reader.
    pub note: Option<String>,
    /// Whether it is invented for demonstration.
    pub demo: bool,
    /// Where it is written.
    pub spot: Spot,
}

/// What a parameter is set to (参数取值).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// One number: fen, basis points, a count, 0/1, or a day counted from the calendar's beginning.
    Single(i64),
    /// By lower bounds: at least 70, at least 80 …
    Steps(BTreeMap<i64, i64>),
    /// By code.
    Codes(BTreeMap<String, i64>),
}

/// A parameter (参数).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its id.
    pub id: String,
    /// The folder it belongs to.
    pub folder: String,
    /// What it is, in Chinese.
    pub what: String,
    /// Its unit as written.
    pub unit: String,
    /// The kind it has in formulas.
    pub kind: Kind,
    /// By what its numbers are divided: 10000 for basis points.
    pub divisor: i64,
    /// Whether it is read with `band(…)`.
    pub banded: bool,
    /// Its values, by region, oldest first.
    pub values: Vec<ParameterValue>,
    /// A remark, for instance that nothing is published.
    pub note: Option<String>,
    /// Where it is written.
    pub spot: Spot,
}

/// What a parameter is on a day (参数在某日的值).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDay<'a> {
    Value(&'a ParameterValue),
    NotYet(NaiveDate),
    Lapsed(NaiveDate),
    Unpublished,
}

impl Parameter {
    /// Its value on a day in a region: the most specific region that has one wins. Within a region the latest entry that has
    /// begun decides; once it has ended, an earlier one does not come back, but a wider region may speak.
    pub(crate) fn on(&self, day: NaiveDate, region: Region) -> OnDay<'_> {
        let here = self
            .values
            .iter()
            .filter(|value| value.region.is_none_or(|place| place.holds(region)));
        let mut latest: Vec<&ParameterValue> = Vec::new();
        let mut first: Option<NaiveDate> = None;
        for value in here {
            first = Some(first.map_or(value.from, |day| day.min(value.from)));
            if value.from > day {
                continue;
            }
            match latest.iter_mut().find(|known| known.region == value.region) {
                Some(known) if known.from < value.from => *known = value,
                Some(_) => {}
                None => latest.push(value),
            }
        }
        let ended = |value: &&ParameterValue| value.until.filter(|until| *until <= day);
        let holding = latest.iter().filter(|value| ended(value).is_none());
        let narrowest = holding.max_by_key(|value| value.region.map(Region::level));
        match (
            narrowest.copied(),
            latest.iter().filter_map(ended).max(),
            first,
        ) {
            (Some(value), _, _) => OnDay::Value(value),
            (None, Some(until), _) => OnDay::Lapsed(until),
            (None, None, Some(first)) => OnDay::NotYet(first),
            (None, None, None) => OnDay::Unpublished,
        }
    }

    /// Which entry holds on a day in a region, counted in `values`.
    pub(crate) fn entry_on(&self, day: NaiveDate, region: Region) -> Option<usize> {
        match self.on(day, region) {
            OnDay::Value(value) => self
                .values
                .iter()
                .position(|entry| std::ptr::eq(entry, value)),
            OnDay::NotYet(_) | OnDay::Lapsed(_) | OnDay::Unpublished => None,
        }
    }

    /// A whole number of this parameter as the value formulas see.
    pub(crate) fn scaled(&self, number: i64) -> Ratio {
        Ratio::new(i128::from(number), i128::from(self.divisor)).unwrap_or(Ratio::whole(0))
    }
}

/// What a place's file may leave to the nation's.
pub(crate) struct Inherited<'a> {
    pub(crate) known: Option<&'a Parameter>,
    pub(crate) division: Option<Region>,
}

/// Reads one parameter.
pub(crate) fn read(
    folder: &str,
    id: &Said,
    table: &Table<'_>,
    inherited: &Inherited<'_>,
) -> Option<Parameter> {
    let faults = table.reading.faults;
    let known = inherited.known;
    let what = table.text("what").map(|said| said.text);
    let unit = table.text("unit");
    let note = table.text("note").map(|said| said.text);
    if known.is_none() && what.is_none() {
        faults.note(&id.spot, format!("参数“{}”缺少 what（它是什么）", id.text));
    }
    let unit_word = match (&unit, known) {
        (Some(unit), _) => unit.text.clone(),
        (None, Some(known)) => known.unit.clone(),
        (None, None) => {
            faults.note(&id.spot, format!("参数“{}”缺少 unit（单位）", id.text));
            return None;
        }
    };
    let Some((kind, divisor)) = unit::kind_of(&unit_word) else {
        let spot = unit.map_or_else(|| id.spot.clone(), |unit| unit.spot);
        faults.note(
            &spot,
            format!("不认识的单位“{unit_word}”；{}", unit::said()),
        );
        return None;
    };
    if let (Some(unit), Some(known)) = (&unit, known)
        && unit.text != known.unit
    {
        faults.note(
            &unit.spot,
            format!(
                "参数“{}”的单位在上级规则包里是 {}，这里不能改成 {}",
                id.text, known.unit, unit.text
            ),
        );
    }
    let (list, banded) = match (table.get("values"), table.get("bands")) {
        (Some(values), None) => (values, false),
        (None, Some(bands)) => (bands, true),
        (Some(_), Some(bands)) => {
            faults.note(&bands.spot(), "values 和 bands 只写一个");
            return None;
        }
        (None, None) => {
            faults.note(
                &id.spot,
                format!(
                    "参数“{}”缺少 values 或 bands；没有公布就写 values = [] 并用 note 说明",
                    id.text
                ),
            );
            return None;
        }
    };
    if let Some(known) = known
        && known.banded != banded
    {
        faults.note(
            &list.spot(),
            "上级规则包里这个参数的写法（values 或 bands）不同，不能改",
        );
    }
    let entries = list.list().unwrap_or_default();
    if entries.is_empty() && note.is_none() {
        faults.note(
            &list.spot(),
            format!("参数“{}”一个值也没有；没有公布请用 note 说明", id.text),
        );
    }
    let values: Vec<_> = entries
        .iter()
        .filter_map(|entry| read_value(entry, kind, banded, inherited.division))
        .collect();
    check_order(&id.text, &values, table);
    table.no_other_keys("what unit values bands note");
    Some(Parameter {
        id: id.text.clone(),
        folder: folder.to_owned(),
        what: what
            .or_else(|| known.map(|known| known.what.clone()))
            .unwrap_or_default(),
        unit: unit_word,
        kind,
        divisor,
        banded,
        values,
        note,
        spot: id.spot.clone(),
    })
}

fn read_value(
    entry: &Cell<'_>,
    kind: Kind,
    banded: bool,
    division: Option<Region>,
) -> Option<ParameterValue> {
    let table = entry.table()?;
    let faults = table.reading.faults;
    let from = table.need("from").and_then(|cell| cell.date());
    let until = table.get("until").and_then(|cell| cell.date());
    let region = table.text("region").and_then(|said| {
        let region: Option<Region> = said.text.parse().ok();
        match region {
            None => faults.note(&said.spot, format!("“{}”不是区划代码", said.text)),
            Some(region) if division.is_some_and(|division| !division.holds(region)) => {
                faults.note(
                    &said.spot,
                    format!("区划 {} 不在本规则包的辖区内", said.text),
                );
            }
            Some(_) => {}
        }
        region
    });
    let source = table.need_text("source");
    if let Some(source) = &source
        && source.trim().is_empty()
    {
        faults.note(&source.spot, "source 不能空着；请写公布文件的名称或网址");
    }
    let value = table.need("value").and_then(|cell| {
        if banded {
            read_steps(&cell, kind)
        } else {
            single(&cell, kind).map(Setting::Single)
        }
    });
    let demo = table
        .get("demo")
        .and_then(|cell| cell.flag())
        .unwrap_or(false);
    let note = table.text("note").map(|said| said.text);
    let spot = table.spot();
    table.no_other_keys("from until value region source note demo");
    if let (Some(from), Some(until)) = (from, until)
        && until <= from
    {
        faults.note(&spot, "until 必须晚于 from");
    }
    Some(ParameterValue {
        from: from?,
        until,
        region,
        value: value?,
        source: source?.text,
        note,
        demo,
        spot,
    })
}

fn single(cell: &Cell<'_>, kind: Kind) -> Option<i64> {
    match kind {
        Kind::Bool => cell.flag().map(i64::from),
        Kind::Date => cell.date().map(|day| i64::from(day.num_days_from_ce())),
        _ => cell.whole(),
    }
}

fn read_steps(cell: &Cell<'_>, kind: Kind) -> Option<Setting> {
    let table = cell.table()?;
    let faults = table.reading.faults;
    let entries: Vec<(Said, Option<i64>)> = table
        .cells()
        .map(|(key, cell)| (key, single(&cell, kind)))
        .collect();
    if entries.is_empty() {
        faults.note(
            &cell.spot(),
            "分档表是空的；至少写一档，例如 { 70 = 20000 }",
        );
        return None;
    }
    let bounds: Option<Vec<i64>> = entries.iter().map(|(key, _)| key.parse().ok()).collect();
    match bounds {
        Some(bounds) => {
            for (index, pair) in bounds.windows(2).enumerate() {
                if pair[1] <= pair[0] {
                    faults.note(
                        &entries[index + 1].0.spot,
                        "分档的下限必须从小到大，不能重复",
                    );
                }
            }
            let values = bounds
                .into_iter()
                .zip(&entries)
                .map(|(bound, (_, value))| Some((bound, (*value)?)));
            Some(Setting::Steps(values.collect::<Option<_>>()?))
        }
        None => Some(Setting::Codes(
            entries
                .into_iter()
                .map(|(key, value)| Some((key.text, value?)))
                .collect::<Option<_>>()?,
        )),
    }
}

/// Values of one region come in order of time and meet end to end.
fn check_order(id: &str, values: &[ParameterValue], table: &Table<'_>) {
    let faults = table.reading.faults;
    let mut last: BTreeMap<Option<Region>, &ParameterValue> = BTreeMap::new();
    for value in values {
        if let Some(before) = last.insert(value.region, value) {
            if value.from == before.from {
                faults.note(
                    &value.spot,
                    format!("参数“{id}”有两个值从 {} 开始", value.from),
                );
            } else if value.from < before.from {
                faults.note(
                    &value.spot,
                    format!(
                        "参数“{id}”的值没有按日期排列：{} 写在 {} 之后",
                        value.from, before.from
                    ),
                );
            } else if let Some(until) = before.until {
                if until < value.from {
                    faults.note(
                        &value.spot,
                        format!("参数“{id}”从 {until} 到 {} 之间没有值", value.from),
                    );
                } else if until > value.from {
                    faults.note(
                        &value.spot,
                        format!("参数“{id}”从 {} 到 {until} 有两个值", value.from),
                    );
                }
            }
        }
    }
}
