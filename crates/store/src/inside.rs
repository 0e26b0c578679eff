//! Rows of a place (范围条件): a column of region codes, narrowed to a place and all under it.
//!
//! Guarantees: the same condition everywhere, one both databases answer from an index. Deliberately absent: whose place it is;
//! a caller gives that of its scope.

use sea_orm::ColumnTrait;
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use vocab::Region;

/// Rows whose region column lies in a place (范围条件).
pub fn inside<C: ColumnTrait>(column: C, place: Region) -> SimpleExpr {
    let (first, beyond) = place.code_range();
    column.gte(first).and(column.lt(beyond))
}
