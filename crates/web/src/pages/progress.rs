//! How far my application is (进度查询): by the receipt's code and the last four digits of the phone.
//!
//! No sign-in and no personal data beyond a masked name. A wrong code and a wrong phone look alike; ten tries in a quarter
//! of an hour for a code from one address, thirty for all codes together.

use crate::locale::Lang;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::rate::Allowance;
use crate::visit::Visit;
use casework::progress::{CaseProgress, Progress, progress};
use casework::receipt;
use maud::{Markup, html};

/// Tries for one code from one address.
const TRIES: Allowance = Allowance {
    kind: "progress",
    a_span: 10,
    minutes: 15,
    at_once: 10,
};
/// Tries for all codes from one address.
pub(super) const TRIES_AT_ALL: Allowance = Allowance {
    kind: "progress at all",
    a_span: 30,
    minutes: 15,
    at_once: 30,
};

/// `GET /progress` and `GET /progress/{code}` (进度查询页): the receipt's QR leads to the second, with the code filled in.
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    let code = visit
        .parts
        .first()
        .map_or_else(|| visit.query.get("code"), |_| visit.part("code"))
        .to_owned();
    page(visit, &code, &[], None)
}

fn page(visit: &Visit, code: &str, errors: &[FieldError], found: Option<&Progress>) -> Answer {
    let lang = visit.lang;
    let body = html! {
        @if let Some(found) = found {
            (shown(visit, found))
            p { a.button href=(format!("/rate/{code}")) { (visit.t("评价服务")) } }
        }
        form.narrow method="post" action="/progress" {
            (form::token(visit))
            (field(lang, "code", visit.t("回执编号")).value(code)
                .hint(html! { (visit.t("回执上的编号，例如 7K3F-9M2Q-XW4T-C，大小写都行")) }).errors(errors).text())
            (field(lang, "tail", visit.t("手机号后四位")).value(visit.form.get("tail"))
                .hint(html! { (visit.t("申请时登记的手机号")) }).errors(errors).count())
            (form::act(visit.t("查询进度")))
        }
    };
    Ok(visit
        .page(visit.t("进度查询"))
        .back("/programmes", visit.t("办事事项"))
        .errors(errors)
        .show(&body))
}

/// `POST /progress` (查询进度).
///
/// # Errors
/// [`Problem::TooMany`] after ten tries.
pub async fn post(visit: &Visit) -> Answer {
    let typed = visit.form.get("code").to_owned();
    let mut wrong = Vec::new();
    let code = receipt::normalise(&typed);
    if code.is_none() {
        wrong.push(fault(
            "code",
            visit.t("回执编号不对，多半抄错了一位。请对照回执逐位核对"),
        ));
    }
    let tail = visit.form.get("tail");
    if tail.len() != 4 || !tail.bytes().all(|digit| digit.is_ascii_digit()) {
        wrong.push(fault("tail", visit.t("请填写手机号的后四位数字")));
    }
    let (Some(code), true) = (code, wrong.is_empty()) else {
        return page(visit, &typed, &wrong, None);
    };
    let app = &visit.app;
    let now = app.db.now();
    let one = format!("{} {code}", visit.address);
    app.rates
        .take(TRIES, &one, now)
        .and_then(|()| app.rates.take(TRIES_AT_ALL, &visit.address, now))
        .map_err(Problem::TooMany)?;
    match progress(&app.db, &app.desk, &code, tail).await? {
        Some(found) => page(visit, &code, &[], Some(&found)),
        None => page(
            visit,
            &typed,
            &[fault(
                "code",
                visit.t(
                    "没有查到。请核对回执编号和手机号后四位；手机换过的，请打服务热线或到窗口查询",
                ),
            )],
            None,
        ),
    }
}

fn shown(visit: &Visit, found: &Progress) -> Markup {
    let lang = visit.lang;
    html! {
        p.lead { (lang.f("{name} 于 {day} 提出的申请", &[
            ("name", &found.applicant_masked), ("day", &format::date(found.submitted_on)),
        ])) }
        @for case in &found.cases {
            (piece::section(lang.pick(&case.programme_zh, &case.programme_en), &of_case(lang, case)))
        }
    }
}

fn of_case(lang: Lang, case: &CaseProgress) -> Markup {
    html! {
        p.lead { strong { (lang.pick(&case.state_zh, &case.state_en)) } }
        p.quiet { (lang.t("办件号")) " " (case.number) }
        @if !case.items.is_empty() {
            p { (lang.t("请补充这些材料：")) }
            ul.bullets { @for item in &case.items { li { (item) } } }
        }
        @if let Some(due) = case.due_on {
            p {
                (lang.f("最晚 {due} 办好", &[("due", &format::date_long(lang, due))]))
                @if case.provisional { (lang.t("（暂定，等明年节假日安排公布）")) }
            }
        }
        @if case.paused { p { (lang.t("现在不计时。")) } }
        @if !case.steps.is_empty() {
            ol.timeline {
                @for (day, zh, en) in case.steps.iter().rev() {
                    li { time datetime=(day) { (format::date(*day)) } div.what { (lang.pick(zh, en)) } }
                }
            }
        }
    }
}
