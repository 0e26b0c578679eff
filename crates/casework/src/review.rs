//! Periodic reviews (定期核查): every case in force is looked at again, as often as its class demands.
//!
//! Reading order: [`schedule`](mod@schedule) (when the next one is due, and the task it becomes), [`compare`] (what today's
//! facts change), [`follow`] (what an act on a case does to its reviews), [`call`](mod@call) (one before its day),
//! [`list`](mod@list) (what officers see).
//!
//! Guarantees: a case has at most one review ahead, by a unique key of the database, so that catching up twice or two
//! machines at once make one task; the period comes from the rules' classes and the due day from the working calendar;
//! nobody is reduced or stopped by a review: what differs becomes a task for whoever hears or decides.
//! Deliberately absent: the acts themselves; they stand in the procedures.

pub mod call;
pub(crate) mod compare;
pub(crate) mod follow;
pub mod list;
pub mod schedule;

pub use call::{Call, call};
pub use compare::Differs;
pub use list::{ReviewCounts, ReviewFilter, ReviewRow, after, counts, list};
pub use schedule::tick;

/// A class that could not be told (分类待核实).
pub const UNKNOWN_CLASS: &str = "?";
