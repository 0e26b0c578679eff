//! Answering on an executor (执行节点的认定): the part is read from the folder and decided as this process would decide it.
//!
//! Guarantees: before anything is decided, program, rules and snapshot are compared with those the question names.
//! Deliberately absent: writing; the one who asked writes what comes back.

use super::question::{Answer, Question};
use super::task::{PROGRAM, Rules, Task};
use crate::decide::Bindings;
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::Manifest;
use crate::nights::Round;
use crate::simulate::Simulation;
use crate::sweep::Sweep;
use anyhow::{Context, ensure};
use policy::Book;
use std::sync::{Arc, Mutex, PoisonError};
use store::keys::sm3_hex;

/// An executor's knowledge (执行节点): its rule book, and the snapshot and question it answered last.
#[derive(Debug)]
pub(super) struct Answering {
    book: Arc<Book>,
    host: String,
    known: Mutex<Option<Arc<Known>>>,
}

/// A snapshot and a question, made ready for all its parts.
#[derive(Debug)]
struct Known {
    folder_name: String,
    manifest_print: String,
    question: Question,
    folder: Folder,
    manifest: Manifest,
    later: Arc<Later>,
    bound: Bound,
}

#[derive(Debug)]
enum Bound {
    Sweep(Sweep, Arc<Round>),
    Simulate(Simulation, Bindings),
}

impl Answering {
    pub(super) fn new(book: Arc<Book>, host: String) -> Self {
        Self {
            book,
            host,
            known: Mutex::new(None),
        }
    }

    /// Answers a question about one part.
    ///
    /// # Errors
    /// In words for the one who asked: another program, other rules, another snapshot, a part that cannot be read.
    pub(super) async fn answer(&self, task: &Task) -> anyhow::Result<Answer> {
        ensure!(
            task.program == PROGRAM,
            "执行节点 {} 的程序是 {PROGRAM} 版，发起方是 {} 版；请在各机换上同一版程序 (another version on an executor)",
            self.host,
            task.program,
        );
        let own = Rules::of(&self.book);
        ensure!(
            own == task.rules,
            "执行节点 {} 的规则包与发起方不同：它是 {} {}（{}），需要 {} {}（{}）；请在该机换上同一份规则包后重启它 (other rules on an executor)",
            self.host,
            own.place,
            own.version,
            own.hash,
            task.rules.place,
            task.rules.version,
            task.rules.hash,
        );
        let known = self.known(task).await?;
        let part = known
            .manifest
            .parts
            .get(task.part)
            .with_context(|| format!("快照没有第 {} 个分块", task.part))?;
        match &known.bound {
            Bound::Simulate(simulation, bindings) => {
                let bytes = known.folder.need(&part.file).await?;
                let (effects, households) =
                    simulation.decide_bytes(bytes, bindings, &known.later, task.part)?;
                Ok(Answer::Simulated {
                    effects,
                    households,
                })
            }
            Bound::Sweep(sweep, round) => {
                let (later, round) = (Arc::clone(&known.later), Arc::clone(round));
                let blank = sweep.blank(part, task.part, &later);
                let work = sweep
                    .work(&known.folder, (part, task.part, false), later, round)
                    .await?;
                let (record, files, _) = work.anew(blank)?.into_files()?;
                Ok(Answer::Swept {
                    // Decided anew, so every file is there.
                    files: files.map(Option::unwrap_or_default),
                    record,
                })
            }
        }
    }

    /// The snapshot and the question of a task; bound once for all parts.
    async fn known(&self, task: &Task) -> anyhow::Result<Arc<Known>> {
        let held = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let same = |known: &Arc<Known>| {
            (&known.folder_name, &known.manifest_print, &known.question)
                == (&task.folder, &task.manifest, &task.question)
        };
        if let Some(known) = held.filter(same) {
            return Ok(known);
        }
        let folder = Folder::open_there(&task.folder)
            .with_context(|| format!("执行节点 {} 打不开快照", self.host))?;
        let (manifest, bytes) = Manifest::read_with_bytes(&folder).await?;
        ensure!(
            print_of(&bytes) == task.manifest,
            "执行节点 {} 看到的 {} 不是同一份快照；请让各机看到同一个文件夹或同一个对象存储 (another snapshot in view)",
            self.host,
            task.folder,
        );
        let known = Arc::new(Known {
            folder_name: task.folder.clone(),
            manifest_print: task.manifest.clone(),
            question: task.question.clone(),
            later: Arc::new(Later::of(&folder, &manifest).await?),
            bound: bound(&self.book, &task.question)?,
            folder,
            manifest,
        });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }
}

/// A question bound to the rules.
///
/// # Errors
/// Every change of a reform that cannot be made, in words.
fn bound(book: &Arc<Book>, question: &Question) -> anyhow::Result<Bound> {
    // No field is left out: what is asked and not heard would be answered wrongly without a word.
    match question {
        Question::Sweep {
            as_of,
            programmes,
            doubts,
        } => {
            let sweep = Sweep {
                book: Arc::clone(book),
                as_of: *as_of,
                programmes: programmes.clone(),
                doubts: *doubts,
                workers: 1,
            };
            let round = Arc::new(Round::of(&sweep)?);
            Ok(Bound::Sweep(sweep, round))
        }
        Question::Simulate {
            as_of,
            reforms,
            region,
        } => {
            let mut simulation = Simulation::new(Arc::clone(book), *as_of, reforms)?;
            simulation.region = *region;
            let bindings = simulation.bindings()?;
            Ok(Bound::Simulate(simulation, bindings))
        }
    }
}

/// The fingerprint of a manifest's bytes.
pub(super) fn print_of(bytes: &[u8]) -> String {
    sm3_hex(bytes)
}
