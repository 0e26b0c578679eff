//! Files made by other programs, and files made to do harm (外来文件与恶意文件).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

use chrono::NaiveDate;
use sheets::{Cell, CellFault, Limits, ReadFault, read};
use std::io::Write;
use zip::write::SimpleFileOptions;

const XLS: &[u8] = include_bytes!("files/roster.xls");
const NUMBERS: &[u8] = include_bytes!("files/numbers.xls");
const MAC: &[u8] = include_bytes!("files/mac1904.xlsx");

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

#[test]
fn an_old_xls_keeps_its_dates_its_texts_and_its_rare_characters() {
    let sheet = read(XLS, Limits::default()).unwrap().remove(0);
    assert_eq!(sheet.name, "家庭花名册");
    assert_eq!(sheet.rows.len(), 4);
    assert_eq!(sheet.rows[2][2].text(), "张小䶮");
    assert_eq!(sheet.rows[1][4].code().unwrap().len(), 18);
    assert_eq!(sheet.rows[1][6].date(), Ok(day("1956-07-15")));
}

#[test]
fn numbers_in_an_xls_are_told_apart_from_texts() {
    let sheet = read(NUMBERS, Limits::default()).unwrap().remove(0);
    assert_eq!(sheet.rows[1][4].code(), Err(CellFault::DigitsLost));
    assert_eq!(sheet.rows[1][6], Cell::Number("20651".to_owned()));
    assert_eq!(sheet.rows[1][6].date(), Ok(day("1956-07-15")));
}

#[test]
fn a_workbook_that_counts_its_days_from_1904_gives_the_same_dates() {
    let sheet = read(MAC, Limits::default()).unwrap().remove(0);
    assert_eq!(sheet.rows[1][6].date(), Ok(day("1956-07-15")));
    assert_eq!(sheet.rows[2][6].date(), Ok(day("2015-03-01")));
}

/// An archive with a sheet of so many bytes, which deflate to nearly nothing.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file("xl/worksheets/sheet1.xml", SimpleFileOptions::default())
        .unwrap();
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..megabytes {
        archive.write_all(&blanks).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn an_archive_that_inflates_too_far_is_refused_before_it_is_parsed() {
    let limits = Limits {
        inflated_bytes: 4 << 20,
        ..Limits::default()
    };
    let bytes = bomb(64);
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    assert_eq!(read(&bytes, limits), Err(ReadFault::InflatesTooFar(4)));
}

#[test]
fn an_archive_that_lies_about_its_sizes_is_counted_all_the_same() {
    let mut bytes = bomb(64);
    // Every place that claims the inflated size now claims sixteen bytes.
    let claimed = (64_u32 << 20).to_le_bytes();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|four| four == claimed) {
        at += found;
        bytes[at..at + 4].copy_from_slice(&16_u32.to_le_bytes());
    }
    let limits = Limits {
        inflated_bytes: 4 << 20,
        ..Limits::default()
    };
    assert!(matches!(
        read(&bytes, limits),
        Err(ReadFault::InflatesTooFar(_) | ReadFault::NotASpreadsheet)
    ));
}

#[test]
fn too_many_cells_rows_or_columns_are_refused() {
    let few = Limits {
        cells: 10,
        ..Limits::default()
    };
    assert_eq!(read(XLS, few), Err(ReadFault::TooManyCells));
    assert_eq!(
        read("a,b\n".repeat(6).as_bytes(), few),
        Err(ReadFault::TooManyCells)
    );
    let narrow = Limits {
        columns: 5,
        ..Limits::default()
    };
    assert_eq!(read(MAC, narrow), Err(ReadFault::TooManyCells));
}

#[test]
fn a_single_cell_far_out_does_not_claim_the_field_before_it() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet()
        .write_string(1_048_575, 16_383, "x")
        .unwrap();
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(
        read(&bytes, Limits::default()),
        Err(ReadFault::TooManyCells)
    );
}

#[test]
fn what_is_no_spreadsheet_is_refused_with_a_sentence() {
    assert_eq!(read(b"", Limits::default()), Err(ReadFault::Empty));
    assert_eq!(
        read(b"PK\x03\x04rubbish", Limits::default()),
        Err(ReadFault::NotASpreadsheet)
    );
    assert!(read(b"\x89PNG\r\n\x1a\n\0\0\0\0", Limits::default()).is_err());
    assert_eq!(read(b"\r\n\r\n", Limits::default()), Err(ReadFault::Empty));
    let tiny = Limits {
        file_bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(read(XLS, tiny), Err(ReadFault::TooLarge(_))));
    let mut cut = XLS.to_vec();
    cut.truncate(700);
    assert!(read(&cut, Limits::default()).is_err());
}
