//! After the grant (享受期间): sampling, hearing, changing, suspending, stopping, appealing.

use super::town::*;
use casework::ActInput;
use casework::act::Refused;
use casework::procedure::{StateKind, TaskKind};
use casework::sample::is_drawn;
use ledger::Standing;
use std::sync::Arc;
use store::TestClock;
use vocab::ids::OfficerId;
use vocab::{Money, Month, Value};

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn nothing_is_reduced_or_stopped_before_the_person_was_heard(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        let drawn = town.view(case).await.tasks.contains(&TaskKind::Sample);
        assert_eq!(drawn, is_drawn(case, town.desk.procedure("dibao").unwrap().sampling.as_ref().unwrap().rate_percent));

        // She found some work: less is due.
        town.record(family.widow, "wage", Value::Int(20_000), "社保").await;
        assert_eq!(town.act(&town.district, case, "change", saying("减发")).await, Err(Refused::HearFirst));
        town.act(&town.reviewer, case, "hear", saying("本人无异议")).await.unwrap();
        let changed = town.act(&town.district, case, "change", saying("减发")).await.unwrap();
        assert!(changed.letter.is_some());
        let view = town.view(case).await;
        let less = view.row.case.amount.unwrap();
        assert!(less < Money::from_fen(337_500), "{less}");
        let right = ledger::entitlement(town.db.conn(), &town.district, view.row.case.entitlement.unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(right.due("2026-10".parse().unwrap()), less);

        // One hearing serves one decision.
        let stopping = ActInput { grounds: vec!["fraud".to_owned()], ..saying("停发") };
        assert_eq!(town.act(&town.district, case, "stop", stopping.clone()).await, Err(Refused::HearFirst));
        town.act(&town.reviewer, case, "hear", saying("本人陈述")).await.unwrap();
        assert_eq!(town.act(&town.district, case, "stop", saying("停发")).await, Err(Refused::GroundMissing));
        let wrong = ActInput { grounds: vec!["whim".to_owned()], ..saying("停发") };
        assert_eq!(
            town.act(&town.district, case, "stop", wrong).await,
            Err(Refused::GroundUnknown("whim".to_owned()))
        );
        town.act(&town.district, case, "stop", stopping).await.unwrap();
        let view = town.view(case).await;
        assert_eq!(view.row.case.kind, StateKind::Final);
        let right = ledger::entitlement(town.db.conn(), &town.district, view.row.case.entitlement.unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(right.standing("2026-10".parse::<Month>().unwrap()), Standing::Ended);

        // The appeal waits for an answer although the case has ended.
        let appeal = ActInput { said: "不服停发".to_owned(), ..ActInput::default() };
        town.act(&town.window, case, "appeal", appeal).await.unwrap();
        assert!(town.view(case).await.tasks.contains(&TaskKind::Appeal));
        // Whoever decided does not answer; the answer is a letter.
        assert!(matches!(
            town.act(&town.district, case, "answer_appeal", saying("维持")).await,
            Err(Refused::SamePerson { .. })
        ));
        let answered = town.act(&town.other_district, case, "answer_appeal", saying("维持")).await.unwrap();
        assert!(answered.letter.is_some());
        assert!(!town.view(case).await.tasks.contains(&TaskKind::Appeal));
    }

    async fn payment_is_suspended_and_resumed_by_decision(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        let right = async |at: &str| {
            let view = town.view(case).await;
            ledger::entitlement(town.db.conn(), &town.district, view.row.case.entitlement.unwrap())
                .await
                .unwrap()
                .unwrap()
                .standing(at.parse::<Month>().unwrap())
        };
        let suspending = ActInput { grounds: vec!["cannot_be_reached".to_owned()], ..saying("联系不上") };
        town.act(&town.district, case, "suspend", suspending).await.unwrap();
        assert_eq!(right("2026-11").await, Standing::Suspended);
        town.act(&town.district, case, "resume", saying("已联系上")).await.unwrap();
        assert_eq!(right("2026-11").await, Standing::Running(Money::from_fen(337_500)));
    }

    async fn whoever_prepared_a_case_cannot_decide_it_whatever_roles_they_hold(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.publish(case).await;
        town.to_day("2026-09-10");
        town.act(&town.second, case, "report_to_district", ActInput::default()).await.unwrap();
        for (name, id) in [("王窗口", 1_u128), ("李审核", 2), ("赵审核", 3)] {
            let mut turned = town.district.clone();
            turned.actor.officer = OfficerId(uuid::Uuid::from_u128(id));
            turned.actor.name = name.to_owned();
            assert!(
                matches!(town.act(&turned, case, "confirm", saying("同意")).await, Err(Refused::SamePerson { .. })),
                "{name}"
            );
        }
        // A visitor named without an account is recognised by name.
        let mut visitor = town.district.clone();
        visitor.actor.officer = OfficerId(uuid::Uuid::from_u128(77));
        visitor.actor.name = "社区协理员刘某".to_owned();
        assert!(matches!(town.act(&visitor, case, "confirm", saying("同意")).await, Err(Refused::SamePerson { .. })));
        town.act(&town.district, case, "confirm", saying("同意")).await.unwrap();
    }
}
