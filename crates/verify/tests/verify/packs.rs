//! Sources as data (数据源定义).

use crate::town::{BANK, Town};
use policy::Book;
use std::path::Path;
use verify::Sources;

fn packs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packs")
        .canonicalize()
        .unwrap()
}

#[test]
fn the_sources_of_every_place_load_and_become_facts_of_its_book() {
    for place in ["national", "sample"] {
        let book = Book::load(&packs(), place).unwrap();
        let sources = Sources::of(&book).unwrap();
        let names: Vec<&str> = sources.0.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "bank",
                "business",
                "custody",
                "death",
                "disability",
                "funeral",
                "housing_fund",
                "hukou",
                "marriage",
                "one_card",
                "property",
                "securities",
                "social_insurance",
                "tax",
                "vehicle"
            ]
        );
        let facts: Vec<&str> = sources
            .0
            .values()
            .flat_map(|source| &source.figures)
            .filter_map(|def| def.fact.as_deref())
            .collect();
        for fact in [
            "deposits",
            "vehicles",
            "houses",
            "wage",
            "died_on",
            "disability_level",
            "absence",
        ] {
            assert!(facts.contains(&fact), "{fact}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_each_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("bank");
    std::fs::create_dir_all(&at).unwrap();
    let text = "[source]\nzh = \"银行\"\nen = \"Bank\"\ndepartment = \"银行\"\nbasis = \"法\"\nwhole = true\n\
        max_age_days = -1\ntag = \"maybe\"\n[arrival]\nby = [\"fax\"]\n[[column]]\nid = \"a\"\nheadings = [\"甲\"]\n\
        kind = \"money\"\n[[figure]]\nid = \"x\"\nzh = \"x\"\nen = \"x\"\ntake = \"sum\"\ncolumn = \"b\"\n";
    std::fs::write(at.join("source.toml"), text).unwrap();
    let faults = Sources::read(&[folder.path().to_owned()], None).unwrap_err();
    let places: Vec<(u32, u32)> = faults
        .iter()
        .map(|fault| (fault.line, fault.column))
        .collect();
    // The head (no identity column; max_age_days missing after its fault), a negative number, an unknown tag, an
    // unknown way, money without its unit, a column that is not there.
    for place in [(1, 1), (7, 16), (8, 7), (10, 7), (11, 1), (20, 10)] {
        assert!(places.contains(&place), "{place:?} of {faults:#?}");
    }
    assert!(
        faults
            .iter()
            .all(|fault| fault.file.ends_with("bank/source.toml"))
    );
}

#[test]
fn a_place_changes_what_it_writes_and_keeps_the_rest() {
    let town = Town::of(&[("bank", BANK)]);
    let own = town.folder.path().join("own/bank");
    std::fs::create_dir_all(&own).unwrap();
    let text = "[source]\nmax_age_days = 7\n[[column]]\nid = \"balance\"\nheadings = [\"可用余额\"]\nkind = \"money\"\n\
        unit = \"wan\"\n";
    std::fs::write(own.join("source.toml"), text).unwrap();
    let folders = [
        town.folder.path().join("sources"),
        town.folder.path().join("own"),
    ];
    let sources = Sources::read(&folders, None).unwrap();
    let bank = sources.get("bank").unwrap();
    assert_eq!((bank.max_age_days, bank.zh.as_str()), (7, "银行存款"));
    let at = bank.column("balance").unwrap();
    assert_eq!(bank.columns[at].headings, ["可用余额"]);
    assert_eq!(bank.figures.len(), 6);
    assert_ne!(
        bank.fingerprint(),
        town.sources.get("bank").unwrap().fingerprint()
    );
}
