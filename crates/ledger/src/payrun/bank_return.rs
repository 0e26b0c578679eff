//! The bank's answer (银行回盘): which instructions arrived and which came back.
//!
//! Guarantees: an answer counts once, however often the file is read in; a line that came back leaves its money in the
//! payable account; what matches nothing, names a wrong amount or contradicts an earlier answer is listed and changes
//! nothing. Deliberately absent: reading the file, and the task for the window officer, which the caller makes of
//! [`BankReturned::returned_lines`].

use super::{LineState, RunState, run_in_scope, run_of};
use crate::account::Account;
use crate::post::{note, post};
use crate::tables::{pay_line, pay_run};
use crate::transfer::{About, Code, Transfer, derived, month, region};
use access::{Denied, Permission, Scope};
use anyhow::Context;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::Tx;
use vocab::Money;
use vocab::ids::{DecisionId, EntitlementId, PayLineId, PayRunId, PersonId, TransferId};

/// What the bank says of one instruction (回盘结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum BankOutcome {
    /// 到账。
    Settled,
    /// 退回。
    Returned {
        /// The bank's code.
        code: String,
        /// The bank's words.
        reason: String,
    },
}

/// One row of the bank's file (回盘一行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankResult {
    /// The instruction's number.
    pub instruction: String,
    /// What became of it.
    pub outcome: BankOutcome,
    /// The amount the bank names, if it does.
    pub amount: Option<Money>,
    /// The row in the file, for the reader.
    pub row: u32,
}

/// A row that was not taken in (未处理行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTaken {
    /// The row in the file.
    pub row: u32,
    /// The instruction's number as the file has it.
    pub instruction: String,
    /// Why.
    pub why: Why,
}

/// Why a row was not taken in (未处理原因).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No such instruction in this run.
    #[error("本批次没有这个指令号，请核对文件与批次")]
    Unmatched,
    /// The number stands in the file more than once.
    #[error("文件中指令号重复，请与银行核对")]
    Twice,
    /// The bank names another amount.
    #[error("金额与指令不符，请与银行核对")]
    OtherAmount,
    /// An earlier answer said something else.
    #[error("与先前的回盘结果不一致，请与银行核对后办理更正")]
    Contradicts,
    /// The line was never sent.
    #[error("这笔发放没有送过银行，请核对文件与批次")]
    NotSent,
}

/// What an answer did (回盘处理结果).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankReturned {
    /// Arrived, newly.
    pub settled: u64,
    /// Came back, newly.
    pub returned: u64,
    /// The lines that came back, newly; each wants a task.
    pub returned_lines: Vec<PayLineId>,
    /// Known already, the same.
    pub unchanged: u64,
    /// Not taken in, with reasons.
    pub not_taken: Vec<NotTaken>,
    /// Lines of the run still without an answer.
    pub outstanding: u64,
}

/// Why the whole answer was not taken in (不予导入原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such run in the scope.
    #[error("没有找到这一批次，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The run was never sent.
    #[error("该批次尚未送银行，不能导入回盘")]
    NotSent,
}

/// Takes in the bank's answer (导入回盘).
///
/// # Errors
/// When the database fails; refusals are values.
pub async fn bank_return(
    tx: &mut Tx,
    scope: &Scope,
    id: PayRunId,
    file_sm3: &str,
    results: &[BankResult],
) -> anyhow::Result<Result<BankReturned, Refused>> {
    let row = pay_run::Entity::find_by_id(id.0)
        .filter(run_in_scope(scope))
        .lock_exclusive()
        .one(tx.conn())
        .await
        .context("reading a run the bank answered")?;
    let Some(row) = row else {
        return Ok(Err(Refused::NotFound));
    };
    let run = run_of(row)?;
    if let Err(denied) = scope.may(Permission::BankFiles, run.region) {
        return Ok(Err(denied.into()));
    }
    if run.state != RunState::Sent {
        return Ok(Err(Refused::NotSent));
    }
    let mut done = BankReturned::default();
    let twice = twice(results);
    for some in results.chunks(1_000) {
        let lines = pay_line::Entity::find()
            .filter(pay_line::Column::RunId.eq(id.0))
            .filter(
                pay_line::Column::Instruction
                    .is_in(some.iter().map(|one| one.instruction.as_str())),
            )
            .order_by_asc(pay_line::Column::Seq)
            .lock_exclusive()
            .all(tx.conn())
            .await
            .context("reading lines the bank answered")?;
        let lines = lines
            .into_iter()
            .map(|line| (line.instruction.clone(), line))
            .collect();
        take(tx, scope, some, &twice, &lines, &mut done).await?;
    }
    done.outstanding = pay_line::Entity::find()
        .filter(pay_line::Column::RunId.eq(id.0))
        .filter(pay_line::Column::State.eq(LineState::Sent))
        .count(tx.conn())
        .await
        .context("counting lines without an answer")?;
    let detail = json!({
        "sm3": file_sm3,
        "settled": done.settled,
        "returned": done.returned,
        "unchanged": done.unchanged,
        "not_taken": done.not_taken.len(),
        "outstanding": done.outstanding,
    });
    note(tx, scope, "ledger.bank_return", "pay_run", id.0, detail);
    Ok(Ok(done))
}

fn twice(results: &[BankResult]) -> BTreeSet<&str> {
    let mut once = BTreeSet::new();
    results
        .iter()
        .map(|one| one.instruction.as_str())
        .filter(|number| !once.insert(*number))
        .collect()
}

async fn take(
    tx: &mut Tx,
    scope: &Scope,
    results: &[BankResult],
    twice: &BTreeSet<&str>,
    lines: &BTreeMap<String, pay_line::Model>,
    done: &mut BankReturned,
) -> anyhow::Result<()> {
    let mut settled = Vec::new();
    let mut transfers = Vec::new();
    for result in results {
        let line = lines.get(&result.instruction);
        match meaning(result, line, twice) {
            Err(why) => done.not_taken.push(NotTaken {
                row: result.row,
                instruction: result.instruction.clone(),
                why,
            }),
            Ok(Meaning::Known) => done.unchanged += 1,
            Ok(Meaning::Settled(line)) => {
                settled.push(line.id);
                transfers.push(settling(line)?);
            }
            Ok(Meaning::Returned(line, code, reason)) => {
                let mut row = line.clone().into_active_model();
                row.state = Set(LineState::Returned);
                row.bank_code = Set(Some(code.to_owned()));
                row.bank_reason = Set(Some(reason.to_owned()));
                row.changed_at = Set(tx.now());
                row.update(tx.conn())
                    .await
                    .context("marking a line as returned")?;
                done.returned_lines.push(PayLineId(line.id));
            }
        }
    }
    super::release::set_state(tx, &settled, LineState::Sent, LineState::Settled).await?;
    post(tx, scope, &transfers).await?;
    done.settled += u64::try_from(settled.len())?;
    done.returned = u64::try_from(done.returned_lines.len())?;
    Ok(())
}

enum Meaning<'a> {
    Known,
    Settled(&'a pay_line::Model),
    Returned(&'a pay_line::Model, &'a str, &'a str),
}

/// What a row means for its line: the whole rule, without a database.
fn meaning<'a>(
    result: &'a BankResult,
    line: Option<&'a pay_line::Model>,
    twice: &BTreeSet<&str>,
) -> Result<Meaning<'a>, Why> {
    if twice.contains(result.instruction.as_str()) {
        return Err(Why::Twice);
    }
    let line = line.ok_or(Why::Unmatched)?;
    if result.amount.is_some_and(|amount| amount.fen() != line.net) {
        return Err(Why::OtherAmount);
    }
    match (line.state, &result.outcome) {
        (LineState::Sent, BankOutcome::Settled) => Ok(Meaning::Settled(line)),
        (LineState::Sent, BankOutcome::Returned { code, reason }) => {
            Ok(Meaning::Returned(line, code, reason))
        }
        (LineState::Settled, BankOutcome::Settled)
        | (
            LineState::Returned | LineState::Reissuing | LineState::Reissued,
            BankOutcome::Returned { .. },
        ) => Ok(Meaning::Known),
        (LineState::Settled, BankOutcome::Returned { .. })
        | (
            LineState::Returned | LineState::Reissuing | LineState::Reissued,
            BankOutcome::Settled,
        ) => Err(Why::Contradicts),
        (
            LineState::Proposed
            | LineState::Blocked
            | LineState::NotPaid
            | LineState::Posted
            | LineState::Cancelled,
            _,
        ) => Err(Why::NotSent),
    }
}

fn settling(line: &pay_line::Model) -> anyhow::Result<Transfer> {
    let payee = PersonId(line.payee_id);
    Ok(Transfer {
        id: TransferId(derived(&[Code::Settle.code(), &line.id.to_string()])),
        debit: Account::payable(&line.programme, payee),
        credit: Account::cash(&line.programme),
        amount: Money::from_fen(line.net),
        code: Code::Settle,
        about: About {
            decision: DecisionId(line.decision_id),
            entitlement: EntitlementId(line.entitlement_id),
            payee,
            programme: line.programme.clone(),
            region: region(&line.region)?,
            month: month(&line.month)?,
            line: Some(PayLineId(line.id)),
            source: None,
            reference: line.instruction.clone(),
        },
        reverses: None,
    })
}
