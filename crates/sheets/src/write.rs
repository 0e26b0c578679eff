//! Writing tables (导出): a table of typed columns as xlsx or csv.
//!
//! Text columns are text in Excel too, so an identity number stays what it is. A text that a spreadsheet would take for a
//! formula gets an apostrophe in front, which reading takes off again. Dates and properties of the file do not depend on
//! the clock: the same table always gives the same bytes, which a bank file needs when it is sent again.

mod flow;
mod workbook;

pub use flow::{Flow, Head};
pub use workbook::xlsx;

use chrono::NaiveDate;
use encoding_rs::GB18030;
use vocab::Money;

/// What a column holds (列类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, and numbers that are names: identity, account and telephone numbers.
    Text,
    /// Amounts in yuan with two decimals.
    Money,
    /// Calendar days.
    Date,
    /// Whole quantities.
    Integer,
}

/// A column (列).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub title: String,
    /// What it holds.
    pub kind: Kind,
    /// Its width in characters.
    pub width: u16,
    /// The only values allowed, offered as a list; empty for any.
    pub choices: Vec<String>,
    /// What is shown beside a cell while it is filled in.
    pub hint: String,
}

impl Column {
    /// A column without choices or hint.
    pub fn new(title: impl Into<String>, kind: Kind, width: u16) -> Self {
        Self {
            title: title.into(),
            kind,
            width,
            choices: Vec::new(),
            hint: String::new(),
        }
    }

    /// With the only values allowed.
    #[must_use]
    pub fn choices(mut self, choices: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.choices = choices.into_iter().map(Into::into).collect();
        self
    }

    /// With a hint for whoever fills it in.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// A value to be written (写出的值).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Nothing.
    Empty,
    /// Text.
    Text(String),
    /// An amount.
    Money(Money),
    /// A day.
    Date(NaiveDate),
    /// A whole quantity.
    Integer(i64),
}

impl Field {
    /// Text, or nothing if it is empty.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }
}

/// A table (表).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name on the tab.
    pub name: String,
    /// Lines above the heading: how to fill the table in, or who exported it when and why.
    pub notes: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each as long as the columns.
    pub rows: Vec<Vec<Field>>,
    /// How many rows below stay open for filling in; lists of choices and formats reach that far.
    pub open_rows: u32,
}

/// How a csv file spells its characters (编码).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with the byte order mark by which Excel recognises it.
    Utf8Bom,
    /// GB18030, as banks and older programs expect.
    Gb18030,
}

/// Why a table was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    /// A character that GB18030 does not have.
    #[error("第 {row} 行有 GB18030 编码没有的字符；请改用 UTF-8 格式导出")]
    NotInGb18030 {
        /// The row below the heading, counted from one; zero for the heading.
        row: usize,
    },
    /// The spreadsheet format forbids it: a name too long, a text too long, too many rows.
    #[error("无法写成电子表格：{0}")]
    Format(String),
}

/// A table as csv (导出 csv), lines ended as Excel ends them, notes left out.
///
/// # Errors
/// [`WriteFault::NotInGb18030`].
pub fn csv(table: &Table, encoding: Encoding) -> Result<Vec<u8>, WriteFault> {
    let mut bytes = match encoding {
        Encoding::Utf8Bom => vec![0xEF, 0xBB, 0xBF],
        Encoding::Gb18030 => Vec::new(),
    };
    let heading: Vec<String> = table
        .columns
        .iter()
        .map(|column| guarded(&column.title))
        .collect();
    put_line(&mut bytes, &heading, encoding, 0)?;
    for (index, row) in table.rows.iter().enumerate() {
        let fields: Vec<String> = row.iter().map(plain).collect();
        put_line(&mut bytes, &fields, encoding, index + 1)?;
    }
    Ok(bytes)
}

fn put_line(
    bytes: &mut Vec<u8>,
    fields: &[String],
    encoding: Encoding,
    row: usize,
) -> Result<(), WriteFault> {
    let quoted: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    let line = quoted.join(",") + "\r\n";
    match encoding {
        Encoding::Utf8Bom => bytes.extend(line.as_bytes()),
        Encoding::Gb18030 => {
            let (encoded, _, replaced) = GB18030.encode(&line);
            if replaced {
                return Err(WriteFault::NotInGb18030 { row });
            }
            bytes.extend(encoded.as_ref());
        }
    }
    Ok(())
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn plain(field: &Field) -> String {
    match field {
        Field::Empty => String::new(),
        Field::Text(text) => guarded(text),
        Field::Money(money) => money.yuan_plain(),
        Field::Date(date) => date.to_string(),
        Field::Integer(number) => number.to_string(),
    }
}

/// Whether a spreadsheet would take a text for a formula.
pub(crate) fn is_dangerous(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// A text that no spreadsheet takes for a formula.
fn guarded(text: &str) -> String {
    if is_dangerous(text) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read};

    fn table() -> Table {
        Table {
            name: "名单".to_owned(),
            notes: vec!["填写说明：红字为必填".to_owned()],
            columns: vec![
                Column::new("姓名", Kind::Text, 12),
                Column::new("证件号码", Kind::Text, 22),
                Column::new("金额", Kind::Money, 12),
                Column::new("日期", Kind::Date, 12),
                Column::new("人数", Kind::Integer, 8),
            ],
            rows: vec![
                vec![
                    Field::text("䶮𬱖·㼆"),
                    Field::text("440300199001010016"),
                    Field::Money(Money::from_fen(-5)),
                    Field::Date(NaiveDate::from_ymd_opt(2023, 10, 14).unwrap()),
                    Field::Integer(3),
                ],
                vec![
                    Field::text("=cmd|' /C calc'!A0"),
                    Field::text("+1"),
                    Field::Empty,
                    Field::Empty,
                    Field::Empty,
                ],
            ],
            open_rows: 0,
        }
    }

    #[test]
    fn what_is_written_is_read_back_the_same_in_every_form() {
        let files = [
            (xlsx(&[table()]).unwrap(), 1),
            (csv(&table(), Encoding::Utf8Bom).unwrap(), 0),
            (csv(&table(), Encoding::Gb18030).unwrap(), 0),
        ];
        for (bytes, notes) in files {
            let sheet = read(&bytes, Limits::default()).unwrap().remove(0);
            assert_eq!(sheet.rows[notes][0].text(), "姓名");
            let row = &sheet.rows[notes + 1];
            assert_eq!(row[0].text(), "䶮𬱖·㼆");
            assert_eq!(row[1].code().as_deref(), Ok("440300199001010016"));
            assert_eq!(row[2].money(), Ok(Some(Money::from_fen(-5))));
            assert_eq!(row[3].date(), Ok(NaiveDate::from_ymd_opt(2023, 10, 14)));
            assert_eq!(row[4].text(), "3");
            assert_eq!(sheet.rows[notes + 2][0].text(), "=cmd|' /C calc'!A0");
        }
    }

    #[test]
    fn a_text_that_begins_like_a_formula_leaves_as_text() {
        let text = String::from_utf8(csv(&table(), Encoding::Utf8Bom).unwrap()).unwrap();
        assert!(
            text.contains("\r\n'=cmd|") && text.contains(",'+1,"),
            "{text}"
        );
        for danger in ["=1", "+1", "-1", "@a", "\t=1", "\r=1"] {
            assert!(is_dangerous(danger), "{danger:?}");
        }
        assert!(!is_dangerous("1-2"));
    }

    #[test]
    fn the_same_table_gives_the_same_bytes() {
        assert_eq!(xlsx(&[table()]), xlsx(&[table()]));
    }

    #[test]
    fn a_character_outside_gb18030_is_named_by_its_row() {
        let mut outside = table();
        outside.rows[1][0] = Field::text("\u{E5E5}");
        assert_eq!(
            csv(&outside, Encoding::Gb18030),
            Err(WriteFault::NotInGb18030 { row: 2 })
        );
    }

    #[test]
    fn the_six_characters_that_moved_in_2022_survive_a_round_trip() {
        // GB18030-2022 gave these codes to real characters; older copies had private ones.
        let text = "龴龵龶龷龸龹龺龻䶮";
        let mut moved = table();
        moved.rows[0][0] = Field::text(text);
        let bytes = csv(&moved, Encoding::Gb18030).unwrap();
        let sheet = read(&bytes, Limits::default()).unwrap().remove(0);
        assert_eq!(sheet.rows[1][0].text(), text);
    }
}
