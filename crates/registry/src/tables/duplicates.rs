//! Tables of duplicate records (重复登记的数据表): blocks to find candidates by, pairs to look at, merges.
//!
//! Blocks are blinded, for some are made of identity and phone numbers. A pair stands once, the smaller identifier first. A merge
//! is never removed: undone, it ends. `registry_person.merged_into` says at once what the open merges say.

use store::Migration;

/// Duplicates and merges.
pub(crate) const DUPLICATES: Migration = Migration {
    name: "0025_registry_duplicates",
    sql: "
ALTER TABLE registry_person ADD COLUMN merged_into {id};
CREATE INDEX registry_person_merged ON registry_person (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE registry_match_key (
  key {int} NOT NULL,
  person_id {id} NOT NULL REFERENCES registry_person (id),
  PRIMARY KEY (key, person_id)
);
CREATE TABLE registry_match_state (
  person_id {id} NOT NULL PRIMARY KEY REFERENCES registry_person (id),
  version {int} NOT NULL,
  keys {bytes} NOT NULL,
  compared_version {int} NOT NULL
);
CREATE TABLE registry_match_model (
  id {id} NOT NULL PRIMARY KEY,
  learned_at {instant} NOT NULL,
  people {int} NOT NULL,
  pairs {int} NOT NULL,
  numbers {json} NOT NULL
);
CREATE INDEX registry_match_model_learned ON registry_match_model (learned_at);
CREATE TABLE registry_match_pair (
  id {id} NOT NULL PRIMARY KEY,
  a {id} NOT NULL REFERENCES registry_person (id),
  b {id} NOT NULL REFERENCES registry_person (id),
  region_a {text} NOT NULL,
  region_b {text} NOT NULL,
  probability {int} NOT NULL,
  levels {int} NOT NULL,
  outcome {text} NOT NULL,
  state {text} NOT NULL,
  found_at {instant} NOT NULL,
  state_at {instant} NOT NULL,
  state_by {id} NOT NULL,
  reason {text} NOT NULL,
  again_on {date},
  UNIQUE (a, b),
  CHECK (a < b)
);
CREATE INDEX registry_match_pair_state ON registry_match_pair (state, region_a, region_b);
CREATE INDEX registry_match_pair_b ON registry_match_pair (b);
CREATE TABLE registry_merge (
  id {id} NOT NULL PRIMARY KEY,
  survivor_id {id} NOT NULL REFERENCES registry_person (id),
  merged_id {id} NOT NULL REFERENCES registry_person (id),
  survivor_region {text} NOT NULL,
  merged_region {text} NOT NULL,
  choices {json} NOT NULL,
  reason {text} NOT NULL,
  two_people {bool} NOT NULL,
  prepared_at {instant} NOT NULL,
  prepared_by {id} NOT NULL,
  done_at {instant},
  done_by {id},
  before {json},
  ended_at {instant},
  ended_by {id},
  ended_why {text},
  CHECK (survivor_id <> merged_id)
);
CREATE UNIQUE INDEX registry_merge_once ON registry_merge (merged_id) WHERE ended_at IS NULL;
CREATE INDEX registry_merge_merged ON registry_merge (merged_id);
CREATE INDEX registry_merge_survivor ON registry_merge (survivor_id);
CREATE INDEX registry_merge_done ON registry_merge (done_at);
CREATE INDEX registry_merge_ended ON registry_merge (ended_at);
",
};

/// Households somebody judged to be two, the smaller identifier first.
pub(crate) const HOMES: Migration = Migration {
    name: "0026_registry_homes",
    sql: "
CREATE TABLE registry_home_different (
  one {id} NOT NULL REFERENCES registry_household (id),
  other {id} NOT NULL REFERENCES registry_household (id),
  reason {text} NOT NULL,
  at {instant} NOT NULL,
  officer_id {id} NOT NULL,
  PRIMARY KEY (one, other),
  CHECK (one < other)
);
CREATE INDEX registry_home_different_other ON registry_home_different (other);
",
};

/// Rows of `registry_match_key`.
pub(crate) mod match_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_match_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_match_state`: the blocks written for a person, at which version, and at which version it was compared.
pub(crate) mod match_state {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_match_state")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: Uuid,
        pub version: i64,
        pub keys: Vec<u8>,
        pub compared_version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_match_model`.
pub(crate) mod match_model {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_match_model")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub learned_at: DateTimeUtc,
        pub people: i64,
        pub pairs: i64,
        pub numbers: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_match_pair`.
pub(crate) mod match_pair {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_match_pair")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub a: Uuid,
        pub b: Uuid,
        pub region_a: String,
        pub region_b: String,
        pub probability: i64,
        pub levels: i64,
        pub outcome: String,
        pub state: String,
        pub found_at: DateTimeUtc,
        pub state_at: DateTimeUtc,
        pub state_by: Uuid,
        pub reason: String,
        pub again_on: Option<Date>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows of `registry_merge`.
pub(crate) mod merge {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registry_merge")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub survivor_id: Uuid,
        pub merged_id: Uuid,
        pub survivor_region: String,
        pub merged_region: String,
        pub choices: Json,
        pub reason: String,
        pub two_people: bool,
        pub prepared_at: DateTimeUtc,
        pub prepared_by: Uuid,
        pub done_at: Option<DateTimeUtc>,
        pub done_by: Option<Uuid>,
        pub before: Option<Json>,
        pub ended_at: Option<DateTimeUtc>,
        pub ended_by: Option<Uuid>,
        pub ended_why: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
