//! Accounts (账户): the four kinds between which money moves.
//!
//! An account exists as soon as a transfer names it: its id follows from what it is, so nobody looks it up or makes it
//! twice. Guarantees: the same kind, programme and person always give the same id. Deliberately absent: balances by
//! month – they are sums of transfers.

use crate::transfer::derived;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use vocab::Money;
use vocab::ids::{AccountId, PersonId};

/// The kind of an account (账户类别).
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
pub enum Kind {
    /// 支出：a programme's spending, one account a programme.
    #[sea_orm(string_value = "expense")]
    Expense,
    /// 应付：what is owed to a payee under a programme until the bank says it arrived.
    #[sea_orm(string_value = "payable")]
    Payable,
    /// 代发资金：what left through the bank, one account a programme.
    #[sea_orm(string_value = "cash")]
    Cash,
    /// 应收追回：what a payee was paid too much under a programme.
    #[sea_orm(string_value = "receivable")]
    Receivable,
}

impl Kind {
    /// The word the database keeps (账户类别代码).
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expense => "expense",
            Self::Payable => "payable",
            Self::Cash => "cash",
            Self::Receivable => "receivable",
        }
    }
}

/// An account (账户), named by what it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Its kind.
    pub kind: Kind,
    /// The programme whose money it holds.
    pub programme: String,
    /// The payee, for payables and receivables.
    pub person: Option<PersonId>,
}

impl Account {
    /// A programme's spending (支出).
    pub fn expense(programme: &str) -> Self {
        Self {
            kind: Kind::Expense,
            programme: programme.to_owned(),
            person: None,
        }
    }

    /// What is owed to a payee (应付).
    pub fn payable(programme: &str, payee: PersonId) -> Self {
        Self {
            kind: Kind::Payable,
            programme: programme.to_owned(),
            person: Some(payee),
        }
    }

    /// A programme's money at the bank (代发资金).
    pub fn cash(programme: &str) -> Self {
        Self {
            kind: Kind::Cash,
            programme: programme.to_owned(),
            person: None,
        }
    }

    /// What a payee was paid too much (应收追回).
    pub fn receivable(programme: &str, payee: PersonId) -> Self {
        Self {
            kind: Kind::Receivable,
            programme: programme.to_owned(),
            person: Some(payee),
        }
    }

    /// The id that follows from what the account is (账户标识).
    pub fn id(&self) -> AccountId {
        let person = self
            .person
            .map(|person| person.to_string())
            .unwrap_or_default();
        AccountId(derived(&[
            "account",
            self.kind.code(),
            &self.programme,
            &person,
        ]))
    }
}

/// What an account holds (余额).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The kind of account.
    pub kind: Kind,
    /// The programme.
    pub programme: String,
    /// All debits.
    pub debits: Money,
    /// All credits.
    pub credits: Money,
}

impl Balance {
    /// What a payable or a receivable still amounts to (余额): positive when something is open.
    ///
    /// # Errors
    /// When the difference does not fit.
    pub fn open(&self) -> anyhow::Result<Money> {
        Ok(match self.kind {
            Kind::Payable | Kind::Cash => self.credits.minus(self.debits)?,
            Kind::Expense | Kind::Receivable => self.debits.minus(self.credits)?,
        })
    }
}
