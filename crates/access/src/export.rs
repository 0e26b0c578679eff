//! Files that take long (导出任务): who asked for which list, whether it is there, and when it went.
//!
//! Guarantees: only who asked sees and fetches it; every step stands in the journal; a file is ready once, and never after it
//! was removed. The query is sealed: somebody's name may have been looked for.
//! Deliberately absent: the list, the writing and the file itself; they belong to whoever shows lists.

use crate::Scope;
use crate::tables::export::{ActiveModel, Column, Entity, Model};
use anyhow::Context;
use chrono::{DateTime, Duration, Utc};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use store::{Db, Event, NewJob, Page, Tx};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{JobId, OfficerId};

/// The kind of the job that makes the file (任务种类).
pub const JOB: &str = "web.export";
/// How long a file is kept (保留天数).
pub const KEPT_DAYS: i64 = 7;

/// What is asked for (新导出).
#[derive(Debug, Clone)]
pub struct NewExport {
    /// The list's word.
    pub list: String,
    /// Its filter, order and columns.
    pub query: String,
    /// The language of the file.
    pub lang: String,
    /// How many rows there are at this moment.
    pub expected: u64,
}

/// A file asked for (导出任务).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its id.
    pub id: Uuid,
    /// Who asked.
    pub officer: OfficerId,
    /// In which region.
    pub region: Region,
    /// The list's word.
    pub list: String,
    /// Its filter, order and columns.
    pub query: String,
    /// The language of the file.
    pub lang: String,
    /// How many rows there were when it was asked for.
    pub expected: u64,
    /// When it was asked for.
    pub asked_at: DateTime<Utc>,
    /// The job that makes it.
    pub job: JobId,
    /// How many rows were written.
    pub rows: Option<u64>,
    /// The length of the file in bytes.
    pub size: Option<u64>,
    /// When it was ready.
    pub ready_at: Option<DateTime<Utc>>,
    /// When it was removed.
    pub gone_at: Option<DateTime<Utc>>,
}

impl Export {
    /// The day from which it is no longer kept (到期), once it is there.
    pub fn kept_until(&self) -> Option<DateTime<Utc>> {
        self.ready_at.map(|at| at + Duration::days(KEPT_DAYS))
    }

    /// Whether the file can be fetched (可下载).
    pub const fn is_there(&self) -> bool {
        self.ready_at.is_some() && self.gone_at.is_none()
    }

    fn read(db: &Db, row: Model) -> anyhow::Result<Self> {
        let count = |number: i64| u64::try_from(number).context("an export's count is negative");
        Ok(Self {
            id: row.id,
            officer: OfficerId(row.officer_id),
            region: row.region.parse().context("the region of an export")?,
            list: row.list,
            query: db.keys().unseal(&row.query)?,
            lang: row.lang,
            expected: count(row.expected)?,
            asked_at: row.asked_at,
            job: JobId(row.job_id),
            rows: row.row_count.map(count).transpose()?,
            size: row.size.map(count).transpose()?,
            ready_at: row.ready_at,
            gone_at: row.gone_at,
        })
    }
}

fn event(scope: &Scope, act: &str, id: Uuid, detail: serde_json::Value) -> Event {
    Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "export".to_owned(),
        subject_id: id.to_string(),
        region: Some(scope.region),
        detail,
    }
}

/// Asks for a file (申请导出); the job begins to exist with it.
///
/// # Errors
/// Faults of the database.
pub async fn ask(tx: &mut Tx, scope: &Scope, new: &NewExport) -> anyhow::Result<Uuid> {
    let id = tx.new_id();
    let job = NewJob::new(JOB, json!({ "export": id })).unique(&id.to_string());
    let job = tx.enqueue(job).await?;
    let row = ActiveModel {
        id: Set(id),
        officer_id: Set(scope.actor.officer.0),
        region: Set(scope.region.to_string()),
        list: Set(new.list.clone()),
        query: Set(tx.keys().seal(&new.query)),
        lang: Set(new.lang.clone()),
        expected: Set(i64::try_from(new.expected)?),
        asked_at: Set(tx.now()),
        job_id: Set(job.0),
        row_count: Set(None),
        size: Set(None),
        ready_at: Set(None),
        gone_at: Set(None),
    };
    Entity::insert(row)
        .exec_without_returning(tx.conn())
        .await
        .context("writing down an export")?;
    let detail = json!({ "list": new.list, "rows": new.expected });
    tx.note(event(scope, "access.export_ask", id, detail));
    Ok(id)
}

/// A file, if this officer asked for it (自己的导出).
///
/// # Errors
/// Faults of the database.
pub async fn own(db: &Db, officer: OfficerId, id: Uuid) -> anyhow::Result<Option<Export>> {
    Ok(any(db, id).await?.filter(|one| one.officer == officer))
}

/// A file, whoever asked (任一导出): for the worker that makes it.
///
/// # Errors
/// Faults of the database.
pub async fn any(db: &Db, id: Uuid) -> anyhow::Result<Option<Export>> {
    Entity::find_by_id(id)
        .one(db.conn())
        .await
        .context("reading an export")?
        .map(|row| Export::read(db, row))
        .transpose()
}

/// The files an officer asked for (自己的导出列表), newest first.
///
/// # Errors
/// Faults of the database.
pub async fn list(
    db: &Db,
    officer: OfficerId,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Export>> {
    let query = Entity::find()
        .filter(Column::OfficerId.eq(officer.0))
        .order_by_desc(Column::AskedAt)
        .order_by_desc(Column::Id);
    store::page::cut(db.conn(), query, offset, limit)
        .await
        .context("listing exports")?
        .try_map(|row| Export::read(db, row))
}

/// The file is there (导出完成): journalled in the name of who asked, with how many rows left the house. `false` when it was
/// cancelled or made meanwhile; then the caller drops the transaction.
///
/// # Errors
/// Faults of the database.
pub async fn ready(
    tx: &mut Tx,
    scope: &Scope,
    one: &Export,
    act: &str,
    (rows, size): (u64, u64),
) -> anyhow::Result<bool> {
    let changed = Entity::update_many()
        .set(ActiveModel {
            row_count: Set(Some(i64::try_from(rows)?)),
            size: Set(Some(i64::try_from(size)?)),
            ready_at: Set(Some(tx.now())),
            ..Default::default()
        })
        .filter(Column::Id.eq(one.id))
        .filter(Column::ReadyAt.is_null())
        .filter(Column::GoneAt.is_null())
        .exec(tx.conn())
        .await
        .context("writing down that an export is ready")?;
    tx.note(event(scope, act, one.id, json!({ "rows": rows })));
    Ok(changed.rows_affected == 1)
}

/// The file was fetched (下载导出): journalled.
pub fn note_fetched(tx: &mut Tx, scope: &Scope, one: &Export) {
    tx.note(event(
        scope,
        "access.export_fetch",
        one.id,
        json!({ "list": one.list, "rows": one.rows }),
    ));
}

/// The files to be removed (到期的导出): kept long enough, or asked for so long ago and never made. A hundred at a time.
///
/// # Errors
/// Faults of the database.
pub async fn old(db: &Db) -> anyhow::Result<Vec<Uuid>> {
    let before = db.now() - Duration::days(KEPT_DAYS);
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::GoneAt.is_null())
        .filter(
            Condition::any().add(Column::ReadyAt.lt(before)).add(
                Condition::all()
                    .add(Column::ReadyAt.is_null())
                    .add(Column::AskedAt.lt(before)),
            ),
        )
        .limit(100)
        .into_tuple()
        .all(db.conn())
        .await
        .context("looking for exports that are too old")
}

/// It was cancelled by who asked (取消导出): journalled.
pub fn note_cancelled(tx: &mut Tx, scope: &Scope, one: &Export) {
    let detail = json!({ "list": one.list });
    tx.note(event(scope, "access.export_cancel", one.id, detail));
}

/// The file was removed (已清理).
///
/// # Errors
/// Faults of the database.
pub async fn gone(tx: &Tx, id: Uuid) -> anyhow::Result<()> {
    Entity::update_many()
        .set(ActiveModel {
            gone_at: Set(Some(tx.now())),
            ..Default::default()
        })
        .filter(Column::Id.eq(id))
        .exec(tx.conn())
        .await
        .context("writing down that an export was removed")?;
    Ok(())
}
