//! Leases (租约): claiming a job, working on it, and being refused when it is somebody else's by now.
//!
//! Guarantees: of two leases of one job the later has the greater fencing number, and only the latest can write.
//! Deliberately absent: a clock of its own. A lease ends by the platform's clock, which workers share.

use super::job::{self, Column};
use super::{Job, State, read};
use crate::{Db, Tx};
use chrono::{DateTime, Duration, Utc};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

/// The wait after the first failure; it doubles each time.
const WAIT_FIRST_SECONDS: i64 = 15;
/// The longest wait.
const WAIT_MAX_SECONDS: i64 = 3_600;

/// A claimed job (租约): the right to work on it until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job as it was claimed.
    pub job: Job,
    /// The fencing number: greater than that of every earlier lease of this job.
    pub fence: i64,
    /// When others may claim it.
    pub until: DateTime<Utc>,
}

/// The lease is no longer ours (租约已失效): stop working and write nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("任务已由其他进程接手或已取消，请停止本次处理 (the job was taken over or cancelled)")]
pub struct LostLease;

/// What becomes of a job that failed (失败后的去向).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is tried again at that instant.
    Again(DateTime<Utc>),
    /// It was the last attempt.
    Dead,
}

/// Claims the job that has waited longest (领取任务) for a while; `None` when there is nothing to do.
///
/// Jobs whose lease has ended are claimed again; those that have used up their attempts become dead instead.
pub async fn claim(
    db: &Db,
    worker: &str,
    kinds: &[&str],
    lease: Duration,
) -> anyhow::Result<Option<Lease>> {
    let tx = db.begin().await?;
    let now = tx.now();
    let ended = Condition::all()
        .add(Column::State.eq(State::Running.word()))
        .add(Column::LeaseUntil.lte(now));
    job::Entity::update_many()
        .col_expr(Column::State, Expr::value(State::Dead.word()))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .filter(ended.clone())
        .filter(Column::Kind.is_in(kinds.iter().copied()))
        .filter(Condition::all().add(sea_orm::sea_query::ExprTrait::gte(
            Expr::col(Column::Attempts),
            Expr::col(Column::AttemptsMax),
        )))
        .exec(tx.conn())
        .await?;
    let due = Condition::all()
        .add(Column::State.eq(State::Queued.word()))
        .add(Column::RunAfter.lte(now));
    let found = job::Entity::find()
        .filter(Column::Kind.is_in(kinds.iter().copied()))
        .filter(Condition::any().add(due).add(ended))
        .order_by_asc(Column::RunAfter)
        .order_by_asc(Column::Id)
        .limit(1)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(tx.conn())
        .await?;
    let Some(mut row) = found else {
        // Also keeps the jobs that have just become dead.
        tx.commit().await?;
        return Ok(None);
    };
    let until = now + lease;
    row.state = State::Running.word().to_owned();
    row.attempts += 1;
    row.fence += 1;
    row.done = 0;
    row.total = None;
    row.started_at = Some(now);
    job::Entity::update_many()
        .set(job::ActiveModel {
            state: Set(row.state.clone()),
            attempts: Set(row.attempts),
            fence: Set(row.fence),
            worker: Set(Some(worker.to_owned())),
            lease_until: Set(Some(until)),
            done: Set(0),
            total: Set(None),
            started_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(row.id))
        .exec(tx.conn())
        .await?;
    tx.commit().await?;
    Ok(Some(Lease {
        fence: row.fence,
        until,
        job: read(row)?,
    }))
}

/// Marks the job finished (完成) together with what the transaction changed.
pub async fn done(tx: &Tx, lease: &Lease) -> anyhow::Result<Result<(), LostLease>> {
    let change = job::ActiveModel {
        state: Set(State::Done.word().to_owned()),
        finished_at: Set(Some(tx.now())),
        lease_until: Set(None),
        ..Default::default()
    };
    change_if_held(tx.conn(), lease, change).await
}

/// Marks the attempt failed (失败): the job is tried again later, or is dead after its last attempt.
///
/// The note is for the officer who looks after it: no names or numbers of people.
pub async fn failed(
    tx: &Tx,
    lease: &Lease,
    note: &str,
) -> anyhow::Result<Result<AfterFailure, LostLease>> {
    let mut change = job::ActiveModel {
        note: Set(Some(note.to_owned())),
        lease_until: Set(None),
        ..Default::default()
    };
    let after = if lease.job.attempts >= lease.job.attempts_max {
        change.state = Set(State::Dead.word().to_owned());
        change.finished_at = Set(Some(tx.now()));
        AfterFailure::Dead
    } else {
        let again = tx.now() + wait_after(lease.job.attempts);
        change.state = Set(State::Queued.word().to_owned());
        change.run_after = Set(again);
        AfterFailure::Again(again)
    };
    Ok(change_if_held(tx.conn(), lease, change)
        .await?
        .map(|()| after))
}

/// Gives the job back for later (暂缓), as if it had not been claimed: what waits for its hour has not failed.
pub async fn put_off(
    tx: &Tx,
    lease: &Lease,
    until: DateTime<Utc>,
) -> anyhow::Result<Result<(), LostLease>> {
    let change = job::ActiveModel {
        state: Set(State::Queued.word().to_owned()),
        run_after: Set(until),
        attempts: Set(i64::try_from(lease.job.attempts.saturating_sub(1))?),
        lease_until: Set(None),
        ..Default::default()
    };
    change_if_held(tx.conn(), lease, change).await
}

/// Tells how far the work is (进度) and lets the lease run anew from now.
pub async fn progress(
    db: &Db,
    lease: &mut Lease,
    done: u64,
    total: u64,
) -> anyhow::Result<Result<(), LostLease>> {
    let tx = db.begin().await?;
    let length = lease.until - lease.job.started_at.unwrap_or(lease.until);
    let until = tx.now() + length.max(Duration::seconds(1));
    let change = job::ActiveModel {
        done: Set(i64::try_from(done)?),
        total: Set(Some(i64::try_from(total)?)),
        lease_until: Set(Some(until)),
        ..Default::default()
    };
    let held = change_if_held(tx.conn(), lease, change).await?;
    if held.is_ok() {
        tx.commit().await?;
        lease.until = until;
        lease.job.done = done;
        lease.job.total = Some(total);
    }
    Ok(held)
}

/// Makes sure at commit that the lease is still ours (围栏): for work written in several transactions.
///
/// The job's row stays locked until the transaction ends, so nobody can take the job over in between.
pub async fn guard(tx: &Tx, lease: &Lease) -> anyhow::Result<Result<(), LostLease>> {
    let change = job::ActiveModel {
        fence: Set(lease.fence),
        ..Default::default()
    };
    change_if_held(tx.conn(), lease, change).await
}

async fn change_if_held(
    conn: &impl ConnectionTrait,
    lease: &Lease,
    change: job::ActiveModel,
) -> anyhow::Result<Result<(), LostLease>> {
    let changed = job::Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(lease.job.id.0))
        .filter(Column::Fence.eq(lease.fence))
        .filter(Column::State.eq(State::Running.word()))
        .exec(conn)
        .await?;
    Ok(if changed.rows_affected == 1 {
        Ok(())
    } else {
        Err(LostLease)
    })
}

fn wait_after(attempts: u64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(16);
    Duration::seconds((WAIT_FIRST_SECONDS << doublings).min(WAIT_MAX_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits: Vec<i64> = [1, 2, 3, 8, 9, 60]
            .map(|n| wait_after(n).num_seconds())
            .to_vec();
        assert_eq!(waits, [15, 30, 60, 1_920, 3_600, 3_600]);
    }
}
