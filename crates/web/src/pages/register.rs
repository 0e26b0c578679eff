//! Registering a person and forming a household (登记人员、建立家庭).
//!
//! What the document already says (birth date, sex) is not asked again. A person is registered once; who is known
//! already is shown instead.

use super::household::document_kinds;
use super::register_alike::{self, Asked};
use crate::parts::form::{self, FieldError, fault, field};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::life_event::{self, Happened, NewEvent};
use chrono::NaiveDate;
use maud::{Markup, html};
use registry::duplicates::{self, Alike};
use registry::households::NewHousehold;
use registry::people::{NewPerson, Refused};
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Region, Sex};

/// `GET /people/new` (登记人员).
///
/// # Errors
/// None.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, None, &[], &Alike::default())
}

/// The same page when a member is to be added who is not registered yet: he joins as soon as he is.
pub(crate) async fn page_for_household(
    visit: &Visit,
    household: HouseholdId,
    kinship: Kinship,
) -> Answer {
    page(visit, Some((household, kinship)), &[], &Alike::default())
}

fn page(
    visit: &Visit,
    joins: Option<(HouseholdId, Kinship)>,
    errors: &[FieldError],
    alike: &Alike,
) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::RegisterPeople, Purpose::Application)?;
    let places = words::places_under(lang, &visit.app.desk.book, scope.region);
    let sexes: Vec<(String, String)> = [Sex::Male, Sex::Female]
        .into_iter()
        .map(|sex| {
            (
                sex.code().to_owned(),
                lang.pick(sex.name_zh(), sex.name_en()).to_owned(),
            )
        })
        .collect();
    let value = |name: &str| visit.form.get(name);
    let kind = visit
        .form
        .some("kind")
        .unwrap_or(DocumentKind::ResidentId.code());
    let body = html! {
        @if let Some((_, kinship)) = joins {
            div.note {
                (lang.f("此人还没有登记。登记后自动以“{kinship}”加入这一家。",
                    &[("kinship", &lang.pick(kinship.name_zh(), kinship.name_en()))]))
            }
        }
        form.card method="post" action="/people/new" {
            (form::token(visit))
            @if let Some((household, kinship)) = joins {
                input type="hidden" name="household" value=(household);
                input type="hidden" name="kinship" value=(kinship.code());
            }
            (register_alike::panel(visit, alike, errors))
            div.row-fields {
                (field(lang, "kind", visit.t("证件类型")).value(kind).errors(errors).select(&document_kinds(visit)))
                (field(lang, "number", visit.t("证件号码")).value(value("number")).errors(errors).text())
            }
            (field(lang, "name", visit.t("姓名")).value(value("name")).errors(errors).width("middle").text())
            div.row-fields {
                (field(lang, "birth_date", visit.t("出生日期")).hint(html! { (visit.t("身份证上有的不用填")) }).optional()
                    .value(value("birth_date")).errors(errors).date())
                (field(lang, "sex", visit.t("性别")).hint(html! { (visit.t("身份证上有的不用填")) }).optional()
                    .value(value("sex")).errors(errors).radios(&sexes))
            }
            (field(lang, "phone", visit.t("手机")).optional().value(value("phone")).errors(errors).phone())
            (field(lang, "hukou", visit.t("户籍地区划代码")).hint(html! { (visit.t("户口所在区县的 6 位代码，例如 440306；不知道就不填")) })
                .optional().value(value("hukou")).errors(errors).width("short").text())
            (field(lang, "lives_in", visit.t("居住社区")).value(value("lives_in")).errors(errors).width("middle").select(&places))
            (field(lang, "address", visit.t("住址")).value(value("address")).errors(errors).text())
            div.buttons { (form::act(visit.t("登记人员"))) }
        }
    };
    Ok(visit
        .page(visit.t("登记人员"))
        .nav("/households")
        .errors(errors)
        .show(&body))
}

/// `POST /people/start` (带着证件号登记人员): the number travels in the body, never in an address.
///
/// # Errors
/// None.
pub async fn start(visit: &Visit) -> Answer {
    page(visit, None, &[], &Alike::default())
}

/// `POST /people/new` (登记人员).
///
/// # Errors
/// A fault of the database.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Application)?;
    let joins = visit
        .form
        .get("household")
        .parse::<HouseholdId>()
        .ok()
        .zip(Kinship::read(visit.form.get("kinship")).ok());
    let new = match typed(visit) {
        Ok(new) => new,
        Err(wrong) => return page(visit, joins, &wrong, &Alike::default()),
    };
    let said = match register_alike::asked(visit, &scope, &new).await? {
        Asked::Nobody => Vec::new(),
        Asked::Said(said) => said,
        Asked::IsThis(known) => return is_this(visit, &scope, joins, known).await,
        Asked::Wait(alike, wrong) => return page(visit, joins, &wrong, &alike),
    };
    let mut tx = visit.app.db.begin().await?;
    let person = match registry::register_person(&mut tx, &scope, new).await? {
        Ok(person) => person,
        Err(refused) => {
            tx.rollback().await?;
            if let (Refused::AlreadyRegistered(Some(known)), None) = (&refused, joins) {
                return visit.go(&format!("/people/{known}"));
            }
            let wrong = [fault(
                field_of(&refused),
                words::sentence(lang, &refused.to_string()),
            )];
            return page(visit, joins, &wrong, &Alike::default());
        }
    };
    duplicates::keep_said(&mut tx, &scope, person, &said).await?;
    if let Some((household, kinship)) = joins {
        // Somebody more in the household touches its cases as any event does.
        let new = NewEvent {
            household,
            happened: Happened::Joined { person, kinship },
            on: tx.today(),
            source: super::household::AT_THE_DESK.to_owned(),
            evidence: None,
        };
        if let Err(refused) = life_event::record(&mut tx, &scope, &visit.app.desk, new).await? {
            tx.rollback().await?;
            return page(
                visit,
                joins,
                &[fault("", words::sentence(lang, &refused.to_string()))],
                &Alike::default(),
            );
        }
        tx.commit().await?;
        return visit.go(&format!("/households/{household}?done=joined"));
    }
    tx.commit().await?;
    visit.go(&format!("/people/{person}?done=registered"))
}

/// The officer recognised somebody who is registered already: that record is used, and nothing new is written but the household
/// it was wanted for.
async fn is_this(
    visit: &Visit,
    scope: &Scope,
    joins: Option<(HouseholdId, Kinship)>,
    known: PersonId,
) -> Answer {
    let Some((household, kinship)) = joins else {
        return visit.go(&format!("/people/{known}?done=known"));
    };
    let mut tx = visit.app.db.begin().await?;
    let new = NewEvent {
        household,
        happened: Happened::Joined {
            person: known,
            kinship,
        },
        on: tx.today(),
        source: super::household::AT_THE_DESK.to_owned(),
        evidence: None,
    };
    if let Err(refused) = life_event::record(&mut tx, scope, &visit.app.desk, new).await? {
        tx.rollback().await?;
        let wrong = [fault("", words::sentence(visit.lang, &refused.to_string()))];
        return page(visit, joins, &wrong, &Alike::default());
    }
    tx.commit().await?;
    visit.go(&format!("/households/{household}?done=joined"))
}

/// Which field a refusal is about.
fn field_of(refused: &Refused) -> &'static str {
    match refused {
        Refused::NameMissing | Refused::NameTooLong => "name",
        Refused::OutsideScope => "lives_in",
        Refused::BirthDateDiffers | Refused::BornInTheFuture => "birth_date",
        Refused::SexDiffers => "sex",
        Refused::NotAPhone => "phone",
        Refused::AlreadyRegistered(_) => "number",
    }
}

fn typed(visit: &Visit) -> Result<NewPerson, Vec<FieldError>> {
    let lang = visit.lang;
    let mut wrong = Vec::new();
    let kind = DocumentKind::read(visit.form.get("kind")).unwrap_or(DocumentKind::ResidentId);
    let document = Document::read(kind, visit.form.get("number"), visit.today())
        .map_err(|not| wrong.push(fault("number", words::sentence(lang, &not.to_string()))))
        .ok();
    let birth_date = match visit.form.some("birth_date").map(str::parse::<NaiveDate>) {
        None => None,
        Some(Ok(day)) => Some(day),
        Some(Err(_)) => {
            wrong.push(fault("birth_date", lang.t("请填写日期，例如 2026-06-01")));
            None
        }
    };
    let lives_in: Option<Region> = visit.form.get("lives_in").parse().ok();
    if lives_in.is_none() {
        wrong.push(fault("lives_in", lang.t("请选择居住社区")));
    }
    let hukou = match visit.form.some("hukou").map(str::parse::<Region>) {
        None => None,
        Some(Ok(region)) => Some(region),
        Some(Err(not)) => {
            wrong.push(fault("hukou", words::sentence(lang, &not.to_string())));
            None
        }
    };
    if visit.form.some("name").is_none() {
        wrong.push(fault("name", lang.t("请填写姓名")));
    }
    let (Some(document), Some(lives_in), true) = (document, lives_in, wrong.is_empty()) else {
        return Err(wrong);
    };
    let sex = visit
        .form
        .some("sex")
        .and_then(Sex::read)
        .or(document.sex())
        .unwrap_or(Sex::Unknown);
    Ok(NewPerson {
        name: visit.form.get("name").to_owned(),
        birth_date: birth_date.or(document.birth_date()),
        document,
        sex,
        phone: visit.form.some("phone").map(str::to_owned),
        hukou,
        lives_in,
        address: visit.form.get("address").to_owned(),
    })
}

/// `GET /households/new?head=` (建立家庭).
///
/// # Errors
/// [`Problem::NotFound`] when the head lies outside the scope.
pub async fn household(visit: &Visit) -> Answer {
    household_page(visit, &[]).await
}

async fn household_page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Application)?;
    let given = Some(visit.form.get("head"))
        .filter(|id| !id.is_empty())
        .unwrap_or(visit.query.get("head"));
    let id: PersonId = given.parse().map_err(|_| Problem::NotFound)?;
    let head = registry::person(&visit.app.db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let places = words::places_under(lang, &visit.app.desk.book, scope.region);
    let region = visit
        .form
        .some("region")
        .map_or_else(|| head.lives_in.to_string(), str::to_owned);
    let address = visit.form.some("address").unwrap_or(&head.address);
    let body: Markup = html! {
        form.card method="post" action="/households/new" {
            (form::token(visit))
            input type="hidden" name="head" value=(id);
            p { (lang.f("户主：{name}。建立后再添加共同生活的其他人。", &[("name", &head.name)])) }
            (field(lang, "region", visit.t("居住社区")).value(&region).errors(errors).width("middle").select(&places))
            (field(lang, "address", visit.t("住址")).value(address).errors(errors).text())
            div.buttons { (form::act(visit.t("建立家庭"))) }
        }
    };
    Ok(visit
        .page(visit.t("建立家庭"))
        .nav("/households")
        .back(format!("/people/{id}"), head.name)
        .errors(errors)
        .show(&body))
}

/// `POST /households/new` (建立家庭).
///
/// # Errors
/// A fault of the database.
pub async fn post_household(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    let head: PersonId = visit
        .form
        .get("head")
        .parse()
        .map_err(|_| Problem::NotFound)?;
    let Ok(region) = visit.form.get("region").parse::<Region>() else {
        return household_page(visit, &[fault("region", visit.t("请选择居住社区"))]).await;
    };
    let mut tx = visit.app.db.begin().await?;
    let new = NewHousehold {
        region,
        address: visit.form.get("address").to_owned(),
        head,
        members: Vec::new(),
        since: None,
        roster_number: None,
    };
    match registry::form_household(&mut tx, &scope, new).await? {
        Ok(id) => {
            tx.commit().await?;
            visit.go(&format!("/households/{id}?done=formed"))
        }
        Err(refused) => {
            tx.rollback().await?;
            household_page(
                visit,
                &[fault(
                    "region",
                    words::sentence(visit.lang, &refused.to_string()),
                )],
            )
            .await
        }
    }
}
