//! Periodic reviews (定期核查): which cases are to be looked at again, until when, and what the last looks found.
//!
//! A review is done on the case's own page; this is the list of them, by programme, place and month.

use crate::parts::export::{Export, few_enough};
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, mark, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::clock::Light;
use casework::review::{ReviewCounts, ReviewFilter, ReviewRow, UNKNOWN_CLASS, counts, list};
use maud::{Markup, html};
use sheets::{Column, Field, Kind};
use vocab::Month;

/// Rows a page shows.
const ROWS: u64 = 30;

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> ReviewFilter {
    let query = &visit.query;
    ReviewFilter {
        programme: query.some("programme").map(str::to_owned),
        region: listing::chosen_place(visit),
        month: query.some("month").and_then(|month| month.parse().ok()),
        light: match query.get("show") {
            "overdue" => Some(Light::Red),
            "soon" => Some(Light::Yellow),
            _ => None,
        },
        done: query.get("show") == "done",
    }
}

/// `GET /reviews` (定期核查).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let filter = filter(visit);
    let (offset, limit) = visit.paging(ROWS);
    let figures = counts(db, &scope, &filter).await?;
    let found = list(db, &scope, &visit.app.desk, &filter, offset, limit).await?;
    let columns = [
        table::text(visit.t("办件号")),
        table::text(visit.t("时限")),
        table::text(visit.t("事项")),
        table::text(visit.t("核查分类")),
        table::text(visit.t("到期日")),
        table::text(visit.t("申请人")),
        table::text(visit.t("社区")),
        table::text(visit.t("核查结果")),
    ];
    let rows = found.rows.iter().map(|one| row(visit, one)).collect();
    let body = html! {
        (piece::figures(&figures_of(visit, &figures)))
        (filters(visit, &scope, &filter))
        (listing::listed(visit, (visit.t("定期核查"), "/reviews"), &columns, rows, &found, &piece::empty(visit.t("没有这样的核查。"), &html! {})))
    };
    let acts = html! {
        @if visit.can(Permission::ExportCases) {
            a.button href=(visit.query.with("page", "").href("/reviews/export")) { (visit.t("导出")) }
        }
    };
    Ok(visit
        .page(visit.t("定期核查"))
        .nav("/reviews")
        .wide()
        .acts(acts)
        .show(&body))
}

fn figures_of(visit: &Visit, counts: &ReviewCounts) -> Vec<piece::Figure> {
    let shown = visit.query.get("show");
    [
        ("", visit.t("全部安排"), counts.ahead, ""),
        ("overdue", visit.t("已超期"), counts.overdue, "red"),
        ("soon", visit.t("即将到期"), counts.soon, "yellow"),
        ("done", visit.t("已核查"), counts.done, ""),
    ]
    .into_iter()
    .map(|(show, label, count, tone)| piece::Figure {
        label: label.to_owned(),
        count,
        href: visit
            .query
            .with("page", "")
            .with("show", show)
            .href("/reviews"),
        tone,
        chosen: show == shown,
    })
    .collect()
}

fn filters(visit: &Visit, scope: &Scope, filter: &ReviewFilter) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let reviewed = desk.open_programmes().filter(|programme| {
        desk.procedure(&programme.id)
            .is_some_and(|procedure| procedure.review.is_some())
    });
    let programmes = words::titled(lang, reviewed);
    let month = filter.month.map(|month: Month| month.to_string());
    html! {
        form.filters method="get" action="/reviews" {
            input type="hidden" name="show" value=(visit.query.get("show"));
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (listing::place(visit, scope.region))
            (field(lang, "month", visit.t("到期月份")).value(month.as_deref().unwrap_or_default()).optional().month())
            (lesser(visit.t("筛选")))
            a.button.plain href="/reviews" { (visit.t("清除")) }
        }
    }
}

/// The class in words: the fact's own wording where the class is a fact.
fn class(visit: &Visit, one: &ReviewRow) -> String {
    if one.class.is_empty() {
        return "—".to_owned();
    }
    if one.class == UNKNOWN_CLASS {
        return visit.t("分类待核实，按最短周期").to_owned();
    }
    let desk = &visit.app.desk;
    let named = desk
        .procedure(&one.row.case.programme)
        .and_then(|procedure| procedure.review.as_ref())
        .and_then(|rule| desk.book.fact(rule.by.as_deref()?))
        .and_then(|fact| fact.codes.iter().find(|code| code.code == one.class));
    named.map_or_else(
        || one.class.clone(),
        |code| visit.lang.pick(&code.zh, &code.en).to_owned(),
    )
}

fn result(visit: &Visit, one: &ReviewRow) -> String {
    let lang = visit.lang;
    match (one.found, one.done_on) {
        (Some(found), _) => {
            let (zh, en) = found.wording();
            lang.pick(zh, en).to_owned()
        }
        (None, None) if one.opened => visit.t("已转待办").to_owned(),
        _ => visit.t("未到时间").to_owned(),
    }
}

fn row(visit: &Visit, one: &ReviewRow) -> table::Row {
    let lang = visit.lang;
    let case = &one.row.case;
    table::row(
        format!("/cases/{}", case.id),
        vec![
            html! { (case.number) },
            html! {
                @if let Some(done) = one.done_on { (format::date(done)) }
                @else { (mark::light(lang, one.light, Some(one.days_left))) }
                @if one.provisional && one.done_on.is_none() { " " (super::todo::provisional(visit)) }
            },
            html! { (lang.pick(&one.row.programme_zh, &one.row.programme_en)) },
            html! { (class(visit, one)) },
            html! { (format::date(one.due_on)) },
            html! { (case.subject_masked) " " (lang.f("{count} 人", &[("count", &case.member_count)])) },
            html! { (visit.place(case.region)) },
            html! {
                (result(visit, one))
                @if !one.said.is_empty() { div.quiet { (one.said) } }
                @if !one.done_by.is_empty() { div.quiet { (one.done_by) } }
            },
        ],
    )
}

/// `GET /reviews/export` (导出定期核查): at most so many rows, with who took it and when inside the file, and journalled.
///
/// # Errors
/// [`Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Review)?;
    let most = visit.app.config.export_rows;
    let filter = filter(visit);
    let found = list(&visit.app.db, &scope, &visit.app.desk, &filter, 0, most).await?;
    few_enough(visit, found.total)?;
    let columns = vec![
        Column::new(visit.t("办件号"), Kind::Text, 18),
        Column::new(visit.t("事项"), Kind::Text, 16),
        Column::new(visit.t("申请人"), Kind::Text, 12),
        Column::new(visit.t("核查分类"), Kind::Text, 16),
        Column::new(visit.t("到期日"), Kind::Date, 12),
        Column::new(visit.t("核查日期"), Kind::Date, 12),
        Column::new(visit.t("核查结果"), Kind::Text, 14),
        Column::new(visit.t("区划代码"), Kind::Text, 16),
        Column::new(visit.t("社区"), Kind::Text, 16),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| {
            let case = &one.row.case;
            vec![
                Field::text(&case.number),
                Field::text(lang.pick(&one.row.programme_zh, &one.row.programme_en)),
                Field::text(&case.subject_masked),
                Field::text(class(visit, one)),
                Field::Date(one.due_on),
                one.done_on.map_or(Field::Empty, Field::Date),
                Field::text(result(visit, one)),
                Field::text(case.region.to_string()),
                Field::text(visit.place(case.region)),
            ]
        })
        .collect();
    let name = visit.t("定期核查");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_reviews",
        subject: ("cases", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &scope)
    .await
}
