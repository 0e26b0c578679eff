//! Households a second (批量认定耗时): the machine against the reference, one thread, on replicated worked cases; and the
//! 23-formula policy of the peers on made-up people, one and two threads; and one household with its full determination.
//!
//! `cargo bench -p policy --bench population [HOUSEHOLDS]`. Medians of nine rounds and the best of them, in time on
//! the processor. Deliberately absent: files; the tables lie in
//! memory.

use policy::table::{Column, States, Table};
use policy::{Ask, Book, Kind, Unit};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vocab::FactSheet;

type Failed = Box<dyn std::error::Error>;

const ROUNDS: usize = 9;

/// Median and best.
#[derive(Clone, Copy)]
struct Time(Duration, Duration);

/// How long this thread has had a processor, where the system tells: what others do on the machine does not count.
fn worked(begin: Instant) -> Duration {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| begin.elapsed(), Duration::from_nanos)
}

fn timed(mut act: impl FnMut()) -> Time {
    act();
    let start = Instant::now();
    let rounds = (0..ROUNDS).map(|_| {
        let begin = worked(start);
        act();
        worked(start).saturating_sub(begin)
    });
    let mut times: Vec<Duration> = rounds.collect();
    times.sort_unstable();
    Time(times[times.len() / 2], times[0])
}

fn load(packs: &Path, place: &str) -> Result<Book, Failed> {
    Book::load(packs, place).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        all.join("\n").into()
    })
}

/// The same households again and again.
fn replicated(table: &Table<'_>, times: usize) -> Table<'static> {
    let end = table.offsets.last().copied().unwrap_or(0);
    let mut offsets = vec![0];
    let mut first = 0;
    for _ in 0..times {
        offsets.extend(table.offsets.iter().skip(1).map(|at| first + at));
        first += end;
    }
    let columns = table.columns.iter().map(|column| Column {
        values: column.values.repeat(times).into(),
        states: match &column.states {
            States::AllKnown => States::AllKnown,
            States::AllAbsent => States::AllAbsent,
            States::Each(states) => States::Each(states.repeat(times).into()),
        },
        denominators: column
            .denominators
            .as_ref()
            .map(|by| by.repeat(times).into()),
    });
    Table {
        offsets: offsets.into(),
        columns: columns.collect(),
        words: table.words.to_vec().into(),
    }
}

/// Part of the households, the columns borrowed.
fn part<'t>(
    table: &'t Table<'_>,
    book: &Book,
    rows: std::ops::Range<usize>,
    offsets: &'t [u32],
) -> Table<'t> {
    let members = table.members_of(rows.start).start..table.members_of(rows.end - 1).end;
    let columns = table
        .columns
        .iter()
        .zip(book.columns())
        .map(|(column, def)| {
            let range = if def.of == Unit::Person {
                members.clone()
            } else {
                rows.clone()
            };
            let cut = |all: &'t [i64]| all.get(range.clone()).unwrap_or_default();
            Column {
                values: cut(&column.values).into(),
                states: match &column.states {
                    States::AllKnown => States::AllKnown,
                    States::AllAbsent => States::AllAbsent,
                    States::Each(states) => States::Each(states[range.clone()].into()),
                },
                denominators: column.denominators.as_deref().map(|all| cut(all).into()),
            }
        });
    Table {
        offsets: offsets.into(),
        columns: columns.collect(),
        words: table.words.as_ref().into(),
    }
}

fn rate(
    out: &mut impl std::io::Write,
    what: &str,
    table: &Table<'_>,
    Time(median, best): Time,
) -> std::io::Result<()> {
    let count = |number: usize| u128::try_from(number).unwrap_or(0).max(1);
    let (households, members) = (count(table.households()), count(table.members()));
    let per = |time: Duration| {
        let nanos = time.as_nanos().max(1);
        format!(
            "{} households/s, {} ns a household, {} ns a member",
            households * 1_000_000_000 / nanos,
            nanos / households,
            nanos / members
        )
    };
    writeln!(
        out,
        "{what}, {households} households, {members} members: median {}; best {}",
        per(median),
        per(best)
    )
}

fn cases_of(book: &Book) -> Vec<FactSheet> {
    book.programmes()
        .iter()
        .flat_map(|programme| book.cases(&programme.id))
        .map(|case| case.sheet.clone())
        .collect()
}

fn replicated_cases(out: &mut impl std::io::Write, households: usize) -> Result<(), Failed> {
    let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let book = load(&packs, "baoan")?;
    let sheets = cases_of(&book);
    for programmes in [None, Some(vec!["dibao".to_owned()])] {
        let ask = Ask {
            programmes: programmes.clone(),
            ..Ask::on("2026-09-01".parse()?)
        };
        let what = if programmes.is_some() {
            "dibao alone"
        } else {
            "the whole book of baoan"
        };
        let begin = Instant::now();
        let small = book.tabulate(&sheets, &ask);
        writeln!(
            out,
            "{what}: tabulating {} sheets: {:?}",
            sheets.len(),
            begin.elapsed()
        )?;
        let table = replicated(&small, households / sheets.len().max(1));
        let begin = Instant::now();
        let mut machine = book.machine(&ask);
        writeln!(out, "{what}: binding: {:?}", begin.elapsed())?;
        let time = timed(|| {
            black_box(machine.decide(black_box(&table)));
        });
        rate(out, &format!("{what}, machine"), &table, time)?;
        writeln!(
            out,
            "{what}: {} households through the reference",
            machine.referred()
        )?;
        let start = Instant::now();
        let begin = worked(start);
        black_box(book.outcomes(&sheets, &ask));
        let time = worked(start).saturating_sub(begin);
        rate(out, &format!("{what}, reference"), &small, Time(time, time))?;
        // Of the cases of dibao, so that nobody takes an organisation for a household.
        let own = book.cases("dibao").iter().map(|case| &case.sheet);
        let typical = own
            .filter(|sheet| sheet.members.len() == 3)
            .max_by_key(|sheet| {
                sheet
                    .members
                    .iter()
                    .map(std::collections::BTreeMap::len)
                    .sum::<usize>()
            });
        one_household(out, &book, typical, &ask, what)?;
    }
    Ok(())
}

/// One household with its full determination.
fn one_household(
    out: &mut impl std::io::Write,
    book: &Book,
    sheet: Option<&FactSheet>,
    ask: &Ask,
    what: &str,
) -> Result<(), Failed> {
    const TIMES: u32 = 200;
    let Some(sheet) = sheet else { return Ok(()) };
    let time = timed(|| {
        for _ in 0..TIMES {
            black_box(book.evaluate(black_box(sheet), ask));
        }
    });
    let one = std::slice::from_ref(sheet);
    let brief = timed(|| {
        for _ in 0..TIMES {
            black_box(book.outcomes(black_box(one), ask));
        }
    });
    writeln!(
        out,
        "{what}: one household of {} members, full determination {:?} (best {:?}), outcomes only {:?} (best {:?})",
        sheet.members.len(),
        time.0 / TIMES,
        time.1 / TIMES,
        brief.0 / TIMES,
        brief.1 / TIMES
    )?;
    Ok(())
}

/// Made-up people, as the peers' generator makes them: households of one to six, 2.6 members on average.
fn people(book: &Book, households: usize) -> Table<'static> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |limit: i64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        i64::try_from((seed >> 12) % limit.unsigned_abs().max(1)).unwrap_or(0)
    };
    let sizes = [1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6];
    let mut offsets = vec![0_u32];
    for _ in 0..households {
        let last = offsets.last().copied().unwrap_or(0);
        offsets.push(
            last + u32::try_from(sizes[usize::try_from(below(12)).unwrap_or(0)]).unwrap_or(1),
        );
    }
    let members = offsets.last().map_or(0, |end| *end as usize);
    let columns = book.columns().iter().map(|def| {
        let height = if def.of == Unit::Person {
            members
        } else {
            households
        };
        let mut value = || match (def.kind, def.fact.as_str()) {
            (Kind::Bool, "local_hukou") => i64::from(below(100) < 80),
            (Kind::Bool, "has_supporter" | "urban") => i64::from(below(100) < 70),
            (Kind::Bool, _) => i64::from(below(100) < 1),
            // Born within the last ninety-five years.
            (Kind::Date, _) => 739_676 - below(34_700),
            (_, "disability_level") => (below(100) - 94).clamp(0, 4),
            (_, "care_level") => (below(100) - 97).max(0),
            (_, "vehicles" | "properties") => below(3) / 2,
            (_, "deposits") => below(3_000_000),
            (_, "wage") => below(2) * below(600_000),
            (_, "medical" | "education") => below(3) / 2 * below(300_000),
            _ => below(5) / 4 * below(100_000),
        };
        Column {
            values: (0..height).map(|_| value()).collect(),
            states: States::AllKnown,
            denominators: None,
        }
    });
    Table {
        columns: columns.collect(),
        offsets: offsets.into(),
        words: Vec::new().into(),
    }
}

fn peers(out: &mut impl std::io::Write, households: usize) -> Result<(), Failed> {
    let packs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../bench/peers/pack");
    let book = load(&packs, "minzheng")?;
    let ask = Ask::on("2026-03-01".parse()?);
    let table = people(&book, households);
    let mut machine = book.machine(&ask);
    let one = timed(|| {
        black_box(machine.decide(black_box(&table)));
    });
    rate(out, "23 formulas, machine, one thread", &table, one)?;
    let half = table.households() / 2;
    let middle = table.offsets[half];
    let second: Vec<u32> = table.offsets[half..].iter().map(|at| at - middle).collect();
    let parts = [
        part(&table, &book, 0..half, &table.offsets[..=half]),
        part(&table, &book, half..table.households(), &second),
    ];
    let mut other = book.machine(&ask);
    let mut walls: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            std::thread::scope(|scope| {
                scope.spawn(|| black_box(machine.decide(&parts[0]).programmes().len()));
                black_box(other.decide(&parts[1]).programmes().len());
            });
            begin.elapsed()
        })
        .collect();
    walls.sort_unstable();
    let two = Time(walls[walls.len() / 2], walls[0]);
    rate(
        out,
        "23 formulas, machine, two threads, by the clock",
        &table,
        two,
    )?;
    let sheets = cases_of(&book);
    let small = book.tabulate(&sheets, &ask);
    let begin = Instant::now();
    black_box(book.outcomes(&sheets, &ask));
    let time = begin.elapsed();
    rate(out, "23 formulas, reference", &small, Time(time, time))?;
    let largest = sheets.iter().max_by_key(|sheet| sheet.members.len());
    one_household(out, &book, largest, &ask, "23 formulas")
}

fn main() -> Result<(), Failed> {
    let households = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(200_000);
    let mut out = std::io::stdout();
    peers(&mut out, households * 2)?;
    replicated_cases(&mut out, households)
}
