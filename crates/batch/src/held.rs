//! Rows held in memory between simulations (内存中的快照): while a slider moves, the same rows are decided again and again.
//!
//! One set of rows is held at a time, those of the newest question; what is too large is never held, and what nobody used
//! for a while is let go. Guarantees: what is held is what a file says whose fingerprint is the same; without it the same
//! comes out, only later. Deliberately absent: names and numbers of people; the files have none.

use crate::chunk::Chunk;
use crate::layout::Part;
use policy::ColumnDef;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much is held at most, in bytes (上限): the columns of about two million people.
const MOST: usize = 512 << 20;

/// What the rows of a part were read from, and which columns.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    folder: String,
    file: String,
    sm3: String,
    reads: Vec<ColumnDef>,
}

/// Rows held in memory (内存中的快照).
#[derive(Debug, Default)]
pub struct Held {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    parts: BTreeMap<String, (Source, Vec<Chunk>)>,
    used: Option<Instant>,
}

impl Held {
    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        // What is held is put in whole, so somebody's panic leaves nothing half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a part, if they are held.
    pub(crate) fn rows(
        &self,
        folder: &str,
        part: &Part,
        reads: &[ColumnDef],
    ) -> Option<Vec<Chunk>> {
        let mut inside = self.inside();
        inside.used = Some(Instant::now());
        let (source, chunks) = inside.parts.get(&part.file)?;
        (*source == source_of(folder, part, reads)?).then(|| chunks.clone())
    }

    /// Holds the rows of a part, if there is room; rows of another question make room.
    pub(crate) fn keep(&self, folder: &str, part: &Part, reads: &[ColumnDef], chunks: Vec<Chunk>) {
        let Some(source) = source_of(folder, part, reads) else {
            return;
        };
        let bytes: usize = chunks.iter().map(Chunk::bytes).sum();
        let mut inside = self.inside();
        let same =
            |other: &Source| (&other.folder, &other.reads) == (&source.folder, &source.reads);
        inside
            .parts
            .retain(|file, (other, _)| same(other) && *file != source.file);
        let others = inside.parts.values().flat_map(|(_, chunks)| chunks);
        if others.map(Chunk::bytes).sum::<usize>() + bytes <= MOST {
            inside.parts.insert(part.file.clone(), (source, chunks));
        }
    }

    /// Lets go of what nobody used for so long (释放闲置).
    pub fn forget_unused(&self, idle: Duration) {
        let mut inside = self.inside();
        if inside.used.is_some_and(|used| used.elapsed() >= idle) {
            *inside = Inside::default();
        }
    }
}

/// `None` where the maker of the part did not say its fingerprint: then nobody knows whether it is the same.
fn source_of(folder: &str, part: &Part, reads: &[ColumnDef]) -> Option<Source> {
    (!part.sm3.is_empty()).then(|| Source {
        folder: folder.to_owned(),
        file: part.file.clone(),
        sm3: part.sm3.clone(),
        reads: reads.to_vec(),
    })
}
