//! Lists people work through (清单): a choice of places, a table with its pages or what to do when nothing is there, and the
//! work-list: things in states, counted on top, narrowed, sorted, cut and exported.
//!
//! Guarantees: every number on top leads to the list of that state with the other filters kept. Deliberately absent: what the
//! rows say, and the file an export makes ([`super::export`]).

use crate::lists::{Found, List};
use crate::parts::form::{field, lesser};
use crate::parts::{pager, piece, table};
use crate::problem::Answer;
use crate::visit::Visit;
use crate::words;
use maud::{Markup, html};
use std::collections::BTreeMap;
use store::Page;
use vocab::Region;

/// The places under one, as a filter (街道、社区); nothing where there is only one.
pub(crate) fn place(visit: &Visit, root: Region) -> Markup {
    let places = words::places_under(visit.lang, &visit.app.desk.book, root);
    html! {
        @if places.len() > 1 {
            (field(visit.lang, "region", visit.t("街道、社区")).value(visit.query.get("region")).filter(visit.t("全部街道社区"), &places))
        }
    }
}

/// The place asked for (所选街道社区).
pub(crate) fn chosen_place(visit: &Visit) -> Option<Region> {
    visit
        .query
        .some("region")
        .and_then(|code| code.parse().ok())
}

/// A page of a table with the way to the others, or what stands there when it is empty (表格或空页).
pub(crate) fn listed<T>(
    visit: &Visit,
    (caption, path): (&str, &str),
    columns: &[table::Column],
    rows: Vec<table::Row>,
    found: &Page<T>,
    nothing: &Markup,
) -> Markup {
    html! {
        @if found.rows.is_empty() {
            (nothing)
        } @else {
            (table::table(visit.lang, caption, columns, rows, path, &visit.query))
            (pager::pager(visit.lang, found, path, &visit.query))
        }
    }
}

/// The states asked for (所选状态): without a word those to be done, `all` every one.
pub(crate) fn states<S: Copy>(
    visit: &Visit,
    to_do: &[S],
    from_word: impl Fn(&str) -> Option<S>,
) -> Vec<S> {
    match visit.query.get("state") {
        "" => to_do.to_vec(),
        "all" => Vec::new(),
        word => from_word(word).into_iter().collect(),
    }
}

/// Whether the list is sorted the other way round (倒序).
pub(crate) fn falls(visit: &Visit) -> bool {
    visit.query.get("dir") == "desc"
}

/// How a state is called and shown (状态的说法): its word in addresses, its name, and the colour of its number.
pub(crate) type Standing = (&'static str, &'static str, &'static str);

/// A work-list (工作清单).
pub(crate) struct Worklist<'a> {
    /// Every state with how many are in it.
    pub(crate) standings: Vec<(Standing, u64)>,
    /// Its own filters.
    pub(crate) filters: Markup,
    /// How the states are called that are shown without being asked for.
    pub(crate) to_do: &'a str,
    /// What is said when nothing is there, and how the whole list is called then.
    pub(crate) nothing: (&'a str, &'a str),
    /// What else can be done here.
    pub(crate) acts: Markup,
}

/// Counted states as a work-list shows them (状态计数).
pub(crate) fn standings<S: Copy + Ord>(
    all: impl IntoIterator<Item = S>,
    counts: &BTreeMap<S, u64>,
    said: impl Fn(S) -> Standing,
) -> Vec<(Standing, u64)> {
    all.into_iter()
        .map(|one| (said(one), counts.get(&one).copied().unwrap_or(0)))
        .collect()
}

impl Worklist<'_> {
    /// The page (页面) of what was found.
    pub(crate) fn show<L: List>(self, visit: &Visit, found: &Found<L>) -> Answer {
        let path = L::ABOUT.path;
        let title = visit.lang.look(L::ABOUT.title);
        let (nothing, whole) = self.nothing;
        let nothing = piece::empty(
            nothing,
            &html! { @if visit.query.iter().next().is_some() { a.button href=(path) { (whole) } } },
        );
        let body = html! {
            (piece::figures(&self.figures(visit, path)))
            (self.narrowed(visit, path, found.list.scope().region))
            (found.table(visit, &nothing))
        };
        let acts = html! { (self.acts) (found.export(visit)) };
        Ok(visit.page(title).nav(path).wide().acts(acts).show(&body))
    }

    fn figures(&self, visit: &Visit, path: &str) -> Vec<piece::Figure> {
        let query = visit.query.with("page", "");
        self.standings
            .iter()
            .map(|((word, label, tone), count)| piece::Figure {
                label: (*label).to_owned(),
                count: *count,
                href: query.with("state", word).href(path),
                tone,
                chosen: *word == visit.query.get("state"),
            })
            .collect()
    }

    fn narrowed(&self, visit: &Visit, path: &str, root: Region) -> Markup {
        let mut states: Vec<(String, String)> = self
            .standings
            .iter()
            .map(|((word, label, _), _)| ((*word).to_owned(), (*label).to_owned()))
            .collect();
        states.push(("all".to_owned(), visit.t("全部状态").to_owned()));
        html! {
            form.filters method="get" action=(path) {
                (self.filters)
                (field(visit.lang, "state", visit.t("状态")).value(visit.query.get("state")).filter(self.to_do, &states))
                (place(visit, root))
                (lesser(visit.t("筛选")))
                a.button.plain href=(path) { (visit.t("清除")) }
            }
        }
    }
}
