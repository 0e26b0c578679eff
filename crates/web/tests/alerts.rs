//! Alerts on the pages (预警页面), without a script, on both databases: seen in one's own place, answered with grounds, never twice.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::{Role, Scope};
use axum::http::StatusCode;
use house::{BESIDE, HERE, House, id_number, migrations, region};
use std::collections::BTreeMap;
use store::Db;
use verify::alert::file::{Finding, file};
use verify::alert::{Rules, Sides};
use vocab::Money;
use vocab::ids::PersonId;

/// Somebody in payment, and the finding that the police know of a death.
async fn found(house: &House, person: PersonId, name: &str) {
    let db = &house.app.db;
    let scope = Scope::system(region("990101"));
    let book = &house.app.desk.book;
    let rules = Rules::of(book, &verify::at_hand::sources_of(book).unwrap()).unwrap();
    let rule = rules.get("paid_after_death").unwrap();
    let today = db.today();
    let mut tx = db.begin().await.unwrap();
    let new = ledger::NewEntitlement {
        decision: vocab::ids::DecisionId(tx.new_id()),
        programme: "old_age_allowance".to_owned(),
        payee: person,
        household: None,
        region: region(HERE),
        amount: Money::from_fen(20_000),
        covered: vec![person],
        from: vocab::Month::of(today),
        until: None,
        excludes: Vec::new(),
        part: String::new(),
    };
    let right = ledger::entitle(&mut tx, &scope, &new)
        .await
        .unwrap()
        .unwrap();
    let one = Finding {
        key: format!("paid_after_death {person}"),
        rule: rule.id.clone(),
        region: region(HERE),
        person,
        name: name.to_owned(),
        household: None,
        entitlement: right,
        sides: Sides {
            programmes: vec!["old_age_allowance".to_owned()],
            paid: Money::from_fen(20_000),
            from: "2026-06".to_owned(),
            said: Some("2026-05-20".to_owned()),
            // Of a source the rules do not know any more.
            source: Some(("gone".to_owned(), "death".to_owned(), today)),
            people: vec![person],
            ..Sides::default()
        },
    };
    let due = BTreeMap::from([("paid_after_death", (rule, today + chrono::Days::new(3)))]);
    file(&mut tx, &scope, &[one], &due, today).await.unwrap();
    tx.commit().await.unwrap();
}

fixtures::db_tests! {
    migrations = migrations();

    async fn an_alert_is_seen_in_its_place_answered_with_grounds_and_journalled(db: Db) {
        let house = House::over(db).await;
        for (login, role, place) in [
            ("chuangkou", Role::WindowOfficer, HERE),
            ("linshe", Role::WindowOfficer, BESIDE),
            ("shenhe", Role::StreetReviewer, "990101001"),
            ("shenji", Role::Auditor, "990101"),
            ("caiwu", Role::Finance, "990101"),
        ] {
            house.officer(login, &[(role, place)]).await;
        }
        let person = house.person("金福", &id_number("19400301", 12), HERE).await;
        house.household(person, &[], HERE).await;
        found(&house, person, "金福").await;

        let mut street = house.signed_in("shenhe").await;
        assert!(street.get("/").await.holds("预警：有 1 条待核实"));
        let list = street.get("/alerts?severity=high&sort=due").await;
        assert!(list.holds("死亡后仍在发") && list.holds("金*") && !list.holds("金福") && list.holds("还有 3 天"), "{}", list.text());
        let mut window = house.signed_in("chuangkou").await;
        window.get("/alerts").await;
        let id = window.find("href=\"/alerts/", '"').filter(|id| !id.contains('?')).unwrap();
        let path = format!("/alerts/{id}");
        let page = street.get(&path).await;
        assert!(page.holds("2026-05-20") && page.holds("200.00"), "{}", page.text());
        assert!(!page.holds("查不到这一户的任何人"), "{}", page.text());
        assert!(page.holds("向家属和村（社区）核实") && !page.holds("金福"), "{}", page.text());

        // Beside, nothing of it exists; the auditor looks and changes nothing; finance has no business here.
        let mut beside = house.signed_in("linshe").await;
        assert!(!beside.get("/").await.holds("预警：有"));
        assert!(beside.get("/alerts?state=all").await.holds("没有这样的预警"));
        assert_eq!(beside.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(beside.post(&format!("{path}/dismiss"), &[("why", "越权")]).await.status, StatusCode::NOT_FOUND);
        let mut auditor = house.signed_in("shenji").await;
        assert_eq!(auditor.get(&path).await.status, StatusCode::OK);
        assert_eq!(auditor.post(&format!("{path}/dismiss"), &[("why", "看看")]).await.status, StatusCode::FORBIDDEN);
        let mut finance = house.signed_in("caiwu").await;
        assert_eq!(finance.get("/alerts").await.status, StatusCode::FORBIDDEN);

        // Nothing is connected here: nobody's number is opened to show nothing.
        let shown = street.post(&format!("{path}/evidence"), &[("purpose", "核实死亡预警")]).await;
        assert!(shown.holds("没有收到这个部门的数据"), "{}", shown.text());
        let opened = store::journal::Filter { act: Some("person.reveal".to_owned()), ..store::journal::Filter::default() };
        assert_eq!(store::journal::page(&house.app.db, &opened, 0, 10).await.unwrap().total, 0);

        // A payment without a case has nothing to hand over to; without grounds nothing is closed; closed is closed.
        assert!(street.post(&format!("{path}/hand-over"), &[("grounds", "属实")]).await.holds("没有在发的办件可以复核"));
        assert!(street.post(&format!("{path}/dismiss"), &[("why", " ")]).await.holds("请写明核实的情况和依据"));
        let done = street.post(&format!("{path}/dismiss"), &[("why", "已见本人，公安登记同名有误")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert!(street.get(&path).await.holds("已见本人，公安登记同名有误"));
        assert!(street.post(&format!("{path}/dismiss"), &[("why", "再次")]).await.holds("已经办结"));
        assert!(!street.get("/").await.holds("预警：有"));
        assert!(street.get("/alerts?state=dismissed").await.holds("金*"));
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 100).await.unwrap();
        for act in ["verify.alerts", "verify.alert.read", "verify.alert"] {
            assert!(entries.rows.iter().any(|entry| entry.event.act == act), "{act}");
        }
        // In English every word is there.
        street.post("/preferences", &[("lang", "en")]).await;
        assert!(street.get("/alerts?state=all").await.holds("Paid after death"));
    }

    async fn many_alerts_are_answered_at_once_with_grounds(db: Db) {
        let house = House::over(db).await;
        house.officer("shenhe", &[(Role::StreetReviewer, "990101001")]).await;
        for order in 1..=2 {
            let person = house.person("金福", &id_number("19400301", order), HERE).await;
            house.household(person, &[], HERE).await;
            found(&house, person, "金福").await;
        }
        let mut street = house.signed_in("shenhe").await;
        assert!(street.get("/alerts").await.holds("记为核实无误"));
        let all = [("act", "dismiss"), ("query", ""), ("all", "1")];
        let empty = street.post("/lists/alerts/bulk", &all).await;
        assert!(empty.holds("2 条不能办") && empty.holds("请写明核实的情况和依据"), "{}", empty.text());
        let said = [&all[..], &[("why", "已见本人")]].concat();
        let preview = street.post("/lists/alerts/bulk", &said).await;
        assert!(preview.holds("可以办 2 条，0 条不能办"), "{}", preview.text());
        let ids: Vec<String> = preview.text().split("name=\"row\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect();
        let sure = [("act", "dismiss"), ("sure", "1"), ("query", ""), ("why", "已见本人"), ("row", ids[0].as_str()), ("row", ids[1].as_str())];
        assert!(street.post("/lists/alerts/bulk", &sure).await.holds("办好 2 条，0 条没有办成"));
        assert!(street.get("/alerts?state=dismissed").await.holds("共 2 条"));
    }
}
