//! The tables of the page (统计表): by programme, by place, by group, and twelve months with their bars.
//!
//! Guarantees: a number leads to the list that proves it, with filters that give the same count. Deliberately absent:
//! reading; the numbers are there already, but for the groups.

use super::figures::{Figures, Of, Shown};
use super::{Look, measure_name, year};
use crate::fields::Fields;
use crate::parts::sketch::{Square, sketch};
use crate::parts::{bars, format, mark, piece, table};
use crate::problem::Problem;
use crate::visit::Visit;
use access::Permission;
use batch::small_cells;
use batch::statistics::{Asked, Grouping, Measure, Numbers, rows};
use ledger::Difference;
use maud::{Markup, html};
use policy::Outcome;
use std::collections::BTreeMap;
use vocab::{Money, Month, Region};

/// What stands for a hidden number.
const HIDDEN: &str = "＊";

/// One of the numbers of a measure (指标的哪个数).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Part {
    Count,
    Persons,
    Money,
}

/// The columns of a table, in order.
const COLUMNS: [(Measure, Part); 8] = [
    (Measure::Applied, Part::Count),
    (Measure::Decided, Part::Count),
    (Measure::Paid, Part::Count),
    (Measure::Paid, Part::Persons),
    (Measure::Paid, Part::Money),
    (Measure::InPayment, Part::Count),
    (Measure::InPayment, Part::Persons),
    (Measure::InPayment, Part::Money),
];

/// What a number is called, with its unit (表头).
pub(in crate::pages) fn heading(visit: &Visit, measure: Measure, part: Part) -> &'static str {
    match (measure, part) {
        (Measure::Applied, _) => visit.t("申请（件）"),
        (Measure::Decided, _) => visit.t("作出决定（件）"),
        (Measure::Paid, Part::Count) => visit.t("发放（笔）"),
        (Measure::Paid, Part::Persons) => visit.t("发放（人）"),
        (Measure::Paid, Part::Money) => visit.t("发放金额（元）"),
        (Measure::InPayment, Part::Count) => visit.t("在发（项）"),
        (Measure::InPayment, Part::Persons) => visit.t("在发（人次）"),
        (Measure::InPayment, Part::Money) => visit.t("在发月额（元）"),
    }
}

/// A number as it is written (写法).
pub(in crate::pages) fn said(shown: Shown, part: Part) -> String {
    match shown {
        Shown::Hidden => HIDDEN.to_owned(),
        Shown::Known(numbers) => number(numbers, part),
    }
}

fn number(numbers: Numbers, part: Part) -> String {
    let whole = |count: i64| format::number(u64::try_from(count).unwrap_or(0));
    match part {
        Part::Count => whole(numbers.count),
        Part::Persons => whole(numbers.persons),
        Part::Money => Money::from_fen(numbers.fen).to_string(),
    }
}

/// Whether it is nought (是否为零).
pub(in crate::pages) fn is_nothing(shown: Shown) -> bool {
    shown == Shown::Known(Numbers::default())
}

/// The list that proves a number (证明清单); `None` where the visitor may not see it.
pub(in crate::pages) fn list(
    visit: &Visit,
    measure: Measure,
    month: Month,
    at: Region,
    programme: Option<&str>,
) -> Option<(&'static str, Fields)> {
    let place = at.to_string();
    let mut query = Fields::default();
    let (first, beyond) = (month.first_day(), month.next().first_day());
    let path = match measure {
        Measure::Applied | Measure::Decided => {
            if !visit.can(Permission::SeeCases) {
                return None;
            }
            let (from, before) = match measure {
                Measure::Applied => ("from", "before"),
                _ => ("decided_from", "decided_before"),
            };
            query.push(from, format::date(first));
            query.push(before, format::date(beyond));
            "/cases"
        }
        Measure::Paid => {
            if !visit.can(Permission::SeePayRuns) {
                return None;
            }
            query.push("month", month.to_string());
            query.push("released", "1");
            "/pay-lines"
        }
        Measure::InPayment => {
            if !visit.can(Permission::SeePayRuns) {
                return None;
            }
            query.push("month", month.to_string());
            "/rights"
        }
    };
    query.push("region", place);
    if let Some(id) = programme {
        query.push("programme", id);
    }
    Some((path, query))
}

/// A number with its comparison, leading to its list.
fn cell(
    visit: &Visit,
    look: &Look,
    figures: &Figures,
    column: (Measure, Part),
    of: Of<'_>,
) -> Markup {
    let lang = visit.lang;
    let (measure, part) = column;
    let [now, before, year] = look
        .compared()
        .map(|month| figures.shown(measure, month, of));
    let at = of.place.unwrap_or(look.at);
    let link = list(visit, measure, look.month, at, of.programme)
        .filter(|_| !is_nothing(now) && now != Shown::Hidden);
    html! {
        @match link {
            Some((path, query)) => a href=(query.href(path)) { (said(now, part)) },
            None => (said(now, part)),
        }
        @if !is_nothing(before) {
            div.quiet { (lang.f("上月 {number}", &[("number", &said(before, part))])) }
        }
        @if !is_nothing(year) {
            div.quiet { (lang.f("去年同月 {number}", &[("number", &said(year, part))])) }
        }
    }
}

fn columns(visit: &Visit, first: &str) -> Vec<table::Column> {
    std::iter::once(table::text(first))
        .chain(
            COLUMNS
                .iter()
                .map(|(measure, part)| table::number(heading(visit, *measure, *part))),
        )
        .collect()
}

fn line(visit: &Visit, look: &Look, figures: &Figures, name: Markup, of: Of<'_>) -> table::Row {
    let mut cells = vec![name];
    cells.extend(
        COLUMNS
            .iter()
            .map(|column| cell(visit, look, figures, *column, of)),
    );
    table::still(cells)
}

/// Whether anything stands in a line this month, last month or last year.
fn has_any(look: &Look, figures: &Figures, of: Of<'_>) -> bool {
    Measure::ALL.into_iter().any(|measure| {
        look.compared()
            .into_iter()
            .any(|month| !is_nothing(figures.shown(measure, month, of)))
    })
}

/// By programme, with the total (按事项).
pub(super) fn by_programme(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let mut lines = Vec::new();
    for id in figures.programmes() {
        if look.programme.as_ref().is_some_and(|only| only != id) {
            continue;
        }
        let of = Of {
            place: None,
            programme: Some(id),
        };
        if has_any(look, figures, of) {
            let href = visit.query.with("programme", id).href("/statistics");
            let name = html! { a href=(href) { (super::super::pay_runs::programme(visit, id)) } };
            lines.push(line(visit, look, figures, name, of));
        }
    }
    if look.programme.is_none() {
        let name = html! { strong { (visit.t("合计")) } };
        let of = Of {
            place: None,
            programme: None,
        };
        lines.push(line(visit, look, figures, name, of));
    }
    let columns = columns(visit, visit.t("事项"));
    table::table(
        visit.lang,
        visit.t("按事项"),
        &columns,
        lines,
        "/statistics",
        &visit.query,
    )
}

/// By the places below, with the total (按地区).
pub(super) fn by_place(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let programme = look.programme.as_deref();
    let mut lines = Vec::new();
    for place in figures.places() {
        let of = Of {
            place: Some(*place),
            programme,
        };
        let href = visit
            .query
            .with("region", &place.to_string())
            .href("/statistics");
        let name = html! { a href=(href) { (visit.place(*place)) } };
        lines.push(line(visit, look, figures, name, of));
    }
    let name = html! { strong { (visit.t("合计")) } };
    let of = Of {
        place: None,
        programme,
    };
    lines.push(line(visit, look, figures, name, of));
    let columns = columns(visit, visit.t("地区"));
    let table = table::table(
        visit.lang,
        visit.t("按地区"),
        &columns,
        lines,
        "/statistics",
        &visit.query,
    );
    html! { (drawn(visit, look, figures)) (table) }
}

/// The measure looked at, by the places below, where they lie.
fn drawn(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let part = main_part(look.measure);
    let square = |place: &Region| {
        let of = Of {
            place: Some(*place),
            programme: look.programme.as_deref(),
        };
        let shown = figures.shown(look.measure, look.month, of);
        let place = *place;
        Square {
            place,
            weight: match shown {
                Shown::Known(numbers) => Some(worth(numbers, part)),
                Shown::Hidden => None,
            },
            said: said(shown, part),
            href: Some(
                visit
                    .query
                    .with("region", &place.to_string())
                    .href("/statistics"),
            ),
        }
    };
    let squares: Vec<Square> = figures.places().iter().map(square).collect();
    sketch(visit, heading(visit, look.measure, part), &squares)
}

/// The number that stands for a measure.
fn main_part(measure: Measure) -> Part {
    match measure {
        Measure::Paid => Part::Money,
        Measure::Applied | Measure::Decided | Measure::InPayment => Part::Count,
    }
}

/// A number as it is compared (比较值).
pub(in crate::pages) fn worth(numbers: Numbers, part: Part) -> i64 {
    match part {
        Part::Count => numbers.count,
        Part::Persons => numbers.persons,
        Part::Money => numbers.fen,
    }
}

/// By group, each measure by its own (按分组). Who is not shown small numbers sees groups of one programme, and only in
/// the widest place: elsewhere they could be had by subtraction.
pub(super) async fn by_group(
    visit: &Visit,
    look: &Look,
    figures: &Figures,
) -> Result<Markup, Problem> {
    if figures.masked() && (look.programme.is_none() || look.at != look.root) {
        return Ok(html! {});
    }
    let asked = Asked {
        months: vec![look.month],
        region: look.at,
        programme: look.programme.clone(),
        divided: true,
    };
    let mut groups: BTreeMap<(Measure, String), Numbers> = BTreeMap::new();
    for row in rows(&visit.app.db, &look.scope, &asked).await? {
        let group = groups.entry((row.measure, row.value)).or_default();
        *group = group.plus(row.numbers);
    }
    Ok(html! {
        @for measure in Measure::ALL {
            @let of: Vec<(&str, Numbers)> = groups.iter().filter(|((one, _), _)| *one == measure)
                .map(|((_, value), numbers)| (value.as_str(), *numbers)).collect();
            @if !of.is_empty() { (group_table(visit, look, figures, measure, &of)) }
        }
    })
}

fn group_table(
    visit: &Visit,
    look: &Look,
    figures: &Figures,
    measure: Measure,
    groups: &[(&str, Numbers)],
) -> Markup {
    let counts: Vec<Vec<u64>> = groups
        .iter()
        .map(|(_, one)| vec![u64::try_from(one.count).unwrap_or(0)])
        .collect();
    let whole = Of {
        place: None,
        programme: look.programme.as_deref(),
    };
    let given = small_cells::Mask {
        columns: vec![figures.shown(measure, look.month, whole) == Shown::Hidden],
        ..small_cells::Mask::nothing(groups.len(), 1)
    };
    let mask = small_cells::hidden(&counts, small_cells::Totals::COLUMNS, Some(&given));
    let parts: Vec<Part> = COLUMNS
        .iter()
        .filter(|(one, _)| *one == measure)
        .map(|(_, part)| *part)
        .collect();
    let mut columns = vec![table::text(visit.t("分组"))];
    columns.extend(
        parts
            .iter()
            .map(|part| table::number(heading(visit, measure, *part))),
    );
    let lines = groups
        .iter()
        .enumerate()
        .map(|(at, (value, numbers))| {
            let hidden = figures.masked() && mask.cells[at][0];
            let link = list(
                visit,
                measure,
                look.month,
                look.at,
                look.programme.as_deref(),
            )
            .filter(|_| !hidden)
            .map(|(path, query)| group_query(query, measure, value).href(path));
            let mut cells = vec![group_name(visit, measure, value)];
            for part in &parts {
                let text = if hidden {
                    HIDDEN.to_owned()
                } else {
                    number(*numbers, *part)
                };
                cells.push(html! {
                    @match &link { Some(href) => a href=(href) { (text) }, None => (text) }
                });
            }
            table::still(cells)
        })
        .collect();
    let caption = match measure.grouping() {
        Grouping::Members => visit.t("申请，按人数"),
        Grouping::Outcome => visit.t("决定，按结论"),
        Grouping::Difference | Grouping::Whole => visit.t("发放，与上月比"),
    };
    let table = table::table(
        visit.lang,
        caption,
        &columns,
        lines,
        "/statistics",
        &visit.query,
    );
    piece::section(caption, &table)
}

/// The filters of a group, beside those of its month, place and programme.
fn group_query(query: Fields, measure: Measure, value: &str) -> Fields {
    match measure.grouping() {
        Grouping::Members => match value.strip_suffix('+') {
            Some(least) => query.with("members_from", least),
            None => query.with("members_from", value).with("members_to", value),
        },
        grouping => query.with(grouping.word(), value),
    }
}

fn group_name(visit: &Visit, measure: Measure, value: &str) -> Markup {
    let lang = visit.lang;
    match measure.grouping() {
        Grouping::Members => match value.strip_suffix('+') {
            Some(least) => html! { (lang.f("{count} 人及以上", &[("count", &least)])) },
            None => html! { (lang.f("{count} 人", &[("count", &value)])) },
        },
        Grouping::Outcome => {
            html! { @if let Some(outcome) = Outcome::from_word(value) { (mark::outcome(lang, outcome)) } @else { (value) } }
        }
        Grouping::Difference | Grouping::Whole => {
            let known = Difference::from_word(value);
            html! { (known.map_or(value, |one| super::super::pay_run::difference(lang, one))) }
        }
    }
}

/// Twelve months of one measure: the numbers, and a bar for each (走势). The table is the chart's own data.
pub(super) fn trend(visit: &Visit, look: &Look, figures: &Figures) -> Markup {
    let of = Of {
        place: None,
        programme: look.programme.as_deref(),
    };
    let part = main_part(look.measure);
    let months: Vec<(Month, Shown)> = year(look.month)
        .map(|month| (month, figures.shown(look.measure, month, of)))
        .collect();
    let high = |shown: Shown| match shown {
        Shown::Hidden => 0,
        Shown::Known(numbers) => worth(numbers, part),
    };
    let highs = months.iter().map(|(_, shown)| high(*shown));
    let most = highs.max().unwrap_or(0);
    let lines = months
        .iter()
        .map(|(month, shown)| {
            let href = visit
                .query
                .with("month", &month.to_string())
                .href("/statistics");
            table::still(vec![
                html! { a href=(href) aria-current=[(*month == look.month).then_some("true")] { (month) } },
                html! { (said(*shown, part)) },
                bars::bar(None, high(*shown), most),
            ])
        })
        .collect();
    let columns = [
        table::text(visit.t("月份")),
        table::number(heading(visit, look.measure, part)),
        table::text(measure_name(visit, look.measure)),
    ];
    table::table(
        visit.lang,
        visit.t("近十二个月"),
        &columns,
        lines,
        "/statistics",
        &visit.query,
    )
}
