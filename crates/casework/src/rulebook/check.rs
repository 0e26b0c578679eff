//! Checking a draft (草稿检查): the loader, the letters and worked cases of whoever reads it, and before publication the whole gate.
//!
//! The draft is laid over the rules in force in a folder of its own, which vanishes afterwards. Guarantees: what is
//! checked is what would be published, every pack of the chain with its own cases. Deliberately absent: changing the draft.

use super::texts::{Texts, chain};
use crate::desk::Desk;
use crate::letter;
use anyhow::Context;
use chrono::NaiveDate;
use policy::card::{self, Approval};
use policy::{Book, Fault, Programme, cases, dated, gate, readers};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// What a check found (检查结果).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Mistakes, each at its place.
    pub faults: Vec<Fault>,
    /// How the cases came out, by pack and programme.
    pub cases: Vec<CasesOf>,
    /// What would change for days gone by.
    pub rewritten: Vec<Fault>,
}

/// How the cases of a programme came out (办例结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasesOf {
    /// The pack whose cases they are.
    pub pack: String,
    /// The programme.
    pub programme: String,
    /// How many there are.
    pub all: usize,
    /// Those that came out otherwise.
    pub failures: Vec<CaseFailure>,
}

/// A case that came out otherwise (不相符的办例).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFailure {
    /// Its name.
    pub name: String,
    /// The file it stands in.
    pub file: String,
    /// The line.
    pub line: u32,
    /// What differs, in words.
    pub differences: Vec<String>,
}

impl Checked {
    /// Whether nothing is wrong (通过).
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.failures() == 0
    }

    /// How many cases came out otherwise.
    pub fn failures(&self) -> usize {
        self.cases.iter().map(|one| one.failures.len()).sum()
    }

    /// How many cases were run.
    pub fn run(&self) -> usize {
        self.cases.iter().map(|one| one.all).sum()
    }
}

/// A draft laid over the rules in force (试排).
pub(super) struct Stage {
    folder: TempDir,
    place: String,
}

impl Stage {
    /// Lays texts out in a folder of their own under `root`.
    pub(super) fn of(root: &Path, place: &str, texts: &Texts) -> anyhow::Result<Self> {
        std::fs::create_dir_all(root).with_context(|| format!("making {}", root.display()))?;
        let folder = tempfile::Builder::new()
            .prefix(".draft-")
            .tempdir_in(root)
            .context("making a folder for a draft")?;
        texts.fill(folder.path())?;
        Ok(Self {
            folder,
            place: place.to_owned(),
        })
    }

    /// The desk these texts make.
    ///
    /// # Errors
    /// Their mistakes.
    pub(super) fn desk(&self) -> Result<Arc<Desk>, Vec<Fault>> {
        Desk::load(self.folder.path(), &self.place).map(Arc::new)
    }

    /// Loads, sets the letters whose templates changed, and runs the cases of all programmes that read the folder.
    pub(super) fn check(
        &self,
        before: &Book,
        folder: &str,
        changed: &[String],
        from: NaiveDate,
    ) -> anyhow::Result<Checked> {
        let desk = match self.desk() {
            Ok(desk) => desk,
            Err(faults) => {
                return Ok(Checked {
                    faults,
                    ..Checked::default()
                });
            }
        };
        let mut found = Checked {
            rewritten: dated::rewritten(before, &desk.book, from),
            faults: letter::faults_of(&desk, changed),
            ..Checked::default()
        };
        for pack in chain(self.folder.path(), &self.place)? {
            let parent;
            let book = if pack == self.place {
                &*desk.book
            } else {
                match Book::load(self.folder.path(), &pack) {
                    Ok(loaded) => parent = loaded,
                    Err(faults) => {
                        found.faults.extend(faults);
                        continue;
                    }
                }
                &parent
            };
            for id in readers::readers(book, folder) {
                if let Some(programme) = book.programme(&id) {
                    found
                        .cases
                        .extend(cases_of(&pack, &cases::run(book, programme)));
                }
            }
        }
        Ok(found)
    }

    /// Signs the cards of what the draft touches, then asks the gate of every pack of the chain (发布关口).
    pub(super) fn gate(&self, folder: &str) -> anyhow::Result<Checked> {
        let packs = self.folder.path();
        let mut found = Checked::default();
        let mut touched: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pack in chain(packs, &self.place)? {
            let book = match Book::load(packs, &pack) {
                Ok(book) => book,
                Err(faults) => {
                    found.faults = faults;
                    return Ok(found);
                }
            };
            let programmes = readers::readers(&book, folder);
            for programme in programmes.iter().filter_map(|id| book.programme(id)) {
                sign(&book, programme)?;
            }
            touched.insert(pack, programmes);
        }
        for (pack, programmes) in &touched {
            match gate::examine(packs, pack) {
                Err(faults) => found.faults.extend(faults),
                Ok(verdict) => {
                    let unsigned_before = |fault: &Fault| {
                        fault.file.ends_with(card::FILE)
                            && !programmes
                                .iter()
                                .any(|id| fault.file.contains(&format!("/{id}/")))
                    };
                    let failing = |fault: &Fault| fault.sentence_zh.starts_with("办例“");
                    found.faults.extend(
                        verdict
                            .faults
                            .iter()
                            .filter(|fault| !unsigned_before(fault) && !failing(fault))
                            .cloned(),
                    );
                    for report in &verdict.reports {
                        found.cases.extend(cases_of(pack, report));
                    }
                }
            }
        }
        found.faults.sort();
        found.faults.dedup();
        Ok(found)
    }

    /// The texts as they stand now, with the cards that were signed.
    pub(super) fn texts(&self) -> anyhow::Result<Texts> {
        Texts::read(self.folder.path(), &self.place)
    }
}

/// Two officers stand behind an edition: publishing it signs what the card shows of a programme.
fn sign(book: &Book, programme: &Programme) -> anyhow::Result<()> {
    let report = cases::run(book, programme);
    match card::approval_with(book, programme, &report) {
        Approval::Same | Approval::OfParent => Ok(()),
        Approval::Missing | Approval::Different => {
            let file = programme.folder.join(card::FILE);
            std::fs::write(&file, card::render_with(book, programme, &report))
                .with_context(|| format!("writing {}", file.display()))
        }
    }
}

fn cases_of(pack: &str, report: &cases::Report) -> Option<CasesOf> {
    (!report.cases.is_empty()).then(|| CasesOf {
        pack: pack.to_owned(),
        programme: report.programme.clone(),
        all: report.cases.len(),
        failures: report
            .failures()
            .map(|case| CaseFailure {
                name: case.name.clone(),
                file: case.spot.file.to_string(),
                line: case.spot.line,
                differences: case.differences.clone(),
            })
            .collect(),
    })
}
