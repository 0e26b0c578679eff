//! A new standard carried through the cases it touches (标准调整): preview, a second officer, review, the way back.

use super::packs::with_replaced;
use super::town::*;
use access::Scope;
use casework::Desk;
use casework::adjustment::{
    Difference, LineResult, NewAdjustment, Refused, State, approve, lines, list, propose,
    roll_back, summed, view, withdraw,
};
use casework::procedure::TaskKind;
use std::sync::Arc;
use store::TestClock;
use vocab::ids::{AdjustmentId, CaseId};
use vocab::{Money, Month, Value};

/// 1,250 元 until October, 1,300 元 from November 2026 on (an invented rise).
fn raised() -> Desk {
    with_replaced(&[(
        "baoan/dibao/parameters.toml",
        "]\n\n[dibao_money_limit]",
        "  { from = 2026-11-01, value = 130000, demo = true, source = \"演示：测试用的调整\" },\n]\n\n[dibao_money_limit]",
    )])
}

fn november(programmes: &[&str]) -> NewAdjustment {
    NewAdjustment {
        programmes: programmes.iter().map(|id| (*id).to_owned()).collect(),
        from: month("2026-11"),
        basis: "宝民〔2026〕99号（虚构）".to_owned(),
    }
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

async fn proposed(town: &Town, by: &Scope, new: &NewAdjustment) -> Result<AdjustmentId, Refused> {
    let mut tx = town.db.begin().await.unwrap();
    let answer = propose(&mut tx, by, &town.desk, new).await.unwrap();
    if answer.is_ok() {
        tx.commit().await.unwrap();
    } else {
        tx.rollback().await.unwrap();
    }
    answer
}

async fn due(town: &Town, case: CaseId, at: &str) -> Money {
    let right = town.view(case).await.row.case.entitlement.unwrap();
    ledger::entitlement(town.db.conn(), &town.district, right)
        .await
        .unwrap()
        .unwrap()
        .due(month(at))
}

/// The widow's household, three counted: (1,250 − income) × 3 came to 3,375.00; 50 more for each of three is 3,525.00.
const BEFORE: Money = Money::from_fen(337_500);
const AFTER: Money = Money::from_fen(352_500);

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn a_raised_standard_reaches_every_case_by_two_officers_and_can_be_taken_back(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::with(db, clock, raised()).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        assert_eq!(due(&town, case, "2026-11").await, BEFORE);
        town.to_day("2026-12-03");

        let id = proposed(&town, &town.finance, &november(&["dibao"])).await.unwrap();
        let shown = lines(&town.db, &town.district, id, None, 0, 50).await.unwrap();
        assert_eq!(shown.total, 1);
        let line = &shown.rows[0];
        assert_eq!((line.case, line.before, line.after), (case, BEFORE, Some(AFTER)));
        assert_eq!((line.difference, line.result), (Difference::More, None));
        // A preview changes nothing.
        assert_eq!(due(&town, case, "2026-11").await, BEFORE);
        assert_eq!(proposed(&town, &town.district, &november(&["dibao"])).await, Err(Refused::AlreadyOpen("最低生活保障".to_owned())));

        // Neither finance nor the officer who proposed it may approve.
        assert!(matches!(approve(&town.db, &town.finance, &town.desk, id).await.unwrap(), Err(Refused::Denied(_))));
        let mut proposer = town.district.clone();
        proposer.actor.officer = town.finance.actor.officer;
        assert!(matches!(approve(&town.db, &proposer, &town.desk, id).await.unwrap(), Err(Refused::SamePerson(_))));
        // Nor with other rules than those that were shown.
        assert_eq!(approve(&town.db, &town.district, &desk(), id).await.unwrap(), Err(Refused::RuleBookChanged));

        let done = approve(&town.db, &town.district, &town.desk, id).await.unwrap().unwrap();
        assert_eq!((done.done, done.of), (1, 1));
        assert_eq!(due(&town, case, "2026-10").await, BEFORE);
        assert_eq!(due(&town, case, "2026-11").await, AFTER);
        let seen = town.view(case).await;
        assert_eq!(seen.row.case.amount, Some(AFTER));
        assert_eq!(approve(&town.db, &town.district, &town.desk, id).await.unwrap(), Err(Refused::WrongState(State::Done)));
        // The decision quotes a determination that replays.
        let replayed = casework::explain(&town.db, &town.district, &town.desk, case).await.unwrap().unwrap();
        assert_eq!(Some(replayed.determination), seen.row.case.determination);
        assert!(replayed.identical && replayed.intact && replayed.facts_same, "{:?}", replayed.differences);

        // The way back is a new act, by two officers again.
        let mut tx = town.db.begin().await.unwrap();
        let back = roll_back(&mut tx, &town.finance, &town.desk, id, "撤销宝民〔2026〕99号（虚构）").await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(due(&town, case, "2026-11").await, AFTER);
        approve(&town.db, &town.district, &town.desk, back).await.unwrap().unwrap();
        assert_eq!(due(&town, case, "2026-11").await, BEFORE);
        assert_eq!(town.view(case).await.row.case.amount, Some(BEFORE));
        let mut tx = town.db.begin().await.unwrap();
        let again = roll_back(&mut tx, &town.finance, &town.desk, id, "再次").await.unwrap();
        assert_eq!(again, Err(Refused::NothingToTakeBack));
        tx.rollback().await.unwrap();
        assert_eq!(list(&town.db, &town.district, 0, 10).await.unwrap().total, 2);
        assert!(store::journal::verify(&town.db).await.unwrap().is_intact());

        // Another community sees none of it.
        assert_eq!(list(&town.db, &town.neighbour, 0, 10).await.unwrap().total, 0);
        assert_eq!(view(&town.db, &town.neighbour, id).await.unwrap(), None);
        assert_eq!(lines(&town.db, &town.neighbour, id, None, 0, 10).await.unwrap().total, 0);
    }

    async fn less_money_is_for_the_street_to_review_and_never_cut_by_itself(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::with(db, clock, raised()).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        // 500 元 of wages weigh more than three times 50 元.
        town.record(family.widow, "wage", Value::Int(50_000), "社保").await;
        town.to_day("2026-12-03");
        let id = proposed(&town, &town.finance, &november(&["dibao"])).await.unwrap();
        let sums = summed(&town.db, &town.district, id).await.unwrap();
        assert_eq!(sums.len(), 1);
        assert_eq!((sums[0].difference, sums[0].cases, sums[0].before), (Difference::Less, 1, BEFORE));
        approve(&town.db, &town.district, &town.desk, id).await.unwrap().unwrap();
        assert_eq!(due(&town, case, "2026-11").await, BEFORE);
        assert!(town.view(case).await.tasks.contains(&TaskKind::Review));
        let after = lines(&town.db, &town.district, id, Some(Difference::Less), 0, 10).await.unwrap();
        assert_eq!(after.rows[0].result, Some(LineResult::Review));
    }

    async fn what_cannot_be_proposed_is_said_by_name(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let mut new = november(&[]);
        assert_eq!(proposed(&town, &town.finance, &new).await, Err(Refused::NothingChosen));
        new.programmes = vec!["dibao_edge".to_owned()];
        assert!(matches!(proposed(&town, &town.finance, &new).await, Err(Refused::NotMonthly(_))));
        new = november(&["dibao"]);
        new.basis = "  ".to_owned();
        assert_eq!(proposed(&town, &town.finance, &new).await, Err(Refused::BasisMissing));
        assert!(matches!(proposed(&town, &town.window, &november(&["dibao"])).await, Err(Refused::Denied(_))));
        // Nobody is in payment: nothing differs, and it can be withdrawn once.
        let id = proposed(&town, &town.finance, &november(&["dibao"])).await.unwrap();
        assert_eq!(view(&town.db, &town.district, id).await.unwrap().unwrap().looked_at, 0);
        for expected in [Ok(()), Err(Refused::WrongState(State::Withdrawn))] {
            let mut tx = town.db.begin().await.unwrap();
            assert_eq!(withdraw(&mut tx, &town.finance, id).await.unwrap(), expected);
            tx.commit().await.unwrap();
        }
    }
}
