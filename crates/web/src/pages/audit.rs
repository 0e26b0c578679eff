//! The audit of a year (年度审计): the ledger's promises asked again from its rows, and what was found.
//!
//! Reads only; the questions are the ledger's own. A finding names rows, never people.

use crate::locale::Lang;
use crate::parts::form::{field, lesser};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::Purpose;
use chrono::Datelike;
use ledger::AuditReport;
use maud::{Markup, html};

/// `GET /audit?year=` (年度审计). Without a year it only asks for one.
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let this_year = visit.today().year();
    let year = match visit.query.some("year") {
        None => None,
        Some(text) => Some(
            text.parse::<i32>()
                .ok()
                .filter(|year| (2000..=this_year + 1).contains(year))
                .ok_or_else(|| Problem::invalid("请填写四位年份，例如 2026"))?,
        ),
    };
    let report = match year {
        None => None,
        Some(year) => {
            let scope = visit.scope(Purpose::Audit)?;
            Some(ledger::audit(&visit.app.db, &scope, year).await?)
        }
    };
    let typed = year.unwrap_or(this_year).to_string();
    let body = html! {
        form.filters method="get" action="/audit" {
            (field(lang, "year", visit.t("年份")).value(&typed).count())
            (lesser(visit.t("开始审计")))
        }
        @match &report {
            None => (piece::empty(visit.t("选好年份，点“开始审计”。系统会逐笔重新核对这一年的发放、记账和日志，可能要一两分钟。"), &html! {})),
            Some(report) => (result(visit, report)),
        }
    };
    Ok(visit
        .page(visit.t("年度审计"))
        .nav("/journal")
        .back("/journal", visit.t("操作日志"))
        .show(&body))
}

fn result(visit: &Visit, report: &AuditReport) -> Markup {
    let lang = visit.lang;
    html! {
        @if report.is_clean() {
            div.note role="status" {
                strong { (visit.t("没有发现问题")) } " "
                (visit.t("借贷合计为零；每笔都有决定作依据；没有重复领取；日志链完整。"))
            }
        } @else {
            div.errors role="alert" tabindex="-1" data-focus="" {
                h2 { (lang.f("发现 {count} 类问题", &[("count", &report.findings.len())])) }
                p { (visit.t("请按下表逐条核查；编号可在操作日志中查到。")) }
            }
            (findings(lang, visit, report))
        }
        (piece::section(&lang.f("{year} 年", &[("year", &report.year)]), &piece::facts(&[
            (visit.t("发放批次").to_owned(), html! { (format::number(report.runs)) }),
            (visit.t("已放款明细").to_owned(), html! { (format::number(report.lines)) }),
            (visit.t("领取登记").to_owned(), html! { (format::number(report.claims)) }),
            (visit.t("记账分录").to_owned(), html! { (format::number(report.transfers)) }),
            (visit.t("放款合计").to_owned(), html! { (format::money(lang, report.released)) }),
            (visit.t("发现多发").to_owned(), html! { (format::money(lang, report.overpaid)) }),
            (visit.t("已追回").to_owned(), html! { (format::money(lang, report.recovered)) }),
            (visit.t("日志条数（全部年份）").to_owned(), html! { (format::number(report.journal_entries)) }),
        ])))
    }
}

fn findings(lang: Lang, visit: &Visit, report: &AuditReport) -> Markup {
    let columns = [
        table::text(visit.t("问题")),
        table::number(visit.t("笔数")),
        table::text(visit.t("编号（前几个）")),
    ];
    let rows = report
        .findings
        .iter()
        .map(|finding| {
            table::still(vec![
                html! { (words::sentence(lang, finding.check.name_zh())) },
                html! { (format::number(finding.count)) },
                html! { @for example in &finding.examples { code { (example) } " " } },
            ])
        })
        .collect();
    table::table(lang, visit.t("问题"), &columns, rows, "", &visit.query)
}
