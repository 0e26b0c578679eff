//! Reading through a handle or inside a transaction (读取), with the same functions.
//!
//! A command that has just written must read its own writes; a page reads through the pool. Both give a connection and
//! the keys, and nothing else is needed.

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use store::{Db, Keys, Tx};
use vocab::Region;

/// What can be read through (可读的句柄): the handle [`Db`] or an open [`Tx`].
pub trait Reading: Sync {
    /// The connection behind it.
    type Conn: ConnectionTrait;
    /// The connection.
    fn connection(&self) -> &Self::Conn;
    /// The keys.
    fn sealing_keys(&self) -> &Keys;
}

impl Reading for Db {
    type Conn = DatabaseConnection;
    fn connection(&self) -> &DatabaseConnection {
        self.conn()
    }
    fn sealing_keys(&self) -> &Keys {
        self.keys()
    }
}

impl Reading for Tx {
    type Conn = DatabaseTransaction;
    fn connection(&self) -> &DatabaseTransaction {
        self.conn()
    }
    fn sealing_keys(&self) -> &Keys {
        self.keys()
    }
}

/// The intersection of a scope and a place asked for; `None` if they do not meet.
pub(crate) fn narrowed(scope: &access::Scope, asked: Option<Region>) -> Option<Region> {
    match asked {
        None => Some(scope.region),
        Some(place) if scope.region.holds(place) => Some(place),
        Some(place) if place.holds(scope.region) => Some(scope.region),
        Some(_) => None,
    }
}
