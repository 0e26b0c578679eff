//! The interface for programs (程序接口): JSON in, JSON out, the same functions as the pages.
//!
//! Guarantees: who calls is said by a key and never by a cookie ([`caller`]); lists are declared once, for the answer and the
//! description ([`list`], [`lists`]); acts go through the page's own function ([`act`], [`acts`]) and at most once under a word
//! ([`once`]); problems are RFC 9457; the description is made from the route table ([`openapi`]). Deliberately absent: what only a
//! person may do, such as releasing money.

pub(crate) mod act;
pub(crate) mod acts;
pub(crate) mod caller;
pub mod evaluate;
pub mod examples;
pub(crate) mod kind;
pub(crate) mod list;
pub(crate) mod lists;
pub(crate) mod once;
pub(crate) mod openapi;
pub(crate) mod papers;
