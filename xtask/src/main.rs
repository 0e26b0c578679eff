//! `cargo xtask`: the house's own tools (开发工具): set up, show, test, tidy.
//!
//! Guarantees: needs nothing but cargo to start and compiles in seconds; says what it is about to do and how long that
//! takes; installs only what the asked command needs and only if it is missing; a failing step makes the exit code 1.
//! Deliberately absent: anything the product needs while it runs. That is in `huimin`.

mod approve;
mod clock;
mod demo;
mod postgres;
mod run;
mod s3;
mod setup;
mod test;
mod tidy;
mod workspace;

use anyhow::{Result, bail};
use std::process::ExitCode;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask demo [--fresh] [--people N] [--port P] [--data DIR] [--no-serve]
    Build the release program, make a demo district and serve it on http://127.0.0.1:8080.
cargo xtask test [STEP …]
    Everything that must hold. Steps: setup fmt clippy tidy unit packs browser cluster. Without a step: all of them.
cargo xtask tidy
    The house checks: ranks, file headers, names, forbidden words, glossary, approved lists.
cargo xtask approve
    Write docs/approved/*.md anew from the code. Review the difference like code.
cargo xtask setup [demo|test]
    Install what is missing: packages of the system and of npm; copy the browser files the pages need.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            run::say(&format!("\nxtask: {fault:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    let workspace = Workspace::here()?;
    match command {
        "demo" => demo::demo(&workspace, rest),
        "test" => test::test(&workspace, rest),
        "tidy" => tidy::tidy(&workspace),
        "approve" => approve::approve(&workspace),
        "setup" => setup::setup(&workspace, rest),
        "help" | "--help" | "-h" => {
            run::say(HELP);
            Ok(())
        }
        other => bail!("there is no command `{other}`\n\n{HELP}"),
    }
}
