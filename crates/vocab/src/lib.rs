//! The words every room shares (公共词汇): money, months, places, citations, identifiers, national codes.
//!
//! Guarantees: nothing here does input or output, knows the clock or draws a random number; money is whole fen and
//! every arithmetic act on it is checked. Deliberately absent: anything that knows a benefit, a table or a page.

pub mod citation;
pub mod document;
pub mod fact;
pub mod id_number;
pub mod ids;
pub mod kinship;
pub mod luhn;
pub mod money;
pub mod month;
pub mod period;
pub mod region;
pub mod sex;
pub mod uscc;
pub mod working_days;

pub use citation::Citation;
pub use document::{Document, DocumentKind};
pub use fact::{DatedFact, FactId, FactSheet, Record, Value};
pub use id_number::IdNumber;
pub use kinship::Kinship;
pub use money::Money;
pub use month::Month;
pub use period::Period;
pub use region::Region;
pub use sex::Sex;
