//! Where time comes from (时钟).
//!
//! Guarantees: every instant is cut to whole microseconds, because that is what both databases can give back unchanged;
//! [`SystemClock`] is the only place in the house that asks the operating system. Deliberately absent: time zones other
//! than China's single one, and any waiting.

use anyhow::Context;
use chrono::{DateTime, Duration, FixedOffset, NaiveDate, SubsecRound, Timelike, Utc};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A clock (时钟): the time as a parameter.
pub trait Clock: Send + Sync {
    /// This instant, in whole microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The calendar day at that instant in China (北京时间): UTC+8 all year since 1991.
pub fn shanghai_day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&china()).date_naive()
}

fn china() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("eight hours is inside a day")
}

/// The hour of the day at that instant in China (北京时间的小时).
pub fn shanghai_hour(at: DateTime<Utc>) -> u32 {
    at.with_timezone(&china()).hour()
}

/// The computer's own clock (系统时钟).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place allowed to ask the system; everybody else takes a Clock"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved (测试时钟).
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    /// A clock standing at that instant.
    pub fn at(instant: DateTime<Utc>) -> Self {
        Self(Mutex::new(instant.trunc_subsecs(6)))
    }

    /// Puts the clock to that instant, also backwards.
    pub fn set(&self, instant: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = instant.trunc_subsecs(6);
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now + by).trunc_subsecs(6);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that runs ahead of another (演示时钟): a demonstration can jump to next month, never back.
///
/// The lead is kept in a small file, so that a restarted demonstration does not fall back into its own past, where the
/// ledger and the journal have already been.
pub struct OffsetClock {
    base: Arc<dyn Clock>,
    lead: Mutex<Duration>,
    file: PathBuf,
}

/// Why a clock was not moved (不能调整时钟).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("演示时钟只能向前调整 (the demonstration clock only moves forward)")]
pub struct OnlyForward;

impl OffsetClock {
    /// The clock whose lead is kept in that file; no file means no lead yet.
    pub fn open(file: &Path, base: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let lead = match std::fs::read_to_string(file) {
            Ok(text) => {
                let seconds: i64 = text
                    .trim()
                    .parse()
                    .with_context(|| format!("reading the clock's lead from {}", file.display()))?;
                anyhow::ensure!(
                    seconds >= 0,
                    "the clock's lead in {} is negative",
                    file.display()
                );
                Duration::try_seconds(seconds).with_context(|| {
                    format!("the clock's lead in {} is too long", file.display())
                })?
            }
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Duration::zero(),
            Err(fault) => {
                return Err(fault)
                    .with_context(|| format!("reading the clock's lead from {}", file.display()));
            }
        };
        Ok(Self {
            base,
            lead: Mutex::new(lead),
            file: file.to_owned(),
        })
    }

    /// How far this clock is ahead.
    pub fn lead(&self) -> Duration {
        *self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the clock forward and remembers it, in whole seconds.
    pub fn advance(&self, by: Duration) -> anyhow::Result<Result<(), OnlyForward>> {
        if by < Duration::zero() {
            return Ok(Err(OnlyForward));
        }
        let mut lead = self.lead.lock().unwrap_or_else(PoisonError::into_inner);
        let longer = lead
            .checked_add(&by)
            .and_then(|sum| Duration::try_seconds(sum.num_seconds()))
            .context("the clock's lead is too long")?;
        let fresh = self.file.with_extension("new");
        let mut out = std::fs::File::create(&fresh)?;
        writeln!(out, "{}", longer.num_seconds())?;
        out.sync_all()?;
        std::fs::rename(&fresh, &self.file)
            .with_context(|| format!("keeping the clock's lead in {}", self.file.display()))?;
        *lead = longer;
        Ok(Ok(()))
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> DateTime<Utc> {
        self.base.now() + self.lead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_chinese_day_begins_at_sixteen_hours_utc() {
        let day = |text| shanghai_day(instant(text)).to_string();
        assert_eq!(day("2026-05-31T15:59:59Z"), "2026-05-31");
        assert_eq!(day("2026-05-31T16:00:00Z"), "2026-06-01");
        assert_eq!(shanghai_hour(instant("2026-05-31T15:59:59Z")), 23);
        assert_eq!(shanghai_hour(instant("2026-05-31T16:00:00Z")), 0);
    }

    #[test]
    fn instants_are_whole_microseconds() {
        let clock = TestClock::at(instant("2026-06-01T01:00:00.123456789Z"));
        assert_eq!(clock.now(), instant("2026-06-01T01:00:00.123456Z"));
        assert_eq!(SystemClock.now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn a_demonstration_clock_remembers_its_lead_and_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let base = Arc::new(TestClock::at(instant("2026-06-01T01:00:00Z")));
        let clock = OffsetClock::open(&file, base.clone()).unwrap();
        clock.advance(Duration::days(30)).unwrap().unwrap();
        assert_eq!(
            clock.advance(Duration::seconds(-1)).unwrap(),
            Err(OnlyForward)
        );
        drop(clock);
        let again = OffsetClock::open(&file, base).unwrap();
        assert_eq!(again.now(), instant("2026-07-01T01:00:00Z"));
    }
}
