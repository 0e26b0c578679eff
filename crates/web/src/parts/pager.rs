//! Turning pages of a list (翻页): 上一页 1 2 3 … 下一页, 共 N 条. Plain links that keep the filters.

use crate::fields::Fields;
use crate::locale::Lang;
use crate::parts::format;
use maud::{Markup, html};
use store::Page;

/// The page numbers worth a link: the first, the last, and those around the present one; `None` is a gap.
fn numbers(present: u64, last: u64) -> Vec<Option<u64>> {
    let mut shown = Vec::new();
    let mut before = 0;
    for number in 1..=last {
        if number == 1 || number == last || number.abs_diff(present) <= 2 {
            if number > before + 1 {
                shown.push(None);
            }
            shown.push(Some(number));
            before = number;
        }
    }
    shown
}

/// The pager under a list (翻页).
pub fn pager<T>(lang: Lang, page: &Page<T>, path: &str, query: &Fields) -> Markup {
    let limit = page.limit.max(1);
    let last = page.total.div_ceil(limit).max(1);
    let present = (page.offset / limit + 1).min(last);
    let to = |number: u64| query.with("page", &number.to_string()).href(path);
    html! {
        nav.pager aria-label=(lang.t("翻页")) {
            @if last > 1 {
                @if present > 1 { a rel="prev" href=(to(present - 1)) { (lang.t("上一页")) } }
                @for number in numbers(present, last) {
                    @match number {
                        Some(number) if number == present => span.present aria-current="page" { (number) },
                        Some(number) => a href=(to(number)) { (number) },
                        None => span.gap { "…" },
                    }
                }
                @if present < last { a rel="next" href=(to(present + 1)) { (lang.t("下一页")) } }
            }
            span.total { (lang.f("共 {total} 条", &[("total", &format::number(page.total))])) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn the_first_the_last_and_the_neighbours_are_shown() {
        let shown = |present, last| -> String {
            numbers(present, last)
                .into_iter()
                .map(|n| n.map_or("…".to_owned(), |n| n.to_string()) + " ")
                .collect()
        };
        assert_eq!(shown(1, 1), "1 ");
        assert_eq!(shown(1, 9), "1 2 3 … 9 ");
        assert_eq!(shown(5, 9), "1 … 3 4 5 6 7 … 9 ");
        assert_eq!(shown(9, 9), "1 … 7 8 9 ");
    }
}
