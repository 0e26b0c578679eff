//! What a programme rests on (依赖范围): steps, inputs and variables, through other programmes where it reads them.
//!
//! Deliberately absent: finding circles; see `order`.

use crate::assemble::{SpokenVariable, StepOf};
use crate::determination::Unit;
use crate::names::Names;
use crate::pack::Chain;
use crate::program::{Level, Program, Work};
use std::collections::{BTreeMap, BTreeSet};
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
            Some(SpokenVariable {
                id: if visible {
                    rule.id.text.as_str().into()
                } else {
                    format!("{}.{}", of.folder, rule.id.text).into()
                },
                step: *step,
                result: named.result,
                of: named.of,
                kind: named.kind,
                label_zh: label.zh.as_str().into(),
                label_en: label.en.as_str().into(),
                articles: versions
                    .iter()
                    .map(|version| Arc::new(version.article.clone()))
                    .collect(),
            })
        })
        .collect()
}
