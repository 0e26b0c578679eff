//! Text tables (文本表格): csv with commas, tabs or semicolons, in UTF-8, UTF-16 or GB18030.
//!
//! A byte order mark decides; without one a text that is UTF-8 throughout is UTF-8, and anything else must be GB18030
//! (which contains GBK and GB2312) throughout. Nothing is replaced by question marks: a byte that fits neither is named
//! by its row.

use super::{Filling, Limits, ReadFault, Sheet};
use crate::Cell;
use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_16BE, UTF_16LE};

pub(super) fn csv(bytes: &[u8], limits: Limits) -> Result<Sheet, ReadFault> {
    let text = decoded(bytes)?;
    if text.contains('\0') {
        return Err(ReadFault::NotASpreadsheet);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(&text))
        .from_reader(text.as_bytes());
    let mut filling = Filling::new(limits, 0);
    let mut record = csv::StringRecord::new();
    let mut row = 0;
    while reader
        .read_record(&mut record)
        .map_err(|_| ReadFault::NotASpreadsheet)?
    {
        // The reader skips empty lines; the line number keeps rows where people see them, unless a field has breaks.
        let line = reader.position().line();
        let breaks = record
            .iter()
            .map(|field| field.matches('\n').count())
            .sum::<usize>();
        let ended = usize::try_from(line)
            .unwrap_or(usize::MAX)
            .saturating_sub(2 + breaks);
        row = ended.max(row);
        for (column, field) in (0..).zip(record.iter()) {
            if !field.is_empty() {
                let row = u32::try_from(row).map_err(|_| ReadFault::TooManyCells)?;
                filling.put(row, column, Cell::Text(field.to_owned()))?;
            }
        }
        row += 1;
    }
    Ok(Sheet {
        name: String::new(),
        rows: filling.rows(),
    })
}

fn decoded(bytes: &[u8]) -> Result<String, ReadFault> {
    if let Some(rest) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return String::from_utf8(rest.to_vec()).map_err(|fault| ReadFault::Undecodable {
            row: row_of(rest, fault.utf8_error().valid_up_to() + 1),
        });
    }
    for (mark, encoding) in [([0xFF, 0xFE], UTF_16LE), ([0xFE, 0xFF], UTF_16BE)] {
        if let Some(rest) = bytes.strip_prefix(&mark) {
            return strictly(encoding, rest).map_err(|_| ReadFault::Undecodable { row: 1 });
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    // GB18030 has a byte order mark as well.
    let rest = bytes
        .strip_prefix(&[0x84, 0x31, 0x95, 0x33])
        .unwrap_or(bytes);
    strictly(GB18030, rest).map_err(|at| ReadFault::Undecodable {
        row: row_of(rest, at),
    })
}

/// Decodes without replacing anything, or says near which byte it failed.
fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, usize> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder
        .max_utf8_buffer_length_without_replacement(bytes.len())
        .ok_or(bytes.len())?;
    let mut text = String::with_capacity(room);
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(text),
        _ => Err(read),
    }
}

fn row_of(bytes: &[u8], at: usize) -> usize {
    // The byte of a line break is never part of a longer character in UTF-8 or GB18030.
    let before = bytes.get(..at.saturating_sub(1)).unwrap_or(bytes);
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The separator that occurs most in the first line.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: char| first.matches(separator).count();
    if count('\t') > count(',') {
        b'\t'
    } else if count(';') > count(',') {
        b';'
    } else {
        b','
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, ReadFault> {
        let sheet = csv(bytes, Limits::default())?;
        Ok(sheet
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::text).collect())
            .collect())
    }

    #[test]
    fn every_supported_encoding_gives_the_same_table() {
        let text = "姓名,住址\n䶮𬱖,一号\n㼆·小,二号\n";
        let utf16: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let gb18030 = GB18030.encode(text).0.into_owned();
        let plain = read(text.as_bytes()).unwrap();
        assert_eq!(plain[1][0], "䶮𬱖");
        assert_eq!(read(format!("\u{FEFF}{text}").as_bytes()).unwrap(), plain);
        assert_eq!(read(&utf16).unwrap(), plain);
        assert_eq!(read(&gb18030).unwrap(), plain);
    }

    #[test]
    fn a_byte_of_no_encoding_is_named_by_its_row() {
        let mut bytes = GB18030.encode("姓名\n张三\n李四\n").0.into_owned();
        bytes.truncate(bytes.len() - 2);
        bytes.push(b'\n');
        assert_eq!(read(&bytes), Err(ReadFault::Undecodable { row: 3 }));
        assert_eq!(
            read(b"\xEF\xBB\xBFa\nb\n\xFF\n"),
            Err(ReadFault::Undecodable { row: 3 })
        );
    }

    #[test]
    fn rows_keep_their_place_past_empty_lines_and_broken_fields() {
        let rows = read(b"a,b\n\n\"x\ny\",2\nlast,3\n").unwrap();
        assert_eq!(rows[2], ["x\ny", "2"]);
        assert!(rows[1].is_empty());
        assert_eq!(rows.last().unwrap(), &["last", "3"]);
    }

    #[test]
    fn tabs_and_semicolons_are_recognised() {
        assert_eq!(read(b"a\tb,c\td\n").unwrap()[0], ["a", "b,c", "d"]);
        assert_eq!(read(b"a;b;c\n").unwrap()[0], ["a", "b", "c"]);
    }
}
