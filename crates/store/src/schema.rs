//! What tables there are (表结构), in words both databases share: for generated lists and for proving both equal.
//!
//! Guarantees: the same migrations give the same answer on both engines. Deliberately absent: types. They differ by name
//! on purpose, and [`crate::migrate`] is where they are paired.

use crate::{Db, Engine};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

/// A table (表).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name; the word before the first `_` is the owning room.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The indexes that were named, in order of name.
    pub indexes: Vec<String>,
}

/// A column (列).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it always has a value.
    pub required: bool,
    /// Whether it belongs to the primary key.
    pub key: bool,
}

const SQLITE_COLUMNS: &str = r#"
select m.name as "table", c.name as name, cast(c."notnull" <> 0 or c.pk > 0 as boolean) as required, cast(c.pk > 0 as boolean) as key
from sqlite_schema m, pragma_table_info(m.name) c
where m.type = 'table' and m.name not like 'sqlite~_%' escape '~'
order by m.name, c.cid"#;
const SQLITE_INDEXES: &str = r#"
select tbl_name as "table", name from sqlite_schema where type = 'index' and sql is not null order by tbl_name, name"#;
const POSTGRES_COLUMNS: &str = r#"
select c.relname::text as "table", a.attname::text as name, a.attnotnull as required,
  exists (select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as key
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
order by c.relname, a.attnum"#;
const POSTGRES_INDEXES: &str = r#"
select t.relname::text as "table", x.relname::text as name
from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
where t.relnamespace = current_schema()::regnamespace
  and not exists (select 1 from pg_constraint k where k.conindid = x.oid and k.conrelid = t.oid)
order by t.relname, x.relname"#;

/// All tables (所有表), in order of name.
pub async fn tables(db: &Db) -> anyhow::Result<Vec<Table>> {
    let (columns, indexes) = match db.engine() {
        Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_INDEXES),
        Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_INDEXES),
    };
    let mut tables: Vec<Table> = Vec::new();
    for row in ask(db, columns).await? {
        let name: String = row.try_get("", "table")?;
        let column = Column {
            name: row.try_get("", "name")?,
            required: row.try_get("", "required")?,
            key: row.try_get("", "key")?,
        };
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table {
                name,
                columns: vec![column],
                indexes: Vec::new(),
            }),
        }
    }
    for row in ask(db, indexes).await? {
        let name: String = row.try_get("", "table")?;
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.indexes.push(row.try_get("", "name")?);
        }
    }
    Ok(tables)
}

async fn ask(db: &Db, sql: &str) -> anyhow::Result<Vec<QueryResult>> {
    let backend = db.conn().get_database_backend();
    Ok(db
        .conn()
        .query_all_raw(Statement::from_string(backend, sql))
        .await?)
}
