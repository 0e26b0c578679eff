//! What a check of rules found (检查结果): mistakes at their places, cases that came out otherwise, days gone by.
//!
//! The sentences of mistakes are the loader's own, in Chinese, because the texts they speak of are.

use crate::locale::Lang;
use crate::parts::piece;
use crate::visit::Visit;
use casework::rulebook::{Checked, SHARED_LETTERS};
use maud::{Markup, html};
use policy::Fault;

/// The result of a check in one line (一句话结果).
pub fn in_short(lang: Lang, checked: &Checked) -> String {
    if checked.is_sound() {
        return lang.f("通过，{count} 个办例相符", &[("count", &checked.run())]);
    }
    lang.f(
        "{faults} 处错误，{failures} 个办例不相符",
        &[
            ("faults", &checked.faults.len()),
            ("failures", &checked.failures()),
        ],
    )
}

/// The whole result (检查结果). `texts` gives the lines mistakes point at.
pub fn whole<'t>(
    visit: &Visit,
    checked: &Checked,
    texts: &impl Fn(&str) -> Option<&'t str>,
) -> Markup {
    let lang = visit.lang;
    html! {
        p { strong { (in_short(lang, checked)) } }
        @if !checked.faults.is_empty() {
            h3 { (visit.t("要改正的地方")) }
            (faults(&checked.faults, texts))
        }
        @for one in checked.cases.iter().filter(|one| !one.failures.is_empty()) {
            h3 {
                (lang.f("办例不相符：{title}", &[("title", &title(visit, &one.programme))]))
                " " code.quiet { (one.pack) "/" (one.programme) }
            }
            ul.plain-list {
                @for failure in &one.failures {
                    li lang="zh-CN" {
                        strong { (failure.name) } " " code.quiet { (failure.file) ":" (failure.line) }
                        ul { @for difference in &failure.differences { li { (difference) } } }
                    }
                }
            }
        }
        @if !checked.rewritten.is_empty() {
            h3 { (visit.t("会改变以前的结果")) }
            p.quiet { (visit.t("以前的决定要能按当时的规则重算。请保留原值，另加带日期的新值；确属更正的，提请时写明更正原因。")) }
            (faults(&checked.rewritten, texts))
        }
        @if !checked.cases.is_empty() {
            details {
                summary { (visit.t("运行过的办例")) }
                ul.plain-list {
                    @for one in &checked.cases {
                        li {
                            (title(visit, &one.programme)) " " code.quiet { (one.pack) "/" (one.programme) } " "
                            (lang.f("{passed} / {all} 相符", &[
                                ("passed", &(one.all - one.failures.len())),
                                ("all", &one.all),
                            ]))
                        }
                    }
                }
            }
        }
    }
}

/// Mistakes with the lines they point at.
fn faults<'t>(faults: &[Fault], texts: &impl Fn(&str) -> Option<&'t str>) -> Markup {
    let line = |fault: &Fault| {
        let at = usize::try_from(fault.line).ok()?.checked_sub(1)?;
        texts(&fault.file)?.lines().nth(at)
    };
    html! {
        ul.plain-list {
            @for fault in faults {
                li lang="zh-CN" {
                    (fault.sentence_zh) " "
                    code.quiet { (fault.file) ":" (fault.line) ":" (fault.column) }
                    @if let Some(line) = line(fault) { div { code { (line.trim()) } } }
                }
            }
        }
    }
}

/// A programme's name; of a library, its folder.
pub fn title(visit: &Visit, folder: &str) -> String {
    if folder == SHARED_LETTERS {
        return visit.t("文书模板（各事项共用）").to_owned();
    }
    visit.app.desk.book.programme(folder).map_or_else(
        || folder.to_owned(),
        |found| visit.lang.pick(&found.title_zh, &found.title_en).to_owned(),
    )
}

/// A list of files as quiet codes (文件名).
pub fn files<'f>(paths: impl IntoIterator<Item = &'f str>) -> Markup {
    html! { @for path in paths { (piece::tag(path)) " " } }
}
