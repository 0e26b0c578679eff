//! The tables of verification (核对数据表): enquiries, and who was asked about.
//!
//! Guarantees: an enquiry is never changed or removed; the database itself refuses. What an enquiry found and the
//! numbers it asked with stand sealed. Deliberately absent: what was delivered; that lies landed beside the database.

use store::Migration;

/// The migrations of this crate (建表).
pub const MIGRATIONS: &[Migration] = &[ENQUIRY, crate::alert::ALERT, crate::alert::RUN, PATTERNS];

const ENQUIRY: Migration = Migration {
    name: "0070_verify_enquiry",
    sql: "
CREATE TABLE verify_serial (
  year {int} NOT NULL PRIMARY KEY,
  last {int} NOT NULL
);
CREATE TABLE verify_enquiry (
  id {id} NOT NULL PRIMARY KEY,
  number {text} NOT NULL UNIQUE,
  subject_id {id} NOT NULL,
  subject_number {text} NOT NULL,
  household_id {id} NOT NULL,
  region {text} NOT NULL,
  officer_id {id} NOT NULL,
  officer {text} NOT NULL,
  purpose {text} NOT NULL,
  as_of {date} NOT NULL,
  at {instant} NOT NULL,
  on_day {date} NOT NULL,
  valid_until {date} NOT NULL,
  people {int} NOT NULL,
  deliveries {text} NOT NULL,
  unknowns {int} NOT NULL,
  report_sealed {bytes} NOT NULL,
  report_blind {text} NOT NULL,
  out_of_hours {bool} NOT NULL,
  own {bool} NOT NULL,
  same_person {int} NOT NULL
);
{never_changes verify_enquiry};
CREATE INDEX verify_enquiry_subject ON verify_enquiry (subject_id);
CREATE INDEX verify_enquiry_officer ON verify_enquiry (officer_id, on_day);
CREATE INDEX verify_enquiry_region ON verify_enquiry (region, on_day);
CREATE TABLE verify_enquiry_person (
  enquiry_id {id} NOT NULL REFERENCES verify_enquiry (id),
  place_in_order {int} NOT NULL,
  person_id {id} NOT NULL,
  consent_id {id} NOT NULL,
  tie {text} NOT NULL,
  PRIMARY KEY (enquiry_id, place_in_order)
);
{never_changes verify_enquiry_person};
CREATE INDEX verify_enquiry_person_person ON verify_enquiry_person (person_id);
",
};

/// What is odd about an enquiry only beside others: kept with it when it is made. The building is blinded; of earlier enquiries it
/// is not known, and stays empty.
const PATTERNS: Migration = Migration {
    name: "0076_verify_patterns",
    sql: "
ALTER TABLE verify_enquiry ADD COLUMN building {text} NOT NULL DEFAULT '';
ALTER TABLE verify_enquiry ADD COLUMN neighbours {int} NOT NULL DEFAULT 0;
ALTER TABLE verify_enquiry ADD COLUMN officers {int} NOT NULL DEFAULT 0;
ALTER TABLE verify_enquiry ADD COLUMN cases {int} NOT NULL DEFAULT 0;
CREATE INDEX verify_enquiry_building ON verify_enquiry (building, officer_id, on_day) WHERE building <> '';
",
};

/// The migrations of this crate and of those it stands on, in order (全部建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = registry::migrations();
    for migration in ledger::migrations() {
        if !all.iter().any(|known| known.name == migration.name) {
            all.push(migration);
        }
    }
    all.extend(MIGRATIONS.iter().copied());
    all
}

/// Rows of `verify_enquiry`.
pub(crate) mod enquiry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verify_enquiry")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: String,
        pub subject_id: Uuid,
        pub subject_number: String,
        pub household_id: Uuid,
        pub region: String,
        pub officer_id: Uuid,
        pub officer: String,
        pub purpose: String,
        pub as_of: Date,
        pub at: DateTimeUtc,
        pub on_day: Date,
        pub valid_until: Date,
        pub people: i64,
        pub deliveries: String,
        pub unknowns: i64,
        pub report_sealed: Vec<u8>,
        pub report_blind: String,
        pub out_of_hours: bool,
        pub own: bool,
        pub same_person: i64,
        pub building: String,
        pub neighbours: i64,
        pub officers: i64,
        pub cases: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `verify_enquiry_person`.
pub(crate) mod enquiry_person {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verify_enquiry_person")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub enquiry_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place_in_order: i64,
        pub person_id: Uuid,
        pub consent_id: Uuid,
        pub tie: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
