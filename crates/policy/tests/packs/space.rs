//! Gaps in the rules (规则缺口): an input with neither refusal nor grant is found, with the fewest changes.

use crate::village::{files, files_without_gap, write};
use policy::commands::{self, Said};

fn check(file: &str, from: &str, to: &str) -> Said {
    let mut changed = files();
    let text = changed.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &changed);
    commands::check(folder.path(), "village")
}

#[test]
fn an_amount_of_nothing_on_the_line_is_found() {
    // Whoever earns exactly the standard would be neither refused nor paid.
    let said = check(
        "nation/aid/rules.toml",
        "per_head < standard",
        "per_head <= standard",
    );
    assert!(!said.ok);
    assert!(said.text.contains("规则有缺口：办例“"), "{}", said.text);
    assert!(said.text.contains("wage 改为"), "{}", said.text);
    assert!(said.text.contains("算出的金额不大于零"), "{}", said.text);
    assert!(
        said.text.contains("nation/aid/rules.toml:28:1"),
        "{}",
        said.text
    );
}

#[test]
fn without_the_gap_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files_without_gap());
    let said = commands::check(folder.path(), "village");
    assert!(said.ok, "{}", said.text);
}

#[test]
fn an_age_without_a_band_is_found() {
    let said = check(
        "nation/elder/parameters.toml",
        "{ 70 = 20000, 80 = 30000 }",
        "{ 71 = 20000, 80 = 30000 }",
    );
    assert!(said.text.contains("规则有缺口"), "{}", said.text);
    assert!(said.text.contains("birth_date 改为"), "{}", said.text);
    assert!(said.text.contains("最低档"), "{}", said.text);
}

#[test]
fn a_household_of_nobody_is_found() {
    let said = check("nation/aid/rules.toml", "[benefit]", "[benefit]");
    // Nobody counted: the division by zero has no refusal.
    assert!(said.text.contains("除数为零"), "{}", said.text);
}
