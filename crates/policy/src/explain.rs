//! Why a value is not known (为何待核实): the facts that would settle it, and what went wrong on the way.
//!
//! The run kept every part of every formula, so the way down from an unknown condition follows only parts that are
//! themselves unknown. Deliberately absent: guesses; a fact is named only where the rule really waits for it.

use crate::book::Book;
use crate::cell::{Cell, Trouble};
use crate::determination::FactRef;
use crate::evaluate::Run;
use crate::program::{Level, Op, Reg, Work};
use std::collections::BTreeSet;

/// What stands between the rule and a known value (待核实的原因).
#[derive(Debug, Default)]
pub(crate) struct Why {
    pub(crate) missing: BTreeSet<FactRef>,
    pub(crate) faults: BTreeSet<String>,
    /// Whether the cause lies outside the rules: a standard that is not published, data that contradict each other.
    pub(crate) outside: bool,
    seen: BTreeSet<(Reg, usize)>,
}

impl Why {
    /// Follows an unknown node down to its facts.
    pub(crate) fn follow(&mut self, book: &Book, run: &Run<'_>, reg: Reg, index: usize) {
        if run.own(reg, index).is_known() || !self.seen.insert((reg, index)) {
            return;
        }
        let node = &run.program.nodes[reg as usize];
        let level = node.level;
        if let Some(trouble) = run.troubles.get(&(reg, index)) {
            self.outside |= is_outside(trouble);
            self.faults.insert(sentence(book, run, trouble, reg, index));
        }
        let down = |why: &mut Self, other: Reg| {
            let at = run.index_of(other, level, index);
            why.follow(book, run, other, at);
        };
        match &node.op {
            Op::Fact(input) | Op::History { fact: input, .. } => {
                self.missing.insert(FactRef {
                    fact: run.program.inputs[*input as usize].fact.clone(),
                    member: member(run, level, index),
                });
            }
            Op::Result(step) => {
                if let Work::Rule { versions, .. } = &run.program.steps[*step as usize].work
                    && let Some(chosen) = run.version(*step)
                {
                    down(self, run.formula(*step, &versions[chosen], chosen).1);
                }
            }
            Op::Outcome(benefit) | Op::Amount(benefit) => {
                self.follow_benefit(book, run, *benefit as usize, index);
            }
            Op::Case(whens, otherwise) => {
                // An unknown test leaves both ways open, so both are asked for.
                for (test, value) in whens {
                    match run.seen(*test, level, index) {
                        Cell::Whole(0) => {}
                        test if test.is_known() => {
                            down(self, *value);
                            return;
                        }
                        _ => {
                            down(self, *test);
                            down(self, *value);
                        }
                    }
                }
                down(self, *otherwise);
            }
            Op::Aggregate { of, filter, .. } => {
                for child in run.offsets[index]..run.offsets[index + 1] {
                    let counts = filter.map_or(Cell::Whole(1), |filter| {
                        run.seen(filter, Level::Person, child)
                    });
                    if counts == Cell::Whole(0) {
                        continue;
                    }
                    let value = of.map_or(Cell::Whole(1), |of| run.seen(of, Level::Person, child));
                    // Whether somebody counts does not matter where he would add nothing.
                    if let (Some(filter), false) = (
                        filter,
                        counts.is_known() || (value == Cell::Whole(0) && of.is_some()),
                    ) {
                        let at = run.index_of(*filter, Level::Person, child);
                        self.follow(book, run, *filter, at);
                    }
                    if let (Some(of), false) = (of, value.is_known()) {
                        let at = run.index_of(*of, Level::Person, child);
                        self.follow(book, run, *of, at);
                    }
                }
            }
            other => {
                for operand in operands(other) {
                    down(self, operand);
                }
            }
        }
    }

    /// Why a benefit is to be verified.
    pub(crate) fn follow_benefit(
        &mut self,
        book: &Book,
        run: &Run<'_>,
        benefit: usize,
        index: usize,
    ) {
        let plan = run.plan(benefit);
        let level = Level::from(plan.to);
        let mut all_met = true;
        for condition in &plan.conditions {
            let at = run.index_of(*condition, level, index);
            if !run.own(*condition, at).is_known() {
                all_met = false;
                self.follow(book, run, *condition, at);
            }
        }
        if !all_met {
            return;
        }
        if let Some(trouble) = run.troubles.get(&(plan.paid, index)) {
            self.faults
                .insert(sentence(book, run, trouble, plan.paid, index));
        }
        if let Some(amount) = plan.amount {
            self.follow(book, run, amount, run.index_of(amount, level, index));
        }
        if let (Some(covers), Level::Household) = (plan.covers, level) {
            for child in run.offsets[index]..run.offsets[index + 1] {
                self.follow(book, run, covers, child);
            }
        }
    }
}

fn is_outside(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::NotYet(..)
            | Trouble::Lapsed(..)
            | Trouble::Unpublished(_)
            | Trouble::NoVersion
            | Trouble::Conflict(..)
            | Trouble::WrongValue(..)
            | Trouble::NotARegion(_)
            | Trouble::Overflow
    )
}

/// Which member of its household a cell belongs to.
pub(crate) fn member(run: &Run<'_>, level: Level, index: usize) -> Option<usize> {
    (level == Level::Person).then(|| index - run.offsets[run.parents[index]])
}

/// The parts an operation is made of.
pub(crate) fn operands(op: &Op) -> Vec<Reg> {
    match op {
        Op::AbsentIsZero(a)
        | Op::Negative(a)
        | Op::Abs(a)
        | Op::Not(a)
        | Op::Known(a)
        | Op::StartOfMonth(a)
        | Op::EndOfMonth(a)
        | Op::InRegion(a, _)
        | Op::Band(_, a)
        | Op::Round(a, _) => vec![*a],
        Op::Plus(a, b)
        | Op::Minus(a, b)
        | Op::Times(a, b)
        | Op::Over(a, b)
        | Op::Compare(_, a, b)
        | Op::And(a, b)
        | Op::Or(a, b)
        | Op::YearsBetween(a, b)
        | Op::MonthsBetween(a, b)
        | Op::AddMonths(a, b, _) => vec![*a, *b],
        Op::Greatest(of) | Op::Least(of) => of.clone(),
        _ => Vec::new(),
    }
}

/// All parts of an operation, those of choices and sums over members too.
pub(crate) fn all_operands(op: &Op) -> Vec<Reg> {
    match op {
        Op::Case(whens, otherwise) => whens
            .iter()
            .flat_map(|(test, value)| [*test, *value])
            .chain([*otherwise])
            .collect(),
        Op::Aggregate { of, filter, .. } => of.iter().chain(filter).copied().collect(),
        other => operands(other),
    }
}

fn sentence(book: &Book, run: &Run<'_>, trouble: &Trouble, reg: Reg, index: usize) -> String {
    let param = |number: &u32| {
        let parameter = &run.program.params[*number as usize];
        format!("“{}”（{}）", parameter.what, parameter.id)
    };
    let fact = |number: &u32| {
        let id = &run.program.inputs[*number as usize].fact;
        let label = book
            .fact(id)
            .map_or(id.as_str(), |fact| fact.label_zh.as_str());
        let level = run.program.nodes[reg as usize].level;
        match member(run, level, index) {
            Some(member) => format!("第{}位成员的“{label}”（{id}）", member + 1),
            None => format!("家庭的“{label}”（{id}）"),
        }
    };
    match trouble {
        Trouble::DivideByZero => "计算时除数为零；请核对人数、月数等数据".to_owned(),
        Trouble::Overflow => "数字太大，无法计算；请核对录入的金额".to_owned(),
        Trouble::NotYet(number, first) => {
            format!(
                "标准在该日期前没有公布值：{}从 {first} 起才有，请核对认定日期",
                param(number)
            )
        }
        Trouble::Lapsed(number, until) => {
            format!("标准自 {until} 起已失效，没有公布新值：{}", param(number))
        }
        Trouble::Unpublished(number) => format!("标准未公布：{}", param(number)),
        Trouble::BelowBand(number) => format!("低于{}的最低档", param(number)),
        Trouble::NoSuchCode(number) => format!("{}里没有这个代码对应的档", param(number)),
        Trouble::NoVersion => "该日期没有适用的规则版本".to_owned(),
        Trouble::Nobody => "没有可以比较的成员".to_owned(),
        Trouble::OutOfCalendar => "日期超出历法范围；请核对录入的日期".to_owned(),
        Trouble::Conflict(number, both) => {
            format!(
                "{}同时有两个不同的值：{both}；请核实以哪个为准",
                fact(number)
            )
        }
        Trouble::WrongValue(number, value) => {
            format!(
                "{}的值“{value}”不符合登记的类型或代码，不能采用",
                fact(number)
            )
        }
        Trouble::NotARegion(text) => format!("“{text}”不是区划代码；请核对登记的地址代码"),
        Trouble::NotWholeFen => {
            "算出的金额不是整分，而规则没有写怎样舍入；请报规则维护人员".to_owned()
        }
        Trouble::NotPositive => {
            "各项条件都符合，但算出的金额不大于零；规则有缺口，请报规则维护人员".to_owned()
        }
    }
}
