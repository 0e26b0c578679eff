//! The one owner of the database (数据库): SQLite or PostgreSQL behind one handle, and everything that must share its
//! transaction.
//!
//! In reading order:
//!
//! * [`clock`]: where time comes from; nothing else in the house may ask the system.
//! * [`keys`]: field encryption, blind index and signatures, from a key file outside the database.
//! * [`db`], [`tx`]: [`Db`] reads, [`Tx`] writes; ids and "today".
//! * [`migrate`], [`tables`]: one text for both databases.
//! * [`journal`]: who did what to whom, chained by SM3, written in the same transaction.
//! * [`queue`], [`outbox`]: work and messages that begin to exist exactly when their transaction commits.
//! * [`files`]: evidence on disk, encrypted, addressed by content.
//! * [`backup`]: a copy that can be proved whole, and its way back.
//! * [`schema`]: which tables there are, in the words of both.
//! * [`dialect`]: the few places where the two databases must be spoken to differently.
//!
//! Guarantees: a connection handed out by [`Db::conn`] cannot write; every writing transaction on SQLite is IMMEDIATE, so
//! no read is ever upgraded and refused half-way; events noted in a [`Tx`] are in the journal if and only if the
//! transaction committed. Deliberately absent: any table of another room, any rule about who may read what.
//!
//! ```no_run
//! # async fn example(open: store::Open) -> anyhow::Result<()> {
//! let db = store::Db::open(open).await?;
//! db.migrate(&store::migrations()).await?;
//! let mut tx = db.begin().await?;
//! tx.note(store::Event::by_system("store.example", "example", "1"));
//! tx.commit().await?;
//! assert!(store::journal::verify(&db).await?.is_intact());
//! # Ok(()) }
//! ```

pub mod backup;
pub mod clock;
pub mod db;
pub mod dialect;
pub mod files;
mod id_source;
mod inside;
pub mod journal;
pub mod keys;
pub mod migrate;
pub mod outbox;
pub mod page;
pub mod queue;
pub mod schema;
pub mod sealed;
pub mod tables;
pub mod tx;

pub use clock::{Clock, OffsetClock, SystemClock, TestClock};
pub use db::{Db, Engine, Open};
pub use dialect::{is_duplicate, is_retryable};
pub use files::Files;
pub use inside::inside;
pub use journal::Event;
pub use keys::Keys;
pub use migrate::Migration;
pub use page::Page;
pub use queue::NewJob;
pub use tables::migrations;
pub use tx::Tx;

pub use sea_orm as orm;
