//! The sweep over everybody as a job (全人口比对): start it now, see how far it is, stop it; what the last one came to.
//!
//! Guarantees: one at a time; stopped, the next run goes on from there. Deliberately absent: what was found; that is
//! [`super::leads`].

use crate::parts::{form, format, piece, running};
use crate::problem::{Answer, Problem};
use crate::visit::Visit;
use access::Purpose;
use batch::night::{self, JOB, KEY};
use maud::{Markup, html};
use std::path::Path;
use store::queue::{self, Job, State};
use store::{Event, NewJob};

/// The folder of snapshots, or a refusal that says what is missing.
pub(crate) fn base(visit: &Visit) -> Result<&Path, Problem> {
    visit.app.config.snapshots.as_deref().ok_or_else(|| {
        Problem::Conflict(
            visit
                .t("这个服务没有设置快照文件夹；请管理员用 --snapshots 指定。")
                .to_owned(),
        )
    })
}

/// The last job asked for, if any.
async fn last(visit: &Visit) -> anyhow::Result<Option<Job>> {
    let only = queue::Filter {
        kinds: vec![JOB.to_owned()],
        ..queue::Filter::default()
    };
    Ok(queue::list(&visit.app.db, &only, 0, 1).await?.rows.pop())
}

/// `GET /leads/sweep` (全人口比对).
///
/// # Errors
/// A fault of the database or of the folder.
pub async fn show(visit: &Visit) -> Answer {
    let job = last(visit).await?;
    let running = job
        .as_ref()
        .is_some_and(|job| matches!(job.state, State::Queued | State::Running));
    let newest = night::newest(base(visit)?).await?;
    let body = html! {
        section.part #progress hx-get=[running.then_some("/leads/sweep")] hx-trigger=[running.then_some("every 2s")]
            hx-target=[running.then_some("this")] hx-select=[running.then_some("#progress")] hx-swap=[running.then_some("outerHTML")] {
            h2 { (visit.t("现在")) }
            @if let Some(job) = &job { (state(visit, job)) } @else { p { (visit.t("还没有比对过。")) } }
            @if running {
                div.buttons {
                    form method="post" action="/leads/sweep/cancel" {
                        (form::token(visit))
                        (form::lesser(visit.t("停止比对")))
                    }
                    a.button.plain href="/leads/sweep" { (visit.t("刷新进度")) }
                }
                p.quiet { (visit.t("停止以后已做的都保留，下次接着做。")) }
            } @else {
                form method="post" action="/leads/sweep" {
                    (form::token(visit))
                    (form::act(visit.t("现在比对全部人口")))
                }
                p.quiet { (visit.t("每晚会自动比对一次。比对只读登记和发放，结果成为线索，不改变任何金额。")) }
            }
        }
        @if let Some((_, manifest)) = &newest {
            (piece::section(visit.t("最近一次快照"), &piece::facts(&[
                (visit.t("基准日").to_owned(), html! { (format::date(manifest.as_of)) }),
                (visit.t("户数").to_owned(), html! { (format::number(manifest.households)) }),
                (visit.t("人数").to_owned(), html! { (format::number(manifest.people)) }),
                (visit.t("规则版本").to_owned(), html! { (manifest.pack_version) }),
            ])))
        }
    };
    let acts = html! { a.button href="/leads" { (visit.t("看线索")) } };
    Ok(visit
        .page(visit.t("全人口比对"))
        .nav("/leads")
        .back("/leads", visit.t("政策找人"))
        .acts(acts)
        .show(&body))
}

/// How the job stands, with a bar and how long the rest takes.
pub(crate) fn state(visit: &Visit, job: &Job) -> Markup {
    let lang = visit.lang;
    let when =
        |at: Option<chrono::DateTime<chrono::Utc>>| at.map(format::instant).unwrap_or_default();
    html! {
        @match job.state {
            State::Queued => p { (visit.t("已排队，几秒后开始。")) },
            State::Running => {
                @if let Some(total) = job.total.filter(|total| *total > 0) {
                    (running::bar(lang, job, total, visit.app.db.now()))
                } @else { p { (visit.t("正在准备……")) } }
            },
            State::Done => p { (lang.f("上一次比对于 {time} 完成。", &[("time", &when(job.finished_at))])) },
            State::Dead => p.note.warn { (visit.t("上一次比对多次失败，请管理员查看日志。")) },
            State::Cancelled => p { (lang.f("上一次比对于 {time} 被停止；再比对会接着做。", &[("time", &when(job.finished_at))])) },
        }
        @if let Some(note) = job.note.as_deref().filter(|_| job.state == State::Queued) { p.quiet { (note) } }
    }
}

/// `POST /leads/sweep` (现在比对).
///
/// # Errors
/// A fault of the database.
pub async fn start(visit: &Visit) -> Answer {
    base(visit)?;
    let scope = visit.scope(Purpose::Review)?;
    let mut tx = visit.app.db.begin().await?;
    let job = NewJob::new(JOB, serde_json::json!({ "by": scope.actor.name })).unique(KEY);
    let id = tx.enqueue(job).await?;
    tx.note(event(&scope, "web.sweep", &id.to_string()));
    tx.commit().await?;
    visit.go("/leads/sweep")
}

/// `POST /leads/sweep/cancel` (停止比对).
///
/// # Errors
/// A fault of the database.
pub async fn cancel(visit: &Visit) -> Answer {
    let scope = visit.scope(Purpose::Review)?;
    if let Some(job) = last(visit).await? {
        let mut tx = visit.app.db.begin().await?;
        queue::cancel(&tx, job.id).await?;
        tx.note(event(&scope, "web.sweep_cancel", &job.id.to_string()));
        tx.commit().await?;
    }
    visit.go("/leads/sweep")
}

fn event(scope: &access::Scope, act: &str, id: &str) -> Event {
    Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "job".to_owned(),
        subject_id: id.to_owned(),
        region: Some(scope.region),
        detail: serde_json::json!({}),
    }
}
