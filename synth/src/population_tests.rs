//! What is promised of a population without names.

use crate::given::{Form, What};
use crate::parts::{PART, Packing, Part, write};
use crate::population::Population;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use vocab::Region;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 1).unwrap()
}

fn population(seed: u64, people: u64) -> Population {
    let places: Vec<Region> = (1..=9)
        .map(|number| format!("99010100100{number}").parse().unwrap())
        .collect();
    Population::new(seed, people, &places, today())
}

/// All homes, block by block.
fn batches(population: &Population) -> Vec<RecordBatch> {
    let schema = crate::columns::schema();
    let blocks = population.blocks().iter();
    blocks
        .map(|block| population.draw(*block).batch(&schema).unwrap())
        .collect()
}

/// A folder of this test alone, emptied.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("huimin-synth-{}-{name}", std::process::id()));
    let _gone = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn written(folder: &Path, seed: u64, people: u64, threads: usize) -> Vec<Part> {
    write(
        &population(seed, people),
        folder,
        Packing::Snappy,
        PART,
        threads,
        &|_| {},
    )
    .unwrap()
}

#[test]
fn the_same_seed_gives_the_same_files_however_many_threads_write_them() {
    let (one, many) = (folder("one"), folder("many"));
    // 600 000 people are three files.
    let alone = written(&one, 7, 600_000, 1);
    let together = written(&many, 7, 600_000, 3);
    assert_eq!(alone, together);
    assert_eq!(alone.len(), 3);
    for part in &alone {
        let bytes = |folder: &Path| std::fs::read(folder.join(&part.file)).unwrap();
        assert_eq!(bytes(&one), bytes(&many));
    }
    let other = written(&many, 8, 600_000, 3);
    assert_ne!(alone[0].sm3, other[0].sm3);
    std::fs::remove_dir_all(one).unwrap();
    std::fs::remove_dir_all(many).unwrap();
}

#[test]
fn exactly_so_many_people_stand_by_community_and_household_and_nobody_twice() {
    for people in [1, 999, 40_000] {
        let mut seen = BTreeSet::new();
        let mut last = (0, 0);
        for batch in batches(&population(3, people)) {
            let homes = batch["household"].as_primitive::<Int64Type>();
            let regions = batch["region"].as_primitive::<Int64Type>();
            for at in 0..batch.num_rows() {
                let here = (regions.value(at), homes.value(at));
                assert!(here > last, "{here:?} after {last:?}");
                last = here;
            }
            let members = batch["members"].as_list::<i32>();
            assert!((0..members.len()).all(|at| members.value_length(at) > 0));
            let all = members.values().as_struct();
            for person in all["person"].as_primitive::<Int64Type>().values() {
                assert!(seen.insert(*person), "{person} stands twice");
            }
        }
        assert_eq!(seen.len() as u64, people);
    }
}

/// 766 700 of 5 531 000 are 13.86 %; 237 000 are 4.28 %; 39 500 of 766 700 local people are 5.15 %.
#[test]
fn registration_and_age_are_as_the_plan_of_the_district_says() {
    let (mut people, mut local, mut old, mut local_old) = (0_u32, 0, 0, 0);
    let sixty = days(NaiveDate::from_ymd_opt(1966, 6, 1).unwrap());
    for batch in batches(&population(7, 400_000)) {
        let members = batch["members"].as_list::<i32>();
        let all = members.values().as_struct();
        let hukou = all["hukou"].as_dictionary::<Int32Type>();
        let places = hukou.values().as_string::<i32>();
        let born = all["birth_date"].as_primitive::<Date32Type>();
        for at in 0..all.len() {
            let here = places.value(hukou.key(at).unwrap()).starts_with("9901");
            let is_old = born.value(at) <= sixty;
            people += 1;
            local += u32::from(here);
            old += u32::from(is_old);
            local_old += u32::from(here && is_old);
        }
    }
    let of_ten_thousand = |part: u32, whole: u32| part * 10_000 / whole;
    let shares = [
        of_ten_thousand(local, people),
        of_ten_thousand(old, people),
        of_ten_thousand(local_old, local),
    ];
    assert!((1_340..1_430).contains(&shares[0]), "{shares:?}");
    assert!((390..470).contains(&shares[1]), "{shares:?}");
    assert!((450..590).contains(&shares[2]), "{shares:?}");
}

fn days(day: NaiveDate) -> i32 {
    i32::try_from((day - NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()).num_days()).unwrap()
}

/// Every column but the ids is a fact of the national pack, of that unit and type; codes are declared codes.
#[test]
fn columns_are_facts_of_the_national_pack_and_nothing_else() {
    let mut declared: BTreeMap<String, toml::Value> = BTreeMap::new();
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/national");
    for folder in std::fs::read_dir(packs).unwrap() {
        let file = folder.unwrap().path().join("facts.toml");
        let Ok(text) = std::fs::read_to_string(file) else {
            continue;
        };
        let facts: toml::Table = toml::from_str(&text).unwrap();
        for fact in facts["fact"].as_array().unwrap() {
            declared.insert(fact["id"].as_str().unwrap().to_owned(), fact.clone());
        }
    }
    for what in What::ALL {
        let fact = declared.get(what.id());
        let fact = fact.unwrap_or_else(|| panic!("{} is not declared", what.id()));
        let of = if what.of_household() {
            "household"
        } else {
            "person"
        };
        assert_eq!(fact["of"].as_str(), Some(of), "{}", what.id());
        let kind = fact["type"].as_str().unwrap();
        let fits = match what.form() {
            Form::Flag => kind == "bool",
            Form::Number => kind == "count" || kind.starts_with("money"),
            Form::Day => kind == "date",
            Form::Word => matches!(kind, "code" | "text"),
        };
        assert!(fits, "{} is {kind}", what.id());
    }
    for batch in batches(&population(9, 60_000)) {
        let members = batch["members"].as_list::<i32>();
        let all = members.values().as_struct();
        for what in What::ALL.iter().filter(|what| what.form() == Form::Word) {
            let Some(codes) = declared[what.id()].get("codes") else {
                continue;
            };
            let said = all[what.id()].as_dictionary::<Int32Type>();
            let words = said.values().as_string::<i32>();
            for word in words.iter().flatten().filter(|word| !word.is_empty()) {
                let is_code = codes
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|code| code.as_str() == Some(word));
                assert!(is_code, "{word} is no code of {}", what.id());
            }
        }
    }
}
