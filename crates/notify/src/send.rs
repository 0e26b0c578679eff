//! The worker that sends (发送): takes a message from the outbox, hands it over, and notes how it went.
//!
//! Guarantees: at least once, and with the same key each time; that a number was taken out stands in the journal before it leaves;
//! whoever objected meanwhile is sent nothing; a message whose hour has not come waits without losing an attempt; after the
//! last attempt it is dead and the desk is told. Deliberately absent: threads and pauses, which are the executable's.

use crate::carrier::{Arrival, Carriers, Channel, Failure, Letter};
use crate::contact::{contacts, email_to_send};
use crate::happening::Happening;
use crate::message::State;
use crate::rules::Rules;
use crate::tables::message::{ActiveModel, Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::sync::Arc;
use store::queue::{self, AfterFailure, Lease};
use store::{Db, Event, Tx, outbox};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::PersonId;

/// How long one sending may take before another worker may take over.
const LEASE: Duration = Duration::minutes(2);
/// How long one asks after a message that was sent.
const ASK_FOR: Duration = Duration::hours(72);
/// After how many messages one asks at once.
const ASK_AT_ONCE: u64 = 100;

/// What became of one message (发送结果).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// Handed over.
    Sent,
    /// It waits for its hour.
    PutOff(DateTime<Utc>),
    /// It is tried again then.
    Again(DateTime<Utc>),
    /// It was the last attempt.
    Dead,
    /// It will not go: refused, not wanted any more, or without a number.
    GivenUp(State),
    /// Somebody else has it by now.
    Lost,
}

/// Sends the message that has waited longest (发送一条); `None` when there is none.
///
/// # Errors
/// Faults of the database.
pub async fn once(
    db: &Db,
    rules: &Rules,
    carriers: &Carriers,
    worker: &str,
) -> anyhow::Result<Option<Did>> {
    let kinds: Vec<String> = carriers
        .0
        .keys()
        .map(|channel| outbox::job_kind(channel.word()))
        .collect();
    if kinds.is_empty() {
        return Ok(None);
    }
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let Some(lease) = queue::claim(db, worker, &kinds, LEASE).await? else {
        return Ok(None);
    };
    let id = outbox::id_of(&lease)?;
    let row = Entity::find_by_id(id)
        .one(db.conn())
        .await
        .context("reading a message to send")?
        .with_context(|| format!("message {id} does not exist"))?;
    let letter = match prepare(db, rules, &lease, &row).await? {
        Ok(letter) => letter,
        Err(did) => return Ok(Some(did)),
    };
    let channel = Channel::from_word(&row.channel).context("a message's way")?;
    let carrier = carriers.0.get(&channel).context("a way that is set up")?;
    let carrier = Arc::clone(carrier);
    let outcome = tokio::task::spawn_blocking(move || carrier.carry(&letter))
        .await
        .context("handing a message over")?;
    noted(db, &lease, &row, outcome).await.map(Some)
}

/// All that comes before a message leaves; `Err` says why it does not.
async fn prepare(
    db: &Db,
    rules: &Rules,
    lease: &Lease,
    row: &Model,
) -> anyhow::Result<Result<Letter, Did>> {
    let mut tx = db.begin().await?;
    if queue::guard(&tx, lease).await?.is_err() {
        return Ok(Err(Did::Lost));
    }
    if !row.urgent
        && let Some(until) = rules.quiet.ends(tx.now())
    {
        if queue::put_off(&tx, lease, until).await?.is_err() {
            return Ok(Err(Did::Lost));
        }
        let change = ActiveModel {
            state: Set(State::Held.word().to_owned()),
            not_before: Set(Some(until)),
            ..Default::default()
        };
        update(&tx, row.id, change).await?;
        tx.commit().await?;
        return Ok(Err(Did::PutOff(until)));
    }
    let person = PersonId(row.person_id);
    let channel = Channel::from_word(&row.channel).context("a message's way")?;
    let wants = contacts(&tx, &[person]).await?.remove(&person);
    if wants.is_some_and(|contact| contact.objects(channel)) {
        return give_up(tx, lease, row, State::OptedOut, "").await.map(Err);
    }
    let (zh, en) = Happening::from_word(&row.happening).map_or(("", ""), Happening::wording);
    let purpose = format!("告知：{zh}");
    let to = match channel {
        Channel::Sms => {
            let scope = Scope::system(Region::NATION);
            registry::people::phone_to_send(&mut tx, &scope, person, &purpose).await?
        }
        Channel::Email => email_to_send(&tx, person).await?,
    };
    let Some(to) = to else {
        return give_up(tx, lease, row, State::NoAddress, "").await.map(Err);
    };
    let text = tx.keys().unseal(&row.text_sealed)?;
    tx.note(Event {
        purpose,
        region: row.region.parse().ok(),
        detail: json!({ "message": row.id, "channel": channel.word(), "attempt": lease.job.attempts }),
        ..Event::by_system("notify.send", "case", &row.case_id.to_string())
    });
    tx.commit().await?;
    let subject = format!("{zh} {} / {en}", row.case_number);
    Ok(Ok(Letter {
        key: row.id,
        to,
        subject,
        text,
    }))
}

/// Writes down how it went.
async fn noted(
    db: &Db,
    lease: &Lease,
    row: &Model,
    outcome: Result<String, Failure>,
) -> anyhow::Result<Did> {
    let mut tx = db.begin().await?;
    let did = match outcome {
        Ok(receipt) => {
            if outbox::sent(&tx, lease, &receipt).await?.is_err() {
                return Ok(Did::Lost);
            }
            let change = ActiveModel {
                state: Set(State::Sent.word().to_owned()),
                reason: Set(String::new()),
                sent_at: Set(Some(tx.now())),
                ..Default::default()
            };
            update(&tx, row.id, change).await?;
            Did::Sent
        }
        Err(Failure::Never(reason)) => {
            return give_up(tx, lease, row, State::Failed, &reason).await;
        }
        Err(Failure::Later(reason)) => match queue::failed(&tx, lease, &reason).await? {
            Err(_) => return Ok(Did::Lost),
            Ok(AfterFailure::Again(at)) => {
                let change = ActiveModel {
                    reason: Set(reason),
                    not_before: Set(Some(at)),
                    ..Default::default()
                };
                update(&tx, row.id, change).await?;
                Did::Again(at)
            }
            Ok(AfterFailure::Dead) => {
                settled(&mut tx, row, State::Dead, &reason).await?;
                Did::Dead
            }
        },
    };
    tx.commit().await?;
    Ok(did)
}

async fn give_up(
    mut tx: Tx,
    lease: &Lease,
    row: &Model,
    state: State,
    reason: &str,
) -> anyhow::Result<Did> {
    if outbox::given_up(&tx, lease, state.word()).await?.is_err() {
        return Ok(Did::Lost);
    }
    settled(&mut tx, row, state, reason).await?;
    tx.commit().await?;
    Ok(Did::GivenUp(state))
}

/// How a message ended; the desk learns of what was not brought.
async fn settled(tx: &mut Tx, row: &Model, state: State, reason: &str) -> anyhow::Result<()> {
    let change = ActiveModel {
        state: Set(state.word().to_owned()),
        reason: Set(reason.to_owned()),
        settled_at: Set(Some(tx.now())),
        ..Default::default()
    };
    update(tx, row.id, change).await?;
    if matches!(state, State::Failed | State::Dead) {
        tx.note(Event {
            region: row.region.parse().ok(),
            detail: json!({ "message": row.id, "state": state.word() }),
            ..Event::by_system("notify.undelivered", "case", &row.case_id.to_string())
        });
    }
    Ok(())
}

async fn update(tx: &Tx, id: Uuid, change: ActiveModel) -> anyhow::Result<()> {
    Entity::update_many()
        .set(change)
        .filter(Column::Id.eq(id))
        .exec(tx.conn())
        .await
        .context("writing how a message went")?;
    Ok(())
}

/// Asks after messages that were sent (查询送达); the answer is how many were settled.
///
/// # Errors
/// Faults of the database; a gateway that does not answer is no fault.
pub async fn ask_after(db: &Db, carriers: &Carriers) -> anyhow::Result<u64> {
    let mut known = 0;
    for (channel, carrier) in &carriers.0 {
        let rows = Entity::find()
            .filter(Column::Channel.eq(channel.word()))
            .filter(Column::State.eq(State::Sent.word()))
            .filter(Column::SentAt.gte(db.now() - ASK_FOR))
            .order_by_asc(Column::SentAt)
            .limit(ASK_AT_ONCE)
            .all(db.conn())
            .await
            .context("reading messages to ask after")?;
        if rows.is_empty() {
            continue;
        }
        let keys: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let carrier = Arc::clone(carrier);
        let asked = tokio::task::spawn_blocking(move || carrier.arrivals(&keys)).await;
        let arrivals = match asked.context("asking after messages")? {
            Ok(arrivals) => arrivals,
            Err(failure) => {
                tracing::warn!("the gateway did not say how far messages came: {failure}");
                continue;
            }
        };
        for row in &rows {
            let (state, reason) = match arrivals.get(&row.id) {
                Some(Arrival::Delivered) => (State::Delivered, ""),
                Some(Arrival::Failed(reason)) => (State::Failed, reason.as_str()),
                Some(Arrival::Underway) | None => continue,
            };
            let mut tx = db.begin().await?;
            settled(&mut tx, row, state, reason).await?;
            tx.commit().await?;
            known += 1;
        }
    }
    Ok(known)
}
