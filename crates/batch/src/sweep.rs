//! The sweep (全人口比对): every programme for every household of a snapshot, against what is in payment.
//!
//! Each part gives one file of findings and one small record of what was counted, written last; a part whose record
//! answers the same question is not decided again, so a run that was stopped goes on where it was, and on the next night
//! only what changed is decided (see `nights`). Guarantees: the same snapshot, day and book give the same findings, however
//! many workers, however often it was interrupted and however many nights it took.
//! Deliberately absent: names, and telling anyone; leads are made of findings inside the desk.

use crate::cluster::{Answer, Far, Place, Question};
use crate::decide::for_people;
use crate::folder::Folder;
use crate::later::Later;
use crate::layout::{Manifest, Part};
use crate::nights::{self, Before, Round};
use crate::part::{PartFiles, PartWork};
use crate::tally::Tally;
use anyhow::{Context, bail, ensure};
use chrono::NaiveDate;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use policy::{Ask, Book};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::keys::sm3_hex;
use vocab::Month;

/// For whom a doubt is followed to the facts that would settle it (待核实追到哪里).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubts {
    /// 只追在发的：those in payment only; the others are counted.
    Paid,
    /// 再加只差一项事实的：also those whom one fact alone would settle.
    One,
    /// 全部。
    All,
}

/// What to sweep (比对什么).
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The rule book.
    pub book: Arc<Book>,
    /// The day; usually the snapshot's.
    pub as_of: NaiveDate,
    /// Which programmes; `None` means all for people.
    pub programmes: Option<Vec<String>>,
    /// How far doubts are followed.
    pub doubts: Doubts,
    /// How many parts are decided at once.
    pub workers: usize,
}

/// How far a sweep is (进度).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Households decided or taken over.
    pub done: u64,
    /// Households in all.
    pub total: u64,
    /// Of those done, how many were taken over from an earlier run.
    pub kept: u64,
}

/// What a sweep found (比对结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// The day.
    pub as_of: NaiveDate,
    /// The rule book's version.
    pub pack_version: String,
    /// Households decided.
    pub households: u64,
    /// Their members.
    pub people: u64,
    /// Findings by community, programme and kind; outcomes by programme.
    pub tally: Tally,
    /// Whether every part was done; a run told to stop was not.
    pub whole: bool,
}

/// What one part's findings answer (分块记录), written after them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Rules, programmes and rows, without the day.
    pub(crate) about: String,
    /// The day.
    pub(crate) as_of: NaiveDate,
    /// What replaced rows of the part, as one fingerprint.
    pub(crate) replaced: String,
    /// Until when rows whose day comes are laid ready.
    pub(crate) soon_until: NaiveDate,
    pub(crate) households: u64,
    pub(crate) people: u64,
    pub(crate) tally: Tally,
}

/// A part's record with how many households were taken over; `None` if it was not begun.
type PartAnswer = anyhow::Result<Option<(Record, u64)>>;

impl Sweep {
    pub(crate) fn ask(&self) -> Ask {
        Ask {
            programmes: Some(
                self.programmes
                    .clone()
                    .unwrap_or_else(|| for_people(&self.book)),
            ),
            ..Ask::on(self.as_of)
        }
    }

    /// What a part's findings depend on besides the day, as one fingerprint.
    fn about(&self, part: &Part) -> String {
        let programmes = self.ask().programmes.unwrap_or_default().join(" ");
        let text = format!(
            "5\n{}\n{programmes}\n{:?}\n{}\n{}",
            self.book.hash(),
            self.doubts,
            part.file,
            part.sm3,
        );
        sm3_hex(text.as_bytes())
    }

    /// What an executor must be told to decide the same (提问); the rules are named beside it, how many at once is ours.
    fn question(&self) -> Question {
        let Self {
            book: _,
            as_of,
            programmes,
            doubts,
            workers: _,
        } = self;
        Question::Sweep {
            as_of: *as_of,
            programmes: programmes.clone(),
            doubts: *doubts,
        }
    }

    /// The record of a part before anything was counted.
    pub(crate) fn blank(&self, part: &Part, at: usize, later: &Later) -> Record {
        Record {
            about: self.about(part),
            as_of: self.as_of,
            replaced: later.fingerprint(at).to_owned(),
            soon_until: nights::soon_until(self.as_of, at),
            ..Record::default()
        }
    }

    /// What is needed to decide a part, read: its rows too, unless they lie ready.
    pub(crate) async fn work(
        &self,
        folder: &Folder,
        (part, at, ready): (&Part, usize, bool),
        later: Arc<Later>,
        round: Arc<Round>,
    ) -> anyhow::Result<PartWork> {
        let households = match ready {
            true => None,
            false => Some(folder.need(&part.file).await?),
        };
        let payments = match &part.payments {
            Some(file) => Some(folder.need(file).await?),
            None => None,
        };
        Ok(PartWork {
            sweep: self.clone(),
            households,
            payments,
            later,
            at,
            round,
        })
    }

    /// Sweeps a snapshot (比对); `stop` ends it after the parts in hand, and the next run goes on from there.
    ///
    /// # Errors
    /// When the folder cannot be read or written, or holds something else than a snapshot.
    pub async fn run(
        &self,
        folder: &Folder,
        stop: &AtomicBool,
        progress: impl FnMut(Progress) + Send,
    ) -> anyhow::Result<Swept> {
        self.run_at(&Place::Here, folder, stop, progress).await
    }

    /// Sweeps a snapshot at a place (在指定处比对); the same files are written by this process, wherever parts are decided.
    ///
    /// # Errors
    /// As [`Self::run`]; and when a cluster refuses or does not answer.
    pub async fn run_at(
        &self,
        place: &Place,
        folder: &Folder,
        stop: &AtomicBool,
        mut progress: impl FnMut(Progress) + Send,
    ) -> anyhow::Result<Swept> {
        let far = place.put(&self.book, folder, self.question()).await?;
        let far = far.as_ref();
        let manifest = Manifest::read(folder).await?;
        let later = Arc::new(Later::of(folder, &manifest).await?);
        let mut so_far = Progress {
            total: manifest.households,
            ..Progress::default()
        };
        let mut swept = Swept {
            as_of: self.as_of,
            pack_version: self.book.version().to_owned(),
            households: 0,
            people: 0,
            tally: Tally::default(),
            whole: true,
        };
        let round = Arc::new(Round::of(self)?);
        let mut work: Vec<BoxFuture<'_, PartAnswer>> = Vec::new();
        for (at, part) in manifest.parts.iter().enumerate() {
            let (later, round) = (Arc::clone(&later), Arc::clone(&round));
            work.push(Box::pin(async move {
                if stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                self.part(far, folder, (part, at), later, round)
                    .await
                    .map(Some)
            }));
        }
        let mut done = futures_util::stream::iter(work).buffer_unordered(self.workers.max(1));
        while let Some(one) = done.next().await {
            let Some((record, kept)) = one? else {
                swept.whole = false;
                continue;
            };
            swept.households += record.households;
            swept.people += record.people;
            swept.tally.add(&record.tally);
            so_far.done += record.households;
            so_far.kept += kept;
            progress(so_far);
        }
        if swept.whole {
            let mut text = serde_json::to_vec_pretty(&swept)?;
            text.push(b'\n');
            folder.write("sweep.json", text).await?;
        }
        Ok(swept)
    }

    /// One part: taken over if its record answers the same question, decided where something changed since, or anew.
    /// Returns how many of its households were taken over.
    async fn part(
        &self,
        far: Option<&Far>,
        folder: &Folder,
        (part, at): (&Part, usize),
        later: Arc<Later>,
        round: Arc<Round>,
    ) -> anyhow::Result<(Record, u64)> {
        if part.rows == 0 {
            return Ok((Record::default(), 0));
        }
        let record_file = format!("findings-{}.json", part.number());
        let blank = self.blank(part, at, &later);
        let before = match folder.read(&record_file).await? {
            Some(bytes) => serde_json::from_slice::<Record>(&bytes).ok(),
            None => None,
        };
        let before = before.filter(|before| before.about == blank.about);
        if let Some(before) = &before
            && (before.as_of, &before.replaced) == (blank.as_of, &blank.replaced)
        {
            return Ok((before.clone(), before.households));
        }
        let night = before.filter(|before| {
            // What is paid is kept by the month: when it turns, everybody is compared anew.
            let turned = Month::of(before.as_of) != Month::of(self.as_of);
            let compared_anew = turned && part.payments.is_some();
            let rules_turned = self.book.turns_between(before.as_of, self.as_of)
                || round.nexts.clocks.turns_all(before.as_of, self.as_of);
            before.as_of <= self.as_of && !compared_anew && !rules_turned
        });
        let night = match night {
            None => None,
            Some(before) => Before::read(folder, part, before).await?,
        };
        // A later night decides a few rows of a part; they are nearer than any other machine.
        if let (Some(far), None) = (far, &night) {
            return decided_far(far, folder, part, at, &blank).await;
        }
        let ready = night
            .as_ref()
            .is_some_and(|night| night.is_ready(self.as_of));
        let work = self.work(folder, (part, at, ready), later, round).await?;
        let (record, files, kept) = tokio::task::spawn_blocking(move || match night {
            None => work.anew(blank)?.into_files(),
            Some(night) => night.renew(&work, blank),
        })
        .await?
        .with_context(|| format!("比对 {}", part.file))?;
        put(folder, part, files, &record).await?;
        Ok((record, kept))
    }
}

/// A part decided elsewhere; its files are written here.
async fn decided_far(
    far: &Far,
    folder: &Folder,
    part: &Part,
    at: usize,
    blank: &Record,
) -> anyhow::Result<(Record, u64)> {
    let answer = far
        .ask(at)
        .await
        .with_context(|| format!("比对 {}", part.file))?;
    let Answer::Swept { record, files } = answer else {
        bail!("集群答的不是所问 (an answer to another question)");
    };
    let same = (&record.about, record.as_of, &record.replaced)
        == (&blank.about, blank.as_of, &blank.replaced);
    ensure!(
        same,
        "集群对 {} 答的是另一个问题；请核对各机的程序版本相同 (an answer to another question)",
        part.file
    );
    put(folder, part, files.map(Some), &record).await?;
    Ok((*record, 0))
}

/// Writes what a part came to, the record last.
async fn put(
    folder: &Folder,
    part: &Part,
    files: PartFiles,
    record: &Record,
) -> anyhow::Result<()> {
    let record_file = format!("findings-{}.json", part.number());
    // What is written now answers another question than the record still says: without a record it answers none.
    if files.iter().any(Option::is_some) {
        folder.remove(&record_file).await?;
    }
    for (name, bytes) in nights::files(part).iter().zip(files) {
        if let Some(bytes) = bytes {
            folder.write(name, bytes).await?;
        }
    }
    folder
        .write(&record_file, serde_json::to_vec(record)?)
        .await
}
