//! The house's linkage as a peer (记录链接的基准程序), beside Splink and exact keys.
//!
//! ```sh
//! linkage_bench link --data DIR            # DIR/register.parquet, truth in its column person_id
//! linkage_bench link --data DIR --keys FILE
//! linkage_bench against --data DIR --new 10000
//! linkage_bench invent --records N --out DIR --seed S --kind development|held
//! ```
//!
//! Prints one line of JSON: seconds of each phase, and precision and recall against the truth. Guarantees: the truth is read after the
//! clock has stopped. Deliberately absent: anything a user of the house needs; nothing of this is in the shipped program.
#![expect(
    clippy::float_arithmetic,
    reason = "seconds, shares and probabilities; there is no money in this program"
)]

mod harder;
mod harder_names;
mod measure;
mod truth;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match measure::run(&words) {
        Ok(line) => {
            let _gone = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            let _gone = writeln!(std::io::stderr(), "linkage_bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}
