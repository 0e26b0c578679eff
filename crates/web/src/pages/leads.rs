//! May now be entitled (可能新符合): benefits that life made due and nobody has applied for, for the community to see to.
//!
//! From here one opens an application for the household, or notes what became of it.

use crate::parts::form::{self, FieldError, fault, field, lesser};
use crate::parts::{format, pager, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::life_event::{LeadFilter, LeadResult, Line, Refused, close_lead, leads};
use maud::{Markup, html};

/// Rows a page shows.
const ROWS: u64 = 30;

/// `GET /life-events/leads` (可能新符合).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let filter = LeadFilter {
        programme: visit.query.some("programme").map(str::to_owned),
        region: visit
            .query
            .some("region")
            .and_then(|code| code.parse().ok()),
        closed: visit.query.get("show") == "closed",
    };
    let (offset, limit) = visit.paging(ROWS);
    let found = leads(&visit.app.db, &scope, &filter, offset, limit).await?;
    let columns = [
        table::text(visit.t("对象")),
        table::text(visit.t("事项")),
        table::number(visit.t("每月金额")),
        table::text(visit.t("还缺什么")),
        table::text(visit.t("社区")),
        table::text(visit.t("办理")),
    ];
    let rows = found.rows.iter().map(|one| row(visit, one)).collect();
    let programmes: Vec<(String, String)> = visit
        .app
        .desk
        .open_programmes()
        .map(|programme| {
            let title = lang.pick(&programme.title_zh, &programme.title_en);
            (programme.id.clone(), title.to_owned())
        })
        .collect();
    let places = words::places_under(lang, &visit.app.desk.book, scope.region);
    let shown = visit.query.get("show");
    let body = html! {
        form.filters method="get" action="/life-events/leads" {
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            @if places.len() > 1 {
                (field(lang, "region", visit.t("街道、社区")).value(visit.query.get("region")).filter(visit.t("全部街道社区"), &places))
            }
            div.choice {
                input #closed type="checkbox" name="show" value="closed" checked[shown == "closed"];
                label for="closed" { (visit.t("看已办结的")) }
            }
            (lesser(visit.t("筛选")))
        }
        @if found.rows.is_empty() {
            (piece::empty(visit.t("现在没有可能新符合的人。"), &html! {}))
        } @else {
            (table::table(lang, visit.t("可能新符合"), &columns, rows, "/life-events/leads", &visit.query))
            (pager::pager(lang, &found, "/life-events/leads", &visit.query))
        }
    };
    let note = (visit.query.get("done") == "closed").then(|| html! { (visit.t("已办结。")) });
    Ok(visit
        .page(visit.t("可能新符合"))
        .nav("/life-events")
        .back("/life-events", visit.t("生活事件"))
        .wide()
        .note(note)
        .errors(errors)
        .show(&body))
}

fn row(visit: &Visit, one: &Line) -> table::Row {
    let lang = visit.lang;
    let (zh, en) = visit.app.desk.title(&one.programme);
    table::row(
        format!("/households/{}", one.household),
        vec![
            html! { (one.subject) },
            html! { (lang.pick(&zh, &en)) div.quiet { a href=(format!("/life-events/{}", one.event)) { (visit.t("看是什么事件")) } } },
            html! { @if let Some(amount) = one.after { (format::money(lang, amount)) } @else { "—" } },
            html! { @if one.said.is_empty() { (visit.t("条件都符合")) } @else { (one.said) } },
            html! { (visit.place(one.region)) },
            html! {
                @if let Some(day) = one.closed_on { (one.result) div.quiet { (one.closed_by) " " (format::date(day)) } }
                @else { (seen_to(visit, one)) }
            },
        ],
    )
}

fn seen_to(visit: &Visit, one: &Line) -> Markup {
    let lang = visit.lang;
    let results: Vec<(String, String)> = LeadResult::ALL
        .into_iter()
        .map(|result| {
            let (zh, en) = result.wording();
            (result.word().to_owned(), lang.pick(zh, en).to_owned())
        })
        .collect();
    html! {
        @if visit.can(Permission::Apply) {
            form method="post" action="/drafts" {
                (form::token(visit))
                input type="hidden" name="household" value=(one.household);
                (lesser(visit.t("为这一家新申请")))
            }
        }
        @if visit.can(Permission::ActOnCases) {
            details.act-form {
                summary { (visit.t("办结")) }
                form method="post" action=(format!("/life-events/leads/{}", one.id)) {
                    (form::token(visit))
                    (field(lang, "result", visit.t("结果")).value(LeadResult::Applied.word()).select(&results))
                    (field(lang, "note", visit.t("办理情况")).area(2))
                    (lesser(visit.t("办结")))
                }
            }
        }
    }
}

/// `POST /life-events/leads/{id}` (办结可能新符合).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn close(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Review)?;
    let Some(result) = LeadResult::from_word(visit.form.get("result")) else {
        return page(visit, &[fault("result", visit.t("请选择结果"))]).await;
    };
    let mut tx = visit.app.db.begin().await?;
    let note = visit.form.get("note");
    let id = visit.id("id")?;
    match close_lead(&mut tx, &scope, &visit.app.desk, id, result, note).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go("/life-events/leads?done=closed")
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(lang, &refused.to_string());
            page(visit, &[fault("note", sentence)]).await
        }
    }
}
