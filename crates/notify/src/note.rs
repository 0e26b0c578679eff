//! Notes to a desk (岗位提醒): what has come in for whoever holds a role over a place, until each of them has seen it.
//!
//! Guarantees: a note is seen by who holds its role over its place, and by nobody else; whoever did the act is not told of it; the
//! number on the bell is the length of the list. Deliberately absent: work; what is to be done stands in the to-do list.

use crate::happening::Happening;
use crate::tables::{note, seen};
use access::Actor;
use anyhow::Context;
use casework::told::Told;
use chrono::{DateTime, Utc};
use note::{Column, Entity, Model};
use registry::Reading;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
};
use store::{Db, Page, Tx, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::CaseId;

/// So many are marked at once.
const AT_ONCE: u64 = 1_000;

/// A note (提醒).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub happening: Option<Happening>,
    /// The case.
    pub case: CaseId,
    /// Its number.
    pub number: String,
    /// The community.
    pub region: Region,
    /// What it says.
    pub zh: String,
    /// What it says, English.
    pub en: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether this officer has seen it.
    pub seen: bool,
}

impl Note {
    fn read(row: Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            happening: Happening::from_word(&row.happening),
            case: CaseId(row.case_id),
            number: row.case_number,
            region: row.region.parse().context("a note's place")?,
            zh: row.text_zh,
            en: row.text_en,
            at: row.created_at,
            seen: false,
        })
    }
}

/// A note about to be written.
pub(crate) struct New<'a> {
    pub(crate) once_key: String,
    pub(crate) event_seq: i64,
    pub(crate) happening: Happening,
    pub(crate) told: &'a Told,
    pub(crate) role: access::Role,
    pub(crate) by: vocab::ids::OfficerId,
    pub(crate) texts: (String, String),
}

pub(crate) async fn write(tx: &Tx, new: New<'_>) -> anyhow::Result<()> {
    let row = Model {
        id: tx.new_id(),
        once_key: new.once_key,
        event_seq: new.event_seq,
        happening: new.happening.word().to_owned(),
        case_id: new.told.case.0,
        case_number: new.told.number.clone(),
        region: new.told.region.to_string(),
        role: new.role.code().to_owned(),
        by_officer: new.by.0,
        text_zh: new.texts.0,
        text_en: new.texts.1,
        created_at: tx.now(),
    };
    Entity::insert(row.into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("writing a note")?;
    Ok(())
}

/// The notes of a desk: each role in its own places only.
fn of_desk(actor: &Actor) -> Select<Entity> {
    let mut mine = Condition::any();
    for (role, region) in &actor.roles {
        mine = mine.add(
            Condition::all()
                .add(Column::Role.eq(role.code()))
                .add(inside(Column::Region, *region)),
        );
    }
    if mine.is_empty() {
        mine = mine.add(Expr::value(false));
    }
    Entity::find()
        .filter(mine)
        .filter(Column::ByOfficer.ne(actor.officer.0))
}

fn unread(actor: &Actor) -> Select<Entity> {
    let mine = seen::Entity::find()
        .select_only()
        .column(seen::Column::NoteId)
        .filter(seen::Column::OfficerId.eq(actor.officer.0));
    of_desk(actor).filter(Column::Id.not_in_subquery(mine.into_query()))
}

/// An officer's notes (我的提醒), newest first: all, or those not seen yet.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    actor: &Actor,
    unread_only: bool,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Note>> {
    let wanted = if unread_only {
        unread(actor)
    } else {
        of_desk(actor)
    };
    let wanted = wanted
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id);
    let mut page = store::page::cut(db.conn(), wanted, offset, limit)
        .await
        .context("listing notes")?
        .try_map(Note::read)?;
    let known: Vec<Uuid> = seen::Entity::find()
        .filter(seen::Column::OfficerId.eq(actor.officer.0))
        .filter(seen::Column::NoteId.is_in(page.rows.iter().map(|note| note.id)))
        .all(db.conn())
        .await
        .context("reading which notes were seen")?
        .into_iter()
        .map(|row| row.note_id)
        .collect();
    for note in &mut page.rows {
        note.seen = known.contains(&note.id);
    }
    Ok(page)
}

/// How many notes an officer has not seen (未读提醒数): the number on the bell.
///
/// # Errors
/// Faults of the database.
pub async fn unread_count(db: &Db, actor: &Actor) -> anyhow::Result<u64> {
    unread(actor)
        .count(db.conn())
        .await
        .context("counting notes not seen")
}

/// Marks one note seen (标为已读); `None` when it is not at this officer's desk.
///
/// # Errors
/// Faults of the database.
pub async fn mark_seen(tx: &Tx, actor: &Actor, id: Uuid) -> anyhow::Result<Option<Note>> {
    let row = of_desk(actor)
        .filter(Column::Id.eq(id))
        .one(tx.conn())
        .await
        .context("reading a note")?;
    let Some(row) = row else { return Ok(None) };
    mark(tx, actor, [id]).await?;
    Note::read(row).map(Some)
}

/// Marks all notes of an officer seen (全部标为已读); the answer is how many.
///
/// # Errors
/// Faults of the database.
pub async fn mark_all_seen(tx: &Tx, actor: &Actor) -> anyhow::Result<u64> {
    let mut all = 0;
    loop {
        let some: Vec<Uuid> = unread(actor)
            .select_only()
            .column(Column::Id)
            .limit(AT_ONCE)
            .into_tuple()
            .all(tx.conn())
            .await
            .context("reading notes not seen")?;
        if some.is_empty() {
            return Ok(all);
        }
        all += u64::try_from(some.len())?;
        mark(tx, actor, some).await?;
    }
}

async fn mark(tx: &Tx, actor: &Actor, notes: impl IntoIterator<Item = Uuid>) -> anyhow::Result<()> {
    let rows = notes.into_iter().map(|note_id| {
        seen::Model {
            officer_id: actor.officer.0,
            note_id,
            at: tx.now(),
        }
        .into_active_model()
    });
    seen::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await
        .context("marking notes seen")?;
    Ok(())
}

/// The notes about a case (办件的提醒), oldest first. What is told of ratings is left out: it would say whose they are.
///
/// # Errors
/// Faults of the database.
pub async fn of_case(
    source: &impl Reading,
    scope: &access::Scope,
    case: CaseId,
) -> anyhow::Result<Vec<(Note, Option<access::Role>)>> {
    Entity::find()
        .filter(Column::CaseId.eq(case.0))
        .filter(inside(Column::Region, scope.region))
        .filter(Column::Happening.ne(Happening::BadlyRated.word()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(source.connection())
        .await
        .context("reading the notes of a case")?
        .into_iter()
        .map(|row| {
            let role = row.role.parse().ok();
            Ok((Note::read(row)?, role))
        })
        .collect()
}
