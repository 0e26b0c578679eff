//! The citizen identity number (公民身份号码, GB 11643-1999): reading, checking, and what it says of its holder.
//!
//! Checks run in a fixed order, so that the same wrong number always gets the same answer. The first six digits are
//! the place of *first* issue and may be a county that no longer exists: they are never a reason to refuse.
//! "Today" is a parameter. `Debug` shows a masked number, because debug output ends in logs.

use crate::sex::Sex;
use chrono::{Datelike, NaiveDate};
use serde::{Serialize, Serializer};
use std::fmt;

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
const PROVINCES: [&str; 34] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71",
    "81", "82",
];
/// Nobody alive or on file was born before this year.
const EARLIEST_YEAR: i32 = 1850;

/// A checked citizen identity number (公民身份号码) of eighteen characters, upper case.
///
/// Two numbers are equal if their eighteen characters are, whether or not one was written with fifteen.
#[derive(Clone)]
pub struct IdNumber {
    digits: String,
    born: NaiveDate,
    original: Option<String>,
}

/// Why a text is not an identity number, in the order in which it is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdFault {
    /// Neither eighteen nor fifteen characters.
    #[error("身份证号应为 18 位（旧证 15 位），读到 {0} 位；请对照证件补全")]
    Length(usize),
    /// Something other than seventeen digits and a digit or X.
    #[error("身份证号只能是数字，最后一位可以是 X；请检查有没有空格、字母 O 或 l")]
    Characters,
    /// The eight digits of the birth date are no day of the calendar.
    #[error("身份证号中的出生日期在日历上不存在；请对照证件核对第 7 到 14 位")]
    NotADate,
    /// Born after today.
    #[error("身份证号中的出生日期晚于今天；请对照证件核对第 7 到 14 位")]
    InTheFuture,
    /// Born implausibly long ago.
    #[error("身份证号中的出生日期早于 1850 年；请对照证件核对第 7 到 14 位")]
    TooLongAgo,
    /// The last character does not fit the others.
    #[error("身份证号校验位不对，多半抄错了一位；请对照证件逐位核对")]
    CheckDigit,
}

impl IdNumber {
    /// Reads a number as people write it: blanks around it, lower-case x and the fifteen digits of before 1999.
    ///
    /// # Errors
    /// [`IdFault`], the first that applies.
    pub fn read(text: &str, today: NaiveDate) -> Result<Self, IdFault> {
        let written = text.trim().to_ascii_uppercase();
        let length = written.chars().count();
        if length == 15 {
            return Self::upgrade(&written, today);
        }
        if length != 18 {
            return Err(IdFault::Length(length));
        }
        Self::checked(written, None, today)
    }

    /// The eighteen characters of a number of fifteen digits: the century is put in, the check character added.
    fn upgrade(written: &str, today: NaiveDate) -> Result<Self, IdFault> {
        if !written.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(IdFault::Characters);
        }
        let seventeen = format!("{}19{}", &written[..6], &written[6..]);
        let check = check_digit(&seventeen).ok_or(IdFault::Characters)?;
        Self::checked(
            format!("{seventeen}{check}"),
            Some(written.to_owned()),
            today,
        )
    }

    fn checked(
        digits: String,
        original: Option<String>,
        today: NaiveDate,
    ) -> Result<Self, IdFault> {
        let (body, last) = digits.split_at_checked(17).ok_or(IdFault::Characters)?;
        let last = last.chars().next().ok_or(IdFault::Characters)?;
        let right_characters = body.bytes().all(|byte| byte.is_ascii_digit())
            && (last.is_ascii_digit() || last == 'X');
        if !right_characters {
            return Err(IdFault::Characters);
        }
        let part = |from: usize, to: usize| digits[from..to].parse::<u32>().unwrap_or(0);
        let year = i32::try_from(part(6, 10)).unwrap_or(0);
        let born =
            NaiveDate::from_ymd_opt(year, part(10, 12), part(12, 14)).ok_or(IdFault::NotADate)?;
        if born > today {
            return Err(IdFault::InTheFuture);
        }
        if year < EARLIEST_YEAR {
            return Err(IdFault::TooLongAgo);
        }
        if check_digit(body) != Some(last) {
            return Err(IdFault::CheckDigit);
        }
        Ok(Self {
            digits,
            born,
            original,
        })
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.digits
    }

    /// The fifteen digits it was written with, if it was.
    pub fn original(&self) -> Option<&str> {
        self.original.as_deref()
    }

    /// The birth date (出生日期) it carries.
    pub fn birth_date(&self) -> NaiveDate {
        self.born
    }

    /// The sex (性别) it carries: an odd seventeenth digit is male, an even one female.
    pub fn sex(&self) -> Sex {
        match self.digits.as_bytes().get(16) {
            Some(digit) if digit % 2 == 1 => Sex::Male,
            _ => Sex::Female,
        }
    }

    /// A soft doubt (提示): the first two digits are no province, so the number deserves a second look. Never a refusal.
    pub fn has_unfamiliar_province(&self) -> bool {
        !PROVINCES.contains(&&self.digits[..2])
    }

    /// Full years of age on a day (周岁). Who was born on 29 February reaches the age on 1 March of a common year.
    pub fn age_on(&self, day: NaiveDate) -> u32 {
        age(self.born, day)
    }

    /// `440306********1234`, for every screen that has no reason to show more.
    pub fn masked(&self) -> String {
        format!("{}********{}", &self.digits[..6], &self.digits[14..])
    }
}

/// Full years from a birth date to a day (周岁); zero before birth.
pub fn age(born: NaiveDate, day: NaiveDate) -> u32 {
    let not_yet = (day.month(), day.day()) < (born.month(), born.day());
    u32::try_from(day.year() - born.year() - i32::from(not_yet)).unwrap_or(0)
}

/// The check character of seventeen digits (校验码, ISO 7064 MOD 11-2). `None` if they are not seventeen digits.
pub fn check_digit(seventeen: &str) -> Option<char> {
    if seventeen.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (character, weight) in seventeen.chars().zip(WEIGHTS) {
        sum += character.to_digit(10)? * weight;
    }
    CHECKS.get(usize::try_from(sum % 11).ok()?).copied()
}

impl PartialEq for IdNumber {
    fn eq(&self, other: &Self) -> bool {
        self.digits == other.digits
    }
}
impl Eq for IdNumber {}
impl PartialOrd for IdNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for IdNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.digits.cmp(&other.digits)
    }
}
impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdNumber({})", self.masked())
    }
}
impl Serialize for IdNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn read(text: &str) -> Result<IdNumber, IdFault> {
        IdNumber::read(text, day(2026, 7, 1))
    }

    #[test]
    fn check_characters_follow_the_standard() {
        // T17-01 … T17-06, T17-08, T17-09
        for (body, check) in [
            ("11010519491231002", 'X'),
            ("44030019900101001", '6'),
            ("44030620080229123", '7'),
            ("23102519560715004", '2'),
            ("44030020000229001", '9'),
            ("11010119000101001", '4'),
            ("81000019900101001", '9'),
            ("44030519850315002", '4'),
        ] {
            assert_eq!(check_digit(body), Some(check), "{body}");
            assert!(read(&format!("{body}{check}")).is_ok(), "{body}");
        }
    }

    #[test]
    fn the_number_tells_birth_date_and_sex() {
        let male = read("440300199001010016").unwrap();
        assert_eq!(
            (male.birth_date(), male.sex()),
            (day(1990, 1, 1), Sex::Male)
        );
        let female = read("231025195607150042").unwrap();
        assert_eq!(
            (female.birth_date(), female.sex()),
            (day(1956, 7, 15), Sex::Female)
        );
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_though_the_check_character_fits() {
        // T17-07: month 13, and the check character is right.
        assert_eq!(check_digit("44030519991301001"), Some('0'));
        assert_eq!(read("440305199913010010"), Err(IdFault::NotADate));
        // T17-10: 1900 was no leap year.
        let body = "44030519000229001";
        let whole = format!("{body}{}", check_digit(body).unwrap());
        assert_eq!(read(&whole), Err(IdFault::NotADate));
    }

    #[test]
    fn checks_run_in_the_stated_order() {
        assert_eq!(read("44030619"), Err(IdFault::Length(8)));
        assert_eq!(read("４４０３００199001010016"), Err(IdFault::Characters));
        assert_eq!(read("44030X199001010016"), Err(IdFault::Characters));
        assert_eq!(read("440300209901010010"), Err(IdFault::InTheFuture));
        assert_eq!(read("440300180001010010"), Err(IdFault::TooLongAgo));
        assert_eq!(read("440300199001010017"), Err(IdFault::CheckDigit));
    }

    #[test]
    fn lower_case_x_is_stored_in_upper_case() {
        assert_eq!(
            read(" 11010519491231002x ").unwrap().as_str(),
            "11010519491231002X"
        );
    }

    #[test]
    fn cancelled_county_codes_are_accepted_and_unknown_provinces_only_doubted() {
        // 231025 is a county that was abolished; 990101 never existed.
        assert!(
            !read("231025195607150042")
                .unwrap()
                .has_unfamiliar_province()
        );
        let body = "99010119900101001";
        let whole = format!("{body}{}", check_digit(body).unwrap());
        assert!(read(&whole).unwrap().has_unfamiliar_province());
    }

    #[test]
    fn fifteen_digits_are_completed_and_kept() {
        let old = read("440300900101001").unwrap();
        assert_eq!(old.as_str(), "440300199001010016");
        assert_eq!(old.original(), Some("440300900101001"));
        assert_eq!(old, read("440300199001010016").unwrap());
        assert_eq!(read("44030090010100X"), Err(IdFault::Characters));
    }

    #[test]
    fn who_is_born_on_29_february_ages_on_1_march_of_a_common_year() {
        let leap = read("440306200802291237").unwrap();
        assert_eq!(leap.age_on(day(2026, 2, 28)), 17);
        assert_eq!(leap.age_on(day(2026, 3, 1)), 18);
        assert_eq!(leap.age_on(day(2024, 2, 29)), 16);
    }

    #[test]
    fn debug_output_does_not_show_the_number() {
        let shown = format!("{:?}", read("440300199001010016").unwrap());
        assert!(!shown.contains("19900101"), "{shown}");
    }
}
