//! One's own account (我的账号): password, second factor, and the machines one is signed in on.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::second_factor::{self, Enrolment};
use access::{Signed, officer, session};
use axum::response::Response;
use maud::{Markup, PreEscaped, html};
use vocab::ids::SessionId;

/// `GET /account` (我的账号).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None, &[]).await
}

async fn page(visit: &Visit, enrolment: Option<&Enrolment>, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let signed = visit.signed()?;
    let open = session::open_of(&visit.app.db, visit.app.door.times, signed.actor.officer).await?;
    let note = match visit.query.get("done") {
        "password" => Some(html! { (lang.t("密码已修改，其他设备上的登录已退出。")) }),
        "on" => Some(html! { (lang.t("动态口令已启用，下次登录要用。")) }),
        "off" => Some(html! { (lang.t("动态口令已停用。")) }),
        "ended" => Some(html! { (lang.t("那台设备已退出。")) }),
        _ if signed.must_change => Some(html! { (lang.t("请先改密码，改好后才能办事。")) }),
        _ => None,
    };
    let roles = html! {
        ul.plain-list {
            @for (role, region) in &signed.actor.roles { li { (words::role(lang, *role)) " · " (visit.place(*region)) } }
        }
        @if signed.actor.roles.is_empty() { p { (lang.t("还没有授岗，请联系系统管理员。")) } }
    };
    let body = html! {
        (piece::section(lang.t("我的岗位"), &roles))
        (piece::section(lang.t("我的导出"), &html! {
            p { a href="/exports" { (lang.t("看后台生成的文件")) } }
        }))
        (piece::section(lang.t("修改密码"), &html! {
            form.narrow method="post" action="/account/password" {
                (form::token(visit))
                (field(lang, "present", lang.t("原密码")).errors(errors).autocomplete("current-password").password())
                (field(lang, "wanted", lang.t("新密码"))
                    .hint(html! { (lang.t("至少 10 位，大写、小写、数字、符号中至少三类")) })
                    .errors(errors).autocomplete("new-password").password())
                (field(lang, "again", lang.t("再输一遍新密码")).errors(errors).autocomplete("new-password").password())
                (form::act(lang.t("修改密码")))
            }
        }))
        (piece::section(lang.t("动态口令"), &second_factor_part(visit, signed, enrolment, errors)?))
        (piece::section(lang.t("在用的登录"), &html! {
            ul.sessions {
                @for one in &open {
                    li {
                        div { (one.device) }
                        div.quiet {
                            (lang.f("登录于 {at}，最近使用 {seen}", &[
                                ("at", &format::instant(one.opened_at)), ("seen", &format::instant(one.seen_at)),
                            ]))
                        }
                        @if one.id == signed.session.id { span.tag { (lang.t("本机")) } }
                        @else {
                            form method="post" action="/account/sessions/end" {
                                (form::token(visit))
                                input type="hidden" name="session" value=(one.id);
                                (form::lesser(lang.t("让它退出")))
                            }
                        }
                    }
                }
            }
        }))
    };
    Ok(visit
        .page(lang.t("我的账号"))
        .note(note)
        .errors(errors)
        .show(&body))
}

fn second_factor_part(
    visit: &Visit,
    signed: &Signed,
    enrolment: Option<&Enrolment>,
    errors: &[FieldError],
) -> anyhow::Result<Markup> {
    let lang = visit.lang;
    let code = |label: &str, act: &str| {
        html! {
            (field(lang, "code", lang.t("动态口令")).errors(errors).autocomplete("one-time-code").count())
            button.primary type="submit" name="act" value=(act) { (label) }
        }
    };
    Ok(html! {
        form.narrow method="post" action="/account/second-factor" {
            (form::token(visit))
            @if signed.second_factor {
                p { (lang.t("已启用。登录时除密码外还要手机口令程序里的 6 位数字。")) }
                (code(lang.t("停用动态口令"), "remove"))
            } @else if let Some(enrolment) = enrolment {
                p { (lang.t("用手机口令程序扫码，再输入它显示的 6 位数字。")) }
                div.qr { (PreEscaped(papers::qr_svg(&enrolment.link)?)) }
                p.quiet { (lang.t("不能扫码时手工输入：")) code { (enrolment.secret) } }
                (code(lang.t("启用动态口令"), "confirm"))
            } @else {
                p { (lang.t("未启用。启用后，登录除密码外还要手机口令程序里的 6 位数字，别人拿到密码也进不来。")) }
                button type="submit" name="act" value="begin" { (lang.t("开始绑定")) }
            }
        }
    })
}

/// `POST /account/password` (修改密码).
///
/// # Errors
/// A fault of the database.
pub async fn password(visit: &Visit) -> Answer {
    let signed = visit.signed()?;
    let as_typed = |name| visit.form.all(name).next().unwrap_or("").to_owned();
    let (present, wanted, again) = (as_typed("present"), as_typed("wanted"), as_typed("again"));
    if wanted != again {
        return page(
            visit,
            None,
            &[fault(
                "again",
                visit.t("两次输入的新密码不一样，请重新输入"),
            )],
        )
        .await;
    }
    match officer::change_own_password(&visit.app.db, &visit.app.door, signed, &present, &wanted)
        .await?
    {
        Ok(()) => visit.go("/account?done=password"),
        Err(refused) => {
            let field = if refused == officer::Refused::WrongPassword {
                "present"
            } else {
                "wanted"
            };
            let wrong = [fault(
                field,
                words::sentence(visit.lang, &refused.to_string()),
            )];
            page(visit, None, &wrong).await
        }
    }
}

/// `POST /account/second-factor` (绑定、启用、停用动态口令).
///
/// # Errors
/// A fault of the database.
pub async fn second_factor(visit: &Visit) -> Answer {
    let signed = visit.signed()?;
    let code = visit.form.get("code");
    let mut tx = visit.app.db.begin().await?;
    let (outcome, done): (Result<(), second_factor::Refused>, Response) =
        match visit.form.get("act") {
            "begin" => {
                let enrolment = second_factor::begin(&mut tx, signed).await?;
                tx.commit().await?;
                return page(visit, Some(&enrolment), &[]).await;
            }
            "confirm" => (
                second_factor::confirm(&mut tx, signed, code).await?,
                crate::visit::redirect("/account?done=on"),
            ),
            "remove" => (
                second_factor::remove(&mut tx, signed, code).await?,
                crate::visit::redirect("/account?done=off"),
            ),
            _ => return Err(Problem::NotFound),
        };
    match outcome {
        Ok(()) => {
            tx.commit().await?;
            Ok(done)
        }
        Err(refused) => {
            let enrolment = second_factor::enrolment(&tx, signed).await?;
            tx.rollback().await?;
            let wrong = [fault(
                "code",
                words::sentence(visit.lang, &refused.to_string()),
            )];
            page(visit, enrolment.as_ref(), &wrong).await
        }
    }
}

/// `POST /account/sessions/end` (下线其他设备).
///
/// # Errors
/// A fault of the database.
pub async fn end_session(visit: &Visit) -> Answer {
    let signed = visit.signed()?;
    let id: SessionId = visit
        .form
        .get("session")
        .parse()
        .map_err(|_| Problem::NotFound)?;
    let mut tx = visit.app.db.begin().await?;
    session::end(&mut tx, signed.actor.officer, id, "本人下线").await?;
    tx.commit().await?;
    visit.go("/account?done=ended")
}
