//! The night's work (夜间全人口比对): a snapshot, the sweep over it, and leads of what it found, in one go.
//!
//! Snapshots stand side by side in one folder, each under the day it was begun; the newest whole one counts. Guarantees: what
//! was begun and not finished never counts; the next run goes on where the last one stopped, part by part, and when the
//! rules are still the same it only adds and decides what changed. Deliberately absent: a timer and the queue; the
//! executable has both.

use crate::folder::Folder;
use crate::layout::{MANIFEST, Manifest};
use crate::leads::{NIGHTLY, Taken, take_in};
use crate::snapshot::Snapshot;
use crate::sweep::{Doubts, Sweep, Swept};
use access::Scope;
use anyhow::{Context, bail};
use casework::Desk;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::Db;

/// What kind of job it is in the queue (任务种类).
pub const JOB: &str = "batch.night";
/// The key under which only one is ever waiting (唯一键).
pub const KEY: &str = "night";
/// Parts after which a snapshot is taken whole again: reading many small ones costs more.
const MANY_PARTS: usize = 60;
/// How many snapshots are kept.
const KEPT: usize = 2;

/// What a night came to (夜间结果).
#[derive(Debug, Clone)]
pub struct Ran {
    /// The snapshot.
    pub manifest: Manifest,
    /// What was found.
    pub swept: Swept,
    /// What became of it.
    pub taken: Taken,
}

/// The folders in which a snapshot stands whole, newest first.
fn whole_ones(base: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(base) {
        Ok(entries) => entries,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => {
            return Err(fault).with_context(|| format!("读取 {} (the snapshots)", base.display()));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join(MANIFEST).is_file() {
            found.push(path);
        }
    }
    found.sort();
    found.reverse();
    Ok(found)
}

/// The newest snapshot (最新快照); `None` when there is none yet.
///
/// # Errors
/// When the folder cannot be read.
pub async fn newest(base: &Path) -> anyhow::Result<Option<(Folder, Manifest)>> {
    let Some(path) = whole_ones(base)?.into_iter().next() else {
        return Ok(None);
    };
    let folder = Folder::on_disk(&path)?;
    let manifest = Manifest::read(&folder).await?;
    Ok(Some((folder, manifest)))
}

/// Where the next whole snapshot of a day goes: its own folder, so that nobody reads what is being written.
fn fresh(base: &Path, day: chrono::NaiveDate) -> anyhow::Result<PathBuf> {
    for number in 1..100 {
        let name = match number {
            1 => day.to_string(),
            _ => format!("{day}-{number:02}"),
        };
        let path = base.join(name);
        if !path.join(MANIFEST).is_file() {
            return Ok(path);
        }
    }
    bail!("今天已经生成了太多快照；请明天再试 (too many snapshots of one day)")
}

/// Does the night's work (夜间比对). `progress` is told what is done and in all, in households; there are three rounds of them.
/// Dropped or told to stop, it goes on from there the next time; then `None` comes back.
///
/// # Errors
/// Faults of the database and of the folder.
pub async fn run(
    db: &Db,
    desk: &Desk,
    base: &Path,
    (workers, stop): (usize, &AtomicBool),
    progress: &(dyn Fn(u64, u64) + Send + Sync),
) -> anyhow::Result<Option<Ran>> {
    let scope = Scope::system(desk.book.place().division);
    let everybody = registry::households::Filter::default();
    let count = registry::households::list(db, &scope, &everybody, 0, 1)
        .await?
        .total
        .max(1);
    let all = count.saturating_mul(3);
    let today = db.today();
    let snapshot = Snapshot {
        desk,
        as_of: today,
        known_at: None,
        part: None,
    };
    let mut told = |written: u64| progress(written.min(count), all);
    let before = newest(base).await?.filter(|(_, manifest)| {
        manifest.place == desk.book.place().id
            && manifest.pack_hash == desk.book.hash()
            && manifest.as_of <= today
            && manifest.parts.len() < MANY_PARTS
    });
    let (folder, manifest) = match before {
        Some((folder, _)) => {
            let manifest = snapshot.later(db, &folder, &mut told).await?;
            (folder, manifest)
        }
        None => {
            let folder = Folder::on_disk(&fresh(base, today)?)?;
            let manifest = snapshot.whole(db, &folder, &mut told).await?;
            (folder, manifest)
        }
    };
    let sweep = Sweep {
        book: Arc::clone(&desk.book),
        as_of: manifest.as_of,
        programmes: None,
        doubts: Doubts::Paid,
        workers,
    };
    let swept = sweep
        .run(&folder, stop, |at| {
            progress(count + at.done.min(count), all);
        })
        .await?;
    if !swept.whole {
        return Ok(None);
    }
    let taken = take_in(db, &scope, &folder, &NIGHTLY, |done, parts| {
        progress(count * 2 + count * done / parts.max(1), all);
    })
    .await?;
    forget(base)?;
    Ok(Some(Ran {
        manifest,
        swept,
        taken,
    }))
}

/// Removes all but the newest snapshots.
fn forget(base: &Path) -> anyhow::Result<()> {
    for old in whole_ones(base)?.into_iter().skip(KEPT) {
        std::fs::remove_dir_all(&old)
            .with_context(|| format!("删除旧快照 {} (an old snapshot)", old.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_whole_counts_and_the_newest_first() {
        let base = tempfile::tempdir().unwrap();
        let day: chrono::NaiveDate = "2026-11-22".parse().unwrap();
        assert!(whole_ones(&base.path().join("nowhere")).unwrap().is_empty());
        assert_eq!(
            fresh(base.path(), day).unwrap(),
            base.path().join("2026-11-22")
        );
        for name in ["2026-11-21", "2026-11-22"] {
            std::fs::create_dir(base.path().join(name)).unwrap();
            std::fs::write(base.path().join(name).join(MANIFEST), "{}").unwrap();
        }
        // Begun and not finished: no manifest yet.
        std::fs::create_dir(base.path().join("2026-11-22-02")).unwrap();
        assert_eq!(
            whole_ones(base.path()).unwrap(),
            [
                base.path().join("2026-11-22"),
                base.path().join("2026-11-21")
            ]
        );
        assert_eq!(
            fresh(base.path(), day).unwrap(),
            base.path().join("2026-11-22-02")
        );
    }
}
