//! Alerts (预警): who is paid and what departments, the register or other payments say against it; the gravest and most urgent
//! first, counted on top, sorted, cut and exported.
//!
//! What is done about one stands on its own page ([`super::alert`]).

use crate::lists::bulk::Bulk;
use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::field;
use crate::parts::{format, listing};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use maud::{Markup, html};
use sheets::{Field, Kind as Cell};
use std::sync::Arc;
use store::Page;
use uuid::Uuid;
use verify::alert::{self, Alert, AlertFilter, AlertSort, Rules, Severity, State};

/// So many days before its end an alert is near.
const NEAR: i64 = 3;

/// The rules of the place, for their names (预警规则).
///
/// # Errors
/// When the pack has mistakes.
pub(crate) fn rules(visit: &Visit) -> anyhow::Result<Arc<Rules>> {
    let book = &visit.app.desk.book;
    match &visit.app.landed {
        Some(landed) => landed.rules(book),
        None => {
            let sources = verify::at_hand::sources_of(book)?;
            alert::run::rules_of(book, &sources).map(Arc::new)
        }
    }
}

/// The rule's name; of a rule that is gone, its id.
pub(crate) fn title(visit: &Visit, rules: &Rules, id: &str) -> String {
    rules.get(id).map_or_else(
        || id.to_owned(),
        |rule| visit.lang.pick(&rule.wording.0, &rule.wording.1).to_owned(),
    )
}

/// The state in words.
pub(crate) fn state(visit: &Visit, state: State) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// The severity in words.
pub(crate) fn severity(visit: &Visit, severity: Severity) -> &'static str {
    let (zh, en) = severity.wording();
    visit.lang.pick(zh, en)
}

/// The names of the programmes in payment.
pub(crate) fn programmes(visit: &Visit, one: &Alert) -> String {
    let named: Vec<String> = one
        .sides
        .programmes
        .iter()
        .map(|id| {
            let (zh, en) = visit.app.desk.title(id);
            visit.lang.pick(&zh, &en).to_owned()
        })
        .collect();
    named.join(visit.t("、"))
}

/// How long there is still to answer, in words.
pub(crate) fn left(visit: &Visit, one: &Alert) -> String {
    let days = (one.due_on - visit.today()).num_days();
    if days < 0 {
        visit.lang.f("逾期 {n} 天", &[("n", &-days)])
    } else {
        visit.lang.f("还有 {n} 天", &[("n", &days)])
    }
}

fn filter(visit: &Visit) -> AlertFilter {
    let query = &visit.query;
    AlertFilter {
        region: listing::chosen_place(visit),
        rule: query.some("rule").map(str::to_owned),
        severity: query.some("severity").and_then(Severity::from_word),
        states: listing::states(visit, &[State::Open, State::HandedOver], State::from_word),
    }
}

fn sort(visit: &Visit) -> (AlertSort, bool) {
    (
        AlertSort::from_word(visit.query.get("sort")),
        listing::falls(visit),
    )
}

/// Alerts as somebody asked for them (预警); every look is journalled.
pub(crate) struct Alerts {
    scope: Scope,
    filter: AlertFilter,
    sort: (AlertSort, bool),
    rules: Arc<Rules>,
}

impl List for Alerts {
    type Row = Alert;
    type Beside = ();
    const ABOUT: About = About {
        word: "alerts",
        title: key("预警"),
        path: "/alerts",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_alerts", "alerts"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("subject", key("对象"), Cell::Text, 12, |at| {
                Field::text(&at.row.subject)
            }),
            column::<Self>("rule", key("预警"), Cell::Text, 24, |at| {
                Field::text(title(at.visit, &at.list.rules, &at.row.rule))
            }),
            column::<Self>("severity", key("严重程度"), Cell::Text, 10, |at| {
                Field::text(severity(at.visit, at.row.severity))
            })
            .cell(|at| {
                let word = severity(at.visit, at.row.severity);
                html! { @if at.row.severity == Severity::High { strong { (word) } } @else { (word) } }
            }),
            column::<Self>("programmes", key("在发事项"), Cell::Text, 24, |at| {
                Field::text(programmes(at.visit, at.row))
            }),
            column::<Self>("paid", key("在发每月"), Cell::Money, 14, |at| {
                Field::Money(at.row.sides.paid)
            })
            .cell(|at| html! { (format::money(at.lang(), at.row.sides.paid)) }),
            column::<Self>("region", key("区划代码"), Cell::Text, 16, |at| {
                Field::text(at.row.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("社区"), Cell::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            })
            .sorted(),
            column::<Self>("found", key("发现日期"), Cell::Date, 12, |at| {
                Field::Date(at.row.found_on)
            })
            .sorted(),
            column::<Self>("due", key("答复期限"), Cell::Date, 12, |at| {
                Field::Date(at.row.due_on)
            })
            .sorted()
            .cell(|at| {
                let near = (at.row.due_on - at.visit.today()).num_days() <= NEAR;
                let left = left(at.visit, at.row);
                html! {
                    (format::date(at.row.due_on))
                    @if at.row.state.is_open() { div.quiet { @if near { strong { (left) } } @else { (left) } } }
                }
            }),
            column::<Self>("state", key("状态"), Cell::Text, 10, |at| {
                Field::text(state(at.visit, at.row.state))
            }),
            column::<Self>("note", key("核实情况"), Cell::Text, 40, |at| {
                Field::text(&at.row.note)
            })
            .aside(),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: filter(visit),
            sort: sort(visit),
            rules: rules(visit)?,
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<Alert>> {
        let db = &visit.app.db;
        alert::list(db, &self.scope, &self.filter, self.sort, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&Alert>,
        limit: u64,
    ) -> anyhow::Result<Vec<Alert>> {
        let last = last.map(|row| row.id);
        alert::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &Alert) -> Option<String> {
        Some(format!("/alerts/{}", row.id))
    }

    fn acts() -> Vec<Bulk> {
        vec![Bulk {
            word: "dismiss",
            label: key("记为核实无误"),
            permission: Permission::ActOnCases,
            fields: |visit| {
                let label = visit.t("核实的情况和依据");
                field(visit.lang, "why", label).area(2)
            },
            names: &["why"],
            run: |visit, tx, scope, id| {
                Box::pin(async move {
                    let step = alert::dismiss(tx, scope, id, visit.form.get("why")).await?;
                    Ok(step.map_err(|why| words::sentence(visit.lang, &why.to_string())))
                })
            },
        }]
    }

    fn id(row: &Alert) -> Option<Uuid> {
        row.state.is_open().then_some(row.id)
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let counts = alert::counts(&visit.app.db, &list.scope, &list.filter).await?;
        listing::Worklist {
            standings: listing::standings(State::ALL, &counts, |one| {
                let tone = match one {
                    State::Open => "red",
                    State::HandedOver => "yellow",
                    State::Dismissed | State::Settled => "",
                };
                (one.word(), state(visit, one), tone)
            }),
            filters: filters(visit, &list.rules),
            to_do: visit.t("待核实和已转办"),
            nothing: (
                visit.t("没有这样的预警。部门数据每次落地后、每天夜里都会与全部在发对象核对。"),
                visit.t("看全部待办预警"),
            ),
            acts: html! {},
        }
        .show(visit, &found)
    }
}

fn filters(visit: &Visit, rules: &Rules) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let kinds: Vec<(String, String)> = rules
        .0
        .iter()
        .map(|rule| (rule.id.clone(), title(visit, rules, &rule.id)))
        .collect();
    let grave: Vec<(String, String)> = Severity::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), severity(visit, one).to_owned()))
        .collect();
    html! {
        (field(lang, "rule", visit.t("预警")).value(query.get("rule")).filter(visit.t("全部种类"), &kinds))
        (field(lang, "severity", visit.t("严重程度")).value(query.get("severity")).filter(visit.t("全部程度"), &grave))
    }
}
