//! Enquiring about a household from its case (家庭经济状况核对): who is asked about and by which consent, what each department
//! said beside what was declared, what it would change, taking it, and what stays unknown.
//!
//! Works without script; one page for every programme and every source. Deliberately absent: believing a department over
//! the applicant; what is taken stands beside what was declared, and the person may object.

use super::case::{Seen, view};
use super::consents::{everybody, state_words, tie_name};
use super::enquiry_lines::{Line, Lines, Silent, Standing, plainly, read};
use super::findings::{beside, changed, name_of};
use crate::parts::answer::{Asked, shown_at};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, mark, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose};
use anyhow::Context;
use casework::finding::NewFinding;
use casework::finding::in_case::{self, Compared};
use maud::{Markup, html};
use registry::consent::{Said, Tie};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use uuid::Uuid;
use verify::enquiry::{self, Enquiry, EnquiryRow, NewEnquiry, Refused, Terms};
use verify::{Landed, Sources};
use vocab::ids::{CaseId, PersonId};

/// The terms of enquiring in force (核对规矩).
pub(crate) fn terms(visit: &Visit) -> Result<Terms, Problem> {
    Terms::of(&visit.app.desk.book).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Problem::Fault(anyhow::anyhow!("{}", lines.join("\n")))
    })
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
pub(crate) async fn sources(visit: &Visit) -> Result<Sources, Problem> {
    let desk = Arc::clone(&visit.app.desk);
    let read = tokio::task::spawn_blocking(move || verify::at_hand::sources_of(&desk.book))
        .await
        .context("reading the sources")?;
    Ok(read?)
}

/// A report with all its page needs (报告及其对照).
pub(crate) struct Report {
    pub(crate) enquiry: Enquiry,
    pub(crate) sources: Sources,
    pub(crate) compared: Vec<Compared>,
    pub(crate) people: Vec<(Said, String)>,
}

impl Report {
    pub(crate) fn lines<'a>(&'a self, visit: &'a Visit, seen: &Seen) -> Lines<'a> {
        read(
            &visit.app.desk,
            &seen.case,
            &self.enquiry,
            &self.sources,
            &self.compared,
        )
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
    let wanted = match visit.query.get("report").parse() {
        Ok(id) => Some(id),
        Err(_) => all.first().map(|row| row.id),
    };
    let report = match wanted {
        Some(id) => Some(report(visit, seen, id).await?),
        None => None,
    };
    let people = match &report {
        Some(report) => report.people.clone(),
        None => everybody(visit, seen).await?,
    };
    let objected = super::finding_objections::of_case(visit, seen).await?;
    let (found, aside) = match &report {
        Some(report) => found(visit, seen, report, &objected, errors).await?,
        None => (
            html! { p { (visit.t("还没有核对过。先看各人的授权，再发起核对。")) } },
            beside(visit, seen, None),
        ),
    };
    let body = html! {
        div.columns {
            div {
                (found)
                (super::finding_objections::section(visit, seen, &objected, errors))
                (piece::section(visit.t("核对谁"), &ask_form(visit, seen, &people, report.is_none(), errors)))
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
    let done = match visit.query.get("done") {
        "asked" => Some(
            html! { (visit.t("核对完成，报告如下。需要采信的请勾选；采信以后本人仍然可以提出异议。")) },
        ),
        "taken" => Some(html! { (visit.t("已采信，记在办件时间线上。右边是采信以后的测算。")) }),
        "same" => Some(html! { (visit.t("用当时的数据重做，结果与保存的报告一字不差。")) }),
        "otherwise" => {
            Some(html! { (visit.t("当时的数据有的已经不在，不能完整重做；保存的报告仍然有效。")) })
        }
        "objected" => Some(html! { (visit.t("异议已登记，由另一位工作人员在期限内复查答复。")) }),
        "answered" => Some(html! { (visit.t("异议已答复，记在办件时间线上。右边是现在的测算。")) }),
        _ => None,
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
        .note(done)
        .errors(errors)
        .show(&body))
}

/// Who is asked about, and the button; what to do for whom a consent is missing.
fn ask_form(
    visit: &Visit,
    seen: &Seen,
    people: &[(Said, String)],
    first: bool,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
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
    let ticked: Vec<&str> = ready.iter().map(|(id, _)| id.as_str()).collect();
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
                (field(lang, "people", visit.t("核对这些人")).hint(html! {
                        (visit.t("每人都凭本人（未成年人凭监护人）签署的授权；不核对全部家庭成员的，家庭的合计不能采信"))
                    }).errors(errors).ticks(&ready, &ticked))
                @if first { (form::act(visit.t("发起核对"))) } @else { (form::lesser(visit.t("重新核对"))) }
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

/// The report, and what taking all open lines would change.
async fn found(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    objected: &[casework::finding::objection::FindingObjection],
    errors: &[FieldError],
) -> Result<(Markup, Markup), Problem> {
    let lang = visit.lang;
    let row = &report.enquiry.row;
    let lines = report.lines(visit, seen);
    let scope = visit.scope(Purpose::Review)?;
    let (db, desk, id) = (&visit.app.db, &visit.app.desk, seen.case.id);
    let mut open = Vec::new();
    let mut findings = Vec::new();
    for line in lines
        .known
        .iter()
        .filter(|line| line.standing == Standing::Open)
    {
        let Some(finding) = line.finding(&row.number) else {
            continue;
        };
        let effect = in_case::effect(db, &scope, desk, id, std::slice::from_ref(&finding)).await?;
        open.push((line, effect));
        findings.push(finding);
    }
    let of = |standing: Standing| -> Vec<&Line<'_>> {
        lines
            .known
            .iter()
            .filter(|line| line.standing == standing)
            .collect()
    };
    let valid = row.valid_until > visit.today();
    let markup = html! {
        p.quiet {
            (row.number) " · " (format::instant(row.at)) " · " (row.officer_name) " · " (row.purpose) " · "
            (lang.f("有效至 {day}", &[("day", &format::date(row.valid_until))]))
            @if !valid { " " (piece::tag(visit.t("已过期"))) }
        }
        @if !valid { div.note.warn { (visit.t("这份报告已过有效期，请重新核对。")) } }
        (piece::section(&lang.f("与申报不同或者没有申报的 {count} 项", &[("count", &open.len())]),
            &open_lines(visit, seen, report, &open, valid, errors)))
        @let taken = of(Standing::Taken);
        @if !taken.is_empty() {
            (piece::section(visit.t("已采信"), &taken_lines(visit, seen, report, &taken, objected)))
        }
        @if !lines.silent.is_empty() {
            (piece::section(visit.t("没有查清的"), &silent(visit, seen, report, &lines.silent)))
        }
        @let agrees = of(Standing::Agrees);
        @if !agrees.is_empty() {
            (piece::section(&lang.f("与申报一致的 {count} 项", &[("count", &agrees.len())]),
                &plain(visit, seen, report, &agrees)))
        }
        @let others = of(Standing::Beside);
        @if !others.is_empty() {
            (piece::section(visit.t("其他情况，供调查时参考"), &plain(visit, seen, report, &others)))
        }
        @if visit.can(Permission::Enquire) && visit.app.landed.is_some() {
            form method="post" action=(format!("/cases/{}/enquiry/{}/reproduce", seen.case.id, row.id)) {
                (form::token(visit))
                (form::lesser(visit.t("用当时的数据重做一遍，比对是否一致")))
            }
        }
    };
    let whole = match findings.is_empty() {
        true => None,
        false => in_case::effect(db, &scope, desk, id, &findings).await?,
    };
    Ok((markup, beside(visit, seen, whole.as_ref())))
}

/// What was found, as the fact reads.
fn value(visit: &Visit, line: &Line<'_>) -> String {
    match line.fact {
        Some(def) => shown_at(visit, &Asked::of(visit.lang, def), &line.value),
        None => plainly(line.source, line.def, &line.value),
    }
}

fn what(visit: &Visit, line: &Line<'_>) -> String {
    match line.fact {
        Some(def) => visit.lang.pick(&def.label_zh, &def.label_en).to_owned(),
        None => visit.lang.pick(&line.def.zh, &line.def.en).to_owned(),
    }
}

/// The source and the day its answer is of.
fn whence(visit: &Visit, line: &Line<'_>) -> Markup {
    html! {
        span.quiet {
            (line.source.department) " · " (visit.lang.pick(&line.source.zh, &line.source.en))
            @if let Some(day) = line.answer.delivered { " " (format::date(day)) }
        }
    }
}

fn declared(visit: &Visit, line: &Line<'_>) -> Markup {
    html! {
        @if let Some(def) = line.fact {
            @for said in &line.declared { div { (shown_at(visit, &Asked::of(visit.lang, def), &said.value)) } }
        }
        @if line.declared.is_empty() { (visit.t("没有申报")) }
    }
}

fn open_lines(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    open: &[(&Line<'_>, Option<in_case::Effect>)],
    valid: bool,
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    if open.is_empty() {
        return html! { p.quiet { (visit.t("没有与申报不同的。")) } };
    }
    let may = valid && visit.can(Permission::Enquire);
    let columns = [
        table::text(visit.t("采信")),
        table::text(visit.t("谁")),
        table::text(visit.t("事实")),
        table::text(visit.t("本人申报")),
        table::text(visit.t("核对发现")),
        table::text(visit.t("会改变什么")),
    ];
    let rows = open
        .iter()
        .map(|(line, effect)| {
            let key = line.key();
            let name = format!("{} {}", report.whom(visit, seen, line), what(visit, line));
            table::still(vec![
                html! { @if may { input type="checkbox" name="take" value=(key) checked aria-label=(name); } },
                html! { (report.whom(visit, seen, line)) },
                html! { (what(visit, line)) },
                declared(visit, line),
                html! {
                    strong { (value(visit, line)) }
                    @if let Some(more) = difference(line) { " " span.quiet { (more) } }
                    div { (whence(visit, line)) }
                },
                effect.as_ref().map_or_else(|| html! { "—" }, |effect| short_effect(visit, effect)),
            ])
        })
        .collect();
    let table = table::table(
        lang,
        visit.t("可以采信的发现"),
        &columns,
        rows,
        "",
        &visit.query,
    );
    html! {
        @if may {
            form method="post" action=(format!("/cases/{}/enquiry/{}/take", seen.case.id, report.enquiry.row.id)) {
                (form::token(visit))
                (table)
                @for error in errors.iter().filter(|error| error.field == "take") { p.wrong { (error.sentence) } }
                (form::act(visit.t("采信勾选的发现")))
            }
        } @else { (table) }
    }
}

/// By how much a number found is more or less than the number declared.
fn difference(line: &Line<'_>) -> Option<String> {
    let def = line.fact.filter(|def| def.kind.is_number())?;
    let (vocab::Value::Int(found), [said]) = (&line.value, line.declared.as_slice()) else {
        return None;
    };
    let vocab::Value::Int(declared) = said.value else {
        return None;
    };
    let more = found.checked_sub(declared)?;
    let sign = if more > 0 { "+" } else { "−" };
    let size = i64::try_from(more.unsigned_abs()).ok()?;
    let shown = if def.kind.is_money() {
        vocab::Money::from_fen(size).to_string()
    } else {
        size.to_string()
    };
    Some(format!("{sign}{shown}"))
}

/// What one finding would change, in a cell: the verdict if it changes, and the conditions that do.
fn short_effect(visit: &Visit, effect: &in_case::Effect) -> Markup {
    let lang = visit.lang;
    let (before, after) = (&effect.before, &effect.after);
    let same = before.outcome == after.outcome && before.amount == after.amount;
    html! {
        @if same { span.quiet { (visit.t("结论不变")) } }
        @else {
            div { (mark::outcome(lang, before.outcome)) @if let Some(amount) = before.amount { " " (mark::amount(lang, amount, before.every)) } }
            div { "→ " (mark::outcome(lang, after.outcome)) @if let Some(amount) = after.amount { " " (mark::amount(lang, amount, after.every)) } }
            details { summary { (visit.t("哪些条件")) } (changed(visit, before, after)) }
        }
    }
}

fn taken_lines(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    taken: &[&Line<'_>],
    objected: &[casework::finding::objection::FindingObjection],
) -> Markup {
    html! {
        ul.answers {
            @for line in taken {
                li {
                    div.head {
                        (report.whom(visit, seen, line)) " · " (what(visit, line)) " " strong { (value(visit, line)) }
                        (whence(visit, line))
                    }
                    @if visit.can(Permission::Enquire) {
                        (super::finding_objections::under(visit, seen, report, line, objected))
                    }
                }
            }
        }
    }
}

fn plain(visit: &Visit, seen: &Seen, report: &Report, lines: &[&Line<'_>]) -> Markup {
    html! {
        ul.answers {
            @for line in lines {
                li {
                    (report.whom(visit, seen, line)) " · " (what(visit, line)) " " strong { (value(visit, line)) } " "
                    (whence(visit, line))
                }
            }
        }
    }
}

/// What stays unknown, why, and what to do next.
fn silent(visit: &Visit, seen: &Seen, report: &Report, all: &[Silent<'_>]) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("数据源")),
        table::text(visit.t("谁")),
        table::text(visit.t("没有查清什么")),
        table::text(visit.t("为什么")),
        table::text(visit.t("下一步")),
    ];
    let rows = all
        .iter()
        .map(|one| {
            let who: Vec<String> = one.people.iter().map(|person| report.name(*person)).collect();
            let everybody = who.is_empty() || who.len() == report.enquiry.people.len();
            let figures: Vec<&str> =
                one.figures.iter().map(|figure| lang.pick(&figure.zh, &figure.en)).collect();
            table::still(vec![
                html! { (lang.pick(&one.source.zh, &one.source.en)) div.quiet { (one.source.department) } },
                html! { @if everybody { (visit.t("全家")) } @else { (who.join(visit.t("、"))) } },
                html! { (figures.join(visit.t("、"))) },
                html! { (lang.pick(&one.why.zh(), &one.why.en())) },
                html! { @if visit.can(Permission::RecordFacts) {
                    a href=(format!("/cases/{}/findings", seen.case.id)) { (visit.t("发函查询，凭回复录入")) }
                } },
            ])
        })
        .collect();
    table::table(
        lang,
        visit.t("没有查清的"),
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
    let terms = terms(visit)?;
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
    let answered =
        tokio::task::spawn_blocking(move || permitted.ask(&landed, &AtomicBool::new(false)))
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
    let word = match again {
        enquiry::Reproduced::Same => "same",
        enquiry::Reproduced::Otherwise(_) => "otherwise",
    };
    visit.go(&format!("/cases/{id}/enquiry?report={report}&done={word}"))
}
