//! Periodic reviews (定期核查): due by class and by the working calendar, done, repeated, once however often asked.

use super::packs::with_replaced;
use super::town::*;
use access::Scope;
use casework::Desk;
use casework::life_event::tick;
use casework::procedure::TaskKind;
use casework::review::{Call, Differs, ReviewFilter, ReviewRow, UNKNOWN_CLASS, call, counts, list};
use casework::take_over::TakeOver;
use casework::todo::{TodoFilter, todo};
use registry::Subject;
use std::sync::Arc;
use store::TestClock;
use vocab::ids::{CaseId, HouseholdId, PersonId};
use vocab::{DatedFact, Money, Month, Value};

/// The periods of the place, one of them made quarterly.
fn quarterly() -> Desk {
    with_replaced(&[(
        "national/dibao/rules.toml",
        "unstable = \"6 months\"",
        "unstable = \"quarterly\"",
    )])
}

/// One old person, born 1954, alone, taken over from the old system with 1,375.00 a month from September 2026:
/// the standard of 1,250.00 and 125.00 more for somebody over sixty.
pub async fn alone(town: &Town, sequence: u32) -> (HouseholdId, PersonId, CaseId) {
    let person = town
        .person(&id_number("440306195402030", sequence), "何独居", None)
        .await;
    let household = town.household(person, &[]).await;
    let case = taken_over(town, household, None, person, "dibao", 137_500).await;
    (household, person, case)
}

/// A case of the old system, paid so many fen a month from September 2026 on.
pub async fn taken_over(
    town: &Town,
    household: HouseholdId,
    member: Option<PersonId>,
    person: PersonId,
    programme: &str,
    fen: i64,
) -> CaseId {
    let one = TakeOver {
        household,
        member,
        programme: programme.to_owned(),
        applicant: person,
        decided_on: day("2025-03-01"),
        old_number: "宝民〔2025〕7号".to_owned(),
        amount: Money::from_fen(fen),
        from: "2026-09".parse().unwrap(),
        covered: if member.is_none() {
            vec![person]
        } else {
            Vec::new()
        },
    };
    let system = Scope::system(town.desk.book.place().division);
    let mut tx = town.db.begin().await.unwrap();
    let answers = casework::take_over::take_over(&mut tx, &system, &town.desk, &[one])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    answers[0].clone().unwrap()
}

/// Everything the rules want to know of somebody alone without income but for these; 1,375.00 is due (2026, Bao'an).
pub async fn nothing_but(town: &Town, household: HouseholdId, person: PersonId, but: &[&str]) {
    for (fact, value) in [
        ("absence", Value::Text("none".to_owned())),
        ("in_tekun", Value::Bool(false)),
        ("income_statement_complete", Value::Bool(true)),
        ("property_statement_complete", Value::Bool(true)),
        ("disability_level", Value::Text("none".to_owned())),
        ("major_illness", Value::Bool(false)),
    ] {
        if !but.contains(&fact) {
            town.record(person, fact, value, "本人申报").await;
        }
    }
    class(town, household, "houses", Value::Int(1)).await;
}

async fn class(town: &Town, household: HouseholdId, fact: &str, value: Value) {
    let mut tx = town.db.begin().await.unwrap();
    let given = DatedFact {
        source: "街道核查认定".to_owned(),
        ..DatedFact::plain(value)
    };
    registry::record_fact(
        &mut tx,
        &town.district,
        Subject::Household(household),
        fact,
        given,
    )
    .await
    .unwrap()
    .unwrap();
    tx.commit().await.unwrap();
}

async fn ahead(town: &Town) -> Vec<ReviewRow> {
    list(
        &town.db,
        &town.reviewer,
        &town.desk,
        &ReviewFilter::default(),
        0,
        50,
    )
    .await
    .unwrap()
    .rows
}

pub async fn review_tasks(town: &Town, who: &Scope, kind: TaskKind) -> Vec<casework::TaskRow> {
    let filter = TodoFilter {
        kinds: vec![kind],
        ..TodoFilter::default()
    };
    todo(&town.db, who, &town.desk, &filter, 0, 50)
        .await
        .unwrap()
        .rows
}

fixtures::db_tests! {
    migrations = casework::migrations();

    async fn something_from_outside_calls_for_the_one_review_of_a_case_before_its_day(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::with(db, clock, quarterly()).await;
        let (household, person, case) = alone(&town, 3).await;
        nothing_but(&town, household, person, &[]).await;
        tick(&town.db, &town.desk).await.unwrap();
        let before = ahead(&town).await;
        let opened = review_tasks(&town, &town.reviewer, TaskKind::Review).await.len();

        let called = |grounds: &str, due: &str| Call {
            occasion: "预警（名下有车）".to_owned(),
            grounds: grounds.to_owned(),
            due_on: day(due),
        };
        let call_it = async |scope: &Scope, one: Call| {
            let mut tx = town.db.begin().await.unwrap();
            let made = call(&mut tx, scope, &town.desk, case, &one).await.unwrap();
            tx.commit().await.unwrap();
            made
        };
        let first = call_it(&town.reviewer, called("邻居说在开网约车", "2026-09-20")).await.unwrap();
        // Called again, it is the same task, and the earlier day holds.
        let again = call_it(&town.reviewer, called("又看见一次", "2026-10-20")).await.unwrap();
        assert_eq!(first, again);
        let tasks = review_tasks(&town, &town.reviewer, TaskKind::Review).await;
        assert_eq!(tasks.len(), opened.max(1));
        let task = tasks.iter().find(|task| task.task == first).unwrap();
        assert_eq!(task.due_on, Some(day("2026-09-20")));
        assert!(task.detail.contains("预警（名下有车），请核实") && !task.detail.contains("邻居"), "{}", task.detail);
        let timeline = town.view(case).await.timeline;
        let told = timeline.iter().find(|step| step.zh == "转来复核").unwrap();
        assert!(told.opinion.contains("邻居说在开网约车"), "{}", told.opinion);

        // The calendar knows it: no second task comes when its day is near, and still one review is ahead.
        town.to_day("2027-05-01");
        tick(&town.db, &town.desk).await.unwrap();
        assert_eq!(review_tasks(&town, &town.reviewer, TaskKind::Review).await.len(), 1);
        assert_eq!(ahead(&town).await.len(), before.len());
        // Out of reach, nothing is called and nothing written.
        let elsewhere = Scope { region: region(NEXT), ..town.reviewer.clone() };
        assert_eq!(call_it(&elsewhere, called("越权", "2026-09-20")).await, None);
    }

    async fn a_quarterly_review_is_due_by_the_working_calendar_and_opens_once(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::with(db, clock, quarterly()).await;
        // Three months from 27 June 2026 end on 27 September, a Sunday and the last day of Mid-Autumn; so 28 September.
        town.to_day("2026-06-27");
        let (_, _, case) = alone(&town, 2).await;
        let seen = ahead(&town).await;
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].due_on, seen[0].class.as_str(), seen[0].opened), (day("2026-09-28"), UNKNOWN_CLASS, false));
        // Thirty days ahead is 29 August: nothing the day before, one task that day, also for two at once.
        town.to_day("2026-08-28");
        assert_eq!(tick(&town.db, &town.desk).await.unwrap().reviews.opened, 0);
        town.to_day("2026-08-29");
        let (one, two) = tokio::join!(tick(&town.db, &town.desk), tick(&town.db, &town.desk));
        assert_eq!(one.unwrap().reviews.opened + two.unwrap().reviews.opened, 1);
        assert_eq!(tick(&town.db, &town.desk).await.unwrap().reviews.opened, 0);
        let tasks = review_tasks(&town, &town.reviewer, TaskKind::Review).await;
        assert_eq!((tasks.len(), tasks[0].due_on, tasks[0].row.case.id), (1, Some(day("2026-09-28")), case));
        // The list, its figures and its months agree.
        let figures = counts(&town.db, &town.reviewer, &ReviewFilter::default()).await.unwrap();
        assert_eq!((figures.ahead, figures.overdue, figures.done), (1, 0, 0));
        let of = |month: &str| ReviewFilter { month: Some(month.parse::<Month>().unwrap()), ..ReviewFilter::default() };
        assert_eq!(list(&town.db, &town.reviewer, &town.desk, &of("2026-09"), 0, 9).await.unwrap().total, 1);
        assert_eq!(list(&town.db, &town.reviewer, &town.desk, &of("2026-10"), 0, 9).await.unwrap().total, 0);
        assert_eq!(list(&town.db, &town.neighbour, &town.desk, &ReviewFilter::default(), 0, 9).await.unwrap().total, 0);
        assert!(store::journal::verify(&town.db).await.unwrap().is_intact());
    }

    async fn a_review_that_finds_nothing_sets_the_next_by_class_and_one_that_lacks_a_fact_says_which(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (household, person, case) = alone(&town, 2).await;
        // Taken over on 1 September, no class known: half a year, 1 March 2027, shown a month ahead.
        assert_eq!(ahead(&town).await[0].due_on, day("2027-03-01"));
        town.to_day("2027-02-01");
        tick(&town.db, &town.desk).await.unwrap();
        assert_eq!(review_tasks(&town, &town.reviewer, TaskKind::Review).await.len(), 1);

        // Nothing is known of her: the review stays open and names what is missing.
        town.act(&town.reviewer, case, "periodic_review", saying("已上门")).await.unwrap();
        let tasks = review_tasks(&town, &town.reviewer, TaskKind::Review).await;
        assert_eq!((tasks.len(), tasks[0].due_on), (1, Some(day("2027-03-01"))));
        assert!(tasks[0].detail.contains("缺少："), "{}", tasks[0].detail);
        assert_eq!(ahead(&town).await[0].due_on, day("2027-03-01"));

        // All is known and as it was; the street calls the household stable: the next is a year later.
        nothing_but(&town, household, person, &[]).await;
        town.find(person, "deposits", Value::Int(0)).await.ok();
        class(&town, household, "dibao_review_class", Value::Text("stable".to_owned())).await;
        town.act(&town.reviewer, case, "periodic_review", saying("情况未变")).await.unwrap();
        let seen = ahead(&town).await;
        assert_eq!((seen.len(), seen[0].class.as_str(), seen[0].opened), (1, "stable", false), "{:?}", seen[0].said);
        assert_eq!(seen[0].due_on, day("2028-02-01"));
        assert!(review_tasks(&town, &town.reviewer, TaskKind::Review).await.is_empty());
        assert!(review_tasks(&town, &town.district, TaskKind::Redecide).await.is_empty());
        let done = ReviewFilter { done: true, ..ReviewFilter::default() };
        let done = list(&town.db, &town.reviewer, &town.desk, &done, 0, 9).await.unwrap();
        assert_eq!((done.total, done.rows[0].found), (1, Some(Differs::Not)));
    }

    async fn a_class_may_be_what_a_rule_works_out_of_each_person(db: store::Db, clock: Arc<TestClock>) {
        // Grown orphans at school quarterly, all others yearly: the class is a variable of the programme.
        let desk = with_replaced(&[
            ("national/orphan_allowance/rules.toml", "[benefit]\n", "[benefit]\nreview = { true = \"quarterly\", false = \"yearly\" }\n"),
            ("national/orphan_allowance/procedure.toml", "[review]\n", "[review]\nby = \"grown_orphan_at_school\"\n"),
        ]);
        let town = Town::with(db, clock, desk).await;
        town.to_day("2026-09-01");
        let mut expected = Vec::new();
        // Decided on 1 March 2025. Whoever is not on the orphans' files was none before eighteen (the rule says so); of
        // whoever is and may study nobody knows, so as the strictest class. Three months: 1 June, the Dragon Boat holiday until
        // 2 June, so 3 June 2025. Twelve months: 1 March 2026, a Sunday, so 2 March.
        for (number, before_adult, study, class, due) in [
            (1, Some(true), None, UNKNOWN_CLASS, "2025-06-03"),
            (2, Some(true), Some("upper_secondary"), "true", "2025-06-03"),
            (3, None, None, "false", "2026-03-02"),
        ] {
            let person = town.person(&id_number("440306200802030", number), "何同学", None).await;
            if let Some(before_adult) = before_adult {
                town.record(person, "orphan_before_adult", Value::Bool(before_adult), "民政").await;
                town.record(person, "orphan_continues_at_school", Value::Bool(true), "民政").await;
            }
            if let Some(study) = study {
                town.record(person, "study", Value::Text(study.to_owned()), "学校").await;
            }
            let household = town.household(person, &[]).await;
            let case = taken_over(&town, household, Some(person), person, "orphan_allowance", 200_000).await;
            expected.push((case, class.to_owned(), day(due)));
        }
        // As cases of an older program, which kept no reviews: the day's work makes up for them, by class.
        let none = "DELETE FROM casework_review";
        let tx = town.db.begin().await.unwrap();
        sea_orm::ConnectionTrait::execute_unprepared(tx.conn(), none).await.unwrap();
        tx.commit().await.unwrap();
        tick(&town.db, &town.desk).await.unwrap();
        let mut seen: Vec<_> = ahead(&town).await.into_iter().map(|row| (row.row.case.id, row.class, row.due_on)).collect();
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
    }

    async fn a_review_that_finds_less_goes_to_a_hearing_and_then_to_the_district(db: store::Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let (family, case, _) = town.dibao_case().await;
        town.verify(&family).await;
        town.grant(case).await;
        // Granted on 10 September; half a year is 10 March 2027.
        assert_eq!(ahead(&town).await[0].due_on, day("2027-03-10"));
        town.to_day("2027-02-08");
        tick(&town.db, &town.desk).await.unwrap();
        // She earns 200.00 a month now.
        town.record(family.widow, "wage", Value::Int(20_000), "社保").await;
        town.act(&town.reviewer, case, "periodic_review", saying("有工资收入")).await.unwrap();
        let of = |who| review_tasks(&town, who, TaskKind::Redecide);
        // The hearing first, at the window or the street; the district has nothing to do yet.
        assert_eq!((of(&town.window).await.len(), of(&town.district).await.len()), (1, 0));
        town.act(&town.window, case, "hear", saying("本人无异议")).await.unwrap();
        assert_eq!((of(&town.window).await.len(), of(&town.district).await.len()), (0, 1));
        town.act(&town.district, case, "change", saying("减发")).await.unwrap();
        assert_eq!(of(&town.district).await.len(), 0);
        assert_eq!(ahead(&town).await.len(), 1);
    }
}
