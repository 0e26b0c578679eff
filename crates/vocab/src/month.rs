//! A month (月份): benefits are decided, paid and recovered by the month.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A calendar month (月份), written `2026-06`; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first: NaiveDate,
}

/// Why a text is not a month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}”不是月份；请写成 2026-06 的样子")]
pub struct NotAMonth(pub String);

impl Month {
    /// The month holding a day.
    pub fn of(day: NaiveDate) -> Self {
        Self {
            first: day.with_day(1).unwrap_or(day),
        }
    }

    /// A month by year and number (1–12).
    pub fn new(year: i32, month: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, 1).map(|first| Self { first })
    }

    /// Its first day.
    pub fn first_day(self) -> NaiveDate {
        self.first
    }

    /// Its last day.
    pub fn last_day(self) -> NaiveDate {
        self.next().first - Days::new(1)
    }

    /// The month after.
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The month before.
    pub fn previous(self) -> Self {
        self.plus(-1)
    }

    /// So many months later (or earlier, if negative). Stays put at the ends of the calendar.
    pub fn plus(self, months: i32) -> Self {
        let count = Months::new(months.unsigned_abs());
        let moved = if months < 0 {
            self.first.checked_sub_months(count)
        } else {
            self.first.checked_add_months(count)
        };
        Self {
            first: moved.unwrap_or(self.first),
        }
    }

    /// Months from `self` to `later` (negative if it lies before).
    pub fn months_until(self, later: Self) -> i32 {
        (later.first.year() - self.first.year()) * 12 + later.first.month0().cast_signed()
            - self.first.month0().cast_signed()
    }

    /// Year and month number.
    pub fn year_month(self) -> (i32, u32) {
        (self.first.year(), self.first.month())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = NotAMonth;
    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let refuse = || NotAMonth(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(refuse)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(refuse());
        }
        let year = year.parse().map_err(|_| refuse())?;
        let month = month.parse().map_err(|_| refuse())?;
        Self::new(year, month).ok_or_else(refuse)
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;
    fn try_from(text: String) -> Result<Self, NotAMonth> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_step_across_years_and_know_their_last_day() {
        let december: Month = "2026-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2027-01");
        assert_eq!(december.plus(-12).to_string(), "2025-12");
        assert_eq!(
            "2024-02".parse::<Month>().unwrap().last_day(),
            NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()
        );
        assert_eq!(
            "2025-11".parse::<Month>().unwrap().months_until(december),
            13
        );
        assert!("2026-13".parse::<Month>().is_err());
    }
}
