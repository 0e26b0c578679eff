//! Traces of one machine (机器痕迹): paths and hosts that mean something only where they were typed.
//!
//! Guarantees: no committed text names a private folder or the host of a package registry; the npm lock names no host.
//! Deliberately absent: `Cargo.lock`, whose source line is the same for everybody.

use super::Finding;
use super::sources::Sources;

/// Written in pieces, so that this file is not its own finding.
const TRACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tm", "p/pg"),
    concat!("/tm", "p/t/"),
    concat!("registry.", "npmjs"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("\"reso", "lved\""),
];

pub(crate) fn check(sources: &Sources) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources
        .files
        .iter()
        .filter(|source| source.path != "Cargo.lock")
    {
        for (index, line) in source.text.lines().enumerate() {
            for trace in TRACES.iter().filter(|trace| line.contains(**trace)) {
                let place = format!("{}:{}", source.path, index + 1);
                findings.push(Finding::new(
                    place,
                    format!("`{trace}` means something on one machine only"),
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sources::Source;
    use super::*;

    #[test]
    fn a_private_path_is_found() {
        let text = format!("see {}ann/notes", TRACES[2]);
        let sources = Sources {
            files: vec![Source {
                path: "docs/a.md".to_owned(),
                text,
            }],
        };
        assert_eq!(check(&sources).len(), 1);
    }
}
