//! Submitting while the program is killed at random (随机强杀提交): whoever was told “submitted” stays submitted, and once.
//!
//! A worker, this very test program started again, hands in one application after another and says each receipt aloud once
//! it is committed. It is killed after a seeded random time, about as long as one submit takes, and started again with the
//! same keys, two hundred times on each database. Guarantees shown: no acknowledged submit is lost, the same key gives the same receipt, nobody has two cases,
//! the journal's chain is whole. Deliberately absent: power cuts, which only a machine without power can show.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

use access::{Actor, Purpose, Role, Scope};
use casework::Desk;
use casework::list::{CaseFilter, CaseSort};
use casework::procedure::{Applies, Channel, MayApply};
use casework::submit::{Choice, SubmitApplication};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use registry::bulk::{BulkHousehold, BulkMember};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;
use store::{Db, Keys, Migration, Open};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use uuid::Uuid;
use vocab::Region;
use vocab::ids::{HouseholdId, OfficerId};

const SEED: u64 = 20_260_601;
const KILLS: u32 = 200;
const HOUSEHOLDS: usize = 4_000;
/// Everybody's, so that the public door can be asked for each receipt.
const PHONE: &str = "17000001234";
const TASK: &str = "HUIMIN_TEST_SUBMIT";

/// What one worker needs to know, as one line: where it begins, the draft that may be open, folder, database.
struct Task {
    from: usize,
    draft: Option<Uuid>,
    folder: String,
    url: String,
}

impl Task {
    fn write(&self) -> String {
        let draft = self
            .draft
            .map_or_else(|| "-".to_owned(), |draft| draft.to_string());
        format!("{}|{draft}|{}|{}", self.from, self.folder, self.url)
    }

    fn read(text: &str) -> Self {
        let parts: Vec<&str> = text.split('|').collect();
        Self {
            from: parts[0].parse().unwrap(),
            draft: parts[1].parse().ok(),
            folder: parts[2].to_owned(),
            url: parts[3].to_owned(),
        }
    }
}

/// The worker's part; an ordinary test run has no task for it and it is done at once.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent says what to do and waits for a word"
)]
fn the_worker_submits_what_it_is_told() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let task = Task::read(&task);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = open(&task.url, Path::new(&task.folder)).await;
        let desk = desk();
        let households = households(&db).await;
        println!("\nready");
        for (at, household) in households.iter().enumerate().skip(task.from) {
            let known = task.draft.filter(|_| at == task.from);
            let draft = match known {
                Some(draft) => draft,
                None => draft_for(&db, desk, *household).await,
            };
            println!("draft {at} {draft}");
            println!(
                "done {at} {}",
                submit(&db, desk, *household, draft, at).await
            );
        }
        db.close().await.unwrap();
    });
}

async fn draft_for(db: &Db, desk: &Desk, household: HouseholdId) -> Uuid {
    let mut tx = db.begin().await.unwrap();
    let programmes = vec![programme(desk)];
    let draft = casework::draft::start_draft(&mut tx, &window(), desk, household, programmes).await;
    let draft = draft.unwrap().unwrap();
    tx.commit().await.unwrap();
    draft
}

/// Hands in, and only then says the receipt.
async fn submit(db: &Db, desk: &Desk, household: HouseholdId, draft: Uuid, at: usize) -> String {
    let today = db.today();
    let home = registry::households::household_view(db, &window(), household, today).await;
    let applicant = home.unwrap().unwrap().members[0].person.id;
    let application = SubmitApplication {
        key: format!("key-{at}"),
        draft,
        choices: vec![Choice {
            programme: programme(desk),
            member: None,
        }],
        applicant,
        applied_by: MayApply::Member,
        agent: None,
        channel: Channel::Window,
    };
    let mut tx = db.begin().await.unwrap();
    let submitted = casework::submit(&mut tx, &window(), desk, application)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    submitted.receipt_code
}

/// The first programme every household is asked about.
fn programme(desk: &Desk) -> String {
    let mut offered = desk.offered_programmes().into_iter();
    let found = offered.find(|one| {
        desk.procedure(&one.id)
            .is_some_and(|its| its.applies == Applies::Household)
    });
    found.unwrap().id.clone()
}

/// The sample county's packs, read once: a worker lives for a tenth of a second.
fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        Desk::load(&packs, "sample").unwrap_or_else(|faults| panic!("{faults:#?}"))
    })
}

fn community() -> Region {
    let desk = desk();
    let regions = &desk.book.place().regions;
    let deepest = regions
        .iter()
        .map(|region| region.code)
        .max_by_key(|code| code.level());
    deepest.unwrap()
}

fn window() -> Scope {
    let roles = vec![(Role::WindowOfficer, community())];
    let actor = Actor::officer(OfficerId(Uuid::from_u128(7)), "窗口", roles);
    Scope {
        region: actor.region,
        actor,
        purpose: Purpose::Application,
    }
}

async fn households(db: &Db) -> Vec<HouseholdId> {
    let limit = u64::try_from(HOUSEHOLDS).unwrap();
    let found = registry::households::list_ids(db, &window(), None, limit)
        .await
        .unwrap();
    found.into_iter().map(|(id, _)| id).collect()
}

fn migrations() -> Vec<Migration> {
    casework::migrations()
}

async fn open(url: &str, folder: &Path) -> Db {
    let open = Open {
        url: url.to_owned(),
        keys: Keys::for_tests(),
        clock: fixtures::clock(),
        // Several processes share the database: seeded identifiers would meet.
        seed: None,
        files: folder.join("files"),
    };
    Db::open(open).await.unwrap()
}

async fn settle(db: &Db) {
    let places = [community()];
    let invented = synth::District::new(SEED, HOUSEHOLDS * 6, &places, db.today()).take(HOUSEHOLDS);
    let households = invented.map(|household| BulkHousehold {
        roster_number: None,
        region: household.region,
        address: household.address,
        since: household.since,
        members: household
            .members
            .into_iter()
            .map(|member| BulkMember {
                name: member.name,
                document: member.document,
                sex: member.sex,
                birth_date: Some(member.birth_date),
                phone: Some(PHONE.to_owned()),
                hukou: Some(member.hukou),
                kinship: member.kinship,
                account: None,
                facts: Vec::new(),
            })
            .collect(),
        facts: Vec::new(),
    });
    let scope = Scope::system(community());
    registry::bulk::load(db, &scope, households, |_| {})
        .await
        .unwrap();
}

/// What the world was told.
#[derive(Default)]
struct Heard {
    receipts: BTreeMap<usize, String>,
    draft: Option<(usize, Uuid)>,
    ended: bool,
}

/// Starts a worker, listens to it for a while, kills it.
async fn worker(task: &Task, lives: Duration) -> Heard {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_worker_submits_what_it_is_told",
            "--nocapture",
        ])
        .env(TASK, task.write())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut words = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(word) = words.next_line().await.unwrap() {
        if word == "ready" {
            break;
        }
    }
    let killed = tokio::time::timeout(lives, child.wait()).await.is_err();
    if killed {
        child.kill().await.unwrap();
    }
    let mut heard = Heard {
        ended: !killed,
        ..Heard::default()
    };
    // What was said before the end is read to the end; a line cut in the middle was never heard.
    while let Ok(Some(line)) = words.next_line().await {
        let parts: Vec<&str> = line.split(' ').collect();
        match parts.as_slice() {
            ["draft", at, draft] => {
                if let (Ok(at), Ok(draft)) = (at.parse(), draft.parse()) {
                    heard.draft = Some((at, draft));
                }
            }
            ["done", at, receipt] if receipt.len() == "7K3F-9M2Q-XW4T-C".len() => {
                heard
                    .receipts
                    .insert(at.parse().unwrap(), (*receipt).to_owned());
            }
            _ => {}
        }
    }
    heard
}

async fn two_hundred_kills(db: &Db, folder: &Path, url: &str) {
    settle(db).await;
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut heard: BTreeMap<usize, String> = BTreeMap::new();
    let mut drafts: BTreeMap<usize, Uuid> = BTreeMap::new();
    let mut kills = 0;
    let mut life = Duration::from_millis(150);
    while kills < KILLS && heard.len() + 50 < HOUSEHOLDS {
        let from = heard.len();
        let task = Task {
            from,
            draft: drafts.get(&from).copied(),
            folder: folder.display().to_string(),
            url: url.to_owned(),
        };
        let now = worker(&task, life.mul_f64(rng.random_range(0.0..2.0))).await;
        // About one submit a life, whatever the machine: killed often, and often in the middle of one.
        let change = match now.receipts.len() {
            0 => 1.25,
            1 => 1.0,
            _ => 0.8,
        };
        life = life.mul_f64(change).min(Duration::from_secs(3));
        drafts.extend(now.draft);
        heard.extend(now.receipts);
        assert!(
            !now.ended,
            "a worker came to its end although it had more to do"
        );
        kills += 1;
    }
    assert_eq!(kills, KILLS, "{HOUSEHOLDS} households were too few");
    let count = heard.len();
    assert!(count >= 50, "only {count} submits were heard of");
    assert_eq!(
        heard.keys().copied().collect::<Vec<_>>(),
        (0..count).collect::<Vec<_>>()
    );

    // Everything acknowledged is there, under the same receipt, and asking again makes nothing new.
    let desk = desk();
    let before = cases(db, desk).await;
    let households = households(db).await;
    for (at, receipt) in heard.iter().step_by(7) {
        let Some(draft) = drafts.get(at) else {
            continue;
        };
        assert_eq!(
            submit(db, desk, households[*at], *draft, *at).await,
            *receipt
        );
    }
    for receipt in heard.values() {
        let found = casework::progress::progress(db, desk, receipt, "1234")
            .await
            .unwrap();
        assert!(found.is_some(), "an acknowledged submit was lost");
    }
    let after = cases(db, desk).await;
    assert_eq!(before, after);
    // One more may be committed that nobody heard of; never two for one household.
    assert!(
        after == count || after == count + 1,
        "{after} cases for {count} acknowledged"
    );
    assert!(store::journal::verify(db).await.unwrap().is_intact());
    report(db.engine(), kills, count);
}

async fn cases(db: &Db, desk: &Desk) -> usize {
    let page = casework::list::list(
        db,
        &window(),
        desk,
        &CaseFilter::default(),
        CaseSort::default(),
        0,
        1,
    )
    .await;
    usize::try_from(page.unwrap().total).unwrap()
}

#[expect(
    clippy::print_stderr,
    reason = "the seed must be seen to be used again"
)]
fn report(engine: store::Engine, kills: u32, submits: usize) {
    eprintln!(
        "seed {SEED}: {kills} kills on {engine:?}, {submits} acknowledged submits, none lost, none twice"
    );
}

#[test]
fn killed_two_hundred_times_no_acknowledged_submit_is_lost_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("kill.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let db = open(&url, folder.path()).await;
        db.migrate(&migrations()).await.unwrap();
        two_hundred_kills(&db, folder.path(), &url).await;
        db.close().await.unwrap();
    });
}

#[test]
fn killed_two_hundred_times_no_acknowledged_submit_is_lost_on_postgres() {
    let Some(admin) = fixtures::admin_url() else {
        eprintln!("skipped: TEST_POSTGRES not set");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let fresh = fixtures::fresh(&admin).await.unwrap();
        let db = open(&fresh.url, folder.path()).await;
        db.migrate(&migrations()).await.unwrap();
        let (url, place) = (fresh.url.clone(), folder.path().to_owned());
        let ended = tokio::spawn(async move {
            two_hundred_kills(&db, &place, &url).await;
            db.close().await.unwrap();
        });
        let ended = ended.await;
        fixtures::remove(&admin, &fresh.name).await.unwrap();
        ended.unwrap();
    });
}
