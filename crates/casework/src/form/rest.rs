//! The rest of a form (其余问题): every fact the rules read that no page asks yet, so that a programme needs no `form.toml`.

use super::{Asked, Form, FormPage};
use crate::procedure::Procedure;
use policy::{Book, FactDef, Programme, VariableDef};
use std::collections::BTreeSet;

/// Where a page named after its programme stands: after the pages of `forms/common.toml`.
const AFTER_THE_COMMON_PAGES: u32 = 60;

/// What the rest follows from.
pub(super) struct Rest<'a> {
    pub(super) book: &'a Book,
    pub(super) programme: &'a Programme,
    pub(super) procedure: Option<&'a Procedure>,
    pub(super) common: &'a Form,
    pub(super) never: &'a [String],
}

/// The form with everything its pages do not ask (补全申请表).
pub(super) fn ask_the_rest(rest: &Rest<'_>, mut form: Form) -> Form {
    let mut open = rest.open(&form);
    let silent = rest.may_be_silent();
    let required = |fact: &str| !silent.contains(fact);
    for page in &rest.common.pages {
        let asks: Vec<Asked> = page
            .asks
            .iter()
            .filter(|ask| open.iter().any(|fact| fact.id == ask.fact))
            .map(|ask| Asked {
                required: required(&ask.fact),
                // A question that hangs on one that is not asked here is asked of everybody.
                when: ask.when.clone().filter(|when| {
                    asks(&form, &when.fact) || open.iter().any(|fact| fact.id == when.fact)
                }),
                ..ask.clone()
            })
            .collect();
        put(&mut form, page, asks);
    }
    open.retain(|fact| !asks(&form, &fact.id));
    let own = FormPage {
        id: rest.programme.id.clone(),
        zh: rest.programme.title_zh.clone(),
        en: rest.programme.title_en.clone(),
        order: AFTER_THE_COMMON_PAGES,
        asks: Vec::new(),
    };
    let asks = open.iter().map(|fact| Asked {
        fact: fact.id.clone(),
        required: required(&fact.id),
        prefill: true,
        when: None,
        only: None,
    });
    put(&mut form, &own, asks.collect());
    form
}

fn asks(form: &Form, fact: &str) -> bool {
    form.pages
        .iter()
        .flat_map(|page| &page.asks)
        .any(|ask| ask.fact == fact)
}

/// Adds questions to the page of this id, which is made like `page` where the form has none.
fn put(form: &mut Form, page: &FormPage, asks: Vec<Asked>) {
    if asks.is_empty() {
        return;
    }
    match form.pages.iter_mut().find(|known| known.id == page.id) {
        Some(known) => known.asks.extend(asks),
        None => form.pages.push(FormPage {
            asks,
            ..page.clone()
        }),
    }
}

impl<'a> Rest<'a> {
    /// The facts still to be asked, as declared: those of the libraries first, then file by file.
    fn open(&self, form: &Form) -> Vec<&'a FactDef> {
        let recorded: BTreeSet<&str> = self
            .procedure
            .iter()
            .flat_map(|procedure| &procedure.acts)
            .flat_map(|act| &act.fields)
            .filter_map(|field| field.fact.as_deref())
            .collect();
        let mut open: Vec<&FactDef> = self
            .programme
            .facts
            .iter()
            .filter(|fact| !recorded.contains(fact.as_str()))
            .filter(|fact| !self.never.contains(fact))
            .filter(|fact| !asks(form, fact))
            .filter_map(|fact| self.book.fact(fact))
            .collect();
        open.sort_by_key(|fact| {
            let of_a_programme = self.book.programme(&fact.folder).is_some();
            (of_a_programme, fact.spot.clone())
        });
        open
    }

    /// The facts whose absence counts as zero by law: nobody has to say them.
    fn may_be_silent(&self) -> BTreeSet<&'a str> {
        let variables = |list: &'a [VariableDef]| list.iter().flat_map(|one| &one.versions);
        let libraries = self.book.libraries().iter();
        libraries
            .flat_map(|(_, list)| variables(list))
            .chain(variables(&self.programme.variables))
            .chain(
                self.programme
                    .conditions
                    .iter()
                    .flat_map(|one| &one.versions),
            )
            .flat_map(|version| &version.absent_is_zero)
            .map(|(fact, _)| fact.as_str())
            .collect()
    }
}
