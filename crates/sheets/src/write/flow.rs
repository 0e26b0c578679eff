//! Writing without holding (边读边写): rows go through to their destination as they come, whatever their number.
//!
//! The same columns, the same guard against formulas and the same cells as [`super::xlsx`]; the workbook is written
//! straight into its archive, so that neither a row nor a file in clear is kept anywhere on the way. What a sheet cannot
//! hold goes on in the next. Guarantees: memory does not grow with the rows; the same rows give the same bytes.
//! Deliberately absent: lists of choices and hints; a file of this kind is read, not filled in.

use super::{Column, Field, Kind, WriteFault, guarded};
use chrono::NaiveDate;
use std::fmt::Write as _;
use std::io::Write;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Rows of one sheet; a spreadsheet ends at 1 048 576 with its heading and notes.
const SHEET_ROWS: u64 = 1_000_000;
/// The longest text a cell takes, in UTF-16 units.
const LONGEST: usize = 32_767;

/// What stands above the rows (表头).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The name on the tab.
    pub name: String,
    /// Lines above the heading: who took it, when, for what.
    pub notes: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
}

/// A workbook being written (写出中的工作簿).
pub struct Flow<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    head: Head,
    /// The names of the columns: A, B … AA.
    letters: Vec<String>,
    sheets: u32,
    /// The row written last in the present sheet.
    at: u64,
    rows: u64,
    text: String,
}

impl From<zip::result::ZipError> for WriteFault {
    fn from(fault: zip::result::ZipError) -> Self {
        Self::Format(fault.to_string())
    }
}

impl From<std::io::Error> for WriteFault {
    fn from(fault: std::io::Error) -> Self {
        Self::Format(fault.to_string())
    }
}

impl<W: Write> Flow<W> {
    /// Begins a workbook (开始写出).
    ///
    /// # Errors
    /// [`WriteFault`]; also when the destination cannot be written.
    pub fn begin(out: W, head: Head) -> Result<Self, WriteFault> {
        let letters = (0..head.columns.len()).map(letters_of).collect();
        let mut flow = Self {
            zip: ZipWriter::new_stream(out),
            head,
            letters,
            sheets: 0,
            at: 0,
            rows: 0,
            text: String::new(),
        };
        flow.open()?;
        Ok(flow)
    }

    /// Writes a row (写一行).
    ///
    /// # Errors
    /// [`WriteFault`].
    pub fn put(&mut self, row: &[Field]) -> Result<(), WriteFault> {
        if self.rows > 0 && self.rows.is_multiple_of(SHEET_ROWS) {
            self.close()?;
            self.open()?;
        }
        self.rows += 1;
        self.line(row)
    }

    /// How many rows were written (已写行数).
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the workbook and gives its destination back (写完).
    ///
    /// # Errors
    /// [`WriteFault`].
    pub fn end(mut self) -> Result<W, WriteFault> {
        self.close()?;
        self.frame()?;
        Ok(self.zip.finish()?.into_inner())
    }
}

fn options() -> SimpleFileOptions {
    // The day is fixed: the same rows must give the same bytes.
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(DateTime::default())
        .large_file(true)
}

/// The name of a column counted from zero: A … Z, AA ….
fn letters_of(at: usize) -> String {
    let (before, last) = (at / 26, at % 26);
    let letter = u8::try_from(last).map_or('A', |last| char::from(b'A' + last));
    let mut name = before.checked_sub(1).map(letters_of).unwrap_or_default();
    name.push(letter);
    name
}

impl<W: Write> Flow<W> {
    fn part(&mut self, name: &str, text: &str) -> Result<(), WriteFault> {
        self.zip.start_file(name, options())?;
        self.zip.write_all(text.as_bytes())?;
        Ok(())
    }

    fn open(&mut self) -> Result<(), WriteFault> {
        let head = &self.head;
        self.sheets += 1;
        self.at = 0;
        let frozen = head.notes.len() + 1;
        let mut text = format!(
            "{XML}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView workbookViewId=\"0\">\
             <pane ySplit=\"{frozen}\" topLeftCell=\"A{}\" activePane=\"bottomLeft\" state=\"frozen\"/>\
             </sheetView></sheetViews><cols>",
            frozen + 1
        );
        for (at, column) in (1..).zip(&head.columns) {
            let (width, style) = (column.width, style_of(column.kind));
            let _ = write!(
                text,
                "<col min=\"{at}\" max=\"{at}\" width=\"{width}\" style=\"{style}\" customWidth=\"1\"/>"
            );
        }
        text.push_str("</cols><sheetData>");
        for note in &head.notes {
            self.at += 1;
            let _ = write!(text, "<row r=\"{}\" ht=\"32\" customHeight=\"1\">", self.at);
            text_cell(&mut text, "A", self.at, NOTE, &guarded(note))?;
            text.push_str("</row>");
        }
        self.at += 1;
        let _ = write!(text, "<row r=\"{}\">", self.at);
        for (letters, column) in self.letters.iter().zip(&head.columns) {
            text_cell(
                &mut text,
                letters,
                self.at,
                HEADING,
                &guarded(&column.title),
            )?;
        }
        text.push_str("</row>");
        let name = format!("xl/worksheets/sheet{}.xml", self.sheets);
        self.zip.start_file(name, options())?;
        self.zip.write_all(text.as_bytes())?;
        Ok(())
    }

    fn line(&mut self, row: &[Field]) -> Result<(), WriteFault> {
        self.at += 1;
        let (at, text) = (self.at, &mut self.text);
        text.clear();
        let _ = write!(text, "<row r=\"{at}\">");
        for (letters, field) in self.letters.iter().zip(row) {
            match field {
                Field::Empty => {}
                Field::Text(words) => {
                    text_cell(text, letters, at, style_of(Kind::Text), &guarded(words))?;
                }
                // The decimal text is handed over unchanged, no arithmetic is done.
                Field::Money(money) => {
                    number_cell(text, letters, at, Kind::Money, &money.yuan_plain());
                }
                Field::Date(day) => {
                    let origin = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
                    let serial = (*day - origin).num_days().to_string();
                    number_cell(text, letters, at, Kind::Date, &serial);
                }
                Field::Integer(number) => {
                    number_cell(text, letters, at, Kind::Integer, &number.to_string());
                }
            }
        }
        text.push_str("</row>");
        self.zip.write_all(text.as_bytes())?;
        Ok(())
    }

    fn close(&mut self) -> Result<(), WriteFault> {
        let head = &self.head;
        let mut text = "</sheetData>".to_owned();
        if let Some(last) = self.letters.last().filter(|last| *last != "A")
            && !head.notes.is_empty()
        {
            let _ = write!(text, "<mergeCells count=\"{}\">", head.notes.len());
            for row in 1..=head.notes.len() {
                let _ = write!(text, "<mergeCell ref=\"A{row}:{last}{row}\"/>");
            }
            text.push_str("</mergeCells>");
        }
        text.push_str("</worksheet>");
        self.zip.write_all(text.as_bytes())?;
        Ok(())
    }

    /// What holds the sheets together.
    fn frame(&mut self) -> Result<(), WriteFault> {
        let (mut kinds, mut sheets, mut ties) = (String::new(), String::new(), String::new());
        for at in 1..=self.sheets {
            let mut name = String::new();
            escaped(&mut name, &self.head.name);
            if at > 1 {
                let _ = write!(name, " {at}");
            }
            let _ = write!(
                kinds,
                "<Override PartName=\"/xl/worksheets/sheet{at}.xml\" ContentType=\"{OFFICE}.worksheet+xml\"/>"
            );
            let _ = write!(
                sheets,
                "<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"rId{at}\"/>"
            );
            let _ = write!(
                ties,
                "<Relationship Id=\"rId{at}\" Type=\"{TIES}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"
            );
        }
        let styles = self.sheets + 1;
        self.part("[Content_Types].xml", &format!(
            "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
             <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
             <Override PartName=\"/xl/workbook.xml\" ContentType=\"{OFFICE}.sheet.main+xml\"/>\
             <Override PartName=\"/xl/styles.xml\" ContentType=\"{OFFICE}.styles+xml\"/>{kinds}</Types>"
        ))?;
        self.part("_rels/.rels", &format!(
            "{XML}<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"rId1\" Type=\"{TIES}/officeDocument\" \
             Target=\"xl/workbook.xml\"/></Relationships>"
        ))?;
        self.part("xl/workbook.xml", &format!(
            "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{TIES}\"><sheets>{sheets}</sheets></workbook>"
        ))?;
        self.part("xl/_rels/workbook.xml.rels", &format!(
            "{XML}<Relationships xmlns=\"{PACKAGE}\">{ties}<Relationship Id=\"rId{styles}\" Type=\"{TIES}/styles\" \
             Target=\"styles.xml\"/></Relationships>"
        ))?;
        self.part("xl/styles.xml", &format!("{XML}{STYLES}"))
    }
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const TIES: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const HEADING: u32 = 5;
const NOTE: u32 = 6;
/// In the order of [`style_of`]: general, text, money, day, number; then the heading and the notes.
const STYLES: &str = "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
<numFmts count=\"1\"><numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd\"/></numFmts>\
<fonts count=\"3\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font>\
<font><b/><sz val=\"11\"/><name val=\"Calibri\"/></font>\
<font><i/><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
<fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill><fill><patternFill patternType=\"gray125\"/></fill></fills>\
<borders count=\"2\"><border><left/><right/><top/><bottom/><diagonal/></border>\
<border><left style=\"thin\"/><right style=\"thin\"/><top style=\"thin\"/><bottom style=\"thin\"/><diagonal/></border></borders>\
<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
<cellXfs count=\"7\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
<xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
<xf numFmtId=\"4\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
<xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
<xf numFmtId=\"1\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/>\
<xf numFmtId=\"49\" fontId=\"1\" fillId=\"0\" borderId=\"1\" xfId=\"0\" applyFont=\"1\" applyBorder=\"1\" applyAlignment=\"1\"><alignment wrapText=\"1\"/></xf>\
<xf numFmtId=\"49\" fontId=\"2\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyFont=\"1\" applyAlignment=\"1\"><alignment vertical=\"top\" wrapText=\"1\"/></xf></cellXfs>\
<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>";

const fn style_of(kind: Kind) -> u32 {
    match kind {
        Kind::Text => 1,
        Kind::Money => 2,
        Kind::Date => 3,
        Kind::Integer => 4,
    }
}

fn text_cell(
    out: &mut String,
    letters: &str,
    row: u64,
    style: u32,
    text: &str,
) -> Result<(), WriteFault> {
    if text.len() > LONGEST && text.encode_utf16().count() > LONGEST {
        return Err(WriteFault::Format(format!(
            "{letters}{row} 的文字超过 {LONGEST} 字"
        )));
    }
    let _ = write!(
        out,
        "<c r=\"{letters}{row}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">"
    );
    escaped(out, text);
    out.push_str("</t></is></c>");
    Ok(())
}

fn number_cell(out: &mut String, letters: &str, row: u64, kind: Kind, number: &str) {
    let style = style_of(kind);
    let _ = write!(
        out,
        "<c r=\"{letters}{row}\" s=\"{style}\"><v>{number}</v></c>"
    );
}

/// Whether a text begins with the format's own way of writing a character: `_x000D_`.
fn is_written_out(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7
        && bytes.starts_with(b"_x")
        && bytes[6] == b'_'
        && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

/// A text inside the document: what has a meaning there is written out, what the document may not hold is left out.
fn escaped(out: &mut String, text: &str) {
    // A text that looks like the format's own way of writing a character is kept from being read as one.
    for (at, sign) in text.char_indices() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '_' if is_written_out(&text[at..]) => out.push_str("_x005F_"),
            '\t' | '\n' => out.push(sign),
            sign if sign < ' ' || matches!(sign, '\u{FFFE}' | '\u{FFFF}') => {}
            sign => out.push(sign),
        }
    }
}
