//! Typed identifiers (带类型的标识). Append-only: a name once used here never changes its meaning.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )*};
}

typed_ids! {
    /// An officer (工作人员).
    OfficerId;
    /// A signed-in session (会话).
    SessionId;
    /// A person (自然人).
    PersonId;
    /// A household (家庭): people living together, for the purpose of assistance.
    HouseholdId;
    /// One stored fact row (一条事实).
    FactRowId;
    /// A stored file (文件), e.g. a photograph of a home visit.
    FileId;
    /// An application (申请): one form, possibly several programmes.
    ApplicationId;
    /// A case (办件): one programme asked for by one household or person.
    CaseId;
    /// A decision (决定) on a case.
    DecisionId;
    /// An entitlement (待遇): a monthly right that a decision created.
    EntitlementId;
    /// A pay run (发放批次).
    PayRunId;
    /// One line of a pay run (发放明细).
    PayLineId;
    /// A transfer (记账分录) between two ledger accounts.
    TransferId;
    /// A ledger account (账户).
    AccountId;
    /// A public notice (公示).
    NoticeId;
    /// A task (待办) for an officer.
    TaskId;
    /// An import run (导入批次).
    ImportId;
    /// A background job (后台任务).
    JobId;
    /// A standard adjustment (标准调整): a new value carried through all cases it touches.
    AdjustmentId;
    /// A draft of rules (规则草稿): changed files of one programme, on their way to publication.
    RuleDraftId;
}
