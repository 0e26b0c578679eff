//! The widow's story (寡居的祖母): from the window to a line of the pay run.

use super::town::*;
use casework::act::Refused;
use casework::clock::Light;
use casework::letter::{self, Lang};
use casework::procedure::StateKind;
use casework::submit::Choice;
use casework::{ActInput, explain};
use policy::Outcome;
use std::sync::Arc;
use store::TestClock;
use vocab::{Money, Month, Value};

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_widow_with_two_grandchildren_comes_to_the_window_and_is_in_the_pay_run(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (db, desk) = (&town.db, &town.desk);
        let family = town.widow().await;

        // While the form is filled in, every programme already says what it thinks.
        let draft = town.draft(family.household, &["dibao", "old_age_allowance"], &town.declared(&family)).await;
        let said = casework::draft::preview(db, &town.window, desk, draft).await.unwrap().unwrap();
        let dibao = said.iter().find(|one| one.programme == "dibao").unwrap();
        assert_eq!(dibao.outcome, Outcome::ToVerify);
        assert!(dibao.missing.iter().any(|missing| missing.fact == "deposits"), "{:?}", dibao.missing);
        let key = family.widow.to_string();
        let allowance = said
            .iter()
            .find(|one| one.programme == "old_age_allowance" && one.member_key.as_ref() == Some(&key))
            .unwrap();
        assert_eq!((allowance.outcome, allowance.amount), (Outcome::Met, Some(Money::from_fen(20_000))));

        // One form, two cases, one receipt.
        let choices = vec![
            Choice { programme: "dibao".to_owned(), member: None },
            Choice { programme: "old_age_allowance".to_owned(), member: Some(family.widow) },
        ];
        let submitted = town.submit(town.application(draft, choices, family.widow)).await.unwrap();
        let numbers: Vec<&str> = submitted.cases.iter().map(|(_, number)| number.as_str()).collect();
        assert_eq!(numbers, ["BA2026-000001", "BA2026-000002"]);
        let case = submitted.cases[0].0;
        let view = town.view(case).await;
        assert_eq!(view.row.case.applicant_masked, "张*䶮");
        assert_eq!(view.letters.len(), 1);

        // The public sees how far it is with the code and the phone's last digits, and with nothing less.
        let progress = casework::progress::progress(db, desk, &submitted.receipt_code, "5678").await.unwrap().unwrap();
        assert_eq!(progress.cases.len(), 2);
        assert_eq!(progress.applicant_masked, "张*䶮");
        assert!(!serde_json::to_string(&progress).unwrap().contains("张桂䶮"));
        for (code, tail) in [(submitted.receipt_code.as_str(), "0000"), ("0000-0000-0000-0", "5678"), ("", "")] {
            assert_eq!(casework::progress::progress(db, desk, code, tail).await.unwrap(), None);
        }

        // Accepted: the clocks run in working days.
        town.act(&town.window, case, "accept", accepting()).await.unwrap();
        let view = town.view(case).await;
        let total = view.clocks.iter().find(|clock| clock.id == "total").unwrap();
        assert_eq!(total.due_on, Some(day("2026-10-19")));
        assert_eq!(view.row.case.due_on, Some(day("2026-09-04")));
        assert_eq!(view.row.light, Light::Green);

        // Nothing is asked of other departments before she has signed.
        assert_eq!(
            town.act(&town.reviewer, case, "start_investigation", ActInput::default()).await,
            Err(Refused::NotAuthorised(1))
        );
        assert_eq!(
            town.find(family.widow, "deposits", Value::Int(500_000)).await,
            Err(casework::finding::Refused::NotAuthorised)
        );
        town.authorise(&family).await;
        town.act(&town.reviewer, case, "start_investigation", ActInput::default()).await.unwrap();

        // The visit: two people, a signed form.
        let alone = with_people(visiting(&town.reviewer), &["李审核"]);
        assert_eq!(
            town.act(&town.reviewer, case, "visit", alone.clone()).await,
            Err(Refused::EvidenceMissing("入户调查表（两名调查人员和家庭成员签字）".to_owned()))
        );
        town.attach(case, "visit_form").await;
        assert_eq!(
            town.act(&town.reviewer, case, "visit", alone).await,
            Err(Refused::TooFewParticipants { need: 2, have: 1 })
        );
        let twice = with_people(visiting(&town.reviewer), &["李审核", "李审核"]);
        assert_eq!(
            town.act(&town.reviewer, case, "visit", twice).await,
            Err(Refused::ParticipantTwice("李审核".to_owned()))
        );
        town.act(&town.reviewer, case, "visit", visiting(&town.reviewer)).await.unwrap();
        town.act(&town.reviewer, case, "preliminary_opinion", saying("符合条件")).await.unwrap();

        // Unknown is never zero: without her deposits nothing is published.
        let refused = town.act(&town.reviewer, case, "post_notice", ActInput::default()).await.unwrap_err();
        assert!(
            matches!(&refused, Refused::Determination { found: Some(Outcome::ToVerify), .. }),
            "{refused:?}"
        );
        town.find(family.widow, "deposits", Value::Int(500_000)).await.unwrap();
        let posted = town.act(&town.reviewer, case, "post_notice", ActInput::default()).await.unwrap();

        // Seven full days: name, number, amount, nothing else.
        let up = casework::notices::notices(db, desk, region(HOME), 0, 20).await.unwrap();
        assert_eq!(up.total, 1);
        let notice = &up.rows[0];
        assert_eq!(Some(notice.id), posted.notice);
        assert_eq!(
            (notice.name.as_deref(), notice.member_count, notice.amount),
            (Some("张桂䶮"), Some(3), Some(Money::from_fen(337_500)))
        );
        assert_eq!((notice.posted_on, notice.ends_on), (day("2026-09-01"), day("2026-09-08")));
        town.to_day("2026-09-08");
        assert_eq!(
            town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await,
            Err(Refused::PublicityNotOver(day("2026-09-08")))
        );
        town.to_day("2026-09-09");
        assert_eq!(casework::notices::notices(db, desk, region(HOME), 0, 20).await.unwrap().total, 0);
        town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await.unwrap();

        // Another officer confirms; the money starts the month after.
        assert!(matches!(
            town.act(&town.reviewer, case, "confirm", saying("同意")).await,
            Err(Refused::NotYourRole { .. })
        ));
        let granted = town.act(&town.district, case, "confirm", saying("同意")).await.unwrap();
        assert_eq!(granted.state, "in_force");
        let view = town.view(case).await;
        assert_eq!(view.row.case.kind, StateKind::InForce);
        let stored = view.stored.unwrap();
        assert_eq!((stored.outcome, stored.amount), (Outcome::Met, Some(Money::from_fen(337_500))));
        assert_eq!(view.decisions.last().unwrap().determination, view.row.case.determination);

        let entitlement = view.row.case.entitlement.unwrap();
        let right = ledger::entitlement(db.conn(), &town.district, entitlement).await.unwrap().unwrap();
        let october: Month = "2026-10".parse().unwrap();
        assert_eq!((right.from, right.payee), (october, family.widow));
        assert_eq!(right.covered.len(), 3);
        assert_eq!(right.due(october), Money::from_fen(337_500));

        // One letter with every reason and article, in both languages, with her rare character.
        let granted_letter = granted.letter.unwrap();
        for (lang, words) in [(Lang::Zh, "3,375.00"), (Lang::En, "3,375.00")] {
            let pdf = letter::pdf(db, &town.window, desk, granted_letter, lang, "https://hm.example.test")
                .await
                .unwrap()
                .unwrap();
            let text = text_of(&pdf);
            assert!(text.contains(words) && text.contains("张桂䶮") && text.contains("BA2026-000001"), "{text}");
        }

        // The pay run proposes her.
        town.to_day("2026-10-08");
        let mut tx = db.begin().await.unwrap();
        let order = ledger::NewPayRun { month: october, region: region("440306"), programmes: None };
        let run = ledger::propose(&mut tx, &town.finance, &order, &ledger::Obstacles::default()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let filter = ledger::LineFilter { run: Some(run.id), ..ledger::LineFilter::default() };
        let lines = ledger::lines(db, &town.finance, &filter, 0, 50).await.unwrap();
        let hers: Vec<_> = lines.rows.iter().filter(|line| line.payee == family.widow).collect();
        assert_eq!(hers.len(), 1);
        assert_eq!(hers[0].net, Money::from_fen(337_500));

        // Asked again later, with more known, the decision still computes to the same bytes.
        town.record(family.widow, "wage", Value::Int(900_000), "社保").await;
        let again = explain(db, &town.district, desk, case).await.unwrap().unwrap();
        assert!(again.identical && again.intact && again.facts_same && again.same_pack, "{again:?}");

        assert!(store::journal::verify(db).await.unwrap().is_intact());
    }

    async fn an_act_on_a_case_that_changed_meanwhile_is_refused_by_name(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (_, case, _) = town.dibao_case().await;
        town.act(&town.window, case, "accept", accepting()).await.unwrap();
        let stale = ActInput { expected_version: 1, ..accepting() };
        assert_eq!(
            town.act(&town.window, case, "accept", stale).await,
            Err(Refused::Changed { now: 2, by: "王窗口".to_owned() })
        );
        let early = town.act(&town.district, case, "confirm", saying("同意")).await.unwrap_err();
        assert!(matches!(early, Refused::NotNow { .. }), "{early:?}");
        let unknown = town.act(&town.window, case, "bribe", ActInput::default()).await.unwrap_err();
        assert_eq!(unknown, Refused::UnknownAct("bribe".to_owned()));
    }
}
