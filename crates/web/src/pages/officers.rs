//! Accounts of colleagues (账号管理): the list, and making a new account.
//!
//! A new account starts with a password made here and shown once; its owner must change it at the first sign-in. An
//! administrator sees accounts of his region only, and no citizen's record.

use crate::locale::Lang;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{pager, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use access::officer::{self, NewOfficer, Officer, Refused};
use access::{Purpose, secret};
use maud::{Markup, html};

/// Rows a page shows.
const ROWS: u64 = 50;

/// `GET /officers` (账号列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::System)?;
    let (offset, limit) = visit.paging(ROWS);
    let found = officer::list(&visit.app.db, &scope, offset, limit).await?;
    let columns = [
        table::text(visit.t("姓名")),
        table::text(visit.t("账号")),
        table::text(visit.t("岗位")),
        table::text(visit.t("状态")),
        table::text(visit.t("动态口令")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|officer| {
            table::row(
                format!("/officers/{}", officer.id),
                vec![
                    html! { (officer.name) @if officer.machine { " " (piece::tag(visit.t("程序账号"))) } },
                    html! { (officer.login) },
                    html! {
                        ul.plain-list {
                            @for (role, region) in &officer.roles {
                                li { (words::role(lang, *role)) " · " (visit.place(*region)) }
                            }
                        }
                        @if officer.roles.is_empty() { (piece::tag(visit.t("还没有授岗"))) }
                    },
                    html! { (state(lang, officer)) },
                    html! { @if officer.second_factor { (visit.t("已启用")) } @else { (visit.t("未启用")) } },
                ],
            )
        })
        .collect();
    let body = html! {
        div.card { details open[!errors.is_empty()] {
            summary { strong { (visit.t("新建账号")) } }
            form.narrow method="post" action="/officers" {
                (form::token(visit))
                (field(lang, "name", visit.t("姓名")).value(visit.form.get("name")).errors(errors).text())
                (field(lang, "login", visit.t("账号名")).value(visit.form.get("login"))
                    .hint(html! { (visit.t("3 到 40 个小写字母、数字、点或短横")) }).errors(errors).text())
                (field(lang, "number", visit.t("本人身份证号")).value(visit.form.get("number")).optional()
                    .hint(html! { (visit.t("只用来防止一人两个账号，不保存号码本身")) }).errors(errors).text())
                (form::act(visit.t("新建账号")))
            }
        } }
        (table::table(lang, visit.t("账号管理"), &columns, rows, "/officers", &visit.query))
        (pager::pager(lang, &found, "/officers", &visit.query))
    };
    Ok(visit
        .page(visit.t("账号管理"))
        .nav("/officers")
        .wide()
        .errors(errors)
        .show(&body))
}

/// Whether an account can be used.
pub(crate) fn state(lang: Lang, officer: &Officer) -> Markup {
    html! {
        @if !officer.enabled { (piece::tag(lang.t("已停用"))) }
        @else if officer.must_change { (piece::tag(lang.t("待本人改密码"))) }
        @else { (lang.t("可用")) }
    }
}

/// A first password: spoken easily over the phone, accepted by the house's own rule.
pub(crate) fn first_password(visit: &Visit, login: &str) -> String {
    loop {
        let password = format!(
            "{}-{}-{}",
            secret::spoken_code::<4>(),
            secret::spoken_code::<4>().to_lowercase(),
            secret::spoken_code::<4>()
        );
        if visit.app.door.policy.accepts(login, &password).is_ok() {
            return password;
        }
    }
}

/// The page that shows a password once.
pub(crate) fn told_once(
    visit: &Visit,
    title: &str,
    login: &str,
    password: &str,
    (to, label): (&str, &str),
) -> Answer {
    let body = html! {
        div.note role="status" {
            p { (visit.t("请当面或电话告诉本人。密码只显示这一次，首次登录必须修改。")) }
        }
        (piece::section(visit.t("账号和初始密码"), &piece::facts(&[
            (visit.t("账号").to_owned(), html! { code { (login) } }),
            (visit.t("初始密码").to_owned(), html! { code #password { (password) } }),
        ])))
        p { a.button.primary href=(to) { (label) } }
    };
    Ok(visit
        .page(title)
        .nav("/officers")
        .back("/officers", visit.t("账号管理"))
        .show(&body))
}

/// `POST /officers` (新建账号).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::System)?;
    let login = visit.form.get("login").to_lowercase();
    let password = first_password(visit, &login);
    let new = NewOfficer {
        login: login.clone(),
        name: visit.form.get("name").to_owned(),
        person_number: visit.form.some("number").map(str::to_owned),
        must_change: true,
    };
    let mut tx = visit.app.db.begin().await?;
    match officer::create_officer(&mut tx, &scope, &visit.app.door, new, &password).await? {
        Ok(id) => {
            tx.commit().await?;
            told_once(
                visit,
                visit.t("账号已建立"),
                &login,
                &password,
                (&format!("/officers/{id}"), visit.t("下一步：授岗")),
            )
        }
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let field = match refused {
                Refused::NameMissing => "name",
                Refused::SamePersonHasAccount => "number",
                _ => "login",
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault(field, sentence)]).await
        }
    }
}
