//! Spreadsheets in and out (电子表格): what officers send us and what we give them.
//!
//! In reading order: [`cell`] (one value and what it can be read as), [`read`](mod@read) (xlsx, xls, csv in, with guards
//! against files made to exhaust the machine), [`write`](mod@write) (xlsx and csv out, by typed columns).
//!
//! Guarantees: an archive is inflated and counted before anything parses it; a number that Excel has cut to fifteen
//! digits is never passed off as an identity number; a text that begins like a formula leaves as text; the same table
//! always gives the same bytes. Deliberately absent: formulas, macros, charts, and what a column means.
//!
//! ```
//! let sheets = sheets::read("姓名,人数\n张芳,3\n".as_bytes(), sheets::Limits::default()).unwrap();
//! assert_eq!(sheets[0].rows[1][0].text(), "张芳");
//! ```

pub mod cell;
pub mod read;
pub mod write;

pub use cell::{Cell, CellFault};
pub use read::{Limits, ReadFault, Sheet, read};
pub use write::{Column, Encoding, Field, Flow, Head, Kind, Table, WriteFault, csv, xlsx};
