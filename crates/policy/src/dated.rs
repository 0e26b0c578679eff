//! What a new text changes of days gone by (对既往的改动): old decisions replay only while the dated text of their day stands.
//!
//! A change belongs into a new dated value or a new version of a rule. Guarantees: every value, version and benefit of the
//! old text that holds on some day before the given one is compared with the new text. Deliberately absent: wording, law
//! texts and cases, which carry no dates of their own.

use crate::book::{Book, ConditionDef, Programme, RuleVersion, VariableDef};
use crate::fault::{Fault, Spot};
use crate::parameter::{Parameter, ParameterValue, Setting};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What the new text says otherwise than the old about days before `from` (追溯改动); empty where old decisions replay.
pub fn rewritten(before: &Book, after: &Book, from: NaiveDate) -> Vec<Fault> {
    let mut found = Found {
        from,
        faults: Vec::new(),
    };
    let later: BTreeMap<(&str, &str), &Parameter> = after
        .program()
        .params
        .iter()
        .map(|one| ((one.folder.as_str(), one.id.as_str()), one))
        .collect();
    for old in &before.program().params {
        match later.get(&(old.folder.as_str(), old.id.as_str())) {
            Some(new) => found.parameter(old, new),
            None if old.values.iter().any(|value| value.from < from) => found.note(
                &old.spot,
                format!("参数“{}”被删掉了，以前的决定还要用它", old.id),
            ),
            None => {}
        }
    }
    let libraries: BTreeMap<&str, &[VariableDef]> = after
        .libraries()
        .iter()
        .map(|(id, variables)| (id.as_str(), variables.as_slice()))
        .collect();
    for (id, old) in before.libraries() {
        found.variables(old, libraries.get(id.as_str()).copied().unwrap_or_default());
    }
    for old in before.programmes() {
        match after.programme(&old.id) {
            Some(new) => found.programme(old, new),
            None => found.note(
                &old.benefit.spot,
                format!("事项“{}”被删掉了，以前的决定还要用它", old.id),
            ),
        }
    }
    found.faults.sort();
    found.faults.dedup();
    found.faults
}

struct Found {
    from: NaiveDate,
    faults: Vec<Fault>,
}

impl Found {
    fn note(&mut self, spot: &Spot, sentence: String) {
        self.faults.push(Fault {
            file: spot.file.to_string(),
            line: spot.line,
            column: spot.column,
            sentence_zh: sentence,
        });
    }

    fn parameter(&mut self, old: &Parameter, new: &Parameter) {
        let from = self.from;
        if (&old.unit, old.banded) != (&new.unit, new.banded) && !old.values.is_empty() {
            self.note(
                &new.spot,
                format!("参数“{}”的单位或写法变了，以前的值也跟着变", old.id),
            );
        }
        let same =
            |a: &ParameterValue, b: &ParameterValue| a.region == b.region && a.from == b.from;
        for value in old.values.iter().filter(|value| value.from < from) {
            match new.values.iter().find(|other| same(value, other)) {
                None => self.note(
                    &new.spot,
                    format!(
                        "参数“{}”从 {} 起的值 {} 被删掉或改了起始日；请保留原值，另加一行新的日期",
                        old.id,
                        value.from,
                        shown(&value.value)
                    ),
                ),
                Some(now) if now.value != value.value => self.note(
                    &now.spot,
                    format!(
                        "参数“{}”从 {} 起的值由 {} 改成 {}；请保留原值，另加一行新的日期",
                        old.id,
                        value.from,
                        shown(&value.value),
                        shown(&now.value)
                    ),
                ),
                Some(now) if ended(now.until, from) != ended(value.until, from) => self.note(
                    &now.spot,
                    format!("参数“{}”从 {} 起的值改了截止日", old.id, value.from),
                ),
                Some(now) if now.source != value.source => self.note(
                    &now.spot,
                    format!(
                        "参数“{}”从 {} 起的值改了来源；以前的决定引用原来的来源",
                        old.id, value.from
                    ),
                ),
                Some(_) => {}
            }
        }
        for value in new.values.iter().filter(|value| value.from < from) {
            if !old.values.iter().any(|other| same(value, other)) {
                self.note(
                    &value.spot,
                    format!(
                        "参数“{}”新加的值从 {} 起，早于施行日 {}，会改变已经过去的日子",
                        old.id, value.from, from
                    ),
                );
            }
        }
    }

    fn programme(&mut self, old: &Programme, new: &Programme) {
        self.variables(&old.variables, &new.variables);
        for condition in &old.conditions {
            let now = new.conditions.iter().find(|now| now.id == condition.id);
            match now {
                Some(now) if now.refuses != condition.refuses || now.of != condition.of => {
                    if let Some(version) = now.versions.first() {
                        self.note(
                            &version.spot,
                            format!("条件“{}”改了不符合的理由或对象，以前的决定也跟着变", now.id),
                        );
                    }
                }
                _ => {}
            }
            self.versions(
                &condition.id,
                &condition.versions,
                now.map_or(&[], |now| &now.versions),
            );
        }
        let is_new = |one: &&ConditionDef| !old.conditions.iter().any(|known| known.id == one.id);
        for condition in new.conditions.iter().filter(is_new) {
            if let Some(version) = condition.versions.iter().find(|one| holds(one, self.from)) {
                self.note(
                    &version.spot,
                    format!(
                        "新加的条件“{}”没有起始日或早于施行日 {}；请写 from",
                        condition.id, self.from
                    ),
                );
            }
        }
        let mut was = old.benefit.clone();
        was.spot = new.benefit.spot.clone();
        if was != new.benefit {
            self.note(
                &new.benefit.spot,
                format!(
                    "事项“{}”的待遇一节没有日期，改动对以前的决定同样生效",
                    new.id
                ),
            );
        }
    }

    fn variables(&mut self, old: &[VariableDef], new: &[VariableDef]) {
        for variable in old {
            let now = new.iter().find(|now| now.id == variable.id);
            self.versions(
                &variable.id,
                &variable.versions,
                now.map_or(&[], |now| &now.versions),
            );
        }
    }

    fn versions(&mut self, id: &str, old: &[RuleVersion], new: &[RuleVersion]) {
        let from = self.from;
        for version in old.iter().filter(|version| holds(version, from)) {
            let since = version
                .from
                .map_or_else(|| "最早".to_owned(), |from| from.to_string());
            match new.iter().find(|now| now.from == version.from) {
                None => self.note(
                    &version.spot,
                    format!("规则“{id}”从{since}起的写法被删掉或改了起始日；请保留原文，另写一条带 from 的"),
                ),
                Some(now) if !says_the_same(version, now) => self.note(
                    &now.spot,
                    format!("规则“{id}”从{since}起的写法变了；请保留原文，另写一条带 from 的"),
                ),
                Some(_) => {}
            }
        }
        if old.is_empty() {
            return;
        }
        for version in new.iter().filter(|version| holds(version, from)) {
            if !old.iter().any(|known| known.from == version.from) {
                self.note(
                    &version.spot,
                    format!("规则“{id}”新加的写法早于施行日 {from}，会改变已经过去的日子"),
                );
            }
        }
    }
}

/// An end that lies before the day that matters.
fn ended(until: Option<NaiveDate>, from: NaiveDate) -> Option<NaiveDate> {
    until.filter(|until| *until < from)
}

fn holds(version: &RuleVersion, from: NaiveDate) -> bool {
    version.from.is_none_or(|since| since < from)
}

fn says_the_same(a: &RuleVersion, b: &RuleVersion) -> bool {
    (&a.formula, &a.round, &a.article, &a.absent_is_zero)
        == (&b.formula, &b.round, &b.article, &b.absent_is_zero)
}

fn shown(setting: &Setting) -> String {
    let steps = |pairs: Vec<String>| format!("{{ {} }}", pairs.join("，"));
    match setting {
        Setting::Single(value) => value.to_string(),
        Setting::Steps(by) => steps(
            by.iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect(),
        ),
        Setting::Codes(by) => steps(
            by.iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect(),
        ),
    }
}
