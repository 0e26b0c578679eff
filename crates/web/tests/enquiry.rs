//! Means verification from a case (核对), over HTTP and without script: consent, enquiry, taking, objection, correction.

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
use house::House;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use store::{Db, Keys, TestClock};
use town::{Family, HOME, NEXT, Town, id_number, text_of};
use verify::{Landing, Sources};

use house::migrations;

/// Lands a file of a source of the nation, as its department would write it.
fn land(desk: &casework::Desk, folder: &Path, source: &str, text: &str, day: &str) {
    let sources = Sources::of(&desk.book).unwrap();
    let file = folder.join(format!("{source}.csv"));
    std::fs::write(&file, format!("\u{FEFF}{text}")).unwrap();
    let landed = Landing {
        source: sources.get(source).unwrap(),
        file: &file,
        store: &folder.join("landed"),
        delivered: day.parse().unwrap(),
        today: day.parse().unwrap(),
        keys: &Keys::for_tests(),
        workers: 1,
        accept_drift: true,
        stop: &AtomicBool::new(false),
        told: &|_| {},
    };
    let manifest = landed.run().unwrap().unwrap();
    assert_eq!(manifest.bad, 0, "{:?}", manifest.reasons);
}

/// What departments have of the family: one car under her number, on the paper of her late husband.
fn deliver(town: &Town, folder: &Path) {
    let widow = id_number("440306195402030", 2);
    let cars = format!(
        "公民身份号码,姓名,号牌号码,号牌种类,车辆类型,品牌型号,初次登记日期,购置价,机动车状态\n\
         {widow},李大山,粤B88888,02,1,某牌,2019-03-01,32000,A\n"
    );
    land(&town.desk, folder, "vehicle", &cars, "2026-08-28");
}

async fn staffed(town: &Town, landed: Option<PathBuf>) -> House {
    let config = web::WebConfig {
        landed,
        ..web::WebConfig::default()
    };
    let house = House::ruled_by(town.db.clone(), Arc::new(town.desk.clone()), config).await;
    house
        .officer("chuangkou", &[(Role::WindowOfficer, HOME)])
        .await;
    for login in ["shenhe", "fuhe"] {
        house
            .officer(login, &[(Role::StreetReviewer, "440306017")])
            .await;
    }
    house
        .officer("linshe", &[(Role::WindowOfficer, NEXT)])
        .await;
    house.officer("shenji", &[(Role::Auditor, "440306")]).await;
    house
}

/// No two things of a page have one id.
fn once_each(page: &str) {
    let mut seen = std::collections::BTreeSet::new();
    for rest in page.split(" id=\"").skip(1) {
        let id = rest.split('"').next().unwrap();
        assert!(seen.insert(id.to_owned()), "the id {id} stands twice");
    }
}

/// She signs for herself and, as guardian, for both children.
async fn consents(house: &House, case: &str, family: &Family) {
    let mut window = house.signed_in("chuangkou").await;
    window.get(&format!("/cases/{case}")).await;
    let widow = family.widow.to_string();
    let (boy, girl) = (
        family.children[0].to_string(),
        family.children[1].to_string(),
    );
    let path = format!("/cases/{case}/authorise");
    // How it was signed is not presumed; who was ticked stays ticked, and nobody else.
    let unsaid = [
        ("auth_person", boy.as_str()),
        ("auth_signed", "2026-09-01"),
        ("auth_by", widow.as_str()),
    ];
    let page = window.upload(&path, &unsaid, ("auth_file", "", b"")).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.holds("请选择怎么签的"),
        "{}",
        page.text()
    );
    let ticked = |id: &str| format!("name=\"auth_person\" value=\"{id}\" checked");
    assert!(
        page.holds(&ticked(&boy)) && !page.holds(&ticked(&widow)) && !page.holds(&ticked(&girl))
    );
    once_each(window.page());
    let fields = |by: &'static str| {
        let by = if by.is_empty() {
            String::new()
        } else {
            widow.clone()
        };
        [
            ("auth_person", widow.clone()),
            ("auth_person", boy.clone()),
            ("auth_person", girl.clone()),
            ("auth_way", "screen".into()),
            ("auth_signed", "2026-09-01".into()),
            ("auth_by", by),
        ]
    };
    for (by, goes) in [("", false), ("widow", true)] {
        let all = fields(by);
        let pairs: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = window.upload(&path, &pairs, ("auth_file", "", b"")).await;
        if goes {
            assert!(
                answer.location().ends_with("done=authorised"),
                "{}",
                answer.text()
            );
        } else {
            assert!(answer.holds("未成年人由监护人签署"), "{}", answer.text());
        }
    }
}

fixtures::db_tests! {
    migrations = migrations();

    async fn the_widow_consents_a_car_is_found_taken_objected_to_and_corrected(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        deliver(&town, &folder);
        let house = staffed(&town, Some(folder.join("landed"))).await;
        let mut officer = house.signed_in("shenhe").await;
        let path = format!("/cases/{case}/enquiry");
        let on_case = officer.get(&format!("/cases/{case}")).await;
        assert!(on_case.holds(&path), "{}", on_case.text());

        // Nobody signed: the page says who, and where to have it signed; asked all the same, nothing happens.
        let page = officer.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        assert!(page.holds("这些人没有有效的授权") && page.holds("由监护人签") && page.holds("去登记授权"), "{}", page.text());
        assert!(!page.holds("name=\"people\""), "nobody can be ticked");
        let widow = family.widow.to_string();
        let forced = officer.post(&path, &[("people", &widow)]).await;
        assert!(forced.status == StatusCode::UNPROCESSABLE_ENTITY && forced.holds("没有有效的核对授权"), "{}", forced.text());
        consents(&house, &case.to_string(), &family).await;
        // The bank wrote: 5,000.00 yuan. 1,350.00 × 3 less her son's 1,000.00 a month and what deposits count for: met.
        town.find(family.widow, "deposits", vocab::Value::Int(500_000)).await.unwrap();
        let before = town.view(case).await.now.unwrap();

        let page = officer.get(&path).await;
        assert!(page.holds("name=\"people\"") && page.holds("发起核对") && !page.holds("这些人没有有效的授权"), "{}", page.text());
        let all: Vec<String> = [family.widow, family.children[0], family.children[1]].iter().map(ToString::to_string).collect();
        let people: Vec<(&str, &str)> = all.iter().map(|id| ("people", id.as_str())).collect();
        let asked = officer.post(&path, &people).await;
        assert!(asked.location().contains("done=asked"), "{}", asked.text());
        let page = officer.follow(&asked.location()).await;
        // The car: declared 0, found 1, and what it would change; what was not delivered is unknown, with its reason.
        assert!(page.holds("HD2026-000001") && page.holds("有效至 2027-02-28"), "180 days after 1 September: {}", page.text());
        assert!(page.holds("公安车管所") && page.holds("+1") && page.holds("2026-08-28"), "{}", page.text());
        assert!(page.holds("没有查清的") && page.holds("没有收到这个部门的数据") && page.holds("发函查询"), "{}", page.text());
        let report = officer.find("name=\"take\" value=\"vehicle.", '"');
        assert!(report.is_some(), "the car can be taken");
        let report_id = asked.location().split("report=").nth(1).unwrap().split('&').next().unwrap().to_owned();

        // The paper, with numbers masked.
        let pdf = officer.get(&format!("{path}/{report_id}/pdf")).await;
        assert!(pdf.status == StatusCode::OK && pdf.body.starts_with(b"%PDF"), "{}", pdf.text());
        // Whoever holds it can see that it is ours, and until when; one sign changed, it is nobody's.
        let printed = text_of(&pdf.body);
        let code = printed.split("核验码：").nth(1).unwrap().split('扫').next().unwrap();
        let mut anybody = house.browser();
        let page = anybody.get(&format!("/verify/{code}")).await;
        assert!(page.holds("这份核对报告是我们出具的") && page.holds("仍在有效期") && page.holds("2027-02-28") && page.holds("深圳市宝安区"), "{}", page.text());
        assert!(!page.holds("张桂"), "{}", page.text());
        let other = code.replacen("000001", "000002", 1);
        assert!(anybody.get(&format!("/verify/{other}")).await.holds("没有这个核验码的文书"));
        // Made once more, it is the same.
        officer.get(&path).await;
        let again = officer.post(&format!("{path}/{report_id}/reproduce"), &[]).await;
        assert!(again.location().ends_with("done=same"), "{} {}", again.location(), again.text());

        // Taken: a fact of the case, in the timeline; declared none, found one: to verify.
        officer.get(&path).await;
        let none = officer.post(&format!("{path}/{report_id}/take"), &[("take", "no.such.line")]).await;
        assert!(none.holds("请勾选要采信的发现"), "{}", none.text());
        officer.get(&path).await;
        let car = format!("vehicle.vehicles.{widow}");
        let taken = officer.post(&format!("{path}/{report_id}/take"), &[("take", &car)]).await;
        assert!(taken.location().ends_with("done=taken"), "{}", taken.text());
        let view = town.view(case).await;
        assert_eq!(view.timeline.last().unwrap().zh, "记入核对发现");
        let now = view.now.unwrap();
        assert_eq!((before.outcome, now.outcome), (policy::Outcome::Met, policy::Outcome::ToVerify));
        let of_car = |now: &policy::Determination| now.conditions.iter().map(|one| (one.id.clone(), one.result)).collect::<Vec<_>>();
        let with_car = of_car(&now);

        // She alone asked about: what the household has all together is not known, and says so.
        let alone = officer.post(&path, &[("people", &widow)]).await;
        let page = officer.follow(&alone.location()).await;
        assert!(page.holds("HD2026-000002 · ") && page.holds("没有核对全部家庭成员"), "{}", page.text());

        // She objects, with a paper; who took it cannot answer, another can.
        let page = officer.get(&format!("{path}?report={report_id}&object={car}")).await;
        assert!(page.holds("已采信") && page.holds("name=\"said\""), "{}", page.text());
        let object = [("object", car.as_str()), ("about", &widow), ("fact", "vehicles"), ("source", "公安车管所"), ("by", &widow), ("papers", "注销证明 2023-11")];
        let bare = officer.upload(&format!("{path}/{report_id}/object"), &object, ("file", "", b"")).await;
        // The page is that of the first report, and what was typed stands.
        assert!(bare.holds("请写明哪里不对") && bare.holds("HD2026-000001 · ") && !bare.holds("HD2026-000002 · "), "{}", bare.text());
        assert!(bare.holds("value=\"注销证明 2023-11\"") && bare.holds("href=\"#said\"") && bare.holds("name=\"said\""), "{}", bare.text());
        let nobody: Vec<_> = object.iter().copied().filter(|(name, _)| *name != "by").chain([("said", "车是亡夫的")]).collect();
        let nobody = officer.upload(&format!("{path}/{report_id}/object"), &nobody, ("proof", "", b"")).await;
        assert!(nobody.holds("请选择是谁提出的") && nobody.holds("车是亡夫的"), "{}", nobody.text());
        let mut said = object.to_vec();
        said.push(("said", "车是亡夫的，2023年已经报废"));
        let proof = ("proof", "z.pdf", b"%PDF-1.7 deregistered".as_slice());
        let objected = officer.upload(&format!("{path}/{report_id}/object"), &said, proof).await;
        assert!(objected.location().ends_with("done=objected"), "{}", objected.text());
        let page = officer.follow(&objected.location()).await;
        // Ten working days after Tuesday 1 September: 2–4 (3), 7–11 (8), 14 and 15.
        assert!(page.holds("2026-09-15 前答复") && page.holds("这一条是您采信的"), "{}", page.text());
        let twice = officer.upload(&format!("{path}/{report_id}/object"), &said, ("file", "", b"")).await;
        assert!(twice.holds("正在复查"), "{}", twice.text());
        // The proof can be looked at by whoever sees the case, and by nobody else.
        let proof = officer.find("href=\"/files/", '"').unwrap();
        let proof = format!("/files/{proof}");
        assert_eq!(officer.get(&proof).await.body, b"%PDF-1.7 deregistered");
        let mut next_door = house.signed_in("linshe").await;
        assert_eq!(next_door.get(&proof).await.status, StatusCode::NOT_FOUND);
        officer.get(&path).await;
        let objection = {
            let mut other = house.signed_in("fuhe").await;
            let page = other.get(&path).await;
            assert!(page.holds("复查答复") && page.holds("亡夫"), "{}", page.text());
            other.find("/objections/", '"').unwrap()
        };
        let answers = format!("/cases/{case}/objections/{objection}");
        let right = [("answer_result", "upheld"), ("answer_reason", "车管所复核：2023-11 已注销"), ("value", "0"), ("source", "公安车管所"), ("number", "车管复〔2026〕9号")];
        officer.get(&path).await;
        let own = officer.upload(&answers, &right, ("file", "", b"")).await;
        assert!(own.status == StatusCode::UNPROCESSABLE_ENTITY && own.holds("请由另一位工作人员复查答复"), "{}", own.text());
        let mut other = house.signed_in("fuhe").await;
        let page = other.get(&path).await;
        assert!(!page.holds("value=\"upheld\" checked") && !page.holds("value=\"refused\" checked"), "nothing is chosen beforehand");
        once_each(other.page());
        // No answer is no refusal; a number without the right value, or a value with a refusal, is asked about, and the form stays open.
        for (sent, told) in [
            (vec![("answer_reason", "看过了")], "请选择异议是否成立"),
            (vec![("answer_result", "upheld"), ("answer_reason", "看过了"), ("number", "车管复1号")], "请同时填写更正后的值"),
            (vec![("answer_result", "refused"), ("answer_reason", "看过了"), ("value", "0")], "不填更正的内容"),
        ] {
            let wrong = other.upload(&answers, &sent, ("file", "", b"")).await;
            assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.holds(told), "{}", wrong.text());
            assert!(wrong.holds("<details class=\"act-form\" open><summary>复查答复") && wrong.holds("看过了"), "{}", wrong.text());
        }
        let answered = other.upload(&answers, &right, ("file", "", b"")).await;
        assert!(answered.location().ends_with("done=answered"), "{}", answered.text());
        let page = other.follow(&answered.location()).await;
        assert!(page.holds("异议成立，已更正") && page.holds("车管所复核"), "{}", page.text());
        let view = town.view(case).await;
        let names: Vec<&str> = view.timeline.iter().rev().take(4).map(|step| step.zh.as_str()).collect();
        assert_eq!(names, ["异议成立，核对结果已更正", "记入核对发现", "撤回核对发现", "本人对核对结果有异议"]);
        let after = view.now.unwrap();
        assert_ne!(of_car(&after), with_car);
        assert_eq!((after.outcome, after.amount), (policy::Outcome::Met, before.amount), "as before the car");

        // What was refuted is not offered again, nor taken: the page says why.
        let page = officer.get(&format!("{path}?report={report_id}")).await;
        assert!(page.holds("异议成立，不再采信") && page.holds("已答复成立：车管所复核"), "{}", page.text());
        assert!(!page.holds(&format!("value=\"{car}\"")), "{}", page.text());
        let forced = officer.post(&format!("{path}/{report_id}/take"), &[("take", &car)]).await;
        assert!(forced.holds("请勾选要采信的发现"), "{}", forced.text());

        // The delivery is gone: made again it comes out otherwise, and the source is named.
        std::fs::rename(folder.join("landed/vehicle"), folder.join("away")).unwrap();
        let again = officer.post(&format!("{path}/{report_id}/reproduce"), &[]).await;
        let page = officer.follow(&again.location()).await;
        let sources = Sources::of(&town.desk.book).unwrap();
        let told = format!("与保存的报告不一致：{}。", sources.get("vehicle").unwrap().zh);
        assert!(page.holds(&told), "{}", page.text());
        std::fs::rename(folder.join("away"), folder.join("landed/vehicle")).unwrap();

        // She takes her consent back: the paper still says by which consent was asked, and that it was taken back.
        let mut window = house.signed_in("chuangkou").await;
        window.get(&format!("/cases/{case}")).await;
        let given = registry::consent::of_household(&town.db, &town.window, family.household).await.unwrap();
        let hers = given.iter().find(|one| one.person == family.widow).unwrap().id;
        let back = window.post(&format!("/cases/{case}/consents/{hers}/withdraw"), &[("reason", "不再申请")]).await;
        assert!(back.location().ends_with("done=withdrawn"), "{}", back.text());
        let paper = text_of(&officer.get(&format!("{path}/{report_id}/pdf")).await.body);
        assert!(paper.contains("2026-09-01当面屏幕签字") && paper.contains("2026-09-01已撤回"), "{paper}");

        // The auditor sees the enquiry, and asks nothing; the next community sees nothing.
        let mut auditor = house.signed_in("shenji").await;
        let page = auditor.get("/enquiries").await;
        assert!(page.holds("HD2026-000001") && page.holds("官员shenhe"), "{}", page.text());
        assert!(!page.holds("不在工作时间"), "noon on a Tuesday: {}", page.text());
        assert!(auditor.get("/enquiries?source=vehicle&number=HD2026-000001").await.holds("HD2026-000001"));
        assert!(auditor.get("/enquiries?source=tax").await.holds("没有符合条件的核对记录"));
        let sheet = auditor.get("/enquiries/export").await;
        assert!(sheet.body.starts_with(b"PK"), "{}", sheet.status);
        assert_eq!(auditor.get(&path).await.status, StatusCode::OK);
        assert_eq!(auditor.post(&path, &people).await.status, StatusCode::FORBIDDEN);
        assert_eq!(officer.get("/enquiries").await.status, StatusCode::FORBIDDEN);
        let mut beside = house.signed_in("linshe").await;
        assert_eq!(beside.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(beside.get(&format!("{path}/{report_id}/pdf")).await.status, StatusCode::NOT_FOUND);
        beside.get("/help").await;
        assert_eq!(beside.post(&format!("{path}/{report_id}/reproduce"), &[]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(beside.upload(&answers, &right, ("file", "", b"")).await.status, StatusCode::NOT_FOUND);
        assert!(store::journal::verify(&town.db).await.unwrap().is_intact());
    }

    async fn a_form_printed_here_comes_back_to_its_person_by_its_scan(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        let house = staffed(&town, None).await;
        let mut window = house.signed_in("chuangkou").await;
        let on_case = window.get(&format!("/cases/{case}")).await;
        let form = format!("/cases/{case}/consents/{}/form", family.widow);
        assert!(on_case.holds(&form), "{}", on_case.text());
        let pdf = window.get(&form).await;
        assert!(pdf.body.starts_with(b"%PDF"), "{}", pdf.text());
        // Each department stands once, though several sources are of one.
        let paper = text_of(&pdf.body);
        let sources = Sources::of(&town.desk.book).unwrap();
        let all: std::collections::BTreeSet<&str> = sources.0.values().map(|one| one.department.as_str()).collect();
        let mut several = 0;
        for one in &all {
            let inside = all.iter().any(|other| other != one && other.contains(one));
            if !inside && sources.0.values().filter(|source| source.department == *one).count() > 1 {
                several += 1;
                let list = paper.split("查询本人的信息").nth(1).unwrap();
                assert_eq!(list.matches(one).count(), 1, "{one}: {paper}");
            }
        }
        assert!(several > 0, "{all:?}");
        let stranger = format!("/cases/{case}/consents/{}/form", uuid::Uuid::from_u128(5));
        assert_eq!(window.get(&stranger).await.status, StatusCode::NOT_FOUND);

        // The officer ticks the boy by mistake; the sheet says whose it is. A blank sheet cannot be read.
        let path = format!("/cases/{case}/authorise");
        let boy = family.children[0].to_string();
        let fields = [("auth_person", boy.as_str()), ("auth_way", "paper"), ("auth_signed", "2026-09-01")];
        window.get(&format!("/cases/{case}")).await;
        let blank = window.upload(&path, &[("auth_way", "paper"), ("auth_signed", "2026-09-01")], ("auth_file", "s.png", &picture(None))).await;
        assert!(blank.holds("二维码读不出"), "{}", blank.text());
        let keys = Keys::for_tests();
        let terms = verify::enquiry::Terms::of(&town.desk.book).unwrap();
        let mark = |household, person| registry::consent::mark(&keys, registry::consent::Marked { household, person }, terms.usual());
        let elsewhere = mark(vocab::ids::HouseholdId(uuid::Uuid::from_u128(3)), family.widow);
        let other = window.upload(&path, &fields, ("auth_file", "s.png", &picture(Some(&elsewhere)))).await;
        assert!(other.holds("是另一户的授权书"), "{}", other.text());
        let own = mark(family.household, family.widow);
        let kept = window.upload(&path, &fields, ("auth_file", "s.png", &picture(Some(&own)))).await;
        assert!(kept.location().ends_with("done=authorised"), "{}", kept.text());
        let all = registry::consent::of_household(&town.db, &town.window, family.household).await.unwrap();
        assert_eq!((all.len(), all[0].person, all[0].way), (1, family.widow, registry::consent::Way::Paper));
        // Whoever sees the case can look at the scan; the next community cannot.
        let scan = format!("/files/{}", all[0].file.clone().unwrap());
        assert!(window.get(&format!("/cases/{case}")).await.holds(&scan));
        assert_eq!(window.get(&scan).await.body, picture(Some(&own)));
        let mut next_door = house.signed_in("linshe").await;
        assert_eq!(next_door.get(&scan).await.status, StatusCode::NOT_FOUND);
        // Somebody outside: what they are to the household is not presumed either.
        window.get(&format!("/cases/{case}")).await;
        let number = id_number("440306195402030", 2);
        let outside = [("out_number", number.as_str()), ("out_way", "screen"), ("out_signed", "2026-09-01")];
        let untied = window.upload(&format!("/cases/{case}/consents"), &outside, ("out_file", "", b"")).await;
        assert!(untied.holds("请选择此人与这一户的关系"), "{}", untied.text());

        // Here no data of departments are connected: the page says what to do instead.
        let mut officer = house.signed_in("shenhe").await;
        let page = officer.get(&format!("/cases/{case}/enquiry")).await;
        assert!(page.holds("这里没有接入部门数据"), "{}", page.text());
        // She says no: a reason is needed, it is kept and shown, and it is not the same as silence.
        window.get(&format!("/cases/{case}")).await;
        let widow = family.widow.to_string();
        let no = [("auth_person", widow.as_str()), ("auth_way", "refused"), ("auth_signed", "2026-09-01")];
        assert!(window.upload(&path, &no, ("auth_file", "", b"")).await.holds("请写明本人不同意的理由"));
        let mut why = no.to_vec();
        why.push(("auth_reason", "不愿公开存款"));
        assert!(window.upload(&path, &why, ("auth_file", "", b"")).await.location().ends_with("done=authorised"));
        assert!(window.get(&format!("/cases/{case}")).await.holds("不同意，2026-09-01：不愿公开存款"));
    }
}

/// A scanned sheet with or without a code, as a picture: six pixels a square.
fn picture(text: Option<&str>) -> Vec<u8> {
    let mut page = image::GrayImage::from_pixel(800, 1_000, image::Luma([250]));
    if let Some(text) = text {
        let code = qrcode::QrCode::new(text).unwrap();
        let side = u32::try_from(code.width()).unwrap();
        let colors = code.to_colors();
        for (y, x) in (0..side * 6).flat_map(|y| (0..side * 6).map(move |x| (y, x))) {
            let at = usize::try_from(y / 6 * side + x / 6).unwrap();
            if colors[at] == qrcode::Color::Dark {
                page.put_pixel(300 + x, 80 + y, image::Luma([10]));
            }
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
