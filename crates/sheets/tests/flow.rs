//! Files written row by row (边读边写) are the same as those written at once, whoever reads them, and take no more memory.

#![expect(clippy::unwrap_used, reason = "integration tests fail by panicking")]

use chrono::NaiveDate;
use sheets::{Cell, Column, Field, Flow, Head, Kind, Limits, read};
use vocab::Money;

fn columns() -> Vec<Column> {
    vec![
        Column::new("姓名", Kind::Text, 12),
        Column::new("证件号码", Kind::Text, 22),
        Column::new("金额", Kind::Money, 12),
        Column::new("日期", Kind::Date, 12),
        Column::new("人数", Kind::Integer, 8),
    ]
}

fn rows() -> Vec<Vec<Field>> {
    vec![
        vec![
            Field::text("䶮𬱖·㼆 & <b>\"_x"),
            Field::text("440300199001010016"),
            Field::Money(Money::from_fen(123_456_789_012_345)),
            Field::Date(NaiveDate::from_ymd_opt(2023, 10, 14).unwrap()),
            Field::Integer(3),
        ],
        vec![
            Field::text("=cmd|' /C calc'!A0"),
            Field::Empty,
            Field::Money(Money::from_fen(-5)),
            Field::Empty,
            Field::Integer(-4_294_967_297),
        ],
        vec![
            Field::text("两行\n字\u{7}"),
            Field::text("@SUM(A1)"),
            Field::Empty,
            Field::Empty,
            Field::Empty,
        ],
    ]
}

fn written() -> Vec<u8> {
    let head = Head {
        name: "名单".to_owned(),
        notes: vec!["=导出人 王窗口".to_owned()],
        columns: columns(),
    };
    let mut flow = Flow::begin(Vec::new(), head).unwrap();
    for row in rows() {
        flow.put(&row).unwrap();
    }
    assert_eq!(flow.rows(), 3);
    flow.end().unwrap()
}

#[test]
fn a_workbook_written_row_by_row_is_read_back_as_it_was_and_gives_the_same_bytes() {
    let bytes = written();
    assert_eq!(bytes, written());
    let sheet = read(&bytes, Limits::default()).unwrap().remove(0);
    assert_eq!(sheet.name, "名单");
    // The note and the formula have an apostrophe in the file; reading takes it off again.
    assert_eq!(sheet.rows[0][0], Cell::Text("'=导出人 王窗口".to_owned()));
    assert_eq!(sheet.rows[1][1].text(), "证件号码");
    let first = &sheet.rows[2];
    assert_eq!(first[0].text(), "䶮𬱖·㼆 & <b>\"_x");
    assert_eq!(first[1].code().unwrap(), "440300199001010016");
    // 1 234 567 890 123.45 yuan has fifteen digits: as many as a spreadsheet keeps.
    assert_eq!(
        first[2].money().unwrap(),
        Some(Money::from_fen(123_456_789_012_345))
    );
    assert_eq!(
        first[3],
        Cell::Date(NaiveDate::from_ymd_opt(2023, 10, 14).unwrap())
    );
    assert_eq!(first[4].text(), "3");
    let second = &sheet.rows[3];
    assert_eq!(second[0], Cell::Text("'=cmd|' /C calc'!A0".to_owned()));
    assert_eq!(second[2].money().unwrap(), Some(Money::from_fen(-5)));
    assert_eq!(second[4].text(), "-4294967297");
    assert_eq!(sheet.rows[4][0].text(), "两行\n字");
    assert_eq!(sheet.rows[4][1], Cell::Text("'@SUM(A1)".to_owned()));
}

#[test]
fn what_one_sheet_cannot_hold_goes_on_in_the_next() {
    let head = Head {
        name: "号".to_owned(),
        notes: Vec::new(),
        columns: vec![Column::new("号", Kind::Integer, 8)],
    };
    let mut flow = Flow::begin(Vec::new(), head).unwrap();
    for number in 0..1_000_001 {
        flow.put(&[Field::Integer(number)]).unwrap();
    }
    let bytes = flow.end().unwrap();
    let names = String::from_utf8_lossy(&bytes[bytes.len() - 2_000..]).into_owned();
    assert!(names.contains("xl/worksheets/sheet2.xml"));
    assert!(!names.contains("xl/worksheets/sheet3.xml"));
}
