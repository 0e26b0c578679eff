//! Publishing (发布规则): a second officer puts a proposal into force, exactly as it passed the gate.
//!
//! Guarantees: whoever wrote a word of it cannot publish it; the edition is in the database before the desk turns to it,
//! so a service killed in between starts with the edition; one publication at a time.

use super::check::Stage;
use super::draft::{Opened, base, opened, over, save_row};
use super::shelf::{self, InForce, NewEdition, Shelf};
use super::{EditionKind, Refused, State, note, word, workroom};
use crate::case::from_word;
use crate::desk::Desk;
use crate::tables::rule_draft;
use access::{Permission, Scope, another_officer};
use anyhow::{Context, anyhow};
use chrono::NaiveDate;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Db;
use uuid::Uuid;
use vocab::ids::{OfficerId, RuleDraftId};

/// What an officer says when proposing (提请内容).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The version of the draft that was seen.
    pub version: i64,
    /// The day from which it changes anything (施行日).
    pub from: NaiveDate,
    /// The document and its number (依据文件和文号).
    pub basis: String,
    /// Why days gone by change, if they do (更正原因).
    pub correction: String,
}

/// Publishes a proposal (复核并发布); gives the number of the edition.
///
/// # Errors
/// Faults of the database and of the disk; refusals are values.
pub async fn publish(
    db: &Db,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
) -> anyhow::Result<Result<i64, Refused>> {
    let _alone = shelf.one_at_a_time.lock().await;
    shelf.catch_up(db).await?;
    let now = shelf.now();
    let root = match workroom(shelf, &now, scope, Permission::PublishRules) {
        Ok(root) => root,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(Opened { row, files }) = opened(db.conn(), id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let from = match ready(&row, scope, db.today())? {
        Ok(from) => from,
        Err(refused) => return Ok(Err(refused)),
    };
    let texts = over(&now, &files, true);
    let stands = files
        .iter()
        .all(|file| file.base_sm3 == base(&now, &file.path));
    if !stands || texts.fingerprint() != row.sm3 {
        return Ok(Err(Refused::RuleBookChanged));
    }
    let desk: Arc<Desk> = {
        let (root, place, texts) = (root.to_owned(), shelf.place().to_owned(), texts.clone());
        tokio::task::spawn_blocking(move || {
            Stage::of(&root, &place, &texts)?.desk().map_err(|faults| {
                anyhow!(
                    "a proposal that passed the gate has {} faults",
                    faults.len()
                )
            })
        })
        .await??
    };
    let number = match put(db, scope, &now, row, from, &texts, &desk).await? {
        Ok(number) => number,
        Err(refused) => return Ok(Err(refused)),
    };
    shelf.turn_to(db, number).await?;
    Ok(Ok(number))
}

/// Whether this officer may publish this draft now; its first day.
fn ready(
    row: &rule_draft::Model,
    scope: &Scope,
    today: NaiveDate,
) -> anyhow::Result<Result<NaiveDate, Refused>> {
    let state: State = from_word(&row.state)?;
    if state != State::Proposed {
        return Ok(Err(Refused::WrongState(state)));
    }
    let writers: BTreeSet<Uuid> = serde_json::from_str(&row.writers)?;
    for before in writers.into_iter().chain(row.proposed_by) {
        if let Err(same) = another_officer(OfficerId(before), &scope.actor) {
            return Ok(Err(same.into()));
        }
    }
    let from = row.from_day.context("a proposal without its day")?;
    if from < today && row.correction.is_empty() {
        return Ok(Err(Refused::DayBehind));
    }
    Ok(Ok(from))
}

async fn put(
    db: &Db,
    scope: &Scope,
    now: &InForce,
    mut row: rule_draft::Model,
    from: NaiveDate,
    texts: &super::Texts,
    desk: &Desk,
) -> anyhow::Result<Result<i64, Refused>> {
    let mut tx = db.begin().await?;
    let Some(last) = shelf::last(tx.conn()).await? else {
        return Ok(Err(Refused::ReadOnly));
    };
    if last.number != now.number {
        return Ok(Err(Refused::RuleBookChanged));
    }
    let changed = now.texts.differing(texts);
    let number = shelf::keep(
        &tx,
        desk,
        &NewEdition {
            kind: EditionKind::Published,
            programme: &row.programme,
            texts,
            delivered: &serde_json::from_str(&last.delivered)?,
            changed: &changed,
            from,
            basis: &row.basis,
            correction: &row.correction,
            draft: Some(row.id),
            proposed: row.proposed_by.map(|id| (id, row.proposer.as_str())),
            published: Some((scope.actor.officer.0, &scope.actor.name)),
        },
    )
    .await?;
    let (read_at, id) = (row.version, row.id);
    row.version = read_at + 1;
    row.state = word(State::Published);
    row.edition = Some(number);
    row.closed_by = Some(scope.actor.officer.0);
    row.closer = scope.actor.name.clone();
    row.closed_at = Some(tx.now());
    if !save_row(&tx, row, read_at).await? {
        return Ok(Err(Refused::Changed));
    }
    note(
        &mut tx,
        scope,
        "casework.rules.publish",
        ("rule_edition", &number.to_string()),
        json!({ "draft": id.to_string(), "from": from.to_string(), "sm3": texts.fingerprint(), "files": changed.len() }),
    );
    tx.commit().await?;
    Ok(Ok(number))
}
