//! The lists programs may read (可读清单), each declared once: what an item says and what it can be narrowed by. The rows are
//! those of the page's own [`lists::List`](crate::lists::List), under the purpose the program states, where there is such a page.
//!
//! To add one: a `static` of [`List`](super::list::List) here or beside, and its line in the route table. Names of people are
//! masked as in exports; numbers are never clear.

pub(crate) mod affairs;
pub(crate) mod law;
pub(crate) mod money;
pub(crate) mod people;
pub(crate) mod watch;

use serde_json::Value;
use std::fmt::Display;

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

/// Wraps an `async fn rows(visit, window)` for a declaration.
macro_rules! rows {
    ($function:path) => {
        |visit, window| Box::pin($function(visit, window))
    };
}
use rows;
