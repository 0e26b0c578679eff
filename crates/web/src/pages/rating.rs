//! One rating (评价详情): how it was, and for a bad one: taking it up, calling back, what was mended.
//!
//! Guarantees: the look is journalled; whose it is, and what was written, is shown once it was taken up. Deliberately absent: changing it.

use super::ratings::{about, grade, state};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::rating::list::RatingView;
use casework::rating::{self, Refused, State, Terms};
use maud::{Markup, html};
use uuid::Uuid;

/// `GET /ratings/{rating}` (评价详情).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let id: Uuid = visit.id("rating")?;
    let found = rating::view(&visit.app.db, &scope, id).await?;
    let one = found.ok_or(Problem::NotFound)?;
    let terms = super::rate::terms(visit).await?;
    let lang = visit.lang;
    let body = html! {
        (piece::facts(&facts(visit, &one, &terms)))
        @if let Some(result) = &one.result {
            (piece::section(visit.t("回访和整改"), &html! { p { (result) } p.quiet { (one.mender) } }))
        }
        @if visit.can(Permission::ActOnCases) { (next(visit, &one, errors)) }
    };
    let note = match visit.query.get("done") {
        "taken" => Some(html! { (visit.t("已认领。请联系评价人，听取意见，整改后在这里登记。")) }),
        "mended" => Some(html! { (visit.t("已登记整改。评价人可以凭回执再评价一次。")) }),
        _ => None,
    };
    Ok(visit
        .page(lang.f("{day} 的评价", &[("day", &format::date(one.row.on_day))]))
        .nav("/ratings")
        .back("/ratings", visit.t("好差评"))
        .note(note)
        .errors(errors)
        .show(&body))
}

fn facts(visit: &Visit, one: &RatingView, terms: &Terms) -> Vec<(String, Markup)> {
    let lang = visit.lang;
    let (zh, en) = visit.app.desk.title(&one.row.programme);
    let mut pairs = vec![
        (
            visit.t("满意程度").to_owned(),
            html! { strong { (grade(lang, one.row.grade)) } },
        ),
        (
            visit.t("哪方面").to_owned(),
            html! { (about(visit, terms, &one.row.indicators)) },
        ),
        (visit.t("事项").to_owned(), html! { (lang.pick(&zh, &en)) }),
        (
            visit.t("社区").to_owned(),
            html! { (visit.place(one.row.region)) },
        ),
        (
            visit.t("状态").to_owned(),
            html! { (state(lang, one.row.state)) @if !one.row.taker.is_empty() { " " span.quiet { (one.row.taker) } } },
        ),
    ];
    if let Some(due) = one.row.due_on {
        pairs.push((
            visit.t("整改期限").to_owned(),
            html! { (format::date(due)) },
        ));
    }
    if let (Some(case), Some(number)) = (one.row.case, &one.number) {
        pairs.push((
            visit.t("办件").to_owned(),
            html! { a href=(format!("/cases/{case}")) { (number) } },
        ));
    }
    let said = match (&one.said, one.kept_back) {
        (Some(said), _) => Some(html! { (said) }),
        (None, true) => Some(html! { span.quiet { (visit.t("写了文字，认领以后可以看")) } }),
        (None, false) => None,
    };
    pairs.extend(said.map(|said| (visit.t("评价人说").to_owned(), said)));
    pairs
}

fn next(visit: &Visit, one: &RatingView, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let at = format!("/ratings/{}", one.row.id);
    let called = [("yes".to_owned(), visit.t("已联系评价人").to_owned())];
    html! {
        @match one.row.state {
            State::Open if one.own => p { (visit.t("这条评价针对的是您经办的事，由其他人回访。")) },
            State::Open => {
                (piece::section(visit.t("认领"), &html! {
                    p { (visit.t("认领以后才看得到是谁评价的。差评要全部回访、整改。")) }
                    form.narrow #grade method="post" action=(format!("{at}/take")) { (form::token(visit)) (form::act(visit.t("认领这条差评"))) }
                }))
            },
            State::Taken if one.own => {},
            State::Taken => {
                (piece::section(visit.t("登记回访和整改"), &html! {
                    form.narrow method="post" action=(format!("{at}/mend")) {
                        (form::token(visit))
                        (field(lang, "called", visit.t("回访")).errors(errors).ticks(&called, &[visit.form.get("called")]))
                        (field(lang, "result", visit.t("回访和整改情况")).value(visit.form.get("result"))
                            .hint(html! { (visit.t("例如：已致电说明，补发了告知单；窗口加贴材料清单")) }).errors(errors).area(4))
                        (form::act(visit.t("登记整改")))
                    }
                }))
            },
            State::Mended | State::Kept => {},
        }
    }
}

/// `POST /ratings/{rating}/take` (认领差评).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn take(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::ActOnCases, Purpose::Review)?;
    let id: Uuid = visit.id("rating")?;
    let terms = super::rate::terms(visit).await?;
    let mut tx = visit.app.db.begin().await?;
    match rating::take_up(&mut tx, &scope, &terms, id).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/ratings/{id}?done=taken"))
        }
        Err(refused) => {
            drop(tx);
            refuse(visit, &refused).await
        }
    }
}

/// `POST /ratings/{rating}/mend` (登记整改).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn mend(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::ActOnCases, Purpose::Review)?;
    let id: Uuid = visit.id("rating")?;
    let terms = super::rate::terms(visit).await?;
    let did = (visit.form.has("called"), visit.form.get("result"));
    let mut tx = visit.app.db.begin().await?;
    match rating::mend(&mut tx, &scope, &terms, id, did).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/ratings/{id}?done=mended"))
        }
        Err(refused) => {
            drop(tx);
            refuse(visit, &refused).await
        }
    }
}

async fn refuse(visit: &Visit, refused: &Refused) -> Answer {
    let at = match refused {
        Refused::NotFound => return Err(Problem::NotFound),
        Refused::NotCalled => "called",
        Refused::NoResult => "result",
        _ => "grade",
    };
    let sentence = words::sentence(visit.lang, &refused.to_string());
    page(visit, &[fault(at, sentence)]).await
}
