//! Whoever serves pages holds these futures across threads (可跨线程): each act and each reader must allow that.

use access::{Actor, Purpose, Scope};
use ledger::{NewAmount, NewPayRun, Stop};
use vocab::ids::{DecisionId, EntitlementId, OfficerId, PayLineId, PayRunId, PersonId, TransferId};
use vocab::{Money, Month, Region};

fixtures::db_tests! {
    migrations = ledger::migrations();

    async fn every_act_and_reader_may_cross_threads_and_answers_for_what_does_not_exist(db: store::Db) {
        let scope = Scope {
            actor: Actor::officer(OfficerId(db.new_id()), "财务", vec![(access::Role::Finance, Region::NATION)]),
            region: Region::NATION,
            purpose: Purpose::Payment,
        };
        // A spawned future must be allowed to cross threads: that this compiles is half of the test.
        tokio::spawn(async move {
            let month: Month = "2026-06".parse().unwrap();
            let nobody = ledger::Obstacles::default();
            let (run, line, transfer) = (PayRunId(db.new_id()), PayLineId(db.new_id()), TransferId(db.new_id()));
            let (person, entitlement) = (PersonId(db.new_id()), EntitlementId(db.new_id()));
            let decision = DecisionId(db.new_id());
            let new = NewPayRun { month, region: Region::NATION, programmes: None };
            assert!(ledger::concerned(&db, &scope, &new).await.unwrap().is_empty());
            assert!(ledger::release(&db, &scope, run, "", &nobody).await.unwrap().is_err());
            assert!(ledger::summary(&db, &scope, run).await.unwrap().is_empty());
            assert!(ledger::entitlement(db.conn(), &scope, entitlement).await.unwrap().is_none());
            assert!(ledger::in_payment(db.conn(), &scope, &[person], month).await.unwrap().is_empty());
            assert!(ledger::statement(&db, &scope, person, month, month).await.unwrap().months.is_empty());
            assert!(ledger::totals(&db, &scope, month, month.next(), true).await.unwrap().is_empty());
            assert!(ledger::audit(&db, &scope, 2026).await.unwrap().is_clean());

            let mut tx = db.begin().await.unwrap();
            assert!(ledger::propose(&mut tx, &scope, &new, &nobody).await.unwrap().is_ok());
            assert!(ledger::cancel(&mut tx, &scope, run).await.unwrap().is_err());
            assert!(ledger::mark_sent(&mut tx, &scope, run, "").await.unwrap().is_err());
            assert!(ledger::bank_return(&mut tx, &scope, run, "", &[]).await.unwrap().is_err());
            assert!(ledger::reissue(&mut tx, &scope, line).await.unwrap().is_err());
            assert!(ledger::correct(&mut tx, &scope, transfer, "").await.unwrap().is_err());
            let change = NewAmount { entitlement, amount: Money::from_fen(1), from: month, decision, monthly: None };
            assert!(ledger::change(&mut tx, &scope, &change).await.unwrap().is_err());
            let stop = Stop { entitlement, from: month, decision, monthly: None };
            assert!(ledger::stop(&mut tx, &scope, &stop).await.unwrap().is_err());
            assert!(ledger::plan_recovery(&mut tx, &scope, db.new_id(), None).await.unwrap().is_err());
            tx.rollback().await.unwrap();
        })
        .await
        .unwrap();
    }
}
