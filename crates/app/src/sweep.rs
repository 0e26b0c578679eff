//! `huimin sweep` (全人口比对): every programme for every household of a snapshot, against what is in payment.
//!
//! Guarantees: told to stop, it ends after the parts in hand and the same command goes on from there. Deliberately
//! absent: names; findings carry numbers that only the desk can turn back into people.

use crate::job::{Told, beating, report};
use crate::place::DecidedAt;
use crate::settings::{Data, load_book};
use crate::terminal::say;
use access::Scope;
use anyhow::bail;
use batch::finding::FindingKind;
use batch::layout::Manifest;
use batch::sweep::{Doubts, Progress, Sweep, Swept};
use batch::{Folder, region_of};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::{NewJob, queue};
use vocab::{Money, Region};

/// What to sweep (比对什么).
#[derive(Debug, Args)]
pub(crate) struct SweepAll {
    /// The snapshot: a folder, or `s3://bucket/prefix` (快照文件夹).
    folder: String,
    /// The folder with all packs (规则包文件夹).
    #[arg(long, env = "HUIMIN_PACKS", default_value = "packs")]
    packs: PathBuf,
    /// The day; the snapshot's if not given (基准日).
    #[arg(long)]
    as_of: Option<NaiveDate>,
    /// Only these programmes (只看这些事项).
    #[arg(long = "programme")]
    programmes: Vec<String>,
    /// How far doubts are followed to the facts that would settle them (待核实追到哪里).
    #[arg(long, value_enum, default_value = "paid")]
    doubts: Follow,
    /// How many parts at once; as many as there are processors if not given (并行数).
    #[arg(long)]
    workers: Option<usize>,
    /// Then make leads of what is due, not due or differs, in the database the snapshot came from (并入线索).
    #[arg(long)]
    leads: bool,
    #[command(flatten)]
    at: DecidedAt,
    #[command(flatten)]
    data: Data,
}

/// How far doubts are followed (待核实追到哪里).
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Follow {
    /// Only of those in payment.
    Paid,
    /// Of those whom one fact alone would settle, too.
    One,
    /// Of everybody.
    All,
}

/// As many parts at once as there are processors.
pub(crate) fn workers(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A flag that ctrl-c sets.
pub(crate) fn stopped_by_ctrl_c() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.store(true, Ordering::Relaxed);
            tracing::info!("told to stop; finishing the parts in hand");
        }
    });
    stop
}

/// How long the rest takes if it goes on as so far.
pub(crate) fn rest(spent: Duration, done: u64, total: u64) -> Duration {
    if done == 0 || total <= done {
        return Duration::ZERO;
    }
    let millis = u128::from(total - done) * spent.as_millis() / u128::from(done);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl SweepAll {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::open(&self.folder)?;
        let manifest = Manifest::read(&folder).await?;
        let sweep = Sweep {
            book: Arc::new(load_book(&self.packs, &manifest.place)?),
            as_of: self.as_of.unwrap_or(manifest.as_of),
            programmes: (!self.programmes.is_empty()).then_some(self.programmes),
            doubts: match self.doubts {
                Follow::Paid => Doubts::Paid,
                Follow::One => Doubts::One,
                Follow::All => Doubts::All,
            },
            workers: self.at.in_hand(self.workers),
        };
        let place = self.at.open()?;
        let stop = stopped_by_ctrl_c();
        let begun = Instant::now();
        let mut last = Duration::ZERO;
        let swept = sweep
            .run_at(&place, &folder, &stop, |at: Progress| {
                let spent = begun.elapsed();
                if spent.saturating_sub(last) >= Duration::from_secs(2) {
                    last = spent;
                    let rest = rest(spent, at.done - at.kept, at.total - at.kept);
                    tracing::info!(
                        done = at.done,
                        of = at.total,
                        rest_seconds = rest.as_secs(),
                        "swept"
                    );
                }
            })
            .await?;
        print(&swept, begun.elapsed());
        if !swept.whole {
            bail!("比对已停止；再运行同一命令会接着做 (stopped: the same command goes on)");
        }
        if self.leads {
            let division = sweep.book.place().division;
            take_in(&self.data, &folder, division).await?;
        }
        Ok(())
    }
}

/// Makes leads of the findings, as a job that shows its progress and can be cancelled.
async fn take_in(data: &Data, folder: &Folder, division: Region) -> anyhow::Result<()> {
    const KIND: &str = "batch.leads";
    let db = data.open().await?;
    let mut tx = db.begin().await?;
    let job = NewJob::new(KIND, serde_json::json!({ "folder": folder.shown() })).unique("leads");
    tx.enqueue(job).await?;
    tx.commit().await?;
    let length = chrono::Duration::minutes(10);
    let Some(mut lease) = queue::claim(&db, "huimin sweep", &[KIND], length).await? else {
        bail!("另一个比对正在写入线索；请等它结束 (another run is making leads)");
    };
    let (told, scope) = (Told::default(), Scope::system(division));
    let tell = |done, total| told.at(done, total);
    let work = batch::leads::take_in(&db, &scope, folder, &batch::leads::NIGHTLY, tell);
    let Some(taken) = beating(&db, &mut lease, &told, work).await? else {
        bail!("并入线索的任务已取消；已写入的保留 (cancelled)");
    };
    let taken = taken?;
    report(&db, &lease, None).await?;
    say(&format!(
        "线索：新增 {}，仍在 {}，已消除 {}，查无此户 {} (leads: new, again, settled, lost)",
        taken.new, taken.again, taken.settled, taken.lost
    ));
    db.close().await
}

fn print(swept: &Swept, spent: Duration) {
    say(&format!(
        "{} {} 户 {} 人，{} 毫秒 (households, people, ms)",
        swept.as_of,
        swept.households,
        swept.people,
        spent.as_millis()
    ));
    for (programme, counted) in &swept.tally.outcomes {
        say(&format!(
            "  {programme}: 符合 {} 不符合 {} 待核实 {} (met, not met, to verify)",
            counted.met, counted.not_met, counted.to_verify
        ));
    }
    for kind in FindingKind::ALL {
        let (count, due, paid) = swept.tally.of_kind(kind);
        say(&format!(
            "{} {}：{count} 项，应发 {} 元/月，在发 {} 元/月",
            kind.zh(),
            kind.word(),
            Money::from_fen(due),
            Money::from_fen(paid)
        ));
        for square in swept.tally.squares.iter().filter(|one| one.kind == kind) {
            let place =
                region_of(square.region).map_or_else(|_| String::new(), |place| place.to_string());
            say(&format!(
                "    {place} {} {}",
                square.programme, square.count
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_follows_from_what_was_done() {
        // 100 of 400 took 3 s: 300 more take 9 s.
        assert_eq!(
            rest(Duration::from_secs(3), 100, 400),
            Duration::from_secs(9)
        );
        assert_eq!(rest(Duration::from_secs(3), 0, 400), Duration::ZERO);
    }
}
