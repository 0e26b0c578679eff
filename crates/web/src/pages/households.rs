//! The households of the area (家庭列表): by place and by the beginning of a member's name or the household's number.

use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::{field, lesser};
use crate::parts::{listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Purpose, Scope};
use maud::html;
use registry::households::{self, Filter, HouseholdRow};
use sheets::{Field, Kind};
use store::Page;

/// Households as somebody asked for them (家庭列表).
pub(crate) struct Households {
    scope: Scope,
    filter: Filter,
}

impl List for Households {
    type Row = HouseholdRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "households",
        title: key("家庭"),
        path: "/households",
        rows: 30,
        sees: Permission::SearchPeople,
        exports: Permission::ExportCases,
        act: ("web.export_households", "households"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            // A file leaves the house: the name is masked there.
            column::<Self>("head", key("户主"), Kind::Text, 12, |at| {
                Field::text(access::mask_name(&at.row.head_name))
            })
            .cell(|at| html! { (at.row.head_name) }),
            column::<Self>("number", key("户编号"), Kind::Text, 18, |at| {
                Field::text(&at.row.number)
            }),
            column::<Self>("members", key("人数"), Kind::Integer, 8, |at| {
                i64::try_from(at.row.size).map_or(Field::Empty, Field::Integer)
            }),
            column::<Self>("region", key("区划代码"), Kind::Text, 16, |at| {
                Field::text(at.row.region.to_string())
            })
            .aside(),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            }),
            column::<Self>("address", key("住址"), Kind::Text, 30, |at| {
                Field::text(&at.row.address)
            }),
            column::<Self>("formed", key("建户日期"), Kind::Date, 12, |at| {
                Field::Date(at.row.formed_on)
            }),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Enquiry("家庭列表".to_owned())
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        Ok(Self {
            scope,
            filter: Filter {
                region: listing::chosen_place(visit),
                text: visit.query.get("text").to_owned(),
                with_dissolved: false,
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
    ) -> anyhow::Result<Page<HouseholdRow>> {
        households::list(&visit.app.db, &self.scope, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&HouseholdRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<HouseholdRow>> {
        let last = last.map(|row| row.id);
        households::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &HouseholdRow) -> Option<String> {
        Some(format!("/households/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let lang = visit.lang;
        let nothing = piece::empty(visit.t("没有符合条件的家庭。"), &html! {});
        let body = html! {
            form.filters method="get" action="/households" {
                (field(lang, "text", visit.t("姓名或户编号")).value(visit.query.get("text")).text())
                (listing::place(visit, found.list.scope.region))
                (lesser(visit.t("筛选")))
                @if visit.query.some("text").is_some() || visit.query.some("region").is_some() {
                    a.button.plain href="/households" { (visit.t("清除")) }
                }
            }
            (found.table(visit, &nothing))
        };
        let acts = html! {
            (found.export(visit))
            @if visit.can(Permission::ImportRoster) && visit.can(Permission::RevealPeople) {
                a.button href="/households/roster" { (visit.t("名册格式导出")) }
            }
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
}
