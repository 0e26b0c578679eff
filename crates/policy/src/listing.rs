//! The programmes of all places as one table (事项总表): to whom, how often, whose figures, how many worked cases.
//!
//! Deliberately absent: what a programme says; that is its card.

use crate::book::{Book, Programme};
use crate::phrasing;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Whose figures a programme pays by in a place (数值来历).
fn figures(book: &Book, programme: &Programme) -> &'static str {
    let read = phrasing::parameters(book, programme);
    let open = read.iter().any(|parameter| parameter.values.is_empty());
    let demo = read
        .iter()
        .any(|parameter| parameter.values.iter().any(|value| value.demo));
    match (open, demo) {
        (true, true) => "部分未公布、部分演示",
        (true, false) => "部分未公布",
        (false, true) => "含演示值",
        (false, false) if read.is_empty() => "不用数值",
        (false, false) => "公布",
    }
}

/// A markdown table: a row a programme, a column a place (事项总表).
pub(crate) fn table(books: &[Book]) -> String {
    let mut rows: BTreeMap<&str, &Programme> = BTreeMap::new();
    for programme in books.iter().flat_map(Book::programmes) {
        rows.entry(&programme.id).or_insert(programme);
    }
    let mut text = String::from("| 事项 | programme | 对象 | 发放 |");
    for book in books {
        let _written = write!(text, " {} |", book.place().name_zh);
    }
    text.push_str("\n|---|---|---|---|");
    text.push_str(&"---|".repeat(books.len()));
    text.push('\n');
    for (id, programme) in rows {
        let _written = write!(
            text,
            "| {} `{id}` | {} | {} | {} |",
            programme.title_zh,
            programme.title_en,
            programme.to.zh(),
            programme.benefit.every.zh()
        );
        for book in books {
            let said = book.programme(id).map_or_else(
                || " — |".to_owned(),
                |own| format!(" {}，{} 例 |", figures(book, own), book.cases(id).len()),
            );
            text.push_str(&said);
        }
        text.push('\n');
    }
    text
}
