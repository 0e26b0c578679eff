//! Tables (表格): headings that sort by link, rows reachable by keyboard, cells that become lines on a narrow screen.

use crate::fields::Fields;
use crate::locale::Lang;
use maud::{Markup, html};

/// A column (列).
#[derive(Debug, Clone)]
pub struct Column {
    /// The heading.
    pub label: String,
    /// The word of `?sort=`; empty when the list cannot be sorted by it.
    pub sort: &'static str,
    /// Whether it holds numbers, to be right-aligned.
    pub number: bool,
}

/// A column of texts (文字列).
pub fn text(label: impl Into<String>) -> Column {
    Column {
        label: label.into(),
        sort: "",
        number: false,
    }
}

/// A column of numbers (数字列).
pub fn number(label: impl Into<String>) -> Column {
    Column {
        label: label.into(),
        sort: "",
        number: true,
    }
}

impl Column {
    /// The same, sortable by this word (可排序).
    pub fn by(self, sort: &'static str) -> Self {
        Self { sort, ..self }
    }
}

/// A row (行): its cells, and where it leads.
#[derive(Debug, Clone)]
pub struct Row {
    /// Where the row leads, if anywhere; the first cell becomes the link.
    pub href: Option<String>,
    /// The cells, as many as there are columns.
    pub cells: Vec<Markup>,
    /// The box by which it is chosen, if it can be.
    pub tick: Option<Markup>,
}

/// A row that leads somewhere (可打开的行).
pub fn row(href: impl Into<String>, cells: Vec<Markup>) -> Row {
    Row {
        href: Some(href.into()),
        cells,
        tick: None,
    }
}

/// A row that leads nowhere (普通行).
pub fn still(cells: Vec<Markup>) -> Row {
    Row {
        href: None,
        cells,
        tick: None,
    }
}

/// Whether a cell says a day or an instant, and at most a word below or beside it; these are not broken over lines.
fn is_day(cell: &Markup) -> bool {
    let text = cell.0.as_str();
    let (day, rest) = text.split_at_checked(10).unwrap_or_default();
    let is_date = day.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let rest = match rest.split_at_checked(6) {
        Some((time, rest)) if time.starts_with(' ') && time.as_bytes()[3] == b':' => rest,
        _ => rest,
    };
    !day.is_empty() && is_date && (rest.is_empty() || rest.trim_start().starts_with('<'))
}

/// A table (表格). `path` and `query` make the links of the headings; `caption` is read out before the table.
pub fn table(
    lang: Lang,
    caption: &str,
    columns: &[Column],
    rows: Vec<Row>,
    path: &str,
    query: &Fields,
) -> Markup {
    let sorted = query.get("sort");
    let falling = query.get("dir") == "desc";
    let ticks = rows.iter().any(|row| row.tick.is_some());
    html! {
        div.scroller tabindex="0" role="region" aria-label=(caption) {
            table.list {
                caption.unseen { (caption) }
                thead { tr {
                    @if ticks { th scope="col" { span.unseen { (lang.t("勾选")) } } }
                    @for column in columns {
                        @let here = !column.sort.is_empty() && column.sort == sorted;
                        th scope="col" class=[column.number.then_some("number")]
                            aria-sort=[here.then_some(if falling { "descending" } else { "ascending" })] {
                            @if column.sort.is_empty() { (column.label) }
                            @else {
                                @let dir = if here && !falling { "desc" } else { "" };
                                a href=(query.with("page", "").with("sort", column.sort).with("dir", dir).href(path))
                                    title=(lang.t("按此列排序")) {
                                    (column.label)
                                    span aria-hidden="true" { @if here { (if falling { " ↓" } else { " ↑" }) } }
                                }
                            }
                        }
                    }
                } }
                tbody {
                    @for row in rows {
                        tr data-row=[row.href.is_some().then_some("")] {
                            @if ticks { td data-label=(lang.t("勾选")) { @if let Some(tick) = &row.tick { (tick) } } }
                            @for (at, cell) in row.cells.into_iter().enumerate() {
                                @let column = columns.get(at);
                                @let day = is_day(&cell).then_some("day");
                                td class=[column.is_some_and(|c| c.number).then_some("number").or(day)]
                                    data-label=(column.map_or("", |c| &c.label)) {
                                    @match (&row.href, at) {
                                        (Some(href), 0) => a.open href=(href) { (cell) },
                                        // One box a cell: on a narrow screen it stands beside its label.
                                        _ => div { (cell) },
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

#[cfg(test)]
mod tests {
    use super::is_day;
    use maud::PreEscaped;

    #[test]
    fn days_and_instants_stay_on_one_line_and_sentences_do_not() {
        for (text, is) in [
            ("2026-06-01", true),
            ("2026-06-01 10:32", true),
            ("2026-06-01 <span class=\"tag\">已过期</span>", true),
            ("2026-06-01<div class=\"quiet\">还有 3 天</div>", true),
            ("2026-06-01 至 2026-07-01", false),
            ("2026-06-0", false),
            ("日期不详，待核实", false),
            ("", false),
        ] {
            assert_eq!(is_day(&PreEscaped(text.to_owned())), is, "{text}");
        }
    }
}
