//! Re-checking everybody in payment as a job (在发对象持续核对任务): after each delivery with what it says, every night with all.
//!
//! Guarantees: each claimed by one machine; what a run that was cancelled had filed stays, and the next one begins anew and adds
//! nothing twice. Deliberately absent: what is compared; that is `verify::alert`.

use crate::job::{self, EVERY};
use crate::sweep::workers;
use access::{Purpose, Scope};
use anyhow::Context;
use casework::Desk;
use casework::rulebook::Shelf;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, NewJob};
use verify::AtHand;
use verify::alert::run::{JOB, KEY, KEY_OF_DELIVERIES, outstanding};
use verify::alert::{Asking, Ran, run};

/// Puts the job into the queue, unless one of its kind is waiting; with `only`, for these sources. One for some sources never
/// stands in the way of one for all.
pub(crate) async fn ask(db: &Db, only: Option<&BTreeSet<String>>) -> anyhow::Result<()> {
    let key = if only.is_some() {
        KEY_OF_DELIVERIES
    } else {
        KEY
    };
    let mut tx = db.begin().await?;
    tx.enqueue(NewJob::new(JOB, json!({ "only": only })).unique(key))
        .await?;
    tx.commit().await
}

/// What a run came to, in a sentence for the console.
pub(crate) fn told(ran: &Ran) -> String {
    format!(
        "  核对在发 {} 人，新增预警 {} 条，消除 {} 条 (people in payment compared, new alerts, settled)",
        ran.people, ran.held.new, ran.settled
    )
}

/// Does the waiting job, if there is one; `None` when there is none, or it was cancelled.
pub(crate) async fn once(
    db: &Db,
    desk: &Desk,
    at_hand: &AtHand,
    worker: &str,
) -> anyhow::Result<Option<Ran>> {
    let note = (JOB, "核对失败，原因见日志 (see the log)");
    job::once(db, worker, note, async |job, told| {
        let only = job.payload["only"].clone();
        let only: Option<BTreeSet<String>> =
            serde_json::from_value(only).context("what a job of alerts is for")?;
        let scope = Scope {
            purpose: Purpose::Review,
            ..Scope::system(desk.book.place().division)
        };
        let asking = Asking {
            db,
            scope: &scope,
            book: &desk.book,
            calendar: &desk.calendar,
            at_hand,
            workers: workers(None),
        };
        let never = AtomicBool::new(false);
        let tell = |done: u64, total: u64| told.at(done, total);
        run(&asking, only.as_ref(), &never, &tell).await
    })
    .await
}

/// Looks for deliveries nobody has compared, and for the job, for as long as the server runs.
pub(crate) async fn watch(db: Db, shelf: Arc<Shelf>, at_hand: Arc<AtHand>) {
    loop {
        let desk = Arc::clone(&shelf.now().desk);
        match look(&db, &desk, &at_hand).await {
            Ok(Some(ran)) => tracing::info!(
                people = ran.people,
                new = ran.held.new,
                settled = ran.settled,
                "everybody in payment was compared"
            ),
            Ok(None) => {}
            Err(fault) => tracing::error!("comparing those in payment failed: {fault:#}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(db: &Db, desk: &Desk, at_hand: &Arc<AtHand>) -> anyhow::Result<Option<Ran>> {
    let new = outstanding(db, &desk.book, at_hand).await?;
    if !new.is_empty() {
        ask(db, Some(&new)).await?;
    }
    once(db, desk, at_hand, "huimin serve").await
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::queue::{Filter, list};

    fixtures::db_tests! {
        migrations = crate::settings::migrations();

        async fn what_was_delivered_does_not_stand_in_the_way_of_the_night(db: Db) {
            let some: BTreeSet<String> = ["death".to_owned()].into();
            ask(&db, Some(&some)).await.unwrap();
            ask(&db, None).await.unwrap();
            ask(&db, None).await.unwrap();
            ask(&db, Some(&some)).await.unwrap();
            let jobs = list(&db, &Filter::default(), 0, 10).await.unwrap();
            let mut only: Vec<_> = jobs.rows.iter().map(|job| job.payload["only"].to_string()).collect();
            only.sort();
            assert_eq!(only, ["[\"death\"]", "null"]);
        }
    }
}
