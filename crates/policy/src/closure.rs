//! What a programme rests on (依赖范围): steps, inputs and variables, through other programmes where it reads them.
//!
//! Deliberately absent: finding circles; see `order`.

use crate::assemble::{Spoken, SpokenVariable, StepOf};
use crate::determination::{Unit, VariableSaid};
use crate::explain::all_operands;
use crate::names::Names;
use crate::pack::Chain;
use crate::program::{Level, Program, Reg, Work};
use crate::sentence::{Blank, Filled};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Works out, for each benefit, all steps and inputs it rests on.
pub(crate) fn close(program: &mut Program) {
    let mut closures: BTreeMap<u32, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    for step in &program.order {
        let at = &program.steps[*step as usize];
        let mut all = (
            BTreeSet::from([*step]),
            at.inputs.iter().copied().collect::<BTreeSet<u32>>(),
        );
        for needed in &at.needs {
            if let Some((steps, inputs)) = closures.get(needed) {
                all.0.extend(steps);
                all.1.extend(inputs);
            }
        }
        closures.insert(*step, all);
    }
    let place: BTreeMap<u32, usize> = program
        .order
        .iter()
        .enumerate()
        .map(|(place, step)| (*step, place))
        .collect();
    for benefit in &mut program.benefits {
        if let Some((steps, inputs)) = closures.get(&benefit.step) {
            benefit.closure = steps.iter().copied().collect();
            benefit.closure.sort_by_key(|step| place.get(step).copied());
            benefit.inputs = inputs.iter().copied().collect();
            // Household values are made of members, so whoever reads one has looked at all.
            benefit.sees_all = benefit.to != Unit::Person
                || steps
                    .iter()
                    .any(|step| match &program.steps[*step as usize].work {
                        Work::Rule { result, .. } => {
                            program.nodes[*result as usize].level == Level::Household
                        }
                        Work::Benefit(_) => {
                            program.steps[*step as usize].name.is_empty() || *step != benefit.step
                        }
                    });
        }
    }
}

/// Works out which constants each benefit names, in formulas and in sentences.
pub(crate) fn name_constants(program: &mut Program, spoken: &[Spoken]) {
    let is_constant: BTreeSet<Reg> = program.constants.iter().copied().collect();
    for (at, spoken) in spoken.iter().enumerate() {
        let mut named: BTreeSet<Reg> = BTreeSet::new();
        let mut name = |reg: Reg| {
            if is_constant.contains(&reg) {
                named.insert(reg);
            }
        };
        for condition in &spoken.conditions {
            let sentences = [&condition.asks, &condition.refuses];
            for piece in sentences
                .into_iter()
                .flat_map(|one| one.zh.iter().chain(&one.en))
            {
                if let Filled::Blank(Blank::Value(reg)) = piece {
                    name(*reg);
                }
            }
        }
        for step in &program.benefits[at].closure {
            let (ranges, others) = parts(program, *step);
            for reg in ranges.into_iter().flatten() {
                name(reg);
                all_operands(&program.nodes[reg as usize].op)
                    .into_iter()
                    .for_each(&mut name);
            }
            others.into_iter().for_each(&mut name);
        }
        program.benefits[at].constants = named.into_iter().collect();
    }
}

/// The nodes a step works out, and the others it reads by itself.
pub(crate) fn parts(program: &Program, step: u32) -> (Vec<Range<Reg>>, Vec<Reg>) {
    match &program.steps[step as usize].work {
        Work::Rule { result, versions } => (
            versions
                .iter()
                .map(|version| version.nodes.clone())
                .collect(),
            versions
                .iter()
                .map(|version| version.root)
                .chain([*result])
                .collect(),
        ),
        Work::Benefit(benefit) => {
            let plan = &program.benefits[*benefit as usize];
            let others = [plan.amount, plan.arithmetic, plan.covers, plan.starts_on];
            let mut others: Vec<Reg> = others.into_iter().flatten().collect();
            others.extend([plan.outcome, plan.paid]);
            others.extend(&plan.conditions);
            (vec![plan.nodes.clone()], others)
        }
    }
}

/// The variables a programme rests on, up to the borders of other programmes, in the order they are worked out.
pub(crate) fn rests_on(
    program: &Program,
    benefit: usize,
    steps: &[StepOf<'_>],
    names: &Names,
    chain: &Chain,
    own: &str,
) -> Vec<SpokenVariable> {
    let mut reached: BTreeSet<u32> = BTreeSet::new();
    let mut open: Vec<u32> = program.steps[program.benefits[benefit].step as usize]
        .needs
        .clone();
    while let Some(step) = open.pop() {
        if matches!(program.steps[step as usize].work, Work::Benefit(_)) || !reached.insert(step) {
            continue;
        }
        open.extend(&program.steps[step as usize].needs);
    }
    program
        .order
        .iter()
        .filter(|step| reached.contains(step))
        .filter_map(|step| {
            let of = &steps[*step as usize];
            let rule = of.versions.first().filter(|rule| !rule.is_condition)?;
            let named = names.folders.get(of.folder)?.variables.get(&rule.id.text)?;
            let folder = chain.folders.get(of.folder)?;
            let label = folder.wordings.variables.get(&rule.id.text)?;
            let visible = of.folder == own || folder.benefit.is_none();
            let Work::Rule { versions, .. } = &program.steps[*step as usize].work else {
                return None;
            };
            let id = if visible {
                rule.id.text.clone()
            } else {
                format!("{}.{}", of.folder, rule.id.text)
            };
            let said = versions.iter().map(|version| {
                Arc::new(VariableSaid {
                    id: id.clone(),
                    article: version.article.clone(),
                    label_zh: label.zh.clone(),
                    label_en: label.en.clone(),
                    unit: named.kind,
                })
            });
            Some(SpokenVariable {
                step: *step,
                result: named.result,
                of: named.of,
                kind: named.kind,
                own: of.folder == own,
                said: said.collect(),
            })
        })
        .collect()
}
