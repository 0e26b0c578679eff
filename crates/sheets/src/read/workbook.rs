//! Workbooks (工作簿): xlsx by streaming its cells after the archive was counted, xls from its older single file.

use super::claims::Claims;
use super::{Filling, Limits, ReadFault, Sheet};
use crate::Cell;
use calamine::{Data, DataRef, ExcelDateTime, Reader, Xls, XlsError, Xlsx, XlsxError};
use chrono::NaiveDate;
use std::io::{Cursor, Read};

pub(super) fn xlsx(bytes: &[u8], limits: Limits) -> Result<Vec<Sheet>, ReadFault> {
    count_inflated(bytes, limits.inflated_bytes)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|fault| match fault {
        XlsxError::Password => ReadFault::Locked,
        _ => ReadFault::NotASpreadsheet,
    })?;
    let mut sheets = Vec::new();
    let mut cells = 0;
    for name in book.sheet_names() {
        let Ok(mut reader) = book.worksheet_cells_reader(&name) else {
            // A chart on its own tab has no cells.
            continue;
        };
        let mut filling = Filling::new(limits, cells);
        while let Some(cell) = reader.next_cell().map_err(|_| ReadFault::NotASpreadsheet)? {
            let (row, column) = cell.get_position();
            filling.put(row, column, from_ref(cell.get_value()))?;
        }
        cells = filling.cells;
        sheets.push(Sheet {
            name,
            rows: filling.rows(),
        });
    }
    Ok(sheets)
}

pub(super) fn xls(bytes: &[u8], limits: Limits) -> Result<Vec<Sheet>, ReadFault> {
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|fault| match fault {
        XlsError::Password => ReadFault::Locked,
        _ => ReadFault::NotASpreadsheet,
    })?;
    let mut sheets = Vec::new();
    let mut cells = 0;
    for name in book.sheet_names() {
        let range = book
            .worksheet_range(&name)
            .map_err(|_| ReadFault::NotASpreadsheet)?;
        let (top, left) = range.start().unwrap_or_default();
        let mut filling = Filling::new(limits, cells);
        for (row, column, value) in range.used_cells() {
            let shifted = |by: u32, number: usize| {
                u32::try_from(number)
                    .ok()
                    .and_then(|number| number.checked_add(by))
                    .ok_or(ReadFault::TooManyCells)
            };
            filling.put(shifted(top, row)?, shifted(left, column)?, from_data(value))?;
        }
        cells = filling.cells;
        sheets.push(Sheet {
            name,
            rows: filling.rows(),
        });
    }
    Ok(sheets)
}

/// Inflates everything in the archive once, and stops as soon as it is too much, or claims what it cannot hold.
fn count_inflated(bytes: &[u8], most: u64) -> Result<(), ReadFault> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| ReadFault::NotASpreadsheet)?;
    let mut left = most;
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|_| ReadFault::NotASpreadsheet)?;
        // One byte more than allowed is asked for, so that reaching the limit and passing it can be told apart.
        let mut counted = entry.take(left.saturating_add(1));
        let mut claims = Claims::default();
        let read =
            std::io::copy(&mut counted, &mut claims).map_err(|_| ReadFault::NotASpreadsheet)?;
        left = left
            .checked_sub(read)
            .ok_or(ReadFault::InflatesTooFar(most >> 20))?;
        if !claims.hold() {
            return Err(ReadFault::NotASpreadsheet);
        }
    }
    Ok(())
}

fn from_ref(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => Cell::Number(number.to_string()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(yes) => Cell::Bool(*yes),
        DataRef::DateTime(moment) => from_moment(moment),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    }
}

fn from_data(value: &Data) -> Cell {
    match value {
        Data::Empty => Cell::Empty,
        Data::Int(number) => Cell::Number(number.to_string()),
        Data::Float(number) => Cell::Number(number.to_string()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        Data::Bool(yes) => Cell::Bool(*yes),
        Data::DateTime(moment) => from_moment(moment),
        Data::Error(error) => Cell::Error(error.to_string()),
    }
}

fn from_moment(moment: &ExcelDateTime) -> Cell {
    if moment.is_duration() {
        return Cell::Number(moment.as_f64().to_string());
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    match NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day)) {
        Some(date) => Cell::Date(date),
        None => Cell::Number(moment.as_f64().to_string()),
    }
}
