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
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A rule book bound to a day, a place and some programmes (绑定后的规则库), to decide with on one thread.
#[derive(Debug)]
pub struct Machine<'b> {
    /// The book, and those tried beside it.
    books: Vec<&'b Book>,
    plan: Arc<Plan>,
    keeps_conditions: bool,
    /// Programme by programme, one a book.
    answers: Vec<Answer>,
    scratch: Scratch,
    referred: usize,
}

/// A rule book, and reforms of it, bound as one and once (绑定一次): every thread takes its machine from it.
#[derive(Debug)]
pub struct Binding {
    books: Vec<Arc<Book>>,
    plan: Arc<Plan>,
}

/// What machines of the same books share.
#[derive(Debug)]
struct Plan {
    ask: Ask,
    wanted: Vec<usize>,
    reads: Vec<bool>,
    graph: Graph,
    /// The input of each column.
    inputs: Vec<u32>,
}

/// What came out (认定结果): one list a programme, one entry a household or a member, by the programme's unit.
/// Programmes are counted as in [`Outcomes::programmes`].
#[derive(Debug, Clone, Copy)]
pub struct Outcomes<'m> {
    programmes: &'m [usize],
    answers: &'m [Answer],
    books: usize,
    book: usize,
}

/// What one variable, condition or benefit cost (单个变量的耗时).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// How reports call it: `dibao.per_capita_income`; empty for reading the table's columns.
    pub step: String,
    /// Operations over columns that were first wanted for it; what others share with it costs them nothing.
    pub operations: usize,
    /// What the clock said it took, in the clock's unit.
    pub spent: u64,
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
        Machine::over(vec![self], Arc::new(Plan::of(&[self], ask)))
    }

    /// The book and reforms of it bound as one (并列绑定): whatever does not rest on what they change is worked out once
    /// for all of them. `None` if one of them is no reform of this book; see [`Book::reformed`].
    pub fn machine_beside<'b>(&'b self, reforms: &[&'b Self], ask: &Ask) -> Option<Machine<'b>> {
        let books: Vec<&Self> = std::iter::once(self)
            .chain(reforms.iter().copied())
            .collect();
        let plan = Plan::beside(&books, ask)?;
        Some(Machine::over(books, Arc::new(plan)))
    }
}

impl Binding {
    /// Binds a book and reforms of it (绑定). `None` without a book, or if one of them is no reform of the first.
    pub fn of(books: Vec<Arc<Book>>, ask: &Ask) -> Option<Self> {
        let each: Vec<&Book> = books.iter().map(|book| &**book).collect();
        let plan = Arc::new(Plan::beside(&each, ask)?);
        Some(Self { books, plan })
    }

    /// Which columns of [`Book::columns`] its machines want (需要的列).
    pub fn reads(&self) -> &[bool] {
        &self.plan.reads
    }

    /// Something to decide with (认定机): what it keeps between calls is its own.
    pub fn machine(&self) -> Machine<'_> {
        let books = self.books.iter().map(|book| &**book).collect();
        Machine::over(books, Arc::clone(&self.plan))
    }
}

impl Plan {
    /// Of a book and reforms of it.
    fn beside(books: &[&Book], ask: &Ask) -> Option<Self> {
        let (first, reforms) = books.split_first()?;
        let alike = reforms
            .iter()
            .all(|reform| reform.written() == first.written());
        alike.then(|| Self::of(books, ask))
    }

    /// Of books that differ in values only.
    fn of(books: &[&Book], ask: &Ask) -> Self {
        let first = books[0];
        let wanted = first.wanted(ask);
        let program = first.program();
        let graph = bind::bind(books, ask, &wanted);
        let inputs: Vec<u32> = column_nodes(program)
            .iter()
            .map(|(input, _)| *input)
            .collect();
        let mut needed = vec![false; program.inputs.len()];
        for (outputs, benefit) in graph.outputs.chunks(books.len()).zip(&wanted) {
            if outputs.iter().any(Result::is_err) {
                for input in &program.benefits[*benefit].inputs {
                    needed[*input as usize] = true;
                }
            }
        }
        let mut reads: Vec<bool> = inputs.iter().map(|input| needed[*input as usize]).collect();
        for column in graph.columns() {
            reads[column as usize] = true;
        }
        Self {
            ask: ask.clone(),
            wanted,
            reads,
            graph,
            inputs,
        }
    }
}

impl<'b> Machine<'b> {
    fn over(books: Vec<&'b Book>, plan: Arc<Plan>) -> Self {
        let program = books[0].program();
        let answers = plan.wanted.iter().flat_map(|benefit| {
            books
                .iter()
                .map(|_| Answer::of(&program.benefits[*benefit]))
        });
        Self {
            answers: answers.collect(),
            scratch: Scratch::of(&plan.graph),
            books,
            plan,
            keeps_conditions: false,
            referred: 0,
        }
    }
}

impl Machine<'_> {
    /// Which columns of [`Book::columns`] it wants (需要的列); the others may be absent.
    pub fn reads(&self) -> &[bool] {
        &self.plan.reads
    }

    /// Keeps the result of every condition too (保留各项条件).
    pub fn keep_conditions(&mut self) {
        self.keeps_conditions = true;
    }

    /// Times every column from now on (计时), by a clock that only goes forward. Looking at the clock costs about as much as a
    /// small column, so shares are what is to be read from it.
    pub fn time(&mut self, clock: fn() -> u64) {
        let costs = self.scratch.costs();
        costs.clock = Some(clock);
        costs.of = vec![0; self.plan.graph.ops.len()];
    }

    /// What was spent since [`Self::time`] was called (各变量耗时), by the rules' names in alphabetical order.
    pub fn costs(&self) -> Vec<Cost> {
        let graph = &self.plan.graph;
        let steps = &self.books[0].program().steps;
        let mut all: BTreeMap<u32, (usize, u64)> = BTreeMap::new();
        for (owner, spent) in graph.owners.iter().zip(self.scratch.spent()) {
            let sum = all.entry(*owner).or_default();
            *sum = (sum.0 + 1, sum.1 + spent);
        }
        let mut costs: Vec<Cost> = all
            .into_iter()
            .map(|(owner, (operations, spent))| Cost {
                step: steps
                    .get(owner as usize)
                    .map_or(String::new(), |step| step.name.clone()),
                operations,
                spent,
            })
            .collect();
        costs.sort_by(|a, b| a.step.cmp(&b.step));
        costs
    }

    /// Decides every household of a table (批量认定) and gives what the first book says. What is kept for the next call is
    /// memory, never values.
    pub fn decide(&mut self, table: &Table<'_>) -> Outcomes<'_> {
        for answer in &mut self.answers {
            answer.resize(table.households(), table.members(), self.keeps_conditions);
        }
        self.referred = 0;
        let words = Vocabulary::of(
            self.books[0].program(),
            &self.plan.graph,
            &self.plan.inputs,
            table,
        );
        let mut begin = 0;
        while begin < table.households() {
            let end = (begin + BATCH).min(table.households());
            self.work(table, &words, begin..end);
            begin = end;
        }
        self.refer_the_formless(table);
        self.outcomes(0)
    }

    /// What a book said of the last table (所得结果): 0 is the book itself, then its reforms in the order given.
    pub fn outcomes(&self, book: usize) -> Outcomes<'_> {
        Outcomes {
            programmes: &self.plan.wanted,
            answers: &self.answers,
            books: self.books.len(),
            book: book.min(self.books.len() - 1),
        }
    }

    /// How many households of the last table went through the reference (转交参考算法的户数) because of something rare in them.
    pub fn referred(&self) -> usize {
        self.referred
    }

    /// Programmes that always go through the reference (无列式的事项), and why; the packs of this repository have none.
    pub fn formless(&self) -> Vec<(usize, String)> {
        let outputs = self.plan.graph.outputs.chunks(self.books.len());
        let outputs = self.plan.wanted.iter().zip(outputs);
        outputs
            .filter_map(|(benefit, outputs)| {
                let NoForm(reg, why) = outputs.iter().find_map(|output| output.as_ref().err())?;
                Some((*benefit, format!("{why}（节点 {reg}）")))
            })
            .collect()
    }

    fn work(&mut self, table: &Table<'_>, words: &Vocabulary, rows: Range<usize>) {
        let members = table.members_of(rows.start).start..table.members_of(rows.end - 1).end;
        let mut batch = Batch {
            graph: &self.plan.graph,
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
                let every: Vec<usize> = (0..self.answers.len()).collect();
                self.refer(table, rows, &every);
            }
        }
    }

    fn refer_the_formless(&mut self, table: &Table<'_>) {
        let places: Vec<usize> = (0..self.answers.len())
            .filter(|place| self.plan.graph.outputs[*place].is_err())
            .collect();
        let mut begin = 0;
        while begin < table.households() && !places.is_empty() {
            let end = (begin + Book::BATCH).min(table.households());
            self.refer(table, begin..end, &places);
            begin = end;
        }
    }

    /// Decides some programmes for some households by the reference; `places` are those of the answers.
    fn refer(&mut self, table: &Table<'_>, rows: Range<usize>, places: &[usize]) {
        let list: Vec<usize> = rows.clone().collect();
        let child = table.members_of(rows.start).start;
        for (at, book) in self.books.iter().enumerate() {
            let own = places.iter().copied();
            let own: Vec<usize> = own.filter(|place| place % self.books.len() == at).collect();
            if own.is_empty() {
                continue;
            }
            let benefit = |place: &usize| self.plan.wanted[place / self.books.len()];
            let wanted: Vec<usize> = own.iter().map(benefit).collect();
            let region = book.region(&self.plan.ask);
            let run = Run::over_table(
                book.program(),
                table,
                &list,
                &self.plan.ask,
                region,
                &wanted,
            );
            for (place, benefit) in own.iter().zip(wanted) {
                self.answers[*place].copy_from(&run, benefit, rows.start, child);
            }
        }
    }
}

impl<'m> Outcomes<'m> {
    /// The programmes decided (事项), counted in [`Book::programmes`].
    pub fn programmes(&self) -> &'m [usize] {
        self.programmes
    }

    fn answer(&self, at: usize) -> &'m Answer {
        &self.answers[at * self.books + self.book]
    }

    /// The outcomes (结论): [`NOT_MET`], [`TO_VERIFY`] or [`MET`].
    pub fn outcome(&self, at: usize) -> &'m [u8] {
        &self.answer(at).outcome
    }

    /// The amounts in fen (金额); 0 unless met.
    pub fn amount(&self, at: usize) -> &'m [i64] {
        &self.answer(at).amount
    }

    /// A condition (条件): 0 no, 1 unknown, 2 yes; empty unless [`Machine::keep_conditions`] was called.
    pub fn condition(&self, at: usize, condition: usize) -> &'m [u8] {
        self.answer(at)
            .conditions
            .get(condition)
            .map_or(&[], Vec::as_slice)
    }

    /// For whom a household's benefit is paid (保障对象), 0 or 1 a member; `None` where the programme does not choose:
    /// then a household's benefit is for all members, a person's for that person and an organisation's for none.
    pub fn covered(&self, at: usize) -> Option<&'m [u8]> {
        self.answer(at).covered.as_deref()
    }
}
