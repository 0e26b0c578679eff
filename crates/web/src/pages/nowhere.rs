//! The page for a path nobody knows (无此页面). Reached through the router's fallback only.

use crate::problem::{Answer, Problem};
use crate::visit::Visit;

/// There is nothing here.
///
/// # Errors
/// Always [`Problem::NotFound`].
pub async fn show(_: &Visit) -> Answer {
    Err(Problem::NotFound)
}
