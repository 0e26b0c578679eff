//! Policy finds people (政策找人): who is due and not paid, who is paid and not due, whose amount differs, by name, for the
//! community to see to; counted on top, sorted, cut and exported.
//!
//! What is done about one stands on its own page ([`super::lead`]).

use crate::lists::bulk::Bulk;
use crate::lists::{About, Column, Found, List, column, maybe};
use crate::locale::key;
use crate::parts::form::field;
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::lead::{self, DismissReason, Kind, Lead, LeadFilter, LeadSort, LeadState};
use maud::{Markup, html};
use sheets::{Field, Kind as Cell};
use store::Page;
use uuid::Uuid;

/// The kind in words.
pub(crate) fn kind(visit: &Visit, kind: Kind) -> &'static str {
    let (zh, en) = kind.wording();
    visit.lang.pick(zh, en)
}

/// The state in words.
pub(crate) fn state(visit: &Visit, state: LeadState) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// The names of facts that would settle it.
pub(crate) fn missing(visit: &Visit, one: &Lead) -> String {
    let book = &visit.app.desk.book;
    let names: Vec<&str> = one
        .missing
        .iter()
        .map(|fact| {
            book.fact(fact).map_or(fact.as_str(), |def| {
                visit.lang.pick(&def.label_zh, &def.label_en)
            })
        })
        .collect();
    names.join(visit.t("、"))
}

/// An amount that may be unknown.
pub(crate) fn amount(visit: &Visit, one: Option<vocab::Money>) -> String {
    one.map_or_else(
        || visit.t("未知").to_owned(),
        |amount| format::money(visit.lang, amount),
    )
}

fn filter(visit: &Visit) -> LeadFilter {
    let query = &visit.query;
    LeadFilter {
        region: listing::chosen_place(visit),
        programme: query.some("programme").map(str::to_owned),
        kind: query.some("kind").and_then(Kind::from_word),
        states: listing::states(
            visit,
            &[LeadState::Found, LeadState::Visited],
            LeadState::from_word,
        ),
    }
}

fn sort(visit: &Visit) -> (LeadSort, bool) {
    (
        LeadSort::from_word(visit.query.get("sort")),
        listing::falls(visit),
    )
}

/// Leads as somebody asked for them (政策找人); every look is journalled.
pub(crate) struct Leads {
    scope: Scope,
    filter: LeadFilter,
    sort: (LeadSort, bool),
}

impl List for Leads {
    type Row = Lead;
    type Beside = ();
    const ABOUT: About = About {
        word: "leads",
        title: key("政策找人"),
        path: "/leads",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_leads", "leads"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("subject", key("对象"), Cell::Text, 12, |at| {
                Field::text(&at.row.subject)
            }),
            column::<Self>("kind", key("线索"), Cell::Text, 12, |at| {
                Field::text(kind(at.visit, at.row.kind))
            })
            .cell(|at| piece::tag(kind(at.visit, at.row.kind))),
            column::<Self>("programme", key("事项"), Cell::Text, 18, |at| {
                let (zh, en) = at.visit.app.desk.title(&at.row.programme);
                Field::text(at.lang().pick(&zh, &en))
            }),
            column::<Self>("due", key("应发每月"), Cell::Money, 14, |at| {
                maybe(at.row.due, Field::Money)
            })
            .sorted()
            .cell(|at| html! { (amount(at.visit, at.row.due)) }),
            column::<Self>("paid", key("在发每月"), Cell::Money, 14, |at| {
                Field::Money(at.row.paid)
            })
            .sorted()
            .cell(|at| html! { @if at.row.paid.fen() == 0 { "—" } @else { (format::money(at.lang(), at.row.paid)) } }),
            column::<Self>("missing", key("还缺什么"), Cell::Text, 30, |at| {
                Field::text(missing(at.visit, at.row))
            }),
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
            column::<Self>("state", key("状态"), Cell::Text, 10, |at| {
                Field::text(state(at.visit, at.row.state))
            })
            .cell(|at| {
                let visited = at.row.visited_on.filter(|_| at.row.state == LeadState::Visited);
                html! {
                    (state(at.visit, at.row.state))
                    @if let Some(day) = visited { div.quiet { (format::date(day)) } }
                }
            }),
            column::<Self>("done", key("走访和办理情况"), Cell::Text, 40, |at| {
                Field::text(format!("{} {}", at.row.visits, at.row.note).trim())
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
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<Lead>> {
        let db = &visit.app.db;
        lead::list(db, &self.scope, &self.filter, self.sort, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&Lead>,
        limit: u64,
    ) -> anyhow::Result<Vec<Lead>> {
        let last = last.map(|row| row.id);
        lead::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &Lead) -> Option<String> {
        Some(format!("/leads/{}", row.id))
    }

    fn acts() -> Vec<Bulk> {
        vec![Bulk {
            word: "dismiss",
            label: key("排除线索"),
            permission: Permission::ActOnCases,
            fields: super::lead::dismissing,
            names: &["reason", "grounds"],
            run: |visit, tx, scope, id| {
                Box::pin(async move {
                    let reason = DismissReason::from_word(visit.form.get("reason"));
                    let grounds = visit.form.get("grounds");
                    let step = lead::dismiss(tx, scope, id, reason, grounds).await?;
                    Ok(step.map_err(|why| words::sentence(visit.lang, &why.to_string())))
                })
            },
        }]
    }

    fn id(row: &Lead) -> Option<Uuid> {
        row.state.is_open().then_some(row.id)
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let counts = lead::funnel(&visit.app.db, &list.scope, &list.filter).await?;
        let acts = html! {
            @if visit.can(Permission::RunSweep) { a.button href="/leads/sweep" { (visit.t("全人口比对")) } }
        };
        listing::Worklist {
            standings: listing::standings(LeadState::ALL, &counts, |one| {
                let tone = match one {
                    LeadState::Found => "yellow",
                    LeadState::Enrolled => "green",
                    _ => "",
                };
                (one.word(), state(visit, one), tone)
            }),
            filters: filters(visit),
            to_do: visit.t("待走访和已走访"),
            nothing: (
                visit.t("没有这样的线索。线索由每晚的全人口比对和生活事件发现。"),
                visit.t("看全部待办线索"),
            ),
            acts,
        }
        .show(visit, &found)
    }
}

fn filters(visit: &Visit) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let programmes = words::titled(lang, visit.app.desk.open_programmes());
    let kinds: Vec<(String, String)> = Kind::ALL
        .into_iter()
        .map(|one| (one.word().to_owned(), kind(visit, one).to_owned()))
        .collect();
    html! {
        (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
        (field(lang, "kind", visit.t("线索")).value(query.get("kind")).filter(visit.t("全部种类"), &kinds))
    }
}
