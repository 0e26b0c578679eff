//! Findings in a case (核对发现): what was declared beside what other departments said, taking a finding, trying out what it
//! changes, and taking a wrong one back.
//!
//! The fields follow the facts the case's programme reads: kinds, codes and units come from the rule book. Trying out
//! writes nothing; the page then shows the answer before and after. Works without script. Deliberately absent: believing
//! one source over the other.

use super::case::{Seen, view};
use super::facts::{evidence_link, keep, period, typed, value_and_days};
use crate::parts::answer::{Asked, shown_at};
use crate::parts::form::{self, FieldError, fault, field};
use crate::parts::{format, mark, piece, reasons, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::Purpose;
use casework::draft::DECLARED;
use casework::finding::in_case::{self, Compared, Effect, Withdrawal};
use casework::finding::{NewFinding, Refused};
use maud::{Markup, html};
use policy::{Determination, FactDef};
use registry::Subject;
use vocab::ids::CaseId;
use vocab::{DatedFact, Period};

/// The word of a subject in links and forms.
pub(crate) fn word(subject: Subject) -> String {
    match subject {
        Subject::Household(_) => "household".to_owned(),
        Subject::Person(id) => id.to_string(),
    }
}

/// The subject a word names, if the case is about it.
pub(crate) fn subject_of(seen: &Seen, word: &str) -> Option<Subject> {
    if word == "household" {
        return Some(Subject::Household(seen.case.household));
    }
    let id = word.parse().ok()?;
    seen.members
        .iter()
        .any(|(member, _)| *member == id)
        .then_some(Subject::Person(id))
}

pub(crate) fn name_of(visit: &Visit, seen: &Seen, subject: Subject) -> String {
    match subject {
        Subject::Household(_) => visit.t("全家").to_owned(),
        Subject::Person(id) => seen
            .members
            .iter()
            .find(|(member, _)| *member == id)
            .map_or_else(String::new, |(_, name)| name.clone()),
    }
}

/// What was sent or asked under a name.
fn given<'a>(visit: &'a Visit, name: &str) -> &'a str {
    match visit.form.get(name) {
        "" => visit.query.get(name),
        sent => sent,
    }
}

/// The fact chosen, with whom it is about.
fn chosen<'a>(visit: &'a Visit, seen: &Seen) -> Option<(Subject, &'a FactDef)> {
    let subject = subject_of(seen, given(visit, "about"))?;
    let fact = given(visit, "fact");
    in_case::facts_of(&visit.app.desk, &seen.case, subject)
        .into_iter()
        .find(|def| def.id == fact)
        .map(|def| (subject, def))
}

/// `GET /cases/{id}/findings?about=&fact=` (核对发现).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn show(visit: &Visit) -> Answer {
    let seen = view(visit, visit.id("id")?).await?;
    page(visit, &seen, None, &[]).await
}

async fn page(
    visit: &Visit,
    seen: &Seen,
    effect: Option<&Effect>,
    errors: &[FieldError],
) -> Answer {
    let lang = visit.lang;
    let id = seen.case.id;
    let scope = visit.scope(Purpose::Review)?;
    let compared = in_case::compared(&visit.app.db, &scope, &visit.app.desk, id)
        .await?
        .ok_or(Problem::NotFound)?;
    let chosen = chosen(visit, seen);
    let differing = compared.iter().filter(|one| one.differs).count();
    let body = html! {
        div.columns {
            div {
                @if let Some((subject, def)) = chosen {
                    (piece::section(visit.t("录入核对发现"), &entry(visit, seen, subject, def, &compared, errors)))
                }
                @if !seen.view.unauthorised.is_empty() {
                    div.note.warn {
                        (visit.t("还有成年人没有签核对授权，没有授权的人不能记入。")) " "
                        a href=(format!("/cases/{id}")) { (visit.t("去登记授权")) }
                    }
                }
                p { (lang.f("申报与核对不一致 {count} 项。两边的说法都留着，不一致的由规则认定为待核实。", &[("count", &differing)])) }
                (tables(visit, seen, &compared))
            }
            div.aside { (beside(visit, seen, effect)) }
        }
    };
    let done = match visit.query.get("done") {
        "found" => {
            Some(html! { (visit.t("已记入核对发现，记在办件时间线上。右边是记入以后的测算。")) })
        }
        "withdrawn" => Some(html! { (visit.t("已撤回这一条核对发现，理由记在办件时间线上。")) }),
        _ => None,
    };
    let title = lang.f("核对发现：{number}", &[("number", &seen.case.number)]);
    Ok(visit
        .page(title)
        .nav("/cases")
        .wide()
        .back(format!("/cases/{id}"), seen.case.number.clone())
        .note(done)
        .errors(errors)
        .show(&body))
}

/// The form of one fact, as the rule book declares it.
fn entry(
    visit: &Visit,
    seen: &Seen,
    subject: Subject,
    def: &FactDef,
    compared: &[Compared],
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let asked = Asked::of(lang, def);
    let department = match visit.form.get("source") {
        "" => def.source.as_str(),
        typed => typed,
    };
    let known = compared
        .iter()
        .find(|one| one.subject == subject && one.fact == def.id);
    html! {
        form.card method="post" action=(format!("/cases/{}/findings", seen.case.id)) enctype="multipart/form-data" {
            (form::token(visit))
            input type="hidden" name="about" value=(word(subject));
            input type="hidden" name="fact" value=(def.id);
            p { strong { (name_of(visit, seen, subject)) } " · " (asked.label) }
            @if let Some(known) = known {
                @for said in &known.said {
                    div.known { (said.source) (visit.t("：")) (shown_at(visit, &asked, &said.value)) " " (period(visit, &said.period)) }
                }
            }
            (value_and_days(visit, &asked, errors))
            (field(lang, "source", visit.t("提供信息的部门")).hint(html! {
                    (visit.t("同一部门对同一期间再记一次，就是更正它原来的说法"))
                }).value(department).errors(errors).width("middle").text())
            (field(lang, "number", visit.t("部门回复的文号或编号")).value(visit.form.get("number"))
                .errors(errors).width("middle").text())
            (field(lang, "file", visit.t("部门回复（照片或扫描件）")).hint(html! {
                    (visit.t("文号和扫描件至少有一样；试算不需要，记入前再选文件"))
                }).optional().errors(errors).file("image/*,application/pdf"))
            div.buttons {
                button.primary type="submit" name="go" value="take" { (visit.t("记入核对发现")) }
                button type="submit" name="go" value="try" { (visit.t("先试算，看会改变什么")) }
                a.button.plain href=(format!("/cases/{}/findings", seen.case.id)) { (visit.t("换一个事实")) }
            }
        }
    }
}

/// One table for the household and one for each member.
fn tables(visit: &Visit, seen: &Seen, compared: &[Compared]) -> Markup {
    let mut subjects: Vec<Subject> = Vec::new();
    for one in compared {
        if !subjects.contains(&one.subject) {
            subjects.push(one.subject);
        }
    }
    html! {
        @for subject in subjects {
            @let mine: Vec<&Compared> = compared.iter().filter(|one| one.subject == subject).collect();
            (piece::section(&name_of(visit, seen, subject), &one_table(visit, seen, &mine)))
        }
    }
}

fn one_table(visit: &Visit, seen: &Seen, compared: &[&Compared]) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("事实")),
        table::text(visit.t("本人申报")),
        table::text(visit.t("核对发现")),
        table::text(visit.t("办理")),
    ];
    let rows = compared
        .iter()
        .filter_map(|one| Some((*one, visit.app.desk.book.fact(&one.fact)?)))
        .map(|(one, def)| {
            let asked = Asked::of(lang, def);
            let link = format!(
                "/cases/{}/findings?about={}&fact={}",
                seen.case.id,
                word(one.subject),
                one.fact
            );
            let (declared, found): (Vec<&DatedFact>, Vec<&DatedFact>) =
                one.said.iter().partition(|said| said.source == DECLARED);
            table::still(vec![
                html! { (asked.label) @if one.differs { " " (piece::tag(visit.t("不一致"))) } },
                html! {
                    @for said in &declared { div { (shown_at(visit, &asked, &said.value)) " " span.quiet { (period(visit, &said.period)) } } }
                    @if declared.is_empty() { "—" }
                },
                html! {
                    @for said in &found { (one_finding(visit, seen, one, &asked, said)) }
                    @if found.is_empty() { "—" }
                },
                html! { a href=(link) { (visit.t("记入")) } },
            ])
        })
        .collect();
    table::table(
        lang,
        visit.t("申报与核对对照"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}

fn one_finding(
    visit: &Visit,
    seen: &Seen,
    one: &Compared,
    asked: &Asked,
    said: &DatedFact,
) -> Markup {
    let lang = visit.lang;
    let day = |day: Option<chrono::NaiveDate>| day.map(format::date).unwrap_or_default();
    html! {
        div {
            (shown_at(visit, asked, &said.value)) " "
            span.quiet {
                (said.source) " " (period(visit, &said.period))
                @if let Some(evidence) = &said.evidence { " · " (evidence_link(visit, evidence)) }
                @if let Some(since) = said.known_since { " · " (format::instant(since)) }
            }
            details {
                summary { (visit.t("记错了？撤回")) }
                form method="post" action=(format!("/cases/{}/findings/withdraw", seen.case.id)) {
                    (form::token(visit))
                    input type="hidden" name="about" value=(word(one.subject));
                    input type="hidden" name="fact" value=(one.fact);
                    input type="hidden" name="source" value=(said.source);
                    input type="hidden" name="from" value=(day(said.period.from));
                    input type="hidden" name="until" value=(day(said.period.until));
                    label { (visit.t("撤回的理由")) " " input type="text" name="reason" required; }
                    (form::lesser(lang.t("撤回这一条")))
                }
            }
        }
    }
}

/// The rule book's answer beside: today's, or before and after what was tried.
pub(crate) fn beside(visit: &Visit, seen: &Seen, effect: Option<&Effect>) -> Markup {
    let lang = visit.lang;
    let names: Vec<String> = seen.members.iter().map(|(_, name)| name.clone()).collect();
    match effect {
        None => html! {
            @if let Some(stored) = &seen.view.stored {
                (piece::section(visit.t("存档的测算"), &reasons::verdict(lang, stored)))
            }
            @if let Some(now) = &seen.view.now {
                (piece::section(visit.t("按今天的事实测算"), &html! {
                    (reasons::verdict(lang, now))
                    (reasons::missing_list(visit, &names, &now.missing))
                }))
            }
        },
        Some(effect) => html! {
            div.note { (visit.t("这是试算，没有记入。")) }
            (piece::section(visit.t("记入前"), &reasons::verdict(lang, &effect.before)))
            (piece::section(visit.t("记入后"), &html! {
                (reasons::verdict(lang, &effect.after))
                (reasons::missing_list(visit, &names, &effect.after.missing))
            }))
            (piece::section(visit.t("会改变的条件"), &changed(visit, &effect.before, &effect.after)))
        },
    }
}

/// The conditions whose answer changes, before → after.
pub(crate) fn changed(visit: &Visit, before: &Determination, after: &Determination) -> Markup {
    let lang = visit.lang;
    let pairs: Vec<_> = after
        .conditions
        .iter()
        .filter_map(|now| {
            let was = before.conditions.iter().find(|was| was.id == now.id)?;
            (was.result != now.result || was.sentence_zh != now.sentence_zh).then_some((was, now))
        })
        .collect();
    html! {
        @if pairs.is_empty() { p.quiet { (visit.t("没有条件改变。")) } }
        ul.answers {
            @for (was, now) in pairs {
                li {
                    div { (mark::tri(lang, was.result)) " " (lang.pick(&was.sentence_zh, &was.sentence_en)) }
                    div { "→ " (mark::tri(lang, now.result)) " " (lang.pick(&now.sentence_zh, &now.sentence_en)) }
                    div.quiet { (now.article_title) }
                }
            }
        }
    }
}

/// The field a refusal is about.
fn field_of(refused: &Refused) -> &'static str {
    match refused {
        Refused::DepartmentMissing | Refused::Declared => "source",
        Refused::EvidenceMissing => "number",
        Refused::WrongKind(_) => "value",
        Refused::ReasonMissing => "reason",
        Refused::Register(registry::facts::Refused::PeriodReversed) => "until",
        _ => "",
    }
}

/// `POST /cases/{id}/findings` (试算、记入核对发现).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn post(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let Some((subject, def)) = chosen(visit, &seen) else {
        return page(visit, &seen, None, &[]).await;
    };
    let (read, wrong) = typed(visit, def);
    let Some(read) = read.filter(|_| wrong.is_empty()) else {
        return page(visit, &seen, None, &wrong).await;
    };
    let mut new = NewFinding {
        subject,
        fact: def.id.clone(),
        value: read.value,
        period: read.period,
        department: read.source,
        evidence: read.evidence.unwrap_or_default(),
    };
    let desk = &visit.app.desk;
    if visit.form.get("go") == "try" {
        let effect =
            in_case::effect(&visit.app.db, &scope, desk, id, std::slice::from_ref(&new)).await?;
        return page(visit, &seen, effect.as_ref(), &[]).await;
    }
    let mut tx = visit.app.db.begin().await?;
    if let Some(upload) = visit.files.first() {
        match keep(visit, &tx, upload).await? {
            Ok(file) => new.evidence = file.to_string(),
            Err(sentence) => {
                tx.rollback().await?;
                return page(visit, &seen, None, &[fault("file", sentence)]).await;
            }
        }
    }
    match in_case::take(&mut tx, &scope, desk, id, new).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}/findings?done=found"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = lang.pick(&refused.to_string(), &refused.en()).to_owned();
            page(visit, &seen, None, &[fault(field_of(&refused), sentence)]).await
        }
    }
}

/// `POST /cases/{id}/findings/withdraw` (撤回核对发现).
///
/// # Errors
/// [`Problem::NotFound`] outside the scope.
pub async fn withdraw(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let id: CaseId = visit.id("id")?;
    let seen = view(visit, id).await?;
    let scope = visit.scope(Purpose::Review)?;
    let subject = subject_of(&seen, visit.form.get("about")).ok_or(Problem::NotFound)?;
    let wrong = Withdrawal {
        subject,
        fact: visit.form.get("fact").to_owned(),
        department: visit.form.get("source").to_owned(),
        period: Period {
            from: visit.form.get("from").parse().ok(),
            until: visit.form.get("until").parse().ok(),
        },
        reason: visit.form.get("reason").to_owned(),
    };
    let mut tx = visit.app.db.begin().await?;
    match in_case::withdraw(&mut tx, &scope, &visit.app.desk, id, wrong).await? {
        Ok(()) => {
            tx.commit().await?;
            visit.go(&format!("/cases/{id}/findings?done=withdrawn"))
        }
        Err(Refused::NotThere) => Err(Problem::NotFound),
        Err(refused) => {
            tx.rollback().await?;
            let sentence = lang.pick(&refused.to_string(), &refused.en()).to_owned();
            page(visit, &seen, None, &[fault("", sentence)]).await
        }
    }
}

/// The line on the case's page (办件页上的核对发现): how many differ, and the way here.
///
/// # Errors
/// Faults of the database.
pub(crate) async fn brief(visit: &Visit, seen: &Seen) -> Result<Markup, Problem> {
    let scope = visit.scope(Purpose::Review)?;
    let id = seen.case.id;
    let compared = in_case::compared(&visit.app.db, &scope, &visit.app.desk, id)
        .await?
        .unwrap_or_default();
    let differing: Vec<String> = compared
        .iter()
        .filter(|one| one.differs)
        .map(|one| {
            let label = visit
                .app
                .desk
                .book
                .fact(&one.fact)
                .map_or(one.fact.as_str(), |def| {
                    visit.lang.pick(&def.label_zh, &def.label_en)
                });
            format!("{} {label}", name_of(visit, seen, one.subject))
        })
        .collect();
    Ok(piece::section(
        visit.t("核对发现"),
        &html! {
            @if differing.is_empty() { p.quiet { (visit.t("申报与核对没有不一致。")) } }
            @else {
                p { (visit.lang.f("申报与核对不一致 {count} 项", &[("count", &differing.len())])) (visit.t("：")) (differing.join(visit.t("、"))) }
            }
            p { a href=(format!("/cases/{id}/enquiry")) { (visit.t("发起核对，看核对报告")) } }
            @if visit.can(access::Permission::RecordFacts) {
                p { a href=(format!("/cases/{id}/findings")) { (visit.t("申报与核对对照，录入其他部门的反馈")) } }
            }
        },
    ))
}
