//! All enquiries for the auditor (核对记录): who asked about whom, for which case and purpose, and what of it is odd.
//!
//! Filters, counting and paging happen in the database. A flag says by which rule it stands and is no accusation. What
//! nobody knows is not guessed: the register does not say where an officer lives, so neighbours are people of one building. Deliberately absent: the findings;
//! whoever may see the case opens the report there.

use super::enquiry::{sources, terms};
use crate::parts::export::{Export, few_enough};
use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Purpose, Scope};
use maud::{Markup, html};
use sheets::{Column, Field, Kind};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;
use verify::enquiry::{ByOfficer, EnquiryFilter, EnquiryRow, Oddity, Terms, by_officer, list};
use vocab::ids::{CaseId, OfficerId};

/// Rows a page shows.
const ROWS: u64 = 30;

/// What the address narrows to, for the page and for programs.
pub(crate) fn filter(visit: &Visit) -> EnquiryFilter {
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

/// What a page of the list needs beside its rows.
struct Beside {
    scope: Scope,
    terms: Arc<Terms>,
    officers: Vec<ByOfficer>,
    busy: Vec<OfficerId>,
}

async fn beside(visit: &Visit) -> Result<Beside, Problem> {
    let scope = visit.scope(Purpose::Audit)?;
    let terms = terms(visit).await?;
    let officers = by_officer(&visit.app.db, &scope, &terms).await?;
    let far = officers.iter().filter(|one| one.far_above);
    Ok(Beside {
        busy: far.map(|one| one.officer).collect(),
        scope,
        terms,
        officers,
    })
}

/// Officers who ask far more often than others, for the filter of odd ones.
///
/// # Errors
/// A fault of the database or the packs.
pub(crate) async fn busy(visit: &Visit) -> Result<Vec<OfficerId>, Problem> {
    Ok(beside(visit).await?.busy)
}

/// The cases of these rows in which nothing happened since they were asked about, long enough ago.
async fn still(
    visit: &Visit,
    beside: &Beside,
    rows: &[EnquiryRow],
) -> Result<BTreeSet<Uuid>, Problem> {
    let days = i64::from(beside.terms.odd.still_after_days);
    let now = visit.app.db.now();
    let asked: Vec<(CaseId, chrono::DateTime<chrono::Utc>)> = rows
        .iter()
        .filter(|row| (now - row.at).num_days() >= days)
        .map(|row| (CaseId(row.subject), row.at))
        .collect();
    let moved = casework::list::moved_since(&visit.app.db, &beside.scope, &asked).await?;
    Ok(asked
        .into_iter()
        .filter(|one| !moved.contains(one))
        .map(|(case, _)| case.0)
        .collect())
}

/// Why a row is odd, in sentences.
fn odd(visit: &Visit, beside: &Beside, still: &BTreeSet<Uuid>, row: &EnquiryRow) -> Vec<String> {
    let lang = visit.lang;
    let odd = &beside.terms.odd;
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
    if let Some(one) = beside
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

/// `GET /enquiries` (核对记录).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let beside = beside(visit).await?;
    let (offset, limit) = visit.paging(ROWS);
    let filter = filter(visit);
    let found = list(
        &visit.app.db,
        &beside.scope,
        &filter,
        &beside.busy,
        offset,
        limit,
    )
    .await?;
    let still = still(visit, &beside, &found.rows).await?;
    let columns = [
        table::text(visit.t("编号")),
        table::text(visit.t("核对时间")),
        table::text(visit.t("工作人员")),
        table::text(visit.t("办件")),
        table::text(visit.t("社区")),
        table::number(visit.t("人数")),
        table::text(visit.t("异常提示")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|row| {
            table::still(vec![
                html! { a href=(format!("/cases/{}/enquiry?report={}", row.subject, row.id)) { (row.number) } },
                html! { (format::instant(row.at)) },
                html! { (row.officer_name) },
                html! { a href=(format!("/cases/{}", row.subject)) { (row.subject_number) } },
                html! { (visit.place(row.region)) },
                html! { (row.people) },
                html! {
                    @for why in odd(visit, &beside, &still, row) { div { (why) } }
                    @if row.odd.iter().any(|one| one.is_beside_others()) {
                        a href=(format!("/enquiries?beside={}", row.id)) { (visit.t("看相关的核对")) }
                    }
                },
            ])
        })
        .collect();
    let body = html! {
        (filters(visit, &beside, &filter).await?)
        (listing::listed(visit, (visit.t("核对记录"), "/enquiries"), &columns, rows, &found, &piece::empty(visit.t("没有符合条件的核对记录。"), &html! { a.button href="/enquiries" { (visit.t("看全部核对记录")) } })))
        @if !beside.officers.is_empty() {
            (piece::section(&lang.f("各人核对次数，最近 {days} 天", &[("days", &beside.terms.odd.median_days)]), &officers(visit, &beside)))
        }
    };
    let acts = html! {
        @if found.total > 0 {
            a.button href=(visit.query.with("page", "").href("/enquiries/export")) { (visit.t("导出 Excel")) }
        }
    };
    Ok(visit
        .page(visit.t("核对记录"))
        .nav("/enquiries")
        .wide()
        .acts(acts)
        .show(&body))
}

async fn filters(
    visit: &Visit,
    beside: &Beside,
    filter: &EnquiryFilter,
) -> Result<Markup, Problem> {
    let lang = visit.lang;
    let officers: Vec<(String, String)> = beside
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
    let purposes: Vec<(String, String)> = beside
        .terms
        .purposes
        .iter()
        .map(|one| (one.zh.clone(), lang.pick(&one.zh, &one.en).to_owned()))
        .collect();
    let odd = [("1".to_owned(), visit.t("只看有异常提示的").to_owned())];
    let query = &visit.query;
    Ok(html! {
        form.filters method="get" action="/enquiries" {
            (field(lang, "number", visit.t("编号或办件号")).value(&filter.number).text())
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

fn officers(visit: &Visit, beside: &Beside) -> Markup {
    let columns = [
        table::text(visit.t("工作人员")),
        table::number(visit.t("核对次数")),
        table::text(visit.t("异常提示")),
    ];
    let rows = beside
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

/// `GET /enquiries/export` (导出核对记录).
///
/// # Errors
/// [`Problem::Conflict`] with more rows than a file takes.
pub async fn export(visit: &Visit) -> Answer {
    let beside = beside(visit).await?;
    let most = visit.app.config.export_rows;
    let found = list(
        &visit.app.db,
        &beside.scope,
        &filter(visit),
        &beside.busy,
        0,
        most,
    )
    .await?;
    few_enough(visit, found.total)?;
    let still = still(visit, &beside, &found.rows).await?;
    let columns = vec![
        Column::new(visit.t("编号"), Kind::Text, 18),
        Column::new(visit.t("核对时间"), Kind::Text, 18),
        Column::new(visit.t("工作人员"), Kind::Text, 14),
        Column::new(visit.t("办件"), Kind::Text, 18),
        Column::new(visit.t("社区"), Kind::Text, 16),
        Column::new(visit.t("用途"), Kind::Text, 32),
        Column::new(visit.t("人数"), Kind::Integer, 8),
        Column::new(visit.t("有效至"), Kind::Date, 12),
        Column::new(visit.t("异常提示"), Kind::Text, 48),
    ];
    let rows = found
        .rows
        .iter()
        .map(|row| {
            vec![
                Field::text(&row.number),
                Field::text(format::instant(row.at)),
                Field::text(&row.officer_name),
                Field::text(&row.subject_number),
                Field::text(visit.place(row.region)),
                Field::text(&row.purpose),
                Field::Integer(row.people),
                Field::Date(row.valid_until),
                Field::text(odd(visit, &beside, &still, row).join("；")),
            ]
        })
        .collect();
    let name = visit.t("核对记录");
    Export {
        name,
        file: format!("{name}-{}", format::date(visit.today())),
        act: "web.export_enquiries",
        subject: ("enquiries", visit.request_id.clone()),
        columns,
        rows,
        total: found.total,
    }
    .answer(visit, &beside.scope)
    .await
}
