//! Messages as officers see them (消息列表): cut, sorted and counted by the database.

use super::State;
use crate::carrier::Channel;
use crate::happening::Happening;
use crate::tables::message::{Column, Entity, Model};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, Select};
use serde_json::json;
use std::collections::BTreeMap;
use store::{Db, Event, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::CaseId;

/// Which messages (消息筛选); an empty filter means all of the scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Only this place and those under it.
    pub region: Option<Region>,
    /// Only this case's, by its number.
    pub number: String,
    /// Only by this way.
    pub channel: Option<Channel>,
    /// Only of this happening.
    pub happening: Option<Happening>,
    /// Only these states; empty means all.
    pub states: Vec<State>,
}

/// By what a list is sorted (排序).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MessageSort {
    /// The newest first.
    #[default]
    Newest,
    /// By when it was written.
    Created,
    /// By community.
    Place,
}

impl MessageSort {
    /// From its word in an address (读代码).
    pub fn from_word(word: &str) -> Self {
        match word {
            "created_at" => Self::Created,
            "place" => Self::Place,
            _ => Self::Newest,
        }
    }
}

/// A message in a list (消息列表行).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id, and the key it went out with.
    pub id: Uuid,
    /// What it tells of.
    pub happening: Option<Happening>,
    /// By which way.
    pub channel: Channel,
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub number: String,
    /// The community.
    pub region: Region,
    /// The masked name of who is told.
    pub name_masked: String,
    /// How many parts it has.
    pub parts: i64,
    /// How far it came.
    pub state: State,
    /// Why no further; no names, no numbers.
    pub reason: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it may leave, if it waits for that.
    pub not_before: Option<DateTime<Utc>>,
    /// When it left.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it arrived, or was known not to.
    pub settled_at: Option<DateTime<Utc>>,
    /// Who sent it again, if it was.
    pub resent_by: String,
    /// What it says; only beside its case.
    pub text: Option<String>,
}

impl MessageRow {
    fn read(row: Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            happening: Happening::from_word(&row.happening),
            channel: Channel::from_word(&row.channel).context("a message's way")?,
            case: CaseId(row.case_id),
            number: row.case_number,
            region: row.region.parse().context("a message's place")?,
            name_masked: row.name_masked,
            parts: row.parts,
            state: State::from_word(&row.state).context("a message's state")?,
            reason: row.reason,
            created_at: row.created_at,
            not_before: row.not_before,
            sent_at: row.sent_at,
            settled_at: row.settled_at,
            resent_by: row.resent_by,
            text: None,
        })
    }
}

fn within(scope: &Scope, filter: &MessageFilter) -> Select<Entity> {
    let mut all = Condition::all().add(inside(Column::Region, scope.region));
    if let Some(region) = filter.region {
        all = all.add(inside(Column::Region, region));
    }
    let number = filter.number.trim();
    if !number.is_empty() {
        all = all.add(Column::CaseNumber.eq(number));
    }
    if let Some(channel) = filter.channel {
        all = all.add(Column::Channel.eq(channel.word()));
    }
    if let Some(happening) = filter.happening {
        all = all.add(Column::Happening.eq(happening.word()));
    }
    if !filter.states.is_empty() {
        all = all.add(Column::State.is_in(filter.states.iter().map(|state| state.word())));
    }
    Entity::find().filter(all)
}

/// Messages (消息列表); the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    scope: &Scope,
    filter: &MessageFilter,
    (sort, falls): (MessageSort, bool),
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<MessageRow>> {
    let order = if falls { Order::Desc } else { Order::Asc };
    let wanted = within(scope, filter);
    let wanted = match sort {
        MessageSort::Newest => wanted.order_by_desc(Column::CreatedAt),
        MessageSort::Created => wanted.order_by(Column::CreatedAt, order),
        MessageSort::Place => wanted.order_by(Column::Region, order),
    };
    let found = store::page::cut(db.conn(), wanted.order_by_desc(Column::Id), offset, limit)
        .await
        .context("listing messages")?
        .try_map(MessageRow::read)?;
    let detail = json!({ "messages": found.rows.len(), "of": found.total });
    looked(db, scope, ("region", scope.region.to_string()), detail).await?;
    Ok(found)
}

/// The messages of a filter after one (此后的消息), in the order of identifiers: for a file of all of them. The caller journals it.
///
/// # Errors
/// Faults of the database.
pub async fn after(
    db: &Db,
    scope: &Scope,
    filter: &MessageFilter,
    last: Option<Uuid>,
    limit: u64,
) -> anyhow::Result<Vec<MessageRow>> {
    store::page::after(db.conn(), within(scope, filter), Column::Id, last, limit)
        .await
        .context("going through messages")?
        .into_iter()
        .map(MessageRow::read)
        .collect()
}

/// How many messages came how far (消息计数), whatever states the filter names; each is the count of the list of that state.
///
/// # Errors
/// Faults of the database.
pub async fn counts(
    db: &Db,
    scope: &Scope,
    filter: &MessageFilter,
) -> anyhow::Result<BTreeMap<State, u64>> {
    let filter = MessageFilter {
        states: Vec::new(),
        ..filter.clone()
    };
    let counted = store::page::by_word(db.conn(), within(scope, &filter), Column::State)
        .await
        .context("counting messages")?;
    counted
        .into_iter()
        .map(|(word, count)| {
            let state = State::from_word(&word).context("a message's state")?;
            Ok((state, count))
        })
        .collect()
}

/// The messages about a case (办件的消息) with what they say, oldest first; the look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`store::Tx`].
///
/// # Errors
/// Faults of the database.
pub async fn of_case(db: &Db, scope: &Scope, case: CaseId) -> anyhow::Result<Vec<MessageRow>> {
    let rows = Entity::find()
        .filter(Column::CaseId.eq(case.0))
        .filter(inside(Column::Region, scope.region))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db.conn())
        .await
        .context("reading the messages of a case")?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let text = db.keys().unseal(&row.text_sealed)?;
        all.push(MessageRow {
            text: Some(text),
            ..MessageRow::read(row)?
        });
    }
    let detail = json!({ "messages": all.len() });
    looked(db, scope, ("case", case.to_string()), detail).await?;
    Ok(all)
}

async fn looked(
    db: &Db,
    scope: &Scope,
    (kind, id): (&str, String),
    detail: serde_json::Value,
) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "notify.read".to_owned(),
        subject_kind: kind.to_owned(),
        subject_id: id,
        region: Some(scope.region),
        detail,
    });
    tx.commit().await
}
