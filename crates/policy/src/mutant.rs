//! The mutants of a pack (变异清单): every rule, benefit and parameter in force, changed in one place each.
//!
//! They are made from the files as read and compiled into the program at hand, beside what is there; nothing is loaded
//! again. A change that does not compile is not a mutant. Deliberately absent: running them; see `mutate`.

use crate::argued::BENEFIT;
use crate::compile_rule::{formulate, unit_of};
use crate::compiler::{Compiler, Zeroes};
use crate::explain::all_operands;
use crate::fault::Spot;
use crate::formula::{At, Expr, What};
use crate::instead::Instead;
use crate::kind::Kind;
use crate::mutation;
use crate::names::Names;
use crate::pack::Folder;
use crate::parameter::{Parameter, ParameterValue, Setting};
use crate::program::{Op, Program, Reg, Work};
use crate::ratio::Rounding;
use crate::rule::{AbsentIsZero, Formula, RawBenefit, RawRule};
use crate::trial::Trial;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use vocab::Citation;

/// What is changed (变异的内容).
#[derive(Debug, Clone)]
enum Change {
    Rule {
        tree: Expr,
        rounding: Option<Rounding>,
        zeroes: Zeroes,
    },
    Amount {
        tree: Expr,
        rounding: Option<Rounding>,
    },
    Covers,
    Setting(Setting),
}

/// One change to one rule, benefit or parameter (一个变异).
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) folder: String,
    /// The rule's or parameter's id, or `benefit`.
    pub(crate) rule: String,
    /// The first day of the version or of the value.
    pub(crate) from: Option<NaiveDate>,
    /// `None` for parameters: they have a source instead.
    pub(crate) article: Option<Citation>,
    /// Where the change is.
    pub(crate) spot: Spot,
    pub(crate) words: String,
    /// Where the version or the value is written: the same place in a pack and in those that build on it.
    written: Spot,
    change: Change,
}

/// All mutants of the merged folders, whether they compile or not.
pub(crate) fn list(folders: &BTreeMap<String, Folder>) -> Vec<Mutant> {
    let mut all = Vec::new();
    for folder in folders.values() {
        for rule in &folder.rules {
            of_rule(folder, rule, &mut all);
        }
        if let Some(benefit) = &folder.benefit {
            of_benefit(folder, benefit, &mut all);
        }
        for parameter in folder.parameters.values() {
            of_parameter(folder, parameter, &mut all);
        }
    }
    all
}

#[cfg(test)]
impl Mutant {
    /// Makes the change in the files as read, so that a book can be made of them the slow way.
    pub(crate) fn write_into(&self, folders: &mut BTreeMap<String, Folder>) {
        let folder = folders.get_mut(&self.folder).unwrap();
        let round = |round: &mut Option<(Rounding, crate::toml_file::Said)>, to| {
            *round = round.clone().zip(to).map(|((_, said), to)| (to, said));
        };
        match &self.change {
            Change::Rule {
                tree,
                rounding,
                zeroes,
            } => {
                let rule = folder
                    .rules
                    .iter_mut()
                    .find(|rule| rule.spot == self.written)
                    .unwrap();
                rule.formula.tree = Some(tree.clone());
                round(&mut rule.round, *rounding);
                if let Zeroes::These(these) = zeroes {
                    let before = match &rule.absent_is_zero {
                        AbsentIsZero::All => Vec::new(),
                        AbsentIsZero::These(these) => these.clone(),
                    };
                    let kept = before
                        .into_iter()
                        .filter(|(fact, _)| these.contains(&fact.text));
                    rule.absent_is_zero = AbsentIsZero::These(kept.collect());
                }
            }
            Change::Amount { tree, rounding } => {
                let benefit = folder.benefit.as_mut().unwrap();
                benefit.amount.as_mut().unwrap().tree = Some(tree.clone());
                round(&mut benefit.round, *rounding);
            }
            Change::Covers => folder.benefit.as_mut().unwrap().covers = None,
            Change::Setting(setting) => {
                let parameter = folder.parameters.get_mut(&self.rule).unwrap();
                let value = parameter
                    .values
                    .iter_mut()
                    .find(|value| value.spot == self.written)
                    .unwrap();
                value.value = setting.clone();
            }
        }
    }
}

/// The changes of a formula and of its rounding, as (tree, rounding, words, place).
fn formulas(
    formula: &Formula,
    round: Option<&(Rounding, crate::toml_file::Said)>,
) -> Vec<(Expr, Option<Rounding>, String, Spot)> {
    let Some(tree) = &formula.tree else {
        return Vec::new();
    };
    let now = round.map(|(rounding, _)| *rounding);
    let mut found: Vec<_> = mutation::changes(tree)
        .into_iter()
        .map(|change| (change.expr, now, change.words, formula.spot(change.at)))
        .collect();
    if let Some((rounding, said)) = round {
        for (other, word) in rounding.neighbours() {
            let words = format!("舍入 {} 改为 {word}", said.text);
            found.push((tree.clone(), Some(other), words, said.spot.clone()));
        }
    }
    found
}

fn of_rule(folder: &Folder, rule: &RawRule, all: &mut Vec<Mutant>) {
    let mut push = |spot: Spot, words: String, change: Change| {
        all.push(Mutant {
            folder: folder.id.clone(),
            rule: rule.id.text.clone(),
            from: rule.from,
            article: rule.article.as_ref().map(|cited| cited.citation.clone()),
            spot,
            words,
            written: rule.spot.clone(),
            change,
        });
    };
    let zeroes = match &rule.absent_is_zero {
        AbsentIsZero::All => Zeroes::All,
        AbsentIsZero::These(these) => {
            Zeroes::These(these.iter().map(|(fact, _)| fact.text.clone()).collect())
        }
    };
    for (tree, rounding, words, spot) in formulas(&rule.formula, rule.round.as_ref()) {
        let change = Change::Rule {
            tree,
            rounding,
            zeroes: zeroes.clone(),
        };
        push(spot, words, change);
    }
    let Some(tree) = &rule.formula.tree else {
        return;
    };
    if rule.is_condition {
        let yes = Expr {
            at: At { line: 1, column: 1 },
            what: What::Flag(true),
        };
        let change = Change::Rule {
            tree: yes,
            rounding: None,
            zeroes: zeroes.clone(),
        };
        push(rule.spot.clone(), "去掉整个条件".to_owned(), change);
    }
    let mut without = |zeroes: Zeroes, words: String| {
        let change = Change::Rule {
            tree: tree.clone(),
            rounding: rule.round.as_ref().map(|(rounding, _)| *rounding),
            zeroes,
        };
        push(rule.spot.clone(), words, change);
    };
    match &zeroes {
        Zeroes::All => without(
            Zeroes::These(BTreeSet::new()),
            "去掉 absent_is_zero".to_owned(),
        ),
        Zeroes::These(these) => {
            for fact in these {
                let rest = these.iter().filter(|other| *other != fact).cloned();
                without(
                    Zeroes::These(rest.collect()),
                    format!("absent_is_zero 去掉 {fact}"),
                );
            }
        }
    }
}

fn of_benefit(folder: &Folder, benefit: &RawBenefit, all: &mut Vec<Mutant>) {
    let mut push = |spot: Spot, words: String, change: Change| {
        all.push(Mutant {
            folder: folder.id.clone(),
            rule: BENEFIT.to_owned(),
            from: None,
            article: benefit.article.as_ref().map(|cited| cited.citation.clone()),
            spot,
            words,
            written: benefit.spot.clone(),
            change,
        });
    };
    if let Some(formula) = &benefit.amount {
        for (tree, rounding, words, spot) in formulas(formula, benefit.round.as_ref()) {
            push(spot, words, Change::Amount { tree, rounding });
        }
    }
    if let Some(covers) = &benefit.covers {
        let words = format!("去掉 covers = \"{}\"（保障全部成员）", covers.text);
        push(covers.spot.clone(), words, Change::Covers);
    }
}

fn of_parameter(folder: &Folder, parameter: &Parameter, all: &mut Vec<Mutant>) {
    for value in &parameter.values {
        for (setting, words) in settings(parameter, value) {
            all.push(Mutant {
                folder: folder.id.clone(),
                rule: parameter.id.clone(),
                from: Some(value.from),
                article: None,
                spot: value.spot.clone(),
                words,
                written: value.spot.clone(),
                change: Change::Setting(setting),
            });
        }
    }
}

/// A value one up and one down, a bound one up and one down.
fn settings(parameter: &Parameter, value: &ParameterValue) -> Vec<(Setting, String)> {
    let shown = |number: i64| match parameter.kind {
        Kind::Date => i32::try_from(number)
            .ok()
            .and_then(NaiveDate::from_num_days_from_ce_opt)
            .map_or_else(|| number.to_string(), |day| day.to_string()),
        Kind::Bool => (number != 0).to_string(),
        _ => number.to_string(),
    };
    let near = |number: i64| -> Vec<i64> {
        if parameter.kind == Kind::Bool {
            vec![1 - number]
        } else {
            vec![number.saturating_add(1), number.saturating_sub(1)]
        }
    };
    let mut found = Vec::new();
    match &value.value {
        Setting::Single(number) => {
            for other in near(*number) {
                let words = format!("{} 改为 {}", shown(*number), shown(other));
                found.push((Setting::Single(other), words));
            }
        }
        Setting::Steps(steps) => {
            for (place, (bound, number)) in steps.iter().enumerate() {
                for other in near(*number) {
                    let mut changed = steps.clone();
                    changed.insert(*bound, other);
                    let words = format!("{bound} 档的 {} 改为 {}", shown(*number), shown(other));
                    found.push((Setting::Steps(changed), words));
                }
                for other in [bound.saturating_add(1), bound.saturating_sub(1)] {
                    // Below the first bound is no band; lowering it takes nothing away from anybody.
                    if steps.contains_key(&other) || (place == 0 && other < *bound) {
                        continue;
                    }
                    let mut changed = steps.clone();
                    changed.remove(bound);
                    changed.insert(other, *number);
                    found.push((
                        Setting::Steps(changed),
                        format!("下限 {bound} 改为 {other}"),
                    ));
                }
            }
        }
        Setting::Codes(codes) => {
            for (code, number) in codes {
                for other in near(*number) {
                    let mut changed = codes.clone();
                    changed.insert(code.clone(), other);
                    let words = format!("{code} 的 {} 改为 {}", shown(*number), shown(other));
                    found.push((Setting::Codes(changed), words));
                }
            }
        }
    }
    found
}

/// Compiles mutants beside a program (编译变异): one trial for each that compiles and exists in these folders.
pub(crate) fn compile(
    program: &Program,
    names: &Names,
    folders: &BTreeMap<String, Folder>,
    mutants: &[Mutant],
) -> (Program, Vec<Option<Trial>>) {
    let first = program.nodes.len();
    let constants = program.constants.len();
    let columns = program.columns;
    let readers = readers(program);
    let steps: BTreeMap<String, u32> = (0..)
        .zip(&program.steps)
        .map(|(number, step)| (step.name.clone(), number))
        .collect();
    let mut compiler = Compiler::resumed(names, program.clone());
    let mut begins = Vec::with_capacity(mutants.len());
    let trials = mutants
        .iter()
        .map(|mutant| {
            begins.push(compiler.here() as usize);
            let folder = folders.get(&mutant.folder)?;
            match &mutant.change {
                Change::Setting(setting) => parameter_trial(&compiler, mutant, setting, &readers),
                Change::Rule { .. } => {
                    let name = format!("{}.{}", mutant.folder, mutant.rule);
                    rule_trial(&mut compiler, folder, mutant, *steps.get(&name)?)
                }
                Change::Amount { .. } | Change::Covers => {
                    benefit_trial(&mut compiler, folder, mutant, *steps.get(&mutant.folder)?)
                }
            }
        })
        .collect();
    let mut program = compiler.program;
    program.constants.truncate(constants);
    share_columns(&mut program, first, columns, &begins);
    (program, trials)
}

/// Only one mutant is tried at a time, so all of them use the same columns; a look-back is filled from the sheet and keeps its own.
fn share_columns(program: &mut Program, first: usize, columns: [u32; 3], begins: &[usize]) {
    let mut own = columns;
    for node in &mut program.nodes[first..] {
        if matches!(node.op, Op::History { .. }) {
            node.column = own[node.level as usize];
            own[node.level as usize] += 1;
        }
    }
    let mut most = own;
    let mut next = own;
    let mut begins = begins.iter().peekable();
    for (number, node) in program.nodes.iter_mut().enumerate().skip(first) {
        while begins.next_if(|begin| **begin <= number).is_some() {
            next = own;
        }
        if !matches!(node.op, Op::History { .. }) {
            let level = node.level as usize;
            node.column = next[level];
            next[level] += 1;
            most[level] = most[level].max(next[level]);
        }
    }
    program.columns = most;
}

fn rule_trial(
    compiler: &mut Compiler<'_>,
    folder: &Folder,
    mutant: &Mutant,
    step: u32,
) -> Option<Trial> {
    let Change::Rule {
        tree,
        rounding,
        zeroes,
    } = &mutant.change
    else {
        return None;
    };
    let (version, rule) = folder
        .rules
        .iter()
        .filter(|rule| rule.id.text == mutant.rule)
        .enumerate()
        .find(|(_, rule)| rule.spot == mutant.written)?;
    let Work::Rule { result, .. } = compiler.program.steps[step as usize].work else {
        return None;
    };
    let node = &compiler.program.nodes[result as usize];
    let of = unit_of(folder, rule, node.level);
    let kind = node.kind;
    let begin = compiler.here();
    let (root, found) = formulate(
        compiler,
        &folder.id,
        Some(tree),
        *rounding,
        zeroes,
        (of, kind),
    );
    let root = root.filter(|_| found.wrong.is_empty())?;
    Some(Trial {
        instead: Instead::Rule {
            step,
            version,
            nodes: begin..compiler.here(),
            root,
        },
        starts: vec![step],
        param_node: None,
    })
}

fn benefit_trial(
    compiler: &mut Compiler<'_>,
    folder: &Folder,
    mutant: &Mutant,
    step: u32,
) -> Option<Trial> {
    let raw = folder.benefit.as_ref()?;
    if raw.spot != mutant.written {
        return None;
    }
    let Work::Benefit(number) = compiler.program.steps[step as usize].work else {
        return None;
    };
    let mut plan = compiler.program.benefits[number as usize].clone();
    match &mutant.change {
        Change::Amount { tree, rounding } => {
            let kind = compiler.program.nodes[plan.paid as usize].kind;
            let none = Zeroes::These(BTreeSet::new());
            let begin = compiler.here();
            let (root, found) = formulate(
                compiler,
                &folder.id,
                Some(tree),
                *rounding,
                &none,
                (raw.to, kind),
            );
            let root = root.filter(|_| found.wrong.is_empty())?;
            plan.nodes = begin..compiler.here();
            plan.amount = Some(root);
            plan.arithmetic = Some(root);
        }
        _ => plan.covers = None,
    }
    Some(Trial {
        instead: Instead::Benefit(number, Box::new(plan)),
        starts: vec![step],
        param_node: None,
    })
}

fn parameter_trial(
    compiler: &Compiler<'_>,
    mutant: &Mutant,
    setting: &Setting,
    readers: &BTreeMap<u32, BTreeSet<u32>>,
) -> Option<Trial> {
    let program = &compiler.program;
    let folder = compiler.names.folders.get(&mutant.folder)?;
    let param = *folder.parameters.get(&mutant.rule)?;
    let entry = program.params[param as usize]
        .values
        .iter()
        .position(|value| value.spot == mutant.written)?;
    let node = program
        .constants
        .iter()
        .find(|reg| matches!(program.nodes[**reg as usize].op, Op::Param(of) if of == param));
    Some(Trial {
        instead: Instead::Setting {
            param,
            entry,
            setting: setting.clone(),
        },
        starts: readers.get(&param)?.iter().copied().collect(),
        param_node: node.copied(),
    })
}

/// Which steps read which parameter.
fn readers(program: &Program) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut found: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (number, step) in (0..).zip(&program.steps) {
        let mut look = |nodes: std::ops::Range<Reg>, root: Option<Reg>| {
            let mut regs: BTreeSet<Reg> = root.into_iter().collect();
            for reg in nodes {
                regs.insert(reg);
                regs.extend(all_operands(&program.nodes[reg as usize].op));
            }
            for reg in regs {
                if let Op::Param(param) | Op::Band(param, _) = program.nodes[reg as usize].op {
                    found.entry(param).or_default().insert(number);
                }
            }
        };
        match &step.work {
            Work::Rule { versions, .. } => {
                for version in versions {
                    look(version.nodes.clone(), Some(version.root));
                }
            }
            Work::Benefit(benefit) => {
                let plan = &program.benefits[*benefit as usize];
                look(plan.nodes.clone(), plan.amount);
            }
        }
    }
    found
}
