//! How a message leaves the house (发送渠道): one trait, and what a failure means.
//!
//! Guarantees: a failure says whether trying again may help; a letter's `Debug` shows nobody. Deliberately absent: retries, which
//! are the queue's, and the ways themselves; see [`crate::sms`], [`crate::mail`], [`crate::folder`].

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A way to a person (渠道).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message (短信).
    Sms,
    /// An e-mail (电子邮件).
    Email,
}

impl Channel {
    /// All of them (全部).
    pub const ALL: [Self; 2] = [Self::Sms, Self::Email];

    /// Its word in packs and tables (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Sms => ("短信", "text message"),
            Self::Email => ("电子邮件", "e-mail"),
        }
    }
}

/// What is handed over (待发内容).
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The key by which the receiver drops a repetition.
    pub key: Uuid,
    /// The number or address, in clear.
    pub to: String,
    /// What an e-mail is headed with.
    pub subject: String,
    /// What it says.
    pub text: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.key)
    }
}

/// How far a message came after it was handed over (送达情况).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum Arrival {
    /// On its way.
    Underway,
    /// Arrived.
    Delivered,
    /// It will not arrive, for this reason.
    Failed(String),
}

/// Why it was not handed over (未能发出的原因): no names, no numbers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Trying again may help.
    #[error("{0}")]
    Later(String),
    /// It will never go: the number does not exist, the address is none.
    #[error("{0}")]
    Never(String),
}

/// A way out (发送渠道). It blocks; the worker calls it apart from everybody else.
pub trait Carrier: Send + Sync + std::fmt::Debug {
    /// Hands one over; the answer is what the other side calls it, without names or numbers.
    ///
    /// # Errors
    /// [`Failure`].
    fn carry(&self, letter: &Letter) -> Result<String, Failure>;

    /// How far some came that were handed over; those it knows nothing of are left out.
    ///
    /// # Errors
    /// [`Failure`].
    fn arrivals(&self, _keys: &[Uuid]) -> Result<BTreeMap<Uuid, Arrival>, Failure> {
        Ok(BTreeMap::new())
    }
}

/// The ways that are set up (已接通的渠道).
#[derive(Debug, Clone, Default)]
pub struct Carriers(pub BTreeMap<Channel, Arc<dyn Carrier>>);

impl Carriers {
    /// Which are set up.
    pub fn on(&self) -> BTreeSet<Channel> {
        self.0.keys().copied().collect()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, channel: Channel, carrier: Arc<dyn Carrier>) -> Self {
        self.0.insert(channel, carrier);
        self
    }
}
