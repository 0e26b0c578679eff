//! Means verification (家庭经济状况核对), the data side: what other departments deliver, and what it says of a household.
//!
//! In reading order:
//!
//! * [`source`]: what a department delivers, as data in the packs.
//! * [`id_key`]: an identity number as departments write it, brought to one whole number.
//! * [`raw`], [`delivery`]: a delivered file, read in batches.
//! * [`checked`]: rows whose every cell was understood, and the reasons for all others.
//! * [`land`], [`spill`], [`part`], [`manifest`], [`returned`]: a delivery becomes parts that answer fast, whole or not at all.
//! * [`ask`], [`report`]: households and deliveries go in, figures with their sources come out; [`Piece`]: what other machines
//!   answer of it.
//! * [`at_hand`]: what is landed, held open, and anew when another delivery is there.
//! * [`enquiry`], [`tables`]: who may ask about whom, for what; asking, and keeping what was answered.
//! * [`alert`]: everybody in payment is compared with what was delivered, and what is found is held until seen to.
//! * [`remote`]: departments that answer when asked, and what they answered, kept.
//! * [`straight`]: the same answers from a delivered Parquet file that was not landed.
//!
//! Guarantees: unknown is never zero: a source that is missing or too old, a number nobody could read, a person without a
//! valid identity number are said by name; one household and fifty thousand are answered by the same code; no identity
//! number, name or account stands readable in what was landed. Deliberately absent: recording consents (the
//! register's), pages, and believing a department over the applicant.

pub mod alert;
pub mod ask;
pub mod at_hand;
pub mod checked;
pub mod delivery;
pub mod enquiry;
pub mod id_key;
pub mod land;
pub mod manifest;
mod parallel;
pub mod part;
pub mod raw;
pub mod remote;
pub mod report;
pub mod returned;
pub mod source;
pub mod spill;
pub mod straight;
pub mod tables;
mod tally;

pub use ask::{Asked, Found, InPieces, Landed, Person, Piece};
pub use at_hand::AtHand;
pub use land::{Landing, Progress, Refused};
pub use manifest::Manifest;
pub use report::{Figure, Report, Unknown};
pub use source::{Source, Sources};
pub use tables::{MIGRATIONS, migrations};
