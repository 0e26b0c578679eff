//! Standard adjustments (标准调整): the list, and proposing one for programmes from a month on.
//!
//! Proposing changes nothing; it shows, case by case, what the rule book would pay from then on.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::adjustment::{self, Adjustment, NewAdjustment, Refused, State};
use maud::{Markup, html};
use policy::Every;
use vocab::Month;

use super::pay_runs::programmes;

/// Rows a page shows.
const ROWS: u64 = 30;

/// `GET /adjustments` (标准调整).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

/// How far an adjustment has come, in words.
pub(crate) fn state(visit: &Visit, state: State) -> &'static str {
    match state {
        State::Proposed => visit.t("待复核"),
        State::Running => visit.t("正在办理"),
        State::Done => visit.t("已办完"),
        State::Withdrawn => visit.t("已撤回"),
    }
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let scope = visit.scope_for(Permission::SeeAdjustments, Purpose::Payment)?;
    let (offset, limit) = visit.paging(ROWS);
    let found = adjustment::list(&visit.app.db, &scope, offset, limit).await?;
    let columns = [
        table::text(visit.t("事项")),
        table::text(visit.t("从哪个月起")),
        table::text(visit.t("依据")),
        table::text(visit.t("地区")),
        table::text(visit.t("状态")),
        table::text(visit.t("拟定人")),
        table::text(visit.t("复核人")),
    ];
    let rows = found.rows.iter().map(|one| row(visit, one)).collect();
    let body = html! {
        @if visit.can(Permission::ProposeAdjustment) { (propose_form(visit, errors)) }
        (listing::listed(visit, (visit.t("标准调整"), "/adjustments"), &columns, rows, &found, &piece::empty(visit.t("还没有标准调整。规则库里有了新的标准以后，在这里把它落实到每一件。"), &html! {})))
    };
    let note = (visit.query.get("done") == "withdrawn")
        .then(|| html! { (visit.t("已撤回，没有改变任何一件。")) });
    Ok(visit
        .page(visit.t("标准调整"))
        .nav("/adjustments")
        .wide()
        .note(note)
        .errors(errors)
        .show(&body))
}

fn row(visit: &Visit, one: &Adjustment) -> table::Row {
    table::row(
        format!("/adjustments/{}", one.id),
        vec![
            html! {
                (programmes(visit, Some(&one.programmes)))
                @if one.reverses.is_some() { " " (piece::tag(visit.t("回退"))) }
            },
            html! { (one.from) },
            html! { (one.basis) },
            html! { (visit.place(one.region)) },
            html! { (state(visit, one.state)) },
            html! { (one.proposer) div.quiet { (format::instant(one.proposed_at)) } },
            html! {
                (one.approver.as_deref().unwrap_or("—"))
                @if let Some(at) = one.approved_at { div.quiet { (format::instant(at)) } }
            },
        ],
    )
}

fn propose_form(visit: &Visit, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let month = Month::of(visit.today()).to_string();
    let monthly = visit
        .app
        .desk
        .open_programmes()
        .filter(|programme| programme.benefit.every == Every::Month);
    let monthly = words::titled(lang, monthly);
    let chosen: Vec<&str> = visit.form.all("programme").collect();
    html! {
        div.card { details open[!errors.is_empty()] {
            summary { strong { (visit.t("拟定标准调整")) } }
            form method="post" action="/adjustments" {
                (form::token(visit))
                (field(lang, "programme", visit.t("调整哪些事项")).errors(errors).ticks(&monthly, &chosen))
                div.row-fields {
                    (field(lang, "from", visit.t("从哪个月起")).hint(html! { (visit.t("可以是过去的月份，已发的月份会算出补发")) })
                        .value(visit.form.some("from").unwrap_or(&month)).errors(errors).month())
                    (field(lang, "basis", visit.t("依据")).hint(html! { (visit.t("公布新标准的文件名称和文号")) })
                        .value(visit.form.get("basis")).errors(errors).text())
                }
                p.quiet { (visit.t("拟定只是逐件重新测算，不改变任何一件；要由另一位同事复核后才办理。新标准先写进规则库，这里才算得到。")) }
                (form::act(visit.t("逐件测算")))
            }
        } }
    }
}

/// `POST /adjustments` (拟定标准调整).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Payment)?;
    let from = match visit.form.get("from").parse::<Month>() {
        Ok(month) => month,
        Err(not) => {
            let sentence = words::sentence(lang, &not.to_string());
            return page(visit, &[fault("from", sentence)]).await;
        }
    };
    let new = NewAdjustment {
        programmes: visit.form.all("programme").map(str::to_owned).collect(),
        from,
        basis: visit.form.get("basis").to_owned(),
    };
    let mut tx = visit.app.db.begin().await?;
    match adjustment::propose(&mut tx, &scope, &visit.app.desk, &new).await? {
        Ok(id) => {
            tx.commit().await?;
            visit.go(&format!("/adjustments/{id}?done=proposed"))
        }
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let at = match refused {
                Refused::BasisMissing => "basis",
                _ => "programme",
            };
            let sentence = words::sentence(lang, &refused.to_string());
            page(visit, &[fault(at, sentence)]).await
        }
    }
}

/// The adjustment a path names.
pub(crate) async fn found(visit: &Visit) -> Result<(access::Scope, Adjustment), Problem> {
    let scope = visit.scope_for(Permission::SeeAdjustments, Purpose::Payment)?;
    let one = adjustment::view(&visit.app.db, &scope, visit.id("id")?)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok((scope, one))
}
