//! Programmes, editions of the rules and the journal as lists for programs (事项、规则版本、操作日志).

use super::{rows, said, text, texts};
use crate::api::kind::Kind;
use crate::api::list::{List, Window, column, filter, perhaps};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{lists, pages};
use casework::rulebook::list::{Edition, editions as all_editions};
use serde_json::json;
use store::Page;
use store::journal::Entry;

/// A programme as it is told.
#[derive(Clone)]
pub(crate) struct Programme {
    id: String,
    title: String,
    summary: String,
    version: String,
}

/// 事项
pub(crate) static PROGRAMMES: List<Programme> = List {
    name: "programmes",
    what: "The programmes the rule book of this place knows",
    personal: false,
    filters: &[],
    columns: &[
        column("id", Kind::Text, "The programme's word", |_, row| {
            json!(row.id)
        }),
        column("title", Kind::Text, "Its name", |_, row| json!(row.title)),
        perhaps("summary", Kind::Text, "What it is for", |_, row| {
            said(&row.summary)
        }),
        column("rules", Kind::Text, "The version of the rules", |_, row| {
            json!(row.version)
        }),
    ],
    rows: rows!(programmes),
};

async fn programmes(visit: &Visit, window: Window) -> Result<Page<Programme>, Problem> {
    let (lang, book) = (visit.lang, &visit.app.desk.book);
    let all = book.programmes();
    let rows = all
        .iter()
        .skip(usize::try_from(window.offset).unwrap_or(usize::MAX))
        .take(usize::try_from(window.limit).unwrap_or(usize::MAX))
        .map(|one| Programme {
            id: one.id.clone(),
            title: lang.pick(&one.title_zh, &one.title_en).to_owned(),
            summary: lang.pick(&one.summary_zh, &one.summary_en).to_owned(),
            version: book.version().to_string(),
        })
        .collect();
    Ok(Page {
        rows,
        total: all.len() as u64,
        offset: window.offset,
        limit: window.limit,
    })
}

/// 规则版本
pub(crate) static EDITIONS: List<Edition> = List {
    name: "editions",
    what: "Editions of the rules, the newest first",
    personal: false,
    filters: &[],
    columns: &[
        column("number", Kind::Whole, "Its number", |_, row| {
            json!(row.number)
        }),
        perhaps(
            "programme",
            Kind::Text,
            "The folder that was changed; of a delivery none",
            |_, row| said(&row.programme),
        ),
        column(
            "from",
            Kind::Day,
            "From which day it changes anything",
            |_, row| text(row.from),
        ),
        column(
            "version",
            Kind::Text,
            "The version its packs say",
            |_, row| json!(row.book_version),
        ),
        column(
            "fingerprint",
            Kind::Text,
            "The fingerprint determinations quote",
            |_, row| json!(row.book_hash),
        ),
        column(
            "changed",
            Kind::Texts,
            "The files that changed",
            |_, row| json!(row.changed),
        ),
        perhaps("basis", Kind::Text, "The document it rests on", |_, row| {
            said(&row.basis)
        }),
        perhaps(
            "correction",
            Kind::Text,
            "Why days gone by changed",
            |_, row| said(&row.correction),
        ),
        column("published_at", Kind::Instant, "When", |_, row| {
            json!(row.published_at)
        }),
    ],
    rows: rows!(editions),
};

async fn editions(visit: &Visit, window: Window) -> Result<Page<Edition>, Problem> {
    let db = &visit.app.db;
    Ok(all_editions(db, window.offset, window.limit).await?)
}

/// 操作日志
pub(crate) static JOURNAL: List<Entry> = List {
    name: "journal",
    what: "The journal of the area, the newest entry first",
    personal: true,
    filters: &[
        filter("officer", Kind::Text, "By the account of this name"),
        filter("act", Kind::Text, "This act, or all of a room: casework."),
        filter("kind", Kind::Text, "This kind of record"),
        filter("subject", Kind::Text, "This record"),
        filter("region", Kind::Place, "A place and all under it"),
        filter("from", Kind::Day, "On this day or later"),
        filter("until", Kind::Day, "On this day or before"),
    ],
    columns: &[
        column("seq", Kind::Whole, "Its place in the chain", |_, row| {
            json!(row.seq)
        }),
        column("at", Kind::Instant, "When", |_, row| json!(row.at)),
        column(
            "by",
            Kind::Id,
            "By whom; the nil id for the system and the public",
            |_, row| text(row.event.by),
        ),
        column("act", Kind::Text, "What was done", |_, row| {
            json!(row.event.act)
        }),
        column(
            "subject_kind",
            Kind::Text,
            "What kind of record it was done to",
            |_, row| json!(row.event.subject_kind),
        ),
        column("subject", Kind::Text, "Which one", |_, row| {
            json!(row.event.subject_id)
        }),
        perhaps(
            "region",
            Kind::Place,
            "Where the record belongs",
            |_, row| texts(row.event.region),
        ),
        column("purpose", Kind::Text, "For what purpose", |_, row| {
            json!(row.event.purpose)
        }),
        column("hash", Kind::Text, "Its SM3 in the chain", |_, row| {
            json!(row.hash)
        }),
    ],
    rows: rows!(lists::rows::<pages::journal::Entries>),
};
