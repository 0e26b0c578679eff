//! A batch of a delivery as it stands in the file (原始批次): columns of texts, numbers or cells, nothing understood yet.
//!
//! Deliberately absent: meaning; see [`crate::checked`].

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, StringArray, StringViewArray};
use arrow_schema::DataType;
use sheets::Cell;

/// A batch (原始批次): one entry in `columns` for each column of the source, in its order.
#[derive(Debug)]
pub struct RawBatch {
    /// The row of the first one, as people count them in the file: headings included, from one.
    pub first_row: u64,
    /// The row of each, where they do not follow on each other; else empty.
    pub lines: Vec<u64>,
    /// How many.
    pub rows: usize,
    /// The columns.
    pub columns: Vec<RawColumn>,
    /// Rows with more or fewer cells than columns, by their place in the batch.
    pub ragged: Vec<u32>,
}

impl RawBatch {
    /// The row in the file of a place in the batch (行号).
    pub fn row(&self, at: usize) -> u64 {
        let counted = self.first_row + u64::try_from(at).unwrap_or(0);
        self.lines.get(at).copied().unwrap_or(counted)
    }
}

/// A column of a batch (原始列).
#[derive(Debug)]
pub enum RawColumn {
    /// The file has no such column.
    Absent,
    /// Texts one after another; the end of each.
    Texts(String, Vec<u32>),
    /// Cells of a workbook.
    Cells(Vec<Cell>),
    /// Texts of a Parquet file.
    Strings(StringArray),
    /// Texts of a Parquet file, as views.
    Views(StringViewArray),
    /// Whole numbers of a Parquet file; `None` is null.
    Whole(Vec<Option<i64>>),
    /// Days of a Parquet file, counted from 1970.
    Days(Vec<Option<i64>>),
}

/// One entry (原始值).
#[derive(Debug, Clone, Copy)]
pub enum RawValue<'a> {
    /// Nothing.
    Blank,
    /// A text.
    Text(&'a str),
    /// A cell of a workbook.
    Cell(&'a Cell),
    /// A whole number.
    Whole(i64),
    /// A day, counted from 1970.
    Day(i64),
}

impl RawColumn {
    /// A column of a Parquet file (取列); `None` for a type that holds nothing exact, such as floating point.
    pub fn of_arrow(array: &ArrayRef) -> Option<Self> {
        macro_rules! whole {
            ($kind:ty) => {
                Self::Whole(
                    array
                        .as_primitive::<$kind>()
                        .iter()
                        .map(|value| value.map(i64::from))
                        .collect(),
                )
            };
        }
        Some(match array.data_type() {
            DataType::Utf8 => Self::Strings(array.as_string::<i32>().clone()),
            DataType::Utf8View => Self::Views(array.as_string_view().clone()),
            DataType::Int64 => Self::Whole(array.as_primitive::<Int64Type>().iter().collect()),
            DataType::Int32 => whole!(Int32Type),
            DataType::Int16 => whole!(Int16Type),
            DataType::Int8 => whole!(Int8Type),
            DataType::UInt32 => whole!(UInt32Type),
            DataType::UInt16 => whole!(UInt16Type),
            DataType::UInt8 => whole!(UInt8Type),
            DataType::Date32 => Self::Days(
                array
                    .as_primitive::<Date32Type>()
                    .iter()
                    .map(|day| day.map(i64::from))
                    .collect(),
            ),
            _ => return None,
        })
    }

    /// The entry of a row.
    #[inline]
    pub fn at(&self, row: usize) -> RawValue<'_> {
        match self {
            Self::Absent => RawValue::Blank,
            Self::Texts(text, ends) => {
                let from = if row == 0 { 0 } else { ends[row - 1] };
                written(&text[from as usize..ends[row] as usize])
            }
            Self::Cells(cells) => match cells.get(row) {
                Some(cell) if !cell.is_blank() => RawValue::Cell(cell),
                _ => RawValue::Blank,
            },
            Self::Strings(strings) if strings.is_valid(row) => written(strings.value(row)),
            Self::Views(views) if views.is_valid(row) => written(views.value(row)),
            Self::Strings(_) | Self::Views(_) => RawValue::Blank,
            Self::Whole(numbers) => numbers[row].map_or(RawValue::Blank, RawValue::Whole),
            Self::Days(days) => days[row].map_or(RawValue::Blank, RawValue::Day),
        }
    }
}

fn written(text: &str) -> RawValue<'_> {
    if text.is_empty() {
        RawValue::Blank
    } else {
        RawValue::Text(text)
    }
}

impl RawValue<'_> {
    /// As a person would see it (显示).
    pub fn shown(self) -> String {
        match self {
            Self::Blank => String::new(),
            Self::Text(text) => text.to_owned(),
            Self::Cell(cell) => cell.text(),
            Self::Whole(number) => number.to_string(),
            Self::Day(day) => day_of(day).map_or_else(String::new, |day| day.to_string()),
        }
    }
}

/// A day counted from 1970 as a calendar day (还原日期).
pub fn day_of(number: i64) -> Option<chrono::NaiveDate> {
    let from = chrono::NaiveDate::from_ymd_opt(1970, 1, 1)?;
    from.checked_add_signed(chrono::Duration::try_days(number)?)
}

/// A calendar day as the number of days since 1970 (日期编号).
pub fn number_of(day: chrono::NaiveDate) -> i64 {
    use chrono::Datelike;
    // 1970-01-01 is day 719 163 of the common era.
    i64::from(day.num_days_from_ce()) - 719_163
}

/// Texts put one after another (拼接文字列).
#[derive(Debug, Default)]
pub struct Texts {
    text: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Adds one.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// The column.
    pub fn column(self) -> RawColumn {
        RawColumn::Texts(self.text, self.ends)
    }
}
