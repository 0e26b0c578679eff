//! What an application is for (要申请的事项): asked on its first page, so that a form asks what somebody wants and no more.

use super::application::Form;
use crate::parts::form::{FieldError, field};
use crate::visit::Visit;
use crate::words;
use maud::{Markup, html};
use policy::{Determination, Outcome};
use std::collections::BTreeSet;

/// What this application is for (要申请的事项): what is asked about, and what nothing known speaks against.
pub(crate) fn fieldset(
    visit: &Visit,
    form: &Form,
    said: &[Determination],
    errors: &[FieldError],
) -> Markup {
    let lang = visit.lang;
    let possible: BTreeSet<&str> = said
        .iter()
        .filter(|found| found.outcome != Outcome::NotMet)
        .map(|found| found.programme.as_str())
        .collect();
    let chosen: Vec<&str> = form.draft.programmes.iter().map(String::as_str).collect();
    let offered = visit
        .app
        .desk
        .open_programmes()
        .filter(|one| chosen.contains(&one.id.as_str()) || possible.contains(one.id.as_str()));
    let choices = words::titled(lang, offered);
    let more = choices.len() - chosen.len().min(choices.len());
    html! {
        details.asked open[errors.iter().any(|error| error.field == FIELD)] {
            summary {
                (lang.f("这次申请 {count} 个事项", &[("count", &chosen.len())]))
                @if more > 0 { " · " (lang.f("还有 {more} 个可以加进来", &[("more", &more)])) }
            }
            input type="hidden" name="asked" value="1";
            (field(lang, FIELD, visit.t("要申请的事项"))
                .hint(html! { (visit.t("已经看得出不符合的没有列出。加进来以后，后面会多问几项。")) })
                .errors(errors).ticks(&choices, &chosen))
        }
    }
}

/// The field that names the programmes.
pub(crate) const FIELD: &str = "programme";

/// What the application is for after this page: as ticked, if the page asked.
pub(crate) fn after(visit: &Visit, form: &Form) -> Vec<String> {
    if visit.form.get("asked").is_empty() {
        return form.draft.programmes.clone();
    }
    let ticked: BTreeSet<&str> = visit.form.all(FIELD).collect();
    visit
        .app
        .desk
        .open_programmes()
        .filter(|one| ticked.contains(one.id.as_str()))
        .map(|one| one.id.clone())
        .collect()
}
