//! Snapshots of the register (登记库快照), on both databases.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use access::Scope;
use batch::leads::take_in;
use batch::sweep::Doubts;
use batch::{Finding, FindingKind, Folder, Manifest, Snapshot, Sweep};
use casework::Desk;
use casework::lead::{self, LeadFilter, LeadSort, LeadState};
use chrono::{NaiveDate, TimeDelta};
use registry::bulk::{BulkHousehold, BulkMember};
use registry::facts::Subject;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, TestClock};
use vocab::ids::{DecisionId, HouseholdId, PersonId};
use vocab::{DatedFact, Document, DocumentKind, Kinship, Money, Month, Period, Region, Sex, Value};

fn desk() -> Desk {
    let packs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs"));
    Desk::load(packs, "baoan").unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn district(desk: &Desk) -> Scope {
    Scope::system(desk.book.place().division)
}

/// Somebody of a birth day, told apart by a number.
fn member(number: u32, born: &str, community: Region) -> BulkMember {
    let born = day(born);
    let body = format!("990101{}{number:03}", born.format("%Y%m%d"));
    let check = vocab::id_number::check_digit(&body).unwrap();
    let document = Document::read(
        DocumentKind::ResidentId,
        &format!("{body}{check}"),
        day("2026-06-01"),
    )
    .unwrap();
    BulkMember {
        name: format!("张{number}"),
        document,
        sex: Sex::Female,
        birth_date: Some(born),
        phone: Some("13800138000".to_owned()),
        hukou: Some(community),
        kinship: Kinship::head(),
        account: None,
        facts: vec![(
            "deposits".to_owned(),
            DatedFact {
                source: "银行".to_owned(),
                ..DatedFact::plain(Value::Int(1_000 * i64::from(number)))
            },
        )],
    }
}

async fn load(db: &Db, desk: &Desk, count: u32) -> Vec<(HouseholdId, PersonId)> {
    let communities: Vec<Region> = desk
        .book
        .place()
        .regions
        .iter()
        .map(|place| place.code)
        .filter(|code| code.level() == vocab::region::Level::Community)
        .take(3)
        .collect();
    let households = (1..=count).map(|number| {
        let community = communities[usize::try_from(number).unwrap() % communities.len()];
        BulkHousehold {
            roster_number: None,
            region: community,
            address: "海裕社区 3 栋 401".to_owned(),
            since: day("2020-01-01"),
            members: vec![member(
                number,
                if number % 2 == 0 {
                    "1944-03-15"
                } else {
                    "1990-06-20"
                },
                community,
            )],
            facts: Vec::new(),
        }
    });
    let scope = district(desk);
    registry::bulk::load(db, &scope, households, |_| {})
        .await
        .unwrap();
    let mut found = Vec::new();
    for (id, _) in registry::households::list_ids(db, &scope, None, 10_000)
        .await
        .unwrap()
    {
        let sheet = registry::fact_sheet(db, &scope, id, None, db.today())
            .await
            .unwrap()
            .unwrap();
        found.push((id, sheet.member_keys[0].parse().unwrap()));
    }
    found
}

async fn told(db: &Db, desk: &Desk, person: PersonId, fact: &str, value: Value, period: Period) {
    let mut tx = db.begin().await.unwrap();
    let given = DatedFact {
        period,
        source: "银行".to_owned(),
        ..DatedFact::plain(value)
    };
    registry::record_fact(
        &mut tx,
        &district(desk),
        Subject::Person(person),
        fact,
        given,
    )
    .await
    .unwrap()
    .unwrap();
    tx.commit().await.unwrap();
}

fn snapshot<'a>(desk: &'a Desk, as_of: &str) -> Snapshot<'a> {
    Snapshot {
        desk,
        as_of: day(as_of),
        known_at: None,
        part: Some(4),
    }
}

fn folder(at: &Path, name: &str) -> Folder {
    Folder::on_disk(&at.join(name)).unwrap()
}

/// What a sweep finds, whatever the parts are.
async fn swept(
    desk: &Desk,
    folder: &Folder,
    manifest: &Manifest,
) -> (Vec<Finding>, BTreeMap<String, u64>) {
    let sweep = Sweep {
        book: Arc::clone(&desk.book),
        as_of: manifest.as_of,
        programmes: None,
        doubts: Doubts::Paid,
        workers: 2,
    };
    let swept = sweep
        .run(folder, &AtomicBool::new(false), |_| {})
        .await
        .unwrap();
    assert!(swept.whole);
    assert_eq!(
        (swept.households, swept.people),
        (manifest.households, manifest.people)
    );
    let mut all = Vec::new();
    for part in manifest.parts.iter().filter(|part| part.rows > 0) {
        all.extend(batch::finding::read(folder.need(&part.findings()).await.unwrap()).unwrap());
    }
    all.sort();
    let met = swept
        .tally
        .outcomes
        .into_iter()
        .map(|(id, counted)| (id, counted.met))
        .collect();
    (all, met)
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn what_changed_added_later_is_the_same_as_everything_anew(db: Db, clock: Arc<TestClock>, at: PathBuf) {
        let desk = desk();
        let people = load(&db, &desk, 11).await;
        clock.advance(TimeDelta::hours(1));
        let growing = folder(&at, "growing");
        let first = snapshot(&desk, "2026-06-01").whole(&db, &growing, &mut |_| {}).await.unwrap();
        assert_eq!((first.households, first.people, first.parts.len()), (11, 11, 3));
        for night in 1..=3_i64 {
            clock.advance(TimeDelta::days(1));
            let today = db.today().to_string();
            let (_, person) = people[usize::try_from(night).unwrap()];
            told(&db, &desk, person, "deposits", Value::Int(night), Period::ALWAYS).await;
            if night == 2 {
                // Dies; and one household ends: its only member leaves it.
                let mut tx = db.begin().await.unwrap();
                registry::people::record_death(&mut tx, &district(&desk), people[7].1, day("2026-06-02"), "公安").await.unwrap().unwrap();
                registry::households::leave(&mut tx, &district(&desk), people[8].0, people[8].1, db.today(), "迁出").await.unwrap().unwrap();
                tx.commit().await.unwrap();
            }
            if night == 3 {
                pay(&db, &desk, people[2], "old_age_allowance", Money::from_fen(12_345)).await;
            }
            let later = snapshot(&desk, &today).later(&db, &growing, &mut |_| {}).await.unwrap();
            let anew = folder(&at, &format!("anew{night}"));
            let whole = snapshot(&desk, &today).whole(&db, &anew, &mut |_| {}).await.unwrap();
            assert_eq!((later.households, later.people), (whole.households, whole.people), "night {night}");
            assert!(later.parts.last().unwrap().rows < 6, "only what changed is written");
            assert_eq!(swept(&desk, &growing, &later).await, swept(&desk, &anew, &whole).await, "night {night}");
        }
    }

    async fn a_past_day_and_moment_come_back_as_they_were(db: Db, clock: Arc<TestClock>, at: PathBuf) {
        let desk = desk();
        let people = load(&db, &desk, 5).await;
        let then = db.now();
        let before = folder(&at, "before");
        let old = snapshot(&desk, "2026-06-01").whole(&db, &before, &mut |_| {}).await.unwrap();
        let was = swept(&desk, &before, &old).await;
        clock.advance(TimeDelta::days(40));
        for (_, person) in &people {
            told(&db, &desk, *person, "deposits", Value::Int(9_900_000_000), Period::ALWAYS).await;
        }
        let again = folder(&at, "again");
        let past = Snapshot { known_at: Some(then), ..snapshot(&desk, "2026-06-01") };
        let manifest = past.whole(&db, &again, &mut |_| {}).await.unwrap();
        assert_eq!(swept(&desk, &again, &manifest).await, was);
        for (part, earlier) in manifest.parts.iter().zip(&old.parts) {
            assert_eq!(part.sm3, earlier.sm3);
        }
    }

    async fn nothing_that_names_a_person_is_written(db: Db, _clock: Arc<TestClock>, at: PathBuf) {
        let desk = desk();
        let people = load(&db, &desk, 6).await;
        // Typed where a code of a place belongs: a name and a phone number.
        told(&db, &desk, people[0].1, "legal_region", Value::Text("张三 13800138000".to_owned()), Period::ALWAYS).await;
        let written = folder(&at, "written");
        snapshot(&desk, "2026-06-01").whole(&db, &written, &mut |_| {}).await.unwrap();
        for file in written.list().await.unwrap() {
            let bytes = written.need(&file).await.unwrap();
            for secret in ["张", "13800138000", "990101", "海裕", &people[0].1.to_string(), &people[0].0.to_string()] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} stands in {file}");
            }
            let raw = people[0].1.0.as_bytes();
            assert!(!bytes.windows(raw.len()).any(|window| window == raw), "an identifier stands in {file}");
        }
    }

    async fn due_and_paid_are_told_apart(db: Db, _clock: Arc<TestClock>, at: PathBuf) {
        let desk = desk();
        let people = load(&db, &desk, 4).await;
        let there = folder(&at, "paid");
        // Born 1944-03-15: 82 years old on 2026-06-01. Born 1990: not old.
        let (mut old, mut young) = (Vec::new(), Vec::new());
        for pair in &people {
            let sheet = registry::fact_sheet(&db, &district(&desk), pair.0, None, db.today()).await.unwrap().unwrap();
            match sheet.members[0]["birth_date"][0].value {
                Value::Date(born) if born < day("1950-01-01") => old.push(*pair),
                _ => young.push(*pair),
            }
        }
        pay(&db, &desk, old[0], "old_age_allowance", Money::from_fen(12_345)).await;
        pay(&db, &desk, young[0], "old_age_allowance", Money::from_fen(20_000)).await;
        let manifest = snapshot(&desk, "2026-06-01").whole(&db, &there, &mut |_| {}).await.unwrap();
        let (found, _) = swept(&desk, &there, &manifest).await;
        let number = |id: HouseholdId| registry::leaving::pseudonym(db.keys(), id.0);
        let of = |pair: &(HouseholdId, PersonId)| {
            found
                .iter()
                .filter(|one| one.household == number(pair.0) && one.programme == "old_age_allowance")
                .map(|one| (one.kind, one.paid))
                .collect::<Vec<_>>()
        };
        leads_follow_findings(&db, &desk, &there, young[0].0).await;
        assert_eq!(of(&young[0]), [(FindingKind::NotDue, 20_000)]);
        assert_eq!(of(&young[1]), []);
        assert!(matches!(of(&old[0]).as_slice(), [(FindingKind::Differs | FindingKind::PaidToVerify, 12_345)]), "{:?}", of(&old[0]));
    }
}

async fn pay(db: &Db, desk: &Desk, pair: (HouseholdId, PersonId), programme: &str, amount: Money) {
    let mut tx = db.begin().await.unwrap();
    let new = ledger::NewEntitlement {
        decision: DecisionId(tx.new_id()),
        programme: programme.to_owned(),
        payee: pair.1,
        household: None,
        region: desk.book.place().division,
        amount,
        covered: vec![pair.1],
        from: Month::new(2026, 6).unwrap(),
        until: None,
        excludes: Vec::new(),
        part: String::new(),
    };
    ledger::entitle(&mut tx, &district(desk), &new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

async fn leads_follow_findings(db: &Db, desk: &Desk, folder: &Folder, paid: HouseholdId) {
    let scope = district(desk);
    let kinds = [FindingKind::Due, FindingKind::NotDue, FindingKind::Differs];
    let all = LeadFilter::default();
    let first = take_in(db, &scope, folder, &kinds, |_, _| {})
        .await
        .unwrap();
    assert!(
        first.new > 0 && (first.again, first.settled, first.lost) == (0, 0, 0),
        "{first:?}"
    );
    let second = take_in(db, &scope, folder, &kinds, |_, _| {})
        .await
        .unwrap();
    assert_eq!((second.new, second.again), (0, first.new));
    let sorted = (LeadSort::Place, false);
    let found = lead::list(db, &scope, &all, sorted, 0, 100).await.unwrap();
    assert_eq!(found.total, first.new);
    let funnel = lead::funnel(db, &scope, &all).await.unwrap();
    assert_eq!(funnel[&LeadState::Found], first.new);
    let one = found.rows.iter().find(|one| one.household == paid).unwrap();
    assert!(one.person.is_some() && one.kind == FindingKind::NotDue && one.paid.fen() == 20_000);
    assert!(one.source == lead::Source::Sweep && one.subject.contains('*'));
    let elsewhere = found
        .rows
        .iter()
        .map(|one| one.region)
        .find(|region| *region != one.region);
    let elsewhere = Scope::system(elsewhere.unwrap());
    assert!(
        lead::view(db, &elsewhere, desk, one.id)
            .await
            .unwrap()
            .is_none()
    );
    let mut tx = db.begin().await.unwrap();
    let rightly = Some(lead::DismissReason::PaidRightly);
    lead::dismiss(&mut tx, &scope, one.id, rightly, "已核对")
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    // The same is found again: what was dismissed stays so, nobody is sent twice.
    let third = take_in(db, &scope, folder, &kinds, |_, _| {})
        .await
        .unwrap();
    assert_eq!((third.new, third.settled), (0, 0));
    // Nothing is looked for any more: nothing is settled either, because nobody looked.
    let nothing = take_in(db, &scope, folder, &[], |_, _| {}).await.unwrap();
    assert_eq!(nothing.settled, 0);
    let funnel = lead::funnel(db, &scope, &all).await.unwrap();
    assert_eq!(
        (funnel[&LeadState::Dismissed], funnel[&LeadState::Found]),
        (1, first.new - 1)
    );
    // Looked for and not found any more: what is open is settled.
    let none = std::collections::BTreeSet::new();
    let settled = lead::settle(db, &scope, &kinds, &none, db.today())
        .await
        .unwrap();
    assert_eq!(settled, first.new - 1);
}
