//! One programme of the rule book (规则详情): law beside rule, every dated parameter with its source, worked cases.
//!
//! The cases are decided afresh when the page is opened, so what is shown is what the house would decide today, beside
//! what the pack expects. Deliberately absent: editing; see `rule_edit`.

use super::rules::{approval, every, kind, title, unit};
use crate::locale::Lang;
use crate::parts::answer::{Asked, shown};
use crate::parts::{format, law, mark, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use access::Permission;
use chrono::NaiveDate;
use maud::{Markup, html};
use policy::cases::{self, Case};
use policy::phrasing;
use policy::{
    Ask, Book, Determination, Kind, Parameter, ParameterValue, Programme, Setting, StartRule, card,
};
use std::collections::BTreeMap;
use vocab::{Money, Record};

fn programme(visit: &Visit) -> Result<&Programme, Problem> {
    visit
        .app
        .desk
        .book
        .programme(visit.part("id"))
        .ok_or(Problem::NotFound)
}

/// `GET /rules/{id}` (规则详情).
///
/// # Errors
/// [`Problem::NotFound`] for a programme the rule book does not know.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let programme = programme(visit)?;
    let shared = phrasing::shared_variables(book, programme);
    let body = html! {
        p.lead { (lang.pick(&programme.summary_zh, &programme.summary_en)) }
        (piece::section(visit.t("给什么"), &benefit(visit, programme)))
        (piece::section(visit.t("条件"), &html! {
            p.quiet { (visit.t("全部符合才给；有一条不符合就不给；没有不符合而有不知道的，待核实。")) }
            (conditions(visit, programme))
        }))
        @if !programme.variables.is_empty() {
            (piece::section(visit.t("计算过程"), &html! {
                @for variable in &programme.variables {
                    h3 {
                        (lang.pick(&variable.label_zh, &variable.label_en))
                        " " span.quiet { (unit(lang, variable.of)) " · " (kind(lang, variable.gives)) " · " code { (variable.id) } }
                    }
                    (law::beside(lang, book, programme, &variable.versions))
                }
            }))
        }
        (piece::section(visit.t("参数"), &parameters(visit, &phrasing::parameters(book, programme))))
        @if !shared.is_empty() {
            (piece::section(visit.t("共用的计算"), &html! {
                @for variable in &shared {
                    details.act-form {
                        summary { (lang.pick(&variable.label_zh, &variable.label_en)) }
                        (law::beside(lang, book, programme, &variable.versions))
                    }
                }
            }))
        }
        (piece::section(visit.t("要问的事实"), &html! {
            p {
                @for (at, fact) in programme.facts.iter().enumerate() {
                    @if at > 0 { (visit.t("、")) }
                    (book.fact(fact).map_or(fact.as_str(), |def| lang.pick(&def.label_zh, &def.label_en)))
                }
            }
        }))
    };
    let acts = html! {
        @if visit.can(Permission::WriteRules) {
            a.button href=(format!("/rules/{}/edit", programme.id)) { (visit.t("修改规则")) }
        }
        a.button.primary href=(format!("/rules/{}/cases", programme.id)) {
            (lang.f("办例 {count} 个", &[("count", &book.cases(&programme.id).len())]))
        }
        a.button href=(format!("/rules/{}/card", programme.id)) { (visit.t("下载规则卡")) }
        a.button.plain href=(format!("/programmes/{}", programme.id)) { (visit.t("公众看到的办事指南")) }
    };
    Ok(visit
        .page(title(lang, programme))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .acts(acts)
        .wide()
        .show(&body))
}

fn benefit(visit: &Visit, programme: &Programme) -> Markup {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let benefit = &programme.benefit;
    let mut pairs = vec![
        (
            visit.t("给谁").to_owned(),
            html! { (unit(lang, benefit.to)) },
        ),
        (
            visit.t("给付方式").to_owned(),
            html! { (every(lang, benefit.every)) },
        ),
        (
            visit.t("从何时起").to_owned(),
            html! { (starts(lang, benefit.starts)) },
        ),
        (
            visit.t("依据").to_owned(),
            law::quote(book, &benefit.article),
        ),
    ];
    if let Some(amount) = &benefit.amount {
        pairs.push((visit.t("金额").to_owned(), html! {
            code { (amount) }
            (law::meanings(lang, book, programme, amount.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))))
        }));
    }
    if !benefit.excludes.is_empty() {
        pairs.push((
            visit.t("不能同时享受").to_owned(),
            html! {
                @for (at, id) in benefit.excludes.iter().enumerate() {
                    @if at > 0 { (visit.t("、")) }
                    (book.programme(id).map_or(id.as_str(), |other| title(lang, other)))
                }
            },
        ));
    }
    pairs.push((
        visit.t("规则卡").to_owned(),
        approval(lang, card::approval(book, programme)),
    ));
    piece::facts(&pairs)
}

fn starts(lang: Lang, starts: StartRule) -> &'static str {
    match starts {
        StartRule::MonthAfterDecision => lang.t("决定的次月"),
        StartRule::MonthOfApplication => lang.t("申请的当月"),
        StartRule::MonthAfterApplication => lang.t("申请的次月"),
        StartRule::MonthOfCondition => lang.t("条件成就的当月"),
        StartRule::MonthAfterCondition => lang.t("条件成就的次月"),
    }
}

fn conditions(visit: &Visit, programme: &Programme) -> Markup {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let words = phrasing::condition_words(book, programme);
    html! {
        @for (condition, said) in programme.conditions.iter().zip(&words) {
            h3 { (lang.pick(&said.asks_zh, &said.asks_en)) " " code.quiet { (condition.id) } }
            (law::beside(lang, book, programme, &condition.versions))
            p.quiet { (visit.t("不符合时告知：")) (lang.pick(&said.refuses_zh, &said.refuses_en)) }
        }
    }
}

/// The parameters with all their dated values (参数历史), newest first.
pub(crate) fn parameters(visit: &Visit, parameters: &[&Parameter]) -> Markup {
    let lang = visit.lang;
    if parameters.is_empty() {
        return html! { p.quiet { (visit.t("这个事项没有参数。")) } };
    }
    let columns = [
        table::text(visit.t("参数")),
        table::text(visit.t("值")),
        table::text(visit.t("从哪天起")),
        table::text(visit.t("来源")),
    ];
    let mut rows = Vec::new();
    for parameter in parameters {
        if parameter.values.is_empty() {
            rows.push(table::still(vec![
                html! { span lang="zh-CN" { (parameter.what) } },
                html! { (piece::tag(visit.t("标准未公布，用到时待核实"))) },
                html! { "—" },
                html! { (parameter.note.as_deref().unwrap_or("")) },
            ]));
        }
        for value in parameter.values.iter().rev() {
            rows.push(table::still(vec![
                html! {
                    span lang="zh-CN" { (parameter.what) }
                    @if let Some(region) = value.region { " " (piece::tag(&visit.place(region))) }
                },
                html! {
                    (setting(lang, parameter, &value.value))
                    @if value.demo { " " (piece::tag(visit.t("演示"))) }
                    @if in_force(parameter, value, visit.today()) { " " (piece::tag(visit.t("现行"))) }
                },
                html! {
                    (format::date(value.from))
                    @if let Some(until) = value.until { " " (lang.f("到 {until} 前", &[("until", &format::date(until))])) }
                },
                html! {
                    span lang="zh-CN" { (value.source) }
                    @if let Some(note) = &value.note { div.quiet { (note) } }
                },
            ]));
        }
    }
    table::table(lang, visit.t("参数"), &columns, rows, "", &visit.query)
}

/// Whether a value is the one of a day in its own region.
pub(crate) fn in_force(parameter: &Parameter, value: &ParameterValue, day: NaiveDate) -> bool {
    let later = parameter
        .values
        .iter()
        .any(|other| other.region == value.region && other.from > value.from && other.from <= day);
    value.from <= day && value.until.is_none_or(|until| until > day) && !later
}

/// What a parameter is set to, as people read it (参数取值).
pub(crate) fn setting(lang: Lang, parameter: &Parameter, setting: &Setting) -> Markup {
    let one = |number: i64| number_of(lang, parameter, number);
    html! {
        @match setting {
            Setting::Single(number) => (one(*number)),
            Setting::Steps(steps) => ul.plain-list {
                @for (bound, number) in steps { li { (lang.f("{bound} 起", &[("bound", bound)])) " · " (one(*number)) } }
            },
            Setting::Codes(codes) => ul.plain-list {
                @for (code, number) in codes { li { code { (code) } " · " (one(*number)) } }
            },
        }
    }
}

/// What a parameter that is a plain number is counted in (计量单位); empty where the pack names no unit.
pub(crate) fn counted_in(lang: Lang, parameter: &Parameter) -> &'static str {
    match parameter.unit.as_str() {
        "months" => lang.t("个月"),
        "years" => lang.t("年"),
        "days" => lang.t("天"),
        "hours" => lang.t("小时"),
        "people" => lang.t("人"),
        "m2" => lang.t("平方米"),
        _ => "",
    }
}

pub(crate) fn number_of(lang: Lang, parameter: &Parameter, number: i64) -> String {
    match parameter.kind {
        Kind::Bool if number == 0 => lang.t("否").to_owned(),
        Kind::Bool => lang.t("是").to_owned(),
        Kind::Date => i32::try_from(number)
            .ok()
            .and_then(NaiveDate::from_num_days_from_ce_opt)
            .map_or_else(String::new, format::date),
        Kind::Money => format::money(lang, Money::from_fen(number)),
        Kind::MoneyPerMonth => format!(
            "{}{}",
            format::money(lang, Money::from_fen(number)),
            lang.t("/月")
        ),
        Kind::MoneyPerYear => format!(
            "{}{}",
            format::money(lang, Money::from_fen(number)),
            lang.t("/年")
        ),
        Kind::Ratio => percent(number, parameter.divisor),
        Kind::Count | Kind::Code | Kind::Text => {
            let unit = counted_in(lang, parameter);
            if unit.is_empty() {
                number.to_string()
            } else {
                format!("{number} {unit}")
            }
        }
    }
}

/// A rate in percent without floating point: 3050 of 10000 is `30.5 %`.
fn percent(number: i64, divisor: i64) -> String {
    let hundredths = i128::from(number) * 10_000 / i128::from(divisor.max(1));
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let decimals = match rest.abs() {
        0 => String::new(),
        rest if rest % 10 == 0 => format!(".{}", rest / 10),
        rest => format!(".{rest:02}"),
    };
    format!("{whole}{decimals} %")
}

/// `GET /rules/{id}/card` (下载规则卡).
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn card(visit: &Visit) -> Answer {
    let programme = programme(visit)?;
    let text = card::render(&visit.app.desk.book, programme);
    Ok(download(
        &format!("{}-{}", programme.id, card::FILE),
        "text/markdown; charset=utf-8",
        text.into_bytes(),
    ))
}

/// `GET /rules/{id}/cases` (办例).
///
/// # Errors
/// [`Problem::NotFound`].
pub async fn worked_cases(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let programme = programme(visit)?;
    let all = book.cases(&programme.id);
    let report = cases::run(book, programme);
    let differences: BTreeMap<&str, &Vec<String>> = report
        .cases
        .iter()
        .map(|case| (case.name.as_str(), &case.differences))
        .collect();
    let body = html! {
        @if all.is_empty() {
            (piece::empty(visit.t("本地规则包没有这个事项的办例；上级规则的办例在上级规则包里。"), &html! {}))
        } @else {
            p { (lang.f("{passed} / {total} 个办例与预期一致。办例在打开本页时重新测算。", &[
                ("passed", &report.passed()), ("total", &report.cases.len()),
            ])) }
            @for case in all {
                (worked(visit, programme, case, differences.get(case.name.as_str()).map_or(&[][..], |found| found)))
            }
        }
    };
    Ok(visit
        .page(lang.f("办例：{title}", &[("title", &title(lang, programme))]))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .back(format!("/rules/{}", programme.id), title(lang, programme))
        .show(&body))
}

fn worked(visit: &Visit, programme: &Programme, case: &Case, differences: &[String]) -> Markup {
    let lang = visit.lang;
    let book = &visit.app.desk.book;
    let ask = Ask {
        programmes: Some(vec![programme.id.clone()]),
        ..case.ask()
    };
    let answers: Vec<Determination> = book.evaluate(&case.sheet, &ask);
    html! {
        details.act-form open[!differences.is_empty()] {
            summary { span lang="zh-CN" { (case.name) } @for answer in &answers { " " (result(lang, answer)) } }
            div.case {
                p { (visit.t("为什么：")) span lang="zh-CN" { (case.because) } }
                @if !differences.is_empty() {
                    div.note.warn {
                        p { (visit.t("与预期不一致：")) }
                        ul.plain-list { @for difference in differences { li { (difference) } } }
                    }
                }
                p.quiet {
                    (visit.t("基准日")) " " (format::date(case.as_of))
                    @if let Some(known_at) = case.known_at { " · " (visit.t("截至何时得知的事实")) " " (format::instant(known_at)) }
                }
                (record(lang, book, visit.t("家庭"), &case.sheet.household))
                @for (at, member) in case.sheet.members.iter().enumerate() {
                    (record(lang, book, &lang.f("第 {n} 人", &[("n", &(at + 1))]), member))
                }
                @for answer in &answers {
                    ul.conditions {
                        @for condition in &answer.conditions { (mark::condition(lang, condition, None, &html! {})) }
                    }
                }
            }
        }
    }
}

fn result(lang: Lang, answer: &Determination) -> Markup {
    html! {
        @if let Some(member) = answer.member { span.quiet { (lang.f("第 {n} 人", &[("n", &(member + 1))])) } " " }
        (mark::outcome(lang, answer.outcome))
        @if let Some(amount) = answer.amount { " " (mark::amount(lang, amount, answer.every)) }
    }
}

/// The facts of a household or member, as the case states them.
fn record(lang: Lang, book: &Book, whose: &str, record: &Record) -> Markup {
    if record.is_empty() {
        return html! {};
    }
    html! {
        p {
            strong { (whose) } " "
            @for (at, (fact, rows)) in record.iter().enumerate() {
                @let def = book.fact(fact);
                @if at > 0 { (lang.t("；")) }
                (def.map_or(fact.as_str(), |def| lang.pick(&def.label_zh, &def.label_en))) " "
                @for (at, row) in rows.iter().enumerate() {
                    @if at > 0 { (lang.t("、")) }
                    @match def {
                        Some(def) => (shown(lang, &Asked::of(lang, def), &row.value)),
                        None => (format!("{:?}", row.value)),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn rates_are_read_as_percent_without_rounding() {
        assert_eq!(percent(3_000, 10_000), "30 %");
        assert_eq!(percent(3_050, 10_000), "30.5 %");
        assert_eq!(percent(3_055, 10_000), "30.55 %");
        assert_eq!(percent(12, 100), "12 %");
    }
}
