//! Quiet hours (免打扰时段): when nobody is woken by a message that can wait.
//!
//! Guarantees: worked out in China's time, which has no summer time; the span may cross midnight. Deliberately absent: holidays;
//! a message on a holiday wakes nobody.

use chrono::{DateTime, Days, FixedOffset, NaiveTime, Timelike, Utc};

/// China's hour, east of Greenwich.
const SHANGHAI: i32 = 8 * 3_600;

/// Quiet hours (免打扰时段): from a time of the day until another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Their first minute.
    pub from: NaiveTime,
    /// The first minute after them.
    pub until: NaiveTime,
}

impl Quiet {
    /// The moment they end, if it is quiet now (何时结束).
    pub fn ends(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let here = now.with_timezone(&FixedOffset::east_opt(SHANGHAI)?);
        let time = here.time();
        let over_midnight = self.from > self.until;
        let is_quiet = if over_midnight {
            time >= self.from || time < self.until
        } else {
            time >= self.from && time < self.until
        };
        if !is_quiet {
            return None;
        }
        let mut day = here.date_naive();
        if over_midnight && time >= self.from {
            day = day.checked_add_days(Days::new(1))?;
        }
        let end = day.and_time(self.until);
        let end = end.and_local_timezone(here.timezone()).single()?;
        Some(end.with_timezone(&Utc))
    }

    /// As packs write a time of the day: `21:00`.
    pub fn read(text: &str) -> Option<NaiveTime> {
        NaiveTime::parse_from_str(text, "%H:%M").ok()
    }

    /// As pages show them: `21:00–08:00`.
    pub fn shown(&self) -> String {
        let one = |time: NaiveTime| format!("{:02}:{:02}", time.hour(), time.minute());
        format!("{}–{}", one(self.from), one(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::Quiet;

    fn quiet(from: &str, until: &str) -> Quiet {
        Quiet {
            from: Quiet::read(from).unwrap(),
            until: Quiet::read(until).unwrap(),
        }
    }

    /// 12:59:59 UTC is 20:59:59 in China, 13:00 is 21:00, midnight UTC is 08:00.
    #[test]
    fn the_night_ends_at_eight_in_china() {
        let night = quiet("21:00", "08:00");
        let ends = |now: &str| night.ends(now.parse().unwrap()).map(|end| end.to_rfc3339());
        let first = Some("2026-06-02T00:00:00+00:00".to_owned());
        for (now, end) in [
            ("2026-06-01T12:59:59Z", None),
            ("2026-06-01T13:00:00Z", first.clone()),
            ("2026-06-01T15:59:59Z", first.clone()),
            // Past midnight in China, still the first of June in Greenwich: the same morning.
            ("2026-06-01T16:00:00Z", first.clone()),
            ("2026-06-01T23:59:59Z", first),
            ("2026-06-02T00:00:00Z", None),
        ] {
            assert_eq!(ends(now), end, "{now}");
        }
    }

    #[test]
    fn a_rest_at_noon_does_not_cross_midnight() {
        let noon = quiet("12:00", "14:00");
        let ends = |now: &str| noon.ends(now.parse().unwrap()).map(|end| end.to_rfc3339());
        assert_eq!(ends("2026-06-01T03:59:59Z"), None);
        assert_eq!(
            ends("2026-06-01T04:00:00Z").as_deref(),
            Some("2026-06-01T06:00:00+00:00")
        );
        assert_eq!(ends("2026-06-01T06:00:00Z"), None);
    }

    #[test]
    fn a_time_that_is_none_is_not_read() {
        for wrong in ["24:00", "21", "夜里", "21:60"] {
            assert_eq!(Quiet::read(wrong), None, "{wrong}");
        }
    }
}
