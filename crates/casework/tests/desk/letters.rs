//! Letters (文书): what was issued stays as it was issued; many are printed at once; templates are written by two people.

use super::packs::with_replaced;
use super::town::*;
use access::{Actor, Purpose, Role, Scope};
use casework::letter::list::{LetterFilter, list};
use casework::letter::printing::{self, MOST, Refused};
use casework::letter::{self, Lang};
use casework::rulebook::{self, Proposal, SHARED_LETTERS, Shelf, editable, propose, publish, save};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Db, TestClock};
use uuid::Uuid;
use vocab::ids::OfficerId;

const GRANTED: &str = "national/dibao/letters/granted.typ";
const SHARED: &str = "national/letter.typ";
const CORRECTION: &str = "national/letters/correction.typ";

fn writer(number: u128, place: &str) -> Scope {
    let actor = Actor::officer(
        OfficerId(Uuid::from_u128(number)),
        "某某",
        vec![(Role::RuleOfficer, region(place))],
    );
    Scope {
        region: actor.region,
        actor,
        purpose: Purpose::Review,
    }
}

async fn text(town: &Town, desk: &casework::Desk, id: Uuid) -> String {
    let pdf = letter::pdf(
        &town.db,
        &town.district,
        desk,
        id,
        Lang::Zh,
        "https://x.test",
    );
    text_of(&pdf.await.unwrap().unwrap())
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_letter_issued_stays_as_it_was_when_its_template_changes(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        let granted = town.grant(case).await;
        let id = granted.letter.unwrap();
        let before = text(&town, &town.desk, id).await;
        assert!(before.contains("决定给予最低生活保障，按月发放") && before.contains("（盖章处）"), "{before}");
        let later = with_replaced(&[
            (GRANTED, "决定给予最低生活保障，按月发放", "准予最低生活保障，每月发放"),
            (SHARED, "（盖章处）", "（此处盖章）"),
        ]);
        assert_eq!(text(&town, &later, id).await, before);
        // What is issued from now on says it in the new words.
        let town = Town { desk: later, ..town };
        town.to_day("2026-10-10");
        town.act(&town.reviewer, case, "hear", saying("本人说没有隐瞒")).await.unwrap();
        let stopping = casework::ActInput { grounds: vec!["fraud".to_owned()], ..saying("停发") };
        let stopped = town.act(&town.district, case, "stop", stopping).await.unwrap();
        assert!(text(&town, &town.desk, stopped.letter.unwrap()).await.contains("（此处盖章）"));
    }

    async fn letters_of_a_day_are_printed_once_and_by_those_who_see_them(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (_, case, _) = town.dibao_case().await;
        let (db, desk) = (&town.db, &town.desk);
        let today = LetterFilter { day: Some(db.today()), printed: Some(false), ..LetterFilter::default() };
        let found = list(db, &town.reviewer, desk, &today, 0, 50).await.unwrap();
        assert_eq!(found.total, 1, "the receipt");
        let receipt = found.rows[0].clone();
        let number = town.view(case).await.row.case.number;
        assert_eq!((receipt.kind.as_str(), receipt.number), ("receipt", format!("{number}-1")));
        let elsewhere = LetterFilter { programme: Some("old_age_allowance".to_owned()), ..today.clone() };
        assert_eq!(list(db, &town.reviewer, desk, &elsewhere, 0, 50).await.unwrap().total, 0);

        // Nobody of the next community sees it, prints it, or opens what was printed.
        assert_eq!(list(db, &town.neighbour, desk, &today, 0, 50).await.unwrap().total, 0);
        let mut tx = db.begin().await.unwrap();
        for (who, letters, why) in [
            (&town.neighbour, vec![receipt.id], Refused::NotThere),
            (&town.window, vec![], Refused::Nothing),
            (&town.window, vec![receipt.id; 501], Refused::TooMany),
        ] {
            assert_eq!(printing::print(&mut tx, who, &letters, Lang::Zh).await.unwrap(), Err(why));
        }
        let printed = printing::print(&mut tx, &town.window, &[receipt.id], Lang::Zh).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(list(db, &town.reviewer, desk, &today, 0, 50).await.unwrap().total, 0);
        assert!(printing::of_filter(db, &town.reviewer, &today).await.unwrap().is_empty());
        let done = LetterFilter { printed: Some(true), ..today };
        let (_, who) = list(db, &town.reviewer, desk, &done, 0, 50).await.unwrap().rows[0].printed.clone().unwrap();
        assert_eq!(who, "王窗口");
        let file = printing::file(db, &town.reviewer, desk, printed, "https://x.test").await.unwrap().unwrap();
        assert!(text_of(&file).contains("申请收件凭证"));
        assert_eq!(printing::file(db, &town.neighbour, desk, printed, "https://x.test").await.unwrap(), None);
        const { assert!(MOST <= 500) };
    }

    async fn a_template_is_drafted_proved_and_published_by_another_officer(db: Db, clock: Arc<TestClock>, folder: PathBuf) {
        clock.set(noon("2026-09-01"));
        let packs = folder.join("packs");
        fixtures::copy(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs"), &packs).unwrap();
        let shelf = Shelf::open(&db, &packs, "baoan", &folder.join("editions")).await.unwrap();
        let (one, two) = (writer(71, "440306"), writer(72, "440306"));
        let now = shelf.now();
        let may = editable(&now, SHARED_LETTERS);
        for file in [SHARED, CORRECTION, "baoan/letters/correction.typ"] {
            assert!(may.iter().any(|known| known == file), "{file}: {may:?}");
        }
        assert!(may.iter().all(|file| file.ends_with(".typ")), "{may:?}");
        let text = now.texts.get(CORRECTION).unwrap().to_owned();

        // A field the data do not have, and a sentence that does not end: said with line and column, and not proposed.
        let wrong = text.replace("d.supply_by_text != \"\"", "d.supply_day != \"\"");
        assert_ne!(wrong, text);
        let saved = save(&db, &shelf, &one, SHARED_LETTERS, (CORRECTION, &wrong), 0).await.unwrap().unwrap();
        let fault = &saved.checked.faults[0];
        assert_eq!((fault.file.as_str(), fault.line), (CORRECTION, 18), "{fault:?}");
        assert!(fault.sentence_zh.contains("数据里没有“supply_day”这一栏"), "{fault:?}");
        let proposal = |version| Proposal {
            version,
            from: "2026-09-01".parse().unwrap(),
            basis: "样民〔2026〕15号".to_owned(),
            correction: String::new(),
        };
        let refused = propose(&db, &shelf, &one, saved.id, &proposal(1)).await.unwrap();
        assert!(matches!(refused, Err(rulebook::Refused::NotSound { .. })), "{refused:?}");

        // Corrected: the place has its own wording, which the nation's template does not touch.
        let own = text.replace("申请补正告知书", "申请材料补正通知书");
        save(&db, &shelf, &one, SHARED_LETTERS, (CORRECTION, &text), 1).await.unwrap().unwrap();
        let saved = save(&db, &shelf, &one, SHARED_LETTERS, ("baoan/letters/correction.typ", &own), 2).await.unwrap().unwrap();
        assert!(saved.checked.is_sound(), "{:?}", saved.checked.faults);
        propose(&db, &shelf, &one, saved.id, &proposal(3)).await.unwrap().unwrap();
        let same = publish(&db, &shelf, &one, saved.id).await.unwrap();
        assert!(matches!(same, Err(rulebook::Refused::SamePerson(_))), "{same:?}");
        assert_eq!(publish(&db, &shelf, &two, saved.id).await.unwrap(), Ok(2));
        let used = letter::used(&shelf.now().desk);
        assert!(used.iter().any(|one| one.file == "baoan/letters/correction.typ" && one.programmes.contains(&"dibao".to_owned())));
        assert!(!used.iter().any(|one| one.file == CORRECTION));
    }
}
