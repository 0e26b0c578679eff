//! The outside (对外交换): files that go to the bank and come back from it, and who cannot be paid right now.
//!
//! Here what siblings know is joined: the ledger has the lines, the registry the accounts and the deaths. Guarantees: the
//! file of a run is made once, kept sealed, and sent again byte for byte; account numbers appear in it and nowhere else;
//! each making and each fetching is journalled. Deliberately absent: the line to the bank – officers carry the file.
//!
//! Reading order: [`obstacle`] (who cannot be paid), [`bank_file`](mod@bank_file), [`bank_return`], `tables`; [`department`] (a pretend one, to try
//! interfaces out).

pub mod bank_file;
pub mod bank_return;
pub mod department;
pub mod obstacle;
mod tables;

pub use bank_file::{BankFile, Format, bank_file};
pub use obstacle::blocked;
pub use tables::{MIGRATIONS, migrations};
