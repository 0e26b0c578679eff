//! Columns of one batch (一批的列): numbers with states, flags of four values, and the loops over them.
//!
//! Loops run over slices of one length, without branches, so that the compiler makes vector code of them. A column that is
//! the same for the whole batch is one cell. Every number carries bounds that hold for all its cells; the bounds say
//! beforehand that nothing overflows, so that no loop has to ask. Deliberately absent: anything that can overflow;
//! that is [`Rare`] and the reference decides.

use crate::program::Comparison;
use crate::table::{ABSENT, BROKEN, KNOWN};

/// Something the loops do not do (罕见情形): the batch goes to the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rare;

/// Numbers beyond this are rare; twice as much still fits.
pub(super) const LIMIT: i64 = 1 << 62;

/// A column of whole numbers (数列).
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) values: Vec<i64>,
    /// Empty where all is known.
    pub(super) states: Vec<u8>,
    pub(super) known: bool,
    /// One cell stands for all.
    pub(super) one: bool,
    pub(super) low: i64,
    pub(super) high: i64,
}

/// A column of flags (是否列): 0 false, 1 broken, 2 absent, 3 true.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) cells: Vec<u8>,
    pub(super) known: bool,
    pub(super) one: bool,
}

/// Bounds, if they are not rare.
pub(super) fn bounds(low: Option<i64>, high: Option<i64>) -> Result<(i64, i64), Rare> {
    match (low, high) {
        (Some(low), Some(high)) if low > -LIMIT && high < LIMIT => Ok((low, high)),
        _ => Err(Rare),
    }
}

impl Numbers {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.states.clear();
        self.known = true;
        self.one = false;
    }

    pub(super) fn set_one(&mut self, value: i64, state: u8) {
        self.clear();
        self.values.push(value);
        self.one = true;
        self.known = state == KNOWN;
        if !self.known {
            self.states.push(state);
        }
        (self.low, self.high) = (value, value);
    }

    /// The state of the only cell.
    fn one_state(&self) -> u8 {
        self.states.first().copied().unwrap_or(KNOWN)
    }

    /// Broken for everybody, and so is whatever is made of it.
    pub(super) fn is_broken(&self) -> bool {
        self.one && !self.known && self.one_state() == BROKEN
    }

    pub(super) fn state(&self, at: usize) -> u8 {
        match (self.known, self.one) {
            (true, _) => KNOWN,
            (false, true) => self.one_state(),
            (false, false) => self.states[at],
        }
    }

    pub(super) fn value(&self, at: usize) -> i64 {
        self.values[if self.one { 0 } else { at }]
    }

    /// Drops the states if all is known after all.
    pub(super) fn settle(&mut self) {
        if self
            .states
            .iter()
            .fold(KNOWN, |least, state| least.min(*state))
            == KNOWN
        {
            self.states.clear();
            self.known = true;
        } else {
            self.known = false;
        }
    }

    /// The states of something made of two numbers.
    fn states_of(&mut self, a: &Self, b: &Self) {
        self.known = a.known && b.known;
        if self.known {
            return;
        }
        let states = &mut self.states;
        match (a.known || a.one, b.known || b.one) {
            (false, false) => {
                states.extend(a.states.iter().zip(&b.states).map(|(a, b)| (*a).min(*b)));
            }
            (false, true) => {
                let other = if b.known { KNOWN } else { b.one_state() };
                states.extend(a.states.iter().map(|state| (*state).min(other)));
            }
            (true, false) => {
                let other = if a.known { KNOWN } else { a.one_state() };
                states.extend(b.states.iter().map(|state| (*state).min(other)));
            }
            (true, true) => {
                let both = a.one_state_or_known().min(b.one_state_or_known());
                states.resize(self.values.len(), both);
            }
        }
    }

    fn one_state_or_known(&self) -> u8 {
        if self.known { KNOWN } else { self.one_state() }
    }

    /// A number made of two, cell by cell.
    pub(super) fn pairwise(
        &mut self,
        a: &Self,
        b: &Self,
        (low, high): (i64, i64),
        f: impl Fn(i64, i64) -> i64,
    ) {
        self.clear();
        if a.is_broken() || b.is_broken() {
            self.set_one(0, BROKEN);
            return;
        }
        match (a.one, b.one) {
            (true, true) => self.values.push(f(a.values[0], b.values[0])),
            (true, false) => {
                let x = a.values[0];
                self.values.extend(b.values.iter().map(|y| f(x, *y)));
            }
            (false, true) => {
                let y = b.values[0];
                self.values.extend(a.values.iter().map(|x| f(*x, y)));
            }
            (false, false) => {
                let both = a.values.iter().zip(&b.values);
                self.values.extend(both.map(|(x, y)| f(*x, *y)));
            }
        }
        self.one = a.one && b.one;
        self.states_of(a, b);
        (self.low, self.high) = (low, high);
    }

    /// A number made of one, cell by cell; states stay.
    pub(super) fn each(&mut self, a: &Self, (low, high): (i64, i64), f: impl Fn(i64) -> i64) {
        self.clear();
        self.values.extend(a.values.iter().map(|x| f(*x)));
        self.states.extend_from_slice(&a.states);
        (self.known, self.one, self.low, self.high) = (a.known, a.one, low, high);
    }

    /// Like `each`, where the function may find a value unusable.
    pub(super) fn each_if(
        &mut self,
        a: &Self,
        (low, high): (i64, i64),
        f: impl Fn(i64) -> Option<i64>,
    ) {
        self.clear();
        for (at, x) in a.values.iter().enumerate() {
            let state = a.state(at);
            let (value, state) = match (state, f(*x)) {
                (KNOWN, Some(value)) => (value, KNOWN),
                (KNOWN, None) => (0, BROKEN),
                _ => (0, state),
            };
            self.values.push(value);
            self.states.push(state);
        }
        self.one = a.one;
        (self.low, self.high) = (low.min(0), high.max(0));
        self.settle();
    }

    /// One of two numbers by a test that need not be known: unknown, unless both ways give the same.
    pub(super) fn select(&mut self, test: &Flags, yes: &Self, no: &Self, height: usize) {
        self.clear();
        self.low = yes.low.min(no.low).min(0);
        self.high = yes.high.max(no.high).max(0);
        if test.one {
            self.one = yes.one && no.one;
            let test = test.cells[0];
            for at in 0..if self.one { 1 } else { height } {
                let (x, y) = (yes.state(at), no.state(at));
                let same = u8::from(yes.value(at) == no.value(at));
                self.values.push(no.value(at));
                self.states.push(chosen(test, x, y, same));
            }
            self.settle();
            return;
        }
        // An unknown test may take either way: only where both are the same does the value matter.
        let choose = |test: &u8, x: i64, y: i64| y ^ ((x ^ y) & -i64::from(test >> 1));
        let tests = test.cells.iter();
        match (yes.one, no.one) {
            (false, false) => {
                let all = tests.zip(&yes.values).zip(&no.values);
                self.values
                    .extend(all.map(|((test, x), y)| choose(test, *x, *y)));
            }
            (false, true) => {
                let y = no.values[0];
                self.values
                    .extend(tests.zip(&yes.values).map(|(test, x)| choose(test, *x, y)));
            }
            (true, false) => {
                let x = yes.values[0];
                self.values
                    .extend(tests.zip(&no.values).map(|(test, y)| choose(test, x, *y)));
            }
            (true, true) => {
                let (x, y) = (yes.values[0], no.values[0]);
                self.values.extend(tests.map(|test| choose(test, x, y)));
            }
        }
        if test.known && yes.known && no.known {
            return;
        }
        self.same_as_states(test, yes, no, height);
        let tests = self.states.iter_mut().zip(&test.cells);
        match (yes.told(), no.told()) {
            (Ok(x), Ok(y)) => tests.for_each(|(to, test)| *to = chosen(*test, x, y, *to)),
            (Ok(x), Err(y)) => {
                tests
                    .zip(y)
                    .for_each(|((to, test), y)| *to = chosen(*test, x, *y, *to));
            }
            (Err(x), Ok(y)) => {
                tests
                    .zip(x)
                    .for_each(|((to, test), x)| *to = chosen(*test, *x, y, *to));
            }
            (Err(x), Err(y)) => tests
                .zip(x)
                .zip(y)
                .for_each(|(((to, test), x), y)| *to = chosen(*test, *x, *y, *to)),
        }
        self.settle();
    }

    /// Whether two numbers are the same, cell by cell, written where the states will stand.
    fn same_as_states(&mut self, test: &Flags, yes: &Self, no: &Self, height: usize) {
        let states = &mut self.states;
        match (test.known, yes.one, no.one) {
            (true, ..) => states.resize(height, 0),
            (_, true, true) => states.resize(height, u8::from(yes.values[0] == no.values[0])),
            (_, true, false) => {
                let x = yes.values[0];
                states.extend(no.values.iter().map(|y| u8::from(x == *y)));
            }
            (_, false, true) => {
                let y = no.values[0];
                states.extend(yes.values.iter().map(|x| u8::from(*x == y)));
            }
            (_, false, false) => {
                let both = yes.values.iter().zip(&no.values);
                states.extend(both.map(|(x, y)| u8::from(x == y)));
            }
        }
    }

    /// The state all cells have, or the states.
    pub(super) fn told(&self) -> Result<u8, &[u8]> {
        match (self.known, self.one) {
            (true, _) => Ok(KNOWN),
            (false, true) => Ok(self.one_state()),
            (false, false) => Err(&self.states),
        }
    }
}

/// The state of a choice: that of the way taken; where the test is not known the worst of all, unless both ways are known
/// and the same.
fn chosen(test: u8, x: u8, y: u8, same: u8) -> u8 {
    let worst = test.wrapping_sub(1).min(x).min(y);
    let doubt = if (same == 1) & (x == KNOWN) & (y == KNOWN) {
        KNOWN
    } else {
        worst
    };
    let way = if test == 3 { x } else { y };
    if (test == 0) | (test == 3) {
        way
    } else {
        doubt
    }
}

impl Flags {
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.known = true;
        self.one = false;
    }

    pub(super) fn set_one(&mut self, cell: u8) {
        self.clear();
        self.cells.push(cell);
        self.one = true;
        self.known = matches!(cell, 0 | 3);
    }

    pub(super) fn cell(&self, at: usize) -> u8 {
        self.cells[if self.one { 0 } else { at }]
    }

    /// What the only cell is, if there is only one.
    pub(super) fn only(&self) -> Option<u8> {
        if self.one {
            self.cells.first().copied()
        } else {
            None
        }
    }

    /// Sees whether all cells are the same and whether all are known.
    pub(super) fn settle(&mut self) {
        let (mut any, mut all, mut doubt) = (0_u8, 3_u8, 0_u8);
        for cell in &self.cells {
            any |= *cell;
            all &= *cell;
            doubt |= *cell ^ (*cell >> 1);
        }
        self.known = doubt & 1 == 0;
        if any == all && !self.cells.is_empty() {
            self.cells.truncate(1);
            self.one = true;
        }
    }

    pub(super) fn pairwise(&mut self, a: &Self, b: &Self, f: impl Fn(u8, u8) -> u8) {
        self.clear();
        match (a.one, b.one) {
            (true, true) => self.cells.push(f(a.cells[0], b.cells[0])),
            (true, false) => {
                let x = a.cells[0];
                self.cells.extend(b.cells.iter().map(|y| f(x, *y)));
            }
            (false, true) => {
                let y = b.cells[0];
                self.cells.extend(a.cells.iter().map(|x| f(*x, y)));
            }
            (false, false) => {
                let both = a.cells.iter().zip(&b.cells);
                self.cells.extend(both.map(|(x, y)| f(*x, *y)));
            }
        }
        self.one = a.one && b.one;
        self.settle();
    }

    pub(super) fn each(&mut self, a: &Self, f: impl Fn(u8) -> u8) {
        self.clear();
        self.cells.extend(a.cells.iter().map(|cell| f(*cell)));
        self.one = a.one;
        self.settle();
    }

    pub(super) fn and(&mut self, a: &Self, b: &Self) {
        self.pairwise(a, b, u8::min);
    }

    pub(super) fn or(&mut self, a: &Self, b: &Self) {
        if a.known && b.known {
            self.pairwise(a, b, |x, y| x | y);
        } else {
            self.pairwise(a, b, |x, y| negated(negated(x).min(negated(y))));
        }
    }

    pub(super) fn select(&mut self, test: &Self, yes: &Self, no: &Self, height: usize) {
        self.clear();
        if test.one {
            self.one = yes.one && no.one;
            let height = if self.one { 1 } else { height };
            let cells = (0..height).map(|at| way(test.cells[0], yes.cell(at), no.cell(at)));
            self.cells.extend(cells);
            self.settle();
            return;
        }
        let tests = test.cells.iter();
        match (yes.only(), no.only()) {
            (Some(x), Some(y)) => self.cells.extend(tests.map(|test| way(*test, x, y))),
            (Some(x), None) => {
                let all = tests.zip(&no.cells);
                self.cells.extend(all.map(|(test, y)| way(*test, x, *y)));
            }
            (None, Some(y)) => {
                let all = tests.zip(&yes.cells);
                self.cells.extend(all.map(|(test, x)| way(*test, *x, y)));
            }
            (None, None) => {
                let all = tests.zip(&yes.cells).zip(&no.cells);
                self.cells
                    .extend(all.map(|((test, x), y)| way(*test, *x, *y)));
            }
        }
        self.settle();
    }

    /// Comparing two numbers.
    pub(super) fn compare(&mut self, how: Comparison, a: &Numbers, b: &Numbers) {
        if a.is_broken() || b.is_broken() {
            self.set_one(1);
            return;
        }
        match how {
            Comparison::Eq => self.test(a, b, |x, y| x == y),
            Comparison::Ne => self.test(a, b, |x, y| x != y),
            Comparison::Lt => self.test(a, b, |x, y| x < y),
            Comparison::Le => self.test(a, b, |x, y| x <= y),
            Comparison::Gt => self.test(a, b, |x, y| x > y),
            Comparison::Ge => self.test(a, b, |x, y| x >= y),
        }
        self.one = a.one && b.one;
        for side in [a, b] {
            if side.known {
                continue;
            }
            if side.one {
                let state = side.one_state();
                self.cells
                    .iter_mut()
                    .for_each(|cell| *cell = doubted(*cell, state));
            } else {
                let states = self.cells.iter_mut().zip(&side.states);
                states.for_each(|(cell, state)| *cell = doubted(*cell, *state));
            }
        }
        self.settle();
    }

    fn test(&mut self, a: &Numbers, b: &Numbers, f: impl Fn(i64, i64) -> bool) {
        self.clear();
        let truth = |holds: bool| u8::from(holds).wrapping_neg() & 3;
        match (a.one, b.one) {
            (true, true) => self.cells.push(truth(f(a.values[0], b.values[0]))),
            (true, false) => {
                let x = a.values[0];
                self.cells.extend(b.values.iter().map(|y| truth(f(x, *y))));
            }
            (false, true) => {
                let y = b.values[0];
                self.cells.extend(a.values.iter().map(|x| truth(f(*x, y))));
            }
            (false, false) => {
                let both = a.values.iter().zip(&b.values);
                self.cells.extend(both.map(|(x, y)| truth(f(*x, *y))));
            }
        }
    }

    /// A flag of a number's values, where they are known.
    pub(super) fn of(&mut self, a: &Numbers, f: impl Fn(i64) -> u8) {
        self.clear();
        self.cells.extend(a.values.iter().map(|value| f(*value)));
        self.one = a.one;
        if !a.known {
            let states = self.cells.iter_mut().zip(&a.states);
            states.for_each(|(cell, state)| *cell = doubted(*cell, *state));
        }
        self.settle();
    }

    /// A flag of a number's states: known, absent, broken.
    pub(super) fn is_known(&mut self, a: &Numbers) {
        self.clear();
        if a.known {
            self.set_one(3);
            return;
        }
        self.cells.extend(a.states.iter().map(|state| match *state {
            ABSENT => 0,
            BROKEN => 1,
            _ => 3,
        }));
        self.one = a.one;
        self.settle();
    }
}

/// What is tested is not known: that, and not the test's answer, comes out; what was doubtful stays so.
fn doubted(cell: u8, state: u8) -> u8 {
    if state == KNOWN {
        cell
    } else {
        // Of two doubts the worse.
        match cell {
            1 => 1,
            2 => (state + 1).min(2),
            _ => state + 1,
        }
    }
}

/// A choice between flags: where the test is not known the worst doubt of all, unless both ways are known and the same.
fn way(test: u8, x: u8, y: u8) -> u8 {
    let doubt = |cell: u8| if cell == 0 { 3 } else { cell };
    let worst = test.min(doubt(x)).min(doubt(y));
    let same = (x == y) & ((x == 0) | (x == 3));
    let open = if same { x } else { worst };
    let way = if test == 3 { x } else { y };
    if (test == 0) | (test == 3) { way } else { open }
}

/// Not: true and false change places, doubts stay.
pub(super) fn negated(cell: u8) -> u8 {
    let known = !(cell ^ (cell >> 1)) & 1;
    cell ^ (known * 3)
}
