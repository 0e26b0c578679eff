//! The xlsx side of writing (写出 xlsx).

use super::{Column, Field, Kind, Table, WriteFault, guarded};
use chrono::Datelike;
use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula,
    Workbook, Worksheet, XlsxError,
};

/// The sheet that carries lists too long to stand in a rule; hidden.
const LISTS: &str = "选项";
/// What a list inside a rule may hold.
const LONGEST_LIST: usize = 255;

impl From<XlsxError> for WriteFault {
    fn from(fault: XlsxError) -> Self {
        Self::Format(fault.to_string())
    }
}

/// Tables as one workbook (导出 xlsx), a sheet each.
///
/// # Errors
/// [`WriteFault::Format`].
pub fn xlsx(tables: &[Table]) -> Result<Vec<u8>, WriteFault> {
    let mut book = Workbook::new();
    // The day of the file is fixed: the same table must give the same bytes.
    let day = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&day));
    let lists: Vec<&Column> = tables
        .iter()
        .flat_map(|table| &table.columns)
        .filter(|column| is_long_list(column))
        .collect();
    for table in tables {
        let sheet = book.add_worksheet();
        write_table(sheet, table, &lists)?;
    }
    if !lists.is_empty() {
        let sheet = book.add_worksheet();
        sheet.set_name(LISTS)?;
        sheet.set_hidden(true);
        for (column, list) in (0..).zip(&lists) {
            for (row, choice) in (0..).zip(&list.choices) {
                sheet.write_string(row, column, choice)?;
            }
        }
    }
    Ok(book.save_to_buffer()?)
}

fn is_long_list(column: &Column) -> bool {
    column.choices.join(",").chars().count() > LONGEST_LIST
}

fn write_table(sheet: &mut Worksheet, table: &Table, lists: &[&Column]) -> Result<(), WriteFault> {
    sheet.set_name(&table.name)?;
    let note = Format::new()
        .set_text_wrap()
        .set_align(FormatAlign::Top)
        .set_italic();
    let heading = Format::new()
        .set_bold()
        .set_border(FormatBorder::Thin)
        .set_text_wrap();
    let last = u16::try_from(table.columns.len().saturating_sub(1))
        .map_err(|_| WriteFault::Format("列太多".to_owned()))?;
    let mut row = 0;
    for line in &table.notes {
        if last > 0 {
            sheet.merge_range(row, 0, row, last, &guarded(line), &note)?;
        } else {
            sheet.write_string_with_format(row, 0, guarded(line), &note)?;
        }
        sheet.set_row_height(row, 32)?;
        row += 1;
    }
    for (index, column) in (0..).zip(&table.columns) {
        sheet.set_column_width(index, column.width)?;
        sheet.set_column_format(index, &format_of(column.kind))?;
        sheet.write_string_with_format(row, index, guarded(&column.title), &heading)?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    let first = row + 1;
    let beyond = u32::try_from(table.rows.len())
        .unwrap_or(u32::MAX)
        .saturating_add(first);
    let end = beyond.saturating_add(table.open_rows).max(first + 1) - 1;
    for (index, column) in (0..).zip(&table.columns) {
        if let Some(rule) = rule_of(column, lists)? {
            sheet.add_data_validation(first, index, end, index, &rule)?;
        }
    }
    for (row, fields) in (first..).zip(&table.rows) {
        for (index, (field, column)) in (0..).zip(fields.iter().zip(&table.columns)) {
            write_field(sheet, row, index, field, &format_of(column.kind))?;
        }
    }
    Ok(())
}

fn format_of(kind: Kind) -> Format {
    Format::new().set_num_format(match kind {
        Kind::Text => "@",
        Kind::Money => "#,##0.00",
        Kind::Date => "yyyy-mm-dd",
        Kind::Integer => "0",
    })
}

fn rule_of(column: &Column, lists: &[&Column]) -> Result<Option<DataValidation>, WriteFault> {
    if column.choices.is_empty() && column.hint.is_empty() {
        return Ok(None);
    }
    let mut rule = DataValidation::new();
    if is_long_list(column) {
        let place = lists
            .iter()
            .position(|list| *list == column)
            .unwrap_or_default();
        let letter = u8::try_from(place)
            .ok()
            .and_then(|place| b'A'.checked_add(place))
            .filter(u8::is_ascii_uppercase)
            .map(char::from)
            .ok_or_else(|| WriteFault::Format("长列表太多".to_owned()))?;
        let range = format!("={LISTS}!${letter}$1:${letter}${}", column.choices.len());
        rule = rule.allow_list_formula(Formula::new(range));
    } else if !column.choices.is_empty() {
        rule = rule.allow_list_strings(&column.choices)?;
    }
    if !column.choices.is_empty() {
        rule = rule.set_error_message("请从下拉列表中选择")?;
    }
    if !column.hint.is_empty() {
        rule = rule.set_input_message(&column.hint)?;
    }
    Ok(Some(rule))
}

fn write_field(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    field: &Field,
    format: &Format,
) -> Result<(), WriteFault> {
    match field {
        Field::Empty => {}
        Field::Text(text) => {
            sheet.write_string_with_format(row, column, guarded(text), format)?;
        }
        Field::Money(money) => {
            // The format knows only floating point; the decimal text is handed over unchanged, no arithmetic is done.
            let number: f64 = money
                .yuan_plain()
                .parse()
                .map_err(|_| WriteFault::Format("金额".to_owned()))?;
            sheet.write_number_with_format(row, column, number, format)?;
        }
        Field::Date(date) => {
            let part = |number: u32| u8::try_from(number).unwrap_or(0);
            let year = u16::try_from(date.year()).unwrap_or(0);
            let moment = ExcelDateTime::from_ymd(year, part(date.month()), part(date.day()))?;
            sheet.write_datetime_with_format(row, column, &moment, format)?;
        }
        Field::Integer(number) => {
            let number = i32::try_from(*number)
                .map_err(|_| WriteFault::Format("数量超出可精确表示的范围".to_owned()))?;
            sheet.write_number_with_format(row, column, number, format)?;
        }
    }
    Ok(())
}
