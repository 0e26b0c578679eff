//! Setting up (环境准备): what is missing is installed, what is there is left alone.
//!
//! Guarantees: asks the system before it installs; each command installs only what it needs; a demo goes on without
//! what it can do without and says what will look different.
//! Deliberately absent: compilers and cargo (they started us), containers, anything outside apt and npm.

use crate::run::{self, say, which};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package of the system (系统软件包): how to see that it is there, and what is lost without it.
struct Package {
    name: &'static str,
    present: fn() -> bool,
    without: &'static str,
}

const FONTS: Package = Package {
    name: "fonts-noto-cjk",
    present: has_chinese_fonts,
    without: "letters in PDF would lack Chinese characters",
};
const POSTGRES: Package = Package {
    name: "postgresql-15",
    present: || postgres_programs().is_some(),
    without: "database tests would run on SQLite only",
};
const CHROMIUM: Package = Package {
    name: "chromium",
    present: || browser().is_some(),
    without: "browser journeys cannot run",
};
const POPPLER: Package = Package {
    name: "poppler-utils",
    present: || which("pdftotext").is_some(),
    without: "the text of letters cannot be checked",
};

/// `cargo xtask setup [demo|test]`.
pub(crate) fn setup(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        Some("demo") => for_demo(workspace),
        Some("test") | None => for_tests(workspace),
        Some(other) => bail!("setup is for `demo` or for `test`, not for `{other}`"),
    }
}

/// What the demo needs. All of it is optional there: pages work without scripts, and only letters need fonts.
pub(crate) fn for_demo(workspace: &Workspace) -> Result<()> {
    if let Err(fault) = packages(&[FONTS]) {
        say(&format!(
            "Going on without it: {}. ({fault:#})",
            FONTS.without
        ));
    }
    if let Err(fault) = browser_files(workspace, false) {
        say(&format!(
            "Going on without htmx: pages reload instead of changing in place. ({fault:#})"
        ));
    }
    Ok(())
}

/// What the tests need: here nothing is optional, because a test that is skipped proves nothing.
pub(crate) fn for_tests(workspace: &Workspace) -> Result<()> {
    packages(&[FONTS, POSTGRES, CHROMIUM, POPPLER])?;
    browser_files(workspace, true)
}

fn packages(wanted: &[Package]) -> Result<()> {
    let missing: Vec<&Package> = wanted
        .iter()
        .filter(|package| !(package.present)())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    say(&format!(
        "Installing with apt, a few minutes: {}",
        names.join(" ")
    ));
    let manual = format!("install them yourself: apt-get install {}", names.join(" "));
    if which("apt-get").is_none() {
        bail!("this system has no apt; {manual}");
    }
    run::run(apt().arg("update")).with_context(|| manual.clone())?;
    run::run(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&names),
    )
    .context(manual)?;
    for package in missing {
        if !(package.present)() {
            bail!(
                "{} was installed but is not to be found: {}",
                package.name,
                package.without
            );
        }
    }
    Ok(())
}

fn apt() -> Command {
    // Another installation may be running on a fresh machine: wait for it instead of failing.
    let options = ["-q", "-o", "DPkg::Lock::Timeout=600"];
    let mut command = if run::is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    };
    command
        .args(options)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Packages of npm from the lock file, then the files the pages serve copied to where they are embedded.
fn browser_files(workspace: &Workspace, with_test_tools: bool) -> Result<()> {
    let modules = workspace.path("node_modules");
    if !npm_is_current(workspace, with_test_tools) {
        say("Fetching the browser packages of package-lock.json with npm, about half a minute.");
        let mut npm = Command::new("npm");
        npm.current_dir(&workspace.root).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        if !with_test_tools {
            npm.arg("--omit=dev");
        }
        run::run(&mut npm)?;
    }
    let source = modules.join("htmx.org/dist/htmx.min.js");
    let folder = workspace.path("crates/web/assets/dist");
    copy_if_changed(&source, &folder.join("htmx.min.js"))
}

fn npm_is_current(workspace: &Workspace, with_test_tools: bool) -> bool {
    let modules = workspace.path("node_modules");
    let wanted: &[&str] = if with_test_tools {
        &["htmx.org", "playwright-core", "axe-core", "s3rver"]
    } else {
        &["htmx.org"]
    };
    let there = wanted
        .iter()
        .all(|name| modules.join(name).join("package.json").is_file());
    // npm writes this file last, so an installation cut short counts as none.
    let written = |path: PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
    let installed = written(modules.join(".package-lock.json"));
    there && installed.is_some() && installed >= written(workspace.path("package-lock.json"))
}

/// A file with the same bytes keeps its date: a new date would make cargo build the web crate again.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(to, bytes).with_context(|| format!("writing {}", to.display()))
}

/// The folder with `initdb` and `postgres`, version 15 or newer (数据库程序).
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(version, programs)| *version >= 15 && programs.join("initdb").is_file())
        .collect();
    // The oldest that will do: version 15 is the promise we make, so version 15 is what we test.
    versions.sort();
    versions.into_iter().next().map(|(_, programs)| programs)
}

/// The browser for journeys (浏览器).
pub(crate) fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(which)
}

fn has_chinese_fonts() -> bool {
    let folders = [
        "/usr/share/fonts/opentype/noto",
        "/usr/share/fonts/truetype/noto",
        "/usr/share/fonts/noto-cjk",
    ];
    folders
        .into_iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.contains("CJK") || name.contains("NotoSansSC")
        })
}
