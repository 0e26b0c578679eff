//! The tables of this room (政策找人数据表).
//!
//! Guarantees: for a household, person and programme at most one lead is held at a time, by a unique key. Deliberately
//! absent: names; a lead names its household by the register's identifier.

use store::Migration;

/// The own migrations (建表).
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0051_batch",
    sql: "
CREATE TABLE batch_lead (
  id {id} NOT NULL PRIMARY KEY,
  region {text} NOT NULL,
  household_id {id} NOT NULL,
  person_id {id},
  programme {text} NOT NULL,
  kind {text} NOT NULL,
  due {fen} NOT NULL,
  paid {fen} NOT NULL,
  missing {text} NOT NULL,
  found_on {date} NOT NULL,
  found_at {instant} NOT NULL,
  seen_on {date} NOT NULL,
  state {text} NOT NULL,
  state_at {instant} NOT NULL,
  state_by {id} NOT NULL,
  reason {text},
  held_key {text}
);
CREATE UNIQUE INDEX batch_lead_held ON batch_lead (held_key);
CREATE INDEX batch_lead_region ON batch_lead (region, id);
CREATE INDEX batch_lead_household ON batch_lead (household_id);
",
}];

/// All migrations needed, lower crates first (含下层的建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = casework::migrations();
    all.extend(MIGRATIONS.iter().copied());
    all
}

/// Leads (线索行).
pub(crate) mod lead {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "batch_lead")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) region: String,
        pub(crate) household_id: Uuid,
        pub(crate) person_id: Option<Uuid>,
        pub(crate) programme: String,
        pub(crate) kind: String,
        pub(crate) due: i64,
        pub(crate) paid: i64,
        pub(crate) missing: String,
        pub(crate) found_on: Date,
        pub(crate) found_at: DateTimeUtc,
        pub(crate) seen_on: Date,
        pub(crate) state: String,
        pub(crate) state_at: DateTimeUtc,
        pub(crate) state_by: Uuid,
        pub(crate) reason: Option<String>,
        pub(crate) held_key: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
