//! Statistics (统计) after random acts: what was kept up in differences equals a recount, on both databases.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../../casework/tests/desk/town.rs"]
#[expect(
    dead_code,
    reason = "the walk of casework's own tests; this file goes a part of it"
)]
mod town;

use access::Scope;
use batch::statistics::{self, Asked, Measure, Numbers};
use casework::life_event::{Happened, NewEvent, record};
use casework::take_over::TakeOver;
use ledger::{LineFilter, NewPayRun, RightFilter};
use registry::bulk::{BulkHousehold, BulkMember};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Db, TestClock};
use town::{HOME, NEXT, Town, day, region};
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Document, DocumentKind, Kinship, Money, Month, Region, Sex};

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn nation() -> Scope {
    Scope::system(Region::NATION)
}

/// People of eighty and more, each alone in a household of the first community.
async fn elders(town: &Town, count: u32) -> Vec<(HouseholdId, PersonId)> {
    let households = (1..=count).map(|number| {
        let body = format!("44030619380101{number:03}");
        let check = vocab::id_number::check_digit(&body).unwrap();
        let document = Document::read(
            DocumentKind::ResidentId,
            &format!("{body}{check}"),
            day("2026-06-01"),
        )
        .unwrap();
        BulkHousehold {
            roster_number: None,
            region: region(HOME),
            address: "海裕社区 3 栋 401".to_owned(),
            since: day("2020-01-01"),
            members: vec![BulkMember {
                name: format!("张{number}"),
                sex: document.sex().unwrap_or(Sex::Unknown),
                birth_date: document.birth_date(),
                document,
                phone: None,
                hukou: Some(region(HOME)),
                kinship: Kinship::head(),
                account: None,
                facts: Vec::new(),
            }],
            facts: Vec::new(),
        }
    });
    registry::bulk::load(&town.db, &nation(), households, |_| {})
        .await
        .unwrap();
    let mut found = Vec::new();
    for (id, _) in registry::households::list_ids(&town.db, &nation(), None, 1_000)
        .await
        .unwrap()
    {
        let today = town.db.today();
        let home = registry::households::household_view(&town.db, &nation(), id, today)
            .await
            .unwrap()
            .unwrap();
        found.push((id, home.members[0].person.id));
    }
    found
}

async fn take_over(town: &Town, some: &[(HouseholdId, PersonId)], decided: &str) {
    let many: Vec<TakeOver> = some
        .iter()
        .map(|(household, person)| TakeOver {
            household: *household,
            member: Some(*person),
            programme: "old_age_allowance".to_owned(),
            applicant: *person,
            decided_on: day(decided),
            old_number: format!("宝民〔2024〕{person}号"),
            amount: Money::from_fen(20_000),
            from: month("2026-06"),
            covered: Vec::new(),
        })
        .collect();
    let mut tx = town.db.begin().await.unwrap();
    let scope = Scope::system(town.desk.book.place().division);
    let answers = casework::take_over::take_over(&mut tx, &scope, &town.desk, &many)
        .await
        .unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    tx.commit().await.unwrap();
}

async fn move_house(town: &Town, household: HouseholdId, to: &str) {
    let new = NewEvent {
        household,
        happened: Happened::House {
            to: region(to),
            address: "流塘路 8 号".to_owned(),
        },
        on: town.db.today(),
        source: "本人申报".to_owned(),
        evidence: None,
    };
    let mut tx = town.db.begin().await.unwrap();
    record(&mut tx, &town.reviewer, &town.desk, new)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
}

/// A run of a month, released or cancelled.
async fn pay(town: &Town, of: Month, release: bool) {
    let new = NewPayRun {
        month: of,
        region: region("440306"),
        programmes: None,
    };
    let mut tx = town.db.begin().await.unwrap();
    let run = ledger::propose(&mut tx, &town.finance, &new, &ledger::Obstacles::default())
        .await
        .unwrap()
        .unwrap();
    if release {
        tx.commit().await.unwrap();
        ledger::release(
            &town.db,
            &town.district,
            run.id,
            &run.id.to_string(),
            &ledger::Obstacles::default(),
        )
        .await
        .unwrap()
        .unwrap();
    } else {
        ledger::cancel(&mut tx, &town.finance, run.id)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
    }
}

async fn sums(
    db: &Db,
    scope: &Scope,
    months: &[&str],
    at: &str,
) -> BTreeMap<(Measure, Month), Numbers> {
    let asked = Asked {
        months: months.iter().map(|text| month(text)).collect(),
        region: region(at),
        programme: None,
        divided: false,
    };
    statistics::months(db, scope, &asked).await.unwrap()
}

/// The same chances every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

fixtures::db_tests! {
    migrations = batch::migrations();

    async fn differences_come_to_the_same_as_a_recount_after_random_acts(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let elders = elders(&town, 24).await;
        let mut chance = Chance(11);
        let (mut taken, mut places) = (0, vec![HOME; elders.len()]);
        let mut unpaid = ["2026-07", "2026-08", "2026-09"].into_iter();
        for _ in 0..36 {
            match chance.below(5) {
                0 if taken < elders.len() => {
                    let next = (taken + 1 + chance.below(3)).min(elders.len());
                    let on = ["2026-05-31", "2026-06-01", "2026-08-15"][chance.below(3)];
                    take_over(&town, &elders[taken..next], on).await;
                    taken = next;
                }
                1 if taken > 0 => {
                    let who = chance.below(taken);
                    places[who] = if places[who] == HOME { NEXT } else { HOME };
                    move_house(&town, elders[who].0, places[who]).await;
                }
                2 if taken > 0 => {
                    if let Some(next) = unpaid.next() {
                        pay(&town, month(next), false).await;
                        pay(&town, month(next), true).await;
                    }
                }
                3 => {
                    // Two at once do the work of one.
                    let (one, other) = tokio::join!(statistics::keep_up(&town.db), statistics::keep_up(&town.db));
                    assert_eq!(one.unwrap().seq, other.unwrap().seq);
                }
                _ => {}
            }
        }
        // A case that goes the whole way, its numbers followed at every step.
        let (family, case, _) = town.dibao_case().await;
        statistics::keep_up(&town.db).await.unwrap();
        town.verify(&family).await;
        town.grant(case).await;
        assert_eq!(statistics::check(&town.db).await.unwrap(), Vec::new());

        // Hers is the one case handed in in September; it is decided in the same month, for three people.
        let at = |measure| (measure, month("2026-09"));
        let september = sums(&town.db, &nation(), &["2026-09"], "440306").await;
        let hers = Numbers { count: 1, persons: 3, fen: 0 };
        assert_eq!((september[&at(Measure::Applied)], september[&at(Measure::Decided)]), (hers, hers));
        // Every elder taken over was handed in on one of the three days.
        let handed_in = sums(&town.db, &nation(), &["2026-05", "2026-06", "2026-08"], "440306").await;
        let all: i64 = handed_in.iter().filter(|((one, _), _)| *one == Measure::Applied).map(|(_, n)| n.count).sum();
        assert_eq!(usize::try_from(all).unwrap(), taken);
        // What was paid is what the ledger's own list adds up to, month by month, and in each community.
        for (place, text) in [("440306", "2026-07"), (HOME, "2026-07"), (NEXT, "2026-08"), ("440306", "2026-09")] {
            let filter = LineFilter {
                month: Some(month(text)),
                region: Some(region(place)),
                released: true,
                ..LineFilter::default()
            };
            let listed = ledger::line_totals(town.db.conn(), &nation(), &filter).await.unwrap();
            let kept = sums(&town.db, &nation(), &[text], place).await;
            let kept = kept.get(&(Measure::Paid, month(text))).copied().unwrap_or_default();
            let counted = (u64::try_from(kept.count).unwrap(), u64::try_from(kept.persons).unwrap(), kept.fen);
            assert_eq!(counted, (listed.lines, listed.persons, listed.net.fen()), "{place} {text}");
        }

        // What is in payment is what the ledger's own list holds, month by month, and before anybody was.
        for (place, text) in [("440306", "2026-05"), ("440306", "2026-06"), (HOME, "2026-08"), (NEXT, "2026-10"), ("440306", "2026-12")] {
            let filter = RightFilter {
                month: month(text),
                programme: None,
                region: Some(region(place)),
            };
            let listed = ledger::right_totals(&town.db, &nation(), &filter).await.unwrap();
            let kept = sums(&town.db, &nation(), &[text], place).await;
            let kept = kept.get(&(Measure::InPayment, month(text))).copied().unwrap_or_default();
            let counted = (u64::try_from(kept.count).unwrap(), u64::try_from(kept.persons).unwrap(), kept.fen);
            assert_eq!(counted, (listed.rights, listed.persons, listed.amount.fen()), "{place} {text}");
            let rows = ledger::rights_in_payment(&town.db, &nation(), &filter, 0, 1_000).await.unwrap();
            assert_eq!(rows.total, listed.rights, "{place} {text}");
            let due: i64 = rows.rows.iter().map(|right| right.due(month(text)).fen()).sum();
            assert_eq!(due, listed.amount.fen(), "{place} {text}: as each right says of itself");
        }

        // Counted anew they are the same; and following goes on from there.
        let before = sums(&town.db, &nation(), &["2026-05", "2026-07", "2026-09"], HOME).await;
        statistics::rebuild(&town.db).await.unwrap();
        assert_eq!(sums(&town.db, &nation(), &["2026-05", "2026-07", "2026-09"], HOME).await, before);
        move_house(&town, elders[0].0, if places[0] == HOME { NEXT } else { HOME }).await;
        assert_eq!(statistics::check(&town.db).await.unwrap(), Vec::new());
    }

    async fn an_officer_of_another_community_sees_no_number_of_this_one(db: Db, clock: Arc<TestClock>) {
        let town = Town::new(db, clock).await;
        let elders = elders(&town, 3).await;
        take_over(&town, &elders, "2026-06-01").await;
        statistics::keep_up(&town.db).await.unwrap();
        let applied = (Measure::Applied, month("2026-06"));
        let three = Numbers { count: 3, persons: 3, fen: 0 };
        assert_eq!(sums(&town.db, &town.window, &["2026-06"], "440306").await[&applied], three);
        assert!(sums(&town.db, &town.neighbour, &["2026-06"], "440306").await.is_empty());
        assert!(sums(&town.db, &town.neighbour, &["2026-06"], HOME).await.is_empty());
        // Moving takes the number along.
        move_house(&town, elders[1].0, NEXT).await;
        statistics::keep_up(&town.db).await.unwrap();
        assert_eq!(sums(&town.db, &town.window, &["2026-06"], HOME).await[&applied].count, 2);
        assert_eq!(sums(&town.db, &town.neighbour, &["2026-06"], NEXT).await[&applied].count, 1);
    }

    async fn a_number_that_was_tampered_with_is_named_and_mended(db: Db, clock: Arc<TestClock>) {
        use store::orm::ConnectionTrait;
        let town = Town::new(db, clock).await;
        let elders = elders(&town, 2).await;
        take_over(&town, &elders, "2026-06-01").await;
        statistics::keep_up(&town.db).await.unwrap();
        let tx = town.db.begin().await.unwrap();
        tx.conn().execute_unprepared("UPDATE batch_figure SET counted = 7 WHERE measure = 'applied' AND grouping_word = ''").await.unwrap();
        tx.commit().await.unwrap();
        let odd = statistics::check(&town.db).await.unwrap();
        assert_eq!(odd.len(), 1);
        assert_eq!((odd[0].cell.measure, odd[0].kept.count, odd[0].counted.count), (Measure::Applied, 7, 2));
        statistics::rebuild(&town.db).await.unwrap();
        assert_eq!(statistics::check(&town.db).await.unwrap(), Vec::new());
    }
}
