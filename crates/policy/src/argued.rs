//! Mutants that no case can kill, each with the reason (已说明的存活变异): `mutants.toml` in a programme's folder.
//!
//! `[[equivalent]] rule mutation because from?`: `rule` is the id of a variable, condition or parameter of the folder, or
//! `benefit`; `mutation` is the text `pack mutate` prints; `from` names one version, else all are meant.
//! The card shows them to the jurist. Deliberately absent: checking that the reason is true.

use crate::fault::{Faults, Spot};
use crate::pack::{Chain, Folder, with_table};
use crate::toml_file::Table;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// The file's name.
pub(crate) const FILE: &str = "mutants.toml";
/// What the benefit's own formula is called here.
pub(crate) const BENEFIT: &str = "benefit";

/// A surviving mutant and why it may survive (已说明的存活变异).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argued {
    /// The rule or parameter.
    pub rule: String,
    /// What is changed, as `pack mutate` says it.
    pub mutation: String,
    /// Why no case can tell the difference.
    pub because: String,
    /// Only the version from this day.
    pub from: Option<NaiveDate>,
    /// Where it is written.
    pub spot: Spot,
}

/// Reads the files of all folders, nation first.
pub(crate) fn read(chain: &Chain, faults: &Faults) -> BTreeMap<String, Vec<Argued>> {
    let mut all = BTreeMap::new();
    for folder in chain.folders.values() {
        let mut argued: Vec<Argued> = Vec::new();
        for file in folder.files.get(FILE).into_iter().flatten() {
            with_table(&file.source, faults, |top| {
                for table in top.tables("equivalent") {
                    if let Some(one) = one(&table, folder) {
                        argued.push(one);
                    }
                }
                top.no_other_keys("[[equivalent]]");
            });
        }
        if !argued.is_empty() {
            all.insert(folder.id.clone(), argued);
        }
    }
    all
}

fn one(table: &Table<'_>, folder: &Folder) -> Option<Argued> {
    let faults = table.reading.faults;
    let rule = table.need_text("rule");
    let mutation = table.need_text("mutation");
    let because = table.need_text("because");
    let from = table.get("from").and_then(|cell| cell.date());
    table.no_other_keys("rule mutation because from");
    if let Some(rule) = &rule
        && rule.text != BENEFIT
        && !folder.parameters.contains_key(&rule.text)
        && !folder.rules.iter().any(|known| known.id.text == rule.text)
    {
        faults.note(
            &rule.spot,
            format!("本目录没有叫“{}”的变量、条件或参数", rule.text),
        );
    }
    if let Some(because) = because.as_ref().filter(|said| said.trim().is_empty()) {
        faults.note(
            &because.spot,
            "because 不能空着；请写明为什么没有办例能分辨",
        );
    }
    Some(Argued {
        rule: rule?.text,
        mutation: mutation?.text,
        because: because?.text,
        from,
        spot: table.spot(),
    })
}
