//! What is not taken over (去掉的部分): `without = ["act.visit", "publicity", "act.confirm.needs.opinion"]`.

use super::find;
use crate::source_text::SourceText;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// The lists that name acts, states and kinds of evidence, in acts and clocks.
const NAMED_IN: [(&str, &[&str]); 3] = [
    (
        "act",
        &["other_than", "needs.acts", "starts_on", "stops_on"],
    ),
    ("state", &["from", "pauses_in"]),
    ("evidence", &["needs.evidence"]),
];

/// Removes what `without` names from what was taken over; a name that is not there is a fault.
pub(super) fn leave_out<'a>(
    source: &SourceText,
    parent: &mut DeTable<'a>,
    without: &Spanned<DeValue<'a>>,
) {
    let DeValue::Array(names) = without.get_ref() else {
        source.fault(
            &without.span(),
            "without 应是文字的列表，例如 [\"act.visit\", \"publicity\"]",
        );
        return;
    };
    for name in names {
        let Some(said) = name.get_ref().as_str() else {
            source.fault(&name.span(), "without 中的每一项应是加引号的文字");
            continue;
        };
        let path: Vec<&str> = said.split('.').collect();
        if !remove(parent, &path) {
            source.fault(
                &name.span(),
                format!("沿用的文件里没有 {said}，不用写进 without"),
            );
        }
        if let [list, id] = path[..]
            && let Some((_, lists)) = NAMED_IN.iter().find(|(kind, _)| *kind == list)
        {
            forget(parent, lists, id);
        }
    }
}

/// Removes what stands at a path of keys and ids.
fn remove(table: &mut DeTable<'_>, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    if rest.is_empty() {
        return table.remove(*first).is_some();
    }
    match table.get_mut(*first).map(Spanned::get_mut) {
        Some(DeValue::Table(inside)) => remove(inside, rest),
        Some(DeValue::Array(list)) => {
            let Some((id, rest)) = rest.split_first() else {
                return false;
            };
            let Some(place) = ["id", "fact", "code"]
                .into_iter()
                .find_map(|key| find(list, key, id))
            else {
                return false;
            };
            if rest.is_empty() {
                let mut count = 0..;
                keep(list, |_| count.next() != Some(place));
                return true;
            }
            match list.get_mut(place).map(Spanned::get_mut) {
                Some(DeValue::Table(inside)) => remove(inside, rest),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Takes an id out of these lists of every act and every clock.
fn forget(parent: &mut DeTable<'_>, lists: &[&str], id: &str) {
    for kind in ["act", "clock"] {
        let Some(DeValue::Array(entries)) = parent.get_mut(kind).map(Spanned::get_mut) else {
            continue;
        };
        for entry in entries.iter_mut() {
            let DeValue::Table(entry) = entry.get_mut() else {
                continue;
            };
            for name in lists {
                let list = match name.split_once('.') {
                    None => entry.get_mut(*name),
                    Some((table, name)) => match entry.get_mut(table).map(Spanned::get_mut) {
                        Some(DeValue::Table(inside)) => inside.get_mut(name),
                        _ => None,
                    },
                };
                if let Some(DeValue::Array(list)) = list.map(Spanned::get_mut) {
                    keep(list, |item| item.get_ref().as_str() != Some(id));
                }
            }
        }
    }
}

fn keep<'a>(list: &mut DeArray<'a>, keep: impl FnMut(&Spanned<DeValue<'a>>) -> bool) {
    *list = std::mem::replace(list, DeArray::new())
        .into_iter()
        .filter(keep)
        .collect();
}
