//! Asking once for everything missing (一次性告知): the clock stands still, and there is no second asking.

use super::town::*;
use casework::ActInput;
use casework::act::Refused;
use casework::clock::Light;
use std::path::Path;
use std::sync::Arc;
use store::TestClock;

/// The packs with one clock more: counted from submission, standing still while the applicant supplies papers.
fn packs_with_a_pausing_clock(folder: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    fixtures::copy(&from, folder).unwrap();
    let file = folder.join("national/dibao/procedure.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let clock = "\n[[clock]]\nid = \"from_submission\"\nzh = \"自提交起\"\nen = \"From submission\"\namount = 20\nunit = \"wd\"\nstarts_on = [\"submit\"]\nstops_on = [\"confirm\"]\npauses_in = [\"supplementing\"]\narticle = \"mz57:22\"\n";
    std::fs::write(&file, text + clock).unwrap();
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn the_clock_stands_still_while_the_applicant_supplies_what_was_asked_once(db: store::Db, clock: Arc<TestClock>) {
        let folder = tempfile::tempdir().unwrap();
        packs_with_a_pausing_clock(folder.path());
        let town = Town::with(db, clock, load(folder.path())).await;
        let (_, case, submitted) = town.dibao_case().await;
        let due = |view: &casework::CaseView| {
            view.clocks.iter().find(|clock| clock.id == "from_submission").unwrap().due_on
        };
        assert_eq!(due(&town.view(case).await), Some(day("2026-09-29")));

        town.to_day("2026-09-03");
        assert_eq!(
            town.act(&town.window, case, "ask_once", ActInput::default()).await,
            Err(Refused::NothingAsked)
        );
        let asking = ActInput {
            items: vec!["银行流水".to_owned(), "授权书".to_owned()],
            ..ActInput::default()
        };
        let asked = town.act(&town.window, case, "ask_once", asking.clone()).await.unwrap();
        assert!(asked.letter.is_some());
        let view = town.view(case).await;
        assert_eq!((due(&view), view.row.light), (None, Light::Paused));
        let progress =
            casework::progress::progress(&town.db, &town.desk, &submitted.receipt_code, "5678").await.unwrap().unwrap();
        assert_eq!(progress.cases[0].items, ["银行流水", "授权书"]);
        assert!(progress.cases[0].paused);

        // Ten days later the papers come: the working days in between do not count.
        town.to_day("2026-09-14");
        town.act(&town.window, case, "supply", ActInput::default()).await.unwrap();
        assert_eq!(due(&town.view(case).await), Some(day("2026-10-14")));
        assert_eq!(town.act(&town.window, case, "ask_once", asking).await, Err(Refused::AskedBefore));
    }
}
