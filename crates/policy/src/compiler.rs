//! The compiler's table of nodes (编译器): inputs and parameters once each, formulas as nodes after one another.
//!
//! Deliberately absent: what a formula may say; see `check`.

use crate::determination::Unit;
use crate::fact_def::FactDef;
use crate::formula::At;
use crate::kind::Kind;
use crate::names::{Meaning, Names};
use crate::program::{Input, Level, Node, Op, Program, Reg};
use std::collections::{BTreeMap, BTreeSet};

/// What compiling one formula found out besides its nodes (编译结果).
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) wrong: Vec<(At, String)>,
    /// Steps read.
    pub(crate) needs: BTreeSet<u32>,
    /// Facts read, for `absent_is_zero`.
    pub(crate) facts: BTreeSet<String>,
    /// Inputs read.
    pub(crate) inputs: BTreeSet<u32>,
    /// Names in order of first use.
    pub(crate) uses: Vec<String>,
    /// Where an absent fact counts as zero: node and fact.
    pub(crate) zeroed: Vec<(Reg, String)>,
}

/// Which facts count as zero when absent, in one rule.
#[derive(Debug, Clone)]
pub(crate) enum Zeroes {
    All,
    These(BTreeSet<String>),
}

impl Zeroes {
    pub(crate) fn holds(&self, fact: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(fact),
        }
    }
}

/// Compiles one formula after another into a program (编译器).
pub(crate) struct Compiler<'n> {
    pub(crate) names: &'n Names,
    pub(crate) program: Program,
    inputs: BTreeMap<String, u32>,
    params: BTreeMap<u32, Reg>,
    pub(crate) histories: BTreeMap<(u32, u32, bool, bool), Reg>,
}

/// One formula being compiled.
pub(crate) struct Formulation<'c, 'n> {
    pub(crate) compiler: &'c mut Compiler<'n>,
    pub(crate) folder: &'c str,
    pub(crate) zeroes: &'c Zeroes,
    /// Of whom the formula speaks.
    pub(crate) unit: Unit,
    pub(crate) found: Findings,
}

impl<'n> Compiler<'n> {
    pub(crate) fn new(names: &'n Names, program: Program) -> Self {
        Self {
            names,
            program,
            inputs: BTreeMap::new(),
            params: BTreeMap::new(),
            histories: BTreeMap::new(),
        }
    }

    /// Goes on with a program that is already compiled.
    pub(crate) fn resumed(names: &'n Names, program: Program) -> Self {
        let mut compiler = Self::new(names, program);
        for (number, input) in (0..).zip(&compiler.program.inputs) {
            compiler.inputs.insert(input.fact.clone(), number);
        }
        for (number, node) in (0..).zip(&compiler.program.nodes) {
            match node.op {
                Op::Param(param) => {
                    compiler.params.insert(param, number);
                }
                Op::History {
                    fact,
                    months,
                    average,
                    absent_is_zero,
                } => {
                    let key = (fact, months, average, absent_is_zero);
                    compiler.histories.insert(key, number);
                }
                _ => {}
            }
        }
        compiler
    }

    pub(crate) fn push(&mut self, op: Op, level: Level, kind: Kind) -> Reg {
        push(&mut self.program, op, level, kind)
    }

    /// The node after the last one.
    pub(crate) fn here(&self) -> Reg {
        reg(self.program.nodes.len())
    }

    pub(crate) fn formula<'c>(
        &'c mut self,
        folder: &'c str,
        zeroes: &'c Zeroes,
    ) -> Formulation<'c, 'n> {
        Formulation {
            compiler: self,
            folder,
            zeroes,
            unit: Unit::Household,
            found: Findings::default(),
        }
    }

    /// The input column of a fact, made if need be.
    pub(crate) fn input(&mut self, fact: &str, of: Unit, kind: Kind, codes: &[&str]) -> u32 {
        if let Some(input) = self.inputs.get(fact) {
            return *input;
        }
        let words = codes
            .iter()
            .map(|code| self.program.words.number(code))
            .collect();
        let input = reg(self.program.inputs.len());
        self.program.inputs.push(Input {
            fact: fact.to_owned(),
            of,
            kind,
            words,
            now: None,
            histories: Vec::new(),
        });
        self.inputs.insert(fact.to_owned(), input);
        input
    }

    pub(crate) fn fact_input(&mut self, fact: &FactDef) -> u32 {
        let codes: Vec<&str> = fact.codes.iter().map(|code| code.code.as_str()).collect();
        self.input(&fact.id, fact.of, fact.kind, &codes)
    }

    pub(crate) fn now(&mut self, input: u32) -> Reg {
        let known = &self.program.inputs[input as usize];
        if let Some(now) = known.now {
            return now;
        }
        let (of, kind) = (known.of, known.kind);
        let now = self.push(Op::Fact(input), of.into(), kind);
        self.program.inputs[input as usize].now = Some(now);
        now
    }

    /// The node of a name that stands outside a formula, in a sentence or a key; notes what it reads.
    pub(crate) fn read(
        &mut self,
        parts: &[&str],
        meaning: Meaning<'_>,
        needs: &mut BTreeSet<u32>,
        inputs: &mut BTreeSet<u32>,
    ) -> Reg {
        match meaning {
            Meaning::Fact(fact) => {
                let input = self.fact_input(fact);
                inputs.insert(input);
                self.now(input)
            }
            Meaning::InPayment(unit) => {
                let input = self.input(&parts.join("."), unit, Kind::Bool, &[]);
                inputs.insert(input);
                self.now(input)
            }
            Meaning::Rule(named) => {
                needs.insert(named.step);
                named.result
            }
            Meaning::Outcome(_, reg, step) | Meaning::Amount(_, reg, step, _) => {
                needs.insert(step);
                reg
            }
            Meaning::Param(param) => {
                let kind = self.program.params[param as usize].kind;
                self.param(param, kind)
            }
        }
    }

    pub(crate) fn param(&mut self, param: u32, kind: Kind) -> Reg {
        if let Some(known) = self.params.get(&param) {
            return *known;
        }
        let node = self.push(Op::Param(param), Level::Single, kind);
        self.program.constants.push(node);
        self.params.insert(param, node);
        node
    }
}

/// Adds a node to a program.
pub(crate) fn push(program: &mut Program, op: Op, level: Level, kind: Kind) -> Reg {
    let columns = &mut program.columns[level as usize];
    let column = *columns;
    *columns += 1;
    let node = reg(program.nodes.len());
    program.nodes.push(Node {
        op,
        level,
        kind,
        column,
    });
    node
}

fn reg(number: usize) -> Reg {
    Reg::try_from(number).expect("a rule book has far fewer than four thousand million nodes")
}
