//! The shelf (规则架): the rules in force, swapped while the service runs, and every edition before them.
//!
//! Guarantees: an edition is whole in the database (each text once) and laid out again from there when its folder is
//! missing or is not what it was; a delivery that changes files is itself an edition; a delivery that touches what was
//! published here meanwhile stops the start and names the files, because nobody but an officer can say which text holds.
//! Deliberately absent: an edition that begins by itself on a later day. Days are in the rules: a value says from when.

use super::EditionKind;
use super::texts::{Manifest, Texts, edition_folder, fingerprint};
use crate::case::to_word;
use crate::desk::Desk;
use crate::rows::{insert, insert_all};
use crate::tables::{rule_edition, rule_text};
use anyhow::{Context, anyhow, bail};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use store::{Db, Event, Tx};
use uuid::Uuid;

/// How many texts are asked for at a time.
const PORTION: usize = 400;

/// The rules in force (现行规则).
#[derive(Debug)]
pub struct InForce {
    /// The number of the edition; 0 where editions are not kept.
    pub number: i64,
    /// The desk that works by them.
    pub desk: Arc<Desk>,
    /// Their texts.
    pub texts: Texts,
    /// Their fingerprint.
    pub sm3: String,
}

/// The shelf (规则架).
#[derive(Debug)]
pub struct Shelf {
    root: Option<PathBuf>,
    place: String,
    now: RwLock<Arc<InForce>>,
    pub(super) one_at_a_time: tokio::sync::Mutex<()>,
    /// The rules tried last, by their fingerprint: whoever moves a slider asks for the same many times.
    pub(super) tried: std::sync::Mutex<Option<(String, Arc<Desk>)>>,
}

/// An edition about to be kept.
pub(super) struct NewEdition<'a> {
    pub(super) kind: EditionKind,
    pub(super) programme: &'a str,
    pub(super) texts: &'a Texts,
    pub(super) delivered: &'a Manifest,
    pub(super) changed: &'a [String],
    pub(super) from: chrono::NaiveDate,
    pub(super) basis: &'a str,
    pub(super) correction: &'a str,
    pub(super) draft: Option<Uuid>,
    pub(super) proposed: Option<(Uuid, &'a str)>,
    pub(super) published: Option<(Uuid, &'a str)>,
}

impl Shelf {
    /// A shelf of one desk that never changes (固定规则).
    pub fn still(desk: Arc<Desk>) -> Self {
        Self {
            root: None,
            place: desk.book.place().id.clone(),
            now: RwLock::new(Arc::new(InForce {
                number: 0,
                desk,
                texts: Texts::default(),
                sm3: String::new(),
            })),
            one_at_a_time: tokio::sync::Mutex::new(()),
            tried: std::sync::Mutex::default(),
        }
    }

    /// Opens the shelf for the service (打开): takes in what was delivered, and lays out the edition in force.
    ///
    /// `packs` is the folder delivered with the program, `root` the folder in which editions are laid out.
    ///
    /// # Errors
    /// Faults of the packs, of the disk or of the database; files that were changed both here and by a delivery.
    pub async fn open(db: &Db, packs: &Path, place: &str, root: &Path) -> anyhow::Result<Self> {
        sweep(root);
        let delivered = Texts::read(packs, place)?;
        let last = last(db.conn()).await?;
        let wanted = match &last {
            Some(last) => merged(last, &texts_of(db.conn(), &last.files).await?, &delivered)?,
            None => Some(delivered.clone()),
        };
        let number = match (wanted, &last) {
            (None, Some(last)) => last.number,
            (Some(texts), last) => {
                take_delivery(db, place, root, &texts, &delivered, last.as_ref()).await?
            }
            (None, None) => bail!("no edition and nothing delivered"),
        };
        Self::at(db, place, root, number).await
    }

    /// Looks at the shelf without changing anything in the database (只读打开): for commands beside a running service.
    ///
    /// # Errors
    /// As [`Shelf::open`].
    pub async fn look(db: &Db, packs: &Path, place: &str, root: &Path) -> anyhow::Result<Self> {
        if let Some(last) = last(db.conn()).await? {
            return Self::at(db, place, root, last.number).await;
        }
        let texts = Texts::read(packs, place)?;
        let desk = load(packs.to_owned(), place.to_owned()).await?;
        Ok(Self {
            root: Some(root.to_owned()),
            place: place.to_owned(),
            now: RwLock::new(Arc::new(InForce {
                number: 0,
                desk: Arc::new(desk),
                sm3: texts.fingerprint(),
                texts,
            })),
            one_at_a_time: tokio::sync::Mutex::new(()),
            tried: std::sync::Mutex::default(),
        })
    }

    async fn at(db: &Db, place: &str, root: &Path, number: i64) -> anyhow::Result<Self> {
        let now = lay_out(db, place, root, number).await?;
        Ok(Self {
            root: Some(root.to_owned()),
            place: place.to_owned(),
            now: RwLock::new(Arc::new(now)),
            one_at_a_time: tokio::sync::Mutex::new(()),
            tried: std::sync::Mutex::default(),
        })
    }

    /// The rules in force at this moment; whoever takes them keeps them to the end of his work (现行规则).
    pub fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The place the rules are for.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Takes an edition that was just kept into force.
    pub(super) async fn turn_to(&self, db: &Db, number: i64) -> anyhow::Result<()> {
        let root = self.root.as_deref().context("a shelf without a folder")?;
        let next = Arc::new(lay_out(db, &self.place, root, number).await?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Turns to the last edition if another service of the same database published one (追上最新版次).
    pub(super) async fn catch_up(&self, db: &Db) -> anyhow::Result<()> {
        let here = self.now().number;
        match last(db.conn()).await? {
            Some(last) if here > 0 && last.number != here => self.turn_to(db, last.number).await,
            _ => Ok(()),
        }
    }

    /// The whole text of an edition (某一版次的文本); `None` if there is no such edition.
    ///
    /// # Errors
    /// Faults of the database.
    pub async fn texts(&self, db: &Db, number: i64) -> anyhow::Result<Option<Texts>> {
        let now = self.now();
        if now.number == number {
            return Ok(Some(now.texts.clone()));
        }
        match rule_edition::Entity::find_by_id(number)
            .one(db.conn())
            .await?
        {
            Some(row) => Ok(Some(texts_of(db.conn(), &row.files).await?)),
            None => Ok(None),
        }
    }

    /// The desk whose rule book has a fingerprint (当时的规则): the one in force, else an edition before it; `None` if none has.
    ///
    /// # Errors
    /// Faults of the database and of the disk.
    pub async fn desk_of(&self, db: &Db, book_hash: &str) -> anyhow::Result<Option<Arc<Desk>>> {
        let now = self.now();
        if now.desk.book.hash() == book_hash {
            return Ok(Some(Arc::clone(&now.desk)));
        }
        let Some(root) = &self.root else {
            return Ok(None);
        };
        let row = rule_edition::Entity::find()
            .filter(rule_edition::Column::BookHash.eq(book_hash))
            .order_by_desc(rule_edition::Column::Number)
            .one(db.conn())
            .await
            .context("looking for an edition")?;
        match row {
            Some(row) => Ok(Some(lay_out(db, &self.place, root, row.number).await?.desk)),
            None => Ok(None),
        }
    }
}

/// Removes what a killed service left half-done; it never was an edition.
fn sweep(root: &Path) {
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with('.')
            && let Err(fault) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%fault, "a half-written folder of rules stays");
        }
    }
}

/// What is in force after a delivery: `None` if nothing changes.
fn merged(
    last: &rule_edition::Model,
    in_force: &Texts,
    delivered: &Texts,
) -> anyhow::Result<Option<Texts>> {
    let before: Manifest =
        serde_json::from_str(&last.delivered).context("what was delivered before")?;
    let (standing, fresh) = (in_force.manifest(), delivered.manifest());
    if fresh == before {
        return Ok(None);
    }
    let paths: BTreeSet<&String> = before
        .keys()
        .chain(standing.keys())
        .chain(fresh.keys())
        .collect();
    let mut all: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let mut torn: Vec<&str> = Vec::new();
    for path in paths {
        let (was, here, new) = (before.get(path), standing.get(path), fresh.get(path));
        let chosen = if new == was || new == here {
            in_force
        } else if here == was {
            delivered
        } else {
            torn.push(path);
            continue;
        };
        if let Some(text) = chosen.get(path) {
            all.insert(path.clone(), text.into());
        }
    }
    if torn.is_empty() {
        return Ok(Some(Texts::of(all)));
    }
    bail!(
        "这些规则文件在线发布过，随系统交付的文本又有新的改动：{}。请先用 huimin pack export 导出现行文本放回规则包文件夹，再把交付的改动在线起草发布 (changed both here and by the delivery)",
        torn.join("、")
    )
}

async fn take_delivery(
    db: &Db,
    place: &str,
    root: &Path,
    texts: &Texts,
    delivered: &Texts,
    last: Option<&rule_edition::Model>,
) -> anyhow::Result<i64> {
    // Loaded before anything is kept: a delivery with mistakes must not become an edition.
    std::fs::create_dir_all(root).with_context(|| format!("making {}", root.display()))?;
    let trial = tempfile::Builder::new()
        .prefix(".delivery-")
        .tempdir_in(root)?;
    texts.fill(trial.path())?;
    let desk = load(trial.path().to_owned(), place.to_owned()).await?;
    let before = match last {
        Some(last) => texts_of(db.conn(), &last.files).await?,
        None => Texts::default(),
    };
    let changed = match last {
        Some(_) => before.differing(texts),
        None => Vec::new(),
    };
    let mut tx = db.begin().await?;
    let number = keep(
        &tx,
        &desk,
        &NewEdition {
            kind: EditionKind::Delivered,
            programme: "",
            texts,
            delivered: &delivered.manifest(),
            changed: &changed,
            from: tx.today(),
            basis: "",
            correction: "",
            draft: None,
            proposed: None,
            published: None,
        },
    )
    .await?;
    let mut event = Event::by_system(
        "casework.rules.deliver",
        "rule_edition",
        &number.to_string(),
    );
    event.region = Some(desk.book.place().division);
    event.detail = json!({ "files": changed.len() });
    tx.note(event);
    tx.commit().await?;
    Ok(number)
}

/// Keeps an edition with all its texts; gives its number.
pub(super) async fn keep(tx: &Tx, desk: &Desk, new: &NewEdition<'_>) -> anyhow::Result<i64> {
    let manifest = new.texts.manifest();
    keep_texts(tx, new.texts, &manifest).await?;
    let number = last(tx.conn()).await?.map_or(0, |last| last.number) + 1;
    let row = rule_edition::Model {
        number,
        region: desk.book.place().division.to_string(),
        kind: to_word(new.kind),
        programme: new.programme.to_owned(),
        sm3: fingerprint(&manifest),
        book_version: desk.book.version().to_owned(),
        book_hash: desk.book.hash().to_owned(),
        files: serde_json::to_string(&manifest)?,
        delivered: serde_json::to_string(new.delivered)?,
        changed: serde_json::to_string(new.changed)?,
        from_day: new.from,
        basis: new.basis.to_owned(),
        correction: new.correction.to_owned(),
        draft_id: new.draft,
        proposed_by: new.proposed.map(|(id, _)| id),
        proposer: new.proposed.map_or("", |(_, name)| name).to_owned(),
        published_by: new.published.map(|(id, _)| id),
        publisher: new.published.map_or("", |(_, name)| name).to_owned(),
        published_at: tx.now(),
    };
    insert::<rule_edition::Entity>(tx, row).await?;
    Ok(number)
}

async fn keep_texts(tx: &Tx, texts: &Texts, manifest: &Manifest) -> anyhow::Result<()> {
    let wanted: BTreeMap<&str, &str> = manifest
        .iter()
        .filter_map(|(path, sm3)| Some((sm3.as_str(), texts.get(path)?)))
        .collect();
    let hashes: Vec<&str> = wanted.keys().copied().collect();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for some in hashes.chunks(PORTION) {
        let found: Vec<String> = rule_text::Entity::find()
            .filter(rule_text::Column::Sm3.is_in(some.iter().copied()))
            .select_only()
            .column(rule_text::Column::Sm3)
            .into_tuple()
            .all(tx.conn())
            .await
            .context("looking for known texts")?;
        known.extend(found);
    }
    let rows: Vec<rule_text::Model> = wanted
        .into_iter()
        .filter(|(sm3, _)| !known.contains(*sm3))
        .map(|(sm3, text)| rule_text::Model {
            sm3: sm3.to_owned(),
            text: text.to_owned(),
        })
        .collect();
    insert_all::<rule_text::Entity>(tx, rows).await
}

/// The last edition; `None` before the first.
pub(super) async fn last(
    conn: &impl ConnectionTrait,
) -> anyhow::Result<Option<rule_edition::Model>> {
    rule_edition::Entity::find()
        .order_by_desc(rule_edition::Column::Number)
        .one(conn)
        .await
        .context("reading the last edition")
}

/// The texts of a list of files.
async fn texts_of(conn: &impl ConnectionTrait, files: &str) -> anyhow::Result<Texts> {
    let manifest: Manifest = serde_json::from_str(files).context("the files of an edition")?;
    let hashes: Vec<&String> = manifest.values().collect();
    let mut found: BTreeMap<String, Arc<str>> = BTreeMap::new();
    for some in hashes.chunks(PORTION) {
        let rows = rule_text::Entity::find()
            .filter(rule_text::Column::Sm3.is_in(some.iter().map(|sm3| sm3.as_str())))
            .all(conn)
            .await
            .context("reading the texts of an edition")?;
        found.extend(rows.into_iter().map(|row| (row.sm3, row.text.into())));
    }
    let mut texts = BTreeMap::new();
    for (path, sm3) in manifest {
        let text = found
            .get(&sm3)
            .with_context(|| format!("the text of {path} is missing from an edition"))?;
        texts.insert(path, Arc::clone(text));
    }
    Ok(Texts::of(texts))
}

/// Lays an edition out as a folder, if it does not stand there already, and loads it.
async fn lay_out(db: &Db, place: &str, root: &Path, number: i64) -> anyhow::Result<InForce> {
    let row = rule_edition::Entity::find_by_id(number)
        .one(db.conn())
        .await?
        .with_context(|| format!("no edition {number}"))?;
    let texts = texts_of(db.conn(), &row.files).await?;
    let folder = edition_folder(root, number);
    // What stands there is compared, not believed.
    let stands = folder.is_dir()
        && Texts::read(&folder, place).is_ok_and(|found| found.fingerprint() == row.sm3);
    if !stands {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("removing {}", folder.display()))?;
        }
        texts.write(&folder)?;
    }
    let desk = load(folder, place.to_owned()).await?;
    Ok(InForce {
        number,
        desk: Arc::new(desk),
        texts,
        sm3: row.sm3,
    })
}

/// Loads a desk beside the waiting ones.
pub(super) async fn load(packs: PathBuf, place: String) -> anyhow::Result<Desk> {
    let loaded = tokio::task::spawn_blocking(move || Desk::load(&packs, &place)).await?;
    loaded.map_err(|faults| anyhow!("{}", policy::all_of(&faults, ("规则包", "pack"))))
}
