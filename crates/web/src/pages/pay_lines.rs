//! Pay lines across runs (发放明细列表): by month, programme, place and difference, with their totals.
//!
//! The list that proves a number of the statistics: `?released=1` leaves out what was not paid and what was sent again.

use super::pay_run::{difference, line_state, people, reason};
use super::pay_runs::programme;
use crate::lists::{About, At, Column, Found, List, column, maybe};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use ledger::{Difference, LineFilter, PayLine};
use maud::html;
use sheets::{Field, Kind};
use std::collections::BTreeMap;
use store::Page;
use vocab::Money;
use vocab::ids::PersonId;

/// What can be asked for; a line sent again differs from nothing.
pub(crate) const DIFFERENCES: [Difference; 5] = [
    Difference::New,
    Difference::Changed,
    Difference::Same,
    Difference::Extra,
    Difference::Stopped,
];

fn filter(visit: &Visit) -> LineFilter {
    let query = &visit.query;
    LineFilter {
        run: query.get("run").parse().ok(),
        month: query.get("month").parse().ok(),
        month_from: query.get("month_from").parse().ok(),
        month_to: query.get("month_to").parse().ok(),
        programme: query.some("programme").map(str::to_owned),
        region: listing::chosen_place(visit),
        difference: DIFFERENCES
            .into_iter()
            .find(|one| one.word() == query.get("difference")),
        released: query.has("released"),
        ..LineFilter::default()
    }
}

/// Pay lines as somebody asked for them (发放明细).
pub(crate) struct Lines {
    scope: Scope,
    filter: LineFilter,
}

impl Lines {
    /// Those of a filter (按条件).
    pub(crate) const fn of(scope: Scope, filter: LineFilter) -> Self {
        Self { scope, filter }
    }
}

/// A column of an amount, nothing where it is nothing.
fn amount(
    word: &'static str,
    label: &'static str,
    field: fn(&At<'_, Lines>) -> Field,
) -> Column<Lines> {
    column(word, label, Kind::Money, 14, field)
}

fn unless_zero(amount: Money) -> Field {
    maybe((amount != Money::ZERO).then_some(amount), Field::Money)
}

impl List for Lines {
    type Row = PayLine;
    /// The masked names of who is paid.
    type Beside = BTreeMap<PersonId, String>;
    const ABOUT: About = About {
        word: "pay_lines",
        title: key("发放明细"),
        path: "/pay-lines",
        rows: 30,
        sees: Permission::SeePayRuns,
        exports: Permission::SeePayRuns,
        act: ("web.export_pay_lines", "pay_lines"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("payee", key("领取人"), Kind::Text, 12, |at| {
                let known = at.beside.get(&at.row.payee);
                Field::text(known.map_or(at.visit.t("已迁出本辖区"), |name| name))
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 18, |at| {
                Field::text(programme(at.visit, &at.row.programme))
            }),
            column::<Self>("month", key("月份"), Kind::Text, 10, |at| {
                Field::text(at.row.month.to_string())
            })
            .aside(),
            column::<Self>("region", key("区划代码"), Kind::Text, 16, |at| {
                Field::text(at.row.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("地区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            }),
            column::<Self>("difference", key("与上月比"), Kind::Text, 10, |at| {
                Field::text(difference(at.lang(), at.row.difference))
            }),
            amount("previous", key("上月"), |at| {
                maybe(at.row.previous, Field::Money)
            }),
            amount("regular", key("当月"), |at| unless_zero(at.row.regular)),
            amount("arrears", key("补发"), |at| unless_zero(at.row.arrears)),
            amount("recovery", key("追回"), |at| unless_zero(at.row.recovery)),
            amount("net", key("实发"), |at| Field::Money(at.row.net))
                .cell(|at| html! { strong { (at.row.net) } }),
            column::<Self>("state", key("状态与原因"), Kind::Text, 24, |at| {
                let mut said = line_state(at.lang(), at.row.state).to_owned();
                let blocked = at.row.blocked.as_ref().map(|why| reason(at.visit, why));
                for more in [blocked, at.row.bank_reason.clone()].into_iter().flatten() {
                    said.push(' ');
                    said.push_str(&more);
                }
                Field::text(said)
            })
            .cell(|at| {
                html! {
                    (line_state(at.lang(), at.row.state))
                    @if let Some(blocked) = &at.row.blocked { div.quiet { (reason(at.visit, blocked)) } }
                    @if let Some(words) = &at.row.bank_reason { div.quiet { (words) } }
                }
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Payment
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

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<PayLine>> {
        ledger::lines(&visit.app.db, &self.scope, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&PayLine>,
        limit: u64,
    ) -> anyhow::Result<Vec<PayLine>> {
        let last = last.map(|line| (line.run, i64::from(line.seq)));
        ledger::lines_after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    async fn beside(&self, visit: &Visit, rows: &[PayLine]) -> Result<Self::Beside, Problem> {
        Ok(people(visit, &self.scope, rows).await?)
    }

    fn href(&self, row: &PayLine) -> Option<String> {
        Some(format!("/pay-lines/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let (lang, query) = (visit.lang, &visit.query);
        let list = &found.list;
        let totals = ledger::line_totals(visit.app.db.conn(), &list.scope, &list.filter).await?;
        let paying = visit.app.desk.book.programmes().iter();
        let programmes = words::titled(lang, paying.filter(|one| one.benefit.amount.is_some()));
        let differences: Vec<(String, String)> = DIFFERENCES
            .into_iter()
            .map(|one| (one.word(), difference(lang, one).to_owned()))
            .collect();
        let nothing = piece::empty(
            visit.t("没有符合条件的发放明细。"),
            &html! { a.button href="/pay-runs" { (visit.t("看发放批次")) } },
        );
        let body = html! {
            form.filters method="get" action="/pay-lines" {
                (field(lang, "month", visit.t("月份")).value(query.get("month")).month())
                @if query.has("month_from") || query.has("month_to") {
                    (field(lang, "month_from", visit.t("从月份")).value(query.get("month_from")).month())
                    (field(lang, "month_to", visit.t("到月份")).value(query.get("month_to")).month())
                }
                (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
                (listing::place(visit, list.scope.region))
                (field(lang, "difference", visit.t("与上月比")).value(query.get("difference")).filter(visit.t("全部"), &differences))
                div.choice {
                    input #released type="checkbox" name="released" value="1" checked[list.filter.released];
                    label for="released" { (visit.t("只看已放款的")) }
                }
                (lesser(visit.t("筛选")))
                a.button.plain href="/pay-lines" { (visit.t("清除")) }
            }
            @if !found.page.rows.is_empty() {
                p { (lang.f("合计 {lines} 笔，{persons} 人，实发 {money}", &[
                    ("lines", &format::number(totals.lines)),
                    ("persons", &format::number(totals.persons)),
                    ("money", &format::money(lang, totals.net)),
                ])) }
            }
            (found.table(visit, &nothing))
            @if !found.page.rows.is_empty() { p.quiet { (visit.t("金额单位：元")) } }
        };
        Ok(visit
            .page(visit.t("发放明细"))
            .nav("/pay-runs")
            .back("/pay-runs", visit.t("发放"))
            .wide()
            .acts(found.export(visit))
            .show(&body))
    }
}
