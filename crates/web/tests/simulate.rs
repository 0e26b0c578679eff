//! The sweep's leads and the simulation on the pages (政策找人、试算页面), in their scope, on both databases, without a script.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::Role;
use axum::http::StatusCode;
use house::{BESIDE, HERE, House, THERE, id_number, migrations};
use std::sync::atomic::AtomicBool;
use store::Db;
use tempfile::TempDir;

/// Twelve people of eighty-two in one street, three in another; nobody is paid. Everybody is swept.
async fn swept(db: Db) -> (House, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let config = web::WebConfig {
        snapshots: Some(folder.path().to_owned()),
        ..web::WebConfig::default()
    };
    let house = House::with(db, config).await;
    let today = house.app.db.today();
    let year: i32 = today.format("%Y").to_string().parse().unwrap();
    for number in 0..15_u32 {
        let place = if number < 12 { HERE } else { THERE };
        let born = format!("{}0101", year - 82);
        let name = format!("老{}", char::from_u32(0x4e00 + number).unwrap());
        let elder = house
            .person(&name, &id_number(&born, number + 1), place)
            .await;
        house.household(elder, &[], place).await;
    }
    for (login, role, place) in [
        ("chuangkou", Role::WindowOfficer, HERE),
        ("linshe", Role::WindowOfficer, BESIDE),
        ("jiedao", Role::StreetReviewer, "990101001"),
        ("qushen", Role::DistrictApprover, "990101"),
        ("guize", Role::RuleOfficer, "990101"),
    ] {
        house.officer(login, &[(role, place)]).await;
    }
    (house, folder)
}

async fn night(house: &House, folder: &TempDir) {
    let stop = AtomicBool::new(false);
    let (app, base) = (&house.app, folder.path());
    let ran = batch::night::run(&app.db, &app.desk, base, (1, &stop), &|_, _| {}).await;
    let ran = ran.unwrap().unwrap();
    assert_eq!((ran.manifest.households, ran.taken.lost), (15, 0));
    // A second run the same night adds nothing.
    let again = batch::night::run(&app.db, &app.desk, base, (1, &stop), &|_, _| {}).await;
    let again = again.unwrap().unwrap();
    assert_eq!((again.taken.new, again.taken.settled), (0, 0));
}

/// Two hundred yuan from eighty instead of one hundred.
const TWICE: &str =
    "programme=old_age_allowance&reforms=1&a.old_age_allowance.old_age_rates.80=200";

fixtures::db_tests! {
    migrations = migrations();

    async fn a_community_sees_exactly_its_own_leads_of_the_sweep(db: Db) {
        let (house, folder) = swept(db).await;
        let mut district = house.signed_in("qushen").await;
        assert!(district.get("/simulate").await.holds("还没有人口快照"));
        assert!(district.get("/leads/sweep").await.holds("还没有比对过"));
        let asked = district.post("/leads/sweep", &[]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
        assert!(district.get("/leads/sweep").await.holds("已排队"));
        let stopped = district.post("/leads/sweep/cancel", &[]).await;
        assert_eq!(stopped.status, StatusCode::SEE_OTHER, "{}", stopped.text());
        assert!(district.get("/leads/sweep").await.holds("被停止"));
        night(&house, &folder).await;

        let due = "/leads?programme=old_age_allowance&kind=due";
        let mut window = house.signed_in("chuangkou").await;
        let page = window.get(due).await;
        assert!(page.holds("共 12 条"), "{}", page.text());
        assert_eq!(window.get("/leads/sweep").await.status, StatusCode::FORBIDDEN);
        let mut beside = house.signed_in("linshe").await;
        assert!(beside.get(due).await.holds("没有这样的线索"));
        let mut street = house.signed_in("jiedao").await;
        assert!(street.get(due).await.holds("共 12 条"));
        // The other street's three cannot be had by asking for the place either.
        let asked = street.get(&format!("{due}&region=990101002")).await;
        assert!(asked.holds("没有这样的线索"), "{}", asked.text());
        assert!(district.get(&format!("{due}&region=990101002")).await.holds("共 3 条"));
        assert!(district.get(due).await.holds("共 15 条"));
    }

    async fn a_simulation_counts_the_scope_and_hides_what_is_small(db: Db) {
        let (house, folder) = swept(db).await;
        night(&house, &folder).await;
        let path = format!("/simulate?{TWICE}");
        // 15 people get 200.00 instead of 100.00: 1,500.00 a month, 18,000.00 a year.
        let mut district = house.signed_in("qushen").await;
        let page = district.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.holds("15 户") && page.holds("+1,500.00 元") && page.holds("+18,000.00 元"), "{}", page.text());
        assert!(page.holds("12 户") && page.holds("3 户") && page.holds("把这个网址发给规则岗"), "{}", page.text());
        // The street counts its own twelve.
        let mut street = house.signed_in("jiedao").await;
        let page = street.get(&path).await;
        assert!(page.holds("12 户") && page.holds("+1,200.00 元") && !page.holds("15 户"), "{}", page.text());
        // Who may not see persons: three are few, and twelve would give them away.
        let mut writer = house.signed_in("guize").await;
        let page = writer.get(&path).await;
        assert!(page.holds("15 户") && page.holds("不显示"), "{}", page.text());
        assert!(!page.holds("12 户") && !page.holds("3 户 ") && !page.holds("+300.00"), "{}", page.text());
        assert!(page.holds("写进规则草稿"), "{}", page.text());
        let file = writer.get(&format!("/simulate/export?{TWICE}")).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        let sheets = sheets::read(&file.body, sheets::Limits::default()).unwrap();
        let told = format!("{sheets:?}");
        assert!(told.contains("不显示") && !told.contains("30000"), "{told}");
        // Nothing changed, nothing to export; what cannot be read is named.
        let page = writer.get("/simulate?programme=old_age_allowance").await;
        assert!(page.holds("改一个数"), "{}", page.text());
        let wrong = writer.get(&format!("{path}.555")).await;
        assert!(wrong.holds("最多两位小数"), "{}", wrong.text());
        assert_eq!(writer.get("/simulate/export?programme=old_age_allowance").await.status, StatusCode::CONFLICT);
        // A second reform that cannot be read is not left out of the file: there is no file.
        let second = TWICE.split('&').find(|pair| pair.starts_with("a.")).unwrap().replacen("a.", "b.", 1);
        let both = TWICE.replace("reforms=1", "reforms=2");
        let left_out = writer.get(&format!("/simulate/export?{both}&{second}.555")).await;
        assert!(left_out.status == StatusCode::CONFLICT && left_out.holds("最多两位小数"), "{}", left_out.text());
        let mut window = house.signed_in("chuangkou").await;
        assert_eq!(window.get(&path).await.status, StatusCode::FORBIDDEN);
    }
}
