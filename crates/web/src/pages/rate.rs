//! 好差评, the public's side: how somebody was served, said by the code of the receipt, without signing in and without script.
//!
//! Guarantees: the code opens nothing but days and steps; thirty tries in a quarter of an hour from one address; what was typed stays
//! beside a refusal. Deliberately absent: any look at what others said.

use super::progress::TRIES_AT_ALL;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use casework::rating::{self, Grade, Handling, NewRating, Refused, Standing, State, Terms};
use maud::{Markup, html};
use std::sync::Arc;

/// What the packs say of ratings.
pub(crate) async fn terms(visit: &Visit) -> Result<Terms, Problem> {
    let desk = Arc::clone(&visit.app.desk);
    let read = tokio::task::spawn_blocking(move || rating::terms_of(&desk.book));
    Ok(read.await.map_err(anyhow::Error::from)??)
}

fn code(visit: &Visit) -> String {
    let typed = if visit.parts.is_empty() {
        visit.query.get("code")
    } else {
        visit.part("code")
    };
    typed.to_owned()
}

/// `GET /rate` and `GET /rate/{code}` (评价页).
///
/// # Errors
/// [`Problem::TooMany`] after thirty tries.
pub async fn show(visit: &Visit) -> Answer {
    let code = code(visit);
    if code.is_empty() {
        return ask(visit, "", &[]);
    }
    page(visit, &code, &[]).await
}

/// Asks for the code.
fn ask(visit: &Visit, typed: &str, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let body = html! {
        p { (visit.t("您对我们的服务满意吗？凭回执编号评价，不用登录。")) }
        form.narrow method="get" action="/rate" {
            (field(lang, "code", visit.t("回执编号")).value(typed)
                .hint(html! { (visit.t("回执上的编号，例如 7K3F-9M2Q-XW4T-C，大小写都行")) }).errors(errors).text())
            (form::act(visit.t("下一步")))
        }
    };
    Ok(visit
        .page(visit.t("评价服务"))
        .back("/programmes", visit.t("办事事项"))
        .errors(errors)
        .show(&body))
}

async fn page(visit: &Visit, code: &str, errors: &[FieldError]) -> Answer {
    let app = &visit.app;
    app.rates
        .take(TRIES_AT_ALL, &visit.address, app.db.now())
        .map_err(Problem::TooMany)?;
    let terms = terms(visit).await?;
    let Some(all) = rating::handlings(&app.db, &app.desk, &terms, code).await? else {
        let wrong = words::sentence(visit.lang, &Refused::NotThere.to_string());
        return ask(visit, code, &[fault("code", wrong)]);
    };
    let chosen = chosen(visit, &all);
    let body = html! {
        @if let Some(one) = chosen { (questions(visit, code, one, &terms, errors)) }
        @if all.len() > 1 || chosen.is_none() {
            (piece::section(visit.t("可以评价的办理"), &html! {
                ul.plain-list { @for one in &all { li { (line(visit, code, one)) } } }
            }))
        }
        @if all.is_empty() { p { (visit.t("这份申请还没有可以评价的办理。")) } }
    };
    let note = visit.query.has("done").then(|| {
        html! { (visit.t("谢谢，评价已收到。不满意的，我们会回访并整改；整改后您可以再评价一次。")) }
    });
    Ok(visit
        .page(visit.t("评价服务"))
        .back("/programmes", visit.t("办事事项"))
        .note(note)
        .errors(errors)
        .show(&body))
}

/// The handling asked for; without a word the last that may be rated.
fn chosen<'a>(visit: &Visit, all: &'a [Handling]) -> Option<&'a Handling> {
    let asked = |name: &str| {
        let typed = visit.form.get(name);
        if typed.is_empty() {
            visit.query.get(name).to_owned()
        } else {
            typed.to_owned()
        }
    };
    let (number, seq) = (asked("case"), asked("seq"));
    let may = |one: &&Handling| matches!(one.standing, Standing::May { .. });
    if number.is_empty() {
        return all
            .iter()
            .rev()
            .find(may)
            .filter(|_| !visit.query.has("done"));
    }
    all.iter()
        .filter(may)
        .find(|one| one.number == number && one.seq.to_string() == seq)
}

fn line(visit: &Visit, code: &str, one: &Handling) -> Markup {
    let lang = visit.lang;
    html! {
        time datetime=(one.on_day) { (format::date(one.on_day)) } " " (lang.pick(&one.zh, &one.en)) " "
        span.quiet { (one.number) } " "
        @match one.standing {
            Standing::May { round } => {
                a href=(format!("/rate/{code}?case={}&seq={}", one.number, one.seq)) {
                    @if round == 1 { (visit.t("评价")) } @else { (visit.t("已整改，再评价一次")) }
                }
            },
            Standing::Rated { grade, state } => {
                @let (zh, en) = grade.wording();
                span.tag { (lang.pick(zh, en)) }
                @if matches!(state, State::Open | State::Taken) { " " (visit.t("正在回访整改")) }
            },
        }
    }
}

fn questions(
    visit: &Visit,
    code: &str,
    one: &Handling,
    terms: &Terms,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let grades: Vec<(String, String)> = Grade::ALL
        .into_iter()
        .map(|grade| {
            let (zh, en) = grade.wording();
            (grade.number().to_string(), lang.pick(zh, en).to_owned())
        })
        .collect();
    let indicators: Vec<(String, String)> = terms
        .of_side(one.side)
        .map(|one| (one.id.clone(), lang.pick(&one.zh, &one.en).to_owned()))
        .collect();
    let ticked: Vec<&str> = visit.form.all("about").collect();
    html! {
        p.lead { (lang.f("{day} {what}（{number}）", &[
            ("day", &format::date(one.on_day)), ("what", &lang.pick(&one.zh, &one.en)), ("number", &one.number),
        ])) }
        form.narrow method="post" action=(format!("/rate/{code}")) {
            (form::token(visit))
            input type="hidden" name="case" value=(one.number);
            input type="hidden" name="seq" value=(one.seq);
            (field(lang, "grade", visit.t("您满意吗？")).value(visit.form.get("grade")).errors(errors).radios(&grades))
            (field(lang, "about", visit.t("主要是哪方面？")).optional().errors(errors).ticks(&indicators, &ticked))
            (field(lang, "said", visit.t("您想说的话")).optional().value(visit.form.get("said"))
                .hint(html! { (visit.t("500 字以内。被评价的工作人员看不到是谁评价的。")) }).errors(errors).area(4))
            (form::act(visit.t("提交评价")))
        }
    }
}

/// `POST /rate/{code}` (提交评价).
///
/// # Errors
/// [`Problem::TooMany`] after thirty tries.
pub async fn post(visit: &Visit) -> Answer {
    let code = visit.part("code").to_owned();
    let terms = terms(visit).await?;
    let form = &visit.form;
    let new = NewRating {
        number: form.get("case").to_owned(),
        seq: form.get("seq").parse().unwrap_or(0),
        grade: form.get("grade").parse().ok().and_then(Grade::from_number),
        indicators: form.all("about").map(str::to_owned).collect(),
        said: form.get("said").to_owned(),
    };
    let app = &visit.app;
    app.rates
        .take(TRIES_AT_ALL, &visit.address, app.db.now())
        .map_err(Problem::TooMany)?;
    let mut tx = app.db.begin().await?;
    match rating::rate(&mut tx, &app.desk, &terms, &code, &new).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/rate/{code}?done=1"))
        }
        Err(refused) => {
            drop(tx);
            let at = match refused {
                Refused::NoIndicator => "about",
                Refused::TooLong => "said",
                _ => "grade",
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &code, &[fault(at, sentence)]).await
        }
    }
}
