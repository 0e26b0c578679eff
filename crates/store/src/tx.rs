//! A writing transaction (写事务): table changes, journal events and jobs that happen together or not at all.
//!
//! Guarantees: all of a transaction sees one instant ([`Tx::now`]); events are chained into the journal at commit, under
//! the head's lock, so that two commits never take the same place; a transaction that is dropped is rolled back.
//! Deliberately absent: a journal entry without a commit, and a commit that hides its events.

use crate::db::Shared;
use crate::{Engine, Event, Files, Keys, NewJob, clock, journal, queue};
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;
use vocab::ids::JobId;

/// A writing transaction (写事务). Nothing of it is kept unless [`Tx::commit`] is called.
#[must_use = "a transaction that is not committed is rolled back"]
pub struct Tx {
    transaction: DatabaseTransaction,
    engine: Engine,
    shared: Shared,
    now: DateTime<Utc>,
    events: Vec<Event>,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tx({:?}, {} events)", self.engine, self.events.len())
    }
}

impl Tx {
    pub(crate) fn new(transaction: DatabaseTransaction, engine: Engine, shared: Shared) -> Self {
        Self {
            now: shared.now(),
            transaction,
            engine,
            shared,
            events: Vec::new(),
        }
    }

    /// The connection for reading and writing inside this transaction.
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// The instant of this transaction: taken once, the same for all its rows.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The day of this transaction in China (Asia/Shanghai).
    pub fn today(&self) -> NaiveDate {
        clock::shanghai_day(self.now)
    }

    /// A fresh identifier (UUID version 7).
    pub fn new_id(&self) -> Uuid {
        self.shared.ids.next(self.now)
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// The evidence files.
    pub fn files(&self) -> &Files {
        &self.shared.files
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Notes an event (记录事件) for the journal; it is written when the transaction commits.
    pub fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    /// How many events are noted so far.
    pub fn noted(&self) -> usize {
        self.events.len()
    }

    /// Puts a job into the queue (排入任务), to exist when the transaction commits.
    ///
    /// An unfinished job of the same kind and unique key is kept and its id returned.
    pub async fn enqueue(&mut self, job: NewJob) -> anyhow::Result<JobId> {
        queue::enqueue(self, job).await
    }

    /// Chains the events into the journal and makes everything last (提交).
    pub async fn commit(self) -> anyhow::Result<()> {
        if !self.events.is_empty() {
            journal::append(&self.transaction, self.now, &self.events)
                .await
                .context("写入操作日志失败，本次操作未生效 (chaining the journal)")?;
        }
        self.transaction
            .commit()
            .await
            .context("提交失败，本次操作未生效 (committing)")
    }

    /// Undoes everything (回滚).
    pub async fn rollback(self) -> anyhow::Result<()> {
        Ok(self.transaction.rollback().await?)
    }
}
