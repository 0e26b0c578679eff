//! A person (人员): what the register knows, masked; facts with source and date; showing the numbers for a stated purpose.
//!
//! Opening the page stands in the journal; showing the numbers stands there with its purpose, and they are hidden again
//! after a minute.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use maud::{Markup, html};
use registry::Subject;
use registry::duplicates;
use registry::people::{Clear, Person};
use vocab::ids::PersonId;

/// `GET /people/{id}` (人员页).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None, &[]).await
}

/// `POST /people/{id}/reveal` (显示证件号、手机).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn reveal(visit: &Visit) -> Answer {
    let id: PersonId = visit.id("id")?;
    let chosen = visit.form.get("purpose");
    let purpose = if chosen == "other" {
        visit.form.get("purpose_text")
    } else {
        chosen
    };
    let scope = visit.scope(Purpose::Enquiry(purpose.to_owned()))?;
    let mut tx = visit.app.db.begin().await?;
    match registry::people::reveal(&mut tx, &scope, id, purpose).await? {
        Ok(clear) => {
            tx.commit().await?;
            page(visit, Some(&clear), &[]).await
        }
        Err(registry::people::RevealRefused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let wrong = [fault(
                "purpose",
                words::sentence(visit.lang, &refused.to_string()),
            )];
            page(visit, None, &wrong).await
        }
    }
}

async fn page(visit: &Visit, clear: Option<&Clear>, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id: PersonId = visit.id("id")?;
    let scope = visit.scope_for(Permission::SeePeople, Purpose::Enquiry("人员页".to_owned()))?;
    let db = &visit.app.db;
    let person = registry::person(db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    if let Some(into) = person.merged_into {
        return visit.go(&format!("/people/{into}?done=merged"));
    }
    let household = registry::households::household_of(db, &scope, id, visit.today()).await?;
    let merges = merges(visit, id).await?;
    let account = registry::accounts::account_of(db, &scope, id).await?;
    let history = registry::facts::history(db, &scope, Subject::Person(id))
        .await?
        .unwrap_or_default();
    let account_shown = match &account {
        Some(account) => html! {
            (account.bank) " " span.masked { (account.number_masked) }
            @if account.holder != person.name { " " (lang.f("户名 {holder}", &[("holder", &account.holder)])) }
            @if account.doubtful { " " (piece::tag(visit.t("校验位存疑，请核对"))) }
        },
        None => html! { (visit.t("未登记")) },
    };
    let body = html! {
        (piece::section(visit.t("基本信息"), &html! {
            (piece::facts(&basics(visit, &person, clear, &account_shown)))
            @if clear.is_none() && visit.can(Permission::RevealPeople) { (reveal_form(visit, id, errors)) }
        }))
        (piece::section(visit.t("已知事实"), &super::facts::history(visit, &history)))
        (merges)
    };
    let acts = html! {
        @if let Some(household) = household {
            a.button.primary href=(format!("/households/{household}")) { (visit.t("打开家庭")) }
        } @else if visit.can(Permission::RegisterPeople) && person.died_on.is_none() {
            a.button.primary href=(format!("/households/new?head={id}")) { (visit.t("建立家庭")) }
        }
        @if visit.can(Permission::RecordFacts) {
            a.button href=(format!("/facts/new?person={id}")) { (visit.t("录入事实")) }
        }
        @if visit.can(Permission::RegisterPeople) {
            a.button href=(format!("/people/{id}/account")) { (visit.t("登记银行账户")) }
            a.button href=(format!("/people/{id}/change")) { (visit.t("变更信息")) }
        }
    };
    let note = match visit.query.get("done") {
        "fact" => Some(html! { (visit.t("事实已录入。")) }),
        "account" => Some(html! { (visit.t("银行账户已登记。")) }),
        "changed" => Some(html! { (visit.t("信息已变更。")) }),
        "merged" => Some(html! { (visit.t("您打开的记录已并入这一条，历史都在这里。")) }),
        "known" => Some(html! { (visit.t("用已有的登记，没有新登记。")) }),
        "registered" => Some(html! { (visit.t("人员已登记。下一步：建立家庭。")) }),
        _ => None,
    };
    Ok(visit
        .page(person.name.clone())
        .acts(acts)
        .note(note)
        .errors(errors)
        .show(&body))
}

/// The merges of this person, each leading to its pair.
async fn merges(visit: &Visit, id: PersonId) -> Result<Markup, Problem> {
    let Ok(scope) = visit.scope_for(Permission::RegisterPeople, Purpose::Review) else {
        return Ok(html! {});
    };
    let db = &visit.app.db;
    let mut lines = Vec::new();
    for merge in registry::merging::merges_of(db, &scope, id).await? {
        let pair = duplicates::pair_of(db, &scope, merge.survivor, merge.merged).await?;
        let Some(pair) = pair else { continue };
        let what = match (merge.is_in_force(), merge.is_waiting()) {
            (true, _) => visit.t("已合并"),
            (_, true) => visit.t("合并待复核"),
            _ => visit.t("合并已退回或撤销"),
        };
        lines.push(html! {
            (format::instant(merge.prepared.1)) " "
            a href=(format!("/duplicates/{}", pair.id)) { (pair.a.name) " / " (pair.b.name) } " " (piece::tag(what))
        });
    }
    if lines.is_empty() {
        return Ok(html! {});
    }
    Ok(piece::section(
        visit.t("合并记录"),
        &html! { ul.plain-list { @for line in lines { li { (line) } } } },
    ))
}

fn basics(
    visit: &Visit,
    person: &Person,
    clear: Option<&Clear>,
    account: &Markup,
) -> Vec<(String, Markup)> {
    let lang = visit.lang;
    let dash = || "—".to_owned();
    let shown = |masked: &str, clear: Option<&str>| match clear {
        Some(clear) => html! { span.masked data-revealed="" data-masked=(masked) { (clear) } },
        None => html! { span.masked { (masked) } },
    };
    vec![
        (visit.t("证件类型").to_owned(), html! { (lang.pick(person.document_kind.name_zh(), person.document_kind.name_en())) }),
        (visit.t("证件号码").to_owned(), shown(&person.document_masked, clear.map(|clear| clear.document_number.as_str()))),
        (
            visit.t("手机").to_owned(),
            shown(
                person.phone_masked.as_deref().unwrap_or("—"),
                clear.and_then(|clear| clear.phone.as_deref()),
            ),
        ),
        (visit.t("性别").to_owned(), html! { (lang.pick(person.sex.name_zh(), person.sex.name_en())) }),
        (
            visit.t("出生日期").to_owned(),
            html! {
                (person.birth_date.map_or_else(dash, format::date))
                @if let Some(born) = person.birth_date {
                    " " (lang.f("{age} 岁", &[("age", &casework::form::full_years(born, visit.today()))]))
                }
            },
        ),
        (visit.t("户籍地").to_owned(), html! { (person.hukou.map_or_else(dash, |region| visit.place(region))) }),
        (visit.t("居住社区").to_owned(), html! { (visit.place(person.lives_in)) }),
        (visit.t("住址").to_owned(), html! { (person.address) }),
        (visit.t("银行账户").to_owned(), account.clone()),
    ]
    .into_iter()
    .chain(person.died_on.map(|day| (visit.t("死亡日期").to_owned(), html! { (format::date(day)) })))
    .collect()
}

fn reveal_form(visit: &Visit, id: PersonId, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let purposes: Vec<(String, String)> = [
        ("核对本人身份", lang.t("核对本人身份")),
        ("电话联系本人", lang.t("电话联系本人")),
        ("填写文书", lang.t("填写文书")),
        ("other", lang.t("其他（请写明）")),
    ]
    .map(|(value, label)| (value.to_owned(), label.to_owned()))
    .to_vec();
    html! {
        details.act-form open[!errors.is_empty()] {
            summary { (visit.t("显示证件号和手机")) }
            form.narrow method="post" action=(format!("/people/{id}/reveal")) {
                (form::token(visit))
                p.quiet { (visit.t("请选事由。查看会记入日志，一分钟后自动隐藏。")) }
                (field(lang, "purpose", visit.t("事由")).errors(errors).radios(&purposes))
                (field(lang, "purpose_text", visit.t("其他事由")).optional().text())
                (form::lesser(visit.t("显示")))
            }
        }
    }
}
