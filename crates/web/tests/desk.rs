//! Stories at the desk (办事故事), over HTTP without script: from the identity number to a case that moves.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::Role;
use axum::http::StatusCode;
use house::{BESIDE, Browser, HERE, House, THERE, id_number, migrations};
use std::sync::Arc;
use store::{Db, TestClock};

/// A window officer, a reviewer of the same street, an approver, and a reviewer of another street.
async fn staffed(db: Db) -> House {
    let house = House::over(db).await;
    house
        .officer("chuangkou", &[(Role::WindowOfficer, HERE)])
        .await;
    house
        .officer("shenhe", &[(Role::StreetReviewer, "990101001")])
        .await;
    house
        .officer("shenpi", &[(Role::DistrictApprover, "990101")])
        .await;
    house
        .officer(
            "bieren",
            &[(Role::StreetReviewer, THERE), (Role::WindowOfficer, THERE)],
        )
        .await;
    house
}

/// Registers a widow and her grandson through the pages and opens the one form; the answer is the draft's address.
async fn begin(window: &mut Browser) -> String {
    let number = id_number("19540101", 2);
    window.get("/apply").await;
    let unknown = window.post("/apply", &[("who", &number)]).await;
    assert!(unknown.holds("还没有登记"), "{}", unknown.text());
    let asked = window.post("/people/start", &[("number", &number)]).await;
    assert!(asked.status == StatusCode::OK && asked.holds(&number));
    let incomplete = window
        .post("/people/new", &[("kind", "111"), ("number", &number)])
        .await;
    assert_eq!(incomplete.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        incomplete.holds("href=\"#name\"") && incomplete.holds(&number),
        "what was typed is kept"
    );
    let person = [
        ("number", number.as_str()),
        ("name", "张桂芳"),
        ("phone", "13800138000"),
        ("hukou", "990101"),
        ("lives_in", HERE),
        ("address", "幸福路 1 号"),
    ];
    let registered = window.post("/people/new", &person).await;
    assert_eq!(
        registered.status,
        StatusCode::SEE_OTHER,
        "{}",
        registered.text()
    );
    let page = window.follow(&registered.location()).await;
    assert!(
        page.holds("张桂芳")
            && page.holds("1954-01-01")
            && page.holds("72 岁")
            && !page.holds(&number)
    );
    let head = registered
        .location()
        .trim_start_matches("/people/")
        .split('?')
        .next()
        .unwrap()
        .to_owned();

    window.get(&format!("/households/new?head={head}")).await;
    let formed = window
        .post(
            "/households/new",
            &[
                ("head", &head),
                ("region", HERE),
                ("address", "幸福路 1 号"),
            ],
        )
        .await;
    assert_eq!(formed.status, StatusCode::SEE_OTHER, "{}", formed.text());
    let household = formed.location().split('?').next().unwrap().to_owned();
    window.follow(&formed.location()).await;

    let grandson = id_number("20120305", 11);
    let join = [
        ("kind", "111"),
        ("number", grandson.as_str()),
        ("kinship", "41"),
        ("since", "2026-06-01"),
    ];
    let not_yet = window.post(&format!("{household}/join"), &join).await;
    assert!(
        not_yet.status == StatusCode::OK && not_yet.holds("此人还没有登记"),
        "{}",
        not_yet.text()
    );
    let id = household.trim_start_matches("/households/");
    let child = [
        ("household", id),
        ("kinship", "41"),
        ("number", grandson.as_str()),
        ("name", "张小明"),
        ("hukou", "990101"),
        ("lives_in", HERE),
        ("address", "幸福路 1 号"),
    ];
    let joined = window.post("/people/new", &child).await;
    assert_eq!(
        joined.location(),
        format!("{household}?done=joined"),
        "{}",
        joined.text()
    );
    let page = window.follow(&joined.location()).await;
    assert!(
        page.holds("张桂芳 一家 2 人") && page.holds("张小明") && page.holds("孙子"),
        "{}",
        page.text()
    );

    let started = window.post("/drafts", &[("household", id)]).await;
    assert!(
        started.location().starts_with("/drafts/"),
        "{}",
        started.text()
    );
    started.location()
}

/// The names of the fields of a page that hold a text.
fn fields(page: &str, containing: &str) -> Vec<String> {
    page.split("name=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| name.contains(containing))
        .map(str::to_owned)
        .collect()
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_widow_is_registered_asked_once_and_her_application_becomes_cases(db: Db) {
        let house = staffed(db).await;
        let mut window = house.signed_in("chuangkou").await;
        let draft = begin(&mut window).await;

        let form = window.get(&draft).await;
        assert_eq!(form.status, StatusCode::OK, "{}", form.text());
        assert!(form.holds("现在看来可以享受") && form.holds("待核实"), "{}", form.text());
        assert!(form.holds("来源 户籍登记") || form.holds("户籍"), "what the register knows is shown with its source");

        // The steps are links; walking them all meets each fact once.
        let steps: Vec<String> = window
            .page()
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|href| href.contains("?step="))
            .map(str::to_owned)
            .collect();
        assert!(!steps.is_empty());
        let mut seen = std::collections::BTreeSet::new();
        for step in [draft.clone()].iter().chain(&steps) {
            let page = window.get(step).await;
            assert_eq!(page.status, StatusCode::OK, "{step}: {}", page.text());
            let mut here: Vec<String> =
                fields(&page.text(), "h.").into_iter().chain(fields(&page.text(), "m.")).filter(|n| n.matches('.').count() >= 1).collect();
            here.sort();
            here.dedup();
            for name in here {
                assert!(seen.insert(name.clone()), "{name} is asked twice");
            }
        }

        // A wrong answer is kept and explained; a right one is saved.
        let income = steps.iter().find(|step| step.contains("income")).expect("the income page");
        let page = window.get(income).await.text();
        let wage = fields(&page, ".wage").into_iter().next().expect("a wage is asked");
        let version = window.find("name=\"version\" value=\"", '"').unwrap();
        let wrong = window
            .post(&draft, &[("version", &version), ("step", "income"), (&wage, "很多"), ("go", "next")])
            .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.holds(&format!("href=\"#{wage}\"")) && wrong.holds("value=\"很多\""), "{}", wrong.text());
        let version = window.find("name=\"version\" value=\"", '"').unwrap();
        let right = window
            .post(&draft, &[("version", &version), ("step", "income"), (&wage, "1,800"), ("go", "next")])
            .await;
        assert_eq!(right.status, StatusCode::SEE_OTHER, "{}", right.text());
        assert!(window.get(income).await.holds("value=\"1800.00\""));

        // Two windows on one draft: the slower one is told and loses nothing.
        let slow = window
            .post(&draft, &[("version", "1"), ("step", "income"), (&wage, "2,000"), ("go", "stay")])
            .await;
        assert_eq!(slow.status, StatusCode::CONFLICT);
        assert!(slow.holds("我在另一个窗口填的") && slow.holds("1,800.00 元/月") && slow.holds("2,000.00 元/月"), "{}", slow.text());
        assert!(window.get(income).await.holds("value=\"1800.00\""), "nothing was saved yet");

        // Check and hand in; a second press of the button is the same application.
        let check = window.get(&format!("{draft}/check")).await;
        assert!(check.holds("核对提交") && check.holds("1,800.00 元") && check.holds("修改"), "{}", check.text());
        let key = window.find("name=\"key\" value=\"", '"').unwrap();
        let applicant = {
            let page = check.text();
            let at = page.find("name=\"applicant\"").unwrap();
            page[at..].split("value=\"").nth(2).unwrap().split('"').next().unwrap().to_owned()
        };
        let nothing = window
            .post(&format!("{draft}/submit"), &[("key", &key), ("applicant", &applicant)])
            .await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", nothing.text());
        // A programme for the whole household: its value names no person.
        let programme = {
            let page = check.text();
            let values = page.split("name=\"apply\" value=\"").skip(1).filter_map(|rest| rest.split('"').next());
            values.into_iter().find(|value| !value.contains('|')).expect("something to apply for").to_owned()
        };
        let form = [
            ("key", key.as_str()),
            ("applicant", applicant.as_str()),
            ("applied_by", "member"),
            ("channel", "window"),
            ("apply", programme.as_str()),
        ];
        let first = window.post(&format!("{draft}/submit"), &form).await;
        assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text());
        let second = window.post(&format!("{draft}/submit"), &form).await;
        assert_eq!(second.location(), first.location(), "{}", second.text());
        let receipt = window.follow(&first.location()).await;
        assert!(receipt.holds("回执码") && receipt.holds("<svg"), "{}", receipt.text());

        // The number above the list is the list, for whoever's turn it is.
        let home = window.get("/").await;
        assert!(home.holds("待受理") && home.holds("共 1 条"), "{}", home.text());
        let case = first.location().replace("/receipt?done=submitted", "");
        let page = window.get(&case).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.holds("受理") && page.holds("条件") && page.holds("时间线"), "{}", page.text());
        let number = window.find("<h1>", ' ').unwrap();
        assert_eq!(window.get(&format!("/search?q={number}")).await.location(), case);

        let version = window.find("name=\"version\" value=\"", '"').unwrap();
        let act = window.find(&format!("action=\"{case}/acts/"), '"').expect("the next act is open");
        // Whatever this act asks with yes or no is answered with no.
        let mut accept = vec![("version".to_owned(), version.clone())];
        accept.extend(
            fields(window.page(), &format!("{act}."))
                .into_iter()
                .filter(|name| !name.ends_with(".opinion"))
                .map(|name| (name, "false".to_owned())),
        );
        let accept: Vec<(&str, &str)> = accept.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let accepted = window.post(&format!("{case}/acts/{act}"), &accept).await;
        assert_eq!(accepted.location(), format!("{case}?done={act}"), "{}", accepted.text());
        let stale = window.post(&format!("{case}/acts/{act}"), &[("version", &version)]).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        let page = window.follow(&accepted.location()).await;
        assert!(page.holds("已办：受理") && page.holds("还剩"), "{}", page.text());
        assert!(window.get(&format!("{case}/why")).await.holds("计算过程"));
        let list = window.get("/cases?kind=working&sort=number&dir=desc").await;
        assert!(list.holds(&number) && list.holds("共 1 条"));
        assert!(window.get("/cases?kind=final").await.holds("没有符合条件的办件"));

        // What lies in another street does not exist there.
        let mut elsewhere = house.signed_in("bieren").await;
        let household = {
            let page = window.get(&case).await.text();
            let at = page.find("/households/").unwrap();
            page[at..].split('"').next().unwrap().to_owned()
        };
        let person = {
            let page = window.get(&household).await.text();
            let at = page.find("/people/").unwrap();
            page[at..].split('"').next().unwrap().to_owned()
        };
        for path in [
            case.clone(),
            format!("{case}/why"),
            format!("{case}/receipt"),
            household.clone(),
            person.clone(),
            format!("{person}/account"),
            format!("{person}/change"),
            draft.clone(),
            format!("{draft}/check"),
            format!("/facts/new?{}", person.replace("/people/", "person=")),
        ] {
            let answer = elsewhere.get(&path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert!(!answer.holds("张桂芳") && !answer.holds("张小明"), "{path}");
        }
        elsewhere.get("/help").await;
        for path in [
            format!("{case}/acts/{act}"),
            format!("{person}/reveal"),
            format!("{household}/join"),
            format!("{draft}/submit"),
        ] {
            let fields = [("purpose", "核对本人身份"), ("kind", "111"), ("number", &id_number("19540101", 2)),
                ("kinship", "12"), ("since", "2026-06-01"), ("applicant", &applicant), ("key", "k"), ("apply", &programme)];
            let answer = elsewhere.post(&path, &fields).await;
            assert!(!answer.status.is_redirection(), "{path} gave {}", answer.status);
            assert!(!answer.holds("张桂芳") && !answer.holds("13800138000"), "{path}: {}", answer.text());
        }
        for list in ["/", "/cases", "/households", "/drafts", "/search?q=zgf", "/search?q=8000", "/search?q=%E5%BC%A0"] {
            let answer = elsewhere.get(list).await;
            assert!(answer.status == StatusCode::OK && !answer.holds("张桂芳") && !answer.holds(&number), "{list}");
        }
    }

    async fn two_phones_with_one_mask_are_chosen_between_and_nothing_is_presumed(db: Db) {
        let house = staffed(db).await;
        let mut window = house.signed_in("chuangkou").await;
        // 138****5678, both of them.
        let person = |number: &'static str, phone: &'static str| {
            [("kind", "passport"), ("number", number), ("name", "玛丽亚"), ("birth_date", "1985-03-12"), ("sex", "2"), ("phone", phone), ("lives_in", HERE), ("address", "前进路12号301室")]
        };
        window.get("/people/new").await;
        let first = window.post("/people/new", &person("E12345678", "13812345678")).await;
        assert!(first.location().ends_with("done=registered"), "{}", first.text());
        window.get("/people/new").await;
        let second = person("E12345687", "13899995678");
        let asked = window.post("/people/new", &second).await;
        assert!(asked.holds("可能已登记"), "{}", asked.text());
        let known = window.find("name=\"asked_", '"').unwrap();
        let (said, why, mark) = (format!("said_{known}"), format!("why_{known}"), format!("asked_{known}"));
        let mut answered: Vec<(&str, &str)> = second.to_vec();
        answered.extend([(said.as_str(), "unsure"), (why.as_str(), "旧护照没带来"), (mark.as_str(), "1")]);

        // Another field is wrong: the answer is carried along, shown once more, and only then counts.
        let mut wrong = answered.clone();
        wrong[6] = ("lives_in", "");
        let page = window.post("/people/new", &wrong).await;
        assert!(page.holds("请选择居住社区") && page.holds(&format!("type=\"hidden\" name=\"{why}\" value=\"旧护照没带来\"")), "{}", page.text());
        let unmarked: Vec<(&str, &str)> = answered.iter().copied().filter(|(name, _)| *name != mark).collect();
        let page = window.post("/people/new", &unmarked).await;
        assert!(page.holds("请先核对") && page.holds("value=\"unsure\" checked") && page.holds("旧护照没带来"), "{}", page.text());
        let done = window.post("/people/new", &answered).await;
        assert!(done.location().ends_with("done=registered"), "{}", done.text());

        window.get("/duplicates").await;
        let pair = window.find("href=\"/duplicates/", '"').filter(|id| !id.contains("export")).unwrap();
        let path = format!("/duplicates/{pair}");
        let page = window.get(&path).await;
        assert!(page.holds("name=\"phone\"") && page.holds("其实不同") && !page.holds("name=\"phone\" value=\"a\" checked"), "{}", page.text());
        let merge = [("survivor", "b"), ("merge_reason", "两本护照照片为同一人")];
        let page = window.post(&format!("{path}/merge"), &merge).await;
        assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.holds("请选择手机用哪一个"), "{}", page.text());
        assert!(page.holds("name=\"survivor\" value=\"b\" checked") && page.holds("两本护照照片为同一人"), "{}", page.text());
        let chosen = [("survivor", "b"), ("phone", "a"), ("merge_reason", "两本护照照片为同一人")];
        let done = window.post(&format!("{path}/merge"), &chosen).await;
        assert!(done.location().ends_with("done=prepared"), "{}", done.text());

        // Turned down and judged to be two people afterwards: both stand in the history.
        let mut street = house.signed_in("shenhe").await;
        street.get(&path).await;
        assert!(street.post(&format!("{path}/reject"), &[("reject_reason", "照片看不清楚")]).await.location().ends_with("done=rejected"));
        let judged = street.post(&format!("{path}/different"), &[("different_reason", "看过两人护照原件")]).await;
        assert!(judged.location().ends_with("done=different"), "{}", judged.text());
        let page = street.get(&path).await;
        assert!(page.holds("照片看不清楚") && page.holds("看过两人护照原件"), "{}", page.text());
    }

    async fn numbers_are_masked_and_shown_for_a_purpose_that_is_written_down(db: Db) {
        let house = staffed(db).await;
        let number = id_number("19540101", 2);
        let id = house.person("张桂芳", &number, HERE).await;
        let mut window = house.signed_in("chuangkou").await;
        let page = window.get(&format!("/people/{id}")).await;
        assert!(!page.holds(&number) && !page.holds("13800138000") && page.holds("138****8000"), "{}", page.text());
        let without = window.post(&format!("/people/{id}/reveal"), &[]).await;
        assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!without.holds(&number) && without.holds("href=\"#purpose\""));
        let shown = window.post(&format!("/people/{id}/reveal"), &[("purpose", "核对本人身份")]).await;
        assert!(shown.status == StatusCode::OK && shown.holds(&number) && shown.holds("data-revealed"));
        assert!(!window.get(&format!("/people/{id}")).await.holds(&number));
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 50).await.unwrap();
        let told = entries.rows.iter().find(|entry| entry.event.act == "person.reveal").expect("the look is written down");
        assert_eq!(told.event.purpose, "核对本人身份");
        assert!(!format!("{:?}", entries.rows).contains("张桂芳"));
    }

    async fn a_fact_is_recorded_with_its_source_and_its_paper(db: Db) {
        let house = staffed(db).await;
        let id = house.person("张桂芳", &id_number("19540101", 2), HERE).await;
        let mut window = house.signed_in("chuangkou").await;
        let choose = window.get(&format!("/facts/new?person={id}")).await;
        assert!(choose.holds("哪个事实") && choose.holds("value=\"wage\"") && !choose.holds("value=\"birth_date\""));
        let path = format!("/facts/new?person={id}&fact=wage");
        window.get(&path).await;
        let person = id.to_string();
        let base = [("person", person.as_str()), ("fact", "wage"), ("month", "2026-05")];
        let mut empty = base.to_vec();
        empty.extend([("value", ""), ("source", "社保")]);
        let wrong = window.upload("/facts/new", &empty, ("file", "", b"")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.holds("不知道就不要录入"));
        let mut whole = base.to_vec();
        whole.extend([("value", "1800"), ("source", "社保")]);
        let hostile = window.upload("/facts/new", &whole, ("file", "x.pdf", b"<html><script>")).await;
        assert!(hostile.status == StatusCode::UNPROCESSABLE_ENTITY && hostile.holds("href=\"#file\""), "{}", hostile.text());
        let kept = window.upload("/facts/new", &whole, ("file", "wage.pdf", b"%PDF-1.7 paper")).await;
        assert_eq!(kept.location(), format!("/people/{id}?done=fact"), "{}", kept.text());
        let page = window.follow(&kept.location()).await;
        assert!(page.holds("1,800.00 元/月") && page.holds("社保") && page.holds("2026-05"), "{}", page.text());
        let file = window.find("href=\"/files/", '"').expect("a link to the paper");
        let paper = window.get(&format!("/files/{file}")).await;
        assert_eq!((paper.status, paper.body.as_slice()), (StatusCode::OK, &b"%PDF-1.7 paper"[..]));
        let mut elsewhere = house.signed_in("bieren").await;
        assert_eq!(elsewhere.get(&format!("/files/{file}")).await.status, StatusCode::NOT_FOUND);
    }

    async fn a_session_that_ends_over_a_form_loses_nothing(db: Db, clock: Arc<TestClock>) {
        let house = staffed(db).await;
        let mut window = house.signed_in("chuangkou").await;
        window.get("/people/new").await;
        clock.advance(chrono::Duration::minutes(31));
        let number = id_number("19540101", 2);
        let form = [("number", number.as_str()), ("name", "张桂芳"), ("hukou", "990101"), ("lives_in", HERE), ("address", "幸福路")];
        let stopped = window.post("/people/new", &form).await;
        assert_eq!(stopped.status, StatusCode::UNAUTHORIZED);
        assert!(stopped.holds("您填的内容还在"), "{}", stopped.text());
        let to = window.find("name=\"resume_to\" value=\"", '"').unwrap();
        let fields = window.find("name=\"resume\" value=\"", '"').unwrap().replace("&amp;", "&");
        let again = window
            .post("/sign-in", &[("login", "chuangkou"), ("password", house::PASSWORD), ("resume_to", &to), ("resume", &fields)])
            .await;
        assert!(again.status == StatusCode::OK && again.holds("接着提交") && again.holds("张桂芳"), "{}", again.text());
        let sent = window.post("/people/new", &form).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    }

    async fn an_export_is_capped_and_written_down(db: Db) {
        let house = staffed(db).await;
        let mut reviewer = house.signed_in("shenhe").await;
        let file = reviewer.get("/cases/export").await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("filename*=UTF-8''%E5%8A%9E"));
        assert!(file.body.starts_with(b"PK"));
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 5).await.unwrap();
        assert!(entries.rows.iter().any(|entry| entry.event.act == "web.export_cases"));
    }

    async fn a_household_beside_is_seen_by_the_street_and_not_by_the_next_community(db: Db) {
        let house = staffed(db).await;
        let head = house.person("李建国", &id_number("19500101", 1), BESIDE).await;
        let household = house.household(head, &[], BESIDE).await;
        let mut window = house.signed_in("chuangkou").await;
        assert_eq!(window.get(&format!("/households/{household}")).await.status, StatusCode::NOT_FOUND);
        assert!(!window.get("/households").await.holds("李建国"));
        let mut reviewer = house.signed_in("shenhe").await;
        assert!(reviewer.get(&format!("/households/{household}")).await.holds("李建国 一家 1 人"));
        assert!(reviewer.get("/households?text=%E6%9D%8E").await.holds("共 1 条"));
    }
}
