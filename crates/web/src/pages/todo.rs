//! 待办: what waits for this officer, the most urgent first, with its clock; every number above is the list below.

use crate::parts::form::{field, lesser};
use crate::parts::{listing, mark, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::TaskRow;
use casework::clock::Light;
use casework::list::CaseFilter;
use casework::procedure::TaskKind;
use casework::todo::{TodoCounts, TodoFilter};
use maud::{Markup, html};

/// Rows a page shows.
const ROWS: u64 = 30;

/// What `?show=` can be; each is a number above the list.
fn filter_of(show: &str) -> TodoFilter {
    let kind = |kind| TodoFilter {
        kinds: vec![kind],
        ..TodoFilter::default()
    };
    match show {
        "overdue" => TodoFilter {
            light: Some(Light::Red),
            ..TodoFilter::default()
        },
        "today" => TodoFilter {
            due_today: true,
            ..TodoFilter::default()
        },
        "soon" => TodoFilter {
            light: Some(Light::Yellow),
            ..TodoFilter::default()
        },
        "returned" => kind(TaskKind::ReturnedPayment),
        "publicity" => kind(TaskKind::Publicity),
        "objections" => TodoFilter::objections(),
        "samples" => kind(TaskKind::Sample),
        "waiting" => TodoFilter {
            kinds: vec![TaskKind::Waiting],
            with_waiting: true,
            ..TodoFilter::default()
        },
        _ => TodoFilter::default(),
    }
}

/// The list of the first page (待办).
pub(crate) async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let desk = &visit.app.desk;
    let shown = visit.query.get("show");
    let mut filter = filter_of(shown);
    filter.mine_only = visit.query.has("mine");
    filter.region = listing::chosen_place(visit);
    filter.programme = visit.query.some("programme").map(str::to_owned);
    let (offset, limit) = visit.paging(ROWS);
    let counts = casework::todo::counts(db, &scope).await?;
    let leads = casework::lead::open_count(db, &scope).await?;
    let alerts = verify::alert::open_count(db, &scope).await?;
    let poor = casework::rating::open_count(db, &scope).await?;
    // Of the whole area, whoever's turn it is: a head of office has few tasks and many cases to answer for.
    let late = CaseFilter {
        light: Some(Light::Red),
        ..CaseFilter::default()
    };
    let overdue = casework::list::count(db, &scope, &late).await?;
    let doubles = match visit.scope_for(Permission::RegisterPeople, Purpose::Review) {
        Ok(people) => registry::duplicates::open_count(db, &people).await?,
        Err(_) => 0,
    };
    let found = casework::todo::todo(db, &scope, desk, &filter, offset, limit).await?;
    let rows = found.rows.iter().map(|task| row(visit, task)).collect();
    let columns = [
        table::text(visit.t("办件号")),
        table::text(visit.t("时限")),
        table::text(visit.t("事项")),
        table::text(visit.t("要做什么")),
        table::text(visit.t("申请人")),
        table::text(visit.t("社区")),
        table::text(visit.t("上一步经办")),
    ];
    let programmes = words::titled(lang, desk.open_programmes());
    let body = html! {
        (piece::figures(&figures(visit, &counts, shown)))
        @if overdue > 0 {
            p { a href="/cases?light=red" { (lang.f("超期：辖区内有 {count} 件办件已超期", &[("count", &overdue)])) } }
        }
        @if alerts > 0 {
            p { a href="/alerts?state=open" { (lang.f("预警：有 {count} 条待核实", &[("count", &alerts)])) } }
        }
        @if poor > 0 {
            p { a href="/ratings" { (lang.f("差评：有 {count} 条待回访整改", &[("count", &poor)])) } }
        }
        @if leads > 0 {
            p { a href="/leads" { (lang.f("政策找人：有 {count} 条线索待走访、待核对", &[("count", &leads)])) } }
        }
        @if doubles > 0 {
            p { a href="/duplicates" { (lang.f("重复登记：有 {count} 对记录待核对、待复核", &[("count", &doubles)])) } }
        }
        form.filters method="get" action="/" {
            input type="hidden" name="show" value=(shown);
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (listing::place(visit, scope.region))
            div.choice {
                input #mine type="checkbox" name="mine" value="1" checked[filter.mine_only];
                label for="mine" { (visit.t("只看我的")) }
            }
            (lesser(visit.t("筛选")))
        }
        (listing::listed(visit, (visit.t("待办"), "/"), &columns, rows, &found, &piece::empty(visit.t("没有要办的事。"), &html! {
                @if visit.can(Permission::Apply) { a.button href="/apply" { (visit.t("新申请")) } }
            })))
    };
    let acts = html! {
        @if visit.can(Permission::Apply) { a.button.primary href="/apply" data-new="" { (visit.t("新申请")) } }
    };
    let sheet = visit.page(visit.t("待办")).nav("/").wide().acts(acts);
    Ok(sheet.show(&body))
}

fn figures(visit: &Visit, counts: &TodoCounts, shown: &str) -> Vec<piece::Figure> {
    let all = [
        ("", visit.t("全部待办"), counts.total, ""),
        ("overdue", visit.t("已超期"), counts.overdue, "red"),
        ("today", visit.t("今天到期"), counts.due_today, "yellow"),
        ("soon", visit.t("即将到期"), counts.soon, "yellow"),
        ("publicity", visit.t("公示期满"), counts.publicity_over, ""),
        ("objections", visit.t("异议"), counts.objections, ""),
        ("samples", visit.t("抽查"), counts.samples, ""),
        ("returned", visit.t("银行退回"), counts.returned, ""),
        ("waiting", visit.t("等补正"), counts.waiting, ""),
    ];
    all.into_iter()
        .filter(|(show, _, count, _)| *count > 0 || show.is_empty() || *show == shown)
        .map(|(show, label, count, tone)| piece::Figure {
            label: label.to_owned(),
            count,
            href: if show.is_empty() {
                "/".to_owned()
            } else {
                format!("/?show={show}")
            },
            tone,
            chosen: show == shown,
        })
        .collect()
}

fn row(visit: &Visit, task: &TaskRow) -> table::Row {
    let lang = visit.lang;
    let case = &task.row.case;
    let (zh, en) = task.kind.wording();
    let what = if task.kind == TaskKind::Turn {
        lang.pick(&task.row.state_zh, &task.row.state_en)
    } else {
        lang.pick(zh, en)
    };
    // An objection to a finding is answered where the finding stands.
    let there = match task.kind {
        TaskKind::FindingObjection => format!("/cases/{}/enquiry#objections", case.id),
        _ => format!("/cases/{}", case.id),
    };
    table::row(
        there,
        vec![
            html! { (case.number) },
            html! { (mark::light(lang, task.light, task.days_left)) @if case.provisional { " " (provisional(visit)) } },
            html! { (lang.pick(&task.row.programme_zh, &task.row.programme_en)) },
            html! { (what) @if !task.detail.is_empty() { div.quiet { (task.detail) } } },
            html! { (case.subject_masked) " " (lang.f("{count} 人", &[("count", &case.member_count)])) },
            html! { (visit.place(case.region)) },
            html! { (case.last_officer) },
        ],
    )
}

/// A date that rests on a year whose holidays are not published yet.
pub(crate) fn provisional(visit: &Visit) -> Markup {
    html! { span.tag title=(visit.t("这一年的放假安排还没有公布，到期日可能变动")) { (visit.t("暂定")) } }
}
