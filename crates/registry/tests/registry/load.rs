//! The fast way in, with an invented district (批量装载).

use crate::ground::{EAST, WEST, district, officer_of, region};
use registry::accounts::{Account, AccountKind};
use registry::bulk::{BulkHousehold, BulkMember, Loaded, load};
use registry::facts::fact_sheets;
use registry::households::{Filter, household_view, list, list_ids};
use registry::people::{Query, search};
use store::Db;
use vocab::{DatedFact, Period};

fn fact(fact: synth::Fact) -> (String, DatedFact) {
    let period = fact.from.map_or(Period::ALWAYS, Period::since);
    let given = DatedFact {
        value: fact.value,
        period,
        known_since: None,
        source: fact.source.to_owned(),
        evidence: None,
    };
    (fact.id.to_owned(), given)
}

pub fn bulk(household: synth::Household) -> BulkHousehold {
    BulkHousehold {
        roster_number: Some(household.number),
        region: household.region,
        address: household.address,
        since: household.since,
        facts: household.facts.into_iter().map(fact).collect(),
        members: household
            .members
            .into_iter()
            .map(|member| BulkMember {
                account: member.account.map(|(bank, number)| Account {
                    bank,
                    number,
                    holder: member.name.clone(),
                    kind: AccountKind::Card,
                    agreement: None,
                }),
                name: member.name,
                document: member.document,
                sex: member.sex,
                birth_date: Some(member.birth_date),
                phone: member.phone,
                hukou: Some(member.hukou),
                kinship: member.kinship,
                facts: member.facts.into_iter().map(fact).collect(),
            })
            .collect(),
    }
}

async fn loaded(db: &Db, people: usize) -> Loaded {
    let places = [region(EAST), region(WEST)];
    let district_of = synth::District::new(1, people, &places, db.today());
    load(db, &district(), district_of.map(bulk), |_| {})
        .await
        .unwrap()
}

fixtures::db_tests! {
    migrations = registry::migrations();

    async fn a_loaded_population_is_found_listed_and_read_like_any_other(db: Db) {
        let loaded = loaded(&db, 3_000).await;
        assert!(loaded.people >= 3_000 && loaded.facts > 15_000, "{loaded:?}");
        let all = search(&db, &district(), &Query::default(), 0, 10).await.unwrap();
        assert_eq!((all.total, all.rows.len()), (loaded.people, 10));
        let east = search(&db, &officer_of(EAST), &Query::default(), 0, 10).await.unwrap();
        assert!(east.total > 0 && east.total < loaded.people);
        let wang = Query { text: "wang".to_owned(), region: None };
        let page = search(&db, &district(), &wang, 5, 20).await.unwrap();
        assert!(page.total > 50 && page.rows.len() == 20);
        let households = list(&db, &district(), &Filter::default(), 0, 20).await.unwrap();
        assert_eq!(households.total, loaded.households);
        let view = household_view(&db, &district(), households.rows[0].id, db.today()).await.unwrap().unwrap();
        assert_eq!(view.members.len(), households.rows[0].size);
        assert!(store::journal::verify(&db).await.unwrap().is_intact());
    }

    async fn fact_sheets_of_all_households_are_read_in_portions(db: Db) {
        let loaded = loaded(&db, 2_000).await;
        let mut after = None;
        let (mut households, mut members) = (0, 0);
        loop {
            let ids = list_ids(&db, &district(), after, 500).await.unwrap();
            let Some((last, _)) = ids.last() else { break };
            after = Some(*last);
            let ids: Vec<_> = ids.into_iter().map(|(id, _)| id).collect();
            let sheets = fact_sheets(&db, &district(), &ids, None, db.today()).await.unwrap();
            assert_eq!(sheets.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
            households += sheets.len();
            members += sheets.iter().map(|(_, sheet)| sheet.members.len()).sum::<usize>();
        }
        assert_eq!(u64::try_from(households).unwrap(), loaded.households);
        assert_eq!(u64::try_from(members).unwrap(), loaded.people);
    }

    async fn a_household_outside_the_scope_is_not_loaded(db: Db) {
        let places = [region(EAST)];
        let all = synth::District::new(1, 20, &places, db.today()).map(bulk);
        assert!(load(&db, &officer_of(WEST), all, |_| {}).await.is_err());
    }
}

/// 20 000 people must not take the demo builder's patience; the limit leaves room for a busy machine.
#[test]
fn twenty_thousand_people_are_loaded_in_seconds() {
    fixtures::run_on_sqlite(registry::migrations(), |bench| async move {
        let begin = std::time::Instant::now();
        let places = [region(EAST), region(WEST)];
        let made: Vec<_> = synth::District::new(1, 20_000, &places, bench.db.today())
            .map(bulk)
            .collect();
        let making = begin.elapsed();
        let loaded = load(&bench.db, &district(), made, |_| {}).await.unwrap();
        let loading = begin.elapsed() - making;
        let searching = std::time::Instant::now();
        for text in ["王", "wang", "wxm", "1234", "小明", "张"] {
            let query = Query {
                text: text.to_owned(),
                region: None,
            };
            search(&bench.db, &district(), &query, 0, 20).await.unwrap();
        }
        println!(
            "making {making:?}, loading {loading:?}, six searches {:?}, {loaded:?}",
            searching.elapsed()
        );
        assert!(loading.as_secs() < 60, "{loading:?}");
    });
}
