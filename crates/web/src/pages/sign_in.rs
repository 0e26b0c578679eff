//! Signing in and out (登录与退出): password, then a code where one is enrolled.
//!
//! After a session ran out in the middle of a form, what was typed is kept in the sign-in page and can be sent on.

use crate::fields::Fields;
use crate::guard::session_cookie;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::format;
use crate::problem::Answer;
use crate::visit::{Visit, local_path, redirect};
use crate::words;
use access::session::Opened;
use access::sign_in::{Knock, Refused};
use access::{second_factor, session};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use maud::{Markup, html};

/// The cookie that holds the token; it dies with the browser.
fn cookie(visit: &Visit, token: &str, life: &str) -> HeaderValue {
    let secure = visit.app.config.secure;
    let name = session_cookie(secure);
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{life}"
    ))
    .unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// `GET /sign-in` (登录页).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    if visit.signed.is_some() {
        return visit.go(local_path(visit.query.get("next")));
    }
    Ok(page(visit, visit.query.get("next"), "", &[]))
}

fn page(visit: &Visit, next: &str, login: &str, errors: &[FieldError]) -> Response {
    let lang = visit.lang;
    let body = html! {
        div.sign-in {
            form.card method="post" action="/sign-in" {
                (form::token(visit))
                input type="hidden" name="next" value=(local_path(next));
                (carried(visit))
                (field(lang, "login", lang.t("账号")).value(login).errors(errors).autocomplete("username").text())
                (field(lang, "password", lang.t("密码")).errors(errors).autocomplete("current-password").password())
                (form::act(lang.t("登录")))
                p.quiet { (lang.t("忘记密码：请本单位系统管理员重置。")) }
            }
            @if !visit.app.config.demo_accounts.is_empty() { (demo_accounts(visit)) }
        }
    };
    visit
        .page(lang.t("工作人员登录"))
        .quiet()
        .errors(errors)
        .show(&body)
}

/// The accounts of the demonstration, each with a button that signs in.
fn demo_accounts(visit: &Visit) -> Markup {
    let lang = visit.lang;
    html! {
        section.card.accounts {
            h2 { (lang.t("演示账号")) }
            p.quiet { (lang.t("点一下就用这个身份登录；数据都是编的。")) }
            ul {
                @for account in &visit.app.config.demo_accounts {
                    li {
                        form method="post" action="/sign-in" {
                            (form::token(visit))
                            input type="hidden" name="login" value=(account.login);
                            input type="hidden" name="password" value=(account.password);
                            button type="submit" { (lang.pick(&account.what_zh, &account.what_en)) }
                            span.quiet { code { (account.login) } " / " code { (account.password) } }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /sign-in` (登录).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let login = visit.form.get("login");
    // The password is taken as typed: blanks belong to it.
    let password = visit.form.all("password").next().unwrap_or("");
    let next = local_path(visit.form.get("next"));
    if login.is_empty() || password.is_empty() {
        let field = if login.is_empty() {
            "login"
        } else {
            "password"
        };
        let wrong = [fault(field, visit.t("请填写账号和密码"))];
        return Ok(page(visit, next, login, &wrong));
    }
    let knock = Knock {
        login,
        password,
        address: &visit.address,
        device: &visit.device,
    };
    match access::sign_in(&visit.app.db, &visit.app.door, &knock).await? {
        Ok(opened) => {
            if !opened.session.proved && visit.form.some("resume_to").is_some() {
                let token = visit.token_of(&opened.session);
                let page = code_page_with(visit, &token, next, &[]);
                return Ok(with_cookie(page, cookie(visit, &opened.token, "")));
            }
            let to = if opened.session.proved {
                next.to_owned()
            } else {
                Fields::new().with("next", next).href("/sign-in/code")
            };
            Ok(enter(visit, &opened, &to))
        }
        Err(refused) => {
            let sentence = match &refused {
                Refused::WrongNameOrPassword => words::sentence(visit.lang, &refused.to_string()),
                Refused::TooManyTries { again_at } => visit.lang.f(
                    "登录失败次数太多，请在 {time} 以后再试，或请系统管理员重置密码",
                    &[("time", &format::clock_time(*again_at))],
                ),
            };
            let status = match refused {
                Refused::WrongNameOrPassword => StatusCode::UNPROCESSABLE_ENTITY,
                Refused::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            };
            let mut response = page(visit, next, login, &[fault("login", sentence)]);
            *response.status_mut() = status;
            Ok(response)
        }
    }
}

/// What was typed into a form when the session ran out, on its way through the sign-in.
fn carried(visit: &Visit) -> Markup {
    let (to, fields) = if visit.route.path.starts_with("/sign-in") {
        (
            visit.form.get("resume_to").to_owned(),
            visit.form.get("resume").to_owned(),
        )
    } else {
        let kept: Fields = visit
            .form
            .iter()
            .filter(|(name, _)| *name != "csrf")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        (visit.here.clone(), kept.all_of())
    };
    html! {
        @if !to.is_empty() {
            div.note.warn { (visit.t("登录已过期。您填的内容还在，登录后接着提交。")) }
            input type="hidden" name="resume_to" value=(to);
            input type="hidden" name="resume" value=(fields);
        }
    }
}

/// The sign-in page in the place of a form whose session ran out (登录过期).
pub(crate) fn interrupted(visit: &Visit) -> Response {
    let mut response = page(visit, "/", "", &[]);
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

/// After signing in again: the form that was interrupted, to be sent on with one press.
fn resumed(visit: &Visit, opened: &Opened) -> Response {
    let to = local_path(visit.form.get("resume_to"));
    let fields = Fields::read(visit.form.get("resume"));
    let body = html! {
        div.problem {
            p.lead { (visit.t("您已重新登录。刚才填的内容还在，按下面的按钮接着提交。")) }
            form method="post" action=(to) {
                input type="hidden" name="csrf" value=(visit.token_of(&opened.session));
                @for (name, value) in fields.iter() { input type="hidden" name=(name) value=(value); }
                div.buttons {
                    (form::act(visit.t("接着提交")))
                    a.button.plain href="/" { (visit.t("不提交了，回首页")) }
                }
            }
        }
    };
    let page = visit.page(visit.t("接着刚才的")).quiet().show(&body);
    with_cookie(page, cookie(visit, &opened.token, ""))
}

fn enter(visit: &Visit, opened: &Opened, to: &str) -> Response {
    if opened.session.proved && !opened.must_change && visit.form.some("resume_to").is_some() {
        return resumed(visit, opened);
    }
    let to = if opened.must_change {
        "/account?must=1"
    } else {
        to
    };
    with_cookie(redirect(to), cookie(visit, &opened.token, ""))
}

/// `GET /sign-in/code` (动态口令页).
///
/// # Errors
/// None.
pub async fn code(visit: &Visit) -> Answer {
    if visit.half_signed.is_none() {
        return visit.go("/sign-in");
    }
    Ok(code_page(visit, visit.query.get("next"), &[]))
}

fn code_page(visit: &Visit, next: &str, errors: &[FieldError]) -> Response {
    code_page_with(visit, &visit.token(), next, errors)
}

fn code_page_with(visit: &Visit, token: &str, next: &str, errors: &[FieldError]) -> Response {
    let lang = visit.lang;
    let body = html! {
        div.sign-in {
            form.card method="post" action="/sign-in/code" {
                input type="hidden" name="csrf" value=(token);
                input type="hidden" name="next" value=(local_path(next));
                (carried(visit))
                (field(lang, "code", lang.t("动态口令")).hint(html! { (lang.t("手机口令程序里 6 位数字")) })
                    .errors(errors).autocomplete("one-time-code").count())
                (form::act(lang.t("验证并登录")))
            }
        }
    };
    visit
        .page(lang.t("请输入动态口令"))
        .quiet()
        .errors(errors)
        .show(&body)
}

/// `POST /sign-in/code` (验证动态口令).
///
/// # Errors
/// A fault of the database.
pub async fn post_code(visit: &Visit) -> Answer {
    let Some(half) = &visit.half_signed else {
        return visit.go("/sign-in");
    };
    let next = local_path(visit.form.get("next"));
    match second_factor::show(&visit.app.db, &visit.app.door, half, visit.form.get("code")).await? {
        Ok(opened) => Ok(enter(visit, &opened, next)),
        Err(second_factor::Refused::WrongCode) => {
            let sentence =
                words::sentence(visit.lang, &second_factor::Refused::WrongCode.to_string());
            Ok(code_page(visit, next, &[fault("code", sentence)]))
        }
        Err(refused) => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            Ok(page(visit, next, "", &[fault("login", sentence)]))
        }
    }
}

/// `POST /sign-out` (退出). Tells the browser to forget everything of this site, for shared window computers.
///
/// # Errors
/// A fault of the database.
pub async fn sign_out(visit: &Visit) -> Answer {
    if let Some(signed) = visit.signed.as_ref().or(visit.half_signed.as_ref()) {
        let mut tx = visit.app.db.begin().await?;
        session::end(&mut tx, signed.actor.officer, signed.session.id, "退出").await?;
        tx.commit().await?;
    }
    let mut response = with_cookie(redirect("/sign-in"), cookie(visit, "", "; Max-Age=0"));
    response.headers_mut().insert(
        "clear-site-data",
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(response)
}
