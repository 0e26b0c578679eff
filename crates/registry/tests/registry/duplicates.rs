//! Duplicates and merges (重复登记与合并): found at registration and at night, judged once, merged, and taken back to the letter.
//!
//! Probabilities are not checked to the digit here; `linkage` does that. What is checked is what an officer may rely on.

use crate::ground::{
    EAST, WEST, day, district, journalled, kin, new_person, officer_of, region, with_places,
};
use access::{Actor, Role, Scope};
use registry::duplicates::{self, Band, PairFilter, PairState, Said};
use registry::households::NewHousehold;
use registry::identities::Ground;
use registry::merging::{self, Choices, NewMerge, Refused, Side};
use registry::people::{NewPerson, Query};
use registry::{Subject, record_fact};
use std::sync::Arc;
use store::{Db, TestClock};
use vocab::ids::{HouseholdId, OfficerId, PersonId};
use vocab::{DatedFact, Document, DocumentKind, Value};

/// Somebody known by passport, so that a slip of the pen is not found out by a check digit.
fn foreigner(name: &str, passport: &str, lives_in: &str) -> NewPerson {
    let document = Document::read(DocumentKind::Passport, passport, day("2026-06-01")).unwrap();
    NewPerson {
        document,
        sex: vocab::Sex::Female,
        birth_date: Some(day("1985-03-12")),
        phone: Some("13812345678".to_owned()),
        address: "前进路12号301室".to_owned(),
        ..new_person(name, "99010119850312002", lives_in)
    }
}

async fn register(db: &Db, scope: &Scope, new: NewPerson) -> PersonId {
    let mut tx = db.begin().await.unwrap();
    let id = registry::register_person(&mut tx, scope, new)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id.unwrap()
}

async fn alike(db: &Db, scope: &Scope, new: &NewPerson) -> duplicates::Alike {
    let mut tx = db.begin().await.unwrap();
    let alike = duplicates::alike(&mut tx, scope, new).await.unwrap();
    tx.commit().await.unwrap();
    alike
}

async fn keep(db: &Db, scope: &Scope, id: PersonId, said: &[(PersonId, Said)]) {
    let mut tx = db.begin().await.unwrap();
    duplicates::keep_said(&mut tx, scope, id, said)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn second_officer() -> Scope {
    let officer = OfficerId(uuid::Uuid::from_u128(8));
    let actor = Actor::officer(
        officer,
        "李街道",
        vec![(Role::StreetReviewer, region("990101"))],
    );
    Scope {
        actor,
        ..district()
    }
}

fn open() -> PairFilter {
    PairFilter {
        states: vec![PairState::Open],
        ..PairFilter::default()
    }
}

async fn listed(db: &Db, scope: &Scope, filter: &PairFilter) -> Vec<duplicates::PairRow> {
    duplicates::list(db, scope, filter, 0, 50)
        .await
        .unwrap()
        .rows
}

fn merge_of(survivor: PersonId, merged: PersonId) -> NewMerge {
    NewMerge {
        survivor,
        merged,
        choices: Choices::default(),
        reason: "本人持两证到场".to_owned(),
        in_payment: false,
    }
}

async fn merged(db: &Db, new: NewMerge) -> uuid::Uuid {
    let mut tx = db.begin().await.unwrap();
    let id = merging::prepare(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    merging::decide(&mut tx, &second_officer(), id, false)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn unmerged(db: &Db, id: uuid::Uuid, since: Side) {
    let mut tx = db.begin().await.unwrap();
    merging::undo(&mut tx, &second_officer(), id, "核实为两个人", since)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

async fn fact(db: &Db, subject: PersonId, name: &str, value: i64) {
    let mut tx = db.begin().await.unwrap();
    let given = DatedFact {
        source: "社保".to_owned(),
        ..DatedFact::plain(Value::Int(value))
    };
    record_fact(&mut tx, &district(), Subject::Person(subject), name, given)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

async fn household(db: &Db, head: PersonId, members: &[PersonId]) -> HouseholdId {
    let mut tx = db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(EAST),
        address: "前进路12号".to_owned(),
        head,
        members: members.iter().map(|id| (*id, kin("20"))).collect(),
        since: Some(day("2026-01-10")),
        roster_number: None,
    };
    let id = registry::form_household(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

/// A household at an address.
async fn home(
    db: &Db,
    place: &str,
    address: &str,
    head: PersonId,
    members: &[PersonId],
) -> HouseholdId {
    let mut tx = db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(place),
        address: address.to_owned(),
        head,
        members: members.iter().map(|id| (*id, kin("20"))).collect(),
        since: Some(day("2026-01-10")),
        roster_number: None,
    };
    let id = registry::form_household(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn night(db: &Db) {
    duplicates::nightly(db, &district(), &|_, _| {})
        .await
        .unwrap();
}

/// Households that may be one: members in common, whether their heads are, and whether they stand at one address.
async fn homes(db: &Db, scope: &Scope) -> Vec<(i64, bool, bool)> {
    let found = duplicates::homes(db, scope, 0, 10).await.unwrap();
    assert_eq!(
        duplicates::homes_count(db, scope).await.unwrap(),
        found.total
    );
    let rows = found.rows.into_iter();
    rows.map(|one| (one.members, one.heads, one.at_one_address))
        .collect()
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn two_households_with_two_people_in_common_are_probably_one(db: Db) {
        with_places(&db).await;
        // One couple, twice: once in the east with one pair of passports, once in the west with digits swapped.
        let couple = async |place: &str, passports: [&str; 2]| {
            let one = register(&db, &district(), foreigner("玛丽亚", passports[0], place)).await;
            let other = NewPerson { birth_date: Some(day("1979-08-21")), phone: None, sex: vocab::Sex::Male, ..foreigner("安东尼奥", passports[1], place) };
            (one, register(&db, &district(), other).await)
        };
        let (maria, antonio) = couple(EAST, ["E12345678", "K87654321"]).await;
        home(&db, EAST, "前进路12号", maria, &[antonio]).await;
        let (again, anton) = couple(WEST, ["E12345687", "K87654312"]).await;
        // Only she moved into the second household so far: one person in common, the heads, and two addresses.
        let second = home(&db, WEST, "西街1号", again, &[]).await;
        night(&db).await;
        assert_eq!(listed(&db, &district(), &open()).await.len(), 2, "two pairs of people");
        assert!(homes(&db, &district()).await.is_empty(), "one person in common is two pairs to look at, not one household");
        let mut tx = db.begin().await.unwrap();
        registry::households::join(&mut tx, &district(), second, anton, kin("20"), db.today()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(homes(&db, &district()).await, [(2, true, false)]);
        // Who sees only one of the two sees nothing.
        assert!(homes(&db, &officer_of(EAST)).await.is_empty() && homes(&db, &officer_of(WEST)).await.is_empty());
        let found = duplicates::homes(&db, &district(), 0, 10).await.unwrap().rows.remove(0);
        assert_eq!((found.one.members, found.other.members), (2, 2));
        let pairs = duplicates::pairs_between(&db, &district(), found.other.id, found.one.id).await.unwrap();
        assert_eq!(pairs.len(), 2);

        // Judged to be two people, one of the pairs counts no more, and with it the household goes.
        let mut tx = db.begin().await.unwrap();
        duplicates::decide_different(&mut tx, &district(), pairs[0], "双胞胎兄弟").await.unwrap().unwrap();
        assert_eq!(duplicates::homes_count(&tx, &district()).await.unwrap(), 0);
        tx.rollback().await.unwrap();

        // Judged to be two households, they are not asked about again; the people still are.
        let both = (found.other.id, found.one.id);
        let mut tx = db.begin().await.unwrap();
        let short = duplicates::homes_different(&mut tx, &district(), both, "否").await.unwrap();
        assert_eq!(short, Err(duplicates::HomesRefused::ReasonMissing));
        let outside = duplicates::homes_different(&mut tx, &officer_of(EAST), both, "兄弟两家").await.unwrap();
        assert_eq!(outside, Err(duplicates::HomesRefused::NotFound));
        duplicates::homes_different(&mut tx, &district(), both, "兄弟两家").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(homes(&db, &district()).await.is_empty());
        assert_eq!(listed(&db, &district(), &open()).await.len(), 2);
        assert!(journalled(&db).await.contains(&"duplicate.homes_different".to_owned()));
        let mut tx = db.begin().await.unwrap();
        let twice = duplicates::homes_different(&mut tx, &district(), both, "兄弟两家").await.unwrap();
        assert_eq!(twice, Err(duplicates::HomesRefused::NotFound));
    }

    async fn two_heads_at_one_address_are_probably_one_household(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let again = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        home(&db, EAST, "前进路12号", one, &[]).await;
        home(&db, EAST, "前进路12号", again, &[]).await;
        night(&db).await;
        assert_eq!(homes(&db, &district()).await, [(1, true, true)]);
    }

    async fn whoever_registers_somebody_twice_is_told_why_it_may_be_one_person(db: Db) {
        with_places(&db).await;
        let known = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        // Two digits of the passport swapped.
        let again = foreigner("玛丽亚", "E12345687", EAST);
        let found = alike(&db, &officer_of(EAST), &again).await;
        assert_eq!(found.here.len(), 1);
        let first = &found.here[0];
        assert_eq!((first.person.id, first.band), (known, Band::Likely));
        let level = |field: &str| {
            let reason = first.reasons.iter().find(|reason| reason.field == field);
            reason.map(|reason| reason.level.as_str())
        };
        assert_eq!(level("姓名"), Some("相同"));
        assert_eq!(level("证件号码"), Some("错一位或相邻两位颠倒"));
        assert_eq!(level("住址"), Some("相同"));
        assert!(first.reasons.iter().all(|reason| reason.speaks_for), "{:?}", first.reasons);
        assert!(journalled(&db).await.contains(&"person.alike".to_owned()));
        let stranger = NewPerson {
            phone: None,
            address: "解放路8号".to_owned(),
            ..new_person("周建国", "99010119500101001", EAST)
        };
        assert_eq!(alike(&db, &officer_of(EAST), &stranger).await, duplicates::Alike::default());
    }

    async fn another_places_officer_learns_only_that_there_may_be_a_record(db: Db) {
        with_places(&db).await;
        register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let west = officer_of(WEST);
        let again = foreigner("玛丽亚", "E12345687", WEST);
        let found = alike(&db, &west, &again).await;
        assert!(found.here.is_empty() && found.elsewhere);
        let id = register(&db, &west, again).await;
        keep(&db, &west, id, &[]).await;
        // The pair is there for whoever's scope holds both, and for nobody else.
        for (scope, expected) in [(west, 0), (officer_of(EAST), 0), (district(), 1)] {
            assert_eq!(listed(&db, &scope, &PairFilter::default()).await.len(), expected);
            let counts = duplicates::counts(&db, &scope, &PairFilter::default()).await.unwrap();
            assert_eq!(counts.values().sum::<u64>(), expected as u64);
            assert_eq!(duplicates::open_count(&db, &scope).await.unwrap(), expected as u64);
        }
        let pair = listed(&db, &district(), &open()).await.remove(0);
        for scope in [officer_of(WEST), officer_of(EAST)] {
            assert!(duplicates::pair(&db, &scope, pair.id).await.unwrap().is_none());
            let mut tx = db.begin().await.unwrap();
            let refused = merging::prepare(&mut tx, &scope, merge_of(pair.a.id, pair.b.id)).await.unwrap();
            assert_eq!(refused, Err(Refused::NotFound));
        }
    }

    async fn what_was_judged_is_not_asked_again(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let again = foreigner("玛丽亚", "E12345687", EAST);
        let other = register(&db, &district(), again).await;
        keep(&db, &district(), other, &[(one, Said::Different("双胞胎，看过两本护照".to_owned()))]).await;
        assert!(listed(&db, &district(), &open()).await.is_empty());
        for _ in 0..2 {
            let night = duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
            assert_eq!(night.found, 0);
        }
        assert!(listed(&db, &district(), &open()).await.is_empty());
        let pair = duplicates::pair_of(&db, &district(), one, other).await.unwrap().unwrap();
        assert_eq!((pair.state, pair.reason.as_str()), (PairState::Different, "双胞胎，看过两本护照"));
    }

    async fn the_night_compares_whoever_is_new_or_changed_and_nobody_else(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        register(&db, &district(), new_person("周建国", "99010119500101001", WEST)).await;
        let night = duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert_eq!((night.compared, night.found), (3, 1));
        assert_eq!(duplicates::behind(&db, &district()).await.unwrap(), 0);
        let still = duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert_eq!(still, duplicates::Night::default());
        let mut tx = db.begin().await.unwrap();
        registry::people::set_phone(&mut tx, &district(), other, None).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(duplicates::behind(&db, &district()).await.unwrap(), 1);
        let changed = duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert_eq!((changed.written, changed.compared, changed.found), (1, 1, 0));
        assert!(duplicates::pair_of(&db, &district(), one, other).await.unwrap().is_some());
    }

    async fn a_pair_put_off_comes_back_on_its_day(db: Db, clock: Arc<TestClock>) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        let pair = duplicates::pair_of(&db, &district(), one, other).await.unwrap().unwrap();
        let mut tx = db.begin().await.unwrap();
        let refused = duplicates::decide_later(&mut tx, &district(), pair.id, "等本人回乡", day("2026-06-01")).await.unwrap();
        assert_eq!(refused, Err(duplicates::DifferentRefused::DayImpossible));
        duplicates::decide_later(&mut tx, &district(), pair.id, "等本人回乡", day("2026-06-03")).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert!(listed(&db, &district(), &open()).await.is_empty());
        clock.advance(chrono::Duration::days(2));
        duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert_eq!(listed(&db, &district(), &open()).await.len(), 1);
    }

    async fn a_merged_person_is_one_in_everything_that_is_read(db: Db, clock: Arc<TestClock>) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛莉亚", "E12345687", EAST)).await;
        fact(&db, one, "wage", 200_000).await;
        fact(&db, other, "pension", 80_000).await;
        let home = household(&db, other, &[one]).await;
        let before = db.now();
        clock.advance(chrono::Duration::days(1));
        merged(&db, merge_of(one, other)).await;

        let scope = district();
        let view = registry::households::household_view(&db, &scope, home, db.today()).await.unwrap().unwrap();
        assert_eq!(view.members.len(), 1);
        assert_eq!(view.head, Some(one), "the merged record was the head");
        let facts = |known_at| {
            let (db, scope) = (db.clone(), scope.clone());
            async move {
                let sheet = registry::fact_sheet(&db, &scope, home, known_at, db.today()).await.unwrap().unwrap();
                let names = |record: &vocab::Record| -> Vec<String> {
                    record.keys().filter(|fact| ["wage", "pension"].contains(&fact.as_str())).cloned().collect()
                };
                sheet.members.iter().map(names).collect::<Vec<_>>()
            }
        };
        assert_eq!(facts(None).await, [["pension", "wage"]]);
        // As it was known before the merge there were two, the head first.
        assert_eq!(facts(Some(before)).await, [["pension"], ["wage"]]);
        // Whoever follows the register hears of the household.
        let between = registry::changes::Between {
            learned: before + chrono::Duration::hours(1),
            after: db.today(),
            until: db.today(),
            looked_back: Vec::new(),
        };
        let touched = registry::changes::households_touched(&db, &scope, &between).await.unwrap();
        assert!(touched.contains(&home));
        // Either document, either name and either identifier leads to the survivor.
        for passport in ["E12345678", "E12345687"] {
            let document = Document::read(DocumentKind::Passport, passport, db.today()).unwrap();
            let found = registry::people::find_by_document(&db, &scope, &document).await.unwrap().unwrap();
            assert_eq!(found.id, one);
        }
        for name in ["玛丽亚", "玛莉亚"] {
            let query = Query { text: name.to_owned(), region: None };
            let found = registry::search(&db, &scope, &query, 0, 9).await.unwrap();
            assert_eq!(found.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [one]);
        }
        assert_eq!(registry::same_person(&db, other).await.unwrap(), [one, other]);
        let history = registry::facts::history(&db, &scope, Subject::Person(one)).await.unwrap().unwrap();
        assert_eq!(history.len(), 2);
        let person = registry::person(&db, &scope, other).await.unwrap().unwrap();
        assert_eq!(person.merged_into, Some(one));
        let mut tx = db.begin().await.unwrap();
        let again = registry::register_person(&mut tx, &scope, foreigner("玛莉亚", "E12345687", EAST)).await.unwrap();
        assert_eq!(again, Err(registry::people::Refused::AlreadyRegistered(Some(one))));
    }

    async fn who_prepared_a_merge_of_somebody_in_payment_does_not_decide_it(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let mut tx = db.begin().await.unwrap();
        let new = NewMerge { in_payment: true, ..merge_of(one, other) };
        let id = merging::prepare(&mut tx, &district(), new).await.unwrap().unwrap();
        let refused = merging::decide(&mut tx, &district(), id, false).await.unwrap();
        assert_eq!(refused, Err(Refused::SamePerson(access::SamePerson)));
        merging::decide(&mut tx, &second_officer(), id, false).await.unwrap().unwrap();
        assert_eq!(merging::decide(&mut tx, &second_officer(), id, false).await.unwrap(), Err(Refused::NotOpen));
    }

    async fn a_pair_goes_along_with_whoever_moves_and_nobody_sees_it_any_more_where_they_left(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        keep(&db, &district(), other, &[]).await;
        let east = officer_of(EAST);
        assert_eq!(listed(&db, &east, &open()).await.len(), 1);
        let pair = listed(&db, &east, &open()).await[0].id;
        for (who, left) in [(one, 0), (other, 1)] {
            let mut tx = db.begin().await.unwrap();
            registry::people::move_home(&mut tx, &district(), who, region(WEST), "西街1号").await.unwrap().unwrap();
            tx.commit().await.unwrap();
            assert!(listed(&db, &east, &open()).await.is_empty());
            assert!(duplicates::pair(&db, &east, pair).await.unwrap().is_none());
            assert_eq!(listed(&db, &officer_of(WEST), &open()).await.len(), left);
        }
        let merge = merged(&db, merge_of(one, other)).await;
        let mut tx = db.begin().await.unwrap();
        registry::people::move_home(&mut tx, &district(), one, region(EAST), "东街1号").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(merging::merge(&db, &officer_of(WEST), merge).await.unwrap().is_none());
        assert!(merging::merge(&db, &district(), merge).await.unwrap().is_some());
    }

    async fn what_was_judged_after_a_merge_was_prepared_stands_against_it(db: Db) {
        with_places(&db).await;
        let a = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let b = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let c = register(&db, &district(), foreigner("玛丽亚", "E12345768", EAST)).await;
        keep(&db, &district(), c, &[]).await;
        merged(&db, merge_of(b, a)).await;
        // a leads to b, so the pair of a and c is looked at through b; it was judged by its number all the same.
        let mut tx = db.begin().await.unwrap();
        let id = merging::prepare(&mut tx, &district(), merge_of(b, c)).await.unwrap().unwrap();
        let pair = duplicates::pair_of(&tx, &district(), a, c).await.unwrap().unwrap();
        duplicates::decide_different(&mut tx, &district(), pair.id, "看过两本护照").await.unwrap().unwrap();
        let refused = merging::decide(&mut tx, &second_officer(), id, false).await.unwrap();
        assert_eq!(refused, Err(Refused::JudgedDifferent));
    }

    async fn who_is_like_a_merged_record_is_like_its_person(db: Db) {
        with_places(&db).await;
        // What the record that stays says has nothing of the merged one but the birth date and sex.
        let other = NewPerson { phone: Some("13900001111".to_owned()), address: "东湖路9号".to_owned(), ..foreigner("佐藤花子", "K87654321", EAST) };
        let stays = register(&db, &district(), other).await;
        let leads = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        merged(&db, merge_of(stays, leads)).await;
        let seen = alike(&db, &district(), &foreigner("玛丽亚", "E12345687", EAST)).await;
        assert_eq!(seen.here.iter().map(|one| one.person.id).collect::<Vec<_>>(), [stays]);
        // A person is not found to be like himself.
        duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        assert!(listed(&db, &district(), &open()).await.is_empty());
    }

    async fn a_merged_record_leads_to_the_person_wherever_they_live_since(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let number = registry::accounts::Account {
            bank: "中国农业银行".to_owned(),
            number: "10201001040000001".to_owned(),
            holder: "玛丽亚".to_owned(),
            kind: registry::accounts::AccountKind::Passbook,
            agreement: None,
        };
        let mut tx = db.begin().await.unwrap();
        for who in [one, other] {
            registry::accounts::set_account(&mut tx, &district(), who, number.clone()).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(registry::identities::shared_accounts(&db, &district(), Ground::Resident).await.unwrap(), [vec![one, other]]);
        merged(&db, merge_of(one, other)).await;
        let mut tx = db.begin().await.unwrap();
        registry::people::move_home(&mut tx, &district(), one, region(WEST), "西街1号").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let old = foreigner("玛丽亚", "E12345687", EAST).document;
        // By the number of the record merged in the east she is found in the west, and in the east no more.
        let west = officer_of(WEST);
        assert_eq!(registry::people::find_by_document(&db, &west, &old).await.unwrap().map(|person| person.id), Some(one));
        assert_eq!(registry::people::find_by_document(&db, &officer_of(EAST), &old).await.unwrap(), None);
        for (scope, found) in [(west, 1), (officer_of(EAST), 0)] {
            let query = Query { text: "E12345687".to_owned(), region: None };
            let page = registry::search(&db, &scope, &query, 0, 10).await.unwrap();
            assert_eq!((page.rows.len(), page.total), (found, u64::try_from(found).unwrap()));
        }
        assert!(registry::people::phone_tail_is(&db, other, "5678").await.unwrap());
        // From a page that still shows the merged record nobody gets into a second household.
        household(&db, one, &[]).await;
        let third = register(&db, &district(), new_person("周建国", "99010119500101001", EAST)).await;
        let second = household(&db, third, &[]).await;
        let mut tx = db.begin().await.unwrap();
        let joined = registry::households::join(&mut tx, &district(), second, other, kin("20"), db.today()).await.unwrap();
        assert!(matches!(joined, Err(registry::households::MoveRefused::InAnotherHousehold(_))), "{joined:?}");
        tx.rollback().await.unwrap();
        assert!(registry::identities::shared_accounts(&db, &district(), Ground::Resident).await.unwrap().is_empty());
    }

    async fn a_fact_of_a_merged_record_that_never_stood_in_a_household_ends_like_any_other(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let third = register(&db, &district(), foreigner("安娜", "E12345699", EAST)).await;
        let stranger = register(&db, &district(), new_person("周建国", "99010119500101001", EAST)).await;
        household(&db, one, &[]).await;
        let ends: chrono::NaiveDate = "2026-10-01".parse().unwrap();
        let mut tx = db.begin().await.unwrap();
        for who in [other, third, stranger] {
            let given = DatedFact {
                period: vocab::Period { from: None, until: Some(ends) },
                source: "本人申报".to_owned(),
                ..DatedFact::plain(Value::Bool(true))
            };
            record_fact(&mut tx, &district(), Subject::Person(who), "major_illness", given).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        let ended = async |scope: &Scope, limit| {
            let found = registry::facts::ended_on(&db, scope, ends, None, limit).await.unwrap();
            found.into_iter().map(|one| one.subject).collect::<Vec<_>>()
        };
        assert!(ended(&district(), 9).await.is_empty(), "nobody of these stands in a household");
        // The illness was written down for the second record; the first is in a household. Chained: 安娜 was a third one.
        merged(&db, merge_of(other, third)).await;
        assert!(ended(&district(), 1).await.is_empty(), "two records, and none in a household");
        merged(&db, merge_of(one, other)).await;
        let hers = Subject::Person(one);
        assert_eq!(ended(&district(), 9).await, [hers, hers], "told as one person");
        // However small the portions, nobody is passed over: what is left out does not end the reading.
        let mut after = None;
        let mut read = 0;
        while let Some(row) = registry::facts::ended_on(&db, &district(), ends, after, 1).await.unwrap().pop() {
            after = Some(row.row);
            read += 1;
        }
        assert_eq!(read, 2);
        assert!(ended(&officer_of(WEST), 9).await.is_empty(), "the household lies in the east");
    }

    async fn money_of_two_records_goes_to_the_account_entered_last(db: Db, clock: Arc<TestClock>) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let account = |number: &str| registry::accounts::Account {
            bank: "中国农业银行".to_owned(),
            number: number.to_owned(),
            holder: "玛丽亚".to_owned(),
            kind: registry::accounts::AccountKind::Passbook,
            agreement: None,
        };
        let set = async |who, number: &str| {
            let mut tx = db.begin().await.unwrap();
            registry::accounts::set_account(&mut tx, &district(), who, account(number)).await.unwrap().unwrap();
            tx.commit().await.unwrap();
        };
        let paid_to = async |who| {
            let mut tx = db.begin().await.unwrap();
            let found = registry::accounts::accounts_for_payment(&mut tx, &district(), &[who], "发放").await.unwrap();
            found[&who].number.clone()
        };
        set(one, "10201001040000001").await;
        clock.advance(chrono::Duration::days(1));
        set(other, "10201001040000002").await;
        let merge = merged(&db, merge_of(one, other)).await;
        clock.advance(chrono::Duration::days(1));
        set(one, "10201001040000003").await;
        // What was decided under the merged record is paid where the person says today.
        assert_eq!(paid_to(other).await, "10201001040000003");
        unmerged(&db, merge, Side::Survivor).await;
        assert_eq!(paid_to(other).await, "10201001040000002");
        assert_eq!(paid_to(one).await, "10201001040000003");
    }

    async fn a_chain_never_joins_two_who_were_judged_to_be_two(db: Db) {
        with_places(&db).await;
        let a = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let b = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let c = register(&db, &district(), foreigner("玛丽亚", "E12345768", EAST)).await;
        keep(&db, &district(), c, &[(a, Said::Different("看过两本护照".to_owned()))]).await;
        merged(&db, merge_of(b, a)).await;
        let mut tx = db.begin().await.unwrap();
        let refused = merging::prepare(&mut tx, &district(), merge_of(b, c)).await.unwrap();
        assert_eq!(refused, Err(Refused::JudgedDifferent));
        // The merged record itself is no record any more.
        let refused = merging::prepare(&mut tx, &district(), merge_of(a, c)).await.unwrap();
        assert_eq!(refused, Err(Refused::AlreadyMerged));
    }

    async fn one_person_in_two_households_shows_and_leaves_one_before_merging(db: Db) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        let third = register(&db, &district(), new_person("周建国", "99010119500101001", EAST)).await;
        household(&db, one, &[]).await;
        let second = household(&db, third, &[other]).await;
        duplicates::nightly(&db, &district(), &|_, _| {}).await.unwrap();
        let pair = duplicates::pair_of(&db, &district(), one, other).await.unwrap().unwrap();
        assert!(pair.two_households);
        let mut tx = db.begin().await.unwrap();
        let refused = merging::prepare(&mut tx, &district(), merge_of(one, other)).await.unwrap();
        assert_eq!(refused, Err(Refused::TwoHouseholds));
        registry::households::leave(&mut tx, &district(), second, other, day("2026-06-01"), "重复登记").await.unwrap().unwrap();
        merging::prepare(&mut tx, &district(), merge_of(one, other)).await.unwrap().unwrap();
    }

    async fn what_came_since_a_merge_goes_where_the_officer_says(db: Db, clock: Arc<TestClock>) {
        with_places(&db).await;
        let one = register(&db, &district(), foreigner("玛丽亚", "E12345678", EAST)).await;
        let other = register(&db, &district(), foreigner("玛丽亚", "E12345687", EAST)).await;
        fact(&db, one, "wage", 200_000).await;
        let id = merged(&db, merge_of(one, other)).await;
        clock.advance(chrono::Duration::days(1));
        fact(&db, one, "wage", 90_000).await;
        let mut tx = db.begin().await.unwrap();
        registry::people::set_phone(&mut tx, &district(), one, Some("13900001111")).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        clock.advance(chrono::Duration::days(1));
        unmerged(&db, id, Side::Merged).await;
        let wage = |who| {
            let db = db.clone();
            async move {
                let home = household(&db, who, &[]).await;
                let sheet = registry::fact_sheet(&db, &district(), home, None, db.today()).await.unwrap().unwrap();
                sheet.members[0].get("wage").map(|values| values.iter().map(|one| one.value.clone()).collect::<Vec<_>>())
            }
        };
        assert_eq!(wage(one).await, Some(vec![Value::Int(200_000)]));
        assert_eq!(wage(other).await, Some(vec![Value::Int(90_000)]));
        let phone = |row: registry::people::Person| row.phone_masked.unwrap();
        assert_eq!(phone(registry::person(&db, &district(), one).await.unwrap().unwrap()), "138****5678");
        assert_eq!(phone(registry::person(&db, &district(), other).await.unwrap().unwrap()), "139****1111");
    }
}

/// A generator of its own, so that a failure names its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Everything an officer can read of some people, without the row's own counter of changes.
async fn readable(db: &Db, people: &[PersonId], homes: &[HouseholdId]) -> Vec<String> {
    let scope = district();
    let mut all = Vec::new();
    for id in people {
        let mut person = registry::person(db, &scope, *id).await.unwrap().unwrap();
        person.version = 0;
        all.push(format!("{person:?}"));
        let home = registry::households::household_of(db, &scope, *id, db.today())
            .await
            .unwrap();
        all.push(format!("{home:?}"));
        let history = registry::facts::history(db, &scope, Subject::Person(*id))
            .await
            .unwrap();
        all.push(format!("{history:?}"));
        let account = registry::accounts::account_of(db, &scope, *id)
            .await
            .unwrap();
        all.push(format!("{account:?}"));
        all.push(format!(
            "{:?}",
            registry::same_person(db, *id).await.unwrap()
        ));
    }
    for home in homes {
        for on in ["2026-01-10", "2026-06-01", "2026-06-20"] {
            let view = registry::households::household_view(db, &scope, *home, day(on))
                .await
                .unwrap();
            all.push(format!("{view:?}"));
            let sheet = registry::fact_sheet(db, &scope, *home, None, day(on))
                .await
                .unwrap();
            all.push(format!("{sheet:?}"));
        }
    }
    for text in ["王芳", "王方", "李强", "wf", "lq", "5678", "1111", ""] {
        let query = Query {
            text: text.to_owned(),
            region: None,
        };
        let mut found = registry::search(db, &scope, &query, 0, 50)
            .await
            .unwrap()
            .rows;
        found.sort_by_key(|row| row.id);
        all.push(format!("{found:?}"));
    }
    all
}

async fn random_merges(db: Db, clock: Arc<TestClock>) {
    with_places(&db).await;
    for seed in 0..12_u64 {
        let mut dice = Dice(seed);
        let mut people = Vec::new();
        for at in 0..4_u64 {
            let names = ["王芳", "王方", "李强"];
            let phones = [None, Some("13812345678"), Some("13900001111")];
            let pick = |number: u64| usize::try_from(number).unwrap();
            let new = NewPerson {
                phone: phones[pick(dice.roll(3))].map(str::to_owned),
                lives_in: region([EAST, WEST][pick(dice.roll(2))]),
                document: Document::read(
                    DocumentKind::BirthCertificate,
                    &format!("Q{:09}", seed * 10 + at),
                    day("2026-06-01"),
                )
                .unwrap(),
                sex: vocab::Sex::Male,
                birth_date: Some(day("2015-03-02")),
                ..new_person(names[pick(dice.roll(3))], "99010119850312002", EAST)
            };
            let id = register(&db, &district(), new).await;
            if dice.roll(2) == 0 {
                fact(&db, id, "wage", i64::try_from(dice.roll(9)).unwrap()).await;
            }
            people.push(id);
        }
        let (one, other) = (people[0], people[1]);
        // Both together, one of them, or neither in a household; the other two with them or not.
        let homes = match dice.roll(5) {
            0 => vec![household(&db, one, &[other, people[2]]).await],
            1 => vec![household(&db, people[2], &[other, one]).await],
            2 => vec![household(&db, other, &[people[3]]).await],
            3 => vec![household(&db, one, &[]).await],
            _ => Vec::new(),
        };
        clock.advance(chrono::Duration::hours(5));
        let before = readable(&db, &people, &homes).await;
        let side = |number| {
            if number == 0 {
                Side::Merged
            } else {
                Side::Survivor
            }
        };
        let choices = Choices {
            name: side(dice.roll(2)),
            phone: side(dice.roll(2)),
            home: side(dice.roll(2)),
        };
        let id = merged(
            &db,
            NewMerge {
                choices,
                ..merge_of(one, other)
            },
        )
        .await;
        let during = readable(&db, &people, &homes).await;
        assert_ne!(before, during, "seed {seed}");
        clock.advance(chrono::Duration::hours(30));
        unmerged(&db, id, side(dice.roll(2))).await;
        let after = readable(&db, &people, &homes).await;
        for (was, is) in before.iter().zip(&after) {
            assert_eq!(was, is, "seed {seed}");
        }
    }
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn a_merge_undone_leaves_everything_as_it_was(db: Db, clock: Arc<TestClock>) {
        random_merges(db, clock).await;
    }
}

/// One person at the window against everybody, while he waits. The limit leaves room for a busy machine and an unoptimised build;
/// what it really takes is printed.
#[test]
fn one_person_is_compared_with_twenty_thousand_in_a_moment() {
    const PEOPLE: usize = 20_000;
    fixtures::run_on_sqlite(registry::migrations(), |bench| async move {
        let db = bench.db;
        let places = [region(EAST), region(WEST)];
        let made = |seed, people| {
            synth::District::new(seed, people, &places, db.today()).map(|mut household| {
                household.facts.clear();
                for member in &mut household.members {
                    member.facts.clear();
                }
                crate::load::bulk(household)
            })
        };
        let loaded = registry::bulk::load(&db, &district(), made(1, PEOPLE), |_| {})
            .await
            .unwrap();
        let began = std::time::Instant::now();
        let learned = duplicates::learn(&db, &district(), 2, &|_, _| {})
            .await
            .unwrap();
        let learning = began.elapsed();
        assert_eq!(learned.people, loaded.people);
        let mut took = Vec::new();
        let mut told = 0;
        // People of the register under another document, and strangers.
        for (seed, people) in [(1, 150), (2, 150)] {
            for member in made(seed, people).flat_map(|household| {
                let (lives_in, address) = (household.region, household.address);
                household.members.into_iter().map(move |member| NewPerson {
                    name: member.name,
                    document: Document::read(
                        DocumentKind::Passport,
                        "E99999999",
                        day("2026-06-01"),
                    )
                    .unwrap(),
                    sex: member.sex,
                    birth_date: member.birth_date,
                    phone: member.phone,
                    hukou: None,
                    lives_in,
                    address: address.clone(),
                })
            }) {
                let began = std::time::Instant::now();
                let found = alike(&db, &district(), &member).await;
                took.push(began.elapsed());
                told += usize::from(seed == 1 && !found.here.is_empty());
            }
        }
        took.sort();
        let at = |share: usize| took[took.len() * share / 100];
        println!(
            "{} people, learned in {learning:?} ({} pairs); {} looked at: median {:?}, p95 {:?}, most {:?}; {told} known ones found",
            loaded.people,
            learned.found,
            took.len(),
            at(50),
            at(95),
            at(99)
        );
        assert!(told > 100, "{told}");
        assert!(at(95).as_millis() < 500, "{:?}", at(95));
    });
}
