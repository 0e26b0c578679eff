//! A bulk enquiry in pieces (分片核对): what other machines can answer, none of which has a key of the house.
//!
//! A piece is some of the people asked about, as one source has them, against one landed delivery. The people are cut along
//! their blinded numbers, as the parts are: a cut along the households would have every machine read nearly every page.
//! Guarantees: what comes out is what [`Landed::ask_many`] says, whoever answered the pieces, in whatever order; in a piece
//! stands no identity number and no name, only what stands in the landed parts too; its answer is sealed with a key made
//! for this one enquiry. Deliberately absent: sending it, and who may ask.

use super::{Chosen, Landed, When, columns, read_part, settled};
use crate::ask::Asked;
use crate::manifest::{Manifest, part_file};
use crate::part::Part;
use crate::report::{FigureColumn, Packed};
use crate::source::{Source, Sources};
use crate::tally::{Homes, Known, People, Tally, Thing};
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path};
use store::Keys;
use store::keys::sm3_hex;

/// A piece is full when its parts hold so many rows: about four parts of a large delivery.
const ROWS: u64 = 1 << 20;

/// What is found in a piece: sums by person and figure, and things that count once.
type Sums = (Vec<(u32, Packed)>, Vec<Thing>);

/// Some people against one delivery (一片).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    source: String,
    /// What the one who asks understands by that source.
    definition: String,
    delivery: String,
    /// The fingerprint of the delivery's manifest.
    manifest: String,
    as_of: NaiveDate,
    /// The first and the last key asked about; whoever lives with somebody may have another.
    from: u64,
    to: u64,
    /// How many people in each household.
    households: Vec<usize>,
    /// By person: the blinded number, 0 without one.
    keys: Vec<u64>,
    /// By person: the mark of the name, where the source needs names.
    names: Vec<i64>,
    /// What the answer is sealed with.
    secret: String,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({}, {} people)", self.purpose(), self.keys.len())
    }
}

impl Piece {
    /// What an answer is bound to when it is sealed.
    fn purpose(&self) -> String {
        purpose(&self.source, &self.delivery, (self.from, self.to))
    }
}

fn purpose(source: &str, delivery: &str, (from, to): (u64, u64)) -> String {
    format!("{source}/{delivery}/{from:016x}-{to:016x}")
}

/// A bulk enquiry cut into pieces (分片的批量核对).
pub struct InPieces<'a> {
    as_of: NaiveDate,
    people: People<'a>,
    sources: Vec<&'a Source>,
    chosen: Vec<Chosen<'a>>,
    known: Vec<Option<Known>>,
    /// Of each piece its source, and its keys by their places.
    cut: Vec<(usize, Range<usize>)>,
    secret: String,
}

impl std::fmt::Debug for InPieces<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InPieces({})", self.cut.len())
    }
}

/// What was answered so far (已答复的部分).
#[derive(Default)]
pub struct Found {
    tallies: BTreeMap<usize, Tally>,
    done: Vec<bool>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let done = self.done.iter().filter(|done| **done).count();
        write!(f, "Found({done} of {})", self.done.len())
    }
}

impl Landed {
    /// Cuts a bulk enquiry into pieces (分片) of so many people at most; as [`Landed::ask_many`] else.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn in_pieces<'a>(
        &'a self,
        asked: &'a [Asked],
        as_of: NaiveDate,
        most: usize,
        workers: usize,
    ) -> anyhow::Result<InPieces<'a>> {
        let people = People::new(asked, as_of);
        let sources: Vec<&Source> = self.sources.0.values().collect();
        let when = When { as_of, named: None };
        let choose = |source: &&'a Source| self.choose(source, when);
        let chosen: Vec<_> = sources.iter().map(choose).collect();
        let known = self.all_known(&sources, &chosen, &people, workers)?;
        let mut cut = Vec::new();
        for (at, known) in known.iter().enumerate() {
            if let (Some(known), Ok(opened)) = (known, &chosen[at]) {
                let pieces = cut_of(&known.keys, &opened.manifest, most.max(1));
                cut.extend(pieces.into_iter().map(|range| (at, range)));
            }
        }
        Ok(InPieces {
            as_of,
            people,
            sources,
            chosen,
            known,
            cut,
            secret: Keys::generate()?.sign("verify.pieces", b"once"),
        })
    }
}

/// The first and the last key of a piece.
fn ends(known: &Known, range: &Range<usize>) -> (u64, u64) {
    (known.keys[range.start], known.keys[range.end - 1])
}

/// The keys of each piece, by their places; where nobody can stand there is none.
fn cut_of(keys: &[u64], manifest: &Manifest, most: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut begin, mut at, mut rows) = (0, 0, 0);
    while let Some(key) = keys.get(at) {
        let part = manifest.part_of(*key);
        let to = at + keys[at..].partition_point(|key| manifest.part_of(*key) == part);
        let there = manifest.parts.get(part).copied().unwrap_or(0);
        if rows == 0 {
            // Nothing to read so far: whoever stands before needs no answer.
            begin = at;
        }
        rows += there;
        at = to;
        while rows > 0 && to - begin > most {
            pieces.push(begin..begin + most);
            begin += most;
        }
        if rows >= ROWS {
            pieces.push(begin..to);
            (begin, rows) = (to, 0);
        }
    }
    if rows > 0 {
        pieces.push(begin..keys.len());
    }
    pieces
}

impl InPieces<'_> {
    /// How many there are (片数).
    pub fn count(&self) -> usize {
        self.cut.len()
    }

    /// One of them (取一片), made when it is needed.
    ///
    /// # Errors
    /// When there is none of that number.
    pub fn piece(&self, number: usize) -> anyhow::Result<Piece> {
        let (at, range) = self.cut.get(number).context("no such piece")?;
        let (source, known, opened) = self.of_source(*at)?;
        let (here, households) = self.people_of(source, known, range.clone());
        let (from, to) = ends(known, range);
        let of = |one: &u32| *one as usize;
        Ok(Piece {
            source: source.id.clone(),
            definition: print_of(source),
            delivery: opened.manifest.delivery.clone(),
            manifest: print(&opened.manifest)?,
            as_of: self.as_of,
            from,
            to,
            households,
            keys: here.iter().map(|one| known.of_person[of(one)]).collect(),
            names: match known.names.is_empty() {
                true => Vec::new(),
                false => here.iter().map(|one| known.names[of(one)]).collect(),
            },
            secret: self.secret.clone(),
        })
    }

    /// Takes an answer in (收下一片的答复).
    ///
    /// # Errors
    /// When it is none to that piece.
    pub fn add(&self, found: &mut Found, number: usize, answer: &[u8]) -> anyhow::Result<()> {
        let (at, range) = self.cut.get(number).context("no such piece")?;
        let (source, known, opened) = self.of_source(*at)?;
        let bound_to = purpose(&source.id, &opened.manifest.delivery, ends(known, range));
        found.done.resize(self.cut.len(), false);
        ensure!(!found.done[number], "a piece was answered twice");
        let clear = Keys::of_secret(&self.secret)
            .unseal_bytes(answer, bound_to.as_bytes())
            .context("答复对不上所问的一片 (an answer to another piece)")?;
        let clear = zstd::decode_all(&clear[..]).context("答复读不出 (reading an answer)")?;
        let (sums, things): Sums = serde_json::from_slice(&clear)?;
        let (here, _) = self.people_of(source, known, range.clone());
        found
            .tallies
            .entry(*at)
            .or_insert_with(|| Tally::new(source, &self.people.homes))
            .add(source, &here, (&sums, &things))?;
        found.done[number] = true;
        Ok(())
    }

    /// The households' figures, once all pieces are answered (批量结果).
    ///
    /// # Errors
    /// When one is not.
    pub fn columns(self, found: Found, workers: usize) -> anyhow::Result<Vec<FigureColumn>> {
        let answered = found.done.iter().filter(|done| **done).count();
        ensure!(
            answered == self.cut.len(),
            "还有 {} 片没有答复 (pieces without an answer)",
            self.cut.len() - answered
        );
        let homes = &self.people.homes;
        let said = settled(homes, &self.sources, self.chosen, found.tallies);
        columns(&self.people, &said, workers)
    }

    fn of_source(&self, at: usize) -> anyhow::Result<(&Source, &Known, &super::Opened)> {
        match (&self.known[at], &self.chosen[at]) {
            (Some(known), Ok(opened)) => Ok((self.sources[at], known, opened)),
            _ => anyhow::bail!("a piece of a source that says nothing"),
        }
    }

    /// Whom a piece speaks of, by their places, and how many live together: whole households where it matters who else
    /// lives there.
    fn people_of(
        &self,
        source: &Source,
        known: &Known,
        range: Range<usize>,
    ) -> (Vec<u32>, Vec<usize>) {
        let mut asked: Vec<u32> = known.persons_of(range).collect();
        asked.sort_unstable();
        if !source.figures.iter().any(|def| def.other_outside) {
            let alone = vec![1; asked.len()];
            return (asked, alone);
        }
        let homes = asked
            .iter()
            .map(|person| self.people.homes.of(*person as usize));
        let mut homes: Vec<Range<usize>> = homes.collect();
        homes.dedup();
        let narrow = |one: usize| u32::try_from(one).unwrap_or(u32::MAX);
        let here = homes.iter().flat_map(|home| home.clone().map(narrow));
        (here.collect(), homes.iter().map(Range::len).collect())
    }
}

/// Answers a piece (答复一片) from what lies in a store, without any key of the house.
///
/// # Errors
/// In words for the one who asked: another definition of the source, another delivery in view, a part that cannot be read.
pub fn answer(sources: &Sources, store: &Path, piece: &Piece) -> anyhow::Result<Vec<u8>> {
    let source = sources.get(&piece.source);
    let source = source.filter(|source| print_of(source) == piece.definition);
    let source = source.with_context(|| {
        format!(
            "数据源 {} 的约定与发起方不同；请换上同一份规则包 (another definition of the source)",
            piece.source
        )
    })?;
    let mut path = Path::new(&piece.delivery).components();
    let is_name = matches!(
        (path.next(), path.next()),
        (Some(Component::Normal(_)), None)
    );
    ensure!(is_name, "{} is no delivery", piece.delivery);
    let folder = store.join(&source.id).join(&piece.delivery);
    let manifest = Manifest::read(&folder)?;
    ensure!(
        print(&manifest)? == piece.manifest,
        "{} 不是同一次交换；请让各机看到同一个落地文件夹 (another delivery in view)",
        folder.display()
    );
    let mut homes = Homes::default();
    for members in &piece.households {
        homes.add(*members);
    }
    let named = piece.names.is_empty() || piece.names.len() == piece.keys.len();
    ensure!(
        homes.people() == piece.keys.len() && named,
        "the piece does not fit together"
    );
    let asked = piece.from..=piece.to;
    let known = Known::of(piece.keys.clone(), piece.names.clone(), |_, key| {
        key != 0 && asked.contains(&key)
    });
    let mut tally = Tally::new(source, &homes);
    let mut from = 0;
    while let Some(key) = known.keys.get(from) {
        let part = manifest.part_of(*key);
        let to = from + known.keys[from..].partition_point(|key| manifest.part_of(*key) == part);
        if manifest.parts.get(part).is_some_and(|rows| *rows > 0) {
            let opened = Part::open(&folder.join(part_file(part)))?;
            let all = (source, &homes, &known);
            read_part(&opened, all, piece.as_of, from..to, &mut tally)?;
        }
        from = to;
    }
    let clear = serde_json::to_vec(&tally.found())?;
    let small = zstd::encode_all(&clear[..], 1).context("compressing an answer")?;
    Ok(Keys::of_secret(&piece.secret).seal_bytes(&small, piece.purpose().as_bytes()))
}

/// All that a source means, figures too: what is landed depends on the columns alone, what is answered on both.
fn print_of(source: &Source) -> String {
    sm3_hex(format!("{source:?}").as_bytes())
}

fn print(manifest: &Manifest) -> anyhow::Result<String> {
    Ok(sm3_hex(&serde_json::to_vec(manifest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(bits: u32, parts: &[u64]) -> Manifest {
        let text = serde_json::json!({
            "layout": 1, "source": "bank", "delivery": "d", "delivered": "2026-06-01", "sm3": "", "bytes": 0,
            "definition": "", "keys": "", "rows": 0, "bad": 0, "reasons": {}, "entries": 0, "bits": bits, "parts": parts,
        });
        serde_json::from_value(text).unwrap()
    }

    /// Four parts by the first two bits: keys beginning with 0, 4, 8 and c in hexadecimal.
    const KEYS: [u64; 6] = [1 << 60, 2 << 60, 5 << 60, 9 << 60, 10 << 60, 13 << 60];

    #[test]
    fn pieces_follow_the_parts_and_pass_over_those_without_rows() {
        // Two keys in the first part, one in the second (empty), two in the third, one in the fourth.
        let small = cut_of(&KEYS, &manifest(2, &[7, 0, 7, 7]), 100);
        assert_eq!(small, vec![Range { start: 0, end: 6 }]);
        let large = cut_of(&KEYS, &manifest(2, &[ROWS, 0, ROWS, 7]), 100);
        assert_eq!(large, [0..2, 3..5, 5..6]);
        assert!(cut_of(&KEYS, &manifest(2, &[0, 0, 0, 0]), 100).is_empty());
        assert!(cut_of(&[], &manifest(0, &[9]), 100).is_empty());
    }

    #[test]
    fn nobody_is_left_out_and_no_piece_has_more_people_than_it_may() {
        for most in 1..8 {
            let pieces = cut_of(&KEYS, &manifest(2, &[7, 7, ROWS, 7]), most);
            let all: Vec<usize> = pieces.iter().cloned().flatten().collect();
            assert_eq!(all, [0, 1, 2, 3, 4, 5], "{most}");
            assert!(pieces.iter().all(|piece| piece.len() <= most), "{pieces:?}");
        }
    }
}
