//! Households (家庭): who lives together from which day to which, for the purpose of assistance.
//!
//! A household is not the household register booklet: it is formed here, its members come and go by date, and the past
//! stays. A person is in one household at a time. Whether a member counts for a benefit is law and lives in the packs.

mod form;
mod list;
mod membership;
mod relocate;
mod view;

pub use form::{NewHousehold, Refused, form_household};
pub(crate) use form::{household_row, membership_row};
pub use list::{Filter, HouseholdRow, after, heads_of, ids_on, list, list_ids, those_on};
pub use membership::{MoveRefused, change_head, join, leave};
pub use relocate::{RelocateRefused, relocate};
pub use view::{household, household_of, household_view};

use crate::people::PersonRow;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use vocab::ids::{HouseholdId, PersonId};
use vocab::{Kinship, Region};

/// A household (家庭) with its members on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Household {
    /// The identifier.
    pub id: HouseholdId,
    /// The number shown to people (户编号), with two check digits.
    pub number: String,
    /// The number it has in the roster it was imported from, if any.
    pub roster_number: Option<String>,
    /// The community (所属社区).
    pub region: Region,
    /// The address (详细住址).
    pub address: String,
    /// The head (户主) on that day; `None` once everyone left.
    pub head: Option<PersonId>,
    /// The members on that day, the head first.
    pub members: Vec<Member>,
    /// Since when it exists.
    pub formed_on: NaiveDate,
    /// The day everyone had left, if so.
    pub dissolved_on: Option<NaiveDate>,
    /// Grows with each change.
    pub version: i64,
}

/// A member of a household (家庭成员).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: PersonRow,
    /// The relation to the head (与户主关系).
    pub kinship: Kinship,
    /// First day in the household.
    pub since: NaiveDate,
    /// First day no longer in it, if known.
    pub until: Option<NaiveDate>,
}
