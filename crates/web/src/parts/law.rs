//! Law beside what rests on it (法条): the article's title, its text on demand, and the rule next to the text.
//!
//! Only what the packs quote is shown; a citation that leads nowhere shows its own letters.

use crate::locale::Lang;
use crate::parts::format;
use maud::{Markup, html};
use policy::{Book, RuleVersion};
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

/// The rule beside the law it carries out (法条与规则对照), a version a row, oldest first.
pub fn beside(lang: Lang, book: &Book, versions: &[RuleVersion]) -> Markup {
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
