//! The page of statistics (统计页) over HTTP: every number has its list, and the list has the same count.
#![expect(clippy::unwrap_used, reason = "a test stops at what is not there")]

mod house;

use access::{Role, Scope};
use axum::http::StatusCode;
use casework::take_over::TakeOver;
use house::{HERE, House, id_number, migrations, region};
use ledger::NewPayRun;
use std::collections::BTreeMap;
use store::Db;
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Money, Month, Region};

/// The other community of the street.
const THERE: &str = "990101001002";

fn nation() -> Scope {
    Scope::system(Region::NATION)
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Somebody old who lives alone.
async fn elder(house: &House, order: u32, at: &str) -> (HouseholdId, PersonId) {
    let number = id_number("19360101", order);
    let person = house.person("陈阿婆", &number, at).await;
    (house.household(person, &[], at).await, person)
}

async fn take_over(house: &House, some: &[(HouseholdId, PersonId)], on: &str) {
    let desk = &house.app.desk;
    let many: Vec<TakeOver> = some
        .iter()
        .map(|(household, person)| TakeOver {
            household: *household,
            member: Some(*person),
            programme: "old_age_allowance".to_owned(),
            applicant: *person,
            decided_on: on.parse().unwrap(),
            old_number: format!("旧〔2024〕{person}号"),
            amount: Money::from_fen(12_345),
            from: month("2026-05"),
            covered: Vec::new(),
        })
        .collect();
    let mut tx = house.app.db.begin().await.unwrap();
    let answers = casework::take_over::take_over(&mut tx, &nation(), desk, &many)
        .await
        .unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    tx.commit().await.unwrap();
}

/// A house with twelve elders here and three there, taken over in May and June, and paid for May and June.
async fn lived(db: Db) -> House {
    let house = House::over(db).await;
    for (login, role, at) in [
        ("district", Role::DistrictApprover, "990101"),
        ("rules", Role::RuleOfficer, "990101"),
        ("window", Role::WindowOfficer, HERE),
    ] {
        house.officer(login, &[(role, at)]).await;
    }
    let first = house.officer("fin-a", &[(Role::Finance, "990101")]).await;
    let second = house.officer("fin-b", &[(Role::Finance, "990101")]).await;
    let mut all = Vec::new();
    for order in 1..=15 {
        all.push(elder(&house, order, if order <= 12 { HERE } else { THERE }).await);
    }
    take_over(&house, &all[..5], "2026-05-20").await;
    take_over(&house, &all[5..], "2026-06-01").await;
    let scope = |officer| Scope {
        actor: access::Actor::officer(officer, "财务", vec![(Role::Finance, region("990101"))]),
        ..Scope::system(region("990101"))
    };
    for text in ["2026-05", "2026-06"] {
        let new = NewPayRun {
            month: month(text),
            region: region("990101"),
            programmes: None,
        };
        let mut tx = house.app.db.begin().await.unwrap();
        let run = ledger::propose(&mut tx, &scope(first), &new, &ledger::Obstacles::default())
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        ledger::release(
            &house.app.db,
            &scope(second),
            run.id,
            text,
            &ledger::Obstacles::default(),
        )
        .await
        .unwrap()
        .unwrap();
    }
    batch::statistics::keep_up(&house.app.db).await.unwrap();
    house
}

/// The links of a page to a list, with what stands in them.
fn numbers(page: &str) -> Vec<(String, String)> {
    let lists = [
        "/cases?",
        "/pay-lines?",
        "/rights?",
        "/leads?",
        "/alerts?",
        "/duplicates?",
        "/enquiries?",
    ];
    page.split("<a ")
        .skip(1)
        .filter_map(|rest| {
            let (attributes, rest) = rest.split_once('>')?;
            let href = attributes.split("href=\"").nth(1)?.split('"').next()?;
            let (text, _) = rest.split_once("</a>")?;
            let said = text
                .rsplit("<strong>")
                .next()?
                .trim_end_matches("</strong>")
                .trim();
            let listed = lists.iter().any(|list| href.starts_with(list));
            listed.then(|| (href.replace("&amp;", "&"), said.to_owned()))
        })
        .collect()
}

fn between<'a>(page: &'a str, from: &str, until: &str) -> &'a str {
    let at = page
        .find(from)
        .unwrap_or_else(|| panic!("no {from} in {page}"));
    page[at + from.len()..].split(until).next().unwrap()
}

/// The numbers a list proves: how many rows it has, and what it adds up to.
fn proof(list: &str, href: &str) -> Vec<String> {
    let sums = if href.starts_with("/pay-lines") {
        let sums = between(list, "合计 ", "</p>");
        let (lines, rest) = sums.split_once(" 笔，").unwrap();
        let (persons, money) = rest.split_once(" 人，实发 ").unwrap();
        vec![lines, persons, money.trim_end_matches(" 元")]
    } else if href.starts_with("/rights") {
        let sums = between(list, " 在发 ", "</p>");
        let (rights, rest) = sums.split_once(" 项，保障 ").unwrap();
        let (persons, money) = rest.split_once(" 人次，每月 ").unwrap();
        vec![rights, persons, money.trim_end_matches(" 元")]
    } else {
        vec![between(list, "共 ", " 条")]
    };
    assert_eq!(between(list, "共 ", " 条"), sums[0], "{href}");
    sums.into_iter().map(str::to_owned).collect()
}

fixtures::db_tests! {
    migrations = migrations();

    async fn every_number_opens_the_list_that_proves_it_with_the_same_count(db: Db) {
        let house = lived(db).await;
        let mut district = house.signed_in("district").await;
        let mut followed = BTreeMap::new();
        for path in [
            "/statistics".to_owned(),
            "/statistics?month=2026-05".to_owned(),
            "/statistics?region=990101001000".to_owned(),
            format!("/statistics?region={HERE}&programme=old_age_allowance"),
        ] {
            let page = district.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.text());
            for (href, text) in numbers(&page.text()) {
                let proof = proof(&district.get(&href).await.text(), &href);
                assert!(proof.contains(&text), "{path}: {href} says {text}, its list {proof:?}");
                let list = href.split('?').next().unwrap_or_default().to_owned();
                *followed.entry(list).or_insert(0) += 1;
            }
        }
        assert!(["/cases", "/pay-lines", "/rights"].iter().all(|list| followed[*list] >= 12), "{followed:?}");

        // Fifteen people, 123.45 yuan each: 15 × 123.45 = 1,851.75. Handed in: five in May, ten in June.
        let june = district.get("/statistics").await;
        assert!(june.holds("1,851.75") && june.holds("上月 5"), "{}", june.text());
        let file = district.get("/statistics/export").await;
        assert!(file.status == StatusCode::OK && file.body.starts_with(b"PK"));
    }

    async fn the_page_reads_the_aggregates_and_no_person_case_or_payment(db: Db) {
        use store::orm::ConnectionTrait;
        let house = lived(db).await;
        let mut finance = house.signed_in("fin-a").await;
        assert!(finance.get("/statistics").await.holds("1,851.75"));
        let tx = house.app.db.begin().await.unwrap();
        for (room, tables) in [
            ("registry", &["person", "household"][..]),
            ("casework", &["case"]),
            ("ledger", &["pay_line", "entitlement"]),
            ("batch", &["share"]),
        ] {
            for table in tables {
                let gone = format!("ALTER TABLE {room}_{table} RENAME TO gone_{table}");
                tx.conn().execute_unprepared(&gone).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        let page = finance.get("/statistics").await;
        assert!(page.status == StatusCode::OK && page.holds("1,851.75"), "{}", page.text());
        assert_ne!(finance.get("/pay-lines").await.status, StatusCode::OK, "the lists do need them");
    }

    async fn who_may_not_see_persons_sees_no_small_number_and_none_to_work_it_out(db: Db) {
        let house = lived(db).await;
        let mut rules = house.signed_in("rules").await;
        // Three of fifteen live there, twelve here: neither is shown, or one could be taken from the other's total.
        let page = rules.get("/statistics?region=990101001000&programme=old_age_allowance").await;
        let text = page.text();
        assert!(page.holds("＊") && page.holds("少于 10 的数"), "{text}");
        let rows: Vec<&str> = text.split("<tr").filter(|row| row.contains(&format!("region={HERE}")) || row.contains(&format!("region={THERE}"))).collect();
        assert_eq!(rows.len(), 2, "{text}");
        for row in rows {
            assert!(!row.contains(">12<") && !row.contains(">3<") && !row.contains("370.35"), "{row}");
        }
        assert!(numbers(&text).is_empty(), "no list of persons is offered");
        // The community's own page does not tell either.
        let there = rules.get(&format!("/statistics?region={THERE}")).await;
        assert!(there.holds("＊") && !there.holds("370.35"), "{}", there.text());
        // Five in May are few, wherever one looks; fifteen paid are not.
        let may = rules.get("/statistics?month=2026-05").await;
        assert!(may.holds("1,851.75") && may.holds("＊") && !may.holds(">5<"), "{}", may.text());
    }

    async fn a_community_sees_itself_and_nothing_beside_it(db: Db) {
        let house = lived(db).await;
        let mut window = house.signed_in("window").await;
        let page = window.get("/statistics").await;
        // Twelve of the fifteen: 12 × 123.45 = 1,481.40.
        assert!(page.holds("1,481.40") && !page.holds("1,851.75"), "{}", page.text());
        for elsewhere in [THERE, "990101001000", "990101"] {
            let answer = window.get(&format!("/statistics?region={elsewhere}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{elsewhere}");
        }
        let mut browser = house.browser();
        assert_eq!(browser.get("/statistics").await.status, StatusCode::SEE_OTHER);
    }

    async fn the_cockpit_shows_what_is_in_payment_and_every_number_opens_its_list(db: Db) {
        let house = lived(db).await;
        let mut district = house.signed_in("district").await;
        let page = district.get("/cockpit").await;
        let text = page.text();
        assert_eq!(page.status, StatusCode::OK, "{text}");
        // Dark on the wall, renewed by script; and by the browser where it was asked to.
        assert!(text.contains("data-theme=\"dark\"") && text.contains("data-renew=\"60\""), "{text}");
        let figures: Vec<(String, String)> = numbers(&text);
        for (href, said) in &figures {
            let list = district.get(href).await;
            assert_eq!(list.status, StatusCode::OK, "{href}");
            let list = list.text();
            if said == "0" {
                assert!(!list.contains("<tbody>"), "{href} says nought");
                continue;
            }
            let proof = proof(&list, href);
            assert!(proof.contains(said), "{href} says {said}, its list {proof:?}");
        }
        // Fifteen rights of 123.45 yuan in June, and since May; paid in both months: 2 × 1,851.75 = 3,703.50.
        for (list, said) in [("/rights?month=2026-06", "15"), ("/rights?month=2026-05", "15"), ("/rights?month=2026-06", "1,851.75"),
            ("/pay-lines?released=1&region=990101000000&month_from=2026-01&month_to=2026-06", "3,703.50")] {
            assert!(figures.iter().any(|(href, text)| href.starts_with(list) && text == said), "{list} {said} in {figures:?}");
        }
        assert!(!figures.iter().any(|(href, _)| href.starts_with("/rights?month=2026-04")), "nobody before May");
        let renewed = district.get("/cockpit?renew=1").await;
        assert_eq!(renewed.headers.get("refresh").map(|value| value.to_str().unwrap()), Some("60"));
        assert!(page.headers.get("refresh").is_none());
    }

    async fn the_cockpit_of_who_may_not_see_persons_hides_small_numbers_and_offers_no_list(db: Db) {
        let house = lived(db).await;
        let mut rules = house.signed_in("rules").await;
        let text = rules.get("/cockpit?region=990101001000").await.text();
        assert!(text.contains("＊") && numbers(&text).is_empty(), "{text}");
        assert!(!text.contains(">12<") && !text.contains(">3<") && !text.contains("370.35"), "{text}");
        let mut window = house.signed_in("window").await;
        let text = window.get("/cockpit").await.text();
        // Twelve of the fifteen, and no way to the places beside.
        assert!(text.contains("1,481.40") && !text.contains("1,851.75"), "{text}");
        assert_eq!(window.get(&format!("/cockpit?region={THERE}")).await.status, StatusCode::NOT_FOUND);
    }
}
