//! Duplicate records (重复登记): pairs that may be one person, the surest first; counted, cut and exported.
//!
//! What is done about a pair stands on its own page ([`super::duplicate`]). Only pairs both of whose records lie in the officer's area
//! are listed, counted and exported.

use crate::parts::export::{Export, few_enough};
use crate::parts::form::field;
use crate::parts::{format, listing, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use maud::{Markup, html};
use registry::duplicates::{self, Band, PairFilter, PairRow, PairState, Reason};
use registry::people::PersonRow;
use sheets::{Column, Field, Kind as Cell};

/// Rows a page shows.
const ROWS: u64 = 30;

/// How sure it is, in words.
pub(crate) fn band(visit: &Visit, band: Band) -> &'static str {
    let (zh, en) = band.wording();
    visit.lang.pick(zh, en)
}

/// Where a pair stands, in words.
pub(crate) fn state(visit: &Visit, state: PairState) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// Reasons as one line: 姓名相同；手机相同.
pub(crate) fn reasons(visit: &Visit, reasons: &[Reason], speaking_for: bool) -> String {
    let lang = visit.lang;
    let parts: Vec<String> = reasons
        .iter()
        .filter(|reason| reason.speaks_for == speaking_for)
        .map(|reason| {
            let field = words::sentence(lang, &reason.field);
            let level = words::sentence(lang, &reason.level);
            lang.f("{field}{level}", &[("field", &field), ("level", &level)])
        })
        .collect();
    parts.join(visit.t("；"))
}

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> PairFilter {
    let query = &visit.query;
    PairFilter {
        region: listing::chosen_place(visit),
        band: query.some("band").and_then(Band::from_word),
        states: listing::states(
            visit,
            &[PairState::Open, PairState::Prepared],
            PairState::from_word,
        ),
    }
}

/// `GET /duplicates` (重复登记); the look is journalled.
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let filter = filter(visit);
    let (offset, limit) = visit.paging(ROWS);
    let counts = duplicates::counts(db, &scope, &filter).await?;
    let found = duplicates::list(db, &scope, &filter, offset, limit).await?;
    looked(visit, &scope, found.rows.len()).await?;
    let columns = [
        table::text(visit.t("一条记录")),
        table::text(visit.t("另一条记录")),
        table::text(visit.t("把握")),
        table::text(visit.t("为什么")),
        table::text(visit.t("社区")),
        table::text(visit.t("发现日期")),
        table::text(visit.t("状态")),
    ];
    let rows = found.rows.iter().map(|one| row(visit, one)).collect();
    let bands: Vec<(String, String)> = Band::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), band(visit, one).to_owned()))
        .collect();
    listing::Worklist {
        title: visit.t("重复登记"),
        path: "/duplicates",
        standings: listing::standings(PairState::ALL, &counts, |one| {
            let tone = match one {
                PairState::Open => "yellow",
                PairState::Prepared => "red",
                PairState::Merged => "green",
                _ => "",
            };
            (one.word(), state(visit, one), tone)
        }),
        filters: field(visit.lang, "band", visit.t("把握"))
            .value(visit.query.get("band"))
            .filter(visit.t("不论把握大小"), &bands),
        to_do: visit.t("待核对和待复核"),
        columns: &columns,
        rows,
        nothing: (
            visit.t("没有待核对的记录。登记时和每晚都会比对，找到的列在这里。"),
            visit.t("看全部待核对的记录"),
        ),
        acts: html! {},
        exports: visit.can(Permission::MergePeople),
    }
    .show(visit, scope.region, &found)
}

async fn looked(visit: &Visit, scope: &Scope, rows: usize) -> anyhow::Result<()> {
    let mut tx = visit.app.db.begin().await?;
    duplicates::note_list(&mut tx, scope, u64::try_from(rows)?);
    tx.commit().await
}

/// A record in one line.
fn record(one: &PersonRow) -> Markup {
    html! {
        (one.name)
        div.quiet {
            @if !one.document_masked.is_empty() { span.masked { (one.document_masked) } " " }
            @if let Some(born) = one.birth_date { (format::date(born)) }
        }
    }
}

fn row(visit: &Visit, one: &PairRow) -> table::Row {
    let places = [one.a.lives_in, one.b.lives_in].map(|region| visit.place(region));
    table::row(
        format!("/duplicates/{}", one.id),
        vec![
            record(&one.a),
            record(&one.b),
            html! {
                (piece::tag(band(visit, one.band)))
                @if one.two_households { " " (piece::tag(visit.t("分在两户"))) }
            },
            html! { (reasons(visit, &one.reasons, true)) },
            html! { (places[0]) @if places[0] != places[1] { " / " (places[1]) } },
            html! { (format::instant(one.found_at)) },
            html! { (state(visit, one.state)) @if !one.reason.is_empty() { div.quiet { (one.reason) } } },
        ],
    )
}

/// `GET /duplicates/export` (导出重复登记): names masked, with who took it and when inside the file, and journalled.
///
/// # Errors
/// [`crate::problem::Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let most = visit.app.config.export_rows;
    let found = duplicates::list(&visit.app.db, &scope, &filter(visit), 0, most).await?;
    few_enough(visit, found.total)?;
    let text = |label: &str, width| Column::new(label, Cell::Text, width);
    let columns = vec![
        text(visit.t("一条记录"), 12),
        text(visit.t("证件号码"), 22),
        text(visit.t("另一条记录"), 12),
        text(visit.t("证件号码"), 22),
        text(visit.t("把握"), 16),
        text(visit.t("为什么"), 40),
        text(visit.t("社区"), 24),
        text(visit.t("状态"), 14),
        text(visit.t("理由"), 30),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| {
            let places = [one.a.lives_in, one.b.lives_in].map(|region| visit.place(region));
            vec![
                Field::text(access::mask_name(&one.a.name)),
                Field::text(&one.a.document_masked),
                Field::text(access::mask_name(&one.b.name)),
                Field::text(&one.b.document_masked),
                Field::text(band(visit, one.band)),
                Field::text(reasons(visit, &one.reasons, true)),
                Field::text(format!("{} / {}", places[0], places[1])),
                Field::text(state(visit, one.state)),
                Field::text(&one.reason),
            ]
        })
        .collect();
    let name = visit.t("重复登记");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_duplicates",
        subject: ("duplicates", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &scope)
    .await
}
