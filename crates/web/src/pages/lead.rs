//! One lead (线索): what was found, what the rules say today and why, and what to do next: visit, apply, dismiss, or have the
//! case in payment looked at again.
//!
//! Guarantees: a lead outside the officer's area does not exist; what was typed is kept beside a refusal. Deliberately
//! absent: deciding.

use super::leads::{amount, kind, missing, state};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, reasons};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::lead::{self, DismissReason, LeadState, LeadView, Refused, Source};
use maud::{Markup, html};
use store::Tx;
use uuid::Uuid;

/// `GET /leads/{id}` (线索详情); the look is journalled.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let id: Uuid = visit.id("id")?;
    let found = lead::view(&visit.app.db, &scope, &visit.app.desk, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let one = &found.lead;
    let (zh, en) = visit.app.desk.title(&one.programme);
    let body = html! {
        (piece::section(visit.t("发现了什么"), &facts(visit, &found)))
        @if one.state.is_open() { (next(visit, &found, errors)) }
        @match &found.now {
            Some(now) => (piece::section(visit.t("按今天登记的事实，规则怎么说"), &html! {
                (reasons::verdict(lang, now))
                @if !now.missing.is_empty() {
                    p { (visit.t("还缺：")) (reasons::missing_list(visit, &found.names, &now.missing)) }
                }
                (reasons::conditions(visit, now, &found.names))
            })),
            None => p.note.warn { (visit.t("这一户或这个人已不在册，规则不再判断。")) },
        }
    };
    let note = match visit.query.get("done") {
        "visited" => Some(html! { (visit.t("走访情况已登记。")) }),
        "dismissed" => Some(html! { (visit.t("已排除。同样的情况不会再次列入。")) }),
        "sent" => Some(html! { (visit.t("已转办件复核，由听取意见或作决定的同事接着办。")) }),
        _ => None,
    };
    let acts = html! { a.button href=(format!("/households/{}", one.household)) { (visit.t("打开家庭")) } };
    Ok(visit
        .page(format!("{} · {}", one.subject, lang.pick(&zh, &en)))
        .nav("/leads")
        .back("/leads", visit.t("政策找人"))
        .acts(acts)
        .note(note)
        .errors(errors)
        .show(&body))
}

fn facts(visit: &Visit, found: &LeadView) -> Markup {
    let lang = visit.lang;
    let one = &found.lead;
    let missing = missing(visit, one);
    let mut pairs = vec![
        (
            visit.t("线索").to_owned(),
            html! { (piece::tag(kind(visit, one.kind))) },
        ),
        (
            visit.t("应发每月").to_owned(),
            html! { (amount(visit, one.due)) },
        ),
        (
            visit.t("在发每月").to_owned(),
            html! { (format::money(lang, one.paid)) },
        ),
    ];
    if !missing.is_empty() {
        pairs.push((visit.t("还缺什么").to_owned(), html! { (missing) }));
    }
    pairs.extend([
        (visit.t("社区").to_owned(), html! { (visit.place(one.region)) }),
        (
            visit.t("谁发现的").to_owned(),
            match one.source {
                Source::Sweep => html! { (visit.t("全人口比对")) },
                Source::Event(event) => {
                    html! { a href=(format!("/life-events/{event}")) { (visit.t("生活事件")) } }
                }
            },
        ),
        (
            visit.t("发现日期").to_owned(),
            html! { (format::date(one.found_on)) " " span.quiet { (lang.f("最近 {day} 仍在", &[("day", &format::date(one.seen_on))])) } },
        ),
        (
            visit.t("状态").to_owned(),
            html! { strong { (state(visit, one.state)) } " " span.quiet { (one.state_by) " " (format::instant(one.state_at)) } },
        ),
    ]);
    if !one.visits.is_empty() {
        pairs.push((
            visit.t("走访和办理情况").to_owned(),
            html! { ul.plain-list { @for line in one.visits.lines() { li { (line) } } } },
        ));
    }
    if let Some(reason) = one.reason {
        let (zh, en) = reason.wording();
        pairs.push((
            visit.t("排除原因").to_owned(),
            html! { (lang.pick(zh, en)) " " (one.note) },
        ));
    }
    if let Some((case, number, paid)) = &found.case {
        let label = if *paid {
            visit.t("在发的办件")
        } else {
            visit.t("正在办理的办件")
        };
        pairs.push((
            label.to_owned(),
            html! { a href=(format!("/cases/{case}")) { (number) } },
        ));
    }
    piece::facts(&pairs)
}

/// What to do next, the likeliest act first.
fn next(visit: &Visit, found: &LeadView, errors: &[FieldError]) -> Markup {
    let one = &found.lead;
    if !visit.can(Permission::ActOnCases) && !visit.can(Permission::Apply) {
        return html! {};
    }
    let paid = one.kind.is_paid();
    html! {
        section.part {
            h2 { (visit.t("下一步")) }
            p {
                @if paid { (visit.t("请先核对事实。需要改变金额或停发的，转办件复核：先听取意见，再由有权的同事决定。")) }
                @else if one.state == LeadState::Found { (visit.t("请社区上门告知，愿意的协助申请。")) }
                @else { (visit.t("已走访。愿意申请的，登记已知的情况会自动带入申请表。")) }
            }
            div.buttons {
                @if !paid && visit.can(Permission::Apply) {
                    form method="post" action="/drafts" {
                        (form::token(visit))
                        input type="hidden" name="household" value=(one.household);
                        input type="hidden" name="programme" value=(one.programme);
                        (form::act(visit.t("协助申请")))
                    }
                }
                @if paid && found.case.as_ref().is_some_and(|(_, _, paid)| *paid) && visit.can(Permission::ActOnCases) {
                    form method="post" action=(format!("/leads/{}/review", one.id)) {
                        (form::token(visit))
                        (form::act(visit.t("转办件复核")))
                    }
                }
            }
            @if visit.can(Permission::ActOnCases) { (notes(visit, found, errors)) }
        }
    }
}

fn notes(visit: &Visit, found: &LeadView, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let one = &found.lead;
    let reasons: Vec<(String, String)> = DismissReason::of(one.kind)
        .into_iter()
        .map(|reason| {
            let (zh, en) = reason.wording();
            (reason.word().to_owned(), lang.pick(zh, en).to_owned())
        })
        .collect();
    let wrong = |name: &str| errors.iter().any(|error| error.field == name);
    let typed = |name: &str| visit.form.get(name).to_owned();
    html! {
        details.act-form open[wrong("visit")] {
            summary { (visit.t("登记走访")) }
            form method="post" action=(format!("/leads/{}/visit", one.id)) {
                (form::token(visit))
                (field(lang, "visit", visit.t("走访情况")).value(&typed("visit")).errors(errors).area(3))
                (form::act(visit.t("登记走访")))
            }
        }
        details.act-form open[wrong("reason") || wrong("grounds")] {
            summary { (visit.t("排除这条线索")) }
            form method="post" action=(format!("/leads/{}/dismiss", one.id)) {
                (form::token(visit))
                (field(lang, "reason", visit.t("排除原因")).value(&typed("reason")).errors(errors).select(&reasons))
                (field(lang, "grounds", visit.t("依据")).value(&typed("grounds")).errors(errors).area(3))
                (form::act(visit.t("排除")))
            }
        }
    }
}

/// What is said when many are dismissed at once (批量排除); a reason that does not fit one of them is told of that one.
pub(crate) fn dismissing(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let reasons: Vec<(String, String)> = DismissReason::ALL
        .into_iter()
        .map(|reason| {
            let (zh, en) = reason.wording();
            (reason.word().to_owned(), lang.pick(zh, en).to_owned())
        })
        .collect();
    html! {
        (field(lang, "reason", visit.t("排除原因")).select(&reasons))
        (field(lang, "grounds", visit.t("依据")).area(2))
    }
}

/// `POST /leads/{id}/visit` (登记走访).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn visited(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let id = visit.id("id")?;
    let step = lead::visit(&mut tx, &scope, id, visit.form.get("visit")).await?;
    done(visit, tx, step, "visited").await
}

/// `POST /leads/{id}/dismiss` (排除线索).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn dismiss(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let id = visit.id("id")?;
    let reason = DismissReason::from_word(visit.form.get("reason"));
    let step = lead::dismiss(&mut tx, &scope, id, reason, visit.form.get("grounds")).await?;
    done(visit, tx, step, "dismissed").await
}

/// `POST /leads/{id}/review` (转办件复核).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn review(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let id = visit.id("id")?;
    let step = lead::send_to_review(&mut tx, &scope, &visit.app.desk, id).await?;
    done(visit, tx, step, "sent").await
}

/// Kept, and back to the lead; or undone, and the same page with what is wrong.
async fn done(visit: &Visit, tx: Tx, step: Result<(), Refused>, word: &str) -> Answer {
    match step {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/leads/{}?done={word}", visit.id::<Uuid>("id")?))
        }
        Err(refused) => {
            tx.rollback().await?;
            again(visit, refused).await
        }
    }
}

/// The same page with what is wrong beside its field.
async fn again(visit: &Visit, refused: Refused) -> Answer {
    let at = match refused {
        Refused::NotThere => return Err(Problem::NotFound),
        Refused::Denied(denied) => return Err(denied.into()),
        Refused::NoteMissing => "visit",
        Refused::ReasonMissing | Refused::ReasonDoesNotFit => "reason",
        Refused::GroundsMissing => "grounds",
        Refused::Closed | Refused::NothingInPayment | Refused::NothingDiffers => "",
    };
    let sentence = words::sentence(visit.lang, &refused.to_string());
    page(visit, &[fault(at, sentence)]).await
}
