//! The first page (首页): what is waiting for this officer; for roles without cases, where to go; for the public, what
//! can be applied for.

use crate::nav;
use crate::parts::piece;
use crate::problem::Answer;
use crate::visit::Visit;
use access::Permission;
use maud::html;

/// `GET /` (首页).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    match &visit.signed {
        None => return super::catalogue::show(visit).await,
        Some(signed) if signed.must_change => return visit.go("/account?must=1"),
        Some(_) => {}
    }
    if visit.can(Permission::SeeCases) {
        return super::todo::show(visit).await;
    }
    let open: Vec<&nav::Entry> = nav::ENTRIES
        .iter()
        .filter(|entry| visit.can(entry.needs))
        .collect();
    let body = if open.is_empty() {
        piece::empty(visit.t("还没有授岗，请联系系统管理员。"), &html! {})
    } else {
        html! {
            ul.figures {
                @for entry in open { li { a href=(entry.path) { (visit.lang.look(entry.label)) } } }
            }
        }
    };
    Ok(visit.page(visit.t("今天要做什么")).nav("/").show(&body))
}
