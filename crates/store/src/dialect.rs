//! Where the two databases must be spoken to differently (方言): searching, locking, nothing else.
//!
//! Guarantees: a caller of these functions needs no `match` on the engine. Entities' own `lock_exclusive()` is already
//! neutral (SeaORM leaves it out on SQLite); [`for_update`] is for hand-written SQL. Deliberately absent: anything that
//! could be written in the SQL both share.

use crate::{Engine, Tx};
use anyhow::Context;
use sea_orm::sea_query::extension::postgres::PgExpr;
use sea_orm::sea_query::{ExprTrait, IntoColumnRef, LikeExpr, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, RuntimeErr, SqlErr, Statement, Value};

/// The row-locking words (行锁) to put at the end of a hand-written `select`; empty on SQLite, where a writing
/// transaction already has the whole database.
pub fn for_update(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " for update",
    }
}

/// As [`for_update`], but rows somebody else holds are passed over (跳过已锁行).
pub fn for_update_skip_locked(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " for update skip locked",
    }
}

/// Text typed by a person with the pattern signs taken out of force (转义), for `like … escape '\'`.
pub fn escape_like(typed: &str) -> String {
    let mut pattern = String::with_capacity(typed.len());
    for sign in typed.chars() {
        if matches!(sign, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern
}

/// Rows whose column contains the typed text (包含), Latin letters in either case.
pub fn contains(engine: Engine, column: impl IntoColumnRef, typed: &str) -> SimpleExpr {
    like(engine, column, format!("%{}%", escape_like(typed)))
}

/// Rows whose column begins with the typed text (以…开头), Latin letters in either case.
pub fn starts_with(engine: Engine, column: impl IntoColumnRef, typed: &str) -> SimpleExpr {
    like(engine, column, format!("{}%", escape_like(typed)))
}

fn like(engine: Engine, column: impl IntoColumnRef, pattern: String) -> SimpleExpr {
    let column = SimpleExpr::Column(column.into_column_ref());
    match engine {
        // SQLite's LIKE takes A and a for the same letter already.
        Engine::Sqlite => column.like(LikeExpr::new(pattern).escape('\\')),
        // PostgreSQL escapes with a backslash unasked; the query builder's `ESCAPE` after `ILIKE` is a syntax error.
        Engine::Postgres => column.ilike(pattern),
    }
}

/// Holds the name (具名锁) until the transaction ends: two transactions that hold the same name follow one another.
///
/// Nothing to do on SQLite: a writing transaction there is alone anyway.
pub async fn lock_name(tx: &Tx, name: &str) -> anyhow::Result<()> {
    match tx.engine() {
        Engine::Sqlite => Ok(()),
        Engine::Postgres => {
            let hash = crate::keys::sm3(name.as_bytes());
            let mut key = [0; 8];
            key.copy_from_slice(&hash[..8]);
            tx.conn()
                .execute_raw(Statement::from_sql_and_values(
                    DbBackend::Postgres,
                    "select pg_advisory_xact_lock($1)",
                    [i64::from_be_bytes(key).into()],
                ))
                .await
                .with_context(|| format!("waiting for the name {name}"))?;
            Ok(())
        }
    }
}

/// Whether the whole transaction may simply be tried again (可重试): it lost a race and changed nothing.
pub fn is_retryable(fault: &anyhow::Error) -> bool {
    // SQLite: busy, busy for recovery, busy snapshot. PostgreSQL: serialization failure, deadlock, lock not available.
    const CODES: [&str; 6] = ["5", "261", "517", "40001", "40P01", "55P03"];
    fault
        .chain()
        .filter_map(|cause| cause.downcast_ref::<DbErr>())
        .filter_map(|fault| match fault {
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner))
            | DbErr::Conn(RuntimeErr::SqlxError(inner)) => inner.as_database_error()?.code(),
            _ => None,
        })
        .any(|code| CODES.contains(&code.as_ref()))
}

/// Whether a row was refused because an equal one exists (违反唯一性).
pub fn is_duplicate(fault: &DbErr) -> bool {
    matches!(fault.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Draws from a counter (取号): a statement that counts on and returns `last`. It both draws and locks the counter until the
/// transaction ends, so no number is drawn twice.
///
/// # Errors
/// Faults of the database.
pub async fn draw(
    tx: &Tx,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> anyhow::Result<i64> {
    let backend = match tx.engine() {
        Engine::Sqlite => DbBackend::Sqlite,
        Engine::Postgres => DbBackend::Postgres,
    };
    let row = tx
        .conn()
        .query_one_raw(Statement::from_sql_and_values(backend, sql, values))
        .await
        .context("drawing a number")?
        .context("the counter gave no answer")?;
    row.try_get("", "last").context("reading the counter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_signs_lose_their_force() {
        assert_eq!(escape_like(r"100%_张\"), r"100\%\_张\\");
    }
}
