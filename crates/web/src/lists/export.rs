//! A list as a file (清单导出): small ones at once; larger ones are asked for and made in the background ([`super::job`]).
//!
//! Both are written by the same writer from the same columns, with who took it, when, where and for what inside, and are
//! journalled. Deliberately absent: choosing rows; they are those of the page, with the same filter.

use super::{List, job};
use crate::parts::export::few_enough;
use crate::parts::{form, format, piece};
use crate::problem::Answer;
use crate::visit::{Visit, download};
use anyhow::Context;
use maud::html;
use serde_json::json;
use sheets::Flow;
use store::Event;

/// What browsers call a workbook (媒体类型).
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// `GET` a list's address with `/export` (导出清单); with more rows than are written while one waits, a page that offers to
/// make the file.
///
/// # Errors
/// [`crate::problem::Problem::Denied`]; [`crate::problem::Problem::Conflict`] when there are more rows than any file may have; a
/// fault of the database.
pub(crate) async fn file<L: List>(visit: &Visit) -> Answer {
    let about = L::ABOUT;
    let scope = visit.scope_for(about.exports, L::purpose())?;
    let list = L::open(visit, scope).await?;
    let at_once = visit.app.config.export_rows;
    let found = list.page(visit, 0, at_once).await?;
    if found.total > at_once {
        few_enough(visit, found.total, visit.app.config.export_rows_most)?;
        return offered::<L>(visit, found.total);
    }
    let head = job::head(visit, &list, found.total);
    let mut flow = Flow::begin(Vec::new(), head).context("beginning an export")?;
    for row in job::fields(visit, &list, &found.rows).await? {
        flow.put(&row).context("writing an export")?;
    }
    let bytes = flow.end().context("ending an export")?;
    let scope = list.scope();
    let mut tx = visit.app.db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: about.act.0.to_owned(),
        subject_kind: about.act.1.to_owned(),
        subject_id: visit.request_id.clone(),
        region: Some(scope.region),
        detail: json!({ "rows": found.total }),
    });
    tx.commit().await?;
    Ok(download(&named(visit, about.title), XLSX, bytes))
}

/// What a file is called (文件名).
pub(crate) fn named(visit: &Visit, title: &str) -> String {
    let name = visit.lang.look(title);
    let day = format::date(visit.today());
    format!("{name}-{day}.xlsx")
}

fn offered<L: List>(visit: &Visit, total: u64) -> Answer {
    let (lang, about) = (visit.lang, L::ABOUT);
    let query = visit.query.with("page", "");
    let body = piece::section(
        visit.t("生成文件"),
        &html! {
            p { (lang.f("一共 {total} 条。文件在后台生成，可以离开本页；生成后保留 7 天，只有您能下载。", &[("total", &format::number(total))])) }
            form method="post" action="/exports" {
                (form::token(visit))
                input type="hidden" name="list" value=(about.word);
                input type="hidden" name="query" value=(query.all_of());
                (form::act(visit.t("生成文件")))
            }
            p { a href="/exports" { (visit.t("我的导出")) } }
        },
    );
    Ok(visit
        .page(lang.f("导出：{list}", &[("list", &lang.look(about.title))]))
        .nav(about.path)
        .back(query.href(about.path), lang.look(about.title))
        .show(&body))
}
