//! Over the members of a household (按户汇总): counts, sums, smallest and largest, any, all, on columns.
//!
//! Where all is known, sums are differences of a running total: no branch depends on how large a household is. Otherwise
//! the members are gone through one by one with the reference's rules. Deliberately absent: fractions of different
//! denominators.

use super::lanes::{Flags, LIMIT, Numbers, Rare};
use crate::table::{ABSENT, BROKEN, KNOWN};

/// Where the members of each household of a batch lie (户内成员).
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Beginning with 0, one more than households.
    pub(super) offsets: Vec<u32>,
    /// The household of each member.
    pub(super) parents: Vec<u32>,
    /// How many members the largest household has.
    pub(super) largest: i64,
    totals: Vec<i64>,
    tallies: Vec<u64>,
}

/// So many members of a batch can be tallied: three counts share a word.
pub(super) const MOST_MEMBERS: usize = 1 << 21;

/// How many members of a household are broken, absent, true.
#[derive(Debug, Clone, Copy)]
struct Tally(u64);

impl Tally {
    /// What one cell adds.
    const OF: [u64; 4] = [0, 1, 1 << 21, 1 << 42];

    fn broken(self) -> u64 {
        self.0 & 0x1F_FFFF
    }

    fn absent(self) -> u64 {
        (self.0 >> 21) & 0x1F_FFFF
    }

    fn met(self) -> u64 {
        self.0 >> 42
    }

    /// The worst state among them.
    fn state(self) -> u8 {
        match (self.broken() > 0, self.absent() > 0) {
            (true, _) => BROKEN,
            (_, true) => ABSENT,
            _ => KNOWN,
        }
    }
}

impl Segments {
    pub(super) fn take(&mut self, offsets: &[u32]) {
        let first = offsets.first().copied().unwrap_or(0);
        self.offsets.clear();
        self.offsets.extend(offsets.iter().map(|at| at - first));
        self.parents.clear();
        self.largest = 0;
        for (row, pair) in (0_u32..).zip(self.offsets.windows(2)) {
            let size = pair[1] - pair[0];
            self.largest = self.largest.max(i64::from(size));
            self.parents.extend((0..size).map(|_| row));
        }
    }

    pub(super) fn size(&self, out: &mut Numbers) {
        out.clear();
        let sizes = self.offsets.windows(2);
        out.values
            .extend(sizes.map(|pair| i64::from(pair[1] - pair[0])));
        (out.low, out.high) = (0, self.largest);
    }

    /// The least common multiple of the members' numbers, which are all positive.
    pub(super) fn common(&self, of: &Numbers, out: &mut Numbers) -> Result<(), Rare> {
        if of.one {
            out.set_one(of.values[0], KNOWN);
            return Ok(());
        }
        out.clear();
        let mut most = 1;
        for row in self.rows() {
            let mut common = 1_i64;
            for per in &of.values[row] {
                if common.checked_rem(*per) != Some(0) {
                    let (mut a, mut b) = (common, *per);
                    while b != 0 {
                        (a, b) = (b, a % b);
                    }
                    common = (common / a.max(1)).checked_mul(*per).ok_or(Rare)?;
                }
            }
            most = most.max(common);
            out.values.push(common);
        }
        (out.low, out.high) = (1, most);
        if most < LIMIT { Ok(()) } else { Err(Rare) }
    }

    fn rows(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        self.offsets
            .windows(2)
            .map(|pair| pair[0] as usize..pair[1] as usize)
    }

    /// Tallies the members of each household.
    fn tallied(
        &mut self,
        cells: impl Iterator<Item = u8>,
    ) -> impl Iterator<Item = (u64, Tally)> + '_ {
        let mut total = 0;
        self.tallies.clear();
        self.tallies.push(0);
        self.tallies.extend(cells.map(|cell| {
            total += Tally::OF[usize::from(cell & 3)];
            total
        }));
        let tallies = &self.tallies;
        self.offsets.windows(2).map(|pair| {
            let tally = tallies[pair[1] as usize] - tallies[pair[0] as usize];
            (u64::from(pair[1] - pair[0]), Tally(tally))
        })
    }

    pub(super) fn count(&mut self, filter: &Flags, out: &mut Numbers) {
        out.clear();
        (out.low, out.high) = (0, self.largest);
        match filter.only() {
            Some(0) => return out.set_one(0, KNOWN),
            Some(3) => return self.size(out),
            Some(doubt) => return self.in_doubt(out, doubt - 1),
            None => {}
        }
        let known = filter.known;
        for (_, tally) in self.tallied(filter.cells.iter().copied()) {
            out.values.push(tally.met().cast_signed());
            if !known {
                out.states.push(tally.state());
            }
        }
        if !known {
            out.settle();
        }
    }

    /// Of nobody it is zero, of anybody not known.
    fn in_doubt(&self, out: &mut Numbers, state: u8) {
        for row in self.rows() {
            out.values.push(0);
            out.states.push(if row.is_empty() { KNOWN } else { state });
        }
        out.settle();
    }

    pub(super) fn sum(
        &mut self,
        of: &Numbers,
        filter: Option<&Flags>,
        out: &mut Numbers,
    ) -> Result<(), Rare> {
        out.clear();
        let widest = of
            .low
            .checked_abs()
            .ok_or(Rare)?
            .max(of.high.checked_abs().ok_or(Rare)?);
        if widest
            .checked_mul(self.largest.max(1))
            .is_none_or(|sum| sum >= LIMIT)
        {
            return Err(Rare);
        }
        let filter = filter.filter(|filter| filter.only() != Some(3));
        if filter.is_some_and(|filter| filter.only() == Some(0)) {
            out.set_one(0, KNOWN);
            return Ok(());
        }
        out.low = of.low.min(0) * self.largest;
        out.high = of.high.max(0) * self.largest;
        if !of.known || filter.is_some_and(|filter| !filter.known) {
            self.sum_in_doubt(of, filter, out);
            return Ok(());
        }
        if of.one {
            let value = of.values[0];
            match filter {
                Some(filter) => {
                    let tallies = self.tallied(filter.cells.iter().copied());
                    out.values
                        .extend(tallies.map(|(_, tally)| tally.met().cast_signed() * value));
                }
                None => {
                    let sizes = self.offsets.windows(2);
                    out.values
                        .extend(sizes.map(|pair| i64::from(pair[1] - pair[0]) * value));
                }
            }
            return Ok(());
        }
        match filter {
            Some(filter) => {
                let both = of.values.iter().zip(&filter.cells);
                self.summed(both.map(|(value, cell)| value & -i64::from(cell & 1)), out);
            }
            None => self.summed(of.values.iter().copied(), out),
        }
        Ok(())
    }

    /// Sums over the members of each household.
    fn summed(&mut self, values: impl Iterator<Item = i64>, out: &mut Numbers) {
        let mut total = 0_i64;
        self.totals.clear();
        self.totals.push(0);
        self.totals.extend(values.map(|value| {
            total = total.wrapping_add(value);
            total
        }));
        let totals = &self.totals;
        let rows = self.offsets.windows(2);
        out.values.extend(
            rows.map(|pair| totals[pair[1] as usize].wrapping_sub(totals[pair[0] as usize])),
        );
    }

    fn sum_in_doubt(&mut self, of: &Numbers, filter: Option<&Flags>, out: &mut Numbers) {
        let members = self.parents.len();
        let cell = |at: usize| filter.map_or(3, |filter| filter.cell(at));
        // Who does not count and who adds nothing cannot matter.
        self.summed(
            (0..members).map(|at| {
                let counts = (cell(at) == 3) & (of.state(at) == KNOWN);
                of.value(at) & -i64::from(counts)
            }),
            out,
        );
        let doubts = (0..members).map(|at| {
            let (counts, state) = (cell(at), of.state(at));
            let nothing = (counts == 0) | ((state == KNOWN) & (of.value(at) == 0));
            let worst = state.min(counts.wrapping_sub(1));
            if nothing { 0 } else { worst + 1 }
        });
        for (_, tally) in self.tallied(doubts) {
            out.states.push(tally.state());
        }
        out.settle();
    }

    pub(super) fn extreme(
        &self,
        least: bool,
        of: &Numbers,
        filter: Option<&Flags>,
        out: &mut Numbers,
    ) {
        out.clear();
        for row in self.rows() {
            let better = |a: i64, b: i64| if least { a < b } else { a > b };
            let (mut best, mut doubtful): (Option<i64>, Option<i64>) = (None, None);
            let mut worst = KNOWN;
            for at in row {
                let counts = filter.map_or(3, |filter| filter.cell(at));
                let (value, state) = (of.value(at), of.state(at));
                match (counts, state) {
                    (0, _) => {}
                    (3, KNOWN) if best.is_none_or(|best| better(value, best)) => best = Some(value),
                    (3, KNOWN) => {}
                    (_, KNOWN) if doubtful.is_none_or(|known| better(value, known)) => {
                        doubtful = Some(value);
                    }
                    (_, KNOWN) => {}
                    (3, state) => worst = worst.min(state),
                    (counts, state) => worst = worst.min(state).min(counts - 1),
                }
            }
            if let Some(value) = doubtful
                && best.is_none_or(|best| better(value, best))
            {
                worst = worst.min(ABSENT);
            }
            // Among nobody there is no smallest.
            out.states.push(if worst == KNOWN && best.is_none() {
                BROKEN
            } else {
                worst
            });
            out.values.push(best.unwrap_or(0));
        }
        (out.low, out.high) = (of.low.min(0), of.high.max(0));
        out.settle();
    }

    pub(super) fn any(&mut self, of: &Flags, out: &mut Flags) {
        out.clear();
        match of.only() {
            Some(0) => out.set_one(0),
            Some(cell) => {
                let sizes = self.offsets.windows(2);
                out.cells
                    .extend(sizes.map(|pair| if pair[1] > pair[0] { cell } else { 0 }));
                out.settle();
            }
            None => {
                let tallies = self.tallied(of.cells.iter().copied());
                out.cells.extend(tallies.map(|(_, tally)| {
                    match (tally.met() > 0, tally.state()) {
                        (true, _) => 3,
                        (_, KNOWN) => 0,
                        (_, state) => state + 1,
                    }
                }));
                out.settle();
            }
        }
    }

    pub(super) fn all(&mut self, of: &Flags, out: &mut Flags) {
        out.clear();
        match of.only() {
            Some(3) => out.set_one(3),
            Some(cell) => {
                let sizes = self.offsets.windows(2);
                out.cells
                    .extend(sizes.map(|pair| if pair[1] > pair[0] { cell } else { 3 }));
                out.settle();
            }
            None => {
                let tallies = self.tallied(of.cells.iter().copied());
                out.cells.extend(tallies.map(|(size, tally)| {
                    let others = tally.met() + tally.broken() + tally.absent();
                    match tally.state() {
                        _ if others < size => 0,
                        KNOWN => 3,
                        state => state + 1,
                    }
                }));
                out.settle();
            }
        }
    }

    /// Whether something is known of every member.
    pub(super) fn clear(&mut self, of: &Flags, out: &mut Flags) {
        if of.known {
            out.set_one(3);
            return;
        }
        out.clear();
        if of.one {
            let sizes = self.offsets.windows(2);
            out.cells
                .extend(sizes.map(|pair| u8::from(pair[1] == pair[0]) * 3));
        } else {
            let tallies = self.tallied(of.cells.iter().copied());
            out.cells
                .extend(tallies.map(|(_, tally)| u8::from(tally.state() == KNOWN) * 3));
        }
        out.settle();
    }
}
