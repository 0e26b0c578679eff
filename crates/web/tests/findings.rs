//! Findings of other departments on a case, and two officers in one draft (核对发现、同时填写), over HTTP and without script.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

mod house;
#[path = "../../casework/tests/desk/town.rs"]
#[expect(
    dead_code,
    reason = "the walk of casework's own tests; this file goes a part of it"
)]
mod town;

use access::Role;
use axum::http::StatusCode;
use house::{Browser, House, migrations};
use std::sync::Arc;
use store::{Db, TestClock};
use town::{HOME, NEXT, Town};

async fn staffed(town: &Town) -> House {
    let house = House::ruled_by(
        town.db.clone(),
        Arc::new(town.desk.clone()),
        web::WebConfig::default(),
    )
    .await;
    house
        .officer("chuangkou", &[(Role::WindowOfficer, HOME)])
        .await;
    house
        .officer("shenhe", &[(Role::StreetReviewer, "440306017")])
        .await;
    house
        .officer("linshe", &[(Role::WindowOfficer, NEXT)])
        .await;
    house.officer("shenji", &[(Role::Auditor, "440306")]).await;
    house
}

/// What a field of the page seen last holds.
fn value_of(browser: &Browser, name: &str) -> Option<String> {
    browser.find(&format!("name=\"{name}\" type=\"text\" value=\""), '"')
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_finding_is_tried_out_recorded_with_its_paper_and_taken_back(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        let house = staffed(&town).await;
        let mut officer = house.signed_in("shenhe").await;
        let path = format!("/cases/{case}/findings");
        let on_case = officer.get(&format!("/cases/{case}")).await;
        assert!(on_case.holds("申报与核对没有不一致") && on_case.holds(&path), "{}", on_case.text());
        let page = officer.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.holds("申报与核对对照") && page.holds("还有成年人没有签核对授权"), "{}", page.text());

        // The form follows the fact: money here, with what is declared above it.
        let about = family.widow.to_string();
        let form = officer.get(&format!("{path}?about={about}&fact=deposits")).await;
        assert!(form.holds("name=\"value\"") && form.holds("inputmode=\"decimal\"") && form.holds("先试算"), "{}", form.text());
        let vehicles = officer.get(&format!("{path}?about={about}&fact=vehicles")).await;
        assert!(vehicles.holds("本人申报：0") && vehicles.holds("inputmode=\"numeric\""), "{}", vehicles.text());
        let register_keeps = officer.get(&format!("{path}?about={about}&fact=birth_date")).await;
        assert!(!register_keeps.holds("name=\"value\""), "what the register keeps is not found out here");

        let base = [("about", about.as_str()), ("fact", "deposits"), ("source", "银行")];
        let with = |more: &[(&'static str, &'static str)]| {
            base.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>()
        };
        let tried = officer.upload(&path, &with(&[("value", "5000"), ("go", "try")]), ("file", "", b"")).await;
        assert_eq!(tried.status, StatusCode::OK, "{}", tried.text());
        assert!(tried.holds("没有记入") && tried.holds("记入前") && tried.holds("记入后") && tried.holds("会改变的条件"), "{}", tried.text());
        assert!(tried.holds("待核实") && tried.holds("3,375.00"), "{}", tried.text());
        assert!(value_of(&officer, "value").is_some() || tried.holds("value=\"5000\""), "what was typed stands");

        let unauthorised = officer.upload(&path, &with(&[("value", "5000"), ("number", "函1"), ("go", "take")]), ("file", "", b"")).await;
        assert!(unauthorised.status == StatusCode::UNPROCESSABLE_ENTITY && unauthorised.holds("没有有效的核对授权"), "{}", unauthorised.text());
        town.authorise(&family).await;
        let bare = officer.upload(&path, &with(&[("value", "5000"), ("go", "take")]), ("file", "", b"")).await;
        assert!(bare.holds("href=\"#number\"") && bare.holds("value=\"5000\""), "{}", bare.text());
        let taken = officer.upload(&path, &with(&[("value", "5000"), ("go", "take")]), ("file", "h.pdf", b"%PDF-1.7 answer")).await;
        assert_eq!(taken.location(), format!("{path}?done=found"), "{}", taken.text());
        let page = officer.follow(&taken.location()).await;
        assert!(page.holds("已记入核对发现") && page.holds("5,000.00 元") && page.holds("银行"), "{}", page.text());
        let file = officer.find("href=\"/files/", '"').expect("a link to the paper");
        assert_eq!(officer.get(&format!("/files/{file}")).await.body, b"%PDF-1.7 answer");

        // One that differs from what was declared is named on the case.
        let car = [("about", about.as_str()), ("fact", "vehicles"), ("value", "1"), ("source", "交警"), ("number", "函2"), ("go", "take")];
        officer.get(&path).await;
        assert!(officer.upload(&path, &car, ("file", "", b"")).await.location().ends_with("done=found"));
        let on_case = officer.get(&format!("/cases/{case}")).await;
        assert!(on_case.holds("申报与核对不一致 1 项") && on_case.holds("记入核对发现"), "{}", on_case.text());
        officer.get(&path).await;
        let wrong = [("about", about.as_str()), ("fact", "vehicles"), ("source", "交警"), ("from", ""), ("until", "")];
        let unreasoned = officer.post(&format!("{path}/withdraw"), &wrong).await;
        assert!(unreasoned.status == StatusCode::UNPROCESSABLE_ENTITY && unreasoned.holds("请写明撤回的理由"), "{}", unreasoned.text());
        let mut right = wrong.to_vec();
        right.push(("reason", "车辆已报废"));
        assert!(officer.post(&format!("{path}/withdraw"), &right).await.location().ends_with("done=withdrawn"));
        let on_case = officer.get(&format!("/cases/{case}")).await;
        assert!(on_case.holds("车辆已报废") && on_case.holds("撤回核对发现") && on_case.holds("申报与核对没有不一致"), "{}", on_case.text());

        // English; the auditor looks at cases and records nothing; the next community sees neither.
        let form = web::fields::Fields::new().with("csrf", &officer.token()).with("lang", "en");
        officer.post_raw("/preferences", &form).await;
        assert!(officer.get(&path).await.holds("Declared and found"));
        let mut auditor = house.signed_in("shenji").await;
        assert_eq!(auditor.get(&path).await.status, StatusCode::FORBIDDEN);
        let mut beside = house.signed_in("linshe").await;
        assert_eq!(beside.get(&path).await.status, StatusCode::NOT_FOUND);
        beside.get("/help").await;
        assert_eq!(beside.upload(&path, &car, ("file", "", b"")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(beside.post(&format!("{path}/withdraw"), &right).await.status, StatusCode::NOT_FOUND);
    }

    async fn two_officers_in_one_draft_lose_nothing(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let family = town.widow().await;
        let draft = town.draft(family.household, &["dibao"], &town.declared(&family)).await;
        let house = staffed(&town).await;
        let (mut first, mut second) = (house.signed_in("chuangkou").await, house.signed_in("shenhe").await);
        let path = format!("/drafts/{draft}");
        let (houses, vehicles) = ("h.houses".to_owned(), format!("m.{}.vehicles", family.widow));
        let securities = format!("m.{}.securities", family.widow);

        // The page that asks for all three, opened by both.
        first.get(&path).await;
        let steps: Vec<String> = first
            .page()
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|href| href.contains("?step="))
            .map(str::to_owned)
            .collect();
        let mut step = None;
        for one in &steps {
            let page = first.get(one).await;
            if [&houses, &vehicles, &securities].iter().all(|name| page.holds(&format!("name=\"{name}\""))) {
                step = one.split("step=").nth(1).map(str::to_owned);
                break;
            }
        }
        let step = step.expect("a page of property");
        let open = format!("{path}?step={step}");
        let version = {
            first.get(&open).await;
            first.find("name=\"version\" value=\"", '"').unwrap()
        };
        let send = |houses_value: &str, vehicles_value: &str, securities_value: &str| {
            vec![
                ("version".to_owned(), version.clone()),
                ("step".to_owned(), step.clone()),
                ("go".to_owned(), "stay".to_owned()),
                (houses.clone(), houses_value.to_owned()),
                (vehicles.clone(), vehicles_value.to_owned()),
                (securities.clone(), securities_value.to_owned()),
            ]
        };
        let fields = |all: &[(String, String)]| -> Vec<(String, String)> { all.to_vec() };
        async fn post(browser: &mut Browser, path: &str, all: &[(String, String)]) -> house::Answer {
            let pairs: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            browser.post(path, &pairs).await
        }
        second.get(&open).await;

        // The reviewer: a second house, and one car.
        let saved = post(&mut second, &path, &fields(&send("2", "1", "0"))).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        // The window, on the page opened before: securities changed, houses and cars untouched: put together, unasked.
        let merged = post(&mut first, &path, &fields(&send("1", "0", "300"))).await;
        assert!(merged.location().contains("merged=1"), "{} {}", merged.location(), merged.text());
        let page = first.follow(&merged.location()).await;
        assert!(page.holds("已与您填的合在一起保存") && page.holds("官员shenhe"), "{}", page.text());
        let answers = casework::draft::draft(&town.db, &town.window, draft).await.unwrap().unwrap().answers;
        let value = |answers: &casework::draft::Answers, name: &str| match name {
            "houses" => answers.household["houses"].value.clone(),
            other => answers.members[&family.widow][other].value.clone(),
        };
        let all = |answers: &casework::draft::Answers| ["houses", "vehicles", "securities"].map(|name| value(answers, name));
        assert_eq!(all(&answers), [vocab::Value::Int(2), vocab::Value::Int(1), vocab::Value::Int(30_000)]);

        // Now both change the houses, each to something else, from the old page: asked, and nothing saved.
        let asked = post(&mut first, &path, &fields(&send("3", "0", "300"))).await;
        assert_eq!(asked.status, StatusCode::CONFLICT, "{}", asked.text());
        assert!(asked.holds("同一项两人都改了") && asked.holds("原来是：1") && asked.holds("官员shenhe 填的"), "{}", asked.text());
        assert!(asked.holds(&format!("name=\"{houses}\" value=\"3\"")) && asked.holds(&format!("name=\"{houses}\" value=\"2\"")), "{}", asked.text());
        assert_eq!(all(&casework::draft::draft(&town.db, &town.window, draft).await.unwrap().unwrap().answers), all(&answers));
        // Everything else of the page goes along: the other's car, as he left it, and my securities.
        let now = first.find("name=\"version\" value=\"", '"').unwrap();
        let carried = |name: &str| first.find(&format!("name=\"{name}\" value=\""), '"');
        assert_eq!((carried(&vehicles).as_deref(), carried(&securities).as_deref()), (Some("1"), Some("300.00")));
        let mut chosen = send("3", "1", "300");
        chosen[0].1 = now;
        let kept = post(&mut first, &path, &chosen).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.text());
        let answers = casework::draft::draft(&town.db, &town.window, draft).await.unwrap().unwrap().answers;
        assert_eq!(all(&answers), [vocab::Value::Int(3), vocab::Value::Int(1), vocab::Value::Int(30_000)]);

        // Saving by itself never puts together: the page would not show what came in.
        let stale = post(&mut first, &format!("{path}/save"), &send("5", "0", "0")).await;
        assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text());
    }
}
