//! The register (登记): people, households, places, and every dated, sourced fact known of them.
//!
//! In reading order:
//!
//! * [`people`]: registering a person, reading one, searching, moving, dying, revealing what is masked.
//! * [`households`]: dated membership; a person is in one household at a time.
//! * [`facts`]: values with their dates, source and the moment we learned them; the fact sheet the rule book reads.
//! * [`accounts`]: where money is sent.
//! * [`consent`]: who agreed to other departments' data being looked at, and who did not.
//! * [`places`]: the division tree, with the names each place had on a day.
//! * [`roster`]: a household roster from a spreadsheet: template, dry run, commit, rejected rows, export.
//! * [`bulk`]: the fast way in for large populations.
//! * [`duplicates`]: who may stand here twice; [`merging`]: two records become one person, and two again.
//! * [`changes`], [`leaving`]: what changed since a moment, and what may leave for counting.
//! * [`identities`]: numbers in clear for comparing in bulk, and what two people should not have in common.
//!
//! Guarantees: every query is narrowed by the caller's scope in SQL, and what lies outside it does not exist for the
//! caller; document, phone and account numbers are sealed in the database and found by blind index; a fact is never
//! overwritten, so what was known on a day can be asked again; reading one person's record stands in the journal.
//! Deliberately absent: anything that knows a benefit.

pub mod accounts;
pub mod bulk;
pub mod changes;
pub mod consent;
pub mod duplicates;
pub mod facts;
pub mod households;
pub mod identities;
pub mod leaving;
pub mod merging;
pub mod people;
pub mod places;
mod reading;
pub mod roster;
mod search_keys;
mod stored;
pub mod tables;

pub use facts::{Subject, fact_sheet, record_fact};
pub use households::{form_household, household};
pub use merging::same_person;
pub use people::{person, register_person, search};
pub use reading::Reading;
pub use tables::{MIGRATIONS, migrations};
