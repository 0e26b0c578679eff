//! Consent to an enquiry (核对授权): whose it is, who signs, who refused, and what it opens.

use crate::ground::{
    EAST, WEST, day, district, id, journalled, kin, new_person, officer_of, region, registered,
    with_places,
};
use registry::consent::{
    self, Carried, NewConsent, Refused, State, Tie, Way, carry_over, give, in_force, missing,
    of_household, opened, said, withdraw,
};
use registry::households::NewHousehold;
use registry::merging::{self, Choices, NewMerge};
use registry::people::NewPerson;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Db, TestClock};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Document, DocumentKind};

const PURPOSE: &str = "申请社会救助的家庭经济状况核对";

struct Home {
    id: HouseholdId,
    widow: PersonId,
    child: PersonId,
    son: PersonId,
    husband: PersonId,
}

/// A widow and her grandchild; her son lives elsewhere, her husband has died.
async fn home(db: &Db) -> Home {
    with_places(db).await;
    let widow = registered(db, new_person("梁秀兰", "44030619531201002", EAST)).await;
    let child = registered(db, new_person("周小满", "44030620150601001", EAST)).await;
    let son = registered(db, new_person("周建军", "44030619780301001", WEST)).await;
    let husband = registered(db, new_person("周立业", "44030619500101001", EAST)).await;
    let mut tx = db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(EAST),
        address: "一号楼101".to_owned(),
        head: widow,
        members: vec![(child, kin("41"))],
        since: Some(day("2020-01-01")),
        roster_number: None,
    };
    let id = registry::form_household(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    registry::people::record_death(&mut tx, &district(), husband, day("2024-05-01"), "公安")
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    Home {
        id,
        widow,
        child,
        son,
        husband,
    }
}

fn yes(home: &Home, person: PersonId) -> NewConsent {
    NewConsent {
        person,
        household: home.id,
        tie: Tie::Member,
        purpose: PURPOSE.to_owned(),
        way: Way::Screen,
        signed_on: day("2026-06-01"),
        until: None,
        file: None,
        signed_by: None,
        reason: String::new(),
    }
}

async fn say(db: &Db, new: NewConsent) -> Result<Uuid, Refused> {
    let mut tx = db.begin().await.unwrap();
    let answer = give(&mut tx, &district(), new).await.unwrap();
    tx.commit().await.unwrap();
    answer
}

async fn open(db: &Db, home: &Home, people: &[PersonId]) -> Result<Vec<String>, Vec<PersonId>> {
    let mut tx = db.begin().await.unwrap();
    let answer = opened(&mut tx, &district(), home.id, people, PURPOSE)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    answer
        .map(|found| found.into_iter().map(|one| one.document_number).collect())
        .map_err(|lacking| lacking.into_iter().map(|one| one.person).collect())
}

fn at(clock: &TestClock, day: &str) {
    clock.set(format!("{day}T04:00:00Z").parse().unwrap());
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn everybody_answers_for_themselves_and_a_child_through_a_guardian(db: Db, clock: Arc<TestClock>) {
        at(&clock, "2026-06-01");
        let home = home(&db).await;
        let both = [home.widow, home.child];
        assert_eq!(open(&db, &home, &both).await, Err(both.to_vec()), "silence is no consent");
        say(&db, yes(&home, home.widow)).await.unwrap();
        assert_eq!(open(&db, &home, &both).await, Err(vec![home.child]), "hers does not cover the child, and nobody's number is given");
        assert_eq!(say(&db, yes(&home, home.child)).await, Err(Refused::GuardianMissing));
        let own = NewConsent { signed_by: Some(home.child), ..yes(&home, home.child) };
        assert_eq!(say(&db, own).await, Err(Refused::SignerIsNoAdult));
        let guarded = NewConsent { signed_by: Some(home.widow), ..yes(&home, home.child) };
        say(&db, guarded).await.unwrap();
        let numbers = open(&db, &home, &both).await.unwrap();
        assert!(numbers[0].starts_with("44030619531201002") && numbers[1].starts_with("44030620150601001"), "{numbers:?}");
        assert!(missing(&db, &district(), home.id, day("2026-06-01")).await.unwrap().is_empty());
        let mut tx = db.begin().await.unwrap();
        let other = opened(&mut tx, &district(), home.id, &both, "别的用途").await.unwrap();
        assert_eq!(other.unwrap_err().len(), 2, "for this purpose and no other");
        let outside = opened(&mut tx, &officer_of(WEST), home.id, &both, PURPOSE).await.unwrap();
        assert!(outside.unwrap_err().is_empty(), "the next community does not see the household");
        tx.rollback().await.unwrap();
        let acts = journalled(&db).await;
        assert_eq!(acts.iter().filter(|act| *act == "consent.open").count(), 2);
        assert_eq!(acts.iter().filter(|act| *act == "consent.give").count(), 2);
    }

    async fn a_supporter_outside_is_covered_by_nobody_else_and_a_refusal_is_not_an_absence(db: Db, clock: Arc<TestClock>) {
        at(&clock, "2026-06-01");
        let home = home(&db).await;
        say(&db, yes(&home, home.widow)).await.unwrap();
        assert_eq!(open(&db, &home, &[home.widow, home.son]).await, Err(vec![home.son]));
        assert_eq!(say(&db, yes(&home, home.son)).await, Err(Refused::NotAMember));
        let supports = |way, reason: &str| NewConsent { tie: Tie::SupportsParent, way, reason: reason.to_owned(), ..yes(&home, home.son) };
        let by_mother = NewConsent { signed_by: Some(home.widow), ..supports(Way::Screen, "") };
        assert_eq!(say(&db, by_mother).await, Err(Refused::OwnConsentOnly));
        let inside = NewConsent { tie: Tie::SupportsParent, ..yes(&home, home.widow) };
        assert_eq!(say(&db, inside).await, Err(Refused::IsAMember));
        assert_eq!(say(&db, supports(Way::Refused, "")).await, Err(Refused::ReasonMissing));
        say(&db, supports(Way::Refused, "与母亲多年没有来往")).await.unwrap();
        assert_eq!(open(&db, &home, &[home.son]).await, Err(vec![home.son]));
        let states = said(&db, &district(), home.id, PURPOSE, day("2026-06-01")).await.unwrap().unwrap();
        let of = |person| states.iter().find(|one| one.person == person).unwrap();
        assert!(matches!(&of(home.son).state, State::Refused(one) if one.reason == "与母亲多年没有来往"));
        assert_eq!(of(home.child).state, State::Silent);
        assert!(!consent::holds(&db, home.son, day("2026-06-01")).await.unwrap());

        // He thinks better of it: the last word counts; and takes that back in turn.
        let agreed = say(&db, supports(Way::Screen, "")).await.unwrap();
        assert_eq!(open(&db, &home, &[home.son]).await.unwrap().len(), 1);
        let mut tx = db.begin().await.unwrap();
        assert_eq!(withdraw(&mut tx, &officer_of(WEST), agreed, "").await.unwrap(), Err(Refused::NotThere));
        withdraw(&mut tx, &district(), agreed, "改变主意").await.unwrap().unwrap();
        assert_eq!(withdraw(&mut tx, &district(), agreed, "").await.unwrap(), Err(Refused::Withdrawn));
        tx.commit().await.unwrap();
        assert_eq!(open(&db, &home, &[home.son]).await, Err(vec![home.son]));
        assert_eq!(of_household(&db, &district(), home.id).await.unwrap().len(), 3, "all three words are kept");
    }

    async fn what_was_said_under_a_merged_record_is_the_persons_own_word(db: Db, clock: Arc<TestClock>) {
        at(&clock, "2026-06-01");
        let home = home(&db).await;
        // The widow stands in the register twice; under the other record she said yes, and later no.
        let passport = Document::read(DocumentKind::Passport, "E12345678", day("2026-06-01")).unwrap();
        let twin = NewPerson {
            document: passport,
            sex: vocab::Sex::Female,
            birth_date: Some(day("1953-12-01")),
            ..new_person("梁秀兰", "44030619531201002", EAST)
        };
        let twin = registered(&db, twin).await;
        let supporter = |way| NewConsent { tie: Tie::SupportsParent, way, reason: "不愿意".to_owned(), ..yes(&home, twin) };
        say(&db, supporter(Way::Screen)).await.unwrap();
        assert_eq!(open(&db, &home, &[home.widow]).await, Err(vec![home.widow]));
        let mut tx = db.begin().await.unwrap();
        let merge = NewMerge {
            survivor: home.widow,
            merged: twin,
            choices: Choices::default(),
            reason: "本人持两证到场".to_owned(),
            in_payment: false,
        };
        let merge = merging::prepare(&mut tx, &district(), merge).await.unwrap().unwrap();
        merging::decide(&mut tx, &district(), merge, false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        // Her number is that of the record that stays.
        assert_eq!(open(&db, &home, &[home.widow]).await, Ok(vec![id("44030619531201002")]));
        let on = day("2026-06-01");
        let both = [home.widow, twin];
        assert_eq!(in_force(&db, &both, on).await.unwrap(), BTreeSet::from(both));
        assert!(!missing(&db, &district(), home.id, on).await.unwrap().contains(&home.widow));
        let mut tx = db.begin().await.unwrap();
        let no = NewConsent { way: Way::Refused, reason: "不愿意".to_owned(), ..yes(&home, home.widow) };
        give(&mut tx, &district(), no).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        // The last word counts, whichever record it was said under.
        assert_eq!(open(&db, &home, &[home.widow]).await, Err(vec![home.widow]));
        assert!(in_force(&db, &both, on).await.unwrap().is_empty());
    }

    async fn for_who_died_a_near_relative_of_the_household_signs(db: Db, clock: Arc<TestClock>) {
        at(&clock, "2026-06-01");
        let home = home(&db).await;
        let late = |signed_by| NewConsent { tie: Tie::Late, signed_by, ..yes(&home, home.husband) };
        assert_eq!(say(&db, late(None)).await, Err(Refused::RelativeMissing));
        assert_eq!(say(&db, late(Some(home.son))).await, Err(Refused::RelativeMissing), "he is not of the household");
        assert_eq!(say(&db, late(Some(home.child))).await, Err(Refused::SignerIsNoAdult));
        say(&db, late(Some(home.widow))).await.unwrap();
        assert_eq!(open(&db, &home, &[home.husband]).await.unwrap().len(), 1);
        let alive = NewConsent { tie: Tie::Late, signed_by: Some(home.widow), ..yes(&home, home.son) };
        assert_eq!(say(&db, alive).await, Err(Refused::Lives));
        let ended = NewConsent { signed_on: day("2026-05-01"), until: Some(day("2026-06-01")), ..yes(&home, home.widow) };
        say(&db, ended).await.unwrap();
        assert_eq!(open(&db, &home, &[home.widow]).await, Err(vec![home.widow]), "its last day is past");

        // The household moves; what was said moves along and is seen where it is now.
        let mut tx = db.begin().await.unwrap();
        registry::households::relocate(&mut tx, &district(), home.id, region(WEST), "西门 2 号").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(of_household(&db, &officer_of(WEST), home.id).await.unwrap().len(), 2);
        assert!(of_household(&db, &officer_of(EAST), home.id).await.unwrap().is_empty());
    }

    async fn consents_of_an_earlier_system_are_taken_over_and_asked_for_many_at_once(db: Db, clock: Arc<TestClock>) {
        at(&clock, "2026-06-01");
        let home = home(&db).await;
        let carried = |person, region: &str, until: Option<&str>| Carried {
            person,
            household: home.id,
            region: crate::ground::region(region),
            purpose: PURPOSE.to_owned(),
            signed_on: day("2025-01-10"),
            until: until.map(day),
            archive: "存量〔2025〕7号".to_owned(),
        };
        let all = [home.widow, home.child, home.son];
        assert!(in_force(&db, &all, day("2026-06-01")).await.unwrap().is_empty());
        let many = [carried(home.widow, EAST, None), carried(home.child, EAST, Some("2026-06-01")), carried(home.son, WEST, None)];
        let mut tx = db.begin().await.unwrap();
        // The officer of the east takes over none of the west.
        assert_eq!(carry_over(&mut tx, &officer_of(EAST), &many).await.unwrap(), 2);
        tx.commit().await.unwrap();
        // The child's ends on the first of June: its last day was the thirty-first of May.
        let on = async |text: &str| in_force(&db, &all, day(text)).await.unwrap().into_iter().collect::<Vec<_>>();
        assert_eq!(on("2025-01-09").await, []);
        assert_eq!(on("2026-05-31").await.len(), 2);
        assert_eq!(on("2026-06-01").await, [home.widow]);
        // Who says no later is no longer asked about.
        let no = NewConsent { way: Way::Refused, reason: "本人不愿说明".to_owned(), ..yes(&home, home.widow) };
        say(&db, no).await.unwrap();
        assert_eq!(on("2026-06-01").await, []);
    }
}
