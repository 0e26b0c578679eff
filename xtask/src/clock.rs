//! How long a step took (用时): the only place of the tools that looks at a clock.
//!
//! Guarantees: a monotonic clock, so a corrected wall clock cannot make a step negative.
//! Deliberately absent: dates. No tool here may depend on what day it is.

use std::time::{Duration, Instant};

/// A running stop-watch (秒表).
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// `75 s` reads worse than `1 min 15 s`, `3 s` better than `0 min 3 s`.
pub(crate) fn plain(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{seconds} s");
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_said_as_a_minute() {
        assert_eq!(plain(Duration::from_secs(59)), "59 s");
        assert_eq!(plain(Duration::from_secs(75)), "1 min 15 s");
    }
}
