//! Programmes, parameters, editions of the rules and the journal as lists for programs (事项、参数、规则版本、操作日志).

use super::{part, rows, said, text, texts};
use crate::api::kind::Kind;
use crate::api::list::{List, Window, column, filter, perhaps};
use crate::problem::Problem;
use crate::visit::Visit;
use crate::{lists, pages};
use casework::rulebook::list::{Edition, editions as all_editions};
use chrono::NaiveDate;
use policy::{ParameterValue, Setting};
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
    let rows = book
        .programmes()
        .iter()
        .map(|one| Programme {
            id: one.id.clone(),
            title: lang.pick(&one.title_zh, &one.title_en).to_owned(),
            summary: lang.pick(&one.summary_zh, &one.summary_en).to_owned(),
            version: book.version().to_string(),
        })
        .collect();
    Ok(part(rows, window))
}

/// A value of a parameter as it is told.
pub(crate) struct Value {
    id: String,
    folder: String,
    what: String,
    unit: String,
    lower: Option<i64>,
    code: Option<String>,
    number: i64,
    divisor: i64,
    dated: ParameterValue,
}

/// 参数
pub(crate) static PARAMETERS: List<Value> = List {
    name: "parameters",
    what: "Every value the rules in force know of every parameter, with its days, its place and its source",
    personal: false,
    filters: &[
        filter("id", Kind::Text, "Only the parameter of this word"),
        filter("folder", Kind::Text, "Only those of this folder"),
        filter("on", Kind::Day, "Only values that hold on this day"),
    ],
    columns: &[
        column("id", Kind::Text, "The parameter's word", |_, row| {
            json!(row.id)
        }),
        column("folder", Kind::Text, "The folder it stands in", |_, row| {
            json!(row.folder)
        }),
        column("what", Kind::Text, "What it is", |_, row| json!(row.what)),
        column("unit", Kind::Text, "Its unit as written", |_, row| {
            json!(row.unit)
        }),
        perhaps(
            "from_least",
            Kind::Signed,
            "Of a stepped one, from which number on",
            |_, row| json!(row.lower),
        ),
        perhaps(
            "code",
            Kind::Text,
            "Of a coded one, which code",
            |_, row| json!(row.code),
        ),
        column(
            "number",
            Kind::Signed,
            "The number; money in fen, a day counted from the calendar's beginning",
            |_, row| json!(row.number),
        ),
        column(
            "divisor",
            Kind::Whole,
            "By what the number is divided: 10000 for basis points",
            |_, row| json!(row.divisor),
        ),
        column("from", Kind::Day, "From which day", |_, row| {
            text(row.dated.from)
        }),
        perhaps(
            "until",
            Kind::Day,
            "The first day it no longer holds",
            |_, row| texts(row.dated.until),
        ),
        perhaps(
            "region",
            Kind::Place,
            "Where; null for everywhere",
            |_, row| texts(row.dated.region),
        ),
        column("source", Kind::Text, "Where it is published", |_, row| {
            json!(row.dated.source)
        }),
        column(
            "demo",
            Kind::Flag,
            "Whether it is invented for demonstration",
            |_, row| json!(row.dated.demo),
        ),
    ],
    rows: rows!(parameters),
};

async fn parameters(visit: &Visit, window: Window) -> Result<Page<Value>, Problem> {
    let query = &visit.query;
    let on: Option<NaiveDate> = query.get("on").parse().ok();
    let mut all = Vec::new();
    for parameter in visit.app.desk.book.parameters() {
        let is_other = |name: &str, own: &str| query.some(name).is_some_and(|asked| asked != own);
        if is_other("id", &parameter.id) || is_other("folder", &parameter.folder) {
            continue;
        }
        for dated in &parameter.values {
            let holds = |day| dated.from <= day && dated.until.is_none_or(|until| day < until);
            if on.is_some_and(|day| !holds(day)) {
                continue;
            }
            let numbers: Vec<(Option<i64>, Option<String>, i64)> = match &dated.value {
                Setting::Single(number) => vec![(None, None, *number)],
                Setting::Steps(steps) => {
                    let steps = steps.iter();
                    steps
                        .map(|(least, number)| (Some(*least), None, *number))
                        .collect()
                }
                Setting::Codes(codes) => {
                    let codes = codes.iter();
                    codes
                        .map(|(code, number)| (None, Some(code.clone()), *number))
                        .collect()
                }
            };
            all.extend(numbers.into_iter().map(|(lower, code, number)| Value {
                id: parameter.id.clone(),
                folder: parameter.folder.clone(),
                what: parameter.what.clone(),
                unit: parameter.unit.clone(),
                lower,
                code,
                number,
                divisor: parameter.divisor,
                dated: dated.clone(),
            }));
        }
    }
    Ok(part(all, window))
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
