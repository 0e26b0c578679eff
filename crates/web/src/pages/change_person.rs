//! Changing what the register keeps of a person (变更人员信息): phone, where he lives, registered residence, death.
//!
//! Each change says who told us where that matters. A death or a moved registration of somebody who lives in a household is
//! a life event: the cases it touches hear of it; nothing stops by itself.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Purpose, Scope};
use casework::life_event::{self, Happened, NewEvent, Refused};
use chrono::NaiveDate;
use maud::html;
use registry::people::{ChangeRefused, move_home, move_hukou, record_death, set_phone};
use vocab::Region;
use vocab::ids::{HouseholdId, PersonId};

/// `GET /people/{id}/change` (变更人员信息).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let id: PersonId = visit.id("id")?;
    let scope = visit.scope(Purpose::Application)?;
    let person = registry::person(&visit.app.db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let places = words::places_under(lang, &visit.app.desk.book, scope.region);
    let action = format!("/people/{id}/change");
    let value = |name: &'static str| visit.form.get(name);
    let lives_in = person.lives_in.to_string();
    let today = format::date(visit.today());
    let body = html! {
        (piece::section(visit.t("手机"), &html! {
            form.narrow method="post" action=(action) {
                (form::token(visit))
                (field(lang, "phone", visit.t("新手机号")).hint(html! { (visit.t("不填就是去掉手机号")) }).optional()
                    .value(value("phone")).errors(errors).phone())
                button type="submit" name="what" value="phone" { (visit.t("变更手机")) }
            }
        }))
        (piece::section(visit.t("居住地"), &html! {
            form.narrow method="post" action=(action) {
                (form::token(visit))
                (field(lang, "lives_in", visit.t("居住社区")).value(visit.form.some("lives_in").unwrap_or(&lives_in))
                    .errors(errors).select(&places))
                (field(lang, "address", visit.t("住址")).value(visit.form.some("address").unwrap_or(&person.address))
                    .errors(errors).text())
                button type="submit" name="what" value="home" { (visit.t("变更居住地")) }
            }
        }))
        (piece::section(visit.t("户籍地"), &html! {
            form.narrow method="post" action=(action) {
                (form::token(visit))
                (field(lang, "hukou", visit.t("户籍地区划代码"))
                    .hint(html! { (visit.t("户口所在区县的 6 位代码，例如 440306；不知道就不填")) })
                    .value(value("hukou")).errors(errors).width("short").text())
                (field(lang, "hukou_from", visit.t("从哪天起")).value(visit.form.some("hukou_from").unwrap_or(&today))
                    .errors(errors).date())
                (field(lang, "hukou_source", visit.t("谁说的（来源）")).hint(html! { (visit.t("例如：户口簿、公安")) })
                    .value(value("hukou_source")).errors(errors).text())
                button type="submit" name="what" value="hukou" { (visit.t("变更户籍地")) }
            }
        }))
        @if person.died_on.is_none() {
            (piece::section(visit.t("死亡"), &html! {
                form.narrow method="post" action=(action) {
                    (form::token(visit))
                    (field(lang, "died_on", visit.t("死亡日期")).value(value("died_on")).errors(errors).date())
                    (field(lang, "source", visit.t("谁说的（来源）")).hint(html! { (visit.t("例如：公安、殡仪馆、医院")) })
                        .value(value("source")).errors(errors).text())
                    button.danger type="submit" name="what" value="death" { (visit.t("登记死亡")) }
                }
            }))
        }
    };
    Ok(visit
        .page(lang.f("变更信息：{name}", &[("name", &person.name)]))
        .back(format!("/people/{id}"), person.name)
        .errors(errors)
        .show(&body))
}

/// `POST /people/{id}/change` (变更人员信息).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: PersonId = visit.id("id")?;
    let scope = visit.scope(Purpose::Application)?;
    let region = |name: &str| visit.form.get(name).parse::<Region>();
    if let Some(happened) = event(visit, id) {
        let home =
            registry::households::household_of(&visit.app.db, &scope, id, visit.today()).await?;
        if let Some(household) = home {
            return as_event(visit, &scope, household, happened).await;
        }
    }
    let mut tx = visit.app.db.begin().await?;
    let changed = match visit.form.get("what") {
        "phone" => set_phone(&mut tx, &scope, id, visit.form.some("phone")).await?,
        "home" => match region("lives_in") {
            Ok(to) => move_home(&mut tx, &scope, id, to, visit.form.get("address")).await?,
            Err(_) => {
                tx.rollback().await?;
                return page(visit, &[fault("lives_in", visit.t("请选择居住社区"))]).await;
            }
        },
        "hukou" => match (region("hukou"), visit.form.get("hukou_from").parse()) {
            (Ok(to), Ok(from)) => {
                move_hukou(
                    &mut tx,
                    &scope,
                    id,
                    to,
                    from,
                    visit.form.get("hukou_source"),
                )
                .await?
            }
            (Err(not), _) => {
                tx.rollback().await?;
                let wrong = fault("hukou", words::sentence(lang, &not.to_string()));
                return page(visit, &[wrong]).await;
            }
            (_, Err(_)) => {
                tx.rollback().await?;
                let wrong = fault("hukou_from", visit.t("请填写日期，例如 2026-06-01"));
                return page(visit, &[wrong]).await;
            }
        },
        "death" => match visit.form.get("died_on").parse::<NaiveDate>() {
            Ok(day) => record_death(&mut tx, &scope, id, day, visit.form.get("source")).await?,
            Err(_) => {
                tx.rollback().await?;
                let wrong = fault("died_on", visit.t("请填写日期，例如 2026-06-01"));
                return page(visit, &[wrong]).await;
            }
        },
        _ => return Err(Problem::NotFound),
    };
    match changed {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/people/{id}?done=changed"))
        }
        Err(ChangeRefused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let field = match refused {
                ChangeRefused::OutsideScope => "lives_in",
                ChangeRefused::NotAPhone => "phone",
                ChangeRefused::DeathDateImpossible => "died_on",
                ChangeRefused::SourceMissing if visit.form.get("what") == "hukou" => "hukou_source",
                ChangeRefused::SourceMissing => "source",
                _ => "",
            };
            page(
                visit,
                &[fault(field, words::sentence(lang, &refused.to_string()))],
            )
            .await
        }
    }
}

/// The change as a life event, if it is one and is filled in.
fn event(visit: &Visit, person: PersonId) -> Option<(Happened, NaiveDate, &'static str)> {
    let form = &visit.form;
    match form.get("what") {
        "death" => {
            let on = form.get("died_on").parse().ok()?;
            Some((Happened::Death { person }, on, "source"))
        }
        "hukou" => {
            let on = form.get("hukou_from").parse().ok()?;
            let to = form.get("hukou").parse().ok()?;
            Some((Happened::Hukou { person, to }, on, "hukou_source"))
        }
        _ => None,
    }
}

async fn as_event(
    visit: &Visit,
    scope: &Scope,
    household: HouseholdId,
    (happened, on, source): (Happened, NaiveDate, &'static str),
) -> Answer {
    let id: PersonId = visit.id("id")?;
    let day = match happened {
        Happened::Death { .. } => "died_on",
        _ => "hukou_from",
    };
    let new = NewEvent {
        household,
        happened,
        on,
        source: visit.form.get(source).to_owned(),
        evidence: None,
    };
    let mut tx = visit.app.db.begin().await?;
    match life_event::record(&mut tx, scope, &visit.app.desk, new).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/people/{id}?done=changed"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let field = match refused {
                Refused::SourceMissing => source,
                Refused::DayAhead | Refused::Register(_) => day,
                _ => "",
            };
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &[fault(field, sentence)]).await
        }
    }
}
