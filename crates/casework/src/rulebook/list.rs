//! Drafts and editions as they are shown (草稿和版次).
//!
//! Deliberately absent: texts of law that are secret; there are none. Who sees rules sees their drafts.

use super::check::Checked;
use super::draft::{open_draft, opened};
use super::{EditionKind, State};
use crate::case::{from_word, to_word};
use crate::tables::{rule_draft, rule_edition, rule_file};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{Db, Page, inside};
use uuid::Uuid;
use vocab::Region;
use vocab::ids::RuleDraftId;

/// A draft (规则草稿).
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its id.
    pub id: RuleDraftId,
    /// The folder it changes: a programme or a library.
    pub programme: String,
    /// How far it has come.
    pub state: State,
    /// Its version, which a save must name.
    pub version: i64,
    /// The document it rests on.
    pub basis: String,
    /// Why days gone by change.
    pub correction: String,
    /// From which day it changes anything.
    pub from: Option<NaiveDate>,
    /// What the last check found.
    pub checked: Checked,
    /// The edition it became.
    pub edition: Option<i64>,
    /// Who began it.
    pub starter: String,
    /// When it was saved last.
    pub saved_at: DateTime<Utc>,
    /// Who proposed it.
    pub proposer: String,
    /// When.
    pub proposed_at: Option<DateTime<Utc>>,
    /// Who published it or threw it away.
    pub closer: String,
    /// Who wrote any of it.
    pub writers: Vec<Uuid>,
}

/// One file of a draft (草稿文件).
#[derive(Debug, Clone)]
pub struct DraftFile {
    /// Its path in the packs.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// Whether it was made by the check (a card) and not written.
    pub made: bool,
    /// Who saved it last.
    pub saver: String,
}

/// An edition (规则版次).
#[derive(Debug, Clone)]
pub struct Edition {
    /// Its number.
    pub number: i64,
    /// How it came.
    pub kind: EditionKind,
    /// The folder that was changed; empty for a delivery.
    pub programme: String,
    /// The fingerprint of all files.
    pub sm3: String,
    /// The version its packs say.
    pub book_version: String,
    /// The fingerprint determinations quote.
    pub book_hash: String,
    /// The files that changed.
    pub changed: Vec<String>,
    /// From which day it changes anything.
    pub from: NaiveDate,
    /// The document it rests on.
    pub basis: String,
    /// Why days gone by changed.
    pub correction: String,
    /// Who proposed it.
    pub proposer: String,
    /// Who published it.
    pub publisher: String,
    /// When.
    pub published_at: DateTime<Utc>,
}

impl Draft {
    fn read(row: rule_draft::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: RuleDraftId(row.id),
            programme: row.programme,
            state: from_word(&row.state)?,
            version: row.version,
            basis: row.basis,
            correction: row.correction,
            from: row.from_day,
            checked: serde_json::from_str(&row.checked).context("what a check found")?,
            edition: row.edition,
            starter: row.starter,
            saved_at: row.saved_at,
            proposer: row.proposer,
            proposed_at: row.proposed_at,
            closer: row.closer,
            writers: serde_json::from_str(&row.writers).context("who wrote a draft")?,
        })
    }
}

impl From<rule_file::Model> for DraftFile {
    fn from(row: rule_file::Model) -> Self {
        Self {
            path: row.path,
            text: row.text,
            made: row.made,
            saver: row.saver,
        }
    }
}

impl Edition {
    fn read(row: rule_edition::Model) -> anyhow::Result<Self> {
        Ok(Self {
            number: row.number,
            kind: from_word(&row.kind)?,
            programme: row.programme,
            sm3: row.sm3,
            book_version: row.book_version,
            book_hash: row.book_hash,
            changed: serde_json::from_str(&row.changed).context("the files of an edition")?,
            from: row.from_day,
            basis: row.basis,
            correction: row.correction,
            proposer: row.proposer,
            publisher: row.publisher,
            published_at: row.published_at,
        })
    }
}

/// The same as a condition of a query: inside the officer's region, or one of the places it lies in.
fn concerning(scope: &Scope) -> Condition {
    let above = std::iter::successors(Some(scope.region), |region| region.parent());
    Condition::any()
        .add(inside(rule_draft::Column::Region, scope.region))
        .add(rule_draft::Column::Region.is_in(above.map(|region| region.to_string())))
}

/// Whether somebody's region has to do with the place whose rules these are.
pub(super) fn concerns(scope: &Scope, region: &str) -> anyhow::Result<bool> {
    let theirs: Region = region.parse().context("the region of a draft")?;
    Ok(theirs.holds(scope.region) || scope.region.holds(theirs))
}

/// A page of drafts, the last saved first (草稿列表).
///
/// # Errors
/// Faults of the database.
pub async fn drafts(
    db: &Db,
    scope: &Scope,
    offset: u64,
    limit: u64,
) -> anyhow::Result<Page<Draft>> {
    let all = rule_draft::Entity::find()
        .filter(concerning(scope))
        .order_by_desc(rule_draft::Column::SavedAt)
        .order_by_desc(rule_draft::Column::Id);
    store::page::cut(db.conn(), all, offset, limit)
        .await
        .context("listing drafts")?
        .try_map(Draft::read)
}

/// The drafts being written or waiting for a second officer (在办草稿), the last saved first; at most so many.
///
/// # Errors
/// Faults of the database.
pub async fn open_drafts(db: &Db, scope: &Scope, limit: u64) -> anyhow::Result<Vec<Draft>> {
    let open = [to_word(State::Draft), to_word(State::Proposed)];
    rule_draft::Entity::find()
        .filter(concerning(scope))
        .filter(rule_draft::Column::State.is_in(open))
        .order_by_desc(rule_draft::Column::SavedAt)
        .order_by_desc(rule_draft::Column::Id)
        .limit(limit)
        .all(db.conn())
        .await
        .context("listing open drafts")?
        .into_iter()
        .map(Draft::read)
        .collect()
}

/// A draft with its files (草稿); `None` outside the scope.
///
/// # Errors
/// Faults of the database.
pub async fn draft(
    db: &Db,
    scope: &Scope,
    id: RuleDraftId,
) -> anyhow::Result<Option<(Draft, Vec<DraftFile>)>> {
    match opened(db.conn(), id).await? {
        Some(found) if concerns(scope, &found.row.region)? => Ok(Some((
            Draft::read(found.row)?,
            found.files.into_iter().map(DraftFile::from).collect(),
        ))),
        _ => Ok(None),
    }
}

/// The draft a programme is being changed with (在办草稿).
///
/// # Errors
/// Faults of the database.
pub async fn open_of(
    db: &Db,
    place: Region,
    folder: &str,
) -> anyhow::Result<Option<(Draft, Vec<DraftFile>)>> {
    match open_draft(db.conn(), &place.to_string(), folder).await? {
        Some(found) => Ok(Some((
            Draft::read(found.row)?,
            found.files.into_iter().map(DraftFile::from).collect(),
        ))),
        None => Ok(None),
    }
}

/// A page of editions, the newest first (规则历史).
///
/// # Errors
/// Faults of the database.
pub async fn editions(db: &Db, offset: u64, limit: u64) -> anyhow::Result<Page<Edition>> {
    let all = rule_edition::Entity::find().order_by_desc(rule_edition::Column::Number);
    store::page::cut(db.conn(), all, offset, limit)
        .await
        .context("listing editions")?
        .try_map(Edition::read)
}

/// One edition (规则版次).
///
/// # Errors
/// Faults of the database.
pub async fn edition(db: &Db, number: i64) -> anyhow::Result<Option<Edition>> {
    rule_edition::Entity::find_by_id(number)
        .one(db.conn())
        .await
        .context("reading an edition")?
        .map(Edition::read)
        .transpose()
}
