//! Keys of the interface for programs (程序接口密钥): the list, letting a program in, another key for it, taking one away.
//!
//! A secret is shown once, on the answer to making it. Which permissions a key may have is decided by `access`.

use super::officer::places;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::api_key::{self, Key, KeyRefused, Made, NewKey, may_be_given};
use access::officer::Refused;
use access::{Permission, Purpose, Role, TABLE};
use chrono::{Days, NaiveDate};
use maud::{Markup, html};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How long a key lives if nothing else is said, and how often it may call.
const DAYS: u64 = 180;
const A_MINUTE: &str = "120";

/// `GET /keys` (密钥列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let keys = api_key::list(&visit.app.db, &scope).await?;
    let columns = [
        table::text(visit.t("程序")),
        table::text(visit.t("密钥开头")),
        table::text(visit.t("岗位")),
        table::text(visit.t("有效期至")),
        table::text(visit.t("最近使用")),
        table::text(visit.t("状态")),
    ];
    let rows = keys
        .iter()
        .map(|key| {
            table::row(
                format!("/keys/{}", key.id),
                vec![
                    html! { (key.name) },
                    html! { code { (key.prefix) "…" } },
                    roles(visit, key),
                    html! { (format::date(key.until)) },
                    html! { (used(visit, key)) },
                    state(visit, key),
                ],
            )
        })
        .collect();
    let body = html! {
        div.card { details open[!errors.is_empty()] {
            summary { strong { (visit.t("签发密钥")) } }
            (new_form(visit, scope.region, errors))
        } }
        @if keys.is_empty() {
            (piece::empty(visit.t("还没有程序接入。签发后把密钥交给程序的负责人。"), &html! { a.button href="/api" { (visit.t("给开发者的说明")) } }))
        } @else {
            (table::table(visit.lang, visit.t("程序接口密钥"), &columns, rows, "/keys", &visit.query))
        }
    };
    let note = (visit.query.get("done") == "revoked")
        .then(|| html! { (visit.t("密钥已吊销，下一次调用就会被拒绝。")) });
    Ok(visit
        .page(visit.t("程序接口密钥"))
        .nav("/keys")
        .wide()
        .acts(html! { a.button href="/api" { (visit.t("给开发者的说明")) } })
        .note(note)
        .errors(errors)
        .show(&body))
}

fn roles(visit: &Visit, key: &Key) -> Markup {
    html! {
        ul.plain-list {
            @for (role, region) in &key.roles {
                li { (words::role(visit.lang, *role)) " · " (visit.place(*region)) }
            }
        }
    }
}

fn used(visit: &Visit, key: &Key) -> String {
    key.used_at
        .map_or_else(|| visit.t("从未使用").to_owned(), format::instant)
}

fn state(visit: &Visit, key: &Key) -> Markup {
    html! {
        @if key.ended_at.is_some() { (piece::tag(visit.t("已吊销"))) }
        @else if key.until < visit.today() { (piece::tag(visit.t("已过期"))) }
        @else { (visit.t("可用")) }
    }
}

fn new_form(visit: &Visit, region: vocab::Region, errors: &[FieldError]) -> Markup {
    let (lang, form) = (visit.lang, &visit.form);
    let roles: Vec<(String, String)> = Role::ALL
        .into_iter()
        .filter(|role| {
            TABLE
                .iter()
                .any(|(permission, roles, _)| may_be_given(*permission) && roles.contains(role))
        })
        .map(|role| (role.code().to_owned(), words::role(lang, role).to_owned()))
        .collect();
    let permissions: Vec<(String, String)> = TABLE
        .iter()
        .filter(|(permission, ..)| may_be_given(*permission))
        .map(|(permission, ..)| (permission.code(), words::permission(lang, *permission)))
        .collect();
    let chosen: Vec<&str> = form.all("permission").collect();
    html! {
        form.narrow method="post" action="/keys" {
            (form::token(visit))
            (field(lang, "name", visit.t("程序叫什么")).value(form.get("name")).errors(errors).text())
            (field(lang, "login", visit.t("账号名")).value(form.get("login"))
                .hint(html! { (visit.t("3 到 40 个小写字母、数字、点或短横")) }).errors(errors).text())
            div.row-fields {
                (field(lang, "role", visit.t("岗位")).value(form.get("role")).errors(errors).select(&roles))
                (field(lang, "region", visit.t("在哪里")).value(form.get("region")).errors(errors).select(&places(visit, region)))
            }
            (field(lang, "permission", visit.t("可以做什么")).hint(html! { (visit.t("只选岗位本来就有的；要本人再次验证身份的事不能交给程序")) })
                .errors(errors).ticks(&permissions, &chosen))
            div.row-fields {
                (field(lang, "until", visit.t("有效期至")).value(form.some("until").unwrap_or(&format::date(usual_end(visit)))).errors(errors).date())
                (field(lang, "a_minute", visit.t("每分钟最多几次")).value(form.some("a_minute").unwrap_or(A_MINUTE)).errors(errors).count())
            }
            (form::act(visit.t("签发密钥")))
        }
    }
}

fn usual_end(visit: &Visit) -> NaiveDate {
    let today = visit.today();
    today.checked_add_days(Days::new(DAYS)).unwrap_or(today)
}

/// `POST /keys` (签发密钥).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let new = match typed(visit) {
        Ok(new) => new,
        Err(wrong) => return page(visit, &wrong).await,
    };
    let name = new.name.clone();
    let mut tx = visit.app.db.begin().await?;
    match api_key::make(&mut tx, &scope, &visit.app.door, new).await? {
        Ok(made) => {
            tx.commit().await?;
            told_once(visit, &name, &made)
        }
        Err(refused) => {
            tx.rollback().await?;
            let wrong = fault_of(visit, refused)?;
            page(visit, &[wrong]).await
        }
    }
}

fn typed(visit: &Visit) -> Result<NewKey, Vec<FieldError>> {
    let form = &visit.form;
    let mut wrong = Vec::new();
    let role: Option<Role> = form.get("role").parse().ok();
    if role.is_none() {
        wrong.push(fault("role", visit.t("请选择岗位")));
    }
    let region = form.get("region").parse().ok();
    if region.is_none() {
        wrong.push(fault("region", visit.t("请选择在哪里任这个岗位")));
    }
    let until = form.get("until").parse().ok();
    if until.is_none() {
        wrong.push(fault("until", visit.t("请填写日期，例如 2026-06-01")));
    }
    let permissions: BTreeSet<Permission> = TABLE
        .iter()
        .map(|(permission, ..)| *permission)
        .filter(|permission| form.all("permission").any(|one| one == permission.code()))
        .collect();
    let (Some(role), Some(region), Some(until)) = (role, region, until) else {
        return Err(wrong);
    };
    Ok(NewKey {
        login: form.get("login").to_lowercase(),
        name: form.get("name").to_owned(),
        role,
        region,
        permissions,
        until,
        a_minute: form.get("a_minute").parse().unwrap_or(0),
    })
}

/// What a refusal says, at its field.
fn fault_of(visit: &Visit, refused: KeyRefused) -> Result<FieldError, Problem> {
    let field = match &refused {
        KeyRefused::Account(Refused::Denied(denied)) => return Err(denied.clone().into()),
        KeyRefused::NoSuchKey => return Err(Problem::NotFound),
        KeyRefused::Account(Refused::NameMissing) => "name",
        KeyRefused::Account(Refused::RolesApart { .. }) => "role",
        KeyRefused::Account(_) => "login",
        KeyRefused::NothingAllowed
        | KeyRefused::NotOfTheRole { .. }
        | KeyRefused::OnlyAPerson(_) => "permission",
        KeyRefused::BadEnd => "until",
        KeyRefused::BadRate => "a_minute",
    };
    let sentence = words::sentence(visit.lang, &refused.to_string());
    Ok(fault(field, sentence))
}

/// The page that shows a secret once.
fn told_once(visit: &Visit, name: &str, made: &Made) -> Answer {
    let body = html! {
        div.note role="status" {
            p { (visit.t("密钥只显示这一次，请现在交给程序的负责人。不要写进代码、邮件或聊天。")) }
        }
        (piece::section(visit.t("密钥"), &piece::facts(&[
            (visit.t("程序").to_owned(), html! { (name) }),
            (visit.t("密钥").to_owned(), html! { code #secret { (made.secret) } }),
        ])))
        p { a.button.primary href=(format!("/keys/{}", made.id)) { (visit.t("返回")) } }
    };
    Ok(visit
        .page(visit.t("密钥已签发"))
        .nav("/keys")
        .back("/keys", visit.t("程序接口密钥"))
        .show(&body))
}

/// `GET /keys/{id}` (一个密钥).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn one(visit: &Visit) -> Answer {
    of_one(visit, &[]).await
}

async fn of_one(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::System)?;
    let id: Uuid = visit.id("id")?;
    let key = api_key::one(&visit.app.db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let body = html! {
        (piece::facts(&[
            (visit.t("密钥开头").to_owned(), html! { code { (key.prefix) "…" } }),
            (visit.t("状态").to_owned(), state(visit, &key)),
            (visit.t("账号").to_owned(), html! { a href=(format!("/officers/{}", key.officer)) { (key.login) } }),
            (visit.t("岗位").to_owned(), roles(visit, &key)),
            (visit.t("可以做什么").to_owned(), html! {
                ul.plain-list { @for one in &key.permissions { li { (words::permission(lang, *one)) } } }
            }),
            (visit.t("每分钟最多几次").to_owned(), html! { (key.a_minute) }),
            (visit.t("签发于").to_owned(), html! { (format::instant(key.made_at)) }),
            (visit.t("有效期至").to_owned(), html! { (format::date(key.until)) }),
            (visit.t("最近使用").to_owned(), html! { (used(visit, &key)) }),
        ]))
        @if key.ended_at.is_none() {
            (piece::section(visit.t("换发密钥"), &html! {
                form.narrow method="post" action=(format!("/keys/{id}/renew")) {
                    (form::token(visit))
                    (field(lang, "until", visit.t("有效期至"))
                        .value(visit.form.some("until").unwrap_or(&format::date(usual_end(visit))))
                        .hint(html! { (visit.t("权限不变。旧密钥继续有效，等程序换好以后再吊销。")) })
                        .errors(errors).date())
                    (form::lesser(visit.t("换发密钥")))
                }
            }))
            (piece::section(visit.t("吊销密钥"), &html! {
                details.act-form {
                    summary { (visit.t("吊销密钥")) }
                    form method="post" action=(format!("/keys/{id}/revoke")) {
                        (form::token(visit))
                        p { strong { (lang.f("“{name}”的这个密钥会立即失效，不能恢复。", &[("name", &key.name)])) } }
                        button.danger type="submit" { (visit.t("确认吊销")) }
                    }
                }
            }))
        }
    };
    Ok(visit
        .page(&key.name)
        .nav("/keys")
        .back("/keys", visit.t("程序接口密钥"))
        .errors(errors)
        .show(&body))
}

/// `POST /keys/{id}/renew` (换发密钥).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn renew(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let id: Uuid = visit.id("id")?;
    let Ok(until) = visit.form.get("until").parse() else {
        let wrong = fault("until", visit.t("请填写日期，例如 2026-06-01"));
        return of_one(visit, &[wrong]).await;
    };
    let mut tx = visit.app.db.begin().await?;
    match api_key::renew(&mut tx, &scope, id, until).await? {
        Ok(made) => {
            tx.commit().await?;
            let key = api_key::one(&visit.app.db, &scope, made.id).await?;
            told_once(visit, &key.map_or_else(String::new, |key| key.name), &made)
        }
        Err(refused) => {
            tx.rollback().await?;
            let wrong = fault_of(visit, refused)?;
            of_one(visit, &[wrong]).await
        }
    }
}

/// `POST /keys/{id}/revoke` (吊销密钥).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope, or when it was revoked already.
pub async fn revoke(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let id: Uuid = visit.id("id")?;
    let mut tx = visit.app.db.begin().await?;
    match api_key::revoke(&mut tx, &scope, id).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go("/keys?done=revoked")
        }
        Err(refused) => {
            tx.rollback().await?;
            let wrong = fault_of(visit, refused)?;
            of_one(visit, &[wrong]).await
        }
    }
}
