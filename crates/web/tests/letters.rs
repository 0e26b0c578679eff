//! Letters over HTTP, without script (文书): their codes read from the printed page, many printed at once, templates looked at
//! while they are written, and the one sheet on paper.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

mod house;
#[path = "../../casework/tests/desk/town.rs"]
#[expect(
    dead_code,
    reason = "the walk of casework's own tests; this file goes a part of it"
)]
mod town;

use access::Role;
use axum::http::StatusCode;
use casework::letter;
use casework::rulebook::Shelf;
use house::{House, migrations};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use store::{Db, TestClock};
use town::{Town, text_of};

/// All QR codes of a PDF, as a copier that scans its pages reads them.
fn codes(pdf: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("paper.pdf");
    std::fs::write(&file, pdf).unwrap();
    let done = Command::new("pdftoppm")
        .args(["-png", "-gray", "-r", "150"])
        .arg(&file)
        .arg(folder.path().join("page"))
        .status()
        .unwrap();
    assert!(done.success());
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    pages.sort();
    pages
        .iter()
        .flat_map(|page| papers::qrs_in(&std::fs::read(page).unwrap()).unwrap())
        .collect()
}

const BASE: &str = "http://127.0.0.1:8080";

fn keep_to_look_at(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::option_env!("HUIMIN_LOOK") {
        std::fs::write(format!("{folder}/{name}"), bytes).unwrap();
    }
}

fixtures::db_tests! {
    migrations = migrations();

    async fn ux_17_and_30_the_codes_of_a_printed_letter_open_the_progress_and_confirm_the_paper(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (family, case, submitted) = town.dibao_case().await;
        town.verify(&family).await;
        let granted = town.grant(case).await;
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        house.officer("shi", &[(Role::StreetReviewer, "440306017")]).await;
        let mut officer = house.signed_in("shi").await;
        let paper = officer.get(&format!("/letters/{}", granted.letter.unwrap())).await;
        assert_eq!(paper.status, StatusCode::OK);
        keep_to_look_at("granted.pdf", &paper.body);
        let mut links = codes(&paper.body);
        links.sort();
        assert_eq!(links.len(), 2, "{links:?}");
        assert_eq!(links[0], format!("{BASE}/progress/{}", submitted.receipt_code));
        let mut anybody = house.browser();
        let progress = anybody.get(links[0].trim_start_matches(BASE)).await;
        assert!(progress.holds(&format!("value=\"{}\"", submitted.receipt_code)), "{}", progress.text());
        let number = town.view(case).await.row.case.number;
        assert!(links[1].starts_with(&format!("{BASE}/verify/{number}-")), "{}", links[1]);
        let confirmed = anybody.get(links[1].trim_start_matches(BASE)).await;
        assert!(confirmed.holds("这份文书是我们签发的") && confirmed.holds("此后没有新的决定"), "{}", confirmed.text());
        // The number above the title is the number that is confirmed.
        let said = links[1].rsplit('/').next().unwrap();
        let (printed, _) = said.rsplit_once('-').unwrap().0.rsplit_once('-').unwrap();
        assert!(text_of(&paper.body).contains(&format!("编号：{printed}")));
        assert!(confirmed.holds(printed));
    }

    async fn letters_of_today_become_one_file_and_are_marked(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db.clone(), clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.publish(case).await;
        let house = House::ruled_by(db, Arc::new(town.desk.clone()), web::WebConfig::default()).await;
        house.officer("shi", &[(Role::StreetReviewer, "440306017")]).await;
        house.officer("lin", &[(Role::StreetReviewer, "440306001")]).await;
        house.officer("shen", &[(Role::Auditor, "440306")]).await;
        let mut officer = house.signed_in("shi").await;
        let list = officer.get("/letters").await;
        assert_eq!(list.status, StatusCode::OK, "{}", list.text());
        assert!(list.holds("打印勾选的") && list.holds("回执") && !list.holds("张桂䶮"), "{}", list.text());
        let of_day = "2026-09-01";
        let count = |page: &house::Answer| page.text().matches("name=\"letter\"").count();
        let all = count(&list);
        assert!(all >= 1);
        // Nothing ticked: said, and nothing marked.
        let nothing = officer.post("/letters/print", &[("which", "ticked"), ("day", of_day)]).await;
        assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(nothing.holds("请先勾选"), "{}", nothing.text());
        officer.get("/letters").await;
        let printed = officer.post("/letters/print", &[("which", "all"), ("day", of_day), ("show", "todo")]).await;
        assert_eq!(printed.status, StatusCode::SEE_OTHER, "{}", printed.text());
        let back = officer.get(&printed.location()).await;
        assert!(back.holds("已标记为打印") && back.holds("官员shi"), "{}", back.text());
        assert_eq!(count(&back), all);
        assert_eq!(count(&officer.get("/letters").await), 0, "none is left");
        officer.get(&printed.location()).await;
        let id = officer.find("href=\"/letters/printings/", '"').unwrap();
        let file = officer.get(&format!("/letters/printings/{id}")).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(file.body.starts_with(b"%PDF"));
        assert!(codes(&file.body).len() >= all);
        // Another street sees neither the list's rows nor the file; the auditor reads and does not print.
        let mut other = house.signed_in("lin").await;
        assert_eq!(count(&other.get("/letters?day=&show=all").await), 0);
        assert_eq!(other.get(&format!("/letters/printings/{id}")).await.status, StatusCode::NOT_FOUND);
        let mut auditor = house.signed_in("shen").await;
        let reads = auditor.get("/letters?day=&show=all").await;
        assert!(reads.holds("回执") && !reads.holds("打印勾选的"), "{}", reads.text());
        assert_eq!(auditor.post("/letters/print", &[("which", "all")]).await.status, StatusCode::FORBIDDEN);
        let journal = auditor.get("/journal?act=casework.print_letters").await;
        assert!(journal.holds("合印文书"), "{}", journal.text());
    }

    async fn a_template_is_looked_at_while_it_is_written(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        let _stands = clock;
        let packs = folder.join("packs");
        fixtures::copy(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packs")), &packs).unwrap();
        let shelf = Shelf::open(&db, &packs, "sample", &folder.join("editions")).await.unwrap();
        let house = House::written_by(db, shelf, web::WebConfig::default()).await;
        house.officer("writer", &[(Role::RuleOfficer, "990101")]).await;
        house.officer("second", &[(Role::RuleOfficer, "990101")]).await;
        house.officer("wang", &[(Role::WindowOfficer, house::HERE)]).await;
        let mut writer = house.signed_in("writer").await;
        let list = writer.get("/templates").await;
        assert!(list.holds("共用版式") && list.holds("最低生活保障") && list.holds("/rules/letters/edit?file="), "{}", list.text());
        assert!(!house.signed_in("wang").await.get("/templates").await.holds("/edit?file="));
        let file = "national/letters/receipt.typ";
        let edit = writer.get(&format!("/rules/letters/edit?file={}", web::fields::encoded(file))).await;
        assert_eq!(edit.status, StatusCode::OK, "{}", edit.text());
        assert!(edit.holds("data:image/svg+xml;base64,") && edit.holds("样例数据，共"), "{}", edit.text());
        assert!(edit.holds("hx-post=\"/rules/letters/preview\"") && edit.holds("formaction=\"/rules/letters/preview\""));
        let text = house.app.shelf.now().texts.get(file).unwrap().to_owned();

        // Without scripts: the whole page, with what was typed and the mistake's line and column.
        let wrong = text.replace("#greeting", "#greetings");
        let seen = writer.post("/rules/letters/preview", &[("file", file), ("version", "0"), ("text", &wrong), ("lang", "zh")]).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
        let line = 1 + text.lines().position(|line| line == "#greeting").unwrap();
        assert!(seen.holds(&format!("第 {line} 行第 2 列")) && seen.holds("没有名为“greetings”"), "{}", seen.text());
        assert!(seen.holds("#greetings\n") && !seen.holds("data:image/svg+xml"));
        // Nothing was saved by looking.
        assert!(writer.get("/rules/drafts").await.holds("没有规则草稿"));

        // A template is not a way to other files.
        for other in ["national/letters/../pack.toml", "national/dibao/rules.toml", "/etc/passwd"] {
            let asked = [("file", other), ("text", "x")];
            assert_eq!(writer.post("/rules/letters/preview", &asked).await.status, StatusCode::NOT_FOUND, "{other}");
        }

        writer.get(&format!("/rules/letters/edit?file={}", web::fields::encoded(file))).await;
        let better = text.replace("您的申请已于", "您的申请我们已于");
        assert_ne!(better, text);
        let saved = writer.post("/rules/letters/edit", &[("file", file), ("version", "0"), ("text", &better)]).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text());
        let page = writer.get(saved.location().split('#').next().unwrap()).await;
        assert!(page.holds("草稿已保存并检查") && page.holds("文书模板（各事项共用）"), "{}", page.text());
        let draft = format!("/rules/drafts/{}", writer.find("href=\"/rules/drafts/", '"').unwrap());
        writer.get(&draft).await;
        let day = house.app.db.today().to_string();
        let proposed = writer.post(&format!("{draft}/propose"), &[("version", "1"), ("from", &day), ("basis", "样民〔2026〕15号")]).await;
        assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text());
        let mut second = house.signed_in("second").await;
        second.get(&draft).await;
        let published = second.post(&format!("{draft}/publish"), &[("again.shown", house::PASSWORD)]).await;
        assert_eq!(published.location(), "/rules/editions/2?done=published", "{}", published.text());
        assert!(letter::used(&house.app.shelf.now().desk).iter().any(|one| one.file == file));
        assert!(house.app.shelf.now().texts.get(file).unwrap().contains("您的申请我们已于"));
    }

    async fn ux_13_the_one_sheet_is_a_paper_whose_code_leads_to_the_page(db: Db) {
        let house = House::over(db).await;
        let mut browser = house.browser();
        for programme in ["dibao", "old_age_allowance"] {
            let page = browser.get(&format!("/programmes/{programme}")).await;
            assert!(page.holds(&format!("/programmes/{programme}/sheet.pdf")));
            let paper = browser.get(&format!("/programmes/{programme}/sheet.pdf")).await;
            assert_eq!(paper.status, StatusCode::OK);
            keep_to_look_at(&format!("sheet-{programme}.pdf"), &paper.body);
            let text = text_of(&paper.body);
            // Every part of the page stands on the paper, and what is asked for is the same.
            for part in ["可以得到什么", "什么条件", "带什么材料", "办理步骤", "多久办好", "申请不收费", "在哪里办", "服务热线", "依据", "一次性告知单"] {
                assert!(text.contains(part), "{programme}: {part}");
            }
            let asked = page.text();
            for item in asked.split("<li>").skip(1).filter_map(|rest| rest.split('<').next()).filter(|item| item.chars().count() > 5) {
                let plain: String = item.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("&quot;", "\"").split_whitespace().collect();
                assert!(text.contains(&plain) || asked.contains(&format!("href=\"/{plain}")), "{programme}: {plain}\n{text}");
            }
            assert_eq!(codes(&paper.body), [format!("{BASE}/programmes/{programme}")]);
        }
        assert_eq!(browser.get("/programmes/no-such-thing/sheet.pdf").await.status, StatusCode::NOT_FOUND);
        browser.post("/preferences", &[("back", "/programmes"), ("lang", "en")]).await;
        let english = browser.get("/programmes/dibao/sheet.pdf").await;
        keep_to_look_at("sheet-en.pdf", &english.body);
        assert!(text_of(&english.body).contains("Allyouneedtoknow,once"));
    }
}
