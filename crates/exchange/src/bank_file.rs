//! The bank file (银行代发文件): a released run as the bank reads it, once and for ever.
//!
//! The first asking makes both forms, CSV in GB18030 and xlsx, and keeps them sealed under one fingerprint; every later
//! asking gives those very bytes, though accounts may have changed meanwhile. Guarantees: each released line stands in it
//! once, with its instruction number; the last row carries count and sum; a line the bank could not read refuses the
//! whole file and says which. Deliberately absent: marking the run as sent – `ledger::mark_sent` with [`BankFile::sm3`]
//! does that in the same transaction.

use crate::obstacle::everywhere;
use crate::tables::bank_file as table;
use access::{Denied, Permission, Scope};
use anyhow::{Context, ensure};
use ledger::{LineFilter, LineState, PayLine, PayRun, RunState};
use registry::accounts::{Account, accounts_for_payment};
use sea_orm::EntityTrait;
use sea_orm::IntoActiveModel;
use serde_json::json;
use sheets::{Column, Encoding, Field, Kind, Table, WriteFault};
use std::collections::{BTreeMap, BTreeSet};
use store::files::NewFile;
use store::{Db, Event, Tx};
use vocab::Money;
use vocab::ids::{FileId, PayRunId, PersonId};

/// The form of the file (文件格式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// CSV，GB18030 编码。
    CsvGb18030,
    /// xlsx。
    Xlsx,
}

/// A run's file (银行代发文件).
#[derive(Clone, PartialEq, Eq)]
pub struct BankFile {
    /// The name to save it under; no personal data.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The fingerprint of the run's file: the SM3 of the CSV, whichever form was asked for.
    pub sm3: String,
    /// How many instructions it has.
    pub lines: u64,
    /// Their sum.
    pub total: Money,
}

impl std::fmt::Debug for BankFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BankFile({}, {} lines)", self.name, self.lines)
    }
}

/// Why a line cannot go to the bank (不能送银行的原因).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The payee has no account.
    #[error("没有可用的收款账户，请先登记账户")]
    NoAccount,
    /// A field is longer than the bank takes.
    #[error("“{0}”过长，请核对账户资料")]
    TooLong(&'static str),
    /// A field holds a character that no bank reads.
    #[error("“{0}”含有换行或私用区字符，请改为标准汉字")]
    BadCharacter(&'static str),
}

/// Why a file was not made (不能生成文件原因).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such run in the scope.
    #[error("没有找到这一批次，请核对后重试")]
    NotFound,
    /// The officer may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not released.
    #[error("该批次尚未放款，请先复核放款")]
    NotReleased,
    /// There is nothing for the bank in it.
    #[error("该批次没有需要送银行的明细")]
    Nothing,
    /// Some lines cannot be written; by number in the run.
    #[error("有 {} 笔不能送银行，请按所列原因处理后重试", .0.len())]
    Lines(Vec<(u32, Unsendable)>),
    /// A character GB18030 does not have; by number in the file.
    #[error("第 {0} 笔有 GB18030 编码没有的字符，请核对户名")]
    NotInGb18030(usize),
}

/// Characters a field may have; what the usual bank templates take.
const HOLDER_MAX: usize = 60;
const BANK_MAX: usize = 60;
const PURPOSE_MAX: usize = 40;
/// Lines read at once.
const PAGE: u64 = 2_000;

/// The file of a released run (银行代发文件): made at the first asking, the same bytes ever after.
///
/// `purposes` says how the programmes are called on the payees' statements (用途), by programme id.
///
/// # Errors
/// Faults of the database and of the file store; refusals are values.
pub async fn bank_file(
    db: &Db,
    tx: &mut Tx,
    scope: &Scope,
    id: PayRunId,
    format: Format,
    purposes: &BTreeMap<String, String>,
) -> anyhow::Result<Result<BankFile, Refused>> {
    let Some(run) = ledger::run(tx.conn(), scope, id).await? else {
        return Ok(Err(Refused::NotFound));
    };
    if let Err(denied) = scope.may(Permission::BankFiles, run.region) {
        return Ok(Err(denied.into()));
    }
    if !matches!(run.state, RunState::Released | RunState::Sent) {
        return Ok(Err(Refused::NotReleased));
    }
    let kept = match kept(tx, id).await? {
        Some(kept) => kept,
        None => match make(db, tx, scope, &run, purposes).await? {
            Ok(kept) => kept,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    fetch(tx, scope, &run, kept, format).await.map(Ok)
}

async fn kept(tx: &Tx, id: PayRunId) -> anyhow::Result<Option<table::Model>> {
    table::Entity::find_by_id(id.0)
        .one(tx.conn())
        .await
        .context("looking for the file of a run")
}

async fn fetch(
    tx: &mut Tx,
    scope: &Scope,
    run: &PayRun,
    kept: table::Model,
    format: Format,
) -> anyhow::Result<BankFile> {
    let (file, ending) = match format {
        Format::CsvGb18030 => (kept.csv_file, "csv"),
        Format::Xlsx => (kept.xlsx_file, "xlsx"),
    };
    let (about, bytes) = tx
        .files()
        .get(tx.conn(), FileId(file))
        .await?
        .context("the kept bank file is missing")?;
    tx.note(event(
        scope,
        run,
        "exchange.bank_file",
        json!({ "format": ending, "sm3": kept.sm3 }),
    ));
    Ok(BankFile {
        name: format!(
            "{}-{}.{ending}",
            run.month,
            &run.id.0.simple().to_string()[20..]
        ),
        media_type: about.media_type,
        bytes,
        sm3: kept.sm3,
        lines: u64::try_from(kept.lines)?,
        total: Money::from_fen(kept.total),
    })
}

async fn make(
    db: &Db,
    tx: &mut Tx,
    scope: &Scope,
    run: &PayRun,
    purposes: &BTreeMap<String, String>,
) -> anyhow::Result<Result<table::Model, Refused>> {
    let lines = lines(db, scope, run.id).await?;
    if lines.is_empty() {
        return Ok(Err(Refused::Nothing));
    }
    let payees: BTreeSet<PersonId> = lines.iter().map(|line| line.payee).collect();
    let payees: Vec<PersonId> = payees.into_iter().collect();
    let accounts =
        accounts_for_payment(tx, &everywhere(scope), &payees, &scope.purpose.text()).await?;
    let table = match table_of(run, &lines, &accounts, purposes)? {
        Ok(table) => table,
        Err(wrong) => return Ok(Err(Refused::Lines(wrong))),
    };
    let csv = match sheets::csv(&table, Encoding::Gb18030) {
        Ok(bytes) => bytes,
        Err(WriteFault::NotInGb18030 { row }) => return Ok(Err(Refused::NotInGb18030(row))),
        Err(fault) => return Err(fault.into()),
    };
    let sm3 = store::keys::sm3_hex(&csv);
    let row = table::Model {
        run_id: run.id.0,
        csv_file: keep(tx, "text/csv; charset=gb18030", csv).await?,
        xlsx_file: keep(
            tx,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            sheets::xlsx(&[table])?,
        )
        .await?,
        sm3,
        lines: i64::try_from(lines.len())?,
        total: Money::total(lines.iter().map(|line| line.net))?.fen(),
        made_at: tx.now(),
        made_by: scope.actor.officer.0,
    };
    // Two officers asking at once: the second insert fails on the key, and asking again finds the first one's file.
    table::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .context("keeping the file of a run")?;
    let detail = json!({ "sm3": row.sm3, "lines": row.lines, "fen": row.total });
    tx.note(event(scope, run, "exchange.make_bank_file", detail));
    Ok(Ok(row))
}

async fn keep(tx: &Tx, media_type: &str, bytes: Vec<u8>) -> anyhow::Result<uuid::Uuid> {
    let new = NewFile {
        media_type: media_type.to_owned(),
        name: None,
        bytes,
    };
    let kept = tx.files().put(tx, new).await?;
    Ok(kept
        .map_err(|refused| anyhow::anyhow!("keeping a bank file: {refused}"))?
        .id
        .0)
}

/// The lines the bank is to pay: everything released of which something goes out.
async fn lines(db: &Db, scope: &Scope, run: PayRunId) -> anyhow::Result<Vec<PayLine>> {
    let filter = LineFilter {
        run: Some(run),
        ..LineFilter::default()
    };
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let page = ledger::lines(db, scope, &filter, offset, PAGE).await?;
        let more = page.has_more();
        found.extend(page.rows.into_iter().filter(|line| {
            let released = !matches!(
                line.state,
                LineState::Proposed
                    | LineState::Blocked
                    | LineState::NotPaid
                    | LineState::Cancelled
            );
            released && line.net > Money::ZERO
        }));
        if !more {
            return Ok(found);
        }
        offset += PAGE;
    }
}

fn table_of(
    run: &PayRun,
    lines: &[PayLine],
    accounts: &BTreeMap<PersonId, Account>,
    purposes: &BTreeMap<String, String>,
) -> anyhow::Result<Result<Table, Vec<(u32, Unsendable)>>> {
    let mut rows = Vec::with_capacity(lines.len() + 1);
    let mut wrong = Vec::new();
    for (line, number) in lines.iter().zip(1..) {
        let Some(account) = accounts.get(&line.payee) else {
            wrong.push((line.seq, Unsendable::NoAccount));
            continue;
        };
        let title = purposes.get(&line.programme).unwrap_or(&line.programme);
        let purpose = format!("{title}{}", run.month);
        if let Err(reason) = check(account, &purpose) {
            wrong.push((line.seq, reason));
        }
        rows.push(vec![
            Field::Integer(number),
            Field::text(&*account.holder),
            Field::text(&*account.number),
            Field::text(&*account.bank),
            Field::Money(line.net),
            Field::text(purpose),
            Field::text(&*line.instruction),
        ]);
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    ensure!(rows.len() == lines.len(), "every line has its row");
    let total = Money::total(lines.iter().map(|line| line.net))?;
    rows.push(vec![
        Field::Empty,
        Field::text("合计"),
        Field::text(format!("{}笔", lines.len())),
        Field::Empty,
        Field::Money(total),
        Field::Empty,
        Field::Empty,
    ]);
    Ok(Ok(Table {
        name: run.month.to_string(),
        notes: Vec::new(),
        columns: vec![
            Column::new("序号", Kind::Integer, 8),
            Column::new("户名", Kind::Text, 16),
            Column::new("账号", Kind::Text, 26),
            Column::new("开户行", Kind::Text, 30),
            Column::new("金额(元)", Kind::Money, 14),
            Column::new("用途", Kind::Text, 24),
            Column::new("指令号", Kind::Text, 30),
        ],
        rows,
        open_rows: 0,
    }))
}

fn check(account: &Account, purpose: &str) -> Result<(), Unsendable> {
    let fields = [
        ("户名", &*account.holder, HOLDER_MAX),
        ("开户行", &*account.bank, BANK_MAX),
        ("用途", purpose, PURPOSE_MAX),
    ];
    for (name, text, longest) in fields {
        if text.chars().count() > longest {
            return Err(Unsendable::TooLong(name));
        }
        // Old systems put rare characters into the private use area; every machine shows something else there.
        let is_private =
            |c: char| matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}');
        if text.chars().any(|c| c.is_control() || is_private(c)) {
            return Err(Unsendable::BadCharacter(name));
        }
    }
    Ok(())
}

fn event(scope: &Scope, run: &PayRun, act: &str, detail: serde_json::Value) -> Event {
    Event {
        by: scope.actor.officer,
        purpose: scope.purpose.text(),
        act: act.to_owned(),
        subject_kind: "pay_run".to_owned(),
        subject_id: run.id.to_string(),
        region: Some(run.region),
        detail,
    }
}
