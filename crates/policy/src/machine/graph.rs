//! What is to be worked out (计算图): columns and the operations between them, each once however often it is used.
//!
//! The graph is read off the [`crate::program::Program`] when a machine is bound and says nothing the program does not.
//! Numbers here are whole; a fraction is two of them, or one and a constant. Deliberately absent: where columns lie.

use crate::parameter::Setting;
use crate::program::{Comparison, Level, Reg};
use crate::ratio::Direction;
use std::collections::BTreeMap;
use vocab::Region;

/// No step, but the table itself.
pub(super) const TABLE: u32 = u32::MAX;

/// The number of an operation and of its column.
pub(super) type Id = u32;

/// A denominator (分母).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Per {
    Fixed(i64),
    By(Id),
}

/// One operation over whole columns (列运算).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    // Numbers.
    /// A column of the table; its denominators divide the number.
    Number(u32, i64),
    Days(u32),
    Word(u32),
    /// A number and its state.
    Constant(i64, u8),
    WordConstant(i64),
    /// A household's value for each member.
    Spread(Id),
    /// How many members a household has.
    Size,
    Plus(Id, Id),
    Minus(Id, Id),
    Times(Id, Id),
    Least(Id, Id),
    Greatest(Id, Id),
    Abs(Id),
    /// The first with the sign of the second; broken where the second is zero.
    Signed(Id, Id),
    /// Without its sign, one instead of zero, and always known, so that one can divide by it; whether something is known is
    /// told by what is divided.
    Magnitude(Id),
    /// The least common multiple of the members' denominators.
    Common(Id),
    /// How often a denominator goes into the common one.
    Share(Id, Id),
    Select(Id, Id, Id),
    Round(Id, Per, Direction, i64),
    /// Absent counts as zero.
    Zeroed(Id),
    /// By lower bounds of the key; falling ones are upper bounds.
    Steps(Id, Vec<(i64, i64)>, bool),
    BandByCode(Id, u32),
    Between(Id, Id, i64),
    Shift(Id, Id, i64),
    MonthStart(Id),
    MonthEnd(Id),
    Count(Id),
    Sum(Id, Option<Id>),
    /// Smallest or largest over the members that count.
    Extreme(bool, Id, Option<Id>),
    /// What is paid: conditions, whether all is clear, and the amount.
    Paid(Id, Id, Id),
    // Flags.
    Flag(u32),
    /// 0 false, 1 broken, 2 absent, 3 true.
    Truth(u8),
    SpreadFlag(Id),
    Compare(Comparison, Id, Id),
    And(Id, Id),
    Or(Id, Id),
    Not(Id),
    Same(Id, Id),
    SelectFlag(Id, Id, Id),
    Known(Id),
    KnownFlag(Id),
    ZeroedFlag(Id),
    IsOneOf(Id, Vec<i64>, bool),
    InRegions(Id, Vec<Region>),
    Any(Id),
    All(Id),
    /// Whether something is known of every member.
    Clear(Id),
    /// Whether an amount can be paid: known, whole and positive; otherwise absent.
    Payable(Id, Per),
    /// The outcome: conditions, and whether all is clear.
    Granted(Id, Id),
}

impl Op {
    /// Whether its column holds flags.
    pub(super) fn is_flag(&self) -> bool {
        matches!(
            self,
            Self::Flag(_)
                | Self::Truth(_)
                | Self::SpreadFlag(_)
                | Self::Compare(..)
                | Self::And(..)
                | Self::Or(..)
                | Self::Not(_)
                | Self::Same(..)
                | Self::SelectFlag(..)
                | Self::Known(_)
                | Self::KnownFlag(_)
                | Self::ZeroedFlag(_)
                | Self::IsOneOf(..)
                | Self::InRegions(..)
                | Self::Any(_)
                | Self::All(_)
                | Self::Clear(_)
                | Self::Payable(..)
                | Self::Granted(..)
        )
    }

    /// The columns it reads.
    pub(super) fn operands(&self) -> Vec<Id> {
        match self {
            Self::Number(..)
            | Self::Days(_)
            | Self::Word(_)
            | Self::Constant(..)
            | Self::WordConstant(_)
            | Self::Size
            | Self::Flag(_)
            | Self::Truth(_) => Vec::new(),
            Self::Plus(a, b)
            | Self::Minus(a, b)
            | Self::Times(a, b)
            | Self::Least(a, b)
            | Self::Greatest(a, b)
            | Self::Signed(a, b)
            | Self::Share(a, b)
            | Self::Between(a, b, _)
            | Self::Shift(a, b, _)
            | Self::Compare(_, a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Same(a, b)
            | Self::Granted(a, b) => vec![*a, *b],
            Self::Select(a, b, c) | Self::SelectFlag(a, b, c) | Self::Paid(a, b, c) => {
                vec![*a, *b, *c]
            }
            Self::Round(a, Per::By(b), ..) | Self::Payable(a, Per::By(b)) => vec![*a, *b],
            Self::Sum(a, b) | Self::Extreme(_, a, b) => std::iter::once(*a).chain(*b).collect(),
            Self::Spread(a)
            | Self::Abs(a)
            | Self::Magnitude(a)
            | Self::Common(a)
            | Self::Round(a, ..)
            | Self::Zeroed(a)
            | Self::Steps(a, ..)
            | Self::BandByCode(a, _)
            | Self::MonthStart(a)
            | Self::MonthEnd(a)
            | Self::Count(a)
            | Self::SpreadFlag(a)
            | Self::Not(a)
            | Self::Known(a)
            | Self::KnownFlag(a)
            | Self::ZeroedFlag(a)
            | Self::IsOneOf(a, ..)
            | Self::InRegions(a, _)
            | Self::Any(a)
            | Self::All(a)
            | Self::Clear(a)
            | Self::Payable(a, _) => vec![*a],
        }
    }
}

/// What one programme gives out (一个事项的输出).
#[derive(Debug, Clone)]
pub(super) struct Output {
    pub(super) granted: Id,
    /// The amount in whole fen, right where it is granted; none for an order or a status.
    pub(super) amount: Option<Id>,
    pub(super) conditions: Vec<Id>,
    pub(super) covers: Option<Id>,
    /// Columns no later programme reads.
    pub(super) last: Vec<Id>,
}

/// The operations of a bound book (计算图).
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) ops: Vec<Op>,
    pub(super) levels: Vec<Level>,
    /// For which step each was first wanted; [`TABLE`] for columns of the table.
    pub(super) owners: Vec<u32>,
    /// The step being bound.
    pub(super) owner: u32,
    known: BTreeMap<Op, Id>,
    /// One a wanted programme: its outputs, or the node the machine has no form for and why.
    pub(super) outputs: Vec<Result<Output, NoForm>>,
    /// Words that formulas name, by the program's numbers.
    pub(super) words: Vec<i64>,
    /// Parameters read by code.
    pub(super) bands: Vec<(u32, Option<Setting>)>,
}

/// A node the machine has no form for (无列式的节点), and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoForm(pub(super) Reg, pub(super) &'static str);

impl Graph {
    /// The column of an operation, the known one if there is one.
    pub(super) fn put(&mut self, op: Op) -> Id {
        if let Some(known) = self.known.get(&op) {
            return *known;
        }
        let level = match &op {
            Op::Spread(_) | Op::SpreadFlag(_) => Level::Person,
            Op::Size
            | Op::Common(_)
            | Op::Count(_)
            | Op::Sum(..)
            | Op::Extreme(..)
            | Op::Any(_)
            | Op::All(_)
            | Op::Clear(_) => Level::Household,
            other => other
                .operands()
                .into_iter()
                .map(|id| self.levels[id as usize])
                .max()
                .unwrap_or(Level::Single),
        };
        self.put_at(op, level)
    }

    /// A column of the table, which has a level of its own.
    pub(super) fn put_at(&mut self, op: Op, level: Level) -> Id {
        if let Some(known) = self.known.get(&op) {
            return *known;
        }
        let op = if level == Level::Person {
            self.spread_operands(op)
        } else {
            op
        };
        if let Some(known) = self.known.get(&op) {
            return *known;
        }
        let id = Id::try_from(self.ops.len()).unwrap_or(Id::MAX);
        let read = matches!(op, Op::Number(..) | Op::Days(_) | Op::Word(_) | Op::Flag(_));
        self.owners.push(if read { TABLE } else { self.owner });
        self.ops.push(op.clone());
        self.levels.push(level);
        self.known.insert(op, id);
        id
    }

    /// A column as members see it.
    pub(super) fn spread(&mut self, id: Id) -> Id {
        if self.levels[id as usize] != Level::Household {
            return id;
        }
        if self.ops[id as usize].is_flag() {
            self.put(Op::SpreadFlag(id))
        } else {
            self.put(Op::Spread(id))
        }
    }

    /// The columns of the table that any output rests on.
    pub(super) fn columns(&self) -> Vec<u32> {
        let reached = self
            .outputs
            .iter()
            .flatten()
            .flat_map(|output| &output.last);
        reached
            .filter_map(|id| match self.ops[*id as usize] {
                Op::Number(column, _) | Op::Days(column) | Op::Word(column) | Op::Flag(column) => {
                    Some(column)
                }
                _ => None,
            })
            .collect()
    }

    /// Works out which columns no later programme reads.
    pub(super) fn say_last(&mut self) {
        let mut seen = vec![false; self.ops.len()];
        for place in (0..self.outputs.len()).rev() {
            let Ok(output) = &self.outputs[place] else {
                continue;
            };
            let mut open: Vec<Id> = vec![output.granted];
            open.extend(
                output
                    .amount
                    .iter()
                    .chain(&output.conditions)
                    .chain(&output.covers),
            );
            let mut last = Vec::new();
            while let Some(id) = open.pop() {
                // What is the same for everybody is kept from batch to batch.
                if seen[id as usize] || self.levels[id as usize] == Level::Single {
                    continue;
                }
                seen[id as usize] = true;
                last.push(id);
                open.extend(self.ops[id as usize].operands());
            }
            if let Ok(output) = &mut self.outputs[place] {
                output.last = last;
            }
        }
    }

    fn spread_operands(&mut self, op: Op) -> Op {
        if matches!(op, Op::Spread(_) | Op::SpreadFlag(_)) {
            return op;
        }
        let mut s = |id: Id| self.spread(id);
        match op {
            Op::Plus(a, b) => Op::Plus(s(a), s(b)),
            Op::Minus(a, b) => Op::Minus(s(a), s(b)),
            Op::Times(a, b) => Op::Times(s(a), s(b)),
            Op::Least(a, b) => Op::Least(s(a), s(b)),
            Op::Greatest(a, b) => Op::Greatest(s(a), s(b)),
            Op::Signed(a, b) => Op::Signed(s(a), s(b)),
            Op::Share(a, b) => Op::Share(s(a), s(b)),
            Op::Between(a, b, months) => Op::Between(s(a), s(b), months),
            Op::Shift(a, b, factor) => Op::Shift(s(a), s(b), factor),
            Op::Compare(how, a, b) => Op::Compare(how, s(a), s(b)),
            Op::And(a, b) => Op::And(s(a), s(b)),
            Op::Or(a, b) => Op::Or(s(a), s(b)),
            Op::Same(a, b) => Op::Same(s(a), s(b)),
            Op::Granted(a, b) => Op::Granted(s(a), s(b)),
            Op::Select(a, b, c) => Op::Select(s(a), s(b), s(c)),
            Op::SelectFlag(a, b, c) => Op::SelectFlag(s(a), s(b), s(c)),
            Op::Paid(a, b, c) => Op::Paid(s(a), s(b), s(c)),
            Op::Round(a, Per::By(b), how, step) => Op::Round(s(a), Per::By(s(b)), how, step),
            Op::Payable(a, Per::By(b)) => Op::Payable(s(a), Per::By(s(b))),
            // Those of one operand have its level.
            other => other,
        }
    }
}
