//! Invariants and their tests (不变量): ARCHITECTURE.md says which test holds each; that test must exist.
//!
//! Guarantees: a test named there and renamed or deleted in the code is found.
//! Deliberately absent: whether the test really proves the sentence. A reviewer reads both.

use super::Finding;
use super::sources::Sources;

const PAGE: &str = "ARCHITECTURE.md";

/// Under the heading `## Invariants`, every backticked `crate::…::a_sentence` is the name of a test.
pub(crate) fn check(sources: &Sources) -> Vec<Finding> {
    let Some(page) = sources.text(PAGE) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for claim in claims(page) {
        if !exists(sources, &claim) {
            findings.push(Finding::new(
                PAGE,
                format!("the test `{claim}` does not exist: which test holds this invariant?"),
            ));
        }
    }
    findings
}

/// Whether a test of this name is there: `crate::a_sentence`, or `journeys::name` for one in the browser.
pub(super) fn exists(sources: &Sources, claim: &str) -> bool {
    let (room, name) = claim.split_once("::").unwrap_or(("", claim));
    let name = name.rsplit("::").next().unwrap_or(name);
    let named = |room| {
        let mut rust = sources.rust();
        rust.any(|file| file.room() == Some(room) && has_test(&file.text, name))
    };
    match room {
        "journeys" => sources
            .files
            .iter()
            .any(|file| file.path.starts_with("tests-browser/") && file.stem() == name),
        // The executable's crate lies in a folder of another name.
        "huimin" => named("app"),
        room => named(room),
    }
}

fn has_test(text: &str, name: &str) -> bool {
    text.contains(&format!("fn {name}("))
}

fn claims(page: &str) -> Vec<String> {
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("Invariants"))
        .unwrap_or_default();
    let quoted = section.split('`').skip(1).step_by(2);
    quoted
        .filter(|word| word.contains("::") && !word.contains(' '))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sources::Source;
    use super::*;

    #[test]
    fn a_claim_without_its_test_is_found() {
        let page = "# A\n\n## Invariants\n\n* true (`a::holds`), gone (`a::lost`)\n\n## More\n\n`a::elsewhere`\n";
        let sources = Sources {
            files: vec![
                Source {
                    path: PAGE.to_owned(),
                    text: page.to_owned(),
                },
                Source {
                    path: "crates/a/src/b.rs".to_owned(),
                    text: "fn holds() {}".to_owned(),
                },
            ],
        };
        let found = check(&sources);
        assert_eq!(found.len(), 1);
        assert!(found[0].sentence.contains("a::lost"));
    }
}
