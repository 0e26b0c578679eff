//! `cargo xtask demo` (演示): from a fresh clone to a district one can walk through.
//!
//! Guarantees: says what it does and how long it takes before it does it; a second start reuses what is there.
//! Deliberately absent: how a demo district is made. `huimin demo` knows.

use crate::clock::{Watch, plain};
use crate::postgres::is_taken;
use crate::run::{self, say};
use crate::setup;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// What was asked for (命令参数).
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    fresh: bool,
    people: u32,
    port: u16,
    serve: bool,
    data: PathBuf,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            fresh: false,
            people: 20_000,
            port: 8080,
            serve: true,
            data: PathBuf::from("data/demo"),
        }
    }
}

/// Build, then let the program make and serve its demo.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let wish = Wish::read(arguments)?;
    if wish.serve && is_taken(wish.port) {
        bail!(
            "something already listens on port {}: stop it, or choose another with --port",
            wish.port
        );
    }
    let watch = Watch::start();
    setup::for_demo(workspace)?;
    let program = workspace.huimin("release");
    if program.is_file() {
        say("Building what has changed (release).");
    } else {
        say(
            "First build of the release program: all libraries are compiled, about 12 minutes on two cores.\n\
             Later starts take seconds. Cargo shows below what it is at.",
        );
    }
    run::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "huimin"]),
    )?;
    say(&format!("Built after {}.", plain(watch.elapsed())));
    say(&format!(
        "Making or reusing the demo district in {} ({} people).",
        wish.data.display(),
        wish.people
    ));
    run::run(&mut wish.command(workspace, program))
}

impl Wish {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut wish = Self::default();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let (name, glued) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                glued
                    .clone()
                    .or_else(|| rest.next().cloned())
                    .with_context(|| format!("{name} needs a value"))
            };
            match name {
                "--fresh" => wish.fresh = true,
                "--no-serve" => wish.serve = false,
                "--people" => {
                    wish.people = value()?.parse().context("--people needs a whole number")?
                }
                "--port" => {
                    wish.port = value()?
                        .parse()
                        .context("--port needs a number below 65536")?
                }
                "--data" => wish.data = PathBuf::from(value()?),
                other => bail!(
                    "demo does not know `{other}`: --fresh --people N --port P --data DIR --no-serve"
                ),
            }
        }
        Ok(wish)
    }

    fn command(&self, workspace: &Workspace, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&workspace.root).arg("demo");
        command.args(["--people", &self.people.to_string()]);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port)]);
        command.arg("--data").arg(&self.data);
        if self.fresh {
            command.arg("--fresh");
        }
        if !self.serve {
            command.arg("--no-serve");
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn without_arguments_it_is_the_demo_of_the_readme() {
        let wish = Wish::read(&[]).unwrap();
        assert_eq!(
            (wish.people, wish.port, wish.fresh, wish.serve),
            (20_000, 8080, false, true)
        );
    }

    #[test]
    fn a_value_may_follow_a_space_or_an_equals_sign() {
        let spaced = Wish::read(&words("--fresh --people 600 --port 9000 --no-serve")).unwrap();
        let glued = Wish::read(&words("--fresh --people=600 --port=9000 --no-serve")).unwrap();
        assert_eq!(spaced, glued);
        assert_eq!((spaced.people, spaced.port), (600, 9000));
    }

    #[test]
    fn an_unknown_word_is_refused_instead_of_ignored() {
        assert!(Wish::read(&words("--freshh")).is_err());
        assert!(Wish::read(&words("--people many")).is_err());
    }
}
