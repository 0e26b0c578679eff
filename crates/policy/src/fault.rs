//! A mistake in a pack (规则包错误): where it is and what to do about it, in one sentence.
//!
//! The loader collects all mistakes before it answers, because a policy officer corrects a file once, not ten times.
//! Deliberately absent: what goes wrong while deciding one household; that belongs to that household's determination.

use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// A mistake in a pack (规则包错误), with file, line, column (both from 1, counted in characters) and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// The file, relative to the folder of packs, with `/` between its parts.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong and what to do, in Chinese.
    pub sentence_zh: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.sentence_zh
        )
    }
}

impl std::error::Error for Fault {}

/// A place in a file (文件位置) that a fault can point at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file, relative to the folder of packs.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Spot {
    /// The beginning of a file; also used for a file that is missing.
    pub fn start_of(file: &str) -> Self {
        Self {
            file: file.into(),
            line: 1,
            column: 1,
        }
    }
}

/// All mistakes found so far (错误清单).
#[derive(Debug, Default)]
pub struct Faults {
    found: RefCell<Vec<Fault>>,
}

/// All mistakes as one message (全部错误一并说明): in what, Chinese and English, how many, and each with its place.
pub fn all_of(faults: &[Fault], (zh, en): (&str, &str)) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let (count, lines) = (faults.len(), lines.join("\n"));
    format!("{zh}有 {count} 处错误 (mistakes in the {en}):\n{lines}")
}

impl Faults {
    /// Notes a mistake and goes on.
    pub fn note(&self, spot: &Spot, sentence: impl Into<String>) {
        self.found.borrow_mut().push(Fault {
            file: spot.file.to_string(),
            line: spot.line,
            column: spot.column,
            sentence_zh: sentence.into(),
        });
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them in reading order, each once.
    pub fn into_sorted(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        found
    }
}
