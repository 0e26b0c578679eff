//! The public door over HTTP (公众入口): guides, notices, progress; nobody signs in and nobody is named.

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

use axum::http::StatusCode;
use casework::{letter, receipt};
use house::{House, migrations};
use std::sync::Arc;
use store::{Db, TestClock};
use town::{Town, saying, text_of};
use uuid::Uuid;
use vocab::ids::ApplicationId;

fixtures::db_tests! {
    migrations = migrations();

    async fn every_programme_has_one_sheet_that_says_all(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        let list = browser.get("/programmes").await;
        assert_eq!(list.status, StatusCode::OK, "{}", list.text());
        for programme in house.app.desk.open_programmes() {
            assert!(list.holds(&programme.title_zh));
            let sheet = browser.get(&format!("/programmes/{}", programme.id)).await;
            assert_eq!(sheet.status, StatusCode::OK, "{}", programme.id);
            for part in ["可以得到什么", "什么条件", "带什么材料", "办理步骤", "多久办好", "申请不收费", "在哪里办", "服务热线", "依据"] {
                assert!(sheet.holds(part), "{}: {part}", programme.id);
            }
            // On paper it leads back to itself.
            let link = scanned(&sheet.text());
            assert_eq!(link, format!("http://127.0.0.1:8080/programmes/{}", programme.id));
        }
        assert_eq!(browser.get("/programmes/no-such-thing").await.status, StatusCode::NOT_FOUND);
        assert!(browser.get("/programmes?text=zzzz").await.holds("没有找到"));
        browser.get("/sign-in").await;
        browser.post("/preferences", &[("back", "/programmes"), ("lang", "en")]).await;
        let english = browser.get("/programmes").await;
        assert!(english.holds("What you can apply for") && english.holds("lang=\"en\""), "{}", english.text());
    }

    async fn elder_mode_is_found_by_each_of_its_names_and_other_services_by_theirs(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        for word in ["长辈版", "亲情版", "关爱版", "关怀版", "适老化", "Large"] {
            let found = browser.get(&format!("/programmes?text={}", web::fields::encoded(word))).await;
            assert!(found.holds("打开长辈版") && !found.holds("没有找到"), "{word}: {}", found.text());
        }
        let progress = browser.get("/programmes?text=%E8%BF%9B%E5%BA%A6").await;
        assert!(progress.holds("href=\"/progress\"") && !progress.holds("打开长辈版") && !progress.holds("没有找到"));
        // With nothing asked for, the page stays what it was: programmes, progress, notices.
        let all = browser.get("/programmes").await;
        assert!(all.holds("href=\"/notices\"") && !all.holds("打开长辈版"));
    }

    async fn a_place_without_notices_says_so_and_a_past_notice_is_gone(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        assert!(browser.get("/notices").await.holds("现在没有公示"));
        let gone = format!("/notices/{}", Uuid::from_u128(7));
        assert_eq!(browser.get(&gone).await.status, StatusCode::NOT_FOUND);
        let said = [("said", "他家有车")];
        assert_eq!(browser.post(&gone, &said).await.status, StatusCode::NOT_FOUND);
    }

    async fn progress_tells_a_wrong_code_from_nothing_found_and_stops_guessing(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        let code = receipt::code(house.app.db.keys(), ApplicationId(Uuid::from_u128(1)));
        let page = browser.get(&format!("/progress/{code}")).await;
        assert!(page.holds(&format!("value=\"{code}\"")), "{}", page.text());
        let mistyped = browser.post("/progress", &[("code", "7K3F-9M2Q"), ("tail", "12")]).await;
        assert_eq!(mistyped.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(mistyped.holds("多半抄错了一位") && mistyped.holds("请填写手机号的后四位数字"));
        for _ in 0..10 {
            let nothing = browser.post("/progress", &[("code", &code), ("tail", "8000")]).await;
            assert!(nothing.holds("没有查到"), "{}", nothing.text());
        }
        let stopped = browser.post("/progress", &[("code", &code), ("tail", "8000")]).await;
        assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
        assert!(stopped.headers.contains_key("retry-after"));
    }

    async fn a_notice_shows_three_things_and_takes_an_objection_and_the_receipt_shows_the_steps(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (family, case, submitted) = town.dibao_case().await;
        town.verify(&family).await;
        town.publish(case).await;
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        let mut browser = house.browser();
        let list = browser.get("/notices").await;
        assert!(list.holds("张桂䶮") && list.holds("3,375.00 元") && list.holds("公示期"), "{}", list.text());
        for private in ["李小明", "1954", "13812345678", "440306195402030"] {
            assert!(!list.holds(private), "{private}");
        }
        let elsewhere = browser.get("/notices?region=440306001").await;
        assert!(elsewhere.holds("现在没有公示"));
        browser.get("/notices").await;
        let id = browser.find("href=\"/notices/", '"').unwrap();
        let path = format!("/notices/{id}");
        assert!(browser.get(&path).await.holds("我有不同意见"));
        let empty = browser.post(&path, &[("said", " ")]).await;
        assert!(empty.holds("请写明您反映的情况"), "{}", empty.text());
        let said = browser.post(&path, &[("said", "他家有一辆车"), ("contact", "")]).await;
        assert!(said.holds("已收到，并转给街道核实"), "{}", said.text());

        let code = submitted.receipt_code.as_str();
        let wrong = browser.post("/progress", &[("code", code), ("tail", "0000")]).await;
        assert!(wrong.holds("没有查到"));
        let found = browser.post("/progress", &[("code", code), ("tail", "5678")]).await;
        assert!(found.holds("初审意见正在公示") && found.holds("受理"), "{}", found.text());
        for private in ["张桂䶮", "13812345678", "一辆车"] {
            assert!(!found.holds(private), "{private}");
        }
        // The code on the receipt, read by a machine, opens the page with the number filled in.
        house.officer("shi", &[(access::Role::StreetReviewer, "440306017")]).await;
        let mut officer = house.signed_in("shi").await;
        let receipt = officer.get(&format!("/cases/{case}/receipt")).await;
        assert_eq!(receipt.status, StatusCode::OK, "{}", receipt.text());
        let link = scanned(&receipt.text());
        assert_eq!(link, format!("http://127.0.0.1:8080/progress/{code}"));
        let opened = browser.get(link.trim_start_matches("http://127.0.0.1:8080")).await;
        assert!(opened.holds(&format!("value=\"{code}\"")), "{}", opened.text());
    }

    async fn a_bad_rating_given_without_signing_in_is_taken_up_and_mended(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (_, case, submitted) = town.dibao_case().await;
        let (number, code) = (submitted.cases[0].1.clone(), submitted.receipt_code.clone());
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        let mut anybody = house.browser();
        assert!(anybody.get("/rate?code=7K3F-9M2Q").await.holds("没有查到这次办理"));
        let path = format!("/rate/{code}");
        let page = anybody.get(&path).await;
        assert!(page.holds("非常不满意") && page.holds("服务态度") && !page.holds("平台操作性"), "{}", page.text());
        for private in ["张桂䶮", "张*䶮", "最低生活保障", "13812345678"] {
            assert!(!page.holds(private), "{private}");
        }
        let empty = anybody.post(&path, &[("case", &number), ("seq", "1"), ("said", "等了两个小时")]).await;
        assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.holds("请选择满意程度") && empty.holds("等了两个小时"), "{}", empty.text());
        let given = [("case", number.as_str()), ("seq", "1"), ("grade", "1"), ("about", "service_attitude"), ("said", "等了两个小时")];
        let done = anybody.post(&path, &given).await;
        assert_eq!(done.location(), format!("{path}?done=1"), "{}", done.text());
        assert!(anybody.get(&done.location()).await.holds("正在回访整改"));
        assert!(anybody.post(&path, &given).await.holds("已经评价过了"));

        house.officer("shi", &[(access::Role::StreetReviewer, "440306017")]).await;
        let mut officer = house.signed_in("shi").await;
        assert!(officer.get("/").await.holds("差评：有 1 条待回访整改"));
        let list = officer.get("/ratings").await;
        assert!(list.holds("非常不满意") && !list.holds(&number) && !list.holds(&case.to_string()), "{}", list.text());
        let id = officer.find("/ratings/", '"').filter(|id| id.len() == 36).or_else(|| {
            let page = officer.page();
            page.split("/ratings/").skip(1).map(|part| part[..36.min(part.len())].to_owned()).find(|id| id.parse::<Uuid>().is_ok())
        }).unwrap();
        let one = format!("/ratings/{id}");
        let page = officer.get(&one).await;
        assert!(page.holds("认领以后可以看") && !page.holds("两个小时") && !page.holds(&number), "{}", page.text());
        assert_eq!(officer.post(&format!("{one}/take"), &[]).await.location(), format!("{one}?done=taken"));
        let page = officer.get(&one).await;
        assert!(page.holds("两个小时") && page.holds(&number), "{}", page.text());
        let silent = officer.post(&format!("{one}/mend"), &[("result", "已说明情况")]).await;
        assert!(silent.holds("差评要全部回访") && silent.holds("已说明情况"), "{}", silent.text());
        let mended = officer.post(&format!("{one}/mend"), &[("called", "yes"), ("result", "已致电说明，加开一个窗口")]).await;
        assert_eq!(mended.location(), format!("{one}?done=mended"));
        assert!(anybody.get(&path).await.holds("请选择") || anybody.page().contains("您满意吗？"), "once more");
        // Every number of the figures opens a list of that length: one very bad, none good.
        let figures = officer.get("/ratings/figures").await;
        assert!(figures.holds("0.0%") && figures.holds("state=all"), "{}", figures.text());
        assert!(officer.get("/ratings?state=all&grade=1").await.holds("已整改"));
        assert!(officer.get("/ratings?state=all&grade=5").await.holds("没有这样的评价"));
    }

    async fn an_officer_finds_what_came_in_on_the_bell_and_sends_a_message_again(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (_, case, submitted) = town.dibao_case().await;
        let number = submitted.cases[0].1.clone();
        let config = web::WebConfig { channels: [notify::Channel::Sms].into(), ..web::WebConfig::default() };
        let house = House::ruled_by(db.clone(), Arc::new(town.desk.clone()), config).await;
        let rules = notify::rules::rules_of(&town.desk.book).unwrap();
        // Nothing was set up when it was written: it stays and says so.
        let on = std::collections::BTreeSet::new();
        let feeding = notify::feed::Feeding { desk: &town.desk, rules: &rules, on: &on, help_line: "12345" };
        notify::feed::follow(&db, feeding).await.unwrap();

        house.officer("chuang", &[(access::Role::WindowOfficer, town::HOME)]).await;
        let mut officer = house.signed_in("chuang").await;
        let page = officer.get("/").await;
        assert!(page.holds("提醒，1 条未读") && page.holds("href=\"/notifications\""), "{}", page.text());
        let notes = officer.get("/notifications").await;
        assert!(notes.holds(&format!("新申请 {number}")), "{}", notes.text());
        let to = officer.find("action=\"/notifications/", '"').filter(|to| to != "seen").unwrap_or_else(|| {
            let page = officer.page();
            page.split("action=\"/notifications/").skip(1).map(|part| part[..36].to_owned()).find(|id| id.parse::<Uuid>().is_ok()).unwrap()
        });
        let opened = officer.post(&format!("/notifications/{to}"), &[]).await;
        assert_eq!(opened.location(), format!("/cases/{case}"), "{}", opened.text());
        assert!(officer.get("/").await.holds("提醒，0 条未读"));

        let list = officer.get("/messages?state=off").await;
        assert!(list.holds("渠道未接通") && list.holds(&number) && list.holds("张*䶮") && !list.holds("张桂䶮"), "{}", list.text());
        let about = format!("/cases/{case}/messages");
        let page = officer.get(&about).await;
        assert!(page.holds("已收到您的申请") && page.holds("再发一次") && !page.holds("13812345678"), "{}", page.text());
        let message = officer.find("action=\"/messages/", '/').unwrap();
        let again = officer.post(&format!("/messages/{message}/resend"), &[("case", &case.to_string())]).await;
        assert_eq!(again.location(), format!("{about}?done=again"), "{}", again.text());
        assert!(officer.get(&about).await.holds("待发送"));
        let wrong = officer.post(&about, &[("email", "zhang"), ("language", "zh")]).await;
        assert!(wrong.holds("电子邮件地址不对") && wrong.holds("value=\"zhang\""), "{}", wrong.text());
        let wants = officer.post(&about, &[("refuses", "sms"), ("language", "zh"), ("email", "zhang@example.cn")]).await;
        assert_eq!(wants.location(), format!("{about}?done=contact"), "{}", wants.text());
        let page = officer.get(&about).await;
        assert!(page.holds("z***@example.cn") && !page.holds("zhang@example.cn"), "{}", page.text());
        let refused = officer.post(&format!("/messages/{message}/resend"), &[("case", &case.to_string())]).await;
        assert!(refused.holds("本人不愿接收，不能重发") || refused.holds("刚重发过"), "{}", refused.text());
        assert_eq!(officer.get(&format!("/cases/{}/messages", Uuid::from_u128(9))).await.status, StatusCode::NOT_FOUND);
    }

    async fn anybody_learns_whether_a_paper_is_ours_and_still_holds_and_nothing_more(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (family, case, submitted) = town.dibao_case().await;
        town.verify(&family).await;
        let granted = town.grant(case).await;
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        // What stands on the paper.
        let pdf = letter::pdf(&town.db, &town.district, &town.desk, granted.letter.unwrap(), letter::Lang::Zh, "https://x.test").await;
        let text = text_of(&pdf.unwrap().unwrap());
        let code = text.split("核验码：").nth(1).unwrap().split('扫').next().unwrap().to_owned();
        let number = town.view(case).await.row.case.number;
        assert!(code.starts_with(&number) && code.len() > number.len() + 10, "{code}");

        let mut browser = house.browser();
        assert!(browser.get("/verify").await.holds("name=\"code\""));
        let page = browser.get(&format!("/verify/{code}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        for said in ["这份文书是我们签发的", "确认同意", "最低生活保障", "2026-09-10", "宝安区", "此后没有新的决定"] {
            assert!(page.holds(said), "{said}: {}", page.text());
        }
        assert!(page.holds(&town.view(case).await.row.case.applicant_masked));
        for private in ["张桂䶮", "李小明", "1954", "13812345678", "3,375.00", "建安路"] {
            assert!(!page.holds(private), "{private}");
        }
        // One sign changed, of the number or of the code: no; typed small and with blanks: yes.
        let last = if code.ends_with('7') { '8' } else { '7' };
        let wrong = format!("{}{last}", &code[..code.len() - 1]);
        let page = browser.get(&format!("/verify?code={wrong}")).await;
        assert!(page.holds("没有这个核验码的文书") && page.holds("到窗口") && !page.holds("是我们签发的。"), "{}", page.text());
        let next = code.replacen("000001-", "000002-", 1);
        assert_ne!(next, code);
        assert!(browser.get(&format!("/verify/{next}")).await.holds("没有这个核验码的文书"));
        let typed = code.to_lowercase().replace('-', "+");
        assert!(browser.get(&format!("/verify?code={typed}")).await.holds("这份文书是我们签发的"));
        // A receipt says when, and no name: with its code and the phone one sees how far the application is.
        let page = browser.get(&format!("/verify/{}", submitted.receipt_code)).await;
        assert!(page.holds("这份回执是我们出具的") && page.holds("2026-09-01") && page.holds("1 项"), "{}", page.text());
        assert!(!page.holds("张桂"), "{}", page.text());

        // Stopped since: the paper is ours still, and holds no more.
        town.to_day("2026-10-10");
        town.act(&town.reviewer, case, "hear", saying("本人说没有隐瞒")).await.unwrap();
        let stopping = casework::ActInput { grounds: vec!["fraud".to_owned()], ..saying("停发") };
        town.act(&town.district, case, "stop", stopping).await.unwrap();
        let page = browser.get(&format!("/verify/{code}")).await;
        assert!(page.holds("这份文书是我们签发的") && page.holds("已有新的决定") && page.holds("2026-10-10"), "{}", page.text());

        // A quarter of an hour has ten tries; half a month lies between the last one and these.
        for _ in 0..9 {
            assert!(browser.get("/verify/BA2026-000001-1-0000-0000").await.holds("没有这个核验码的文书"));
        }
        let stopped = browser.get(&format!("/verify/{code}")).await;
        assert_eq!(stopped.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(browser.get("/verify").await.status, StatusCode::OK, "the page itself is no try");
    }
}

/// What a telephone reads from the QR code on a page: its squares painted as the SVG says, then read like a photograph.
fn scanned(page: &str) -> String {
    let drawing = &page[page.find("div class=\"qr\"").unwrap()..];
    // The ground is one square; the code is many.
    let path = drawing
        .split(" d=\"")
        .find(|part| part.matches('M').count() > 20)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let mut picture = image::GrayImage::from_pixel(400, 400, image::Luma([255]));
    for square in path.split('M').filter(|square| !square.is_empty()) {
        // `8 16h4v4H8V16`: left, top, width, height, and back.
        let numbers: Vec<u32> = square
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        for y in numbers[1]..numbers[1] + numbers[3] {
            for x in numbers[0]..numbers[0] + numbers[2] {
                picture.put_pixel(x, y, image::Luma([0]));
            }
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    papers::qr_in(&bytes.into_inner()).expect("a code that can be read")
}
