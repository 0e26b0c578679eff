//! A household (家庭): who lives together, since when, what is known of them, their cases, and what can be begun here.

use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use casework::life_event::{self, Happened, LifeEvent, NewEvent, Refused};
use maud::{Markup, html};
use registry::Subject;
use registry::households::{Household, MoveRefused};
use vocab::ids::HouseholdId;
use vocab::{Document, DocumentKind, Kinship};

/// Who says that somebody joined, where nobody was asked for it.
pub(crate) const AT_THE_DESK: &str = "窗口登记";

/// `GET /households/{id}` (家庭页).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    page(visit, &[]).await
}

async fn page(visit: &Visit, errors: &[FieldError]) -> Answer {
    let id: HouseholdId = visit.id("id")?;
    let scope = visit.scope_for(Permission::SeePeople, Purpose::Enquiry("家庭页".to_owned()))?;
    let db = &visit.app.db;
    let household = registry::household(db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let history = registry::facts::history(db, &scope, Subject::Household(id))
        .await?
        .unwrap_or_default();
    let cases = super::cases::of_household(visit, id).await?;
    let events = if visit.can(Permission::SeeCases) {
        life_event::of_household(db, &scope, id).await?
    } else {
        Vec::new()
    };
    let may_register = visit.can(Permission::RegisterPeople) && household.dissolved_on.is_none();
    let body = html! {
        (piece::section(visit.t("成员"), &html! {
            (members(visit, &household))
            @if may_register { (join_form(visit, id, errors)) }
        }))
        (piece::section(visit.t("办件"), &html! {
            @if cases.is_empty() { p.quiet { (visit.t("这一家还没有办件。")) } }
            @else { (super::cases::short_list(visit, &cases)) }
        }))
        @if !events.is_empty() { (piece::section(visit.t("生活事件"), &happened(visit, &events))) }
        (piece::section(visit.t("家庭的已知事实"), &super::facts::history(visit, &history)))
        (piece::section(visit.t("家庭信息"), &piece::facts(&[
            (visit.t("户编号").to_owned(), html! { (household.number) }),
            (visit.t("社区").to_owned(), html! { (visit.place(household.region)) }),
            (visit.t("住址").to_owned(), html! { (household.address) }),
            (visit.t("建户日期").to_owned(), html! { (format::date(household.formed_on)) }),
        ])))
    };
    let acts = html! {
        @if visit.can(Permission::Apply) && household.dissolved_on.is_none() {
            form method="post" action="/drafts" {
                (form::token(visit))
                input type="hidden" name="household" value=(id);
                button.primary type="submit" data-new="" { (visit.t("为这一家新申请")) }
            }
        }
        @if visit.can(Permission::RecordFacts) {
            a.button href=(format!("/facts/new?household={id}")) { (visit.t("录入家庭事实")) }
            @if household.dissolved_on.is_none() {
                a.button href=(format!("/households/{id}/event")) { (visit.t("登记生活事件")) }
            }
        }
    };
    let note = match visit.query.get("done") {
        "formed" => Some(html! { (visit.t("家庭已建立。请把共同生活的人都加进来，再新申请。")) }),
        "joined" => Some(html! { (visit.t("成员已加入。")) }),
        "fact" => Some(html! { (visit.t("事实已录入。")) }),
        _ => None,
    };
    let name = household
        .members
        .iter()
        .find(|member| Some(member.person.id) == household.head)
        .or(household.members.first())
        .map_or_else(
            || household.number.clone(),
            |member| member.person.name.clone(),
        );
    let title = visit.lang.f(
        "{name} 一家 {count} 人",
        &[("name", &name), ("count", &household.members.len())],
    );
    Ok(visit
        .page(title)
        .nav("/households")
        .acts(acts)
        .note(note)
        .errors(errors)
        .show(&body))
}

fn members(visit: &Visit, household: &Household) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("姓名")),
        table::text(visit.t("与户主关系")),
        table::text(visit.t("性别")),
        table::text(visit.t("出生日期")),
        table::text(visit.t("证件")),
        table::text(visit.t("从哪天起")),
    ];
    let rows = household
        .members
        .iter()
        .map(|member| {
            let person = &member.person;
            table::row(
                format!("/people/{}", person.id),
                vec![
                    html! { (person.name) @if person.died_on.is_some() { " " (piece::tag(visit.t("已故"))) } },
                    html! { (lang.pick(member.kinship.name_zh(), member.kinship.name_en())) },
                    html! { (lang.pick(person.sex.name_zh(), person.sex.name_en())) },
                    html! {
                        (person.birth_date.map_or_else(|| "—".to_owned(), format::date))
                        @if let Some(born) = person.birth_date {
                            " " (lang.f("{age} 岁", &[("age", &casework::form::full_years(born, visit.today()))]))
                        }
                    },
                    html! { span.masked { (person.document_masked) } },
                    html! { (format::date(member.since)) },
                ],
            )
        })
        .collect();
    table::table(lang, visit.t("成员"), &columns, rows, "", &visit.query)
}

/// What happened here, newest first.
fn happened(visit: &Visit, events: &[LifeEvent]) -> Markup {
    html! {
        ul {
            @for one in events {
                li {
                    a href=(format!("/life-events/{}", one.id)) { (format::date(one.on)) " " (super::life_events::what(visit, one)) }
                    " " (one.subject) " " span.quiet { (one.source) }
                }
            }
        }
    }
}

/// Kinds of documents and kinships as choices of a form.
pub(crate) fn document_kinds(visit: &Visit) -> Vec<(String, String)> {
    DocumentKind::ALL
        .into_iter()
        .map(|kind| {
            (
                kind.code().to_owned(),
                visit.lang.pick(kind.name_zh(), kind.name_en()).to_owned(),
            )
        })
        .collect()
}

fn kinships(visit: &Visit) -> Vec<(String, String)> {
    Kinship::all()
        .filter(|kin| !kin.is_head())
        .map(|kin| {
            (
                kin.code().to_owned(),
                visit.lang.pick(kin.name_zh(), kin.name_en()).to_owned(),
            )
        })
        .collect()
}

fn join_form(visit: &Visit, id: HouseholdId, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let kind = visit
        .form
        .some("kind")
        .unwrap_or(DocumentKind::ResidentId.code());
    html! {
        details.act-form open[!errors.is_empty()] {
            summary { (visit.t("添加成员")) }
            form method="post" action=(format!("/households/{id}/join")) {
                (form::token(visit))
                div.row-fields {
                    (field(lang, "kind", visit.t("证件类型")).value(kind).errors(errors).select(&document_kinds(visit)))
                    (field(lang, "number", visit.t("证件号码")).value(visit.form.get("number")).errors(errors).text())
                    (field(lang, "kinship", visit.t("与户主关系")).value(visit.form.get("kinship")).errors(errors)
                        .select(&kinships(visit)))
                    (field(lang, "since", visit.t("从哪天起共同生活"))
                        .value(visit.form.some("since").unwrap_or(&format::date(visit.today()))).errors(errors).date())
                }
                (form::lesser(visit.t("添加成员")))
            }
        }
    }
}

/// `POST /households/{id}/join` (添加成员). A person who is not registered yet is registered first and then comes back.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn join(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: HouseholdId = visit.id("id")?;
    let scope = visit.scope(Purpose::Application)?;
    let mut wrong = Vec::new();
    let kind = DocumentKind::read(visit.form.get("kind")).unwrap_or(DocumentKind::ResidentId);
    let document = match Document::read(kind, visit.form.get("number"), visit.today()) {
        Ok(document) => Some(document),
        Err(not) => {
            wrong.push(fault("number", words::sentence(lang, &not.to_string())));
            None
        }
    };
    let kinship = Kinship::read(visit.form.get("kinship")).ok();
    if kinship.is_none() {
        wrong.push(fault("kinship", visit.t("请选择与户主的关系")));
    }
    let since = visit.form.get("since").parse().ok();
    if since.is_none() {
        wrong.push(fault("since", visit.t("请填写日期，例如 2026-06-01")));
    }
    let (Some(document), Some(kinship), Some(since)) = (document, kinship, since) else {
        return page(visit, &wrong).await;
    };
    let Some(person) = registry::people::find_by_document(&visit.app.db, &scope, &document).await?
    else {
        // The number travels in the form of the next page, never in an address.
        return super::register::page_for_household(visit, id, kinship).await;
    };
    let mut tx = visit.app.db.begin().await?;
    // Somebody more in the household touches its cases as any event does.
    let new = NewEvent {
        household: id,
        happened: Happened::Joined {
            person: person.id,
            kinship,
        },
        on: since,
        source: AT_THE_DESK.to_owned(),
        evidence: None,
    };
    match life_event::record(&mut tx, &scope, &visit.app.desk, new).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("/households/{id}?done=joined"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(Refused::Denied(denied)) => Err(denied.into()),
        Err(refused) => {
            tx.rollback().await?;
            let said = refused.to_string();
            let field = if refused == Refused::DayAhead
                || said == MoveRefused::DateImpossible.to_string()
            {
                "since"
            } else if said == MoveRefused::HeadIsTaken.to_string() {
                "kinship"
            } else {
                "number"
            };
            page(
                visit,
                &[fault(field, words::sentence(lang, &refused.to_string()))],
            )
            .await
        }
    }
}
