//! Records out of a csv file (csv 读取), UTF-8 or GB18030.
//!
//! Guarantees: a file is one encoding; what is valid UTF-8 is UTF-8. Deliberately absent: other separators than the comma and, in a
//! file whose header has none, the tab.

use super::{Loader, Records, Unread};
use std::borrow::Cow;

pub(super) fn read(
    bytes: &[u8],
    records: Records,
    tell: &mut dyn FnMut(usize),
) -> Result<Records, Unread> {
    let text = decoded(bytes)?;
    let head = text.lines().next().unwrap_or_default();
    let separator = if head.contains('\t') && !head.contains(',') {
        b'\t'
    } else {
        b','
    };
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(fault)?.clone();
    let names: Vec<&str> = header.iter().collect();
    let mut loader = Loader::new(&names, records)?;
    let mut row = ::csv::StringRecord::new();
    let mut done = 0;
    while reader.read_record(&mut row).map_err(fault)? {
        let cells: Vec<&str> = row.iter().collect();
        loader.row(&cells);
        done += 1;
        if done % 100_000 == 0 {
            tell(done);
        }
    }
    Ok(loader.records())
}

pub(super) fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, Unread> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    if let Some(text) =
        encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return Ok(text);
    }
    let mut row = 1;
    for line in bytes.split(|byte| *byte == b'\n') {
        let whole = encoding_rs::GB18030
            .decode_without_bom_handling_and_without_replacement(line)
            .is_some();
        if !whole {
            break;
        }
        row += 1;
    }
    Err(Unread::Encoding { row })
}

pub(super) fn fault(fault: ::csv::Error) -> Unread {
    let row = fault.position().map_or(0, ::csv::Position::line);
    match fault.kind() {
        ::csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Unread::Columns {
            row,
            found: *len,
            expected: *expected_len,
        },
        _ => Unread::Csv {
            row,
            fault: fault.to_string(),
        },
    }
}
