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
    replaced: Vec<Replaced>,
    prints: Vec<String>,
}

/// Households, and marks that tell of most others at once that they are none of them: a night asks about everybody.
#[derive(Debug, Default)]
struct Replaced {
    all: BTreeSet<i64>,
    /// A power of two of bits; empty where there are no households.
    marks: Vec<u64>,
}

impl Replaced {
    fn of(all: BTreeSet<i64>) -> Self {
        let words = match all.len() {
            0 => 0,
            // Sixteen bits a household, so that one in sixteen of the others is looked for in vain.
            some => (some / 4 + 1).next_power_of_two(),
        };
        let mut marks = vec![0; words];
        for household in &all {
            let (word, bit) = place(*household, words);
            marks[word] |= bit;
        }
        Self { all, marks }
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn contains(&self, household: i64) -> bool {
        if self.marks.is_empty() {
            return false;
        }
        let (word, bit) = place(household, self.marks.len());
        self.marks[word] & bit != 0 && self.all.contains(&household)
    }
}

/// Where the mark of a household stands among so many words.
fn place(household: i64, words: usize) -> (usize, u64) {
    // Fibonacci hashing: the upper bits of the product depend on all bits of the number.
    let mixed = household
        .cast_unsigned()
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        >> 32;
    let word = usize::try_from(mixed >> 6).unwrap_or(0) & (words - 1);
    (word, 1 << (mixed & 63))
}

impl Later {
    /// Reads the households of all later parts of a snapshot.
    pub(crate) async fn of(folder: &Folder, manifest: &Manifest) -> anyhow::Result<Self> {
        let mut replaced: Vec<Replaced> = Vec::new();
        let mut prints = Vec::new();
        let mut seen = BTreeSet::new();
        let mut print = String::new();
        for part in manifest.parts.iter().rev() {
            replaced.push(Replaced::of(seen.clone()));
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
            if self.replaced.get(at).is_none_or(Replaced::is_empty) {
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
            .is_none_or(|replaced| !replaced.contains(household))
    }

    /// The rows of a chunk that still count; `None` when none do.
    pub(crate) fn current(&self, chunk: Chunk, part: usize) -> anyhow::Result<Option<Chunk>> {
        if self.replaced.get(part).is_none_or(Replaced::is_empty) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_never_hide_a_household() {
        for count in [0, 1, 3, 4, 515, 10_000] {
            // Of every seven numbers one, around zero too.
            let all: BTreeSet<i64> = (0..count).map(|at| at * 7 - 700).collect();
            let replaced = Replaced::of(all.clone());
            for household in -800..count * 7 {
                assert_eq!(replaced.contains(household), all.contains(&household));
            }
        }
    }
}
