//! Moving the demonstration clock (演示时钟): a day, a week, or to the first of next month, at nine in the morning.
//!
//! Exists only in the demonstration. The session of who moves it is carried along, or moving time would sign him out.

use crate::page::CLOCK_STEPS;
use crate::problem::{Answer, Problem};
use crate::visit::{Visit, local_path};
use access::session;
use chrono::{Days, Duration, NaiveDate};
use vocab::Month;

/// The day a step leads to (前进到哪天).
fn target(step: &str, today: NaiveDate) -> Option<NaiveDate> {
    match step {
        "day" => today.checked_add_days(Days::new(1)),
        "week" => today.checked_add_days(Days::new(7)),
        "month" => Some(Month::of(today).next().first_day()),
        _ => None,
    }
}

/// `POST /demo/clock` (演示时钟前进).
///
/// # Errors
/// [`Problem::NotFound`] outside the demonstration.
pub async fn advance(visit: &Visit) -> Answer {
    let clock = visit.app.config.demo.as_ref().ok_or(Problem::NotFound)?;
    let step = visit.form.get("to");
    debug_assert!(
        CLOCK_STEPS
            .iter()
            .all(|(value, _)| target(value, visit.today()).is_some())
    );
    let to = target(step, visit.today()).ok_or(Problem::NotFound)?;
    let days = (to - visit.today()).num_days();
    let by = Duration::days(days);
    let signed = visit.signed()?;
    let mut tx = visit.app.db.begin().await?;
    let then = tx.now() + by;
    session::carry_over(&mut tx, visit.app.door.times, signed.session.id, then).await?;
    tx.commit().await?;
    match clock.advance(by)? {
        Ok(()) => {
            // What the days passed over would have brought.
            casework::life_event::tick(&visit.app.db, &visit.app.desk).await?;
            visit.go(local_path(visit.form.get("back")))
        }
        Err(refused) => Err(Problem::Conflict(refused.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::target;
    use chrono::NaiveDate;

    #[test]
    fn a_step_leads_to_tomorrow_next_week_or_the_first() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(target("day", day("2026-12-31")), Some(day("2027-01-01")));
        assert_eq!(target("week", day("2026-06-01")), Some(day("2026-06-08")));
        assert_eq!(target("month", day("2026-12-31")), Some(day("2027-01-01")));
        assert_eq!(target("year", day("2026-12-31")), None);
    }
}
