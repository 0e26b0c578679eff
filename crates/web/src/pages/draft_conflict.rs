//! Two people changed the same answer (同一项两人都改了): mine and theirs side by side, with by whom and when; one is chosen
//! for each.
//!
//! Guarantees: nothing was saved yet and nothing typed is lost: everything else of the page is carried along and saved with
//! the choice; what only the other one changed is taken as he left it. Works without script. Deliberately absent: a third
//! value; whoever wants one chooses and types it on the page afterwards.

use super::application::{Form, field_name};
use crate::fields::Fields;
use crate::parts::answer::{Asked, shown_at, typed};
use crate::parts::{form as field, format};
use crate::visit::Visit;
use axum::http::StatusCode;
use axum::response::Response;
use casework::draft::merge::Change;
use casework::form::read_answer;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The page that asks whose answers count (逐项选择).
pub(crate) fn page(
    visit: &Visit,
    form: &Form,
    step: &str,
    differing: &[Change],
    changes: &[Change],
) -> Response {
    let lang = visit.lang;
    let id = form.draft.id;
    let asked: BTreeSet<String> = differing.iter().map(name_of).collect();
    // What the other one alone changed goes along as he left it; an old value sent back would undo it.
    let others: Vec<&Change> = changes
        .iter()
        .filter(|change| !asked.contains(&name_of(change)))
        .collect();
    let strangers: Vec<&Change> = others
        .iter()
        .copied()
        .filter(|change| change.by != visit.actor().officer)
        .collect();
    let taken: BTreeSet<String> = others.iter().map(|change| name_of(change)).collect();
    let carried: Fields = visit
        .form
        .iter()
        .filter(|(name, _)| {
            !["csrf", "version"].contains(name) && !asked.contains(*name) && !taken.contains(*name)
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = html! {
        form.card method="post" action=(format!("/drafts/{id}")) {
            (field::token(visit))
            input type="hidden" name="version" value=(form.draft.version);
            @for (name, value) in carried.iter() { input type="hidden" name=(name) value=(value); }
            @for change in &others {
                @if visit.form.has(&name_of(change)) {
                    input type="hidden" name=(name_of(change)) value=(theirs_typed(visit, change));
                }
            }
            p.lead { (visit.t("您填写的时候，同事保存了这份申请。下面几项两人都改了，请逐项选择留哪一个；选好以前什么都没有保存，您填的都在。")) }
            @for change in differing { (choice(visit, form, change)) }
            @if !strangers.is_empty() {
                details {
                    summary { (lang.f("同事还改了您没有动过的 {count} 项，照同事的保存", &[("count", &strangers.len())])) }
                    ul {
                        @for change in &strangers {
                            li {
                                (whose(form, change)) (label(visit, change)) (visit.t("：")) (theirs_shown(visit, change))
                                " " span.quiet { (change.officer) " " (format::instant(change.at)) }
                            }
                        }
                    }
                }
            }
            div.buttons {
                (field::act(visit.t("按选择保存")))
                a.button.plain href=(format!("/drafts/{id}?step={step}")) { (visit.t("放弃我这一页的改动，看同事保存的")) }
            }
        }
    };
    visit
        .page(visit.t("同一项两人都改了"))
        .nav("/drafts")
        .back(format!("/drafts/{id}?step={step}"), visit.t("申请表"))
        .status(StatusCode::CONFLICT)
        .show(&body)
}

fn name_of(change: &Change) -> String {
    field_name(&change.place.1, change.place.0)
}

fn label(visit: &Visit, change: &Change) -> String {
    described(visit, change).map_or_else(|| change.place.1.clone(), |asked| asked.label)
}

fn described(visit: &Visit, change: &Change) -> Option<Asked> {
    let def = visit.app.desk.book.fact(&change.place.1)?;
    Some(Asked::of(visit.lang, def))
}

/// Whose answer it is, before the name of the fact.
fn whose(form: &Form, change: &Change) -> Markup {
    let member = change.place.0.and_then(|person| {
        form.home
            .members
            .iter()
            .find(|member| member.person.id == person)
    });
    html! { @if let Some(member) = member { (member.person.name) " · " } }
}

fn theirs_typed(visit: &Visit, change: &Change) -> String {
    match (described(visit, change), &change.now) {
        (Some(asked), Some(answer)) => typed(asked.kind, &answer.value),
        _ => String::new(),
    }
}

fn theirs_shown(visit: &Visit, change: &Change) -> String {
    match (described(visit, change), &change.now) {
        (Some(asked), Some(answer)) => shown_at(visit, &asked, &answer.value),
        _ => visit.t("没有填").to_owned(),
    }
}

/// What was typed here, as people read it; what cannot be read is shown as typed.
fn mine_shown(visit: &Visit, change: &Change) -> String {
    let raw = visit.form.get(&name_of(change));
    if raw.is_empty() {
        return visit.t("没有填").to_owned();
    }
    let Some(asked) = described(visit, change) else {
        return raw.to_owned();
    };
    let options: Vec<String> = asked.options.iter().map(|(code, _)| code.clone()).collect();
    match read_answer(asked.kind, &options, raw) {
        Ok(Some(value)) => shown_at(visit, &asked, &value),
        _ => raw.to_owned(),
    }
}

/// One answer both changed: mine is chosen beforehand, because it was typed last and is on the screen.
fn choice(visit: &Visit, form: &Form, change: &Change) -> Markup {
    let lang = visit.lang;
    let name = name_of(change);
    let own = change.by == visit.actor().officer;
    let option = |at: &str, value: &str, checked: bool, text: &Markup| {
        let id = format!("{name}-{at}");
        html! {
            div.choice {
                input id=(id) type="radio" name=(name) value=(value) checked[checked] required;
                label for=(id) { (text) }
            }
        }
    };
    let before = match (described(visit, change), &change.base) {
        (Some(asked), Some(answer)) => shown_at(visit, &asked, &answer.value),
        _ => visit.t("没有填").to_owned(),
    };
    html! {
        fieldset.field id=(name) {
            legend { (whose(form, change)) (label(visit, change)) }
            div.hint { (lang.f("原来是：{value}", &[("value", &before)])) }
            div.choices {
                (option("mine", visit.form.get(&name), true, &html! {
                    (visit.t("我填的：")) strong { (mine_shown(visit, change)) }
                }))
                (option("theirs", &theirs_typed(visit, change), false, &html! {
                    @if own { (visit.t("我在另一个窗口填的：")) } @else { (lang.f("{officer} 填的：", &[("officer", &change.officer)])) }
                    strong { (theirs_shown(visit, change)) }
                    " " span.quiet { (format::instant(change.at)) }
                }))
            }
        }
    }
}
