//! The lists programs may read (可读清单), each declared once: what an item says and what it can be narrowed by. The rows are
//! those of the page's own [`lists::List`](crate::lists::List), under the purpose the program states, where there is such a page.
//!
//! To add one: a `static` of [`List`](super::list::List) here or beside, and its line in the route table. Names of people are
//! masked as in exports; numbers are never clear.

pub(crate) mod affairs;
pub(crate) mod figures;
pub(crate) mod law;
pub(crate) mod money;
pub(crate) mod people;
pub(crate) mod watch;

use super::list::Window;
use serde_json::Value;
use std::fmt::Display;
use store::Page;

/// A value as its own text.
fn text(value: impl Display) -> Value {
    Value::String(value.to_string())
}

/// A value as its own text, or nothing.
fn texts<T: Display>(value: Option<T>) -> Value {
    value.map_or(Value::Null, text)
}

/// A text that may be empty because nobody said it.
fn said(value: &str) -> Value {
    if value.is_empty() {
        Value::Null
    } else {
        value.into()
    }
}

/// The part of a whole list, held in memory because it is short, that a window shows.
fn part<T>(all: Vec<T>, window: Window) -> Page<T> {
    let total = all.len() as u64;
    let skip = usize::try_from(window.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(window.limit).unwrap_or(usize::MAX);
    Page {
        rows: all.into_iter().skip(skip).take(take).collect(),
        total,
        offset: window.offset,
        limit: window.limit,
    }
}

/// Wraps an `async fn rows(visit, window)` for a declaration.
macro_rules! rows {
    ($function:path) => {
        |visit, window| Box::pin($function(visit, window))
    };
}
use rows;
