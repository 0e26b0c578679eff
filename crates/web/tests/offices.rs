//! The offices behind the desk, over HTTP (后台各岗位): rosters, rules, the auditor, accounts.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

mod house;

use access::{Role, Scope};
use axum::http::StatusCode;
use house::{BESIDE, HERE, House, THERE, id_number, migrations};
use registry::places::{PlaceRow, load_places};
use store::Db;
use vocab::Region;

async fn with_places(house: &House) {
    let place = house.app.desk.book.place();
    let rows: Vec<PlaceRow> = place
        .regions
        .iter()
        .map(|region| PlaceRow {
            code: region.code,
            name_zh: region.name_zh.clone(),
            name_en: Some(region.name_en.clone()),
            parent: region.parent,
            from: region.from,
            until: region.until,
        })
        .collect();
    let mut tx = house.app.db.begin().await.unwrap();
    load_places(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
}

/// Two households, the second of them with a mistyped identity number.
fn roster() -> String {
    let good = id_number("19600101", 1);
    let mut bad = id_number("19610101", 2);
    let wrong = if bad.ends_with('1') { '2' } else { '1' };
    bad.pop();
    bad.push(wrong);
    format!(
        "户编号,与户主关系,姓名,证件类型,证件号码,居住社区,详细住址\n\
         A1,户主,张一,居民身份证,{good},{HERE},一号楼\n\
         A2,户主,王二,居民身份证,{bad},{HERE},二号楼\n"
    )
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_roster_is_checked_before_anything_is_written_and_its_wrong_rows_come_back(db: Db) {
        let house = House::over(db).await;
        with_places(&house).await;
        house.officer("rev-a", &[(Role::StreetReviewer, "990101001")]).await;
        house.officer("rev-b", &[(Role::StreetReviewer, "990101001")]).await;
        let mut browser = house.signed_in("rev-a").await;
        assert!(browser.get("/roster").await.holds("下载模板"));
        assert!(browser.get("/roster/template").await.body.starts_with(b"PK"));
        assert!(browser.upload("/roster", &[], ("file", "x.bin", b"\x00\x01\x02")).await.status.is_client_error());

        let checked = browser.upload("/roster", &[], ("file", "hu.csv", roster().as_bytes())).await;
        assert_eq!(checked.status, StatusCode::OK, "{}", checked.text());
        assert!(checked.holds("证件号码") && checked.holds("校验位不对") && checked.holds("只导入无误的户"), "{}", checked.text());
        assert!(browser.get("/households").await.holds("没有符合条件的家庭"));
        let checked = browser.upload("/roster", &[], ("file", "hu.csv", roster().as_bytes())).await;
        assert_eq!(checked.status, StatusCode::OK);
        let file = browser.find("name=\"file\" value=\"", '"').unwrap();
        let mark = browser.find("name=\"mark\" value=\"", '"').unwrap();
        let named = [("file", file.as_str()), ("mark", mark.as_str())];

        let mut other = house.signed_in("rev-b").await;
        assert_eq!(other.post("/roster/commit", &named).await.status, StatusCode::NOT_FOUND);
        let all = browser.post("/roster/commit", &[named[0], named[1], ("mode", "all")]).await;
        assert_eq!(all.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(all.holds("未导入任何数据"), "{}", all.text());
        assert!(browser.post("/roster/rejected", &named).await.body.starts_with(b"PK"));
        let done = browser.post("/roster/commit", &[named[0], named[1], ("mode", "valid")]).await;
        assert_eq!(done.status, StatusCode::OK);
        assert!(done.holds("新建 1 户"), "{}", done.text());
        assert!(browser.get("/households").await.holds("张一"));
    }

    async fn the_register_leaves_in_the_form_of_the_roster_for_a_purpose_and_comes_back_unchanged(db: Db) {
        let house = House::over(db.clone()).await;
        with_places(&house).await;
        house.officer("rev-a", &[(Role::StreetReviewer, "990101001")]).await;
        house.officer("shenji", &[(Role::Auditor, "990101")]).await;
        let head = house.person("陈阿婆", &id_number("19360101", 1), HERE).await;
        let son = house.person("陈小", &id_number("19660101", 2), HERE).await;
        house.household(head, &[(son, "20")], HERE).await;
        let alone = house.person("李四", &id_number("19500101", 3), BESIDE).await;
        house.household(alone, &[], BESIDE).await;
        let mut browser = house.signed_in("rev-a").await;
        assert!(browser.get("/households").await.holds("/households/roster"));
        assert!(browser.get("/households/roster").await.holds("名册格式导出"));
        let refused = browser.post("/households/roster", &[("purpose", " ")]).await;
        assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.holds("请写明导出的用途"), "{}", refused.text());
        let far = browser.post("/households/roster", &[("purpose", "核对"), ("region", THERE)]).await;
        assert!(far.holds("不在您的管辖范围"), "{}", far.text());
        let file = browser.post("/households/roster", &[("purpose", "年度复核")]).await;
        assert!(file.status == StatusCode::OK && file.body.starts_with(b"PK"), "{}", file.text());
        // Three people known, nothing new, nothing changed, nothing wrong.
        browser.get("/roster").await;
        let report = browser.upload("/roster", &[], ("file", "hu.xlsx", &file.body)).await.text();
        let said = |name: &str| report.split(&format!("<dt>{name}</dt><dd>")).nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
        let counts = ["读到的人", "已登记、无变化的人", "已登记、有变化的人", "新登记的人", "新建的户"].map(said);
        assert_eq!(counts, ["3", "3", "0", "0", "0"].map(|count| Some(count.to_owned())), "{report}");
        assert!(report.contains("没有发现错误"), "{report}");
        // Who may not see clear numbers, or not import, has neither page nor button.
        let mut auditor = house.signed_in("shenji").await;
        assert!(!auditor.get("/households").await.holds("/households/roster"));
        assert_eq!(auditor.get("/households/roster").await.status, StatusCode::FORBIDDEN);
        assert_eq!(auditor.post("/households/roster", &[("purpose", "核对")]).await.status, StatusCode::FORBIDDEN);
        let only = store::journal::Filter { act: Some("roster.export".to_owned()), ..Default::default() };
        let found = store::journal::page(&db, &only, 0, 9).await.unwrap();
        let said: Vec<_> = found.rows.iter().map(|one| (one.event.purpose.as_str(), one.event.detail["people"].as_u64())).collect();
        assert_eq!(said, [("年度复核", Some(3))]);
    }

    async fn the_rule_book_is_open_to_officers_with_law_values_and_cases(db: Db) {
        let house = House::over(db).await;
        house.officer("rule", &[(Role::RuleOfficer, "990101")]).await;
        let mut browser = house.signed_in("rule").await;
        let list = browser.get("/rules").await;
        assert!(list.holds("规则版本"), "{}", list.text());
        assert_eq!(browser.get("/rules/no-such-thing").await.status, StatusCode::NOT_FOUND);
        for programme in house.app.desk.book.programmes() {
            let id = &programme.id;
            assert!(list.holds(&programme.title_zh));
            let page = browser.get(&format!("/rules/{id}")).await;
            assert_eq!(page.status, StatusCode::OK, "{id}");
            assert!(page.holds("依据") && page.holds("参数") && page.holds("不符合时告知"), "{id}");
            let cases = browser.get(&format!("/rules/{id}/cases")).await;
            assert_eq!(cases.status, StatusCode::OK, "{id}");
            assert!(!cases.holds("与预期不一致："), "{id}");
            let card = browser.get(&format!("/rules/{id}/card")).await;
            assert!(card.text().starts_with("# "), "{id}");
        }
        let facts = browser.get("/rules/facts?text=%E6%97%A0%E6%AD%A4%E4%BA%8B%E5%AE%9E").await;
        assert!(facts.holds("没有这样的事实"));
        assert!(browser.get("/rules/facts").await.holds("敏感个人信息"));
    }

    async fn the_auditor_reads_the_journal_verifies_the_chain_and_audits_a_year(db: Db) {
        let house = House::over(db).await;
        house.officer("audit", &[(Role::Auditor, "990101")]).await;
        house.officer("win", &[(Role::WindowOfficer, HERE)]).await;
        let mut browser = house.signed_in("audit").await;
        let page = browser.get("/journal").await;
        assert!(page.holds("登录") && page.holds("官员audit"), "{}", page.text());
        let filtered = browser.get("/journal?officer=nobody-here").await;
        assert!(filtered.holds("没有符合条件的日志"), "{}", filtered.text());
        let granted = browser.get("/journal?act=access.grant_role&from=2026-06-01&until=2026-06-01").await;
        assert!(granted.holds("授岗") && granted.holds("共 2 条"), "{}", granted.text());
        let verified = browser.post("/journal/verify", &[]).await;
        assert!(verified.holds("日志链完整"), "{}", verified.text());
        let export = browser.get("/journal/export?act=access.").await;
        assert!(export.body.starts_with(b"PK"));
        assert!(browser.get("/journal?act=journal.export").await.holds("导出操作日志"));
        assert!(browser.get("/audit").await.holds("开始审计"));
        let audit = browser.get("/audit?year=2026").await;
        assert!(audit.holds("没有发现问题"), "{}", audit.text());
        assert_eq!(browser.get("/audit?year=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        let mut window = house.signed_in("win").await;
        for path in ["/journal", "/journal/export", "/audit?year=2026"] {
            assert_eq!(window.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }

    async fn an_administrator_makes_accounts_grants_roles_and_locks_out(db: Db) {
        let house = House::over(db).await;
        let admin = house.officer("admin", &[(Role::Administrator, "990101")]).await;
        let mut browser = house.signed_in("admin").await;
        let shape = browser.post("/officers", &[("login", "Zhang 3"), ("name", "张三")]).await;
        assert_eq!(shape.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(shape.holds("3 到 40 个小写字母") && shape.holds("value=\"张三\""), "{}", shape.text());
        let made = browser.post("/officers", &[("login", "zhang3"), ("name", "张三")]).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.text());
        let password = browser.find("id=\"password\">", '<').unwrap();
        let path = browser.find("href=\"/officers/", '"').map(|_| {
            let page = browser.page();
            let at = page.rfind("/officers/").unwrap();
            page[at..].split('"').next().unwrap().to_owned()
        }).unwrap();

        let mut newcomer = house.browser();
        let signed = newcomer.post("/sign-in", &[("login", "zhang3"), ("password", &password)]).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text());
        assert_eq!(newcomer.get("/households").await.location(), "/account?must=1");

        let nothing = browser.post(&format!("{path}/grant"), &[]).await;
        assert!(nothing.holds("请选择岗位"));
        let role = [("role", "window_officer"), ("region", HERE)];
        assert_eq!(browser.post(&format!("{path}/grant"), &role).await.location(), format!("{path}?done=granted"));
        let page = browser.get(&path).await;
        assert!(page.holds("窗口人员") && page.holds("让此人在所有设备上退出"), "{}", page.text());
        let apart = browser.post(&format!("{path}/grant"), &[("role", "auditor"), ("region", "990101")]).await;
        assert_eq!(apart.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(apart.holds("不能与"), "{}", apart.text());
        assert_eq!(browser.post(&format!("{path}/revoke"), &role).await.location(), format!("{path}?done=revoked"));
        let own = browser.post(&format!("/officers/{admin}/grant"), &role).await;
        assert!(own.holds("不能更改自己的岗位"), "{}", own.text());

        assert!(browser.post(&format!("{path}/sessions/end"), &[]).await.location().ends_with("done=ended"));
        assert_eq!(newcomer.get("/account").await.status, StatusCode::SEE_OTHER);
        browser.get(&path).await;
        assert!(browser.post(&format!("{path}/password"), &[]).await.holds("id=\"password\""));
        browser.get(&path).await;
        assert!(browser.post(&format!("{path}/switch"), &[("to", "off")]).await.location().ends_with("done=off"));
        let shut = newcomer.post("/sign-in", &[("login", "zhang3"), ("password", &password)]).await;
        assert_eq!(shut.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(browser.get("/officers").await.holds("已停用"));
        let elsewhere = house.officer("far", &[(Role::WindowOfficer, "440307001001")]).await;
        assert_eq!(browser.get(&format!("/officers/{elsewhere}")).await.status, StatusCode::NOT_FOUND);
        let scope = Scope::system(Region::NATION);
        assert!(access::officer::officer(&house.app.db, &scope, elsewhere).await.unwrap().is_some());
    }
}
