//! A pay run (发放批次): one month and place; proposed by one officer, released by another, sent to the bank, answered.
//!
//! ```text
//! propose ─▶ proposed ─▶ releasing ─▶ released ─▶ sent      (run)
//!            proposed ─▶ posted ─▶ sent ─▶ settled          (line)
//!            blocked              └─▶ returned ─▶ reissuing ─▶ reissued by a line of a later run
//! ```
//!
//! Nothing moves before the release. A line that cannot be paid stays in the run with its reason. Guarantees: pages and
//! sums are made in SQL, inside the scope's region. Deliberately absent: account numbers and names.

use crate::tables::{pay_item, pay_line, pay_run};
use crate::transfer::{month, region};
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::Condition;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, SimpleExpr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::inside;
use vocab::ids::{DecisionId, EntitlementId, OfficerId, PayLineId, PayRunId, PersonId};
use vocab::{Money, Month, Region};

pub mod bank_return;
pub mod cancel;
pub(crate) mod compose;
pub mod list;
pub(crate) mod posting;
pub mod propose;
pub mod reissue;
pub mod release;
pub mod send;

/// How far a run has come (批次状态).
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
pub enum RunState {
    /// 已拟定，待复核。
    #[sea_orm(string_value = "proposed")]
    Proposed,
    /// 放款中：some lines are posted, a repeated release goes on from there.
    #[sea_orm(string_value = "releasing")]
    Releasing,
    /// 已放款，待送银行。
    #[sea_orm(string_value = "released")]
    Released,
    /// 已送银行。
    #[sea_orm(string_value = "sent")]
    Sent,
    /// 已作废。
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

/// How far a line has come (明细状态).
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
pub enum LineState {
    /// 待放款。
    #[sea_orm(string_value = "proposed")]
    Proposed,
    /// 暂不发放，附原因。
    #[sea_orm(string_value = "blocked")]
    Blocked,
    /// 本月不再发放：only shows the difference against last month.
    #[sea_orm(string_value = "not_paid")]
    NotPaid,
    /// 已记账，待送银行。
    #[sea_orm(string_value = "posted")]
    Posted,
    /// 已送银行。
    #[sea_orm(string_value = "sent")]
    Sent,
    /// 已到账。
    #[sea_orm(string_value = "settled")]
    Settled,
    /// 银行退回。
    #[sea_orm(string_value = "returned")]
    Returned,
    /// 退回，账号已更正，待下批重发。
    #[sea_orm(string_value = "reissuing")]
    Reissuing,
    /// 已由以后批次重发。
    #[sea_orm(string_value = "reissued")]
    Reissued,
    /// 已作废。
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl LineState {
    /// The states of lines that were released (已放款), whatever became of them since.
    pub(crate) const RELEASED: [Self; 6] = [
        Self::Posted,
        Self::Sent,
        Self::Settled,
        Self::Returned,
        Self::Reissuing,
        Self::Reissued,
    ];
}

/// Whether a line pays something new or sends returned money again (明细种类).
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
pub enum LineKind {
    /// 发放。
    #[sea_orm(string_value = "pay")]
    Pay,
    /// 重发。
    #[sea_orm(string_value = "reissue")]
    Reissue,
}

/// What a part of a line is (构成种类).
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
pub enum ItemKind {
    /// 当月。
    #[sea_orm(string_value = "regular")]
    Regular,
    /// 补发以前月份：a due month nobody claimed yet.
    #[sea_orm(string_value = "arrears")]
    Arrears,
    /// 补差：a paid month that turned out to be due more.
    #[sea_orm(string_value = "adjustment")]
    Adjustment,
    /// 抵扣追回。
    #[sea_orm(string_value = "recovery")]
    Recovery,
    /// 重发退回款。
    #[sea_orm(string_value = "reissue")]
    Reissue,
}

/// A line against the month before (与上月比较).
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
pub enum Difference {
    /// 新增。
    #[sea_orm(string_value = "new")]
    New,
    /// 停发。
    #[sea_orm(string_value = "stopped")]
    Stopped,
    /// 金额变化。
    #[sea_orm(string_value = "changed")]
    Changed,
    /// 不变。
    #[sea_orm(string_value = "same")]
    Same,
    /// 仅补发：nothing for this month itself and nothing last month.
    #[sea_orm(string_value = "extra")]
    Extra,
    /// 重发。
    #[sea_orm(string_value = "reissue")]
    Reissue,
}

impl Difference {
    /// Its word in tables and addresses (代码).
    pub fn word(self) -> String {
        self.to_value()
    }

    /// The difference of a word (代码对应的差异).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::try_from_value(&word.to_owned()).ok()
    }
}

/// Why a line is not paid (暂不发放原因).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Blocked {
    /// 无可用账户。
    NoAccount,
    /// 已死亡：the payee or a covered person died on this day; months after it are not paid.
    Died {
        /// The day of death.
        on: NaiveDate,
    },
    /// 该人该月已领取。
    DuplicateClaim {
        /// Who was already claimed for.
        person: PersonId,
        /// Which month.
        month: Month,
    },
    /// 互斥项目。
    Excluded {
        /// The other programme.
        programme: String,
    },
    /// 拟定后有变更：what was proposed is no longer what is due.
    ChangedSinceProposal,
    /// 其他原因，由调用方说明。
    Other {
        /// The reason in words, without names.
        words: String,
    },
}

/// What the ledger cannot know of people and whoever pays says (发放前须知).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obstacles {
    /// Who cannot be paid, and why.
    pub blocked: BTreeMap<PersonId, Blocked>,
    /// Under which other identifiers somebody is known: a merged record keeps what was decided for it, and its person is
    /// paid once all the same. Each identifier of such a person stands here.
    pub also: BTreeMap<PersonId, Vec<PersonId>>,
}

impl From<BTreeMap<PersonId, Blocked>> for Obstacles {
    fn from(blocked: BTreeMap<PersonId, Blocked>) -> Self {
        Self {
            blocked,
            also: BTreeMap::new(),
        }
    }
}

impl Obstacles {
    /// A person's other identifiers.
    pub(crate) fn also(&self, person: PersonId) -> &[PersonId] {
        self.also.get(&person).map_or(&[], Vec::as_slice)
    }

    /// These people under all their identifiers.
    pub(crate) fn every(&self, people: impl IntoIterator<Item = PersonId>) -> BTreeSet<PersonId> {
        let mut every = BTreeSet::new();
        for person in people {
            every.insert(person);
            every.extend(self.also(person));
        }
        every
    }
}

impl Blocked {
    /// One sentence that says what to do next (原因及办法).
    pub fn sentence_zh(&self) -> String {
        match self {
            Self::NoAccount => "没有可用的收款账户，请登记账户后在下一批发放".to_owned(),
            Self::Died { on } => format!("人员已于{on}死亡，请办理停发或变更"),
            Self::DuplicateClaim { month, .. } => {
                format!("{month}已领取过同一待遇，请核对后停发其中一份")
            }
            Self::Excluded { programme } => format!("与“{programme}”不能同时享受，请停发其中一项"),
            Self::ChangedSinceProposal => "拟定后待遇有变更，请在下一批重新拟定".to_owned(),
            Self::Other { words } => words.clone(),
        }
    }
}

/// A pay run (发放批次).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayRun {
    /// Its id.
    pub id: PayRunId,
    /// The month it pays.
    pub month: Month,
    /// The place it pays in.
    pub region: Region,
    /// Only these programmes, if it was narrowed.
    pub programmes: Option<Vec<String>>,
    /// How far it has come.
    pub state: RunState,
    /// Who proposed it.
    pub proposed_by: OfficerId,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Who released it.
    pub released_by: Option<OfficerId>,
    /// When the release was complete.
    pub released_at: Option<DateTime<Utc>>,
    /// When its file went to the bank.
    pub sent_at: Option<DateTime<Utc>>,
    /// The SM3 of that file, in hex.
    pub sent_file: Option<String>,
}

/// What a line is made of (发放构成).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayItem {
    /// Of which kind.
    pub kind: ItemKind,
    /// For which month.
    pub month: Month,
    /// How much; recoveries are counted off.
    pub amount: Money,
    /// The adjustment or recovery it comes from.
    pub source: Option<Uuid>,
}

/// A line of a pay run (发放明细).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayLine {
    /// Its id.
    pub id: PayLineId,
    /// The run.
    pub run: PayRunId,
    /// Its number in the run.
    pub seq: u32,
    /// The number the bank sees (指令号); unique for ever.
    pub instruction: String,
    /// New money or returned money again.
    pub kind: LineKind,
    /// The entitlement.
    pub entitlement: EntitlementId,
    /// Who is paid.
    pub payee: PersonId,
    /// The programme.
    pub programme: String,
    /// The part of the programme.
    pub part: String,
    /// The place.
    pub region: Region,
    /// The decision it rests on.
    pub decision: DecisionId,
    /// The run's month.
    pub month: Month,
    /// For the month itself.
    pub regular: Money,
    /// For months before.
    pub arrears: Money,
    /// Held back.
    pub recovery: Money,
    /// What goes to the bank: regular + arrears − recovery.
    pub net: Money,
    /// What was due and claimed for the month before, if anything.
    pub previous: Option<Money>,
    /// Against the month before.
    pub difference: Difference,
    /// How far it has come.
    pub state: LineState,
    /// Why it is not paid.
    pub blocked: Option<Blocked>,
    /// The returned line it sends again.
    pub reissues: Option<PayLineId>,
    /// The bank's code, once it answered.
    pub bank_code: Option<String>,
    /// The bank's words, once it answered.
    pub bank_reason: Option<String>,
    /// What it is made of; filled by [`list::line`] only, empty in pages.
    pub items: Vec<PayItem>,
}

/// A sum that stays a whole number on both databases: PostgreSQL would answer with a decimal.
pub(crate) fn sum_of(column: impl ColumnTrait) -> SimpleExpr {
    Expr::col(column.as_column_ref()).sum().cast_as("BIGINT")
}

pub(crate) fn line_in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(pay_line::Column::Region, scope.region))
}

pub(crate) fn run_in_scope(scope: &Scope) -> Condition {
    Condition::all().add(inside(pay_run::Column::Region, scope.region))
}

pub(crate) fn run_of(row: pay_run::Model) -> anyhow::Result<PayRun> {
    Ok(PayRun {
        id: PayRunId(row.id),
        month: month(&row.month)?,
        region: region(&row.region)?,
        programmes: row
            .programmes
            .map(serde_json::from_value)
            .transpose()
            .context("reading the programmes of a pay run")?,
        state: row.state,
        proposed_by: OfficerId(row.proposed_by),
        proposed_at: row.proposed_at,
        released_by: row.released_by.map(OfficerId),
        released_at: row.released_at,
        sent_at: row.sent_at,
        sent_file: row.sent_file,
    })
}

pub(crate) fn line_of(row: pay_line::Model) -> anyhow::Result<PayLine> {
    Ok(PayLine {
        id: PayLineId(row.id),
        run: PayRunId(row.run_id),
        seq: u32::try_from(row.seq).context("a pay line has a negative number")?,
        instruction: row.instruction,
        kind: row.kind,
        entitlement: EntitlementId(row.entitlement_id),
        payee: PersonId(row.payee_id),
        programme: row.programme,
        part: row.part,
        region: region(&row.region)?,
        decision: DecisionId(row.decision_id),
        month: month(&row.month)?,
        regular: Money::from_fen(row.regular),
        arrears: Money::from_fen(row.arrears),
        recovery: Money::from_fen(row.recovery),
        net: Money::from_fen(row.net),
        previous: row.previous.map(Money::from_fen),
        difference: row.difference,
        state: row.state,
        blocked: row
            .blocked
            .map(serde_json::from_value)
            .transpose()
            .context("reading why a pay line is blocked")?,
        reissues: row.reissues.map(PayLineId),
        bank_code: row.bank_code,
        bank_reason: row.bank_reason,
        items: Vec::new(),
    })
}

pub(crate) fn item_of(row: pay_item::Model) -> anyhow::Result<PayItem> {
    Ok(PayItem {
        kind: row.kind,
        month: month(&row.month)?,
        amount: Money::from_fen(row.amount),
        source: row.source_id,
    })
}
