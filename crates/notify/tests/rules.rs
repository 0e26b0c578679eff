//! What packs may say of telling (告知规则检查): every mistake at its place, and the packs of the repository without one.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

use notify::{Happening, Rules};
use policy::Book;
use std::path::Path;

fn packs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packs")
        .canonicalize()
        .unwrap()
}

/// The mistakes of the packs with a file of the place's own.
fn faults(own: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fixtures::copy(&packs(), folder.path()).unwrap();
    std::fs::write(folder.path().join("sample/messages.toml"), own).unwrap();
    let book = Book::load(folder.path(), "sample").unwrap();
    match Rules::of(&book) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_packs_of_the_repository_say_of_everything_whether_it_is_told() {
    for place in ["sample", "baoan"] {
        let book = Book::load(&packs(), place).unwrap();
        let rules = Rules::of(&book).unwrap_or_else(|faults| panic!("{faults:#?}"));
        assert!(rules.tells(Happening::Paid) && rules.tells(Happening::ReviewDue));
        assert_eq!(rules.quiet.shown(), "21:00–08:00");
    }
}

#[test]
fn a_field_that_says_too_much_and_a_word_nobody_knows_are_refused_at_their_place() {
    let found = faults(
        "[[message]]\non = \"grant\"\nto = \"applicant\"\nchannels = [\"sms\", \"fax\"]\nzh = \"{name}每月{amount}元\"\nen = \"{name}\"\n\n\
         [[message]]\non = \"granted\"\nto = \"everybody\"\nzh = \"好\"\nen = \"good\"\n\n\
         [[message]]\non = \"accept\"\nto = \"applicant\"\nchannels = [\"sms\"]\nzh = \"公示到{until}\"\nen = \"yes\"\n",
    );
    let holds = |line: u32, words: &str| {
        let at = format!("sample/messages.toml:{line}:");
        assert!(
            found
                .iter()
                .any(|fault| fault.contains(&at) && fault.contains(words)),
            "{line} {words}: {found:#?}"
        );
    };
    holds(4, "不认识的渠道“fax”");
    holds(5, "不认识的字段“amount”");
    holds(9, "不认识的事由“granted”");
    holds(10, "应是 applicant");
    holds(18, "没有字段“until”");
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn a_text_that_needs_a_second_part_is_allowed_only_where_the_rule_says_so() {
    let rule = |parts: &str| {
        let text = "民".repeat(71);
        format!(
            "[[message]]\non = \"accept\"\nto = \"applicant\"\nchannels = [\"sms\"]\n{parts}zh = \"{text}\"\nen = \"yes\"\n"
        )
    };
    assert!(
        faults(&rule(""))[0].contains("最长会有 2 条短信"),
        "{:#?}",
        faults(&rule(""))
    );
    assert_eq!(faults(&rule("parts = 2\n")), Vec::<String>::new());
}

#[test]
fn a_place_says_its_own_hours_and_may_stay_silent_with_a_reason() {
    let own = "[hours]\nquiet_from = \"22:00\"\nquiet_until = \"07:30\"\nlate_days = 3\n\n[[silent]]\non = \"submit\"\nwhy = \"当场给回执\"\n";
    let folder = tempfile::tempdir().unwrap();
    fixtures::copy(&packs(), folder.path()).unwrap();
    std::fs::write(folder.path().join("sample/messages.toml"), own).unwrap();
    let book = Book::load(folder.path(), "sample").unwrap();
    let rules = Rules::of(&book).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert_eq!(
        (rules.quiet.shown().as_str(), rules.late_days),
        ("22:00–07:30", 3)
    );
    assert!(!rules.tells(Happening::Submitted));
    assert_eq!(
        faults("[hours]\nquiet_from = \"夜里\"\nquiet_until = \"08:00\"\nlate_days = 90\n").len(),
        2
    );
}
