//! Public notices (公示): name, number of members, amount, dates, and how to object. Nothing else of anybody is shown.
//!
//! Open to everybody. Who objects may stay unnamed; what he writes is sealed and read by the street's officers only.

use super::officer::places;
use crate::parts::form::{self, FieldError, fault, field, lesser};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::rate::Allowance;
use crate::visit::Visit;
use casework::case::Notice;
use casework::notices::{self, Refused};
use maud::{Markup, html};
use vocab::Region;
use vocab::ids::NoticeId;

/// Rows a page shows.
const ROWS: u64 = 30;
/// Objections from one address: enough for a family's computer, too few to flood an office.
const OBJECTIONS: Allowance = Allowance {
    kind: "objection",
    a_span: 10,
    minutes: 60,
    at_once: 10,
};

/// `GET /notices` (近期公示).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let division = visit.app.desk.book.place().division;
    let region: Region = listing::chosen_place(visit)
        .filter(|region| division.holds(*region))
        .unwrap_or(division);
    let (offset, limit) = visit.paging(ROWS);
    let found = notices::notices(&visit.app.db, &visit.app.desk, region, offset, limit).await?;
    let columns = [
        table::text(visit.t("申请人")),
        table::number(visit.t("人数")),
        table::text(visit.t("事项")),
        table::number(visit.t("拟给金额")),
        table::text(visit.t("地方")),
        table::text(visit.t("公示期")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|notice| {
            table::row(
                format!("/notices/{}", notice.id),
                vec![
                    html! { (name(visit, notice)) },
                    html! { (notice.member_count.map_or_else(|| "—".to_owned(), |count| count.to_string())) },
                    html! { (lang.pick(&notice.programme_zh, &notice.programme_en)) },
                    html! { (notice.amount.map_or_else(|| "—".to_owned(), |amount| format::money(lang, amount))) },
                    html! { (visit.place(notice.region)) },
                    html! { (span(visit, notice)) },
                ],
            )
        })
        .collect();
    let body = html! {
        p { (visit.t("这些家庭的申请已经初审，依法公示。如果您知道情况不符，点开那一条提出，不用留名。")) }
        form.filters method="get" action="/notices" {
            (field(lang, "region", visit.t("街道、社区")).value(visit.query.get("region")).filter(visit.t("全部街道社区"), &places(visit, division)))
            (lesser(visit.t("筛选")))
        }
        (listing::listed(visit, (visit.t("近期公示"), "/notices"), &columns, rows, &found, &piece::empty(visit.t("现在没有公示。"), &html! {})))
    };
    Ok(visit
        .page(visit.t("近期公示"))
        .back("/programmes", visit.t("办事事项"))
        .show(&body))
}

fn name(visit: &Visit, notice: &Notice) -> String {
    notice
        .name
        .clone()
        .unwrap_or_else(|| visit.t("（不公开姓名）").to_owned())
}

fn span(visit: &Visit, notice: &Notice) -> String {
    visit.lang.f(
        "{from} 至 {until}",
        &[
            ("from", &format::date(notice.posted_on)),
            ("until", &format::date(notice.ends_on)),
        ],
    )
}

/// `GET /notices/{id}` (一条公示与异议).
///
/// # Errors
/// [`Problem::NotFound`] once the notice is over.
pub async fn one(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id: NoticeId = visit.id("id")?;
    let notice = notices::notice(&visit.app.db, &visit.app.desk, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let mut pairs: Vec<(String, Markup)> = vec![(
        visit.t("事项").to_owned(),
        html! { (lang.pick(&notice.programme_zh, &notice.programme_en)) },
    )];
    if notice.name.is_some() {
        pairs.push((
            visit.t("申请人").to_owned(),
            html! { (name(visit, &notice)) },
        ));
    }
    if let Some(count) = notice.member_count {
        pairs.push((visit.t("人数").to_owned(), html! { (count) }));
    }
    if let Some(amount) = notice.amount {
        pairs.push((
            visit.t("拟给金额").to_owned(),
            html! { (format::money(lang, amount)) },
        ));
    }
    pairs.push((
        visit.t("地方").to_owned(),
        html! { (visit.place(notice.region)) },
    ));
    pairs.push((
        visit.t("公示期").to_owned(),
        html! { (span(visit, &notice)) },
    ));
    pairs.push((visit.t("依据").to_owned(), html! { (notice.article) }));
    let body = html! {
        (piece::facts(&pairs))
        (piece::section(visit.t("我有不同意见"), &html! {
            p { (visit.t("只有负责调查的工作人员看得到您写的内容。街道会派两个人去核实。")) }
            form method="post" action=(format!("/notices/{id}")) {
                (form::token(visit))
                (field(lang, "said", visit.t("您知道的情况")).value(visit.form.get("said"))
                    .hint(html! { (visit.t("说清楚是什么事、什么时候、怎么知道的")) }).errors(errors).area(6))
                (field(lang, "contact", visit.t("您的联系方式")).value(visit.form.get("contact")).optional()
                    .hint(html! { (visit.t("想知道处理结果就留电话，不留也受理")) }).errors(errors).width("middle").text())
                (form::act(visit.t("提交异议")))
            }
        }))
    };
    Ok(visit
        .page(visit.t("公示"))
        .back("/notices", visit.t("近期公示"))
        .errors(errors)
        .show(&body))
}

/// `POST /notices/{id}` (提出异议).
///
/// # Errors
/// [`Problem::TooMany`] from one address.
pub async fn object(visit: &Visit) -> Answer {
    let id: NoticeId = visit.id("id")?;
    visit
        .app
        .rates
        .take(OBJECTIONS, &visit.address, visit.app.db.now())
        .map_err(Problem::TooMany)?;
    let contact = visit.form.some("contact").map(str::to_owned);
    let mut tx = visit.app.db.begin().await?;
    let said = visit.form.get("said");
    match notices::object(&mut tx, &visit.app.desk, id, said, contact).await? {
        Ok(()) => {
            tx.commit().await?;
            let body = html! {
                p.lead { (visit.t("已收到，并转给街道核实。留了联系方式的，核实后会告诉您结果。")) }
                p { a.button href="/notices" { (visit.t("回到近期公示")) } }
            };
            Ok(visit
                .page(visit.t("异议已提交"))
                .back("/notices", visit.t("近期公示"))
                .show(&body))
        }
        Err(Refused::NotUp) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let zh = refused.to_string();
            let sentence = visit.lang.pick(&zh, refused.en());
            page(visit, &[fault("said", sentence)]).await
        }
    }
}
