//! The job queue (任务队列): work that begins to exist when its transaction commits, and is done by one worker at a time.
//!
//! A claim is a [`Lease`] with a fencing number that grows at every claim. A worker that was paused past its lease and wakes
//! up again holds an old number; every write it makes through the lease is refused with [`LostLease`], so two workers
//! never both finish a job. A job that fails is tried again later, each time after twice the wait; after its last attempt
//! it is `dead` and waits for a person.
//!
//! Guarantees: [`done`], [`failed`] and [`guard`] take the worker's own transaction, so the job's effect and its
//! completion are one. Deliberately absent: threads, polling and schedules; they belong to the executable.

mod lease;

pub use lease::{AfterFailure, Lease, LostLease, claim, done, failed, guard, progress, put_off};

use crate::{Db, Page, Tx};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use vocab::ids::JobId;

/// How often a job is tried unless it says otherwise.
const ATTEMPTS: u16 = 5;
/// A job to be queued (新任务).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What kind of work, as `room.act`: `ledger.propose`.
    pub kind: String,
    /// What the worker needs to know; ids, not contents of people's records.
    pub payload: serde_json::Value,
    /// Not before this instant; `None` means at once.
    pub run_after: Option<DateTime<Utc>>,
    /// While a job of this kind and key is unfinished, a second one is not made.
    pub unique_key: Option<String>,
    /// How often it is tried before it is dead.
    pub attempts_max: u16,
}

impl NewJob {
    /// A job to run at once, tried five times.
    pub fn new(kind: &str, payload: serde_json::Value) -> Self {
        Self {
            kind: kind.to_owned(),
            payload,
            run_after: None,
            unique_key: None,
            attempts_max: ATTEMPTS,
        }
    }

    /// The same job, but only one unfinished with this key.
    #[must_use]
    pub fn unique(mut self, key: &str) -> Self {
        self.unique_key = Some(key.to_owned());
        self
    }

    /// The same job, not before that instant.
    #[must_use]
    pub fn after(mut self, instant: DateTime<Utc>) -> Self {
        self.run_after = Some(instant);
        self
    }
}

/// Where a job stands (任务状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 等待
    Queued,
    /// 进行中
    Running,
    /// 已完成
    Done,
    /// 多次失败，待人工处理
    Dead,
    /// 已取消
    Cancelled,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    fn read(word: &str) -> anyhow::Result<Self> {
        [
            Self::Queued,
            Self::Running,
            Self::Done,
            Self::Dead,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|state| state.word() == word)
        .with_context(|| format!("a job's state is “{word}”"))
    }
}

/// A job (任务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What kind of work.
    pub kind: String,
    /// What the worker needs to know.
    pub payload: serde_json::Value,
    /// Its key, if it is unique.
    pub unique_key: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Not before.
    pub run_after: DateTime<Utc>,
    /// How often it was claimed.
    pub attempts: u64,
    /// How often it is tried.
    pub attempts_max: u64,
    /// Steps done in this attempt.
    pub done: u64,
    /// Steps in all, once known.
    pub total: Option<u64>,
    /// The last failure, or what the worker says about its progress.
    pub note: Option<String>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When the present attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Job {
    /// Steps a minute in this attempt so far (速度); `None` while that cannot be said.
    pub fn a_minute(&self, now: DateTime<Utc>) -> Option<u64> {
        if self.state != State::Running || self.done == 0 {
            return None;
        }
        let spent = u64::try_from((now - self.started_at?).num_milliseconds()).ok()?;
        self.done.checked_mul(60_000)?.checked_div(spent)
    }

    /// How long the rest will take if it goes on as so far (预计剩余时间); `None` while that cannot be said.
    pub fn remaining(&self, now: DateTime<Utc>) -> Option<Duration> {
        if self.state != State::Running || self.done == 0 {
            return None;
        }
        let rest = i128::from(self.total?.checked_sub(self.done)?);
        let spent = i128::from((now - self.started_at?).num_milliseconds().max(0));
        let millis = spent * rest / i128::from(self.done);
        Duration::try_milliseconds(i64::try_from(millis).ok()?)
    }
}

/// Which jobs to list (筛选条件).
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these kinds; empty means all.
    pub kinds: Vec<String>,
    /// Only these states; empty means all.
    pub states: Vec<State>,
}

mod job {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "store_job")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub payload: String,
        pub unique_key: Option<String>,
        pub state: String,
        pub run_after: DateTimeUtc,
        pub attempts: i64,
        pub attempts_max: i64,
        pub fence: i64,
        pub worker: Option<String>,
        pub lease_until: Option<DateTimeUtc>,
        pub done: i64,
        pub total: Option<i64>,
        pub note: Option<String>,
        pub created_at: DateTimeUtc,
        pub started_at: Option<DateTimeUtc>,
        pub finished_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use job::Column;

pub(crate) async fn enqueue(tx: &Tx, new: NewJob) -> anyhow::Result<JobId> {
    let id = tx.new_id();
    let row = job::ActiveModel {
        id: Set(id),
        kind: Set(new.kind.clone()),
        payload: Set(serde_json::to_string(&new.payload)?),
        unique_key: Set(new.unique_key.clone()),
        state: Set(State::Queued.word().to_owned()),
        run_after: Set(new.run_after.unwrap_or(tx.now())),
        attempts: Set(0),
        attempts_max: Set(i64::from(new.attempts_max.max(1))),
        fence: Set(0),
        worker: Set(None),
        lease_until: Set(None),
        done: Set(0),
        total: Set(None),
        note: Set(None),
        created_at: Set(tx.now()),
        started_at: Set(None),
        finished_at: Set(None),
    };
    let inserted = job::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await?;
    if inserted > 0 {
        return Ok(JobId(id));
    }
    let unfinished = job::Entity::find()
        .filter(Column::Kind.eq(new.kind.as_str()))
        .filter(Column::UniqueKey.eq(new.unique_key))
        .filter(Column::State.is_in([State::Queued.word(), State::Running.word()]))
        .one(tx.conn())
        .await?
        .with_context(|| {
            format!(
                "a job of kind {} was refused and none stands in its way",
                new.kind
            )
        })?;
    Ok(JobId(unfinished.id))
}

/// Takes a job out of the queue (取消任务); a worker at it is refused at its next write. `false` when it is finished already.
pub async fn cancel(tx: &Tx, id: JobId) -> anyhow::Result<bool> {
    let changed = job::Entity::update_many()
        .set(job::ActiveModel {
            state: Set(State::Cancelled.word().to_owned()),
            finished_at: Set(Some(tx.now())),
            lease_until: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.is_in([State::Queued.word(), State::Running.word()]))
        .exec(tx.conn())
        .await?;
    Ok(changed.rows_affected == 1)
}

/// Gives a dead job its attempts back (重新排入). `false` when it is not dead.
pub async fn retry(tx: &Tx, id: JobId) -> anyhow::Result<bool> {
    let changed = job::Entity::update_many()
        .set(job::ActiveModel {
            state: Set(State::Queued.word().to_owned()),
            attempts: Set(0),
            run_after: Set(tx.now()),
            finished_at: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .filter(Column::State.eq(State::Dead.word()))
        .exec(tx.conn())
        .await?;
    Ok(changed.rows_affected == 1)
}

/// One job (查看任务).
pub async fn job(db: &Db, id: JobId) -> anyhow::Result<Option<Job>> {
    job::Entity::find_by_id(id.0)
        .one(db.conn())
        .await?
        .map(read)
        .transpose()
}

/// Jobs, newest first (任务列表).
pub async fn list(db: &Db, filter: &Filter, offset: u64, limit: u64) -> anyhow::Result<Page<Job>> {
    let mut wanted = job::Entity::find();
    if !filter.kinds.is_empty() {
        wanted = wanted.filter(Column::Kind.is_in(filter.kinds.iter().map(String::as_str)));
    }
    if !filter.states.is_empty() {
        wanted = wanted.filter(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    let wanted = wanted
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    crate::page::cut(db.conn(), wanted, offset, limit)
        .await?
        .try_map(read)
}

fn read(row: job::Model) -> anyhow::Result<Job> {
    let count = |number: i64| u64::try_from(number).context("a job's count is negative");
    Ok(Job {
        id: JobId(row.id),
        payload: serde_json::from_str(&row.payload)
            .with_context(|| format!("reading the payload of job {}", row.id))?,
        kind: row.kind,
        unique_key: row.unique_key,
        state: State::read(&row.state)?,
        run_after: row.run_after,
        attempts: count(row.attempts)?,
        attempts_max: count(row.attempts_max)?,
        done: count(row.done)?,
        total: row.total.map(count).transpose()?,
        note: row.note,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}
