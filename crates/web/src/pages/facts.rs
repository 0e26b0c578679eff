//! Facts (事实): recording one with its source and evidence, and the history of what was known when.
//!
//! Until other departments answer by machine, what they found is entered here by an officer, with who said it and the
//! paper that shows it. A fact is never overwritten; a later word of the same source takes its place from now on.

use crate::parts::answer::{Asked, ask, shown_at};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Upload, Visit, inline};
use crate::words;
use access::{Permission, Purpose, Scope};
use anyhow::Context;
use casework::finding::objection;
use casework::form::read_answer;
use maud::{Markup, html};
use policy::{FactDef, Unit};
use registry::Subject;
use registry::facts::{FROM_THE_REGISTER, HistoryRow};
use store::files::NewFile;
use store::{Event, Tx};
use vocab::ids::{FileId, HouseholdId, PersonId};
use vocab::{DatedFact, Month, Period};

/// What was known when (事实沿革), the latest first.
pub(crate) fn history(visit: &Visit, rows: &[HistoryRow]) -> Markup {
    let lang = visit.lang;
    if rows.is_empty() {
        return html! { p.quiet { (visit.t("还没有录入事实。")) } };
    }
    let columns = [
        table::text(visit.t("事实")),
        table::text(visit.t("值")),
        table::text(visit.t("期间")),
        table::text(visit.t("来源")),
        table::text(visit.t("得知时间")),
    ];
    let rows = rows
        .iter()
        .map(|row| {
            let def = visit.app.desk.book.fact(&row.fact);
            let value = match (&row.value, def) {
                (None, _) => html! { (piece::tag(visit.t("已撤回"))) },
                (Some(value), Some(def)) => html! { (shown_at(visit, &Asked::of(lang, def), value)) },
                (Some(value), None) => html! { (format!("{value:?}")) },
            };
            table::still(vec![
                html! { (def.map_or(row.fact.as_str(), |def| lang.pick(&def.label_zh, &def.label_en))) },
                value,
                html! { (period(visit, &row.period)) },
                html! {
                    (row.source)
                    @if let Some(evidence) = &row.evidence { " · " (evidence_link(visit, evidence)) }
                },
                html! { (format::instant(row.known_since)) },
            ])
        })
        .collect();
    table::table(lang, visit.t("已知事实"), &columns, rows, "", &visit.query)
}

/// A period in words (期间).
pub(crate) fn period(visit: &Visit, period: &Period) -> String {
    match (period.from, period.until) {
        (None, None) => visit.t("一直").to_owned(),
        (Some(from), None) => visit.lang.f("{from} 起", &[("from", &format::date(from))]),
        (None, Some(until)) => visit
            .lang
            .f("到 {until} 前", &[("until", &format::date(until))]),
        (Some(from), Some(until)) => {
            let month = Month::of(from);
            if *period == Period::of_month(month) {
                month.to_string()
            } else {
                visit.lang.f(
                    "{from} 至 {until} 前",
                    &[
                        ("from", &format::date(from)),
                        ("until", &format::date(until)),
                    ],
                )
            }
        }
    }
}

/// Where evidence can be looked at: a stored file is a link, a document number is itself.
pub(crate) fn evidence_link(visit: &Visit, evidence: &str) -> Markup {
    if evidence.parse::<FileId>().is_ok() {
        html! { a href=(format!("/files/{evidence}")) { (visit.t("材料")) } }
    } else {
        html! { (evidence) }
    }
}

/// What a fact is and of which days, as it is typed in (事实的值和期间).
pub(crate) fn value_and_days(visit: &Visit, asked: &Asked, errors: &[FieldError]) -> Markup {
    let lang = visit.lang;
    html! {
        (ask(lang, "value", asked, visit.form.get("value"), errors, &html! {}))
        div.row-fields {
            (field(lang, "from", visit.t("从哪天起")).optional().value(visit.form.get("from")).errors(errors).date())
            (field(lang, "until", visit.t("到哪天为止（不含这一天）")).optional()
                .value(visit.form.get("until")).errors(errors).date())
        }
        (field(lang, "month", visit.t("或者：是哪个月的数")).hint(html! { (visit.t("工资等按月的收入填月份")) })
            .optional().value(visit.form.get("month")).errors(errors).month())
    }
}

/// Whom the fact is about, and where its page is.
async fn subject(visit: &Visit, scope: &Scope) -> Result<(Subject, String, String), Problem> {
    let given = |name: &str| {
        Some(visit.form.get(name))
            .filter(|value| !value.is_empty())
            .unwrap_or(visit.query.get(name))
            .to_owned()
    };
    if let Ok(id) = given("person").parse::<PersonId>() {
        let row = registry::people::rows(&visit.app.db, scope, &[id])
            .await?
            .pop()
            .ok_or(Problem::NotFound)?;
        return Ok((Subject::Person(id), row.name, format!("/people/{id}")));
    }
    let id: HouseholdId = given("household").parse().map_err(|_| Problem::NotFound)?;
    let found = registry::households::household_view(&visit.app.db, scope, id, visit.today())
        .await?
        .ok_or(Problem::NotFound)?;
    Ok((
        Subject::Household(id),
        found.number,
        format!("/households/{id}"),
    ))
}

/// The facts that can be recorded about such a subject: not those the register itself keeps.
fn recordable(visit: &Visit, subject: Subject) -> Vec<&FactDef> {
    let of = match subject {
        Subject::Person(_) => Unit::Person,
        Subject::Household(_) => Unit::Household,
    };
    visit
        .app
        .desk
        .book
        .facts()
        .filter(|def| def.of == of && !FROM_THE_REGISTER.contains(&def.id.as_str()))
        .collect()
}

/// `GET /facts/new?person=|household=&fact=` (录入事实).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn new(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Application)?;
    page(visit, &scope, &[]).await
}

async fn page(visit: &Visit, scope: &Scope, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let (subject, name, back) = subject(visit, scope).await?;
    let (key, id) = match subject {
        Subject::Person(id) => ("person", id.to_string()),
        Subject::Household(id) => ("household", id.to_string()),
    };
    let known = recordable(visit, subject);
    let chosen = Some(visit.form.get("fact"))
        .filter(|fact| !fact.is_empty())
        .unwrap_or(visit.query.get("fact"));
    let chosen = known.iter().find(|def| def.id == chosen);
    let body = match chosen {
        None => {
            let choices: Vec<(String, String)> = known
                .iter()
                .map(|def| {
                    (
                        def.id.clone(),
                        lang.pick(&def.label_zh, &def.label_en).to_owned(),
                    )
                })
                .collect();
            html! {
                form.card.narrow method="get" action="/facts/new" {
                    input type="hidden" name=(key) value=(id);
                    (field(lang, "fact", visit.t("哪个事实")).select(&choices))
                    (form::act(visit.t("继续")))
                }
            }
        }
        Some(def) => {
            let asked = Asked::of(lang, def);
            let source = Some(visit.form.get("source"))
                .filter(|text| !text.is_empty())
                .unwrap_or(&def.source);
            html! {
                form.card method="post" action="/facts/new" enctype="multipart/form-data" {
                    (form::token(visit))
                    input type="hidden" name=(key) value=(id);
                    input type="hidden" name="fact" value=(def.id);
                    (value_and_days(visit, &asked, errors))
                    (field(lang, "source", visit.t("谁说的（来源）")).hint(html! { (visit.t("例如：社保、税务、公安、本人申报")) })
                        .value(source).errors(errors).width("middle").text())
                    (field(lang, "number", visit.t("证明的文号或编号")).optional().value(visit.form.get("number"))
                        .errors(errors).width("middle").text())
                    (field(lang, "file", visit.t("证明材料（照片或扫描件）")).optional().errors(errors)
                        .file("image/*,application/pdf"))
                    div.buttons {
                        (form::act(visit.t("录入事实")))
                        a.button.plain href=(format!("/facts/new?{key}={id}")) { (visit.t("换一个事实")) }
                    }
                }
            }
        }
    };
    let title = match chosen {
        None => lang.f("录入事实：{name}", &[("name", &name)]),
        Some(def) => lang.f(
            "录入“{fact}”：{name}",
            &[
                ("fact", &lang.pick(&def.label_zh, &def.label_en)),
                ("name", &name),
            ],
        ),
    };
    Ok(visit
        .page(title)
        .back(back, name)
        .errors(errors)
        .show(&body))
}

/// `POST /facts/new` (录入事实).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let scope = visit.scope_for(Permission::RecordFacts, Purpose::Application)?;
    let (subject, _, back) = subject(visit, &scope).await?;
    let known = recordable(visit, subject);
    let Some(def) = known.iter().find(|def| def.id == visit.form.get("fact")) else {
        return page(visit, &scope, &[]).await;
    };
    let (fact, wrong) = typed(visit, def);
    let Some(mut fact) = fact.filter(|_| wrong.is_empty()) else {
        return page(visit, &scope, &wrong).await;
    };
    let mut tx = visit.app.db.begin().await?;
    if let Some(upload) = visit.files.first() {
        match keep(visit, &tx, upload).await? {
            Ok(id) => fact.evidence = Some(id.to_string()),
            Err(sentence) => return page(visit, &scope, &[fault("file", sentence)]).await,
        }
    }
    match registry::record_fact(&mut tx, &scope, subject, &def.id, fact).await? {
        Ok(_) => {
            tx.commit().await?;
            visit.go(&format!("{back}?done=fact"))
        }
        Err(registry::facts::Refused::NotFound) => Err(Problem::NotFound),
        Err(refused) => {
            let field = match refused {
                registry::facts::Refused::SourceMissing => "source",
                registry::facts::Refused::PeriodReversed => "until",
                _ => "value",
            };
            let wrong = [fault(
                field,
                words::sentence(visit.lang, &refused.to_string()),
            )];
            tx.rollback().await?;
            page(visit, &scope, &wrong).await
        }
    }
}

/// The fact as typed, or what is wrong with it.
pub(crate) fn typed(visit: &Visit, def: &FactDef) -> (Option<DatedFact>, Vec<FieldError>) {
    let lang = visit.lang;
    let mut wrong = Vec::new();
    let options: Vec<String> = def.codes.iter().map(|code| code.code.clone()).collect();
    let value = match read_answer(def.kind, &options, visit.form.get("value")) {
        Ok(Some(value)) => Some(value),
        Ok(None) => {
            wrong.push(fault(
                "value",
                lang.t("请填写这个事实的值；不知道就不要录入"),
            ));
            None
        }
        Err(not) => {
            wrong.push(fault("value", words::sentence(lang, &not.to_string())));
            None
        }
    };
    let mut day = |name: &'static str| {
        let text = visit.form.some(name)?;
        let read = text.parse().ok();
        if read.is_none() {
            wrong.push(fault(name, lang.t("请填写日期，例如 2026-06-01")));
        }
        read
    };
    let mut period = Period {
        from: day("from"),
        until: day("until"),
    };
    if let Some(month) = visit.form.some("month") {
        match month.parse::<Month>() {
            Ok(month) => period = Period::of_month(month),
            Err(not) => wrong.push(fault("month", words::sentence(lang, &not.to_string()))),
        }
    }
    let fact = value.map(|value| DatedFact {
        value,
        period,
        known_since: None,
        source: visit.form.get("source").to_owned(),
        evidence: visit.form.some("number").map(str::to_owned),
    });
    (fact, wrong)
}

/// Keeps a file sent as evidence; the answer is its identifier or why it was not taken.
pub(crate) async fn keep(
    visit: &Visit,
    tx: &Tx,
    upload: &Upload,
) -> anyhow::Result<Result<FileId, String>> {
    let Some(media_type) = media_type(&upload.bytes) else {
        return Ok(Err(visit
            .t("只收照片（JPG、PNG）和 PDF；请重新选择文件")
            .to_owned()));
    };
    let new = NewFile {
        media_type: media_type.to_owned(),
        name: Some(upload.name.clone()),
        bytes: upload.bytes.to_vec(),
    };
    let kept = visit
        .app
        .db
        .files()
        .put(tx, new)
        .await
        .context("keeping an uploaded file")?;
    Ok(match kept {
        Ok(file) => Ok(file.id),
        Err(refused) => Err(words::sentence(visit.lang, &refused.to_string())),
    })
}

/// `GET /files/{id}` (查看证明材料): only if a fact, a consent or an objection that lies in the officer's area names it.
/// Journalled.
///
/// # Errors
/// [`Problem::NotFound`] otherwise.
pub async fn file(visit: &Visit) -> Answer {
    let id: FileId = visit.id("id")?;
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let named = id.to_string();
    let is_visible = registry::facts::evidence_visible(db, &scope, &named).await?
        || registry::consent::scan_visible(db, &scope, &named).await?
        || objection::papers_visible(db, &scope, &named).await?;
    if !is_visible {
        return Err(Problem::NotFound);
    }
    let Some((file, bytes)) = db.files().get(db.conn(), id).await? else {
        return Err(Problem::NotFound);
    };
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "web.read_file".to_owned(),
        subject_kind: "file".to_owned(),
        subject_id: id.to_string(),
        region: Some(scope.region),
        detail: serde_json::json!({}),
    });
    tx.commit().await?;
    let kind = media_type(&bytes).unwrap_or("application/octet-stream");
    Ok(inline(file.name.as_deref().unwrap_or("file"), kind, bytes))
}

/// What a file is by its first bytes; what it calls itself does not count.
pub(crate) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(media_type(b"%PDF-1.7 x"), Some("application/pdf"));
        assert_eq!(media_type(&[0xff, 0xd8, 0xff, 0xe0]), Some("image/jpeg"));
        for hostile in [&b"<html>"[..], b"MZ\x90", b"", b"PK\x03\x04", b"GIF89a"] {
            assert_eq!(media_type(hostile), None);
        }
    }
}
