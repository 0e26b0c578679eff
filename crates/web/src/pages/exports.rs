//! Exports (我的导出): the files an officer asked for, how far they are, stopping them, fetching them.
//!
//! Guarantees: a file is seen and fetched by who asked alone, and fetched only while they hold the permission of its list. The
//! page works without a script: progress is seen by asking again. Deliberately absent: making the file ([`crate::lists::job`]).

use crate::fields::Fields;
use crate::lists::{self, Known, export as files, job};
use crate::parts::export::few_enough;
use crate::parts::{form, format, pager, piece, running, table};
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, download};
use access::export::{self, Export, NewExport};
use access::{Purpose, Scope};
use axum::body::{Body, Bytes};
use axum::http::header;
use futures_util::stream;
use maud::html;
use std::io::Read;
use store::queue::{self, Job, State};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Rows a page shows.
const ROWS: u64 = 30;
/// Bytes handed on at once.
const PIECE: usize = 256 * 1024;

/// An export with its list and its job.
struct Shown {
    one: Export,
    list: &'static Known,
    job: Option<Job>,
}

impl Shown {
    /// Whether the file is still to come.
    fn comes(&self) -> bool {
        let waits = |job: &Job| matches!(job.state, State::Queued | State::Running);
        self.one.ready_at.is_none()
            && self.one.gone_at.is_none()
            && self.job.as_ref().is_some_and(waits)
    }

    fn state(&self, visit: &Visit) -> &'static str {
        match &self.job {
            _ if self.one.is_there() => visit.t("可以下载"),
            _ if self.one.ready_at.is_some() => visit.t("已清理"),
            Some(job) if job.state == State::Cancelled => visit.t("已取消"),
            _ if self.one.gone_at.is_some() => visit.t("没有生成成功"),
            Some(job) if job.state == State::Running => visit.t("正在生成"),
            Some(job) if job.state == State::Queued => visit.t("已排队"),
            _ => visit.t("没有生成成功"),
        }
    }
}

async fn shown(visit: &Visit, one: Export) -> Result<Option<Shown>, Problem> {
    let Some(list) = lists::known(&one.list) else {
        return Ok(None);
    };
    let job = queue::job(&visit.app.db, one.job).await?;
    Ok(Some(Shown { one, list, job }))
}

async fn own(visit: &Visit) -> Result<Shown, Problem> {
    let id: Uuid = visit.id("id")?;
    let officer = visit.signed()?.actor.officer;
    let one = export::own(&visit.app.db, officer, id)
        .await?
        .ok_or(Problem::NotFound)?;
    shown(visit, one).await?.ok_or(Problem::NotFound)
}

/// `GET /exports` (我的导出).
///
/// # Errors
/// A fault of the database.
pub async fn show(visit: &Visit) -> Answer {
    let officer = visit.signed()?.actor.officer;
    let (offset, limit) = visit.paging(ROWS);
    let found = export::list(&visit.app.db, officer, offset, limit).await?;
    let mut rows = Vec::new();
    for one in &found.rows {
        if let Some(one) = shown(visit, one.clone()).await? {
            rows.push(row(visit, &one));
        }
    }
    let columns = [
        table::text(visit.t("清单")),
        table::text(visit.t("申请时间")),
        table::number(visit.t("条数")),
        table::text(visit.t("状态")),
        table::text(visit.t("保留到")),
    ];
    let body = html! {
        @if rows.is_empty() {
            (piece::empty(visit.t("您还没有在后台生成的导出。清单太长时，导出会在这里生成。"), &html! {}))
        } @else {
            (table::table(visit.lang, visit.t("我的导出"), &columns, rows, "/exports", &visit.query))
            (pager::pager(visit.lang, &found, "/exports", &visit.query))
        }
    };
    Ok(visit.page(visit.t("我的导出")).wide().show(&body))
}

fn row(visit: &Visit, shown: &Shown) -> table::Row {
    let one = &shown.one;
    let until = one.kept_until().filter(|_| one.is_there());
    table::row(
        format!("/exports/{}", one.id),
        vec![
            html! { (visit.lang.look(shown.list.about.title)) },
            html! { (format::instant(one.asked_at)) },
            html! { (format::number(one.rows.unwrap_or(one.expected))) },
            html! { (shown.state(visit)) },
            html! { (until.map_or_else(|| "—".to_owned(), format::instant)) },
        ],
    )
}

/// `GET /exports/{id}` (导出进度).
///
/// # Errors
/// [`Problem::NotFound`] for who did not ask for it.
pub async fn one(visit: &Visit) -> Answer {
    let shown = own(visit).await?;
    let (one, lang) = (&shown.one, visit.lang);
    let here = format!("/exports/{}", one.id);
    let comes = shown.comes();
    let body = html! {
        section.part #progress hx-get=[comes.then_some(&here)] hx-trigger=[comes.then_some("every 1s")]
            hx-target=[comes.then_some("this")] hx-select=[comes.then_some("#progress")] hx-swap=[comes.then_some("outerHTML")] {
            h2 { (shown.state(visit)) }
            @if let Some(job) = shown.job.as_ref().filter(|_| comes) {
                (running::bar(lang, job, job.total.unwrap_or(one.expected), visit.app.db.now()))
                @if let Some(note) = job.note.as_deref().filter(|_| job.state == State::Queued) { p.quiet { (note) } }
                div.buttons {
                    form method="post" action=(format!("{here}/cancel")) {
                        (form::token(visit))
                        (form::lesser(visit.t("取消导出")))
                    }
                    a.button.plain href=(here) { (visit.t("刷新进度")) }
                }
                p.quiet { (visit.t("可以离开本页，文件在后台接着生成。")) }
            }
            @if one.is_there() {
                p { (lang.f("{rows} 条，{size}", &[
                    ("rows", &format::number(one.rows.unwrap_or_default())),
                    ("size", &format::size(i64::try_from(one.size.unwrap_or_default()).unwrap_or(i64::MAX))),
                ])) }
                p { a.button.primary href=(format!("{here}/file")) download="" { (visit.t("下载文件")) } }
                @if let Some(until) = one.kept_until() { p.quiet { (lang.f("保留到 {time}，以后自动清理。", &[("time", &format::instant(until))])) } }
            }
        }
    };
    Ok(visit
        .page(lang.f(
            "导出：{list}",
            &[("list", &lang.look(shown.list.about.title))],
        ))
        .back("/exports", visit.t("我的导出"))
        .show(&body))
}

/// `POST /exports` (申请导出).
///
/// # Errors
/// [`Problem::NotFound`] for a list nobody knows; [`Problem::Denied`]; [`Problem::Conflict`] for more rows than a file may have.
pub async fn post(visit: &Visit) -> Answer {
    let list = lists::known(visit.form.get("list")).ok_or(Problem::NotFound)?;
    let query = visit.form.get("query").to_owned();
    let asking = Visit::asking(
        visit.app.clone(),
        visit.signed()?.clone(),
        visit.lang,
        Fields::read(&query),
        visit.request_id.clone(),
    );
    let (scope, expected) = (list.count)(&asking).await?;
    few_enough(visit, expected, visit.app.config.export_rows_most)?;
    let new = NewExport {
        list: list.about.word.to_owned(),
        query,
        lang: visit.lang.code().to_owned(),
        expected,
    };
    let mut tx = visit.app.db.begin().await?;
    let id = export::ask(&mut tx, &scope, &new).await?;
    tx.commit().await?;
    visit.go(&format!("/exports/{id}"))
}

/// `POST /exports/{id}/cancel` (取消导出); one that is there stays.
///
/// # Errors
/// [`Problem::NotFound`] for who did not ask for it.
pub async fn cancel(visit: &Visit) -> Answer {
    let shown = own(visit).await?;
    if shown.comes() {
        let one = &shown.one;
        let scope = visit.scope(Purpose::Review)?;
        let mut tx = visit.app.db.begin().await?;
        queue::cancel(&tx, one.job).await?;
        export::gone(&tx, one.id).await?;
        export::note_cancelled(&mut tx, &scope, one);
        tx.commit().await?;
        job::files_removed(&visit.app.db, one.id)?;
    }
    visit.go(&format!("/exports/{}", shown.one.id))
}

/// `GET /exports/{id}/file` (下载导出文件); journalled.
///
/// # Errors
/// [`Problem::NotFound`] for who did not ask for it, and once it is gone; [`Problem::Denied`] for who may no longer have the list.
pub async fn file(visit: &Visit) -> Answer {
    let shown = own(visit).await?;
    if !shown.one.is_there() {
        return Err(Problem::NotFound);
    }
    let scope: Scope = visit.scope_for(shown.list.about.exports, Purpose::Review)?;
    let mut from = job::opened(&visit.app.db, shown.one.id)?;
    let mut tx = visit.app.db.begin().await?;
    export::note_fetched(&mut tx, &scope, &shown.one);
    tx.commit().await?;
    let (send, receive) = mpsc::channel::<std::io::Result<Bytes>>(2);
    tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; PIECE];
        loop {
            let read = match from.read(&mut piece) {
                Ok(0) => return,
                Ok(length) => Ok(Bytes::copy_from_slice(&piece[..length])),
                Err(fault) => Err(fault),
            };
            let broken = read.is_err();
            // Whoever fetches it may go away at any moment.
            if send.blocking_send(read).is_err() || broken {
                return;
            }
        }
    });
    let pieces = stream::unfold(receive, |mut receive| async move {
        receive.recv().await.map(|piece| (piece, receive))
    });
    let name = files::named(visit, shown.list.about.title);
    let mut answer = download(&name, files::XLSX, Vec::new());
    *answer.body_mut() = Body::from_stream(pieces);
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    Ok(answer)
}
