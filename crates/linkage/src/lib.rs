//! Record linkage (记录链接): which records are of one person.
//!
//! In reading order: [`register`] (records in memory), [`keys`] (which are compared), [`compare`](mod@compare) with [`name`],
//! [`identity`], [`birth`], [`phone`] and [`place`] (levels of agreement), [`model`] (what a level is worth), [`link`](mod@link) (from
//! records to people), [`explain`] (why), [`mark`] (keys to be kept in a database), [`organisation`] (lists of organisations), and, with the feature
//! `file`, [`file`](mod@file).
//!
//! Guarantees: the same records give the same outcome, whatever the threads; no clock, no chance but a seed; two different valid
//! identity numbers are never one person without somebody looking. Deliberately absent: a database, pages, and the merging of
//! what was found to be one.
#![expect(
    clippy::float_arithmetic,
    reason = "probabilities and their logarithms; there is no money in this crate"
)]

pub mod against;
mod alphabet;
pub mod birth;
mod candidates;
mod cluster;
pub mod compare;
pub mod distance;
pub mod explain;
#[cfg(feature = "file")]
pub mod file;
pub mod identity;
pub mod keys;
pub mod link;
mod lunar;
pub mod mark;
pub mod model;
pub mod name;
pub mod organisation;
pub mod phone;
pub mod place;
pub mod register;
mod sort;
mod table;
mod train;
mod work;

pub use against::{Arrived, against};
pub use candidates::Capped;
pub use compare::{Compared, Levels, compare};
pub use link::{Link, Linked, Outcome, Settings, link};
pub use mark::{Mark, Marker};
pub use model::{Model, millionths, needs_a_person};
pub use register::{Person, Register, Sharing};
