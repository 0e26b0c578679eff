//! Deciding (计算): runs a program over a batch of households, column by column.
//!
//! A household is a row, its members are cells of flat child columns found through offsets. Guarantees: unknown goes
//! in and unknown comes out; numbers are exact; a trouble (division by zero, overflow, contradicting facts) makes
//! its own cell unknown and nothing else. Deliberately absent: sentences; see `answer`.

use crate::cell::{
    Cell, Trouble, added_months, and, between, both, compared, divided, not, on_day, one, or,
    unknown,
};
use crate::determination::Ask;
use crate::instead::Instead;
use crate::lean::{NOWHERE, chosen, places, reads};
use crate::parameter::{OnDay, Setting};
use crate::program::{Level, Op, Program, Reg, Work};
use crate::ratio::{Ratio, Rounding};
use crate::table::Table;
use chrono::{Datelike, NaiveDate};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use vocab::{FactSheet, Month, Region};

const ABSENT: u8 = 0;
const WHOLE: u8 = 1;
/// The cell's value is a place in `Run::exact`.
pub(crate) const EXACT: u8 = 2;
const BROKEN: u8 = 3;

/// All columns of one level, one after another (一个层级的全部列).
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) values: Vec<i64>,
    pub(crate) states: Vec<u8>,
    /// Cells in one column.
    pub(crate) height: usize,
}

/// One batch being decided (一批计算).
#[derive(Debug)]
pub(crate) struct Run<'p> {
    pub(crate) program: &'p Program,
    pub(crate) ask: &'p Ask,
    pub(crate) region: Region,
    pub(crate) sheets: &'p [FactSheet],
    /// Where the members of each household begin; one more than households.
    pub(crate) offsets: Vec<usize>,
    /// The household of each member.
    pub(crate) parents: Vec<usize>,
    pub(crate) cells: [Cells; 3],
    pub(crate) exact: Vec<Ratio>,
    pub(crate) troubles: BTreeMap<(Reg, usize), Trouble>,
    /// Look-backs in which an absent month counted as zero.
    pub(crate) zeroed: BTreeSet<(Reg, usize)>,
    /// Words of this batch, numbered after the program's.
    pub(crate) words: Vec<&'p str>,
    pub(crate) word_numbers: BTreeMap<&'p str, i64>,
    /// Which version of each step applies.
    pub(crate) versions: Vec<Option<usize>>,
    /// The inputs that are read, of households and of persons, sorted by fact.
    pub(crate) reads: [Cow<'p, [u32]>; 2],
    /// Where the columns of the nodes lie that the wanted benefits rest on; `None` means where the program says.
    places: Option<Vec<u32>>,
    /// What stands in the place of a part of the program, while a mutant is tried.
    pub(crate) instead: Option<&'p Instead>,
}

impl<'p> Run<'p> {
    /// Decides all wanted benefits for a batch of sheets.
    pub(crate) fn new(
        program: &'p Program,
        sheets: &'p [FactSheet],
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
    ) -> Self {
        let mut run = Self::read(program, sheets, ask, region, wanted);
        run.work(wanted);
        run
    }

    /// The same with a column for every node of the program, for mutants, whose nodes nothing rests on yet.
    pub(crate) fn whole(
        program: &'p Program,
        sheets: &'p [FactSheet],
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
    ) -> Self {
        let mut run = Self::taken_in(program, sheets, ask, region, wanted, false);
        run.work(wanted);
        run
    }

    /// Takes in what the wanted benefits read of a batch of sheets and decides nothing.
    pub(crate) fn read(
        program: &'p Program,
        sheets: &'p [FactSheet],
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
    ) -> Self {
        Self::taken_in(program, sheets, ask, region, wanted, true)
    }

    fn taken_in(
        program: &'p Program,
        sheets: &'p [FactSheet],
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
        lean: bool,
    ) -> Self {
        let sizes = sheets.iter().map(|sheet| sheet.members.len());
        let mut run = Self::blank(program, sizes, ask, region, wanted, lean);
        run.sheets = sheets;
        run.fill_inputs();
        run
    }

    /// Decides all wanted benefits for some households of a table.
    pub(crate) fn over_table(
        program: &'p Program,
        table: &'p Table<'_>,
        rows: &[usize],
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
    ) -> Self {
        let sizes = rows.iter().map(|row| table.members_of(*row).len());
        let mut run = Self::blank(program, sizes, ask, region, wanted, true);
        run.fill_from_table(table, rows);
        run.work(wanted);
        run
    }

    /// Households of so many members each, about which nothing is known yet.
    fn blank(
        program: &'p Program,
        sizes: impl Iterator<Item = usize>,
        ask: &'p Ask,
        region: Region,
        wanted: &[usize],
        lean: bool,
    ) -> Self {
        let mut offsets = vec![0];
        let mut parents = Vec::new();
        for (row, size) in sizes.enumerate() {
            parents.extend(std::iter::repeat_n(row, size));
            offsets.push(parents.len());
        }
        let heights = [1, offsets.len() - 1, parents.len()];
        let reads = reads(program, wanted);
        let (places, columns) = if lean {
            let (places, columns) = places(program, ask, wanted, &reads);
            (Some(places), columns)
        } else {
            (None, program.columns)
        };
        let cells = [0, 1, 2].map(|level: usize| {
            let size = heights[level] * columns[level] as usize;
            Cells {
                values: vec![0; size],
                states: vec![ABSENT; size],
                height: heights[level],
            }
        });
        let mut run = Self {
            program,
            ask,
            region,
            sheets: &[],
            offsets,
            parents,
            cells,
            exact: Vec::new(),
            troubles: BTreeMap::new(),
            zeroed: BTreeSet::new(),
            words: Vec::new(),
            word_numbers: BTreeMap::new(),
            versions: vec![None; program.steps.len()],
            reads,
            places,
            instead: None,
        };
        run.fill_constants();
        run
    }

    fn work(&mut self, wanted: &[usize]) {
        let program = self.program;
        let everything = wanted.len() == program.benefits.len();
        let mut needed = vec![everything; program.steps.len()];
        if !everything {
            for benefit in wanted {
                for step in &program.benefits[*benefit].closure {
                    needed[*step as usize] = true;
                }
            }
        }
        for step in &program.order {
            if !needed[*step as usize] {
                continue;
            }
            self.step(*step);
        }
    }

    /// Works out one variable, condition or benefit.
    pub(crate) fn step(&mut self, step: u32) {
        let program = self.program;
        match &program.steps[step as usize].work {
            Work::Benefit(benefit) => self.benefit(*benefit as usize),
            Work::Rule { result, versions } => {
                let chosen = chosen(versions, self.ask);
                self.versions[step as usize] = chosen;
                match chosen {
                    Some(chosen) => {
                        let (nodes, root) = self.formula(step, &versions[chosen], chosen);
                        for reg in nodes {
                            self.node(reg);
                        }
                        self.copy(root, *result);
                    }
                    None => {
                        for index in 0..self.height(*result) {
                            self.put(*result, index, Cell::Broken);
                            self.troubles.insert((*result, index), Trouble::NoVersion);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn height(&self, reg: Reg) -> usize {
        self.cells[self.program.nodes[reg as usize].level as usize].height
    }

    /// The index of a node's cell that belongs to a cell of another level.
    pub(crate) fn index_of(&self, reg: Reg, level: Level, index: usize) -> usize {
        match (self.program.nodes[reg as usize].level, level) {
            (Level::Single, _) => 0,
            (Level::Household, Level::Person) => self.parents[index],
            _ => index,
        }
    }

    /// Where a cell lies among those of its level.
    fn place(&self, reg: Reg, height: usize, index: usize) -> usize {
        let column = match &self.places {
            Some(places) => places[reg as usize],
            None => self.program.nodes[reg as usize].column,
        };
        column as usize * height + index
    }

    /// The value of a node's own cell.
    pub(crate) fn own(&self, reg: Reg, index: usize) -> Cell {
        let cells = &self.cells[self.program.nodes[reg as usize].level as usize];
        let at = self.place(reg, cells.height, index);
        let Some(state) = cells.states.get(at) else {
            return Cell::Absent;
        };
        match *state {
            WHOLE => Cell::Whole(cells.values[at]),
            EXACT => usize::try_from(cells.values[at])
                .ok()
                .and_then(|at| self.exact.get(at))
                .map_or(Cell::Broken, |ratio| Cell::Exact(*ratio)),
            BROKEN => Cell::Broken,
            _ => Cell::Absent,
        }
    }

    /// The value of a node as seen from a cell of some level.
    pub(crate) fn seen(&self, reg: Reg, level: Level, index: usize) -> Cell {
        self.own(reg, self.index_of(reg, level, index))
    }

    pub(crate) fn put(&mut self, reg: Reg, index: usize, cell: Cell) {
        let level = self.program.nodes[reg as usize].level as usize;
        let at = self.place(reg, self.cells[level].height, index);
        let cells = &mut self.cells[level];
        let (value, state) = match cell {
            Cell::Absent => (0, ABSENT),
            Cell::Broken => (0, BROKEN),
            Cell::Whole(value) => (value, WHOLE),
            Cell::Exact(ratio) => {
                let place = i64::try_from(self.exact.len()).unwrap_or(i64::MAX);
                self.exact.push(ratio);
                (place, EXACT)
            }
        };
        cells.values[at] = value;
        cells.states[at] = state;
    }

    pub(crate) fn settle(&mut self, reg: Reg, index: usize, cell: Result<Cell, Trouble>) {
        match cell {
            Ok(cell) => self.put(reg, index, cell),
            Err(trouble) => {
                self.put(reg, index, Cell::Broken);
                self.troubles.insert((reg, index), trouble);
            }
        }
    }

    fn copy(&mut self, from: Reg, to: Reg) {
        let level = self.program.nodes[to as usize].level;
        for index in 0..self.height(to) {
            let cell = self.seen(from, level, index);
            self.put(to, index, cell);
        }
    }

    fn fill_constants(&mut self) {
        let program = self.program;
        for reg in &program.constants {
            let asked = |places: &Vec<u32>| places[*reg as usize] != NOWHERE;
            if self.places.as_ref().is_none_or(asked) {
                self.constant(*reg);
            }
        }
    }

    /// Fills in a node that needs no sheet; others it leaves alone.
    pub(crate) fn constant(&mut self, reg: Reg) {
        let month = Month::of(self.ask.as_of);
        let day = |day: NaiveDate| Ok(Cell::Whole(i64::from(day.num_days_from_ce())));
        let cell = match self.program.nodes[reg as usize].op {
            Op::Constant(value) => Ok(Cell::Whole(value)),
            Op::AsOf => day(self.ask.as_of),
            Op::MonthStart => day(month.first_day()),
            Op::MonthEnd => day(month.last_day()),
            Op::Param(param) => {
                let parameter = &self.program.params[param as usize];
                self.setting(param).and_then(|setting| match setting {
                    Setting::Single(number) => Ok(Cell::of(parameter.scaled(*number))),
                    Setting::Steps(_) | Setting::Codes(_) => Err(Trouble::Unpublished(param)),
                })
            }
            _ => return,
        };
        self.settle(reg, 0, cell);
    }

    pub(crate) fn setting(&self, param: u32) -> Result<&'p Setting, Trouble> {
        match self.program.params[param as usize].on(self.ask.as_of, self.region) {
            OnDay::Value(value) => Ok(self.instead_of(param, value)),
            OnDay::NotYet(first) => Err(Trouble::NotYet(param, first)),
            OnDay::Lapsed(until) => Err(Trouble::Lapsed(param, until)),
            OnDay::Unpublished => Err(Trouble::Unpublished(param)),
        }
    }

    pub(crate) fn node(&mut self, reg: Reg) {
        let program = self.program;
        let node = &program.nodes[reg as usize];
        let level = node.level;
        for index in 0..self.cells[level as usize].height {
            let cell = match &node.op {
                // Filled before, or by their own step.
                Op::Fact(_)
                | Op::History { .. }
                | Op::Param(_)
                | Op::Constant(_)
                | Op::AsOf
                | Op::MonthStart
                | Op::MonthEnd
                | Op::Result(_)
                | Op::Outcome(_)
                | Op::Amount(_) => return,
                Op::AbsentIsZero(of) => Ok(match self.seen(*of, level, index) {
                    Cell::Absent => Cell::Whole(0),
                    cell => cell,
                }),
                Op::Plus(a, b) => both(
                    self.seen(*a, level, index),
                    self.seen(*b, level, index),
                    i64::checked_add,
                    Ratio::plus,
                ),
                Op::Minus(a, b) => both(
                    self.seen(*a, level, index),
                    self.seen(*b, level, index),
                    i64::checked_sub,
                    Ratio::minus,
                ),
                Op::Times(a, b) => both(
                    self.seen(*a, level, index),
                    self.seen(*b, level, index),
                    i64::checked_mul,
                    Ratio::times,
                ),
                Op::Over(a, b) => divided(self.seen(*a, level, index), self.seen(*b, level, index)),
                Op::Negative(of) => one(self.seen(*of, level, index), Ratio::negated),
                Op::Abs(of) => one(self.seen(*of, level, index), |ratio| {
                    if ratio.num() < 0 {
                        ratio.negated()
                    } else {
                        Some(ratio)
                    }
                }),
                Op::Compare(comparison, a, b) => compared(
                    *comparison,
                    self.seen(*a, level, index),
                    self.seen(*b, level, index),
                ),
                Op::And(a, b) => Ok(and(
                    self.seen(*a, level, index),
                    self.seen(*b, level, index),
                )),
                Op::Or(a, b) => Ok(or(self.seen(*a, level, index), self.seen(*b, level, index))),
                Op::Not(of) => Ok(not(self.seen(*of, level, index))),
                Op::Case(whens, otherwise) => Ok(self.case(whens, *otherwise, level, index)),
                Op::Greatest(of) => self.extreme(of, Ordering::Greater, level, index),
                Op::Least(of) => self.extreme(of, Ordering::Less, level, index),
                Op::Known(of) => Ok(match self.seen(*of, level, index) {
                    Cell::Absent => Cell::flag(false),
                    Cell::Broken => Cell::Broken,
                    _ => Cell::flag(true),
                }),
                Op::YearsBetween(a, b) => {
                    between(self.seen(*a, level, index), self.seen(*b, level, index), 12)
                }
                Op::MonthsBetween(a, b) => {
                    between(self.seen(*a, level, index), self.seen(*b, level, index), 1)
                }
                Op::AddMonths(day, count, factor) => added_months(
                    self.seen(*day, level, index),
                    self.seen(*count, level, index),
                    *factor,
                ),
                Op::StartOfMonth(day) => on_day(self.seen(*day, level, index), |day| {
                    Some(Month::of(day).first_day())
                }),
                Op::EndOfMonth(day) => on_day(self.seen(*day, level, index), |day| {
                    Some(Month::of(day).last_day())
                }),
                Op::InRegion(of, region) => self.in_region(*of, *region, level, index),
                Op::Band(param, key) => {
                    let by_code = program.nodes[*key as usize].kind.is_word();
                    self.band(*param, by_code, self.seen(*key, level, index))
                }
                Op::Aggregate { what, of, filter } => self.aggregate(*what, *of, *filter, index),
                Op::Round(of, rounding) => {
                    let rounding: Rounding = *rounding;
                    one(self.seen(*of, level, index), |ratio| rounding.apply(ratio))
                }
            };
            self.settle(reg, index, cell);
        }
    }

    /// An unknown test leaves the value unknown, unless it cannot matter because both ways give the same.
    fn case(&self, whens: &[(Reg, Reg)], otherwise: Reg, level: Level, index: usize) -> Cell {
        let mut result = self.seen(otherwise, level, index);
        for (test, value) in whens.iter().rev() {
            let value = self.seen(*value, level, index);
            result = match self.seen(*test, level, index) {
                Cell::Whole(0) => result,
                test if test.is_known() => value,
                _ if value.is_known() && value == result => value,
                test => unknown(test, unknown(value, result)),
            };
        }
        result
    }

    /// Strict: one unknown makes the largest and the smallest unknown.
    fn extreme(
        &self,
        of: &[Reg],
        wanted: Ordering,
        level: Level,
        index: usize,
    ) -> Result<Cell, Trouble> {
        let mut best: Option<Ratio> = None;
        let mut missing: Option<Cell> = None;
        for reg in of {
            let cell = self.seen(*reg, level, index);
            match cell.ratio() {
                None => missing = Some(unknown(cell, missing.unwrap_or(Cell::Absent))),
                Some(ratio) => {
                    let better = match best {
                        None => true,
                        Some(best) => ratio.compared(best).ok_or(Trouble::Overflow)? == wanted,
                    };
                    if better {
                        best = Some(ratio);
                    }
                }
            }
        }
        Ok(match (missing, best) {
            (Some(missing), _) => missing,
            (None, Some(best)) => Cell::of(best),
            (None, None) => Cell::Absent,
        })
    }

    fn in_region(
        &self,
        of: Reg,
        region: Region,
        level: Level,
        index: usize,
    ) -> Result<Cell, Trouble> {
        let Cell::Whole(word) = self.seen(of, level, index) else {
            return Ok(self.seen(of, level, index));
        };
        let text = self.word_text(word).unwrap_or_default();
        match text.parse() {
            Ok(place) => Ok(Cell::flag(region.holds(place))),
            Err(_) => Err(Trouble::NotARegion(text.into())),
        }
    }

    pub(crate) fn band(&self, param: u32, by_code: bool, key: Cell) -> Result<Cell, Trouble> {
        let Some(key) = key.ratio() else {
            return Ok(key);
        };
        let parameter = &self.program.params[param as usize];
        let number = match self.setting(param)? {
            // Codes written in digits look like lower bounds; each stands for itself alone.
            Setting::Steps(steps) if by_code => key
                .as_whole()
                .and_then(|word| self.word_text(word)?.parse().ok())
                .and_then(|code: i64| steps.get(&code))
                .copied()
                .ok_or(Trouble::NoSuchCode(param))?,
            Setting::Steps(steps) => {
                let whole = i64::try_from(key.floor()).map_err(|_| Trouble::Overflow)?;
                steps
                    .range(..=whole)
                    .next_back()
                    .map(|(_, value)| *value)
                    .ok_or(Trouble::BelowBand(param))?
            }
            Setting::Codes(codes) => key
                .as_whole()
                .and_then(|word| self.word_text(word))
                .and_then(|word| codes.get(word))
                .copied()
                .ok_or(Trouble::NoSuchCode(param))?,
            Setting::Single(number) => *number,
        };
        Ok(Cell::of(parameter.scaled(number)))
    }
}
