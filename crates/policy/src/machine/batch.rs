//! Working a batch out (执行一批): columns are made when something asks for them, so what nobody needs is never made.
//!
//! A test that is the same for the whole batch takes one way only; conditions that fail for everybody leave the amount
//! alone. Guarantees: each column is made at most once a batch. Deliberately absent: the loops; see `lanes`, `segments`.

use super::answers::Answer;
use super::division::rounded;
use super::graph::{Graph, Id, Op, Output, Per};
use super::lanes::{Flags, Numbers, Rare, negated};
use super::load::{self, Vocabulary};
use super::loops::{on_days, pairs, payable, say, spread, stepped, zeroed};
use super::segments::{MOST_MEMBERS, Segments};
use crate::cell::{added_months, between, on_day};
use crate::program::Level;
use crate::table::{ABSENT, BROKEN, KNOWN, Table};
use std::ops::Range;
use vocab::Month;

/// The memory of a machine (工作区), kept from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    numbers: Vec<Numbers>,
    flags: Vec<Flags>,
    /// Which column stands for another; its own number if none does.
    stands: Vec<Id>,
    done: Vec<bool>,
    spare_numbers: Vec<Numbers>,
    spare_flags: Vec<Flags>,
    segments: Segments,
    costs: Costs,
}

/// What making each column cost (耗时), while a clock is there: without what it is made of.
#[derive(Debug, Default)]
pub(super) struct Costs {
    pub(super) clock: Option<fn() -> u64>,
    /// Nanoseconds of each column.
    pub(super) of: Vec<u64>,
    /// What was spent so far inside the column being made.
    inside: u64,
}

impl Scratch {
    pub(super) fn of(graph: &Graph) -> Self {
        let count = graph.ops.len();
        let mut scratch = Self::default();
        scratch.numbers.resize_with(count, Numbers::default);
        scratch.flags.resize_with(count, Flags::default);
        scratch.done.resize(count, false);
        scratch.stands = (0..).zip(&graph.ops).map(|(id, _)| id).collect();
        scratch
    }

    pub(super) fn costs(&mut self) -> &mut Costs {
        &mut self.costs
    }

    pub(super) fn spent(&self) -> &[u64] {
        &self.costs.of
    }

    /// Forgets the last batch, except what is the same for everybody.
    fn begin(&mut self, graph: &Graph, offsets: &[u32]) {
        self.segments.take(offsets);
        for (id, done) in self.done.iter_mut().enumerate() {
            let kept =
                graph.levels[id] == Level::Single && !matches!(graph.ops[id], Op::WordConstant(_));
            if !kept {
                *done = false;
            }
        }
    }

    /// A column out of its place, to be written anew and put back; room is taken over from one released.
    fn take_number(&mut self, id: Id) -> Numbers {
        let numbers = std::mem::take(&mut self.numbers[id as usize]);
        if numbers.values.capacity() > 0 {
            return numbers;
        }
        self.spare_numbers.pop().unwrap_or(numbers)
    }

    /// As [`Scratch::take_number`].
    fn take_flag(&mut self, id: Id) -> Flags {
        let flags = std::mem::take(&mut self.flags[id as usize]);
        if flags.cells.capacity() > 0 {
            return flags;
        }
        self.spare_flags.pop().unwrap_or(flags)
    }

    fn release(&mut self, id: Id, graph: &Graph) {
        let at = id as usize;
        if graph.ops[at].is_flag() {
            let flags = std::mem::take(&mut self.flags[at]);
            if flags.cells.capacity() > 0 {
                self.spare_flags.push(flags);
            }
        } else {
            let numbers = std::mem::take(&mut self.numbers[at]);
            if numbers.values.capacity() > 0 {
                self.spare_numbers.push(numbers);
            }
        }
    }
}

/// A batch being worked out (一批).
pub(super) struct Batch<'x> {
    pub(super) graph: &'x Graph,
    pub(super) table: &'x Table<'x>,
    pub(super) words: &'x Vocabulary,
    pub(super) scratch: &'x mut Scratch,
    pub(super) rows: Range<usize>,
    pub(super) members: Range<usize>,
}

impl Batch<'_> {
    /// Works out every programme and writes what came out.
    pub(super) fn work(&mut self, answers: &mut [Answer]) -> Result<(), Rare> {
        let offsets = self.table.offsets.get(self.rows.start..=self.rows.end);
        if self.members.len() >= MOST_MEMBERS {
            return Err(Rare);
        }
        self.scratch.begin(self.graph, offsets.ok_or(Rare)?);
        let graph = self.graph;
        for (output, answer) in graph.outputs.iter().zip(answers) {
            let Ok(output) = output else { continue };
            self.answer(output, answer)?;
            for id in &output.last {
                self.scratch.release(*id, graph);
            }
        }
        Ok(())
    }

    fn answer(&mut self, output: &Output, answer: &mut Answer) -> Result<(), Rare> {
        let range = match answer.level {
            Level::Person => self.members.clone(),
            _ => self.rows.clone(),
        };
        self.need(output.granted)?;
        let granted = self.flag(output.granted);
        let outcome = &mut answer.outcome[range.clone()];
        say(granted, outcome, |cell| (cell + 1) >> 1);
        let nobody = granted.only().is_some_and(|cell| cell != 3);
        let amount = &mut answer.amount[range.clone()];
        match output.amount.filter(|_| !nobody) {
            None => amount.fill(0),
            Some(id) => {
                self.need(id)?;
                let (granted, number) = (self.flag(output.granted), self.number(id));
                match (granted.only(), number.one) {
                    (Some(_), false) => amount.copy_from_slice(&number.values),
                    (Some(_), true) => amount.fill(number.values[0]),
                    (None, one) => {
                        let cells = amount.iter_mut().zip(&granted.cells);
                        if one {
                            let value = number.values[0];
                            cells.for_each(|(to, cell)| *to = value & -i64::from(cell & 1));
                        } else {
                            let all = cells.zip(&number.values);
                            all.for_each(|((to, cell), value)| *to = value & -i64::from(cell & 1));
                        }
                    }
                }
            }
        }
        for (id, kept) in output.conditions.iter().zip(&mut answer.conditions) {
            self.need(*id)?;
            say(self.flag(*id), &mut kept[range.clone()], |cell| {
                (cell + 1) >> 1
            });
        }
        if let Some((id, covered)) = output.covers.zip(answer.covered.as_mut()) {
            let covered = &mut covered[self.members.clone()];
            if nobody {
                covered.fill(0);
                return Ok(());
            }
            self.need(id)?;
            let (granted, covers) = (self.flag(output.granted), self.flag(id));
            let parents = &self.scratch.segments.parents;
            for (at, (to, parent)) in covered.iter_mut().zip(parents).enumerate() {
                let met = granted.cell(*parent as usize) == 3;
                *to = u8::from(met && covers.cell(at) == 3);
            }
        }
        Ok(())
    }

    fn at(&self, id: Id) -> usize {
        self.scratch.stands[id as usize] as usize
    }

    fn flag(&self, id: Id) -> &Flags {
        &self.scratch.flags[self.at(id)]
    }

    fn number(&self, id: Id) -> &Numbers {
        &self.scratch.numbers[self.at(id)]
    }

    fn only(&self, id: Id) -> Option<u8> {
        self.flag(id).only()
    }

    fn height(&self, id: Id) -> usize {
        match self.graph.levels[id as usize] {
            Level::Single => 1,
            Level::Household => self.rows.len(),
            Level::Person => self.members.len(),
        }
    }

    /// Makes a column, and first what it is made of.
    fn need(&mut self, id: Id) -> Result<(), Rare> {
        if self.scratch.done[id as usize] {
            return Ok(());
        }
        let Some(clock) = self.scratch.costs.clock else {
            return self.make(id);
        };
        let outer = std::mem::take(&mut self.scratch.costs.inside);
        let begun = clock();
        let made = self.make(id);
        let spent = clock().saturating_sub(begun);
        let costs = &mut self.scratch.costs;
        costs.of[id as usize] += spent.saturating_sub(costs.inside);
        costs.inside = outer + spent;
        made
    }

    fn make(&mut self, id: Id) -> Result<(), Rare> {
        self.scratch.stands[id as usize] = id;
        let graph = self.graph;
        match &graph.ops[id as usize] {
            Op::And(a, b) => self.logic(id, *a, *b, 0)?,
            Op::Or(a, b) => self.logic(id, *a, *b, 3)?,
            Op::Select(test, yes, no) | Op::SelectFlag(test, yes, no) => {
                self.choose(id, *test, *yes, *no)?;
            }
            Op::Granted(all, payable) => {
                self.need(*all)?;
                match self.only(*all) {
                    Some(0) => self.stand(id, *all),
                    Some(1 | 2) => self.make_flag(id, |_, _, out| out.set_one(2)),
                    _ => {
                        self.need(*payable)?;
                        let (all, payable) = (self.at(*all), self.at(*payable));
                        self.make_flag(id, |flags, _, out| {
                            out.pairwise(&flags[all], &flags[payable], |all, payable| {
                                if all == 0 { 0 } else { all.min(payable).max(2) }
                            });
                        });
                    }
                }
            }
            Op::Paid(all, payable, amount) => {
                self.need(*all)?;
                if self.only(*all) == Some(0) {
                    self.make_number(id, |_, _, out| out.set_one(0, KNOWN));
                } else {
                    self.need(*payable)?;
                    self.need(*amount)?;
                    self.paid(id, *all, *payable, *amount);
                }
            }
            Op::Sum(of, filter) => {
                if let Some(filter) = filter {
                    self.need(*filter)?;
                }
                if filter.and_then(|filter| self.only(filter)) == Some(0) {
                    self.make_number(id, |_, _, out| out.set_one(0, KNOWN));
                } else {
                    self.need(*of)?;
                    self.sum(id, *of, *filter)?;
                }
            }
            Op::Times(a, b) => {
                self.need(*a)?;
                self.need(*b)?;
                let is_one = |id: Id| {
                    let of = self.number(id);
                    of.one && of.known && of.values[0] == 1
                };
                if is_one(*a) {
                    self.stand(id, *b);
                } else if is_one(*b) {
                    self.stand(id, *a);
                } else {
                    self.number_op(id, &graph.ops[id as usize])?;
                }
            }
            op if op.is_flag() => {
                self.need_parts(op)?;
                self.flag_op(id, op)?;
            }
            op => {
                self.need_parts(op)?;
                self.number_op(id, op)?;
            }
        }
        self.scratch.done[id as usize] = true;
        Ok(())
    }

    fn need_parts(&mut self, op: &Op) -> Result<(), Rare> {
        for part in op.operands() {
            self.need(part)?;
        }
        Ok(())
    }

    /// Lets a column stand for another.
    fn stand(&mut self, id: Id, other: Id) {
        let other = self.scratch.stands[other as usize];
        self.scratch.stands[id as usize] = other;
    }

    fn make_number(&mut self, id: Id, make: impl FnOnce(&[Numbers], &[Flags], &mut Numbers)) {
        let mut out = self.scratch.take_number(id);
        make(&self.scratch.numbers, &self.scratch.flags, &mut out);
        self.scratch.numbers[id as usize] = out;
    }

    fn make_flag(&mut self, id: Id, make: impl FnOnce(&[Flags], &[Numbers], &mut Flags)) {
        let mut out = self.scratch.take_flag(id);
        make(&self.scratch.flags, &self.scratch.numbers, &mut out);
        self.scratch.flags[id as usize] = out;
    }

    /// And, or: what ends it, ends it for the whole batch.
    fn logic(&mut self, id: Id, a: Id, b: Id, ends: u8) -> Result<(), Rare> {
        self.need(a)?;
        if self.only(a) == Some(ends) {
            self.stand(id, a);
            return Ok(());
        }
        self.need(b)?;
        if self.only(b) == Some(ends) || self.only(a) == Some(3 - ends) {
            self.stand(id, b);
        } else if self.only(b) == Some(3 - ends) {
            self.stand(id, a);
        } else {
            let (a, b) = (self.at(a), self.at(b));
            self.make_flag(id, |flags, _, out| match ends {
                0 => out.and(&flags[a], &flags[b]),
                _ => out.or(&flags[a], &flags[b]),
            });
        }
        Ok(())
    }

    fn choose(&mut self, id: Id, test: Id, yes: Id, no: Id) -> Result<(), Rare> {
        self.need(test)?;
        let way = match self.only(test) {
            Some(3) => Some(yes),
            Some(0) => Some(no),
            _ => None,
        };
        if let Some(way) = way {
            self.need(way)?;
            self.stand(id, way);
            return Ok(());
        }
        self.need(yes)?;
        self.need(no)?;
        let height = self.height(id);
        let (test, yes, no) = (self.at(test), self.at(yes), self.at(no));
        if self.graph.ops[id as usize].is_flag() {
            self.make_flag(id, |flags, _, out| {
                out.select(&flags[test], &flags[yes], &flags[no], height);
            });
        } else {
            self.make_number(id, |numbers, flags, out| {
                out.select(&flags[test], &numbers[yes], &numbers[no], height);
            });
        }
        Ok(())
    }

    /// What is paid and how well that is known: nothing if not met, and broken where the rules have a gap.
    fn paid(&mut self, id: Id, all: Id, payable: Id, amount: Id) {
        let height = self.height(id);
        let (all, payable, amount) = (self.at(all), self.at(payable), self.at(amount));
        self.make_number(id, |numbers, flags, out| {
            out.clear();
            let (all, payable, amount) = (&flags[all], &flags[payable], &numbers[amount]);
            for at in 0..height {
                let (value, state) = match (all.cell(at), payable.cell(at)) {
                    (0, _) => (0, KNOWN),
                    (3, 3) => (amount.value(at), KNOWN),
                    (3, 1) => (0, BROKEN),
                    _ => (0, ABSENT),
                };
                out.values.push(value);
                out.states.push(state);
            }
            (out.low, out.high) = (0, amount.high.max(0));
            out.settle();
        });
    }

    fn sum(&mut self, id: Id, of: Id, filter: Option<Id>) -> Result<(), Rare> {
        let (of, filter) = (self.at(of), filter.map(|filter| self.at(filter)));
        let mut out = self.scratch.take_number(id);
        let Scratch {
            numbers,
            flags,
            segments,
            ..
        } = &mut *self.scratch;
        let done = segments.sum(&numbers[of], filter.map(|filter| &flags[filter]), &mut out);
        numbers[id as usize] = out;
        done
    }

    fn flag_op(&mut self, id: Id, op: &Op) -> Result<(), Rare> {
        let mut out = self.scratch.take_flag(id);
        let done = self.fill_flag(id, op, &mut out);
        self.scratch.flags[id as usize] = out;
        done
    }

    fn fill_flag(&mut self, id: Id, op: &Op, out: &mut Flags) -> Result<(), Rare> {
        let range = match self.graph.levels[id as usize] {
            Level::Person => self.members.clone(),
            _ => self.rows.clone(),
        };
        let Scratch {
            numbers,
            flags,
            segments,
            stands,
            ..
        } = &mut *self.scratch;
        let number = |id: Id| &numbers[stands[id as usize] as usize];
        let flag = |id: Id| &flags[stands[id as usize] as usize];
        match op {
            Op::Flag(column) => load::flags(&self.table.columns[*column as usize], range, out)?,
            Op::Truth(cell) => out.set_one(*cell),
            Op::SpreadFlag(of) => {
                let of = flag(*of);
                out.clear();
                match of.only() {
                    Some(cell) => out.set_one(cell),
                    None => {
                        let cells = segments.parents.iter().map(|row| of.cells[*row as usize]);
                        out.cells.extend(cells);
                        out.known = of.known;
                    }
                }
            }
            Op::Compare(how, a, b) => out.compare(*how, number(*a), number(*b)),
            Op::Not(of) => {
                let of = flag(*of);
                if of.known {
                    out.each(of, |cell| cell ^ 3);
                } else {
                    out.each(of, negated);
                }
            }
            Op::Same(a, b) => out.pairwise(flag(*a), flag(*b), |a, b| match (a, b) {
                (0 | 3, 0 | 3) => u8::from(a == b) * 3,
                (1, _) | (_, 1) => 1,
                _ => 2,
            }),
            Op::Known(of) => out.is_known(number(*of)),
            Op::KnownFlag(of) => out.each(flag(*of), |cell| match cell {
                1 => 1,
                2 => 0,
                _ => 3,
            }),
            Op::ZeroedFlag(of) => out.each(flag(*of), |cell| if cell == 2 { 0 } else { cell }),
            Op::IsOneOf(of, ..) | Op::InRegions(of, _) => {
                self.words.ask(id, number(*of), out);
            }
            Op::Any(of) => segments.any(flag(*of), out),
            Op::All(of) => segments.all(flag(*of), out),
            Op::Clear(of) => segments.clear(flag(*of), out),
            Op::Payable(of, per) => {
                let by = match per {
                    Per::By(per) => Some(number(*per)),
                    Per::Fixed(_) => None,
                };
                payable(number(*of), by, *per, out);
            }
            // The others are made where their parts are asked for.
            _ => out.set_one(1),
        }
        Ok(())
    }

    fn number_op(&mut self, id: Id, op: &Op) -> Result<(), Rare> {
        let mut out = self.scratch.take_number(id);
        let done = self.fill_number(id, op, &mut out);
        self.scratch.numbers[id as usize] = out;
        done
    }

    fn fill_number(&mut self, id: Id, op: &Op, out: &mut Numbers) -> Result<(), Rare> {
        let range = match self.graph.levels[id as usize] {
            Level::Person => self.members.clone(),
            _ => self.rows.clone(),
        };
        let Scratch {
            numbers,
            flags,
            segments,
            stands,
            ..
        } = &mut *self.scratch;
        let number = |id: Id| &numbers[stands[id as usize] as usize];
        let flag = |id: Id| &flags[stands[id as usize] as usize];
        let column = |column: u32| &self.table.columns[column as usize];
        match op {
            Op::Number(from, per) => load::numbers(column(*from), *per, range, out)?,
            Op::Days(from) => load::days(column(*from), range, out)?,
            Op::Word(from) => self.words.load(*from, column(*from), range, out)?,
            Op::Constant(value, state) => out.set_one(*value, *state),
            Op::WordConstant(word) => out.set_one(self.words.constant(*word), KNOWN),
            Op::Spread(of) => spread(number(*of), &segments.parents, out),
            Op::Size => segments.size(out),
            Op::Common(per) => segments.common(number(*per), out)?,
            Op::Count(filter) => segments.count(flag(*filter), out),
            Op::Extreme(least, of, filter) => {
                segments.extreme(*least, number(*of), filter.map(flag), out);
            }
            Op::Zeroed(of) => zeroed(number(*of), out),
            Op::Steps(key, steps, falling) => stepped(number(*key), steps, *falling, out),
            Op::BandByCode(word, _) => self.words.band(id, number(*word), out),
            Op::Round(of, per, direction, step) => {
                let by = match per {
                    Per::By(per) => Some(number(*per)),
                    Per::Fixed(_) => None,
                };
                rounded(number(*of), by, *per, (*direction, *step), out)?;
            }
            Op::Between(a, b, months) => {
                on_days(number(*a), number(*b), out, |a, b| between(a, b, *months));
            }
            Op::Shift(a, b, factor) => {
                on_days(number(*a), number(*b), out, |a, b| {
                    added_months(a, b, *factor)
                });
            }
            Op::MonthStart(of) => {
                let of = number(*of);
                on_days(of, of, out, |day, _| {
                    on_day(day, |day| Some(Month::of(day).first_day()))
                });
            }
            Op::MonthEnd(of) => {
                let of = number(*of);
                on_days(of, of, out, |day, _| {
                    on_day(day, |day| Some(Month::of(day).last_day()))
                });
            }
            Op::Abs(of) => {
                let of = number(*of);
                let most = farthest(of)?;
                out.each(of, (0, most), i64::wrapping_abs);
            }
            Op::Magnitude(of) => {
                let of = number(*of);
                let most = farthest(of)?;
                if most <= 1 {
                    out.set_one(1, KNOWN);
                } else {
                    out.each(of, (1, most), |value| value.wrapping_abs().max(1));
                    out.states.clear();
                    out.known = true;
                }
            }
            other => pairs(other, number, out)?,
        }
        Ok(())
    }
}

/// How far from zero a column's values may lie.
fn farthest(of: &Numbers) -> Result<i64, Rare> {
    let (low, high) = (of.low.checked_abs(), of.high.checked_abs());
    Ok(low.ok_or(Rare)?.max(high.ok_or(Rare)?))
}
