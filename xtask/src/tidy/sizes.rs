//! Sizes (篇幅): printed as advice. A long list of equal things may be long.
//!
//! Guarantees: counts lines of the program, without comments on their own lines and without tests; fails nothing.
//! Deliberately absent: a limit. The numbers to look again at are in docs/STYLE.md.

use super::sources::Sources;
use crate::run::say;

const LOOK_AGAIN: usize = 600;

pub(crate) fn advise(sources: &Sources) {
    let mut long: Vec<(usize, &str)> = sources
        .rust()
        .filter(|source| source.room().is_some() && source.path.contains("/src/"))
        .map(|source| {
            (
                source
                    .program()
                    .filter(|(_, line)| !line.trim().is_empty())
                    .count(),
                source.path.as_str(),
            )
        })
        .filter(|(lines, _)| *lines > LOOK_AGAIN)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    for (lines, path) in long {
        say(&format!(
            "advice: {path} has {lines} lines: could it be two things?"
        ));
    }
}
