//! Statistics (统计): counts and sums by place, month, programme and group, kept up with the journal.
//!
//! In reading order: [`measure`] (what is counted, and under which headings), [`keep`] (keeping up, counting anew,
//! comparing), [`read`] (the numbers of a page).
//!
//! Each case and each released pay line adds a *share* to the numbers, and the share is remembered. When the journal says
//! that something happened to it, its share of now replaces the one of before, in one transaction with the mark that says
//! how far the journal was followed. So an entry followed twice changes nothing, and a process killed in the middle has
//! done all of it or nothing.
//!
//! Guarantees: the numbers equal a recount up to the mark; a page reads the numbers and nothing else. Deliberately
//! absent: people; lists, which are the proof and stay where the things are; small cells, see [`crate::small_cells`].

pub mod keep;
pub mod measure;
pub mod read;

pub use keep::{Kept, Odd, check, keep_up, rebuild};
pub use measure::{Cell, Grouping, Measure, Numbers};
pub use read::{Asked, Row, months, rows, up_to};
