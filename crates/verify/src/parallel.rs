//! Several workers (并行): numbered pieces of work, or the same work in several threads.
//!
//! Guarantees: results come in order; a fault of one worker is told once all have come to their end. Deliberately absent: stopping in
//! the middle; the work looks at its own sign.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Does numbered pieces of work with several workers; the results in order.
pub(crate) fn in_parallel<T: Send>(
    workers: usize,
    pieces: usize,
    work: impl Fn(usize) -> T + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let one = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= pieces {
                return Ok(done);
            }
            done.push((number, work(number)));
        }
    };
    let mut all: Vec<(usize, T)> = in_parallel_all(workers.max(1), one)?
        .into_iter()
        .flatten()
        .collect();
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, done)| done).collect())
}

/// Runs the same work in several threads; one is done here.
pub(crate) fn in_parallel_all<T: Send>(
    workers: usize,
    work: impl Fn() -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(&work)).collect();
        let mut all = vec![work()?];
        for other in others {
            let done = other
                .join()
                .map_err(|_| anyhow::anyhow!("a worker broke"))?;
            all.push(done?);
        }
        Ok(all)
    })
}
