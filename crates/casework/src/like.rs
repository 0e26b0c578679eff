//! One text built on another (沿用): `like`, `without` and `[articles]`, for procedures and for forms.
//!
//! ```toml
//! like = "allowance"                      # a template (procedures/allowance.toml, forms/…), a programme, or "parent":
//!                                         # the same file in the pack this one builds on ("national" says the same by name)
//! without = ["act.suspend", "clock.total", "publicity", "act.confirm.needs.opinion"]   # what is not taken over
//!
//! [procedure]                             # a table overrides key by key, also inside: remedies.suit, act.needs
//! decided_by = "district"
//!
//! [[act]]                                 # a list whose tables have ids overrides id by id: state act evidence clock,
//! id = "confirm"                          # of forms page (id) and page.question (fact); other lists replace whole:
//! letter = "granted"                      # roles, from, [[act.field]], [[act.ground]]
//!
//! [[act]]                                 # a new id is appended, or put after the one named
//! id = "assess"
//! after = "accept"
//!
//! [articles]                              # citations in one place (procedures only)
//! act.accept = "mz57:10"
//! clock.total = "mz57:22"
//! ground.fraud = "sal2026:73"             # every [[act.ground]] of that id
//! publicity = "mz57:19"                   # also sampling, review
//! ```
//!
//! Guarantees: a text without these keys means what it meant; an act, a clock, a state or a kind of evidence that is left
//! out is also left out of the lists that were taken over with it (`from`, `other_than`, `needs.acts`, `needs.evidence`,
//! `starts_on`, `stops_on`, `pauses_in`); what then is no longer whole is refused. A fault names the file its key stands
//! in. Deliberately absent: finding the files, see [`crate::pack_texts`]; what the keys mean.

mod articles;
mod without;

use crate::source_text::SourceText;
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// A list whose tables are known by a key (按标识合并的列表).
#[derive(Debug)]
struct Keyed {
    list: &'static str,
    key: &'static str,
    inside: &'static [Keyed],
}

/// How the texts of one kind are merged.
#[derive(Debug)]
pub(crate) struct Shape {
    lists: &'static [Keyed],
    /// Tables that replace instead of overriding key by key.
    whole: &'static [&'static str],
    articles: bool,
}

const fn by_id(list: &'static str) -> Keyed {
    Keyed {
        list,
        key: "id",
        inside: &[],
    }
}

/// Procedures.
pub(crate) const PROCEDURE: Shape = Shape {
    lists: &[
        by_id("state"),
        by_id("act"),
        by_id("evidence"),
        by_id("clock"),
    ],
    whole: &[],
    articles: true,
};

/// Forms.
pub(crate) const FORM: Shape = Shape {
    lists: &[Keyed {
        list: "page",
        key: "id",
        inside: &[Keyed {
            list: "question",
            key: "fact",
            inside: &[],
        }],
    }],
    whole: &["when", "only"],
    articles: false,
};

/// All texts of a source as one table (合并后的表).
pub(crate) fn merged<'a>(source: &'a SourceText, shape: &Shape) -> DeTable<'a> {
    let mut whole: Option<DeTable<'a>> = None;
    for mut own in source.parse().into_iter().rev() {
        own.remove("like");
        let without = own.remove("without");
        let articles = shape.articles.then(|| own.remove("articles")).flatten();
        let mut parent = whole.take();
        if let Some(without) = without {
            match &mut parent {
                Some(parent) => without::leave_out(source, parent, &without),
                None => source.fault(&without.span(), "没有写 like，就没有可以去掉的（without）"),
            }
        }
        let mut table = merge(
            source,
            parent.unwrap_or_default(),
            own,
            shape.lists,
            shape.whole,
        );
        if let Some(articles) = articles {
            articles::set(source, &mut table, articles);
        }
        whole = Some(table);
    }
    let mut table = whole.unwrap_or_default();
    if shape.articles {
        articles::complete(&mut table);
    }
    table
}

fn merge<'a>(
    source: &SourceText,
    mut table: DeTable<'a>,
    own: DeTable<'a>,
    lists: &[Keyed],
    whole: &[&str],
) -> DeTable<'a> {
    for (key, value) in own {
        let name = key.get_ref().as_ref();
        let before = table.remove(name);
        let keyed = lists.iter().find(|keyed| keyed.list == name);
        let span = value.span();
        let value = match (before.map(Spanned::into_inner), value.into_inner(), keyed) {
            (Some(DeValue::Array(before)), DeValue::Array(own), Some(keyed)) => {
                DeValue::Array(merge_list(source, before, own, keyed, whole))
            }
            (None, DeValue::Array(own), Some(keyed)) => {
                DeValue::Array(merge_list(source, DeArray::new(), own, keyed, whole))
            }
            (Some(DeValue::Table(before)), DeValue::Table(own), _) if !whole.contains(&name) => {
                DeValue::Table(merge(source, before, own, &[], whole))
            }
            (_, own, _) => own,
        };
        table.insert(key, Spanned::new(span, value));
    }
    table
}

fn merge_list<'a>(
    source: &SourceText,
    before: DeArray<'a>,
    own: DeArray<'a>,
    keyed: &Keyed,
    whole: &[&str],
) -> DeArray<'a> {
    let mut list: Vec<Spanned<DeValue<'a>>> = before.into_iter().collect();
    // An id said twice in one file is not an override: it is left for the reader to refuse.
    let mut said: BTreeSet<String> = BTreeSet::new();
    for entry in own {
        let span = entry.span();
        let mut own = match entry.into_inner() {
            DeValue::Table(own) => own,
            other => {
                list.push(Spanned::new(span, other));
                continue;
            }
        };
        let after = own.remove("after");
        let id = text(&own, keyed.key).filter(|id| said.insert(id.clone()));
        let known = id.and_then(|id| find(&list, keyed.key, &id));
        let before = known.map(|place| list.remove(place).into_inner());
        let own = match before {
            Some(DeValue::Table(before)) => merge(source, before, own, keyed.inside, whole),
            _ => merge(source, DeTable::new(), own, keyed.inside, whole),
        };
        let place = match after {
            None => known.unwrap_or(list.len()),
            Some(after) => {
                let found = after
                    .get_ref()
                    .as_str()
                    .and_then(|id| find(&list, keyed.key, id));
                if found.is_none() {
                    source.fault(&after.span(), "after 要写排在哪一项后面：已有的一个标识");
                }
                found.map_or(list.len(), |place| place + 1)
            }
        };
        list.insert(place, Spanned::new(span, DeValue::Table(own)));
    }
    list.into_iter().collect()
}

/// A text of a table.
fn text(table: &DeTable<'_>, key: &str) -> Option<String> {
    table.get(key)?.get_ref().as_str().map(str::to_owned)
}

/// Where the table with this id stands in a list.
fn find(list: &[Spanned<DeValue<'_>>], key: &str, id: &str) -> Option<usize> {
    list.iter().position(|entry| {
        entry
            .get_ref()
            .as_table()
            .is_some_and(|table| text(table, key).is_some_and(|said| said == id))
    })
}

#[cfg(test)]
mod tests;
