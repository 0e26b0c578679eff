//! Rights in payment (在发待遇): what runs in a month, by programme and place; the list that proves a stock of the statistics.

use super::pay_runs::programme;
use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use ledger::{Entitlement, RightFilter, Standing};
use maud::html;
use sheets::{Field, Kind};
use std::collections::{BTreeMap, BTreeSet};
use store::Page;
use vocab::ids::PersonId;
use vocab::{Money, Month};

/// Rights in payment as somebody asked for them (在发待遇).
pub(crate) struct Rights {
    scope: Scope,
    filter: RightFilter,
}

impl Rights {
    /// What a right comes to in the month asked for.
    pub(crate) fn amount(&self, right: &Entitlement) -> Money {
        match right.standing(self.filter.month) {
            Standing::Running(amount) => amount,
            Standing::NotYet | Standing::Suspended | Standing::Ended => Money::ZERO,
        }
    }
}

impl List for Rights {
    type Row = Entitlement;
    /// The masked names of who is paid; whoever lives outside the scope by now is not named.
    type Beside = BTreeMap<PersonId, String>;
    const ABOUT: About = About {
        word: "rights",
        title: key("在发待遇"),
        path: "/rights",
        rows: 30,
        sees: Permission::SeePayRuns,
        exports: Permission::SeePayRuns,
        act: ("web.export_rights", "rights"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("payee", key("领取人"), Kind::Text, 12, |at| {
                let known = at.beside.get(&at.row.payee);
                Field::text(known.map_or(at.visit.t("已迁出本辖区"), |name| name))
            })
            .cell(|at| {
                html! {
                    @match at.beside.get(&at.row.payee) {
                        Some(name) if at.visit.can(Permission::SeePeople) => a href=(format!("/people/{}", at.row.payee)) { (name) },
                        Some(name) => (name),
                        None => (at.visit.t("已迁出本辖区")),
                    }
                }
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 18, |at| {
                Field::text(programme(at.visit, &at.row.programme))
            }),
            column::<Self>("region", key("区划代码"), Kind::Text, 16, |at| {
                Field::text(at.row.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("地区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            }),
            column::<Self>("covered", key("保障人数"), Kind::Integer, 10, |at| {
                Field::Integer(i64::try_from(at.row.covered.len()).unwrap_or(i64::MAX))
            }),
            column::<Self>("since", key("从月份"), Kind::Text, 10, |at| {
                Field::text(at.row.from.to_string())
            }),
            column::<Self>("amount", key("每月金额"), Kind::Money, 14, |at| {
                Field::Money(at.list.amount(at.row))
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Payment
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        let query = &visit.query;
        let this = Month::of(visit.today());
        Ok(Self {
            scope,
            filter: RightFilter {
                month: query.get("month").parse().unwrap_or(this),
                programme: query.some("programme").map(str::to_owned),
                region: listing::chosen_place(visit),
            },
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
    ) -> anyhow::Result<Page<Entitlement>> {
        ledger::rights_in_payment(&visit.app.db, &self.scope, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&Entitlement>,
        limit: u64,
    ) -> anyhow::Result<Vec<Entitlement>> {
        let last = last.map(|row| row.id);
        ledger::rights_in_payment_after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    async fn beside(&self, visit: &Visit, rows: &[Entitlement]) -> Result<Self::Beside, Problem> {
        let payees: BTreeSet<PersonId> = rows.iter().map(|row| row.payee).collect();
        let payees: Vec<PersonId> = payees.into_iter().collect();
        let people = registry::people::rows(&visit.app.db, &self.scope, &payees).await?;
        Ok(people.into_iter().map(|row| (row.id, row.name)).collect())
    }

    fn href(&self, _row: &Entitlement) -> Option<String> {
        None
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let (lang, query) = (visit.lang, &visit.query);
        let list = &found.list;
        let totals = ledger::right_totals(&visit.app.db, &list.scope, &list.filter).await?;
        let paying = visit.app.desk.book.programmes().iter();
        let programmes = words::titled(lang, paying.filter(|one| one.benefit.amount.is_some()));
        let nothing = piece::empty(
            visit.t("这个月在这里没有在发的待遇。"),
            &html! { a.button href="/statistics" { (visit.t("看统计")) } },
        );
        let body = html! {
            form.filters method="get" action="/rights" {
                (field(lang, "month", visit.t("月份")).value(&list.filter.month.to_string()).month())
                (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
                (listing::place(visit, list.scope.region))
                (lesser(visit.t("筛选")))
                a.button.plain href="/rights" { (visit.t("清除")) }
            }
            @if !found.page.rows.is_empty() {
                p { (lang.f("{month} 在发 {rights} 项，保障 {persons} 人次，每月 {money}", &[
                    ("month", &list.filter.month),
                    ("rights", &format::number(totals.rights)),
                    ("persons", &format::number(totals.persons)),
                    ("money", &format::money(lang, totals.amount)),
                ])) }
            }
            (found.table(visit, &nothing))
            @if !found.page.rows.is_empty() { p.quiet { (visit.t("金额单位：元")) } }
        };
        Ok(visit
            .page(visit.t("在发待遇"))
            .nav("/statistics")
            .back("/statistics", visit.t("统计"))
            .wide()
            .acts(found.export(visit))
            .show(&body))
    }
}
