//! What a run needs (按需分配): the inputs and nodes the wanted benefits rest on, in the versions of the day, in order.
//!
//! One programme is a small part of a book; making room for the rest would be most of the work of one answer. What is the same
//! for every household (which version holds, where columns lie, parameters and all that is made of parameters alone) is worked
//! out once a question and kept with the program. Deliberately absent: anything that reads a sheet.

use crate::cell::Trouble;
use crate::determination::Ask;
use crate::evaluate::{Run, Slot};
use crate::program::{Level, Op, Program, Reg, Version, Work};
use crate::ratio::Ratio;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use vocab::Region;

/// Where the column of a node lies: the level in the upper two bits, which column of it in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat(u32);

impl Seat {
    /// That of a node nobody asked about.
    const NOWHERE: Self = Self(u32::MAX);
    const SHIFT: u32 = 30;

    fn new(level: Level, column: u32) -> Self {
        Self((level as u32) << Self::SHIFT | column)
    }

    /// Beyond the last level for a node nobody asked about.
    pub(crate) fn level(self) -> usize {
        (self.0 >> Self::SHIFT) as usize
    }

    pub(crate) fn column(self) -> usize {
        (self.0 & ((1 << Self::SHIFT) - 1)) as usize
    }
}

/// One thing to do (一步).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Node(Reg),
    /// A rule's value is handed to its members or its household.
    Copy {
        from: Reg,
        to: Reg,
    },
    /// No version of the rule holds on the day.
    NoVersion(Reg),
    Grant(u32),
}

/// What a question needs, whatever household it is about (计算安排).
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// Where each node's column lies.
    pub(crate) seats: Vec<Seat>,
    /// How many columns each level has.
    pub(crate) columns: [u32; 3],
    /// Which version of each step applies.
    pub(crate) versions: Vec<Option<usize>>,
    /// The inputs that are read, of households and of persons, sorted by fact.
    pub(crate) reads: [Vec<u32>; 2],
    /// Where an input stands among those.
    pub(crate) read_at: Vec<u32>,
    pub(crate) acts: Vec<Act>,
    /// The cells that are the same for everybody, worked out.
    pub(crate) singles: Vec<Slot>,
    pub(crate) exact: Vec<Ratio>,
    pub(crate) troubles: BTreeMap<(Reg, usize), Trouble>,
}

type Question = (NaiveDate, Region, Vec<usize>);

/// The layouts of the questions asked last (计算安排的留存): most households are asked the same.
#[derive(Debug, Default)]
pub(crate) struct Layouts(RwLock<BTreeMap<Question, Arc<Layout>>>);

/// Whoever copies a program may be about to change it.
impl Clone for Layouts {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Layouts {
    /// More questions than an office asks at a time; then all are forgotten.
    const KEPT: usize = 64;

    /// Forgets all: a parameter has another value.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Program {
    /// What the wanted benefits need on a day in a place.
    pub(crate) fn layout(&self, ask: &Ask, region: Region, wanted: &[usize]) -> Arc<Layout> {
        let question = (ask.as_of, region, wanted.to_vec());
        let kept = &self.layouts.0;
        let known = kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&question) {
            return Arc::clone(known);
        }
        drop(known);
        let layout = Arc::new(Layout::lean(self, ask, region, wanted));
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= Layouts::KEPT {
            kept.clear();
        }
        kept.insert(question, Arc::clone(&layout));
        layout
    }
}

impl Layout {
    /// A column for every node of the program, and nothing worked out.
    pub(crate) fn whole(program: &Program, ask: &Ask, wanted: &[usize]) -> Self {
        let mut layout = Self::reading(program, wanted);
        layout.seats = program
            .nodes
            .iter()
            .map(|node| Seat::new(node.level, node.column))
            .collect();
        layout.columns = program.columns;
        for step in steps(program, wanted) {
            layout.version(program, ask, step);
        }
        layout
    }

    /// Columns for what the wanted benefits rest on and nothing else: versions of other days have none.
    fn lean(program: &Program, ask: &Ask, region: Region, wanted: &[usize]) -> Self {
        let mut layout = Self::reading(program, wanted);
        layout.seats = vec![Seat::NOWHERE; program.nodes.len()];
        let inputs = layout.reads.concat();
        for input in inputs {
            let input = &program.inputs[input as usize];
            for reg in input.now.iter().chain(&input.histories) {
                layout.seat(program, *reg);
            }
        }
        for benefit in wanted {
            for reg in &program.benefits[*benefit].constants {
                layout.seat(program, *reg);
            }
        }
        let mut singles = Vec::new();
        for step in steps(program, wanted) {
            layout.step(program, ask, step, &mut singles);
        }
        let mut run = Run::blank(program, Arc::new(layout), [].into_iter(), ask, region);
        run.fill_constants();
        for reg in singles {
            run.node(reg);
        }
        let [cells, ..] = run.cells;
        let mut layout = Arc::unwrap_or_clone(run.layout);
        layout.singles = cells.slots;
        layout.exact = run.exact;
        layout.troubles = run.troubles;
        layout
    }

    fn reading(program: &Program, wanted: &[usize]) -> Self {
        let mut read_at = vec![0; program.inputs.len()];
        let reads = reads(program, wanted);
        for (at, input) in reads.iter().flat_map(|reads| (0_u32..).zip(reads)) {
            read_at[*input as usize] = at;
        }
        Self {
            versions: vec![None; program.steps.len()],
            reads,
            read_at,
            ..Self::default()
        }
    }

    fn seat(&mut self, program: &Program, reg: Reg) {
        let known = &mut self.seats[reg as usize];
        if *known == Seat::NOWHERE {
            let level = program.nodes[reg as usize].level;
            let next = &mut self.columns[level as usize];
            *known = Seat::new(level, *next);
            *next += 1;
        }
    }

    fn version<'p>(
        &mut self,
        program: &'p Program,
        ask: &Ask,
        step: u32,
    ) -> Option<(Reg, Option<&'p Version>)> {
        let Work::Rule { result, versions } = &program.steps[step as usize].work else {
            return None;
        };
        let chosen = chosen(versions, ask);
        self.versions[step as usize] = chosen;
        Some((*result, chosen.map(|chosen| &versions[chosen])))
    }

    fn step(&mut self, program: &Program, ask: &Ask, step: u32, singles: &mut Vec<Reg>) {
        let rule = self.version(program, ask, step);
        match (&program.steps[step as usize].work, rule) {
            (Work::Benefit(number), _) => {
                let plan = &program.benefits[*number as usize];
                self.nodes(program, plan.nodes.clone(), singles);
                self.seat(program, plan.outcome);
                self.seat(program, plan.paid);
                self.acts.push(Act::Grant(*number));
            }
            (_, Some((result, Some(version)))) => {
                self.nodes(program, version.nodes.clone(), singles);
                let (from, to) = (version.root, result);
                let root = self.seats[from as usize];
                if root.level() == program.nodes[to as usize].level as usize {
                    // Written once and by nobody else, so the value need not be copied.
                    self.seats[to as usize] = root;
                } else {
                    self.seat(program, to);
                    self.acts.push(Act::Copy { from, to });
                }
            }
            (_, Some((result, None))) => {
                self.seat(program, result);
                self.acts.push(Act::NoVersion(result));
            }
            (_, None) => {}
        }
    }

    fn nodes(&mut self, program: &Program, nodes: std::ops::Range<Reg>, singles: &mut Vec<Reg>) {
        for reg in nodes {
            self.seat(program, reg);
            let node = &program.nodes[reg as usize];
            if is_given(&node.op) {
                continue;
            }
            if node.level == Level::Single {
                singles.push(reg);
            } else {
                self.acts.push(Act::Node(reg));
            }
        }
    }
}

/// Whether a node is filled by others: from a sheet, from the question or by its own step.
pub(crate) fn is_given(op: &Op) -> bool {
    matches!(
        op,
        Op::Fact(_)
            | Op::History { .. }
            | Op::Param(_)
            | Op::Constant(_)
            | Op::AsOf
            | Op::MonthStart
            | Op::MonthEnd
            | Op::Result(_)
            | Op::Outcome(_)
            | Op::Amount(_)
    )
}

/// The steps the wanted benefits rest on, in order.
pub(crate) fn steps(program: &Program, wanted: &[usize]) -> Vec<u32> {
    if wanted.len() == program.benefits.len() {
        return program.order.clone();
    }
    let mut needed = vec![false; program.steps.len()];
    for benefit in wanted {
        for step in &program.benefits[*benefit].closure {
            needed[*step as usize] = true;
        }
    }
    let order = program.order.iter().copied();
    order.filter(|step| needed[*step as usize]).collect()
}

/// Of all inputs those the wanted benefits rest on: reading the others would be most of the work for one programme.
fn reads(program: &Program, wanted: &[usize]) -> [Vec<u32>; 2] {
    let everything = wanted.len() == program.benefits.len();
    let mut needed = vec![everything; program.inputs.len()];
    for benefit in wanted {
        for input in &program.benefits[*benefit].inputs {
            needed[*input as usize] = true;
        }
    }
    [0, 1].map(|of: usize| {
        let inputs = program.sorted[of].iter().copied();
        inputs.filter(|input| needed[*input as usize]).collect()
    })
}

/// The version that applies: they stand oldest first, the last one begun decides.
fn chosen(versions: &[Version], ask: &Ask) -> Option<usize> {
    versions
        .iter()
        .rposition(|version| version.from.is_none_or(|from| from <= ask.as_of))
}
