//! Rows whose every cell was understood (合格行), and for all others every reason, with row and column (不合格原因).
//!
//! Guarantees: what is kept was understood whole: a row with one cell that cannot be read is not kept in part; blank stays
//! blank ([`ABSENT`]), never zero. Deliberately absent: finding out what was meant.

use crate::id_key::{IdKey, IdTrouble, pack};
use crate::raw::{RawBatch, RawColumn, RawValue, number_of};
use crate::source::{ColumnKind, Source};
use chrono::{Datelike, NaiveDate};
use sheets::{Cell, CellFault};
use store::keys::Blinder;
use vocab::Money;
use vocab::id_number::IdFault;

/// A blank among numbers (空缺).
pub const ABSENT: i64 = i64::MIN;
/// No larger amount, count or area is believed: ten thousand times the money of a large country fits.
const LARGEST: i64 = 1_000_000_000_000_000_000;
/// The longest text kept.
const LONGEST: usize = 512;

/// Why a cell is not understood (不合格原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// No identity number.
    IdMissing,
    /// Rounded by a spreadsheet.
    IdDigitsLost,
    /// Wrong length.
    IdLength,
    /// Strange characters.
    IdCharacters,
    /// Born on no day.
    IdNotADate,
    /// Born after today.
    IdInTheFuture,
    /// Born too long ago.
    IdTooLongAgo,
    /// A digit wrong.
    IdCheckDigit,
    /// A needed cell is blank.
    Missing,
    /// No amount.
    NotAnAmount,
    /// No whole number.
    NotACount,
    /// No area.
    NotAnArea,
    /// No day.
    NotADate,
    /// No month.
    NotAMonth,
    /// A code that is not agreed.
    UnknownCode,
    /// A formula that failed.
    FormulaError,
    /// A number rounded by a spreadsheet.
    DigitsLost,
    /// Larger than anything real.
    TooLarge,
    /// A text longer than any name.
    TooLong,
    /// More or fewer cells than columns.
    Ragged,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::IdMissing,
        Self::IdDigitsLost,
        Self::IdLength,
        Self::IdCharacters,
        Self::IdNotADate,
        Self::IdInTheFuture,
        Self::IdTooLongAgo,
        Self::IdCheckDigit,
        Self::Missing,
        Self::NotAnAmount,
        Self::NotACount,
        Self::NotAnArea,
        Self::NotADate,
        Self::NotAMonth,
        Self::UnknownCode,
        Self::FormulaError,
        Self::DigitsLost,
        Self::TooLarge,
        Self::TooLong,
        Self::Ragged,
    ];

    /// The word it is counted under (代号).
    pub const fn word(self) -> &'static str {
        match self {
            Self::IdMissing => "id_missing",
            Self::IdDigitsLost => "id_digits_lost",
            Self::IdLength => "id_length",
            Self::IdCharacters => "id_characters",
            Self::IdNotADate => "id_not_a_date",
            Self::IdInTheFuture => "id_in_the_future",
            Self::IdTooLongAgo => "id_too_long_ago",
            Self::IdCheckDigit => "id_check_digit",
            Self::Missing => "missing",
            Self::NotAnAmount => "not_an_amount",
            Self::NotACount => "not_a_count",
            Self::NotAnArea => "not_an_area",
            Self::NotADate => "not_a_date",
            Self::NotAMonth => "not_a_month",
            Self::UnknownCode => "unknown_code",
            Self::FormulaError => "formula_error",
            Self::DigitsLost => "digits_lost",
            Self::TooLarge => "too_large",
            Self::TooLong => "too_long",
            Self::Ragged => "ragged",
        }
    }

    /// What the department is told (退回说明).
    pub const fn zh(self) -> &'static str {
        match self {
            Self::IdMissing => "身份证号为空，请补填",
            Self::IdDigitsLost => {
                "身份证号被电子表格存成了数字，后几位已丢失，请把这一列设为文本后重新导出"
            }
            Self::IdLength => "身份证号应为18位（旧证15位），请核对",
            Self::IdCharacters => "身份证号里有数字和X以外的字符，请核对",
            Self::IdNotADate => "身份证号中的出生日期在日历上不存在，请核对第7到14位",
            Self::IdInTheFuture => "身份证号中的出生日期晚于今天，请核对第7到14位",
            Self::IdTooLongAgo => "身份证号中的出生日期早于1850年，请核对第7到14位",
            Self::IdCheckDigit => "身份证号校验位不对，多半错了一位，请逐位核对",
            Self::Missing => "必填项为空，请补填",
            Self::NotAnAmount => "不是金额，请按约定的单位填写数字",
            Self::NotACount => "不是整数，请核对",
            Self::NotAnArea => "不是面积，请按约定的单位填写数字",
            Self::NotADate => "不是日期，请写成2026-06-01的样子",
            Self::NotAMonth => "不是月份，请写成202606或2026-06的样子",
            Self::UnknownCode => "不是约定的代码，请对照代码表",
            Self::FormulaError => "单元格是出错的公式，请改为填写数值",
            Self::DigitsLost => {
                "号码被电子表格存成了数字，后几位已丢失，请把这一列设为文本后重新导出"
            }
            Self::TooLarge => "数值大得不合情理，请核对单位",
            Self::TooLong => "文字超过512个字节，请核对是否错列",
            Self::Ragged => "这一行的单元格数与列数不符，请检查引号和分隔符",
        }
    }
}

impl From<IdTrouble> for Reason {
    fn from(trouble: IdTrouble) -> Self {
        match trouble {
            IdTrouble::Missing => Self::IdMissing,
            IdTrouble::DigitsLost => Self::IdDigitsLost,
            IdTrouble::Fault(fault) => match fault {
                IdFault::Length(_) => Self::IdLength,
                IdFault::Characters => Self::IdCharacters,
                IdFault::NotADate => Self::IdNotADate,
                IdFault::InTheFuture => Self::IdInTheFuture,
                IdFault::TooLongAgo => Self::IdTooLongAgo,
                IdFault::CheckDigit => Self::IdCheckDigit,
            },
        }
    }
}

/// One thing wrong with a row (一处错误).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    /// The row's place in its batch.
    pub at: u32,
    /// The column's place in the source.
    pub column: u32,
    /// Why.
    pub reason: Reason,
}

/// A batch, understood (已核批次). Everything by the row's place in the batch; what a bad row holds means nothing.
#[derive(Debug)]
pub struct Checked {
    /// The person's key.
    pub keys: Vec<IdKey>,
    /// The other person's key where the source has one; 0 where it is blank or unreadable.
    pub others: Vec<IdKey>,
    /// For each column that is figured with, its numbers.
    pub numbers: Vec<Vec<i64>>,
    /// The sealed-to-be text of each row: see [`crate::part::Evidence`].
    pub evidence: Vec<u8>,
    /// The end of each.
    pub ends: Vec<u32>,
    /// Whether the row is bad.
    pub bad: Vec<bool>,
    /// Why, in no order.
    pub wrong: Vec<Wrong>,
    /// What was taken all the same: the other person of a row stays unknown.
    pub notes: Vec<Wrong>,
}

/// How a source's deliveries are read (核对规则): which columns become numbers, and the blinders of names and numbers.
#[derive(Debug, Clone)]
pub struct Checker<'a> {
    source: &'a Source,
    today: NaiveDate,
    names: Blinder,
    /// For each column its place among the numbers.
    slots: Vec<Option<usize>>,
    figured: usize,
    /// Whether evidence is wanted.
    evidence: bool,
}

impl<'a> Checker<'a> {
    /// For a source, on a day (设定).
    pub fn new(source: &'a Source, names: Blinder, today: NaiveDate, evidence: bool) -> Self {
        let mut figured = 0;
        let slots = source
            .columns
            .iter()
            .map(|column| {
                column.kind.is_figured().then(|| {
                    figured += 1;
                    figured - 1
                })
            })
            .collect();
        Self {
            source,
            today,
            names,
            slots,
            figured,
            evidence,
        }
    }

    /// Understands a batch (核对一批).
    pub fn check(&self, raw: &RawBatch) -> Checked {
        let mut checked = Checked {
            keys: Vec::new(),
            others: Vec::new(),
            numbers: vec![Vec::new(); self.figured],
            evidence: Vec::new(),
            ends: Vec::with_capacity(raw.rows),
            bad: vec![false; raw.rows],
            wrong: Vec::new(),
            notes: Vec::new(),
        };
        for at in &raw.ragged {
            wrong(&mut checked, *at as usize, 0, Reason::Ragged);
        }
        let mut originals: Vec<(u32, u8, String)> = Vec::new();
        for (place, (column, entries)) in self.source.columns.iter().zip(&raw.columns).enumerate() {
            match &column.kind {
                ColumnKind::Id | ColumnKind::OtherId => {
                    let own = column.kind == ColumnKind::Id;
                    self.keys(&mut checked, raw.rows, place, entries, own, &mut originals);
                }
                kind => {
                    let slot = self.slots[place];
                    let mut numbers = Vec::with_capacity(if slot.is_some() { raw.rows } else { 0 });
                    for at in 0..raw.rows {
                        match self.value(kind, entries.at(at)) {
                            Ok(ABSENT) if column.needed => {
                                wrong(&mut checked, at, place, Reason::Missing);
                                numbers.push(ABSENT);
                            }
                            Ok(number) => numbers.push(number),
                            Err(reason) => {
                                wrong(&mut checked, at, place, reason);
                                numbers.push(ABSENT);
                            }
                        }
                    }
                    if let Some(slot) = slot {
                        checked.numbers[slot] = numbers;
                    }
                }
            }
        }
        if self.evidence {
            originals.sort_unstable_by_key(|(at, which, _)| (*at, *which));
            self.evidence_of(raw, &mut checked, &originals);
        }
        checked
    }

    fn keys(
        &self,
        checked: &mut Checked,
        rows: usize,
        place: usize,
        entries: &RawColumn,
        own: bool,
        originals: &mut Vec<(u32, u8, String)>,
    ) {
        let needed = self.source.columns[place].needed;
        let mut keys = Vec::with_capacity(rows);
        for at in 0..rows {
            let value = entries.at(at);
            let read = match value {
                RawValue::Blank => Err(IdTrouble::Missing),
                RawValue::Text(text) => pack(text, self.today),
                RawValue::Cell(cell) => match cell.code() {
                    Ok(text) => pack(&text, self.today),
                    Err(CellFault::DigitsLost) => Err(IdTrouble::DigitsLost),
                    Err(_) => Err(IdTrouble::Fault(IdFault::Characters)),
                },
                RawValue::Whole(number) => pack(&number.to_string(), self.today),
                RawValue::Day(_) => Err(IdTrouble::Fault(IdFault::Characters)),
            };
            match read {
                Ok(packed) => {
                    keys.push(packed.key);
                    if packed.altered && self.evidence {
                        let at = u32::try_from(at).unwrap_or(u32::MAX);
                        originals.push((at, u8::from(!own), value.shown()));
                    }
                }
                Err(trouble) => {
                    keys.push(0);
                    // The other person may stay unknown; the row's own may not.
                    if own || (needed && trouble == IdTrouble::Missing) {
                        wrong(checked, at, place, trouble.into());
                    } else {
                        let at = u32::try_from(at).unwrap_or(u32::MAX);
                        checked.notes.push(Wrong {
                            at,
                            column: u32::try_from(place).unwrap_or(u32::MAX),
                            reason: trouble.into(),
                        });
                        if self.evidence && trouble != IdTrouble::Missing {
                            originals.push((at, 1, value.shown()));
                        }
                    }
                }
            }
        }
        if own {
            checked.keys = keys;
        } else {
            checked.others = keys;
        }
    }

    /// One cell as a number; a text that is only shown gives anything but [`ABSENT`] when it is there.
    fn value(&self, kind: &ColumnKind, value: RawValue<'_>) -> Result<i64, Reason> {
        if matches!(value, RawValue::Blank) {
            return Ok(ABSENT);
        }
        if matches!(value, RawValue::Cell(Cell::Error(_))) {
            return Err(Reason::FormulaError);
        }
        match kind {
            ColumnKind::Money(unit) => amount(value, *unit, Reason::NotAnAmount),
            ColumnKind::Area(unit) => amount(value, *unit, Reason::NotAnArea),
            ColumnKind::Count => amount(value, 1, Reason::NotACount),
            ColumnKind::Date => day(value),
            ColumnKind::Month => month(value),
            ColumnKind::Code(codes) => code(value, codes),
            ColumnKind::Name => {
                let mark = |text: &str| self.names.text(text) & MARK;
                let marked = match value {
                    RawValue::Text(text) => named(text, mark)?,
                    other => named(&other.shown(), mark)?,
                };
                Ok(marked)
            }
            ColumnKind::Number => {
                let text = match value {
                    RawValue::Cell(cell) => cell.code().map_err(|_| Reason::DigitsLost)?,
                    other => other.shown(),
                };
                named(&text, |text| self.names.text(text) & MARK)
            }
            ColumnKind::Text | ColumnKind::Id | ColumnKind::OtherId => match value {
                RawValue::Text(text) if text.len() > LONGEST => Err(Reason::TooLong),
                RawValue::Text(text) if text.trim().is_empty() => Ok(ABSENT),
                _ => Ok(0),
            },
        }
    }

    fn evidence_of(&self, raw: &RawBatch, checked: &mut Checked, originals: &[(u32, u8, String)]) {
        let shown: Vec<&RawColumn> = self
            .source
            .columns
            .iter()
            .zip(&raw.columns)
            .filter(|(column, _)| column.kind.is_shown())
            .map(|(_, entries)| entries)
            .collect();
        let mut originals = originals.iter().peekable();
        for at in 0..raw.rows {
            let here = u32::try_from(at).unwrap_or(u32::MAX);
            let mut written: [&str; 2] = ["", ""];
            while let Some((_, which, text)) = originals.next_if(|(place, ..)| *place == here) {
                written[usize::from(*which)] = text;
            }
            if !checked.bad[at] {
                let out = &mut checked.evidence;
                for text in written {
                    put_text(out, text);
                }
                for entries in &shown {
                    match entries.at(at) {
                        RawValue::Text(text) => put_text(out, text.trim()),
                        RawValue::Blank => put_text(out, ""),
                        other => put_text(out, &other.shown()),
                    }
                }
            }
            let end = u32::try_from(checked.evidence.len()).unwrap_or(u32::MAX);
            checked.ends.push(end);
        }
    }
}

/// Marks use 63 bits, so that none is [`ABSENT`].
const MARK: u64 = i64::MAX as u64;

fn wrong(checked: &mut Checked, at: usize, column: usize, reason: Reason) {
    checked.bad[at] = true;
    checked.wrong.push(Wrong {
        at: u32::try_from(at).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        reason,
    });
}

/// A text with its length in front, cut at what no real one reaches.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    let mut cut = text.len().min(LONGEST);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    // Seven bits a byte, the lowest first.
    let mut rest = cut;
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7F).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap_or(0));
    out.extend_from_slice(&text.as_bytes()[..cut]);
}

/// The text written by [`put_text`] and what follows it.
pub(crate) fn take_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (mut length, mut shift, mut at) = (0_usize, 0, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        length |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            break;
        }
        shift += 7;
        if shift > 21 {
            return None;
        }
    }
    let text = bytes.get(at..at + length)?;
    Some((std::str::from_utf8(text).ok()?, &bytes[at + length..]))
}

fn named(text: &str, mark: impl Fn(&str) -> u64) -> Result<i64, Reason> {
    let plain = text.trim();
    if plain.len() > LONGEST {
        return Err(Reason::TooLong);
    }
    if plain.is_empty() {
        return Ok(ABSENT);
    }
    i64::try_from(mark(plain)).map_err(|_| Reason::TooLarge)
}

/// An amount in its unit: whole numbers at once, texts digit by digit, never through floating point.
fn amount(value: RawValue<'_>, unit: i64, wrong: Reason) -> Result<i64, Reason> {
    let within = |number: Option<i64>| match number {
        Some(number) if number.checked_abs().is_some_and(|size| size < LARGEST) => Ok(number),
        _ => Err(Reason::TooLarge),
    };
    match value {
        RawValue::Whole(number) => within(number.checked_mul(unit)),
        RawValue::Day(_) => Err(wrong),
        RawValue::Text(text) => decimal(text, unit, wrong).and_then(within),
        RawValue::Cell(Cell::Number(text) | Cell::Text(text)) => {
            decimal(text, unit, wrong).and_then(within)
        }
        _ => Err(wrong),
    }
}

/// A decimal number times its unit; `None` for one that does not fit. Digits finer than the unit must be zero.
fn decimal(text: &str, unit: i64, wrong: Reason) -> Result<Option<i64>, Reason> {
    let text = text.trim();
    // Signs, thousands and the word for yuan are read as everywhere in the house.
    if unit == 100 && text.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'.')) {
        return Money::from_yuan_text(text)
            .map(|money| Some(money.fen()))
            .map_err(|_| wrong);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(part) || digits.ends_with('.') {
        return Err(wrong);
    }
    let mut finer = unit;
    let mut sum = whole
        .parse::<i64>()
        .ok()
        .and_then(|whole| whole.checked_mul(unit));
    for digit in part.bytes() {
        let digit = i64::from(digit - b'0');
        if finer % 10 != 0 {
            if digit != 0 {
                return Err(wrong);
            }
            continue;
        }
        finer /= 10;
        sum = sum.and_then(|sum| sum.checked_add(digit * finer));
    }
    Ok(sum.map(|sum| if negative { -sum } else { sum }))
}

fn day(value: RawValue<'_>) -> Result<i64, Reason> {
    let read = match value {
        RawValue::Day(day) if (-50_000..90_000).contains(&day) => return Ok(day),
        RawValue::Text(text) => Cell::Text(text.to_owned()).date(),
        RawValue::Whole(number) => Cell::Number(number.to_string()).date(),
        RawValue::Cell(cell) => cell.date(),
        _ => Err(CellFault::NotADate),
    };
    match read {
        Ok(Some(day)) => Ok(number_of(day)),
        Ok(None) => Ok(ABSENT),
        Err(_) => Err(Reason::NotADate),
    }
}

/// `202606`, `2026-06`, `2026/6`, `2026年6月`, or a day of that month.
fn month(value: RawValue<'_>) -> Result<i64, Reason> {
    let first = |year: i32, month: u32| {
        NaiveDate::from_ymd_opt(year, month, 1)
            .filter(|day| (1850..2200).contains(&day.year()))
            .map(number_of)
            .ok_or(Reason::NotAMonth)
    };
    let text = match value {
        RawValue::Whole(number @ 185_001..=219_912) => {
            let split = (i32::try_from(number / 100), u32::try_from(number % 100));
            return match split {
                (Ok(year), Ok(month)) => first(year, month),
                _ => Err(Reason::NotAMonth),
            };
        }
        RawValue::Text(text) => text.trim().to_owned(),
        other => other.shown(),
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let halves = if digits && text.len() == 6 {
        text.split_at_checked(4)
    } else {
        text.trim_end_matches('月')
            .split_once(['-', '/', '.', '年'])
    };
    if let Some((year, month)) = halves
        && let (Ok(year), Ok(month)) = (year.parse(), month.parse())
    {
        return first(year, month);
    }
    let day = Cell::Text(text).date().ok().flatten();
    match day {
        Some(day) => first(day.year(), day.month()),
        None => Err(Reason::NotAMonth),
    }
}

fn code(value: RawValue<'_>, codes: &[(String, String)]) -> Result<i64, Reason> {
    let place = |text: &str| {
        codes
            .iter()
            .position(|(code, meaning)| code == text || meaning == text)
            .and_then(|at| i64::try_from(at).ok())
            .ok_or(Reason::UnknownCode)
    };
    match value {
        RawValue::Text(text) if text.trim().is_empty() => Ok(ABSENT),
        RawValue::Text(text) => place(text.trim()),
        RawValue::Whole(number @ 0..=9) => {
            // One digit without making a text of it.
            let digit = [b'0' + u8::try_from(number).unwrap_or(0)];
            place(std::str::from_utf8(&digit).unwrap_or_default())
        }
        other => place(&other.shown()),
    }
}
