//! One colleague's account (账号): roles by place, switching on and off, a new password, open sessions.
//!
//! Nobody changes his own account here, and nobody outside his region; both are decided by `access`, not by this page.

use super::officers::{first_password, state, told_once};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::officer::{self, Officer, Refused};
use access::{Purpose, Role, Scope, session};
use maud::{Markup, html};
use store::Event;
use vocab::Region;
use vocab::ids::OfficerId;

/// `GET /officers/{id}` (账号).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn found(visit: &Visit, scope: &Scope) -> Result<Officer, Problem> {
    let id: OfficerId = visit.id("id")?;
    officer::officer(&visit.app.db, scope, id)
        .await?
        .ok_or(Problem::NotFound)
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    let sessions = session::open_of(&visit.app.db, visit.app.door.times, officer.id).await?;
    let oneself = scope.actor.officer == officer.id;
    let act = |to: &str| format!("/officers/{}/{to}", officer.id);
    let body = html! {
        (piece::facts(&[
            (visit.t("账号").to_owned(), html! { (officer.login) }),
            (visit.t("状态").to_owned(), state(lang, &officer)),
            (visit.t("动态口令").to_owned(), html! { @if officer.second_factor { (visit.t("已启用")) } @else { (visit.t("未启用")) } }),
            (visit.t("密码设置于").to_owned(), html! { (format::instant(officer.password_set_at)) }),
        ]))
        @if oneself { p.quiet { (visit.t("这是您自己的账号。岗位和停用要由另一位管理员办理；改密码请到“我的账号”。")) } }
        (piece::section(visit.t("岗位"), &html! {
            @if officer.roles.is_empty() { p { (visit.t("还没有授岗，登录后什么都看不到。")) } }
            ul.plain-list {
                @for (role, region) in &officer.roles {
                    li.inline {
                        span { (words::role(lang, *role)) " · " (visit.place(*region)) }
                        @if !oneself {
                            form method="post" action=(act("revoke")) {
                                (form::token(visit))
                                input type="hidden" name="role" value=(role.code());
                                input type="hidden" name="region" value=(region);
                                button.danger type="submit" { (visit.t("撤岗")) }
                            }
                        }
                    }
                }
            }
            @if !oneself { (grant_form(visit, &scope, &act("grant"), errors)) }
        }))
        @if !oneself {
            (piece::section(visit.t("账号开关与密码"), &html! {
                div.buttons {
                    form method="post" action=(act("switch")) {
                        (form::token(visit))
                        @if officer.enabled {
                            button.danger type="submit" name="to" value="off" { (visit.t("停用账号")) }
                        } @else {
                            button type="submit" name="to" value="on" { (visit.t("启用账号")) }
                        }
                    }
                    @if officer.machine {
                        a.button href="/keys" { (visit.t("程序接口密钥")) }
                    } @else {
                        form method="post" action=(act("password")) {
                            (form::token(visit))
                            button type="submit" { (visit.t("重置密码")) }
                        }
                    }
                }
                @if officer.machine {
                    p.quiet { (visit.t("这是程序账号，用密钥不用密码。停用后它的密钥立即失效。")) }
                } @else {
                    p.quiet { (visit.t("停用和重置密码都会让此人在所有设备上立即退出。")) }
                }
            }))
        }
        (piece::section(visit.t("在用的登录"), &html! {
            @if sessions.is_empty() { p.quiet { (visit.t("现在没有登录。")) } }
            ul.sessions {
                @for one in &sessions {
                    li {
                        div { (one.device) }
                        div.quiet { (lang.f("登录于 {at}，最近使用 {seen}", &[
                            ("at", &format::instant(one.opened_at)), ("seen", &format::instant(one.seen_at)),
                        ])) }
                    }
                }
            }
            @if !sessions.is_empty() && !oneself {
                form method="post" action=(act("sessions/end")) {
                    (form::token(visit))
                    (form::lesser(visit.t("让此人在所有设备上退出")))
                }
            }
        }))
    };
    let note = match visit.query.get("done") {
        "granted" => Some(html! { (visit.t("已授岗，此人下一次操作起生效。")) }),
        "revoked" => Some(html! { (visit.t("已撤岗，此人下一次操作起生效。")) }),
        "on" => Some(html! { (visit.t("账号已启用。")) }),
        "off" => Some(html! { (visit.t("账号已停用，此人已在所有设备上退出。")) }),
        "ended" => Some(html! { (visit.t("此人已在所有设备上退出。")) }),
        _ => None,
    };
    Ok(visit
        .page(&officer.name)
        .nav("/officers")
        .back("/officers", visit.t("账号管理"))
        .note(note)
        .errors(errors)
        .show(&body))
}

fn grant_form(visit: &Visit, scope: &Scope, to: &str, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let roles: Vec<(String, String)> = Role::ALL
        .into_iter()
        .map(|role| (role.code().to_owned(), words::role(lang, role).to_owned()))
        .collect();
    html! {
        form.act-form method="post" action=(to) {
            (form::token(visit))
            div.row-fields {
                (field(lang, "role", visit.t("岗位")).value(visit.form.get("role")).errors(errors).select(&roles))
                (field(lang, "region", visit.t("在哪里")).value(visit.form.get("region")).errors(errors)
                    .select(&places(visit, scope.region)))
            }
            (form::lesser(visit.t("授岗")))
        }
    }
}

/// The places a role or a pay run can be for: the place itself, then everything under it.
pub(crate) fn places(visit: &Visit, region: Region) -> Vec<(String, String)> {
    let mut places = words::places_under(visit.lang, &visit.app.desk.book, region);
    let division = visit.app.desk.book.place().division;
    let top = if region.holds(division) {
        division
    } else {
        region
    };
    if places.iter().all(|(code, _)| *code != top.to_string()) {
        places.insert(0, (top.to_string(), visit.place(top)));
    }
    places
}

fn role_and_place(visit: &Visit) -> Result<(Role, Region), Vec<FieldError>> {
    let role = visit.form.get("role").parse().ok();
    let region = visit.form.get("region").parse().ok();
    let mut wrong = Vec::new();
    if role.is_none() {
        wrong.push(fault("role", visit.t("请选择岗位")));
    }
    if region.is_none() {
        wrong.push(fault("region", visit.t("请选择在哪里任这个岗位")));
    }
    role.zip(region).ok_or(wrong)
}

/// What a refusal becomes: the page again with the sentence, or nothing to see.
async fn refused(visit: &Visit, refused: Refused, field: &str) -> Answer {
    match refused {
        Refused::Denied(denied) => Err(denied.into()),
        Refused::NoSuchOfficer => Err(Problem::NotFound),
        refused => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault(field, sentence)]).await
        }
    }
}

/// `POST /officers/{id}/grant` (授岗).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn grant(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    let (role, region) = match role_and_place(visit) {
        Ok(wanted) => wanted,
        Err(wrong) => return page(visit, &wrong).await,
    };
    let mut tx = visit.app.db.begin().await?;
    match officer::grant_role(&mut tx, &scope, officer.id, role, region).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/officers/{}?done=granted", officer.id))
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why, "role").await
        }
    }
}

/// `POST /officers/{id}/revoke` (撤岗).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn revoke(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    let (role, region) = match role_and_place(visit) {
        Ok(wanted) => wanted,
        Err(wrong) => return page(visit, &wrong).await,
    };
    let mut tx = visit.app.db.begin().await?;
    match officer::revoke_role(&mut tx, &scope, officer.id, role, region).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/officers/{}?done=revoked", officer.id))
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why, "").await
        }
    }
}

/// `POST /officers/{id}/switch` (启用、停用).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn switch(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    let on = visit.form.get("to") == "on";
    let mut tx = visit.app.db.begin().await?;
    let done = if on {
        officer::enable_officer(&mut tx, &scope, officer.id).await?
    } else {
        officer::disable_officer(&mut tx, &scope, officer.id).await?
    };
    match done {
        Ok(()) => {
            tx.commit().await?;
            let word = if on { "on" } else { "off" };
            visit.go(&format!("/officers/{}?done={word}", officer.id))
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why, "").await
        }
    }
}

/// `POST /officers/{id}/password` (重置密码).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn password(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    let password = first_password(visit, &officer.login);
    let mut tx = visit.app.db.begin().await?;
    match officer::set_password(&mut tx, &scope, &visit.app.door, officer.id, &password).await? {
        Ok(()) => {
            tx.commit().await?;
            told_once(
                visit,
                visit.t("密码已重置"),
                &officer.login,
                &password,
                (&format!("/officers/{}", officer.id), visit.t("返回")),
            )
        }
        Err(why) => {
            tx.rollback().await?;
            refused(visit, why, "").await
        }
    }
}

/// `POST /officers/{id}/sessions/end` (全部下线).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn end_sessions(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let officer = found(visit, &scope).await?;
    // Whoever also holds a role elsewhere is managed there.
    if !officer.roles.iter().all(|(_, region)| scope.holds(*region)) {
        return Err(Problem::NotFound);
    }
    let mut tx = visit.app.db.begin().await?;
    session::end_all(&mut tx, officer.id, "管理员让其退出").await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "access.session_ended".to_owned(),
        subject_kind: "officer".to_owned(),
        subject_id: officer.id.to_string(),
        region: None,
        detail: serde_json::Value::Null,
    });
    tx.commit().await?;
    visit.go(&format!("/officers/{}?done=ended", officer.id))
}
