//! The packs as the desk reads them (规则包): all letters compile, and what is broken is refused at its place.

use super::town::{desk, load};
use casework::Desk;
use fixtures::copy;
use policy::Fault;
use std::path::Path;

fn packs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

/// A copy of the packs in which texts of files (file, from, to) were replaced by others.
fn replaced(texts: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&packs(), folder.path()).unwrap();
    for (file, from, to) in texts {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} no longer holds {from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    folder
}

/// The desk after texts of files (file, from, to) were replaced by others.
pub fn with_replaced(texts: &[(&str, &str, &str)]) -> Desk {
    load(replaced(texts).path())
}

/// The faults after one text of one file was replaced by another.
fn broken(file: &str, from: &str, to: &str) -> Vec<Fault> {
    let folder = replaced(&[(file, from, to)]);
    match Desk::load(folder.path(), "baoan") {
        Err(faults) => faults,
        Ok(desk) => desk.check_letters(),
    }
}

#[test]
fn every_letter_of_the_packs_is_set_in_both_languages() {
    assert_eq!(desk().check_letters(), []);
    let sample = Desk::load(&packs(), "sample").unwrap();
    assert_eq!(sample.check_letters(), []);
}

#[test]
fn what_is_broken_is_refused_at_its_place() {
    const PROCEDURE: &str = "national/procedures/investigated.toml";
    const DIBAO: &str = "national/dibao/procedure.toml";
    const FORM: &str = "national/forms/common.toml";
    let table: &[(&str, &str, &str, &str, &str)] = &[
        (
            "unknown role",
            PROCEDURE,
            "roles = [\"window_officer\", \"street_reviewer\"]",
            "roles = [\"boss\"]",
            "boss",
        ),
        (
            "unknown state",
            PROCEDURE,
            "to = \"investigating\"",
            "to = \"nowhere\"",
            "nowhere",
        ),
        (
            "unknown effect",
            PROCEDURE,
            "effect = \"accept\"",
            "effect = \"magic\"",
            "magic",
        ),
        (
            "unknown start",
            PROCEDURE,
            "start = \"submitted\"",
            "start = \"begun\"",
            "begun",
        ),
        (
            "unknown act in needs",
            PROCEDURE,
            "acts = [\"request_enquiry\"]",
            "acts = [\"dream\"]",
            "dream",
        ),
        (
            "unknown evidence",
            PROCEDURE,
            "evidence = [\"visit_form\"]",
            "evidence = [\"a_feeling\"]",
            "a_feeling",
        ),
        (
            "unknown letter",
            PROCEDURE,
            "letter = \"granted\"",
            "letter = \"missing\"",
            "letters/missing.typ",
        ),
        (
            "unknown article",
            DIBAO,
            "article = \"mz57:22\"",
            "article = \"mz57:999\"",
            "mz57:999",
        ),
        (
            "clock on an unknown act",
            DIBAO,
            "starts_on = [\"refuse\"]",
            "starts_on = [\"hope\"]",
            "hope",
        ),
        (
            "extension shorter than the limit",
            DIBAO,
            "extend_to = 45",
            "extend_to = 5",
            "extend_to",
        ),
        (
            "missing wording",
            PROCEDURE,
            "zh = \"受理\"\n",
            "",
            "缺少 zh",
        ),
        (
            "more than the law lets a notice show",
            PROCEDURE,
            "\"member_count\", \"amount\"]",
            "\"illness\"]",
            "illness",
        ),
        (
            "sampling on an unknown act",
            DIBAO,
            "on = \"confirm\"",
            "on = \"luck\"",
            "luck",
        ),
        (
            "one person decides",
            PROCEDURE,
            "other_than = [\"accept\", \"visit\", \"preliminary_opinion\", \"report_to_district\"]\n",
            "",
            "other_than",
        ),
        (
            "a grant without rules",
            PROCEDURE,
            "determination = [\"met\"]\nacts = [\"report_to_district\"]",
            "acts = [\"report_to_district\"]",
            "determination",
        ),
        (
            "unreachable state",
            PROCEDURE,
            "to = \"suspended\"",
            "to = \"stopped\"",
            "到不了状态 suspended",
        ),
        (
            "no way out",
            PROCEDURE,
            "en = \"Withdrawn\"\nkind = \"final\"",
            "en = \"Withdrawn\"\nkind = \"suspended\"",
            "状态 withdrawn 没有出路",
        ),
        (
            "unknown key",
            PROCEDURE,
            "receipt = \"receipt\"",
            "recipe = \"receipt\"",
            "recipe",
        ),
        ("not TOML", PROCEDURE, "[remedies]", "[remedies", "TOML"),
        (
            "question for an unknown fact",
            FORM,
            "fact = \"in_tekun\"",
            "fact = \"shoe_size\"",
            "shoe_size",
        ),
        (
            "a review class nobody can tell",
            DIBAO,
            "by = \"dibao_review_class\"",
            "by = \"shoe_size\"",
            "shoe_size",
        ),
        (
            "the same fact twice",
            FORM,
            "fact = \"in_tekun\"",
            "fact = \"absence\"",
            "问了两次",
        ),
        (
            "a letter that does not compile",
            "national/dibao/letters/granted.typ",
            "#import",
            "#undefined_word\n#import",
            "undefined_word",
        ),
    ];
    for (name, file, from, to, said) in table {
        let faults = broken(file, from, to);
        let found = faults.iter().find(|fault| fault.sentence_zh.contains(said));
        let found = found.unwrap_or_else(|| panic!("{name}: {faults:?}"));
        assert!(
            found.file.ends_with(file) && !found.file.starts_with('/'),
            "{name}: {found}"
        );
        assert!(found.line > 0 && found.column > 0, "{name}: {found}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let faults = broken(
        "national/procedures/investigated.toml",
        "roles = [\"window_officer\", \"street_reviewer\"]\nfrom = [\"submitted\"]\nto = \"investigating\"\neffect = \"accept\"",
        "roles = [\"boss\"]\nfrom = [\"nowhere\"]\nto = \"somewhere\"\neffect = \"magic\"",
    );
    for said in ["boss", "nowhere", "somewhere", "magic"] {
        assert!(
            faults.iter().any(|fault| fault.sentence_zh.contains(said)),
            "{said}: {faults:?}"
        );
    }
}

#[test]
fn a_programme_for_organisations_has_no_procedure_yet() {
    let folder = tempfile::tempdir().unwrap();
    copy(&packs(), folder.path()).unwrap();
    let programme = folder.path().join("national/home_building_subsidy");
    std::fs::copy(
        packs().join("national/old_age_allowance/procedure.toml"),
        programme.join("procedure.toml"),
    )
    .unwrap();
    let faults = Desk::load(folder.path(), "baoan").map(drop).unwrap_err();
    let says = "给机构的事项还不能在这里受理";
    assert!(
        faults.iter().any(|fault| fault.sentence_zh.contains(says)),
        "{faults:#?}"
    );
}
