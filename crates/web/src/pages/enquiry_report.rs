//! A report on its page (核对报告的页面): what can be taken and what it would change, what was taken, what agrees, what stays
//! unknown and what to do next.
//!
//! Reads only. Deliberately absent: which line stands how; see [`super::enquiry_lines`].

use super::case::Seen;
use super::enquiry::Report;
use super::enquiry_lines::{Line, Silent, Standing, plainly};
use super::findings::{beside, changed};
use crate::parts::answer::{Asked, shown_at};
use crate::parts::form::{self, FieldError};
use crate::parts::{format, mark, piece, table};
use crate::problem::Problem;
use crate::visit::Visit;
use access::{Permission, Purpose};
use casework::finding::NewFinding;
use casework::finding::in_case;
use maud::{Markup, html};

/// The report, and what taking all open lines would change.
pub(crate) async fn found(
    visit: &Visit,
    seen: &Seen,
    report: &Report,
    errors: &[FieldError],
) -> Result<(Markup, Markup), Problem> {
    let lang = visit.lang;
    let row = &report.enquiry.row;
    let lines = report.lines(visit, seen);
    let scope = visit.scope(Purpose::Review)?;
    let (db, desk, id) = (&visit.app.db, &visit.app.desk, seen.case.id);
    let (takeable, findings): (Vec<&Line<'_>>, Vec<NewFinding>) = lines
        .known
        .iter()
        .filter(|line| line.standing == Standing::Open)
        .filter_map(|line| Some((line, line.finding(&row.number)?)))
        .unzip();
    let each: Vec<&[NewFinding]> = findings.chunks(1).collect();
    let effects = in_case::effects(db, &scope, desk, id, &each).await?;
    let mut open: Vec<_> = takeable.into_iter().zip(effects).collect();
    // Beside stands what those ticked come to together.
    let ticked: Vec<NewFinding> = open
        .iter()
        .zip(findings)
        .filter(|((line, effect), _)| is_ticked(visit, line, effect.as_ref(), errors))
        .map(|(_, finding)| finding)
        .collect();
    let whole = match ticked.is_empty() {
        true => None,
        false => in_case::effect(db, &scope, desk, id, &ticked).await?,
    };
    // What changes the answer is what she has to look at.
    open.sort_by_key(|(_, effect)| !effect.as_ref().is_some_and(changes));
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
            (piece::section(visit.t("已采信"), &taken_lines(visit, seen, report, &taken, errors)))
        }
        @if !lines.silent.is_empty() {
            (piece::section(visit.t("没有查清的"), &silent(visit, seen, report, &lines.silent)))
        }
        @let refuted = of(Standing::Refuted);
        @if !refuted.is_empty() {
            (piece::section(visit.t("异议成立，不再采信"), &plain(visit, seen, report, &refuted)))
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
        @if !lines.gone.is_empty() {
            (piece::section(visit.t("规则里已经没有的指标"), &gone(visit, &lines.gone)))
        }
        @if visit.can(Permission::Enquire) && visit.app.landed.is_some() {
            form method="post" action=(format!("/cases/{}/enquiry/{}/reproduce", seen.case.id, row.id)) {
                (form::token(visit))
                div.buttons { (form::lesser(visit.t("用当时的数据重做一遍，比对是否一致"))) }
            }
        }
    };
    Ok((markup, beside(visit, seen, whole.as_ref())))
}

/// What was found, as the fact reads.
fn value(visit: &Visit, line: &Line<'_>) -> String {
    match line.fact {
        Some(def) => shown_at(visit, &Asked::of(visit.lang, def), &line.value),
        None => plainly(visit.lang, line.source, line.def, &line.value),
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
            @if let Some(day) = line.answer.delivered { " " span.day { (format::date(day)) } }
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
            let ticked = is_ticked(visit, line, effect.as_ref(), errors);
            let name = format!("{} {}", report.whom(visit, seen, line), what(visit, line));
            table::still(vec![
                html! { @if may { input type="checkbox" name="take" value=(key) checked[ticked] aria-label=(name); } },
                html! { (report.whom(visit, seen, line)) },
                html! { (what(visit, line)) },
                declared(visit, line),
                html! {
                    strong { (value(visit, line)) }
                    @if let Some(more) = difference(line) { " " span.quiet { (more) } }
                    div { (whence(visit, line)) }
                    (upheld(visit, line))
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
                div.buttons { (form::act(visit.t("采信勾选的发现"))) }
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

/// Whether a line is ticked when the page comes: as it was before a refusal; else what changes the answer, unless the same was
/// refuted before: that somebody has to look at first.
fn is_ticked(
    visit: &Visit,
    line: &Line<'_>,
    effect: Option<&in_case::Effect>,
    errors: &[FieldError],
) -> bool {
    if errors.iter().any(|error| error.field == "take") {
        return visit.form.all("take").any(|key| key == line.key());
    }
    line.refuted.is_none() && effect.is_some_and(changes)
}

/// Whether a finding changes the answer.
fn changes(effect: &in_case::Effect) -> bool {
    let (before, after) = (&effect.before, &effect.after);
    before.outcome != after.outcome || before.amount != after.amount
}

/// What one finding would change, in a cell: the verdict if it changes, and the conditions that do.
fn short_effect(visit: &Visit, effect: &in_case::Effect) -> Markup {
    let lang = visit.lang;
    let (before, after) = (&effect.before, &effect.after);
    html! {
        @if !changes(effect) { span.quiet { (visit.t("结论不变")) } }
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
    errors: &[FieldError],
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
                        (super::finding_objections::under(visit, seen, report, line, errors))
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
                    (upheld(visit, line))
                }
            }
        }
    }
}

/// That the person was right about the same finding before, and why.
fn upheld(visit: &Visit, line: &Line<'_>) -> Markup {
    let answered = line.refuted.and_then(|one| one.answered.as_ref());
    html! {
        @if let Some(answered) = answered {
            div.quiet { (visit.lang.f("本人对同一结果的异议 {day} 已答复成立：{reason}", &[
                ("day", &format::date(answered.on)), ("reason", &answered.reason),
            ])) }
        }
    }
}

/// What the report holds and nobody can name any more.
fn gone(visit: &Visit, all: &[(String, Vec<&str>)]) -> Markup {
    html! {
        p.quiet { (visit.t("这些指标的约定后来改了或者取消了，这里不能显示当时的值；报告里仍然封存着。")) }
        ul.answers {
            @for (source, figures) in all { li { (source) " · " (figures.join(visit.t("、"))) } }
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
                html! { (one.why.says(lang)) },
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
