//! Recording a life event (登记生活事件) on a household: what happened, when, who says so; then what it touches; then it is
//! recorded, with its proof.
//!
//! The preview is the very act, undone: what the second page shows is what the confirmation does. The file is chosen on the
//! second page, so that nothing has to be sent twice and no script is needed.

use super::facts::media_type;
use super::life_events::{kind, touched};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::life_event::{self, Happened, Kind, NewEvent, Refused};
use maud::{Markup, html};
use registry::households::Household;
use store::files::NewFile;
use vocab::ids::HouseholdId;

/// What can be reported here; who joins is added on the household's page.
const KINDS: [Kind; 4] = [Kind::Death, Kind::House, Kind::Left, Kind::Hukou];

async fn home(visit: &Visit) -> Result<(Scope, Household), Problem> {
    let id: HouseholdId = visit.id("id")?;
    let scope = visit.scope_for(Permission::RecordFacts, Purpose::Application)?;
    let home = registry::household(&visit.app.db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok((scope, home))
}

/// `GET /households/{id}/event` (登记生活事件).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let (scope, home) = home(visit).await?;
    asking(visit, &scope, &home, &[])
}

/// The kind asked for, in the address or the form.
fn chosen(visit: &Visit) -> Kind {
    let said = visit
        .form
        .some("kind")
        .or_else(|| visit.query.some("kind"))
        .and_then(Kind::from_word);
    said.filter(|kind| KINDS.contains(kind))
        .unwrap_or(Kind::Death)
}

fn asking(visit: &Visit, scope: &Scope, home: &Household, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let now = chosen(visit);
    let action = format!("/households/{}/event", home.id);
    let person = visit
        .form
        .some("person")
        .or_else(|| visit.query.some("person"))
        .unwrap_or_default();
    let members: Vec<(String, String)> = home
        .members
        .iter()
        .map(|member| (member.person.id.to_string(), member.person.name.clone()))
        .collect();
    let places = words::places_under(lang, &visit.app.desk.book, scope.region);
    let today = format::date(visit.today());
    let body = html! {
        p.quiet { (visit.t("发生了什么")) }
        div.buttons {
            @for one in KINDS {
                a.button.plain[one != now] href=(format!("{action}?kind={}", one.word())) aria-current=[(one == now).then_some("page")] {
                    (kind(visit, one))
                }
            }
        }
        form.narrow method="post" action=(action) {
            (form::token(visit))
            input type="hidden" name="kind" value=(now.word());
            @if now != Kind::House {
                (field(lang, "person", visit.t("谁")).value(person).errors(errors).select(&members))
            }
            (field(lang, "on", day_label(visit, now)).value(visit.form.some("on").unwrap_or(&today)).errors(errors).date())
            @if now == Kind::House {
                (field(lang, "to", visit.t("迁到哪个社区")).value(visit.form.get("to")).errors(errors).select(&places))
                (field(lang, "address", visit.t("新的住址")).value(visit.form.get("address")).errors(errors).text())
            }
            @if now == Kind::Hukou {
                (field(lang, "to", visit.t("户籍地区划代码"))
                    .hint(html! { (visit.t("户口所在区县的 6 位代码，例如 440306；不知道就不填")) })
                    .value(visit.form.get("to")).errors(errors).width("short").text())
            }
            (field(lang, "source", visit.t("谁说的（来源）")).hint(html! { (visit.t("例如：公安、殡仪馆、医院、本人申报")) })
                .value(visit.form.get("source")).errors(errors).text())
            p.quiet { (visit.t("先看涉及哪些办件，再确认登记。登记不会自动改变任何金额。")) }
            button.primary type="submit" name="step" value="preview" { (visit.t("看涉及哪些事项")) }
        }
    };
    Ok(visit
        .page(visit.t("登记生活事件"))
        .nav("/households")
        .back(format!("/households/{}", home.id), visit.t("打开家庭"))
        .errors(errors)
        .show(&body))
}

fn day_label(visit: &Visit, kind: Kind) -> &'static str {
    match kind {
        Kind::Death => visit.t("死亡日期"),
        Kind::Left => visit.t("从哪天起不在本户"),
        _ => visit.t("从哪天起"),
    }
}

/// What was typed, or what is wrong with it.
fn typed(visit: &Visit, home: &Household) -> Result<NewEvent, Vec<FieldError>> {
    let form = &visit.form;
    let mut wrong = Vec::new();
    let kind = chosen(visit);
    let on = form.get("on").parse().ok();
    if on.is_none() {
        wrong.push(fault("on", visit.t("请填写日期，例如 2026-06-01")));
    }
    let person = form.get("person").parse().ok();
    if person.is_none() && kind != Kind::House {
        wrong.push(fault("person", visit.t("请选择是谁")));
    }
    let to = form.get("to").parse::<vocab::Region>();
    let happened = match (kind, person, to) {
        (Kind::Death, Some(person), _) => Some(Happened::Death { person }),
        (Kind::Left, Some(person), _) => Some(Happened::Left { person }),
        (Kind::Hukou, Some(person), Ok(to)) => Some(Happened::Hukou { person, to }),
        (Kind::House, _, Ok(to)) => Some(Happened::House {
            to,
            address: form.get("address").to_owned(),
        }),
        (Kind::House | Kind::Hukou, _, Err(not)) => {
            wrong.push(fault("to", words::sentence(visit.lang, &not.to_string())));
            None
        }
        _ => None,
    };
    match (happened, on) {
        (Some(happened), Some(on)) if wrong.is_empty() => Ok(NewEvent {
            household: home.id,
            happened,
            on,
            source: form.get("source").to_owned(),
            evidence: None,
        }),
        _ => Err(wrong),
    }
}

/// The field a refusal is about.
fn at(refused: &Refused) -> &'static str {
    match refused {
        Refused::NotAMember => "person",
        Refused::DayAhead => "on",
        Refused::SourceMissing => "source",
        Refused::File(_) => "proof",
        _ => "",
    }
}

/// `POST /households/{id}/event` (登记生活事件): shows what it touches, or records it.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let (scope, home) = home(visit).await?;
    let mut new = match typed(visit, &home) {
        Ok(new) => new,
        Err(wrong) => return asking(visit, &scope, &home, &wrong),
    };
    let confirmed = visit.form.get("step") == "confirm";
    if confirmed && let Some(upload) = visit.files.iter().find(|file| file.field == "proof") {
        if let Some(media) = media_type(&upload.bytes) {
            new.evidence = Some(NewFile {
                media_type: media.to_owned(),
                name: Some(upload.name.clone()),
                bytes: upload.bytes.to_vec(),
            });
        } else if !upload.bytes.is_empty() {
            let wrong = fault("proof", visit.t("只能上传照片（JPG、PNG）或 PDF"));
            return previewing(visit, &scope, &home, new, &[wrong]).await;
        }
    }
    if !confirmed {
        return previewing(visit, &scope, &home, new, &[]).await;
    }
    let mut tx = visit.app.db.begin().await?;
    match life_event::record(&mut tx, &scope, &visit.app.desk, new).await? {
        Ok(id) => {
            tx.commit().await?;
            visit.go(&format!("/life-events/{id}?done=recorded"))
        }
        Err(refused) => {
            tx.rollback().await?;
            refuse(visit, &scope, &home, refused)
        }
    }
}

fn refuse(visit: &Visit, scope: &Scope, home: &Household, refused: Refused) -> Answer {
    match refused {
        Refused::NotThere => Err(Problem::NotFound),
        Refused::Denied(denied) => Err(denied.into()),
        refused => {
            let sentence = words::sentence(visit.lang, &refused.to_string());
            asking(visit, scope, home, &[fault(at(&refused), sentence)])
        }
    }
}

/// What it would do: done, looked at, undone.
async fn previewing(
    visit: &Visit,
    scope: &Scope,
    home: &Household,
    new: NewEvent,
    errors: &[FieldError],
) -> Answer {
    let lang = visit.lang;
    let new = NewEvent {
        evidence: None,
        ..new
    };
    let kind_now = new.happened.kind();
    let who = new.happened.person().and_then(|person| {
        home.members
            .iter()
            .find(|member| member.person.id == person)
            .map(|member| member.person.name.clone())
    });
    let on = new.on;
    let mut tx = visit.app.db.begin().await?;
    let lines = match life_event::record(&mut tx, scope, &visit.app.desk, new).await? {
        Ok(event) => {
            let lines = life_event::lines(&tx, scope, event).await?;
            tx.rollback().await?;
            lines
        }
        Err(refused) => {
            tx.rollback().await?;
            return refuse(visit, scope, home, refused);
        }
    };
    let action = format!("/households/{}/event", home.id);
    let body = html! {
        (piece::section(visit.t("事件"), &piece::facts(&[
            (visit.t("发生了什么").to_owned(), html! { (kind(visit, kind_now)) }),
            (visit.t("谁").to_owned(), html! { (who.as_deref().unwrap_or(visit.t("全家"))) }),
            (visit.t("哪一天").to_owned(), html! { (format::date(on)) }),
            (visit.t("谁说的（来源）").to_owned(), html! { (visit.form.get("source")) }),
        ])))
        (piece::section(visit.t("涉及的事项"), &touched(visit, &lines)))
        form.narrow method="post" action=(action) enctype="multipart/form-data" {
            (form::token(visit))
            (kept(visit))
            (field(lang, "proof", visit.t("证明材料")).hint(html! { (visit.t("照片或 PDF，例如死亡证明；会放进因此停发的办件")) }).optional()
                .errors(errors).file("image/*,application/pdf"))
            div.buttons {
                button.primary type="submit" name="step" value="confirm" { (visit.t("确认登记")) }
                a.button.plain href=(format!("/households/{}", home.id)) { (visit.t("不登记，返回")) }
            }
        }
    };
    Ok(visit
        .page(visit.t("登记以前请核对"))
        .nav("/households")
        .back(format!("/households/{}", home.id), visit.t("打开家庭"))
        .wide()
        .errors(errors)
        .show(&body))
}

/// What was typed, carried to the confirmation.
fn kept(visit: &Visit) -> Markup {
    html! {
        @for name in ["kind", "person", "on", "to", "address", "source"] {
            @if let Some(value) = visit.form.some(name) { input type="hidden" name=(name) value=(value); }
        }
    }
}
