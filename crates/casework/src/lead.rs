//! Leads (线索，政策找人): where the rules and the payments do not agree about a household, by name, until somebody has seen
//! to it: found, visited, then enrolled or dismissed with a reason.
//!
//! There is one notion of a lead, whoever finds it: the sweep over everybody, or a life event in one household. Reading
//! order: [`find`] (findings become leads, and what is no longer found is settled), [`list`](mod@list) (worklists, their
//! counts, one lead), [`step`] (what an officer does about one).
//!
//! Guarantees: for a household, person and programme at most one lead is held at a time, by a unique key; the same
//! findings twice change nothing; what an officer dismissed is not found again for as long as it is the same; a granted
//! case makes its lead enrolled by itself; who is outside the scope sees none, nor its count; every step and every look is
//! in the journal. Deliberately absent: deciding anything; a lead opens an application or sends a case to be looked at again.

pub mod find;
pub mod list;
pub mod step;

pub use find::{Filed, Finding, Source, find, settle};
pub use list::{LeadFilter, LeadSort, LeadView, after, count, funnel, list, open_count, view};
pub use step::{DismissReason, Refused, dismiss, send_to_review, visit};
pub(crate) use step::{enrolled, handled};

use crate::tables::lead::Model;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vocab::ids::{CaseId, HouseholdId, PersonId};
use vocab::{Money, Region};

/// What was found (线索种类).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 应保未保：符合条件，没有在发。
    Due,
    /// 应退未退：在发，已不符合条件。
    NotDue,
    /// 金额不符。
    Differs,
    /// 在发，有事实待核实。
    PaidToVerify,
    /// 没有在发，核实后可能符合。
    ToVerify,
}

impl Kind {
    /// All kinds, in the order in which they are listed (全部种类).
    pub const ALL: [Self; 5] = [
        Self::Due,
        Self::NotDue,
        Self::Differs,
        Self::PaidToVerify,
        Self::ToVerify,
    ];

    /// As files and tables write it (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::NotDue => "not_due",
            Self::Differs => "differs",
            Self::PaidToVerify => "paid_to_verify",
            Self::ToVerify => "to_verify",
        }
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Due => ("应保未保", "Due, not in payment"),
            Self::NotDue => ("应退未退", "In payment, not due"),
            Self::Differs => ("金额不符", "Amount differs"),
            Self::PaidToVerify => ("在发待核实", "In payment, to verify"),
            Self::ToVerify => ("待核实", "To verify"),
        }
    }

    /// As people call it (称呼).
    pub const fn zh(self) -> &'static str {
        self.wording().0
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether something is paid, so that a case in payment is to be looked at; else somebody is to be helped to apply.
    pub const fn is_paid(self) -> bool {
        matches!(self, Self::NotDue | Self::Differs | Self::PaidToVerify)
    }
}

/// Where a lead stands (线索状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadState {
    /// 待走访
    Found,
    /// 已走访
    Visited,
    /// 已纳入
    Enrolled,
    /// 已排除
    Dismissed,
    /// 情况已消除
    Settled,
}

impl LeadState {
    /// All states in the order in which they follow (全部状态).
    pub const ALL: [Self; 5] = [
        Self::Found,
        Self::Visited,
        Self::Enrolled,
        Self::Dismissed,
        Self::Settled,
    ];

    /// As the table writes it (代码).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Visited => "visited",
            Self::Enrolled => "enrolled",
            Self::Dismissed => "dismissed",
            Self::Settled => "settled",
        }
    }

    /// Its wording (zh, en).
    pub const fn wording(self) -> (&'static str, &'static str) {
        match self {
            Self::Found => ("待走访", "To be visited"),
            Self::Visited => ("已走访", "Visited"),
            Self::Enrolled => ("已纳入", "Enrolled"),
            Self::Dismissed => ("已排除", "Dismissed"),
            Self::Settled => ("已消除", "No longer so"),
        }
    }

    /// From its word (读代码).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether something is still to be done (是否待办).
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Found | Self::Visited)
    }

    fn read(word: &str) -> anyhow::Result<Self> {
        Self::from_word(word).with_context(|| format!("a lead's state is “{word}”"))
    }
}

/// A lead (线索).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Its id.
    pub id: Uuid,
    /// The community.
    pub region: Region,
    /// The household.
    pub household: HouseholdId,
    /// The person, for a person's benefit.
    pub person: Option<PersonId>,
    /// Their masked name; of a household's benefit that of its head.
    pub subject: String,
    /// The programme.
    pub programme: String,
    /// What was found.
    pub kind: Kind,
    /// What is due; none while that cannot be said.
    pub due: Option<Money>,
    /// What is paid a month.
    pub paid: Money,
    /// The facts that would settle it.
    pub missing: Vec<String>,
    /// Who found it.
    pub source: Source,
    /// Since which day it is found.
    pub found_on: NaiveDate,
    /// On which day it was found last.
    pub seen_on: NaiveDate,
    /// Where it stands.
    pub state: LeadState,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// By whom.
    pub state_by: String,
    /// On which day somebody was there last.
    pub visited_on: Option<NaiveDate>,
    /// What was noted on each visit, a line each.
    pub visits: String,
    /// Why it was dismissed.
    pub reason: Option<DismissReason>,
    /// What was written with the reason.
    pub note: String,
    /// The case that came of it.
    pub case: Option<CaseId>,
}

impl Lead {
    fn read(row: Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            region: row.region.parse().context("the region of a lead")?,
            household: HouseholdId(row.household_id),
            person: row.person_id.map(PersonId),
            subject: row.subject_masked,
            kind: Kind::from_word(&row.kind)
                .with_context(|| format!("a lead's kind is “{}”", row.kind))?,
            programme: row.programme,
            due: row.due.map(Money::from_fen),
            paid: Money::from_fen(row.paid),
            missing: row.missing.split_whitespace().map(str::to_owned).collect(),
            source: match row.event_id {
                Some(event) => Source::Event(event),
                None => Source::Sweep,
            },
            found_on: row.found_on,
            seen_on: row.seen_on,
            state: LeadState::read(&row.state)?,
            state_at: row.state_at,
            state_by: row.state_by,
            visited_on: row.visited_on,
            visits: row.visits,
            reason: DismissReason::from_word(&row.reason),
            note: row.note,
            case: row.case_id.map(CaseId),
        })
    }
}
