//! The refusals an officer can meet on these pages (拒绝理由) all have their English: the sentences of the rooms below,
//! read from their sources, against the lists in `i18n/refusals*.toml`.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms whose refusals are shown through these lists; casework brings its own English along.
const ROOMS: [&str; 3] = ["access/src", "registry/src", "vocab/src"];

/// Sentences only operators of the machine and writers of packs meet.
const NOT_AT_THE_DESK: [&str; 1] = ["工作日历"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The sentence with its values numbered: `“{login}”已有人` becomes `“{0}”已有人`.
fn numbered(sentence: &str) -> String {
    let mut out = String::new();
    let mut rest = sentence;
    let mut number = 0;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, beyond)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push_str(&format!("{{{number}}}"));
        number += 1;
        rest = beyond;
    }
    out + rest
}

#[test]
fn every_refusal_an_officer_can_meet_has_its_english() {
    let crates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut known = BTreeSet::new();
    for entry in fs::read_dir(crates.join("web/i18n")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("refusals")
        {
            for line in fs::read_to_string(path)
                .unwrap()
                .lines()
                .filter(|line| line.starts_with('"'))
            {
                let zh = line.split("\" = \"").next().unwrap();
                known.insert(zh.trim_matches('"').replace("\\\"", "\""));
            }
        }
    }
    let mut missing = BTreeSet::new();
    for file in ROOMS.iter().flat_map(|room| sources(&crates.join(room))) {
        let text = fs::read_to_string(&file).unwrap();
        for rest in text.split("#[error(").skip(1) {
            let Some(sentence) = rest
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                continue;
            };
            let sentence = numbered(sentence);
            let chinese = sentence
                .chars()
                .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            let elsewhere = NOT_AT_THE_DESK
                .iter()
                .any(|start| sentence.starts_with(start));
            if chinese && !elsewhere && !known.contains(&sentence) {
                missing.insert(format!("{}: {sentence}", file.display()));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "no English for\n{}",
        missing.into_iter().collect::<Vec<_>>().join("\n")
    );
}
