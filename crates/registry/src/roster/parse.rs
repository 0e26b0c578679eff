//! From cells to rows (解析花名册): every cell read by its column's rule, every failure noted, nothing looked up.

use super::columns::{REASON, SAMPLE, Title};
use super::{FileRefused, RowError};
use crate::accounts::{Account, AccountKind};
use crate::people::digest_phone;
use chrono::NaiveDate;
use sheets::{Cell, CellFault, Limits};
use std::collections::BTreeMap;
use vocab::{Document, DocumentKind, Kinship, Region, Sex};

/// A row of the roster whose cells could all be read on their own.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) sheet: String,
    pub(super) row: usize,
    pub(super) number: String,
    pub(super) kinship: Kinship,
    pub(super) name: String,
    pub(super) document: Document,
    pub(super) sex: Sex,
    pub(super) birth_date: Option<NaiveDate>,
    pub(super) hukou: Option<Region>,
    /// A code or a name; places are looked up later.
    pub(super) community: String,
    pub(super) address: String,
    pub(super) phone: Option<String>,
    pub(super) account: Option<Account>,
}

/// A file as read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) rows: Vec<Row>,
    pub(super) errors: Vec<RowError>,
    /// Where every row with a person stands, with the number of its household, if that could be read.
    pub(super) places: Vec<(String, usize, String)>,
    pub(super) unknown_columns: Vec<String>,
}

/// The heading row of a sheet: which column stands where.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) row: usize,
    pub(super) columns: BTreeMap<Title, usize>,
}

pub(super) fn file(bytes: &[u8], limits: Limits, today: NaiveDate) -> Result<Read, FileRefused> {
    let mut read = Read::default();
    let mut found = false;
    for sheet in sheets::read(bytes, limits)? {
        let Some(heading) = heading_of(&sheet) else {
            continue;
        };
        found = true;
        let missing: Vec<&str> = Title::NEEDED
            .into_iter()
            .filter(|title| !heading.columns.contains_key(title))
            .map(Title::text)
            .collect();
        if !missing.is_empty() {
            return Err(FileRefused::ColumnsMissing(missing.join("、")));
        }
        for cell in &sheet.rows[heading.row] {
            let text = cell.text();
            if !text.is_empty() && Title::read(&text).is_none() && text != REASON {
                read.unknown_columns.push(text);
            }
        }
        for (index, cells) in sheet.rows.iter().enumerate().skip(heading.row + 1) {
            if heading
                .columns
                .values()
                .all(|at| cells.get(*at).is_none_or(Cell::is_blank))
            {
                continue;
            }
            let line = Line {
                sheet: &sheet.name,
                row: index + 1,
                cells,
                heading: &heading,
                errors: Vec::new(),
            };
            line.read_into(&mut read, today);
        }
    }
    if !found {
        return Err(FileRefused::NoHeading);
    }
    if read.places.is_empty() {
        return Err(FileRefused::NoRows);
    }
    Ok(read)
}

/// The heading stands within the first rows; notes may stand above it.
pub(super) fn heading_of(sheet: &sheets::Sheet) -> Option<Heading> {
    sheet
        .rows
        .iter()
        .take(20)
        .enumerate()
        .find_map(|(row, cells)| {
            let mut columns = BTreeMap::new();
            for (at, cell) in cells.iter().enumerate() {
                if let Some(title) = Title::read(&cell.text()) {
                    columns.entry(title).or_insert(at);
                }
            }
            let is_heading = columns.contains_key(&Title::Name) && columns.len() >= 3;
            is_heading.then_some(Heading { row, columns })
        })
}

/// One row being read.
struct Line<'a> {
    sheet: &'a str,
    row: usize,
    cells: &'a [Cell],
    heading: &'a Heading,
    errors: Vec<RowError>,
}

impl Line<'_> {
    fn read_into(mut self, read: &mut Read, today: NaiveDate) {
        let number = self.code(Title::Number);
        if number.starts_with(SAMPLE) {
            return;
        }
        read.places
            .push((self.sheet.to_owned(), self.row, number.clone()));
        if number.is_empty() {
            self.wrong(Title::Number, "请填写户编号；同一户的各行填同一个编号");
        }
        let kinship = self.kinship();
        let name = self.text(Title::Name);
        if name.is_empty() {
            self.wrong(Title::Name, "请填写姓名");
        } else if name.chars().count() > 100 {
            self.wrong(Title::Name, "姓名不能超过 100 个字");
        }
        let document = self.document(today);
        let birth_date = self.birth_date(document.as_ref(), today);
        let sex = self.sex(document.as_ref());
        let hukou = self.hukou();
        let phone = self.phone();
        let account = self.account(&name);
        if !self.errors.is_empty() {
            read.errors.extend(self.errors);
            return;
        }
        if let (Some(kinship), Some(document)) = (kinship, document) {
            read.rows.push(Row {
                sheet: self.sheet.to_owned(),
                row: self.row,
                number,
                kinship,
                name,
                document,
                sex,
                birth_date,
                hukou,
                community: self.code(Title::Community),
                address: self.text(Title::Address),
                phone,
                account,
            });
        }
    }

    fn cell(&self, title: Title) -> &Cell {
        const NOTHING: &Cell = &Cell::Empty;
        let at = self.heading.columns.get(&title);
        at.and_then(|at| self.cells.get(*at)).unwrap_or(NOTHING)
    }

    fn text(&self, title: Title) -> String {
        self.cell(title).text()
    }

    /// A number that is a name; lost digits are an error at once.
    fn code(&mut self, title: Title) -> String {
        match self.cell(title).code() {
            Ok(code) => code,
            Err(fault) => {
                self.fault(title, fault);
                String::new()
            }
        }
    }

    fn fault(&mut self, title: Title, fault: CellFault) {
        self.wrong(title, &fault.to_string());
    }

    fn wrong(&mut self, title: Title, reason: &str) {
        let error = RowError {
            sheet: self.sheet.to_owned(),
            row: self.row,
            column: title.text().to_owned(),
            value_masked: title.masked(&self.text(title)),
            reason: reason.to_owned(),
        };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn kinship(&mut self) -> Option<Kinship> {
        match Kinship::read(&self.text(Title::Kinship)) {
            Ok(kinship) => Some(kinship),
            Err(fault) => {
                self.wrong(Title::Kinship, &fault.to_string());
                None
            }
        }
    }

    fn document(&mut self, today: NaiveDate) -> Option<Document> {
        let written = self.text(Title::DocumentKind);
        let kind = if written.is_empty() {
            DocumentKind::ResidentId
        } else if let Some(kind) = DocumentKind::read(&written) {
            kind
        } else {
            self.wrong(
                Title::DocumentKind,
                "证件类型不在列表中；请从下拉列表选择，例如 居民身份证",
            );
            return None;
        };
        let before = self.errors.len();
        let number = self.code(Title::DocumentNumber);
        if self.errors.len() > before {
            return None;
        }
        if number.is_empty() && kind != DocumentKind::None {
            let reason = "请填写证件号码；确无证件的，证件类型选“无身份证件”";
            self.wrong(Title::DocumentNumber, reason);
            return None;
        }
        match Document::read(kind, &number, today) {
            Ok(document) => Some(document),
            Err(fault) => {
                self.wrong(Title::DocumentNumber, &fault.to_string());
                None
            }
        }
    }

    fn birth_date(&mut self, document: Option<&Document>, today: NaiveDate) -> Option<NaiveDate> {
        let known = document.and_then(Document::birth_date);
        match self.cell(Title::BirthDate).date() {
            Err(fault) => {
                self.fault(Title::BirthDate, fault);
                None
            }
            Ok(None) => {
                if known.is_none() && document.is_some() {
                    self.wrong(Title::BirthDate, "证件号码不含出生日期，请填写出生日期");
                }
                known
            }
            Ok(Some(written)) if known.is_some_and(|known| known != written) => {
                self.wrong(
                    Title::BirthDate,
                    "出生日期与证件号码中的不一致，请对照证件核对",
                );
                None
            }
            Ok(Some(written)) if written > today => {
                self.wrong(Title::BirthDate, "出生日期晚于今天，请核对");
                None
            }
            Ok(written) => written,
        }
    }

    fn sex(&mut self, document: Option<&Document>) -> Sex {
        let known = document.and_then(Document::sex);
        let written = self.text(Title::Sex);
        match Sex::read(&written) {
            _ if written.is_empty() => known.unwrap_or(Sex::NotStated),
            None => {
                self.wrong(Title::Sex, "性别请填 男 或 女");
                Sex::NotStated
            }
            Some(Sex::Male | Sex::Female)
                if known.is_some_and(|k| Some(k) != Sex::read(&written)) =>
            {
                self.wrong(Title::Sex, "性别与证件号码中的不一致，请对照证件核对");
                Sex::NotStated
            }
            Some(Sex::Unknown | Sex::NotStated) => known.unwrap_or(Sex::NotStated),
            Some(sex) => sex,
        }
    }

    fn hukou(&mut self) -> Option<Region> {
        let code = self.code(Title::Hukou);
        if code.is_empty() {
            return None;
        }
        let read = code.parse();
        if read.is_err() {
            self.wrong(
                Title::Hukou,
                "户籍地请填 6、9 或 12 位区划代码，不知道可以留空",
            );
        }
        read.ok()
    }

    fn phone(&mut self) -> Option<String> {
        let written = self.code(Title::Phone);
        if written.is_empty() {
            return None;
        }
        let phone = digest_phone(&written);
        if phone.is_none() {
            self.wrong(
                Title::Phone,
                "手机号应为 11 位数字，固定电话请带区号；请核对",
            );
        }
        phone
    }

    fn account(&mut self, name: &str) -> Option<Account> {
        let bank = self.text(Title::Bank);
        let number = self.code(Title::Account);
        if number.is_empty() {
            if !bank.is_empty() {
                self.wrong(
                    Title::Account,
                    "填写了开户银行却没有账号；请补上账号，或把开户银行也留空",
                );
            }
            return None;
        }
        let given = Account {
            bank,
            holder: name.to_owned(),
            kind: AccountKind::guess(&number),
            number,
            agreement: None,
        };
        match crate::accounts::checked(given, name) {
            Ok((account, _)) => Some(account),
            Err(refused) => {
                let title = match refused {
                    crate::accounts::Refused::BankMissing => Title::Bank,
                    _ => Title::Account,
                };
                self.wrong(title, &refused.to_string());
                None
            }
        }
    }
}
