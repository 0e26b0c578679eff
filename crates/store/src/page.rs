//! A page of rows (分页): what every list in the house returns.
//!
//! Guarantees: `total` counts the same rows the page was cut from. Deliberately absent: cursors; lists people read are
//! short enough to count.

use serde::{Deserialize, Serialize};

/// A page of rows (分页) cut from a longer list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows of this page, in the order of the list.
    pub rows: Vec<T>,
    /// How many rows the whole list has.
    pub total: u64,
    /// How many rows come before this page.
    pub offset: u64,
    /// How many rows a page has at most.
    pub limit: u64,
}

impl<T> Page<T> {
    /// A page without rows (空页).
    pub fn empty(limit: u64) -> Self {
        Self {
            rows: Vec::new(),
            total: 0,
            offset: 0,
            limit,
        }
    }

    /// The same page with every row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(turn).collect(),
            total: self.total,
            offset: self.offset,
            limit: self.limit,
        }
    }

    /// Whether rows follow this page.
    pub fn has_more(&self) -> bool {
        let shown = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.offset.saturating_add(shown) < self.total
    }
}
