//! Whole populations against single households (批量与单户一致): the machine and the reference agree on every input.
//!
//! All worked cases of all packs, and seeded variations of them, batched in random order with households of any size. Expected
//! values are those of the reference, which the worked cases themselves hold to the law.
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

use chrono::NaiveDate;
use policy::table::{KNOWN, States};
use policy::{Ask, Book, Change, Outcome, Setting, Tri, Unit};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vocab::{DatedFact, FactSheet, Record, Value};

const PLACES: [&str; 7] = [
    "national", "baoan", "futian", "ningguo", "xicheng", "taicang", "sample",
];

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn load(packs: &Path, place: &str) -> Book {
    Book::load(packs, place).unwrap_or_else(|faults| panic!("{place}: {faults:#?}"))
}

/// Small numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let limit = u64::try_from(limit.max(1)).unwrap();
        usize::try_from((self.0 >> 11) % limit).unwrap()
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotMet => 0,
        Outcome::ToVerify => 1,
        Outcome::Met => 2,
    }
}

/// Decides the sheets both ways; says how many answers agreed and how many households went through the reference. Building
/// every sentence takes most of the time, so the conditions are compared for some of the sheets.
fn agree(book: &Book, sheets: &[FactSheet], ask: &Ask, every: usize) -> (usize, usize) {
    let table = book.tabulate(sheets, ask);
    let mut machine = book.machine(ask);
    machine.keep_conditions();
    assert_eq!(machine.formless(), [], "{}", book.place().id);
    let outcomes = machine.decide(&table);
    let place: BTreeMap<usize, usize> = outcomes
        .programmes()
        .iter()
        .enumerate()
        .map(|(at, programme)| (*programme, at))
        .collect();
    let mut compared = 0;
    let right = book.outcomes(sheets, ask);
    for (row, briefs) in right.iter().enumerate() {
        let full = if (row + sheets.len()).is_multiple_of(every) {
            book.evaluate(&sheets[row], ask)
        } else {
            Vec::new()
        };
        for (number, brief) in briefs.iter().enumerate() {
            let determination = full.get(number);
            let at = place[&brief.programme];
            let members = table.members_of(row);
            let cell = brief.member.map_or(row, |member| members.start + member);
            let what = || {
                format!(
                    "{} {} on {}: row {row} member {:?}\n{:#?}",
                    book.place().id,
                    book.programmes()[brief.programme].id,
                    ask.as_of,
                    brief.member,
                    sheets[row]
                )
            };
            assert_eq!(
                outcomes.outcome(at)[cell],
                code(brief.outcome),
                "{}",
                what()
            );
            let amount = brief.amount.map_or(0, vocab::Money::fen);
            assert_eq!(outcomes.amount(at)[cell], amount, "{}", what());
            compared += 1;
            let Some(determination) = determination else {
                continue;
            };
            for (number, condition) in determination.conditions.iter().enumerate() {
                let right = match condition.result {
                    Tri::No => 0,
                    Tri::Unknown => 1,
                    Tri::Yes => 2,
                };
                assert_eq!(
                    outcomes.condition(at, number)[cell],
                    right,
                    "condition {} {}",
                    condition.id,
                    what()
                );
            }
            if let (Some(covered), Unit::Household) = (outcomes.covered(at), determination.unit) {
                let found: Vec<usize> = members
                    .clone()
                    .filter(|member| covered[*member] == 1)
                    .map(|member| member - members.start)
                    .collect();
                assert_eq!(found, determination.covered, "{}", what());
            }
        }
    }
    (compared, machine.referred())
}

/// The worked cases of a book by what they ask.
fn cases(book: &Book) -> Vec<(Ask, Vec<FactSheet>)> {
    let mut by_ask: Vec<(Ask, Vec<FactSheet>)> = Vec::new();
    for programme in book.programmes() {
        for case in book.cases(&programme.id) {
            let ask = Ask {
                as_of: case.as_of,
                known_at: case.known_at,
                region: case.region,
                programmes: None,
            };
            match by_ask.iter_mut().find(|(known, _)| *known == ask) {
                Some((_, sheets)) => sheets.push(case.sheet.clone()),
                None => by_ask.push((ask, vec![case.sheet.clone()])),
            }
        }
    }
    by_ask
}

#[test]
fn every_worked_case_of_every_pack_comes_out_the_same() {
    for place in PLACES {
        let book = load(&packs(), place);
        let (mut answers, mut referred, mut sheets) = (0, 0, 0);
        for (ask, list) in cases(&book) {
            let (one, rare) = agree(&book, &list, &ask, 5);
            answers += one;
            referred += rare;
            sheets += list.len();
        }
        println!(
            "{place}: {sheets} sheets, {answers} answers, {referred} sheets through the reference"
        );
        assert!(referred * 50 <= sheets, "{place}: {referred} of {sheets}");
    }
}

/// Changes a fact a little or a lot, or forgets it, or says two things at once.
fn vary(record: &mut Record, dice: &mut Dice, others: &[Value]) {
    let Some(fact) = record.keys().nth(dice.below(record.len())).cloned() else {
        return;
    };
    let rows = record.get_mut(&fact).unwrap();
    match dice.below(7) {
        0 => {
            record.remove(&fact);
        }
        1 => {
            let other = DatedFact::plain(dice.of(others).clone());
            rows.push(other);
        }
        _ => {
            for row in rows.iter_mut() {
                match &mut row.value {
                    Value::Bool(flag) => *flag = !*flag,
                    Value::Int(number) => {
                        *number = match dice.below(9) {
                            0 => *number + 1,
                            1 => *number - 1,
                            2 => 0,
                            3 => -*number,
                            4 => number.saturating_mul(3) / 2,
                            5 => i64::MAX / 100 + *number % 1000,
                            6 => *number % 97,
                            _ => number.saturating_add(i64::try_from(dice.below(200_000)).unwrap()),
                        };
                    }
                    Value::Date(day) => {
                        let days = [1, -1, 31, -366, 365, 3653, -3653, 20_000, -20_000, 5, -40];
                        let moved = *day + chrono::TimeDelta::days(*dice.of(&days));
                        *day = moved.max(NaiveDate::from_ymd_opt(1800, 1, 1).unwrap());
                    }
                    value @ Value::Text(_) => *value = dice.of(others).clone(),
                }
            }
        }
    }
}

#[test]
fn thousands_of_variations_come_out_the_same() {
    for (place, rounds) in [
        ("baoan", 24),
        ("futian", 6),
        ("ningguo", 6),
        ("xicheng", 6),
        ("taicang", 6),
        ("sample", 6),
        ("national", 6),
    ] {
        let book = load(&packs(), place);
        let cases = cases(&book);
        let words: Vec<Value> = cases
            .iter()
            .flat_map(|(_, sheets)| sheets)
            .flat_map(|sheet| sheet.members.iter().chain([&sheet.household]))
            .flat_map(|record| record.values().flatten())
            .map(|row| row.value.clone())
            .collect();
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let (mut answers, mut referred) = (0, 0);
        for _ in 0..rounds {
            let (ask, _) = dice.of(&cases).clone();
            let mut sheets = Vec::new();
            for _ in 0..dice.below(60) + 1 {
                let (_, list) = dice.of(&cases);
                let mut sheet = dice.of(list).clone();
                sheet.member_keys.clear();
                match dice.below(12) {
                    0 => sheet.members.clear(),
                    1 if !sheet.members.is_empty() => {
                        let at = dice.below(sheet.members.len());
                        sheet.members.remove(at);
                    }
                    2 if !sheet.members.is_empty() => {
                        let again = dice.of(&sheet.members).clone();
                        sheet.members.push(again);
                    }
                    _ => {}
                }
                for _ in 0..dice.below(5) {
                    let place = dice.below(sheet.members.len() + 1);
                    let record = sheet.members.get_mut(place).unwrap_or(&mut sheet.household);
                    vary(record, &mut dice, &words);
                }
                sheets.push(sheet);
            }
            let (one, rare) = agree(&book, &sheets, &ask, 4);
            answers += one;
            referred += rare;
        }
        println!("{place}: {answers} answers, {referred} households through the reference");
    }
}

#[test]
fn what_stands_in_unknown_cells_does_not_matter() {
    let book = load(&packs(), "sample");
    for (ask, sheets) in cases(&book) {
        let table = book.tabulate(&sheets, &ask);
        let mut odd = table.clone();
        for column in &mut odd.columns {
            if let States::Each(states) = &column.states {
                let values = column.values.to_mut().iter_mut().zip(states.iter());
                for (value, _) in values.filter(|(_, state)| **state != KNOWN) {
                    *value = i64::MIN + 7;
                }
            }
        }
        let (mut one, mut other) = (book.machine(&ask), book.machine(&ask));
        let (right, found) = (one.decide(&table), other.decide(&odd));
        for at in 0..right.programmes().len() {
            assert_eq!(right.outcome(at), found.outcome(at));
            assert_eq!(right.amount(at), found.amount(at));
        }
        assert_eq!(other.referred(), one.referred());
    }
}

#[test]
fn the_facts_that_would_settle_a_doubt_are_those_of_the_determination() {
    let book = load(&packs(), "baoan");
    for (ask, sheets) in cases(&book).into_iter().take(12) {
        let table = book.tabulate(&sheets, &ask);
        let rows: Vec<usize> = (0..sheets.len()).rev().step_by(3).collect();
        let doubts = book.missing(&table, &ask, &rows);
        for (row, doubts) in rows.into_iter().zip(doubts) {
            let right: Vec<(usize, Option<usize>, Vec<String>)> = book
                .evaluate(&sheets[row], &ask)
                .into_iter()
                .filter(|one| one.outcome == Outcome::ToVerify)
                .map(|one| {
                    let mut facts: Vec<String> =
                        one.missing.into_iter().map(|of| of.fact).collect();
                    facts.dedup();
                    let programmes = book.programmes();
                    let place = programmes
                        .iter()
                        .position(|known| known.id == one.programme);
                    (place.unwrap(), one.member, facts)
                })
                .collect();
            let asked: Vec<_> = doubts
                .into_iter()
                .filter(|(programme, ..)| right.iter().any(|one| one.0 == *programme))
                .collect();
            assert_eq!(asked, right, "{:#?}", sheets[row]);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_reform_is_the_pack_with_that_value_written_in() {
    let book = load(&packs(), "baoan");
    let folder = tempfile::tempdir().unwrap();
    for pack in ["national", "baoan"] {
        copy(&packs().join(pack), &folder.path().join(pack));
    }
    std::fs::copy(
        packs().join("facts.lock.toml"),
        folder.path().join("facts.lock.toml"),
    )
    .unwrap();
    let file = folder.path().join("baoan/dibao/parameters.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("[dibao_standard]\nvalues = [").unwrap();
    let (values, tail) = rest.split_once("\n]").unwrap();
    let edited = format!(
        "{head}[dibao_standard]\nvalues = [{values}\n  {{ from = 2026-01-01, value = 131313, source = \"试\" }},\n]{tail}"
    );
    std::fs::write(&file, edited).unwrap();
    let written = load(folder.path(), "baoan");
    let change = Change {
        parameter: "dibao.dibao_standard".to_owned(),
        value: Setting::Single(131_313),
        from: "2026-01-01".parse().unwrap(),
    };
    let same = book.reformed(&[]).unwrap();
    assert_eq!(same.hash(), book.hash());
    let reformed = book.reformed(std::slice::from_ref(&change)).unwrap();
    assert_ne!(reformed.hash(), book.hash());
    let mut moved = 0;
    for (ask, sheets) in cases(&book) {
        assert_eq!(same.outcomes(&sheets, &ask), book.outcomes(&sheets, &ask));
        let right = written.outcomes(&sheets, &ask);
        assert_eq!(reformed.outcomes(&sheets, &ask), right, "{}", ask.as_of);
        moved += usize::from(right != book.outcomes(&sheets, &ask));
        let table = book.tabulate(&sheets, &ask);
        let (mut machine, mut reference) = (reformed.machine(&ask), written.machine(&ask));
        let (found, right) = (machine.decide(&table), reference.decide(&table));
        for at in 0..right.programmes().len() {
            assert_eq!(right.outcome(at), found.outcome(at));
            assert_eq!(right.amount(at), found.amount(at));
        }
    }
    assert!(moved > 0, "the change must matter somewhere");
}

#[test]
fn reforms_decided_beside_the_book_come_out_as_alone() {
    let book = load(&packs(), "baoan");
    let change = |parameter: &str, value: Setting| Change {
        parameter: parameter.to_owned(),
        value,
        from: "2020-01-01".parse().unwrap(),
    };
    // One value, steps, two at once, and nothing at all: what is shared differs from reform to reform.
    let reforms = [
        vec![change("dibao_standard", Setting::Single(131_313))],
        vec![change(
            "old_age_rates",
            Setting::Steps(BTreeMap::from([(65, 11_100), (80, 33_300)])),
        )],
        vec![
            change("dibao_standard", Setting::Single(99_000)),
            change("old_age_rates", Setting::Steps(BTreeMap::from([(90, 1)]))),
        ],
        Vec::new(),
    ];
    let reforms: Vec<Book> = reforms
        .iter()
        .map(|changes| book.reformed(changes).unwrap())
        .collect();
    let beside: Vec<&Book> = reforms.iter().collect();
    let mut moved = 0;
    for (ask, sheets) in cases(&book) {
        let table = book.tabulate(&sheets, &ask);
        let mut together = book.machine_beside(&beside, &ask).unwrap();
        together.decide(&table);
        let alone = std::iter::once(&book).chain(beside.iter().copied());
        for (at, one) in alone.enumerate() {
            let mut machine = one.machine(&ask);
            let (right, found) = (machine.decide(&table), together.outcomes(at));
            assert_eq!(right.programmes(), found.programmes());
            for programme in 0..right.programmes().len() {
                assert_eq!(right.outcome(programme), found.outcome(programme));
                assert_eq!(right.amount(programme), found.amount(programme));
                assert_eq!(right.covered(programme), found.covered(programme));
                let now = together.outcomes(0);
                moved += usize::from(found.amount(programme) != now.amount(programme));
            }
        }
    }
    assert!(moved > 100, "the reforms must matter somewhere: {moved}");
    let other = load(&packs(), "futian");
    let ask = Ask::on("2026-06-01".parse().unwrap());
    assert!(book.machine_beside(&[&other], &ask).is_none());
}

#[test]
fn changes_that_cannot_be_made_are_all_told_at_once() {
    let book = load(&packs(), "baoan");
    let change = |parameter: &str, value: Setting| Change {
        parameter: parameter.to_owned(),
        value,
        from: "2026-01-01".parse().unwrap(),
    };
    let refused = book
        .reformed(&[
            change("dibao.no_such_thing", Setting::Single(1)),
            change("dibao_standard", Setting::Steps(BTreeMap::from([(0, 1)]))),
            change("dibao_standard", Setting::Single(1)),
        ])
        .unwrap_err();
    assert_eq!(
        refused,
        [
            "规则包里没有参数“dibao.no_such_thing”；请写 事项.参数",
            "参数“dibao_standard”只有一个值，不分档"
        ]
    );
}
