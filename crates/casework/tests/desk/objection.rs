//! Objections (异议): through the public door and at the window; settled before anything goes on.

use super::town::*;
use casework::ActInput;
use casework::act::Refused;
use casework::procedure::TaskKind;
use casework::todo::{TodoFilter, todo};
use std::sync::Arc;
use store::TestClock;

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn an_objection_becomes_a_task_and_holds_the_case_until_it_is_settled(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        let notice = town.publish(case).await.notice.unwrap();

        let mut tx = town.db.begin().await.unwrap();
        let said = casework::notices::object(&mut tx, &town.desk, notice, "她的儿子有房", Some("13900000000".to_owned()))
            .await
            .unwrap();
        assert_eq!(said, Ok(()));
        let empty = casework::notices::object(&mut tx, &town.desk, notice, "  ", None).await.unwrap();
        assert_eq!(empty, Err(casework::notices::Refused::NothingSaid));
        tx.commit().await.unwrap();

        let view = town.view(case).await;
        assert_eq!(view.objections[0].said, "她的儿子有房");
        let filter = TodoFilter { kinds: vec![TaskKind::Objection], ..TodoFilter::default() };
        assert_eq!(todo(&town.db, &town.reviewer, &town.desk, &filter, 0, 10).await.unwrap().total, 1);

        town.to_day("2026-09-10");
        assert_eq!(
            town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await,
            Err(Refused::ObjectionsOpen(1))
        );
        let settling = with_people(saying("查无此事：其子名下无房"), &["李审核", "刘某"]);
        town.act(&town.reviewer, case, "settle_objection", settling).await.unwrap();
        assert_eq!(todo(&town.db, &town.reviewer, &town.desk, &filter, 0, 10).await.unwrap().total, 0);
        town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await.unwrap();

        // The notice is down: nobody reads it and nobody objects to it any more.
        assert_eq!(casework::notices::notice(&town.db, &town.desk, notice).await.unwrap(), None);
        let mut tx = town.db.begin().await.unwrap();
        let late = casework::notices::object(&mut tx, &town.desk, notice, "晚了", None).await.unwrap();
        assert_eq!(late, Err(casework::notices::Refused::NotUp));
    }

    async fn a_notice_taken_down_early_does_not_count(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.publish(case).await;
        town.to_day("2026-09-03");
        town.act(&town.reviewer, case, "reopen_after_objection", saying("有异议，重新调查")).await.unwrap();
        assert_eq!(casework::notices::notices(&town.db, &town.desk, region(HOME), 0, 9).await.unwrap().total, 0);
        town.act(&town.reviewer, case, "preliminary_opinion", saying("再次调查后符合")).await.unwrap();
        let second = town.act(&town.reviewer, case, "post_notice", ActInput::default()).await.unwrap();
        assert!(second.notice.is_some());
        town.to_day("2026-09-09");
        assert_eq!(
            town.act(&town.reviewer, case, "report_to_district", ActInput::default()).await,
            Err(Refused::PublicityNotOver(day("2026-09-10")))
        );
    }
}
