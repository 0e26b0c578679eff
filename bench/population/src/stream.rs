//! People from the files (文件模式): read, decided and written out row group by row group, by several threads.
//!
//! A household whose members stand in two row groups is put together at the end. Guarantees: memory holds a row group and its
//! results a thread, and the few columns of the households; whatever the size. Deliberately absent: outputs kept for
//! later; they are summed up and their memory is used again.

use crate::bench::{Clock, Done, Settings};
use crate::cells::{Cells, Columns, Scratch};
use crate::decide::{Outputs, Programmes, decide, machine, tally};
use anyhow::{Context, ensure};
use chrono::NaiveDate;
use policy::{Book, Machine, Table, Unit};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which columns of the files a book reads, and where a table has them.
struct Plan {
    /// The first is the household's number.
    persons: Vec<Option<usize>>,
    /// For each column of the book: of persons or of households, and the place there.
    places: Vec<(bool, usize)>,
    homes: Vec<Home>,
    home_rows: usize,
}

/// A column of households, packed small.
struct Home {
    pieces: Vec<Piece>,
}

enum Piece {
    Absent,
    Small(Vec<u8>),
    Wide(Cells),
}

/// Members of a household whose others stand in another row group.
#[derive(Default)]
struct Edge {
    columns: Vec<Cells>,
    members: usize,
}

pub(crate) fn run(book: &Book, settings: &Settings, clock: &mut Clock) -> anyhow::Result<Done> {
    let programmes = Programmes::of(book, settings)?;
    let mut done = Done::default();
    for pass in 0..settings.passes.max(1) {
        let began = std::time::Instant::now();
        let mut total = Done::default();
        for day in &settings.days {
            month(book, settings, &programmes, *day, &mut total)?;
        }
        clock.took(began.elapsed());
        if pass == 0 {
            total.people /= settings.days.len();
            total.households /= settings.days.len();
            done = total;
        }
    }
    Ok(done)
}

fn month(
    book: &Book,
    settings: &Settings,
    programmes: &Programmes,
    day: NaiveDate,
    total: &mut Done,
) -> anyhow::Result<()> {
    let plan = plan(book, settings)?;
    let next = AtomicUsize::new(0);
    let edges = Mutex::new(BTreeMap::<(i64, usize), Edge>::new());
    let worker = || Worker {
        plan: &plan,
        programmes,
        block: settings.block,
        machine: machine(book, settings, day),
        cells: vec![Cells::default(); plan.persons.len()],
        home: vec![Cells::default(); plan.homes.len()],
        scratch: Scratch::default(),
        amounts: vec![Vec::new(); programmes.amounts()],
        outcomes: vec![Vec::new(); programmes.ids.len()],
        done: Done::default(),
    };
    let work = || -> anyhow::Result<Done> {
        let columns = Columns::open(&settings.data, "persons.parquet")?;
        let mut worker = worker();
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= columns.groups() {
                return Ok(worker.done);
            }
            let rows =
                columns.read(group, &plan.persons, &mut worker.cells, &mut worker.scratch)?;
            for (id, edge) in worker.row_group(rows)? {
                if let Ok(mut edges) = edges.lock() {
                    edges.insert((id, group), edge);
                }
            }
        }
    };
    let done: Vec<anyhow::Result<Done>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..settings.threads.max(1))
            .map(|_| scope.spawn(work))
            .collect();
        started
            .into_iter()
            .map(|one| {
                one.join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a worker gave up")))
            })
            .collect()
    });
    for one in done {
        add(total, &one?);
    }
    let edges = edges.into_inner().unwrap_or_default();
    let mut worker = worker();
    worker.edges(edges)?;
    add(total, &worker.done);
    Ok(())
}

fn add(total: &mut Done, one: &Done) {
    total.checksum += one.checksum;
    total.people += one.people;
    total.households += one.households;
    for (sum, more) in total.outcomes.iter_mut().zip(one.outcomes) {
        *sum += more;
    }
}

struct Worker<'w> {
    plan: &'w Plan,
    programmes: &'w Programmes,
    block: usize,
    machine: Machine<'w>,
    cells: Vec<Cells>,
    home: Vec<Cells>,
    scratch: Scratch,
    amounts: Vec<Vec<i32>>,
    outcomes: Vec<Vec<u8>>,
    done: Done,
}

impl Worker<'_> {
    /// Decides the households that lie within a row group; gives back the first and the last, which may go on elsewhere.
    fn row_group(&mut self, rows: usize) -> anyhow::Result<Vec<(i64, Edge)>> {
        let ids = std::mem::take(&mut self.cells[0].values);
        let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else {
            return Ok(Vec::new());
        };
        let from = ids.partition_point(|id| *id <= first);
        let until = ids.partition_point(|id| *id < last).max(from);
        let mut edges = vec![(first, self.edge(0..from))];
        if until < rows {
            edges.push((last, self.edge(until..rows)));
        }
        if first + 1 < last {
            self.inside(&ids, from, until, first + 1..last)?;
        }
        self.cells[0].values = ids;
        Ok(edges)
    }

    fn edge(&self, rows: std::ops::Range<usize>) -> Edge {
        let columns = self.cells.iter().map(|cells| {
            let mut part = Cells::default();
            part.extend(cells, rows.clone());
            part
        });
        Edge {
            columns: columns.collect(),
            members: rows.len(),
        }
    }

    fn inside(
        &mut self,
        ids: &[i64],
        from: usize,
        until: usize,
        homes: std::ops::Range<i64>,
    ) -> anyhow::Result<()> {
        let first = usize::try_from(homes.start)?;
        let households = usize::try_from(homes.end - homes.start)?;
        for (cells, home) in self.home.iter_mut().zip(&self.plan.homes) {
            cells.clear();
            home.copy(first..first + households, self.plan.home_rows, cells);
        }
        let mut ends = Vec::with_capacity(households + 1);
        let mut next = homes.start;
        for (at, id) in (from..).zip(&ids[from..until]) {
            ensure!(
                *id + 1 >= next,
                "人没有按家庭排列 (people do not stand by household)"
            );
            while next <= *id {
                ends.push(at);
                next += 1;
            }
        }
        ends.resize(households + 1, until);
        self.decide(&ends, from)
    }

    /// Decides households whose members end at these rows of the cells.
    fn decide(&mut self, ends: &[usize], first_row: usize) -> anyhow::Result<()> {
        let households = ends.len() - 1;
        let people = ends[households] - first_row;
        for amounts in &mut self.amounts {
            amounts.resize(amounts.len().max(people), 0);
        }
        for (at, outcomes) in self.outcomes.iter_mut().enumerate() {
            let length = self.programmes.length(at, people, households);
            outcomes.resize(outcomes.len().max(length), 0);
        }
        let mut outputs = Outputs {
            amounts: self.amounts.iter_mut().map(Vec::as_mut_slice).collect(),
            outcomes: self.outcomes.iter_mut().map(Vec::as_mut_slice).collect(),
            sums: Vec::with_capacity(self.block),
        };
        let mut offsets: Vec<u32> = Vec::with_capacity(self.block + 1);
        let mut from = 0;
        while from < households {
            let until = (from + self.block).min(households);
            let rows = ends[from]..ends[until];
            offsets.clear();
            for end in &ends[from..=until] {
                offsets.push(u32::try_from(end - rows.start)?);
            }
            let columns = self.plan.places.iter().map(|(of_person, at)| {
                if *of_person {
                    self.cells[*at].column(rows.clone())
                } else {
                    self.home[*at].column(from..until)
                }
            });
            let table = Table {
                columns: columns.collect(),
                offsets: (&offsets).into(),
                words: Vec::new().into(),
            };
            let begun = rows.start - first_row;
            decide(
                &mut self.machine,
                &table,
                self.programmes,
                &mut outputs,
                begun,
                from,
            )?;
            from = until;
        }
        self.done.people += people;
        self.done.households += households;
        let outcomes: Vec<&[u8]> = (0..self.outcomes.len())
            .map(|at| &self.outcomes[at][..self.programmes.length(at, people, households)])
            .collect();
        if let Some(sum) = self.amounts.last() {
            tally(&sum[..people], &outcomes, &mut self.done);
        }
        Ok(())
    }

    /// Households put together from the ends of row groups.
    fn edges(&mut self, edges: BTreeMap<(i64, usize), Edge>) -> anyhow::Result<()> {
        let mut ends = vec![0];
        let mut last = None;
        for ((id, _), edge) in edges {
            for (cells, part) in self.cells.iter_mut().zip(&edge.columns) {
                cells.extend(part, 0..edge.members);
            }
            if last == Some(id) {
                if let Some(end) = ends.last_mut() {
                    *end += edge.members;
                }
                continue;
            }
            last = Some(id);
            let begin = ends.last().copied().unwrap_or(0);
            ends.push(begin + edge.members);
            let row = usize::try_from(id)?;
            for (cells, home) in self.home.iter_mut().zip(&self.plan.homes) {
                home.copy(row..row + 1, self.plan.home_rows, cells);
            }
        }
        self.decide(&ends, 0)
    }
}

fn plan(book: &Book, settings: &Settings) -> anyhow::Result<Plan> {
    let persons = Columns::open(&settings.data, "persons.parquet")?;
    let households = Columns::open(&settings.data, "households.parquet")?;
    let member_of = persons
        .find("household_id")
        .context("persons have no household_id")?;
    let mut wanted = vec![Some(member_of)];
    let mut of_homes = Vec::new();
    let mut places = Vec::new();
    for column in book.columns() {
        if column.of == Unit::Person {
            places.push((true, wanted.len()));
            wanted.push(persons.find(&column.name));
        } else {
            places.push((false, of_homes.len()));
            of_homes.push(households.find(&column.name));
        }
    }
    let mut homes: Vec<Home> = of_homes
        .iter()
        .map(|_| Home { pieces: Vec::new() })
        .collect();
    let mut cells = vec![Cells::default(); of_homes.len()];
    let mut scratch = Scratch::default();
    let mut home_rows = 0;
    for group in 0..households.groups() {
        let rows = households.read(group, &of_homes, &mut cells, &mut scratch)?;
        if group == 0 {
            home_rows = rows;
        }
        for (home, cells) in homes.iter_mut().zip(&cells) {
            home.pieces.push(Piece::of(cells));
        }
    }
    Ok(Plan {
        persons: wanted,
        places,
        homes,
        home_rows,
    })
}

impl Piece {
    fn of(cells: &Cells) -> Self {
        if cells.values.is_empty() {
            return Self::Absent;
        }
        let small =
            cells.states.is_empty() && cells.values.iter().all(|value| (0..256).contains(value));
        if small {
            Self::Small(
                cells
                    .values
                    .iter()
                    .map(|value| u8::try_from(*value).unwrap_or(0))
                    .collect(),
            )
        } else {
            Self::Wide(cells.clone())
        }
    }
}

impl Home {
    /// Puts some rows behind what is in `cells`. All pieces but the last have `piece` rows.
    fn copy(&self, rows: std::ops::Range<usize>, piece: usize, cells: &mut Cells) {
        let mut from = rows.start;
        while from < rows.end {
            let (at, inside) = (from / piece, from % piece);
            let until = rows.end.min((at + 1) * piece);
            let part = inside..inside + (until - from);
            match self.pieces.get(at) {
                Some(Piece::Small(values)) => cells
                    .values
                    .extend(values[part].iter().map(|value| i64::from(*value))),
                Some(Piece::Wide(wide)) => cells.extend(wide, part),
                Some(Piece::Absent) | None => {}
            }
            from = until;
        }
    }
}
