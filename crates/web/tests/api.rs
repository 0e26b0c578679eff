//! The interface for programs (程序接口): keys, lists, acts once and not twice, problems, the description and its examples.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::api_key::{self, NewKey};
use access::{Permission as P, Role, Scope};
use axum::http::StatusCode;
use chrono::Duration;
use house::{Answer, BESIDE, Browser, HERE, House, THERE, id_number, migrations, region};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::Db;
use vocab::Region;
use vocab::ids::HouseholdId;
use web::api::examples::EXAMPLES;
use web::{Need, Verb, routes};

const REVIEW: (&str, &str) = ("huimin-purpose", "review");

/// A program with a key.
struct Program {
    browser: Browser,
    secret: String,
}

impl Program {
    async fn call(&mut self, verb: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.secret);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend_from_slice(more);
        if verb == "POST" && !more.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json"));
        }
        self.browser.raw(verb, path, &headers, body).await
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.call("GET", path, &[REVIEW], "").await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &[], &body.to_string()).await
    }

    async fn post_once(&mut self, path: &str, word: &str, body: &Value) -> Answer {
        let word = [("idempotency-key", word)];
        self.call("POST", path, &word, &body.to_string()).await
    }
}

fn read(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", answer.text()))
}

/// A problem as RFC 9457 writes it, with this status and code.
fn is_problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let said = read(answer);
    assert_eq!(said["status"], status, "{said}");
    assert_eq!(said["code"], code, "{said}");
    assert_eq!(said["type"], format!("/api#{code}"));
    assert!(
        said["title"].is_string() && said["detail"].is_string(),
        "{said}"
    );
    assert_eq!(
        said["request"],
        answer.headers["x-request-id"].to_str().unwrap()
    );
    said
}

/// A key of a new program; the permissions are the role's own if none are named.
async fn key(
    house: &House,
    login: &str,
    role: Role,
    at: &str,
    permissions: &[P],
    a_minute: i64,
) -> (uuid::Uuid, Program) {
    let own = access::TABLE
        .iter()
        .filter(|(one, roles, _)| roles.contains(&role) && api_key::may_be_given(*one));
    let permissions: BTreeSet<P> = if permissions.is_empty() {
        own.map(|(one, ..)| *one).collect()
    } else {
        permissions.iter().copied().collect()
    };
    let new = NewKey {
        login: login.into(),
        name: format!("程序{login}"),
        role,
        region: region(at),
        permissions,
        until: house.app.db.today() + Duration::days(90),
        a_minute,
    };
    let scope = Scope::system(Region::NATION);
    let mut tx = house.app.db.begin().await.unwrap();
    let made = api_key::make(&mut tx, &scope, &house.app.door, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    assert!(made.secret.starts_with("hm_") && made.secret.len() > 50);
    (
        made.id,
        Program {
            browser: house.browser(),
            secret: made.secret,
        },
    )
}

async fn reviewer(house: &House, at: &str) -> Program {
    key(
        house,
        &format!("program-{at}"),
        Role::StreetReviewer,
        at,
        &[],
        6_000,
    )
    .await
    .1
}

async fn household(house: &House, name: &str, order: u32, at: &str) -> HouseholdId {
    let head = house.person(name, &id_number("19540309", order), at).await;
    house.household(head, &[], at).await
}

/// A case of an old person at a place, applied for through the interface itself; its address.
async fn applied(house: &House, window: &mut Program, order: u32, at: &str) -> String {
    let head = house
        .person("张桂芳", &id_number("19400309", order), at)
        .await;
    let home = house.household(head, &[], at).await;
    let started = window
        .post("/api/v1/drafts", &json!({ "household": home }))
        .await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.text());
    let started = read(&started);
    let draft = started["id"].as_str().unwrap().to_owned();
    assert_eq!(started["location"], format!("/drafts/{draft}"));
    let choice = format!("old_age_allowance|{head}");
    let form = json!({ "key": format!("k{order}"), "apply": [choice], "applicant": head });
    let handed_in = window
        .post(&format!("/api/v1/drafts/{draft}/submit"), &form)
        .await;
    assert_eq!(handed_in.status, StatusCode::OK, "{}", handed_in.text());
    let case = read(&handed_in)["id"].as_str().unwrap().to_owned();
    format!("/api/v1/cases/{case}")
}

/// The entries of an act in the journal.
async fn noted(house: &House, act: &str) -> Vec<store::Event> {
    let filter = store::journal::Filter {
        act: Some(act.to_owned()),
        ..Default::default()
    };
    let page = store::journal::page(&house.app.db, &filter, 0, 100)
        .await
        .unwrap();
    page.rows.into_iter().map(|entry| entry.event).collect()
}

/// The code of a case's receipt.
async fn receipt_of(house: &House, case: &str) -> String {
    let id = case.trim_start_matches("/api/v1/cases/").parse().unwrap();
    let scope = Scope::system(Region::NATION);
    let view = casework::view::case(&house.app.db, &scope, &house.app.desk, id)
        .await
        .unwrap()
        .unwrap();
    view.application.receipt_code
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_program_applies_accepts_once_and_hears_the_same_answer_again(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let case = applied(&house, &mut window, 1, HERE).await;
        let seen = read(&window.get(&case).await);
        assert_eq!(seen["kind"], "working", "{seen}");
        assert_eq!(seen["subject"], "张*芳", "masked as on the page");
        assert!(seen["acts"].as_array().unwrap().contains(&json!("accept")), "{seen}");
        let body = json!({ "version": seen["version"] });
        let act = format!("{case}/acts/accept");

        let first = window.post_once(&act, "a-1", &body).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text());
        assert_eq!(read(&first)["done"], "accept");
        assert!(!first.headers.contains_key("idempotency-replayed"));
        let again = window.post_once(&act, "a-1", &body).await;
        assert_eq!((again.status, again.body), (StatusCode::OK, first.body));
        assert_eq!(again.headers["idempotency-replayed"], "true");
        let other = window.post_once(&act, "a-1", &json!({ "version": 999 })).await;
        assert_eq!(is_problem(&other, 422, "invalid")["field"], "Idempotency-Key");
        // Under another word it is done anew, and the page's own refusal comes as a problem.
        let stale = window.post_once(&act, "a-2", &body).await;
        is_problem(&stale, 422, "invalid");
        let kept = window.post_once(&act, "a-2", &body).await;
        assert_eq!(kept.body, stale.body, "a refusal is an answer, too");
        assert_eq!(noted(&house, "casework.accept").await.len(), 1, "done once");
        let now = read(&window.get(&case).await);
        assert!(now["version"].as_i64() > seen["version"].as_i64());

        // Another program's word is its own.
        let mut second = key(&house, "kiosk-2", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let own = second.post_once(&act, "a-1", &body).await;
        is_problem(&own, 422, "invalid");
        assert!(!own.headers.contains_key("idempotency-replayed"));
        let blank = window.post_once(&act, "a 1", &body).await;
        assert_eq!(is_problem(&blank, 422, "invalid")["field"], "Idempotency-Key");
    }

    async fn a_day_later_a_word_is_free_again(db: Db, clock: std::sync::Arc<store::TestClock>) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let nobody = json!({ "household": "00000000-0000-0000-0000-000000000001" });
        is_problem(&window.post_once("/api/v1/drafts", "one", &nobody).await, 404, "not_found");
        let home = json!({ "household": household(&house, "张桂芳", 1, HERE).await });
        is_problem(&window.post_once("/api/v1/drafts", "one", &home).await, 422, "invalid");
        clock.advance(Duration::hours(24) + Duration::seconds(1));
        let free = window.post_once("/api/v1/drafts", "one", &home).await;
        assert_eq!(free.status, StatusCode::OK, "{}", free.text());
    }

    async fn of_twenty_calls_at_once_under_one_word_one_is_carried_out(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let home = household(&house, "张桂芳", 1, HERE).await;
        let body = json!({ "household": home });
        let tried = futures_util::future::join_all((0..20).map(|_| {
            let (secret, browser, body) = (window.secret.clone(), house.browser(), body.clone());
            async move { Program { browser, secret }.post_once("/api/v1/drafts", "one", &body).await }
        }))
        .await;
        let said: BTreeSet<String> = tried.iter().map(Answer::text).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(tried.iter().all(|one| one.status == StatusCode::OK));
        let replayed = tried.iter().filter(|one| one.headers.contains_key("idempotency-replayed")).count();
        assert_eq!(replayed, 19);
        assert_eq!(window.get("/api/v1/cases").await.status, StatusCode::OK);
    }

    async fn a_list_is_cut_by_a_cursor_that_is_good_for_nothing_else(db: Db) {
        let house = House::over(db).await;
        for order in 1..=5 {
            household(&house, "李四", order, HERE).await;
        }
        household(&house, "王五", 9, THERE).await;
        let mut program = reviewer(&house, HERE).await;
        let path = "/api/v1/households?limit=2";
        let mut met = BTreeSet::new();
        let mut next = String::new();
        let mut pages = 0;
        loop {
            let answer = program.get(&format!("{path}{next}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
            let said = read(&answer);
            assert_eq!(said["total"], 5, "the other street's household is not counted");
            for item in said["items"].as_array().unwrap() {
                assert_eq!(item["head_name"], "李*");
                assert!(met.insert(item["id"].as_str().unwrap().to_owned()), "nothing comes twice");
            }
            pages += 1;
            let Some(cursor) = said["next"].as_str() else {
                assert!(!answer.headers.contains_key("link"));
                break;
            };
            let link = answer.headers["link"].to_str().unwrap().to_owned();
            assert_eq!(link, format!("<{path}&cursor={cursor}>; rel=\"next\""));
            next = format!("&cursor={cursor}");
        }
        assert_eq!((met.len(), pages), (5, 3), "two, two, one");

        let cursor = read(&program.get(path).await)["next"].as_str().unwrap().to_owned();
        for wrong in [
            format!("/api/v1/households?text=L&cursor={cursor}"),
            format!("/api/v1/people?cursor={cursor}"),
            "/api/v1/households?cursor=2-0123456789abcdef".to_owned(),
            "/api/v1/households?cursor=".to_owned(),
        ] {
            assert_eq!(is_problem(&program.get(&wrong).await, 422, "invalid")["field"], "cursor", "{wrong}");
        }
        for (wrong, field) in [
            ("limit=0", "limit"), ("limit=201", "limit"), ("limit=+2", "limit"), ("limit=x", "limit"),
            ("page=2", "page"), ("region=990101", "region"), ("text=a&text=b", "text"),
        ] {
            let answer = program.get(&format!("/api/v1/households?{wrong}")).await;
            assert_eq!(is_problem(&answer, 422, "invalid")["field"], field, "{wrong}");
        }
    }

    async fn people_are_told_for_a_purpose_and_the_journal_says_which(db: Db) {
        let house = House::over(db).await;
        household(&house, "张桂芳", 1, HERE).await;
        let mut program = reviewer(&house, HERE).await;
        let silent = program.call("GET", "/api/v1/people?q=zgf", &[], "").await;
        assert_eq!(is_problem(&silent, 422, "invalid")["field"], "Huimin-Purpose");
        for wrong in ["because", "system", "enquiry:"] {
            let answer = program.call("GET", "/api/v1/people", &[("huimin-purpose", wrong)], "").await;
            assert_eq!(is_problem(&answer, 422, "invalid")["field"], "Huimin-Purpose", "{wrong}");
        }
        assert!(noted(&house, "web.api_read").await.is_empty(), "nothing was told");
        let why = ("huimin-purpose", "enquiry:%E4%BF%A1%E8%AE%BF");
        let told = program.call("GET", "/api/v1/people?q=zgf", &[why], "").await;
        let said = read(&told);
        assert_eq!(said["items"][0]["name"], "张*芳", "{said}");
        assert!(!told.holds("13800138000") && !told.holds(&id_number("19540309", 1)), "{said}");
        let noted = noted(&house, "web.api_read").await;
        assert_eq!(noted.len(), 1);
        assert_eq!((noted[0].purpose.as_str(), noted[0].subject_id.as_str()), ("查询：信访", "people"));
        assert_eq!(noted[0].detail["filters"], json!(["q"]));
        assert!(!noted[0].detail.to_string().contains("zgf"), "what was searched for is not kept");
        // What names nobody asks for no purpose.
        assert_eq!(program.call("GET", "/api/v1/programmes", &[], "").await.status, StatusCode::OK);
    }

    async fn a_key_reaches_exactly_what_it_lists_where_it_lists_it(db: Db) {
        let house = House::over(db).await;
        let case = {
            let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
            applied(&house, &mut window, 1, HERE).await
        };
        for role in [Role::StreetReviewer, Role::Finance, Role::Auditor] {
            let login = role.code().replace('_', "-");
            let mut program = key(&house, &login, role, HERE, &[], 6_000).await.1;
            for route in routes().filter(|route| route.is_api()) {
                let path = route.path.replace("{id}", "0").replace("{act}", "accept");
                let answer = match route.verb {
                    Verb::Get => program.get(&path).await,
                    Verb::Post => program.post(&path, &json!({})).await,
                };
                let let_in = match route.need {
                    Need::Public | Need::SignedIn => true,
                    Need::Holds(permission) => permission.roles().contains(&role),
                };
                let forbidden = answer.status == StatusCode::FORBIDDEN;
                assert_eq!(forbidden, !let_in, "{role} {} {path} gave {}", route.verb.text(), answer.text());
                assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
            }
        }
        // Narrower than the role.
        let mut narrow = key(&house, "narrow", Role::StreetReviewer, HERE, &[P::SearchPeople], 6_000).await.1;
        assert_eq!(narrow.get("/api/v1/households").await.status, StatusCode::OK);
        is_problem(&narrow.get("/api/v1/cases").await, 403, "denied");
        // Another community: the case does not exist.
        let mut beside = key(&house, "beside", Role::StreetReviewer, BESIDE, &[], 6_000).await.1;
        is_problem(&beside.get(&case).await, 404, "not_found");
        assert_eq!(read(&beside.get("/api/v1/cases").await)["total"], 0);
        // Pages take no key, and the interface no cookie.
        let page = beside.call("GET", "/cases", &[], "").await;
        assert!(page.location().starts_with("/sign-in"), "{}", page.status);
        house.officer("shenhe", &[(Role::StreetReviewer, HERE)]).await;
        let mut signed_in = house.signed_in("shenhe").await;
        let cookie = signed_in.raw("GET", "/api/v1/cases", &[REVIEW], "").await;
        is_problem(&cookie, 401, "sign_in");
    }

    async fn a_key_revoked_or_ended_or_without_its_role_is_refused_at_the_next_call(db: Db) {
        let house = House::over(db).await;
        let scope = Scope::system(Region::NATION);
        let (id, mut program) = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await;
        assert_eq!(program.get("/api/v1/cases").await.status, StatusCode::OK);
        let one = api_key::one(&house.app.db, &scope, id).await.unwrap().unwrap();
        assert!(one.used_at.is_some() && program.secret.starts_with(&one.prefix));
        assert!(!format!("{one:?}").contains(&program.secret), "the secret is nowhere but with the program");

        let mut tx = house.app.db.begin().await.unwrap();
        let until = house.app.db.today() + Duration::days(30);
        let renewed = api_key::renew(&mut tx, &scope, id, until).await.unwrap().unwrap();
        api_key::revoke(&mut tx, &scope, id).await.unwrap().unwrap();
        let twice = api_key::revoke(&mut tx, &scope, id).await.unwrap();
        assert_eq!(twice, Err(api_key::KeyRefused::NoSuchKey));
        tx.commit().await.unwrap();
        let refused = program.get("/api/v1/cases").await;
        is_problem(&refused, 401, "sign_in");
        assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        // A key that does not hold is told so even where none is needed.
        is_problem(&program.get("/api/v1/programmes").await, 401, "sign_in");

        let mut program = Program { browser: house.browser(), secret: renewed.secret };
        assert_eq!(program.get("/api/v1/cases").await.status, StatusCode::OK, "the other key goes on");
        let mut tx = house.app.db.begin().await.unwrap();
        access::revoke_role(&mut tx, &scope, one.officer, Role::WindowOfficer, region(HERE)).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        is_problem(&program.get("/api/v1/cases").await, 403, "denied");
        let mut tx = house.app.db.begin().await.unwrap();
        access::disable_officer(&mut tx, &scope, one.officer).await.unwrap().unwrap();
        // A program's account has no password, whoever sets one.
        let set = access::set_password(&mut tx, &scope, &house.app.door, one.officer, house::PASSWORD).await.unwrap();
        assert_eq!(set, Err(access::officer::Refused::Machine));
        tx.commit().await.unwrap();
        is_problem(&program.get("/api/v1/programmes").await, 401, "sign_in");
        let acts: Vec<usize> = vec![noted(&house, "access.make_key").await.len(), noted(&house, "access.revoke_key").await.len()];
        assert_eq!(acts, [2, 1], "made and made again, revoked once");
    }

    async fn every_fault_is_a_problem_with_its_code(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        is_problem(&house.browser().raw("GET", "/api/v1/cases", &[], "").await, 401, "sign_in");
        is_problem(&window.get("/api/v1/nothing").await, 404, "not_found");
        is_problem(&window.get("/api/v1/cases/0").await, 404, "not_found");
        let wrong = window.call("DELETE", "/api/v1/cases", &[], "").await;
        is_problem(&wrong, 405, "wrong_verb");
        assert!(wrong.headers["allow"].to_str().unwrap().contains("GET"), "{:?}", wrong.headers);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        is_problem(&window.call("POST", "/api/v1/drafts", &form, "household=1").await, 415, "not_json");
        is_problem(&window.call("POST", "/api/v1/drafts", &[], "{").await, 422, "invalid");
        let long = format!("\"{}\"", "x".repeat(1_100_000));
        is_problem(&window.call("POST", "/api/v1/drafts", &[], &long).await, 413, "too_large");
        for (body, field) in [
            (json!([]), Value::Null),
            (json!({}), json!("household")),
            (json!({ "household": 1 }), json!("household")),
            (json!({ "household": "00000000-0000-0000-0000-000000000001", "csrf": "x" }), json!("csrf")),
            (json!({ "household": "00000000-0000-0000-0000-000000000001", "more": 1 }), json!("more")),
            (json!({ "household": "00000000-0000-0000-0000-000000000001", "programme": "a\u{0}b" }), json!("programme")),
        ] {
            let said = is_problem(&window.post("/api/v1/drafts", &body).await, 422, "invalid");
            assert_eq!(said["field"], field, "{body}");
        }
        // A form's own faults come by field, called as the program called them.
        let case = applied(&house, &mut window, 1, HERE).await;
        let version = read(&window.get(&case).await)["version"].clone();
        let asked = window.post(&format!("{case}/acts/ask_once"), &json!({ "version": version, "items": [] })).await;
        let said = is_problem(&asked, 422, "invalid");
        assert_eq!(said["errors"][0]["field"], "items", "{said}");
        let english = [("accept-language", "en"), REVIEW];
        let said = is_problem(&window.call("GET", "/api/v1/cases?page=2", &english, "").await, 422, "invalid");
        assert!(said["detail"].as_str().unwrap().starts_with("Unknown parameter"), "{said}");
    }

    async fn a_key_has_its_own_number_of_calls_a_minute(db: Db) {
        let house = House::over(db).await;
        let mut program = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 4).await.1;
        let mut other = key(&house, "kiosk-2", Role::WindowOfficer, HERE, &[], 4).await.1;
        // Half of a minute's calls at once, then it waits.
        assert_eq!(program.get("/api/v1/cases").await.status, StatusCode::OK);
        assert_eq!(program.get("/api/v1/cases").await.status, StatusCode::OK);
        let waits = program.get("/api/v1/cases").await;
        is_problem(&waits, 429, "too_many");
        let seconds: u64 = waits.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=15).contains(&seconds), "{seconds}");
        assert_eq!(other.get("/api/v1/cases").await.status, StatusCode::OK, "keys do not share");
    }

    async fn the_administrator_makes_a_key_that_is_shown_once_and_revokes_it(db: Db) {
        let house = House::over(db).await;
        house.officer("guanli", &[(Role::Administrator, "990101")]).await;
        house.officer("shenhe", &[(Role::StreetReviewer, "990101")]).await;
        let mut stranger = house.signed_in("shenhe").await;
        assert_eq!(stranger.get("/keys").await.status, StatusCode::FORBIDDEN);
        let mut admin = house.signed_in("guanli").await;
        assert!(admin.get("/keys").await.holds("还没有程序接入"));
        let until = (house.app.db.today() + Duration::days(30)).to_string();
        let form = [
            ("name", "自助终端"), ("login", "kiosk"), ("role", "window_officer"), ("region", HERE),
            ("permission", "see_cases"), ("permission", "search_people"), ("until", until.as_str()), ("a_minute", "60"),
        ];
        let asked = admin.post("/keys", &form).await;
        assert!(asked.holds("请再次验证身份"), "letting a program in asks who is there: {}", asked.text());
        let proved: Vec<(&str, &str)> = form.iter().copied().chain([("again.shown", house::PASSWORD)]).collect();
        let made = admin.post("/keys", &proved).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let secret = admin.find("id=\"secret\">", '<').expect("the secret is shown");
        let mut program = Program { browser: house.browser(), secret: secret.clone() };
        assert_eq!(program.get("/api/v1/cases").await.status, StatusCode::OK);
        is_problem(&program.get("/api/v1/pay-runs").await, 403, "denied");
        let list = admin.get("/keys").await;
        assert!(list.holds("自助终端") && list.holds(&secret[..9]) && !list.holds(&secret), "{}", list.text());
        let too_much = [
            ("name", "发放程序"), ("login", "payer"), ("role", "finance"), ("region", "990101000000"),
            ("permission", "release_pay_run"), ("until", until.as_str()), ("a_minute", "60"),
        ];
        let refused = admin.post("/keys", &too_much).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text());
        assert!(refused.holds("只能由工作人员本人办理") && refused.holds("href=\"#permission\""), "{}", refused.text());
        admin.get("/keys").await;
        let key = format!("/keys/{}", admin.find("href=\"/keys/", '"').unwrap());
        assert!(admin.get(&key).await.holds("确认吊销"));
        let revoked = admin.post(&format!("{key}/revoke"), &[]).await;
        assert_eq!(revoked.location(), "/keys?done=revoked", "{}", revoked.text());
        is_problem(&program.get("/api/v1/cases").await, 401, "sign_in");
        let login = [("login", "kiosk"), ("password", house::PASSWORD)];
        assert!(!house.browser().post("/sign-in", &login).await.status.is_redirection());
    }

    async fn every_example_of_the_developers_page_is_answered_as_it_says(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let mut case = String::new();
        for order in 1..=3 {
            case = applied(&house, &mut window, order, HERE).await;
        }
        let id = case.trim_start_matches("/api/v1/cases/").to_owned();
        let version = read(&window.get(&case).await)["version"].to_string();
        batch::statistics::keep_up(&house.app.db).await.unwrap();
        let page = house.browser().get("/api").await;
        let mut next = String::new();
        for example in EXAMPLES {
            let put = |text: &str| text.replace("$CASE", &id).replace("$VERSION", &version).replace("$NEXT", &next);
            let typed = example.typed(&house.app.config.base_url);
            let shown = typed.replace('&', "&amp;").replace('"', "&quot;");
            assert!(page.holds(&shown), "{shown}");
            let headers: Vec<(&str, String)> = example.headers.iter().map(|(name, value)| (*name, put(value))).collect();
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let body = put(example.body.unwrap_or_default());
            let answer = if example.keyed {
                window.call(example.verb, &put(example.path), &headers, &body).await
            } else {
                let headers = [("content-type", "application/json")];
                house.browser().raw(example.verb, &put(example.path), &headers, &body).await
            };
            assert_eq!(answer.status.as_u16(), example.status, "{}: {}", example.what, answer.text());
            for held in example.holds {
                assert!(answer.holds(held), "{} lacks {held}: {}", example.what, answer.text());
            }
            if let Some(cursor) = read(&answer)["next"].as_str() {
                cursor.clone_into(&mut next);
            }
        }
    }

    async fn a_program_registers_a_person_forms_the_household_and_fills_in_the_application(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let number = id_number("19400309", 1);
        let new = json!({ "number": number, "name": "张桂芳", "lives_in": HERE, "address": "海裕社区 3 栋 401" });
        let made = window.post_once("/api/v1/people", "p-1", &new).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let person = read(&made)["id"].as_str().unwrap().to_owned();
        let again = window.post_once("/api/v1/people", "p-1", &new).await;
        assert_eq!(read(&again), read(&made), "once under one word");
        let wrong = window.post("/api/v1/people", &json!({ "number": "1", "name": "张", "lives_in": HERE })).await;
        assert_eq!(is_problem(&wrong, 422, "invalid")["field"], "number");
        let outside = json!({ "number": id_number("19400309", 2), "name": "李四", "lives_in": THERE });
        assert_eq!(is_problem(&window.post("/api/v1/people", &outside).await, 422, "invalid")["field"], "lives_in");

        let home = window.post("/api/v1/households", &json!({ "head": person, "region": HERE, "address": "3 栋 401" })).await;
        assert_eq!(home.status, StatusCode::OK, "{}", home.text());
        let home = read(&home)["id"].clone();
        let started = window.post("/api/v1/drafts", &json!({ "household": home, "programme": "dibao" })).await;
        let draft = format!("/api/v1/drafts/{}", read(&started)["id"].as_str().unwrap());
        let seen = read(&window.get(&draft).await);
        let fields: Vec<&str> = seen["fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let (page, field) = fields
            .iter()
            .filter_map(|one| one.split_once(':'))
            .find(|(_, field)| field.starts_with("m.") && field.ends_with(".wage"))
            .unwrap_or_else(|| panic!("{fields:?}"));
        assert!(!seen["answered"].as_array().unwrap().contains(&json!(field)), "{seen}");
        let saved = window.post(&draft, &json!({ "step": page, "version": seen["version"], field: "800" })).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.text());
        let now = read(&window.get(&draft).await);
        assert!(now["answered"].as_array().unwrap().contains(&json!(field)), "{now}");
        assert!(now["version"].as_i64() > seen["version"].as_i64());
        let unread = window.post(&draft, &json!({ "step": page, "version": now["version"], field: "很多" })).await;
        assert_eq!(is_problem(&unread, 422, "invalid")["field"], field, "{}", unread.text());
        // What is wrong is kept out; what else the page said is saved, as on the page.
        let before = read(&window.get(&draft).await);
        // Who read the first version and changed the same answer is told, and nothing is lost.
        let late = window.post(&draft, &json!({ "step": page, "version": seen["version"], field: "900" })).await;
        is_problem(&late, 409, "conflict");
        assert_eq!(read(&window.get(&draft).await)["version"], before["version"]);
    }

    async fn who_prepares_a_merge_does_not_decide_it_by_program_either(db: Db) {
        let house = House::over(db).await;
        let mut first = reviewer(&house, HERE).await;
        let street = &format!("{}000", &HERE[..9]);
        let mut second = reviewer(&house, street).await;
        let new = |order| json!({ "number": id_number("19540309", order), "name": "陈伟明", "phone": "13800138000",
            "lives_in": HERE, "address": "海裕社区 3 栋 401" });
        let known = read(&first.post("/api/v1/people", &new(1)).await)["id"].as_str().unwrap().to_owned();
        // The same name, birth and phone under another number: somebody has to say who this is.
        let mut other = new(2);
        let asked = first.post("/api/v1/people", &other).await;
        assert_eq!(is_problem(&asked, 422, "invalid")["field"], format!("said_{known}"), "{}", asked.text());
        other[format!("asked_{known}")] = json!("1");
        other[format!("said_{known}")] = json!("unsure");
        other[format!("why_{known}")] = json!("两人都在外地，等看证件");
        let made = first.post("/api/v1/people", &other).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let pairs = read(&first.get("/api/v1/duplicates").await);
        let pair = format!("/api/v1/duplicates/{}", pairs["items"][0]["id"].as_str().unwrap());

        let unchosen = first.post(&format!("{pair}/merge"), &json!({ "survivor": "b" })).await;
        assert_eq!(is_problem(&unchosen, 422, "invalid")["field"], "merge_reason");
        let merge = json!({ "survivor": "a", "merge_reason": "看过身份证原件，是同一人" });
        let prepared = first.post(&format!("{pair}/merge"), &merge).await;
        assert_eq!(prepared.status, StatusCode::OK, "{}", prepared.text());
        assert_eq!(read(&prepared)["done"], "prepared");
        let own = first.post(&format!("{pair}/decide"), &json!({})).await;
        is_problem(&own, 422, "invalid");
        assert!(noted(&house, "registry.merge").await.is_empty());
        let decided = second.post(&format!("{pair}/decide"), &json!({})).await;
        assert_eq!(decided.status, StatusCode::OK, "{}", decided.text());
        assert_eq!(read(&decided)["done"], "merged");
        let undone = json!({ "undo_reason": "看错了人，是两兄弟", "since": "survivor" });
        let undone = second.post(&format!("{pair}/undo"), &undone).await;
        assert_eq!(undone.status, StatusCode::OK, "{}", undone.text());
    }

    async fn a_body_that_is_too_large_is_told_the_limit_of_the_interface(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let large = json!({ "household": "x".repeat(1_100_000) });
        let told = is_problem(&window.post("/api/v1/drafts", &large).await, 413, "too_large");
        assert_eq!(told["detail"], "请求内容超过 1 MB");
    }

    async fn answers_keep_to_their_description(db: Db) {
        let house = House::over(db).await;
        let mut window = key(&house, "kiosk", Role::WindowOfficer, HERE, &[], 6_000).await.1;
        let case = applied(&house, &mut window, 1, HERE).await;
        let home = household(&house, "李秀英", 70, HERE).await;
        let started = read(&window.post("/api/v1/drafts", &json!({ "household": home })).await);
        let draft = format!("/api/v1/drafts/{}", started["id"].as_str().unwrap());
        let receipt = receipt_of(&house, &case).await;
        let document = read(&house.browser().get("/api/v1/openapi.json").await);
        let mut roles = Vec::new();
        for role in [Role::WindowOfficer, Role::Finance, Role::Auditor] {
            let login = format!("all-{}", role.code().replace('_', "-"));
            roles.push(key(&house, &login, role, "990101", &[], 6_000).await.1);
        }
        let mut told = 0;
        for route in routes().filter(|route| route.is_api() && route.verb == Verb::Get) {
            if route.path.ends_with(".json") {
                continue;
            }
            let path = route
                .path
                .replace("/api/v1/cases/{id}", &case)
                .replace("/api/v1/drafts/{id}", &draft)
                .replace("{code}", &receipt);
            let schema = &document["paths"][route.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
            let mut answered = false;
            for program in &mut roles {
                let answer = program.get(&path).await;
                assert!(!answer.status.is_server_error(), "{path}: {}", answer.text());
                if answer.status == StatusCode::OK {
                    keeps(&document, schema, &read(&answer), &path);
                    answered = true;
                }
            }
            assert!(answered, "nobody reads {path}");
            told += 1;
        }
        assert!(told >= 15, "{told}");
    }
}

/// Whether a value keeps to a schema, as far as ours use JSON Schema.
fn keeps(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(to) = schema["$ref"].as_str() {
        return keeps(document, document.pointer(&to[1..]).unwrap(), value, at);
    }
    if let Some(either) = schema["anyOf"].as_array() {
        let null = either.iter().any(|one| one["type"] == "null");
        if null && value.is_null() {
            return;
        }
        return keeps(document, &either[0], value, at);
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is none of {words:?}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            let object = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            let known = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    object.contains_key(name.as_str().unwrap()),
                    "{at} lacks {name}"
                );
            }
            for (name, value) in object {
                match known.get(name) {
                    Some(schema) => keeps(document, schema, value, &format!("{at}.{name}")),
                    None => assert_ne!(schema["additionalProperties"], false, "{at} holds {name}"),
                }
            }
        }
        Some("array") => {
            for one in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")) {
                keeps(document, &schema["items"], one, at);
            }
        }
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value}"));
            match schema["format"].as_str() {
                Some("uuid") => assert!(text.parse::<uuid::Uuid>().is_ok(), "{at}: {text}"),
                Some("date") => assert!(
                    text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
                    "{at}: {text}"
                ),
                Some("date-time") => assert!(
                    chrono::DateTime::parse_from_rfc3339(text).is_ok(),
                    "{at}: {text}"
                ),
                _ => {}
            }
            if schema["pattern"] == "^[0-9]{12}$" {
                assert!(
                    text.len() == 12 && text.bytes().all(|one| one.is_ascii_digit()),
                    "{at}: {text}"
                );
            }
        }
        Some("integer") => {
            let whole = value.as_i64().unwrap_or_else(|| panic!("{at}: {value}"));
            assert!(
                schema["minimum"]
                    .as_i64()
                    .is_none_or(|least| whole >= least),
                "{at}: {whole}"
            );
        }
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        other => panic!("{at}: no such type {other:?}"),
    }
}
