//! Consent on a case (核对授权): who agreed that other departments are asked, who did not, recording either, taking it back.
//!
//! One form for everybody who has not said anything: adults for themselves, children through a guardian. Somebody outside
//! the household, or somebody who died, is added by identity number and answers in a form of their own. Works without
//! script. Guarantees: how it was said, who signed for another and what somebody is to the household are chosen by the
//! officer and never presumed; what was chosen stands after a refusal. Deliberately absent: deciding what a refusal means
//! for the case.

use super::case::{Seen, page, view};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose};
use anyhow::Context;
use maud::{Markup, html};
use registry::consent::{self, Consent, NewConsent, Refused, Said, State, Tie, Way};
use std::collections::BTreeMap;
use uuid::Uuid;
use vocab::ids::{CaseId, PersonId};
use vocab::{Document, DocumentKind};

/// For what people sign (授权用途), word for word as the packs have it.
pub(crate) async fn purpose(visit: &Visit) -> Result<String, Problem> {
    Ok(super::enquiry::terms(visit).await?.usual().to_owned())
}

pub(crate) fn way_name(visit: &Visit, way: Way) -> &'static str {
    match way {
        Way::Paper => visit.t("纸质签字"),
        Way::Screen => visit.t("当面屏幕签字"),
        Way::Qr => visit.t("本人手机扫码"),
        Way::Refused => visit.t("不同意"),
    }
}

pub(crate) fn tie_name(visit: &Visit, tie: Tie) -> &'static str {
    match tie {
        Tie::Member => visit.t("家庭成员"),
        Tie::SupportsParent => visit.t("赡养义务人"),
        Tie::SupportsChild => visit.t("抚养义务人"),
        Tie::SupportsSpouse => visit.t("扶养义务人"),
        Tie::Late => visit.t("已故家人"),
    }
}

/// Where one person's consent stands, in words: the same on every page.
pub(crate) fn state_words(visit: &Visit, said: &Said) -> Markup {
    let lang = visit.lang;
    let day = |consent: &Consent| format::date(consent.signed_on);
    match &said.state {
        State::InForce(one) => html! {
            "● " (lang.f("已授权，{day} {way}", &[("day", &day(one)), ("way", &way_name(visit, one.way))]))
            @if let Some(until) = one.until { " · " (lang.f("{day}前有效", &[("day", &format::date(until))])) }
        },
        State::Refused(one) => html! {
            "○ " (lang.f("不同意，{day}：{reason}", &[("day", &day(one)), ("reason", &one.reason)]))
        },
        State::Withdrawn(one) => html! {
            "○ " (lang.f("已撤回，{day}", &[("day", &one.withdrawn_on.map(format::date).unwrap_or_default())]))
        },
        State::Ended(one) => html! {
            "○ " (lang.f("授权已到期，{day}", &[("day", &one.until.map(format::date).unwrap_or_default())]))
        },
        State::Silent if said.child => html! { "◐ " (visit.t("还没有授权，由监护人签")) },
        State::Silent => html! { "◐ " (visit.t("还没有授权")) },
    }
}

/// The scan of what one person said last, if there is one.
fn scan_of(said: &Said) -> Option<&str> {
    match &said.state {
        State::InForce(one) | State::Refused(one) | State::Withdrawn(one) | State::Ended(one) => {
            one.file.as_deref()
        }
        State::Silent => None,
    }
}

/// Everybody an enquiry on a case may concern, with their names as pages show them (各人及其授权).
pub(crate) async fn everybody(visit: &Visit, seen: &Seen) -> Result<Vec<(Said, String)>, Problem> {
    let scope = visit.scope(Purpose::Review)?;
    let (db, today) = (&visit.app.db, visit.today());
    let purpose = purpose(visit).await?;
    let said = consent::said(db, &scope, seen.case.household, &purpose, today)
        .await?
        .unwrap_or_default();
    let ids: Vec<PersonId> = said.iter().map(|one| one.person).collect();
    let rows = registry::people::rows(db, &scope, &ids).await?;
    let names: BTreeMap<PersonId, String> = rows
        .into_iter()
        .map(|row| (row.id, access::mask_name(&row.name)))
        .collect();
    Ok(said
        .into_iter()
        .map(|one| {
            let name = names.get(&one.person).cloned().unwrap_or_default();
            (one, name)
        })
        .collect())
}

/// The part of the case's page (办件页上的授权).
pub(crate) fn section(
    visit: &Visit,
    seen: &Seen,
    people: &[(Said, String)],
    errors: &[FieldError],
) -> Markup {
    let mine = errors.iter().any(|error| error.field.starts_with("auth"));
    let open: Vec<&(Said, String)> = people
        .iter()
        .filter(|(said, _)| said.state.in_force().is_none())
        .collect();
    let may = visit.can(Permission::Apply);
    piece::section(
        visit.t("核对授权"),
        &html! {
            @if seen.view.unauthorised.is_empty() { p.quiet { (visit.t("成年家庭成员都已授权。")) } }
            ul.answers {
                @for (said, name) in people {
                    li {
                        div.head { (name) @if said.tie != Tie::Member { span.quiet { (tie_name(visit, said.tie)) } } }
                        p.quiet {
                            (state_words(visit, said)) " "
                            @if let (true, Some(scan)) = (visit.can(Permission::SeePapers), scan_of(said)) {
                                a href=(format!("/files/{scan}")) { (visit.t("授权书扫描件")) } " "
                            }
                            @if may && said.state.in_force().is_none() {
                                a href=(format!("/cases/{}/consents/{}/form", seen.case.id, said.person)) target="_blank" rel="noopener" {
                                    (visit.t("打印授权书"))
                                }
                            }
                        }
                        @if let (true, Some(one)) = (may, said.state.in_force()) { (take_back(visit, seen, one)) }
                    }
                }
            }
            @if may && !open.is_empty() {
                details.act-form open[mine] {
                    summary { (visit.t("登记授权")) }
                    (give_form(visit, seen, people, &open, errors))
                }
            }
            @if may {
                details.act-form open[errors.iter().any(|error| error.field.starts_with("out"))] {
                    summary { (visit.t("家庭以外的义务人、已故家人")) }
                    (outside_form(visit, seen, people, errors))
                }
            }
        },
    )
}

fn take_back(visit: &Visit, seen: &Seen, one: &Consent) -> Markup {
    html! {
        details {
            summary { (visit.t("本人要撤回")) }
            form method="post" action=(format!("/cases/{}/consents/{}/withdraw", seen.case.id, one.id)) {
                (form::token(visit))
                label { (visit.t("撤回的理由")) " " input type="text" name="reason"; }
                (form::lesser(visit.t("撤回授权")))
            }
        }
    }
}

fn ways(visit: &Visit) -> Vec<(String, String)> {
    Way::ALL
        .iter()
        .map(|way| (way.word().to_owned(), way_name(visit, *way).to_owned()))
        .collect()
}

/// The adults who may sign for a child or for somebody who died.
fn signers(people: &[(Said, String)]) -> Vec<(String, String)> {
    people
        .iter()
        .filter(|(said, _)| said.tie == Tie::Member && !said.child)
        .map(|(said, name)| (said.person.to_string(), name.clone()))
        .collect()
}

fn give_form(
    visit: &Visit,
    seen: &Seen,
    people: &[(Said, String)],
    open: &[&(Said, String)],
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let choices: Vec<(String, String)> = open
        .iter()
        .map(|(said, name)| {
            let name = match said.tie {
                _ if said.child => lang.f("{name}（由监护人签）", &[("name", name)]),
                Tie::Member => name.clone(),
                tie => format!("{name} {}", tie_name(visit, tie)),
            };
            (said.person.to_string(), name)
        })
        .collect();
    // Who answers alone is not ticked for them: a supporter outside, and whoever said no before. What was ticked before a
    // refusal stays as it was.
    let ticked: Vec<String> = match visit.form.has("auth_signed") {
        true => visit.form.all("auth_person").map(str::to_owned).collect(),
        false => open
            .iter()
            .filter(|(said, _)| said.tie == Tie::Member && !matches!(said.state, State::Refused(_)))
            .map(|(said, _)| said.person.to_string())
            .collect(),
    };
    let ticked: Vec<&str> = ticked.iter().map(String::as_str).collect();
    let signers = signers(people);
    let today = format::date(visit.today());
    html! {
        form method="post" action=(format!("/cases/{}/authorise", seen.case.id)) enctype="multipart/form-data" {
            (form::token(visit))
            (field(lang, "auth_person", visit.t("谁的资料")).errors(errors).ticks(&choices, &ticked))
            (field(lang, "auth_way", visit.t("怎么签的")).value(visit.form.get("auth_way"))
                .errors(errors).radios(&ways(visit)))
            (field(lang, "auth_signed", visit.t("签署日期"))
                .value(visit.form.some("auth_signed").unwrap_or(&today)).errors(errors).date())
            (field(lang, "auth_by", visit.t("监护人或已故家人的近亲属")).hint(html! { (visit.t("替未成年人、已故家人签的填写")) }).optional()
                .value(visit.form.get("auth_by")).errors(errors).select(&signers))
            (field(lang, "auth_file", visit.t("授权书扫描件")).hint(html! { (visit.t("纸质签字必须上传；在这里打印的授权书凭二维码自动归到本人")) }).optional()
                .errors(errors).file("image/*,application/pdf"))
            (field(lang, "auth_reason", visit.t("不同意的理由")).hint(html! { (visit.t("不同意的必须写")) }).optional()
                .value(visit.form.get("auth_reason")).errors(errors).text())
            (form::lesser(visit.t("登记授权")))
        }
    }
}

fn outside_form(
    visit: &Visit,
    seen: &Seen,
    people: &[(Said, String)],
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let ties: Vec<(String, String)> = Tie::ALL
        .iter()
        .filter(|tie| **tie != Tie::Member)
        .map(|tie| (tie.word().to_owned(), tie_name(visit, *tie).to_owned()))
        .collect();
    let today = format::date(visit.today());
    html! {
        p.quiet { (visit.t("家庭以外的人只在必要时核对，并且只凭本人的同意；家庭成员的授权不包括他们。")) }
        form method="post" action=(format!("/cases/{}/consents", seen.case.id)) enctype="multipart/form-data" {
            (form::token(visit))
            (field(lang, "out_number", visit.t("身份证号")).value(visit.form.get("out_number")).errors(errors).width("middle").text())
            (field(lang, "out_tie", visit.t("与这一户的关系")).value(visit.form.get("out_tie"))
                .errors(errors).select(&ties))
            (field(lang, "out_way", visit.t("怎么签的")).value(visit.form.get("out_way"))
                .errors(errors).radios(&ways(visit)))
            (field(lang, "out_signed", visit.t("签署日期"))
                .value(visit.form.some("out_signed").unwrap_or(&today)).errors(errors).date())
            (field(lang, "out_by", visit.t("已故家人的近亲属")).optional()
                .value(visit.form.get("out_by")).errors(errors).select(&signers(people)))
            (field(lang, "out_file", visit.t("授权书扫描件")).optional().errors(errors).file("image/*,application/pdf"))
            (field(lang, "out_reason", visit.t("不同意的理由")).optional().value(visit.form.get("out_reason")).errors(errors).text())
            (form::lesser(visit.t("登记此人的授权")))
        }
    }
}

/// The field of a form a refusal is about.
fn field_of(part: &str, refused: Refused) -> String {
    let name = match refused {
        Refused::ScanMissing => "file",
        Refused::SignedLater | Refused::PeriodReversed => "signed",
        Refused::GuardianMissing
        | Refused::RelativeMissing
        | Refused::SignerIsNoAdult
        | Refused::OwnConsentOnly => "by",
        Refused::ReasonMissing => "reason",
        Refused::Lives | Refused::Died | Refused::IsAMember if part == "out" => "tie",
        _ if part == "out" => "number",
        _ => "person",
    };
    format!("{part}_{name}")
}

/// What a form says of all whom it names.
struct Sent {
    way: Way,
    signed_on: chrono::NaiveDate,
    by: Option<PersonId>,
    reason: String,
}

fn sent(visit: &Visit, part: &str) -> Result<Sent, FieldError> {
    let name = |end: &str| format!("{part}_{end}");
    let Ok(signed_on) = visit.form.get(&name("signed")).parse() else {
        let sentence = visit.t("请填写日期，例如 2026-06-01");
        return Err(fault(name("signed"), sentence));
    };
    // Nobody consents by a choice that was not made.
    let Some(way) = Way::from_word(visit.form.get(&name("way"))) else {
        let sentence = visit.t("请选择怎么签的；本人不同意的选“不同意”");
        return Err(fault(name("way"), sentence));
    };
    Ok(Sent {
        way,
        signed_on,
        by: visit.form.get(&name("by")).parse().ok(),
        reason: visit.form.get(&name("reason")).to_owned(),
    })
}

/// Whom a scanned form is of (扫描件归属): whom its QR names, whoever is ticked; those ticked, if it cannot be read.
async fn attached(
    visit: &Visit,
    seen: &Seen,
    part: &str,
    ticked: Vec<(PersonId, Tie, bool)>,
) -> Result<Result<Vec<(PersonId, Tie, bool)>, FieldError>, Problem> {
    let name = format!("{part}_file");
    let Some(upload) = visit.files.iter().find(|file| file.field == name) else {
        return Ok(Ok(ticked));
    };
    let bytes = upload.bytes.clone();
    let read = tokio::task::spawn_blocking(move || papers::qr_in(&bytes))
        .await
        .context("reading the QR of a scan")?;
    let (keys, purpose) = (visit.app.db.keys(), purpose(visit).await?);
    let Some(marked) = read.and_then(|text| consent::read_mark(keys, &text, &purpose)) else {
        return Ok(Ok(ticked));
    };
    if marked.household != seen.case.household {
        let sentence = visit.t("扫描件上的二维码是另一户的授权书，请核对");
        return Ok(Err(fault(name, sentence)));
    }
    let known = everybody(visit, seen).await?;
    let said = known.iter().find(|(said, _)| said.person == marked.person);
    Ok(match said {
        Some((said, _)) => Ok(vec![(
            said.person,
            said.tie,
            said.child || said.tie == Tie::Late,
        )]),
        None => Err(fault(
            name,
            visit.t("扫描件上的二维码不是这一户的人，请核对"),
        )),
    })
}

/// Records the same word of several people, or of nobody.
async fn record(
    visit: &Visit,
    seen: &Seen,
    part: &str,
    people: Vec<(PersonId, Tie, bool)>,
) -> Result<Result<(), FieldError>, Problem> {
    let scope = visit.scope(Purpose::Application)?;
    let sent = match sent(visit, part) {
        Ok(sent) => sent,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let purpose = purpose(visit).await?;
    let people = match attached(visit, seen, part, people).await? {
        Ok(people) if people.is_empty() => {
            let sentence = visit.t("扫描件上的二维码读不出，请勾选是谁签的");
            return Ok(Err(fault(format!("{part}_person"), sentence)));
        }
        Ok(people) => people,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let mut tx = visit.app.db.begin().await?;
    let mut file = None;
    let upload = format!("{part}_file");
    if let Some(upload) = visit.files.iter().find(|file| file.field == upload) {
        match super::facts::keep(visit, &tx, upload).await? {
            Ok(id) => file = Some(id.to_string()),
            Err(sentence) => {
                tx.rollback().await?;
                return Ok(Err(fault(format!("{part}_file"), sentence)));
            }
        }
    }
    for (person, tie, through_another) in people {
        let new = NewConsent {
            person,
            household: seen.case.household,
            tie,
            purpose: purpose.clone(),
            way: sent.way,
            signed_on: sent.signed_on,
            until: None,
            file: file.clone(),
            signed_by: sent.by.filter(|_| through_another),
            reason: sent.reason.clone(),
        };
        if let Err(refused) = consent::give(&mut tx, &scope, new).await? {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            return Ok(Err(fault(field_of(part, refused), sentence)));
        }
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// `POST /cases/{id}/authorise` (登记授权): for each person ticked.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn authorise(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let known = everybody(visit, &seen).await?;
    let people: Vec<(PersonId, Tie, bool)> = visit
        .form
        .all("auth_person")
        .filter_map(|person| person.parse().ok())
        .map(|person: PersonId| {
            let said = known.iter().find(|(said, _)| said.person == person);
            said.map_or((person, Tie::Member, false), |(said, _)| {
                (person, said.tie, said.child || said.tie == Tie::Late)
            })
        })
        .collect();
    if people.is_empty() && visit.files.is_empty() {
        let wrong = [fault("auth_person", visit.t("请勾选谁签了授权"))];
        return page(visit, &seen, &wrong).await;
    }
    match record(visit, &seen, "auth", people).await? {
        Ok(()) => visit.go(&format!("/cases/{id}?done=authorised")),
        Err(wrong) => page(visit, &seen, &[wrong]).await,
    }
}

/// `POST /cases/{id}/consents` (登记家庭以外的人的授权), found by identity number.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn outside(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Application)?;
    let wrong = |sentence: String| [fault("out_number", sentence)];
    let number = visit.form.get("out_number");
    let document = match Document::read(DocumentKind::ResidentId, number, visit.today()) {
        Ok(document) => document,
        Err(read) => {
            return page(
                visit,
                &seen,
                &wrong(words::sentence(visit.lang, &read.to_string())),
            )
            .await;
        }
    };
    let found = registry::people::find_by_document(&visit.app.db, &scope, &document).await?;
    let Some(person) = found else {
        let refused = Refused::PersonNotThere;
        let sentence = words::sentence(visit.lang, &refused.to_string());
        return page(visit, &seen, &wrong(sentence)).await;
    };
    let tie = Tie::from_word(visit.form.get("out_tie")).filter(|tie| *tie != Tie::Member);
    let Some(tie) = tie else {
        let sentence = visit.t("请选择此人与这一户的关系");
        return page(visit, &seen, &[fault("out_tie", sentence)]).await;
    };
    match record(
        visit,
        &seen,
        "out",
        vec![(person.id, tie, tie == Tie::Late)],
    )
    .await?
    {
        Ok(()) => visit.go(&format!("/cases/{id}?done=authorised")),
        Err(wrong) => page(visit, &seen, &[wrong]).await,
    }
}

/// `POST /cases/{id}/consents/{consent}/withdraw` (撤回授权).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn withdraw(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let one: Uuid = visit.id("consent")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Application)?;
    let mut tx = visit.app.db.begin().await?;
    match consent::withdraw(&mut tx, &scope, one, visit.form.get("reason")).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}?done=withdrawn"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = words::sentence(visit.lang, &refused.to_string());
            page(visit, &seen, &[fault("", sentence)]).await
        }
    }
}
