//! Policy finds people (政策找人): who is due and not paid, who is paid and not due, whose amount differs, by name, for the
//! community to see to; counted on top, sorted, cut and exported.
//!
//! What is done about one stands on its own page ([`super::lead`]).

use crate::parts::export::{Export, few_enough};
use crate::parts::form::field;
use crate::parts::{format, listing, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::lead::{self, Kind, Lead, LeadFilter, LeadSort, LeadState};
use maud::{Markup, html};
use sheets::{Column, Field, Kind as Cell};

/// Rows a page shows.
const ROWS: u64 = 30;

/// The kind in words.
pub(crate) fn kind(visit: &Visit, kind: Kind) -> &'static str {
    let (zh, en) = kind.wording();
    visit.lang.pick(zh, en)
}

/// The state in words.
pub(crate) fn state(visit: &Visit, state: LeadState) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// The names of facts that would settle it.
pub(crate) fn missing(visit: &Visit, one: &Lead) -> String {
    let book = &visit.app.desk.book;
    let names: Vec<&str> = one
        .missing
        .iter()
        .map(|fact| {
            book.fact(fact).map_or(fact.as_str(), |def| {
                visit.lang.pick(&def.label_zh, &def.label_en)
            })
        })
        .collect();
    names.join(visit.t("、"))
}

/// An amount that may be unknown.
pub(crate) fn amount(visit: &Visit, one: Option<vocab::Money>) -> String {
    one.map_or_else(
        || visit.t("未知").to_owned(),
        |amount| format::money(visit.lang, amount),
    )
}

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> LeadFilter {
    let query = &visit.query;
    LeadFilter {
        region: listing::chosen_place(visit),
        programme: query.some("programme").map(str::to_owned),
        kind: query.some("kind").and_then(Kind::from_word),
        states: listing::states(
            visit,
            &[LeadState::Found, LeadState::Visited],
            LeadState::from_word,
        ),
    }
}

/// What the address sorts by, for the page and for programs.
pub(crate) fn sort(visit: &Visit) -> (LeadSort, bool) {
    (
        LeadSort::from_word(visit.query.get("sort")),
        listing::falls(visit),
    )
}

/// `GET /leads` (政策找人); the look is journalled.
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let filter = filter(visit);
    let (offset, limit) = visit.paging(ROWS);
    let counts = lead::funnel(db, &scope, &filter).await?;
    let found = lead::list(db, &scope, &filter, sort(visit), offset, limit).await?;
    let columns = [
        table::text(visit.t("对象")),
        table::text(visit.t("线索")),
        table::text(visit.t("事项")),
        table::number(visit.t("应发每月")).by("due"),
        table::number(visit.t("在发每月")).by("paid"),
        table::text(visit.t("还缺什么")),
        table::text(visit.t("社区")).by("place"),
        table::text(visit.t("发现日期")).by("found"),
        table::text(visit.t("状态")),
    ];
    let rows = found.rows.iter().map(|one| row(visit, one)).collect();
    let acts = html! {
        @if visit.can(Permission::RunSweep) { a.button href="/leads/sweep" { (visit.t("全人口比对")) } }
    };
    listing::Worklist {
        title: visit.t("政策找人"),
        path: "/leads",
        standings: listing::standings(LeadState::ALL, &counts, |one| {
            let tone = match one {
                LeadState::Found => "yellow",
                LeadState::Enrolled => "green",
                _ => "",
            };
            (one.word(), state(visit, one), tone)
        }),
        filters: filters(visit),
        to_do: visit.t("待走访和已走访"),
        columns: &columns,
        rows,
        nothing: (
            visit.t("没有这样的线索。线索由每晚的全人口比对和生活事件发现。"),
            visit.t("看全部待办线索"),
        ),
        acts,
        exports: visit.can(Permission::ExportCases),
    }
    .show(visit, scope.region, &found)
}

fn filters(visit: &Visit) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let programmes = words::titled(lang, visit.app.desk.open_programmes());
    let kinds: Vec<(String, String)> = Kind::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), kind(visit, one).to_owned()))
        .collect();
    html! {
        (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
        (field(lang, "kind", visit.t("线索")).value(query.get("kind")).filter(visit.t("全部种类"), &kinds))
    }
}

fn row(visit: &Visit, one: &Lead) -> table::Row {
    let lang = visit.lang;
    let (zh, en) = visit.app.desk.title(&one.programme);
    let missing = missing(visit, one);
    table::row(
        format!("/leads/{}", one.id),
        vec![
            html! { (one.subject) },
            html! { (piece::tag(kind(visit, one.kind))) },
            html! { (lang.pick(&zh, &en)) },
            html! { (amount(visit, one.due)) },
            html! { @if one.paid.fen() == 0 { "—" } @else { (format::money(lang, one.paid)) } },
            html! { @if missing.is_empty() { "—" } @else { (missing) } },
            html! { (visit.place(one.region)) },
            html! { (format::date(one.found_on)) },
            html! {
                (state(visit, one.state))
                @if let Some(day) = one.visited_on.filter(|_| one.state == LeadState::Visited) { div.quiet { (format::date(day)) } }
            },
        ],
    )
}

/// `GET /leads/export` (导出线索): at most so many rows, with who took it and when inside the file, and journalled.
///
/// # Errors
/// [`crate::problem::Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Review)?;
    let most = visit.app.config.export_rows;
    let filter = filter(visit);
    let found = lead::list(&visit.app.db, &scope, &filter, sort(visit), 0, most).await?;
    few_enough(visit, found.total)?;
    let columns = vec![
        Column::new(visit.t("对象"), Cell::Text, 12),
        Column::new(visit.t("线索"), Cell::Text, 12),
        Column::new(visit.t("事项"), Cell::Text, 18),
        Column::new(visit.t("应发每月"), Cell::Money, 14),
        Column::new(visit.t("在发每月"), Cell::Money, 14),
        Column::new(visit.t("还缺什么"), Cell::Text, 30),
        Column::new(visit.t("区划代码"), Cell::Text, 16),
        Column::new(visit.t("社区"), Cell::Text, 16),
        Column::new(visit.t("发现日期"), Cell::Date, 12),
        Column::new(visit.t("状态"), Cell::Text, 10),
        Column::new(visit.t("走访和办理情况"), Cell::Text, 40),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| {
            let (zh, en) = visit.app.desk.title(&one.programme);
            vec![
                Field::text(&one.subject),
                Field::text(kind(visit, one.kind)),
                Field::text(lang.pick(&zh, &en)),
                one.due.map_or(Field::Empty, Field::Money),
                Field::Money(one.paid),
                Field::text(missing(visit, one)),
                Field::text(one.region.to_string()),
                Field::text(visit.place(one.region)),
                Field::Date(one.found_on),
                Field::text(state(visit, one.state)),
                Field::text(format!("{} {}", one.visits, one.note).trim()),
            ]
        })
        .collect();
    let name = visit.t("政策找人");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_leads",
        subject: ("leads", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &scope)
    .await
}
