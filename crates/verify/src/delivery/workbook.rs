//! Workbooks (工作簿), by way of `sheets`, which counts an archive before anything parses it.

use super::{BATCH, Unreadable, places};
use crate::raw::{RawBatch, RawColumn};
use crate::source::Source;
use sheets::{Cell, Limits, ReadFault};
use std::path::Path;

/// The rows of the first sheet that holds something.
#[derive(Debug)]
pub(super) struct Rows {
    rows: std::vec::IntoIter<Vec<Cell>>,
    at: u64,
    places: Vec<Option<usize>>,
    pub(super) ignored: Vec<String>,
}

impl Rows {
    pub(super) fn open(source: &Source, path: &Path, bytes: u64) -> Result<Self, Unreadable> {
        let limits = Limits::default();
        if usize::try_from(bytes).map_or(true, |bytes| bytes > limits.file_bytes) {
            return Err(ReadFault::TooLarge(limits.file_bytes >> 20).into());
        }
        let content =
            std::fs::read(path).map_err(|fault| Unreadable::NotThere(path.to_owned(), fault))?;
        let sheet = sheets::read(&content, limits)?
            .into_iter()
            .find(|sheet| !sheet.rows.is_empty())
            .ok_or(Unreadable::Empty)?;
        let mut rows = sheet.rows.into_iter();
        let heading_row = source.arrival.heading_row.max(1);
        let headings: Vec<String> = rows
            .nth(heading_row - 1)
            .unwrap_or_default()
            .iter()
            .map(Cell::text)
            .collect();
        let (places, ignored) = places(source, &headings)?;
        Ok(Self {
            rows,
            at: u64::try_from(heading_row).unwrap_or(0) + 1,
            places,
            ignored,
        })
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn batch(&mut self) -> Option<RawBatch> {
        let mut columns = vec![Vec::new(); self.places.len()];
        let mut lines = Vec::new();
        while lines.len() < BATCH {
            let Some(mut row) = self.rows.next() else {
                break;
            };
            let line = self.at;
            self.at += 1;
            // An empty line between others is no row.
            if row.iter().all(Cell::is_blank) {
                continue;
            }
            lines.push(line);
            for (cells, place) in columns.iter_mut().zip(&self.places) {
                let cell = place
                    .and_then(|place| row.get_mut(place))
                    .map(std::mem::take);
                cells.push(cell.unwrap_or_default());
            }
        }
        (!lines.is_empty()).then(|| RawBatch {
            first_row: lines[0],
            rows: lines.len(),
            lines,
            columns: columns.into_iter().map(RawColumn::Cells).collect(),
            ragged: Vec::new(),
        })
    }
}
