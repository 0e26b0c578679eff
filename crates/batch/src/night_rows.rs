//! What is kept of each row from one night to the next (逐夜记录), as bytes, and what later nights changed of it.
//!
//! ```text
//! nights:   HUIMIN-N
//!           household i64 · next i32 · kind u32       sixteen bytes a row, the lowest byte first, in the order of the part
//! changes:  HUIMIN-C · how many rows u64
//!           row u32 · next i32 · kind u32             twelve bytes a row that is no longer as the first file has it
//!           whatever else came                        kinds of share, see `shares`
//! ```
//!
//! A night changes one row in a thousand; writing the others again would cost more than the night. Guarantees: the same rows
//! are the same bytes; bytes of another length or kind are refused. Deliberately absent: columns; every night reads all three.

use anyhow::{Context, ensure};
use bytes::Bytes;
use std::collections::BTreeSet;

const MARK: &[u8; 8] = b"HUIMIN-N";
const CHANGES: &[u8; 8] = b"HUIMIN-C";
const ROW: usize = 16;
const CHANGED: usize = 12;
/// Everything is written again when one row in so many changed.
const WHOLE: usize = 8;

/// What is kept of a row (逐夜记录).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Night {
    pub(crate) household: i64,
    /// The next day that matters, counted from the common era.
    pub(crate) next: i32,
    /// The kind of its share.
    pub(crate) kind: u32,
}

impl Night {
    fn of(row: &[u8; ROW]) -> Self {
        let [a, b, c, d, e, f, g, h, next @ .., i, j, k, l] = *row;
        Self {
            household: i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            next: i32::from_le_bytes(next),
            kind: u32::from_le_bytes([i, j, k, l]),
        }
    }

    fn bytes(self) -> [u8; ROW] {
        let mut row = [0; ROW];
        row[..8].copy_from_slice(&self.household.to_le_bytes());
        row[8..12].copy_from_slice(&self.next.to_le_bytes());
        row[12..].copy_from_slice(&self.kind.to_le_bytes());
        row
    }
}

/// The rows of a part (分块的逐夜记录).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nights {
    file: Vec<u8>,
    /// Rows written anew since the file was.
    changed: BTreeSet<u32>,
}

impl Nights {
    pub(crate) fn new() -> Self {
        Self {
            file: MARK.to_vec(),
            changed: BTreeSet::new(),
        }
    }

    /// From a file's bytes.
    pub(crate) fn read(bytes: Bytes) -> anyhow::Result<Self> {
        let fits = bytes.starts_with(MARK) && (bytes.len() - MARK.len()).is_multiple_of(ROW);
        ensure!(fits, "逐夜文件不对；请删去后重新比对");
        Ok(Self {
            file: bytes.into(),
            changed: BTreeSet::new(),
        })
    }

    /// Takes in what later nights changed; what else stands in those bytes comes back.
    pub(crate) fn change(&mut self, changes: &Bytes) -> anyhow::Result<Bytes> {
        let wrong = "逐夜变动文件不对；请删去后重新比对";
        let (count, body) = changes
            .strip_prefix(CHANGES)
            .and_then(<[u8]>::split_first_chunk::<8>)
            .context(wrong)?;
        let count = usize::try_from(u64::from_le_bytes(*count))?;
        let end = count.checked_mul(CHANGED).filter(|end| *end <= body.len());
        let (rows, rest) = body.split_at(end.context(wrong)?);
        for row in rows.as_chunks::<CHANGED>().0 {
            let [a, b, c, d, next @ .., e, f, g, h] = *row;
            let at = usize::try_from(u32::from_le_bytes([a, b, c, d]))?;
            ensure!(at < self.len(), wrong);
            let night = Night {
                household: self.get(at).household,
                next: i32::from_le_bytes(next),
                kind: u32::from_le_bytes([e, f, g, h]),
            };
            self.set(at, night)?;
        }
        Ok(changes.slice_ref(rest))
    }

    /// The bytes of what changed, to which whatever else came may be added.
    pub(crate) fn changes(&self) -> Vec<u8> {
        let mut bytes = CHANGES.to_vec();
        bytes.extend(
            u64::try_from(self.changed.len())
                .unwrap_or(u64::MAX)
                .to_le_bytes(),
        );
        for row in &self.changed {
            let night = self.get(*row as usize);
            bytes.extend(row.to_le_bytes());
            bytes.extend(night.next.to_le_bytes());
            bytes.extend(night.kind.to_le_bytes());
        }
        bytes
    }

    /// Whether days and kinds are written whole (是否整份写): where there is no file yet, or too much of it changed; else only what
    /// changed is.
    pub(crate) fn are_written_whole(&self) -> bool {
        self.changed.is_empty() || self.changed.len() > self.len() / WHOLE
    }

    /// The bytes of the file, with every change in its place.
    pub(crate) fn into_file(self) -> Vec<u8> {
        self.file
    }

    fn body(&self) -> &[[u8; ROW]] {
        self.file[MARK.len()..].as_chunks().0
    }

    pub(crate) fn len(&self) -> usize {
        self.body().len()
    }

    pub(crate) fn get(&self, row: usize) -> Night {
        Night::of(&self.body()[row])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Night> {
        self.body().iter().map(Night::of)
    }

    pub(crate) fn push(&mut self, night: Night) {
        self.file.extend(night.bytes());
    }

    /// Writes a row anew.
    pub(crate) fn set(&mut self, row: usize, night: Night) -> anyhow::Result<()> {
        let (rows, _) = self.file[MARK.len()..].as_chunks_mut();
        *rows.get_mut(row).context("没有这一行")? = night.bytes();
        self.changed.insert(u32::try_from(row)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_and_are_changed_in_place() {
        let row = |household, next, kind| Night {
            household,
            next,
            kind,
        };
        let mut nights = Nights::new();
        nights.push(row(i64::MIN, i32::MAX, 0));
        nights.push(row(7, -1, u32::MAX));
        let mut again = Nights::read(nights.clone().into_file().into()).unwrap();
        assert_eq!(again, nights);
        again.set(0, row(i64::MIN, 740_000, 3)).unwrap();
        let rows = |nights: &Nights| nights.iter().collect::<Vec<Night>>();
        let now = [row(i64::MIN, 740_000, 3), row(7, -1, u32::MAX)];
        assert_eq!(rows(&again), now);
        assert!(again.set(2, row(1, 1, 1)).is_err());
        // What changed is eight bytes of mark, eight of number and twelve a row; then what somebody adds.
        let mut changes = again.changes();
        assert_eq!((changes.len(), again.changed.len()), (28, 1));
        // New ones are written whole; so are two of which one changed, for that is more than one in eight.
        assert!(nights.are_written_whole() && again.are_written_whole());
        let mut many = nights.clone();
        for household in 0..6 {
            many.push(row(household, 1, 1));
        }
        many.set(0, row(i64::MIN, 1, 1)).unwrap();
        assert!(!many.are_written_whole());
        many.set(1, row(7, 1, 1)).unwrap();
        assert!(many.are_written_whole());
        changes.extend(b"more");
        let changes = Bytes::from(changes);
        let mut later = nights.clone();
        assert_eq!(later.change(&changes).unwrap(), "more");
        assert_eq!((rows(&later), later.changed.len()), (now.to_vec(), 1));
        assert!(nights.clone().change(&changes.slice(..27)).is_err());
        assert!(Nights::new().change(&changes).is_err());
        // Eight bytes of mark and two rows of sixteen.
        let bytes = again.into_file();
        assert_eq!(bytes.len(), 40);
        assert!(Nights::read(Bytes::copy_from_slice(&bytes[..39])).is_err());
        assert!(Nights::read(Bytes::from_static(b"PAR1PAR1")).is_err());
    }
}
