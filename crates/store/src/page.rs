//! A page of rows (分页): what every list in the house returns.
//!
//! Guarantees: `total` counts the same rows the page was cut from. Whoever goes through a whole list goes by its key
//! ([`after`]), never by skipping rows: the millionth row costs as much as the first.

use sea_orm::sea_query::IntoValueTuple;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoIdentity, PaginatorTrait,
    QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

    /// The same page with every row read (逐行读取), or the first fault.
    ///
    /// # Errors
    /// What reading a row says.
    pub fn try_map<U>(self, read: impl FnMut(T) -> anyhow::Result<U>) -> anyhow::Result<Page<U>> {
        Ok(Page {
            rows: self
                .rows
                .into_iter()
                .map(read)
                .collect::<anyhow::Result<_>>()?,
            total: self.total,
            offset: self.offset,
            limit: self.limit,
        })
    }

    /// Whether rows follow this page.
    pub fn has_more(&self) -> bool {
        let shown = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.offset.saturating_add(shown) < self.total
    }
}

/// How many rows of a query have which word in a column (按词计数); a word nobody has is left out.
///
/// # Errors
/// Faults of the database.
pub async fn by_word<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    query: Select<E>,
    column: E::Column,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let counted: Vec<(String, i64)> = query
        .select_only()
        .column(column)
        .column_as(column.count(), "how_many")
        .group_by(column)
        .into_tuple()
        .all(conn)
        .await?;
    counted
        .into_iter()
        .map(|(word, count)| Ok((word, u64::try_from(count)?)))
        .collect()
}

/// Cuts a page out of an ordered query (取一页), and counts the whole of it.
///
/// # Errors
/// Faults of the database.
pub async fn cut<E>(
    conn: &impl ConnectionTrait,
    query: Select<E>,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<E::Model>>
where
    E: EntityTrait,
    E::Model: FromQueryResult + Send + Sync,
{
    let total = query.clone().count(conn).await?;
    let rows = query.offset(offset).limit(limit).all(conn).await?;
    Ok(Page {
        rows,
        total,
        offset,
        limit,
    })
}

/// The rows of a query that follow one (键后的行), in the order of a key that is nobody else's: for going through a whole list in
/// portions. Each portion is read on its own; a row that comes meanwhile is in it or not.
///
/// # Errors
/// Faults of the database.
pub async fn after<E>(
    conn: &impl ConnectionTrait,
    query: Select<E>,
    key: impl IntoIdentity,
    last: Option<impl IntoValueTuple>,
    limit: u64,
) -> anyhow::Result<Vec<E::Model>>
where
    E: EntityTrait,
    E::Model: FromQueryResult + Send + Sync,
{
    let mut rows = query.cursor_by(key);
    if let Some(last) = last {
        rows.after(last);
    }
    Ok(rows.first(limit).all(conn).await?)
}
