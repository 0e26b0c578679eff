//! Facts and the fact sheet (事实与事实表).

use crate::ground::{EAST, WEST, day, district, kin, new_person, officer_of, region, registered};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::strategy::{Strategy, ValueTree};
use registry::facts::{Refused, Subject, history, record_fact, withdraw_fact};
use registry::households::{NewHousehold, form_household};
use registry::{fact_sheet, people};
use std::sync::Arc;
use store::{Db, TestClock};
use vocab::ids::{HouseholdId, PersonId};
use vocab::{DatedFact, FactSheet, Month, Period, Value};

async fn alone(db: &Db) -> (HouseholdId, PersonId) {
    let person = registered(db, new_person("张芳", "99010119560715004", EAST)).await;
    let mut tx = db.begin().await.unwrap();
    let new = NewHousehold {
        region: region(EAST),
        address: String::new(),
        head: person,
        members: vec![],
        since: Some(day("2026-01-01")),
        roster_number: None,
    };
    let id = form_household(&mut tx, &district(), new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    (id, person)
}

fn said(value: i64, period: Period, source: &str) -> DatedFact {
    DatedFact {
        period,
        source: source.to_owned(),
        ..DatedFact::plain(Value::Int(value))
    }
}

async fn record(db: &Db, subject: Subject, fact: &str, given: DatedFact) {
    let mut tx = db.begin().await.unwrap();
    record_fact(&mut tx, &district(), subject, fact, given)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

async fn sheet(db: &Db, id: HouseholdId, known_at: Option<DateTime<Utc>>) -> FactSheet {
    fact_sheet(db, &district(), id, known_at, day("2026-06-01"))
        .await
        .unwrap()
        .unwrap()
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn the_sheet_holds_what_the_register_and_the_sources_say(db: Db) {
        let (id, person) = alone(&db).await;
        let june = Period::of_month(Month::new(2026, 6).unwrap());
        record(&db, Subject::Person(person), "wage", said(120_000, june, "社保")).await;
        record(&db, Subject::Household(id), "houses", said(1, Period::ALWAYS, "不动产登记")).await;
        let sheet = sheet(&db, id, None).await;
        assert_eq!(sheet.member_keys, [person.to_string()]);
        let of = &sheet.members[0];
        assert_eq!(of["birth_date"][0].value, Value::Date(day("1956-07-15")));
        assert_eq!(of["birth_date"][0].source, "户籍登记");
        assert_eq!(of["sex"][0].value, Value::Text("2".to_owned()));
        assert_eq!(of["relation"][0].value, Value::Text("02".to_owned()));
        assert_eq!(of["hukou"][0].value, Value::Text("990101001001".to_owned()));
        assert!(!of.contains_key("died_on"));
        assert_eq!((of["wage"][0].value.clone(), of["wage"][0].period), (Value::Int(120_000), june));
        assert_eq!(sheet.household["houses"].len(), 1);
    }

    async fn every_kind_of_value_comes_back_as_it_went_in(db: Db) {
        let (id, person) = alone(&db).await;
        let values = [Value::Bool(true), Value::Int(i64::MAX), Value::Date(day("2024-02-29")), Value::Text("none".to_owned())];
        for (n, value) in values.iter().enumerate() {
            let given = DatedFact { source: "测试".to_owned(), evidence: Some("文件1".to_owned()), ..DatedFact::plain(value.clone()) };
            record(&db, Subject::Person(person), &format!("fact_{n}"), given).await;
        }
        let sheet = sheet(&db, id, None).await;
        for (n, value) in values.iter().enumerate() {
            let fact = &sheet.members[0][&format!("fact_{n}")][0];
            assert_eq!((&fact.value, fact.evidence.as_deref()), (value, Some("文件1")));
        }
    }

    async fn what_was_known_at_a_moment_can_be_asked_again(db: Db, clock: Arc<TestClock>) {
        let (id, person) = alone(&db).await;
        let subject = Subject::Person(person);
        record(&db, subject, "wage", said(100, Period::ALWAYS, "社保")).await;
        let moment = db.now();
        let then = sheet(&db, id, Some(moment)).await;
        clock.advance(TimeDelta::days(1));
        record(&db, subject, "wage", said(200, Period::since(day("2026-05-01")), "社保")).await;
        let mut tx = db.begin().await.unwrap();
        people::move_hukou(&mut tx, &district(), person, region("440306"), day("2026-05-01"), "公安").await.unwrap().unwrap();
        people::record_death(&mut tx, &district(), person, day("2026-05-20"), "公安").await.unwrap().unwrap();
        withdraw_fact(&mut tx, &district(), subject, "wage", "社保", Period::since(day("2026-05-20"))).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(sheet(&db, id, Some(moment)).await, then);
        let now = sheet(&db, id, None).await;
        let of = &now.members[0];
        assert_eq!(of["died_on"][0].value, Value::Date(day("2026-05-20")));
        let hukou: Vec<_> = of["hukou"].iter().map(|f| (f.value.clone(), f.period)).collect();
        let until = Period { from: None, until: Some(day("2026-05-01")) };
        assert_eq!(hukou, [
            (Value::Text("990101001001".to_owned()), until),
            (Value::Text("440306000000".to_owned()), Period::since(day("2026-05-01"))),
        ]);
        let wage: Vec<_> = of["wage"].iter().map(|f| (f.value.clone(), f.period)).collect();
        let may = Period { from: Some(day("2026-05-01")), until: Some(day("2026-05-20")) };
        assert_eq!(wage, [(Value::Int(100), until), (Value::Int(200), may)]);
        assert_eq!(history(&db, &district(), subject).await.unwrap().unwrap().len(), 7);
        assert!(history(&db, &officer_of(WEST), subject).await.unwrap().is_none());
    }

    async fn a_death_recorded_by_mistake_is_taken_back_and_the_mistake_stays_on_record(db: Db, clock: Arc<TestClock>) {
        let (id, person) = alone(&db).await;
        let mut tx = db.begin().await.unwrap();
        let refused = people::record_death(&mut tx, &district(), person, day("2026-06-02"), "公安").await.unwrap();
        assert_eq!(refused, Err(people::ChangeRefused::DeathDateImpossible));
        people::record_death(&mut tx, &district(), person, day("2026-05-20"), "公安").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mistaken = db.now();
        clock.advance(TimeDelta::days(1));
        let mut tx = db.begin().await.unwrap();
        people::withdraw_death(&mut tx, &district(), person).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(!sheet(&db, id, None).await.members[0].contains_key("died_on"));
        assert!(sheet(&db, id, Some(mistaken)).await.members[0].contains_key("died_on"));
        assert_eq!(people::person(&db, &district(), person).await.unwrap().unwrap().died_on, None);
    }

    async fn a_fact_without_source_or_against_the_register_is_refused(db: Db) {
        let (_, person) = alone(&db).await;
        let subject = Subject::Person(person);
        let mut tx = db.begin().await.unwrap();
        let table = [
            ("wage", said(1, Period::ALWAYS, " "), Refused::SourceMissing),
            (" ", said(1, Period::ALWAYS, "社保"), Refused::NameMissing),
            ("died_on", said(1, Period::ALWAYS, "社保"), Refused::KeptByTheRegister),
            ("wage", said(1, Period { from: Some(day("2026-05-01")), until: Some(day("2026-05-01")) }, "社保"), Refused::PeriodReversed),
        ];
        for (fact, given, refused) in table {
            assert_eq!(record_fact(&mut tx, &district(), subject, fact, given).await.unwrap(), Err(refused));
        }
        let unseen = record_fact(&mut tx, &officer_of(WEST), subject, "wage", said(1, Period::ALWAYS, "社保")).await.unwrap();
        assert_eq!(unseen, Err(Refused::NotFound));
        tx.rollback().await.unwrap();
    }

    async fn facts_cannot_be_changed_behind_the_registers_back(db: Db) {
        use sea_orm::ConnectionTrait;
        let (_, person) = alone(&db).await;
        record(&db, Subject::Person(person), "wage", said(1, Period::ALWAYS, "社保")).await;
        for statement in ["update registry_fact set source = 'x'", "delete from registry_fact"] {
            let tx = db.begin().await.unwrap();
            assert!(tx.conn().execute_unprepared(statement).await.is_err(), "{statement}");
            tx.rollback().await.unwrap();
        }
    }

    // Random acts, a moment in between: what was answered at each moment is answered for ever.
    async fn later_facts_never_change_what_was_known_before(db: Db, clock: Arc<TestClock>) {
        let (id, person) = alone(&db).await;
        let act = (0..4_u8, 0..3_usize, proptest::option::of(1..28_u32), proptest::option::of(1..28_u32), 0..5_i64);
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let acts = proptest::collection::vec(act, 40).new_tree(&mut runner).unwrap().current();
        let mut answers: Vec<(DateTime<Utc>, FactSheet)> = Vec::new();
        for (what, source, from, until, value) in acts {
            let source = ["社保", "银行", "本人申报"][source];
            let may = |d: Option<u32>| d.map(|d| chrono::NaiveDate::from_ymd_opt(2026, 5, d).unwrap());
            let period = Period { from: may(from), until: may(until).filter(|u| may(from).is_none_or(|f| f < *u)) };
            let mut tx = db.begin().await.unwrap();
            let subject = if what == 0 { Subject::Household(id) } else { Subject::Person(person) };
            match what {
                3 => {
                    withdraw_fact(&mut tx, &district(), subject, "wage", source, period).await.unwrap().unwrap();
                }
                _ => {
                    record_fact(&mut tx, &district(), subject, "wage", said(value, period, source)).await.unwrap().unwrap();
                }
            }
            tx.commit().await.unwrap();
            answers.push((db.now(), sheet(&db, id, None).await));
            clock.advance(TimeDelta::minutes(1));
        }
        for (moment, answer) in &answers {
            assert_eq!(&sheet(&db, id, Some(*moment)).await, answer);
        }
        // Within one source no two values speak of the same day.
        let last = &answers.last().unwrap().1;
        for facts in last.members[0].values() {
            for (n, a) in facts.iter().enumerate() {
                let clash = facts[n + 1..].iter().any(|b| a.source == b.source && a.period.overlaps(&b.period));
                assert!(!clash, "{facts:?}");
            }
        }
        assert_eq!(kin("02").name_zh(), "户主");
    }
}
