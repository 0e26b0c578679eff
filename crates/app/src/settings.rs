//! Settings (配置): read once, here, from arguments and environment; no other crate asks the environment.
//!
//! Guarantees: every setting has a place on the command line and a name beginning with `HUIMIN_`; what a command opens,
//! it opens through this file. Deliberately absent: a configuration file. A unit file or a container names these anyway.

use anyhow::{Context, bail};
use casework::rulebook::Shelf;
use clap::Args;
use policy::Book;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Clock, Db, Keys, Migration, Open, SystemClock};

/// Where the data lies (数据位置).
#[derive(Debug, Clone, Args)]
pub(crate) struct Data {
    /// `sqlite:FILE` or `postgres://USER@HOST/NAME` (数据库).
    #[arg(
        long,
        env = "HUIMIN_DATABASE",
        default_value = "sqlite:data/huimin.sqlite"
    )]
    pub(crate) database: String,
    /// The key file, outside the database; made at the first start (密钥文件).
    #[arg(long, env = "HUIMIN_KEYS", default_value = "data/huimin.keys")]
    pub(crate) keys: PathBuf,
    /// Evidence and other files (材料文件夹).
    #[arg(long, env = "HUIMIN_FILES", default_value = "data/files")]
    pub(crate) files: PathBuf,
    /// Where editions of the rules are laid out, made again from the database when lost; beside the files if not given
    /// (规则版次文件夹).
    #[arg(long, env = "HUIMIN_EDITIONS")]
    pub(crate) editions: Option<PathBuf>,
    /// Where the nightly snapshots stand, for the sweep and the simulation page; beside the files if not given
    /// (夜间快照文件夹).
    #[arg(long, env = "HUIMIN_SNAPSHOTS")]
    pub(crate) snapshots: Option<PathBuf>,
    /// Where deliveries of other departments are landed; beside the files if not given (部门数据文件夹).
    #[arg(long, env = "HUIMIN_LANDED")]
    pub(crate) landed: Option<PathBuf>,
    /// Departments that answer when asked: a JSON list of `source`, `at` and `secret`; none if not given (接口部门清单).
    #[arg(long, env = "HUIMIN_DEPARTMENTS")]
    pub(crate) departments: Option<PathBuf>,
}

/// Which rules apply (规则).
#[derive(Debug, Clone, Args)]
pub(crate) struct Rules {
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    pub(crate) packs: PathBuf,
    /// The place served: the name of its folder in the packs (地方).
    #[arg(long, env = "HUIMIN_PLACE")]
    pub(crate) place: String,
}

impl Data {
    /// Open the database with the real clock and bring its tables up to date.
    pub(crate) async fn open(&self) -> anyhow::Result<Db> {
        self.open_with(Arc::new(SystemClock), None).await
    }

    /// Open with a clock of one's own; with a seed, identifiers are the same in every run.
    pub(crate) async fn open_with(
        &self,
        clock: Arc<dyn Clock>,
        seed: Option<u64>,
    ) -> anyhow::Result<Db> {
        let open = self.how_to_open(clock, seed)?;
        let db = Db::open(open)
            .await
            .with_context(|| format!("打开数据库 {} (opening the database)", self.shown()))?;
        db.migrate(&migrations())
            .await
            .context("更新数据表 (migrating)")?;
        Ok(db)
    }

    /// What the store needs to open; the key file is made if there is none.
    pub(crate) fn how_to_open(
        &self,
        clock: Arc<dyn Clock>,
        seed: Option<u64>,
    ) -> anyhow::Result<Open> {
        Ok(Open {
            url: self.database.clone(),
            keys: Keys::load_or_create(&self.keys)?,
            clock,
            seed,
            files: self.files.clone(),
        })
    }

    /// Where editions of the rules are laid out.
    fn editions(&self) -> PathBuf {
        self.editions
            .clone()
            .unwrap_or_else(|| self.files.with_file_name("editions"))
    }

    /// Where the nightly snapshots stand.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.snapshots
            .clone()
            .unwrap_or_else(|| self.files.with_file_name("snapshots"))
    }

    /// Where deliveries of other departments are landed.
    pub(crate) fn landed(&self) -> PathBuf {
        self.landed
            .clone()
            .unwrap_or_else(|| self.files.with_file_name("landed"))
    }

    /// The address without a password, for messages.
    pub(crate) fn shown(&self) -> String {
        match self
            .database
            .split_once("://")
            .and_then(|(kind, rest)| Some((kind, rest.split_once('@')?)))
        {
            Some((kind, (who, at))) => {
                format!("{kind}://{}@{at}", who.split(':').next().unwrap_or(who))
            }
            None => self.database.clone(),
        }
    }
}

impl Rules {
    /// The rules in force, for the service: what was delivered is taken in.
    pub(crate) async fn shelf(&self, data: &Data, db: &Db) -> anyhow::Result<Shelf> {
        Shelf::open(db, &self.packs, &self.place, &data.editions()).await
    }

    /// The rules in force, for a command beside the service: nothing is taken in.
    pub(crate) async fn look(&self, data: &Data, db: &Db) -> anyhow::Result<Shelf> {
        Shelf::look(db, &self.packs, &self.place, &data.editions()).await
    }
}

/// The tables of all rooms: those of batch, exchange, notify and verify, which stand beside each other on the same lower ones.
pub(crate) fn migrations() -> Vec<Migration> {
    let mut all = batch::migrations();
    for migration in exchange::migrations()
        .into_iter()
        .chain(verify::migrations())
        .chain(notify::migrations())
    {
        if !all.iter().any(|known| known.name == migration.name) {
            all.push(migration);
        }
    }
    all.sort_by_key(|migration| migration.name);
    all
}

/// Load the rule book of a place; all its mistakes become one message.
pub(crate) fn load_book(packs: &Path, place: &str) -> anyhow::Result<Book> {
    Book::load(packs, place).map_err(|faults| all_of(&faults))
}

/// Load rule book, procedures, forms and calendar of a place.
pub(crate) fn load_desk(packs: &Path, place: &str) -> anyhow::Result<casework::Desk> {
    casework::Desk::load(packs, place).map_err(|faults| all_of(&faults))
}

fn all_of(faults: &[policy::Fault]) -> anyhow::Error {
    anyhow::Error::msg(policy::all_of(faults, ("规则包", "pack")))
}

/// `packs/somewhere` → (`packs`, `somewhere`).
pub(crate) fn place_of_folder(folder: &Path) -> anyhow::Result<(PathBuf, String)> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("找不到文件夹 {} (no such folder)", folder.display()))?;
    match (
        folder.parent(),
        folder.file_name().and_then(|name| name.to_str()),
    ) {
        (Some(packs), Some(place)) => Ok((packs.to_owned(), place.to_owned())),
        _ => bail!(
            "{} 不是规则包文件夹 (not the folder of a pack)",
            folder.display()
        ),
    }
}

/// The pack for demonstration, the one with the most regions (演示规则包).
pub(crate) fn demonstration(packs: &Path) -> anyhow::Result<String> {
    let mut found: Option<(usize, String)> = None;
    for place in all_places(packs)? {
        let book = load_book(packs, &place)?;
        let regions = book.place().regions.len();
        if book.place().demo && found.as_ref().is_none_or(|(most, _)| regions > *most) {
            found = Some((regions, place));
        }
    }
    let (_, place) = found
        .context("没有标为演示的规则包，请写明地方 (no pack is for demonstration; name a place)")?;
    Ok(place)
}

/// All places in a folder of packs, by name.
pub(crate) fn all_places(packs: &Path) -> anyhow::Result<Vec<String>> {
    let mut places = Vec::new();
    let entries = std::fs::read_dir(packs)
        .with_context(|| format!("找不到文件夹 {} (no such folder)", packs.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.path().join("pack.toml").is_file() {
            places.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    places.sort();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_made_once() {
        let names: Vec<&str> = migrations()
            .iter()
            .map(|migration| migration.name)
            .collect();
        let mut once = names.clone();
        once.dedup();
        assert_eq!(names, once);
        assert!(names.len() > casework::migrations().len());
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let data = |database: &str| Data {
            database: database.to_owned(),
            keys: PathBuf::new(),
            files: PathBuf::new(),
            editions: None,
            snapshots: None,
            landed: None,
            departments: None,
        };
        assert_eq!(
            data("postgres://ann:secret@db.local/huimin").shown(),
            "postgres://ann@db.local/huimin"
        );
        assert_eq!(
            data("sqlite:data/huimin.sqlite").shown(),
            "sqlite:data/huimin.sqlite"
        );
    }
}
