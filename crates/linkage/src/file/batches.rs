//! Records out of a Parquet file (Parquet 读取), batch by batch.
//!
//! Guarantees: one thread unpacks while another takes the records down; only the columns that mean something are read. Deliberately
//! absent: nested columns.

use super::{COLUMNS, Header, Records, Unread};
use crate::birth;
use crate::phone;
use crate::place;
use crate::register::{Row, sex};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::path::Path;
use std::sync::mpsc::sync_channel;

const BATCH: usize = 16_384;

pub(super) fn read(
    path: &Path,
    mut records: Records,
    tell: &mut dyn FnMut(usize),
) -> Result<Records, Unread> {
    let file = std::fs::File::open(path).map_err(|fault| Unread::File {
        file: path.display().to_string(),
        fault,
    })?;
    let broken = |fault: &dyn std::fmt::Display| Unread::Parquet(fault.to_string());
    // Without what Arrow wrote beside, lists of words come as plain texts.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|fault| broken(&fault))?;
    let schema = builder.schema().clone();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let header = Header::read(&names)?;
    for (place, (meaning, _)) in header.places.iter().zip(&COLUMNS) {
        if let Some(place) = place
            && !is_readable(schema.field(*place).data_type())
        {
            return Err(Unread::Type {
                column: names[*place].to_owned(),
                meaning,
                found: schema.field(*place).data_type().to_string(),
            });
        }
    }
    let wanted = header.places.iter().flatten().copied();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    records.register.reserve(rows);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|fault| broken(&fault))?;
    let header_names = header
        .places
        .map(|place| place.map(|place| names[place].to_owned()));
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel(8);
        scope.spawn(move || {
            for batch in reader {
                if send.send(batch).is_err() {
                    return;
                }
            }
        });
        let mut done = 0;
        for batch in receive {
            let batch = batch.map_err(|fault| broken(&fault))?;
            take(&batch, &header_names, &mut records);
            done += batch.num_rows();
            tell(done);
        }
        Ok(records)
    })
}

fn is_readable(found: &DataType) -> bool {
    found.is_integer()
        || matches!(
            found,
            DataType::Utf8
                | DataType::Null
                | DataType::Float64
                | DataType::Date32
                | DataType::Timestamp(..)
        )
}

/// A column of a batch, as what it is.
enum Values<'b> {
    Absent,
    Text(&'b StringArray),
    Whole(Box<dyn Fn(usize) -> i64 + 'b>, &'b dyn Array),
    Days(Box<dyn Fn(usize) -> i32 + 'b>, &'b dyn Array),
}

impl<'b> Values<'b> {
    fn of(column: Option<&'b dyn Array>) -> Self {
        let Some(column) = column else {
            return Self::Absent;
        };
        macro_rules! whole {
            ($kind:ty) => {{
                let values = column.as_primitive::<$kind>();
                Self::Whole(Box::new(|row| i64::from(values.value(row))), column)
            }};
        }
        match column.data_type() {
            DataType::Utf8 => Self::Text(column.as_string()),
            DataType::Int8 => whole!(Int8Type),
            DataType::Int16 => whole!(Int16Type),
            DataType::Int32 => whole!(Int32Type),
            DataType::Int64 => whole!(Int64Type),
            DataType::UInt8 => whole!(UInt8Type),
            DataType::UInt16 => whole!(UInt16Type),
            DataType::UInt32 => whole!(UInt32Type),
            DataType::UInt64 => {
                let values = column.as_primitive::<UInt64Type>();
                let whole = |row| i64::try_from(values.value(row)).unwrap_or(0);
                Self::Whole(Box::new(whole), column)
            }
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>();
                // Whole numbers with gaps come as such from some programs.
                let whole = |row| format!("{:.0}", values.value(row)).parse().unwrap_or(0);
                Self::Whole(Box::new(whole), column)
            }
            DataType::Date32 => {
                let values = column.as_primitive::<Date32Type>();
                Self::Days(Box::new(|row| values.value(row)), column)
            }
            DataType::Timestamp(unit, _) => Self::timestamps(column, *unit),
            _ => Self::Absent,
        }
    }

    fn timestamps(column: &'b dyn Array, unit: arrow_schema::TimeUnit) -> Self {
        use arrow_array::types::{
            TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
            TimestampSecondType,
        };
        use arrow_schema::TimeUnit;
        macro_rules! days {
            ($kind:ty, $a_day:expr) => {{
                let values = column.as_primitive::<$kind>();
                let day = |row| i32::try_from(values.value(row).div_euclid($a_day)).unwrap_or(0);
                Self::Days(Box::new(day), column)
            }};
        }
        match unit {
            TimeUnit::Second => days!(TimestampSecondType, 86_400),
            TimeUnit::Millisecond => days!(TimestampMillisecondType, 86_400_000),
            TimeUnit::Microsecond => days!(TimestampMicrosecondType, 86_400_000_000),
            TimeUnit::Nanosecond => days!(TimestampNanosecondType, 86_400_000_000_000),
        }
    }

    /// The value as text; `room` is where a number is written.
    fn text<'r>(&self, row: usize, room: &'r mut String) -> &'r str
    where
        'b: 'r,
    {
        room.clear();
        match self {
            Self::Text(texts) if texts.is_valid(row) => texts.value(row),
            Self::Whole(value, column) if column.is_valid(row) => {
                room.push_str(&value(row).to_string());
                room
            }
            Self::Days(value, column) if column.is_valid(row) => {
                let (year, month, day) = birth::parts(birth::of_days(value(row)));
                room.push_str(&format!("{year:04}-{month:02}-{day:02}"));
                room
            }
            _ => "",
        }
    }

    fn whole(&self, row: usize) -> Option<i64> {
        match self {
            Self::Whole(value, column) if column.is_valid(row) => Some(value(row)),
            _ => None,
        }
    }
}

fn take(batch: &RecordBatch, header: &[Option<String>; COLUMNS.len()], records: &mut Records) {
    let columns = header.each_ref().map(|name| {
        let column = name.as_deref().and_then(|name| batch.column_by_name(name));
        Values::of(column.map(AsRef::as_ref))
    });
    let [
        ids,
        names,
        numbers,
        births,
        sexes,
        phones,
        regions,
        addresses,
    ] = &columns;
    let mut rooms: [String; COLUMNS.len()] = Default::default();
    for row in 0..batch.num_rows() {
        let [room0, room1, room2, room3, room4, room5, room6, room7] = &mut rooms;
        match (ids, ids.whole(row), &mut records.ids) {
            (_, Some(id), super::Ids::Whole(all)) => all.push(id),
            (Values::Absent, ..) => {
                let number = records.register.len() + 1;
                records.ids.push(&number.to_string());
            }
            (_, _, all) => all.push(ids.text(row, room0)),
        }
        let birth = match births {
            Values::Days(value, column) if column.is_valid(row) => birth::of_days(value(row)),
            _ => birth::read(births.text(row, room3)),
        };
        let phone = match phones.whole(row) {
            Some(number) => phone::of_number(number.unsigned_abs()),
            None => phone::read(phones.text(row, room5)),
        };
        let sex = match sexes.whole(row) {
            Some(code @ 1..=2) => u8::try_from(code).unwrap_or(0),
            _ => sex(sexes.text(row, room4)),
        };
        let region = match regions.whole(row) {
            Some(code @ 10_000..=999_999) => u32::try_from(code).unwrap_or(0),
            _ => place::region(regions.text(row, room6)),
        };
        records.register.push_row(&Row {
            name: names.text(row, room1),
            id_number: numbers.text(row, room2),
            birth,
            sex,
            phone,
            region,
            address: addresses.text(row, room7),
        });
    }
}
