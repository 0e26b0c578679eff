//! What is asked of an executor (任务): a question about one part of a snapshot, or one piece of a bulk enquiry, and the rules it
//! must be answered by.
//!
//! Guarantees: whoever can read the folder and has these rules can answer; nothing else is needed, no key above all.
//! Deliberately absent: the rules themselves, and rows of people.

use super::question::Question;
use policy::Book;
use serde::{Deserialize, Serialize};
use verify::Piece;

/// The function every executor registers.
pub(super) const FUNCTION: &str = "huimin_decide";

/// What is to be done (任务).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    /// The version of the program that asks.
    pub(super) program: String,
    /// The rules to be answered by.
    pub(super) rules: Rules,
    /// The folder with the data, by a name every machine understands.
    pub(super) folder: String,
    /// What is asked.
    pub(super) work: Work,
}

/// The kinds of work (任务种类).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Work {
    /// One part of a snapshot is decided.
    Decide(PartAsked),
    /// Some people are looked up in what a department delivered.
    Enquire(Piece),
}

/// A question about one part of a snapshot (分块提问).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartAsked {
    /// The fingerprint of the snapshot's manifest.
    pub(super) manifest: String,
    /// What is asked.
    pub(super) question: Question,
    /// Which part, counted in the manifest.
    pub(super) part: usize,
}

/// The version of this program (程序版本).
pub(super) const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A rule book, by name (规则库).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rules {
    pub(super) place: String,
    pub(super) version: String,
    pub(super) hash: String,
}

impl Rules {
    /// What a rule book is called.
    pub(super) fn of(book: &Book) -> Self {
        Self {
            place: book.place().id.clone(),
            version: book.version().to_owned(),
            hash: book.hash().to_owned(),
        }
    }
}
