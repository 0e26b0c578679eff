//! The SQLite file as a part (SQLite 备份).
//!
//! Guarantees: `VACUUM INTO` writes one consistent moment while others go on reading and writing. The unsealed copy lies
//! beside the part only while it is being sealed. Deliberately absent: the write-ahead log; its contents are in the copy.

use crate::db::copier_of;
use crate::journal::{self, Head};
use crate::sealed::{Opener, Sealer};
use crate::{Db, Engine, Keys, Open};
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::path::Path;
use std::sync::Arc;

const PART: &str = "database.sqlite.gz.sealed";

pub(super) async fn dump(db: &Db, folder: &Path) -> anyhow::Result<(Vec<String>, Option<Head>)> {
    debug_assert_eq!(db.engine(), Engine::Sqlite);
    let copy = folder.join("copy.sqlite");
    let target = copy.to_str().context("the backup's path is not UTF-8")?;
    let copier = copier_of(db).await?;
    copier
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Sqlite,
            "vacuum into $1",
            [target.into()],
        ))
        .await
        .context("复制数据库失败，请检查磁盘空间 (copying the database)")?;
    copier.close().await?;
    // The head is read from the copy: the database itself may have moved on.
    let looked_at = Db::open(Open {
        url: format!("sqlite://{target}"),
        keys: db.keys().clone(),
        clock: Arc::clone(db.clock()),
        seed: None,
        files: db.files().root().to_owned(),
    })
    .await?;
    let head = journal::head(&looked_at).await?;
    looked_at.close().await?;
    let (folder, keys) = (folder.to_owned(), db.keys().clone());
    tokio::task::spawn_blocking(move || {
        let mut packer = GzEncoder::new(Sealer::create(&folder, PART, &keys)?, Compression::fast());
        std::io::copy(&mut std::fs::File::open(&copy)?, &mut packer)?;
        packer.finish()?.finish()?;
        remove_with_companions(&copy)
    })
    .await??;
    Ok((vec![PART.to_owned()], head))
}

pub(super) fn load(from: &Path, keys: &Keys, path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let aside = path.with_extension("restoring");
    let mut file =
        std::fs::File::create(&aside).with_context(|| format!("writing {}", aside.display()))?;
    let length = std::io::copy(
        &mut GzDecoder::new(Opener::open(from, PART, keys)?),
        &mut file,
    )?;
    ensure!(length > 0, "the backup's database is empty");
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    crate::keys::sync_folder_of(path)
}

fn remove_with_companions(path: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(path)?;
    for end in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => return Err(fault.into()),
            _ => {}
        }
    }
    Ok(())
}
