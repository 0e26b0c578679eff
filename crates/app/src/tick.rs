//! `huimin tick` (每日任务): birthdays at the ages the rules name, facts that end, reviews that come near.
//!
//! A server does it by itself, soon after midnight and after every start; the command is for a timer of one's own, or for
//! catching up by hand. Guarantees: it is a job of the queue, one a day, claimed by one machine at a time; days missed are
//! made up for; done twice, it adds nothing; files of exports
//! kept long enough go with it. Deliberately absent: deciding anything; it opens tasks.

use crate::settings::{Data, Rules};
use crate::terminal::say;
use crate::{alerts, duplicates, job, night};
use casework::Desk;
use casework::life_event::{self, Day};
use casework::rulebook::Shelf;
use chrono::Duration;
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use store::{Db, NewJob, queue};
use verify::AtHand;

/// What kind of job it is.
const JOB: &str = "casework.tick";
/// How long one machine has for it before another may take over.
const LEASE: Duration = Duration::hours(2);
/// How often a server looks whether a day's work is still to be done.
const EVERY: std::time::Duration = std::time::Duration::from_secs(600);

/// What to work with (每日任务).
#[derive(Debug, Args)]
pub(crate) struct Tick {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    rules: Rules,
}

impl Tick {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let db = self.data.open().await?;
        let shelf = self.rules.shelf(&self.data, &db).await?;
        let desk = Arc::clone(&shelf.now().desk);
        match once(&db, &desk, "huimin tick").await? {
            Some(day) => say(&told(&day)),
            None => say("另一个进程正在办今天的任务 (another process has the job)"),
        }
        let base = self.data.snapshots();
        if let Some(ran) = night::once(&db, &desk, &base, "huimin tick").await? {
            say(&format!(
                "比对了 {} 户：新增线索 {}，仍在 {}，已消除 {} (swept; leads new, again, settled)",
                ran.manifest.households, ran.taken.new, ran.taken.again, ran.taken.settled
            ));
        }
        let at_hand = AtHand::new(&self.data.landed(), db.keys().clone());
        if let Some(ran) = alerts::once(&db, &desk, &at_hand, "huimin tick").await? {
            say(&alerts::told(&ran));
        }
        db.close().await
    }
}

fn told(day: &Day) -> String {
    format!(
        "核对了 {} 天：满龄 {} 人，到期事实 {} 条，登记事件 {} 件；新排核查 {} 件，转待办 {} 件 ({} days, {} events, {} review tasks)",
        day.days,
        day.birthdays,
        day.ended,
        day.events,
        day.reviews.scheduled,
        day.reviews.opened,
        day.days,
        day.events,
        day.reviews.opened,
    )
}

/// Does the day's work as a job of the queue; `None` while somebody else has it.
pub(crate) async fn once(db: &Db, desk: &Desk, worker: &str) -> anyhow::Result<Option<Day>> {
    let mut tx = db.begin().await?;
    let today = tx.today().to_string();
    tx.enqueue(NewJob::new(JOB, json!({ "day": today })).unique(&today))
        .await?;
    tx.commit().await?;
    let Some(lease) = queue::claim(db, worker, &[JOB], LEASE).await? else {
        return Ok(None);
    };
    let outcome = life_event::tick(db, desk).await;
    let failed = outcome.is_err().then_some("daily work failed, see the log");
    job::report(db, &lease, failed).await?;
    // Everybody is swept after that, by whoever looks for that job; what goes wrong among duplicates keeps nobody from it.
    if outcome.is_ok() {
        night::ask(db).await?;
        alerts::ask(db, None).await?;
        if let Err(fault) = duplicates::new_and_changed(db).await {
            tracing::error!("who is new was not compared with the register: {fault:#}");
        }
        if let Err(fault) = web::exports::tidy(db).await {
            tracing::error!("files of exports were not removed: {fault:#}");
        }
    }
    outcome.map(Some)
}

/// Looks every few minutes whether the day's work is still to be done, for as long as the server runs.
pub(crate) async fn daily(db: Db, shelf: Arc<Shelf>) {
    loop {
        let desk = Arc::clone(&shelf.now().desk);
        match life_event::daily::done_until(&db).await {
            Ok(Some(done)) if done >= db.today() => {}
            Ok(_) => match once(&db, &desk, "huimin serve").await {
                Ok(Some(day)) => tracing::info!(
                    days = day.days,
                    events = day.events,
                    reviews = day.reviews.opened,
                    "the day's work is done"
                ),
                Ok(None) => {}
                Err(fault) => tracing::error!("the day's work failed: {fault:#}"),
            },
            Err(fault) => tracing::error!("the day's work could not be looked up: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
