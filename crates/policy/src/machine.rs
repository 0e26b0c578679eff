//! Deciding whole populations (批量认定): the program bound to a day and a place, run over tables.
//!
//! Guarantees: outcomes, amounts and conditions are those of [`Book::outcomes`] on every input, to the fen and to the
//! state. Whatever the machine has no form for goes through `evaluate`, the reference. Deliberately absent: sentences and
//! reasons; ask [`Book::missing`] or [`Book::evaluate`] about the few rows that need them.

mod answers;
mod batch;
mod bind;
mod division;
mod graph;
mod lanes;
mod load;
mod logic;
mod loops;
mod numbers;
mod segments;

use crate::book::Book;
use crate::determination::Ask;
use crate::evaluate::Run;
use crate::table::{Table, column_nodes};
use answers::Answer;
use batch::{Batch, Scratch};
use graph::{Graph, NoForm};
use lanes::Rare;
use load::Vocabulary;
use std::ops::Range;

/// A rule book bound to a day, a place and some programmes (绑定后的规则库).
#[derive(Debug)]
pub struct Machine<'b> {
    book: &'b Book,
    ask: Ask,
    wanted: Vec<usize>,
    reads: Vec<bool>,
    keeps_conditions: bool,
    answers: Vec<Answer>,
    graph: Graph,
    scratch: Scratch,
    /// The input of each column.
    inputs: Vec<u32>,
    referred: usize,
}

/// What came out (认定结果): one list a programme, one entry a household or a member, by the programme's unit.
/// Programmes are counted as in [`Outcomes::programmes`].
#[derive(Debug, Clone, Copy)]
pub struct Outcomes<'m> {
    programmes: &'m [usize],
    answers: &'m [Answer],
}

/// Outcome (结论): not met.
pub const NOT_MET: u8 = 0;
/// Outcome (结论): to verify.
pub const TO_VERIFY: u8 = 1;
/// Outcome (结论): met.
pub const MET: u8 = 2;

/// Households decided together: enough that starting a loop costs nothing, few enough that the columns stay near.
const BATCH: usize = 512;
/// So few are not worth looking further for the one with something rare.
const FEW: usize = 4;

impl Book {
    /// The book bound to an ask (绑定), for whole populations.
    pub fn machine(&self, ask: &Ask) -> Machine<'_> {
        let wanted = self.wanted(ask);
        let program = self.program();
        let graph = bind::bind(self, ask, &wanted);
        let inputs: Vec<u32> = column_nodes(program)
            .iter()
            .map(|(input, _)| *input)
            .collect();
        let mut needed = vec![false; program.inputs.len()];
        for (output, benefit) in graph.outputs.iter().zip(&wanted) {
            if output.is_err() {
                for input in &program.benefits[*benefit].inputs {
                    needed[*input as usize] = true;
                }
            }
        }
        let mut reads: Vec<bool> = inputs.iter().map(|input| needed[*input as usize]).collect();
        for column in graph.columns() {
            reads[column as usize] = true;
        }
        Machine {
            book: self,
            ask: ask.clone(),
            answers: wanted
                .iter()
                .map(|benefit| Answer::of(&program.benefits[*benefit]))
                .collect(),
            wanted,
            reads,
            keeps_conditions: false,
            scratch: Scratch::of(&graph),
            graph,
            inputs,
            referred: 0,
        }
    }
}

impl Machine<'_> {
    /// Which columns of [`Book::columns`] it wants (需要的列); the others may be absent.
    pub fn reads(&self) -> &[bool] {
        &self.reads
    }

    /// Keeps the result of every condition too (保留各项条件).
    pub fn keep_conditions(&mut self) {
        self.keeps_conditions = true;
    }

    /// Decides every household of a table (批量认定). What is kept for the next call is memory, never values.
    pub fn decide(&mut self, table: &Table<'_>) -> Outcomes<'_> {
        for answer in &mut self.answers {
            answer.resize(table.households(), table.members(), self.keeps_conditions);
        }
        self.referred = 0;
        let words = Vocabulary::of(self.book.program(), &self.graph, &self.inputs, table);
        let mut begin = 0;
        while begin < table.households() {
            let end = (begin + BATCH).min(table.households());
            self.work(table, &words, begin..end);
            begin = end;
        }
        self.refer_the_formless(table);
        Outcomes {
            programmes: &self.wanted,
            answers: &self.answers,
        }
    }

    /// How many households of the last table went through the reference (转交参考算法的户数) because of something rare in them.
    pub fn referred(&self) -> usize {
        self.referred
    }

    /// Programmes that always go through the reference (无列式的事项), and why; the packs of this repository have none.
    pub fn formless(&self) -> Vec<(usize, String)> {
        let outputs = self.wanted.iter().zip(&self.graph.outputs);
        outputs
            .filter_map(|(benefit, output)| {
                let NoForm(reg, why) = output.as_ref().err()?;
                Some((*benefit, format!("{why}（节点 {reg}）")))
            })
            .collect()
    }

    fn work(&mut self, table: &Table<'_>, words: &Vocabulary, rows: Range<usize>) {
        let members = table.members_of(rows.start).start..table.members_of(rows.end - 1).end;
        let mut batch = Batch {
            graph: &self.graph,
            table,
            words,
            scratch: &mut self.scratch,
            rows: rows.clone(),
            members,
        };
        match batch.work(&mut self.answers) {
            Ok(()) => {}
            // The household with the rare thing is looked for, so that its neighbours stay fast.
            Err(Rare) if rows.len() > FEW => {
                let middle = usize::midpoint(rows.start, rows.end);
                self.work(table, words, rows.start..middle);
                self.work(table, words, middle..rows.end);
            }
            Err(Rare) => {
                self.referred += rows.len();
                let every: Vec<usize> = (0..self.wanted.len()).collect();
                self.refer(table, rows, &every);
            }
        }
    }

    fn refer_the_formless(&mut self, table: &Table<'_>) {
        let places: Vec<usize> = (0..self.wanted.len())
            .filter(|place| self.graph.outputs[*place].is_err())
            .collect();
        let mut begin = 0;
        while begin < table.households() && !places.is_empty() {
            let end = (begin + Book::BATCH).min(table.households());
            self.refer(table, begin..end, &places);
            begin = end;
        }
    }

    /// Decides some programmes for some households by the reference.
    fn refer(&mut self, table: &Table<'_>, rows: Range<usize>, places: &[usize]) {
        let list: Vec<usize> = rows.clone().collect();
        let wanted: Vec<usize> = places.iter().map(|place| self.wanted[*place]).collect();
        let region = self.book.region(&self.ask);
        let program = self.book.program();
        let run = Run::over_table(program, table, &list, &self.ask, region, &wanted);
        let child = table.members_of(rows.start).start;
        for (place, benefit) in places.iter().zip(wanted) {
            self.answers[*place].copy_from(&run, benefit, rows.start, child);
        }
    }
}

impl<'m> Outcomes<'m> {
    /// The programmes decided (事项), counted in [`Book::programmes`].
    pub fn programmes(&self) -> &'m [usize] {
        self.programmes
    }

    /// The outcomes (结论): [`NOT_MET`], [`TO_VERIFY`] or [`MET`].
    pub fn outcome(&self, at: usize) -> &'m [u8] {
        &self.answers[at].outcome
    }

    /// The amounts in fen (金额); 0 unless met.
    pub fn amount(&self, at: usize) -> &'m [i64] {
        &self.answers[at].amount
    }

    /// A condition (条件): 0 no, 1 unknown, 2 yes; empty unless [`Machine::keep_conditions`] was called.
    pub fn condition(&self, at: usize, condition: usize) -> &'m [u8] {
        self.answers[at]
            .conditions
            .get(condition)
            .map_or(&[], Vec::as_slice)
    }

    /// For whom a household's benefit is paid (保障对象), 0 or 1 a member; `None` where the programme does not choose:
    /// then a household's benefit is for all members, a person's for that person and an organisation's for none.
    pub fn covered(&self, at: usize) -> Option<&'m [u8]> {
        self.answers[at].covered.as_deref()
    }
}
