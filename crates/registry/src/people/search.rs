//! Searching people (查人): one box for name parts, pinyin, initials, number tails and whole numbers.
//!
//! Every form of query is a prefix range or an equality on an index, cut to the scope in the same statement.

use super::find::ids_by_whole_number;
use super::{Person, PersonRow};
use crate::reading::narrowed;
use crate::search_keys::{document_tail_key, phone_tail_key, spelled};
use crate::tables::{person, search_key};
use access::Scope;
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use store::{Db, Keys, Page};
use uuid::Uuid;
use vocab::{Document, DocumentKind, Region};

/// What is searched for (查询条件).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What was typed into the box; empty lists everyone.
    pub text: String,
    /// A place inside the scope, to narrow further.
    pub region: Option<Region>,
}

/// A search finds at most so many people (查找上限); a page that reaches it says “请输入更多信息” instead of a count.
pub const MOST_FOUND: u64 = 1_000;

/// What a typed text can mean; each meaning is tried.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Everyone,
    Keys {
        exact: Vec<String>,
        prefixes: Vec<String>,
    },
    WholeNumber,
}

/// Searches the people of a scope (查人), a page at a time; at most [`MOST_FOUND`], except that an empty text lists
/// everyone. Name matches come first, then pinyin, then initials; exact ones before longer ones.
///
/// # Errors
/// Faults of the database.
pub async fn search(
    db: &Db,
    scope: &Scope,
    query: &Query,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PersonRow>> {
    let Some(place) = narrowed(scope, query.region) else {
        return Ok(Page::empty(limit));
    };
    let text = query.text.trim();
    if looks_like_whole_number(text) {
        let documents = possible_documents(text, db.today());
        let phone = super::digest_phone(text);
        let ids = ids_by_whole_number(db, place, &documents, phone.as_deref()).await?;
        if !ids.is_empty() || meaning(db.keys(), text) == Meaning::WholeNumber {
            let total = u64::try_from(ids.len())?;
            let ids = ids
                .into_iter()
                .skip(clamped(offset))
                .take(clamped(limit))
                .collect();
            return page_of(db, place, ids, total, offset, limit).await;
        }
    }
    match meaning(db.keys(), text) {
        Meaning::Everyone => everyone(db, place, offset, limit).await,
        Meaning::WholeNumber => Ok(Page::empty(limit)),
        Meaning::Keys { exact, prefixes } => {
            by_keys(db, place, exact, prefixes, offset, limit).await
        }
    }
}

async fn everyone(
    db: &Db,
    place: Region,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PersonRow>> {
    let all = person::Entity::find()
        .filter(inside(person::Column::LivesIn, place))
        .filter(person::Column::MergedInto.is_null());
    let total = all
        .clone()
        .count(db.conn())
        .await
        .context("counting people")?;
    let found = all
        .order_by_asc(person::Column::LivesIn)
        .order_by_asc(person::Column::Id)
        .offset(offset)
        .limit(limit)
        .all(db.conn())
        .await
        .context("listing people")?;
    let mut rows = Vec::with_capacity(found.len());
    for row in found {
        rows.push(Person::of(row, db.keys())?.into());
    }
    Ok(Page {
        rows,
        total,
        offset,
        limit,
    })
}

async fn by_keys(
    db: &Db,
    place: Region,
    exact: Vec<String>,
    prefixes: Vec<String>,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PersonRow>> {
    use search_key::Column::Key;
    let mut ranges: Vec<SimpleExpr> = exact.into_iter().map(|key| Key.eq(key)).collect();
    for prefix in prefixes {
        // The greatest character ends the range of everything that begins with the prefix.
        let beyond = format!("{prefix}\u{10FFFF}");
        ranges.push(Key.gte(prefix).and(Key.lt(beyond)));
    }
    let mut seen = BTreeSet::new();
    let mut ids = Vec::new();
    for range in ranges {
        // Each range is read in the order of the index and no further than anybody would look.
        for id in in_range(db, place, range).await? {
            if ids.len() < most() && seen.insert(id) {
                ids.push(id);
            }
        }
    }
    let total = u64::try_from(ids.len())?;
    let ids = ids
        .into_iter()
        .skip(clamped(offset))
        .take(clamped(limit))
        .collect();
    page_of(db, place, ids, total, offset, limit).await
}

async fn in_range(db: &Db, place: Region, range: SimpleExpr) -> anyhow::Result<Vec<Uuid>> {
    use search_key::Column::{Key, LivesIn, PersonId};
    search_key::Entity::find()
        .select_only()
        .column(PersonId)
        .filter(range)
        .filter(inside(LivesIn, place))
        .order_by_asc(Key)
        .order_by_asc(LivesIn)
        .order_by_asc(PersonId)
        // Nobody has more than a few keys in one range, so twice as many keys are enough people.
        .limit(MOST_FOUND * 2)
        .into_tuple()
        .all(db.conn())
        .await
        .context("searching people")
}

fn clamped(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn most() -> usize {
    clamped(MOST_FOUND)
}

/// The rows of these people, in this order.
async fn page_of(
    db: &Db,
    place: Region,
    ids: Vec<Uuid>,
    total: u64,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<PersonRow>> {
    let found = person::Entity::find()
        .filter(person::Column::Id.is_in(ids.iter().copied()))
        .filter(inside(person::Column::LivesIn, place))
        .all(db.conn())
        .await
        .context("reading the people found")?;
    let mut by_id = BTreeMap::new();
    for row in found {
        by_id.insert(row.id, Person::of(row, db.keys())?.into());
    }
    Ok(Page {
        rows: ids.iter().filter_map(|id| by_id.remove(id)).collect(),
        total,
        offset,
        limit,
    })
}

fn looks_like_whole_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 5
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '+' | '(' | ')'))
}

/// The documents a typed number can be the number of.
fn possible_documents(text: &str, today: NaiveDate) -> Vec<Document> {
    DocumentKind::ALL
        .into_iter()
        .filter(|kind| *kind != DocumentKind::None)
        .filter_map(|kind| Document::read(kind, text, today).ok())
        .collect()
}

fn meaning(keys: &Keys, text: &str) -> Meaning {
    let spelled = spelled(text);
    if spelled.is_empty() {
        return Meaning::Everyone;
    }
    let upper = spelled.to_ascii_uppercase();
    let body = upper.strip_suffix('X').unwrap_or(&upper);
    if !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_digit()) {
        if !(4..=6).contains(&upper.len()) {
            return Meaning::WholeNumber;
        }
        let mut exact = vec![document_tail_key(keys, &upper)];
        if upper.len() == 4 && body == upper {
            exact.push(phone_tail_key(keys, &upper));
        }
        return Meaning::Keys {
            exact,
            prefixes: Vec::new(),
        };
    }
    let mut prefixes = vec![format!("n:{spelled}")];
    if spelled.is_ascii() {
        let letters: String = spelled.chars().filter(|c| *c != '\'').collect();
        prefixes.push(format!("p:{letters}"));
        prefixes.push(format!("i:{letters}"));
    }
    Meaning::Keys {
        exact: Vec::new(),
        prefixes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_text_is_understood_by_its_shape() {
        let keys = Keys::for_tests();
        let of = |text: &str| meaning(&keys, text);
        assert_eq!(of("  "), Meaning::Everyone);
        assert_eq!(
            of("zs"),
            Meaning::Keys {
                exact: vec![],
                prefixes: vec!["n:zs".to_owned(), "p:zs".to_owned(), "i:zs".to_owned()]
            }
        );
        assert!(matches!(of("小明"), Meaning::Keys { prefixes, .. } if prefixes == ["n:小明"]));
        assert!(matches!(of("1234"), Meaning::Keys { exact, .. } if exact.len() == 2));
        assert!(matches!(of("123x"), Meaning::Keys { exact, .. } if exact.len() == 1));
        assert_eq!(of("123"), Meaning::WholeNumber);
        assert_eq!(of("17000001234"), Meaning::WholeNumber);
    }
}
