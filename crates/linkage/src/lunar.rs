//! The lunar calendar (农历) of 1900 to 2029: the solar day of a lunar one.
//!
//! Guarantees: the table is data (`data/lunar.txt`); a day that the lunar calendar does not have gives none. Deliberately absent:
//! festivals, solar terms and names of years.

use std::sync::OnceLock;

struct Year {
    /// Days from 1970-01-01 to its first day.
    first: i32,
    /// The month followed by its leap month; 0: none.
    leap: u32,
    /// Days of each month in order, the leap month included.
    months: Vec<i32>,
}

const FIRST: u32 = 1900;

fn years() -> &'static [Year] {
    static YEARS: OnceLock<Vec<Year>> = OnceLock::new();
    YEARS.get_or_init(|| {
        include_str!("../data/lunar.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(year)
            .collect()
    })
}

fn year(line: &str) -> Option<Year> {
    let mut words = line.split(' ');
    let number: u32 = words.next()?.parse().ok()?;
    let day: u32 = words.next()?.parse().ok()?;
    let leap = words.next()?.parse().ok()?;
    let months = words.next()?.bytes().map(|bit| 29 + i32::from(bit == b'1'));
    Some(Year {
        first: days(number, day / 100, day % 100),
        leap,
        months: months.collect(),
    })
}

/// The solar day of a lunar one, as days from 1970-01-01 (公历日).
pub(crate) fn solar(year: u32, month: u32, day: u32, is_leap: bool) -> Option<i32> {
    let year = years().get(usize::try_from(year.checked_sub(FIRST)?).ok()?)?;
    if !(1..=12).contains(&month) || day == 0 || is_leap && year.leap != month {
        return None;
    }
    let is_later = year.leap != 0 && (month > year.leap || is_leap);
    let at = usize::try_from(month - 1 + u32::from(is_later)).ok()?;
    let (day, length) = (i32::try_from(day).ok()?, *year.months.get(at)?);
    let before: i32 = year.months[..at].iter().sum();
    (day <= length).then(|| year.first + before + day - 1)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar (纪元日数).
pub(crate) fn days(year: u32, month: u32, day: u32) -> i32 {
    let signed = |number: u32| i32::try_from(number).unwrap_or(0);
    // Years that begin in March: the leap day comes last.
    let year = signed(year) - i32::from(month <= 2);
    let since_march = signed((month + 9) % 12);
    let of_year = (153 * since_march + 2) / 5 + signed(day) - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

/// Year, month and day so many days after 1970-01-01 (年月日).
pub(crate) fn date(days: i32) -> (u32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 {
        since_march + 3
    } else {
        since_march - 9
    };
    let year = year + era * 400 + i32::from(month <= 2);
    let plain = |number: i32| u32::try_from(number).unwrap_or(0);
    (plain(year), plain(month), plain(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lunar_days_fall_on_the_solar_days_of_the_almanac() {
        // New year's days, Mid-Autumn 2025 (a year with a leap sixth month) and the first day of that leap month.
        for (lunar, is_leap, expected) in [
            ((1900, 1, 1), false, (1900, 1, 31)),
            ((1949, 1, 1), false, (1949, 1, 29)),
            ((2000, 1, 1), false, (2000, 2, 5)),
            ((2024, 1, 1), false, (2024, 2, 10)),
            ((2025, 8, 15), false, (2025, 10, 6)),
            ((2025, 6, 1), true, (2025, 7, 25)),
            ((2029, 1, 1), false, (2029, 2, 13)),
        ] {
            let found = solar(lunar.0, lunar.1, lunar.2, is_leap).map(date);
            assert_eq!(found, Some(expected), "{lunar:?}");
        }
        assert_eq!(solar(1899, 1, 1, false), None);
        assert_eq!(solar(2024, 6, 1, true), None, "2024 had no leap month");
        assert_eq!(solar(2024, 1, 31, false), None);
    }

    #[test]
    fn every_lunar_year_ends_where_the_next_begins() {
        for (year, next) in years().iter().zip(&years()[1..]) {
            assert_eq!(year.first + year.months.iter().sum::<i32>(), next.first);
            assert_eq!(year.months.len(), 12 + usize::from(year.leap != 0));
        }
    }

    #[test]
    fn days_and_dates_are_each_others_way_back() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for number in (-50_000..30_000).step_by(7) {
            let (year, month, day) = date(number);
            assert_eq!(days(year, month, day), number);
        }
    }
}
