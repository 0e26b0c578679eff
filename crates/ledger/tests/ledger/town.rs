//! A small town for the ledger's tests (测试小镇): officers, people by number, and the usual steps in one call.

use access::{Actor, Purpose, Role, Scope};
use ledger::payrun::release::Released;
use ledger::{
    BankOutcome, BankResult, LineFilter, NewEntitlement, NewPayRun, Obstacles, PayLine, PayRun,
};
use store::Db;
use uuid::Uuid;
use vocab::ids::{DecisionId, EntitlementId, OfficerId, PersonId};
use vocab::{Money, Month, Region};

pub const DISTRICT: &str = "440306";
pub const STREET: &str = "440306001";
pub const COMMUNITY: &str = "440306001001";

pub fn region(code: &str) -> Region {
    code.parse().unwrap()
}

pub fn month(text: &str) -> Month {
    text.parse().unwrap()
}

pub fn yuan(yuan: i64) -> Money {
    Money::from_yuan(yuan).unwrap()
}

pub fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(0x1000_0000 + number))
}

pub fn decision(number: u128) -> DecisionId {
    DecisionId(Uuid::from_u128(0x2000_0000 + number))
}

/// A finance officer of a place.
pub fn finance(number: u128, place: &str) -> Scope {
    let roles = vec![(Role::Finance, region(place))];
    let actor = Actor::officer(
        OfficerId(Uuid::from_u128(0x3000_0000 + number)),
        "财务",
        roles,
    );
    Scope {
        actor,
        region: region(place),
        purpose: Purpose::Payment,
    }
}

pub fn nobody_blocked() -> Obstacles {
    Obstacles::default()
}

pub fn grant(number: u128, programme: &str, amount: i64, from: &str) -> NewEntitlement {
    NewEntitlement {
        decision: decision(number),
        programme: programme.to_owned(),
        payee: person(number),
        household: None,
        region: region(COMMUNITY),
        amount: yuan(amount),
        covered: Vec::new(),
        from: month(from),
        until: None,
        excludes: Vec::new(),
        part: String::new(),
    }
}

/// One act in a transaction of its own; what is refused is rolled back.
macro_rules! in_tx {
    ($town:expr, $tx:ident, $act:expr) => {{
        let mut transaction = $town.db.begin().await.unwrap();
        let $tx = &mut transaction;
        let answer = $act.await.unwrap();
        if answer.is_ok() {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        answer
    }};
}

pub struct Town {
    pub db: Db,
    pub first: Scope,
    pub second: Scope,
}

impl Town {
    pub fn new(db: Db) -> Self {
        Self {
            db,
            first: finance(1, DISTRICT),
            second: finance(2, DISTRICT),
        }
    }

    pub async fn entitle(&self, new: &NewEntitlement) -> EntitlementId {
        in_tx!(self, tx, ledger::entitle(tx, &self.first, new)).unwrap()
    }

    pub async fn propose(&self, at: &str, blocked: &Obstacles) -> PayRun {
        let new = NewPayRun {
            month: month(at),
            region: region(DISTRICT),
            programmes: None,
        };
        in_tx!(self, tx, ledger::propose(tx, &self.first, &new, blocked)).unwrap()
    }

    pub async fn release(&self, run: &PayRun) -> Released {
        ledger::release(&self.db, &self.second, run.id, "key", &nobody_blocked())
            .await
            .unwrap()
            .unwrap()
    }

    /// Proposes and releases a month.
    pub async fn pay(&self, at: &str) -> Released {
        let run = self.propose(at, &nobody_blocked()).await;
        self.release(&run).await
    }

    /// Sends a released run and lets the bank say the same of every line.
    pub async fn answer(&self, run: &PayRun, outcome: &BankOutcome) -> Vec<BankResult> {
        in_tx!(
            self,
            tx,
            ledger::mark_sent(tx, &self.second, run.id, "file")
        )
        .unwrap();
        let lines = self.lines(run).await;
        let results: Vec<_> = lines
            .iter()
            .filter(|line| line.state == ledger::LineState::Sent)
            .zip(2..)
            .map(|(line, row)| BankResult {
                instruction: line.instruction.clone(),
                outcome: outcome.clone(),
                amount: Some(line.net),
                row,
            })
            .collect();
        in_tx!(
            self,
            tx,
            ledger::bank_return(tx, &self.second, run.id, "return", &results)
        )
        .unwrap();
        results
    }

    pub async fn lines(&self, run: &PayRun) -> Vec<PayLine> {
        let filter = LineFilter {
            run: Some(run.id),
            ..LineFilter::default()
        };
        ledger::lines(&self.db, &self.first, &filter, 0, 10_000)
            .await
            .unwrap()
            .rows
    }

    /// What was released for a person's month, instalments not counted.
    pub async fn paid_for(&self, who: PersonId, at: &str) -> Money {
        let (from, until) = (month(at), month(at).next());
        let statement = ledger::statement(&self.db, &self.first, who, from, until)
            .await
            .unwrap();
        let rows = statement.months.into_values().flatten();
        let pays = |kind| {
            !matches!(
                kind,
                ledger::payrun::ItemKind::Recovery | ledger::payrun::ItemKind::Reissue
            )
        };
        Money::total(rows.filter(|row| pays(row.kind)).map(|row| row.amount)).unwrap()
    }

    pub async fn assert_clean(&self) {
        let report = ledger::audit(&self.db, &self.first, 2026).await.unwrap();
        assert!(report.is_clean(), "{report:#?}");
    }
}
