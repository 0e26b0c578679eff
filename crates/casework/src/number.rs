//! Case numbers (办件号): `BA2026-000318`, counted a year and prefix at a time.
//!
//! Guarantees: no number twice, also with many windows at once. A submission that fails may leave a gap; nobody counts
//! on there being none. Deliberately absent: meaning; a number says nothing about the person.

use anyhow::Context;
use chrono::Datelike;
use sea_orm::Value;
use store::Tx;
use store::dialect::draw;

/// Draws the next `count` numbers of this year (取号).
pub(crate) async fn next_numbers(
    tx: &Tx,
    prefix: &str,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let year = tx.today().year();
    let more = i64::try_from(count).context("counting the numbers asked for")?;
    let sql = "INSERT INTO casework_serial (prefix, year, last) VALUES ($1, $2, $3) \
               ON CONFLICT (prefix, year) DO UPDATE SET last = casework_serial.last + $3 RETURNING last";
    let values = [
        Value::from(prefix),
        Value::from(i64::from(year)),
        Value::from(more),
    ];
    let last = draw(tx, sql, values).await.context("case numbers")?;
    Ok((last - more + 1..=last)
        .map(|serial| format!("{prefix}{year}-{serial:06}"))
        .collect())
}
