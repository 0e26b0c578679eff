//! Pages and the interface for programs (网页与接口): the desk of the officers and the open rule book.
//!
//! Guarantees: every page stands in one table with what it needs ([`routes`]); session, permission, origin and token are
//! checked before a page runs, in one place; pages work without script, in Chinese and English, large and small; no
//! page keeps personal data in the browser. Deliberately absent: rules, decisions and SQL. A page reads what was asked,
//! calls a function of the room that decides, and shows the answer or the refusal.
//!
//! Reading order: [`app`], [`routes`], `guard`, [`visit`], [`problem`], [`page`], [`nav`], [`parts`], [`pages`], [`api`];
//! `lists` declares what is
//! listed; beside them [`locale`], [`words`], [`fields`], `enquiring`, `rate`, `assets`, [`server`].

pub mod api;
pub mod app;
mod assets;
mod enquiring;
pub mod fields;
mod guard;
mod lists;
pub mod locale;
pub mod nav;
pub mod page;
pub mod pages;
pub mod parts;
pub mod problem;
mod rate;
pub mod routes;
pub mod server;
pub mod visit;
pub mod words;

pub use app::{App, DemoAccount, WebConfig};
pub use lists::job as exports;
pub use routes::{Need, Route, Verb, approved_endpoints, router, routes};
pub use server::serve;
