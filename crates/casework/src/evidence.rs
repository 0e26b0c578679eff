//! Evidence files of a case (材料): photographs, forms, scans; sealed on disk by the store.
//!
//! Guarantees: a file belongs to one case and is read only through its scope; every look stands in the journal.
//! Deliberately absent: changing or removing a file once it is there.

use crate::case::{Case, Evidence};
use crate::desk::Desk;
use crate::rows::{self, insert};
use crate::tables;
use access::Scope;
use anyhow::Context;
use sea_orm::EntityTrait;
use serde_json::json;
use store::files::NewFile;
use store::{Db, Event, Tx};
use uuid::Uuid;
use vocab::ids::{CaseId, FileId};

/// A file to be added (新材料).
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvidence {
    /// Its kind: a word of the procedure's `[[evidence]]`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A note.
    pub note: String,
}

impl std::fmt::Debug for NewEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewEvidence({}, {} bytes)", self.kind, self.bytes.len())
    }
}

/// Why a file was not added (材料未上传原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such case in the scope.
    #[error("在您的管辖范围内查不到这个办件")]
    NotThere,
    /// Not a kind of this procedure.
    #[error("没有“{0}”这种材料，请从列表中选择")]
    UnknownKind(String),
    /// Empty.
    #[error("文件是空的，请重新选择")]
    Empty,
    /// The store refused it.
    #[error("{0}")]
    Store(String),
}

impl Refused {
    /// The sentence in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotThere => "This case is not found in your area".into(),
            Self::UnknownKind(kind) => format!("There is no evidence of the kind “{kind}”"),
            Self::Empty => "The file is empty".into(),
            Self::Store(sentence) => sentence.clone(),
        }
    }
}

/// Adds a file to a case (上传材料).
///
/// # Errors
/// Faults of the database or the disk; refusals are values.
pub async fn attach(
    tx: &mut Tx,
    scope: &Scope,
    desk: &Desk,
    case: CaseId,
    new: NewEvidence,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let Some(row) = rows::case_row(tx, scope, case.0).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let known = desk
        .procedure(&row.programme)
        .is_some_and(|procedure| procedure.evidence.iter().any(|named| named.id == new.kind));
    if !known {
        return Ok(Err(Refused::UnknownKind(new.kind)));
    }
    if new.bytes.is_empty() {
        return Ok(Err(Refused::Empty));
    }
    let size = i64::try_from(new.bytes.len()).context("the size of a file")?;
    let file = NewFile {
        media_type: new.media.clone(),
        name: Some(new.name.clone()),
        bytes: new.bytes,
    };
    let files = tx.files().clone();
    let stored = match files.put(tx, file).await? {
        Ok(stored) => stored,
        Err(refused) => return Ok(Err(Refused::Store(refused.to_string()))),
    };
    let id = tx.new_id();
    insert::<tables::evidence::Entity>(
        tx,
        tables::evidence::Model {
            id,
            case_id: row.id,
            region: row.region.clone(),
            kind: new.kind.clone(),
            file_id: stored.id.to_string(),
            name: new.name,
            media: new.media,
            size,
            note: new.note.trim().to_owned(),
            officer_id: scope.actor.officer.0,
            officer: scope.actor.name.clone(),
            at: tx.now(),
        },
    )
    .await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.attach".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "evidence": id, "kind": new.kind, "sm3": stored.sm3 }),
    });
    Ok(Ok(id))
}

/// A file with its bytes (查看材料); `None` outside the scope. The look is journalled.
///
/// Opens its own transaction for the journal: do not call it while holding a [`Tx`].
///
/// # Errors
/// Faults of the database or the disk.
pub async fn read(
    db: &Db,
    scope: &Scope,
    desk: &Desk,
    id: Uuid,
) -> anyhow::Result<Option<(Evidence, Vec<u8>)>> {
    let found = tables::evidence::Entity::find_by_id(id)
        .one(db.conn())
        .await
        .context("reading evidence")?;
    let Some(row) = found else { return Ok(None) };
    let Some(case) = rows::case_row(db, scope, row.case_id).await? else {
        return Ok(None);
    };
    let file: FileId = row
        .file_id
        .parse()
        .context("the file of a piece of evidence")?;
    let Some((_, bytes)) = db.files().get(db.conn(), file).await? else {
        return Ok(None);
    };
    let mut tx = db.begin().await?;
    tx.note(Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: "casework.read_evidence".to_owned(),
        subject_kind: "case".to_owned(),
        subject_id: row.case_id.to_string(),
        region: row.region.parse().ok(),
        detail: json!({ "evidence": id, "kind": row.kind }),
    });
    tx.commit().await?;
    Ok(Some((shown(desk, &Case::read(&case)?, row), bytes)))
}

pub(crate) fn shown(desk: &Desk, case: &Case, row: tables::evidence::Model) -> Evidence {
    let named = desk
        .procedure(&case.programme)
        .and_then(|procedure| procedure.evidence.iter().find(|named| named.id == row.kind));
    Evidence {
        id: row.id,
        zh: named.map_or_else(|| row.kind.clone(), |named| named.zh.clone()),
        en: named.map_or_else(|| row.kind.clone(), |named| named.en.clone()),
        kind: row.kind,
        name: row.name,
        media: row.media,
        size: row.size,
        note: row.note,
        officer: row.officer,
        at: row.at,
    }
}
