//! The guide *add a programme* is followed word for word (按指南新增事项): what it tells a policy officer to write is
//! written, checked and tested.
//!
//! Guarantees: a guide that no longer works fails here.

use fixtures::{block, copy};
use policy::Book;
use policy::commands::{self, Cards};
use std::path::Path;

#[test]
fn the_guides_programme_loads_and_its_cases_pass() {
    let folder = tempfile::tempdir().unwrap();
    let packs = folder.path().join("packs");
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    copy(&ours, &packs).unwrap();
    let programme = packs.join("sample/longevity");
    std::fs::create_dir_all(&programme).unwrap();
    for (heading, file) in [
        ("2. The law", "law.md"),
        ("3. Numbers", "parameters.toml"),
        ("4. Rules", "rules.toml"),
        ("5. Wording", "wording.toml"),
        ("6. Worked cases", "cases.toml"),
        ("7. The procedure", "procedure.toml"),
    ] {
        std::fs::write(programme.join(file), block(heading).unwrap()).unwrap();
    }
    let book = Book::load(&packs, "sample").unwrap_or_else(|faults| panic!("{faults:#?}"));
    let longevity = book.programme("longevity").unwrap();
    let report = policy::cases::run(&book, longevity);
    assert_eq!(report.cases.len(), 5);
    let failures: Vec<_> = report
        .failures()
        .map(|case| (&case.name, &case.differences))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let desk =
        casework::Desk::load(&packs, "sample").unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(desk.open_programmes().any(|open| open.id == "longevity"));
    let asked: Vec<_> = desk
        .form("longevity")
        .unwrap()
        .pages
        .iter()
        .flat_map(|page| &page.asks)
        .collect();
    assert_eq!(
        asked
            .iter()
            .map(|ask| ask.fact.as_str())
            .collect::<Vec<_>>(),
        ["birth_date", "hukou"]
    );
    assert_eq!(desk.check_letters(), []);
    let checked = commands::check(&packs, "sample");
    assert!(checked.ok, "{}", checked.text);
    let renewed = commands::test(&packs, "sample", Cards::Renew);
    assert!(renewed.ok, "{}", renewed.text);
    assert!(programme.join("card.approved.md").is_file());
    assert!(commands::test(&packs, "sample", Cards::Frozen).ok);
}
