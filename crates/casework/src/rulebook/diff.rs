//! The difference of two texts line by line (逐行比较), in pieces with a few lines around each.
//!
//! Deliberately absent: colours and words; the page has them.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Lines shown around a change.
const AROUND: usize = 3;

/// What happened to a line (变化).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Change {
    /// It stays.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// One line (一行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What happened to it.
    pub change: Change,
    /// Its number in the old text, from 1.
    pub old: Option<usize>,
    /// Its number in the new text, from 1.
    pub new: Option<usize>,
    /// Its text without the line end.
    pub text: String,
}

/// Lines that belong together (一处改动).
pub type Piece = Vec<Line>;

/// What differs between two texts (逐行比较); empty where nothing does.
pub fn diff(old: &str, new: &str) -> Vec<Piece> {
    let compared = TextDiff::from_lines(old, new);
    let mut pieces = Vec::new();
    for group in compared.grouped_ops(AROUND) {
        let mut piece = Vec::new();
        for op in &group {
            for change in compared.iter_changes(op) {
                piece.push(Line {
                    change: match change.tag() {
                        ChangeTag::Equal => Change::Same,
                        ChangeTag::Insert => Change::Added,
                        ChangeTag::Delete => Change::Removed,
                    },
                    old: change.old_index().map(|at| at + 1),
                    new: change.new_index().map(|at| at + 1),
                    text: change.value().trim_end_matches(['\r', '\n']).to_owned(),
                });
            }
        }
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Change, diff};

    #[test]
    fn only_what_differs_is_shown_with_lines_around_it() {
        let old: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 10\n", "line ten\n");
        let pieces = diff(&old, &new);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].len(), 8);
        let changed: Vec<(Change, &str)> = pieces[0]
            .iter()
            .filter(|line| line.change != Change::Same)
            .map(|line| (line.change, line.text.as_str()))
            .collect();
        assert_eq!(
            changed,
            [(Change::Removed, "line 10"), (Change::Added, "line ten")]
        );
        assert_eq!(pieces[0][0].old, Some(7));
        assert!(diff(&old, &old).is_empty());
    }
}
