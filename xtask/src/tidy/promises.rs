//! The numbered promises about the pages (编号承诺): docs/ux.md and the tests say the same.
//!
//! Guarantees: each of the forty-eight numbers has its line; a test named there exists; a check of `tests-browser/ux/` is named
//! there; a line without a test says what is missing. Deliberately absent: whether the test proves the promise.

use super::Finding;
use super::claims::exists;
use super::sources::Sources;

const PAGE: &str = "docs/ux.md";
const CHECKS: &str = "tests-browser/ux/";
const NUMBERS: usize = 48;

pub(crate) fn check(sources: &Sources) -> Vec<Finding> {
    let Some(page) = sources.text(PAGE) else {
        return vec![Finding::new(PAGE, "the page of the promises is missing")];
    };
    let checks: Vec<&str> = sources
        .files
        .iter()
        .filter(|file| file.path.starts_with(CHECKS))
        .flat_map(|file| file.text.split("name: \"").skip(1))
        .filter_map(|after| after.split('"').next())
        .filter(|name| name.starts_with("UX-"))
        .collect();
    let mut findings = Vec::new();
    for number in 1..=NUMBERS {
        let start = format!("| UX-{number:02} |");
        let lines: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        let [line] = lines.as_slice() else {
            findings.push(Finding::new(
                PAGE,
                format!("UX-{number:02} has {} lines instead of one", lines.len()),
            ));
            continue;
        };
        let mut cells = line.split('|').map(str::trim).skip(3);
        let (held, missing) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        if held.is_empty() && missing.is_empty() {
            findings.push(Finding::new(
                PAGE,
                format!("UX-{number:02} names no test and does not say what is missing"),
            ));
        }
        for name in held.split('`').skip(1).step_by(2) {
            let there = if name.starts_with("UX-") {
                checks.contains(&name)
            } else {
                exists(sources, name)
            };
            if !there {
                findings.push(Finding::new(
                    PAGE,
                    format!("the test `{name}` does not exist: which test holds UX-{number:02}?"),
                ));
            }
        }
    }
    for name in checks {
        if !page.contains(&format!("`{name}`")) {
            findings.push(Finding::new(
                CHECKS,
                format!("the check `{name}` does not stand in {PAGE}"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sources::Source;
    use super::*;

    fn sources(page: &str) -> Sources {
        let source = |path: &str, text: &str| Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        Sources {
            files: vec![
                source(PAGE, page),
                source(
                    "tests-browser/ux/a.mjs",
                    "{ name: \"UX-01 holds\", run }, { name: \"UX-02 unsaid\" }",
                ),
                source("crates/web/tests/a.rs", "async fn holds(db: Db) {"),
            ],
        }
    }

    #[test]
    fn a_lost_test_an_unsaid_check_and_a_silent_line_are_found() {
        let mut page: String = (4..=NUMBERS)
            .map(|number| format!("| UX-{number:02} | a | | not there |\n"))
            .collect();
        page.push_str("| UX-01 | a | `UX-01 holds`, `web::holds` | |\n");
        page.push_str("| UX-02 | a | `UX-02 gone`, `web::gone` | |\n| UX-03 | a | | |\n");
        let said: Vec<String> = check(&sources(&page))
            .into_iter()
            .map(|finding| finding.sentence)
            .collect();
        assert_eq!(said.len(), 4, "{said:#?}");
        for part in [
            "`UX-02 gone`",
            "`web::gone`",
            "UX-03 names no test",
            "`UX-02 unsaid`",
        ] {
            assert!(
                said.iter().any(|sentence| sentence.contains(part)),
                "{part}"
            );
        }
    }
}
