//! Two officers, two runs, one moment (并发): never two claims.

use crate::town::{
    COMMUNITY, DISTRICT, STREET, Town, finance, grant, month, nobody_blocked, person, region, yuan,
};
use ledger::{Blocked, NewPayRun};

const PAYEES: u128 = 300;

async fn propose(town: &Town, place: &str) -> ledger::PayRun {
    let new = NewPayRun {
        month: month("2026-06"),
        region: region(place),
        programmes: None,
    };
    in_tx!(
        town,
        tx,
        ledger::propose(tx, &town.first, &new, &nobody_blocked())
    )
    .unwrap()
}

fixtures::db_tests! {
    migrations = ledger::migrations();

    async fn three_overlapping_runs_released_at_once_pay_everyone_once(db: store::Db) {
        let town = Town::new(db);
        let mut tx = town.db.begin().await.unwrap();
        let grants: Vec<_> = (0..PAYEES).map(|number| grant(number, "old_age", 200, "2026-06")).collect();
        ledger::entitle_many(&mut tx, &town.first, &grants).await.unwrap();
        tx.commit().await.unwrap();
        let mut runs = Vec::new();
        for place in [DISTRICT, STREET, COMMUNITY] {
            runs.push(propose(&town, place).await);
        }
        let mut releases = Vec::new();
        for (run, officer) in runs.into_iter().zip(11..) {
            let (db, scope) = (town.db.clone(), finance(officer, DISTRICT));
            releases.push(tokio::spawn(async move {
                ledger::release(&db, &scope, run.id, "key", &nobody_blocked()).await.unwrap().unwrap()
            }));
        }
        let (mut posted, mut blocked, mut net) = (0, 0, vocab::Money::ZERO);
        for release in releases {
            let released = release.await.unwrap();
            posted += released.posted;
            blocked += released.blocked;
            net = net.plus(released.net).unwrap();
            for line in town.lines(&released.run).await {
                let duplicate = matches!(line.blocked, None | Some(Blocked::DuplicateClaim { .. } | Blocked::ChangedSinceProposal));
                assert!(duplicate, "{:?}", line.blocked);
            }
        }
        assert_eq!((u128::from(posted), u128::from(blocked)), (PAYEES, 2 * PAYEES));
        assert_eq!(net, yuan(200 * 300));
        town.assert_clean().await;
    }

    async fn one_run_released_by_many_requests_at_once_is_released_once(db: store::Db) {
        let town = Town::new(db);
        let mut tx = town.db.begin().await.unwrap();
        let grants: Vec<_> = (0..PAYEES).map(|number| grant(number, "old_age", 200, "2026-06")).collect();
        ledger::entitle_many(&mut tx, &town.first, &grants).await.unwrap();
        tx.commit().await.unwrap();
        let run = propose(&town, DISTRICT).await;
        let mut releases = Vec::new();
        for _ in 0..6 {
            let (db, scope) = (town.db.clone(), town.second.clone());
            releases.push(tokio::spawn(async move {
                ledger::release(&db, &scope, run.id, "key", &nobody_blocked()).await.unwrap().unwrap()
            }));
        }
        for release in releases {
            let released = release.await.unwrap();
            assert_eq!((u128::from(released.posted), released.blocked), (PAYEES, 0));
        }
        town.assert_clean().await;
    }

    async fn the_same_person_decided_twice_at_once_is_entitled_once(db: store::Db) {
        let town = Town::new(db);
        let mut decisions = Vec::new();
        for number in 0..6_u128 {
            let (db, scope) = (town.db.clone(), finance(20 + number, DISTRICT));
            decisions.push(tokio::spawn(async move {
                let new = ledger::NewEntitlement { decision: crate::town::decision(number), ..grant(1, "dibao", 800, "2026-06") };
                let mut tx = db.begin().await.unwrap();
                let answer = ledger::entitle(&mut tx, &scope, &new).await.unwrap();
                match answer {
                    Ok(_) => tx.commit().await.unwrap(),
                    Err(_) => tx.rollback().await.unwrap(),
                }
                answer.is_ok()
            }));
        }
        let mut entitled = 0;
        for decision in decisions {
            entitled += u32::from(decision.await.unwrap());
        }
        assert_eq!(entitled, 1);
        let found = ledger::entitlements_of(town.db.conn(), &town.first, person(1)).await.unwrap();
        assert_eq!(found.len(), 1);
    }
}
