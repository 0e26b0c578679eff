//! A transfer (记账分录): one amount from one account to another, for one reason, under one decision. Never changed.
//!
//! The one who asks for a transfer makes its id from what it is for (a line's first item, an adjustment, a repayment's
//! own key). Asking again makes the same id, so a retry after a crash finds the transfer instead of doubling it.

use crate::account::Account;
use anyhow::Context;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};
use vocab::ids::{DecisionId, EntitlementId, PayLineId, PersonId, TransferId};
use vocab::{Money, Month, Region};

/// What a transfer is for (分录种类), and so between which kinds of account it moves.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "Text")]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 计发：expense → payable, when a pay run is released.
    #[sea_orm(string_value = "accrue")]
    Accrue,
    /// 抵扣：payable → receivable, an instalment of a recovery held back from a payment.
    #[sea_orm(string_value = "recover")]
    Recover,
    /// 到账：payable → cash, when the bank says the money arrived.
    #[sea_orm(string_value = "settle")]
    Settle,
    /// 确认多发：receivable → expense, when a late fact shows that too much was paid.
    #[sea_orm(string_value = "overpaid")]
    Overpaid,
    /// 冲减追回：expense → receivable, when arrears are set against what is still to be recovered.
    #[sea_orm(string_value = "offset")]
    Offset,
    /// 退缴：cash → receivable, when a payee pays back.
    #[sea_orm(string_value = "repay")]
    Repay,
    /// 冲正：an earlier transfer the other way round.
    #[sea_orm(string_value = "reverse")]
    Reverse,
}

impl Code {
    /// The word the database keeps (分录种类代码).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Accrue => "accrue",
            Self::Recover => "recover",
            Self::Settle => "settle",
            Self::Overpaid => "overpaid",
            Self::Offset => "offset",
            Self::Repay => "repay",
            Self::Reverse => "reverse",
        }
    }

    /// The word people read (分录种类).
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::Accrue => "计发",
            Self::Recover => "抵扣追回",
            Self::Settle => "到账",
            Self::Overpaid => "确认多发",
            Self::Offset => "冲减追回",
            Self::Repay => "退缴",
            Self::Reverse => "冲正",
        }
    }
}

/// What a transfer is about (分录依据).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The decision from which it follows.
    pub decision: DecisionId,
    /// The entitlement.
    pub entitlement: EntitlementId,
    /// The payee.
    pub payee: PersonId,
    /// The programme.
    pub programme: String,
    /// The place of the entitlement.
    pub region: Region,
    /// The month it is paid, or was overpaid, for.
    pub month: Month,
    /// The pay line, if it belongs to one.
    pub line: Option<PayLineId>,
    /// The adjustment or recovery, if it belongs to one.
    pub source: Option<Uuid>,
    /// A few words or a document number for the reader; no names.
    pub reference: String,
}

/// A transfer to be posted (待记账分录).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Made by the one who asks; see [`derived`].
    pub id: TransferId,
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// How much; more than nothing.
    pub amount: Money,
    /// What for.
    pub code: Code,
    /// Under what.
    pub about: About,
    /// The transfer it undoes, for a correction.
    pub reverses: Option<TransferId>,
}

/// An id that follows from its parts (由内容导出的标识): the first 16 bytes of their SM3, marked as a version 8 UUID.
pub fn derived(parts: &[&str]) -> Uuid {
    let mut hash = Sm3::new();
    for part in parts {
        // The length goes first, so that ("ab","c") and ("a","bc") differ.
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// A month as the tables keep it.
pub(crate) fn month(text: &str) -> anyhow::Result<Month> {
    text.parse()
        .with_context(|| format!("the ledger holds “{text}” where a month belongs"))
}

/// A region as the tables keep it.
pub(crate) fn region(text: &str) -> anyhow::Result<Region> {
    text.parse()
        .with_context(|| format!("the ledger holds “{text}” where a region belongs"))
}

#[cfg(test)]
mod tests {
    use super::derived;

    #[test]
    fn ids_follow_from_their_parts_and_their_cuts() {
        assert_eq!(derived(&["a", "b"]), derived(&["a", "b"]));
        assert_ne!(derived(&["ab", "c"]), derived(&["a", "bc"]));
        assert_eq!(derived(&["a"]).get_version_num(), 8);
    }
}
