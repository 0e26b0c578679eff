//! Working days and time limits (工作日与期限), Civil Code articles 201–203.
//!
//! The day an event happens is not counted. A working day is a weekday that the yearly notice of the State Council
//! does not make a holiday, or a weekend day it makes a working day. A time limit in natural days that ends on a day
//! off ends on the next working day. The notice of a year appears late in the year before; a date that lies in a year
//! without a notice is answered provisionally and says which year is missing. It is never assumed silently.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The calendar of days off and working weekends (工作日历), from the yearly notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeMap<i32, Year>,
    version: String,
}

/// One yearly notice (放假安排).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Year {
    off: BTreeSet<NaiveDate>,
    working_weekends: BTreeSet<NaiveDate>,
}

/// One yearly notice as the table lists it (放假安排): blocks of days off, first and last day, and working weekends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearTable {
    /// The calendar year.
    pub year: i32,
    /// Blocks of days off, first and last day inclusive.
    pub off: Vec<(NaiveDate, NaiveDate)>,
    /// Saturdays and Sundays that are worked.
    pub work: Vec<NaiveDate>,
}

/// Why a calendar could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarFault {
    /// The text is not the TOML expected.
    #[error("工作日历读不懂：{0}")]
    Unreadable(String),
    /// A block of days off ends before it begins.
    #[error("工作日历 {0} 年：放假区间的结束早于开始")]
    Reversed(i32),
    /// A working weekend that is no weekend day.
    #[error("工作日历 {0} 年：{1} 不是周末，不能列为调休上班日")]
    NotAWeekend(i32, NaiveDate),
    /// A date listed under another year.
    #[error("工作日历 {0} 年：{1} 不在这一年")]
    OtherYear(i32, NaiveDate),
    /// The same year twice.
    #[error("工作日历 {0} 年出现了两次")]
    Twice(i32),
}

/// When something is due (到期日).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Due {
    /// The notices of all years concerned are known.
    Known {
        /// The last day of the time limit.
        date: NaiveDate,
    },
    /// Computed with weekends and the fixed-date holidays only, because a year's notice is missing (暂定).
    Provisional {
        /// The last day as far as can be told.
        date: NaiveDate,
        /// The first year whose notice is missing.
        missing_year: i32,
    },
}

/// A number of working days (工作日数), and whether a year's notice was missing when counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many; negative if the second day lies before the first.
    pub days: i64,
    /// The first year whose notice is missing, if any.
    pub missing_year: Option<i32>,
}

impl Due {
    /// The last day, known or provisional.
    pub fn date(self) -> NaiveDate {
        match self {
            Self::Known { date } | Self::Provisional { date, .. } => date,
        }
    }

    /// The year whose notice is missing, if the answer is provisional.
    pub fn missing_year(self) -> Option<i32> {
        match self {
            Self::Known { .. } => None,
            Self::Provisional { missing_year, .. } => Some(missing_year),
        }
    }

    fn of(date: NaiveDate, missing_year: Option<i32>) -> Self {
        match missing_year {
            None => Self::Known { date },
            Some(missing_year) => Self::Provisional { date, missing_year },
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    version: String,
    #[serde(default)]
    year: Vec<FileYear>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileYear {
    year: i32,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "the source stands in the file for its readers; the calendar does not use it"
    )]
    source: String,
    #[serde(default)]
    off: Vec<FileBlock>,
    #[serde(default, alias = "work")]
    working: Vec<toml::value::Datetime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBlock {
    from: toml::value::Datetime,
    to: toml::value::Datetime,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "the name of the holiday stands in the file for its readers; the calendar does not use it"
    )]
    name: String,
}

impl Calendar {
    /// Builds the calendar from yearly tables.
    ///
    /// # Errors
    /// [`CalendarFault`] for a table that contradicts itself.
    pub fn from_table(
        version: impl Into<String>,
        tables: impl IntoIterator<Item = YearTable>,
    ) -> Result<Self, CalendarFault> {
        let mut years = BTreeMap::new();
        for table in tables {
            let year = table.year;
            if years.insert(year, Year::of(table)?).is_some() {
                return Err(CalendarFault::Twice(year));
            }
        }
        Ok(Self {
            years,
            version: version.into(),
        })
    }

    /// Reads the calendar of a pack:
    ///
    /// ```toml
    /// version = "2026-1"
    /// [[year]]
    /// year = 2026
    /// source = "国务院办公厅关于2026年部分节假日安排的通知"
    /// off = [{ from = 2026-01-01, to = 2026-01-03, name = "元旦" }, { from = 2026-02-15, to = 2026-02-23 }]
    /// working = [2026-01-04, 2026-02-14]
    /// ```
    ///
    /// # Errors
    /// [`CalendarFault`].
    pub fn from_toml(text: &str) -> Result<Self, CalendarFault> {
        let file: File =
            toml::from_str(text).map_err(|fault| CalendarFault::Unreadable(fault.to_string()))?;
        let mut tables = Vec::new();
        for year in file.year {
            let mut off = Vec::new();
            for block in &year.off {
                off.push((day_of(&block.from)?, day_of(&block.to)?));
            }
            let work = year.working.iter().map(day_of).collect::<Result<_, _>>()?;
            tables.push(YearTable {
                year: year.year,
                off,
                work,
            });
        }
        let mut calendar = Self::from_table(file.version, tables)?;
        if let (true, Some(last)) = (calendar.version.is_empty(), calendar.last_year()) {
            calendar.version = last.to_string();
        }
        Ok(calendar)
    }

    /// Which edition of the calendar this is, by default its last year; stored beside every deadline computed with it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The last year whose notice is known.
    pub fn last_year(&self) -> Option<i32> {
        self.years.keys().next_back().copied()
    }

    /// Whether a day is worked. In a year without a notice: weekdays except the fixed-date holidays.
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        match self.years.get(&day.year()) {
            Some(year) if weekend => year.working_weekends.contains(&day),
            Some(year) => !year.off.contains(&day),
            None => !weekend && !is_fixed_date_holiday(day),
        }
    }

    fn missing(&self, day: NaiveDate) -> Option<i32> {
        (!self.years.contains_key(&day.year())).then(|| day.year())
    }

    /// The last day of a time limit of `n` working days from an event (工作日期限). The day of the event is not counted.
    pub fn add_working_days(&self, start: NaiveDate, n: u16) -> Due {
        let mut day = start;
        let mut missing = None;
        let mut left = n;
        while left > 0 {
            let Some(next) = day.succ_opt() else { break };
            day = next;
            missing = missing.or(self.missing(day));
            if self.is_working_day(day) {
                left -= 1;
            }
        }
        Due::of(day, missing)
    }

    /// The last day of a time limit of `n` natural days (自然日期限); a day off at its end moves it to the next working day.
    pub fn add_days_rolled(&self, start: NaiveDate, n: u16) -> Due {
        self.rolled(
            start
                .checked_add_days(Days::new(u64::from(n)))
                .unwrap_or(start),
        )
    }

    /// The last day of a time limit of `n` months (月期限): the same date, or the month's last; then rolled as days are.
    pub fn add_months_rolled(&self, start: NaiveDate, n: u16) -> Due {
        self.rolled(
            start
                .checked_add_months(Months::new(u32::from(n)))
                .unwrap_or(start),
        )
    }

    fn rolled(&self, last: NaiveDate) -> Due {
        let mut day = last;
        let mut missing = self.missing(day);
        while !self.is_working_day(day) {
            let Some(next) = day.succ_opt() else { break };
            day = next;
            missing = missing.or(self.missing(day));
        }
        Due::of(day, missing)
    }

    /// Working days after `a` up to and including `b` (相隔工作日数); negative if `b` lies before `a`.
    pub fn working_days_between(&self, a: NaiveDate, b: NaiveDate) -> Counted {
        if b < a {
            let Counted { days, missing_year } = self.working_days_between(b, a);
            return Counted {
                days: -days,
                missing_year,
            };
        }
        let mut counted = Counted {
            days: 0,
            missing_year: None,
        };
        for day in a.iter_days().skip(1).take_while(|day| *day <= b) {
            counted.missing_year = counted.missing_year.or(self.missing(day));
            counted.days += i64::from(self.is_working_day(day));
        }
        counted
    }
}

impl Year {
    fn of(table: YearTable) -> Result<Self, CalendarFault> {
        let number = table.year;
        let mut year = Self::default();
        for (from, to) in table.off {
            if to < from {
                return Err(CalendarFault::Reversed(number));
            }
            for day in from.iter_days().take_while(|day| *day <= to) {
                if day.year() != number {
                    return Err(CalendarFault::OtherYear(number, day));
                }
                year.off.insert(day);
            }
        }
        for day in table.work {
            if day.year() != number {
                return Err(CalendarFault::OtherYear(number, day));
            }
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                return Err(CalendarFault::NotAWeekend(number, day));
            }
            year.working_weekends.insert(day);
        }
        Ok(year)
    }
}

/// New Year, the first two days of May and the first three of October are holidays of every year (2024 revision).
fn is_fixed_date_holiday(day: NaiveDate) -> bool {
    matches!((day.month(), day.day()), (1, 1) | (5, 1 | 2) | (10, 1..=3))
}

fn day_of(written: &toml::value::Datetime) -> Result<NaiveDate, CalendarFault> {
    written
        .date
        .and_then(|date| {
            NaiveDate::from_ymd_opt(
                i32::from(date.year),
                u32::from(date.month),
                u32::from(date.day),
            )
        })
        .ok_or_else(|| CalendarFault::Unreadable(format!("{written} 不是日期")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = r#"
version = "test"
[[year]]
year = 2025
source = "2025"
off = [
  { from = 2025-01-01, to = 2025-01-01 }, { from = 2025-01-28, to = 2025-02-04 }, { from = 2025-04-04, to = 2025-04-06 },
  { from = 2025-05-01, to = 2025-05-05 }, { from = 2025-05-31, to = 2025-06-02 }, { from = 2025-10-01, to = 2025-10-08 },
]
working = [2025-01-26, 2025-02-08, 2025-04-27, 2025-09-28, 2025-10-11]
[[year]]
year = 2026
off = [
  { from = 2026-01-01, to = 2026-01-03 }, { from = 2026-02-15, to = 2026-02-23 }, { from = 2026-04-04, to = 2026-04-06 },
  { from = 2026-05-01, to = 2026-05-05 }, { from = 2026-06-19, to = 2026-06-21 }, { from = 2026-09-25, to = 2026-09-27 },
  { from = 2026-10-01, to = 2026-10-07 },
]
working = [2026-01-04, 2026-02-14, 2026-02-28, 2026-05-09, 2026-09-20, 2026-10-10]
"#;

    fn calendar() -> Calendar {
        Calendar::from_toml(TABLES).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn known(text: &str) -> Due {
        Due::Known { date: day(text) }
    }

    #[test]
    fn the_months_of_2025_and_2026_have_the_published_number_of_working_days() {
        let expected = [
            (2025, [19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23]),
            (2026, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]),
        ];
        for (year, months) in expected {
            let mut total = 0;
            for (month, count) in (1..).zip(months) {
                let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap();
                let days = first
                    .iter_days()
                    .take_while(|d| d.month() == month)
                    .filter(|d| calendar().is_working_day(*d))
                    .count();
                assert_eq!(days, count, "{year}-{month}");
                total += days;
            }
            assert_eq!(total, 248, "{year}");
        }
    }

    #[test]
    fn working_day_limits_follow_the_notices() {
        let cases = [
            ("T18-01", "2026-02-09", 3, "2026-02-12"),
            ("T18-02", "2026-02-09", 10, "2026-02-28"),
            ("T18-03a", "2026-02-09", 15, "2026-03-06"),
            ("T18-03b", "2026-02-09", 20, "2026-03-13"),
            ("T18-03c", "2026-02-09", 30, "2026-03-27"),
            ("T18-03d", "2026-02-09", 45, "2026-04-20"),
            ("T18-04a", "2026-04-30", 3, "2026-05-08"),
            ("T18-04b", "2026-04-30", 5, "2026-05-11"),
            ("T18-05", "2026-05-08", 1, "2026-05-09"),
            ("T18-06", "2026-09-24", 3, "2026-09-30"),
            ("T18-07", "2026-09-28", 10, "2026-10-16"),
            ("T18-08", "2026-11-20", 3, "2026-11-25"),
            ("T18-09", "2026-12-01", 20, "2026-12-29"),
            ("T18-10", "2026-02-13", 1, "2026-02-14"),
            ("T18-11", "2026-10-09", 1, "2026-10-10"),
            ("T18-12a", "2026-07-01", 20, "2026-07-29"),
            ("T18-12b", "2026-07-01", 30, "2026-08-12"),
            ("T18-12c", "2026-07-01", 45, "2026-09-02"),
            ("T18-13", "2025-01-24", 3, "2025-02-05"),
            ("T18-14", "2025-09-26", 5, "2025-10-10"),
            ("T18-15a", "2026-03-02", 15, "2026-03-23"),
            ("T18-15b", "2026-03-02", 30, "2026-04-14"),
            ("T18-16", "2026-01-02", 1, "2026-01-04"),
            ("T18-17", "2026-06-18", 1, "2026-06-22"),
            ("T18-18", "2026-06-15", 10, "2026-06-30"),
        ];
        for (name, start, n, end) in cases {
            assert_eq!(
                calendar().add_working_days(day(start), n),
                known(end),
                "{name}"
            );
            assert_eq!(
                calendar().working_days_between(day(start), day(end)),
                Counted {
                    days: i64::from(n),
                    missing_year: None
                },
                "{name}"
            );
        }
    }

    #[test]
    fn a_year_without_a_notice_gives_a_provisional_answer_that_says_so() {
        // T18-19: three days are known, the rest lies in 2027.
        assert_eq!(
            calendar().add_working_days(day("2026-12-28"), 3),
            known("2026-12-31")
        );
        assert_eq!(
            calendar().add_working_days(day("2026-12-28"), 10),
            Due::Provisional {
                date: day("2027-01-12"),
                missing_year: 2027
            }
        );
        let counted = calendar().working_days_between(day("2026-12-28"), day("2027-01-12"));
        assert_eq!((counted.days, counted.missing_year), (10, Some(2027)));
        assert_eq!(
            calendar()
                .add_days_rolled(day("2026-12-25"), 7)
                .missing_year(),
            Some(2027)
        );
        assert_eq!(
            calendar()
                .working_days_between(day("2026-02-12"), day("2026-02-09"))
                .days,
            -3
        );
    }

    #[test]
    fn natural_day_limits_roll_off_days_off_and_onto_working_weekends() {
        let cases = [
            ("T18-20", "2026-09-25", 7, "2026-10-08"),
            ("T18-21", "2026-02-11", 7, "2026-02-24"),
            ("T18-22", "2026-04-27", 7, "2026-05-06"),
            ("T18-23", "2026-03-02", 7, "2026-03-09"),
            ("T18-24", "2026-08-31", 30, "2026-09-30"),
            ("a plain Sunday", "2026-07-05", 7, "2026-07-13"),
        ];
        for (name, start, n, end) in cases {
            assert_eq!(
                calendar().add_days_rolled(day(start), n),
                known(end),
                "{name}"
            );
        }
    }

    #[test]
    fn limits_in_months_end_on_the_same_date_or_the_last_of_the_month() {
        // T18-25 … T18-27; 2026-02-28 is a Saturday that is worked.
        assert_eq!(
            calendar().add_months_rolled(day("2026-01-31"), 1),
            known("2026-02-28")
        );
        assert_eq!(
            calendar().add_months_rolled(day("2026-03-31"), 1),
            known("2026-04-30")
        );
        assert_eq!(
            calendar().add_months_rolled(day("2024-02-29"), 24),
            known("2026-02-28")
        );
    }

    #[test]
    fn the_calendar_of_the_national_pack_says_the_same() {
        let pack = include_str!("../../../packs/national/calendar.toml");
        let read = Calendar::from_toml(pack).unwrap();
        assert_eq!(read.years, calendar().years);
        assert_eq!(read.last_year(), Some(2026));
        assert!(!read.version().is_empty());
    }

    #[test]
    fn a_table_that_contradicts_itself_is_refused() {
        let read = |text: &str| Calendar::from_toml(text);
        assert_eq!(
            read("[[year]]\nyear = 2026\nworking = [2026-01-05]"),
            Err(CalendarFault::NotAWeekend(2026, day("2026-01-05")))
        );
        assert_eq!(
            read("[[year]]\nyear = 2026\noff = [{ from = 2026-05-05, to = 2026-05-01 }]"),
            Err(CalendarFault::Reversed(2026))
        );
        assert_eq!(
            read("[[year]]\nyear = 2026\n[[year]]\nyear = 2026"),
            Err(CalendarFault::Twice(2026))
        );
        assert!(matches!(
            read("[[year]]\nyear = 2026\nholidays = []"),
            Err(CalendarFault::Unreadable(_))
        ));
    }
}
