//! A period of days (期间): from a first day, until a day that no longer belongs to it.

use crate::Month;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A half-open period (期间) `[from, until)`; an open end is `None`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Period {
    /// First day that belongs to it; `None` means since ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// First day that no longer belongs to it; `None` means still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
}

impl Period {
    /// Without beginning or end.
    pub const ALWAYS: Self = Self {
        from: None,
        until: None,
    };

    /// From a day on.
    pub const fn since(from: NaiveDate) -> Self {
        Self {
            from: Some(from),
            until: None,
        }
    }

    /// The days of one month.
    pub fn of_month(month: Month) -> Self {
        Self {
            from: Some(month.first_day()),
            until: Some(month.next().first_day()),
        }
    }

    /// Whether a day belongs to it.
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// Whether two periods share a day.
    pub fn overlaps(&self, other: &Self) -> bool {
        let starts_before_end = |a: &Self, b: &Self| match (a.from, b.until) {
            (Some(from), Some(until)) => from < until,
            _ => true,
        };
        starts_before_end(self, other) && starts_before_end(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_until_day_no_longer_belongs() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 6, d).unwrap();
        let period = Period {
            from: Some(day(1)),
            until: Some(day(10)),
        };
        assert!(period.holds(day(1)) && period.holds(day(9)) && !period.holds(day(10)));
        assert!(!period.overlaps(&Period::since(day(10))));
        assert!(period.overlaps(&Period::since(day(9))));
        assert!(Period::ALWAYS.overlaps(&period));
    }
}
