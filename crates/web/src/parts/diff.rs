//! Two texts compared (文本对照): removed and added lines with their numbers, a few lines around them.
//!
//! Signs and words say what colours say.

use crate::locale::Lang;
use casework::rulebook::{Change, diff};
use maud::{Markup, html};

/// What differs between two texts, line by line (逐行对照).
pub fn lines(lang: Lang, caption: &str, old: &str, new: &str) -> Markup {
    let pieces = diff(old, new);
    let number = |at: Option<usize>| at.map(|at| at.to_string()).unwrap_or_default();
    html! {
        @if pieces.is_empty() { p.quiet { (lang.t("没有差别")) } }
        @else {
            div.scroller tabindex="0" role="region" aria-label=(caption) {
                table.diff {
                    caption.unseen { (caption) }
                    thead.unseen { tr {
                        th scope="col" { (lang.t("原行号")) }
                        th scope="col" { (lang.t("新行号")) }
                        th scope="col" { (lang.t("内容")) }
                    } }
                    @for (at, piece) in pieces.iter().enumerate() {
                        tbody {
                            @if at > 0 { tr.gap { td colspan="3" { "⋯" } } }
                            @for line in piece {
                                @let (class, sign, word) = match line.change {
                                    Change::Same => ("", " ", ""),
                                    Change::Added => ("added", "+", lang.t("新增：")),
                                    Change::Removed => ("removed", "−", lang.t("删去：")),
                                };
                                tr class=(class) {
                                    td.line { (number(line.old)) }
                                    td.line { (number(line.new)) }
                                    td {
                                        span aria-hidden="true" { (sign) " " }
                                        @if !word.is_empty() { span.unseen { (word) } }
                                        (line.text)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
