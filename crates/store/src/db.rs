//! The handle (数据库句柄): one for SQLite and PostgreSQL, with a pool that only reads and a pool that writes.
//!
//! Guarantees: what [`Db::conn`] gives cannot write on either engine, so every change goes through [`Db::begin`] and can
//! leave a trace; SQLite runs with WAL, `synchronous=FULL` and foreign keys, its writing pool has one connection and
//! every transaction on it begins IMMEDIATE, so writers queue instead of failing half-way. Deliberately absent: retries.
//! Never ask for a second transaction while holding one: on SQLite the second waits for the first until it times out.

use crate::{Clock, Files, Keys, Migration, Tx};
use crate::{clock, id_source::IdSource, migrate};
use anyhow::{Context, bail, ensure};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a writer waits for its turn before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const SQLITE_READERS: u32 = 8;
const POSTGRES_READERS: u32 = 12;
const POSTGRES_WRITERS: u32 = 12;

/// Which database stands behind the handle (数据库引擎).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// The embedded file.
    Sqlite,
    /// The server.
    Postgres,
}

/// What is needed to open a database (打开参数).
pub struct Open {
    /// `sqlite://folder/file.db` or `postgres://user@host:port/name`.
    pub url: String,
    /// The keys for sealed fields, files and signatures.
    pub keys: Keys,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// A seed for repeatable identifiers; `None` takes them from the operating system.
    pub seed: Option<u64>,
    /// The folder of evidence files.
    pub files: PathBuf,
}

/// The database (数据库). Cheap to clone; all clones share one pair of pools.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    engine: Engine,
    read: DatabaseConnection,
    write: DatabaseConnection,
    shared: Shared,
}

/// What a handle and its transactions have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<IdSource>,
    pub(crate) files: Files,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.0.engine)
    }
}

impl Db {
    /// Opens the database; a SQLite file and the folders are made when missing, tables are not (see [`Db::migrate`]).
    pub async fn open(open: Open) -> anyhow::Result<Self> {
        let engine = engine_of(&open.url)?;
        let (write, read) = match engine {
            Engine::Sqlite => open_sqlite(&sqlite_path(&open.url)?).await?,
            Engine::Postgres => open_postgres(&open.url).await?,
        };
        std::fs::create_dir_all(&open.files).with_context(|| {
            format!(
                "无法创建文件目录 {} (creating the folder)",
                open.files.display()
            )
        })?;
        let shared = Shared {
            files: Files::new(open.files, open.keys.clone()),
            keys: open.keys,
            clock: open.clock,
            ids: Arc::new(IdSource::new(open.seed)?),
        };
        Ok(Self(Arc::new(Inner {
            engine,
            read,
            write,
            shared,
        })))
    }

    /// Applies the migrations that are not applied yet, each in its own transaction.
    ///
    /// Refuses when an applied text has changed since, when the database knows a migration this program does not, and when
    /// the database was sealed with other keys.
    pub async fn migrate(&self, migrations: &[Migration]) -> anyhow::Result<()> {
        migrate::migrate(self, migrations).await
    }

    /// Begins a writing transaction (写事务).
    pub async fn begin(&self) -> anyhow::Result<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self
            .0
            .write
            .begin_with_options(options)
            .await
            .context("等待写入数据库超时或失败，请稍后重试 (waiting to write)")?;
        Ok(Tx::new(transaction, self.0.engine, self.0.shared.clone()))
    }

    /// Begins a reading transaction that sees one moment only (快照), however long it reads.
    pub async fn snapshot(&self) -> anyhow::Result<DatabaseTransaction> {
        let options = match self.0.engine {
            Engine::Sqlite => TransactionOptions::default(),
            Engine::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                sqlite_transaction_mode: None,
            },
        };
        Ok(self.0.read.begin_with_options(options).await?)
    }

    /// The connections for reading; writing through them fails.
    pub fn conn(&self) -> &DatabaseConnection {
        &self.0.read
    }

    pub(crate) fn write_conn(&self) -> &DatabaseConnection {
        &self.0.write
    }

    /// This instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.shared.now()
    }

    /// This day in China (Asia/Shanghai).
    pub fn today(&self) -> NaiveDate {
        clock::shanghai_day(self.now())
    }

    /// A fresh identifier (UUID version 7).
    pub fn new_id(&self) -> Uuid {
        self.0.shared.ids.next(self.now())
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.0.shared.keys
    }

    /// The evidence files.
    pub fn files(&self) -> &Files {
        &self.0.shared.files
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.shared.clock
    }

    /// Which database this is.
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Whether the database answers (健康检查). Does not wait for a writer: a long import is not an illness.
    pub async fn ping(&self) -> anyhow::Result<()> {
        self.0
            .read
            .execute_unprepared("select 1")
            .await
            .context("数据库没有响应 (the database does not answer)")?;
        Ok(())
    }

    /// Closes both pools after the work in hand (关闭); SQLite's log is folded into its file.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.0.read.close_by_ref().await?;
        if self.0.engine == Engine::Sqlite {
            let fold = "pragma optimize; pragma wal_checkpoint(truncate);";
            self.0.write.execute_unprepared(fold).await?;
        }
        self.0.write.close_by_ref().await?;
        Ok(())
    }
}

impl Shared {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        // PostgreSQL keeps microseconds: a finer instant would not come back equal.
        self.clock.now().trunc_subsecs(6)
    }
}

/// Which database a URL names.
pub(crate) fn engine_of(url: &str) -> anyhow::Result<Engine> {
    if url.starts_with("sqlite:") {
        Ok(Engine::Sqlite)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(Engine::Postgres)
    } else {
        // The URL may hold a password: it is not repeated here.
        bail!(
            "数据库地址应以 sqlite:// 或 postgres:// 开头 (the database URL begins with sqlite:// or postgres://)"
        )
    }
}

/// The file a SQLite URL names.
pub(crate) fn sqlite_path(url: &str) -> anyhow::Result<PathBuf> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    ensure!(
        !path.is_empty() && path != ":memory:",
        "SQLite 需要一个文件路径，如 sqlite://data/huimin.db (SQLite needs a file: readers and writer are separate connections)"
    );
    Ok(PathBuf::from(path))
}

async fn open_sqlite(path: &Path) -> anyhow::Result<(DatabaseConnection, DatabaseConnection)> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("无法创建目录 {} (creating the folder)", folder.display()))?;
    }
    let options = |path: PathBuf, writer: bool| {
        let mut options = quiet("sqlite://file");
        options
            .max_connections(if writer { 1 } else { SQLITE_READERS })
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .map_sqlx_sqlite_opts(move |sqlite| {
                let sqlite = sqlite
                    .filename(&path)
                    .busy_timeout(PATIENCE)
                    .foreign_keys(true)
                    .pragma("synchronous", "FULL")
                    .pragma("cache_size", "-16000")
                    .pragma("temp_store", "MEMORY");
                if writer {
                    sqlite.create_if_missing(true).pragma("journal_mode", "WAL")
                } else {
                    sqlite.pragma("query_only", "ON")
                }
            });
        options
    };
    // The writer comes first: it makes the file and turns WAL on.
    let connect = async |writer| {
        Database::connect(options(path.to_owned(), writer))
            .await
            .with_context(|| {
                format!(
                    "无法打开数据库文件 {} (opening the database)",
                    path.display()
                )
            })
    };
    Ok((connect(true).await?, connect(false).await?))
}

/// A connection of its own to the same SQLite file, for a copy: a reader's may not write anywhere, not even a new file,
/// and the writer's would hold everybody up.
pub(crate) async fn copier_of(db: &Db) -> anyhow::Result<DatabaseConnection> {
    let list = Statement::from_string(
        DbBackend::Sqlite,
        "select file from pragma_database_list where name = 'main'",
    );
    let row = db
        .conn()
        .query_one_raw(list)
        .await?
        .context("SQLite names no file")?;
    let path: String = row.try_get("", "file")?;
    let mut options = quiet("sqlite://file");
    options
        .max_connections(1)
        .map_sqlx_sqlite_opts(move |sqlite| sqlite.filename(&path).busy_timeout(PATIENCE));
    Ok(Database::connect(options).await?)
}

async fn open_postgres(url: &str) -> anyhow::Result<(DatabaseConnection, DatabaseConnection)> {
    let mut write = quiet(url);
    write
        .max_connections(POSTGRES_WRITERS)
        .set_application_name("huimin")
        .map_sqlx_postgres_opts(|postgres| {
            // A lock that never comes is an error to be seen, and a forgotten transaction must not hold others for ever.
            postgres.options([
                ("lock_timeout", "30s"),
                ("idle_in_transaction_session_timeout", "10min"),
            ])
        });
    let mut read = quiet(url);
    read.max_connections(POSTGRES_READERS)
        .set_application_name("huimin-read")
        .map_sqlx_postgres_opts(|postgres| {
            postgres.options([("default_transaction_read_only", "on")])
        });
    let connect = async |options| {
        Database::connect::<ConnectOptions>(options)
            .await
            .context("无法连接 PostgreSQL，请检查地址、网络和账号 (connecting to PostgreSQL)")
    };
    Ok((connect(write).await?, connect(read).await?))
}

fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        // Statements may carry what people typed: they stay out of the logs.
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .min_connections(0)
        .acquire_timeout(PATIENCE);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_engine_and_file() {
        assert_eq!(engine_of("postgresql://h/d").unwrap(), Engine::Postgres);
        assert_eq!(
            sqlite_path("sqlite:///a/b.db?mode=rwc").unwrap(),
            Path::new("/a/b.db")
        );
        assert_eq!(sqlite_path("sqlite:b.db").unwrap(), Path::new("b.db"));
        assert!(sqlite_path("sqlite::memory:").is_err());
        let refusal = engine_of("mysql://root:secret@h/d")
            .unwrap_err()
            .to_string();
        assert!(!refusal.contains("secret"));
    }
}
