//! Enquiring about a household from its case (家庭经济状况核对): who is asked about and by which consent, what each department
//! said beside what was declared, what it would change, taking it, and what stays unknown.
//!
//! Works without script; one page for every programme and every source. Deliberately absent: believing a department over
//! the applicant; what is taken stands beside what was declared, and the person may object.

use super::case::{Seen, view};
use super::consents::{everybody, state_words, tie_name};
use super::enquiry_lines::{Line, Lines, Standing, read};
use super::findings::{beside, name_of};
use crate::enquiring::Enquiring;
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose};
use anyhow::Context;
use casework::finding::NewFinding;
use casework::finding::in_case::{self, Compared};
use casework::finding::objection::FindingObjection;
use maud::{Markup, html};
use registry::consent::{Said, Tie};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use uuid::Uuid;
use verify::enquiry::{self, Enquiry, EnquiryRow, NewEnquiry, Refused, Terms};
use verify::{Landed, Sources};
use vocab::ids::{CaseId, PersonId};

/// The terms of enquiring in force (核对规矩).
pub(crate) async fn terms(visit: &Visit) -> Result<Arc<Terms>, Problem> {
    Ok(Enquiring::of(&visit.app).await?.terms)
}

/// What departments delivered, opened; nothing where no folder is set.
pub(crate) async fn landed(visit: &Visit) -> Result<Option<Arc<Landed>>, Problem> {
    let Some(at_hand) = visit.app.landed.clone() else {
        return Ok(None);
    };
    let desk = Arc::clone(&visit.app.desk);
    let opened = tokio::task::spawn_blocking(move || at_hand.now(&desk.book))
        .await
        .context("opening what departments delivered")?;
    Ok(Some(opened?))
}

/// The sources of the rules in force.
pub(crate) async fn sources(visit: &Visit) -> Result<Arc<Sources>, Problem> {
    Ok(Enquiring::of(&visit.app).await?.sources)
}

/// A report with all its page needs (报告及其对照).
pub(crate) struct Report {
    pub(crate) enquiry: Enquiry,
    pub(crate) sources: Arc<Sources>,
    pub(crate) compared: Vec<Compared>,
    pub(crate) people: Vec<(Said, String)>,
    pub(crate) objected: Vec<FindingObjection>,
}

impl Report {
    pub(crate) fn lines<'a>(&'a self, visit: &'a Visit, seen: &Seen) -> Lines<'a> {
        read(visit.lang, &visit.app.desk, &seen.case, self)
    }

    /// The person as pages name them.
    pub(crate) fn name(&self, person: PersonId) -> String {
        self.people
            .iter()
            .find(|(said, _)| said.person == person)
            .map_or_else(String::new, |(_, name)| name.clone())
    }

    /// Whom a line is about.
    pub(crate) fn whom(&self, visit: &Visit, seen: &Seen, line: &Line<'_>) -> String {
        match (line.subject, line.person) {
            (Some(subject), _) => name_of(visit, seen, subject),
            (None, Some(person)) => self.name(person),
            (None, None) => visit.t("全家").to_owned(),
        }
    }
}

/// Opens a report of a case, and nobody else's; the look is journalled.
pub(crate) async fn report(visit: &Visit, seen: &Seen, id: Uuid) -> Result<Report, Problem> {
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let enquiry = enquiry::enquiry(db, &scope, id)
        .await?
        .ok_or(Problem::NotFound)?;
    if enquiry.row.subject != seen.case.id.0 {
        return Err(Problem::NotFound);
    }
    let compared = in_case::compared(db, &scope, &visit.app.desk, seen.case.id)
        .await?
        .ok_or(Problem::NotFound)?;
    Ok(Report {
        enquiry,
        sources: sources(visit).await?,
        compared,
        people: everybody(visit, seen).await?,
        objected: super::finding_objections::of_case(visit, seen).await?,
    })
}

/// `GET /cases/{id}/enquiry?report=` (核对).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let seen = view(visit, visit.id("id")?).await?;
    page(visit, &seen, &[]).await
}

/// The page, with the faults of whichever form was sent.
pub(crate) async fn page(visit: &Visit, seen: &Seen, errors: &[FieldError]) -> Answer {
    let lang = visit.lang;
    let case = &seen.case;
    let scope = visit.scope(Purpose::Review)?;
    let db = &visit.app.db;
    let all = enquiry::of_subject(db, &scope, case.id.0).await?;
    // A form that was refused names its report in its path or beside what was typed.
    let named = [
        visit.part("report"),
        visit.form.get("report"),
        visit.query.get("report"),
    ];
    let wanted = match named.iter().find_map(|id| id.parse().ok()) {
        Some(id) => Some(id),
        None => all.first().map(|row| row.id),
    };
    let report = match wanted {
        Some(id) => Some(report(visit, seen, id).await?),
        None => None,
    };
    let people = match &report {
        Some(report) => report.people.clone(),
        None => everybody(visit, seen).await?,
    };
    let objected = match &report {
        Some(report) => report.objected.clone(),
        None => super::finding_objections::of_case(visit, seen).await?,
    };
    let (found, aside) = match &report {
        Some(report) => super::enquiry_report::found(visit, seen, report, errors).await?,
        None => (
            html! { p { (visit.t("还没有核对过。先看各人的授权，再发起核对。")) } },
            beside(visit, seen, None),
        ),
    };
    let objections = super::finding_objections::section(visit, seen, &objected, errors);
    // What waits for an answer stands above what was found.
    let waits = objected.iter().any(|one| one.answered.is_none());
    let body = html! {
        div.columns {
            div {
                @if waits { (objections) }
                (found)
                @if !waits { (objections) }
                (piece::section(visit.t("核对谁"), &ask_form(visit, seen, &people, report.as_ref(), errors)))
                @if !all.is_empty() { (piece::section(visit.t("核对记录"), &history(visit, seen, &all, wanted))) }
            }
            div.aside {
                (aside)
                @if visit.can(Permission::RecordFacts) {
                    (piece::section(visit.t("部门的书面回复"), &html! {
                        p { a href=(format!("/cases/{}/findings", case.id)) { (visit.t("申报与核对对照，录入其他部门的反馈")) } }
                    }))
                }
            }
        }
    };
    let acts = html! {
        @if let Some(report) = &report {
            a.button href=(format!("/cases/{}/enquiry/{}/pdf", case.id, report.enquiry.row.id)) target="_blank" rel="noopener" {
                (visit.t("核对报告")) " PDF"
            }
        }
    };
    Ok(visit
        .page(lang.f("核对：{number}", &[("number", &case.number)]))
        .nav("/cases")
        .wide()
        .back(format!("/cases/{}", case.id), case.number.clone())
        .acts(acts)
        .note(done(visit, report.as_ref()))
        .errors(errors)
        .show(&body))
}

/// What was just done, in words.
fn done(visit: &Visit, report: Option<&Report>) -> Option<Markup> {
    match visit.query.get("done") {
        "asked" => Some(
            html! { (visit.t("核对完成，报告如下。需要采信的请勾选；采信以后本人仍然可以提出异议。")) },
        ),
        "taken" => Some(html! { (visit.t("已采信，记在办件时间线上。右边是采信以后的测算。")) }),
        "same" => Some(html! { (visit.t("用当时的数据重做，结果与保存的报告一字不差。")) }),
        "otherwise" => Some(html! { (otherwise(visit, report)) }),
        "objected" => Some(html! { (visit.t("异议已登记，由另一位工作人员在期限内复查答复。")) }),
        "answered" => Some(html! { (visit.t("异议已答复，记在办件时间线上。右边是现在的测算。")) }),
        _ => None,
    }
}

/// Which sources say something else than the report that was kept, and what to do about it.
fn otherwise(visit: &Visit, report: Option<&Report>) -> String {
    let sources = report.map(|report| &report.sources);
    let named: Vec<&str> = visit
        .query
        .all("source")
        .filter_map(|id| sources?.get(id))
        .map(|source| visit.lang.pick(&source.zh, &source.en))
        .collect();
    if named.is_empty() {
        return visit
            .t("重做的结果与保存的报告不一致：数据源的约定已经变了。采信以前请重新核对。")
            .to_owned();
    }
    visit.lang.f(
        "重做的结果与保存的报告不一致：{sources}。这些部门当时的数据已经不在，或者内容变了；采信以前请重新核对，并请数据管理人员查明。",
        &[("sources", &named.join(visit.t("、")))],
    )
}

/// Who is asked about, and the button; what to do for whom a consent is missing.
fn ask_form(
    visit: &Visit,
    seen: &Seen,
    people: &[(Said, String)],
    report: Option<&Report>,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let shown = report.map_or_else(String::new, |report| report.enquiry.row.id.to_string());
    let ready: Vec<(String, String)> = people
        .iter()
        .filter(|(said, _)| said.state.in_force().is_some())
        .map(|(said, name)| {
            let name = match said.tie {
                Tie::Member => name.clone(),
                tie => format!("{name} {}", tie_name(visit, tie)),
            };
            (said.person.to_string(), name)
        })
        .collect();
    // What was ticked before a refusal stays as it was.
    let ticked: Vec<&str> = match errors.iter().any(|error| error.field == "people") {
        true => visit.form.all("people").collect(),
        false => ready.iter().map(|(id, _)| id.as_str()).collect(),
    };
    // Whoever has died is asked about only if somebody wants to; nobody misses their consent.
    let lacking: Vec<&(Said, String)> = people
        .iter()
        .filter(|(said, _)| said.state.in_force().is_none() && said.tie != Tie::Late)
        .collect();
    html! {
        @if !lacking.is_empty() {
            div.note.warn {
                p { (visit.t("这些人没有有效的授权，不能核对：")) }
                ul { @for (said, name) in &lacking { li { (name) " " (state_words(visit, said)) } } }
                p { a href=(format!("/cases/{}", seen.case.id)) { (visit.t("去登记授权")) } }
            }
        }
        @if visit.app.landed.is_none() {
            p.quiet { (visit.t("这里没有接入部门数据，请凭部门的书面回复录入。")) }
        } @else if ready.is_empty() {
            p.quiet { (visit.t("登记授权以后在这里发起核对。")) }
        } @else if visit.can(Permission::Enquire) {
            form.card method="post" action=(format!("/cases/{}/enquiry", seen.case.id)) {
                (form::token(visit))
                input type="hidden" name="report" value=(shown);
                (field(lang, "people", visit.t("核对这些人")).hint(html! {
                        (visit.t("每人都凭本人（未成年人凭监护人）签署的授权；不核对全部家庭成员的，家庭的合计不能采信"))
                    }).errors(errors).ticks(&ready, &ticked))
                @if report.is_none() { (form::act(visit.t("发起核对"))) } @else { (form::lesser(visit.t("重新核对"))) }
            }
        }
    }
}

fn history(visit: &Visit, seen: &Seen, all: &[EnquiryRow], shown: Option<Uuid>) -> Markup {
    let today = visit.today();
    let columns = [
        table::text(visit.t("编号")),
        table::text(visit.t("核对时间")),
        table::text(visit.t("工作人员")),
        table::number(visit.t("人数")),
        table::text(visit.t("有效至")),
    ];
    let rows = all
        .iter()
        .map(|row| {
            table::still(vec![
                html! {
                    a href=(format!("/cases/{}/enquiry?report={}", seen.case.id, row.id)) { (row.number) }
                    @if Some(row.id) == shown { " " (piece::tag(visit.t("正在看"))) }
                },
                html! { (format::instant(row.at)) },
                html! { (row.officer_name) },
                html! { (row.people) },
                html! { (format::date(row.valid_until)) @if row.valid_until <= today { " " (piece::tag(visit.t("已过期"))) } },
            ])
        })
        .collect();
    table::table(
        visit.lang,
        visit.t("核对记录"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}

/// `POST /cases/{id}/enquiry` (发起核对): permitted, asked, kept.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let terms = terms(visit).await?;
    let Some(landed) = landed(visit).await? else {
        let sentence = visit.t("这里没有接入部门数据，请凭部门的书面回复录入。");
        return page(visit, &seen, &[fault("people", sentence)]).await;
    };
    let new = NewEnquiry {
        subject: id.0,
        subject_number: seen.case.number.clone(),
        household: seen.case.household,
        people: visit
            .form
            .all("people")
            .filter_map(|one| one.parse().ok())
            .collect(),
        purpose: terms.usual().to_owned(),
        as_of: visit.today(),
    };
    let refused = |refused: Refused| {
        fault(
            "people",
            lang.pick(&refused.to_string(), &refused.en()).to_owned(),
        )
    };
    let mut tx = visit.app.db.begin().await?;
    let permitted = match enquiry::permit(&mut tx, &scope, &terms, new).await? {
        Ok(permitted) => permitted,
        Err(why) => {
            tx.rollback().await?;
            return page(visit, &seen, &[refused(why)]).await;
        }
    };
    // What was opened stands in the journal whatever becomes of the question.
    tx.commit().await?;
    let departments = visit.app.departments.clone();
    let answered = tokio::task::spawn_blocking(move || {
        let never = AtomicBool::new(false);
        permitted.ask(&landed, departments.as_deref(), &never)
    })
    .await
    .context("asking the departments")??;
    let mut tx = visit.app.db.begin().await?;
    match enquiry::record(&mut tx, &scope, &terms, answered).await? {
        Ok(kept) => {
            tx.commit().await?;
            visit.go(&format!(
                "/cases/{id}/enquiry?report={}&done=asked",
                kept.id
            ))
        }
        Err(why) => {
            tx.rollback().await?;
            page(visit, &seen, &[refused(why)]).await
        }
    }
}

/// `POST /cases/{id}/enquiry/{report}/take` (采信): the ticked lines become findings, all or none.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn take(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let report = report(visit, &seen, visit.id("report")?).await?;
    let row = &report.enquiry.row;
    let wrong = |sentence: String| [fault("take", sentence)];
    if row.valid_until <= visit.today() {
        let sentence = visit.t("这份报告已过有效期，请重新核对。").to_owned();
        return page(visit, &seen, &wrong(sentence)).await;
    }
    let wanted: Vec<&str> = visit.form.all("take").collect();
    let findings: Vec<NewFinding> = report
        .lines(visit, &seen)
        .known
        .iter()
        .filter(|line| line.standing == Standing::Open && wanted.contains(&line.key().as_str()))
        .filter_map(|line| line.finding(&row.number))
        .collect();
    if findings.is_empty() {
        let sentence = visit.t("请勾选要采信的发现").to_owned();
        return page(visit, &seen, &wrong(sentence)).await;
    }
    let mut tx = visit.app.db.begin().await?;
    for finding in findings {
        if let Err(refused) = in_case::take(&mut tx, &scope, &visit.app.desk, id, finding).await? {
            tx.rollback().await?;
            let sentence = visit
                .lang
                .pick(&refused.to_string(), &refused.en())
                .to_owned();
            return page(visit, &seen, &wrong(sentence)).await;
        }
    }
    tx.commit().await?;
    visit.go(&format!("/cases/{id}/enquiry?report={}&done=taken", row.id))
}

/// `POST /cases/{id}/enquiry/{report}/reproduce` (重做报告): the same question to the same deliveries.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn reproduce(visit: &Visit) -> Answer {
    let id: CaseId = visit.id("id")?;
    let report: Uuid = visit.id("report")?;
    let scope = visit.scope(Purpose::Review)?;
    let landed = landed(visit).await?.ok_or(Problem::NotFound)?;
    let again = enquiry::reproduce(&visit.app.db, &scope, &landed, report)
        .await?
        .ok_or(Problem::NotFound)?;
    let (word, sources) = match again {
        enquiry::Reproduced::Same => ("same", Vec::new()),
        enquiry::Reproduced::Otherwise(sources) => ("otherwise", sources),
    };
    let mut told = crate::fields::Fields::new()
        .with("report", &report.to_string())
        .with("done", word);
    for source in sources {
        told.push("source", source);
    }
    visit.go(&told.href(&format!("/cases/{id}/enquiry")))
}
