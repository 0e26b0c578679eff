//! Life events (生活事件): a death ends and claims back, an age raises, a move takes everything along, each once.

use super::reviews::{alone, nothing_but, taken_over};
use super::town::*;
use access::{Scope, another_officer};
use casework::ActInput;
use casework::lead::{self, LeadFilter, LeadSort, LeadState};
use casework::life_event::{
    EventFilter, Happened, Kind, NewEvent, Refused, list, of_household, record, tick, view,
};
use casework::procedure::{StateKind, TaskKind};
use casework::review::Differs;
use casework::todo::{TodoFilter, todo};
use ledger::Standing;
use registry::Subject;
use std::sync::Arc;
use store::TestClock;
use store::files::NewFile;
use uuid::Uuid;
use vocab::ids::{CaseId, HouseholdId, PersonId};
use vocab::{DatedFact, Money, Month, Period, Value};

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// One month's money for the district: proposed by finance, released by the district.
async fn pay(town: &Town, at: &str) {
    let mut tx = town.db.begin().await.unwrap();
    let order = ledger::NewPayRun {
        month: month(at),
        region: region("440306"),
        programmes: None,
    };
    let nobody = ledger::Obstacles::default();
    let run = ledger::propose(&mut tx, &town.finance, &order, &nobody)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    assert!(another_officer(town.finance.actor.officer, &town.district.actor).is_ok());
    ledger::release(&town.db, &town.district, run.id, at, &nobody)
        .await
        .unwrap()
        .unwrap();
}

fn death(household: HouseholdId, person: PersonId, on: &str) -> NewEvent {
    NewEvent {
        household,
        happened: Happened::Death { person },
        on: day(on),
        source: "殡仪馆".to_owned(),
        evidence: Some(NewFile {
            media_type: "image/jpeg".to_owned(),
            name: Some("火化证明.jpg".to_owned()),
            bytes: vec![0xff, 0xd8, 0xff, 0xe0, 9, 9, 9],
        }),
    }
}

async fn recorded(town: &Town, who: &Scope, new: NewEvent) -> Result<Uuid, Refused> {
    let mut tx = town.db.begin().await.unwrap();
    let answer = record(&mut tx, who, &town.desk, new).await.unwrap();
    if answer.is_ok() {
        tx.commit().await.unwrap();
    } else {
        tx.rollback().await.unwrap();
    }
    answer
}

async fn tasks(town: &Town, who: &Scope, kind: TaskKind) -> Vec<CaseId> {
    let filter = TodoFilter {
        kinds: vec![kind],
        ..TodoFilter::default()
    };
    let found = todo(&town.db, who, &town.desk, &filter, 0, 50)
        .await
        .unwrap();
    found.rows.iter().map(|task| task.row.case.id).collect()
}

/// An old-age allowance of 200.00 a month, taken over from September 2026 on, for somebody of this number.
async fn elder(town: &Town, number: &str) -> (HouseholdId, PersonId, CaseId) {
    let person = town.person(number, "李高龄", None).await;
    let household = town.household(person, &[]).await;
    let case = taken_over(
        town,
        household,
        Some(person),
        person,
        "old_age_allowance",
        20_000,
    )
    .await;
    (household, person, case)
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn the_death_of_one_who_lived_alone_ends_the_right_and_claims_back_the_month_paid_after(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (household, person, case) = alone(&town, 2).await;
        let (_, _, other) = alone(&town, 3).await;
        for (paid, on) in [("2026-09", "2026-09-08"), ("2026-10", "2026-10-08"), ("2026-11", "2026-11-09")] {
            town.to_day(on);
            pay(&town, paid).await;
        }
        // Died on 20 October, told on 25 November: October is due, November was paid and is not.
        town.to_day("2026-11-25");
        // A preview is the same act, not committed.
        let mut tx = town.db.begin().await.unwrap();
        let shown = record(&mut tx, &town.window, &town.desk, death(household, person, "2026-10-20")).await.unwrap().unwrap();
        let lines = casework::life_event::lines(&tx, &town.window, shown).await.unwrap();
        tx.rollback().await.unwrap();
        let line = lines.iter().find(|line| line.programme == "dibao").unwrap();
        assert_eq!((line.differs, line.from), (Differs::NotMet, Some(month("2026-11"))));
        // One month of 1,375.00 went out too many.
        assert_eq!((line.before, line.back), (Some(Money::from_fen(137_500)), Money::from_fen(-137_500)));
        assert!(of_household(&town.db, &town.window, household).await.unwrap().is_empty());

        // Neither another community nor a day ahead nor a stranger to the household.
        assert_eq!(recorded(&town, &town.neighbour, death(household, person, "2026-10-20")).await, Err(Refused::NotThere));
        assert_eq!(recorded(&town, &town.window, death(household, person, "2026-12-20")).await, Err(Refused::DayAhead));
        let event = recorded(&town, &town.window, death(household, person, "2026-10-20")).await.unwrap();
        assert!(matches!(
            recorded(&town, &town.window, death(household, person, "2026-10-20")).await,
            Err(Refused::AlreadyRecorded | Refused::Register(_))
        ));
        let (seen, lines) = view(&town.db, &town.window, event).await.unwrap().unwrap();
        assert_eq!((seen.kind, seen.evidence.as_str()), (Kind::Death, "火化证明.jpg"));
        assert_eq!(lines.iter().filter(|line| line.case.is_some()).count(), 1);
        // Nothing is stopped by itself; the district has one thing to decide, and only for this household.
        assert_eq!(tasks(&town, &town.district, TaskKind::Redecide).await, [case]);
        assert_eq!(list::month_asked(&town.db, &town.district, case).await.unwrap(), Some(month("2026-11")));
        assert!(town.view(other).await.timeline.iter().all(|step| step.act != "life_event"));
        let before = town.view(case).await;
        assert!(before.timeline.iter().any(|step| step.act == "life_event" && step.opinion.contains("死亡 2026-10-20")));
        assert_eq!(before.evidence.len(), 1, "the proof lies in the case");

        let ending = ActInput { grounds: vec!["all_died".to_owned()], from: Some(month("2026-11")), ..saying("因死亡终止") };
        town.act(&town.district, case, "close_after_death", ending).await.unwrap();
        let after = town.view(case).await;
        assert_eq!(after.row.case.kind, StateKind::Final);
        let right = ledger::entitlement(town.db.conn(), &town.district, after.row.case.entitlement.unwrap()).await.unwrap().unwrap();
        assert_eq!(right.due(month("2026-10")), Money::from_fen(137_500));
        assert_eq!(right.standing(month("2026-11")), Standing::Ended);
        assert_eq!(right.standing(month("2026-12")), Standing::Ended);
        let owed = ledger::recoveries_of(town.db.conn(), &town.district, person).await.unwrap();
        // 1 month × 1,375.00 = 1,375.00
        assert_eq!((owed.len(), owed[0].total), (1, Money::from_fen(137_500)));
        assert!(tasks(&town, &town.district, TaskKind::Redecide).await.is_empty());
        let (_, lines) = view(&town.db, &town.window, event).await.unwrap().unwrap();
        assert!(lines.iter().filter(|line| line.case.is_some()).all(|line| line.closed_on.is_some()));
        assert!(store::journal::verify(&town.db).await.unwrap().is_intact());
    }

    async fn eighty_years_raise_the_allowance_from_the_month_of_the_birthday_and_once(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        town.to_day("2026-09-01");
        // Born 22 November 1946: eighty on 22 November 2026. Bao'an pays 200.00 from seventy and 300.00 from eighty.
        let (_, _, case) = elder(&town, &id_number("440306194611220", 1)).await;
        // Seventy-nine in that month: not touched.
        let (_, _, younger) = elder(&town, &id_number("440306194711220", 1)).await;
        town.to_day("2026-11-20");
        assert_eq!(tick(&town.db, &town.desk).await.unwrap().events, 0);
        // Nobody called for three days; the missed ones are made up for.
        town.to_day("2026-11-23");
        let done = tick(&town.db, &town.desk).await.unwrap();
        assert_eq!((done.days, done.birthdays, done.events), (3, 1, 1));
        let (one, two) = tokio::join!(tick(&town.db, &town.desk), tick(&town.db, &town.desk));
        assert_eq!(one.unwrap().events + two.unwrap().events, 0);
        let events = list(&town.db, &town.window, &EventFilter::default(), 0, 9).await.unwrap();
        assert_eq!((events.total, events.rows[0].kind, events.rows[0].detail.as_str()), (1, Kind::Age, "80"));
        let (_, lines) = view(&town.db, &town.window, events.rows[0].id).await.unwrap().unwrap();
        let line = lines.iter().find(|line| line.programme == "old_age_allowance").unwrap();
        assert_eq!((line.differs, line.before, line.after), (Differs::More, Some(Money::from_fen(20_000)), Some(Money::from_fen(30_000))));
        // The rule starts in the month of application, here the month of the birthday.
        assert_eq!(line.from, Some(month("2026-11")));
        assert_eq!(tasks(&town, &town.reviewer, TaskKind::Redecide).await, [case]);
        assert!(town.view(younger).await.timeline.iter().all(|step| step.act != "life_event"));

        town.act(&town.reviewer, case, "change", ActInput { from: line.from, ..saying("满八十周岁") }).await.unwrap();
        let right = town.view(case).await.row.case.entitlement.unwrap();
        let right = ledger::entitlement(town.db.conn(), &town.district, right).await.unwrap().unwrap();
        assert_eq!((right.due(month("2026-10")), right.due(month("2026-11"))), (Money::from_fen(20_000), Money::from_fen(30_000)));
        assert!(tasks(&town, &town.reviewer, TaskKind::Redecide).await.is_empty());
    }

    async fn whoever_turns_seventy_is_a_lead_until_somebody_has_seen_to_it(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        town.to_day("2026-11-21");
        let person = town.person(&id_number("440306195611220", 2), "陈七十", None).await;
        let household = town.household(person, &[]).await;
        tick(&town.db, &town.desk).await.unwrap();
        assert_eq!(lead::open_count(&town.db, &town.window).await.unwrap(), 0);
        town.to_day("2026-11-22");
        tick(&town.db, &town.desk).await.unwrap();
        let pays = LeadFilter { programme: Some("old_age_allowance".to_owned()), ..LeadFilter::default() };
        let sorted = (LeadSort::Place, false);
        let found = lead::list(&town.db, &town.window, &pays, sorted, 0, 9).await.unwrap();
        assert_eq!(found.total, 1);
        let one = &found.rows[0];
        assert_eq!((one.household, one.person, one.due, one.kind), (household, Some(person), Some(Money::from_fen(20_000)), lead::Kind::Due));
        assert!(matches!(one.source, lead::Source::Event(_)) && one.subject == "陈*十", "{one:?}");
        // The community beside sees neither it nor its count.
        assert_eq!(lead::list(&town.db, &town.neighbour, &pays, sorted, 0, 9).await.unwrap().total, 0);
        assert_eq!(lead::funnel(&town.db, &town.neighbour, &pays).await.unwrap()[&LeadState::Found], 0);
        assert!(lead::view(&town.db, &town.neighbour, &town.desk, one.id).await.unwrap().is_none());
        let seen = lead::view(&town.db, &town.window, &town.desk, one.id).await.unwrap().unwrap();
        assert_eq!(seen.now.unwrap().outcome, policy::Outcome::Met);
        let today = town.db.today();
        // What a sweep finds about the same is the same lead; what it finds no more is settled only once its month has come.
        let again = lead::Finding {
            household, region: one.region, person: Some(person), programme: one.programme.clone(), kind: lead::Kind::Due,
            due: one.due, paid: Money::ZERO, missing: Vec::new(),
        };
        let mut tx = town.db.begin().await.unwrap();
        let filed = lead::find(&mut tx, &town.window, std::slice::from_ref(&again), lead::Source::Sweep, today).await.unwrap();
        assert_eq!((filed.new, filed.leads), (0, vec![one.id]));
        tx.commit().await.unwrap();
        let none = std::collections::BTreeSet::new();
        let settled = lead::settle(&town.db, &town.window, &[lead::Kind::Due], &none, town.db.today()).await.unwrap();
        assert!(lead::view(&town.db, &town.window, &town.desk, one.id).await.unwrap().unwrap().lead.state == LeadState::Found, "{settled}");

        let mut tx = town.db.begin().await.unwrap();
        let gone = Some(lead::DismissReason::NotWanted);
        assert_eq!(lead::visit(&mut tx, &town.window, one.id, " ").await.unwrap(), Err(lead::Refused::NoteMissing));
        assert_eq!(lead::visit(&mut tx, &town.neighbour, one.id, "x").await.unwrap(), Err(lead::Refused::NotThere));
        lead::visit(&mut tx, &town.window, one.id, "已上门，再想想").await.unwrap().unwrap();
        assert_eq!(lead::dismiss(&mut tx, &town.window, one.id, None, "x").await.unwrap(), Err(lead::Refused::ReasonMissing));
        assert_eq!(lead::dismiss(&mut tx, &town.window, one.id, gone, " ").await.unwrap(), Err(lead::Refused::GroundsMissing));
        lead::dismiss(&mut tx, &town.window, one.id, gone, "已上门告知").await.unwrap().unwrap();
        assert_eq!(lead::visit(&mut tx, &town.window, one.id, "又去").await.unwrap(), Err(lead::Refused::Closed));
        // Found again as it was, nobody is sent twice; found otherwise, it is another lead.
        let filed = lead::find(&mut tx, &town.window, std::slice::from_ref(&again), lead::Source::Sweep, today).await.unwrap();
        assert_eq!((filed.new, filed.leads), (0, vec![one.id]));
        let other = lead::Finding { kind: lead::Kind::NotDue, paid: Money::from_fen(20_000), ..again };
        let filed = lead::find(&mut tx, &town.window, &[other], lead::Source::Sweep, today).await.unwrap();
        assert_eq!(filed.new, 1);
        // Nothing is in payment that could be looked at again.
        let refused = lead::send_to_review(&mut tx, &town.window, &town.desk, filed.leads[0]).await.unwrap();
        assert_eq!(refused, Err(lead::Refused::NothingInPayment));
        tx.commit().await.unwrap();
        let counts = lead::funnel(&town.db, &town.window, &pays).await.unwrap();
        assert_eq!((counts[&LeadState::Found], counts[&LeadState::Dismissed]), (1, 1));
    }

    async fn a_fact_that_ends_reopens_what_was_paid_by_it_and_nothing_else(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        town.to_day("2026-09-01");
        // Seriously ill until 22 November, certified; well from then on. 1,250.00 + 312.50 for the illness (the higher of
        // it and 125.00 for her age) = 1,562.50; without it 1,250.00 + 125.00 = 1,375.00.
        let person = town.person(&id_number("440306195402030", 5), "何独居", None).await;
        let household = town.household(person, &[]).await;
        nothing_but(&town, household, person, &["major_illness"]).await;
        town.find(person, "deposits", Value::Int(0)).await.ok();
        for (value, period) in [
            (true, Period { from: None, until: Some(day("2026-11-22")) }),
            (false, Period::since(day("2026-11-22"))),
        ] {
            let given = DatedFact { source: "医疗机构诊断".to_owned(), period, ..DatedFact::plain(Value::Bool(value)) };
            let mut tx = town.db.begin().await.unwrap();
            registry::record_fact(&mut tx, &town.district, Subject::Person(person), "major_illness", given).await.unwrap().unwrap();
            tx.commit().await.unwrap();
        }
        let case = taken_over(&town, household, None, person, "dibao", 156_250).await;
        let (_, _, other) = alone(&town, 6).await;
        town.to_day("2026-11-21");
        assert_eq!(tick(&town.db, &town.desk).await.unwrap().events, 0);
        town.to_day("2026-11-22");
        let done = tick(&town.db, &town.desk).await.unwrap();
        assert_eq!((done.ended, done.events), (1, 1));
        assert_eq!(tick(&town.db, &town.desk).await.unwrap().events, 0, "once");
        let events = list(&town.db, &town.window, &EventFilter::default(), 0, 9).await.unwrap();
        assert_eq!((events.total, events.rows[0].kind, events.rows[0].detail.as_str()), (1, Kind::FactEnded, "major_illness"));
        let (_, lines) = view(&town.db, &town.window, events.rows[0].id).await.unwrap().unwrap();
        let line = lines.iter().find(|line| line.case.as_ref().is_some_and(|(id, _)| *id == case)).unwrap();
        // November began before the day; the first whole month is December.
        assert_eq!(
            (line.differs, line.before, line.after, line.from),
            (Differs::Less, Some(Money::from_fen(156_250)), Some(Money::from_fen(137_500)), Some(month("2026-12")))
        );
        // Less is heard first: at the window or the street.
        assert_eq!(tasks(&town, &town.window, TaskKind::Redecide).await, [case]);
        assert!(town.view(other).await.timeline.iter().all(|step| step.act != "life_event"));
        assert_eq!(tasks(&town, &town.district, TaskKind::Redecide).await, []);
    }

    async fn a_household_that_moves_takes_its_case_its_tasks_and_its_money_along(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (household, _, case) = alone(&town, 2).await;
        town.to_day("2027-02-01");
        tick(&town.db, &town.desk).await.unwrap();
        let mut next = town.reviewer.clone();
        next.region = region(NEXT);
        assert_eq!(tasks(&town, &town.reviewer, TaskKind::Review).await, [case]);
        assert!(tasks(&town, &next, TaskKind::Review).await.is_empty());
        assert!(casework::view::case(&town.db, &town.neighbour, &town.desk, case).await.unwrap().is_none());

        let moving = |to: &str| NewEvent {
            household,
            happened: Happened::House { to: region(to), address: "流塘路 8 号".to_owned() },
            on: day("2027-02-01"),
            source: "本人申报".to_owned(),
            evidence: None,
        };
        // The window of one community cannot send people to another.
        assert!(matches!(recorded(&town, &town.window, moving(NEXT)).await, Err(Refused::Register(_))));
        assert!(matches!(recorded(&town, &town.reviewer, moving(HOME)).await, Err(Refused::Register(_))));
        // Nor the street to another street; the district, which holds both, can, and back again.
        const AWAY: &str = "440306018001";
        assert!(matches!(recorded(&town, &town.reviewer, moving(AWAY)).await, Err(Refused::Register(_))));
        recorded(&town, &town.district, moving(AWAY)).await.unwrap();
        assert!(tasks(&town, &town.reviewer, TaskKind::Review).await.is_empty());
        let seen = casework::view::case(&town.db, &town.district, &town.desk, case).await.unwrap().unwrap();
        assert_eq!(seen.row.case.region, region(AWAY));
        assert!(casework::view::case(&town.db, &town.reviewer, &town.desk, case).await.unwrap().is_none());
        let home = NewEvent { on: day("2027-02-02"), ..moving(HOME) };
        town.to_day("2027-02-02");
        recorded(&town, &town.district, home).await.unwrap();
        recorded(&town, &town.reviewer, NewEvent { on: day("2027-02-02"), ..moving(NEXT) }).await.unwrap();
        assert!(casework::view::case(&town.db, &town.window, &town.desk, case).await.unwrap().is_none());
        let seen = casework::view::case(&town.db, &town.neighbour, &town.desk, case).await.unwrap().unwrap();
        assert_eq!(seen.row.case.region, region(NEXT));
        assert_eq!(tasks(&town, &next, TaskKind::Review).await, [case]);
        let right = seen.row.case.entitlement.unwrap();
        assert!(ledger::entitlement(town.db.conn(), &town.neighbour, right).await.unwrap().is_some());
        assert!(ledger::entitlement(town.db.conn(), &town.window, right).await.unwrap().is_none());
        assert!(registry::household(&town.db, &town.window, household).await.unwrap().is_none());
        assert!(registry::household(&town.db, &town.neighbour, household).await.unwrap().is_some());
    }
}

#[test]
fn the_ages_that_matter_are_read_from_the_rules() {
    let desk = desk();
    let ages = policy::touches::ages(
        &desk.book,
        "birth_date",
        day("2026-11-22"),
        region("440306"),
    );
    let of = |programme: &str| -> Vec<u16> { ages[programme].iter().copied().collect() };
    assert_eq!(of("old_age_allowance"), [70, 80, 90, 100]);
    assert!(of("dibao").contains(&18), "{:?}", of("dibao"));
    assert!(of("children_hardship").contains(&18));
}
