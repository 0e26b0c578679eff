//! Duplicate records (重复登记): pairs that may be one person, the surest first; counted, cut and exported.
//!
//! What is done about a pair stands on its own page ([`super::duplicate`]). Only pairs both of whose records lie in the officer's area
//! are listed, counted and exported.

use crate::lists::{About, Column, Found, List, column};
use crate::locale::key;
use crate::parts::form::field;
use crate::parts::{format, listing, piece};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use maud::{Markup, html};
use registry::duplicates::{self, Band, PairFilter, PairRow, PairState, Reason};
use registry::people::PersonRow;
use sheets::{Field, Kind as Cell};
use store::Page;

/// How sure it is, in words.
pub(crate) fn band(visit: &Visit, band: Band) -> &'static str {
    let (zh, en) = band.wording();
    visit.lang.pick(zh, en)
}

/// Where a pair stands, in words.
pub(crate) fn state(visit: &Visit, state: PairState) -> &'static str {
    let (zh, en) = state.wording();
    visit.lang.pick(zh, en)
}

/// Reasons as one line: 姓名相同；手机相同.
pub(crate) fn reasons(visit: &Visit, reasons: &[Reason], speaking_for: bool) -> String {
    let lang = visit.lang;
    let parts: Vec<String> = reasons
        .iter()
        .filter(|reason| reason.speaks_for == speaking_for)
        .map(|reason| {
            let field = words::sentence(lang, &reason.field);
            let level = words::sentence(lang, &reason.level);
            lang.f("{field}{level}", &[("field", &field), ("level", &level)])
        })
        .collect();
    parts.join(visit.t("；"))
}

fn filter(visit: &Visit) -> PairFilter {
    let query = &visit.query;
    PairFilter {
        region: listing::chosen_place(visit),
        band: query.some("band").and_then(Band::from_word),
        states: listing::states(
            visit,
            &[PairState::Open, PairState::Prepared],
            PairState::from_word,
        ),
    }
}

/// Pairs as somebody asked for them (重复登记); the look is journalled.
pub(crate) struct Pairs {
    scope: Scope,
    filter: PairFilter,
}

/// A column of one of the two records: names are masked in a file, shown on the page.
fn of_record(
    word: &'static str,
    label: &'static str,
    width: u16,
    field: fn(&crate::lists::At<'_, Pairs>) -> Field,
) -> Column<Pairs> {
    column(word, label, Cell::Text, width, field)
}

impl List for Pairs {
    type Row = PairRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "duplicates",
        title: key("重复登记"),
        path: "/duplicates",
        rows: 30,
        sees: Permission::RegisterPeople,
        exports: Permission::MergePeople,
        act: ("web.export_duplicates", "duplicates"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            of_record("one", key("一条记录"), 12, |at| {
                Field::text(access::mask_name(&at.row.a.name))
            })
            .cell(|at| record(&at.row.a)),
            of_record("one_document", key("证件号码"), 22, |at| {
                Field::text(&at.row.a.document_masked)
            })
            .aside(),
            of_record("other", key("另一条记录"), 12, |at| {
                Field::text(access::mask_name(&at.row.b.name))
            })
            .cell(|at| record(&at.row.b)),
            of_record("other_document", key("另一条的证件号码"), 22, |at| {
                Field::text(&at.row.b.document_masked)
            })
            .aside(),
            of_record("band", key("把握"), 16, |at| {
                Field::text(band(at.visit, at.row.band))
            })
            .cell(|at| {
                html! {
                    (piece::tag(band(at.visit, at.row.band)))
                    @if at.row.two_households { " " (piece::tag(at.visit.t("分在两户"))) }
                }
            }),
            of_record("why", key("为什么"), 40, |at| {
                Field::text(reasons(at.visit, &at.row.reasons, true))
            }),
            of_record("place", key("社区"), 24, |at| {
                let [a, b] =
                    [at.row.a.lives_in, at.row.b.lives_in].map(|lives| at.visit.place(lives));
                Field::text(if a == b { a } else { format!("{a} / {b}") })
            }),
            of_record("found", key("发现日期"), 16, |at| {
                Field::text(format::instant(at.row.found_at))
            }),
            of_record("state", key("状态"), 14, |at| {
                Field::text(state(at.visit, at.row.state))
            })
            .cell(|at| {
                html! {
                    (state(at.visit, at.row.state))
                    @if !at.row.reason.is_empty() { div.quiet { (at.row.reason) } }
                }
            }),
            of_record("reason", key("理由"), 30, |at| {
                Field::text(&at.row.reason)
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
        })
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn page(&self, visit: &Visit, offset: u64, limit: u64) -> anyhow::Result<Page<PairRow>> {
        duplicates::list(&visit.app.db, &self.scope, &self.filter, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&PairRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<PairRow>> {
        let last = last.map(|row| row.id);
        duplicates::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &PairRow) -> Option<String> {
        Some(format!("/duplicates/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let counts = duplicates::counts(&visit.app.db, &list.scope, &list.filter).await?;
        let homes = duplicates::homes_count(&visit.app.db, &list.scope).await?;
        looked(visit, &list.scope, found.page.rows.len()).await?;
        let bands: Vec<(String, String)> = Band::ALL
            .into_iter()
            .map(|one| (one.word().to_owned(), band(visit, one).to_owned()))
            .collect();
        listing::Worklist {
            standings: listing::standings(PairState::ALL, &counts, |one| {
                let tone = match one {
                    PairState::Open => "yellow",
                    PairState::Prepared => "red",
                    PairState::Merged => "green",
                    _ => "",
                };
                (one.word(), state(visit, one), tone)
            }),
            filters: field(visit.lang, "band", visit.t("把握"))
                .value(visit.query.get("band"))
                .filter(visit.t("不论把握大小"), &bands),
            to_do: visit.t("待核对和待复核"),
            nothing: (
                visit.t("没有待核对的记录。登记时和每晚都会比对，找到的列在这里。"),
                visit.t("看全部待核对的记录"),
            ),
            acts: html! {
                @if homes > 0 {
                    a.button href="/duplicates/homes" { (visit.lang.f("可能是同一户（{count}）", &[("count", &homes)])) }
                }
            },
        }
        .show(visit, &found)
    }
}

pub(crate) async fn looked(visit: &Visit, scope: &Scope, rows: usize) -> anyhow::Result<()> {
    let mut tx = visit.app.db.begin().await?;
    duplicates::note_list(&mut tx, scope, u64::try_from(rows)?);
    tx.commit().await
}

/// A record in one line.
fn record(one: &PersonRow) -> Markup {
    html! {
        (one.name)
        div.quiet {
            @if !one.document_masked.is_empty() { span.masked { (one.document_masked) } " " }
            @if let Some(born) = one.birth_date { (format::date(born)) }
        }
    }
}
