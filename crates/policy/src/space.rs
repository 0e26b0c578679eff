//! Gaps in the rules (规则缺口): an input for which there is neither a reason to refuse nor a grant, although nothing is
//! missing.
//!
//! From households that are granted something, one fact is changed and then two: yes and no, every code, every number just
//! below, at and above each threshold that it can reach (found by following how each comparison moves), every age on its
//! birthday and a day to either side. Guarantees: what is reported is a real input with all facts known, with the fewest
//! changes found; standards that are not published are no gap. Deliberately absent: three changes at once.

use crate::answer::brief;
use crate::book::Book;
use crate::cases::Case;
use crate::cell::Cell;
use crate::determination::{Ask, Outcome, Unit};
use crate::evaluate::Run;
use crate::explain::Why;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::parameter::Setting;
use crate::program::{Level, Op, Program, Reg, Work};
use crate::ratio::Ratio;
use chrono::{Datelike, Days, Months, NaiveDate};
use std::collections::{BTreeMap, BTreeSet};
use vocab::{DatedFact, FactSheet, Month, Value};

/// From how many granted cases of a programme the search begins.
const BASES: usize = 3;
/// Members of a household whose facts are changed.
const MEMBERS: usize = 3;
/// Inputs tried for a programme: changes of one fact, and of two.
const SINGLES: usize = 1_500;
const PAIRS: usize = 800;
/// How far a number is moved to see what follows: whole fen for up to six people and by the month.
const STEP: i64 = 1_200;
const BATCH: usize = 128;

/// One fact of the sheet that can be changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    input: u32,
    member: Option<usize>,
}

/// A slot and its new value; `None` takes the fact away.
type Move = (Slot, Option<Value>);

/// All gaps of a book, at the benefits they concern (规则缺口).
pub(crate) fn gaps(book: &Book) -> Vec<Fault> {
    let places: Vec<usize> = (0..book.programmes().len()).collect();
    let found = crate::many::each(&places, |place| Search::new(book, *place).gaps());
    found.into_iter().flatten().collect()
}

struct Search<'a> {
    book: &'a Book,
    program: &'a Program,
    benefit: usize,
}

impl<'a> Search<'a> {
    fn new(book: &'a Book, benefit: usize) -> Self {
        Self {
            book,
            program: book.program(),
            benefit,
        }
    }

    fn gaps(&self) -> Vec<Fault> {
        let programme = &self.book.programmes()[self.benefit];
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        let mut left = SINGLES;
        for (number, case) in self.bases().into_iter().enumerate() {
            let ask = case.ask();
            let moves = self.moves(case, &ask);
            let singles: Vec<Vec<&Move>> = moves.iter().map(|one| vec![one]).collect();
            self.look(case, &ask, &thin(singles, left), &mut found);
            if found.is_empty() && number == 0 {
                self.look(case, &ask, &pairs(&moves, PAIRS), &mut found);
            }
            left = left.saturating_sub(moves.len());
            if left == 0 {
                break;
            }
        }
        let spot = &programme.benefit.spot;
        found
            .into_iter()
            .map(|(why, input)| Fault {
                file: spot.file.to_string(),
                line: spot.line,
                column: spot.column,
                sentence_zh: format!("规则有缺口：{input}，没有不符合的理由，也给不出待遇；{why}"),
            })
            .collect()
    }

    /// Granted cases, each with another day first.
    fn bases(&self) -> Vec<&'a Case> {
        let programme = &self.book.programmes()[self.benefit];
        let granted = |case: &&Case| {
            case.expects
                .iter()
                .any(|expect| expect.outcome == Outcome::Met)
        };
        let all: Vec<&Case> = self
            .book
            .cases(&programme.id)
            .iter()
            .filter(granted)
            .collect();
        let mut days = BTreeSet::new();
        let (first, rest): (Vec<&Case>, Vec<&Case>) =
            all.into_iter().partition(|case| days.insert(case.as_of));
        first.into_iter().rev().chain(rest).take(BASES).collect()
    }

    fn slots(&self, sheet: &FactSheet) -> Vec<Slot> {
        let plan = &self.program.benefits[self.benefit];
        let mut slots = Vec::new();
        for input in &plan.inputs {
            match self.program.inputs[*input as usize].of {
                Unit::Household | Unit::Organisation => slots.push(Slot {
                    input: *input,
                    member: None,
                }),
                Unit::Person => {
                    slots.extend((0..sheet.members.len().min(MEMBERS)).map(|member| Slot {
                        input: *input,
                        member: Some(member),
                    }));
                }
            }
        }
        slots
    }

    /// Every change of one fact that is worth trying.
    fn moves(&self, case: &Case, ask: &Ask) -> Vec<Move> {
        let slots = self.slots(&case.sheet);
        let reached = self.thresholds(case, ask, &slots);
        let ages = self.ages(ask);
        let mut moves = Vec::new();
        for slot in &slots {
            let input = &self.program.inputs[slot.input as usize];
            let mut values: Vec<Option<Value>> = vec![None];
            match input.kind {
                Kind::Bool => values.extend([true, false].map(|flag| Some(Value::Bool(flag)))),
                Kind::Code => values.extend(
                    input
                        .words
                        .iter()
                        .filter_map(|word| self.program.words.text(*word))
                        .map(|code| Some(Value::Text(code.to_owned()))),
                ),
                Kind::Text => {
                    // The only text a rule can look at is a place.
                    let here = self.book.place().division.to_string();
                    let there = if here.starts_with("11") {
                        "310101001001"
                    } else {
                        "110101001001"
                    };
                    values.push(Some(Value::Text(there.to_owned())));
                }
                Kind::Date => {
                    let days = reached.get(slot).into_iter().flatten();
                    let days = days
                        .filter_map(|day| day_of(*day))
                        .chain(ages.iter().copied());
                    values.extend(days.map(|day| Some(Value::Date(day))));
                }
                _ => {
                    let numbers: BTreeSet<i64> = reached
                        .get(slot)
                        .into_iter()
                        .flatten()
                        .copied()
                        .chain([0, 1])
                        .filter(|number| *number >= 0)
                        .collect();
                    values.extend(numbers.into_iter().map(|number| Some(Value::Int(number))));
                }
            }
            let now = self.value(&case.sheet, slot, ask);
            values.retain(|value| *value != now);
            moves.extend(values.into_iter().map(|value| (slot.clone(), value)));
        }
        moves
    }

    fn value(&self, sheet: &FactSheet, slot: &Slot, ask: &Ask) -> Option<Value> {
        let fact = &self.program.inputs[slot.input as usize].fact;
        let record = match slot.member {
            Some(member) => sheet.members.get(member)?,
            None => &sheet.household,
        };
        record
            .get(fact)?
            .iter()
            .find(|row| row.period.holds(ask.as_of))
            .map(|row| row.value.clone())
    }

    fn changed<'m>(&self, sheet: &FactSheet, moves: impl Iterator<Item = &'m Move>) -> FactSheet {
        let mut sheet = sheet.clone();
        for (slot, value) in moves {
            let fact = self.program.inputs[slot.input as usize].fact.clone();
            let record = match slot.member {
                Some(member) => &mut sheet.members[member],
                None => &mut sheet.household,
            };
            match value {
                Some(value) => {
                    record.insert(fact, vec![DatedFact::plain(value.clone())]);
                }
                None => {
                    record.remove(&fact);
                }
            }
        }
        sheet
    }

    fn run<'r>(&self, sheets: &'r [FactSheet], ask: &'r Ask) -> Run<'r>
    where
        'a: 'r,
    {
        let region = ask.region.unwrap_or(self.book.place().division);
        Run::whole(self.program, sheets, ask, region, &[self.benefit])
    }

    /// The numbers at which a comparison turns when one fact alone moves, with their neighbours.
    fn thresholds(&self, case: &Case, ask: &Ask, slots: &[Slot]) -> BTreeMap<Slot, BTreeSet<i64>> {
        let mut begins: Vec<(Slot, i64)> = Vec::new();
        let mut sheets = Vec::new();
        for slot in slots {
            let kind = self.program.inputs[slot.input as usize].kind;
            let begin = match self.value(&case.sheet, slot, ask) {
                Some(Value::Int(number)) => number,
                Some(Value::Date(day)) => i64::from(day.num_days_from_ce()),
                _ if kind.is_number() => 0,
                _ if kind == Kind::Date => i64::from(ask.as_of.num_days_from_ce()),
                _ => continue,
            };
            for number in [begin, begin.saturating_add(STEP)] {
                let value = if kind == Kind::Date {
                    day_of(number).map(Value::Date)
                } else {
                    Some(Value::Int(number))
                };
                sheets.push(self.changed(&case.sheet, [(slot.clone(), value)].iter()));
            }
            begins.push((slot.clone(), begin));
        }
        let mut found = BTreeMap::new();
        for (begins, sheets) in begins.chunks(BATCH / 2).zip(sheets.chunks(BATCH / 2 * 2)) {
            let run = self.run(sheets, ask);
            let probes = self.probes(&run);
            for (place, (slot, begin)) in begins.iter().enumerate() {
                let reached: &mut BTreeSet<i64> = found.entry(slot.clone()).or_default();
                for probe in &probes {
                    probe.roots(&run, place * 2, *begin, reached);
                }
            }
        }
        found
    }

    /// Everything that turns at a threshold: comparisons, the larger of two, bands, and the amount at zero.
    fn probes(&self, run: &Run<'_>) -> Vec<Probe> {
        let plan = &self.program.benefits[self.benefit];
        let mut nodes: Vec<Reg> = plan.nodes.clone().collect();
        for step in &plan.closure {
            if let (Work::Rule { versions, .. }, Some(chosen)) =
                (&self.program.steps[*step as usize].work, run.version(*step))
            {
                nodes.extend(versions[chosen].nodes.clone());
            }
        }
        let mut probes: Vec<Probe> = plan
            .amount
            .map(|amount| Probe::new(self.program, amount, Against::Number(0)))
            .into_iter()
            .collect();
        for reg in nodes {
            let node = &self.program.nodes[reg as usize];
            match &node.op {
                Op::Compare(_, a, b) => probes.push(Probe {
                    level: node.level,
                    left: *a,
                    against: Against::Node(*b),
                }),
                Op::Greatest(of) | Op::Least(of) => {
                    if let [first, rest @ ..] = of.as_slice() {
                        probes.extend(rest.iter().map(|other| Probe {
                            level: node.level,
                            left: *first,
                            against: Against::Node(*other),
                        }));
                    }
                }
                Op::Band(param, key) => {
                    let parameter = &self.program.params[*param as usize];
                    for value in &parameter.values {
                        if let Setting::Steps(steps) = &value.value {
                            let bounds = steps.keys();
                            probes.extend(bounds.map(|bound| Probe {
                                level: node.level,
                                left: *key,
                                against: Against::Number(*bound),
                            }));
                        }
                    }
                }
                _ => {}
            }
        }
        probes
    }

    /// Birthdays for every age a rule may mean, with the days before and after, and the edges of the month.
    fn ages(&self, ask: &Ask) -> BTreeSet<NaiveDate> {
        let mut years: BTreeSet<i64> = BTreeSet::new();
        for node in &self.program.nodes {
            if let (Op::Constant(number), Kind::Count) = (&node.op, node.kind) {
                years.insert(*number);
            }
        }
        for parameter in &self.program.params {
            for value in &parameter.values {
                match &value.value {
                    Setting::Single(number) if parameter.unit == "years" => {
                        years.insert(*number);
                    }
                    Setting::Steps(steps) => years.extend(steps.keys()),
                    Setting::Single(_) | Setting::Codes(_) => {}
                }
            }
        }
        let mut days = BTreeSet::new();
        let month = Month::of(ask.as_of);
        for number in years.range(1..=120) {
            let back = u32::try_from(number * 12).unwrap_or(0);
            for end in [ask.as_of, month.first_day(), month.last_day()] {
                if let Some(day) = end.checked_sub_months(Months::new(back)) {
                    days.extend([
                        day.checked_sub_days(Days::new(1)).unwrap_or(day),
                        day,
                        day.checked_add_days(Days::new(1)).unwrap_or(day),
                    ]);
                }
            }
        }
        days
    }

    /// Tries inputs; notes for each kind of gap the first one found.
    fn look(
        &self,
        case: &Case,
        ask: &Ask,
        inputs: &[Vec<&Move>],
        found: &mut BTreeMap<String, String>,
    ) {
        for batch in inputs.chunks(BATCH) {
            let sheets: Vec<FactSheet> = batch
                .iter()
                .map(|moves| self.changed(&case.sheet, moves.iter().copied()))
                .collect();
            let run = self.run(&sheets, ask);
            for (row, moves) in batch.iter().enumerate() {
                let mut briefs = Vec::new();
                brief(&run, self.benefit, row, &mut briefs);
                for one in &briefs {
                    if one.outcome != Outcome::ToVerify {
                        continue;
                    }
                    let index = match one.member {
                        Some(member) => run.offsets[row] + member,
                        None => row,
                    };
                    let mut why = Why::default();
                    why.follow_benefit(self.book, &run, self.benefit, index);
                    if !why.missing.is_empty() || why.outside {
                        continue;
                    }
                    let faults: Vec<String> = why.faults.into_iter().collect();
                    found
                        .entry(faults.join("；"))
                        .or_insert_with(|| self.said(case, moves));
                }
            }
        }
    }

    fn said(&self, case: &Case, moves: &[&Move]) -> String {
        let changes: Vec<String> = moves
            .iter()
            .map(|(slot, value)| {
                let fact = &self.program.inputs[slot.input as usize].fact;
                let who = slot
                    .member
                    .map_or_else(String::new, |member| format!("第{}位成员的", member + 1));
                match value {
                    Some(value) => format!(
                        "{who} {fact} 改为 {}",
                        serde_json::to_string(value).unwrap_or_default()
                    ),
                    None => format!("{who} {fact} 去掉"),
                }
            })
            .collect();
        format!("办例“{}”把{}", case.name, changes.join("、"))
    }
}

/// What turns at a threshold.
struct Probe {
    level: Level,
    left: Reg,
    against: Against,
}

enum Against {
    Node(Reg),
    Number(i64),
}

impl Probe {
    fn new(program: &Program, left: Reg, against: Against) -> Self {
        Self {
            level: program.nodes[left as usize].level,
            left,
            against,
        }
    }

    fn distance(&self, run: &Run<'_>, index: usize) -> Option<Ratio> {
        let left = run.seen(self.left, self.level, index).ratio()?;
        let right = match self.against {
            Against::Node(reg) => run.seen(reg, self.level, index).ratio()?,
            Against::Number(number) => Cell::Whole(number).ratio()?,
        };
        left.minus(right)
    }

    /// Where the distance would be zero if it went on as it went from row to row + 1.
    fn roots(&self, run: &Run<'_>, row: usize, begin: i64, into: &mut BTreeSet<i64>) {
        let cells = |row: usize| match self.level {
            Level::Single => 0..1,
            Level::Household => row..row + 1,
            Level::Person => run.offsets[row]..run.offsets[row + 1],
        };
        for (before, after) in cells(row).zip(cells(row + 1)) {
            let root = || -> Option<i64> {
                let (d0, d1) = (self.distance(run, before)?, self.distance(run, after)?);
                let slope = d1.minus(d0)?;
                if slope.is_zero() {
                    return None;
                }
                let steps = d0.over(slope)?.times(Ratio::whole(STEP))?;
                let root = Ratio::whole(begin).minus(steps)?;
                i64::try_from(root.floor()).ok()
            };
            if let Some(root) = root() {
                into.extend((-1..=2).filter_map(|near| root.checked_add(near)));
            }
        }
    }
}

fn day_of(number: i64) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?)
}

/// At most so many, spread over the whole list.
fn thin<T>(list: Vec<T>, most: usize) -> Vec<T> {
    let stride = list.len().div_ceil(most.max(1)).max(1);
    list.into_iter().step_by(stride).collect()
}

/// Changes of two facts, spread over all there are.
fn pairs(moves: &[Move], most: usize) -> Vec<Vec<&Move>> {
    let all = moves.len() * moves.len().saturating_sub(1) / 2;
    // An odd stride walks through all remainders, so no fact is left out.
    let stride = all.div_ceil(most.max(1)).max(1) | 1;
    let mut found = Vec::new();
    let mut number = 0;
    for (place, first) in moves.iter().enumerate() {
        for second in &moves[place + 1..] {
            if number % stride == 0 && first.0 != second.0 {
                found.push(vec![first, second]);
            }
            number += 1;
        }
    }
    found
}
