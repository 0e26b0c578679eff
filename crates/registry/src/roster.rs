//! The household roster (家庭花名册): a spreadsheet out as a template, in as a batch, out again as a copy.
//!
//! A household is the rows that share a 户编号. It is taken over whole or not at all: a household with a member missing
//! would be poorer or richer on paper than it is, so one wrong row keeps its whole household out. People are recognised
//! by their document, households by their number, so the same file twice changes nothing; a roster never removes anyone
//! and never takes somebody out of another household.

mod check;
mod columns;
mod commit;
mod community;
mod export;
mod known;
mod parse;

pub use commit::{CommitRefused, Committed, Mode, commit};
pub use export::{ExportRefused, export, rejected, template};

use access::Scope;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::Db;

/// What a dry run found (试导入结果); nothing was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Rows with people in them.
    pub rows_read: usize,
    /// Households in the file.
    pub households_read: usize,
    /// Rows that would be taken over.
    pub rows_accepted: usize,
    /// People who would be registered.
    pub people_new: usize,
    /// People known already about whom something would change.
    pub people_changed: usize,
    /// People known already about whom nothing would change.
    pub people_unchanged: usize,
    /// Households that would be formed.
    pub households_new: usize,
    /// Every error, in the order of the file.
    pub errors: Vec<RowError>,
    /// Rows that would stay out: those with errors and those of their households.
    pub rejected_rows: Vec<(String, usize)>,
    /// Columns whose heading is not known; their contents are not read.
    pub unknown_columns: Vec<String>,
    /// When exactly this file was imported before without any rejected row.
    pub imported_before: Option<DateTime<Utc>>,
}

/// One error in a file (一处错误).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowError {
    /// The sheet (工作表); empty for csv.
    pub sheet: String,
    /// The row (行), as the spreadsheet numbers it.
    pub row: usize,
    /// The column's heading (列).
    pub column: String,
    /// The value found, masked.
    pub value_masked: String,
    /// What is wrong and what to do, in Chinese.
    pub reason: String,
}

/// Why a file was not even looked through row by row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileRefused {
    /// The file itself cannot be read.
    #[error(transparent)]
    Unreadable(#[from] sheets::ReadFault),
    /// No row with the headings.
    #[error("找不到表头行（应有 户编号、姓名、证件号码 等列）；请从本页下载模板填写")]
    NoHeading,
    /// Columns without which a row means nothing.
    #[error("缺少这些列：{0}；请从本页下载模板填写")]
    ColumnsMissing(String),
    /// The headings and nothing below them.
    #[error("表中没有数据行")]
    NoRows,
}

/// Looks a file through without writing anything (试导入).
///
/// # Errors
/// Faults of the database; refusals of the file are the inner value.
pub async fn dry_run(
    db: &Db,
    scope: &Scope,
    bytes: &[u8],
) -> anyhow::Result<Result<Report, FileRefused>> {
    let read = match parse::file(bytes, sheets::Limits::default(), db.today()) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut plan = check::plan(db, scope, read, db.today()).await?;
    plan.report.imported_before = commit::imported_before(db, scope, bytes).await?;
    Ok(Ok(plan.report))
}
