//! Later rows of the same households (后来的行): which rows of a part still count.
//!
//! Guarantees: of every household exactly the newest row is read, and none of those that are gone. Deliberately absent:
//! merging parts into one file; a full snapshot does that.

use crate::chunk::{self, Chunk};
use crate::folder::Folder;
use crate::layout::Manifest;
use std::collections::BTreeSet;
use store::keys::sm3_hex;

/// The households of later parts (后来的行).
#[derive(Debug, Default)]
pub(crate) struct Later {
    /// For each part: the households that later parts hold or name as gone.
    replaced: Vec<BTreeSet<i64>>,
    prints: Vec<String>,
}

impl Later {
    /// Reads the households of all later parts of a snapshot.
    pub(crate) async fn of(folder: &Folder, manifest: &Manifest) -> anyhow::Result<Self> {
        let mut replaced: Vec<BTreeSet<i64>> = Vec::new();
        let mut prints = Vec::new();
        let mut seen = BTreeSet::new();
        let mut print = String::new();
        for part in manifest.parts.iter().rev() {
            replaced.push(seen.clone());
            prints.push(print.clone());
            if !part.delta {
                continue;
            }
            seen.extend(part.gone.iter().copied());
            if part.rows == 0 {
                continue;
            }
            for batch in chunk::open(folder.need(&part.file).await?, &[])? {
                seen.extend(Chunk::new(batch?).households()?);
            }
            print = sm3_hex(format!("{print}{}{}{:?}", part.file, part.sm3, part.gone).as_bytes());
        }
        replaced.reverse();
        prints.reverse();
        Ok(Self { replaced, prints })
    }

    /// How many households and people count in all.
    pub(crate) async fn count(
        &self,
        folder: &Folder,
        manifest: &Manifest,
    ) -> anyhow::Result<(u64, u64)> {
        let (mut households, mut people) = (0, 0);
        for (at, part) in manifest.parts.iter().enumerate() {
            if part.rows == 0 {
                continue;
            }
            if self.replaced.get(at).is_none_or(BTreeSet::is_empty) {
                households += part.rows;
                people += part.people;
                continue;
            }
            for batch in chunk::open(folder.need(&part.file).await?, &[])? {
                if let Some(chunk) = self.current(Chunk::new(batch?), at)? {
                    households += u64::try_from(chunk.households()?.len())?;
                    people += u64::try_from(chunk.rows(&[])?.persons.len())?;
                }
            }
        }
        Ok((households, people))
    }

    /// What replaces rows of a part, as one fingerprint.
    pub(crate) fn fingerprint(&self, part: usize) -> &str {
        self.prints.get(part).map_or("", String::as_str)
    }

    /// Whether a household's row in a part still counts.
    pub(crate) fn counts(&self, part: usize, household: i64) -> bool {
        self.replaced
            .get(part)
            .is_none_or(|replaced| !replaced.contains(&household))
    }

    /// The rows of a chunk that still count; `None` when none do.
    pub(crate) fn current(&self, chunk: Chunk, part: usize) -> anyhow::Result<Option<Chunk>> {
        if self.replaced.get(part).is_none_or(BTreeSet::is_empty) {
            return Ok(Some(chunk));
        }
        let keep: Vec<bool> = chunk
            .households()?
            .iter()
            .map(|household| self.counts(part, *household))
            .collect();
        chunk.some(&keep)
    }
}
