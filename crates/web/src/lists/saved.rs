//! Filters an officer keeps for a list (保存的筛选): links above the table, one of them the default, some shared.
//!
//! What is kept is the address: filter, order and columns, without the page. Opened without anything in its address, a list
//! goes to the officer's default; any filter in the address, or `?plain=1`, passes it over. Guarantees: works without a
//! script; a filter opens nothing the list would not show anyway. Deliberately absent: editing; saved again under its name, a
//! filter is replaced.

use super::{About, List, known};
use crate::fields::Fields;
use crate::parts::form;
use crate::parts::piece::{self, Kept};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, local_path, redirect};
use access::saved_filter::{self, NewFilter, SavedFilter};
use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;

/// The longest name, in characters.
const NAME: usize = 30;
/// The longest query, in bytes.
const QUERY: usize = 2_000;
/// What an address says beside filter, order and columns.
const PASSING: [&str; 2] = ["page", "plain"];

/// What of a query is kept (可保存的部分): all but the page, without blanks.
fn worth(query: &Fields) -> Fields {
    query
        .iter()
        .filter(|(name, value)| !PASSING.contains(name) && !value.trim().is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Whether two queries ask the same, in whatever order.
fn same(one: &Fields, other: &Fields) -> bool {
    let sorted = |fields: &Fields| {
        let mut pairs: Vec<(String, String)> = worth(fields)
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        pairs.sort();
        pairs
    };
    sorted(one) == sorted(other)
}

/// Where a list opened without anything in its address goes, if the officer has a default (转到默认筛选).
///
/// # Errors
/// A fault of the database.
pub(crate) async fn default_of<L: List>(visit: &Visit) -> Result<Option<Response>, Problem> {
    if visit.query.iter().next().is_some() || visit.partial {
        return Ok(None);
    }
    let found = saved_filter::default_of(&visit.app.db, &visit.actor(), L::ABOUT.word).await?;
    let query = found.map(|one| worth(&Fields::read(&one.query)));
    // A query of nothing would lead here again.
    let query = query.filter(|query| query.iter().next().is_some());
    Ok(query.map(|query| redirect(&query.href(L::ABOUT.path))))
}

/// The filters kept for a list and what the page asks now (保存的筛选).
pub(crate) struct Saved {
    filters: Vec<SavedFilter>,
    /// The present query with the columns shown.
    now: Fields,
}

impl Saved {
    /// Those an officer sees (读取).
    ///
    /// # Errors
    /// A fault of the database.
    pub(crate) async fn read<L: List>(visit: &Visit, now: &Fields) -> Result<Self, Problem> {
        Ok(Self {
            filters: saved_filter::seen(&visit.app.db, &visit.actor(), L::ABOUT.word).await?,
            now: worth(now),
        })
    }

    /// None, for a table that is part of another page (无).
    pub(crate) fn none() -> Self {
        Self {
            filters: Vec::new(),
            now: Fields::new(),
        }
    }

    /// The links above the table (筛选链接).
    pub(crate) fn links(&self, visit: &Visit, path: &str) -> Markup {
        if self.filters.is_empty() {
            return html! {};
        }
        let mut links: Vec<Kept<'_>> = self
            .filters
            .iter()
            .map(|one| {
                let query = worth(&Fields::read(&one.query));
                let default = one.default.then(|| visit.t("默认"));
                let shared = (!one.own).then(|| visit.t("共享"));
                Kept {
                    href: query.href(path),
                    name: &one.name,
                    tags: [default, shared].into_iter().flatten().collect(),
                    chosen: same(&query, &self.now),
                }
            })
            .collect();
        if self.filters.iter().any(|one| one.default) {
            links.push(Kept {
                href: format!("{path}?plain=1"),
                name: visit.t("不用默认筛选"),
                tags: Vec::new(),
                chosen: false,
            });
        }
        piece::kept(visit.t("保存的筛选"), &links)
    }

    /// Keeping the present one, and what can be done with those kept (保存与管理).
    pub(crate) fn keeping(&self, visit: &Visit, about: &About) -> Markup {
        let lang = visit.lang;
        let to = format!("/lists/{}/filters", about.word);
        let here = self.now.href(about.path);
        let something = self.now.iter().next().is_some();
        html! {
            @if something || !self.filters.is_empty() {
                details.choose {
                    summary { (visit.t("保存筛选")) }
                    @if something {
                        form method="post" action=(to) {
                            (form::token(visit))
                            input type="hidden" name="query" value=(self.now.all_of());
                            (form::field(lang, "name", visit.t("给现在的筛选、排序和列起个名字")).text())
                            div.choice {
                                input #shared type="checkbox" name="shared" value="1";
                                label for="shared" { (visit.t("与同岗位、同辖区的同事共享")) }
                            }
                            (form::lesser(visit.t("保存筛选")))
                        }
                    }
                    @if !self.filters.is_empty() {
                        ul.plain-list {
                            @for one in &self.filters {
                                li {
                                    form.buttons method="post" action=(format!("{to}/{}", one.id)) {
                                        (form::token(visit))
                                        input type="hidden" name="back" value=(here);
                                        span { (one.name) }
                                        @if one.default {
                                            button.plain type="submit" name="act" value="usual" { (visit.t("不再默认")) }
                                        } @else {
                                            button.plain type="submit" name="act" value="default" { (visit.t("设为默认")) }
                                        }
                                        @if one.own {
                                            button.plain type="submit" name="act" value="remove" { (visit.t("删除")) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The list of the path, if the visitor may see it.
fn seen(visit: &Visit) -> Result<About, Problem> {
    let list = known(visit.part("list")).ok_or(Problem::NotFound)?;
    if visit.can(list.about.sees) {
        Ok(list.about)
    } else {
        Err(Problem::NotFound)
    }
}

/// `POST /lists/{list}/filters` (保存筛选); no entry in the journal, nothing of anybody is in it.
///
/// # Errors
/// [`Problem::NotFound`] for a list nobody knows or the visitor may not see; [`Problem::Invalid`].
pub async fn save(visit: &Visit) -> Answer {
    let about = seen(visit)?;
    let name = visit.form.get("name");
    if name.is_empty() || name.chars().count() > NAME {
        let sentence = visit
            .lang
            .f("请给筛选起一个名字，最多 {most} 个字", &[("most", &NAME)]);
        return Err(Problem::about("name", sentence));
    }
    let query = worth(&Fields::read(visit.form.get("query")));
    let text = query.all_of();
    if text.is_empty() || text.len() > QUERY {
        return Err(Problem::invalid(
            visit.t("现在没有可以保存的筛选、排序或列，或者条件太长"),
        ));
    }
    let actor = visit.signed()?.actor.clone();
    let shared = visit.form.has("shared");
    let new = NewFilter {
        list: about.word.to_owned(),
        name: name.to_owned(),
        query: text,
        shared: shared
            .then(|| saved_filter::circle(&actor, about.sees))
            .flatten(),
    };
    let mut tx = visit.app.db.begin().await?;
    saved_filter::save(&mut tx, actor.officer, &new).await?;
    tx.commit().await?;
    visit.go(&query.href(about.path))
}

/// `POST /lists/{list}/filters/{id}` (设为默认、删除筛选).
///
/// # Errors
/// [`Problem::NotFound`] for a filter the visitor does not see, or may not remove.
pub async fn change(visit: &Visit) -> Answer {
    let about = seen(visit)?;
    let id: Uuid = visit.id("id")?;
    let actor = visit.signed()?.actor.clone();
    let filters = saved_filter::seen(&visit.app.db, &actor, about.word).await?;
    if !filters.iter().any(|one| one.id == id) {
        return Err(Problem::NotFound);
    }
    let tx = visit.app.db.begin().await?;
    let officer = actor.officer;
    match visit.form.get("act") {
        "default" => saved_filter::set_default(&tx, officer, about.word, Some(id)).await?,
        "usual" => saved_filter::set_default(&tx, officer, about.word, None).await?,
        "remove" if saved_filter::remove(&tx, officer, id).await? => {}
        _ => return Err(Problem::NotFound),
    }
    tx.commit().await?;
    visit.go(local_path(visit.form.get("back")))
}
