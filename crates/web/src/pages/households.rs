//! The households of the area (家庭列表): by place and by the beginning of a member's name or the household's number.

use crate::parts::form::{field, lesser};
use crate::parts::{format, listing, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::{Permission, Purpose};
use maud::html;
use registry::households::Filter;

/// Rows a page shows.
const ROWS: u64 = 30;

/// `GET /households` (家庭列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Enquiry("家庭列表".to_owned()))?;
    let filter = Filter {
        region: listing::chosen_place(visit),
        text: visit.query.get("text").to_owned(),
        with_dissolved: false,
    };
    let (offset, limit) = visit.paging(ROWS);
    let found = registry::households::list(&visit.app.db, &scope, &filter, offset, limit).await?;
    let columns = [
        table::text(visit.t("户主")),
        table::text(visit.t("户编号")),
        table::number(visit.t("人数")),
        table::text(visit.t("社区")),
        table::text(visit.t("住址")),
        table::text(visit.t("建户日期")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|row| {
            table::row(
                format!("/households/{}", row.id),
                vec![
                    html! { (row.head_name) },
                    html! { (row.number) },
                    html! { (row.size) },
                    html! { (visit.place(row.region)) },
                    html! { (row.address) },
                    html! { (format::date(row.formed_on)) },
                ],
            )
        })
        .collect();
    let body = html! {
        form.filters method="get" action="/households" {
            (field(lang, "text", visit.t("姓名或户编号")).value(visit.query.get("text")).text())
            (listing::place(visit, scope.region))
            (lesser(visit.t("筛选")))
            @if visit.query.some("text").is_some() || visit.query.some("region").is_some() {
                a.button.plain href="/households" { (visit.t("清除")) }
            }
        }
        (listing::listed(visit, (visit.t("家庭"), "/households"), &columns, rows, &found, &piece::empty(visit.t("没有符合条件的家庭。"), &html! {})))
    };
    let acts = html! {
        @if visit.can(Permission::Apply) {
            a.button.primary href="/apply" data-new="" { (visit.t("新申请")) }
        }
    };
    Ok(visit
        .page(visit.t("家庭"))
        .nav("/households")
        .wide()
        .acts(acts)
        .show(&body))
}
