//! All enquiries for the auditor (核对记录): who asked about whom, for which case and purpose, and what of it is odd.
//!
//! Filters, counting and paging happen in the database. A flag says by which rule it stands and is no accusation. What
//! nobody knows is not guessed: the register does not say where an officer lives, so neighbours are people of one building. Deliberately absent: the findings;
//! whoever may see the case opens the report there.

use super::enquiry::{sources, terms};
use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use maud::{Markup, html};
use sheets::{Field, Kind};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Page;
use uuid::Uuid;
use verify::enquiry::{self, ByOfficer, EnquiryFilter, EnquiryRow, Oddity, Terms, by_officer};
use vocab::ids::{CaseId, OfficerId};

fn filter(visit: &Visit) -> EnquiryFilter {
    let query = &visit.query;
    EnquiryFilter {
        officer: query.get("officer").parse().ok(),
        from: query.get("from").parse().ok(),
        before: query.get("before").parse().ok(),
        purpose: query.some("purpose").map(str::to_owned),
        source: query.some("source").map(str::to_owned),
        number: query.get("number").to_owned(),
        person: query.get("person").parse().ok(),
        beside: query.get("beside").parse().ok(),
        odd_only: query.has("odd"),
    }
}

/// Enquiries as somebody asked for them (核对记录), with what tells the odd ones.
pub(crate) struct Enquiries {
    scope: Scope,
    filter: EnquiryFilter,
    terms: Arc<Terms>,
    officers: Vec<ByOfficer>,
    busy: Vec<OfficerId>,
}

/// The cases of these rows in which nothing happened since they were asked about, long enough ago.
async fn still(
    visit: &Visit,
    list: &Enquiries,
    rows: &[EnquiryRow],
) -> Result<BTreeSet<Uuid>, Problem> {
    let days = i64::from(list.terms.odd.still_after_days);
    let now = visit.app.db.now();
    let asked: Vec<(CaseId, chrono::DateTime<chrono::Utc>)> = rows
        .iter()
        .filter(|row| (now - row.at).num_days() >= days)
        .map(|row| (CaseId(row.subject), row.at))
        .collect();
    let moved = casework::list::moved_since(&visit.app.db, &list.scope, &asked).await?;
    Ok(asked
        .into_iter()
        .filter(|one| !moved.contains(one))
        .map(|(case, _)| case.0)
        .collect())
}

/// Why a row is odd, in sentences.
fn odd(visit: &Visit, list: &Enquiries, still: &BTreeSet<Uuid>, row: &EnquiryRow) -> Vec<String> {
    let lang = visit.lang;
    let odd = &list.terms.odd;
    let mut found: Vec<String> = row
        .odd
        .iter()
        .map(|one| match one {
            Oddity::OutOfHours => visit.t("不在工作时间").to_owned(),
            Oddity::Own => visit.t("被核对人中有工作人员本人").to_owned(),
            Oddity::SamePerson(times) => lang.f(
                "{days} 天内同一人第 {times} 次核对同一被核对人",
                &[("days", &odd.same_person_days), ("times", times)],
            ),
            Oddity::Neighbours(homes) => lang.f(
                "{days} 天内同一人核对同一栋楼的 {homes} 户",
                &[("days", &odd.neighbours_days), ("homes", homes)],
            ),
            Oddity::ManyOfficers(officers) => lang.f(
                "{days} 天内 {officers} 名工作人员核对同一人",
                &[("days", &odd.person_days), ("officers", officers)],
            ),
            Oddity::ManyCases(cases) => lang.f(
                "{days} 天内在 {cases} 件办件中核对同一人",
                &[("days", &odd.person_days), ("cases", cases)],
            ),
        })
        .collect();
    if let Some(one) = list
        .officers
        .iter()
        .find(|one| one.far_above && one.officer == row.officer)
    {
        found.push(lang.f(
            "{days} 天内核对 {times} 次，超过中位数的 {most} 倍",
            &[
                ("days", &odd.median_days),
                ("times", &one.times),
                ("most", &odd.times_the_median),
            ],
        ));
    }
    if still.contains(&row.subject) {
        found.push(lang.f(
            "核对以后 {days} 天办件没有进展",
            &[("days", &odd.still_after_days)],
        ));
    }
    found
}

impl List for Enquiries {
    type Row = EnquiryRow;
    /// The cases in which nothing happened since.
    type Beside = BTreeSet<Uuid>;
    const ABOUT: About = About {
        word: "enquiries",
        title: key("核对记录"),
        path: "/enquiries",
        rows: 30,
        sees: Permission::SeeEnquiries,
        exports: Permission::SeeEnquiries,
        act: ("web.export_enquiries", "enquiries"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("number", key("编号"), Kind::Text, 18, |at| {
                Field::text(&at.row.number)
            })
            .cell(|at| {
                let to = format!("/cases/{}/enquiry?report={}", at.row.subject, at.row.id);
                html! { a href=(to) { (at.row.number) } }
            }),
            column::<Self>("at", key("核对时间"), Kind::Text, 18, |at| {
                Field::text(format::instant(at.row.at))
            }),
            column::<Self>("officer", key("工作人员"), Kind::Text, 14, |at| {
                Field::text(&at.row.officer_name)
            }),
            column::<Self>("case", key("办件"), Kind::Text, 18, |at| {
                Field::text(&at.row.subject_number)
            })
            .cell(|at| {
                html! { a href=(format!("/cases/{}", at.row.subject)) { (at.row.subject_number) } }
            }),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            }),
            column::<Self>("purpose", key("用途"), Kind::Text, 32, |at| {
                Field::text(&at.row.purpose)
            })
            .aside(),
            column::<Self>("people", key("人数"), Kind::Integer, 8, |at| {
                Field::Integer(at.row.people)
            }),
            column::<Self>("valid_until", key("有效至"), Kind::Date, 12, |at| {
                Field::Date(at.row.valid_until)
            })
            .aside(),
            column::<Self>("odd", key("异常提示"), Kind::Text, 48, |at| {
                Field::text(odd(at.visit, at.list, at.beside, at.row).join(at.visit.t("；")))
            })
            .cell(|at| {
                html! {
                    @for why in odd(at.visit, at.list, at.beside, at.row) { div { (why) } }
                    @if at.row.odd.iter().any(|one| one.is_beside_others()) {
                        a href=(format!("/enquiries?beside={}", at.row.id)) { (at.visit.t("看相关的核对")) }
                    }
                }
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Audit
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        let terms = terms(visit).await?;
        let officers = by_officer(&visit.app.db, &scope, &terms).await?;
        let far = officers.iter().filter(|one| one.far_above);
        Ok(Self {
            busy: far.map(|one| one.officer).collect(),
            filter: filter(visit),
            scope,
            terms,
            officers,
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
    ) -> anyhow::Result<Page<EnquiryRow>> {
        let db = &visit.app.db;
        enquiry::list(db, &self.scope, &self.filter, &self.busy, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&EnquiryRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<EnquiryRow>> {
        let (db, last) = (&visit.app.db, last.map(|row| row.id));
        enquiry::after(db, &self.scope, &self.filter, &self.busy, last, limit).await
    }

    async fn beside(&self, visit: &Visit, rows: &[EnquiryRow]) -> Result<BTreeSet<Uuid>, Problem> {
        still(visit, self, rows).await
    }

    fn href(&self, _: &EnquiryRow) -> Option<String> {
        None
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let nothing = piece::empty(
            visit.t("没有符合条件的核对记录。"),
            &html! { a.button href="/enquiries" { (visit.t("看全部核对记录")) } },
        );
        let days = list.terms.odd.median_days;
        let body = html! {
            (filters(visit, list).await?)
            (found.table(visit, &nothing))
            @if !list.officers.is_empty() {
                (piece::section(&visit.lang.f("各人核对次数，最近 {days} 天", &[("days", &days)]), &officers(visit, list)))
            }
        };
        Ok(visit
            .page(visit.t("核对记录"))
            .nav("/enquiries")
            .wide()
            .acts(found.export(visit))
            .show(&body))
    }
}

async fn filters(visit: &Visit, list: &Enquiries) -> Result<Markup, Problem> {
    let lang = visit.lang;
    let officers: Vec<(String, String)> = list
        .officers
        .iter()
        .map(|one| (one.officer.to_string(), one.name.clone()))
        .collect();
    let sources: Vec<(String, String)> = sources(visit)
        .await?
        .0
        .values()
        .map(|source| {
            let name = lang.pick(&source.zh, &source.en).to_owned();
            (source.id.clone(), name)
        })
        .collect();
    let purposes: Vec<(String, String)> = list
        .terms
        .purposes
        .iter()
        .map(|one| (one.zh.clone(), lang.pick(&one.zh, &one.en).to_owned()))
        .collect();
    let odd = [("1".to_owned(), visit.t("只看有异常提示的").to_owned())];
    let query = &visit.query;
    Ok(html! {
        form.filters method="get" action="/enquiries" {
            (field(lang, "number", visit.t("编号或办件号")).value(&list.filter.number).text())
            (field(lang, "officer", visit.t("工作人员")).value(query.get("officer")).filter(visit.t("全部"), &officers))
            (field(lang, "from", visit.t("从哪天起")).value(query.get("from")).date())
            (field(lang, "before", visit.t("到哪天为止（不含这一天）")).value(query.get("before")).date())
            (field(lang, "purpose", visit.t("用途")).value(query.get("purpose")).filter(visit.t("全部"), &purposes))
            (field(lang, "source", visit.t("数据源")).value(query.get("source")).filter(visit.t("全部"), &sources))
            (field(lang, "odd", visit.t("异常提示")).value(query.get("odd")).filter(visit.t("全部"), &odd))
            (lesser(visit.t("筛选")))
            a.button.plain href="/enquiries" { (visit.t("清除")) }
        }
    })
}

fn officers(visit: &Visit, list: &Enquiries) -> Markup {
    let columns = [
        table::text(visit.t("工作人员")),
        table::number(visit.t("核对次数")),
        table::text(visit.t("异常提示")),
    ];
    let rows = list
        .officers
        .iter()
        .map(|one| {
            table::still(vec![
                html! { a href=(format!("/enquiries?officer={}", one.officer)) { (one.name) } },
                html! { (one.times) },
                html! { @if one.far_above { (visit.t("远高于中位数")) } },
            ])
        })
        .collect();
    table::table(
        visit.lang,
        visit.t("各人核对次数"),
        &columns,
        rows,
        "",
        &visit.query,
    )
}
