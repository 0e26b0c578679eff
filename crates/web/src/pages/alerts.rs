//! Alerts (预警): who is paid and what departments, the register or other payments say against it; the gravest and most urgent
//! first, counted on top, sorted, cut and exported.
//!
//! What is done about one stands on its own page ([`super::alert`]).

use crate::parts::export::{Export, few_enough};
use crate::parts::form::field;
use crate::parts::{format, listing, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::{Permission, Purpose};
use maud::{Markup, html};
use sheets::{Column, Field, Kind as Cell};
use std::sync::Arc;
use verify::alert::{self, Alert, AlertFilter, AlertSort, Rules, Severity, State};

/// Rows a page shows.
const ROWS: u64 = 30;
/// So many days before its end an alert is near.
const NEAR: i64 = 3;

/// The rules of the place, for their names (预警规则).
///
/// # Errors
/// When the pack has mistakes.
pub(crate) fn rules(visit: &Visit) -> anyhow::Result<Arc<Rules>> {
    let book = &visit.app.desk.book;
    match &visit.app.landed {
        Some(landed) => landed.rules(book),
        None => {
            let sources = verify::at_hand::sources_of(book)?;
            alert::run::rules_of(book, &sources).map(Arc::new)
        }
    }
}

/// The rule's name; of a rule that is gone, its id.
pub(crate) fn title(visit: &Visit, rules: &Rules, id: &str) -> String {
    rules.get(id).map_or_else(
        || id.to_owned(),
        |rule| visit.lang.pick(&rule.wording.0, &rule.wording.1).to_owned(),
    )
}

/// The state in words.
pub(crate) fn state(visit: &Visit, state: State) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// The severity in words.
pub(crate) fn severity(visit: &Visit, severity: Severity) -> &'static str {
    let (zh, en) = severity.wording();
    visit.lang.pick(zh, en)
}

/// The names of the programmes in payment.
pub(crate) fn programmes(visit: &Visit, one: &Alert) -> String {
    let named: Vec<String> = one
        .sides
        .programmes
        .iter()
        .map(|id| {
            let (zh, en) = visit.app.desk.title(id);
            visit.lang.pick(&zh, &en).to_owned()
        })
        .collect();
    named.join(visit.t("、"))
}

/// How long there is still to answer, in words.
pub(crate) fn left(visit: &Visit, one: &Alert) -> String {
    let days = (one.due_on - visit.today()).num_days();
    if days < 0 {
        visit.lang.f("逾期 {n} 天", &[("n", &-days)])
    } else {
        visit.lang.f("还有 {n} 天", &[("n", &days)])
    }
}

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> AlertFilter {
    let query = &visit.query;
    AlertFilter {
        region: listing::chosen_place(visit),
        rule: query.some("rule").map(str::to_owned),
        severity: query.some("severity").and_then(Severity::from_word),
        states: listing::states(visit, &[State::Open, State::HandedOver], State::from_word),
    }
}

/// What the address sorts by, for the page and for programs.
pub(crate) fn sort(visit: &Visit) -> (AlertSort, bool) {
    (
        AlertSort::from_word(visit.query.get("sort")),
        listing::falls(visit),
    )
}

/// `GET /alerts` (预警); the look is journalled.
///
/// # Errors
/// A fault of the database or the packs.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let (filter, rules) = (filter(visit), rules(visit)?);
    let (offset, limit) = visit.paging(ROWS);
    let counts = alert::counts(db, &scope, &filter).await?;
    let found = alert::list(db, &scope, &filter, sort(visit), offset, limit).await?;
    let columns = [
        table::text(visit.t("对象")),
        table::text(visit.t("预警")),
        table::text(visit.t("严重程度")),
        table::text(visit.t("在发事项")),
        table::number(visit.t("在发每月")),
        table::text(visit.t("社区")).by("place"),
        table::text(visit.t("发现日期")).by("found"),
        table::text(visit.t("答复期限")).by("due"),
        table::text(visit.t("状态")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| row(visit, &rules, one))
        .collect();
    listing::Worklist {
        title: visit.t("预警"),
        path: "/alerts",
        standings: listing::standings(State::ALL, &counts, |one| {
            let tone = match one {
                State::Open => "red",
                State::HandedOver => "yellow",
                State::Dismissed | State::Settled => "",
            };
            (one.word(), state(visit, one), tone)
        }),
        filters: filters(visit, &rules),
        to_do: visit.t("待核实和已转办"),
        columns: &columns,
        rows,
        nothing: (
            visit.t("没有这样的预警。部门数据每次落地后、每天夜里都会与全部在发对象核对。"),
            visit.t("看全部待办预警"),
        ),
        acts: html! {},
        exports: visit.can(Permission::ExportCases),
    }
    .show(visit, scope.region, &found)
}

fn filters(visit: &Visit, rules: &Rules) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let kinds: Vec<(String, String)> = rules
        .0
        .iter()
        .map(|rule| (rule.id.clone(), title(visit, rules, &rule.id)))
        .collect();
    let grave: Vec<(String, String)> = Severity::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), severity(visit, one).to_owned()))
        .collect();
    html! {
        (field(lang, "rule", visit.t("预警")).value(query.get("rule")).filter(visit.t("全部种类"), &kinds))
        (field(lang, "severity", visit.t("严重程度")).value(query.get("severity")).filter(visit.t("全部程度"), &grave))
    }
}

fn row(visit: &Visit, rules: &Rules, one: &Alert) -> table::Row {
    let near = (one.due_on - visit.today()).num_days() <= NEAR;
    table::row(
        format!("/alerts/{}", one.id),
        vec![
            html! { (one.subject) },
            html! { (title(visit, rules, &one.rule)) },
            html! { @if one.severity == Severity::High { strong { (severity(visit, one.severity)) } } @else { (severity(visit, one.severity)) } },
            html! { (programmes(visit, one)) },
            html! { (format::money(visit.lang, one.sides.paid)) },
            html! { (visit.place(one.region)) },
            html! { (format::date(one.found_on)) },
            html! {
                (format::date(one.due_on))
                @if one.state.is_open() { div.quiet { @if near { strong { (left(visit, one)) } } @else { (left(visit, one)) } } }
            },
            html! { (state(visit, one.state)) },
        ],
    )
}

/// `GET /alerts/export` (导出预警): at most so many rows, with who took it and when inside the file, and journalled.
///
/// # Errors
/// [`crate::problem::Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let most = visit.app.config.export_rows;
    let (filter, rules) = (filter(visit), rules(visit)?);
    let found = alert::list(&visit.app.db, &scope, &filter, sort(visit), 0, most).await?;
    few_enough(visit, found.total)?;
    let columns = vec![
        Column::new(visit.t("对象"), Cell::Text, 12),
        Column::new(visit.t("预警"), Cell::Text, 24),
        Column::new(visit.t("严重程度"), Cell::Text, 10),
        Column::new(visit.t("在发事项"), Cell::Text, 24),
        Column::new(visit.t("在发每月"), Cell::Money, 14),
        Column::new(visit.t("区划代码"), Cell::Text, 16),
        Column::new(visit.t("社区"), Cell::Text, 16),
        Column::new(visit.t("发现日期"), Cell::Date, 12),
        Column::new(visit.t("答复期限"), Cell::Date, 12),
        Column::new(visit.t("状态"), Cell::Text, 10),
        Column::new(visit.t("核实情况"), Cell::Text, 40),
    ];
    let rows = found
        .rows
        .iter()
        .map(|one| {
            vec![
                Field::text(&one.subject),
                Field::text(title(visit, &rules, &one.rule)),
                Field::text(severity(visit, one.severity)),
                Field::text(programmes(visit, one)),
                Field::Money(one.sides.paid),
                Field::text(one.region.to_string()),
                Field::text(visit.place(one.region)),
                Field::Date(one.found_on),
                Field::Date(one.due_on),
                Field::text(state(visit, one.state)),
                Field::text(&one.note),
            ]
        })
        .collect();
    let name = visit.t("预警");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_alerts",
        subject: ("alerts", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &scope)
    .await
}
