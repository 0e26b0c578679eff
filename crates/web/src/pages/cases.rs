//! The list of cases (办件列表): filters, sorting and paging in the database, and an export that says who took it.

use crate::parts::export::{Export, few_enough};
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, mark, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::CaseRow;
use casework::clock::Light;
use casework::list::{CaseFilter, CaseSort, SortBy};
use casework::procedure::StateKind;
use maud::{Markup, html};
use policy::Outcome;
use sheets::{Column, Field, Kind};
use vocab::Region;
use vocab::ids::HouseholdId;

/// Rows a page shows.
const ROWS: u64 = 30;

/// What a state means, in words of addresses.
pub(crate) const KINDS: [(StateKind, &str); 6] = [
    (StateKind::Working, "working"),
    (StateKind::Waiting, "waiting"),
    (StateKind::Publicity, "publicity"),
    (StateKind::InForce, "in_force"),
    (StateKind::Suspended, "suspended"),
    (StateKind::Final, "final"),
];

fn kind_name(visit: &Visit, kind: StateKind) -> &'static str {
    match kind {
        StateKind::Working => visit.t("办理中"),
        StateKind::Waiting => visit.t("等申请人"),
        StateKind::Publicity => visit.t("公示中"),
        StateKind::InForce => visit.t("享受中"),
        StateKind::Suspended => visit.t("暂停"),
        StateKind::Final => visit.t("已办结"),
    }
}

fn light_of(word: &str) -> Option<Light> {
    match word {
        "red" => Some(Light::Red),
        "yellow" => Some(Light::Yellow),
        "green" => Some(Light::Green),
        "still" => Some(Light::Paused),
        _ => None,
    }
}

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> CaseFilter {
    let query = &visit.query;
    CaseFilter {
        text: query.get("text").to_owned(),
        programme: query.some("programme").map(str::to_owned),
        kind: KINDS
            .iter()
            .find(|(_, word)| *word == query.get("kind"))
            .map(|(kind, _)| *kind),
        light: light_of(query.get("light")),
        outcome: Outcome::from_word(query.get("outcome")),
        region: listing::chosen_place(visit),
        applied_from: query.get("from").parse().ok(),
        applied_before: query.get("before").parse().ok(),
        decided_from: query.get("decided_from").parse().ok(),
        decided_before: query.get("decided_before").parse().ok(),
        members_from: query.get("members_from").parse().ok(),
        members_to: query.get("members_to").parse().ok(),
        open_only: query.has("open"),
        sampled_only: query.has("sampled"),
        mine_only: query.has("mine"),
        ..CaseFilter::default()
    }
}

/// What the address sorts by, for the page and for programs.
pub(crate) fn sort(visit: &Visit) -> CaseSort {
    let by = match visit.query.get("sort") {
        "number" => SortBy::Number,
        "applied" => SortBy::Applied,
        "updated" => SortBy::Updated,
        "amount" => SortBy::Amount,
        _ => SortBy::Due,
    };
    CaseSort {
        by,
        descending: visit.query.get("dir") == "desc",
    }
}

/// `GET /cases` (办件列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let (offset, limit) = visit.paging(ROWS);
    let (filter, sort) = (filter(visit), sort(visit));
    let found = casework::list::list(
        &visit.app.db,
        &scope,
        &visit.app.desk,
        &filter,
        sort,
        offset,
        limit,
    )
    .await?;
    let columns = [
        table::text(visit.t("办件号")).by("number"),
        table::text(visit.t("时限")).by("due"),
        table::text(visit.t("事项")),
        table::text(visit.t("状态")),
        table::text(visit.t("申请人")),
        table::text(visit.t("结论")),
        table::number(visit.t("金额")).by("amount"),
        table::text(visit.t("社区")),
        table::text(visit.t("申请日期")).by("applied"),
        table::text(visit.t("最近办理")).by("updated"),
    ];
    let rows = found.rows.iter().map(|row| line(visit, row)).collect();
    let body = html! {
        (filters(visit, &scope, &filter))
        (listing::listed(visit, (visit.t("办件"), "/cases"), &columns, rows, &found, &piece::empty(visit.t("没有符合条件的办件。"), &html! { a.button href="/cases" { (visit.t("看全部办件")) } })))
    };
    let acts = html! {
        @if visit.can(Permission::ExportCases) && found.total > 0 {
            a.button href=(visit.query.with("page", "").href("/cases/export")) { (visit.t("导出 Excel")) }
        }
        @if visit.can(Permission::Apply) { a.button.primary href="/apply" data-new="" { (visit.t("新申请")) } }
    };
    Ok(visit
        .page(visit.t("办件"))
        .nav("/cases")
        .wide()
        .acts(acts)
        .show(&body))
}

fn filters(visit: &Visit, scope: &Scope, filter: &CaseFilter) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let query = &visit.query;
    let pairs = |list: &[(&str, &'static str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
            .collect()
    };
    let programmes = words::titled(lang, desk.open_programmes());
    let kinds = pairs(&KINDS.map(|(kind, word)| (word, kind_name(visit, kind))));
    let lights = pairs(&[
        ("red", visit.t("已超期")),
        ("yellow", visit.t("将到期")),
        ("green", visit.t("按时")),
        ("still", visit.t("不计时")),
    ]);
    let outcomes = pairs(&[
        ("met", visit.t("符合")),
        ("not_met", visit.t("不符合")),
        ("to_verify", visit.t("待核实")),
    ]);
    html! {
        form.filters method="get" action="/cases" {
            (field(lang, "text", visit.t("办件号、姓名、尾号")).value(query.get("text")).text())
            (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (field(lang, "kind", visit.t("状态")).value(query.get("kind")).filter(visit.t("全部状态"), &kinds))
            (field(lang, "light", visit.t("时限")).value(query.get("light")).filter(visit.t("全部时限"), &lights))
            (field(lang, "outcome", visit.t("结论")).value(query.get("outcome")).filter(visit.t("全部结论"), &outcomes))
            (listing::place(visit, scope.region))
            (field(lang, "from", visit.t("申请日期从")).value(query.get("from")).date())
            (field(lang, "before", visit.t("到（不含）")).value(query.get("before")).date())
            // Asked by a number of the statistics; shown so that they can be changed or cleared.
            @if query.some("decided_from").is_some() || query.some("decided_before").is_some() {
                (field(lang, "decided_from", visit.t("决定日期从")).value(query.get("decided_from")).date())
                (field(lang, "decided_before", visit.t("决定到（不含）")).value(query.get("decided_before")).date())
            }
            @if query.some("members_from").is_some() || query.some("members_to").is_some() {
                (field(lang, "members_from", visit.t("人数从")).value(query.get("members_from")).count())
                (field(lang, "members_to", visit.t("人数到")).value(query.get("members_to")).count())
            }
            div.choice {
                input #open type="checkbox" name="open" value="1" checked[filter.open_only];
                label for="open" { (visit.t("只看未办结")) }
            }
            div.choice {
                input #mine type="checkbox" name="mine" value="1" checked[filter.mine_only];
                label for="mine" { (visit.t("只看我的")) }
            }
            (lesser(visit.t("筛选")))
            a.button.plain href="/cases" { (visit.t("清除")) }
        }
    }
}

fn line(visit: &Visit, row: &CaseRow) -> table::Row {
    let lang = visit.lang;
    let case = &row.case;
    table::row(
        format!("/cases/{}", case.id),
        vec![
            html! { (case.number) },
            html! { (mark::light(lang, row.light, row.days_left)) @if case.provisional { " " (super::todo::provisional(visit)) } },
            html! { (lang.pick(&row.programme_zh, &row.programme_en)) },
            html! { (lang.pick(&row.state_zh, &row.state_en)) @if case.sampled { " " (piece::tag(visit.t("抽查"))) } },
            html! { (case.subject_masked) " " (lang.f("{count} 人", &[("count", &case.member_count)])) },
            html! { @if let Some(outcome) = case.outcome { (mark::outcome(lang, outcome)) } @else { "—" } },
            html! { @if let Some(amount) = case.amount { (amount.to_string()) } @else { "—" } },
            html! { (visit.place(case.region)) },
            html! { (format::date(case.applied_on)) },
            html! { (case.last_officer) " " (format::instant(case.updated_at)) },
        ],
    )
}

/// Cases of one household on its page (这一家的办件), newest first.
pub(crate) async fn of_household(
    visit: &Visit,
    household: HouseholdId,
) -> Result<Vec<CaseRow>, Problem> {
    let Ok(scope) = visit.scope_for(Permission::SeeCases, Purpose::Review) else {
        return Ok(Vec::new());
    };
    let filter = CaseFilter {
        household: Some(household),
        ..CaseFilter::default()
    };
    let sort = CaseSort {
        by: SortBy::Applied,
        descending: true,
    };
    let found =
        casework::list::list(&visit.app.db, &scope, &visit.app.desk, &filter, sort, 0, 50).await?;
    Ok(found.rows)
}

/// A few cases on another page (办件小表).
pub(crate) fn short_list(visit: &Visit, rows: &[CaseRow]) -> Markup {
    let columns = [
        table::text(visit.t("办件号")),
        table::text(visit.t("事项")),
        table::text(visit.t("状态")),
        table::text(visit.t("时限")),
        table::text(visit.t("结论")),
        table::text(visit.t("申请日期")),
    ];
    let lang = visit.lang;
    let rows = rows
        .iter()
        .map(|row| {
            let case = &row.case;
            table::row(
                format!("/cases/{}", case.id),
                vec![
                    html! { (case.number) },
                    html! { (lang.pick(&row.programme_zh, &row.programme_en)) @if case.member.is_some() { " · " (case.subject_masked) } },
                    html! { (lang.pick(&row.state_zh, &row.state_en)) },
                    html! { (mark::light(lang, row.light, row.days_left)) },
                    html! { @if let Some(outcome) = case.outcome { (mark::outcome(lang, outcome)) } @else { "—" } },
                    html! { (format::date(case.applied_on)) },
                ],
            )
        })
        .collect();
    table::table(lang, visit.t("办件"), &columns, rows, "", &visit.query)
}

/// `GET /cases/export` (导出办件): at most so many rows, with who took it and when inside the file, and journalled.
///
/// # Errors
/// [`Problem::Conflict`] when there are too many rows.
pub async fn export(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let most = visit.app.config.export_rows;
    let (filter, sort) = (filter(visit), sort(visit));
    let found = casework::list::list(db, &scope, &visit.app.desk, &filter, sort, 0, most).await?;
    few_enough(visit, found.total)?;
    let columns = vec![
        Column::new(visit.t("办件号"), Kind::Text, 18),
        Column::new(visit.t("事项"), Kind::Text, 16),
        Column::new(visit.t("状态"), Kind::Text, 16),
        Column::new(visit.t("申请人"), Kind::Text, 12),
        Column::new(visit.t("人数"), Kind::Integer, 8),
        Column::new(visit.t("结论"), Kind::Text, 10),
        Column::new(visit.t("金额"), Kind::Money, 12),
        Column::new(visit.t("区划代码"), Kind::Text, 16),
        Column::new(visit.t("社区"), Kind::Text, 16),
        Column::new(visit.t("申请日期"), Kind::Date, 12),
        Column::new(visit.t("到期日"), Kind::Date, 12),
    ];
    let rows = found.rows.iter().map(|row| exported(visit, row)).collect();
    let name = visit.t("办件");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_cases",
        subject: ("cases", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &scope)
    .await
}

fn exported(visit: &Visit, row: &CaseRow) -> Vec<Field> {
    let lang = visit.lang;
    let case = &row.case;
    let place: Region = case.region;
    vec![
        Field::text(&case.number),
        Field::text(lang.pick(&row.programme_zh, &row.programme_en)),
        Field::text(lang.pick(&row.state_zh, &row.state_en)),
        Field::text(&case.subject_masked),
        Field::Integer(case.member_count),
        case.outcome.map_or(Field::Empty, |outcome| {
            Field::text(lang.pick(outcome.zh(), outcome.en()))
        }),
        case.amount.map_or(Field::Empty, Field::Money),
        Field::text(place.to_string()),
        Field::text(visit.place(place)),
        Field::Date(case.applied_on),
        case.due_on.map_or(Field::Empty, Field::Date),
    ]
}
