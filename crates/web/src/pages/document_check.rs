//! Checking a paper (文书核验): whether a letter, receipt or report somebody holds is one of ours and still holds.
//!
//! No sign-in, no script; the QR code on the paper leads here with the code filled in. Guarantees: a masked name is all that is said of
//! anybody; a wrong number and a wrong code are answered alike, with what to do; ten tries in a quarter of an hour from one address.
//! Deliberately absent: what the paper says; who checks it compares it with the paper in hand.

use crate::parts::form::{FieldError, act, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::rate::Allowance;
use crate::visit::Visit;
use casework::document::{self, CheckedLetter, CheckedReceipt, Standing, Typed};
use maud::{Markup, html};
use verify::enquiry::Printed;

/// Tries from one address.
const TRIES: Allowance = Allowance {
    kind: "document check",
    a_span: 10,
    minutes: 15,
    at_once: 10,
};

/// What was found (核验结果).
pub(crate) enum Found {
    Letter(CheckedLetter),
    Receipt(CheckedReceipt),
    Report(String, Printed),
}

/// `GET /verify` and `GET /verify/{code}` (文书核验): the QR code of a paper leads to the second.
///
/// # Errors
/// [`Problem::TooMany`] after ten tries.
pub async fn show(visit: &Visit) -> Answer {
    let typed = match visit.parts.first() {
        Some(_) => visit.part("code").to_owned(),
        None => visit.query.get("code").trim().to_owned(),
    };
    if typed.is_empty() {
        return page(visit, &typed, &[], None);
    }
    match look_for(visit, &typed).await? {
        Some(found) => page(visit, &typed, &[], Some(&found)),
        None => {
            let wrong = fault("code", visit.t("没有这个核验码的文书。请对照文书逐位核对；一字不差仍查不到的，可能不是我们签发的，不要凭它办事，请带上文书到窗口或者打服务热线核实"));
            page(visit, &typed, &[wrong], None)
        }
    }
}

/// The paper of what somebody typed (按核验码查文书), one of the tries of an address.
///
/// # Errors
/// [`Problem::TooMany`] after ten tries.
pub(crate) async fn look_for(visit: &Visit, typed: &str) -> Result<Option<Found>, Problem> {
    let app = &visit.app;
    app.rates
        .take(TRIES, &visit.address, app.db.now())
        .map_err(Problem::TooMany)?;
    find(visit, typed).await
}

async fn find(visit: &Visit, typed: &str) -> Result<Option<Found>, Problem> {
    let db = &visit.app.db;
    if let Some(typed) = Typed::read(typed) {
        if let Some(found) = document::letter(db, &visit.app.desk, &typed).await? {
            return Ok(Some(Found::Letter(found)));
        }
        let report = verify::enquiry::printed(db, &typed.number).await?;
        let own = report.filter(|report| typed.fits(db.keys(), &report.check));
        if let Some(report) = own {
            return Ok(Some(Found::Report(typed.number, report)));
        }
    }
    Ok(document::of_receipt(db, typed).await?.map(Found::Receipt))
}

fn page(visit: &Visit, code: &str, errors: &[FieldError], found: Option<&Found>) -> Answer {
    let lang = visit.lang;
    let body = html! {
        @match found {
            Some(Found::Letter(letter)) => (shown(visit, visit.t("这份文书是我们签发的。"), &of_letter(visit, letter), &standing(visit, letter.standing))),
            Some(Found::Receipt(receipt)) => (shown(visit, visit.t("这份回执是我们出具的。"), &of_receipt(visit, *receipt), visit.t("回执只说明收到了申请，不是决定。"))),
            Some(Found::Report(number, report)) => (shown(visit, visit.t("这份核对报告是我们出具的。"), &of_report(visit, number, report), &validity(visit, report))),
            None => {}
        }
        form.narrow method="get" action="/verify" {
            (field(lang, "code", visit.t("核验码")).value(code)
                .hint(html! { (visit.t("文书末尾的核验码，例如 XX2026-000318-7-9M2Q-XW4T；回执填回执码。大小写都行")) }).errors(errors).text())
            (act(visit.t("核验")))
        }
    };
    Ok(visit
        .page(visit.t("文书核验"))
        .back("/programmes", visit.t("办事事项"))
        .errors(errors)
        .show(&body))
}

fn shown(visit: &Visit, sentence: &str, facts: &[(String, Markup)], standing: &str) -> Markup {
    html! {
        section.part {
            p.lead { strong { "● " (sentence) } }
            (piece::facts(facts))
            p.lead { (standing) }
            p.quiet { (visit.t("请与手中的文书逐项对照；有一项不同，这份文书就可能被改过。这里不显示文书的内容。")) }
        }
    }
}

fn of_letter(visit: &Visit, letter: &CheckedLetter) -> Vec<(String, Markup)> {
    let lang = visit.lang;
    let pick = |(zh, en): &(String, String)| lang.pick(zh, en).to_owned();
    vec![
        (visit.t("文书编号").to_owned(), html! { (letter.number) }),
        (
            visit.t("事项").to_owned(),
            html! { (pick(&letter.programme)) },
        ),
        (
            visit.t("办理内容").to_owned(),
            html! { (pick(&letter.act)) },
        ),
        (
            visit.t("申请人").to_owned(),
            html! { (letter.applicant_masked) },
        ),
        (
            visit.t("签发日期").to_owned(),
            html! { (format::date_long(lang, letter.issued_on)) },
        ),
        (
            visit.t("由哪里签发").to_owned(),
            html! { (pick(&letter.issuer)) },
        ),
    ]
}

fn of_receipt(visit: &Visit, receipt: CheckedReceipt) -> Vec<(String, Markup)> {
    let lang = visit.lang;
    vec![
        (
            visit.t("收到申请").to_owned(),
            html! { (format::date_long(lang, receipt.submitted_on)) },
        ),
        (
            visit.t("申请的事项").to_owned(),
            html! { (lang.f("{count} 项", &[("count", &receipt.cases)])) },
        ),
        (
            visit.t("进度").to_owned(),
            html! { a href="/progress" { (visit.t("凭手机号后四位查询")) } },
        ),
    ]
}

fn of_report(visit: &Visit, number: &str, report: &Printed) -> Vec<(String, Markup)> {
    let lang = visit.lang;
    vec![
        (visit.t("文书编号").to_owned(), html! { (number) }),
        (visit.t("内容校验").to_owned(), html! { (report.check) }),
        (
            visit.t("签发日期").to_owned(),
            html! { (format::date_long(lang, report.on_day)) },
        ),
        (
            visit.t("由哪里签发").to_owned(),
            html! { (visit.place(visit.app.desk.book.place().division)) },
        ),
    ]
}

fn standing(visit: &Visit, standing: Standing) -> String {
    let lang = visit.lang;
    match standing {
        Standing::NoDecision => visit.t("这是告知文书，不是决定。").to_owned(),
        Standing::Latest => visit.t("仍是最近的决定，此后没有新的决定。").to_owned(),
        Standing::Replaced(on) => lang.f(
            "已有新的决定：{day} 又作出了决定，以新的为准。",
            &[("day", &format::date_long(lang, on))],
        ),
    }
}

fn validity(visit: &Visit, report: &Printed) -> String {
    let lang = visit.lang;
    let until = format::date_long(lang, report.valid_until);
    match report.newer {
        Some(on) => lang.f(
            "同一办件 {day} 又做了核对，以新的报告为准。",
            &[("day", &format::date_long(lang, on))],
        ),
        None if report.valid_until <= visit.today() => {
            lang.f("已过有效期，有效至 {day}。", &[("day", &until)])
        }
        None => lang.f("仍在有效期，有效至 {day}。", &[("day", &until)]),
    }
}
