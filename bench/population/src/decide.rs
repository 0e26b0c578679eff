//! Deciding blocks and writing out what came (认定与写出): all benefits of every person and their sum, all outcomes.
//!
//! Guarantees: what stands in the outputs is what the machine said, in fen. An amount takes four bytes, as the peers' do (theirs are
//! floats): one that does not fit, over twenty million yuan a month, ends the run. Deliberately absent: reading.

use crate::bench::{Done, Settings};
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use policy::{Book, Machine, Table, Unit};

/// Outputs of a run of people and households (输出). One list a programme, in the machine's order.
pub(crate) struct Outputs<'o> {
    /// Of persons; the last is their sum.
    pub(crate) amounts: Vec<&'o mut [i32]>,
    pub(crate) outcomes: Vec<&'o mut [u8]>,
    /// Sums of a block, memory used again.
    pub(crate) sums: Vec<i64>,
}

/// Which programmes a machine decides, and for whom (事项).
#[derive(Debug, Clone)]
pub(crate) struct Programmes {
    pub(crate) ids: Vec<String>,
    pub(crate) of_person: Vec<bool>,
}

impl Programmes {
    pub(crate) fn of(book: &Book, settings: &Settings) -> anyhow::Result<Self> {
        let day = *settings.days.first().context("no month")?;
        let mut machine = book.machine(&settings.ask(day));
        let nobody = Table {
            offsets: vec![0].into(),
            columns: vec![policy::Column::ABSENT; book.columns().len()],
            words: Vec::new().into(),
        };
        let decided = machine.decide(&nobody);
        let all = book.programmes();
        let chosen: Vec<&policy::Programme> =
            decided.programmes().iter().map(|at| &all[*at]).collect();
        Ok(Self {
            ids: chosen.iter().map(|one| one.id.clone()).collect(),
            of_person: chosen.iter().map(|one| one.to == Unit::Person).collect(),
        })
    }

    /// How many lists of amounts: one a programme for persons, and their sum.
    pub(crate) fn amounts(&self) -> usize {
        self.of_person.iter().filter(|person| **person).count() + 1
    }

    /// How long the list of outcomes of a programme is.
    pub(crate) fn length(&self, at: usize, people: usize, households: usize) -> usize {
        if self.of_person[at] {
            people
        } else {
            households
        }
    }
}

/// The machines of all days asked, each bound once.
pub(crate) fn machine<'b>(book: &'b Book, settings: &Settings, day: NaiveDate) -> Machine<'b> {
    let mut machine = book.machine(&settings.ask(day));
    if settings.conditions {
        machine.keep_conditions();
    }
    machine
}

/// Decides a table and writes what came behind what is already there: from these people and households on.
pub(crate) fn decide(
    machine: &mut Machine<'_>,
    table: &Table<'_>,
    programmes: &Programmes,
    outputs: &mut Outputs<'_>,
    people: usize,
    households: usize,
) -> anyhow::Result<()> {
    let count = table.members();
    let decided = machine.decide(table);
    let Some((total, amounts)) = outputs.amounts.split_last_mut() else {
        return Ok(());
    };
    let mut amounts = amounts.iter_mut();
    outputs.sums.clear();
    for at in 0..programmes.of_person.len() {
        let outcome = decided.outcome(at);
        if !programmes.of_person[at] {
            outputs.outcomes[at][households..households + outcome.len()].copy_from_slice(outcome);
            continue;
        }
        outputs.outcomes[at][people..people + count].copy_from_slice(outcome);
        let amount = decided.amount(at);
        if let Some(column) = amounts.next() {
            narrow(amount, &mut column[people..people + count])?;
        }
        if outputs.sums.is_empty() {
            outputs.sums.extend_from_slice(amount);
        } else {
            for (sum, more) in outputs.sums.iter_mut().zip(amount) {
                *sum += more;
            }
        }
    }
    outputs.sums.resize(count, 0);
    narrow(&outputs.sums, &mut total[people..people + count])
}

/// The same fen in half the room; all are looked at before one that does not fit is told.
fn narrow(amounts: &[i64], cells: &mut [i32]) -> anyhow::Result<()> {
    let mut fit = true;
    for (cell, amount) in cells.iter_mut().zip(amounts) {
        let small = i32::try_from(*amount);
        fit &= small.is_ok();
        *cell = small.unwrap_or_default();
    }
    ensure!(fit, "a month's amount of more than 21 474 836.47 yuan");
    Ok(())
}

/// Adds up what stands in outputs.
pub(crate) fn tally(amounts: &[i32], outcomes: &[&[u8]], done: &mut Done) {
    done.checksum += amounts.iter().map(|amount| i64::from(*amount)).sum::<i64>();
    for outcome in outcomes {
        for one in *outcome {
            done.outcomes[usize::from((*one).min(2))] += 1;
        }
    }
}
