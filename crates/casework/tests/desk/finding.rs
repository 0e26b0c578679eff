//! Findings in a case (核对发现): beside what was declared, tried out, corrected, taken back; and the two who meet in a draft.

use super::town::*;
use casework::ActInput;
use casework::act::Refused as ActRefused;
use casework::draft::merge;
use casework::draft::{Answer, DECLARED};
use casework::finding::in_case::{self, Withdrawal};
use casework::finding::objection::{self, NewObjection};
use casework::finding::{NewFinding, Refused};
use policy::Outcome;
use registry::Subject;
use std::sync::Arc;
use store::TestClock;
use vocab::ids::{CaseId, PersonId};
use vocab::{Period, Value};

fn finding(person: PersonId, fact: &str, value: i64, department: &str) -> NewFinding {
    NewFinding {
        subject: Subject::Person(person),
        fact: fact.to_owned(),
        value: Value::Int(value),
        period: Period::ALWAYS,
        department: department.to_owned(),
        evidence: "核对函 2026-7".to_owned(),
    }
}

async fn take(
    town: &Town,
    scope: &access::Scope,
    case: CaseId,
    new: NewFinding,
) -> Result<(), Refused> {
    let mut tx = town.db.begin().await.unwrap();
    let answer = in_case::take(&mut tx, scope, &town.desk, case, new)
        .await
        .unwrap();
    if answer.is_ok() {
        tx.commit().await.unwrap();
    }
    answer
}

async fn withdraw(town: &Town, case: CaseId, wrong: Withdrawal) -> Result<(), Refused> {
    let mut tx = town.db.begin().await.unwrap();
    let answer = in_case::withdraw(&mut tx, &town.reviewer, &town.desk, case, wrong)
        .await
        .unwrap();
    if answer.is_ok() {
        tx.commit().await.unwrap();
    }
    answer
}

/// What is said of one fact of the widow: source and value, and whether they differ.
async fn said(
    town: &Town,
    case: CaseId,
    person: PersonId,
    fact: &str,
) -> (Vec<(String, Value)>, bool) {
    let all = in_case::compared(&town.db, &town.reviewer, &town.desk, case)
        .await
        .unwrap()
        .unwrap();
    let one = all
        .into_iter()
        .find(|one| one.subject == Subject::Person(person) && one.fact == fact)
        .unwrap();
    (
        one.said
            .into_iter()
            .map(|said| (said.source, said.value))
            .collect(),
        one.differs,
    )
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_finding_stands_beside_what_was_declared_and_says_what_it_changes(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        let deposits = finding(family.widow, "deposits", 500_000, "银行");

        // Tried out: to verify before, met after; nothing is written.
        let effect = in_case::effect(&town.db, &town.reviewer, &town.desk, case, std::slice::from_ref(&deposits)).await.unwrap().unwrap();
        assert_eq!((effect.before.outcome, effect.after.outcome), (Outcome::ToVerify, Outcome::Met));
        assert_eq!(said(&town, case, family.widow, "deposits").await, (Vec::new(), false));

        assert_eq!(take(&town, &town.reviewer, case, deposits.clone()).await, Err(Refused::NotAuthorised));
        town.authorise(&family).await;
        let nameless = NewFinding { department: " ".to_owned(), ..deposits.clone() };
        assert_eq!(take(&town, &town.reviewer, case, nameless).await, Err(Refused::DepartmentMissing));
        let bare = NewFinding { evidence: String::new(), ..deposits.clone() };
        assert_eq!(take(&town, &town.reviewer, case, bare).await, Err(Refused::EvidenceMissing));
        let own = NewFinding { department: DECLARED.to_owned(), ..deposits.clone() };
        assert_eq!(take(&town, &town.reviewer, case, own).await, Err(Refused::Declared));
        let strange = NewFinding { fact: "no_such_fact".to_owned(), ..deposits.clone() };
        assert_eq!(take(&town, &town.reviewer, case, strange).await, Err(Refused::NotOfTheCase));
        let stranger = town.person(&id_number("440306196001010", 1), "路人", None).await;
        let about_another = NewFinding { subject: Subject::Person(stranger), ..deposits.clone() };
        assert_eq!(take(&town, &town.reviewer, case, about_another).await, Err(Refused::NotOfTheCase));
        assert_eq!(take(&town, &town.neighbour, case, deposits.clone()).await, Err(Refused::NotThere));
        assert!(in_case::compared(&town.db, &town.neighbour, &town.desk, case).await.unwrap().is_none());

        let before = town.view(case).await;
        take(&town, &town.reviewer, case, deposits).await.unwrap();
        let view = town.view(case).await;
        assert_eq!(view.now.as_ref().unwrap().outcome, Outcome::Met);
        assert_eq!(view.row.case.version, before.row.case.version + 1, "nobody decides from a page that did not show it");
        let step = view.timeline.last().unwrap();
        assert_eq!((step.zh.as_str(), step.officer.as_str()), ("记入核对发现", "李审核"));
        assert_eq!(step.input.fields["deposits"], Value::Int(500_000));

        // A car in a dead man's name: declared none, found one. Both stay, and the rules do not choose between them.
        take(&town, &town.reviewer, case, finding(family.widow, "vehicles", 1, "交警")).await.unwrap();
        let (both, differs) = said(&town, case, family.widow, "vehicles").await;
        assert_eq!(both, [(DECLARED.to_owned(), Value::Int(0)), ("交警".to_owned(), Value::Int(1))]);
        assert!(differs);
        assert_eq!(town.view(case).await.now.unwrap().outcome, Outcome::ToVerify);

        // The same department corrects itself: one word of it, and no difference left.
        take(&town, &town.reviewer, case, finding(family.widow, "vehicles", 0, "交警")).await.unwrap();
        let (both, differs) = said(&town, case, family.widow, "vehicles").await;
        assert_eq!((both.len(), differs), (2, false));

        // A wrong one is taken back, with a reason, by whoever may; then it says nothing, and the earlier time stays known.
        let wrong = Withdrawal {
            subject: Subject::Person(family.widow),
            fact: "deposits".to_owned(),
            department: "银行".to_owned(),
            period: Period::ALWAYS,
            reason: String::new(),
        };
        assert_eq!(withdraw(&town, case, wrong.clone()).await, Err(Refused::ReasonMissing));
        let declared = Withdrawal { department: DECLARED.to_owned(), reason: "记错".to_owned(), ..wrong.clone() };
        assert_eq!(withdraw(&town, case, declared).await, Err(Refused::Declared));
        let right = Withdrawal { reason: "同名同姓，银行回错了人".to_owned(), ..wrong };
        withdraw(&town, case, right.clone()).await.unwrap();
        assert_eq!(withdraw(&town, case, right).await, Err(Refused::NothingFound));
        assert_eq!(said(&town, case, family.widow, "deposits").await.0, Vec::new());
        let view = town.view(case).await;
        assert_eq!(view.now.as_ref().unwrap().outcome, Outcome::ToVerify);
        let step = view.timeline.last().unwrap();
        assert_eq!((step.zh.as_str(), step.opinion.as_str()), ("撤回核对发现", "同名同姓，银行回错了人"));
        assert!(store::journal::verify(&town.db).await.unwrap().is_intact());
        let entries = store::journal::page(&town.db, &store::journal::Filter::default(), 0, 200).await.unwrap();
        let acts = |act: &str| entries.rows.iter().filter(|entry| entry.event.act == act).count();
        assert_eq!((acts("casework.found"), acts("casework.found_withdrawn")), (3, 1));
        assert!(!format!("{:?}", entries.rows).contains("500000"), "the value stays out of the journal");
    }

    async fn who_changed_which_answer_since_a_page_was_opened_is_known_until_it_is_handed_in(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let family = town.widow().await;
        let mut answers = town.declared(&family);
        let draft = town.draft(family.household, &["dibao"], &answers).await;
        let read = async || casework::draft::draft(&town.db, &town.reviewer, draft).await.unwrap().unwrap();
        let opened = read().await;
        assert_eq!(opened.version, 2);

        // Somebody else changes the houses twice and adds a wage; the first value is the base, the last is his.
        for houses in [2, 3] {
            answers.household.insert("houses".to_owned(), Answer::declared(Value::Int(houses)));
            let now = read().await;
            let mut tx = town.db.begin().await.unwrap();
            casework::draft::save_draft(&mut tx, &town.reviewer, &town.desk, draft, now.version, now.programmes, &answers)
                .await
                .unwrap()
                .unwrap();
            tx.commit().await.unwrap();
        }
        let now = read().await;
        let since = merge::since(&town.db, &now, opened.version).await.unwrap();
        assert_eq!(since.base, opened.answers);
        let change = &since.changes[0];
        assert_eq!((since.changes.len(), change.officer.as_str()), (1, "李审核"));
        let value = |answer: &Option<Answer>| answer.as_ref().map(|answer| answer.value.clone());
        assert_eq!((value(&change.base), value(&change.now)), (Some(Value::Int(1)), Some(Value::Int(3))));
        let beside = merge::beside(&town.db, &town.window, draft).await.unwrap();
        assert_eq!(beside.map(|(name, _)| name).as_deref(), Some("李审核"));
        assert!(merge::since(&town.db, &now, now.version).await.unwrap().changes.is_empty());

        let choice = casework::submit::Choice { programme: "dibao".to_owned(), member: None };
        town.submit(town.application(draft, vec![choice], family.widow)).await.unwrap();
        assert!(merge::since(&town.db, &now, 0).await.unwrap().changes.is_empty(), "forgotten once handed in");
    }

    async fn nothing_is_decided_while_the_persons_objection_waits_for_its_answer(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.authorise(&family).await;
        take(&town, &town.reviewer, case, finding(family.widow, "deposits", 500_000, "银行")).await.unwrap();
        town.publish(case).await;
        town.to_day("2026-09-10");
        town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await.unwrap();
        // On the last day before the decision she says the bank has another 张桂䶮 in mind.
        let said = NewObjection {
            subject: Subject::Person(family.widow),
            fact: "deposits".to_owned(),
            department: "银行".to_owned(),
            period: Period::ALWAYS,
            by: family.widow,
            said: "不是我的存折".to_owned(),
            papers: String::new(),
            within_working_days: 10,
        };
        let mut tx = town.db.begin().await.unwrap();
        let id = objection::object(&mut tx, &town.reviewer, &town.desk, case, said).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let grounds = vec!["not_met".to_owned()];
        for (act, input) in [
            ("confirm", saying("同意")),
            ("refuse", ActInput { grounds, ..saying("不予确认") }),
        ] {
            let refused = town.act(&town.district, case, act, input).await.unwrap_err();
            let ActRefused::Unanswered(objected) = &refused else { panic!("{act}: {refused:?}") };
            // Ten working days after Thursday 10 September: 11 (1), 14–18 (6); on Sunday 20 the office works for the holiday of
            // 1–7 October (7); 21–23 (10).
            assert_eq!((objected.by.as_str(), objected.due_on), ("张桂䶮", day("2026-09-23")), "{act}");
            let sentence = refused.to_string();
            assert!(sentence.contains("张桂䶮") && sentence.contains("“核对”页") && sentence.contains("2026-09-23"), "{sentence}");
            assert!(refused.en().contains("before it is answered"), "{}", refused.en());
        }
        // Returning it to the street is no decision; tried and left.
        let input = ActInput { expected_version: town.view(case).await.row.case.version, ..saying("请先答复异议") };
        let mut tx = town.db.begin().await.unwrap();
        let returned = casework::act(&mut tx, &town.district, &town.desk, case, "return_to_street", input).await.unwrap();
        assert_eq!(returned.unwrap().state, "investigating");
        tx.rollback().await.unwrap();

        // Answered by who did not take it, it can be decided, on what stands then.
        let mut tx = town.db.begin().await.unwrap();
        let stays = objection::Answer { upheld: false, reason: "银行复核：账户是本人的".to_owned(), correction: None };
        objection::answer(&mut tx, &town.second, &town.desk, id, stays).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        town.act(&town.district, case, "confirm", saying("同意")).await.unwrap();
    }
}
