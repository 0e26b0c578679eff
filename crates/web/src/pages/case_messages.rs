//! 办件的告知消息: who was told what about a case and when, how far it came; sending again; how the applicant wants to be told.
//!
//! Guarantees: the look is journalled; a number is never shown. Deliberately absent: writing messages by hand.

use super::messages::{channel, happening, state};
use crate::parts::form::{self, FieldError, fault, field, lesser};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Role, Scope};
use casework::told::{About, Told, told};
use maud::{Markup, html};
use notify::contact::{self, Contact, NewContact};
use notify::message::{self, MessageRow};
use notify::note::{self, Note};
use std::sync::Arc;
use vocab::ids::CaseId;

/// `GET /cases/{id}/messages` (办件的告知消息).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, visit.id("id")?, &[], &[]).await
}

async fn of(visit: &Visit, scope: &Scope, id: CaseId) -> Result<Told, Problem> {
    let found = told(&visit.app.db, scope, &About::Cases(vec![id])).await?;
    found.into_iter().next().ok_or(Problem::NotFound)
}

async fn page(visit: &Visit, id: CaseId, errors: &[FieldError], refused: &[FieldError]) -> Answer {
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let db = &visit.app.db;
    let case = of(visit, &scope, id).await?;
    let messages = message::of_case(db, &scope, id).await?;
    let notes = note::of_case(db, &scope, id).await?;
    let wants = contact::contact(db, &scope, case.applicant).await?;
    let nothing = piece::empty(
        visit.t("这件办件还没有告知消息。"),
        &html! { a.button href=(format!("/cases/{id}")) { (visit.t("打开办件")) } },
    );
    let body = html! {
        (piece::section(visit.t("发给申请人"), &html! {
            @if messages.is_empty() { (nothing) } @else { (sent(visit, &messages)) }
        }))
        @if !notes.is_empty() { (piece::section(visit.t("提醒岗位"), &reminded(visit, &notes))) }
        @if let Some(wants) = wants {
            (piece::section(visit.t("申请人愿意怎样被告知"), &wanted(visit, id, &wants, errors)))
        }
    };
    let note = match visit.query.get("done") {
        "again" => Some(html! { (visit.t("已交发送。发出以后这里会写明送达情况。")) }),
        "contact" => Some(html! { (visit.t("已登记告知意愿。")) }),
        _ => None,
    };
    let all: Vec<FieldError> = errors.iter().chain(refused).cloned().collect();
    Ok(visit
        .page(
            visit
                .lang
                .f("{number} 的告知消息", &[("number", &case.number)]),
        )
        .nav("/cases")
        .back("/cases", visit.t("办件"))
        .back(format!("/cases/{id}"), case.number.clone())
        .wide()
        .note(note)
        .errors(&all)
        .show(&body))
}

fn sent(visit: &Visit, messages: &[MessageRow]) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("生成时间")),
        table::text(visit.t("事由")),
        table::text(visit.t("告诉谁")),
        table::text(visit.t("内容")),
        table::text(visit.t("状态")),
        table::text(visit.t("再发一次")),
    ];
    let rows = messages
        .iter()
        .map(|one| {
            table::still(vec![
                html! { (format::instant(one.created_at)) },
                html! { (happening(lang, one.happening)) div.quiet { (channel(lang, one.channel)) } },
                html! { (one.name_masked) },
                html! {
                    (one.text.as_deref().unwrap_or_default())
                    div.quiet { (lang.f("{n} 条", &[("n", &one.parts)])) }
                },
                standing(visit, one),
                again(visit, one),
            ])
        })
        .collect();
    table::table(
        lang,
        visit.t("发给申请人"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}

/// How far one came, with its times and the reason.
fn standing(visit: &Visit, one: &MessageRow) -> Markup {
    let lang = visit.lang;
    html! {
        strong { (state(lang, one.state)) }
        @if !one.reason.is_empty() { div { (one.reason) } }
        @if let Some(at) = one.not_before.filter(|_| one.state.waits()) {
            div.quiet { (lang.f("{at} 发送", &[("at", &format::instant(at))])) }
        }
        @if let Some(at) = one.sent_at { div.quiet { (lang.f("{at} 发出", &[("at", &format::instant(at))])) } }
        @if let Some(at) = one.settled_at { div.quiet { (lang.f("{at} 得知结果", &[("at", &format::instant(at))])) } }
        @if !one.resent_by.is_empty() { div.quiet { (lang.f("由 {name} 重发", &[("name", &one.resent_by)])) } }
    }
}

fn again(visit: &Visit, one: &MessageRow) -> Markup {
    html! {
        @if visit.can(Permission::ActOnCases) && !one.state.waits() {
            form method="post" action=(format!("/messages/{}/resend", one.id)) {
                (form::token(visit))
                input type="hidden" name="case" value=(one.case);
                (lesser(visit.t("再发一次")))
            }
        }
    }
}

fn reminded(visit: &Visit, notes: &[(Note, Option<Role>)]) -> Markup {
    let lang = visit.lang;
    html! {
        ul.plain-list { @for (one, role) in notes {
            li {
                time datetime=(one.at.to_rfc3339()) { (format::instant(one.at)) } " "
                @if let Some(role) = role { span.tag { (words::role(lang, *role)) } " " }
                (lang.pick(&one.zh, &one.en))
            }
        } }
    }
}

fn wanted(visit: &Visit, id: CaseId, wants: &Contact, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let typed = visit.form.get("email");
    let refuses: Vec<&str> = [("sms", wants.no_sms), ("email", wants.no_email)]
        .into_iter()
        .filter_map(|(word, no)| no.then_some(word))
        .collect();
    let ways = [
        ("sms".to_owned(), visit.t("不要短信").to_owned()),
        ("email".to_owned(), visit.t("不要电子邮件").to_owned()),
    ];
    let languages = [
        ("zh".to_owned(), "中文".to_owned()),
        ("en".to_owned(), "English".to_owned()),
    ];
    let may = visit.can(Permission::ActOnCases);
    html! {
        @if may {
            form.narrow method="post" action=(format!("/cases/{id}/messages")) {
                (form::token(visit))
                (field(lang, "refuses", visit.t("本人不愿接收")).optional().ticks(&ways, &refuses))
                (field(lang, "email", visit.t("电子邮件")).optional().value(typed).errors(errors).hint(html! {
                    @if wants.email_masked.is_empty() { (visit.t("经本人同意后登记")) }
                    @else { (lang.f("已登记 {email}；不改就留空", &[("email", &wants.email_masked)])) }
                }).text())
                @if !wants.email_masked.is_empty() {
                    div.choice { input #forget type="checkbox" name="forget" value="1"; label for="forget" { (visit.t("删去已登记的电子邮件")) } }
                }
                (field(lang, "language", visit.t("消息用语")).value(if wants.english { "en" } else { "zh" }).radios(&languages))
                (form::act(visit.t("登记告知意愿")))
            }
        } @else {
            p {
                @if refuses.is_empty() { (visit.t("本人没有拒收消息。")) }
                @for (word, label) in &ways { @if refuses.contains(&word.as_str()) { span.tag { (label) } " " } }
            }
        }
    }
}

/// `POST /cases/{id}/messages` (登记告知意愿).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn contact(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::ActOnCases, Purpose::Application)?;
    let id: CaseId = visit.id("id")?;
    let case = of(visit, &scope, id).await?;
    let form = &visit.form;
    let refuses: Vec<&str> = form.all("refuses").collect();
    let typed = form.get("email").trim();
    let email = if form.has("forget") {
        Some(String::new())
    } else {
        (!typed.is_empty()).then(|| typed.to_owned())
    };
    let new = NewContact {
        email,
        english: form.get("language") == "en",
        no_sms: refuses.contains(&"sms"),
        no_email: refuses.contains(&"email"),
    };
    let mut tx = visit.app.db.begin().await?;
    match contact::set_contact(&mut tx, &scope, case.applicant, &new).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}/messages?done=contact"))
        }
        Err(contact::Refused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            drop(tx);
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, id, &[fault("email", sentence)], &[]).await
        }
    }
}

/// `POST /messages/{message}/resend` (重发消息).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn resend(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::ActOnCases, Purpose::Review)?;
    let id = visit.id("message")?;
    let case: CaseId = visit
        .form
        .get("case")
        .parse()
        .map_err(|_| Problem::NotFound)?;
    let desk = Arc::clone(&visit.app.desk);
    let rules = tokio::task::spawn_blocking(move || notify::rules::rules_of(&desk.book))
        .await
        .map_err(anyhow::Error::from)??;
    let mut tx = visit.app.db.begin().await?;
    let on = &visit.app.config.channels;
    match message::resend(&mut tx, &scope, &rules, on, id).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{case}/messages?done=again"))
        }
        Err(message::Refused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            drop(tx);
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, case, &[], &[fault("refuses", sentence)]).await
        }
    }
}
