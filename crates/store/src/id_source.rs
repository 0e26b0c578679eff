//! Where identifiers come from (编号来源): UUID version 7 from the clock and one random source.
//!
//! Guarantees: ids drawn from one source are strictly increasing, also when the clock stands still or goes back; the same
//! seed and clock give the same ids. Deliberately absent: numbers shown to people, which have check digits and live with
//! the thing they number.

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{OsRng, RngCore, SeedableRng, TryRngCore};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Twelve bits of counter stand behind the milliseconds (RFC 9562 §6.2, method 1).
const COUNTER_MAX: u16 = 0x0fff;

pub(crate) struct IdSource(Mutex<Last>);

struct Last {
    millis: u64,
    counter: u16,
    random: ChaCha20Rng,
}

impl IdSource {
    /// Seeded for repeatable runs, otherwise from the operating system.
    pub(crate) fn new(seed: Option<u64>) -> anyhow::Result<Self> {
        let random = match seed {
            Some(seed) => ChaCha20Rng::seed_from_u64(seed),
            None => {
                let mut key = [0; 32];
                OsRng.try_fill_bytes(&mut key)?;
                ChaCha20Rng::from_seed(key)
            }
        };
        Ok(Self(Mutex::new(Last {
            millis: 0,
            counter: 0,
            random,
        })))
    }

    pub(crate) fn next(&self, now: DateTime<Utc>) -> Uuid {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        if millis > last.millis {
            last.millis = millis;
            last.counter = 0;
        } else if last.counter == COUNTER_MAX {
            // The counter is full: borrow the next millisecond rather than repeat or wait.
            last.millis += 1;
            last.counter = 0;
        } else {
            last.counter += 1;
        }
        let mut tail = [0; 10];
        last.random.fill_bytes(&mut tail[2..]);
        tail[..2].copy_from_slice(&last.counter.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(last.millis, &tail).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Duration;

    #[test]
    fn ids_increase_even_when_the_clock_stands_or_goes_back() {
        let source = IdSource::new(Some(7)).unwrap();
        let start: DateTime<Utc> = "2026-06-01T01:00:00Z".parse().unwrap();
        let mut previous = Uuid::nil();
        for round in 0..10_000_i64 {
            let id = source.next(start - Duration::milliseconds(round / 9_000));
            assert!(id > previous && id.get_version_num() == 7);
            previous = id;
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let now: DateTime<Utc> = "2026-06-01T01:00:00Z".parse().unwrap();
        let draw = |seed| IdSource::new(seed).unwrap().next(now);
        assert_eq!(draw(Some(1)), draw(Some(1)));
        assert_ne!(draw(Some(1)), draw(Some(2)));
        assert_ne!(draw(None), draw(None));
    }
}
