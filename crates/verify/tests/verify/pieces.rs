//! A bulk enquiry in pieces (分片核对的测试): what travels names nobody, and what comes back belongs to what was asked.

use crate::town::{ANN, BO, CAI, MARRIAGE, Town, day, household};
use store::Keys;
use verify::ask::answer;
use verify::{Asked, Found, Sources};

/// Ann and Bo are married to each other, Cai to somebody nobody knows; Cai also has an account.
fn town() -> (Town, [Asked; 3]) {
    let town = Town::new();
    let lines = format!("{CAI},蔡,1,某行,12.30,2026-10-31,202610,1,,0\n");
    town.bank(&lines, "2026-11-01").unwrap();
    let other = "110105194912310038";
    let pairs = format!("男方,女方,状态\n{ANN},{BO},1\n{other},{CAI},1\n");
    let file = town.file("marriage.csv", pairs);
    town.land("marriage", &file, "2026-11-01").unwrap();
    let asked = [
        household("一", &[(ANN, "安"), (BO, "博")]),
        household("二", &[(ANN, "安"), (CAI, "蔡")]),
        household("三", &[(BO, "博"), ("123", "无号"), (CAI, "")]),
    ];
    (town, asked)
}

#[test]
fn who_lives_together_stays_together_in_a_piece() {
    let (town, asked) = town();
    let whole = town.ask_many(&asked, "2026-11-22");
    let outside = whole.iter().find(|column| column.figure == "outside");
    // Ann and Bo live together: none. Ann without Bo, and Cai: two. In the third one member has no number.
    assert_eq!(outside.unwrap().values, [Some(0), Some(2), None]);
    for most in 1..4 {
        assert_eq!(whole, town.ask_in_pieces(&asked, "2026-11-22", most));
    }
}

#[test]
fn a_piece_names_nobody_and_its_answer_opens_for_whoever_asked_alone() {
    let (town, asked) = town();
    let landed = town.landed();
    let as_of = day("2026-11-22");
    let pieces = landed.in_pieces(&asked, as_of, 100, 2).unwrap();
    let again = landed.in_pieces(&asked, as_of, 100, 2).unwrap();
    assert_eq!(pieces.count(), 2);
    let mut found = Found::default();
    for number in 0..2 {
        let piece = pieces.piece(number).unwrap();
        let text = serde_json::to_string(&piece).unwrap();
        for clear in [ANN, BO, CAI, &ANN[..17], "安", "博", "蔡"] {
            assert!(!text.contains(clear), "{text}");
        }
        let said = answer(&town.sources, &town.store(), &piece).unwrap();
        // Not the keys of the house, not the same enquiry asked once more, not another piece of it.
        assert!(town.keys.unseal_bytes(&said, b"").is_err());
        assert!(again.add(&mut Found::default(), number, &said).is_err());
        assert!(pieces.add(&mut found, 1 - number, &said).is_err());
    }
    assert!(pieces.columns(found, 1).is_err(), "nothing was answered");
}

#[test]
fn a_piece_is_counted_once_and_none_may_be_missing() {
    let (town, asked) = town();
    let landed = town.landed();
    let pieces = landed.in_pieces(&asked, day("2026-11-22"), 100, 2).unwrap();
    let mut found = Found::default();
    let said = answer(&town.sources, &town.store(), &pieces.piece(0).unwrap()).unwrap();
    pieces.add(&mut found, 0, &said).unwrap();
    let twice = pieces.add(&mut found, 0, &said).unwrap_err();
    assert!(twice.to_string().contains("twice"), "{twice}");
    let missing = pieces.columns(found, 1).unwrap_err();
    assert!(
        missing.to_string().contains("还有 1 片没有答复"),
        "{missing}"
    );
}

#[test]
fn another_definition_and_another_delivery_are_refused_in_words() {
    let (town, asked) = town();
    let landed = town.landed();
    let pieces = landed.in_pieces(&asked, day("2026-11-22"), 100, 2).unwrap();
    let number = (0..pieces.count())
        .find(|number| format!("{:?}", pieces.piece(*number).unwrap()).contains("marriage"));
    let piece = pieces.piece(number.unwrap()).unwrap();
    // The columns are the same, and a figure means something else: what was landed would fit.
    let other = Town::of(&[("marriage", &MARRIAGE.replace("[\"1\"]", "[\"2\"]"))]);
    let said = answer(&other.sources, &town.store(), &piece).unwrap_err();
    assert!(said.to_string().contains("约定与发起方不同"), "{said}");
    let said = answer(&Sources::default(), &town.store(), &piece).unwrap_err();
    assert!(said.to_string().contains("约定与发起方不同"), "{said}");
    assert!(answer(&town.sources, other.folder.path(), &piece).is_err());
    assert!(Keys::of_secret("甲").fingerprint() != Keys::of_secret("乙").fingerprint());
}
