//! Which programmes read a folder (谁在用): whose cases are to be run when its text changes.
//!
//! Deliberately absent: facts and law texts; who changes what a fact means is told by the loader.

use crate::book::Book;
use crate::program::{Op, Program, Reg, Work};
use std::ops::Range;

/// The programmes that rest on the rules or parameters of a folder, itself among them, in the order of the book (受影响事项).
pub fn readers(book: &Book, folder: &str) -> Vec<String> {
    let program = book.program();
    let own = format!("{folder}.");
    book.programmes()
        .iter()
        .zip(&program.benefits)
        .filter(|(programme, plan)| {
            programme.id == folder
                || plan.closure.iter().any(|number| {
                    let step = &program.steps[*number as usize];
                    let nodes: Vec<Range<Reg>> = match &step.work {
                        Work::Rule { versions, .. } => versions
                            .iter()
                            .map(|version| version.nodes.clone())
                            .collect(),
                        Work::Benefit(other) => {
                            let other = *other as usize;
                            if book.programmes()[other].id == folder {
                                return true;
                            }
                            vec![program.benefits[other].nodes.clone()]
                        }
                    };
                    step.name.starts_with(&own)
                        || nodes
                            .into_iter()
                            .flatten()
                            .any(|reg| reads(program, reg, folder))
                })
        })
        .map(|(programme, _)| programme.id.clone())
        .collect()
}

fn reads(program: &Program, reg: Reg, folder: &str) -> bool {
    match &program.nodes[reg as usize].op {
        Op::Param(param) | Op::Band(param, _) => program.params[*param as usize].folder == folder,
        _ => false,
    }
}
