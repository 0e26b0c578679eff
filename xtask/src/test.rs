//! `cargo xtask test` (全部检查): everything that must hold, in the order in which it is cheapest to learn of a fault.
//!
//! Guarantees: a failing step does not hide the later ones; each step's time is shown; PostgreSQL is stopped in any case.
//! Deliberately absent: anything only this command could check. Each step is a command one can type alone.

use crate::clock::{Watch, plain};
use crate::postgres::Postgres;
use crate::run::{self, environment, say};
use crate::s3::ObjectStore;
use crate::workspace::Workspace;
use crate::{setup, tidy};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// One step (步骤) and what it needs to have been done before.
struct Step {
    name: &'static str,
    what: &'static str,
    act: fn(&Bench) -> Result<()>,
    needs_postgres: bool,
}

/// What the steps share (检查环境).
struct Bench<'a> {
    workspace: &'a Workspace,
    postgres: Option<String>,
}

const STEPS: &[Step] = &[
    Step {
        name: "setup",
        what: "install what is missing",
        act: |b| setup::for_tests(b.workspace),
        needs_postgres: false,
    },
    Step {
        name: "fmt",
        what: "formatting",
        act: fmt,
        needs_postgres: false,
    },
    Step {
        name: "clippy",
        what: "clippy, warnings are errors",
        act: clippy,
        needs_postgres: false,
    },
    Step {
        name: "tidy",
        what: "house checks",
        act: house,
        needs_postgres: false,
    },
    Step {
        name: "unit",
        what: "all Rust tests, both databases",
        act: unit,
        needs_postgres: true,
    },
    Step {
        name: "packs",
        what: "packs: check and worked cases",
        act: packs,
        needs_postgres: false,
    },
    Step {
        name: "browser",
        what: "journeys in Chromium, both databases",
        act: browser,
        needs_postgres: true,
    },
    Step {
        name: "cluster",
        what: "the feature `cluster`: a scheduler and executors as processes, one of them killed",
        act: cluster,
        needs_postgres: false,
    },
];

/// Run all steps, or the named ones.
pub(crate) fn test(workspace: &Workspace, names: &[String]) -> Result<()> {
    let steps = chosen(names)?;
    say(
        "On two cores a first run compiles every library: allow 40 minutes. Later runs take a few.",
    );
    let mut bench = Bench {
        workspace,
        postgres: environment("TEST_POSTGRES"),
    };
    let mut server: Option<Postgres> = None;
    let mut results: Vec<(&Step, Duration, Result<()>)> = Vec::new();
    for step in steps {
        say(&format!("\n=== {}: {}", step.name, step.what));
        let watch = Watch::start();
        let mut result = Ok(());
        if step.needs_postgres && bench.postgres.is_none() {
            match Postgres::start(workspace) {
                Ok(started) => {
                    bench.postgres = Some(started.url());
                    server = Some(started);
                }
                Err(fault) => result = Err(fault),
            }
        }
        let result = result.and_then(|()| (step.act)(&bench));
        if let Err(fault) = &result {
            say(&format!("FAILED {}: {fault:#}", step.name));
        }
        let setup_failed = step.name == "setup" && result.is_err();
        results.push((step, watch.elapsed(), result));
        if setup_failed {
            break;
        }
    }
    drop(server);
    report(&results)
}

fn chosen(names: &[String]) -> Result<Vec<&'static Step>> {
    for name in names {
        if !STEPS.iter().any(|step| step.name == name) {
            let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step `{name}`; steps are: {}", known.join(" "));
        }
    }
    // In their own order whatever the order asked for: a later step may need an earlier one.
    Ok(STEPS
        .iter()
        .filter(|step| names.is_empty() || names.iter().any(|name| name == step.name))
        .collect())
}

fn report(results: &[(&Step, Duration, Result<()>)]) -> Result<()> {
    say("\nstep       result   time");
    for (step, duration, result) in results {
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        say(&format!("{:<10} {word:<8} {}", step.name, plain(*duration)));
    }
    let failed: Vec<&str> = results
        .iter()
        .filter(|(_, _, result)| result.is_err())
        .map(|(step, ..)| step.name)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!(
        "failed: {}. Once more alone: cargo xtask test {}",
        failed.join(", "),
        failed.join(" ")
    )
}

fn fmt(bench: &Bench) -> Result<()> {
    run::run(bench.workspace.cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(bench: &Bench) -> Result<()> {
    let mut command = bench.workspace.cargo();
    run::run(command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn house(bench: &Bench) -> Result<()> {
    // The lists of endpoints, permissions and facts come out of the program itself.
    built(bench)?;
    tidy::tidy(bench.workspace)
}

fn unit(bench: &Bench) -> Result<()> {
    // Tests that kill the program need it built; cargo builds it for its own crate's tests only.
    let program = built(bench)?;
    let nextest = run::succeeds(bench.workspace.cargo().args(["nextest", "--version"]));
    let postgres = bench.postgres.as_deref().unwrap_or_default();
    let store = ObjectStore::start(bench.workspace)?;
    let with_environment = |words: &[&str]| {
        let mut command = bench.workspace.cargo();
        command
            .args(words)
            .env("TEST_POSTGRES", postgres)
            .envs(store.environment())
            .env("HUIMIN_PROGRAM", &program);
        command
    };
    if nextest {
        run::run(&mut with_environment(&[
            "nextest",
            "run",
            "--workspace",
            "--no-fail-fast",
        ]))?;
        return run::run(&mut with_environment(&[
            "test",
            "--workspace",
            "--doc",
            "--quiet",
        ]));
    }
    run::run(&mut with_environment(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--quiet",
    ]))
}

fn packs(bench: &Bench) -> Result<()> {
    let program = built(bench)?;
    for words in [&["check"][..], &["test", "--frozen"]] {
        let mut command = Command::new(&program);
        run::run(
            command
                .current_dir(&bench.workspace.root)
                .arg("pack")
                .args(words),
        )?;
    }
    Ok(())
}

fn browser(bench: &Bench) -> Result<()> {
    let program = built(bench)?;
    let chromium =
        setup::browser().context("Chromium is not installed: run `cargo xtask setup`")?;
    let mut command = Command::new("node");
    command
        .current_dir(&bench.workspace.root)
        .arg("tests-browser/run.mjs");
    command
        .arg("--program")
        .arg(program)
        .arg("--chromium")
        .arg(chromium);
    command
        .arg("--shots")
        .arg(bench.workspace.target.join("shots"));
    if let Some(url) = &bench.postgres {
        command.arg("--postgres").arg(url);
    }
    run::run(&mut command)
}

/// What only the feature `cluster` brings. The query engine widens what half of the libraries are built with, so this is a
/// build of its own, under `cluster` in the target folder; clippy looks on while it is built, since to check all those
/// libraries first would cost as much again.
fn cluster(bench: &Bench) -> Result<()> {
    let mut command = bench.workspace.cargo();
    command
        .args(["test", "--profile", "cluster"])
        .args(["--package", "huimin", "--package", "batch"])
        .args(["--features", "huimin/cluster"])
        .args(["--lib", "--bins", "--test", "cluster", "--test", "one_rule"])
        // What `cargo clippy -- --deny warnings` sets, for our own crates only.
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        .env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings");
    run::run(&mut command)
}

/// The program in the dev profile, built if it is not current.
fn built(bench: &Bench) -> Result<PathBuf> {
    run::run(
        bench
            .workspace
            .cargo()
            // The whole workspace with its tests: building one package alone resolves other features, and would compile
            // hundreds of libraries a second time.
            .args(["build", "--workspace", "--all-targets"]),
    )?;
    Ok(bench.workspace.huimin("debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_in_their_own_order() {
        let names = ["unit".to_owned(), "fmt".to_owned()];
        let steps: Vec<&str> = chosen(&names)
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect();
        assert_eq!(steps, ["fmt", "unit"]);
    }

    #[test]
    fn an_unknown_step_is_refused() {
        assert!(chosen(&["clipy".to_owned()]).is_err());
    }
}
