//! Where the rules are sensitive (规则的敏感处): which places have values of their own, and which programmes rest on which
//! parameter.
//!
//! Guarantees: whatever can change an outcome is named; something named may change none. Deliberately absent: deciding.

use crate::book::Book;
use crate::explain::all_operands;
use crate::program::{Op, Program, Reg, Work};
use std::collections::BTreeSet;
use vocab::Region;

impl Book {
    /// The places inside the pack's own whose parameters differ from the rest (有单独参数值的地方). Communities outside
    /// all of them are decided alike.
    pub fn places_with_own_values(&self) -> Vec<Region> {
        let division = self.place().division;
        let said: BTreeSet<Region> = self
            .program()
            .params
            .iter()
            .flat_map(|parameter| &parameter.values)
            .filter_map(|value| value.region)
            .filter(|place| *place != division && division.holds(*place))
            .collect();
        said.into_iter().collect()
    }

    /// The programmes that rest on any of some parameters (受参数影响的事项), each as `folder.id` or by its id alone.
    pub fn programmes_resting_on(&self, parameters: &[&str]) -> Vec<String> {
        let program = self.program();
        let named = |name: &str, folder: &str, id: &str| {
            name == id
                || name
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.strip_prefix('.') == Some(id))
        };
        let meant: BTreeSet<u32> = (0..)
            .zip(&program.params)
            .filter(|(_, known)| {
                parameters
                    .iter()
                    .any(|name| named(name, &known.folder, &known.id))
            })
            .map(|(number, _)| number)
            .collect();
        self.programmes()
            .iter()
            .zip(&program.benefits)
            .filter(|(_, benefit)| {
                benefit.closure.iter().any(|step| {
                    let nodes: Vec<Reg> = match &program.steps[*step as usize].work {
                        Work::Rule { versions, .. } => versions
                            .iter()
                            .flat_map(|version| version.nodes.clone().chain([version.root]))
                            .collect(),
                        Work::Benefit(other) => {
                            let plan = &program.benefits[*other as usize];
                            let ends = [plan.amount, plan.arithmetic, plan.covers, plan.starts_on];
                            plan.nodes
                                .clone()
                                .chain(ends.into_iter().flatten())
                                .collect()
                        }
                    };
                    nodes.into_iter().any(|node| reads(program, node, &meant))
                })
            })
            .map(|(programme, _)| programme.id.clone())
            .collect()
    }
}

/// Whether a node is one of the parameters or works on one; parameters are nodes that formulas share.
fn reads(program: &Program, node: Reg, meant: &BTreeSet<u32>) -> bool {
    let is = |op: &Op| match op {
        Op::Param(parameter) | Op::Band(parameter, _) => meant.contains(parameter),
        _ => false,
    };
    let op = &program.nodes[node as usize].op;
    is(op)
        || all_operands(op)
            .into_iter()
            .any(|part| is(&program.nodes[part as usize].op))
}
