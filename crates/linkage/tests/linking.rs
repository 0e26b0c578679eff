//! Linking as a whole (整体链接): small registers worked by hand, the same outcome whatever the threads, and the guards.
//!
//! Guarantees: every sentence here is one the crate's page makes. Deliberately absent: quality on many records, which `bench/linkage.py`
//! measures.
#![expect(clippy::unwrap_used, reason = "a test ends at what should not be")]

use linkage::explain::line;
use linkage::{Linked, Outcome, Person, Register, Settings, against, link};

/// A valid number: place, birth date and sequence with the check character of GB 11643.
fn number(birth: &str, sequence: u32) -> String {
    let body = format!("440306{}{sequence:03}", birth.replace('-', ""));
    let check = vocab::id_number::check_digit(&body).unwrap();
    format!("{body}{check}")
}

const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵"];
const GIVEN: [&str; 12] = [
    "伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "勇", "艳", "杰",
];

struct Row {
    name: String,
    id: String,
    birth: String,
    phone: String,
    address: String,
}

impl Row {
    fn person(&self) -> Person<'_> {
        Person {
            name: &self.name,
            id_number: &self.id,
            birth: &self.birth,
            phone: &self.phone,
            address: &self.address,
            region: "440306",
            ..Person::default()
        }
    }
}

/// So many different people, each once.
fn people(count: usize) -> Vec<Row> {
    (0..count)
        .map(|at| {
            let birth = format!(
                "{}-{:02}-{:02}",
                1930 + at % 70,
                1 + at / 7 % 12,
                1 + at / 3 % 28
            );
            Row {
                name: format!(
                    "{}{}{}",
                    SURNAMES[at % 8],
                    GIVEN[at / 8 % 12],
                    GIVEN[at * 5 / 3 % 12]
                ),
                id: number(&birth, u32::try_from(at % 999).unwrap()),
                birth,
                phone: format!("139{:08}", 10_000_019 + at * 7_919),
                address: format!("前进路{}号{}室", at / 9 + 1, at % 9 + 101),
            }
        })
        .collect()
}

fn register(rows: &[Row]) -> Register {
    let mut register = Register::new();
    for row in rows {
        register.push(&row.person());
    }
    register.finish();
    register
}

fn linked(rows: &[Row], threads: usize) -> Linked {
    let settings = Settings::usual(threads).unwrap();
    link(&register(rows), &settings, &|_, _| {})
}

fn outcome(linked: &Linked, a: usize, b: usize) -> Option<Outcome> {
    let is_it = |link: &&linkage::Link| {
        (link.a, link.b) == (u32::try_from(a).unwrap(), u32::try_from(b).unwrap())
    };
    linked.links.iter().find(is_it).map(|link| link.outcome)
}

/// Two thousand people, and after them second records of some with one thing wrong each.
fn with_doubles() -> Vec<Row> {
    let mut rows = people(2_000);
    for at in 0..60 {
        let one = &rows[at * 31];
        let mut double = Row {
            name: one.name.clone(),
            id: one.id.clone(),
            birth: one.birth.clone(),
            phone: one.phone.clone(),
            address: one.address.clone(),
        };
        match at % 6 {
            0 => double.id = String::new(),
            1 => double.birth = String::new(),
            2 => double.phone = format!("136{:08}", at * 104_729 + 11_111_111),
            3 => double.address = format!("人民路{}号", at + 700),
            4 => double.name = format!("{}{}", &one.name[3..], &one.name[..3]),
            // Two neighbours of the number swapped; the check character shows it.
            _ => {
                double.id = format!(
                    "{}{}{}{}",
                    &one.id[..8],
                    &one.id[9..10],
                    &one.id[8..9],
                    &one.id[10..]
                )
            }
        }
        rows.push(double);
    }
    rows
}

#[test]
fn second_records_with_one_thing_wrong_are_found_and_nobody_else() {
    let linked = linked(&with_doubles(), 2);
    for at in 0..60_usize {
        let first = u32::try_from(at * 31).unwrap();
        assert_eq!(linked.person[2_000 + at], first, "double {at}");
    }
    let people = linked
        .person
        .iter()
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(people.len(), 2_000);
}

#[test]
fn threads_change_nothing() {
    let rows = with_doubles();
    let (one, three) = (linked(&rows, 1), linked(&rows, 3));
    assert_eq!(one.person, three.person);
    assert_eq!(one.links, three.links);
    assert_eq!(one.model, three.model);
}

#[test]
fn two_valid_numbers_are_never_one_person_without_somebody_looking() {
    let mut rows = people(1_500);
    let mut double = Row {
        id: number("1971-05-06", 77),
        ..people(1).remove(0)
    };
    double.birth.clone_from(&rows[0].birth);
    rows.push(double);
    let linked = linked(&rows, 2);
    assert_ne!(linked.person[1_500], linked.person[0]);
    assert_ne!(outcome(&linked, 0, 1_500), Some(Outcome::Same));
}

#[test]
fn a_chain_over_a_record_without_a_number_joins_at_most_one_of_two_numbers() {
    let mut rows = with_doubles();
    let at = rows.len();
    // Namesakes of one day at one address with one phone, each with a valid number; a third record has none.
    for id in [
        number("1950-03-12", 11),
        number("1950-03-12", 13),
        String::new(),
    ] {
        rows.push(Row {
            name: "欧阳晓".to_owned(),
            id,
            birth: "1950-03-12".to_owned(),
            phone: "13677778888".to_owned(),
            address: "人民路5号3栋".to_owned(),
        });
    }
    let linked = linked(&rows, 2);
    assert_ne!(linked.person[at], linked.person[at + 1]);
    let person = linked.person[at + 2];
    assert!(person == linked.person[at] || person == linked.person[at + 1]);
    let pair = outcome(&linked, at, at + 1);
    assert!(
        pair.is_some_and(|pair| pair != Outcome::Same),
        "{pair:?} is told"
    );
}

#[test]
fn blocks_over_the_cap_are_told_with_their_key_and_size() {
    let mut rows = people(400);
    for row in &mut rows {
        row.phone = "13677778888".to_owned();
    }
    let linked = linked(&rows, 2);
    let phone = linked
        .capped
        .iter()
        .find(|capped| capped.key == "phone")
        .unwrap();
    assert_eq!((phone.blocks, phone.records), (1, 400));
}

#[test]
fn a_delivery_is_linked_with_the_register_that_is_kept() {
    let rows = with_doubles();
    let settings = Settings::usual(2).unwrap();
    let mut register = register(&rows[..2_000]);
    let model = linked(&rows, 2).model;
    for row in &rows[2_000..] {
        register.push(&row.person());
    }
    let arrived = against(&mut register, 2_000, &model, &settings);
    for at in 0..60_u32 {
        let best = arrived
            .links
            .iter()
            .find(|link| link.b == 2_000 + at)
            .unwrap();
        assert_eq!(
            (best.a, best.outcome),
            (at * 31, Outcome::Same),
            "double {at}"
        );
    }
    assert!(arrived.compared < 2_000);
}

#[test]
fn a_new_record_does_not_bring_a_second_valid_number_to_a_person_over_one_without() {
    let someone = |id: String| Row {
        name: "欧阳晓".to_owned(),
        id,
        birth: "1950-03-12".to_owned(),
        phone: "13677778888".to_owned(),
        address: "人民路5号3栋".to_owned(),
    };
    let mut rows = with_doubles();
    let at = rows.len();
    // In the register: one with a number and one without, who are one person. Delivered: two more, each with another number.
    rows.push(someone(number("1950-03-12", 11)));
    rows.push(someone(String::new()));
    let mut register = register(&rows);
    let from = rows.len();
    let settings = Settings::usual(2).unwrap();
    let old = link(&register, &settings, &|_, _| {});
    assert_eq!(old.person[at], old.person[at + 1]);
    for sequence in [13, 15] {
        register.push(&someone(number("1950-03-12", sequence)).person());
    }
    let arrived = against(&mut register, from, &old.model, &settings);
    let one = u32::try_from(at + 1).unwrap();
    let surely = |link: &&linkage::Link| link.a == one && link.outcome == Outcome::Same;
    assert_eq!(arrived.links.iter().filter(surely).count(), 2);
    let linked = arrived.joined(old, from, &register);
    let person: Vec<u32> = linked.person[at..].to_vec();
    assert_eq!(person[0], person[1]);
    assert!(person[2] != person[0] && person[3] != person[0] && person[2] != person[3]);
    let told = |link: &&linkage::Link| link.a == one && link.outcome == Outcome::Numbers;
    assert_eq!(linked.links.iter().filter(told).count(), 2);
}

#[test]
fn reasons_are_given_in_words_with_their_weight() {
    let linked = linked(&with_doubles(), 2);
    let link = linked.links.iter().find(|link| link.b == 2_004).unwrap();
    let why = line(&linked.model, link.levels, link.rarity);
    assert!(why.starts_with("姓名字同而次序不同 "), "{why}");
    assert!(
        why.contains("身份证号相同 +") && why.contains("所同之值罕见 +"),
        "{why}"
    );
}

#[test]
fn an_empty_register_and_one_record_are_linked_to_nobody() {
    for count in [0, 1, 2] {
        let linked = linked(&people(count), 2);
        assert_eq!(linked.person.len(), count);
        assert!(linked.links.is_empty());
    }
}
