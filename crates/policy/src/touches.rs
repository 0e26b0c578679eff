//! What life touches in the rules (生活变化触及的事项): the ages that matter, the place, the other people of the home.
//!
//! No list of ages stands anywhere in code: an age matters because some rule compares it with a number or looks it up in
//! bands. Guarantees: only rules a programme rests on count, with the values of the day and place asked about.
//! Deliberately absent: deciding anybody; whose birthday it is.

use crate::book::{Book, Programme};
use crate::determination::Unit;
use crate::parameter::{OnDay, Setting};
use crate::program::{BenefitPlan, Comparison, Op, Program, Reg, Work};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use vocab::Region;

/// Older than anybody; numbers beyond it are not ages.
const OLDEST: i64 = 130;

/// The ages in full years at which something may change, by programme (要紧的年龄): what the rules compare the age made of
/// `birth` (a date of a person) with, and the lower bounds of the bands it is looked up in.
///
/// For example a rule `age(birth_date) >= 80` gives 80, `age(birth_date) > 60` gives 61.
pub fn ages(
    book: &Book,
    birth: &str,
    on: NaiveDate,
    region: Region,
) -> BTreeMap<String, BTreeSet<u16>> {
    let program = book.program();
    let ages = ages_of_nodes(program, birth);
    plans(book)
        .filter_map(|(programme, plan)| {
            let mut found = BTreeSet::new();
            for reg in nodes(program, plan) {
                thresholds(program, &ages, reg, on, region, &mut found);
            }
            let found: BTreeSet<u16> = found
                .into_iter()
                .filter(|age| (1..=OLDEST).contains(age))
                .filter_map(|age| u16::try_from(age).ok())
                .collect();
            (!found.is_empty()).then(|| (programme.id.clone(), found))
        })
        .collect()
}

/// The programmes whose answer looks at other people of the household (看全家的事项): somebody coming or going touches them.
pub fn of_members(book: &Book) -> BTreeSet<String> {
    plans(book)
        .filter(|(programme, plan)| {
            programme.to == Unit::Household || programme.to == Unit::Person && plan.sees_all
        })
        .map(|(programme, _)| programme.id.clone())
        .collect()
}

/// The programmes resting on a value that differs by place inside the pack (各地取值不同的事项): moving house touches them.
pub fn of_place(book: &Book) -> BTreeSet<String> {
    let program = book.program();
    plans(book)
        .filter(|(_, plan)| {
            nodes(program, plan)
                .into_iter()
                .any(|reg| match &program.nodes[reg as usize].op {
                    Op::Param(param) | Op::Band(param, _) => program.params[*param as usize]
                        .values
                        .iter()
                        .any(|value| value.region.is_some()),
                    _ => false,
                })
        })
        .map(|(programme, _)| programme.id.clone())
        .collect()
}

fn plans(book: &Book) -> impl Iterator<Item = (&Programme, &BenefitPlan)> {
    book.programmes().iter().zip(&book.program().benefits)
}

/// All nodes a benefit rests on, its own and those of every step below it.
fn nodes(program: &Program, plan: &BenefitPlan) -> Vec<Reg> {
    let mut ranges: Vec<Range<Reg>> = vec![plan.nodes.clone()];
    for step in &plan.closure {
        match &program.steps[*step as usize].work {
            Work::Rule { versions, .. } => {
                ranges.extend(versions.iter().map(|version| version.nodes.clone()));
            }
            Work::Benefit(other) => {
                ranges.push(program.benefits[*other as usize].nodes.clone());
            }
        }
    }
    ranges.into_iter().flatten().collect()
}

/// Which nodes are an age made of a birth date: full years up to a day, directly or through a variable.
fn ages_of_nodes(program: &Program, birth: &str) -> BTreeSet<Reg> {
    let is_birth = |reg: Reg| match &program.nodes[reg as usize].op {
        Op::Fact(input) => program.inputs[*input as usize].fact == birth,
        _ => false,
    };
    let mut ages: BTreeSet<Reg> = (0..)
        .zip(&program.nodes)
        .filter(|(_, node)| matches!(node.op, Op::YearsBetween(from, _) if is_birth(from)))
        .map(|(reg, _)| reg)
        .collect();
    for step in &program.order {
        if let Work::Rule { result, versions } = &program.steps[*step as usize].work
            && versions.iter().any(|version| ages.contains(&version.root))
        {
            ages.insert(*result);
        }
    }
    ages
}

fn thresholds(
    program: &Program,
    ages: &BTreeSet<Reg>,
    reg: Reg,
    on: NaiveDate,
    region: Region,
    found: &mut BTreeSet<i64>,
) {
    match &program.nodes[reg as usize].op {
        Op::Compare(comparison, age, other) if ages.contains(age) => {
            found.extend(changes_at(*comparison, number(program, *other, on, region)));
        }
        Op::Compare(comparison, other, age) if ages.contains(age) => {
            let turned = match comparison {
                Comparison::Lt => Comparison::Gt,
                Comparison::Le => Comparison::Ge,
                Comparison::Gt => Comparison::Lt,
                Comparison::Ge => Comparison::Le,
                same => *same,
            };
            found.extend(changes_at(turned, number(program, *other, on, region)));
        }
        Op::Band(param, age) if ages.contains(age) => {
            if let OnDay::Value(value) = program.params[*param as usize].on(on, region)
                && let Setting::Steps(steps) = &value.value
            {
                found.extend(steps.keys());
            }
        }
        _ => {}
    }
}

/// The ages at which a comparison of the age with a number turns over.
fn changes_at(comparison: Comparison, number: Option<i64>) -> Vec<i64> {
    let Some(number) = number else {
        return Vec::new();
    };
    let next = number.saturating_add(1);
    match comparison {
        Comparison::Ge | Comparison::Lt => vec![number],
        Comparison::Gt | Comparison::Le => vec![next],
        Comparison::Eq | Comparison::Ne => vec![number, next],
    }
}

/// A number written in the rule or set by a parameter on that day; anything computed is not a fixed age.
fn number(program: &Program, reg: Reg, on: NaiveDate, region: Region) -> Option<i64> {
    match &program.nodes[reg as usize].op {
        Op::Constant(number) => Some(*number),
        Op::Param(param) => {
            let param = &program.params[*param as usize];
            match param.on(on, region) {
                OnDay::Value(value) if param.divisor == 1 => match value.value {
                    Setting::Single(number) => Some(number),
                    Setting::Steps(_) | Setting::Codes(_) => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}
