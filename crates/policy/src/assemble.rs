//! From read files to a book (装配规则库): names resolved, formulas compiled, citations and wording checked.
//!
//! Guarantees: what is assembled without a fault can decide; every rule has its article in the law texts and its
//! words in both languages. Deliberately absent: reading files and running cases.

use crate::book::{Programme, VariableDef};
use crate::closure::{close, name_constants, rests_on};
use crate::compile_programme::{check_wording_keys, compile_programme};
use crate::compile_rule::compile_rule;
use crate::compiler::{Compiler, push};
use crate::determination::{Unit, VariableSaid};
use crate::fault::{Faults, Spot};
use crate::kind::Kind;
use crate::known_facts::facts;
use crate::names::{FolderNames, Named, Names};
use crate::order::order;
use crate::pack::{Chain, Folder};
use crate::program::{Level, Op, Program, Reg, Step, Words, Work};
use crate::rule::RawRule;
use crate::sentence::Sentence;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vocab::Citation;

/// A condition as it is spoken (条件的说法).
#[derive(Debug, Clone)]
pub(crate) struct SpokenCondition {
    pub(crate) id: String,
    pub(crate) step: u32,
    pub(crate) result: Reg,
    pub(crate) refusal: String,
    pub(crate) asks: Sentence,
    pub(crate) refuses: Sentence,
    /// Names each version uses.
    pub(crate) uses: Vec<Vec<String>>,
    /// The article of each version, and how people say it.
    pub(crate) articles: Vec<(Citation, String)>,
}

/// A variable as it is spoken (变量的说法).
#[derive(Debug, Clone)]
pub(crate) struct SpokenVariable {
    pub(crate) step: u32,
    pub(crate) result: Reg,
    pub(crate) of: Unit,
    pub(crate) kind: Kind,
    /// Whether it is the programme's own, not another's or a library's.
    pub(crate) own: bool,
    /// What is said of it, a version each.
    pub(crate) said: Vec<Arc<VariableSaid>>,
}

/// What the answer of a programme is built from (事项的说法); same order as the program's benefits.
#[derive(Debug, Clone)]
pub(crate) struct Spoken {
    pub(crate) conditions: Vec<SpokenCondition>,
    /// All variables it rests on, up to the borders of other programmes.
    pub(crate) variables: Vec<SpokenVariable>,
}

/// A book's insides (规则库内部).
#[derive(Debug, Clone)]
pub(crate) struct Assembled {
    pub(crate) program: Program,
    /// What names mean; the facts are here too.
    pub(crate) names: Names,
    pub(crate) programmes: Vec<Programme>,
    pub(crate) spoken: Vec<Spoken>,
    /// Variables of libraries, for cards.
    pub(crate) libraries: Vec<(String, Vec<VariableDef>)>,
}

/// A step and the rule it was made from (步骤的出处).
pub(crate) struct StepOf<'c> {
    pub(crate) folder: &'c str,
    pub(crate) versions: Vec<&'c RawRule>,
    pub(crate) spot: Spot,
}

/// Assembles a chain; the result is to be used only if no fault was noted.
pub(crate) fn assemble(chain: &Chain, faults: &Faults) -> Option<Assembled> {
    let facts = facts(chain, faults);
    let mut program = Program::default();
    program.words.number(Words::MET);
    program.words.number(Words::NOT_MET);
    let mut names = Names {
        facts,
        division: Some(chain.place.division),
        ..Names::default()
    };
    let mut steps: Vec<StepOf<'_>> = Vec::new();
    for folder in chain.folders.values() {
        name_folder(folder, &mut names, &mut program, &mut steps, faults);
    }
    clashes(chain, &names, faults);
    program.benefits = Vec::new();
    let mut compiler = Compiler::new(&names, program);
    let mut spoken = Vec::new();
    let mut programmes = Vec::new();
    let mut libraries = Vec::new();
    for folder in chain.folders.values() {
        let of_folder: Vec<u32> = (0..number(steps.len()))
            .filter(|step| {
                steps[*step as usize].folder == folder.id
                    && !steps[*step as usize].versions.is_empty()
            })
            .collect();
        let mut defs = Vec::new();
        for step in of_folder {
            defs.push(compile_rule(
                &mut compiler,
                chain,
                folder,
                step,
                &steps,
                faults,
            ));
        }
        check_wording_keys(folder, &names, faults);
        match &folder.benefit {
            Some(benefit) => {
                let (programme, words) =
                    compile_programme(&mut compiler, chain, folder, benefit, defs, faults)?;
                programmes.push(programme);
                spoken.push(words);
            }
            None => libraries.push((
                folder.id.clone(),
                defs.into_iter().filter_map(|def| def.variable).collect(),
            )),
        }
    }
    check_excludes(chain, faults);
    let mut program = compiler.program;
    match order(&program.steps) {
        Ok(found) => program.order = found,
        Err(circle) => {
            let mut way: Vec<&str> = circle
                .iter()
                .map(|step| program.steps[*step as usize].name.as_str())
                .collect();
            way.push(way[0]);
            faults.note(
                &steps[circle[0] as usize].spot,
                format!("规则互相引用成了圈：{}", way.join(" → ")),
            );
            return None;
        }
    }
    close(&mut program);
    for (place, level) in [Level::Household, Level::Person].into_iter().enumerate() {
        let mut inputs: Vec<u32> = (0..number(program.inputs.len()))
            .filter(|input| Level::from(program.inputs[*input as usize].of) == level)
            .collect();
        inputs.sort_by(|a, b| {
            program.inputs[*a as usize]
                .fact
                .cmp(&program.inputs[*b as usize].fact)
        });
        program.sorted[place] = inputs;
    }
    for (index, programme) in programmes.iter_mut().enumerate() {
        let mut read: Vec<String> = program.benefits[index]
            .inputs
            .iter()
            .map(|input| program.inputs[*input as usize].fact.clone())
            .collect();
        read.sort();
        programme.facts = read;
        spoken[index].variables = rests_on(&program, index, &steps, &names, chain, &programme.id);
    }
    name_constants(&mut program, &spoken);
    Some(Assembled {
        program,
        names,
        programmes,
        spoken,
        libraries,
    })
}

fn number(size: usize) -> u32 {
    u32::try_from(size).expect("a rule book has far fewer than four thousand million parts")
}

/// Reserves a node for the result of every rule, so that formulas may name each other in any order.
fn name_folder<'c>(
    folder: &'c Folder,
    names: &mut Names,
    program: &mut Program,
    steps: &mut Vec<StepOf<'c>>,
    faults: &Faults,
) {
    let mut offered = FolderNames {
        id: folder.id.clone(),
        ..FolderNames::default()
    };
    for (id, parameter) in &folder.parameters {
        offered
            .parameters
            .insert(id.clone(), number(program.params.len()));
        program.params.push(parameter.clone());
    }
    let default_unit = folder.benefit.as_ref().map(|benefit| benefit.to);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for rule in &folder.rules {
        if let Some(step) = seen.get(rule.id.text.as_str()) {
            steps[*step as usize].versions.push(rule);
            continue;
        }
        if rule.is_condition && folder.benefit.is_none() {
            faults.note(&rule.spot, "没有 [benefit] 的目录只能放变量，不能放条件");
            continue;
        }
        let of = rule.of.or(if rule.is_condition {
            default_unit
        } else {
            None
        });
        let (Some(of), Some(kind)) = (of, rule.gives) else {
            continue;
        };
        if rule.is_condition
            && let Some(to) = default_unit
            && of != to
            && (of, to) != (Unit::Household, Unit::Person)
        {
            let sentence = format!(
                "给{}的事项，条件也要是{}的；看每个成员请写 all（members.…）",
                to.zh(),
                to.zh()
            );
            faults.note(&rule.of_spot, sentence);
        }
        let step = number(program.steps.len());
        let result = push(program, Op::Result(step), of.into(), kind);
        program.steps.push(Step {
            name: format!("{}.{}", folder.id, rule.id.text),
            work: Work::Rule {
                result,
                versions: Vec::new(),
            },
            needs: Vec::new(),
            inputs: Vec::new(),
        });
        steps.push(StepOf {
            folder: &folder.id,
            versions: vec![rule],
            spot: rule.id.spot.clone(),
        });
        seen.insert(&rule.id.text, step);
        if !rule.is_condition {
            offered.variables.insert(
                rule.id.text.clone(),
                Named {
                    of,
                    kind,
                    result,
                    step,
                },
            );
        }
    }
    if let Some(benefit) = &folder.benefit {
        let step = number(program.steps.len());
        let place = number(
            names
                .folders
                .values()
                .filter(|folder| folder.benefit.is_some())
                .count(),
        );
        let level = Level::from(benefit.to);
        let kind = benefit.every.kind();
        let outcome = push(program, Op::Outcome(place), level, Kind::Code);
        let amount = push(program, Op::Amount(place), level, kind);
        program.steps.push(Step {
            name: folder.id.clone(),
            work: Work::Benefit(place),
            needs: Vec::new(),
            inputs: Vec::new(),
        });
        steps.push(StepOf {
            folder: &folder.id,
            versions: Vec::new(),
            spot: benefit.spot.clone(),
        });
        offered.benefit = Some((benefit.to, outcome, amount, step));
        offered.amount_kind = benefit.amount.as_ref().map(|_| kind);
    } else {
        names.libraries.push(folder.id.clone());
    }
    names.folders.insert(folder.id.clone(), offered);
}

/// Within what one programme sees, a name means one thing.
fn clashes(chain: &Chain, names: &Names, faults: &Faults) {
    let mut libraries: BTreeMap<&str, (&str, &str)> = names
        .facts
        .keys()
        .map(|id| (id.as_str(), ("事实", names.facts[id].folder.as_str())))
        .collect();
    let list = |folder: &Folder| -> Vec<(String, &'static str, Spot)> {
        let mut seen = BTreeSet::new();
        let rules = folder
            .rules
            .iter()
            .filter(|rule| !rule.is_condition && seen.insert(rule.id.text.clone()))
            .map(|rule| (rule.id.text.clone(), "变量", rule.id.spot.clone()));
        let parameters = folder
            .parameters
            .values()
            .map(|parameter| (parameter.id.clone(), "参数", parameter.spot.clone()));
        rules.chain(parameters).collect()
    };
    let is_library = |folder: &&Folder| folder.benefit.is_none();
    for folder in chain.folders.values().filter(is_library) {
        for (id, what, spot) in list(folder) {
            if let Some((other, place)) = libraries.get(id.as_str()) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是 {place} 里的{other}；请换一个名字"),
                );
            } else if let Some((key, folder)) = names.folders.get(&folder.id).and_then(|known| {
                known
                    .variables
                    .get_key_value(&id)
                    .map(|(key, _)| (key, known))
                    .or_else(|| {
                        known
                            .parameters
                            .get_key_value(&id)
                            .map(|(key, _)| (key, known))
                    })
            }) {
                libraries.insert(key, (what, &folder.id));
            }
        }
    }
    for folder in chain
        .folders
        .values()
        .filter(|folder| folder.benefit.is_some())
    {
        let mut own: BTreeMap<String, &'static str> = BTreeMap::new();
        for (id, what, spot) in list(folder) {
            if let Some((other, place)) = libraries.get(id.as_str()) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是 {place} 里的{other}；请换一个名字"),
                );
            } else if let Some(other) = own.get(&id) {
                faults.note(
                    &spot,
                    format!("名字“{id}”已经是本事项的{other}；请换一个名字"),
                );
            }
            own.insert(id, what);
        }
    }
}

fn check_excludes(chain: &Chain, faults: &Faults) {
    let known: BTreeSet<&str> = chain
        .folders
        .values()
        .filter(|folder| folder.benefit.is_some())
        .map(|folder| folder.id.as_str())
        .collect();
    for folder in chain.folders.values() {
        for excluded in folder.benefit.iter().flat_map(|benefit| &benefit.excludes) {
            if !known.contains(excluded.text.as_str()) {
                faults.note(
                    &excluded.spot,
                    format!("没有叫“{}”的事项，不能写在 excludes 里", excluded.text),
                );
            } else if excluded.text == folder.id {
                faults.note(&excluded.spot, "事项不能和自己互斥");
            }
        }
    }
}
