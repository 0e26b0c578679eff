//! Direction (依赖方向): a crate depends only on crates of strictly lower rank.
//!
//! Guarantees: the table in ARCHITECTURE.md is the one that is checked, so it cannot become untrue.
//! Deliberately absent: third-party crates; `owners` looks after those.

use super::Finding;
use super::sources::Sources;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

const PAGE: &str = "ARCHITECTURE.md";

/// Where a crate stands (层级).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rank {
    /// May use what is lower.
    At(u8),
    /// Only tests may use it; it may use anything.
    Development,
}

/// The table of ARCHITECTURE.md: lines `| 3 | `registry` | …` and `| dev | `fixtures` | …`.
pub(crate) fn table(page: &str) -> BTreeMap<String, Rank> {
    let mut ranks = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, rank, rooms, ..] = cells.as_slice() else {
            continue;
        };
        let rank = match (*rank, rank.parse()) {
            (_, Ok(number)) => Rank::At(number),
            ("dev", _) => Rank::Development,
            _ => continue,
        };
        for room in rooms.split('`').skip(1).step_by(2) {
            ranks.insert(room.to_owned(), rank);
        }
    }
    ranks
}

pub(crate) fn check(sources: &Sources, workspace: &Workspace) -> Result<Vec<Finding>> {
    let ranks = table(sources.text(PAGE).context("ARCHITECTURE.md is missing")?);
    let mut findings = Vec::new();
    for room in ranks.keys().filter(|room| !workspace.is_ours(room)) {
        findings.push(Finding::new(
            PAGE,
            format!("the table names `{room}`, which is no crate of the workspace"),
        ));
    }
    for member in &workspace.members {
        let place = format!("{}/Cargo.toml", workspace.relative(&member.folder));
        let Some(&rank) = ranks.get(&member.name) else {
            findings.push(Finding::new(
                PAGE,
                format!("`{}` has no rank: add it to the table", member.name),
            ));
            continue;
        };
        let edges = member.needs.iter().map(|name| (name, false));
        let edges = edges.chain(member.needs_for_tests.iter().map(|name| (name, true)));
        for (needed, for_tests) in edges {
            let Some(&lower) = ranks.get(needed) else {
                continue;
            };
            if let Some(fault) = wrong(rank, lower, for_tests) {
                findings.push(Finding::new(
                    &place,
                    format!("`{}` may not use `{needed}`: {fault}", member.name),
                ));
            }
        }
    }
    Ok(findings)
}

fn wrong(user: Rank, used: Rank, for_tests: bool) -> Option<String> {
    match (user, used) {
        (Rank::Development, _) => None,
        (Rank::At(_), Rank::Development) if for_tests => None,
        (Rank::At(_), Rank::Development) => Some("it is for tests only".to_owned()),
        (Rank::At(user), Rank::At(used)) if used < user => None,
        (Rank::At(user), Rank::At(used)) => {
            Some(format!("rank {used} is not lower than rank {user}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_from_the_page() {
        let page = "| rank | crates |\n|---|---|\n| 0 | `vocab` | words |\n| 1 | `store`, `policy` | x |\n| dev | `fixtures` | y |";
        let ranks = table(page);
        assert_eq!(ranks.len(), 4);
        assert_eq!(ranks["policy"], Rank::At(1));
        assert_eq!(ranks["fixtures"], Rank::Development);
    }

    #[test]
    fn siblings_do_not_meet() {
        assert!(wrong(Rank::At(3), Rank::At(3), false).is_some());
        assert!(wrong(Rank::At(3), Rank::At(4), true).is_some());
        assert!(wrong(Rank::At(3), Rank::At(2), false).is_none());
    }

    #[test]
    fn what_is_for_tests_stays_out_of_the_product() {
        assert!(wrong(Rank::At(7), Rank::Development, false).is_some());
        assert!(wrong(Rank::At(1), Rank::Development, true).is_none());
    }
}
