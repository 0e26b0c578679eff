//! When time alone may change an outcome (时间敏感): which dates a book compares with the day asked, and how.
//!
//! From one night to the next most households are decided as before; who turns seventy is not. Guarantees: a household of
//! which nothing changed but the day is decided as before on every day before the one [`Clocks::next`] names; a formula
//! that is not understood makes everything change every day. Deliberately absent: deciding; and changes of the rules
//! themselves, see [`Book::turns_between`].

use crate::book::Book;
use crate::determination::Ask;
use crate::explain::all_operands;
use crate::parameter::Setting;
use crate::program::{Op, Program, Reg, Work};
use crate::table::column_nodes;
use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};

/// Which day of the month asked is compared with (比较的基准).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Base {
    Day,
    MonthStart,
    MonthEnd,
}

/// How a date is compared with it (比较的方式).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Beat {
    /// Full years: on these anniversaries, `None` on every one.
    Years(Option<BTreeSet<i64>>),
    /// Full months.
    Months,
    /// Before, on or after.
    Exact,
    /// Number of days: when it reaches one of these, or, `None`, every day. `true`: counted from the date on, `false`: up to it.
    Days(Option<BTreeSet<i64>>, bool),
}

/// What is made of two dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Years,
    Months,
    Order,
    Days,
}

/// When time may change outcomes (时间敏感).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clocks {
    dates: BTreeSet<(usize, Beat, Base)>,
    days: BTreeSet<NaiveDate>,
    always: bool,
}

/// What a node says about time.
#[derive(Debug, Clone, Default)]
struct Sense {
    /// Dates of these columns, counted as in `Book::columns`.
    columns: BTreeSet<usize>,
    /// Moved by months.
    shifted: bool,
    /// The day asked, or its month's first or last.
    base: Option<Base>,
    /// Fixed days among them.
    fixed: BTreeSet<NaiveDate>,
    /// Depends on the day asked in a way that is not understood.
    wild: bool,
}

struct Reader<'p> {
    program: &'p Program,
    columns: BTreeMap<Reg, usize>,
    users: BTreeMap<Reg, Vec<Reg>>,
    senses: BTreeMap<Reg, Sense>,
    clocks: Clocks,
}

impl Book {
    /// When time alone may change an outcome of the programmes asked for (时间敏感).
    pub fn clocks(&self, ask: &Ask) -> Clocks {
        let program = self.program();
        let mut reader = Reader {
            program,
            columns: column_nodes(program)
                .into_iter()
                .enumerate()
                .map(|(at, (_, reg))| (reg, at))
                .collect(),
            users: BTreeMap::new(),
            senses: BTreeMap::new(),
            clocks: Clocks::default(),
        };
        let reached = reader.reach(&self.wanted(ask));
        for node in &reached {
            for part in reader.parts(*node) {
                reader.users.entry(part).or_default().push(*node);
            }
        }
        for node in reached {
            reader.sense(node);
        }
        reader.clocks
    }

    /// Whether a rule or a value begins or ends after a day and not after another (规则在两日之间是否有变).
    pub fn turns_between(&self, after: NaiveDate, until: NaiveDate) -> bool {
        let between = |day: NaiveDate| after < day && day <= until;
        let program = self.program();
        let values = program.params.iter().flat_map(|known| &known.values);
        let rules = program.steps.iter().filter_map(|step| match &step.work {
            Work::Rule { versions, .. } => Some(versions),
            Work::Benefit(_) => None,
        });
        values
            .clone()
            .any(|value| between(value.from) || value.until.is_some_and(between))
            || rules
                .flatten()
                .any(|version| version.from.is_some_and(between))
    }
}

impl Reader<'_> {
    /// What a node is made of, through variables and outcomes of other programmes.
    fn parts(&self, node: Reg) -> Vec<Reg> {
        let program = self.program;
        match &program.nodes[node as usize].op {
            Op::Result(step) => match &program.steps[*step as usize].work {
                Work::Rule { versions, .. } => {
                    versions.iter().map(|version| version.root).collect()
                }
                Work::Benefit(_) => Vec::new(),
            },
            Op::Outcome(benefit) | Op::Amount(benefit) => {
                let plan = &program.benefits[*benefit as usize];
                let ends = [plan.amount, plan.covers, plan.starts_on];
                plan.conditions
                    .iter()
                    .copied()
                    .chain(ends.into_iter().flatten())
                    .collect()
            }
            other => all_operands(other),
        }
    }

    /// Every node the programmes rest on.
    fn reach(&self, wanted: &[usize]) -> BTreeSet<Reg> {
        let program = self.program;
        let mut open: Vec<Reg> = Vec::new();
        for benefit in wanted {
            let plan = &program.benefits[*benefit];
            open.extend(&plan.conditions);
            open.extend(
                [plan.amount, plan.covers, plan.starts_on]
                    .into_iter()
                    .flatten(),
            );
            for step in &plan.closure {
                match &program.steps[*step as usize].work {
                    Work::Rule { versions, .. } => {
                        open.extend(versions.iter().map(|version| version.root));
                    }
                    Work::Benefit(other) => {
                        let other = &program.benefits[*other as usize];
                        open.extend(&other.conditions);
                        open.extend(
                            [other.amount, other.covers, other.starts_on]
                                .into_iter()
                                .flatten(),
                        );
                    }
                }
            }
        }
        let mut reached = BTreeSet::new();
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(self.parts(node));
            }
        }
        reached
    }

    fn sense(&mut self, node: Reg) -> Sense {
        if let Some(known) = self.senses.get(&node) {
            return known.clone();
        }
        // Programmes form no cycle; should one be met all the same, nothing about it is understood.
        let guard = Sense {
            wild: true,
            ..Sense::default()
        };
        self.senses.insert(node, guard);
        let sense = self.read(node);
        if sense.wild {
            self.clocks.always = true;
        }
        self.senses.insert(node, sense.clone());
        sense
    }

    fn read(&mut self, node: Reg) -> Sense {
        let op = self.program.nodes[node as usize].op.clone();
        let is_date = self.program.nodes[node as usize].kind == crate::kind::Kind::Date;
        let based = |base| Sense {
            base: Some(base),
            ..Sense::default()
        };
        match op {
            Op::AsOf => based(Base::Day),
            Op::MonthStart => based(Base::MonthStart),
            Op::MonthEnd => based(Base::MonthEnd),
            Op::Fact(_) if is_date => Sense {
                columns: self.columns.get(&node).copied().into_iter().collect(),
                ..Sense::default()
            },
            Op::Constant(day) if is_date => Sense {
                fixed: day_of(day).into_iter().collect(),
                ..Sense::default()
            },
            Op::Param(parameter) if is_date => {
                let values = self.program.params[parameter as usize].values.iter();
                let fixed = values.filter_map(|value| match value.value {
                    Setting::Single(day) => day_of(day),
                    Setting::Steps(_) | Setting::Codes(_) => None,
                });
                Sense {
                    fixed: fixed.collect(),
                    ..Sense::default()
                }
            }
            Op::StartOfMonth(of) | Op::EndOfMonth(of) => {
                let mut sense = self.sense(of);
                let last = matches!(op, Op::EndOfMonth(_));
                sense.base = sense.base.map(|_| {
                    if last {
                        Base::MonthEnd
                    } else {
                        Base::MonthStart
                    }
                });
                sense.shifted |= !sense.columns.is_empty() || !sense.fixed.is_empty();
                sense
            }
            Op::AddMonths(of, by, _) => {
                let (mut sense, by) = (self.sense(of), self.sense(by));
                sense.wild |= by.base.is_some() || by.wild;
                sense.shifted = true;
                sense
            }
            Op::YearsBetween(from, to) => self.compared(node, from, to, How::Years),
            Op::MonthsBetween(from, to) => self.compared(node, from, to, How::Months),
            Op::Compare(_, from, to) => self.compared(node, from, to, How::Order),
            Op::Minus(to, from) => self.compared(node, from, to, How::Days),
            _ => self.composed(node, is_date),
        }
    }

    /// A choice among dates is one of them; of everything else only what is not understood is passed on.
    fn composed(&mut self, node: Reg, is_date: bool) -> Sense {
        let mut all = Sense::default();
        for part in self.parts(node) {
            let sense = self.sense(part);
            all.wild |= sense.wild;
            let date = self.program.nodes[part as usize].kind == crate::kind::Kind::Date;
            if is_date && date {
                // A choice between the day asked and another date is not followed further.
                all.wild |= sense.base.is_some() && (all.base.is_some() && all.base != sense.base);
                all.columns.extend(sense.columns);
                all.fixed.extend(sense.fixed);
                all.shifted |= sense.shifted;
                all.base = all.base.or(sense.base);
            } else if !is_date && date && sense.base.is_some() {
                // Whether the day is known is always the same.
                all.wild |= !matches!(self.program.nodes[node as usize].op, Op::Known(_));
            }
        }
        all.wild |= all.base.is_some() && !(all.columns.is_empty() && all.fixed.is_empty());
        all
    }

    /// Something made of two dates, of which one may be the day asked.
    fn compared(&mut self, node: Reg, from: Reg, to: Reg, how: How) -> Sense {
        let (from, to) = (self.sense(from), self.sense(to));
        let mut sense = Sense {
            wild: from.wild || to.wild,
            ..Sense::default()
        };
        let shifted = from.shifted || to.shifted;
        let (dates, base, since) = match (from.base, to.base) {
            (None, None) => return sense,
            (Some(base), None) => (to, base, false),
            (None, Some(base)) => (from, base, true),
            (Some(_), Some(_)) => {
                sense.wild = true;
                return sense;
            }
        };
        let beat = match (how, shifted) {
            (How::Days, false) => Beat::Days(self.thresholds(node), since),
            (How::Days, true) => Beat::Days(None, since),
            (How::Years, false) => Beat::Years(self.thresholds(node)),
            (How::Order, false) => Beat::Exact,
            (How::Months, _) | (_, true) => Beat::Months,
        };
        if beat != Beat::Exact && !dates.fixed.is_empty() {
            sense.wild = true;
        }
        for day in &dates.fixed {
            let days = [Some(*day), day.succ_opt()];
            self.clocks.days.extend(
                days.into_iter()
                    .flatten()
                    .filter_map(|day| lifted(base, day)),
            );
        }
        for column in &dates.columns {
            self.clocks.dates.insert((*column, beat.clone(), base));
        }
        sense
    }

    /// The numbers a count of years or days is compared with, if it is used for nothing else.
    fn thresholds(&self, node: Reg) -> Option<BTreeSet<i64>> {
        let mut found = BTreeSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            for user in self.users.get(&node).into_iter().flatten() {
                match &self.program.nodes[*user as usize].op {
                    Op::Result(_) | Op::AbsentIsZero(_) => open.push(*user),
                    Op::Known(_) => {}
                    Op::Compare(_, a, b) => {
                        let other = if *a == node { *b } else { *a };
                        for number in self.numbers(other)? {
                            found.extend([number, number.saturating_add(1)]);
                        }
                    }
                    Op::Band(parameter, of) if *of == node => {
                        for value in &self.program.params[*parameter as usize].values {
                            match &value.value {
                                Setting::Steps(by) => found.extend(by.keys()),
                                Setting::Single(_) | Setting::Codes(_) => return None,
                            }
                        }
                    }
                    _ => return None,
                }
            }
        }
        Some(found)
    }

    /// All values a constant, a whole parameter or a choice among such can have.
    fn numbers(&self, node: Reg) -> Option<Vec<i64>> {
        match &self.program.nodes[node as usize].op {
            Op::Constant(number) => Some(vec![*number]),
            Op::Result(_) | Op::Greatest(_) | Op::Least(_) => self.all_numbers(&self.parts(node)),
            Op::Case(whens, otherwise) => {
                let values = whens.iter().map(|(_, value)| *value);
                self.all_numbers(&values.chain([*otherwise]).collect::<Vec<_>>())
            }
            Op::Param(parameter) => {
                let known = &self.program.params[*parameter as usize];
                if known.divisor != 1 {
                    return None;
                }
                known
                    .values
                    .iter()
                    .map(|value| match value.value {
                        Setting::Single(number) => Some(number),
                        Setting::Steps(_) | Setting::Codes(_) => None,
                    })
                    .collect()
            }
            _ => None,
        }
    }
}

impl Reader<'_> {
    fn all_numbers(&self, nodes: &[Reg]) -> Option<Vec<i64>> {
        let found: Option<Vec<Vec<i64>>> = nodes.iter().map(|node| self.numbers(*node)).collect();
        found.map(|found| found.into_iter().flatten().collect())
    }
}

fn day_of(number: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// The first day asked on which the base has reached a date.
fn lifted(base: Base, day: NaiveDate) -> Option<NaiveDate> {
    let first = day.with_day(1)?;
    match base {
        Base::Day => Some(day),
        Base::MonthEnd => Some(first),
        Base::MonthStart if first == day => Some(day),
        Base::MonthStart => first.checked_add_months(Months::new(1)),
    }
}

impl Clocks {
    /// Whether everybody may be decided differently on a later day (是否须全部重算).
    pub fn turns_all(&self, after: NaiveDate, until: NaiveDate) -> bool {
        self.always || self.days.iter().any(|day| after < *day && *day <= until)
    }

    /// The columns with dates that matter (相关日期列), counted in [`Book::columns`].
    pub fn columns(&self) -> BTreeSet<usize> {
        self.dates.iter().map(|(column, _, _)| *column).collect()
    }

    /// The first day after a day on which a date in a column may change an outcome (下一个敏感日), the date counted from
    /// the common era; `None` if no day will.
    pub fn next(&self, column: usize, date: i64, after: NaiveDate) -> Option<NaiveDate> {
        let date = day_of(date)?;
        self.dates
            .iter()
            .filter(|(of, _, _)| *of == column)
            .filter_map(|(_, beat, base)| next_of(beat, *base, date, after))
            .min()
    }
}

fn next_of(beat: &Beat, base: Base, date: NaiveDate, after: NaiveDate) -> Option<NaiveDate> {
    let later = |day: NaiveDate| lifted(base, day).filter(|day| *day > after);
    // A day that does not exist every year is counted on the day before or after it: both are named.
    let around = |day: NaiveDate| [Some(day), day.checked_add_days(Days::new(1))];
    match beat {
        Beat::Days(None, _) => after.succ_opt(),
        Beat::Days(Some(only), since) => only
            .iter()
            .filter_map(|days| {
                let days = if *since { *days } else { days.checked_neg()? };
                let day = date.checked_add_signed(TimeDelta::try_days(days)?)?;
                around(day).into_iter().flatten().filter_map(later).min()
            })
            .min(),
        Beat::Exact => around(date).into_iter().flatten().filter_map(later).min(),
        Beat::Years(only) => {
            let now = i64::from(after.year() - date.year());
            let nearest = now - 2..=now + 2;
            let years: Vec<i64> = match only {
                Some(only) => only.range(now - 2..).copied().collect(),
                None => nearest.collect(),
            };
            years
                .into_iter()
                .filter_map(|years| {
                    let months = u32::try_from(years.checked_mul(12)?).ok()?;
                    let day = date.checked_add_months(Months::new(months))?;
                    around(day).into_iter().flatten().filter_map(later).min()
                })
                .min()
        }
        Beat::Months => {
            let first = after.with_day(1)?;
            (0..=3_u32)
                .filter_map(|ahead| {
                    let month = first.checked_add_months(Months::new(ahead))?;
                    let day = (1..=date.day()).rev().find_map(|day| month.with_day(day))?;
                    // Counted back from the end of a month as well: its length shifts the last days by up to three.
                    let shifted = if date.day() < 28 { 1 } else { 3 };
                    let days = [Some(month), Some(day)]
                        .into_iter()
                        .chain((1..=shifted).map(|more| day.checked_add_days(Days::new(more))));
                    days.flatten().filter_map(later).min()
                })
                .min()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_day_that_matters_is_named() {
        let born = day("1946-06-15");
        let only = Beat::Years(Some(BTreeSet::from([70, 80])));
        let next = |beat: &Beat, base, after: &str| next_of(beat, base, born, day(after));
        assert_eq!(
            next(&only, Base::Day, "2026-06-01"),
            Some(day("2026-06-15"))
        );
        assert_eq!(
            next(&only, Base::MonthEnd, "2026-05-20"),
            Some(day("2026-06-01"))
        );
        assert_eq!(
            next(&only, Base::MonthStart, "2026-06-20"),
            Some(day("2026-07-01"))
        );
        // Past the last threshold nothing changes any more.
        assert_eq!(next(&only, Base::Day, "2026-07-01"), None);
        assert_eq!(
            next(&Beat::Years(None), Base::Day, "2026-06-16"),
            Some(day("2027-06-15"))
        );
        assert_eq!(next(&Beat::Exact, Base::Day, "2026-06-01"), None);
        // By months: the first of a month, the day itself and the one after; at the end of a month three more.
        let months = |after: &str| next_of(&Beat::Months, Base::Day, born, day(after));
        assert_eq!(months("2026-06-01"), Some(day("2026-06-15")));
        assert_eq!(months("2026-06-15"), Some(day("2026-06-16")));
        assert_eq!(months("2026-06-16"), Some(day("2026-07-01")));
        let last = day("1946-01-31");
        let months = |after: &str| next_of(&Beat::Months, Base::Day, last, day(after));
        assert_eq!(months("2026-02-28"), Some(day("2026-03-01")));
        assert_eq!(months("2026-04-30"), Some(day("2026-05-01")));
        // 30 days since 15 June are full on 15 July; a count up to a date turns before it.
        let days = |since, after: &str| {
            let only = Beat::Days(Some(BTreeSet::from([30])), since);
            next_of(&only, Base::Day, born, day(after))
        };
        assert_eq!(days(true, "1946-06-20"), Some(day("1946-07-15")));
        assert_eq!(days(true, "1946-07-16"), None);
        assert_eq!(days(false, "1946-05-01"), Some(day("1946-05-16")));
        let leap = next_of(
            &Beat::Years(None),
            Base::Day,
            day("2000-02-29"),
            day("2026-02-01"),
        );
        assert_eq!(leap, Some(day("2026-02-28")));
    }
}
