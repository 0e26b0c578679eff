//! Consent to an enquiry (核对授权): what a person said to other departments' data about them being looked at.
//!
//! Guarantees: consent is a person's own, for one household's application, one purpose and a time; a child signs through a
//! guardian, and for somebody who has died a near relative of the household signs; who by law supports somebody of the household
//! without living in it is covered by their own consent only; a refusal is kept with its day and reason and is not an
//! absence; the last word counts; withdrawing is possible at any time and is kept. Identity numbers leave the register
//! for an enquiry through [`opened`] alone, which asks for the consent of every single person first. Deliberately
//! absent: the enquiry itself, and what the law says about those who refuse.

mod form;
mod given;
mod state;

pub use form::{Marked, mark, read_mark};
pub use given::{Carried, NewConsent, Refused, carry_over, give, withdraw};
pub use state::{
    Lacking, Opened, Said, State, holds, in_force, missing, of_household, opened, said,
    scan_visible, still_holds,
};

use crate::tables;
use anyhow::Context;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vocab::ids::{HouseholdId, PersonId};

/// What moves the consents of a room's own table here and drops it (授权移入登记): for that room's migrations, once.
#[macro_export]
macro_rules! consents_moved_from {
    ($table:literal) => {
        concat!(
            "INSERT INTO registry_consent (id, person_id, household_id, region, tie, purpose, way, signed_on, until, file_id, ",
            "signed_by_id, reason, officer_id, at, withdrawn_on) ",
            "SELECT id, person_id, household_id, region, 'member', purpose, way, signed_on, until, file_id, signed_by_id, '', ",
            "officer_id, at, withdrawn_on FROM ",
            $table,
            ";\nDROP TABLE ",
            $table,
            ";\n"
        )
    };
}

/// From which age a person signs alone (成年年龄), 《民法典》第十七条。
const OF_AGE: u32 = 18;

/// How somebody said yes or no (授权方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// On paper, with a scan.
    Paper,
    /// Signed on the officer's screen.
    Screen,
    /// By QR on the person's own phone.
    Qr,
    /// Said no (不同意).
    Refused,
}

impl Way {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Screen, Self::Paper, Self::Qr, Self::Refused];

    /// Its word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Screen => "screen",
            Self::Qr => "qr",
            Self::Refused => "refused",
        }
    }

    /// The way of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }
}

/// What somebody is to the household whose application it is (与申请家庭的关系).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// Lives in it (家庭成员).
    Member,
    /// Owes support to a parent or grandparent in it (赡养义务人).
    SupportsParent,
    /// Owes support to a child in it (抚养义务人).
    SupportsChild,
    /// Owes support to a spouse in it (扶养义务人).
    SupportsSpouse,
    /// Has died; somebody of the household is the near relative (已故近亲属).
    Late,
}

impl Tie {
    /// All ties.
    pub const ALL: [Self; 5] = [
        Self::Member,
        Self::SupportsParent,
        Self::SupportsChild,
        Self::SupportsSpouse,
        Self::Late,
    ];

    /// Its word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::SupportsParent => "supports_parent",
            Self::SupportsChild => "supports_child",
            Self::SupportsSpouse => "supports_spouse",
            Self::Late => "late",
        }
    }

    /// The tie of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tie| tie.word() == word)
    }

    /// Whether it is somebody outside the household who must answer for themselves.
    pub const fn is_supporter(self) -> bool {
        matches!(
            self,
            Self::SupportsParent | Self::SupportsChild | Self::SupportsSpouse
        )
    }
}

/// What a person said once (一次授权或者不同意).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// Its id.
    pub id: Uuid,
    /// Whose data.
    pub person: PersonId,
    /// For which household's application.
    pub household: HouseholdId,
    /// What the person is to the household.
    pub tie: Tie,
    /// For what.
    pub purpose: String,
    /// How it was said.
    pub way: Way,
    /// Signed, or refused, on.
    pub signed_on: NaiveDate,
    /// Valid until (the first day it no longer is).
    pub until: Option<NaiveDate>,
    /// The scan.
    pub file: Option<String>,
    /// Who signed for the person.
    pub signed_by: Option<PersonId>,
    /// Why it was refused or withdrawn.
    pub reason: String,
    /// Withdrawn on.
    pub withdrawn_on: Option<NaiveDate>,
}

impl Consent {
    /// Whether it allows looking on a day (是否有效).
    pub fn allows(&self, on: NaiveDate) -> bool {
        self.way != Way::Refused
            && self.withdrawn_on.is_none()
            && self.signed_on <= on
            && self.until.is_none_or(|until| on < until)
    }

    fn read(row: tables::consent::Model) -> anyhow::Result<Self> {
        Ok(Self {
            id: row.id,
            person: PersonId(row.person_id),
            household: HouseholdId(row.household_id),
            tie: Tie::from_word(&row.tie).context("a stored tie to a household is not known")?,
            purpose: row.purpose,
            way: Way::from_word(&row.way).context("a stored way of consenting is not known")?,
            signed_on: row.signed_on,
            until: row.until,
            file: row.file_id,
            signed_by: row.signed_by_id.map(PersonId),
            reason: row.reason,
            withdrawn_on: row.withdrawn_on,
        })
    }
}

/// Whether somebody signs through a guardian on a day; nobody knows the birth date means adult.
fn is_child(born: Option<NaiveDate>, on: NaiveDate) -> bool {
    born.is_some_and(|born| on.years_since(born).is_none_or(|years| years < OF_AGE))
}
