//! Taking a table's columns in (读入列): part of a column as a lane, with what it says checked as the reference checks it.
//!
//! Words stay places in the table's list; what formulas ask about words is answered once for each word. Guarantees: what
//! stands in unknown cells never matters. Deliberately absent: copies of what is not needed; a column nobody asks for is
//! never touched.

use super::graph::{Graph, Op};
use super::lanes::{Flags, Numbers, Rare};
use super::numbers::LAST_DAY;
use crate::parameter::Setting;
use crate::program::Program;
use crate::table::{ABSENT, BROKEN, Column, KNOWN, States, Table};
use std::collections::BTreeMap;
use std::ops::Range;
use vocab::Region;

/// Numbers within this need no closer look at their bounds.
const PLAIN: i64 = (1 << 48) - 1;

/// What is known about the words of a table (字词查表).
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// The table's words and those that formulas name; the place of a word in here is its number in the lanes.
    pub(super) count: usize,
    /// For every place of the table, the first place of the same word.
    same: Option<Vec<i64>>,
    constants: BTreeMap<i64, i64>,
    /// By operation: a cell for each word.
    flags: BTreeMap<u32, Vec<u8>>,
    /// By operation: a value and a state for each word.
    numbers: BTreeMap<u32, Vec<(i64, u8)>>,
    /// By input: the state of each word of the table there.
    allowed: BTreeMap<u32, Vec<u8>>,
}

fn place(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Vocabulary {
    /// Answers every question of the graph for every word of the table.
    pub(super) fn of(program: &Program, graph: &Graph, inputs: &[u32], table: &Table<'_>) -> Self {
        let mut texts: Vec<&str> = table.words.iter().map(String::as_str).collect();
        let mut places: BTreeMap<&str, i64> = BTreeMap::new();
        let mut same = Vec::with_capacity(texts.len());
        for (number, text) in (0..).zip(&texts) {
            same.push(*places.entry(text).or_insert(number));
        }
        let unique = places.len() == texts.len();
        let mut constants = BTreeMap::new();
        for word in &graph.words {
            let text = program.words.text(*word).unwrap_or_default();
            let next = i64::try_from(texts.len()).unwrap_or(i64::MAX);
            let number = *places.entry(text).or_insert_with(|| {
                texts.push(text);
                next
            });
            constants.insert(*word, number);
        }
        let mut made = Self {
            count: texts.len(),
            same: (!unique).then_some(same),
            constants,
            ..Self::default()
        };
        for (id, op) in (0..).zip(&graph.ops) {
            match op {
                Op::IsOneOf(_, words, negated) => {
                    let list: Vec<&str> = words
                        .iter()
                        .filter_map(|word| program.words.text(*word))
                        .collect();
                    let cells = texts
                        .iter()
                        .map(|text| u8::from(list.contains(text) != *negated) * 3);
                    made.flags.insert(id, cells.collect());
                }
                Op::InRegions(_, regions) => {
                    let cells = texts.iter().map(|text| match text.parse::<Region>() {
                        Ok(place) => u8::from(regions.iter().any(|one| one.holds(place))) * 3,
                        Err(_) => 1,
                    });
                    made.flags.insert(id, cells.collect());
                }
                Op::BandByCode(_, band) => {
                    let setting = graph.bands[*band as usize].1.as_ref();
                    let cells = texts.iter().map(|text| banded(setting, text));
                    made.numbers.insert(id, cells.collect());
                }
                Op::Word(column) => {
                    let allowed = &program.inputs[inputs[*column as usize] as usize].words;
                    let list: Vec<&str> = allowed
                        .iter()
                        .filter_map(|word| program.words.text(*word))
                        .collect();
                    let states = table.words.iter().map(|text| {
                        if list.is_empty() || list.contains(&text.as_str()) {
                            KNOWN
                        } else {
                            BROKEN
                        }
                    });
                    made.allowed.insert(*column, states.collect());
                }
                _ => {}
            }
        }
        made
    }

    pub(super) fn constant(&self, word: i64) -> i64 {
        self.constants.get(&word).copied().unwrap_or(0)
    }

    /// A question about a word, answered for each cell.
    pub(super) fn ask(&self, id: u32, words: &Numbers, out: &mut Flags) {
        let Some(answers) = self.flags.get(&id).filter(|answers| !answers.is_empty()) else {
            out.set_one(1);
            return;
        };
        let last = answers.len() - 1;
        out.of(words, |word| answers[place(word).min(last)]);
    }

    pub(super) fn band(&self, id: u32, words: &Numbers, out: &mut Numbers) {
        let answers = self.numbers.get(&id).map_or(&[][..], Vec::as_slice);
        let range = answers.iter().fold((0, 0), |(low, high), (value, _)| {
            (value.min(&low).to_owned(), value.max(&high).to_owned())
        });
        out.each_if(words, range, |word| {
            answers
                .get(place(word))
                .and_then(|(value, state)| (*state == KNOWN).then_some(*value))
        });
    }

    /// A column of words; those its fact does not have are broken.
    pub(super) fn load(
        &self,
        number: u32,
        column: &Column<'_>,
        range: Range<usize>,
        out: &mut Numbers,
    ) -> Result<(), Rare> {
        out.clear();
        let allowed = self.allowed.get(&number).map_or(&[][..], Vec::as_slice);
        (out.low, out.high) = (0, i64::try_from(self.count).unwrap_or(i64::MAX));
        let values = match (&column.states, column.values.get(range.clone())) {
            (States::AllAbsent, _) => {
                out.set_one(0, ABSENT);
                return Ok(());
            }
            (_, values) => values.ok_or(Rare)?,
        };
        if self.same.is_none() && allowed.len() <= 64 {
            let fitting: u64 = (0..)
                .zip(allowed)
                .map(|(at, state)| u64::from(*state == KNOWN) << at)
                .sum();
            let (mut used, mut high) = (0_u64, 0_i64);
            for value in values {
                used |= 1 << (value & 63);
                high |= *value;
            }
            if used & !fitting == 0 && (0..64).contains(&high) {
                out.values.extend_from_slice(values);
                states(column, range, out);
                return Ok(());
            }
        }
        for (value, at) in values.iter().zip(range) {
            let state = match column.state(at) {
                KNOWN => allowed.get(place(*value)).copied().unwrap_or(BROKEN),
                state => state.min(ABSENT),
            };
            let value = if state == KNOWN { *value } else { 0 };
            let value = self
                .same
                .as_ref()
                .map_or(value, |same| same.get(place(value)).copied().unwrap_or(0));
            out.values.push(value);
            out.states.push(state);
        }
        out.settle();
        Ok(())
    }
}

/// What a code's band is, by the reference.
fn banded(setting: Option<&Setting>, text: &str) -> (i64, u8) {
    let found = match setting {
        Some(Setting::Single(value)) => Some(*value),
        // Codes written in digits look like lower bounds; each stands for itself alone.
        Some(Setting::Steps(steps)) => text
            .parse::<i64>()
            .ok()
            .and_then(|code| steps.get(&code))
            .copied(),
        Some(Setting::Codes(codes)) => codes.get(text).copied(),
        None => None,
    };
    found.map_or((0, BROKEN), |value| (value, KNOWN))
}

/// The states of a column's part.
fn states(column: &Column<'_>, range: Range<usize>, out: &mut Numbers) {
    if let States::Each(all) = &column.states {
        let all = all.get(range).unwrap_or_default();
        out.states
            .extend(all.iter().map(|state| (*state).min(KNOWN)));
        out.states.resize(out.values.len(), ABSENT);
        out.settle();
    }
}

/// A column of numbers; its denominators divide `per`, or the batch is rare.
pub(super) fn numbers(
    column: &Column<'_>,
    per: i64,
    range: Range<usize>,
    out: &mut Numbers,
) -> Result<(), Rare> {
    out.clear();
    let values = match (&column.states, column.values.get(range.clone())) {
        (States::AllAbsent, _) => {
            out.set_one(0, ABSENT);
            return Ok(());
        }
        (_, values) => values.ok_or(Rare)?,
    };
    match &column.denominators {
        None if per == 1 => out.values.extend_from_slice(values),
        None => {
            let far = values.iter().any(|value| value.checked_mul(per).is_none());
            if far {
                return Err(Rare);
            }
            out.values
                .extend(values.iter().map(|value| value.wrapping_mul(per)));
        }
        Some(denominators) => {
            let denominators = denominators.get(range.clone()).ok_or(Rare)?;
            for (at, (value, by)) in range.clone().zip(values.iter().zip(denominators)) {
                if column.state(at) != KNOWN {
                    out.values.push(0);
                    continue;
                }
                if *by <= 0 || per % by != 0 {
                    return Err(Rare);
                }
                out.values.push(value.checked_mul(per / by).ok_or(Rare)?);
            }
        }
    }
    states(column, range, out);
    look(out)
}

/// A column of days; days outside the calendar of the machine are rare.
pub(super) fn days(
    column: &Column<'_>,
    range: Range<usize>,
    out: &mut Numbers,
) -> Result<(), Rare> {
    numbers(column, 1, range, out)?;
    if out.low < 0 || out.high > LAST_DAY {
        return Err(Rare);
    }
    (out.low, out.high) = (0, LAST_DAY);
    Ok(())
}

/// Bounds of numbers just taken in.
fn look(out: &mut Numbers) -> Result<(), Rare> {
    let bits = out.values.iter().fold(0, |bits, value| bits | value);
    if bits == 0 && out.known && !out.values.is_empty() {
        out.set_one(0, KNOWN);
        return Ok(());
    }
    if (0..=PLAIN).contains(&bits) {
        // The next power of two above all of them.
        (out.low, out.high) = (0, bits);
        return Ok(());
    }
    if !out.known {
        // Whatever stands in unknown cells must not widen the bounds.
        let cells = out.values.iter_mut().zip(&out.states);
        cells
            .filter(|(_, state)| **state != KNOWN)
            .for_each(|(value, _)| *value = 0);
    }
    out.low = out.values.iter().copied().min().unwrap_or(0);
    out.high = out.values.iter().copied().max().unwrap_or(0);
    super::lanes::bounds(Some(out.low), Some(out.high)).map(|_| ())
}

/// A column of flags.
pub(super) fn flags(column: &Column<'_>, range: Range<usize>, out: &mut Flags) -> Result<(), Rare> {
    out.clear();
    let values = match (&column.states, column.values.get(range.clone())) {
        (States::AllAbsent, _) => {
            out.set_one(2);
            return Ok(());
        }
        (_, values) => values.ok_or(Rare)?,
    };
    out.cells
        .extend(values.iter().map(|value| u8::from(*value != 0) * 3));
    if let States::Each(all) = &column.states {
        let all = all.get(range).unwrap_or_default();
        for (cell, state) in out.cells.iter_mut().zip(all) {
            let doubt = (*state).min(ABSENT) + 1;
            *cell = if *state >= KNOWN { *cell } else { doubt };
        }
        let told = all.len().min(out.cells.len());
        out.cells[told..].fill(2);
    }
    out.settle();
    Ok(())
}
