//! Pay lines across runs (发放明细列表): by month, programme, place and difference, with their totals.
//!
//! The list that proves a number of the statistics: `?released=1` leaves out what was not paid and what was sent again.

use super::pay_run::{difference, lines_table, people};
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use ledger::{Difference, LineFilter};
use maud::html;

/// Rows a page shows.
const ROWS: u64 = 30;

/// What can be asked for; a line sent again differs from nothing.
pub(crate) const DIFFERENCES: [Difference; 5] = [
    Difference::New,
    Difference::Changed,
    Difference::Same,
    Difference::Extra,
    Difference::Stopped,
];

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> LineFilter {
    let query = &visit.query;
    LineFilter {
        run: query.get("run").parse().ok(),
        month: query.get("month").parse().ok(),
        programme: query.some("programme").map(str::to_owned),
        region: listing::chosen_place(visit),
        difference: DIFFERENCES
            .into_iter()
            .find(|one| one.word() == query.get("difference")),
        released: query.has("released"),
        ..LineFilter::default()
    }
}

/// `GET /pay-lines` (发放明细列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let query = &visit.query;
    let scope = visit.scope_for(Permission::SeePayRuns, Purpose::Payment)?;
    let filter = filter(visit);
    let (offset, limit) = visit.paging(ROWS);
    let db = &visit.app.db;
    let lines = ledger::lines(db, &scope, &filter, offset, limit).await?;
    let totals = ledger::line_totals(db.conn(), &scope, &filter).await?;
    let people = people(visit, &scope, &lines.rows).await?;
    let paying = visit.app.desk.book.programmes().iter();
    let programmes = words::titled(lang, paying.filter(|one| one.benefit.amount.is_some()));
    let differences: Vec<(String, String)> = DIFFERENCES
        .into_iter()
        .map(|one| (one.word(), difference(lang, one).to_owned()))
        .collect();
    let body = html! {
        form.filters method="get" action="/pay-lines" {
            (field(lang, "month", visit.t("月份")).value(query.get("month")).month())
            (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (listing::place(visit, scope.region))
            (field(lang, "difference", visit.t("与上月比")).value(query.get("difference")).filter(visit.t("全部"), &differences))
            div.choice {
                input #released type="checkbox" name="released" value="1" checked[filter.released];
                label for="released" { (visit.t("只看已放款的")) }
            }
            (lesser(visit.t("筛选")))
            a.button.plain href="/pay-lines" { (visit.t("清除")) }
        }
        @if lines.rows.is_empty() {
            (piece::empty(visit.t("没有符合条件的发放明细。"), &html! { a.button href="/pay-runs" { (visit.t("看发放批次")) } }))
        } @else {
            p { (lang.f("合计 {lines} 笔，{persons} 人，实发 {money}", &[
                ("lines", &format::number(totals.lines)),
                ("persons", &format::number(totals.persons)),
                ("money", &format::money(lang, totals.net)),
            ])) }
            (lines_table(visit, &lines, &people, "/pay-lines"))
        }
    };
    Ok(visit
        .page(visit.t("发放明细"))
        .nav("/pay-runs")
        .back("/pay-runs", visit.t("发放"))
        .wide()
        .show(&body))
}
