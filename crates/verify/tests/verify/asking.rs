//! What is answered, and when nothing is (查询).

use crate::town::{ANN, BANK, BO, CAI, Of, Town, day, household, parquet};
use proptest::prelude::*;
use std::collections::BTreeMap;
use verify::straight::ask_files;
use verify::{Asked, Unknown};

#[test]
fn one_person_is_found_however_the_department_wrote_the_number() {
    let town = Town::new();
    let lines = format!(
        "{ANN},张芳,1,,1,,,,,0\n11010519491231002x,张芳,2,,10,,,,,0\n110105491231002,张芳,3,,100,,,,,0\n \
         １１０１０５１９４９１２３１００２Ｘ,张芳,4,,1000,,,,,0\n{BO},李四,5,,10000,,,,,0\n"
    );
    town.bank(&lines, "2026-11-01").unwrap();
    let report = &town.ask(
        &[household("一", &[("110105491231002", "张芳")])],
        "2026-11-22",
    )[0];
    assert_eq!(town.figure(report, "bank", "deposits").value, Some(111_100));
    assert_eq!(town.figure(report, "bank", "accounts").value, Some(4));
}

#[test]
fn a_source_that_is_missing_old_or_partial_is_unknown_and_never_zero() {
    let town = Town::new();
    let asked = [household("一", &[(BO, "李四")])];
    let figure = |town: &Town, as_of: &str| {
        let report = &town.ask(&asked, as_of)[0];
        town.figure(report, "bank", "deposits")
    };
    assert_eq!(figure(&town, "2026-11-22").unknown, [Unknown::NotLanded]);
    town.bank(&format!("{ANN},张芳,1,,1,,,,,0\n"), "2026-10-01")
        .unwrap();
    // On the day before it came there was nothing; it holds for 45 days, to 15 November.
    assert_eq!(figure(&town, "2026-09-30").unknown, [Unknown::NotLanded]);
    assert_eq!(figure(&town, "2026-11-15").value, Some(0));
    let old = figure(&town, "2026-11-16");
    assert_eq!(
        (old.value, old.unknown),
        (None, vec![Unknown::Stale(day("2026-10-01"))])
    );
    let partial = Town::of(&[("bank", &BANK.replace("whole = true", "whole = false"))]);
    partial
        .bank(&format!("{ANN},张芳,1,,1,,,,,0\n"), "2026-11-01")
        .unwrap();
    assert_eq!(figure(&partial, "2026-11-22").unknown, [Unknown::NotWhole]);
    // Another definition of the columns is not guessed into.
    let mut changed = town.sources.clone();
    changed.0.get_mut("bank").unwrap().columns[4].needed = false;
    let landed = verify::Landed::open(&town.store(), changed, town.keys.clone()).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let report = &landed
        .ask_outside_a_case(&asked, day("2026-10-10"), 1, &stop)
        .unwrap()[0];
    assert_eq!(
        town.figure(report, "bank", "deposits").unknown,
        [Unknown::LandedOtherwise]
    );
}

#[test]
fn one_member_nobody_can_look_up_makes_the_household_unknown_with_what_is_known_beside_it() {
    let town = Town::new();
    town.bank(&format!("{ANN},张芳,1,,5.00,,,,,0\n"), "2026-11-01")
        .unwrap();
    let asked = [
        household("一", &[(ANN, "张芳"), ("1101051949123100", "某人")]),
        household("二", &[(ANN, "张芳"), (ANN, "张芳")]),
        household("三", &[(ANN, "")]),
    ];
    let reports = town.ask(&asked, "2026-11-22");
    let deposits = town.figure(&reports[0], "bank", "deposits");
    assert_eq!((deposits.value, deposits.at_least), (None, Some(500)));
    assert_eq!(deposits.unknown, [Unknown::NoValidId]);
    let twice = town.figure(&reports[1], "bank", "deposits");
    assert_eq!(
        (twice.value, twice.unknown),
        (None, vec![Unknown::WrittenTwice])
    );
    assert_eq!(
        town.figure(&reports[2], "bank", "deposits").value,
        Some(500)
    );
    let unnamed = town.figure(&reports[2], "bank", "other_name");
    assert_eq!(
        (unnamed.value, unnamed.unknown),
        (None, vec![Unknown::NameMissing])
    );
}

#[test]
fn a_blank_where_a_number_is_needed_is_not_counted_as_none() {
    let town = Town::new();
    let lines = format!("{ANN},张芳,1,,5.00,,,,,\n{BO},李四,,,7.00,,,,,0\n");
    town.bank(&lines, "2026-11-01").unwrap();
    let reports = town.ask(
        &[
            household("一", &[(ANN, "张芳")]),
            household("二", &[(BO, "李四")]),
        ],
        "2026-11-22",
    );
    // Whether the first account still exists is not said; the second has no number to tell it by.
    assert_eq!(
        town.figure(&reports[0], "bank", "deposits").unknown,
        [Unknown::Blank]
    );
    assert_eq!(
        town.figure(&reports[1], "bank", "different").unknown,
        [Unknown::Blank]
    );
    assert_eq!(
        town.figure(&reports[1], "bank", "deposits").value,
        Some(700)
    );
}

#[test]
fn the_newest_row_speaks_and_two_of_one_day_must_agree() {
    let town = Town::new();
    let row = |id: &str, day: &str, lines: &str| format!("{id},甲,1,,1,{day},,{lines},,0\n");
    let lines = [
        row(ANN, "2026-10-31", "7"),
        row(ANN, "2026/9/30", "9"),
        row(BO, "2026-10-31", "7"),
        row(BO, "20261031", "8"),
        row(CAI, "2026-10-31", "7"),
        row(CAI, "2026年10月31日", "7"),
    ];
    town.bank(&lines.concat(), "2026-11-01").unwrap();
    let asked: Vec<Asked> = [ANN, BO, CAI]
        .iter()
        .map(|id| household(id, &[(id, "甲")]))
        .collect();
    let at = town.place("bank", "last_lines");
    let of: Vec<_> = town
        .ask(&asked, "2026-11-22")
        .iter()
        .map(|report| report.answers[0].members[0][at].clone())
        .collect();
    assert_eq!(of[0].value, Some(7));
    assert_eq!(of[1].unknown, [Unknown::Contradictory]);
    assert_eq!(of[2].value, Some(7));
}

#[test]
fn an_average_is_over_the_months_before_and_rounded_to_the_fen() {
    let town = Town::new();
    let row = |month: &str, yuan: &str| format!("{ANN},甲,1,,{yuan},,{month},,,0\n");
    // Asked in November: August, September and October count. 100.00 + 200.00 + 0.01 = 300.01; a third is 100.0033.
    let lines = [
        row("202607", "9999"),
        row("2026-08", "100"),
        row("2026年9月", "200"),
        row("202610", "0.01"),
        row("2026/11", "9999"),
    ];
    town.bank(&lines.concat(), "2026-11-01").unwrap();
    let report = &town.ask(&[household("一", &[(ANN, "甲")])], "2026-11-22")[0];
    assert_eq!(town.figure(report, "bank", "mean").value, Some(10_000));
}

#[test]
fn a_thing_two_members_share_counts_once() {
    let town = Town::new();
    let lines = format!(
        "{ANN},甲,K1,,1,,,,,0\n{BO},乙,K1,,1,,,,,0\n{BO},乙,K2,,1,,,,,0\n{BO},乙,K2,,1,,,,,0\n"
    );
    town.bank(&lines, "2026-11-01").unwrap();
    let report = &town.ask(&[household("一", &[(ANN, "甲"), (BO, "乙")])], "2026-11-22")[0];
    let at = town.place("bank", "different");
    let members: Vec<_> = report.answers[0]
        .members
        .iter()
        .map(|one| one[at].value)
        .collect();
    assert_eq!(members, [Some(1), Some(2)]);
    assert_eq!(report.answers[0].household[at].value, Some(2));
}

#[test]
fn a_marriage_is_found_from_both_sides_and_an_unreadable_spouse_is_noted() {
    let town = Town::new();
    let text = format!("男方,女方,状态\n{ANN},{BO},1\n{CAI},错的,1\n,{BO},1\n");
    let file = town.file("marriage.csv", text);
    let manifest = town.land("marriage", &file, "2026-11-01").unwrap();
    assert_eq!((manifest.bad, manifest.entries), (1, 3));
    assert_eq!(
        manifest.notes,
        BTreeMap::from([("id_length".to_owned(), 1)])
    );
    let asked = [
        household("夫妻", &[(ANN, "甲"), (BO, "乙")]),
        household("一人", &[(BO, "乙")]),
        household("不明", &[(CAI, "丙")]),
    ];
    let reports = town.ask(&asked, "2026-11-22");
    let outside: Vec<_> = reports
        .iter()
        .map(|report| town.figure(report, "marriage", "outside").value)
        .collect();
    assert_eq!(outside, [Some(0), Some(1), Some(0)]);
    assert_eq!(town.figure(&reports[2], "marriage", "any").value, Some(1));
}

#[test]
fn an_earlier_day_is_answered_by_the_delivery_of_that_time_again_and_again() {
    let town = Town::new();
    town.bank(&format!("{ANN},甲,1,,1,,,,,0\n"), "2026-10-01")
        .unwrap();
    let asked = [household("一", &[(ANN, "甲")])];
    let before = town.ask(&asked, "2026-10-20");
    town.bank(&format!("{ANN},甲,1,,2,,,,,0\n"), "2026-11-01")
        .unwrap();
    assert_eq!(town.ask(&asked, "2026-10-20"), before);
    let now = &town.ask(&asked, "2026-11-01")[0];
    assert_eq!(town.figure(now, "bank", "deposits").value, Some(200));
    assert!(
        now.answers[0]
            .delivery
            .as_deref()
            .unwrap()
            .starts_with("2026-11-01-01-")
    );
}

/// A row of the invented bank: who, in whose name, which account, balance, state.
type Line = (usize, usize, u8, Option<i64>, usize, bool);

fn people() -> Vec<String> {
    (1..=30)
        .map(|number| {
            let body = format!("110101197001{:02}{:03}", number, number * 7);
            let check = vocab::id_number::check_digit(&body).unwrap();
            format!("{body}{check}")
        })
        .collect()
}

/// As a department may write a number.
fn written(id: &str, way: usize) -> String {
    match way {
        0 => id.to_owned(),
        1 => id.to_lowercase(),
        2 => format!("{}{}", &id[..6], &id[8..17]),
        3 => format!(" {id}"),
        _ => format!("{id}　"),
    }
}

proptest! {
    #![proptest_config(crate::town::cases(24))]

    #[test]
    fn a_crowd_is_answered_as_each_alone_and_as_straight_from_the_file(
        lines in prop::collection::vec((0..30_usize, 0..5_usize, 0..3_u8, prop::option::weighted(0.95, -5..1000_i64), 0..5_usize, any::<bool>()), 1..400),
        sizes in prop::collection::vec(1..4_usize, 1..12),
    ) {
        let ids = people();
        let names = ["甲", "乙", "丙", "丁", ""];
        let town = Town::of(&[("bank", &BANK.replace("unit = \"yuan\"", "unit = \"fen\""))]);
        let file = town.folder.path().join("bank.parquet");
        let texts = |each: &dyn Fn(&Line) -> String| Of::Texts(lines.iter().map(|line| Some(each(line)).filter(|text| !text.is_empty())).collect());
        parquet(&file, vec![
            ("id_no", texts(&|line| written(&ids[line.0], line.4))),
            ("name", texts(&|line| names[line.1].to_owned())),
            ("account", texts(&|line| line.2.to_string())),
            ("balance", Of::Whole(lines.iter().map(|line| line.3).collect())),
            ("state", texts(&|line| if line.5 { "0" } else { "9" }.to_owned())),
        ]);
        if lines.iter().all(|line| line.3.is_none()) {
            return Ok(());
        }
        town.land("bank", &file, "2026-11-01").unwrap();
        let mut next = 0;
        let asked: Vec<Asked> = sizes.iter().enumerate().map(|(number, size)| {
            let members: Vec<(&str, &str)> = (0..*size).map(|_| {
                next = (next + 1) % 30;
                (ids[next].as_str(), names[next % 5])
            }).collect();
            household(&number.to_string(), &members)
        }).collect();
        let reports = town.ask(&asked, "2026-11-22");
        let columns = town.ask_many(&asked, "2026-11-22");
        let files = BTreeMap::from([("bank".to_owned(), file)]);
        let straight = ask_files(&town.sources, &files, &asked, day("2026-11-22"), 2).unwrap();
        prop_assert_eq!(&columns, &straight);
        for most in [1, 3, 100] {
            prop_assert_eq!(&columns, &town.ask_in_pieces(&asked, "2026-11-22", most));
        }
        for (at, one) in asked.iter().enumerate() {
            let alone = town.ask(std::slice::from_ref(one), "2026-11-22");
            prop_assert_eq!(&alone[0], &reports[at]);
            for (place, column) in columns.iter().enumerate() {
                prop_assert_eq!(column.values[at], reports[at].answers[0].household[place].value);
            }
            // By hand: every row of a member that landed and is not closed.
            let sum: i64 = lines.iter()
                .filter(|line| line.5 && one.members.iter().any(|person| person.id_no == ids[line.0]))
                .filter_map(|line| line.3)
                .sum();
            prop_assert_eq!(town.figure(&reports[at], "bank", "deposits").value, Some(sum));
        }
    }
}
