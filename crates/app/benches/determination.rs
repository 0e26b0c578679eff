//! One household in process (单户计算耗时): one programme's determination, and those of all programmes of a place at once.
//!
//! Guarantees: one thread, release profile, median over many batches; a line of JSON each for `bench/run.mjs`.
//! Deliberately absent: loading packs and reading JSON; they happen once, or outside the evaluator.

use chrono::NaiveDate;
use policy::{Ask, Book};
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCHES: usize = 2_000;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packs = root.join("packs");
    let text = std::fs::read_to_string(root.join("bench/household.json"))
        .expect("bench/household.json is part of the tree");
    let json = serde_json::from_str(&text).expect("bench/household.json is JSON");
    let sheet = policy::sheet::from_json(&json).expect("bench/household.json is a fact sheet");
    let places = std::fs::read_dir(&packs)
        .expect("packs/ is part of the tree")
        .flatten();
    let mut places: Vec<String> = places
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    places.sort();
    // The first place of its own; the nation alone has no amounts.
    let book = places
        .iter()
        .filter_map(|place| Book::load(&packs, place).ok())
        .find(|book| book.place().demo);
    let book = book.expect("one pack is for demonstration");
    let day = NaiveDate::from_ymd_opt(2026, 8, 1).expect("a day of the calendar");
    for programmes in [Some(vec!["dibao".to_owned()]), None] {
        let ask = Ask {
            programmes,
            ..Ask::on(day)
        };
        let determinations = book.evaluate(&sheet, &ask).len();
        let mut took: Vec<u128> = (0..BATCHES)
            .map(|_| {
                let began = Instant::now();
                black_box(book.evaluate(black_box(&sheet), &ask));
                began.elapsed().as_nanos()
            })
            .collect();
        took.sort_unstable();
        let median = took[BATCHES / 2];
        let line = format!(
            "{{\"households\":{BATCHES},\"determinations\":{determinations},\"median_us\":{}.{:03},\"p99_us\":{}}}",
            median / 1000,
            median % 1000,
            took[BATCHES * 99 / 100] / 1000
        );
        writeln!(std::io::stdout(), "{line}").expect("somebody reads the figure");
    }
}
