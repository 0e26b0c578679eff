//! Whole populations as columns (人口表): what a rule book reads of many households, one slice a column.
//!
//! Guarantees: a table of sheets says exactly what a run would read from the sheets, contradictions and wrong values
//! included. Deliberately absent: files and Arrow, they belong to a crate above; and any sentence.

use crate::book::Book;
use crate::cell::Cell;
use crate::determination::{Ask, Unit};
use crate::evaluate::Run;
use crate::explain::Why;
use crate::kind::Kind;
use crate::program::{Level, Op, Program, Reg};
use std::borrow::Cow;
use vocab::FactSheet;

pub use crate::program::Words;

/// The day 1970-01-01 (纪元日), where files begin to count; a table counts from the common era.
pub const EPOCH: i64 = 719_163;

/// State of a cell (单元格状态): contradicted or unusable. Smaller is worse, two states combine by `min`.
pub const BROKEN: u8 = 0;
/// State of a cell (单元格状态): nobody said.
pub const ABSENT: u8 = 1;
/// State of a cell (单元格状态): known.
pub const KNOWN: u8 = 2;

/// How a column looks back over months (回看).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookBack {
    /// So many months before the month asked.
    pub months: u32,
    /// Their average instead of their sum.
    pub average: bool,
    /// An absent month counts as zero.
    pub absent_is_zero: bool,
}

/// A column a book reads (列): a fact on the day asked, or a look-back over its months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// `wage`; look-backs `wage@avg12`, `wage@sum6`, with `z` appended where an absent month counts as zero.
    pub name: String,
    /// The fact.
    pub fact: String,
    /// Of whom.
    pub of: Unit,
    /// Its kind.
    pub kind: Kind,
    /// The months it looks back over.
    pub look_back: Option<LookBack>,
}

/// The states of a column (列的状态).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum States<'a> {
    /// Every cell is known.
    AllKnown,
    /// No cell is known; the values may be empty.
    AllAbsent,
    /// One of [`BROKEN`], [`ABSENT`], [`KNOWN`] a cell.
    Each(Cow<'a, [u8]>),
}

/// A column (列). Numbers are fen or counts, flags 0 and 1, days counted from the common era, words places in
/// [`Table::words`]. A word its fact does not have, a day outside the calendar and a denominator that is not positive
/// are broken cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column<'a> {
    /// One value a cell; what stands in an unknown cell does not matter.
    pub values: Cow<'a, [i64]>,
    /// One state a cell.
    pub states: States<'a>,
    /// By what a look-back's values are divided; `None` means 1 everywhere.
    pub denominators: Option<Cow<'a, [i64]>>,
}

impl Column<'_> {
    /// A column nobody said anything about (全缺的列).
    pub const ABSENT: Self = Self {
        values: Cow::Borrowed(&[]),
        states: States::AllAbsent,
        denominators: None,
    };

    /// The state of a cell; there is nothing beyond the end.
    pub fn state(&self, at: usize) -> u8 {
        match &self.states {
            States::AllKnown if at >= self.values.len() => ABSENT,
            States::AllKnown => KNOWN,
            States::AllAbsent => ABSENT,
            States::Each(states) => states.get(at).copied().unwrap_or(ABSENT),
        }
    }
}

/// Households as columns (人口表).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<'a> {
    /// Where the members of each household begin; one more than households, the first is 0.
    pub offsets: Cow<'a, [u32]>,
    /// In the order of [`Book::columns`].
    pub columns: Vec<Column<'a>>,
    /// The words that columns of codes and texts count in.
    pub words: Cow<'a, [String]>,
}

impl Table<'_> {
    /// How many households.
    pub fn households(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// How many members in all households.
    pub fn members(&self) -> usize {
        self.offsets.last().map_or(0, |end| *end as usize)
    }

    /// The members of a household, counted over the whole table.
    pub fn members_of(&self, household: usize) -> std::ops::Range<usize> {
        let at = |place: usize| self.offsets.get(place).map_or(0, |at| *at as usize);
        at(household)..at(household + 1)
    }
}

/// What would settle a doubt (待核实的事实): programme, member if it is for persons, facts in order.
pub type Doubt = (usize, Option<usize>, Vec<String>);

/// The node and the input of each column, in the order of [`Book::columns`].
pub(crate) fn column_nodes(program: &Program) -> Vec<(u32, Reg)> {
    (0..)
        .zip(&program.inputs)
        .flat_map(|(number, input)| {
            let nodes = input.now.iter().chain(&input.histories);
            nodes.map(move |reg| (number, *reg))
        })
        .collect()
}

/// What each column is.
pub(crate) fn column_defs(program: &Program) -> Vec<ColumnDef> {
    column_nodes(program)
        .into_iter()
        .map(|(number, reg)| {
            let input = &program.inputs[number as usize];
            let look_back = match program.nodes[reg as usize].op {
                Op::History {
                    months,
                    average,
                    absent_is_zero,
                    ..
                } => Some(LookBack {
                    months,
                    average,
                    absent_is_zero,
                }),
                _ => None,
            };
            let name = look_back.map_or_else(
                || input.fact.clone(),
                |back| {
                    let what = if back.average { "avg" } else { "sum" };
                    let zero = if back.absent_is_zero { "z" } else { "" };
                    format!("{}@{what}{}{zero}", input.fact, back.months)
                },
            );
            ColumnDef {
                name,
                fact: input.fact.clone(),
                of: input.of,
                kind: input.kind,
                look_back,
            }
        })
        .collect()
}

/// Columns being filled from sheets.
struct Filling {
    values: Vec<i64>,
    states: Vec<u8>,
    denominators: Option<Vec<i64>>,
}

impl Filling {
    fn push(&mut self, cell: Cell, word: impl FnOnce(i64) -> i64) {
        let (value, state, per) = match cell {
            Cell::Absent => (0, ABSENT, 1),
            Cell::Broken => (0, BROKEN, 1),
            Cell::Whole(value) => (word(value), KNOWN, 1),
            // Beyond 64 bits there is nothing a column could hold; a run finds such a sum as unusable as it does.
            Cell::Exact(ratio) => match (i64::try_from(ratio.num()), i64::try_from(ratio.den())) {
                (Ok(num), Ok(den)) => (num, KNOWN, den),
                _ => (0, BROKEN, 1),
            },
        };
        if per != 1 && self.denominators.is_none() {
            self.denominators = Some(vec![1; self.values.len()]);
        }
        self.values.push(value);
        self.states.push(state);
        if let Some(denominators) = &mut self.denominators {
            denominators.push(per);
        }
    }

    fn column(self) -> Column<'static> {
        let states = if self.states.iter().all(|state| *state == KNOWN) {
            States::AllKnown
        } else if self.states.iter().all(|state| *state == ABSENT) {
            return Column::ABSENT;
        } else {
            States::Each(self.states.into())
        };
        Column {
            values: self.values.into(),
            states,
            denominators: self.denominators.map(Cow::Owned),
        }
    }
}

impl Book {
    /// Households as a table on a day (制表), what was known then respected: exactly what a run reads from the sheets.
    /// Columns the programmes asked for do not read are absent.
    pub fn tabulate(&self, sheets: &[FactSheet], ask: &Ask) -> Table<'static> {
        let program = self.program();
        let wanted = self.wanted(ask);
        let nodes = column_nodes(program);
        let mut columns: Vec<Filling> = nodes
            .iter()
            .map(|_| Filling {
                values: Vec::new(),
                states: Vec::new(),
                denominators: None,
            })
            .collect();
        let mut offsets = vec![0_u32];
        let mut words = Words::default();
        for batch in sheets.chunks(Self::BATCH) {
            let run = Run::read(program, batch, ask, self.region(ask), &wanted);
            for sheet in batch {
                let end = offsets.last().copied().unwrap_or(0) as usize + sheet.members.len();
                offsets.push(u32::try_from(end).unwrap_or(u32::MAX));
            }
            for ((_, reg), column) in nodes.iter().zip(&mut columns) {
                let is_word = program.nodes[*reg as usize].kind.is_word();
                for index in 0..run.height(*reg) {
                    column.push(run.own(*reg, index), |value| {
                        if !is_word {
                            return value;
                        }
                        words.number(run.word_text(value).unwrap_or_default())
                    });
                }
            }
        }
        Table {
            offsets: offsets.into(),
            columns: columns.into_iter().map(Filling::column).collect(),
            words: words.into_texts().into(),
        }
    }

    /// Facts that would settle a doubt (待核实的事实), for the rows asked, in the order of the rows: only what is to be
    /// verified is listed.
    pub fn missing(&self, table: &Table<'_>, ask: &Ask, rows: &[usize]) -> Vec<Vec<Doubt>> {
        let wanted = self.wanted(ask);
        let region = self.region(ask);
        let mut all = Vec::with_capacity(rows.len());
        for batch in rows.chunks(Self::BATCH) {
            let run = Run::over_table(self.program(), table, batch, ask, region, &wanted);
            for row in 0..batch.len() {
                let mut doubts = Vec::new();
                for benefit in &wanted {
                    let plan = &run.program.benefits[*benefit];
                    let first = run.offsets[row];
                    let cells = match Level::from(plan.to) {
                        Level::Person => first..run.offsets[row + 1],
                        _ => row..row + 1,
                    };
                    for index in cells {
                        if run.own(plan.outcome, index).is_known() {
                            continue;
                        }
                        let mut why = Why::default();
                        why.follow_benefit(self, &run, *benefit, index);
                        let member = (plan.to == Unit::Person).then(|| index - first);
                        let mut facts: Vec<String> =
                            why.missing.into_iter().map(|one| one.fact).collect();
                        facts.dedup();
                        doubts.push((*benefit, member, facts));
                    }
                }
                all.push(doubts);
            }
        }
        all
    }
}
