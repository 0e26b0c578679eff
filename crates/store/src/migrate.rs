//! Migrations (数据库迁移): one text for both databases, applied once, in order, each in its own transaction.
//!
//! A text is SQL with type words, because types are nearly all in which the two databases' DDL differs:
//!
//! | word | SQLite | PostgreSQL | for |
//! |---|---|---|---|
//! | `{id}` | `blob` | `uuid` | identifiers |
//! | `{date}` | `date` | `date` | `NaiveDate` |
//! | `{instant}` | `datetime` | `timestamptz` | `DateTime<Utc>` |
//! | `{fen}`, `{int}` | `bigint` | `bigint` | money, counts: `i64` |
//! | `{text}` | `text` | `text collate "C"` | text; sorted by bytes on both |
//! | `{json}` | `text` | `jsonb` | opaque JSON; its bytes are not kept, only its value |
//! | `{bool}` | `boolean` | `boolean` | `bool` |
//! | `{bytes}` | `blob` | `bytea` | sealed fields |
//!
//! A statement ends with `;` at the end of a line, so a trigger's body stays on one line. A statement that begins with the
//! line `-- only sqlite` or `-- only postgres` is for that database alone (triggers, mostly). The statement
//! `{never_changes ledger_transfer};` makes a table append-only: the database itself refuses update, delete and truncate.
//!
//! Guarantees: the SM3 of every applied text is kept; a text changed afterwards is refused, and so is a database newer
//! than the program. The texts themselves are kept too, which makes a backup restorable by itself. Deliberately absent:
//! a way down. What was wrong is put right by the next migration.

use crate::{Db, Engine, dialect, keys};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use std::collections::{BTreeMap, BTreeSet};

/// A migration (迁移): its name, numbered by crate (`"0020 registry"`), and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Unique and never changed.
    pub name: &'static str,
    /// SQL with type words, see the module.
    pub sql: &'static str,
}

/// As [`Migration`], owning its words: from a program or from a backup.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) sql: String,
}

impl Text {
    fn sm3(&self) -> String {
        keys::sm3_hex(self.sql.replace("\r\n", "\n").as_bytes())
    }
}

struct Applied {
    name: String,
    sm3: String,
    sql: String,
}

pub(crate) async fn migrate(db: &Db, migrations: &[Migration]) -> anyhow::Result<()> {
    let texts = migrations
        .iter()
        .map(|migration| Text {
            name: migration.name.to_owned(),
            sql: migration.sql.to_owned(),
        })
        .collect();
    apply(db, texts).await?;
    confirm_keys(db).await
}

pub(crate) async fn apply(db: &Db, texts: Vec<Text>) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    for text in &texts {
        ensure!(
            names.insert(&text.name),
            "migration “{}” is listed twice",
            text.name
        );
        statements(&text.sql, db.engine()).with_context(|| format!("migration “{}”", text.name))?;
    }
    // Two programs starting together on one PostgreSQL take turns. On SQLite the only writing connection is needed below.
    let turn = match db.engine() {
        Engine::Sqlite => None,
        Engine::Postgres => {
            let tx = db.begin().await?;
            dialect::lock_name(&tx, "store.migrate").await?;
            Some(tx)
        }
    };
    let outcome = apply_in_turn(db, texts).await;
    if let Some(tx) = turn {
        tx.rollback().await?;
    }
    outcome
}

async fn apply_in_turn(db: &Db, texts: Vec<Text>) -> anyhow::Result<()> {
    let conn = db.write_conn();
    let create = with_types(
        "create table if not exists store_migration (name {text} not null primary key, sm3 {text} not null, sql {text} not null, at {instant} not null)",
        db.engine(),
    )?;
    conn.execute_unprepared(&create).await?;
    let known: BTreeMap<&str, &Text> = texts
        .iter()
        .map(|text| (text.name.as_str(), text))
        .collect();
    for applied in applied(db).await? {
        let Some(text) = known.get(applied.name.as_str()) else {
            bail!(
                "数据库已执行迁移“{}”，而本程序没有它；请使用与数据库相同或更新的程序版本 (the database is newer than this program)",
                applied.name
            );
        };
        let kept = Text {
            name: applied.name,
            sql: applied.sql,
        };
        ensure!(
            text.sm3() == applied.sm3 && kept.sm3() == applied.sm3,
            "迁移“{}”执行之后文本被改动，已拒绝；请恢复原文并另写新的迁移 (an applied migration has changed)",
            kept.name
        );
    }
    let migrator = Migrator {
        texts,
        engine: db.engine(),
        at: db.now(),
    };
    migrator
        .up(conn, None)
        .await
        .context("数据库迁移失败 (migrating)")
}

/// The applied texts, in the order in which they were applied.
pub(crate) async fn applied_texts(conn: &impl ConnectionTrait) -> anyhow::Result<Vec<Text>> {
    Ok(rows(conn)
        .await?
        .into_iter()
        .map(|row| Text {
            name: row.name,
            sql: row.sql,
        })
        .collect())
}

async fn applied(db: &Db) -> anyhow::Result<Vec<Applied>> {
    rows(db.write_conn()).await
}

async fn rows(conn: &impl ConnectionTrait) -> anyhow::Result<Vec<Applied>> {
    let all = Statement::from_string(
        conn.get_database_backend(),
        "select name, sm3, sql from store_migration order by at, name",
    );
    conn.query_all_raw(all)
        .await?
        .into_iter()
        .map(|row| {
            Ok(Applied {
                name: row.try_get("", "name")?,
                sm3: row.try_get("", "sm3")?,
                sql: row.try_get("", "sql")?,
            })
        })
        .collect()
}

/// The first start writes the keys' fingerprint down; later starts must bring the same keys.
///
/// Without this, a lost key file would quietly be replaced by a fresh one and every sealed field would be unreadable.
async fn confirm_keys(db: &Db) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    let backend = tx.conn().get_database_backend();
    let print = db.keys().fingerprint();
    let stored = tx
        .conn()
        .query_one_raw(Statement::from_string(
            backend,
            "select value from store_setting where name = 'keys.fingerprint'",
        ))
        .await?;
    match stored {
        Some(row) => {
            let stored: String = row.try_get("", "value")?;
            ensure!(
                stored == print,
                "密钥文件与数据库不符：请使用建库时的密钥文件 (these are not the keys this database was sealed with)"
            );
            tx.rollback().await
        }
        None => {
            tx.conn()
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    "insert into store_setting (name, value) values ('keys.fingerprint', $1)",
                    [print.into()],
                ))
                .await?;
            tx.commit().await
        }
    }
}

struct Migrator {
    texts: Vec<Text>,
    engine: Engine,
    at: DateTime<Utc>,
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let mut at = self.at;
        self.texts
            .iter()
            .map(|text| {
                // One microsecond apart, so that the order of application can be read back.
                at += chrono::Duration::microseconds(1);
                Box::new(Step {
                    text: text.clone(),
                    engine: self.engine,
                    at,
                }) as Box<dyn MigrationTrait>
            })
            .collect()
    }
}

struct Step {
    text: Text,
    engine: Engine,
    at: DateTime<Utc>,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        &self.text.name
    }
}

#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let conn = manager.get_connection();
        let parts = statements(&self.text.sql, self.engine)
            .map_err(|fault| DbErr::Migration(fault.to_string()))?;
        for part in parts {
            conn.execute_unprepared(&part).await.map_err(|fault| {
                let begin: String = part.chars().take(80).collect();
                DbErr::Migration(format!(
                    "migration “{}”, at “{begin}…”: {fault}",
                    self.text.name
                ))
            })?;
        }
        conn.execute_raw(Statement::from_sql_and_values(
            conn.get_database_backend(),
            "insert into store_migration (name, sm3, sql, at) values ($1, $2, $3, $4)",
            [
                self.text.name.clone().into(),
                self.text.sm3().into(),
                self.text.sql.clone().into(),
                self.at.into(),
            ],
        ))
        .await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The statements of a text for one engine.
fn statements(text: &str, engine: Engine) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut only = None;
    for line in text.lines() {
        let bare = line.trim();
        if current.is_empty() {
            match bare {
                "-- only sqlite" => only = Some(Engine::Sqlite),
                "-- only postgres" => only = Some(Engine::Postgres),
                _ => {}
            }
        }
        if bare.is_empty() || bare.starts_with("--") {
            continue;
        }
        current.push_str(line);
        current.push('\n');
        if bare.ends_with(';') {
            let statement = std::mem::take(&mut current);
            if only.take().is_some_and(|wanted| wanted != engine) {
                continue;
            }
            match append_only_table(&statement)? {
                Some(table) => found.extend(append_only(table, engine)),
                None => found.push(with_types(&statement, engine)?),
            }
        }
    }
    ensure!(
        current.trim().is_empty(),
        "the last statement does not end with “;”"
    );
    Ok(found)
}

/// The table of a `{never_changes …};` statement.
fn append_only_table(statement: &str) -> anyhow::Result<Option<&str>> {
    let Some(rest) = statement.trim().strip_prefix("{never_changes ") else {
        return Ok(None);
    };
    let table = rest
        .strip_suffix("};")
        .context("“{never_changes table};” stands alone on its line")?
        .trim();
    ensure!(
        table
            .bytes()
            .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_'),
        "“{table}” is not a table's name"
    );
    Ok(Some(table))
}

fn append_only(table: &str, engine: Engine) -> Vec<String> {
    match engine {
        Engine::Sqlite => ["update", "delete"]
            .map(|act| {
                format!(
                    "create trigger {table}_no_{act} before {act} on {table} begin select raise(abort, '{table} is append-only'); end;"
                )
            })
            .to_vec(),
        // store_refuse_change comes with this crate's first migration.
        Engine::Postgres => vec![
            format!("create trigger {table}_no_change before update or delete on {table} for each row execute function store_refuse_change();"),
            format!("create trigger {table}_no_truncate before truncate on {table} for each statement execute function store_refuse_change();"),
        ],
    }
}

fn with_types(sql: &str, engine: Engine) -> anyhow::Result<String> {
    const WORDS: [(&str, &str, &str); 9] = [
        ("{id}", "blob", "uuid"),
        ("{date}", "date", "date"),
        ("{instant}", "datetime", "timestamptz"),
        ("{fen}", "bigint", "bigint"),
        ("{int}", "bigint", "bigint"),
        ("{text}", "text", "text collate \"C\""),
        ("{json}", "text", "jsonb"),
        ("{bool}", "boolean", "boolean"),
        ("{bytes}", "blob", "bytea"),
    ];
    let mut sql = sql.to_owned();
    for (word, sqlite, postgres) in WORDS {
        sql = sql.replace(
            word,
            match engine {
                Engine::Sqlite => sqlite,
                Engine::Postgres => postgres,
            },
        );
    }
    if let Some(start) = sql.find('{') {
        let word: String = sql[start..].chars().take(20).collect();
        bail!("unknown type word at “{word}”");
    }
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_each_engines_own_statements() {
        let text = "-- what for\ncreate table a (\n  id {id} primary key,\n  name {text} not null\n);\n-- only sqlite\ncreate trigger t; select 1; end;\n-- only postgres\ncreate x;\n";
        let sqlite = statements(text, Engine::Sqlite).unwrap();
        assert_eq!(sqlite.len(), 2);
        assert!(sqlite[0].contains("id blob primary key") && sqlite[1].contains("trigger"));
        let postgres = statements(text, Engine::Postgres).unwrap();
        assert_eq!(postgres.len(), 2);
        assert!(postgres[0].contains("name text collate \"C\" not null"));
        assert_eq!(postgres[1], "create x;\n");
    }

    #[test]
    fn an_append_only_table_gets_its_triggers() {
        let found = statements("{never_changes ledger_transfer};\n", Engine::Sqlite).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[1].starts_with("create trigger ledger_transfer_no_delete before delete"));
        assert!(statements("{never_changes a; drop table b};\n", Engine::Sqlite).is_err());
    }

    #[test]
    fn a_wrong_type_word_and_a_missing_end_are_refused() {
        assert!(statements("create table a (b {money});\n", Engine::Sqlite).is_err());
        assert!(statements("create table a (b {int})\n", Engine::Sqlite).is_err());
    }
}
