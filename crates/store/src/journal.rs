//! The journal (操作日志): who did what to whom, when and for what purpose, each entry chained to the one before by SM3.
//!
//! Guarantees: an entry is written in the transaction that did the act, under the lock of the chain's head, so the
//! numbers have no gaps and the order is the order of commits; [`verify`] finds an altered, removed, inserted or moved
//! entry; with heads exported outside the database ([`export_head`]) it also finds a cut tail and a chain rewritten as a
//! whole. Deliberately absent: names and numbers of people. An event says which record, never what it contained.

mod heads;
mod verify;

pub use heads::{Head, export_head};
pub use verify::{ChainFault, Verdict, verify, verify_against};

use crate::inside::inside;
use crate::{Db, Page};
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::OfficerId;

/// What stands before the first entry.
const NOTHING: [u8; 32] = [0; 32];
/// How many entries go into one insert: eleven columns each, well below SQLite's limit of bound values.
const BATCH: usize = 400;

/// An event (事件) to be written into the journal with the transaction that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who acted; the nil id stands for the system and for the public.
    pub by: OfficerId,
    /// For what purpose, in the words of `access::Purpose`.
    pub purpose: String,
    /// What was done, as `room.act`: `casework.accept`.
    pub act: String,
    /// What kind of record it was done to: `person`, `case`.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: String,
    /// Where the record belongs.
    pub region: Option<Region>,
    /// What else matters; never names, numbers or other contents of a person's record.
    pub detail: serde_json::Value,
}

impl Event {
    /// An event of the system itself, without detail.
    pub fn by_system(act: &str, subject_kind: &str, subject_id: &str) -> Self {
        Self {
            by: OfficerId(Uuid::nil()),
            purpose: "system".to_owned(),
            act: act.to_owned(),
            subject_kind: subject_kind.to_owned(),
            subject_id: subject_id.to_owned(),
            region: None,
            detail: serde_json::Value::Null,
        }
    }
}

/// A written entry (日志条目).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the chain, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What was noted.
    pub event: Event,
    /// Its SM3, in hexadecimal.
    pub hash: String,
}

/// Which entries to read (筛选条件); an empty filter means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this officer's acts.
    pub by: Option<OfficerId>,
    /// Only this purpose.
    pub purpose: Option<String>,
    /// Only this act, or all of a room: `casework.`.
    pub act: Option<String>,
    /// Only this kind of record.
    pub subject_kind: Option<String>,
    /// Only this record.
    pub subject_id: Option<String>,
    /// Only records of this place and the places under it.
    pub region: Option<Region>,
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
}

mod entry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "store_journal")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub at: DateTimeUtc,
        pub officer: Uuid,
        pub purpose: String,
        pub act: String,
        pub subject_kind: String,
        pub subject_id: String,
        pub region: Option<String>,
        pub detail: String,
        pub previous: String,
        pub hash: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "store_journal_head")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub seq: i64,
        pub hash: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The hash of an entry: every field with its length in front, so that no two entries have the same bytes.
fn hash_of(row: &entry::Model) -> [u8; 32] {
    let mut sm3 = Sm3::new();
    let mut field = |bytes: &[u8]| {
        sm3.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        sm3.update(bytes);
    };
    field(row.previous.as_bytes());
    field(&row.seq.to_be_bytes());
    field(&row.at.timestamp_micros().to_be_bytes());
    field(row.officer.as_bytes());
    field(row.purpose.as_bytes());
    field(row.act.as_bytes());
    field(row.subject_kind.as_bytes());
    field(row.subject_id.as_bytes());
    match &row.region {
        Some(region) => field(region.as_bytes()),
        None => field(&[0xff]),
    }
    field(row.detail.as_bytes());
    sm3.finalize().into()
}

pub(crate) async fn append(
    conn: &impl ConnectionTrait,
    at: DateTime<Utc>,
    events: &[Event],
) -> anyhow::Result<()> {
    // Entries of one chain follow one another: the head's row is the lock.
    let mut last = head::Entity::find_by_id(1)
        .lock_exclusive()
        .one(conn)
        .await?
        .context("the journal has no head")?;
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let mut row = entry::Model {
            seq: last.seq + 1,
            at,
            officer: event.by.0,
            purpose: event.purpose.clone(),
            act: event.act.clone(),
            subject_kind: event.subject_kind.clone(),
            subject_id: event.subject_id.clone(),
            region: event.region.map(String::from),
            detail: serde_json::to_string(&event.detail)?,
            previous: last.hash,
            hash: String::new(),
        };
        row.hash = hex::encode(hash_of(&row));
        last.seq = row.seq;
        last.hash = row.hash.clone();
        rows.push(entry::ActiveModel::from(row));
    }
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
        entry::Entity::insert_many(batch)
            .exec_without_returning(conn)
            .await?;
    }
    let moved = head::Entity::update_many()
        .set(head::ActiveModel {
            seq: Set(last.seq),
            hash: Set(last.hash),
            ..Default::default()
        })
        .filter(head::Column::Id.eq(1))
        .exec(conn)
        .await?;
    anyhow::ensure!(moved.rows_affected == 1, "the journal's head was not moved");
    Ok(())
}

/// The end of the chain (链头): number and hash of the last entry; `None` while the journal is empty.
pub async fn head(db: &Db) -> anyhow::Result<Option<Head>> {
    head_in(db.conn()).await
}

pub(crate) async fn head_in(conn: &impl ConnectionTrait) -> anyhow::Result<Option<Head>> {
    let row = head::Entity::find_by_id(1)
        .one(conn)
        .await?
        .context("操作日志的链头记录不存在 (the journal has no head)")?;
    Ok((row.seq > 0).then_some(Head {
        seq: row.seq,
        hash: row.hash,
    }))
}

/// Entries for the auditor's page (查阅日志), newest first.
pub async fn page(
    db: &Db,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Entry>> {
    let wanted = select(filter);
    let wanted = wanted.order_by_desc(entry::Column::Seq);
    crate::page::cut(db.conn(), wanted, offset, limit)
        .await?
        .try_map(read)
}

/// The entries of a filter after a number (此后符合条件的日志), oldest first: for a file of all of them.
pub async fn matching_after(
    db: &Db,
    filter: &Filter,
    seq: Option<i64>,
    limit: u64,
) -> anyhow::Result<Vec<Entry>> {
    crate::page::after(db.conn(), select(filter), entry::Column::Seq, seq, limit)
        .await?
        .into_iter()
        .map(read)
        .collect()
}

/// Entries after a number (此后的日志), oldest first: for whoever keeps up with what happened.
pub async fn after(db: &Db, seq: i64, limit: u64) -> anyhow::Result<Vec<Entry>> {
    entry::Entity::find()
        .filter(entry::Column::Seq.gt(seq))
        .order_by_asc(entry::Column::Seq)
        .limit(limit)
        .all(db.conn())
        .await?
        .into_iter()
        .map(read)
        .collect()
}

/// One entry by its number; `None` when there is none.
pub async fn entry(db: &Db, seq: i64) -> anyhow::Result<Option<Entry>> {
    entry::Entity::find_by_id(seq)
        .one(db.conn())
        .await?
        .map(read)
        .transpose()
}

fn select(filter: &Filter) -> Select<entry::Entity> {
    use entry::Column;
    let mut wanted = entry::Entity::find();
    if let Some(by) = filter.by {
        wanted = wanted.filter(Column::Officer.eq(by.0));
    }
    if let Some(purpose) = &filter.purpose {
        wanted = wanted.filter(Column::Purpose.eq(purpose));
    }
    if let Some(act) = &filter.act {
        wanted = wanted.filter(if act.ends_with('.') {
            // Both databases sort this column by bytes, so a prefix is a range; '/' follows '.'.
            let beyond = format!("{}/", &act[..act.len() - 1]);
            Column::Act.gte(act).and(Column::Act.lt(beyond))
        } else {
            Column::Act.eq(act)
        });
    }
    if let Some(kind) = &filter.subject_kind {
        wanted = wanted.filter(Column::SubjectKind.eq(kind));
    }
    if let Some(id) = &filter.subject_id {
        wanted = wanted.filter(Column::SubjectId.eq(id));
    }
    if let Some(region) = filter.region {
        wanted = wanted.filter(inside(Column::Region, region));
    }
    if let Some(from) = filter.from {
        wanted = wanted.filter(Column::At.gte(from));
    }
    if let Some(until) = filter.until {
        wanted = wanted.filter(Column::At.lt(until));
    }
    wanted
}

fn read(row: entry::Model) -> anyhow::Result<Entry> {
    let context = || format!("reading journal entry {}", row.seq);
    Ok(Entry {
        seq: row.seq,
        at: row.at,
        event: Event {
            by: OfficerId(row.officer),
            purpose: row.purpose,
            act: row.act,
            subject_kind: row.subject_kind,
            subject_id: row.subject_id,
            region: row
                .region
                .map(|code| code.parse())
                .transpose()
                .with_context(context)?,
            detail: serde_json::from_str(&row.detail).with_context(context)?,
        },
        hash: row.hash,
    })
}

fn nothing() -> String {
    hex::encode(NOTHING)
}

/// The hash of the entry with that number, for comparing with an exported head.
async fn hash_at(conn: &impl ConnectionTrait, seq: i64) -> anyhow::Result<Option<String>> {
    Ok(entry::Entity::find_by_id(seq)
        .one(conn)
        .await?
        .map(|row| row.hash))
}
