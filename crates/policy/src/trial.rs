//! Trying a mutant on cases already decided (试算变异): only what rests on the changed part is worked out again.
//!
//! A run keeps every column, so a mutant costs a few nodes: the changed rule first, then those that read a value which
//! came out differently. Guarantees: after `undo` the run is as before. Deliberately absent: judging the result.

use crate::cell::{Cell, Trouble};
use crate::evaluate::{Run, Slot};
use crate::instead::Instead;
use crate::program::{Level, Reg, Work};

/// A compiled mutant (编译后的变异).
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) instead: Instead,
    /// Steps that read the changed part directly.
    pub(crate) starts: Vec<u32>,
    /// The node of a changed parameter.
    pub(crate) param_node: Option<Reg>,
}

/// What a trial has written over (被改写的列).
#[derive(Debug, Default)]
pub(crate) struct Touched {
    columns: Vec<Saved>,
    exact: usize,
    /// Households for which anything came out differently.
    pub(crate) rows: Vec<bool>,
}

#[derive(Debug)]
struct Saved {
    reg: Reg,
    slots: Vec<Slot>,
    troubles: Vec<((Reg, usize), Trouble)>,
}

impl<'p> Run<'p> {
    /// Whether the changed part is in force for this run's question.
    pub(crate) fn concerns(&self, trial: &Trial) -> bool {
        match &trial.instead {
            Instead::Rule { step, version, .. } => self.version(*step) == Some(*version),
            Instead::Benefit(..) => true,
            Instead::Setting { param, entry, .. } => {
                let parameter = &self.program.params[*param as usize];
                parameter.entry_on(self.ask.as_of, self.region) == Some(*entry)
            }
        }
    }

    /// Works out what rests on the changed part; `sensitive` are households whose missing facts are asked for.
    pub(crate) fn try_out(
        &mut self,
        trial: &'p Trial,
        closure: &[u32],
        sensitive: &[bool],
    ) -> Touched {
        let program = self.program;
        let mut touched = Touched {
            columns: Vec::new(),
            exact: self.exact.len(),
            rows: vec![false; self.sheets.len()],
        };
        self.instead = Some(&trial.instead);
        if let Some(reg) = trial.param_node {
            self.save(reg, &mut touched);
            self.constant(reg);
        }
        let mut changed = vec![false; program.steps.len()];
        for step in closure {
            let number = *step as usize;
            let start = trial.starts.contains(step);
            let reads = |needed: &u32| changed[*needed as usize];
            if !start && !program.steps[number].needs.iter().any(reads) {
                continue;
            }
            let results = self.save_step(*step, &mut touched);
            self.step(*step);
            for (reg, at) in results {
                changed[number] |= self.differs(reg, at, &mut touched);
                if start {
                    self.still_unknown(reg, sensitive, &mut touched.rows);
                }
            }
            if start && matches!(trial.instead, Instead::Benefit(..)) {
                // Whom it covers is not a column.
                touched.rows.fill(true);
            }
        }
        touched
    }

    /// Saves the columns a step writes; gives its results and where they are saved.
    fn save_step(&mut self, step: u32, touched: &mut Touched) -> Vec<(Reg, usize)> {
        let program = self.program;
        let (nodes, results) = match &program.steps[step as usize].work {
            Work::Rule { result, versions } => {
                let Some(chosen) = self.version(step) else {
                    return Vec::new();
                };
                let (nodes, _) = self.formula(step, &versions[chosen], chosen);
                (nodes, vec![*result])
            }
            Work::Benefit(number) => {
                let plan = self.plan(*number as usize);
                (plan.nodes.clone(), vec![plan.outcome, plan.paid])
            }
        };
        for reg in nodes {
            self.save(reg, touched);
            // A mutant's own constants are not among the program's.
            self.constant(reg);
        }
        let mut saved = Vec::with_capacity(results.len());
        for reg in results {
            saved.push((reg, touched.columns.len()));
            self.save(reg, touched);
        }
        saved
    }

    fn range(&self, reg: Reg) -> (usize, std::ops::Range<usize>) {
        let node = &self.program.nodes[reg as usize];
        let level = node.level as usize;
        let height = self.cells[level].height;
        let begin = node.column as usize * height;
        (level, begin..begin + height)
    }

    fn save(&mut self, reg: Reg, touched: &mut Touched) {
        let (level, range) = self.range(reg);
        let cells = &self.cells[level];
        touched.columns.push(Saved {
            reg,
            slots: cells.slots[range].to_vec(),
            troubles: self.take_troubles(reg),
        });
    }

    fn take_troubles(&mut self, reg: Reg) -> Vec<((Reg, usize), Trouble)> {
        if self.troubles.is_empty() {
            return Vec::new();
        }
        let keys: Vec<(Reg, usize)> = self
            .troubles
            .range((reg, 0)..=(reg, usize::MAX))
            .map(|(key, _)| *key)
            .collect();
        keys.into_iter()
            .filter_map(|key| self.troubles.remove_entry(&key))
            .collect()
    }

    /// Marks the households for which a saved column has changed.
    fn differs(&self, reg: Reg, at: usize, touched: &mut Touched) -> bool {
        let (level, range) = self.range(reg);
        let cells = &self.cells[level];
        let mut any = false;
        for (index, place) in range.enumerate() {
            let (was, is) = (touched.columns[at].slots[index], cells.slots[place]);
            if was == is || self.same_fraction(was, is) {
                continue;
            }
            any = true;
            self.mark(reg, index, &mut touched.rows);
        }
        any
    }

    fn same_fraction(&self, a: Slot, b: Slot) -> bool {
        let fraction = |(value, state): Slot| {
            (state == crate::evaluate::EXACT)
                .then(|| usize::try_from(value).ok())
                .flatten()
                .and_then(|place| self.exact.get(place))
        };
        matches!((fraction(a), fraction(b)), (Some(a), Some(b)) if a == b)
    }

    fn mark(&self, reg: Reg, index: usize, rows: &mut [bool]) {
        match self.program.nodes[reg as usize].level {
            Level::Single => rows.fill(true),
            Level::Household => rows[index] = true,
            Level::Person => rows[self.parents[index]] = true,
        }
    }

    /// A value that stays unknown may now be unknown for another reason.
    fn still_unknown(&self, reg: Reg, sensitive: &[bool], rows: &mut [bool]) {
        if !sensitive.contains(&true) {
            return;
        }
        for index in 0..self.height(reg) {
            if matches!(self.own(reg, index), Cell::Absent | Cell::Broken) {
                let mut marked = vec![false; rows.len()];
                self.mark(reg, index, &mut marked);
                for (row, (marked, sensitive)) in marked.into_iter().zip(sensitive).enumerate() {
                    rows[row] |= marked && *sensitive;
                }
            }
        }
    }

    /// Puts everything back.
    pub(crate) fn undo(&mut self, touched: Touched) {
        for saved in touched.columns.into_iter().rev() {
            let (level, range) = self.range(saved.reg);
            let cells = &mut self.cells[level];
            cells.slots[range].copy_from_slice(&saved.slots);
            drop(self.take_troubles(saved.reg));
            self.troubles.extend(saved.troubles);
        }
        self.exact.truncate(touched.exact);
        self.instead = None;
    }
}
