//! What the village's rules decide (认定).

use crate::village::{
    aid, day, files, files_without_gap, household, load, record, village, villager, write,
};
use policy::card::{self, Approval};
use policy::replay::replay;
use policy::{Ask, Every, FactRef, Outcome, Tri, Unit, gate};
use vocab::{DatedFact, FactSheet, Month, Period, Value};

#[test]
fn a_family_below_the_standard_gets_the_difference_with_every_reason_cited() {
    let book = village();
    let answer = aid(
        &book,
        &household(0, vec![villager(60_000), villager(0)]),
        "2021-06-01",
    );
    assert_eq!(answer.outcome, Outcome::Met);
    assert_eq!(answer.amount.unwrap().to_string(), "1,900.00");
    assert_eq!(answer.amount_formula, "1,250.00 × 2 − 600.00");
    assert_eq!((answer.unit, answer.every), (Unit::Household, Every::Month));
    assert_eq!(answer.covered, [0, 1]);
    let condition = &answer.conditions[0];
    assert_eq!(condition.article_title, "《救助法》第十八条");
    assert_eq!(
        condition.sentence_zh,
        "人均月收入 300.00 元低于标准 1,250.00 元"
    );
    assert_eq!(
        condition.sentence_en,
        "Income per head 300.00 is below 1,250.00"
    );
    assert_eq!(condition.uses, ["per_head", "standard"]);
    assert!(condition.refusal.is_none() && condition.missing.is_empty());
    assert_eq!(answer.pack_version, "village 1.2 + nation 1.0");
    assert_eq!(
        answer.start_month(day("2021-06-15"), day("2021-05-20")),
        "2021-07".parse::<Month>().unwrap()
    );
}

#[test]
fn after_the_last_value_has_ended_an_earlier_one_does_not_come_back() {
    let mut ended = files();
    let parameters = ended.get_mut("nation/aid/parameters.toml").unwrap();
    *parameters = parameters.replace(
        "{ from = 2021-01-01, value",
        "{ from = 2021-01-01, until = 2022-01-01, value",
    );
    let book = load(&ended).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let sheet = household(0, vec![villager(0)]);
    let last = aid(&book, &sheet, "2021-12-31");
    assert_eq!(last.amount.unwrap().to_string(), "1,250.00");
    // Not the 1,000.00 of the year before: nobody has said what holds now.
    let after = aid(&book, &sheet, "2022-01-01");
    assert_eq!((after.outcome, after.amount), (Outcome::ToVerify, None));
}

#[test]
fn one_no_decides_although_others_are_unknown() {
    let book = village();
    let mut sheet = household(0, vec![villager(200_000)]);
    sheet.household.clear();
    let answer = aid(&book, &sheet, "2021-06-01");
    assert_eq!(answer.outcome, Outcome::NotMet);
    assert_eq!(answer.conditions[1].result, Tri::Unknown);
    assert_eq!(
        answer.conditions[1].missing,
        [FactRef {
            fact: "deposits".to_owned(),
            member: None
        }]
    );
    let refusal = answer.conditions[0].refusal.as_ref().unwrap();
    assert_eq!(refusal.id, "income_high");
    assert!(refusal.zh.contains("2,000.00"), "{}", refusal.zh);
    assert!(answer.amount.is_none() && answer.missing.is_empty());
}

#[test]
fn a_missing_wage_is_named_for_the_member_who_lacks_it_and_for_nobody_else() {
    let book = village();
    let mut silent = villager(0);
    silent.remove("wage");
    let mut away = silent.clone();
    away.insert(
        "present".to_owned(),
        vec![DatedFact::plain(Value::Bool(false))],
    );
    let answer = aid(
        &book,
        &household(0, vec![villager(1), silent, away]),
        "2021-06-01",
    );
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert_eq!(
        answer.missing,
        [FactRef {
            fact: "wage".to_owned(),
            member: Some(1)
        }]
    );
    assert_eq!(
        answer.conditions[0].sentence_zh,
        "人均月收入 （待核实） 元低于标准 1,250.00 元"
    );
}

#[test]
fn an_absent_fact_counts_as_zero_only_where_an_article_says_so_and_the_answer_says_it() {
    let book = village();
    let answer = aid(&book, &household(0, vec![villager(1)]), "2021-06-01");
    assert_eq!(answer.absent_as_zero.len(), 1);
    assert_eq!(answer.absent_as_zero[0].fact, "gift");
    assert_eq!(answer.absent_as_zero[0].article.to_string(), "civil:17");
}

#[test]
fn values_of_parameters_are_those_of_the_day_and_never_the_nearest() {
    let book = village();
    let sheet = household(0, vec![villager(0)]);
    assert_eq!(
        aid(&book, &sheet, "2020-12-31").amount.unwrap().fen(),
        100_000
    );
    assert_eq!(
        aid(&book, &sheet, "2021-01-01").amount.unwrap().fen(),
        125_000
    );
    let before = aid(&book, &sheet, "2019-12-31");
    assert_eq!(before.outcome, Outcome::ToVerify);
    assert!(
        before
            .faults
            .iter()
            .any(|fault| fault.contains("该日期前没有公布值")),
        "{:?}",
        before.faults
    );
}

#[test]
fn the_value_of_the_street_wins_over_that_of_the_place() {
    let book = village();
    let sheet = household(4_000_000, vec![villager(0)]);
    let ask = |region: Option<&str>| Ask {
        region: region.map(|code| code.parse().unwrap()),
        programmes: Some(vec!["aid".to_owned()]),
        ..Ask::on(day("2021-06-01"))
    };
    assert_eq!(book.evaluate(&sheet, &ask(None))[0].outcome, Outcome::Met);
    assert_eq!(
        book.evaluate(&sheet, &ask(Some("990101002001")))[0].outcome,
        Outcome::Met
    );
    assert_eq!(
        book.evaluate(&sheet, &ask(Some("990101001001")))[0].outcome,
        Outcome::NotMet
    );
}

#[test]
fn contradicting_facts_are_nobodys_truth_and_both_are_named() {
    let book = village();
    let said = |wage: i64, source: &str, since: Option<&str>| DatedFact {
        source: source.to_owned(),
        known_since: since.map(|at| at.parse().unwrap()),
        ..DatedFact::plain(Value::Int(wage))
    };
    let mut member = villager(0);
    member.insert(
        "wage".to_owned(),
        vec![said(100, "社保", None), said(200, "本人申报", None)],
    );
    let sheet = household(0, vec![member.clone()]);
    let answer = aid(&book, &sheet, "2021-06-01");
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert_eq!(answer.missing[0].fact, "wage");
    assert!(
        answer.faults[0].contains("100（社保）与200（本人申报）"),
        "{:?}",
        answer.faults
    );
    member.insert(
        "wage".to_owned(),
        vec![
            said(100, "社保", Some("2021-01-01T00:00:00Z")),
            said(200, "本人申报", None),
        ],
    );
    let answer = aid(&book, &household(0, vec![member]), "2021-06-01");
    assert_eq!(answer.amount.unwrap().fen(), 124_900);
}

#[test]
fn what_was_learned_later_is_not_known_earlier() {
    let book = village();
    let mut member = villager(0);
    member.get_mut("wage").unwrap().push(DatedFact {
        known_since: Some("2021-07-01T00:00:00Z".parse().unwrap()),
        ..DatedFact::plain(Value::Int(25_000))
    });
    let sheet = household(0, vec![member]);
    let ask = |known_at: &str| Ask {
        known_at: Some(known_at.parse().unwrap()),
        ..Ask::on(day("2021-06-01"))
    };
    let amount = |known_at: &str| {
        book.evaluate(&sheet, &ask(known_at))[0]
            .amount
            .unwrap()
            .fen()
    };
    assert_eq!(amount("2021-06-30T00:00:00Z"), 125_000);
    assert_eq!(amount("2021-07-02T00:00:00Z"), 100_000);
}

#[test]
fn a_programme_reads_the_outcome_of_another_and_waits_for_it() {
    let book = village();
    let mut old = villager(0);
    old.insert(
        "birth_date".to_owned(),
        vec![DatedFact::plain(Value::Date(day("1941-06-01")))],
    );
    let sheet = FactSheet {
        member_keys: vec!["p1".to_owned()],
        ..household(9_000_000, vec![old])
    };
    let answers = book.evaluate(&sheet, &Ask::on(day("2021-06-01")));
    let elder = answers.iter().find(|one| one.programme == "elder").unwrap();
    assert_eq!(elder.outcome, Outcome::Met);
    assert_eq!(elder.amount.unwrap().fen(), 30_000);
    assert_eq!(
        (elder.member, elder.member_key.as_deref()),
        (Some(0), Some("p1"))
    );
    assert_eq!(
        elder
            .start_month(day("2021-06-15"), day("2021-05-20"))
            .to_string(),
        "2011-06"
    );
}

#[test]
fn an_empty_household_and_a_division_by_nobody_are_to_verify_not_a_crash() {
    let book = village();
    let answer = aid(&book, &household(0, Vec::new()), "2021-06-01");
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert!(answer.faults[0].contains("除数为零"), "{:?}", answer.faults);
}

#[test]
fn an_overflow_stops_its_own_household_only() {
    let book = village();
    let huge = household(0, vec![villager(i64::MAX), villager(i64::MAX)]);
    let fine = household(0, vec![villager(0)]);
    let ask = Ask::on(day("2021-06-01"));
    let answers = book.evaluate_many(&[huge.clone(), fine.clone()], &ask);
    assert_eq!(answers[0], book.evaluate(&huge, &ask));
    assert_eq!(answers[1], book.evaluate(&fine, &ask));
    assert_eq!(answers[1][0].outcome, Outcome::Met);
}

#[test]
fn an_amount_that_is_not_whole_fen_is_a_fault_unless_the_rule_rounds() {
    let mut changed = files();
    let rules = changed.get_mut("nation/aid/rules.toml").unwrap();
    *rules = rules.replace(
        "amount = \"standard * people - household_income\"",
        "amount = \"standard / 7\"",
    );
    let book = load(&changed).unwrap();
    let answer = aid(&book, &household(0, vec![villager(0)]), "2021-06-01");
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert!(answer.faults[0].contains("不是整分"), "{:?}", answer.faults);
    let rules = changed.get_mut("nation/aid/rules.toml").unwrap();
    *rules = rules.replace(
        "amount = \"standard / 7\"",
        "amount = \"standard / 7\"\nround = \"ceil_yuan\"",
    );
    let answer = aid(
        &load(&changed).unwrap(),
        &household(0, vec![villager(0)]),
        "2021-06-01",
    );
    assert_eq!(answer.amount.unwrap().to_string(), "179.00");
}

#[test]
fn an_amount_of_nothing_although_all_is_met_is_a_gap_in_the_rules() {
    let mut changed = files();
    let rules = changed.get_mut("nation/aid/rules.toml").unwrap();
    *rules = rules.replace(
        "amount = \"standard * people",
        "amount = \"0 * standard * people",
    );
    let answer = aid(
        &load(&changed).unwrap(),
        &household(0, vec![villager(0)]),
        "2021-06-01",
    );
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert!(answer.faults[0].contains("不大于零"), "{:?}", answer.faults);
}

#[test]
fn looking_back_needs_every_month() {
    let mut changed = files();
    let rules = changed.get_mut("nation/people/rules.toml").unwrap();
    *rules = rules.replace("greatest(wage + gift, 0)", "avg_months(3, wage) + gift");
    let book = load(&changed).unwrap();
    let month = |text: &str, wage: i64| DatedFact {
        period: Period::of_month(text.parse().unwrap()),
        ..DatedFact::plain(Value::Int(wage))
    };
    let with = |rows: Vec<DatedFact>| {
        let mut member = villager(0);
        member.insert("wage".to_owned(), rows);
        aid(&book, &household(0, vec![member]), "2021-06-15")
    };
    let whole = with(vec![
        month("2021-03", 100),
        month("2021-04", 100),
        month("2021-05", 101),
    ]);
    assert_eq!(
        whole
            .variables
            .iter()
            .find(|one| &*one.id == "income")
            .unwrap()
            .exact
            .as_deref(),
        Some("301/3")
    );
    assert_eq!(
        whole
            .facts
            .iter()
            .filter(|fact| fact.fact == "wage")
            .count(),
        3
    );
    let gap = with(vec![
        month("2021-03", 100),
        month("2021-05", 101),
        month("2021-06", 7),
    ]);
    assert_eq!(gap.outcome, Outcome::ToVerify);
    assert_eq!(gap.missing[0].fact, "wage");
}

#[test]
fn later_versions_of_a_rule_apply_from_their_day() {
    let mut changed = files();
    let rules = changed.get_mut("nation/aid/rules.toml").unwrap();
    *rules = rules.replace(
        "[benefit]",
        "[[condition]]\nid = \"income_low\"\nfrom = 2021-07-01\narticle = \"aidlaw:23\"\ntest = \"per_head <= standard\"\nrefuses = \"income_high\"\n\n[benefit]",
    ).replace("amount = \"standard * people - household_income\"", "amount = \"greatest(standard * people - household_income, standard)\"");
    let book = load(&changed).unwrap();
    let sheet = household(0, vec![villager(125_000)]);
    assert_eq!(aid(&book, &sheet, "2021-06-30").outcome, Outcome::NotMet);
    let after = aid(&book, &sheet, "2021-07-01");
    assert_eq!(after.outcome, Outcome::Met);
    assert_eq!(after.conditions[0].article.to_string(), "aidlaw:23");
}

#[test]
fn the_cases_come_out_alone_and_stacked_and_all_conditions_are_covered() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files_without_gap());
    let verdict = gate::examine(folder.path(), "village").unwrap();
    let failures: Vec<_> = verdict
        .reports
        .iter()
        .flat_map(policy::cases::Report::failures)
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(
        verdict
            .reports
            .iter()
            .map(policy::cases::Report::passed)
            .sum::<usize>(),
        7
    );
    // Only the unsigned cards stand in the way.
    assert_eq!(verdict.faults.len(), 2, "{:#?}", verdict.faults);
    assert!(
        verdict
            .faults
            .iter()
            .all(|fault| fault.file.ends_with(card::FILE))
    );
    let renewed = policy::commands::test(folder.path(), "village", policy::commands::Cards::Renew);
    assert!(renewed.ok, "{}", renewed.text);
    assert!(
        gate::examine(folder.path(), "village")
            .unwrap()
            .may_publish()
    );
    let again = policy::commands::test(folder.path(), "village", policy::commands::Cards::Frozen);
    assert!(again.ok, "{}", again.text);
}

#[test]
fn a_wrong_expectation_is_told_in_words_with_its_place() {
    let mut changed = files();
    let cases = changed.get_mut("village/aid/cases.toml").unwrap();
    *cases = cases.replace("amount = 185000", "amount = 185001");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &changed);
    let said = policy::commands::test(folder.path(), "village", policy::commands::Cards::Renew);
    assert!(!said.ok);
    assert!(
        said.text.contains("village/aid/cases.toml:2:8: “两口人，按差额发”：金额应为 1,850.01，得到 1,850.00（1,250.00 × 2 − 650.00）"),
        "{}",
        said.text
    );
}

#[test]
fn the_card_shows_what_no_case_can_tell() {
    let mut changed = files();
    changed.insert(
        "nation/aid/mutants.toml".to_owned(),
        "[[equivalent]]\nrule = \"per_head\"\nmutation = \"舍入 floor_fen 改为 ceil_fen\"\nbecause = \"标准是整分\"\n"
            .to_owned(),
    );
    let book = load(&changed).unwrap();
    let text = card::render(&book, book.programme("aid").unwrap());
    assert!(
        text.contains("| per_head | 舍入 floor_fen 改为 ceil_fen | 标准是整分 |"),
        "{text}"
    );
}

#[test]
fn the_list_of_programmes_says_whose_figures_they_are() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files());
    let said = policy::commands::list(folder.path(), &["nation".to_owned(), "village".to_owned()]);
    assert!(said.ok, "{}", said.text);
    assert_eq!(
        said.text.lines().collect::<Vec<_>>(),
        [
            "| 事项 | programme | 对象 | 发放 | 全国 | 试验村 |",
            "|---|---|---|---|---|---|",
            "| 困难救助 `aid` | Aid | 家庭 | 按月发放 | 部分未公布，1 例 | 公布，4 例 |",
            "| 高龄津贴 `elder` | Old-age allowance | 个人 | 按月发放 | 公布，0 例 | 公布，3 例 |",
        ]
    );
}

#[test]
fn a_card_goes_stale_when_a_rule_changes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files());
    assert!(
        policy::commands::card(
            folder.path(),
            "village",
            None,
            Some(policy::commands::Cards::Renew)
        )
        .ok
    );
    let mut changed = files();
    let rules = changed.get_mut("nation/aid/rules.toml").unwrap();
    *rules = rules.replace("per_head < standard", "per_head <= standard");
    write(folder.path(), &changed);
    let book = policy::Book::load(folder.path(), "village").unwrap();
    assert_eq!(
        card::approval(&book, book.programme("aid").unwrap()),
        Approval::Different
    );
    assert_eq!(
        card::approval(&book, book.programme("elder").unwrap()),
        Approval::Same
    );
    let text = card::render(&book, book.programme("aid").unwrap());
    assert!(
        text.contains("**《救助法》第十八条** 收入低于标准的，给予救助。"),
        "{text}"
    );
    assert!(
        text.contains("| limit：存款限额 | 2020-01-01（990101001000） | 30,000.00 | 街道规定 |"),
        "{text}"
    );
    // From the programme to conditions, variables, facts and parameters.
    for edge in [
        "n_aid --> n_income_low",
        "n_income_low --> n_per_head",
        "n_per_head --> n_household_income",
        "n_income --> n_wage",
        "n_wage([\"工资<br>wage\"])",
        "n_standard{{\"救助标准<br>standard\"}}",
    ] {
        assert!(text.contains(edge), "{edge} in {text}");
    }
    assert!(
        text.contains(
            "| income_low | 3 个：两口人，按差额发；收入正好等于标准；存款超过街道的限额 | **没有办例** |"
        ),
        "{text}"
    );
    assert!(text.contains("### 没有办例用到的条文"), "{text}");
}

#[test]
fn a_determination_replays_to_the_same_bytes_from_its_excerpt() {
    let book = village();
    let mut sheet = household(100, vec![villager(60_000), villager(1)]);
    sheet.household.insert(
        "grade".to_owned(),
        vec![DatedFact::plain(Value::Text("A".to_owned()))],
    );
    let answer = aid(&book, &sheet, "2021-06-01");
    let excerpt = book.excerpt("aid", &sheet);
    assert!(
        !excerpt.household.contains_key("grade"),
        "the aid does not read the grade"
    );
    let stored = answer.to_canonical_json();
    let same = replay(&book, &stored, &excerpt).unwrap();
    assert!(same.same_bytes && same.differences.is_empty() && same.pack_changed.is_none());
    let mut changed = files();
    let parameters = changed.get_mut("nation/aid/parameters.toml").unwrap();
    *parameters = parameters.replace("125000", "126000");
    let newer = load(&changed).unwrap();
    let other = replay(&newer, &stored, &excerpt).unwrap();
    assert!(!other.same_bytes && other.pack_changed.is_some());
    let amount = other
        .differences
        .iter()
        .find(|one| one.path == "amount")
        .unwrap();
    assert_eq!(
        (amount.stored.as_str(), amount.now.as_str()),
        ("189999", "191999")
    );
    let mut reworded = files();
    let nation = reworded.get_mut("nation/pack.toml").unwrap();
    *nation = nation.replace("version = \"1.0\"", "version = \"1.1\"");
    let moved = replay(&load(&reworded).unwrap(), &stored, &excerpt).unwrap();
    assert!(moved.differences.is_empty() && moved.pack_changed.is_some());
    assert!(replay(&book, "{}", &excerpt).is_err());
}

#[test]
fn canonical_json_reads_back_to_the_same_determination() {
    let book = village();
    for answer in book.evaluate(
        &household(1, vec![villager(3)]),
        &Ask::on(day("2021-06-01")),
    ) {
        let text = answer.to_canonical_json();
        let back: policy::Determination = serde_json::from_str(&text).unwrap();
        assert_eq!(back, answer);
        assert_eq!(back.to_canonical_json(), text);
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_not_adopted() {
    let book = village();
    let mut sheet = household(0, vec![villager(0)]);
    sheet.members[0].insert(
        "wage".to_owned(),
        vec![DatedFact::plain(Value::Text("很多".to_owned()))],
    );
    let answer = aid(&book, &sheet, "2021-06-01");
    assert_eq!(answer.outcome, Outcome::ToVerify);
    assert!(
        answer.faults[0].contains("第1位成员的“工资”（wage）的值“很多”"),
        "{:?}",
        answer.faults
    );
    let fine = record([("grade", Value::Text("A".to_owned()))]);
    assert_eq!(fine.len(), 1);
}

#[test]
fn the_place_knows_its_regions_texts_and_articles() {
    let book = village();
    let place = book.place();
    assert_eq!(
        (place.id.as_str(), place.demo, place.regions.len()),
        ("village", true, 2)
    );
    assert_eq!(place.regions[1].parent, Some("990101001".parse().unwrap()));
    let aid = book.programme("aid").unwrap();
    assert!(aid.folder.ends_with("village/aid"));
    assert_eq!(aid.text("procedure.toml").unwrap().1, "steps = 1\n");
    assert!(
        aid.text("rules.toml")
            .unwrap()
            .0
            .ends_with("nation/aid/rules.toml")
    );
    assert_eq!(aid.facts, ["deposits", "gift", "hukou", "present", "wage"]);
    let article = book.article(&"aidlaw:18".parse().unwrap()).unwrap();
    assert_eq!(
        (article.title_zh.as_str(), article.text.as_str()),
        ("第十八条", "收入低于标准的，给予救助。")
    );
    assert_eq!(book.fact("grade").unwrap().codes[1].zh, "乙");
}
