//! Deciding (计算): runs a program over a batch of households, column by column.
//!
//! A household is a row, its members are cells of flat child columns found through offsets. Guarantees: unknown goes
//! in and unknown comes out; numbers are exact; a trouble (division by zero, overflow, contradicting facts) makes
//! its own cell unknown and nothing else. Deliberately absent: single operations, see `operation`; sentences, see `answer`.

use crate::cell::{Cell, Trouble};
use crate::determination::Ask;
use crate::instead::Instead;
use crate::lean::{Act, Layout, Seat, is_given, steps};
use crate::parameter::{OnDay, Setting};
use crate::program::{Level, Op, Program, Reg, Work};
use crate::ratio::Ratio;
use crate::table::Table;
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vocab::{DatedFact, FactSheet, Month, Region};

const ABSENT: u8 = 0;
const WHOLE: u8 = 1;
/// The cell's value is a place in `Run::exact`.
pub(crate) const EXACT: u8 = 2;
const BROKEN: u8 = 3;

/// A cell as it is kept: its value and its state.
pub(crate) type Slot = (i64, u8);

/// All columns of one level, one after another (一个层级的全部列).
#[derive(Debug, Default)]
pub(crate) struct Cells {
    pub(crate) slots: Vec<Slot>,
    /// Cells in one column.
    pub(crate) height: usize,
}

/// One batch being decided (一批计算).
#[derive(Debug)]
pub(crate) struct Run<'p> {
    pub(crate) program: &'p Program,
    pub(crate) layout: Arc<Layout>,
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
    /// The dated rows of every input read, of households and of persons; empty for tables.
    pub(crate) rows: [Vec<&'p [DatedFact]>; 2],
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
        run.work();
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
        let layout = Arc::new(Layout::whole(program, ask, wanted));
        let mut run = Self::taken_in(program, layout, sheets, ask, region);
        for step in steps(program, wanted) {
            run.step(step);
        }
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
        let layout = program.layout(ask, region, wanted);
        Self::taken_in(program, layout, sheets, ask, region)
    }

    fn taken_in(
        program: &'p Program,
        layout: Arc<Layout>,
        sheets: &'p [FactSheet],
        ask: &'p Ask,
        region: Region,
    ) -> Self {
        let sizes = sheets.iter().map(|sheet| sheet.members.len());
        let mut run = Self::blank(program, layout, sizes, ask, region);
        if run.cells[0].slots.len() != run.layout.singles.len() {
            run.fill_constants();
        }
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
        let layout = program.layout(ask, region, wanted);
        let mut run = Self::blank(program, layout, sizes, ask, region);
        run.fill_from_table(table, rows);
        run.work();
        run
    }

    /// Households of so many members each, about which nothing is known yet.
    pub(crate) fn blank(
        program: &'p Program,
        layout: Arc<Layout>,
        sizes: impl Iterator<Item = usize>,
        ask: &'p Ask,
        region: Region,
    ) -> Self {
        let mut offsets = Vec::with_capacity(sizes.size_hint().0 + 1);
        offsets.push(0);
        let mut parents = Vec::new();
        for (row, size) in sizes.enumerate() {
            parents.extend(std::iter::repeat_n(row, size));
            offsets.push(parents.len());
        }
        let heights = [1, offsets.len() - 1, parents.len()];
        let cells = [0, 1, 2].map(|level: usize| {
            let size = heights[level] * layout.columns[level] as usize;
            let slots = match level {
                0 if layout.singles.len() == size => layout.singles.clone(),
                _ => vec![(0, ABSENT); size],
            };
            Cells {
                slots,
                height: heights[level],
            }
        });
        Self {
            program,
            ask,
            region,
            sheets: &[],
            offsets,
            parents,
            cells,
            exact: layout.exact.clone(),
            troubles: layout.troubles.clone(),
            zeroed: BTreeSet::new(),
            words: Vec::new(),
            word_numbers: BTreeMap::new(),
            rows: [Vec::new(), Vec::new()],
            layout,
            instead: None,
        }
    }

    /// Does what the layout says, in its order.
    fn work(&mut self) {
        let layout = Arc::clone(&self.layout);
        for act in &layout.acts {
            match *act {
                Act::Node(reg) => self.node(reg),
                Act::Copy { from, to } => self.copy(from, to),
                Act::NoVersion(result) => self.no_version(result),
                Act::Grant(benefit) => self.grant(benefit as usize),
            }
        }
    }

    /// Works out one variable, condition or benefit.
    pub(crate) fn step(&mut self, step: u32) {
        let program = self.program;
        match &program.steps[step as usize].work {
            Work::Benefit(benefit) => self.benefit(*benefit as usize),
            Work::Rule { result, versions } => match self.version(step) {
                Some(chosen) => {
                    let (nodes, root) = self.formula(step, &versions[chosen], chosen);
                    for reg in nodes {
                        self.node(reg);
                    }
                    self.copy(root, *result);
                }
                None => self.no_version(*result),
            },
        }
    }

    /// Which version of a step applies.
    pub(crate) fn version(&self, step: u32) -> Option<usize> {
        self.layout.versions[step as usize]
    }

    fn no_version(&mut self, result: Reg) {
        for index in 0..self.height(result) {
            self.put(result, index, Cell::Broken);
            self.troubles.insert((result, index), Trouble::NoVersion);
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

    /// A node's own cell as it is kept.
    fn slot(&self, seat: Seat, index: usize) -> Slot {
        self.cells
            .get(seat.level())
            .and_then(|cells| cells.slots.get(seat.column() * cells.height + index))
            .copied()
            .unwrap_or((0, ABSENT))
    }

    /// A node's cell as seen from a cell of some level, as it is kept.
    fn slot_seen(&self, reg: Reg, level: Level, index: usize) -> Slot {
        let seat = self.layout.seats[reg as usize];
        let index = if seat.level() == level as usize {
            index
        } else if seat.level() == Level::Single as usize {
            0
        } else if level == Level::Person {
            self.parents[index]
        } else {
            index
        };
        self.slot(seat, index)
    }

    fn cell(&self, slot: Slot) -> Cell {
        match slot {
            (value, WHOLE) => Cell::Whole(value),
            (value, EXACT) => usize::try_from(value)
                .ok()
                .and_then(|at| self.exact.get(at))
                .map_or(Cell::Broken, |ratio| Cell::Exact(*ratio)),
            (_, BROKEN) => Cell::Broken,
            _ => Cell::Absent,
        }
    }

    /// The value of a node's own cell.
    pub(crate) fn own(&self, reg: Reg, index: usize) -> Cell {
        self.cell(self.slot(self.layout.seats[reg as usize], index))
    }

    /// The value of a node as seen from a cell of some level.
    pub(crate) fn seen(&self, reg: Reg, level: Level, index: usize) -> Cell {
        self.cell(self.slot_seen(reg, level, index))
    }

    /// The same if it is a whole number.
    pub(crate) fn whole_seen(&self, reg: Reg, level: Level, index: usize) -> Option<i64> {
        match self.slot_seen(reg, level, index) {
            (value, WHOLE) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn put(&mut self, reg: Reg, index: usize, cell: Cell) {
        let slot = match cell {
            Cell::Absent => (0, ABSENT),
            Cell::Broken => (0, BROKEN),
            Cell::Whole(value) => (value, WHOLE),
            Cell::Exact(ratio) => {
                let place = i64::try_from(self.exact.len()).unwrap_or(i64::MAX);
                self.exact.push(ratio);
                (place, EXACT)
            }
        };
        self.keep(reg, index, slot);
    }

    fn keep(&mut self, reg: Reg, index: usize, slot: Slot) {
        let seat = self.layout.seats[reg as usize];
        let cells = &mut self.cells[seat.level()];
        cells.slots[seat.column() * cells.height + index] = slot;
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
            let slot = self.slot_seen(from, level, index);
            self.keep(to, index, slot);
        }
    }

    /// Fills in what the question alone settles, where there is room for it.
    pub(crate) fn fill_constants(&mut self) {
        let program = self.program;
        for reg in &program.constants {
            let seat = self.layout.seats[*reg as usize];
            if seat.level() < self.cells.len() {
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
            match self.all_whole(&node.op, level, index) {
                Some(value) => self.keep(reg, index, (value, WHOLE)),
                None if is_given(&node.op) => return,
                None => {
                    let cell = self.by_parts(&node.op, level, index);
                    self.settle(reg, index, cell);
                }
            }
        }
    }
}
