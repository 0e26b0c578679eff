//! Departments that answer when asked (部门接口): signed requests about a few people, and answers kept like small deliveries.
//!
//! ```text
//! people ─▶ request, signed ─▶ department ─▶ answer, signed ─▶ checked and landed beside the deliveries, sealed
//! ```
//!
//! Reading order: [`wire`] (how a message looks and is signed), this file (asking, and what happens when nobody answers).
//! Guarantees: an answer goes through the same checks and the same tally as landed rows, and stays, so that a report is the
//! same when it is asked again; why a department said nothing stays with it; of an enquiry that was not kept nothing stays; a
//! department that does not answer, answers late, for somebody else, unsigned or unreadably is unknown, never zero; a request or
//! an answer that was seen before or is older than the window is refused. Deliberately absent: permission to ask, which whoever
//! calls this must hold; TLS, which a proxy on either side has.

pub mod wire;

use crate::ask::{Landed, Person};
use crate::id_key::pack;
use crate::land::Landing;
use crate::report::Unknown;
use crate::source::{Source, Sources};
use anyhow::Context;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use store::clock::shanghai_day;
use store::files::write_whole;
use store::{Clock, Keys};
use wire::{Failure, Secret};

/// Failures in a row after which a department is left alone.
const TOO_MANY: u32 = 3;
/// How long it is left alone.
const REST: Duration = Duration::seconds(60);
/// How often one question is asked.
const ATTEMPTS: u32 = 2;
/// The folder of answers beside the deliveries.
const FOLDER: &str = ".answers";
/// In it, where an answer lies readable while it is landed; cleared whenever a program begins that asks departments.
const PASSING: &str = ".passing";

/// A question to a department (请求).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The source.
    pub source: String,
    /// The people asked about.
    pub people: Vec<Person>,
}

/// What a department says (答复): rows by the headings or ids of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The day the data are of.
    pub day: NaiveDate,
    /// The rows.
    pub rows: Vec<BTreeMap<String, String>>,
}

/// A department reached over the network (接口部门).
#[derive(Debug)]
pub struct Department {
    /// Its source.
    pub source: String,
    /// Where: `host:port`.
    pub at: String,
    /// The secret both sides have.
    pub secret: Secret,
    /// How it went lately.
    circuit: Mutex<Circuit>,
}

#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    until: Option<DateTime<Utc>>,
}

impl Department {
    /// One (设定).
    pub fn new(source: &str, at: &str, secret: Secret) -> Self {
        Self {
            source: source.to_owned(),
            at: at.to_owned(),
            secret,
            circuit: Mutex::default(),
        }
    }

    /// Asks (询问): twice at most, and not at all while it is left alone.
    ///
    /// # Errors
    /// [`Failure`], with the reason.
    pub fn ask(
        &self,
        question: &Question,
        request: &str,
        clock: &dyn Clock,
    ) -> Result<Said, Failure> {
        if self
            .circuit()
            .until
            .is_some_and(|until| clock.now() < until)
        {
            return Err(Failure::LeftAlone);
        }
        let mut last = Failure::LeftAlone;
        for attempt in 1..=ATTEMPTS {
            // Each attempt has a number of its own: the same one twice is what a replay looks like.
            let request = format!("{request}-{attempt}");
            match wire::ask(&self.at, &self.secret, question, &request, clock) {
                Ok(said) => {
                    *self.circuit() = Circuit::default();
                    return Ok(said);
                }
                Err(failure) => last = failure,
            }
            if !last.may_pass() {
                break;
            }
        }
        let mut circuit = self.circuit();
        circuit.failures += 1;
        if circuit.failures >= TOO_MANY {
            circuit.until = Some(clock.now() + REST);
            circuit.failures = 0;
        }
        Err(last)
    }

    fn circuit(&self) -> std::sync::MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All departments that answer when asked (全部接口部门).
pub struct Departments {
    all: BTreeMap<String, Department>,
    store: PathBuf,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Departments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

/// One department in the settings file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    source: String,
    at: String,
    /// The file with the secret: 64 hexadecimal digits.
    secret: PathBuf,
}

impl Departments {
    /// Departments beside a folder of landed deliveries (设定); what a program that was killed left readable there is removed.
    ///
    /// # Errors
    /// When that cannot be removed.
    pub fn new(
        all: Vec<Department>,
        store: &Path,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let passing = store.join(FOLDER).join(PASSING);
        match std::fs::remove_dir_all(&passing) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
                return Err(fault)
                    .with_context(|| format!("无法清理 {} (clearing away)", passing.display()));
            }
            _ => {}
        }
        Ok(Self {
            all: all
                .into_iter()
                .map(|one| (one.source.clone(), one))
                .collect(),
            store: store.to_owned(),
            keys,
            clock,
        })
    }

    /// Reads a file of departments (读取接口清单): a JSON list of `source`, `at` and `secret`, the file of the secret.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(
        file: &Path,
        store: &Path,
        keys: Keys,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("读不到接口清单 {}", file.display()))?;
        let entries: Vec<Entry> = serde_json::from_str(&text)
            .with_context(|| format!("接口清单 {} 读不懂", file.display()))?;
        let all = entries.into_iter().map(|entry| {
            let secret = Secret::read(&entry.secret)?;
            Ok(Department::new(&entry.source, &entry.at, secret))
        });
        Self::new(all.collect::<anyhow::Result<_>>()?, store, keys, clock)
    }

    /// What is landed, with what the departments say of these people now in place of it (带接口答复的数据). The answers stay under
    /// the name of the request. Blocking: for each department one conversation.
    ///
    /// # Errors
    /// Faults of the disk. A department that does not answer is no fault: its figures are unknown.
    pub fn about(
        &self,
        landed: &Landed,
        people: &[Person],
        request: &str,
    ) -> anyhow::Result<Landed> {
        let mut landed = landed.clone();
        let today = shanghai_day(self.clock.now());
        let folder = folder_of(&self.store, request);
        // Who has no valid number cannot be asked about; that is said by the tally.
        let people: Vec<Person> = people
            .iter()
            .filter(|one| pack(&one.id_no, today).is_ok())
            .cloned()
            .collect();
        for (id, department) in &self.all {
            let source = landed.sources().get(id).filter(|source| answers(source));
            let Some(source) = source.cloned() else {
                continue;
            };
            let question = Question {
                source: id.clone(),
                people: people.clone(),
            };
            let kept = match department.ask(&question, &format!("{request}-{id}"), &*self.clock) {
                Ok(said) => self.keep(&source, &question, &said, request, today)?,
                Err(failure) => {
                    tracing::warn!(source = id, "a department did not answer: {failure}");
                    Err(failure.unknown())
                }
            };
            landed = match kept {
                Ok(()) => landed.over(opened(&folder, &source, &self.keys)?),
                Err(why) => {
                    keep_silence(&folder, id, &why)?;
                    landed.silenced(id, why)
                }
            };
        }
        Ok(landed)
    }

    /// The answers to a request, which are gone again unless somebody keeps them (待保存的答复).
    pub(crate) fn until_kept(&self, request: &str) -> Unkept {
        Unkept(Some(folder_of(&self.store, request)))
    }

    /// Lands an answer as a small delivery.
    fn keep(
        &self,
        source: &Source,
        question: &Question,
        said: &Said,
        request: &str,
        today: NaiveDate,
    ) -> anyhow::Result<Result<(), Unknown>> {
        if said.day > today || !of_the_asked(source, question, said, today) {
            return Ok(Err(Unknown::AnswerUnreadable));
        }
        let folder = folder_of(&self.store, request);
        let passing = self.store.join(FOLDER).join(PASSING);
        for one in [&folder, &passing] {
            std::fs::create_dir_all(one)
                .with_context(|| format!("无法创建文件夹 {} (an answer)", one.display()))?;
        }
        let file = Passing(passing.join(format!("{}.{}.csv", plain(request), source.id)));
        std::fs::write(&file.0, csv(source, said)?).context("写接口答复 (an answer)")?;
        let mut source = source.clone();
        source.arrival.by = vec!["csv".to_owned()];
        source.arrival.gb18030 = false;
        source.arrival.heading_row = 1;
        let landing = Landing {
            source: &source,
            file: &file.0,
            store: &folder,
            delivered: said.day,
            today,
            keys: &self.keys,
            workers: 1,
            // A few people's rows are never like the last ones, and often none.
            accept_drift: true,
            stop: &AtomicBool::new(false),
            told: &|_| {},
        };
        match landing.run()? {
            // Of one person among three, one row lost would be a wrong answer, not a worse one.
            Ok(manifest) if manifest.bad == 0 => Ok(Ok(())),
            Ok(manifest) => {
                std::fs::remove_dir_all(folder.join(&source.id).join(&manifest.delivery))
                    .context("清理读不懂的答复 (an answer)")?;
                Ok(Err(Unknown::AnswerUnreadable))
            }
            Err(crate::Refused::LandedBefore(_)) => Ok(Ok(())),
            Err(refused) => {
                tracing::warn!(source = source.id, "an answer was not taken: {refused}");
                Ok(Err(Unknown::AnswerUnreadable))
            }
        }
    }
}

/// What is landed, with what was answered to that request then in place of it (再现接口答复), whichever departments are asked
/// today; nobody is asked.
///
/// # Errors
/// Faults of the disk.
pub fn again(landed: &Landed, request: &str) -> anyhow::Result<Landed> {
    let folder = folder_of(landed.store(), request);
    let mut again = landed.clone();
    for (id, source) in &landed.sources().0 {
        again = match silence(&folder, id)? {
            Some(why) => again.silenced(id, why),
            None => again.over(opened(&folder, source, landed.keys())?),
        };
    }
    Ok(again)
}

/// A request is named by the house; its name must not lead anywhere else.
fn plain(request: &str) -> String {
    request
        .chars()
        .filter(|one| one.is_ascii_alphanumeric() || *one == '-')
        .collect()
}

fn folder_of(store: &Path, request: &str) -> PathBuf {
    store.join(FOLDER).join(plain(request))
}

fn opened(folder: &Path, source: &Source, keys: &Keys) -> anyhow::Result<Landed> {
    let only = Sources(BTreeMap::from([(source.id.clone(), source.clone())]));
    Landed::open(folder, only, keys.clone())
}

/// Where it stands why a source said nothing.
fn silent_file(folder: &Path, source: &str) -> PathBuf {
    folder.join(format!("{source}.silent"))
}

fn keep_silence(folder: &Path, source: &str, why: &Unknown) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("无法创建文件夹 {} (an answer)", folder.display()))?;
    let file = silent_file(folder, source);
    let bytes = serde_json::to_vec(why).context("writing why there is no answer")?;
    write_whole(&file, &file.with_extension("new"), &bytes)
}

fn silence(folder: &Path, source: &str) -> anyhow::Result<Option<Unknown>> {
    let file = silent_file(folder, source);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(none) if none.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault).with_context(|| format!("{}", file.display())),
    };
    let why = serde_json::from_slice(&bytes).with_context(|| format!("{}", file.display()))?;
    Ok(Some(why))
}

/// Answers that are gone unless they are kept (待保存的答复).
#[derive(Debug)]
pub(crate) struct Unkept(Option<PathBuf>);

impl Unkept {
    /// Their enquiry is kept, and so are they.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        let Some(folder) = self.0.take() else { return };
        match std::fs::remove_dir_all(&folder) {
            Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("answers that were not kept stay: {fault}");
            }
            _ => {}
        }
    }
}

/// Whether a source may arrive as an answer.
fn answers(source: &Source) -> bool {
    source.arrival.by.iter().any(|way| way == "api")
}

/// Whether every row is of somebody who was asked about: more than was asked for is not taken.
fn of_the_asked(source: &Source, question: &Question, said: &Said, today: NaiveDate) -> bool {
    let key = |text: &str| pack(text, today).ok().map(|packed| packed.key);
    let asked: BTreeSet<_> = question
        .people
        .iter()
        .filter_map(|one| key(&one.id_no))
        .collect();
    let ids: Vec<&crate::source::Column> = source
        .columns
        .iter()
        .filter(|column| {
            use crate::source::ColumnKind;
            matches!(column.kind, ColumnKind::Id | ColumnKind::OtherId)
        })
        .collect();
    said.rows.iter().all(|row| {
        ids.iter()
            .filter_map(|column| cell(column, row))
            .filter_map(key)
            .any(|key| asked.contains(&key))
    })
}

fn cell<'a>(column: &crate::source::Column, row: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let named = column.headings.iter().find_map(|heading| row.get(heading));
    row.get(&column.id).or(named).map(String::as_str)
}

fn csv(source: &Source, said: &Said) -> anyhow::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(source.columns.iter().map(|column| &column.headings[0]))?;
    for row in &said.rows {
        out.write_record(
            source
                .columns
                .iter()
                .map(|column| cell(column, row).unwrap_or("")),
        )?;
    }
    out.into_inner().context("writing an answer")
}

/// A file that is gone when its work is done; after a kill, when the next program begins.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // What stays for now is cleared when a program begins.
        drop(std::fs::remove_file(&self.0));
    }
}
