//! A fact (事实): something known about a person or a household, with its dates, its source and when we learned it.
//!
//! Facts are never overwritten. What was known on a day can always be asked again, so a decision can be replayed.

use crate::{Money, Period};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The identifier of a fact (事实标识), e.g. `wage` or `dibao.household_visit_done`; its meaning never changes.
pub type FactId = String;

/// The value of a fact (事实的值). There is no "unknown" value: an unknown fact is an absent one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number: a count, or money in fen where the fact's declared type is money.
    Int(i64),
    /// A calendar day, written `2026-06-01`.
    Date(NaiveDate),
    /// A code or a short text.
    Text(String),
}

impl Value {
    /// Money facts are stored as whole fen.
    pub fn money(money: Money) -> Self {
        Self::Int(money.fen())
    }
}

/// One dated, sourced value of a fact (带日期和来源的事实).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatedFact {
    /// What is the case.
    pub value: Value,
    /// When it is the case; months of income are given as the period of that month. Open start means "always".
    #[serde(default)]
    pub period: Period,
    /// When we learned it; `None` means known from the start (worked cases and API inputs).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_since: Option<DateTime<Utc>>,
    /// Who says so: `公安`, `社保`, `本人申报` … shown to the officer beside the value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The stored evidence, if any (a file id or a document number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl DatedFact {
    /// A value without dates or source, as worked cases write it.
    pub fn plain(value: Value) -> Self {
        Self {
            value,
            period: Period::ALWAYS,
            known_since: None,
            source: String::new(),
            evidence: None,
        }
    }
}

/// All dated values of all facts of one person or one household (一个主体的全部事实).
pub type Record = BTreeMap<FactId, Vec<DatedFact>>;

/// What the rule book reads for one household (一户的事实表): the household's facts and each member's.
///
/// `members[i]` and `member_keys[i]` belong together; a key is opaque here (the registry puts a person id in it).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactSheet {
    /// Facts of the household.
    pub household: Record,
    /// Facts of each member, in a stable order.
    pub members: Vec<Record>,
    /// Who each member is, for the reader of the answer. Either empty or as long as `members`.
    #[serde(default)]
    pub member_keys: Vec<String>,
}
