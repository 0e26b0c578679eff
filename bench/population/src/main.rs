//! The house as a peer (本平台的基准程序): a rule pack over the flat Parquet files that the other engines read.
//!
//! ```sh
//! population --pack bench/peers/pack/minzheng --data DIR --month 2026-03 --source memory
//! population --pack bench/peers/pack/minzheng --data DIR --year 2026 --source parquet
//! ```
//!
//! Prints one line of JSON: seconds of each phase and the checksum all peers must agree on. Guarantees: every benefit and
//! every outcome of everybody is written out before the clock stops. Deliberately absent: anything a user of the house needs;
//! nothing of this is in the shipped program.

mod bench;
mod cells;
mod decide;
mod memory;
mod stream;

use anyhow::{Context, bail};
use bench::Settings;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(line) => {
            let _gone = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            let _gone = writeln!(std::io::stderr(), "population: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> anyhow::Result<String> {
    let settings = Settings::read(words)?;
    let (packs, place) = settings
        .pack
        .parent()
        .zip(settings.pack.file_name())
        .context("--pack 要写到规则包文件夹 (a folder of a pack)")?;
    let mut clock = bench::Clock::default();
    let book = clock.phase("rules_s", || {
        policy::Book::load(packs, &place.to_string_lossy())
    });
    let book = match book {
        Ok(book) => book,
        Err(faults) => {
            let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!("规则包有错误 (mistakes in the pack):\n{}", all.join("\n"));
        }
    };
    let done = match settings.source {
        bench::Source::Memory => memory::run(&book, &settings, &mut clock)?,
        bench::Source::Parquet => stream::run(&book, &settings, &mut clock)?,
    };
    Ok(clock.line(&settings, &done))
}
