//! The tables of this crate (本库数据表): officers, grants, sessions, attempts to sign in, keys of programs and their calls.
//!
//! Only this crate writes them. Nothing that counts is deleted: a grant, a session and a key end. Answers to programs go after a
//! day; what an officer likes is replaced, and a filter nobody wants any more is removed.

use store::Migration;

/// The migrations of this crate (建表).
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0010 access",
        sql: ACCESS,
    },
    Migration {
        name: "0011 access again",
        sql: "
ALTER TABLE access_session ADD COLUMN again_at {instant};
",
    },
    Migration {
        name: "0012 access programs",
        sql: PROGRAMS,
    },
    Migration {
        name: "0013 access lists",
        sql: LISTS,
    },
    Migration {
        name: "0014 access exports and filters",
        sql: EXPORTS,
    },
];

const EXPORTS: &str = "
CREATE TABLE access_export (
  id {id} NOT NULL PRIMARY KEY,
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  region {text} NOT NULL,
  list {text} NOT NULL,
  query {bytes} NOT NULL,
  lang {text} NOT NULL,
  expected {int} NOT NULL,
  asked_at {instant} NOT NULL,
  job_id {id} NOT NULL,
  row_count {int},
  size {int},
  ready_at {instant},
  gone_at {instant}
);
CREATE INDEX access_export_officer ON access_export (officer_id, asked_at);
CREATE INDEX access_export_open ON access_export (gone_at, ready_at);
CREATE TABLE access_saved_filter (
  id {id} NOT NULL PRIMARY KEY,
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  list {text} NOT NULL,
  name {text} NOT NULL,
  query {bytes} NOT NULL,
  shared_role {text},
  shared_region {text},
  saved_at {instant} NOT NULL
);
CREATE INDEX access_saved_filter_officer ON access_saved_filter (officer_id, list);
CREATE INDEX access_saved_filter_shared ON access_saved_filter (list, shared_role, shared_region);
CREATE TABLE access_default_filter (
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  list {text} NOT NULL,
  filter_id {id} NOT NULL,
  PRIMARY KEY (officer_id, list)
);
";

const LISTS: &str = "
CREATE TABLE access_list_choice (
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  list {text} NOT NULL,
  columns {text} NOT NULL,
  PRIMARY KEY (officer_id, list)
);
";

const ACCESS: &str = "
CREATE TABLE access_officer (
  id {id} NOT NULL PRIMARY KEY,
  login {text} NOT NULL UNIQUE,
  name {text} NOT NULL,
  person_key {text} UNIQUE,
  password_hash {text} NOT NULL,
  password_set_at {instant} NOT NULL,
  must_change {bool} NOT NULL,
  enabled {bool} NOT NULL,
  code_secret {bytes},
  code_confirmed {bool} NOT NULL,
  code_last_step {int} NOT NULL,
  created_at {instant} NOT NULL,
  version {int} NOT NULL
);
CREATE TABLE access_grant (
  id {id} NOT NULL PRIMARY KEY,
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  role {text} NOT NULL,
  region {text} NOT NULL,
  granted_by {id} NOT NULL,
  granted_at {instant} NOT NULL,
  ended_at {instant}
);
CREATE INDEX access_grant_officer ON access_grant (officer_id);
CREATE INDEX access_grant_region ON access_grant (region);
CREATE TABLE access_session (
  id {id} NOT NULL PRIMARY KEY,
  token_key {text} NOT NULL UNIQUE,
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  opened_at {instant} NOT NULL,
  seen_at {instant} NOT NULL,
  closes_at {instant} NOT NULL,
  proved {bool} NOT NULL,
  proved_at {instant},
  device {text} NOT NULL,
  ended_at {instant},
  ended_why {text}
);
CREATE INDEX access_session_officer ON access_session (officer_id);
CREATE TABLE access_attempt (
  id {id} NOT NULL PRIMARY KEY,
  at {instant} NOT NULL,
  login_key {text} NOT NULL,
  address_key {text} NOT NULL,
  failed {bool} NOT NULL
);
CREATE INDEX access_attempt_login ON access_attempt (login_key, at);
CREATE INDEX access_attempt_address ON access_attempt (address_key, at);
";

const PROGRAMS: &str = "
ALTER TABLE access_officer ADD COLUMN machine {bool};
CREATE TABLE access_api_key (
  id {id} NOT NULL PRIMARY KEY,
  officer_id {id} NOT NULL REFERENCES access_officer (id),
  prefix {text} NOT NULL,
  secret_key {text} NOT NULL UNIQUE,
  permissions {text} NOT NULL,
  a_minute {int} NOT NULL,
  made_by {id} NOT NULL,
  made_at {instant} NOT NULL,
  until_day {date} NOT NULL,
  used_at {instant},
  ended_at {instant},
  ended_by {id}
);
CREATE INDEX access_api_key_officer ON access_api_key (officer_id);
CREATE TABLE access_asked (
  id {id} NOT NULL PRIMARY KEY,
  word {text} NOT NULL UNIQUE,
  body {text} NOT NULL,
  at {instant} NOT NULL,
  status {int},
  said {bytes}
);
CREATE INDEX access_asked_at ON access_asked (at);
";

/// The migrations of this crate and of those it stands on, in order (全部建表).
pub fn migrations() -> Vec<Migration> {
    let mut all: Vec<Migration> = store::migrations();
    all.extend(MIGRATIONS.iter().cloned());
    all
}

/// Rows of `access_officer`.
pub(crate) mod officer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_officer")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub login: String,
        pub name: String,
        pub person_key: Option<String>,
        pub password_hash: String,
        pub password_set_at: DateTimeUtc,
        pub must_change: bool,
        pub enabled: bool,
        pub code_secret: Option<Vec<u8>>,
        pub code_confirmed: bool,
        pub code_last_step: i64,
        pub created_at: DateTimeUtc,
        pub version: i64,
        pub machine: Option<bool>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_grant`.
pub(crate) mod grant {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_grant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub officer_id: Uuid,
        pub role: String,
        pub region: String,
        pub granted_by: Uuid,
        pub granted_at: DateTimeUtc,
        pub ended_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_session`.
pub(crate) mod session {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_session")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub token_key: String,
        pub officer_id: Uuid,
        pub opened_at: DateTimeUtc,
        pub seen_at: DateTimeUtc,
        pub closes_at: DateTimeUtc,
        pub proved: bool,
        pub proved_at: Option<DateTimeUtc>,
        pub again_at: Option<DateTimeUtc>,
        pub device: String,
        pub ended_at: Option<DateTimeUtc>,
        pub ended_why: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_attempt`.
pub(crate) mod attempt {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_attempt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub at: DateTimeUtc,
        pub login_key: String,
        pub address_key: String,
        pub failed: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_api_key`.
pub(crate) mod api_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_api_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub officer_id: Uuid,
        pub prefix: String,
        pub secret_key: String,
        pub permissions: String,
        pub a_minute: i64,
        pub made_by: Uuid,
        pub made_at: DateTimeUtc,
        pub until_day: Date,
        pub used_at: Option<DateTimeUtc>,
        pub ended_at: Option<DateTimeUtc>,
        pub ended_by: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_asked`.
pub(crate) mod asked {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_asked")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub word: String,
        pub body: String,
        pub at: DateTimeUtc,
        pub status: Option<i64>,
        pub said: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_list_choice`.
pub(crate) mod list_choice {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_list_choice")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub officer_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub list: String,
        pub columns: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_export`.
pub(crate) mod export {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_export")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub officer_id: Uuid,
        pub region: String,
        pub list: String,
        pub query: Vec<u8>,
        pub lang: String,
        pub expected: i64,
        pub asked_at: DateTimeUtc,
        pub job_id: Uuid,
        pub row_count: Option<i64>,
        pub size: Option<i64>,
        pub ready_at: Option<DateTimeUtc>,
        pub gone_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_saved_filter`.
pub(crate) mod saved_filter {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_saved_filter")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub officer_id: Uuid,
        pub list: String,
        pub name: String,
        pub query: Vec<u8>,
        pub shared_role: Option<String>,
        pub shared_region: Option<String>,
        pub saved_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `access_default_filter`.
pub(crate) mod default_filter {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_default_filter")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub officer_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub list: String,
        pub filter_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
