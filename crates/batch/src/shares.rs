//! What each household counted for (每户计数): so that it can be taken back without deciding the household as it was.
//!
//! Most households count for the same: nothing met, nothing to verify. So each different kind of share is kept once a night, and
//! a household has the number of its kind. Kinds are only ever added, so a file of them only grows, and a night that looks up a
//! few need not take the rest apart:
//!
//! ```text
//! HUIMIN-K                                                     eight bytes: what this is
//! kind u32 · programme u32 · met u32 · to verify u32 · fen i64   twenty-four bytes a share, the lowest byte first
//! ```
//!
//! Guarantees: what is taken back is what was counted, to the fen. Deliberately absent: who; a kind is not a household.

use crate::chunk::Rows;
use crate::tally::Counted;
use anyhow::{Context, ensure};
use bytes::Bytes;
use policy::machine::{MET, NOT_MET};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What one programme has of a household; all other members were not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Share {
    /// As asked for; [`MEMBERS`] says how many live in the household.
    programme: u32,
    met: u32,
    to_verify: u32,
    fen: i64,
}

const MARK: &[u8] = b"HUIMIN-K";
const ROW: usize = 24;

impl Share {
    /// A row of the file, with the kind it belongs to.
    fn of(row: &[u8; ROW]) -> (u32, Self) {
        let (words, _) = row.as_chunks::<4>();
        let word = |at: usize| u32::from_le_bytes(words[at]);
        let share = Self {
            programme: word(1),
            met: word(2),
            to_verify: word(3),
            fen: i64::from(word(4)) | i64::from(word(5)) << 32,
        };
        (word(0), share)
    }
}

/// Households with fewer members are looked up without a search.
const ROOM: usize = 32;

/// No programme: the number of members stands where those met do.
const MEMBERS: u32 = u32::MAX;

/// The different kinds of share, and those of the rows in hand (每户计数).
#[derive(Debug, Default)]
pub(crate) struct Shares {
    /// The file as it was read, and at which of its rows each kind begins.
    file: Bytes,
    begins: Vec<usize>,
    /// Kinds that came since; their numbers go on from those of the file.
    kinds: Vec<Box<[Share]>>,
    numbers: BTreeMap<Box<[Share]>, u32>,
    /// The numbers of households for which nothing counts but that they are, by their members.
    nothing: Vec<Option<u32>>,
    /// Of the rows in hand, programme by programme.
    open: Vec<(u32, Share)>,
}

/// What was counted of some households (所计之数).
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) households: u64,
    pub(crate) people: u64,
    /// By programme, as asked for.
    pub(crate) counted: Vec<Counted>,
}

impl Shares {
    /// Notes what a programme has of each row in hand.
    pub(crate) fn note(
        &mut self,
        programme: usize,
        by_person: bool,
        rows: &Rows<'_>,
        (states, amounts): (&[u8], &[i64]),
    ) -> anyhow::Result<()> {
        let programme = u32::try_from(programme)?;
        for row in 0..rows.households.len() {
            let cells = match by_person {
                true => rows.table.members_of(row),
                false => row..row + 1,
            };
            if states[cells.clone()].iter().all(|state| *state == NOT_MET) {
                continue;
            }
            let mut share = Share {
                programme,
                met: 0,
                to_verify: 0,
                fen: 0,
            };
            for cell in cells {
                match states[cell] {
                    MET => {
                        share.met += 1;
                        share.fen = share.fen.saturating_add(amounts[cell]);
                    }
                    NOT_MET => {}
                    _ => share.to_verify += 1,
                }
            }
            self.open.push((u32::try_from(row)?, share));
        }
        Ok(())
    }

    /// Gives each row in hand the number of its kind.
    pub(crate) fn close(&mut self, rows: &Rows<'_>, kinds: &mut Vec<u32>) -> anyhow::Result<()> {
        let mut open = std::mem::take(&mut self.open);
        // Stable, so that each row keeps the order of the programmes.
        open.sort_by_key(|(row, _)| *row);
        let mut rest = open.as_slice();
        let mut all: Vec<Share> = Vec::new();
        for row in 0..rows.households.len() {
            let mine = rest
                .iter()
                .take_while(|(of, _)| *of as usize == row)
                .count();
            let (here, later) = rest.split_at(mine);
            rest = later;
            all.clear();
            all.push(Share {
                programme: MEMBERS,
                met: u32::try_from(rows.table.members_of(row).len())?,
                to_verify: 0,
                fen: 0,
            });
            all.extend(here.iter().map(|(_, share)| *share));
            kinds.push(match all.as_slice() {
                [alone] => self.nothing(*alone)?,
                all => self.number(all)?,
            });
        }
        open.clear();
        self.open = open;
        Ok(())
    }

    fn number(&mut self, shares: &[Share]) -> anyhow::Result<u32> {
        if let Some(number) = self.numbers.get(shares) {
            return Ok(*number);
        }
        let number = u32::try_from(self.begins.len() + self.kinds.len())?;
        self.kinds.push(shares.into());
        self.numbers.insert(shares.into(), number);
        Ok(number)
    }

    /// The kind of most households, found without a search.
    fn nothing(&mut self, members: Share) -> anyhow::Result<u32> {
        let at = members.met as usize;
        if let Some(Some(number)) = self.nothing.get(at) {
            return Ok(*number);
        }
        let number = self.number(&[members])?;
        if at < ROOM {
            self.nothing.resize(ROOM, None);
            self.nothing[at] = Some(number);
        }
        Ok(number)
    }

    /// The rows of the file as it was read.
    fn rows(&self) -> &[[u8; ROW]] {
        self.file
            .get(MARK.len()..)
            .map_or(&[], |body| body.as_chunks().0)
    }

    /// The shares of a kind; `None` if there is no such kind.
    fn kind(&self, number: u32) -> Option<Cow<'_, [Share]>> {
        let at = usize::try_from(number).ok()?;
        if let Some(begin) = self.begins.get(at) {
            let rows = &self.rows()[*begin..];
            let end = self
                .begins
                .get(at + 1)
                .map_or(rows.len(), |end| end - begin);
            return Some(rows[..end].iter().map(|row| Share::of(row).1).collect());
        }
        let new = self.kinds.get(at - self.begins.len())?;
        Some(Cow::Borrowed(new))
    }

    /// What households of these kinds counted for; `by_person` says which programmes count members.
    pub(crate) fn taken(
        &self,
        kinds: impl Iterator<Item = u32>,
        by_person: &[bool],
    ) -> anyhow::Result<Taken> {
        let mut taken = Taken {
            counted: vec![Counted::default(); by_person.len()],
            ..Taken::default()
        };
        for kind in kinds {
            let shares = self.kind(kind);
            let shares = shares.context("每户计数文件不全；请删去后重新比对")?;
            taken.households += 1;
            for share in shares.iter() {
                let (met, to_verify) = (u64::from(share.met), u64::from(share.to_verify));
                if share.programme == MEMBERS {
                    taken.people += met;
                    continue;
                }
                let counted = taken.counted.get_mut(share.programme as usize);
                let counted = counted.context("每户计数文件里有没有比对过的事项")?;
                counted.met += met;
                counted.to_verify += to_verify;
                counted.fen = counted.fen.saturating_add(share.fen);
            }
        }
        for (counted, by_person) in taken.counted.iter_mut().zip(by_person) {
            let cells = match by_person {
                true => taken.people,
                false => taken.households,
            };
            counted.not_met = cells.saturating_sub(counted.met + counted.to_verify);
        }
        Ok(taken)
    }

    /// The bytes of the kinds' file, with all kinds.
    pub(crate) fn into_file(self) -> anyhow::Result<Vec<u8>> {
        let more = self.more()?;
        let mut bytes: Vec<u8> = self.file.into();
        if bytes.is_empty() {
            bytes.extend(MARK);
        }
        bytes.extend(more);
        Ok(bytes)
    }

    /// The bytes of the kinds that are not in the file: as it would go on.
    pub(crate) fn more(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (kind, shares) in (self.begins.len()..).zip(&self.kinds) {
            let kind = u32::try_from(kind)?;
            for share in shares {
                for word in [kind, share.programme, share.met, share.to_verify] {
                    bytes.extend(word.to_le_bytes());
                }
                bytes.extend(share.fen.to_le_bytes());
            }
        }
        Ok(bytes)
    }

    /// Reads the kinds' file, and those that came after it.
    pub(crate) fn read(file: Bytes, more: &[u8]) -> anyhow::Result<Self> {
        let begins = begins_in(file.strip_prefix(MARK).context(WRONG)?, 0)?;
        let mut shares = Self {
            file,
            begins,
            ..Self::default()
        };
        let first = shares.begins.len();
        let later = begins_in(more, first)?;
        let (rows, _) = more.as_chunks::<ROW>();
        for (at, begin) in later.iter().enumerate() {
            let end = later.get(at + 1).copied().unwrap_or(rows.len());
            let kind: Vec<Share> = rows[*begin..end]
                .iter()
                .map(|row| Share::of(row).1)
                .collect();
            ensure!(shares.number(&kind)? as usize == first + at, WRONG);
        }
        Ok(shares)
    }
}

const WRONG: &str = "每户计数文件不对；请删去后重新比对";

/// At which of the rows each kind begins; the first kind has this number.
fn begins_in(rows: &[u8], first: usize) -> anyhow::Result<Vec<usize>> {
    let (rows, rest) = rows.as_chunks::<ROW>();
    ensure!(rest.is_empty(), WRONG);
    let mut begins: Vec<usize> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let kind = usize::try_from(Share::of(row).0)?;
        if kind == first + begins.len() {
            begins.push(at);
        }
        ensure!(kind + 1 == first + begins.len(), WRONG);
    }
    Ok(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(programme: u32, met: u32, to_verify: u32, fen: i64) -> Share {
        Share {
            programme,
            met,
            to_verify,
            fen,
        }
    }

    #[test]
    fn what_is_taken_back_is_what_was_counted() {
        let mut shares = Shares::default();
        let alone = shares.number(&[share(MEMBERS, 1, 0, 0)]).unwrap();
        let family = [
            share(MEMBERS, 3, 0, 0),
            share(0, 1, 0, 80_000),
            share(1, 1, 1, 20_000),
        ];
        let family = shares.number(&family).unwrap();
        assert_eq!(shares.number(&[share(MEMBERS, 1, 0, 0)]).unwrap(), alone);
        let all = |shares: &Shares| -> Vec<Vec<Share>> {
            let kinds = (0..).map_while(|number| shares.kind(number));
            kinds.map(Cow::into_owned).collect()
        };
        let kinds = all(&shares);
        assert_eq!(kinds.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
        let file = Bytes::from(shares.into_file().unwrap());
        let mut again = Shares::read(file.clone(), &[]).unwrap();
        assert_eq!(all(&again), kinds);
        assert!(again.more().unwrap().is_empty());
        // A kind more is written behind those that were there.
        again
            .number(&[share(MEMBERS, 2, 0, 0), share(0, 0, 0, -5)])
            .unwrap();
        let kinds = all(&again);
        assert_eq!(kinds.len(), 3);
        let more = again.more().unwrap();
        assert_eq!(more.len(), 2 * ROW);
        assert_eq!(all(&Shares::read(file.clone(), &more).unwrap()), kinds);
        let longer = Bytes::from(again.into_file().unwrap());
        assert_eq!(longer, [&file[..], more.as_slice()].concat());
        let again = Shares::read(longer, &[]).unwrap();
        assert_eq!(all(&again), kinds);
        // One programme of the household, one of each member: two families and one who lives alone.
        let taken = again.taken([family, alone, family].into_iter(), &[false, true]);
        let taken = taken.unwrap();
        assert_eq!((taken.households, taken.people), (3, 7));
        let of = |met, not_met, to_verify, fen| Counted {
            met,
            not_met,
            to_verify,
            fen,
        };
        // 7 members: 2 met, 2 to verify, 3 not.
        assert_eq!(taken.counted, [of(2, 1, 0, 160_000), of(2, 3, 2, 40_000)]);
        assert!(again.taken([9].into_iter(), &[false, true]).is_err());
        // A file that was cut is none, and kinds that skip a number do not go on from it.
        assert!(Shares::read(file.slice(..file.len() - 1), &[]).is_err());
        assert!(Shares::read(Bytes::from_static(MARK), &more).is_err());
    }
}
