//! The lights of a working-day limit through the whole of 2026 (时限灯对照表), counted day by day from the printed notice.
//!
//! Guarantees: the days off and the days worked instead are written down here by hand, from the State Council's notice for
//! 2026, and counted one by one; nothing of the clock's own arithmetic is used. Deliberately absent: limits in days and months,
//! which roll over days off and are tested beside the clock.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not there"
)]

use casework::clock::{Light, Run};
use casework::procedure::{Limit, LimitUnit};
use chrono::{Datelike, NaiveDate, Weekday};
use std::path::Path;
use vocab::working_days::Calendar;

/// First and last day of each holiday of 2026: New Year, Spring Festival, Qingming, Labour Day, Dragon Boat, Mid-Autumn, National
/// Day.
const OFF: [((u32, u32), (u32, u32)); 7] = [
    ((1, 1), (1, 3)),
    ((2, 15), (2, 23)),
    ((4, 4), (4, 6)),
    ((5, 1), (5, 5)),
    ((6, 19), (6, 21)),
    ((9, 25), (9, 27)),
    ((10, 1), (10, 7)),
];
/// Saturdays and Sundays worked instead.
const WORKED: [(u32, u32); 6] = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)];

fn works(day: NaiveDate) -> bool {
    let date = (day.month(), day.day());
    if WORKED.contains(&date) {
        return true;
    }
    let off = OFF.iter().any(|(from, to)| *from <= date && date <= *to);
    !off && !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The working days after `from` up to and with `to`.
fn between(from: NaiveDate, to: NaiveDate) -> i64 {
    let days = from.iter_days().skip(1).take_while(|day| *day <= to);
    i64::try_from(days.filter(|day| works(*day)).count()).unwrap()
}

#[test]
fn every_day_of_a_year_shows_the_light_that_counting_by_hand_gives() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/national/calendar.toml");
    let calendar = Calendar::from_toml(&std::fs::read_to_string(packs).unwrap()).unwrap();
    // Workdays, a Saturday worked, days before and within holidays, the week before National Day.
    let starts = [
        (1, 5),
        (2, 9),
        (2, 14),
        (2, 18),
        (2, 28),
        (4, 3),
        (4, 5),
        (4, 30),
        (5, 8),
        (5, 9),
        (6, 1),
        (6, 18),
        (6, 20),
        (7, 31),
        (9, 19),
        (9, 24),
        (9, 30),
    ];
    let mut seen = 0;
    for (month, date) in starts {
        let start = NaiveDate::from_ymd_opt(2026, month, date).unwrap();
        for amount in [1_u16, 3, 5, 8, 10, 20, 30] {
            let limit = Limit {
                amount,
                unit: LimitUnit::WorkingDays,
            };
            let run = Run::start(&calendar, limit, start);
            let due = run.due.unwrap().date();
            assert!(
                works(due) && between(start, due) == i64::from(amount),
                "{start} + {amount}: {due}"
            );
            for today in start
                .iter_days()
                .take_while(|day| (*day - due).num_days() <= 3)
            {
                let left = between(today, due);
                // At most a fifth of the limit, or one working day; overdue from the day after.
                let light = if today > due {
                    Light::Red
                } else if left * 5 <= i64::from(amount) || left <= 1 {
                    Light::Yellow
                } else {
                    Light::Green
                };
                assert_eq!(
                    run.light(today),
                    light,
                    "{amount} days from {start}, on {today}: {left} left"
                );
                if today <= due {
                    assert_eq!(
                        run.left(&calendar, today),
                        Some(left),
                        "{amount} days from {start}, on {today}"
                    );
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 1_000, "{seen} dated cases");
}
