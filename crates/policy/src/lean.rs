//! What a run needs room for (按需分配): the inputs and nodes the wanted benefits rest on, in the versions of the day.
//!
//! One programme is a small part of a book; making room for the rest would be most of the work of one answer. Deliberately
//! absent: working anything out.

use crate::determination::Ask;
use crate::program::{Program, Reg, Version, Work};
use std::borrow::Cow;

/// The place of a node nobody asked about.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Of all inputs those the wanted benefits rest on: reading the others would be most of the work for one programme.
pub(crate) fn reads<'p>(program: &'p Program, wanted: &[usize]) -> [Cow<'p, [u32]>; 2] {
    let [households, persons] = &program.sorted;
    if wanted.len() == program.benefits.len() {
        return [Cow::Borrowed(households), Cow::Borrowed(persons)];
    }
    let mut needed = vec![false; program.inputs.len()];
    for benefit in wanted {
        for input in &program.benefits[*benefit].inputs {
            needed[*input as usize] = true;
        }
    }
    [households, persons].map(|inputs| {
        let kept = inputs.iter().copied();
        kept.filter(|input| needed[*input as usize]).collect()
    })
}

/// Columns for what the wanted benefits rest on and nothing else: versions of other days have none.
pub(crate) fn places(
    program: &Program,
    ask: &Ask,
    wanted: &[usize],
    inputs: &[Cow<'_, [u32]>; 2],
) -> (Vec<u32>, [u32; 3]) {
    let mut places = vec![NOWHERE; program.nodes.len()];
    let mut columns = [0_u32; 3];
    let mut place = |reg: Reg| {
        let known = &mut places[reg as usize];
        if *known == NOWHERE {
            let next = &mut columns[program.nodes[reg as usize].level as usize];
            *known = *next;
            *next += 1;
        }
    };
    for input in inputs.iter().flat_map(|inputs| inputs.iter()) {
        let input = &program.inputs[*input as usize];
        input
            .now
            .iter()
            .chain(&input.histories)
            .copied()
            .for_each(&mut place);
    }
    let mut done = vec![false; program.steps.len()];
    for benefit in wanted {
        let plan = &program.benefits[*benefit];
        plan.constants.iter().copied().for_each(&mut place);
        for step in &plan.closure {
            if std::mem::replace(&mut done[*step as usize], true) {
                continue;
            }
            match &program.steps[*step as usize].work {
                Work::Rule { result, versions } => {
                    place(*result);
                    let chosen = chosen(versions, ask);
                    if let Some(version) = chosen.map(|chosen| &versions[chosen]) {
                        version.nodes.clone().for_each(&mut place);
                    }
                }
                Work::Benefit(other) => {
                    let other = &program.benefits[*other as usize];
                    other.nodes.clone().for_each(&mut place);
                    place(other.outcome);
                    place(other.paid);
                }
            }
        }
    }
    (places, columns)
}

/// The version that applies: they stand oldest first, the last one begun decides.
pub(crate) fn chosen(versions: &[Version], ask: &Ask) -> Option<usize> {
    versions
        .iter()
        .rposition(|version| version.from.is_none_or(|from| from <= ask.as_of))
}
