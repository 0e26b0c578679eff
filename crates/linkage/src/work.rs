//! Work for several threads (并行): pieces of a list in, results in the order of the pieces out.
//!
//! Guarantees: what comes out does not depend on the number of threads. Deliberately absent: a pool; threads live as long as the
//! call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does something with each piece of a list (逐段处理).
pub(crate) fn chunks<T: Sync, R: Send>(
    list: &[T],
    piece: usize,
    threads: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let pieces: Vec<&[T]> = list.chunks(piece.max(1)).collect();
    each(pieces.len(), threads, |number| work(pieces[number]))
}

/// Does something with each number below a bound (逐个处理).
pub(crate) fn each<R: Send>(
    bound: usize,
    threads: usize,
    work: impl Fn(usize) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(bound));
    let take = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= bound {
                return;
            }
            let result = work(number);
            if let Ok(mut done) = done.lock() {
                done.push((number, result));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, bound.max(1)) {
            scope.spawn(take);
        }
        take();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// A count as a number to reckon with.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
