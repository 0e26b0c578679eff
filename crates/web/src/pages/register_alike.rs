//! At registration, whoever may be registered already (登记时核对): side by side with what was typed, with the reasons, and what the
//! officer says to each: this is the one, it is another, or it cannot be told yet.
//!
//! Guarantees: nobody is registered before every candidate has an answer, given beside what was typed then; an answer stands
//! while the form is corrected; of a record outside the officer's area nothing is shown but that there may be one and who looks
//! into it. Deliberately absent: a way to switch the question off.

use super::duplicates::{band, reasons};
use crate::parts::form::{FieldError, fault, field};
use crate::parts::side_by_side::{line, side_by_side};
use crate::parts::{format, piece};
use crate::problem::Problem;
use crate::visit::Visit;
use access::Scope;
use maud::{Markup, html};
use registry::duplicates::{Alike, Candidate, Said, alike, is_reason};
use registry::people::{NewPerson, ids_by_document};
use vocab::ids::PersonId;

/// What came of asking (核对结果).
pub(super) enum Asked {
    /// Nobody is like the one to be registered.
    Nobody,
    /// Every candidate has its answer.
    Said(Vec<(PersonId, Said)>),
    /// This is the one.
    IsThis(PersonId),
    /// Some answers are missing.
    Wait(Alike, Vec<FieldError>),
}

fn name_of(what: &str, id: PersonId) -> String {
    format!("{what}_{id}")
}

/// Asks about whoever may be registered already, and reads the answers that came with the form.
pub(super) async fn asked(visit: &Visit, scope: &Scope, new: &NewPerson) -> Result<Asked, Problem> {
    let db = &visit.app.db;
    let documents = std::slice::from_ref(&new.document);
    if !ids_by_document(db, scope, documents).await?.is_empty() {
        // Whose document it is needs no likeness; registering says what to do.
        return Ok(Asked::Nobody);
    }
    let mut tx = db.begin().await?;
    let found = alike(&mut tx, scope, new).await?;
    tx.commit().await?;
    if found == Alike::default() {
        return Ok(Asked::Nobody);
    }
    let mut said = Vec::new();
    let mut wrong = Vec::new();
    for one in &found.here {
        let id = one.person.id;
        let (answer, reason) = (name_of("said", id), name_of("why", id));
        let why = visit.form.get(&reason).to_owned();
        // An answer carried along while something else was corrected is shown once more, beside what is typed now.
        if !visit.form.has(&name_of("asked", id)) {
            wrong.push(fault(answer, visit.t("请选择是不是同一人")));
            continue;
        }
        match visit.form.get(&answer) {
            "same" => return Ok(Asked::IsThis(id)),
            "different" | "unsure" if !is_reason(&why) => {
                wrong.push(fault(
                    reason,
                    visit.t("请写明理由，至少四个字，例如“看过两人身份证”"),
                ));
            }
            "different" => said.push((id, Said::Different(why))),
            "unsure" => said.push((id, Said::Unsure(why))),
            _ => wrong.push(fault(answer, visit.t("请选择是不是同一人"))),
        }
    }
    let is_told = visit.form.has("elsewhere");
    if wrong.is_empty() && (is_told || !found.elsewhere) {
        return Ok(Asked::Said(said));
    }
    // What was never asked is no mistake of the officer's: the question itself comes first.
    let is_first = !found
        .here
        .iter()
        .any(|one| visit.form.has(&name_of("asked", one.person.id)));
    if is_first && !found.here.is_empty() {
        wrong = vec![fault(
            name_of("said", found.here[0].person.id),
            visit.t("此人可能已经登记，请先核对"),
        )];
    }
    Ok(Asked::Wait(found, wrong))
}

/// The candidates, in the form.
pub(super) fn panel(visit: &Visit, alike: &Alike, errors: &[FieldError]) -> Markup {
    html! {
        @if alike.elsewhere {
            div.note.warn {
                (visit.t("此人可能在您的区域以外登记过。资料不在您的区域，这里不能显示；可以继续登记，系统会转给两地共同的上级核对。"))
            }
            input type="hidden" name="elsewhere" value="1";
        }
        @for one in &alike.here { (candidate(visit, one, errors)) }
        @for (name, value) in carried(visit, alike) { input type="hidden" name=(name) value=(value); }
    }
}

/// The answers given before about whoever is not asked about on this page.
fn carried<'a>(visit: &'a Visit, alike: &Alike) -> Vec<(&'a str, &'a str)> {
    let is_shown = |name: &str| {
        alike
            .here
            .iter()
            .any(|one| name.ends_with(&one.person.id.to_string()))
    };
    visit
        .form
        .iter()
        .filter(|(name, _)| name.starts_with("said_") || name.starts_with("why_"))
        .filter(|(name, _)| !is_shown(name))
        .collect()
}

fn candidate(visit: &Visit, one: &Candidate, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    let id = one.person.id;
    let typed = |name: &str| visit.form.get(name).to_owned();
    let known = &one.person;
    let lines = vec![
        line(visit.t("姓名"), typed("name"), &known.name),
        line(
            visit.t("证件号码"),
            access::mask_id(&typed("number")),
            &known.document_masked,
        ),
        line(
            visit.t("手机"),
            access::mask_phone(&typed("phone")),
            known.phone_masked.clone().unwrap_or_default(),
        ),
        line(visit.t("住址"), typed("address"), &one.address),
    ];
    let heads = [
        visit.t("现在填写的").to_owned(),
        visit.t("已登记的").to_owned(),
    ];
    let choices = [
        ("same", visit.t("就是此人，用已有的登记")),
        ("different", visit.t("不是同一人")),
        ("unsure", visit.t("暂时不能确定，先登记，留待核对")),
    ]
    .map(|(value, label)| (value.to_owned(), label.to_owned()));
    let against = reasons(visit, &one.reasons, false);
    let (said, why) = (name_of("said", id), name_of("why", id));
    html! {
        section.part {
            h2 { (visit.t("可能已登记")) " " (piece::tag(band(visit, one.band))) }
            p { (reasons(visit, &one.reasons, true))
                @if !against.is_empty() { span.quiet { " " (visit.t("不一致的：")) (against) } } }
            (side_by_side(visit, heads, lines))
            p { a href=(format!("/people/{id}")) target="_blank" rel="noopener" { (visit.t("看已登记的这一条")) }
                " " (visit.place(known.lives_in))
                @if let Some(born) = known.birth_date { " " (format::date(born)) } }
            input type="hidden" name=(name_of("asked", id)) value="1";
            (field(lang, &said, visit.t("是不是同一人")).value(visit.form.get(&said)).errors(errors).radios(&choices))
            (field(lang, &why, visit.t("理由")).hint(html! { (visit.t("不是同一人或不能确定时填写，例如“双胞胎，看过两人身份证”")) })
                .optional().value(visit.form.get(&why)).errors(errors).text())
        }
    }
}
