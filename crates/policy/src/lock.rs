//! The record of what facts meant (事实登记簿): `facts.lock.toml` beside the packs.
//!
//! A fact id that was released keeps its unit and type for ever, because stored decisions quote it. Deliberately
//! absent: forgetting; renewing adds ids and refuses to change them.

use crate::book::Book;
use crate::fact_def::FactDef;
use crate::fault::{Faults, Spot};
use crate::pack::with_table;
use crate::toml_file::Source;
use std::collections::BTreeMap;
use std::path::Path;

/// The file's name.
const FILE: &str = "facts.lock.toml";

fn known(packs: &Path, faults: &Faults) -> BTreeMap<String, (String, String)> {
    let Ok(text) = std::fs::read_to_string(packs.join(FILE)) else {
        return BTreeMap::new();
    };
    let source = Source::new(FILE, text);
    with_table(&source, faults, |top| {
        let mut facts = BTreeMap::new();
        for (id, cell) in top.cells() {
            let Some(table) = cell.table() else { continue };
            let entry = (table.need_text("of"), table.need_text("type"));
            table.no_other_keys("of type");
            if let (Some(of), Some(kind)) = entry {
                facts.insert(id.text, (of.text, kind.text));
            }
        }
        facts
    })
    .unwrap_or_default()
}

/// Notes every fact that means something else than at the last release.
pub(crate) fn check(packs: &Path, facts: &BTreeMap<String, FactDef>, faults: &Faults) {
    for (id, (of, kind)) in known(packs, faults) {
        let Some(fact) = facts.get(&id) else { continue };
        if of != fact.of.word() || kind != fact.kind.word() {
            faults.note(
                &fact.spot,
                format!(
                    "事实“{id}”在上次发布时是 of = \"{of}\"、type = \"{kind}\"，不能改成 of = \"{}\"、type = \"{}\"；已有决定引用它，请另取一个名字",
                    fact.of.word(),
                    fact.kind.word()
                ),
            );
        }
    }
}

/// The renewed record: all ids known before and all of these books (更新事实登记簿).
///
/// # Errors
/// What stands in the way, in words.
pub fn renewed(packs: &Path, books: &[Book]) -> Result<String, Vec<String>> {
    let faults = Faults::default();
    let mut all = known(packs, &faults);
    let mut wrong: Vec<String> = Vec::new();
    for fact in books.iter().flat_map(Book::facts) {
        let now = (fact.of.word().to_owned(), fact.kind.word().to_owned());
        match all.get(&fact.id) {
            Some(before) if *before != now => wrong.push(format!(
                "{}:{}: 事实“{}”与登记簿或另一个规则包里的意思不同",
                fact.spot.file, fact.spot.line, fact.id
            )),
            _ => {
                all.insert(fact.id.clone(), now);
            }
        }
    }
    wrong.extend(faults.into_sorted().iter().map(ToString::to_string));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut text = String::from(
        "# 已发布的事实标识和类型，由 pack lock 生成，不要手改。标识一旦发布，意思永不改变。\n",
    );
    for (id, (of, kind)) in all {
        text.push_str(&format!("{id} = {{ of = \"{of}\", type = \"{kind}\" }}\n"));
    }
    Ok(text)
}

/// Where the record lies.
pub(crate) fn file(packs: &Path) -> std::path::PathBuf {
    packs.join(FILE)
}

/// The beginning of the record, for faults about it.
pub(crate) fn spot() -> Spot {
    Spot::start_of(FILE)
}
