//! What is kept of each row from one night to the next (逐夜记录), as bytes that are changed in place.
//!
//! ```text
//! HUIMIN-N                                     eight bytes: what this is
//! household i64 · next i32 · kind u32          sixteen bytes a row, the lowest byte first, in the order of the part
//! ```
//!
//! A night changes one row in a thousand; taking the others apart and putting them together again would cost more than the
//! night. Guarantees: the same rows are the same bytes; bytes of another length or kind are refused. Deliberately absent:
//! columns; every night reads all three.

use anyhow::{Context, ensure};
use bytes::Bytes;

const MARK: &[u8; 8] = b"HUIMIN-N";
const ROW: usize = 16;

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
pub(crate) struct Nights(Vec<u8>);

impl Nights {
    pub(crate) fn new() -> Self {
        Self(MARK.to_vec())
    }

    /// From a file's bytes.
    pub(crate) fn read(bytes: Bytes) -> anyhow::Result<Self> {
        let fits = bytes.starts_with(MARK) && (bytes.len() - MARK.len()).is_multiple_of(ROW);
        ensure!(fits, "逐夜文件不对；请删去后重新比对");
        Ok(Self(bytes.into()))
    }

    /// The bytes of the file.
    pub(crate) fn into_file(self) -> Vec<u8> {
        self.0
    }

    fn body(&self) -> &[[u8; ROW]] {
        self.0[MARK.len()..].as_chunks().0
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
        self.0.extend(night.bytes());
    }

    /// Writes a row anew.
    pub(crate) fn set(&mut self, row: usize, night: Night) -> anyhow::Result<()> {
        let (rows, _) = self.0[MARK.len()..].as_chunks_mut();
        *rows.get_mut(row).context("没有这一行")? = night.bytes();
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
        let all: Vec<Night> = again.iter().collect();
        assert_eq!(all, [row(i64::MIN, 740_000, 3), row(7, -1, u32::MAX)]);
        assert!(again.set(2, row(1, 1, 1)).is_err());
        // Eight bytes of mark and two rows of sixteen.
        let bytes = again.into_file();
        assert_eq!(bytes.len(), 40);
        assert!(Nights::read(Bytes::copy_from_slice(&bytes[..39])).is_err());
        assert!(Nights::read(Bytes::from_static(b"PAR1PAR1")).is_err());
    }
}
