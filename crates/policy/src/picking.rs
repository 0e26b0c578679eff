//! Choosing a fact's value among its dated rows (取值): by the day asked and by what was known then.
//!
//! What was learned last wins; two values learned together that differ are nobody's truth. Deliberately absent:
//! weighing sources against each other.

use crate::determination::Ask;
use chrono::{DateTime, NaiveDate, Utc};
use std::cmp::Ordering;
use vocab::{DatedFact, Month};

/// The value of a fact, chosen among its dated rows (取值).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Picked<'s> {
    None,
    One(&'s DatedFact),
    Two(&'s DatedFact, &'s DatedFact),
}

/// Chooses among rows that hold: the one learned last; two learned together must agree.
pub(crate) fn pick(
    rows: &[DatedFact],
    known_at: Option<DateTime<Utc>>,
    holds: impl Fn(&DatedFact) -> bool,
) -> Picked<'_> {
    let mut picked = Picked::None;
    for row in rows {
        if !holds(row) {
            continue;
        }
        if let (Some(known_at), Some(since)) = (known_at, row.known_since)
            && since > known_at
        {
            continue;
        }
        picked = match picked {
            Picked::None => Picked::One(row),
            Picked::One(before) | Picked::Two(before, _) => {
                match row.known_since.cmp(&before.known_since) {
                    Ordering::Greater => Picked::One(row),
                    Ordering::Less => picked,
                    Ordering::Equal if row.value == before.value => picked,
                    Ordering::Equal => Picked::Two(before, row),
                }
            }
        };
    }
    picked
}

/// Whether a row speaks about a whole month.
pub(crate) fn holds_month(row: &DatedFact, month: Month) -> bool {
    row.period.holds(month.first_day()) && row.period.holds(month.last_day())
}

/// The chosen row for the day asked.
pub(crate) fn pick_now<'s>(rows: &'s [DatedFact], ask: &Ask) -> Picked<'s> {
    pick(rows, ask.known_at, |row| row.period.holds(ask.as_of))
}

/// The months a look-back reads, oldest first: so many before the month asked.
pub(crate) fn months_back(as_of: NaiveDate, months: u32) -> impl Iterator<Item = Month> {
    let now = Month::of(as_of);
    (1..=months)
        .rev()
        .map(move |back| now.plus(-i32::try_from(back).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocab::Value;

    #[test]
    fn what_was_learned_last_wins_and_equals_must_agree() {
        let row = |value: i64, since: Option<&str>| DatedFact {
            known_since: since.map(|text| text.parse().unwrap()),
            ..DatedFact::plain(Value::Int(value))
        };
        let early = row(1, Some("2026-01-01T00:00:00Z"));
        let late = row(2, Some("2026-02-01T00:00:00Z"));
        let rows = [late.clone(), early.clone(), row(0, None)];
        assert_eq!(pick(&rows, None, |_| true), Picked::One(&late));
        let between = "2026-01-15T00:00:00Z".parse().unwrap();
        assert_eq!(pick(&rows, Some(between), |_| true), Picked::One(&early));
        let rows = [row(1, None), row(1, None), row(2, None)];
        assert_eq!(pick(&rows, None, |_| true), Picked::Two(&rows[0], &rows[2]));
        assert_eq!(pick(&rows, None, |_| false), Picked::None);
    }
}
