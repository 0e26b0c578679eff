//! The outbox (发件箱): messages to the outside that exist exactly when the act they tell of was committed.
//!
//! A message and the job that delivers it are written in the caller's transaction; a worker claims the job
//! [`job_kind`]`(channel)`, reads the [`Message`], sends it and calls [`sent`]. Leases, retries and fencing are the queue's.
//!
//! Guarantees: recipient and body are sealed in the database. A message may be sent twice if the worker dies between
//! sending and committing; its id is the key by which the receiver can tell. Deliberately absent: channels. How an SMS or
//! a bank reaches the world is the exchange's.

use crate::queue::{self, Lease, LostLease};
use crate::{Db, NewJob, Page, Tx};
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vocab::ids::JobId;

/// A message to be sent (新消息).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// By which way: `sms`, `province`.
    pub channel: String,
    /// To whom, in the channel's own words; sealed.
    pub recipient: String,
    /// What; sealed.
    pub body: serde_json::Value,
    /// What kind of record it is about.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: String,
    /// Not before this instant; `None` means at once.
    pub not_before: Option<DateTime<Utc>>,
}

/// A message (消息) as a worker needs it: unsealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, by which the receiver can tell a repetition.
    pub id: Uuid,
    /// By which way.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// What.
    pub body: serde_json::Value,
}

/// A message in a list (消息列表行): without recipient and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Its id.
    pub id: Uuid,
    /// By which way.
    pub channel: String,
    /// What kind of record it is about.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: String,
    /// Whether it was sent.
    pub sent: bool,
    /// The job that delivers it.
    pub job: JobId,
    /// What the channel answered.
    pub note: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub finished_at: Option<DateTime<Utc>>,
}

mod message {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "store_message")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub channel: String,
        pub recipient: Vec<u8>,
        pub body: Vec<u8>,
        pub subject_kind: String,
        pub subject_id: String,
        pub state: String,
        pub job: Uuid,
        pub note: Option<String>,
        pub created_at: DateTimeUtc,
        pub finished_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use message::Column;

/// How often a message is tried: with the queue's doubling waits somewhat over two hours.
const ATTEMPTS: u16 = 10;

/// The kind of the jobs that deliver a channel's messages.
pub fn job_kind(channel: &str) -> String {
    format!("outbox.{channel}")
}

/// Writes a message (发出消息), to leave when the transaction commits.
pub async fn post(tx: &mut Tx, new: NewMessage) -> anyhow::Result<Uuid> {
    let id = tx.new_id();
    let mut job = NewJob::new(
        &job_kind(&new.channel),
        serde_json::json!({ "message": id }),
    );
    job.attempts_max = ATTEMPTS;
    job.run_after = new.not_before;
    let job = tx.enqueue(job).await?;
    let row = message::ActiveModel {
        id: Set(id),
        channel: Set(new.channel),
        recipient: Set(tx.keys().seal(&new.recipient)),
        body: Set(tx.keys().seal(&serde_json::to_string(&new.body)?)),
        subject_kind: Set(new.subject_kind),
        subject_id: Set(new.subject_id),
        state: Set("waiting".to_owned()),
        job: Set(job.0),
        note: Set(None),
        created_at: Set(tx.now()),
        finished_at: Set(None),
    };
    message::Entity::insert(row)
        .exec_without_returning(tx.conn())
        .await?;
    Ok(id)
}

/// The message a claimed job delivers.
pub async fn message_of(db: &Db, lease: &Lease) -> anyhow::Result<Message> {
    let id = id_of(lease)?;
    let row = message::Entity::find_by_id(id)
        .one(db.conn())
        .await?
        .with_context(|| format!("message {id} does not exist"))?;
    Ok(Message {
        id,
        recipient: db.keys().unseal(&row.recipient)?,
        body: serde_json::from_str(&db.keys().unseal(&row.body)?)?,
        channel: row.channel,
    })
}

/// Marks the message sent and its job done (已发送), with the channel's answer (no names or numbers).
pub async fn sent(tx: &Tx, lease: &Lease, answer: &str) -> anyhow::Result<Result<(), LostLease>> {
    settle(tx, lease, "sent", answer).await
}

/// Marks the message as one that will never be sent, and its job done (不再发送), with the reason (no names or numbers).
pub async fn given_up(
    tx: &Tx,
    lease: &Lease,
    reason: &str,
) -> anyhow::Result<Result<(), LostLease>> {
    settle(tx, lease, "given_up", reason).await
}

async fn settle(
    tx: &Tx,
    lease: &Lease,
    state: &str,
    note: &str,
) -> anyhow::Result<Result<(), LostLease>> {
    if let Err(lost) = queue::done(tx, lease).await? {
        return Ok(Err(lost));
    }
    message::Entity::update_many()
        .set(message::ActiveModel {
            state: Set(state.to_owned()),
            note: Set(Some(note.to_owned())),
            finished_at: Set(Some(tx.now())),
            ..Default::default()
        })
        .filter(Column::Id.eq(id_of(lease)?))
        .exec(tx.conn())
        .await?;
    Ok(Ok(()))
}

/// Messages, newest first (消息列表); of one record when it is given as kind and id.
pub async fn list(
    db: &Db,
    subject: Option<(&str, &str)>,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<MessageRow>> {
    let mut wanted = message::Entity::find();
    if let Some((kind, id)) = subject {
        wanted = wanted
            .filter(Column::SubjectKind.eq(kind))
            .filter(Column::SubjectId.eq(id));
    }
    let total = wanted.clone().count(db.conn()).await?;
    let rows = wanted
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .offset(offset)
        .limit(limit)
        .all(db.conn())
        .await?;
    let rows = rows
        .into_iter()
        .map(|row| MessageRow {
            id: row.id,
            channel: row.channel,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            sent: row.state == "sent",
            job: JobId(row.job),
            note: row.note,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
        .collect();
    Ok(Page {
        rows,
        total,
        offset,
        limit,
    })
}

/// Which message a claimed job delivers.
pub fn id_of(lease: &Lease) -> anyhow::Result<Uuid> {
    lease.job.payload["message"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .with_context(|| format!("job {} delivers no message", lease.job.id))
}
