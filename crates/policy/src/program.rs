//! The compiled rules (编译后的规则): every formula as small operations over columns, in dependency order.
//!
//! A node is one operation and, at run time, one column: one cell for the question, for each household or for each
//! member. Because every part of a formula keeps its column, the same run that decides can also say why.
//! Deliberately absent: names and wording; a program knows numbers of things, the book knows what they are called.

use crate::determination::Unit;
use crate::kind::Kind;
use crate::lean::Layouts;
use crate::parameter::Parameter;
use crate::ratio::Rounding;
use chrono::NaiveDate;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use vocab::{Citation, Region};

/// The number of a node (节点编号).
pub(crate) type Reg = u32;

/// How many cells a column has (列的层级): one, one a household, one a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Single,
    Household,
    Person,
}

impl From<Unit> for Level {
    fn from(unit: Unit) -> Self {
        match unit {
            // An organisation is a row as a household is, and its people are the members.
            Unit::Household | Unit::Organisation => Self::Household,
            Unit::Person => Self::Person,
        }
    }
}

/// How two values are compared (比较).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    /// Whether it holds of two values in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order == Ordering::Equal,
            Self::Ne => order != Ordering::Equal,
            Self::Lt => order == Ordering::Less,
            Self::Le => order != Ordering::Greater,
            Self::Gt => order == Ordering::Greater,
            Self::Ge => order != Ordering::Less,
        }
    }
}

/// What is done with the members of a household (汇总).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Count,
    Min,
    Max,
    Any,
    All,
}

/// One operation (运算).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Filled in from the sheet.
    Fact(u32),
    /// Filled in from the sheet's months.
    History {
        fact: u32,
        months: u32,
        average: bool,
        absent_is_zero: bool,
    },
    Param(u32),
    /// A number, flag (0, 1), day or word.
    Constant(i64),
    AsOf,
    MonthStart,
    MonthEnd,
    /// The value of a variable or condition, put here by its step.
    Result(u32),
    /// 1-based word of the outcome, put here by the benefit's step.
    Outcome(u32),
    Amount(u32),
    AbsentIsZero(Reg),
    Plus(Reg, Reg),
    Minus(Reg, Reg),
    Times(Reg, Reg),
    Over(Reg, Reg),
    Negative(Reg),
    Abs(Reg),
    Compare(Comparison, Reg, Reg),
    And(Reg, Reg),
    Or(Reg, Reg),
    Not(Reg),
    Case(Vec<(Reg, Reg)>, Reg),
    Greatest(Vec<Reg>),
    Least(Vec<Reg>),
    Known(Reg),
    YearsBetween(Reg, Reg),
    MonthsBetween(Reg, Reg),
    AddMonths(Reg, Reg, i64),
    StartOfMonth(Reg),
    EndOfMonth(Reg),
    InRegion(Reg, Region),
    Band(u32, Reg),
    Aggregate {
        what: Aggregate,
        of: Option<Reg>,
        filter: Option<Reg>,
    },
    Round(Reg, Rounding),
}

/// An operation, how many cells it has, and where they lie (节点).
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) level: Level,
    pub(crate) kind: Kind,
    /// Which column of its level.
    pub(crate) column: u32,
}

/// A column read from the sheet (输入列).
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) fact: String,
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    /// Codes it may have, as words; empty means any.
    pub(crate) words: Vec<i64>,
    /// The node of its value on the day asked, if any formula wants it.
    pub(crate) now: Option<Reg>,
    /// Nodes that look back over its months.
    pub(crate) histories: Vec<Reg>,
}

/// One version of a compiled rule (规则版本).
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) from: Option<NaiveDate>,
    /// The nodes to run, in order.
    pub(crate) nodes: Range<Reg>,
    pub(crate) root: Reg,
    pub(crate) article: Citation,
    /// Nodes where an absent fact counts as zero: the node, the fact, the article.
    pub(crate) absent_is_zero: Vec<(Reg, String, Citation)>,
}

/// What a step works out (步骤).
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Rule {
        result: Reg,
        /// Oldest first.
        versions: Vec<Version>,
    },
    Benefit(u32),
}

/// One variable, condition or benefit (步骤).
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// `dibao.per_capita_income`, for reports of cycles.
    pub(crate) name: String,
    pub(crate) work: Work,
    /// Steps it reads.
    pub(crate) needs: Vec<u32>,
    /// Inputs it reads directly.
    pub(crate) inputs: Vec<u32>,
}

/// What a programme's benefit needs (待遇).
#[derive(Debug, Clone)]
pub(crate) struct BenefitPlan {
    pub(crate) to: Unit,
    /// Result nodes of the conditions, in the order of the rules.
    pub(crate) conditions: Vec<Reg>,
    pub(crate) nodes: Range<Reg>,
    pub(crate) amount: Option<Reg>,
    /// The amount's formula before rounding, for printing.
    pub(crate) arithmetic: Option<Reg>,
    pub(crate) covers: Option<Reg>,
    pub(crate) starts_on: Option<Reg>,
    pub(crate) outcome: Reg,
    pub(crate) paid: Reg,
    /// The benefit's own step.
    pub(crate) step: u32,
    /// All steps it rests on, in order, its own last.
    pub(crate) closure: Vec<u32>,
    /// All inputs it rests on.
    pub(crate) inputs: Vec<u32>,
    /// Constants and parameters that its formulas and sentences name.
    pub(crate) constants: Vec<Reg>,
    /// Whether it looks at other members than the one decided about.
    pub(crate) sees_all: bool,
}

/// All compiled rules of a book (编译后的规则).
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    /// How many columns each level has.
    pub(crate) columns: [u32; 3],
    pub(crate) inputs: Vec<Input>,
    /// Inputs of the household and of persons, sorted by fact, so that a sheet is read in one walk.
    pub(crate) sorted: [Vec<u32>; 2],
    pub(crate) params: Vec<Parameter>,
    pub(crate) steps: Vec<Step>,
    /// The steps in dependency order.
    pub(crate) order: Vec<u32>,
    pub(crate) benefits: Vec<BenefitPlan>,
    pub(crate) words: Words,
    /// Nodes of constants and parameters, filled before anything else.
    pub(crate) constants: Vec<Reg>,
    /// What the questions asked last needed.
    pub(crate) layouts: Layouts,
}

/// Texts as numbers (字词表), so that a column of codes is a column of numbers.
#[derive(Debug, Clone, Default)]
pub struct Words {
    by_text: BTreeMap<String, i64>,
    texts: Vec<String>,
}

impl Words {
    /// The words every outcome has.
    pub(crate) const MET: &'static str = "met";
    pub(crate) const NOT_MET: &'static str = "not_met";

    /// The number of a word (字词编号), new if need be; the first has 0.
    pub fn number(&mut self, text: &str) -> i64 {
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = i64::try_from(self.texts.len()).unwrap_or(i64::MAX);
        self.texts.push(text.to_owned());
        self.by_text.insert(text.to_owned(), number);
        number
    }

    /// The words in the order of their numbers (全部字词).
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The same, given away.
    pub fn into_texts(self) -> Vec<String> {
        self.texts
    }

    pub(crate) fn find(&self, text: &str) -> Option<i64> {
        self.by_text.get(text).copied()
    }

    pub(crate) fn text(&self, number: i64) -> Option<&str> {
        self.texts
            .get(usize::try_from(number).ok()?)
            .map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}
