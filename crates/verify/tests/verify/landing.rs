//! What lands, what goes back, and what a stop leaves (落地).

use crate::town::{ANN, BANK, BO, HEADING, Of, Town, day, household, parquet, person};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Keys;
use verify::checked::Reason;
use verify::returned;
use verify::{Landing, Refused};

/// A row for each reason that a text can give, with the column it is about.
const BROKEN: [(&str, &str, Reason); 18] = [
    (",张,1,,1,,,,,0", "id_no", Reason::IdMissing),
    ("1.1E+17,张,1,,1,,,,,0", "id_no", Reason::IdDigitsLost),
    ("1101051949123100,张,1,,1,,,,,0", "id_no", Reason::IdLength),
    (
        "1101O519491231002X,张,1,,1,,,,,0",
        "id_no",
        Reason::IdCharacters,
    ),
    (
        "110105194913310021,张,1,,1,,,,,0",
        "id_no",
        Reason::IdNotADate,
    ),
    (
        "110105209912310020,张,1,,1,,,,,0",
        "id_no",
        Reason::IdInTheFuture,
    ),
    (
        "110105184912310020,张,1,,1,,,,,0",
        "id_no",
        Reason::IdTooLongAgo,
    ),
    (
        "110105194912310021,张,1,,1,,,,,0",
        "id_no",
        Reason::IdCheckDigit,
    ),
    (
        "11010519491231002X,张,1,,,,,,,0",
        "balance",
        Reason::Missing,
    ),
    (
        "11010519491231002X,张,1,,一百,,,,,0",
        "balance",
        Reason::NotAnAmount,
    ),
    (
        "11010519491231002X,张,1,,1,,,1.5,,0",
        "lines",
        Reason::NotACount,
    ),
    (
        "11010519491231002X,张,1,,1,,,,九十平,0",
        "area",
        Reason::NotAnArea,
    ),
    (
        "11010519491231002X,张,1,,1,昨天,,,,0",
        "day",
        Reason::NotADate,
    ),
    (
        "11010519491231002X,张,1,,1,,2026-13,,,0",
        "month",
        Reason::NotAMonth,
    ),
    (
        "11010519491231002X,张,1,,1,,,,,7",
        "state",
        Reason::UnknownCode,
    ),
    (
        "11010519491231002X,张,1,,99999999999999999,,,,,0",
        "balance",
        Reason::TooLarge,
    ),
    (
        "11010519491231002X,张,1,LONG,1,,,,,0",
        "bank",
        Reason::TooLong,
    ),
    (
        "11010519491231002X,张,1,,1,,,,,0,多一格",
        "id_no",
        Reason::Ragged,
    ),
];

#[test]
fn every_reason_is_named_with_its_row_and_column() {
    let town = Town::new();
    let good = format!("{ANN},张芳,6222,一行,12.50,2026-10-31,202610,3,88.5,0\n");
    let mut lines = good;
    for (line, ..) in BROKEN {
        lines.push_str(&line.replace("LONG", &"长".repeat(200)));
        lines.push('\n');
    }
    let manifest = town.bank(&lines, "2026-11-01").unwrap();
    assert_eq!((manifest.rows, manifest.bad), (19, 18));
    let named: BTreeMap<String, u64> = BROKEN
        .iter()
        .map(|(.., reason)| (reason.word().to_owned(), 1))
        .collect();
    assert_eq!(manifest.reasons, named);
    let bank = town.sources.get("bank").unwrap();
    let folder = town.store().join("bank").join(&manifest.delivery);
    let rows = returned::read(&folder, bank, &town.keys).unwrap();
    for ((row, (_, column, reason)), number) in rows.iter().zip(BROKEN).zip(3..) {
        // Row 1 is the heading, row 2 the good one.
        assert_eq!(row.row, number);
        let wrong = (column.to_owned(), reason.word().to_owned());
        assert_eq!(row.wrong, [wrong], "row {number}");
        assert!(returned::said(bank, row).contains(reason.zh()));
    }
    assert_eq!(rows[9].cells[4], "一百");
    // The department gets its rows back, in the file it knows.
    let back = returned::table(bank, &rows, true).unwrap();
    let sheet = sheets::read(&back, sheets::Limits::default()).unwrap();
    assert_eq!(sheet[0].rows[1][0].text(), "3");
    assert_eq!(sheet[0].rows.len(), 19);
}

#[test]
fn a_row_with_two_mistakes_says_both() {
    let town = Town::new();
    let lines = format!("{ANN},张芳,1,,1,,,,,0\n1,张,1,,一百,,,,,7\n");
    let manifest = town.bank(&lines, "2026-11-01").unwrap();
    assert_eq!(
        (manifest.bad, manifest.reasons.values().sum::<u64>()),
        (1, 3)
    );
}

#[test]
fn three_broken_rows_in_a_hundred_land_with_every_reason_named() {
    let town = Town::new();
    let mut lines = String::new();
    let mut broken = BROKEN.iter().cycle();
    for number in 0..2_000 {
        if number % 100 < 3 {
            let (line, ..) = broken.next().unwrap();
            lines.push_str(&line.replace("LONG", &"长".repeat(200)));
        } else {
            lines.push_str(&format!(
                "{ANN},张芳,{number},一行,1.00,2026-10-31,202610,3,88,0"
            ));
        }
        lines.push('\n');
    }
    let file = town.file("bank.csv", format!("\u{FEFF}{HEADING}{lines}"));
    // 60 of 2 000 are 30 in a thousand, below the 50 of the source: nobody has to accept anything.
    let manifest = town
        .land_with("bank", &file, "2026-11-01", 2, false)
        .unwrap();
    assert_eq!((manifest.rows, manifest.bad), (2_000, 60));
    assert_eq!(manifest.reasons.values().sum::<u64>(), 60);
    assert_eq!(manifest.reasons.len(), BROKEN.len());
    let report = &town.ask(&[household("一", &[(ANN, "张芳")])], "2026-11-22")[0];
    assert_eq!(town.figure(report, "bank", "deposits").value, Some(194_000));
}

#[test]
fn a_delivery_out_of_the_usual_is_refused_and_changes_nothing() {
    let town = Town::new();
    let line = format!("{ANN},张芳,1,,100,,,,,0\n");
    town.bank(&line.repeat(100), "2026-10-01").unwrap();
    let fewer = town.file("fewer.csv", format!("\u{FEFF}{HEADING}{}", line.repeat(69)));
    let refused = town.land_with("bank", &fewer, "2026-11-01", 1, false);
    assert!(matches!(refused, Err(Refused::Drift(ref found, _)) if found.len() == 1));
    // 70 of 100 are just within 300 in a thousand fewer.
    let just = town.file("just.csv", format!("\u{FEFF}{HEADING}{}", line.repeat(70)));
    assert!(
        town.land_with("bank", &just, "2026-10-02", 1, false)
            .is_ok()
    );
    let bad = town.file(
        "bad.csv",
        format!(
            "\u{FEFF}{HEADING}{}{}",
            line.repeat(70),
            ",,,,,,,,,\n".repeat(10)
        ),
    );
    let refused = town.land_with("bank", &bad, "2026-11-02", 1, false);
    assert!(matches!(refused, Err(Refused::Drift(_, ref reasons)) if reasons["id_missing"] == 10));
    assert_eq!(town.landed().deliveries("bank").count(), 2);
    assert!(town.land_with("bank", &bad, "2026-11-02", 1, true).is_ok());
    let again = town.land_with("bank", &bad, "2026-11-02", 1, true);
    assert!(matches!(again, Err(Refused::LandedBefore(_))));
}

#[test]
fn a_stop_in_the_middle_leaves_nothing_half_and_the_earlier_delivery_intact() {
    let town = Town::new();
    town.bank(&format!("{ANN},张芳,1,,100,,,,,0\n"), "2026-10-01")
        .unwrap();
    let line = format!("{ANN},张芳,1,,1,,,,,0\n");
    let file = town.file(
        "large.csv",
        format!("\u{FEFF}{HEADING}{}", line.repeat(60_000)),
    );
    // Stopped while rows are read, and once more while parts are written.
    for late in [false, true] {
        let stop = AtomicBool::new(false);
        let landing = Landing {
            source: town.sources.get("bank").unwrap(),
            file: &file,
            store: &town.store(),
            delivered: day("2026-11-01"),
            today: day("2026-11-22"),
            keys: &town.keys,
            workers: 2,
            accept_drift: true,
            stop: &stop,
            told: &|at| stop.store(!late || at.read >= 60_000, Ordering::Relaxed),
        };
        assert!(matches!(landing.run().unwrap(), Err(Refused::Stopped)));
        let left: Vec<_> = std::fs::read_dir(town.store().join("bank"))
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(left.len(), 2, "the lock and the earlier delivery: {left:?}");
    }
    // What a killed run leaves behind says nothing and is cleared away.
    let half = town.store().join("bank/.landing-2026-11-01");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("part-0000.parquet"), "half").unwrap();
    let asked = [household("一", &[(ANN, "张芳")])];
    let value = |town: &Town| {
        town.figure(&town.ask(&asked, "2026-11-10")[0], "bank", "deposits")
            .value
    };
    assert_eq!(value(&town), Some(10_000));
    town.land("bank", &file, "2026-11-01").unwrap();
    assert!(!half.exists());
    // 60 000 rows of one yuan.
    assert_eq!(value(&town), Some(6_000_000));
}

#[test]
fn two_programs_do_not_land_one_source_at_once() {
    let town = Town::new();
    std::fs::create_dir_all(town.store().join("bank")).unwrap();
    let lock = std::fs::File::create(town.store().join("bank/.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(town.bank("", "2026-11-01"), Err(Refused::Busy)));
}

#[test]
fn what_is_landed_can_be_read_by_nobody_without_the_keys() {
    let town = Town::new();
    let account = "6222020000000000123";
    let mut lines = format!("{ANN},诸葛孔明,{account},一号路支行,1,,,,,0\n");
    lines.push_str(&format!(",诸葛孔明,{account},一号路支行,1,,,,,0\n"));
    let manifest = town.bank(&lines, "2026-11-01").unwrap();
    let folder = town.store().join("bank").join(&manifest.delivery);
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        all.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let seventeen = 11_010_519_491_231_002_u64;
    for secret in [
        ANN.as_bytes(),
        "诸葛孔明".as_bytes(),
        account.as_bytes(),
        "一号路支行".as_bytes(),
        &seventeen.to_le_bytes(),
        &seventeen.to_be_bytes(),
    ] {
        assert!(!all.windows(secret.len()).any(|window| window == secret));
    }
    // Other keys: neither the figures nor the texts.
    let other = Keys::generate().unwrap();
    let landed = verify::Landed::open(&town.store(), town.sources.clone(), other.clone()).unwrap();
    let asked = [household("一", &[(ANN, "诸葛孔明")])];
    let stop = AtomicBool::new(false);
    let report = &landed
        .ask_outside_a_case(&asked, day("2026-11-22"), 1, &stop)
        .unwrap()[0];
    assert_eq!(
        town.figure(report, "bank", "deposits").unknown,
        [verify::Unknown::LandedOtherwise]
    );
    let bank = town.sources.get("bank").unwrap();
    assert!(returned::read(&folder, bank, &other).is_err());
}

#[test]
fn the_row_as_delivered_is_shown_to_who_may_see_it() {
    let town = Town::new();
    let lines =
        format!("{BO},李四,1,,1,,,,,0\n１１０１０５４９１２３１００２,张芳,6222,一行,1,,,,,0\n");
    town.bank(&lines, "2026-11-01").unwrap();
    let landed = town.landed();
    let records = landed.records("bank", day("2026-11-22")).unwrap();
    let found = records.of(&person(ANN, "张芳")).unwrap().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].row, 3);
    assert_eq!(
        found[0].written.as_deref(),
        Some("１１０１０５４９１２３１００２")
    );
    let shown: Vec<&str> = found[0]
        .texts
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(shown, ["张芳", "6222", "一行"]);
    // Nothing landed by then, and nobody who can be looked up, is not the same as no record.
    let early = landed.records("bank", day("2026-10-31"));
    assert_eq!(early.map(drop), Err(verify::Unknown::NotLanded));
    let nameless = records.of(&person("12345", "张芳")).unwrap();
    assert_eq!(nameless, Err(verify::Unknown::NoValidId));
}

#[test]
fn workers_do_not_change_the_answers() {
    let town = Town::new();
    let file = town.folder.path().join("bank.parquet");
    let texts =
        |each: &dyn Fn(i64) -> String| Of::Texts((0..40_000).map(|at| Some(each(at))).collect());
    let ids = [ANN, BO];
    parquet(
        &file,
        vec![
            (
                "id_no",
                texts(&|at| ids[usize::try_from(at % 2).unwrap()].to_owned()),
            ),
            ("name", texts(&|_| "张芳".to_owned())),
            ("account", texts(&|at| (at / 4).to_string())),
            ("balance", Of::Whole((0..40_000).map(Some).collect())),
            ("state", Of::Whole(vec![Some(0); 40_000])),
        ],
    );
    town.land_with("bank", &file, "2026-11-01", 1, true)
        .unwrap();
    town.land_with("bank", &file, "2026-11-02", 3, true)
        .unwrap();
    let asked = [household("一", &[(ANN, "张芳"), (BO, "李四")])];
    let (one, two) = (
        town.ask(&asked, "2026-11-01"),
        town.ask(&asked, "2026-11-02"),
    );
    assert_eq!(one[0].answers[0].members, two[0].answers[0].members);
    // 0 + 1 + … + 39 999 yuan = 799 980 000 yuan; each account of four rows is one of both people.
    assert_eq!(
        town.figure(&one[0], "bank", "deposits").value,
        Some(79_998_000_000)
    );
    assert_eq!(
        town.figure(&one[0], "bank", "different").value,
        Some(10_000)
    );
    assert_eq!(
        town.figure(&one[0], "bank", "other_name").value,
        Some(20_000)
    );
}

/// The bank with widths, arriving so.
fn with_widths(arrival: &str) -> String {
    BANK.replace(r#"by = ["csv", "xlsx", "parquet"]"#, arrival)
        .replace("kind = \"id\"", "kind = \"id\"\nwidth = 18")
        .replace("kind = \"name\"", "kind = \"name\"\nwidth = 8")
        .replace("kind = \"number\"", "kind = \"number\"\nwidth = 6")
        .replace("kind = \"text\"", "kind = \"text\"\nwidth = 4")
        .replace("kind = \"money\"", "kind = \"money\"\nwidth = 10")
        .replace("kind = \"date\"", "kind = \"date\"\nwidth = 8")
        .replace("kind = \"month\"", "kind = \"month\"\nwidth = 6")
        .replace("kind = \"count\"", "kind = \"count\"\nwidth = 3")
        .replace("kind = \"area\"", "kind = \"area\"\nwidth = 5")
        .replace("kind = \"code\"", "kind = \"code\"\nwidth = 1")
}

#[test]
fn where_both_are_agreed_on_a_table_is_a_table_and_a_line_of_fixed_width_is_one() {
    let both = with_widths("by = [\"csv\", \"fixed\"]\nheading_row = 1");
    let town = Town::of(&[("bank", &both)]);
    let table = town
        .bank(
            &format!("{ANN},张芳,6222,一行,1250.50,2026-10-31,2026-10,3,88,0\n"),
            "2026-11-01",
        )
        .unwrap();
    assert_eq!((table.rows, table.bad), (1, 0));
    let lines = format!("银行存款明细\n{ANN}张芳    6222  一行   1250.5020261031202610003088.00\n");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&lines);
    let file = town.file("bank.txt", bytes);
    let fixed = town.land("bank", &file, "2026-11-02").unwrap();
    assert_eq!((fixed.rows, fixed.bad), (1, 0));
    for day in ["2026-11-01", "2026-11-02"] {
        let report = &town.ask(&[household("一", &[(ANN, "张芳")])], day)[0];
        let deposits = town.figure(report, "bank", "deposits").value;
        assert_eq!(deposits, Some(125_050), "{day}");
    }
}

#[test]
fn a_fixed_width_file_in_gb18030_lands() {
    let town = Town::of(&[("bank", &with_widths("by = [\"fixed\"]\nheading_row = 0"))]);
    let line = format!("{ANN}张芳    6222  一行   1250.5020261031202610003088.0");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&line);
    let file = town.file("bank.txt", [bytes.as_ref(), b"0\r\n"].concat());
    let manifest = town.land("bank", &file, "2026-11-01").unwrap();
    assert_eq!((manifest.rows, manifest.bad), (1, 0));
    let report = &town.ask(&[household("一", &[(ANN, "张芳")])], "2026-11-22")[0];
    assert_eq!(town.figure(report, "bank", "deposits").value, Some(125_050));
    let lines = &report.answers[0].members[0][town.place("bank", "last_lines")];
    assert_eq!(lines.value, Some(3));
    // The newest row is a person's; a household has no such figure, and says so.
    let all = town.figure(report, "bank", "last_lines");
    assert_eq!(
        (all.value, all.unknown),
        (None, vec![verify::Unknown::PerPerson])
    );
}
