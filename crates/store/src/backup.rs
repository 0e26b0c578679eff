//! Backup and restore (备份与恢复): a folder that can be proved whole, and its way back into an empty database.
//!
//! The folder holds sealed parts and a signed manifest: `manifest.json` names every part with its length and SM3;
//! `manifest.signature` is the manifest's HMAC-SM3. Database parts are packed and sealed with the platform's keys; evidence
//! files are copied as they lie, already sealed. SQLite's part is one file (`VACUUM INTO`); PostgreSQL's are the rows of
//! every table as JSON lines, all of one moment, and the migrations' texts to make the tables with.
//!
//! Guarantees: a backup appears under its name only when it is complete; [`restore`] touches nothing before the signature
//! and the SM3 of every part hold and the target is empty, and afterwards checks the journal against the manifest.
//! Deliberately absent: the key file. Without it a backup cannot be read; keep a copy of it elsewhere.

mod postgres;
mod sqlite;

use crate::db::{engine_of, sqlite_path};
use crate::files::write_whole;
use crate::journal::{self, Head};
use crate::{Db, Engine, Keys, Open, keys};
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};
use std::io::Read;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.signature";
const DOMAIN: &str = "store.backup";
const FILES: &str = "files";

/// What a backup holds (备份清单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The shape of the folder; 1.
    pub format: u32,
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The end of the journal in it.
    pub journal_head: Option<Head>,
    /// Every part.
    pub parts: Vec<Part>,
}

/// One part of a backup (备份分卷).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its path inside the folder.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its SM3, in hexadecimal.
    pub sm3: String,
}

/// Why a backup was not restored (不能恢复).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no manifest.
    #[error("目录中没有备份清单 manifest.json，请选择完整的备份目录 (no manifest)")]
    NoManifest,
    /// The signature is not ours.
    #[error(
        "备份清单签名不符：清单被改动，或密钥文件不是备份时的密钥 (the manifest is not signed with these keys)"
    )]
    NotOurs,
    /// A part is missing, or not what the manifest says.
    #[error("备份分卷 {part} 缺失或已损坏，请使用另一份备份 (a part is missing or damaged)")]
    Damaged {
        /// The part.
        part: String,
    },
    /// The target is the other database.
    #[error("这是 {engine} 的备份，请恢复到同类数据库 (the backup is of the other database)")]
    OtherEngine {
        /// The backup's.
        engine: String,
    },
    /// There is something already.
    #[error(
        "目标数据库或文件目录不是空的；只能恢复到空库，以免覆盖现有数据 (the target is not empty)"
    )]
    NotEmpty,
}

/// Makes a backup (备份) in a folder that does not exist yet.
pub async fn backup(db: &Db, to: &Path) -> anyhow::Result<Manifest> {
    if to.try_exists()? {
        bail!(
            "备份目录 {} 已存在，请换一个名称 (the folder exists)",
            to.display()
        );
    }
    let mut name = to
        .file_name()
        .context("the backup needs a name")?
        .to_owned();
    name.push(".partial");
    let partial = to.with_file_name(name);
    if partial.try_exists()? {
        std::fs::remove_dir_all(&partial)?;
    }
    std::fs::create_dir_all(&partial)?;
    keep_to_owner(&partial)?;
    let made_at = db.now();
    let (engine, mut names, journal_head) = match db.engine() {
        Engine::Sqlite => {
            let (names, head) = sqlite::dump(db, &partial).await?;
            ("sqlite", names, head)
        }
        Engine::Postgres => {
            let (names, head) = postgres::dump(db, &partial).await?;
            ("postgres", names, head)
        }
    };
    // Files after rows: a file is on disk before its row is committed, so none of the rows' files can be missing.
    for path in db.files().all()? {
        let inside = path.strip_prefix(db.files().root())?;
        let name = format!("{FILES}/{}", inside.display());
        let copy = partial.join(&name);
        let bytes = std::fs::read(&path)?;
        write_whole(&copy, &copy.with_extension("new"), &bytes)?;
        names.push(name);
    }
    let parts = names
        .into_iter()
        .map(|name| measure(&partial, name))
        .collect::<anyhow::Result<Vec<Part>>>()?;
    let manifest = Manifest {
        format: 1,
        engine: engine.to_owned(),
        made_at,
        journal_head,
        parts,
    };
    let text = serde_json::to_vec_pretty(&manifest)?;
    let signature = db.keys().sign(DOMAIN, &text);
    write_whole(
        &partial.join(MANIFEST),
        &partial.join("manifest.new"),
        &text,
    )?;
    write_whole(
        &partial.join(SIGNATURE),
        &partial.join("signature.new"),
        signature.as_bytes(),
    )?;
    std::fs::rename(&partial, to)?;
    keys::sync_folder_of(to)?;
    Ok(manifest)
}

/// Proves a backup whole (校验备份) without restoring it.
pub fn check(from: &Path, keys: &Keys) -> anyhow::Result<Result<Manifest, Refused>> {
    let (Ok(text), Ok(signature)) = (
        std::fs::read(from.join(MANIFEST)),
        std::fs::read_to_string(from.join(SIGNATURE)),
    ) else {
        return Ok(Err(Refused::NoManifest));
    };
    if !keys.is_signed(DOMAIN, &text, signature.trim()) {
        return Ok(Err(Refused::NotOurs));
    }
    let manifest: Manifest = serde_json::from_slice(&text)?;
    anyhow::ensure!(
        manifest.format == 1,
        "the backup has the unknown format {}",
        manifest.format
    );
    for part in &manifest.parts {
        let found = measure(from, part.name.clone());
        if !found.is_ok_and(|found| found == *part) {
            return Ok(Err(Refused::Damaged {
                part: part.name.clone(),
            }));
        }
    }
    Ok(Ok(manifest))
}

/// Restores a backup (恢复) into an empty database and an empty folder of files, and opens it.
pub async fn restore(from: &Path, into: Open) -> anyhow::Result<Result<Db, Refused>> {
    let manifest = match check(from, &into.keys)? {
        Ok(manifest) => manifest,
        Err(refused) => return Ok(Err(refused)),
    };
    let engine = engine_of(&into.url)?;
    let wanted = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    if manifest.engine != wanted {
        return Ok(Err(Refused::OtherEngine {
            engine: manifest.engine,
        }));
    }
    if !is_empty_folder(&into.files)? {
        return Ok(Err(Refused::NotEmpty));
    }
    let files = into.files.clone();
    let db = match engine {
        Engine::Sqlite => {
            let path = sqlite_path(&into.url)?;
            // An old log beside a new file would be played into it.
            let mut log = path.clone().into_os_string();
            log.push("-wal");
            if path.try_exists()? || PathBuf::from(log).try_exists()? {
                return Ok(Err(Refused::NotEmpty));
            }
            sqlite::load(from, &into.keys, &path)?;
            Db::open(into).await?
        }
        Engine::Postgres => {
            let db = Db::open(into).await?;
            if !postgres::is_empty(&db).await? {
                db.close().await?;
                return Ok(Err(Refused::NotEmpty));
            }
            postgres::load(&db, from, &manifest).await?;
            db
        }
    };
    for part in &manifest.parts {
        if let Some(inside) = part.name.strip_prefix("files/") {
            let path = files.join(inside);
            let bytes = std::fs::read(from.join(&part.name))?;
            write_whole(&path, &path.with_extension("new"), &bytes)?;
        }
    }
    let verdict = journal::verify(&db).await?;
    anyhow::ensure!(
        verdict.is_intact() && verdict.head == manifest.journal_head,
        "恢复后的操作日志与备份清单不一致，请勿使用该库 (the restored journal is not the one that was backed up): {:?}",
        verdict.faults
    );
    Ok(Ok(db))
}

fn measure(folder: &Path, name: String) -> anyhow::Result<Part> {
    let path: PathBuf = folder.join(&name);
    let mut file = std::fs::File::open(&path)
        .with_context(|| format!("reading the part {}", path.display()))?;
    let mut sm3 = Sm3::new();
    let mut size = 0_u64;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        sm3.update(&buffer[..read]);
        size += u64::try_from(read)?;
    }
    Ok(Part {
        name,
        size,
        sm3: hex::encode(sm3.finalize()),
    })
}

fn is_empty_folder(path: &Path) -> anyhow::Result<bool> {
    Ok(!path.try_exists()? || std::fs::read_dir(path)?.next().is_none())
}

#[cfg(unix)]
fn keep_to_owner(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(
        folder,
        std::fs::Permissions::from_mode(0o700),
    )?)
}

#[cfg(not(unix))]
fn keep_to_owner(_folder: &Path) -> anyhow::Result<()> {
    Ok(())
}
