//! 好差评, the desk's side: ratings of the area, what is to be mended first.
//!
//! Guarantees: whose a rating is stands nowhere until a bad one was taken up. Deliberately absent: figures of one officer; see
//! [`super::rating_figures`] for offices and programmes.

use crate::lists::{About, Column, Found, List, column, maybe};
use crate::locale::{Lang, key};
use crate::parts::form::field;
use crate::parts::{format, listing};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use crate::words;
use access::{Permission, Purpose, Scope};
use casework::rating::{self, Grade, RatingFilter, RatingRow, RatingSort, State, Terms};
use maud::{Markup, html};
use sheets::{Field, Kind};
use store::Page;

/// So many days before its end a rating is near.
const NEAR: i64 = 3;

/// A grade in words.
pub(crate) fn grade(lang: Lang, one: Grade) -> &'static str {
    let (zh, en) = one.wording();
    lang.pick(zh, en)
}

/// A state in words.
pub(crate) fn state(lang: Lang, one: State) -> &'static str {
    let (zh, en) = one.wording();
    lang.pick(zh, en)
}

/// What a rating is about, in words.
pub(crate) fn about(visit: &Visit, terms: &Terms, ids: &[String]) -> String {
    let named: Vec<&str> = ids
        .iter()
        .map(|id| {
            terms
                .indicator(id)
                .map_or(id.as_str(), |one| visit.lang.pick(&one.zh, &one.en))
        })
        .collect();
    named.join(visit.t("、"))
}

/// What the address narrows to, without the states.
pub(crate) fn filter(visit: &Visit) -> RatingFilter {
    let query = &visit.query;
    RatingFilter {
        region: listing::chosen_place(visit),
        programme: query.some("programme").map(str::to_owned),
        grade: query.get("grade").parse().ok().and_then(Grade::from_number),
        states: Vec::new(),
        from: query.get("from").parse().ok(),
        before: query.get("before").parse().ok(),
    }
}

/// Ratings as somebody asked for them (好差评).
pub(crate) struct Ratings {
    scope: Scope,
    filter: RatingFilter,
    sort: (RatingSort, bool),
    terms: Terms,
}

impl List for Ratings {
    type Row = RatingRow;
    type Beside = ();
    const ABOUT: About = About {
        word: "ratings",
        title: key("好差评"),
        path: "/ratings",
        rows: 30,
        sees: Permission::SeeCases,
        exports: Permission::ExportCases,
        act: ("web.export_ratings", "ratings"),
    };

    fn columns() -> Vec<Column<Self>> {
        vec![
            column::<Self>("given", key("评价日期"), Kind::Date, 12, |at| {
                Field::Date(at.row.on_day)
            })
            .sorted(),
            column::<Self>("grade", key("满意程度"), Kind::Text, 12, |at| {
                Field::text(grade(at.lang(), at.row.grade))
            })
            .sorted()
            .cell(|at| {
                let word = grade(at.lang(), at.row.grade);
                html! { @if at.row.grade.is_poor() { strong { (word) } } @else { (word) } }
            }),
            column::<Self>("about", key("哪方面"), Kind::Text, 24, |at| {
                Field::text(about(at.visit, &at.list.terms, &at.row.indicators))
            }),
            column::<Self>("programme", key("事项"), Kind::Text, 24, |at| {
                let (zh, en) = at.visit.app.desk.title(&at.row.programme);
                Field::text(at.lang().pick(&zh, &en))
            }),
            column::<Self>("place", key("社区"), Kind::Text, 16, |at| {
                Field::text(at.visit.place(at.row.region))
            })
            .sorted(),
            column::<Self>("state", key("状态"), Kind::Text, 14, |at| {
                Field::text(state(at.lang(), at.row.state))
            }),
            column::<Self>("due", key("整改期限"), Kind::Date, 12, |at| {
                maybe(at.row.due_on, Field::Date)
            })
            .cell(|at| {
                let waits = matches!(at.row.state, State::Open | State::Taken);
                html! {
                    @match at.row.due_on {
                        None => "—",
                        Some(due) => {
                            @let left = (due - at.visit.today()).num_days();
                            (format::date(due))
                            @if waits && left < 0 { div.quiet { strong { (at.lang().f("逾期 {n} 天", &[("n", &-left)])) } } }
                            @else if waits && left <= NEAR { div.quiet { strong { (at.lang().f("还有 {n} 天", &[("n", &left)])) } } }
                        },
                    }
                }
            }),
            column::<Self>("taker", key("回访人"), Kind::Text, 12, |at| {
                Field::text(&at.row.taker)
            }),
            column::<Self>("round", key("第几次评价"), Kind::Integer, 10, |at| {
                Field::Integer(at.row.round)
            })
            .aside(),
            column::<Self>("mended", key("整改日期"), Kind::Date, 12, |at| {
                maybe(at.row.mended_on, Field::Date)
            })
            .aside(),
        ]
    }

    fn purpose() -> Purpose {
        Purpose::Review
    }

    async fn open(visit: &Visit, scope: Scope) -> Result<Self, Problem> {
        // A number of the figures opens all states.
        let to_do = [State::Open, State::Taken];
        Ok(Self {
            scope,
            filter: RatingFilter {
                states: listing::states(visit, &to_do, State::from_word),
                ..filter(visit)
            },
            sort: (
                RatingSort::from_word(visit.query.get("sort")),
                listing::falls(visit),
            ),
            terms: super::rate::terms(visit).await?,
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
    ) -> anyhow::Result<Page<RatingRow>> {
        let db = &visit.app.db;
        rating::list(db, &self.scope, &self.filter, self.sort, offset, limit).await
    }

    async fn after(
        &self,
        visit: &Visit,
        last: Option<&RatingRow>,
        limit: u64,
    ) -> anyhow::Result<Vec<RatingRow>> {
        let last = last.map(|row| row.id);
        rating::after(&visit.app.db, &self.scope, &self.filter, last, limit).await
    }

    fn href(&self, row: &RatingRow) -> Option<String> {
        Some(format!("/ratings/{}", row.id))
    }

    async fn shown(visit: &Visit, found: Found<Self>) -> Answer {
        let list = &found.list;
        let counts = rating::counts(&visit.app.db, &list.scope, &list.filter).await?;
        listing::Worklist {
            standings: listing::standings(State::ALL, &counts, |one| {
                let tone = match one {
                    State::Open => "red",
                    State::Taken => "yellow",
                    State::Mended | State::Kept => "",
                };
                (one.word(), state(visit.lang, one), tone)
            }),
            filters: filters(visit),
            to_do: visit.t("待认领和整改中"),
            nothing: (visit.t("没有这样的评价。"), visit.t("看待整改的差评")),
            acts: html! { a.button href="/ratings/figures" { (visit.t("满意率")) } },
        }
        .show(visit, &found)
    }
}

/// The filters that list and figures share.
pub(crate) fn filters(visit: &Visit) -> Markup {
    let (lang, query) = (visit.lang, &visit.query);
    let grades: Vec<(String, String)> = Grade::ALL
        .into_iter()
        .map(|one| (one.number().to_string(), grade(lang, one).to_owned()))
        .collect();
    let programmes = words::titled(lang, visit.app.desk.open_programmes());
    html! {
        (field(lang, "grade", visit.t("满意程度")).value(query.get("grade")).filter(visit.t("全部程度"), &grades))
        (field(lang, "programme", visit.t("事项")).value(query.get("programme")).filter(visit.t("全部事项"), &programmes))
        (field(lang, "from", visit.t("从哪天起")).value(query.get("from")).date())
        (field(lang, "before", visit.t("到哪天为止（不含这一天）")).value(query.get("before")).date())
    }
}
