//! File headers and names (文件头与文件名): a reader learns from the first line what a room is for.
//!
//! Guarantees: every Rust file opens with `//!` and says more than a line; no file has a name that hides two homes.
//! Deliberately absent: judging the text. A header can be true and useless; that is for the reviewer.

use super::Finding;
use super::sources::{Source, Sources};

/// A file that wants such a name holds things with two homes.
const FORBIDDEN: &[&str] = &[
    "utils",
    "util",
    "common",
    "helper",
    "helpers",
    "manager",
    "handler",
    "handlers",
    "processor",
    "service",
    "services",
    "impl",
    "data",
    "info",
    "misc",
    "base",
    "types",
    "models",
    "error",
    "errors",
    "mod",
];

pub(crate) fn check(sources: &Sources) -> Vec<Finding> {
    let rust = sources.rust().filter(|source| source.room().is_some());
    rust.flat_map(|source| {
        [name(source), header(source)]
            .into_iter()
            .flatten()
            .chain(prefixed_tests(source))
    })
    .collect()
}

fn name(source: &Source) -> Option<Finding> {
    let forbidden = FORBIDDEN.contains(&source.stem());
    forbidden.then(|| {
        Finding::new(
            &source.path,
            format!(
                "`{}` is no name for a file: name the thing or the act",
                source.stem()
            ),
        )
    })
}

fn header(source: &Source) -> Option<Finding> {
    let written: usize = source
        .text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.len() - 3)
        .sum();
    let sentence = match written {
        0 => {
            "open the file with `//!`: what it is for, what it guarantees, what it deliberately does not do"
        }
        1..12 => {
            "the header says too little: what it is for, what it guarantees, what it deliberately does not do"
        }
        _ => return None,
    };
    Some(Finding::new(&source.path, sentence))
}

/// A test is a sentence; `test_` in front of it says nothing.
fn prefixed_tests(source: &Source) -> Vec<Finding> {
    let prefix = concat!("fn te", "st_");
    let named = source
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.trim_start().starts_with(prefix));
    named
        .map(|(index, _)| {
            Finding::new(
                format!("{}:{}", source.path, index + 1),
                "a test's name is a sentence, without `test_`",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert!(header(&source("crates/a/src/b.rs", "use x;\n")).is_some());
        assert!(header(&source("crates/a/src/b.rs", "//! Things.\n")).is_some());
        let good = "//! Households: who lives together, from which day to which day.\n//!\n//! Guarantees: dates.\n";
        assert!(header(&source("crates/a/src/b.rs", good)).is_none());
    }

    #[test]
    fn a_name_with_two_homes_is_found() {
        assert!(name(&source("crates/a/src/utils.rs", "")).is_some());
        assert!(name(&source("crates/a/src/household.rs", "")).is_none());
    }
}
