//! Periodic reviews (定期核查): which cases are to be looked at again, until when, and what the last looks found.
//!
//! A review is done on the case's own page; this is the list of them, by programme, place and month.

use crate::lists::{About, Column, Found, List, column, maybe};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, mark, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::clock::Light;
use casework::review::{self, ReviewCounts, ReviewFilter, ReviewRow, UNKNOWN_CLASS, counts};
use maud::{Markup, html};
use sheets::{Field, Kind};
use store::Page;
use vocab::Month;

fn filter(visit: &Visit) -> ReviewFilter {
    let query = &visit.query;
    ReviewFilter {
        programme: query.some("programme").map(str::to_owned),
        region: listing::chosen_place(visit),
        month: query.some("month").and_then(|month| month.parse().ok()),
        light: match query.get("show") {
            "overdue" => Some(Light::Red),
            "soon" => Some(Light::Yellow),
            _ => None,
        },
        done: query.get("show") == "done",
    }
}

/// Reviews as somebody asked for them (定期核查).
pub(crate) struct Reviews {
    scope: Scope,
    filter: ReviewFilter,
}

impl List for Reviews {
    type Row = ReviewRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "reviews",
        title: key("定期核查"),
        path: "/reviews",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_reviews", "cases"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("number", key("办件号"), Kind::Text, 18, |at| {
                Field::text(&at.row.row.case.number)
            }),
            column::<Self>("done", key("核查日期"), Kind::Date, 12, |at| {
                maybe(at.row.done_on, Field::Date)
            })
            .aside(),
            column::<Self>("light", key("时限"), Kind::Text, 12, |at| {
                let open = at.row.done_on.is_none();
                maybe(open.then_some(at.row.days_left), |left| {
                    Field::text(mark::left_words(at.lang(), left))
                })
            })
            .cell(|at| {
                html! {
                    @if let Some(done) = at.row.done_on { (format::date(done)) }
                    @else { (mark::light(at.lang(), at.row.light, Some(at.row.days_left))) }
                    @if at.row.provisional && at.row.done_on.is_none() { " " (super::todo::provisional(at.visit)) }
                }
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 16, |at| {
                let row = &at.row.row;
                Field::text(at.lang().pick(&row.programme_zh, &row.programme_en))
            }),
            column::<Self>("class", key("核查分类"), Kind::Text, 16, |at| {
                Field::text(class(at.visit, at.row))
            }),
            column::<Self>("due", key("到期日"), Kind::Date, 12, |at| {
                Field::Date(at.row.due_on)
            }),
            column::<Self>("applicant", key("申请人"), Kind::Text, 12, |at| {
                Field::text(&at.row.row.case.subject_masked)
            })
            .cell(|at| {
                let case = &at.row.row.case;
                html! { (case.subject_masked) " " (at.lang().f("{count} 人", &[("count", &case.member_count)])) }
            }),
            column::<Self>("region", key("区划代码"), Kind::Text, 16, |at| {
                Field::text(at.row.row.case.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.row.case.region))
            }),
            column::<Self>("found", key("核查结果"), Kind::Text, 14, |at| {
                Field::text(result(at.visit, at.row))
            })
            .cell(|at| {
                html! {
                    (result(at.visit, at.row))
                    @if !at.row.said.is_empty() { div.quiet { (at.row.said) } }
                    @if !at.row.done_by.is_empty() { div.quiet { (at.row.done_by) } }
                }
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: filter(visit),
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(
        &self,
        visit: &Visit,
        offset: u64,
        limit: u64,
    ) -> anyhow::Result<Page<ReviewRow>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        review::list(db, &self.scope, desk, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&ReviewRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<ReviewRow>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        let last = last.map(|row| row.id);
        review::after(db, &self.scope, desk, &self.filter, last, limit).await
    }

    fn href(&self, row: &ReviewRow) -> Option<String> {
        Some(format!("/cases/{}", row.row.case.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let figures = counts(&visit.app.db, &list.scope, &list.filter).await?;
        let nothing = piece::empty(visit.t("没有这样的核查。"), &html! {});
        let body = html! {
            (piece::figures(&figures_of(visit, &figures)))
            (filters(visit, &list.scope, &list.filter))
            (found.table(visit, &nothing))
        };
        Ok(visit
            .page(visit.t("定期核查"))
            .nav("/reviews")
            .wide()
            .acts(found.export(visit))
            .show(&body))
    }
}

fn figures_of(visit: &Visit, counts: &ReviewCounts) -> Vec<piece::Figure> {
    let shown = visit.query.get("show");
    [
        ("", visit.t("全部安排"), counts.ahead, ""),
        ("overdue", visit.t("已超期"), counts.overdue, "red"),
        ("soon", visit.t("即将到期"), counts.soon, "yellow"),
        ("done", visit.t("已核查"), counts.done, ""),
    ]
    .into_iter()
    .map(|(show, label, count, tone)| piece::Figure {
        label: label.to_owned(),
        count,
        href: visit
            .query
            .with("page", "")
            .with("show", show)
            .href("/reviews"),
        tone,
        chosen: show == shown,
    })
    .collect()
}

fn filters(visit: &Visit, scope: &Scope, filter: &ReviewFilter) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let reviewed = desk.open_programmes().filter(|programme| {
        desk.procedure(&programme.id)
            .is_some_and(|procedure| procedure.review.is_some())
    });
    let programmes = words::titled(lang, reviewed);
    let month = filter.month.map(|month: Month| month.to_string());
    html! {
        form.filters method="get" action="/reviews" {
            input type="hidden" name="show" value=(visit.query.get("show"));
            (field(lang, "programme", visit.t("事项")).value(visit.query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (listing::place(visit, scope.region))
            (field(lang, "month", visit.t("到期月份")).value(month.as_deref().unwrap_or_default()).optional().month())
            (lesser(visit.t("筛选")))
            a.button.plain href="/reviews" { (visit.t("清除")) }
        }
    }
}

/// The class in words: the fact's own wording where the class is a fact.
fn class(visit: &Visit, one: &ReviewRow) -> String {
    if one.class.is_empty() {
        return "—".to_owned();
    }
    if one.class == UNKNOWN_CLASS {
        return visit.t("分类待核实，按最短周期").to_owned();
    }
    let desk = &visit.app.desk;
    let named = desk
        .procedure(&one.row.case.programme)
        .and_then(|procedure| procedure.review.as_ref())
        .and_then(|rule| desk.book.fact(rule.by.as_deref()?))
        .and_then(|fact| fact.codes.iter().find(|code| code.code == one.class));
    named.map_or_else(
        || one.class.clone(),
        |code| visit.lang.pick(&code.zh, &code.en).to_owned(),
    )
}

fn result(visit: &Visit, one: &ReviewRow) -> String {
    let lang = visit.lang;
    match (one.found, one.done_on) {
        (Some(found), _) => {
            let (zh, en) = found.wording();
            lang.pick(zh, en).to_owned()
        }
        (None, None) if one.opened => visit.t("已转待办").to_owned(),
        _ => visit.t("未到时间").to_owned(),
    }
}
