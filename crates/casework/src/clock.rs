//! Clocks of a case (办理时限): start, stand still, go on, extend, stop; and the light they show.
//!
//! Pure arithmetic over the calendar: the day of the event is not counted; a pause keeps what is left and the clock goes
//! on from the day it resumes; a date that rests on a year whose holidays are not published yet is kept and marked.
//! Deliberately absent: tables, and the question which act starts which clock (the procedure says that).
//!
//! For example: 20 working days from 2026-06-01 fall on 2026-06-30 (19 June is a holiday); a notice that stands from
//! the third working day until 12 June moves the date by the working days it stood.

use crate::procedure::{Limit, LimitUnit};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use vocab::working_days::{Calendar, Due};

/// The light of a due date (时限颜色), always shown with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Overdue (已超期).
    Red,
    /// At most a fifth of the limit or one working day left (即将到期).
    Yellow,
    /// In time (正常).
    Green,
    /// Standing still (不计时).
    Paused,
    /// No clock (无时限).
    None,
}

impl Light {
    /// The light of a due date on a day.
    pub fn of(
        due_on: Option<NaiveDate>,
        warn_on: Option<NaiveDate>,
        paused: bool,
        today: NaiveDate,
    ) -> Self {
        match due_on {
            _ if paused => Self::Paused,
            None => Self::None,
            Some(due) if due < today => Self::Red,
            Some(_) if warn_on.is_some_and(|warn| warn <= today) => Self::Yellow,
            Some(_) => Self::Green,
        }
    }
}

/// One running, standing or stopped clock (一个时限的运行).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Started on.
    pub started_on: NaiveDate,
    /// What is left counts from this day (which is not counted itself).
    pub anchor_on: NaiveDate,
    /// What is left from the anchor, in the clock's unit; negative when it stood still after it was overdue.
    pub remaining: i64,
    /// The whole length with extension.
    pub total: i64,
    /// The unit.
    pub unit: LimitUnit,
    /// Due.
    pub due: Option<Due>,
    /// From when it counts as near.
    pub warn_on: Option<NaiveDate>,
    /// Standing still since.
    pub paused_from: Option<NaiveDate>,
    /// Until when, if that is known beforehand (a notice).
    pub paused_until: Option<NaiveDate>,
    /// Whether it was extended.
    pub extended: bool,
    /// Stopped on.
    pub stopped_on: Option<NaiveDate>,
}

/// The due date of a limit from a day (期限届满日).
pub fn due(calendar: &Calendar, from: NaiveDate, limit: Limit) -> Due {
    match limit.unit {
        LimitUnit::WorkingDays => calendar.add_working_days(from, limit.amount),
        LimitUnit::Days => calendar.add_days_rolled(from, limit.amount),
        LimitUnit::Months => calendar.add_months_rolled(from, limit.amount),
    }
}

impl Run {
    /// Starts a clock (起算).
    pub fn start(calendar: &Calendar, limit: Limit, on: NaiveDate) -> Self {
        let mut run = Self {
            started_on: on,
            anchor_on: on,
            remaining: i64::from(limit.amount),
            total: i64::from(limit.amount),
            unit: limit.unit,
            due: None,
            warn_on: None,
            paused_from: None,
            paused_until: None,
            extended: false,
            stopped_on: None,
        };
        run.set_due(calendar);
        run
    }

    /// Whether it counts at the moment.
    pub fn is_running(&self) -> bool {
        self.stopped_on.is_none() && self.paused_from.is_none()
    }

    /// Lets it stand still (中止计时), `until` a day known beforehand or open.
    pub fn pause(&mut self, calendar: &Calendar, on: NaiveDate, until: Option<NaiveDate>) {
        if !self.is_running() || self.unit == LimitUnit::Months {
            return;
        }
        self.remaining -= self.elapsed(calendar, on);
        self.anchor_on = until.unwrap_or(on);
        self.paused_from = Some(on);
        self.paused_until = until;
        if self.remaining >= 0 {
            self.due = None;
            self.warn_on = None;
            if until.is_some() {
                self.set_due(calendar);
            }
        }
    }

    /// Lets it go on (恢复计时): from today, or from the end of the notice if that lies before.
    pub fn resume(&mut self, calendar: &Calendar, on: NaiveDate) {
        if self.paused_from.is_none() || self.stopped_on.is_some() {
            return;
        }
        self.anchor_on = self.paused_until.map_or(on, |until| until.min(on));
        self.paused_from = None;
        self.paused_until = None;
        // A clock that was overdue before it stood still stays overdue at its old date.
        if self.remaining >= 0 {
            self.set_due(calendar);
        }
    }

    /// Extends it to a longer total (延长).
    pub fn extend(&mut self, calendar: &Calendar, total: i64) {
        self.remaining += total - self.total;
        self.total = total;
        self.extended = true;
        if self.remaining >= 0 && (self.paused_from.is_none() || self.paused_until.is_some()) {
            self.set_due(calendar);
        }
    }

    /// Stops it (届满或办结).
    pub fn stop(&mut self, on: NaiveDate) {
        self.stopped_on.get_or_insert(on);
    }

    /// What is left on a day, in the unit (剩余).
    pub fn left(&self, calendar: &Calendar, today: NaiveDate) -> Option<i64> {
        let due = self.due?.date();
        Some(match self.unit {
            LimitUnit::WorkingDays => calendar.working_days_between(today, due).days,
            LimitUnit::Days | LimitUnit::Months => (due - today).num_days(),
        })
    }

    /// Its light on a day.
    pub fn light(&self, today: NaiveDate) -> Light {
        if self.stopped_on.is_some() {
            return Light::None;
        }
        Light::of(
            self.due.map(Due::date),
            self.warn_on,
            self.paused_from.is_some(),
            today,
        )
    }

    fn elapsed(&self, calendar: &Calendar, on: NaiveDate) -> i64 {
        match self.unit {
            LimitUnit::WorkingDays => calendar.working_days_between(self.anchor_on, on).days,
            LimitUnit::Days | LimitUnit::Months => (on - self.anchor_on).num_days(),
        }
    }

    fn set_due(&mut self, calendar: &Calendar) {
        let amount = u16::try_from(self.remaining.max(0)).unwrap_or(u16::MAX);
        let found = due(
            calendar,
            self.anchor_on,
            Limit {
                amount,
                unit: self.unit,
            },
        );
        self.due = Some(found);
        self.warn_on = Some(warn_on(
            calendar,
            self.unit,
            self.total,
            self.anchor_on,
            found.date(),
        ));
    }
}

/// The first day on which at most a fifth of the limit, or one working day, is left.
pub fn warn_on(
    calendar: &Calendar,
    unit: LimitUnit,
    total: i64,
    anchor: NaiveDate,
    due: NaiveDate,
) -> NaiveDate {
    let days = match unit {
        LimitUnit::Months => total.saturating_mul(30),
        LimitUnit::WorkingDays | LimitUnit::Days => total,
    };
    // A fifth, rounded down, but at least the last working day.
    let fifth = days.div_euclid(5).max(1);
    let left = |day: NaiveDate| match unit {
        LimitUnit::WorkingDays => calendar.working_days_between(day, due).days,
        LimitUnit::Days | LimitUnit::Months => (due - day).num_days(),
    };
    let near =
        |day: NaiveDate| left(day) <= fifth || calendar.working_days_between(day, due).days <= 1;
    let mut day = due;
    while day > anchor {
        let before = day - Days::new(1);
        if !near(before) {
            break;
        }
        day = before;
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn calendar() -> Calendar {
        Calendar::from_toml(
            r#"
version = "test"
[[year]]
year = 2026
source = "test"
off = [{ from = 2026-05-01, to = 2026-05-05 }, { from = 2026-06-19, to = 2026-06-21 }]
work = [2026-05-09]
"#,
        )
        .unwrap()
    }

    const TWENTY: Limit = Limit {
        amount: 20,
        unit: LimitUnit::WorkingDays,
    };

    #[test]
    fn a_clock_stands_still_while_the_applicant_supplies_papers() {
        let calendar = calendar();
        let mut run = Run::start(&calendar, TWENTY, day("2026-06-01"));
        assert_eq!(run.due.unwrap().date(), day("2026-06-30"));
        run.pause(&calendar, day("2026-06-04"), None);
        assert_eq!((run.remaining, run.due), (17, None));
        assert_eq!(run.light(day("2026-07-30")), Light::Paused);
        run.resume(&calendar, day("2026-06-11"));
        // Five working days passed meanwhile (5, 8, 9, 10, 11 June).
        assert_eq!(run.due.unwrap().date(), day("2026-07-07"));
    }

    #[test]
    fn a_notice_moves_the_date_by_the_working_days_it_stands_and_no_more() {
        let calendar = calendar();
        let mut run = Run::start(&calendar, TWENTY, day("2026-06-01"));
        run.pause(&calendar, day("2026-06-03"), Some(day("2026-06-10")));
        // The end of the notice is known, so the due date is known at once …
        assert_eq!(run.due.unwrap().date(), day("2026-07-07"));
        // … and an officer who comes late does not win time.
        run.resume(&calendar, day("2026-06-15"));
        assert_eq!(run.due.unwrap().date(), day("2026-07-07"));
    }

    #[test]
    fn a_notice_taken_down_early_gives_back_the_rest() {
        let calendar = calendar();
        let mut run = Run::start(&calendar, TWENTY, day("2026-06-01"));
        run.pause(&calendar, day("2026-06-03"), Some(day("2026-06-10")));
        run.resume(&calendar, day("2026-06-05"));
        assert_eq!(run.due.unwrap().date(), day("2026-07-02"));
    }

    #[test]
    fn lights_turn_yellow_at_a_fifth_and_red_the_day_after() {
        let calendar = calendar();
        let run = Run::start(&calendar, TWENTY, day("2026-06-01"));
        for (today, light) in [
            ("2026-06-02", Light::Green),
            ("2026-06-23", Light::Green),
            ("2026-06-24", Light::Yellow),
            ("2026-06-30", Light::Yellow),
            ("2026-07-01", Light::Red),
        ] {
            assert_eq!(run.light(day(today)), light, "{today}");
        }
        assert_eq!(run.left(&calendar, day("2026-06-24")), Some(4));
        let short = Run::start(
            &calendar,
            Limit {
                amount: 3,
                unit: LimitUnit::WorkingDays,
            },
            day("2026-06-01"),
        );
        assert_eq!(short.light(day("2026-06-02")), Light::Green);
        assert_eq!(short.light(day("2026-06-03")), Light::Yellow);
    }

    #[test]
    fn a_year_without_published_holidays_is_marked() {
        let calendar = calendar();
        let run = Run::start(&calendar, TWENTY, day("2026-12-20"));
        assert_eq!(run.due.unwrap().missing_year(), Some(2027));
    }

    #[test]
    fn an_extension_lengthens_the_same_clock_and_a_stopped_one_shows_no_light() {
        let calendar = calendar();
        let mut run = Run::start(&calendar, TWENTY, day("2026-06-01"));
        run.extend(&calendar, 45);
        assert!(run.extended && run.due.unwrap().date() > day("2026-07-31"));
        run.stop(day("2026-06-05"));
        run.stop(day("2026-06-09"));
        assert_eq!(
            (run.stopped_on, run.light(day("2027-01-01"))),
            (Some(day("2026-06-05")), Light::None)
        );
    }

    #[test]
    fn an_overdue_clock_stays_overdue_through_a_pause() {
        let calendar = calendar();
        let mut run = Run::start(
            &calendar,
            Limit {
                amount: 3,
                unit: LimitUnit::WorkingDays,
            },
            day("2026-06-01"),
        );
        run.pause(&calendar, day("2026-06-10"), None);
        run.resume(&calendar, day("2026-06-12"));
        assert_eq!(run.due.unwrap().date(), day("2026-06-04"));
        assert_eq!(run.light(day("2026-06-12")), Light::Red);
    }
}
