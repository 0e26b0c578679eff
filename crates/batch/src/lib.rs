//! The whole population at once (全人口计算): snapshots of the register as columns, the sweep, the simulation.
//!
//! In reading order:
//!
//! * [`folder`], [`layout`]: where a snapshot lies and what it is made of.
//! * [`encode`], [`payments`]: the rule book's columns and what is paid, as Parquet.
//! * [`snapshot`]: from the register into a folder, whole or only what changed.
//! * [`sweep`], [`finding`], [`tally`]: every programme for every household, against what is in payment.
//! * [`leads`], [`night`]: findings become worklists of the desk, every night.
//! * [`simulate`], [`effect`], [`suppress`], [`report`]: other values of parameters, and whom they would touch; [`Held`] keeps
//!   the rows while a slider moves.
//! * [`cluster`]: parts decided in this process, or on many machines.
//! * [`profile`]: what each variable of the rule book costs.
//! * [`statistics`]: counts and sums kept up with the journal.
//! * [`small_cells`]: which numbers of a table are not shown to those who may not see persons.
//!
//! Guarantees: a household is decided here by the same rules, to the fen and to the state, as in its case; nothing that
//! names a person is written; a run that was stopped goes on where it was. Deliberately absent: pages, and any benefit
//! or place by name.

mod chunk;
pub mod cluster;
mod decide;
pub mod effect;
pub mod encode;
pub mod finding;
pub mod folder;
mod held;
mod later;
pub mod layout;
pub mod leads;
pub mod night;
mod night_rows;
mod nights;
mod part;
pub mod payments;
pub mod profile;
pub mod report;
mod shares;
pub mod simulate;
pub mod small_cells;
pub mod snapshot;
pub mod statistics;
pub mod suppress;
pub mod sweep;
mod tables;
pub mod tally;

pub use cluster::Place;
pub use decide::{region_number, region_of};
pub use finding::{Finding, FindingKind};
pub use folder::Folder;
pub use held::Held;
pub use layout::Manifest;
pub use snapshot::Snapshot;
pub use sweep::{Doubts, Sweep, Swept};
pub use tables::{MIGRATIONS, migrations};
