//! The tables of alerts (预警数据表): alerts, what happened to each, and what each source was compared with last.
//!
//! Guarantees: what happened to an alert is never changed. Deliberately absent: numbers of documents and accounts.

use store::Migration;

/// The tables of alerts (建表).
pub(crate) const ALERT: Migration = Migration {
    name: "0072_verify_alert",
    sql: "
CREATE TABLE verify_alert (
  id {id} NOT NULL PRIMARY KEY,
  rule {text} NOT NULL,
  severity {int} NOT NULL,
  region {text} NOT NULL,
  person_id {id} NOT NULL,
  subject_masked {text} NOT NULL,
  household_id {id},
  entitlement_id {id} NOT NULL,
  sides {json} NOT NULL,
  mark {text} NOT NULL,
  found_on {date} NOT NULL,
  seen_on {date} NOT NULL,
  due_on {date} NOT NULL,
  state {text} NOT NULL,
  state_at {instant} NOT NULL,
  state_by {text} NOT NULL,
  note {text} NOT NULL,
  case_id {id},
  held_key {text}
);
CREATE UNIQUE INDEX verify_alert_held ON verify_alert (held_key);
CREATE INDEX verify_alert_region ON verify_alert (region, state);
CREATE INDEX verify_alert_person ON verify_alert (person_id);
CREATE TABLE verify_alert_event (
  id {id} NOT NULL PRIMARY KEY,
  alert_id {id} NOT NULL REFERENCES verify_alert (id),
  at {instant} NOT NULL,
  act {text} NOT NULL,
  by_id {id} NOT NULL,
  by_name {text} NOT NULL,
  note {text} NOT NULL
);
{never_changes verify_alert_event};
CREATE INDEX verify_alert_event_alert ON verify_alert_event (alert_id, at);
CREATE TABLE verify_alert_run (
  source {text} NOT NULL PRIMARY KEY,
  delivery {text} NOT NULL,
  compared_at {instant} NOT NULL,
  people {int} NOT NULL,
  found {int} NOT NULL
);
",
};

/// What nobody read of the runs is gone.
pub(crate) const RUN: Migration = Migration {
    name: "0074_verify_alert_run",
    sql: "
ALTER TABLE verify_alert_run DROP COLUMN people;
ALTER TABLE verify_alert_run DROP COLUMN found;
",
};

/// Rows of `verify_alert`.
pub mod alert {
    use sea_orm::entity::prelude::*;

    /// An alert's row (预警行).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verify_alert")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub rule: String,
        pub severity: i64,
        pub region: String,
        pub person_id: Uuid,
        pub subject_masked: String,
        pub household_id: Option<Uuid>,
        pub entitlement_id: Uuid,
        pub sides: Json,
        pub mark: String,
        pub found_on: Date,
        pub seen_on: Date,
        pub due_on: Date,
        pub state: String,
        pub state_at: DateTimeUtc,
        pub state_by: String,
        pub note: String,
        pub case_id: Option<Uuid>,
        pub held_key: Option<String>,
    }

    /// No relation is followed by the mapper.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `verify_alert_event`.
pub mod event {
    use sea_orm::entity::prelude::*;

    /// An event's row (预警经过).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verify_alert_event")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub alert_id: Uuid,
        pub at: DateTimeUtc,
        pub act: String,
        pub by_id: Uuid,
        pub by_name: String,
        pub note: String,
    }

    /// No relation is followed by the mapper.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `verify_alert_run`.
pub mod compared {
    use sea_orm::entity::prelude::*;

    /// What a source was compared with last (最近一次比对).
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verify_alert_run")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub source: String,
        pub delivery: String,
        pub compared_at: DateTimeUtc,
    }

    /// No relation is followed by the mapper.
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
