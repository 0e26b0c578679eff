//! Birth dates (出生日期) as packed digits, any part of which may be missing, and how near two of them are.
//!
//! Guarantees: a part nobody told is 0, never 1; a date said to be lunar is turned into the solar one where the calendar has it.
//! Deliberately absent: ages, and refusing a date that cannot be.

use crate::distance::{differing_digits, is_swap};
use crate::lunar;
use crate::name::half_width;

/// One of the two has none (缺失).
pub const MISSING: u8 = 0;
/// The same day (相同).
pub const SAME: u8 = 1;
/// Year and month are the same, one day is missing (年月相同，日缺失).
pub const PART: u8 = 2;
/// The year is the same, in one the rest is missing or the first of January (年相同，月日缺失).
pub const YEAR_ONLY: u8 = 3;
/// Day and month swapped (月日颠倒).
pub const SWAPPED: u8 = 4;
/// One is the lunar date of the other (农历与公历).
pub const LUNAR: u8 = 5;
/// One digit wrong or two neighbours swapped (错一位).
pub const DIGIT: u8 = 6;
/// Two digits wrong, or not more than a month apart (相近).
pub const NEAR: u8 = 7;
/// The same year otherwise (仅年相同).
pub const YEAR: u8 = 8;
/// Different (不同).
pub const DIFFERENT: u8 = 9;

/// The levels in words (各档).
pub const WORDS: &[&str] = &[
    "缺失",
    "相同",
    "年月相同，日缺失",
    "年相同，月日缺失或为元旦",
    "月日颠倒",
    "农历与公历",
    "错一位",
    "错两位或相差不到一月",
    "仅年相同",
    "不同",
];

/// A date, packed (打包的日期): year, month and day in four, two and two digits of four bits.
pub(crate) fn packed(year: u32, month: u32, day: u32) -> u32 {
    let two = |number: u32| ((number / 10 % 10) << 4) | (number % 10);
    two(year / 100) << 24 | two(year) << 16 | two(month) << 8 | two(day)
}

fn two(digits: u32) -> u32 {
    (digits >> 4 & 0xF) * 10 + (digits & 0xF)
}

/// Year, month and day of a packed date.
pub(crate) fn parts(date: u32) -> (u32, u32, u32) {
    (
        two(date >> 24) * 100 + two(date >> 16),
        two(date >> 8),
        two(date),
    )
}

/// Whether it is a day of the calendar between 1850 and 2100 (是否为日历上的一天).
pub(crate) fn is_day(date: u32) -> bool {
    let (year, month, day) = parts(date);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return false,
    };
    (1850..=2100).contains(&year) && (1..=last).contains(&day)
}

/// A day so many days after 1970-01-01 (由纪元日数).
pub(crate) fn of_days(days: i32) -> u32 {
    let (year, month, day) = lunar::date(days);
    packed(year, month, day)
}

/// A day so many days after 1970-01-01, as 1950-03-12 (写法).
pub fn text_of_days(days: i32) -> String {
    let (year, month, day) = lunar::date(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of the lunar calendar (农历日), a leap month as the month it follows.
pub fn lunar_of_days(days: i32) -> Option<(u32, u32, u32)> {
    // The lunar date is between 17 and 51 days behind, two months with a leap month in between.
    (10..=70).find_map(|behind| {
        let (year, month, day) = lunar::date(days - behind);
        let found = [false, true]
            .into_iter()
            .any(|is_leap| lunar::solar(year, month, day, is_leap) == Some(days));
        found.then_some((year, month, day))
    })
}

/// Reads a date as people write it (读取): 1950-03-12, 1950年3月, 19500312, 1950, 农历1950年正月初三. 0 if it is none.
pub(crate) fn read(written: &str) -> u32 {
    if let Some(date) = plain(written) {
        return date;
    }
    let text: String = written.chars().map(half_width).collect();
    let is_lunar = ["农历", "阴历", "旧历"]
        .iter()
        .any(|word| text.contains(word))
        || ["正月", "冬月", "腊月", "初"]
            .iter()
            .any(|word| text.contains(word));
    let day = text.split(['T']).next().unwrap_or_default();
    let (mut numbers, mut count) = ([0_u32; 3], 0);
    let mut number: Option<(u32, usize)> = None;
    let is_leap = text.contains('闰');
    for letter in day.chars().chain(['.']) {
        match (digit(letter), number) {
            (Some(value), Some((so_far, digits))) if digits < 8 => {
                number = Some((joined(so_far, value, letter), digits + 1));
            }
            (Some(value), None) => number = Some((value, 1)),
            (None, Some((value, digits))) => {
                if count == 0 && digits == 8 {
                    numbers = [value / 10_000, value / 100 % 100, value % 100];
                    count = 3;
                } else if count == 0 && digits == 6 {
                    numbers = [value / 100, value % 100, 0];
                    count = 2;
                } else if let Some(place) = numbers.get_mut(count) {
                    (*place, count) = (value, count + 1);
                }
                number = None;
            }
            _ => {}
        }
    }
    let [year, month, day] = numbers;
    if !(1850..=2100).contains(&year) {
        return 0;
    }
    if is_lunar && let Some(days) = lunar::solar(year, month, day, is_leap) {
        return of_days(days);
    }
    match (month, day) {
        (1..=12, 1..=31) => packed(year, month, day),
        (1..=12, _) => packed(year, month, 0),
        // Day before month, as elsewhere in the world.
        (13..=31, 1..=12) => packed(year, day, month),
        _ => packed(year, 0, 0),
    }
}

/// The two ways in which programs write a day.
fn plain(written: &str) -> Option<u32> {
    let bytes = written.as_bytes();
    let kept = match bytes {
        [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => {
            [y[0], y[1], y[2], y[3], *m1, *m2, *d1, *d2]
        }
        _ => <[u8; 8]>::try_from(bytes).ok()?,
    };
    let all = kept.iter().try_fold(0_u32, |date, byte| {
        byte.is_ascii_digit()
            .then(|| date << 4 | u32::from(byte - b'0'))
    })?;
    is_day(all).then_some(all)
}

/// The value of a digit, of a Chinese one, and of the words for lunar months and days.
fn digit(letter: char) -> Option<u32> {
    Some(match letter {
        '0'..='9' => u32::from(letter) - u32::from('0'),
        '〇' | '零' | '○' => 0,
        '一' | '正' => 1,
        '二' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        '十' => 10,
        '廿' => 20,
        '冬' => 11,
        '腊' => 12,
        _ => return None,
    })
}

/// `1` then `2` is 12; 十 then 二 is 12; 二 then 十 is 20; 廿 then 三 is 23.
fn joined(so_far: u32, value: u32, letter: char) -> u32 {
    match (so_far, letter) {
        (2..=9, '十') => so_far * 10,
        (10 | 20 | 30, '一'..='龥') if value < 10 => so_far + value,
        _ => so_far * 10 + value,
    }
}

/// The level of two dates (比较).
pub(crate) fn level(a: u32, b: u32) -> u8 {
    if a == 0 || b == 0 {
        return MISSING;
    }
    let is_whole = a & 0xFF != 0 && b & 0xFF != 0;
    if a == b {
        return match (is_whole, a & 0xFF00) {
            (true, _) => SAME,
            (false, 0) => YEAR_ONLY,
            (false, _) => PART,
        };
    }
    let same_year = a >> 16 == b >> 16;
    if !is_whole {
        return match (same_year, a & 0xFF00, b & 0xFF00) {
            (true, x, y) if x == y => PART,
            (true, 0, _) | (true, _, 0) => YEAR_ONLY,
            (true, ..) => YEAR,
            (false, ..) if differing_digits(u64::from(a >> 16), u64::from(b >> 16)) == 1 => NEAR,
            (false, ..) => DIFFERENT,
        };
    }
    if same_year {
        let (month, day) = (a >> 8 & 0xFF, a & 0xFF);
        if month == (b & 0xFF) && day == (b >> 8 & 0xFF) {
            return SWAPPED;
        }
        if a & 0xFFFF == 0x0101 || b & 0xFFFF == 0x0101 {
            return YEAR_ONLY;
        }
    }
    let apart = line(a).abs_diff(line(b));
    if (14..=64).contains(&apart) && is_lunar(a.min(b), a.max(b)) {
        return LUNAR;
    }
    let (x, y) = (u64::from(a), u64::from(b));
    match differing_digits(x, y) {
        1 => DIGIT,
        2 if is_swap(x, y) => DIGIT,
        2 => NEAR,
        _ if apart <= 32 => NEAR,
        _ if same_year => YEAR,
        _ => DIFFERENT,
    }
}

/// Days on a line with months of 31 days.
fn line(date: u32) -> u32 {
    let (year, month, day) = parts(date);
    year * 372 + month * 31 + day
}

/// Whether the earlier date, read as a lunar one, is the later.
fn is_lunar(earlier: u32, later: u32) -> bool {
    let (year, month, day) = parts(earlier);
    [false, true].into_iter().any(|is_leap| {
        lunar::solar(year, month, day, is_leap).is_some_and(|days| of_days(days) == later)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1950-03-12", 0x1950_0312),
            ("19500312", 0x1950_0312),
            ("1950/3/12 00:00:00", 0x1950_0312),
            ("１９５０．３．１２", 0x1950_0312),
            ("1950年3月12日", 0x1950_0312),
            ("1950年3月", 0x1950_0300),
            ("195003", 0x1950_0300),
            ("1950", 0x1950_0000),
            ("1950-00-00", 0x1950_0000),
            ("1950-13-05", 0x1950_0513),
            ("1950-1999", 0x1950_0000),
            // 1950-02-17 was the first day of the lunar year.
            ("农历1950年正月初三", 0x1950_0219),
            ("一九五〇年正月廿三", 0x1950_0311),
            ("农历1950-01-03", 0x1950_0219),
            ("不详", 0),
            ("", 0),
        ] {
            assert_eq!(read(text), expected, "{text}: {:x}", read(text));
        }
    }

    #[test]
    fn levels_of_dates_are_as_worked_by_hand() {
        for (a, b, expected) in [
            (0, 0x1950_0312, MISSING),
            (0x1950_0312, 0x1950_0312, SAME),
            (0x1950_0312, 0x1950_0300, PART),
            (0x1950_0300, 0x1950_0300, PART),
            (0x1950_0312, 0x1950_0000, YEAR_ONLY),
            (0x1950_0312, 0x1950_0101, YEAR_ONLY),
            (0x1950_0312, 0x1950_1203, SWAPPED),
            // The third day of the first lunar month of 1950.
            (0x1950_0103, 0x1950_0219, LUNAR),
            (0x1950_0312, 0x1950_0313, DIGIT),
            (0x1950_0312, 0x1950_0321, DIGIT),
            (0x1950_0312, 0x1940_0312, DIGIT),
            (0x1950_0312, 0x1949_0312, NEAR),
            (0x1950_0312, 0x1950_0409, NEAR),
            (0x1950_0312, 0x1950_1128, YEAR),
            (0x1950_0312, 0x1950_1100, YEAR),
            (0x1950_0312, 0x1962_1128, DIFFERENT),
        ] {
            assert_eq!(level(a, b), expected, "{a:x} {b:x}");
            assert_eq!(level(b, a), expected, "{b:x} {a:x}");
        }
    }
}
