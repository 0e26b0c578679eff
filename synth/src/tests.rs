//! What is promised of the invented district.

use super::{District, Fact, Household, IdNumber, Member, NaiveDate, Region, Value};
use std::collections::{BTreeMap, BTreeSet};
use vocab::kinship::Group;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
}

fn places() -> Vec<Region> {
    ["990101001001", "990101001002", "990101002001"]
        .map(|code| code.parse().unwrap())
        .to_vec()
}

fn district(seed: u64, people: usize) -> Vec<Household> {
    District::new(seed, people, &places(), today()).collect()
}

/// Everything of a household as one text.
fn bytes(households: &[Household]) -> String {
    households
        .iter()
        .map(|household| format!("{household:?}{:?}", numbers(household)))
        .collect()
}

/// The numbers that `Debug` hides.
fn numbers(household: &Household) -> Vec<&str> {
    household
        .members
        .iter()
        .map(|member| member.document.number())
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(bytes(&district(1, 3_000)), bytes(&district(1, 3_000)));
    assert_ne!(bytes(&district(1, 3_000)), bytes(&district(2, 3_000)));
}

/// Guides, journeys and other crates' tests know the people of the demo: they change only on purpose.
#[test]
fn the_people_of_the_demo_stay_the_same() {
    let sum = |seed, people| {
        let district = district(seed, people);
        let said: String = district
            .iter()
            .map(|household| format!("{household:?}{}", numbers(household).concat()))
            .collect();
        let step = |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        format!("{:016x}", said.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    };
    assert_eq!(
        [sum(1, 3_000), sum(20_260_601, 20_000)],
        ["5828a708bc92cdbe", "7b820f3d4b3e7dda"]
    );
}

#[test]
fn identity_numbers_are_valid_unique_and_of_counties_that_do_not_exist() {
    let mut seen = BTreeSet::new();
    for household in district(3, 20_000) {
        for member in &household.members {
            let number = member.document.number();
            let read = IdNumber::read(number, today()).unwrap();
            assert_eq!(
                (read.birth_date(), read.sex()),
                (member.birth_date, member.sex)
            );
            assert!(number[4..6].parse::<u32>().unwrap() >= 90, "{number}");
            assert!(seen.insert(number.to_owned()));
            if let Some((_, card)) = &member.account {
                assert!(vocab::luhn::holds(card) && card.starts_with("629999"));
            }
        }
    }
    assert!((20_000..20_010).contains(&seen.len()));
}

#[test]
fn households_have_one_head_who_comes_first_and_children_younger_than_their_parents() {
    for household in district(4, 10_000) {
        let heads = household
            .members
            .iter()
            .filter(|m| m.kinship.is_head())
            .count();
        assert!(heads == 1 && household.members[0].kinship.is_head());
        let head = &household.members[0];
        for member in &household.members {
            match member.kinship.group() {
                Group::Child => assert!(member.birth_date > head.birth_date),
                Group::Parent => assert!(member.birth_date < head.birth_date),
                _ => {}
            }
            assert!(member.birth_date <= today());
        }
        assert!(places().contains(&household.region) && household.since < today());
    }
}

#[test]
fn the_share_of_local_registration_is_as_asked() {
    let all: Vec<Household> = District::new(5, 30_000, &places(), today())
        .hukou_share(1_386)
        .collect();
    let local = all
        .iter()
        .filter(|h| h.members[0].hukou == h.region)
        .count();
    let of_ten_thousand = local * 10_000 / all.len();
    assert!(
        (1_250..1_520).contains(&of_ten_thousand),
        "{of_ten_thousand}"
    );
}

#[test]
fn rare_names_the_old_the_poor_and_the_disabled_occur() {
    let all = district(6, 20_000);
    let people: Vec<&Member> = all.iter().flat_map(|h| &h.members).collect();
    let count = |test: &dyn Fn(&Member) -> bool| people.iter().filter(|m| test(m)).count();
    let has = |m: &Member, id: &str| m.facts.iter().any(|f| f.id == id);
    assert!(count(&|m| m.name.contains(['䶮', '㼆', '𬱖', '·'])) > 20);
    assert!(count(&|m| vocab::id_number::age(m.birth_date, today()) >= 80) > 50);
    assert!(count(&|m| has(m, "disability_kind")) > 200);
    assert!(count(&|m| has(m, "income_statement_complete")) > 300);
    let facts: usize = people.iter().map(|m| m.facts.len()).sum();
    let each = facts / people.len();
    assert!((6..10).contains(&each), "{each} facts each");
}

/// Every fact this crate gives is declared in the national pack, with that type and that code.
#[test]
fn facts_are_those_of_the_national_pack() {
    let declared: toml::Table =
        toml::from_str(include_str!("../../packs/national/household/facts.toml")).unwrap();
    let mut known: BTreeMap<String, &toml::Value> = BTreeMap::new();
    for fact in declared["fact"].as_array().unwrap() {
        known.insert(fact["id"].as_str().unwrap().to_owned(), fact);
    }
    let check = |fact: &Fact, of: &str| {
        let declared = known
            .get(fact.id)
            .unwrap_or_else(|| panic!("{} is not declared", fact.id));
        assert_eq!(declared["of"].as_str(), Some(of), "{}", fact.id);
        let kind = declared["type"].as_str().unwrap();
        let fits = match &fact.value {
            Value::Bool(_) => kind == "bool",
            Value::Int(_) => kind == "count" || kind.starts_with("money"),
            Value::Date(_) => kind == "date",
            Value::Text(code) => {
                let codes = declared["codes"].as_array().unwrap();
                kind == "code" && codes.iter().any(|c| c.as_str() == Some(code))
            }
        };
        assert!(fits, "{fact:?} is no {kind}");
    };
    for household in district(8, 5_000) {
        household
            .facts
            .iter()
            .for_each(|fact| check(fact, "household"));
        for member in &household.members {
            member.facts.iter().for_each(|fact| check(fact, "person"));
        }
    }
}
