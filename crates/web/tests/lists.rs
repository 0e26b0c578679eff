//! Lists (清单): columns chosen and kept, the file of what is seen, and every number equal to the list behind it.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::{Role, Scope};
use axum::http::StatusCode;
use casework::take_over::TakeOver;
use house::{HERE, House, THERE, id_number, migrations};
use store::Db;
use vocab::{Money, Region};

/// Every list with its word.
const LISTS: [(&str, &str); 8] = [
    ("/cases", "cases"),
    ("/leads", "leads"),
    ("/alerts", "alerts"),
    ("/reviews", "reviews"),
    ("/life-events", "life_events"),
    ("/households", "households"),
    ("/journal", "journal"),
    ("/pay-lines", "pay_lines"),
];

/// Five old people here and two there whose allowance runs; one here has died since.
async fn lived(db: Db) -> House {
    let house = House::over(db).await;
    for (login, role, place) in [
        ("chuangkou", Role::WindowOfficer, HERE),
        ("shenhe", Role::StreetReviewer, "990101001"),
        ("qushen", Role::DistrictApprover, "990101"),
        ("shenji", Role::Auditor, "990101"),
    ] {
        house.officer(login, &[(role, place)]).await;
    }
    let (mut taken, mut first) = (Vec::new(), None);
    for order in 1..=7 {
        let at = if order <= 5 { HERE } else { THERE };
        let person = house
            .person("陈阿婆", &id_number("19360101", order), at)
            .await;
        let household = house.household(person, &[], at).await;
        first = first.or(Some((household, person)));
        taken.push(TakeOver {
            household,
            member: Some(person),
            programme: "old_age_allowance".to_owned(),
            applicant: person,
            decided_on: "2026-05-20".parse().unwrap(),
            old_number: format!("旧〔2024〕{order}号"),
            amount: Money::from_fen(12_345),
            from: "2026-05".parse().unwrap(),
            covered: Vec::new(),
        });
    }
    let mut tx = house.app.db.begin().await.unwrap();
    let nation = Scope::system(Region::NATION);
    let answers = casework::take_over::take_over(&mut tx, &nation, &house.app.desk, &taken)
        .await
        .unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    tx.commit().await.unwrap();
    let (household, person) = first.unwrap();
    let (died, person) = (house.app.db.today().to_string(), person.to_string());
    let mut window = house.signed_in("chuangkou").await;
    window
        .get(&format!(
            "/households/{household}/event?kind=death&person={person}"
        ))
        .await;
    let done = window
        .upload(
            &format!("/households/{household}/event"),
            &[
                ("kind", "death"),
                ("person", &person),
                ("on", &died),
                ("source", "殡仪馆"),
                ("step", "confirm"),
            ],
            ("proof", "证明.jpg", &[0xff, 0xd8, 0xff, 0xe0, 1]),
        )
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    house
}

/// The headings of a page's table.
fn headings(page: &str) -> Vec<String> {
    let head = page.split("<thead>").nth(1).unwrap_or_default();
    let head = head.split("</thead>").next().unwrap_or_default();
    head.split("<th ")
        .skip(1)
        .map(|cell| {
            let text = cell.split_once('>').map_or("", |(_, text)| text);
            let text = text.strip_prefix("<a").map_or(text, |link| {
                link.split_once('>').map_or("", |(_, text)| text)
            });
            text.split('<').next().unwrap_or_default().to_owned()
        })
        .collect()
}

/// The rows of a file: the note, the heading, then what is listed.
fn rows(file: &[u8]) -> Vec<Vec<String>> {
    let sheet = sheets::read(file, sheets::Limits::default())
        .unwrap()
        .remove(0);
    sheet
        .rows
        .iter()
        .map(|row| row.iter().map(sheets::Cell::text).collect())
        .collect()
}

/// How many a list says it has; none when it is empty.
fn total(page: &str) -> u64 {
    page.split("<span class=\"total\">共 ")
        .nth(1)
        .map_or(0, |rest| {
            rest.split(' ')
                .next()
                .unwrap()
                .replace(',', "")
                .parse()
                .unwrap()
        })
}

/// The numbers above a list, with where they lead.
fn figures(page: &str) -> Vec<(String, u64)> {
    let strip = page
        .split("<ul class=\"figures\">")
        .nth(1)
        .unwrap_or_default();
    let strip = strip.split("</ul>").next().unwrap_or_default();
    strip
        .split("href=\"")
        .skip(1)
        .map(|rest| {
            let (href, rest) = rest.split_once('"').unwrap();
            let number = rest
                .split("<strong>")
                .nth(1)
                .unwrap()
                .split('<')
                .next()
                .unwrap();
            (
                href.replace("&amp;", "&"),
                number.replace(',', "").parse().unwrap(),
            )
        })
        .collect()
}

fixtures::db_tests! {
    migrations = migrations();

    async fn columns_are_chosen_by_address_or_kept_for_the_account_and_the_list(db: Db) {
        let house = lived(db).await;
        let mut street = house.signed_in("shenhe").await;
        let usual = headings(&street.get("/households").await.text());
        assert_eq!(usual, ["户主", "户编号", "人数", "社区", "住址", "建户日期"]);
        // An address chooses for itself; the order is the list's, and words nobody knows are passed over.
        let page = street.get("/households?columns=formed,region,number,nonsense").await.text();
        assert_eq!(headings(&page), ["户编号", "区划代码", "建户日期"]);
        assert_eq!(headings(&street.get("/households?columns=nonsense").await.text()), usual);
        assert_eq!(headings(&street.get("/households").await.text()), usual);
        // Kept for the account.
        let back = [("back", "/households?text=x"), ("columns", "number"), ("columns", "members"), ("columns", "password")];
        let kept = street.post("/lists/households/columns", &back).await;
        assert_eq!((kept.status, kept.location().as_str()), (StatusCode::SEE_OTHER, "/households?text=x"));
        assert_eq!(headings(&street.get("/households").await.text()), ["户编号", "人数"]);
        assert_eq!(headings(&street.get("/cases").await.text()).len(), 10);
        let mut district = house.signed_in("qushen").await;
        assert_eq!(headings(&district.get("/households").await.text()), usual);
        // Kept anew, then as it was.
        street.post("/lists/households/columns", &[("back", "//evil.example"), ("columns", "place")]).await;
        assert_eq!(headings(&street.get("/households").await.text()), ["社区"]);
        let usual_again = street.post("/lists/households/columns", &[("back", "//evil.example"), ("columns", "place"), ("usual", "1")]).await;
        assert_eq!(usual_again.location(), "/");
        assert_eq!(headings(&street.get("/households").await.text()), usual);
        assert_eq!(street.post("/lists/secrets/columns", &[("columns", "x")]).await.status, StatusCode::NOT_FOUND);
    }

    async fn a_filter_is_saved_made_the_default_shared_with_equals_and_removed(db: Db) {
        let house = lived(db.clone()).await;
        house.officer("tongshi", &[(Role::StreetReviewer, "990101001")]).await;
        house.officer("linjie", &[(Role::StreetReviewer, "990101002")]).await;
        let mut street = house.signed_in("shenhe").await;
        // With nothing narrowed there is nothing to save.
        assert!(!street.get("/households").await.holds("/lists/households/filters"));
        let to = "/lists/households/filters";
        assert!(street.post(to, &[("name", "空的"), ("query", "page=2&text=")]).await.holds("没有可以保存的"));
        let page = street.get("/households?text=%E9%99%88&page=1").await;
        assert!(page.holds("/lists/households/filters") && page.holds("value=\"text=%E9%99%88\""), "{}", page.text());
        for name in ["", &"长".repeat(31)] {
            let refused = street.post(to, &[("name", name), ("query", "text=%E9%99%88")]).await;
            assert!(refused.holds("请给筛选起一个名字"), "{}", refused.text());
        }
        let query = "text=%E9%99%88&page=3&columns=number%2Cmembers";
        let saved = street.post(to, &[("name", "陈姓"), ("query", query), ("shared", "1")]).await;
        assert_eq!(saved.location(), "/households?text=%E9%99%88&columns=number%2Cmembers", "the page is not kept");
        let page = street.get(&saved.location()).await;
        assert!(page.holds("aria-current=\"true\">陈姓") && !page.holds(">共享</span>"), "{}", page.text());
        assert_eq!(headings(&page.text()), ["户编号", "人数"]);
        let kept = street.get("/households").await.text();
        let id = kept.split(&format!("action=\"{to}/")).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let one = format!("{to}/{id}");
        // The default opens when nothing is asked for; anything asked for passes it over.
        street.post(&one, &[("act", "default"), ("back", "/households")]).await;
        let opened = street.get("/households").await;
        assert_eq!((opened.status, opened.location()), (StatusCode::SEE_OTHER, saved.location()));
        assert_eq!(street.get("/households?plain=1").await.status, StatusCode::OK);
        assert_eq!(street.get("/households?text=").await.status, StatusCode::OK);
        assert!(street.get("/households?text=nobody").await.holds("陈姓"), "also above an empty list");
        // A colleague with the same role in the same street sees it, may default to it, and may not remove it.
        let mut colleague = house.signed_in("tongshi").await;
        let theirs = colleague.get("/households").await;
        assert!(theirs.status == StatusCode::OK && theirs.holds("陈姓") && theirs.holds(">共享</span>"), "{}", theirs.text());
        assert_eq!(colleague.post(&one, &[("act", "remove")]).await.status, StatusCode::NOT_FOUND);
        colleague.post(&one, &[("act", "default"), ("back", "/households")]).await;
        assert_eq!(colleague.get("/households").await.location(), saved.location());
        // Another street's, another role's, and another list's officers do not know of it.
        for login in ["linjie", "qushen", "shenji", "chuangkou"] {
            let mut other = house.signed_in(login).await;
            assert!(!other.get("/households").await.holds("陈姓"), "{login}");
            assert_eq!(other.post(&one, &[("act", "default")]).await.status, StatusCode::NOT_FOUND, "{login}");
        }
        assert!(!street.get("/cases").await.holds("陈姓"));
        assert_eq!(street.post("/lists/secrets/filters", &[("name", "x"), ("query", "a=b")]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(street.post("/lists/journal/filters", &[("name", "x"), ("query", "a=b")]).await.status, StatusCode::NOT_FOUND);
        // Saved again under its name it is replaced and stays the default, now for oneself alone.
        street.post(to, &[("name", "陈姓"), ("query", "text=%E9%99%88")]).await;
        assert_eq!(street.get("/households").await.location(), "/households?text=%E9%99%88");
        assert_eq!(colleague.get("/households").await.status, StatusCode::OK, "no longer shared, no longer a default");
        street.post(&one, &[("act", "usual"), ("back", "/households")]).await;
        assert_eq!(street.get("/households").await.status, StatusCode::OK);
        let removed = street.post(&one, &[("act", "remove"), ("back", "//evil.example")]).await;
        assert_eq!(removed.location(), "/");
        assert!(!street.get("/households").await.holds("陈姓"));
    }

    async fn a_file_has_the_rows_of_its_page_the_columns_chosen_and_no_name_in_clear(db: Db) {
        let house = lived(db).await;
        let mut auditor = house.signed_in("shenji").await;
        for (path, _) in LISTS {
            let page = auditor.get(&format!("{path}?state=all")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
            let listed = total(&page.text());
            let file = auditor.get(&format!("{path}/export?state=all")).await;
            assert_eq!(file.status, StatusCode::OK, "{path}: {}", file.text());
            let file = rows(&file.body);
            let more = u64::from(path == "/journal");
            // Between page and file the journal takes in what was looked at.
            let there = u64::try_from(file.len()).unwrap() - 2;
            assert!(there >= listed && (there == listed || more == 1), "{path}: {there} and {listed}");
        }
        // Seven households; the head's name is masked outside the house.
        let page = auditor.get("/households").await.text();
        assert!(total(&page) == 7 && page.contains("陈阿婆"));
        let all = rows(&auditor.get("/households/export").await.body);
        assert_eq!(all[1], ["户主", "户编号", "人数", "区划代码", "社区", "住址", "建户日期"]);
        assert!(all[0][0].contains("官员shenji") && all.iter().all(|row| !row[0].contains("陈阿婆")), "{all:?}");
        let some = rows(&auditor.get("/households/export?columns=number,members").await.body);
        assert_eq!(some[1], ["户编号", "人数"]);
        // The file button of who kept a choice says the choice.
        auditor.post("/lists/households/columns", &[("back", "/households"), ("columns", "number")]).await;
        assert!(auditor.get("/households").await.holds("/households/export?columns=number"));
        let mut window = house.signed_in("chuangkou").await;
        assert_eq!(window.get("/households/export").await.status, StatusCode::FORBIDDEN);
        assert!(!window.get("/households").await.holds("/households/export"));
    }

    async fn ux_19_and_20_every_number_above_a_list_and_in_the_rail_is_the_length_of_its_list(db: Db) {
        let house = lived(db).await;
        let (mut followed, mut something) = (0, 0);
        for login in ["chuangkou", "shenhe", "qushen", "shenji"] {
            let mut browser = house.signed_in(login).await;
            for path in ["/", "/leads", "/alerts", "/reviews", "/life-events", "/duplicates"] {
                let page = browser.get(path).await;
                if page.status == StatusCode::FORBIDDEN {
                    continue;
                }
                for (href, number) in figures(&page.text()) {
                    let list = browser.get(&href).await.text();
                    assert_eq!(total(&list), number, "{login} {path}: {href}");
                    followed += 1;
                    something += u64::from(number > 0);
                }
            }
            let home = browser.get("/").await.text();
            if let Some(count) = home.split("<span class=\"count\">").nth(1) {
                let count: u64 = count.split('<').next().unwrap().parse().unwrap();
                assert_eq!(total(&home), count, "{login}: the rail");
            }
        }
        assert!(followed >= 60 && something >= 12, "{followed} numbers followed, {something} of them not zero");
    }
}
