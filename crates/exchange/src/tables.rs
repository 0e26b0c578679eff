//! The exchange's tables (交换数据表).
//!
//! Guarantees: one file a run, never changed. Deliberately absent: contents – they are sealed files of `store`.

use store::Migration;

/// The exchange's own migrations (交换建表).
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "0050_exchange",
    sql: EXCHANGE,
}];

/// All migrations the exchange needs, lower crates first (含下层的建表).
pub fn migrations() -> Vec<Migration> {
    let mut all = registry::migrations();
    for migration in ledger::migrations()
        .into_iter()
        .chain(MIGRATIONS.iter().copied())
    {
        if !all.contains(&migration) {
            all.push(migration);
        }
    }
    all
}

const EXCHANGE: &str = "
CREATE TABLE exchange_bank_file (
  run_id {id} NOT NULL PRIMARY KEY,
  csv_file {id} NOT NULL,
  xlsx_file {id} NOT NULL,
  sm3 {text} NOT NULL,
  lines {int} NOT NULL,
  total {fen} NOT NULL,
  made_at {instant} NOT NULL,
  made_by {id} NOT NULL
);
{never_changes exchange_bank_file};
";

/// The file of a run (批次银行文件行).
pub(crate) mod bank_file {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "exchange_bank_file")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) run_id: Uuid,
        pub(crate) csv_file: Uuid,
        pub(crate) xlsx_file: Uuid,
        pub(crate) sm3: String,
        pub(crate) lines: i64,
        pub(crate) total: i64,
        pub(crate) made_at: DateTimeUtc,
        pub(crate) made_by: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
