//! Papers of an enquiry (核对文书): the report as PDF, and the form of consent one person signs.
//!
//! Guarantees: identity numbers stand masked; the report says what was kept and by which consents, beside what is declared
//! when it is printed.
//! Deliberately absent: the wording, which is in `enquiry_report.typ` and `consent_form.typ` of the packs.

use super::case::{Seen, view};
use super::consents::{everybody, purpose, tie_name, way_name};
use super::enquiry::{Report, report, sources};
use super::enquiry_lines::{Line, Lines, Standing, plainly};
use crate::parts::answer::{Asked, shown_at};
use crate::parts::format;
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, inline};
use access::Purpose;
use anyhow::Context;
use casework::document;
use registry::consent::{self, Consent, Marked, State};
use registry::people::PersonRow;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::Event;
use vocab::ids::{CaseId, PersonId};

/// Sets a paper of the packs in type, its QR beside it.
async fn set(
    visit: &Visit,
    template: &'static str,
    data: Value,
    qr: String,
) -> Result<Vec<u8>, Problem> {
    let texts = &visit.app.desk.book.place().texts;
    let (_, text) = texts
        .get(template)
        .cloned()
        .with_context(|| format!("规则包里没有 {template} (no template)"))?;
    let made = tokio::task::spawn_blocking(move || {
        let beside = BTreeMap::from([("qr.svg".to_owned(), papers::qr_svg(&qr)?.into_bytes())]);
        papers::pdf_with(&text, &data, &beside)
    })
    .await
    .context("setting a paper in type")?;
    Ok(made?)
}

/// The place that signs; the templates say which office of it.
fn issuer(visit: &Visit) -> &str {
    let place = visit.app.desk.book.place();
    visit.lang.pick(&place.name_zh, &place.name_en)
}

async fn people(visit: &Visit, ids: &[PersonId]) -> Result<Vec<PersonRow>, Problem> {
    let scope = visit.scope(Purpose::Review)?;
    Ok(registry::people::rows(&visit.app.db, &scope, ids).await?)
}

/// `GET /cases/{id}/enquiry/{report}/pdf` (核对报告 PDF).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn pdf(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let report = report(visit, &seen, visit.id("report")?).await?;
    let data = report_data(visit, &seen, &report).await?;
    let base = visit.app.config.base_url.trim_end_matches('/');
    let row = &report.enquiry.row;
    let code = document::code(visit.app.db.keys(), &row.number, &row.check);
    let bytes = set(
        visit,
        "enquiry_report.typ",
        data,
        format!("{base}/verify/{code}"),
    )
    .await?;
    Ok(inline(
        &format!("{}.pdf", report.enquiry.row.number),
        "application/pdf",
        bytes,
    ))
}

async fn report_data(visit: &Visit, seen: &Seen, report: &Report) -> Result<Value, Problem> {
    let lang = visit.lang;
    let row = &report.enquiry.row;
    let lines = report.lines(visit, seen);
    let rows = people(visit, &report.enquiry.people).await?;
    let scope = visit.scope(Purpose::Review)?;
    let home =
        registry::households::household_view(&visit.app.db, &scope, row.household, visit.today())
            .await?
            .ok_or(Problem::NotFound)?;
    let consents = consent::of_household(&visit.app.db, &scope, row.household).await?;
    let who = people_lines(visit, report, &rows, &consents);
    let all = report.enquiry.deliveries.iter().filter_map(|(id, named)| {
        let source = report.sources.get(id)?;
        Some(json!({
            "department": source.department,
            "name": lang.pick(&source.zh, &source.en),
            "day": named.delivered.map_or_else(|| visit.t("没有收到").to_owned(), format::date),
            "check": named.sm3.as_deref().and_then(|hash| hash.get(..16)).unwrap_or("—"),
        }))
    });
    let of = |standing: Standing| -> Vec<&Line<'_>> {
        lines
            .known
            .iter()
            .filter(|line| line.standing == standing)
            .collect()
    };
    let as_line = |line: &&Line<'_>| one_line(visit, seen, report, line);
    let mut open: Vec<Value> = of(Standing::Open).iter().map(as_line).collect();
    open.extend(of(Standing::Taken).iter().map(as_line));
    let silent = silent_lines(visit, report, &lines);
    let sentence = |line: &Line<'_>| {
        let one = one_line(visit, seen, report, line);
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {} {}（{}）",
            text("who"),
            text("what"),
            text("found"),
            text("whence")
        )
    };
    let mut others: Vec<String> = of(Standing::Beside)
        .iter()
        .map(|line| sentence(line))
        .collect();
    others.extend(of(Standing::Refuted).iter().map(|line| {
        let line = sentence(line);
        lang.f("{line}：异议成立，不再采信", &[("line", &line)])
    }));
    others.extend(lines.gone.iter().map(|(source, figures)| {
        let figures = figures.join(visit.t("、"));
        lang.f(
            "{source} {figures}：规则里已经没有的指标",
            &[("source", source), ("figures", &figures)],
        )
    }));
    Ok(json!({
        "lang": if lang == crate::locale::Lang::Zh { "zh" } else { "en" },
        "demo": visit.app.desk.book.place().demo,
        "issuer": issuer(visit),
        "date": format::date(store::clock::shanghai_day(row.at)),
        "number": row.number,
        "case_no": seen.case.number,
        "programme": lang.pick(&seen.view.row.programme_zh, &seen.view.row.programme_en),
        "household": format!("{} {}", home.number, visit.place(home.region)),
        "purpose": row.purpose,
        "at": format::instant(row.at),
        "at_day": format::date(store::clock::shanghai_day(row.at)),
        "officer": row.officer_name,
        "as_of": format::date(row.as_of),
        "valid_until": format::date(row.valid_until),
        "people": who,
        "sources": all.collect::<Vec<Value>>(),
        "open": open,
        "agrees": of(Standing::Agrees).iter().map(as_line).collect::<Vec<Value>>(),
        "silent": silent,
        "others": others,
        "check": row.check,
        "check_code": document::code(visit.app.db.keys(), &row.number, &row.check),
    }))
}

/// Who was asked about, with masked numbers, and the consent by which each was, whatever became of it since.
fn people_lines(
    visit: &Visit,
    report: &Report,
    rows: &[PersonRow],
    consents: &[Consent],
) -> Vec<Value> {
    let enquiry = &report.enquiry;
    enquiry
        .people
        .iter()
        .zip(&enquiry.consents)
        .map(|(id, (consent, tie))| {
            let known = rows.iter().find(|row| row.id == *id);
            let agreed = consents.iter().find(|one| one.id == *consent);
            json!({
                "name": known.map_or_else(|| report.name(*id), |row| row.name.clone()),
                "number": known.map(|row| row.document_masked.clone()).unwrap_or_default(),
                "tie": tie_name(visit, *tie),
                "consent": agreed.map_or_else(|| "—".to_owned(), |one| agreed_by(visit, one)),
            })
        })
        .collect()
}

/// A consent in a cell: when and how, and that it was taken back.
fn agreed_by(visit: &Visit, one: &Consent) -> String {
    let given = format!(
        "{} {}",
        format::date(one.signed_on),
        way_name(visit, one.way)
    );
    match one.withdrawn_on {
        Some(day) => visit.lang.f(
            "{given}，{day} 已撤回",
            &[("given", &given), ("day", &format::date(day))],
        ),
        None => given,
    }
}

/// What stays unknown, as the paper says it.
fn silent_lines(visit: &Visit, report: &Report, lines: &Lines<'_>) -> Vec<Value> {
    let lang = visit.lang;
    lines
        .silent
        .iter()
        .map(|one| {
            let names: Vec<String> = one.people.iter().map(|id| report.name(*id)).collect();
            let figures: Vec<&str> = one
                .figures
                .iter()
                .map(|def| lang.pick(&def.zh, &def.en))
                .collect();
            let all = names.is_empty() || names.len() == report.enquiry.people.len();
            json!({
                "source": lang.pick(&one.source.zh, &one.source.en),
                "who": if all { visit.t("全家").to_owned() } else { names.join(visit.t("、")) },
                "what": figures.join(visit.t("、")),
                "why": one.why.says(lang),
            })
        })
        .collect()
}

fn one_line(visit: &Visit, seen: &Seen, report: &Report, line: &Line<'_>) -> Value {
    let lang = visit.lang;
    let asked = line.fact.map(|def| Asked::of(lang, def));
    let shown = |value: &vocab::Value| match &asked {
        Some(asked) => shown_at(visit, asked, value),
        None => plainly(lang, line.source, line.def, value),
    };
    let declared: Vec<String> = line
        .declared
        .iter()
        .map(|said| shown(&said.value))
        .collect();
    let what = asked.as_ref().map_or_else(
        || lang.pick(&line.def.zh, &line.def.en).to_owned(),
        |asked| asked.label.clone(),
    );
    let day = line.answer.delivered.map(format::date).unwrap_or_default();
    json!({
        "who": report.whom(visit, seen, line),
        "what": what,
        "declared": if declared.is_empty() { visit.t("没有申报").to_owned() } else { declared.join(visit.t("、")) },
        "found": shown(&line.value),
        "whence": format!("{} {day}", line.source.department),
    })
}

/// `GET /cases/{id}/consents/{person}/form` (打印授权书), with the QR by which its scan finds back.
///
/// # Errors
/// [`Problem::NotFound`] for whom the case is not about.
pub async fn form(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let person: PersonId = visit.id("person")?;
    let seen = view(visit, id).await?;
    let known = everybody(visit, &seen).await?;
    let (said, _) = known
        .iter()
        .find(|(said, _)| said.person == person)
        .ok_or(Problem::NotFound)?;
    let row = people(visit, &[person])
        .await?
        .pop()
        .ok_or(Problem::NotFound)?;
    let (lang, purpose) = (visit.lang, purpose(visit).await?);
    let sources = sources(visit).await?;
    let mut departments: Vec<&str> = sources
        .0
        .values()
        .map(|source| source.department.as_str())
        .collect();
    departments.sort_unstable();
    departments.dedup();
    let scope = visit.scope(Purpose::Application)?;
    let home = registry::households::household_view(
        &visit.app.db,
        &scope,
        seen.case.household,
        visit.today(),
    )
    .await?
    .ok_or(Problem::NotFound)?;
    let data = json!({
        "lang": if lang == crate::locale::Lang::Zh { "zh" } else { "en" },
        "demo": visit.app.desk.book.place().demo,
        "date": format::date(visit.today()),
        "issuer": issuer(visit),
        "name": row.name,
        "number": row.document_masked,
        "household": format!("{} {}", home.number, visit.place(home.region)),
        "purpose": purpose,
        "sources": departments,
        "child": said.child || matches!(said.state, State::Silent if said.tie == consent::Tie::Late),
    });
    let of = Marked {
        household: seen.case.household,
        person,
    };
    let mark = consent::mark(visit.app.db.keys(), of, &purpose);
    let bytes = set(visit, "consent_form.typ", data, mark).await?;
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "consent.print".to_owned(),
        subject_kind: "person".to_owned(),
        subject_id: person.to_string(),
        region: Some(seen.case.region),
        detail: json!({ "number": seen.case.number }),
    });
    tx.commit().await?;
    Ok(inline("consent.pdf", "application/pdf", bytes))
}
