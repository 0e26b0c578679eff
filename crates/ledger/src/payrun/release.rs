//! Releasing a pay run (复核放款): a second officer lets the money move, line by line and each line once.
//!
//! The release goes in chunks of a few hundred lines, each its own transaction: claims, transfers and the lines' state
//! together. Killed in the middle, every line is either untouched or wholly posted; calling again with the same key goes
//! on where it stopped, and once all is done gives the same answer. Every line is composed again inside the transaction,
//! with its persons held; what is no longer due, already claimed or excluded is blocked with its reason instead of paid.
//!
//! Guarantees: never two claims for one person, programme, month and part – the check comes first, the unique key is the
//! wall behind it. Deliberately absent: the bank file, which the exchange writes from posted lines.

use super::posting::Posting;
use super::{LineState, Obstacles, PayRun, RunState, list, run_in_scope, run_of, sum_of};
use crate::post::note;
use crate::tables::{pay_line, pay_run};
use access::{Denied, Permission, SamePerson, Scope, another_officer};
use anyhow::{Context, ensure};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use store::{Db, Tx};
use vocab::Money;
use vocab::ids::PayRunId;

/// Lines of one transaction: small enough that others get their turn, large enough that committing costs little.
const CHUNK: u64 = 250;
/// How often a chunk is tried again when another run came first (a deadlock, a claim taken in between).
const TRIES: u32 = 5;

/// What a release did (放款结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The run as it is now.
    pub run: PayRun,
    /// Lines posted, in this call and before.
    pub posted: u64,
    /// Lines blocked.
    pub blocked: u64,
    /// What goes to the bank.
    pub net: Money,
}

/// Why a run was not released (不予放款原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such run in the scope.
    #[error("没有找到这一批次，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The officer who proposed it.
    #[error(transparent)]
    SamePerson(#[from] SamePerson),
    /// It was cancelled.
    #[error("该批次已作废，请重新拟定")]
    Cancelled,
    /// It was released before, by another request.
    #[error("该批次已放款，无需重复操作")]
    AlreadyReleased,
}

enum Step {
    More,
    Done,
}

/// Releases a run (复核放款), or goes on with a release that was interrupted.
///
/// # Errors
/// When the database fails more often than is bearable; refusals are values. Whatever happened, calling again is safe.
pub async fn release(
    db: &Db,
    scope: &Scope,
    id: PayRunId,
    key: &str,
    obstacles: &Obstacles,
) -> anyhow::Result<Result<Released, Refused>> {
    let mut failures = 0;
    loop {
        match chunk(db, scope, id, key, obstacles).await {
            Ok(Ok(Step::More)) => failures = 0,
            Ok(Ok(Step::Done)) => return Ok(Ok(released(db, scope, id).await?)),
            Ok(Err(refused)) => return Ok(Err(refused)),
            // The chunk is undone as a whole; seen again, a claim that came first is a reason to block.
            Err(_) if failures < TRIES => failures += 1,
            Err(fault) => return Err(fault.context(format!("releasing pay run {id}"))),
        }
    }
}

async fn released(db: &Db, scope: &Scope, id: PayRunId) -> anyhow::Result<Released> {
    let run = list::run(db.conn(), scope, id)
        .await?
        .context("a released run vanished")?;
    let lines = pay_line::Entity::find().filter(pay_line::Column::RunId.eq(id.0));
    let posted = lines
        .clone()
        .filter(pay_line::Column::State.is_in(LineState::RELEASED));
    let net: Option<Option<i64>> = posted
        .clone()
        .select_only()
        .column_as(sum_of(pay_line::Column::Net), "net")
        .into_tuple()
        .one(db.conn())
        .await?;
    Ok(Released {
        run,
        posted: posted.count(db.conn()).await?,
        blocked: lines
            .filter(pay_line::Column::State.eq(LineState::Blocked))
            .count(db.conn())
            .await?,
        net: Money::from_fen(net.flatten().unwrap_or_default()),
    })
}

/// One transaction's worth.
async fn chunk(
    db: &Db,
    scope: &Scope,
    id: PayRunId,
    key: &str,
    obstacles: &Obstacles,
) -> anyhow::Result<Result<Step, Refused>> {
    let mut tx = db.begin().await?;
    let run = pay_run::Entity::find_by_id(id.0)
        .filter(run_in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a run to release")?;
    let Some(row) = run else {
        return Ok(Err(Refused::NotFound));
    };
    let run = run_of(row.clone())?;
    if let Err(refused) = permitted(&run, row.release_key.as_deref(), scope, key) {
        return Ok(Err(refused));
    }
    if matches!(run.state, RunState::Released | RunState::Sent) {
        return Ok(Ok(Step::Done));
    }
    let lines = pay_line::Entity::find()
        .filter(pay_line::Column::RunId.eq(id.0))
        .filter(pay_line::Column::State.eq(LineState::Proposed))
        .order_by_asc(pay_line::Column::Seq)
        .limit(CHUNK)
        .all(tx.conn())
        .await
        .context("reading lines to release")?;
    let last = u64::try_from(lines.len())? < CHUNK;

    let mut posting = Posting::begin(&tx, &run, lines, obstacles).await?;
    posting.decide()?;
    let detail = posting.write(&mut tx, scope).await?;

    let mut row = row.into_active_model();
    row.state = Set(if last {
        RunState::Released
    } else {
        RunState::Releasing
    });
    row.released_by = Set(Some(
        run.released_by.map_or(scope.actor.officer.0, Uuid::from),
    ));
    row.release_key = Set(Some(key.to_owned()));
    row.released_at = Set(last.then(|| tx.now()));
    row.update(tx.conn()).await.context("moving a run on")?;
    note(
        &mut tx,
        scope,
        if last {
            "ledger.release"
        } else {
            "ledger.release_part"
        },
        "pay_run",
        id.0,
        detail,
    );
    tx.commit().await?;
    Ok(Ok(if last { Step::Done } else { Step::More }))
}

/// The whole rule about who may release what, without a database.
fn permitted(
    run: &PayRun,
    first_key: Option<&str>,
    scope: &Scope,
    key: &str,
) -> Result<(), Refused> {
    scope.may(Permission::ReleasePayRun, run.region)?;
    another_officer(run.proposed_by, &scope.actor)?;
    match run.state {
        RunState::Cancelled => Err(Refused::Cancelled),
        RunState::Released | RunState::Sent if first_key != Some(key) => {
            Err(Refused::AlreadyReleased)
        }
        // Interrupted: any second officer may bring it to its end.
        RunState::Proposed | RunState::Releasing | RunState::Released | RunState::Sent => Ok(()),
    }
}

/// Moves lines from one state to the next; every one of them must have been in the first.
pub(crate) async fn set_state(
    tx: &Tx,
    ids: &[Uuid],
    from: LineState,
    to: LineState,
) -> anyhow::Result<()> {
    for some in ids.chunks(5_000) {
        let moved = pay_line::Entity::update_many()
            .set(pay_line::ActiveModel {
                state: Set(to),
                changed_at: Set(tx.now()),
                ..Default::default()
            })
            .filter(pay_line::Column::Id.is_in(some.iter().copied()))
            .filter(pay_line::Column::State.eq(from))
            .exec(tx.conn())
            .await
            .with_context(|| format!("moving lines to {to:?}"))?;
        ensure!(
            moved.rows_affected == u64::try_from(some.len())?,
            "some lines were no longer {from:?}"
        );
    }
    Ok(())
}
