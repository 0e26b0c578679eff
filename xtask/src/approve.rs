//! `cargo xtask approve` (更新清单): write the generated lists anew.
//!
//! Guarantees: writes only `docs/approved/`, the generated part of the glossary and the README's table of programmes; the difference is reviewed like code
//! in the same change.
//! Deliberately absent: deciding whether a new line is right. A person reading the difference does.

use crate::run::say;
use crate::tidy::{glossary, lists, sources::Sources};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Write every list; say which changed.
pub(crate) fn approve(workspace: &Workspace) -> Result<()> {
    let folder = workspace.path(lists::FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let sources = Sources::read(workspace)?;
    renew(
        workspace,
        &workspace.path(glossary::PAGE),
        &glossary::page(&sources)?,
    )?;
    let lists = lists::all(workspace, &sources)?;
    let page = sources.text(lists::README).unwrap_or_default();
    if let Some(page) = lists::readme(page, &lists) {
        renew(workspace, &workspace.path(lists::README), &page)?;
    }
    for list in lists {
        renew(workspace, &folder.join(list.file), &list.text)?;
    }
    Ok(())
}

fn renew(workspace: &Workspace, path: &Path, text: &str) -> Result<()> {
    let shown = workspace.relative(path);
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        say(&format!("unchanged {shown}"));
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("writing {shown}"))?;
    say(&format!("written   {shown}"));
    Ok(())
}
