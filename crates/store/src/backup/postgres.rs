//! PostgreSQL's rows as parts (PostgreSQL 备份): the migrations' texts and every table as JSON lines.
//!
//! Guarantees: all tables are read in one repeatable-read snapshot; rows come back through the column types themselves
//! (`json_populate_recordset`), in one transaction, with foreign keys checked again at its end. Deliberately absent:
//! roles, grants and settings of the server, which belong to whoever runs it.

use super::Manifest;
use crate::journal::{self, Head};
use crate::migrate::{self, Text};
use crate::sealed::{Opener, Sealer};
use crate::{Db, Tx};
use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

const MIGRATIONS: &str = "migrations.jsonl.gz.sealed";
const TABLES: &str = "tables";
const END: &str = ".jsonl.gz.sealed";
/// How many rows are read at a time.
const FETCH: u32 = 2_000;
/// How many bytes of rows are written in one statement.
const INSERT_BYTES: usize = 1024 * 1024;

pub(super) async fn dump(db: &Db, folder: &Path) -> anyhow::Result<(Vec<String>, Option<Head>)> {
    let moment = db.snapshot().await?;
    let head = journal::head_in(&moment).await?;
    let mut names = vec![MIGRATIONS.to_owned()];
    let mut part = packed(db, folder, MIGRATIONS)?;
    for text in migrate::applied_texts(&moment).await? {
        writeln!(part, "{}", serde_json::json!([text.name, text.sql]))?;
    }
    part.finish()?.finish()?;
    for table in tables(&moment).await? {
        let name = format!("{TABLES}/{table}{END}");
        let mut part = packed(db, folder, &name)?;
        let columns = columns(&moment, &table).await?;
        moment
            .execute_unprepared(&format!(
                "declare part no scroll cursor for select row_to_json(r)::text as line from (select {columns} from {}) r",
                quoted(&table)
            ))
            .await?;
        loop {
            let rows = ask(&moment, &format!("fetch {FETCH} from part")).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let line: String = row.try_get("", "line")?;
                writeln!(part, "{line}")?;
            }
        }
        moment.execute_unprepared("close part").await?;
        part.finish()?.finish()?;
        names.push(name);
    }
    moment.rollback().await?;
    Ok((names, head))
}

pub(super) async fn is_empty(db: &Db) -> anyhow::Result<bool> {
    let any = ask(
        db.conn(),
        "select 1 as one from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'f') limit 1",
    );
    Ok(any.await?.is_empty())
}

pub(super) async fn load(db: &Db, from: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let mut texts = Vec::new();
    for line in unpacked(db, from, MIGRATIONS)?.lines() {
        let (name, sql) = serde_json::from_str(&line?)?;
        texts.push(Text { name, sql });
    }
    migrate::apply(db, texts).await?;
    let tx = db.begin().await?;
    let conn = tx.conn();
    let tables = tables(conn).await?;
    let listed = tables
        .iter()
        .map(|table| quoted(table))
        .collect::<Vec<_>>()
        .join(", ");
    ensure!(!tables.is_empty(), "the backup made no tables");
    let foreign = ask(
        conn,
        "select conrelid::regclass::text as owner, quote_ident(conname) as name, pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace order by 1, 2",
    )
    .await?
    .iter()
    .map(|row| anyhow::Ok((row.try_get("", "owner")?, row.try_get("", "name")?, row.try_get("", "definition")?)))
    .collect::<anyhow::Result<Vec<(String, String, String)>>>()?;
    // Rows come table by table and may refer to each other: the references are taken off and checked when put on again.
    for (owner, name, _) in &foreign {
        conn.execute_unprepared(&format!("alter table {owner} drop constraint {name}"))
            .await?;
    }
    for table in &tables {
        conn.execute_unprepared(&format!(
            "alter table {} disable trigger user",
            quoted(table)
        ))
        .await?;
    }
    // What migrations put in themselves comes again with the rows.
    conn.execute_unprepared(&format!("truncate {listed}"))
        .await?;
    for table in &tables {
        let name = format!("{TABLES}/{table}{END}");
        ensure!(
            manifest.parts.iter().any(|part| part.name == name),
            "the backup has no rows for table {table}"
        );
        fill(db, &tx, from, &name, table).await?;
    }
    for table in &tables {
        conn.execute_unprepared(&format!(
            "alter table {} enable trigger user",
            quoted(table)
        ))
        .await?;
    }
    for (owner, name, definition) in &foreign {
        conn.execute_unprepared(&format!(
            "alter table {owner} add constraint {name} {definition}"
        ))
        .await?;
    }
    tx.commit().await
}

async fn fill(db: &Db, tx: &Tx, from: &Path, part: &str, table: &str) -> anyhow::Result<()> {
    let columns = columns(tx.conn(), table).await?;
    let table = quoted(table);
    let insert = format!(
        "insert into {table} ({columns}) select {columns} from json_populate_recordset(null::{table}, $1::text::json)"
    );
    let mut rows = String::new();
    for line in unpacked(db, from, part)?.lines() {
        rows.push(if rows.is_empty() { '[' } else { ',' });
        rows.push_str(&line?);
        if rows.len() >= INSERT_BYTES {
            put(tx, &insert, &mut rows).await?;
        }
    }
    if !rows.is_empty() {
        put(tx, &insert, &mut rows).await?;
    }
    Ok(())
}

async fn put(tx: &Tx, insert: &str, rows: &mut String) -> anyhow::Result<()> {
    rows.push(']');
    let batch = std::mem::take(rows);
    tx.conn()
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            insert,
            [batch.into()],
        ))
        .await
        .context("写入备份数据失败 (restoring rows)")?;
    Ok(())
}

async fn tables(conn: &impl ConnectionTrait) -> anyhow::Result<Vec<String>> {
    let rows = ask(
        conn,
        "select relname::text as name from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' order by relname",
    );
    rows.await?
        .iter()
        .map(|row| Ok(row.try_get("", "name")?))
        .collect()
}

async fn columns(conn: &impl ConnectionTrait, table: &str) -> anyhow::Result<String> {
    let rows = conn
        .query_all_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            "select attname::text as name from pg_attribute where attrelid = to_regclass(quote_ident($1)) and attnum > 0 and not attisdropped and attgenerated = '' order by attnum",
            [table.into()],
        ))
        .await?;
    let names = rows
        .iter()
        .map(|row| Ok(quoted(&row.try_get::<String>("", "name")?)))
        .collect::<anyhow::Result<Vec<String>>>()?;
    Ok(names.join(", "))
}

async fn ask(conn: &impl ConnectionTrait, sql: &str) -> anyhow::Result<Vec<QueryResult>> {
    Ok(conn
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn packed(db: &Db, folder: &Path, name: &str) -> anyhow::Result<GzEncoder<Sealer>> {
    let part = Sealer::create(folder, name, db.keys())?;
    Ok(GzEncoder::new(part, Compression::fast()))
}

fn unpacked(db: &Db, folder: &Path, name: &str) -> anyhow::Result<impl BufRead> {
    let part = Opener::open(folder, name, db.keys())
        .with_context(|| format!("opening the part {name}"))?;
    Ok(BufReader::new(GzDecoder::new(part)))
}
