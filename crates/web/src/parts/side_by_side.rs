//! Two records side by side (并排对照): one line a thing, marked where the two differ.
//!
//! Deliberately absent: comparing anything but the two texts shown; masked numbers may look alike and differ, which the reasons say.

use crate::parts::{piece, table};
use crate::visit::Visit;
use maud::{Markup, html};

/// One line of two records side by side (对照的一行).
pub(crate) struct Line {
    pub(crate) label: &'static str,
    pub(crate) left: Markup,
    pub(crate) right: Markup,
    pub(crate) differs: bool,
}

/// A line of two texts, marked where they differ.
pub(crate) fn line(label: &'static str, left: impl Into<String>, right: impl Into<String>) -> Line {
    let (left, right) = (left.into(), right.into());
    // A masked number may break after its stars, so that large text stays within its box.
    let shown = |text: &str| match text.rsplit_once('*') {
        Some((stars, tail)) => html! { (stars) "*" wbr; (tail) },
        None => html! { @if text.is_empty() { "—" } @else { (text) } },
    };
    Line {
        label,
        differs: left != right,
        left: shown(&left),
        right: shown(&right),
    }
}

/// Two records side by side (并排对照).
pub(crate) fn side_by_side(visit: &Visit, heads: [String; 2], lines: Vec<Line>) -> Markup {
    let [left, right] = heads;
    let columns = [
        table::text(visit.t("项目")),
        table::text(left),
        table::text(right),
    ];
    let rows = lines
        .into_iter()
        .map(|line| {
            table::still(vec![
                html! { (line.label) @if line.differs { " " (piece::tag(visit.t("有差异"))) } },
                line.left,
                line.right,
            ])
        })
        .collect();
    table::table(
        visit.lang,
        visit.t("并排对照"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}
