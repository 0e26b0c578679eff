//! The demo's day (演示日期): a clock that runs as fast as the real one, from a day of one's choice.
//!
//! Guarantees: the distance to the real clock is kept in a file, so that a restarted demo goes on after its own past.
//! Deliberately absent: jumping ahead; `store::OffsetClock` stands on this one and does that.

use anyhow::Context;
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use std::path::Path;
use store::{Clock, SystemClock};

/// The real clock, moved by a fixed distance (平移时钟).
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayClock {
    distance: Duration,
}

impl DayClock {
    /// Nine in the morning of that day, now; or as the file says, if there is one.
    pub(crate) fn open(file: &Path, day: Option<NaiveDate>) -> anyhow::Result<Self> {
        if let Ok(text) = std::fs::read_to_string(file) {
            let seconds = text
                .trim()
                .parse()
                .with_context(|| format!("reading {}", file.display()))?;
            let distance = Duration::try_seconds(seconds)
                .with_context(|| format!("reading {}", file.display()))?;
            return Ok(Self { distance });
        }
        let distance = day.map_or(Duration::zero(), |day| morning(day) - SystemClock.now());
        std::fs::write(file, distance.num_seconds().to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        Ok(Self {
            distance: Duration::seconds(distance.num_seconds()),
        })
    }
}

impl Clock for DayClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.distance
    }
}

/// Nine in the morning in China.
pub(crate) fn morning(day: NaiveDate) -> DateTime<Utc> {
    let one_in_utc = NaiveTime::MIN + Duration::hours(1);
    day.and_time(one_in_utc).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::clock::shanghai_day;

    #[test]
    fn a_restarted_demo_goes_on_after_its_own_past() {
        let folder = std::env::temp_dir().join(format!("huimin-day-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("day");
        let day = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        let first = DayClock::open(&file, Some(day)).unwrap().now();
        assert_eq!(shanghai_day(first), day);
        let later = DayClock::open(&file, None).unwrap().now();
        assert!(later >= first && later - first < Duration::minutes(5));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
