//! Taking in the facts (读入事实): from sheets into columns, the value of the day asked and the months before.
//!
//! A value of the wrong type, an unknown code or two values learned together that differ break their own cell and no other.
//! Deliberately absent: choosing among dated rows; see `picking`.

use crate::cell::{Cell, Trouble, as_day};
use crate::evaluate::Run;
use crate::kind::Kind;
use crate::lean::Layout;
use crate::picking::{Picked, holds_month, months_back, pick, pick_now};
use crate::program::{Input, Level, Op, Reg};
use crate::ratio::Ratio;
use crate::table::{ABSENT, Column, KNOWN, States, Table, column_nodes};
use chrono::Datelike;
use std::sync::Arc;
use vocab::{DatedFact, Record, Value};

impl<'p> Run<'p> {
    pub(crate) fn fill_inputs(&mut self) {
        let sheets = self.sheets;
        let layout = Arc::clone(&self.layout);
        for (rows, level) in [(0, 1), (1, 2)] {
            self.rows[rows] = vec![&[]; layout.reads[rows].len() * self.cells[level].height];
        }
        let mut child = 0;
        for (row, sheet) in sheets.iter().enumerate() {
            self.read_record(&layout, &sheet.household, Level::Household, row);
            for member in &sheet.members {
                self.read_record(&layout, member, Level::Person, child);
                child += 1;
            }
        }
    }

    /// Takes the columns of a table in; what a sheet could not say is broken here too.
    pub(crate) fn fill_from_table(&mut self, table: &'p Table<'_>, rows: &[usize]) {
        let program = self.program;
        let mut needed = vec![false; program.inputs.len()];
        for number in self.layout.reads.iter().flatten() {
            needed[*number as usize] = true;
        }
        let members: Vec<usize> = rows.iter().flat_map(|row| table.members_of(*row)).collect();
        let nodes = column_nodes(program).into_iter();
        for ((number, reg), column) in nodes.zip(&table.columns) {
            if !needed[number as usize] || column.states == States::AllAbsent {
                continue;
            }
            let cells = match program.nodes[reg as usize].level {
                Level::Person => members.as_slice(),
                _ => rows,
            };
            for (index, at) in cells.iter().enumerate() {
                let cell = self.table_cell(number, table, column, *at);
                self.settle(reg, index, cell);
            }
        }
    }

    fn table_cell(
        &mut self,
        number: u32,
        table: &'p Table<'_>,
        column: &Column<'_>,
        at: usize,
    ) -> Result<Cell, Trouble> {
        let input = &self.program.inputs[number as usize];
        let wrong = |said: String| Trouble::WrongValue(number, said.into());
        match column.state(at) {
            KNOWN => {}
            ABSENT => return Ok(Cell::Absent),
            // The table does not say what was wrong, only that something was.
            _ => return Err(wrong("（表中标为不可用）".to_owned())),
        }
        let value = column.values.get(at).copied().unwrap_or(0);
        if let Some(denominators) = &column.denominators {
            let per = denominators.get(at).copied().unwrap_or(0);
            return Ratio::new(i128::from(value), i128::from(per))
                .filter(|_| per > 0)
                .map(Cell::of)
                .ok_or_else(|| wrong(format!("{value}/{per}")));
        }
        match input.kind {
            Kind::Bool => Ok(Cell::flag(value != 0)),
            Kind::Date => as_day(Cell::Whole(value))
                .map(|_| Cell::Whole(value))
                .ok_or_else(|| wrong(value.to_string())),
            Kind::Code | Kind::Text => {
                let text = usize::try_from(value)
                    .ok()
                    .and_then(|place| table.words.get(place))
                    .ok_or_else(|| wrong(value.to_string()))?;
                let word = self.word(text);
                if input.words.is_empty() || input.words.contains(&word) {
                    Ok(Cell::Whole(word))
                } else {
                    Err(wrong(text.clone()))
                }
            }
            _ => Ok(Cell::Whole(value)),
        }
    }

    /// Walks a record and the inputs side by side; both are sorted by fact.
    fn read_record(&mut self, layout: &Layout, record: &'p Record, level: Level, index: usize) {
        let program = self.program;
        let mut facts = record.iter().peekable();
        let place = usize::from(level == Level::Person);
        let height = self.cells[level as usize].height;
        for (at, number) in layout.reads[place].iter().copied().enumerate() {
            let input = &program.inputs[number as usize];
            let rows = loop {
                match facts.peek() {
                    Some((fact, _)) if fact.as_str() < input.fact.as_str() => {
                        facts.next();
                    }
                    Some((fact, rows)) if *fact == &input.fact => break rows.as_slice(),
                    _ => break &[],
                }
            };
            self.rows[place][at * height + index] = rows;
            if let Some(now) = input.now
                && !rows.is_empty()
            {
                let cell = match pick_now(rows, self.ask) {
                    Picked::None => Ok(Cell::Absent),
                    Picked::One(row) => self.read_value(number, input, &row.value),
                    Picked::Two(a, b) => Err(conflict(number, a, b)),
                };
                self.settle(now, index, cell);
            }
            for history in &input.histories {
                let cell = self.look_back(number, input, *history, rows, index);
                self.settle(*history, index, cell);
            }
        }
    }

    /// The dated rows an input has for a household or a member; none if it was not read.
    pub(crate) fn rows(&self, number: u32, index: usize) -> &'p [DatedFact] {
        let level = Level::from(self.program.inputs[number as usize].of);
        let height = self.cells[level as usize].height;
        let at = self.layout.read_at[number as usize] as usize * height + index;
        let rows = self.rows[usize::from(level == Level::Person)].get(at);
        rows.copied().unwrap_or_default()
    }

    fn read_value(
        &mut self,
        number: u32,
        input: &Input,
        value: &'p Value,
    ) -> Result<Cell, Trouble> {
        let wrong = || Trouble::WrongValue(number, show_raw(value).into());
        let word = match (input.kind, value) {
            (Kind::Bool, Value::Bool(flag)) => return Ok(Cell::flag(*flag)),
            (
                Kind::Count | Kind::Money | Kind::MoneyPerMonth | Kind::MoneyPerYear,
                Value::Int(whole),
            ) => return Ok(Cell::Whole(*whole)),
            (Kind::Date, Value::Date(day)) => {
                return Ok(Cell::Whole(i64::from(day.num_days_from_ce())));
            }
            (Kind::Code | Kind::Text, Value::Text(text)) => self.word(text),
            _ => return Err(wrong()),
        };
        if input.words.is_empty() || input.words.contains(&word) {
            Ok(Cell::Whole(word))
        } else {
            Err(wrong())
        }
    }

    fn word(&mut self, text: &'p str) -> i64 {
        if let Some(number) = self.program.words.find(text) {
            return number;
        }
        let next = i64::try_from(self.program.words.len() + self.words.len()).unwrap_or(i64::MAX);
        let words = &mut self.words;
        *self.word_numbers.entry(text).or_insert_with(|| {
            words.push(text);
            next
        })
    }

    /// The text of a word's number.
    pub(crate) fn word_text(&self, number: i64) -> Option<&str> {
        self.program.words.text(number).or_else(|| {
            let beyond = usize::try_from(number)
                .ok()?
                .checked_sub(self.program.words.len())?;
            self.words.get(beyond).copied()
        })
    }

    fn look_back(
        &mut self,
        number: u32,
        input: &Input,
        history: Reg,
        rows: &'p [DatedFact],
        index: usize,
    ) -> Result<Cell, Trouble> {
        let Op::History {
            months,
            average,
            absent_is_zero,
            ..
        } = self.program.nodes[history as usize].op
        else {
            return Ok(Cell::Absent);
        };
        let mut total = Ratio::whole(0);
        let mut silent = false;
        for month in months_back(self.ask.as_of, months) {
            match pick(rows, self.ask.known_at, |row| holds_month(row, month)) {
                Picked::None if absent_is_zero => {
                    self.zeroed.insert((history, index));
                }
                Picked::None => silent = true,
                Picked::Two(a, b) => return Err(conflict(number, a, b)),
                Picked::One(row) => {
                    let value = self.read_value(number, input, &row.value)?;
                    let ratio = value.ratio().ok_or(Trouble::Overflow)?;
                    total = total.plus(ratio).ok_or(Trouble::Overflow)?;
                }
            }
        }
        if silent {
            return Ok(Cell::Absent);
        }
        if average {
            total = total
                .over(Ratio::whole(i64::from(months)))
                .ok_or(Trouble::Overflow)?;
        }
        Ok(Cell::of(total))
    }
}

fn conflict(number: u32, a: &DatedFact, b: &DatedFact) -> Trouble {
    let say = |row: &DatedFact| {
        let source = if row.source.is_empty() {
            "来源未注明"
        } else {
            &row.source
        };
        format!("{}（{source}）", show_raw(&row.value))
    };
    Trouble::Conflict(number, format!("{}与{}", say(a), say(b)).into())
}

/// A raw value for a message.
fn show_raw(value: &Value) -> String {
    match value {
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
        Value::Int(whole) => whole.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Text(text) => text.clone(),
    }
}
