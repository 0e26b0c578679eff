//! Alerts (预警): where what departments deliver, or the payments themselves, do not agree with somebody being paid; held until
//! an officer has seen to it or it is no longer so.
//!
//! Reading order: [`rules`] (what is compared, as data in the packs), [`run`] (everybody in payment is compared), `portion` and
//! [`compare`] (figures against payments), [`among`] (payments against each other), [`file`](mod@file) (findings become alerts),
//! [`list`](mod@list) (worklists), [`step`] (what an officer does).
//!
//! Guarantees: the same finding is one alert, by a unique key; the same run twice changes nothing; what is no longer found is
//! settled by itself, but only where its source answered; what is unknown raises nothing and settles nothing; nobody is
//! asked about without consent. Deliberately absent: deciding. Money stops only in a case, by two people.

pub mod among;
pub mod compare;
pub mod file;
pub mod list;
mod portion;
pub mod rules;
pub mod run;
pub mod step;
mod table;

pub use file::{Finding, Held};
pub use list::{AlertFilter, AlertSort, after, count, counts, list, open_count, view};
pub use rules::{Rule, Rules, Severity};
pub use run::{Asking, Ran, run};
pub use step::{Refused, dismiss, hand_over};
pub(crate) use table::{ALERT, RUN};

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vocab::ids::{EntitlementId, HouseholdId, PersonId};
use vocab::{Money, Region};

/// Where an alert stands (预警状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 待核实
    Open,
    /// 已转办
    HandedOver,
    /// 核实无误
    Dismissed,
    /// 已消除
    Settled,
}

impl State {
    /// All states in the order in which they follow (全部状态).
    pub const ALL: [Self; 4] = [Self::Open, Self::HandedOver, Self::Dismissed, Self::Settled];

    /// As the table writes it (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::HandedOver => "handed_over",
            Self::Dismissed => "dismissed",
            Self::Settled => "settled",
        }
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Open => ("待核实", "To check"),
            Self::HandedOver => ("已转办", "Handed over"),
            Self::Dismissed => ("核实无误", "Checked: all right"),
            Self::Settled => ("已消除", "No longer so"),
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether something is still to be done (是否待办).
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::HandedOver)
    }
}

/// Both sides of a finding (两边的数据).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides {
    /// The programmes in payment.
    pub programmes: Vec<String>,
    /// What they come to a month.
    pub paid: Money,
    /// The first month of the payment found.
    pub from: String,
    /// What the register says, in words; none where it says nothing.
    pub known: Option<String>,
    /// What the ledger holds for settled in the month compared.
    pub settled: Option<Money>,
    /// What the source says, in words.
    pub said: Option<String>,
    /// The source, its figure and the day of its data.
    pub source: Option<(String, String, NaiveDate)>,
    /// The delivery that said it.
    pub delivery: Option<String>,
    /// Everybody the finding is about, the first one first.
    pub people: Vec<PersonId>,
}

/// An alert (预警).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// The rule that found it.
    pub rule: String,
    /// How grave it is.
    pub severity: Severity,
    /// The community.
    pub region: Region,
    /// Whom it is about first; none for a household.
    pub person: PersonId,
    /// Their masked name.
    pub subject: String,
    /// The household in payment, for a household's benefit.
    pub household: Option<HouseholdId>,
    /// The right concerned.
    pub entitlement: EntitlementId,
    /// Both sides.
    pub sides: Sides,
    /// Since which day it is found.
    pub found_on: NaiveDate,
    /// On which day it was found last.
    pub seen_on: NaiveDate,
    /// Until when it is to be answered.
    pub due_on: NaiveDate,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// By whom.
    pub state_by: String,
    /// What was written.
    pub note: String,
    /// The case it was handed over to.
    pub case: Option<Uuid>,
}

impl Alert {
    fn read(row: table::alert::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            severity: Severity::from_rank(row.severity)
                .with_context(|| format!("an alert's severity is {}", row.severity))?,
            rule: row.rule,
            region: row.region.parse().context("the region of an alert")?,
            person: PersonId(row.person_id),
            subject: row.subject_masked,
            household: row.household_id.map(HouseholdId),
            entitlement: EntitlementId(row.entitlement_id),
            sides: serde_json::from_value(row.sides).context("the sides of an alert")?,
            found_on: row.found_on,
            seen_on: row.seen_on,
            due_on: row.due_on,
            state: State::from_word(&row.state)
                .with_context(|| format!("an alert's state is “{}”", row.state))?,
            state_at: row.state_at,
            state_by: row.state_by,
            note: row.note,
            case: row.case_id,
        })
    }
}
