//! Citations in one place (依据集中书写): `[articles]` of a procedure, and the procedure's own article where none is said.

use super::find;
use crate::source_text::SourceText;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// Writes the citations of `[articles]` to where they belong.
pub(super) fn set<'a>(
    source: &SourceText,
    table: &mut DeTable<'a>,
    articles: Spanned<DeValue<'a>>,
) {
    let span = articles.span();
    let DeValue::Table(articles) = articles.into_inner() else {
        source.fault(
            &span,
            "[articles] 应是一张表，例如 act.accept = \"mz57:10\"",
        );
        return;
    };
    for (key, value) in articles {
        let kind = key.get_ref().clone();
        let span = value.span();
        match (kind.as_ref(), value.into_inner()) {
            ("act" | "clock" | "ground", DeValue::Table(each)) => {
                for (id, article) in each {
                    let found = match kind.as_ref() {
                        "ground" => grounds(source, table, id.get_ref(), &article),
                        list => entry(table, list, id.get_ref())
                            .map(|entry| write(source, entry, &article))
                            .is_some(),
                    };
                    if !found {
                        source.fault(
                            &id.span(),
                            format!("没有 {kind}.{}，不能给它写依据", id.get_ref()),
                        );
                    }
                }
            }
            (name @ ("publicity" | "sampling" | "review"), article @ DeValue::String(_)) => {
                match table.get_mut(name).map(Spanned::get_mut) {
                    Some(DeValue::Table(inside)) => {
                        write(source, inside, &Spanned::new(span, article));
                    }
                    _ => source.fault(&key.span(), format!("没有 [{name}]，不能给它写依据")),
                }
            }
            _ => source.fault(
                &key.span(),
                "[articles] 里写 act.x、clock.x、ground.x，或者 publicity、sampling、review = \"法:条\"",
            ),
        }
    }
}

fn entry<'t, 'a>(table: &'t mut DeTable<'a>, list: &str, id: &str) -> Option<&'t mut DeTable<'a>> {
    let DeValue::Array(entries) = table.get_mut(list)?.get_mut() else {
        return None;
    };
    let place = find(entries, "id", id)?;
    match entries.get_mut(place)?.get_mut() {
        DeValue::Table(entry) => Some(entry),
        _ => None,
    }
}

fn write<'a>(source: &SourceText, table: &mut DeTable<'a>, article: &Spanned<DeValue<'a>>) {
    if let Some(before) = table.remove("article")
        && source.together(&before.span(), &article.span())
    {
        source.fault(&article.span(), "依据写了两次：这里和它自己的 article");
    }
    let key = Spanned::new(article.span(), DeString::Borrowed("article"));
    table.insert(key, article.clone());
}

/// The tables of the acts' grounds.
fn each_ground<'a>(table: &mut DeTable<'a>, mut visit: impl FnMut(&mut DeTable<'a>)) {
    each(table, "act", |act| each(act, "ground", &mut visit));
}

/// The tables of a list.
fn each<'a>(table: &mut DeTable<'a>, list: &str, mut visit: impl FnMut(&mut DeTable<'a>)) {
    let Some(DeValue::Array(entries)) = table.get_mut(list).map(Spanned::get_mut) else {
        return;
    };
    for entry in entries.iter_mut() {
        if let DeValue::Table(entry) = entry.get_mut() {
            visit(entry);
        }
    }
}

fn grounds<'a>(
    source: &SourceText,
    table: &mut DeTable<'a>,
    id: &str,
    article: &Spanned<DeValue<'a>>,
) -> bool {
    let mut found = false;
    each_ground(table, |ground| {
        if super::text(ground, "id").is_some_and(|said| said == id) {
            write(source, ground, article);
            found = true;
        }
    });
    found
}

/// Gives the procedure's own article to everything that has none.
pub(super) fn complete(table: &mut DeTable<'_>) {
    let own = match table.get("procedure").map(Spanned::get_ref) {
        Some(DeValue::Table(head)) => head.get("article").cloned(),
        _ => None,
    };
    if let Some(own) = own {
        fill(table, &own);
    }
}

fn fill<'a>(table: &mut DeTable<'a>, own: &Spanned<DeValue<'a>>) {
    let mut give = |table: &mut DeTable<'a>| {
        if !table.contains_key("article") {
            let key = Spanned::new(own.span(), DeString::Borrowed("article"));
            table.insert(key, own.clone());
        }
    };
    each(table, "act", &mut give);
    each_ground(table, &mut give);
    each(table, "clock", &mut give);
    for name in ["publicity", "sampling", "review"] {
        if let Some(DeValue::Table(inside)) = table.get_mut(name).map(Spanned::get_mut) {
            give(inside);
        }
    }
}
