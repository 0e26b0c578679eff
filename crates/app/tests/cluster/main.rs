//! A cluster of processes (多进程集群): one scheduler, two executors, the real program, one of them killed in the middle.
//!
//! Guarantees shown: a sweep, a simulation and a bulk enquiry on a cluster leave the same files and say the same numbers as in
//! one process, byte for byte, also when an executor is killed while it decides; an executor with other rules is refused in words, and
//! so is a cluster that is not there. Deliberately absent: several machines; the processes see each other only over the
//! network here, too, but the folder is one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

mod enquiry;

use batch::cluster::Cluster;
use batch::layout::{households_file, payments_file};
use batch::payments::{self, Payment};
use batch::simulate::{Reform, Simulation, change};
use batch::{FindingKind, Folder, Manifest, Place, Swept};
use policy::{Book, Every, Unit};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use vocab::Month;

const PROGRAM: &str = env!("CARGO_BIN_EXE_huimin");
const PLACE: &str = "baoan";
const PEOPLE: &str = "20000";
/// So many people a part at least: some twenty parts.
const PEOPLE_A_PART: &str = "1000";
/// Numbers of homes and people begin anew with each block of the population, at multiples of this.
const BLOCK: i64 = 1 << 14;

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn book() -> Arc<Book> {
    Arc::new(Book::load(&packs(), PLACE).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

/// Two ports, one after the other, on which nobody listens.
fn ports() -> u16 {
    for _ in 0..100 {
        let one = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = one.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two free ports in a row");
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

struct Scheduler {
    _process: Child,
    port: u16,
    url: String,
}

impl Scheduler {
    async fn start() -> Self {
        let port = ports();
        let listen = format!("127.0.0.1:{port}");
        let process = started(&["scheduler", "--listen", &listen, "--dead-after", "8"]);
        let scheduler = Self {
            _process: process,
            port,
            url: format!("http://{listen}"),
        };
        scheduler.has("not ready").await;
        scheduler
    }

    /// Waits until the scheduler says this of itself.
    async fn has(&self, wanted: &str) {
        let mut last = String::new();
        for _ in 0..600 {
            if let Ok(said) = self.said().await {
                if said.contains(wanted) {
                    return;
                }
                last = said;
            }
            pause(100).await;
        }
        panic!("the scheduler says {last:?}, never {wanted:?}");
    }

    async fn said(&self) -> std::io::Result<String> {
        let mut there = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let asked = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        there.write_all(asked.as_bytes()).await?;
        let mut said = String::new();
        there.read_to_string(&mut said).await?;
        Ok(said)
    }

    /// An executor that decides one part after the other.
    fn executor(&self, packs: &Path, work: &Path) -> Child {
        let listen = format!("127.0.0.1:{}", ports());
        started(&[
            "executor",
            "--scheduler",
            &self.url,
            "--place",
            PLACE,
            "--packs",
            packs.to_str().unwrap(),
            "--listen",
            &listen,
            "--workers",
            "1",
            "--work",
            work.to_str().unwrap(),
        ])
    }
}

/// A process of the program; killed when the test ends.
fn started(words: &[&str]) -> Child {
    Command::new(PROGRAM)
        .args(words)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Runs the program to its end; what it said, without the time it took.
async fn said(words: &[&str]) -> (bool, Vec<String>, String) {
    let done = Command::new(PROGRAM)
        .args(words)
        .arg("--packs")
        .arg(packs())
        .output()
        .await
        .unwrap();
    let lines = String::from_utf8(done.stdout)
        .unwrap()
        .lines()
        .map(|line| match line.split_once('，') {
            Some((before, after)) if after.ends_with("(households, people, ms)") => {
                before.to_owned()
            }
            _ => line.to_owned(),
        })
        .filter(|line| !line.ends_with("(ms)") && !line.ends_with("(written)"))
        .collect();
    let complaint = String::from_utf8(done.stderr).unwrap();
    (done.status.success(), lines, complaint)
}

async fn synth(out: &Path, seed: &str) {
    let done = Command::new(PROGRAM)
        .args(["synth", "--people", PEOPLE, "--part", PEOPLE_A_PART])
        .args(["--seed", seed])
        .arg("--pack")
        .arg(packs().join(PLACE))
        .arg("--out")
        .arg(out)
        .output()
        .await
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// An invented population in many parts, with payments to the first home of every other block, and a later part that
/// replaces the first one and says that two households of others are no more.
async fn written(at: &Path, book: &Book) -> (PathBuf, usize) {
    let (folder, other) = (at.join("near"), at.join("other"));
    synth(&folder, "7").await;
    synth(&other, "8").await;
    let snapshot = Folder::on_disk(&folder).unwrap();
    let mut manifest = Manifest::read(&snapshot).await.unwrap();
    let first_of = |unit: Unit| {
        let mut all = book.programmes().iter();
        let found = all.find(|one| one.to == unit && one.benefit.every == Every::Month);
        found.unwrap().id.clone()
    };
    let (home, person) = (first_of(Unit::Household), first_of(Unit::Person));
    let paid = |household: i64, person: Option<i64>, programme: &str| Payment {
        household,
        person,
        programme: programme.to_owned(),
        month: Month::of(manifest.as_of),
        fen: 12_345,
    };
    let mut all: Vec<Payment> = (0..100)
        .step_by(2)
        .flat_map(|block| {
            let first = block * BLOCK;
            [paid(first, None, &home), paid(first, Some(first), &person)]
        })
        .collect();
    all.sort();
    let payments = payments::to_file(&all).unwrap();
    let replacing = Manifest::read(&Folder::on_disk(&other).unwrap())
        .await
        .unwrap()
        .parts
        .swap_remove(0);
    let number = manifest.parts.len();
    std::fs::copy(
        other.join(&replacing.file),
        folder.join(households_file(number)),
    )
    .unwrap();
    manifest.parts.push(batch::layout::Part {
        file: households_file(number),
        delta: true,
        gone: vec![60 * BLOCK, 61 * BLOCK],
        ..replacing
    });
    for (number, part) in manifest.parts.iter_mut().enumerate() {
        // Whoever does not live in a part is not found there, so all parts may have the same list.
        snapshot
            .write(&payments_file(number), payments.clone())
            .await
            .unwrap();
        part.payments = Some(payments_file(number));
    }
    manifest.write(&snapshot).await.unwrap();
    assert!(number >= 15, "{number} parts");
    (folder, manifest.parts.len())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().to_str().unwrap().to_owned();
            (name, std::fs::read(file.path()).unwrap())
        })
        .collect()
}

fn parts_done(folder: &Path) -> usize {
    std::fs::read_dir(folder)
        .unwrap()
        .filter(|file| {
            let name = file.as_ref().unwrap().file_name();
            let name = name.to_str().unwrap();
            name.starts_with("findings-") && name.ends_with(".json")
        })
        .count()
}

/// How many files lie in a folder, at any depth: answers that an executor keeps until they are fetched.
fn answers(work: &Path) -> usize {
    let Ok(inside) = std::fs::read_dir(work) else {
        return 0;
    };
    inside
        .map(|one| one.unwrap().path())
        .map(|path| if path.is_file() { 1 } else { answers(&path) })
        .sum()
}

fn same_files(near: &Path, far: &Path) {
    let (near, far) = (files(near), files(far));
    assert!(near.keys().eq(far.keys()), "other files lie there");
    for (name, bytes) in &near {
        assert!(*bytes == far[name], "{name} differs");
    }
}

/// The same simulation here and there: what is printed, and the spreadsheet.
async fn same_simulation(at: &Path, near: &Path, far: &Path, scheduler: &Scheduler) {
    let (here, there) = (at.join("here.xlsx"), at.join("there.xlsx"));
    let mut words = vec!["simulate", near.to_str().unwrap()];
    words.extend(["--set", "dibao_standard=140000"]);
    words.extend(["--reform", "乙:dibao_standard=150000"]);
    let mut far_words = words.clone();
    far_words[1] = far.to_str().unwrap();
    words.extend(["--xlsx", here.to_str().unwrap()]);
    far_words.extend(["--xlsx", there.to_str().unwrap()]);
    far_words.extend(["--cluster", &scheduler.url]);
    let (near_said, far_said) = (said(&words).await, said(&far_words).await);
    assert!(near_said.0 && far_said.0, "{} {}", near_said.2, far_said.2);
    assert!(near_said.1.len() > 2, "{:?}", near_said.1);
    assert_eq!(near_said.1, far_said.1);
    let (here, there) = (std::fs::read(here).unwrap(), std::fs::read(there).unwrap());
    assert!(here == there, "the spreadsheets differ");
}

/// Only one street is asked about: the question must say so to every executor.
async fn same_of_one_street(book: &Arc<Book>, folder: &Path, scheduler: &Scheduler) {
    let snapshot = Folder::on_disk(folder).unwrap();
    let as_of = Manifest::read(&snapshot).await.unwrap().as_of;
    let reform = Reform {
        name: "情景".to_owned(),
        changes: vec![change("dibao_standard=140000", as_of).unwrap()],
    };
    let mut simulation = Simulation::new(Arc::clone(book), as_of, &[reform]).unwrap();
    let (stop, quiet) = (AtomicBool::new(false), |_, _| {});
    let everywhere = simulation.run(&snapshot, &stop, quiet).await.unwrap();
    let places = &book.place().regions;
    let street = places
        .iter()
        .map(|place| place.code)
        .find(|code| code.level() == vocab::region::Level::Street)
        .unwrap();
    simulation.region = Some(street);
    let here = simulation.run(&snapshot, &stop, quiet).await.unwrap();
    let cluster = Place::Cluster(Cluster::at(&scheduler.url).unwrap());
    let there = simulation.run_at(&cluster, &snapshot, &stop, quiet).await;
    assert_eq!(here, there.unwrap());
    let households = |one: &batch::simulate::Simulated| one.effects[0].1.all.all.households;
    assert!(
        0 < households(&here) && households(&here) < households(&everywhere),
        "{} of {}",
        households(&here),
        households(&everywhere)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_says_what_one_process_says_also_when_an_executor_is_killed() {
    let book = book();
    let at = tempfile::tempdir().unwrap();
    let (near, parts) = written(at.path(), &book).await;
    let far = at.path().join("far");
    copy(&near, &far);
    let near_said = said(&["sweep", near.to_str().unwrap(), "--doubts", "one"]).await;
    assert!(near_said.0, "{}", near_said.2);
    let swept: Swept =
        serde_json::from_slice(&std::fs::read(near.join("sweep.json")).unwrap()).unwrap();
    let found = |kinds: &[FindingKind]| -> u64 {
        let counts = kinds.iter().map(|kind| swept.tally.of_kind(*kind).0);
        counts.sum()
    };
    assert!(found(&[FindingKind::Due]) > 0, "nothing is due");
    let paid = [
        FindingKind::NotDue,
        FindingKind::Differs,
        FindingKind::PaidToVerify,
    ];
    assert!(found(&paid) > 0, "no payment was compared");

    let scheduler = Scheduler::start().await;
    let (work_one, work_two) = (at.path().join("one"), at.path().join("two"));
    let mut one = scheduler.executor(&packs(), &work_one);
    let _two = scheduler.executor(&packs(), &work_two);
    scheduler.has("ready: 2 executors").await;
    let mut words = vec!["sweep", far.to_str().unwrap(), "--doubts", "one"];
    words.extend(["--cluster", &scheduler.url]);
    let killing = async {
        // Killed (-9) once it has answered something and before everything is answered.
        let both = || answers(&work_one) > 0 && parts_done(&far) > 0;
        while !both() && parts_done(&far) < parts {
            pause(10).await;
        }
        one.kill().await.unwrap();
        (parts_done(&far), answers(&work_one), answers(&work_two))
    };
    let (far_said, (done, by_one, by_two)) = tokio::join!(said(&words), killing);
    assert!(far_said.0, "{}", far_said.2);
    // Both had answered, and most parts were decided only afterwards: every executor has one place and was at work.
    assert!(
        by_one > 0 && done > 0 && done + 4 <= parts,
        "{done} of {parts} parts at the kill; answers {by_one} and {by_two}"
    );
    assert_eq!(parts_done(&far), parts);
    assert!(answers(&work_two) > by_two, "who was left decided nothing");
    assert_eq!(near_said.1, far_said.1);
    same_files(&near, &far);

    // Another one comes in place of the killed.
    let _three = scheduler.executor(&packs(), &at.path().join("three"));
    scheduler.has("ready: 2 executors").await;
    same_simulation(at.path(), &near, &far, &scheduler).await;
    same_of_one_street(&book, &near, &scheduler).await;
}

#[tokio::test]
async fn other_rules_and_no_cluster_are_refused_in_words_and_nothing_is_written() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path().join("snapshot");
    synth(&folder, "7").await;
    let before = files(&folder);
    let refused = async |scheduler: &str| {
        let words = ["sweep", folder.to_str().unwrap(), "--cluster", scheduler];
        let (ended_well, _, complaint) = said(&words).await;
        assert!(!ended_well);
        assert!(before == files(&folder), "something was written");
        complaint
    };
    let nowhere = refused(&format!("http://127.0.0.1:{}", ports())).await;
    assert!(nowhere.contains("请先启动 huimin scheduler"), "{nowhere}");

    let scheduler = Scheduler::start().await;
    let alone = refused(&scheduler.url).await;
    assert!(alone.contains("没有执行节点"), "{alone}");

    // The same place and version, and one number of the law another one.
    let changed = at.path().join("packs");
    fixtures::copy(&packs(), &changed).unwrap();
    let file = changed
        .join(PLACE)
        .join("advanced_age_hardship/parameters.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("value = 80,", "value = 81,", 1)).unwrap();
    let other = Book::load(&changed, PLACE).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let own = book();
    assert_ne!(own.hash(), other.hash());
    let _executor = scheduler.executor(&changed, &at.path().join("work"));
    scheduler.has("ready: 1 executors").await;
    let complaint = refused(&scheduler.url).await;
    assert!(
        complaint.contains("规则包与发起方不同")
            && complaint.contains(own.hash())
            && complaint.contains(other.hash()),
        "{complaint}"
    );
}
