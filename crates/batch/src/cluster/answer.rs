//! Answering on an executor (执行节点的认定): the part is read from the folder and decided, the piece looked up, as this process
//! would do it.
//!
//! Guarantees: before anything is decided, program, rules and data are compared with those the question names; what an
//! enquiry found leaves this function sealed, so nothing of it lies readable in the work folder. Deliberately absent:
//! writing; the one who asked writes what comes back.

use super::question::{Answer, Question};
use super::task::{PROGRAM, PartAsked, Rules, Task, Work};
use crate::decide::Bindings;
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::Manifest;
use crate::nights::Round;
use crate::simulate::Simulation;
use crate::sweep::Sweep;
use anyhow::{Context, ensure};
use policy::Book;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use store::keys::sm3_hex;
use verify::Sources;

/// An executor's knowledge (执行节点): its rule book, and the snapshot and question it answered last.
#[derive(Debug)]
pub(super) struct Answering {
    book: Arc<Book>,
    host: String,
    known: Mutex<Option<Arc<Known>>>,
    sources: OnceLock<Sources>,
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
            sources: OnceLock::new(),
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
        match &task.work {
            Work::Decide(asked) => self.decided(&task.folder, asked).await,
            Work::Enquire(piece) => {
                let store = there(&task.folder)
                    .with_context(|| format!("执行节点 {} 打不开落地数据", self.host))?;
                let sealed = verify::ask::answer(self.sources()?, store, piece)
                    .with_context(|| format!("执行节点 {}", self.host))?;
                Ok(Answer::Enquired { sealed })
            }
        }
    }

    /// The sources of the rule book, read when first asked for.
    fn sources(&self) -> anyhow::Result<&Sources> {
        if let Some(sources) = self.sources.get() {
            return Ok(sources);
        }
        let sources = verify::at_hand::sources_of(&self.book)?;
        Ok(self.sources.get_or_init(|| sources))
    }

    /// One part of a snapshot, decided.
    async fn decided(&self, folder: &str, asked: &PartAsked) -> anyhow::Result<Answer> {
        let known = self.known(folder, asked).await?;
        let part = known
            .manifest
            .parts
            .get(asked.part)
            .with_context(|| format!("快照没有第 {} 个分块", asked.part))?;
        match &known.bound {
            Bound::Simulate(simulation, bindings) => {
                let bytes = known.folder.need(&part.file).await?;
                let (effects, households) =
                    simulation.decide_bytes(bytes, bindings, &known.later, asked.part)?;
                Ok(Answer::Simulated {
                    effects,
                    households,
                })
            }
            Bound::Sweep(sweep, round) => {
                let (later, round) = (Arc::clone(&known.later), Arc::clone(round));
                let blank = sweep.blank(part, asked.part, &later);
                let work = sweep
                    .work(&known.folder, (part, asked.part, false), later, round)
                    .await?;
                let (record, files, _) = work.anew(blank)?.into_files()?;
                Ok(Answer::Swept {
                    // Decided anew, so every file is there.
                    files: files.map(Option::unwrap_or_default),
                    record: Box::new(record),
                })
            }
        }
    }

    /// The snapshot and the question of a task; bound once for all parts.
    async fn known(&self, folder: &str, asked: &PartAsked) -> anyhow::Result<Arc<Known>> {
        let held = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let same = |known: &Arc<Known>| {
            known.folder_name == folder
                && (&known.manifest_print, &known.question) == (&asked.manifest, &asked.question)
        };
        if let Some(known) = held.filter(same) {
            return Ok(known);
        }
        let name = folder;
        let folder = Folder::open_there(name)
            .with_context(|| format!("执行节点 {} 打不开快照", self.host))?;
        let (manifest, bytes) = Manifest::read_with_bytes(&folder).await?;
        ensure!(
            print_of(&bytes) == asked.manifest,
            "执行节点 {} 看到的 {} 不是同一份快照；请让各机看到同一个文件夹或同一个对象存储 (another snapshot in view)",
            self.host,
            name,
        );
        let known = Arc::new(Known {
            folder_name: name.to_owned(),
            manifest_print: asked.manifest.clone(),
            question: asked.question.clone(),
            later: Arc::new(Later::of(&folder, &manifest).await?),
            bound: bound(&self.book, &asked.question)?,
            folder,
            manifest,
        });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }
}

/// A folder on disk that another machine named.
fn there(name: &str) -> anyhow::Result<&Path> {
    let path = Path::new(name);
    ensure!(
        path.is_dir(),
        "本机没有文件夹 {name}；请让各机以同一路径看到落地数据 (no such folder here)"
    );
    Ok(path)
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
