//! Acts on many rows (批量办理): tick rows, or take all of the filter; see what would happen to each; confirm once.
//!
//! A list declares its acts ([`List::acts`]); each names the very function the single act uses. The preview carries every act
//! out and undoes it, so it says what would really happen, or why not. Guarantees: each row is a transaction of its own, with
//! the journal entry of the single act; the permission is that of the single act; never more rows than [`MOST`]; works
//! without a script. Deliberately absent: acts that ask once more who is there; those are done one at a time.

use super::{Found, List};
use crate::fields::Fields;
use crate::parts::{form, format, piece, table};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::{Permission, Scope};
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::pin::Pin;
use store::Tx;
use uuid::Uuid;

/// So many rows are taken at once.
const MOST: u64 = 200;
/// The form the boxes of the table belong to.
pub(crate) const FORM: &str = "bulk";

/// What became of one row: done, or the sentence why not.
pub(crate) type Carried<'a> =
    Pin<Box<dyn Future<Output = anyhow::Result<Result<(), String>>> + Send + 'a>>;

/// An act on many rows (批量操作).
#[derive(Clone, Copy)]
pub(crate) struct Bulk {
    /// Its word in forms.
    pub(crate) word: &'static str,
    /// What it is called, marked with [`crate::locale::key`].
    pub(crate) label: &'static str,
    /// Who may: that of the single act.
    pub(crate) permission: Permission,
    /// What has to be said along.
    pub(crate) fields: fn(&Visit) -> Markup,
    /// Which names of the form those are.
    pub(crate) names: &'static [&'static str],
    /// The function of the single act.
    pub(crate) run: for<'a> fn(&'a Visit, &'a mut Tx, &'a Scope, Uuid) -> Carried<'a>,
}

/// The acts of a list this visitor may carry out (可用的批量操作).
pub(crate) fn open_to<L: List>(visit: &Visit) -> Vec<Bulk> {
    let all = L::acts().into_iter();
    all.filter(|act| !act.permission.asks_again() && visit.can(act.permission))
        .collect()
}

/// The box of a row (勾选框).
pub(crate) fn tick(visit: &Visit, id: Uuid, at: usize) -> Markup {
    let label = visit.lang.f("选择第 {n} 行", &[("n", &(at + 1))]);
    html! { input type="checkbox" name="row" value=(id) form=(FORM) aria-label=(label); }
}

/// What can be done with the rows ticked (批量办理), below the table.
pub(crate) fn offered<L: List>(visit: &Visit, found: &Found<L>) -> Markup {
    let acts = open_to::<L>(visit);
    let total = found.page.total;
    let more = total > u64::try_from(found.page.rows.len()).unwrap_or(u64::MAX);
    html! {
        @if !acts.is_empty() && found.page.rows.iter().any(|row| L::id(row).is_some()) {
            details.choose {
                summary { (visit.t("批量办理")) }
                form.narrow id=(FORM) method="post" action=(format!("/lists/{}/bulk", L::ABOUT.word)) {
                    (form::token(visit))
                    input type="hidden" name="query" value=(visit.query.all_of());
                    p.quiet { (visit.t("先在表中勾选，再写明情况。下一步只预览，不会改动。")) }
                    @if more {
                        div.choice {
                            input #all type="checkbox" name="all" value="1";
                            label for="all" {
                                @if total > MOST { (visit.lang.f("不勾选，办这个筛选的前 {most} 条（一共 {total} 条）", &[("most", &MOST), ("total", &format::number(total))])) }
                                @else { (visit.lang.f("不勾选，办这个筛选的全部 {total} 条", &[("total", &format::number(total))])) }
                            }
                        }
                    }
                    @for act in &acts {
                        ((act.fields)(visit))
                        div.buttons {
                            button type="submit" name="act" value=(act.word) {
                                (visit.lang.f("预览：{act}", &[("act", &visit.lang.look(act.label))]))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The rows a form names, and what the list says of them.
struct Picked<L: List> {
    ids: Vec<Uuid>,
    found: Found<L>,
}

/// The rows ticked, or the first of the filter; a row that is no longer listed is kept, so that it is said what became of it.
async fn picked<L: List>(visit: &Visit) -> Result<Picked<L>, Problem> {
    let all = visit.form.has("all");
    let first = all || visit.form.has("first");
    let query = Fields::read(visit.form.get("query"));
    let asking = Visit::asking(
        visit.app.clone(),
        visit.signed()?.clone(),
        visit.lang,
        query
            .with("columns", "")
            .with("page", if first { "" } else { query.get("page") }),
        visit.request_id.clone(),
    );
    let scope = asking.scope_for(L::ABOUT.sees, L::purpose())?;
    let list = L::open(&asking, scope).await?;
    let (offset, rows) = asking.paging(L::ABOUT.rows);
    let limit = if first { MOST } else { rows };
    let page = list.page(&asking, offset, limit).await?;
    let ids: Vec<Uuid> = if all {
        page.rows.iter().filter_map(L::id).collect()
    } else {
        let mut once = BTreeSet::new();
        let ticked = visit.form.all("row").filter_map(|id| id.parse().ok());
        ticked.filter(|id| once.insert(*id)).collect()
    };
    if ids.len() > usize::try_from(MOST).unwrap_or(usize::MAX) {
        let sentence = visit.lang.f("一次最多办 {most} 条", &[("most", &MOST)]);
        return Err(Problem::invalid(sentence));
    }
    let beside = list.beside(&asking, &page.rows).await?;
    Ok(Picked {
        ids,
        found: Found::by(list, page, beside),
    })
}

impl<L: List> Picked<L> {
    /// What the first columns of the list say of a row; nothing of one that is no longer in it.
    fn named(&self, visit: &Visit, id: Uuid) -> Vec<Markup> {
        let row = self
            .found
            .page
            .rows
            .iter()
            .find(|row| L::id(row) == Some(id));
        let cells = row.map(|row| self.found.row(visit, row, None).cells);
        cells.unwrap_or_else(|| vec![html! { (visit.t("已不在这个清单里")) }])
    }
}

/// Carries the act out for each row, each in its own transaction; undone again unless it is meant.
async fn carried_out(
    visit: &Visit,
    act: &Bulk,
    scope: &Scope,
    ids: &[Uuid],
    meant: bool,
) -> Result<Vec<(Uuid, Result<(), String>)>, Problem> {
    let mut outcomes = Vec::new();
    for id in ids {
        let mut tx = visit.app.db.begin().await?;
        let outcome = (act.run)(visit, &mut tx, scope, *id).await?;
        if meant && outcome.is_ok() {
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        outcomes.push((*id, outcome));
    }
    Ok(outcomes)
}

/// `POST /lists/{list}/bulk` (批量办理): without `sure` a preview, with it the acts themselves.
///
/// # Errors
/// [`Problem::NotFound`] for an act the list does not have; [`Problem::Denied`].
pub(crate) async fn post<L: List>(visit: &Visit) -> Answer {
    let word = visit.form.get("act");
    let act = L::acts()
        .into_iter()
        .find(|act| act.word == word && !act.permission.asks_again())
        .ok_or(Problem::NotFound)?;
    let scope = visit.scope_for(act.permission, L::purpose())?;
    let picked = picked::<L>(visit).await?;
    let sure = visit.form.has("sure");
    let outcomes = carried_out(visit, &act, &scope, &picked.ids, sure).await?;
    let (lang, about) = (visit.lang, L::ABOUT);
    let back = Fields::read(visit.form.get("query")).href(about.path);
    let good = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.is_ok())
        .count();
    let counts: [(&str, &dyn std::fmt::Display); 2] =
        [("good", &good), ("bad", &(outcomes.len() - good))];
    // Of what is done, only what did not go through is still of interest.
    let shown = outcomes
        .iter()
        .filter(|(_, outcome)| !sure || outcome.is_err());
    let rows: Vec<table::Row> = shown.map(|one| line(visit, &picked, one, sure)).collect();
    let columns = [
        table::text(visit.t("结果")),
        table::text(lang.look(about.title)),
    ];
    let body = html! {
        @if outcomes.is_empty() {
            (piece::empty(visit.t("没有勾选任何一行。"), &html! {}))
        } @else if sure {
            div.note role="status" { (lang.f("办好 {good} 条，{bad} 条没有办成。", &counts)) }
        } @else {
            p.lead { (lang.f("可以办 {good} 条，{bad} 条不能办。还没有改动任何数据。", &counts)) }
        }
        @if !rows.is_empty() { (table::table(lang, visit.t("逐条结果"), &columns, rows, "", &visit.query)) }
        @if !sure && good > 0 { (confirm(visit, &act, &picked.ids, about.word)) }
        p { a.button href=(back) { (visit.t("回到清单")) } }
    };
    Ok(visit
        .page(lang.f("批量办理：{act}", &[("act", &lang.look(act.label))]))
        .nav(about.path)
        .back(&back, lang.look(about.title))
        .wide()
        .show(&body))
}

fn line<L: List>(
    visit: &Visit,
    picked: &Picked<L>,
    (id, outcome): &(Uuid, Result<(), String>),
    sure: bool,
) -> table::Row {
    let said = match outcome {
        Ok(()) if sure => visit.t("已办").to_owned(),
        Ok(()) => visit.t("可以办").to_owned(),
        Err(why) => why.clone(),
    };
    let cells = picked.named(visit, *id);
    table::still(vec![
        html! { (said) },
        html! { @for (at, cell) in cells.iter().take(4).enumerate() { @if at > 0 { " · " } (cell) } },
    ])
}

/// One confirmation for all, with everything said before.
fn confirm(visit: &Visit, act: &Bulk, ids: &[Uuid], word: &str) -> Markup {
    html! {
        form method="post" action=(format!("/lists/{word}/bulk")) {
            (form::token(visit))
            input type="hidden" name="act" value=(act.word);
            input type="hidden" name="sure" value="1";
            input type="hidden" name="query" value=(visit.form.get("query"));
            @if visit.form.has("all") { input type="hidden" name="first" value="1"; }
            @for id in ids { input type="hidden" name="row" value=(id); }
            @for name in act.names { input type="hidden" name=(name) value=(visit.form.get(name)); }
            (form::act(&visit.lang.f("确认：{act}", &[("act", &visit.lang.look(act.label))])))
        }
    }
}

/// `POST /lists/{list}/bulk` (批量办理) for the list of the path.
///
/// # Errors
/// [`Problem::NotFound`] for a list nobody knows.
pub async fn of_list(visit: &Visit) -> Answer {
    let list = super::known(visit.part("list")).ok_or(Problem::NotFound)?;
    (list.bulk)(visit).await
}
