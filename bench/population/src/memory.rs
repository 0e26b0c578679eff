//! People in memory (内存模式): read first, then decided; fresh outputs in every run, as the other engines have them.
//!
//! Guarantees: the clock of deciding includes getting the memory of the outputs, once for a month alone and once for a year, whose
//! months are dropped one after the other. Deliberately absent: outputs kept from one run to the next.

use crate::bench::{Clock, Done, Settings};
use crate::cells::{Cells, Columns, Scratch};
use crate::decide::{Outputs, Programmes, decide, machine, tally};
use anyhow::{Context, ensure};
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use policy::{Book, Table, Unit};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Everybody.
struct People {
    /// Where each household's members begin, and the end.
    offsets: Vec<u32>,
    /// In the order of the book's columns.
    columns: Vec<Cells>,
    of_person: Vec<bool>,
}

struct Results {
    amounts: Vec<Vec<i32>>,
    outcomes: Vec<Vec<u8>>,
}

pub(crate) fn run(book: &Book, settings: &Settings, clock: &mut Clock) -> anyhow::Result<Done> {
    let people = clock.phase("read_s", || read(book, settings))?;
    let programmes = Programmes::of(book, settings)?;
    let count = people.offsets.last().map_or(0, |end| *end as usize);
    let mut done = Done {
        people: count,
        households: people.offsets.len() - 1,
        ..Done::default()
    };
    for pass in 0..settings.passes.max(1) {
        let mut last: Option<Results> = None;
        let mut taken = std::time::Duration::ZERO;
        for day in &settings.days {
            let began = std::time::Instant::now();
            let results = month(book, settings, &people, &programmes, (*day, last.take()))?;
            taken += began.elapsed();
            if pass == 0 {
                let outcomes: Vec<&[u8]> = results.outcomes.iter().map(Vec::as_slice).collect();
                if let Some(total) = results.amounts.last() {
                    tally(total, &outcomes, &mut done);
                }
            }
            last = Some(results);
        }
        clock.took(taken);
        if let (0, Some(file), Some(results)) = (pass, &settings.out, last) {
            write(file, &programmes, results)?;
        }
    }
    Ok(done)
}

/// Decides one month with fresh outputs, or over those of the month before, which nobody wants any more: every cell is written.
fn month(
    book: &Book,
    settings: &Settings,
    people: &People,
    programmes: &Programmes,
    (day, before): (NaiveDate, Option<Results>),
) -> anyhow::Result<Results> {
    let households = people.offsets.len() - 1;
    let count = people.offsets[households] as usize;
    let fresh = || Results {
        amounts: (0..programmes.amounts()).map(|_| vec![0; count]).collect(),
        outcomes: (0..programmes.ids.len())
            .map(|at| vec![0; programmes.length(at, count, households)])
            .collect(),
    };
    let mut results = before.unwrap_or_else(fresh);
    let mut amounts: Vec<&mut [i32]> = results.amounts.iter_mut().map(Vec::as_mut_slice).collect();
    let mut outcomes: Vec<&mut [u8]> = results.outcomes.iter_mut().map(Vec::as_mut_slice).collect();
    std::thread::scope(|scope| {
        let mut started = Vec::new();
        for share in shares(&people.offsets, settings.threads) {
            let members = (people.offsets[share.end] - people.offsets[share.start]) as usize;
            let mut mine = Outputs {
                amounts: take_each(&mut amounts, |_| members),
                outcomes: take_each(&mut outcomes, |at| {
                    programmes.length(at, members, share.len())
                }),
                sums: Vec::with_capacity(settings.block),
            };
            started.push(scope.spawn(move || {
                let mut machine = machine(book, settings, day);
                let mut offsets = Vec::with_capacity(settings.block + 1);
                let mut from = share.start;
                while from < share.end {
                    let until = (from + settings.block).min(share.end);
                    let table = people.table(from..until, &mut offsets);
                    let begun = (people.offsets[from] - people.offsets[share.start]) as usize;
                    let homes = from - share.start;
                    decide(&mut machine, &table, programmes, &mut mine, begun, homes)?;
                    from = until;
                }
                anyhow::Ok(())
            }));
        }
        for one in started {
            one.join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a worker gave up")))?;
        }
        anyhow::Ok(())
    })?;
    Ok(results)
}

/// Cuts so much off the front of each list.
fn take_each<'o, T>(
    lists: &mut [&'o mut [T]],
    length: impl Fn(usize) -> usize,
) -> Vec<&'o mut [T]> {
    let cut = |(at, list): (usize, &mut &'o mut [T])| {
        let (front, rest) = std::mem::take(list).split_at_mut(length(at));
        *list = rest;
        front
    };
    lists.iter_mut().enumerate().map(cut).collect()
}

/// Runs of households with about as many members each.
fn shares(offsets: &[u32], threads: usize) -> Vec<Range<usize>> {
    let households = offsets.len() - 1;
    let people = offsets[households] as usize;
    let threads = threads.max(1);
    let cut = |part: usize| match part {
        part if part == threads => households,
        part => offsets.partition_point(|at| (*at as usize) < people * part / threads),
    };
    (0..threads).map(|part| cut(part)..cut(part + 1)).collect()
}

impl People {
    /// Some households as a table; `offsets` is memory used again.
    fn table<'t>(&'t self, rows: Range<usize>, offsets: &'t mut Vec<u32>) -> Table<'t> {
        let first = self.offsets[rows.start];
        let members = first as usize..self.offsets[rows.end] as usize;
        offsets.clear();
        offsets.extend(
            self.offsets[rows.start..=rows.end]
                .iter()
                .map(|at| at - first),
        );
        let columns = self
            .columns
            .iter()
            .zip(&self.of_person)
            .map(|(cells, of_person)| {
                cells.column(if *of_person {
                    members.clone()
                } else {
                    rows.clone()
                })
            });
        Table {
            columns: columns.collect(),
            offsets: (&*offsets).into(),
            words: Vec::new().into(),
        }
    }
}

fn read(book: &Book, settings: &Settings) -> anyhow::Result<People> {
    let persons = Columns::open(&settings.data, "persons.parquet")?;
    let households = Columns::open(&settings.data, "households.parquet")?;
    let member_of = persons
        .find("household_id")
        .context("persons have no household_id")?;
    let mut of_person = Vec::new();
    let (mut person_columns, mut household_columns) = (vec![Some(member_of)], Vec::new());
    for column in book.columns() {
        of_person.push(column.of == Unit::Person);
        if column.of == Unit::Person {
            person_columns.push(persons.find(&column.name));
        } else {
            household_columns.push(households.find(&column.name));
        }
    }
    let mut people = read_all(
        &settings.data,
        "persons.parquet",
        &person_columns,
        settings.threads,
    )?;
    let homes = read_all(
        &settings.data,
        "households.parquet",
        &household_columns,
        settings.threads,
    )?;
    let ids = people.remove(0).values;
    let offsets = offsets(&ids, households.rows()?)?;
    let (mut people, mut homes) = (people.into_iter(), homes.into_iter());
    let columns = of_person
        .iter()
        .map(|person| if *person { people.next() } else { homes.next() }.unwrap_or_default())
        .collect();
    Ok(People {
        offsets,
        columns,
        of_person,
    })
}

/// Where the members of each household begin. Households are counted from 0, people stand by household.
fn offsets(ids: &[i64], households: usize) -> anyhow::Result<Vec<u32>> {
    let mut offsets = Vec::with_capacity(households + 1);
    let mut next = 0;
    for (at, id) in ids.iter().enumerate() {
        ensure!(
            *id + 1 >= next,
            "人没有按家庭排列 (people do not stand by household)"
        );
        while next <= *id {
            offsets.push(u32::try_from(at)?);
            next += 1;
        }
    }
    offsets.resize(households + 1, u32::try_from(ids.len())?);
    Ok(offsets)
}

/// Whole columns, row groups read by several threads.
fn read_all(
    folder: &Path,
    file: &str,
    wanted: &[Option<usize>],
    threads: usize,
) -> anyhow::Result<Vec<Cells>> {
    let groups = Columns::open(folder, file)?.groups();
    let shares: Vec<Range<usize>> = (0..threads)
        .map(|part| groups * part / threads..groups * (part + 1) / threads)
        .collect();
    let read = |share: Range<usize>| -> anyhow::Result<Vec<Cells>> {
        let columns = Columns::open(folder, file)?;
        let mut whole = vec![Cells::default(); wanted.len()];
        let mut part = vec![Cells::default(); wanted.len()];
        let mut scratch = Scratch::default();
        for group in share {
            let rows = columns.read(group, wanted, &mut part, &mut scratch)?;
            for (whole, part) in whole.iter_mut().zip(&part) {
                whole.extend(part, 0..rows);
            }
        }
        Ok(whole)
    };
    let parts: Vec<anyhow::Result<Vec<Cells>>> = std::thread::scope(|scope| {
        let started: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(|| read(share)))
            .collect();
        started
            .into_iter()
            .map(|one| {
                one.join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a reader gave up")))
            })
            .collect()
    });
    let mut whole: Option<Vec<Cells>> = None;
    for part in parts {
        let part = part?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                for (whole, part) in whole.iter_mut().zip(&part) {
                    whole.extend(part, 0..part.values.len());
                }
            }
        }
    }
    Ok(whole.unwrap_or_default())
}

/// The benefits of everybody under the names the peers use.
fn write(file: &Path, programmes: &Programmes, results: Results) -> anyhow::Result<()> {
    let mut names = vec!["person_id".to_owned()];
    for (id, of_person) in programmes.ids.iter().zip(&programmes.of_person) {
        let name = match id.as_str() {
            "dibao" => "dibao_person",
            "tekun" => "tekun_amount",
            other => other,
        };
        if *of_person {
            names.push(name.to_owned());
        }
    }
    names.push("person_total".to_owned());
    let count = i64::try_from(results.amounts.first().map_or(0, Vec::len))?;
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(0..count))];
    columns.extend(
        results
            .amounts
            .into_iter()
            .map(|amounts| Arc::new(Int32Array::from(amounts)) as ArrayRef),
    );
    let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns))?;
    let mut writer = ArrowWriter::try_new(File::create(file)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
