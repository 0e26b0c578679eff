//! The house checks (内务检查): what we say about the house is checked by the house.
//!
//! Guarantees: reads the tree as it lies on disk, reports every finding with its file, changes nothing.
//! Deliberately absent: taste. What rustfmt and clippy can check is theirs; sizes are printed as advice and fail nothing.

mod claims;
pub(crate) mod glossary;
mod headers;
pub(crate) mod lists;
mod machine;
mod owners;
mod promises;
mod ranks;
mod sizes;
pub(crate) mod sources;
mod sql;

use crate::run::say;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use sources::Sources;

/// One thing that is not as it should be (发现): where, and a sentence saying what to do.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    place: String,
    sentence: String,
}

impl Finding {
    fn new(place: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            sentence: sentence.into(),
        }
    }
}

/// Run all checks; fail if any of them found something.
pub(crate) fn tidy(workspace: &Workspace) -> Result<()> {
    let sources = Sources::read(workspace)?;
    let tables = sql::tables(&sources);
    let mut findings = Vec::new();
    findings.extend(ranks::check(&sources, workspace)?);
    findings.extend(headers::check(&sources));
    findings.extend(owners::libraries(workspace));
    findings.extend(owners::tables(&sources, &tables));
    findings.extend(owners::law_in_code(&sources));
    findings.extend(claims::check(&sources));
    findings.extend(promises::check(&sources));
    findings.extend(glossary::check(&sources)?);
    findings.extend(machine::check(&sources));
    match lists::check(workspace, &sources, &tables) {
        Ok(found) => findings.extend(found),
        // The other findings are worth knowing also while the program does not build.
        Err(fault) => findings.push(Finding::new(lists::FOLDER, format!("{fault:#}"))),
    }
    sizes::advise(&sources);
    findings.sort();
    for finding in &findings {
        say(&format!("{}: {}", finding.place, finding.sentence));
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    say(&format!(
        "Tidy: {} files, {} tables, nothing found.",
        sources.files.len(),
        tables.len()
    ));
    Ok(())
}
