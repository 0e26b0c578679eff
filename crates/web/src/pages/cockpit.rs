//! The cockpit (驾驶舱): one screen of a place for those who answer for it, to hang on a wall.
//!
//! Guarantees: sums come from the aggregates, what waits from the counts of its lists, and nobody is read; every number leads
//! to the list that proves it, where the visitor may see that list; small numbers are hidden as on the page of statistics. It
//! renews itself every minute by script; without one a link asks for a page that does. Dark, unless the visitor chose otherwise.
//! Deliberately absent: numbers that nobody can open.

mod money;
mod waiting;

use super::statistics::figures::Figures;
use super::statistics::{Look, year};
use crate::parts::form::lesser;
use crate::parts::{format, listing, piece};
use crate::problem::Answer;
use crate::visit::{Look as Seen, Theme, Visit};
use axum::http::{HeaderValue, header};
use batch::statistics;
use maud::{Markup, html};
use std::collections::BTreeSet;
use vocab::region::Level;

/// Seconds after which the page is made anew.
const EVERY: &str = "60";

/// `GET /cockpit` (驾驶舱).
///
/// # Errors
/// [`crate::problem::Problem::NotFound`] for a place outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let mut look = Look::of(visit)?;
    // From January of last year on, so that the year can be compared; at least the twelve months drawn.
    let mut span: BTreeSet<_> = year(look.month).collect();
    for [this, last] in money::months_of_year(look.month) {
        span.extend([this, last]);
    }
    look.span = span.into_iter().collect();
    let figures = Figures::read(visit, &look).await?;
    let up_to = statistics::up_to(&visit.app.db).await?;
    let renews = visit.query.has("renew");
    let body = html! {
        div.wall #wall data-renew=(EVERY) {
            (money::headline(visit, &look, &figures))
            div.wall-columns {
                div {
                    (piece::section(visit.t("在发，按事项"), &money::programmes(visit, &look, &figures)))
                    (waiting::cases(visit, &look).await?)
                    (waiting::watched(visit, &look).await?)
                }
                div {
                    (piece::section(visit.t("近十二个月"), &money::trend(visit, &look, &figures)))
                }
                @if look.at.level() != Level::Community {
                    div { (piece::section(visit.t("各地比较"), &waiting::places(visit, &look, &figures).await?)) }
                }
            }
            p.quiet {
                @if let Some(at) = up_to { (lang.f("统计到 {time}。", &[("time", &format::instant(at))])) " " }
                (lang.f("待办数为 {time} 的数。", &[("time", &format::instant(visit.app.db.now()))]))
                @if figures.masked() { " " (visit.t("少于 10 的数，和为了不让人推算出它而一并隐去的数，写作 ＊。")) }
            }
        }
    };
    let acts = html! {
        (place(visit, &look))
        noscript {
            a.button href=(visit.query.with("renew", if renews { "" } else { "1" }).href("/cockpit")) {
                @if renews { (visit.t("停止每分钟更新")) } @else { (visit.t("每分钟更新")) }
            }
        }
        button type="button" data-full-screen="" hidden { (visit.t("全屏")) }
        a.button href="/statistics" { (visit.t("退出驾驶舱")) }
    };
    let seen = Seen {
        theme: visit.look.theme.or(Some(Theme::Dark)),
        ..visit.look
    };
    let title = lang.f("{place} 驾驶舱", &[("place", &visit.place(look.at))]);
    let mut answer = visit
        .page(title)
        .nav("/cockpit")
        .wall()
        .look(Some(seen))
        .acts(acts)
        .show(&body);
    if renews {
        let refresh = HeaderValue::from_static(EVERY);
        answer.headers_mut().insert(header::REFRESH, refresh);
    }
    Ok(answer)
}

/// Another street or community to look at.
fn place(visit: &Visit, look: &Look) -> Markup {
    html! {
        form.inline method="get" action="/cockpit" {
            (listing::place(visit, look.root))
            (lesser(visit.t("查看")))
        }
    }
}
