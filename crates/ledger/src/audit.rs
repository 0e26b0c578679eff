//! The audit (审计): the ledger's promises for a year, asked again from the rows themselves.
//!
//! Every check is one question to which an honest ledger has no answer; what it finds is counted and a few are named.
//! The accounts' sums are replayed from all transfers; the batches of transfers are sealed again and compared with the
//! seals in the journal, whose own chain is verified. Guarantees: reads only; memory does not grow with the year.
//! Deliberately absent: names – a finding says which row.

use crate::post::Seal;
use crate::tables::transfer;
use access::Scope;
use anyhow::Context;
use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{Condition, QueryOrder, QuerySelect, Statement};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Db, journal};
use vocab::Money;

/// How many rows of a finding are named.
const NAMED: u64 = 20;
/// Rows read at once.
const PAGE: u64 = 2_000;

/// What was asked (审计项).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// 借贷合计不为零。
    SumsNotZero,
    /// 账户余额与分录不符。
    BalanceDiffers,
    /// 分录未引用本待遇的决定。
    NoDecision,
    /// 同一人同一项目同一月份重复领取。
    ClaimedTwice,
    /// 已放款明细与分录不符。
    LineDiffersFromTransfers,
    /// 已放款明细与领取登记不符。
    LineDiffersFromClaims,
    /// 未放款明细却有分录或领取登记。
    MovedWithoutRelease,
    /// 拟定与复核为同一人。
    SameOfficer,
    /// 追回余额与分录不符。
    RecoveryDiffers,
    /// 分录与日志封印不符。
    SealBroken,
    /// 操作日志链断裂。
    JournalBroken,
}

impl Check {
    /// What the finding means (审计项说明).
    pub const fn name_zh(self) -> &'static str {
        match self {
            Self::SumsNotZero => "借贷合计不为零",
            Self::BalanceDiffers => "账户余额与分录不符",
            Self::NoDecision => "分录未引用本待遇的决定",
            Self::ClaimedTwice => "同一人同一项目同一月份重复领取",
            Self::LineDiffersFromTransfers => "已放款明细与分录不符",
            Self::LineDiffersFromClaims => "已放款明细与领取登记不符",
            Self::MovedWithoutRelease => "未放款明细却有分录或领取登记",
            Self::SameOfficer => "拟定与复核为同一人",
            Self::RecoveryDiffers => "追回余额与分录不符",
            Self::SealBroken => "分录与日志封印不符",
            Self::JournalBroken => "操作日志链断裂",
        }
    }
}

/// What was found (审计发现).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// By which check.
    pub check: Check,
    /// How many rows.
    pub count: u64,
    /// The first of them, by id.
    pub examples: Vec<String>,
}

/// The audit of a year (年度审计).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// The year.
    pub year: i32,
    /// Runs of its months.
    pub runs: u64,
    /// Released lines of its months.
    pub lines: u64,
    /// Claims of its months.
    pub claims: u64,
    /// Transfers posted in it.
    pub transfers: u64,
    /// Released to payees, before instalments.
    pub released: Money,
    /// Overpayments found.
    pub overpaid: Money,
    /// Held back, repaid or set off.
    pub recovered: Money,
    /// Entries of the journal, all years.
    pub journal_entries: u64,
    /// What is wrong; empty is what it should be.
    pub findings: Vec<Finding>,
}

impl AuditReport {
    /// Whether nothing was found (无发现).
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The span of the audit: values for SQL, in this order: first month, month beyond, first region, region beyond.
struct Span {
    months: (String, String),
    regions: (String, String),
    instants: (DateTime<Utc>, DateTime<Utc>),
}

const RELEASED: &str = "('posted', 'sent', 'settled', 'returned', 'reissuing', 'reissued')";

/// Audits a year (年度审计) in the scope; the accounts and the journal are always whole.
///
/// # Errors
/// When the database fails.
pub async fn audit(db: &Db, scope: &Scope, year: i32) -> anyhow::Result<AuditReport> {
    let span = span(scope, year)?;
    let mut report = figures(db, &span, year).await?;
    for (check, sql) in questions() {
        let found = ask(db, &sql, &span)
            .await
            .with_context(|| format!("auditing {check:?}"))?;
        report.findings.extend(found.into_finding(check));
    }
    let seals = seals(db, &span).await?;
    report
        .findings
        .extend(seals.into_finding(Check::SealBroken));
    let verdict = journal::verify(db).await.context("verifying the journal")?;
    report.journal_entries = journal::head(db)
        .await?
        .map_or(0, |head| head.seq.unsigned_abs());
    if !verdict.is_intact() {
        let broken = Found {
            count: 1,
            examples: vec![format!("{verdict:?}")],
        };
        report
            .findings
            .extend(broken.into_finding(Check::JournalBroken));
    }
    Ok(report)
}

fn span(scope: &Scope, year: i32) -> anyhow::Result<Span> {
    let shanghai = FixedOffset::east_opt(8 * 3600).context("eight hours are an offset")?;
    let begin = |year| -> anyhow::Result<DateTime<Utc>> {
        let day = NaiveDate::from_ymd_opt(year, 1, 1).context("not a year")?;
        let midnight = day.and_hms_opt(0, 0, 0).context("midnight exists")?;
        Ok(shanghai
            .from_local_datetime(&midnight)
            .single()
            .context("China has no summer time")?
            .with_timezone(&Utc))
    };
    Ok(Span {
        months: (format!("{year:04}-01"), format!("{:04}-01", year + 1)),
        regions: scope.code_range(),
        instants: (begin(year)?, begin(year + 1)?),
    })
}

/// Each question selects the ids of rows that break a promise; `$1`–`$4` are months and regions.
fn questions() -> Vec<(Check, String)> {
    let here = "l.month >= $1 AND l.month < $2 AND l.region >= $3 AND l.region < $4";
    let moved = |code: &str| {
        format!(
            "(SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfer t WHERE t.line_id = l.id AND t.code = '{code}')"
        )
    };
    let claimed = |kinds: &str| {
        format!(
            "(SELECT COALESCE(SUM(c.amount), 0) FROM ledger_claim c WHERE c.line_id = l.id AND c.kind IN ({kinds}))"
        )
    };
    let of_recovery = |code: &str| {
        format!(
            "(SELECT COALESCE(SUM(t.amount), 0) FROM ledger_transfer t WHERE t.source_id = r.id AND t.code = '{code}')"
        )
    };
    vec![
        (
            Check::BalanceDiffers,
            "SELECT a.id AS id FROM ledger_account a
               LEFT JOIN (SELECT debit_id, SUM(amount) AS fen FROM ledger_transfer GROUP BY debit_id) d ON d.debit_id = a.id
               LEFT JOIN (SELECT credit_id, SUM(amount) AS fen FROM ledger_transfer GROUP BY credit_id) c ON c.credit_id = a.id
             WHERE a.debits <> COALESCE(d.fen, 0) OR a.credits <> COALESCE(c.fen, 0)"
                .to_owned(),
        ),
        (
            Check::NoDecision,
            "SELECT t.id AS id FROM ledger_transfer t
             WHERE t.month >= $1 AND t.month < $2 AND t.region >= $3 AND t.region < $4
               AND NOT EXISTS (SELECT 1 FROM ledger_change c
                 WHERE c.entitlement_id = t.entitlement_id AND c.decision_id = t.decision_id)"
                .to_owned(),
        ),
        (
            Check::ClaimedTwice,
            "SELECT l.id AS id FROM ledger_claim l
             WHERE l.month >= $1 AND l.month < $2 AND l.region >= $3 AND l.region < $4
               AND EXISTS (SELECT 1 FROM ledger_claim o WHERE o.person_id = l.person_id AND o.programme = l.programme
                 AND o.month = l.month AND o.part = l.part AND o.id <> l.id)"
                .to_owned(),
        ),
        (
            Check::LineDiffersFromTransfers,
            format!(
                "SELECT l.id AS id FROM ledger_pay_line l WHERE {here} AND l.state IN {RELEASED} AND (
                   (l.kind = 'pay' AND ({} <> l.regular + l.arrears OR {} <> l.recovery))
                   OR (l.kind = 'reissue' AND {} <> 0)
                   OR {} - {} <> CASE WHEN l.state = 'settled' THEN l.net ELSE 0 END)",
                moved("accrue"),
                moved("recover"),
                moved("accrue"),
                moved("settle"),
                moved("reverse"),
            ),
        ),
        (
            Check::LineDiffersFromClaims,
            format!(
                "SELECT l.id AS id FROM ledger_pay_line l WHERE {here} AND l.kind = 'pay' AND l.state IN {RELEASED} AND (
                   {} <> l.regular + l.arrears OR {} <> l.recovery
                   OR (SELECT COUNT(*) FROM ledger_claim c WHERE c.line_id = l.id AND c.kind IN ('regular', 'arrears'))
                     <> (SELECT COUNT(*) FROM ledger_pay_item i WHERE i.line_id = l.id AND i.kind IN ('regular', 'arrears'))
                      * (SELECT COUNT(*) FROM ledger_covered v WHERE v.entitlement_id = l.entitlement_id))",
                claimed("'regular', 'arrears', 'adjustment'"),
                claimed("'recovery'"),
            ),
        ),
        (
            Check::MovedWithoutRelease,
            format!(
                "SELECT l.id AS id FROM ledger_pay_line l WHERE {here} AND l.state NOT IN {RELEASED} AND (
                   EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.line_id = l.id)
                   OR EXISTS (SELECT 1 FROM ledger_claim c WHERE c.line_id = l.id))"
            ),
        ),
        (
            Check::SameOfficer,
            format!("SELECT l.id AS id FROM ledger_pay_run l WHERE {here} AND l.released_by = l.proposed_by"),
        ),
        (
            Check::RecoveryDiffers,
            format!(
                "SELECT r.id AS id FROM ledger_recovery r WHERE r.region >= $3 AND r.region < $4
                   AND r.total - r.remaining <> {} + {} + {} - {}",
                of_recovery("recover"),
                of_recovery("repay"),
                of_recovery("offset"),
                of_recovery("reverse"),
            ),
        ),
    ]
}

/// Rows that break one promise.
struct Found {
    count: u64,
    examples: Vec<String>,
}

impl Found {
    fn into_finding(self, check: Check) -> Option<Finding> {
        (self.count > 0).then_some(Finding {
            check,
            count: self.count,
            examples: self.examples,
        })
    }
}

async fn ask(db: &Db, question: &str, span: &Span) -> anyhow::Result<Found> {
    let count = numbers(
        db,
        &format!("SELECT COUNT(*) AS a FROM ({question}) AS q"),
        span,
        &["a"],
    )
    .await?;
    let count = u64::try_from(count[0])?;
    let mut examples = Vec::new();
    if count > 0 {
        let sql = format!("SELECT id FROM ({question}) AS q ORDER BY id LIMIT {NAMED}");
        for row in db.conn().query_all_raw(statement(db, &sql, span)).await? {
            let id: Uuid = row.try_get("", "id")?;
            examples.push(id.to_string());
        }
    }
    Ok(Found { count, examples })
}

/// A statement with as many of the span's values as its text mentions: PostgreSQL refuses to be told more.
fn statement(db: &Db, sql: &str, span: &Span) -> Statement {
    let values = [
        &span.months.0,
        &span.months.1,
        &span.regions.0,
        &span.regions.1,
    ]
    .map(|text| Value::from(text.as_str()));
    let mentioned = (1..=4)
        .filter(|number| sql.contains(&format!("${number}")))
        .max()
        .unwrap_or(0);
    Statement::from_sql_and_values(
        db.conn().get_database_backend(),
        sql,
        values.into_iter().take(mentioned),
    )
}

/// One row of whole numbers.
async fn numbers(db: &Db, sql: &str, span: &Span, columns: &[&str]) -> anyhow::Result<Vec<i64>> {
    let row = db
        .conn()
        .query_one_raw(statement(db, sql, span))
        .await
        .context("adding up")?
        .context("a sum has no row")?;
    columns
        .iter()
        .map(|column| Ok(row.try_get("", column)?))
        .collect()
}

async fn figures(db: &Db, span: &Span, year: i32) -> anyhow::Result<AuditReport> {
    let here = "month >= $1 AND month < $2 AND region >= $3 AND region < $4";
    let sum = |code: &str| {
        format!(
            "CAST(COALESCE(SUM(CASE WHEN code IN ({code}) THEN amount ELSE 0 END), 0) AS BIGINT)"
        )
    };
    let runs = numbers(
        db,
        &format!("SELECT COUNT(*) AS a FROM ledger_pay_run WHERE {here}"),
        span,
        &["a"],
    )
    .await?;
    let lines =
        format!("SELECT COUNT(*) AS a FROM ledger_pay_line WHERE {here} AND state IN {RELEASED}");
    let lines = numbers(db, &lines, span, &["a"]).await?;
    let claims = numbers(
        db,
        &format!("SELECT COUNT(*) AS a FROM ledger_claim WHERE {here}"),
        span,
        &["a"],
    )
    .await?;
    let moved = format!(
        "SELECT COUNT(*) AS a, {} AS b, {} AS c, {} AS d FROM ledger_transfer WHERE {here}",
        sum("'accrue'"),
        sum("'overpaid'"),
        sum("'recover', 'repay', 'offset'"),
    );
    let moved = numbers(db, &moved, span, &["a", "b", "c", "d"]).await?;
    let sums = "SELECT CAST(COALESCE(SUM(debits), 0) AS BIGINT) AS a, CAST(COALESCE(SUM(credits), 0) AS BIGINT) AS b FROM ledger_account";
    let sums = numbers(db, sums, span, &["a", "b"]).await?;
    let unequal = Found {
        count: u64::from(sums[0] != sums[1]),
        examples: vec![format!(
            "{} ≠ {}",
            Money::from_fen(sums[0]),
            Money::from_fen(sums[1])
        )],
    };
    Ok(AuditReport {
        year,
        runs: u64::try_from(runs[0])?,
        lines: u64::try_from(lines[0])?,
        claims: u64::try_from(claims[0])?,
        transfers: u64::try_from(moved[0])?,
        released: Money::from_fen(moved[1]),
        overpaid: Money::from_fen(moved[2]),
        recovered: Money::from_fen(moved[3]),
        journal_entries: 0,
        findings: unequal
            .into_finding(Check::SumsNotZero)
            .into_iter()
            .collect(),
    })
}

/// Seals the year's batches again and compares them with the journal, both ways.
async fn seals(db: &Db, span: &Span) -> anyhow::Result<Found> {
    let mut kept = kept_seals(db, span).await?;
    let mut wrong = Found {
        count: 0,
        examples: Vec::new(),
    };
    let mut note = |batch: Uuid| {
        wrong.count += 1;
        if u64::try_from(wrong.examples.len()).is_ok_and(|named| named < NAMED) {
            wrong.examples.push(batch.to_string());
        }
    };
    let mut after: Option<(Uuid, Uuid)> = None;
    let mut open: Option<(Uuid, Seal)> = None;
    loop {
        let rows = transfers(db, span, after).await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.batch, last.id));
        for row in &rows {
            match &mut open {
                Some((batch, seal)) if *batch == row.batch => seal.add(row)?,
                _ => {
                    let mut seal = Seal::default();
                    seal.add(row)?;
                    if let Some((batch, done)) = open.replace((row.batch, seal))
                        && kept.remove(&batch) != Some(done.detail())
                    {
                        note(batch);
                    }
                }
            }
        }
    }
    if let Some((batch, done)) = open
        && kept.remove(&batch) != Some(done.detail())
    {
        note(batch);
    }
    // A seal without transfers: they were taken away.
    for batch in kept.into_keys() {
        note(batch);
    }
    Ok(wrong)
}

async fn transfers(
    db: &Db,
    span: &Span,
    after: Option<(Uuid, Uuid)>,
) -> anyhow::Result<Vec<transfer::Model>> {
    let mut query = transfer::Entity::find()
        .filter(transfer::Column::PostedAt.gte(span.instants.0))
        .filter(transfer::Column::PostedAt.lt(span.instants.1))
        .order_by_asc(transfer::Column::Batch)
        .order_by_asc(transfer::Column::Id)
        .limit(PAGE);
    if let Some((batch, id)) = after {
        let same_batch = transfer::Column::Batch
            .eq(batch)
            .and(transfer::Column::Id.gt(id));
        query = query.filter(
            Condition::any()
                .add(transfer::Column::Batch.gt(batch))
                .add(same_batch),
        );
    }
    query
        .all(db.conn())
        .await
        .context("reading transfers to seal them again")
}

async fn kept_seals(db: &Db, span: &Span) -> anyhow::Result<BTreeMap<Uuid, serde_json::Value>> {
    let filter = journal::Filter {
        act: Some("ledger.post".to_owned()),
        from: Some(span.instants.0),
        until: Some(span.instants.1),
        ..journal::Filter::default()
    };
    let mut kept = BTreeMap::new();
    let mut offset = 0;
    loop {
        let page = journal::page(db, &filter, offset, PAGE)
            .await
            .context("reading the journal's seals")?;
        let more = page.has_more();
        for entry in page.rows {
            let batch = entry
                .event
                .subject_id
                .parse()
                .context("a seal names no batch")?;
            kept.insert(batch, entry.event.detail);
        }
        if !more {
            return Ok(kept);
        }
        offset += PAGE;
    }
}
