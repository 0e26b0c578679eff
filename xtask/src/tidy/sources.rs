//! The files of the tree (源文件): everything that would be committed and is text.
//!
//! Guarantees: a fixed order; build products and fetched packages are left out.
//! Deliberately absent: git. The checks hold in an unpacked archive as well.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Folders that are made, not written.
const MADE: &[&str] = &["target", "node_modules", ".git", "data", "dist"];
/// A larger file is a picture or a data set, not something a person wrote.
const LARGEST: u64 = 2_000_000;

/// All files of the tree (全部文件).
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
}

/// One file (文件): its path from the root, with forward slashes, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Sources {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let mut files = Vec::new();
        collect(workspace, &workspace.root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .map(|file| file.text.as_str())
    }
}

impl Source {
    /// The crate it belongs to: `crates/ledger/src/post.rs` → `ledger`, `xtask/src/main.rs` → `xtask`.
    pub(crate) fn room(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match parts.next()? {
            "crates" => parts.next(),
            room @ ("fixtures" | "synth" | "xtask") => Some(room),
            _ => None,
        }
    }

    /// The name without folder and ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }

    /// Numbered lines of the program itself: without whole-line comments, and up to the tests at the bottom of the file.
    pub(crate) fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        lines
            .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn collect(workspace: &Workspace, folder: &Path, files: &mut Vec<Source>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let name = name.to_string_lossy();
            if !MADE.contains(&name.as_ref()) && !name.starts_with("target-") {
                collect(workspace, &path, files)?;
            }
        } else if kind.is_file() && entry.metadata()?.len() < LARGEST {
            // What is not UTF-8 is a picture, a font or a test file in another encoding.
            if let Ok(text) = String::from_utf8(fs::read(&path)?) {
                files.push(Source {
                    path: workspace.relative(&path),
                    text,
                });
            }
        }
    }
    Ok(())
}

/// Does `text` hold `word` as a whole identifier?
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(part_of_name);
        let after = text[at + word.len()..]
            .chars()
            .next()
            .is_some_and(part_of_name);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_only_whole() {
        assert!(has_word("select * from ledger_line;", "ledger_line"));
        assert!(!has_word("select * from ledger_lines;", "ledger_line"));
        assert!(!has_word("old_ledger_line", "ledger_line"));
    }

    #[test]
    fn comments_and_tests_are_not_the_program() {
        let text = "let a = 1;\n// let b = 2;\n#[cfg(test)]\nmod tests {}".to_owned();
        let source = Source {
            path: "crates/a/src/b.rs".to_owned(),
            text,
        };
        assert_eq!(source.program().collect::<Vec<_>>(), [(1, "let a = 1;")]);
        assert_eq!((source.room(), source.stem()), (Some("a"), "b"));
    }
}
