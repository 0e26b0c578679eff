//! How long one household takes, for all programmes, determinations included; and many at once.
//!
//! `cargo bench -p policy --bench one_household [PACKS PLACE]`; without arguments the packs of this repository.

use policy::{Ask, Book};
use std::hint::black_box;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let packs = arguments.first().map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs"),
        PathBuf::from,
    );
    let place = arguments.get(1).map_or("baoan", String::as_str);
    let mut out = std::io::stdout();
    let begin = Instant::now();
    let book = match Book::load(&packs, place) {
        Ok(book) => book,
        Err(faults) => {
            for fault in faults {
                writeln!(out, "{fault}")?;
            }
            return Ok(());
        }
    };
    writeln!(out, "load and compile: {:?}", begin.elapsed())?;
    // The household with most facts among the worked cases, and the crowd of all of them.
    let cases: Vec<_> = book
        .programmes()
        .iter()
        .flat_map(|programme| book.cases(&programme.id))
        .collect();
    let Some(largest) = cases.iter().max_by_key(|case| {
        case.sheet
            .members
            .iter()
            .map(std::collections::BTreeMap::len)
            .sum::<usize>()
    }) else {
        return writeln!(out, "no cases");
    };
    let ask = Ask::on(largest.as_of);
    let answers = book.evaluate(&largest.sheet, &ask);
    writeln!(
        out,
        "{} determinations: {} conditions, {} variables, {} facts, {} bytes of JSON",
        answers.len(),
        answers
            .iter()
            .map(|one| one.conditions.len())
            .sum::<usize>(),
        answers.iter().map(|one| one.variables.len()).sum::<usize>(),
        answers.iter().map(|one| one.facts.len()).sum::<usize>(),
        answers
            .iter()
            .map(|one| one.to_canonical_json().len())
            .sum::<usize>(),
    )?;
    let rounds: u32 = 2000;
    let begin = Instant::now();
    for _ in 0..rounds {
        black_box(book.evaluate(black_box(&largest.sheet), &ask));
    }
    writeln!(
        out,
        "one household of {} members, {} programmes: {:?}",
        largest.sheet.members.len(),
        book.programmes().len(),
        begin.elapsed() / rounds
    )?;
    let one = std::slice::from_ref(&largest.sheet);
    let begin = Instant::now();
    for _ in 0..rounds {
        black_box(book.outcomes(black_box(one), &ask));
    }
    writeln!(
        out,
        "its outcomes and amounts only: {:?}",
        begin.elapsed() / rounds
    )?;
    let crowd: Vec<_> = (0..5000)
        .map(|index| cases[index % cases.len()].sheet.clone())
        .collect();
    let begin = Instant::now();
    black_box(book.evaluate_many(&crowd, &ask));
    writeln!(
        out,
        "a household in a crowd of {}: {:?}",
        crowd.len(),
        begin.elapsed() / 5000
    )?;
    let begin = Instant::now();
    black_box(book.outcomes(&crowd, &ask));
    writeln!(
        out,
        "the same, outcomes and amounts only: {:?}",
        begin.elapsed() / 5000
    )?;
    Ok(())
}
