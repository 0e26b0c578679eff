//! Writing rules (规则编写): an officer drafts, the cases tell, another officer publishes, the history stays.

use access::{Actor, Purpose, Role, Scope};
use casework::rulebook::{
    Change, Moved, NewValue, Proposal, Refused, Saved, Shelf, State, Texts, candidate, diff,
    discard, list, propose, publish, save, send_back, what_if, with_value,
};
use chrono::NaiveDate;
use policy::{Ask, Outcome};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Db;
use uuid::Uuid;
use vocab::ids::{OfficerId, RuleDraftId};
use vocab::{DatedFact, FactSheet, Record, Region, Value};

const PARAMETERS: &str = "county/longevity/parameters.toml";
const CASES: &str = "county/longevity/cases.toml";

fn officer(number: u128, role: Role, place: &str) -> Scope {
    let region: Region = place.parse().unwrap();
    let actor = Actor::officer(
        OfficerId(Uuid::from_u128(number)),
        "某某",
        vec![(role, region)],
    );
    Scope {
        region: actor.region,
        actor,
        purpose: Purpose::Review,
    }
}

fn writer() -> Scope {
    officer(71, Role::RuleOfficer, "990101")
}

fn second() -> Scope {
    officer(72, Role::RuleOfficer, "990101")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What a woman of 96 gets on a day.
fn paid(shelf: &Shelf, on: &str) -> (Outcome, Option<i64>) {
    let sheet = FactSheet {
        members: vec![Record::from([
            (
                "birth_date".to_owned(),
                vec![DatedFact::plain(Value::Date(day("1930-01-01")))],
            ),
            (
                "hukou".to_owned(),
                vec![DatedFact::plain(Value::Text("990101".to_owned()))],
            ),
        ])],
        ..FactSheet::default()
    };
    let ask = Ask {
        as_of: day(on),
        known_at: None,
        region: None,
        programmes: None,
    };
    let found = shelf.now().desk.book.evaluate(&sheet, &ask).remove(0);
    (found.outcome, found.amount.map(|amount| amount.fen()))
}

struct House {
    db: Db,
    shelf: Shelf,
    packs: PathBuf,
    root: PathBuf,
}

impl House {
    async fn over(db: Db, folder: &Path) -> Self {
        let packs = fixtures::small_packs(folder).unwrap();
        let root = folder.join("editions");
        let shelf = Shelf::open(&db, &packs, "county", &root).await.unwrap();
        Self {
            db,
            shelf,
            packs,
            root,
        }
    }

    fn text(&self, path: &str) -> String {
        self.shelf.now().texts.get(path).unwrap().to_owned()
    }

    async fn save(&self, path: &str, text: &str, version: i64) -> Result<Saved, Refused> {
        save(
            &self.db,
            &self.shelf,
            &writer(),
            "longevity",
            (path, text),
            version,
        )
        .await
        .unwrap()
    }

    async fn propose(&self, saved: &Saved, from: &str, correction: &str) -> Result<(), Refused> {
        let proposal = Proposal {
            version: saved.version,
            from: day(from),
            basis: "样民〔2026〕12号".to_owned(),
            correction: correction.to_owned(),
        };
        propose(&self.db, &self.shelf, &writer(), saved.id, &proposal)
            .await
            .unwrap()
    }

    async fn publish(&self, scope: &Scope, id: RuleDraftId) -> Result<i64, Refused> {
        publish(&self.db, &self.shelf, scope, id).await.unwrap()
    }

    async fn again(&self) -> anyhow::Result<Shelf> {
        Shelf::open(&self.db, &self.packs, "county", &self.root).await
    }

    /// A household of one woman of 96.
    async fn settle(&self) {
        let scope = Scope::system("990101".parse().unwrap());
        let mut tx = self.db.begin().await.unwrap();
        let seventeen = "44030619300101002";
        let number = format!(
            "{seventeen}{}",
            vocab::id_number::check_digit(seventeen).unwrap()
        );
        let document = vocab::Document::read(vocab::DocumentKind::ResidentId, &number, tx.today())
            .unwrap_or_else(|fault| panic!("{fault}"));
        let new = registry::people::NewPerson {
            name: "秦寿".to_owned(),
            document,
            sex: vocab::Sex::Unknown,
            birth_date: None,
            phone: None,
            hukou: Some("990101".parse().unwrap()),
            lives_in: "990101001001".parse().unwrap(),
            address: "北桥 1 号".to_owned(),
        };
        let head = registry::register_person(&mut tx, &scope, new)
            .await
            .unwrap()
            .unwrap();
        let new = registry::households::NewHousehold {
            region: "990101001001".parse().unwrap(),
            address: "北桥 1 号".to_owned(),
            head,
            members: Vec::new(),
            since: Some(day("2020-01-01")),
            roster_number: None,
        };
        registry::form_household(&mut tx, &scope, new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The parameters with a higher allowance from July.
    fn raised(&self) -> String {
        let new = NewValue {
            parameter: "longevity_allowance".to_owned(),
            from: day("2026-07-01"),
            region: String::new(),
            value: "35000".to_owned(),
            source: "样民〔2026〕12号第一条".to_owned(),
        };
        with_value(&self.text(PARAMETERS), &new).unwrap()
    }
}

fn july_case() -> &'static str {
    "\n[[case]]\nname = \"提标当天\"\nas_of = 2026-07-01\nmembers = [{ birth_date = 1930-01-01, hukou = \"990101\" }]\nexpect = [{ member = 0, outcome = \"met\", amount = 35000 }]\nbecause = \"2026 年 7 月起 350.00 元\"\n"
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn rules_are_drafted_proved_published_by_another_officer_and_kept(db: Db, clock: Arc<store::TestClock>, folder: PathBuf) {
        let _stands = clock;
        let house = House::over(db, &folder).await;
        assert_eq!(house.shelf.now().number, 1);
        assert_eq!(house.shelf.now().texts, Texts::read(&house.packs, "county").unwrap());
        let old_hash = house.shelf.now().desk.book.hash().to_owned();

        let writer_ref = writer();
        // A value changed in place: the cases are red, and old decisions would no longer replay.
        let wrong = house.text(PARAMETERS).replace("30000", "35000");
        let saved = house.save(PARAMETERS, &wrong, 0).await.unwrap();
        assert!(!saved.checked.is_sound());
        assert!(saved.checked.failures() >= 1, "{:?}", saved.checked.cases);
        let failure = saved.checked.cases.iter().flat_map(|one| &one.failures).next().unwrap();
        assert!(failure.differences[0].contains("金额应为 300.00"), "{failure:?}");
        assert_eq!(saved.checked.rewritten.len(), 1, "{:?}", saved.checked.rewritten);
        assert!(saved.checked.rewritten[0].file.ends_with("longevity/parameters.toml"));
        assert!(matches!(house.propose(&saved, "2026-07-01", "").await, Err(Refused::NotSound { .. })));

        // A mistake is told with its place, and the draft is kept as it is.
        let torn = house.save(PARAMETERS, &wrong.replace("[longevity_age]", "[longevity_age"), saved.version).await.unwrap();
        assert!(torn.checked.faults.iter().any(|fault| fault.line > 0 && fault.file == PARAMETERS), "{:?}", torn.checked.faults);

        // Corrected: a new dated value, and a case for its first day.
        let saved = house.save(PARAMETERS, &house.raised(), torn.version).await.unwrap();
        assert!(saved.checked.is_sound() && saved.checked.rewritten.is_empty(), "{:?}", saved.checked);
        let stale = house.save(CASES, "", saved.version - 1).await;
        assert_eq!(stale.unwrap_err(), Refused::Changed);
        let cases = house.text(CASES) + july_case();
        let saved = house.save(CASES, &cases, saved.version).await.unwrap();
        assert!(saved.checked.is_sound(), "{:?}", saved.checked);
        assert_eq!(saved.checked.run(), 6);
        let (draft, files) = list::draft(&house.db, &writer(), saved.id).await.unwrap().unwrap();
        assert_eq!((draft.state, files.len()), (State::Draft, 2));
        let pieces = diff(&house.text(PARAMETERS), &files.iter().find(|file| file.path == PARAMETERS).unwrap().text);
        assert!(pieces.concat().iter().any(|line| line.change == Change::Added && line.text.contains("35000")));
        house.settle().await;
        // Whoever moves a slider tries the same draft many times: it is loaded once.
        let tried = [
            candidate(&house.db, &house.shelf, &writer_ref, saved.id).await.unwrap().unwrap(),
            candidate(&house.db, &house.shelf, &writer_ref, saved.id).await.unwrap().unwrap(),
        ];
        assert!(Arc::ptr_eq(&tried[0].desk, &tried[1].desk));
        let effect = |on: &'static str| what_if(&house.db, &house.shelf, &writer_ref, saved.id, day(on));
        assert!(effect("2026-06-30").await.unwrap().unwrap().moved.is_empty());
        let said = effect("2026-07-01").await.unwrap().unwrap();
        let risen = Moved { more: 1, fen: 5_000, ..Moved::default() };
        assert_eq!((said.looked_at, said.moved), (1, vec![("longevity".to_owned(), risen)]));

        // Nothing is in force yet; the writer cannot publish, nor can somebody of another place or without the role.
        assert_eq!(paid(&house.shelf, "2026-07-01"), (Outcome::Met, Some(30_000)));
        assert!(matches!(house.publish(&second(), saved.id).await, Err(Refused::WrongState(State::Draft))));
        let nameless = Proposal { version: saved.version, from: day("2026-07-01"), basis: " ".to_owned(), correction: String::new() };
        assert_eq!(propose(&house.db, &house.shelf, &writer(), saved.id, &nameless).await.unwrap(), Err(Refused::BasisMissing));
        house.propose(&saved, "2026-07-01", "").await.unwrap();
        assert!(matches!(house.publish(&writer(), saved.id).await, Err(Refused::SamePerson(_))));
        assert!(matches!(house.publish(&officer(73, Role::RuleOfficer, "990102"), saved.id).await, Err(Refused::Denied(_))));
        assert!(matches!(house.publish(&officer(74, Role::Auditor, "990101"), saved.id).await, Err(Refused::Denied(_))));
        let elsewhere = officer(75, Role::RuleOfficer, "990102");
        assert!(list::draft(&house.db, &elsewhere, saved.id).await.unwrap().is_none());
        assert!(list::drafts(&house.db, &elsewhere, 0, 10).await.unwrap().rows.is_empty());
        let late = house.save(CASES, &cases, saved.version + 1).await;
        assert_eq!(late.unwrap_err(), Refused::WrongState(State::Proposed));

        let whoever_began_keeps = house.shelf.now();
        assert_eq!(house.publish(&second(), saved.id).await.unwrap(), 2);
        assert_eq!(whoever_began_keeps.number, 1);
        assert_eq!(paid(&house.shelf, "2026-06-30"), (Outcome::Met, Some(30_000)));
        assert_eq!(paid(&house.shelf, "2026-07-01"), (Outcome::Met, Some(35_000)));

        // The history, and the folder that equals what is in force.
        let editions = list::editions(&house.db, 0, 10).await.unwrap();
        assert_eq!(editions.total, 2);
        let newest = &editions.rows[0];
        assert_eq!((newest.number, newest.from), (2, day("2026-07-01")));
        assert_eq!(newest.basis, "样民〔2026〕12号");
        assert!(newest.changed.contains(&PARAMETERS.to_owned()) && newest.changed.iter().any(|path| path.ends_with("card.approved.md")), "{:?}", newest.changed);
        let now = house.shelf.now();
        let export = folder.join("export");
        now.texts.write(&export).unwrap();
        assert!(now.texts.write(&export).is_err(), "nothing is written over");
        let read = Texts::read(&export, "county").unwrap();
        assert_eq!(read.fingerprint(), now.sm3);
        assert_eq!(read, now.texts);
        assert_eq!(policy::Book::load(&export, "county").unwrap().hash(), now.desk.book.hash());
        assert!(policy::gate::examine(&export, "county").unwrap().may_publish());
        assert_eq!(now.texts.zip("packs").unwrap(), read.zip("packs").unwrap());

        // After a restart the edition is in force, also when its folder was lost or changed.
        assert_eq!(paid(&house.again().await.unwrap(), "2026-07-01"), (Outcome::Met, Some(35_000)));
        std::fs::write(house.root.join("edition-2").join(PARAMETERS), "").unwrap();
        std::fs::remove_dir_all(house.root.join("edition-1")).unwrap();
        let again = house.again().await.unwrap();
        assert_eq!((again.now().number, again.now().sm3.clone()), (2, now.sm3.clone()));
        let old = again.desk_of(&house.db, &old_hash).await.unwrap().unwrap();
        assert_eq!(old.book.hash(), old_hash);
        assert!(again.desk_of(&house.db, "0").await.unwrap().is_none());
    }

    async fn days_gone_by_change_only_with_a_reason(db: Db, clock: Arc<store::TestClock>, folder: PathBuf) {
        let _stands = clock;
        let house = House::over(db, &folder).await;
        let changed = house.text(PARAMETERS).replace("30000", "30100");
        let saved = house.save(PARAMETERS, &changed, 0).await.unwrap();
        let cases = house.text(CASES).replace("30000", "30100");
        let saved = house.save(CASES, &cases, saved.version).await.unwrap();
        assert!(saved.checked.is_sound(), "{:?}", saved.checked);
        assert_eq!(house.propose(&saved, "2026-06-02", "").await.unwrap_err(), Refused::Rewrites(1));
        assert_eq!(house.propose(&saved, "2026-01-01", "").await.unwrap_err(), Refused::DayBehind);
        house.propose(&saved, "2026-01-01", "原文件抄错一位，按原件更正").await.unwrap();

        // Sent back, proposed again, published.
        let mut tx = house.db.begin().await.unwrap();
        send_back(&mut tx, &house.shelf, &second(), saved.id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let (draft, files) = list::draft(&house.db, &writer(), saved.id).await.unwrap().unwrap();
        assert!(draft.state == State::Draft && files.iter().all(|file| !file.made));
        let saved = Saved { version: draft.version, ..saved };
        house.propose(&saved, "2026-01-01", "原文件抄错一位，按原件更正").await.unwrap();
        assert_eq!(house.publish(&second(), saved.id).await.unwrap(), 2);
        assert_eq!(paid(&house.shelf, "2026-03-01"), (Outcome::Met, Some(30_100)));
        assert_eq!(list::edition(&house.db, 2).await.unwrap().unwrap().correction, "原文件抄错一位，按原件更正");

        // A draft without a difference is nothing to propose, and one thrown away leaves the programme free.
        let same = house.save(PARAMETERS, &house.text(PARAMETERS), 0).await.unwrap();
        assert_eq!(house.propose(&same, "2026-07-01", "").await.unwrap_err(), Refused::NothingChanged);
        let mut tx = house.db.begin().await.unwrap();
        discard(&mut tx, &house.shelf, &writer(), same.id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert!(house.save(PARAMETERS, &house.raised(), 0).await.is_ok());
        for (file, wanted) in [("county/longevity/card.approved.md", "NotEditable"), ("../keys", "NotEditable"), ("nation/people/facts.toml", "NotEditable")] {
            let refused = house.save(file, "", 1).await.unwrap_err();
            assert!(format!("{refused:?}").starts_with(wanted), "{file}: {refused:?}");
        }
    }

    async fn a_delivery_joins_what_was_published_here_or_stops_the_start(db: Db, clock: Arc<store::TestClock>, folder: PathBuf) {
        let _stands = clock;
        let house = House::over(db, &folder).await;
        let saved = house.save(PARAMETERS, &house.raised(), 0).await.unwrap();
        house.propose(&saved, "2026-07-01", "").await.unwrap();
        house.publish(&second(), saved.id).await.unwrap();

        // Another file is delivered anew: both hold.
        let wording = house.packs.join("county/longevity/wording.toml");
        let text = std::fs::read_to_string(&wording).unwrap();
        std::fs::write(&wording, text.replace("每月领取的津贴", "按月领取的津贴")).unwrap();
        let again = house.again().await.unwrap();
        assert_eq!(again.now().number, 3);
        assert_eq!(paid(&again, "2026-07-01"), (Outcome::Met, Some(35_000)));
        assert!(again.now().desk.book.programme("longevity").unwrap().summary_zh.contains("按月"));
        assert_eq!(house.again().await.unwrap().now().number, 3, "nothing new, nothing kept");

        // The same file is delivered anew: nobody but an officer can say which holds.
        let parameters = house.packs.join(PARAMETERS);
        let text = std::fs::read_to_string(&parameters).unwrap();
        std::fs::write(&parameters, text.replace("300", "310")).unwrap();
        let torn = house.again().await.unwrap_err().to_string();
        assert!(torn.contains(PARAMETERS), "{torn}");

        // With the published text put back into the delivery, the service starts.
        std::fs::write(&parameters, again.now().texts.get(PARAMETERS).unwrap()).unwrap();
        assert_eq!(paid(&house.again().await.unwrap(), "2026-07-01"), (Outcome::Met, Some(35_000)));
    }
}
