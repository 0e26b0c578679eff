//! Rights that stand in a span of months (某段时间内的待遇): running, suspended or yet to begin, wherever in the country.
//!
//! Guarantees: a right that is only suspended stands; one that ended before the span, or was stopped at its own beginning,
//! does not. Deliberately absent: what is due in a month ([`crate::in_payment`]), and who may know of it: the caller says a
//! yes or no, or shows it to whoever sees the place.

use crate::entitle::{covering, overlaps};
use crate::entitlement::Entitlement;
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use vocab::Month;
use vocab::ids::PersonId;

/// A span of months: the first one, and the first no longer in it, if it ends (起止月份).
pub type Span = (Month, Option<Month>);

/// The calendar year around a month (该月所在的年度).
pub fn year_of(month: Month) -> Span {
    let before = i32::try_from(month.year_month().1).unwrap_or(1) - 1;
    let january = month.plus(-before);
    (january, Some(january.plus(12)))
}

/// The rights that cover one of these people and stand in some month of a span (期间内未终止的待遇), suspended ones too.
///
/// # Errors
/// When the database fails.
pub async fn rights_within(
    conn: &impl ConnectionTrait,
    people: &BTreeSet<PersonId>,
    span: Span,
) -> anyhow::Result<Vec<Entitlement>> {
    let all = covering(conn, people).await?;
    let stands = |right: &Entitlement| overlaps(span, (right.from, right.until));
    Ok(all.into_iter().filter(stands).collect())
}
