//! The register on both databases (登记库双库测试).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where by failing there"
)]

mod consent;
mod duplicates;
mod facts;
mod ground;
mod households;
mod load;
mod people;
mod roster;
