//! How often one visitor may ask (限流): a bucket that fills with time, one per kind of request and visitor.
//!
//! In memory and per process: it protects the machine, it is no accounting. Guessing passwords is slowed down by
//! `access`, in the database. Time is the injected clock.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A kind of request with its own allowance (限流类别): how many in a span of minutes, and how many may be saved up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Allowance {
    /// The kind; buckets of different kinds are apart.
    pub kind: &'static str,
    /// Requests a span.
    pub a_span: u32,
    /// How long the span is.
    pub minutes: u32,
    /// Requests at once after a pause.
    pub at_once: u32,
}

/// The visitors kept in mind at most; beyond it the full buckets are forgotten, which gives nothing away.
const VISITORS_MAX: usize = 20_000;
/// Seconds after which a bucket is full again, whatever its kind.
const KEPT: i64 = 3_600;

/// All buckets (限流桶).
#[derive(Default)]
pub(crate) struct Rates {
    buckets: Mutex<BTreeMap<(&'static str, String), Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// Thousandths of a request.
    tokens: i64,
    at: DateTime<Utc>,
}

impl Rates {
    /// Takes one request out of a visitor's bucket; the answer is the seconds to wait when it is empty.
    pub fn take(&self, allowance: Allowance, visitor: &str, now: DateTime<Utc>) -> Result<(), i64> {
        let full = i64::from(allowance.at_once) * 1000;
        let a_span = i64::from(allowance.a_span).max(1);
        let seconds = i64::from(allowance.minutes).max(1) * 60;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= VISITORS_MAX {
            buckets.retain(|_, bucket| (now - bucket.at).num_seconds() < KEPT);
            if buckets.len() >= VISITORS_MAX {
                buckets.clear();
            }
        }
        let bucket = buckets
            .entry((allowance.kind, visitor.to_owned()))
            .or_insert(Bucket {
                tokens: full,
                at: now,
            });
        let passed = (now - bucket.at).num_milliseconds().clamp(0, 3_600_000);
        bucket.tokens = (bucket.tokens + passed * a_span / seconds).min(full);
        bucket.at = now;
        if bucket.tokens >= 1000 {
            bucket.tokens -= 1000;
            Ok(())
        } else {
            Err(((1000 - bucket.tokens) * seconds / a_span / 1000).max(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Rates};
    use chrono::{DateTime, Duration};

    #[test]
    fn a_bucket_empties_and_fills_again_and_visitors_do_not_share() {
        let rates = Rates::default();
        let allowance = Allowance {
            kind: "t",
            a_span: 60,
            minutes: 1,
            at_once: 3,
        };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for _ in 0..3 {
            assert_eq!(rates.take(allowance, "a", now), Ok(()));
        }
        assert_eq!(rates.take(allowance, "a", now), Err(1));
        assert_eq!(rates.take(allowance, "b", now), Ok(()));
        assert_eq!(
            rates.take(allowance, "a", now + Duration::milliseconds(1100)),
            Ok(())
        );
        assert!(
            rates
                .take(allowance, "a", now + Duration::milliseconds(1200))
                .is_err()
        );
    }
}
