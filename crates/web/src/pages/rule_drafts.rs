//! Drafts of rules (规则草稿): what is being written, what waits for a second officer, what became of the rest.

use crate::parts::{format, listing, piece, proof, table};
use crate::problem::Answer;
use crate::visit::Visit;
use access::Purpose;
use casework::rulebook::State;
use casework::rulebook::list;
use maud::html;

/// Rows a page shows.
const ROWS: u64 = 30;

/// How far a draft has come, in words.
pub(crate) fn state(visit: &Visit, state: State) -> &'static str {
    match state {
        State::Draft => visit.t("起草中"),
        State::Proposed => visit.t("待同事复核"),
        State::Published => visit.t("已发布"),
        State::Discarded => visit.t("已作废"),
    }
}

/// `GET /rules/drafts` (规则草稿列表).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let lang = visit.lang;
    let scope = visit.scope(Purpose::Review)?;
    let (offset, limit) = visit.paging(ROWS);
    let found = list::drafts(&visit.app.db, &scope, offset, limit).await?;
    let columns = [
        table::text(visit.t("事项")),
        table::text(visit.t("状态")),
        table::text(visit.t("检查结果")),
        table::text(visit.t("施行日")),
        table::text(visit.t("起草人")),
        table::text(visit.t("最近保存")),
    ];
    let rows = found
        .rows
        .iter()
        .map(|draft| {
            table::row(
                format!("/rules/drafts/{}", draft.id),
                vec![
                    html! { (proof::title(visit, &draft.programme)) " " code.quiet { (draft.programme) } },
                    html! { (piece::tag(state(visit, draft.state))) },
                    html! { (proof::in_short(lang, &draft.checked)) },
                    html! { (draft.from.map_or_else(|| "—".to_owned(), format::date)) },
                    html! { (draft.starter) },
                    html! { (format::instant(draft.saved_at)) },
                ],
            )
        })
        .collect();
    let body = html! {
        (listing::listed(visit, (visit.t("规则草稿"), "/rules/drafts"), &columns, rows, &found, &piece::empty(visit.t("没有规则草稿。在规则详情页选“修改规则”起草。"), &html! {
                a.button href="/rules" { (visit.t("规则")) }
            })))
    };
    let note = match visit.query.get("done") {
        "discarded" => Some(html! { (visit.t("草稿已作废，现行规则没有改变。")) }),
        _ => None,
    };
    Ok(visit
        .page(visit.t("规则草稿"))
        .nav("/rules")
        .back("/rules", visit.t("规则"))
        .acts(html! { a.button href="/rules/editions" { (visit.t("规则历史")) } })
        .note(note)
        .wide()
        .show(&body))
}
