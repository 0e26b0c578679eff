//! Leads (线索): what a case does to them by itself, and how one paid wrongly comes before whoever hears and decides.

use super::reviews::review_tasks;
use super::town::*;
use casework::lead::{self, LeadFilter, LeadSort, LeadState, Source};
use casework::procedure::TaskKind;
use std::sync::Arc;
use store::TestClock;
use vocab::{Money, Value};

async fn file(town: &Town, family: &Family, kind: lead::Kind, due: i64, paid: i64) -> uuid::Uuid {
    let found = lead::Finding {
        household: family.household,
        region: town.window.region,
        person: None,
        programme: "dibao".to_owned(),
        kind,
        due: Some(Money::from_fen(due)),
        paid: Money::from_fen(paid),
        missing: Vec::new(),
    };
    let mut tx = town.db.begin().await.unwrap();
    let today = town.db.today();
    let filed = lead::find(&mut tx, &town.window, &[found], Source::Sweep, today)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    filed.leads[0]
}

async fn state(town: &Town, id: uuid::Uuid) -> LeadState {
    let seen = lead::view(&town.db, &town.window, &town.desk, id)
        .await
        .unwrap()
        .unwrap();
    seen.lead.state
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_grant_enrols_a_lead_and_a_wrong_payment_goes_to_a_hearing_and_is_settled_by_the_decision(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        let due = file(&town, &family, lead::Kind::Due, 195_000, 0).await;
        assert_eq!(state(&town, due).await, LeadState::Found);
        town.grant(case).await;
        let seen = lead::view(&town.db, &town.window, &town.desk, due).await.unwrap().unwrap();
        assert_eq!((seen.lead.state, seen.lead.case), (LeadState::Enrolled, Some(case)));
        // The money begins next month: until then the sweep finds the same, and nobody is sent again.
        assert_eq!(file(&town, &family, lead::Kind::Due, 195_000, 0).await, due);
        assert_eq!(state(&town, due).await, LeadState::Enrolled);

        // She earns 200.00 a month now: another finding, another lead; it becomes the hearing's task, once.
        town.record(family.widow, "wage", Value::Int(20_000), "社保").await;
        let differs = file(&town, &family, lead::Kind::Differs, 175_000, 195_000).await;
        assert_ne!(differs, due);
        let mut tx = town.db.begin().await.unwrap();
        lead::send_to_review(&mut tx, &town.reviewer, &town.desk, differs).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(state(&town, differs).await, LeadState::Visited);
        let of = |who| review_tasks(&town, who, TaskKind::Redecide);
        assert_eq!((of(&town.window).await.len(), of(&town.district).await.len()), (1, 0));
        town.act(&town.window, case, "hear", saying("本人无异议")).await.unwrap();
        town.act(&town.district, case, "change", saying("减发")).await.unwrap();
        let seen = lead::view(&town.db, &town.window, &town.desk, differs).await.unwrap().unwrap();
        assert_eq!((seen.lead.state, seen.lead.case), (LeadState::Settled, Some(case)));
        let sorted = (LeadSort::Found, true);
        let all = lead::list(&town.db, &town.neighbour, &LeadFilter::default(), sorted, 0, 9).await.unwrap();
        assert_eq!(all.total, 0);
    }
}
