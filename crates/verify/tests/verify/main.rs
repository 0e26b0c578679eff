//! Landing and asking, on real files (落地和查询的测试).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alert_people;
mod alerts;
mod asking;
mod enquiry;
mod landing;
mod nasty;
mod packs;
mod pieces;
mod town;
