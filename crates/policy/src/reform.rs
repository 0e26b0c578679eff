//! The same book with other values of parameters (试算用的规则库): what a change of the standards would do.
//!
//! Guarantees: the book answers as if the value stood in the pack from that day on, for everybody; its fingerprint differs
//! from the original's. Deliberately absent: other formulas; whoever wants those writes them in the pack.

use crate::book::Book;
use crate::parameter::{Parameter, ParameterValue, Setting};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A parameter's value tried instead of the published one (试改).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `dibao.dibao_standard`, or the id alone if only one folder has it.
    pub parameter: String,
    /// The value.
    pub value: Setting,
    /// From this day on, in all regions, whatever was planned for later.
    pub from: NaiveDate,
}

impl Book {
    /// The same book with other parameter values from a day (试算).
    ///
    /// # Errors
    /// All changes that cannot be made: unknown or ambiguous parameters, and values of another shape.
    pub fn reformed(&self, changes: &[Change]) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut places = Vec::with_capacity(changes.len());
        for change in changes {
            match place(&self.program().params, change) {
                Ok(place) => places.push(place),
                Err(fault) => faults.push(fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut book = self.clone();
        for (change, place) in changes.iter().zip(places) {
            book.with_value(place, change);
        }
        Ok(book)
    }
}

/// Which parameter a change means.
fn place(params: &[Parameter], change: &Change) -> Result<usize, String> {
    let name = change.parameter.as_str();
    let found: Vec<usize> = (0..params.len())
        .filter(|at| {
            let known = &params[*at];
            known.id == name
                || name
                    .strip_prefix(known.folder.as_str())
                    .is_some_and(|rest| rest.strip_prefix('.') == Some(known.id.as_str()))
        })
        .collect();
    let [place] = found.as_slice() else {
        return Err(if found.is_empty() {
            format!("规则包里没有参数“{name}”；请写 事项.参数")
        } else {
            let all: Vec<String> = found
                .iter()
                .map(|at| format!("{}.{}", params[*at].folder, params[*at].id))
                .collect();
            format!("不止一个参数叫“{name}”；请写明是哪一个：{}", all.join("、"))
        });
    };
    fits(&params[*place], &change.value).map(|()| *place)
}

fn fits(known: &Parameter, value: &Setting) -> Result<(), String> {
    let name = &known.id;
    let codes = known
        .values
        .iter()
        .any(|entry| matches!(entry.value, Setting::Codes(_)));
    match (known.banded, value) {
        (false, Setting::Single(flag))
            if known.kind == crate::kind::Kind::Bool && !matches!(flag, 0 | 1) =>
        {
            Err(format!("参数“{name}”是是否，只能写 0 或 1"))
        }
        (false, Setting::Single(_)) => Ok(()),
        (false, _) => Err(format!("参数“{name}”只有一个值，不分档")),
        (true, Setting::Single(_)) => Err(format!("参数“{name}”分档；请写出每一档的值")),
        (true, Setting::Steps(by)) if by.is_empty() => {
            Err(format!("参数“{name}”的分档表是空的；至少写一档"))
        }
        (true, Setting::Codes(by)) if by.is_empty() => {
            Err(format!("参数“{name}”的分档表是空的；至少写一档"))
        }
        (true, Setting::Steps(_)) if codes => {
            Err(format!("参数“{name}”按代码分档，不能按数的下限写"))
        }
        (true, Setting::Codes(_)) if !codes && !known.values.is_empty() => {
            Err(format!("参数“{name}”按数的下限分档，不能按代码写"))
        }
        (true, _) => Ok(()),
    }
}

/// Puts a value in: what began before ends that day, what would begin later never does.
pub(crate) fn put_in(known: &mut Parameter, change: &Change) {
    known.values.retain(|entry| entry.from < change.from);
    for entry in &mut known.values {
        if entry.until.is_none_or(|until| until > change.from) {
            entry.until = Some(change.from);
        }
    }
    known.values.push(ParameterValue {
        from: change.from,
        until: None,
        region: None,
        value: change.value.clone(),
        source: "试算".to_owned(),
        note: None,
        demo: false,
        spot: known.spot.clone(),
    });
}

/// A change as text, for the fingerprint.
pub(crate) fn said(known: &Parameter, change: &Change) -> String {
    let pairs = |by: BTreeMap<String, i64>| {
        let pairs: Vec<String> = by
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(",")
    };
    let value = match &change.value {
        Setting::Single(value) => value.to_string(),
        Setting::Steps(by) => pairs(
            by.iter()
                .map(|(key, value)| (key.to_string(), *value))
                .collect(),
        ),
        Setting::Codes(by) => pairs(by.clone()),
    };
    format!("{}.{}@{}:{value}\n", known.folder, known.id, change.from)
}
