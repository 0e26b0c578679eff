//! Search (搜索): one box for people and cases: name, pinyin, initials, ID tail, phone tail, case number.
//!
//! Only what lies in the officer's area is found; what lies outside looks the same as what does not exist.

use crate::parts::{pager, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::{Permission, Purpose};
use maud::{Markup, html};
use registry::people::{PersonRow, Query};

/// Rows of people a page shows.
const ROWS: u64 = 20;

/// `GET /search?q=` (搜索).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let text = visit.query.get("q");
    if text.is_empty() {
        let body = piece::empty(
            visit.t("在上方输入姓名、拼音首字母、证件尾号、手机尾号或办件号，按回车。"),
            &html! {},
        );
        return Ok(visit.page(visit.t("搜索")).show(&body));
    }
    let case = match visit.scope_for(Permission::SeeCases, Purpose::Enquiry("搜索".to_owned())) {
        Ok(scope) => casework::view::by_number(&visit.app.db, &scope, text).await?,
        Err(_) => None,
    };
    if let Some(only) = case {
        return visit.go(&format!("/cases/{only}"));
    }
    let scope = visit.scope(Purpose::Enquiry("搜索".to_owned()))?;
    let (offset, limit) = visit.paging(ROWS);
    let query = Query {
        text: text.to_owned(),
        region: None,
    };
    let found = registry::search(&visit.app.db, &scope, &query, offset, limit).await?;
    let body = if found.rows.is_empty() {
        piece::empty(
            &lang.f(
                "没有找到“{text}”。可能不在您的区域内，或还没有登记。",
                &[("text", &text)],
            ),
            &html! {
                @if visit.can(Permission::RegisterPeople) {
                    a.button.primary href="/people/new" { (visit.t("登记新人员")) }
                }
            },
        )
    } else {
        html! {
            (people(visit, &found.rows, "/search"))
            (pager::pager(lang, &found, "/search", &visit.query))
        }
    };
    Ok(visit
        .page(lang.f("搜索“{text}”", &[("text", &text)]))
        .wide()
        .show(&body))
}

/// The table of people found (人员表).
pub(crate) fn people(visit: &Visit, rows: &[PersonRow], path: &str) -> Markup {
    let lang = visit.lang;
    let columns = [
        table::text(visit.t("姓名")),
        table::text(visit.t("性别")),
        table::text(visit.t("出生日期")),
        table::text(visit.t("证件")),
        table::text(visit.t("手机")),
        table::text(visit.t("居住社区")),
    ];
    let rows = rows
        .iter()
        .map(|person| {
            table::row(
                format!("/people/{}", person.id),
                vec![
                    html! { (person.name) @if person.died_on.is_some() { " " (piece::tag(visit.t("已故"))) } },
                    html! { (lang.pick(person.sex.name_zh(), person.sex.name_en())) },
                    html! { (person.birth_date.map_or_else(|| "—".to_owned(), crate::parts::format::date)) },
                    html! { span.masked { (person.document_masked) } },
                    html! { span.masked { (person.phone_masked.as_deref().unwrap_or("—")) } },
                    html! { (visit.place(person.lives_in)) },
                ],
            )
        })
        .collect();
    table::table(lang, visit.t("人员"), &columns, rows, path, &visit.query)
}
