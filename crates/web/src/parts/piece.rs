//! Small pieces (小部件): empty lists, definition lists, progress, tags, cards of numbers, steps.

use crate::locale::Lang;
use crate::parts::format;
use maud::{Markup, html};

/// An empty list that says what to do next (空状态).
pub fn empty(sentence: &str, next: &Markup) -> Markup {
    html! { div.empty { p { (sentence) } (next) } }
}

/// Names and values (详情列表).
pub fn facts(pairs: &[(String, Markup)]) -> Markup {
    html! {
        dl.facts {
            @for (name, value) in pairs {
                div { dt { (name) } dd { (value) } }
            }
        }
    }
}

/// How far something is (进度), with its numbers in words.
pub fn progress(lang: Lang, done: u64, total: u64) -> Markup {
    html! {
        div.progress {
            progress value=(done) max=(total.max(1)) aria-label=(lang.t("进度")) {}
            span { (format::number(done)) " / " (format::number(total)) }
        }
    }
}

/// A state or a kind, as a quiet word (标签).
pub fn tag(word: &str) -> Markup {
    html! { span.tag { (word) } }
}

/// A number that leads to the list it counts (可点的数字).
pub struct Figure {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: u64,
    /// The list that proves it.
    pub href: String,
    /// The colour of its edge: `red`, `yellow`, `green` or nothing.
    pub tone: &'static str,
    /// Whether the list below shows just these.
    pub chosen: bool,
}

/// Numbers side by side (数字条).
pub fn figures(figures: &[Figure]) -> Markup {
    html! {
        ul.figures {
            @for figure in figures {
                li { a class=(figure.tone) href=(figure.href) aria-current=[figure.chosen.then_some("true")] {
                    span { (figure.label) } strong { (format::number(figure.count)) }
                } }
            }
        }
    }
}

/// A link kept by name (保存的链接).
pub struct Kept<'a> {
    /// Where it leads.
    pub href: String,
    /// Its name.
    pub name: &'a str,
    /// What is said of it.
    pub tags: Vec<&'a str>,
    /// Whether the page shows just this.
    pub chosen: bool,
}

/// Links kept by name, side by side (保存的链接).
pub fn kept(label: &str, links: &[Kept<'_>]) -> Markup {
    html! {
        nav.kept aria-label=(label) {
            span.quiet { (label) }
            @for link in links {
                a href=(link.href) aria-current=[link.chosen.then_some("true")] {
                    (link.name)
                    @for word in &link.tags { (tag(word)) }
                }
            }
        }
    }
}

/// A great number (要数): what it is, the number with its list behind it, and what it was.
#[derive(Debug, Clone)]
pub struct Great {
    /// What is counted, with its unit.
    pub label: String,
    /// The number.
    pub said: Markup,
    /// What it is compared with.
    pub beside: Vec<String>,
}

/// Great numbers side by side (要数条), to be read from afar.
pub fn great(numbers: &[Great]) -> Markup {
    html! {
        ul.great {
            @for number in numbers {
                li {
                    span { (number.label) }
                    strong { (number.said) }
                    @for one in &number.beside { span.quiet { (one) } }
                }
            }
        }
    }
}

/// The steps of a long form or of a long matter (步骤): where one is, in words too. A step without an address is no link.
pub fn steps(lang: Lang, steps: &[(String, String)], present: usize) -> Markup {
    html! {
        nav.steps aria-label=(lang.t("步骤")) {
            ol {
                @for (at, (label, href)) in steps.iter().enumerate() {
                    li aria-current=[(at == present).then_some("step")] {
                        @if at == present || href.is_empty() { span { (at + 1) " " (label) } }
                        @else { a href=(href) { (at + 1) " " (label) } }
                    }
                }
            }
        }
    }
}

/// A part of a page with its own heading (分区).
pub fn section(heading: &str, body: &Markup) -> Markup {
    html! { section.part { h2 { (heading) } (body) } }
}
