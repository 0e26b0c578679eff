//! The ledger under random acts against a small model (随机操作对照模型).
//!
//! The model keeps, for each person, twelve months in plain arrays: what is due, what was recognised, what is owed and
//! what is to be recovered. It knows no accounts, runs or claims. After every act both must agree.

use crate::town::{Town, decision, grant, month, person};
use ledger::{NewAmount, Reinstatement, Repayment, Resumption, Stop, Suspension};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use vocab::ids::EntitlementId;
use vocab::{Money, Month};

const PEOPLE: usize = 2;
/// January to July 2026: as far as the standing test clock lets runs go.
const MONTHS: usize = 7;

#[derive(Debug, Clone)]
enum Act {
    Entitle { who: usize, yuan: i64, from: usize },
    Change { who: usize, yuan: i64, from: usize },
    Stop { who: usize, from: usize },
    Reinstate { who: usize, from: usize },
    Suspend { who: usize, from: usize },
    Resume { who: usize, from: usize },
    Plan { who: usize, yuan: i64 },
    Repay { who: usize, yuan: i64 },
    Pay { at: usize },
    Bank { bounce: bool },
}

fn act() -> impl Strategy<Value = Act> {
    let (who, from, yuan) = (0..PEOPLE, 0..MONTHS, 1..9_i64);
    prop_oneof![
        1 => (who.clone(), yuan.clone(), 0..3_usize).prop_map(|(who, yuan, from)| Act::Entitle { who, yuan, from }),
        4 => (who.clone(), yuan.clone(), from.clone()).prop_map(|(who, yuan, from)| Act::Change { who, yuan, from }),
        1 => (who.clone(), from.clone()).prop_map(|(who, from)| Act::Stop { who, from }),
        1 => (who.clone(), from.clone()).prop_map(|(who, from)| Act::Reinstate { who, from }),
        2 => (who.clone(), from.clone()).prop_map(|(who, from)| Act::Suspend { who, from }),
        4 => (who.clone(), from.clone()).prop_map(|(who, from)| Act::Resume { who, from }),
        1 => (who.clone(), yuan.clone()).prop_map(|(who, yuan)| Act::Plan { who, yuan }),
        1 => (who, yuan).prop_map(|(who, yuan)| Act::Repay { who, yuan }),
        5 => from.prop_map(|at| Act::Pay { at }),
        1 => any::<bool>().prop_map(|bounce| Act::Bank { bounce }),
    ]
}

/// One person's months in the model; amounts in yuan.
#[derive(Debug, Clone, Default)]
struct Model {
    entitled: bool,
    amount: [i64; MONTHS],
    stopped: [bool; MONTHS],
    paused: [bool; MONTHS],
    stopped_from: Option<usize>,
    recognised: [Option<i64>; MONTHS],
    paid: [i64; MONTHS],
    owed: Vec<(usize, i64)>,
    debt: i64,
}

impl Model {
    fn due(&self, at: usize) -> i64 {
        if self.stopped[at] || self.paused[at] {
            0
        } else {
            self.amount[at]
        }
    }

    fn settle(&mut self, from: usize) {
        let differs =
            |model: &Self, at: usize| model.recognised[at].map_or(0, |known| model.due(at) - known);
        self.owed.sort_by_key(|(at, _)| *at);
        for at in from..MONTHS {
            let more = differs(self, at);
            if more > 0 {
                let off = more.min(self.debt);
                self.debt -= off;
                self.owed.push((at, more - off));
                self.recognised[at] = Some(self.due(at));
            }
        }
        for at in from..MONTHS {
            let mut less = -differs(self, at);
            if less > 0 {
                for (_, owed) in &mut self.owed {
                    let off = less.min(*owed);
                    *owed -= off;
                    less -= off;
                }
                self.debt += less;
                self.recognised[at] = Some(self.due(at));
            }
        }
    }

    fn pay(&mut self, upto: usize) -> i64 {
        let before: i64 = self.paid.iter().sum();
        for at in 0..=upto {
            if self.recognised[at].is_none() && self.due(at) > 0 {
                self.recognised[at] = Some(self.due(at));
                self.paid[at] += self.due(at);
            }
        }
        for (at, owed) in std::mem::take(&mut self.owed) {
            self.paid[at] += owed;
        }
        self.paid.iter().sum::<i64>() - before
    }
}

struct World<'a> {
    town: &'a Town,
    case: u128,
    acts: u128,
    models: [Model; PEOPLE],
    ids: [Option<EntitlementId>; PEOPLE],
}

fn at(index: usize) -> Month {
    month("2026-01").plus(i32::try_from(index).unwrap())
}

impl World<'_> {
    fn number(&self, who: usize) -> u128 {
        self.case * 1_000 + who as u128
    }

    async fn act(&mut self, act: &Act) {
        self.acts += 1;
        let decided = decision(self.case * 1_000_000 + self.acts);
        let town = self.town;
        let scope = &town.first;
        match *act {
            Act::Entitle { who, yuan, from } => {
                if self.models[who].stopped_from.is_some() {
                    return;
                }
                let mut new = grant(
                    self.number(who),
                    &self.programme(),
                    yuan,
                    &at(from).to_string(),
                );
                new.decision = decided;
                let answer = in_tx!(town, tx, ledger::entitle(tx, scope, &new));
                assert_eq!(answer.is_ok(), !self.models[who].entitled, "{answer:?}");
                if let Ok(id) = answer {
                    let model = &mut self.models[who];
                    model.entitled = true;
                    model.amount[from..].fill(yuan);
                    self.ids[who] = Some(id);
                }
            }
            Act::Change { who, yuan, from } => {
                let Some(entitlement) = self.ids[who] else {
                    return;
                };
                let new = NewAmount {
                    entitlement,
                    amount: crate::town::yuan(yuan),
                    from: at(from),
                    decision: decided,
                    monthly: None,
                };
                for _ in 0..2 {
                    let answer = in_tx!(town, tx, ledger::change(tx, scope, &new));
                    assert_eq!(
                        answer.is_ok(),
                        self.models[who].begun(from) && self.models[who].open(from),
                        "{answer:?}"
                    );
                }
                let model = &mut self.models[who];
                if model.begun(from) && model.open(from) {
                    model.amount[from..].fill(yuan);
                    model.settle(from);
                }
            }
            Act::Stop { who, from } => {
                let Some(entitlement) = self.ids[who] else {
                    return;
                };
                let stop = Stop {
                    entitlement,
                    from: at(from),
                    decision: decided,
                    monthly: None,
                };
                let answer = in_tx!(town, tx, ledger::stop(tx, scope, &stop));
                let model = &mut self.models[who];
                assert_eq!(
                    answer.is_ok(),
                    model.begun(from) && model.open(from),
                    "{answer:?}"
                );
                if answer.is_ok() {
                    model.stopped[from..].fill(true);
                    model.stopped_from = Some(from);
                    model.settle(from);
                }
            }
            Act::Reinstate { who, from } => {
                let Some(entitlement) = self.ids[who] else {
                    return;
                };
                let again = Reinstatement {
                    entitlement,
                    from: at(from),
                    decision: decided,
                };
                let answer = in_tx!(town, tx, ledger::reinstate(tx, scope, &again));
                let model = &mut self.models[who];
                assert_eq!(
                    answer.is_ok(),
                    model.begun(from) && !model.open(from),
                    "{answer:?}"
                );
                if answer.is_ok() {
                    model.stopped[from..].fill(false);
                    model.stopped_from = None;
                    model.settle(from);
                }
            }
            Act::Suspend { who, from } | Act::Resume { who, from } => {
                let Some(entitlement) = self.ids[who] else {
                    return;
                };
                let suspends = matches!(act, Act::Suspend { .. });
                let answer = if suspends {
                    let new = Suspension {
                        entitlement,
                        from: at(from),
                        decision: decided,
                    };
                    in_tx!(town, tx, ledger::suspend(tx, scope, &new))
                } else {
                    let new = Resumption {
                        entitlement,
                        from: at(from),
                        decision: decided,
                    };
                    in_tx!(town, tx, ledger::resume(tx, scope, &new))
                };
                let model = &mut self.models[who];
                let may =
                    model.begun(from) && !model.stopped[from] && model.paused[from] != suspends;
                assert_eq!(answer.is_ok(), may, "{answer:?}");
                if answer.is_ok() {
                    model.paused[from..].fill(suspends);
                    model.settle(from);
                }
            }
            Act::Plan { who, yuan } => {
                for recovery in self.recoveries(who).await {
                    let monthly = Some(crate::town::yuan(yuan));
                    in_tx!(
                        town,
                        tx,
                        ledger::plan_recovery(tx, scope, recovery.id, monthly)
                    )
                    .unwrap();
                }
            }
            Act::Repay { who, yuan } => {
                let open = self
                    .recoveries(who)
                    .await
                    .into_iter()
                    .find(|one| one.remaining >= crate::town::yuan(yuan));
                let Some(open) = open else { return };
                let key = self.acts.to_string();
                let paid = Repayment {
                    recovery: open.id,
                    key: key.clone(),
                    amount: crate::town::yuan(yuan),
                    reference: key,
                };
                for _ in 0..2 {
                    in_tx!(town, tx, ledger::record_repayment(tx, scope, &paid)).unwrap();
                }
                self.models[who].debt -= yuan;
            }
            Act::Pay { at: upto } => self.pay(upto).await,
            Act::Bank { bounce } => self.bank(bounce).await,
        }
    }

    async fn pay(&mut self, upto: usize) {
        let new = ledger::NewPayRun {
            month: at(upto),
            region: crate::town::region(crate::town::DISTRICT),
            programmes: Some(vec![self.programme()]),
        };
        let none = ledger::Obstacles::default();
        let run = in_tx!(
            self.town,
            tx,
            ledger::propose(tx, &self.town.first, &new, &none)
        )
        .unwrap();
        for _ in 0..2 {
            ledger::release(&self.town.db, &self.town.second, run.id, "key", &none)
                .await
                .unwrap()
                .unwrap();
        }
        let lines = self.town.lines(&run).await;
        for who in 0..PEOPLE {
            let payee = person(self.number(who));
            let mine = lines
                .iter()
                .filter(|line| line.payee == payee && line.reissues.is_none());
            let (mut gross, mut held) = (0, 0);
            for line in mine {
                assert!(line.blocked.is_none(), "{line:?}");
                gross += line.regular.plus(line.arrears).unwrap().fen() / 100;
                held += line.recovery.fen() / 100;
            }
            assert_eq!(self.models[who].pay(upto), gross);
            assert!(held <= gross.min(self.models[who].debt));
            self.models[who].debt -= held;
        }
    }

    /// The bank answers the last released run; what bounced is taken for the next one.
    async fn bank(&mut self, bounce: bool) {
        let town = self.town;
        let runs = ledger::runs(&town.db, &town.first, None, 0, 1_000)
            .await
            .unwrap()
            .rows;
        let mine = Some(vec![self.programme()]);
        let Some(run) = runs
            .into_iter()
            .find(|run| run.programmes == mine && run.state == ledger::RunState::Released)
        else {
            return;
        };
        let outcome = if bounce {
            ledger::BankOutcome::Returned {
                code: "R".to_owned(),
                reason: "账号有误".to_owned(),
            }
        } else {
            ledger::BankOutcome::Settled
        };
        town.answer(&run, &outcome).await;
        for line in town.lines(&run).await {
            if line.state == ledger::LineState::Returned {
                in_tx!(town, tx, ledger::reissue(tx, &town.first, line.id)).unwrap();
            }
        }
    }

    async fn recoveries(&self, who: usize) -> Vec<ledger::Recovery> {
        ledger::recoveries_of(
            self.town.db.conn(),
            &self.town.first,
            person(self.number(who)),
        )
        .await
        .unwrap()
    }

    fn programme(&self) -> String {
        format!("programme {}", self.case)
    }

    async fn agree(&self) {
        for (who, model) in self.models.iter().enumerate() {
            let payee = person(self.number(who));
            for (index, paid) in model.paid.iter().enumerate() {
                let ours = self.town.paid_for(payee, &at(index).to_string()).await;
                assert_eq!(
                    ours,
                    crate::town::yuan(*paid),
                    "person {who}, {}",
                    at(index)
                );
            }
            let open =
                Money::total(self.recoveries(who).await.iter().map(|one| one.remaining)).unwrap();
            assert_eq!(
                open,
                crate::town::yuan(model.debt),
                "person {who}: still to be recovered"
            );
            let statement =
                ledger::statement(&self.town.db, &self.town.first, payee, at(0), at(MONTHS))
                    .await
                    .unwrap();
            assert_eq!(statement.receivable, open);
        }
    }
}

impl Model {
    /// Amounts are never nothing, so the first one tells the first month.
    fn begun(&self, from: usize) -> bool {
        self.amount[..=from].iter().any(|amount| *amount != 0)
    }

    fn open(&self, from: usize) -> bool {
        self.stopped_from.is_none_or(|stopped| from < stopped)
    }
}

fn play(db: store::Db, cases: u32, length: usize) {
    let town = Town::new(db);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let case = std::cell::Cell::new(0);
    TestRunner::new_with_rng(config, rng)
        .run(&prop::collection::vec(act(), 1..length), |acts| {
            case.set(case.get() + 1);
            let mut world = World {
                town: &town,
                case: case.get(),
                acts: 0,
                models: Default::default(),
                ids: [None; PEOPLE],
            };
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    for act in &acts {
                        world.act(act).await;
                    }
                    world.agree().await;
                    town.assert_clean().await;
                });
            });
            Ok(())
        })
        .unwrap();
}

fixtures::db_tests! {
    migrations = ledger::migrations();

    async fn random_acts_agree_with_the_model(db: store::Db) {
        let cases = match db.engine() {
            store::Engine::Sqlite => 60,
            store::Engine::Postgres => 15,
        };
        play(db, cases, 80);
    }
}
