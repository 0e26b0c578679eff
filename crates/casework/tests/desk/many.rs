//! Many at once (批量与并发): fifty submissions of one form, hundreds of existing recipients.

use super::town::*;
use access::Scope;
use casework::list::{CaseFilter, CaseSort, SortBy, list};
use casework::submit::{Choice, Refused};
use casework::take_over::TakeOver;
use chrono::NaiveDate;
use registry::bulk::{BulkHousehold, BulkMember};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::TestClock;
use vocab::{Document, DocumentKind, Kinship, Money, Region, Sex};

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn fifty_submissions_at_once_are_one_application(db: store::Db, clock: Arc<TestClock>) {
        let town = Arc::new(Town::new(db, clock).await);
        let family = town.widow().await;
        let draft = town.draft(family.household, &["dibao"], &town.declared(&family)).await;
        let new = town.application(draft, vec![Choice { programme: "dibao".to_owned(), member: None }], family.widow);
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (town, new) = (Arc::clone(&town), new.clone());
            all.spawn(async move { town.submit(new).await.unwrap() });
        }
        let answers: BTreeSet<String> =
            all.join_all().await.into_iter().map(|answer| serde_json::to_string(&answer).unwrap()).collect();
        assert_eq!(answers.len(), 1);
        let found = list(&town.db, &town.window, &town.desk, &CaseFilter::default(), CaseSort::default(), 0, 50)
            .await
            .unwrap();
        assert_eq!(found.total, 1);

        // The same key with another content is refused; so is the same draft under another key.
        let other = casework::SubmitApplication { applied_by: casework::procedure::MayApply::Guardian, ..new.clone() };
        assert_eq!(town.submit(other).await, Err(Refused::KeyReused));
        let again = casework::SubmitApplication { key: "another".to_owned(), ..new };
        assert_eq!(town.submit(again).await, Err(Refused::AlreadySubmitted));
        let draft = town.draft(family.household, &["dibao"], &town.declared(&family)).await;
        let second = town.application(draft, vec![Choice { programme: "dibao".to_owned(), member: None }], family.widow);
        assert!(matches!(town.submit(second).await, Err(Refused::AlreadyOpen { .. })));
    }

    async fn a_submission_that_was_refused_may_be_mended_under_the_same_key(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let family = town.widow().await;
        let draft = town.draft(family.household, &["old_age_allowance"], &town.declared(&family)).await;
        let choice = |member| vec![Choice { programme: "old_age_allowance".to_owned(), member }];
        let wrong = town.application(draft, choice(None), family.widow);
        assert!(matches!(town.submit(wrong).await, Err(Refused::MemberMissing(_))));
        let agent = casework::submit::Agent { person: family.widow, relation: "本人".to_owned() };
        let mut own = town.application(draft, choice(Some(family.widow)), family.widow);
        own.agent = Some(agent);
        assert_eq!(town.submit(own).await, Err(Refused::AgentIsApplicant));

        // A neighbour hands it in: both people are recorded.
        let neighbour = town.person(&id_number("440306198001010", 3), "好邻居", Some("13700001111")).await;
        let mut by_agent = town.application(draft, choice(Some(family.widow)), family.widow);
        by_agent.applied_by = casework::procedure::MayApply::Agent;
        by_agent.agent = Some(casework::submit::Agent { person: neighbour, relation: "邻居".to_owned() });
        let submitted = town.submit(by_agent).await.unwrap();
        let view = town.view(submitted.cases[0].0).await;
        assert_eq!((view.application.applicant, view.application.agent), (family.widow, Some(neighbour)));
        assert_eq!(view.application.agent_relation.as_deref(), Some("邻居"));
        // The agent's phone opens the progress page as well.
        let progress =
            casework::progress::progress(&town.db, &town.desk, &submitted.receipt_code, "1111").await.unwrap();
        assert!(progress.is_some());
    }

    async fn hundreds_of_existing_recipients_are_taken_over_in_one_go(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let place: Region = region(HOME);
        let system = Scope::system(town.desk.book.place().division);
        let households: Vec<BulkHousehold> = (0..300).map(|number| elder(number, place)).collect();
        registry::bulk::load(&town.db, &system, households, |_| {}).await.unwrap();
        let mut many = Vec::new();
        let ids = registry::households::list_ids(&town.db, &system, None, 1_000).await.unwrap();
        assert_eq!(ids.len(), 300);
        for (place, (id, _)) in ids.iter().enumerate() {
            let home = registry::households::household_view(&town.db, &system, *id, town.db.today()).await.unwrap().unwrap();
            let person = home.members[0].person.id;
            many.push(TakeOver {
                household: *id,
                member: Some(person),
                programme: "old_age_allowance".to_owned(),
                applicant: person,
                decided_on: day("2024-03-01"),
                old_number: format!("宝民〔2024〕{place}号"),
                amount: Money::from_fen(20_000),
                from: "2026-09".parse().unwrap(),
                covered: Vec::new(),
            });
        }
        let mut wrong = many[0].clone();
        wrong.programme = "dibao".to_owned();
        many.push(wrong);
        many.push(many[5].clone());
        let mut tx = town.db.begin().await.unwrap();
        let answers = casework::take_over::take_over(&mut tx, &system, &town.desk, &many).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 300);
        assert!(matches!(&answers[300], Err(casework::take_over::Refused::WrongSubject(_))));
        assert_eq!(answers[301], Err(casework::take_over::Refused::AlreadyOpen));

        let sort = CaseSort { by: SortBy::Number, descending: true };
        let page = list(&town.db, &town.window, &town.desk, &CaseFilter::default(), sort, 10, 20).await.unwrap();
        assert_eq!((page.total, page.rows.len()), (300, 20));
        assert_eq!(page.rows[0].case.number, "BA2026-000290");
        let one = answers[7].clone().unwrap();
        let view = town.view(one).await;
        assert!(view.row.case.taken_over);
        assert_eq!(view.decisions[0].kind, "taken_over");
        assert!(casework::explain(&town.db, &town.district, &town.desk, one).await.unwrap().unwrap().identical);
        let right = ledger::entitlement(town.db.conn(), &town.district, view.row.case.entitlement.unwrap()).await.unwrap();
        assert_eq!(right.unwrap().due("2026-09".parse().unwrap()), Money::from_fen(20_000));
    }
}

fn elder(number: u32, place: Region) -> BulkHousehold {
    let born = NaiveDate::from_ymd_opt(1950, 1, 1 + number % 28).unwrap();
    let document = id_number(
        &format!("440306{}{:01}", born.format("%Y%m%d"), number / 28 % 10),
        number / 280 + 1,
    );
    BulkHousehold {
        roster_number: None,
        region: place,
        address: format!("建安路 {number} 号"),
        since: day("2020-01-01"),
        members: vec![BulkMember {
            name: format!("老人{number}"),
            document: Document::read(DocumentKind::ResidentId, &document, day("2026-09-01"))
                .unwrap(),
            sex: Sex::Unknown,
            birth_date: Some(born),
            phone: None,
            hukou: Some(place),
            kinship: Kinship::head(),
            account: None,
            facts: Vec::new(),
        }],
        facts: Vec::new(),
    }
}
