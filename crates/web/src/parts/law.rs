//! Law beside what rests on it (法条): the article's title, its text on demand, and the rule next to the text.
//!
//! Only what the packs quote is shown; a citation that leads nowhere shows its own letters.

use crate::locale::Lang;
use crate::parts::format;
use maud::{Markup, html};
use policy::{Book, Programme, RuleVersion, phrasing};
use std::collections::BTreeMap;
use vocab::Citation;

/// An article one can open (法条): its title, and its text inside.
pub fn quote(book: &Book, citation: &Citation) -> Markup {
    match book.article(citation) {
        Some(article) => html! {
            details.law-quote {
                summary { (article.law_title) (article.title_zh) }
                p.law-text lang="zh-CN" { (article.text) }
            }
        },
        None => html! { span { (citation) } },
    }
}

/// What the words of a formula stand for (公式用语): facts, variables and parameters by their names.
pub fn meanings<'a>(
    lang: Lang,
    book: &Book,
    programme: &Programme,
    words: impl Iterator<Item = &'a str>,
) -> Markup {
    let named = |id: &str| -> Option<String> {
        if let Some(fact) = book.fact(id) {
            return Some(lang.pick(&fact.label_zh, &fact.label_en).to_owned());
        }
        let shared = book.libraries().iter().flat_map(|(_, variables)| variables);
        if let Some(found) = programme
            .variables
            .iter()
            .chain(shared)
            .find(|one| one.id == id)
        {
            return Some(lang.pick(&found.label_zh, &found.label_en).to_owned());
        }
        let found = phrasing::parameters(book, programme)
            .into_iter()
            .find(|one| one.id == id)?;
        Some(found.what.clone())
    };
    let known: BTreeMap<&str, String> = words
        .map(|word| word.rsplit('.').next().unwrap_or(word))
        .filter_map(|word| named(word).map(|name| (word, name)))
        .collect();
    html! {
        @if !known.is_empty() {
            ul.meanings { @for (word, name) in &known { li { code { (word) } " " (name) } } }
        }
    }
}

/// The rule beside the law it carries out (法条与规则对照), a version a row, oldest first.
pub fn beside(lang: Lang, book: &Book, programme: &Programme, versions: &[RuleVersion]) -> Markup {
    html! {
        @for version in versions {
            div.beside {
                div.law-text lang="zh-CN" {
                    @match book.article(&version.article) {
                        Some(article) => { strong { (article.law_title) (article.title_zh) } p { (article.text) } }
                        None => (version.article),
                    }
                }
                div {
                    @if let Some(from) = version.from {
                        p.quiet { (lang.f("{from} 起", &[("from", &format::date(from))])) }
                    }
                    p { code { (version.formula) } }
                    (meanings(lang, book, programme, version.uses.iter().map(String::as_str)))
                    @if let Some(round) = &version.round {
                        p.quiet { (lang.t("舍入")) " " code { (round) } }
                    }
                    @if let Some(replaces) = &version.replaces {
                        p.quiet { (lang.t("替换上级规则，本地依据：")) (book.laws().title(replaces)) }
                    }
                    @if !version.absent_is_zero.is_empty() {
                        p.quiet { (lang.t("以下事实没有记录时，依法按零计算：")) }
                        ul.plain-list {
                            @for (fact, article) in &version.absent_is_zero {
                                li.quiet {
                                    (book.fact(fact).map_or(fact.as_str(), |def| lang.pick(&def.label_zh, &def.label_en)))
                                    " · " (book.laws().title(article))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
