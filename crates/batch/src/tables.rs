//! The tables of this room (统计数据表).
//!
//! Guarantees: a number stands once for each place, month, programme and group, by its key. Deliberately absent: names; and
//! leads, which are the desk's.

use store::Migration;

/// The own migrations (建表).
pub const MIGRATIONS: &[Migration] = &[STATISTICS];

/// Aggregates, what each thing adds to them, and up to which journal entry they go.
const STATISTICS: Migration = Migration {
    name: "0055_statistics",
    sql: "
CREATE TABLE batch_figure (
  measure {text} NOT NULL,
  month {text} NOT NULL,
  region {text} NOT NULL,
  programme {text} NOT NULL,
  grouping_word {text} NOT NULL,
  value {text} NOT NULL,
  counted {int} NOT NULL,
  persons {int} NOT NULL,
  amount {fen} NOT NULL,
  PRIMARY KEY (measure, grouping_word, month, region, programme, value)
);
CREATE TABLE batch_share (
  kind {text} NOT NULL,
  id {id} NOT NULL,
  share {text} NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE TABLE batch_mark (
  name {text} NOT NULL PRIMARY KEY,
  seq {int} NOT NULL,
  edition {int} NOT NULL,
  moved_at {instant}
);
INSERT INTO batch_mark (name, seq, edition, moved_at) VALUES ('statistics', 0, 0, NULL);
",
};

/// All migrations needed, lower crates first (含下层的建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = casework::migrations();
    all.extend(MIGRATIONS.iter().copied());
    all
}

/// Aggregates (统计数行): one number of one place, month, programme and group.
pub(crate) mod figure {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "batch_figure")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) measure: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) month: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) region: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) programme: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) grouping_word: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) value: String,
        pub(crate) counted: i64,
        pub(crate) persons: i64,
        pub(crate) amount: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What each case and line adds to the aggregates now (统计份额行).
pub(crate) mod share {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "batch_share")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) kind: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) share: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Up to which journal entry the aggregates go (统计进度行).
pub(crate) mod mark {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "batch_mark")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) name: String,
        pub(crate) seq: i64,
        /// The edition of the measures they were added up by; another one means a recount.
        pub(crate) edition: i64,
        pub(crate) moved_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
