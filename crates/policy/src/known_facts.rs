//! The facts of a chain of packs (事实表): declarations joined with their wording.
//!
//! One id has one meaning; a second declaration must say the same. Deliberately absent: what they were at the last
//! release; see `lock`.

use crate::fact_def::{CodeDef, FactDef};
use crate::fault::Faults;
use crate::pack::Chain;
use std::collections::BTreeMap;

/// Joins declarations and wording of facts; one id, one meaning.
pub(crate) fn facts(chain: &Chain, faults: &Faults) -> BTreeMap<String, FactDef> {
    let mut facts: BTreeMap<String, FactDef> = BTreeMap::new();
    for folder in chain.folders.values() {
        for declared in &folder.facts {
            let id = &declared.id.text;
            if let Some(known) = facts.get(id) {
                let codes: Vec<&str> = known.codes.iter().map(|code| code.code.as_str()).collect();
                if known.of != declared.of || known.kind != declared.kind || codes != declared.codes
                {
                    faults.note(
                        &declared.id.spot,
                        format!(
                            "事实“{id}”在 {}:{} 已经登记过，意思不同；一个标识只能有一个意思，请换一个名字",
                            known.spot.file, known.spot.line
                        ),
                    );
                }
                continue;
            }
            let label = folder.wordings.facts.get(id);
            if label.is_none() {
                faults.note(
                    &declared.id.spot,
                    format!("事实“{id}”没有用语；请在 wording.toml 写 [fact.{id}] zh 和 en"),
                );
            }
            let codes = declared
                .codes
                .iter()
                .map(|code| {
                    let wording = folder.wordings.codes.get(&(id.clone(), code.clone()));
                    if wording.is_none() {
                        faults.note(
                            &declared.id.spot,
                            format!("事实“{id}”的代码“{code}”没有用语；请在 wording.toml 写 [code.{id}.{code}] zh 和 en"),
                        );
                    }
                    CodeDef {
                        code: code.clone(),
                        zh: wording.map_or_else(String::new, |wording| wording.zh.clone()),
                        en: wording.map_or_else(String::new, |wording| wording.en.clone()),
                    }
                })
                .collect();
            facts.insert(
                id.clone(),
                FactDef {
                    id: id.clone(),
                    of: declared.of,
                    kind: declared.kind,
                    codes,
                    source: declared.source.clone(),
                    sensitivity: declared.sensitivity,
                    label_zh: label.map_or_else(String::new, |wording| wording.zh.clone()),
                    label_en: label.map_or_else(String::new, |wording| wording.en.clone()),
                    hint_zh: label.and_then(|wording| wording.hint_zh.clone()),
                    hint_en: label.and_then(|wording| wording.hint_en.clone()),
                    folder: folder.id.clone(),
                    spot: declared.id.spot.clone(),
                },
            );
        }
    }
    facts
}
