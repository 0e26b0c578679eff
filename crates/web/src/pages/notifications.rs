//! 提醒: what has come in at this officer's desk, the newest first; each leads to its record.
//!
//! Guarantees: the number on the bell is the length of the list of those not seen; opening one marks it seen, by a form, so that
//! looking changes nothing. Deliberately absent: work to do; that is the to-do list.

use crate::parts::form::{self, lesser};
use crate::parts::{format, pager, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use maud::{Markup, html};
use notify::Happening;
use notify::note::{self, Note};

/// Rows a page shows.
const ROWS: u64 = 30;

/// `GET /notifications` (我的提醒): those not seen; with `?show=all` every one.
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let actor = &visit.signed()?.actor;
    let all = visit.query.get("show") == "all";
    let (offset, limit) = visit.paging(ROWS);
    let found = note::list(&visit.app.db, actor, !all, offset, limit).await?;
    let unread = note::unread_count(&visit.app.db, actor).await?;
    let figures = [piece::Figure {
        label: visit.t("未读").to_owned(),
        count: unread,
        href: "/notifications".to_owned(),
        tone: "",
        chosen: !all,
    }];
    let body = html! {
        (piece::figures(&figures))
        @if found.rows.is_empty() {
            (piece::empty(
                if all { visit.t("还没有提醒。") } else { visit.t("没有未读的提醒。") },
                &html! { @if !all { a.button href="/notifications?show=all" { (visit.t("看全部提醒")) } } },
            ))
        } @else {
            ul.plain-list { @for one in &found.rows { (line(visit, one)) } }
            (pager::pager(lang, &found, "/notifications", &visit.query))
        }
    };
    let acts = html! {
        @if all { a.button href="/notifications" { (visit.t("只看未读")) } }
        @else { a.button href="/notifications?show=all" { (visit.t("看全部提醒")) } }
        @if unread > 0 {
            form method="post" action="/notifications/seen" { (form::token(visit)) (lesser(visit.t("全部标为已读"))) }
        }
    };
    Ok(visit.page(visit.t("提醒")).acts(acts).show(&body))
}

fn line(visit: &Visit, one: &Note) -> Markup {
    let lang = visit.lang;
    let title = one.happening.map_or("", |happening| {
        let (zh, en) = happening.wording();
        lang.pick(zh, en)
    });
    html! {
        li {
            div {
                @if !one.seen { span.tag { (visit.t("未读")) } " " }
                strong { (title) } " "
                time.quiet datetime=(one.at.to_rfc3339()) { (format::instant(one.at)) }
            }
            form.inline method="post" action=(format!("/notifications/{}", one.id)) {
                (form::token(visit))
                span { (lang.pick(&one.zh, &one.en)) }
                button.plain type="submit" aria-label=(format!("{} {}", visit.t("打开"), lang.pick(&one.zh, &one.en))) { (visit.t("打开")) }
            }
        }
    }
}

/// Where a note leads: a rating to the ratings, which do not say whose they are; all else to its case.
fn there(one: &Note) -> String {
    match one.happening {
        Some(Happening::BadlyRated) => "/ratings".to_owned(),
        Some(Happening::Undelivered) => format!("/cases/{}/messages", one.case),
        _ => format!("/cases/{}", one.case),
    }
}

/// `POST /notifications/{note}` (打开提醒): marks it seen and goes where it leads.
///
/// # Errors
/// [`Problem::NotFound`] for a note of another desk.
pub async fn open(visit: &Visit) -> Answer {
    let actor = &visit.signed()?.actor;
    let id = visit.id("note")?;
    let tx = visit.app.db.begin().await?;
    let found = note::mark_seen(&tx, actor, id).await?;
    let one = found.ok_or(Problem::NotFound)?;
    tx.commit().await?;
    visit.go(&there(&one))
}

/// `POST /notifications/seen` (全部标为已读).
///
/// # Errors
/// A fault of the database.
pub async fn all_seen(visit: &Visit) -> Answer {
    let actor = &visit.signed()?.actor;
    let tx = visit.app.db.begin().await?;
    note::mark_all_seen(&tx, actor).await?;
    tx.commit().await?;
    visit.go("/notifications")
}
