//! The person's objections to findings (对核对结果的异议), on the page of the enquiry: raising one, and answering it.
//!
//! Deliberately absent: deciding who may answer; the room that keeps objections does.

use super::case::{Seen, view};
use super::enquiry::{Report, page, terms};
use super::enquiry_lines::Line;
use super::facts::{evidence_link, keep};
use super::findings::{name_of, subject_of, word};
use crate::locale::key;
use crate::parts::answer::{Asked, shown_at};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose};
use casework::finding::objection::{
    self, Answer as Given, Correction, FindingObjection, NewObjection, Refused,
};
use maud::{Markup, html};
use uuid::Uuid;
use vocab::Period;
use vocab::ids::CaseId;

/// The field of the paper that proves an objection; the answer beside it has a file of its own.
const PROOF: &str = "proof";

/// The objections of a case.
pub(crate) async fn of_case(visit: &Visit, seen: &Seen) -> Result<Vec<FindingObjection>, Problem> {
    let scope = visit.scope(Purpose::Review)?;
    Ok(objection::of_case(&visit.app.db, &scope, seen.case.id).await?)
}

/// What stands under a finding that was taken: the way to its objection, or that there is one.
pub(crate) fn under(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    line: &Line<'_>,
    errors: &[FieldError],
) -> Markup {
    let open = report.objected.iter().any(|one| {
        Some(one.subject) == line.subject
            && line.fact.is_some_and(|fact| fact.id == one.fact)
            && one.department == line.source.department
            && one.answered.is_none()
    });
    let key = line.key();
    let here = chosen(visit) == key;
    html! {
        @if open { p.quiet { (visit.t("本人有异议，正在复查。")) } }
        @else if here { (object_form(visit, seen, report, line, errors)) }
        @else {
            p { a href=(format!("/cases/{}/enquiry?report={}&object={key}", seen.case.id, report.enquiry.row.id)) {
                (visit.t("本人有异议"))
            } }
        }
    }
}

/// Which finding is objected to, on the page asked for or sent.
fn chosen(visit: &Visit) -> &str {
    match visit.form.get("object") {
        "" => visit.query.get("object"),
        sent => sent,
    }
}

fn object_form(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    line: &Line<'_>,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let (Some(subject), Some(fact)) = (line.subject, line.fact) else {
        return html! {};
    };
    let members: Vec<(String, String)> = seen
        .members
        .iter()
        .map(|(id, name)| (id.to_string(), name.clone()))
        .collect();
    html! {
        form.card method="post" action=(format!("/cases/{}/enquiry/{}/object", seen.case.id, report.enquiry.row.id))
            enctype="multipart/form-data" {
            (form::token(visit))
            input type="hidden" name="object" value=(line.key());
            input type="hidden" name="about" value=(word(subject));
            input type="hidden" name="fact" value=(fact.id);
            input type="hidden" name="source" value=(line.source.department);
            (field(lang, "by", visit.t("谁提出")).value(visit.form.get("by")).errors(errors).select(&members))
            (field(lang, "said", visit.t("哪里不对，为什么")).value(visit.form.get("said")).errors(errors).area(3))
            (field(lang, "papers", visit.t("证明材料的名称或编号")).optional().value(visit.form.get("papers")).errors(errors).text())
            (field(lang, PROOF, visit.t("证明材料（照片或扫描件）")).optional().errors(errors).file("image/*,application/pdf"))
            (form::lesser(visit.t("登记异议")))
        }
    }
}

/// What was objected, and the answers.
pub(crate) fn section(
    visit: &Visit,
    seen: &Seen,
    all: &[FindingObjection],
    errors: &[FieldError],
) -> Markup {
    if all.is_empty() {
        return html! {};
    }
    piece::section(
        visit.t("异议与更正"),
        &html! {
            span #objections {}
            @let answering = answering(visit, all);
            ul.answers { @for one in all { li { (one_objection(visit, seen, one, answering == Some(one.id), errors)) } } }
        },
    )
}

/// Which objection is being answered: the one asked for, else the oldest open one.
fn answering(visit: &Visit, all: &[FindingObjection]) -> Option<Uuid> {
    let asked = visit.query.get("answer").parse().ok();
    let sent = visit.part("objection").parse().ok();
    let first = all
        .iter()
        .find(|one| one.answered.is_none())
        .map(|one| one.id);
    sent.or(asked).or(first)
}

fn one_objection(
    visit: &Visit,
    seen: &Seen,
    one: &FindingObjection,
    answering: bool,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let def = visit.app.desk.book.fact(&one.fact);
    let label = def.map_or(one.fact.as_str(), |def| {
        lang.pick(&def.label_zh, &def.label_en)
    });
    let value = def.map_or_else(String::new, |def| {
        shown_at(visit, &Asked::of(lang, def), &one.value)
    });
    let by = name_of(visit, seen, registry::Subject::Person(one.by));
    html! {
        div.head {
            (name_of(visit, seen, one.subject)) " · " (label) " " strong { (value) }
            span.quiet { (one.department) }
        }
        p {
            (lang.f("{name} {day} 提出：", &[("name", &by), ("day", &format::date(one.on))])) (one.said)
            @if !one.papers.is_empty() { " · " (evidence_link(visit, &one.papers)) }
        }
        @match &one.answered {
            Some(answered) => {
                p {
                    @if answered.upheld { "● " (visit.t("异议成立，已更正")) } @else { "○ " (visit.t("异议不成立，维持")) }
                    (visit.t("：")) (answered.reason) " "
                    span.quiet { (answered.officer) " " (format::date(answered.on)) }
                }
            }
            None => {
                p.quiet { "◐ " (lang.f("{day} 前答复", &[("day", &format::date(one.due_on))])) }
                @if !visit.can(Permission::Enquire) {}
                @else if answering { (answer_form(visit, seen, one, errors)) }
                @else { p { a href=(format!("/cases/{}/enquiry?answer={}", seen.case.id, one.id)) { (visit.t("复查答复")) } } }
            }
        }
    }
}

fn answer_form(
    visit: &Visit,
    seen: &Seen,
    one: &FindingObjection,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    if visit.actor().officer == one.taken_by {
        return html! { p { (visit.t("这一条是您采信的，请由另一位工作人员复查答复。")) } };
    }
    let Some(def) = visit.app.desk.book.fact(&one.fact) else {
        return html! {};
    };
    let asked = Asked::of(lang, def);
    let outcomes = [
        ("upheld".to_owned(), visit.t("成立：撤回这一条").to_owned()),
        (
            "refused".to_owned(),
            visit.t("不成立：维持这一条").to_owned(),
        ),
    ];
    // What is wrong with this very answer keeps it open.
    let mine = !errors.is_empty() && visit.part("objection") == one.id.to_string();
    html! {
        details.act-form open[mine] {
            summary { (visit.t("复查答复")) }
            form method="post" action=(format!("/cases/{}/objections/{}", seen.case.id, one.id)) enctype="multipart/form-data" {
                (form::token(visit))
                input type="hidden" name="report" value=(visit.form.some("report").unwrap_or(visit.query.get("report")));
                (field(lang, "answer_result", visit.t("复查结果")).value(visit.form.get("answer_result"))
                    .errors(errors).radios(&outcomes))
                (field(lang, "answer_reason", visit.t("理由")).value(visit.form.get("answer_reason")).errors(errors).area(3))
                p.quiet { (lang.f("成立而且部门另有说法的，填写更正后的“{fact}”、提供信息的部门和文号。", &[("fact", &asked.label)])) }
                (crate::parts::answer::ask(lang, "value", &asked, visit.form.get("value"), errors, &html! {}))
                (field(lang, "source", visit.t("提供信息的部门")).optional()
                    .value(visit.form.some("source").unwrap_or(&one.department)).errors(errors).width("middle").text())
                (field(lang, "number", visit.t("部门回复的文号或编号")).optional().value(visit.form.get("number"))
                    .errors(errors).width("middle").text())
                (field(lang, "file", visit.t("部门回复（照片或扫描件）")).optional().errors(errors).file("image/*,application/pdf"))
                (form::lesser(visit.t("答复异议")))
            }
        }
    }
}

/// `POST /cases/{id}/enquiry/{report}/object` (登记异议).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn object(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let report: Uuid = visit.id("report")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let within = terms(visit).await?.answer_working_days;
    let subject = subject_of(&seen, visit.form.get("about")).ok_or(Problem::NotFound)?;
    let Ok(by) = visit.form.get("by").parse() else {
        let wrong = [fault("by", visit.t("请选择是谁提出的"))];
        return page(visit, &seen, &wrong).await;
    };
    let mut new = NewObjection {
        subject,
        fact: visit.form.get("fact").to_owned(),
        department: visit.form.get("source").to_owned(),
        period: Period::ALWAYS,
        by,
        said: visit.form.get("said").to_owned(),
        papers: visit.form.get("papers").to_owned(),
        within_working_days: u16::try_from(within).unwrap_or(u16::MAX),
    };
    let mut tx = visit.app.db.begin().await?;
    if let Some(upload) = visit.files.first() {
        match keep(visit, &tx, upload).await? {
            Ok(file) => new.papers = file.to_string(),
            Err(sentence) => {
                tx.rollback().await?;
                return page(visit, &seen, &[fault(PROOF, sentence)]).await;
            }
        }
    }
    match objection::object(&mut tx, &scope, &visit.app.desk, id, new).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!(
                "/cases/{id}/enquiry?report={report}&done=objected"
            ))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = visit
                .lang
                .pick(&refused.to_string(), &refused.en())
                .to_owned();
            let field = match refused {
                Refused::NotOfTheHousehold => "by",
                _ => "said",
            };
            page(visit, &seen, &[fault(field, sentence)]).await
        }
    }
}

/// The answer as typed: whether the person is right, and what is right instead. Nothing typed is dropped silently.
fn said(
    visit: &Visit,
    fact: &policy::FactDef,
) -> Result<(bool, Option<Correction>), Vec<FieldError>> {
    let one = |field: &str, sentence: &'static str| Err(vec![fault(field, visit.t(sentence))]);
    let has = |name: &str| visit.form.some(name).is_some();
    let is_corrected = has("value") || has("number") || !visit.files.is_empty();
    match visit.form.get("answer_result") {
        "upheld" if is_corrected => {
            if !has("value") {
                return one(
                    "value",
                    key("填了文号或者上传了回复，请同时填写更正后的值；没有更正的值请不要填"),
                );
            }
            let (read, wrong) = super::facts::typed(visit, fact);
            match read.filter(|_| wrong.is_empty()) {
                Some(read) => Ok((
                    true,
                    Some(Correction {
                        value: read.value,
                        department: read.source,
                        evidence: read.evidence.unwrap_or_default(),
                    }),
                )),
                None => Err(wrong),
            }
        }
        "upheld" => Ok((true, None)),
        "refused" if is_corrected => one(
            "answer_result",
            key("异议不成立的维持原值，不填更正的内容；要更正请选择“成立”"),
        ),
        "refused" => Ok((false, None)),
        _ => one("answer_result", key("请选择异议是否成立")),
    }
}

/// `POST /cases/{id}/objections/{objection}` (答复异议).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn answer(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let one: Uuid = visit.id("objection")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let known = of_case(visit, &seen).await?;
    let fact = known
        .iter()
        .find(|known| known.id == one)
        .and_then(|known| visit.app.desk.book.fact(&known.fact))
        .ok_or(Problem::NotFound)?;
    let (upheld, mut correction) = match said(visit, fact) {
        Ok(said) => said,
        Err(wrong) => return page(visit, &seen, &wrong).await,
    };
    let mut tx = visit.app.db.begin().await?;
    if let (Some(upload), Some(right)) = (visit.files.first(), &mut correction) {
        match keep(visit, &tx, upload).await? {
            Ok(file) => right.evidence = file.to_string(),
            Err(sentence) => {
                tx.rollback().await?;
                return page(visit, &seen, &[fault("file", sentence)]).await;
            }
        }
    }
    let given = Given {
        upheld,
        reason: visit.form.get("answer_reason").to_owned(),
        correction,
    };
    match objection::answer(&mut tx, &scope, &visit.app.desk, one, given).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}/enquiry?done=answered"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let field = match &refused {
                Refused::Finding(casework::finding::Refused::EvidenceMissing) => "number",
                Refused::Finding(casework::finding::Refused::DepartmentMissing) => "source",
                _ => "answer_reason",
            };
            let sentence = lang.pick(&refused.to_string(), &refused.en()).to_owned();
            page(visit, &seen, &[fault(field, sentence)]).await
        }
    }
}
