//! One line of a pay run (发放明细): what it is made of, what it rests on, and what to do when the bank returned it.

use super::pay_run::{difference, line_state, people, reason};
use super::pay_runs::programme;
use crate::locale::Lang;
use crate::parts::form::{self, FieldError, fault};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use ledger::payrun::{ItemKind, reissue};
use ledger::{LineState, PayLine};
use maud::{Markup, html};
use vocab::ids::PayLineId;

/// `GET /pay-lines/{id}` (发放明细).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id: PayLineId = visit.id("id")?;
    let scope = visit.scope_for(Permission::SeePayRuns, Purpose::Payment)?;
    let db = &visit.app.db;
    let line = ledger::line(db.conn(), &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let names = people(visit, &scope, std::slice::from_ref(&line)).await?;
    let name = names
        .get(&line.payee)
        .cloned()
        .unwrap_or_else(|| visit.t("已迁出本辖区").to_owned());
    let case = casework::view::by_decision(db, &scope, line.decision).await?;
    let returned = matches!(line.state, LineState::Returned | LineState::Reissuing);
    let remedy = if returned {
        Some(after_return(visit, &scope, &line).await?)
    } else {
        None
    };
    let body = html! {
        @if let Some(remedy) = &remedy { (remedy) }
        (piece::facts(&[
            (visit.t("状态").to_owned(), html! {
                (line_state(lang, line.state))
                @if let Some(blocked) = &line.blocked { div.quiet { (reason(visit, blocked)) } }
            }),
            (visit.t("事项").to_owned(), html! { (programme(visit, &line.programme)) }),
            (visit.t("月份").to_owned(), html! { (line.month) }),
            (visit.t("地区").to_owned(), html! { (visit.place(line.region)) }),
            (visit.t("与上月比").to_owned(), html! { (difference(lang, line.difference)) }),
            (visit.t("上月").to_owned(), html! { (line.previous.map_or_else(|| "—".to_owned(), |amount| format::money(lang, amount))) }),
            (visit.t("实发").to_owned(), html! { strong { (format::money(lang, line.net)) } }),
            (visit.t("指令号").to_owned(), html! { code { (line.instruction) } }),
            (visit.t("依据的决定").to_owned(), html! {
                @match case {
                    Some(case) if visit.can(Permission::SeeCases) => a href=(format!("/cases/{case}")) { (visit.t("打开办件")) },
                    _ => code { (line.decision) },
                }
            }),
        ]))
        (piece::section(visit.t("这笔钱由哪些部分组成"), &items(visit, &line)))
    };
    Ok(visit
        .page(lang.f(
            "{name}：{programme}",
            &[
                ("name", &name),
                ("programme", &programme(visit, &line.programme)),
            ],
        ))
        .nav("/pay-runs")
        .back("/pay-runs", visit.t("发放"))
        .back(format!("/pay-runs/{}", line.run), line.month.to_string())
        .errors(errors)
        .show(&body))
}

fn item_kind(lang: Lang, kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Regular => lang.t("当月"),
        ItemKind::Arrears => lang.t("补发以前月份"),
        ItemKind::Adjustment => lang.t("补差"),
        ItemKind::Recovery => lang.t("抵扣追回"),
        ItemKind::Reissue => lang.t("重发退回款"),
    }
}

fn items(visit: &Visit, line: &PayLine) -> Markup {
    let lang = visit.lang;
    if line.items.is_empty() {
        return html! { p.quiet { (visit.t("本月没有应发金额。")) } };
    }
    let columns = [
        table::text(visit.t("项目")),
        table::text(visit.t("月份")),
        table::number(visit.t("金额")),
    ];
    let rows = line
        .items
        .iter()
        .map(|item| {
            table::still(vec![
                html! { (item_kind(lang, item.kind)) },
                html! { (item.month) },
                html! { @if item.kind == ItemKind::Recovery { "−" } (format::money(lang, item.amount)) },
            ])
        })
        .collect();
    table::table(lang, visit.t("项目"), &columns, rows, "", &visit.query)
}

/// What to do with money that came back: put the account right, then let the next run send it again.
async fn after_return(visit: &Visit, scope: &Scope, line: &PayLine) -> anyhow::Result<Markup> {
    let lang = visit.lang;
    let account = registry::accounts::account_of(&visit.app.db, scope, line.payee).await?;
    Ok(html! {
        div.note.warn {
            p { strong { (visit.t("银行退回")) } " " (line.bank_reason.as_deref().unwrap_or("")) " " (line.bank_code.as_deref().unwrap_or("")) }
            @if line.state == LineState::Reissuing {
                p { (visit.t("已登记重发：下一次拟定发放时会自动带上这一笔。")) }
            } @else {
                ol.steps-list {
                    li { (visit.t("联系本人，核对开户银行、账号和户名。")) }
                    li {
                        (visit.t("更正银行账户。"))
                        @if let Some(account) = &account {
                            " " (lang.f("现在登记的是 {bank} {number}，登记于 {at}。", &[
                                ("bank", &account.bank), ("number", &account.number_masked), ("at", &format::instant(account.recorded_at)),
                            ]))
                        } @else { " " (visit.t("现在没有登记账户。")) }
                        @if visit.can(Permission::RegisterPeople) {
                            " " a href=(format!("/people/{}/account", line.payee)) { (visit.t("去更正")) }
                        } @else { " " (visit.t("由社区或街道窗口办理，已转为待办。")) }
                    }
                    li { (visit.t("账户更正后点“重发”，钱随下一批再送银行。")) }
                }
                @if visit.can(Permission::ProposePayRun) {
                    form.buttons method="post" action=(format!("/pay-lines/{}/reissue", line.id)) {
                        (form::token(visit))
                        (form::act(visit.t("账户已更正，重发")))
                    }
                }
            }
        }
    })
}

/// `POST /pay-lines/{id}/reissue` (重发退回款).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn reissue(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Payment)?;
    let id: PayLineId = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    match ledger::reissue(&mut tx, &scope, id).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/pay-lines/{id}"))
        }
        Err(reissue::Refused::NotFound) => Err(Problem::NotFound),
        Err(reissue::Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault("", sentence)]).await
        }
    }
}
