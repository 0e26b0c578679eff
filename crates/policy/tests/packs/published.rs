//! The packs of this repository (本仓库的规则包): they load without a mistake and their cases come out.

use policy::commands::{self, Cards};
use policy::{Ask, Book};
use std::path::PathBuf;

fn packs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

#[test]
fn every_pack_of_the_repository_passes_its_own_check() {
    for place in ["national", "baoan", "sample"] {
        let said = commands::check(&packs(), place);
        assert!(said.ok, "{place}\n{}", said.text);
        let report = Book::load(&packs(), place).unwrap();
        for programme in report.programmes() {
            let cases = policy::cases::run(&report, programme);
            let failures: Vec<_> = cases.failures().collect();
            assert!(
                failures.is_empty(),
                "{place} {}: {failures:#?}",
                programme.id
            );
        }
    }
}

#[test]
fn every_worked_case_replays_to_the_same_bytes_from_its_excerpt() {
    let book = Book::load(&packs(), "baoan").unwrap();
    let mut replayed = 0;
    for programme in book.programmes() {
        for case in book.cases(&programme.id) {
            let ask = Ask {
                programmes: Some(vec![programme.id.clone()]),
                ..case.ask()
            };
            for answer in book.evaluate(&case.sheet, &ask) {
                let excerpt = book.excerpt(&programme.id, &case.sheet);
                let again =
                    policy::replay::replay(&book, &answer.to_canonical_json(), &excerpt).unwrap();
                assert!(again.same_bytes, "{}: {:#?}", case.name, again.differences);
                replayed += 1;
            }
        }
    }
    assert!(replayed > 50, "{replayed}");
}

#[test]
fn asking_for_nothing_answers_nothing() {
    let said = commands::card(
        &packs(),
        "baoan",
        Some("no_such_programme"),
        Some(Cards::Frozen),
    );
    assert!(!said.ok);
}
