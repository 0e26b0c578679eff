//! Reviews and life events on the pages (定期核查和生活事件页面), without a script, in both languages, on both databases.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;

use access::Role;
use axum::http::StatusCode;
use house::{BESIDE, HERE, House, id_number, migrations};
use store::Db;

async fn staffed(db: Db) -> House {
    let house = House::over(db).await;
    for (login, role, place) in [
        ("chuangkou", Role::WindowOfficer, HERE),
        ("linshe", Role::WindowOfficer, BESIDE),
        ("shenhe", Role::StreetReviewer, "990101001"),
        ("shenji", Role::Auditor, "990101"),
    ] {
        house.officer(login, &[(role, place)]).await;
    }
    house
}

fixtures::db_tests! {
    migrations = migrations();

    async fn a_death_is_previewed_then_recorded_with_its_proof_and_seen_by_its_own_place_only(db: Db) {
        let house = staffed(db).await;
        let head = house.person("何桂兰", &id_number("19400301", 12), HERE).await;
        let son = house.person("何大山", &id_number("19700301", 13), HERE).await;
        let home = house.household(head, &[(son, "20")], HERE).await;
        let path = format!("/households/{home}/event");
        let mut window = house.signed_in("chuangkou").await;
        assert!(window.get(&format!("/households/{home}")).await.holds("登记生活事件"));
        let asked = window.get(&format!("{path}?kind=death&person={head}")).await;
        assert!(asked.status == StatusCode::OK && asked.holds("死亡日期"), "{}", asked.text());

        let died = house.app.db.today().to_string();
        let person = head.to_string();
        let mut form = vec![("kind", "death"), ("person", person.as_str()), ("on", died.as_str()), ("source", "殡仪馆"), ("step", "preview")];
        let unsourced: Vec<_> = form.iter().copied().filter(|(name, _)| *name != "source").collect();
        assert!(window.post(&path, &unsourced).await.holds("请写明信息来源"));
        let shown = window.post(&path, &form).await;
        assert!(shown.status == StatusCode::OK && shown.holds("登记以前请核对") && shown.holds("确认登记"), "{}", shown.text());
        // A preview leaves nothing behind.
        assert!(!window.get(&format!("/people/{head}")).await.holds("已故"));
        assert!(window.get("/life-events").await.holds("还没有生活事件"));

        form.pop();
        form.push(("step", "confirm"));
        window.post(&path, &form[..form.len() - 1]).await;
        let done = window.upload(&path, &form, ("proof", "证明.jpg", &[0xff, 0xd8, 0xff, 0xe0, 1])).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let event = done.location();
        let page = window.follow(&event).await;
        assert!(page.holds("何*兰") || page.holds("何**"), "{}", page.text());
        assert!(page.holds("证明.jpg") && page.holds("没有自动改变任何金额") && !page.holds("何桂兰"), "{}", page.text());
        assert!(window.get(&format!("/households/{home}")).await.holds("死亡"));
        assert!(window.post(&path, &form).await.holds("已经登记过了"));

        // The street sees it, in English too; the community beside does not; the auditor looks and changes nothing.
        let bare = event.split('?').next().unwrap();
        let mut street = house.signed_in("shenhe").await;
        street.post("/preferences", &[("lang", "en")]).await;
        let page = street.get(bare).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let mut beside = house.signed_in("linshe").await;
        assert_eq!(beside.get(bare).await.status, StatusCode::NOT_FOUND);
        assert_eq!(beside.get(&path).await.status, StatusCode::NOT_FOUND);
        let mut auditor = house.signed_in("shenji").await;
        assert_eq!(auditor.get(bare).await.status, StatusCode::OK);
        assert_eq!(auditor.get(&path).await.status, StatusCode::FORBIDDEN);
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 50).await.unwrap();
        for act in ["person.record_death", "casework.life_event", "casework.life_event.read"] {
            assert!(entries.rows.iter().any(|entry| entry.event.act == act), "{act}");
        }
    }

    async fn whoever_turns_the_age_is_a_lead_on_the_first_page_until_it_is_closed(db: Db) {
        let house = staffed(db).await;
        let today = house.app.db.today();
        let born = today.format("%m%d").to_string();
        let year: i32 = today.format("%Y").to_string().parse().unwrap();
        // Eighty today; the sample county pays from eighty.
        let elder = house.person("金福", &id_number(&format!("{}{born}", year - 80), 14), HERE).await;
        house.household(elder, &[], HERE).await;
        casework::life_event::tick(&house.app.db, &house.app.desk).await.unwrap();
        let mut window = house.signed_in("chuangkou").await;
        assert!(window.get("/").await.holds("政策找人：有"));
        let page = window.get("/leads?programme=old_age_allowance&kind=due&sort=due&dir=desc").await;
        assert!(page.holds("金*") && page.holds("共 1 条"), "{}", page.text());
        let id = window.find("href=\"/leads/", '"').filter(|id| !id.contains('?')).unwrap();
        let path = format!("/leads/{id}");
        let page = window.get(&path).await;
        assert!(page.holds("协助申请") && page.holds("应保未保") && !page.holds("金福"), "{}", page.text());
        assert!(window.post(&format!("{path}/visit"), &[("visit", " ")]).await.holds("请写明走访情况"));
        let done = window.post(&format!("{path}/visit"), &[("visit", "已上门，缺照片")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert!(window.get(&path).await.holds("缺照片"));
        assert!(window.get("/leads?state=visited&programme=old_age_allowance").await.holds("共 1 条"));
        assert!(window.post(&format!("{path}/review"), &[]).await.holds("没有在发的办件可以复核"));

        // The community beside cannot see it, guess it, change it, export it or count it.
        let mut beside = house.signed_in("linshe").await;
        assert!(!beside.get("/").await.holds("政策找人：有"));
        let list = beside.get("/leads?state=all").await;
        assert!(list.holds("没有这样的线索") && !list.holds("金*"), "{}", list.text());
        assert_eq!(beside.get(&path).await.status, StatusCode::NOT_FOUND);
        for act in ["visit", "dismiss", "review"] {
            let answer = beside.post(&format!("{path}/{act}"), &[("visit", "x"), ("reason", "gone"), ("grounds", "x")]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{act}: {}", answer.text());
        }
        assert_eq!(beside.get("/leads/export").await.status, StatusCode::FORBIDDEN);
        // A street of another place exports nothing of it, its own exports it, and both are written down.
        house.officer("linjie", &[(Role::StreetReviewer, "990101002")]).await;
        let rows = |body: &[u8]| sheets::read(body, sheets::Limits::default()).unwrap().first().map_or(0, |sheet| sheet.rows.len());
        let (mut other, mut own) = (house.signed_in("linjie").await, house.signed_in("shenhe").await);
        let (theirs, ours) = (other.get("/leads/export?state=all").await, own.get("/leads/export?state=all").await);
        assert!(theirs.status == StatusCode::OK && ours.status == StatusCode::OK, "{}", ours.text());
        assert!(rows(&ours.body) > rows(&theirs.body), "{} {}", rows(&ours.body), rows(&theirs.body));

        let refused = window.post(&format!("{path}/dismiss"), &[("reason", ""), ("grounds", "说过了")]).await;
        assert!(refused.holds("请选择排除的原因") && refused.holds("说过了"), "{}", refused.text());
        let done = window.post(&format!("{path}/dismiss"), &[("reason", "not_wanted"), ("grounds", "已上门告知")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        assert!(window.get(&path).await.holds("已上门告知"));
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 90).await.unwrap();
        for act in ["casework.lead", "casework.lead.read", "casework.leads", "web.export_leads"] {
            assert!(entries.rows.iter().any(|entry| entry.event.act == act), "{act}");
        }
    }

    async fn reviews_are_listed_filtered_and_exported_and_the_export_is_written_down(db: Db) {
        let house = staffed(db).await;
        let mut street = house.signed_in("shenhe").await;
        let page = street.get("/reviews?month=2026-12&show=soon").await;
        assert!(page.status == StatusCode::OK && page.holds("没有这样的核查"), "{}", page.text());
        let file = street.get("/reviews/export").await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        assert!(file.body.starts_with(b"PK"));
        let entries = store::journal::page(&house.app.db, &store::journal::Filter::default(), 0, 5).await.unwrap();
        assert!(entries.rows.iter().any(|entry| entry.event.act == "web.export_reviews"));
        let mut window = house.signed_in("chuangkou").await;
        assert_eq!(window.get("/reviews/export").await.status, StatusCode::FORBIDDEN);
    }

    async fn many_leads_are_previewed_and_dismissed_at_once_each_by_itself(db: Db) {
        let house = staffed(db.clone()).await;
        let today = house.app.db.today();
        let born = today.format("%m%d").to_string();
        let year: i32 = today.format("%Y").to_string().parse().unwrap();
        for order in 1..=3 {
            let elder = house.person("金福", &id_number(&format!("{}{born}", year - 80), order), HERE).await;
            house.household(elder, &[], HERE).await;
        }
        casework::life_event::tick(&db, &house.app.desk).await.unwrap();
        let query = "programme=old_age_allowance&kind=due";
        let mut window = house.signed_in("chuangkou").await;
        let page = window.get(&format!("/leads?{query}")).await;
        let boxes = |page: &str| -> Vec<String> {
            let ids = page.split("type=\"checkbox\" name=\"row\" value=\"").skip(1);
            ids.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let ids = boxes(&page.text());
        assert!(ids.len() == 3 && page.holds("批量办理"), "{}", page.text());
        let to = "/lists/leads/bulk";
        // Nothing ticked, nothing to do; without a reason nothing can be done, and each row says so.
        assert!(window.post(to, &[("act", "dismiss"), ("query", query)]).await.holds("没有勾选任何一行"));
        let ticked = [("act", "dismiss"), ("query", query), ("row", ids[0].as_str()), ("row", ids[1].as_str())];
        let shown = window.post(to, &ticked).await;
        assert!(shown.holds("可以办 0 条，2 条不能办") && shown.holds("请选择排除的原因") && !shown.holds("name=\"sure\""), "{}", shown.text());
        // A reason for those in payment does not fit who is not.
        let said = |reason: &'static str| [("reason", reason), ("grounds", "已上门告知")];
        let shown = window.post(to, &[&ticked[..], &said("paid_rightly")].concat()).await;
        assert!(shown.holds("这个原因不适用于这种线索"), "{}", shown.text());
        let preview = window.post(to, &[&ticked[..], &said("not_wanted")].concat()).await;
        assert!(preview.holds("可以办 2 条，0 条不能办") && preview.holds("金*") && preview.holds("name=\"sure\""), "{}", preview.text());
        // The preview changed nothing.
        let dismissed = store::journal::Filter { act: Some("casework.lead".to_owned()), ..Default::default() };
        assert_eq!(store::journal::page(&db, &dismissed, 0, 9).await.unwrap().total, 0);
        assert!(window.get(&format!("/leads?{query}")).await.holds("共 3 条"));
        // Between preview and confirmation a colleague dismisses one of them.
        let mut street = house.signed_in("shenhe").await;
        let done = street.post(&format!("/leads/{}/dismiss", ids[0]), &said("gone")).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
        let sure = [&ticked[..], &said("not_wanted"), &[("sure", "1")]].concat();
        let done = window.post(to, &sure).await;
        assert!(done.holds("办好 1 条，1 条没有办成") && done.holds("已经办结") && done.holds("已不在这个清单里"), "{}", done.text());
        assert_eq!(store::journal::page(&db, &dismissed, 0, 9).await.unwrap().total, 2);
        assert!(window.get(&format!("/leads/{}", ids[1])).await.holds("已告知，本人不申请"));
        // Sent again, nothing happens twice.
        assert!(window.post(to, &sure).await.holds("办好 0 条，2 条没有办成"));
        // All of the filter: the one that is left; a closed one has no box.
        let all = [&[("act", "dismiss"), ("query", query), ("all", "1")][..], &said("not_wanted")].concat();
        assert!(window.post(to, &all).await.holds("可以办 1 条，0 条不能办"));
        assert_eq!(boxes(&window.get("/leads?state=all&programme=old_age_allowance").await.text()), [ids[2].clone()]);
        // The community beside can neither preview nor do it; the auditor has no boxes and no act; a list without acts has none.
        let mut beside = house.signed_in("linshe").await;
        let theirs = beside.post(to, &[&[("act", "dismiss"), ("query", query), ("row", ids[2].as_str()), ("sure", "1")][..], &said("gone")].concat()).await;
        assert!(theirs.holds("办好 0 条，1 条没有办成") && theirs.holds("没有这条线索"), "{}", theirs.text());
        let mut auditor = house.signed_in("shenji").await;
        assert!(boxes(&auditor.get(&format!("/leads?{query}")).await.text()).is_empty());
        assert_eq!(auditor.post(to, &sure).await.status, StatusCode::FORBIDDEN);
        assert_eq!(window.post("/lists/households/bulk", &ticked).await.status, StatusCode::NOT_FOUND);
        assert_eq!(window.post("/lists/secrets/bulk", &ticked).await.status, StatusCode::NOT_FOUND);
    }
}
