//! Drafts (规则草稿): files of one programme as an officer would have them, checked at every save.
//!
//! Guarantees: one open draft a programme; a save over somebody else's save is refused with nothing lost; a draft is
//! proposed only when it loads, all cases come out, the gate lets it pass and nothing of days gone by changes unsaid.

use super::check::{Checked, Stage};
use super::publish::Proposal;
use super::shelf::{InForce, Shelf};
use super::{Refused, State, note, permitted, word, workroom};
use crate::case::from_word;
use crate::rows::{insert, insert_all};
use crate::tables::{rule_draft, rule_file};
use access::{Permission, Scope};
use anyhow::Context;
use chrono::NaiveDate;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::keys::sm3_hex;
use store::{Db, Tx};
use uuid::Uuid;
use vocab::ids::RuleDraftId;

/// The files of a folder that may be written here; those in subfolders begin with a name of `LETTERS`.
const FILES: [&str; 9] = [
    "parameters.toml",
    "rules.toml",
    "wording.toml",
    "cases.toml",
    "law.md",
    "facts.toml",
    "mutants.toml",
    "procedure.toml",
    "form.toml",
];
const LETTERS: &str = "letters/";
/// The draft of templates all programmes share is called like their folder.
pub const SHARED_LETTERS: &str = "letters";
/// What all templates of a pack import.
const LETTER: &str = "letter.typ";

/// What a save brought (保存结果).
#[derive(Debug, Clone)]
pub struct Saved {
    /// The draft.
    pub id: RuleDraftId,
    /// Its version now.
    pub version: i64,
    /// What the check found.
    pub checked: Checked,
}

/// The files of a programme or library that may be written (可改文件), its own place's first; those that do not exist yet too. Of
/// [`SHARED_LETTERS`], the templates of letters all programmes share, and what they import.
pub fn editable(now: &InForce, folder: &str) -> Vec<String> {
    let packs: Vec<String> = now
        .desk
        .book
        .place()
        .folders
        .iter()
        .rev()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    if folder == SHARED_LETTERS {
        return shared_letters(now, &packs);
    }
    let mut found = Vec::new();
    for pack in packs {
        let start = format!("{pack}/{folder}/");
        let inside: Vec<&str> = now
            .texts
            .paths()
            .filter_map(|path| path.strip_prefix(&start))
            .collect();
        if !inside.iter().any(|file| FILES.contains(file)) {
            continue;
        }
        found.extend(FILES.iter().map(|file| format!("{start}{file}")));
        found.extend(
            inside
                .iter()
                .filter(|file| file.starts_with(LETTERS) && file.ends_with(".typ"))
                .map(|file| format!("{start}{file}")),
        );
    }
    found
}

/// The templates programmes share: each pack's own, and in the place's pack those it could have of its own.
fn shared_letters(now: &InForce, packs: &[String]) -> Vec<String> {
    let mut names: BTreeSet<String> = BTreeSet::from([LETTER.to_owned()]);
    let mut there: BTreeSet<String> = BTreeSet::new();
    for path in now.texts.paths() {
        let Some((pack, name)) = path.split_once('/') else {
            continue;
        };
        let template = name
            .strip_prefix(LETTERS)
            .is_some_and(|file| file.ends_with(".typ"));
        if packs.iter().any(|one| one == pack) && (name == LETTER || template) {
            names.insert(name.to_owned());
            there.insert(path.to_owned());
        }
    }
    let own = packs.first().map_or("", String::as_str);
    packs
        .iter()
        .flat_map(|pack| {
            names
                .iter()
                .map(move |name| (pack, format!("{pack}/{name}")))
        })
        .filter(|(pack, path)| *pack == own || there.contains(path))
        .map(|(_, path)| path)
        .collect()
}

/// The rows of a draft, or why it is not there.
pub(super) struct Opened {
    pub(super) row: rule_draft::Model,
    pub(super) files: Vec<rule_file::Model>,
}

pub(super) async fn opened(
    conn: &impl ConnectionTrait,
    id: RuleDraftId,
) -> anyhow::Result<Option<Opened>> {
    let Some(row) = rule_draft::Entity::find_by_id(id.0).one(conn).await? else {
        return Ok(None);
    };
    let files = rule_file::Entity::find()
        .filter(rule_file::Column::DraftId.eq(id.0))
        .order_by_asc(rule_file::Column::Path)
        .all(conn)
        .await
        .context("reading the files of a draft")?;
    Ok(Some(Opened { row, files }))
}

/// The open draft of a folder, if there is one.
pub(super) async fn open_draft(
    conn: &impl ConnectionTrait,
    region: &str,
    folder: &str,
) -> anyhow::Result<Option<Opened>> {
    let found = rule_draft::Entity::find()
        .filter(rule_draft::Column::Region.eq(region))
        .filter(rule_draft::Column::Programme.eq(folder))
        .filter(rule_draft::Column::State.is_in([State::Draft, State::Proposed].map(word)))
        .one(conn)
        .await
        .context("looking for an open draft")?;
    match found {
        Some(row) => opened(conn, RuleDraftId(row.id)).await,
        None => Ok(None),
    }
}

/// Saves a draft's row over the version it was read at; `false` if somebody was faster.
pub(super) async fn save_row(
    tx: &Tx,
    row: rule_draft::Model,
    read_at: i64,
) -> anyhow::Result<bool> {
    let id = row.id;
    let saved = rule_draft::Entity::update_many()
        .set(row.into_active_model().reset_all())
        .filter(rule_draft::Column::Id.eq(id))
        .filter(rule_draft::Column::Version.eq(read_at))
        .exec(tx.conn())
        .await
        .context("saving a draft of rules")?;
    Ok(saved.rows_affected == 1)
}

fn state(row: &rule_draft::Model) -> anyhow::Result<State> {
    from_word(&row.state)
}

/// The texts of a draft laid over those in force; made files (cards) left out unless asked for.
pub(super) fn over(now: &InForce, files: &[rule_file::Model], with_made: bool) -> super::Texts {
    now.texts.with(
        files
            .iter()
            .filter(|file| with_made || !file.made)
            .map(|file| (file.path.as_str(), file.text.as_str())),
    )
}

pub(super) fn base(now: &InForce, path: &str) -> String {
    now.texts
        .get(path)
        .map(|text| sm3_hex(text.as_bytes()))
        .unwrap_or_default()
}

/// Line ends as files have them, and one at the end.
fn tidied(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Saves one file of a draft and checks the whole draft (保存草稿). `read_at` is the version the officer saw; 0 begins a draft.
///
/// A text that equals the one in force leaves the draft. A draft with mistakes is saved all the same, with its mistakes.
///
/// # Errors
/// Faults of the database and of the disk; refusals are values.
pub async fn save(
    db: &Db,
    shelf: &Shelf,
    scope: &Scope,
    folder: &str,
    (path, text): (&str, &str),
    read_at: i64,
) -> anyhow::Result<Result<Saved, Refused>> {
    shelf.catch_up(db).await?;
    let now = shelf.now();
    let place = now.desk.book.place().division;
    let root = match workroom(shelf, &now, scope, Permission::WriteRules) {
        Ok(root) => root,
        Err(refused) => return Ok(Err(refused)),
    };
    let may_be = editable(&now, folder);
    if may_be.is_empty() {
        return Ok(Err(Refused::NoFolder(folder.to_owned())));
    }
    if !may_be.iter().any(|known| known == path) {
        return Ok(Err(Refused::NotEditable(path.to_owned())));
    }
    let text = tidied(text);
    let region = place.to_string();
    let known = open_draft(db.conn(), &region, folder).await?;
    if let Some(refused) = known
        .as_ref()
        .and_then(|known| out_of_turn(&known.row, read_at))
    {
        return Ok(Err(refused));
    }
    if known.is_none() && read_at != 0 {
        return Ok(Err(Refused::NotThere));
    }
    let mut files = known.map(|known| known.files).unwrap_or_default();
    files.retain(|file| !file.made && file.path != path);
    let differs = now.texts.get(path).unwrap_or_default() != text;
    let texts = over(&now, &files, false);
    let texts = if differs {
        texts.with([(path, text.as_str())])
    } else {
        texts
    };
    let checked = {
        let (root, place, folder) = (root.to_owned(), shelf.place().to_owned(), folder.to_owned());
        let (now, today) = (Arc::clone(&now), db.today());
        tokio::task::spawn_blocking(move || {
            let changed = now.texts.differing(&texts);
            Stage::of(&root, &place, &texts)?.check(&now.desk.book, &folder, &changed, today)
        })
        .await??
    };
    let mut tx = db.begin().await?;
    let id = match keep(&mut tx, scope, &region, folder, &checked, read_at).await? {
        Ok(id) => id,
        Err(refused) => return Ok(Err(refused)),
    };
    rule_file::Entity::delete_many()
        .filter(rule_file::Column::DraftId.eq(id))
        .filter(
            sea_orm::Condition::any()
                .add(rule_file::Column::Path.eq(path))
                .add(rule_file::Column::Made.eq(true)),
        )
        .exec(tx.conn())
        .await
        .context("replacing a file of a draft")?;
    if differs {
        let row = rule_file::Model {
            id: tx.new_id(),
            draft_id: id,
            path: path.to_owned(),
            base_sm3: base(&now, path),
            text,
            made: false,
            saved_by: scope.actor.officer.0,
            saver: scope.actor.name.clone(),
            saved_at: tx.now(),
        };
        insert::<rule_file::Entity>(&tx, row).await?;
    }
    note(
        &mut tx,
        scope,
        "casework.rules.save",
        ("rule_draft", &id.to_string()),
        json!({ "file": path, "sound": checked.is_sound() }),
    );
    tx.commit().await?;
    Ok(Ok(Saved {
        id: RuleDraftId(id),
        version: read_at + 1,
        checked,
    }))
}

fn out_of_turn(row: &rule_draft::Model, read_at: i64) -> Option<Refused> {
    if row.version != read_at {
        return Some(Refused::Changed);
    }
    match state(row) {
        Ok(State::Draft) => None,
        Ok(other) => Some(Refused::WrongState(other)),
        Err(_) => Some(Refused::NotThere),
    }
}

/// Begins a draft or carries it one version on.
async fn keep(
    tx: &mut Tx,
    scope: &Scope,
    region: &str,
    folder: &str,
    checked: &Checked,
    read_at: i64,
) -> anyhow::Result<Result<Uuid, Refused>> {
    let checked = serde_json::to_string(checked)?;
    let officer = scope.actor.officer.0;
    let Some(known) = open_draft(tx.conn(), region, folder).await? else {
        let row = rule_draft::Model {
            id: tx.new_id(),
            region: region.to_owned(),
            programme: folder.to_owned(),
            state: word(State::Draft),
            version: 1,
            basis: String::new(),
            correction: String::new(),
            from_day: None,
            checked,
            sm3: String::new(),
            edition: None,
            writers: serde_json::to_string(&[officer])?,
            started_by: officer,
            starter: scope.actor.name.clone(),
            started_at: tx.now(),
            saved_at: tx.now(),
            proposed_by: None,
            proposer: String::new(),
            proposed_at: None,
            closed_by: None,
            closer: String::new(),
            closed_at: None,
        };
        let id = row.id;
        insert::<rule_draft::Entity>(tx, row).await?;
        return Ok(Ok(id));
    };
    let mut row = known.row;
    if let Some(refused) = out_of_turn(&row, read_at) {
        return Ok(Err(refused));
    }
    let mut writers: BTreeSet<Uuid> = serde_json::from_str(&row.writers)?;
    writers.insert(officer);
    row.writers = serde_json::to_string(&writers)?;
    row.version = read_at + 1;
    row.checked = checked;
    row.saved_at = tx.now();
    let id = row.id;
    Ok(if save_row(tx, row, read_at).await? {
        Ok(id)
    } else {
        Err(Refused::Changed)
    })
}

/// Proposes a draft for publication (提请发布): the gate is asked, and what it let pass is what will be published.
///
/// # Errors
/// Faults of the database and of the disk; refusals are values. After [`Refused::NotSound`] and [`Refused::Rewrites`]
/// the draft shows what was found.
pub async fn propose(
    db: &Db,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
    proposal: &Proposal,
) -> anyhow::Result<Result<(), Refused>> {
    shelf.catch_up(db).await?;
    let now = shelf.now();
    let root = match workroom(shelf, &now, scope, Permission::WriteRules) {
        Ok(root) => root,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(Opened { mut row, files }) = opened(db.conn(), id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    if let Some(refused) = out_of_turn(&row, proposal.version) {
        return Ok(Err(refused));
    }
    if let Err(refused) = complete(proposal, db.today(), &now, &files) {
        return Ok(Err(refused));
    }
    let texts = over(&now, &files, false);
    let outcome = {
        let (root, place, folder) = (
            root.to_owned(),
            shelf.place().to_owned(),
            row.programme.clone(),
        );
        let (now, from, texts) = (Arc::clone(&now), proposal.from, texts.clone());
        let corrects = !proposal.correction.trim().is_empty();
        tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            let stage = Stage::of(&root, &place, &texts)?;
            let changed = now.texts.differing(&texts);
            let mut checked = stage.check(&now.desk.book, &folder, &changed, from)?;
            if checked.is_sound() && (checked.rewritten.is_empty() || corrects) {
                let rewritten = std::mem::take(&mut checked.rewritten);
                checked = stage.gate(&folder)?;
                checked.rewritten = rewritten;
            }
            Ok((checked, stage.texts()?))
        })
        .await??
    };
    let (checked, whole) = outcome;
    let refused = if !checked.is_sound() {
        Some(Refused::NotSound {
            faults: checked.faults.len(),
            failures: checked.failures(),
        })
    } else if !checked.rewritten.is_empty() && proposal.correction.trim().is_empty() {
        Some(Refused::Rewrites(checked.rewritten.len()))
    } else {
        None
    };
    let mut tx = db.begin().await?;
    let read_at = row.version;
    row.checked = serde_json::to_string(&checked)?;
    row.basis = proposal.basis.trim().to_owned();
    row.correction = proposal.correction.trim().to_owned();
    row.from_day = Some(proposal.from);
    if refused.is_none() {
        row.state = word(State::Proposed);
        row.version = read_at + 1;
        row.sm3 = whole.fingerprint();
        row.proposed_by = Some(scope.actor.officer.0);
        row.proposer = scope.actor.name.clone();
        row.proposed_at = Some(tx.now());
    }
    let folder = row.programme.clone();
    if !save_row(&tx, row, read_at).await? {
        return Ok(Err(Refused::Changed));
    }
    if let Some(refused) = refused {
        tx.commit().await?;
        return Ok(Err(refused));
    }
    let made: Vec<rule_file::Model> = texts
        .differing(&whole)
        .into_iter()
        .map(|path| rule_file::Model {
            id: tx.new_id(),
            draft_id: id.0,
            base_sm3: base(&now, &path),
            text: whole.get(&path).unwrap_or_default().to_owned(),
            path,
            made: true,
            saved_by: scope.actor.officer.0,
            saver: scope.actor.name.clone(),
            saved_at: tx.now(),
        })
        .collect();
    insert_all::<rule_file::Entity>(&tx, made).await?;
    note(
        &mut tx,
        scope,
        "casework.rules.propose",
        ("rule_draft", &id.to_string()),
        json!({ "programme": folder, "from": proposal.from.to_string(), "sm3": whole.fingerprint() }),
    );
    tx.commit().await?;
    Ok(Ok(()))
}

/// Whether a proposal says all it must, and the files still stand on what is in force.
fn complete(
    proposal: &Proposal,
    today: NaiveDate,
    now: &InForce,
    files: &[rule_file::Model],
) -> Result<(), Refused> {
    if proposal.basis.trim().is_empty() {
        return Err(Refused::BasisMissing);
    }
    if proposal.from < today && proposal.correction.trim().is_empty() {
        return Err(Refused::DayBehind);
    }
    if !files.iter().any(|file| !file.made) {
        return Err(Refused::NothingChanged);
    }
    if files
        .iter()
        .any(|file| !file.made && file.base_sm3 != base(now, &file.path))
    {
        return Err(Refused::RuleBookChanged);
    }
    Ok(())
}

/// Throws a draft away (作废): it stays to be read, and the programme is free for another.
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn discard(
    tx: &mut Tx,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
) -> anyhow::Result<Result<(), Refused>> {
    close(tx, shelf, scope, id, State::Discarded).await
}

/// Sends a proposal back to be written further (退回修改).
///
/// # Errors
/// Faults of the database; refusals are values.
pub async fn send_back(
    tx: &mut Tx,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
) -> anyhow::Result<Result<(), Refused>> {
    close(tx, shelf, scope, id, State::Draft).await
}

async fn close(
    tx: &mut Tx,
    shelf: &Shelf,
    scope: &Scope,
    id: RuleDraftId,
    to: State,
) -> anyhow::Result<Result<(), Refused>> {
    let place = shelf.now().desk.book.place().division;
    let writes = permitted(scope, Permission::WriteRules, place);
    let publishes = permitted(scope, Permission::PublishRules, place);
    // A second officer may send back what he would have published; throwing away is for those who write.
    let allowed = if to == State::Draft {
        writes.or(publishes)
    } else {
        writes
    };
    if let Err(refused) = allowed {
        return Ok(Err(refused));
    }
    let Some(Opened { mut row, .. }) = opened(tx.conn(), id).await? else {
        return Ok(Err(Refused::NotThere));
    };
    let present = state(&row)?;
    let fits = match to {
        State::Draft => present == State::Proposed,
        _ => matches!(present, State::Draft | State::Proposed),
    };
    if !fits {
        return Ok(Err(Refused::WrongState(present)));
    }
    let read_at = row.version;
    row.version = read_at + 1;
    row.state = word(to);
    let act = if to == State::Draft {
        rule_file::Entity::delete_many()
            .filter(rule_file::Column::DraftId.eq(id.0))
            .filter(rule_file::Column::Made.eq(true))
            .exec(tx.conn())
            .await
            .context("taking back the cards of a proposal")?;
        "casework.rules.send_back"
    } else {
        row.closed_by = Some(scope.actor.officer.0);
        row.closer = scope.actor.name.clone();
        row.closed_at = Some(tx.now());
        "casework.rules.discard"
    };
    if !save_row(tx, row, read_at).await? {
        return Ok(Err(Refused::Changed));
    }
    note(tx, scope, act, ("rule_draft", &id.to_string()), json!({}));
    Ok(Ok(()))
}
