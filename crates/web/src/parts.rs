//! The pieces pages are made of (页面部件): one small set, the same everywhere.
//!
//! Reading order: [`format`], [`mark`], [`form`], [`answer`], [`table`], [`pager`], [`listing`], [`timeline`], [`reasons`], [`law`], [`diff`], [`proof`],
//! [`bars`], [`sketch`], [`piece`], [`running`]. A piece knows how things
//! look; it asks no database and decides nothing.

pub mod answer;
pub mod bars;
pub mod diff;
pub mod export;
pub mod form;
pub mod format;
pub mod law;
pub mod listing;
pub mod mark;
pub mod pager;
pub mod piece;
pub mod proof;
pub mod reasons;
pub mod running;
pub mod side_by_side;
pub mod sketch;
pub mod table;
pub mod timeline;
