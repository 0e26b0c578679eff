//! Measuring the acts on a whole population without the rest of the product (全量计算计时):
//! `cargo run --release -p batch --example measure -- sweep|simulate PACKS PLACE FOLDER [PARAMETER=VALUE]`.

use anyhow::{Context, bail};
use batch::folder::Folder;
use batch::layout::Manifest;
use batch::simulate::{Reform, Simulation, change};
use batch::sweep::{Doubts, Sweep};
use policy::Book;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, packs, place, at, rest @ ..] = words.as_slice() else {
        bail!("measure sweep|simulate PACKS PLACE FOLDER [PARAMETER=VALUE]");
    };
    let Ok(book) = Book::load(Path::new(packs), place) else {
        bail!("the pack has mistakes");
    };
    let book = Arc::new(book);
    let folder = Folder::open(at)?;
    let manifest = Manifest::read(&folder).await?;
    let go = AtomicBool::new(false);
    let began = Instant::now();
    let households = match what.as_str() {
        "simulate" => {
            let value = rest.first().context("PARAMETER=VALUE")?;
            let reform = Reform {
                name: "measured".to_owned(),
                changes: vec![change(value, manifest.as_of)?],
            };
            let simulation = Simulation::new(Arc::clone(&book), manifest.as_of, &[reform])?;
            let done = simulation.run(&folder, &go, |_, _| {}).await?;
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&done)?)?;
            manifest.households
        }
        "sweep" => {
            let sweep = Sweep {
                book,
                as_of: manifest.as_of,
                programmes: None,
                doubts: Doubts::Paid,
                workers: 2,
            };
            let done = sweep.run(&folder, &go, |_| {}).await?;
            writeln!(
                std::io::stdout(),
                "{}",
                serde_json::to_string(&done.tally.outcomes)?
            )?;
            done.households
        }
        other => bail!("{other} is not measured"),
    };
    let took = began.elapsed();
    writeln!(
        std::io::stdout(),
        "{what}: {households} households in {} ms",
        took.as_millis()
    )?;
    Ok(())
}
