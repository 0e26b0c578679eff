//! Telling people (告知): what happened to a case reaches whom it concerns, by text message, by e-mail, or at an officer's desk.
//!
//! ```text
//! journal ─▶ feed ─▶ notify_message ─▶ outbox ─▶ carrier ─▶ telephone, mailbox
//!              └───▶ notify_note    ─▶ the bell of a desk
//! ```
//!
//! What is told, to whom and at what hours is data (`messages.toml`); the mechanism is here. Guarantees: a message exists if and
//! only if the act it tells of was committed, and once; it may be handed over twice when a process dies in between, and carries
//! the key by which the receiver drops the second; a number is taken out at sending only, and that stands in the journal; a
//! text can name no programme, no amount and no illness, since there is no field for them. Deliberately absent: delivery in
//! the sense of the law; a message tells that a paper is there, it does not replace it.
//!
//! Reading order: [`happening`], [`rules`], [`text`], [`hours`] (what packs say) · [`feed`] (from the journal) · [`message`],
//! [`note`], [`contact`] (what is kept) · [`carrier`], [`sms`], [`mail`], [`folder`] (how it leaves), [`send`] (the worker) ·
//! [`pretend`] (a gateway to try it on).

pub mod carrier;
pub mod contact;
pub mod feed;
pub mod folder;
pub mod happening;
pub mod hours;
pub mod mail;
pub mod message;
pub mod note;
pub mod pretend;
pub mod rules;
pub mod send;
pub mod sms;
mod tables;
pub mod text;

pub use carrier::{Carrier, Carriers, Channel};
pub use happening::Happening;
pub use message::State;
pub use rules::Rules;
pub use tables::{MIGRATIONS, migrations};
