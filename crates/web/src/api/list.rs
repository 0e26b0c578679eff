//! Lists for programs (程序接口清单): one declaration of columns and filters makes the answer and its description.
//!
//! Guarantees: a filter that is not known or cannot be read is refused, never ignored; a cursor is good for the list and the
//! filters it was given with and for nothing else; a list of people's affairs asks for a purpose and stands in the journal
//! with it, by the names of its filters, never their contents. Deliberately absent: queries; each list calls the function
//! its page calls. What changes while somebody turns pages may come twice or not at all, as on the page.

use super::kind::Kind;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::routes::Coming;
use crate::visit::Visit;
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use std::pin::Pin;
use store::{Event, Page};

/// Items of a page when nothing is asked for, and at most.
pub(crate) const ITEMS: u64 = 50;
pub(crate) const ITEMS_MOST: u64 = 200;

/// What an item says (列): its name, its kind, what it is, and how it is read from a row.
pub(crate) struct Column<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) null: bool,
    pub(crate) what: &'static str,
    value: fn(&Visit, &T) -> Value,
}

/// A column that always says something (必有列).
pub(crate) const fn column<T>(
    name: &'static str,
    kind: Kind,
    what: &'static str,
    value: fn(&Visit, &T) -> Value,
) -> Column<T> {
    Column {
        name,
        kind,
        null: false,
        what,
        value,
    }
}

/// A column that may be unknown (可空列): `null`, never nought and never an empty text.
pub(crate) const fn perhaps<T>(
    name: &'static str,
    kind: Kind,
    what: &'static str,
    value: fn(&Visit, &T) -> Value,
) -> Column<T> {
    Column {
        name,
        kind,
        null: true,
        what,
        value,
    }
}

/// What a list can be narrowed by (筛选); the same words as in the page's address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) what: &'static str,
}

/// A filter (筛选).
pub(crate) const fn filter(name: &'static str, kind: Kind, what: &'static str) -> Filter {
    Filter { name, kind, what }
}

/// Which part of the list is wanted (窗口).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

/// The future of a page of rows.
pub(crate) type Rows<'a, T> = Pin<Box<dyn Future<Output = Result<Page<T>, Problem>> + Send + 'a>>;

/// The future of one row.
pub(crate) type Row<'a, T> = Pin<Box<dyn Future<Output = Result<T, Problem>> + Send + 'a>>;

/// A list (清单).
pub(crate) struct List<T: 'static> {
    /// What it is called in addresses.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whether it is about people: then it asks for a purpose and is journalled.
    pub(crate) personal: bool,
    pub(crate) filters: &'static [Filter],
    pub(crate) columns: &'static [Column<T>],
    pub(crate) rows: for<'a> fn(&'a Visit, Window) -> Rows<'a, T>,
}

/// One thing (单项), by the identifier in the path.
pub(crate) struct One<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) columns: &'static [Column<T>],
    pub(crate) row: for<'a> fn(&'a Visit) -> Row<'a, T>,
}

/// What the description and the router need of something that is read (可读项).
pub(crate) trait Readable: Sync {
    /// The answer to a program.
    fn answer<'a>(&'static self, visit: &'a Visit) -> Coming<'a>;
    /// What it is called.
    fn name(&self) -> &'static str;
    /// What it is, in English.
    fn what(&self) -> &'static str;
    /// Whether it asks for a purpose.
    fn personal(&self) -> bool;
    /// Its filters; `None` for a single thing.
    fn filters(&self) -> Option<&'static [Filter]>;
    /// The schema of an item.
    fn item(&self) -> Value;
}

fn item_schema<T>(columns: &[Column<T>]) -> Value {
    let properties: Map<String, Value> = columns
        .iter()
        .map(|column| {
            let mut schema = column.kind.schema();
            if column.null {
                schema = json!({ "anyOf": [schema, { "type": "null" }] });
            }
            schema["description"] = json!(column.what);
            (column.name.to_owned(), schema)
        })
        .collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

fn item<T>(visit: &Visit, columns: &[Column<T>], row: &T) -> Value {
    columns
        .iter()
        .map(|column| (column.name.to_owned(), (column.value)(visit, row)))
        .collect::<Map<String, Value>>()
        .into()
}

impl<T: Send + Sync + 'static> Readable for List<T> {
    fn answer<'a>(&'static self, visit: &'a Visit) -> Coming<'a> {
        Box::pin(async move {
            let window = window(visit, self.filters)?;
            let found = (self.rows)(visit, window).await?;
            if self.personal {
                looked(visit, self.name, found.rows.len()).await?;
            }
            let items: Vec<Value> = found
                .rows
                .iter()
                .map(|row| item(visit, self.columns, row))
                .collect();
            let beyond = window.offset + items.len() as u64;
            let next = (beyond < found.total && !items.is_empty()).then(|| cursor(visit, beyond));
            let body = Json(json!({ "items": items, "total": found.total, "next": next }));
            let mut answer = body.into_response();
            if let Some(next) = next {
                let here = visit.here.split('?').next().unwrap_or_default();
                let link = format!(
                    "<{}>; rel=\"next\"",
                    visit.query.with("cursor", &next).href(here)
                );
                if let Ok(link) = HeaderValue::from_str(&link) {
                    answer.headers_mut().insert(header::LINK, link);
                }
            }
            Ok(answer)
        })
    }
    fn name(&self) -> &'static str {
        self.name
    }
    fn what(&self) -> &'static str {
        self.what
    }
    fn personal(&self) -> bool {
        self.personal
    }
    fn filters(&self) -> Option<&'static [Filter]> {
        Some(self.filters)
    }
    fn item(&self) -> Value {
        item_schema(self.columns)
    }
}

impl<T: Send + Sync + 'static> Readable for One<T> {
    fn answer<'a>(&'static self, visit: &'a Visit) -> Coming<'a> {
        Box::pin(async move {
            unknown_names(visit, &[])?;
            let row = (self.row)(visit).await?;
            looked(visit, self.name, 1).await?;
            Ok(Json(item(visit, self.columns, &row)).into_response())
        })
    }
    fn name(&self) -> &'static str {
        self.name
    }
    fn what(&self) -> &'static str {
        self.what
    }
    fn personal(&self) -> bool {
        true
    }
    fn filters(&self) -> Option<&'static [Filter]> {
        None
    }
    fn item(&self) -> Value {
        item_schema(self.columns)
    }
}

/// Refuses names in the address that nobody asked for, and names that come twice.
fn unknown_names(visit: &Visit, known: &[&str]) -> Result<(), Problem> {
    for (name, _) in visit.query.iter() {
        if !known.contains(&name) {
            let sentence = visit.lang.f("不认识的参数“{name}”", &[("name", &name)]);
            return Err(Problem::about(name, sentence));
        }
        if visit.query.all(name).count() > 1 {
            let sentence = visit.lang.f("参数“{name}”只能写一次", &[("name", &name)]);
            return Err(Problem::about(name, sentence));
        }
    }
    Ok(())
}

/// The window asked for, after everything in the address was read.
fn window(visit: &Visit, filters: &[Filter]) -> Result<Window, Problem> {
    let mut known: Vec<&str> = filters.iter().map(|one| one.name).collect();
    known.extend(["limit", "cursor"]);
    unknown_names(visit, &known)?;
    for one in filters {
        let Some(text) = visit.query.all(one.name).next() else {
            continue;
        };
        if !one.kind.reads(text) {
            let sentence = visit
                .lang
                .f("参数“{name}”的值读不懂", &[("name", &one.name)]);
            return Err(Problem::about(one.name, sentence));
        }
    }
    let limit = match visit.query.all("limit").next() {
        None => ITEMS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=ITEMS_MOST).contains(limit) && !text.starts_with('+'))
            .ok_or_else(|| {
                let sentence = visit
                    .lang
                    .f("limit 要在 1 到 {most} 之间", &[("most", &ITEMS_MOST)]);
                Problem::about("limit", sentence)
            })?,
    };
    let offset = match visit.query.all("cursor").next() {
        None => 0,
        Some(text) => offset(visit, text).ok_or_else(|| {
            let sentence = visit.t("cursor 不是这个清单和这些筛选给出的，请从第一页重新取");
            Problem::about("cursor", sentence)
        })?,
    };
    Ok(Window { offset, limit })
}

/// What binds a cursor to its list and its filters.
fn seal(visit: &Visit, offset: u64) -> String {
    let filters: Fields = visit
        .query
        .iter()
        .filter(|(name, _)| !matches!(*name, "cursor" | "limit"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let said = format!("{}\n{}\n{offset}", visit.route.path, filters.all_of());
    let mut seal = visit.app.db.keys().blind("web.cursor", &said);
    seal.truncate(16);
    seal
}

/// The cursor of the rows from here on (游标).
fn cursor(visit: &Visit, offset: u64) -> String {
    format!("{offset:x}-{}", seal(visit, offset))
}

fn offset(visit: &Visit, cursor: &str) -> Option<u64> {
    let (offset, sealed) = cursor.split_once('-')?;
    let offset = u64::from_str_radix(offset, 16).ok()?;
    (i64::try_from(offset).is_ok() && seal(visit, offset) == sealed).then_some(offset)
}

/// Writes into the journal that a program looked (查阅留痕).
async fn looked(visit: &Visit, list: &str, rows: usize) -> Result<(), Problem> {
    let actor = visit.actor();
    let filters: Vec<&str> = visit.query.iter().map(|(name, _)| name).collect();
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: actor.officer,
        purpose: visit.stated()?.text(),
        act: "web.api_read".to_owned(),
        subject_kind: "list".to_owned(),
        subject_id: list.to_owned(),
        region: Some(visit.scope(visit.stated()?)?.region),
        detail: json!({ "rows": rows, "filters": filters, "request": visit.request_id }),
    });
    tx.commit().await?;
    Ok(())
}
