//! Files nobody wants, and files made to hurt (恶劣文件).

use crate::town::{ANN, BANK, BO, HEADING, Of, Town, household, parquet};
use proptest::prelude::*;
use std::io::{Read, Write};
use verify::delivery::{Delivery, Unreadable};
use verify::{Refused, Source, Sources};

fn unreadable(result: Result<verify::Manifest, Refused>) -> Unreadable {
    match result {
        Err(Refused::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_agreed_encoding_is_read_and_another_refused_at_its_row() {
    let town = Town::new();
    let text = format!("{HEADING}{ANN},张芳,1,一行,5,,,,,0\n");
    let (gb18030, ..) = encoding_rs::GB18030.encode(&text);
    let file = town.file("gb.csv", &gb18030);
    assert_eq!(town.land("bank", &file, "2026-11-01").unwrap().bad, 0);
    // UTF-16 with its mark.
    let utf16: Vec<u8> = "\u{FEFF}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let file = town.file("utf16.csv", utf16);
    assert_eq!(town.land("bank", &file, "2026-11-02").unwrap().bad, 0);
    let utf8 = Town::of(&[("bank", &BANK.replace("gb18030", "utf-8"))]);
    let good = format!("{HEADING}{}", format!("{ANN},,1,,5,,,,,0\n").repeat(3));
    let (name, ..) = encoding_rs::GB18030.encode("张芳");
    let line = [
        format!("{ANN},").as_bytes(),
        name.as_ref(),
        b",1,,5,,,,,0\n",
    ]
    .concat();
    let file = utf8.file("gb.csv", [good.as_bytes(), &line].concat());
    // The heading and three rows are fine; the fifth line is not.
    assert!(matches!(
        unreadable(utf8.land("bank", &file, "2026-11-01")),
        Unreadable::Undecodable(5)
    ));
    let file = utf8.file("all.csv", &gb18030);
    assert!(matches!(
        unreadable(utf8.land("bank", &file, "2026-11-01")),
        Unreadable::Undecodable(1)
    ));
}

#[test]
fn a_file_of_another_kind_or_without_its_columns_is_refused_before_a_row_is_read() {
    let town = Town::new();
    let file = town.file("empty.csv", "");
    assert!(matches!(
        unreadable(town.land("bank", &file, "2026-11-01")),
        Unreadable::Empty
    ));
    let file = town.file("other.csv", "\u{FEFF}身份证号,户名\n");
    let Unreadable::ColumnsMissing(missing) = unreadable(town.land("bank", &file, "2026-11-01"))
    else {
        panic!("the balance is missing");
    };
    assert_eq!(missing, "余额");
    let file = town.file("twice.csv", "\u{FEFF}身份证号,余额,余额\n");
    assert!(matches!(
        unreadable(town.land("bank", &file, "2026-11-01")),
        Unreadable::ColumnTwice(_)
    ));
    let xlsx = town.file("marriage.xlsx", b"PK\x03\x04....");
    assert!(matches!(
        unreadable(town.land("marriage", &xlsx, "2026-11-01")),
        Unreadable::NotAgreed { .. }
    ));
    assert!(matches!(
        unreadable(town.land("bank", &xlsx, "2026-11-01")),
        Unreadable::Workbook(_)
    ));
    let floating = town.folder.path().join("floating.parquet");
    let id = Of::Texts(vec![Some(ANN.to_owned())]);
    parquet(
        &floating,
        vec![("id_no", id), ("balance", Of::Floating(vec![0.1]))],
    );
    assert!(matches!(
        unreadable(town.land("bank", &floating, "2026-11-01")),
        Unreadable::ColumnType(..)
    ));
    let missing = town.folder.path().join("nowhere.csv");
    assert!(matches!(
        unreadable(town.land("bank", &missing, "2026-11-01")),
        Unreadable::NotThere(..)
    ));
}

#[test]
fn a_quote_that_never_ends_is_refused_before_it_fills_the_memory() {
    let town = Town::new();
    let mut text = format!("\u{FEFF}{HEADING}{ANN},\"张芳");
    text.push_str(&"长,行\n".repeat(1_000_000));
    let file = town.file("quote.csv", text);
    assert!(matches!(
        unreadable(town.land("bank", &file, "2026-11-01")),
        Unreadable::RecordTooLong(_)
    ));
    let file = town.file(
        "line.csv",
        format!("\u{FEFF}{HEADING}{}", "9".repeat(9_000_000)),
    );
    assert!(matches!(
        unreadable(town.land("bank", &file, "2026-11-01")),
        Unreadable::RecordTooLong(_)
    ));
}

#[test]
fn what_a_spreadsheet_mangled_goes_back_and_the_rest_lands() {
    let town = Town::new();
    let column = |title: &str| sheets::Column::new(title, sheets::Kind::Text, 20);
    let field = |text: &str| sheets::Field::text(text);
    let table = sheets::Table {
        name: "银行".to_owned(),
        notes: Vec::new(),
        columns: vec![column("身份证号"), column("余额"), column("状态")],
        rows: vec![
            vec![field(ANN), field("1,250.00"), field("正常")],
            vec![field("1.10105E+17"), field("1"), field("0")],
            vec![field("=1+1"), field("1"), field("0")],
            vec![
                field("110105491231002"),
                sheets::Field::Integer(7),
                field("0"),
            ],
        ],
        open_rows: 0,
    };
    let file = town.file(
        "bank.xlsx",
        sheets::xlsx(std::slice::from_ref(&table)).unwrap(),
    );
    let manifest = town.land("bank", &file, "2026-11-01").unwrap();
    assert_eq!((manifest.rows, manifest.bad), (4, 2));
    assert_eq!(
        manifest.reasons.keys().collect::<Vec<_>>(),
        ["id_digits_lost", "id_length"]
    );
    let report = &town.ask(&[household("一", &[(ANN, "张芳")])], "2026-11-22")[0];
    // 1 250 yuan, and 7 of the row with the old number.
    assert_eq!(town.figure(report, "bank", "deposits").value, Some(125_700));
}

#[test]
fn an_archive_that_blows_up_is_refused() {
    let town = Town::new();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default())
        .unwrap();
    let nothing = vec![0; 1 << 20];
    for _ in 0..300 {
        archive.write_all(&nothing).unwrap();
    }
    let file = town.file("bomb.xlsx", archive.finish().unwrap().into_inner());
    let Unreadable::Workbook(why) = unreadable(town.land("bank", &file, "2026-11-01")) else {
        panic!("not a workbook");
    };
    assert!(matches!(why, sheets::ReadFault::InflatesTooFar(_)));
}

#[test]
fn a_damaged_parquet_file_is_refused_and_leaves_nothing() {
    let town = Town::new();
    let file = town.folder.path().join("bank.parquet");
    let ids = (0..5_000)
        .map(|at| Some(if at % 2 == 0 { ANN } else { BO }.to_owned()))
        .collect();
    parquet(
        &file,
        vec![
            ("id_no", Of::Texts(ids)),
            ("balance", Of::Whole((0..5_000).map(Some).collect())),
        ],
    );
    let whole = std::fs::read(&file).unwrap();
    for cut in [whole.len() - 1, whole.len() / 2, 20] {
        let file = town.file("cut.parquet", &whole[..cut]);
        assert!(matches!(
            unreadable(town.land("bank", &file, "2026-11-01")),
            Unreadable::Damaged(_)
        ));
    }
    assert_eq!(town.landed().deliveries("bank").count(), 0);
}

/// Found by many random bytes: one wrong byte in the types that a writer notes beside the columns.
#[test]
fn a_damaged_note_on_types_does_not_bring_the_reader_down() {
    let town = Town::new();
    let file = town.folder.path().join("noted.parquet");
    let id = Of::Texts(vec![Some(ANN.to_owned()), None]);
    parquet(
        &file,
        vec![("id_no", id), ("balance", Of::Whole(vec![Some(1), None]))],
    );
    let whole = std::fs::read(&file).unwrap();
    let mark: &[u8] = b"ARROW:schema";
    let note = whole
        .windows(mark.len())
        .rposition(|here| here == mark)
        .unwrap()
        + mark.len();
    let end = whole.len() - 8;
    for at in (note..end).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] = b'/';
        let file = town.file("noted.parquet", &bytes);
        // Whatever it says, it says it.
        let _said = town.land_with("bank", &file, "2026-11-01", 1, true);
    }
}

/// Reads a file to its end as a landing does, without landing it.
fn rows(source: &Source, file: &std::path::Path) -> Result<usize, Unreadable> {
    let delivery = Delivery::open(source, file)?;
    let mut worker = delivery.worker();
    let mut rows = 0;
    while let Some(batch) = worker.batch()? {
        rows += batch.rows;
    }
    Ok(rows)
}

/// Found by random bytes that follow the program's ways: a file that says of itself what its pages do not hold makes the library
/// panic. It is damaged, and the program goes on.
#[test]
fn one_wrong_byte_anywhere_in_a_parquet_file_has_an_answer() {
    let town = Town::new();
    let bank = town.sources.get("bank").unwrap();
    let file = town.folder.path().join("sound.parquet");
    let ids = (0..40).map(|at| (at % 3 > 0).then(|| ANN.to_owned()));
    let balances = (0..40).map(|at| (at % 5 > 0).then_some(at));
    parquet(
        &file,
        vec![
            ("id_no", Of::Texts(ids.collect())),
            ("balance", Of::Whole(balances.collect())),
        ],
    );
    let whole = std::fs::read(&file).unwrap();
    assert_eq!(rows(bank, &file).unwrap(), 40);
    let mut damaged = 0;
    for at in 0..whole.len() {
        let right = whole[at];
        for wrong in [0, 0xFF, right ^ 1, right ^ 0x80, right.wrapping_add(2)] {
            let mut bytes = whole.clone();
            bytes[at] = wrong;
            let file = town.file("wrong.parquet", &bytes);
            damaged += usize::from(rows(bank, &file).is_err());
        }
    }
    // The four marks at each end alone.
    assert!(damaged >= 8 * 4, "{damaged}");
}

/// Found the same way, after four million files: a dictionary that claims two milliards of values asked for 32 gigabytes, and the whole
/// program ended. The bytes are those that were found, between the marks of such a file.
#[test]
fn a_dictionary_that_claims_what_it_does_not_hold_is_refused() {
    let town = Town::new();
    let found = include_bytes!("claimed_dictionary.bin");
    let file = town.file("claimed.parquet", [b"PAR1", &found[..], b"PAR1"].concat());
    let sources =
        Sources::of(&policy::Book::load(&crate::alerts::packs(), "baoan").unwrap()).unwrap();
    let mut damaged = 0;
    for source in sources.0.values() {
        damaged += usize::from(matches!(rows(source, &file), Err(Unreadable::Damaged(_))));
    }
    assert!(damaged > 0);
}

proptest! {
    #![proptest_config(crate::town::cases(60))]

    #[test]
    fn no_bytes_bring_the_readers_down(
        kind in 0..4_usize,
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let town = Town::new();
        let text = format!("{HEADING}{ANN},张芳,1,一行,5,2026-01-01,202601,3,88.5,0\n{BO},\"李,四\",,,6,,,,,9\n");
        let mut bytes = match kind {
            0 => text.into_bytes(),
            1 => encoding_rs::GB18030.encode(&text).0.into_owned(),
            2 => {
                let file = town.folder.path().join("seed.parquet");
                let id = Of::Texts(vec![Some(ANN.to_owned()), None]);
                parquet(&file, vec![("id_no", id), ("balance", Of::Whole(vec![Some(1), None]))]);
                std::fs::read(&file).unwrap()
            }
            _ => Vec::new(),
        };
        for (spot, byte) in spots {
            if !bytes.is_empty() {
                let at = spot.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes.extend(&tail);
        let file = town.file("any", &bytes);
        // Whatever it says, it says it.
        let _said = town.land_with("bank", &file, "2026-11-01", 1, true);
        let _said = town.land_with("marriage", &file, "2026-11-01", 1, true);
    }
}

/// Pieces of XML that claim what is not there, each in the place of another.
const CLAIMS: [(&str, &str); 18] = [
    (
        "<dimension ref=\"A1",
        "<dimension ref=\"A1:XFD1048576\"/><dimension ref=\"A1",
    ),
    ("<dimension ref=\"A1", "<dimension ref=\"XFD9:A1"),
    (
        "<dimension ref=\"A1",
        "<dimension ref=\"ZZZZZZZZ99999999999",
    ),
    (
        " count=\"",
        " count=\"4294967295\" uniqueCount=\"99999999999\" x=\"",
    ),
    (" r=\"A1\"", " r=\"XFD1048576\""),
    (" r=\"A1\"", " r=\"ZZZZZZZZZZ1\""),
    (" r=\"A2\"", " r=\"A0\""),
    (" r=\"A2\"", " r=\"2\""),
    (" r=\"B2\"", " r=\"A99999999999999999999\""),
    ("t=\"s\"", "t=\"b\""),
    ("t=\"s\"", "t=\"d\" s=\"4294967295\""),
    ("<v>", "<v>99999999999999999999"),
    ("<v>", "<v>-1e308"),
    ("<v>", "<v>&#x110000;"),
    ("</row>", "</row></row><row r=\"-1\">"),
    (
        "<sheetData>",
        "<sheetData><row r=\"4294967295\"><c r=\"A4294967295\"><v>1</v></c></row>",
    ),
    ("numFmtId=\"0\"", "numFmtId=\"14\""),
    ("sheet1.xml", "../../../etc/passwd"),
];

/// The members of a workbook with names, a number and a date; both sources' headings.
fn workbook() -> Vec<(String, Vec<u8>)> {
    use sheets::{Column, Field, Kind, Table};
    let heads = HEADING.trim().trim_start_matches('\u{FEFF}').split(',');
    let columns: Vec<Column> = heads
        .map(|head| Column::new(head, Kind::Text, 12))
        .collect();
    let day = Field::Date(crate::town::day("2026-01-01"));
    let mut row: Vec<Field> = [ANN, "张芳", "1", "一行"].map(Field::text).to_vec();
    row.extend([Field::Integer(5), day]);
    row.extend(["202601", "3", "88.5", "0"].map(Field::text));
    let table = Table {
        name: "一".to_owned(),
        notes: Vec::new(),
        columns,
        rows: vec![row.clone(), row],
        open_rows: 0,
    };
    let bytes = sheets::xlsx(std::slice::from_ref(&table)).unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut member = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            member.read_to_end(&mut content).unwrap();
            (member.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn zipped(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn the_workbook_that_is_damaged_below_is_read_when_it_is_whole() {
    let town = Town::new();
    let file = town.file("whole.xlsx", zipped(&workbook()));
    let landed = town.land("bank", &file, "2026-11-01").unwrap();
    assert_eq!(landed.rows, 2);
}

proptest! {
    #![proptest_config(crate::town::cases(60))]

    /// Whatever stands in a workbook, or is missing: it lands, or it is refused with a sentence.
    #[test]
    fn no_workbook_brings_the_reader_down(
        claims in prop::collection::vec((any::<prop::sample::Index>(), 0..CLAIMS.len()), 0..4),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<prop::sample::Index>())),
        without in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        spots in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        damaged in any::<bool>(),
        end in prop::option::weighted(0.15, any::<prop::sample::Index>()),
    ) {
        let town = Town::new();
        let mut members = workbook();
        // What the XML claims …
        for (at, claim) in claims {
            let (from, to) = CLAIMS[claim];
            let named: Vec<usize> = (0..members.len())
                .filter(|at| String::from_utf8_lossy(&members[*at].1).contains(from))
                .collect();
            if !named.is_empty() {
                let content = &mut members[*at.get(&named)].1;
                *content = String::from_utf8_lossy(content).replacen(from, to, 1).into_bytes();
            }
        }
        // … broken XML, in a sound archive …
        for (member, at, byte) in edits {
            let content = &mut member.get_mut(&mut members).1;
            if !content.is_empty() {
                let at = at.index(content.len());
                content[at] = byte;
            }
        }
        if let Some((member, at)) = cut {
            let content = &mut member.get_mut(&mut members).1;
            content.truncate(at.index(content.len() + 1));
        }
        if let Some(member) = without {
            members.remove(member.index(members.len()));
        }
        // … and a damaged archive, sizes and offsets included.
        let mut bytes = zipped(&members);
        for (spot, byte) in spots.into_iter().filter(|_| damaged) {
            let at = spot.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        let file = town.file("any.xlsx", &bytes);
        for source in ["bank", "marriage"] {
            if let Err(refused) = town.land_with(source, &file, "2026-11-01", 1, true) {
                prop_assert!(!refused.to_string().is_empty());
            }
        }
    }
}
