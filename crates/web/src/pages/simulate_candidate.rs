//! A draft of the rules tried on everybody (候选规则试算): other conditions and formulas, not only other values.
//!
//! Guarantees: the draft is tried as it stands, laid over the rules in force; nothing is changed. Deliberately absent: drafts
//! that do not load; their page says what is wrong.

use crate::parts::form::{FieldError, fault, field};
use crate::parts::proof;
use crate::problem::Problem;
use crate::visit::Visit;
use crate::words;
use access::{Permission, Scope};
use casework::rulebook::list::Draft;
use casework::rulebook::{Candidate, candidate, list};
use maud::{Markup, html};
use vocab::ids::RuleDraftId;

/// How many drafts can be chosen from.
const DRAFTS: u64 = 50;

/// The drafts one may try, and the one asked for.
pub(super) struct Candidates {
    drafts: Vec<Draft>,
    pub(super) chosen: Option<(RuleDraftId, Candidate)>,
    pub(super) wrong: Option<FieldError>,
}

impl Candidates {
    /// Reads what was chosen.
    pub(super) async fn of(visit: &Visit, scope: &Scope) -> Result<Self, Problem> {
        let mut found = Self {
            drafts: Vec::new(),
            chosen: None,
            wrong: None,
        };
        if !visit.can(Permission::SeeRules) {
            return Ok(found);
        }
        found.drafts = list::open_drafts(&visit.app.db, scope, DRAFTS).await?;
        let asked = visit.query.get("draft");
        if asked.is_empty() {
            return Ok(found);
        }
        let id: RuleDraftId = asked.parse().map_err(|_| Problem::NotFound)?;
        match candidate(&visit.app.db, &visit.app.shelf, scope, id).await? {
            Ok(candidate) => found.chosen = Some((id, candidate)),
            Err(refused) => {
                let sentence = words::sentence(visit.lang, &refused.to_string());
                found.wrong = Some(fault("draft", sentence));
            }
        }
        Ok(found)
    }

    /// How the chosen draft is called among the reforms.
    pub(super) fn name(&self, visit: &Visit) -> Option<String> {
        let (_, chosen) = self.chosen.as_ref()?;
        let title = proof::title(visit, &chosen.programme);
        Some(visit.lang.f("草稿：{title}", &[("title", &title)]))
    }

    /// Where one is chosen; nothing where there is none to choose.
    pub(super) fn choice(&self, visit: &Visit) -> Markup {
        let lang = visit.lang;
        let choices: Vec<(String, String)> = self
            .drafts
            .iter()
            .map(|draft| {
                let title = proof::title(visit, &draft.programme);
                let state = super::rule_drafts::state(visit, draft.state);
                (
                    draft.id.to_string(),
                    format!("{title}（{state}，{}）", draft.starter),
                )
            })
            .collect();
        html! {
            @if !self.drafts.is_empty() {
                (field(lang, "draft", visit.t("规则草稿")).value(visit.query.get("draft"))
                    .hint(html! { (visit.t("按草稿里的条件和公式再算一遍")) }).select(&choices))
            }
        }
    }

    /// What leads from the answer to the draft.
    pub(super) fn leads_on(&self, visit: &Visit) -> Markup {
        html! {
            @if let Some((id, _)) = &self.chosen {
                p { a.button href=(format!("/rules/drafts/{id}")) { (visit.t("打开这份草稿")) } }
            }
        }
    }
}
