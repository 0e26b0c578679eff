//! Putting the answer into words (出具认定结果): from a finished run to determinations.
//!
//! Guarantees: every condition appears with its article and sentence, whatever the outcome; the same run gives the
//! same bytes. Deliberately absent: computing anything; all numbers come from the run.

use crate::assemble::{Spoken, SpokenVariable};
use crate::book::{Book, Brief};
use crate::cell::Cell;
use crate::determination::{
    AbsentAsZero, ConditionResult, Determination, FactRef, FactUsed, Outcome, RefusalSaid, Tri,
    Unit, VariableResult,
};
use crate::evaluate::Run;
use crate::explain::{Why, member};
use crate::kind::Kind;
use crate::picking::{Picked, holds_month, months_back, pick, pick_now};
use crate::program::{BenefitPlan, Level, Op, Reg, Words, Work};
use crate::sentence::{Blank, Filled, Language, money, not_known, show};
use crate::shown::Shown;
use chrono::NaiveDate;
use std::sync::Arc;
use vocab::{Money, Value};

/// The determinations of one household, one a programme for households and one a member for persons.
pub(crate) fn answers(
    book: &Book,
    run: &Run<'_>,
    benefit: usize,
    row: usize,
    into: &mut Vec<Determination>,
) {
    match run.program.benefits[benefit].to {
        Unit::Household | Unit::Organisation => {
            into.push(Answering::new(book, run, benefit, row, row).determination())
        }
        Unit::Person => {
            for child in run.offsets[row]..run.offsets[row + 1] {
                into.push(Answering::new(book, run, benefit, row, child).determination());
            }
        }
    }
}

/// Outcomes and amounts only, in the order [`answers`] would give them.
pub(crate) fn brief(run: &Run<'_>, benefit: usize, row: usize, into: &mut Vec<Brief>) {
    let plan = run.plan(benefit);
    let level = Level::from(plan.to);
    let cells = match plan.to {
        Unit::Household | Unit::Organisation => row..row + 1,
        Unit::Person => run.offsets[row]..run.offsets[row + 1],
    };
    for index in cells {
        let outcome = outcome(run, plan, index);
        into.push(Brief {
            programme: benefit,
            member: member(run, level, index),
            outcome,
            amount: match (outcome, plan.amount, run.own(plan.paid, index)) {
                (Outcome::Met, Some(_), Cell::Whole(fen)) => Some(Money::from_fen(fen)),
                _ => None,
            },
        });
    }
}

fn outcome(run: &Run<'_>, plan: &BenefitPlan, index: usize) -> Outcome {
    match run.own(plan.outcome, index) {
        Cell::Whole(word) if run.program.words.text(word) == Some(Words::MET) => Outcome::Met,
        Cell::Whole(_) => Outcome::NotMet,
        _ => Outcome::ToVerify,
    }
}

struct Answering<'a> {
    book: &'a Book,
    run: &'a Run<'a>,
    plan: &'a BenefitPlan,
    spoken: &'a Spoken,
    benefit: usize,
    row: usize,
    /// The household's row or the member's place among all members.
    index: usize,
    level: Level,
}

impl<'a> Answering<'a> {
    fn new(book: &'a Book, run: &'a Run<'a>, benefit: usize, row: usize, index: usize) -> Self {
        let plan = run.plan(benefit);
        Self {
            book,
            run,
            plan,
            spoken: &book.spoken()[benefit],
            benefit,
            row,
            index,
            level: plan.to.into(),
        }
    }

    fn members(&self) -> std::ops::Range<usize> {
        self.run.offsets[self.row]..self.run.offsets[self.row + 1]
    }

    fn determination(&self) -> Determination {
        let (run, plan, book) = (self.run, self.plan, self.book);
        let programme = &book.programmes()[self.benefit];
        let benefit = &programme.benefit;
        let conditions: Vec<ConditionResult> = (0..self.spoken.conditions.len())
            .map(|at| self.condition(at))
            .collect();
        let outcome = outcome(run, plan, self.index);
        let mut why = Why::default();
        if outcome == Outcome::ToVerify {
            why.follow_benefit(book, run, self.benefit, self.index);
        }
        let (mut amount, mut amount_formula) = (None, String::new());
        if let (Outcome::Met, Some(arithmetic), Cell::Whole(fen)) =
            (outcome, plan.arithmetic, run.own(plan.paid, self.index))
        {
            amount = Some(Money::from_fen(fen));
            self.arithmetic(arithmetic, self.level, self.index, 0, &mut amount_formula);
        }
        let key_of = |child: usize| run.sheets[self.row].member_keys.get(child).cloned();
        let person = member(run, self.level, self.index);
        Determination {
            programme: programme.id.clone(),
            unit: plan.to,
            member: person,
            member_key: person.and_then(key_of),
            outcome,
            amount,
            amount_formula,
            every: benefit.every,
            conditions,
            variables: self.variables(),
            facts: self.facts(),
            absent_as_zero: self.absent_as_zero(),
            covered: if outcome == Outcome::Met {
                self.covered()
            } else {
                Vec::new()
            },
            missing: why.missing.into_iter().collect(),
            starts: benefit.starts,
            starts_on: plan.starts_on.and_then(|reg| self.day(reg)),
            excludes: benefit.excludes.clone(),
            review: benefit.review.clone(),
            faults: why.faults.into_iter().collect(),
            pack_version: book.version().to_owned(),
            pack_hash: book.hash().to_owned(),
            as_of: run.ask.as_of,
            known_at: run.ask.known_at,
            region: run.ask.region,
        }
    }

    fn day(&self, reg: Reg) -> Option<NaiveDate> {
        match self.run.seen(reg, self.level, self.index) {
            Cell::Whole(days) => NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).ok()?),
            _ => None,
        }
    }

    fn covered(&self) -> Vec<usize> {
        match (self.plan.to, self.plan.covers) {
            (Unit::Person, _) => member(self.run, self.level, self.index)
                .into_iter()
                .collect(),
            // It is paid to the organisation, not to its people.
            (Unit::Organisation, _) => Vec::new(),
            (Unit::Household, None) => (0..self.members().len()).collect(),
            (Unit::Household, Some(covers)) => self
                .members()
                .filter(|child| self.run.seen(covers, Level::Person, *child) == Cell::Whole(1))
                .map(|child| child - self.members().start)
                .collect(),
        }
    }

    fn condition(&self, at: usize) -> ConditionResult {
        let spoken = &self.spoken.conditions[at];
        let (run, book) = (self.run, self.book);
        let result = match run.seen(spoken.result, self.level, self.index) {
            Cell::Whole(0) => Tri::No,
            Cell::Whole(_) | Cell::Exact(_) => Tri::Yes,
            Cell::Absent | Cell::Broken => Tri::Unknown,
        };
        let missing: Vec<FactRef> = if result == Tri::Unknown {
            let mut why = Why::default();
            why.follow(
                book,
                run,
                spoken.result,
                run.index_of(spoken.result, self.level, self.index),
            );
            why.missing.into_iter().collect()
        } else {
            Vec::new()
        };
        // Before the first version the oldest article is shown; the fault says that no version applies.
        let chosen = run.version(spoken.step).unwrap_or(0);
        let (article, article_title) = spoken.articles[chosen].clone();
        ConditionResult {
            id: spoken.id.clone(),
            result,
            article,
            article_title,
            sentence_zh: self.fill(&spoken.asks.zh, Language::Zh),
            sentence_en: self.fill(&spoken.asks.en, Language::En),
            refusal: (result == Tri::No).then(|| RefusalSaid {
                id: spoken.refusal.clone(),
                zh: self.fill(&spoken.refuses.zh, Language::Zh),
                en: self.fill(&spoken.refuses.en, Language::En),
            }),
            uses: spoken.uses.get(chosen).cloned().unwrap_or_default(),
            missing,
        }
    }

    fn fill(&self, pieces: &[Filled], language: Language) -> String {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Filled::Words(words) => text.push_str(words),
                Filled::Blank(Blank::AsOf) => text.push_str(&self.run.ask.as_of.to_string()),
                Filled::Blank(Blank::Members) => text.push_str(&self.members().len().to_string()),
                Filled::Blank(Blank::Amount) => {
                    text.push_str(&self.shown(self.plan.paid, self.level, self.index, language));
                }
                Filled::Blank(Blank::Value(reg)) => {
                    text.push_str(&self.shown(*reg, self.level, self.index, language));
                }
            }
        }
        text
    }

    fn shown(&self, reg: Reg, level: Level, index: usize, language: Language) -> Shown {
        let cell = self.run.seen(reg, level, index);
        let node = &self.run.program.nodes[reg as usize];
        let Some(ratio) = cell.ratio() else {
            return not_known(language).into();
        };
        let fact = match node.op {
            Op::Fact(input) if node.kind.is_word() => self
                .book
                .fact(&self.run.program.inputs[input as usize].fact),
            _ => None,
        };
        let word = match cell {
            Cell::Whole(number) if node.kind.is_word() => self.run.word_text(number),
            _ => None,
        };
        if let (Op::Outcome(_), Some(word)) = (&node.op, word) {
            let outcome = if word == Words::MET {
                Outcome::Met
            } else {
                Outcome::NotMet
            };
            return match language {
                Language::Zh => outcome.zh(),
                Language::En => outcome.en(),
            }
            .into();
        }
        show(node.kind, ratio, fact, word, language)
    }

    fn variables(&self) -> Vec<VariableResult> {
        let size = self.members().len();
        let persons = |variable: &&SpokenVariable| variable.of == Unit::Person;
        let each = match self.plan.to {
            Unit::Person => 1,
            Unit::Household | Unit::Organisation => size,
        };
        let many = self.spoken.variables.iter().filter(persons).count();
        let mut results = Vec::with_capacity(self.spoken.variables.len() - many + many * each);
        for variable in &self.spoken.variables {
            match (variable.of, self.plan.to) {
                (Unit::Household | Unit::Organisation, _) => {
                    results.push(self.variable(variable, self.row))
                }
                (Unit::Person, Unit::Person) => results.push(self.variable(variable, self.index)),
                (Unit::Person, Unit::Household | Unit::Organisation) => {
                    for child in self.members() {
                        results.push(self.variable(variable, child));
                    }
                }
            }
        }
        results
    }

    fn variable(&self, variable: &SpokenVariable, index: usize) -> VariableResult {
        let run = self.run;
        let level = Level::from(variable.of);
        let cell = run.own(variable.result, index);
        let chosen = run.version(variable.step).unwrap_or(0);
        let value = match cell {
            Cell::Whole(number) => match variable.kind {
                Kind::Bool => Some(Value::Bool(number != 0)),
                Kind::Date => i32::try_from(number)
                    .ok()
                    .and_then(NaiveDate::from_num_days_from_ce_opt)
                    .map(Value::Date),
                Kind::Code | Kind::Text => run
                    .word_text(number)
                    .map(|text| Value::Text(text.to_owned())),
                _ => Some(Value::Int(number)),
            },
            _ => None,
        };
        VariableResult {
            said: Arc::clone(&variable.said[chosen]),
            member: member(run, level, index),
            value,
            exact: match cell {
                Cell::Exact(ratio) => Some(ratio.to_string()),
                _ => None,
            },
            shown: if cell.is_known() {
                self.shown(variable.result, level, index, Language::Zh)
            } else {
                Shown::default()
            },
        }
    }

    /// Which members' facts were read: all, unless the programme looks at one person alone.
    fn readers(&self) -> std::ops::Range<usize> {
        if self.plan.sees_all {
            self.members()
        } else {
            self.index..self.index + 1
        }
    }

    fn facts(&self) -> Vec<FactUsed> {
        let run = self.run;
        let sheet = &run.sheets[self.row];
        let mut used = Vec::with_capacity(
            sheet.members.iter().map(|one| one.len()).sum::<usize>() + sheet.household.len(),
        );
        for number in &self.plan.inputs {
            let input = &run.program.inputs[*number as usize];
            let mut take = |index: usize, member: Option<usize>| {
                let rows = run.rows(*number, index);
                if rows.is_empty() {
                    return;
                }
                let mut chosen: Vec<&vocab::DatedFact> = Vec::new();
                if input.now.is_some()
                    && let Picked::One(row) = pick_now(rows, run.ask)
                {
                    chosen.push(row);
                }
                for history in &input.histories {
                    let Op::History { months, .. } = run.program.nodes[*history as usize].op else {
                        continue;
                    };
                    for month in months_back(run.ask.as_of, months) {
                        if let Picked::One(row) =
                            pick(rows, run.ask.known_at, |row| holds_month(row, month))
                            && !chosen.iter().any(|known| std::ptr::eq(*known, row))
                        {
                            chosen.push(row);
                        }
                    }
                }
                used.extend(chosen.into_iter().map(|row| FactUsed {
                    fact: input.fact.clone(),
                    member,
                    value: row.value.clone(),
                    source: row.source.clone(),
                    evidence: row.evidence.clone(),
                    period: row.period,
                    known_since: row.known_since,
                }));
            };
            match input.of {
                Unit::Household | Unit::Organisation => take(self.row, None),
                Unit::Person => {
                    for child in self.readers() {
                        take(child, Some(child - self.members().start));
                    }
                }
            }
        }
        used
    }

    fn absent_as_zero(&self) -> Vec<AbsentAsZero> {
        let run = self.run;
        let mut found = Vec::new();
        for step in &self.plan.closure {
            let (Work::Rule { versions, .. }, Some(chosen)) =
                (&run.program.steps[*step as usize].work, run.version(*step))
            else {
                continue;
            };
            for (reg, fact, article) in &versions[chosen].absent_is_zero {
                let node = &run.program.nodes[*reg as usize];
                let cells = match node.level {
                    Level::Person => self.readers(),
                    Level::Household | Level::Single => self.row..self.row + 1,
                };
                for index in cells {
                    let silent = match node.op {
                        Op::AbsentIsZero(of) => run.own(of, index) == Cell::Absent,
                        _ => run.zeroed.contains(&(*reg, index)),
                    };
                    if silent {
                        found.push(AbsentAsZero {
                            fact: fact.clone(),
                            member: member(run, node.level, index),
                            article: article.clone(),
                        });
                    }
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Writes the arithmetic of an amount with its numbers filled in; gives how tightly it binds (1 sum, 2 product, 3 number).
    fn arithmetic(&self, reg: Reg, level: Level, index: usize, depth: u8, into: &mut String) -> u8 {
        let run = self.run;
        let node = &run.program.nodes[reg as usize];
        let at = run.index_of(reg, level, index);
        let (level, index) = (node.level, at);
        let number = |into: &mut String| {
            into.push_str(&self.shown(reg, level, index, Language::Zh));
            3
        };
        // Two parts with a sign between them; a part that binds less tightly than it must stands in brackets.
        let two = |a: Reg, sign: &str, b: Reg, need: [u8; 2], into: &mut String| {
            for (part, need, sign) in [(a, need[0], sign), (b, need[1], "")] {
                let begin = into.len();
                if self.arithmetic(part, level, index, depth, into) < need {
                    into.insert(begin, '(');
                    into.push(')');
                }
                into.push_str(sign);
            }
        };
        match &node.op {
            Op::Result(step) if depth < 4 => {
                // The programme's own variables are opened; those of the shared libraries are quoted.
                let mut variables = self.spoken.variables.iter();
                let own = variables.any(|variable| variable.step == *step && variable.own);
                match (&run.program.steps[*step as usize].work, run.version(*step)) {
                    (Work::Rule { versions, .. }, Some(chosen)) if own && node.kind.is_money() => {
                        let root = run.formula(*step, &versions[chosen], chosen).1;
                        self.arithmetic(root, level, index, depth + 1, into)
                    }
                    _ => number(into),
                }
            }
            Op::Plus(a, b) => {
                two(*a, " + ", *b, [1, 1], into);
                1
            }
            Op::Minus(a, b) => {
                two(*a, " − ", *b, [1, 2], into);
                1
            }
            Op::Times(a, b) => {
                two(*a, " × ", *b, [2, 2], into);
                2
            }
            Op::Over(a, b) => {
                two(*a, " ÷ ", *b, [2, 3], into);
                2
            }
            Op::Round(of, _) => self.arithmetic(*of, level, index, depth, into),
            Op::Greatest(of) | Op::Least(of) => {
                let value = run.own(reg, index);
                let one = of.iter().find(|one| run.seen(**one, level, index) == value);
                match one {
                    Some(one) => self.arithmetic(*one, level, index, depth, into),
                    None => number(into),
                }
            }
            Op::Case(whens, otherwise) => {
                let chosen = whens
                    .iter()
                    .find(|(test, _)| !matches!(run.seen(*test, level, index), Cell::Whole(0)))
                    .map_or(*otherwise, |(_, value)| *value);
                self.arithmetic(chosen, level, index, depth, into)
            }
            Op::Constant(0) => match run.own(reg, index).ratio() {
                Some(zero) => {
                    into.push_str(&money(zero));
                    3
                }
                None => number(into),
            },
            _ => number(into),
        }
    }
}
