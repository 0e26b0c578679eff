//! The tables of telling (告知数据表): messages to people, notes to desks, what people want, and how far the journal was followed.
//!
//! Guarantees: no number and no address in clear; what a message said stands sealed. Deliberately absent: removing anything;
//! a message that was not sent stays, with the reason.

use store::Migration;

/// This crate's own migrations (建表).
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0090_notify",
    sql: NOTIFY,
}];

/// The migrations of this crate and of those it stands on, in order (全部建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = casework::migrations();
    all.extend(MIGRATIONS.iter().copied());
    all
}

const NOTIFY: &str = "
CREATE TABLE notify_mark (
  name {text} NOT NULL PRIMARY KEY,
  seq {int} NOT NULL,
  within {int} NOT NULL
);
CREATE TABLE notify_message (
  id {id} NOT NULL PRIMARY KEY,
  once_key {text} NOT NULL UNIQUE,
  event_seq {int} NOT NULL,
  happening {text} NOT NULL,
  channel {text} NOT NULL,
  urgent {bool} NOT NULL,
  case_id {id} NOT NULL,
  case_number {text} NOT NULL,
  region {text} NOT NULL,
  person_id {id} NOT NULL,
  name_masked {text} NOT NULL,
  text_sealed {bytes} NOT NULL,
  parts {int} NOT NULL,
  state {text} NOT NULL,
  reason {text} NOT NULL,
  created_at {instant} NOT NULL,
  not_before {instant},
  sent_at {instant},
  settled_at {instant},
  resends {id},
  resent_by {text} NOT NULL
);
CREATE INDEX notify_message_case ON notify_message (case_id, created_at);
CREATE INDEX notify_message_region ON notify_message (region, created_at);
CREATE INDEX notify_message_sent ON notify_message (channel, sent_at) WHERE state = 'sent';
CREATE TABLE notify_note (
  id {id} NOT NULL PRIMARY KEY,
  once_key {text} NOT NULL UNIQUE,
  event_seq {int} NOT NULL,
  happening {text} NOT NULL,
  case_id {id} NOT NULL,
  case_number {text} NOT NULL,
  region {text} NOT NULL,
  role {text} NOT NULL,
  by_officer {id} NOT NULL,
  text_zh {text} NOT NULL,
  text_en {text} NOT NULL,
  created_at {instant} NOT NULL
);
CREATE INDEX notify_note_desk ON notify_note (role, region, created_at);
CREATE INDEX notify_note_case ON notify_note (case_id, created_at);
CREATE TABLE notify_seen (
  officer_id {id} NOT NULL,
  note_id {id} NOT NULL REFERENCES notify_note (id),
  at {instant} NOT NULL,
  PRIMARY KEY (officer_id, note_id)
);
CREATE TABLE notify_contact (
  person_id {id} NOT NULL PRIMARY KEY,
  email_sealed {bytes},
  email_masked {text} NOT NULL,
  language {text} NOT NULL,
  no_sms {bool} NOT NULL,
  no_email {bool} NOT NULL,
  changed_at {instant} NOT NULL,
  changed_by {text} NOT NULL
);
";

/// How far the journal was followed (跟进进度).
pub(crate) mod mark {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notify_mark")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
        pub seq: i64,
        pub within: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A message to a person (消息行).
pub(crate) mod message {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notify_message")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub once_key: String,
        pub event_seq: i64,
        pub happening: String,
        pub channel: String,
        pub urgent: bool,
        pub case_id: Uuid,
        pub case_number: String,
        pub region: String,
        pub person_id: Uuid,
        pub name_masked: String,
        pub text_sealed: Vec<u8>,
        pub parts: i64,
        pub state: String,
        pub reason: String,
        pub created_at: DateTimeUtc,
        pub not_before: Option<DateTimeUtc>,
        pub sent_at: Option<DateTimeUtc>,
        pub settled_at: Option<DateTimeUtc>,
        pub resends: Option<Uuid>,
        pub resent_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A note to a desk (提醒行).
pub(crate) mod note {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notify_note")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub once_key: String,
        pub event_seq: i64,
        pub happening: String,
        pub case_id: Uuid,
        pub case_number: String,
        pub region: String,
        pub role: String,
        pub by_officer: Uuid,
        pub text_zh: String,
        pub text_en: String,
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which officer has seen which note (已读行).
pub(crate) mod seen {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notify_seen")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub officer_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub note_id: Uuid,
        pub at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// How a person wants to be told (告知意愿行).
pub(crate) mod contact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notify_contact")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        pub email_sealed: Option<Vec<u8>>,
        pub email_masked: String,
        pub language: String,
        pub no_sms: bool,
        pub no_email: bool,
        pub changed_at: DateTimeUtc,
        pub changed_by: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
