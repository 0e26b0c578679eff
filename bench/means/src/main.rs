//! The house as a peer of means verification (核对的基准程序): the flat Parquet files that the other engines read.
//!
//! ```sh
//! means land     --data DIR --store DIR      # clean, blind, sort and write all eight sources
//! means bulk     --data DIR --store DIR      # all applicants against what was landed
//! means straight --data DIR                  # the same against the delivered files
//! means one      --data DIR --store DIR      # one household after another
//! ```
//!
//! Prints one line of JSON: seconds, and the sum of every column of the report, on which all peers must agree.
//! Guarantees: every figure of every household is there before the clock stops. Deliberately absent: anything a user
//! of the house needs; nothing of this is in the shipped program.

use anyhow::{Context, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use chrono::NaiveDate;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use store::Keys;
use verify::report::FigureColumn;
use verify::straight::ask_files;
use verify::{Asked, Landed, Landing, Person, Sources};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Both are given, so that the same files always give the same reports.
fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 2).unwrap_or_default()
}

/// How many workers, as the peers.
const WORKERS: usize = 2;
/// Households asked one after another.
const ONE_BY_ONE: usize = 2_000;
/// What a flag compares deposits with, in fen a member.
const LIMIT: i64 = 24 * 109_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(line) => {
            let _gone = writeln!(std::io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            let _gone = writeln!(std::io::stderr(), "means: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> anyhow::Result<Value> {
    let after = |word: &str| {
        let at = words.iter().position(|one| one == word)?;
        words.get(at + 1).map(PathBuf::from)
    };
    let data = after("--data").context("--data is missing")?;
    let folder = after("--sources").context("--sources is missing")?;
    let sources = Sources::read(&[folder], None).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("mistakes in the sources:\n{}", all.join("\n"))
    })?;
    let store = || after("--store").context("--store is missing");
    match words.first().map(String::as_str) {
        Some("land") => land(&data, &store()?, &sources),
        Some("bulk") => {
            let keys = Keys::load_or_create(&store()?.join("keys"))?;
            let begun = Instant::now();
            let asked = applicants(&data)?;
            let read = begun.elapsed().as_secs_f64();
            let landed = Landed::open(&store()?, sources, keys)?;
            let columns = landed.ask_many(&asked, day(), WORKERS, &AtomicBool::new(false))?;
            done(begun, read, &asked, &columns)
        }
        Some("straight") => {
            let begun = Instant::now();
            let asked = applicants(&data)?;
            let read = begun.elapsed().as_secs_f64();
            let files: BTreeMap<String, PathBuf> = sources
                .0
                .keys()
                .map(|id| (id.clone(), data.join(format!("{id}.parquet"))))
                .collect();
            let columns = ask_files(&sources, &files, &asked, day(), WORKERS)?;
            done(begun, read, &asked, &columns)
        }
        Some("one") => one(&data, &store()?, sources),
        _ => bail!("land, bulk, straight or one"),
    }
}

fn land(data: &Path, store: &Path, sources: &Sources) -> anyhow::Result<Value> {
    std::fs::create_dir_all(store)?;
    let keys = Keys::load_or_create(&store.join("keys"))?;
    let begun = Instant::now();
    let mut each = Map::new();
    let (mut rows, mut bad) = (0, 0);
    for source in sources.0.values() {
        let file = data.join(format!("{}.parquet", source.id));
        let since = Instant::now();
        let stop = AtomicBool::new(false);
        let landing = Landing {
            source,
            file: &file,
            store,
            delivered: day(),
            today: day(),
            keys: &keys,
            workers: WORKERS,
            accept_drift: false,
            stop: &stop,
            told: &|_| {},
        };
        let manifest = landing
            .run()?
            .map_err(|refused| anyhow::anyhow!("{refused}"))?;
        rows += manifest.rows;
        bad += manifest.bad;
        each.insert(source.id.clone(), json!(since.elapsed().as_secs_f64()));
    }
    Ok(json!({ "land_s": begun.elapsed().as_secs_f64(), "rows": rows, "bad": bad, "each_s": each }))
}

fn applicants(data: &Path) -> anyhow::Result<Vec<Asked>> {
    let file = File::open(data.join("applicants.parquet"))?;
    let mut asked: Vec<Asked> = Vec::new();
    let mut last = None;
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
        let batch = batch?;
        let column = |name: &str| batch.column_by_name(name).with_context(|| name.to_owned());
        let applications = column("application_id")?.as_primitive::<Int32Type>();
        let (names, ids) = (
            column("name")?.as_string::<i32>(),
            column("id_no")?.as_string::<i32>(),
        );
        for row in 0..batch.num_rows() {
            let application = applications.value(row);
            if last != Some(application) {
                last = Some(application);
                asked.push(Asked {
                    household: application.to_string(),
                    members: Vec::new(),
                });
            }
            if let Some(household) = asked.last_mut() {
                household.members.push(Person {
                    id_no: ids.value(row).to_owned(),
                    name: names.value(row).to_owned(),
                });
            }
        }
    }
    Ok(asked)
}

/// The report's columns as the peers name and sum them.
fn done(
    begun: Instant,
    read: f64,
    asked: &[Asked],
    columns: &[FigureColumn],
) -> anyhow::Result<Value> {
    let mut sums = Map::new();
    let members: Vec<i64> = asked
        .iter()
        .map(|household| i64::try_from(household.members.len()))
        .collect::<Result<_, _>>()?;
    sums.insert("members".to_owned(), json!(members.iter().sum::<i64>()));
    let mut by_name: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for column in columns {
        if let Some((household, why)) = column.unknown.first() {
            bail!("{} of {household} is unknown: {why:?}", column.figure);
        }
        let values: Option<Vec<i64>> = column.values.iter().copied().collect();
        let values = values.context("a figure is unknown")?;
        sums.insert(column.figure.clone(), json!(values.iter().sum::<i64>()));
        by_name.insert(&column.figure, values);
    }
    let flags: [(&str, &str, i64, bool); 6] = [
        ("flag_deposits", "deposits", LIMIT, true),
        ("flag_vehicle", "vehicles", 0, false),
        ("flag_property", "properties", 1, false),
        ("flag_company", "companies", 0, false),
        ("flag_deceased", "deceased", 0, false),
        ("flag_spouse", "undeclared_spouses", 0, false),
    ];
    for (flag, figure, limit, by_member) in flags {
        let values = by_name.get(figure).context("a figure is missing")?;
        let over = values
            .iter()
            .zip(&members)
            .filter(|(value, members)| **value > if by_member { limit * **members } else { limit });
        sums.insert(flag.to_owned(), json!(over.count()));
    }
    Ok(json!({
        "compute_s": begun.elapsed().as_secs_f64(),
        "applicants_s": read,
        "rows": asked.len(),
        "checksum": sums,
    }))
}

fn one(data: &Path, store: &Path, sources: Sources) -> anyhow::Result<Value> {
    let keys = Keys::load_or_create(&store.join("keys"))?;
    let mut asked = applicants(data)?;
    let step = (asked.len() / ONE_BY_ONE).max(1);
    asked = asked.into_iter().step_by(step).collect();
    let landed = Landed::open(store, sources, keys)?;
    let stop = AtomicBool::new(false);
    let mut times = Vec::new();
    let begun = Instant::now();
    let mut first = 0;
    for household in &asked {
        let since = Instant::now();
        let reports =
            landed.ask_outside_a_case(std::slice::from_ref(household), day(), 1, &stop)?;
        anyhow::ensure!(reports.len() == 1, "one report");
        let spent = since.elapsed().as_micros();
        if times.is_empty() {
            first = spent;
        }
        times.push(spent);
    }
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    Ok(json!({
        "households": times.len(),
        "first_us": first,
        "p50_us": at(50),
        "p95_us": at(95),
        "p99_us": at(99),
        "all_s": begun.elapsed().as_secs_f64(),
    }))
}
