//! One rule, whatever runs it (同一条规则): the hint beside a form, a case, a sweep, a simulation and, with the feature `cluster`, a
//! sweep and a simulation on executors say the same of random households, to the fen, under every pack.
//!
//! The households are worked cases of the pack, altered: people of other cases move in, and facts are taken from other cases, left
//! out, or said twice. So values are such as rules look at, in combinations nobody thought of.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

#[path = "crowd/people.rs"]
mod crowd;

use batch::simulate::{Reform, Simulation};
use batch::sweep::Doubts;
use batch::{FindingKind, Folder, Place, Sweep};
use chrono::NaiveDate;
use crowd::{community, home, packs, person, written};
use policy::{Ask, Book, Change, Determination, Every, Kind, Outcome, Setting, Unit};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vocab::{FactSheet, Record, Region};

const PLACES: [&str; 6] = ["baoan", "futian", "ningguo", "sample", "taicang", "xicheng"];
/// Households a pack.
const HOMES: usize = 160;
/// Households a part, so that a run has several.
const A_PART: usize = 45;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, 15).unwrap()
}

/// A record with a few of its facts changed: taken from another that has it, left out, or said twice; and a fact more.
fn mixed(random: &mut StdRng, one: &Record, pool: &[&Record]) -> Record {
    let mut mixed = Record::new();
    let other = pool.choose(random).unwrap();
    for (fact, rows) in one.iter().chain(other.iter().take(1)) {
        let elsewhere = pool
            .choose_multiple(random, 8)
            .find_map(|record| record.get(fact));
        let rows = match (random.random_range(0..24), elsewhere) {
            (0, _) => continue,
            (1..=3, Some(other)) => other.clone(),
            (4, Some(other)) => rows.iter().chain(other).cloned().collect(),
            _ => rows.clone(),
        };
        mixed.insert(fact.clone(), rows);
    }
    mixed
}

fn homes(book: &Book, seed: u64) -> Vec<FactSheet> {
    let mut random = StdRng::seed_from_u64(seed);
    let cases: Vec<&FactSheet> = book
        .programmes()
        .iter()
        .filter(|programme| programme.to != Unit::Organisation)
        .flat_map(|programme| book.cases(&programme.id))
        .map(|case| &case.sheet)
        .collect();
    let of_homes: Vec<&Record> = cases.iter().map(|sheet| &sheet.household).collect();
    let of_people: Vec<&Record> = cases.iter().flat_map(|sheet| &sheet.members).collect();
    (0..HOMES)
        .map(|_| {
            let case = cases.choose(&mut random).unwrap();
            let mut people: Vec<&Record> = case.members.iter().collect();
            for _ in 0..random.random_range(0..3) {
                people.push(of_people.choose(&mut random).unwrap());
            }
            let members = people.into_iter();
            FactSheet {
                household: mixed(&mut random, &case.household, &of_homes),
                members: members
                    .map(|one| mixed(&mut random, one, &of_people))
                    .collect(),
                member_keys: Vec::new(),
            }
        })
        .collect()
}

/// What is due: household, person, programme and fen a month.
type Due = BTreeSet<(i64, Option<i64>, String, i64)>;
/// Outcomes of a programme: met, not met, to verify, and the fen of those met.
type Counts = BTreeMap<String, (u64, u64, u64, i64)>;

/// What the single answers come to.
fn added_up(answers: &[Vec<Determination>]) -> (Due, Counts) {
    let (mut due, mut counts) = (Due::new(), Counts::new());
    for (at, said) in answers.iter().enumerate() {
        for one in said {
            let fen = one.amount.map_or(0, |amount| amount.fen());
            let counted = counts.entry(one.programme.clone()).or_default();
            match one.outcome {
                Outcome::Met => {
                    counted.0 += 1;
                    counted.3 += fen;
                    if one.every == Every::Month {
                        let who = one.member.map(|member| person(at, member));
                        due.insert((home(at), who, one.programme.clone(), fen));
                    }
                }
                Outcome::NotMet => counted.1 += 1,
                Outcome::ToVerify => counted.2 += 1,
            }
        }
    }
    (due, counts)
}

async fn swept(place: &Place, book: &Arc<Book>, folder: &Folder) -> (Due, Counts) {
    let sweep = Sweep {
        book: Arc::clone(book),
        as_of: day(),
        programmes: None,
        doubts: Doubts::All,
        workers: 2,
    };
    let stop = AtomicBool::new(false);
    let found = sweep.run_at(place, folder, &stop, |_| {}).await.unwrap();
    let mut due = Due::new();
    for file in folder.list().await.unwrap() {
        if !file.starts_with("findings-") || !file.ends_with(".parquet") {
            continue;
        }
        for one in batch::finding::read(folder.need(&file).await.unwrap()).unwrap() {
            if one.kind == FindingKind::Due {
                due.insert((one.household, one.person, one.programme, one.due));
            }
        }
    }
    let counts = found
        .tally
        .outcomes
        .into_iter()
        .map(|(programme, counted)| {
            let numbers = (counted.met, counted.not_met, counted.to_verify, counted.fen);
            (programme, numbers)
        })
        .collect();
    (due, counts)
}

/// Twice an amount of the pack: the first that changes what any of these households gets a month, else the last; and whether it
/// does. Some packs publish no amounts.
fn reform(
    book: &Book,
    sheets: &[FactSheet],
    community: Region,
    now: &[Vec<Determination>],
) -> (Reform, bool) {
    let twice = |setting: &Setting| match setting {
        Setting::Single(fen) => Setting::Single(fen * 2),
        Setting::Steps(steps) => {
            let doubled = steps.iter().map(|(at, fen)| (*at, fen * 2));
            Setting::Steps(doubled.collect())
        }
        Setting::Codes(codes) => {
            let doubled = codes.iter().map(|(code, fen)| (code.clone(), fen * 2));
            Setting::Codes(doubled.collect())
        }
    };
    let changes = book
        .programmes()
        .iter()
        .filter(|programme| programme.to != Unit::Organisation)
        .flat_map(|programme| &programme.parameters)
        .filter(|parameter| matches!(parameter.kind, Kind::MoneyPerMonth | Kind::Money))
        .filter_map(|parameter| {
            let value = parameter.values.iter().rfind(|value| {
                value.from <= day() && value.region.is_none() && value.until.is_none()
            })?;
            Some(Change {
                parameter: format!("{}.{}", parameter.folder, parameter.id),
                value: twice(&value.value),
                from: day(),
            })
        });
    let named = |change: Change| Reform {
        name: "双倍".into(),
        changes: vec![change],
    };
    let given: BTreeSet<&String> = now
        .iter()
        .flatten()
        .filter(|one| one.every == Every::Month && one.outcome == Outcome::Met)
        .map(|one| &one.programme)
        .collect();
    let mut last = None;
    for change in changes {
        let touched = book.programmes_resting_on(&[change.parameter.as_str()]);
        let Ok(changed) = book.reformed(std::slice::from_ref(&change)) else {
            continue;
        };
        if !touched.iter().any(|one| given.contains(one)) {
            last = Some(change);
            continue;
        }
        let then = answers(&changed, sheets, community, Some(&touched));
        let (was, is, ..) = compared(&touched, now, &then);
        if was != is {
            return (named(change), true);
        }
        last = Some(change);
    }
    (named(last.unwrap()), false)
}

/// A month's and a year's money on both sides, of the homes known on both, and how many become to verify or cease to.
type Compared = (i64, i64, u64, u64);

/// What two sets of single answers say of the programmes asked about.
fn compared(
    programmes: &[String],
    was: &[Vec<Determination>],
    is: &[Vec<Determination>],
) -> Compared {
    let asked = |one: &&Determination| programmes.contains(&one.programme);
    let doubts = |said: &[Determination]| -> BTreeSet<(String, Option<usize>)> {
        said.iter()
            .filter(asked)
            .filter(|one| one.outcome == Outcome::ToVerify)
            .map(|one| (one.programme.clone(), one.member))
            .collect()
    };
    let month = |said: &[Determination]| -> i64 {
        said.iter()
            .filter(asked)
            .filter(|one| one.every == Every::Month && one.outcome == Outcome::Met)
            .map(|one| one.amount.map_or(0, |amount| amount.fen()))
            .sum()
    };
    let mut all = (0, 0, 0, 0);
    for (was, is) in was.iter().zip(is) {
        let (before, after) = (doubts(was), doubts(is));
        if after.difference(&before).next().is_some() {
            all.2 += 1;
        } else if before.difference(&after).next().is_some() {
            all.3 += 1;
        } else {
            all.0 += month(was);
            all.1 += month(is);
        }
    }
    all
}

async fn simulated(place: &Place, simulation: &Simulation, folder: &Folder) -> Vec<Compared> {
    let stop = AtomicBool::new(false);
    let found = simulation
        .run_at(place, folder, &stop, |_, _| {})
        .await
        .unwrap();
    found
        .effects
        .iter()
        .map(|(_, effect)| {
            let all = &effect.all;
            let moved = (all.unsettled.households, all.settled.households);
            (all.before, all.after, moved.0, moved.1)
        })
        .collect()
}

/// Every programme for people, or some of them, for each household.
fn answers(
    book: &Book,
    sheets: &[FactSheet],
    community: Region,
    programmes: Option<&[String]>,
) -> Vec<Vec<Determination>> {
    let ask = Ask {
        region: Some(community),
        programmes: programmes.map(<[String]>::to_vec),
        ..Ask::on(day())
    };
    let for_people = |one: &Determination| one.unit != Unit::Organisation;
    sheets
        .iter()
        .map(|sheet| {
            let said = book.evaluate(sheet, &ask);
            said.into_iter().filter(for_people).collect()
        })
        .collect()
}

/// How many were due something, how many outcomes are to be verified, and whether the reform moved money.
async fn says_the_same(name: &str, seed: u64, cluster: &Place) -> (usize, u64, bool) {
    let book = Arc::new(Book::load(packs(), name).unwrap());
    let sheets = homes(&book, seed);
    let community = community(&book);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::on_disk(place.path()).unwrap();
    written(&book, &sheets, day(), &folder, A_PART).await;

    // The hint beside a form asks everything at once, a case one programme with what it reads.
    let hints = answers(&book, &sheets, community, None);
    for (sheet, said) in sheets.iter().zip(&hints) {
        for one in said.iter().step_by(7) {
            let ask = Ask {
                region: Some(community),
                programmes: Some(vec![one.programme.clone()]),
                ..Ask::on(day())
            };
            let excerpt = book.excerpt(&one.programme, sheet);
            let case = book.evaluate(&excerpt, &ask);
            assert!(case.contains(one), "{name} {seed}: {case:#?}\n{one:#?}");
        }
    }

    let expected = added_up(&hints);
    let here = swept(&Place::Here, &book, &folder).await;
    // What nobody meets and nobody doubts may be left out of a tally.
    assert_eq!(here.0, expected.0, "{name} {seed}");
    for (programme, counted) in &expected.1 {
        assert_eq!(
            here.1.get(programme),
            Some(counted),
            "{name} {seed} {programme}"
        );
    }

    let (reform, moves) = reform(&book, &sheets, community, &hints);
    let changed = book.reformed(&reform.changes).unwrap();
    let touched = book.programmes_resting_on(&[reform.changes[0].parameter.as_str()]);
    let after = answers(&changed, &sheets, community, Some(&touched));
    let wanted = compared(&touched, &hints, &after);
    assert_eq!(wanted.0 != wanted.1, moves, "{name} {seed}: {reform:?}");
    let simulation =
        Simulation::new(Arc::clone(&book), day(), std::slice::from_ref(&reform)).unwrap();
    assert_eq!(
        simulated(&Place::Here, &simulation, &folder).await,
        [wanted],
        "{name} {seed}"
    );

    if !matches!(cluster, Place::Here) {
        let far = tempfile::tempdir().unwrap();
        let far = Folder::on_disk(far.path()).unwrap();
        written(&book, &sheets, day(), &far, A_PART).await;
        assert_eq!(swept(cluster, &book, &far).await, here, "{name} {seed}");
        assert_eq!(
            simulated(cluster, &simulation, &far).await,
            [wanted],
            "{name} {seed}"
        );
    }
    let doubts = expected.1.values().map(|counted| counted.2).sum();
    (expected.0.len(), doubts, moves)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_a_case_a_sweep_and_a_simulation_say_the_same_of_random_households() {
    let mut all = (0, 0, 0);
    for (name, seed) in PLACES.into_iter().zip(1..) {
        let found = says_the_same(name, seed, &Place::Here).await;
        all = (
            all.0 + found.0,
            all.1 + found.1,
            all.2 + usize::from(found.2),
        );
    }
    // Not everything is unknown, and not everything is known.
    assert!(all.0 > 150 && all.1 > 500 && all.2 >= 3, "{all:?}");
}

/// Rules edited as a draft would: an edition of its own, no reform.
fn edition(folder: &Path, name: &str, file: &str, change: impl Fn(&str) -> String) -> Book {
    fixtures::copy(packs(), folder).unwrap();
    let file = folder.join(file);
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "{} was not changed", file.display());
    std::fs::write(&file, changed).unwrap();
    Book::load(folder, name).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

const RULES: &str = "national/old_age_allowance/rules.toml";

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_edition_is_tried_beside_the_rules_in_force() {
    let book = Arc::new(Book::load(packs(), "sample").unwrap());
    // Fifteen years later: another formula, not another value.
    let later = tempfile::tempdir().unwrap();
    let stricter = edition(later.path(), "sample", RULES, |text| {
        let old = r#"test = "age_years >= old_age_start_age""#;
        text.replace(old, r#"test = "age_years >= old_age_start_age + 15""#)
    });
    // A remark decides nobody.
    let remarked = tempfile::tempdir().unwrap();
    let remarked = edition(remarked.path(), "sample", RULES, |text| {
        format!("# 说明。\n{text}")
    });
    assert_eq!(
        policy::differing::differing(&book, &remarked),
        BTreeSet::new()
    );
    assert!(!book.is_written_as(&remarked));
    let touched: Vec<String> = policy::differing::differing(&book, &stricter)
        .into_iter()
        .collect();
    // Two others read its parameters, which are as they were.
    let readers = policy::readers::readers(&book, "old_age_allowance");
    assert_eq!(touched, ["old_age_allowance"]);
    assert!(
        readers.len() > 1 && readers.contains(&touched[0]),
        "{readers:?}"
    );

    let sheets = homes(&book, 77);
    let community = community(&book);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::on_disk(place.path()).unwrap();
    written(&book, &sheets, day(), &folder, A_PART).await;
    let now = answers(&book, &sheets, community, None);
    let (reform, _) = reform(&book, &sheets, community, &now);
    let changed = book.reformed(&reform.changes).unwrap();
    // A reform, the candidate and the remark side by side, all on the programmes any of them touches.
    let candidates = vec![
        ("更严".to_owned(), Arc::new(stricter.clone())),
        ("说明".to_owned(), Arc::new(remarked)),
    ];
    let simulation = Simulation::new(Arc::clone(&book), day(), std::slice::from_ref(&reform))
        .unwrap()
        .beside(candidates);
    let mut all = book.programmes_resting_on(&[reform.changes[0].parameter.as_str()]);
    all.extend(touched);
    let wanted = [&changed, &stricter, &*book].map(|other| {
        let then = answers(other, &sheets, community, None);
        compared(&all, &now, &then)
    });
    assert!(wanted[1].1 < wanted[1].0, "fewer get it: {wanted:?}");
    assert_eq!((wanted[2].0, wanted[2].2, wanted[2].3), (wanted[2].1, 0, 0));
    assert_eq!(simulated(&Place::Here, &simulation, &folder).await, wanted);
}

/// Two ports, one after the other, on which nobody listens.
#[cfg(feature = "cluster")]
fn ports() -> std::net::SocketAddr {
    use std::net::TcpListener;
    for _ in 0..100 {
        let one = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let at = one.local_addr().unwrap();
        if at.port() < u16::MAX && TcpListener::bind(("127.0.0.1", at.port() + 1)).is_ok() {
            return at;
        }
    }
    panic!("no two free ports in a row");
}

/// A scheduler and an executor in this process; what several processes do is in the test of the program.
#[cfg(feature = "cluster")]
#[tokio::test(flavor = "multi_thread")]
async fn executors_say_the_same_of_random_households() {
    use batch::cluster::{Cluster, ExecutorAt, SchedulerAt, run_executor, run_scheduler};
    for (name, seed) in [("baoan", 11), ("sample", 12)] {
        let scheduler = ports();
        let at = SchedulerAt {
            listen: scheduler,
            known_as: "127.0.0.1".into(),
            dead_after: 60,
        };
        let scheduling = tokio::spawn(run_scheduler(at));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let work = tempfile::tempdir().unwrap();
        let at = ExecutorAt {
            scheduler: scheduler.to_string(),
            listen: ports(),
            known_as: Some("127.0.0.1".into()),
            threads: 2,
            work: work.path().to_owned(),
        };
        let book = Arc::new(Book::load(packs(), name).unwrap());
        let executing = tokio::spawn(run_executor(at, book));
        let place = Place::Cluster(Cluster::at(&scheduler.to_string()).unwrap());
        let found = says_the_same(name, seed, &place).await;
        assert!(found.0 > 10 && found.1 > 10, "{name}: {found:?}");
        executing.abort();
        scheduling.abort();
    }
}
