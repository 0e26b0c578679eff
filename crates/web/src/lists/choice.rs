//! Which columns somebody sees (列的选择): those of the address, else those the officer kept, else the usual ones.
//!
//! The choice of an address is for a link; what an officer ticks is kept for the account and this list. Words nobody knows
//! any more are passed over, and a choice of nothing is the usual one. Deliberately absent: another order of columns.

use super::{Column, List};
use crate::fields::Fields;
use crate::parts::form;
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, local_path};
use access::preference;
use maud::{Markup, html};

/// The columns chosen (所选列).
pub(crate) struct Choice<L: List> {
    /// Those shown, in the order of the list.
    pub(crate) columns: Vec<Column<L>>,
    /// Whether somebody chose them.
    own: bool,
}

impl<L: List> Choice<L> {
    /// What the visitor sees of this list (读取所选列).
    ///
    /// # Errors
    /// A fault of the database.
    pub(crate) async fn read(visit: &Visit) -> Result<Self, Problem> {
        let mut chosen = asked(&visit.query);
        if chosen.is_empty() {
            let officer = visit.actor().officer;
            chosen = preference::columns(&visit.app.db, officer, L::ABOUT.word).await?;
        }
        Ok(Self::of(&chosen))
    }

    /// The columns of who chose nothing (默认列).
    pub(crate) fn usual() -> Self {
        Self::of(&[])
    }

    /// Only these words (按词取列); with none of them known, the usual columns.
    fn of(words: &[String]) -> Self {
        let columns = only::<L>(words);
        if columns.is_empty() {
            return Self {
                columns: L::columns().into_iter().filter(Column::is_usual).collect(),
                own: false,
            };
        }
        Self { columns, own: true }
    }

    /// A query that says the choice aloud, if there is one (带上所选列).
    pub(crate) fn kept(&self, query: &Fields) -> Fields {
        let words: Vec<&str> = self.columns.iter().map(|column| column.word).collect();
        let words = if self.own {
            words.join(",")
        } else {
            String::new()
        };
        query.with("columns", &words)
    }

    /// The boxes to choose by (选择列).
    pub(crate) fn chooser(&self, visit: &Visit) -> Markup {
        let lang = visit.lang;
        let here = visit.query.with("columns", "").href(L::ABOUT.path);
        let all: Vec<(String, String)> = L::columns()
            .iter()
            .map(|column| (column.word.to_owned(), lang.look(column.label).to_owned()))
            .collect();
        let ticked: Vec<&str> = self.columns.iter().map(|column| column.word).collect();
        html! {
            details.choose {
                summary { (visit.t("选择列")) }
                form method="post" action=(format!("/lists/{}/columns", L::ABOUT.word)) {
                    (form::token(visit))
                    input type="hidden" name="back" value=(here);
                    (form::field(lang, "columns", visit.t("显示哪些列")).ticks(&all, &ticked))
                    div.buttons {
                        (form::lesser(visit.t("显示这些列")))
                        button.plain type="submit" name="usual" value="1" { (visit.t("恢复默认列")) }
                    }
                }
            }
        }
    }
}

/// The words a query asks for: `columns=number,due`, or one a name.
fn asked(query: &Fields) -> Vec<String> {
    query
        .all("columns")
        .flat_map(|words| words.split(','))
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The columns of these words (按词取列), in the order of the list.
fn only<L: List>(words: &[String]) -> Vec<Column<L>> {
    L::columns()
        .into_iter()
        .filter(|column| words.iter().any(|word| word == column.word))
        .collect()
}

/// The columns of a file (文件的列): those asked for, else all.
pub(crate) fn of_file<L: List>(query: &Fields) -> Vec<Column<L>> {
    let chosen = only::<L>(&asked(query));
    if chosen.is_empty() {
        L::columns()
    } else {
        chosen
    }
}

/// `POST /lists/{list}/columns` (保存所选列): kept for this officer and list; no entry in the journal, nothing of anybody is in it.
///
/// # Errors
/// [`Problem::NotFound`] for a list nobody knows; a fault of the database.
pub async fn keep(visit: &Visit) -> Answer {
    let list = super::known(visit.part("list")).ok_or(Problem::NotFound)?;
    let words: Vec<String> = if visit.form.has("usual") {
        Vec::new()
    } else {
        asked(&visit.form)
            .into_iter()
            .filter(|word| (list.has)(word))
            .collect()
    };
    let officer = visit.signed()?.actor.officer;
    let tx = visit.app.db.begin().await?;
    preference::keep_columns(&tx, officer, list.about.word, &words).await?;
    tx.commit().await?;
    visit.go(local_path(visit.form.get("back")))
}
