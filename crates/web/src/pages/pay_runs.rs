//! Pay runs (发放): the list, and proposing a run for a month and place.
//!
//! Proposing moves no money. Who cannot be paid is looked up first, so that the proposal says it line by line.

use super::officer::places;
use super::pay_run::run_state;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use ledger::payrun::propose::Refused;
use ledger::{NewPayRun, PayRun};
use maud::{Markup, html};
use std::collections::BTreeMap;
use vocab::ids::OfficerId;
use vocab::{Month, Region};

/// Rows a page shows.
const ROWS: u64 = 30;

/// `GET /pay-runs` (发放批次).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::SeePayRuns, Purpose::Payment)?;
    let month: Option<Month> = visit.query.some("month").and_then(|text| text.parse().ok());
    let (offset, limit) = visit.paging(ROWS);
    let found = ledger::runs(&visit.app.db, &scope, month, offset, limit).await?;
    let names = names(visit, &found.rows).await?;
    let who = |id: Option<OfficerId>| -> String {
        id.map_or_else(
            || "—".to_owned(),
            |id| names.get(&id).cloned().unwrap_or_default(),
        )
    };
    let columns = [
        table::text(visit.t("月份")),
        table::text(visit.t("地区")),
        table::text(visit.t("事项")),
        table::text(visit.t("状态")),
        table::text(visit.t("拟定人")),
        table::text(visit.t("复核人")),
        table::text(visit.t("送银行")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|run| {
            table::row(
                format!("/pay-runs/{}", run.id),
                vec![
                    html! { (run.month) },
                    html! { (visit.place(run.region)) },
                    html! { (programmes(visit, run.programmes.as_deref())) },
                    html! { (run_state(lang, run.state)) },
                    html! { (who(Some(run.proposed_by))) div.quiet { (format::instant(run.proposed_at)) } },
                    html! {
                        (who(run.released_by))
                        @if let Some(at) = run.released_at { div.quiet { (format::instant(at)) } }
                    },
                    html! { (run.sent_at.map_or_else(|| "—".to_owned(), format::instant)) },
                ],
            )
        })
        .collect();
    let body = html! {
        @if visit.can(Permission::ProposePayRun) { (propose_form(visit, errors)?) }
        (listing::listed(visit, (visit.t("发放批次"), "/pay-runs"), &columns, rows, &found, &piece::empty(visit.t("还没有发放批次。"), &html! {})))
    };
    let note = match visit.query.get("done") {
        "cancelled" => Some(html! { (visit.t("批次已作废，没有发生放款。")) }),
        _ => None,
    };
    Ok(visit
        .page(visit.t("发放"))
        .nav("/pay-runs")
        .wide()
        .note(note)
        .errors(errors)
        .show(&body))
}

/// The programmes a run is for, by name.
pub(crate) fn programmes(visit: &Visit, ids: Option<&[String]>) -> String {
    match ids {
        None => visit.t("全部事项").to_owned(),
        Some(ids) => ids
            .iter()
            .map(|id| programme(visit, id))
            .collect::<Vec<_>>()
            .join(visit.t("、")),
    }
}

/// A programme's name, or its word when the rule book no longer knows it.
pub(crate) fn programme(visit: &Visit, id: &str) -> String {
    visit.app.desk.book.programme(id).map_or_else(
        || id.to_owned(),
        |found| super::rules::title(visit.lang, found).to_owned(),
    )
}

/// The names of who proposed and released.
pub(crate) async fn names(
    visit: &Visit,
    runs: &[PayRun],
) -> anyhow::Result<BTreeMap<OfficerId, String>> {
    let ids: Vec<OfficerId> = runs
        .iter()
        .flat_map(|run| [Some(run.proposed_by), run.released_by])
        .flatten()
        .collect();
    access::officer::names(&visit.app.db, &ids).await
}

fn propose_form(visit: &Visit, errors: &[FieldError]) -> Result<Markup, Problem> {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::ProposePayRun, Purpose::Payment)?;
    let places = places(visit, scope.region);
    let month = Month::of(visit.today()).to_string();
    let widest = places.first().map_or("", |(code, _)| code.as_str());
    let paying: Vec<(String, String)> = visit
        .app
        .desk
        .book
        .programmes()
        .iter()
        .filter(|programme| programme.benefit.amount.is_some())
        .map(|programme| {
            (
                programme.id.clone(),
                super::rules::title(lang, programme).to_owned(),
            )
        })
        .collect();
    let chosen: Vec<&str> = visit.form.all("programme").collect();
    Ok(html! {
        div.card { details open[!errors.is_empty()] {
            summary { strong { (visit.t("拟定发放")) } }
            form method="post" action="/pay-runs" {
                (form::token(visit))
                div.row-fields {
                    (field(lang, "month", visit.t("发哪个月")).value(visit.form.some("month").unwrap_or(&month)).errors(errors).month())
                    (field(lang, "region", visit.t("在哪里")).value(visit.form.some("region").unwrap_or(widest)).errors(errors).select(&places))
                }
                (field(lang, "programme", visit.t("只发这些事项")).optional()
                    .hint(html! { (visit.t("一个都不选就是全部")) }).ticks(&paying, &chosen))
                p.quiet { (visit.t("拟定只算账，不动钱。拟定后由另一位同事复核放款。")) }
                (form::act(visit.t("拟定发放")))
            }
        } }
    })
}

/// `POST /pay-runs` (拟定发放).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Payment)?;
    let mut wrong = Vec::new();
    let month = match visit.form.get("month").parse::<Month>() {
        Ok(month) => Some(month),
        Err(not) => {
            wrong.push(fault("month", words::sentence(lang, &not.to_string())));
            None
        }
    };
    let region: Option<Region> = visit.form.get("region").parse().ok();
    if region.is_none() {
        wrong.push(fault("region", visit.t("请选择发放的地区")));
    }
    let (Some(month), Some(region)) = (month, region) else {
        return page(visit, &wrong).await;
    };
    let chosen: Vec<String> = visit
        .form
        .all("programme")
        .filter(|id| visit.app.desk.book.programme(id).is_some())
        .map(str::to_owned)
        .collect();
    let new = NewPayRun {
        month,
        region,
        programmes: (!chosen.is_empty()).then_some(chosen),
    };
    let blocked = obstacles(visit, &scope, &new).await?;
    let mut tx = visit.app.db.begin().await?;
    match ledger::propose(&mut tx, &scope, &new, &blocked).await? {
        Ok(run) => {
            tx.commit().await?;
            visit.go(&format!("/pay-runs/{}?done=proposed", run.id))
        }
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(Refused::AlreadyProposed(open)) => {
            tx.rollback().await?;
            visit.go(&format!("/pay-runs/{open}?done=open"))
        }
        Err(refused @ Refused::TooEarly(_)) => {
            tx.rollback().await?;
            let sentence = words::sentence(lang, &refused.to_string());
            page(visit, &[fault("month", sentence)]).await
        }
    }
}

/// Who cannot be paid right now (发放障碍), among everybody a run concerns.
pub(crate) async fn obstacles(
    visit: &Visit,
    scope: &Scope,
    new: &NewPayRun,
) -> anyhow::Result<ledger::Obstacles> {
    let concerned = ledger::concerned(&visit.app.db, scope, new).await?;
    exchange::blocked(&visit.app.db, scope, &concerned).await
}
