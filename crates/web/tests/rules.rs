//! Writing rules over HTTP, without script (规则编写): one officer drafts and proposes, another publishes, both see why not.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::Role;
use axum::http::StatusCode;
use casework::rulebook::Shelf;
use house::{HERE, House, migrations};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, TestClock};

const PARAMETERS: &str = "county/longevity/parameters.toml";

const OLD_AGE: &str = "national/old_age_allowance/rules.toml";

async fn writing_house(db: Db, folder: &Path) -> House {
    let packs = fixtures::small_packs(folder).unwrap();
    let shelf = Shelf::open(&db, &packs, "county", &folder.join("editions"))
        .await
        .unwrap();
    let house = House::written_by(db, shelf, web::WebConfig::default()).await;
    for login in ["writer", "second"] {
        house.officer(login, &[(Role::RuleOfficer, "990101")]).await;
    }
    house
}

/// The draft's address, from a page that leads to it.
fn draft_of(browser: &house::Browser) -> String {
    let id = browser.find("href=\"/rules/drafts/", '"').unwrap();
    format!("/rules/drafts/{id}")
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_rule_is_drafted_red_corrected_proposed_and_published_by_a_colleague(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let _stands = clock;
        let house = writing_house(db, &folder).await;
        let mut writer = house.signed_in("writer").await;
        let rule = writer.get("/rules/longevity").await;
        assert!(rule.holds("/rules/longevity/edit"), "{}", rule.text());
        let edit = writer.get("/rules/longevity/edit").await;
        assert_eq!(edit.status, StatusCode::OK, "{}", edit.text());
        assert!(edit.holds("county/longevity/parameters.toml") && edit.holds("value = 30000"), "{}", edit.text());
        assert_eq!(writer.get("/rules/longevity/edit?file=..%2Fkeys").await.status, StatusCode::NOT_FOUND);
        assert_eq!(writer.get("/rules/no-such-thing/edit").await.status, StatusCode::NOT_FOUND);

        // Changed in place: red cases, and the warning about days gone by.
        let published = house.app.shelf.now().texts.get(PARAMETERS).unwrap().to_owned();
        let wrong = published.replace("30000", "35000").replace('\n', "\r\n");
        let saved = writer.post("/rules/longevity/edit", &[("file", PARAMETERS), ("version", "0"), ("text", &wrong)]).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        let to = saved.location();
        let page = writer.get(to.split('#').next().unwrap()).await;
        assert!(page.holds("草稿已保存并检查") && page.holds("办例不相符") && page.holds("九十岁生日当天"), "{}", page.text());
        assert!(page.holds("会改变以前的结果") && page.holds("− ") && page.holds("+ "), "{}", page.text());
        let draft = draft_of(&writer);
        let proposal = [("version", "1"), ("from", "2026-07-01"), ("basis", "样民〔2026〕12号")];
        writer.get(&draft).await;
        let refused = writer.post(&format!("{draft}/propose"), &proposal).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.holds("检查没有通过") && refused.holds("样民〔2026〕12号"), "{}", refused.text());

        // Taken back, and a dated value added with the short form.
        writer.get("/rules/longevity/edit").await;
        let back = writer.post("/rules/longevity/edit", &[("file", PARAMETERS), ("version", "1"), ("text", &published)]).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text());
        let value = [
            ("file", PARAMETERS), ("version", "2"), ("parameter", "longevity_allowance"),
            ("from", "2026-07-01"), ("value", "35000"), ("region", ""), ("source", ""),
        ];
        let unsourced = writer.post("/rules/longevity/value", &value).await;
        assert_eq!(unsourced.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(unsourced.holds("请填写来源"), "{}", unsourced.text());
        let mut sourced = value;
        sourced[6] = ("source", "样民〔2026〕12号第一条");
        let added = writer.post("/rules/longevity/value", &sourced).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.text());
        let page = writer.get("/rules/longevity/edit").await;
        assert!(page.holds("通过，5 个办例相符") && page.holds("from = 2026-07-01, value = 35000"), "{}", page.text());
        let stale = writer.post("/rules/longevity/edit", &[("file", PARAMETERS), ("version", "2"), ("text", "# 另一个人写的")]).await;
        assert!(stale.holds("又被保存过") && stale.holds("# 另一个人写的"), "{}", stale.text());

        writer.get(&draft).await;
        let nameless = writer.post(&format!("{draft}/propose"), &[("version", "3"), ("from", "2026-07-01"), ("basis", "")]).await;
        assert!(nameless.holds("请填写发布依据"), "{}", nameless.text());
        let effect = writer.get(&format!("{draft}/what-if?on=2026-07-01")).await;
        assert!(effect.holds("测算 0 户"), "{}", effect.text());
        let proposed = writer.post(&format!("{draft}/propose"), &[("version", "3"), ("from", "2026-07-01"), ("basis", "样民〔2026〕12号")]).await;
        assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text());
        let page = writer.get(&draft).await;
        assert!(page.holds("待同事复核") && page.holds("同意并发布") && page.holds("card.approved.md"), "{}", page.text());
        let own = writer.post(&format!("{draft}/publish"), &[("again.shown", house::PASSWORD)]).await;
        assert!(own.holds("由另一位同事办理"), "{}", own.text());

        let mut second = house.signed_in("second").await;
        let list = second.get("/rules/drafts").await;
        assert!(list.holds("待同事复核") && list.holds("官员writer"), "{}", list.text());
        assert!(second.get("/rules/longevity").await.holds("300"));
        second.get(&draft).await;
        let published = second.post(&format!("{draft}/publish"), &[("again.shown", house::PASSWORD)]).await;
        assert_eq!((published.status, published.location().as_str()), (StatusCode::SEE_OTHER, "/rules/editions/2?done=published"), "{}", published.text());
        let edition = second.get("/rules/editions/2").await;
        assert!(edition.holds("样民〔2026〕12号") && edition.holds("官员second") && edition.holds("35000"), "{}", edition.text());
        // The pages of everybody stand on the new edition at once.
        assert!(writer.get("/rules/longevity").await.holds("样民〔2026〕12号第一条"));
        let history = second.get("/rules/editions").await;
        assert!(history.holds("现行") && history.holds("随系统交付"), "{}", history.text());
        let export = second.get("/rules/editions/2/export").await;
        assert_eq!(export.status, StatusCode::OK);
        assert_eq!(export.body, house.app.shelf.now().texts.zip("packs").unwrap());
        assert_eq!(second.get("/rules/editions/3").await.status, StatusCode::NOT_FOUND);
        assert!(second.get(&draft).await.holds("已发布"));
    }

    async fn a_draft_with_another_condition_is_tried_on_everybody(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let _stands = clock;
        let snapshots = folder.join("snapshots");
        let packs = folder.join("packs");
        fixtures::copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs")), &packs).unwrap();
        let config = web::WebConfig { snapshots: Some(snapshots.clone()), ..web::WebConfig::default() };
        let shelf = Shelf::open(&db, &packs, "sample", &folder.join("editions")).await.unwrap();
        let house = House::written_by(db, shelf, config).await;
        house.officer("writer", &[(Role::RuleOfficer, "990101")]).await;
        // Twelve of eighty-five with 100.00 a month, three of ninety-five with 200.00.
        let year: i32 = house.app.db.today().format("%Y").to_string().parse().unwrap();
        for number in 0..15_u32 {
            let age = if number < 12 { 85 } else { 95 };
            let id = house::id_number(&format!("{}0101", year - age), number + 1);
            let name = format!("老{}", char::from_u32(0x4e00 + number).unwrap());
            let elder = house.person(&name, &id, HERE).await;
            house.household(elder, &[], HERE).await;
        }
        let stop = AtomicBool::new(false);
        let desk = house.app.shelf.now().desk.clone();
        let ran = batch::night::run(&house.app.db, &desk, &snapshots, (1, &stop), &|_, _| {}).await;
        assert_eq!(ran.unwrap().unwrap().manifest.households, 15);

        let mut writer = house.signed_in("writer").await;
        let rules = house.app.shelf.now().texts.get(OLD_AGE).unwrap().to_owned();
        let later = rules.replace("age_years >= old_age_start_age\"", "age_years >= old_age_start_age + 10\"");
        assert_ne!(later, rules);
        writer.get("/rules/old_age_allowance/edit").await;
        let saved = writer.post("/rules/old_age_allowance/edit", &[("file", OLD_AGE), ("version", "0"), ("text", &later)]).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        writer.get(saved.location().split('#').next().unwrap()).await;
        let draft = draft_of(&writer);
        let page = writer.get(&draft).await;
        assert!(page.holds("按街道、年龄、户规模看影响"), "{}", page.text());
        let id = draft.rsplit('/').next().unwrap();
        let chosen = writer.get("/simulate?programme=old_age_allowance").await;
        assert!(chosen.holds("起草中，官员writer") && chosen.holds("改一个数"), "{}", chosen.text());
        // Twelve leave: 12 × 100.00 = 1,200.00 a month less, 14,400.00 a year.
        let path = format!("/simulate?programme=old_age_allowance&draft={id}");
        let page = writer.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.holds("草稿：") && page.holds("12 户") && page.holds("1,200.00 元") && page.holds("14,400.00 元"), "{}", page.text());
        assert!(page.holds("打开这份草稿") && !page.holds("写进规则草稿"), "{}", page.text());
        // Beside a reform: both stand there, each under its name.
        let both = writer.get(&format!("{path}&reforms=1&a.old_age_allowance.old_age_rates.80=200")).await;
        assert!(both.holds("情景甲") && both.holds("+1,200.00 元") && both.holds("草稿："), "{}", both.text());
        let file = writer.get(&path.replace("/simulate?", "/simulate/export?")).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        // A draft that does not load is named, and so is none at all.
        writer.get("/rules/old_age_allowance/edit").await;
        let broken = writer.post("/rules/old_age_allowance/edit", &[("file", OLD_AGE), ("version", "1"), ("text", "[[condition]]")]).await;
        assert_eq!(broken.status, StatusCode::SEE_OTHER, "{}", broken.text());
        assert!(writer.get(&path).await.holds("检查没有通过"));
        let none = writer.get("/simulate?programme=old_age_allowance&draft=00000000-0000-7000-8000-000000000000").await;
        assert!(none.holds("没有找到这份规则草稿"), "{}", none.text());
    }

    async fn who_does_not_write_rules_reads_them_only(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let _stands = clock;
        let house = writing_house(db, &folder).await;
        house.officer("window", &[(Role::WindowOfficer, HERE)]).await;
        let mut window = house.signed_in("window").await;
        assert!(!window.get("/rules/longevity").await.holds("/rules/longevity/edit"));
        assert_eq!(window.get("/rules/longevity/edit").await.status, StatusCode::FORBIDDEN);
        assert!(window.get("/rules/editions").await.holds("随系统交付"));
        let sent = window.post("/rules/longevity/edit", &[("file", PARAMETERS), ("version", "0"), ("text", "x")]).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN);
    }

    async fn a_house_without_a_folder_for_editions_says_so(db: Db) {
        let house = House::over(db).await;
        house.officer("writer", &[(Role::RuleOfficer, "990101")]).await;
        let mut writer = house.signed_in("writer").await;
        let edit = writer.get("/rules/dibao/edit").await;
        assert!(edit.status.is_client_error() && edit.holds("不能在线修改规则"), "{}", edit.text());
        assert!(writer.get("/rules/editions").await.holds("没有保存规则的历史"));
    }
}
