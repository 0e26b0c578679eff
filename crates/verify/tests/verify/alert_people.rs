//! Who is meant when those in payment are compared (比对的是谁): unknown people, people of two records, several rights of one.

use crate::alerts::{ANN, BO, County, STRANGER, allowance, packs};
use crate::town::day;
use access::{Actor, Role, Scope};
use registry::duplicates;
use registry::merging::{self, Choices, NewMerge};
use registry::people::NewPerson;
use std::collections::BTreeSet;
use store::{Db, Keys, TestClock};
use verify::alert::compare::{Payment, Verdict, compare};
use verify::alert::rules::When;
use verify::alert::run::outstanding;
use verify::alert::{self, State};
use verify::{Figure, Unknown};
use vocab::ids::PersonId;
use vocab::{Document, DocumentKind, IdNumber, Money, Month, Value};

const HEADING: &str = "公民身份号码,姓名,户号,户籍状态\n";

/// Ann's second number, of a county that does not exist.
fn second_number() -> String {
    let body = "44039519491231002";
    let check = vocab::id_number::check_digit(body).unwrap();
    format!("{body}{check}")
}

/// Somebody of Ann's sex and birth date.
async fn registered(county: &County, document: Document, name: &str) -> PersonId {
    let mut tx = county.db.begin().await.unwrap();
    let number = IdNumber::read(ANN, tx.today()).unwrap();
    let (sex, birth_date) = (number.sex(), Some(number.birth_date()));
    let new = NewPerson {
        name: name.to_owned(),
        document,
        sex,
        birth_date,
        phone: None,
        hukou: Some("990101001001".parse().unwrap()),
        lives_in: "990101001001".parse().unwrap(),
        address: "1号".to_owned(),
    };
    let id = registry::register_person(&mut tx, &county.scope, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn paid_to(county: &County, person: PersonId, account: &str, holder: &str, agreed: bool) {
    has_account(county, person, account, holder, agreed).await;
    let decision = vocab::ids::DecisionId(uuid::Uuid::nil());
    county.entitle(allowance(person, decision)).await;
}

async fn has_account(county: &County, person: PersonId, account: &str, holder: &str, agreed: bool) {
    let mut tx = county.db.begin().await.unwrap();
    let account = registry::accounts::Account {
        bank: "样例银行".to_owned(),
        number: account.to_owned(),
        holder: holder.to_owned(),
        kind: registry::accounts::AccountKind::Passbook,
        agreement: agreed.then(|| "代管协议".to_owned()),
    };
    registry::accounts::set_account(&mut tx, &county.scope, person, account)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

fn second_officer(county: &County) -> Scope {
    let officer = vocab::ids::OfficerId(uuid::Uuid::from_u128(8));
    let roles = vec![(Role::StreetReviewer, county.scope.region)];
    Scope {
        actor: Actor::officer(officer, "李街道", roles),
        ..county.scope.clone()
    }
}

async fn household_of(county: &County, person: PersonId) -> vocab::ids::HouseholdId {
    registry::households::household_of(&county.db, &county.scope, person, county.db.today())
        .await
        .unwrap()
        .unwrap()
}

/// The states of the alerts of a rule.
async fn states(county: &County, rule: &str) -> Vec<State> {
    let all = county.alerts().await;
    let own = all.into_iter().filter(|(of, ..)| of == rule);
    own.map(|(.., state)| state).collect()
}

fn hukou(county: &County, rows: &str, delivered: &str, keys: &Keys) {
    let text = format!("{HEADING}{STRANGER},某,9,1\n{rows}");
    county.delivers("hukou", &text, day(delivered), keys);
}

async fn of_household(county: &County, person: PersonId, covered: Vec<PersonId>) {
    let household = household_of(county, person).await;
    county
        .entitle(ledger::NewEntitlement {
            programme: "dibao".to_owned(),
            household: Some(household),
            covered,
            ..allowance(person, vocab::ids::DecisionId(uuid::Uuid::nil()))
        })
        .await;
}

fixtures::db_tests! {
    migrations = verify::migrations();

    async fn whoever_moved_away_and_is_still_paid_is_compared_like_the_others(
        db: Db, clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let ann = county.people[ANN];
        let everywhere = Scope::system(vocab::Region::NATION);
        let mut tx = county.db.begin().await.unwrap();
        let far: vocab::Region = "440306017001".parse().unwrap();
        registry::people::move_home(&mut tx, &everywhere, ann, far, "建安路1号").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        // She died elsewhere in May and is paid from here in June: the police know her by her number, which has to be asked with.
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-30"));
        county.run().await;
        assert_eq!(county.alerts().await, [("paid_after_death".to_owned(), ann, State::Open)]);
        // An account of hers in common with somebody who stayed is seen, too.
        clock.advance(chrono::Duration::days(1));
        let mut tx = county.db.begin().await.unwrap();
        let account = registry::accounts::Account {
            bank: "样例银行".to_owned(),
            number: "222222".to_owned(),
            holder: "薄一".to_owned(),
            kind: registry::accounts::AccountKind::Passbook,
            agreement: Some("代管协议".to_owned()),
        };
        registry::accounts::set_account(&mut tx, &everywhere, ann, account).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        county.run().await;
        assert_eq!(states(&county, "shared_account").await, [State::Open]);
    }

    async fn a_household_is_a_ghost_only_when_everybody_was_looked_for_and_nobody_stands_there(
        db: Db, clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let (ann, bo) = (county.people[ANN], county.people[BO]);
        of_household(&county, ann, vec![ann]).await;
        hukou(&county, "", "2026-05-29", county.db.keys());
        county.run().await;
        assert_eq!(states(&county, "no_trace").await, [State::Open]);
        // Delivered anew with keys that were changed: nobody stands there by them, and nothing follows from it.
        let others = Keys::generate().unwrap();
        of_household(&county, bo, vec![bo]).await;
        hukou(&county, "", "2026-05-30", &others);
        let ran = county.run().await;
        assert!(ran.silent.contains(&("hukou".to_owned(), Unknown::LandedOtherwise)), "{:?}", ran.silent);
        assert_eq!((ran.held.new, ran.settled), (0, 0));
        // Nor is it asked for again and again.
        let waiting = outstanding(&county.db, &county.book, &county.at_hand).await.unwrap();
        assert!(waiting.is_empty(), "{waiting:?}");
        // Who was not asked about is not found to be nobody, nor to be somebody.
        hukou(&county, &format!("{BO},薄一,1,1\n"), "2026-05-31", county.db.keys());
        county.ends_consent(ann).await;
        let ran = county.run().await;
        assert_eq!((states(&county, "no_trace").await, ran.settled), (vec![State::Open], 0));
        // A row that says something else than registered, moved or dead is a trace too.
        clock.advance(chrono::Duration::days(2));
        hukou(&county, &format!("{BO},薄一,1,4\n"), "2026-06-01", county.db.keys());
        county.run().await;
        assert_eq!(states(&county, "no_trace").await, [State::Open]);
    }

    async fn of_somebody_without_an_identity_number_nobody_can_say_that_they_do_not_exist(
        db: Db, _clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let ann = county.people[ANN];
        let passport = Document::read(DocumentKind::Passport, "E12345678", day("2026-06-01")).unwrap();
        let guest = registered(&county, passport, "客人").await;
        let mut tx = county.db.begin().await.unwrap();
        let carried = registry::consent::Carried {
            person: guest,
            household: household_of(&county, ann).await,
            region: "990101001001".parse().unwrap(),
            purpose: "核对".to_owned(),
            signed_on: day("2025-12-01"),
            until: None,
            archive: "存量2号".to_owned(),
        };
        registry::consent::carry_over(&mut tx, &county.scope, &[carried]).await.unwrap();
        tx.commit().await.unwrap();
        of_household(&county, ann, vec![ann, guest]).await;
        hukou(&county, "", "2026-05-31", county.db.keys());
        let ran = county.run().await;
        assert_eq!((ran.without_consent, states(&county, "no_trace").await), (0, vec![]));
    }

    async fn two_parts_of_one_programme_are_two_sums_and_what_was_judged_stays_as_it_was_seen(
        db: Db, clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let ann = county.people[ANN];
        county.entitle(ledger::NewEntitlement {
            amount: Money::from_fen(5_000),
            part: "care".to_owned(),
            ..allowance(ann, vocab::ids::DecisionId(uuid::Uuid::nil()))
        }).await;
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-30"));
        county.run().await;
        let seen = county.all().await.remove(0);
        // 200.00 and 50.00 of the same programme.
        assert_eq!((seen.sides.paid, seen.sides.programmes.len()), (Money::from_fen(25_000), 1));
        // An open alert says what is delivered today, and where the rights lie today …
        clock.advance(chrono::Duration::days(1));
        let beside = "990101001002".parse().unwrap();
        let mut tx = county.db.begin().await.unwrap();
        for right in ledger::entitlements_of(tx.conn(), &county.scope, ann).await.unwrap() {
            ledger::relocate(&mut tx, &county.scope, right.id, beside).await.unwrap().unwrap();
        }
        tx.commit().await.unwrap();
        county.deaths(&[(ANN, "2026-05-20")], day("2026-06-02"));
        assert_eq!(county.run().await.held.again, 1);
        let again = county.all().await.remove(0);
        assert_ne!(again.sides.delivery, seen.sides.delivery);
        assert_eq!((again.region, again.id), (beside, seen.id));
        // … and one that was judged what was judged.
        let mut tx = county.db.begin().await.unwrap();
        alert::dismiss(&mut tx, &county.scope, seen.id, "同名误报，已见本人").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        clock.advance(chrono::Duration::days(1));
        county.deaths(&[(ANN, "2026-05-20")], day("2026-06-03"));
        assert_eq!(county.run().await.held.new, 0);
        let judged = county.all().await.remove(0);
        assert_eq!((judged.state, judged.seen_on), (State::Dismissed, day("2026-06-03")));
        assert_eq!(judged.sides, again.sides);
    }

    async fn whoever_was_merged_is_asked_about_as_the_one_they_are(
        db: Db, clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let ann = county.people[ANN];
        let number = IdNumber::read(&second_number(), day("2026-06-01")).unwrap();
        let twin = registered(&county, Document::resident(&number), "安娜").await;
        // Two valid numbers, but one name, one birth date and one account.
        paid_to(&county, twin, "111111", "安娜", false).await;
        county.run().await;
        assert_eq!(states(&county, "two_records").await, [State::Open]);
        assert!(states(&county, "shared_account").await.is_empty(), "it is said once");
        assert_eq!(states(&county, "consent_ended").await, [State::Open], "nobody signed for the second record");
        let mut tx = county.db.begin().await.unwrap();
        let merge = NewMerge {
            survivor: ann,
            merged: twin,
            choices: Choices::default(),
            reason: "本人持两证到场".to_owned(),
            in_payment: false,
        };
        let merge = merging::prepare(&mut tx, &county.scope, merge).await.unwrap().unwrap();
        merging::decide(&mut tx, &second_officer(&county), merge, false).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        clock.advance(chrono::Duration::days(1));
        county.deaths(&[(ANN, "2026-05-20")], day("2026-06-01"));
        let ran = county.run().await;
        // One person of two records, and Bo; her own consent covers her.
        assert_eq!((ran.people, ran.without_consent), (2, 0));
        assert_eq!(states(&county, "two_records").await, [State::Settled]);
        assert_eq!(states(&county, "consent_ended").await, [State::Settled]);
        let dead: Vec<_> = county.all().await.into_iter().filter(|one| one.rule == "paid_after_death").collect();
        // Once, with what both records are paid: 200.00 and 200.00.
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].person, dead[0].sides.paid), (ann, Money::from_fen(40_000)));
    }

    async fn two_records_judged_to_be_two_people_are_two(
        db: Db, _clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        let ann = county.people[ANN];
        let passport = Document::read(DocumentKind::Passport, "E12345678", day("2026-06-01")).unwrap();
        let twin = registered(&county, passport, "安娜").await;
        paid_to(&county, twin, "444444", "安娜", false).await;
        duplicates::nightly(&county.db, &county.scope, &|_, _| {}).await.unwrap();
        county.run().await;
        assert_eq!(states(&county, "two_records").await, [State::Open]);
        let pair = duplicates::pair_of(&county.db, &county.scope, ann, twin).await.unwrap().unwrap();
        let mut tx = county.db.begin().await.unwrap();
        duplicates::decide_different(&mut tx, &county.scope, pair.id, "双胞胎，已看双方证件").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        county.run().await;
        assert_eq!(states(&county, "two_records").await, [State::Settled]);
    }

    async fn two_who_belong_to_no_household_are_two(
        db: Db, _clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        for (passport, name) in [("E12345671", "丁一"), ("E12345672", "丁二")] {
            let document = Document::read(DocumentKind::Passport, passport, day("2026-06-01")).unwrap();
            let person = registered(&county, document, name).await;
            paid_to(&county, person, "333333", "丁一", name != "丁一").await;
        }
        county.run().await;
        assert_eq!(states(&county, "shared_account").await, [State::Open]);
    }

    async fn who_collects_for_others_into_one_account_is_found(
        db: Db, _clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let county = County::over(db, &folder, ["111111", "222222"]).await;
        // Two strangers are paid a second part of what Ann and Bo get, into one account.
        for (passport, name, for_whom) in [("E12345671", "丁一", ANN), ("E12345672", "丁二", BO)] {
            let document = Document::read(DocumentKind::Passport, passport, day("2026-06-01")).unwrap();
            let payee = registered(&county, document, name).await;
            has_account(&county, payee, "333333", "丁一", name != "丁一").await;
            county.entitle(ledger::NewEntitlement {
                covered: vec![county.people[for_whom]],
                part: "care".to_owned(),
                ..allowance(payee, vocab::ids::DecisionId(uuid::Uuid::nil()))
            }).await;
        }
        county.run().await;
        assert_eq!(states(&county, "shared_account").await, [State::Open]);
    }

    async fn a_run_for_one_source_leaves_the_others_to_be_compared(
        db: Db, _clock: std::sync::Arc<TestClock>, folder: std::path::PathBuf
    ) {
        let own = folder.join("packs");
        fixtures::copy(&packs(), &own).unwrap();
        let text = "[[alert]]\nid = \"no_trace\"\nzh = \"x\"\nen = \"x\"\ntrace = [\"hukou\", \"death\"]\nseverity = \"low\"\ndays = 1\n\
            basis = \"x\"\nnext_zh = \"x\"\nnext_en = \"x\"\n";
        std::fs::write(own.join("sample/alerts.toml"), text).unwrap();
        let county = County::by_packs(db, &folder, ["111111", "222222"], &own).await;
        county.deaths(&[(ANN, "2026-05-20")], day("2026-05-31"));
        hukou(&county, "", "2026-05-31", county.db.keys());
        let waiting = || async { outstanding(&county.db, &county.book, &county.at_hand).await.unwrap() };
        let both: BTreeSet<String> = ["death", "hukou"].map(str::to_owned).into();
        assert_eq!(waiting().await, both);
        // A trace reads both; of deaths nothing else was looked at.
        county.run_of(Some(&["hukou"])).await;
        assert_eq!(waiting().await, ["death".to_owned()].into());
        assert!(states(&county, "paid_after_death").await.is_empty());
        county.run_of(Some(&["death"])).await;
        assert!(waiting().await.is_empty());
        assert_eq!(states(&county, "paid_after_death").await, [State::Open]);
    }
}

#[test]
fn a_code_without_counterpart_says_something_nobody_understands() {
    let book = policy::Book::load(&packs(), "sample").unwrap();
    let sources = verify::at_hand::sources_of(&book).unwrap();
    let source = sources.get("custody").unwrap();
    let mut def = source
        .figures
        .iter()
        .find(|def| def.id == "absence")
        .unwrap()
        .clone();
    let when = When::DiffersFromKnown {
        fact: "absence".to_owned(),
    };
    let none = Value::Text("none".to_owned());
    let payment = Payment {
        month: Month::new(2026, 6).unwrap(),
        from: Month::new(2026, 4).unwrap(),
        known: Some(&none),
        settled: Money::ZERO,
    };
    let figure = |rows| Figure {
        value: Some(0),
        unknown: Vec::new(),
        at_least: None,
        rows,
    };
    assert_eq!(
        compare(source, &def, &when, &figure(1), payment),
        Verdict::Is
    );
    assert_eq!(
        compare(source, &def, &when, &figure(0), payment),
        Verdict::IsNot
    );
    def.codes.remove("1");
    assert_eq!(
        compare(source, &def, &when, &figure(1), payment),
        Verdict::Unknown
    );
}
