//! Forming households and moving between them; places (建户、入户退户、区划).

use crate::ground::{
    EAST, WEST, day, district, journalled, kin, new_person, officer_of, region, registered,
    with_places,
};
use chrono::TimeDelta;
use registry::households::{
    Filter, MoveRefused, NewHousehold, Refused, change_head, form_household, household,
    household_of, household_view, join, leave, list, list_ids,
};
use registry::places;
use std::sync::Arc;
use store::{Db, TestClock};
use vocab::ids::{HouseholdId, PersonId};

async fn family(db: &Db) -> (HouseholdId, PersonId, PersonId, PersonId) {
    let head = registered(db, new_person("张芳", "99010119560715004", EAST)).await;
    let son = registered(db, new_person("李强", "99010119800101001", EAST)).await;
    let grandson = registered(db, new_person("李小䶮", "99010120150301001", EAST)).await;
    let mut tx = db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(EAST),
        address: "一号楼101".to_owned(),
        head,
        members: vec![(son, kin("22")), (grandson, kin("41"))],
        since: Some(day("2026-01-01")),
        roster_number: None,
    };
    let id = form_household(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    (id, head, son, grandson)
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn a_household_shows_its_members_on_a_day_and_the_read_is_journalled(db: Db) {
        let (id, head, son, _) = family(&db).await;
        let seen = household(&db, &officer_of(EAST), id).await.unwrap().unwrap();
        assert_eq!(seen.head, Some(head));
        let names: Vec<_> = seen.members.iter().map(|m| (m.person.name.as_str(), m.kinship.code())).collect();
        assert_eq!(names, [("张芳", "02"), ("李强", "22"), ("李小䶮", "41")]);
        assert_eq!(journalled(&db).await.last().unwrap(), "household.read");
        let before = household_view(&db, &officer_of(EAST), id, day("2025-12-31")).await.unwrap().unwrap();
        assert!(before.members.is_empty());
        assert_eq!(household_of(&db, &officer_of(EAST), son, day("2026-06-01")).await.unwrap(), Some(id));
        assert_eq!(household_of(&db, &officer_of(EAST), son, day("2025-06-01")).await.unwrap(), None);
    }

    async fn nobody_is_in_two_households_at_a_time(db: Db) {
        let (id, _, son, grandson) = family(&db).await;
        let scope = officer_of(EAST);
        let mut tx = db.begin().await.unwrap();
        let second = NewHousehold {
            region: region(EAST),
            address: String::new(),
            head: son,
            members: vec![],
            since: None,
            roster_number: None,
        };
        let refused = form_household(&mut tx, &scope, second.clone()).await.unwrap();
        assert_eq!(refused, Err(Refused::InAnotherHousehold("李强".to_owned())));
        assert!(Refused::InAnotherHousehold("李强".to_owned()).to_string().contains("“李强”"));
        // After leaving, from that day on.
        leave(&mut tx, &scope, id, son, day("2026-05-01"), "分户").await.unwrap().unwrap();
        let new = form_household(&mut tx, &scope, second).await.unwrap().unwrap();
        let back = join(&mut tx, &scope, id, son, kin("22"), day("2026-06-01")).await.unwrap();
        assert_eq!(back, Err(MoveRefused::InAnotherHousehold("李强".to_owned())));
        assert_eq!(household_of(&tx, &scope, son, day("2026-04-30")).await.unwrap(), Some(id));
        assert_eq!(household_of(&tx, &scope, son, day("2026-06-01")).await.unwrap(), Some(new));
        let joined = join(&mut tx, &scope, new, grandson, kin("22"), day("2026-06-01")).await.unwrap();
        assert_eq!(joined, Err(MoveRefused::InAnotherHousehold("李小䶮".to_owned())));
        tx.commit().await.unwrap();
    }

    async fn a_head_leaves_only_after_another_took_over(db: Db) {
        let (id, head, son, grandson) = family(&db).await;
        let scope = officer_of(EAST);
        let mut tx = db.begin().await.unwrap();
        let on = day("2026-06-01");
        assert_eq!(leave(&mut tx, &scope, id, head, on, "迁出").await.unwrap(), Err(MoveRefused::HeadMustBeReplaced));
        assert_eq!(change_head(&mut tx, &scope, id, son, &[], on).await.unwrap(), Err(MoveRefused::RelationsMissing));
        let relations = [(head, kin("52")), (grandson, kin("22"))];
        change_head(&mut tx, &scope, id, son, &relations, on).await.unwrap().unwrap();
        leave(&mut tx, &scope, id, head, on, "迁出").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let now = household_view(&db, &scope, id, on).await.unwrap().unwrap();
        assert_eq!(now.head, Some(son));
        assert_eq!(now.members.len(), 2);
        let before = household_view(&db, &scope, id, day("2026-05-31")).await.unwrap().unwrap();
        assert_eq!((before.head, before.members.len()), (Some(head), 3));
    }

    async fn the_last_to_leave_dissolves_the_household(db: Db) {
        let (id, head, son, grandson) = family(&db).await;
        let scope = officer_of(EAST);
        let mut tx = db.begin().await.unwrap();
        let on = day("2026-06-01");
        for person in [grandson, son, head] {
            leave(&mut tx, &scope, id, person, on, "迁出").await.unwrap().unwrap();
        }
        assert_eq!(join(&mut tx, &scope, id, son, kin("22"), on).await.unwrap(), Err(MoveRefused::HouseholdNotFound));
        tx.commit().await.unwrap();
        assert_eq!(list(&db, &scope, &Filter::default(), 0, 10).await.unwrap().total, 0);
        let all = Filter { with_dissolved: true, ..Filter::default() };
        assert_eq!(list(&db, &scope, &all, 0, 10).await.unwrap().rows[0].dissolved_on, Some(on));
    }

    async fn days_that_cannot_be_are_refused(db: Db) {
        let (id, _, son, _) = family(&db).await;
        let scope = officer_of(EAST);
        let mut tx = db.begin().await.unwrap();
        for on in ["2025-12-31", "2026-06-02"] {
            assert_eq!(leave(&mut tx, &scope, id, son, day(on), "").await.unwrap(), Err(MoveRefused::DateImpossible), "{on}");
        }
        let other = register(&mut tx, "99010119900101009").await;
        assert_eq!(join(&mut tx, &scope, id, other, kin("99"), day("2026-06-02")).await.unwrap(), Err(MoveRefused::DateImpossible));
        assert_eq!(join(&mut tx, &scope, id, other, kin("02"), day("2026-06-01")).await.unwrap(), Err(MoveRefused::HeadIsTaken));
        tx.rollback().await.unwrap();
    }

    async fn another_community_sees_no_household(db: Db) {
        let (id, head, ..) = family(&db).await;
        let scope = officer_of(WEST);
        assert!(household(&db, &scope, id).await.unwrap().is_none());
        assert!(household_of(&db, &scope, head, db.today()).await.unwrap().is_none());
        assert_eq!(list(&db, &scope, &Filter::default(), 0, 10).await.unwrap().total, 0);
        assert!(list_ids(&db, &scope, None, 10).await.unwrap().is_empty());
        assert!(registry::fact_sheet(&db, &scope, id, None, db.today()).await.unwrap().is_none());
        let mut tx = db.begin().await.unwrap();
        let left = leave(&mut tx, &scope, id, head, day("2026-06-01"), "").await.unwrap();
        assert_eq!(left, Err(MoveRefused::HouseholdNotFound));
        let new = NewHousehold {
            region: region(WEST),
            address: String::new(),
            head,
            members: vec![],
            since: None,
            roster_number: None,
        };
        assert_eq!(form_household(&mut tx, &scope, new).await.unwrap(), Err(Refused::MemberNotFound));
        tx.rollback().await.unwrap();
    }

    async fn households_are_listed_by_place_name_and_number(db: Db) {
        let (id, ..) = family(&db).await;
        let scope = district();
        let number = household_view(&db, &scope, id, db.today()).await.unwrap().unwrap().number;
        for text in ["", "张芳", "小䶮", "李", &number, &number[..6]] {
            let filter = Filter { text: text.to_owned(), ..Filter::default() };
            let page = list(&db, &scope, &filter, 0, 10).await.unwrap();
            assert_eq!(page.total, 1, "{text}");
            assert_eq!((page.rows[0].head_name.as_str(), page.rows[0].size), ("张芳", 3));
        }
        for (text, place) in [("王", None), ("", Some(WEST))] {
            let filter = Filter { text: text.to_owned(), region: place.map(region), ..Filter::default() };
            assert_eq!(list(&db, &scope, &filter, 0, 10).await.unwrap().total, 0);
        }
    }

    async fn who_left_is_still_a_member_as_far_as_was_known_then(db: Db, clock: Arc<TestClock>) {
        let (id, _, son, _) = family(&db).await;
        let scope = officer_of(EAST);
        let moment = db.now();
        clock.advance(TimeDelta::days(10));
        let mut tx = db.begin().await.unwrap();
        leave(&mut tx, &scope, id, son, day("2026-05-15"), "补录").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let on = day("2026-06-01");
        let now = registry::fact_sheet(&db, &scope, id, None, on).await.unwrap().unwrap();
        let then = registry::fact_sheet(&db, &scope, id, Some(moment), on).await.unwrap().unwrap();
        assert_eq!((now.members.len(), then.members.len()), (2, 3));
        assert!(then.member_keys.contains(&son.to_string()));
    }

    async fn a_place_has_the_name_of_its_day(db: Db) {
        with_places(&db).await;
        let renamed = [
            places::PlaceRow {
                code: region("990101002"),
                name_zh: "老街镇".to_owned(),
                name_en: None,
                parent: None,
                from: None,
                until: Some(day("2020-01-01")),
            },
            places::PlaceRow {
                code: region("990101002"),
                name_zh: "新街街道".to_owned(),
                name_en: Some("Xinjie Subdistrict".to_owned()),
                parent: None,
                from: Some(day("2020-01-01")),
                until: None,
            },
        ];
        for _ in 0..2 {
            let mut tx = db.begin().await.unwrap();
            places::load_places(&mut tx, &renamed).await.unwrap();
            tx.commit().await.unwrap();
        }
        let name = async |on: &str, english| places::full_name(&db, region("990101002"), day(on), english).await.unwrap();
        assert_eq!(name("2019-12-31", false).await, "样例县老街镇");
        assert_eq!(name("2020-01-01", false).await, "样例县新街街道");
        assert_eq!(name("2020-01-01", true).await, "Xinjie Subdistrict, Sample County");
        let streets = places::children(&db, region("990101"), day("2026-06-01")).await.unwrap();
        assert_eq!(streets.len(), 2);
        assert_eq!(places::all_inside(&db, region("990101001"), day("2026-06-01")).await.unwrap().len(), 3);
    }
}

async fn register(tx: &mut store::Tx, seventeen: &str) -> PersonId {
    let new = new_person("王五", seventeen, EAST);
    registry::register_person(tx, &district(), new)
        .await
        .unwrap()
        .unwrap()
}
