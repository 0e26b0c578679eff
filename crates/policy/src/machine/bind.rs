//! Binding (绑定): from the program's nodes to columns, with the day, the place and the versions filled in.
//!
//! Whatever is the same for everybody is taken from a run over nobody, so constants are those of the reference.
//! Guarantees: a node without a form here is named, never guessed. Deliberately absent: running.

use super::graph::{Graph, Id, NoForm, Op, Output, Per};
use crate::book::Book;
use crate::cell::{Cell, added_months, between, compared, divided, not, on_day};
use crate::determination::Ask;
use crate::evaluate::Run;
use crate::kind::Kind;
use crate::parameter::Setting;
use crate::program::{Aggregate, Level, Op as Node, Program, Reg, Work};
use crate::table::column_nodes;
use std::collections::BTreeMap;
use vocab::Month;

/// What a node is in the graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bound {
    /// The same for everybody.
    Same(Cell),
    Number(Id, Per),
    Flag(Id),
    Word(Id),
    /// Of another programme: true if met, false if not.
    Outcome(Id),
}

pub(super) type Binding = Result<Bound, NoForm>;

/// What is known while binding.
pub(super) struct Binder<'b> {
    pub(super) program: &'b Program,
    /// A run over nobody: its single cells are the constants.
    pub(super) nobody: &'b Run<'b>,
    pub(super) graph: Graph,
    columns: BTreeMap<Reg, u32>,
    done: Vec<Option<Binding>>,
    benefits: Vec<Option<Result<Benefit, NoForm>>>,
}

/// What binding a benefit gave.
#[derive(Debug, Clone, PartialEq)]
struct Benefit {
    granted: Id,
    paid: Id,
    amount: Option<Id>,
}

/// The graph of the wanted programmes on a day, for books that differ in values only: programme by programme, one output a
/// book.
pub(super) fn bind(books: &[&Book], ask: &Ask, wanted: &[usize]) -> Graph {
    let mut graph = Graph::default();
    let mut all = Vec::with_capacity(books.len());
    for book in books {
        let program = book.program();
        let nobody = Run::new(program, &[], ask, book.region(ask), wanted);
        let mut binder = Binder {
            program,
            nobody: &nobody,
            graph,
            columns: (0..)
                .zip(column_nodes(program))
                .map(|(column, (_, reg))| (reg, column))
                .collect(),
            done: vec![None; program.nodes.len()],
            benefits: vec![None; program.benefits.len()],
        };
        let outputs: Vec<_> = wanted
            .iter()
            .map(|benefit| {
                let step = program.benefits[*benefit].step;
                binder.owned(step, |binder| binder.output(*benefit))
            })
            .collect();
        all.push(outputs.into_iter());
        graph = binder.graph;
    }
    for _ in wanted {
        graph
            .outputs
            .extend(all.iter_mut().filter_map(Iterator::next));
    }
    graph.say_last();
    graph
}

impl Binder<'_> {
    fn output(&mut self, benefit: usize) -> Result<Output, NoForm> {
        let bound = self.benefit(benefit)?;
        let plan = &self.program.benefits[benefit];
        let person = Level::from(plan.to) == Level::Person;
        let mut conditions = Vec::with_capacity(plan.conditions.len());
        for condition in &plan.conditions {
            conditions.push(self.flag(*condition)?);
        }
        let covers = plan.covers.map(|covers| self.flag(covers)).transpose()?;
        let mut fit = |id: Id| if person { self.graph.spread(id) } else { id };
        Ok(Output {
            granted: fit(bound.granted),
            amount: bound.amount.map(&mut fit),
            conditions: conditions.into_iter().map(&mut fit).collect(),
            covers: covers.map(|covers| self.graph.spread(covers)),
            last: Vec::new(),
        })
    }

    fn benefit(&mut self, benefit: usize) -> Result<Benefit, NoForm> {
        if let Some(known) = &self.benefits[benefit] {
            return known.clone();
        }
        let step = self.program.benefits[benefit].step;
        let found = self.owned(step, |this| this.new_benefit(benefit));
        self.benefits[benefit] = Some(found.clone());
        found
    }

    fn new_benefit(&mut self, benefit: usize) -> Result<Benefit, NoForm> {
        let plan = &self.program.benefits[benefit];
        let mut all = self.graph.put(Op::Truth(3));
        for condition in &plan.conditions {
            let condition = self.flag(*condition)?;
            all = self.and(all, condition);
        }
        let mut payable = self.graph.put(Op::Truth(3));
        let mut amount = None;
        if let Some(reg) = plan.amount {
            let (number, per) = self.number(reg)?;
            payable = self.graph.put(Op::Payable(number, per));
            let whole = match per {
                Per::Fixed(1) => number,
                per => self
                    .graph
                    .put(Op::Round(number, per, crate::ratio::Direction::Floor, 1)),
            };
            amount = Some(whole);
        }
        if let (Some(covers), Level::Household) = (plan.covers, Level::from(plan.to)) {
            let covers = self.flag(covers)?;
            let covers = self.graph.spread(covers);
            let clear = self.graph.put(Op::Clear(covers));
            let unclear = self.graph.put(Op::Truth(2));
            payable = self.graph.put(Op::SelectFlag(clear, payable, unclear));
        }
        let nothing = self.whole(0);
        Ok(Benefit {
            granted: self.graph.put(Op::Granted(all, payable)),
            paid: self
                .graph
                .put(Op::Paid(all, payable, amount.unwrap_or(nothing))),
            amount,
        })
    }

    /// Binds for a step: operations that are new are its own.
    fn owned<T>(&mut self, step: u32, bind: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.graph.owner, step);
        let bound = bind(self);
        self.graph.owner = outer;
        bound
    }

    /// What a node is; worked out once.
    pub(super) fn bind(&mut self, reg: Reg) -> Binding {
        if let Some(done) = &self.done[reg as usize] {
            return done.clone();
        }
        let bound = if self.program.nodes[reg as usize].level == Level::Single {
            Ok(Bound::Same(self.nobody.own(reg, 0)))
        } else {
            self.node(reg)
        };
        self.done[reg as usize] = Some(bound.clone());
        bound
    }

    fn node(&mut self, reg: Reg) -> Binding {
        let program = self.program;
        let node = &program.nodes[reg as usize];
        match &node.op {
            Node::Fact(_) | Node::History { .. } => self.column(reg),
            Node::Param(_) | Node::Constant(_) | Node::AsOf | Node::MonthStart | Node::MonthEnd => {
                Ok(Bound::Same(self.nobody.own(reg, 0)))
            }
            Node::Result(step) => {
                let Work::Rule { versions, .. } = &program.steps[*step as usize].work else {
                    return Err(NoForm(reg, "不是规则的步骤"));
                };
                match self.nobody.version(*step) {
                    Some(chosen) => self.owned(*step, |this| this.bind(versions[chosen].root)),
                    None => Ok(Bound::Same(Cell::Broken)),
                }
            }
            Node::Outcome(benefit) => Ok(Bound::Outcome(self.benefit(*benefit as usize)?.granted)),
            Node::Amount(benefit) => Ok(Bound::Number(
                self.benefit(*benefit as usize)?.paid,
                Per::Fixed(1),
            )),
            Node::Case(whens, otherwise) => self.case(whens, *otherwise),
            Node::Aggregate { what, of, filter } => self.aggregate(reg, *what, *of, *filter),
            other => self.operation(reg, other),
        }
    }

    fn column(&mut self, reg: Reg) -> Binding {
        let node = &self.program.nodes[reg as usize];
        let Some(column) = self.columns.get(&reg).copied() else {
            return Err(NoForm(reg, "没有这一列"));
        };
        let per = match node.op {
            Node::History {
                months,
                average: true,
                ..
            } => i64::from(months),
            _ => 1,
        };
        let level = node.level;
        Ok(match node.kind {
            Kind::Bool => Bound::Flag(self.graph.put_at(Op::Flag(column), level)),
            Kind::Code | Kind::Text => Bound::Word(self.graph.put_at(Op::Word(column), level)),
            Kind::Date => Bound::Number(self.graph.put_at(Op::Days(column), level), Per::Fixed(1)),
            _ => Bound::Number(
                self.graph.put_at(Op::Number(column, per), level),
                Per::Fixed(per),
            ),
        })
    }

    fn operation(&mut self, reg: Reg, op: &Node) -> Binding {
        let operands = crate::explain::operands(op);
        let mut parts = Vec::with_capacity(operands.len());
        for operand in &operands {
            parts.push(self.bind(*operand)?);
        }
        let cells: Option<Vec<Cell>> = parts
            .iter()
            .map(|part| match part {
                Bound::Same(cell) => Some(*cell),
                _ => None,
            })
            .collect();
        if let Some(cell) = cells.and_then(|cells| self.folded(op, &cells)) {
            return Ok(Bound::Same(cell));
        }
        match op {
            Node::And(a, b) => {
                let (a, b) = (self.flag(*a)?, self.flag(*b)?);
                Ok(Bound::Flag(self.and(a, b)))
            }
            Node::Or(a, b) => {
                let (a, b) = (self.flag(*a)?, self.flag(*b)?);
                Ok(Bound::Flag(self.or(a, b)))
            }
            Node::Not(a) => {
                let a = self.flag(*a)?;
                Ok(Bound::Flag(self.negated(a)))
            }
            Node::Known(_) => Ok(Bound::Flag(match parts[0] {
                Bound::Flag(id) | Bound::Outcome(id) => self.graph.put(Op::KnownFlag(id)),
                Bound::Number(id, _) | Bound::Word(id) => self.graph.put(Op::Known(id)),
                Bound::Same(_) => return Err(NoForm(reg, "常数")),
            })),
            Node::AbsentIsZero(_) => match parts[0] {
                Bound::Flag(id) => Ok(Bound::Flag(self.graph.put(Op::ZeroedFlag(id)))),
                Bound::Number(id, per) => Ok(Bound::Number(self.graph.put(Op::Zeroed(id)), per)),
                _ => Err(NoForm(reg, "文字缺失不能当零")),
            },
            Node::Compare(comparison, a, b) => self.comparison(reg, *comparison, *a, *b),
            Node::InRegion(_, region) => match parts[0] {
                Bound::Word(word) => {
                    let op = Op::InRegions(word, vec![*region]);
                    Ok(Bound::Flag(self.graph.put(op)))
                }
                _ => Err(NoForm(reg, "区划不是一列文字")),
            },
            Node::Band(param, _) => self.band(reg, *param, parts[0]),
            _ => self.arithmetic(reg, op),
        }
    }

    /// An operation on constants, by the reference's own arithmetic.
    fn folded(&self, op: &Node, cells: &[Cell]) -> Option<Cell> {
        let one = |of: fn(Cell) -> Cell| of(cells[0]);
        let found = match op {
            Node::Not(_) => Ok(one(not)),
            Node::And(..) => Ok(crate::cell::and(cells[0], cells[1])),
            Node::Or(..) => Ok(crate::cell::or(cells[0], cells[1])),
            Node::Known(_) => Ok(match cells[0] {
                Cell::Absent => Cell::flag(false),
                Cell::Broken => Cell::Broken,
                _ => Cell::flag(true),
            }),
            Node::AbsentIsZero(_) => Ok(match cells[0] {
                Cell::Absent => Cell::Whole(0),
                cell => cell,
            }),
            Node::Compare(comparison, ..) => compared(*comparison, cells[0], cells[1]),
            Node::Plus(..) => crate::cell::both(
                cells[0],
                cells[1],
                i64::checked_add,
                crate::ratio::Ratio::plus,
            ),
            Node::Minus(..) => crate::cell::both(
                cells[0],
                cells[1],
                i64::checked_sub,
                crate::ratio::Ratio::minus,
            ),
            Node::Times(..) => crate::cell::both(
                cells[0],
                cells[1],
                i64::checked_mul,
                crate::ratio::Ratio::times,
            ),
            Node::Over(..) => divided(cells[0], cells[1]),
            Node::YearsBetween(..) => between(cells[0], cells[1], 12),
            Node::MonthsBetween(..) => between(cells[0], cells[1], 1),
            Node::AddMonths(_, _, factor) => added_months(cells[0], cells[1], *factor),
            Node::StartOfMonth(_) => on_day(cells[0], |day| Some(Month::of(day).first_day())),
            Node::EndOfMonth(_) => on_day(cells[0], |day| Some(Month::of(day).last_day())),
            Node::Round(_, rounding) => crate::cell::one(cells[0], |ratio| rounding.apply(ratio)),
            _ => return None,
        };
        Some(found.unwrap_or(Cell::Broken))
    }

    fn case(&mut self, whens: &[(Reg, Reg)], otherwise: Reg) -> Binding {
        // The first test that holds for everybody ends the list.
        let mut open: Vec<(Id, Bound)> = Vec::new();
        let mut result = None;
        for (test, value) in whens {
            match self.bind(*test)? {
                Bound::Same(Cell::Whole(0)) => continue,
                Bound::Same(cell) if cell.is_known() => {
                    result = Some(self.bind(*value)?);
                    break;
                }
                _ => {}
            }
            let test = self.flag(*test)?;
            open.push((test, self.bind(*value)?));
        }
        let mut result = match result {
            Some(result) => result,
            None => self.bind(otherwise)?,
        };
        for (test, value) in open.into_iter().rev() {
            result = self.select(otherwise, test, value, result)?;
        }
        Ok(result)
    }

    fn select(&mut self, reg: Reg, test: Id, yes: Bound, no: Bound) -> Binding {
        if let (Bound::Same(a), Bound::Same(b)) = (yes, no)
            && a == b
            && a.is_known()
        {
            return Ok(yes);
        }
        let kind = self.program.nodes[reg as usize].kind;
        let is = |wanted: fn(&Bound) -> bool| wanted(&yes) || wanted(&no);
        if is(|bound| matches!(bound, Bound::Outcome(_))) {
            return Err(NoForm(reg, "在结论之间选择"));
        }
        if is(|bound| matches!(bound, Bound::Flag(_))) || kind == Kind::Bool {
            let (yes, no) = (self.as_flag(reg, yes)?, self.as_flag(reg, no)?);
            return Ok(Bound::Flag(self.graph.put(Op::SelectFlag(test, yes, no))));
        }
        if is(|bound| matches!(bound, Bound::Word(_))) || kind.is_word() {
            let (yes, no) = (self.as_word(reg, yes)?, self.as_word(reg, no)?);
            return Ok(Bound::Word(self.graph.put(Op::Select(test, yes, no))));
        }
        let (yes, no) = (self.as_number(reg, yes)?, self.as_number(reg, no)?);
        let (yes, no, per) = self.alike(reg, yes, no)?;
        Ok(Bound::Number(
            self.graph.put(Op::Select(test, yes, no)),
            per,
        ))
    }

    fn aggregate(
        &mut self,
        reg: Reg,
        what: Aggregate,
        of: Option<Reg>,
        filter: Option<Reg>,
    ) -> Binding {
        let filter = match filter {
            Some(filter) => {
                let flag = self.flag(filter)?;
                Some(self.graph.spread(flag))
            }
            None => None,
        };
        match what {
            Aggregate::Count => {
                let op = filter.map_or(Op::Size, Op::Count);
                Ok(Bound::Number(self.graph.put(op), Per::Fixed(1)))
            }
            Aggregate::Any | Aggregate::All => {
                let truth = self.graph.put(Op::Truth(3));
                let value = match of {
                    Some(of) => self.flag(of)?,
                    None => truth,
                };
                let counts = filter.unwrap_or(truth);
                let op = if what == Aggregate::Any {
                    let both = self.and(counts, value);
                    Op::Any(self.graph.spread(both))
                } else {
                    let not = self.negated(counts);
                    let either = self.or(not, value);
                    Op::All(self.graph.spread(either))
                };
                Ok(Bound::Flag(self.graph.put(op)))
            }
            Aggregate::Sum | Aggregate::Min | Aggregate::Max => {
                let of = match of {
                    Some(of) => self.number(of)?,
                    None => (self.whole(1), Per::Fixed(1)),
                };
                let (number, per) = match of {
                    (number, Per::Fixed(per)) => (number, Per::Fixed(per)),
                    (number, Per::By(per)) if what == Aggregate::Sum => self.in_common(number, per),
                    _ => return Err(NoForm(reg, "在分母各不相同的分数里找最大最小")),
                };
                let number = self.graph.spread(number);
                let op = match what {
                    Aggregate::Sum => Op::Sum(number, filter),
                    _ => Op::Extreme(what == Aggregate::Min, number, filter),
                };
                Ok(Bound::Number(self.graph.put(op), per))
            }
        }
    }

    /// Members' fractions over the household's common denominator.
    fn in_common(&mut self, number: Id, per: Id) -> (Id, Per) {
        let per = self.graph.spread(per);
        let common = self.graph.put(Op::Common(per));
        let times = self.graph.put(Op::Share(common, per));
        (self.graph.put(Op::Times(number, times)), Per::By(common))
    }

    fn band(&mut self, reg: Reg, param: u32, key: Bound) -> Binding {
        let divisor = self.program.params[param as usize].divisor;
        let setting = self.nobody.setting(param).ok();
        if let Bound::Same(cell) = key {
            let by_code = match self.program.nodes[reg as usize].op {
                Node::Band(_, key) => self.program.nodes[key as usize].kind.is_word(),
                _ => false,
            };
            let found = self.nobody.band(param, by_code, cell);
            return Ok(Bound::Same(found.unwrap_or(Cell::Broken)));
        }
        let steps: Vec<(i64, i64)> = match (setting, key) {
            (Some(_), Bound::Word(word)) => {
                let place = self.band_place(param);
                let id = self.graph.put(Op::BandByCode(word, place));
                return Ok(Bound::Number(id, Per::Fixed(divisor)));
            }
            (None, _) => Vec::new(),
            (Some(Setting::Single(value)), _) => vec![(i64::MIN, *value)],
            (Some(Setting::Steps(steps)), _) => {
                steps.iter().map(|(from, value)| (*from, *value)).collect()
            }
            (Some(Setting::Codes(_)), _) => return Err(NoForm(reg, "用数查代码的档")),
        };
        let key = match key {
            Bound::Word(id) => (id, Per::Fixed(1)),
            other => self.as_number(reg, other)?,
        };
        let key = match key {
            (key, Per::Fixed(1)) => key,
            (key, per) => self
                .graph
                .put(Op::Round(key, per, crate::ratio::Direction::Floor, 1)),
        };
        let id = self.stepped(key, steps);
        Ok(Bound::Number(id, Per::Fixed(divisor)))
    }

    fn band_place(&mut self, param: u32) -> u32 {
        let setting = self.nobody.setting(param).ok().cloned();
        let bands = &mut self.graph.bands;
        let place = bands
            .iter()
            .position(|known| known.0 == param && known.1 == setting);
        let place = place.unwrap_or_else(|| {
            bands.push((param, setting));
            bands.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}
