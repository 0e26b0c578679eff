//! Text files (文本文件): csv and fixed width, decoded strictly while they are read.
//!
//! A byte order mark decides the encoding, else the one agreed with the department. Guarantees: a record longer than
//! [`LONGEST`] bytes is refused before it is in memory. Deliberately absent: guessing the encoding from the bytes; a
//! file of another encoding than agreed is refused at its first wrong byte.

use super::{BATCH, Unreadable, knows, places};
use crate::raw::{RawBatch, RawColumn, Texts};
use crate::source::Source;
use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// No record of a table is longer.
const LONGEST: u64 = 4 << 20;

/// No batch holds much more text.
const TOGETHER: usize = 16 << 20;

#[derive(Debug)]
enum Kind {
    Separated(Box<csv::Reader<Decoded>>, Arc<AtomicU64>),
    Fixed {
        file: BufReader<File>,
        encoding: &'static Encoding,
        widths: Vec<usize>,
    },
}

/// A text file being read from front to back.
#[derive(Debug)]
pub(super) struct Lines {
    kind: Kind,
    places: Vec<Option<usize>>,
    width: usize,
    line: u64,
    pub(super) ignored: Vec<String>,
}

impl Lines {
    pub(super) fn open(source: &Source, path: &Path, fixed: bool) -> Result<Self, Unreadable> {
        let (mut file, encoding, delimiter) = begin(source, path)?;
        let heading_row = source.arrival.heading_row;
        if fixed {
            for _ in 0..heading_row {
                let mut skipped = Vec::new();
                file.by_ref()
                    .take(LONGEST)
                    .read_until(b'\n', &mut skipped)
                    .map_err(|fault| Unreadable::NotThere(path.to_owned(), fault))?;
            }
            let widths: Vec<usize> = source
                .columns
                .iter()
                .map(|column| column.width.unwrap_or(0))
                .collect();
            return Ok(Self {
                places: (0..widths.len()).map(Some).collect(),
                width: widths.len(),
                kind: Kind::Fixed {
                    file,
                    encoding,
                    widths,
                },
                line: u64::try_from(heading_row).unwrap_or(0),
                ignored: Vec::new(),
            });
        }
        let (mut reader, handed) = separated(file, encoding, delimiter);
        let headings = headings(&mut reader, &handed, heading_row)?;
        let (places, ignored) = places(source, &headings)?;
        Ok(Self {
            kind: Kind::Separated(Box::new(reader), handed),
            places,
            width: headings.len(),
            line: 0,
            ignored,
        })
    }

    /// Whether a text is a table with separators: one of its headings stands between two of them. A line of fixed width has none.
    pub(super) fn is_separated(source: &Source, path: &Path) -> Result<bool, Unreadable> {
        let (file, encoding, delimiter) = begin(source, path)?;
        let (mut reader, handed) = separated(file, encoding, delimiter);
        // What cannot be read as such a table is none.
        let found = headings(&mut reader, &handed, source.arrival.heading_row);
        let found = found.unwrap_or_default();
        let known = |heading: &String| source.columns.iter().any(|column| knows(column, heading));
        Ok(found.len() > 1 && found.iter().any(known))
    }

    pub(super) fn batch(&mut self) -> Result<Option<RawBatch>, Unreadable> {
        let mut columns: Vec<Texts> = self.places.iter().map(|_| Texts::default()).collect();
        let mut lines = Vec::new();
        let mut ragged = Vec::new();
        match &mut self.kind {
            Kind::Separated(reader, handed) => {
                let mut record = csv::StringRecord::new();
                let mut bytes = 0;
                while lines.len() < BATCH && bytes < TOGETHER {
                    handed.store(0, Ordering::Relaxed);
                    if !reader
                        .read_record(&mut record)
                        .map_err(|fault| unread(&fault))?
                    {
                        break;
                    }
                    if record.len() != self.width {
                        ragged.push(u32::try_from(lines.len()).unwrap_or(u32::MAX));
                    }
                    bytes += record.as_slice().len();
                    lines.push(record.position().map_or(0, csv::Position::line));
                    for (texts, place) in columns.iter_mut().zip(&self.places) {
                        texts.push(
                            place
                                .and_then(|place| record.get(place))
                                .unwrap_or_default(),
                        );
                    }
                }
            }
            Kind::Fixed {
                file,
                encoding,
                widths,
            } => {
                let mut bytes = Vec::new();
                while lines.len() < BATCH {
                    bytes.clear();
                    self.line += 1;
                    file.by_ref()
                        .take(LONGEST)
                        .read_until(b'\n', &mut bytes)
                        .map_err(|_| Unreadable::Undecodable(self.line))?;
                    if bytes.is_empty() {
                        break;
                    }
                    if bytes.len() as u64 == LONGEST {
                        return Err(Unreadable::RecordTooLong(self.line));
                    }
                    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    if line.is_empty() {
                        continue;
                    }
                    if line.len() != widths.iter().sum::<usize>() {
                        ragged.push(u32::try_from(lines.len()).unwrap_or(u32::MAX));
                    }
                    lines.push(self.line);
                    let mut from = 0;
                    for (texts, width) in columns.iter_mut().zip(widths.iter()) {
                        let to = (from + width).min(line.len());
                        let field = line.get(from..to).unwrap_or_default();
                        let text = encoding
                            .decode_without_bom_handling_and_without_replacement(field)
                            .ok_or(Unreadable::Undecodable(self.line))?;
                        texts.push(text.trim());
                        from = to;
                    }
                }
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        Ok(Some(RawBatch {
            first_row: lines[0],
            rows: lines.len(),
            lines,
            columns: columns
                .into_iter()
                .zip(&self.places)
                .map(|(texts, place)| match place {
                    Some(_) => texts.column(),
                    None => RawColumn::Absent,
                })
                .collect(),
            ragged,
        }))
    }
}

/// A text from behind its byte order mark, its encoding and the separator it would have.
fn begin(
    source: &Source,
    path: &Path,
) -> Result<(BufReader<File>, &'static Encoding, u8), Unreadable> {
    let not_there = |fault| Unreadable::NotThere(path.to_owned(), fault);
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(not_there)?);
    let agreed = if source.arrival.gb18030 {
        GB18030
    } else {
        UTF_8
    };
    let head = file.fill_buf().map_err(not_there)?;
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let delimiter = delimiter(first);
    let (encoding, mark) = match head {
        [0xEF, 0xBB, 0xBF, ..] => (UTF_8, 3),
        [0xFF, 0xFE, ..] => (UTF_16LE, 2),
        [0xFE, 0xFF, ..] => (UTF_16BE, 2),
        [0x84, 0x31, 0x95, 0x33, ..] => (GB18030, 4),
        _ => (agreed, 0),
    };
    file.consume(mark);
    Ok((file, encoding, delimiter))
}

/// A text as a table with separators, and how many bytes its present record has.
fn separated(
    file: BufReader<File>,
    encoding: &'static Encoding,
    delimiter: u8,
) -> (csv::Reader<Decoded>, Arc<AtomicU64>) {
    let handed = Arc::new(AtomicU64::new(0));
    let decoded = Decoded::new(file, encoding, Arc::clone(&handed));
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(1 << 16)
        .from_reader(decoded);
    (reader, handed)
}

/// The headings of a table: its row of that number.
fn headings(
    reader: &mut csv::Reader<Decoded>,
    handed: &AtomicU64,
    row: usize,
) -> Result<Vec<String>, Unreadable> {
    let mut record = csv::StringRecord::new();
    for _ in 0..row.max(1) {
        handed.store(0, Ordering::Relaxed);
        if !reader
            .read_record(&mut record)
            .map_err(|fault| unread(&fault))?
        {
            return Err(Unreadable::Empty);
        }
    }
    Ok(record.iter().map(str::to_owned).collect())
}

/// The separator that occurs most in the first line.
fn delimiter(first: &[u8]) -> u8 {
    let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    [b'\t', b';', b'|']
        .into_iter()
        .filter(|other| count(*other) > count(b','))
        .max_by_key(|other| count(*other))
        .unwrap_or(b',')
}

fn unread(fault: &csv::Error) -> Unreadable {
    let row = fault.position().map_or(0, csv::Position::line);
    match fault.kind() {
        csv::ErrorKind::Io(fault) => match fault.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(Trouble::Undecodable(line)) => Unreadable::Undecodable(*line),
            Some(Trouble::TooLong(line)) => Unreadable::RecordTooLong(*line),
            None => Unreadable::Damaged(fault.to_string()),
        },
        _ => Unreadable::Undecodable(row),
    }
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("undecodable at line {0}")]
    Undecodable(u64),
    #[error("too long from line {0}")]
    TooLong(u64),
}

/// Bytes in, UTF-8 out, nothing replaced.
struct Decoded {
    file: BufReader<File>,
    decoder: Decoder,
    text: Vec<u8>,
    at: usize,
    line: u64,
    ended: bool,
    /// Bytes handed out since the last record began.
    handed: Arc<AtomicU64>,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoded(line {})", self.line)
    }
}

impl Decoded {
    fn new(file: BufReader<File>, encoding: &'static Encoding, handed: Arc<AtomicU64>) -> Self {
        Self {
            file,
            decoder: encoding.new_decoder_without_bom_handling(),
            text: Vec::new(),
            at: 0,
            line: 1,
            ended: false,
            handed,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        while self.at == self.text.len() && !self.ended {
            let bytes = self.file.fill_buf()?;
            let last = bytes.is_empty();
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .unwrap_or(bytes.len() * 4 + 16);
            self.text.resize(room, 0);
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(bytes, &mut self.text, last);
            self.text.truncate(written);
            self.at = 0;
            let breaks = self.text.iter().filter(|byte| **byte == b'\n').count();
            self.line += u64::try_from(breaks).unwrap_or(0);
            self.file.consume(read);
            match result {
                DecoderResult::InputEmpty => self.ended = last,
                _ => return Err(std::io::Error::other(Trouble::Undecodable(self.line))),
            }
        }
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.fill()?;
        let rest = &self.text[self.at..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        let count_wide = u64::try_from(count).unwrap_or(0);
        let handed = self.handed.fetch_add(count_wide, Ordering::Relaxed);
        if handed > LONGEST {
            return Err(std::io::Error::other(Trouble::TooLong(self.line)));
        }
        Ok(count)
    }
}
