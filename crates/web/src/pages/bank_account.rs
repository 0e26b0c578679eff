//! A person's bank account (银行账户): where money goes. The number is stored encrypted and shown by its tail only.

use crate::parts::form::{self, FieldError, fault, field};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::Purpose;
use maud::html;
use registry::accounts::{Account, AccountKind, Refused};
use vocab::ids::PersonId;

/// `GET /people/{id}/account` (登记银行账户).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id: PersonId = visit.id("id")?;
    let scope = visit.scope(Purpose::Payment)?;
    let person = registry::people::rows(&visit.app.db, &scope, &[id])
        .await?
        .pop()
        .ok_or(Problem::NotFound)?;
    let holder = visit.form.some("holder").unwrap_or(&person.name);
    let body = html! {
        form.card method="post" action=(format!("/people/{id}/account")) {
            (form::token(visit))
            (field(lang, "bank", visit.t("开户银行")).value(visit.form.get("bank")).errors(errors).width("middle").text())
            (field(lang, "number", visit.t("卡号或账号")).value(visit.form.get("number")).errors(errors).width("middle").text())
            (field(lang, "holder", visit.t("户名")).value(holder).errors(errors).width("middle").text())
            (field(lang, "agreement", visit.t("代管协议编号")).hint(html! { (visit.t("户名不是本人时填写")) }).optional()
                .value(visit.form.get("agreement")).errors(errors).width("middle").text())
            div.buttons { (form::act(visit.t("登记银行账户"))) }
        }
    };
    Ok(visit
        .page(lang.f("{name} 的银行账户", &[("name", &person.name)]))
        .back(format!("/people/{id}"), person.name)
        .errors(errors)
        .show(&body))
}

/// `POST /people/{id}/account` (登记银行账户).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let id: PersonId = visit.id("id")?;
    let scope = visit.scope(Purpose::Payment)?;
    let number = visit.form.get("number").to_owned();
    let account = Account {
        bank: visit.form.get("bank").to_owned(),
        kind: AccountKind::guess(&number),
        number,
        holder: visit.form.get("holder").to_owned(),
        agreement: visit.form.some("agreement").map(str::to_owned),
    };
    let mut tx = visit.app.db.begin().await?;
    match registry::accounts::set_account(&mut tx, &scope, id, account).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/people/{id}?done=account"))
        }
        Err(Refused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let field = match refused {
                Refused::BankMissing => "bank",
                Refused::HolderDiffers => "holder",
                Refused::NotANumber | Refused::CheckDigit | Refused::NotFound => "number",
            };
            page(
                visit,
                &[fault(
                    field,
                    words::sentence(visit.lang, &refused.to_string()),
                )],
            )
            .await
        }
    }
}
