//! A programme for organisations, paid once a year (给机构的事项): its own row, its people as members.

use crate::village::{day, files, household, load, village, villager};
use policy::{Ask, Book, Every, Outcome, Unit, commands};
use std::collections::BTreeMap;
use vocab::Money;

const FILES: [(&str, &str); 7] = [
    (
        "nation/care_home/law.md",
        "# homelaw 《养老机构补贴办法》\nsource: 试验\ndate: 2020-01-01\n\n## art-5\n按床位和星级补贴。\n",
    ),
    (
        "nation/care_home/facts.toml",
        r#"[[fact]]
id = "beds_in_use"
of = "organisation"
type = "count"
source = "机构申报"

[[fact]]
id = "star"
of = "organisation"
type = "code"
codes = ["1", "2"]
source = "评定"

[[fact]]
id = "certified"
of = "person"
type = "bool"
source = "证书"
"#,
    ),
    (
        "nation/care_home/parameters.toml",
        r#"[bed_subsidy]
what = "床位运营补贴"
unit = "fen/bed/year"
bands = [{ from = 2020-01-01, value = { 1 = 100000, 2 = 200000 }, source = "通告" }]
"#,
    ),
    (
        "nation/care_home/rules.toml",
        r#"[[variable]]
id = "staff_certified"
of = "organisation"
gives = "count"
article = "homelaw:5"
formula = "count(*) filter (where members.certified)"

[[condition]]
id = "has_staff"
article = "homelaw:5"
test = "staff_certified >= 1"
refuses = "no_staff"

[benefit]
to = "organisation"
amount = "band(bed_subsidy, star) * beds_in_use"
every = "year"
starts = "month_after_decision"
article = "homelaw:5"
"#,
    ),
    (
        "nation/care_home/wording.toml",
        r#"[programme]
zh = "养老机构运营补贴"
en = "Subsidy for care homes"
[fact.beds_in_use]
zh = "在住床位"
en = "Beds in use"
[fact.star]
zh = "星级"
en = "Stars"
[code.star.1]
zh = "一星"
en = "one star"
[code.star.2]
zh = "二星"
en = "two stars"
[fact.certified]
zh = "持证"
en = "Certified"
[variable.staff_certified]
zh = "持证人员"
en = "Certified staff"
[condition.has_staff]
zh = "有持证人员（{staff_certified} 名）"
en = "There is certified staff ({staff_certified})"
[refusal.no_staff]
zh = "没有持证人员。"
en = "There is no certified staff."
"#,
    ),
    ("nation/care_home/cases.toml", ""),
    (
        "village/care_home/cases.toml",
        r#"[[case]]
name = "二星，30 张床位"
as_of = 2021-06-01
organisation = { star = "2", beds_in_use = 30 }
members = [{ certified = true }, { certified = false }]
expect = { outcome = "met", amount = 6000000, covered = [], variables = { staff_certified = 1 } }
because = "2,000.00 × 30 = 60,000.00"

[[case]]
name = "没有持证人员"
as_of = 2021-06-01
organisation = { star = "2", beds_in_use = 30 }
members = [{ certified = false }]
expect = { outcome = "not_met", refusals = ["no_staff"] }
because = "至少一名"

[[case]]
name = "床位数不知道"
as_of = 2021-06-01
organisation = { star = "1" }
members = [{ certified = true }]
expect = { outcome = "to_verify", missing = ["beds_in_use"] }
because = "床位数要核实"
"#,
    ),
];

fn with_home() -> BTreeMap<String, String> {
    let mut all = files();
    for (name, text) in FILES {
        all.insert(name.to_owned(), text.to_owned());
    }
    all
}

fn home() -> Book {
    load(&with_home()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[test]
fn an_organisation_is_decided_about_with_its_people_as_members() {
    let book = home();
    let programme = book.programme("care_home").unwrap();
    assert_eq!(
        (programme.to, programme.benefit.every),
        (Unit::Organisation, Every::Year)
    );
    let report = policy::cases::run(&book, programme);
    assert_eq!(report.passed(), 3, "{report:#?}");
    let json = serde_json::json!({
        "organisation": { "star": "1", "beds_in_use": 10 },
        "members": [{ "certified": true }],
    });
    let sheet = policy::sheet::from_json(&json).unwrap();
    let answers = book.evaluate(&sheet, &Ask::on(day("2021-06-01")));
    assert_eq!(answers.len(), 1, "only what is meant for organisations");
    assert_eq!(answers[0].outcome, Outcome::Met);
    assert_eq!(answers[0].amount, Some(Money::from_fen(1_000_000)));
    let briefs = book.outcomes(&[sheet], &Ask::on(day("2021-06-01")));
    assert_eq!(briefs[0].len(), 1);
}

#[test]
fn a_household_is_not_asked_about_beds() {
    let sheet = household(0, vec![villager(0)]);
    let ask = Ask::on(day("2021-06-01"));
    let with = home().evaluate(&sheet, &ask);
    assert!(with.iter().all(|one| one.programme != "care_home"));
    assert_eq!(with.len(), village().evaluate(&sheet, &ask).len());
    // Asked for by name, it answers that everything is missing.
    let ask = Ask {
        programmes: Some(vec!["care_home".to_owned()]),
        ..ask
    };
    let asked = home().evaluate(&sheet, &ask);
    assert_eq!(asked[0].outcome, Outcome::ToVerify);
}

#[test]
fn a_sheet_is_of_a_household_or_of_an_organisation() {
    let both = serde_json::json!({ "household": {}, "organisation": {} });
    let wrong = policy::sheet::from_json(&both).unwrap_err();
    assert!(wrong[0].contains("只写一个"), "{wrong:?}");
}

/// Loads the home with one text replaced; some fault must say this.
fn refuses(file: &str, from: &str, to: &str, says: &str) {
    let mut changed = with_home();
    let text = changed.get_mut(file).unwrap();
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
    let faults = load(&changed).map(drop).unwrap_err();
    assert!(
        faults.iter().any(|fault| fault.sentence_zh.contains(says)),
        "{faults:#?}"
    );
}

#[test]
fn what_belongs_to_households_is_not_mixed_with_organisations() {
    let rules = "nation/care_home/rules.toml";
    let test = "staff_certified >= 1";
    refuses(
        rules,
        test,
        "people >= 1",
        "“people”是家庭的，机构的公式里不能用",
    );
    refuses(
        "nation/aid/rules.toml",
        "per_head < standard",
        "beds_in_use < 3",
        "“beds_in_use”是机构的，家庭的公式里不能用",
    );
    refuses(
        rules,
        "starts = \"month_after_decision\"",
        "starts = \"month_after_decision\"\ncovers = \"certified\"",
        "给机构的事项发给机构，不写 covers",
    );
    refuses(
        rules,
        "id = \"has_staff\"",
        "id = \"has_staff\"\nof = \"household\"",
        "给机构的事项，条件也要是机构的",
    );
    let cases = "village/care_home/cases.toml";
    refuses(
        cases,
        "organisation = {",
        "household = {",
        "不认识的键“household”",
    );
    refuses(
        cases,
        "star = \"2\", beds_in_use = 30",
        "deposits = 1",
        "事实“deposits”是家庭（household）的，要写在家庭（household）里",
    );
    refuses(
        cases,
        "expect = { outcome = \"met\"",
        "expect = { member = 0, outcome = \"met\"",
        "给机构的事项，expect 里不写 member",
    );
}

#[test]
fn a_yearly_amount_is_money_by_the_year() {
    refuses(
        "nation/care_home/rules.toml",
        "every = \"year\"",
        "every = \"month\"",
        "公式得到的是每年金额",
    );
    refuses(
        "nation/care_home/rules.toml",
        "every = \"year\"",
        "every = \"week\"",
        "every 只能写 month、year、once、order、status",
    );
    refuses(
        "nation/care_home/parameters.toml",
        "fen/bed/year",
        "fen/bed/week",
        "不认识的单位“fen/bed/week”",
    );
}

#[test]
fn mutants_of_an_organisations_rules_are_tried_too() {
    let folder = tempfile::tempdir().unwrap();
    crate::village::write(folder.path(), &with_home());
    let said = commands::mutate(folder.path(), "village", Some("care_home"));
    let line = said.text.lines().next().unwrap();
    assert!(line.contains("变异 "), "{}", said.text);
    // No case pays one star.
    assert!(
        said.text.contains("1 档的 100000 改为 100001"),
        "{}",
        said.text
    );
}
