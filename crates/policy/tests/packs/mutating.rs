//! Mutation testing of the village (变异测试): what is held fast, what survives, and who may argue for it.

use crate::village::{files, write};
use policy::commands;
use std::collections::BTreeMap;

fn mutate(changed: &BTreeMap<String, String>, programme: Option<&str>) -> commands::Said {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), changed);
    commands::mutate(folder.path(), "village", programme)
}

#[test]
fn survivors_stand_under_their_article_with_file_and_line() {
    let said = mutate(&files(), Some("aid"));
    assert!(!said.ok);
    assert!(
        said.text.starts_with("village aid（困难救助）："),
        "{}",
        said.text
    );
    assert!(said.text.contains("不到 98 %"), "{}", said.text);
    // Only strictly below: a case stands exactly on the line, so this one is killed.
    assert!(
        !said.text.contains("`per_head < standard` 改为"),
        "{}",
        said.text
    );
    // Nobody stands exactly on the limit of the deposits.
    assert!(
        said.text.contains("《救助法》art-19（aidlaw:19）") || said.text.contains("aidlaw:19"),
        "{}",
        said.text
    );
    assert!(
        said.text.contains(
            "nation/aid/rules.toml:25:9 deposits_low：`deposits <= limit` 改为 `deposits < limit`"
        ),
        "{}",
        said.text
    );
}

#[test]
fn a_case_on_the_line_kills_and_an_argument_counts() {
    let mut changed = files();
    changed.get_mut("village/aid/cases.toml").unwrap().push_str(
        r#"
[[case]]
name = "存款恰好等于限额"
as_of = 2021-06-01
household = { deposits = 5000000 }
members = [{ present = true, hukou = "990101001001", wage = 1 }]
expect = { outcome = "met", amount = 124999 }
because = "不超过限额，等于符合"
"#,
    );
    let said = mutate(&changed, Some("aid"));
    assert!(
        !said.text.contains("`deposits <= limit` 改为"),
        "{}",
        said.text
    );
    let before = "`household_income / people` 改为 `household_income * people`";
    let said = mutate(&files(), Some("aid"));
    let first = said
        .text
        .lines()
        .find(|line| line.starts_with("    "))
        .unwrap();
    let (place, mutation) = first.trim().split_once('：').unwrap();
    let rule = place.split(' ').nth(1).unwrap().split('（').next().unwrap();
    assert_ne!(mutation, before);
    changed.insert(
        "nation/aid/mutants.toml".to_owned(),
        format!(
            "[[equivalent]]\nrule = \"{rule}\"\nmutation = '''{mutation}'''\nbecause = \"试验\"\n"
        ),
    );
    let argued = mutate(&changed, Some("aid"));
    assert!(argued.text.contains("已说明 1"), "{}", argued.text);
    assert!(argued.text.contains("已说明：试验"), "{}", argued.text);
}

#[test]
fn an_argument_for_nothing_is_a_mistake() {
    let mut changed = files();
    changed.insert(
        "nation/aid/mutants.toml".to_owned(),
        "[[equivalent]]\nrule = \"per_head\"\nmutation = \"没有这回事\"\nbecause = \"试验\"\n"
            .to_owned(),
    );
    let said = mutate(&changed, None);
    assert!(
        said.text
            .starts_with("nation/aid/mutants.toml:1:1: 没有这样的变异：per_head 没有这回事"),
        "{}",
        said.text
    );
}

#[test]
fn a_case_that_fails_anyway_kills_nothing() {
    let mut changed = files();
    let cases = changed.get_mut("village/aid/cases.toml").unwrap();
    *cases = cases.replacen("amount = 185000", "amount = 185001", 1);
    let said = mutate(&changed, Some("aid"));
    assert!(!said.ok);
    assert!(
        said.text
            .contains("village/aid/cases.toml:2:8: 这个办例本来就不相符"),
        "{}",
        said.text
    );
}

#[test]
fn a_programme_that_is_not_there_is_refused() {
    assert!(!mutate(&files(), Some("nothing")).ok);
}
