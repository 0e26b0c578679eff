//! Evidence files (材料文件): photographs and documents, on disk beside the database, encrypted, addressed by content.
//!
//! Guarantees: a file is whole on disk before its row can be committed (written aside, synced, renamed); the name on disk
//! is the keyed hash of the content, so the folder says neither whose nor what a file is, and equal files are kept once;
//! reading checks encryption and SM3. Deliberately absent: judging contents. Whether bytes are really a photograph is for
//! the room that accepts uploads.

use crate::{Clock, Db, Keys, SystemClock, Tx, keys};
use anyhow::{Context, ensure};
use chrono::{DateTime, Duration, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vocab::ids::FileId;

/// The largest file taken, in bytes: a form scanned at high quality, not a film.
pub const SIZE_MAX: usize = 20 * 1024 * 1024;
const PURPOSE: &[u8] = b"store.file";
const BATCH: u64 = 500;

/// The evidence files (材料文件) of one database.
#[derive(Clone)]
pub struct Files(Arc<Folder>);

struct Folder {
    root: PathBuf,
    keys: Keys,
}

/// A file to be kept (新文件).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// For instance `image/jpeg`.
    pub media_type: String,
    /// The name it was given by whoever sent it; sealed in the database.
    pub name: Option<String>,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A file on disk that no row names yet (暂存文件).
#[derive(Debug)]
#[must_use = "a staged file is swept away unless it is kept"]
pub struct Staged {
    address: String,
    sm3: String,
    size: usize,
    media_type: String,
    name: Option<String>,
}

/// A kept file (已存文件).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// For instance `image/jpeg`.
    pub media_type: String,
    /// The name it was given by whoever sent it.
    pub name: Option<String>,
    /// Its length in bytes.
    pub size: u64,
    /// The SM3 of its content, in hexadecimal.
    pub sm3: String,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
}

/// Why a file was not kept (不能保存文件).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no content.
    #[error("文件是空的，请重新选择文件 (the file is empty)")]
    Empty,
    /// It is larger than [`SIZE_MAX`].
    #[error("文件超过 {} MB，请压缩后再上传 (the file is too large)", SIZE_MAX / 1024 / 1024)]
    TooLarge,
}

/// What is wrong with a kept file (文件异常).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFault {
    /// Which file.
    pub id: FileId,
    /// What is wrong.
    pub sentence: String,
}

mod file {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "store_file")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub address: String,
        pub sm3: String,
        pub size: i64,
        pub media_type: String,
        pub name: Option<Vec<u8>>,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Files {
    pub(crate) fn new(root: PathBuf, keys: Keys) -> Self {
        Self(Arc::new(Folder { root, keys }))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// Brings a file to disk (暂存文件), before and outside the transaction that will keep it.
    ///
    /// Encrypting a large photograph takes a moment; on SQLite nobody else could write meanwhile.
    pub async fn stage(&self, new: NewFile) -> anyhow::Result<Result<Staged, Refused>> {
        if new.bytes.is_empty() {
            return Ok(Err(Refused::Empty));
        }
        if new.bytes.len() > SIZE_MAX {
            return Ok(Err(Refused::TooLarge));
        }
        let folder = self.0.clone();
        let staged = tokio::task::spawn_blocking(move || {
            let address = folder.keys.blind_bytes("store.file", &new.bytes);
            let path = folder.path(&address)?;
            let sealed = folder.keys.seal_bytes(&new.bytes, PURPOSE);
            // The nonce makes the name aside unique, so that two writers of equal content do not meet. The file is written
            // again even if it is there: what is there may be the half of an unlucky disk.
            let aside = path.with_extension(hex::encode(&sealed[2..14]));
            write_whole(&path, &aside, &sealed)?;
            anyhow::Ok(Staged {
                address,
                sm3: keys::sm3_hex(&new.bytes),
                size: new.bytes.len(),
                media_type: new.media_type,
                name: new.name,
            })
        })
        .await??;
        Ok(Ok(staged))
    }

    /// Keeps a staged file (保存文件), when the transaction commits. One never kept is swept away after a day.
    pub async fn keep(&self, tx: &Tx, staged: Staged) -> anyhow::Result<StoredFile> {
        let stored = StoredFile {
            id: FileId(tx.new_id()),
            media_type: staged.media_type,
            name: staged.name,
            size: u64::try_from(staged.size)?,
            sm3: staged.sm3,
            created_at: tx.now(),
        };
        let row = file::ActiveModel {
            id: Set(stored.id.0),
            address: Set(staged.address),
            sm3: Set(stored.sm3.clone()),
            size: Set(i64::try_from(staged.size)?),
            media_type: Set(stored.media_type.clone()),
            name: Set(stored.name.as_deref().map(|name| tx.keys().seal(name))),
            created_at: Set(stored.created_at),
        };
        file::Entity::insert(row)
            .exec_without_returning(tx.conn())
            .await?;
        Ok(stored)
    }

    /// Stages and keeps a small file in one step.
    pub async fn put(&self, tx: &Tx, new: NewFile) -> anyhow::Result<Result<StoredFile, Refused>> {
        match self.stage(new).await? {
            Ok(staged) => Ok(Ok(self.keep(tx, staged).await?)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// What is known about a file, without its content (文件信息).
    pub async fn about(
        &self,
        conn: &impl ConnectionTrait,
        id: FileId,
    ) -> anyhow::Result<Option<StoredFile>> {
        let row = file::Entity::find_by_id(id.0).one(conn).await?;
        row.map(|row| self.read_row(&row)).transpose()
    }

    /// A file and its content (读取文件); altered content is an error, never returned.
    pub async fn get(
        &self,
        conn: &impl ConnectionTrait,
        id: FileId,
    ) -> anyhow::Result<Option<(StoredFile, Vec<u8>)>> {
        let Some(row) = file::Entity::find_by_id(id.0).one(conn).await? else {
            return Ok(None);
        };
        let stored = self.read_row(&row)?;
        Ok(Some((stored, self.content(row).await?)))
    }

    /// Reads every file (校验文件) and tells which are missing or altered.
    pub async fn verify(&self, db: &Db) -> anyhow::Result<Vec<FileFault>> {
        let mut faults = Vec::new();
        let mut after = uuid::Uuid::nil();
        loop {
            let rows = file::Entity::find()
                .filter(file::Column::Id.gt(after))
                .order_by_asc(file::Column::Id)
                .limit(BATCH)
                .all(db.conn())
                .await?;
            let Some(last) = rows.last() else {
                return Ok(faults);
            };
            after = last.id;
            for row in rows {
                let id = FileId(row.id);
                if let Err(fault) = self.content(row).await {
                    faults.push(FileFault {
                        id,
                        sentence: format!("{fault:#}"),
                    });
                }
            }
        }
    }

    /// Removes content on disk that no row names and that is older than a day (清理); returns how many.
    ///
    /// A transaction that was rolled back leaves its file behind. The day's grace protects those still open.
    pub async fn sweep(&self, db: &Db) -> anyhow::Result<u64> {
        let mut removed = 0;
        for path in self.0.all()? {
            // The disk's times are the system's, also where the platform's clock was moved.
            let written: DateTime<Utc> = std::fs::metadata(&path)?.modified()?.into();
            if SystemClock.now() - written < Duration::days(1) {
                continue;
            }
            let address = address_of(&path);
            let named = file::Entity::find()
                .filter(file::Column::Address.eq(address.as_str()))
                .one(db.conn())
                .await?;
            if named.is_none() {
                std::fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// All encrypted files on disk, in order, for the backup.
    pub(crate) fn all(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.0.all()
    }

    async fn content(&self, row: file::Model) -> anyhow::Result<Vec<u8>> {
        let folder = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let path = folder.path(&row.address)?;
            let sealed = std::fs::read(&path)
                .with_context(|| format!("文件 {} 不在磁盘上 (the file is missing)", row.id))?;
            let bytes = folder
                .keys
                .unseal_bytes(&sealed, PURPOSE)
                .with_context(|| format!("文件 {} 已损坏 (the file is damaged)", row.id))?;
            ensure!(
                keys::sm3_hex(&bytes) == row.sm3,
                "文件 {} 与登记的校验值不符 (the file is not the one that was kept)",
                row.id
            );
            Ok(bytes)
        })
        .await?
    }

    fn read_row(&self, row: &file::Model) -> anyhow::Result<StoredFile> {
        Ok(StoredFile {
            id: FileId(row.id),
            media_type: row.media_type.clone(),
            name: row
                .name
                .as_deref()
                .map(|sealed| self.0.keys.unseal(sealed))
                .transpose()?,
            size: u64::try_from(row.size)?,
            sm3: row.sm3.clone(),
            created_at: row.created_at,
        })
    }
}

impl Folder {
    fn path(&self, address: &str) -> anyhow::Result<PathBuf> {
        ensure!(
            address.len() == 64 && address.bytes().all(|sign| sign.is_ascii_hexdigit()),
            "a file's address is not a hash"
        );
        Ok(self.root.join(&address[..2]).join(&address[2..]))
    }

    fn all(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        if !self.root.try_exists()? {
            return Ok(found);
        }
        for folder in std::fs::read_dir(&self.root)? {
            let folder = folder?.path();
            if folder.is_dir() {
                for entry in std::fs::read_dir(&folder)? {
                    found.push(entry?.path());
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn address_of(path: &Path) -> String {
    let part = |part: Option<&std::ffi::OsStr>| {
        part.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    part(path.parent().and_then(Path::file_name)) + &part(path.file_name())
}

/// Writes a file so that it is whole or not there at all (整体写入); until it is, its bytes stand aside.
///
/// # Errors
/// When the folder cannot be written; what stood under the name stays.
pub fn write_whole(path: &Path, aside: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let context = || format!("writing {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(context)?;
    }
    let mut file = std::fs::File::create(aside).with_context(context)?;
    file.write_all(bytes).with_context(context)?;
    file.sync_all().with_context(context)?;
    std::fs::rename(aside, path).with_context(context)?;
    keys::sync_folder_of(path)
}
