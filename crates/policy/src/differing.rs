//! Which programmes two rule books may decide otherwise (判断不同的事项): for trying a candidate edition beside the one in force.
//!
//! What a programme rests on is read down to the facts and the values, so moving a rule into another file or rewording a
//! reason is no difference. Guarantees: a programme not named is decided alike by both books for every household on every
//! day. Deliberately absent: sentences, articles and reviews, which decide nobody.

use crate::book::Book;
use crate::explain::operands;
use crate::parameter::Parameter;
use crate::program::{Op, Program, Reg, Work};
use sm3::{Digest, Sm3};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

/// What stands at a node, as one fingerprint.
type Print = [u8; 32];

/// The programmes that only one of two books has, or that rest on something else in each (判断不同的事项).
pub fn differing(one: &Book, other: &Book) -> BTreeSet<String> {
    let (one, other) = (prints(one), prints(other));
    let both = one.keys().chain(other.keys());
    both.filter(|id| one.get(*id) != other.get(*id))
        .cloned()
        .collect()
}

fn prints(book: &Book) -> BTreeMap<String, Print> {
    let mut reader = Reader {
        program: book.program(),
        nodes: BTreeMap::new(),
        steps: BTreeMap::new(),
    };
    book.programmes()
        .iter()
        .zip(0_u32..)
        .map(|(programme, at)| {
            let granted = (&programme.benefit.every, &programme.benefit.starts);
            let decided = reader.benefit(at);
            let said = [format!("{granted:?}").into_bytes(), decided.to_vec()];
            (programme.id.clone(), print(&said))
        })
        .collect()
}

/// The parts are told apart by their lengths.
fn print(parts: &[Vec<u8>]) -> Print {
    let mut digest = Sm3::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// Reads a program, each node and step once.
struct Reader<'p> {
    program: &'p Program,
    nodes: BTreeMap<Reg, Print>,
    steps: BTreeMap<u32, Print>,
}

impl Reader<'_> {
    fn benefit(&mut self, at: u32) -> Print {
        let plan = &self.program.benefits[at as usize];
        let ends = [plan.amount, plan.covers, plan.starts_on];
        let mut parts = vec![format!("{:?}", plan.to).into_bytes()];
        for reg in ends {
            parts.push(reg.map_or_else(Vec::new, |reg| self.node(reg).to_vec()));
        }
        for reg in plan.conditions.iter().copied() {
            parts.push(self.node(reg).to_vec());
        }
        print(&parts)
    }

    fn step(&mut self, at: u32) -> Print {
        if let Some(known) = self.steps.get(&at) {
            return *known;
        }
        let found = match &self.program.steps[at as usize].work {
            Work::Benefit(benefit) => self.benefit(*benefit),
            Work::Rule { versions, .. } => {
                let mut parts = Vec::new();
                for version in versions {
                    parts.push(format!("{:?}", version.from).into_bytes());
                    parts.push(self.node(version.root).to_vec());
                }
                print(&parts)
            }
        };
        self.steps.insert(at, found);
        found
    }

    fn node(&mut self, reg: Reg) -> Print {
        if let Some(known) = self.nodes.get(&reg) {
            return *known;
        }
        let program = self.program;
        let node = &program.nodes[reg as usize];
        let kind = discriminant(&node.op);
        let mut parts = vec![format!("{kind:?} {:?} {:?}", node.level, node.kind).into_bytes()];
        let mut of = operands(&node.op);
        match &node.op {
            Op::Fact(input) => parts.push(self.input(*input)),
            Op::History {
                fact,
                months,
                average,
                absent_is_zero,
            } => {
                parts.push(self.input(*fact));
                parts.push(format!("{months} {average} {absent_is_zero}").into_bytes());
            }
            Op::Param(param) => parts.push(values(&program.params[*param as usize])),
            Op::Band(param, _) => parts.push(values(&program.params[*param as usize])),
            Op::Constant(value) => parts.push(match node.kind.is_word() {
                true => self.word(*value).into_bytes(),
                false => value.to_le_bytes().to_vec(),
            }),
            Op::Result(step) => parts.push(self.step(*step).to_vec()),
            Op::Outcome(benefit) | Op::Amount(benefit) => {
                parts.push(self.benefit(*benefit).to_vec());
            }
            Op::Compare(how, ..) => parts.push(format!("{how:?}").into_bytes()),
            Op::AddMonths(_, _, months) => parts.push(months.to_le_bytes().to_vec()),
            Op::InRegion(_, region) => parts.push(region.to_string().into_bytes()),
            Op::Round(_, how) => parts.push(format!("{how:?}").into_bytes()),
            Op::Case(branches, otherwise) => {
                of = branches
                    .iter()
                    .flat_map(|(when, then)| [*when, *then])
                    .collect();
                of.push(*otherwise);
            }
            Op::Aggregate {
                what,
                of: summed,
                filter,
            } => {
                parts.push(
                    format!("{what:?} {} {}", summed.is_some(), filter.is_some()).into_bytes(),
                );
                of = summed.iter().chain(filter).copied().collect();
            }
            _ => {}
        }
        for reg in of {
            parts.push(self.node(reg).to_vec());
        }
        let found = print(&parts);
        self.nodes.insert(reg, found);
        found
    }

    fn input(&self, at: u32) -> Vec<u8> {
        let input = &self.program.inputs[at as usize];
        let words: Vec<String> = input.words.iter().map(|word| self.word(*word)).collect();
        format!("{} {:?} {:?} {words:?}", input.fact, input.of, input.kind).into_bytes()
    }

    fn word(&self, number: i64) -> String {
        let texts = self.program.words.texts();
        let found = usize::try_from(number).ok().and_then(|at| texts.get(at));
        found.cloned().unwrap_or_else(|| number.to_string())
    }
}

/// What a parameter is when and where; neither its name nor its source decides anybody.
fn values(parameter: &Parameter) -> Vec<u8> {
    let mut said = format!(
        "{:?} {} {}",
        parameter.kind, parameter.divisor, parameter.banded
    );
    for value in &parameter.values {
        said.push_str(&format!(
            "; {} {:?} {:?} {:?}",
            value.from,
            value.until,
            value.region.map(|region| region.to_string()),
            value.value
        ));
    }
    said.into_bytes()
}
