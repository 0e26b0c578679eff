//! 满意率: ratings by office and by programme; every number opens the list that proves it.
//!
//! Guarantees: a rate is a whole number of tenths of a percent, of the numbers beside it; offices and programmes, never one officer.
//! Deliberately absent: a rate of nothing.

use super::ratings::{filter, filters, grade};
use crate::parts::form::lesser;
use crate::parts::{format, listing, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::{Permission, Purpose};
use casework::rating::{self, Cell, Grade, RatingFilter};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// How many of each grade.
type Row = BTreeMap<Grade, u64>;

/// `GET /ratings/figures` (满意率).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope_for(Permission::SeeCases, Purpose::Review)?;
    let asked: RatingFilter = filter(visit);
    let cells = rating::figures(&visit.app.db, &scope, &asked).await?;
    let by = |key: &dyn Fn(&Cell) -> String| {
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for cell in &cells {
            *rows
                .entry(key(cell))
                .or_default()
                .entry(cell.grade)
                .or_default() += cell.count;
        }
        rows
    };
    let places = by(&|cell| cell.region.to_string());
    let programmes = by(&|cell| cell.programme.clone());
    let all = by(&|_| String::new());
    let place = |code: &str| {
        code.parse()
            .map_or_else(|_| code.to_owned(), |region| visit.place(region))
    };
    let programme = |id: &str| {
        let (zh, en) = visit.app.desk.title(id);
        lang.pick(&zh, &en).to_owned()
    };
    let body = html! {
        form.filters method="get" action="/ratings/figures" {
            (filters(visit)) (listing::place(visit, scope.region)) (lesser(visit.t("筛选")))
            a.button.plain href="/ratings/figures" { (visit.t("清除")) }
        }
        @if cells.is_empty() { (piece::empty(visit.t("没有这样的评价。"), &html! {})) }
        @else {
            (piece::section(visit.t("合计"), &counted(visit, ("", visit.t("全部")), &all, &|_| visit.t("合计").to_owned())))
            (piece::section(visit.t("按社区"), &counted(visit, ("region", visit.t("社区")), &places, &place)))
            (piece::section(visit.t("按事项"), &counted(visit, ("programme", visit.t("事项")), &programmes, &programme)))
        }
        p.quiet { (visit.t("满意率：非常满意、满意、基本满意占全部评价的比例。")) }
    };
    Ok(visit
        .page(visit.t("满意率"))
        .nav("/ratings")
        .back("/ratings", visit.t("好差评"))
        .wide()
        .show(&body))
}

fn counted(
    visit: &Visit,
    (by, heading): (&str, &str),
    rows: &BTreeMap<String, Row>,
    name: &dyn Fn(&str) -> String,
) -> Markup {
    let lang = visit.lang;
    let mut columns = vec![table::text(heading)];
    columns.extend(Grade::ALL.map(|one| table::number(grade(lang, one))));
    columns.push(table::number(visit.t("合计")));
    columns.push(table::number(visit.t("满意率")));
    let lines = rows
        .iter()
        .map(|(key, row)| {
            let link = |one: Option<Grade>, count: u64| {
                let mut query = visit.query.with("page", "").with("state", "all");
                if !by.is_empty() {
                    query = query.with(by, key);
                }
                if let Some(one) = one {
                    query = query.with("grade", &one.number().to_string());
                }
                html! { a href=(query.href("/ratings")) { (format::number(count)) } }
            };
            let mut cells = vec![html! { (name(key)) }];
            for one in Grade::ALL {
                let count = row.get(&one).copied().unwrap_or(0);
                cells.push(if count == 0 {
                    html! { "0" }
                } else {
                    link(Some(one), count)
                });
            }
            let total: u64 = row.values().sum();
            cells.push(link(None, total));
            cells.push(html! { (rate(row)) });
            table::still(cells)
        })
        .collect();
    table::table(lang, heading, &columns, lines, "", &visit.query)
}

/// The share that is not bad, in tenths of a percent rounded down: `98.3%`.
fn rate(row: &Row) -> String {
    let total: u64 = row.values().sum();
    let good: u64 = row
        .iter()
        .filter(|(one, _)| !one.is_poor())
        .map(|(_, count)| *count)
        .sum();
    if total == 0 {
        return "—".to_owned();
    }
    let tenths = good * 1_000 / total;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::{Row, rate};
    use casework::rating::Grade;

    /// 59 of 60 are not bad: 98.33 %, which is 98.3 %; one of one is 100.0 %.
    #[test]
    fn a_rate_is_of_the_numbers_beside_it() {
        let row = Row::from([(Grade::VeryGood, 50), (Grade::Fair, 9), (Grade::Poor, 1)]);
        assert_eq!(rate(&row), "98.3%");
        assert_eq!(rate(&Row::from([(Grade::Good, 1)])), "100.0%");
        assert_eq!(rate(&Row::from([(Grade::VeryPoor, 2)])), "0.0%");
        assert_eq!(rate(&Row::new()), "—");
    }
}
