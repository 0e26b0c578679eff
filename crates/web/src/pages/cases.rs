//! The list of cases (办件列表): filters, sorting and paging in the database, and an export that says who took it.

use crate::lists::{About, Column, Found, List, column, maybe};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, mark, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::CaseRow;
use casework::clock::Light;
use casework::list::{CaseFilter, CaseSort, SortBy};
use casework::procedure::StateKind;
use maud::{Markup, html};
use policy::Outcome;
use sheets::{Field, Kind};
use store::Page;
use vocab::ids::HouseholdId;

/// What a state means, in words of addresses.
pub(crate) const KINDS: [(StateKind, &str); 6] = [
    (StateKind::Working, "working"),
    (StateKind::Waiting, "waiting"),
    (StateKind::Publicity, "publicity"),
    (StateKind::InForce, "in_force"),
    (StateKind::Suspended, "suspended"),
    (StateKind::Final, "final"),
];

fn kind_name(visit: &Visit, kind: StateKind) -> &'static str {
    match kind {
        StateKind::Working => visit.t("办理中"),
        StateKind::Waiting => visit.t("等申请人"),
        StateKind::Publicity => visit.t("公示中"),
        StateKind::InForce => visit.t("享受中"),
        StateKind::Suspended => visit.t("暂停"),
        StateKind::Final => visit.t("已办结"),
    }
}

fn light_of(word: &str) -> Option<Light> {
    match word {
        "red" => Some(Light::Red),
        "yellow" => Some(Light::Yellow),
        "green" => Some(Light::Green),
        "still" => Some(Light::Paused),
        _ => None,
    }
}

fn filter(visit: &Visit) -> CaseFilter {
    let query = &visit.query;
    CaseFilter {
        text: query.get("text").to_owned(),
        programme: query.some("programme").map(str::to_owned),
        kind: KINDS
            .iter()
            .find(|(_, word)| *word == query.get("kind"))
            .map(|(kind, _)| *kind),
        light: light_of(query.get("light")),
        outcome: Outcome::from_word(query.get("outcome")),
        region: listing::chosen_place(visit),
        applied_from: query.get("from").parse().ok(),
        applied_before: query.get("before").parse().ok(),
        decided_from: query.get("decided_from").parse().ok(),
        decided_before: query.get("decided_before").parse().ok(),
        members_from: query.get("members_from").parse().ok(),
        members_to: query.get("members_to").parse().ok(),
        open_only: query.has("open"),
        sampled_only: query.has("sampled"),
        mine_only: query.has("mine"),
        ..CaseFilter::default()
    }
}

fn sort(visit: &Visit) -> CaseSort {
    let by = match visit.query.get("sort") {
        "number" => SortBy::Number,
        "applied" => SortBy::Applied,
        "updated" => SortBy::Updated,
        "amount" => SortBy::Amount,
        _ => SortBy::Due,
    };
    CaseSort {
        by,
        descending: visit.query.get("dir") == "desc",
    }
}

/// Cases as somebody asked for them (办件列表).
pub(crate) struct Cases {
    scope: Scope,
    filter: CaseFilter,
    sort: CaseSort,
}

impl List for Cases {
    type Row = CaseRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "cases",
        title: key("办件"),
        path: "/cases",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_cases", "cases"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("number", key("办件号"), Kind::Text, 18, |at| {
                Field::text(&at.row.case.number)
            })
            .sorted(),
            column::<Self>("due", key("时限"), Kind::Date, 12, |at| {
                maybe(at.row.case.due_on, Field::Date)
            })
            .sorted()
            .cell(|at| {
                html! {
                    (mark::light(at.lang(), at.row.light, at.row.days_left))
                    @if at.row.case.provisional { " " (super::todo::provisional(at.visit)) }
                }
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 16, |at| {
                Field::text(at.lang().pick(&at.row.programme_zh, &at.row.programme_en))
            }),
            column::<Self>("state", key("状态"), Kind::Text, 16, |at| {
                Field::text(at.lang().pick(&at.row.state_zh, &at.row.state_en))
            })
            .cell(|at| {
                html! {
                    (at.lang().pick(&at.row.state_zh, &at.row.state_en))
                    @if at.row.case.sampled { " " (piece::tag(at.visit.t("抽查"))) }
                }
            }),
            column::<Self>("applicant", key("申请人"), Kind::Text, 12, |at| {
                Field::text(&at.row.case.subject_masked)
            })
            .cell(|at| {
                let count = at.row.case.member_count;
                html! { (at.row.case.subject_masked) " " (at.lang().f("{count} 人", &[("count", &count)])) }
            }),
            column::<Self>("members", key("人数"), Kind::Integer, 8, |at| {
                Field::Integer(at.row.case.member_count)
            })
            .aside(),
            column::<Self>("outcome", key("结论"), Kind::Text, 10, |at| {
                maybe(at.row.case.outcome, |outcome| {
                    Field::text(at.lang().pick(outcome.zh(), outcome.en()))
                })
            })
            .cell(|at| {
                html! { @if let Some(outcome) = at.row.case.outcome { (mark::outcome(at.lang(), outcome)) } @else { "—" } }
            }),
            column::<Self>("amount", key("金额"), Kind::Money, 12, |at| {
                maybe(at.row.case.amount, Field::Money)
            })
            .sorted(),
            column::<Self>("region", key("区划代码"), Kind::Text, 16, |at| {
                Field::text(at.row.case.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.case.region))
            }),
            column::<Self>("applied", key("申请日期"), Kind::Date, 12, |at| {
                Field::Date(at.row.case.applied_on)
            })
            .sorted(),
            column::<Self>("decided", key("决定日期"), Kind::Date, 12, |at| {
                maybe(at.row.case.decided_on, Field::Date)
            })
            .aside(),
            column::<Self>("updated", key("最近办理"), Kind::Text, 28, |at| {
                Field::text(format!(
                    "{} {}",
                    at.row.case.last_officer,
                    format::instant(at.row.case.updated_at)
                ))
            })
            .sorted(),
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

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<CaseRow>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        casework::list::list(
            db,
            &self.scope,
            desk,
            &self.filter,
            self.sort,
            offset,
            limit,
        )
        .await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&CaseRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<CaseRow>> {
        let (db, desk) = (&visit.app.db, &visit.app.desk);
        let last = last.map(|row| row.case.number.as_str());
        casework::list::after(db, &self.scope, desk, &self.filter, last, limit).await
    }

    fn href(&self, row: &CaseRow) -> Option<String> {
        Some(format!("/cases/{}", row.case.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let nothing = piece::empty(
            visit.t("没有符合条件的办件。"),
            &html! { a.button href="/cases" { (visit.t("看全部办件")) } },
        );
        let body = html! {
            (filters(visit, &found.list.scope, &found.list.filter))
            (found.table(visit, &nothing))
        };
        let acts = html! {
            (found.export(visit))
            @if visit.can(Permission::Apply) { a.button.primary href="/apply" data-new="" { (visit.t("新申请")) } }
        };
        Ok(visit
            .page(visit.t("办件"))
            .nav("/cases")
            .wide()
            .acts(acts)
            .show(&body))
    }
}

fn filters(visit: &Visit, scope: &Scope, filter: &CaseFilter) -> Markup {
    let lang = visit.lang;
    let desk = &visit.app.desk;
    let query = &visit.query;
    let pairs = |list: &[(&str, &'static str)]| -> Vec<(String, String)> {
        list.iter()
            .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
            .collect()
    };
    let programmes = words::titled(lang, desk.open_programmes());
    let kinds = pairs(&KINDS.map(|(kind, word)| (word, kind_name(visit, kind))));
    let lights = pairs(&[
        ("red", visit.t("已超期")),
        ("yellow", visit.t("将到期")),
        ("green", visit.t("按时")),
        ("still", visit.t("不计时")),
    ]);
    let outcomes = pairs(&[
        ("met", visit.t("符合")),
        ("not_met", visit.t("不符合")),
        ("to_verify", visit.t("待核实")),
    ]);
    html! {
        form.filters method="get" action="/cases" {
            (field(lang, "text", visit.t("办件号、姓名、尾号")).value(query.get("text")).text())
            (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
            (field(lang, "kind", visit.t("状态")).value(query.get("kind")).filter(visit.t("全部状态"), &kinds))
            (field(lang, "light", visit.t("时限")).value(query.get("light")).filter(visit.t("全部时限"), &lights))
            (field(lang, "outcome", visit.t("结论")).value(query.get("outcome")).filter(visit.t("全部结论"), &outcomes))
            (listing::place(visit, scope.region))
            (field(lang, "from", visit.t("申请日期从")).value(query.get("from")).date())
            (field(lang, "before", visit.t("到（不含）")).value(query.get("before")).date())
            // Asked by a number of the statistics; shown so that they can be changed or cleared.
            @if query.some("decided_from").is_some() || query.some("decided_before").is_some() {
                (field(lang, "decided_from", visit.t("决定日期从")).value(query.get("decided_from")).date())
                (field(lang, "decided_before", visit.t("决定到（不含）")).value(query.get("decided_before")).date())
            }
            @if query.some("members_from").is_some() || query.some("members_to").is_some() {
                (field(lang, "members_from", visit.t("人数从")).value(query.get("members_from")).count())
                (field(lang, "members_to", visit.t("人数到")).value(query.get("members_to")).count())
            }
            div.choice {
                input #open type="checkbox" name="open" value="1" checked[filter.open_only];
                label for="open" { (visit.t("只看未办结")) }
            }
            div.choice {
                input #mine type="checkbox" name="mine" value="1" checked[filter.mine_only];
                label for="mine" { (visit.t("只看我的")) }
            }
            (lesser(visit.t("筛选")))
            a.button.plain href="/cases" { (visit.t("清除")) }
        }
    }
}

/// Cases of one household on its page (这一家的办件), newest first.
pub(crate) async fn of_household(
    visit: &Visit,
    household: HouseholdId,
) -> Result<Vec<CaseRow>, Problem> {
    let Ok(scope) = visit.scope_for(Permission::SeeCases, Purpose::Review) else {
        return Ok(Vec::new());
    };
    let filter = CaseFilter {
        household: Some(household),
        ..CaseFilter::default()
    };
    let sort = CaseSort {
        by: SortBy::Applied,
        descending: true,
    };
    let found =
        casework::list::list(&visit.app.db, &scope, &visit.app.desk, &filter, sort, 0, 50).await?;
    Ok(found.rows)
}

/// A few cases on another page (办件小表).
pub(crate) fn short_list(visit: &Visit, rows: &[CaseRow]) -> Markup {
    let columns = [
        table::text(visit.t("办件号")),
        table::text(visit.t("事项")),
        table::text(visit.t("状态")),
        table::text(visit.t("时限")),
        table::text(visit.t("结论")),
        table::text(visit.t("申请日期")),
    ];
    let lang = visit.lang;
    let rows = rows
        .iter()
        .map(|row| {
            let case = &row.case;
            table::row(
                format!("/cases/{}", case.id),
                vec![
                    html! { (case.number) },
                    html! { (lang.pick(&row.programme_zh, &row.programme_en)) @if case.member.is_some() { " · " (case.subject_masked) } },
                    html! { (lang.pick(&row.state_zh, &row.state_en)) },
                    html! { (mark::light(lang, row.light, row.days_left)) },
                    html! { @if let Some(outcome) = case.outcome { (mark::outcome(lang, outcome)) } @else { "—" } },
                    html! { (format::date(case.applied_on)) },
                ],
            )
        })
        .collect();
    table::table(lang, visit.t("办件"), &columns, rows, "", &visit.query)
}
