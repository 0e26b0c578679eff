//! The ledger on both databases (总账双库测试).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

#[macro_use]
mod town;

mod futures;
mod kill;
mod model;
mod money;
mod two_at_once;
