//! Checks the language catalogue (语言目录) and turns it into a sorted table.
//!
//! The Chinese text is the key. Every `.t("…")`, `.f("…")` and `key("…")` in the sources must stand in
//! `i18n/en.toml` or one of its sister files `i18n/en-*.toml`, and every text of those files must be used: a missing or
//! an unused one fails the build, all of them named at once.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told by cargo through its environment"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=i18n");
    let mut english: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for file in files_under(Path::new("i18n"), "toml")? {
        if is_refusals(&file) {
            continue;
        }
        let table: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(&file)?)
            .map_err(|fault| format!("{}: {fault}", file.display()))?;
        for (zh, en) in table {
            if en.trim().is_empty() {
                faults.push(format!("{}: no English for “{zh}”", file.display()));
            }
            if placeholders(&zh) != placeholders(&en) {
                faults.push(format!(
                    "{}: “{zh}” and its English do not hold the same {{placeholders}}",
                    file.display()
                ));
            }
            if english.insert(zh.clone(), en).is_some() {
                faults.push(format!("{}: “{zh}” stands twice", file.display()));
            }
        }
    }
    let mut used = BTreeSet::new();
    for file in files_under(Path::new("src"), "rs")? {
        for text in texts_of(&fs::read_to_string(&file)?) {
            if !english.contains_key(&text) {
                faults.push(format!("{}: no English for “{text}”", file.display()));
            }
            used.insert(text);
        }
    }
    faults.extend(
        english
            .keys()
            .filter(|zh| !used.contains(*zh))
            .map(|zh| format!("i18n: “{zh}” is used nowhere")),
    );
    // While somebody is writing pages: HUIMIN_CATALOGUE=draft turns the refusal into warnings.
    println!("cargo::rerun-if-env-changed=HUIMIN_CATALOGUE");
    if env::var("HUIMIN_CATALOGUE").as_deref() == Ok("draft") {
        for fault in faults.drain(..) {
            println!("cargo::warning={fault}");
        }
    }
    if !faults.is_empty() {
        return Err(format!(
            "the language catalogue is not whole:\n{}",
            faults.join("\n")
        )
        .into());
    }
    write_refusals()?;
    let mut table = String::from("&[\n");
    for (zh, en) in &english {
        writeln!(table, "    ({zh:?}, {en:?}),")?;
    }
    table.push(']');
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("catalogue.rs"),
        table,
    )?;
    Ok(())
}

/// Sentences of other rooms: no check here that all are present, a test compares them with those rooms' sources.
fn write_refusals() -> Result<(), Box<dyn std::error::Error>> {
    let mut refusals: BTreeMap<String, String> = BTreeMap::new();
    for file in files_under(Path::new("i18n"), "toml")? {
        if is_refusals(&file) {
            let some: BTreeMap<String, String> = toml::from_str(&fs::read_to_string(&file)?)
                .map_err(|fault| format!("{}: {fault}", file.display()))?;
            refusals.extend(some);
        }
    }
    let mut sorted: Vec<(&String, &String)> = refusals.iter().collect();
    sorted.sort_by_key(|(zh, _)| (zh.contains('{'), usize::MAX - zh.len()));
    let mut table = String::from("&[\n");
    for (zh, en) in sorted {
        writeln!(table, "    ({zh:?}, {en:?}),")?;
    }
    table.push(']');
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("refusals.rs"),
        table,
    )?;
    Ok(())
}

/// `refusals.toml` and its sister files `refusals-*.toml`.
fn is_refusals(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("refusals"))
}

/// The files with this ending under a folder, in a stable order.
fn files_under(folder: &Path, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_under(&path, ending)?);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The names in braces of a text.
fn placeholders(text: &str) -> BTreeSet<String> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()))
        .collect()
}

/// The string literals directly behind `.t(`, `.f(` and `key(`, unescaped; comments and tests are read too, which does
/// no harm.
fn texts_of(source: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for opening in [".t(", ".f(", "key("] {
        for (at, _) in source.match_indices(opening) {
            if opening == "key("
                && source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
            {
                continue;
            }
            let rest = source[at + opening.len()..].trim_start();
            let Some(rest) = rest.strip_prefix('"') else {
                continue;
            };
            let mut text = String::new();
            let mut letters = rest.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => {
                        texts.push(text);
                        break;
                    }
                    '\\' => match letters.next() {
                        Some('n') => text.push('\n'),
                        Some(other) => text.push(other),
                        None => break,
                    },
                    other => text.push(other),
                }
            }
        }
    }
    texts
}
