//! One cell (单元格) and what it can be read as: text, code, date, money, each with its own traps.
//!
//! A spreadsheet keeps numbers as floating point with fifteen digits. Numbers are therefore kept here as the decimal
//! text of what was stored, and whoever wants an identity number from one is told that its digits are lost.

use chrono::{Datelike, Days, NaiveDate};
use vocab::Money;

/// A value as it stands in a sheet (单元格的值).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Text, as typed.
    Text(String),
    /// A number, written out in decimal digits without exponent.
    Number(String),
    /// A cell formatted as a date.
    Date(NaiveDate),
    /// Yes or no.
    Bool(bool),
    /// A formula that failed (`#N/A` …).
    Error(String),
}

/// Why a cell cannot be read as what its column wants. Each sentence says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellFault {
    /// A long number that the spreadsheet has rounded.
    #[error(
        "号码被电子表格存成了数字（显示为 4.4E+17），后几位已丢失；请把这一列设为“文本”格式后重新填写"
    )]
    DigitsLost,
    /// Not a date in any usual way of writing.
    #[error("不是日期；请写成 2026-06-01 的样子")]
    NotADate,
    /// Not an amount.
    #[error("不是金额；请写成以元为单位的数字，最多两位小数，例如 1250.00")]
    NotAnAmount,
    /// A failed formula.
    #[error("单元格是出错的公式；请改为填写数值")]
    FormulaError,
}

/// Fifteen digits are what a spreadsheet keeps exactly.
const EXACT_DIGITS: usize = 15;

impl Cell {
    /// Whether nothing is in it, blanks included.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// What a person sees in it, trimmed (文字). An apostrophe that guards a text against being a formula is left out.
    pub fn text(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => unguarded(text.trim()).to_owned(),
            Self::Number(number) => number.clone(),
            Self::Date(date) => date.to_string(),
            Self::Bool(true) => "是".to_owned(),
            Self::Bool(false) => "否".to_owned(),
            Self::Error(error) => error.clone(),
        }
    }

    /// A number that is a name, not a quantity (号码): identity numbers, codes, telephone and account numbers.
    ///
    /// # Errors
    /// [`CellFault::DigitsLost`] when the spreadsheet has rounded it, [`CellFault::FormulaError`].
    pub fn code(&self) -> Result<String, CellFault> {
        match self {
            Self::Number(number) => {
                let digits = number
                    .trim_start_matches('-')
                    .split('.')
                    .next()
                    .unwrap_or_default();
                if digits.len() > EXACT_DIGITS {
                    return Err(CellFault::DigitsLost);
                }
                Ok(number.clone())
            }
            Self::Error(_) => Err(CellFault::FormulaError),
            _ => {
                let text: String = self.text().chars().filter(|c| !c.is_whitespace()).collect();
                if is_scientific(&text) {
                    return Err(CellFault::DigitsLost);
                }
                Ok(text)
            }
        }
    }

    /// A calendar day (日期), as formatted, as the serial number behind a date, or as people write it; `None` if blank.
    ///
    /// # Errors
    /// [`CellFault::NotADate`], [`CellFault::FormulaError`].
    pub fn date(&self) -> Result<Option<NaiveDate>, CellFault> {
        match self {
            _ if self.is_blank() => Ok(None),
            Self::Date(date) => Ok(Some(*date)),
            Self::Error(_) => Err(CellFault::FormulaError),
            Self::Bool(_) => Err(CellFault::NotADate),
            _ => date_written(&self.text())
                .map(Some)
                .ok_or(CellFault::NotADate),
        }
    }

    /// An amount in yuan (金额); `None` if blank.
    ///
    /// # Errors
    /// [`CellFault::NotAnAmount`], [`CellFault::FormulaError`].
    pub fn money(&self) -> Result<Option<Money>, CellFault> {
        match self {
            _ if self.is_blank() => Ok(None),
            Self::Error(_) => Err(CellFault::FormulaError),
            Self::Number(_) | Self::Text(_) => Money::from_yuan_text(&self.text())
                .map(Some)
                .map_err(|_| CellFault::NotAnAmount),
            _ => Err(CellFault::NotAnAmount),
        }
    }
}

/// `4.4E+17`, `4.40306e17`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let exponent = exponent.trim_start_matches(['+', '-']);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && digits(&mantissa.replacen('.', "", 1))
}

/// A text without the apostrophe that exports put before a dangerous first character.
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if crate::write::is_dangerous(rest) => rest,
        _ => text,
    }
}

/// A day as people and programs write it.
fn date_written(text: &str) -> Option<NaiveDate> {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    if day.bytes().all(|byte| byte.is_ascii_digit()) {
        return match day.len() {
            8 => NaiveDate::parse_from_str(day, "%Y%m%d")
                .ok()
                .filter(is_plausible),
            // The serial number behind a date whose cell lost its format: 45213 is 2023-10-14.
            4 | 5 => serial(day.parse().ok()?),
            _ => None,
        };
    }
    let separated: String = day
        .chars()
        .map(|c| {
            if matches!(c, '/' | '.' | '年' | '月' | '／' | '．') {
                '-'
            } else {
                c
            }
        })
        .filter(|c| *c != '日')
        .collect();
    let mut parts = separated.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    (parts.next().is_none() && is_plausible(&date)).then_some(date)
}

/// The day behind a serial number of the 1900 system, from 1 March 1900 on, before which that system miscounts.
fn serial(number: u64) -> Option<NaiveDate> {
    let origin = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    (number > 60).then(|| origin.checked_add_days(Days::new(number)))?
}

fn is_plausible(date: &NaiveDate) -> bool {
    (1850..2200).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn number(text: &str) -> Cell {
        Cell::Number(text.to_owned())
    }

    #[test]
    fn an_identity_number_kept_as_a_number_is_refused_with_the_remedy() {
        assert_eq!(
            number("440306199001010000").code(),
            Err(CellFault::DigitsLost)
        );
        assert_eq!(text("4.4E+17").code(), Err(CellFault::DigitsLost));
        assert_eq!(text("4.40306e17").code(), Err(CellFault::DigitsLost));
        assert!(CellFault::DigitsLost.to_string().contains("文本"));
        assert_eq!(
            text("440306 19900101 0016").code().as_deref(),
            Ok("440306199001010016")
        );
        assert_eq!(number("17000001234").code().as_deref(), Ok("17000001234"));
        assert_eq!(text("E12345678").code().as_deref(), Ok("E12345678"));
    }

    #[test]
    fn dates_are_read_in_every_usual_way_of_writing() {
        let day = NaiveDate::from_ymd_opt(2023, 10, 14);
        for cell in [
            Cell::Date(day.unwrap()),
            number("45213"),
            text("45213"),
            number("20231014"),
            text("2023-10-14"),
            text("2023/10/14"),
            text("2023.10.14"),
            text("2023年10月14日"),
            text(" 2023-10-14 00:00:00 "),
        ] {
            assert_eq!(cell.date(), Ok(day), "{cell:?}");
        }
        assert_eq!(
            text("2023/1/5").date(),
            Ok(NaiveDate::from_ymd_opt(2023, 1, 5))
        );
        assert_eq!(Cell::Empty.date(), Ok(None));
        for wrong in [
            text("2023-13-01"),
            text("昨天"),
            text("14/10/2023"),
            number("1.5"),
            number("7"),
        ] {
            assert_eq!(wrong.date(), Err(CellFault::NotADate), "{wrong:?}");
        }
    }

    #[test]
    fn amounts_are_in_yuan_with_at_most_two_decimals() {
        assert_eq!(number("1250.5").money(), Ok(Some(Money::from_fen(125_050))));
        assert_eq!(
            text("1,250.00元").money(),
            Ok(Some(Money::from_fen(125_000)))
        );
        assert_eq!(number("0.001").money(), Err(CellFault::NotAnAmount));
        assert_eq!(Cell::Empty.money(), Ok(None));
        assert_eq!(
            Cell::Error("#N/A".to_owned()).money(),
            Err(CellFault::FormulaError)
        );
    }

    #[test]
    fn the_guard_of_an_export_is_taken_off_again() {
        assert_eq!(text("'=1+1").text(), "=1+1");
        assert_eq!(text("'quoted").text(), "'quoted");
    }
}
