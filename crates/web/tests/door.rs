//! The door and the frame (登录与框架): what every page promises, asked over HTTP without script.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::Role;
use axum::http::StatusCode;
use house::{HERE, House, PASSWORD, migrations};
use store::Db;
use web::{Need, Verb, routes};

/// A path of the table with something in the place of its named parts.
fn example(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{*file}" => "desk.css",
        part if part.starts_with('{') => "0",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

fixtures::db_tests! {
    migrations = migrations();

    async fn an_officer_signs_in_reads_his_page_and_signs_out(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::WindowOfficer, HERE)]).await;
        let mut browser = house.browser();
        let sent_away = browser.get("/cases?text=%E5%BC%A0").await;
        assert_eq!(sent_away.status, StatusCode::SEE_OTHER);
        assert_eq!(sent_away.location(), "/sign-in?next=%2Fcases%3Ftext%3D%25E5%25BC%25A0");
        let wrong = browser.post("/sign-in", &[("login", "wang"), ("password", "not it")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.holds("<title>错误：") && wrong.holds("账号或密码不对") && wrong.holds("value=\"wang\""));
        let right =
            browser.post("/sign-in", &[("login", "wang"), ("password", PASSWORD), ("next", "/households")]).await;
        assert_eq!((right.status, right.location().as_str()), (StatusCode::SEE_OTHER, "/households"));
        let home = browser.get("/").await;
        assert_eq!(home.status, StatusCode::OK);
        assert!(home.holds("官员wang") && home.holds("待办") && home.holds("没有要办的事"));
        let out = browser.post("/sign-out", &[]).await;
        assert_eq!(out.location(), "/sign-in");
        assert!(out.headers.contains_key("clear-site-data"));
        assert_eq!(browser.get("/cases").await.status, StatusCode::SEE_OTHER);
        assert!(browser.get("/").await.holds("工作人员登录"), "the public door");
    }

    async fn nobody_is_sent_to_another_site_after_signing_in(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::WindowOfficer, HERE)]).await;
        let mut browser = house.browser();
        let fields = [("login", "wang"), ("password", PASSWORD), ("next", "//evil.example/x")];
        assert_eq!(browser.post("/sign-in", &fields).await.location(), "/");
    }

    async fn every_answer_tells_the_browser_what_not_to_do(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::StreetReviewer, HERE)]).await;
        let mut browser = house.signed_in("wang").await;
        for route in routes().filter(|route| route.verb == Verb::Get) {
            let path = example(route.path);
            let answer = browser.get(&path).await;
            let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let policy = header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(!policy.contains("unsafe"), "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("referrer-policy"), "same-origin", "{path}");
            assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(header("x-request-id").len(), 10, "{path}");
            let kept = header("cache-control");
            assert!(if path.starts_with("/assets/") { kept.contains("max-age") } else { kept == "no-store" }, "{path} {kept}");
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {}", answer.text());
            for forbidden in [" style=\"", "onclick=", "<script>", "javascript:"] {
                assert!(!answer.holds(forbidden), "{path} holds {forbidden}");
            }
        }
    }

    async fn a_form_from_elsewhere_or_without_its_token_is_refused(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::StreetReviewer, HERE), (Role::WindowOfficer, HERE)]).await;
        let mut browser = house.signed_in("wang").await;
        browser.get("/help").await;
        let token = browser.token();
        let form = "application/x-www-form-urlencoded";
        for route in routes().filter(|route| route.verb == Verb::Post && !route.is_api()) {
            let path = example(route.path);
            let body = format!("csrf={token}");
            for (headers, body) in [
                (vec![("content-type", form), ("origin", "https://evil.example")], body.as_str()),
                (vec![("content-type", form), ("origin", "null")], body.as_str()),
                (vec![("content-type", form), ("sec-fetch-site", "cross-site")], body.as_str()),
                (vec![("content-type", form), ("origin", "http://huimin.test")], "csrf=wrong"),
                (vec![("content-type", form), ("origin", "http://huimin.test")], ""),
            ] {
                let answer = browser.raw("POST", &path, &headers, body).await;
                let refused = answer.status == StatusCode::FORBIDDEN;
                assert!(refused, "{path} {headers:?} {body} gave {}", answer.status);
            }
        }
    }

    async fn a_role_reaches_exactly_the_routes_of_the_table(db: Db) {
        let house = House::over(db).await;
        for role in Role::ALL {
            house.officer(&role.code().replace('_', "-"), &[(role, HERE)]).await;
        }
        for role in Role::ALL {
            let mut browser = house.signed_in(&role.code().replace('_', "-")).await;
            browser.get("/help").await;
            // What programs reach is asked with keys, in `api`.
            for route in routes().filter(|route| !route.is_api()) {
                let path = example(route.path);
                    if path == "/sign-out" || path.starts_with("/account/") {
                    continue;
                }
                let answer = match route.verb {
                    Verb::Get => browser.get(&path).await,
                    Verb::Post => browser.post(&path, &[]).await,
                };
                let let_in = match route.need {
                    Need::Public | Need::SignedIn => true,
                    Need::Holds(permission) => permission.roles().contains(&role),
                };
                let forbidden = answer.status == StatusCode::FORBIDDEN;
                assert_eq!(forbidden, !let_in, "{role} {} {path} gave {}", route.verb.text(), answer.status);
                assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {}", answer.text());
            }
        }
    }

    async fn whoever_is_not_signed_in_reaches_only_what_is_public(db: Db) {
        let house = House::over(db).await;
        for route in routes() {
            let mut browser = house.browser();
            let path = example(route.path);
            let answer = match route.verb {
                Verb::Get => browser.get(&path).await,
                Verb::Post => browser.post(&path, &[]).await,
            };
            let kept_out = answer.status == StatusCode::UNAUTHORIZED || answer.location().starts_with("/sign-in?next=");
            assert_eq!(kept_out, route.need != Need::Public, "{} {path} gave {}", route.verb.text(), answer.status);
        }
    }

    async fn language_size_and_theme_are_kept_and_pages_follow(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::StreetReviewer, HERE)]).await;
        let mut browser = house.signed_in("wang").await;
        browser.get("/help").await;
        let back = browser.post("/preferences", &[("lang", "en"), ("back", "/cases")]).await;
        assert_eq!(back.location(), "/cases");
        let page = browser.get("/cases").await;
        assert!(page.holds("<html lang=\"en\"") && page.holds("<h1>Cases</h1>"), "{}", page.text());
        browser.post("/preferences", &[("size", "elder"), ("theme", "dark")]).await;
        assert!(browser.get("/cases").await.holds("data-size=\"elder\" data-theme=\"dark\""));
        browser.post("/preferences", &[("size", ""), ("lang", "zh"), ("theme", "<script>")]).await;
        let page = browser.get("/cases").await;
        assert!(!page.holds("data-size") && page.holds("zh-CN") && page.holds("data-theme=\"dark\""));
    }

    async fn the_english_frame_has_no_chinese_left(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::StreetReviewer, HERE), (Role::WindowOfficer, HERE)]).await;
        let mut browser = house.signed_in("wang").await;
        browser.get("/help").await;
        browser.post("/preferences", &[("lang", "en")]).await;
        for path in ["/", "/cases", "/households", "/drafts", "/apply", "/people/new", "/account", "/help", "/no-such-page"] {
            let page = browser.get(path).await.text().replace("官员wang", "").replace("中文", "");
            let chinese: String = page.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).collect();
            assert!(chinese.is_empty(), "{path} still says {chinese}");
        }
    }

    async fn a_password_that_must_be_changed_comes_before_everything_else(db: Db) {
        let house = House::over(db).await;
        let id = house.officer("wang", &[(Role::WindowOfficer, HERE)]).await;
        let scope = access::Scope::system(vocab::Region::NATION);
        let mut tx = house.app.db.begin().await.unwrap();
        access::set_password(&mut tx, &scope, &house.app.door, id, PASSWORD).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut browser = house.signed_in("wang").await;
        assert_eq!(browser.get("/cases").await.location(), "/account?must=1");
        assert!(browser.get("/account?must=1").await.holds("请先改密码"));
        let unlike = [("present", PASSWORD), ("wanted", "Another-Lamp-28"), ("again", "Another-Lamp-29")];
        let refused = browser.post("/account/password", &unlike).await;
        assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.holds("href=\"#again\""));
        let fields = [("present", PASSWORD), ("wanted", "Another-Lamp-28"), ("again", "Another-Lamp-28")];
        assert_eq!(browser.post("/account/password", &fields).await.location(), "/account?done=password");
        assert_eq!(browser.get("/cases").await.status, StatusCode::OK);
    }

    async fn too_many_wrong_passwords_say_when_to_come_back(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[]).await;
        let mut browser = house.browser();
        for _ in 0..5 {
            browser.post("/sign-in", &[("login", "wang"), ("password", "wrong")]).await;
        }
        let answer = browser.post("/sign-in", &[("login", "wang"), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.holds("09:15"), "{}", answer.text());
    }

    async fn the_machine_says_that_it_is_well_and_keeps_its_numbers_to_itself(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        let health = browser.get("/health").await;
        assert!(health.status == StatusCode::OK && health.holds("\"database\":\"ok\""));
        assert_eq!(browser.get("/metrics").await.status, StatusCode::NOT_FOUND);
        let css = browser.get("/assets/desk.css").await;
        assert_eq!(css.headers["content-type"], "text/css; charset=utf-8");
        assert_eq!(browser.get("/assets/../Cargo.toml").await.status, StatusCode::NOT_FOUND);
        let packed = browser.raw("GET", "/assets/desk.css", &[("accept-encoding", "gzip")], "").await;
        assert_eq!(packed.headers["content-encoding"], "gzip");
    }

    async fn the_open_rule_book_answers_programs_and_names_what_is_wrong(db: Db) {
        let house = House::over(db).await;
        let mut program = house.browser();
        let asked = serde_json::json!({ "as_of": "2026-06-01", "household": {}, "members": [{}] });
        let answer = program.json("/api/v1/evaluate", &asked).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let reasoned = said["determinations"].as_array().unwrap();
        assert!(!reasoned.is_empty());
        let brief = serde_json::json!({ "as_of": "2026-06-01", "household": {}, "members": [{}], "answer": "outcomes" });
        let answer = program.json("/api/v1/evaluate", &brief).await;
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let four = |one: &serde_json::Value| ["programme", "member", "outcome", "amount"].map(|word| one[word].clone());
        let short = said["determinations"].as_array().unwrap();
        assert_eq!(short.iter().map(four).collect::<Vec<_>>(), reasoned.iter().map(four).collect::<Vec<_>>());
        assert!(short.iter().all(|one| one.as_object().unwrap().len() == 4));
        for (wrong, field) in [
            (serde_json::json!({ "answer": "poem", "members": [] }), "answer"),
            (serde_json::json!({ "as_of": "yesterday", "members": [] }), "as_of"),
            (serde_json::json!({ "place": "nowhere", "members": [] }), "place"),
            (serde_json::json!({ "household": { "no_such_fact": 1 }, "members": [] }), "no_such_fact"),
            (serde_json::json!({ "members": vec![serde_json::json!({}); 51] }), "members"),
        ] {
            let answer = program.json("/api/v1/evaluate", &wrong).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(said["field"], field, "{said}");
            assert_eq!(said["code"], "invalid");
        }
        let broken = program.raw("POST", "/api/v1/evaluate", &[("content-type", "application/json")], "{").await;
        assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    async fn who_asks_too_often_waits(db: Db) {
        let house = House::with(db, web::WebConfig { evaluations_a_minute: 4, ..Default::default() }).await;
        let mut program = house.browser();
        let asked = serde_json::json!({ "members": [{}] });
        assert_eq!(program.json("/api/v1/evaluate", &asked).await.status, StatusCode::OK);
        assert_eq!(program.json("/api/v1/evaluate", &asked).await.status, StatusCode::OK);
        let answer = program.json("/api/v1/evaluate", &asked).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(answer.headers.contains_key("retry-after"));
    }

    async fn a_fault_says_what_to_do_and_carries_the_number_of_its_request(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        house.app.db.close().await.unwrap();
        let broken = browser.get("/notices").await;
        assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
        let number = broken.headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(broken.holds(&format!("<code>{number}</code>")), "{}", broken.text());
        assert!(broken.holds("请稍后再试") && broken.holds("数据没有改变") && broken.holds("回到首页"));
        // What is broken inside is told to nobody outside.
        for inside in ["sqlx", "pool", "select", "Pool"] {
            assert!(!broken.holds(inside), "{inside}");
        }
        let program = browser.raw("GET", "/notices", &[("accept", "application/json")], "").await;
        assert_eq!(program.status, StatusCode::INTERNAL_SERVER_ERROR);
    }

    async fn a_body_beyond_the_limit_is_not_read(db: Db) {
        let house = House::over(db).await;
        house.officer("wang", &[(Role::WindowOfficer, HERE)]).await;
        let mut browser = house.signed_in("wang").await;
        browser.get("/help").await;
        let long = "x".repeat(600 * 1024);
        let answer = browser.post("/apply", &[("who", &long)]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
