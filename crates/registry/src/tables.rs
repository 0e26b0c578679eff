//! The tables of the register (登记的数据表) and their one migration text.
//!
//! Only this crate writes them. Rows of `registry_fact` are never changed or removed; a household, a membership and an
//! account end, they do not vanish. Search keys are derived from the person row and written with it.

pub(crate) mod duplicates;

use store::Migration;

/// The migrations of this crate (建表).
pub const MIGRATIONS: &[Migration] = &[
    REGISTRY,
    LIFE_EVENTS,
    CHANGES,
    CONSENT,
    duplicates::DUPLICATES,
    duplicates::HOMES,
];

const REGISTRY: Migration = Migration {
    name: "0020_registry",
    sql: "
CREATE TABLE registry_person (
  id {id} NOT NULL PRIMARY KEY,
  name {text} NOT NULL,
  document_kind {text} NOT NULL,
  document_sealed {bytes},
  document_blind {text},
  sex {text} NOT NULL,
  birth_date {date},
  phone_sealed {bytes},
  phone_blind {text},
  hukou {text},
  lives_in {text} NOT NULL,
  address {text} NOT NULL,
  died_on {date},
  registered_at {instant} NOT NULL,
  registered_by {id} NOT NULL,
  version {int} NOT NULL
);
CREATE UNIQUE INDEX registry_person_document ON registry_person (document_blind, document_kind);
CREATE INDEX registry_person_phone ON registry_person (phone_blind);
CREATE INDEX registry_person_lives_in ON registry_person (lives_in, id);
CREATE TABLE registry_search_key (
  key {text} NOT NULL,
  lives_in {text} NOT NULL,
  person_id {id} NOT NULL REFERENCES registry_person (id),
  PRIMARY KEY (key, lives_in, person_id)
);
CREATE TABLE registry_household (
  id {id} NOT NULL PRIMARY KEY,
  number {text} NOT NULL UNIQUE,
  roster_number {text},
  region {text} NOT NULL,
  address {text} NOT NULL,
  formed_on {date} NOT NULL,
  dissolved_on {date},
  recorded_at {instant} NOT NULL,
  recorded_by {id} NOT NULL,
  version {int} NOT NULL
);
CREATE INDEX registry_household_region ON registry_household (region, id);
CREATE UNIQUE INDEX registry_household_roster ON registry_household (roster_number, region);
CREATE TABLE registry_membership (
  id {id} NOT NULL PRIMARY KEY,
  household_id {id} NOT NULL REFERENCES registry_household (id),
  person_id {id} NOT NULL REFERENCES registry_person (id),
  kinship {text} NOT NULL,
  place_in_order {int} NOT NULL,
  since {date} NOT NULL,
  until {date},
  known_since {instant} NOT NULL,
  until_known_since {instant},
  why {text}
);
CREATE INDEX registry_membership_household ON registry_membership (household_id);
CREATE INDEX registry_membership_person ON registry_membership (person_id);
CREATE UNIQUE INDEX registry_membership_one_at_a_time ON registry_membership (person_id) WHERE until IS NULL;
CREATE TABLE registry_fact (
  id {id} NOT NULL PRIMARY KEY,
  subject_kind {text} NOT NULL,
  subject_id {id} NOT NULL,
  fact {text} NOT NULL,
  value {json} NOT NULL,
  valid_from {date},
  valid_until {date},
  known_since {instant} NOT NULL,
  source {text} NOT NULL,
  evidence {text},
  recorded_by {id} NOT NULL
);
{never_changes registry_fact};
CREATE INDEX registry_fact_subject ON registry_fact (subject_id, fact);
CREATE INDEX registry_fact_evidence ON registry_fact (evidence) WHERE evidence IS NOT NULL;
CREATE TABLE registry_account (
  id {id} NOT NULL PRIMARY KEY,
  person_id {id} NOT NULL REFERENCES registry_person (id),
  bank {text} NOT NULL,
  number_sealed {bytes} NOT NULL,
  number_blind {text} NOT NULL,
  holder {text} NOT NULL,
  kind {text} NOT NULL,
  agreement {text},
  recorded_at {instant} NOT NULL,
  recorded_by {id} NOT NULL,
  ended_at {instant}
);
CREATE INDEX registry_account_person ON registry_account (person_id);
CREATE UNIQUE INDEX registry_account_one_at_a_time ON registry_account (person_id) WHERE ended_at IS NULL;
CREATE TABLE registry_place (
  code {text} NOT NULL,
  since {date} NOT NULL,
  until {date},
  parent {text},
  name_zh {text} NOT NULL,
  name_en {text},
  PRIMARY KEY (code, since)
);
CREATE INDEX registry_place_parent ON registry_place (parent);
CREATE TABLE registry_import (
  id {id} NOT NULL PRIMARY KEY,
  content_hash {text} NOT NULL,
  region {text} NOT NULL,
  rows_read {int} NOT NULL,
  rows_rejected {int} NOT NULL,
  committed_at {instant} NOT NULL,
  committed_by {id} NOT NULL
);
CREATE INDEX registry_import_hash ON registry_import (content_hash);
",
};

/// Birthdays and ends of facts are found every day, without walking the people.
const LIFE_EVENTS: Migration = Migration {
    name: "0021_life_events",
    sql: "
CREATE INDEX registry_person_birth ON registry_person (birth_date, id);
CREATE INDEX registry_fact_ends ON registry_fact (valid_until, id) WHERE valid_until IS NOT NULL;
",
};

/// What changed since the last snapshot is found without walking the facts.
const CHANGES: Migration = Migration {
    name: "0022_registry_changes",
    sql: "
CREATE INDEX registry_fact_known ON registry_fact (known_since);
CREATE INDEX registry_fact_begins ON registry_fact (valid_from);
CREATE INDEX registry_person_registered ON registry_person (registered_at);
",
};

/// What people said to other departments' data about them being looked at.
const CONSENT: Migration = Migration {
    name: "0024_registry_consent",
    sql: "
CREATE TABLE registry_consent (
  id {id} NOT NULL PRIMARY KEY,
  person_id {id} NOT NULL REFERENCES registry_person (id),
  household_id {id} NOT NULL REFERENCES registry_household (id),
  region {text} NOT NULL,
  tie {text} NOT NULL,
  purpose {text} NOT NULL,
  way {text} NOT NULL,
  signed_on {date} NOT NULL,
  until {date},
  file_id {text},
  signed_by_id {id},
  reason {text} NOT NULL,
  officer_id {id} NOT NULL,
  at {instant} NOT NULL,
  withdrawn_on {date}
);
CREATE INDEX registry_consent_person ON registry_consent (person_id);
CREATE INDEX registry_consent_household ON registry_consent (household_id);
",
};

/// The migrations of this crate and of those it stands on, in order (全部建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = access::migrations();
    all.extend(MIGRATIONS.iter().cloned());
    all
}

/// Rows of `registry_person`.
pub(crate) mod person {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_person")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        pub document_kind: String,
        pub document_sealed: Option<Vec<u8>>,
        pub document_blind: Option<String>,
        pub sex: String,
        pub birth_date: Option<Date>,
        pub phone_sealed: Option<Vec<u8>>,
        pub phone_blind: Option<String>,
        pub hukou: Option<String>,
        pub lives_in: String,
        pub address: String,
        pub died_on: Option<Date>,
        pub registered_at: DateTimeUtc,
        pub registered_by: Uuid,
        pub version: i64,
        pub merged_into: Option<Uuid>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_search_key`.
pub(crate) mod search_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_search_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub lives_in: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_household`.
pub(crate) mod household {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_household")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub number: String,
        pub roster_number: Option<String>,
        pub region: String,
        pub address: String,
        pub formed_on: Date,
        pub dissolved_on: Option<Date>,
        pub recorded_at: DateTimeUtc,
        pub recorded_by: Uuid,
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_membership`.
pub(crate) mod membership {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_membership")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub household_id: Uuid,
        pub person_id: Uuid,
        pub kinship: String,
        pub place_in_order: i64,
        pub since: Date,
        pub until: Option<Date>,
        pub known_since: DateTimeUtc,
        pub until_known_since: Option<DateTimeUtc>,
        pub why: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_fact`.
pub(crate) mod fact {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_fact")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subject_kind: String,
        pub subject_id: Uuid,
        pub fact: String,
        pub value: Json,
        pub valid_from: Option<Date>,
        pub valid_until: Option<Date>,
        pub known_since: DateTimeUtc,
        pub source: String,
        pub evidence: Option<String>,
        pub recorded_by: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_account`.
pub(crate) mod account {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_account")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person_id: Uuid,
        pub bank: String,
        pub number_sealed: Vec<u8>,
        pub number_blind: String,
        pub holder: String,
        pub kind: String,
        pub agreement: Option<String>,
        pub recorded_at: DateTimeUtc,
        pub recorded_by: Uuid,
        pub ended_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_place`.
pub(crate) mod place {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_place")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub since: Date,
        pub until: Option<Date>,
        pub parent: Option<String>,
        pub name_zh: String,
        pub name_en: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_import`.
pub(crate) mod import {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_import")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub content_hash: String,
        pub region: String,
        pub rows_read: i64,
        pub rows_rejected: i64,
        pub committed_at: DateTimeUtc,
        pub committed_by: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_consent`.
pub(crate) mod consent {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_consent")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub person_id: Uuid,
        pub household_id: Uuid,
        pub region: String,
        pub tie: String,
        pub purpose: String,
        pub way: String,
        pub signed_on: Date,
        pub until: Option<Date>,
        pub file_id: Option<String>,
        pub signed_by_id: Option<Uuid>,
        pub reason: String,
        pub officer_id: Uuid,
        pub at: DateTimeUtc,
        pub withdrawn_on: Option<Date>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
