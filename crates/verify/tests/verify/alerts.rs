//! Everybody in payment is compared (在发对象持续核对): found once, settled by itself, found anew, never by guessing.

use crate::town::day;
use access::Scope;
use chrono::NaiveDate;
use policy::Book;
use registry::bulk::{BulkHousehold, BulkMember};
use registry::consent::{Carried, carry_over};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use store::{Db, Keys};
use verify::alert::{self, AlertFilter, AlertSort, Asking, Ran, Refused, Rules, State};
use verify::{AtHand, Landing, Unknown};
use vocab::ids::PersonId;
use vocab::working_days::Calendar;
use vocab::{Document, IdNumber, Kinship, Money, Month};

pub(crate) const ANN: &str = "11010519491231002X";
pub(crate) const BO: &str = "440300199001010016";
/// Whoever else is in a delivery, so that it is not empty.
pub(crate) const STRANGER: &str = "231025195607150042";

pub(crate) fn packs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packs")
        .canonicalize()
        .unwrap()
}

/// Two people in payment of the sample county, and a folder for deliveries.
pub(crate) struct County {
    pub(crate) db: Db,
    pub(crate) book: Book,
    calendar: Calendar,
    pub(crate) scope: Scope,
    pub(crate) at_hand: AtHand,
    folder: std::path::PathBuf,
    pub(crate) people: BTreeMap<&'static str, PersonId>,
}

fn member(id: &str, name: &str, account: &str) -> BulkMember {
    let number = IdNumber::read(id, day("2026-06-01")).unwrap();
    BulkMember {
        name: name.to_owned(),
        document: Document::resident(&number),
        sex: number.sex(),
        birth_date: Some(number.birth_date()),
        phone: None,
        hukou: Some("990101001001".parse().unwrap()),
        kinship: Kinship::head(),
        account: Some(registry::accounts::Account {
            bank: "样例银行".to_owned(),
            number: account.to_owned(),
            holder: name.to_owned(),
            kind: registry::accounts::AccountKind::Passbook,
            agreement: None,
        }),
        facts: Vec::new(),
    }
}

/// 200 yuan a month since April, a benefit of a person.
pub(crate) fn allowance(
    person: PersonId,
    decision: vocab::ids::DecisionId,
) -> ledger::NewEntitlement {
    ledger::NewEntitlement {
        decision,
        programme: "old_age_allowance".to_owned(),
        payee: person,
        household: None,
        region: "990101001001".parse().unwrap(),
        amount: Money::from_fen(20_000),
        covered: vec![person],
        from: Month::new(2026, 4).unwrap(),
        until: None,
        excludes: Vec::new(),
        part: String::new(),
    }
}

impl County {
    /// `accounts`: Ann's and Bo's.
    pub(crate) async fn over(db: Db, folder: &Path, accounts: [&str; 2]) -> Self {
        Self::by_packs(db, folder, accounts, &packs()).await
    }

    pub(crate) async fn by_packs(db: Db, folder: &Path, accounts: [&str; 2], from: &Path) -> Self {
        let book = Book::load(from, "sample").unwrap();
        let scope = Scope::system(book.place().division);
        let text = std::fs::read_to_string(packs().join("national/calendar.toml")).unwrap();
        let homes = [(ANN, "安娜", accounts[0]), (BO, "薄一", accounts[1])];
        let households = homes.map(|(id, name, account)| BulkHousehold {
            roster_number: None,
            region: "990101001001".parse().unwrap(),
            address: "1号".to_owned(),
            since: day("2020-01-01"),
            members: vec![member(id, name, account)],
            facts: Vec::new(),
        });
        registry::bulk::load(&db, &scope, households, |_| {})
            .await
            .unwrap();
        let mut people = BTreeMap::new();
        let mut tx = db.begin().await.unwrap();
        for (id, ..) in homes {
            let number = IdNumber::read(id, day("2026-06-01")).unwrap();
            let document = Document::resident(&number);
            let found =
                registry::people::ids_by_document(&tx, &scope, std::slice::from_ref(&document))
                    .await
                    .unwrap();
            let person = found[&document].0;
            people.insert(id, person);
            let new = allowance(person, vocab::ids::DecisionId(tx.new_id()));
            ledger::entitle(&mut tx, &scope, &new)
                .await
                .unwrap()
                .unwrap();
        }
        for person in people.values() {
            let household = registry::households::household_of(&tx, &scope, *person, db.today())
                .await
                .unwrap()
                .unwrap();
            let carried = Carried {
                person: *person,
                household,
                region: "990101001001".parse().unwrap(),
                purpose: "核对".to_owned(),
                signed_on: day("2025-12-01"),
                until: None,
                archive: "存量1号".to_owned(),
            };
            carry_over(&mut tx, &scope, &[carried]).await.unwrap();
        }
        tx.commit().await.unwrap();
        Self {
            at_hand: AtHand::new(&folder.join("landed"), Keys::for_tests()),
            calendar: Calendar::from_toml(&text).unwrap(),
            folder: folder.to_owned(),
            db,
            book,
            scope,
            people,
        }
    }

    /// Somebody takes the consent back.
    pub(crate) async fn ends_consent(&self, person: PersonId) {
        let mut tx = self.db.begin().await.unwrap();
        let household =
            registry::households::household_of(&tx, &self.scope, person, self.db.today())
                .await
                .unwrap()
                .unwrap();
        let given = registry::consent::of_household(&tx, &self.scope, household)
            .await
            .unwrap();
        registry::consent::withdraw(&mut tx, &self.scope, given[0].id, "不再同意")
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A department delivers a table: its heading and its rows.
    pub(crate) fn delivers(&self, source: &str, text: &str, delivered: NaiveDate, keys: &Keys) {
        let sources = verify::at_hand::sources_of(&self.book).unwrap();
        let file = self.folder.join(format!("{source}-{delivered}.csv"));
        std::fs::write(&file, format!("\u{FEFF}{text}")).unwrap();
        Landing {
            source: sources.get(source).unwrap(),
            file: &file,
            store: self.at_hand.store(),
            delivered,
            today: self.db.today(),
            keys,
            workers: 1,
            accept_drift: true,
            stop: &AtomicBool::new(false),
            told: &|_| {},
        }
        .run()
        .unwrap()
        .unwrap();
    }

    /// The police deliver deaths: whom, and on which day.
    pub(crate) fn deaths(&self, rows: &[(&str, &str)], delivered: NaiveDate) {
        let mut text = "公民身份号码,姓名,死亡日期\n".to_owned();
        for (id, died) in rows.iter().chain(&[(STRANGER, "2020-01-01")]) {
            text.push_str(&format!("{id},某,{died}\n"));
        }
        self.delivers("death", &text, delivered, self.db.keys());
    }

    /// Somebody is paid something more.
    pub(crate) async fn entitle(&self, new: ledger::NewEntitlement) {
        let mut tx = self.db.begin().await.unwrap();
        let decision = vocab::ids::DecisionId(tx.new_id());
        let new = ledger::NewEntitlement { decision, ..new };
        ledger::entitle(&mut tx, &self.scope, &new)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn run(&self) -> Ran {
        self.run_of(None).await
    }

    /// With what these sources say alone.
    pub(crate) async fn run_of(&self, only: Option<&[&str]>) -> Ran {
        let only: Option<BTreeSet<String>> =
            only.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        let asking = Asking {
            db: &self.db,
            scope: &self.scope,
            book: &self.book,
            calendar: &self.calendar,
            at_hand: &self.at_hand,
            workers: 1,
        };
        let stop = AtomicBool::new(false);
        alert::run(&asking, only.as_ref(), &stop, &|_, _| {})
            .await
            .unwrap()
            .unwrap()
    }

    /// All alerts.
    pub(crate) async fn all(&self) -> Vec<alert::Alert> {
        let all = AlertFilter::default();
        let sort = (AlertSort::Found, false);
        let page = alert::list(&self.db, &self.scope, &all, sort, 0, 100).await;
        page.unwrap().rows
    }

    /// The alerts there are: rule, person, state.
    pub(crate) async fn alerts(&self) -> Vec<(String, PersonId, State)> {
        let all = AlertFilter::default();
        let sort = (AlertSort::Urgency, false);
        let page = alert::list(&self.db, &self.scope, &all, sort, 0, 100)
            .await
            .unwrap();
        page.rows
            .into_iter()
            .map(|one| (one.rule, one.person, one.state))
            .collect()
    }
}

fixtures::db_tests! {
    migrations = verify::migrations();

    async fn a_death_is_one_alert_however_often_it_is_compared(
        db: Db, clock: std::sync::Arc<store::TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        // Died in May, paid in June.
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-30"));
        let ran = county.run().await;
        assert_eq!((ran.people, ran.held.new, ran.held.again), (2, 1, 0));
        let again = county.run().await;
        assert_eq!((again.held.new, again.held.again, again.settled), (0, 1, 0));
        let ann = county.people[ANN];
        assert_eq!(county.alerts().await, [("paid_after_death".to_owned(), ann, State::Open)]);
        // Three working days from Monday 1 June 2026 are Thursday the 4th.
        let page = alert::list(&county.db, &county.scope, &AlertFilter::default(), (AlertSort::Due, false), 0, 10).await.unwrap();
        assert_eq!(page.rows[0].due_on, day("2026-06-04"));
        assert_eq!(page.rows[0].sides.said.as_deref(), Some("2026-05-20"));
        // The police take it back in their next delivery: it is settled by itself.
        clock.advance(chrono::Duration::days(3));
        county.deaths(&[], day("2026-06-03"));
        let ran = county.run().await;
        assert_eq!((ran.held.new, ran.settled), (0, 1));
        assert_eq!(county.alerts().await[0].2, State::Settled);
        // And say it again: a new one.
        clock.advance(chrono::Duration::days(3));
        county.deaths(&[(ANN, "2026-05-20")], day("2026-06-06"));
        assert_eq!(county.run().await.held.new, 1);
        assert_eq!(alert::open_count(&county.db, &county.scope).await.unwrap(), 1);
    }

    async fn what_is_not_known_raises_nothing_and_settles_nothing(
        db: Db, clock: std::sync::Arc<store::TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        // Nothing was ever delivered: every source is silent, by name, and there is no alert.
        let ran = county.run().await;
        assert!(ran.silent.contains(&("death".to_owned(), Unknown::NotLanded)));
        assert!(county.alerts().await.is_empty());
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-30"));
        county.run().await;
        // Two months later the delivery is too old to conclude anything from.
        clock.advance(chrono::Duration::days(60));
        let ran = county.run().await;
        assert!(ran.silent.contains(&("death".to_owned(), Unknown::Stale(day("2026-05-30")))));
        assert_eq!(ran.settled, 0);
        assert_eq!(county.alerts().await[0].2, State::Open);
    }

    async fn what_an_officer_found_all_right_is_not_raised_again_unless_something_else_is_said(
        db: Db, clock: std::sync::Arc<store::TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-30"));
        county.run().await;
        let page = alert::list(&county.db, &county.scope, &AlertFilter::default(), (AlertSort::Due, false), 0, 10).await.unwrap();
        let id = page.rows[0].id;
        let mut tx = county.db.begin().await.unwrap();
        assert_eq!(alert::dismiss(&mut tx, &county.scope, id, " ").await.unwrap(), Err(Refused::GroundsMissing));
        alert::dismiss(&mut tx, &county.scope, id, "同名同号误报，已见本人").await.unwrap().unwrap();
        assert_eq!(alert::dismiss(&mut tx, &county.scope, id, "再次").await.unwrap(), Err(Refused::Closed));
        let elsewhere = Scope::system("990101002000".parse().unwrap());
        assert_eq!(alert::dismiss(&mut tx, &elsewhere, id, "越权").await.unwrap(), Err(Refused::NotThere));
        tx.commit().await.unwrap();
        assert_eq!(county.run().await.held.new, 0);
        // The police correct the day: that is something else.
        clock.advance(chrono::Duration::days(3));
        county.deaths(&[(ANN, "2026-05-22")], day("2026-06-03"));
        assert_eq!(county.run().await.held.new, 1);
        let states: Vec<State> = county.alerts().await.into_iter().map(|(.., state)| state).collect();
        assert!(states.contains(&State::Dismissed) && states.contains(&State::Open));
        // Elsewhere there is none, nor a count.
        assert_eq!(alert::open_count(&county.db, &elsewhere).await.unwrap(), 0);
        assert!(alert::view(&county.db, &elsewhere, id).await.unwrap().is_none());
    }

    async fn who_gave_no_consent_is_not_asked_about_and_stands_in_a_list_of_their_own(
        db: Db, _clock: std::sync::Arc<store::TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        county.deaths(&[(ANN, "2026-05-20"), (BO, "2026-05-21")], day("2026-05-30"));
        let (ann, bo) = (county.people[ANN], county.people[BO]);
        county.ends_consent(ann).await;
        let ran = county.run().await;
        assert_eq!(ran.without_consent, 1);
        let found: BTreeSet<(String, PersonId)> = county.alerts().await.into_iter().map(|(rule, person, _)| (rule, person)).collect();
        assert_eq!(found, [("consent_ended".to_owned(), ann), ("paid_after_death".to_owned(), bo)].into());
    }

    async fn strangers_with_one_account_are_found_and_one_person_alone_is_not(
        db: Db, _clock: std::sync::Arc<store::TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["333333", "333333"]).await;
        county.run().await;
        let found = county.alerts().await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "shared_account");
    }
}

#[test]
fn the_rules_of_every_place_load_and_all_mistakes_are_told_at_their_place() {
    for place in ["national", "sample", "baoan"] {
        let book = Book::load(&packs(), place).unwrap();
        let sources = verify::at_hand::sources_of(&book).unwrap();
        let rules = Rules::of(&book, &sources).unwrap();
        assert_eq!(rules.0.len(), 15, "{place}");
        assert!(rules.0.iter().all(|rule| rule.basis.contains('《')
            || rule.basis.contains('〔')
            || rule.basis.contains("规定")));
    }
    let folder = tempfile::tempdir().unwrap();
    let text = "[[alert]]\nid = \"x\"\nzh = \"x\"\nen = \"x\"\nsource = \"bank\"\nfigure = \"nobody\"\nwhen = \"found\"\n\
        severity = \"grave\"\ndays = 0\nbasis = \"x\"\nnext_zh = \"x\"\nnext_en = \"x\"\n\
        [[alert]]\nid = \"y\"\nzh = \"y\"\nen = \"y\"\nsource = \"death\"\npayments = \"excluded\"\nseverity = \"low\"\ndays = 1\n\
        basis = \"y\"\nnext_zh = \"y\"\nnext_en = \"y\"\n[[alert]]\nid = \"z\"\noff = true\n";
    fixtures::copy(&packs(), folder.path()).unwrap();
    std::fs::write(folder.path().join("sample/alerts.toml"), text).unwrap();
    let book = Book::load(folder.path(), "sample").unwrap();
    let sources = verify::at_hand::sources_of(&book).unwrap();
    let faults = Rules::of(&book, &sources).unwrap_err();
    let places: Vec<(u32, u32)> = faults
        .iter()
        .map(|fault| (fault.line, fault.column))
        .collect();
    // A fact of the household, and a source that cannot tell whether somebody stands in it at all.
    let told = |text: &str| {
        std::fs::write(folder.path().join("sample/alerts.toml"), text).unwrap();
        let book = Book::load(folder.path(), "sample").unwrap();
        let faults = Rules::of(&book, &sources).unwrap_err();
        let places = faults.iter().map(|fault| (fault.line, fault.column));
        places.collect::<Vec<_>>()
    };
    let head = "[[alert]]\nid = \"x\"\nzh = \"x\"\nen = \"x\"\nseverity = \"low\"\ndays = 1\nbasis = \"x\"\nnext_zh = \"x\"\nnext_en = \"x\"\n";
    let household = book.facts().find(|fact| fact.of == policy::Unit::Household);
    let household = household.unwrap().id.clone();
    let of_household = format!(
        "{head}source = \"vehicle\"\nfigure = \"vehicles\"\nwhen = \"more_than_known\"\nfact = \"{household}\"\n"
    );
    assert_eq!(told(&of_household), [(13, 8)]);
    assert_eq!(
        told(&format!("{head}trace = [\"hukou\", \"disability\"]\n")),
        [(10, 19)]
    );
    // A figure that is not there, an unknown severity, no time to answer, two things compared at once, nothing to close.
    assert_eq!(
        places,
        [(6, 10), (8, 12), (9, 8), (13, 1), (25, 6)],
        "{faults:#?}"
    );
    assert!(
        faults
            .iter()
            .all(|fault| fault.file == "sample/alerts.toml")
    );
    // A place writes over one rule and closes another.
    let text = "[[alert]]\nid = \"new_company\"\noff = true\n";
    std::fs::write(folder.path().join("sample/alerts.toml"), text).unwrap();
    let book = Book::load(folder.path(), "sample").unwrap();
    let rules = Rules::of(&book, &sources).unwrap();
    assert_eq!(rules.0.len(), 14);
    assert!(rules.get("new_company").is_none());
}
